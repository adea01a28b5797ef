"""The one thread that writes: it takes changes in order, and checkpoints the runs that are live."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from concurrent.futures import Future
from contextlib import contextmanager, nullcontext, suppress
from functools import partial
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Final, Generic, TypeAlias, TypeVar

from moa_tui.storage import words
from moa_tui.storage.opening import Opened, is_damage, reason
from moa_tui.storage.records import Trouble
from moa_tui.storage.writing import add_chunk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from contextlib import AbstractContextManager

    from moa_tui.storage.disk import Disk
    from moa_tui.storage.recorder import RunRecorder

T = TypeVar("T")
Change: TypeAlias = "Callable[[sqlite3.Connection], T]"

CHECKPOINT_S: Final = 0.25
"""Seconds of a stream that a crash may cost."""

_RETRY_S: Final = 1.0
_MOST_MENDS: Final = 2
_OF_ONE_CHANGE: Final = (
    sqlite3.IntegrityError,
    sqlite3.ProgrammingError,
    sqlite3.InterfaceError,
    sqlite3.DataError,
)
"""What SQLite says about one change, and not about the file."""


class _ReplacedError(Exception):
    """The file that is open isn't the one of its name any more."""


class Posted(Generic[T]):
    """A change on its way to the disk."""

    def __init__(
        self, change: Change[T], *, is_urgent: bool = True, is_answered: bool = False
    ) -> None:
        self.change = change
        self.is_urgent = is_urgent
        self.is_answered = is_answered
        self.result: Future[T] = Future()
        self.told: Future[bool] = Future()

    async def saved(self) -> bool:
        """Wait until it is safely on disk; False: it can't be saved at present."""
        if not self.told.done():
            await asyncio.shield(asyncio.wrap_future(self.told))
        return self.told.result()

    def give_up(self) -> None:
        """Say that it will never be on disk."""
        self.result.cancel()
        self.tell(is_saved=False)

    def tell(self, *, is_saved: bool) -> None:
        """Say whether it is on disk; it may be said again, and the last word counts."""
        if self.told.done():
            fresh: Future[bool] = Future()
            fresh.set_result(is_saved)
            self.told = fresh
        else:
            self.told.set_result(is_saved)


