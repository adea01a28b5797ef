from __future__ import annotations

import json

import pytest
import virtual_time
from anthropic_calls import (
    HELLO,
    START,
    TOLD,
    VENDOR,
    answering,
    asked,
    asking,
    end,
    event,
    refusing,
    text,
)
from calls import FOREVER, KEY, Answering, Server, call, endpoint, provider

from moa_tui.engine.clock import AsyncioClock
from moa_tui.engine.provider import Finish, ModelInfo, Note, Phase, Retrying, Text, Thinking
from moa_tui.errors import FailureKind, ProviderError
from moa_tui.providers import connect
from moa_tui.providers.anthropic import AnthropicProvider
from moa_tui.providers.limits import Limiter

# A call


def test_an_answer_is_told_from_its_first_phase_to_its_finish() -> None:
    told = asked(Server(answering()))

    assert told.deltas == [Phase("connecting"), Phase("waiting"), *TOLD]


def test_a_call_is_posted_with_the_key_in_the_dialect_s_own_header() -> None:
    server = Server(answering())

    asked(server)

    (request,) = server.requests
    assert (request.method, str(request.url)) == ("POST", "https://a.example/v1/messages")
    assert request.headers["x-api-key"] == KEY.reveal()
    assert request.headers["anthropic-version"] == "2023-06-01"
    assert "authorization" not in request.headers


def test_the_user_s_version_counts() -> None:
    server = Server(answering())

    call(server, asking(), **{**VENDOR, "headers": {"Anthropic-Version": "2099-01-01"}})

    assert server.requests[0].headers.get_list("anthropic-version") == ["2099-01-01"]


def test_the_key_replaces_a_header_of_its_name() -> None:
    server = Server(answering())

    call(server, asking(), secret=KEY, **{**VENDOR, "headers": {"X-API-Key": "old"}})

    assert server.requests[0].headers.get_list("x-api-key") == [KEY.reveal()]


def test_a_key_stays_here_where_it_would_travel_in_the_clear() -> None:
    server = Server(refusing(401, "x-api-key header is required", "authentication_error"))

    told = call(server, asking(), secret=KEY, **{**VENDOR, "base_url": "http://a.example/v1"})

    assert "x-api-key" not in server.requests[0].headers
    assert told.words == (
        "Anthropic: it wants a key, and none was sent (401): x-api-key header is required"
        " | the key was not sent: it goes over https only; set base_url to https"
    )


def test_a_key_on_loopback_is_sent() -> None:
    server = Server(answering())

    call(server, asking(), secret=KEY, kind="anthropic")

    assert server.requests[0].headers["x-api-key"] == KEY.reveal()


def test_a_key_that_a_server_says_back_is_masked() -> None:
    told = asked(Server(refusing(401, f"invalid x-api-key {KEY.reveal()}", "authentication_error")))

    assert (told.kind, told.words) == (
        "auth",
        (
            "Anthropic: the key was not accepted (401): invalid x-api-key •••"
            " | check $ANTHROPIC_API_KEY; keys are made at a.example/keys"
        ),
    )


def test_a_redirect_is_not_followed() -> None:
    away = Answering(307, [b""], {"location": "https://b.example/v1/messages"})

    server = Server(away)
    told = asked(server)

    assert (told.kind, len(server.requests)) == ("protocol", 1)
    assert "redirects to b.example" in told.words


def test_an_endpoint_is_connected_by_its_kind() -> None:
    async def run() -> object:
        clock = AsyncioClock()
        one = connect(endpoint(**VENDOR), KEY, clock=clock, limiter=Limiter(clock=clock))
        await one.aclose()
        return type(one)

    assert virtual_time.run(run()) is AnthropicProvider


# What comes back


def test_thinking_is_told_apart() -> None:
    thought = event("content_block_delta", delta={"type": "thinking_delta", "thinking": "Hm"})

    told = asked(Server(answering(START + thought, 1.0, text("Hello") + end())))

    assert told.deltas[2:] == [Thinking("Hm"), *TOLD]


