"""What events add up to: `apply` is the only place that knows."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, TypeAlias, assert_never

from moa_tui.engine.events import (
    Event,
    LayerFinished,
    LayerStarted,
    MergeForced,
    RunFailed,
    RunFinished,
    RunStarted,
    SeatEnd,
    SeatEvent,
    SeatFailed,
    SeatFinished,
    SeatNote,
    SeatPhase,
    SeatRetrying,
    SeatRole,
    SeatStarted,
    SeatSwapped,
    TextDelta,
    TextRelabelled,
    ThinkingDelta,
)
from moa_tui.engine.provider import PhaseName, Usage

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from moa_tui.engine.mixture import Mixture, Seat
    from moa_tui.errors import FailureKind

SeatStatus: TypeAlias = (
    PhaseName | Literal["retrying", "thinking", "streaming", "done", "late", "stopped", "failed"]
)
RunStatus: TypeAlias = Literal["idle", "running", "done", "failed", "stopped"]

ENDED: frozenset[SeatStatus] = frozenset(("done", "late", "stopped", "failed"))
"""What a seat is when nothing more comes from its attempt."""


class Log:
    """An append-only text: its first ``length`` pieces, shared with the states before it.

    Appending is constant in time; an older state appended to again gets a copy of its own.
    """

    __slots__ = ("_pieces", "length")

    def __init__(self, pieces: list[str] | None = None, length: int = 0) -> None:
        self._pieces = [] if pieces is None else pieces
        self.length = length

    def appended(self, piece: str) -> Log:
        """Return the log with one more piece."""
        pieces = self._pieces
        if len(pieces) != self.length:
            pieces = pieces[: self.length]
        pieces.append(piece)
        return Log(pieces, self.length + 1)

    def since(self, length: int) -> str:
        """Return the text behind the first ``length`` pieces."""
        return "".join(self._pieces[length : self.length])

    def __str__(self) -> str:
        return self.since(0)

    def __bool__(self) -> bool:
        return self.length > 0

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Log) and str(self) == str(other)

    def __hash__(self) -> int:
        return hash(str(self))

    def __repr__(self) -> str:
        return f"Log({str(self)!r})"


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatState:
    """One seat as its last attempt stands; times in seconds since the run started."""

    seat: Seat
    role: SeatRole
    model: str
    label: str = ""
    attempt: int = 1
    status: SeatStatus = "connecting"
    behind: str = ""
    text: Log = field(default_factory=Log)
    thinking: Log = field(default_factory=Log)
    pieces: int = 0
    thinking_pieces: int = 0
    started_t: float = 0.0
    first_t: float | None = None
    ended_t: float | None = None
    retry_at_t: float | None = None
    place: int | None = None
    reason: SeatEnd | None = None
    usage: Usage | None = None
    kind: FailureKind | None = None
    message: str = ""
    hint: str = ""
    notes: tuple[str, ...] = ()
    given: bool = False
    is_late: bool = False
    step: str = ""
    """Which of several steps of a merge the attempt is, in words."""
    steps: int = 0
    """How many steps of the merge were done before, each an attempt that ended whole."""
    steps_tokens: int = 0
    """Tokens that those wrote."""
    steps_from_t: float | None = None
    """When the first of them started."""

    @property
    def is_live(self) -> bool:
        """Whether more may come from it."""
        return self.status not in ENDED

    @property
    def tokens(self) -> int:
        """Tokens written so far, reasoning included: the server's count, else its pieces."""
        if self.usage is not None and self.usage.completion:
            return self.usage.completion
        return self.pieces + self.thinking_pieces

    @property
    def tokens_of_steps(self) -> int:
        """The same over all steps of a merge."""
        return self.steps_tokens + self.tokens

    @property
    def ttft_s(self) -> float | None:
        """Seconds from the attempt's start to its first token."""
        return None if self.first_t is None else self.first_t - self.started_t

    def wordless(self) -> SeatState:
        """Return it with its thinking alone."""
        return replace(self, text=Log())

    def seconds(self, t: float) -> float:
        """Return how long the attempt took, or has taken at ``t`` while it is live."""
        return (t if self.ended_t is None else self.ended_t) - self.started_t


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerState:
    """One proposer layer; times in seconds since the run started."""

    layer: int
    started_t: float
    ended_t: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunState:
    """A run as far as its events tell."""

    status: RunStatus = "idle"
    mixture: Mixture | None = None
    layers: tuple[LayerState, ...] = ()
    seats: Mapping[Seat, SeatState] = field(default_factory=lambda: MappingProxyType({}))
    answer: str = ""
    chosen: Seat | None = None
    references: tuple[Seat, ...] = ()
    votes: tuple[tuple[Seat, ...], ...] = ()
    usage: Usage | None = None
    spent: tuple[Usage, ...] = ()
    """The usage of every call that has ended, whatever became of it."""
    replaced_tokens: int = 0
    """Tokens of attempts that others took the place of."""
    reason: SeatEnd | None = None
    """How the answer ended: it may be cut."""
    kind: FailureKind | None = None
    message: str = ""
    hint: str = ""
    t: float = 0.0

    def layer_seats(self, layer: int) -> tuple[SeatState, ...]:
        """Return a layer's seats in order."""
        return tuple(state for seat, state in sorted(self.seats.items()) if seat.layer == layer)

    @property
    def aggregator(self) -> SeatState | None:
        """The aggregator's seat once it has started."""
        return next((seat for seat in self.seats.values() if seat.role == "aggregator"), None)

    @property
    def speaker(self) -> SeatState | None:
        """Whose words the answer is: the chosen proposal's seat, else the aggregator's."""
        if self.mixture is not None and self.mixture.aggregator.makes == "taken":
            return None if self.chosen is None else self.seats.get(self.chosen)
        return self.aggregator

    @property
    def tokens(self) -> int:
        """Tokens written so far by all attempts of all seats."""
        return self.replaced_tokens + sum(seat.tokens for seat in self.seats.values())


