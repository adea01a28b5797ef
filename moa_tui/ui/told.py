"""What header, composer and greeting say, worked out from what holds; no widgets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from moa_tui.text import clean
from moa_tui.ui import words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from moa_tui.engine.mixture import Mixture
    from moa_tui.engine.provider import Providers
    from moa_tui.engine.state import RunState
    from moa_tui.ui.ports import Ports, Start


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the header tells; ``t`` in seconds since the run started."""

    title: str
    mixture: Mixture
    run: RunState | None
    t: float = 0.0
    cost: str = ""
    is_demo: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What the composer's head says: what enter does, and what the next run will call."""

    does: str = words.SENDS
    does_short: str = ""
    sum: str = ""
    calls: str = ""
    cost: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Greeting:
    """What the empty pane tells; ``fetch_title`` names the model that enter would fetch."""

    mixture: Mixture
    is_free: bool | None = None
    is_demo: bool = False
    fetch_title: str = ""
    notices: Sequence[str] = ()


def greeting(ports: Ports, start: Start) -> Greeting:
    """Return what the empty pane tells at the start."""
    return Greeting(
        mixture=start.mixture,
        is_free=is_free_by_name(ports, start.mixture),
        is_demo=start.is_demo,
        fetch_title=ports.embedded.title if start.needs_fetch else "",
        notices=tuple(clean(notice) for notice in start.notices),
    )


def is_free(providers: Providers, mixture: Mixture) -> bool:
    """Return whether all that a running mixture calls is on this machine."""
    return all(providers(agent.endpoint).endpoint.is_local for agent in mixture.agents)


def is_free_by_name(ports: Ports, mixture: Mixture) -> bool | None:
    """Return the same before anybody is connected; None where an endpoint isn't known."""
    used = {agent.endpoint for agent in mixture.agents}
    if not used <= ports.endpoints.keys():
        return None
    return all(ports.endpoints[name].is_local for name in used)


def cost(run: RunState | None, *, is_free: bool | None) -> str:
    """Return what a run has cost so far: free, a sum in dollars, or that it isn't known."""
    if is_free:
        return words.FREE
    seats = () if run is None else run.seats.values()
    spent = [seat.usage.cost for seat in seats if seat.usage is not None]
    known = sum(cost for cost in spent if cost is not None)
    unknown = sum(cost is None for cost in spent)
    if not spent:
        return "" if is_free is None else words.COST_UNKNOWN
    if unknown:
        return f"≥ ${known:.4f}, {unknown} unknown" if known else words.COST_UNKNOWN
    return f"${known:.4f}" if known else words.FREE


def notice(
    ports: Ports,
    mixture: Mixture,
    *,
    is_live: bool,
    is_fetching: bool,
    needs_fetch: bool,
    has_queue: bool,
    is_free: bool | None,
) -> Notice:
    """Return what the composer's head says."""
    does, does_short = words.SENDS, ""
    if is_fetching:
        does = words.FETCHING
    elif is_live:
        does, does_short = words.QUEUES, words.QUEUES_SHORT
    elif needs_fetch:
        does = words.will_fetch(ports.embedded.title)
    elif has_queue:
        does = words.SENDS_QUEUED
    total, calls = words.calls(mixture)
    price = words.FREE if is_free else ""
    return Notice(does=does, does_short=does_short, sum=total, calls=calls, cost=price)
