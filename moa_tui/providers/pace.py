"""Reading in steps: the wake-ups are what costs when tokens come one by one, not the bytes."""

from __future__ import annotations

import asyncio
from socket import MSG_PEEK
from typing import TYPE_CHECKING, Any

import httpcore
import httpx
from anyio._backends import _asyncio  # noqa: F401 - else the first call imports it: 30 ms

if TYPE_CHECKING:
    import ssl
    from asyncio.trsock import TransportSocket
    from collections.abc import Iterable
    from socket import socket

PAUSE_S = 1 / 30
"""A connection is read at most once in this time while its answer streams."""

# Half of it would see an answer's end 1 ms earlier and cost a quarter more CPU (measured).
_TICK_S = 0.004
_FIRST_READS = 2
_PEEKED = 64 << 10
_MAX_IDLE = 20
_ENDS = (
    b"[DONE]",
    b'"finish_reason":"',
    b'"finish_reason": "',
    b'"done":true',
    b'"error"',
    b"\r\n0\r\n",
)
"""What stands in the last bytes of an answer; a false alarm only means an early read."""


class Pacer:
    """Lets connections wait between reads, all on one ticker.

    Nobody receives meanwhile, so that the pieces gather in the kernel and cost one wake-up
    together. A wait is over at once when the bytes look like an answer's end, since the next layer
    of a mixture waits for it. That is a guess which only times the reading; what the bytes mean is
    for the decoder to say. Under TLS nothing can be guessed.
    """

    def __init__(self) -> None:
        self._waiting: dict[asyncio.Future[None], tuple[socket | None, float]] = {}
        self._ticker: asyncio.TimerHandle | None = None

    async def until(self, when: float, sock: socket | None) -> None:
        """Wait until the loop's time is ``when``, or an answer's end lies in the socket."""
        loop = asyncio.get_running_loop()
        if loop.time() >= when:
            return
        over = loop.create_future()
        self._waiting[over] = (sock, when)
        if self._ticker is None:
            self._ticker = loop.call_later(_TICK_S, self._tick, loop)
        try:
            await over
        finally:
            del self._waiting[over]

    def _tick(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        for over, (sock, when) in self._waiting.items():
            if not over.done() and (now >= when or (sock is not None and _is_ending(sock))):
                over.set_result(None)
        is_needed = any(not over.done() for over in self._waiting)
        self._ticker = loop.call_later(_TICK_S, self._tick, loop) if is_needed else None


def _is_ending(sock: socket) -> bool:
    try:
        seen = sock.recv(_PEEKED, MSG_PEEK)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return not seen or any(end in seen for end in _ENDS)


class PacedTransport(httpx.AsyncHTTPTransport):
    """The library's own transport, whose connections wait between reads.

    The library takes no network backend, its foundation does: the pool is made anew with ours.
    Proxies of the environment are not used.
    """

    def __init__(self, verify: ssl.SSLContext) -> None:
        super().__init__(verify=verify)
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=verify,
            max_connections=None,
            max_keepalive_connections=_MAX_IDLE,
            keepalive_expiry=5.0,
            network_backend=_PacedBackend(),
        )


class _PacedBackend(httpcore.AsyncNetworkBackend):
    def __init__(self) -> None:
        self._real = httpcore.AnyIOBackend()
        self._pacer = Pacer()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the library's signature
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        stream = await self._real.connect_tcp(host, port, timeout, local_address, socket_options)
        return _PacedStream(stream, self._pacer)

    async def sleep(self, seconds: float) -> None:
        await self._real.sleep(seconds)


class _PacedStream(httpcore.AsyncNetworkStream):
    """A connection; the first reads after a request are never late.

    The second handle on the socket is for peeking. It closes before the connection does, or the
    server wouldn't hear of a cancelled call.
    """

    def __init__(self, stream: httpcore.AsyncNetworkStream, pacer: Pacer) -> None:
        self._stream = stream
        self._pacer = pacer
        self._next_read = 0.0
        self._reads = 0
        self._peeked = _second_handle(stream)

    async def read(
        self,
        max_bytes: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the library's signature
    ) -> bytes:
        await self._pacer.until(self._next_read, self._peeked)
        data = await self._stream.read(max_bytes, timeout)
        self._reads += 1
        # A full read means that more is here: a fast server isn't held up.
        if self._reads > _FIRST_READS and len(data) < max_bytes:
            self._next_read = asyncio.get_running_loop().time() + PAUSE_S
        return data

    async def write(
        self,
        buffer: bytes,
        timeout: float | None = None,  # noqa: ASYNC109 - the library's signature
    ) -> None:
        self._reads, self._next_read = 0, 0.0
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        self._stop_peeking()
        await self._stream.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - the library's signature
    ) -> httpcore.AsyncNetworkStream:
        self._stop_peeking()
        stream = await self._stream.start_tls(ssl_context, server_hostname, timeout)
        return _PacedStream(stream, self._pacer)

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 - the library's signature
        return self._stream.get_extra_info(info)

    def _stop_peeking(self) -> None:
        peeked, self._peeked = self._peeked, None
        if peeked is not None:
            peeked.close()


def _second_handle(stream: httpcore.AsyncNetworkStream) -> socket | None:
    if stream.get_extra_info("ssl_object") is not None:
        return None
    sock: TransportSocket | None = stream.get_extra_info("socket")
    try:
        return sock.dup() if sock is not None else None
    except OSError:
        # Out of file descriptors: the answer's end is seen a little later, that is all.
        return None
