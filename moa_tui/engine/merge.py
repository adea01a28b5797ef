"""Merge strategies: how the references of the last layer become the run's answer.

A strategy is one function here and its name in `STRATEGIES` (and in `mixture.StrategyName`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

from moa_tui.engine.mixture import FOLDED_AT_ONCE
from moa_tui.errors import ProviderError

if TYPE_CHECKING:
    from moa_tui.engine.mixture import Seat, StrategyName


@dataclass(frozen=True, slots=True)
class Reference:
    """A proposal that is handed on: whose, and its text."""

    seat: Seat
    text: str


@dataclass(frozen=True, slots=True)
class Merged:
    """The answer; ``chosen`` is the seat whose words it is, if it is one's."""

    answer: str
    chosen: Seat | None = None


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

    async def ask(self, references: Sequence[str], /, *, note: str = "", cuts: bool = False) -> str:
        """Return what the aggregator makes of these texts, streamed as its seat's next attempt.

        ``note`` tells what it is doing; ``cuts``: what doesn't fit is cut, whatever the mixture
        says.

        Raises:
            ProviderError: it failed, and so did its fallbacks.
        """
        ...


Strategy: TypeAlias = Callable[[Aggregation], Awaitable[Merged]]


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


async def no_merge(aggregation: Aggregation) -> Merged:
    """Call nobody: the race is the result."""
    del aggregation
    return Merged("")


STRATEGIES: Mapping[StrategyName, Strategy] = {
    "synthesize": synthesize,
    "refine": refine,
    "none": no_merge,
}
