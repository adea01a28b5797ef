"""A list to choose from in one widget: only the rows in sight are drawn, however many there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Protocol, TypeAlias

from rich.segment import Segment
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from moa_tui.ui import look

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.style import Style
    from textual import events

Grid: TypeAlias = list[list[Segment]]
"""Rows of segments."""

_POINTER = f"{look.PROMPT} "
_AIR = "  "


class Listing(Protocol):
    """Rows to choose from, as data; a row is drawn when somebody looks at it."""

    def __len__(self) -> int:
        """How many rows there are."""
        ...

    def may_stop(self, number: int, /) -> bool:
        """Whether the cursor can stand on a row; heads of sections are passed over."""
        ...

    def row(
        self, number: int, width: int, palette: look.Palette, /
    ) -> tuple[Sequence[Segment], Sequence[Segment]]:
        """Return what stands at the left and at the right of a row of ``width`` cells."""
        ...


class NoRows:
    """A listing of nothing."""

    def __len__(self) -> int:
        return 0

    def may_stop(self, number: int, /) -> bool:
        """Return that there is no row."""
        del number
        return False

    def row(
        self, number: int, width: int, palette: look.Palette, /
    ) -> tuple[Sequence[Segment], Sequence[Segment]]:
        """Return an empty row."""
        del number, width, palette
        return (), ()


class Choices(ScrollView, can_focus=False, inherit_bindings=False):
    """Shows a `Listing`; the row under the cursor stands out and stays in sight.

    It never has the focus: keys come from the dialog, whose field one types into. Clicking a row
    moves the cursor there, clicking it again chooses it.
    """

    DEFAULT_CSS: ClassVar[str] = """
    Choices {
        height: 1fr; min-height: 1; overflow-x: hidden; overflow-y: auto;
        scrollbar-size-vertical: 1; background: $focus-surface;
        scrollbar-background: $focus-surface; scrollbar-background-hover: $focus-surface;
        scrollbar-background-active: $focus-surface;
    }
    """

    class Moved(Message):
        """The cursor stands on another row, or the rows are others."""

    class Picked(Message):
        """The row under the cursor was clicked again."""

    def __init__(self) -> None:
        super().__init__()
        self._listing: Listing = NoRows()
        self._at: int | None = None

    @property
    def at(self) -> int | None:
        """The number of the row under the cursor, from 0; None where it can't stand anywhere."""
        return self._at

    def show(self, listing: Listing, *, at: int = 0) -> None:
        """Show these rows, with the cursor on ``at`` or the next row where it can stand."""
        self._listing = listing
        at = max(0, min(at, len(listing) - 1))
        self._at = self._next(at, 1)
        if self._at is None:
            self._at = self._next(at, -1)
        self._measure()
        self.refresh()
        self._reveal()
        self.post_message(self.Moved())

    def replace(self, listing: Listing) -> None:
        """Draw the same rows from another listing of them."""
        self._listing = listing
        self.refresh()

    def _next(self, at: int, step: int) -> int | None:
        """Return the first row from ``at`` on where the cursor can stand."""
        while 0 <= at < len(self._listing):
            if self._listing.may_stop(at):
                return at
            at += step
        return None

    def _measure(self) -> None:
        size = Size(self.scrollable_content_region.width, len(self._listing))
        if size != self.virtual_size:
            self.virtual_size = size

    def _reveal(self) -> None:
        """Keep the cursor's row in sight, with the head of its section where it is the first."""
        if self._at is None or not self.size.height:
            return
        top, rows = self.scroll_offset.y, self.scrollable_content_region.height
        above = self._at
        while above > 0 and not self._listing.may_stop(above - 1):
            above -= 1
        above = above if self._at - above < rows else self._at
        goal = min(max(top, self._at - rows + 1), above)
        if goal != top:
            self.scroll_to(y=goal, animate=False, force=True)

    def on_resize(self) -> None:
        """Use the new width, with the cursor in sight."""
        self._measure()
        self._reveal()

    def render_line(self, y: int) -> Strip:
        """Return a row of the window."""
        width = self.scrollable_content_region.width
        palette = look.Palette.of(self.app.theme_variables)
        number = self.scroll_offset.y + y
        if number >= len(self._listing):
            return Strip.blank(width, palette.focus_surface)
        left, right = self._listing.row(number, width - len(_AIR) - 1, palette)
        gap = 2 if right else 0
        ground = palette.focus_surface
        if number == self._at:
            ground = palette.focus_head
            ink = palette.focus_ink
            left, right = _in_one_ink(left, ink), _in_one_ink(right, ink)
            left = [Segment(_POINTER, ink), *left]
        else:
            left = [Segment(_AIR), *left]
        return look.row(left, [*right, Segment(" ")], width=width, ground=ground, gap=gap)

    def move(self, step: int) -> None:
        """Go so many rows on, over those where the cursor can't stand; the ends hold it."""
        if self._at is None:
            return
        goal = max(0, min(self._at + step, len(self._listing) - 1))
        direction = 1 if step > 0 else -1
        at = self._next(goal, direction)
        self._go(self._next(goal, -direction) if at is None else at)

    def _go(self, at: int | None) -> None:
        if at is None or at == self._at:
            return
        for number in (self._at, at):
            if number is not None:
                top = number - self.scroll_offset.y
                self.refresh(Region(0, top, self.size.width, 1))
        self._at = at
        self._reveal()
        self.post_message(self.Moved())

    def on_click(self, event: events.Click) -> None:
        """Go to the row that was clicked; choose it if the cursor stands there."""
        number = self.scroll_offset.y + event.y
        event.stop()
        if number >= len(self._listing) or not self._listing.may_stop(number):
            return
        if number == self._at:
            self.post_message(self.Picked())
        else:
            self._go(number)

    def move_to_end(self, end: int) -> None:
        """Go to the first row (-1) or the last (1)."""
        self._go(self._next(0, 1) if end < 0 else self._next(len(self._listing) - 1, -1))


def _in_one_ink(segments: Sequence[Segment], ink: Style) -> list[Segment]:
    """Return segments in the cursor's colour, bold where they were."""
    return [
        Segment(text, ink + look.BOLD if style is not None and style.bold else ink)
        for text, style, _ in segments
    ]


def marked(text: str, letters: frozenset[int], style: Style, found: Style) -> list[Segment]:
    """Return a text with the letters that a query found in another style."""
    if not letters:
        return [Segment(text, style)]
    pieces: list[Segment] = []
    begin = 0
    for number in range(1, len(text) + 1):
        if number == len(text) or (number in letters) != (begin in letters):
            pieces.append(Segment(text[begin:number], found if begin in letters else style))
            begin = number
    return pieces
