"""The thread that reads, with a connection of its own, so that no reading waits for a write."""

from __future__ import annotations

import asyncio
import sqlite3
import zlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from moa_tui.storage import words
from moa_tui.storage.opening import is_damage, reason
from moa_tui.storage.records import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable

    from moa_tui.storage.disk import Disk
    from moa_tui.storage.reading import Databases
    from moa_tui.storage.writer import Writer

T = TypeVar("T")
Question: TypeAlias = "Callable[[Databases], T]"

_UNREADABLE = (sqlite3.Error, ValueError, LookupError, TypeError, zlib.error)
"""What comes of a row that is damaged in a way that SQLite can't know."""

_CACHE_KIB = 32_000


class Reader:
    """Answers questions about what is stored, changes that were posted before included."""

    def __init__(self, disk: Disk, writer: Writer) -> None:
        self._disk = disk
        self._writer = writer
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="moa-store-read")
        self._db: sqlite3.Connection | None = None
        self._identity: tuple[int, int] | None = None

    async def ask(self, question: Question[T]) -> T:
        """Return the answer.

        Raises:
            StoreError: it can't be read, or the question is about what isn't there.
        """
        try:
            return await self._asked(question)
        except _UNREADABLE as error:
            if not is_damage(error):
                raise self._failure(error) from error
            damage = error
        # What reads has found it first: the writer mends it, then it is asked once more.
        await self._writer.post(_raise(damage), is_answered=True).saved()
        try:
            return await self._asked(question)
        except _UNREADABLE as error:
            raise self._failure(error) from error

    async def close(self) -> None:
        """End the thread."""
        await asyncio.get_running_loop().run_in_executor(self._pool, self._close)
        self._pool.shutdown()

    async def _asked(self, question: Question[T]) -> T:
        opened = await asyncio.wrap_future(self._writer.opened)
        if opened.is_saving:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._pool, self._answer, question)
        databases = tuple(filter(None, (opened.db, opened.below)))
        posted = self._writer.post(lambda _: question(databases), is_answered=True)
        return await asyncio.shield(asyncio.wrap_future(posted.result))

    def _answer(self, question: Question[T]) -> T:
        return question((self._connection(),))

    def _connection(self) -> sqlite3.Connection:
        try:
            identity = self._disk.identity()
            if self._db is None or identity != self._identity:
                self._close()
                self._db = self._disk.connect("ro")
                self._db.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
                self._identity = identity
        except OSError as error:
            raise self._failure(error) from error
        return self._db

    def _close(self) -> None:
        if self._db is not None:
            with suppress(sqlite3.Error):
                self._db.close()
            self._db = None

    def _failure(self, error: Exception) -> StoreError:
        return StoreError(words.UNREADABLE.format(path=self._disk.path, why=reason(error)))


def _raise(error: Exception) -> Callable[[sqlite3.Connection], None]:
    # Raised once: the same change is tried again when the file is mended.
    left = [error]

    def change(_: sqlite3.Connection) -> None:
        if left:
            raise left.pop()

    return change
