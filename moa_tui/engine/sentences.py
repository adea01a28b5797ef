"""Markdown as sentences and their content words: in any language, without a parser.

A list item and a row of a table are sentences however they end; headings, code, rules and the
head of a table are none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_CODE_INDENT: Final = 4
_LONGEST_TITLE: Final = 80
_LONGEST_ORDINAL: Final = 2
_LEAST_STEM: Final = 4

# Written without spaces: Thai, Lao, Burmese, Khmer, kana, Han; and Hangul, whose words are
# inflected at their ends.
_UNSPACED: Final = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf"
    "\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003fffd"
)
_LEAD: Final = re.compile(
    r"(?P<quote>(?:[ \t]*>)*)(?P<indent>[ \t]*)"
    r"(?P<item>(?:[-+*•]|\d{1,9}[.)])[ \t]+(?:\[[ xX]\][ \t]+)?)?"
)
_FENCE: Final = re.compile(r"`{3,}(?=[^`]*$)|~{3,}")
_HEADING: Final = re.compile(r"#{1,6}(?:[ \t]|$)")
_RULE: Final = re.compile(
    r"[ \t]*(?:(?:-[ \t]*){3,}|(?:\*[ \t]*){3,}|(?:_[ \t]*){3,}|=+[ \t]*|-+)$"
)
_TABLE_RULE: Final = re.compile(r"(?=.*\|)[ \t]*\|?(?:[ \t]*:?-+:?[ \t]*(?:\||$))+[ \t]*$")
_TITLE: Final = re.compile(r"(\*\*|__)[^*_\n]*[^*_\n.!?。！？]\1[ \t]*[:：]?$")
_INLINE_CODE: Final = re.compile(r"`+[^`]*`+")
# Possessive and looking back: no run of marks or spaces is read twice.
_END: Final = re.compile(
    "(?<![.!?…])[.!?…]++[\"'”’»)\\]*_~]*+(?=\\s)"
    "|(?<![。！？｡])[。！？｡]++[”’」』）》*_]*+"
    "|(?<! ) {2,}+(?=\\n)|\\\\(?=\\n)"
)
_LAST_WORD: Final = re.compile(r"[^\s(\[*_\"'„“]+$")
_DOTTED: Final = re.compile(r"(?:[^\W\d_]\.)+[^\W\d_]")
_NEXT_INITIAL: Final = re.compile(r"[^\W\d_]\.")
_BEFORE: Final = 32
_ABBREVIATIONS: Final = frozenset(
    (
        *("approx", "bzw", "ca", "cf", "dr", "eg", "evtl", "fig", "ggf", "hr", "ie", "inkl"),
        *("mr", "mrs", "ms", "nr", "prof", "sog", "st", "vgl", "vs"),
    )
)

_LINK_TARGET: Final = re.compile(r"\]\([^()\n]{0,300}\)")
_WORD: Final = re.compile(rf"([{_UNSPACED}]+)|[^\W_{_UNSPACED}]+(?:['’][^\W_{_UNSPACED}]+)*")
_IN_NUMBER: Final = re.compile(r"(?<=\d)[.,](?=\d)")
_ENDINGS: Final = ("ings", "ing", "ies", "ern", "ed", "es", "en", "er", "em", "s", "e", "n", "y")
_ENGLISH: Final = """
a about above after again all also although always am an and any are aren't as at be because
been before being between both but by can can't could did do does doesn't doing don't down
during each either else even ever every few for from further get gets had has have having he her
here here's hers him his how however i i'm if in into is isn't it it's its itself just let let's
like made make makes many may me might more most much must my no nor not of off often on once
one only or other our out over own per rather same she should since so some such than that
that's the their them then there there's these they they're this those through thus to too two
under until up us use used uses using very via was we we're were what when where whether which
while who whom whose why will with within without would yes yet you you're your yours
"""
_GERMAN: Final = """
aber alle allem allen aller alles als also am an auch auf aus außerdem bei beide beiden beim bis
da dabei dadurch dafür damit dann darauf das dass dein deine dem den denn der des dessen die
dies diese diesem diesen dieser dieses doch dort du durch ein eine einem einen einer eines er es
etwa etwas für gibt hat hatte haben hier hinter ich ihm ihn ihnen ihr ihre ihrem ihren ihrer im
immer in ins ist ja je jede jedem jeden jeder jedes jedoch kann kein keine können man mehr mit
muss müssen nach nicht nichts noch nun nur ob oder ohne sehr sein seine seinen seiner sich sie
sind so sobald soll sollte sowie über um und uns unter viel vom von vor war waren was weil
welche wenn wer werden wie wieder wir wird wo wurde wurden zu zum zur zwar zwischen
"""
# Other languages do with the weights: what every sentence has counts least.
_STOP: Final = frozenset(f"{_ENGLISH} {_GERMAN}".split())


@dataclass(frozen=True, slots=True)
class Span:
    """A sentence's place in its text: ``text[start:end]``, without its list marker."""

    start: int
    end: int


def sentences(text: str) -> list[Span]:
    """Return the sentences of a Markdown text, in their order."""
    return [span for run in _Prose(text).runs() for span in _cut(text, run)]


def content_words(text: str) -> tuple[str, ...]:
    """Return the content words of a text, each once, as they are compared.

    Words are without the endings of inflection, scripts without spaces in pairs of characters.
    Numbers are without points and commas: 1,000 is 1000.
    """
    found: dict[str, None] = {}
    for match in _WORD.finditer(_IN_NUMBER.sub("", _LINK_TARGET.sub("]", text))):
        word = match[0].casefold().replace("’", "'")
        if match[1]:
            found.update(dict.fromkeys(word[at : at + 2] for at in range(max(1, len(word) - 1))))
        elif word not in _STOP:
            found[_stem(word)] = None
    return tuple(found)


