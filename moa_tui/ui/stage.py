"""The main column: greeting or run, queue, composer; who is shown, how tall, how one moves."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from textual.message import Message

from moa_tui.engine.mixture import Seat
from moa_tui.ui import keys, look, words
from moa_tui.ui.composer.composer import Composer, Queue
from moa_tui.ui.frames import FrameClock
from moa_tui.ui.room import LEAST_HEIGHT, Content, phase_of, plan, zoom_from
from moa_tui.ui.rows import Ground, Rows, wrapped
from moa_tui.ui.view import PLAIN
from moa_tui.ui.welcome import Welcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.strip import Strip
    from textual.widget import AwaitMount, Widget

    from moa_tui.engine.mixture import Mixture
    from moa_tui.engine.state import RunState, SeatState
    from moa_tui.ui.composer.composer import Prompt
    from moa_tui.ui.keys import Names
    from moa_tui.ui.race.flow import FlowLines
    from moa_tui.ui.race.race import RaceView
    from moa_tui.ui.race.tile import Tile
    from moa_tui.ui.room import Phase, Room
    from moa_tui.ui.run_pane import RunPane
    from moa_tui.ui.told import Greeting
    from moa_tui.ui.turns import Place, StandIn, Turns
    from moa_tui.ui.view import View


class TooSmall(Rows):
    """Covers a screen that is too small and says which size it needs."""

    DEFAULT_CSS: ClassVar[str] = """
    TooSmall {
        layer: over; display: none; width: 100%; height: 100%; background: $background;
    }
    """

    def cover(self, *, is_needed: bool) -> None:
        """Cover the screen or give it back; what is below keeps its focus and goes on."""
        self.display = is_needed
        if is_needed:
            self.redraw()

    def draw(self, width: int, palette: look.Palette) -> Sequence[Strip]:
        """Return the sentence."""
        size = self.app.size
        text = Segment(words.too_small(size.width, size.height), palette.ink)
        rows = wrapped([text], width)
        return [look.row(row, [], width=width, ground=palette.background) for row in rows]


class Stage(Ground):
    """Everything between header and footer but the sidebar; it is told the state of the run.

    ``names`` are the keys that it tells, ``can_swap``: a seat can be given another model.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*keys.MOVES, *keys.VIEWS]

    class Rearranged(Message):
        """Something else is looked at, or in another way."""

    def __init__(self, greeting: Greeting, names: Names, *, can_swap: bool = False) -> None:
        super().__init__()
        self.welcome = Welcome(greeting)
        self.composer = Composer()
        self.frames = FrameClock(self)
        """What moves tiles and answer; a test may flush it."""
        self._names = names
        self._can_swap = can_swap
        self._fps: int | None = None
        self._queue = Queue()
        self._pane: RunPane | None = None
        self._mounted: AwaitMount | None = None
        self._state: RunState | None = None
        self._earlier: RunState | None = None
        self._t = 0.0
        self._view = PLAIN
        self._has_sidebar = False
        self._above = 0
        self._is_lost = False
        self._dealt: object = None

    def compose(self) -> ComposeResult:
        """What the first paint needs."""
        yield self.welcome
        yield self._queue
        yield self.composer

    def on_mount(self) -> None:
        """Build what a run needs once the first paint is out."""
        self.call_after_refresh(lambda: self.is_attached and self._build())

    def _build(self) -> RunPane:
        if self._pane is None:
            # Markdown costs 50 ms to import, which the first paint shouldn't wait for.
            from moa_tui.ui.run_pane import RunPane  # noqa: PLC0415 - see above

            self._pane = RunPane(self.frames, self._names, can_swap=self._can_swap)
            self._pane.display = False
            self._pane.answer.view.pace(self._fps)
            self._mounted = self.mount(self._pane, after=self.welcome)
        return self._pane

    def pace(self, fps: int | None) -> None:
        """Paint what streams so many times a second; None is the usual pace."""
        self._fps = fps
        self.frames.pace(fps)
        self.composer.is_steady = fps is not None
        if self._pane is not None:
            self._pane.answer.view.pace(fps)

    # The run.

    async def begin(
        self, prompt: Prompt, mixture: Mixture, *, version: Place, is_again: bool = False
    ) -> None:
        """Open a turn that this mixture answers, or the last one again, for another version."""
        pane = self._build()
        if self._mounted is not None:
            await self._mounted
        self._earlier = None
        self._view = self._view.of_a_new_run()
        self._is_lost = self.place in ("tile", "lanes", "answer")
        pane.begin(prompt.shown, mixture, version=version, is_again=is_again)
        if self.welcome.has_focus:
            self.composer.draft.focus()

    def stream(self, state: RunState, seat: Seat, *, t: float) -> None:
        """Show a seat that said something; cheap, since it happens at every token."""
        self._state, self._t = state, t
        self._build().stream(state, seat, t=t, view=self._view)

    def show(self, state: RunState, *, t: float) -> None:
        """Show a run at ``t`` seconds since it started."""
        self._state, self._t = state, t
        self._build().show(
            state,
            t=t,
            looked_at=self._earlier or state,
            view=self._view,
            is_writing=self.place == "composer",
        )
        if self._is_lost and state.seats:
            self.find_focus()

    def finish(self, turn: int, state: RunState, *, stand_in: StandIn | None = None) -> None:
        """Close the turn, of this number, with the answer, or with why there is none.

        ``stand_in`` is the version that counts then.
        """
        pane = self._build()
        pane.finish(state, stand_in)
        if state.status == "done":
            self.run_worker(pane.attributed.work_out(turn, state), group="attribution")

    # What is looked at. Handlers have Textual's names where importing their message is too slow.

    @property
    def run(self) -> RunState | None:
        """The run whose seats are looked at: the newest, or an earlier one."""
        return self._earlier or self._state

    @property
    def turn(self) -> int | None:
        """The number of the earlier turn that is looked at, from 0; None: it is the newest."""
        return self._view.turn

    @property
    def is_zoomed(self) -> bool:
        """Whether one part has all the room."""
        return self._view.zoom != ""

    def look_at(self, number: int, run: RunState, *, is_newest: bool) -> None:
        """Open the tiles of a turn, the first one in focus."""
        self._earlier = None if is_newest else run
        turn = None if is_newest else number
        self._look(replace(self._view, turn=turn, layer=None, is_unfolded=True, zoom=""))
        self.action_seat(1)

    def _look(self, view: View) -> None:
        """Look in this way from now on."""
        if view.turn is None:
            self._earlier = None
        self._view = view
        self._plan()
        if self._state is not None:
            self.show(self._state, t=self._t)
        self.post_message(self.Rearranged())

    def on_tile_selected(self, event: Tile.Selected) -> None:
        """Open the tile of a folded row that was clicked."""
        event.stop()
        if self._phase == "answer":
            self.action_seat(event.seat.number)

    def on_flow_lines_picked(self, event: FlowLines.Picked) -> None:
        """Open the tiles of the layer that was clicked, or fold them."""
        event.stop()
        run, view = self.run, self._view
        if run is None:
            return
        is_on_show = self._phase != "answer" and view.layer_in(run) == event.layer
        is_newest = run.layers[-1].layer == event.layer and view.turn is None
        if is_on_show:
            self._look(replace(view, layer=None, is_unfolded=False, is_pinned=False))
        else:
            layer = None if is_newest else event.layer
            self._look(replace(view, layer=layer, is_unfolded=True))

    def on_race_view_selected(self, event: RaceView.Selected) -> None:
        """Name the keys that work on another lane."""
        event.stop()
        self.on_descendant_focus()
        self.refresh_bindings()

    def on_race_view_picked(self, event: RaceView.Picked) -> None:
        """Turn from lanes to the tile of the one that was picked."""
        event.stop()
        self._look(replace(self._view, is_lanes=False))
        self.action_seat(event.seat.number)

    def turn_meant(self, turns: Turns) -> int:
        """Return the number of the turn in sight while the answer is read, else of the last one."""
        number = None
        if self._pane is not None and self.place == "answer":
            number = self._pane.answer.view.turn_in_sight
        return len(turns) - 1 if number is None else number

    def begin_replay(self, number: int) -> None:
        """Let a turn's answer grow anew, and its race be seen."""
        self._is_lost = True
        if self._pane is not None:
            self._pane.begin_replay(number)
        self._earlier = None
        self._view = self._view.of_a_new_run()

    async def open_turns(self, turns: Turns) -> None:
        """Show a conversation that exists already, its last run's seats folded."""
        self._build()
        if self._mounted is not None:
            await self._mounted
        self.show_turns(turns, 0, changed=0)

    def cut(self, number: int) -> None:
        """Show the turns before this one only."""
        if self._pane is not None:
            self._pane.cut(number)

    def show_turns(self, turns: Turns, number: int | None, *, changed: int) -> None:
        """Show the version that a turn has now, and if ``number`` is given all turns from there."""
        if self._pane is None:
            return
        self._pane.show_turns(turns, changed if number is None else number, is_one=number is None)
        last = turns[-1].version
        if last.run is not None:
            self._state, self._t = last.run, last.run.t
        if last.run is not None and last.taken is None:
            self.run_worker(
                self._pane.attributed.work_out(len(turns) - 1, last.run), group="attribution"
            )
        self._look(replace(self._view, turn=None, layer=None, is_unfolded=False))

    # What can be taken from it.

    @property
    def text_to_copy(self) -> str:
        """The proposal in focus, else the answer in sight; "" if there is none."""
        if (seat := self.focused_seat) is not None:
            return str(seat.text).strip()
        return "" if self._pane is None else self._pane.answer.view.answer_text().strip()

    @property
    def code_to_copy(self) -> str:
        """The code in sight of the proposal in focus, else of the answer; "" if there is none."""
        return "" if self._pane is None else self._pane.code_in_sight(self.screen.focused)

    def rewrite(self, number: int, seat: SeatState, *, version: Place, is_newest: bool) -> None:
        """Show a seat's proposal as the answer of a turn, and that rather than the tiles."""
        if self._pane is not None:
            self._pane.rewrite(number, seat, version=version, is_newest=is_newest)
        self._look(replace(self._view, turn=None, layer=None, is_unfolded=False, zoom=""))

    # Rows.

    def fit(self, turns: Turns, *, sidebar: bool, above: int = 0) -> Room | None:
        """Give every part its rows; None when the screen is too small for any.

        ``sidebar``: it may stand beside the stage. ``above``: rows that others have above it.
        """
        self._above = above
        self._queue.show(turns.queue, held=turns.held)
        self._has_sidebar = sidebar
        return self._plan()

    @property
    def _phase(self) -> Phase:
        return phase_of(self._state, self._view, is_read=self.place == "answer")

    def _plan(self) -> Room | None:
        run = self.run
        seats = () if run is None else run.layer_seats(self._view.layer_in(run))
        content = Content(
            phase=self._phase,
            zoom=self._view.zoom,
            seats=len(seats),
            layers=0 if run is None else len(run.layers),
            draft=self.composer.rows,
            queue=self._queue.count,
            sidebar=self._has_sidebar,
        )
        size = self.app.size
        # The least size is for what stands here always.
        height = max(size.height - self._above, min(size.height, LEAST_HEIGHT))
        room = plan(size.width, height, content)
        wanted = (room, content, self._view)
        if room is not None and wanted != self._dealt:
            self._dealt = wanted
            self._deal(room, content)
        return room

    def _deal(self, room: Room, content: Content) -> None:
        is_empty = content.phase == "empty"
        is_folded = content.phase == "answer"
        # What has the focus goes: keys that are commands must not turn into text.
        was_watching = is_folded and self.place in ("tile", "lanes")
        if room.answer <= 1 and self.place == "answer":
            self._is_lost = True
        self.styles.padding = (room.head_gap, int(room.has_sidebar), 0, int(room.has_sidebar))
        self.welcome.display = is_empty
        self.composer.styles.height = room.composer
        self._queue.display = room.queue > 0
        if not is_empty:
            pane = self._build()
            pane.display = True
            pane.fit(room, folded=is_folded, view=self._view)
            if was_watching:
                self.screen.set_focus(pane.answer.view)
            self.find_focus()

    # Focus.

    @property
    def place(self) -> keys.Place:
        """Where the focus is."""
        focused = self.screen.focused
        if focused is self.composer.draft:
            return "composer"
        if focused is self.welcome:
            return "examples"
        if self._pane is None:
            return "elsewhere"
        return self._pane.place_of(focused) or "elsewhere"

    @property
    def focused_seat(self) -> SeatState | None:
        """The seat of the tile or lane in focus."""
        run = self.run
        if run is None or self._pane is None:
            return None
        seat = self._pane.seat_of(self.screen.focused)
        return None if seat is None else run.seats.get(seat)

    def parts(self) -> dict[str, Widget]:
        """Return the widgets that have keys of their own, by what the help calls them."""
        inside = {} if self._pane is None else self._pane.parts()
        return {
            words.HELP_WRITING: self.composer.draft,
            words.HELP_EXAMPLES: self.welcome,
            **inside,
        }

    def places(self) -> list[tuple[str, Widget]]:
        """Return what one can go to now, each with the letter that should lead there."""
        inside = [] if self._pane is None else self._pane.places()
        welcome: list[tuple[str, Widget]] = [("e", self.welcome)] if self.welcome.display else []
        return [("i", self.composer.draft), *welcome, *inside]

    def find_focus(self, *, is_lost: bool = False) -> None:
        """Have a tile take the focus that its holder lost; without any, hardly a key works.

        It must not go where keys that are commands would turn into text.
        """
        self._is_lost |= is_lost
        if not self._is_lost or self._pane is None:
            return
        places = [widget for _, widget in self._pane.places()]
        if places:
            self._is_lost = False
            self.screen.set_focus(places[0])

    def on_descendant_focus(self) -> None:
        """Name the keys that work with the new focus, and give it the room that it needs."""
        if self._state is not None:
            self._plan()
            self.show(self._state, t=self._t)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Return whether a key leads anywhere now."""
        run, phase = self.run, self._phase
        seats = 0 if run is None else len(run.layer_seats(self._view.layer_in(run)))
        leads = keys.leads(action, parameters, place=self.place, phase=phase, seats=seats)
        if leads is None:
            leads = keys.shows(
                action, parameters, place=self.place, phase=phase, view=self._view, run=run
            )
        return super().check_action(action, parameters) if leads is None else leads

    def action_next(self, whither: str) -> None:
        """Go on: composer, live tiles, answer, what stands beside the stage."""
        del whither
        self._go(1)

    def action_previous(self) -> None:
        """Go back."""
        self._go(-1)

    def _go(self, step: int) -> None:
        draft = self.composer.draft
        chain = [widget for widget in self.screen.focus_chain if widget is not draft]
        inside = [widget for widget in chain if self in widget.ancestors]
        ring = [draft, *inside, *(widget for widget in chain if widget not in inside)]
        focused = self.screen.focused
        at = ring.index(focused) if focused in ring else 0
        self.screen.set_focus(ring[(at + step) % len(ring)])

    def action_seat(self, number: int) -> None:
        """Go to a seat's tile, which is opened if it is folded."""
        run = self.run
        if run is None or self._pane is None:
            return
        seat = Seat(self._view.layer_in(run), number)
        if seat not in run.seats:
            return
        if self._phase == "answer":
            self._look(replace(self._view, is_unfolded=True))
        if self._view.zoom == "answer":
            self._look(replace(self._view, zoom=""))
        self._pane.go_to(seat, view=self._view)

    def action_compose(self) -> None:
        """Go back to the composer."""
        self.screen.set_focus(self.composer.draft)

    # Other ways to look.

    def action_close_view(self) -> None:
        """Close what was opened last."""
        self._look(self._view.closed())

    def action_lanes(self) -> None:
        """Show lanes in the place of tiles."""
        self._draw_as(lanes=True)

    def action_tiles(self) -> None:
        """Show tiles in the place of lanes, or the folded table where that was."""
        if self._phase == "both" and not self._view.is_pinned and self._view.turn is None:
            self._look(replace(self._view, is_lanes=False, is_unfolded=False))
        else:
            self._draw_as(lanes=False)

    def _draw_as(self, *, lanes: bool) -> None:
        seat, view = self.focused_seat, self._view
        is_unfolded = view.is_unfolded or self._phase == "answer"
        self._look(replace(view, is_lanes=lanes, is_unfolded=is_unfolded))
        if seat is not None:
            self.action_seat(seat.seat.number)

    def action_pin(self) -> None:
        """Keep tiles open beside the answer."""
        self._look(replace(self._view, is_pinned=True, is_unfolded=False))

    def action_unpin(self) -> None:
        """Fold the tiles that stand open beside the answer."""
        unpinned = replace(self._view, is_pinned=False, is_unfolded=False)
        self._look(replace(unpinned, turn=None, layer=None))

    def action_zoom(self) -> None:
        """Give all the room to what is in focus, or give it back."""
        place = self.place
        zoom = "" if self._view.zoom else zoom_from(place, self._state, self._view)
        seat = self.focused_seat if zoom == "race" and place == "tile" else None
        if self._pane is not None:
            self._pane.zoom_tile(None if seat is None else seat.seat)
        self._look(replace(self._view, zoom=zoom))

    def action_layer(self, step: int) -> None:
        """Show the layer so many before or behind; the focus stays on the seat's number."""
        seat = self.focused_seat
        if (run := self.run) is not None:
            self._look(self._view.stepped(run, step))
        if seat is not None:
            self.action_seat(seat.seat.number)

    def action_thinking(self) -> None:
        """Fold or unfold the thinking of what is in focus."""
        if self._pane is not None:
            self._pane.toggle_thinking(self.screen.focused)

    def action_sources(self) -> None:
        """Show where the answer's sentences are from, or hide it."""
        if self._pane is not None:
            self._pane.attributed.toggle()
