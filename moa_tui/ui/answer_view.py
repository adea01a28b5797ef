"""The answers of a session under each other, drawn where they are looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from rich.segment import Segment
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget

from moa_tui.ui import selecting
from moa_tui.ui.column import Column
from moa_tui.ui.frames import FrameClock
from moa_tui.ui.look import BOLD, DOWN, Palette, row
from moa_tui.ui.turn import Turn

if TYPE_CHECKING:
    from rich.style import Style
    from textual.events import Resize
    from textual.selection import Selection

    from moa_tui.engine.state import SeatState

WIDEST_TEXT: Final = 95
"""Cells; longer lines are hard to read."""

ANSWER_FPS: Final = 12
"""How often an answer that streams is parsed and drawn, at most, a second."""

_MOST_ROWS: Final = 1_000_000
"""More than a piece of the column has."""

_ROOMY: Final = 5
_MOST_PASSES: Final = 8


class AnswerView(ScrollView):
    """The session's turns, drawn where they are looked at; the last one grows.

    The end is followed until somebody scrolls up. ``margin`` is the room at the left in cells,
    for numbers that say where a sentence comes from.
    """

    DEFAULT_CSS = """
    AnswerView {
        height: 1fr;
        overflow-x: hidden;
        overflow-y: scroll;
        scrollbar-size-vertical: 1;
        background: $aggregator-surface;
        scrollbar-background: $aggregator-surface;
        scrollbar-background-hover: $aggregator-surface;
        scrollbar-background-active: $aggregator-surface;
    }
    AnswerView:focus {
        background: $focus-surface;
        scrollbar-background: $focus-surface;
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("k,up", "scroll_up", "Up", show=False, id="answer.up", tooltip="One row up"),
        Binding(
            "j,down", "scroll_down", "Down", show=False, id="answer.down", tooltip="One row down"
        ),
        Binding(
            "pageup", "page_up", "Page up", show=False, id="answer.page-up", tooltip="A page up"
        ),
        Binding(
            "pagedown",
            "page_down",
            "Page down",
            show=False,
            id="answer.page-down",
            tooltip="A page down",
        ),
        Binding(
            "home",
            "scroll_home",
            "First turn",
            show=False,
            id="answer.home",
            tooltip="To the first turn",
        ),
        Binding(
            "end",
            "scroll_end",
            "Newest",
            show=False,
            id="answer.end",
            tooltip="To the newest line, and follow it",
        ),
    ]

    def __init__(
        self,
        frames: FrameClock | None = None,
        *,
        name: str | None = None,
        id: str | None = None,  # noqa: A002 - Textual's own name
        classes: str | None = None,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self.margin = 1
        self._frames = frames or FrameClock(self, ANSWER_FPS)
        self._column = Column()
        self._turn: Turn | None = None
        self._shown: tuple[SeatState, float] | None = None
        self._written: SeatState | None = None
        self._is_changed = False
        self._is_following = True
        self._is_moving = False
        self._is_painting = False
        self._selection: Selection | None = None
        # As a piece and rows into it: what lies above may turn out longer than guessed.
        self._seen = (0, 0)

    @property
    def is_following(self) -> bool:
        """Whether the end stays in sight as text comes."""
        return self._is_following

    @property
    def new_lines(self) -> int:
        """How many rows came below what was seen, since the end was left."""
        if self._is_following:
            return 0
        piece, rows = self._seen
        return max(0, self._column.height - self._column.start(piece) - rows)

    def open_turn(self, question: str) -> None:
        """Begin a turn with its question, at the end and in sight."""
        self._catch_up()
        self._turn = Turn(self._column, question)
        self._is_following = True
        self._repaint()

    def stream(self, seat: SeatState, *, t: float) -> None:
        """Show what the aggregator has thought and said by ``t``; costs a frame, not a call.

        Nothing happens while no turn is open, nor for a state that is written already.
        """
        if self._turn is None or seat is self._written:
            return
        self._shown = (seat, t)
        self._frames.request(self)

    def close_turn(self, answer: str | None = None, *, failure: str = "", hint: str = "") -> None:
        """End the open turn, with the answer if it isn't what was streamed or a failure's words."""
        self._catch_up()
        if self._turn is not None:
            self._turn.close(answer, failure=failure, hint=hint)
        self._turn = None
        self._repaint()

    def clear(self) -> None:
        """Forget all turns."""
        self._turn = self._shown = None
        selecting.forget(self)
        self._column.truncate(0)
        self._is_following = True
        self._repaint()

    def flush(self) -> None:
        """Put on the screen what came since the last frame."""
        self._catch_up()
        if not self._is_changed:
            return
        self._is_changed = False
        top = self.scroll_offset.y
        self._settle()
        # A window that moved is painted whole by Textual; else only what changed is.
        changed = self._column.take_changed() + self._top_room - top
        if self.scroll_offset.y == top and self.size:
            y = min(max(0, changed), self.size.height - 1)
            self.refresh(Region(0, y, self.size.width, self.size.height - y))

    def _repaint(self) -> None:
        self._is_changed = True
        self._frames.request(self)

    def _catch_up(self) -> None:
        """Give the open turn the last state shown, so that nothing between frames is lost."""
        shown, self._shown = self._shown, None
        if shown is None or self._turn is None:
            return
        self._written, t = shown
        self._is_changed |= self._turn.update(self._written, t)

    def on_mount(self) -> None:
        """Follow the theme."""
        self.app.theme_changed_signal.subscribe(self, self._restyle)

    def on_unmount(self) -> None:
        """Leave the clock."""
        self._frames.forget(self)

    def on_resize(self, event: Resize) -> None:
        """Wrap for the new width; what stood at the top stays there."""
        del event
        self._restyle()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Draw what came in sight; the end is followed again once it is reached."""
        super().watch_scroll_y(old_value, new_value)
        if self._is_moving:
            return
        if self._is_following:
            self._seen = self._place(self._column.height)
        self._is_following = new_value >= self.max_scroll_y
        self._settle()

    def render_lines(self, crop: Region) -> list[Strip]:
        """Return rows to paint."""
        self._is_painting = True
        strips = super().render_lines(crop)
        self._is_painting = False
        return strips

    def render_line(self, y: int) -> Strip:
        """Return a row of the window, on the card's ground.

        When it isn't for painting, the screen asks where the mouse is in the text.
        """
        if not self._is_painting:
            self.flush()  # where the text is, is known once it is drawn
        palette = Palette.of(self.app.theme_variables)
        ground = palette.focus_surface if self.has_focus else palette.aggregator_surface
        if y == self.size.height - 1 and self.new_lines:
            return row([], self._news(palette), width=self.size.width, ground=ground)
        number = self.scroll_offset.y + y - self._top_room
        strip = self._drawn(number, ground)
        if not self._is_painting:
            return selecting.with_offsets(strip, self._place_at(number))
        if self._selection is None:
            return strip
        here = self._place_at(number)
        return selecting.painted(strip, here, self._selection, palette.selection)

    def _drawn(self, number: int, ground: Style) -> Strip:
        width = self.size.width
        strip = self._column.row(number)
        if strip is None:
            return Strip.blank(width, ground)
        room = max(0, width - self.margin - strip.cell_length)
        spans = [
            Segment(" " * self.margin, ground),
            *(Segment(text, ground + style) for text, style, _ in strip),
            Segment(" " * room, ground),
        ]
        return Strip(spans, self.margin + strip.cell_length + room)

    # Selected text.

    def _place_at(self, y: int) -> selecting.Place:
        """Return where a row's text is; its number stays the same when rows above it change."""
        number, within = self._column.place_of(y)
        strip = self._column.row(y)
        text = "" if strip is None else strip.text
        return selecting.place(number * _MOST_ROWS + within, self.margin, text)

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """Return what is selected of the turns, and what ends it."""
        first = selection.start.y // _MOST_ROWS if selection.start else 0
        last = selection.end.y // _MOST_ROWS if selection.end else len(self._column) - 1
        places = (
            selecting.place(number * _MOST_ROWS + within, 0, text)
            for number in range(first, min(last + 1, len(self._column)))
            for within, text in enumerate(self._column.texts(number))
        )
        return selecting.extracted(places, selection), "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        """Paint what is selected now."""
        self._selection = selection
        self.refresh()

    @property
    def select_container(self) -> Widget:
        """What a third click selects all of: not more than this."""
        return self

    def _news(self, palette: Palette) -> list[Segment]:
        count = self.new_lines
        news = Segment(f"{DOWN} {count} new {'line' if count == 1 else 'lines'}", palette.muted)
        if not self.has_focus:
            return [news, Segment(" ")]
        return [news, Segment(" · ", palette.muted), Segment("End ", palette.bright + BOLD)]

    @property
    def _top_room(self) -> int:
        """Blank rows above the first turn: one, where rows aren't short."""
        return 1 if self.size.height >= _ROOMY else 0

    def _restyle(self, _theme: object = None) -> None:
        """Draw anew for the present width and theme."""
        width = min(WIDEST_TEXT, self.scrollable_content_region.width - self.margin - 1)
        if width < 1:
            return
        top = self._column.piece_at(self.scroll_offset.y)
        if self._column.restyle(width, Palette.of(self.app.theme_variables)):
            selecting.forget(self)
        if not self._is_following:
            self._move(self._column.start(top))
        self._settle()
        self.refresh()

    def _settle(self) -> None:
        """Draw what is in sight and keep it in its place, or the end in sight."""
        rows = self.size.height
        if not rows:
            return
        if self._is_following:
            self._column.settle_end(rows)
            self._grow()
            self._move(self.max_scroll_y)
            return
        for _ in range(_MOST_PASSES):
            top = self.scroll_offset.y
            settled = self._column.settle(max(0, top - self._top_room), rows) + self._top_room
            self._grow()
            # The room above the first turn belongs to no piece.
            self._move(min(top if top < self._top_room else settled, self.max_scroll_y))
            if self.scroll_offset.y == top:
                break
        self._seen = max(self._seen, self._place(self.scroll_offset.y + rows - self._top_room))

    def _place(self, end: int) -> tuple[int, int]:
        """Return a row that something ends before as a piece and rows into it."""
        piece = self._column.piece_at(max(0, end - 1))
        return piece, end - self._column.start(piece)

    def _grow(self) -> None:
        """Tell the scroll bar the height; as a plain reactive it would lay the screen out."""
        width, rows = self.size
        height = max(rows, self._column.height + self._top_room * 2)
        if height == self.virtual_size.height and width == self.virtual_size.width:
            return
        self.set_reactive(Widget.virtual_size, Size(width, height))
        if self.show_vertical_scrollbar:
            self.vertical_scrollbar.window_virtual_size = height
            self.vertical_scrollbar.window_size = rows

    def _move(self, y: int) -> None:
        self._is_moving = True
        self.scroll_to(y=y, animate=False)
        self._is_moving = False

    def action_scroll_up(self) -> None:
        """Go one row up."""
        self.scroll_to(y=self.scroll_offset.y - 1, animate=False)

    def action_scroll_down(self) -> None:
        """Go one row down."""
        self.scroll_to(y=self.scroll_offset.y + 1, animate=False)

    def action_page_up(self) -> None:
        """Go a page up, but for a row that stays in sight."""
        self.scroll_to(y=self.scroll_offset.y - max(1, self.size.height - 1), animate=False)

    def action_page_down(self) -> None:
        """Go a page down, but for a row that stays in sight."""
        self.scroll_to(y=self.scroll_offset.y + max(1, self.size.height - 1), animate=False)

    def action_scroll_home(self) -> None:
        """Go to the first turn."""
        self.scroll_to(y=0, animate=False)

    def action_scroll_end(self) -> None:
        """Go to the end and follow it."""
        self._is_following = True
        self._settle()
        self.refresh()
