"""Blind tests: an answer and its best proposals without names, and the wins of all tests."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.message import Message

from moa_tui.errors import MoaError
from moa_tui.text import clean
from moa_tui.ui import keys, look, words
from moa_tui.ui.refusing import Refusing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from random import Random

    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.widget import Widget

    from moa_tui.engine.blind import Candidate, Standings
    from moa_tui.engine.mixture import Seat
    from moa_tui.engine.state import RunState
    from moa_tui.ui.dialogs.blind_rows import Revealed
    from moa_tui.ui.scene import Scene


class Judging(Refusing):
    """Holds the rest of the screen; its keys are about the turn in sight, else the last one."""

    BINDINGS: ClassVar[list[BindingType]] = list(keys.JUDGING)

    class Taken(Message):
        """The proposal of a seat is to be the answer of the turn of this number."""

        def __init__(self, number: int, seat: Seat) -> None:
            super().__init__()
            self.number = number
            self.seat = seat

    def __init__(self, rest: Widget, scene: Scene, *, chance: Random) -> None:
        super().__init__()
        self._rest = rest
        self._turns = scene.turns
        self._recording = scene.recording
        self._stage = scene.stage
        self._chance = chance
        self.blocked = ""
        """Why there is nothing whole to judge now, "" if there may be."""

    def compose(self) -> ComposeResult:
        """The rest of the screen."""
        yield self._rest

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Return whether a key does something now."""
        if action == "blind_test":
            return not self.blocked and len(self._turns) > 0 and self._can_judge
        return super().check_action(action, parameters)

    def why_not(self, command: str) -> str:
        """Return why a command does nothing now."""
        if command != "blind_test":
            return ""
        if self.blocked or not len(self._turns):
            return self.blocked or words.NOTHING_ASKED
        return words.NOTHING_TO_JUDGE

    @property
    def _can_judge(self) -> bool:
        version = self._turns[self._stage.turn_meant(self._turns)].version
        if version.run is None:
            return False
        if not version.is_whole:
            # Which seats it has is known once they are read.
            return not version.is_empty
        from moa_tui.engine.blind import can_judge  # noqa: PLC0415 - the first paint needs none

        return can_judge(version.run)

    @work(group="judging", exclusive=True)
    async def action_blind_test(self) -> None:
        """Show the texts of a run without names, or how they were judged."""
        from moa_tui.engine.blind import shown_again, standings  # noqa: PLC0415 - as above
        from moa_tui.ui.dialogs.blind import BlindTest  # noqa: PLC0415 - dialogs are lazy
        from moa_tui.ui.dialogs.blind_words import NO_TEXTS  # noqa: PLC0415 - as above

        number = self._stage.turn_meant(self._turns)
        try:
            await self._recording.fill(number)
            version = self._turns[number].version
            run = version.run
            if run is None:
                return
            if version.test:
                shown = shown_again(run, version.test)
                known = standings(await self._recording.judged())
                revealed = _revealed(run, shown, known, is_kept=self._recording.session != "")
            else:
                shown, revealed = await self._drawn(run), None
        except MoaError as error:
            self._tell(error)
            return
        if len(shown) < 2:  # noqa: PLR2004 - one text is no choice
            self.notify(NO_TEXTS, markup=False)
            return

        async def judge(picked: int | None) -> Revealed:
            return await self._judge(number, run, shown, picked=picked)

        def ended(seat: Seat | None) -> None:
            if seat is not None:
                self.post_message(self.Taken(number, seat))

        self.app.push_screen(BlindTest(shown, judge, key=self._key, revealed=revealed), ended)

    async def _drawn(self, run: RunState) -> tuple[Candidate, ...]:
        from moa_tui.engine.attribution import sources  # noqa: PLC0415 - only answers need it
        from moa_tui.engine.blind import candidates  # noqa: PLC0415 - as above

        shares: Mapping[int, float] = {}
        if run.answer and run.references:
            proposals = {seat.number: str(run.seats[seat].text) for seat in run.references}
            shares = (await asyncio.to_thread(sources, run.answer, proposals)).shares
        return candidates(run, shares, self._chance)

    async def _judge(
        self, number: int, run: RunState, shown: Sequence[Candidate], *, picked: int | None
    ) -> Revealed:
        from moa_tui.engine.blind import entries_of, shown_again  # noqa: PLC0415 - as above

        test = entries_of(shown, picked)
        is_kept = self._recording.judge(number, test)
        return _revealed(run, shown_again(run, test), await self._standings(), is_kept=is_kept)

    async def _standings(self) -> Standings:
        from moa_tui.engine.blind import Standings, standings  # noqa: PLC0415 - as above

        try:
            return standings(await self._recording.judged())
        except MoaError as error:
            self._tell(error)
            return Standings()

    @work(group="judging", exclusive=True)
    async def action_wins(self) -> None:
        """Show who won blind tests."""
        from moa_tui.ui.dialogs.blind import Wins  # noqa: PLC0415 - dialogs are lazy

        self.app.push_screen(Wins(await self._standings(), key=self._key))

    def _tell(self, error: MoaError) -> None:
        self.notify(clean(str(error)), severity="warning", markup=False)

    @property
    def _key(self) -> str:
        return self.key_of("blind_test", "b")


def _revealed(
    run: RunState, shown: tuple[Candidate, ...], known: Standings, *, is_kept: bool
) -> Revealed:
    from moa_tui.ui.dialogs.blind_rows import Revealed  # noqa: PLC0415 - dialogs are lazy
    from moa_tui.ui.dialogs.blind_words import answer_of  # noqa: PLC0415 - as above

    names: dict[Seat, str] = {}
    for entry in (entry for one in shown for entry in one.entries):
        if entry.role == "aggregator":
            names[entry.seat] = answer_of(run)
        elif entry.seat in run.seats:
            names[entry.seat] = look.name_of(run.seats[entry.seat])
    return Revealed(shown, names, known, is_kept=is_kept)
