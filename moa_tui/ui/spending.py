"""What a conversation has cost, and when its budget wants a word before more is spent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from moa_tui.ui import words

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from moa_tui.engine.mixture import Mixture, Seat
    from moa_tui.engine.state import RunState
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

    It asks before a run may pass it, and again each time as much has been spent. ``ask`` puts a
    question, and calls the one or the other by its answer.
    """

    def __init__(
        self,
        ports: Ports,
        turns: Turns,
        ask: Callable[[str, Callable[[], object], Callable[[], object]], object],
    ) -> None:
        self._ports = ports
        self._turns = turns
        self._ask = ask
        self._allowed = 0.0

    def earlier(self, run: RunState | None) -> Spent:
        """Return what all other runs of the conversation have cost, of every branch."""
        return sum((spent_in(one) for one in self._turns.runs() if one is not run), NOTHING)

    def holds(
        self,
        mixture: Mixture,
        prompt: str | None = None,
        *,
        given: Collection[Seat] = (),
        then: Callable[[], object],
        otherwise: Callable[[], object],
    ) -> bool:
        """Ask before a mixture runs that may pass the budget; return whether it has to wait.

        It runs with this prompt, or with the last one again, and ``given`` seats aren't called.
        ``then`` is called where it may run, ``otherwise`` where it may not.
        """
        budget = self._budget
        if not budget:
            return False
        # The engine is loaded by the run, which comes right after.
        from moa_tui.engine.calls import Calls  # noqa: PLC0415 - see above

        conversation = self._turns.conversation(prompt)
        calls = Calls(mixture, conversation, self._ports.providers, self._ports.places)
        spent, most = self.earlier(None).dollars, calls.most_dollars(given)
        if spent + most <= max(budget, self._allowed):
            return False

        def go() -> None:
            # As much may be spent again before the next question.
            self._allowed = max(spent + most, self._allowed + budget, 2 * budget)
            then()

        self._ask(words.over_budget(spent, most, budget), go, otherwise)
        return True

    @property
    def _budget(self) -> float:
        if self._ports.settings is None:
            return 0.0
        value = self._ports.settings.values()["budget"].value
        return value if isinstance(value, float) else 0.0
