"""A model server that fails as it is told: over sockets of loopback, in the test's own loop.

The model that a request asks for is the scenario of `fault_scenarios` that is played; the server
writes down what the client did. Time is the loop's, so that under `virtual_time` nothing is waited
for.
"""

from __future__ import annotations

import asyncio
import json
import struct
from collections import Counter
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from socket import SO_LINGER, SOL_SOCKET
from typing import TYPE_CHECKING, Literal

from fault_scenarios import DIALECTS, Reply, play

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator, Sequence

    from fault_scenarios import Dialect

_READ_AT_ONCE = 65536
_TLS_RECORD = b"\x16\x03"


@dataclass(kw_only=True)
class Call:
    """One request for an answer, and how its connection ended as the server saw it.

    ``t`` is when the request was there; ``hung_up_t`` when the client closed the connection while
    it was still being answered, None if it never did.
    """

    model: str
    connection: int
    t: float
    head: str
    body: bytes
    hung_up_t: float | None = None
    sent: int = 0
    is_over: asyncio.Event = field(default_factory=asyncio.Event)


class _Line:
    """One connection: requests come in, bytes go out, and the client may go away at any time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.gone = asyncio.Event()
        self._reader = reader
        self._writer = writer
        self._came = bytearray()
        self._news = asyncio.Event()
        self._pump = asyncio.create_task(self._read())

    async def request(self) -> tuple[str, bytes] | None:
        """Return the next request's head and body, None when none comes or it speaks TLS."""
        while (end := self._came.find(b"\r\n\r\n")) < 0:
            if self._came.startswith(_TLS_RECORD):
                await self.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                return None
            if not await self._more():
                return None
        head = self._came[: end + 4].decode("latin-1")
        size = int(head.lower().partition("content-length: ")[2].partition("\r\n")[0] or "0")
        while len(self._came) < end + 4 + size:
            if not await self._more():
                return None
        body = bytes(self._came[end + 4 : end + 4 + size])
        del self._came[: end + 4 + size]
        return head, body

    async def send(self, data: bytes) -> None:
        """Send, as fast as the client takes it."""
        self._writer.write(data)
        with suppress(ConnectionError):
            await self._writer.drain()
        if self._writer.is_closing():
            await self.gone.wait()

    async def wait(self, seconds: float | None) -> None:
        """Wait so long, or until the client has gone."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.gone.wait()

    def reset(self) -> None:
        """Break the connection off."""
        sock = self._writer.get_extra_info("socket")
        sock.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()

    async def aclose(self) -> None:
        """Close the connection and stop reading."""
        self._writer.close()
        self._pump.cancel()
        await asyncio.wait([self._pump])

    async def _read(self) -> None:
        with suppress(ConnectionError):
            while data := await self._reader.read(_READ_AT_ONCE):
                self._came += data
                self._news.set()
        self.gone.set()
        self._news.set()

    async def _more(self) -> bool:
        """Wait for more; return False when none comes."""
        if self.gone.is_set():
            return False
        await self._news.wait()
        self._news.clear()
        return True


class FaultServer:
    """What the server saw; ``arrivals`` counts what reached the place that redirects point to."""

    def __init__(self, dialect: Dialect) -> None:
        self.calls: list[Call] = []
        self.arrivals = 0
        self.base_url = ""
        self.elsewhere = ""
        self._dialect = dialect
        self._replies: dict[str, Sequence[Reply]] = {}
        self._asked: Counter[str] = Counter()
        self._lines: set[asyncio.Task[None]] = set()
        self._connections = 0

    def of(self, model: str) -> list[Call]:
        """Return the calls of one model, in their order."""
        return [call for call in self.calls if call.model == model]

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        self._connections += 1
        task = asyncio.create_task(self._serve(_Line(reader, writer), self._connections))
        self._lines.add(task)
        task.add_done_callback(self._lines.discard)

    def arrive(self, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Count a connection that should never have been made."""
        self.arrivals += 1
        writer.close()

    async def aclose(self) -> None:
        """End all connections."""
        for task in self._lines:
            task.cancel()
        await asyncio.gather(*self._lines, return_exceptions=True)

    async def _serve(self, line: _Line, connection: int) -> None:
        is_first = True
        try:
            while (request := await line.request()) is not None:
                if not await self._answer(line, connection, *request, is_first=is_first):
                    return
                is_first = False
        finally:
            await line.aclose()

    async def _answer(
        self, line: _Line, connection: int, head: str, body: bytes, *, is_first: bool
    ) -> bool:
        """Answer one request; return whether the connection may carry another."""
        asked = json.loads(body) if body else {}
        model = asked.get("model", "")
        path = head.split(" ")[1].rpartition("/")[2]
        if path not in ("completions", "chat"):
            await line.send(_aside(path, self._dialect, self._asked))
            return False
        now = asyncio.get_running_loop().time()
        call = Call(model=model, connection=connection, t=now, head=head, body=body)
        self.calls.append(call)
        try:
            return await self._play(line, call, is_first=is_first)
        finally:
            if line.gone.is_set():
                call.hung_up_t = asyncio.get_running_loop().time()
            call.is_over.set()

    async def _play(self, line: _Line, call: Call, *, is_first: bool) -> bool:
        replies = self._replies.get(call.model)
        if replies is None:
            replies = self._replies[call.model] = play(call.model, self._dialect, self.elsewhere)
        reply = replies[min(self._asked[call.model], len(replies) - 1)]
        self._asked[call.model] += 1
        if reply.is_for_reused and is_first:
            reply = replies[0]
        for step in _wire(reply):
            if line.gone.is_set():
                return False
            if isinstance(step, bytes):
                await line.send(step)
                call.sent += len(step)
            else:
                await line.wait(step)
        return await _end(line, reply.end)


