"""Every touch of the file system by the store, so that a test can let each of them fail."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import sqlite3
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, TypeAlias
from urllib.parse import quote

from moa_tui.storage import words

if TYPE_CHECKING:
    from collections.abc import Iterator

Mode: TypeAlias = Literal["rw", "ro", "immutable"]
"""How a database is opened; "immutable" works in a folder where nothing can be written."""

_NETWORKED: Final = frozenset(
    ("nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "lustre", "gpfs", "glusterfs")
)
_MOUNTS: Final = Path("/proc/self/mounts")
_FILES: Final = ("", "-wal", "-shm")
"""What SQLite adds to a database's name for its files."""


class Disk:
    """The folder in which sessions.db lies, and the ways to work in it.

    Its methods raise OSError or sqlite3.Error, as what they call does.
    """

    patience_s = 5.0
    """Seconds to wait for another instance's write."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "sessions.db"

    def prepare(self) -> None:
        """Make the folder and an empty file, both for the user alone, before SQLite makes its own.

        SQLite's would be readable for everybody.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))

    def connect(self, mode: Mode, path: Path | None = None) -> sqlite3.Connection:
        """Open the database, or another one at ``path``."""
        place = quote(str(path or self.path))
        query = "mode=ro&immutable=1" if mode == "immutable" else f"mode={mode}"
        return self.open(f"file:{place}?{query}")

    def memory(self) -> sqlite3.Connection:
        """Open a database that is gone with the program."""
        return self.open("file::memory:")

    def open(self, uri: str) -> sqlite3.Connection:
        """Open any database; transactions are begun by hand."""
        return sqlite3.connect(
            uri, uri=True, timeout=self.patience_s, isolation_level=None, check_same_thread=False
        )

    def identity(self) -> tuple[int, int]:
        """Return what tells the file from one that was put in its place."""
        found = self.path.stat()
        return found.st_dev, found.st_ino

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep the program's other instances from writing.

        Raises:
            TimeoutError: one of them writes for too long.
        """
        descriptor = self._open_lock(self.folder / "sessions.db.lock")
        try:
            self._wait_for(descriptor)
            yield
        finally:
            os.close(descriptor)

    def _open_lock(self, path: Path) -> int:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def _wait_for(self, descriptor: int) -> None:
        until, pause = time.monotonic() + self.patience_s, 0.0005
        while not _locked(descriptor):
            if time.monotonic() > until:
                raise TimeoutError(words.BUSY.format(path=self.path))
            time.sleep(pause)
            pause = min(2 * pause, 0.008)

    def claim(self, owner: str) -> int:
        """Show to other instances that an owner of runs lives, until the descriptor is closed.

        The kernel lets the lock go when the process dies, however it dies.
        """
        descriptor = self._open_lock(self._owner_path(owner))
        _locked(descriptor)
        return descriptor

    def is_alive(self, owner: str) -> bool:
        """Return whether an owner's process still runs."""
        try:
            descriptor = os.open(self._owner_path(owner), os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            return error.errno in (errno.EWOULDBLOCK, errno.EACCES) or _runs(owner)
        finally:
            os.close(descriptor)
        return False

    def release(self, owner: str, descriptor: int | None = None) -> None:
        """Remove what a dead owner left, or what this process has as one."""
        self._owner_path(owner).unlink(missing_ok=True)
        if descriptor is not None:
            os.close(descriptor)

    def _owner_path(self, owner: str) -> Path:
        return self.folder / f"sessions.db.owner-{Path(owner).name}"

    def set_aside(self, stamp: str) -> Path:
        """Give the database's files a name under which nothing opens them, and return it."""
        aside = self._free(self.folder / f"sessions.damaged-{stamp}.db")
        for suffix in _FILES:
            with suppress(FileNotFoundError):
                Path(f"{self.path}{suffix}").rename(f"{aside}{suffix}")
        return aside

    def copy(self, path: Path) -> Path:
        """Copy a database's files, for the user alone, and return the copy's path."""
        copy = self._free(path.with_name(f"{path.name}.copy"))
        for suffix in _FILES[:2]:
            with suppress(FileNotFoundError), Path(f"{path}{suffix}").open("rb") as source:
                self._create(Path(f"{copy}{suffix}"))
                with Path(f"{copy}{suffix}").open("wb") as target:
                    shutil.copyfileobj(source, target)
        return copy

    def remove(self, path: Path) -> None:
        """Remove a database's files."""
        for suffix in _FILES:
            Path(f"{path}{suffix}").unlink(missing_ok=True)

    def backup(self, db: sqlite3.Connection, version: int) -> Path:
        """Write the whole database to a file of its own and return its path."""
        path = self._free(self.folder / f"sessions.version-{version}.db")
        self._create(path)
        db.execute("VACUUM INTO ?", (str(path),))
        return path

    def is_networked(self) -> bool:
        """Return whether the folder is another machine's, where SQLite's WAL doesn't work."""
        try:
            mounts = _MOUNTS.read_text("utf-8", "replace").splitlines()
        except OSError:
            return False
        folder = self.folder.resolve()
        holding = [
            (len(where), kind)
            for _, where, kind, *_ in (line.split() for line in mounts)
            if folder.is_relative_to(where.replace("\\040", " "))
        ]
        kind = max(holding, default=(0, ""))[1]
        return kind in _NETWORKED or kind.startswith("fuse.ssh")

    def _create(self, path: Path) -> None:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))

    def _free(self, path: Path) -> Path:
        number, free = 1, path
        while free.exists():
            number += 1
            free = path.with_name(f"{path.stem}-{number}{path.suffix}")
        return free


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        # Some network file systems have no locks; SQLite's own are left then.
        return error.errno not in (errno.EWOULDBLOCK, errno.EACCES)
    return True


def _runs(owner: str) -> bool:
    """Return whether the process that an owner is named after runs, where there are no locks."""
    try:
        os.kill(int(owner.partition("-")[0]), 0)
    except (ValueError, OverflowError, ProcessLookupError):
        return False
    except PermissionError:
        return True
    return True
