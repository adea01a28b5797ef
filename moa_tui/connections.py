"""The providers behind the endpoints: each connected when first used, with its key, once."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, aclosing
from dataclasses import replace
from itertools import chain
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

from moa_tui.engine.provider import Phase, Text, Thinking
from moa_tui.errors import ConfigError, ProviderError
from moa_tui.keys import find_key, key_from_command, secrets_in
from moa_tui.text import Secret, redact, secret_headers

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
    from pathlib import Path

    from moa_tui.config import Settings
    from moa_tui.engine.clock import Clock
    from moa_tui.engine.provider import ChatRequest, Delta, Endpoint, ModelInfo, Provider
    from moa_tui.providers.limits import Limiter
    from moa_tui.providers.scripted import Script, Step


class Watch(Protocol):
    """Somebody who is told of the keys in use, and stands around the providers."""

    def heard(self, key: Secret, /) -> None:
        """Hear a key before it is sent anywhere."""
        ...

    def watched(self, provider: Provider, /) -> Provider:
        """Return a provider that does the same."""
        ...


class Connections:
    """The providers, each made when it is first asked for, and all closed together.

    ``environ`` holds the keys; they leave it only as Secrets. ``endpoints`` are the settings' and
    those added since: a live view.
    """

    def __init__(
        self,
        settings: Settings,
        environ: Mapping[str, str],
        *,
        clock: Clock,
        models_folder: Path,
        watch: Watch | None = None,
    ) -> None:
        self._settings = settings
        self._added: dict[str, Endpoint] = dict(settings.endpoints)
        self.endpoints: Mapping[str, Endpoint] = MappingProxyType(self._added)
        self.environ = environ
        self._clock = clock
        self._models_folder = models_folder
        self._watch = watch
        self._open: dict[str, Provider] = {}
        self._dropped: list[Provider] = []
        self._limiters: dict[tuple[str, ...], Limiter] = {}
        self._heard: list[Secret] = []

    def __call__(self, endpoint: str, /) -> Provider:
        """Return the provider of the endpoint of this name.

        Raises:
            ConfigError: no such endpoint, its key is missing, or its kind's extra is.
        """
        provider = self._open.get(endpoint)
        if provider is None:
            provider = self._connected(self.endpoint(endpoint))
            if self._watch is not None:
                provider = self._watch.watched(provider)
            self._open[endpoint] = provider
        return provider

    def endpoint(self, name: str) -> Endpoint:
        """Return the endpoint of this name.

        Raises:
            ConfigError: there is none, or its table in the settings has a mistake.
        """
        return replace(self._settings, endpoints=self.endpoints).endpoint(name)

    def add(self, endpoint: Endpoint) -> None:
        """Let an endpoint be connected to under its name from now on."""
        self._added[endpoint.name] = endpoint

    def drop(self, name: str) -> None:
        """Forget an endpoint; who is still being answered by it is answered to the end."""
        self._added.pop(name, None)
        if name in self._open:
            self._dropped.append(self._open.pop(name))

    async def remove(self, name: str) -> None:
        """Forget an endpoint that was added, and close its connections."""
        self._added.pop(name, None)
        provider = self._open.pop(name, None)
        if provider is not None:
            await provider.aclose()

    def masked(self, text: str, /) -> str:
        """Return a text without any key that is in use, for what nobody cleaned: a traceback."""
        named = (self.environ.get(known.api_key_env, "") for known in self._added.values())
        in_headers = (secret_headers(known.headers).values() for known in self._added.values())
        secrets = [
            *secrets_in(self.environ),
            *(Secret(value.strip()) for value in named),
            *chain.from_iterable(in_headers),
            *self._heard,
        ]
        return redact(text, sorted(secrets, key=lambda one: len(one.reveal()), reverse=True))

    async def aclose(self) -> None:
        """Give back connections and children."""
        async with AsyncExitStack() as closing:
            for provider in (*self._open.values(), *self._dropped):
                closing.push_async_callback(provider.aclose)
            self._open.clear()
            self._dropped.clear()

    def _connected(self, endpoint: Endpoint) -> Provider:
        if endpoint.kind == "scripted":
            from moa_tui.providers.scripted import ScriptedProvider  # noqa: PLC0415 - lazy

            return ScriptedProvider(endpoint, demo_scripts(), clock=self._clock)
        key = find_key(endpoint, self.environ)
        if key is None and endpoint.api_key_cmd:
            return _WithCommand(endpoint, self._speaking, clock=self._clock)
        return self._speaking(endpoint, key)

    def _speaking(self, endpoint: Endpoint, key: Secret | None) -> Provider:
        from moa_tui.providers import connect  # noqa: PLC0415 - brings the HTTP library

        if key is not None:
            self._heard.append(key)
            if self._watch is not None:
                self._watch.heard(key)
        return connect(
            endpoint,
            key,
            clock=self._clock,
            limiter=self._limiter(endpoint),
            models_folder=self._models_folder,
        )

    def _limiter(self, endpoint: Endpoint) -> Limiter:
        from moa_tui.providers.limits import Limiter  # noqa: PLC0415 - lazy

        # Two names for the same place and key meet the same rate limit.
        place = (
            endpoint.base_url or endpoint.name,
            endpoint.api_key_env,
            *endpoint.api_key_cmd,
        )
        if place not in self._limiters:
            self._limiters[place] = Limiter(endpoint.max_concurrency, clock=self._clock)
        return self._limiters[place]


class _WithCommand:
    """A provider whose key a command prints: run at the first call, once for all its seats.

    A command that fails is run again by the next call: a locked password store opens meanwhile.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        connect: Callable[[Endpoint, Secret | None], Provider],
        *,
        clock: Clock,
    ) -> None:
        self._endpoint = endpoint
        self._connect = connect
        self._clock = clock
        self._provider: Provider | None = None
        self._asking = asyncio.Lock()

    @property
    def endpoint(self) -> Endpoint:
        """The endpoint it speaks to."""
        return self._endpoint

    async def stream(self, request: ChatRequest, /) -> AsyncGenerator[Delta, None]:
        """Yield what the model says; before it a phase "connecting" while the command runs.

        Raises:
            ProviderError: the command gives no key, or the call failed.
        """
        if self._provider is None:
            yield Phase("connecting")
        provider = await self._connected()
        async with aclosing(provider.stream(request)) as deltas:
            async for delta in deltas:
                yield delta

    async def models(self) -> tuple[ModelInfo, ...]:
        """List the models on offer.

        Raises:
            ProviderError: the command gives no key, or the endpoint can't be asked.
        """
        return await (await self._connected()).models()

    async def aclose(self) -> None:
        """Close the connections."""
        if self._provider is not None:
            await self._provider.aclose()

    async def _connected(self) -> Provider:
        async with self._asking:
            if self._provider is None:
                try:
                    key = await key_from_command(self._endpoint, clock=self._clock)
                except ConfigError as error:
                    raise ProviderError("auth", str(error)) from error
                self._provider = self._connect(self._endpoint, key)
            return self._provider


def demo_scripts() -> Mapping[str, Script]:
    """Return what the demo's models say to a request, by model name."""
    from moa_tui.providers.scripted import spoken  # noqa: PLC0415 - lazy
    from moa_tui.shipped.demo import demo_topics, pieces, topic_for  # noqa: PLC0415 - reads a file

    topics = demo_topics()

    def script_of(model: str) -> Script:
        def script(request: ChatRequest) -> Sequence[Step]:
            prompt = next((m.content for m in reversed(request.messages) if m.role == "user"), "")
            voice = topic_for(topics, prompt).voices[model]
            said: list[Delta] = [
                *(Thinking(piece) for piece in pieces(voice.thinking)),
                *(Text(piece) for piece in pieces(voice.text)),
            ]
            return list(spoken(said, rate=voice.rate, first_s=voice.first_s))

        return script

    return {model: script_of(model) for model in topics[-1].voices}
