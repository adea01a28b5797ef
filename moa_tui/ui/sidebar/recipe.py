"""A mixture as rows that one can stand on: what each says, and what turning its value does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias

from moa_tui.engine.cost import FREE
from moa_tui.errors import ConfigError
from moa_tui.text import one_line
from moa_tui.ui import look, words
from moa_tui.ui.sidebar import editing
from moa_tui.ui.sidebar import editing_words as says
from moa_tui.ui.sidebar.editing import AGGREGATOR, Place

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from moa_tui.engine.mixture import Agent, Mixture
    from moa_tui.ui.look import StateKey
    from moa_tui.ui.ports import EndpointState, EndpointStatus

Kind: TypeAlias = Literal[
    "name",
    "layers",
    "temperature",
    "max_tokens",
    "history",
    "context",
    "system",
    "repeat",
    "agent",
    "option",
    "add",
    "strategy",
    "instruction",
    "endpoint",
    "add_endpoint",
]
"""What a row is about."""

Section: TypeAlias = Literal["mixture", "proposers", "aggregator", "endpoints"]
Tone: TypeAlias = Literal["plain", "bright", "quiet"]

FOR_EDITING: Final[frozenset[Kind]] = frozenset(
    ("context", "system", "repeat", "instruction", "add", "add_endpoint")
)
"""The rows that, while they are quiet, say nothing to whoever only reads."""

_OPTIONS: Final[Mapping[str, str]] = {
    "samples": says.SAMPLES,
    "temperature": says.TEMPERATURE.lower(),
    "max_tokens": says.MAX_TOKENS.lower(),
    "top_p": says.TOP_P,
    "seed": says.SEED,
    "think": says.THINK,
    "effort": says.EFFORT,
    "num_ctx": says.NUM_CTX,
    "label": says.LABEL,
    "system": says.SYSTEM.lower(),
}
"""The options that unfold below an agent, and what their rows are called."""

_TURNED: Final[frozenset[Kind]] = frozenset(
    ("layers", "temperature", "max_tokens", "history", "context", "repeat", "option", "strategy")
)
_TEXT: Final = 14
"""Cells of a text that stands at the right of a row."""


class Spot(NamedTuple):
    """A row that the cursor can stand on; ``place`` says whose, ``name`` which of several.

    The name is an option's, as a preset file calls it, or an endpoint's.
    """

    kind: Kind
    place: Place = Place(0, 0)
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A row: ``title`` left, ``value`` right; ``number`` is a seat's, 0 for none.

    ``less`` and ``more`` say whether the value can be turned so; ``state`` whose glyph stands
    before it.
    """

    spot: Spot
    title: str
    value: str = ""
    number: int = 0
    tone: Tone = "plain"
    note: str = ""
    less: bool = False
    more: bool = False
    state: StateKey | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A section of the sidebar; ``layers`` says which ones where groups of layers differ."""

    section: Section
    title: str
    layers: str = ""
    lines: tuple[Line, ...]


def turned(mixture: Mixture, spot: Spot, by: int) -> Mixture:
    """Return the mixture with the value of a row turned.

    Raises:
        ConfigError: it ends there, or the row has no value to turn.
    """
    match spot.kind:
        case "layers":
            return editing.turn_layers(mixture, by)
        case "temperature":
            return editing.turn_temperature(mixture, by)
        case "max_tokens":
            return editing.turn_max_tokens(mixture, by)
        case "history":
            return editing.turn_history(mixture, by)
        case "context":
            return editing.turn_context(mixture, by)
        case "strategy":
            return editing.turn_strategy(mixture, by)
        case "repeat":
            return editing.turn_repeat(mixture, spot.place.group, by=by)
        case "option":
            return editing.turn_option(mixture, spot.place, spot.name, by=by)
        case _:
            raise ConfigError("nothing to turn here")


def turns(mixture: Mixture, spot: Spot, by: int) -> bool:
    """Return whether turning leads anywhere."""
    try:
        return turned(mixture, spot, by) != mixture
    except ConfigError:
        return False


def is_end(mixture: Mixture, spot: Spot, by: int) -> bool:
    """Return whether the row has a value, which can't be turned any further."""
    return spot.kind in _TURNED and not turns(mixture, spot, by)


def reset(mixture: Mixture, spot: Spot) -> Mixture:
    """Return the mixture with a row's own value taken back: the mixture's holds, or none.

    Raises:
        ConfigError: the row has no value of its own.
    """
    match spot.kind:
        case "system":
            return editing.set_system(mixture, "")
        case "instruction":
            return editing.set_instruction(mixture, "")
        case "option":
            return editing.reset_option(mixture, spot.place, spot.name)
        case _:
            raise ConfigError("nothing to take back here")


