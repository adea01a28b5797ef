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
    """Dollars, as far as prices are known, and how many calls had none."""

    dollars: float = 0.0
    unknown: int = 0

    @classmethod
    def of(cls, usages: Iterable[Usage]) -> Cost:
        """Return what calls have cost together."""
        costs = [usage.cost for usage in usages]
        return cls(sum(cost or 0.0 for cost in costs), sum(cost is None for cost in costs))

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.dollars + other.dollars, self.unknown + other.unknown)

    def __sub__(self, other: Cost) -> Cost:
        return Cost(self.dollars - other.dollars, self.unknown - other.unknown)

    def __str__(self) -> str:
        """Return it as people read it: "free", "$0.0012", "≥ $0.0012, 1 unknown"."""
        if self.unknown:
            known = f"≥ {dollars(self.dollars)}, {self.unknown} unknown"
            return known if self.dollars else COST_UNKNOWN
        return dollars(self.dollars) if self.dollars else FREE


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
