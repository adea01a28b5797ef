"""Mixtures made of what was found, so that a first start has a good one without being told.

The user's own servers come first, in the order they are listed in (Ollama before the others), then
the vendors that have their key, then the embedded model. Each place makes one mixture: no mixture
takes models of two places, and nobody's prompt leaves the machine while a server of their own has
a model.

A vendor, and the embedded model, have a preset of their endpoint's name: that one is taken, unless
their models were listed and it names others. A vendor without one makes a mixture as soon as its
models are known. Of a place's models:

- Only those that chat count: no embedding, reranking, speech, picture or guard models, and nothing
  that an Ollama runs elsewhere (it has no size on disk). Two names of one model count once.
- A size is what the name says ("8b", "8x7b", "135m"); else what the bytes on disk make at about
  0.6 bytes a parameter; a model that says neither counts as 7B.
- Up to 15B or so a model fits: larger ones take minutes an answer on most machines, and are taken
  only where there is nothing else.
- Three models propose: the smallest between 1B and 9B, of different families where possible; then
  larger ones, then those below 1B. Of two models the first has two seats; a single one has three.
- The largest that fits merges.

A preset may leave its models open: "best/1", "best/2" … stand for the seats of the best mixture
that what was found makes, "best/merger" for its aggregator. Its agents keep their own settings;
where nothing was found the embedded model takes every seat.

Second in line stands the strongest model of the best place alone: three samples of the model that
merges there, which it merges itself (self-MoA), if the mixture isn't that already.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from moa_tui.engine.mixture import BEST, Agent, Aggregator, Layer, Mixture
from moa_tui.engine.provider import can_chat
from moa_tui.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from moa_tui.engine.provider import ModelInfo
    from moa_tui.ui.ports import EndpointState

_SEATS = 3
_SMALLEST, _SMALL, _FITTING = 0.9, 9.5, 16.0
"""Billions of parameters: what is no toy, what is small, what still fits."""

_UNSAID = 7.0
_BYTES_OF_A_BILLION = 0.6e9
_LONGEST_LABEL = 40
_MOST_DIGITS = 3

_BILLIONS = re.compile(
    r"(?<![a-z0-9.])(?:([0-9]+)x)?e?([0-9]+(?:\.[0-9]+)?)b(?![a-z0-9])", re.IGNORECASE
)
_MILLIONS = re.compile(r"(?<![a-z0-9.])([0-9]{2,4})m(?![a-z0-9])", re.IGNORECASE)
_FOR_OTHER_WORK = re.compile(
    r"speech|audio|ocr|guard|translat|(?<![a-z0-9])(?:image|video|base|text)(?![a-z0-9])",
    re.IGNORECASE,
)
"""What may answer, but wasn't made for it: nobody's first choice."""

_WORD = re.compile(r"[a-z]+")
_MAKERS = frozenset(("meta", "google", "microsoft", "mistralai", "nvidia", "ibm", "unsloth"))
"""Words before a family's name that say who made or packed it."""

_NO_NAME = re.compile(r"[^\w\s-]")


@dataclass(frozen=True, slots=True)
class _Model:
    """A model that may take a seat; ``size`` in billions of parameters."""

    id: str
    family: str
    size: float

    @property
    def is_good(self) -> bool:
        return self.size >= _SMALLEST

    @property
    def order(self) -> tuple[int, float]:
        """Where it stands among those that may propose."""
        if not self.is_good:
            return 2, -self.size
        return int(self.size > _SMALL), self.size


def made(states: Iterable[EndpointState], presets: Mapping[str, Mixture]) -> tuple[Mixture, ...]:
    """Return the mixtures that what was found makes, the best first.

    ``presets`` are the presets by name; what is made anew has another name than any of them.
    """
    taken = set(presets)
    mixtures: list[Mixture] = []
    for state in sorted(states, key=_rank):
        mixture = _shipped(state, presets) or _of_models(state, taken)
        if mixture is None:
            continue
        alone = None if mixtures else _alone(mixture, state, taken)
        mixtures.extend((mixture, alone) if alone else (mixture,))
    return tuple(mixtures)


def filled(mixture: Mixture, best: Mixture) -> Mixture:
    """Return the mixture with its open models taken from ``best``; it never asks for more tokens.

    A small model's own settings, like the embedded one's, bound what is asked of it.
    """
    seats = best.layers[0].seats
    merging = best.aggregator.agent or seats[0]

    def fill(agent: Agent) -> Agent:
        if agent.endpoint != BEST:
            return agent
        number = agent.model_name
        is_seat = number.isdecimal() and len(number) <= _MOST_DIGITS
        taken = seats[(int(number) - 1) % len(seats)] if is_seat else merging
        return replace(agent, model=taken.model)

    aggregator = mixture.aggregator
    return replace(
        mixture,
        max_tokens=min(mixture.max_tokens, best.max_tokens),
        layers=tuple(
            replace(layer, proposers=tuple(map(fill, layer.proposers))) for layer in mixture.layers
        ),
        aggregator=replace(
            aggregator,
            agent=aggregator.agent and fill(aggregator.agent),
            fallback=tuple(map(fill, aggregator.fallback)),
        ),
    )


