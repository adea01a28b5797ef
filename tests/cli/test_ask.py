from __future__ import annotations

import asyncio
import io
import json
import re
import signal
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

import pytest
import virtual_time
from cli_given import Around, Screenless, mixture, place, setup
from racing import does, says

from moa_tui.cli.arguments import parse
from moa_tui.cli.ask import answer, question
from moa_tui.cli.setup import Streams
from moa_tui.config import Preferences
from moa_tui.engine.mixture import Agent, Layer
from moa_tui.engine.provider import Endpoint, Finish, Price, Relabel, Text, Thinking
from moa_tui.errors import ConfigError, ProviderError
from moa_tui.providers.scripted import Wait
from moa_tui.ui.settings import KeptSettings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from moa_tui.cli.setup import Setup
    from moa_tui.engine.mixture import Mixture
    from moa_tui.providers.scripted import Script

PAIR = mixture("t/a", "t/b", to="t/m")
SAYING = {"a": says("one"), "b": says("two", first_s=2.0), "m": says("The ", "answer")}
DEAD = ProviderError("connect", "nothing listens at 127.0.0.1:1", "start it")


def asked(
    line: Sequence[str], given: Setup, at: Screenless | None = None
) -> tuple[int, Screenless]:
    """Run ``ask`` with these arguments in virtual time."""
    at = at or Screenless()
    arguments = parse(["ask", "--preset", "team", *line])
    what = question(arguments, given, streams=at.streams)
    code = virtual_time.run(answer(what, arguments, streams=at.streams))
    return code, at


def race(base: Mixture, scripts: dict[str, Script], *options: str) -> tuple[int, Screenless]:
    return asked(["why", *options], setup(base, scripts=scripts))


def test_the_answer_goes_to_stdout_and_progress_to_stderr() -> None:
    code, at = race(PAIR, SAYING)
    assert (code, at.out) == (0, "The answer\n")
    assert [line.split(", ")[0] for line in at.err] == [
        "proposers",
        "  1 a: done",
        "  2 b: done",
        "merging with m",
        "done in 4.0 s",
    ]


def priced(**prices: float) -> Endpoint:
    """An endpoint whose models cost so many dollars for a million tokens that they write."""
    own = {name: Price(0.0, price) for name, price in prices.items()}
    return Endpoint(name="t", kind="openai", base_url="https://t.test", prices=own)


@pytest.mark.parametrize(
    ("endpoint", "said"),
    [
        (Endpoint(name="t", kind="scripted"), "free"),
        (priced(a=100.0, b=100.0, m=100.0), "about $0.0004"),
        (priced(a=100.0), "≥ about $0.0001, 2 unknown"),
        (priced(), "cost unknown"),
    ],
)
def test_the_last_line_tells_tokens_and_what_they_cost(endpoint: Endpoint, said: str) -> None:
    _, at = asked(["why"], setup(PAIR, scripts=SAYING, endpoints=[endpoint]))
    used = rf"done in 4\.0 s, ~\d+ tokens read and written, {re.escape(said)}"
    assert re.fullmatch(used, at.err[-1])


def test_a_run_that_failed_tells_what_it_cost_all_the_same() -> None:
    given = setup(PAIR, scripts={**SAYING, "m": does(DEAD)}, endpoints=[priced(a=100.0, b=100.0)])
    _, at = asked(["why"], given)
    assert at.err[-2].startswith("ended after 2.0 s, ")
    assert at.err[-2].endswith(" tokens read and written, about $0.0002")
    assert at.err[-1].startswith("moa-tui: ")


def test_the_last_line_counts_a_proposer_that_broke_off_too() -> None:
    cut = does(Text("on and on", pieces=20), ProviderError("cut", "The connection was cut."))
    given = setup(PAIR, scripts={**SAYING, "b": cut}, endpoints=[priced(a=0.0, b=100.0, m=0.0)])
    _, at = asked(["why"], given)
    assert at.err[-1].endswith(" tokens read and written, about $0.0020")


def test_quiet_leaves_only_the_answer() -> None:
    _, at = race(PAIR, SAYING, "--quiet")
    assert (at.out, at.err) == ("The answer\n", [])


def test_several_layers_are_counted() -> None:
    _, at = race(mixture("t/a", to="t/m", repeat=2), SAYING)
    assert [line for line in at.err if line.startswith("layer")] == ["layer 1 of 2", "layer 2 of 2"]


