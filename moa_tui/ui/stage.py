"""The main column: greeting or run, queue, composer; who is shown, how tall, how one moves."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment

from moa_tui.engine.mixture import Seat
from moa_tui.ui import keys, look, words
from moa_tui.ui.composer import Composer, Queue
from moa_tui.ui.frames import FrameClock
from moa_tui.ui.room import Content, Room, layer_on_show, phase_of, plan
from moa_tui.ui.rows import Ground, Rows, wrapped
from moa_tui.ui.welcome import Welcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.strip import Strip
    from textual.widget import AwaitMount

    from moa_tui.engine.mixture import Mixture
    from moa_tui.engine.state import RunState, SeatState
    from moa_tui.ui.composer import Prompt
    from moa_tui.ui.run_pane import RunPane
    from moa_tui.ui.told import Greeting
    from moa_tui.ui.turns import Turns


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
    """Everything between header and footer but the sidebar; it is told the state of the run."""

    BINDINGS: ClassVar[list[BindingType]] = list(keys.MOVES)

    def __init__(self, greeting: Greeting) -> None:
        super().__init__()
        self.welcome = Welcome(greeting)
        self.composer = Composer()
        self.frames = FrameClock(self)
        """What moves tiles and answer; a test may flush it."""
        self._queue = Queue()
        self._pane: RunPane | None = None
        self._mounted: AwaitMount | None = None
        self._state: RunState | None = None
        self._t = 0.0
        self._room: Room | None = None
        self._content: Content | None = None

    def compose(self) -> ComposeResult:
        """What the first paint needs."""
        yield self.welcome
        yield self._queue
        yield self.composer

    def on_mount(self) -> None:
        """Build what a run needs once the first paint is out."""
        self.call_after_refresh(self._build_early)

    def _build_early(self) -> None:
        if self.is_attached:
            self._build()

    def _build(self) -> RunPane:
        if self._pane is None:
            # Markdown costs 50 ms to import, which the first paint shouldn't wait for.
            from moa_tui.ui.run_pane import RunPane  # noqa: PLC0415 - see above

            self._pane = RunPane(self.frames)
            self._pane.display = False
            self._mounted = self.mount(self._pane, after=self.welcome)
        return self._pane

    # The run.

    async def begin(self, prompt: Prompt, mixture: Mixture) -> None:
        """Open a turn that this mixture answers."""
        pane = self._build()
        if self._mounted is not None:
            await self._mounted
        pane.begin(prompt.shown, mixture)
        if self.welcome.has_focus:
            self.composer.draft.focus()

    def stream(self, state: RunState, seat: Seat, *, t: float) -> None:
        """Show a seat that said something; cheap, since it happens at every token."""
        self._state, self._t = state, t
        self._build().stream(state, seat, t=t)

    def show(self, state: RunState, *, t: float) -> None:
        """Show a run at ``t`` seconds since it started."""
        self._state, self._t = state, t
        self._build().show(state, t=t, is_writing=self.place == "composer")

    def finish(self, state: RunState) -> None:
        """Close the turn with the answer, or with why there is none."""
        self._build().finish(state)

    # Rows.

    def fit(self, turns: Turns, *, sidebar: bool) -> Room | None:
        """Give every part its rows; None when the screen is too small for any.

        ``sidebar``: it may stand beside the stage.
        """
        state = self._state
        self._queue.show(turns.queue, held=turns.held)
        content = Content(
            phase=phase_of(state),
            seats=0 if state is None else len(state.layer_seats(layer_on_show(state))),
            layers=0 if state is None else len(state.layers),
            draft=self.composer.rows,
            queue=self._queue.count,
            sidebar=sidebar,
        )
        size = self.app.size
        room = plan(size.width, size.height, content)
        if room is not None and (room, content) != (self._room, self._content):
            self._room, self._content = room, content
            self._deal(room, content)
        return room

    def _deal(self, room: Room, content: Content) -> None:
        is_empty = content.phase == "empty"
        is_folded = content.phase == "answer"
        if is_folded and self.place == "tile":
            self.composer.draft.focus()
        self.styles.padding = (room.head_gap, int(room.has_sidebar), 0, int(room.has_sidebar))
        self.welcome.display = is_empty
        self.composer.styles.height = room.composer
        self._queue.display = room.queue > 0
        if not is_empty:
            pane = self._build()
            pane.display = True
            pane.fit(room, folded=is_folded)

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
        if self._pane.seat_of(focused) is not None:
            return "tile"
        return "answer" if self._pane.is_answer(focused) else "elsewhere"

    @property
    def focused_seat(self) -> SeatState | None:
        """The seat of the tile in focus."""
        if self._state is None or self._pane is None:
            return None
        seat = self._pane.seat_of(self.screen.focused)
        return None if seat is None else self._state.seats.get(seat)

    def on_descendant_focus(self) -> None:
        """Name the keys that work with the new focus."""
        if self._state is not None:
            self.show(self._state, t=self._t)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Return whether a key leads anywhere now."""
        phase = phase_of(self._state)
        seats = 0
        if self._state is not None and phase != "answer":
            seats = len(self._state.layer_seats(layer_on_show(self._state)))
        leads = keys.leads(action, parameters, place=self.place, phase=phase, seats=seats)
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
        ring[(at + step) % len(ring)].focus()

    def action_seat(self, number: int) -> None:
        """Go to a seat's tile."""
        if self._state is not None and self._pane is not None:
            self._pane.go_to(Seat(layer_on_show(self._state), number))

    def action_compose(self) -> None:
        """Go back to the composer."""
        self.composer.draft.focus()
