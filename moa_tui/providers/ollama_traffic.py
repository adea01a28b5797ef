"""What one Ollama is doing, as far as it tells and our own calls show: why a call waits.

Rules of its scheduler: one model loads at a time; a loaded one answers ``OLLAMA_NUM_PARALLEL``
calls at once (1 unless set) and queues the rest; ``OLLAMA_MAX_LOADED_MODELS`` stay loaded (3 on one
GPU or none) where memory allows. Response headers come with the first token, so they tell nothing
about loading; ``/api/ps`` does (before 2026 it lists a model from its load's beginning on).
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from moa_tui.engine.provider import Phase

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from moa_tui.engine.clock import Clock

LOOK_EVERY_S = 1.0
"""How often Ollama is asked what it has loaded, while a call waits for a load."""

USUAL_ROOM = 3
"""How many models an Ollama keeps loaded, unless it is told otherwise."""

_USUAL_LANES = 1
_ROUNDED_BY = 1024
_SURELY_BOTH_S = 0.25


class Traffic:
    """Our calls to one Ollama that are under way, in the order sent, and its loaded models.

    ``ask`` returns the loaded models' names with their windows (0: unknown), None if it can't say
    now. Nothing is held back here: this only finds the words for what the server does.
    """

    def __init__(
        self, ask: Callable[[], Awaitable[Mapping[str, int] | None]], *, clock: Clock
    ) -> None:
        self._ask = ask
        self._clock = clock
        self._calls: list[Visit] = []
        self._loaded: dict[str, int] | None = None
        self._looking: asyncio.Task[None] | None = None
        self._lanes: dict[str, int] = {}
        self._room = USUAL_ROOM

    def enter(
        self, model: str, window: int, wake: Callable[[], None], *, is_serial: bool = False
    ) -> Visit:
        """Count a call in that was just sent; ``wake`` is called when its phase has changed.

        ``is_serial`` means that Ollama never runs two calls of its model at once.
        """
        visit = Visit(self, model, window, wake, is_serial=is_serial)
        self._calls.append(visit)
        if self._looking is None or self._looking.done():
            # What was seen in an earlier run may have been unloaded since.
            self._loaded = None
            self._looking = asyncio.create_task(self._look())
        return visit

    def phase_of(self, visit: Visit) -> Phase:
        """Return what a call waits for."""
        if visit.begun_at is not None or visit not in self._calls:
            return Phase("waiting")
        earlier = self._calls[: self._calls.index(visit)]
        same = sum(call.model == visit.model for call in earlier)
        if same >= self._lanes.get(visit.model, _USUAL_LANES):
            return Phase("queued", behind=_behind_same(visit, same))
        if self._loaded is None:
            return Phase("waiting")
        if self._has(visit):
            return Phase("reading")
        for call in earlier:
            if call.model != visit.model and not self._has(call):
                return Phase("queued", behind=f"{call.name}, which loads first")
        others = {call.model: call.name for call in self._calls if call.model != visit.model}
        busy = [name for model, name in others.items() if model in self._loaded]
        if len(busy) == len(self._loaded) >= self._room:
            return Phase("queued", behind=_behind_others(busy))
        return Phase("loading")

    def begun(self, visit: Visit) -> None:
        """Hear of a call's first token: its model is loaded."""
        visit.begun_at = self._clock.now()
        if self._loaded is not None:
            self._loaded[visit.model] = visit.window
        self._wake()

    def ended(self, visit: Visit) -> None:
        """Count a call out, and learn from those of its model that ran beside it."""
        if visit not in self._calls:
            return
        # What began a moment ago may have taken the place that this one left.
        by = self._clock.now() - _SURELY_BOTH_S
        if visit.has_begun(by):
            same = [call for call in self._calls if call.model == visit.model]
            beside = sum(call.has_begun(by) for call in same)
            self._lanes[visit.model] = max(self._lanes.get(visit.model, _USUAL_LANES), beside)
        self._calls.remove(visit)
        self._wake()

    async def aclose(self) -> None:
        """Stop looking."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.wait([self._looking])
            if not self._looking.cancelled():
                self._looking.result()

    async def _look(self) -> None:
        while True:
            loaded = await self._ask()
            if loaded is not None:
                self._learn_room(loaded)
            self._loaded = None if loaded is None else dict(loaded)
            self._wake()
            if loaded is None or all(self._has(call) for call in self._calls):
                return
            await self._clock.sleep(LOOK_EVERY_S)

    def _learn_room(self, loaded: Mapping[str, int]) -> None:
        """Take in how many models fit: these do; when one left for another, no more did."""
        before = (self._loaded or {}).keys()
        wanted = {call.model for call in self._calls if not self._has(call)}
        has_left = bool(before - loaded.keys() - wanted)
        self._room = len(before) if has_left else max(self._room, len(loaded))

    def _has(self, visit: Visit) -> bool:
        """Whether a call's model is loaded with the window that the call wants."""
        if visit.begun_at is not None:
            return True
        window = (self._loaded or {}).get(visit.model)
        if window is None:
            return False
        return not window or 0 <= window - visit.window < _ROUNDED_BY

    def _wake(self) -> None:
        for call in self._calls:
            if call.begun_at is None and call.told != self.phase_of(call):
                call.wake()


class Visit:
    """One call that was sent, as a `moa_tui.providers.stream.Wait`."""

    def __init__(
        self,
        traffic: Traffic,
        name: str,
        window: int,
        wake: Callable[[], None],
        *,
        is_serial: bool,
    ) -> None:
        self.name = name
        self.model = full_name(name)
        self.window = window
        self.wake = wake
        self.is_serial = is_serial
        self.begun_at: float | None = None
        self.told: Phase | None = None
        self._traffic = traffic

    def has_begun(self, by: float) -> bool:
        """Whether its first token was there by that time."""
        return self.begun_at is not None and self.begun_at <= by

    def phase(self) -> Phase:
        """Return what it waits for now."""
        self.told = self._traffic.phase_of(self)
        return self.told

    def begin(self) -> None:
        """Hear that the first token is here."""
        self._traffic.begun(self)

    def end(self) -> None:
        """Hear that the request is over, however it went; said more than once."""
        self._traffic.ended(self)


def full_name(model: str) -> str:
    """Return a model's name as Ollama lists it: with its tag, "latest" unless it has one."""
    name = model.lower()
    return name if ":" in name.rpartition("/")[2] else f"{name}:latest"


def _behind_same(visit: Visit, count: int) -> str:
    answers = "another answer" if count == 1 else f"{count} answers"
    if visit.is_serial:
        return f"{answers} of {visit.name}, which Ollama runs one at a time"
    return f"{answers} of {visit.name} (more at once: OLLAMA_NUM_PARALLEL)"


def _behind_others(names: list[str]) -> str:
    *most, last = names
    behind = f"{', '.join(most)} and {last}" if most else last
    return f"{behind} (more at once, if memory allows: OLLAMA_MAX_LOADED_MODELS)"
