"""The recipe: layers of proposers and an aggregator, as frozen data that is checked when built."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from moa_tui.engine import merge
from moa_tui.engine.provider import Options
from moa_tui.errors import ConfigError

StrategyName: TypeAlias = merge.StrategyName
HistoryRule: TypeAlias = Literal["answers", "off"]
Placement: TypeAlias = Literal["system", "user"]
ContextRule: TypeAlias = Literal["fail", "trim", "refine"]
"""What happens to a prompt that its model has no room for; see `moa_tui.engine.context`."""

REFERENCES = "{references}"
"""Where an instruction of one's own wants the numbered list."""

BEST: Final = "best"
"""The endpoint of models that are left open."""

MOST_SEATS = 64
"""Seats of one layer: more than anybody reads, and few enough to show."""

MOST_LAYERS = 32
"""Proposer layers of one mixture."""

_GREEDY_BELOW = 1e-4


class Seat(NamedTuple):
    """An agent's place in a run, [layer, number], both from 1; the aggregator's layer is L+1."""

    layer: int
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """One configured model, ``model`` being "endpoint/model".

    Fields that are None take the mixture's value; ``temperature`` "unset" sends none at all.
    """

    model: str
    temperature: float | Literal["unset"] | None = None
    max_tokens: int | None = None
    system: str | None = None
    label: str = ""
    samples: int = 1
    enabled: bool = True
    top_p: float | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()
    think: bool | None = None
    effort: str | None = None
    num_ctx: int | None = None

    def __post_init__(self) -> None:
        endpoint, slash, model = self.model.partition("/")
        if not (endpoint and slash and model):
            raise ConfigError(
                f"model {self.model!r}: write it as endpoint/model, like ollama/llama3.2"
            )
        _check_options(self.model, self.temperature, self.max_tokens)
        if self.samples < 1:
            raise ConfigError(f"samples of {self.model!r} must be at least 1")
        if self.samples > MOST_SEATS:
            raise ConfigError(f"samples of {self.model!r}: a layer has at most {MOST_SEATS} seats")

    def as_preset(self) -> str | dict[str, Any]:
        """Return it as a preset file has it: its model alone, or a table where more is set."""
        table = _changed(self)
        return self.model if list(table) == ["model"] else table

    @property
    def endpoint(self) -> str:
        """The endpoint's name: what stands before the first slash."""
        return self.model.partition("/")[0]

    @property
    def model_name(self) -> str:
        """The model's own name at its endpoint."""
        return self.model.partition("/")[2]

    @property
    def name(self) -> str:
        """What people see: the label, or else the last part of the model's name."""
        return self.label or self.model_name.rpartition("/")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """The agents that run at the same time; ``repeat`` makes that many layers of it."""

    proposers: tuple[Agent, ...]
    repeat: int = 1

    def __post_init__(self) -> None:
        if self.repeat < 1:
            raise ConfigError("repeat must be at least 1")
        if self.repeat > MOST_LAYERS:
            raise ConfigError(f"repeat: a mixture has at most {MOST_LAYERS} proposer layers")

    @property
    def seat_count(self) -> int:
        """How many seats there are, without making any."""
        return sum(agent.samples for agent in self.proposers if agent.enabled)

    @property
    def seats(self) -> tuple[Agent, ...]:
        """The enabled agents, one for each sample."""
        return tuple(
            replace(agent, samples=1) if agent.samples > 1 else agent
            for agent in self.proposers
            if agent.enabled
            for _ in range(agent.samples)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Aggregator:
    """Who merges, and how; ``agent`` may be missing where the strategy calls nobody."""

    agent: Agent | None = None
    strategy: StrategyName = "synthesize"
    fallback: tuple[Agent, ...] = ()
    instruction: str = ""
    placement: Placement = "system"

    def __post_init__(self) -> None:
        if self.agent is None and self.is_called:
            raise ConfigError(f"the strategy {self.strategy!r} needs an aggregator model")
        if self.instruction and REFERENCES not in self.instruction:
            raise ConfigError(f"aggregator.instruction must contain {REFERENCES}")

    @property
    def is_called(self) -> bool:
        """Whether the strategy calls the aggregator's model."""
        return merge.STRATEGIES[self.strategy].calls is not None

    @property
    def makes(self) -> Literal["written", "taken", "nothing"]:
        """What comes of the strategy: a new answer, a proposal word for word, or no answer."""
        return merge.STRATEGIES[self.strategy].makes


@dataclass(frozen=True, slots=True, kw_only=True)
class Mixture:
    """Layers of proposers, then the aggregator, with what holds for all of them.

    ``quorum`` done seats close a layer early; so do ``deadline_s`` seconds with ``min_proposals``
    done. ``context`` says what happens where a model has no room for all references: the seat
    fails, they are cut, or the aggregator merges them a few at a time (``refine``; proposers, who
    can't, get them cut).
    """

    layers: tuple[Layer, ...]
    aggregator: Aggregator
    name: str = ""
    description: str = ""
    system: str = ""
    history: HistoryRule = "answers"
    temperature: float | Literal["unset"] = 0.7
    max_tokens: int = 2048
    min_proposals: int = 1
    quorum: int | None = None
    deadline_s: float | None = None
    context: ContextRule = "fail"

    def __post_init__(self) -> None:
        _check_options("the mixture", self.temperature, self.max_tokens)
        if not self.layers:
            raise ConfigError("the mixture has no layers: add [[layers]] with proposers")
        if self.proposer_layers > MOST_LAYERS:
            raise ConfigError(f"a mixture has at most {MOST_LAYERS} proposer layers")
        if self.min_proposals < 1:
            raise ConfigError("min_proposals must be at least 1")
        if self.quorum is not None and self.quorum < self.min_proposals:
            raise ConfigError(
                f"quorum = {self.quorum} is below min_proposals = {self.min_proposals}"
            )
        if self.deadline_s is not None and self.deadline_s <= 0:
            raise ConfigError("deadline_s must be above 0")
        for number, layer in enumerate(self.layers, 1):
            _check_seats(number, layer.seat_count, self.min_proposals)

    def expanded(self) -> Mixture:
        """Return the same mixture with every ``repeat`` and ``samples`` written out."""
        return replace(
            self,
            layers=tuple(
                Layer(proposers=layer.seats) for layer in self.layers for _ in range(layer.repeat)
            ),
        )

    def as_preset(self) -> dict[str, Any]:
        """Return it as plain data in the shape of a preset file; what is default is left out."""
        merging = self.aggregator
        return {
            **_changed(self, "layers", "aggregator", "name"),
            "layers": [
                {
                    **_changed(layer, "proposers"),
                    "proposers": [agent.as_preset() for agent in layer.proposers],
                }
                for layer in self.layers
            ],
            "aggregator": {
                **(_changed(merging.agent) if merging.agent else {}),
                **_changed(merging, "agent", "fallback"),
                "strategy": merging.strategy,
                "fallback": [agent.as_preset() for agent in merging.fallback],
            },
        }

    @property
    def proposer_layers(self) -> int:
        """How many proposer layers a run has."""
        return sum(layer.repeat for layer in self.layers)

    @property
    def calls(self) -> int:
        """How many model calls a run makes when nothing is retried."""
        proposals = sum(layer.repeat * layer.seat_count for layer in self.layers)
        return proposals + self.merge_calls

    @property
    def merge_calls(self) -> int:
        """How many of them are the aggregator's, if all it is to merge arrives and fits."""
        calls = merge.STRATEGIES[self.aggregator.strategy].calls
        return 0 if calls is None else calls(self.layers[-1].seat_count)

    @property
    def most_merge_calls(self) -> int:
        """How many calls one who merges may make, if nothing fails: see `Strategy`."""
        strategy = merge.STRATEGIES[self.aggregator.strategy]
        if strategy.most_calls is None:
            return self.merge_calls
        return strategy.most_calls(self.layers[-1].seat_count, self.context == "refine")

    def seating(self) -> dict[Seat, tuple[Agent, ...]]:
        """Return who sits where; behind the aggregator stand its fallbacks."""
        layers = [layer.seats for layer in self.layers for _ in range(layer.repeat)]
        seats: dict[Seat, tuple[Agent, ...]] = {
            Seat(number, index): (agent,)
            for number, agents in enumerate(layers, 1)
            for index, agent in enumerate(agents, 1)
        }
        merging = tuple(filter(None, (self.aggregator.agent, *self.aggregator.fallback)))
        if not self.aggregator.is_called:
            return seats
        return {**seats, Seat(len(layers) + 1, 1): merging}

    @property
    def is_open(self) -> bool:
        """Whether it leaves a model open, which somebody has to choose before a run."""
        return any(agent.endpoint == BEST for agent in self.agents)

    @property
    def agents(self) -> tuple[Agent, ...]:
        """Every agent that a run may call, fallbacks too, each once."""
        return tuple(dict.fromkeys(agent for agents in self.seating().values() for agent in agents))

    def options_for(self, agent: Agent) -> Options:
        """Return what is sent for an agent: its own options, else the mixture's.

        A temperature of 1e-4 or less is sent as 0, since some servers refuse tiny values.
        """
        temperature = self.temperature if agent.temperature is None else agent.temperature
        if temperature == "unset":
            sent = None
        else:
            sent = 0.0 if temperature <= _GREEDY_BELOW else temperature
        return Options(
            temperature=sent,
            max_tokens=self.max_tokens if agent.max_tokens is None else agent.max_tokens,
            top_p=agent.top_p,
            seed=agent.seed,
            stop=agent.stop,
            think=agent.think,
            effort=agent.effort,
            num_ctx=agent.num_ctx,
        )


def _changed(value: Agent | Layer | Aggregator | Mixture, *without: str) -> dict[str, Any]:
    """Return the fields that differ from their defaults, tuples as lists."""
    both = {
        field.name: (getattr(value, field.name), field.default)
        for field in fields(value)
        if field.name not in without
    }
    return {
        name: list(mine) if isinstance(mine, tuple) else mine
        for name, (mine, default) in both.items()
        if mine != default
    }


def _check_seats(layer: int, count: int, min_proposals: int) -> None:
    if not count:
        raise ConfigError(f"layer {layer} has no enabled proposers")
    if count > MOST_SEATS:
        raise ConfigError(f"layer {layer} has {count} seats: a layer has at most {MOST_SEATS}")
    if count < min_proposals:
        seats = "1 seat" if count == 1 else f"{count} seats"
        raise ConfigError(f"min_proposals is {min_proposals}, but layer {layer} has only {seats}")


def _check_options(
    whose: str, temperature: float | Literal["unset"] | None, max_tokens: int | None
) -> None:
    if isinstance(temperature, float | int) and not 0 <= temperature <= 2:  # noqa: PLR2004 - the vendors' range
        raise ConfigError(f"temperature of {whose} must be from 0 to 2")
    if max_tokens is not None and max_tokens < 1:
        raise ConfigError(f"max_tokens of {whose} must be at least 1")
