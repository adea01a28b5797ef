"""Which mixture a command runs: the order of choice, then what the command line changes in it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from moa_tui.engine.mixture import Agent, Aggregator, Layer, Mixture
from moa_tui.errors import ConfigError, nearest
from moa_tui.text import one_line

if TYPE_CHECKING:
    from moa_tui.cli.arguments import Wishes
    from moa_tui.cli.setup import Setup

EMBEDDED_PRESET = "embedded"
EMBEDDED_MODEL = "embedded/smollm2-135m-instruct"
"""The one model that the program can fetch by itself."""

PULL = f"moa-tui pull {EMBEDDED_MODEL}"


def choose(wishes: Wishes, setup: Setup) -> Mixture:
    """Return the mixture: ``--preset``, else ``[preferences]``, else the embedded one; changed.

    What detection of local servers finds will stand between the last two. Whether the embedded
    model is on disk is not asked here: see `needs_fetch`.

    Raises:
        ConfigError: a preset, endpoint or model that is named doesn't exist, or can't be mixed so.
    """
    name = wishes.preset or setup.preferred
    if name or not wishes.proposers:
        base = setup.presets.load(name or EMBEDDED_PRESET)
        return _changed(base, wishes, setup)
    if wishes.aggregator is None and wishes.strategy != "none":
        raise ConfigError("say who merges, --aggregator endpoint/model, or add --strategy none")
    proposers = tuple(_agent(model, None, setup) for model in wishes.proposers)
    blank = Mixture(
        layers=(Layer(proposers=proposers),),
        aggregator=Aggregator(strategy="none"),
        name="command line",
    )
    return _changed(blank, wishes, setup)


def needs_fetch(mixture: Mixture, setup: Setup) -> bool:
    """Return whether the mixture calls the embedded model and its file isn't there yet."""
    called = any(agent.model == EMBEDDED_MODEL for agent in mixture.agents)
    return called and not setup.ports.embedded.is_present


def _changed(base: Mixture, wishes: Wishes, setup: Setup) -> Mixture:
    return replace(
        base,
        layers=_layers(base, wishes, setup),
        aggregator=_aggregator(base, wishes, setup),
        temperature=base.temperature if wishes.temperature is None else wishes.temperature,
        max_tokens=wishes.max_tokens or base.max_tokens,
        history=wishes.history or base.history,
    )


def _layers(base: Mixture, wishes: Wishes, setup: Setup) -> tuple[Layer, ...]:
    if wishes.proposers:
        agents = tuple(_agent(model, base, setup) for model in wishes.proposers)
        return (Layer(proposers=agents, repeat=wishes.layers or 1),)
    if wishes.layers and len(base.layers) > 1:
        raise ConfigError(
            f"--layers can't be used with {base.name}: it has {len(base.layers)} different layers"
        )
    return tuple(
        Layer(
            proposers=tuple(_overridden(agent, wishes) for agent in layer.proposers),
            repeat=wishes.layers or layer.repeat,
        )
        for layer in base.layers
    )


def _aggregator(base: Mixture, wishes: Wishes, setup: Setup) -> Aggregator:
    agent = base.aggregator.agent
    if wishes.aggregator is not None:
        agent = _agent(wishes.aggregator, base, setup)
    strategy = base.aggregator.strategy
    if strategy == "none" and wishes.aggregator is not None:
        # Naming an aggregator for a mixture that only races asks for a merge.
        strategy = "synthesize"
    return replace(
        base.aggregator,
        agent=agent and _overridden(agent, wishes),
        strategy=wishes.strategy or strategy,
        fallback=tuple(_overridden(agent, wishes) for agent in base.aggregator.fallback),
    )


def _overridden(agent: Agent, wishes: Wishes) -> Agent:
    """Let the command line's values, which hold for every agent, win over the preset's."""
    return replace(
        agent,
        temperature=agent.temperature if wishes.temperature is None else wishes.temperature,
        max_tokens=wishes.max_tokens or agent.max_tokens,
    )


def _agent(model: str, base: Mixture | None, setup: Setup) -> Agent:
    """Return the agent of a model's name, whose endpoint may be left out where only one has it."""
    endpoint, slash, _ = model.partition("/")
    if slash and endpoint in setup.endpoints:
        return Agent(model=model)
    places = _places(model, base, setup)
    if len(places) == 1:
        return Agent(model=f"{places[0]}/{model}")
    shown = one_line(model, 60)
    if places:
        options = " or ".join(f"{place}/{shown}" for place in places)
        raise ConfigError(f"{len(places)} endpoints have {shown}: write {options}")
    if slash:
        raise ConfigError(
            f'{shown}: no endpoint is called "{one_line(endpoint, 40)}"'
            + nearest(endpoint, setup.endpoints)
        )
    raise ConfigError(f"no endpoint is known to have {shown}: write it like ollama/{shown}")


def _places(model: str, base: Mixture | None, setup: Setup) -> list[str]:
    """Return the endpoints that have a model, by what the files say; no server is asked."""
    mixtures, _ = setup.presets.all()
    agents = [
        agent for mixture in (*mixtures, *([base] if base else ())) for agent in mixture.agents
    ]
    priced = [name for name, endpoint in setup.endpoints.items() if model in endpoint.prices]
    return sorted({agent.endpoint for agent in agents if agent.model_name == model} | {*priced})
