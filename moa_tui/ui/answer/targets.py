"""What drawn text can be pointed at for: where a link leads, which code a row is of.

It rides in the styles under keys of our own, which neither a terminal nor Textual acts upon:
nothing is opened or run because a model wrote it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from rich.cells import cell_len
from rich.style import Style

if TYPE_CHECKING:
    from textual.strip import Strip

_URL: Final = "moa-url"
_CODE: Final = "moa-code"


@lru_cache(maxsize=256)
def leads_to(url: str) -> Style:
    """Return the style of text that leads somewhere; it has no look."""
    return Style.from_meta({_URL: url})


@lru_cache(maxsize=64)
def is_code(number: int) -> Style:
    """Return the style of code, the block's ``number``-th from 0; it has no look."""
    return Style.from_meta({_CODE: number})


def url_at(strip: Strip, x: int) -> str:
    """Return where the cell ``x`` of a row leads, "" for nowhere."""
    end = 0
    for text, style, _ in strip:
        end += cell_len(text)
        if 0 <= x < end:
            return str(style.meta.get(_URL, "")) if style is not None else ""
    return ""


def urls_of(strip: Strip) -> list[str]:
    """Return where a row's links lead, in order."""
    found = [str(style.meta.get(_URL, "")) for _, style, _ in strip if style is not None]
    return [url for url in found if url]


def code_of(strip: Strip) -> int | None:
    """Return which code of its block a row is of, None for a row that is none."""
    for _, style, _ in strip:
        if style is not None and _CODE in style.meta:
            return int(style.meta[_CODE])
    return None
