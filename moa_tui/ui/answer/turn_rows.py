"""How the parts of a turn are drawn, but for its Markdown's blocks; all of them purely."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.segment import Segment
from textual.strip import Strip

from moa_tui.text import clean
from moa_tui.ui.answer.markdown import render_block
from moa_tui.ui.answer.prose import wrap
from moa_tui.ui.look import BOLD, GLYPHS, ITALIC, short

if TYPE_CHECKING:
    from moa_tui.ui.look import Palette

YOU: Final = "You"
THINKING: Final = "thinking"
_YOU_INDENT: Final = 6
_MOST_OF_QUESTION: Final = 2_000
_MOST_OF_NOTE: Final = 4_000


def markdown(source: str, width: int, palette: Palette) -> list[Strip]:
    """Return a block of an answer."""
    return render_block(source, width=width, palette=palette)


def draft(source: str, width: int, palette: Palette) -> list[Strip]:
    """Return the block of an answer that still grows."""
    return render_block(source, width=width, palette=palette, is_draft=True)


def thinking(source: str, width: int, palette: Palette) -> list[Strip]:
    """Return a block of thinking, as it was thought."""
    text = source.strip("\n")
    return _strips([Segment(text, palette.state("thinking") + ITALIC)], width) if text else []


def thought(source: str, width: int, palette: Palette) -> list[Strip]:
    """Return the line that stands for the thinking."""
    said = f"{GLYPHS['thinking']} {source}"
    return _strips([Segment(said, palette.muted + ITALIC)], width)


def thought_for(seconds: float, tokens: int) -> str:
    """Return how long and how much was thought."""
    return f"thought for {seconds:.0f} s, {short(tokens)} tokens"


def failure(source: str, width: int, palette: Palette) -> list[Strip]:
    """Return why there is no answer."""
    said = f"{GLYPHS['failed']} {_bounded(source)}"
    return _strips([Segment(said, palette.state("failed"))], width)


def reservation(source: str, width: int, palette: Palette) -> list[Strip]:
    """Return what an answer lacks."""
    said = f"{GLYPHS['retrying']} {source}"
    return _strips([Segment(said, palette.state("retrying"))], width)


def hint(source: str, width: int, palette: Palette) -> list[Strip]:
    """Return a remark below an answer or a failure."""
    return _strips([Segment(_bounded(source), palette.muted)], width)


def question(source: str, width: int, palette: Palette) -> list[Strip]:
    """Return "You  question" with a hanging indent; a very long one is shown by its beginning."""
    text = clean(source[:_MOST_OF_QUESTION]).strip()
    more = len(source) - _MOST_OF_QUESTION
    spans = [Segment(text, palette.ink)]
    if more > 0:
        spans.append(Segment(f"… and {short(more)} characters more", palette.muted))
    label = Segment(f"{YOU:{_YOU_INDENT}}", palette.muted + BOLD)
    indent = Segment(" " * _YOU_INDENT)
    first, *others = wrap(spans, max(1, width - _YOU_INDENT))
    return [Strip([label, *first]), *(Strip([indent, *line]) for line in others)]


def _bounded(source: str) -> str:
    return clean(source if len(source) <= _MOST_OF_NOTE else f"{source[:_MOST_OF_NOTE]}…")


def _strips(spans: list[Segment], width: int) -> list[Strip]:
    return [Strip(line) for line in wrap(spans, width)]