def resets(mixture: Mixture, spot: Spot) -> bool:
    """Return whether a row has a value of its own."""
    return spot.kind in ("system", "instruction", "option") and reset(mixture, spot) != mixture


def is_written(spot: Spot) -> bool:
    """Return whether a row's value can be typed."""
    if spot.kind == "option":
        return spot.name != "think"
    return spot.kind in ("temperature", "max_tokens", "system", "instruction")


def is_long(spot: Spot) -> bool:
    """Return whether what is typed may take several lines."""
    is_own_system = spot.kind == "option" and spot.name == "system"
    return is_own_system or spot.kind in ("system", "instruction")


def owner(mixture: Mixture, spot: Spot) -> str:
    """Return whose value a row tells: an agent's by its name, the aggregator's, the mixture's."""
    if spot.kind == "option":
        return one_line(editing.agent_at(mixture, spot.place).name)
    return says.THE_AGGREGATOR if spot.kind == "instruction" else says.THE_MIXTURE


def written(mixture: Mixture, spot: Spot) -> str:
    """Return the row's own value as one would type it; "" while it has none.

    The aggregator's instruction begins as the program's own, so that it can be edited.
    """
    match spot.kind:
        case "temperature":
            return str(mixture.temperature)
        case "max_tokens":
            return str(mixture.max_tokens)
        case "system":
            return mixture.system
        case "instruction":
            return mixture.aggregator.instruction or editing.built_in()
        case "option":
            value = getattr(editing.agent_at(mixture, spot.place), spot.name)
            return "" if value is None else str(value)
        case _:
            return ""


def rewritten(mixture: Mixture, spot: Spot, text: str) -> Mixture:
    """Return the mixture with a row's value as it was typed; an empty text takes it back.

    Raises:
        ConfigError: the text can't stand there, or the row isn't written.
    """
    if not text.strip() and spot.kind in ("system", "instruction", "option"):
        return reset(mixture, spot)
    match spot.kind:
        case "temperature":
            return editing.write_temperature(mixture, text)
        case "max_tokens":
            return editing.write_max_tokens(mixture, text)
        case "system":
            return editing.set_system(mixture, text)
        case "instruction":
            return editing.set_instruction(mixture, text)
        case "option":
            return editing.write_option(mixture, spot.place, spot.name, text)
        case _:
            raise ConfigError("nothing to write here")


# Rows.


def blocks(
    mixture: Mixture, *, opened: Place | None = None, is_edited: bool = False
) -> list[Block]:
    """Return a mixture's sections; ``opened`` is the agent whose options are unfolded."""
    name = Line(
        spot=Spot("name"),
        title=one_line(mixture.name) or says.UNNAMED,
        note=says.EDITED if is_edited else "",
        tone="bright",
    )
    cuts: Tone = "quiet" if mixture.context == "fail" else "plain"
    settings = [
        _value(mixture, Spot("layers"), says.LAYERS, str(mixture.proposer_layers)),
        _value(mixture, Spot("temperature"), says.TEMPERATURE, str(mixture.temperature)),
        _value(mixture, Spot("max_tokens"), says.MAX_TOKENS, str(mixture.max_tokens)),
        _value(mixture, Spot("history"), says.HISTORY, mixture.history),
        _value(mixture, Spot("context"), says.CONTEXT, mixture.context, tone=cuts),
        Line(
            spot=Spot("system"),
            title=says.SYSTEM,
            value=_start(mixture.system),
            tone="plain" if mixture.system else "quiet",
        ),
    ]
    return [
        Block(section="mixture", title=says.MIXTURE, lines=(name, *settings)),
        *_proposers(mixture, opened),
        _aggregator(mixture, opened),
    ]


def _proposers(mixture: Mixture, opened: Place | None) -> list[Block]:
    found: list[Block] = []
    layer = 0
    is_several = len(mixture.layers) > 1
    for group, block in enumerate(mixture.layers, 1):
        first, layer = layer + 1, layer + block.repeat
        lines = []
        if is_several:
            spot = Spot("repeat", Place(group, 0))
            tone: Tone = "plain" if block.repeat > 1 else "quiet"
            lines.append(_value(mixture, spot, says.REPEAT, str(block.repeat), tone=tone))
        seat = 1
        for number, agent in enumerate(block.proposers, 1):
            place = Place(group, number)
            lines += _agent(mixture, place, agent, seat if agent.enabled else 0, opened)
            seat += agent.samples if agent.enabled else 0
        adding = Spot("add", editing.next_place(mixture, group))
        lines.append(Line(spot=adding, title=says.ADD_SEAT, tone="quiet"))
        which = f"layer {first}" if block.repeat == 1 else f"layers {first}-{layer}"
        found.append(
            Block(
                section="proposers",
                title=says.PROPOSERS,
                layers=which if is_several else "",
                lines=tuple(lines),
            )
        )
    return found


