"""What the store gives back and takes: frozen data, times in seconds since the epoch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

from moa_tui.errors import MoaError

if TYPE_CHECKING:
    from moa_tui.engine.blind import Entry
    from moa_tui.engine.events import Event, SeatEnd
    from moa_tui.engine.mixture import Mixture, Seat
    from moa_tui.engine.provider import Usage

RunEnd: TypeAlias = Literal["live", "done", "failed", "stopped", "interrupted", "taken"]
"""How a run stands; "interrupted": the program ended while it was live.

"taken": it called nobody; a proposal of the run that it is given from was made the answer.
"""

AttemptEnd: TypeAlias = Literal[
    "live", "done", "late", "stopped", "failed", "retried", "interrupted"
]
"""How an attempt of a seat ended; "retried": it failed before its first token."""

TroubleKind: TypeAlias = Literal[
    "read_only", "unusable", "newer", "salvaged", "not_saving", "skipped"
]
Where: TypeAlias = Literal["title", "prompt", "answer", "proposal"]


class StoreError(MoaError):
    """Something that isn't stored, can't be read, or can't be imported; the message says what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What keeps the store from its work, for a banner; ``is_saving``: it saves all the same."""

    kind: TroubleKind
    words: str
    is_saving: bool


class Prompt(Protocol):
    """What is kept of a prompt; `Asked` says what its fields are."""

    @property
    def text(self) -> str: ...  # noqa: D102 - as `Asked` says
    @property
    def shown(self) -> str: ...  # noqa: D102 - as `Asked` says
    @property
    def typed(self) -> str: ...  # noqa: D102 - as `Asked` says


class Spot(Protocol):
    """A session's place among the others; a `SessionRow` has one."""

    @property
    def id(self) -> str: ...  # noqa: D102 - as `SessionRow` says
    @property
    def touched_at(self) -> float: ...  # noqa: D102 - as `SessionRow` says


@dataclass(frozen=True, slots=True)
class Asked:
    """A prompt in full, as it is shown, and as it was typed (without attached files)."""

    text: str
    shown: str
    typed: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRow:
    """A session in a list; ``is_live``: another instance of the program has a run in it."""

    id: str
    title: str
    turns: int
    touched_at: float
    is_live: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A place where a search was found: ``text`` is what stands around it, on one line.

    ``start`` and ``end`` bound the match in ``text``; both are 0 where it can't be marked.
    """

    session: str
    title: str
    where: Where
    at: float
    text: str
    start: int
    end: int
    turn: int | None = None
    run: int | None = None
    seat: Seat | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """A run without its texts; ``taken_from`` is the seat whose proposal was made the answer.

    ``given_from`` is the run whose proposals were given to it. ``usage`` is what it used,
    however it ended; it and ``seconds`` are None while it is live. ``reason`` is how the
    aggregator's answer ended.
    """

    id: int
    status: RunEnd
    mixture_name: str
    started_at: float
    seconds: float | None = None
    usage: Usage | None = None
    message: str = ""
    reason: SeatEnd | None = None
    given_from: int | None = None
    taken_from: Seat | None = None
    is_empty: bool = False
    """Whether it ended by a stop, or with the program, before anybody had said a word in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnRow:
    """A question, its runs oldest first, and the answer that is shown ("" if none is)."""

    id: int
    parent: int | None
    prompt: Asked
    asked_at: float
    runs: tuple[RunRow, ...]
    shown_run: int | None
    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A session as it is opened: its tree of turns, oldest first, and what waits to be asked."""

    id: str
    title: str
    is_named: bool
    created_at: float
    touched_at: float
    turns: tuple[TurnRow, ...]
    head: int | None
    draft: str = ""
    queue: tuple[Asked, ...] = ()

    def path(self) -> tuple[TurnRow, ...]:
        """Return the turns from the first one to the head."""
        by_id = {turn.id: turn for turn in self.turns}
        found: list[TurnRow] = []
        at = self.head
        # A turn leaves the map when it is met, so that a damaged tree can't hold us.
        while at is not None and (turn := by_id.pop(at, None)) is not None:
            found.append(turn)
            at = turn.parent
        return tuple(reversed(found))


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfinished:
    """A run that was live when its process died; ``seats`` are those that had not ended."""

    session: str
    title: str
    turn: int
    run: int
    prompt: Asked
    seats: tuple[Seat, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeRun:
    """A run with every event; ``taken`` is the proposal that was made the answer.

    A run that is only "taken" has no events of its own: they are those of the run it is given from.
    ``test`` are those who stood in its blind test, if there was one.
    """

    row: RunRow
    mixture: Mixture
    events: tuple[Event, ...]
    taken: str | None = None
    test: tuple[Entry, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """A session with everything in it, for export and import; ``runs`` are found by their id."""

    session: Session
    runs: tuple[WholeRun, ...]
