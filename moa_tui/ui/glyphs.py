"""Our glyphs in ASCII, one cell for one cell, for terminals and fonts that lack them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from rich.segment import Segment
from textual.filter import LineFilter

from moa_tui.ui import look

if TYPE_CHECKING:
    from collections.abc import Mapping

    from textual.app import App
    from textual.color import Color

ASCII: Final[Mapping[str, str]] = {
    **dict(zip("·○◊●✓»■✗★▸▾◂", ".o~@v>#x*+-<", strict=True)),
    **dict(zip("━┅─╸", "=-.>", strict=True)),
    **dict(zip("▁▂▃▄▅▆▇█▌", ".::==###_", strict=True)),
    **dict(zip("▏▕│┃┆┊╎", "|||||||", strict=True)),
    **dict(zip("›…–—×≥≤≈→←↑↓•−", ">~--x><~><^v*-", strict=True)),
    **dict.fromkeys("┌┐└┘├┤┬┴┼╭╮╯╰┏┓┗┛┣┫┳┻╋", "+"),
}
"""What stands for each glyph; a ▌ that begins a row is a card's bar, |, and else a cursor, _."""

_VARIATION: Final = "\ufe0f"
# A sign that asks for its emoji form takes two cells: it is none of ours.
_OURS: Final = re.compile(f"[{re.escape(''.join(ASCII))}](?!{_VARIATION})")
_BAR: Final = "|"
_TURNS: Final = ">"


def to_ascii(text: str) -> str:
    """Return the text with our glyphs in ASCII, in as many cells; all else is left alone."""
    return text if text.isascii() else _OURS.sub(lambda found: ASCII[found[0]], text)


class AsciiGlyphs(LineFilter):
    """Writes rows in ASCII on their way to the terminal."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Return the segments of a row with our glyphs in ASCII."""
        del background
        shown = [
            segment
            if segment.text.isascii()
            else Segment(to_ascii(segment.text), segment.style, segment.control)
            for segment in segments
        ]
        for at, segment in enumerate(segments):
            # What is folded begins its row; elsewhere it is a value that can be turned.
            if look.FOLDED in segment.text and any(one.text.strip() for one in segments[:at]):
                turned = to_ascii(segment.text.replace(look.FOLDED, _TURNS))
                shown[at] = Segment(turned, segment.style, segment.control)
        if segments and segments[0].text.startswith(look.BAR):
            first = shown[0]
            shown[0] = Segment(_BAR + first.text[1:], first.style, first.control)
        return shown


def use(app: App[Any], *, is_ascii: bool) -> None:
    """Show ASCII from now on, or our glyphs again; an app that runs is painted anew."""
    filters = app._filters  # noqa: SLF001 - where Textual puts its own, and there is no other door
    mine = next((one for one in filters if isinstance(one, AsciiGlyphs)), None)
    if mine is None:
        mine = AsciiGlyphs(enabled=False)
        filters.append(mine)
    if mine.enabled == is_ascii:
        return
    mine.enabled = is_ascii
    if app.is_running:
        # New variables, though they say the same, make widgets drop the rows that they cache.
        app.refresh_css(animate=False)
        for screen in app.screen_stack:
            for widget in screen.walk_children(with_self=True):
                widget.refresh()
