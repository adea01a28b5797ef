"""A stored race once more, in the same tiles, at its own speed or faster, without any network."""

from __future__ import annotations

import asyncio
from itertools import zip_longest
from typing import TYPE_CHECKING, ClassVar, Final

from textual import work
from textual.message import Message

from moa_tui.errors import MoaError
from moa_tui.text import clean
from moa_tui.ui import keys, words
from moa_tui.ui.refusing import Refusing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.widget import Widget

    from moa_tui.engine.clock import Clock
    from moa_tui.engine.events import Event
    from moa_tui.engine.state import RunState
    from moa_tui.ui.scene import Scene

SPEEDS: Final = (1, 2, 8)
_STEP_S: Final = 0.1
"""The longest time, of the race's own, in which nobody looks whether it is to pause."""


class Replaying(Refusing):
    """Holds the rest of the screen; while it replays, space, the speed and esc are its own."""

    BINDINGS: ClassVar[list[BindingType]] = list(keys.REPLAY)

    class Changed(Message):
        """A replay began, ended, paused, or goes on at another speed."""

    def __init__(self, rest: Widget, scene: Scene, *, clock: Clock) -> None:
        super().__init__()
        self._rest = rest
        self._turns = scene.turns
        self._recording = scene.recording
        self._live = scene.live
        self._stage = scene.stage
        self._clock = clock
        self._goes = asyncio.Event()
        self._steps = 0
        self.blocked = ""
        """Why nothing can be replayed now, "" if it can."""
        self.is_on = False
        """Whether a race is being replayed."""
        self.speed = SPEEDS[0]
        """How much faster than it was."""

    def compose(self) -> ComposeResult:
        """The rest of the screen."""
        yield self._rest

    @property
    def is_paused(self) -> bool:
        """Whether the race stands still."""
        return self.is_on and not self._goes.is_set()

    @property
    def blocks(self) -> str:
        """Why nothing else can be run or shown anew now, "" if it can."""
        return words.is_replayed(self.stop_key) if self.is_on else self.blocked

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Return whether a key does something now."""
        match action:
            case "replay":
                is_free = not (self.blocked or self.is_on) and len(self._turns) > 0
                return is_free and self._turns[self._stage.turn_meant(self._turns)].version.id != 0
            case "pause":
                return self.is_on and not self.is_paused
            case "resume" | "step":
                return self.is_paused
            case "faster" | "end_replay":
                return self.is_on
            case _:
                return super().check_action(action, parameters)

    def why_not(self, command: str) -> str:
        """Return why a command does nothing now."""
        if command != "replay":
            return ""
        if self.blocked or not len(self._turns):
            return self.blocked or words.NOTHING_ASKED
        return words.NO_RACE_KEPT

    def is_ever(self, command: str) -> bool:
        """Return whether a command can do something here at some time."""
        return command == "stop" or self._recording.is_kept

    def action_replay(self) -> None:
        """Replay the race of the turn in sight, else of the last one."""
        self.is_on = True
        # Before its first event is read nothing may be told to the run any more.
        self._live.shown_t = 0.0
        self._goes.set()
        self._play(self._stage.turn_meant(self._turns))
        self.post_message(self.Changed())

    def action_pause(self) -> None:
        """Stand still."""
        self._goes.clear()
        self.post_message(self.Changed())

    def action_resume(self) -> None:
        """Go on."""
        self._goes.set()
        self.post_message(self.Changed())

    def action_step(self) -> None:
        """Let one more thing happen."""
        self._steps += 1
        self._goes.set()

    def action_faster(self) -> None:
        """Go on at the next speed, after the highest at the first one."""
        self.speed = SPEEDS[(SPEEDS.index(self.speed) + 1) % len(SPEEDS)]
        self.post_message(self.Changed())

    def action_end_replay(self) -> None:
        """Show the race as it ended."""
        self.workers.cancel_group(self, "replay")

    @work(group="replay", exclusive=True)
    async def _play(self, number: int) -> None:
        try:
            events = await self._recording.replay(self._turns[number].version.id)
            self._stage.begin_replay(number)
            await self._show(events)
        except MoaError as error:
            self.notify(clean(str(error)), severity="warning", markup=False)
        finally:
            self.is_on = False
            if self._stage.is_attached:
                self._show_end(number)

    def _show_end(self, number: int) -> None:
        """Show the race as it ended, and the newest run again."""
        self._live.state = self._turns[-1].version.run
        self._live.shown_t = None
        self._stage.show_turns(self._turns, None, changed=number)
        self.post_message(self.Changed())

    async def _show(self, events: Sequence[Event]) -> None:
        from moa_tui.engine.state import RunState, apply  # noqa: PLC0415 - the first paint needs none

        state, t = RunState(), 0.0
        for event, following in zip_longest(events, events[1:]):
            t = await self._wait(state, t, event.t)
            state = apply(state, event)
            # What came together is told together: at its first event a run has no seats, and
            # whoever looks at one would lose it.
            if self.is_paused or following is None or following.t > event.t:
                self._tell(state, event.t)

    async def _wait(self, state: RunState, t: float, until: float) -> float:
        """Wait for a moment of the race, however often it pauses; return that moment."""
        while True:
            await self._goes.wait()
            if self._steps:
                self._steps -= 1
                self._goes.clear()
                return until
            if t >= until:
                return until
            step = min(until - t, _STEP_S * self.speed)
            await self._clock.sleep(step / self.speed)
            t += step
            self._tell(state, t)

    def _tell(self, state: RunState, t: float) -> None:
        if not self._stage.is_attached:
            # Somebody leaves: widgets go before the worker is told to, the inner ones first.
            return
        self._live.state, self._live.shown_t = state, t
        self._stage.show(state, t=t)
        self.post_message(self.Changed())
