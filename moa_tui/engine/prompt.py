"""What a model is sent: the conversation by the history rule, and references woven into it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from moa_tui.engine.ballot import SHORT_REPLY, Ballot
from moa_tui.engine.mixture import REFERENCES
from moa_tui.engine.provider import TOKENS_PER_MESSAGE, ChatRequest, Message, estimate_tokens

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from moa_tui.engine.mixture import Agent, HistoryRule, Mixture, Placement, Seat
    from moa_tui.engine.provider import Options

INSTRUCTION = f"""\
Several models have answered the user's latest query; their answers are listed below. Your task \
is to merge them into one high-quality answer. Judge them critically: some of what they say may be \
biased or wrong. Do not just repeat them; write an answer of your own that is accurate, complete \
and well structured, and that keeps to the language of the query.

Answers from the models:

{REFERENCES}"""
"""How references are introduced unless the mixture says otherwise (after arXiv 2406.04692)."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """An earlier turn: the question and the answer that is shown for it ("" if none is)."""

    question: str
    answer: str = ""


@dataclass(frozen=True, slots=True)
class Conversation:
    """The prompt to answer and the turns before it, oldest first."""

    prompt: str
    turns: tuple[Exchange, ...] = ()

    def messages(self, *, history: HistoryRule, system: str = "") -> tuple[Message, ...]:
        """Return the chat that every agent sees.

        Turns without a shown answer are left out, question too: many chat templates refuse two
        user turns in a row.
        """
        turns = self.turns if history == "answers" else ()
        said = [
            message
            for turn in turns
            if turn.answer.strip()
            for message in (Message("user", turn.question), Message("assistant", turn.answer))
        ]
        opening = [Message("system", system)] if system.strip() else []
        return (*opening, *said, Message("user", self.prompt))


def numbered(references: Sequence[str]) -> str:
    """Return the texts as a list numbered from 1, stripped of outer whitespace."""
    return "\n\n".join(f"{number}. {text.strip()}" for number, text in enumerate(references, 1))


def with_references(
    messages: Sequence[Message],
    references: Sequence[str],
    *,
    instruction: str = "",
    placement: Placement = "system",
) -> tuple[Message, ...]:
    """Return the chat with an instruction and the references, in the order given.

    ``system`` appends them to the system message at index 0 after a blank line, or puts one in
    front; ``user`` puts them before the last user turn's text. No references, no change.
    """
    if not references:
        return tuple(messages)
    woven = (instruction or INSTRUCTION).replace(REFERENCES, numbered(references))
    if placement == "user":
        *before, last = messages
        return (*before, replace(last, content=f"{woven}\n\n{last.content}"))
    first, *rest = messages
    if first.role != "system":
        return (Message("system", woven), *messages)
    return (replace(first, content=f"{first.content}\n\n{woven}"), *rest)


def request(
    mixture: Mixture,
    conversation: Conversation,
    agent: Agent,
    references: Sequence[str],
    *,
    context: int,
    ballot: Ballot | None = None,
) -> ChatRequest:
    """Return what an agent of the mixture is sent; its own system prompt replaces the mixture's.

    ``context`` is its model's `context_need` in this run. With a ``ballot`` it is to choose one of
    the references, for which few tokens are enough, unless it thinks or was unreadable so.
    """
    messages = conversation.messages(
        history=mixture.history,
        system=mixture.system if agent.system is None else agent.system,
    )
    options = mixture.options_for(agent)
    if ballot is not None:
        options = replace(options, max_tokens=reply_limit(options, ballot))
        paper = ballot.put(messages, references)
        return ChatRequest(agent.model_name, paper, options, context=context)
    woven = with_references(
        messages,
        references,
        instruction=mixture.aggregator.instruction,
        placement=mixture.aggregator.placement,
    )
    return ChatRequest(agent.model_name, woven, options, context=context)


def reply_limit(options: Options, ballot: Ballot) -> int:
    """Return how many tokens a choice may have of whoever is asked with these options."""
    thinks = options.think or options.effort not in (None, "none")
    if thinks or ballot.is_again:
        return options.max_tokens
    return min(options.max_tokens, SHORT_REPLY)


@dataclass(frozen=True, slots=True)
class Need:
    """The most tokens that a call of an agent may read and write, by estimate."""

    agent: Agent
    prompt: int
    answer: int


def needs(mixture: Mixture, conversation: Conversation) -> Iterator[tuple[Seat, list[Need]]]:
    """Yield what each seat's agent needs, and behind the aggregator its fallbacks.

    A reference is as long as its proposer's ``max_tokens`` allows.
    """
    chat = conversation.messages(history=mixture.history)
    said = sum(estimate_tokens(message.content) + TOKENS_PER_MESSAGE for message in chat)
    instruction = estimate_tokens(mixture.aggregator.instruction or INSTRUCTION)
    seating = mixture.seating()
    woven_in = {1: 0}
    if mixture.aggregator.makes == "taken":
        paper = Ballot(count=mixture.layers[-1].seat_count, is_again=True).paper("", ())
        woven_in[mixture.proposer_layers + 1] = estimate_tokens(paper)
    for seat, agents in seating.items():
        answer = mixture.options_for(agents[0]).max_tokens
        woven_in[seat.layer + 1] = woven_in.get(seat.layer + 1, instruction) + answer
    for seat, agents in seating.items():
        prompts = [
            said
            + woven_in[seat.layer]
            + estimate_tokens(mixture.system if agent.system is None else agent.system)
            for agent in agents
        ]
        answers = [mixture.options_for(agent).max_tokens for agent in agents]
        yield seat, list(map(Need, agents, prompts, answers))


def context_need(mixture: Mixture, conversation: Conversation, model: str) -> int:
    """Return the most tokens, prompt and answer, that a call of this model may take, by estimate.

    A model that came in by a swap may sit anywhere.
    """
    is_guest = all(agent.model != model for agent in mixture.agents)
    return max(
        need.prompt + need.answer
        for _, of_seat in needs(mixture, conversation)
        for need in of_seat
        if need.agent.model == model or is_guest
    )
