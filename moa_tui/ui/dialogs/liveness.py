"""Which models of a mixture can be called now, as far as is known, and what mends the others.

Pure: a mixture and the endpoints' states in, facts out. Nobody is asked.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, field
from functools import lru_cache
from heapq import nlargest
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from moa_tui import errors
from moa_tui.engine.provider import canonical
from moa_tui.text import one_line
from moa_tui.ui.dialogs import texts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from moa_tui.engine.mixture import Mixture
    from moa_tui.engine.provider import Endpoint, ModelInfo
    from moa_tui.ui.ports import EndpointState

Mark: TypeAlias = Literal["live", "unknown", "missing", "coming"]
"""Whether a model can be called; ``coming`` while it is being pulled."""

_NEAREST: Final = 3
_COMPARED: Final = 50
_PIECE: Final = re.compile(r"[a-z]+|\d+")


@dataclass(frozen=True, slots=True)
class Liveness:
    """Whether a model can be called; ``word`` says why, ``fix`` what to do about it.

    ``can_pull``: its server can be told to fetch it.
    """

    mark: Mark
    word: str
    fix: str = ""
    can_pull: bool = False


@dataclass(frozen=True, slots=True)
class Checked:
    """A model of a mixture; a spare one is called only when the aggregator fails."""

    model: str
    liveness: Liveness
    is_spare: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of endpoints and their models, laid out for looking up."""

    states: Mapping[str, EndpointState] = field(default_factory=lambda: MappingProxyType({}))
    models: Mapping[str, Mapping[str, ModelInfo]] = field(
        default_factory=lambda: MappingProxyType({})
    )
    endpoints: Mapping[str, Endpoint] = field(default_factory=lambda: MappingProxyType({}))

    @classmethod
    def of(
        cls, states: Iterable[EndpointState], endpoints: Mapping[str, Endpoint] | None = None
    ) -> Known:
        """Return the states by name; ``endpoints`` may be called though none tells their state."""
        by_name = {state.endpoint.name: state for state in states}
        models = {
            name: {canonical(info.id, state.endpoint.kind): info for info in state.models}
            for name, state in by_name.items()
        }
        return cls(by_name, models, endpoints or {})


def check(mixture: Mixture, known: Known) -> tuple[Checked, ...]:
    """Return each model that a run may call once, in the seats' order, spare ones last."""
    seats = mixture.seating().values()
    needed = dict.fromkeys(agents[0].model for agents in seats)
    spare = dict.fromkeys(agent.model for agents in seats for agent in agents[1:])
    return (
        *(Checked(model, liveness(model, known)) for model in needed),
        *(
            Checked(model, liveness(model, known), is_spare=True)
            for model in spare
            if model not in needed
        ),
    )


def verdict(checked: Sequence[Checked]) -> Mark:
    """Return the worst of what a run needs for certain."""
    marks = {one.liveness.mark for one in checked if not one.is_spare}
    if "missing" in marks:
        return "missing"
    return "unknown" if "unknown" in marks else "live"


def liveness(model: str, known: Known) -> Liveness:
    """Return what is known of "endpoint/model"."""
    name, _, own = model.partition("/")
    state = known.states.get(name)
    if state is None:
        return _of_stateless(name, known)
    endpoint = state.endpoint
    match state.status:
        case "unasked":
            return Liveness("unknown", texts.UNKNOWN)
        case "asking":
            return Liveness("unknown", texts.ASKING)
        case "no_key":
            return Liveness("missing", texts.NO_KEY, told(state) or texts.set_key(endpoint))
        case "absent" if endpoint.kind == "embedded":
            return Liveness("missing", texts.NOT_FETCHED, texts.fetch(model))
        case "absent":
            return Liveness("missing", texts.NOT_RUNNING, told(state) or texts.start(endpoint))
        case "failed":
            return Liveness("missing", texts.FAILED, told(state))
        case "found":
            info = known.models[name].get(canonical(own, endpoint.kind))
            return _of_listed(own, endpoint, info)


def told(state: EndpointState) -> str:
    """Return an endpoint's own words: what is wrong with it, and what to do."""
    parts = (state.message.rstrip("."), state.hint.rstrip("."))
    return one_line("; ".join(filter(None, parts)))


def nearest(model: str, known: Known) -> tuple[str, ...]:
    """Return the listed chat models of its endpoint whose names are most like "endpoint/model".

    Only the fifty that share most letters and numbers in a row are compared in full.
    """
    name, _, own = model.partition("/")
    wanted = _pieces(own)
    names = [info.id for info in known.models.get(name, {}).values() if info.is_chat]
    few = nlargest(_COMPARED, names, key=lambda one: len(wanted & _pieces(one)))
    folded = {one.casefold(): one for one in few}
    close = difflib.get_close_matches(own.casefold(), folded, n=_NEAREST, cutoff=0.4)
    return tuple(folded[one] for one in close)


@lru_cache(maxsize=20_000)
def _pieces(name: str) -> frozenset[str]:
    return frozenset(_PIECE.findall(name.lower()))


def _of_stateless(name: str, known: Known) -> Liveness:
    endpoint = known.endpoints.get(name)
    if endpoint is None:
        hint = errors.nearest(name, {*known.states, *known.endpoints})
        return Liveness("missing", texts.NO_ENDPOINT, texts.endpoint_unknown(one_line(name), hint))
    if endpoint.kind == "scripted":
        return Liveness("live", texts.WRITTEN)
    return Liveness("unknown", texts.UNKNOWN)


def _of_listed(own: str, endpoint: Endpoint, info: ModelInfo | None) -> Liveness:
    if info is not None and not info.is_chat:
        return Liveness("missing", texts.CANT_CHAT)
    if info is not None:
        return Liveness("live", texts.HERE if endpoint.is_local else texts.LISTED)
    if endpoint.kind == "ollama":
        return Liveness("missing", texts.NOT_PULLED, texts.pull(own), can_pull=True)
    if endpoint.kind == "embedded":
        return Liveness("missing", texts.NOT_FETCHED, texts.fetch(f"{endpoint.name}/{own}"))
    return Liveness("missing", texts.NOT_LISTED)
