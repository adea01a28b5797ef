"""Code in the theme's colours: one row a line, cut where it is too long."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from rich.color import Color, blend_rgb
from rich.segment import Segment
from rich.style import Style

from moa_tui.ui.answer.prose import TAB, cut
from moa_tui.ui.look import BOLD, CODE_BAR, ITALIC

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pygments.lexer import Lexer  # type: ignore[import-untyped] # it ships no types

    from moa_tui.ui.answer.prose import Line
    from moa_tui.ui.look import Palette

_TOWARDS_BRIGHT: Final = 0.34
_LONGEST_NAME: Final = 40
_PART: Final = 24


def code_lines(
    code: str, language: str, *, width: int, palette: Palette, is_draft: bool = False
) -> list[Line]:
    """Return code behind a bar, highlighted where the language is known, cut with … at ``width``.

    Blank lines at the end are left out. ``language`` is a fence's info string. A draft, drawn
    again as it grows, is read in parts of its own, so that only the last one is read again.
    """
    code = code.rstrip("\n").replace("\t", TAB)
    inks = _inks(palette)
    bar = Segment(f"{CODE_BAR} ", palette.edge)
    parts = _parts(code) if is_draft else [code]
    return [
        [bar, *cut([Segment(text, _ink(token, inks)) for token, text in line], max(1, width - 2))]
        for part in parts
        for line in _read(part, language)
    ]


def _parts(code: str) -> list[str]:
    lines = code.split("\n")
    return ["\n".join(lines[at : at + _PART]) for at in range(0, len(lines), _PART)]


@lru_cache(maxsize=64)
def _read(code: str, language: str) -> tuple[tuple[tuple[str, str], ...], ...]:
    """Return code as lines of (token name, text)."""
    lines: list[list[tuple[str, str]]] = [[]]
    for token, text in _tokens(code, language):
        first, *others = text.split("\n")
        if first:
            lines[-1].append((token, first))
        lines.extend([(token, other)] if other else [] for other in others)
    # A lexer ends its input with a newline of its own.
    missing = code.count("\n") + 1 - len(lines)
    return tuple(map(tuple, lines[:missing] if missing < 0 else lines))


def _tokens(code: str, language: str) -> Iterable[tuple[str, str]]:
    """Yield (dotted token name, text); text in no known language is one token."""
    name = language.strip().partition(" ")[0].strip("{.}").lower()
    lexer = _lexer(name[:_LONGEST_NAME])
    if lexer is None:
        return [("", code)]
    return ((str(token)[6:], text) for token, text in lexer.get_tokens(code))


@lru_cache(maxsize=32)
def _lexer(name: str) -> Lexer | None:
    if not name:
        return None
    # Slow to load, and most answers have no code; neither ships types.
    from pygments.lexers import get_lexer_by_name  # type: ignore[import-untyped] # noqa: PLC0415 - see above
    from pygments.util import ClassNotFound  # type: ignore[import-untyped] # noqa: PLC0415 - see above

    try:
        return get_lexer_by_name(name, stripnl=False)
    except ClassNotFound:
        return None


@lru_cache(maxsize=1024)
def _nearest(token: str) -> str:
    """Return the longest beginning of a dotted token name that has an ink of its own."""
    while token and token not in _INKED:
        token = token.rpartition(".")[0]
    return token


def _ink(token: str, inks: Mapping[str, Style]) -> Style:
    return inks[_nearest(token)]


_INKED: Final[Mapping[str, str]] = {
    "": "ink",
    "Comment": "muted",
    "Comment.Preproc": "error",
    "Comment.PreprocFile": "success",
    "Generic.Deleted": "error",
    "Generic.Emph": "ink italic",
    "Generic.Error": "error",
    "Generic.Heading": "primary bold",
    "Generic.Inserted": "success",
    "Generic.Output": "muted",
    "Generic.Prompt": "muted",
    "Generic.Strong": "ink bold",
    "Generic.Subheading": "primary",
    "Keyword": "accent",
    "Keyword.Constant": "success bold",
    "Keyword.Namespace": "error",
    "Keyword.Type": "ink bold",
    "Literal.Date": "warning",
    "Literal.Number": "warning",
    "Literal.String": "success",
    "Literal.String.Doc": "success italic",
    "Name": "primary",
    "Name.Attribute": "warning",
    "Name.Builtin": "accent",
    "Name.Builtin.Pseudo": "primary",
    "Name.Class": "warning bold",
    "Name.Constant": "error",
    "Name.Decorator": "primary bold",
    "Name.Exception": "warning",
    "Name.Function": "warning",
    "Name.Tag": "primary bold",
    "Operator": "ink bold",
    "Operator.Word": "error bold",
    "Punctuation": "ink",
}
"""Pygments' tokens and their ink: a colour of the palette and how it is set."""


@lru_cache(maxsize=4)
def _inks_of(palette: tuple[Style, ...]) -> Mapping[str, Style]:
    named = dict(zip(_COLOURS, palette, strict=True))
    bright = named["bright"].color
    # Hues are drawn nearer to the brightest text: seen in passing, code stays one with the prose,
    # and no keyword has the aggregator's gold.
    for name in ("primary", "accent", "warning", "error", "success"):
        named[name] = _towards(named[name], bright)
    looks = {"bold": BOLD, "italic": ITALIC}
    inks = {}
    for token, ink in _INKED.items():
        colour, *settings = ink.split()
        inks[token] = Style.combine([named[colour], *(looks[setting] for setting in settings)])
    return inks


_COLOURS: Final = ("ink", "bright", "muted", "primary", "accent", "warning", "error", "success")


def _inks(palette: Palette) -> Mapping[str, Style]:
    return _inks_of(tuple(getattr(palette, name) for name in _COLOURS))


def _towards(style: Style, bright: Color | None) -> Style:
    """Return a true colour a third of the way to ``bright``; the terminal's own stay."""
    if style.color is None or bright is None:
        return style
    if style.color.triplet is None or bright.triplet is None:
        return style
    mixed = blend_rgb(style.color.triplet, bright.triplet, _TOWARDS_BRIGHT)
    return style + Style(color=Color.from_triplet(mixed))
