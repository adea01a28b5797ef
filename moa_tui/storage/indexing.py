"""What the search index knows of a turn and of a run.

The index holds no texts, so words are taken out again by giving it the very same texts: they are
made here, from rows that don't change in between.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from moa_tui.storage.search import indexed

if TYPE_CHECKING:
    import sqlite3

_PROMPT_IN_RUN: Final = 20_000
"""Characters of a prompt that are indexed with its runs too, to find words of both at once."""


def index_turn(db: sqlite3.Connection, turn: int) -> None:
    """Make a turn's prompt known."""
    _put(db, turn, _of_turn(db, turn))


def index_run(db: sqlite3.Connection, run: int) -> None:
    """Make a run's answers and proposals known."""
    _put(db, run, _of_run(db, run))


def unindex_run(db: sqlite3.Connection, run: int) -> None:
    """Forget a run, before its rows change."""
    _take(db, run, _of_run(db, run))


def unindex_session(db: sqlite3.Connection, session: str) -> None:
    """Forget a session, before its rows go."""
    turns = db.execute("SELECT id FROM turns WHERE session = ?", (session,)).fetchall()
    for (turn,) in turns:
        _take(db, turn, _of_turn(db, turn))
        ended = "SELECT id FROM runs WHERE turn = ? AND status != 'live'"
        for (run,) in db.execute(ended, (turn,)).fetchall():
            unindex_run(db, run)


def index_all(db: sqlite3.Connection) -> None:
    """Make everything known, in an empty index."""
    for (turn,) in db.execute("SELECT id FROM turns").fetchall():
        index_turn(db, turn)
    for (run,) in db.execute("SELECT id FROM runs WHERE status != 'live'").fetchall():
        index_run(db, run)


def _put(db: sqlite3.Connection, row: int, said: str) -> None:
    db.execute("INSERT INTO words(rowid, said) VALUES (?, ?)", (row, said))


def _take(db: sqlite3.Connection, row: int, said: str) -> None:
    db.execute("INSERT INTO words(words, rowid, said) VALUES ('delete', ?, ?)", (row, said))


def _of_turn(db: sqlite3.Connection, turn: int) -> str:
    text, shown = db.execute("SELECT text, shown FROM turns WHERE id = ?", (turn,)).fetchone()
    return indexed((text,) if text == shown else (text, shown))


def _of_run(db: sqlite3.Connection, run: int) -> str:
    prompt, answer, taken = db.execute(
        "SELECT substr(turns.text, 1, ?), answer, coalesce(taken, '') FROM runs"
        " JOIN turns ON turns.id = runs.turn WHERE runs.id = ?",
        (_PROMPT_IN_RUN, run),
    ).fetchone()
    said = db.execute("SELECT text FROM attempts WHERE run = ? ORDER BY id", (run,)).fetchall()
    return indexed((prompt, answer, taken, *(text for (text,) in said)))
