"""How the store is opened: on disk, or in memory above a file that can only be read."""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from moa_tui.storage import words
from moa_tui.storage.indexing import index_all
from moa_tui.storage.records import Trouble
from moa_tui.storage.salvage import salvage
from moa_tui.storage.schema import MIGRATIONS, migrate, version_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from moa_tui.storage.disk import Disk

_CACHE_KIB: Final = 16_000
_WAL_LIMIT: Final = 16_000_000
_DAMAGE: Final = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_READ_ONLY: Final = (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN)


@dataclass(slots=True, kw_only=True)
class Opened:
    """Where rows are written; ``below`` is a file that can only be read, under those in memory."""

    db: sqlite3.Connection
    below: sqlite3.Connection | None = None
    trouble: Trouble | None = None
    identity: tuple[int, int] | None = None
    """The file that ``db`` is; None: it is in memory."""

    @property
    def is_saving(self) -> bool:
        """Whether what is written is on disk."""
        return self.identity is not None

    def close(self) -> None:
        """Close the connections."""
        for connection in (self.below, self.db):
            if connection is not None:
                with suppress(sqlite3.Error):
                    connection.close()


class _NewerError(Exception):
    def __init__(self, version: int) -> None:
        super().__init__(version)
        self.version = version


def is_damage(error: BaseException) -> bool:
    """Return whether an error says that the file is damaged.

    What SQLite says about a damaged table may quote it, and then be no text itself.
    """
    if isinstance(error, UnicodeDecodeError):
        return True
    code = getattr(error, "sqlite_errorcode", 0)
    return isinstance(error, sqlite3.Error) and code & 0xFF in _DAMAGE


def reason(error: BaseException) -> str:
    """Return why something failed, in words."""
    if isinstance(error, OSError):
        return error.strerror or str(error) or type(error).__name__
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return words.FULL if code == sqlite3.SQLITE_FULL else str(error)


def open_store(
    disk: Disk,
    stamp: str,
    *,
    suspicion: int = 0,
    steps: Sequence[Sequence[str]] = MIGRATIONS,
) -> Opened:
    """Open the sessions, whatever state they are in; it never raises.

    ``stamp`` is the date for a damaged file's new name. ``suspicion`` is how often it was found to
    be damaged in use: once, and it is checked; twice, and the check is trusted no more.
    """
    try:
        return _on_disk(disk, stamp, steps, suspicion=suspicion)
    except _NewerError as newer:
        text = words.NEWER.format(path=disk.path, version=newer.version, known=len(steps))
        return _in_memory(disk, Trouble(kind="newer", words=text, is_saving=False))
    except Exception as error:  # noqa: BLE001 - the edge of a worker: it is told
        return _in_memory(disk, _trouble(disk, error))


def _trouble(disk: Disk, error: Exception) -> Trouble:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    is_read_only = isinstance(error, OSError) or code in _READ_ONLY
    text = words.READ_ONLY if is_read_only else words.UNUSABLE
    return Trouble(
        kind="read_only" if is_read_only else "unusable",
        words=text.format(path=disk.path, why=reason(error)),
        is_saving=False,
    )


def _on_disk(disk: Disk, stamp: str, steps: Sequence[Sequence[str]], *, suspicion: int) -> Opened:
    disk.prepare()
    with disk.alone():
        try:
            opened = _sound(disk, steps)
            if not suspicion or (suspicion == 1 and _is_whole(opened.db)):
                return opened
            opened.close()
        except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
            if not is_damage(error):
                raise
        return _mended(disk, stamp, steps)


def _sound(disk: Disk, steps: Sequence[Sequence[str]]) -> Opened:
    """Open a file that is in order, and bring it up to date.

    Raises:
        sqlite3.Error: it isn't, or it can't be written.
    """
    db = disk.connect("rw")
    try:
        _configure(db, is_networked=disk.is_networked())
        version = version_of(db)
        _refuse_newer(version, known=len(steps))
        if version < len(steps):
            _update(disk, db, steps, version)
        _try(db)
        return Opened(db=db, identity=disk.identity())
    except BaseException:
        db.close()
        raise


def _refuse_newer(version: int, *, known: int) -> None:
    if version > known:
        raise _NewerError(version)


def _is_whole(db: sqlite3.Connection) -> bool:
    """Return whether the file is in order after all: another instance may have mended it."""
    try:
        db.execute("INSERT INTO words(words) VALUES ('integrity-check')")
        return bool(db.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok")
    except (sqlite3.DatabaseError, UnicodeDecodeError):
        return False


def _configure(db: sqlite3.Connection, *, is_networked: bool = False) -> None:
    # The first statement reads the file: a damaged one is known here.
    db.execute("SELECT count(*) FROM sqlite_schema")
    db.execute(f"PRAGMA journal_mode = {'DELETE' if is_networked else 'WAL'}")
    db.execute("PRAGMA foreign_keys = ON")
    db.execute("PRAGMA secure_delete = ON")
    db.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    db.execute(f"PRAGMA journal_size_limit = {_WAL_LIMIT}")


def _update(disk: Disk, db: sqlite3.Connection, steps: Sequence[Sequence[str]], since: int) -> None:
    if since:
        disk.backup(db, since)
    db.execute("BEGIN IMMEDIATE")
    try:
        migrate(db, steps, since=since)
        db.execute("COMMIT")
    except BaseException:
        _roll_back(db)
        raise


def _try(db: sqlite3.Connection) -> None:
    """Write something and take it back, since a file may open that can't be written.

    Raises:
        sqlite3.Error: it can't.
    """
    db.execute("BEGIN IMMEDIATE")
    try:
        db.execute("SELECT id FROM sessions LIMIT 1").fetchall()
        version = version_of(db)
        db.execute(f"PRAGMA user_version = {version}")
    finally:
        _roll_back(db)


def _mended(disk: Disk, stamp: str, steps: Sequence[Sequence[str]]) -> Opened:
    """Set the damaged file aside and open a new one with what it still gives."""
    aside = disk.set_aside(stamp)
    disk.prepare()
    opened = _sound(disk, steps)
    db = opened.db
    try:
        db.execute("PRAGMA foreign_keys = OFF")
        db.execute("BEGIN IMMEDIATE")
        found = salvage(disk, aside, db)
        index_all(db)
        db.execute("COMMIT")
        db.execute("PRAGMA foreign_keys = ON")
    except BaseException:
        _roll_back(db)
        db.close()
        raise
    text = words.SALVAGED.format(path=disk.path, kept=found.kept, total=found.total, aside=aside)
    opened.trouble = Trouble(kind="salvaged", words=text, is_saving=True)
    return opened


def _in_memory(disk: Disk, trouble: Trouble) -> Opened:
    # By the module's own function: whatever is wrong with the disk, this works.
    db = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    db.execute("PRAGMA foreign_keys = ON")
    migrate(db, since=0)
    return Opened(db=db, below=_readable(disk), trouble=trouble)


def _readable(disk: Disk) -> sqlite3.Connection | None:
    """Open the file for reading alone, if that is possible at all."""
    for mode in ("ro", "immutable"):
        try:
            db = disk.connect(mode)
        except (OSError, sqlite3.Error):
            continue
        try:
            db.execute("SELECT id FROM sessions LIMIT 1").fetchall()
        except sqlite3.Error:
            db.close()
        else:
            return db
    return None


def _roll_back(db: sqlite3.Connection) -> None:
    with suppress(sqlite3.Error):
        if db.in_transaction:
            db.execute("ROLLBACK")
