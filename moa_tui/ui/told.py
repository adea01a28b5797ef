"""What header, composer and greeting say, worked out from what holds; no widgets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from moa_tui.engine.cost import COST_UNKNOWN, FREE, NO_COST, Cost
from moa_tui.text import clean, one_line
from moa_tui.ui import look, words
from moa_tui.ui.spending import pricing, spent_in

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from moa_tui.engine.mixture import Mixture
    from moa_tui.engine.state import RunState
    from moa_tui.ui.look import StateKey
    from moa_tui.ui.ports import EndpointState, Ports, Start
    from moa_tui.ui.spending import Pricing
    from moa_tui.ui.windows import Tight


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the header tells; ``t`` in seconds since the run started.

    ``is_taken``: a proposal was taken as the answer; ``is_saved``: the run is safely on disk;
    False: it can't be at present, None: that isn't known. ``is_private``: nothing is written down.
    ``replay`` is the speed of one, 0 for none; it ``is_paused`` or goes on.
    """

    title: str
    mixture: Mixture
    run: RunState | None
    t: float = 0.0
    cost: str = ""
    is_demo: bool = False
    is_taken: bool = False
    is_saved: bool | None = None
    is_private: bool = False
    replay: int = 0
    is_paused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What the composer's head says: what enter does, and what the next run will call.

    ``does_short`` is for where that is too long. ``is_warning``: it says a problem instead.
    ``room`` tells of a model that may have none left, if it ``is_over``.
    """

    does: str = words.SENDS
    does_short: str = ""
    is_warning: bool = False
    sum: str = ""
    calls: str = ""
    cost: str = ""
    room: str = ""
    is_over: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A line of what was found: an endpoint, or several alike, where, and what is known of it."""

    state: StateKey
    name: str
    where: str = ""
    word: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What keeps models of a mixture from answering, and what to do about it.

    ``full`` names the models, ``short`` counts them.
    """

    full: str
    short: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Greeting:
    """What the empty pane tells; ``fetch_title`` names the model that enter would fetch."""

    mixture: Mixture
    is_free: bool = False
    is_demo: bool = False
    fetch_title: str = ""
    found: Sequence[Found] = ()
    problem: Problem | None = None
    notices: Sequence[str] = ()


def greeting(
    ports: Ports,
    start: Start,
    mixture: Mixture,
    states: Sequence[EndpointState] = (),
    *,
    problem: Problem | None = None,
) -> Greeting:
    """Return what the empty pane tells of a mixture, and of what is known of the endpoints.

    ``problem`` is the mixture's, see `problem`.
    """
    return Greeting(
        mixture=mixture,
        is_free=pricing(ports, mixture) == "free",
        is_demo=start.is_demo,
        fetch_title=ports.embedded.title if needs_fetch(ports, mixture) else "",
        found=found(states),
        problem=problem,
        notices=tuple(clean(notice) for notice in start.notices),
    )


def found(states: Sequence[EndpointState]) -> tuple[Found, ...]:
    """Return lines about the endpoints that matter at the start; those without a key don't."""
    lines = [_found(state) for state in states if state.status in ("found", "failed", "unasked")]
    silent = [state.endpoint for state in states if state.status == "absent"]
    silent = [endpoint for endpoint in silent if endpoint.is_local and endpoint.base_url]
    if silent:
        names = ", ".join(endpoint.label or endpoint.name for endpoint in silent)
        ports = ", ".join(str(urlsplit(endpoint.base_url).port or "") for endpoint in silent)
        lines.append(Found(state="queued", name=one_line(names), word=words.nobody_on(ports)))
    return tuple(lines)


def _found(state: EndpointState) -> Found:
    endpoint = state.endpoint
    place = urlsplit(endpoint.base_url).netloc
    name = one_line(endpoint.name)
    match state.status:
        case "found":
            if not state.models:
                none = words.PULL_ONE if endpoint.kind == "ollama" else words.NO_MODELS
                return Found(state="retrying", name=name, where=place, word=none)
            count = words.plural(len(state.models), "model")
            price = f" {look.DOT} {FREE}" if endpoint.is_free else ""
            return Found(state="done", name=name, where=place, word=f"{count}{price}")
        case "failed":
            said = "; ".join(filter(None, (state.message, state.hint)))
            return Found(state="failed", name=name, where=place, word=one_line(clean(said)))
        case _:
            key = words.key_is_set(endpoint.api_key_env) if endpoint.api_key_env else place
            return Found(state="queued", name=name, where=key, word=words.NOT_CONTACTED)


