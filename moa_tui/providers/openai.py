"""The dialect of ``/chat/completions``, as OpenAI began it and everyone else bent it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from moa_tui.providers.completion import ChatDecoder
from moa_tui.providers.dialect import HttpProvider
from moa_tui.providers.habits import Habits
from moa_tui.providers.listing import read_models

if TYPE_CHECKING:
    from pathlib import Path

    from moa_tui.engine.clock import Clock
    from moa_tui.engine.provider import ChatRequest, Endpoint, Message, ModelInfo
    from moa_tui.providers.limits import Limiter
    from moa_tui.text import Secret

_REASONING_MODEL = re.compile(r"^(?:openai/)?(?:o[134](?:-|$)|gpt-5(?!-chat))")
_SYSTEM_REFUSED = re.compile(
    r"system (?:role|message)|role.{0,40}\bsystem\b|\bdeveloper\b", re.IGNORECASE
)


def connect(
    endpoint: Endpoint,
    secret: Secret | None,
    *,
    clock: Clock,
    limiter: Limiter,
    models_folder: Path | None = None,  # noqa: ARG001 - one signature for every dialect
) -> OpenAIProvider:
    """Return the provider of an endpoint of kind ``openai``."""
    return OpenAIProvider(endpoint, secret, clock=clock, limiter=limiter)


class OpenAIProvider(HttpProvider["CompletionHabits"]):
    """Speaks to one OpenAI-compatible endpoint."""

    path = "chat/completions"
    decoder = ChatDecoder

    def first_habits(self, model: str, /) -> CompletionHabits:
        """Return what is known of a model by its name."""
        return CompletionHabits(model)

    def body_of(self, request: ChatRequest, habits: CompletionHabits, /) -> dict[str, object]:
        """Return the body of a call."""
        return write_request(request, habits)

    async def models(self) -> tuple[ModelInfo, ...]:
        """List the models on offer.

        Raises:
            ProviderError: the endpoint can't be asked, or answers with something else.
        """
        return read_models(await self._http.get_json("models"))


class CompletionHabits(Habits):
    """What a model of this dialect turned out to refuse."""

    def __init__(self, model: str) -> None:
        is_reasoning = _REASONING_MODEL.search(model) is not None
        super().__init__(("temperature", "top_p") if is_reasoning else ())
        self.tokens_field = "max_completion_tokens" if is_reasoning else "max_tokens"
        # What OpenAI calls the system's role since these models; elsewhere nobody knows it.
        self.roles = {"system": "developer"} if is_reasoning else {}
        self.folds_system = False
        self._renamed = False

    def learn(self, message: str) -> bool:
        """Take in the words of a refused request; return whether the next one will differ."""
        if "max_completion_tokens" in message and not self._renamed:
            self._renamed = True
            is_old = self.tokens_field == "max_tokens"
            self.tokens_field = "max_completion_tokens" if is_old else "max_tokens"
            return True
        if self.drop_named(message, ("temperature", "top_p", "stream_options")):
            return True
        if _SYSTEM_REFUSED.search(message) and not self.folds_system:
            self.folds_system = True
            return True
        return False


def write_request(request: ChatRequest, habits: CompletionHabits) -> dict[str, object]:
    """Return the JSON body of a streamed chat completion."""
    options = request.options
    messages = _folded(request.messages) if habits.folds_system else request.messages
    body: dict[str, object] = {
        "model": request.model,
        "messages": [
            {"role": habits.roles.get(each.role, each.role), "content": each.content}
            for each in messages
        ],
        "stream": True,
        "stream_options": {"include_usage": True},
        habits.tokens_field: options.max_tokens,
        "temperature": options.temperature,
        "top_p": options.top_p,
        "seed": options.seed,
        "stop": list(options.stop) or None,
        "reasoning_effort": options.effort,
    }
    return habits.kept(body)


def _folded(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    """Put a leading system text before the first user message, for templates without the role."""
    if not messages or messages[0].role != "system":
        return messages
    system, *rest = messages
    for place, message in enumerate(rest):
        if message.role == "user":
            text = f"{system.content}\n\n{message.content}"
            return (*rest[:place], type(message)("user", text), *rest[place + 1 :])
    return (type(system)("user", system.content), *rest)
