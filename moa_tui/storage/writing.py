"""What is written, one function a change; each runs inside a transaction and does no more."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from moa_tui.engine.mixture import Seat
from moa_tui.storage import words
from moa_tui.storage.fold import fold, unfinished_seats
from moa_tui.storage.indexing import index_run, index_turn, unindex_run, unindex_session
from moa_tui.storage.plain import compact, from_compact, mixture_of, mixture_table
from moa_tui.storage.records import Asked, StoreError, Unfinished
from moa_tui.text import one_line

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Sequence

    from moa_tui.engine.blind import Entry
    from moa_tui.engine.events import Event
    from moa_tui.engine.mixture import Mixture
    from moa_tui.storage.fold import Attempt, Folded
    from moa_tui.storage.records import Archive

_TITLE = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRun:
    """A run that begins; ``owner`` is the process that runs it."""

    id: int
    turn: int
    mixture: Mixture
    given_from: int | None
    owner: str
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Take:
    """A proposal of ``run`` that is to be the answer; ``id`` is that of the run that it becomes."""

    id: int
    turn: int
    run: int
    seat: Seat
    text: str
    at: float


def touch(db: sqlite3.Connection, session: str, at: float) -> None:
    """Let a session be there, and be the one that was used last."""
    db.execute(
        "INSERT INTO sessions(id, created_at, touched_at) VALUES (?1, ?2, ?2)"
        " ON CONFLICT(id) DO UPDATE SET touched_at = max(touched_at, ?2)",
        (session, at),
    )


def add_turn(
    db: sqlite3.Connection, turn: int, *, session: str, parent: int | None, prompt: Asked, at: float
) -> None:
    """Add a question, which becomes the head; the first one names the session."""
    touch(db, session, at)
    db.execute(
        "INSERT INTO turns(id, session, parent, asked_at, text, shown, typed)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (turn, session, parent, at, prompt.text, prompt.shown, prompt.typed),
    )
    title = one_line(prompt.shown, _TITLE)
    db.execute(
        "UPDATE sessions SET head = ?, title = iif(title = '', ?, title) WHERE id = ?",
        (turn, title, session),
    )
    index_turn(db, turn)


def add_run(db: sqlite3.Connection, run: NewRun) -> None:
    """Add a live run; it is shown if its turn has no other."""
    mixture = json.dumps(mixture_table(run.mixture), ensure_ascii=False)
    db.execute(
        "INSERT INTO runs(id, turn, given_from, status, owner, started_at, mixture_name, mixture)"
        " VALUES (?, ?, ?, 'live', ?, ?, ?, ?)",
        (run.id, run.turn, run.given_from, run.owner, run.at, run.mixture.name, mixture),
    )
    db.execute(
        "UPDATE turns SET shown_run = coalesce(shown_run, ?) WHERE id = ?", (run.id, run.turn)
    )
    session = session_of_turn(db, run.turn)
    touch(db, session, run.at)


def add_chunk(db: sqlite3.Connection, run: int, events: Iterable[Event]) -> None:
    """Append what a live run said since the last checkpoint."""
    text = json.dumps([compact(event) for event in events], ensure_ascii=False)
    db.execute("INSERT INTO chunks(run, events) VALUES (?, ?)", (run, text))


def end_run(db: sqlite3.Connection, run: int, unsaved: Sequence[Event] = ()) -> None:
    """Fold a run's checkpoints, and what came after them, into its rows.

    One that is done becomes the one that is shown.
    """
    folded = fold([*chunks_of(db, run), *unsaved], mixture_in(db, run))
    put_folded(db, run, folded)
    if folded.status == "done":
        db.execute(
            "UPDATE turns SET shown_run = ?1 WHERE id = (SELECT turn FROM runs WHERE id = ?1)",
            (run,),
        )


def put_folded(db: sqlite3.Connection, run: int, folded: Folded) -> None:
    """Write a run's rows, instead of its checkpoints."""
    facts = json.dumps(folded.facts, ensure_ascii=False, separators=(",", ":"))
    db.execute(
        "UPDATE runs SET status = ?, owner = '', seconds = ?, usage = ?, kind = ?, message = ?,"
        " answer = ?, facts = ? WHERE id = ?",
        (
            folded.status,
            folded.seconds,
            _json(folded.usage),
            folded.kind,
            folded.message,
            folded.answer,
            facts,
            run,
        ),
    )
    db.executemany(
        "INSERT INTO attempts(run, layer, number, attempt, role, model, label, options, status,"
        " text, thinking, usage, reason, kind, message, hint, started_t, ttft_s, seconds, timing)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [(run, *_columns(attempt)) for attempt in folded.attempts.values()],
    )
    db.execute("DELETE FROM chunks WHERE run = ?", (run,))
    index_run(db, run)


