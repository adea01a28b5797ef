from __future__ import annotations

import asyncio
from socket import socketpair

import pytest
import virtual_time

from moa_tui.providers.pace import Pacer


def waited(*sent: bytes, closed: bool = False) -> float:
    """Return how long a wait of a second takes when these bytes lie in the socket."""
    near, far = socketpair()
    near.settimeout(0)

    async def run() -> float:
        await Pacer().until(1.0, near)
        return asyncio.get_running_loop().time()

    with near, far:
        for data in sent:
            far.send(data)
        if closed:
            far.close()
        return virtual_time.run(run())


def test_tokens_gather_until_the_time_is_over() -> None:
    text = b'data: {"choices":[{"delta":{"content":"a"},"finish_reason":null}]}\n\n'

    assert waited(text, text) == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize(
    "end",
    [b"data: [DONE]\n\n", b'"finish_reason":"stop"', b'"done":true', b"x\r\n0\r\n\r\n"],
)
def test_an_answers_end_is_not_waited_for(end: bytes) -> None:
    assert waited(b"some text", end) < 0.01


def test_a_closed_connection_is_not_waited_for() -> None:
    assert waited(closed=True) < 0.01


def test_peeking_leaves_the_bytes_where_they_are() -> None:
    near, far = socketpair()
    near.settimeout(0)
    with near, far:
        far.send(b"[DONE]")

        virtual_time.run(Pacer().until(1.0, near))

        assert near.recv(10) == b"[DONE]"


def test_several_connections_wait_on_one_ticker() -> None:
    async def run() -> list[float]:
        pacer, loop = Pacer(), asyncio.get_running_loop()

        async def wait(seconds: float) -> float:
            await pacer.until(seconds, None)
            return round(loop.time(), 2)

        return await asyncio.gather(*(wait(seconds) for seconds in (0.3, 0.1, 0.2, 0.0)))

    assert virtual_time.run(run()) == [0.3, 0.1, 0.2, 0.0]
