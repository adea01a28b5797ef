"""Seats as rows of one line: the folded race, and the strip for a race with too many seats.

Pure: states and a width in, strips out.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from rich.cells import cell_len
from rich.segment import Segment

from moa_tui.ui import look
from moa_tui.ui.answer.margin import share_words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from textual.strip import Strip

    from moa_tui.engine.state import SeatState
    from moa_tui.ui.look import Palette

WIDE_FROM: Final = 100
INDENT: Final = 3
_SHORT_BELOW: Final = 72
"""Cells of a row that hasn't room for all figures and a share."""
_LEAST_LANE: Final = 8
_NAMES: Final = {True: (16, 30), False: (15, 20)}
MORE: Final = "and {count} more"


def fold(
    seats: Sequence[SeatState],
    t: float,
    *,
    width: int,
    scale: int,
    palette: Palette,
    shares: Mapping[int, float] = MappingProxyType({}),
) -> list[Strip]:
    """Return one row a seat: chip, name, place, lane, seconds, tokens, tokens a second.

    ``shares`` are the parts of the answer, 0 to 1, that are from each seat's proposal.
    """
    is_wide = width >= WIDE_FROM
    least, most = _NAMES[is_wide]
    if width < _SHORT_BELOW:
        most = least
    longest = max((cell_len(look.name_of(seat)) for seat in seats), default=0)
    names = min(max(least, longest + 1), most)
    marks = [_mark(seat, t) for seat in seats]
    states = 1 + max((cell_len(mark.text) for mark in marks if mark), default=0)
    rows = []
    for seat, mark in zip(seats, marks, strict=True):
        left = _name(seat, names, is_wide=is_wide, palette=palette)
        if mark is None:
            rows.append(_told(seat, t, left, width=width, palette=palette))
            continue
        left.append(Segment(f"{mark.text:<{states}}", palette.state(mark.key)))
        is_short = bool(shares) and width < _SHORT_BELOW
        right = _figures(seat, t, is_wide=is_wide, is_short=is_short, palette=palette)
        if shares:
            share = share_words(shares.get(seat.seat.number), palette)
            right = [*right, Segment("  " if is_wide else ""), *share, Segment(" ")]
        room = width - look.cells(left) - look.cells(right)
        if room >= _LEAST_LANE:
            cells = look.lane_cells(room, *look.thought_and_said(seat), scale=scale)
            colour = palette.seat(seat.seat.number)
            left += look.lane(room, cells, live=seat.is_live, seat=colour, track=palette.track)
        rows.append(look.row(left, right, width=width, ground=palette.background, gap=0))
    return rows


def cut(rows: Sequence[Strip], height: int, *, width: int, palette: Palette) -> list[Strip]:
    """Return at most ``height`` rows, the last one counting those that don't fit."""
    if len(rows) <= height:
        return list(rows)
    left = [Segment(MORE.format(count=len(rows) - height + 1), palette.muted)]
    kept = list(rows[: max(0, height - 1)])
    return [*kept, look.row(left, (), width=width, ground=palette.background)][:height]


def _mark(seat: SeatState, t: float) -> look.Mark | None:
    """Return a row's state; None where words say more than a lane would."""
    has_words = seat.status in ("failed", "stopped", "retrying") and not seat.tokens
    return None if has_words else look.mark(seat, t, narrow=True)


def _name(seat: SeatState, names: int, *, is_wide: bool, palette: Palette) -> list[Segment]:
    name = look.clip(look.name_of(seat), names - 1)
    indent = " " * (INDENT if is_wide else 0)
    padded = f" {name}{' ' * (names - cell_len(name))}"
    return [Segment(indent), palette.chip(seat.seat.number), Segment(padded, palette.ink)]


def _told(seat: SeatState, t: float, left: list[Segment], *, width: int, palette: Palette) -> Strip:
    """Return the row of a seat that has no figures: its state, why, how long it took."""
    mark = look.mark(seat, t)
    told = [
        *left,
        Segment(f"{mark.text}  ", palette.state(mark.key)),
        Segment(" ".join(seat.message.split()), palette.muted),
    ]
    time = [Segment(f"{look.elapsed(seat, t)} ", palette.muted)]
    return look.row(told, time, width=width, ground=palette.background)


def _figures(
    seat: SeatState, t: float, *, is_wide: bool, is_short: bool, palette: Palette
) -> list[Segment]:
    gap = "   " if is_wide else ""
    text = f"{gap}{look.elapsed(seat, t):>7}{gap}{look.tokens(seat.tokens):>6} tok"
    if not is_short:
        text += f"{gap}{look.rate(look.mean_rate(seat, t)):>5} t/s"
    text += " "
    return [Segment(text, palette.muted)]


def strip(
    seats: Sequence[SeatState],
    t: float,
    *,
    width: int,
    entries: int,
    shown: Sequence[int],
    palette: Palette,
) -> list[Strip]:
    """Return rows of ``entries`` seats each: chip, glyph, name, tokens; ``shown`` stand out."""
    rows = []
    for first in range(0, len(seats), entries):
        segments: list[Segment] = []
        for index, seat in enumerate(seats[first : first + entries]):
            left = index * width // entries
            size = (index + 1) * width // entries - left
            is_shown = first + index in shown
            segments += _entry(seat, t, size, is_shown=is_shown, palette=palette)
        rows.append(look.row(segments, (), width=width, ground=palette.background))
    return rows


def _entry(
    seat: SeatState, t: float, width: int, *, is_shown: bool, palette: Palette
) -> list[Segment]:
    mark = look.mark(seat, t, narrow=True)
    count = look.tokens(seat.tokens) if seat.tokens else ""
    room = width - 3 - 3 - 1 - cell_len(count) - 1
    name = look.clip(look.name_of(seat), room)
    ink = palette.bright + look.BOLD if is_shown else palette.muted
    return [
        palette.chip(seat.seat.number),
        Segment(f" {mark.glyph} ", palette.state(mark.key)),
        Segment(f"{name}{' ' * (room - cell_len(name))}", ink),
        Segment(f" {count} ", palette.muted),
    ]