def test_nothing_is_read_after_the_end() -> None:
    told = asked(Server(answering(HELLO, FOREVER)))

    assert told.deltas[2:] == TOLD
    assert told.seconds == pytest.approx(0.05)


def test_an_end_without_its_mark_is_waited_for_briefly() -> None:
    reason = event("message_delta", delta={"stop_reason": "max_tokens"})

    told = asked(Server(answering(START + text("Hello") + reason, FOREVER)))

    assert told.deltas[-1] == Finish("length")
    assert told.seconds == pytest.approx(2.05)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (START + end("tool_use"), "called a tool"),
        (START + end("refusal"), "the model refused"),
        (
            START
            + event(
                "message_delta",
                delta={
                    "stop_reason": "refusal",
                    "stop_details": {"type": "refusal", "explanation": "not that"},
                },
            ),
            "the model refused: not that",
        ),
        (START + end("max_tokens"), "the token limit came first"),
        (START + end(), "said nothing"),
    ],
)
def test_an_answer_without_words_says_why(body: bytes, words: str) -> None:
    told = asked(Server(answering(body)))

    assert (told.kind, words in told.words) == ("empty", True)


def test_an_answer_of_more_than_a_mebibyte_is_stopped() -> None:
    told = asked(Server(answering(START, *[text("x" * 2000)] * 600, end())))

    assert (told.kind, "1 MiB" in told.words) == ("truncated", True)


@pytest.mark.parametrize("start", [b"data: ", b'{"type": "message", "x": "'])
def test_an_event_without_end_is_stopped(start: bytes) -> None:
    told = asked(Server(answering(start, *[b"x" * 65536] * 20, FOREVER)))

    assert (told.kind, "1 MiB as one event" in told.words) == ("truncated", True)


OVERLOADED = event("error", error={"type": "overloaded_error", "message": "Overloaded"})


def test_an_overload_before_the_first_token_is_tried_again() -> None:
    told = asked(Server(answering(START + OVERLOADED), answering()))

    assert Retrying("midstream", "Overloaded", 1.0) in told.deltas
    assert told.deltas[-3:] == TOLD


def test_an_overload_amid_the_answer_keeps_what_came() -> None:
    server = Server(answering(START + text("Hel"), 1.0, OVERLOADED))

    told = asked(server)

    assert (told.deltas[2:], told.kind, len(server.requests)) == ([Text("Hel")], "midstream", 1)


def test_an_error_after_the_reason_is_a_note() -> None:
    reason = event("message_delta", delta={"stop_reason": "end_turn"})

    told = asked(Server(answering(START + text("Hello") + reason + OVERLOADED)))

    assert told.deltas[-1] == Note("error_after_finish", "Overloaded")


@pytest.mark.parametrize("kind", ["authentication_error", "permission_error", "not_found_error"])
def test_an_error_with_status_200_that_stays_is_not_tried_again(kind: str) -> None:
    server = Server(answering(event("error", error={"type": kind, "message": "no"})))

    told = asked(server)

    assert (told.kind, len(server.requests)) == ("midstream", 1)


# Refusals


