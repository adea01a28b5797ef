"""What one can tell the run that is live and its seats, and which conversation goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from textual import work
from textual.message import Message

from moa_tui.errors import MoaError
from moa_tui.text import clean
from moa_tui.ui import keys, words
from moa_tui.ui.live import agent_of
from moa_tui.ui.refusing import Refusing, no_order, not_taken

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult
    from textual.binding import BindingType

    from moa_tui.engine.mixture import Seat
    from moa_tui.engine.run import Run
    from moa_tui.engine.state import SeatState
    from moa_tui.ui.desk import Desk
    from moa_tui.ui.download import Download
    from moa_tui.ui.ports import Start
    from moa_tui.ui.scene import Scene

_JUST_S: Final = 1.5


class Steering(Refusing):
    """Holds the desk; its keys are commands to the live run and to the seat in focus."""

    BINDINGS: ClassVar[list[BindingType]] = list(keys.STEERING)

    class Taken(Message):
        """The proposal of a seat is to be the answer of the turn that is looked at."""

        def __init__(self, seat: Seat) -> None:
            super().__init__()
            self.seat = seat

    class Wanted(Message):
        """Another conversation is to be opened: a session's, or "" for a new one.

        ``start`` says which mixture goes on. ``turn`` is the one to show, by its id in the store;
        None: the last. ``is_private``: it isn't written down; ``is_replay``: its last race is
        replayed.
        """

        def __init__(
            self,
            session: str,
            *,
            start: Start,
            turn: int | None = None,
            is_private: bool = False,
            is_replay: bool = False,
        ) -> None:
            super().__init__()
            self.session = session
            self.start = start
            self.turn = turn
            self.is_private = is_private
            self.is_replay = is_replay

    def __init__(self, desk: Desk, scene: Scene, *, download: Download) -> None:
        super().__init__()
        self._recording = scene.recording
        self._desk = desk
        self._live = scene.live
        self._download = download
        self._mixing = scene.mixing
        self._stage = scene.stage
        self._turns = scene.turns
        self._spared: SeatState | None = None

    def compose(self) -> ComposeResult:
        """The desk."""
        yield self._desk

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Return whether a key does something now."""
        if action in ("new_session", "sessions", "private", "other_session"):
            return self._desk.has_store
        if action == "export":
            return self._desk.has_papers and self._recording.session != ""
        known = keys.works(action, self._now)
        return super().check_action(action, parameters) if known is None else known

    def why_not(self, command: str) -> str:
        """Return why a command does nothing now."""
        match command:
            case "new_session" | "sessions" | "private" | "session_newer" | "session_older":
                return "" if self._desk.has_store else words.NOTHING_KEPT
            case "export":
                return words.NOTHING_TO_EXPORT if self._desk.has_papers else words.NOTHING_KEPT
            case "take":
                return not_taken(self._now, stop=self.stop_key)
            case "details":
                return words.NOTHING_FAILED
            case _:
                return no_order(command, self._now, stop=self.stop_key)

    def is_ever(self, command: str) -> bool:
        """Return whether a command can do something here at some time."""
        match command:
            case "new_session" | "sessions" | "private" | "session_newer" | "session_older":
                return self._desk.has_store
            case "export":
                return self._desk.has_papers
            case "swap_seat" | "add_seat":
                return self._mixing.can_choose
            case _:
                return True

    @property
    def _now(self) -> keys.Now:
        stage = self._stage
        seat = stage.focused_seat
        return keys.Now(
            state=stage.run,
            seat=seat,
            has_just_ended=seat is not None and self._has_just_ended(seat),
            is_live=self._live.is_live and stage.turn is None,
            is_running=self._live.is_live,
            is_replayed=self._live.shown_t is not None,
            is_passing=seat is not None and not self.can_take_from(seat.seat),
            is_fetching=self._download.is_under_way,
            can_choose=self._mixing.can_choose,
        )

    def can_take_from(self, seat: Seat) -> bool:
        """Return whether the run that is looked at has a seat whose proposal can be taken.

        Until the last one has said who sits in it, the seats of the one before are shown.
        """
        is_closed = all(turn.version.run is not None for turn in tuple(self._turns)[-1:])
        if is_closed or self._stage.turn is not None:
            return True
        state = self._live.state
        known = None if state is None else state.seats.get(seat)
        return known is not None and keys.is_takeable(known)

    def _has_just_ended(self, seat: SeatState) -> bool:
        """Return whether somebody may have meant to stop a seat that ended meanwhile."""
        ended = seat.ended_t
        is_new = ended is not None and self._live.t - ended < _JUST_S
        return is_new and seat is not self._spared

    def action_spare(self) -> None:
        """Don't stop the run for a seat that ended by itself; once."""
        self._spared = self._stage.focused_seat
        self.notify(words.just_ended(self.stop_key), markup=False)
        self.refresh_bindings()

    def _command(self, command: Callable[[Run], object]) -> None:
        """Give the live run a command; a refusal is said in its words."""
        if refusal := self._live.command(command):
            self.notify(refusal, severity="warning", markup=False)

    def action_stop(self) -> None:
        """Stop the run, or the download."""
        self._command(lambda run: run.stop())
        self._download.stop()

    def action_stop_seat(self) -> None:
        """Stop the seat in focus."""
        if (seat := self._stage.focused_seat) is not None:
            self._command(lambda run: run.stop(seat.seat))

    def action_retry_seat(self) -> None:
        """Start the seat in focus over."""
        if (seat := self._stage.focused_seat) is not None:
            self._command(lambda run: run.retry(seat.seat))

    def action_swap_seat(self) -> None:
        """Choose another model for the seat in focus."""
        if (seat := self._stage.focused_seat) is not None:
            self._mixing.choose_model(
                words.swaps(seat.seat.number),
                lambda agent: self._command(lambda run: run.swap(seat.seat, agent)),
                agent=agent_of(self._stage.run, seat),
            )

    def action_add_seat(self) -> None:
        """Choose a model for one more seat of the layer that runs now, and of no later one."""
        run = self._stage.run
        layer = run.layers[-1].layer if run is not None and run.layers else 1
        self._mixing.choose_model(
            words.adds_seat(layer),
            lambda agent: self._command(lambda run: run.add(agent, layer=layer)),
        )

    def action_merge_now(self) -> None:
        """Merge what is ready."""
        self._command(lambda run: run.merge_now())

    def action_merge_partial(self) -> None:
        """Merge what is ready and what isn't."""
        self._command(lambda run: run.merge_now(partial=True))

    def action_refuse_merge(self) -> None:
        """Say why nothing can be merged, and what merges unfinished texts where there are any."""
        run = self._stage.run
        if run is None or not keys.can_merge(run, partial=True):
            self.action_merge_now()
            return
        is_writing = self._stage.place == "composer"
        key = self.key_of("merge_partial", "M", is_writing=is_writing) or "/merge-partial"
        self.notify(words.only_unfinished(key), severity="warning", markup=False)

    def action_interrupt(self) -> None:
        """Copy a selection; else stop; else clear the composer; else, pressed twice, quit."""
        draft = self._stage.composer.draft
        if selected := self.screen.get_selected_text() or draft.marked_text:
            self.app.copy_to_clipboard(selected)
        elif self._live.is_live or self._download.is_under_way:
            self.action_stop()
        elif draft.text:
            draft.empty()
        else:
            self._desk.quit_when_pressed_twice()

    # Other conversations.

    def action_new_session(self) -> None:
        """Begin another conversation; this one stays as it is."""
        self.want("")

    def action_sessions(self) -> None:
        """Find a stored conversation."""
        self._desk.choose_session(
            self._recording.session,
            lambda chosen: self.want(chosen.session, chosen.turn),
            renamed=self._call,
        )

    @work(group="other session", exclusive=True)
    async def action_other_session(self, step: int) -> None:
        """Open the conversation after this one in the list, the newest first, or with -1 before."""
        try:
            session = await self._recording.neighbour(step)
        except MoaError as error:
            self.notify(clean(str(error)), severity="warning", markup=False)
            return
        if session:
            self.want(session)
        else:
            self.notify(
                words.NO_NEWER_SESSION if step < 0 else words.NO_OLDER_SESSION, markup=False
            )

    def _call(self, name: str) -> None:
        self._turns.name = name
        self._stage.post_message(self._stage.Rearranged())

    def action_export(self) -> None:
        """Write this conversation to a file."""
        self._desk.export(self._recording.session)

    def action_private(self) -> None:
        """Begin another conversation, which isn't written down."""
        self.want("", is_private=True)

    def want(
        self,
        session: str,
        turn: int | None = None,
        *,
        is_private: bool = False,
        is_replay: bool = False,
    ) -> None:
        """Ask for another conversation; a run that is live is asked about first."""
        wanted = self.Wanted(
            session,
            start=self._mixing.start,
            turn=turn,
            is_private=is_private,
            is_replay=is_replay,
        )
        is_lost = self._recording.is_private and len(self._turns) > 0
        if self._live.is_live or self._download.is_under_way or is_lost:
            self._desk.ask_to_leave(lambda: self.post_message(wanted), is_lost=is_lost)
        else:
            self.post_message(wanted)

    def action_take(self) -> None:
        """Make the proposal in focus the answer."""
        if (seat := self._stage.focused_seat) is not None:
            self.post_message(self.Taken(seat.seat))

    def action_details(self) -> None:
        """Tell what failed, so that it can be copied."""
        run, number = self._stage.run, self._stage.turn
        if run is not None:
            turn = self._turns[-1 if number is None else number]
            self._desk.details(run, self._stage.focused_seat, turn.prompt.text)
