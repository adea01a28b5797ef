"""An event loop whose time is virtual: waiting costs nothing and happens in exact order."""

from __future__ import annotations

import asyncio
import selectors
import socket
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine

T = TypeVar("T")

_WRITABLE_S = 0.5


class _JumpingSelector(selectors.DefaultSelector):
    """Doesn't wait for a timer: it moves the loop's time there, once nothing is on its way."""

    now = 0.0
    _probe: tuple[socket.socket, socket.socket] | None = None

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if len(self.get_map()) > 1:  # the loop's own wake-up is always there
            ready = self._settled()
        if not ready and timeout is None:
            raise RuntimeError("the test waits for something that never comes")
        if not ready and timeout is not None:
            self.now += timeout
        return ready

    def close(self) -> None:
        for end in self._probe or ():
            end.close()
        super().close()

    def _settled(self) -> list[tuple[selectors.SelectorKey, int]]:
        """Return what is ready when all that sockets of this process were sent has arrived.

        Loopback delivers in order: what was sent before the probe's byte is there when that is.
        """
        self._probe = self._probe or _connected_pair()
        sender, receiver = self._probe
        sender.send(b".")
        receiver.recv(1)
        # A full buffer, unlike a timer, is emptied by the system in its own time.
        waits_to_write = any(key.events & selectors.EVENT_WRITE for key in self.get_map().values())
        return super().select(_WRITABLE_S if waits_to_write else 0)


def _connected_pair() -> tuple[socket.socket, socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        sender = socket.create_connection(server.getsockname())
        receiver, _ = server.accept()
    sender.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sender, receiver


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """Runs what needs no other process and no thread; sockets need both their ends in it.

    No name of a host is known: looking one up would take a thread.
    """

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now

    async def getaddrinfo(self, host: object, *_args: Any, **_kinds: Any) -> NoReturn:  # noqa: ANN401 - the loop's signature
        raise socket.gaierror(socket.EAI_NONAME, f"there is no host {host!r}")


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in virtual time, from 0 seconds on."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main)
