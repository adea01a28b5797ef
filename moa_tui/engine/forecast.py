"""The most that a run may cost, before it is begun."""

from __future__ import annotations

import math
import string
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from moa_tui.engine import cost
from moa_tui.engine.ballot import Ballot
from moa_tui.engine.cost import Cost
from moa_tui.engine.prompt import INSTRUCTION, reply_limit
from moa_tui.engine.provider import Usage

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from moa_tui.engine.mixture import Agent, Mixture, Seat
    from moa_tui.engine.prompt import Conversation
    from moa_tui.engine.provider import Price

PER_CALL: Final = 96
"""Tokens that a chat template may put in front of a chat: some have a system prompt of their own,
the date and what the model may do."""

PER_MESSAGE: Final = 16
"""Tokens that a chat template may put around a message, or a list around what it numbers."""

_LETTERS: Final = (string.ascii_letters + " \t").encode()
_WIDE: Final = bytes(range(128, 256))
_LETTERS_PER_TOKEN: Final = 3
_WIDE_BYTES_PER_TOKEN: Final = 2
_ANOTHERS: Final = 1.5
"""Tokens that a model may read for each that another model wrote: they cut words differently."""

PriceOf: TypeAlias = "Callable[[Agent], Price | None]"
"""What calls of an agent cost, as far as anybody knows."""


def most_tokens(text: str) -> int:
    """Return about how many tokens a text is at most, whoever counts them.

    A token is three letters or blanks, any other character of ASCII, or two bytes of UTF-8 beyond
    it: more than models make of English, of code and, most of them, of Chinese.
    """
    raw = text.encode("utf-8", "replace")
    rest = raw.translate(None, _LETTERS)
    marks = len(rest.translate(None, _WIDE))
    wide = len(rest) - marks
    letters = len(raw) - len(rest)
    return marks + math.ceil(letters / _LETTERS_PER_TOKEN + wide / _WIDE_BYTES_PER_TOKEN)


@dataclass(frozen=True, slots=True)
class _Most:
    """The most that one agent may do in a seat: its calls, and what they read and write."""

    agent: Agent
    calls: int
    read: int
    written: int


class Forecast:
    """The most that a run may cost if nothing fails: retries and fallbacks for them aren't counted.

    Every answer is as long as its limit allows, what is read is counted by `most_tokens`, and a
    merge has as many calls as its strategy may ever take.
    """

    def __init__(self, mixture: Mixture, conversation: Conversation) -> None:
        self._mixture = mixture
        self._said = sum(
            most_tokens(message.content) + PER_MESSAGE
            for message in conversation.messages(history=mixture.history)
        )
        self._seats = list(self._of_seats())

    def most(self, price_of: PriceOf, *, prompt: str = "", given: Collection[Seat] = ()) -> Cost:
        """Return it, of calls without a price only how many they are.

        ``prompt`` is what the prompt has beyond the conversation's; ``given`` seats aren't called.
        """
        more, dollars, unknown = most_tokens(prompt), 0.0, 0
        for seat, of_seat in self._seats:
            if seat in given:
                continue
            prices = [price_of(most.agent) for most in of_seat]
            known = [
                _dollars(most, price, more)
                for most, price in zip(of_seat, prices, strict=True)
                if price is not None
            ]
            # A fallback takes the place of what failed, but it judges after an unclear reply.
            is_judge = self._merges(seat) and self._takes
            dollars += sum(known) if is_judge else max(known, default=0.0)
            usual = self._mixture.merge_calls if self._merges(seat) else 1
            unknown += usual if None in prices else 0
        return Cost(dollars, unknown)

    @property
    def _takes(self) -> bool:
        return self._mixture.aggregator.makes == "taken"

    def _merges(self, seat: Seat) -> bool:
        return seat.layer > self._mixture.proposer_layers

    def _of_seats(self) -> Iterator[tuple[Seat, list[_Most]]]:
        seating = self._mixture.seating()
        for seat, agents in seating.items():
            before = [of[0] for one, of in seating.items() if one.layer == seat.layer - 1]
            makes = self._proposed
            if self._merges(seat):
                makes = self._judged if self._takes else self._merged
            yield seat, [makes(agent, before) for agent in agents]

    def _proposed(self, agent: Agent, before: Sequence[Agent]) -> _Most:
        read = self._chat(agent) + self._instruction(before) + self._references(agent, before)
        return _Most(agent, 1, read, self._limit(agent))

    def _merged(self, agent: Agent, before: Sequence[Agent]) -> _Most:
        calls, written = self._mixture.most_merge_calls, self._limit(agent)
        each = self._chat(agent) + self._instruction(before)
        # Each call but the last one hands its answer on, and every proposal is read once.
        handed_on = (calls - 1) * (written + PER_MESSAGE)
        read = calls * each + self._references(agent, before) + handed_on
        return _Most(agent, calls, read, calls * written)

    def _judged(self, agent: Agent, before: Sequence[Agent]) -> _Most:
        calls, options = self._mixture.most_merge_calls, self._mixture.options_for(agent)
        ballots = [Ballot(count=len(before), is_again=bool(nth)) for nth in range(calls)]
        papers = sum(most_tokens(ballot.paper("", ())) for ballot in ballots)
        each = self._chat(agent) + self._references(agent, before)
        written = sum(reply_limit(options, ballot) for ballot in ballots)
        return _Most(agent, calls, calls * each + papers, written)

    def _chat(self, agent: Agent) -> int:
        system = self._mixture.system if agent.system is None else agent.system
        return PER_CALL + PER_MESSAGE + most_tokens(system) + self._said

    def _instruction(self, before: Sequence[Agent]) -> int:
        return most_tokens(self._mixture.aggregator.instruction or INSTRUCTION) if before else 0

    def _references(self, agent: Agent, before: Sequence[Agent]) -> int:
        return sum(
            math.ceil(self._limit(one) * (1 if one.model == agent.model else _ANOTHERS))
            + PER_MESSAGE
            for one in before
        )

    def _limit(self, agent: Agent) -> int:
        return self._mixture.options_for(agent).max_tokens


def _dollars(most: _Most, price: Price, more: int) -> float:
    usage = Usage(prompt=most.read + most.calls * more, completion=most.written)
    return cost.priced(usage, price).cost or 0.0
