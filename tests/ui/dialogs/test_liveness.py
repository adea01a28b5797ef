"""What is known of a mixture's models is told from the endpoints' states alone."""

from __future__ import annotations

from dataclasses import replace

import pytest
from dialog_fakes import ABSENT, BY_NAME, FAILED, GROQ, MADE, OLLAMA, STATES, TRIO, model, preset

from moa_tui.engine.mixture import Agent
from moa_tui.ui.dialogs.liveness import Known, Liveness, check, liveness, nearest, verdict
from moa_tui.ui.ports import EndpointState

KNOWN = Known.of(STATES, BY_NAME)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ollama/llama3.2:3b", Liveness("live", "here")),
        ("groq/openai/gpt-oss-20b", Liveness("live", "listed")),
        (
            "ollama/llama3",
            Liveness("missing", "not pulled", "ollama pull llama3", can_pull=True),
        ),
        ("ollama/nomic-embed-text", Liveness("missing", "can't chat")),
        ("groq/gone", Liveness("missing", "not listed")),
        ("openrouter/auto", Liveness("unknown", "unknown until sent")),
        (
            "together/x",
            Liveness(
                "missing",
                "no key",
                f"set TOGETHER_API_KEY; keys are made at {BY_NAME['together'].key_page}",
            ),
        ),
        (
            "lmstudio/x",
            Liveness(
                "missing",
                "nothing listens",
                "nothing listens at 127.0.0.1:1234; start LM Studio's server",
            ),
        ),
        (
            "openai/x",
            Liveness(
                "missing",
                "doesn't answer",
                "OpenAI: the key was refused (401); check OPENAI_API_KEY",
            ),
        ),
        ("demo/x", Liveness("live", "written beforehand")),
        (
            "olama/x",
            Liveness(
                "missing",
                "no such endpoint",
                'no endpoint is called "olama"; did you mean "ollama"?',
            ),
        ),
    ],
)
def test_each_state_has_its_word_and_its_fix(name: str, expected: Liveness) -> None:
    assert liveness(name, KNOWN) == expected


def test_an_endpoint_without_words_of_its_own_gets_ours() -> None:
    states = [replace(state, message="", hint="") for state in (ABSENT, FAILED)]
    no_key = EndpointState(endpoint=BY_NAME["groq"], status="no_key")
    known = Known.of([*states, no_key])

    assert liveness("lmstudio/x", known).fix == "start LM Studio"
    assert liveness("openai/x", known).fix == ""
    assert liveness("groq/x", known).fix == f"set GROQ_API_KEY; keys: {BY_NAME['groq'].key_page}"


def test_the_embedded_model_names_its_command() -> None:
    state = EndpointState(endpoint=BY_NAME["embedded"], status="absent")
    live = liveness("embedded/tiny", Known.of([state]))
    assert live == Liveness("missing", "not fetched", "moa-tui pull embedded/tiny")


def test_a_tag_called_latest_needs_not_be_written() -> None:
    state = EndpointState(
        endpoint=BY_NAME["ollama"], status="found", models=(model("qwen3:latest"), model("phi3"))
    )
    known = Known.of([state])
    assert {liveness(f"ollama/{name}", known).mark for name in ("qwen3", "phi3:latest")} == {"live"}


def test_a_model_of_several_seats_is_told_once_and_fallbacks_last() -> None:
    mixture = preset("x", "ollama/llama3.2:3b", "ollama/llama3.2:3b", merger="groq/gone")
    fallback = (Agent(model="openai/x"), Agent(model="groq/gone"))
    mixture = replace(mixture, aggregator=replace(mixture.aggregator, fallback=fallback))

    assert [(one.model, one.is_spare) for one in check(mixture, KNOWN)] == [
        ("ollama/llama3.2:3b", False),
        ("groq/gone", False),
        ("openai/x", True),
    ]


def test_the_worst_of_what_is_needed_decides() -> None:
    assert verdict(check(MADE, KNOWN)) == "live"
    assert verdict(check(TRIO, KNOWN)) == "missing"
    assert verdict(check(preset("x", "openrouter/auto"), KNOWN)) == "unknown"
    spare = replace(MADE.aggregator, fallback=(Agent(model="groq/gone"),))
    assert verdict(check(replace(MADE, aggregator=spare), KNOWN)) == "live"


def test_the_nearest_chat_models_of_the_same_endpoint_are_offered() -> None:
    assert nearest("groq/openai/gpt-oss-70b", KNOWN) == (
        "openai/gpt-oss-20b",
        "openai/gpt-oss-120b",
    )
    assert nearest("ollama/nomic-embed-text:v2", KNOWN) == ()
    assert nearest("nowhere/x", KNOWN) == ()
    assert nearest("groq/zzz", Known.of([OLLAMA, GROQ])) == ()