def _rank(state: EndpointState) -> int:
    if state.endpoint.kind == "embedded":
        return 2
    return 0 if state.endpoint.is_own else 1


def _shipped(state: EndpointState, presets: Mapping[str, Mixture]) -> Mixture | None:
    """Return the preset of an endpoint's name, if all that it needs is there."""
    endpoint = state.endpoint
    mixture = presets.get(endpoint.name)
    if mixture is None or (endpoint.is_own and endpoint.kind != "embedded"):
        return None
    if any(agent.endpoint != endpoint.name for agent in mixture.agents):
        return None
    if state.status == "unasked" and not endpoint.is_own:
        return mixture
    live = {model.id for model in state.models} if state.status == "found" else set()
    return mixture if all(agent.model_name in live for agent in mixture.agents) else None


def _of_models(state: EndpointState, taken: set[str]) -> Mixture | None:
    """Return a mixture of the models that an endpoint has; None if none of them can chat."""
    models = _fitting(state)
    if not models:
        return None
    merging = max(models, key=lambda model: model.size)
    seats = _proposing(models)
    names = [_shown(model.id) for model in seats]
    merger = _shown(merging.id)
    described = {
        1: f"three samples of {names[0]}, merged by it too",
        2: f"two samples of {names[0]} and one of {names[-1]}; {merger} merges",
        3: f"{', '.join(names[:-1])} and {names[-1]}; {merger} merges",
    }
    samples = {1: (3,), 2: (2, 1), 3: (1, 1, 1)}[len(seats)]
    return Mixture(
        name=_free(f"found on {_label(state)}", taken),
        description=described[len(seats)],
        layers=(
            Layer(
                proposers=tuple(
                    Agent(model=f"{state.endpoint.name}/{model.id}", samples=count)
                    for model, count in zip(seats, samples, strict=True)
                )
            ),
        ),
        aggregator=Aggregator(agent=Agent(model=f"{state.endpoint.name}/{merging.id}")),
    )


def _alone(mixture: Mixture, state: EndpointState, taken: set[str]) -> Mixture | None:
    """Return the mixture of only the model that merges; None if it is that already."""
    merging = mixture.aggregator.agent
    if merging is None or len({agent.model for agent in mixture.agents}) == 1:
        return None
    return Mixture(
        name=_free(f"strongest on {_label(state)}", taken),
        description=f"three samples of {_shown(merging.model_name)}, merged by it too",
        layers=(Layer(proposers=(Agent(model=merging.model, samples=_SEATS),)),),
        aggregator=Aggregator(agent=Agent(model=merging.model)),
    )


# Which models


def _fitting(state: EndpointState) -> list[_Model]:
    """Return the models that can chat and fit, each once, or those that are too large."""
    if state.status != "found":
        return []
    only_here = state.endpoint.kind == "ollama"
    models: dict[object, _Model] = {}
    for info in state.models:
        is_elsewhere = only_here and info.size is None
        if not info.is_chat or is_elsewhere or not info.id.strip():
            continue
        if not can_chat(info.id) or _FOR_OTHER_WORK.search(info.id):
            continue
        family = _family(info.id)
        # One download under two names ("llama3.2:latest", "llama3.2:3b") has the same bytes.
        models.setdefault(
            (family, info.size) if info.size else info.id, _Model(info.id, family, _size(info))
        )
    return [model for model in models.values() if model.size <= _FITTING] or list(models.values())


def _proposing(models: Iterable[_Model]) -> Sequence[_Model]:
    ordered = sorted(models, key=lambda model: model.order)
    good = [model for model in ordered if model.is_good]
    families: dict[str, _Model] = {}
    for model in good:
        families.setdefault(model.family, model)
    return tuple(dict.fromkeys((*families.values(), *good, *ordered)))[:_SEATS]


def _size(info: ModelInfo) -> float:
    name = info.id.rpartition("/")[2]
    if billions := _BILLIONS.search(name):
        return float(billions[1] or 1) * float(billions[2])
    if millions := _MILLIONS.search(name):
        return float(millions[1]) / 1000
    return info.size / _BYTES_OF_A_BILLION if info.size else _UNSAID


def _family(name: str) -> str:
    """Return what a model is by name: "llama" for "hf.co/x/Meta-Llama-3.1-8B-GGUF:Q4_K_M"."""
    words = _WORD.findall(name.rpartition("/")[2].lower())
    return next((word for word in words if word not in _MAKERS), name)


# Names


def _label(state: EndpointState) -> str:
    """Return an endpoint's label as far as a preset's name may have its letters."""
    label = one_line(state.endpoint.label or state.endpoint.name, _LONGEST_LABEL)
    return " ".join(_NO_NAME.sub("-", label).split())


def _shown(model: str) -> str:
    return one_line(model.rpartition("/")[2] or model, _LONGEST_LABEL)


def _free(name: str, taken: set[str]) -> str:
    """Return the name, numbered if it is taken; it is taken now."""
    free, number = name, 2
    while free in taken:
        free, number = f"{name} {number}", number + 1
    taken.add(free)
    return free
