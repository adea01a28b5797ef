"""Links in untrusted text: which addresses count, where bare ones begin and end, who is behind."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import SplitResult, urlsplit

from moa_tui.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterator

_BARE: Final = re.compile(
    r"(?<![A-Za-z0-9])https?://[A-Za-z0-9\[][A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]*", re.IGNORECASE
)
_AFTER: Final = ".,;:!?'*_~"
_PAIRS: Final = {")": "(", "]": "["}
_HOST: Final = re.compile(r"[\w-]+(?:\.[\w-]+)+")
_WRITTEN: Final = re.compile(
    r"(?:(?P<scheme>https?)://[^\s/?#]+|[^\s/?#]+\.[^\s/?#]+)(?:[/?#]\S*)?"
)


def web_address(url: str) -> str:
    """Return the address cleaned, "" when it isn't one of a web page (http or https)."""
    cleaned = clean(url).strip()
    if not cleaned.isascii() or not cleaned.isprintable() or " " in cleaned:
        return ""
    return cleaned if host_of(cleaned) else ""


def host_of(url: str) -> str:
    """Return who serves a web address, in small letters; "" for anything else."""
    parts = _split(url)
    if parts is None or parts.scheme not in ("http", "https"):
        return ""
    return parts.hostname or ""


def bare(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield (start, end, address) of the web addresses that a text names outright.

    What closes a sentence or a bracket isn't part of one.
    """
    if "://" not in text:
        return
    for found in _BARE.finditer(text):
        written = _trimmed(found.group())
        url = web_address(written)
        if url:
            yield found.start(), found.start() + len(written), url


def told(text: str, url: str) -> str:
    """Return the host to tell beside a link's text, "" when the text itself names no other."""
    host = host_of(url)
    shown = text.strip().lower()
    written = _WRITTEN.fullmatch(shown)
    if written:
        parts = _split(shown if written["scheme"] else f"http://{shown}")
        is_same = parts is not None and "@" not in parts.netloc and _same(parts.hostname, host)
        return "" if is_same else host
    named = _HOST.findall(shown)
    return "" if named and all(_same(name, host) for name in named) else host


def _same(name: str | None, host: str) -> bool:
    return name is not None and name.removeprefix("www.") == host.removeprefix("www.")


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = parts.hostname, parts.port
    except ValueError:
        return None  # half an IPv6 address, a port that is none
    return parts


def _trimmed(url: str) -> str:
    """Return an address without what follows it in a sentence."""
    while url:
        last = url[-1]
        opening = _PAIRS.get(last)
        is_alone = opening is not None and url.count(last) > url.count(opening)
        if last not in _AFTER and not is_alone:
            break
        url = url[:-1]
    return url
