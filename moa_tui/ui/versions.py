"""Versions of answers: run again, merged again, taken, asked otherwise; and what was stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.message import Message

from moa_tui.errors import MoaError
from moa_tui.text import clean
from moa_tui.ui import keys, words
from moa_tui.ui.judging import Judging
from moa_tui.ui.live import completed, completes, merged_again, merges_again
from moa_tui.ui.refusing import Refusing

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.widget import Widget

    from moa_tui.engine.mixture import Mixture, Seat
    from moa_tui.engine.run import Given
    from moa_tui.engine.state import RunState
    from moa_tui.ui.answer.answer_view import AnswerView
    from moa_tui.ui.scene import Scene


class Versions(Refusing):
    """Holds the rest of the screen; its keys are about the turn in sight, else the last one."""

    BINDINGS: ClassVar[list[BindingType]] = list(keys.TURNS)

    class Changed(Message):
        """Another version is shown, or a question is being asked otherwise."""

    class WantsRun(Message):
        """Another version of the last turn is to be run.

        ``given`` are proposals that exist already, those of the run with the id ``given_from``.
        """

        def __init__(
            self, mixture: Mixture, *, given: Given | None = None, given_from: int = 0
        ) -> None:
            super().__init__()
            self.mixture = mixture
            self.given = given
            self.given_from = given_from

    def __init__(self, rest: Widget, scene: Scene) -> None:
        super().__init__()
        self._rest = rest
        self._turns = scene.turns
        self._recording = scene.recording
        self._live = scene.live
        self._stage = scene.stage
        self._mixing = scene.mixing
        self.blocked = ""
        """Why nothing can be run or shown anew now, "" if it can."""
        self.edited: int | None = None
        """The number of the turn whose question is being asked otherwise."""

    def compose(self) -> ComposeResult:
        """The rest of the screen."""
        yield self._rest

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Return whether a key does something now."""
        is_free = not self.blocked and len(self._turns) > 0
        match action:
            case "again" | "edit_prompt":
                return is_free
            case "merge_again":
                return is_free and merges_again(self._last_run, self._mixing.mixture.aggregator)
            case "complete":
                return is_free and completes(self._last_run)
            case "version":
                step = 1 if parameters == (1,) else -1
                return is_free and self.edited is None and self._has_version(step)
            case "stop_editing":
                return self.edited is not None
            case _:
                return super().check_action(action, parameters)

    def why_not(self, command: str) -> str:
        """Return why a command does nothing now."""
        if self.blocked or not len(self._turns):
            return self.blocked or words.NOTHING_ASKED
        match command:
            case "merge_again" if self._mixing.mixture.aggregator.makes == "nothing":
                return words.NOT_MERGED
            case "complete" if self._last_run is not None and self._last_run.status == "done":
                return words.NOTHING_MISSING
            case "merge_again" | "complete":
                return words.NOTHING_FINISHED
            case "version_before" | "version_after":
                return words.NO_OTHER_VERSION
            case _:
                return ""

    @property
    def _number(self) -> int:
        return self._stage.turn_meant(self._turns)

    # What was stored.

    @work(group="stored")
    async def show_stored(self) -> None:
        """Show a conversation that was stored, its last run whole."""
        last = len(self._turns) - 1
        await self._fill(last)
        self._live.state = self._turns[last].version.run
        await self._stage.open_turns(self._turns)
        self.post_message(self.Changed())

    async def _fill(self, number: int) -> bool:
        """Read the seats of a turn's run; return whether they are here."""
        try:
            await self._recording.fill(number)
        except MoaError as error:
            self.notify(clean(str(error)), severity="warning", markup=False)
            return False
        return True

    # Handlers of what the answer says have Textual's names: importing it is too slow.

    async def on_answer_view_turn_picked(self, event: AnswerView.TurnPicked) -> None:
        """Show an earlier turn's proposals again."""
        if not await self._fill(event.number):
            return
        is_newest = event.number == len(self._turns) - 1
        run = self._live.state if is_newest else self._turns[event.number].version.run
        if run is not None:
            self._stage.look_at(event.number, run, is_newest=is_newest)

    # Other answers.

    @on(Judging.Taken)
    def _take_judged(self, event: Judging.Taken) -> None:
        event.stop()
        self.take(event.number, event.seat)

    def take(self, number: int, seat: Seat) -> None:
        """Make a seat's proposal the answer of a turn."""
        taken = self._turns.take(number, seat)
        is_newest, version = number == len(self._turns) - 1, self._turns.place(number)
        self._stage.rewrite(number, taken, version=version, is_newest=is_newest)
        self._recording.show(number)
        self.post_message(self.Changed())

    def action_again(self) -> None:
        """Run the last prompt anew, as another version."""
        self.post_message(self.WantsRun(self._mixing.mixture))

    @property
    def _last_run(self) -> RunState | None:
        return self._turns[-1].version.run

    def action_merge_again(self) -> None:
        """Have the proposals merged anew, by the aggregator that the sidebar has now."""
        self._run_given(merged_again(self._last_run, self._mixing.mixture.aggregator))

    def action_complete(self) -> None:
        """Call the seats that have no proposal, and have all merged."""
        self._run_given(completed(self._last_run))

    def _run_given(self, found: tuple[Mixture, Given] | None) -> None:
        if found is not None:
            mixture, given = found
            given_from = self._turns[-1].version.id
            self.post_message(self.WantsRun(mixture, given=given, given_from=given_from))

    def _has_version(self, step: int) -> bool:
        place = self._turns.place(self._number)
        return 1 <= place.at + step <= place.of

    async def action_version(self, step: int) -> None:
        """Show the version before or after; it is what later prompts are sent with."""
        number = self._number
        await self._show_again(number, is_other=self._turns.flip(number, step))

    @work(group="stored")
    async def go_back(self, taking: Seat | None = None) -> None:
        """Show the version that the last turn had before one that was stopped with nothing said.

        ``taking`` is the seat whose proposal it was stopped for, which the version before had too.
        """
        last = len(self._turns) - 1
        if taking is None:
            self.notify(words.NOTHING_SAID, markup=False)
        await self._show_again(last, is_other=False)
        if taking is not None:
            self.take(last, taking)

    async def show_sent(self, before: int) -> None:
        """Show in all turns before this one the versions whose answers are sent; see `Turn.sent`.

        So what stands there is what the models are told, and a turn isn't left out of it though it
        has an answer.
        """
        for number in range(before):
            if await self._has_sent(number):
                at = self._turns.place(number).at
                self.notify(words.shown_again(number + 1, at), markup=False)
                self._recording.show(number)
                self._stage.show_turns(self._turns, None, changed=number)

    async def _has_sent(self, number: int) -> bool:
        """Show the version of a turn that is sent; return whether it is another one."""
        turn = self._turns[number]
        shown = turn.shown
        # Whether a stored version has an answer is known for certain once it is read.
        while self._turns.show_sent(number) and await self._fill(number):
            pass
        if not turn.answer:
            self._turns.show(number, shown)
        return turn.shown != shown

    async def _show_again(self, number: int, *, is_other: bool) -> None:
        """Show the version that a turn has now; ``is_other``: so do the turns behind it."""
        await self._fill(number)
        if is_other:
            await self._fill(len(self._turns) - 1)
        self._recording.show(number)
        if is_other or number == len(self._turns) - 1:
            self._live.state = self._turns[-1].version.run
        self._stage.show_turns(self._turns, number if is_other else None, changed=number)
        self.post_message(self.Changed())

    # Other questions.

    def action_edit_prompt(self) -> None:
        """Write the question of a turn anew; what was asked stays beside it."""
        draft = self._stage.composer.draft
        if draft.text.strip():
            self._stage.composer.refuse(words.WRITTEN_FIRST)
            return
        self.edited = self._number
        draft.put(self._turns[self.edited].prompt)
        draft.focus()
        self.post_message(self.Changed())

    def action_stop_editing(self) -> None:
        """Leave the question as it was."""
        self.edited = None
        self._stage.composer.draft.empty()
        self.post_message(self.Changed())
