"""A session as one file: Markdown to be read, JSON to be kept, and JSON back.

The JSON is an object::

    format    "moa-tui session"
    version   1
    session   id, title, is_named, created_at, touched_at (seconds since 1970), head (a turn's id or
              null), draft, queue (prompts that wait)
    turns     oldest first: id, parent (a turn's id or null), prompt, asked_at, shown_run (a run's
              id or null), runs
    runs      oldest first: id, status (done, failed, stopped, interrupted, taken), started_at,
              given_from (the run whose proposals were merged anew or taken, or null), mixture (as a
              preset, with its name), taken (the proposal that was made the answer, or null),
              taken_from (its seat, or null), events (as ``--json`` has them, times to the
              microsecond; none of a run that is only taken), test (who stood in its blind test, []
              where there was none: text, from 1 in the order shown, seat, role, model, is_picked)

A prompt is an object of ``text`` (what the models were sent), ``shown`` (the same with pastes and
files folded) and ``typed``. Readers ignore fields that they don't know.
"""

from __future__ import annotations

import json
import re
import time
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, Final

from moa_tui.engine.blind import MOST_TEXTS, Entry, Judged
from moa_tui.engine.events import TextDelta, ThinkingDelta
from moa_tui.engine.state import state_after
from moa_tui.engine.votes import why_chosen
from moa_tui.storage import words
from moa_tui.storage.plain import (
    event_of,
    mixture_of,
    mixture_table,
    plain,
    seat_of,
    with_mixture,
    without_keys,
    wrong,
)
from moa_tui.storage.records import Archive, Asked, RunRow, Session, StoreError, TurnRow, WholeRun
from moa_tui.text import Cleaner, clean, one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from moa_tui.engine.events import Event
    from moa_tui.engine.state import RunState, SeatState
    from moa_tui.storage.records import RunEnd

FORMAT: Final = "moa-tui session"
VERSION: Final = 1

_LONGEST_ID: Final = 40
_ENDS: Final[dict[str, RunEnd]] = {
    "live": "interrupted",
    "done": "done",
    "failed": "failed",
    "stopped": "stopped",
    "interrupted": "interrupted",
    "taken": "taken",
}


def to_json(archive: Archive) -> str:
    """Return a session with everything in it; see the top of this file for its shape."""
    session = archive.session
    runs = {run.row.id: run for run in archive.runs}
    # Small numbers: many a reader's own hold only 53 bits.
    turn_ids = _numbered(turn.id for turn in session.turns)
    run_ids = _numbered(runs)
    document = {
        "format": FORMAT,
        "version": VERSION,
        "session": {
            "id": session.id,
            "title": session.title,
            "is_named": session.is_named,
            "created_at": session.created_at,
            "touched_at": session.touched_at,
            "head": turn_ids.get(session.head),
            "draft": session.draft,
            "queue": [_prompt(prompt) for prompt in session.queue],
        },
        "turns": [
            {
                "id": turn_ids[turn.id],
                "parent": turn_ids.get(turn.parent),
                "prompt": _prompt(turn.prompt),
                "asked_at": turn.asked_at,
                "shown_run": run_ids.get(turn.shown_run),
                "runs": [_run(runs[row.id], run_ids) for row in turn.runs if row.id in runs],
            }
            for turn in session.turns
        ],
    }
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def _prompt(prompt: Asked) -> dict[str, str]:
    return {"text": prompt.text, "shown": prompt.shown, "typed": prompt.typed}


def _numbered(ids: Iterable[int]) -> dict[int | None, int]:
    return {key: number for number, key in enumerate(ids, 1)}


def _run(run: WholeRun, run_ids: dict[int | None, int]) -> dict[str, Any]:
    return {
        "id": run_ids[run.row.id],
        "status": run.row.status,
        "started_at": run.row.started_at,
        "given_from": run_ids.get(run.row.given_from),
        "mixture": mixture_table(run.mixture),
        "taken": run.taken,
        "taken_from": run.row.taken_from,
        "test": [asdict(entry) for entry in run.test],
        "events": [with_mixture(plain(event), event) for event in run.events],
    }


