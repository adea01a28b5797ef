"""Reading in steps: the wake-ups are what costs when tokens come one by one, not the bytes."""

from __future__ import annotations

import asyncio
from socket import MSG_PEEK
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket

PAUSE_S = 1 / 30
_TICK_S = 0.004
_PEEKED = 64 << 10
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
    """Lets streams pause between reads, all on one ticker.

    Nobody receives during a pause, so that the pieces gather in the kernel and cost one wake-up
    together. A pause is over at once when the peeked bytes look like an answer's end, since the
    next layer of a mixture waits for it. That is a guess which only times the reading; what the
    bytes mean is for the decoder to say. Under TLS nothing can be guessed.
    """

    def __init__(self) -> None:
        self._paused: dict[asyncio.Future[None], tuple[socket.socket | None, float]] = {}
        self._ticker: asyncio.TimerHandle | None = None

    async def pause(self, sock: socket.socket | None) -> None:
        """Wait ``PAUSE_S``, or less if the end of the answer lies in the socket."""
        loop = asyncio.get_running_loop()
        until = loop.create_future()
        self._paused[until] = (sock, loop.time() + PAUSE_S)
        if self._ticker is None:
            self._ticker = loop.call_later(_TICK_S, self._tick, loop)
        try:
            await until
        finally:
            del self._paused[until]

    def _tick(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        for until, (sock, end) in self._paused.items():
            if not until.done() and (now >= end or (sock and _is_ending(sock))):
                until.set_result(None)
        is_needed = any(not until.done() for until in self._paused)
        self._ticker = loop.call_later(_TICK_S, self._tick, loop) if is_needed else None


def _is_ending(sock: socket.socket) -> bool:
    try:
        seen = sock.recv(_PEEKED, MSG_PEEK)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return not seen or any(end in seen for end in _ENDS)
