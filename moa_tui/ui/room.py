"""Who gets how many rows: arithmetic over the screen's size, no widgets.

Top to bottom: header, gap, flow lines, gap, tiles, gap, answer, gap, queue, composer, footer.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

from moa_tui.ui.view import PLAIN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from moa_tui.engine.state import RunState
    from moa_tui.ui.keys import Place
    from moa_tui.ui.view import View, Zoom

Phase: TypeAlias = Literal["empty", "race", "failed", "answer", "both"]
"""What the screen is for: a first prompt, proposers at work, their failure, the answer, and the
answer beside proposals that stand open."""

LEAST_WIDTH, LEAST_HEIGHT = 60, 20
SIDEBAR_FROM = 120
SIDEBAR = 33
_TILE_WIDTH = 39
_ROOMY_TILE = 12
_GOOD_TILE = 7
_LEAST_TILE = 5
_GOOD_ANSWER = 14
_FLOW_LINES_FROM = (100, 30)
_COMPOSER, _SMALL_COMPOSER = 4, 2
_MOST_DRAFT = 8
_HEADER, _FOOTER = 1, 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What wants room: seats of the layer on show, flow lines, rows of the draft and the queue.

    ``sidebar``: it is wanted beside the stage, where the screen is wide enough. ``zoom`` names the
    part that has all the room.
    """

    phase: Phase
    zoom: Zoom = ""
    seats: int = 0
    layers: int = 1
    draft: int = 1
    queue: int = 0
    sidebar: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """Rows of each part; ``gap`` is the row around answer and composer, 0 or 1."""

    has_sidebar: bool
    head_gap: int = 0
    flow: int = 0
    tiles_gap: int = 0
    tiles: int = 0
    tile_gaps: int = 0
    gap: int = 0
    answer: int = 0
    composer: int = _COMPOSER
    queue: int = 0

    @property
    def below_answer(self) -> int:
        """The rows of queue, composer and footer."""
        return self.queue + self.composer + _FOOTER

    def left(self, height: int) -> int:
        """Return the rows that nobody has."""
        answer = self.answer + self.gap if self.answer else 0
        taken = self.head_gap + self.flow + self.tiles_gap + self.tiles + answer
        return height - _HEADER - _FOOTER - taken - self.gap - self.composer - self.queue


