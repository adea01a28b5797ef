"""How the race view is drawn: states and a size in, strips out; nothing knows a widget."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Final

from rich.cells import cell_len, split_graphemes
from rich.segment import Segment

from moa_tui.text import clean, one_line
from moa_tui.ui import look
from moa_tui.ui.race import card

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from textual.strip import Strip

    from moa_tui.engine.state import Log, SeatState
    from moa_tui.ui.look import Mark, Palette

ANSWER: Final = "answer"
THINKING: Final = "thinking"
ABOVE: Final = "{count} more above"
BELOW: Final = "{count} more below"
LOST_NOTHING: Final = "Try {attempt} lost nothing."

_WIDE_FROM: Final = 100
_BEFORE_NAME: Final = 6
_AFTER_NAME: Final = 2
_LEAST_NAME: Final = 18
"""Holds the longest state in few letters: "✗ failed: protocol"."""
_LEAST_LEAN_NAME: Final = 12
_MOST_NAME: Final = 30
_LEAN_STATE: Final = 13
_LEAST_BAR: Final = 16
_LEAST_LEAN_BAR: Final = 8
_HEADS_FROM: Final = 4
_COLUMNS: Final = {"tok": (6, 7), "t/s": (5, 6), "ttft": (5, 7), "time": (6, 8)}
"""Cells of a column of figures, its gap included: below 100 columns, and from there on."""
_DROPPED: Final = ("ttft", "tok", "time", "t/s")
"""What gives way to the bar, the first one first: the bar says roughly what ``tok`` does."""
_TICK_GAP: Final = 2
_WITH_BLANK: Final = 3
_PIECES: Final = 64
_MOST_PIECES: Final = 4_096
_LONGEST_START: Final = 4_096

_SENTENCE_END: Final = re.compile(r"(?<!\.\w)[.!?…][\"'”’)\]*_]*(?=\s|$)|[。！？][”’」』）]*")
_SKIPPED: Final = re.compile(r"#{1,6}\s|[-*_=]{3,}\s*$|\|")
_MARKER: Final = re.compile(r"\A(?:>\s*|[-*+]\s+|\d{1,3}[.)]\s+)+")
_LINK: Final = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_ENDS: Final = (".", "!", "?", "…", "。", "！", "？")
_FENCE: Final = ("```", "~~~")


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """Where everything stands, in cells and rows; lanes count from 0.

    ``pitch`` is a lane's rows with the blank one behind it: 3, 2, or 1 where its state stands
    beside its name. ``first`` and ``count`` are the lanes in sight of ``total``.
    """

    width: int
    height: int
    names: int
    bar: int
    columns: tuple[tuple[str, int], ...]
    air: int
    pitch: int
    first: int
    count: int
    total: int
    has_heads: bool

    @property
    def left(self) -> int:
        """The column where the bars begin."""
        lean = _LEAN_STATE + 1 if self.pitch == 1 else 0
        return _BEFORE_NAME + self.names + _AFTER_NAME + lean

    @property
    def told(self) -> int:
        """Cells of text in a lane's second row."""
        return max(0, self.width - self.left - self.air)

    @property
    def indexes(self) -> range:
        """The lanes in sight."""
        return range(self.first, self.first + self.count)

    @property
    def cue_row(self) -> int | None:
        """The row that counts the lanes out of sight; None: all are seen or there is no room."""
        is_needed = self.count < self.total and self.height > int(self.has_heads) + self.count
        return self.height - 1 if is_needed else None

    def row_of(self, index: int) -> int:
        """Return the first row of a lane in sight."""
        return int(self.has_heads) + (index - self.first) * self.pitch

    def index_at(self, row: int) -> int | None:
        """Return which lane stands in a row; None: none does."""
        if row < int(self.has_heads) or row == self.cue_row:
            return None
        index = self.first + (row - int(self.has_heads)) // self.pitch
        return index if index in self.indexes else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Upper:
    """What a lane's first row tells; ``mark`` only where it has no second one."""

    number: int
    name: str
    cells: tuple[int, int]
    figures: Mapping[str, str]
    mark: Mark | None
    is_selected: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Lower:
    """What a lane's second row tells: its state, and its last words or why there are none."""

    mark: Mark
    told: tuple[Segment, ...]
    is_selected: bool


