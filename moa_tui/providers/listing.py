"""The list of models as OpenAI's dialect and its kin have it."""

from __future__ import annotations

from moa_tui.engine.provider import ModelInfo, Price, can_chat
from moa_tui.errors import ProviderError
from moa_tui.providers.bounds import MOST_MODELS, count

_WINDOWS = (
    "context_length",
    "context_window",
    "max_model_len",
    "max_context_length",
    "max_input_tokens",
)
"""What a row calls the tokens that a model takes."""

_DEAREST = 1e6


def read_models(listing: object) -> tuple[ModelInfo, ...]:
    """Return the models in a listing: ``{data: […]}``, ``{models: […]}`` or a bare array.

    Raises:
        ProviderError: it is none of these.
    """
    rows = listing
    if isinstance(listing, dict):
        rows = listing.get("data")
        rows = listing.get("models") if rows is None else rows
    if not isinstance(rows, list):
        raise ProviderError("protocol", "the list of models has an unknown shape", "check base_url")
    models = {}
    for row in rows[:MOST_MODELS]:
        name = row if isinstance(row, str) else _first(row, "id", "name", "model")
        if isinstance(name, str) and name:
            models[name] = ModelInfo(
                id=name, context=_context_of(row), price=_price_of(row), is_chat=can_chat(name)
            )
    return tuple(models.values())


def _context_of(row: object) -> int | None:
    found = _first(row, *_WINDOWS)
    if found is None and isinstance(row, dict):
        found = _first(row.get("meta"), "n_ctx", "n_ctx_train")
    return count(found) or None


def _price_of(row: object) -> Price | None:
    """Return what a listing says that a model costs.

    OpenRouter has texts in dollars a token, Together numbers in dollars a million of them.
    """
    pricing = row.get("pricing") if isinstance(row, dict) else None
    for names, unit in ((("prompt", "completion"), 1e6), (("input", "output"), 1.0)):
        prices = [_dollars(_first(pricing, name)) * unit for name in names]
        if all(price >= 0 for price in prices):
            return Price(*prices)
    return None


def _dollars(value: object) -> float:
    """Return a listed price, -1 if there is none: OpenRouter says so of models with many."""
    try:
        price = float(value) if isinstance(value, str | int | float) else -1.0
    except (ValueError, OverflowError):
        return -1.0
    return price if 0 <= price <= _DEAREST else -1.0


def _first(row: object, *names: str) -> object:
    if not isinstance(row, dict):
        return None
    return next((row[name] for name in names if row.get(name) is not None), None)
