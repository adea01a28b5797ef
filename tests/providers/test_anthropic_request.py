from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import virtual_time
from anthropic_calls import OLD_CLAUDE, VENDOR, answering, asked, asking, refusing
from calls import Answering, Server, hear, provider

from moa_tui.engine.provider import ChatRequest, Message

if TYPE_CHECKING:
    from collections.abc import Sequence

NEW_CLAUDE = "claude-opus-4-7"
SHOWN = {"type": "adaptive", "display": "summarized"}


def sent(request: ChatRequest, *refusals: Answering) -> dict[str, Any]:
    """Return the last body that is sent for a request, after these refusals."""
    server = Server(*refusals, answering())
    told = asked(server, request)
    assert told.error is None, told.words
    assert len(server.requests) == len(refusals) + 1
    return server.sent[-1]


def test_a_request_says_what_is_set_and_no_more() -> None:
    assert sent(asking(max_tokens=99, temperature=0.5, seed=7, num_ctx=4096)) == {
        "model": OLD_CLAUDE,
        "max_tokens": 99,
        "messages": [{"role": "user", "content": "hi"}],
        "stream": True,
        "temperature": 0.5,
    }


def test_the_system_texts_before_the_chat_have_a_field_of_their_own() -> None:
    chat = (
        Message("system", "Be brief."),
        Message("system", "Be kind."),
        Message("user", "hi"),
        Message("assistant", "Hello"),
        Message("system", "Think."),
        Message("user", " "),
        Message("user", "why"),
    )

    body = sent(asking(OLD_CLAUDE, *chat))

    assert body["system"] == "Be brief.\n\nBe kind."
    assert body["messages"] == [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": "Hello"},
        {"role": "user", "content": "Think.\n\nwhy"},
    ]


@pytest.mark.parametrize("chat", [(Message("user", " \n"),), (Message("system", "Be brief."),)])
def test_a_chat_that_says_nothing_is_not_sent(chat: Sequence[Message]) -> None:
    server = Server(answering())

    told = asked(server, asking(OLD_CLAUDE, *chat))

    assert (told.kind, server.requests) == ("invalid", [])
    assert told.words == "there is nothing to send: every message is blank | "


@pytest.mark.parametrize(("asked_for", "sent_as"), [(1.7, 1.0), (1.0, 1.0), (0.0, 0.0)])
def test_a_temperature_ends_at_one(asked_for: float, sent_as: float) -> None:
    assert sent(asking(temperature=asked_for))["temperature"] == sent_as


def test_of_temperature_and_top_p_a_claude_takes_one() -> None:
    body = sent(asking(temperature=0.5, top_p=0.9))
    assert (body.get("temperature"), body["top_p"]) == (None, 0.9)
    other = sent(asking("glm-5", temperature=0.5, top_p=0.9))
    assert (other["temperature"], other["top_p"]) == (0.5, 0.9)


def test_stops_of_white_space_would_be_refused() -> None:
    assert sent(asking(stop=("\n", "END")))["stop_sequences"] == ["END"]
    assert "stop_sequences" not in sent(asking(stop=("\n",)))


@pytest.mark.parametrize(
    ("model", "thinking"),
    [
        ("claude-3-7-sonnet-20250219", {"type": "enabled", "budget_tokens": 2048}),
        ("claude-opus-4-20250514", {"type": "enabled", "budget_tokens": 2048}),
        (OLD_CLAUDE, {"type": "enabled", "budget_tokens": 2048}),
        ("glm-5", {"type": "enabled", "budget_tokens": 2048}),
        ("claude-opus-4-6", SHOWN),
        (NEW_CLAUDE, SHOWN),
        ("anthropic/claude-opus-4.7", SHOWN),
        ("claude-sonnet-5-5", SHOWN),
        ("claude-fable-5-1", SHOWN),
    ],
)
def test_thinking_is_asked_for_in_the_way_that_a_model_takes(model: str, thinking: object) -> None:
    body = sent(asking(model, think=True, max_tokens=4096, top_p=0.9))

    assert body["thinking"] == thinking
    assert not {"temperature", "top_p"} & body.keys()


@pytest.mark.parametrize(
    ("model", "thinking", "has_temperature"),
    [
        (OLD_CLAUDE, None, True),
        ("claude-opus-4-6", None, True),
        (NEW_CLAUDE, None, False),
        ("glm-5", None, True),
        # These think anyway: told to show it, a long thought is no silence.
        ("claude-opus-5", SHOWN, False),
        ("claude-opus-5-5", SHOWN, False),
        ("claude-haiku-5-5", SHOWN, False),
        ("claude-mythos-preview", SHOWN, False),
    ],
)
def test_nothing_is_said_of_thinking_that_nobody_set(
    model: str,
    thinking: object,
    has_temperature: bool,  # noqa: FBT001 - a column of the table
) -> None:
    body = sent(asking(model))

    assert (body.get("thinking"), "temperature" in body) == (thinking, has_temperature)


@pytest.mark.parametrize(
    ("model", "thinking"),
    [
        (OLD_CLAUDE, None),
        (NEW_CLAUDE, None),
        ("claude-opus-5", {"type": "disabled"}),
        ("claude-haiku-5-5", {"type": "disabled"}),
        ("claude-sonnet-latest", {"type": "disabled"}),
        ("glm-5", {"type": "disabled"}),
        ("claude-sonnet-5-5", {"type": "between_tools"}),
        ("claude-opus-5-5", SHOWN),
        ("claude-fable-5", SHOWN),
    ],
)
def test_thinking_is_turned_off_where_it_is_on_and_can_be(model: str, thinking: object) -> None:
    assert sent(asking(model, think=False)).get("thinking") == thinking