def _columns(attempt: Attempt) -> tuple[Any, ...]:
    return (
        *attempt.seat,
        attempt.attempt,
        attempt.role,
        attempt.model,
        attempt.label,
        _json(attempt.options),
        attempt.status,
        attempt.text,
        attempt.thinking,
        _json(attempt.usage),
        attempt.reason,
        attempt.kind,
        attempt.message,
        attempt.hint,
        attempt.started_t,
        attempt.ttft_s,
        attempt.seconds,
        attempt.timing,
    )


def _json(value: Any) -> str | None:  # noqa: ANN401 - one of the engine's dataclasses, or none
    return None if value is None else json.dumps(asdict(value), ensure_ascii=False)


def show_run(db: sqlite3.Connection, turn: int, run: int, *, spare: int) -> None:
    """Make a run the one of its turn that is shown, with its own answer.

    ``spare`` is an id for a run that may come of it: see `_put_back`.
    """
    _put_back(db, run, spare)
    _show(db, turn, run)


def _show(db: sqlite3.Connection, turn: int, run: int) -> None:
    changed = db.execute(
        "UPDATE turns SET shown_run = ?1 WHERE id = ?2"
        " AND EXISTS (SELECT 1 FROM runs WHERE id = ?1 AND turn = ?2)",
        (run, turn),
    )
    _found(changed, words.NO_RUN.format(run=run))


def go_to(db: sqlite3.Connection, session: str, turn: int | None) -> None:
    """Make a turn the head of its session; None is before the first one."""
    changed = db.execute(
        "UPDATE sessions SET head = ?1 WHERE id = ?2"
        " AND (?1 IS NULL OR EXISTS (SELECT 1 FROM turns WHERE id = ?1 AND session = ?2))",
        (turn, session),
    )
    _found(changed, words.NO_SESSION.format(session=session))


def take(db: sqlite3.Connection, taken: Take) -> None:
    """Show a proposal as the answer, in a run of its own unless there is one already."""
    known = db.execute(
        "SELECT id FROM runs WHERE turn = ? AND taken_layer = ? AND taken_number = ?"
        " AND (id = ? OR given_from = ? AND status = 'taken')",
        (taken.turn, *taken.seat, taken.run, taken.run),
    ).fetchone()
    if known is None:
        add_taken(db, taken)
    _show(db, taken.turn, taken.id if known is None else known[0])


def add_taken(db: sqlite3.Connection, taken: Take) -> None:
    """Add the run that a proposal becomes; it called nobody and cost nothing."""
    changed = db.execute(
        "INSERT INTO runs(id, turn, given_from, status, started_at, taken, taken_layer,"
        " taken_number, mixture_name, mixture)"
        " SELECT ?, turn, id, 'taken', ?, ?, ?, ?, mixture_name, mixture FROM runs"
        " WHERE id = ? AND turn = ?",
        (taken.id, taken.at, taken.text, *taken.seat, taken.run, taken.turn),
    )
    _found(changed, words.NO_RUN.format(run=taken.run))
    index_run(db, taken.id)


