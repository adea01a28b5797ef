"""The events of one run on their way to whoever iterates it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from moa_tui.engine.clock import Clock
    from moa_tui.engine.events import Event


class Feed:
    """Stamps events with their number and time and hands them to whoever iterates the run."""

    def __init__(self, clock: Clock, ids: Iterator[int]) -> None:
        self._clock = clock
        self._ids = ids
        self._started = clock.now()
        self._queue: asyncio.Queue[Event | None] = asyncio.Queue()

    @property
    def t(self) -> float:
        """Seconds since the run started."""
        return self._clock.now() - self._started

    def emit(self, event: Callable[..., Event], /, **fields: Any) -> None:  # noqa: ANN401 - the event's own fields
        """Stamp and queue an event."""
        self._queue.put_nowait(event(n=next(self._ids), t=self.t, **fields))

    def end(self) -> None:
        """Say that nothing more comes."""
        self._queue.put_nowait(None)

    @property
    def has_more(self) -> bool:
        """Whether an event waits to be taken, or the end."""
        return not self._queue.empty()

    async def next(self) -> Event | None:
        """Return the next event, None at the end."""
        return await self._queue.get()
