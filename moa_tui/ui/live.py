"""The run that is live: its events folded into a state, its commands, and how it came to an end."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from moa_tui.engine.mixture import Agent, Layer
from moa_tui.errors import CommandError, ConfigError
from moa_tui.text import clean
from moa_tui.ui import words
from moa_tui.ui.turns import refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from moa_tui.engine.events import Event
    from moa_tui.engine.mixture import Aggregator, Mixture, Seat
    from moa_tui.engine.prompt import Conversation
    from moa_tui.engine.run import Given, Run
    from moa_tui.engine.seat import Proposal
    from moa_tui.engine.state import RunState, SeatState
    from moa_tui.ui.ports import Ports

    Heard: TypeAlias = Callable[[RunState, Event], None]
    Changed: TypeAlias = Callable[[RunState, float], None]


class LiveRun:
    """Runs one mixture at a time; ``heard`` is told of every event and the state after it.

    ``changed`` gets the state and its time when something other than words has changed it, but
    once for all events that come together: sixty seats that are stopped end at once.
    """

    def __init__(self, ports: Ports, heard: Heard, changed: Changed) -> None:
        self._ports = ports
        self._heard = heard
        self._changed = changed
        self._run: Run | None = None
        self.shown_t: float | None = None
        """The moment of a run that is replayed, in seconds; None: none is."""
        self.state: RunState | None = None
        """The run that is live or was last; None before the first."""

    @property
    def is_live(self) -> bool:
        """Whether the run still takes commands."""
        is_running = self.state is not None and self.state.status == "running"
        return self._run is not None and is_running

    @property
    def t(self) -> float:
        """Seconds since the run started, or how long it took."""
        if self._run is not None:
            return self._run.t
        if self.shown_t is not None:
            return self.shown_t
        return 0.0 if self.state is None else self.state.t

    async def go(
        self,
        mixture: Mixture,
        conversation: Conversation,
        *,
        given: Given | None = None,
        record: Callable[[Event], object] | None = None,
    ) -> RunState:
        """Run a mixture to its end, whatever end that is, and return its state.

        ``given`` are proposals that exist already; ``record`` hears every event.
        """
        # The engine costs 25 ms to import, which the first paint shouldn't wait for.
        from moa_tui.engine.events import TextDelta, ThinkingDelta  # noqa: PLC0415 - see above
        from moa_tui.engine.run import open_run  # noqa: PLC0415 - see above
        from moa_tui.engine.state import RunState, apply  # noqa: PLC0415 - see above

        state = self.state = RunState(status="running")
        ports = self._ports
        try:
            async with open_run(
                mixture,
                conversation,
                ports.providers,
                clock=ports.clock,
                models=ports.places,
                given=given,
            ) as self._run:
                is_news = False
                async for event in self._run:
                    state = self.state = apply(state, event)
                    if record is not None:
                        record(event)
                    is_words = isinstance(event, TextDelta | ThinkingDelta)
                    if is_words and is_news:
                        # Whoever speaks may have just begun.
                        self._changed(state, event.t)
                        is_news = False
                    self._heard(state, event)
                    is_news = is_news or not is_words
                    if is_news and not self._run.has_more:
                        self._changed(state, event.t)
                        is_news = False
        except ConfigError as error:
            state = refused(state, str(error))
        except Exception as error:  # noqa: BLE001 - a worker's edge: shown, and the conversation stays
            bug = _first(error)
            why = ports.masked(f"{words.BUG}: {type(bug).__name__}: {bug}")
            state = refused(state, why)
        finally:
            self._run = None
        self.state = state
        return state

    def command(self, command: Callable[[Run], object]) -> str:
        """Give the run a command; return in words why it was refused, "" if it wasn't."""
        if self._run is None:
            return ""
        try:
            command(self._run)
        except (CommandError, ConfigError) as error:
            return clean(str(error))
        return ""


def _first(error: Exception) -> Exception:
    """Return what a group of exceptions began with, which says more than the group."""
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return error


def agent_of(run: RunState | None, seat: SeatState) -> Agent | None:
    """Return who sits there as the mixture has it, with the model that it has by now."""
    seating = {} if run is None or run.mixture is None else run.mixture.seating()
    agents = seating.get(seat.seat)
    return replace(agents[0], model=seat.model) if agents else None


def merges_again(run: RunState | None, aggregator: Aggregator) -> bool:
    """Return whether a run has something to merge, and the aggregator merges."""
    if run is None or run.mixture is None or not run.layers or aggregator.makes == "nothing":
        return False
    return any(seat.status == "done" for seat in run.layer_seats(run.layers[-1].layer))


def merged_again(run: RunState | None, aggregator: Aggregator) -> tuple[Mixture, Given] | None:
    """Return what has a run's proposals merged by another aggregator, nobody else being called.

    None: `merges_again` doesn't hold.
    """
    if run is None or run.mixture is None or not merges_again(run, aggregator):
        return None
    proposals = _proposals(run)
    seats = [seat.seat for layer in run.layers for seat in run.layer_seats(layer.layer)]
    mixture = replace(
        run.mixture,
        layers=_layers(run),
        aggregator=aggregator,
        min_proposals=1,
        quorum=None,
        deadline_s=None,
    )
    return mixture, {seat: proposals.get(seat) for seat in seats}


def completes(run: RunState | None) -> bool:
    """Return whether a run has some of its proposals, and lacks others or its answer."""
    if run is None or run.mixture is None or run.status == "done":
        return False
    return next(_done(run), None) is not None


def completed(run: RunState | None) -> tuple[Mixture, Given] | None:
    """Return what calls only the seats of a run that have no proposal, and has all merged.

    None: `completes` doesn't hold.
    """
    if run is None or run.mixture is None or not completes(run):
        return None
    ran = _layers(run)
    return replace(run.mixture, layers=(*ran, *run.mixture.layers[len(ran) :])), _proposals(run)


def _layers(run: RunState) -> tuple[Layer, ...]:
    """Return the layers of a run as they were seated in the end, swapped and added seats too."""
    return tuple(
        Layer(
            proposers=tuple(
                replace(agent_of(run, seat) or Agent(model=seat.model), samples=1)
                for seat in run.layer_seats(layer.layer)
            )
        )
        for layer in run.layers
    )


def _proposals(run: RunState) -> dict[Seat, Proposal]:
    from moa_tui.engine.provider import Usage  # noqa: PLC0415 - loaded long ago, by the run
    from moa_tui.engine.seat import Proposal  # noqa: PLC0415 - as above

    return {
        seat.seat: Proposal(
            text=str(seat.text),
            thinking=str(seat.thinking),
            # It was paid for once.
            usage=replace(seat.usage or Usage(), cost=0.0),
            reason=seat.reason if seat.reason and seat.reason != "late" else "stop",
            ttft_s=seat.ttft_s,
            seconds=seat.seconds(run.t),
        )
        for seat in _done(run)
    }


def _done(run: RunState) -> Iterator[SeatState]:
    seats = run.seats.values()
    return (seat for seat in seats if seat.role == "proposer" and seat.status == "done")
