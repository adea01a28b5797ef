"""What is read: rows of one or two databases as the records that people and the engine know.

Where the file can only be read, what was changed since stands in memory above it and wins.
"""

from __future__ import annotations

import json
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from moa_tui.engine.blind import Entry, Judged
from moa_tui.engine.mixture import Seat
from moa_tui.storage import words
from moa_tui.storage.fold import Attempt, Folded, fold, unfold
from moa_tui.storage.plain import mixture_of, usage_of
from moa_tui.storage.records import (
    Archive,
    Asked,
    Hit,
    RunRow,
    Session,
    SessionRow,
    StoreError,
    TurnRow,
    WholeRun,
)
from moa_tui.storage.schema import has_table
from moa_tui.storage.search import Query
from moa_tui.storage.writing import chunks_of, mixture_in

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence

    from moa_tui.engine.events import Event
    from moa_tui.engine.mixture import Mixture
    from moa_tui.storage.records import Where

Databases: TypeAlias = "Sequence[sqlite3.Connection]"
"""The one that is written, then the one below it if there is one."""

_PAGE: Final = 60
_MOST_PAGES: Final = 20
_ROW: Final = (
    "id, title, touched_at, (SELECT count(*) FROM turns WHERE session = sessions.id),"
    " EXISTS (SELECT 1 FROM turns CROSS JOIN runs ON runs.turn = turns.id"
    "  WHERE turns.session = sessions.id AND runs.status = 'live' AND runs.owner != ?)"
)
_SAYS: Final = (
    "(draft != '' OR queue != '[]' OR is_named"
    " OR EXISTS (SELECT 1 FROM turns WHERE session = sessions.id))"
)
"""A session whose draft was emptied before anything was asked is none."""

_RUN_ROW: Final = (
    "runs.id, runs.status, runs.mixture_name, runs.started_at, runs.seconds, runs.usage,"
    " runs.message, runs.given_from, runs.taken_layer, runs.taken_number,"
    " runs.status IN ('stopped', 'interrupted')"
    " AND NOT EXISTS (SELECT 1 FROM attempts WHERE run = runs.id AND text != ''"
    # What it was given was said in another run.
    "  AND NOT EXISTS (SELECT 1 FROM"
    "   json_each(iif(json_valid(runs.facts), runs.facts, '[]')) AS fact"
    "   WHERE json_extract(fact.value, '$.event', '$.given', '$.seat', '$.attempt')"
    "    = json_array('seat_started', json('true'), json_array(layer, number), attempt))),"
    # A judge's words aren't the answer, and how a proposal ended is known once the run is read.
    # What is damaged is told where that run is read, and keeps nobody from the others.
    " CASE WHEN NOT json_valid(runs.mixture) THEN NULL"
    "  WHEN json_extract(runs.mixture, '$.aggregator.strategy') IN ('pick', 'vote') THEN NULL"
    "  ELSE (SELECT reason FROM attempts WHERE run = runs.id AND role = 'aggregator'"
    "   ORDER BY layer DESC, number DESC, attempt DESC LIMIT 1) END"
)
_ENTRY: Final = "entries.text, layer, entries.number, entries.role, entries.model, is_picked"
_FOUND: Final = (
    "SELECT sessions.id, title, turns.id, asked_at, turns.text, turns.shown, runs.id,"
    " runs.started_at, coalesce(taken, answer) FROM"
)


def sessions(
    databases: Databases, *, limit: int, before: tuple[float, str] | None, owner: str
) -> list[SessionRow]:
    """Return sessions, the newest first, those after ``before`` (its time and id)."""
    at, than = before or (float("inf"), "")
    found: dict[str, SessionRow] = {}
    hidden: set[str] = set()
    for db in databases:
        rows = db.execute(
            f"SELECT {_ROW} FROM sessions WHERE deleted_at IS NULL AND {_SAYS}"  # noqa: S608 - our own names
            " AND (touched_at, id) < (?, ?) ORDER BY touched_at DESC, id DESC LIMIT ?",
            (owner, at, than, limit + len(hidden)),
        )
        for session, title, touched_at, turns, is_live in rows.fetchall():
            if session in hidden or session in found:
                continue
            found[session] = SessionRow(
                id=session,
                title=title or words.UNTITLED,
                turns=turns,
                touched_at=touched_at,
                is_live=bool(is_live),
            )
        hidden |= _all_ids(db) if len(databases) > 1 else set()
    newest = sorted(found.values(), key=lambda row: (row.touched_at, row.id), reverse=True)
    return newest[:limit]


