"""An Ollama of our own, behind the HTTP library, in virtual time.

It schedules as the real one does: one model loads at a time, ``room`` of them stay loaded, a busy
one is not unloaded, each runs ``parallel`` calls at once, and headers come with the first piece.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
import virtual_time
from calls import Body, Server, Told, endpoint, hear

from moa_tui.engine.clock import AsyncioClock
from moa_tui.engine.provider import ChatRequest, Message, Options, Phase
from moa_tui.providers.limits import Limiter
from moa_tui.providers.ollama import OllamaProvider

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence

    from moa_tui.engine.provider import Delta

Sent = dict[str, Any]
"""A request's body."""

_START_S = 0.5
_SENT = "http11.send_request_headers.complete"


@dataclass(frozen=True, kw_only=True)
class Model:
    """Loads for ``load_s``, reads the prompt for ``read_s``, then says a piece each ``piece_s``."""

    load_s: float = 10.0
    read_s: float = 2.0
    piece_s: float = 3.0
    pieces: tuple[str, ...] = ("Hello", " there")
    context: int = 32_768
    capabilities: tuple[str, ...] = ("completion",)
    family: str = "llama"
    remote_host: str = ""


@dataclass
class Ollama(httpx.AsyncBaseTransport):
    """The server; ``given`` answers a path in its place.

    ``lists_patiently`` is how servers since 2026 answer ``/api/ps``: once the model whose process
    has started is loaded.
    """

    models: Mapping[str, Model] = field(default_factory=lambda: {"phi3:latest": Model()})
    room: int = 3
    parallel: int = 1
    lists_patiently: bool = False
    given: Mapping[str, Server] = field(default_factory=dict)
    loaded: dict[str, int] = field(default_factory=dict)
    loads: list[tuple[str, int]] = field(default_factory=list)
    requests: list[tuple[str, Sent]] = field(default_factory=list)
    streams: list[OllamaBody] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._loading, self._reading_file = asyncio.Lock(), asyncio.Lock()
        self._calls: Counter[str] = Counter()
        self._call_ended = asyncio.Event()
        self._slots = {name: asyncio.Semaphore(self.parallel) for name in self.models}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        body = json.loads(request.content) if request.content else {}
        self.requests.append((path, body))
        if trace := request.extensions.get("trace"):
            await trace(_SENT, {})
        if path in self.given:
            return await self.given[path].handle_async_request(request)
        if path == "/api/ps":
            return await self._ps()
        if path == "/api/tags":
            rows = [{"name": name, "size": 5} for name in self.models]
            return _answered(200, {"models": rows})
        model = body.get("model", "")
        name = model if ":" in model else f"{model}:latest"
        if name not in self.models:
            return _answered(404, {"error": f"model '{model}' not found"})
        return self._show(name) if path == "/api/show" else await self._chat(name, body)

    def sent(self, path: str = "/api/chat") -> list[Sent]:
        """Return the bodies that a path was sent."""
        return [body for asked, body in self.requests if asked == path]

    async def _ps(self) -> httpx.Response:
        if self.lists_patiently:
            async with self._reading_file:
                pass
        rows = [{"name": name, "context_length": size} for name, size in self.loaded.items()]
        return _answered(200, {"models": rows})

    def _show(self, name: str) -> httpx.Response:
        model = self.models[name]
        shown = {
            "details": {"family": model.family},
            "model_info": {f"{model.family}.context_length": model.context},
            "capabilities": model.capabilities,
            "remote_host": model.remote_host,
        }
        return _answered(200, shown)

    async def _chat(self, name: str, body: Sent) -> httpx.Response:
        window = body["options"].get("num_ctx", 4096)
        if not body["messages"]:
            async with self._runner(name, window):
                return _answered(200, {"done": True, "done_reason": "load"})
        lines = self._lines(name, window)
        stream = OllamaBody(await anext(lines), lines)
        self.streams.append(stream)
        return httpx.Response(200, stream=stream)

    async def _lines(self, name: str, window: int) -> AsyncGenerator[bytes, None]:
        model = self.models[name]
        async with self._runner(name, window):
            await asyncio.sleep(model.read_s)
            for piece in model.pieces:
                yield line({"message": {"content": piece}, "done": False})
                await asyncio.sleep(model.piece_s)
            yield line({"done": True, "done_reason": "stop", "prompt_eval_count": 5})

    @asynccontextmanager
    async def _runner(self, name: str, window: int) -> AsyncGenerator[None, None]:
        if self.loaded.get(name) != window:
            async with self._loading:
                if self.loaded.get(name) != window:
                    await self._load(name, window)
        self._calls[name] += 1
        try:
            async with self._slots[name]:
                yield
        finally:
            self._calls[name] -= 1
            self._call_ended.set()

    async def _load(self, name: str, window: int) -> None:
        while name in self.loaded or len(self.loaded) >= self.room:
            idle = [each for each in self.loaded if not self._calls[each]]
            leaving = [name] if name in self.loaded else list(self.loaded)
            if gone := next((each for each in leaving if each in idle), None):
                del self.loaded[gone]
                continue
            self._call_ended.clear()
            await self._call_ended.wait()
        await asyncio.sleep(_START_S)
        async with self._reading_file:
            await asyncio.sleep(self.models[name].load_s - _START_S)
            self.loaded[name] = window
        self.loads.append((name, window))


