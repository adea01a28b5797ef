"""The race: tiles dealt over the room there is, live at any size, and folded to rows after it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.geometry import NULL_OFFSET, NULL_SPACING, Region
from textual.layout import Layout, WidgetPlacement
from textual.strip import Strip
from textual.widget import Widget

from moa_tui.ui import look
from moa_tui.ui.look import Palette
from moa_tui.ui.race import table
from moa_tui.ui.race.arrangement import Arrangement, arrange
from moa_tui.ui.race.tile import Tile

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from textual import events
    from textual.geometry import Size
    from textual.layout import ArrangeResult

    from moa_tui.engine.mixture import Seat
    from moa_tui.engine.state import SeatState
    from moa_tui.ui.frames import FrameClock

__all__ = ["Tile", "TileGrid"]


class _Dealt(Layout):
    """Puts a grid's tiles where its arrangement has them."""

    name = "dealt"

    def arrange(
        self,
        parent: Widget,
        children: list[Widget],
        size: Size,
        greedy: bool = True,  # noqa: FBT001, FBT002 - Textual's signature
    ) -> ArrangeResult:
        """Return a placement for every tile that is on show."""
        del greedy
        parent.pre_layout(self)
        if not isinstance(parent, TileGrid):
            return []
        regions = parent.arranged(size)
        return [
            WidgetPlacement(regions[child], NULL_OFFSET, NULL_SPACING, child)
            for child in children
            if child in regions
        ]


