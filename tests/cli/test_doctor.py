from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import virtual_time
from cli_given import Around, Screenless, Shelf, mixture, place, setup
from racing import does, says

from moa_tui.cli.arguments import parse
from moa_tui.cli.doctor import doctor
from moa_tui.engine.mixture import Agent, Layer
from moa_tui.engine.provider import Finish, Phase, Retrying, Text, Thinking
from moa_tui.errors import ConfigError, ProviderError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from moa_tui.cli.setup import Setup
    from moa_tui.engine.provider import ChatRequest
    from moa_tui.providers.scripted import Script, Step
    from moa_tui.ui.ports import EndpointState

FOUND = place("t", "a", "b", "m", message="no key needed")
ABSENT = place("lmstudio", status="absent", message="nothing listens at :1234", hint="start it")
FAILED = place("vllm", status="failed", message="vLLM did not answer within 15 s")
NO_KEY = place("groq", status="no_key", message="set GROQ_API_KEY")
TEAM = mixture("t/a", "t/b", to="t/m")
WELL = {"a": says("yes"), "b": says("yes", first_s=3.0), "m": says("yes")}
GONE = ProviderError("not_found", "t has no model llama3", "see moa-tui models")


def examined(given: Setup, *line: str) -> tuple[int, Screenless]:
    at = Screenless()
    return virtual_time.run(doctor(parse(["doctor", *line]), given, streams=at.streams)), at


def at_places(*states: EndpointState) -> Setup:
    answers = {state.endpoint.name: state for state in states}
    return setup(places=Around(states, answers=answers))


def with_models(scripts: dict[str, Script], *states: EndpointState) -> Setup:
    return setup(TEAM, scripts=scripts, places=Around(states or (FOUND,)))


# The endpoints


def test_every_endpoint_is_told_with_what_to_do() -> None:
    code, at = examined(at_places(FOUND, ABSENT, NO_KEY))
    assert (code, at.err) == (0, [])
    assert at.out.splitlines() == [
        "ok  t         3 models; no key needed",
        "-   lmstudio  nothing listens at :1234; start it",
        "-   groq      no key: set GROQ_API_KEY",
    ]


def test_an_endpoint_that_is_there_but_fails_makes_the_exit_code_1() -> None:
    code, at = examined(at_places(FOUND, FAILED))
    assert (code, at.out.splitlines()[1]) == (1, "FAILS  vllm  vLLM did not answer within 15 s")


@pytest.mark.parametrize("states", [(ABSENT,), (place("t", "embed-only"),)])
def test_where_no_model_can_answer_it_says_what_to_do(states: tuple[EndpointState, ...]) -> None:
    code, at = examined(at_places(*states))
    assert (code, at.err) == (
        1,
        [
            (
                "moa-tui: no model is there: start a server, set a key, or fetch one: "
                "moa-tui pull embedded/smollm2-135m-instruct"
            )
        ],
    )


def test_mistakes_of_the_settings_are_told_and_count() -> None:
    given = at_places(FOUND)
    broken = replace(given, mistakes=["config.toml: x"], notices=["config.toml: x", "state: y"])
    code, at = examined(broken)
    assert (code, at.err) == (1, ["moa-tui: config.toml: x", "moa-tui: state: y"])


def test_what_is_wrong_in_files_that_are_left_out_is_told() -> None:
    code, at = examined(replace(at_places(FOUND), notices=["state.toml: y"]))
    assert (code, at.err) == (0, ["moa-tui: state.toml: y"])


def test_json_keeps_what_counts_and_what_is_only_told_apart() -> None:
    given = at_places(FOUND)
    shelf = Shelf(mistakes=["presets/x.toml: z"])
    given = replace(given, presets=shelf, notices=["state.toml: y"])
    code, at = examined(given, "--json")
    told = json.loads(at.out)
    assert (code, told["ok"], told["mistakes"]) == (0, True, [])
    assert (told["notices"], told["presets_broken"]) == (["state.toml: y"], ["presets/x.toml: z"])

    broken = replace(given, mistakes=["config.toml: x"], notices=["config.toml: x"])
    code, at = examined(broken, "--json")
    told = json.loads(at.out)
    assert (code, told["ok"], told["mistakes"], told["notices"]) == (
        1,
        False,
        ["config.toml: x"],
        [],
    )


def test_a_broken_preset_is_told_and_does_not_count() -> None:
    given = replace(at_places(FOUND), presets=Shelf(mistakes=["presets/x.toml: z"]))
    code, at = examined(given)
    assert (code, at.err) == (0, ["moa-tui: presets/x.toml: z"])


# One token of each