@pytest.mark.parametrize(
    ("most", "effort", "budget"),
    [
        (1024, None, None),
        (1025, None, 1024),
        (4096, "low", 1024),
        (8192, "low", 2048),
        (8192, "medium", 4096),
        (8192, "high", 6144),
        (8192, "max", 6144),
    ],
)
def test_a_budget_is_below_what_the_answer_may_have(
    most: int, effort: str | None, budget: int | None
) -> None:
    body = sent(asking(think=True, effort=effort, max_tokens=most))

    thinking = {"type": "enabled", "budget_tokens": budget} if budget else None
    assert (body.get("thinking"), body["max_tokens"]) == (thinking, most)
    assert "output_config" not in body


@pytest.mark.parametrize(
    ("model", "options", "thinking", "config"),
    [
        (NEW_CLAUDE, {"effort": "high"}, SHOWN, {"effort": "high"}),
        (NEW_CLAUDE, {"effort": "minimal"}, SHOWN, {"effort": "low"}),
        (NEW_CLAUDE, {"effort": "low", "think": False}, None, {"effort": "low"}),
        (NEW_CLAUDE, {"effort": "none"}, None, None),
        ("claude-opus-5", {"effort": "none"}, {"type": "disabled"}, None),
        ("claude-opus-5-5", {"effort": "low"}, SHOWN, {"effort": "low"}),
    ],
)
def test_an_effort_is_an_order_to_think(
    model: str, options: dict[str, Any], thinking: object, config: object
) -> None:
    body = sent(asking(model, **options))

    assert (body.get("thinking"), body.get("output_config")) == (thinking, config)


# What is learned


ADAPT = 'Use "thinking.type.adaptive" and "output_config.effort" to control thinking behavior.'
NOT_ENABLED = f'"thinking.type.enabled" is not supported for this model. {ADAPT}'
NOT_DISABLED = f'"thinking.type.disabled" is not supported for this model. {ADAPT}'
BETWEEN_TOOLS = (
    '"thinking.type.disabled" is not supported for this model. '
    'To turn thinking off on this model, send "thinking": {"type": "between_tools"}'
)


@pytest.mark.parametrize(
    ("model", "options", "said", "field", "value"),
    [
        (OLD_CLAUDE, {}, "`temperature` is deprecated for this model.", "temperature", None),
        (
            "glm-5",
            {"top_p": 0.9},
            "`temperature` and `top_p` cannot both be specified for this model.",
            "temperature",
            None,
        ),
        (
            OLD_CLAUDE,
            {"max_tokens": 9000},
            "max_tokens: 9000 > 8192, which is the maximum allowed number of output tokens for x",
            "max_tokens",
            8192,
        ),
        (
            OLD_CLAUDE,
            {"think": True},
            NOT_ENABLED,
            "thinking",
            SHOWN,
        ),
        (
            NEW_CLAUDE,
            {"think": True},
            "adaptive thinking is not supported on this model",
            "thinking",
            {"type": "enabled", "budget_tokens": 1024},
        ),
        (
            NEW_CLAUDE,
            {"think": True},
            "thinking.adaptive.display: Extra inputs are not permitted",
            "thinking",
            {"type": "adaptive"},
        ),
        ("old", {"think": True}, "thinking: Extra inputs are not permitted", "thinking", None),
        (
            "new",
            {"think": False},
            NOT_DISABLED,
            "thinking",
            None,
        ),
        (
            "claude-haiku-9",
            {"think": False},
            BETWEEN_TOOLS,
            "thinking",
            {"type": "between_tools"},
        ),
        (
            "claude-sonnet-5-5",
            {"think": False},
            '"thinking.type.between_tools" is not supported for this model.',
            "thinking",
            SHOWN,
        ),
        (
            NEW_CLAUDE,
            {"effort": "low"},
            "This model does not support the effort parameter.",
            "output_config",
            None,
        ),
    ],
)
def test_what_a_model_refuses_is_learned_from_its_400(
    model: str, options: dict[str, Any], said: str, field: str, value: object
) -> None:
    assert sent(asking(model, **options), refusing(400, said)).get(field) == value


def test_what_was_learned_is_remembered_for_that_model() -> None:
    server = Server(refusing(400, "`temperature` is deprecated for this model."), answering())

    async def run() -> None:
        one = provider(server, **VENDOR)
        for model in ("m", "m", "n"):
            await hear(one, asking(model))

    virtual_time.run(run())

    assert [body.get("temperature") for body in server.sent] == [0.7, None, None, 0.7]


def test_what_is_refused_again_and_again_fails() -> None:
    server = Server(refusing(400, "adaptive thinking is not supported on this model"))

    told = asked(server, asking(NEW_CLAUDE, think=True))

    assert (told.kind, len(server.requests)) == ("invalid", 3)
    assert "thinking" not in server.sent[-1]


def test_an_effort_that_does_not_exist_is_told() -> None:
    said = "output_config.effort: Input should be 'low', 'medium' or 'high'"

    told = asked(Server(refusing(400, said)), asking(NEW_CLAUDE, effort="huge"))

    assert (told.kind, said in told.words) == ("invalid", True)
