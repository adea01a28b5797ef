"""A dialog in which one types above a list: the field, the list, and what its row means."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar, Final

from rich.segment import Segment
from textual import on
from textual.binding import Binding
from textual.containers import Horizontal

from moa_tui.ui import look
from moa_tui.ui.dialogs.choices import Choices
from moa_tui.ui.dialogs.dialog import Dialog, ResultT
from moa_tui.ui.dialogs.fields import Filter, Mark
from moa_tui.ui.rows import Rows

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.geometry import Size
    from textual.strip import Strip

    from moa_tui.ui.dialogs.choices import Grid, Listing

_HIGHEST: Final = 42
_LEAST_LISTED: Final = 6
_ROOMY_FROM: Final = 30
_HEAD_FIELD_FOOT: Final = 3
_AIR: Final = 3


class Told(Rows):
    """Rows about the row under the cursor, drawn to fit ``rows``."""

    DEFAULT_CSS: ClassVar[str] = "Told { height: auto; background: $focus-surface; }"

    def __init__(self, draw: Callable[[int, int, look.Palette], Grid]) -> None:
        super().__init__()
        self._draw = draw
        self._rows_wanted = 0

    def fit(self, rows: int) -> None:
        """Take so many rows, whatever there is to tell: the list above must not jump."""
        if rows != self._rows_wanted:
            self._rows_wanted = rows
            self.redraw(layout=True)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return the rows it was given."""
        del container, viewport, width
        return self._rows_wanted

    def draw(self, width: int, palette: look.Palette) -> Sequence[Strip]:
        """Return the rows, with air at both sides; one that leaves some out ends with …."""
        rows, inner = self._rows_wanted, width - 2
        grid = self._draw(inner, rows, palette)
        if rows and len(grid) > rows:
            more = Segment(f" {look.ELLIPSIS}", palette.muted)
            grid = [*grid[: rows - 1], [*look.clipped(grid[rows - 1], inner - 2), more]]
        grid = [*grid[:rows], *([] for _ in range(rows - len(grid)))]
        ground = palette.focus_surface
        air = Segment(" ")
        return [look.row([air, *row], [air], width=width, ground=ground, gap=0) for row in grid]


class Picker(Dialog[ResultT]):
    """A field, a list and rows about the list's cursor; a subclass says what they hold.

    The card is as high as the longest list so far needs, and doesn't shrink while one types.
    """

    AUTO_FOCUS = "Filter"
    ON_ENTER: ClassVar[tuple[str, ...]] = ("choose",)
    """Actions of the enter key, of which at most one works at a time."""
    ROWS_ABOVE: ClassVar[int] = 0
    """How many rows `heads` takes."""
    DEFAULT_CSS: ClassVar[str] = """
    Picker Horizontal { height: 1; }
    Picker.-roomy Horizontal { margin-bottom: 1; }
    Picker.-roomy Told, Picker.-roomy Foot { margin-top: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", "move", key_display="↑↓", id="picker.up", tooltip="One row up"),
        Binding("down", "move(1)", "move", id="picker.down", tooltip="One row down", show=False),
        Binding("ctrl+p", "move(-1)", id="picker.up-too", tooltip="One row up", show=False),
        Binding("ctrl+n", "move(1)", id="picker.down-too", tooltip="One row down", show=False),
        Binding("pageup", "page(-1)", id="picker.page-up", tooltip="A page up", show=False),
        Binding("pagedown", "page(1)", id="picker.page-down", tooltip="A page down", show=False),
        Binding("home", "move_to_end(-1)", id="picker.first", tooltip="First row", show=False),
        Binding("end", "move_to_end(1)", id="picker.last", tooltip="Last row", show=False),
    ]

    def __init__(self, title: str, placeholder: str, *, query: str = "") -> None:
        super().__init__(title)
        self._filter = Filter(placeholder, query)
        self._choices = Choices()
        self._told = Told(self.about)
        self._most = _LEAST_LISTED

    def body(self) -> ComposeResult:
        """Field, list, what the cursor's row means."""
        with Horizontal():
            yield Mark()
            yield self._filter
        yield from self.heads()
        yield self._choices
        yield self._told

    def heads(self) -> ComposeResult:
        """Return what stands above the list: nothing."""
        yield from ()

    @property
    def query_text(self) -> str:
        """What was typed."""
        return self._filter.value

    @property
    def at(self) -> int | None:
        """The number of the row under the cursor."""
        return self._choices.at

    @abstractmethod
    def listing(self, query: str) -> Listing:
        """Return the rows that the query finds."""

    @abstractmethod
    def about(self, width: int, rows: int, palette: look.Palette) -> Grid:
        """Return what is to be told about the row under the cursor, in so many rows."""

    @abstractmethod
    def rows_about(self, height: int) -> int:
        """Return how many rows that takes in a card of at most so many rows."""

    def start(self, listing: Listing) -> int:
        """Return where the cursor begins in new rows: the first."""
        del listing
        return 0

    def relist(self, *, at: int | None = None) -> None:
        """Show what the field finds now, the cursor on ``at`` or where it begins."""
        listing = self.listing(self.query_text)
        if len(listing) > self._most:
            self._most = len(listing)
            self._fit()
        self._choices.show(listing, at=self.start(listing) if at is None else at)

    def empty(self) -> None:
        """Take back what was typed."""
        self._filter.value = ""

    def restyle(self, listing: Listing) -> None:
        """Show the same rows drawn otherwise; the cursor stays."""
        self._choices.replace(listing)
        self.refresh_bindings()

    def retell(self) -> None:
        """Draw what is told about the cursor's row again."""
        self._told.redraw()

    def moved(self) -> None:
        """Hear that the cursor stands on another row."""

    def on_mount(self) -> None:
        """Fill the list, and anew at every change: the next key may be enter already."""
        self.watch(self._filter, "value", self._type, init=False)
        self._fit()
        self.relist()

    def on_resize(self) -> None:
        """Deal the rows out anew."""
        self._fit()

    def _fit(self) -> None:
        room = min(_HIGHEST, self.size.height - 2)
        is_roomy = self.size.height >= _ROOMY_FROM
        self.set_class(is_roomy, "-roomy")
        told = self.rows_about(room)
        self._told.fit(told)
        around = _HEAD_FIELD_FOOT + (_AIR if is_roomy else 0) + self.ROWS_ABOVE
        card = self.query_one("#card")
        card.styles.height = max(1, min(room, self._most + told + around))

    def _type(self) -> None:
        self.typed()
        self.relist()

    def typed(self) -> None:
        """Hear that something else stands in the field."""

    @on(Choices.Moved)
    def _tell_about(self, event: Choices.Moved) -> None:
        event.stop()
        self.moved()
        self.retell()
        self.refresh_bindings()

    @on(Choices.Picked)
    async def _pick(self, event: Choices.Picked) -> None:
        """Do on a second click what enter does."""
        event.stop()
        for action in self.ON_ENTER:
            if self.check_action(action, ()):
                await self.run_action(action)
                return

    def action_move(self, step: int) -> None:
        """Move the cursor so many rows."""
        self._choices.move(step)

    def action_page(self, step: int) -> None:
        """Move the cursor so many pages."""
        self._choices.move(step * max(1, self._choices.size.height - 1))

    def action_move_to_end(self, end: int) -> None:
        """Move the cursor to the first row (-1) or the last (1)."""
        self._choices.move_to_end(end)
