"""Finding words in any language, newest first, and what to show around them.

Scripts without spaces are indexed as pairs of characters, and their last character alone, since a
word of theirs has no edges; all else by words, of which the beginning is enough.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from moa_tui.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterable

_UNSPACED: Final = (
    "\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af"
    "\uf900-\ufaff\U00020000-\U0003ffff"
)
_RUN: Final = re.compile(f"[{_UNSPACED}]+")
_TERM: Final = re.compile(f"[{_UNSPACED}]+|[^\\W_{_UNSPACED}]+")
_MOST_TERMS: Final = 12
_LONGEST_TERM: Final = 60
_BEFORE, _AFTER = 40, 120
_CLEAN_AROUND: Final = 400


def indexed(texts: Iterable[str]) -> str:
    """Return texts as the index takes them, with spaces where it shall cut."""
    return "\n".join(_RUN.sub(_pairs, text) for text in texts)


def _pairs(run: re.Match[str]) -> str:
    text = run[0]
    return f" {' '.join(map(str.__add__, text, text[1:]))} {text[-1]} "


@dataclass(frozen=True, slots=True)
class Query:
    """What somebody typed: its ``terms``, and the questions for the index, none asks nothing.

    Of the first question's words only the last may be just a beginning, for it is still typed; the
    second takes all as beginnings.
    """

    terms: tuple[str, ...]
    questions: tuple[str, ...]

    @classmethod
    def of(cls, typed: str) -> Query:
        """Take it apart; every term has to be found."""
        found = (term[0][:_LONGEST_TERM] for term in _TERM.finditer(clean(typed[:1000])))
        terms = tuple(dict.fromkeys(found))[:_MOST_TERMS]
        strict = [part for term in terms[:-1] for part in _asked(term, ending='"')]
        loose = [part for term in terms for part in _asked(term)]
        last = [part for term in terms[-1:] for part in _asked(term)]
        both = (" AND ".join([*strict, *last]), " AND ".join(loose))
        return cls(terms, tuple(question for question in dict.fromkeys(both) if question))

    def is_in(self, texts: Iterable[str]) -> bool:
        """Return whether the unspaced terms stand there whole, which their pairs don't prove."""
        hard = [term for term in self.terms if len(term) > 2 and _RUN.fullmatch(term)]  # noqa: PLR2004 - a pair is its own proof
        if not hard:
            return True
        texts = tuple(texts)
        return all(any(term in text for text in texts) for term in hard)

    def count_in(self, text: str) -> int:
        """Return how many of the terms a text has."""
        lower = text.lower()
        return sum(term.lower() in lower for term in self.terms)

    def excerpt(self, text: str) -> tuple[str, int, int]:
        """Return what stands around the first term on one line, and the match's bounds in it."""
        start, end = self._place(text)
        before = _line(text[max(0, start - _CLEAN_AROUND) : start])[-_BEFORE:]
        match = _line(text[start:end])
        after = _line(text[end : end + _CLEAN_AROUND])[:_AFTER]
        if not match:
            return after.strip(), 0, 0
        head = before.lstrip() if start <= _BEFORE else "…" + before.lstrip()
        return f"{head}{match}{after.rstrip()}", len(head), len(head) + len(match)

    def _place(self, text: str) -> tuple[int, int]:
        for term in self.terms:
            # A term stands where a word begins, unless its script has no words.
            edge = "" if _RUN.fullmatch(term) else r"(?<![^\W_])"
            found = re.search(edge + re.escape(term), text, re.IGNORECASE)
            found = found or re.search(re.escape(term), text, re.IGNORECASE)
            if found is not None:
                return found.span()
        return 0, 0


def _asked(term: str, ending: str = '" *') -> list[str]:
    if not _RUN.fullmatch(term):
        return [f'"{term}{ending}']
    if len(term) == 1:
        return [f'"{term}" *']
    return [f'"{first}{second}"' for first, second in pairwise(term)]


def _line(text: str) -> str:
    return re.sub(r"\s+", " ", clean(text))