def from_json(text: str) -> Archive:
    """Return the session of such a file, made safe to be shown.

    Raises:
        StoreError: it is something else, or too new; the message says what is wrong where.
    """
    try:
        document = _safe(json.loads(text))
    except (ValueError, RecursionError) as error:
        raise StoreError(words.NO_JSON.format(why=one_line(str(error), 80))) from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise StoreError(words.NO_ARCHIVE.format(format=FORMAT))
    root = _Object(document, "")
    version = root.whole("version")
    if version > VERSION:
        raise StoreError(words.NEWER_ARCHIVE.format(version=version, known=VERSION))
    runs: list[WholeRun] = []
    turns = tuple(_turn_of(item, runs) for item in root.objects("turns"))
    session = root.below("session")
    return Archive(
        session=Session(
            id=_id(session),
            title=one_line(session.text("title")),
            is_named=session.flag("is_named"),
            created_at=session.number("created_at"),
            touched_at=session.number("touched_at"),
            turns=turns,
            head=session.maybe_whole("head"),
            draft=session.text("draft"),
            queue=tuple(_prompt_of(item) for item in session.objects("queue")),
        ),
        runs=tuple(runs),
    )


def _safe(value: Any) -> Any:  # noqa: ANN401 - anything that JSON has
    match value:
        case str():
            return clean(value)
        case list():
            return [_safe(item) for item in value]
        case dict():
            return {key: _safe(item) for key, item in value.items()}
        case _:
            return value


def _id(session: _Object) -> str:
    found = session.text("id")
    if re.fullmatch(rf"[a-z0-9]{{1,{_LONGEST_ID}}}", found):
        return found
    raise wrong("session.id", "must be of small letters and digits")


def _prompt_of(item: _Object) -> Asked:
    return Asked(item.text("text"), item.text("shown"), item.text("typed"))


def _turn_of(item: _Object, runs: list[WholeRun]) -> TurnRow:
    read = [_run_of(run) for run in item.objects("runs")]
    shown_run = item.maybe_whole("shown_run")
    of_turn: list[WholeRun] = []
    for run in read:
        if run.row.status == "taken" and not any(_gave(one, run) for one in of_turn):
            raise wrong(f"{item.place}.runs", "have a proposal that is taken from no run before it")
        parts = _parted(run)
        shown_run = parts[-1].row.id if run.row.id == shown_run else shown_run
        of_turn += parts
    runs += of_turn
    shown = next((run for run in of_turn if run.row.id == shown_run), None)
    return TurnRow(
        id=item.whole("id"),
        parent=item.maybe_whole("parent"),
        prompt=_prompt_of(item.below("prompt")),
        asked_at=item.number("asked_at"),
        runs=tuple(run.row for run in of_turn),
        shown_run=shown_run,
        answer="" if shown is None else _answer(shown),
    )


def _gave(run: WholeRun, taken: WholeRun) -> bool:
    return run.row.id == taken.row.given_from and run.row.status != "taken"


def _parted(run: WholeRun) -> list[WholeRun]:
    """Return a run, and behind it the proposal that stands in its place: in older files."""
    row = run.row
    if run.taken is None or row.status == "taken":
        return [run]
    own = replace(run, row=replace(row, taken_from=None), taken=None)
    if row.taken_from is None:
        return [own]
    of_taken = replace(
        row, id=~row.id, status="taken", given_from=row.id, seconds=None, usage=None, message=""
    )
    return [own, replace(run, row=of_taken, events=())]


