"""One seat of a run: its attempts, what they said, and how the last one ended."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias, assert_never

from moa_tui.engine import cost
from moa_tui.engine.context import fitted
from moa_tui.engine.events import (
    SeatFailed,
    SeatFinished,
    SeatNote,
    SeatPhase,
    SeatRetrying,
    SeatStarted,
    SeatSwapped,
    TextDelta,
    TextRelabelled,
    ThinkingDelta,
)
from moa_tui.engine.provider import (
    ChatRequest,
    Delta,
    Finish,
    Note,
    Phase,
    Relabel,
    Retrying,
    Text,
    Thinking,
    Usage,
)
from moa_tui.errors import ProviderError

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from moa_tui.engine.ballot import Ballot
    from moa_tui.engine.calls import Calls
    from moa_tui.engine.events import Event, SeatRole
    from moa_tui.engine.feed import Feed
    from moa_tui.engine.mixture import Agent, ContextRule, Seat
    from moa_tui.engine.provider import FinishReason, PhaseName, Provider
    from moa_tui.errors import FailureKind

_REFUSALS: frozenset[FailureKind] = frozenset(
    ("connect", "rate_limit", "quota", "auth", "not_found", "context", "invalid", "server")
)
"""Failures at which, before the first token, no model has read anything."""

_MOST_OVERFLOWS = 4
_AFTER_OVERFLOW = 0.8
"""The part of its window that a model is given once our estimate has proved too small."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What a seat said, whole; times in seconds."""

    text: str
    thinking: str = ""
    reason: FinishReason = "stop"
    usage: Usage = field(default_factory=lambda: Usage(cost=0.0))
    ttft_s: float | None = None
    seconds: float = 0.0

    @property
    def is_usable(self) -> bool:
        """Whether it may become a reference: it says something, and that isn't a refusal."""
        return self.reason != "refusal" and bool(self.text.strip())


Outcome: TypeAlias = Proposal | ProviderError


@dataclass(slots=True)
class _Words:
    """What one attempt has said so far."""

    started: float
    first: float | None = None
    text: list[str] = field(default_factory=list)
    thinking: list[str] = field(default_factory=list)
    pieces: int = 0
    usage: Usage | None = None
    reason: FinishReason | None = None


