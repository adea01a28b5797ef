from __future__ import annotations

import asyncio
import os
import struct
import subprocess
import sys
from contextlib import asynccontextmanager
from dataclasses import replace
from socket import SO_LINGER, SOL_SOCKET
from typing import TYPE_CHECKING

import anthropic_calls
import pytest
from calls import HELLO, KEY, REQUEST, endpoint, hear, text

from moa_tui.engine.clock import AsyncioClock
from moa_tui.engine.provider import Endpoint, Finish, Retrying, Text
from moa_tui.providers import connect
from moa_tui.providers.limits import Limiter

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from moa_tui.engine.provider import Kind, Provider
    from moa_tui.text import Secret

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
CHUNKED = HEAD + b"transfer-encoding: chunked\r\n\r\n"
DONE = [Text("Hello"), Finish("stop")]


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


class Line:
    """One connection as a script sees it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def request(self) -> bytes:
        head = await self.reader.readuntil(b"\r\n\r\n")
        size = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0] or b"0")
        return head + await self.reader.readexactly(size)

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    def reset(self) -> None:
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


@asynccontextmanager
async def serving(*scripts: Callable[[Line], Awaitable[None]]) -> AsyncGenerator[Endpoint, None]:
    """Serve each connection by the next script, the last one again and again."""
    waiting = list(scripts)

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        script = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        try:
            await script(Line(reader, writer))
        finally:
            writer.close()

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield endpoint(base_url=f"http://127.0.0.1:{port}/v1")
    finally:
        server.close()


@asynccontextmanager
async def connected(
    address: Endpoint, secret: Secret | None = None
) -> AsyncGenerator[Provider, None]:
    clock = AsyncioClock()
    provider = connect(address, secret, clock=clock, limiter=Limiter(clock=clock))
    try:
        yield provider
    finally:
        await provider.aclose()


async def answer(line: Line) -> None:
    await line.request()
    await line.send(CHUNKED + chunk(HELLO) + b"0\r\n\r\n")


@pytest.mark.parametrize(
    "sent",
    [
        CHUNKED + chunk(HELLO) + b"0\r\n\r\n",
        CHUNKED + b"".join(chunk(HELLO[at : at + 1]) for at in range(len(HELLO))) + b"0\r\n\r\n",
        HEAD + b"content-length: %d\r\n\r\n" % len(HELLO) + HELLO,
        HEAD + b"\r\n" + HELLO,
        b"HTTP/1.0 200 OK\r\n\r\n" + HELLO,
        CHUNKED + chunk(HELLO),
        HEAD + b"content-length: 9999\r\n\r\n" + HELLO,
    ],
    ids=["chunked", "byte-chunks", "length", "close", "http10", "cut-after-done", "short"],
)
async def test_an_answer_is_whole_however_it_is_framed(sent: bytes) -> None:
    async def script(line: Line) -> None:
        await line.request()
        await line.send(sent)

    async with serving(script) as address, connected(address) as provider:
        told = await hear(provider)

    text_told = "".join(delta.text for delta in told.deltas if isinstance(delta, Text))
    assert (text_told, told.deltas[-1], told.error) == ("Hello", Finish("stop"), None)


async def test_a_cut_keeps_what_came() -> None:
    async def script(line: Line) -> None:
        await line.request()
        await line.send(CHUNKED + chunk(text("Hel")))

    async with serving(script) as address, connected(address) as provider:
        told = await hear(provider)

    assert (told.deltas[2:], told.kind) == ([Text("Hel")], "cut")


async def test_a_refused_port_fails_at_once_in_words() -> None:
    async with serving(answer) as address:
        pass
    async with connected(address) as provider:
        told = await hear(provider)

    host = address.base_url.removeprefix("http://").removesuffix("/v1")
    assert told.words == f"nothing listens at {host} | start the server, or check base_url"


async def test_what_is_no_http_is_a_protocol_failure() -> None:
    async def script(line: Line) -> None:
        await line.request()
        await line.send(b"SSH-2.0-OpenSSH\r\n\r\n")

    async with serving(script) as address, connected(address) as provider:
        told = await hear(provider)

    assert told.kind == "protocol"


async def test_a_stale_connection_is_opened_again_without_a_word() -> None:
    requests = []

    async def stale(line: Line) -> None:
        requests.append(await line.request())
        await line.send(CHUNKED + chunk(HELLO) + b"0\r\n\r\n")
        requests.append(await line.request())
        line.reset()

    async def fresh(line: Line) -> None:
        requests.append(await line.request())
        await line.send(CHUNKED + chunk(HELLO) + b"0\r\n\r\n")

    async with serving(stale, fresh) as address, connected(address) as provider:
        first, second = await hear(provider), await hear(provider)

    assert [first.deltas[2:], second.deltas[2:]] == [DONE, DONE]
    assert len(requests) == 3


async def test_a_finished_call_gives_its_connection_to_the_next() -> None:
    lines = []

    async def script(line: Line) -> None:
        lines.append(line)
        for _ in range(2):
            await line.request()
            await line.send(CHUNKED + chunk(HELLO) + b"0\r\n\r\n")

    async with serving(script) as address, connected(address) as provider:
        told = [await hear(provider), await hear(provider)]

    assert [one.deltas[2:] for one in told] == [DONE, DONE]
    assert len(lines) == 1


@pytest.mark.parametrize("way", ["close", "cancel"])
async def test_a_stopped_call_closes_its_socket(way: str) -> None:
    closed = asyncio.Event()

    async def script(line: Line) -> None:
        await line.request()
        await line.send(CHUNKED + chunk(text("Hel")))
        assert await line.reader.read() == b""
        closed.set()

    async with serving(script) as address, connected(address) as provider:
        stream = provider.stream(REQUEST)
        while await anext(stream) != Text("Hel"):
            pass
        if way == "close":
            await stream.aclose()
        else:
            task = asyncio.ensure_future(anext(stream))
            await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])
        async with asyncio.timeout(5):
            await closed.wait()


@pytest.mark.parametrize("kind", ["openai", "anthropic"])
async def test_a_redirect_gets_neither_prompt_nor_key(kind: Kind) -> None:
    got = []

    async def elsewhere(line: Line) -> None:
        got.append(await line.request())

    async with serving(elsewhere) as other:

        async def script(line: Line) -> None:
            await line.request()
            location = other.base_url.encode()
            await line.send(
                b"HTTP/1.1 308 Go\r\nlocation: %s\r\ncontent-length: 0\r\n\r\n" % location
            )

        async with (
            serving(script) as address,
            connected(replace(address, kind=kind), KEY) as provider,
        ):
            told = await hear(provider)

    assert (told.kind, got) == ("protocol", [])


async def test_a_message_of_anthropic_s_dialect_comes_byte_by_byte() -> None:
    heads = []

    async def script(line: Line) -> None:
        heads.append((await line.request()).decode().lower())
        body = anthropic_calls.HELLO
        await line.send(CHUNKED + b"".join(chunk(body[at : at + 1]) for at in range(len(body))))

    async with (
        serving(script) as address,
        connected(replace(address, kind="anthropic"), KEY) as provider,
    ):
        told = await hear(provider)

    text_told = "".join(delta.text for delta in told.deltas if isinstance(delta, Text))
    assert (text_told, told.deltas[-1], told.error) == ("Hello", Finish("stop"), None)
    (head,) = heads
    assert head.startswith("post /v1/messages http/1.1\r\n")
    assert f"\r\nx-api-key: {KEY.reveal()}\r\n" in head
    assert "authorization" not in head


async def test_a_reset_is_tried_again_where_all_can_see() -> None:
    async def script(line: Line) -> None:
        await line.request()
        line.reset()

    async with serving(script, answer) as address, connected(address) as provider:
        stream = provider.stream(REQUEST)
        seen = [await anext(stream) for _ in range(3)]
        await stream.aclose()

    assert isinstance(seen[-1], Retrying)
    assert seen[-1].kind == "cut"


PROXIED = """
import asyncio, sys
sys.path.insert(0, "tests")
from calls import hear, provider
told = asyncio.run(hear(provider(None, base_url=sys.argv[1])))
print(told.kind, told.words)
"""


@pytest.mark.parametrize(
    ("url", "environment", "words"),
    [
        ("http://127.0.0.1:1", {"http_proxy": "http://127.0.0.1:2"}, "nothing listens at"),
        ("http://127.0.0.1:1", {"ALL_PROXY": "socks5://127.0.0.1:2"}, "nothing listens at"),
        ("http://192.0.2.1", {"http_proxy": "http://127.0.0.1:2"}, "the proxy 127.0.0.1:2"),
        ("http://192.0.2.1", {"ALL_PROXY": "socks5://127.0.0.1:2"}, "is a SOCKS proxy"),
        (
            "http://192.0.2.1",
            {"http_proxy": "me:s3cretpw@127.0.0.1:2"},
            "through the proxy 127.0.0.1:2",
        ),
        ("http://192.0.2.1", {"http_proxy": "me:s3cretpw@[::1"}, "the proxy [::1 is no host:port"),
        ("http://192.0.2.1", {"http_proxy": "ftp://me:s3cretpw@127.0.0.1"}, "settings are broken"),
        (
            "http://192.0.2.1",
            {"http_proxy": "http://me:s3cretpw@127.0.0.1:99999"},
            ":99999 is no host",
        ),
        ("https://192.0.2.1", {"SSL_CERT_FILE": "/nowhere.pem"}, "check SSL_CERT_FILE"),
        ("https://127.0.0.1:1", {"SSL_CERT_FILE": "/nowhere.pem"}, "check SSL_CERT_FILE"),
    ],
)
def test_the_environments_proxy_and_certificates_are_named(
    url: str, environment: dict[str, str], words: str
) -> None:
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", PROXIED, url],
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.startswith("connect ")
    assert words in done.stdout
    assert "s3cretpw" not in done.stdout
