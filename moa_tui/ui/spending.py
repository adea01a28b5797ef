"""What a conversation has cost, and when its budget wants a word before more is spent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from moa_tui.errors import ConfigError
from moa_tui.ui import words
from moa_tui.ui.ports import budget_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from moa_tui.engine.mixture import Mixture, Seat
    from moa_tui.engine.state import RunState
    from moa_tui.ui.composer.composer import Draft, Prompt
    from moa_tui.ui.ports import Ports
    from moa_tui.ui.turns import Turns


@dataclass(frozen=True, slots=True)
class Spent:
    """Dollars, as far as prices are known, and how many calls had none."""

    dollars: float = 0.0
    unknown: int = 0

    def __add__(self, other: Spent) -> Spent:
        return Spent(self.dollars + other.dollars, self.unknown + other.unknown)

    def __str__(self) -> str:
        """Return it as people read it: "$0.0012", "≥ $0.0012, 1 unknown", "" for nothing."""
        if self.unknown:
            known = f"≥ ${self.dollars:.4f}, {self.unknown} unknown"
            return known if self.dollars else words.COST_UNKNOWN
        return f"${self.dollars:.4f}" if self.dollars else ""


NOTHING: Final = Spent()


def spent_in(run: RunState | None) -> Spent:
    """Return what a run has cost so far; of one that was only listed, what its sum says."""
    if run is None:
        return NOTHING
    usages = run.spent or (() if run.usage is None else (run.usage,))
    costs = [usage.cost for usage in usages]
    return Spent(sum(cost or 0.0 for cost in costs), sum(cost is None for cost in costs))


class Spending:
    """Keeps a conversation to the budget of the settings: dollars, 0 is none.

    There is a question before a run may pass it, and again each time as much has been spent.
    """

    def __init__(self, ports: Ports, turns: Turns) -> None:
        self._ports = ports
        self._turns = turns
        self._allowed = self._asked = 0.0

    def earlier(self, run: RunState | None, *, is_replayed: bool = False) -> Spent:
        """Return what all other runs of the conversation have cost, of every branch.

        A run that ``is_replayed`` is another object than the same one among them: nothing then.
        """
        if is_replayed:
            return NOTHING
        return sum((spent_in(one) for one in self._turns.runs() if one is not run), NOTHING)

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
            most = calls.most_dollars(given)
        except ConfigError:
            return ""  # the run is refused for the same, in words
        spent = self.earlier(None).dollars
        if spent + most <= max(budget, self._allowed):
            return ""
        self._asked = spent + most
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
