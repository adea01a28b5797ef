"""One Ollama call over real sockets: the phases come from the library's own account of it."""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing, suppress

from calls import endpoint
from ollama_double import asking, line

from moa_tui.engine.clock import AsyncioClock
from moa_tui.engine.provider import Delta, Finish, Phase, Text, Usage
from moa_tui.providers import connect
from moa_tui.providers.limits import Limiter


class SlowLoader:
    """Answers a chat when it is told that its model is loaded."""

    def __init__(self) -> None:
        self.is_loaded = asyncio.Event()
        self.is_hung_up = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                size = head.partition(b"content-length: ")[2].split(b"\r\n")[0]
                await reader.readexactly(int(size or b"0"))
                body = await self._answer(head.split()[1].decode(), reader)
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    async def _answer(self, path: str, reader: asyncio.StreamReader) -> bytes:
        if path != "/api/chat":
            return json.dumps({"models": []}).encode()
        gone = asyncio.create_task(reader.read(1))
        loaded = asyncio.create_task(self.is_loaded.wait())
        await asyncio.wait((gone, loaded), return_when=asyncio.FIRST_COMPLETED)
        if gone.done():
            self.is_hung_up.set()
        gone.cancel()
        loaded.cancel()
        await asyncio.wait((gone, loaded))
        return line({"message": {"content": "Hi"}, "done": True, "done_reason": "stop"})


async def told(loader: SlowLoader, *, stops: bool = False) -> list[Delta]:
    async with asyncio.TaskGroup() as connections:

        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            connections.create_task(loader.serve(reader, writer))

        server = await asyncio.start_server(accept, "127.0.0.1", 0)
        try:
            port = server.sockets[0].getsockname()[1]
            return await heard(loader, f"http://127.0.0.1:{port}/v1", stops=stops)
        finally:
            server.close()


async def heard(loader: SlowLoader, base_url: str, *, stops: bool) -> list[Delta]:
    """Return what a call says before and after its load, which ends as soon as it is told."""
    clock = AsyncioClock()
    address = endpoint(kind="ollama", base_url=base_url)
    provider = connect(address, None, clock=clock, limiter=Limiter(clock=clock))
    deltas: list[Delta] = []
    async with aclosing(provider.stream(asking())) as stream:
        async for delta in stream:
            deltas.append(delta)
            if delta == Phase("loading"):
                if stops:
                    break
                loader.is_loaded.set()
    if stops:
        await loader.is_hung_up.wait()
    await provider.aclose()
    return [delta for delta in deltas if delta != Phase("waiting")]


def test_loading_is_told_before_anything_is_answered() -> None:
    async def run() -> list[Delta]:
        return await told(SlowLoader())

    assert asyncio.run(run()) == [
        Phase("connecting"),
        Phase("loading"),
        Text("Hi"),
        Usage(prompt=9, estimated=True),
        Finish("stop"),
    ]


def test_stopping_a_call_that_loads_closes_its_connection() -> None:
    async def run() -> list[Delta]:
        return await told(SlowLoader(), stops=True)

    assert asyncio.run(run()) == [Phase("connecting"), Phase("loading")]
