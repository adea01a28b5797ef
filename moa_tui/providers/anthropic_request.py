"""How a chat is written in Anthropic's dialect, and what its models refuse.

What is known of models is from Anthropic's migration guides, as of November 2026.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from moa_tui.errors import ProviderError
from moa_tui.providers.habits import Habits

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from moa_tui.engine.provider import ChatRequest, Message, Options

_HOTTEST = 1.0
_LEAST_BUDGET = 1024
_SHARES: Mapping[str | None, float] = {"low": 0.25, "minimal": 0.25, None: 0.5, "medium": 0.5}
_LARGE_SHARE = 0.75

_CLAUDE = re.compile(
    r"claude-(?:(?P<family>[a-z]+)-?)?(?:(?P<major>[0-9]{1,2})(?:[-.](?P<minor>[0-9]{1,2}))?)?"
    r"(?![0-9])"
)
_TOO_MANY = re.compile(r"max_tokens: [0-9]+ > ([0-9]{1,9})\b")
_NO_EFFORT = re.compile(
    r"not support\w* .{0,30}\beffort|\beffort\b.{0,60}not (?:support|permit|available)"
    r"|output_config: extra inputs",
    re.IGNORECASE,
)


class _Traits(NamedTuple):
    """What a model takes.

    ``samples``: temperature and top_p, ``both`` of them at once. ``thinks_by``: how thinking is
    asked for, "adaptive" or with a "budget". ``unasked``: it thinks without being asked, and says
    nothing of it. ``off``: the type of thinking that turns it off, "" where nothing can or need.
    """

    samples: bool = True
    both: bool = False
    thinks_by: str = "adaptive"
    unasked: bool = False
    off: str = ""
    effort: bool = True


_OTHER = _Traits(both=True, thinks_by="budget", off="disabled", effort=False)
"""Models of other makers, whose servers mostly pass over what they don't know."""

_OLD = _Traits(thinks_by="budget", effort=False)
_OPUS_4_5 = _Traits(thinks_by="budget")
_SINCE_4_6 = _Traits()
_SINCE_4_7 = _Traits(samples=False)
_SINCE_5 = _Traits(samples=False, unasked=True, off="disabled")
_SONNET_5_5 = _Traits(samples=False, unasked=True, off="between_tools")
_ALWAYS_THINKING = _Traits(samples=False, unasked=True)


def _traits_of(model: str) -> _Traits:
    """Return what a model takes by its name, like claude-opus-4-7; without a number it is new."""
    found = _CLAUDE.search(model)
    if found is None:
        return _OTHER
    family = found["family"] or ""
    version = (int(found["major"] or 5), int(found["minor"] or 0))
    if family in ("fable", "mythos") or (family == "opus" and version >= (5, 5)):
        return _ALWAYS_THINKING
    if version >= (5, 0):
        return _SONNET_5_5 if family == "sonnet" and version >= (5, 5) else _SINCE_5
    if version >= (4, 6):
        return _SINCE_4_7 if version >= (4, 7) else _SINCE_4_6
    return _OPUS_4_5 if family == "opus" and version == (4, 5) else _OLD


