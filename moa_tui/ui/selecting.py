"""Text selected with the mouse, in widgets that draw their own rows.

Textual finds the character under the mouse by offsets in a row's styles, and leaves the painting
to the widget. A row here is a strip with so many cells ``before`` its text, and the text.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from moa_tui.ui.look import CODE_BAR

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from textual.selection import Selection
    from textual.widget import Widget

_BAR: Final = f"{CODE_BAR} "
_TO_THE_END: Final = -1


class Place(NamedTuple):
    """Where a row's text is: ``y`` is its number in the selection, ``before`` counts cells."""

    y: int
    before: int
    text: str


def place(y: int, before: int, shown: str) -> Place:
    """Return where a row's text is; the bar beside code isn't part of it."""
    text = shown.removeprefix(_BAR)
    return Place(y, before + len(shown) - len(text), text.rstrip())


def with_offsets(strip: Strip, at: Place) -> Strip:
    """Return the row with what tells a screen which character of the text is where."""
    # Cells before the text are all its beginning; each has to say so for itself.
    cuts = range(1, at.before + 1)
    end = at.before + len(at.text)
    parts = [
        _over(part, Style.from_meta({"offset": (max(0, first - at.before), at.y)}))
        if first < end
        else part
        for first, part in _cut(strip, [*cuts, end])
    ]
    return Strip(parts, strip.cell_length)


def painted(strip: Strip, at: Place, selection: Selection, style: Style) -> Strip:
    """Return the row with what is selected of its text in ``style``."""
    span = selection.get_span(at.y)
    if span is None:
        return strip
    start, end = span
    first = at.before + min(start, len(at.text))
    last = at.before + (len(at.text) if end == _TO_THE_END else min(end, len(at.text)))
    parts = [
        _over(part, style) if first <= here < last else part
        for here, part in _cut(strip, [first, last])
    ]
    return Strip(parts, strip.cell_length)


def extracted(rows: Iterable[Place], selection: Selection) -> str:
    """Return what is selected of these rows, a line each."""
    lines = []
    for y, _, text in rows:
        span = selection.get_span(y)
        if span is not None:
            start, end = span
            lines.append(text[start:] if end == _TO_THE_END else text[start:end])
    return "\n".join(lines)


def forget(widget: Widget) -> None:
    """Select nothing of a widget whose rows are others now."""
    if not widget.is_attached:
        return  # its text may still change while the screen is being left
    screen = widget.screen
    if widget in screen.selections:
        kept = {known: span for known, span in screen.selections.items() if known is not widget}
        screen.selections = kept


def _cut(strip: Strip, cuts: Iterable[int]) -> Iterator[tuple[int, Segment]]:
    """Yield a strip's segments, cut at these characters too, with the number of their first."""
    known = sorted(cuts)
    at = 0
    for text, style, _ in strip:
        inner = [cut - at for cut in known if 0 < cut - at < len(text)]
        for start, end in pairwise(dict.fromkeys((0, *inner, len(text)))):
            yield at + start, Segment(text[start:end], style)
        at += len(text)


def _over(segment: Segment, style: Style) -> Segment:
    return Segment(segment.text, segment.style + style if segment.style else style)
