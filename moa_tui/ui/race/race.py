"""The race view: one lane a seat, its bar growing with its tokens, its speed beside it.

It keeps what it drew and repaints only rows that tell something else.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Final

from textual.binding import Binding, BindingType
from textual.color import Color
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from moa_tui.ui import look
from moa_tui.ui.look import Palette, RateMeter
from moa_tui.ui.race import lanes
from moa_tui.ui.race.lanes import Lower, Upper

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from textual import events
    from textual.filter import LineFilter

    from moa_tui.engine.mixture import Seat
    from moa_tui.engine.state import SeatState
    from moa_tui.ui.frames import FrameClock

_BLACK: Final = Color(0, 0, 0)
_TWICE: Final = 2


def _binding(keys: str, action: str, label: str, tooltip: str, *, show: bool = False) -> Binding:
    return Binding(keys, action, label, id=f"race.{action}", show=show, tooltip=tooltip)


class RaceView(Widget, can_focus=True):
    """All seats of a layer as lanes on one scale, in their order; one of them is selected.

    `show` is cheap and may be called for every event. Call it about four times a second while a
    seat is live even if nothing happened: the clock of the view is the ``t`` that it is shown.
    """

    DEFAULT_CSS = "RaceView { width: 1fr; height: 1fr; background: $background; }"
    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = [
        _binding("up,k", "up", "Up", "The lane above"),
        _binding("down,j", "down", "Down", "The lane below"),
        _binding("home", "home", "First", "The first lane"),
        _binding("end", "end", "Last", "The last lane"),
        _binding("enter", "open", "its text", "Show the seat's text", show=True),
    ]

    class Picked(Message):
        """The person wants to read a seat's text."""

        def __init__(self, seat: Seat) -> None:
            super().__init__()
            self.seat = seat

    class Selected(Message):
        """The person turned to a seat: its lane is selected and the view has the focus."""

        def __init__(self, seat: Seat) -> None:
            super().__init__()
            self.seat = seat

    def __init__(self, frames: FrameClock) -> None:
        super().__init__()
        self._frames = frames
        self._seats: tuple[SeatState, ...] = ()
        self._t = 0.0
        self._index = 0
        self._meters: dict[Seat, RateMeter] = {}
        self._figures_t = 0.0
        self._course = lanes.laid_out((), (0, 0))
        self._names: tuple[str, ...] = ()
        self._names_of: object = None
        self._variables: Mapping[str, str] | None = None
        self._filters: Sequence[LineFilter] = ()
        self._palette = Palette.of({})
        self._drawn: dict[int, tuple[object, Strip]] = {}
        self._lanes: dict[int, tuple[SeatState, Upper, Lower | None]] = {}

    @property
    def selected(self) -> Seat | None:
        """The seat whose lane is selected; None before any is shown."""
        return self._seats[self._index].seat if self._seats else None

    def show(self, seats: Sequence[SeatState], *, t: float) -> None:
        """Show a layer's seats at ``t`` seconds of the run, in their order."""
        is_same = len(seats) == len(self._seats) and all(map(_is, seats, self._seats))
        if is_same and self._figures_t <= t < self._figures_t + self._frames.figures_s:
            return
        if t < self._t or [seat.seat for seat in seats] != [seat.seat for seat in self._seats]:
            self._start(seats)
        self._seats, self._t = tuple(seats), t
        self._frames.request(self)

    def _start(self, seats: Sequence[SeatState]) -> None:
        """Take up other seats or an earlier time; the lane with the same number is selected."""
        number = 0 if self.selected is None else self.selected.number
        numbers = [seat.seat.number for seat in seats]
        self._index = numbers.index(number) if number in numbers else 0
        self._meters = {seat.seat: RateMeter() for seat in seats}
        self._lanes.clear()

    def select(self, seat: Seat) -> None:
        """Select a seat's lane and have it in sight.

        Raises:
            KeyError: the seat isn't in this race.
        """
        index = next((i for i, state in enumerate(self._seats) if state.seat == seat), None)
        if index is None:
            raise KeyError(seat)
        self._index = index
        self.flush()

    # Drawing.

    def flush(self) -> None:
        """Put what changed on the screen."""
        if not self.is_attached or not self.display or not self.size:
            return
        if self._dress():
            self.refresh()
        for row in self._draw():
            self.refresh(Region(0, row, self._course.width, 1))

    def _dress(self) -> bool:
        """Take up a new size, theme or place; return whether all has to be drawn again."""
        names_of = [(seat.model, seat.label) for seat in self._seats]
        if names_of != self._names_of:
            self._names_of = names_of
            self._names = tuple(look.name_of(seat) for seat in self._seats)
        before, variables = self._course, self.app.theme_variables
        width, height = self.size
        self._course = lanes.laid_out(
            self._names, (width, height), selected=self._index, first=before.first
        )
        if self._course == before and variables is self._variables:
            return False
        self._variables = variables
        self._palette = Palette.of(variables)
        self._filters = self.get_line_filters()
        self._drawn.clear()
        self._lanes.clear()
        return True

    def _draw(self) -> list[int]:
        """Draw the rows that tell something else than before and return which they are."""
        changed = []
        for row, facts in self._facts():
            if row >= self._course.height or (row in self._drawn and self._drawn[row][0] == facts):
                continue
            self._drawn[row] = facts, self._filtered(self._strip(facts))
            changed.append(row)
        return changed

    def _facts(self) -> Iterator[tuple[int, Upper | Lower | int | None]]:
        """Yield (row, what it tells): a lane's half, the scale for the heads, None for the cue."""
        course, t = self._course, self._t
        scale = look.lane_scale(max((seat.tokens for seat in self._seats), default=0))
        is_due = not self._figures_t <= t < self._figures_t + self._frames.figures_s
        rates = {}
        if is_due:
            self._figures_t = t
            # Lanes out of sight are measured too: their speed is there when they come.
            rates = {seat.seat: self._meters[seat.seat].rate(seat, t) for seat in self._seats}
        if course.has_heads and self._seats:
            yield 0, scale
        for index in course.indexes:
            seat, row = self._seats[index], course.row_of(index)
            first, second = self._lane(index, scale, rates.get(seat.seat), is_due=is_due)
            yield row, first
            if second is not None:
                yield row + 1, second
        if course.cue_row is not None:
            yield course.cue_row, None

    def _lane(
        self, index: int, scale: int, rate: float | None, *, is_due: bool
    ) -> tuple[Upper, Lower | None]:
        """Return what a lane tells; between two changes of figures only its bar may differ."""
        seat, course, t = self._seats[index], self._course, self._t
        is_selected = index == self._index and self.has_focus
        known = self._lanes.get(index)
        if known is not None and _tells_the_same(known[0], seat, is_due=is_due):
            cells = look.lane_cells(course.bar, *look.thought_and_said(seat), scale=scale)
            first = replace(known[1], cells=cells, is_selected=is_selected)
            second = known[2] and replace(known[2], is_selected=is_selected)
        else:
            if not is_due:
                rate = self._meters[seat.seat].rate(seat, t)
            first = lanes.upper(
                seat, t, rate=rate, scale=scale, course=course, is_selected=is_selected
            )
            second = None
            if course.pitch > 1:
                second = lanes.lower(
                    seat, t, course=course, palette=self._palette, is_selected=is_selected
                )
        self._lanes[index] = seat, first, second
        return first, second

    def _strip(self, facts: Upper | Lower | int | None) -> Strip:
        course, palette = self._course, self._palette
        match facts:
            case Upper():
                return lanes.upper_row(facts, course=course, palette=palette)
            case Lower():
                return lanes.lower_row(facts, course=course, palette=palette)
            case int():
                return lanes.heads_row(facts, course=course, palette=palette)
            case None:
                return lanes.cue(course, palette)

    def _filtered(self, strip: Strip) -> Strip:
        """Apply what Textual applies to rows, like NO_COLOR, once and not at every repaint."""
        for line_filter in self._filters:
            strip = strip.apply_filter(line_filter, _BLACK)
        return strip

    def render_lines(self, crop: Region) -> list[Strip]:
        """Return rows straight from what was drawn: there is no border or padding to add."""
        # Rows are cached here and not where Textual does it; its list of dirty ones would grow.
        self._dirty_regions.clear()
        # A new size is taken up at once: the frame before the resize event would be empty.
        if self._dress():
            self._draw()
        strips = [self.render_line(y) for y in crop.line_range]
        if crop.column_span != (0, self.size.width):
            strips = [strip.crop(*crop.column_span) for strip in strips]
        return strips

    def render_line(self, y: int) -> Strip:
        """Return one row."""
        if y in self._drawn:
            return self._drawn[y][1]
        return self._filtered(Strip.blank(self.size.width, self._palette.background))

    def notify_style_update(self) -> None:
        """Draw in the new theme's colours."""
        super().notify_style_update()
        self._variables = None
        self._frames.request(self)

    # Moving.

    def _turn_to(self, index: int) -> None:
        """Select a lane, as the person asked."""
        if not self._seats:
            return
        self._index = min(max(0, index), len(self._seats) - 1)
        self.flush()
        self.post_message(self.Selected(self._seats[self._index].seat))

    def action_up(self) -> None:
        """Select the lane above."""
        self._turn_to(self._index - 1)

    def action_down(self) -> None:
        """Select the lane below."""
        self._turn_to(self._index + 1)

    def action_home(self) -> None:
        """Select the first lane."""
        self._turn_to(0)

    def action_end(self) -> None:
        """Select the last lane."""
        self._turn_to(len(self._seats) - 1)

    def action_open(self) -> None:
        """Ask for the selected seat's text."""
        if self.selected is not None:
            self.post_message(self.Picked(self.selected))

    def on_click(self, event: events.Click) -> None:
        """Select the lane that was clicked; a second click asks for its text."""
        index = self._course.index_at(event.y)
        if index is None:
            return
        event.stop()
        self._turn_to(index)
        if event.chain == _TWICE:
            self.action_open()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Select the lane below, where not all are in sight."""
        if self._course.count < len(self._seats):
            event.stop()
            self.action_down()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Select the lane above, where not all are in sight."""
        if self._course.count < len(self._seats):
            event.stop()
            self.action_up()

    def on_focus(self) -> None:
        """Mark the selected lane and say whose it is."""
        self._turn_to(self._index)

    def on_blur(self) -> None:
        """Take the mark off."""
        self.flush()

    def on_show(self) -> None:
        """Draw what came while it was hidden."""
        self.flush()

    def on_unmount(self) -> None:
        """Leave the clock."""
        self._frames.forget(self)


def _is(one: object, other: object) -> bool:
    return one is other


def _tells_the_same(known: SeatState, seat: SeatState, *, is_due: bool) -> bool:
    """Return whether figures and words of a lane stay, as they do till they are due while live."""
    if not seat.is_live:
        return known is seat
    return not is_due and _state_of(known) == _state_of(seat)


def _state_of(seat: SeatState) -> object:
    return seat.seat, seat.model, seat.status, seat.attempt, seat.is_late
