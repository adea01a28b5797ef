"""What was asked and answered so far: a tree of which one path is shown; and what waits."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from moa_tui.text import clean, one_line
from moa_tui.ui import words
from moa_tui.ui.composer.prompt import Prompt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from moa_tui.engine.blind import Entry, Judged
    from moa_tui.engine.mixture import Seat
    from moa_tui.engine.prompt import Conversation
    from moa_tui.engine.state import RunState, RunStatus, SeatState

_TITLE = 120
_NOTHING = Prompt("", "")
"""What nobody asked before the first turn."""


def refused(state: RunState, why: str) -> RunState:
    """Return the state of a run that could make no call, or no further one; all seats are over."""
    state = stilled(state, status="failed")
    return replace(state, kind="invalid", message=clean(why), hint="")


def stilled(state: RunState, *, status: RunStatus) -> RunState:
    """Return a run that is over without saying so; its live seats have stopped where they were."""
    over = {
        place: replace(seat, status="stopped", kind="stopped", ended_t=state.t, retry_at_t=None)
        for place, seat in state.seats.items()
        if seat.is_live
    }
    return replace(state, status=status, seats=MappingProxyType({**state.seats, **over}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One run that went for a question, and its answer; ``taken`` is the seat whose proposal it is.

    ``run`` is None while it is live. ``id`` is that of the run whose seats they are, in the store;
    0 where it has none. ``is_whole``: the run's seats are here, not only its end. ``is_empty``: it
    was stopped before anybody had said a word in it, so that there is nothing to see or to go on
    with; proposals that it was given are another's.
    ``test`` are those who stood in the run's blind test, if it had one.
    """

    run: RunState | None = None
    answer: str = ""
    taken: Seat | None = None
    id: int = 0
    is_whole: bool = True
    is_empty: bool = False
    test: tuple[Entry, ...] = ()

    @property
    def has_answer(self) -> bool:
        """Whether it has an answer, as far as that is known before its seats are here."""
        if self.is_whole or self.answer:
            return self.answer != ""
        return self.taken is not None or (self.run is not None and self.run.status == "done")

    def is_of(self, other: Version) -> bool:
        """Return whether both are of the same run: its own answer, or a proposal of it."""
        return self.run is other.run or (self.id != 0 and self.id == other.id)


@dataclass(slots=True, eq=False)
class Turn:
    """One question, the versions of its answer, and the turns that came after it.

    ``shown`` and ``child`` are the numbers of the version and of the turn after it that are shown,
    ``before`` is that of the version that was shown when the last one began, None where that isn't
    known. ``id`` is the turn's in the store, 0 where it has none.
    """

    prompt: Prompt
    id: int = 0
    versions: list[Version] = field(default_factory=list)
    shown: int = 0
    before: int | None = None
    children: list[Turn] = field(default_factory=list)
    child: int = 0

    @property
    def version(self) -> Version:
        """The version that is shown."""
        return self.versions[self.shown] if self.versions else Version()

    @property
    def answer(self) -> str:
        """The answer that is shown, "" if there is none."""
        return self.version.answer

    @property
    def sent(self) -> int:
        """The number of the version whose answer later prompts are sent with.

        That is the one shown; where that has none, the newest that has one.
        """
        others = [at for at, one in enumerate(self.versions) if one.has_answer]
        return self.shown if self.version.has_answer or not others else others[-1]

    @property
    def counted(self) -> list[int]:
        """The numbers of the versions that one can flip through: those with something in them.

        One that is empty counts only while it is shown, since the turn has no other.
        """
        return [at for at, one in enumerate(self.versions) if at == self.shown or not one.is_empty]

    def leave_empty(self) -> bool:
        """Show another version where the shown one is empty; return whether there was one."""
        others = [at for at in self.counted if at != self.shown]
        if not self.version.is_empty or not others:
            return False
        self.shown = self.before if self.before in others else others[-1]
        return True


@dataclass(frozen=True, slots=True)
class Place:
    """Which version of a turn is shown: the ``at``-th, from 1, ``of`` so many.

    Other questions asked in the same place are versions too.
    """

    at: int
    of: int


@dataclass(frozen=True, slots=True)
class StandIn:
    """Which version is sent in the place of the one shown: the ``at``-th, from 1.

    ``step`` says where it is: -1 before the one shown, 1 after it.
    """

    at: int
    step: int


