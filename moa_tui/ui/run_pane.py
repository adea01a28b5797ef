"""A run on show: flow lines, tiles or lanes, and the answer that comes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from moa_tui.ui import keys, words
from moa_tui.ui.answer.answer import AnswerCard, Waiting
from moa_tui.ui.answer.attributed import Attributed
from moa_tui.ui.race.flow import FlowLines
from moa_tui.ui.race.race import RaceView
from moa_tui.ui.race.tiles import Tile, TileGrid
from moa_tui.ui.rows import Ground

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.widget import Widget

    from moa_tui.engine.mixture import Mixture, Seat
    from moa_tui.engine.state import RunState, SeatState
    from moa_tui.ui.frames import FrameClock
    from moa_tui.ui.keys import Names, Place
    from moa_tui.ui.room import Room
    from moa_tui.ui.turns import Place as Version
    from moa_tui.ui.turns import StandIn, Turns
    from moa_tui.ui.turns import Version as Shown
    from moa_tui.ui.view import View

_TEN = 10


class RunPane(Ground):
    """Shows the states of one run after another; the answers of all of them stay.

    ``can_swap``: a seat can be given another model here.
    """

    DEFAULT_CSS: ClassVar[str] = """
    RunPane { height: auto; background: $background; }
    """

    def __init__(self, frames: FrameClock, names: Names, *, can_swap: bool) -> None:
        super().__init__()
        self._names = names
        self._can_swap = can_swap
        self._merger = words.NO_MERGER
        self._taken: SeatState | None = None
        self._is_replayed = False
        self._flow = FlowLines()
        self._tiles = TileGrid(frames)
        self._lanes = RaceView(frames)
        self.answer = AnswerCard(frames)
        """The answers of all turns."""
        self.attributed = Attributed(self.answer.view, self._tiles, self.answer.agreement)
        """Where the newest answer is from."""

    def compose(self) -> ComposeResult:
        """From top to bottom, the order of the data."""
        yield self._flow
        yield self._tiles
        yield self._lanes
        yield self.answer

    def begin(self, question: str, mixture: Mixture, *, version: Version, is_again: bool) -> None:
        """Open a turn that this mixture answers, or the last one again, for another version."""
        self._taken = None
        self._is_replayed = False
        self._name_merger(mixture)
        self.answer.head.show_version(version)
        if is_again:
            self.answer.reopen_turn(self.answer.view.count - 1)
        else:
            self.answer.open_turn(question)
        self.attributed.begin()

    def _name_merger(self, mixture: Mixture) -> None:
        self._merger = words.merger(mixture)
        self.answer.show_idle(self._merger)

    def stream(self, state: RunState, seat: Seat, *, t: float, view: View) -> None:
        """Show a seat that said something; cheap, since it happens at every token."""
        known = state.seats[seat]
        if known.role == "aggregator":
            self._speak(state, t=t)
        elif view.turn is None and seat.layer == view.layer_in(state):
            self._race(view).show(state.layer_seats(seat.layer), t=t)

    def show(
        self, state: RunState, *, t: float, looked_at: RunState, view: View, is_writing: bool
    ) -> None:
        """Show the newest run at ``t`` seconds since it started, and the race of a run.

        ``is_writing``: the composer has the focus, so letters are no commands.
        """
        self._show_race(
            looked_at, t=t if looked_at is state else looked_at.t, view=view, is_writing=is_writing
        )
        if self._taken is not None:
            self.answer.head.show_seat(self._taken, t=t, detail=words.TAKEN)
        elif self._speak(state, t=t):
            self.attributed.compared(())
        elif state.status == "running" and self._merges:
            self._show_waiting(state, is_writing=is_writing)

    def _speak(self, state: RunState, *, t: float) -> bool:
        """Let whose words the answer is say them, or the judge what it does; False: nobody yet."""
        speaker, judge = state.speaker, state.aggregator
        if speaker is not None:
            self.answer.stream(speaker, t=t, detail=words.how_made(state))
        elif judge is not None:
            # A letter is no answer; what it thinks may be read.
            self.answer.stream(judge.wordless(), t=t, detail=words.CHOOSES)
            if state.status == "failed":
                self.answer.head.show_failure()
        return speaker is not None or judge is not None

    @property
    def _merges(self) -> bool:
        return self._merger != words.NO_MERGER

    def _show_race(self, run: RunState, *, t: float, view: View, is_writing: bool) -> None:
        layer = view.layer_in(run)
        seats = run.layer_seats(layer)
        title = words.PINNED if view.is_pinned else ""
        if view.turn is not None:
            title = words.turn(view.turn + 1)
        self._flow.show(run, t=t, layer=layer, title=title)
        if view.is_lanes:
            self._lanes.show(seats, t=t)
        focused = self.seat_of(self.screen.focused)
        hints = keys.hints(
            run,
            seats,
            self._names,
            is_writing=is_writing,
            is_replayed=self._is_replayed,
            focused=focused,
            can_swap=self._can_swap,
        )
        self._tiles.show(seats, t=t, hints=hints)

    def _show_waiting(self, state: RunState, *, is_writing: bool) -> None:
        layer = state.layers[-1].layer if state.layers else 1
        seats = state.layer_seats(layer)
        waiting = Waiting(
            layer=layer,
            ready=tuple(seat.seat.number for seat in seats if seat.status == "done"),
            seats=len(seats),
            key=""
            if self._is_replayed
            else keys.merge_key(state, self._names, is_writing=is_writing),
        )
        self.answer.show_waiting(self._merger, waiting)
        if not self.attributed.compared(tuple(waiting.ready)):
            texts = {seat.seat.number: str(seat.text) for seat in seats if seat.status == "done"}
            self.run_worker(self.attributed.compare(texts), group="attribution")

    def finish(self, state: RunState, stand_in: StandIn | None = None) -> None:
        """Close the turn with the answer, or with why there is none and which version counts."""
        self.attributed.compared(())
        if state.status == "stopped" and state.aggregator is None:
            self.answer.show_idle(self._merger)
        self._speak(state, t=state.t)
        self._close(state, stand_in)

    def _close(self, run: RunState, stand_in: StandIn | None) -> None:
        counts = self._counting(stand_in)
        if run.status == "done":
            lacks, whose = words.lacking(run), words.whose(run)
            hint = f"{whose} {counts}".strip()
            self.answer.close_turn(run.answer or None, lacks=lacks, hint=hint)
        elif run.status == "stopped":
            again, merge = self._names.of("again", "f5"), self._names.of("merge_again", "g")
            seats = run.layer_seats(run.layers[-1].layer) if run.layers else ()
            is_any = any(seat.status == "done" for seat in seats) and self._merges
            rest = self._names.of("complete", "c")
            keys_ = words.stopped(again, merge if is_any else "", rest)
            why = run.message if run.message in (words.INTERRUPTED, words.LIVE_ELSEWHERE) else ""
            self.answer.close_turn(hint=" ".join(filter(None, (why, keys_, counts))))
        else:
            hint = " ".join(filter(None, (words.way_out(run), counts)))
            self.answer.close_turn(failure=run.message, hint=hint)

    def _counting(self, stand_in: StandIn | None) -> str:
        if stand_in is None:
            return ""
        if stand_in.step < 0:
            key = self._names.of("version_before", "left_square_bracket")
        else:
            key = self._names.of("version_after", "right_square_bracket")
        return words.stands_in(stand_in.at, key)

    def begin_replay(self, number: int) -> None:
        """Let a turn's answer grow anew; until turns are shown again no seat takes a command."""
        self._is_replayed = True
        self._taken = None
        self.answer.show_idle(self._merger)
        self.answer.reopen_turn(number)
        self.attributed.begin()

    def cut(self, number: int) -> None:
        """Show the turns before this one only."""
        self.answer.view.cut(number)

    def show_turns(self, turns: Turns, first: int, *, is_one: bool) -> None:
        """Show the versions that turns have now: the first one's, or those of all from there."""
        self._is_replayed = False
        view = self.answer.view
        newest = turns[-1].version.run
        if newest is not None and newest.mixture is not None:
            self._name_merger(newest.mixture)
        if not is_one:
            view.cut(first)
        for number, turn in enumerate(turns):
            if number < first or (is_one and number > first):
                continue
            if is_one:
                view.reopen_turn(number)
            else:
                view.open_turn(turn.prompt.shown)
            self._fill(number, turn.version, turns.stand_in(number))
        last = turns[-1].version
        self._taken = None if last.run is None or not last.taken else last.run.seats.get(last.taken)
        self.answer.head.show_version(turns.place(len(turns) - 1))
        self.attributed.begin()

    def _fill(self, number: int, version: Shown, stand_in: StandIn | None) -> None:
        run = version.run
        if run is None:
            return
        self._speak(run, t=run.t)
        self._close(run, stand_in)
        if version.taken is not None:
            # Of a stored run that nobody has looked at yet, only its end is here.
            seat = run.seats.get(version.taken)
            note = "" if seat is None else words.taken(seat.seat.number, seat.model)
            self.answer.rewrite_turn(number, version.answer, note=note)

    def rewrite(self, number: int, seat: SeatState, *, version: Version, is_newest: bool) -> None:
        """Make a seat's proposal the answer of a turn."""
        answer, note = str(seat.text).strip(), words.taken(seat.seat.number, seat.model)
        self.answer.view.rewrite_turn(number, answer, note=note)
        self.attributed.forget(number)
        if is_newest:
            self._taken = seat
            self.answer.head.show_version(version)

    # Rows.

    def fit(self, room: Room, *, folded: bool, view: View) -> None:
        """Give every part its rows; ``folded``: the tiles are a table."""
        self._flow.display = room.flow > 0
        self._flow.styles.height = room.flow
        is_lanes = view.is_lanes and not folded
        self._tiles.folded = self._flow.is_folded = folded
        if view.zoom != "race":
            self._tiles.zoomed = None
        for race, is_shown in ((self._tiles, not is_lanes), (self._lanes, is_lanes)):
            race.display = is_shown and room.tiles > 0
            race.styles.height = room.tiles
            race.styles.margin = (room.tiles_gap, 0, 0, 0)
        self.answer.display = room.answer > 0
        self.answer.styles.height = room.answer
        self.answer.styles.margin = (room.gap, 0, room.gap, 0)
        self.answer.set_class(room.answer <= 1, "-collapsed")

    def zoom_tile(self, seat: Seat | None) -> None:
        """Give one seat's tile all the room of the tiles; None: all of them have some."""
        self._tiles.zoomed = seat

    # Focus.

    def _race(self, view: View) -> TileGrid | RaceView:
        return self._lanes if view.is_lanes else self._tiles

    def seat_of(self, focused: Widget | None) -> Seat | None:
        """Return the seat of a tile, or of a lane, that has the focus."""
        if focused is self._lanes:
            return self._lanes.selected
        return focused.seat if isinstance(focused, Tile) else None

    def place_of(self, focused: Widget | None) -> Place | None:
        """Return in which part of the pane the focus is; None: in none."""
        if focused is self._lanes:
            return "lanes"
        if isinstance(focused, Tile):
            return "tile"
        is_answer = focused is not None and self.answer in focused.ancestors_with_self
        return "answer" if is_answer else None

    def go_to(self, seat: Seat, *, view: View) -> None:
        """Focus a seat's tile, or its lane in the race view.

        Raises:
            KeyError: the seat isn't in the layer on show.
        """
        if view.is_lanes:
            self._lanes.select(seat)
            self.screen.set_focus(self._lanes)
        else:
            self._tiles.focus_seat(seat)

    def toggle_thinking(self, focused: Widget | None) -> None:
        """Fold or unfold the thinking of the tile in focus, else that of the turn in sight."""
        if isinstance(focused, Tile):
            focused.toggle_thinking()
        else:
            self.answer.view.toggle_thinking()

    def code_in_sight(self, focused: Widget | None) -> str:
        """Return the code that one looks at in the tile in focus, else in the answer."""
        if isinstance(focused, Tile):
            return focused.code_in_sight
        return self.answer.view.code_in_sight or ""

    def parts(self) -> dict[str, Widget]:
        """Return the widgets that have keys of their own, by what the help calls them."""
        tiles = self._tiles.tiles
        tile = {words.HELP_TILE: tiles[0]} if tiles else {}
        return {**tile, words.HELP_LANES: self._lanes, words.HELP_ANSWER: self.answer.view}

    def places(self) -> list[tuple[str, Widget]]:
        """Return what one can go to now, each with the letter that should lead there."""
        tiles = [
            (str(tile.seat.number) if tile.seat and tile.seat.number < _TEN else "", tile)
            for tile in self._tiles.tiles
        ]
        widgets: list[tuple[str, Widget]] = [*tiles, ("r", self._lanes), ("a", self.answer.view)]
        return [(key, widget) for key, widget in widgets if widget.focusable and widget.region]
