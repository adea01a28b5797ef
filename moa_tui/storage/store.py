"""Sessions on disk, as the screen and the commands use them.

Changes are plain calls that return at once: they are made in order by a thread of the store, and
`settled` or a recorder's `saved` tells when they are safe. Reading is awaited.
"""

from __future__ import annotations

import asyncio
import random
import time
from contextlib import suppress
from functools import partial
from os import getpid
from typing import TYPE_CHECKING, TypeVar

from moa_tui.storage import export, reading, words, writing
from moa_tui.storage.adopting import bring_up
from moa_tui.storage.disk import Disk
from moa_tui.storage.ids import Ids
from moa_tui.storage.opening import open_store
from moa_tui.storage.plain import storable
from moa_tui.storage.reader import Reader
from moa_tui.storage.recorder import RunRecorder
from moa_tui.storage.records import Asked, StoreError
from moa_tui.storage.writer import CHECKPOINT_S, Writer

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
    from pathlib import Path

    from moa_tui.engine.blind import Entry, Judged
    from moa_tui.engine.events import Event
    from moa_tui.engine.mixture import Mixture, Seat
    from moa_tui.storage.opening import Opened
    from moa_tui.storage.records import (
        Archive,
        Hit,
        Prompt,
        Session,
        SessionRow,
        Spot,
        Trouble,
        Unfinished,
    )
    from moa_tui.storage.writer import Change, Posted

T = TypeVar("T")

_PATIENCE_S = 0.5
"""Seconds for which reading waits for what is being written."""

KEPT_DELETED_S = 24 * 3600.0
"""Seconds for which a deleted session can come back."""