@pytest.mark.parametrize(
    ("status", "sort", "message", "kind", "words"),
    [
        (
            400,
            "invalid_request_error",
            "prompt is too long: 210000 tokens > 200000 maximum",
            "context",
            "Anthropic: 210000 of 200000 tokens of context: prompt is too long: 210000",
        ),
        (
            400,
            "invalid_request_error",
            "input length and `max_tokens` exceed context limit: 7 + 2 > 8, decrease input",
            "context",
            "Anthropic: 9 of 8 tokens of context",
        ),
        (
            400,
            "invalid_request_error",
            "Your credit balance is too low to access the Anthropic API. Please go to Plans",
            "quota",
            "add credit or wait: a.example/keys",
        ),
        (
            404,
            "not_found_error",
            "model: claude-none",
            "not_found",
            "Anthropic: not found (404): model: claude-none | choose one of `moa-tui models`",
        ),
        (403, "permission_error", "not yours", "auth", "not allowed (403): not yours"),
        (413, "request_too_large", "too large", "invalid", "the request is too large (413)"),
        (400, "invalid_request_error", "odd", "invalid", "Anthropic: status 400: odd"),
    ],
)
def test_a_refusal_says_what_to_do(
    status: int, sort: str, message: str, kind: FailureKind, words: str
) -> None:
    server = Server(refusing(status, message, sort))

    told = asked(server)

    assert (told.kind, len(server.requests)) == (kind, 1)
    assert words in told.words


@pytest.mark.parametrize(
    "message",
    [
        "prompt is too long: 210000 tokens > 200000 maximum",
        "input length and `max_tokens` exceed context limit: 199759 + 8192 > 200000, decrease it",
    ],
)
def test_a_refusal_for_its_length_tells_the_window(message: str) -> None:
    told = asked(Server(refusing(400, message)))

    assert told.error is not None
    assert (told.error.kind, told.error.window) == ("context", 200_000)


def test_an_overload_is_tried_again_in_growing_waits() -> None:
    server = Server(refusing(529, "Overloaded", "overloaded_error"))

    told = asked(server)

    assert server.times == [0, 1, 3, 7, 15, 31, 63]
    assert (told.kind, told.words) == (
        "server",
        (
            "Anthropic: the server is overloaded (529): Overloaded | "
            "try again later, or use another endpoint"
        ),
    )


def test_a_rate_limit_waits_as_long_as_it_says() -> None:
    limit = refusing(429, "This request would exceed your rate limit", "rate_limit_error")
    limit.headers = {"retry-after": "7"}

    server = Server(limit, answering())
    told = asked(server)

    assert server.times == [0, 7]
    assert told.deltas[-3:] == TOLD


# The listing


def page(*names: str, last: str | None = None, more: bool = False) -> Answering:
    rows = [{"type": "model", "id": name, "max_input_tokens": 200_000} for name in names]
    body = {"data": rows, "has_more": more, "first_id": None, "last_id": last}
    return Answering(body=[json.dumps(body).encode()])


def listed(server: Server) -> tuple[ModelInfo, ...]:
    return virtual_time.run(provider(server, secret=KEY, **VENDOR).models())


def test_all_pages_of_the_listing_are_read() -> None:
    server = Server(page("a", "b&c", last="b&c", more=True), page("d", last="d"))

    assert listed(server) == tuple(
        ModelInfo(id=name, context=200_000) for name in ("a", "b&c", "d")
    )
    assert [str(request.url) for request in server.requests] == [
        "https://a.example/v1/models?limit=1000",
        "https://a.example/v1/models?limit=1000&after_id=b%26c",
    ]
    assert {request.headers["x-api-key"] for request in server.requests} == {KEY.reveal()}


def test_a_listing_that_goes_round_in_circles_ends() -> None:
    server = Server(page("a", last="a", more=True))

    assert [model.id for model in listed(server)] == ["a"]
    assert len(server.requests) == 2


def test_a_listing_without_end_ends() -> None:
    server = Server(*(page(f"m{n}", last=f"m{n}", more=True) for n in range(99)))

    assert len(listed(server)) == len(server.requests) == 20


def test_a_listing_of_openai_s_shape_is_read_too() -> None:
    server = Server(Answering(body=[b'{"object": "list", "data": [{"id": "tiny"}]}']))

    assert listed(server) == (ModelInfo(id="tiny"),)


def test_a_listing_that_is_refused_says_so() -> None:
    with pytest.raises(ProviderError, match="the key was not accepted"):
        listed(Server(refusing(401, "invalid x-api-key", "authentication_error")))
