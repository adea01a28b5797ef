"""A text at the end of a turn that grows: what is drawn of it stays, but for its last block."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moa_tui.ui.answer.blocks import Blocks
from moa_tui.ui.answer.column import Piece

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.strip import Strip

    from moa_tui.ui.answer.blocks import Block
    from moa_tui.ui.answer.column import Column
    from moa_tui.ui.look import Palette

    Draw = Callable[[str, int, Palette], list[Strip]]


class Growing:
    """Writes a text to the end of a turn: closed blocks stay as drawn, the open one is redrawn.

    ``draw_open`` draws the open block, where that is done in another way.
    """

    def __init__(
        self,
        column: Column,
        turn: int,
        draw: Draw,
        *,
        draw_open: Draw | None = None,
        is_answer: bool = False,
    ) -> None:
        self._column = column
        self._turn = turn
        self._draw = draw
        self._draw_open = draw_open or draw
        self._is_answer = is_answer
        self._blocks = Blocks()
        self._is_open = False
        self._is_begun = False

    def feed(self, text: str) -> None:
        """Take more text."""
        pieces = [self._piece(block, self._draw) for block in self._blocks.feed(text)]
        closed, was_open = len(pieces), self._is_open
        last = self._blocks.open
        self._is_open = bool(last.source.strip())
        if self._is_open:
            pieces.append(self._piece(last, self._draw_open))
        self._write(pieces, over=was_open)
        self._is_begun = self._is_begun or closed > 0

    def close(self) -> None:
        """Draw the last block as what it is now for good."""
        if self._is_open and self._draw_open is not self._draw:
            self._write([self._piece(self._blocks.open, self._draw)], over=True)

    def _write(self, pieces: list[Piece], *, over: bool) -> None:
        """Put pieces at the turn's end, over its last one if that was open."""
        if pieces and not self._is_begun:
            pieces[0].gap = True
        end = self._column.first_of(self._turn + 1)
        self._column.splice(end - over, end, pieces)

    def _piece(self, block: Block, draw: Draw) -> Piece:
        return Piece(
            block.source,
            draw,
            block.gap,
            turn=self._turn,
            is_answer=self._is_answer,
            goes_on=block.goes_on,
        )


def pieces_of(text: str, turn: int, draw: Draw) -> list[Piece]:
    """Return a text that doesn't grow as pieces, a block each."""
    blocks = Blocks()
    cut = (*blocks.feed(text), blocks.open)
    pieces = [Piece(block.source, draw, block.gap, turn=turn) for block in cut]
    pieces[0].gap = True
    return pieces