def _run_of(item: _Object) -> WholeRun:
    status = item.text("status")
    if status not in _ENDS:
        raise wrong(f"{item.place}.status", "must be one of the known words")
    mixture = mixture_of(item.value("mixture"), f"{item.place}.mixture")
    told = (event_of(event.table, event.place) for event in item.objects("events"))
    events = tuple(sorted(_cleaned(told), key=lambda event: event.n))
    state = _state(events, f"{item.place}.events")
    taken_from = item.value("taken_from")
    taken = item.value("taken")
    if not isinstance(taken, str | None):
        raise wrong(f"{item.place}.taken", "must be a text or null")
    if status == "taken" and (taken is None or taken_from is None or events):
        raise wrong(item.place, "must have a text and a seat, and no events, as it is only taken")
    is_ended = state.status in ("done", "failed", "stopped") or status == "taken"
    row = RunRow(
        id=item.whole("id"),
        status=_ENDS[status] if is_ended else "interrupted",
        mixture_name=mixture.name,
        started_at=item.number("started_at"),
        seconds=state.t if is_ended and events else None,
        usage=state.usage,
        message=state.message,
        reason=state.reason,
        given_from=item.maybe_whole("given_from"),
        taken_from=None if taken_from is None else seat_of(taken_from, f"{item.place}.taken_from"),
    )
    test = _test_of(item) if item.value("test") else ()
    return WholeRun(row=row, mixture=mixture, events=events, taken=taken, test=test)


def _test_of(run: _Object) -> tuple[Entry, ...]:
    """Return who stood in a run's blind test: each seat once, and one text picked at most."""
    entries = tuple(map(_entry_of, run.objects("test")))
    seats = {entry.seat for entry in entries}
    picked = {entry.text for entry in entries if entry.is_picked}
    if len(seats) < len(entries) or len(picked) > 1:
        raise wrong(f"{run.place}.test", "must name each seat once, and one text picked at most")
    return entries


def _entry_of(item: _Object) -> Entry:
    seat = seat_of(item.value("seat"), f"{item.place}.seat")
    is_answer = item.text("role") == "aggregator"
    text = item.whole("text")
    if not 1 <= text <= MOST_TEXTS:
        raise wrong(f"{item.place}.text", f"must be from 1 to {MOST_TEXTS}")
    return Entry(
        text,
        seat,
        "aggregator" if is_answer else "proposer",
        one_line(item.text("model")),
        is_picked=item.flag("is_picked"),
    )


def _cleaned(events: Iterable[Event]) -> Iterator[Event]:
    """Make a stream's pieces safe as one text: each alone is already."""
    streams: dict[object, Cleaner] = {}
    for event in events:
        if isinstance(event, TextDelta | ThinkingDelta):
            stream = (type(event), event.seat, event.attempt)
            text = streams.setdefault(stream, Cleaner()).feed(event.text)
            yield replace(event, text=text)
            continue
        yield without_keys(event)


def _state(events: Iterable[Event], place: str) -> RunState:
    try:
        return state_after(events)
    except KeyError as error:
        raise wrong(place, "has something of a seat that never started") from error


def _answer(run: WholeRun) -> str:
    return _state(run.events, "events").answer if run.taken is None else run.taken


class _Object:
    """An object of the file, whose fields are asked for by their kind.

    Each method raises StoreError when the field is missing or something else.
    """

    def __init__(self, table: dict[str, Any], place: str) -> None:
        self.table = table
        self.place = place

    def value(self, key: str) -> object:
        return self.table.get(key)

    def text(self, key: str) -> str:
        value = self.value(key)
        if isinstance(value, str):
            return value
        raise wrong(self._spot(key), "must be a text")

    def flag(self, key: str) -> bool:
        value = self.value(key)
        if isinstance(value, bool):
            return value
        raise wrong(self._spot(key), "must be true or false")

    def whole(self, key: str) -> int:
        value = self.value(key)
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63:
            return value
        raise wrong(self._spot(key), "must be a whole number")

    def maybe_whole(self, key: str) -> int | None:
        return None if self.value(key) is None else self.whole(key)

    def number(self, key: str) -> float:
        value = self.value(key)
        if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 2**53:
            return float(value)
        raise wrong(self._spot(key), "must be a number")

    def below(self, key: str) -> _Object:
        return self._below(self.value(key), self._spot(key))

    def objects(self, key: str) -> list[_Object]:
        value = self.value(key)
        if not isinstance(value, list):
            raise wrong(self._spot(key), "must be a list")
        return [self._below(item, f"{self._spot(key)}[{n}]") for n, item in enumerate(value, 1)]

    def _below(self, value: object, place: str) -> _Object:
        if isinstance(value, dict):
            return _Object(value, place)
        raise wrong(place, "must be an object")

    def _spot(self, key: str) -> str:
        return f"{self.place}.{key}".strip(".")


