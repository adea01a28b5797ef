"""Getting out of a damaged file what can still be read, row by row."""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from moa_tui.storage import words
from moa_tui.storage.schema import COLUMNS_TAKEN, SALVAGED

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from moa_tui.storage.disk import Disk

_ORDERS: Final = {
    "sessions": ("rowid", "id"),
    "turns": ("rowid", "session, id"),
    "runs": ("rowid", "turn, id"),
    "attempts": ("rowid", "run, layer, number, attempt"),
    "chunks": ("rowid", "run, id"),
    "entries": ("rowid", "run, layer, number"),
}
"""Orders in which a table or one of its indexes lists the rows: one makes up for another."""

_HEADER, _COUNT_AT, _WAL_AT = 100, 28, 18
_DENSE: Final = ("sessions", "attempts", "chunks", "entries")
"""Tables whose rows SQLite numbers one after the other."""

_WIDEST: Final = 2_000_000
"""Numbers of rows that are tried one by one where nothing lists them."""


@dataclass(frozen=True, slots=True)
class Salvage:
    """Rows that were copied, of about how many there were."""

    kept: int
    total: int


def salvage(disk: Disk, damaged: Path, fresh: sqlite3.Connection) -> Salvage:
    """Copy what a damaged file still gives into an empty database, within its open transaction.

    The damaged file itself is left as it is: a copy is read, if need be with the beginning of a
    sound file in place of its own, which all else hangs on.
    """
    best = Salvage(0, 0)
    page = _first_page(fresh)
    for beginning in (b"", page[:_HEADER], page):
        copy = disk.copy(damaged)
        try:
            _put_beginning(copy, beginning)
            with closing(disk.connect("rw", copy)) as source:
                best = _copied(source, fresh)
                _put_bare_turns(source, fresh)
        except (sqlite3.Error, UnicodeError):
            continue
        finally:
            disk.remove(copy)
        if best.kept:
            break
    _adopt_orphans(fresh)
    return best


def _first_page(fresh: sqlite3.Connection) -> bytes:
    size = int(fresh.execute("PRAGMA page_size").fetchone()[0])
    with closing(sqlite3.connect(":memory:")) as model:
        model.execute(f"PRAGMA page_size = {size}")
        for (statement,) in fresh.execute(
            "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'words_%'"
            " ORDER BY rowid"
        ):
            model.execute(statement)
        return model.serialize()[:size]


def _put_beginning(path: Path, beginning: bytes) -> None:
    if not beginning:
        return
    with path.open("r+b") as file:
        size = file.seek(0, 2)
        pages = size // int.from_bytes(beginning[16:18], "big")
        head = bytearray(beginning)
        head[_COUNT_AT : _COUNT_AT + 4] = pages.to_bytes(4, "big")
        # Or the part that still stands in the log beside it would be ignored.
        head[_WAL_AT : _WAL_AT + 2] = b"\x02\x02"
        file.seek(0)
        file.write(head)


def _copied(source: sqlite3.Connection, fresh: sqlite3.Connection) -> Salvage:
    kept = total = 0
    for table in SALVAGED:
        columns = COLUMNS_TAKEN[table]
        marks = ", ".join("?" for _ in columns.split(","))
        insert = f"INSERT OR IGNORE INTO {table}({columns}) VALUES ({marks})"  # noqa: S608 - our own names
        select = f"SELECT {columns} FROM {table} WHERE rowid = ?"  # noqa: S608 - our own names
        for rowid in _rowids(source, table):
            total += 1
            with suppress(sqlite3.Error, UnicodeError):
                row = source.execute(select, (rowid,)).fetchone()
                if row is not None:
                    kept += fresh.execute(insert, row).rowcount
    return Salvage(kept, total)


def _put_bare_turns(source: sqlite3.Connection, fresh: sqlite3.Connection) -> None:
    """Add the turns whose prompts are gone, but whose sessions the index still knows."""
    with suppress(sqlite3.Error, UnicodeError):
        for turn, session in source.execute("SELECT id, session FROM turns ORDER BY session, id"):
            fresh.execute(
                "INSERT OR IGNORE INTO turns(id, session, asked_at, text, shown, typed, shown_run)"
                " SELECT ?1, ?2, 0, ?3, ?3, '', max(id) FROM runs WHERE turn = ?1",
                (turn, session, words.LOST_PROMPT),
            )


def _rowids(source: sqlite3.Connection, table: str) -> Sequence[int]:
    """Return the numbers of all rows that anything in the file lists."""
    found: set[int] = set()
    for order in _ORDERS[table]:
        for direction in ("ASC", "DESC"):
            keys = ", ".join(f"{key} {direction}" for key in order.split(", "))
            found.update(_readable(source, f"SELECT rowid FROM {table} ORDER BY {keys}"))  # noqa: S608 - our own names
    if found and table in _DENSE and max(found) - min(found) < _WIDEST:
        found.update(range(min(found), max(found)))
    return sorted(found)


def _readable(source: sqlite3.Connection, query: str) -> Iterator[int]:
    # What comes before the damage is good.
    with suppress(sqlite3.Error, UnicodeError):
        for (rowid,) in source.execute(query):
            if isinstance(rowid, int):
                yield rowid


def _adopt_orphans(fresh: sqlite3.Connection) -> None:
    """Give turns and runs that lost what they belong to a place where they are found."""
    fresh.execute(
        "INSERT INTO turns(id, session, asked_at, text, shown, typed)"
        " SELECT DISTINCT turn, 'recovered', started_at, ?1, ?1, '' FROM runs"
        " WHERE turn NOT IN (SELECT id FROM turns) GROUP BY turn",
        (words.LOST_PROMPT,),
    )
    fresh.execute(
        "INSERT INTO sessions(id, title, is_named, created_at, touched_at, head)"
        " SELECT session, ?, 1, min(asked_at), max(asked_at), max(id) FROM turns"
        " WHERE session NOT IN (SELECT id FROM sessions) GROUP BY session",
        (words.RECOVERED,),
    )
    for child, parent, key in (
        ("attempts", "runs", "run"),
        ("chunks", "runs", "run"),
        ("entries", "runs", "run"),
    ):
        fresh.execute(f"DELETE FROM {child} WHERE {key} NOT IN (SELECT id FROM {parent})")  # noqa: S608 - our own names