def _put_back(db: sqlite3.Connection, run: int, spare: int) -> None:
    """Give a run its own answer again, where a proposal stands in its very row: in older files.

    What was taken becomes a run of its own, with the id ``spare``.
    """
    row = db.execute(
        "SELECT turn, taken_layer, taken_number, taken, started_at FROM runs"
        " WHERE id = ? AND taken IS NOT NULL AND status NOT IN ('taken', 'live')",
        (run,),
    ).fetchone()
    if row is not None:
        turn, layer, number, text, at = row
        seat = Seat(layer, number)
        add_taken(db, Take(id=spare, turn=turn, run=run, seat=seat, text=text, at=at))
        unindex_run(db, run)
        db.execute(
            "UPDATE runs SET taken = NULL, taken_layer = NULL, taken_number = NULL WHERE id = ?",
            (run,),
        )
        index_run(db, run)


def keep_test(db: sqlite3.Connection, run: int, entries: Iterable[Entry]) -> None:
    """Keep who stood in a run's blind test and who was picked, instead of what was kept so far."""
    db.execute("DELETE FROM entries WHERE run = ?", (run,))
    db.executemany(
        "INSERT INTO entries(run, text, layer, number, role, model, is_picked)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        [(run, one.text, *one.seat, one.role, one.model, one.is_picked) for one in entries],
    )


def rename(db: sqlite3.Connection, session: str, title: str) -> None:
    """Give a session a name of its own; "" is its first prompt again."""
    first = "SELECT shown FROM turns WHERE session = ? ORDER BY id LIMIT 1"
    row = db.execute(first, (session,)).fetchone() or ("",)
    name = one_line(title, _TITLE)
    changed = db.execute(
        "UPDATE sessions SET title = ?, is_named = ? WHERE id = ?",
        (name or one_line(row[0], _TITLE), bool(name), session),
    )
    _found(changed, words.NO_SESSION.format(session=session))


def delete(db: sqlite3.Connection, session: str, at: float | None) -> None:
    """Take a session out of sight, or with None bring it back."""
    changed = db.execute("UPDATE sessions SET deleted_at = ? WHERE id = ?", (at, session))
    _found(changed, words.NO_SESSION.format(session=session))


def keep_draft(
    db: sqlite3.Connection, session: str, draft: str, *, queue: Sequence[Asked], at: float
) -> None:
    """Keep what stands in the composer and what waits above it."""
    if not draft and not queue:
        known = "UPDATE sessions SET draft = '', queue = '[]' WHERE id = ?"
        db.execute(known, (session,))
        return
    touch(db, session, at)
    waiting = json.dumps([[one.text, one.shown, one.typed] for one in queue], ensure_ascii=False)
    db.execute("UPDATE sessions SET draft = ?, queue = ? WHERE id = ?", (draft, waiting, session))


def purge(db: sqlite3.Connection, before: float) -> None:
    """Remove for good what was deleted before a time."""
    gone = db.execute("SELECT id FROM sessions WHERE deleted_at < ?", (before,)).fetchall()
    for (session,) in gone:
        unindex_session(db, session)
        db.execute("DELETE FROM sessions WHERE id = ?", (session,))


def erase_deleted(db: sqlite3.Connection) -> None:
    """Remove for good what was deleted, and the words of it that the index still holds."""
    purge(db, math.inf)
    db.execute("INSERT INTO words(words) VALUES ('optimize')")


def interrupt_dead(
    db: sqlite3.Connection, is_alive: Callable[[str], bool]
) -> tuple[list[Unfinished], list[str]]:
    """Fold the runs whose process is gone; return them, and the owners that nothing needs now."""
    rows = db.execute("SELECT DISTINCT owner FROM runs WHERE status = 'live'").fetchall()
    dead = [owner for (owner,) in rows if not is_alive(owner)]
    found = []
    for owner in dead:
        live = "SELECT id FROM runs WHERE status = 'live' AND owner = ? ORDER BY id"
        found += [_interrupt(db, run) for (run,) in db.execute(live, (owner,)).fetchall()]
    return found, dead


def _interrupt(db: sqlite3.Connection, run: int) -> Unfinished:
    session, title, turn, *prompt = db.execute(
        "SELECT sessions.id, title, turns.id, text, shown, typed FROM runs"
        " JOIN turns ON turns.id = runs.turn JOIN sessions ON sessions.id = turns.session"
        " WHERE runs.id = ?",
        (run,),
    ).fetchone()
    seats = unfinished_seats(chunks_of(db, run))
    end_run(db, run)
    return Unfinished(
        session=session, title=title, turn=turn, run=run, prompt=Asked(*prompt), seats=seats
    )


