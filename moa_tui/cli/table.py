"""Rows of texts as lines with aligned columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moa_tui.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_LONGEST_CELL = 300


def table(rows: Iterable[Sequence[str]], *, heads: Sequence[str] = ()) -> str:
    """Return the rows as lines, each column but the last as wide as its widest text."""
    lines = [
        [one_line(cell, _LONGEST_CELL) for cell in row]
        for row in (*([heads] if heads else ()), *rows)
    ]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        + "\n"
        for line in lines
    )