class OllamaBody(httpx.AsyncByteStream):
    """The lines of one answer; closing it is what stops the model."""

    def __init__(self, first: bytes, rest: AsyncGenerator[bytes, None]) -> None:
        self.is_closed = False
        self._first = first
        self._rest = rest

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._first
        async for each in self._rest:
            yield each

    async def aclose(self) -> None:
        self.is_closed = True
        await self._rest.aclose()


def _answered(status: int, data: object) -> httpx.Response:
    return httpx.Response(status, stream=Body([json.dumps(data).encode()]))


def line(frame: Mapping[str, object]) -> bytes:
    return json.dumps(frame).encode() + b"\n"


def provider(
    server: httpx.AsyncBaseTransport,
    **fields: Any,  # noqa: ANN401 - Endpoint's fields by name
) -> OllamaProvider:
    clock = AsyncioClock()
    given = {"name": "ollama", "kind": "ollama", "base_url": "http://127.0.0.1:11434", **fields}
    return OllamaProvider(
        endpoint(**given),
        None,
        clock=clock,
        limiter=Limiter(clock=clock),
        transport=server,
        chance=lambda: 0.0,
    )


def asking(
    model: str = "phi3",
    text: str = "hi",
    *,
    context: int = 0,
    **options: Any,  # noqa: ANN401 - Options' fields by name
) -> ChatRequest:
    return ChatRequest(model, (Message("user", text),), Options(**options), context=context)


def call(server: httpx.AsyncBaseTransport, *requests: ChatRequest, **fields: Any) -> Told:  # noqa: ANN401 - Endpoint's fields by name
    """Make calls one after the other in virtual time; return what came of the last."""

    async def run() -> Told:
        one = provider(server, **fields)
        for request in requests or (asking(),):
            told = await hear(one, request)
        await one.aclose()
        return told

    return virtual_time.run(run())


def race(server: httpx.AsyncBaseTransport, *models: str, runs: int = 1) -> list[Told]:
    """Ask models all at once in virtual time, as often as told; return what the last run said."""

    async def run() -> list[Told]:
        one = provider(server)
        for _ in range(runs):
            told = await asyncio.gather(*(hear(one, asking(model)) for model in models))
        await one.aclose()
        return told

    return virtual_time.run(run())


def phases(told: Told) -> list[tuple[float, str]]:
    """Return what a call said of its waiting, and when."""
    pairs: Sequence[tuple[float, Delta]] = list(zip(told.times, told.deltas, strict=True))
    return [
        (time, f"{delta.name} {delta.behind}".strip())
        for time, delta in pairs
        if isinstance(delta, Phase)
    ]
