from __future__ import annotations

import asyncio
import socket
import ssl
from typing import TYPE_CHECKING

import httpx
import pytest
import virtual_time

from moa_tui.providers.pace import PAUSE_S, Inbox, PacedTransport, _lost_number

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

TOKEN = b'data: {"choices":[{"delta":{"content":"a"},"finish_reason":null}]}\n\n'
READ = 64 << 10


class Wire(asyncio.Transport):
    """A connection that goes nowhere; it keeps what is sent, and whether it is read."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[bytes] = []
        self.takes_more = True

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.sent.append(bytes(data))

    def pause_reading(self) -> None:
        self.takes_more = False

    def resume_reading(self) -> None:
        self.takes_more = True


def connected() -> tuple[Inbox, Wire]:
    inbox, wire = Inbox(), Wire()
    inbox.connection_made(wire)
    return inbox, wire


async def streaming() -> tuple[Inbox, Wire]:
    """Return a connection whose first reads are over: from here on it is paced."""
    inbox, wire = connected()
    await inbox.write(b"POST")
    for _ in range(3):
        inbox.data_received(TOKEN)
        assert await inbox.read(READ) == TOKEN
    return inbox, wire


def timed(work: Callable[[], Awaitable[object]]) -> tuple[object, float]:
    """Return what it returns, and the virtual time when it does."""

    async def run() -> tuple[object, float]:
        return await work(), asyncio.get_running_loop().time()

    return virtual_time.run(run())


def test_the_first_reads_after_a_request_are_not_late() -> None:
    _, t = timed(streaming)

    assert t == 0


def test_tokens_gather_until_the_next_moment() -> None:
    async def run() -> bytes:
        inbox, _ = await streaming()
        loop = asyncio.get_running_loop()
        for n in range(3):
            loop.call_later(n * PAUSE_S / 4, inbox.data_received, TOKEN)
        return await inbox.read(READ)

    data, t = timed(run)

    assert data == TOKEN * 3
    assert t == pytest.approx(PAUSE_S)


def test_all_connections_are_due_at_the_same_moments() -> None:
    async def run() -> set[float]:
        loop, times = asyncio.get_running_loop(), set()

        async def one(begins: float) -> None:
            await asyncio.sleep(begins)
            inbox, _ = await streaming()
            inbox.data_received(TOKEN)
            await inbox.read(READ)
            times.add(round(loop.time(), 6))

        await asyncio.gather(*(one(n * PAUSE_S / 5) for n in range(5)))
        return times

    times, _ = timed(run)

    assert times == {round(PAUSE_S, 6)}


@pytest.mark.parametrize(
    "end",
    [b"data: [DONE]\n\n", b'"finish_reason":"stop"', b'"done":true', b"x\r\n0\r\n\r\n"],
)
@pytest.mark.parametrize("cut", [0, 3, 5])
def test_an_answers_end_is_not_waited_for(end: bytes, cut: int) -> None:
    async def run() -> bytes:
        inbox, _ = await streaming()
        asyncio.get_running_loop().call_soon(inbox.data_received, TOKEN + end[:cut])
        asyncio.get_running_loop().call_later(0.001, inbox.data_received, end[cut:])
        return await inbox.read(READ)

    data, t = timed(run)

    assert data == TOKEN + end
    assert t == pytest.approx(0.001)


def test_an_end_that_lies_there_already_is_not_waited_for() -> None:
    async def run() -> bytes:
        inbox, _ = await streaming()
        inbox.data_received(b"data: [DONE]\n\n")
        return await inbox.read(READ)

    assert timed(run) == (b"data: [DONE]\n\n", 0)


def test_a_closed_connection_is_not_waited_for() -> None:
    async def run() -> list[bytes]:
        inbox, _ = await streaming()
        inbox.data_received(TOKEN)
        inbox.eof_received()
        return [await inbox.read(READ), await inbox.read(READ)]

    assert timed(run) == ([TOKEN, b""], 0)


async def test_a_broken_connection_hands_out_what_came_before_it_fails() -> None:
    inbox, _ = await streaming()
    inbox.data_received(TOKEN)
    inbox.connection_lost(ConnectionResetError("reset"))

    assert await inbox.read(READ) == TOKEN
    with pytest.raises(ConnectionResetError):
        await inbox.read(READ)
    with pytest.raises(ConnectionResetError):
        await inbox.write(b"more")


async def test_who_waits_learns_that_the_connection_broke() -> None:
    inbox, _ = await streaming()
    asyncio.get_running_loop().call_soon(inbox.connection_lost, ConnectionResetError("reset"))

    with pytest.raises(ConnectionResetError):
        await inbox.read(READ)


def test_a_fast_server_is_not_held_up() -> None:
    async def run() -> int:
        inbox, _ = await streaming()
        inbox.data_received(TOKEN * 2000)
        count = 0
        while inbox.is_readable and count < 1000:
            assert len(await inbox.read(1000)) <= 1000
            count += 1
        return count

    count, t = timed(run)

    assert count == -(-len(TOKEN) * 2000 // 1000)
    assert t == pytest.approx(PAUSE_S)


def test_what_nobody_reads_is_left_with_the_server() -> None:
    async def run() -> list[bool]:
        inbox, wire = await streaming()
        seen = [wire.takes_more]
        inbox.data_received(b"x" * (256 << 10))
        seen.append(wire.takes_more)
        await inbox.read(READ)
        return [*seen, wire.takes_more]

    assert timed(run) == ([True, False, True], 0)


def test_a_fast_server_is_read_on_only_when_there_is_room() -> None:
    async def run() -> list[bool]:
        inbox, wire = await streaming()
        inbox.data_received(b"x" * (300 << 10))
        seen = []
        for _ in range(2):
            await inbox.read(32 << 10)
            seen.append(wire.takes_more)
        return seen

    assert timed(run) == ([False, True], 0)


async def test_a_request_waits_while_the_server_takes_nothing() -> None:
    inbox, wire = connected()
    inbox.pause_writing()
    writing = asyncio.create_task(inbox.write(b"POST"))
    await asyncio.sleep(0)

    assert (wire.sent, writing.done()) == ([b"POST"], False)
    inbox.resume_writing()
    await writing


async def test_a_cancelled_read_loses_nothing() -> None:
    inbox, _ = await streaming()
    reading = asyncio.create_task(inbox.read(READ))
    await asyncio.sleep(0)
    reading.cancel()
    await asyncio.wait([reading])
    inbox.data_received(b"data: [DONE]\n\n")

    assert await inbox.read(READ) == b"data: [DONE]\n\n"


async def test_a_host_that_refuses_at_every_address_has_refused(
    unused_tcp_port_factory: Callable[[], int],
) -> None:
    # "localhost" is an IPv4 and an IPv6 address on most machines, and both refuse.
    url = f"http://localhost:{unused_tcp_port_factory()}"
    transport = PacedTransport(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
    async with httpx.AsyncClient(transport=transport) as client:
        with pytest.raises(httpx.ConnectError) as caught:
            await client.get(url)

    cause = caught.value.__cause__
    assert cause is not None
    assert isinstance(cause.__context__, ConnectionRefusedError)


def test_an_error_of_several_addresses_is_the_one_they_share() -> None:
    told = "Multiple exceptions: [Errno 111] Connect call failed (1), [Errno {}] the same (2)"

    assert _lost_number(OSError(told.format(111))) == 111
    assert _lost_number(OSError(told.format(113))) is None
    assert _lost_number(OSError(111, "refused")) is None


async def test_a_name_that_no_host_can_have_is_not_found() -> None:
    transport = PacedTransport(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
    async with httpx.AsyncClient(transport=transport) as client:
        with pytest.raises(httpx.ConnectError) as caught:
            await client.get(f"http://{'x' * 64}.example")

    cause = caught.value.__cause__
    assert cause is not None
    assert isinstance(cause.__context__, socket.gaierror)
