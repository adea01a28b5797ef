"""What an Ollama says about its models: which are there, what they can, how large a window fits."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from moa_tui.engine.provider import ModelInfo, can_chat
from moa_tui.errors import ProviderError
from moa_tui.providers.bounds import MOST_MODELS, count
from moa_tui.providers.ollama_traffic import full_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from moa_tui.engine.clock import Clock

SMALLEST_WINDOW = 4096
KEEP_ALIVE_S = 600.0
"""How long Ollama keeps a model loaded after its last call, as we ask it to."""

_SERIAL_FAMILIES = frozenset(
    (
        *("mllama", "qwen3vl", "qwen3vlmoe", "qwen35", "qwen35moe", "qwen3next"),
        *("lfm2", "lfm2moe", "nemotron_h", "nemotron_h_moe", "nemotron_h_omni"),
    )
)
"""What Ollama runs one call at a time of, whatever OLLAMA_NUM_PARALLEL says."""

_NO_CHAT = re.compile(r"bert|embed", re.IGNORECASE)
"""Families of models that can't."""

_LARGEST_WINDOW = 1 << 30


@dataclass(frozen=True, slots=True)
class Traits:
    """What ``/api/show`` says of a model; None is unknown.

    ``context`` is the window it was trained for, in tokens. ``is_remote``: it runs elsewhere, so
    nothing loads here. ``is_serial``: Ollama runs one call of it at a time.
    """

    context: int | None = None
    can_think: bool | None = None
    is_remote: bool = False
    is_serial: bool = False


def read_traits(shown: object) -> Traits:
    """Return what an answer of ``/api/show`` says, as far as it has the known shape."""
    shown = shown if isinstance(shown, dict) else {}
    facts = _table(shown.get("model_info"))
    contexts = [_size(facts[name]) for name in facts if str(name).endswith(".context_length")]
    can = shown.get("capabilities")
    family = _table(shown.get("details")).get("family")
    return Traits(
        context=next(filter(None, contexts), None),
        can_think="thinking" in can if isinstance(can, list) and can else None,
        is_remote=bool(shown.get("remote_host") or shown.get("remote_model")),
        is_serial=isinstance(family, str) and family in _SERIAL_FAMILIES,
    )


def read_models(listing: object) -> tuple[ModelInfo, ...]:
    """Return the models that ``/api/tags`` lists.

    A model that runs elsewhere has no size here. Servers before 2026 don't list capabilities:
    embedding models are known by their names and families then.

    Raises:
        ProviderError: this isn't its answer.
    """
    models = {}
    for row in _rows(listing, "/api/tags"):
        name = _name(row)
        if name:
            models[name] = ModelInfo(
                id=name,
                context=_size(_table(row.get("details")).get("context_length")),
                size=None if row.get("remote_host") else _size(row.get("size")),
                is_chat=_is_chat(name, row),
            )
    return tuple(models.values())


def read_loaded(listing: object) -> dict[str, int]:
    """Return the models that ``/api/ps`` lists, in full, each with its window (0: not said).

    Raises:
        ProviderError: this isn't its answer.
    """
    return {
        full_name(name): _size(row.get("context_length")) or 0
        for row in _rows(listing, "/api/ps")
        if (name := _name(row))
    }


def named_alike(model: str, names: Sequence[str]) -> tuple[str, ...]:
    """Return at most three of the names that differ from a model's in the tag only."""
    base = model.lower().partition(":")[0]
    return tuple(name for name in names if name.lower().partition(":")[0] == base)[:3]


class Windows:
    """How large a window each model is asked to have: one size while it stays loaded.

    Another size would make Ollama load the model again.
    """

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock
        self._given: dict[str, tuple[int, float]] = {}

    def fit(self, model: str, need: int, *, most: int | None) -> int:
        """Return the power of two at or above the tokens needed, at most what the model knows.

        It never shrinks before Ollama has dropped the model, ten minutes after its last call.
        """
        size = 1 << (min(max(need, SMALLEST_WINDOW), _LARGEST_WINDOW) - 1).bit_length()
        size = min(size, most) if most else size
        given, used_at = self._given.get(full_name(model), (0, 0.0))
        if self._clock.now() - used_at < KEEP_ALIVE_S:
            size = max(size, given)
        self._given[full_name(model)] = (size, self._clock.now())
        return size

    def touch(self, model: str) -> None:
        """Hear that a call of the model has ended just now."""
        if given := self._given.get(full_name(model)):
            self._given[full_name(model)] = (given[0], self._clock.now())


def _rows(listing: object, path: str) -> list[Mapping[str, object]]:
    rows = listing.get("models") if isinstance(listing, dict) else None
    if isinstance(listing, dict) and listing.get("models", ()) is None:
        return []  # an empty list of Go's, as JSON
    if not isinstance(rows, list):
        hint = f"check base_url: an Ollama answers {path} there"
        raise ProviderError("protocol", "the list of models has an unknown shape", hint)
    return [row for row in rows[:MOST_MODELS] if isinstance(row, dict)]


def _name(row: Mapping[str, object]) -> str:
    name = row.get("name") or row.get("model")
    return name if isinstance(name, str) else ""


def _is_chat(name: str, row: Mapping[str, object]) -> bool:
    can = row.get("capabilities")
    if isinstance(can, list) and can:
        return "completion" in can
    details = _table(row.get("details"))
    families = details.get("families")
    kin = [details.get("family"), *(families if isinstance(families, list) else ())]
    is_silent = any(isinstance(each, str) and _NO_CHAT.search(each) for each in kin)
    return can_chat(name) and not is_silent


def _table(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _size(value: object) -> int | None:
    return count(value) or None  # Go writes 0 for what it doesn't know
