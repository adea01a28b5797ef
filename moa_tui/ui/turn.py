"""One turn in the answer's column: the question, the thinking, the answer or why there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.segment import Segment
from textual.strip import Strip

from moa_tui.text import clean
from moa_tui.ui import words
from moa_tui.ui.blocks import Blocks
from moa_tui.ui.column import Piece
from moa_tui.ui.look import BOLD, GLYPHS, ITALIC, short, thought_and_said
from moa_tui.ui.markdown import render_block
from moa_tui.ui.prose import wrap

if TYPE_CHECKING:
    from collections.abc import Callable

    from moa_tui.engine.events import SeatEnd
    from moa_tui.engine.state import SeatState
    from moa_tui.ui.blocks import Block
    from moa_tui.ui.column import Column
    from moa_tui.ui.look import Palette

    Draw = Callable[[str, int, Palette], list[Strip]]

_YOU: Final = "You"
_YOU_INDENT: Final = 6
_MOST_OF_QUESTION: Final = 2_000


class Turn:
    """Writes one turn to the end of a column, as its seat's states come in."""

    def __init__(self, column: Column, question: str) -> None:
        self._column = column
        column.append(Piece(question, _question, gap=len(column) > 0))
        self._start = len(column)
        self._attempt = (0, 0)
        self._thought = self._said = 0
        self._reason: SeatEnd | None = None
        self._is_folded = False
        self._thinking = _Growing(column, _thinking)
        self._answer = _Growing(column, _markdown, _draft)

    def update(self, seat: SeatState, t: float) -> bool:
        """Write what the seat has said since the last time; return whether anything changed."""
        attempt = (seat.seat.layer, seat.attempt)
        is_shorter = seat.text.length < self._said or seat.thinking.length < self._thought
        if attempt != self._attempt or is_shorter:
            self._restart(attempt)
        thinking = seat.thinking.since(self._thought)
        text = seat.text.since(self._said)
        self._thought, self._said = seat.thinking.length, seat.text.length
        self._reason = seat.reason
        if thinking and not self._answer.text:
            self._thinking.feed(thinking)
        if text and not self._answer.text and self._thought:
            self._fold(seat, t)
        if text:
            self._answer.feed(text)
        return bool(thinking or text)

    def close(self, answer: str | None = None, *, failure: str = "", hint: str = "") -> None:
        """End the turn: with the answer where it isn't what was streamed, or with a failure.

        An answer that isn't all it might have been says so below it.
        """
        if answer is not None and answer != "".join(self._answer.text):
            self._column.truncate(self._start + self._is_folded)
            self._answer = _Growing(self._column, _markdown, _draft)
            self._answer.feed(answer)
        self._answer.close()
        if not failure and self._reason in words.ANSWER_ENDS:
            self._column.append(Piece(words.ANSWER_ENDS[self._reason], _reservation))
        if failure:
            self._column.append(Piece(failure, _failure))
        if hint:
            self._column.append(Piece(hint, _hint, gap=not failure))

    def _restart(self, attempt: tuple[int, int]) -> None:
        self._column.truncate(self._start)
        self._attempt = attempt
        self._thought = self._said = 0
        self._is_folded = False
        self._thinking = _Growing(self._column, _thinking)
        self._answer = _Growing(self._column, _markdown, _draft)

    def _fold(self, seat: SeatState, t: float) -> None:
        """Put one line in the place of the thinking, now that the answer begins."""
        seconds = 0.0 if seat.first_t is None else max(0.0, t - seat.first_t)
        count, _ = thought_and_said(seat)
        self._column.truncate(self._start)
        said = f"{GLYPHS['thinking']} thought for {seconds:.0f} s, {short(count)} tokens"
        self._column.append(Piece(said, _folded))
        self._is_folded = True


class _Growing:
    """A text at the end of a column: closed blocks stay as drawn, the open one is redrawn."""

    def __init__(self, column: Column, draw: Draw, draw_open: Draw | None = None) -> None:
        self.text: list[str] = []
        self._column = column
        self._draw = draw
        self._draw_open = draw_open or draw
        self._blocks = Blocks()
        self._is_open = False
        self._is_begun = False

    def feed(self, text: str) -> None:
        """Take more text."""
        self.text.append(text)
        if self._is_open:
            self._column.truncate(len(self._column) - 1)
        for block in self._blocks.feed(text):
            self._append(block, self._draw)
            self._is_begun = True
        self._is_open = bool(self._blocks.open.source.strip())
        if self._is_open:
            self._append(self._blocks.open, self._draw_open)

    def close(self) -> None:
        """Draw the last block as what it is now for good."""
        if self._is_open and self._draw_open is not self._draw:
            self._column.truncate(len(self._column) - 1)
            self._append(self._blocks.open, self._draw)

    def _append(self, block: Block, draw: Draw) -> None:
        self._column.append(Piece(block.source, draw, gap=block.gap or not self._is_begun))


def _markdown(source: str, width: int, palette: Palette) -> list[Strip]:
    return render_block(source, width=width, palette=palette)


def _draft(source: str, width: int, palette: Palette) -> list[Strip]:
    return render_block(source, width=width, palette=palette, is_draft=True)


def _thinking(source: str, width: int, palette: Palette) -> list[Strip]:
    text = source.strip("\n")
    return _strips([Segment(text, palette.state("thinking") + ITALIC)], width) if text else []


def _folded(source: str, width: int, palette: Palette) -> list[Strip]:
    return _strips([Segment(source, palette.muted + ITALIC)], width)


def _failure(source: str, width: int, palette: Palette) -> list[Strip]:
    said = f"{GLYPHS['failed']} {clean(source)}"
    return _strips([Segment(said, palette.state("failed"))], width)


def _reservation(source: str, width: int, palette: Palette) -> list[Strip]:
    said = f"{GLYPHS['retrying']} {source}"
    return _strips([Segment(said, palette.state("retrying"))], width)


def _hint(source: str, width: int, palette: Palette) -> list[Strip]:
    return _strips([Segment(clean(source), palette.muted)], width)


def _question(source: str, width: int, palette: Palette) -> list[Strip]:
    """Return "You  question" with a hanging indent; a very long one is shown by its beginning."""
    text = clean(source[:_MOST_OF_QUESTION]).strip()
    more = len(source) - _MOST_OF_QUESTION
    spans = [Segment(text, palette.ink)]
    if more > 0:
        spans.append(Segment(f"… and {short(more)} characters more", palette.muted))
    label = Segment(f"{_YOU:{_YOU_INDENT}}", palette.muted + BOLD)
    indent = Segment(" " * _YOU_INDENT)
    first, *others = wrap(spans, max(1, width - _YOU_INDENT))
    return [Strip([label, *first]), *(Strip([indent, *line]) for line in others)]


def _strips(spans: list[Segment], width: int) -> list[Strip]:
    return [Strip(line) for line in wrap(spans, width)]