def needs_fetch(ports: Ports, mixture: Mixture) -> bool:
    """Return whether the mixture calls the embedded model and its file isn't there yet."""
    called = any(agent.model == ports.embedded.model for agent in mixture.agents)
    return called and not ports.embedded.is_present


def problem(
    ports: Ports,
    mixture: Mixture,
    states: Sequence[EndpointState],
    *,
    is_preset: bool,
    coming: Collection[str] = (),
) -> Problem | None:
    """Return what keeps most of the models that can't answer from it; None: nothing is known.

    ``is_preset``: the preset picker can have its models pulled; ``coming`` are those that are being
    pulled. The embedded model is fetched without a word.
    """
    if not states:
        return None
    # It compares names, which the first paint shouldn't wait for.
    from moa_tui.ui.dialogs.liveness import Known, check  # noqa: PLC0415 - see above

    known = Known.of(states, ports.endpoints)
    missing: dict[tuple[str, str], list[str]] = {}
    for one in check(mixture, known):
        live = one.liveness
        if live.mark != "missing" or one.is_spare or one.model == ports.embedded.model:
            continue
        # Where nothing can be fetched, the fix says already what is wrong.
        why = (live.fix or live.word, "")
        if one.model in coming:
            why = (words.BEING_PULLED, "")
        elif live.can_pull:
            why = (live.word, words.PULL_THEM if is_preset else live.fix)
        missing.setdefault(why, []).append(one_line(one.model))
    if not missing:
        return None
    (word, fix), models = max(missing.items(), key=lambda item: len(item[1]))
    counted = [words.plural(len(models), "model")]
    return Problem(full=words.lacks(models, word, fix), short=words.lacks(counted, word, fix))


def cost(run: RunState | None, *, pricing: Pricing | None, earlier: Cost = NO_COST) -> str:
    """Return what a run has cost so far, and with ``earlier`` runs the whole conversation.

    Before its first call has ended that is: free, that it isn't known, or nothing.
    """
    now = spent_in(run)
    together = words.in_all(str(now + earlier)) if earlier != NO_COST else ""
    if run is not None and (run.spent or run.usage):
        said = str(now)
    else:
        said = {"free": FREE, "unknown": COST_UNKNOWN}.get(pricing or "", "")
    return f" {look.DOT} ".join(filter(None, (said, together)))


def notice(
    ports: Ports,
    mixture: Mixture,
    *,
    is_live: bool,
    is_fetching: bool,
    problem: Problem | None,
    has_queue: bool,
    cost: str = "",
    tight: Tight | None = None,
    edited: int | None = None,
    stop: str = "esc",
) -> Notice:
    """Return what the composer's head says; ``problem`` is the mixture's, see `problem`.

    ``cost`` says what the next run may cost, in words; ``tight`` is the seat whose model may run
    out of room. ``edited`` is the number of the turn, from 0, whose question is being written anew.
    ``stop`` is how the key of the command "stop" is called, "" where none works in the composer.
    """
    does, does_short, is_warning = words.SENDS, "", False
    if is_fetching:
        does = words.fetching(stop)
    elif is_live:
        does, does_short = words.QUEUES, words.QUEUES_SHORT
    elif problem is not None:
        does, does_short, is_warning = problem.full, problem.short, True
    elif edited is not None:
        does, does_short = words.edits(edited + 1, stop), words.edits_short(stop)
    elif needs_fetch(ports, mixture):
        does = words.will_fetch(ports.embedded.title)
    elif has_queue:
        does = words.SENDS_QUEUED
    total, calls = words.calls(mixture)
    return Notice(
        does=does,
        does_short=does_short,
        is_warning=is_warning,
        sum=total,
        calls=calls,
        cost=cost,
        room="" if tight is None else _room(tight),
        is_over=tight is not None and tight.is_over,
    )


def blocked(*, is_live: bool, is_fetching: bool) -> str:
    """Return why no run can be begun or shown anew now, "" if one can."""
    if is_fetching:
        return words.IS_FETCHING
    return words.RUN_IS_LIVE if is_live else ""


def _room(tight: Tight) -> str:
    star = f"{look.STAR} " if tight.merges else ""
    need, window = look.short(tight.need), look.short(tight.window)
    return words.may_need(f"{star}{one_line(tight.name, 24)}", need, window)