def _stem(word: str) -> str:
    word = word.removesuffix("'s")
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _LEAST_STEM:
            return word[: -len(ending)]
    return word


def _cut(text: str, run: Span) -> Iterator[Span]:
    """Yield the sentences of a paragraph, an item or a row."""
    # A full stop in code ends nothing.
    shown = _INLINE_CODE.sub(lambda code: "x" * len(code[0]), text[run.start : run.end])
    start = 0
    for end in _END.finditer(shown):
        if not _ends(shown, end):
            continue
        yield from _trimmed(text, run.start + start, run.start + end.end())
        start = end.end()
    yield from _trimmed(text, run.start + start, run.end)


def _trimmed(text: str, start: int, end: int) -> Iterator[Span]:
    said = text[start:end]
    # A quoted line's mark is no part of the sentence that begins there.
    start += len(said) - len(said.lstrip(" \t\n>"))
    end -= len(said) - len(said.rstrip())
    if start < end:
        yield Span(start, end)


def _ends(text: str, mark: re.Match[str]) -> bool:
    """Return whether a full stop or its like ends a sentence, and no abbreviation."""
    if mark[0][0] not in ".!?…":
        return True
    rest = text[mark.end() : mark.end() + _BEFORE].lstrip()
    if rest[:1].islower() and not rest.startswith("x" * 3):
        return False
    if not mark[0].startswith(".") or mark[0].startswith(".."):
        return True
    before = _LAST_WORD.search(text, max(0, mark.start() - _BEFORE), mark.start())
    return before is None or not _is_short(before[0], rest)


def _is_short(word: str, rest: str) -> bool:
    """Return whether a full stop after ``word`` and before ``rest`` belongs to the word."""
    if word.casefold() in _ABBREVIATIONS or _DOTTED.fullmatch(word):
        return True
    if word.isdecimal():
        return len(word) <= _LONGEST_ORDINAL
    return len(word) == 1 and (word.isupper() or _NEXT_INITIAL.match(rest) is not None)


class _Prose:
    """Reads a Markdown text line by line for the ranges that hold sentences."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._runs: list[Span] = []
        self._lines: list[Span] = []
        self._is_item = False
        self._fence = ""
        self._is_table = False
        self._is_code = False
        self._in_list = False
        self._after_blank = True

    def runs(self) -> list[Span]:
        """Return paragraphs, items and rows of tables."""
        at = 0
        for line in self._text.splitlines(keepends=True):
            self._take(line.rstrip("\r\n"), at)
            at += len(line)
        self._close()
        return self._runs

    def _take(self, line: str, at: int) -> None:
        lead = _LEAD.match(line)
        body = line[lead.end() if lead else 0 :]
        if self._fence:
            is_end = len(body.strip()) >= len(self._fence) and not body.strip(f" {self._fence[0]}")
            self._fence = "" if is_end else self._fence
            return
        fence = _FENCE.match(body)
        if fence:
            self._close()
            self._fence = fence[0]
            return
        if not line.strip(" \t>"):
            self._close()
            self._after_blank = True
            return
        self._take_text(line, at, lead)
        self._after_blank = False

    def _take_text(self, line: str, at: int, lead: re.Match[str] | None) -> None:
        begin = lead.end() if lead else 0
        is_item = bool(lead and lead["item"])
        if self._is_no_prose(line, begin):
            return
        span = Span(at + begin, at + len(line))
        if self._is_table and "|" in line:
            self._runs.append(span)
            return
        self._is_table = False
        if is_item:
            self._close()
        indent = len(lead["indent"].expandtabs(_CODE_INDENT)) if lead else 0
        self._in_list = is_item or (self._in_list and not (self._after_blank and not indent))
        may_be_code = not self._lines and not self._in_list and indent >= _CODE_INDENT
        if may_be_code and (self._after_blank or self._is_code):
            self._is_code = True
            return
        self._is_code = False
        if not self._lines:
            self._is_item = is_item
        self._lines.append(span)

    def _is_no_prose(self, line: str, begin: int) -> bool:
        """Return whether a line is a heading, a rule, or makes a heading of what is above it."""
        if _HEADING.match(line, begin):
            self._close()
            return True
        if self._lines and _TABLE_RULE.match(line) and self._is_ruled():
            self._lines.pop()
            self._close()
            self._is_table = True
            return True
        if _RULE.match(line) and (self._lines or len(line.strip()) > 1):
            # What it underlines is a heading, but for an item's.
            if not self._is_item and line.strip()[0] in "=-":
                self._lines.clear()
            self._close()
            return True
        return False

    def _is_ruled(self) -> bool:
        last = self._lines[-1]
        return "|" in self._text[last.start : last.end]

    def _close(self) -> None:
        self._is_table = self._is_code = False
        if not self._lines:
            return
        run = Span(self._lines[0].start, self._lines[-1].end)
        self._lines.clear()
        if not self._is_title(run):
            self._runs.append(run)

    def _is_title(self, run: Span) -> bool:
        """Return whether a paragraph, or an item with a colon, is a heading: a bold line."""
        line = self._text[run.start : run.end].strip()
        if len(line) > _LONGEST_TITLE or not _TITLE.match(line):
            return False
        return not self._is_item or line.rstrip("*_ ").endswith((":", "："))
