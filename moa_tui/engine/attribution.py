"""Which proposals a sentence of the answer overlaps with, and where proposals agree; offline.

A sentence overlaps with a proposal when a few neighbouring sentences of that hold enough of its
content words, each weighted by how rare it is among all sentences of the run, and all of its
numbers. That is overlap of words, no proof of where a sentence comes from.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from itertools import combinations, islice
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from moa_tui.engine.sentences import Span, content_words, sentences

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

THRESHOLD: Final = 0.4
"""How much of a sentence, by weight, a proposal must hold to overlap with it, of 1."""

_LEAST_WORDS: Final = 2
# Half of two or three words is soon found anywhere.
_OF_FEW_WORDS: Final = 1.5
_NEAR: Final = 0.75
# A merged sentence often joins several. A whole proposal would hold too much by chance.
_WINDOW: Final = 4
# A model that repeats itself without end must not hold up the others.
_MOST_SENTENCES: Final = 500


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of the answer, ``answer[start:end]``, and the seats that it overlaps with.

    ``is_lone``: one seat has it and no other comes near.
    """

    start: int
    end: int
    seats: tuple[int, ...] = ()
    is_lone: bool = False


@dataclass(frozen=True, slots=True)
class Attribution:
    """What the proposals have to do with an answer.

    ``shares`` says of every proposal what part of the answer's sentences is from it, 0 to 1; what
    several have is parted among them, so they add up to 1 at most.
    """

    sentences: tuple[Sentence, ...] = ()
    shares: Mapping[int, float] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Pair:
    """Two seats, and in how many of the ``sentences`` of one they say the same."""

    seats: tuple[int, int]
    same: int
    sentences: int


@dataclass(frozen=True, slots=True)
class Agreement:
    """Where proposals say the same: every pair, the closest first.

    ``alone`` are the seats that share not a single sentence with another one.
    """

    pairs: tuple[Pair, ...] = ()
    alone: tuple[int, ...] = ()


def sources(answer: str, proposals: Mapping[int, str]) -> Attribution:
    """Return which proposals, by seat number, each sentence of a Markdown answer overlaps with.

    Sentences of fewer than two content words are left out. Takes 10 to 50 ms for long texts:
    call it in a thread.
    """
    spans, said = _read(answer)
    read = {number: _read(text)[1] for number, text in sorted(proposals.items())}
    weights = _weights([*said, *(words for each in read.values() for words in each)])
    index = _Index(read, weights)
    found = []
    parts = dict.fromkeys(read, 0.0)
    for span, words in zip(spans, said, strict=True):
        held = index.coverage(words)
        least = _least(words)
        over = {number: part for number, part in held.items() if part >= least}
        is_lone = len(over) == 1 and sum(part >= least * _NEAR for part in held.values()) == 1
        found.append(Sentence(span.start, span.end, tuple(sorted(over)), is_lone))
        for number, part in over.items():
            parts[number] += len(words) * part / sum(over.values())
    total = sum(map(len, said)) or 1
    shares = {number: part / total for number, part in parts.items()}
    return Attribution(tuple(found), MappingProxyType(shares))


def agreement(proposals: Mapping[int, str]) -> Agreement:
    """Return in how many sentences each two proposals, by seat number, say the same.

    Of a pair, the sentences counted are those of the proposal that the other has less of. Takes
    as long as `sources`.
    """
    read = {number: _read(text)[1] for number, text in sorted(proposals.items())}
    read = {number: said for number, said in read.items() if said}
    index = _Index(read, _weights([words for said in read.values() for words in said]))
    same: Counter[tuple[int, int]] = Counter()
    for number, said in read.items():
        for words in said:
            held, least = index.coverage(words), _least(words)
            same.update((number, other) for other, part in held.items() if part >= least)
    pairs = [
        min(
            (Pair((one, other), same[a, b], len(read[a])) for a, b in ((one, other), (other, one))),
            key=lambda pair: pair.same / pair.sentences,
        )
        for one, other in combinations(read, 2)
    ]
    pairs.sort(key=lambda pair: (-pair.same / pair.sentences, -pair.same, pair.seats))
    agreeing = {seat for pair in pairs if pair.same for seat in pair.seats}
    alone = tuple(number for number in read if number not in agreeing) if len(read) > 1 else ()
    return Agreement(tuple(pairs), alone)


def _read(text: str) -> tuple[list[Span], list[tuple[str, ...]]]:
    """Return the sentences of a text that say something, and the content words of each."""
    spans, said = [], []
    for span in islice(sentences(text), _MOST_SENTENCES):
        words = content_words(text[span.start : span.end])
        if len(words) >= _LEAST_WORDS:
            spans.append(span)
            said.append(words)
    return spans, said


def _least(words: Sequence[str]) -> float:
    """Return how much of a sentence a proposal must hold to overlap with it."""
    return max(THRESHOLD, _OF_FEW_WORDS / len(words))


def _weights(said: Sequence[Iterable[str]]) -> dict[str, float]:
    """Return each word's weight, the higher the fewer sentences have it."""
    counts = Counter(word for words in said for word in words)
    # The root: else one word that nobody else has outweighs all that a sentence shares.
    return {word: math.sqrt(math.log(1 + len(said) / count)) for word, count in counts.items()}


class _Index:
    """Where in the proposals each word stands, so that a sentence meets only what it may match."""

    def __init__(
        self, read: Mapping[int, Sequence[Iterable[str]]], weights: Mapping[str, float]
    ) -> None:
        self._weights = weights
        self._seat_of: list[int] = []
        self._windows: dict[str, set[int]] = defaultdict(set)
        for number, said in read.items():
            for place, words in enumerate(said):
                window = len(self._seat_of)
                # A window is named by its first sentence; those that begin before hold this too.
                reach = range(window - min(place, _WINDOW - 1), window + 1)
                for word in words:
                    self._windows[word].update(reach)
                self._seat_of.append(number)

    def coverage(self, words: Sequence[str]) -> dict[int, float]:
        """Return how much of a sentence, by weight, each proposal holds at its best place."""
        held: dict[int, float] = defaultdict(float)
        total = 0.0
        for word in words:
            weight = self._weights[word]
            total += weight
            for window in self._windows.get(word, ()):
                held[window] += weight
        numbers = [self._windows.get(word, set()) for word in words if any(map(str.isdigit, word))]
        best: dict[int, float] = {}
        for window, weight in held.items():
            # Of words some may differ. Another number is another statement.
            if all(window in windows for windows in numbers):
                seat = self._seat_of[window]
                best[seat] = max(best.get(seat, 0.0), weight / total)
        return best
