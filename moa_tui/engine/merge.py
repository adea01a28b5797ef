"""Merge strategies: how the references of the last layer become the run's answer.

A strategy is one function here and its name in `STRATEGIES` (and in `mixture.StrategyName`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

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

    async def ask(self, references: Sequence[Reference], /) -> str:
        """Return what the aggregator makes of these references, streamed as its seat's text.

        Raises:
            ProviderError: it failed, and so did its fallbacks.
        """
        ...


Strategy: TypeAlias = Callable[[Aggregation], Awaitable[Merged]]


async def synthesize(aggregation: Aggregation) -> Merged:
    """Let the aggregator write an answer of its own from all references."""
    return Merged(await aggregation.ask(aggregation.references))


async def no_merge(aggregation: Aggregation) -> Merged:
    """Call nobody: the race is the result."""
    del aggregation
    return Merged("")


STRATEGIES: Mapping[StrategyName, Strategy] = {"synthesize": synthesize, "none": no_merge}
