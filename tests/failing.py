"""One injector for every kind of call: it counts them, and lets the one of a given number fail."""

from __future__ import annotations

import asyncio
import errno
import itertools
import os
import sqlite3
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import httpx

from moa_tui.engine.clock import AsyncioClock
from moa_tui.storage.disk import Disk

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from _typeshed import FileDescriptorLike

ConnectionT = TypeVar("ConnectionT", bound=sqlite3.Connection)

FILE_EVENTS = (
    *("open", "os.mkdir", "os.remove", "os.rename", "os.listdir", "os.scandir", "os.chmod"),
    *("tempfile.mkstemp", "fcntl.flock", "sqlite3.connect", "socket.connect"),
)
"""What Python tells its audit hooks before it does it; a hook that raises forbids it."""

DISK_FAULTS = (errno.ENOSPC, errno.EIO, errno.EACCES)
HTTP_FAULTS = (
    httpx.ConnectError,
    httpx.ReadError,
    httpx.ReadTimeout,
    httpx.RemoteProtocolError,
    httpx.CloseError,
)


@dataclass
class Faults:
    """Counts calls from any thread; the one with ``number`` fails, in ``kind`` of many ways."""

    number: int = 0
    kind: int = 0
    calls: list[str] = field(default_factory=list)
    struck: str = ""
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def strikes(self, call: str) -> bool:
        """Count a call and return whether it is the one."""
        self.calls.append(call)
        if next(self._numbers) != self.number:
            return False
        self.struck = call
        return True

    def disk(self, call: str) -> None:
        """Count a call of a file; raise if it is the one."""
        if self.strikes(call):
            code = DISK_FAULTS[self.kind % len(DISK_FAULTS)]
            raise OSError(code, os.strerror(code))

    def statement(self, call: str) -> None:
        """Count a call of a database; raise if it is the one."""
        if self.strikes(call):
            words = ("database or disk is full", "disk I/O error")
            raise sqlite3.OperationalError(words[self.kind % len(words)])

    def http(self, call: str) -> None:
        """Count a call of a connection; raise if it is the one."""
        if self.strikes(call):
            raise HTTP_FAULTS[self.kind % len(HTTP_FAULTS)]("on purpose")


# Files


class _Hook:
    """An audit hook can't be taken away again: this one is told whom to ask, if anyone."""

    def __init__(self) -> None:
        self.faults: Faults | None = None
        self.folder = ""
        self.is_installed = False

    def __call__(self, event: str, given: tuple[object, ...]) -> None:
        if self.faults is None or event not in FILE_EVENTS:
            return
        has_path = event not in ("fcntl.flock", "socket.connect")
        if not has_path or self.folder in str(given[0]):
            self.faults.disk(event)


_HOOK = _Hook()


@contextmanager
def failing_files(faults: Faults, folder: Path) -> Iterator[None]:
    """Count what is done to files below a folder, and every connection that is made."""
    if not _HOOK.is_installed:
        sys.addaudithook(_HOOK)
        _HOOK.is_installed = True
    fsync = os.fsync

    def failing_fsync(fd: FileDescriptorLike) -> None:
        faults.disk("fsync")
        fsync(fd)

    _HOOK.faults, _HOOK.folder, os.fsync = faults, str(folder), failing_fsync
    try:
        yield
    finally:
        _HOOK.faults, os.fsync = None, fsync


# The database


class FailingConnection(sqlite3.Connection):
    """A connection every statement of which may fail."""

    faults: Faults

    def execute(self, *given: Any) -> sqlite3.Cursor:  # noqa: ANN401 - as sqlite3 has it
        self.faults.statement("execute")
        return super().execute(*given)

    def executemany(self, *given: Any) -> sqlite3.Cursor:  # noqa: ANN401 - as sqlite3 has it
        self.faults.statement("executemany")
        return super().executemany(*given)


def connected(uri: str, factory: type[ConnectionT]) -> ConnectionT:
    """Return a connection of a kind of one's own, made as `Disk.open` makes them."""
    return sqlite3.connect(
        uri, uri=True, isolation_level=None, check_same_thread=False, factory=factory
    )


class FailingDisk(Disk):
    """A disk whose databases are such connections."""

    def __init__(self, folder: Path, faults: Faults) -> None:
        super().__init__(folder)
        self.faults = faults

    def open(self, uri: str) -> sqlite3.Connection:
        made = connected(uri, FailingConnection)
        made.faults = self.faults
        return made


# The network and the clock


class FailingTransport(httpx.AsyncBaseTransport):
    """Answers every request with the same stream, in which each step may fail."""

    def __init__(self, faults: Faults, pieces: tuple[bytes, ...]) -> None:
        self._faults = faults
        self._pieces = pieces

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self._faults.http("request")
        await request.aread()
        return httpx.Response(200, stream=_FailingBody(self._faults, self._pieces))


class _FailingBody(httpx.AsyncByteStream):
    def __init__(self, faults: Faults, pieces: tuple[bytes, ...]) -> None:
        self._faults = faults
        self._pieces = pieces

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            self._faults.http("read")
            await asyncio.sleep(0)
            yield piece

    async def aclose(self) -> None:
        self._faults.http("close")


class FailingClock(AsyncioClock):
    """A clock whose waits are over at once, and one of whose limits passes at once."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults

    async def sleep(self, seconds: float, /) -> None:
        del seconds
        await asyncio.sleep(0)

    def timeout(self, seconds: float | None, /) -> AbstractAsyncContextManager[object]:
        return asyncio.timeout(0 if self._faults.strikes("timeout") else seconds)
