"""Edits of a mixture: each returns a new one, or says in words why it can't be.

What an edit returns has passed every check of `Mixture`, so that it can be run and saved.
"""

from __future__ import annotations

import math
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeAlias, TypeVar, get_args

from moa_tui.engine.merge import STRATEGIES
from moa_tui.engine.mixture import (
    Agent,
    Aggregator,
    ContextRule,
    HistoryRule,
    Layer,
    Mixture,
    StrategyName,
)
from moa_tui.errors import ConfigError
from moa_tui.text import clean, has_url, looks_like_key, one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

_T = TypeVar("_T")

Temperature: TypeAlias = float | Literal["unset"]

HOTTEST: Final = 2.0
"""The vendors' range; the least is 0, and below it stands "unset"."""

TOKEN_STEPS: Final = (
    *(64, 128, 256, 512, 768, 1024, 1536, 2048, 3072, 4096, 6144, 8192),
    *(12288, 16384, 24576, 32768, 65536, 131072),
)
"""What max_tokens is turned through."""

CONTEXT_STEPS: Final = (2048, 4096, 8192, 16384, 32768, 65536, 131072)
"""What num_ctx is turned through; unset counts as 0."""

EFFORTS: Final = ("low", "medium", "high")

_DEFAULTS: Final = {field.name: field.default for field in fields(Agent)}
_LONGEST_LABEL: Final = 60
_LARGEST: Final = 2**63 - 1
_TENTHS: Final = 10
_TWENTIETHS: Final = 20
_NEARLY: Final = 1e-6


class Place(NamedTuple):
    """Where an agent stands in the recipe, both from 1.

    ``group`` is a [[layers]] table, ``number`` its place there. Group 0 is the aggregator (number
    1) with its fallbacks behind it.
    """

    group: int
    number: int

    @property
    def is_proposer(self) -> bool:
        """Whether it stands in a layer."""
        return self.group > 0


AGGREGATOR: Final = Place(0, 1)


# What holds for all.


def turn_layers(mixture: Mixture, by: int) -> Mixture:
    """Return the mixture with so many proposer layers more.

    Raises:
        ConfigError: fewer than one, or the layers differ: then each group has its own count.
    """
    if len(mixture.layers) > 1:
        raise ConfigError(
            f"this mixture has {len(mixture.layers)} groups of layers; turn a group's own repeat"
        )
    return turn_repeat(mixture, 1, by=by)


def turn_repeat(mixture: Mixture, group: int, *, by: int) -> Mixture:
    """Return the mixture with a group of layers run so many times more.

    Raises:
        ConfigError: fewer than once, or there is no such group.
    """
    layer = _group(mixture, group)
    if layer.repeat + by < 1:
        raise ConfigError("a mixture needs at least one layer")
    return _with_group(mixture, group, replace(layer, repeat=layer.repeat + by))


def turn_temperature(mixture: Mixture, by: int) -> Mixture:
    """Return the mixture so many tenths warmer; below 0 stands "unset".

    Raises:
        ConfigError: beyond either end.
    """
    return replace(mixture, temperature=_turned_temperature(mixture.temperature, by))


def turn_max_tokens(mixture: Mixture, by: int) -> Mixture:
    """Return the mixture with max_tokens so many of `TOKEN_STEPS` further.

    Raises:
        ConfigError: beyond either end.
    """
    turned = _turned_steps(TOKEN_STEPS, mixture.max_tokens, by, "max_tokens")
    return replace(mixture, max_tokens=turned)


def write_temperature(mixture: Mixture, text: str) -> Mixture:
    """Return the mixture with the temperature that a person typed: a number, or "unset".

    Raises:
        ConfigError: it is neither, or out of range.
    """
    return replace(mixture, temperature=_typed_temperature(text))


def write_max_tokens(mixture: Mixture, text: str) -> Mixture:
    """Return the mixture with the max_tokens that a person typed.

    Raises:
        ConfigError: it is no whole number, or out of range.
    """
    return replace(mixture, max_tokens=_typed_whole(text, "max_tokens"))


