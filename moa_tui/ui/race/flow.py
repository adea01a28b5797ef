"""The run as a list of steps: a line a layer, or one line in all where rows are short."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rich.segment import Segment
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from moa_tui.ui import look
from moa_tui.ui.look import Palette, StateKey

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.style import Style
    from textual import events

    from moa_tui.engine.state import LayerState, RunState, SeatState

FIGURES_S: Final = 0.25
_LONG_FROM: Final = 100
_LONGEST_FAMILY: Final = 12
_SIZE: Final = re.compile(r"[-_](?:\d+x)?\d+(?:\.\d+)?[bm]\b.*", re.IGNORECASE)
LAYER: Final = "Layer {layer}"
LANE_SCALE: Final = "a full lane is {scale} tokens"
_ORDER: Final[tuple[StateKey, ...]] = (
    "done",
    "streaming",
    "thinking",
    "waiting",
    "queued",
    "retrying",
    "late",
    "stopped",
    "failed",
)
_LIVE: Final = ("streaming", "thinking", "waiting", "queued")


class FlowLines(Widget):
    """Says which layers are over, how they went, and how far the live one is.

    Its height decides: with a row for each layer that started, every layer has its own; with one
    row they share it, joined by arrows. A click on a layer asks for its tiles.
    """

    DEFAULT_CSS = "FlowLines { height: auto; width: 1fr; background: $background; }"
    ALLOW_SELECT = False

    @dataclass
    class Picked(Message):
        """Somebody wants to see this layer's seats, or no longer if they are on show."""

        layer: int

    def __init__(self) -> None:
        super().__init__()
        self._run: RunState | None = None
        self._layer = 0
        self._is_folded = False
        self._about = ""
        self._t = 0.0
        self._shown_of: object = None
        self._shown_t = 0.0

    def show(self, run: RunState, *, t: float, layer: int = 0, title: str = "") -> None:
        """Show a run at ``t`` seconds since it started; cheap while nothing is due.

        ``layer`` is the one that is looked at, 0: none; ``title`` names an earlier turn.
        """
        statuses = [seat.status for seat in run.seats.values()]
        shown_of = (len(run.layers), run.status, statuses, layer, title)
        is_due = not self._shown_t <= t < self._shown_t + FIGURES_S
        if shown_of == self._shown_of and not is_due:
            return
        grew = self._run is None or len(self._run.layers) != len(run.layers)
        self._run, self._t, self._shown_of, self._shown_t = run, t, shown_of, t
        self._layer, self._about = layer, title
        self.refresh(layout=grew)

    @property
    def is_folded(self) -> bool:
        """Whether the tiles of the layer that is looked at are folded, as they may be at any time.

        A run that is over isn't shown anew for that.
        """
        return self._is_folded

    @is_folded.setter
    def is_folded(self, is_folded: bool) -> None:
        if is_folded != self._is_folded:
            self._is_folded = is_folded
            self.refresh()

    @property
    def _open(self) -> int:
        """The layer whose tiles stand open, 0: none."""
        return 0 if self._is_folded else self._layer

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        """Return a row a layer."""
        del container, viewport, width
        return max(1, 0 if self._run is None else len(self._run.layers))

    def render_line(self, y: int) -> Strip:
        """Return one line."""
        width, height = self.size
        palette = Palette.of(self.app.theme_variables)
        run = self._run
        if run is None or not run.layers:
            return Strip.blank(width, palette.background)
        if height == 1 and (width < _LONG_FROM or len(run.layers) > 1):
            return one_line(
                run, self._t, width=width, palette=palette, shown=self._open, title=self._about
            )
        layers = run.layers[-height:]
        if y >= len(layers):
            return Strip.blank(width, palette.background)
        title = self._about if y == 0 else ""
        return layer_line(
            run,
            layers[y],
            self._t,
            width=width,
            palette=palette,
            is_open=layers[y].layer == self._open,
            title=title,
        )

    def on_click(self, event: events.Click) -> None:
        """Ask for the tiles of the layer whose line was clicked."""
        if self._run is None or not self._run.layers:
            return
        event.stop()
        layers = self._run.layers[-self.size.height :]
        is_shared = self.size.height == 1
        number = (self._open or layers[-1].layer) if is_shared else layers[event.y].layer
        self.post_message(self.Picked(number))


def layer_line(
    run: RunState,
    layer: LayerState,
    t: float,
    *,
    width: int,
    palette: Palette,
    is_open: bool = False,
    title: str = "",
) -> Strip:
    """Return a layer's own line: its seats' times once it is over, till then their states.

    ``is_open``: its tiles stand below; ``title`` names an earlier turn.
    """
    seats = run.layer_seats(layer.layer)
    is_live = _is_live(run, layer)
    left = [
        Segment(f" {look.OPEN if is_open else look.FOLDED} ", palette.muted),
        *_about(title, palette),
        *_title(run, layer, seats, palette=palette, style=palette.ink + look.BOLD),
        Segment("   "),
    ]
    right = _right(run, layer, t, field=5, palette=palette)
    room = width - look.cells(left) - look.cells(right) - 3
    if is_live:
        left.append(Segment(_counted(seats), palette.muted))
    elif layer is run.layers[-1] and not is_open:
        scale = look.lane_scale(max((seat.tokens for seat in seats), default=0))
        left.append(Segment(LANE_SCALE.format(scale=scale), palette.muted))
    else:
        left += _times(seats, t, room=room, palette=palette)
    return look.row(left, right, width=width, ground=palette.background)


