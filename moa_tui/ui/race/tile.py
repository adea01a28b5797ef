"""One seat of the race, drawn by one widget.

It repaints only rows that changed: while text streams there is no layout, no reactive, no message
and no mount.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from rich.cells import cell_len
from rich.segment import Segment
from textual.binding import Binding, BindingType
from textual.color import Color
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from moa_tui.ui import look, selecting
from moa_tui.ui.look import Palette, RateMeter
from moa_tui.ui.race import card
from moa_tui.ui.race.card import Coat, Shape
from moa_tui.ui.race.tail import Sight, StripCache, Tail

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from textual import events
    from textual.filter import LineFilter
    from textual.selection import Selection

    from moa_tui.engine.mixture import Seat
    from moa_tui.engine.state import SeatState
    from moa_tui.ui.frames import FrameClock

_WHEEL_ROWS: Final = 3
_BLACK: Final = Color(0, 0, 0)
_BLANK_ROW: Final = -1
_BEFORE_TEXT: Final = 2
NEW_LINES: Final = " {down} {count} new line{s} "


def _binding(keys: str, action: str, label: str, tooltip: str) -> Binding:
    return Binding(keys, action, label, id=f"tile.{action}", show=False, tooltip=tooltip)


class Tile(Widget, can_focus=True):
    """One seat of the race: head, lane, text that follows its end, figures.

    `show` is cheap and may be called for every event. Call it about four times a second while the
    seat is live even if nothing happened: the clock of a tile is the ``t`` that it is shown.
    """

    DEFAULT_CSS = "Tile { background: $surface; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        _binding("down,j", "scroll_down", "Down", "A row down"),
        _binding("up,k", "scroll_up", "Up", "A row up; the text isn't followed then"),
        _binding("pagedown", "page_down", "Page down", "What is seen, down"),
        _binding("pageup", "page_up", "Page up", "What is seen, up"),
        _binding("home", "scroll_home", "Start", "The start of the text"),
        _binding("end", "scroll_end", "End", "The end of the text, followed"),
    ]

    class Selected(Message):
        """The person turned to a seat: its tile has the focus, or its row was clicked."""

        def __init__(self, seat: Seat) -> None:
            super().__init__()
            self.seat = seat

    def __init__(self, frames: FrameClock) -> None:
        super().__init__()
        self._state: SeatState | None = None
        self._frames = frames
        self._t = 0.0
        self._scale = look.LEAST_SCALE
        self._hints: tuple[tuple[str, str], ...] = ()
        self._shows_thinking: bool | None = None
        self._meter = RateMeter()
        self._tail = Tail()
        self._sight = Sight()
        self._strips = StripCache()
        self._page: list[card.Row] | None = None
        self._page_of: object = None
        self._puts_off = False
        self._frame: dict[int, Strip] = {}
        self._frame_of: dict[int, object] = {}
        self._told: object = None
        self._cells = (0, 0)
        self._figures_t = 0.0
        self._rate: float | None = None
        self._shape = Shape(0, 0)
        self._variables: Mapping[str, str] | None = None
        self._filters: Sequence[LineFilter] = ()
        self._selection: Selection | None = None
        self._palette = Palette.of({})
        self._coat = Coat.of(self._palette, is_focused=False)

    @property
    def seat(self) -> Seat | None:
        """The seat on show."""
        return None if self._state is None else self._state.seat

    @property
    def code_in_sight(self) -> str:
        """The code of an ended seat's text that is nearest to what one sees, "" if none."""
        if self._state is None or self._state.is_live or not self._page:
            return ""
        middle = self._sight.top + self._sight.height // 2
        return card.code_near(str(self._state.text), self._page, middle)

    def show(self, seat: SeatState, *, t: float, scale: int) -> None:
        """Show a seat at ``t`` seconds of the run, its lane being full at ``scale`` tokens."""
        is_due = not self._figures_t <= t < self._figures_t + self._frames.figures_s
        if self._state is None or self._state.seat != seat.seat:
            self._meter, self._sight = RateMeter(), Sight(height=self._shape.text_height)
            self._shows_thinking = None
        if seat is self._state and scale == self._scale and not is_due:
            return
        self._state, self._t, self._scale = seat, t, scale
        self._frames.request(self)

    def hint(self, hints: Sequence[tuple[str, str]]) -> None:
        """Set the keys that work on this seat now, as (key, what it does); shown if it waits."""
        if tuple(hints) != self._hints:
            self._hints = tuple(hints)
            self._frames.request(self)

    def toggle_thinking(self) -> None:
        """Fold or unfold the thinking; by itself it is shown while the seat is live."""
        if self._state is None or not self._state.thinking:
            return
        self._shows_thinking = not self._has_thinking(self._state)
        self._page_of = None
        self._frames.request(self)

    def _has_thinking(self, seat: SeatState) -> bool:
        return seat.is_live if self._shows_thinking is None else self._shows_thinking

    def flush(self) -> None:
        """Put what changed on the screen."""
        if self._state is None or not self.is_attached or not self.display or not self.size:
            return
        if self._dress(self._state):
            self.refresh()
        for first, last in (*self._flush_body(self._state), *self._flush_frame(self._state)):
            self.refresh(Region(0, first, self._shape.width, last - first))

    def _dress(self, seat: SeatState) -> bool:
        """Take up a new size, theme or focus; return whether all has to be drawn again."""
        variables, shape = self.app.theme_variables, Shape(*self.size)
        is_focused = self.has_focus
        same_look = variables is self._variables and is_focused == self._coat.is_focused
        if same_look and shape == self._shape:
            return False
        self._filters = self.get_line_filters()
        self._palette = Palette.of(variables)
        self._coat = Coat.of(self._palette, is_focused=is_focused)
        self._variables, self._shape = variables, shape
        self._strips.clear()
        self._frame.clear()
        self._frame_of.clear()
        self._told = None
        if self._tail.rows_of(shape.text_width, is_compact=shape.is_compact):
            selecting.forget(self)
        self._sight.height = shape.text_height
        if self._page is None:
            self._tail.take(seat)
            self._sight.rescale(self._tail.total)
        return True

    # The text.

    def _flush_body(self, seat: SeatState) -> list[tuple[int, int]]:
        """Take what is new in the text and return the rows to repaint, as (first, behind last)."""
        is_text = bool(seat.text) or bool(seat.thinking)
        if not seat.is_live or not is_text or seat.status == "retrying":
            # Laying out an answer takes a while, and sixty may have ended: heads say it first.
            had_tail = self._page is None and self._tail.total > 0
            self._puts_off = is_text and had_tail and not self._puts_off
            if self._puts_off:
                self._frames.request(self)
                return []
            return self._flush_page(seat)
        self._puts_off = False
        left_page, self._page, self._page_of = self._page is not None, None, None
        folded = "" if self._has_thinking(seat) else card.FOLDED
        left_page |= self._tail.fold(folded)
        first = self._tail.take(seat)
        if left_page:
            selecting.forget(self)
            self._sight = Sight(height=self._shape.text_height)
            first = 0
        if first is None:
            return []
        self._strips.drop_from(first)
        if self._sight.grow(self._tail.total) or first == 0:
            return [self._text_rows(0)]
        if self._sight.follows:
            return [self._text_rows(first - self._sight.top)]
        return [self._text_rows(self._shape.text_height - 1)]

    def _flush_page(self, seat: SeatState) -> list[tuple[int, int]]:
        logs = (0, 0) if seat.is_live else (seat.text.length, seat.thinking.length)
        told = (seat.status, seat.attempt, seat.message, seat.hint, seat.behind, seat.notes)
        thinks = self._has_thinking(seat)
        page_of = (seat.seat, told, logs, self._hints, self._shape, id(self._palette), thinks)
        if page_of == self._page_of:
            return []
        sight, was_page = self._sight, self._page is not None
        page = card.page(seat, self._hints, shape=self._shape, palette=self._palette, thinks=thinks)
        # Focus alone may change the keys that work on a seat, and it comes with a drag's start.
        if page != self._page:
            selecting.forget(self)
        self._page = page
        self._page_of = page_of
        self._tail.forget()
        self._strips.clear()
        # Who follows the end of a text reads its answer from the start, who reads on stays there.
        stays = sight.total and (was_page or not sight.follows)
        top = round(sight.top / sight.total * len(self._page)) if stays else 0
        sight.settle(len(self._page), top)
        return [self._text_rows(0)]

    def _text_rows(self, first: int) -> tuple[int, int]:
        top = self._shape.text_top
        return top + max(0, first), top + self._shape.text_height

    def _text_strip(self, row: int) -> Strip:
        """Draw a row of text, or a blank one behind the last."""
        if self._page is not None:
            return self._body(self._page[row] if row < len(self._page) else ())
        if row >= self._tail.total:
            return self._body(())
        text, kind = self._tail.row(row)
        style = self._palette.ink
        if kind == "thinking":
            style = self._palette.state("thinking") + look.ITALIC
        inner = [Segment(text, style)]
        seat = self._state
        if seat and row == self._tail.total - 1 and seat.status == "streaming":
            inner.append(Segment(look.CURSOR, self._palette.seat(seat.seat.number)))
        return self._body(inner)

    def _body(self, inner: Iterable[Segment]) -> Strip:
        return self._filtered(card.framed(list(inner), shape=self._shape, coat=self._coat))

    def _filtered(self, strip: Strip) -> Strip:
        """Apply what Textual applies to rows, like NO_COLOR, once and not at every repaint."""
        for line_filter in self._filters:
            strip = strip.apply_filter(line_filter, _BLACK)
        return strip

    def _with_news(self, strip: Strip) -> Strip:
        """Return the lowest row of text with the number of rows that wait below it."""
        count = self._sight.unseen
        news = NEW_LINES.format(down=look.DOWN, count=count, s="" if count == 1 else "s")
        width = max(1, self._shape.width - cell_len(news) - 1)
        style = self._coat.head + self._coat.name
        shown = Strip([Segment(news, style)]).crop(0, self._shape.width - width - 1)
        air = Strip([Segment(" ", self._coat.body)])
        return Strip.join([strip.crop(0, width), self._filtered(shown), self._filtered(air)])

    # Head, lane and foot.

    def _flush_frame(self, seat: SeatState) -> list[tuple[int, int]]:
        """Draw figures that are due and return their rows, as (first, behind last)."""
        shape, t = self._shape, self._t
        cells = look.lane_cells(shape.lane_width, *look.thought_and_said(seat), scale=self._scale)
        told = (seat.seat, seat.model, seat.status, seat.attempt, seat.is_late)
        is_due = told != self._told or not 0 <= t - self._figures_t < self._frames.figures_s
        if not is_due and cells == self._cells:
            return []
        if is_due:
            self._figures_t, self._rate = t, self._meter.rate(seat, t)
        self._told, self._cells = told, cells
        drawn = []
        for row, facts, draw in self._figures(seat, is_due=is_due):
            if self._frame_of.get(row) != facts:
                self._frame_of[row], self._frame[row] = facts, self._filtered(draw())
                drawn.append((row, row + 1))
        return drawn

    def _figures(
        self, seat: SeatState, *, is_due: bool
    ) -> Iterator[tuple[int, object, Callable[[], Strip]]]:
        """Yield (row, what it tells, how it is drawn) of head, lane and foot."""
        shape, palette, coat, t = self._shape, self._palette, self._coat, self._t
        cells, rate, number = self._cells, self._rate, seat.seat.number
        told = (number, look.name_of(seat), look.mark(seat, t), look.elapsed(seat, t))
        yield 0, told, lambda: card.head(seat, t, shape=shape, palette=palette, coat=coat)
        if shape.is_roomy:
            bar = card.lane(cells, seat, width=shape.lane_width, palette=palette)
            yield shape.lane_row, bar, lambda: card.framed(bar, shape=shape, coat=coat, air=0)
        if shape.foot_row and (is_due or not shape.is_roomy):
            counted = (number, seat.tokens, look.rate(rate), seat.ttft_s, cells, seat.is_live)
            yield (
                shape.foot_row,
                counted,
                lambda: card.foot(seat, rate, cells, shape=shape, palette=palette, coat=coat),
            )

    # Drawing.

    def render_lines(self, crop: Region) -> list[Strip]:
        """Return rows straight from the cache: there is no border or padding to add to them."""
        # Rows are cached here and not where Textual does it; its list of dirty ones would grow.
        self._dirty_regions.clear()
        # A new size is taken up at once: the frame before the resize event would be empty.
        if self._state is not None and self._dress(self._state):
            self._flush_body(self._state)
            self._flush_frame(self._state)
        strips = [self._row(y) for y in crop.line_range]
        if crop.column_span != (0, self.size.width):
            strips = [strip.crop(*crop.column_span) for strip in strips]
        return strips

    def render_line(self, y: int) -> Strip:
        """Return one row, with what tells the screen where the mouse is in its text."""
        number = self._text_number(y)
        if number is None:
            return self._row(y)
        return selecting.with_offsets(self._row(y), self._place(number))

    def _text_number(self, y: int) -> int | None:
        """Return which row of the text stands in a row of the tile; None: none does."""
        row = y - self._shape.text_top
        is_text = self._state is not None and 0 <= row < self._shape.text_height
        return self._sight.top + row if is_text else None

    def _row(self, y: int) -> Strip:
        strip = self._frame.get(y)
        if strip is not None:
            return strip
        if self._state is None:
            return Strip.blank(self.size.width, self.rich_style)
        number = self._text_number(y)
        if number is None:
            return self._strips.get(_BLANK_ROW, lambda _: self._body(()))
        row = y - self._shape.text_top
        last = self._shape.text_height - 1
        page = self._page
        if row == last and page and number < len(page) and card.is_empty(page[number]):
            # A clipped text never ends on an empty line of code.
            return self._body(())
        strip = self._strips.get(number, self._text_strip)
        if self._selection is not None:
            style = self._palette.selection
            here = self._place(number)
            strip = self._filtered(selecting.painted(strip, here, self._selection, style))
        return self._with_news(strip) if row == last and self._sight.unseen else strip

    # Selected text.

    def _place(self, number: int) -> selecting.Place:
        return selecting.place(number, _BEFORE_TEXT, self._text_of(number))

    def _text_of(self, number: int) -> str:
        if self._page is None:
            return self._tail.row(number)[0] if number < self._tail.total else ""
        row = self._page[number] if number < len(self._page) else ()
        return "".join(segment.text for segment in row)

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """Return what is selected of the text, and what ends it."""
        total = self._tail.total if self._page is None else len(self._page)
        places = (self._place(number) for number in range(total))
        return selecting.extracted(places, selection), "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        """Paint what is selected now."""
        self._selection = selection
        self.refresh()

    def on_hide(self) -> None:
        """Keep nothing selected that can't be seen."""
        selecting.forget(self)

    @property
    def select_container(self) -> Widget:
        """What a third click selects all of: not more than this."""
        return self

    # Looking around.

    def _look(self, moved: bool) -> None:  # noqa: FBT001 - what Sight's methods return
        if moved:
            first, last = self._text_rows(0)
            self.refresh(Region(0, first, self._shape.width, last - first))

    def action_scroll_down(self) -> None:
        """Move a row down."""
        self._look(self._sight.scroll(1))

    def action_scroll_up(self) -> None:
        """Move a row up; the text isn't followed then."""
        self._look(self._sight.scroll(-1))

    def action_page_down(self) -> None:
        """Move down by what is seen, but a row."""
        self._look(self._sight.scroll(max(1, self._sight.height - 1)))

    def action_page_up(self) -> None:
        """Move up by what is seen, but a row."""
        self._look(self._sight.scroll(-max(1, self._sight.height - 1)))

    def action_scroll_home(self) -> None:
        """Show the start."""
        self._look(self._sight.to_start())

    def action_scroll_end(self) -> None:
        """Show the end and follow it."""
        self._look(self._sight.to_end())

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Move down by the wheel."""
        event.stop()
        self._look(self._sight.scroll(_WHEEL_ROWS))

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Move up by the wheel."""
        event.stop()
        self._look(self._sight.scroll(-_WHEEL_ROWS))

    def on_focus(self) -> None:
        """Say which seat has the focus."""
        if self._state is not None:
            self.post_message(self.Selected(self._state.seat))
        self.refresh()

    def on_blur(self) -> None:
        """Take the focus's colours off."""
        self.refresh()

    def on_unmount(self) -> None:
        """Leave the clock."""
        self._frames.forget(self)
