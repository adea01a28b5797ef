"""How many calls one endpoint and key take at a time, and when all of them hold back."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from moa_tui.engine.clock import Clock


class Limiter:
    """Shared by all calls with one endpoint and key.

    ``max_concurrency`` None means no bound of ours: local servers queue by themselves. Places are
    given in the order of asking. A rate limit that one call meets holds back all of them, so that
    six seats don't each retry on their own clock.
    """

    def __init__(self, max_concurrency: int | None = None, *, clock: Clock) -> None:
        self._max = max_concurrency
        self._places = asyncio.Semaphore(max_concurrency) if max_concurrency else None
        self._running: list[str] = []
        self._clock = clock
        self._held_until = 0.0

    def behind(self) -> str:
        """Return what a call made now would wait for, and what changes that; "" for nothing."""
        if self._places is None or not self._places.locked():
            return ""
        first = self._running[0] if self._running else "another call"
        return f"{first} (max_concurrency = {self._max})"

    @asynccontextmanager
    async def place(self, model: str) -> AsyncGenerator[None, None]:
        """Wait for a place, and keep it for the block."""
        if self._places is None:
            yield
            return
        async with self._places:
            self._running.append(model)
            try:
                yield
            finally:
                self._running.remove(model)

    def hold(self, seconds: float) -> None:
        """Let nobody start within these seconds; an earlier, longer hold stays."""
        self._held_until = max(self._held_until, self._clock.now() + seconds)

    def held_s(self) -> float:
        """Return for how many seconds nobody starts, 0 when anyone may."""
        return max(0.0, self._held_until - self._clock.now())
