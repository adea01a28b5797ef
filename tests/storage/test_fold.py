"""Rows give back the very run that they were made of."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st
from racing import does, mixture, one_after_another, race, says
from storage.shelf import MIXTURE, ONE, TWO, cut_short, run_of, state_of

from moa_tui.engine.events import (
    Event,
    RunFailed,
    RunFinished,
    RunStarted,
    SeatFailed,
    TextDelta,
    TextRelabelled,
    ThinkingDelta,
)
from moa_tui.engine.mixture import Agent, Aggregator, Layer, Mixture, Seat
from moa_tui.engine.provider import Finish, Note, Relabel, Retrying, Text, Thinking
from moa_tui.errors import ProviderError
from moa_tui.providers.scripted import Script, Step, Wait
from moa_tui.storage.fold import fold, unfinished_seats, unfold
from moa_tui.storage.plain import (
    compact,
    event_of,
    from_compact,
    mixture_of,
    mixture_table,
    plain,
    with_mixture,
)

if TYPE_CHECKING:
    from moa_tui.engine.mixture import StrategyName
    from moa_tui.engine.run import Run

steps = st.one_of(
    st.sampled_from([0.5, 1.0, 40.0]).map(Wait),
    st.sampled_from(["word ", "", "字", "\U0001f600e\u0301"]).map(Text),
    st.just(Thinking("hm ")),
    st.just(Relabel()),
    st.just(Note("odd", "something odd")),
)
retries = st.lists(st.just(Retrying("server", "503", 1.0)), max_size=2)
ends = st.sampled_from(
    [Finish("stop"), Finish("length"), Finish("refusal"), ProviderError("cut", "Cut.", "Retry.")]
)
scripts = st.builds(
    lambda before, said, end: [*before, *said, end], retries, st.lists(steps, max_size=8), ends
)


def exact(events: list[Event]) -> list[Event]:
    """Return the events with times as a file has them."""
    return [from_compact(json.loads(json.dumps(compact(event)))) for event in events]


def check(events: list[Event], mix: Mixture) -> None:
    events = exact(events)
    folded = fold(events, mix)
    assert unfold(folded, mix, is_sliced=True) == events
    merged = unfold(folded, mix, is_sliced=False)
    assert state_of(merged) == state_of(events)
    deltas = [event for event in merged if isinstance(event, TextDelta | ThinkingDelta)]
    assert len(deltas) == len({(type(one), one.seat, one.attempt) for one in deltas})
    assert not any(isinstance(event, TextRelabelled) for event in merged)


@settings(max_examples=60, deadline=None)
@given(
    said=st.fixed_dictionaries(dict.fromkeys("abm", scripts)),
    strategy=st.sampled_from(["synthesize", "pick", "vote", "refine", "none"]),
)
def test_any_run_comes_back_as_it_was(said: dict[str, list[Step]], strategy: StrategyName) -> None:
    mix = mixture("ab", "ba")
    mix = replace(mix, aggregator=replace(mix.aggregator, strategy=strategy))
    made: dict[str, Script] = {model: does(*script) for model, script in said.items()}
    check(race(mix, made).events, mix)


def test_a_picked_and_a_voted_answer_come_back_with_seed_and_votes() -> None:
    mix = mixture("ab")
    for strategy in ("pick", "vote"):
        taking = replace(mix.aggregator, strategy=strategy, agent=Agent(model="t/m", seed=-3))
        events = race(
            replace(mix, aggregator=taking), {"a": says("A"), "b": says("a."), "m": says("B")}
        ).events
        check(events, replace(mix, aggregator=taking))
        started, ended = exact([events[0], events[-1]])
        assert isinstance(started, RunStarted)
        assert isinstance(ended, RunFinished)
        votes = ((Seat(1, 1), Seat(1, 2)),)
        assert (started.seed, ended.votes) == {"pick": (-3, ()), "vote": (None, votes)}[strategy]
        assert ended.chosen is not None


def test_what_was_stored_before_there_were_seeds_and_votes_is_read() -> None:
    mix = mixture("ab", to="")
    events = exact(race(mix, {"a": says("A"), "b": says("B")}).events)
    folded = fold(events, mix)
    folded.facts[0].pop("seed")
    folded.facts[-1].pop("votes")
    assert unfold(folded, mix, is_sliced=True) == events


def test_a_run_with_a_swap_a_retry_and_a_forced_merge_comes_back() -> None:
    mix = mixture("ab", to="m")
    retried = one_after_another(
        does(Retrying("server", "503", 1.0), Wait(1), Text("again"), Finish("stop")),
        does(Text("other"), Finish("stop")),
    )

    def swap(run: Run) -> None:
        run.swap(Seat(1, 2), Agent(model="t/c"))

    raced = race(
        mix,
        {"a": retried, "b": says("b1", "b2"), "c": says("c1"), "m": says("end")},
        on={"1.2 says 'b1'": swap},
    )
    check(raced.events, mix)


def test_a_finish_that_says_something_else_than_was_streamed_is_kept_too() -> None:
    events = run_of("the answer")
    events = [
        event
        for event in events
        if not (isinstance(event, TextDelta) and event.seat == ONE and event.pieces == 1)
    ]
    check(events, MIXTURE)


def test_a_run_without_an_end_is_closed_as_interrupted_with_its_text() -> None:
    events = cut_short()
    folded = fold(events, MIXTURE)
    assert folded.status == "interrupted"
    assert folded.attempts[TWO, 1].status == "interrupted"
    assert folded.attempts[TWO, 1].text == "half a prop"
    assert folded.attempts[ONE, 1].status == "done"
    assert unfinished_seats(events) == (TWO,)
    told = unfold(folded, MIXTURE, is_sliced=True)
    assert told[: len(events)] == events
    assert [type(event) for event in told[len(events) :]] == [SeatFailed, RunFailed]
    assert state_of(told).status == "stopped"


def test_a_run_that_died_before_its_first_checkpoint_still_has_its_mixture() -> None:
    folded = fold([], MIXTURE)
    assert folded.status == "interrupted"
    assert state_of(unfold(folded, MIXTURE, is_sliced=False)).mixture == MIXTURE.expanded()


def test_attempts_know_how_they_were_asked() -> None:
    attempts = fold(run_of("answer"), MIXTURE).attempts
    options = attempts[TWO, 1].options
    assert options is not None
    assert (options.seed, options.temperature) == (7, 0.7)


def test_events_are_what_json_lines_have() -> None:
    for event in [*run_of("answer"), *cut_short()]:
        table = json.loads(json.dumps(with_mixture(plain(event), event)))
        assert event_of({**table, "unknown": 1}) == event


agents = st.builds(
    Agent,
    model=st.sampled_from(["ollama/llama3.2:3b", "x/y/z"]),
    temperature=st.sampled_from([None, "unset", 0.5]),
    max_tokens=st.sampled_from([None, 10]),
    system=st.sampled_from([None, "", "Be terse."]),
    label=st.sampled_from(["", "诗人"]),
    samples=st.integers(1, 3),
    stop=st.sampled_from([(), ("END", "\n")]),
    think=st.sampled_from([None, True, False]),
    effort=st.sampled_from([None, "low"]),
    num_ctx=st.sampled_from([None, 4096]),
)


@settings(deadline=None)
@given(
    mix=st.builds(
        Mixture,
        layers=st.lists(
            st.builds(
                Layer,
                proposers=st.lists(agents, min_size=1, max_size=3).map(tuple),
                repeat=st.integers(1, 2),
            ),
            min_size=1,
            max_size=2,
        ).map(tuple),
        aggregator=st.builds(
            Aggregator,
            agent=agents,
            fallback=st.lists(agents, max_size=2).map(tuple),
            placement=st.sampled_from(["system", "user"]),
            instruction=st.sampled_from(["", "Do {references}."]),
        ),
        name=st.sampled_from(["", "三人行"]),
        history=st.sampled_from(["answers", "off"]),
        temperature=st.sampled_from([0.7, 0.0, "unset"]),
        deadline_s=st.sampled_from([None, 1.5]),
        quorum=st.sampled_from([None, 1]),
    )
)
def test_any_mixture_comes_back_from_plain_data(mix: Mixture) -> None:
    assert mixture_of(json.loads(json.dumps(mixture_table(mix)))) == mix
