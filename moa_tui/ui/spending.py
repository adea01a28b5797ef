"""What a conversation has cost, and when its budget wants a word before more is spent."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from moa_tui.engine.cost import FREE, NO_COST, NOTHING, Cost, price_of
from moa_tui.errors import ConfigError
from moa_tui.ui import words
from moa_tui.ui.ports import budget_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from moa_tui.engine.forecast import Forecast
    from moa_tui.engine.mixture import Agent, Mixture, Seat
    from moa_tui.engine.provider import Price
    from moa_tui.engine.state import RunState
    from moa_tui.ui.composer.composer import Draft, Prompt
    from moa_tui.ui.ports import Ports
    from moa_tui.ui.turns import Turns


_FILE: Final = re.compile(r"(?<!\S)@\S")
"""Where a prompt names a file, which is read when it is sent."""

Pricing: TypeAlias = Literal["free", "known", "unknown"]
"""What is known of the prices of all that a mixture calls."""


def pricing(ports: Ports, mixture: Mixture) -> Pricing | None:
    """Return what is known of a mixture's prices; None where an endpoint isn't known."""
    if any(agent.endpoint not in ports.endpoints for agent in mixture.agents):
        return None
    prices = {_price(ports, agent) for agent in mixture.agents}
    if None in prices:
        return "unknown"
    return "free" if prices <= {NOTHING} else "known"


def _price(ports: Ports, agent: Agent) -> Price | None:
    known = None if ports.places is None else ports.places.info(agent.model)
    return price_of(ports.endpoints[agent.endpoint], agent.model_name, known)


def spent_in(run: RunState | None) -> Cost:
    """Return what a run has cost so far; of one that was only listed, what its sum says."""
    if run is None:
        return NO_COST
    return Cost.of(run.spent or (() if run.usage is None else (run.usage,)))


class Spending:
    """Keeps a conversation to the budget of the settings: dollars, 0 is none.

    There is a question before a run may pass it, and again each time as much has been spent.
    """

    def __init__(self, ports: Ports, turns: Turns) -> None:
        self._ports = ports
        self._turns = turns
        self._allowed = self._asked = 0.0
        self._forecast: tuple[object, Forecast] | None = None
        self._revision = -1
        self._costs: dict[int, Cost] = {}
        self._total = NO_COST

    def earlier(self, run: RunState | None, *, is_replayed: bool = False) -> Cost:
        """Return what all other runs of the conversation have cost, of every branch.

        A run that ``is_replayed`` is another object than the same one among them: nothing then.
        """
        if is_replayed:
            return NO_COST
        # The header asks at every change on the screen, and seldom has a run ended since.
        if self._revision != self._turns.revision:
            self._revision = self._turns.revision
            self._costs = {id(one): spent_in(one) for one in self._turns.runs()}
            self._total = sum(self._costs.values(), NO_COST)
        return self._total - self._costs.get(id(run), NO_COST)

    def ahead(self, mixture: Mixture, prompt: str) -> str:
        """Return what a run of a mixture may cost with this prompt, in words; "" is unknown."""
        now = pricing(self._ports, mixture)
        if now == "free":
            return FREE
        if now is None:
            return ""
        most = self._forecast_of(mixture).most(partial(_price, self._ports), prompt=prompt)
        return words.at_most(most, names_files=bool(_FILE.search(prompt))) if most.dollars else ""

    def _forecast_of(self, mixture: Mixture) -> Forecast:
        # The engine, which the first paint needs only where something costs.
        from moa_tui.engine.forecast import Forecast  # noqa: PLC0415 - see above

        seen = (mixture, self._turns.revision)
        if self._forecast is None or self._forecast[0] != seen:
            self._forecast = (seen, Forecast(mixture, self._turns.conversation("")))
        return self._forecast[1]

    def question(
        self, mixture: Mixture, prompt: str | None = None, *, given: Collection[Seat] = ()
    ) -> str:
        """Return what is to be asked before a mixture runs that may pass the budget, else "".

        It runs with this prompt, or with the last one again, and ``given`` seats aren't called.
        """
        budget = budget_of(self._ports.settings)
        if not budget:
            return ""
        # The engine is loaded by the run, which comes right after.
        from moa_tui.engine.calls import Calls  # noqa: PLC0415 - see above

        conversation = self._turns.conversation(prompt)
        calls = Calls(mixture, conversation, self._ports.providers, self._ports.places)
        try:
            most = calls.most(given).dollars
        except ConfigError:
            return ""  # the run is refused for the same, in words
        spent = self.earlier(None)
        if spent.dollars + most <= max(budget, self._allowed):
            return ""
        self._asked = spent.dollars + most
        return words.over_budget(spent, most, budget)

    def keep(self, prompt: Prompt, draft: Draft, *, is_next: bool) -> bool:
        """Keep a prompt that may pass the budget; return whether it may be asked about.

        Not while somebody writes something else, or where it only waited for its turn
        (``is_next``): it is held in the queue then, else it stands in the composer.
        """
        if is_next or draft.text:
            self._turns.wait(prompt, is_first=True)
            self._turns.held = words.OVER_BUDGET
            return False
        draft.put(prompt)
        return True

    def allow(self) -> None:
        """Let what was asked about be spent, and a budget more before the next question."""
        budget = budget_of(self._ports.settings)
        self._allowed = max(self._asked, self._allowed + budget, 2 * budget)