class MessageHabits(Habits):
    """What a model of this dialect takes."""

    def __init__(self, model: str) -> None:
        self._traits = _traits_of(model)
        super().__init__(() if self._traits.samples else ("temperature", "top_p"))
        self.most_tokens: int | None = None
        self.shows_thinking = True
        self._has_switched = False

    def learn(self, message: str) -> bool:
        """Take in the words of a refused request; return whether the next one will differ."""
        if too_many := _TOO_MANY.search(message):
            most, self.most_tokens = self.most_tokens, int(too_many[1])
            return self.most_tokens != most
        if "temperature" in message and "top_p" in message and self._traits.both:
            self._traits = self._traits._replace(both=False)
            return True
        if self.drop_named(message, ("temperature", "top_p")):
            return True
        if "thinking" in message and self._learn_thinking(message):
            return True
        if _NO_EFFORT.search(message) and self._traits.effort:
            self._traits = self._traits._replace(effort=False)
            return True
        return False

    def _learn_thinking(self, message: str) -> bool:
        traits = self._traits
        if "display" in message and self.shows_thinking:
            self.shows_thinking = False
        elif traits.off == "disabled" and "disabled" in message:
            off = "between_tools" if "between_tools" in message else ""
            self._traits = traits._replace(off=off)
        elif traits.off == "between_tools" and "between_tools" in message:
            self._traits = traits._replace(off="")
        elif "adaptive" in message and not self._has_switched:
            self._has_switched = True
            other = "budget" if traits.thinks_by == "adaptive" else "adaptive"
            self._traits = traits._replace(thinks_by=other)
        else:
            return self.drop_named(message, ("thinking",))
        return True

    def tokens(self, options: Options) -> int:
        """Return how many tokens an answer may have."""
        return min(options.max_tokens, self.most_tokens or options.max_tokens)

    def thinking(self, options: Options) -> dict[str, object] | None:
        """Return how thinking is asked for; None where nothing is said of it.

        A model that thinks unasked is told to show it: silent, it would look like a dead one. A
        budget has at least 1024 tokens and is below the answer's: without room for that there is
        none.
        """
        wanted = options.think
        if wanted is None and options.effort is not None:
            wanted = options.effort != "none"
        if wanted is False and self._traits.off:
            return {"type": self._traits.off}
        if "thinking" in self.without or not (wanted or self._traits.unasked):
            return None
        if self._traits.thinks_by == "adaptive":
            shown = {"display": "summarized"} if self.shows_thinking else {}
            return {"type": "adaptive", **shown}
        most = self.tokens(options)
        share = _SHARES.get(options.effort, _LARGE_SHARE)
        budget = max(_LEAST_BUDGET, int(most * share))
        return {"type": "enabled", "budget_tokens": budget} if budget < most else None

    def effort(self, options: Options) -> dict[str, object] | None:
        """Return what is said of the effort, None for nothing."""
        if options.effort in (None, "none") or not self._traits.effort:
            return None
        return {"effort": "low" if options.effort == "minimal" else options.effort}

    def sampling(self, options: Options, *, thinks: bool) -> dict[str, object]:
        """Return temperature and top_p as far as the model takes them.

        One that thinks takes neither. Where it takes only one, top_p counts: there is always a
        temperature, a top_p is set on purpose.
        """
        if thinks:
            return {}
        temperature, top_p = options.temperature, options.top_p
        if top_p is not None and not self._traits.both:
            temperature = None
        if temperature is not None:
            temperature = min(temperature, _HOTTEST)
        return {"temperature": temperature, "top_p": top_p}


def write_request(request: ChatRequest, habits: MessageHabits) -> dict[str, object]:
    """Return the JSON body of a streamed message.

    Raises:
        ProviderError: the chat says nothing.
    """
    options = request.options
    system, turns = _chat(request.messages)
    thinking = habits.thinking(options)
    thinks = thinking is not None and thinking["type"] in ("enabled", "adaptive")
    return habits.kept(
        {
            "model": request.model,
            "max_tokens": habits.tokens(options),
            "system": system or None,
            "messages": turns,
            "stream": True,
            "stop_sequences": [text for text in options.stop if text.strip()] or None,
            "thinking": thinking,
            "output_config": habits.effort(options),
            **habits.sampling(options, thinks=thinks),
        }
    )


def _chat(messages: Sequence[Message]) -> tuple[str, list[dict[str, str]]]:
    """Return the leading system texts, and turns of alternating roles without blank ones."""
    said = [message for message in messages if message.content.strip()]
    start = next((n for n, message in enumerate(said) if message.role != "system"), len(said))
    turns: list[dict[str, str]] = []
    for message in said[start:]:
        role = "assistant" if message.role == "assistant" else "user"
        if turns and turns[-1]["role"] == role:
            turns[-1]["content"] += f"\n\n{message.content}"
        else:
            turns.append({"role": role, "content": message.content})
    if not turns:
        raise ProviderError("invalid", "there is nothing to send: every message is blank")
    return "\n\n".join(message.content for message in said[:start]), turns
