"""Reading in steps: the wake-ups are what costs when tokens come one by one, not the bytes."""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpcore
import httpx
from anyio._backends import _asyncio  # noqa: F401 - else the first call imports it: 30 ms

if TYPE_CHECKING:
    import ssl
    from collections.abc import Generator, Iterable

PAUSE_S = 1 / 30
"""A connection is read at most once in this time while its answer streams."""

_FIRST_READS = 2
_MOST_HELD = 256 << 10
_MAX_IDLE = 20
_OTHER_FAMILY_S = 0.25
_ERRNO = re.compile(r"\[Errno (\d+)\]")
_ENDS = (
    b"[DONE]",
    b'"finish_reason":"',
    b'"finish_reason": "',
    b'"done":true',
    b'"error"',
    b"\r\n0\r\n",
)
"""What stands in the last bytes of an answer; a false alarm only means an early read."""

_LONGEST_END = max(map(len, _ENDS))


class Inbox(asyncio.Protocol):
    """The bytes of one connection as they arrive, handed out in steps.

    Only who reads is made to wait: pieces gather here, and many cost one wake-up of a task
    together. All connections are due at the same moments, multiples of `PAUSE_S` on the loop's
    clock, so that a frame of the screen shows what all of them brought. What looks like an
    answer's end is handed out at once, since the next layer of a mixture waits for it. That is a
    guess which only times the reading; what the bytes mean is for the decoder to say. The first
    reads after a request are never late either.
    """

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self._held = bytearray()
        self._is_over = False
        self._fault: Exception | None = None
        self._reads = 0
        self._due = 0.0
        self._reader: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._may_write = asyncio.Event()
        self._may_write.set()

    @property
    def is_readable(self) -> bool:
        """Whether a read would bring bytes, or the end, at once."""
        return bool(self._held) or self._is_over

    async def read(self, max_bytes: int) -> bytes:
        """Return what has come, at most so much; empty is the end.

        Raises:
            OSError: the connection broke, and all that had come before is handed out.
        """
        await self._until_due()
        if not self._held and self._fault is not None:
            raise self._fault
        data = bytes(self._held[:max_bytes])
        del self._held[:max_bytes]
        if self.transport is not None and len(self._held) < _MOST_HELD:
            self.transport.resume_reading()
        self._reads += 1
        # What is left over means that more came than one read takes: a fast server isn't held up.
        if self._reads > _FIRST_READS and not self._held:
            now = asyncio.get_running_loop().time()
            self._due = (now // PAUSE_S + 1) * PAUSE_S
        return data

    async def write(self, data: bytes) -> None:
        """Send a part of a request; what is read after it is its answer.

        Raises:
            OSError: the connection is gone.
        """
        self._reads, self._due = 0, 0.0
        if self._is_over or self.transport is None:
            raise self._fault or ConnectionResetError("the connection was closed")
        self.transport.write(data)
        await self._may_write.wait()

    async def aclose(self) -> None:
        """Close the connection: the other side learns it at once, whatever lies here unread."""
        if self.transport is not None:
            self.transport.close()
            await asyncio.sleep(0)
            # Closing alone waits for what couldn't be written yet, and for a goodbye under TLS.
            self.transport.abort()

    # What the event loop tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Hear that the connection stands."""
        if isinstance(transport, asyncio.Transport):
            self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Take bytes in; wake who reads if it is time."""
        self._held += data
        if len(self._held) >= _MOST_HELD and self.transport is not None:
            self.transport.pause_reading()
            self._wake()
        elif self._reader is not None and self._is_ending(len(data)):
            self._wake()
        else:
            self._wake_when_due()

    def eof_received(self) -> None:
        """Hear that nothing more comes."""
        self._is_over = True
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        """Hear that the connection is gone."""
        self._is_over, self._fault = True, self._fault or exc
        self._may_write.set()
        self._wake()

    def pause_writing(self) -> None:
        """Hear that the other side takes nothing at the moment."""
        self._may_write.clear()

    def resume_writing(self) -> None:
        """Hear that it does again."""
        self._may_write.set()

    # When to read

    async def _until_due(self) -> None:
        is_full = len(self._held) >= _MOST_HELD
        if self._is_over or is_full or self._is_ending(len(self._held)):
            return
        self._reader = asyncio.get_running_loop().create_future()
        try:
            if self._held:
                self._wake_when_due()
            await self._reader
        finally:
            self._reader = None
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

    def _wake_when_due(self) -> None:
        if self._reader is None or self._timer is not None:
            return
        loop = asyncio.get_running_loop()
        if loop.time() >= self._due:
            self._wake()
        else:
            self._timer = loop.call_at(self._due, self._wake)

    def _wake(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    def _is_ending(self, new: int) -> bool:
        """Whether the last bytes, of which so many are new, look like an answer's end."""
        tail = self._held[-(new + _LONGEST_END) :]
        return any(end in tail for end in _ENDS)


class PacedTransport(httpx.AsyncHTTPTransport):
    """The library's own transport over connections that are read in steps.

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
            network_backend=_Network(),
        )


class _Network(httpcore.AsyncNetworkBackend):
    """Makes connections with an `Inbox`; time limits are the caller's, with the program's clock."""

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002, ASYNC109 - the library's signature
        local_address: str | None = None,  # noqa: ARG002 - likewise
        socket_options: Iterable[Any] | None = None,  # noqa: ARG002 - likewise
    ) -> httpcore.AsyncNetworkStream:
        loop = asyncio.get_running_loop()
        with _told_as(httpcore.ConnectError):
            try:
                _, inbox = await loop.create_connection(
                    Inbox, host, port, happy_eyeballs_delay=_rivals_wait(host)
                )
            except UnicodeError as error:
                # No name of a host may have such a label: nobody can look it up.
                raise socket.gaierror(socket.EAI_NONAME, str(error)) from error
            except OSError as error:
                if (number := _lost_number(error)) is None:
                    raise
                raise OSError(number, str(error)) from error
        return _Connection(inbox)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class _Connection(httpcore.AsyncNetworkStream):
    """An `Inbox` as the library wants it."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox

    async def read(
        self,
        max_bytes: int,
        timeout: float | None = None,  # noqa: ARG002, ASYNC109 - the library's signature
    ) -> bytes:
        with _told_as(httpcore.ReadError):
            return await self._inbox.read(max_bytes)

    async def write(
        self,
        buffer: bytes,
        timeout: float | None = None,  # noqa: ARG002, ASYNC109 - the library's signature
    ) -> None:
        with _told_as(httpcore.WriteError):
            await self._inbox.write(buffer)

    async def aclose(self) -> None:
        await self._inbox.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002, ASYNC109 - the library's signature
    ) -> httpcore.AsyncNetworkStream:
        inbox, plain = self._inbox, self._inbox.transport
        if plain is None:
            raise httpcore.ConnectError("there is no connection")
        with _told_as(httpcore.ConnectError):
            inbox.transport = await asyncio.get_running_loop().start_tls(
                plain, inbox, ssl_context, server_hostname=server_hostname
            )
        return self

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 - the library's signature
        if info == "is_readable":
            return self._inbox.is_readable
        return self._inbox.transport and self._inbox.transport.get_extra_info(info)


@contextmanager
def _told_as(kind: type[httpcore.NetworkError]) -> Generator[None, None, None]:
    """Let a fault of the system be one of the library's, with its cause."""
    try:
        yield
    except OSError as error:
        raise kind(str(error)) from error


def _rivals_wait(host: str) -> float | None:
    """Return after how many seconds a host's next address is tried too; None for an address.

    The event loop's race of addresses leaves a socket open when it is cancelled as it is won.
    """
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return _OTHER_FAMILY_S
    return None


def _lost_number(error: OSError) -> int | None:
    """Return the system's number of an error of which every address of a host had the same.

    The event loop joins the texts of several and drops their kinds, which the number makes anew.
    """
    numbers = set(_ERRNO.findall(str(error)))
    return int(numbers.pop()) if error.errno is None and len(numbers) == 1 else None