def test_json_writes_every_event_as_a_line_and_nothing_else() -> None:
    code, at = race(PAIR, SAYING, "--json")
    events = [json.loads(line) for line in at.out.splitlines()]
    assert (code, at.err) == (0, [])
    assert [event["n"] for event in events] == list(range(1, len(events) + 1))
    assert events[0]["event"] == "run_started"
    assert events[-1]["event"] == "run_finished"
    assert events[-1]["answer"] == "The answer"


def test_json_keeps_chinese_readable_and_every_event_on_its_line() -> None:
    scripts = {"a": says("你好\n\u2028!")}
    _, at = race(mixture("t/a"), scripts, "--json")
    told = [line for line in at.out.split("\n") if "seat_finished" in line]
    assert len(told) == 1
    assert "你好" in told[0]


def test_a_race_without_a_merge_prints_the_last_layers_proposals_in_seat_order() -> None:
    scripts = {"a": says("slow", first_s=9.0), "b": says("fast\n")}
    code, at = race(mixture("t/a", "t/b"), scripts)
    assert (code, at.out) == (0, "## 1 a\n\nslow\n\n## 2 b\n\nfast\n")


def test_a_failed_run_says_why_and_exits_1_even_when_quiet() -> None:
    dead = does(DEAD)
    code, at = race(PAIR, {"a": dead, "b": dead}, "--quiet")
    assert (code, at.out, len(at.err)) == (1, "", 1)
    assert at.err[0].startswith("moa-tui: ")
    assert "nothing listens at 127.0.0.1:1" in at.err[0]


def test_a_failed_run_says_why_on_stderr_beside_json_too() -> None:
    code, at = race(PAIR, {"a": does(DEAD), "b": does(DEAD)}, "--json")
    assert (code, len(at.err)) == (1, 1)
    assert json.loads(at.out.splitlines()[-1])["event"] == "run_failed"


def test_one_dead_seat_is_told_and_the_rest_answers() -> None:
    code, at = race(PAIR, {**SAYING, "a": does(DEAD)})
    assert (code, at.out) == (0, "The answer\n")
    assert "  1 a: failed: nothing listens at 127.0.0.1:1. Start it" in at.err


def test_what_comes_while_the_answer_is_written_is_told_after_it() -> None:
    base = mixture("t/a", "t/b", to="t/m")
    late = setup(
        replace(base, quorum=1),
        scripts={"a": says("one"), "b": says("two", first_s=2.5), "m": says("The ", "answer")},
    )
    at = Screenless()
    both = io.StringIO()
    at.streams = Streams(stdin=io.StringIO(), stdout=both, stderr=both)
    arguments = parse(["ask", "--preset", "team", "why"])
    what = question(arguments, late, streams=at.streams)
    virtual_time.run(answer(what, arguments, streams=at.streams))
    lines = both.getvalue().splitlines()
    assert lines.index("The answer") < lines.index(next(line for line in lines if "2 b" in line))


def test_text_that_turns_out_to_be_reasoning_is_set_apart() -> None:
    merging = does(Text("Hmm"), Relabel(), Thinking("."), Text("Good"), Finish("stop"))
    code, at = race(PAIR, {**SAYING, "m": merging})
    assert (code, at.out) == (0, "Hmm\n\nGood\n")
    assert "what stands above was its reasoning; the answer follows" in at.err


def test_a_fallbacks_answer_is_set_apart_from_the_failed_start() -> None:
    cut = does(Text("Half"), ProviderError("cut", "the connection broke"))
    given = setup(
        replace(PAIR, aggregator=replace(PAIR.aggregator, fallback=(Agent(model="t/n"),))),
        scripts={**SAYING, "m": cut, "n": says("Whole")},
    )
    code, at = asked(["why"], given)
    assert (code, at.out) == (0, "Half\n\nWhole\n")
    assert "another try, with n" in at.err


def test_labels_name_the_seats_and_a_cut_is_told() -> None:
    poet = Agent(model="t/org/long-name", label="poet")
    base = replace(PAIR, layers=(Layer(proposers=(poet, Agent(model="t/org/b"))),))
    cut = does(Text("The"), Finish("length"))
    scripts = {"org/long-name": cut, "org/b": says("two"), "m": cut}
    _, at = race(base, scripts)
    assert [line.split(", ")[0] for line in at.err] == [
        "proposers",
        "  1 poet: cut at its limit",
        "  2 b: done",
        "merging with m",
        "the answer is cut at its limit: raise --max-tokens",
        "done in 1.0 s",
    ]


# The prompt