def _all_ids(db: sqlite3.Connection) -> set[str]:
    return {session for (session,) in db.execute("SELECT id FROM sessions")}


def load(databases: Databases, session: str) -> Session:
    """Return a session as it is opened.

    Raises:
        StoreError: there is none of that id, or it was deleted.
    """
    for db in databases:
        row = db.execute(
            "SELECT title, is_named, created_at, touched_at, head, draft, queue, deleted_at"
            " FROM sessions WHERE id = ?",
            (session,),
        ).fetchone()
        if row is not None:
            break
    else:
        raise StoreError(words.NO_SESSION.format(session=session))
    title, is_named, created_at, touched_at, head, draft, queue, deleted_at = row
    if deleted_at is not None:
        raise StoreError(words.NO_SESSION.format(session=session))
    return Session(
        id=session,
        title=title or words.UNTITLED,
        is_named=bool(is_named),
        created_at=created_at,
        touched_at=touched_at,
        turns=_turns(db, session),
        head=head,
        draft=draft,
        queue=tuple(Asked(*one) for one in json.loads(queue)),
    )


def _turns(db: sqlite3.Connection, session: str) -> tuple[TurnRow, ...]:
    runs: dict[int, list[RunRow]] = {}
    for turn, *row in db.execute(
        f"SELECT turns.id, {_RUN_ROW} FROM turns JOIN runs ON runs.turn = turns.id"  # noqa: S608 - our own names
        " WHERE turns.session = ? ORDER BY runs.id",
        (session,),
    ):
        runs.setdefault(turn, []).append(_run_row(row))
    rows = db.execute(
        "SELECT turns.id, parent, turns.text, shown, typed, asked_at, shown_run,"
        " coalesce(taken, answer, '') FROM turns LEFT JOIN runs ON runs.id = shown_run"
        " WHERE session = ? ORDER BY turns.id",
        (session,),
    )
    return tuple(
        TurnRow(
            id=turn,
            parent=parent,
            prompt=Asked(text, shown, typed),
            asked_at=asked_at,
            runs=tuple(runs.get(turn, ())),
            shown_run=shown_run,
            answer=answer,
        )
        for turn, parent, text, shown, typed, asked_at, shown_run, answer in rows
    )


def _run_row(row: Sequence[Any]) -> RunRow:
    run, status, name, started_at, seconds, usage, message, given_from, *seat, is_empty, end = row
    return RunRow(
        id=run,
        status=status,
        mixture_name=name,
        started_at=started_at,
        seconds=seconds,
        usage=None if usage is None else usage_of(json.loads(usage)),
        message=message,
        reason=end or None,
        given_from=given_from,
        taken_from=None if seat[0] is None else Seat(*seat),
        is_empty=bool(is_empty),
    )


def mixture_of_run(databases: Databases, run: int) -> Mixture:
    """Return a run's mixture.

    Raises:
        StoreError: there is no such run.
    """
    return mixture_in(_home_of(databases, run), run)


def _home_of(databases: Databases, run: int) -> sqlite3.Connection:
    """Return the database that has a run, the last one if none has."""
    query = "SELECT 1 FROM runs WHERE id = ?"
    return next((db for db in databases if db.execute(query, (run,)).fetchone()), databases[-1])


def events_of(databases: Databases, run: int, *, is_sliced: bool) -> list[Event]:
    """Return a run's events; see `unfold`. Of a live run those of its checkpoints.

    Of one that is only taken they are those of the run whose proposal it is.

    Raises:
        StoreError: there is no such run, or its rows are damaged.
    """
    whole = whole_run(databases, run, is_sliced=is_sliced)
    if whole.row.status == "taken" and whole.row.given_from is not None:
        whole = whole_run(databases, whole.row.given_from, is_sliced=is_sliced)
    return list(whole.events)


