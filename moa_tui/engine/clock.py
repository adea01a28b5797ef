"""Time as a service, so that a test can own it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager


class Clock(Protocol):
    """What the program needs of time, all in seconds."""

    def now(self) -> float:
        """Return monotonic time in seconds from an arbitrary origin."""
        ...

    async def sleep(self, seconds: float, /) -> None:
        """Wait."""
        ...

    def timeout(self, seconds: float | None, /) -> AbstractAsyncContextManager[object]:
        """Return a block that raises TimeoutError when it lasts longer; None is for ever."""
        ...


class AsyncioClock:
    """The running loop's clock: real time, or a test loop's."""

    def now(self) -> float:
        """Return the loop's time."""
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float, /) -> None:
        """Wait on the loop."""
        await asyncio.sleep(seconds)

    def timeout(self, seconds: float | None, /) -> AbstractAsyncContextManager[object]:
        """Return an ``asyncio.timeout``."""
        return asyncio.timeout(seconds)
