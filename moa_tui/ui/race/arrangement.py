"""Where tiles stand: arithmetic over a size in cells, no widgets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from textual.geometry import Region

if TYPE_CHECKING:
    from collections.abc import Iterator

    from textual.geometry import Size

LEAST_WIDTH: Final = 39
LEAST_HEIGHT: Final = 5
_GOOD_HEIGHT: Final = 7
ENTRY_WIDTH: Final = 20
"""Cells of a seat in the strip, at least."""


@dataclass(frozen=True, slots=True)
class Arrangement:
    """Regions of the tiles that fit, in reading order, under ``strip`` rows of one entry a seat.

    ``entries`` is the number of entries in a row of the strip. Without a strip every seat has a
    tile.
    """

    tiles: tuple[Region, ...]
    strip: int = 0
    entries: int = 0


def arrange(count: int, size: Size) -> Arrangement:
    """Return where ``count`` tiles stand in ``size``.

    As many columns as fit at 39 cells, rows dealt evenly, a shorter row's tiles wider. Rows stand
    a row apart while each keeps 7. Where a tile would get under 5 rows, a strip names all seats
    and the tiles that fit stand below it.
    """
    if count <= 0 or size.width <= 0 or size.height <= 0:
        return Arrangement(())
    columns = max(1, (size.width + 1) // (LEAST_WIDTH + 1))
    if -(-count // columns) * LEAST_HEIGHT <= size.height:
        return Arrangement(tuple(_dealt(count, columns, size.region)))
    entries = min(count, max(1, size.width // ENTRY_WIDTH))
    strip = min(size.height, -(-count // entries))
    below = Region(0, strip, size.width, size.height - strip)
    fitting = min(count, columns * (below.height // LEAST_HEIGHT))
    if not fitting and below.height > 1:
        fitting = 1
    tiles = tuple(_dealt(fitting, columns, below)) if fitting else ()
    return Arrangement(tiles, strip, entries)


def _dealt(count: int, columns: int, area: Region) -> Iterator[Region]:
    rows = -(-count // columns)
    has_gaps = (area.height - rows + 1) // rows >= _GOOD_HEIGHT
    few, more = divmod(count, rows)
    tops = _spans(rows, area.height, gap=1 if has_gaps else 0)
    for row, (top, height) in enumerate(tops):
        for left, width in _spans(few + (row < more), area.width, gap=1):
            yield Region(area.x + left, area.y + top, width, height)


def _spans(count: int, length: int, *, gap: int) -> Iterator[tuple[int, int]]:
    """Yield (start, length) of ``count`` parts of a length; the last ones take what is left."""
    each, left = divmod(length - gap * (count - 1), count)
    start = 0
    for part in range(count):
        size = each + (part >= count - left)
        yield start, max(0, size)
        start += size + gap