def state_after(events: Iterable[Event]) -> RunState:
    """Return a run after these events, its first ones.

    Raises:
        KeyError: an event tells of a seat that never started.
    """
    state = RunState()
    for event in events:
        state = apply(state, event)
    return state


def apply(state: RunState, event: Event) -> RunState:
    """Return the state after one more event; the old state still reads as before."""
    match event:
        case RunStarted():
            state = RunState(status="running", mixture=event.mixture)
        case LayerStarted():
            layer = LayerState(layer=event.layer, started_t=event.t)
            state = replace(state, layers=(*state.layers, layer))
        case LayerFinished():
            state = _close_layer(state, event)
        case MergeForced():
            pass
        case RunFinished():
            state = replace(
                state,
                status="done",
                answer=event.answer,
                chosen=event.chosen,
                references=event.references,
                votes=event.votes,
                usage=event.usage,
            )
            speaker = state.speaker
            state = replace(state, reason=None if speaker is None else speaker.reason)
        case RunFailed():
            state = replace(
                state,
                status="stopped" if event.kind == "stopped" else "failed",
                kind=event.kind,
                message=event.message,
                hint=event.hint,
                usage=event.usage,
            )
        case _:
            if isinstance(event, SeatStarted) and event.seat in state.seats:
                tokens = state.replaced_tokens + state.seats[event.seat].tokens
                state = replace(state, replaced_tokens=tokens)
            state = _put(state, _seat_after(state, event))
            if isinstance(event, SeatFinished | SeatFailed):
                state = _pay(state, event)
    return replace(state, t=event.t)


def _pay(state: RunState, end: SeatFinished | SeatFailed) -> RunState:
    if end.usage is None or state.seats[end.seat].given:
        return state
    return replace(state, spent=(*state.spent, end.usage))


def _put(state: RunState, seat: SeatState) -> RunState:
    return replace(state, seats=MappingProxyType({**state.seats, seat.seat: seat}))


