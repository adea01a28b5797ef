"""A tall column of text that is drawn only where it is looked at."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from itertools import accumulate
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.strip import Strip

    from moa_tui.ui.look import Palette

_MOST_DRAWN: Final = 256


@dataclass(slots=True, eq=False)
class Piece:
    """A part of the column: ``draw(source, width, palette)`` gives its rows, purely.

    ``gap``: a blank row stands above it. A piece without rows takes no room at all.
    """

    source: str
    draw: Callable[[str, int, Palette], list[Strip]]
    gap: bool = True
    rows: list[Strip] | None = field(default=None, init=False)
    height: int = field(default=0, init=False)

    def guess(self, width: int) -> None:
        """Estimate the height in rows until the piece is drawn."""
        source = self.source.strip()
        self.rows = None
        self.height = 1 + source.count("\n") + len(source) // width + self.gap


class Column:
    """Pieces under each other, at one width; those out of sight have a guessed height.

    `settle` and `settle_end` draw what a window shows and put the guesses right; `row` then only
    reads.
    """

    def __init__(self) -> None:
        self._pieces: list[Piece] = []
        self._ends: list[int] = []
        self._drawn: dict[Piece, None] = {}
        self._width = 0
        self._palette: Palette | None = None
        self._unseen = 0

    def __len__(self) -> int:
        return len(self._pieces)

    @property
    def height(self) -> int:
        """Rows in all, as far as is known."""
        return self._ends[-1] if self._ends else 0

    def append(self, piece: Piece) -> None:
        """Put a piece at the end."""
        piece.guess(max(1, self._width))
        self._unseen = min(self._unseen, len(self._pieces))
        self._ends.append(self.height + piece.height)
        self._pieces.append(piece)

    def truncate(self, count: int) -> None:
        """Keep only the first ``count`` pieces."""
        for piece in self._pieces[count:]:
            self._drawn.pop(piece, None)
        del self._pieces[count:]
        del self._ends[count:]
        self._unseen = min(self._unseen, count)

    def take_changed(self) -> int:
        """Return the first row that pieces put or taken away since the last call have touched."""
        first, self._unseen = self._unseen, len(self._pieces)
        return self.start(first)

    def restyle(self, width: int, palette: Palette) -> bool:
        """Forget all that is drawn, for another width in cells or other colours; say whether."""
        if (width, palette) == (self._width, self._palette):
            return False
        self._width, self._palette = width, palette
        self._drawn.clear()
        for piece in self._pieces:
            piece.guess(max(1, width))
        self._measure(0)
        return True

    def piece_at(self, row: int) -> int:
        """Return the number, from 0, of the piece that a row belongs to."""
        return min(bisect_right(self._ends, row), max(0, len(self._pieces) - 1))

    def start(self, number: int) -> int:
        """Return the row that a piece starts in."""
        return self._ends[number - 1] if number > 0 and self._ends else 0

    def settle(self, top: int, rows: int) -> int:
        """Draw what a window of ``rows`` from ``top`` shows; return where its top is now.

        What is below the window's first row keeps its place when a piece that reaches up out of
        the window turns out longer or shorter than guessed.
        """
        if not self._pieces or self._palette is None:
            return 0
        first = number = self.piece_at(top)
        within = top - self.start(first)
        y = self.start(first)
        while number < len(self._pieces) and y < top + rows:
            guessed = self._pieces[number].height
            y += self._draw(self._pieces[number])
            if number == first and within:
                top += self._pieces[number].height - guessed
            number += 1
        self._measure(first)
        self._forget(self._pieces[first:number])
        return max(0, top)

    def settle_end(self, rows: int) -> None:
        """Draw what a window of ``rows`` at the end shows."""
        if self._palette is None:
            return
        number = len(self._pieces)
        missing = rows
        while number > 0 and missing > 0:
            number -= 1
            missing -= self._draw(self._pieces[number])
        self._measure(number)
        self._forget(self._pieces[number:])

    def row(self, y: int) -> Strip | None:
        """Return a row; None for a blank one or one that is not settled."""
        if not 0 <= y < self.height:
            return None
        number = self.piece_at(y)
        piece = self._pieces[number]
        within = y - self.start(number) - piece.gap
        if piece.rows is None or not 0 <= within < len(piece.rows):
            return None
        return piece.rows[within]

    def place_of(self, y: int) -> tuple[int, int]:
        """Return a row as a piece's number and rows into it, the gap above it included."""
        number = self.piece_at(max(0, y))
        return number, max(0, y) - self.start(number)

    def texts(self, number: int) -> list[str]:
        """Return what a piece says, row by row, whether it was ever in sight or not."""
        piece = self._pieces[number]
        rows = piece.rows
        if rows is None and self._palette is not None:
            rows = piece.draw(piece.source, self._width, self._palette)
        return [*[""] * piece.gap, *(strip.text for strip in rows)] if rows else []

    def _draw(self, piece: Piece) -> int:
        """Draw a piece unless it is drawn and return its height."""
        if piece.rows is None and self._palette is not None:
            piece.rows = piece.draw(piece.source, self._width, self._palette)
            piece.height = len(piece.rows) + piece.gap if piece.rows else 0
        self._drawn.pop(piece, None)
        self._drawn[piece] = None
        return piece.height

    def _measure(self, first: int) -> None:
        heights = (piece.height for piece in self._pieces[first:])
        self._ends[first:] = accumulate(heights, initial=self.start(first))
        del self._ends[first]

    def _forget(self, seen: list[Piece]) -> None:
        """Drop the rows of what was seen longest ago; their heights stay."""
        keep = max(_MOST_DRAWN, len(seen))
        while len(self._drawn) > keep:
            oldest = next(iter(self._drawn))
            del self._drawn[oldest]
            oldest.rows = None