class Store:
    """The sessions of a folder; `open` makes it."""

    def __init__(
        self,
        disk: Disk,
        *,
        clock: Callable[[], float] = time.time,
        chance: random.Random | None = None,
        every_s: float = CHECKPOINT_S,
        patience_s: float = _PATIENCE_S,
    ) -> None:
        self._disk = disk
        self._clock = clock
        self._ids = Ids(clock, chance or random.SystemRandom())
        self._owner = f"{getpid()}-{self._ids.word()}"
        self._patience_s = patience_s
        self._claim: int | None = None
        self._deleted: list[str] = []
        self._recorders: dict[int, RunRecorder] = {}
        self._trouble: Trouble | None = None
        self._listeners: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []
        self._writer = Writer(disk, self._opened, on_trouble=self._hear, every_s=every_s)
        self._reader = Reader(disk, self._writer)

    @classmethod
    def open(cls, folder: Path, *, clock: Callable[[], float] = time.time) -> Store:
        """Open the sessions of a folder; whatever is wrong with them is `trouble`, no exception.

        It returns at once: the files are opened in the store's thread. ``clock`` gives the date.
        """
        return cls(Disk(folder), clock=clock)

    async def aclose(self) -> None:
        """Keep live runs as interrupted, write what is left, and close the files."""
        for recorder in tuple(self._recorders.values()):
            recorder.close()
        await self._reader.close()
        await asyncio.to_thread(self._writer.close)
        if self._claim is not None:
            with suppress(OSError):
                self._disk.release(self._owner, self._claim)

    @property
    def trouble(self) -> Trouble | None:
        """What keeps the store from its work now, for a banner; None: all is well."""
        return self._trouble

    @property
    def deleted(self) -> Sequence[str]:
        """The sessions that were deleted here and aren't back, the one deleted last at the end."""
        return tuple(self._deleted)

    async def troubles(self) -> AsyncGenerator[Trouble | None, None]:
        """Yield what is wrong, if anything is, and then whatever `trouble` becomes."""
        changed = asyncio.Event()
        listener = (asyncio.get_running_loop(), changed)
        self._listeners.append(listener)
        try:
            await self.opened()
            told: Trouble | None = None
            while True:
                changed.clear()
                if self._trouble != told:
                    told = self._trouble
                    yield told
                    continue
                await changed.wait()
        finally:
            self._listeners.remove(listener)

    async def opened(self) -> Trouble | None:
        """Wait until the files are open, and return what is wrong with them."""
        await asyncio.shield(asyncio.wrap_future(self._writer.opened))
        return self._trouble

    # What changes; each returns at once.

    def begin_session(self) -> str:
        """Return a new session's id; it is stored with its first turn or draft."""
        return self._ids.word()

    def begin_turn(self, session: str, prompt: Prompt, *, parent: int | None = None) -> int:
        """Add a question below another turn (None: a first one), and return its id.

        It becomes the session's head.
        """
        turn = self._ids.number()
        clean = _storable(prompt)
        change = partial(writing.add_turn, session=session, parent=parent, prompt=clean)
        at = self._clock()
        self._post(lambda db: change(db, turn, at=at), session=session)
        return turn

    def begin_run(
        self, turn: int, mixture: Mixture, *, given_from: int | None = None
    ) -> RunRecorder:
        """Add a run to a turn and return what takes its events.

        ``given_from`` is the run whose proposals are merged anew.
        """
        run = writing.NewRun(
            id=self._ids.number(),
            turn=turn,
            mixture=mixture,
            given_from=given_from,
            owner=self._owner,
            at=self._clock(),
        )

        def change(db: sqlite3.Connection) -> None:
            self._show_alive()
            writing.add_run(db, run)

        self._post(change, turn=turn)
        recorder = RunRecorder(run.id, on_end=self._end)
        self._recorders[run.id] = recorder
        self._writer.attach(recorder)
        return recorder

    def show(self, turn: int, run: int) -> None:
        """Make a run the one that a turn shows."""
        spare = self._ids.number()
        self._post(lambda db: writing.show_run(db, turn, run, spare=spare), turn=turn)

    def take(self, turn: int, run: int, seat: Seat, text: str) -> None:
        """Make a proposal of a run the answer that its turn shows.

        It is a run of its own, "taken", and made once: taken again, it is only shown.
        """
        take = writing.Take(
            id=self._ids.number(),
            turn=turn,
            run=run,
            seat=seat,
            text=storable(text),
            at=self._clock(),
        )
        self._post(lambda db: writing.take(db, take), turn=turn)

    def go_to(self, session: str, turn: int | None) -> None:
        """Make a turn the session's head; None is before the first one."""
        self._post(lambda db: writing.go_to(db, session, turn), session=session)

    def keep_test(self, run: int, entries: Iterable[Entry]) -> None:
        """Keep who stood in a run's blind test, and who was picked."""
        kept = tuple(entries)
        self._post(lambda db: writing.keep_test(db, run, kept), run=run)

    def rename(self, session: str, title: str) -> None:
        """Name a session; "" names it after its first prompt again."""
        self._post(lambda db: writing.rename(db, session, storable(title)), session=session)

    def delete(self, session: str) -> None:
        """Take a session out of sight; it is gone for good a day later."""
        at = self._clock()
        self._forget_deleted(session)
        self._deleted.append(session)
        self._post(lambda db: writing.delete(db, session, at), session=session)

    def undelete(self, session: str) -> None:
        """Bring a deleted session back."""
        self._forget_deleted(session)
        self._post(lambda db: writing.delete(db, session, None), session=session)

    def _forget_deleted(self, session: str) -> None:
        if session in self._deleted:
            self._deleted.remove(session)

    def keep_draft(self, session: str, draft: str, *, queue: Sequence[Prompt] = ()) -> None:
        """Keep what stands in a session's composer, and the prompts that wait above it."""
        waiting = tuple(map(_storable, queue))
        change = partial(writing.keep_draft, queue=waiting, at=self._clock())
        kept = storable(draft)
        self._post(lambda db: change(db, session, kept), session=session, is_urgent=False)

    async def settled(self) -> bool:
        """Wait until all changes so far are safely on disk; False: they can't be at present."""
        return await self._writer.mark().saved()

    async def add(self, archive: Archive) -> str:
        """Add a session that was exported, and return its id: its own, unless that is taken.

        Raises:
            StoreError: it can't be saved at all.
        """
        fallback = self._ids.word()
        change = partial(writing.add_archive, archive=archive, fallback=fallback)
        posted = self._post(lambda db: change(db, new_ids=self._ids.number), is_answered=True)
        return await self._result(posted)

    async def unfinished(self) -> tuple[Unfinished, ...]:
        """Find the runs that were live when their process died, and keep them as interrupted.

        Each is found once, by the first instance that asks; those of instances that still run are
        left alone. What was deleted long ago goes for good here.

        Raises:
            StoreError: it can't be written at present.
        """
        before = self._clock() - KEPT_DELETED_S

        def change(db: sqlite3.Connection) -> tuple[Unfinished, ...]:
            found, dead = writing.interrupt_dead(db, self._is_alive)
            writing.purge(db, before)
            for owner in dead:
                with suppress(OSError):
                    self._disk.release(owner)
            return tuple(found)

        return await self._result(self._post(change, is_answered=True))

    async def erase_deleted(self) -> None:
        """Remove for good what was deleted, without waiting a day.

        Raises:
            StoreError: it can't be written at present.
        """
        await self._result(self._post(writing.erase_deleted, is_answered=True))

    # What is read.

    async def sessions(self, limit: int = 50, *, before: Spot | None = None) -> list[SessionRow]:
        """Return sessions, the newest first, or those that come after one.

        Raises:
            StoreError: they can't be read; so do all that follow.
        """
        after = None if before is None else (before.touched_at, before.id)
        question = partial(reading.sessions, limit=limit, before=after, owner=self._owner)
        return await self._asked(question)

    async def search(self, text: str, *, limit: int = 50) -> list[Hit]:
        """Return where all the words of a text stand, in prompts, answers, proposals and names."""
        return await self._asked(partial(reading.search, typed=text, limit=limit))

    async def load(self, session: str) -> Session:
        """Return a session with its tree of turns and the answers that are shown."""
        return await self._asked(partial(reading.load, session=session))

    async def mixture(self, run: int) -> Mixture:
        """Return the mixture of a run, as it was run."""
        return await self._asked(partial(reading.mixture_of_run, run=run))

    async def run(self, run: int) -> list[Event]:
        """Return what happened in a run, with one delta a kind and attempt."""
        return await self._asked(partial(reading.events_of, run=run, is_sliced=False))

    async def replay(self, run: int) -> list[Event]:
        """Return what happened in a run, every delta as and when it came."""
        return await self._asked(partial(reading.events_of, run=run, is_sliced=True))

    async def test(self, run: int) -> tuple[Entry, ...]:
        """Return who stood in a run's blind test, nobody where there was none."""
        return await self._asked(partial(reading.test_of, run=run))

    async def tests(self) -> list[Judged]:
        """Return every blind test of the sessions that are there."""
        return await self._asked(reading.tests)

    async def whole(self, session: str) -> Archive:
        """Return a session with everything in it, for export."""
        return await self._asked(partial(reading.whole, session=session))

    async def markdown(self, session: str) -> str:
        """Return a session's conversation up to its head as a page."""
        archive = await self.whole(session)
        return await asyncio.to_thread(export.to_markdown, archive)

    async def _asked(self, question: Callable[[reading.Databases], T]) -> T:
        # What was changed a moment ago is part of the answer, unless it can't be saved.
        with suppress(TimeoutError):
            async with asyncio.timeout(self._patience_s):
                await self._writer.mark().saved()
        return await self._reader.ask(question)

    def _post(
        self,
        change: Change[T],
        *,
        session: str = "",
        turn: int | None = None,
        run: int | None = None,
        is_urgent: bool = True,
        is_answered: bool = False,
    ) -> Posted[T]:
        """Post a change of a session, which one of its turns or runs may stand for."""

        def made(db: sqlite3.Connection) -> T:
            below = self._writer.opened.result().below
            if below is not None:
                bring_up(db, below, session=session, turn=turn, run=run)
            return change(db)

        return self._writer.post(made, is_urgent=is_urgent, is_answered=is_answered)

    async def _result(self, posted: Posted[T]) -> T:
        if not await posted.saved() and not posted.result.done():
            raise StoreError(self._trouble.words if self._trouble else words.NOT_NOW)
        if posted.result.cancelled():
            raise StoreError(words.NOT_NOW)
        return posted.result.result()

    def _end(self, recorder: RunRecorder) -> Posted[None]:
        self._recorders.pop(recorder.id, None)

        def change(db: sqlite3.Connection) -> None:
            self._writer.detach(recorder)
            writing.end_run(db, recorder.id, recorder.unsaved())

        return self._post(change, run=recorder.id)

    def _show_alive(self) -> None:
        if self._claim is None and self._writer.opened.result().is_saving:
            self._claim = self._disk.claim(self._owner)

    def _is_alive(self, owner: str) -> bool:
        return owner == self._owner or self._disk.is_alive(owner)

    def _opened(self, suspicion: int) -> Opened:
        stamp = time.strftime("%Y%m%d-%H%M%S", time.localtime(self._clock()))
        return open_store(self._disk, stamp, suspicion=suspicion)

    def _hear(self, trouble: Trouble | None) -> None:
        self._trouble = trouble
        for loop, changed in tuple(self._listeners):
            with suppress(RuntimeError):  # its loop is closed
                loop.call_soon_threadsafe(changed.set)


def _storable(prompt: Prompt) -> Asked:
    return Asked(storable(prompt.text), storable(prompt.shown), storable(prompt.typed))
