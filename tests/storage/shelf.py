"""What the store's tests share: a mixture, runs as lists of events, and stores that get closed."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from moa_tui.engine.blind import Entry
from moa_tui.engine.events import (
    Event,
    LayerFinished,
    LayerStarted,
    RunFinished,
    RunStarted,
    SeatFinished,
    SeatPhase,
    SeatStarted,
    TextDelta,
    ThinkingDelta,
)
from moa_tui.engine.mixture import Agent, Aggregator, Layer, Mixture, Seat
from moa_tui.engine.provider import Usage
from moa_tui.engine.state import RunState, state_after
from moa_tui.storage.disk import Disk
from moa_tui.storage.records import Asked
from moa_tui.storage.store import Store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable
    from pathlib import Path

MIXTURE = Mixture(
    layers=(Layer(proposers=(Agent(model="t/a", label="poet"), Agent(model="t/b", seed=7))),),
    aggregator=Aggregator(agent=Agent(model="t/m"), instruction="Merge. {references}"),
    name="trio",
    quorum=2,
)
ONE, TWO, MERGER = Seat(1, 1), Seat(1, 2), Seat(2, 1)
TEST = (
    Entry(2, ONE, "proposer", "t/a"),
    Entry(1, TWO, "proposer", "t/b", is_picked=True),
    Entry(3, MERGER, "aggregator", "t/m"),
)
"""A blind test of a run, which the second proposal won."""


class HandClock:
    """The date, which only the test moves."""

    def __init__(self) -> None:
        self.at = 1_800_000_000.0

    def __call__(self) -> float:
        return self.at


def asked(text: str) -> Asked:
    return Asked(text, text)


def run_of(answer: str, *proposals: str) -> list[Event]:
    """Return a whole run in which every seat streams its text in two pieces."""
    proposals = proposals or ("one says", "two says")
    log = Log()
    log.add(RunStarted, mixture=MIXTURE.expanded())
    log.add(LayerStarted, layer=1)
    for seat, text in zip((ONE, TWO), proposals, strict=True):
        log.seat(seat, text)
    log.add(LayerFinished, layer=1)
    log.seat(MERGER, answer)
    log.add(
        RunFinished,
        answer=answer,
        strategy="synthesize",
        chosen=None,
        references=(ONE, TWO),
        usage=Usage(prompt=3, completion=9),
        seconds=log.t,
    )
    return log.events


class Log:
    """Numbers events and moves their time on."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.t = 0.0

    def add(self, kind: type[Event], **values: object) -> None:
        self.t = round(self.t + 0.125, 6)
        event: Event = kind(n=len(self.events) + 1, t=self.t, **values)  # type: ignore[arg-type] # the test names real fields
        self.events.append(event)

    def seat(self, seat: Seat, text: str) -> None:
        self.begin(seat, text)
        begun = next(event for event in reversed(self.events) if isinstance(event, SeatStarted))
        self.add(
            SeatFinished,
            seat=seat,
            attempt=1,
            text=text,
            thinking="hm",
            reason="stop",
            usage=Usage(completion=2, reasoning=1, cost=0.5),
            ttft_s=0.25,
            seconds=self.t - begun.t,
        )

    def begin(self, seat: Seat, text: str) -> None:
        role = "aggregator" if seat == MERGER else "proposer"
        self.add(
            SeatStarted, seat=seat, attempt=1, role=role, model=f"t/{'abm'[seat[0] + seat[1] - 2]}"
        )
        self.add(SeatPhase, seat=seat, attempt=1, phase="waiting", behind="")
        self.add(ThinkingDelta, seat=seat, attempt=1, text="hm")
        half = len(text) // 2
        self.add(TextDelta, seat=seat, attempt=1, text=text[:half], pieces=2)
        self.add(TextDelta, seat=seat, attempt=1, text=text[half:])


def cut_short() -> list[Event]:
    """Return a run that was left in the middle: one seat done, one streaming."""
    log = Log()
    log.add(RunStarted, mixture=MIXTURE.expanded())
    log.add(LayerStarted, layer=1)
    log.seat(ONE, "whole proposal")
    log.begin(TWO, "half a prop")
    return log.events


def state_of(events: Iterable[Event]) -> RunState:
    return state_after(events)


@asynccontextmanager
async def stored(where: Path | Disk, *, clock: HandClock | None = None) -> AsyncIterator[Store]:
    """Open a store, checkpointing as soon as it can, and close it; reading waits for writing."""
    disk = where if isinstance(where, Disk) else Disk(where)
    store = Store(disk, clock=clock or HandClock(), every_s=0.001, patience_s=60.0)
    try:
        await store.opened()
        yield store
    finally:
        await store.aclose()


async def told(store: Store, turn: int, events: Iterable[Event]) -> int:
    """Record a whole run and return its id once it is saved."""
    recorder = store.begin_run(turn, MIXTURE)
    for event in events:
        recorder.record(event)
    await recorder.saved()
    return recorder.id
