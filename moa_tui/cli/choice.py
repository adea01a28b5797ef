"""Which mixture a command runs: the order of choice, then what the command line changes in it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from moa_tui.cli.survey import has_model
from moa_tui.engine.merge import STRATEGIES
from moa_tui.engine.mixture import Agent, Aggregator, Layer, Mixture
from moa_tui.errors import ConfigError, nearest
from moa_tui.text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from moa_tui.cli.arguments import Wishes
    from moa_tui.cli.setup import Setup
    from moa_tui.ui.ports import EndpointState

EMBEDDED_PRESET = "embedded"
EMBEDDED_MODEL = "embedded/smollm2-135m-instruct"
"""The one model that the program can fetch by itself."""

PULL = f"moa-tui pull {EMBEDDED_MODEL}"


def choose(wishes: Wishes, setup: Setup, *, states: Sequence[EndpointState] = ()) -> Mixture:
    """Return the mixture that the first of these gives, with the command line's changes.

    ``--preset``; ``[preferences]``; ``--proposer`` alone; the preset used last; what was found at
    the endpoints (``states``, see `needs_detection`); the embedded model. Whether its file is on
    disk is not asked here: see `needs_fetch`.

    Raises:
        ConfigError: a preset, endpoint or model that is named doesn't exist, or can't be mixed so.
    """
    name = wishes.preset or setup.preferred
    if wishes.proposers and not name:
        return _changed(_of_proposers(wishes, setup, states), wishes, setup, states)
    name = name or setup.last_used
    if name:
        base = setup.presets.load(name)
    else:
        base = next(iter(setup.presets.made(states)), None) or _last_resort(setup)
    return _changed(setup.presets.filled(base, states), wishes, setup, states)


def is_chosen(wishes: Wishes, setup: Setup) -> bool:
    """Return whether somebody chose a mixture, now or earlier."""
    named = wishes.preset or setup.preferred or setup.last_used
    return bool(named or wishes.proposers)


def used_last(wishes: Wishes, setup: Setup) -> str:
    """Return the name of the preset used last if nothing goes before it, else ""."""
    return "" if wishes.preset or setup.preferred or wishes.proposers else setup.last_used


def needs_detection(wishes: Wishes, setup: Setup) -> bool:
    """Return whether `choose` should know what there is at the user's own servers.

    Nobody chose a mixture, a model is named without its endpoint, or the preset leaves models open.
    """
    models = (*wishes.proposers, *([wishes.aggregator] if wishes.aggregator else ()))
    if not is_chosen(wishes, setup) or any("/" not in model for model in models):
        return True
    name = wishes.preset or setup.preferred or used_last(wishes, setup)
    return name in setup.presets.names() and setup.presets.load(name).is_open


def without_lost_preset(setup: Setup) -> Setup:
    """Return the setup with notices in place of presets that nobody asked for and can't be loaded.

    The last used one may be gone: the program remembered it, nobody wrote it down. The user's own
    preset of the embedded model may have a mistake: the shipped one stands in for it.
    """
    if setup.last_used:
        mistake = _mistake_of(setup.last_used, setup)
        if not mistake:
            return setup
        setup = replace(setup, last_used="", notices=(*setup.notices, mistake))
    is_there = EMBEDDED_PRESET in setup.presets.names()
    mistake = _mistake_of(EMBEDDED_PRESET, setup) if is_there else ""
    if not mistake or mistake in setup.notices:
        return setup
    return replace(setup, notices=(*setup.notices, mistake))


def needs_fetch(mixture: Mixture, setup: Setup) -> bool:
    """Return whether the mixture calls the embedded model and its file isn't there yet."""
    embedded = setup.ports.embedded
    called = any(agent.model == embedded.model for agent in mixture.agents)
    return called and not embedded.is_present


def _mistake_of(name: str, setup: Setup) -> str:
    try:
        setup.presets.load(name)
    except ConfigError as error:
        return str(error)
    return ""


def _last_resort(setup: Setup) -> Mixture:
    try:
        return setup.presets.load(EMBEDDED_PRESET)
    except ConfigError:
        # `without_lost_preset` tells the mistake.
        return setup.presets.last_resort()


def _of_proposers(wishes: Wishes, setup: Setup, states: Sequence[EndpointState]) -> Mixture:
    is_called = STRATEGIES[wishes.strategy or "synthesize"].calls is not None
    if wishes.aggregator is None and is_called:
        raise ConfigError(
            "say who merges, --aggregator endpoint/model, or add --strategy vote or --strategy none"
        )
    proposers = tuple(_agent(model, None, setup, states) for model in wishes.proposers)
    return Mixture(
        layers=(Layer(proposers=proposers),),
        aggregator=Aggregator(strategy="none"),
        name="command line",
    )


def _changed(
    base: Mixture, wishes: Wishes, setup: Setup, states: Sequence[EndpointState]
) -> Mixture:
    def agent_of(model: str) -> Agent:
        return _agent(model, base, setup, states)

    return replace(
        base,
        layers=_layers(base, wishes, agent_of),
        aggregator=_aggregator(base, wishes, agent_of),
        temperature=base.temperature if wishes.temperature is None else wishes.temperature,
        max_tokens=wishes.max_tokens or base.max_tokens,
        history=wishes.history or base.history,
    )


def _layers(base: Mixture, wishes: Wishes, agent_of: Callable[[str], Agent]) -> tuple[Layer, ...]:
    if wishes.proposers:
        agents = tuple(agent_of(model) for model in wishes.proposers)
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


def _aggregator(base: Mixture, wishes: Wishes, agent_of: Callable[[str], Agent]) -> Aggregator:
    agent = base.aggregator.agent
    if wishes.aggregator is not None:
        agent = agent_of(wishes.aggregator)
    strategy = base.aggregator.strategy
    if wishes.aggregator is not None and not base.aggregator.is_called:
        # Naming an aggregator for a mixture that only races or votes asks for a merge.
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


def _agent(
    model: str, base: Mixture | None, setup: Setup, states: Sequence[EndpointState]
) -> Agent:
    """Return the agent of a model's name, whose endpoint may be left out where only one has it."""
    endpoint, slash, _ = model.partition("/")
    if slash and endpoint in setup.endpoints:
        return Agent(model=model)
    places = [state.endpoint.name for state in states if has_model(state, model)]
    places = places or _places(model, base, setup)
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
