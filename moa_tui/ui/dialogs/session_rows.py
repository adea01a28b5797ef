"""Sessions, and places in them, as rows of a list, and what there is to tell of one; no widgets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from rich.cells import cell_len
from rich.segment import Segment

from moa_tui.text import clean, one_line
from moa_tui.ui import look
from moa_tui.ui.dialogs import session_texts as says
from moa_tui.ui.dialogs.choices import Listing
from moa_tui.ui.rows import joined, section, wrapped

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.style import Style

    from moa_tui.engine.mixture import Seat
    from moa_tui.engine.state import RunState, SeatState
    from moa_tui.ui.dialogs.choices import Grid
    from moa_tui.ui.store import Hit, Session, SessionRow, Unfinished

_COUNTED_FROM: Final = 48
_GAP: Final = "  "
_LONGEST_QUESTION: Final = 1_000
_HEAD_SHARE: Final = 3
"""Of a row, the part that may stand before a match."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What the cursor stands on: a session, or with ``hit`` a place in one."""

    session: str
    title: str
    turn: int | None = None
    row: SessionRow | None = None
    hit: Hit | None = None


class Places(Listing, Protocol):
    """Rows that stand for sessions."""

    def at(self, number: int | None, /) -> Place | None:
        """Return what a row stands for; None where there is none."""
        ...

    def where(self, session: str, /) -> int:
        """Return the first row of a session, 0 where it has none."""
        ...


@dataclass(frozen=True, slots=True)
class Words:
    """A sentence in the place of rows."""

    text: str

    def __len__(self) -> int:
        return 1

    def at(self, number: int | None, /) -> None:
        """Return that a sentence is no session."""
        del number

    def where(self, session: str, /) -> int:
        """Return the only row."""
        del session
        return 0

    def may_stop(self, number: int, /) -> bool:
        """Return that there is nothing to choose."""
        del number
        return False

    def row(
        self, number: int, width: int, palette: look.Palette, /
    ) -> tuple[Sequence[Segment], Sequence[Segment]]:
        """Return the sentence."""
        del number, width
        return [Segment(self.text, palette.muted)], ()


@dataclass(frozen=True, slots=True)
class SessionListing:
    """Sessions as rows; ``now`` is what their times are told by, ``here`` the open one."""

    rows: Sequence[SessionRow]
    now: float
    here: str = ""

    def __len__(self) -> int:
        return len(self.rows)

    def at(self, number: int | None, /) -> Place | None:
        """Return the session of a row."""
        if number is None or not 0 <= number < len(self.rows):
            return None
        row = self.rows[number]
        return Place(session=row.id, title=row.title, row=row)

    def where(self, session: str, /) -> int:
        """Return a session's row."""
        return next((at for at, row in enumerate(self.rows) if row.id == session), 0)

    def may_stop(self, number: int, /) -> bool:
        """Return that every session can be opened."""
        del number
        return True

    def row(
        self, number: int, width: int, palette: look.Palette, /
    ) -> tuple[Sequence[Segment], Sequence[Segment]]:
        """Return a session's title; at the right whether it is in use, its turns, and when."""
        row = self.rows[number]
        right: list[Segment] = []
        if row.id == self.here:
            right.append(Segment(says.HERE, palette.bright + look.BOLD))
        elif row.is_live:
            live = f"{look.GLYPHS['streaming']} {says.LIVE}"
            right.append(Segment(live, palette.state("streaming")))
        figures = says.turns_column(row.turns) if width >= _COUNTED_FROM else ""
        figures += f"{says.when(row.touched_at, self.now):>{says.WHEN_CELLS + len(_GAP)}}"
        return [Segment(one_line(row.title), palette.ink)], [
            *right,
            Segment(figures, palette.muted),
        ]


