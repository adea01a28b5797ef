"""What the screen needs of sessions on disk, as protocols; times in seconds since the epoch.

What a store can't do it says by a MoaError, whose message is in words for a person.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from moa_tui.engine.blind import Entry, Judged
    from moa_tui.engine.events import Event, SeatEnd
    from moa_tui.engine.mixture import Mixture, Seat
    from moa_tui.engine.provider import Usage

RunEnd: TypeAlias = Literal["live", "done", "failed", "stopped", "interrupted", "taken"]
"""How a run stands; "interrupted": the program ended while it was live.

"taken": it called nobody; a proposal of the run that it is given from was made the answer.
"""

TroubleKind: TypeAlias = Literal[
    "read_only", "unusable", "newer", "salvaged", "not_saving", "skipped"
]
Where: TypeAlias = Literal["title", "prompt", "answer", "proposal"]
"""What a search was found in."""


class Asked(Protocol):
    """A prompt in full, as it is shown, and as it was typed; `prompt.Prompt` is one."""

    @property
    def text(self) -> str:
        """What the models were sent."""
        ...

    @property
    def shown(self) -> str:
        """The same with pastes and files folded."""
        ...

    @property
    def typed(self) -> str:
        """What stood in the composer, without attached files; "" where there were none."""
        ...


class Trouble(Protocol):
    """What keeps the store from its work, for a banner."""

    @property
    def kind(self) -> TroubleKind:
        """What it is."""
        ...

    @property
    def words(self) -> str:
        """The same as a sentence."""
        ...

    @property
    def is_saving(self) -> bool:
        """Whether it saves all the same."""
        ...


class SessionRow(Protocol):
    """A session in a list."""

    @property
    def id(self) -> str:
        """Its short id."""
        ...

    @property
    def title(self) -> str:
        """Its name, or its first prompt on one line."""
        ...

    @property
    def turns(self) -> int:
        """How many questions it has."""
        ...

    @property
    def touched_at(self) -> float:
        """When something was last asked in it."""
        ...

    @property
    def is_live(self) -> bool:
        """Whether another instance of the program has a run in it."""
        ...


class Hit(Protocol):
    """A place where a search was found."""

    @property
    def session(self) -> str:
        """The session's id."""
        ...

    @property
    def title(self) -> str:
        """The session's title."""
        ...

    @property
    def where(self) -> Where:
        """What it was found in."""
        ...

    @property
    def at(self) -> float:
        """When that was said."""
        ...

    @property
    def text(self) -> str:
        """What stands around the match, on one line."""
        ...

    @property
    def start(self) -> int:
        """Where the match begins in ``text``."""
        ...

    @property
    def end(self) -> int:
        """Where it ends; 0 as ``start`` where it can't be marked."""
        ...

    @property
    def turn(self) -> int | None:
        """The turn it is of; None: the session's name."""
        ...

    @property
    def run(self) -> int | None:
        """The run it is of; None: a prompt or a name."""
        ...

    @property
    def seat(self) -> Seat | None:
        """Whose proposal it is."""
        ...


class RunRow(Protocol):
    """A run without its texts."""

    @property
    def id(self) -> int:
        """Its number."""
        ...

    @property
    def status(self) -> RunEnd:
        """How it stands."""
        ...

    @property
    def mixture_name(self) -> str:
        """The preset it was made with, "" if none."""
        ...

    @property
    def started_at(self) -> float:
        """When it began."""
        ...

    @property
    def seconds(self) -> float | None:
        """How long it took; None as long as it has not ended by itself."""
        ...

    @property
    def usage(self) -> Usage | None:
        """What it used, however it ended; None: nothing, or it is live."""
        ...

    @property
    def message(self) -> str:
        """Why it failed."""
        ...

    @property
    def reason(self) -> SeatEnd | None:
        """How the aggregator's answer ended."""
        ...

    @property
    def given_from(self) -> int | None:
        """The run whose proposals were merged anew, or one of them taken."""
        ...

    @property
    def taken_from(self) -> Seat | None:
        """The seat whose proposal was made the answer."""
        ...

    @property
    def is_empty(self) -> bool:
        """Whether it ended by a stop, or with the program, before anybody had said a word in it."""
        ...


class TurnRow(Protocol):
    """A question, its runs oldest first, and the answer that is shown."""

    @property
    def id(self) -> int:
        """Its number."""
        ...

    @property
    def parent(self) -> int | None:
        """The turn that it follows."""
        ...

    @property
    def prompt(self) -> Asked:
        """What was asked."""
        ...

    @property
    def asked_at(self) -> float:
        """When."""
        ...

    @property
    def runs(self) -> tuple[RunRow, ...]:
        """What was made of it."""
        ...

    @property
    def shown_run(self) -> int | None:
        """The run that is shown."""
        ...

    @property
    def answer(self) -> str:
        """The answer that is shown, "" if none is."""
        ...