class SeatRun:
    """Runs the attempts of one seat, one at a time, and tells the feed.

    ``references`` are the texts that its next attempt gets, ``rule`` says what happens where they
    don't fit in one call; with a ``ballot`` it is to choose one of them. ``spent`` is the usage of
    every attempt that has ended, however it did. ``on_begin`` is called at an attempt's first
    token, ``on_end`` when one has ended and no other follows.
    """

    def __init__(
        self,
        seat: Seat,
        role: SeatRole,
        *,
        calls: Calls,
        references: tuple[str, ...],
        rule: ContextRule,
        feed: Feed,
        group: asyncio.TaskGroup,
        on_begin: Callable[[], None],
        on_end: Callable[[], None],
    ) -> None:
        self.seat = seat
        self.outcome: Outcome | None = None
        self.is_late = False
        self.phase: PhaseName | None = None
        self._role = role
        self.references = references
        self.spent: list[Usage] = []
        self.rule = rule
        self.ballot: Ballot | None = None
        self._calls = calls
        self._feed = feed
        self._group = group
        self._on_begin = on_begin
        self._on_end = on_end
        self._agent: Agent | None = None
        self._next: Agent | None = None
        self._attempt = 0
        self._task: asyncio.Task[Outcome] | None = None
        self._words = _Words(started=feed.t)
        self._request: ChatRequest | None = None

    @property
    def is_live(self) -> bool:
        """Whether an attempt is under way."""
        return self.outcome is None

    @property
    def waits(self) -> bool:
        """Whether the attempt under way has had no token yet."""
        return self.is_live and self._words.first is None

    @property
    def agent(self) -> Agent | None:
        """Who sits here now."""
        return self._agent

    @property
    def partial_text(self) -> str:
        """What the attempt has said so far."""
        return "".join(self._words.text)

    def begin(self, agent: Agent) -> None:
        """Start an attempt of this agent.

        Raises:
            ConfigError: its endpoint is unknown or has no key.
        """
        provider = self._calls.provider(agent.endpoint)
        self._attempt += 1
        if self._agent is not None and self._agent.model != agent.model:
            self._emit(SeatSwapped, model=agent.model)
        self._agent = agent
        self.outcome = None
        self.phase = None
        self._words = _Words(started=self._feed.t)
        self._request = None
        self._emit(SeatStarted, role=self._role, model=agent.model, label=agent.label)
        self._task = self._group.create_task(self._attempt_with(provider, agent))
        self._task.add_done_callback(self._ended)

    def begin_given(self, agent: Agent, proposal: Proposal) -> None:
        """Take a proposal that exists already; nobody is called."""
        self._attempt += 1
        self._agent = agent
        self._emit(SeatStarted, role=self._role, model=agent.model, given=True, label=agent.label)
        self._conclude(proposal)

    def restart(self, agent: Agent) -> None:
        """Start over with this agent; a live attempt is stopped first.

        Raises:
            ConfigError: its endpoint is unknown or has no key.
        """
        self._calls.provider(agent.endpoint)
        if self.outcome is not None:
            self.begin(agent)
        elif self._task is not None:
            self._next = agent
            self._task.cancel()

    def tell(self, kind: str, message: str) -> None:
        """Tell something worth knowing about the attempt under way."""
        self._emit(SeatNote, kind=kind, message=message)

    def stop(self) -> None:
        """End the attempt under way; its connection is closed."""
        self._next = None
        if self.outcome is None and self._task is not None:
            self._task.cancel()

    def _emit(self, event: Callable[..., Event], **fields: Any) -> None:  # noqa: ANN401 - the event's own fields
        self._feed.emit(event, seat=self.seat, attempt=self._attempt, **fields)

    async def _attempt_with(self, provider: Provider, agent: Agent) -> Outcome:
        if not self._calls.can_learn_price(agent):
            return await self._answered(provider, agent)
        # Beside the call, which it must not hold up: not at its end either.
        pricing = self._group.create_task(self._calls.learn_price(agent))
        try:
            return await self._answered(provider, agent)
        finally:
            pricing.cancel()

    async def _answered(self, provider: Provider, agent: Agent) -> Outcome:
        window = await self._calls.window(agent, self.references)
        overflow, tries = None, 0
        while True:
            try:
                await self._call(provider, agent, window)
                return self._proposal(agent)
            except ProviderError as failure:
                if failure.kind != "context" or self._words.pieces:
                    return failure
                # The server counts better than we do.
                overflow, tries = overflow or failure, tries + 1
                if not failure.window or tries > _MOST_OVERFLOWS:
                    return overflow
                window = self._less_than(failure.window, window)

    def _less_than(self, window: int, before: int | None) -> int:
        """Return a window in which the request that overflowed can't be sent again."""
        sent = window
        if self._request is not None:
            sent = self._request.prompt_tokens + self._request.options.max_tokens
        return int(min(window, before or window, sent) * _AFTER_OVERFLOW)

    async def _call(self, provider: Provider, agent: Agent, window: int | None) -> None:
        self._request, cut = fitted(
            lambda references: self._calls.request(agent, references, ballot=self.ballot),
            self.references,
            window=window,
            rule=self.rule,
        )
        if cut:
            self.tell("context", cut)
        async with aclosing(provider.stream(self._request)) as deltas:
            async for delta in deltas:
                self._take(delta)

    def _take(self, delta: Delta) -> None:
        words = self._words
        match delta:
            case Phase(name, behind):
                self.phase = name
                self._emit(SeatPhase, phase=name, behind=behind)
            case Retrying(kind, message, wait_s):
                self._emit(SeatRetrying, kind=kind, message=message, wait_s=wait_s)
                self._attempt += 1
            case Thinking(text, pieces):
                self._begin_words(pieces)
                words.thinking.append(text)
                self._emit(ThinkingDelta, text=text, pieces=pieces)
            case Text(text, pieces):
                self._begin_words(pieces)
                words.text.append(text)
                self._emit(TextDelta, text=text, pieces=pieces)
            case Relabel():
                words.thinking += words.text
                words.text.clear()
                self._emit(TextRelabelled)
            case Usage():
                words.usage = delta
            case Note(kind, message):
                self.tell(kind, message)
            case Finish(reason):
                words.reason = reason
            case _:
                assert_never(delta)

    def _begin_words(self, pieces: int) -> None:
        self.phase = None
        self._words.pieces += pieces
        if self._words.first is None:
            self._words.first = self._feed.t
            self._on_begin()

    def _proposal(self, agent: Agent) -> Proposal:
        words = self._words
        text = "".join(words.text)
        if words.reason is None:
            raise ProviderError("truncated", "The answer ended without a finish.")
        if not text.strip():
            raise ProviderError("empty", "It gave no answer.", "Retry it or take another model.")
        return Proposal(
            text=text,
            thinking="".join(words.thinking),
            reason=words.reason,
            usage=self._usage(agent),
            ttft_s=None if words.first is None else words.first - words.started,
            seconds=self._feed.t - words.started,
        )

    def _usage(self, agent: Agent) -> Usage:
        """Return what the attempt used, by estimate where the server doesn't say."""
        asked = 0 if self._request is None else self._request.prompt_tokens
        estimated = Usage(prompt=asked, completion=self._words.pieces, estimated=True)
        return cost.priced(self._words.usage or estimated, self._calls.price(agent))

    def _usage_of_failed(self, kind: FailureKind) -> Usage | None:
        """Return the same of an attempt that came to nothing, None where no model was at work."""
        # Who stops a call, or loses it, pays for what was read and written until then.
        is_reading = self.phase in ("reading", "waiting") and kind not in _REFUSALS
        is_paid = is_reading or self._words.pieces > 0 or self._words.usage is not None
        if self._agent is None or self._request is None or not is_paid:
            return None
        return self._usage(self._agent)

    def _ended(self, task: asyncio.Task[Outcome]) -> None:
        if not task.cancelled() and task.exception() is not None:
            return  # a bug: the task group raises it
        outcome = ProviderError("stopped", "Stopped.") if task.cancelled() else task.result()
        self._conclude(outcome)
        if self._next is not None:
            agent, self._next = self._next, None
            self.begin(agent)
        else:
            self._on_end()

    def _conclude(self, outcome: Outcome) -> None:
        if isinstance(outcome, ProviderError):
            usage = self._usage_of_failed(outcome.kind)
            self.spent += [usage] if usage is not None else []
            self._emit(
                SeatFailed,
                kind=outcome.kind,
                message=outcome.message,
                hint=outcome.hint,
                text=self.partial_text,
                usage=usage,
            )
        else:
            self.spent.append(outcome.usage)
            self._emit(
                SeatFinished,
                text=outcome.text,
                thinking=outcome.thinking,
                reason="late" if self.is_late else outcome.reason,
                usage=outcome.usage,
                ttft_s=outcome.ttft_s,
                seconds=outcome.seconds,
            )
        self.outcome = outcome