def whole_run(databases: Databases, run: int, *, is_sliced: bool) -> WholeRun:
    """Return a run with its events.

    Raises:
        StoreError: as `events_of`.
    """
    for db in databases:
        row = db.execute(
            f"SELECT {_RUN_ROW}, answer, taken, kind, mixture, facts FROM runs WHERE id = ?",  # noqa: S608 - our own names
            (run,),
        ).fetchone()
        if row is not None:
            break
    else:
        raise StoreError(words.NO_RUN.format(run=run))
    *known, answer, taken, kind, table, facts = row
    mixture = mixture_of(json.loads(table))
    head = _run_row(known)
    if head.status == "taken":
        return WholeRun(row=head, mixture=mixture, events=(), taken=taken)
    if head.status == "live":
        events = chunks_of(db, run)
        if not is_sliced:
            events = _merged(events, mixture)
        return WholeRun(row=head, mixture=mixture, events=tuple(events), taken=taken)
    folded = Folded(
        status=head.status,
        seconds=head.seconds,
        answer=answer,
        kind=kind,
        message=head.message,
        facts=json.loads(facts),
        attempts={(attempt.seat, attempt.attempt): attempt for attempt in _attempts(db, run)},
    )
    events = unfold(folded, mixture, is_sliced=is_sliced)
    test = tuple(_entries(db, run))
    return WholeRun(row=head, mixture=mixture, events=tuple(events), taken=taken, test=test)


def _merged(events: Sequence[Event], mixture: Mixture) -> list[Event]:
    """Return one delta a kind, without the end that folding gives to what has none."""
    last = events[-1].n if events else 0
    folded = unfold(fold(events, mixture), mixture, is_sliced=False)
    return [event for event in folded if event.n <= last]


def _attempts(db: sqlite3.Connection, run: int) -> Iterator[Attempt]:
    rows = db.execute(
        "SELECT layer, number, attempt, role, model, label, status, text, thinking, timing"
        " FROM attempts WHERE run = ? ORDER BY id",
        (run,),
    )
    for layer, number, attempt, role, model, label, status, text, thinking, timing in rows:
        yield Attempt(
            Seat(layer, number),
            attempt,
            role=role,
            model=model,
            label=label,
            status=status,
            text=text,
            thinking=thinking,
            timing=timing,
        )


def test_of(databases: Databases, run: int) -> tuple[Entry, ...]:
    """Return who stood in a run's blind test, nobody where there was none."""
    return tuple(_entries(_home_of(databases, run), run))


def _entries(db: sqlite3.Connection, run: int) -> Iterator[Entry]:
    if not has_table(db, "entries"):
        return
    rows = db.execute(f"SELECT {_ENTRY} FROM entries WHERE run = ? ORDER BY layer, number", (run,))  # noqa: S608 - our own names
    yield from map(_entry, rows)


def _entry(row: Sequence[Any]) -> Entry:
    text, layer, number, role, model, is_picked = row
    return Entry(text, Seat(layer, number), role, model, is_picked=bool(is_picked))


def tests(databases: Databases) -> list[Judged]:
    """Return every blind test of sessions that weren't deleted."""
    found: list[Judged] = []
    hidden: set[str] = set()
    for db in databases:
        if not has_table(db, "entries"):
            continue
        rows = db.execute(
            f"SELECT session, entries.run, mixture_name, {_ENTRY} FROM entries"  # noqa: S608 - our own names
            " JOIN runs ON runs.id = entries.run JOIN turns ON turns.id = runs.turn"
            " JOIN sessions ON sessions.id = session WHERE deleted_at IS NULL"
            " ORDER BY entries.run, layer, entries.number"
        ).fetchall()
        for (session, _, preset), of_run in groupby(rows, key=itemgetter(0, 1, 2)):
            if session not in hidden:
                found.append(Judged(preset, tuple(_entry(row[3:]) for row in of_run)))
        hidden |= _all_ids(db) if len(databases) > 1 else set()
    return found


def whole(databases: Databases, session: str) -> Archive:
    """Return a session with everything in it.

    Raises:
        StoreError: there is none of that id, or its rows are damaged.
    """
    opened = load(databases, session)
    runs = (run.id for turn in opened.turns for run in turn.runs)
    found = tuple(whole_run(databases, run, is_sliced=True) for run in runs)
    return Archive(session=opened, runs=found)


