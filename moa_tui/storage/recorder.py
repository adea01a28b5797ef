"""Takes down a run while it happens, at no cost for whoever shows it."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from moa_tui.engine.events import RunFailed, RunFinished
from moa_tui.storage.plain import without_keys

if TYPE_CHECKING:
    from collections.abc import Callable

    from moa_tui.engine.events import Event
    from moa_tui.storage.writer import Posted


class RunRecorder:
    """Takes every event of one run; what it is given is on disk within 250 ms.

    Only its maker builds one: see `Store.begin_run`.
    """

    def __init__(self, run: int, *, on_end: Callable[[RunRecorder], Posted[None]]) -> None:
        self.id = run
        self._on_end = on_end
        self._end: Posted[None] | None = None
        # Appending and taking are safe from two threads.
        self._fresh: deque[Event] = deque()
        self._unsaved: list[Event] = []

    def record(self, event: Event) -> None:
        """Take an event; the run's last one ends the record."""
        if self._end is not None:
            return
        self._fresh.append(event)
        if isinstance(event, RunFinished | RunFailed):
            self.close()

    def close(self) -> None:
        """End the record, even of a run that has no end: it is kept as interrupted."""
        if self._end is None:
            self._end = self._on_end(self)

    async def saved(self) -> bool:
        """Wait until the whole run is safely on disk; False: it can't be saved at present.

        A run that hasn't ended is waited for by nobody: False.
        """
        return False if self._end is None else await self._end.saved()

    @property
    def has_unsaved(self) -> bool:
        """Whether there is something that no checkpoint has yet."""
        return bool(self._fresh or self._unsaved)

    def unsaved(self) -> list[Event]:
        """Return what no checkpoint has yet; for the writer's thread alone."""
        fresh = self._fresh
        while fresh:
            self._unsaved.append(without_keys(fresh.popleft()))
        return self._unsaved

    def forget(self) -> None:
        """Let go of what `unsaved` returned, now that it is saved; for the writer's thread."""
        self._unsaved = []