def plan(width: int, height: int, content: Content) -> Room | None:
    """Return who gets what on a screen of so many cells; None: it is too small for anything."""
    if width < LEAST_WIDTH or height < LEAST_HEIGHT:
        return None
    most = min(_MOST_DRAFT, height // 4)
    content = replace(content, draft=max(1, min(content.draft, most)))
    room = Room(
        has_sidebar=content.sidebar and width >= SIDEBAR_FROM,
        head_gap=1,
        composer=max(_COMPOSER, content.draft + 1),
        queue=content.queue,
    )
    if content.zoom and content.phase != "empty":
        return _zoomed(room, height, content)
    match content.phase:
        case "empty":
            return _empty(room, height, content)
        case "answer":
            return _answer(room, width, height, content)
        case "both":
            return _both(room, width, height, content)
        case "race" | "failed":
            return _race(room, width, height, content)


def _small_composer(room: Room, content: Content) -> Room:
    return replace(room, composer=max(_SMALL_COMPOSER, content.draft + 1))


def _flow_lines(width: int, height: int, layers: int) -> int:
    is_long = width >= _FLOW_LINES_FROM[0] and height >= _FLOW_LINES_FROM[1]
    return layers if is_long else 1


def _empty(room: Room, height: int, content: Content) -> Room:
    room = replace(room, head_gap=0)
    if height < 24:  # noqa: PLR2004 - the sentence and the examples need the rows more
        room = _small_composer(room, content)
    return replace(room, answer=room.left(height))


def _answer(room: Room, width: int, height: int, content: Content) -> Room:
    """Give the answer what is left beside the table of seats, one row each."""
    table = min(content.seats, max(4, (height - 8) // 3))
    flow = _flow_lines(width, height, content.layers)
    room = replace(room, flow=flow, tiles=table, gap=1)
    smaller: tuple[Callable[[Room], Room], ...] = (
        lambda room: replace(room, head_gap=0),
        lambda room: _small_composer(room, content),
        lambda room: replace(room, flow=1),
        lambda room: replace(room, gap=0),
    )
    for step in smaller:
        if room.left(height) - room.gap >= _GOOD_ANSWER:
            break
        room = step(room)
    return replace(room, answer=max(1, room.left(height) - room.gap))


def _both(room: Room, width: int, height: int, content: Content) -> Room:
    """Give tiles that stand open half of what there is, but no more than they can use."""
    rows = _tile_rows(room, width, content.seats)
    is_low = height < _FLOW_LINES_FROM[1]
    room = replace(room, flow=_flow_lines(width, height, content.layers))
    if is_low:
        room = _small_composer(replace(room, head_gap=0), content)
    else:
        room = replace(room, gap=1, tiles_gap=1)
    room = replace(room, tile_gaps=0 if is_low else rows - 1)
    left = room.left(height) - room.gap
    tiles = min(max(_LEAST_TILE, left // 2), rows * _ROOMY_TILE + room.tile_gaps)
    return replace(room, tiles=tiles, answer=max(1, left - tiles))


def _zoomed(room: Room, height: int, content: Content) -> Room:
    """Give all to one part; the other is a line, so that one sees how it goes on."""
    room = _small_composer(replace(room, head_gap=0, flow=1), content)
    if content.zoom == "answer":
        return replace(room, answer=room.left(height))
    room = replace(room, answer=1)
    return replace(room, tiles=room.left(height))


def _tile_rows(room: Room, width: int, seats: int) -> int:
    main = width - SIDEBAR - 2 if room.has_sidebar else width
    columns = max(1, (main + 1) // (_TILE_WIDTH + 1))
    return max(1, math.ceil(seats / columns))


def _race(room: Room, width: int, height: int, content: Content) -> Room:
    """Give the tiles what is left; what gives up for them, and in which order, is a rule."""
    rows = _tile_rows(room, width, content.seats)
    head = 1 if content.phase == "race" else 5
    room = replace(
        room,
        flow=_flow_lines(width, height, content.layers),
        tiles_gap=1,
        tile_gaps=rows - 1,
        gap=1,
        answer=max(6, head),
    )
    for enough, step in _given_up(content, head):
        if (room.left(height) - room.tile_gaps) // rows < enough:
            room = step(room)
    return replace(room, tiles=max(1, room.left(height)))


def _given_up(content: Content, head: int) -> Iterator[tuple[int, Callable[[Room], Room]]]:
    """Yield (rows of a tile that are enough, what is given up below them), in order."""
    yield _ROOMY_TILE, lambda room: replace(room, head_gap=0)
    yield _ROOMY_TILE, lambda room: replace(room, answer=head)
    yield _ROOMY_TILE, lambda room: _small_composer(room, content)
    yield _GOOD_TILE, lambda room: replace(room, tile_gaps=0)
    yield _GOOD_TILE, lambda room: replace(room, flow=1)
    yield _GOOD_TILE, lambda room: replace(room, gap=0, tiles_gap=0)


def phase_of(state: RunState | None, view: View = PLAIN, *, is_read: bool = False) -> Phase:
    """Return what the screen is for in the newest run's state; None: nothing was asked yet.

    ``is_read``: the answers have the focus. Where nothing is live any more they have room then,
    though the proposals stay open since they are all that came of the run.
    """
    if state is None:
        return "empty"
    phase = _phase(state)
    if phase == "answer":
        return "both" if view.keeps_tiles else phase
    return "both" if is_read and _is_over(state) else phase


def zoom_from(place: Place, state: RunState | None, view: View) -> Zoom:
    """Return what gets all the room when that is wanted with the focus in this place."""
    if place in ("tile", "lanes"):
        return "race"
    is_live = state is not None and not _is_over(state)
    return "race" if is_live and place != "answer" and phase_of(state, view) == "race" else "answer"


def _is_over(state: RunState) -> bool:
    """Return whether a run has come to an end, whatever end that is."""
    return state.status not in ("idle", "running")


def _phase(state: RunState) -> Phase:
    merges = state.mixture is None or state.mixture.aggregator.makes != "nothing"
    has_answer = state.status == "done" and merges
    if has_answer or state.aggregator is not None:
        return "answer"
    if state.status in ("failed", "stopped"):
        return "failed" if state.seats else "answer"
    return "race"
