"""Dollars: what calls cost, and how that is said."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from moa_tui.engine.provider import Price, Usage

if TYPE_CHECKING:
    from collections.abc import Iterable

    from moa_tui.engine.provider import Endpoint, ModelInfo

_PER_PRICE = 1_000_000

NOTHING: Final = Price(input=0.0, output=0.0)
"""The price of what is free."""

FREE: Final = "free"
COST_UNKNOWN: Final = "cost unknown"


def price_of(endpoint: Endpoint, model: str, known: ModelInfo | None) -> Price | None:
    """Return what a model's calls cost: as configured, else nothing here, else as listed."""
    if model in endpoint.prices:
        return endpoint.prices[model]
    if endpoint.is_local:
        return NOTHING
    return None if known is None else known.price


@dataclass(frozen=True, slots=True)
class Cost:
    """Dollars, as far as prices are known, and how many calls had none.

    ``estimated`` are the calls among the others that cost something by our count of tokens.
    """

    dollars: float = 0.0
    unknown: int = 0
    estimated: int = 0

    @classmethod
    def of(cls, usages: Iterable[Usage]) -> Cost:
        """Return what calls have cost together."""
        return sum(map(cls._of_call, usages), NO_COST)

    @classmethod
    def _of_call(cls, usage: Usage) -> Cost:
        if usage.cost is None:
            return cls(unknown=1)
        return cls(usage.cost, estimated=int(usage.estimated and usage.cost > 0))

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.dollars + other.dollars,
            self.unknown + other.unknown,
            self.estimated + other.estimated,
        )

    def __sub__(self, other: Cost) -> Cost:
        return Cost(
            self.dollars - other.dollars,
            self.unknown - other.unknown,
            self.estimated - other.estimated,
        )

    @property
    def known(self) -> str:
        """The dollars in words: "$0.0012", "about $0.0012" where some are estimated."""
        return f"about {dollars(self.dollars)}" if self.estimated else dollars(self.dollars)

    def __str__(self) -> str:
        """Return it as people read it: "free", "$0.0012", "≥ $0.0012, 1 unknown"."""
        if self.unknown:
            return f"≥ {self.known}, {self.unknown} unknown" if self.dollars else COST_UNKNOWN
        return self.known if self.dollars else FREE


NO_COST: Final = Cost()


def dollars(sum_: float) -> str:
    """Return "$0.0012": with more digits where four would make nothing of it."""
    digits = 4 if sum_ <= 0 else max(4, -math.floor(math.log10(sum_)))
    return f"${sum_:.{digits}f}"


def amount(written: float) -> str:
    """Return an amount that somebody wrote, with cents and as much more as it has: "$0.001"."""
    whole, _, cents = f"{written:,.9f}".partition(".")
    return f"${whole}.{cents.rstrip('0'):0<2}"


def priced(usage: Usage, price: Price | None) -> Usage:
    """Return the usage with its cost in dollars, which stays unknown (None) without a price."""
    if usage.cost is not None or price is None:
        return usage
    dollars = (usage.prompt * price.input + usage.completion * price.output) / _PER_PRICE
    return replace(usage, cost=dollars)


def total(usages: Iterable[Usage]) -> Usage:
    """Return the sum; its cost is None as soon as one is unknown."""
    together = Usage(cost=0.0)
    for usage in usages:
        known = together.cost is not None and usage.cost is not None
        together = Usage(
            prompt=together.prompt + usage.prompt,
            completion=together.completion + usage.completion,
            reasoning=together.reasoning + usage.reasoning,
            estimated=together.estimated or usage.estimated,
            cost=(together.cost or 0.0) + (usage.cost or 0.0) if known else None,
        )
    return together
