"""The tables, and how an older file becomes one of today."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

_TABLES: Final = (
    """CREATE TABLE sessions(
        id TEXT PRIMARY KEY,
        title TEXT NOT NULL DEFAULT '',
        is_named INTEGER NOT NULL DEFAULT 0,
        created_at REAL NOT NULL,
        touched_at REAL NOT NULL,
        head INTEGER,
        deleted_at REAL,
        queue TEXT NOT NULL DEFAULT '[]',
        draft TEXT NOT NULL DEFAULT '')""",
    "CREATE INDEX sessions_by_time ON sessions(touched_at, id) WHERE deleted_at IS NULL",
    """CREATE TABLE turns(
        id INTEGER PRIMARY KEY,
        session TEXT NOT NULL REFERENCES sessions(id) ON DELETE CASCADE,
        parent INTEGER,
        asked_at REAL NOT NULL,
        shown_run INTEGER,
        text TEXT NOT NULL,
        shown TEXT NOT NULL,
        typed TEXT NOT NULL)""",
    "CREATE INDEX turns_of_session ON turns(session, id)",
    """CREATE TABLE runs(
        id INTEGER PRIMARY KEY,
        turn INTEGER NOT NULL REFERENCES turns(id) ON DELETE CASCADE,
        given_from INTEGER,
        status TEXT NOT NULL,
        owner TEXT NOT NULL DEFAULT '',
        started_at REAL NOT NULL,
        seconds REAL,
        usage TEXT,
        kind TEXT NOT NULL DEFAULT '',
        message TEXT NOT NULL DEFAULT '',
        taken_layer INTEGER,
        taken_number INTEGER,
        taken TEXT,
        answer TEXT NOT NULL DEFAULT '',
        mixture_name TEXT NOT NULL DEFAULT '',
        mixture TEXT NOT NULL,
        facts TEXT NOT NULL DEFAULT '[]')""",
    "CREATE INDEX runs_of_turn ON runs(turn, id)",
    "CREATE INDEX runs_live ON runs(owner, turn) WHERE status = 'live'",
    """CREATE TABLE attempts(
        id INTEGER PRIMARY KEY,
        run INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
        layer INTEGER NOT NULL,
        number INTEGER NOT NULL,
        attempt INTEGER NOT NULL,
        role TEXT NOT NULL,
        model TEXT NOT NULL,
        label TEXT NOT NULL,
        options TEXT,
        status TEXT NOT NULL,
        usage TEXT,
        reason TEXT NOT NULL,
        kind TEXT NOT NULL,
        message TEXT NOT NULL,
        hint TEXT NOT NULL,
        started_t REAL NOT NULL,
        ttft_s REAL,
        seconds REAL,
        text TEXT NOT NULL,
        thinking TEXT NOT NULL,
        timing BLOB NOT NULL,
        UNIQUE(run, layer, number, attempt))""",
    """CREATE TABLE chunks(
        id INTEGER PRIMARY KEY,
        run INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
        events TEXT NOT NULL)""",
    "CREATE INDEX chunks_of_run ON chunks(run, id)",
    # It holds no texts of its own: a row's number is a turn's or a run's, and its words are those
    # of `search.indexed`.
    """CREATE VIRTUAL TABLE words USING fts5(
        said, content='', columnsize=0, detail=none, prefix='1 2 3',
        tokenize='unicode61 remove_diacritics 2')""",
)

_BLIND_TESTS: Final = (
    """CREATE TABLE entries(
        run INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
        text INTEGER NOT NULL,
        layer INTEGER NOT NULL,
        number INTEGER NOT NULL,
        role TEXT NOT NULL,
        model TEXT NOT NULL,
        is_picked INTEGER NOT NULL,
        PRIMARY KEY(run, layer, number))""",
)

MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (_TABLES, _BLIND_TESTS)
"""The steps from one version of the file to the next; version 0 is an empty file."""

SALVAGED: Final = ("sessions", "turns", "runs", "attempts", "chunks", "entries")
"""The tables that hold something, parents first."""

COLUMNS_TAKEN: Final = {
    "sessions": "id, title, is_named, created_at, touched_at, head, deleted_at, queue, draft",
    "turns": "id, session, parent, asked_at, shown_run, text, shown, typed",
    "runs": (
        "id, turn, given_from, status, owner, started_at, seconds, usage, kind, message,"
        " taken_layer, taken_number, taken, answer, mixture_name, mixture, facts"
    ),
    "attempts": (
        "run, layer, number, attempt, role, model, label, options, status, usage, reason, kind,"
        " message, hint, started_t, ttft_s, seconds, text, thinking, timing"
    ),
    "chunks": "run, events",
    "entries": "run, text, layer, number, role, model, is_picked",
}
"""The columns that are copied from file to file."""


def version_of(db: sqlite3.Connection) -> int:
    """Return the version of the file's tables; 0 is a new file."""
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def has_table(db: sqlite3.Connection, name: str) -> bool:
    """Return whether there is such a table: a file that can't be written stays as old as it is."""
    found = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?"
    return db.execute(found, (name,)).fetchone() is not None


def migrate(
    db: sqlite3.Connection, steps: Sequence[Sequence[str]] = MIGRATIONS, *, since: int
) -> None:
    """Bring the tables up to date, within the transaction that is open.

    Raises:
        sqlite3.Error: it failed; roll back.
    """
    for step in steps[since:]:
        for statement in step:
            db.execute(statement)
    db.execute(f"PRAGMA user_version = {len(steps)}")