async def _end(line: _Line, how: Literal["whole", "close", "cut", "reset", "hang"]) -> bool:
    if how == "hang":
        await line.wait(None)
    if how == "reset":
        line.reset()
    return how == "whole"


def _wire(reply: Reply) -> Iterator[bytes | float]:
    """Yield a reply as it goes over the wire."""
    if reply.framing == "raw":
        yield from reply.body
        return
    body, lines = reply.body, [f"{name}: {value}" for name, value in reply.headers]
    if reply.framing == "chunked":
        lines.append("Transfer-Encoding: chunked")
    if reply.framing in ("length", "short"):
        whole = b"".join(step for step in body if isinstance(step, bytes))
        body = [whole]
        lines.append(f"Content-Length: {len(whole) + (100 if reply.framing == 'short' else 0)}")
    version = "1.0" if reply.framing == "http10" else "1.1"
    lines = [f"HTTP/{version} {reply.status} Status", *lines]
    yield "".join(f"{line}\r\n" for line in lines).encode() + b"\r\n"
    for step in body:
        if isinstance(step, bytes) and reply.framing == "chunked":
            yield b"%x\r\n%s\r\n" % (len(step), step)
        else:
            yield step
    if reply.framing == "chunked" and reply.end in ("whole", "close"):
        yield b"0\r\n\r\n"


def _aside(path: str, dialect: Dialect, asked: Counter[str]) -> bytes:
    """Return what an Ollama answers that isn't a chat, on a connection that ends with it."""
    pages: dict[str, object] = {
        "show": {"capabilities": ["completion", "thinking"]},
        "ps": {"models": [{"name": name, "context_length": 0} for name in asked]},
        "tags": {"models": [{"name": "404-models:latest", "size": 1}]},
    }
    page = pages.get(path) if dialect.name == "ollama" else None
    body = json.dumps(page).encode()
    status = 404 if page is None else 200
    head = f"HTTP/1.1 {status} Status\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return head.encode() + body


@asynccontextmanager
async def serving(dialect: str) -> AsyncGenerator[FaultServer, None]:
    """Serve every scenario in a dialect, ``openai`` or ``ollama``."""
    server = FaultServer(DIALECTS[dialect])
    first = await asyncio.start_server(server.accept, "127.0.0.1", 0)
    other = await asyncio.start_server(server.arrive, "127.0.0.1", 0)
    server.base_url = f"http://127.0.0.1:{first.sockets[0].getsockname()[1]}/v1"
    server.elsewhere = f"127.0.0.1:{other.sockets[0].getsockname()[1]}"
    try:
        yield server
    finally:
        first.close()
        other.close()
        await server.aclose()