def turn_history(mixture: Mixture, by: int = 1) -> Mixture:
    """Return the mixture with the next rule for what agents see of the conversation."""
    return replace(mixture, history=_next(get_args(HistoryRule), mixture.history, by))


def turn_context(mixture: Mixture, by: int = 1) -> Mixture:
    """Return the mixture with the next rule for what a model has no room for."""
    return replace(mixture, context=_next(get_args(ContextRule), mixture.context, by))


def turn_strategy(mixture: Mixture, by: int = 1) -> Mixture:
    """Return the mixture with the next merge strategy; without a model, of those that call none."""
    merging = mixture.aggregator
    names: list[StrategyName] = [
        name
        for name in get_args(StrategyName)
        if merging.agent is not None or STRATEGIES[name].calls is None
    ]
    name = _next(names, merging.strategy, by)
    return replace(mixture, aggregator=replace(merging, strategy=name))


def set_system(mixture: Mixture, text: str) -> Mixture:
    """Return the mixture with this system prompt for every agent without its own; "" for none.

    Raises:
        ConfigError: it holds a key or a URL.
    """
    return replace(mixture, system=_prose(text))


def set_instruction(mixture: Mixture, text: str) -> Mixture:
    """Return the mixture with this instruction to the aggregator; "" for the program's own.

    So is the program's own, word for word: a later one shall hold then too.

    Raises:
        ConfigError: it lacks {references}, or holds a key or a URL.
    """
    own = _prose(text)
    own = "" if own == built_in() else own
    return replace(mixture, aggregator=replace(mixture.aggregator, instruction=own))


def built_in() -> str:
    """Return the program's own instruction to the aggregator."""
    from moa_tui.engine.prompt import INSTRUCTION  # noqa: PLC0415 - the first paint needs none

    return INSTRUCTION


# Who takes part.


def agent_at(mixture: Mixture, place: Place) -> Agent:
    """Return who stands at a place.

    Raises:
        ConfigError: nobody does.
    """
    agents = _agents(mixture, place.group)
    if 1 <= place.number <= len(agents):
        return agents[place.number - 1]
    raise ConfigError("no agent stands there")


def next_place(mixture: Mixture, group: int) -> Place:
    """Return where one more agent of a group would stand."""
    return Place(group, len(_agents(mixture, group)) + 1)


def put_model(mixture: Mixture, place: Place, model: str) -> Mixture:
    """Return the mixture with this "endpoint/model" at a place; behind the last it is one more.

    An agent keeps its options but for those that belong to the old model: think, effort, num_ctx.

    Raises:
        ConfigError: it isn't endpoint/model, holds a key or a URL, or the place is further away.
    """
    model = _prose(model)
    if place == next_place(mixture, place.group):
        agents = (*_agents(mixture, place.group), Agent(model=model))
        return _with_agents(mixture, place.group, agents)
    known = agent_at(mixture, place)
    if known.model == model:
        return mixture
    return _with(mixture, place, replace(known, model=model, think=None, effort=None, num_ctx=None))


def remove(mixture: Mixture, place: Place) -> Mixture:
    """Return the mixture without the agent at a place.

    Raises:
        ConfigError: it is the last one that its layer, or the strategy, can't do without.
    """
    agent_at(mixture, place)
    if place == AGGREGATOR and mixture.aggregator.is_called:
        raise ConfigError("somebody must merge: choose another model, or the strategy vote or none")
    if place == AGGREGATOR and mixture.aggregator.fallback:
        raise ConfigError("remove its fallbacks first, they stand in for it")
    others = _others(mixture, place)
    if place.is_proposer and not any(agent.enabled for agent in others):
        raise ConfigError("a layer needs a proposer: add another one first")
    return _with_agents(mixture, place.group, others)


def move(mixture: Mixture, place: Place, *, by: int) -> Mixture:
    """Return the mixture with an agent so many places further down its group.

    Raises:
        ConfigError: there is no such place, or it is the aggregator's.
    """
    moving = agent_at(mixture, place)
    target = Place(place.group, place.number + by)
    if AGGREGATOR in (place, target):
        raise ConfigError("the aggregator stands before its fallbacks")
    agent_at(mixture, target)
    agents = list(_others(mixture, place))
    agents.insert(target.number - 1, moving)
    return _with_agents(mixture, place.group, tuple(agents))


