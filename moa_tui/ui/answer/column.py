"""A tall column of text that is drawn only where it is looked at."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from itertools import accumulate
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.segment import Segment
    from textual.strip import Strip

    from moa_tui.ui.look import Palette

_MOST_DRAWN: Final = 256


@dataclass(slots=True, eq=False)
class Piece:
    """A part of the column: ``draw(source, width, palette)`` gives its rows, purely.

    ``gap``: a blank row stands above it. A piece without rows takes no room at all. ``turn`` is
    the number of the turn that it belongs to, ``is_answer`` says that it is a block of the answer,
    ``goes_on`` that its code began in the piece above. ``beside`` is for whoever paints: what
    stands in the margin, row by row, while it is drawn.
    """

    source: str
    draw: Callable[[str, int, Palette], list[Strip]]
    gap: bool = True
    turn: int = 0
    is_answer: bool = False
    goes_on: bool = False
    rows: list[Strip] | None = field(default=None, init=False)
    beside: Sequence[Sequence[Segment]] | None = field(default=None, init=False)
    height: int = field(default=0, init=False)

    def guess(self, width: int) -> None:
        """Estimate the height in rows until the piece is drawn."""
        source = self.source.strip()
        self.forget()
        self.height = 1 + source.count("\n") + len(source) // width + self.gap

    def forget(self) -> None:
        """Drop what is drawn; the height stays."""
        self.rows = self.beside = None


class Held(NamedTuple):
    """A row by what stands in it, so that it is found again when rows above it change.

    ``below`` counts rows from the start of its turn, for when its piece is gone.
    """

    piece: Piece
    within: int
    below: int


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
        self.splice(len(self._pieces), len(self._pieces), [piece])

    def truncate(self, count: int) -> None:
        """Keep only the first ``count`` pieces."""
        self.splice(count, len(self._pieces), ())

    def splice(self, start: int, stop: int, pieces: Sequence[Piece]) -> None:
        """Put pieces in the place of those from ``start`` to before ``stop``.

        The pieces of a turn stand together, turns in the order of their numbers.
        """
        for piece in self._pieces[start:stop]:
            self._drawn.pop(piece, None)
        for piece in pieces:
            piece.guess(max(1, self._width))
        self._pieces[start:stop] = pieces
        self._measure(start)
        self._unseen = min(self._unseen, start)

    def piece(self, number: int) -> Piece:
        """Return a piece by its number, from 0."""
        return self._pieces[number]

    def first_of(self, turn: int) -> int:
        """Return the number of a turn's first piece, or of where it would stand."""
        return bisect_left(self._pieces, turn, key=lambda piece: piece.turn)

    def turn_at(self, row: int) -> int:
        """Return the number of the turn that a row belongs to."""
        return self._pieces[self.piece_at(row)].turn

    def hold(self, row: int) -> Held | None:
        """Return what stands in a row, None while there is nothing at all."""
        if not self._pieces:
            return None
        number, within = self.place_of(row)
        piece = self._pieces[number]
        return Held(piece, within, max(0, row) - self.start(self.first_of(piece.turn)))

    def row_of(self, held: Held) -> int:
        """Return the row of what was held, or one of its turn that is as far down."""
        first, end = self.first_of(held.piece.turn), self.first_of(held.piece.turn + 1)
        for number in range(first, end):
            if self._pieces[number] is held.piece:
                return self.start(number) + held.within
        return min(self.start(first) + held.below, max(0, self.start(end) - 1))

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
        # What is asked about may be gone: then it is the end.
        return self._ends[min(number, len(self._ends)) - 1] if number > 0 and self._ends else 0

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

    def forget_beside(self) -> None:
        """Drop what stands in the margin of what is drawn."""
        for piece in self._drawn:
            piece.beside = None

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
            oldest.forget()
