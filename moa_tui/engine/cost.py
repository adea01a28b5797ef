"""Dollars: what calls cost."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from moa_tui.engine.provider import Price, Usage

if TYPE_CHECKING:
    from collections.abc import Iterable

    from moa_tui.engine.provider import Endpoint, ModelInfo

_PER_PRICE = 1_000_000


def price_of(endpoint: Endpoint, model: str, known: ModelInfo | None) -> Price | None:
    """Return what a model's calls cost: nothing here, else as configured, else as listed."""
    if endpoint.is_local:
        return Price(input=0.0, output=0.0)
    return endpoint.prices.get(model) or (None if known is None else known.price)


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
