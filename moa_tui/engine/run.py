"""One execution of a mixture: it runs the layers, yields events and takes commands."""

from __future__ import annotations

import asyncio
import itertools
import random
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias

from moa_tui.engine import cost
from moa_tui.engine.calls import Calls
from moa_tui.engine.events import (
    LayerFinished,
    LayerStarted,
    MergeForced,
    RunFailed,
    RunFinished,
    RunStarted,
)
from moa_tui.engine.feed import Feed
from moa_tui.engine.layer import LayerRun
from moa_tui.engine.merge import STRATEGIES
from moa_tui.engine.merger import Merger
from moa_tui.engine.mixture import Seat
from moa_tui.engine.provider import Warming
from moa_tui.engine.seat import Proposal, SeatRun
from moa_tui.errors import CommandError, ProviderError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence

    from moa_tui.engine.clock import Clock
    from moa_tui.engine.events import Event, SeatRole
    from moa_tui.engine.merge import Merged, Reference
    from moa_tui.engine.mixture import Agent, ContextRule, Layer, Mixture
    from moa_tui.engine.prompt import Conversation
    from moa_tui.engine.provider import Catalogue, Providers
    from moa_tui.engine.seat import Outcome

Given: TypeAlias = "Mapping[Seat, Proposal | None]"
"""Proposals that exist already; None leaves the seat out. Neither is called."""


@asynccontextmanager
async def open_run(
    mixture: Mixture,
    conversation: Conversation,
    providers: Providers,
    *,
    clock: Clock,
    models: Catalogue | None = None,
    given: Given | None = None,
    ids: Iterator[int] | None = None,
    seed: int | None = None,
) -> AsyncIterator[Run]:
    """Start a run and own it: leaving the block, for any reason, stops every seat.

    ``models`` tells windows and prices, without it those of the configuration are all that is
    known. ``given`` seats aren't called; ``ids`` numbers the events, from 1 by default. ``seed`` is
    what a choice's order comes from where the aggregator has no ``seed`` of its own.

    Raises:
        ConfigError: an endpoint is unknown or has no key; nothing was called.
    """
    given = given or {}
    calls = Calls(mixture, conversation, providers, models)
    for seat, agents in calls.mixture.seating().items():
        for agent in () if seat in given else agents:
            providers(agent.endpoint)
    # Its time starts here: what a provider loads when it is first asked for is no part of it.
    feed = Feed(clock, ids or itertools.count(1))
    run = Run(calls, given=given, feed=feed, clock=clock, seed=_seed_of(calls.mixture, seed))
    driver = asyncio.create_task(run.drive())
    try:
        yield run
    finally:
        run.abandon()
        driver.cancel()
        await asyncio.wait({driver})
    if not driver.cancelled():
        driver.result()