def search(databases: Databases, typed: str, *, limit: int) -> list[Hit]:
    """Return where all the words stand, a hit a turn: titles first, then the newest first."""
    query = Query.of(typed)
    hits: list[Hit] = []
    for question in query.questions:
        hits = hits or _found_by(databases, query, question, limit)
    return hits


def _found_by(databases: Databases, query: Query, question: str, limit: int) -> list[Hit]:
    hits: list[Hit] = []
    hidden: set[str] = set()
    for db in databases:
        found = (*_titles(db, query, limit), *_texts(db, query, question, limit))
        hits += [hit for hit in found if hit.session not in hidden]
        hidden |= _all_ids(db) if len(databases) > 1 else set()
    # Sorting is stable: titles stay before texts of the same session list.
    hits.sort(key=lambda hit: (hit.where != "title", -hit.at))
    return hits[:limit]


def _titles(db: sqlite3.Connection, query: Query, limit: int) -> Iterator[Hit]:
    """Yield the sessions whose own name has all the words; other titles are prompts."""
    like = " AND ".join("title LIKE ? ESCAPE '\\'" for _ in query.terms)
    rows = db.execute(
        "SELECT id, title, touched_at FROM sessions WHERE is_named AND deleted_at IS NULL"  # noqa: S608 - marks only
        f" AND {like} ORDER BY touched_at DESC LIMIT ?",
        (*(f"%{term}%" for term in query.terms), limit),
    )
    for session, title, at in rows.fetchall():
        text, start, end = query.excerpt(title)
        yield Hit(
            session=session, title=title, where="title", at=at, text=text, start=start, end=end
        )


def _texts(db: sqlite3.Connection, query: Query, question: str, limit: int) -> Iterator[Hit]:
    turns: set[int] = set()
    newest = 2**63 - 1
    for _ in range(_MOST_PAGES):
        rows = db.execute(
            "SELECT rowid FROM words WHERE words MATCH ? AND rowid < ? ORDER BY rowid DESC LIMIT ?",
            (question, newest, _PAGE),
        ).fetchall()
        for (row,) in rows:
            hit = _hit(db, query, row)
            if hit is None or hit.turn is None or hit.turn in turns:
                continue
            turns.add(hit.turn)
            yield hit
            if len(turns) == limit:
                return
        if len(rows) < _PAGE:
            return
        newest = rows[-1][0]


def _hit(db: sqlite3.Connection, query: Query, row: int) -> Hit | None:
    """Return what the index's row means; None if its pairs stand apart, or it is deleted."""
    of_turn = "turns LEFT JOIN runs ON runs.id = 0 JOIN sessions ON sessions.id = session"
    of_run = "runs JOIN turns ON turns.id = runs.turn JOIN sessions ON sessions.id = session"
    for tables, key in ((of_run, "runs.id"), (of_turn, "turns.id")):
        found = db.execute(
            f"{_FOUND} {tables} WHERE {key} = ? AND deleted_at IS NULL", (row,)
        ).fetchone()
        if found is not None:
            break
    else:
        return None
    session, title, turn, asked_at, text, shown, run, started_at, answer = found
    places: list[tuple[Where, str, Seat | None]] = [("prompt", shown, None), ("prompt", text, None)]
    if run is not None:
        places.append(("answer", answer, None))
    where, said, seat = _best(db, query, places, run)
    if where is None:
        return None
    excerpt, start, end = query.excerpt(said)
    return Hit(
        session=session,
        title=title or words.UNTITLED,
        where=where,
        at=started_at or asked_at,
        text=excerpt,
        start=start,
        end=end,
        turn=turn,
        run=run,
        seat=seat,
    )


def _best(
    db: sqlite3.Connection,
    query: Query,
    places: list[tuple[Where, str, Seat | None]],
    run: int | None,
) -> tuple[Where | None, str, Seat | None]:
    """Return the text that has the most of the words; the proposals are looked at if need be."""

    def best() -> tuple[Where, str, Seat | None]:
        return max(places, key=lambda place: query.count_in(place[1]))

    if query.count_in(best()[1]) < len(query.terms) and run is not None:
        said = db.execute(
            "SELECT text, layer, number FROM attempts WHERE run = ? ORDER BY id", (run,)
        )
        places += [("proposal", text, Seat(layer, number)) for text, layer, number in said]
    if not query.is_in(text for _, text, _ in places):
        return None, "", None
    return best()
