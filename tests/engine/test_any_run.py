"""Whatever the models do and whenever the user commands, a run keeps its promises."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, get_args

import virtual_time
from hypothesis import given, settings
from hypothesis import strategies as st
from racing import Recorder, does, mixture

from moa_tui.engine.clock import AsyncioClock
from moa_tui.engine.events import (
    Event,
    RunFailed,
    RunFinished,
    RunStarted,
    SeatFailed,
    SeatFinished,
    SeatStarted,
)
from moa_tui.engine.mixture import Agent, Mixture, Seat, StrategyName
from moa_tui.engine.prompt import Conversation
from moa_tui.engine.provider import Endpoint, Finish, Phase, Relabel, Retrying, Text, Thinking
from moa_tui.engine.run import Run, open_run
from moa_tui.engine.state import state_after
from moa_tui.errors import CommandError, ProviderError
from moa_tui.providers.scripted import ScriptedProvider, Step, Wait

if TYPE_CHECKING:
    from collections.abc import Callable

MODELS = "abm"
steps = st.one_of(
    st.sampled_from([0.0, 0.5, 1.0, 40.0]).map(Wait),
    st.sampled_from(["word ", " ", "字", "A"]).map(Text),
    st.just(Thinking("hm")),
    st.just(Relabel()),
    st.sampled_from(["queued", "connecting", "loading", "waiting"]).map(Phase),  # type: ignore[arg-type] # real phases
    st.just(Retrying("server", "503", 1.0)),
)
ends = st.sampled_from(
    [Finish("stop"), Finish("length"), Finish("refusal"), ProviderError("cut", "Cut."), Wait(0)]
)
scripts = st.builds(lambda begin, end: [*begin, end], st.lists(steps, max_size=6), ends)
seats = st.builds(Seat, st.integers(1, 3), st.integers(1, 3))
commands: st.SearchStrategy[Callable[[Run], object]] = st.one_of(
    st.just(Run.stop),
    st.just(Run.merge_now),
    st.just(lambda run: run.merge_now(partial=True)),
    st.just(lambda run: run.add(Agent(model="t/b"))),
    seats.map(lambda seat: lambda run: run.stop(seat)),
    seats.map(lambda seat: lambda run: run.retry(seat)),
    seats.map(lambda seat: lambda run: run.swap(seat, Agent(model="t/a"))),
)


def mixed(
    layers: tuple[str, ...], strategy: StrategyName, quorum: int | None, deadline_s: float | None
) -> Mixture:
    mix = mixture(*layers, quorum=quorum, deadline_s=deadline_s)
    return replace(mix, aggregator=replace(mix.aggregator, strategy=strategy))


mixtures = st.builds(
    mixed,
    st.sampled_from([("a",), ("ab",), ("ab", "ba"), ("aab",)]),
    st.sampled_from(get_args(StrategyName)),
    st.sampled_from([None, 1, 2]),
    st.sampled_from([None, 1.0]),
)


def run_with(
    mix: Mixture, said: dict[str, list[Step]], when: dict[int, Callable[[Run], object]]
) -> tuple[list[Event], Recorder]:
    async def main() -> tuple[list[Event], Recorder]:
        clock = AsyncioClock()
        inner = ScriptedProvider(
            Endpoint(name="t", kind="scripted"),
            {model: does(*script) for model, script in said.items()},
            clock=clock,
        )
        provider = Recorder(inner)
        events: list[Event] = []
        async with open_run(mix, Conversation("?"), lambda _name: provider, clock=clock) as run:
            async for event in run:
                events.append(event)
                if event.n in when:
                    with suppress(CommandError):
                        when[event.n](run)
        return events, provider

    return virtual_time.run(main())


@settings(max_examples=300, deadline=None)
@given(
    mix=mixtures,
    said=st.fixed_dictionaries(dict.fromkeys(MODELS, scripts)),
    when=st.dictionaries(st.integers(1, 30), commands, max_size=4),
)
def test_every_run_ends_in_order_and_closes_what_it_opened(
    mix: Mixture, said: dict[str, list[Step]], when: dict[int, Callable[[Run], object]]
) -> None:
    events, provider = run_with(mix, said, when)
    assert isinstance(events[0], RunStarted)
    assert [type(event) in {RunFinished, RunFailed} for event in events].index(True) == (
        len(events) - 1
    )
    assert [event.n for event in events] == list(range(1, len(events) + 1))
    assert [event.t for event in events] == sorted(event.t for event in events)
    started = Counter(event.seat for event in events if isinstance(event, SeatStarted))
    ended = Counter(event.seat for event in events if isinstance(event, SeatFinished | SeatFailed))
    assert started == ended
    assert len(provider.closed) == len(provider.requests)
    end, state = events[-1], state_after(events)
    if isinstance(end, RunFinished) and end.chosen is not None:
        assert end.chosen in end.references
        assert str(state.seats[end.chosen].text).strip().startswith(end.answer)
    assert not any(seat.is_live for seat in state.seats.values())
