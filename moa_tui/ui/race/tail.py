"""Growing text shown from its end: wrapping that only touches the last row, and where one looks.

A seat's text grows by a few characters thirty times a second. Nothing here costs more because the
text is long already.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from rich.cells import cell_len, set_cell_size, split_graphemes

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.strip import Strip

    from moa_tui.engine.state import Log, SeatState

RowKind: TypeAlias = Literal["text", "thinking"]

TAB: Final = "    "
_NEVER_FIRST: Final = frozenset("、。，．：；？！）】」』》〉〕］｝…—～·％”’,.:;?!)]}%")
_NEVER_LAST: Final = frozenset("（【「『《〈〔［｛“‘([{")
_WIDE: Final = 2
_ALL_WIDE: Final = re.compile(
    r"[\u3001-\u3029\u3041-\u3096\u30a1-\u30fa\u4e00-\u9fff\uff01-\uff60]+"
)
"""Letters of two cells that no mark joins to others."""
_WIDENS: Final = "\N{VARIATION SELECTOR-16}"


class Wrap:
    """Text wrapped at ``width`` cells as it arrives: only the last row can still change.

    Words break at spaces, between wide characters (never before closing or after opening
    punctuation), and anywhere when longer than a row. Where the text is cut into pieces doesn't
    matter. ``is_compact`` leaves blank rows out. A wide row may end in one space too many.
    """

    def __init__(self, width: int, *, is_compact: bool = False) -> None:
        self.width = max(1, width)
        self.rows: list[str] = [""]
        self.kinds: list[RowKind] = ["text"]
        self._is_compact = is_compact
        self._held: str | None = None
        # Marks without a width could make a row endless; beyond this it is cut anyway.
        self._most = 8 * self.width + 32

    def append(self, text: str, kind: RowKind = "text") -> int:
        """Add a piece and return the first row that changed."""
        rows = self.rows
        if kind != self.kinds[-1]:
            self._turn_to(kind)
        first = len(rows) - 1
        head, *lines = text.replace("\t", TAB).split("\n")
        self._extend(head)
        for line in lines:
            self._end_row()
            self._extend(line)
        return first

    def _turn_to(self, kind: RowKind) -> None:
        if self.rows[-1].strip(" ") or self._held is not None:
            self._held = None
            self._open_row()
        if len(self.rows) > 1 and not self._is_compact:
            self._open_row()
        self.kinds[-1] = kind

    def _open_row(self) -> None:
        self.rows.append("")
        self.kinds.append(self.kinds[-1])

    def _end_row(self) -> None:
        if not self._is_compact:
            self._open_row()
        elif self.rows[-1].strip(" ") or self._held is not None:
            self._held = ""
        else:
            self.rows[-1] = ""

    def _extend(self, line: str) -> None:
        if self._held is not None:
            self._held += line
            if not line.strip(" "):
                self._held = self._held[: self.width + 1]
                return
            line, self._held = self._held, None
            self._open_row()
        if line:
            self._fill(self.rows[-1] + line)

    def _fill(self, line: str) -> None:
        """Put a whole line, the last row's text at its front, into rows."""
        position = 0
        while True:
            window = line[position : position + self._most]
            cut = self._cut(window)
            if cut is None:
                self.rows[-1] = window
                return
            end, start = cut
            is_blank = not window[:end].strip(" ")
            self.rows[-1] = window[: min(end, self.width)] if is_blank else window[:end]
            position += start
            if start > end or is_blank:
                position = self._past_spaces(line, position, keep=start == end)
            if position >= len(line):
                return
            self._open_row()

    @staticmethod
    def _past_spaces(line: str, position: int, *, keep: bool) -> int:
        """Return where the next word begins, or the last of the spaces before it with ``keep``."""
        end = position
        while line.startswith(" ", end):
            end += 1
        return max(position, end - 1) if keep else end

    def _cut(self, window: str) -> tuple[int, int] | None:
        """Return (end of the row, start of the next) within a window; None when all of it fits."""
        if window.isascii():
            return self._cut_ascii(window)
        near = window[: self.width + 2]
        cut = self._cut_cjk(near) or self._cut_wide(near)
        return cut if cut or len(near) == len(window) else self._cut_wide(window)

    def _cut_ascii(self, window: str) -> tuple[int, int] | None:
        width = self.width
        if len(window) <= width:
            return None
        body = window.rstrip(" ")
        if len(body) <= width:
            return None if len(window) == width + 1 else (width + 1, width + 2)
        space = window.rfind(" ", 0, width + 1)
        kept = window[: max(0, space)].rstrip(" ")
        if kept:
            return len(kept), space + 1
        end = max(width, len(window) - len(window.lstrip(" ")))
        return end, end

    def _cut_cjk(self, near: str) -> tuple[int, int] | None:
        """Cut a row of nothing but wide letters, which needs no look at each of them."""
        end = self.width // _WIDE
        if end < 1 or not _ALL_WIDE.fullmatch(near, 0, end + 1) or len(near) <= end:
            return None
        while end and (near[end] in _NEVER_FIRST or near[end - 1] in _NEVER_LAST):
            end -= 1
        return (end, end) if end else None

    def _cut_wide(self, window: str) -> tuple[int, int] | None:
        used, before, was_wide = 0, " ", False
        pause: tuple[int, int] | None = None
        has_word = False
        for start, end, width in split_graphemes(window)[0]:
            char = window[start]
            if char == " ":
                if has_word and before != " ":
                    pause = start, start + 1
                used, before, was_wide = used + width, char, False
                continue
            # A selector that widens may come a piece later; the pause before it must not.
            is_wide = width >= _WIDE and _WIDENS not in window[start:end]
            may_pause = (is_wide or was_wide) and before != " " and before not in _NEVER_LAST
            if has_word and may_pause and char not in _NEVER_FIRST:
                pause = start, start
            if used + width > self.width:
                return pause or ((start, start) if start else (end, end))
            used, before, was_wide, has_word = used + width, window[end - 1], is_wide, True
        if len(window) == self._most:
            return self._most, self._most
        return None


