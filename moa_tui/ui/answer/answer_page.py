"""The rows of the answers as they are painted: margin, text, what of it is selected."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.segment import Segment
from textual.strip import Strip

from moa_tui.ui import selecting
from moa_tui.ui.answer import gutter

if TYPE_CHECKING:
    from rich.style import Style
    from textual.selection import Selection

    from moa_tui.ui.answer.gutter import MarginFor
    from moa_tui.ui.answer.transcript import Transcript
    from moa_tui.ui.look import Palette

_MOST_ROWS: Final = 1_000_000
"""More than a piece of the column has."""


class AnswerPage:
    """Draws rows of a transcript, those that are settled, and tells where their text is."""

    def __init__(self, transcript: Transcript) -> None:
        self._transcript = transcript
        self._column = transcript.column
        self._margin_for: MarginFor | None = None
        self._margin_turn: int | None = None
        self._meant = range(0)

    @property
    def margin_for(self) -> MarginFor | None:
        """What stands beside rows of a closed turn."""
        return self._margin_for

    def mark_margin(self, margin_for: MarginFor | None, number: int | None) -> None:
        """Set what stands beside the rows of a turn, None being the one that was closed last."""
        self._margin_for, self._margin_turn = margin_for, number
        self._column.forget_beside()

    def margin(self, width: int) -> int:
        """Return how many cells of a pane are left of the text."""
        return gutter.width_of(self._margin_for, width)

    def mean(self, number: int | None) -> None:
        """Mark a turn's question, or none."""
        self._meant = range(0) if number is None else self._transcript.question_rows(number)

    def row(self, number: int, *, width: int, palette: Palette, ground: Style) -> Strip:
        """Return a row of the column, ``width`` cells wide."""
        strip = self._column.row(number)
        if strip is None:
            return Strip.blank(width, ground)
        margin = self.margin(width)
        is_meant = number in self._meant
        left = gutter.bar(margin, palette) if is_meant else self._beside(number, margin)
        if is_meant and number == self._meant.start:
            strip = gutter.bright_label(strip, palette)
        return gutter.joined(left, strip, width=width, ground=ground)

    def _beside(self, number: int, margin: int) -> list[Segment]:
        known = self._transcript
        marked = known.last_closed if self._margin_turn is None else self._margin_turn
        at, within = self._column.place_of(number)
        piece = self._column.piece(at)
        if self._margin_for is None or piece.turn != marked or marked == known.open:
            return [Segment(" " * margin)]
        marks = gutter.beside(piece, self._margin_for, within - piece.gap)
        return gutter.right_aligned(marks, margin)

    # Selected text.

    def place(self, row: int, width: int) -> selecting.Place:
        """Return where a row's text is; its number stays the same when rows above it change."""
        number, within = self._column.place_of(row)
        strip = self._column.row(row)
        text = "" if strip is None else strip.text
        return selecting.place(number * _MOST_ROWS + within, self.margin(width), text)

    def selected(self, selection: Selection) -> str:
        """Return what is selected, whether it was ever in sight or not."""
        first = selection.start.y // _MOST_ROWS if selection.start else 0
        last = selection.end.y // _MOST_ROWS if selection.end else len(self._column) - 1
        places = (
            selecting.place(number * _MOST_ROWS + within, 0, text)
            for number in range(first, min(last + 1, len(self._column)))
            for within, text in enumerate(self._column.texts(number))
        )
        return selecting.extracted(places, selection)