class Writer:
    """Owns the connection that writes, and the thread that alone uses it.

    ``opening`` opens the store, in the thread, told how often it was found to be damaged;
    ``on_trouble`` hears, in the thread, what is wrong now, or None when all is well again.
    """

    def __init__(
        self,
        disk: Disk,
        opening: Callable[[int], Opened],
        *,
        on_trouble: Callable[[Trouble | None], None],
        every_s: float = CHECKPOINT_S,
    ) -> None:
        self._disk = disk
        self._opening = opening
        self._on_trouble = on_trouble
        self._every_s = every_s
        self._queue: SimpleQueue[Posted[object] | RunRecorder | None] = SimpleQueue()
        self._waiting: list[Posted[object]] = []
        self._live: dict[int, RunRecorder] = {}
        self._flush_at = 0.0
        self._is_closing = False
        self._is_failing = False
        self._mends = 0
        self.opened: Future[Opened] = Future()
        self._thread = threading.Thread(target=self._work, name="moa-store", daemon=True)
        self._thread.start()

    def post(
        self, change: Change[T], *, is_urgent: bool = True, is_answered: bool = False
    ) -> Posted[T]:
        """Put a change at the end of the queue; not urgent: a loss of power may undo it.

        ``is_answered``: somebody waits for its result, and hears of its error there.
        """
        posted = Posted(change, is_urgent=is_urgent, is_answered=is_answered)
        self._put(posted)
        return posted

    def mark(self) -> Posted[None]:
        """Put nothing at the end of the queue: it is saved when all before it is."""
        posted: Posted[None] = Posted(_nothing, is_urgent=False)
        self._put(posted)
        return posted

    def _put(self, posted: Posted[T]) -> None:
        self._queue.put(posted)  # type: ignore[arg-type] # whoever posted it alone reads its result
        if not self._thread.is_alive():
            self._give_up()

    def attach(self, recorder: RunRecorder) -> None:
        """Checkpoint a run from now on, until `detach` is called by the change that ends it."""
        self._queue.put(recorder)

    def detach(self, recorder: RunRecorder) -> None:
        """Stop checkpointing a run that has its end; in the writer's thread."""
        self._live.pop(recorder.id, None)

    def close(self) -> None:
        """Write what is left, give up what can't be written, and end the thread."""
        self._queue.put(None)
        self._thread.join()
        self._give_up()

    def _give_up(self) -> None:
        """Answer those who came when all was over."""
        with suppress(Empty):
            while True:
                item = self._queue.get_nowait()
                if isinstance(item, Posted):
                    item.give_up()

    def _work(self) -> None:
        opened = self._opening(0)
        self._on_trouble(opened.trouble)
        self.opened.set_result(opened)
        try:
            while not self._is_closing:
                self._gather()
                if self._waiting or self._is_due():
                    self._write()
            if self._waiting:
                self._write()
        finally:
            self._end()

    def _gather(self) -> None:
        """Wait for something to do, and take all that is there."""
        timeout = self._pause()
        try:
            item = self._queue.get(timeout=timeout)
            while True:
                self._take(item)
                item = self._queue.get_nowait()
        except Empty:
            return

    def _take(self, item: Posted[object] | RunRecorder | None) -> None:
        if item is None:
            self._is_closing = True
        elif not isinstance(item, Posted):
            self._live[item.id] = item
        elif self._is_failing and item.change is _nothing:
            # Who asks meanwhile isn't kept waiting for the next try.
            item.tell(is_saved=False)
        else:
            self._waiting.append(item)

    def _pause(self) -> float | None:
        if self._waiting:
            return _RETRY_S if self._is_failing else 0.0
        if self._live:
            # A stream that pauses isn't looked at in a hurry.
            return max(0.0, self._flush_at - time.monotonic()) or self._every_s
        return None

    def _is_due(self) -> bool:
        is_time = time.monotonic() >= self._flush_at
        return is_time and any(recorder.has_unsaved for recorder in self._live.values())

    def _write(self) -> None:
        """Make all changes that wait, and checkpoint what is due, together or not at all."""
        is_due = self._is_due()
        is_idle = all(posted.change is _nothing for posted in self._waiting)
        if is_idle and not is_due and not self._is_failing:
            marks, self._waiting = self._waiting, []
            self._tell([(mark, None) for mark in marks])
            return
        flushed: list[tuple[RunRecorder, object]] = []
        try:
            is_urgent = any(posted.is_urgent for posted in self._waiting)
            with self._transaction(is_urgent=is_urgent) as db:
                results = [(posted, self._made(db, posted.change)) for posted in self._waiting]
                if is_due:
                    live = tuple(self._live.values())
                    flushed = [(one, self._made(db, partial(_flush, one))) for one in live]
        except Exception as error:  # noqa: BLE001 - the edge of a worker: it is told
            self._fail(error)
        else:
            self._waiting.clear()
            self._tell([*results, *(self._flushed(*one) for one in flushed)])
        if is_due:
            self._flush_at = time.monotonic() + self._every_s

    def _flushed(self, recorder: RunRecorder, result: object) -> tuple[_Checkpoint, object]:
        """Let go of what a checkpoint has, or of a run that can't have any: its end tells why."""
        if isinstance(result, Exception):
            self.detach(recorder)
        else:
            recorder.forget()
        return _Checkpoint(), result

    def _made(self, db: sqlite3.Connection, change: Change[object]) -> object:
        """Return a change's result, or the error that it alone is to blame for."""
        db.execute("SAVEPOINT change")
        try:
            result = change(db)
        except Exception as error:
            if _is_of_the_file(error):
                raise
            db.execute("ROLLBACK TO change")
            result = error
        db.execute("RELEASE change")
        return result

    def _tell(self, results: Iterable[tuple[Posted[object], object]]) -> None:
        is_saving = self.opened.result().is_saving
        refused = [
            result
            for posted, result in results
            if isinstance(result, Exception) and not posted.is_answered
        ]
        if refused:
            text = words.SKIPPED.format(why=refused[0])
            self._on_trouble(Trouble(kind="skipped", words=text, is_saving=is_saving))
        for posted, result in results:
            _settle(posted, result, is_saving=is_saving)
        if self._is_failing and not refused:
            self._on_trouble(self.opened.result().trouble)
        self._is_failing = False

    @contextmanager
    def _transaction(self, *, is_urgent: bool) -> Iterator[sqlite3.Connection]:
        is_on_disk = self.opened.result().is_saving
        with self._lock():
            if is_on_disk:
                self._follow()
            db = self.opened.result().db
            db.execute(f"PRAGMA synchronous = {'FULL' if is_urgent else 'NORMAL'}")
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
                db.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):
                    if db.in_transaction:
                        db.execute("ROLLBACK")
                raise

    def _lock(self) -> AbstractContextManager[None]:
        return self._disk.alone() if self.opened.result().is_saving else nullcontext()

    def _follow(self) -> None:
        """Notice that another instance has put a mended file in place of ours, or nobody any.

        Raises:
            _ReplacedError: so it is.
        """
        if not self._is_ours():
            raise _ReplacedError

    def _is_ours(self) -> bool:
        with suppress(FileNotFoundError):
            return self.opened.result().identity == self._disk.identity()
        return False

    def _fail(self, error: Exception) -> None:
        """Keep everything for the next try, and say so; a damaged file is mended first."""
        if isinstance(error, _ReplacedError):
            self._reopen()
            return
        if is_damage(error) and self._mends < _MOST_MENDS:
            self._mends += 1
            self._reopen(suspicion=self._mends)
            return
        self._is_failing = True
        text = words.NOT_SAVING.format(why=reason(error))
        self._on_trouble(Trouble(kind="not_saving", words=text, is_saving=False))
        # After that, so that who waited finds the trouble told.
        for posted in self._waiting:
            posted.tell(is_saved=False)

    def _reopen(self, *, suspicion: int = 0) -> None:
        # SQLite sees that a file has been moved, and leaves the log of the new one alone.
        self.opened.result().close()
        fresh = self._opening(suspicion)
        reopened: Future[Opened] = Future()
        reopened.set_result(fresh)
        self.opened = reopened
        self._on_trouble(fresh.trouble)

    def _end(self) -> None:
        for posted in self._waiting:
            posted.give_up()
        opened = self.opened.result()
        # Closing the last connection writes the log back, which is a write too.
        with suppress(OSError, sqlite3.Error), self._lock():
            opened.close()


def _is_of_the_file(error: Exception) -> bool:
    if isinstance(error, sqlite3.Error):
        return not isinstance(error, _OF_ONE_CHANGE)
    return isinstance(error, OSError) or is_damage(error)


def _settle(posted: Posted[object], result: object, *, is_saving: bool) -> None:
    if isinstance(result, Exception):
        posted.result.set_exception(result)
        posted.tell(is_saved=False)
        return
    posted.result.set_result(result)
    posted.tell(is_saved=is_saving)


class _Checkpoint(Posted[object]):
    """Stands for a checkpoint among the changes; nobody waits for it."""

    def __init__(self) -> None:
        super().__init__(_nothing)


def _nothing(_: sqlite3.Connection) -> None:
    """Change nothing."""


def _flush(recorder: RunRecorder, db: sqlite3.Connection) -> None:
    events = recorder.unsaved()
    if events:
        add_chunk(db, recorder.id, events)