class HitListing:
    """Places where a search was found, those of a session that follow each other under its title.

    ``now`` is what their times are told by.
    """

    def __init__(self, hits: Iterable[Hit], now: float) -> None:
        self._now = now
        rows: list[tuple[Hit, bool]] = []
        for hit in hits:
            if not rows or rows[-1][0].session != hit.session:
                rows.append((hit, True))
            rows.append((hit, False))
        self._rows = tuple(rows)
        self.count = sum(not is_head for _, is_head in rows)

    def __len__(self) -> int:
        return len(self._rows)

    def at(self, number: int | None, /) -> Place | None:
        """Return the place of a row; a title is none."""
        if number is None or not 0 <= number < len(self._rows):
            return None
        hit, is_head = self._rows[number]
        if is_head:
            return None
        return Place(session=hit.session, title=hit.title, turn=hit.turn, hit=hit)

    def where(self, session: str, /) -> int:
        """Return a session's first row."""
        return next((at for at, (hit, _) in enumerate(self._rows) if hit.session == session), 0)

    def may_stop(self, number: int, /) -> bool:
        """Return whether it is a place, no title."""
        return not self._rows[number][1]

    def row(
        self, number: int, width: int, palette: look.Palette, /
    ) -> tuple[Sequence[Segment], Sequence[Segment]]:
        """Return a title, or what it was found in and the words around it."""
        hit, is_head = self._rows[number]
        if is_head:
            when = says.when(hit.at, self._now)
            room = width - cell_len(when) - 4
            title = look.clip(one_line(hit.title), room)
            return list(section(title, when, width=width, palette=palette)), ()
        place = Segment(f"{says.place(hit.where):{says.PLACE_CELLS}}{_GAP}", palette.muted)
        return [place, *around(hit, width - len(place.text), palette)], ()


