"""How the sidebar's rows look, which of them fit, and what of a row was clicked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rich.cells import cell_len
from rich.segment import Segment
from textual.strip import Strip

from moa_tui.ui import look
from moa_tui.ui.rows import section
from moa_tui.ui.sidebar import editing_words as says
from moa_tui.ui.sidebar.editing import AGGREGATOR
from moa_tui.ui.sidebar.recipe import FOR_EDITING, Spot

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.style import Style

    from moa_tui.ui.sidebar.editing import Place
    from moa_tui.ui.sidebar.recipe import Block, Line, Section

LESS: Final = "◂"
MORE: Final = "▸"
_UP: Final = "↑"
_AIR: Final = 3
"""Cells beside a row: one left, one right, the rule."""

_INDENT: Final = 2
_DEEPER: Final = 4
_GAP: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row that is a section's head, a line of it, or blank."""

    head: Block | None = None
    line: Line | None = None
    hint: str = ""
    is_turnable: bool = False

    def draw(self, width: int, palette: look.Palette, *, is_here: bool = False) -> Strip:
        """Return it in ``width`` cells; ``is_here``: the cursor stands on it."""
        inner = width - _AIR
        if self.head is not None:
            hint = self.head.layers or self.hint
            head = section(self.head.title, hint, width=inner, palette=palette)
            return framed(head, width, palette)
        if self.line is None:
            return framed(Strip([]), width, palette)
        right = _right(self, palette, inner)
        room = inner - look.cells(right) - _GAP if right else inner
        left = _left(self.line, palette, room)
        if is_here:
            ink = palette.focus_ink
            left, right = _inked(left, ink), _inked(right, ink)
        ground = palette.focus_head if is_here else palette.background
        row = look.row(left, right, width=inner, ground=ground)
        return framed(row, width, palette, is_here=is_here)

    def turns_at(self, x: int, width: int) -> int:
        """Return -1 or 1 where a click at column ``x`` meets an arrow, else 0."""
        line = self.line
        if line is None or not self.is_turnable or not (line.less or line.more):
            return 0
        # A cell beside an arrow counts too: it is a small thing to meet.
        last = width - _AIR
        first = last - cell_len(line.value) - 3
        if last - 1 <= x <= last:
            return 1 if line.more else 0
        return -1 if first <= x <= first + 1 and line.less else 0