@pytest.mark.parametrize(
    ("line", "typed", "prompt"),
    [
        (["why"], "not this", "why"),
        ([], "why\n", "why"),
        (["-"], "\n  why\nnot\n", "  why\nnot"),
        (["-"], "a\x1b[2Jb\r\n", "a␛[2Jb"),
        ([], "字" * 1_000_000, "字" * 1_000_000),
    ],
)
def test_the_prompt_is_the_argument_or_what_is_piped_in(
    line: list[str], typed: str, prompt: str
) -> None:
    given = setup(PAIR)
    arguments = parse(["ask", "--preset", "team", *line])
    at = Screenless(typed)
    assert question(arguments, given, streams=at.streams).prompt == prompt


@pytest.mark.parametrize("typed", ["", " \n\t\n", "\u200b"])
def test_an_empty_prompt_is_refused(typed: str) -> None:
    with pytest.raises(ConfigError, match="the prompt is empty"):
        asked([], setup(PAIR), Screenless(typed))


def test_an_endless_prompt_is_refused() -> None:
    with pytest.raises(ConfigError, match="longer than 16 million characters"):
        asked([], setup(PAIR), Screenless("y\n" * 10_000_000))


def test_nothing_is_read_from_a_terminal_unasked() -> None:
    with pytest.raises(ConfigError, match="what is the prompt"):
        asked([], setup(PAIR), Screenless("why", is_terminal=True))


def test_what_is_wrong_beside_config_is_told_first_unless_quiet() -> None:
    given = replace(setup(PAIR, scripts=SAYING), notices=["state.toml is broken"])
    assert asked(["why"], given)[1].err[0] == "moa-tui: state.toml is broken"
    assert asked(["why", "--quiet"], given)[1].err == []


# Where nobody chose a mixture


def unchosen(given: Setup, *options: str) -> tuple[int, Screenless]:
    at = Screenless()
    arguments = parse(["ask", "why", *options])
    asked = question(arguments, given, streams=at.streams)
    return virtual_time.run(answer(asked, arguments, streams=at.streams)), at


def test_what_is_found_is_asked_and_said() -> None:
    places = Around([place("t", "a", "b", "m")])
    code, at = unchosen(setup(scripts=SAYING, places=places, makes=[PAIR]))
    assert (code, at.out, places.asked) == (0, "The answer\n", ["detect"])
    assert at.err[0] == "moa-tui: nobody chose a mixture; asking what is there: t/a, t/b, t/m"


@pytest.mark.parametrize("option", ["--quiet", "--json"])
def test_what_is_found_is_not_said_beside_json_or_when_quiet(option: str) -> None:
    given = setup(scripts=SAYING, places=Around(), makes=[PAIR])
    assert unchosen(given, option)[1].err == []


def test_nothing_is_looked_for_once_a_preset_was_used() -> None:
    places = Around()
    given = setup(PAIR, scripts=SAYING, places=places, last_used="team", makes=[mixture("t/x")])
    _, at = unchosen(given)
    assert (at.out, places.asked) == ("The answer\n", [])
    assert at.err[0] == "moa-tui: preset team, used last"


@pytest.mark.parametrize("options", [["--quiet"], ["--json"]])
def test_the_preset_used_last_is_not_said_beside_json_or_when_quiet(options: list[str]) -> None:
    given = setup(PAIR, scripts=SAYING, places=Around(), last_used="team")
    assert unchosen(given, *options)[1].err == []


def test_a_preset_that_was_named_is_not_the_one_used_last() -> None:
    given = setup(PAIR, scripts=SAYING, places=Around(), last_used="team")
    assert not any("used last" in line for line in asked(["why"], given)[1].err)


def test_a_lost_last_preset_is_told_and_the_rest_is_tried() -> None:
    given = setup(scripts=SAYING, places=Around(), last_used="gone", makes=[PAIR])
    code, at = unchosen(given)
    assert (code, at.err[0]) == (0, "moa-tui: no preset is called gone")


def test_where_nothing_is_found_the_embedded_model_answers_if_it_is_there() -> None:
    embedded = mixture("t/a", name="embedded")
    given = setup(embedded, scripts=SAYING, places=Around(), has_embedded=True)
    assert unchosen(given)[1].out == "## 1 a\n\none\n"


def test_where_nothing_at_all_is_there_the_pull_command_is_named() -> None:
    embedded = mixture("embedded/smollm2-135m-instruct", name="embedded")
    with pytest.raises(ConfigError) as caught:
        unchosen(setup(embedded, places=Around()))
    assert str(caught.value).startswith(
        "no model server answers on this machine, and the embedded model isn't here yet. "
        "Fetch it: moa-tui pull embedded/smollm2-135m-instruct\n"
    )


