"""A conversation written down as it happens, and read again; without a store nothing is."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from moa_tui.errors import MoaError
from moa_tui.ui import words
from moa_tui.ui.composer.prompt import Prompt
from moa_tui.ui.turns import Turn, Turns, Version, stilled

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from moa_tui.engine.blind import Entry, Judged
    from moa_tui.engine.clock import Clock
    from moa_tui.engine.events import Event
    from moa_tui.engine.mixture import Mixture, Seat
    from moa_tui.engine.state import RunState
    from moa_tui.ui.store import Asked, Recorder, RunRow, Session, Store, TurnRow

_MOST = 10_000
"""How many sessions are looked through for one whose id is given in part."""

_STUCK_S = 1.0


@dataclass(slots=True)
class Opened:
    """A conversation as a screen begins with it; ``session`` is its id in the store, or "".

    ``mixture`` is what made its last answer, None where nothing did. ``prompts`` are those that
    were asked in it, of all branches, the last one last.
    """

    turns: Turns = field(default_factory=Turns)
    session: str = ""
    draft: str = ""
    mixture: Mixture | None = None
    prompts: Sequence[Prompt] = ()
    is_private: bool = False
    is_replay: bool = False


class Recording:
    """Keeps one session of a store in step with the turns; ``session`` is "" until it has one."""

    def __init__(
        self,
        store: Callable[[], Store] | None,
        opened: Opened,
        *,
        clock: Clock,
    ) -> None:
        self._open = None if opened.is_private else store
        self._clock = clock
        self._turns = opened.turns
        self._recorder: Recorder | None = None
        self._is_live = False
        self._kept: object = None
        self.session = opened.session
        """The session's id, "" as long as nothing is written."""
        self.is_saved: bool | None = True if opened.session else None
        """Whether what ended is safely on disk; False: it can't be at present, None: unknown."""
        self.is_private = opened.is_private
        """Whether nothing may be written, so that it is gone once it is left."""
        self.is_waiting = False
        """Whether another conversation is about to be opened, so that drafts are for that one."""

    @property
    def is_kept(self) -> bool:
        """Whether anything is written down."""
        return self._open is not None

    @property
    def _store(self) -> Store | None:
        return None if self._open is None else self._open()

    def open_turn(self) -> None:
        """Write down that the last turn was asked."""
        if self._store is None:
            return
        self.session = self.session or self._store.begin_session()
        number = len(self._turns) - 1
        turn, parent = self._turns[number], self._turns.parent_of(number)
        above = parent.id if parent is not None and parent.id else None
        turn.id = self._store.begin_turn(self.session, turn.prompt, parent=above)

    def open_run(
        self, mixture: Mixture, *, given_from: int | None = None
    ) -> Callable[[Event], None] | None:
        """Write down that a run begins for the last turn; return what takes its events."""
        if self._store is None:
            return None
        number = len(self._turns) - 1
        turn = self._turns[number]
        self._recorder = self._store.begin_run(turn.id, mixture, given_from=given_from or None)
        self._is_live, self.is_saved = True, None
        self._turns.put(number, replace(turn.version, id=self._recorder.id))
        self._store.show(turn.id, self._recorder.id)
        return self._recorder.record

    def close_run(self) -> None:
        """Write down that the run ended, whatever its end."""
        self._is_live = False
        if self._recorder is not None:
            self._recorder.close()

    async def settle(self) -> None:
        """Wait until what was asked is safely on disk; for a disk that is stuck only a second."""
        if self._store is not None:
            with suppress(TimeoutError):
                async with self._clock.timeout(_STUCK_S):
                    await self._store.settled()

    async def learn(self) -> None:
        """Wait until it is known whether the run that ended last is safely on disk."""
        recorder = self._recorder
        if recorder is not None and not self._is_live:
            is_saved = await recorder.saved()
            # Another run may have begun meanwhile.
            if recorder is self._recorder:
                self.is_saved = is_saved

    def show(self, number: int) -> None:
        """Write down which version a turn shows, and which turn is the last one now."""
        if self._store is None:
            return
        turn = self._turns[number]
        version = turn.version
        if version.id and version.taken is not None:
            self._store.take(turn.id, version.id, version.taken, version.answer)
        elif version.id:
            self._store.show(turn.id, version.id)
        self._store.go_to(self.session, self._turns[-1].id or None)

    def keep_draft(self, draft: str) -> None:
        """Write down what stands in the composer and waits above it, where that has changed."""
        kept = (draft, self._turns.queue)
        is_nothing = not draft and not self._turns.queue and not self.session
        # The first paint asks too, and must not wait for the store to be opened.
        if kept == self._kept or is_nothing or self.is_waiting:
            return
        if (store := self._store) is None:
            return
        self._kept = kept
        self.session = self.session or store.begin_session()
        store.keep_draft(self.session, draft, queue=self._turns.queue)

    async def neighbour(self, step: int) -> str:
        """Return the session after this one in the list, the newest first, or with -1 before it.

        "" is none. One that isn't written down stands above the newest.

        Raises:
            MoaError: they can't be read.
        """
        if self._store is None:
            return ""
        ids = [row.id for row in await self._store.sessions(_MOST)]
        at = (ids.index(self.session) if self.session in ids else -1) + step
        return ids[at] if 0 <= at < len(ids) else ""

    async def replay(self, run: int) -> Sequence[Event]:
        """Return what happened in a run, every delta as it came.

        Raises:
            MoaError: it can't be read.
        """
        return [] if self._store is None else await self._store.replay(run)

    async def fill(self, number: int) -> None:
        """Read the seats of the version that a turn shows, unless they are here.

        Raises:
            MoaError: they can't be read.
        """
        turn = self._turns[number]
        version = turn.version
        if self._store is None or version.is_whole or not version.id:
            return
        events = await self._store.run(version.id)
        test = tuple(await self._store.test(version.id))
        # Another version may be shown by now.
        state = _state_of(version, events)
        self._turns.fill(turn, version, partial(_filled, run=state, test=test))

    def judge(self, number: int, test: tuple[Entry, ...]) -> bool:
        """Keep a blind test of the run that a turn shows; return whether it is written down."""
        self._turns.judge(number, test)
        version = self._turns[number].version
        if self._store is None or not version.id:
            return False
        self._store.keep_test(version.id, test)
        return True

    async def judged(self) -> Sequence[Judged]:
        """Return every blind test that was made, or those of this conversation if none are kept.

        Raises:
            MoaError: they can't be read.
        """
        return self._turns.judged() if self._store is None else await self._store.tests()


