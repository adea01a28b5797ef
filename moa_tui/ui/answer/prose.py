"""Styled text wrapped by cells: wide, joined and combining characters keep the layout."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, TypeAlias

from rich.cells import cell_len, set_cell_size, split_graphemes
from rich.segment import Segment

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

Line: TypeAlias = list[Segment]
"""One row before it becomes a strip."""

_WIDE: Final = (
    "\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f"
    "\uff00-\uff60\uffe0-\uffe6\U00020000-\U0003fffd"
)
# A line may not begin with what closes nor end with what opens (the rule of CJK typesetting).
_CLOSING: Final = "、。，．！？；：）】》」』〉〕”’…％"
_OPENING: Final = "（【《「『〈〔“‘"
_MARKS: Final = "\u0300-\u036f\u200d\u302a-\u302f\u3099\u309a\ufe0e\ufe0f"
_UNIT: Final = re.compile(
    "(?P<room>[ \\t\\u3000]+)"
    f"|[{_OPENING}]*(?:[{_WIDE}][{_MARKS}]*|[^ \\t{_WIDE}{_OPENING}]+|$)[{_CLOSING}]*"
    f"|[{_OPENING}]+"
)
TAB: Final = "    "


def wrap(spans: Sequence[Segment], width: int) -> list[Line]:
    """Return the spans as lines of at most ``width`` cells; a newline ends a line.

    Breaks at spaces and beside wide characters; a word longer than a line is cut between
    graphemes. Spaces at a break vanish, those at a line's own start stay.
    """
    plain = "".join(span.text for span in spans)
    if "\t" in plain:
        spans = [Segment(span.text.replace("\t", TAB), span.style) for span in spans]
        plain = "".join(span.text for span in spans)
    return list(_sliced(spans, _ranges(plain, max(1, width))))


def width_of(line: Iterable[Segment]) -> int:
    """Return how many cells a line takes."""
    return sum(cell_len(span.text) for span in line)


def cut(line: Line, width: int) -> Line:
    """Return the line in at most ``width`` cells, ended with … when something is left out."""
    if width_of(line) <= width:
        return line
    kept: Line = []
    room = max(0, width - 1)
    for text, style, _ in line:
        piece = set_cell_size(text, min(cell_len(text), room))
        kept.append(Segment(piece, style))
        room -= cell_len(piece)
        if room <= 0:
            break
    return [*kept, Segment("…", kept[-1].style)] if width > 0 else []


def _ranges(text: str, width: int) -> Iterator[tuple[int, int]]:
    start = 0
    for line in text.split("\n"):
        end = start + len(line)
        if line.isascii() and len(line) <= width:
            yield start, start + len(line.rstrip())
        else:
            yield from _wrapped(text, start, end, width=width)
        start = end + 1


def _wrapped(text: str, start: int, end: int, *, width: int) -> Iterator[tuple[int, int]]:
    """Yield the greedy lines of ``text[start:end]``, which holds no newline."""
    stop = start
    used = 0
    for begin, finish, size, is_room in _units(text, start, end, width=width):
        if is_room and used + size >= width and stop == start:
            start = stop = finish
            used = 0
            continue
        if is_room:
            used += size
            continue
        if used + size > width and stop > start:
            yield start, stop
            start, used = begin, 0
        elif used + size > width:
            start, used = begin, 0
        used += size
        stop = finish
    yield start, stop


def _units(text: str, start: int, end: int, *, width: int) -> Iterator[tuple[int, int, int, bool]]:
    """Yield (start, end, cells, whether it is only room) of what stays together."""
    for unit in _UNIT.finditer(text, start, end):
        word = unit.group()
        if not word:
            continue
        size = cell_len(word)
        if size <= width or unit["room"]:
            yield unit.start(), unit.end(), size, bool(unit["room"])
            continue
        spans, _ = split_graphemes(word)
        for begin, finish, cells in spans:
            yield unit.start() + begin, unit.start() + finish, cells, False


def _sliced(spans: Sequence[Segment], ranges: Iterable[tuple[int, int]]) -> Iterator[Line]:
    """Yield the spans cut at the ranges, which only ever go forward."""
    index = offset = 0
    for start, end in ranges:
        line: Line = []
        while index < len(spans) and offset < end:
            text, style, _ = spans[index]
            piece = text[max(0, start - offset) : end - offset]
            if piece:
                line.append(Segment(piece, style))
            if offset + len(text) > end:
                break
            offset += len(text)
            index += 1
        yield line