@dataclass(slots=True)
class Sight:
    """Which rows of a growing text are seen: the last ones, until somebody scrolls up.

    ``height`` and ``total`` in rows; ``top`` is the first row seen.
    """

    height: int = 0
    total: int = 0
    top: int = 0
    follows: bool = True
    _known: int = 0

    @property
    def last_top(self) -> int:
        """The top that shows the end."""
        return max(0, self.total - self.height)

    @property
    def unseen(self) -> int:
        """Rows that arrived since following stopped."""
        return 0 if self.follows else max(0, self.total - self._known)

    def grow(self, total: int) -> bool:
        """Take a new number of rows and return whether other rows are seen now."""
        self.total = total
        return self._move(self.last_top if self.follows else self.top)

    def rescale(self, total: int) -> None:
        """Take the same text in another number of rows: the end is kept, or about the place."""
        top = round(self.top / self.total * total) if self.total else 0
        self.total = self._known = total
        self._move(self.last_top if self.follows else top)

    def settle(self, total: int, top: int) -> None:
        """Take a text that has ended, seen from ``top`` on."""
        self.total = self._known = total
        self.follows = False
        self._move(top)

    def scroll(self, rows: int) -> bool:
        """Move down (or up, below 0); reaching the end follows it again. Returns if it moved."""
        was_following = self.follows
        moved = self._move(self.top + rows)
        self.follows = self.top >= self.last_top
        if was_following and not self.follows:
            self._known = self.total
        return moved

    def to_start(self) -> bool:
        """Show the first rows and return whether that moved anything."""
        return self.scroll(-self.total)

    def to_end(self) -> bool:
        """Follow the end again and return whether that moved anything."""
        return self.scroll(self.total)

    def _move(self, top: int) -> bool:
        top = min(max(0, top), self.last_top)
        moved, self.top = top != self.top, top
        return moved