def _close_layer(state: RunState, event: LayerFinished) -> RunState:
    layers = tuple(
        replace(layer, ended_t=event.t) if layer.layer == event.layer else layer
        for layer in state.layers
    )
    seats = {
        seat: replace(known, is_late=True) if seat.layer == event.layer and known.is_live else known
        for seat, known in state.seats.items()
    }
    return replace(state, layers=layers, seats=MappingProxyType(seats))


def _seat_after(state: RunState, event: SeatEvent) -> SeatState:
    if isinstance(event, SeatStarted):
        return _started(event, state.seats.get(event.seat))
    seat = state.seats[event.seat]
    if event.attempt != seat.attempt:
        seat = replace(seat, attempt=event.attempt, retry_at_t=None, kind=None, message="")
    match event:
        case SeatPhase():
            return replace(seat, status=event.phase, behind=event.behind, retry_at_t=None)
        case SeatRetrying():
            return replace(
                seat,
                status="retrying",
                kind=event.kind,
                message=event.message,
                retry_at_t=event.t + event.wait_s,
            )
        case SeatSwapped():
            return replace(seat, model=event.model)
        case ThinkingDelta():
            return replace(
                _begun(seat, event.t),
                status="thinking",
                thinking=seat.thinking.appended(event.text),
                thinking_pieces=seat.thinking_pieces + event.pieces,
            )
        case TextDelta():
            return replace(
                _begun(seat, event.t),
                status="streaming",
                text=seat.text.appended(event.text),
                pieces=seat.pieces + event.pieces,
            )
        case TextRelabelled():
            return replace(
                seat,
                status="thinking",
                text=Log(),
                thinking=Log().appended(f"{seat.thinking}{seat.text}"),
                pieces=0,
                thinking_pieces=seat.thinking_pieces + seat.pieces,
            )
        case SeatNote():
            is_step = event.kind == "merge"
            told = {"step": event.message} if is_step else {"notes": (*seat.notes, event.message)}
            return replace(seat, **told)
        case SeatFinished():
            return _finished(state, seat, event)
        case SeatFailed():
            return replace(
                seat,
                status="stopped" if event.kind == "stopped" else "failed",
                kind=event.kind,
                message=event.message,
                hint=event.hint,
                ended_t=event.t,
                retry_at_t=None,
            )
        case _:
            assert_never(event)


def _started(event: SeatStarted, before: SeatState | None) -> SeatState:
    seat = SeatState(
        seat=event.seat,
        role=event.role,
        model=event.model,
        label=event.label,
        attempt=event.attempt,
        started_t=event.t,
        given=event.given,
    )
    if before is None or before.role != "aggregator":
        return seat
    # An attempt behind one that failed is no further step, but the same one once more.
    is_next = before.status == "done"
    return replace(
        seat,
        notes=before.notes if is_next else (),
        steps=before.steps + is_next,
        steps_tokens=before.tokens_of_steps if is_next else before.steps_tokens,
        steps_from_t=(
            before.started_t if is_next and before.steps_from_t is None else before.steps_from_t
        ),
    )


def _begun(seat: SeatState, t: float) -> SeatState:
    return seat if seat.first_t is not None else replace(seat, first_t=t)


def _finished(state: RunState, seat: SeatState, event: SeatFinished) -> SeatState:
    if seat.given:
        seat = replace(seat, started_t=event.t - event.seconds)
    rivals = state.layer_seats(seat.seat.layer)
    place = 1 + sum(rival.status == "done" for rival in rivals if rival.seat != seat.seat)
    return replace(
        seat,
        status="late" if event.reason == "late" else "done",
        text=seat.text if str(seat.text) == event.text else Log().appended(event.text),
        thinking=(
            seat.thinking
            if str(seat.thinking) == event.thinking
            else Log().appended(event.thinking)
        ),
        reason=event.reason,
        usage=event.usage,
        ended_t=event.t,
        place=None if event.reason == "late" else place,
        first_t=seat.first_t if event.ttft_s is None else seat.started_t + event.ttft_s,
    )