def add_archive(
    db: sqlite3.Connection, archive: Archive, *, fallback: str, new_ids: Callable[[], int]
) -> str:
    """Add a whole session and return its id, ``fallback`` if its own is taken.

    Its turns and runs get numbers of their own here.
    """
    is_taken = db.execute("SELECT 1 FROM sessions WHERE id = ?", (archive.session.id,)).fetchone()
    session = replace(archive.session, id=fallback) if is_taken else archive.session
    touch(db, session.id, session.touched_at)
    turns = {turn.id: new_ids() for turn in session.turns}
    runs = {run.row.id: new_ids() for run in archive.runs}
    for turn in session.turns:
        add_turn(
            db,
            turns[turn.id],
            session=session.id,
            parent=None if turn.parent is None else turns.get(turn.parent),
            prompt=turn.prompt,
            at=turn.asked_at,
        )
        for row in turn.runs:
            _add_whole_run(db, archive, row.id, turn=turns[turn.id], runs=runs)
        shown = None if turn.shown_run is None else runs.get(turn.shown_run)
        db.execute("UPDATE turns SET shown_run = ? WHERE id = ?", (shown, turns[turn.id]))
    waiting = json.dumps([[one.text, one.shown, one.typed] for one in session.queue])
    db.execute(
        "UPDATE sessions SET title = ?, is_named = ?, created_at = ?, touched_at = ?, head = ?,"
        " draft = ?, queue = ? WHERE id = ?",
        (
            session.title,
            session.is_named,
            session.created_at,
            session.touched_at,
            None if session.head is None else turns.get(session.head),
            session.draft,
            waiting,
            session.id,
        ),
    )
    return session.id


def _add_whole_run(
    db: sqlite3.Connection, archive: Archive, old: int, *, turn: int, runs: dict[int, int]
) -> None:
    whole = next(run for run in archive.runs if run.row.id == old)
    row = whole.row
    given_from = None if row.given_from is None else runs.get(row.given_from)
    if row.status == "taken" and given_from is not None and row.taken_from is not None:
        text, at = whole.taken or "", row.started_at
        add_taken(
            db,
            Take(id=runs[old], turn=turn, run=given_from, seat=row.taken_from, text=text, at=at),
        )
        return
    new = NewRun(
        id=runs[old],
        turn=turn,
        mixture=whole.mixture,
        given_from=given_from,
        owner="",
        at=row.started_at,
    )
    add_run(db, new)
    folded = fold(whole.events, whole.mixture)
    if row.status == "interrupted":
        folded.status = "interrupted"
        for attempt in folded.attempts.values():
            if attempt.message == words.INTERRUPTED:
                attempt.status = "interrupted"
    put_folded(db, runs[old], folded)
    keep_test(db, runs[old], whole.test)


def chunks_of(db: sqlite3.Connection, run: int) -> list[Event]:
    """Return the events of a run's checkpoints."""
    rows = db.execute("SELECT events FROM chunks WHERE run = ? ORDER BY id", (run,))
    return [from_compact(event) for (text,) in rows for event in json.loads(text)]


def mixture_in(db: sqlite3.Connection, run: int) -> Mixture:
    """Return a run's mixture.

    Raises:
        StoreError: there is no such run.
    """
    row = db.execute("SELECT mixture FROM runs WHERE id = ?", (run,)).fetchone()
    if row is None:
        raise StoreError(words.NO_RUN.format(run=run))
    return mixture_of(json.loads(row[0]))


def session_of_turn(db: sqlite3.Connection, turn: int) -> str:
    """Return the session that a turn is of.

    Raises:
        StoreError: there is no such turn.
    """
    row = db.execute("SELECT session FROM turns WHERE id = ?", (turn,)).fetchone()
    if row is None:
        raise StoreError(words.NO_SESSION.format(session=turn))
    return str(row[0])


def _found(changed: sqlite3.Cursor, complaint: str) -> None:
    if not changed.rowcount:
        raise StoreError(complaint)