def test_a_bare_name_is_asked_where_a_server_lists_it() -> None:
    given = setup(scripts=SAYING, places=Around([place("t", "a")]))
    code, at = unchosen(given, "--proposer", "a", "--strategy", "none")
    assert (code, at.out) == (0, "## 1 a\n\none\n")


# Refusals


def test_without_the_embedded_model_the_pull_command_is_named() -> None:
    embedded = mixture("embedded/smollm2-135m-instruct", name="embedded")
    with pytest.raises(ConfigError, match=r"moa-tui pull embedded/smollm2-135m-instruct"):
        question(parse(["ask", "why"]), setup(embedded), streams=Screenless().streams)


def test_a_mistake_in_the_config_file_is_refused_before_anything_is_called() -> None:
    given = setup(PAIR, mistakes=["config.toml: a is wrong", "config.toml: b is wrong"])
    with pytest.raises(ConfigError, match=r"^config\.toml: a is wrong\nconfig\.toml: b is wrong$"):
        asked(["why"], given)


def test_an_endpoint_without_a_key_is_refused_before_anything_is_called() -> None:
    at = Screenless()
    with pytest.raises(ConfigError, match="groq needs a key"):
        asked(["why"], setup(mixture("t/a", "groq/b", to="t/m"), scripts=SAYING), at)
    assert (at.out, at.err) == ("", [])


EMBEDDED = Endpoint(name="embedded", kind="embedded")


def with_files(*files: str, to: str) -> Setup:
    here = replace(place("embedded", *files), endpoint=EMBEDDED)
    places = Around([here], answers={"embedded": here})
    called = mixture("t/a", "t/b", to=to)
    return setup(called, scripts=SAYING, places=places, endpoints=[EMBEDDED])


def test_an_embedded_model_without_a_file_is_refused_before_anything_is_called() -> None:
    at = Screenless()
    with pytest.raises(ConfigError) as caught:
        asked(["why"], with_files("mine", "other", to="embedded/nope"), at)
    assert str(caught.value) == (
        "there is no embedded/nope; there is: embedded/mine, embedded/other"
    )
    assert (at.out, at.err) == ("", [])


def test_an_embedded_model_with_a_file_is_called_however_it_is_written() -> None:
    # The test's connections know no embedded model: that is how far it comes.
    with pytest.raises(ConfigError, match="embedded needs a key"):
        asked(["why"], with_files("mine", to="embedded/Mine"))


# Ways out


class _Closed(io.StringIO):
    """A reader that goes away after the first line."""

    def write(self, text: str) -> int:
        if self.getvalue():
            raise BrokenPipeError
        return super().write(text)


def test_a_reader_that_goes_away_ends_the_run() -> None:
    at = Screenless()
    at.streams = Streams(stdin=io.StringIO(), stdout=_Closed(), stderr=at.streams.stderr)
    with pytest.raises(BrokenPipeError):
        asked(["why", "--json"], setup(PAIR, scripts=SAYING), at)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_every_seat_tells_the_end_and_exits_130(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    scripts = {**SAYING, "b": _signals(number)}
    code, at = race(PAIR, scripts, "--json")
    events = [json.loads(line) for line in at.out.splitlines()]
    assert (code, at.err) == (130, [])
    assert [event["kind"] for event in events if event["event"] == "seat_failed"] == ["stopped"] * 2
    assert (events[-1]["event"], events[-1]["kind"]) == ("run_failed", "stopped")
    assert signal.getsignal(number) is before


def _signals(number: signal.Signals, *, times: int = 1) -> Script:
    def script(_request: object) -> list[Text | Wait]:
        for _ in range(times):
            signal.raise_signal(number)
        return [Text("on and on"), Wait(3600.0)]

    return script


def test_a_second_signal_ends_at_once() -> None:
    with pytest.raises(asyncio.CancelledError):
        race(PAIR, {**SAYING, "a": _signals(signal.SIGINT, times=2)})


class _Blocked(io.StringIO):
    """A pipe that nobody reads: the write is under way when the signals come."""

    def write(self, _text: str) -> int:
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGTERM)
        raise AssertionError("the second signal ends the write")


def test_a_second_signal_while_stdout_blocks_ends_the_write() -> None:
    at = Screenless()
    at.streams = Streams(stdin=io.StringIO(), stdout=_Blocked(), stderr=at.streams.stderr)
    code, _ = asked(["why", "--json"], setup(PAIR, scripts=SAYING), at)
    assert code == 130


