"""Calls to a provider whose server is a list of steps, in virtual time."""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
import virtual_time

from moa_tui.engine.clock import AsyncioClock
from moa_tui.engine.provider import ChatRequest, Delta, Endpoint, Message, Options
from moa_tui.errors import ProviderError
from moa_tui.providers.anthropic import AnthropicProvider
from moa_tui.providers.limits import Limiter
from moa_tui.providers.openai import OpenAIProvider
from moa_tui.text import Secret

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence

    from moa_tui.engine.provider import Provider

Step = bytes | float | BaseException
"""A piece of a body, seconds to wait, or what goes wrong."""

KEY = Secret("sk-planted-0123456789abcdef")
HELLO = (
    b'data: {"choices":[{"index":0,"delta":{"content":"Hello"},"finish_reason":null}]}\n\n'
    b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
    b"data: [DONE]\n\n"
)
FOREVER = 1e6


def text(content: str) -> bytes:
    chunk = {"choices": [{"index": 0, "delta": {"content": content}, "finish_reason": None}]}
    return f"data: {json.dumps(chunk)}\n\n".encode()


class Body(httpx.AsyncByteStream):
    def __init__(self, steps: Sequence[Step]) -> None:
        self.steps = steps
        self.is_closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for step in self.steps:
            if isinstance(step, bytes):
                yield step
            elif isinstance(step, BaseException):
                raise step
            else:
                await asyncio.sleep(step)

    async def aclose(self) -> None:
        self.is_closed = True


@dataclass
class Answering:
    """What a server does with one request: waits ``before``, then answers, or raises ``fault``."""

    status: int = 200
    body: Sequence[Step] = (HELLO,)
    headers: Mapping[str, str] = field(default_factory=dict)
    before: float = 0.0
    fault: Exception | None = None


class Server(httpx.AsyncBaseTransport):
    """Answers one request after the other as told, the last way again and again."""

    def __init__(self, *answers: Answering) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []
        self.times: list[float] = []
        self.bodies: list[Body] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        self.times.append(asyncio.get_running_loop().time())
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        await asyncio.sleep(answer.before)
        if answer.fault is not None:
            raise answer.fault
        body = Body(answer.body)
        self.bodies.append(body)
        return httpx.Response(answer.status, headers=answer.headers, stream=body)

    @property
    def sent(self) -> list[dict[str, object]]:
        return [json.loads(request.content) for request in self.requests]


@dataclass
class Told:
    """What came of a call: its deltas with their times, and the error that ended it."""

    deltas: list[Delta]
    times: list[float]
    error: ProviderError | None
    seconds: float

    @property
    def kind(self) -> str:
        return self.error.kind if self.error else ""

    @property
    def words(self) -> str:
        return f"{self.error.message} | {self.error.hint}" if self.error else ""


REQUEST = ChatRequest("m", (Message("user", "hi"),), Options())


def endpoint(**fields: Any) -> Endpoint:  # noqa: ANN401 - Endpoint's fields by name
    given: dict[str, Any] = {
        "name": "acme",
        "kind": "openai",
        "base_url": "http://127.0.0.1:9/v1",
        **fields,
    }
    return Endpoint(**given)


async def hear(provider: Provider, request: ChatRequest = REQUEST) -> Told:
    clock = AsyncioClock()
    start = clock.now()
    told = Told([], [], None, 0.0)
    try:
        async with aclosing(provider.stream(request)) as deltas:
            async for delta in deltas:
                told.deltas.append(delta)
                told.times.append(clock.now() - start)
    except ProviderError as error:
        told.error = error
    told.seconds = clock.now() - start
    return told


def provider(
    server: httpx.AsyncBaseTransport | None,
    *,
    secret: Secret | None = None,
    limiter: Limiter | None = None,
    chance: Callable[[], float] = lambda: 0.0,
    **fields: Any,  # noqa: ANN401 - Endpoint's fields by name
) -> OpenAIProvider | AnthropicProvider:
    clock = AsyncioClock()
    speaking = AnthropicProvider if fields.get("kind") == "anthropic" else OpenAIProvider
    return speaking(
        endpoint(**fields),
        secret,
        clock=clock,
        limiter=limiter or Limiter(clock=clock),
        transport=server,
        chance=chance,
    )


def call(
    server: Server,
    request: ChatRequest = REQUEST,
    *,
    secret: Secret | None = None,
    **fields: Any,  # noqa: ANN401 - Endpoint's fields by name
) -> Told:
    """Make one call in virtual time."""
    return virtual_time.run(hear(provider(server, secret=secret, **fields), request))