def _state_of(version: Version, events: Sequence[Event]) -> RunState:
    from moa_tui.engine.state import state_after  # noqa: PLC0415 - the first paint needs none

    state = state_after(events)
    if state.status in ("idle", "running"):
        state = stilled(state, status="stopped")
    if version.run is not None and version.run.message:
        state = replace(state, message=version.run.message)
    return state


def _filled(version: Version, *, run: RunState, test: tuple[Entry, ...]) -> Version:
    if version.taken is None:
        answer = run.answer if run.status == "done" else ""
    else:
        seat = run.seats.get(version.taken)
        answer = version.answer if seat is None else str(seat.text).strip()
    return replace(version, run=run, answer=answer, is_whole=True, test=test)


async def opened_from(
    store: Callable[[], Store] | None,
    session: str,
    *,
    is_private: bool = False,
    is_replay: bool = False,
) -> Opened:
    """Return a stored conversation as a screen begins with it, a new one for "".

    Raises:
        MoaError: it can't be read.
    """
    if store is None or not session:
        return Opened(is_private=is_private)
    kept = store()
    found = await _found(kept, session)
    return Opened(
        turns_of(found),
        found.id,
        found.draft,
        mixture=await _mixture_of(kept, found),
        prompts=tuple(_prompt(row.prompt) for row in found.turns),
        is_replay=is_replay,
    )


async def _mixture_of(store: Store, session: Session) -> Mixture | None:
    """Return the mixture of the run that is shown last, None if there is none or it can't be read.

    What was merged anew has one whose layers are seated already: the recipe is that of the run
    whose proposals they were.
    """
    turn = next((turn for turn in reversed(session.path()) if turn.shown_run is not None), None)
    if turn is None or turn.shown_run is None:
        return None
    runs = {run.id: run for run in turn.runs}
    first = shown = turn.shown_run
    while (run := runs.pop(first, None)) is not None and run.given_from is not None:
        first = run.given_from
    try:
        recipe = await store.mixture(first)
        merging = recipe if first == shown else await store.mixture(shown)
    except MoaError:
        # Its seats can't be read either, and that is said when they are wanted.
        return None
    return replace(recipe, aggregator=merging.aggregator)


async def _found(store: Store, session: str) -> Session:
    """Return the session with this id, else the only one whose id begins so."""
    try:
        return await store.load(session)
    except MoaError:
        begun = [row.id for row in await store.sessions(_MOST) if row.id.startswith(session)]
        if len(begun) != 1:
            raise
        return await store.load(begun[0])


def turns_of(session: Session) -> Turns:
    """Return a stored conversation, each version without its seats."""
    turns = Turns()
    turns.name = session.title if session.is_named else ""
    made = {row.id: _turn(row) for row in session.turns}
    for row in session.turns:
        turns.graft(made[row.id], made.get(row.parent) if row.parent is not None else None)
    for row in session.path():
        turns.turn_to(made[row.id])
    for prompt in session.queue:
        turns.wait(_prompt(prompt))
    if session.queue:
        turns.held = words.held(words.REOPENED)
    return turns


def _prompt(asked: Asked) -> Prompt:
    return Prompt(asked.text, asked.shown, asked.typed)


def _turn(row: TurnRow) -> Turn:
    turn = Turn(prompt=_prompt(row.prompt), id=row.id)
    by_id = {run.id: run for run in row.runs}
    for run in row.runs:
        is_shown = run.id == row.shown_run
        answer = row.answer if is_shown else ""
        source = by_id.get(run.given_from or 0, run) if run.status == "taken" else run
        if run.status != "taken":
            turn.versions.append(_version(run, "" if run.taken_from is not None else answer))
        if run.taken_from is not None:
            turn.versions.append(_version(source, answer, taken=run.taken_from))
        if is_shown:
            turn.shown = len(turn.versions) - 1
    if not turn.versions:
        turn.versions.append(Version())
    turn.leave_empty()
    return turn


def _version(run: RunRow, answer: str, *, taken: Seat | None = None) -> Version:
    return Version(
        run=_end_of(run, answer),
        answer=answer,
        taken=taken,
        id=run.id,
        is_empty=run.is_empty,
        is_whole=False,
    )


def _end_of(run: RunRow, answer: str) -> RunState:
    """Return a run as far as its row tells: how it ended, and what it used."""
    from moa_tui.engine.state import RunState  # noqa: PLC0415 - as above

    state = RunState(usage=run.usage, t=run.seconds or 0.0)
    match run.status:
        case "done" | "taken":
            return replace(state, status="done", answer=answer, reason=run.reason)
        case "failed":
            return replace(state, status="failed", message=run.message)
        case "live":
            return replace(state, status="stopped", message=words.LIVE_ELSEWHERE)
        case "interrupted":
            return replace(state, status="stopped", message=words.INTERRUPTED)
        case _:
            return replace(state, status="stopped", message=run.message)
