"""Widgets of the chrome draw whole rows: data in, strips out, drawn again only when it changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.containers import Vertical
from textual.strip import Strip
from textual.widget import Widget

from moa_tui.ui import look

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from textual.geometry import Region, Size


_BLACK: Final = Color(0, 0, 0)


class Rows(Widget):
    """A widget that is a list of rows, as wide as it is; a subclass says what they are in `draw`.

    It has neither border nor padding: what stands there is drawn too.
    """

    ALLOW_SELECT = False

    def __init__(self) -> None:
        super().__init__()
        self._drawn: tuple[int, Mapping[str, str], Sequence[Strip]] | None = None

    def draw(self, width: int, palette: look.Palette) -> Sequence[Strip]:
        """Return the rows at this width in cells."""
        raise NotImplementedError

    def redraw(self, *, layout: bool = False) -> None:
        """Draw again; ``layout`` when the number of rows may differ."""
        self._drawn = None
        self.refresh(layout=layout)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return the number of rows at this width."""
        del container, viewport
        return len(self._rows(width))

    def render_lines(self, crop: Region) -> list[Strip]:
        """Return rows as they are drawn: there is no border or padding to add to them."""
        width = self.size.width
        rows = self._rows(width)
        strips = list(rows[crop.y : crop.bottom])
        if len(strips) < crop.height:
            strips += [Strip.blank(width, self.rich_style)] * (crop.height - len(strips))
        for line_filter in self.get_line_filters():
            strips = [strip.apply_filter(line_filter, _BLACK) for strip in strips]
        if crop.column_span != (0, width):
            strips = [strip.crop(*crop.column_span) for strip in strips]
        return strips

    def render_line(self, y: int) -> Strip:
        """Return one row."""
        width = self.size.width
        rows = self._rows(width)
        return rows[y] if y < len(rows) else Strip.blank(width, self.rich_style)

    def _rows(self, width: int) -> Sequence[Strip]:
        # Painting asks for these thirty times a second while its neighbours stream.
        variables = self.app.theme_variables
        if self._drawn is None or self._drawn[0] != width or self._drawn[1] is not variables:
            self._drawn = (width, variables, self.draw(width, look.Palette.of(variables)))
        return self._drawn[2]


class Ground(Vertical):
    """A column that paints nothing but its background, without asking the style cache for it."""

    def render_lines(self, crop: Region) -> list[Strip]:
        """Return blank rows."""
        strip = Strip.blank(crop.width, self.visual_style.rich_style)
        for line_filter in self.get_line_filters():
            strip = strip.apply_filter(line_filter, _BLACK)
        return [strip] * crop.height


def wrapped(segments: Iterable[Segment], width: int) -> list[list[Segment]]:
    """Return styled text broken between words into rows of at most ``width`` cells."""
    rows: list[list[Segment]] = [[]]
    used = 0
    for text, style, *_ in segments:
        for word in _words(text):
            length = cell_len(word.rstrip())
            if used and used + length > width:
                rows.append([])
                used = 0
            shown = word if used or word.strip() else ""
            for piece in _cut(shown, width):
                if used and used + cell_len(piece.rstrip()) > width:
                    rows.append([])
                    used = 0
                rows[-1].append(Segment(piece, style))
                used += cell_len(piece)
    return [_trimmed(row) for row in rows]


def _trimmed(row: list[Segment]) -> list[Segment]:
    if not row:
        return row
    *others, last = row
    return [*others, Segment(last.text.rstrip(" "), last.style)]


def _words(text: str) -> list[str]:
    parts = text.split(" ")
    return [f"{part} " for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])


def _cut(word: str, width: int) -> list[str]:
    """Return a word in pieces that fit a row."""
    if cell_len(word.rstrip()) <= width or width < 2:  # noqa: PLR2004 - a wide character's cells
        return [word] if word else []
    pieces = [""]
    for char in word:
        if cell_len(pieces[-1] + char) > width:
            pieces.append("")
        pieces[-1] += char
    return pieces


def joined(parts: Iterable[Sequence[Segment]], between: Segment | None = None) -> list[Segment]:
    """Return groups of segments in one list, a separator between each two."""
    out: list[Segment] = []
    for part in parts:
        if out and between is not None:
            out.append(between)
        out.extend(part)
    return out


def section(title: str, hint: str, *, width: int, palette: look.Palette) -> Strip:
    """Return a section's head: ``Name ───── hint``."""
    name = Segment(f"{title} ", palette.ink + look.BOLD)
    key = [Segment(f" {hint}", palette.muted)] if hint else []
    line = look.LANE_REST * max(0, width - cell_len(title) - 1 - look.cells(key))
    return Strip([name, Segment(line, palette.edge), *key]).adjust_cell_length(width, Style.null())
