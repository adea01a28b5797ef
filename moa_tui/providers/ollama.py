"""Ollama's own dialect, ``/api/chat``: its ``/v1`` swallows errors and can't set the context."""

from __future__ import annotations

import asyncio
import random
import re
from contextlib import aclosing, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from moa_tui.engine.provider import Phase
from moa_tui.errors import ProviderError, nearest
from moa_tui.providers import ollama_pull
from moa_tui.providers.faults import words_in
from moa_tui.providers.http import HttpClient
from moa_tui.providers.ollama_chat import (
    ChatDecoder,
    meant,
    write_load,
    write_request,
)
from moa_tui.providers.ollama_models import (
    Traits,
    Windows,
    named_alike,
    read_loaded,
    read_models,
    read_traits,
)
from moa_tui.providers.ollama_traffic import USUAL_ROOM, Traffic, Visit, full_name
from moa_tui.providers.stream import Call, converse

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping
    from pathlib import Path

    import httpx

    from moa_tui.engine.clock import Clock
    from moa_tui.engine.provider import ChatRequest, Delta, Endpoint, ModelInfo
    from moa_tui.providers.limits import Limiter
    from moa_tui.text import Secret

_ASIDE_S = 5.0
"""How long a call may be held up by a question that it can go on without."""

_NO_THINKING = re.compile(r"does not support thinking", re.IGNORECASE)
_NO_CHAT = re.compile(r"does not support (?:chat|generate)", re.IGNORECASE)
_MISSING = re.compile(r"model .{0,300}not found", re.IGNORECASE)


def connect(
    endpoint: Endpoint,
    secret: Secret | None,
    *,
    clock: Clock,
    limiter: Limiter,
    models_folder: Path | None = None,  # noqa: ARG001 - one signature for every dialect
) -> OllamaProvider:
    """Return the provider of an endpoint of kind ``ollama``."""
    return OllamaProvider(endpoint, secret, clock=clock, limiter=limiter)


def root_of(url: str) -> str:
    """Return an Ollama's own address, whatever API of it a URL means (``/v1``, ``/api``)."""
    root = url.rstrip("/")
    return root.removesuffix("/v1").removesuffix("/api")