def _aggregator(mixture: Mixture, opened: Place | None) -> Block:
    merging = mixture.aggregator
    lines: list[Line] = []
    if merging.agent is None:
        lines.append(Line(spot=Spot("add", AGGREGATOR), title=says.CHOOSE_ONE, tone="quiet"))
    else:
        agents = (merging.agent, *merging.fallback)
        for number, agent in enumerate(agents, 1):
            lines += _agent(mixture, Place(0, number), agent, 0, opened)
    strategy = words.JUST_RACE if merging.makes == "nothing" else merging.strategy
    lines.append(_value(mixture, Spot("strategy"), says.STRATEGY, strategy))
    lines.append(
        Line(
            spot=Spot("instruction"),
            title=says.INSTRUCTION,
            value=says.OWN if merging.instruction else says.BUILT_IN,
            tone="plain" if merging.instruction else "quiet",
        )
    )
    return Block(section="aggregator", title=says.AGGREGATOR, lines=tuple(lines))


def _agent(
    mixture: Mixture, place: Place, agent: Agent, seat: int, opened: Place | None
) -> list[Line]:
    """Return an agent's row, and its options where they are unfolded; ``seat`` 0: not a seat."""
    note = f"×{agent.samples}" if agent.samples > 1 else ""
    is_called = agent.enabled if place.is_proposer else mixture.aggregator.is_called
    line = Line(
        spot=Spot("agent", place),
        title=one_line(agent.name),
        value=one_line(agent.endpoint),
        number=seat,
        note=note if agent.enabled else says.OFF,
        tone="plain" if is_called else "quiet",
    )
    return [line, *(_options(mixture, place, agent) if place == opened else [])]


def _options(mixture: Mixture, place: Place, agent: Agent) -> list[Line]:
    """Return an agent's options; those that it has from the mixture, or not at all, are quiet."""
    return [
        _value(
            mixture,
            Spot("option", place, name),
            title,
            _option(mixture, agent, name),
            tone="plain" if editing.has_option(agent, name) else "quiet",
        )
        for name, title in _OPTIONS.items()
        if name != "samples" or place.is_proposer
    ]


def _option(mixture: Mixture, agent: Agent, name: str) -> str:
    value = getattr(agent, name)
    if value is None and name in ("temperature", "max_tokens"):
        value = getattr(mixture, name)
    match value:
        case "" | None:
            return says.NONE if name in ("label", "system") else says.UNSET
        case bool():
            return says.ON if value else says.OFF
        case _:
            return _start(str(value))


def _value(mixture: Mixture, spot: Spot, title: str, value: str, *, tone: Tone = "plain") -> Line:
    return Line(
        spot=spot,
        title=title,
        value=value,
        tone=tone,
        less=turns(mixture, spot, -1),
        more=turns(mixture, spot, 1),
    )


def _start(text: str) -> str:
    return look.clip(one_line(text), _TEXT) or says.NONE


# Endpoints.


def endpoints(states: Sequence[EndpointState], used: Collection[str]) -> Block | None:
    """Return what is known of endpoints; one that can't answer now is told only where it is used.

    ``used`` are the names that the mixture needs. Without states there is nothing to tell.
    """
    if not states:
        return None
    known = {state.endpoint.name for state in states}
    lines = [
        _endpoint(state)
        for state in states
        if state.endpoint.name in used or state.status not in ("absent", "no_key")
    ]
    lines += [_unknown(name) for name in sorted(set(used) - known)]
    lines.append(Line(spot=Spot("add_endpoint"), title=says.ADD_ENDPOINT, tone="quiet"))
    return Block(section="endpoints", title=says.ENDPOINTS, lines=tuple(lines))


def _endpoint(state: EndpointState) -> Line:
    endpoint = state.endpoint
    told: dict[EndpointStatus, tuple[StateKey, str]] = {
        "unasked": ("queued", says.KEY_SET if endpoint.api_key_env else ""),
        "asking": ("waiting", says.ASKING),
        "found": ("done" if state.models else "retrying", says.models(len(state.models))),
        "absent": ("failed", says.ABSENT),
        "failed": ("failed", one_line(state.message)),
        "no_key": ("retrying", says.NO_KEY),
    }
    key, value = told[state.status]
    if state.status == "absent" and endpoint.kind == "embedded":
        key, value = "queued", says.NOT_FETCHED
    return Line(
        spot=Spot("endpoint", name=endpoint.name),
        title=one_line(endpoint.name),
        value=value,
        note=FREE if state.models and endpoint.is_free else "",
        state=key,
    )


def _unknown(name: str) -> Line:
    return Line(
        spot=Spot("endpoint", name=name),
        title=one_line(name),
        value=says.UNKNOWN,
        state="failed",
    )