def around(hit: Hit, width: int, palette: look.Palette) -> list[Segment]:
    """Return the words around a match, which is bold and in sight in ``width`` cells."""
    head, match, tail = _parts(hit)
    room = max(width // _HEAD_SHARE, width - cell_len(match + tail))
    if cell_len(head) > room:
        head = head.lstrip(look.ELLIPSIS)
        while head and cell_len(head) >= room:
            head = head[1:]
        head = f"{look.ELLIPSIS}{head.lstrip()}"
    return _marked(head, match, tail, palette)


def _parts(hit: Hit) -> tuple[str, str, str]:
    """Return what stands before a match, the match, and what stands behind."""
    start = max(0, min(hit.start, len(hit.text)))
    end = max(start, min(hit.end, len(hit.text)))
    head, match, tail = hit.text[:start], hit.text[start:end], hit.text[end:]
    return _spaced(head), _spaced(match), _spaced(tail)


def _spaced(text: str) -> str:
    """Return a text made safe on one line, with the blanks at its ends."""
    return "".join(" " if char.isspace() else char for char in clean(text))


def _marked(head: str, match: str, tail: str, palette: look.Palette) -> list[Segment]:
    pieces = ((head, palette.ink), (match, palette.primary + look.BOLD), (tail, palette.ink))
    return [Segment(text, style) for text, style in pieces if text]


def about(
    place: Place,
    session: Session | None,
    *,
    now: float,
    width: int,
    rows: int,
    palette: look.Palette,
) -> Grid:
    """Return in so many rows what there is to tell of a place; ``session`` once it was read."""
    if place.hit is not None:
        facts, told = _facts_of_hit(place.hit, now), _told_of_hit(place.hit, session, palette)
    else:
        facts, told = _facts(place, session, now), _told(place, session, palette)
    dot = Segment(f" {look.DOT} ", palette.muted)
    told_facts = wrapped(joined([[Segment(fact, palette.muted)] for fact in facts], dot), width)
    title = wrapped([Segment(one_line(place.title), palette.bright + look.BOLD)], width)
    grid = _held(title, max(1, rows - len(told_facts) - 1), width, palette.bright) + told_facts
    for label, text in told:
        grid += _labelled(label, text, width, palette)
    return grid


def _held(grid: Grid, rows: int, width: int, style: Style) -> Grid:
    """Return at most so many rows; one that leaves some out ends with …."""
    if len(grid) <= rows:
        return grid
    last = look.clipped(grid[rows - 1], width - 2)
    return [*grid[: rows - 1], [*last, Segment(f" {look.ELLIPSIS}", style)]]


def _labelled(label: str, text: Sequence[Segment], width: int, palette: look.Palette) -> Grid:
    head = [Segment(f"{label}{_GAP}", palette.muted)] if label else []
    return wrapped([*head, *text], width)


def _facts(place: Place, session: Session | None, now: float) -> list[str]:
    row, facts = place.row, []
    if row is not None:
        facts = [says.turns(row.turns), says.touched(says.when(row.touched_at, now))]
    if session is not None:
        facts.append(says.begun(says.when(session.created_at, now)))
    if row is not None and row.is_live:
        facts.append(says.LIVE_ELSEWHERE)
    if session is not None and (session.draft or session.queue):
        facts.append(says.DRAFT)
    return facts


def _told(
    place: Place, session: Session | None, palette: look.Palette
) -> list[tuple[str, list[Segment]]]:
    """Return the last question, unless the title says it."""
    path = () if session is None else session.path()
    if not path:
        return []
    question = one_line(path[-1].prompt.shown, _LONGEST_QUESTION)
    if question == one_line(place.title):
        return []
    return [(says.LAST_QUESTION, [Segment(question, palette.ink)])]


def _facts_of_hit(hit: Hit, now: float) -> list[str]:
    place = says.place(hit.where) if hit.seat is None else says.proposal(*hit.seat)
    return [place, says.when(hit.at, now)]


def _told_of_hit(
    hit: Hit, session: Session | None, palette: look.Palette
) -> list[tuple[str, list[Segment]]]:
    """Return the words around the match, and the question where it isn't in it."""
    told = [] if hit.where == "title" else [("", _marked(*_parts(hit), palette))]
    turns = () if session is None or hit.where == "prompt" else session.turns
    for turn in turns:
        if turn.id == hit.turn:
            question = one_line(turn.prompt.shown, _LONGEST_QUESTION)
            told.append((says.QUESTION, [Segment(question, palette.ink)]))
    return told


@dataclass(frozen=True, slots=True)
class UnfinishedListing:
    """Runs that the program's end cut short, as rows."""

    rows: Sequence[Unfinished]

    def __len__(self) -> int:
        return len(self.rows)

    def may_stop(self, number: int, /) -> bool:
        """Return that every one can be opened."""
        del number
        return True

    def row(
        self, number: int, width: int, palette: look.Palette, /
    ) -> tuple[Sequence[Segment], Sequence[Segment]]:
        """Return the session's title, and how many seats had not ended."""
        del width
        one = self.rows[number]
        right = Segment(says.not_ended(len(one.seats)), palette.muted)
        return [Segment(one_line(one.title), palette.ink)], [right]


def about_unfinished(
    one: Unfinished, state: RunState | None, *, width: int, palette: look.Palette
) -> Grid:
    """Return a run's question and how far each seat had come; ``state`` once the run was read."""
    question = Segment(one_line(one.prompt.shown, _LONGEST_QUESTION), palette.bright + look.BOLD)
    grid = _held(wrapped([question], width), 2, width, palette.bright)
    seats = {} if state is None else dict(state.seats)
    for seat in sorted({*seats, *one.seats}):
        is_cut = seat in one.seats
        grid.append(_seat_row(seat, seats.get(seat), is_cut=is_cut, width=width, palette=palette))
    return grid


def _seat_row(
    seat: Seat, state: SeatState | None, *, is_cut: bool, width: int, palette: look.Palette
) -> list[Segment]:
    key: look.StateKey = "stopped" if is_cut or state is None else look.state_key(state)
    word = says.CUT_SHORT if is_cut or state is None else says.state(state.status)
    name = says.seat(*seat) if state is None else look.name_of(state)
    left = [
        Segment(f"{look.GLYPHS[key]} ", palette.state(key)),
        Segment(name, palette.ink),
        Segment(f"{_GAP}{word}", palette.muted),
    ]
    if state is not None:
        said = f" {look.DOT} {says.was_there(state.tokens)}"
        left.append(Segment(said, palette.muted))
    return look.clipped(left, width)