def test_each_seat_of_a_preset_is_asked_for_one_token() -> None:
    asked: list[ChatRequest] = []

    def script(request: ChatRequest) -> Iterable[Step]:
        asked.append(request)
        return [Phase("loading"), Text("y"), Finish("length")]

    code, at = examined(with_models({"a": script, "b": script, "m": script}), "--preset", "team")
    assert (code, at.err) == (0, ["moa-tui: asking the models of team for one token each"])
    assert sorted(request.model for request in asked) == ["a", "b", "m"]
    assert {request.options.max_tokens for request in asked} == {1}
    assert at.out.splitlines()[1:] == [
        "",
        "preset team, one token of each:",
        "ok  1.1  t/a  answers after 0.0 s",
        "ok  1.2  t/b  answers after 0.0 s",
        "ok  2.1  t/m  answers after 0.0 s",
    ]


def test_seats_that_make_the_same_call_share_one_and_others_dont() -> None:
    seats = (Agent(model="t/a", samples=2), Agent(model="t/a", temperature=0.1))
    base = replace(TEAM, layers=(Layer(proposers=seats),))
    given = replace(with_models(WELL), presets=setup(base).presets)
    _, at = examined(given, "--preset", "team")
    assert [line.split("  ")[1:3] for line in at.out.splitlines()[3:]] == [
        ["1.1 1.2", "t/a"],
        ["1.3", ""],
        ["2.1", ""],
    ]


def test_the_calls_run_at_the_same_time() -> None:
    _, at = examined(with_models(WELL), "--preset", "team", "--json")
    assert [call["seconds"] for call in json.loads(at.out)["calls"]] == [1.0, 3.0, 1.0]


def test_a_model_that_is_gone_is_told_with_the_nearest_live_ones() -> None:
    gone = mixture("t/org/Llama3", to="t/m")
    listing = place("t", "org/llama3.3", "org/llama3-embed", "other/llama3:8b", "zork", "m")
    given = replace(
        with_models({**WELL, "org/Llama3": does(GONE)}, listing), presets=setup(gone).presets
    )
    code, at = examined(given, "--preset", "team")
    assert (code, at.out.splitlines()[3]) == (
        1,
        (
            "FAILS  1.1  t/org/Llama3  t has no model llama3; see moa-tui models; "
            "nearest: t/org/llama3.3, t/other/llama3:8b"
        ),
    )


@pytest.mark.parametrize(
    "first", [Text("y"), Thinking("h"), Finish("stop"), ProviderError("empty", "it said nothing")]
)
def test_any_sign_of_life_is_an_answer(first: Step) -> None:
    assert examined(with_models({**WELL, "a": does(first)}), "--preset", "team")[0] == 0


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (
            Retrying("rate_limit", "T: rate limit", 30.0),
            "T: rate limit; it may pass: try again later",
        ),
        (ProviderError("auth", "the key was refused"), "the key was refused"),
    ],
)
def test_a_model_that_is_listed_but_fails_is_told_without_others(step: Step, words: str) -> None:
    code, at = examined(with_models({**WELL, "a": does(step)}), "--preset", "team")
    assert (code, at.out.splitlines()[3]) == (1, f"FAILS  1.1  t/a  {words}")


def test_a_missing_key_is_a_failed_seat_and_the_others_are_asked() -> None:
    given = replace(with_models(WELL), presets=setup(mixture("groq/x", to="t/m")).presets)
    code, at = examined(given, "--preset", "team", "--json")
    told = json.loads(at.out)
    assert (code, told["ok"], told["preset"]) == (1, False, "team")
    assert told["calls"] == [
        {
            "ok": False,
            "seats": [[1, 1]],
            "model": "groq/x",
            "kind": "config",
            "message": "groq needs a key",
            "hint": "",
            "seconds": None,
            "nearest": [],
        },
        {
            "ok": True,
            "seats": [[2, 1]],
            "model": "t/m",
            "kind": "",
            "message": "",
            "hint": "",
            "seconds": 1.0,
            "nearest": [],
        },
    ]


def test_with_a_preset_only_its_seats_and_the_settings_count() -> None:
    failing = Around([FOUND, FAILED], answers={"vllm": FAILED})
    given = setup(TEAM, scripts=WELL, places=failing)
    assert examined(given, "--preset", "team")[0] == 0
    assert examined(replace(given, mistakes=["x"]), "--preset", "team")[0] == 1


def test_an_unknown_preset_is_refused_before_anybody_is_asked() -> None:
    places = Around([FOUND])
    with pytest.raises(ConfigError, match="no preset is called x"):
        examined(setup(places=places), "--preset", "x")
    assert places.asked == []


def test_json_says_nothing_on_stderr() -> None:
    code, at = examined(with_models(WELL), "--preset", "team", "--json")
    told = json.loads(at.out)
    assert (code, at.err, told["ok"], told["mistakes"]) == (0, [], True, [])
    assert [state["endpoint"] for state in told["endpoints"]] == ["t"]
