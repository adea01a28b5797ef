"""Finding names by a few of their letters, among ten thousand of them between two key presses.

A query is words; every word must be in the name, whole or as letters in order. Textual's own
search takes 70 to 220 ms for that, and far longer where a letter comes often in a name.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_EXACT, _BEGINNING, _INSIDE, _SCATTERED = range(4)
_LONGEST: Final = 200


def folded(name: str) -> str:
    """Return a name as `rank` wants it; letters keep their places."""
    lower = name.lower()
    return lower if len(lower) == len(name) else name


def rank(query: str, names: Sequence[str]) -> list[int]:
    """Return the numbers of the `folded` names that the query finds, the best first.

    A whole name, or what stands after its last slash, comes before the beginning of a part, that
    before any place inside, and that before scattered letters, those close together first. Names
    that are equally good keep their order; without a query all do.
    """
    found: Sequence[int] = range(len(names))
    cost = dict.fromkeys(found, 0)
    for word in _words(query):
        matches = _pattern(word).match
        found = [number for number in found if matches(names[number])]
        for number in found:
            cost[number] += _cost(word, names[number], matches)
    return sorted(found, key=cost.__getitem__)


def positions(query: str, name: str) -> frozenset[int]:
    """Return which letters of a `folded` name the query found, for showing them."""
    letters: set[int] = set()
    for word in _words(query):
        at = _best_place(word, name)
        if at >= 0:
            letters.update(range(at, at + len(word)))
            continue
        at = -1
        for letter in word:
            at = name.find(letter, at + 1)
            if at < 0:
                break
            letters.add(at)
    return frozenset(letters)


def _words(query: str) -> list[str]:
    return folded(query[:_LONGEST]).split()


@lru_cache(maxsize=16)
def _pattern(word: str) -> re.Pattern[str]:
    """Return what finds the letters in order; possessive, so that nothing is ever tried twice."""
    return re.compile("".join(f"[^{re.escape(char)}]*+{re.escape(char)}" for char in word))


def _cost(word: str, name: str, matches: Callable[[str], re.Match[str] | None]) -> int:
    at = name.find(word)
    if at >= 0:
        if at + len(word) == len(name) and (at == 0 or name[at - 1] == "/"):
            return _EXACT
        if at == 0 or not name[at - 1].isalnum():
            return _BEGINNING
        return _INSIDE if _best_place(word, name) == at else _BEGINNING
    found = matches(name)
    end = len(name) if found is None else found.end()
    return _SCATTERED + max(0, end - name.find(word[0]) - len(word))


def _best_place(word: str, name: str) -> int:
    """Return where the word begins a part of the name, else where it stands at all, else -1."""
    first = at = name.find(word)
    while at > 0 and name[at - 1].isalnum():
        at = name.find(word, at + 1)
    return first if at < 0 else at