def one_line(
    run: RunState, t: float, *, width: int, palette: Palette, shown: int = 0, title: str = ""
) -> Strip:
    """Return all layers on a line, the last one in full; the oldest give way when it is short.

    When another one's tiles are ``shown``, the line ends with that one.
    """
    layers = [layer for layer in run.layers if not shown or layer.layer <= shown]
    *before, last = layers or run.layers
    seats = run.layer_seats(last.layer)
    tail = _title(run, last, seats, palette=palette, style=palette.ink + look.BOLD)
    if _is_live(run, last):
        right = _right(run, last, t, palette=palette)
        room = width - 1 - look.cells(tail) - 2 - look.cells(right) - 2
        tail += [Segment("  "), Segment(_counted(seats, room=room), palette.muted)]
    right = _right(run, last, t, palette=palette)
    for layer in reversed(before):
        done = _ended_in_short(run, layer, t, palette=palette)
        if 1 + look.cells(done) + look.cells(tail) + 2 + look.cells(right) > width:
            break
        tail = [*done, *tail]
    left = [Segment(" "), *_about(title, palette), *tail]
    return look.row(left, right, width=width, ground=palette.background)


def _about(title: str, palette: Palette) -> list[Segment]:
    return [Segment(f"{title}  ", palette.bright + look.BOLD)] if title else []


def _ended_in_short(
    run: RunState, layer: LayerState, t: float, *, palette: Palette
) -> list[Segment]:
    seats = run.layer_seats(layer.layer)
    time = look.lasted(_seconds(run, layer, t))
    title = _title(run, layer, seats, palette=palette, style=palette.muted)
    text = f"  {_done(seats)}/{len(seats)}  {time}  {look.ARROW}  "
    return [*title, Segment(text, palette.muted)]


def _title(
    run: RunState,
    layer: LayerState,
    seats: Sequence[SeatState],
    *,
    palette: Palette,
    style: Style,
) -> list[Segment]:
    key = _key(run, layer, seats)
    return [
        Segment(f"{look.GLYPHS[key]} ", palette.state(key)),
        Segment(LAYER.format(layer=layer.layer), style),
    ]


def _key(run: RunState, layer: LayerState, seats: Sequence[SeatState]) -> StateKey:
    """Return the state that a layer is in, as a seat's: live, done, stopped or failed."""
    if _is_live(run, layer):
        return "streaming"
    if _done(seats):
        return "done"
    is_stopped = run.status == "stopped" or all(seat.status == "stopped" for seat in seats)
    return "stopped" if is_stopped else "failed"


def _is_live(run: RunState, layer: LayerState) -> bool:
    return layer.ended_t is None and run.status == "running"


def _seconds(run: RunState, layer: LayerState, t: float) -> float:
    end = layer.ended_t
    if end is None:
        end = t if run.status == "running" else run.t
    # What was given took its time in another run.
    given = (seat.seconds(t) for seat in run.layer_seats(layer.layer) if seat.given)
    return max(end - layer.started_t, *given, 0.0)


def _done(seats: Sequence[SeatState]) -> int:
    return sum(seat.status == "done" for seat in seats)


def _right(
    run: RunState, layer: LayerState, t: float, *, palette: Palette, field: int = 0
) -> list[Segment]:
    """Return how many seats are done and the time: running while live, else in seconds."""
    seats = run.layer_seats(layer.layer)
    seconds = _seconds(run, layer, t)
    is_live = _is_live(run, layer)
    time = look.clock(seconds) if is_live else look.lasted(seconds)
    is_newest = layer is run.layers[-1]
    style = palette.ink + look.BOLD if is_newest else palette.ink
    return [
        Segment(f"{_done(seats)}/{len(seats)}", palette.muted),
        Segment(f"  {time:>{field}} ", style),
    ]


def _counted(seats: Sequence[SeatState], *, room: int | None = None) -> str:
    """Return "2 done · 1 streaming · 1 thinking"; live seats as one number where room is short."""
    counts = Counter(look.state_key(seat) for seat in seats)
    text = f" {look.DOT} ".join(f"{counts[key]} {key}" for key in _ORDER if counts[key])
    if room is None:
        return text
    live = sum(counts[key] for key in _LIVE)
    parts = [f"{counts['done']} done"] if counts["done"] else []
    parts += [f"{live} live"] if live else []
    parts += [f"{counts[key]} {key}" for key in _ORDER[5:] if counts[key]]
    return f" {look.DOT} ".join(parts)


def _times(seats: Sequence[SeatState], t: float, *, room: int, palette: Palette) -> list[Segment]:
    """Return every seat's number, name and time, without names where they don't fit."""
    for gap, has_names in (("   ", True), ("  ", False)):
        segments: list[Segment] = []
        for seat in seats:
            key = look.state_key(seat)
            number = palette.seat(seat.seat.number) + look.BOLD
            name = f" {_family(seat)}" if has_names else ""
            glyph = "" if key == "done" else f" {look.GLYPHS[key]}"
            segments += [
                Segment(f"{seat.seat.number}", number),
                Segment(name, palette.muted),
                Segment(glyph, palette.state(key)),
                Segment(f" {look.lasted(seat.seconds(t))}{gap}", palette.muted),
            ]
        if look.cells(segments) - len(gap) <= room:
            return segments
    return [Segment(_counted(seats), palette.muted)]


def _family(seat: SeatState) -> str:
    """Return a model's name without its size: llama3.2:3b is llama3.2, gpt-oss-20b gpt-oss."""
    if seat.label:
        return look.name_of(seat).partition(f" {look.DOT} ")[0]
    name = look.seat_name(seat.model).partition(":")[0]
    return look.clip(_SIZE.sub("", name) or name, _LONGEST_FAMILY)