class Session(Protocol):
    """A session as it is opened: its tree of turns, oldest first, and what waits to be asked."""

    @property
    def id(self) -> str:
        """Its short id."""
        ...

    @property
    def title(self) -> str:
        """Its name, or its first prompt on one line."""
        ...

    @property
    def is_named(self) -> bool:
        """Whether somebody gave it its name."""
        ...

    @property
    def created_at(self) -> float:
        """When it began."""
        ...

    @property
    def touched_at(self) -> float:
        """When something was last asked in it."""
        ...

    @property
    def turns(self) -> tuple[TurnRow, ...]:
        """All its turns, of all branches."""
        ...

    @property
    def head(self) -> int | None:
        """The turn that it stands at; None is before the first one."""
        ...

    @property
    def draft(self) -> str:
        """What stood in the composer."""
        ...

    @property
    def queue(self) -> tuple[Asked, ...]:
        """The prompts that waited above it."""
        ...

    def path(self) -> tuple[TurnRow, ...]:
        """Return the turns from the first one to the head."""
        ...


class Unfinished(Protocol):
    """A run that was live when its process died."""

    @property
    def session(self) -> str:
        """The session's id."""
        ...

    @property
    def title(self) -> str:
        """The session's title."""
        ...

    @property
    def turn(self) -> int:
        """The turn it is of."""
        ...

    @property
    def run(self) -> int:
        """Its number."""
        ...

    @property
    def prompt(self) -> Asked:
        """What was asked."""
        ...

    @property
    def seats(self) -> tuple[Seat, ...]:
        """Those that had begun and not ended."""
        ...


class Recorder(Protocol):
    """Takes down one run."""

    @property
    def id(self) -> int:
        """The run's number."""
        ...

    def record(self, event: Event, /) -> None:
        """Take an event, at no cost; the run's last one ends the record."""
        ...

    def close(self) -> None:
        """End the record, even of a run that has no end: it is kept as interrupted."""
        ...

    async def saved(self) -> bool:
        """Wait until the whole run is safely on disk; False: it can't be at present."""
        ...


class Store(Protocol):
    """The sessions on disk.

    What changes returns at once and is made in order; `settled` tells when it is safe. What is read
    is awaited and may raise MoaError.
    """

    @property
    def trouble(self) -> Trouble | None:
        """What keeps the store from its work now; None: all is well."""
        ...

    @property
    def deleted(self) -> Sequence[str]:
        """The sessions that were deleted here and aren't back, the one deleted last at the end."""
        ...

    def troubles(self) -> AsyncGenerator[Trouble | None, None]:
        """Yield what `trouble` is, now if there is any and whenever it changes."""
        ...

    def begin_session(self) -> str:
        """Return a new session's id; it is stored with its first turn or draft."""
        ...

    def begin_turn(self, session: str, prompt: Asked, /, *, parent: int | None = None) -> int:
        """Add a question below another turn (None: a first one), make it the head, return its id.

        The first one names the session.
        """
        ...

    def begin_run(
        self, turn: int, mixture: Mixture, /, *, given_from: int | None = None
    ) -> Recorder:
        """Add a run to a turn and return what takes its events; done, it is the one shown."""
        ...

    def show(self, turn: int, run: int, /) -> None:
        """Make a run the one that a turn shows."""
        ...

    def go_to(self, session: str, turn: int | None, /) -> None:
        """Make a turn the session's head; None is before the first one."""
        ...

    def take(self, turn: int, run: int, seat: Seat, text: str, /) -> None:
        """Make a proposal of a run the answer that its turn shows: a run of its own, made once."""
        ...

    def keep_test(self, run: int, entries: Sequence[Entry], /) -> None:
        """Keep who stood in a run's blind test, and who was picked."""
        ...

    def rename(self, session: str, title: str, /) -> None:
        """Name a session; "" names it after its first prompt again."""
        ...

    def delete(self, session: str, /) -> None:
        """Take a session out of sight; it is gone for good a day later."""
        ...

    def undelete(self, session: str, /) -> None:
        """Bring a deleted session back."""
        ...

    def keep_draft(self, session: str, draft: str, /, *, queue: Sequence[Asked] = ()) -> None:
        """Keep what stands in a session's composer, and the prompts that wait above it."""
        ...

    async def settled(self) -> bool:
        """Wait until all changes so far are safely on disk; False: they can't be at present."""
        ...

    async def unfinished(self) -> Sequence[Unfinished]:
        """Find the runs that were live when their process died, and keep them as interrupted.

        Each is found once.
        """
        ...

    async def sessions(
        self, limit: int = 50, *, before: SessionRow | None = None
    ) -> Sequence[SessionRow]:
        """Return sessions, the newest first, or those that come after one."""
        ...

    async def search(self, text: str, /, *, limit: int = 50) -> Sequence[Hit]:
        """Return where all the words of a text stand, in prompts, answers, proposals and names.

        Names come first, then the newest.
        """
        ...

    async def load(self, session: str, /) -> Session:
        """Return a session with its tree of turns and the answers that are shown."""
        ...

    async def mixture(self, run: int, /) -> Mixture:
        """Return the mixture of a run, as it was run."""
        ...

    async def run(self, run: int, /) -> Sequence[Event]:
        """Return what happened in a run, with one delta a kind and attempt."""
        ...

    async def replay(self, run: int, /) -> Sequence[Event]:
        """Return what happened in a run, every delta as and when it came."""
        ...

    async def test(self, run: int, /) -> Sequence[Entry]:
        """Return who stood in a run's blind test, nobody where there was none."""
        ...

    async def tests(self) -> Sequence[Judged]:
        """Return every blind test of the sessions that are there."""
        ...

    async def markdown(self, session: str, /) -> str:
        """Return a session's conversation up to its head as a page."""
        ...