class StripCache:
    """Rendered rows by number, the least recently used ones dropped beyond ``most``."""

    def __init__(self, most: int = 256) -> None:
        self._most = most
        self._strips: OrderedDict[int, Strip] = OrderedDict()

    def __len__(self) -> int:
        return len(self._strips)

    def get(self, row: int, render: Callable[[int], Strip]) -> Strip:
        """Return a row's strip, rendered now if it isn't known."""
        strips = self._strips
        strip = strips.get(row)
        if strip is not None:
            strips.move_to_end(row)
            return strip
        strip = strips[row] = render(row)
        if len(strips) > self._most:
            strips.popitem(last=False)
        return strip

    def drop_from(self, row: int) -> None:
        """Forget this row and all behind it."""
        for known in [known for known in self._strips if known >= row]:
            del self._strips[known]

    def clear(self) -> None:
        """Forget all rows."""
        self._strips.clear()


class Tail:
    """A seat's reasoning and text as wrapped rows, taken piece by piece from its state."""

    def __init__(self) -> None:
        self._wrap: Wrap | None = None
        self._is_compact = False
        self._width = 1
        self._source: object = None
        self._thinking = 0
        self._text = 0
        self._folded = ""

    def fold(self, note: str) -> bool:
        """Put a line in the place of the reasoning, "" to show it; return whether that is new."""
        if note == self._folded:
            return False
        self._wrap = None
        self._folded = note
        return True

    def rows_of(self, width: int, *, is_compact: bool) -> bool:
        """Set the rows' width in cells; return whether all is wrapped again, when next taken."""
        if (self._width, self._is_compact) == (width, is_compact):
            return False
        self._wrap = None
        self._width, self._is_compact = width, is_compact
        return True

    def take(self, seat: SeatState) -> int | None:
        """Wrap what is new and return the first row that changed; None when nothing did."""
        if self._wrap is None or not self._goes_on(seat):
            self._wrap = Wrap(self._width, is_compact=self._is_compact)
            self._source, self._thinking, self._text = _source(seat), 0, 0
            self._take_both(self._wrap, seat)
            return 0
        return self._take_both(self._wrap, seat)

    def forget(self) -> None:
        """Give up the rows; they are wrapped again when text is next taken."""
        self._wrap = None

    def _goes_on(self, seat: SeatState) -> bool:
        """Whether the state only has more text; a retry or relabelling has other text."""
        return (
            _source(seat) == self._source
            and seat.thinking.length >= self._thinking
            and seat.text.length >= self._text
        )

    def _take_both(self, wrap: Wrap, seat: SeatState) -> int | None:
        firsts = [
            self._take_thinking(wrap, seat.thinking),
            self._take_one(wrap, seat.text, self._text, "text"),
        ]
        self._thinking, self._text = seat.thinking.length, seat.text.length
        return min((first for first in firsts if first is not None), default=None)

    def _take_thinking(self, wrap: Wrap, log: Log) -> int | None:
        if not self._folded:
            return self._take_one(wrap, log, self._thinking, "thinking")
        is_new = log.length > 0 and self._thinking == 0
        return wrap.append(self._folded, "thinking") if is_new else None

    @staticmethod
    def _take_one(wrap: Wrap, log: Log, taken: int, kind: RowKind) -> int | None:
        if log.length == taken:
            return None
        return wrap.append(log.since(taken), kind)

    @property
    def total(self) -> int:
        """How many rows there are."""
        return 0 if self._wrap is None else len(self._wrap.rows)

    def row(self, number: int) -> tuple[str, RowKind]:
        """Return a row's text, at most the width, and what it is."""
        if self._wrap is None:
            return "", "text"
        text = self._wrap.rows[number]
        return fitted(text, self._wrap.width), self._wrap.kinds[number]


def _source(seat: SeatState) -> object:
    return seat.seat, seat.attempt, seat.started_t


def fitted(text: str, width: int) -> str:
    """Return a row without the space that hangs over its end."""
    if len(text) <= width and text.isascii():
        return text
    text = text.rstrip(" ")
    return text if cell_len(text) <= width else set_cell_size(text, width)