class Turns:
    """The conversation: questions with their runs and shown answers, and a queue of prompts.

    A turn is named by its number on the path that is shown, from 0.
    """

    def __init__(self) -> None:
        self._root = Turn(prompt=_NOTHING)
        self._queue: list[Prompt] = []
        self.held = ""
        """Why the queue isn't sent by itself; "" when it is."""
        self.name = ""
        """What somebody called the conversation; "" as long as nobody did."""
        self.revision = 0
        """Another number whenever turns or versions are others, or others are shown."""

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __getitem__(self, number: int) -> Turn:
        return list(self)[number]

    def __iter__(self) -> Iterator[Turn]:
        turn = self._root
        while turn.children:
            turn = turn.children[turn.child]
            yield turn

    @property
    def title(self) -> str:
        """The name, else the last prompt on one line, and its number; or that there is none yet."""
        count = len(self)
        number = f" ({count})" if count > 1 else ""
        called = self.name or self.title_of_last
        return f"{called}{number}" if called else words.NEW_SESSION

    @property
    def title_of_last(self) -> str:
        """The prompt that runs or ran last on one line, "" if there is none."""
        return "" if self.last is None else one_line(self.last.shown, _TITLE)

    @property
    def last(self) -> Prompt | None:
        """The prompt that runs or ran last."""
        return self[-1].prompt if len(self) else None

    # The queue.

    @property
    def queue(self) -> Sequence[Prompt]:
        """The prompts that wait, first come first."""
        return tuple(self._queue)

    def wait(self, prompt: Prompt, *, is_first: bool = False) -> None:
        """Put a prompt at the queue's end, or before all others."""
        self._queue.insert(0 if is_first else len(self._queue), prompt)

    def next(self) -> Prompt | None:
        """Take the first prompt of the queue."""
        return self._queue.pop(0) if self._queue else None

    def recall(self, number: int | None = None) -> Prompt | None:
        """Take a prompt of the queue back, the last one by default, to be edited."""
        at = len(self._queue) - 1 if number is None else number
        return self._queue.pop(at) if 0 <= at < len(self._queue) else None

    # Runs.

    def begin(self, prompt: Prompt) -> None:
        """Open a turn behind the last one."""
        *_, last = self._root, *self
        self._open(last, prompt)

    def branch(self, number: int, prompt: Prompt) -> None:
        """Open a turn in the place of another, which stays where it is, with all behind it."""
        self._open(self._before(number), prompt)

    def graft(self, turn: Turn, parent: Turn | None) -> None:
        """Put a turn behind another, None: before all others."""
        (self._root if parent is None else parent).children.append(turn)
        self.revision += 1

    def turn_to(self, turn: Turn) -> None:
        """Show the path through a turn, which stands behind the last one shown so far."""
        for before in (self._root, *self):
            if turn in before.children:
                before.child = before.children.index(turn)
        self.revision += 1

    def parent_of(self, number: int) -> Turn | None:
        """Return the turn before another, None for the first one."""
        return self[number - 1] if number else None

    def put(self, number: int, version: Version) -> None:
        """Put what is known of the version that a turn shows in the place of what was."""
        self._put(self[number], version)

    def fill(self, turn: Turn, read: Version, filled: Callable[[Version], Version]) -> None:
        """Let all versions of a run that was ``read`` be whole: its own, and those taken from it.

        They are of one `RunState` then, as they are when it has just ended.
        """
        turn.versions[:] = [
            filled(one) if one.is_of(read) and not one.is_whole else one for one in turn.versions
        ]
        self.revision += 1

    def begin_version(self) -> None:
        """Open another version of the last turn."""
        last = self[-1]
        last.before = last.shown
        last.versions.append(Version())
        last.shown = len(last.versions) - 1
        self.held = ""
        self.revision += 1

    def _open(self, parent: Turn, prompt: Prompt) -> None:
        parent.children.append(Turn(prompt=prompt, versions=[Version()]))
        parent.child = len(parent.children) - 1
        self.held = ""
        self.revision += 1

    def _before(self, number: int) -> Turn:
        before: tuple[Turn, ...] = (self._root, *self)
        return before[number]

    def conversation(self, prompt: str | None = None) -> Conversation:
        """Return what the models are sent for the last turn, or for a prompt behind it."""
        # With the engine, which the first paint shouldn't wait for.
        from moa_tui.engine.prompt import Conversation, Exchange  # noqa: PLC0415 - see above

        exchanges = [
            Exchange(turn.prompt.text, turn.versions[turn.sent].answer if turn.versions else "")
            for turn in self
        ]
        if prompt is None:
            prompt = exchanges.pop().question
        return Conversation(prompt, tuple(exchanges))

    def end(self, run: RunState) -> bool:
        """Close the last turn with its run; without an answer the queue waits for the user.

        Return whether the version before is shown again, since this one has nothing in it.
        """
        is_done = run.status == "done"
        last = self[-1]
        is_empty = run.status == "stopped" and not any(
            seat.text.length for seat in run.seats.values() if not seat.given
        )
        answer = run.answer if is_done else ""
        self._put(last, replace(last.version, run=run, answer=answer, is_empty=is_empty))
        if not is_done:
            self.held = words.held(run.status) if self._queue else ""
        return last.leave_empty()

    def take(self, number: int, seat: Seat) -> SeatState:
        """Make a seat's proposal the answer of a turn and return that seat.

        That is another version, or the one that it is already.

        Raises:
            KeyError: no such seat ran in that turn.
        """
        turn = self[number]
        version = turn.version
        if version.run is None:
            raise KeyError(seat)
        taken = version.run.seats[seat]
        known = (
            at for at, one in enumerate(turn.versions) if one.taken == seat and one.is_of(version)
        )
        at = next(known, None)
        if at is None:
            at = len(turn.versions)
            turn.versions.append(version)
        turn.versions[at] = replace(version, answer=str(taken.text).strip(), taken=seat)
        turn.shown = at
        self.revision += 1
        return taken

    def judge(self, number: int, test: tuple[Entry, ...]) -> None:
        """Keep who stood in the blind test of the run that a turn shows, and who was picked."""
        turn, shown = self[number], self[number].version
        turn.versions[:] = [
            replace(version, test=test) if version.is_of(shown) else version
            for version in turn.versions
        ]
        self.revision += 1

    def judged(self) -> tuple[Judged, ...]:
        """Return every blind test of the conversation's runs."""
        from moa_tui.engine.blind import Judged  # noqa: PLC0415 - only tests need it

        return tuple(
            Judged("" if version.run.mixture is None else version.run.mixture.name, version.test)
            for version in self._versions()
            if version.run is not None and version.test
        )

    def _put(self, turn: Turn, version: Version) -> None:
        turn.versions[turn.shown] = version
        self.revision += 1

    def runs(self) -> Iterator[RunState]:
        """Yield every run that has ended, once, those of other branches too."""
        yield from (version.run for version in self._versions() if version.run is not None)

    def _versions(self) -> Iterator[Version]:
        """Yield a version of every run, those of other branches too."""
        turns = [self._root]
        while turns:
            turn = turns.pop()
            turns += turn.children
            # A taken proposal is of a run that stands there already.
            yield from (version for version in turn.versions if version.taken is None)

    # Versions.

    def place(self, number: int) -> Place:
        """Return which version of a turn is shown."""
        parent = self._before(number)
        counted = [turn.counted for turn in parent.children]
        before = sum(map(len, counted[: parent.child]))
        at = counted[parent.child].index(self[number].shown)
        return Place(before + at + 1, sum(map(len, counted)))

    def stand_in(self, number: int) -> StandIn | None:
        """Return which version of a turn is sent because the one shown has no answer, if any is."""
        turn = self[number]
        if turn.sent == turn.shown:
            return None
        counted = turn.counted
        step = counted.index(turn.sent) - counted.index(turn.shown)
        return StandIn(self.place(number).at + step, 1 if step > 0 else -1)

    def show_sent(self, number: int) -> bool:
        """Show the version of a turn that later prompts are sent with; return whether that changed.

        See `Turn.sent`.
        """
        turn = self[number]
        if turn.sent == turn.shown:
            return False
        turn.shown = turn.sent
        self.revision += 1
        return True

    def show(self, number: int, version: int) -> None:
        """Show a version of a turn, by its number."""
        self[number].shown = version
        self.revision += 1

    def flip(self, number: int, step: int) -> bool:
        """Show the version before (-1) or after (1); return whether the question is another one.

        What came after the other question is shown with it.
        """
        parent, turn = self._before(number), self[number]
        self.revision += 1
        counted = turn.counted
        at = counted.index(turn.shown) + step
        if 0 <= at < len(counted):
            turn.shown = counted[at]
            return False
        if not 0 <= parent.child + step < len(parent.children):
            return False
        parent.child += step
        other = parent.children[parent.child]
        other.shown = other.counted[0 if step > 0 else -1]
        return True