class Run:
    """Iterate it for its events; the other public methods are commands.

    Commands raise CommandError when they make no sense at that moment, and ConfigError when they
    name an endpoint that can't be used.
    """

    def __init__(
        self, calls: Calls, *, given: Given, feed: Feed, clock: Clock, seed: int | None = None
    ) -> None:
        self._calls = calls
        self._mixture = calls.mixture
        self._given = given
        self._feed = feed
        self._clock = clock
        self._seed = seed
        self._group = asyncio.TaskGroup()
        self._changed = asyncio.Event()
        self._seats: dict[Seat, SeatRun] = {}
        self._open: dict[Seat, SeatRun] = {}  # those that may start over
        self._layer: LayerRun | None = None
        self._forced: tuple[Reference, ...] | None = None
        self._references: tuple[Reference, ...] = ()
        self._warming: dict[str, asyncio.Task[None]] = {}
        self._is_stopping = False
        self._is_over = False

    @property
    def t(self) -> float:
        """Seconds since the run started."""
        return self._feed.t

    @property
    def has_more(self) -> bool:
        """Whether the next event, or the end, is there already."""
        return self._feed.has_more

    async def __aiter__(self) -> AsyncIterator[Event]:
        while (event := await self._feed.next()) is not None:
            yield event

    def stop(self, seat: Seat | None = None) -> None:
        """Stop one seat, or the whole run."""
        self._refuse_when_over()
        if seat is None:
            self._is_stopping = True
            self._stop_seats()
            return
        seat_run = self._seats.get(seat)
        if seat_run is None or not seat_run.is_live:
            raise CommandError("That seat has ended already.")
        seat_run.stop()

    def retry(self, seat: Seat) -> None:
        """Start a seat of the live layer over with the same agent."""
        seat_run = self._open_seat(seat)
        if seat_run.agent is not None:
            seat_run.restart(seat_run.agent)

    def swap(self, seat: Seat, agent: Agent) -> None:
        """Give a seat of the live layer to another agent."""
        self._open_seat(seat).restart(agent)

    def add(self, agent: Agent, *, layer: int | None = None) -> Seat:
        """Add a seat to the live layer and return it; ``layer`` is the one that is meant.

        Raises:
            CommandError: no layer is live, or another one than was meant.
        """
        self._refuse_when_over()
        if self._layer is None or self._forced is not None:
            raise CommandError("Seats can be added only while a layer of proposers runs.")
        if layer is not None and layer != self._layer.number:
            raise CommandError(f"Layer {layer} has ended meanwhile: no seat was added to it.")
        seat = Seat(self._layer.number, 1 + max(known.number for known in self._layer.seats))
        self._calls.provider(agent.endpoint)
        self._new_seat(seat, self._references).begin(agent)
        return seat

    def merge_now(self, *, partial: bool = False) -> None:
        """Skip what remains and merge what is done; ``partial``: unfinished texts too."""
        self._refuse_when_over()
        if self._mixture.aggregator.makes == "nothing":
            raise CommandError("This mixture has no aggregator: there is nothing to merge with.")
        if self._layer is None or self._forced is not None:
            raise CommandError("The merge has begun already.")
        ready = self._layer.usable() + (self._layer.partial() if partial else ())
        self._forced = tuple(sorted(ready, key=lambda one: one.seat)) or self._references or None
        if self._forced is None:
            raise CommandError("No proposal is done yet: there is nothing to merge.")
        self._feed.emit(MergeForced, partial=partial)
        self._stop_seats()

    def abandon(self) -> None:
        """Take no more commands and stop every seat."""
        self._is_over = True
        self._stop_seats()

    async def drive(self) -> None:
        """Run the layers and the merge; end the feed whatever happens."""
        try:
            self._feed.emit(RunStarted, mixture=self._mixture, seed=self._seed)
            async with self._group:
                ending, fields = await self._ending()
                self._is_over = True
                self._stop_seats()
                for warming in self._warming.values():
                    warming.cancel()
                await self._until(lambda: not any(run.is_live for run in self._seats.values()))
            # Not before: who was late until now is paid for too.
            spent = [usage for run in self._seats.values() for usage in run.spent]
            usage = cost.total(spent) if spent or ending is RunFinished else None
            self._feed.emit(ending, **fields, usage=usage)
        finally:
            self._is_over = True
            self._feed.end()

    async def _ending(self) -> tuple[Callable[..., Event], dict[str, Any]]:
        try:
            for number, layer in enumerate(self._mixture.layers, 1):
                self._references = await self._run_layer(number, layer)
                if self._forced is not None:
                    break
            merged = await self._merge()
        except ProviderError as failure:
            words = {"message": failure.message, "hint": failure.hint}
            return RunFailed, {"kind": failure.kind, **words}
        return RunFinished, self._finish(merged)

    async def _merge(self) -> Merged:
        merger = Merger(
            self._calls,
            self._references,
            seed=self._seed or 0,
            seat_run=self._aggregator_seat,
            attempt=self._merging,
        )
        return await STRATEGIES[self._mixture.aggregator.strategy].merge(merger)

    def _aggregator_seat(self) -> SeatRun:
        seat = Seat(len(self._mixture.layers) + 1, 1)
        return self._seats.get(seat) or self._new_seat(seat, ())

    async def _merging(self, seat_run: SeatRun, agent: Agent, /, *, note: str) -> Outcome:
        # It judges answers that others thought about; what it writes is waited for.
        thinks = agent.think is not None or agent.effort is not None
        self._begin(seat_run, agent if thinks else replace(agent, think=False))
        if note:
            seat_run.tell("merge", note)
        await self._until(lambda: not seat_run.is_live)
        self._fail_if_stopped()
        if seat_run.outcome is None:
            raise TypeError("an attempt that isn't live has an outcome")
        return seat_run.outcome

    def _finish(self, merged: Merged) -> dict[str, Any]:
        return {
            "answer": merged.answer,
            "strategy": self._mixture.aggregator.strategy,
            "chosen": merged.chosen,
            "votes": merged.votes,
            "references": tuple(reference.seat for reference in self._references),
            "seconds": self._feed.t,
        }

    async def _run_layer(self, number: int, layer: Layer) -> tuple[Reference, ...]:
        self._fail_if_stopped()
        live = self._layer = LayerRun(number, self._mixture, started_t=self._feed.t)
        self._feed.emit(LayerStarted, layer=number)
        seats = [(Seat(number, index), agent) for index, agent in enumerate(layer.seats, 1)]
        # A server that holds few models at a time loads each once when its calls come together.
        models = list(dict.fromkeys(agent.model for _, agent in seats))
        seats.sort(key=lambda one: (self._given_s(one[0]), models.index(one[1].model)))
        for seat, agent in seats:
            if self._given.get(seat, True) is not None:
                self._begin(self._new_seat(seat, self._references), agent)
        await self._until_closed(live)
        self._layer = None
        self._open.clear()
        live.close()
        self._feed.emit(LayerFinished, layer=number)
        self._fail_if_stopped()
        if self._forced is not None:
            return self._forced
        if failure := live.too_few():
            raise failure
        return live.usable()

    def _given_s(self, seat: Seat) -> float:
        """Return how long a given proposal took, 0 for others: the places come out as they were."""
        proposal = self._given.get(seat)
        return 0.0 if proposal is None else proposal.seconds

    async def _until_closed(self, layer: LayerRun) -> None:
        while not (layer.has_ended if self._is_ending else layer.closes(self._feed.t)):
            self._changed.clear()
            try:
                async with self._clock.timeout(layer.time_left(self._feed.t)):
                    await self._changed.wait()
            except TimeoutError:
                continue  # the deadline: the rule decides

    async def _until(self, is_so: Callable[[], bool]) -> None:
        while not is_so():
            self._changed.clear()
            await self._changed.wait()

    @property
    def _is_ending(self) -> bool:
        """Whether the live layer's seats were told to stop: their ends come before its own."""
        return self._is_stopping or self._forced is not None

    def _begin(self, seat_run: SeatRun, agent: Agent) -> None:
        proposal = self._given.get(seat_run.seat)
        if proposal is None:
            seat_run.begin(agent)
        else:
            seat_run.begin_given(agent, proposal)

    def _new_seat(self, seat: Seat, references: Sequence[Reference]) -> SeatRun:
        role: SeatRole = "aggregator" if self._layer is None else "proposer"
        seat_run = SeatRun(
            seat,
            role,
            calls=self._calls,
            references=tuple(reference.text for reference in references),
            rule=_one_call(self._mixture.context, role),
            feed=self._feed,
            group=self._group,
            on_begin=self._warm,
            on_end=self._hear_end,
        )
        self._seats[seat] = self._open[seat] = seat_run
        if self._layer is not None:
            self._layer.seats[seat] = seat_run
        return seat_run

    def _warm(self) -> None:
        """Have the models that come next loaded, once nobody in this layer waits for its own.

        Sooner, what is loaded for later would stand in the way of what is asked now.
        """
        layer = self._layer
        if layer is None or layer.has_ended or any(run.waits for run in layer.seats.values()):
            return
        for seat, (agent, *_) in self._mixture.seating().items():
            is_next = seat.layer == layer.number + 1 and seat not in self._given
            if not is_next or agent.model in self._warming:
                continue
            provider = self._calls.provider(agent.endpoint)
            if isinstance(provider, Warming):
                warming = provider.warm(self._calls.request(agent, ()))
                self._warming[agent.model] = self._group.create_task(warming)

    def _hear_end(self) -> None:
        self._changed.set()
        self._warm()

    def _stop_seats(self) -> None:
        for seat_run in self._seats.values():
            seat_run.stop()
        self._changed.set()

    def _refuse_when_over(self) -> None:
        if self._is_over or self._is_stopping:
            raise CommandError("The run has ended.")

    def _fail_if_stopped(self) -> None:
        if self._is_stopping:
            raise ProviderError("stopped", "Stopped.")

    def _open_seat(self, seat: Seat) -> SeatRun:
        self._refuse_when_over()
        is_merging = self._forced is not None and self._layer is not None
        if is_merging or seat not in self._open:
            raise CommandError("That seat's layer is closed: run again instead.")
        return self._open[seat]


def _seed_of(mixture: Mixture, seed: int | None) -> int | None:
    """Return what a run's order of choice is drawn from; None: its aggregator has no choice."""
    merging = mixture.aggregator
    if merging.makes != "taken" or not merging.is_called:
        return None
    own = None if merging.agent is None else merging.agent.seed
    drawn = random.getrandbits(32) if seed is None else seed
    return drawn if own is None else own


def _one_call(rule: ContextRule, role: SeatRole) -> ContextRule:
    """Return what a rule means for one call: only an aggregator can do in several what it can't."""
    if rule != "refine":
        return rule
    return "fail" if role == "aggregator" else "trim"
