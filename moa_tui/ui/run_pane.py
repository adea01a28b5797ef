"""A run on show: flow lines, tiles, and the answer that comes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from moa_tui.ui import keys, words
from moa_tui.ui.answer import AnswerCard, Waiting
from moa_tui.ui.flow import FlowLines
from moa_tui.ui.room import layer_on_show
from moa_tui.ui.rows import Ground
from moa_tui.ui.tiles import Tile, TileGrid

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.widget import Widget

    from moa_tui.engine.mixture import Mixture, Seat
    from moa_tui.engine.state import RunState
    from moa_tui.ui.frames import FrameClock
    from moa_tui.ui.room import Room


class RunPane(Ground):
    """Shows the states of one run after another; the answers of all of them stay."""

    DEFAULT_CSS: ClassVar[str] = """
    RunPane { height: auto; background: $background; }
    """

    def __init__(self, frames: FrameClock) -> None:
        super().__init__()
        self._merger = words.NO_MERGER
        self._flow = FlowLines()
        self._tiles = TileGrid(frames)
        self._answer = AnswerCard(frames)

    def compose(self) -> ComposeResult:
        """From top to bottom, the order of the data."""
        yield self._flow
        yield self._tiles
        yield self._answer

    def begin(self, question: str, mixture: Mixture) -> None:
        """Open a turn that this mixture answers."""
        agent = mixture.aggregator.agent
        merges = agent is not None and mixture.aggregator.strategy != "none"
        self._merger = agent.model if agent is not None and merges else words.NO_MERGER
        self._answer.show_idle(self._merger)
        self._answer.open_turn(question)

    def stream(self, state: RunState, seat: Seat, *, t: float) -> None:
        """Show a seat that said something; cheap, since it happens at every token."""
        known = state.seats[seat]
        if known.role == "aggregator":
            self._answer.stream(known, t=t)
        elif seat.layer == layer_on_show(state):
            self._tiles.show(state.layer_seats(seat.layer), t=t)

    def show(self, state: RunState, *, t: float, is_writing: bool) -> None:
        """Show a run at ``t`` seconds since it started.

        ``is_writing``: the composer has the focus, so letters are no commands.
        """
        layer = layer_on_show(state)
        seats = state.layer_seats(layer)
        focused = self.seat_of(self.screen.focused)
        hints = keys.hints(state, seats, is_writing=is_writing, focused=focused)
        self._flow.show(state, t=t)
        self._tiles.show(seats, t=t, hints=hints)
        if state.aggregator is not None:
            self._answer.stream(state.aggregator, t=t, detail=words.how_made(state))
        elif state.status == "running" and self._merger != words.NO_MERGER:
            ready = tuple(seat.seat.number for seat in seats if seat.status == "done")
            waiting = Waiting(
                layer=layer,
                ready=ready,
                seats=len(seats),
                key=keys.merge_key(state, is_writing=is_writing),
            )
            self._answer.show_waiting(self._merger, waiting)

    def finish(self, state: RunState) -> None:
        """Close the turn with the answer, or with why there is none."""
        if state.status == "done":
            self._answer.close_turn(state.answer or None)
        elif state.status == "stopped":
            if state.aggregator is None:
                self._answer.show_idle(self._merger)
            self._answer.close_turn(hint=words.STOPPED)
        else:
            self._answer.close_turn(failure=state.message, hint=state.hint)

    def fit(self, room: Room, *, folded: bool) -> None:
        """Give every part its rows."""
        self._flow.display = room.flow > 0
        self._tiles.display = room.tiles > 0
        self._tiles.folded = folded
        self._flow.styles.height = room.flow
        self._tiles.styles.height = room.tiles
        self._tiles.styles.margin = (room.tiles_gap, 0, 0, 0)
        self._answer.styles.height = room.answer
        self._answer.styles.margin = (room.gap, 0, room.gap, 0)
        self._answer.set_class(room.answer <= 1, "-collapsed")

    def seat_of(self, focused: Widget | None) -> Seat | None:
        """Return the seat of a tile that has the focus."""
        return focused.seat if isinstance(focused, Tile) else None

    def is_answer(self, focused: Widget | None) -> bool:
        """Return whether the focus is in the answer."""
        return focused is not None and self._answer in focused.ancestors_with_self

    def go_to(self, seat: Seat) -> None:
        """Focus a seat's tile."""
        self._tiles.focus_seat(seat)