def test_a_run_that_may_pass_the_budget_is_refused_with_both_figures() -> None:
    hosted = Endpoint(
        name="t", kind="openai", base_url="https://t.test", prices={"a": Price(0.0, 100.0)}
    )
    given = setup(PAIR, scripts=SAYING, endpoints=[hosted])
    small = "it may cost up to $0.2048, and the settings' budget is $0.001:"
    for budget, refusal in ((0.2, "it may cost up to $0.2048"), (0.001, small), (0.3, "")):
        preferences = asdict(Preferences(budget=budget))
        kept = KeptSettings(preferences, {}, remember=lambda *_written: None)
        limited = replace(given, ports=replace(given.ports, settings=kept))
        if refusal:
            with pytest.raises(ConfigError, match=re.escape(refusal)):
                asked(["why"], limited)
        else:
            assert asked(["why"], limited)[0] == 0


def test_of_several_merges_only_the_last_one_is_written() -> None:
    mix = mixture("t/a", "t/b", "t/a", "t/b", to="t/m")
    mix = replace(mix, aggregator=replace(mix.aggregator, strategy="refine"))
    code, at = race(mix, SAYING)
    assert (code, at.out) == (0, "The answer\n")
    assert at.err.count("merging with m") == 2
    assert not any("another try" in line for line in at.err)


def test_a_picked_proposal_is_written_whole_and_told_whose_it_is() -> None:
    judge = replace(Agent(model="t/m"), seed=0)
    mix = replace(PAIR, aggregator=replace(PAIR.aggregator, agent=judge))
    code, at = race(mix, SAYING | {"m": says("B")}, "--strategy", "pick")
    assert (code, at.out) == (0, "one\n")
    assert at.err[3:5] == ["m picks one", "this is proposal 1 a: picked from 2 by m"]


def test_a_judge_that_names_none_fails_with_what_it_said_and_writes_nothing() -> None:
    code, at = race(PAIR, SAYING | {"m": says("Both!")}, "--strategy", "pick")
    assert (code, at.out) == (1, "")
    assert at.err[-1] == (
        "moa-tui: The aggregator t/m named no proposal as the best, it said: Both! Ask with "
        "--strategy none for the proposals themselves, or with another --aggregator."
    )


@pytest.mark.parametrize("as_json", [[], ["--json"]])
def test_a_merge_that_failed_says_how_to_get_at_the_proposals(as_json: list[str]) -> None:
    _, at = race(PAIR, {**SAYING, "m": does(DEAD)}, *as_json)
    assert at.err[-1] == (
        "moa-tui: The aggregator t/m failed: nothing listens at 127.0.0.1:1. Start it. Ask with "
        "--strategy none for the proposals themselves, or with another --aggregator."
    )


def test_a_quote_that_is_cut_short_ends_with_one_sign() -> None:
    _, at = race(PAIR, SAYING | {"m": says("Both are good, " * 9)}, "--strategy", "pick")
    assert "… Ask with --strategy none" in at.err[-1]


def test_proposers_that_all_failed_are_not_to_be_merged_otherwise() -> None:
    _, at = race(PAIR, {"a": does(DEAD), "b": does(DEAD)})
    assert at.err[-1].endswith("Start it")


def test_a_vote_is_told_with_its_figures_and_calls_nobody() -> None:
    mix = mixture("t/a", "t/b", "t/a", to="")
    said = {"a": says("Paris"), "b": says("Lyon")}
    code, at = race(mix, said, "--strategy", "vote")
    assert (code, at.out) == (0, "Paris\n")
    assert "this is proposal 1 a: 2 of 3 agree" in at.err


def test_a_vote_without_agreement_says_so() -> None:
    _, at = race(PAIR, SAYING, "--strategy", "vote")
    assert at.out == "one\n"
    assert "this is proposal 1 a: both differ, the first one is taken" in at.err


def test_a_picked_proposal_that_was_cut_says_so_and_a_cut_reason_of_the_judge_does_not() -> None:
    cut = does(Text("one"), Finish("length"))
    wordy = does(Text("B, because"), Finish("length"))
    judge = replace(Agent(model="t/m"), seed=0)
    mix = replace(PAIR, aggregator=replace(PAIR.aggregator, agent=judge))
    told = "the answer is cut at its limit: raise --max-tokens"
    for script, is_told in ((cut, True), (says("one"), False)):
        _, at = race(mix, SAYING | {"a": script, "m": wordy}, "--strategy", "pick")
        assert at.out == "one\n"
        assert (told in at.err) is is_told
