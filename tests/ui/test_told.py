"""What the screen says of a mixture before it is run: problems, prices, what was found."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from dialog_fakes import (
    ABSENT,
    BY_NAME,
    FAILED,
    GROQ,
    NO_KEY,
    OLLAMA,
    STATES,
    TRIO,
    UNASKED,
    preset,
)
from ui_fakes import FakeEmbedded, HandClock, mixture

from moa_tui.engine.mixture import Agent, Aggregator
from moa_tui.engine.provider import Endpoint, Price
from moa_tui.errors import ConfigError
from moa_tui.ui import told, words
from moa_tui.ui.ports import EndpointState, Ports, Start
from moa_tui.ui.spending import pricing
from moa_tui.ui.told import Found, Problem

if TYPE_CHECKING:
    from moa_tui.engine.provider import Provider

NO_GO = Problem(full="x: no key", short="1 model: no key")
SCRIPTED = Endpoint(name="t", kind="scripted")


def nobody(name: str, /) -> Provider:
    raise ConfigError(name)


def ports(*endpoints: Endpoint, embedded: FakeEmbedded | None = None) -> Ports:
    return Ports(
        providers=nobody,
        clock=HandClock(),
        embedded=embedded or FakeEmbedded(),
        endpoints={endpoint.name: endpoint for endpoint in (*BY_NAME.values(), *endpoints)},
    )


def problem(*models: str, is_preset: bool = True) -> str:
    found = told.problem(ports(), preset("p", *models), STATES, is_preset=is_preset)
    return "" if found is None else found.full


# What keeps a mixture from running.


def test_what_answers_or_may_answer_is_no_problem() -> None:
    assert problem("ollama/qwen3:8b", "openrouter/auto", "groq/openai/gpt-oss-20b") == ""


def test_nothing_is_said_before_somebody_has_looked() -> None:
    assert told.problem(ports(), TRIO, (), is_preset=True) is None


def test_a_missing_key_is_told_with_its_variable_and_where_keys_are_made() -> None:
    assert problem("together/x", "together/y") == (
        "together/x, together/y: set TOGETHER_API_KEY; keys are made at "
        + BY_NAME["together"].key_page
    )


def test_models_that_arent_pulled_are_told_with_what_pulls_them() -> None:
    models = ("ollama/mistral", "ollama/gemma3:4b")
    assert problem(*models) == (
        "ollama/mistral, ollama/gemma3:4b: not pulled; ctrl+t, then ctrl+l pulls"
    )
    assert problem("ollama/mistral", is_preset=False) == (
        "ollama/mistral: not pulled; ollama pull mistral"
    )


def test_a_model_that_is_being_pulled_says_so() -> None:
    mix = preset("p", "ollama/mistral")
    found = told.problem(ports(), mix, STATES, is_preset=True, coming=["ollama/mistral"])
    assert found is not None
    assert found.full == "ollama/mistral: being pulled, not here yet"


def test_a_server_that_doesnt_run_is_told_with_how_to_start_it() -> None:
    assert problem("lmstudio/x") == (
        "lmstudio/x: nothing listens at 127.0.0.1:1234; start LM Studio's server"
    )


def test_a_server_that_fails_is_told_in_its_words() -> None:
    assert problem("openai/x") == (
        "openai/x: OpenAI: the key was refused (401); check OPENAI_API_KEY"
    )


def test_an_unknown_endpoint_is_told_with_the_nearest_one() -> None:
    assert problem("olama/x") == ('olama/x: no endpoint is called "olama"; did you mean "ollama"?')


def test_a_model_that_cant_chat_or_isnt_listed_is_told() -> None:
    assert problem("ollama/nomic-embed-text") == "ollama/nomic-embed-text: can't chat"
    assert problem("groq/x") == "groq/x: not listed"


def test_what_most_models_lack_is_told_first() -> None:
    models = ("ollama/mistral", "together/x", "together/y")
    assert problem(*models).startswith("together/x, together/y: set")


def test_many_models_are_not_all_named() -> None:
    models = [f"together/{name}" for name in "abcd"]
    assert problem(*models).startswith("together/a, together/b, together/c …: set")


def test_spare_models_and_the_embedded_one_are_no_problem() -> None:
    embedded = FakeEmbedded()
    spared = replace(
        preset("p", embedded.model, "ollama/qwen3:8b"),
        aggregator=Aggregator(
            agent=Agent(model="ollama/qwen3:8b"), fallback=(Agent(model="together/x"),)
        ),
    )
    state = EndpointState(endpoint=Endpoint(name="embedded", kind="embedded"), status="absent")

    assert told.problem(ports(), spared, [*STATES, state], is_preset=True) is None


def test_letters_that_a_terminal_obeys_are_not_passed_on() -> None:
    state = replace(FAILED, message="\x1b[2Jrefused\n", hint="")
    found = told.problem(ports(), preset("p", "openai/x"), [state], is_preset=True)

    assert found == Problem(full="openai/x: ␛[2Jrefused", short="1 model: ␛[2Jrefused")


def test_where_names_are_too_long_models_are_counted() -> None:
    models = [f"ollama/{name * 40}" for name in "abcd"]
    found = told.problem(ports(), preset("p", *models), STATES, is_preset=True)

    assert found is not None
    assert found.short == "4 models: not pulled; ctrl+t, then ctrl+l pulls"


# What the composer's head says.


def notice(
    *,
    is_live: bool = False,
    is_fetching: bool = False,
    problem: Problem | None = None,
    has_queue: bool = False,
    needs_fetch: bool = False,
) -> told.Notice:
    embedded = FakeEmbedded(model="t/a" if needs_fetch else "embedded/tiny")
    return told.notice(
        ports(SCRIPTED, embedded=embedded),
        mixture(),
        is_live=is_live,
        is_fetching=is_fetching,
        problem=problem,
        has_queue=has_queue,
        cost="free",
    )


def test_the_head_says_what_enter_does_and_what_it_calls() -> None:
    assert notice() == told.Notice(does=words.SENDS, sum="3 + 1", calls="4 calls", cost="free")


@pytest.mark.parametrize(
    ("now", "does"),
    [
        (notice(is_live=True), words.QUEUES),
        (notice(is_fetching=True), words.fetching("esc")),
        (notice(has_queue=True), words.SENDS_QUEUED),
        (notice(needs_fetch=True), "enter fetches SmolLM2 (98 MB, Apache-2.0), then answers"),
        (notice(problem=NO_GO, is_live=True), words.QUEUES),
        (notice(problem=NO_GO, is_fetching=True), words.fetching("esc")),
    ],
)
def test_what_enter_does_is_no_warning(now: told.Notice, does: str) -> None:
    assert (now.does, now.is_warning) == (does, False)


def test_the_key_that_stops_is_named_as_it_is_mapped_and_only_if_it_works_there() -> None:
    def said(*, stop: str, edited: int | None = None) -> told.Notice:
        return told.notice(
            ports(SCRIPTED),
            mixture(),
            is_live=False,
            is_fetching=edited is None,
            problem=None,
            has_queue=False,
            edited=edited,
            stop=stop,
        )

    assert said(stop="f12").does == "fetching the model, f12 stops"
    assert said(stop="").does == "fetching the model"
    edits = said(stop="f12", edited=0)
    assert edits.does == "enter asks this in the place of turn 1, which is kept; f12 leaves it"
    assert edits.does_short == "enter branches, f12 leaves it"
    assert said(stop="", edited=0).does_short == "enter branches"


@pytest.mark.parametrize("has_queue", [True, False])
def test_a_problem_is_a_warning_and_comes_before_what_enter_does(has_queue: bool) -> None:  # noqa: FBT001 - a case
    now = notice(problem=NO_GO, has_queue=has_queue, needs_fetch=True)

    assert (now.does, now.does_short, now.is_warning) == (NO_GO.full, NO_GO.short, True)


# What was found.


def test_the_endpoints_that_matter_are_told_and_silent_ones_together() -> None:
    llamacpp = EndpointState(endpoint=BY_NAME["llamacpp"], status="absent")
    assert told.found([*STATES, llamacpp]) == (
        Found(state="done", name="ollama", where="127.0.0.1:11434", word="4 models · free"),
        Found(state="done", name="groq", where="groq.test", word="2 models"),
        Found(
            state="queued",
            name="openrouter",
            where="OPENROUTER_API_KEY is set",
            word=words.NOT_CONTACTED,
        ),
        Found(
            state="failed",
            name="openai",
            where="api.openai.com",
            word="OpenAI: the key was refused (401); check OPENAI_API_KEY",
        ),
        Found(state="queued", name="LM Studio, llama.cpp", word="nothing listens on 1234, 8080"),
    )


def test_an_endpoint_without_models_says_so() -> None:
    (found,) = told.found([replace(OLLAMA, models=())])

    assert found.word == "no models yet: ollama pull llama3.2, or another"


def test_an_endpoint_without_a_key_is_not_among_what_was_found() -> None:
    assert told.found([NO_KEY]) == ()


def test_names_and_messages_of_what_was_found_are_one_line() -> None:
    endpoint = replace(FAILED.endpoint, name="a\nb")
    strange = EndpointState(endpoint=endpoint, status="failed", message="\x1b[31mc\nd")
    (found,) = told.found([strange])

    assert (found.name, found.word) == ("a b", "␛[31mc d")


# Prices, and the greeting.


def test_a_mixture_is_free_where_all_it_calls_is_here_and_nobody_set_a_price() -> None:
    dear = {"x": Price(input=1.0, output=2.0), "free": Price(input=0.0, output=0.0)}
    known = ports(SCRIPTED, GROQ.endpoint, replace(BY_NAME["vllm"], prices=dear))

    assert pricing(known, mixture()) == "free"
    assert pricing(known, preset("p", "ollama/x", "vllm/y", "vllm/free")) == "free"
    assert pricing(known, preset("p", "ollama/x", "vllm/x")) == "known"
    assert pricing(known, preset("p", "ollama/x", "groq/y")) == "unknown"
    assert pricing(known, preset("p", "nobody/x")) is None


def test_an_endpoint_here_that_has_a_price_is_not_called_free() -> None:
    endpoint = replace(OLLAMA.endpoint, prices={"x": Price(input=1.0, output=2.0)})
    assert told.found([replace(OLLAMA, endpoint=endpoint)])[0].word == "4 models"


def test_the_greeting_tells_of_the_mixture_what_was_found_and_what_is_wrong() -> None:
    start = Start(mixture=TRIO, notices=["\x1b[31mbroken.toml"])
    states = (OLLAMA, ABSENT, UNASKED)

    assert told.greeting(ports(), start, TRIO, states, problem=NO_GO) == told.Greeting(
        mixture=TRIO,
        is_free=True,
        found=told.found(states),
        problem=NO_GO,
        notices=("␛[31mbroken.toml",),
    )
    assert told.greeting(
        ports(SCRIPTED, embedded=FakeEmbedded(model="t/a")), replace(start, notices=()), mixture()
    ) == told.Greeting(mixture=mixture(), is_free=True, fetch_title="SmolLM2 (98 MB, Apache-2.0)")
