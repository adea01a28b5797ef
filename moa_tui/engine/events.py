"""Everything that can happen in a run, in the order it happened.

Every event carries ``n``, its number from 1, and ``t``, seconds since the run started. Events of a
seat carry the seat and the attempt that they belong to. `to_json` writes them as ``--json`` does.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from moa_tui.engine.mixture import Mixture, Seat, StrategyName
from moa_tui.engine.provider import FinishReason, PhaseName, Usage

if TYPE_CHECKING:
    from moa_tui.errors import FailureKind

SeatRole: TypeAlias = Literal["proposer", "aggregator"]
SeatEnd: TypeAlias = FinishReason | Literal["late"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stamped:
    n: int
    t: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _OfSeat(_Stamped):
    seat: Seat
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted(_Stamped):
    """The run begins with this mixture, every repeat and sample written out.

    ``seed`` is what the order is drawn from in which a judge sees proposals, where one does.
    """

    mixture: Mixture
    seed: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerStarted(_Stamped):
    """All seats of a proposer layer start."""

    layer: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerFinished(_Stamped):
    """A proposer layer is closed; seats of it that still stream are late from now on."""

    layer: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatStarted(_OfSeat):
    """An attempt begins; ``given`` says that its text exists already and nobody is called.

    ``label`` is the agent's own name in the mixture, "" if it has none.
    """

    role: SeatRole
    model: str
    given: bool = False
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatPhase(_OfSeat):
    """What a call does before its first token; ``behind``: what a queued one waits for."""

    phase: PhaseName
    behind: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatRetrying(_OfSeat):
    """This attempt failed before its first token; the next one starts in ``wait_s`` seconds."""

    kind: FailureKind
    message: str
    wait_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatSwapped(_OfSeat):
    """From this attempt on the seat is another model's."""

    model: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ThinkingDelta(_OfSeat):
    """A piece of reasoning; ``pieces`` counts the server's chunks in it."""

    text: str
    pieces: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class TextDelta(_OfSeat):
    """A piece of the answer; ``pieces`` counts the server's chunks in it."""

    text: str
    pieces: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class TextRelabelled(_OfSeat):
    """All text of this attempt so far was reasoning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatNote(_OfSeat):
    """Something worth telling that ends nothing."""

    kind: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatFinished(_OfSeat):
    """The attempt has a usable answer; ``late`` ones are kept but never references."""

    text: str
    thinking: str
    reason: SeatEnd
    usage: Usage
    ttft_s: float | None
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatFailed(_OfSeat):
    """The attempt came to nothing; ``text`` is what had arrived.

    ``usage`` is what is paid for all the same, by estimate where the server said nothing; None:
    nothing was.
    """

    kind: FailureKind
    message: str
    hint: str = ""
    text: str = ""
    usage: Usage | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeForced(_Stamped):
    """The user wants the merge now; ``partial``: with the unfinished texts too."""

    partial: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFinished(_Stamped):
    """The run has its answer; ``chosen`` is the proposal that it is word for word, if one is.

    ``votes`` are the seats whose proposals say the same, where they were counted: first those that
    say what the answer says, then by size.
    """

    answer: str
    strategy: StrategyName
    chosen: Seat | None
    references: tuple[Seat, ...]
    usage: Usage
    seconds: float
    votes: tuple[tuple[Seat, ...], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFailed(_Stamped):
    """The run ends without an answer; ``usage`` is what its calls used, None: nothing."""

    kind: FailureKind
    message: str
    hint: str = ""
    usage: Usage | None = None


SeatEvent: TypeAlias = (
    SeatStarted
    | SeatPhase
    | SeatRetrying
    | SeatSwapped
    | ThinkingDelta
    | TextDelta
    | TextRelabelled
    | SeatNote
    | SeatFinished
    | SeatFailed
)
Event: TypeAlias = (
    RunStarted | LayerStarted | LayerFinished | SeatEvent | MergeForced | RunFinished | RunFailed
)


def event_name(event: Event) -> str:
    """Return the event's name as ``--json`` spells it: ``SeatStarted`` is ``seat_started``."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", type(event).__name__).lower()


def to_json(event: Event) -> dict[str, Any]:
    """Return the event as plain data: ``event``, ``n``, ``t`` (to the millisecond), its fields."""
    plain = {field.name: _plain(getattr(event, field.name)) for field in fields(event)}
    plain["t"] = round(event.t, 3)
    return {"event": event_name(event), **plain}


def _plain(value: object) -> object:
    match value:
        case Usage():
            return asdict(value)
        case Mixture():
            return value.as_preset()
        case float():
            return round(value, 3)
        case tuple():
            return [_plain(item) for item in value]
        case _:
            return value
