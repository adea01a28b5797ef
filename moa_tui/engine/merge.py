"""Merge strategies: how the references of the last layer become the run's answer.

A strategy is one function here, its name in `StrategyName` and its line in `STRATEGIES`, which says
what others have to know of it. Everybody asks there: only texts know a strategy by its name.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

from moa_tui.errors import ProviderError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from moa_tui.engine.mixture import Seat

StrategyName: TypeAlias = Literal["synthesize", "pick", "vote", "refine", "none"]

FOLDED_AT_ONCE = 3
"""Texts that `refine` merges in one call."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A proposal that is handed on: whose, and its text."""

    seat: Seat
    text: str


@dataclass(frozen=True, slots=True)
class Merged:
    """The answer; ``chosen`` is the seat whose words it is, if it is one's.

    ``votes`` are the seats that say the same, where they were counted: that of the answer first.
    """

    answer: str
    chosen: Seat | None = None
    votes: tuple[tuple[Seat, ...], ...] = ()


class Aggregation(Protocol):
    """What a strategy may use of the run."""

    @property
    def references(self) -> tuple[Reference, ...]:
        """The proposals to merge, in the seats' order."""
        ...

    @property
    def folds(self) -> bool:
        """Whether references that don't fit at once are to be merged a few at a time."""
        ...

    def fits(self, references: Sequence[str], /) -> bool:
        """Return whether the aggregator has room for these texts, as far as anybody knows."""
        ...

    async def choose(self, texts: Sequence[str], /) -> int:
        """Return the number, from 0, of the text that the aggregator names as the best.

        It sees them in an order drawn from the run's seed. Asking is attempts of its seat.

        Raises:
            ProviderError: it failed or named none, twice, and so did its fallbacks.
        """
        ...

    async def ask(self, references: Sequence[str], /, *, note: str = "", cuts: bool = False) -> str:
        """Return what the aggregator makes of these texts, streamed as its seat's next attempt.

        ``note`` tells what it is doing; ``cuts``: what doesn't fit is cut, whatever the mixture
        says.

        Raises:
            ProviderError: it failed, and so did its fallbacks.
        """
        ...


async def synthesize(aggregation: Aggregation) -> Merged:
    """Let the aggregator write an answer of its own from all references."""
    texts = [reference.text for reference in aggregation.references]
    if aggregation.folds and not aggregation.fits(texts):
        return await refine(aggregation)
    try:
        return Merged(await aggregation.ask(texts))
    except ProviderError as failure:
        if failure.kind != "context" or not aggregation.folds:
            raise
    return await refine(aggregation)


async def refine(aggregation: Aggregation) -> Merged:
    """Let the aggregator merge a few at a time, each time into the answer so far (Self-MoA-Seq).

    After arXiv 2502.00674: the window holds the best answer so far and the next proposals. It is
    as wide as the model has room for, at least two texts, at most `FOLDED_AT_ONCE`.
    """
    texts = [reference.text for reference in aggregation.references]
    answer, done = "", 0
    while done < len(texts):
        few = [answer] if done else []
        first = done + 1
        while done < len(texts) and len(few) < FOLDED_AT_ONCE:
            more = [*few, texts[done]]
            if len(few) > 1 and not aggregation.fits(more):
                break
            few, done = more, done + 1
        answer = await aggregation.ask(few, note=_step(first, done, len(texts)), cuts=True)
    return Merged(answer)


def _step(first: int, last: int, count: int) -> str:
    if (first, last) == (1, count):
        return ""
    which = f"answer {first}" if first == last else f"answers {first} to {last}"
    return f"{which} of {count}" + (", into what came before" if first > 1 else "")


async def pick(aggregation: Aggregation) -> Merged:
    """Let the aggregator name the best proposal, which is the answer word for word.

    Nobody is asked where there is but one text. Of equal ones the lowest seat is chosen.
    """
    seats: dict[str, Seat] = {}
    for reference in aggregation.references:
        seats.setdefault(reference.text.strip(), reference.seat)
    texts = list(seats)
    chosen = texts[await aggregation.choose(texts) if len(texts) > 1 else 0]
    return Merged(chosen, seats[chosen])


async def vote(aggregation: Aggregation) -> Merged:
    """Take the short answer that most proposals give, of equally many that of the lowest seat."""
    from moa_tui.engine.votes import groups  # noqa: PLC0415 - the first paint needs names alone

    texts = {reference.seat: reference.text.strip() for reference in aggregation.references}
    votes = groups(texts.items())
    chosen = votes[0][0]
    return Merged(texts[chosen], chosen, votes)


async def no_merge(aggregation: Aggregation) -> Merged:
    """Call nobody: the race is the result."""
    del aggregation
    return Merged("")


@dataclass(frozen=True, slots=True, kw_only=True)
class Strategy:
    """A way to merge, and what there is to know of it before it runs.

    ``makes`` says what comes of it: an answer that is ``written`` by the aggregator, one ``taken``
    from the proposals word for word, or ``nothing``. ``calls`` returns how often the aggregator is
    called for so many references if all fits and every reply can be read; None where nobody is.
    ``most_calls`` returns how often at most, if nothing fails: of itself and, where it judges, of
    each of its fallbacks. It is also told whether what doesn't fit is folded; None: as ``calls``.
    """

    merge: Callable[[Aggregation], Awaitable[Merged]]
    makes: Literal["written", "taken", "nothing"] = "written"
    calls: Callable[[int], int] | None = None
    most_calls: Callable[[int, bool], int] | None = None


def _folds(count: int) -> int:
    # From the second call on, one of the texts is the answer so far.
    return 1 + max(0, math.ceil((count - FOLDED_AT_ONCE) / (FOLDED_AT_ONCE - 1)))


def _most_folds(count: int) -> int:
    # In the smallest window each call adds one text to the two of the first.
    return max(1, count - 1)


def _choices(count: int) -> int:
    return min(1, count - 1)


STRATEGIES: Mapping[StrategyName, Strategy] = {
    "synthesize": Strategy(
        merge=synthesize,
        calls=lambda _: 1,
        most_calls=lambda count, folds: _most_folds(count) if folds else 1,
    ),
    "pick": Strategy(
        merge=pick,
        makes="taken",
        calls=_choices,
        most_calls=lambda count, _: 2 * _choices(count),
    ),
    "vote": Strategy(merge=vote, makes="taken"),
    "refine": Strategy(merge=refine, calls=_folds, most_calls=lambda count, _: _most_folds(count)),
    "none": Strategy(merge=no_merge, makes="nothing"),
}
