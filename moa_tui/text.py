"""Untrusted text made safe, and secrets kept out of sight; any room may import it."""

from __future__ import annotations

import base64
import re
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

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
# What JSON leaves as it is: it escapes C0 by itself.
_OBEYED = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_HIGH_AT_END = re.compile("[\ud800-\udbff]\\Z")

_KEY_LIKE = re.compile(
    # Without a digit it is prose: "key-value-databases".
    r"\b(?:sk|csk|gsk|xai|pk|rk|key|tgp|hf|fw|nvapi|AIza)[-_](?=[A-Za-z_-]{0,99}\d)[A-Za-z0-9_-]{12,}"
    r"|\bAIza[A-Za-z0-9_-]{20,}"
    r"|(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"
    r"|\b[0-9a-f]{32}\.[A-Za-z0-9]{16}(?![\w.])"
    r"|(?i:\bbearer\s+)[A-Za-z0-9._~+/-]{8,}"
)
_BARE_KEY = re.compile(
    r"(?=(?:[^0-9]*[0-9]){3})[A-Za-z0-9=_-]{20,}"
    r"|[0-9A-Fa-f]{32,}"
    r"|[0-9a-f]{32}\.[A-Za-z0-9]{8,}"
    r"|(?=.*[+/])(?=.*[a-z])(?=.*[A-Z])[A-Za-z0-9+/=_-]{20,}"
    r"|(?:[A-Za-z0-9_]+=)?(?:(?:nvapi|csk)-[A-Za-z0-9_-]{16,}|(?:fw|hf|r8)_[A-Za-z0-9]{16,})"
)
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_MIXED = re.compile(r"(?=.*[a-z])(?=.*[A-Z])(?=.*[0-9]).{16,}")
_KEY_HEADER = re.compile(r"(?i)auth|key|token|secret|passw|cookie")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_FRAMING = ("connection", "content-length", "host", "transfer-encoding")
_TO_BASE64URL = str.maketrans("+/", "-_")
_ESCAPE = re.compile(r"%[0-9A-F]{2}")
_SHORTEST_SECRET = 4
_SHORTEST_MIDDLE = 8
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


def escaped(document: str) -> str:
    """Return a JSON document in which what a terminal may obey is escaped; it says the same."""
    return _OBEYED.sub(lambda found: f"\\u{ord(found[0]):04x}", document)


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


def may_be_key(word: str) -> bool:
    """Return whether a word has a key's shape, or may be one that no vendor's mark gives away.

    It is neither looked up as a host nor taken for a variable's name, MY_LAB_2026_KEY aside.
    """
    if looks_like_key(word):
        return True
    is_constant = word.isupper() and "_" in word and _VARIABLE.fullmatch(word) is not None
    return not is_constant and _BARE_KEY.fullmatch(word.strip("\"'")) is not None


def is_variable_name(text: str) -> bool:
    """Return whether a text is the name of an environment variable and can't be a key itself."""
    is_name = _VARIABLE.fullmatch(text) is not None
    return is_name and not may_be_key(text) and not _MIXED.fullmatch(text)


def header_problem(name: str) -> str:
    """Return what keeps a text from being the name of a header of the user's; "" is nothing."""
    if not _HEADER_NAME.fullmatch(name):
        return "is no name for a header: use letters, digits and -"
    return "is set by the program itself" if name.lower() in _FRAMING else ""


def secret_headers(headers: Mapping[str, str]) -> dict[str, Secret]:
    """Return the headers that may hold a key, by their name or by their value."""
    return {
        name: Secret(value)
        for name, value in headers.items()
        if _KEY_HEADER.search(name) or any(map(may_be_key, value.split()))
    }


def secrets_of_proxy(url: str) -> list[Secret]:
    """Return the password in a proxy's URL, alone and with the user's name before it."""
    login = url.rpartition("@")[0].rpartition("://")[2]
    return [Secret(part) for part in (login, login.partition(":")[2]) if part]


def redact(text: str, secrets: Iterable[Secret] = ()) -> str:
    """Return the text with known secrets, in any common spelling, and key-like runs masked."""
    for secret in secrets:
        value = secret.reveal()
        if len(value) < _SHORTEST_SECRET:
            continue
        for spelling in _spellings(value):
            text = text.replace(spelling, "•••")
    return _KEY_LIKE.sub("•••", text)


def _spellings(value: str) -> list[str]:
    """Return how a value may be written, the longest first: one may be the start of another."""
    raw = value.encode("utf-8", "surrogatepass")
    quoted = [quote(raw, safe=""), quote(raw, safe="/")]
    lower = [_ESCAPE.sub(lambda escape: escape[0].lower(), spelling) for spelling in quoted]
    encoded = [base64.b64encode(raw).decode().rstrip("="), *_middles(raw)]
    for_urls = [spelling.translate(_TO_BASE64URL) for spelling in encoded]
    found = {value, *quoted, *lower, *encoded, *for_urls}
    return sorted(found, key=len, reverse=True)


def _middles(raw: bytes) -> list[str]:
    """Return the part of a text's Base64 that stays the same whatever stands around the text.

    There are three: a character has six bits, so it matters how many bytes come before.
    """
    found = []
    for before in range(3):
        start, end = -(-before * 8 // 6), (before + len(raw)) * 8 // 6
        found.append(base64.b64encode(bytes(before) + raw).decode()[start:end])
    return [middle for middle in found if len(middle) >= _SHORTEST_MIDDLE]
