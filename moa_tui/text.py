"""Untrusted text made safe, and secrets kept out of sight; any room may import it."""

from __future__ import annotations

import base64
import re
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterable

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_MARKS_IN_A_ROW = 4
_FIRST_MARK = "\u0300"

_DROPPED = (
    *(0x0D, 0x00AD, 0x180E, 0x200B, 0xFEFF),
    *range(0x2060, 0x2065),
    *range(0xFFF9, 0xFFFC),
    *range(0xE0000, 0xE0080),
    *range(0xE0100, 0xE01F0),
)
_REPLACED = (
    *range(0x80, 0xA0),
    *(0x061C, 0x200E, 0x200F),
    *range(0x202A, 0x202F),
    *range(0x2066, 0x206A),
)
_HARMLESS_CONTROLS = (0x09, 0x0A, 0x0D)
_MAP: dict[int, str | None] = {
    **{code: chr(0x2400 + code) for code in range(0x20) if code not in _HARMLESS_CONTROLS},
    0x7F: "\N{SYMBOL FOR DELETE}",
    0x2028: "\n",
    0x2029: "\n",
    **dict.fromkeys(_REPLACED, REPLACEMENT),
    **dict.fromkeys(_DROPPED, None),
}
_NEEDS_MAP = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e"
    "\u2060-\u2064\u2066-\u2069\ufeff\ufff9-\ufffb\U000e0000-\U000e007f\U000e0100-\U000e01ef]"
)
_SURROGATE = re.compile("[\ud800-\udfff]")
_HIGH_AT_END = re.compile("[\ud800-\udbff]\\Z")

_KEY_LIKE = re.compile(
    # Without a digit it is prose: "key-value-databases".
    r"\b(?:sk|gsk|xai|pk|rk|key|tgp|hf|AIza)[-_](?=[A-Za-z_-]*\d)[A-Za-z0-9_-]{12,}"
    r"|\bAIza[A-Za-z0-9_-]{20,}"
    r"|(?i:\bbearer\s+)[A-Za-z0-9._~+/-]{8,}"
)
_SHORTEST_SECRET = 4
_URL = re.compile(r"(?i)\bhttps?://|\bwww\.")


class SurrogateJoiner:
    """Joins the halves of a character that a server split over two pieces; lone ones show."""

    def __init__(self) -> None:
        self._held = ""

    def feed(self, text: str) -> str:
        """Return the text that is whole so far."""
        if self._held:
            text, self._held = self._held + text, ""
        if text.isascii() or not _SURROGATE.search(text):
            return text
        if _HIGH_AT_END.search(text):
            text, self._held = text[:-1], text[-1]
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")

    def close(self) -> str:
        """Return what a half that never found its other half leaves."""
        held, self._held = self._held, ""
        return REPLACEMENT if held else ""


class Cleaner:
    """Makes one stream of text safe for a terminal; where the stream is cut doesn't matter.

    Control characters become visible pictures, C1 and bidirectional controls U+FFFD, invisible
    characters vanish, and no more than four combining marks follow each other.
    """

    def __init__(self) -> None:
        self._joiner = SurrogateJoiner()
        self._marks = 0

    def feed(self, text: str) -> str:
        """Return the piece made safe; a half character at its end waits for the next piece."""
        text = self._joiner.feed(text)
        if _NEEDS_MAP.search(text):
            text = text.translate(_MAP)
        if not text:
            return text
        if text.isascii() or max(text) < _FIRST_MARK:
            self._marks = 0
            return text
        return self._with_few_marks(text)

    def close(self) -> str:
        """Return what is left at the stream's end."""
        return self._joiner.close()

    def _with_few_marks(self, text: str) -> str:
        kept = []
        for char in text:
            self._marks = self._marks + 1 if _is_mark(char) else 0
            if self._marks <= _MARKS_IN_A_ROW:
                kept.append(char)
        return "".join(kept)


@lru_cache(maxsize=4096)
def _is_mark(char: str) -> bool:
    return char >= _FIRST_MARK and unicodedata.category(char) in ("Mn", "Me")


def clean(text: str) -> str:
    """Return a whole text made safe for a terminal."""
    cleaner = Cleaner()
    return cleaner.feed(text) + cleaner.close()


def one_line(text: str, limit: int = 200) -> str:
    """Return a text made safe, on one line and at most ``limit`` characters long."""
    line = " ".join(clean(text[: 8 * limit]).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


class Secret:
    """A key that shows itself only when asked to."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the key, for the request that needs it and nothing else."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(•••)"

    __str__ = __repr__

    def __format__(self, format_spec: str) -> str:
        return repr(self)

    def __bool__(self) -> bool:
        return bool(self._value)


def has_url(text: str) -> bool:
    """Return whether a text is or has the address of a web page or server."""
    return _URL.search(text) is not None


def looks_like_key(text: str) -> bool:
    """Return whether a value has the shape of a vendor's key."""
    return _KEY_LIKE.search(text) is not None


def redact(text: str, secrets: Iterable[Secret] = ()) -> str:
    """Return the text with known secrets, in any common spelling, and key-like runs masked."""
    for secret in secrets:
        value = secret.reveal()
        if len(value) < _SHORTEST_SECRET:
            continue
        encoded = base64.b64encode(value.encode()).decode().rstrip("=")
        for spelling in (value, quote(value, safe=""), encoded):
            text = text.replace(spelling, "•••")
    return _KEY_LIKE.sub("•••", text)