# Where things stand.


def laid_out(
    names: Sequence[str], size: tuple[int, int], *, selected: int = 0, first: int = 0
) -> Course:
    """Return the course of as many lanes as there are names, in (columns, rows).

    Where rows are short, the blank ones go first, then the second row of each lane, then lanes;
    the ``selected`` one stays in sight, and ``first`` stays the first where it can.
    """
    (width, height), total = size, len(names)
    has_heads = height >= _HEADS_FROM
    room = max(0, height - int(has_heads))
    pitch = next((pitch for pitch in (_WITH_BLANK, 2) if _rows(total, pitch) <= room), 1)
    is_cut = _rows(total, pitch) > room
    count = max(min(1, room), room - 1) if is_cut else total
    first = min(max(first, selected - count + 1), selected, total - count)
    air = 2 if width >= _WIDE_FROM else 1
    field = _name_field(names, width, is_lean=pitch == 1)
    before = _BEFORE_NAME + field + _AFTER_NAME + (_LEAN_STATE + 1 if pitch == 1 else 0)
    least = _LEAST_LEAN_BAR if pitch == 1 else _LEAST_BAR
    columns = _columns(width - before - air - least, is_wide=width >= _WIDE_FROM)
    bar = max(0, width - before - air - sum(cells for _, cells in columns))
    return Course(
        width=width,
        height=height,
        names=field,
        bar=bar,
        columns=columns,
        air=air,
        pitch=pitch,
        first=max(0, first),
        count=count,
        total=total,
        has_heads=has_heads,
    )


def _rows(lanes: int, pitch: int) -> int:
    """Return the rows of so many lanes: none is blank behind the last."""
    return max(0, lanes * pitch - (pitch == _WITH_BLANK))