class OllamaProvider:
    """Speaks to one Ollama; see `OpenAIProvider` for the arguments."""

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
        address = replace(endpoint, base_url=root_of(endpoint.base_url))
        self._http = OllamaHttp(address, secret, clock=clock, transport=transport)
        self._limiter = limiter
        self._chance = chance
        self._windows = Windows(clock=clock)
        self._traffic = Traffic(self._loaded, clock=clock)
        self._traits: dict[str, Traits] = {}
        self._without_thinking: set[str] = set()
        self._warming = asyncio.Lock()

    @property
    def endpoint(self) -> Endpoint:
        """The endpoint it speaks to."""
        return self._endpoint

    async def stream(self, request: ChatRequest, /) -> AsyncGenerator[Delta, None]:
        """Yield what the model says as it says it; closing the generator closes the connection.

        Raises:
            ProviderError: the call failed.
        """
        last: Delta = Phase("connecting")
        yield last
        call = self._call(request, await self._traits_of(request.model))
        deltas = converse(self._http, call, limiter=self._limiter, chance=self._chance)
        try:
            async with aclosing(deltas):
                async for delta in deltas:
                    if not (delta == last == Phase("connecting")):
                        yield delta
                    last = delta
        except ProviderError as error:
            error.hint += await self._also(error, request.model)
            raise
        finally:
            self._windows.touch(request.model)

    async def models(self) -> tuple[ModelInfo, ...]:
        """List the models that are pulled.

        Raises:
            ProviderError: the endpoint can't be asked, or answers with something else.
        """
        return read_models(await self._http.get_json("api/tags"))

    async def warm(self, request: ChatRequest, /) -> None:
        """Have a request's model loaded, where Ollama would keep it beside those that are.

        It never fails: the call itself would meet the same fault, and tells it.
        """
        model = request.model
        traits = await self._traits_of(model)
        if not self._endpoint.is_own or traits.is_remote:
            return
        # One after the other, or each would take the same room for free.
        async with self._warming:
            loaded = await self._loaded()
            if loaded is None or full_name(model) in loaded or len(loaded) >= USUAL_ROOM:
                return
            window = self._window(request, traits)
            with suppress(ProviderError):
                await self._http.get_json(
                    "api/chat",
                    body=write_load(model, num_ctx=window),
                    limit_s=self._endpoint.first_token_limit_s,
                )

    def pull(self, model: str, /) -> AsyncGenerator[tuple[int, int], None]:
        """Fetch a model; see `ollama_pull.pull`.

        Raises:
            ProviderError: it failed.
        """
        return ollama_pull.pull(self._http, model)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._traffic.aclose()
        await self._http.aclose()

    async def _traits_of(self, model: str) -> Traits:
        """Return what the server says of a model, kept once it did; nothing known if it doesn't."""
        if model not in self._traits:
            try:
                shown = await self._http.get_json(
                    "api/show", body={"model": model}, limit_s=_ASIDE_S
                )
            except ProviderError:
                # The call itself will meet the same fault, and tells it.
                return Traits()
            self._traits[model] = read_traits(shown)
        return self._traits[model]

    async def _loaded(self) -> Mapping[str, int] | None:
        # Servers since 2026 answer only when a model that loads is there: as long as a call waits.
        limit_s = self._endpoint.first_token_limit_s
        try:
            return read_loaded(await self._http.get_json("api/ps", limit_s=limit_s))
        except ProviderError:
            # Without it a call's phase is only known less well.
            return None

    def _call(self, request: ChatRequest, traits: Traits) -> Call:
        model, prompt = request.model, request.prompt_tokens
        window = self._window(request, traits)

        def thinks() -> bool:
            return traits.can_think is not False and model not in self._without_thinking

        def learn(complaint: str) -> bool:
            if not _NO_THINKING.search(complaint) or not thinks():
                return False
            self._without_thinking.add(model)
            return True

        def wait(wake: Callable[[], None]) -> Visit:
            return self._traffic.enter(model, window or 0, wake, is_serial=traits.is_serial)

        return Call(
            path="api/chat",
            model=model,
            body=lambda: write_request(request, num_ctx=window, can_think=thinks()),
            decoder=lambda: ChatDecoder(prompt),
            learn=learn,
            wait=wait if self._endpoint.is_own and not traits.is_remote else None,
        )

    def _window(self, request: ChatRequest, traits: Traits) -> int | None:
        """Return the window that a request's model is to have, None: whatever it has."""
        if request.options.num_ctx is not None or traits.is_remote:
            return request.options.num_ctx
        need = max(request.context, request.prompt_tokens + request.options.max_tokens)
        return self._windows.fit(request.model, need, most=traits.context)

    async def _also(self, error: ProviderError, model: str) -> str:
        """Return which models are there that may have been meant, where one is not."""
        if error.kind != "not_found" or not _MISSING.search(error.message):
            return ""
        try:
            listed = read_models(await self._http.get_json("api/tags", limit_s=_ASIDE_S))
        except ProviderError:
            return ""
        names = [each.id.removesuffix(":latest") for each in listed]
        alike = named_alike(model, names)
        also = f"; there is {', '.join(alike)}" if alike else nearest(model, names)
        return self._http.words(also)


class OllamaHttp(HttpClient):
    """The connections to one Ollama, whose refusals have words of their own."""

    def refusal(self, response: httpx.Response, body: bytes) -> ProviderError:
        """Return what a status other than 2xx means to an Ollama."""
        error = super().refusal(response, body)
        said = words_in(body)
        if error.kind == "not_found" and not _MISSING.search(said):
            error.hint = "check base_url: this path is not Ollama's"
        if error.kind == "auth" and b"signin_url" in body:
            error.hint = "sign in with `ollama signin`, or choose a model that runs here"
        if _NO_CHAT.search(said):
            error.hint = "it is no chat model; choose another one"
        return meant(error, said)