def to_markdown(archive: Archive) -> str:
    """Return the conversation up to its head as a page, what the seats said folded below."""
    session = archive.session
    runs = {run.row.id: run for run in archive.runs}
    parts = [f"# {_inline(session.title)}", f"*{_date(session.created_at)}*"]
    for turn in session.path():
        parts += [f"## {_inline(turn.prompt.shown)}", f"*{_date(turn.asked_at)}*"]
        if _inline(turn.prompt.shown) != turn.prompt.text.strip():
            parts.append(_fenced(turn.prompt.text))
        shown = None if turn.shown_run is None else runs.get(turn.shown_run)
        if shown is not None:
            ran = runs.get(shown.row.given_from or 0) if shown.row.status == "taken" else shown
            parts += _run_parts(shown, turn.answer, ran)
    return "\n\n".join(parts) + "\n"


def _run_parts(run: WholeRun, answer: str, ran: WholeRun | None) -> list[str]:
    """Return an answer, how it came, and the proposals; ``ran`` is the run that has the seats."""
    state = _state(() if ran is None else ran.events, "events")
    told = answer.strip() or f"*{_inline(run.row.message or words.NO_ANSWER)}*"
    name = f"{_inline(run.row.mixture_name)} · " if run.row.mixture_name else ""
    taken = run.row.taken_from
    whose = taken or (state.chosen if run.taken is None else None)
    by = "" if whose is None else words.TAKEN_FROM.format(layer=whose.layer, number=whose.number)
    if whose is not None and taken is None:
        by = f"{by}, {why_chosen(state)}"
    foot = f"*{name}{words.RUN_ENDS[run.row.status]}{by}{_judged(ran)}*"
    seats = sorted(state.seats.values(), key=lambda seat: seat.seat)
    return [told, foot, *(_folded(seat) for seat in seats if seat.role == "proposer")]


def _judged(run: WholeRun | None) -> str:
    """Return what came of the run's blind test, "" where there was none."""
    if run is None or not run.test:
        return ""
    test = Judged(run.mixture.name, run.test)
    # The answer's own entry is the last seat's.
    winner = next((entry for entry in reversed(run.test) if entry.is_picked), None)
    if winner is None:
        picked = words.JUDGED_ALIKE
    elif winner.role == "aggregator":
        picked = words.JUDGED_ANSWER
    else:
        picked = words.JUDGED_PROPOSAL.format(layer=winner.seat.layer, number=winner.seat.number)
    return words.JUDGED.format(texts=test.texts, picked=picked)


def _folded(seat: SeatState) -> str:
    about = [_html(seat.label or seat.model), seat.status]
    if seat.ended_t is not None:
        about.append(f"{seat.seconds(seat.ended_t):.1f} s")
    about.append(words.TOKENS.format(count=seat.tokens))
    place = words.LAYER.format(layer=seat.seat.layer, number=seat.seat.number)
    said = str(seat.text).strip() or f"*{_inline(seat.message or words.NO_ANSWER)}*"
    # A fence that was left open, or the end of a fold in the text, would swallow what follows.
    safe = re.sub(r"(?i)</(?=details|summary)", "&lt;/", _closed(said))
    summary = f"<summary>{place} · {' · '.join(about)}</summary>"
    return f"<details>\n{summary}\n\n{safe}\n\n</details>"


def _closed(text: str) -> str:
    """Return Markdown with its last code block closed."""
    fence = ""
    for line in text.splitlines():
        found = re.match(r" {0,3}(`{3,}|~{3,})(.*)", line)
        if found is None:
            continue
        marks, rest = found.groups()
        if not fence:
            fence = marks
        elif marks.startswith(fence) and not rest.strip():
            fence = ""
    return f"{text}\n{fence}" if fence else text


def _fenced(text: str) -> str:
    longest = max((len(marks) for marks in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{text.rstrip()}\n{fence}"


def _inline(text: str) -> str:
    return one_line(text, 2000)


def _html(text: str) -> str:
    return _inline(text).replace("&", "&amp;").replace("<", "&lt;")


def _date(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at))