def _name_field(names: Sequence[str], width: int, *, is_lean: bool) -> int:
    """Return the cells of names: as the longest needs, within what the width allows."""
    least = _LEAST_LEAN_NAME if is_lean else _LEAST_NAME
    longest = max((cell_len(name) for name in names), default=0)
    return max(least, min(longest, _MOST_NAME, width // 5))


def _columns(room: int, *, is_wide: bool) -> tuple[tuple[str, int], ...]:
    """Return the columns of figures that fit, as (head, cells)."""
    columns = {head: cells[is_wide] for head, cells in _COLUMNS.items()}
    for head in _DROPPED:
        if sum(columns.values()) <= room:
            break
        del columns[head]
    return tuple(columns.items())


# What a lane tells.


def upper(
    seat: SeatState,
    t: float,
    *,
    rate: float | None,
    scale: int,
    course: Course,
    is_selected: bool = False,
) -> Upper:
    """Return what a lane's first row tells at ``t``; ``scale`` tokens fill the bar."""
    figures = {
        "tok": look.tokens(seat.tokens),
        "t/s": look.rate(rate),
        "ttft": look.ttft(seat.ttft_s),
        "time": look.elapsed(seat, t),
    }
    return Upper(
        number=seat.seat.number,
        name=look.name_of(seat),
        cells=look.lane_cells(course.bar, *look.thought_and_said(seat), scale=scale),
        figures={head: figures[head] for head, _ in course.columns},
        mark=look.mark(seat, t, narrow=True) if course.pitch == 1 else None,
        is_selected=is_selected,
    )


def lower(
    seat: SeatState, t: float, *, course: Course, palette: Palette, is_selected: bool = False
) -> Lower:
    """Return what a lane's second row tells at ``t``."""
    mark = look.mark(seat, t)
    if cell_len(mark.text) > course.names:
        mark = look.mark(seat, t, narrow=True)
    told = tuple(look.clipped(_told(seat, course.told, palette), course.told))
    return Lower(mark=mark, told=told, is_selected=is_selected)


def _told(seat: SeatState, width: int, palette: Palette) -> list[Segment]:
    if seat.status in ("failed", "retrying"):
        return _why(seat, palette)
    if seat.status == "thinking" or (seat.thinking and not seat.text):
        style = palette.state("thinking") + look.ITALIC
        return [Segment(last_words(seat.thinking, width), style)]
    if seat.text and seat.status in ("done", "late"):
        return [Segment(first_sentence(str(seat.text)), palette.muted)]
    if seat.text:
        return [Segment(last_words(seat.text, width), palette.muted)]
    return [Segment(_without_words(seat), palette.muted)]


def _why(seat: SeatState, palette: Palette) -> list[Segment]:
    """Return why a seat failed and what helps, or that its next try loses nothing."""
    more = seat.hint
    if seat.status == "retrying":
        more = LOST_NOTHING.format(attempt=seat.attempt)
    message = one_line(seat.message)
    parts = [Segment(message, palette.state(look.state_key(seat)))] if message else []
    between = " " if message.endswith(_ENDS) else f" {look.DOT} "
    more = f"{between if message and more else ''}{one_line(more)}"
    return [*parts, Segment(more, palette.muted)]


def _without_words(seat: SeatState) -> str:
    endpoint = one_line(seat.model.partition("/")[0])
    if seat.status == "queued" and seat.behind:
        return card.BEHIND.format(behind=one_line(seat.behind))
    if seat.status in card.WAITS:
        return card.WAITS[seat.status].format(endpoint=endpoint)
    return "" if seat.is_live else one_line(seat.message) or card.NO_WORDS


def last_words(log: Log, width: int) -> str:
    """Return the end of a text on one line of at most ``width`` cells, whole words behind a …."""
    count, line = _PIECES, ""
    while True:
        text = clean(log.since(max(0, log.length - count))).rstrip()
        # A letter with its marks may take several characters for a cell.
        line = " ".join(text[-8 * width - 32 :].split())
        if cell_len(line) > width or count >= min(log.length, _MOST_PIECES):
            break
        count *= 4
    if cell_len(line) <= width and count >= log.length:
        return line
    start, used = len(line), 1
    for begin, _, cells in reversed(split_graphemes(line)[0]):
        if used + cells > width:
            break
        start, used = begin, used + cells
    space = line.find(" ", max(0, start - 1))
    # A word longer than a third of the row is cut, as are languages without spaces.
    whole = space + 1 if 0 <= space < start + width // 3 else start
    return look.ELLIPSIS + line[whole:] if width > 0 else ""


def first_sentence(text: str) -> str:
    """Return the first sentence of an answer in Markdown, without marks; else its first line."""
    lines = [line.strip() for line in clean(text[:_LONGEST_START]).split("\n")]
    is_code = False
    prose = []
    for line in lines:
        if line.startswith(_FENCE):
            is_code = not is_code
        is_prose = not (is_code or line.startswith(_FENCE) or _SKIPPED.match(line))
        prose.append(line if is_prose else "")
    paragraphs = [list(group) for is_full, group in groupby(prose, key=bool) if is_full]
    if not paragraphs:
        return _plain(
            next((line for line in lines if line and not line.startswith(_FENCE)), "")
        ).lstrip("# ")
    paragraph = _MARKER.sub("", paragraphs[0][0])
    for line in paragraphs[0][1:]:
        if _MARKER.match(line):
            break
        paragraph += f" {line}"
    end = _SENTENCE_END.search(paragraph)
    return _plain(paragraph[: end.end()] if end else paragraph)


def _plain(line: str) -> str:
    """Return a line of Markdown without the marks that only style it."""
    return " ".join(_LINK.sub(r"\1", line).replace("**", "").replace("`", "").split())


# Drawing.


def heads_row(scale: int, *, course: Course, palette: Palette) -> Strip:
    """Return what bars mean, the ticks of their scale, and the heads of the figures."""
    legend = (
        f"  {look.RACE_ANSWER} {ANSWER}",
        f"  {look.RACE_THINKING} {THINKING}",
    )
    text = "".join(legend) if cell_len("".join(legend)) <= course.left - _AFTER_NAME else ""
    text += " " * (course.left - cell_len(text))
    text += ticks(scale, course.bar)
    text += "".join(f"{head:>{cells}}" for head, cells in course.columns)
    return _row([Segment(text, palette.muted)], course=course, palette=palette)


def ticks(scale: int, width: int) -> str:
    """Return the tokens at quarters of a bar, or at halves, as many as stand apart."""
    for parts in (4, 2):
        line = ""
        for part in range(parts):
            at = round(width * part / parts)
            if part and len(line) + _TICK_GAP > at:
                break
            line = f"{line:<{at}}{look.tokens(scale * part // parts)}"
        else:
            return _with_full(line, scale, width)
    return f"{0:<{width}}"[:width]


def _with_full(line: str, scale: int, width: int) -> str:
    """Return the ticks with what a full bar means at their end, where it stands apart."""
    full = look.tokens(scale)
    rest = width - len(line)
    if rest < 0:
        return f"{0:<{width}}"[:width]
    return f"{line}{full:>{rest}}" if rest >= len(full) + _TICK_GAP else f"{line:<{width}}"


def upper_row(lane: Upper, *, course: Course, palette: Palette) -> Strip:
    """Return a lane's first row: chip, name, bar, figures."""
    name = look.clip(lane.name, course.names)
    parts = [
        _edge(is_selected=lane.is_selected, palette=palette),
        palette.chip(lane.number),
        Segment(" "),
        Segment(f"{name}{' ' * (course.names - cell_len(name))}", palette.ink + look.BOLD),
    ]
    if lane.mark is not None:
        state = look.clip(lane.mark.text, _LEAN_STATE)
        padded = f" {state}{' ' * (_LEAN_STATE - cell_len(state))}"
        parts.append(Segment(padded, palette.state(lane.mark.key)))
    parts.append(Segment(" " * _AFTER_NAME))
    thinking, answer = lane.cells
    bar = look.RACE_THINKING * thinking + look.RACE_ANSWER * answer
    parts += [
        Segment(bar, palette.seat(lane.number)),
        Segment(look.RACE_TRACK * (course.bar - len(bar)), palette.track),
    ]
    for head, cells in course.columns:
        style = palette.bright + look.BOLD if head == "time" else palette.muted
        parts.append(Segment(f"{lane.figures[head]:>{cells}}", style))
    return _row(parts, course=course, palette=palette)


def lower_row(lane: Lower, *, course: Course, palette: Palette) -> Strip:
    """Return a lane's second row: state, and words where its bar begins."""
    state = look.clip(lane.mark.text, course.names)
    gap = " " * (course.names - cell_len(state) + _AFTER_NAME)
    parts = [
        _edge(is_selected=lane.is_selected, palette=palette),
        Segment(" " * (_BEFORE_NAME - 2)),
        Segment(state, palette.state(lane.mark.key)),
        Segment(gap),
        *lane.told,
    ]
    return _row(parts, course=course, palette=palette)


def cue(course: Course, palette: Palette) -> Strip:
    """Return how many lanes are out of sight, above and below."""
    above, below = course.first, course.total - course.first - course.count
    told = [
        text.format(count=count) for text, count in ((ABOVE, above), (BELOW, below)) if count > 0
    ]
    parts = [Segment(" " * _BEFORE_NAME), Segment(f" {look.DOT} ".join(told), palette.muted)]
    return _row(parts, course=course, palette=palette)


def _edge(*, is_selected: bool, palette: Palette) -> Segment:
    return Segment(f"{look.BAR_FOCUSED} ", palette.focus) if is_selected else Segment("  ")


def _row(parts: Sequence[Segment], *, course: Course, palette: Palette) -> Strip:
    full = [part for part in parts if part.text]
    return look.row(full, (), width=course.width, ground=palette.background)