def turn_samples(mixture: Mixture, place: Place, *, by: int) -> Mixture:
    """Return the mixture with a proposer asked so many times more in its layer.

    Raises:
        ConfigError: less than once, or it isn't a proposer.
    """
    agent = _proposer(mixture, place)
    if agent.samples + by < 1:
        raise ConfigError("one sample is the least; switch it off or remove it")
    return _with(mixture, place, replace(agent, samples=agent.samples + by))


def switch(mixture: Mixture, place: Place) -> Mixture:
    """Return the mixture with a proposer switched off, or on again.

    Raises:
        ConfigError: it is the last one of its layer that is on, or it isn't a proposer.
    """
    agent = _proposer(mixture, place)
    if agent.enabled and not any(other.enabled for other in _others(mixture, place)):
        raise ConfigError("a layer needs a proposer: switch another one on first")
    return _with(mixture, place, replace(agent, enabled=not agent.enabled))


# How one agent is asked: its options, called as a preset file calls them.


def has_option(agent: Agent, name: str) -> bool:
    """Return whether an agent has a value of its own."""
    return bool(getattr(agent, name) != _DEFAULTS[name])


def turn_option(mixture: Mixture, place: Place, name: str, *, by: int) -> Mixture:
    """Return the mixture with an agent's option so many steps further than it is asked now.

    Raises:
        ConfigError: beyond either end, or the option is a text.
    """
    agent = agent_at(mixture, place)
    value: object
    match name:
        case "samples":
            return turn_samples(mixture, place, by=by)
        case "temperature":
            now = mixture.temperature if agent.temperature is None else agent.temperature
            value = _turned_temperature(now, by)
        case "max_tokens":
            asked = mixture.max_tokens if agent.max_tokens is None else agent.max_tokens
            value = _turned_steps(TOKEN_STEPS, asked, by, name)
        case "top_p":
            value = _stepped(1.0 if agent.top_p is None else agent.top_p, by, per_unit=_TWENTIETHS)
        case "seed":
            value = (agent.seed or 0) + by
        case "think":
            value = _next((None, True, False), agent.think, by)
        case "effort":
            value = _next((None, *EFFORTS), agent.effort, by)
        case "num_ctx":
            value = _turned_steps(CONTEXT_STEPS, agent.num_ctx or 0, by, name)
        case _:
            raise ConfigError("a text isn't turned: enter writes it")
    return _with_option(mixture, place, name, value)


def write_option(mixture: Mixture, place: Place, name: str, text: str) -> Mixture:
    """Return the mixture with an agent's option as a person typed it.

    Raises:
        ConfigError: it isn't what the option takes, or holds a key or a URL.
    """
    value: object
    match name:
        case "temperature":
            value = _typed_temperature(text)
        case "top_p":
            value = _typed_number(text, name)
        case "samples" | "max_tokens" | "seed" | "num_ctx":
            value = _typed_whole(text, name)
        case "label" | "effort":
            value = one_line(_prose(text), _LONGEST_LABEL)
        case "system":
            value = _prose(text)
        case _:
            raise ConfigError("nothing to write here")
    return _with_option(mixture, place, name, value)


def reset_option(mixture: Mixture, place: Place, name: str) -> Mixture:
    """Return the mixture with an agent's own value taken back."""
    return _with_option(mixture, place, name, _DEFAULTS[name])


def _with_option(mixture: Mixture, place: Place, name: str, value: Any) -> Mixture:  # noqa: ANN401 - as the option has it
    """Return the mixture with an option checked, as far as `Agent` doesn't do it."""
    agent = _proposer(mixture, place) if name == "samples" else agent_at(mixture, place)
    if name == "top_p" and value is not None and not 0 < value <= 1:
        raise ConfigError("top_p must be above 0 and at most 1")
    if name == "seed" and value is not None and value < 0:
        raise ConfigError("seed must be at least 0")
    if name == "num_ctx" and value is not None and value < 1:
        raise ConfigError("num_ctx must be at least 1")
    return _with(mixture, place, replace(agent, **{name: value}))


