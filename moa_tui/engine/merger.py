"""The aggregator at work: what a strategy has it do, and its fallbacks."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol, TypeVar

from moa_tui.engine.ballot import Ballot, shuffled
from moa_tui.engine.seat import Proposal
from moa_tui.errors import ProviderError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from moa_tui.engine.calls import Calls
    from moa_tui.engine.merge import Reference
    from moa_tui.engine.mixture import Agent, ContextRule
    from moa_tui.engine.seat import Outcome, SeatRun

_T = TypeVar("_T")

_LONGEST_QUOTE = 60
_ASKED_AGAIN = "its reply named no proposal, asked once more"


class Attempt(Protocol):
    """Runs one attempt of the aggregator's seat to its end; ``note`` tells what it is for."""

    async def __call__(self, seat_run: SeatRun, agent: Agent, /, *, note: str) -> Outcome:
        """Return how it ended.

        Raises:
            ProviderError: the whole run was stopped.
        """
        ...


class Merger:
    """Is `moa_tui.engine.merge.Aggregation` for one run; ``seat_run`` returns its seat."""

    def __init__(
        self,
        calls: Calls,
        references: tuple[Reference, ...],
        *,
        seed: int,
        seat_run: Callable[[], SeatRun],
        attempt: Attempt,
    ) -> None:
        self._calls = calls
        self._mixture = calls.mixture
        self._references = references
        self._seed = seed
        self._seat_run = seat_run
        self._attempt = attempt

    @property
    def references(self) -> tuple[Reference, ...]:
        """The proposals to merge, in the seats' order."""
        return self._references

    @property
    def folds(self) -> bool:
        """Whether references that don't fit at once are to be merged a few at a time."""
        return self._mixture.context == "refine"

    def fits(self, references: Sequence[str], /) -> bool:
        """Return whether the aggregator has room for these texts, as far as anybody knows."""
        agent = self._mixture.aggregator.agent
        return agent is None or self._calls.fits(agent, references)

    async def ask(self, references: Sequence[str], /, *, note: str = "", cuts: bool = False) -> str:
        """Return what the aggregator, or the first fallback that works, makes of them.

        ``note`` tells what it is doing; ``cuts``: what doesn't fit is cut, whatever the mixture
        says.

        Raises:
            ProviderError: all of them failed.
        """
        # What doesn't fit is folded then, which a call alone can't do.
        rule: ContextRule = "fail" if self.folds else self._mixture.context
        if cuts:
            rule = "trim"
        return await self._made(references, lambda text: text, note=note, rule=rule)

    async def choose(self, texts: Sequence[str], /) -> int:
        """Return the number, from 0, of the text that the aggregator, or a fallback, names.

        Raises:
            ProviderError: none of them named one, though each was asked twice.
        """
        order = shuffled(len(texts), self._seed)
        ballot = Ballot(count=len(texts), seed=self._seed)
        # A choice can't be folded, and of a text its beginning and its end tell much.
        rule: ContextRule = "trim" if self.folds else self._mixture.context
        shown = [texts[number] for number in order]
        return order[await self._made(shown, ballot.read, rule=rule, ballot=ballot)]

    async def _made(
        self,
        references: Sequence[str],
        read: Callable[[str], _T | None],
        *,
        rule: ContextRule,
        note: str = "",
        ballot: Ballot | None = None,
    ) -> _T:
        """Return what can be read in the reply of the first agent whose reply can be."""
        seat_run = self._seat_run()
        seat_run.references, seat_run.rule = tuple(references), rule
        is_to_fold = self.folds and rule == "fail"
        for agent in self._agents(seat_run):
            seat_run.ballot = ballot
            outcome = await self._attempt(seat_run, agent, note=note)
            if ballot is not None and seat_run.agent is not None and _may_name(outcome, read):
                seat_run.ballot = replace(ballot, is_again=True)
                outcome = await self._attempt(seat_run, seat_run.agent, note=_ASKED_AGAIN)
            if isinstance(outcome, Proposal):
                made = read(outcome.text)
                if made is not None:
                    return made
            elif outcome.kind == "stopped" or (outcome.kind == "context" and is_to_fold):
                break
        raise _failure(seat_run)

    def _agents(self, seat_run: SeatRun) -> Sequence[Agent]:
        """Return who is asked, one after the other until one works."""
        merging = self._mixture.aggregator
        agents = [one for one in (merging.agent, *merging.fallback) if one is not None]
        if isinstance(seat_run.outcome, Proposal) and seat_run.agent is not None:
            # Of several calls, whoever made the last one makes the next.
            return [seat_run.agent, *(one for one in agents if one != seat_run.agent)]
        return agents


def _may_name(outcome: Outcome, read: Callable[[str], object]) -> bool:
    """Return whether asking once more may help: it replied and named none, or only thought."""
    if isinstance(outcome, Proposal):
        return read(outcome.text) is None
    return outcome.kind == "empty"


def _failure(seat_run: SeatRun) -> ProviderError:
    outcome, agent = seat_run.outcome, seat_run.agent
    if outcome is None or agent is None:
        raise TypeError(f"the aggregator has not ended: {outcome!r}")
    if isinstance(outcome, Proposal):
        said = " ".join(outcome.text.split())
        if len(said) > _LONGEST_QUOTE:
            said = f"{said[:_LONGEST_QUOTE]}…"
        words = f"The aggregator {agent.model} named no proposal as the best, it said: {said}"
        return ProviderError("protocol", words)
    if outcome.kind == "stopped":
        return ProviderError("stopped", "The aggregator was stopped.")
    words = f"The aggregator {agent.model} failed: {outcome.message}"
    return ProviderError(outcome.kind, words, outcome.hint)
