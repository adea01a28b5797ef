"""The dialect of ``/chat/completions``, as OpenAI began it and everyone else bent it."""

from __future__ import annotations

import random
import re
from typing import TYPE_CHECKING

from moa_tui.engine.provider import ModelInfo, Price, can_chat
from moa_tui.errors import ProviderError
from moa_tui.providers.bounds import MOST_MODELS, count
from moa_tui.providers.completion import ChatDecoder
from moa_tui.providers.http import HttpClient
from moa_tui.providers.stream import Call, converse

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable
    from pathlib import Path

    import httpx

    from moa_tui.engine.clock import Clock
    from moa_tui.engine.provider import ChatRequest, Delta, Endpoint, Message
    from moa_tui.providers.limits import Limiter
    from moa_tui.text import Secret

_REASONING_MODEL = re.compile(r"^(?:openai/)?(?:o[134](?:-|$)|gpt-5(?!-chat))")
_DEAREST = 1e6
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


class OpenAIProvider:
    """Speaks to one OpenAI-compatible endpoint.

    ``transport`` and ``chance`` (numbers in [0, 1) for the jitter of retries) are for tests.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        secret: Secret | None,
        *,
        clock: Clock,
        limiter: Limiter,
        transport: httpx.AsyncBaseTransport | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._endpoint = endpoint
        self._http = HttpClient(endpoint, secret, clock=clock, transport=transport)
        self._limiter = limiter
        self._chance = chance
        self._habits: dict[str, Habits] = {}

    @property
    def endpoint(self) -> Endpoint:
        """The endpoint it speaks to."""
        return self._endpoint

    def stream(self, request: ChatRequest, /) -> AsyncGenerator[Delta, None]:
        """Yield what the model says as it says it; closing the generator closes the connection.

        Raises:
            ProviderError: the call failed.
        """
        habits = self._habits.setdefault(request.model, Habits(request.model))
        call = Call(
            path="chat/completions",
            model=request.model,
            body=lambda: write_request(request, habits),
            decoder=ChatDecoder,
            learn=habits.learn,
        )
        return converse(self._http, call, limiter=self._limiter, chance=self._chance)

    async def models(self) -> tuple[ModelInfo, ...]:
        """List the models on offer.

        Raises:
            ProviderError: the endpoint can't be asked, or answers with something else.
        """
        return read_models(await self._http.get_json("models"))

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()


class Habits:
    """What a model turned out to refuse, learned from its server's 400s; each fact once."""

    def __init__(self, model: str) -> None:
        is_reasoning = _REASONING_MODEL.search(model) is not None
        self.without = {"temperature", "top_p"} if is_reasoning else set()
        self.tokens_field = "max_completion_tokens" if is_reasoning else "max_tokens"
        self.folds_system = False
        self._renamed = False

    def learn(self, message: str) -> bool:
        """Take in the words of a refused request; return whether the next one will differ."""
        if "max_completion_tokens" in message and not self._renamed:
            self._renamed = True
            is_old = self.tokens_field == "max_tokens"
            self.tokens_field = "max_completion_tokens" if is_old else "max_tokens"
            return True
        for name in ("temperature", "top_p", "stream_options"):
            if re.search(rf"\b{name}\b", message) and name not in self.without:
                self.without.add(name)
                return True
        if _SYSTEM_REFUSED.search(message) and not self.folds_system:
            self.folds_system = True
            return True
        return False


def write_request(request: ChatRequest, habits: Habits) -> dict[str, object]:
    """Return the JSON body of a streamed chat completion."""
    options = request.options
    messages = _folded(request.messages) if habits.folds_system else request.messages
    body: dict[str, object] = {
        "model": request.model,
        "messages": [{"role": each.role, "content": each.content} for each in messages],
        "stream": True,
        "stream_options": {"include_usage": True},
        habits.tokens_field: options.max_tokens,
        "temperature": options.temperature,
        "top_p": options.top_p,
        "seed": options.seed,
        "stop": list(options.stop) or None,
        "reasoning_effort": options.effort,
    }
    return {
        name: value
        for name, value in body.items()
        if value is not None and name not in habits.without
    }


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


def read_models(listing: object) -> tuple[ModelInfo, ...]:
    """Return the models in a listing: ``{data: […]}``, ``{models: […]}`` or a bare array.

    Raises:
        ProviderError: it is none of these.
    """
    rows = listing
    if isinstance(listing, dict):
        rows = listing.get("data")
        rows = listing.get("models") if rows is None else rows
    if not isinstance(rows, list):
        raise ProviderError("protocol", "the list of models has an unknown shape", "check base_url")
    models = {}
    for row in rows[:MOST_MODELS]:
        name = row if isinstance(row, str) else _first(row, "id", "name", "model")
        if isinstance(name, str) and name:
            models[name] = ModelInfo(
                id=name, context=_context_of(row), price=_price_of(row), is_chat=can_chat(name)
            )
    return tuple(models.values())


def _context_of(row: object) -> int | None:
    names = ("context_length", "context_window", "max_model_len", "max_context_length")
    found = _first(row, *names)
    if found is None and isinstance(row, dict):
        found = _first(row.get("meta"), "n_ctx", "n_ctx_train")
    return count(found) or None


def _price_of(row: object) -> Price | None:
    """Return what a listing says that a model costs.

    OpenRouter has texts in dollars a token, Together numbers in dollars a million of them.
    """
    pricing = row.get("pricing") if isinstance(row, dict) else None
    for names, unit in ((("prompt", "completion"), 1e6), (("input", "output"), 1.0)):
        prices = [_dollars(_first(pricing, name)) * unit for name in names]
        if all(price >= 0 for price in prices):
            return Price(*prices)
    return None


def _dollars(value: object) -> float:
    """Return a listed price, -1 if there is none: OpenRouter says so of models with many."""
    try:
        price = float(value) if isinstance(value, str | int | float) else -1.0
    except (ValueError, OverflowError):
        return -1.0
    return price if 0 <= price <= _DEAREST else -1.0


def _first(row: object, *names: str) -> object:
    if not isinstance(row, dict):
        return None
    return next((row[name] for name in names if row.get(name) is not None), None)