class TileGrid(Widget):
    """All seats of a layer: a tile each, a strip above when they are too many, or a folded table.

    Give it the seats of one layer with `show`, for every event and four times a second. Set
    `folded` when the layer is over: then its height is one row a seat.
    """

    DEFAULT_CSS = """
    TileGrid { width: 1fr; height: 1fr; background: $background; }
    TileGrid.-folded { height: auto; }
    """
    ALLOW_SELECT = False

    def __init__(self, frames: FrameClock) -> None:
        super().__init__()
        self._frames = frames
        self._seats: tuple[SeatState, ...] = ()
        self._tiles: list[Tile] = []
        self._front: Seat | None = None
        self._zoomed: Seat | None = None
        self._shown: tuple[int, ...] = ()
        self._arrangement = Arrangement(())
        self._layout = _Dealt()
        self._t = 0.0
        self._scale = look.LEAST_SCALE
        self._rows: list[Strip] = []
        self._rows_of: object = None
        self._rows_t = 0.0
        self._folded = False
        self._shares: Mapping[int, float] = {}

    @property
    def layout(self) -> Layout:
        """The layout that deals tiles over the room."""
        return self._layout

    @property
    def folded(self) -> bool:
        """Whether every seat is one row of a table."""
        return self._folded

    @folded.setter
    def folded(self, folded: bool) -> None:
        if folded == self._folded:
            return
        self._folded = folded
        self.set_class(folded, "-folded")
        self._place()

    @property
    def shares(self) -> Mapping[int, float]:
        """The parts of the answer, 0 to 1, that are from each seat; shown in the table."""
        return self._shares

    @shares.setter
    def shares(self, shares: Mapping[int, float]) -> None:
        if shares != self._shares:
            self._shares = shares
            self._rows_of = None
            self._frames.request(self)

    @property
    def zoomed(self) -> Seat | None:
        """The seat whose tile has all the room; None: all of them have some."""
        return self._zoomed

    @zoomed.setter
    def zoomed(self, seat: Seat | None) -> None:
        if seat != self._zoomed:
            self._zoomed = seat
            self._front = seat or self._front
            self._place()

    @property
    def scale(self) -> int:
        """How many tokens fill a lane; it doubles for all seats at once."""
        return self._scale

    @property
    def tiles(self) -> Sequence[Tile]:
        """The tiles of the seats, in their order; none that is going since its seat went."""
        return tuple(self._tiles)

    def tile(self, seat: Seat) -> Tile:
        """Return a seat's tile.

        Raises:
            KeyError: the seat isn't in this layer.
        """
        for tile, state in zip(self._tiles, self._seats, strict=False):
            if state.seat == seat:
                return tile
        raise KeyError(seat)

    def show(
        self,
        seats: Sequence[SeatState],
        *,
        t: float,
        hints: Mapping[Seat, Sequence[tuple[str, str]]] | None = None,
    ) -> None:
        """Show a layer's seats at ``t`` seconds of the run, in their order.

        ``hints`` are keys that work on a seat now, as (key, what it does): a waiting or failed
        tile shows them. None leaves them as they are.
        """
        is_same = [seat.seat for seat in seats] == [seat.seat for seat in self._seats]
        self._seats, self._t = tuple(seats), t
        self._scale = look.lane_scale(max((seat.tokens for seat in seats), default=0))
        if not is_same:
            self._seat_tiles()
        for tile, seat in zip(self._tiles, seats, strict=True):
            tile.show(seat, t=t, scale=self._scale)
            if hints is not None:
                tile.hint(hints.get(seat.seat, ()))
        if self._folded or self._arrangement.strip:
            self._frames.request(self)

    def focus_seat(self, seat: Seat) -> None:
        """Focus a seat's tile, bringing it to the front where not all tiles fit.

        Raises:
            KeyError: the seat isn't in this layer.
        """
        tile = self.tile(seat)
        self._front = seat
        self._zoomed = seat if self._zoomed else None
        self._place()
        # At once, since what comes next may be meant for it.
        self.screen.set_focus(tile)

    def _seat_tiles(self) -> None:
        """Have as many tiles as seats; those that stay are shown another seat."""
        count = len(self._seats)
        gone, self._tiles = self._tiles[count:], self._tiles[:count]
        new = [Tile(self._frames) for _ in range(count - len(self._tiles))]
        self._tiles += new
        self._front = self._zoomed = None
        if gone:
            self.remove_children(gone)
        if new:
            self.mount_all(new)
        self._place()

    def _place(self) -> None:
        """Show the tiles that fit, the front one among them, and have them laid out."""
        self._arrangement = self._arranged_in(self.size)
        fitting = 0 if self._folded else len(self._arrangement.tiles)
        shown = list(range(len(self._seats)))[:fitting]
        front = next((i for i, seat in enumerate(self._seats) if seat.seat == self._front), None)
        if front is not None and shown and front not in shown:
            shown = [front, *shown[:-1]]
        self._shown = tuple(shown)
        for index, tile in enumerate(self._tiles):
            tile.display = index in shown
            # A child that asks for layout has this grid forget where its tiles were.
            tile.refresh(layout=True)
            self._frames.request(tile)
        self.refresh(layout=True)
        self._rows_of = None
        self._frames.request(self)

    def _arranged_in(self, size: Size) -> Arrangement:
        return arrange(1 if self._zoomed else len(self._seats), size)

    def arranged(self, size: Size) -> dict[Widget, Region]:
        """Return where the tiles on show stand in a size."""
        regions = self._arranged_in(size).tiles
        return {self._tiles[i]: region for i, region in zip(self._shown, regions, strict=False)}

    def on_resize(self) -> None:
        """Deal the tiles again."""
        self._place()

    def on_unmount(self) -> None:
        """Leave the clock."""
        self._frames.forget(self)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return the rows of the folded table."""
        del container, viewport, width
        return len(self._seats)

    def on_click(self, event: events.Click) -> None:
        """Turn to the seat whose row or entry was clicked."""
        entries = 1 if self._folded else self._arrangement.entries
        index = event.y * entries + event.x * entries // max(1, self.size.width)
        if not self._rows or event.y >= len(self._rows) or index >= len(self._seats):
            return
        event.stop()
        seat = self._seats[index].seat
        if self._folded:
            self.post_message(Tile.Selected(seat))
        else:
            self.focus_seat(seat)

    # The table and the strip, drawn here.

    def flush(self) -> None:
        """Draw the table or strip again where it changed."""
        if not self.is_attached or not self.size:
            return
        rows_of = tuple((seat.seat, seat.status) for seat in self._seats)
        if rows_of == self._rows_of and 0 <= self._t - self._rows_t < self._frames.figures_s:
            return
        self._rows_of, self._rows_t = rows_of, self._t
        before, self._rows = self._rows, self._draw()
        if len(before) != len(self._rows):
            self.refresh()
            return
        for row, (old, new) in enumerate(zip(before, self._rows, strict=True)):
            if old != new:
                self.refresh(Region(0, row, self.size.width, 1))

    def _draw(self) -> list[Strip]:
        palette = Palette.of(self.app.theme_variables)
        width, height = self.size
        if self._folded:
            rows = table.fold(
                self._seats,
                self._t,
                width=width,
                scale=self._scale,
                palette=palette,
                shares=self._shares,
            )
            return table.cut(rows, height, width=width, palette=palette)
        if not self._arrangement.strip:
            return []
        return table.strip(
            self._seats,
            self._t,
            width=width,
            entries=self._arrangement.entries,
            shown=self._shown,
            palette=palette,
        )[:height]

    def notify_style_update(self) -> None:
        """Draw in the new theme's colours."""
        super().notify_style_update()
        self._rows_of = None
        self._frames.request(self)

    def render_lines(self, crop: Region) -> list[Strip]:
        """Return rows; without a table or strip they are all alike and cost nothing."""
        if self._rows:
            return super().render_lines(crop)
        blank = Strip.blank(crop.width, self.rich_style)
        for line_filter in self.get_line_filters():
            blank = blank.apply_filter(line_filter, self.background_colors[1])
        return [blank] * crop.height

    def render_line(self, y: int) -> Strip:
        """Return a row of the table or strip; elsewhere the ground behind the tiles."""
        width = self.size.width
        if y < len(self._rows):
            return self._rows[y].adjust_cell_length(width, self.rich_style)
        return Strip.blank(width, self.rich_style)