class Page:
    """All rows, the one under the cursor, and which of them are in sight."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.at = Spot("name")
        """The row under the cursor."""
        self._spots: list[Spot] = []
        self._top = 0
        self._is_following = True

    def fill(self, rows: list[Row]) -> None:
        """Take other rows; a cursor whose row is gone goes to the one that took its place."""
        before = self._spots
        self.rows = rows
        self._spots = [row.line.spot for row in rows if row.line is not None]
        if self.at not in self._spots:
            index = before.index(self.at) if self.at in before else 0
            self.at = self._spots[min(index, len(self._spots) - 1)]

    @property
    def line(self) -> Line:
        """The line under the cursor."""
        return next(row.line for row in self.rows if row.line and row.line.spot == self.at)

    def go_to(self, spot: Spot) -> None:
        """Put the cursor on a row, and bring it into sight."""
        self.at, self._is_following = spot, True

    def go(self, step: int) -> None:
        """Put it on the next row, or back on the other end."""
        self.go_to(self._spots[(self._spots.index(self.at) + step) % len(self._spots)])

    def go_far(self, step: int) -> None:
        """Put it so many rows further, or on the last one before."""
        index = self._spots.index(self.at) + step
        self.go_to(self._spots[max(0, min(index, len(self._spots) - 1))])

    def go_to_end(self, end: int) -> None:
        """Put it on the first (-1) or last (1) row."""
        self.go_to(self._spots[0 if end < 0 else -1])

    def click(self, y: int, height: int) -> Row:
        """Put it on the row in sight at ``y``, if one can stand there; return that row.

        What is in sight stays where it is until the cursor is moved again.
        """
        self._is_following = False
        index = self._top + y
        is_row = index < len(self.rows) and not self.cue_at(y, height)
        row = self.rows[index] if is_row else Row()
        if row.line is not None:
            self.at = row.line.spot
        return row

    def cue_at(self, y: int, height: int) -> int:
        """Return -1 or 1 where the row at ``y`` says how many are out of sight, else 0."""
        if y == 0 and self._top:
            return -1
        return int(y == height - 1 and self._top + height < len(self.rows))

    def reveal(self, place: Place, height: int) -> None:
        """Bring the rows of an agent into sight, its options too, as far as they fit."""
        last = max(
            index
            for index, row in enumerate(self.rows)
            if row.line is not None and row.line.spot.place == place
        )
        self._top = window(len(self.rows), height, self._top, last)

    def scroll(self, by: int, height: int) -> bool:
        """Show what is further down; return whether anything is out of sight."""
        if len(self.rows) <= height:
            return False
        self._top, self._is_following = window(len(self.rows), height, self._top + by, None), False
        return True

    def draw(
        self, width: int, height: int, palette: look.Palette, *, has_focus: bool
    ) -> list[Strip]:
        """Return ``height`` rows, the first or last saying how many are out of sight."""
        count = len(self.rows)
        spots = [None if row.line is None else row.line.spot for row in self.rows]
        at = spots.index(self.at) if self._is_following else None
        self._top = window(count, height, self._top, at)
        shown = self.rows[self._top : self._top + height]
        strips = [
            row.draw(
                width,
                palette,
                is_here=has_focus and row.line is not None and row.line.spot == self.at,
            )
            for row in shown
        ]
        if self._top:
            strips[0] = cue(self._top + 1, width, palette, is_above=True)
        if (below := count - self._top - height) > 0:
            strips[-1] = cue(below + 1, width, palette, is_above=False)
        return [*strips, *[Row().draw(width, palette)] * (height - len(strips))]


def laid_out(
    blocks: Sequence[Block], *, hints: Mapping[Section, str], is_editable: bool
) -> list[Row]:
    """Return all rows of the sections, a blank one before each."""
    rows: list[Row] = []
    for block in blocks:
        rows += [Row(), Row(head=block, hint=hints.get(block.section, ""))]
        rows += [
            Row(line=line, is_turnable=is_editable)
            for line in block.lines
            if is_editable or line.tone != "quiet" or line.spot.kind not in FOR_EDITING
        ]
    return rows


def window(count: int, height: int, top: int, at: int | None) -> int:
    """Return the first row to show of ``count``, near ``top``, so that row ``at`` is in sight.

    Where rows are cut, the first or last row says so, and ``at`` must not lie under it.
    """
    last_top = max(0, count - height)
    top = max(0, min(top, last_top))
    if at is None or count <= height:
        return top
    if at <= top:
        top = max(0, at - 1)
    if at >= top + height - 1 and top < last_top:
        top = min(last_top, at - height + 2)
    # The head above the first line belongs to it.
    return 0 if top <= 1 and at < height - 1 else top


def cue(count: int, width: int, palette: look.Palette, *, is_above: bool) -> Strip:
    """Return the row that says how many are out of sight."""
    arrow = _UP if is_above else look.DOWN
    text = Segment(f"{' ' * _INDENT}{arrow} {says.more(count)}", palette.muted)
    row = look.row([text], [], width=width - _AIR, ground=palette.background)
    return framed(row, width, palette)


def framed(row: Strip, width: int, palette: look.Palette, *, is_here: bool = False) -> Strip:
    """Return a row with its air, and with the rule at its right."""
    ground = palette.background
    bar = Segment(look.BAR_FOCUSED, ground + palette.focus) if is_here else Segment(" ", ground)
    rule = [Segment(" ", ground), Segment("▕", ground + palette.edge)]
    inner = row.adjust_cell_length(width - _AIR).apply_style(ground)
    return Strip([bar, *inner, *rule], width)


def _left(line: Line, palette: look.Palette, room: int) -> list[Segment]:
    """Return mark, title and note in ``room`` cells; the title is what gives way."""
    kind = line.spot.kind
    before = [Segment(" " * (_DEEPER if kind == "option" else _INDENT)), *_mark(line, palette)]
    after = []
    if line.note and kind == "name":
        after = [Segment(f" {look.DOT} {line.note}", palette.muted)]
    elif line.note and kind == "agent":
        after = [Segment(f" {line.note}", palette.muted)]
    left = room - look.cells(before) - look.cells(after)
    title = shortened(line.title, left) if kind == "endpoint" else look.clip(line.title, left)
    tones = {"bright": palette.bright, "quiet": palette.muted}
    is_setting = kind not in ("name", "agent", "endpoint")
    style = palette.muted if is_setting else tones.get(line.tone, palette.ink)
    return [*before, Segment(title, style), *after]


def _mark(line: Line, palette: look.Palette) -> list[Segment]:
    if line.state is not None:
        return [Segment(f"{look.GLYPHS[line.state]} ", palette.state(line.state))]
    if line.spot.kind != "agent":
        return []
    if line.spot.place == AGGREGATOR:
        is_called = line.tone != "quiet"
        return [Segment(f"{look.STAR} ", palette.aggregator if is_called else palette.muted)]
    if not line.spot.place.is_proposer:
        return [Segment(f"{says.FALLBACK} ", palette.muted)]
    if not line.number:
        return [Segment(f"{look.DOT} ", palette.muted)]
    return [Segment(f"{line.number} ", palette.seat(line.number) + look.BOLD)]


def _right(row: Row, palette: look.Palette, inner: int) -> list[Segment]:
    line = row.line
    if line is None or not line.value:
        return []
    if line.spot.kind == "agent":
        width = inner - look.cells(_left(line, palette, inner)) - _GAP
        return [Segment(shortened(line.value, max(inner * 3 // 10, width)), palette.muted)]
    if line.spot.kind == "endpoint":
        return _told(line, palette, inner)
    value = Segment(line.value, palette.muted if line.tone == "quiet" else palette.ink)
    if not row.is_turnable or not (line.less or line.more):
        return [value]
    return [
        Segment(f"{LESS if line.less else ' '} ", palette.muted),
        value,
        Segment(f" {MORE if line.more else ' '}", palette.muted),
    ]


def _told(line: Line, palette: look.Palette, inner: int) -> list[Segment]:
    """Return what is known of an endpoint.

    The note gives way to the name, the name to what is known; only a failure is cut before the
    name is, but for a third of the row.
    """
    room = inner - look.cells(_left(line, palette, inner)) - _GAP
    is_wrong = line.state in ("failed", "retrying")
    style = palette.state(line.state) if is_wrong and line.state else palette.muted
    if line.state == "failed":
        return [Segment(look.clip(line.value, max(inner // 3, room)), style)]
    note = f"  {line.note}" if line.note else ""
    fits = cell_len(line.value + note) <= room
    return [Segment(line.value, style), Segment(note if fits else "", palette.muted)]


def shortened(text: str, width: int) -> str:
    """Return a name in at most ``width`` cells, cut in its middle: its end tells it from others."""
    if cell_len(text) <= width:
        return text
    end = ""
    for char in reversed(text):
        if cell_len(char + end) > (width - 1) // 2:
            break
        end = char + end
    return look.clip(text, width - cell_len(end)) + end


def _inked(segments: list[Segment], ink: Style) -> list[Segment]:
    """Return segments in one colour; what is bold stays so."""
    return [
        Segment(text, ink + look.BOLD if style is not None and style.bold else ink)
        for text, style, _ in segments
    ]
