"""A tall column of text in a window: followed at its end, read in its place elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.widget import Widget

from moa_tui.ui import selecting
from moa_tui.ui.answer.reading import Reading
from moa_tui.ui.frames import FrameClock
from moa_tui.ui.look import Palette

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.events import Resize

    from moa_tui.ui.answer.column import Column

WIDEST_TEXT: Final = 95
"""Cells; longer lines are hard to read."""

ANSWER_FPS: Final = 12
"""How often text that streams is parsed and drawn, at most, a second."""

_T = TypeVar("_T")

_ROOMY: Final = 5
_MOST_PASSES: Final = 8


class ColumnView(ScrollView):
    """A column drawn where it is looked at; the end is followed until somebody scrolls up.

    Who derives from it paints rows, and says in `_catch_up` what came since the last frame.
    """

    def __init__(
        self,
        column: Column,
        frames: FrameClock | None = None,
        *,
        name: str | None = None,
        id: str | None = None,  # noqa: A002 - Textual's own name
        classes: str | None = None,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._column = column
        self._frames = frames or FrameClock(self, ANSWER_FPS)
        self._reading = Reading(column)
        self._is_changed = False
        self._is_moving = False

    def pace(self, fps: int | None) -> None:
        """Draw what streams so many times a second; None is the usual pace."""
        self._frames.pace(fps)

    def _catch_up(self) -> None:
        """Write to the column what waits for a frame."""

    def _is_marked_anew(self) -> bool:
        """Return whether something else is marked than what is painted so."""
        return False

    @property
    def margin(self) -> int:
        """Cells at the left of the text."""
        return 1

    @property
    def is_following(self) -> bool:
        """Whether the end stays in sight as text comes."""
        return self._reading.is_following

    @property
    def new_lines(self) -> int:
        """How many rows came below what was seen, since the end was left."""
        return self._reading.new_lines

    @property
    def _top(self) -> int:
        """The row of the column at the window's top."""
        return self.scroll_offset.y - self._top_room

    def flush(self) -> None:
        """Put on the screen what came since the last frame."""
        self._catch_up()
        if not self._is_changed:
            return
        self._is_changed = False
        top = self.scroll_offset.y
        self._settle()
        if self._is_marked_anew():
            self.refresh()
        # A window that moved is painted whole by Textual; else only what changed is.
        changed = self._column.take_changed() + self._top_room - top
        if self.scroll_offset.y == top and self.size:
            y = min(max(0, changed), self.size.height - 1)
            self.refresh(Region(0, y, self.size.width, self.size.height - y))

    def _repaint(self) -> None:
        self._is_changed = True
        self._frames.request(self)

    def _change(self, change: Callable[[], _T]) -> _T:
        """Change a turn; what is in sight keeps its place."""
        result = self._in_place(change)
        self._repaint()
        return result

    def _in_place(self, change: Callable[[], _T]) -> _T:
        """Change what may stand above the window, and go with what stood at its top."""
        kept = self._reading.keep(self._top)
        result = change()
        if kept is not None:
            self._grow()
            top = self._reading.find(kept)
            self._move(top + self._top_room if self._top > 0 else self.scroll_offset.y)
        return result

    def _bring(self, row: int) -> None:
        """Show a row at the window's top, or the end if it can't be there; follow no more."""
        rows = self.size.height
        self._reading.leave()
        self._column.settle(row, rows)
        self._grow()
        self._move(min(row + self._top_room if row else 0, self.max_scroll_y))
        self._settle()
        self.refresh()

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
        self._reading.leave()
        self._reading.is_following = new_value >= self.max_scroll_y
        self._settle()

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
        if not self._reading.is_following:
            self._move(self._column.start(top))
        self._settle()
        self.refresh()

    def _settle(self) -> None:
        """Draw what is in sight and keep it in its place, or the end in sight."""
        rows = self.size.height
        if not rows:
            return
        if self._reading.is_following:
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
        self._reading.saw(self._top + rows)

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

    def action_scroll_end(self) -> None:
        """Go to the end and follow it."""
        self._reading.follow()
        self._settle()
        self.refresh()
