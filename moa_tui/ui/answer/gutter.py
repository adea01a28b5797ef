"""What stands at the left of an answer: where its sentences come from, which turn is meant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from rich.segment import Segment
from textual.strip import Strip

from moa_tui.ui.look import BAR, BOLD, cells, clipped

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.style import Style

    from moa_tui.ui.answer.column import Piece
    from moa_tui.ui.look import Palette

    MarginFor: TypeAlias = Callable[[str, list[str]], Sequence[Sequence[Segment]]]
    """Returns, for a block's source and its rows' texts, what stands beside each row."""

AIR: Final = 1
"""Cells at the left of text without marks."""

_WIDE: Final = 9
_NARROW: Final = 8
_NARROW_BELOW: Final = 100


def width_of(margin_for: MarginFor | None, width: int) -> int:
    """Return how many cells the margin takes in a pane of ``width`` cells."""
    if margin_for is None:
        return AIR
    return _NARROW if width < _NARROW_BELOW else _WIDE


def beside(piece: Piece, margin_for: MarginFor, within: int) -> Sequence[Segment]:
    """Return what stands beside a row of a piece; asked for once while the piece is drawn."""
    if not piece.is_answer or piece.rows is None:
        return ()
    if piece.beside is None:
        texts = [strip.text for strip in piece.rows]
        piece.beside = margin_for(piece.source, texts)
    return piece.beside[within] if 0 <= within < len(piece.beside) else ()


def right_aligned(marks: Sequence[Segment], width: int) -> list[Segment]:
    """Return marks at the right of a margin, a blank cell between them and the text."""
    kept = clipped(marks, width - 1)
    return [Segment(" " * (width - 1 - cells(kept))), *kept, Segment(" ")]


def bar(width: int, palette: Palette) -> list[Segment]:
    """Return the margin of the question that is meant."""
    return [Segment(" " * (width - 1)), Segment(BAR, palette.focus)]


def bright_label(strip: Strip, palette: Palette) -> Strip:
    """Return the first row of the question that is meant: its label stands out."""
    label, *others = strip
    return Strip([Segment(label.text, palette.bright + BOLD), *others], strip.cell_length)


def joined(left: Sequence[Segment], text: Strip, *, width: int, ground: Style) -> Strip:
    """Return margin and text on a ground, ``width`` cells wide at least."""
    before = cells(left)
    room = max(0, width - before - text.cell_length)
    spans = [
        *(Segment(said, ground + style if style else ground) for said, style, _ in left),
        *(Segment(said, ground + style if style else ground) for said, style, _ in text),
        Segment(" " * room, ground),
    ]
    return Strip(spans, before + text.cell_length + room)
