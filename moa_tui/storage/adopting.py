"""Bringing a session up from a file that can only be read, before it is changed in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from moa_tui.storage.indexing import index_run, index_turn
from moa_tui.storage.schema import COLUMNS_TAKEN, has_table

if TYPE_CHECKING:
    import sqlite3

_OF_ITS_RUNS: Final = (
    "run IN (SELECT runs.id FROM runs JOIN turns ON turns.id = turn WHERE session = ?)"
)
_OF_SESSION: Final = {
    "sessions": "id = ?",
    "turns": "session = ?",
    "runs": "turn IN (SELECT id FROM turns WHERE session = ?)",
    "attempts": _OF_ITS_RUNS,
    "chunks": _OF_ITS_RUNS,
    "entries": _OF_ITS_RUNS,
}


def bring_up(
    db: sqlite3.Connection,
    below: sqlite3.Connection,
    *,
    session: str = "",
    turn: int | None = None,
    run: int | None = None,
) -> None:
    """Copy the session, which one of its turns or runs may stand for, unless it is there.

    Raises:
        sqlite3.Error: the file below can't be read.
    """
    if run is not None:
        turn = _one(below, "SELECT turn FROM runs WHERE id = ?", run) or turn
    if turn is not None:
        session = _one(below, "SELECT session FROM turns WHERE id = ?", turn) or session
    if not session or db.execute("SELECT 1 FROM sessions WHERE id = ?", (session,)).fetchone():
        return
    for table, where in _OF_SESSION.items():
        if not has_table(below, table):
            continue
        columns = COLUMNS_TAKEN[table]
        marks = ", ".join("?" for _ in columns.split(","))
        rows = below.execute(f"SELECT {columns} FROM {table} WHERE {where}", (session,))  # noqa: S608 - our own names
        db.executemany(f"INSERT INTO {table}({columns}) VALUES ({marks})", rows)  # noqa: S608 - our own names
    for (known,) in db.execute("SELECT id FROM turns WHERE session = ?", (session,)).fetchall():
        index_turn(db, known)
        ended = "SELECT id FROM runs WHERE turn = ? AND status != 'live'"
        for (ended_run,) in db.execute(ended, (known,)).fetchall():
            index_run(db, ended_run)


def _one(below: sqlite3.Connection, query: str, key: int) -> Any:  # noqa: ANN401 - a column
    row = below.execute(query, (key,)).fetchone()
    return None if row is None else row[0]
