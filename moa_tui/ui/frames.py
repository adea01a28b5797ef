"""One clock for everything that moves: dirty widgets are flushed together, a frame at a time."""

from __future__ import annotations

import asyncio
import math
import time
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.widget import Widget

    Later: TypeAlias = "Callable[[float, Callable[[], None]], object]"

MOST_OF_FRAME = 0.25
LONGEST_FRAME_S = 0.25
FIGURES_S = 0.25
CALM_FIGURES_S = 1.0


class Flushable(Protocol):
    """Something with changes that wait for a frame."""

    def flush(self) -> None:
        """Put what changed on the screen."""
        ...


class FrameClock:
    """Flushes what asked for it, all together, at most ``fps`` times a second.

    No timer runs while nothing is dirty. The first request after a rest is flushed at once, so
    that a lone key or token isn't held back. When a frame's work takes more than a quarter of it,
    the next frames are longer: the loop belongs to keys and streams first.

    Work is counted in CPU seconds from the flush to the painted screen: waiting isn't load. A test
    passes ``now``, ``cpu`` (both in seconds) and ``later(seconds, callback)``.
    """

    def __init__(
        self,
        owner: Widget | None,
        fps: int = 60,
        *,
        now: Callable[[], float] = time.perf_counter,
        cpu: Callable[[], float] = time.process_time,
        later: Later | None = None,
    ) -> None:
        self._owner = owner
        self._own_fps = fps
        self._shortest_s = 1 / fps
        self._now = now
        self._cpu = cpu
        self._later = later or self._on_loop
        self._dirty: dict[Flushable, None] = {}
        self._is_scheduled = False
        self._began = -math.inf
        self.frame_s = self._shortest_s
        """The present length of a frame in seconds; the load decides it."""
        self.figures_s = FIGURES_S
        """Seconds between two changes of a widget's figures."""

    def pace(self, fps: float | None) -> None:
        """Flush at most so many times a second from now on; None is as often as it began with.

        At another pace than its own, motion is unwelcome: figures change seldom then.
        """
        self._shortest_s = 1 / (fps or self._own_fps)
        self.frame_s = self._shortest_s
        self.figures_s = FIGURES_S if fps is None else CALM_FIGURES_S

    def request(self, widget: Flushable) -> None:
        """Flush this one in the next frame; asking twice is asking once."""
        self._dirty[widget] = None
        if self._is_scheduled:
            return
        self._is_scheduled = True
        self._later(max(0.0, self._began + self.frame_s - self._now()), self.flush)

    def forget(self, widget: Flushable) -> None:
        """Drop a widget that leaves the screen."""
        self._dirty.pop(widget, None)

    def flush(self) -> None:
        """Flush now all that is dirty, the order of asking kept."""
        self._is_scheduled = False
        dirty, self._dirty = self._dirty, {}
        if not dirty:
            return
        self._began = self._now()
        began = self._cpu()
        for widget in dirty:
            widget.flush()
        if self._owner is None:
            self._measure(began)
        else:
            self._owner.call_after_refresh(self._measure, began)

    def _measure(self, began: float) -> None:
        work = self._cpu() - began
        self.frame_s = min(LONGEST_FRAME_S, max(self._shortest_s, work / MOST_OF_FRAME))

    def _on_loop(self, seconds: float, callback: Callable[[], None]) -> None:
        loop = asyncio.get_running_loop()
        if self._owner is None:
            loop.call_later(seconds, callback)
        else:
            # Through the owner's queue, so that an error in a flush ends the program visibly.
            loop.call_later(seconds, self._owner.call_next, callback)