# How an edit is put together.


def _turned_temperature(now: Temperature, by: int) -> Temperature:
    """Return a temperature on the next tenth; the ladder is unset, 0.0, 0.1 … 2.0."""
    turned = (by - 1) / _TENTHS if now == "unset" else _stepped(now, by, per_unit=_TENTHS)
    if turned > HOTTEST:
        raise ConfigError("temperature ends at 2")
    if turned >= 0:
        return turned
    if now == "unset":
        raise ConfigError("temperature is unset: the model's own is used")
    return "unset"


def _stepped(now: float, by: int, *, per_unit: int) -> float:
    """Return the value so many steps further, on the grid even where it began between."""
    exact = now * per_unit
    start = math.floor(exact + _NEARLY) if by > 0 else math.ceil(exact - _NEARLY)
    return (start + by) / per_unit


def _turned_steps(steps: Sequence[int], now: int, by: int, name: str) -> int:
    above = [step for step in steps if step > now]
    below = [step for step in steps if step < now]
    if by > 0 and len(above) >= by:
        return above[by - 1]
    if by < 0 and len(below) >= -by:
        return below[by]
    raise ConfigError(f"{name} is turned from {steps[0]} to {steps[-1]}; enter takes any number")


def _next(values: Sequence[_T], now: _T, by: int) -> _T:
    """Return the value after this one, round and round; an unknown one counts as the first."""
    at = values.index(now) if now in values else 0
    return values[(at + by) % len(values)]


def _typed_temperature(text: str) -> Temperature:
    return "unset" if text.strip() == "unset" else _typed_number(text, "temperature")


def _typed_number(text: str, name: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ConfigError(f"{name} is a number, like 0.7") from None


def _typed_whole(text: str, name: str) -> int:
    try:
        value = int(text)
    except ValueError:
        raise ConfigError(f"{name} is a whole number, like 2048") from None
    if value > _LARGEST:
        raise ConfigError(f"{name} is too large")
    return value


def _prose(text: str) -> str:
    """Return what a person wrote or pasted, made safe; a mixture is made to be shared."""
    text = clean(text).strip()
    if looks_like_key(text):
        raise ConfigError("that holds what looks like a key; a mixture is made to be shared")
    if has_url(text):
        raise ConfigError("that has a URL; a mixture names endpoints, which know their URLs")
    return text


def _group(mixture: Mixture, group: int) -> Layer:
    if 1 <= group <= len(mixture.layers):
        return mixture.layers[group - 1]
    raise ConfigError("no such group of layers")


def _with_group(mixture: Mixture, group: int, layer: Layer) -> Mixture:
    layers = list(mixture.layers)
    layers[group - 1] = layer
    return replace(mixture, layers=tuple(layers))


def _agents(mixture: Mixture, group: int) -> tuple[Agent, ...]:
    if group:
        return _group(mixture, group).proposers
    merging = mixture.aggregator
    return () if merging.agent is None else (merging.agent, *merging.fallback)


def _others(mixture: Mixture, place: Place) -> tuple[Agent, ...]:
    agents = _agents(mixture, place.group)
    return (*agents[: place.number - 1], *agents[place.number :])


def _with_agents(mixture: Mixture, group: int, agents: tuple[Agent, ...]) -> Mixture:
    if group:
        return _with_group(mixture, group, replace(_group(mixture, group), proposers=agents))
    first, *others = agents or (None,)
    merging: Aggregator = replace(
        mixture.aggregator, agent=first, fallback=tuple(filter(None, others))
    )
    return replace(mixture, aggregator=merging)


def _with(mixture: Mixture, place: Place, agent: Agent) -> Mixture:
    agents = list(_agents(mixture, place.group))
    agents[place.number - 1] = agent
    return _with_agents(mixture, place.group, tuple(agents))


def _proposer(mixture: Mixture, place: Place) -> Agent:
    if not place.is_proposer:
        raise ConfigError("the aggregator is asked once, and is never off: choose the strategy")
    return agent_at(mixture, place)
