"""The rows of a tile that aren't its text: head, lane, foot, and what it says while it waits.

Pure: a seat's state and a size in, strips out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from rich.cells import cell_len
from rich.segment import Segment
from textual.strip import Strip

from moa_tui.text import one_line
from moa_tui.ui import look
from moa_tui.ui.race.tail import Wrap, fitted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.style import Style

    from moa_tui.engine.state import SeatState
    from moa_tui.ui.look import Palette

Row: TypeAlias = tuple[Segment, ...]
"""A row of a page, as segments."""

_ROOMY_FROM: Final = 12
_COMPACT_BELOW: Final = 8
_FIGURES: Final = 28
_LONGEST_PAGE: Final = 65_536

WAITS: Final = {
    "queued": "Waits for its turn.",
    "connecting": "Connecting to {endpoint}.",
    "loading": "{endpoint} is loading the model.",
    "reading": "Reading the prompt.",
    "waiting": "Waiting for the first token.",
}
BEHIND: Final = "Queued behind {behind}."
LOST_NOTHING: Final = "Try {attempt} failed before its first token, so nothing is lost."
FOLDED: Final = "its thinking is folded"
THOUGHT: Final = "It thought for {count} tokens; t unfolds that."
NO_WORDS: Final = "It ended without a word."
REASONS: Final = {
    "length": "Cut at its limit.",
    "content_filter": "The service's filter ended it.",
    "refusal": "The model refused.",
    "late": "Too late to be merged.",
}


@dataclass(frozen=True, slots=True)
class Shape:
    """A card's size in cells and what follows from it."""

    width: int
    height: int

    @property
    def is_roomy(self) -> bool:
        """Whether the lane has a row of its own, and the foot a blank one above it."""
        return self.height >= _ROOMY_FROM

    @property
    def is_compact(self) -> bool:
        """Whether blank rows of the text are left out."""
        return self.height < _COMPACT_BELOW

    @property
    def text_width(self) -> int:
        """Cells of text: all but the bar and a column of air on both sides."""
        return max(1, self.width - 3)

    @property
    def text_top(self) -> int:
        """The first row of text."""
        return 2 if self.is_roomy else 1

    @property
    def text_height(self) -> int:
        """Rows of text."""
        return max(0, self.height - (4 if self.is_roomy else 2))

    @property
    def lane_row(self) -> int:
        """The row with the lane."""
        return 1 if self.is_roomy else self.foot_row

    @property
    def foot_row(self) -> int:
        """The last row, with the figures."""
        return self.height - 1

    @property
    def lane_width(self) -> int:
        """Cells of the lane: a row, or what the figures leave of the foot."""
        return self.width - 1 if self.is_roomy else max(0, self.text_width - _FIGURES - 1)


@dataclass(frozen=True, slots=True)
class Coat:
    """A card's colours, focused or not: focus is light against dark and a thicker bar."""

    bar: Segment
    head: Style
    name: Style
    body: Style
    is_focused: bool

    @classmethod
    def of(cls, palette: Palette, *, is_focused: bool) -> Coat:
        """Return the colours of a card."""
        if is_focused:
            return cls(
                bar=Segment(look.BAR_FOCUSED, palette.focus_surface + palette.focus),
                head=palette.focus_head,
                name=palette.focus_ink,
                body=palette.focus_surface,
                is_focused=True,
            )
        return cls(
            bar=Segment(look.BAR, palette.surface + palette.edge),
            head=palette.head,
            name=palette.head_ink,
            body=palette.surface,
            is_focused=False,
        )


def head(seat: SeatState, t: float, *, shape: Shape, palette: Palette, coat: Coat) -> Strip:
    """Return the head: bar, chip, name, state and elapsed time at the right."""
    width = shape.width - 2
    name = look.name_of(seat)
    time = f"{'  ' if shape.is_roomy else ' '}{look.elapsed(seat, t):>5}"
    mark = look.mark(seat, t)
    if 3 + 1 + cell_len(name) + 2 + cell_len(mark.text) + len(time) > width:
        mark = look.mark(seat, t, narrow=True)
    state = coat.name if coat.is_focused else palette.state(mark.key)
    bright = coat.name + look.BOLD if coat.is_focused else palette.bright
    left = [palette.chip(seat.seat.number), Segment(" "), Segment(name, coat.name + look.BOLD)]
    right = [Segment(mark.text, state), Segment(time, bright)]
    inner = look.row(left, right, width=width, ground=coat.head)
    return Strip.join([Strip([coat.bar], 1), inner, Strip([Segment(" ", coat.head)], 1)])


def lane(cells: tuple[int, int], seat: SeatState, *, width: int, palette: Palette) -> list[Segment]:
    """Return the seat's lane of so many cells."""
    number = seat.seat.number
    return look.lane(
        width, cells, live=seat.is_live, seat=palette.seat(number), track=palette.track
    )


def framed(inner: Sequence[Segment], *, shape: Shape, coat: Coat, air: int = 1) -> Strip:
    """Return a row of a card's body: bar, ``air`` cells, ``inner``, the rest blank."""
    body = coat.body
    used = 1 + air + look.cells(inner)
    segments = [
        coat.bar,
        Segment(" " * air, body),
        *[Segment(text, body + style if style else body) for text, style, _ in inner],
        Segment(" " * (shape.width - used), body),
    ]
    strip = Strip([segment for segment in segments if segment.text], max(used, shape.width))
    return strip if used <= shape.width else strip.crop(0, shape.width)


def foot(
    seat: SeatState,
    rate: float | None,
    cells: tuple[int, int],
    *,
    shape: Shape,
    palette: Palette,
    coat: Coat,
) -> Strip:
    """Return the foot: figures at fixed places, in a tight card after the lane."""
    thought, said = look.thought_and_said(seat)
    count, speed = look.tokens(thought + said), look.rate(rate)
    first = f"ttft {look.ttft(seat.ttft_s):>4}"
    if shape.is_roomy:
        left = f"{count} tok{' thought' if thought and not said else ''}"
        right = f"{speed:>4} t/s     {first}"
        if cell_len(left) + cell_len(right) > shape.text_width:
            right = f"{speed:>4} t/s  {first}"
        text = f"{left}{right:>{max(0, shape.text_width - cell_len(left))}}"
        return framed([Segment(text, palette.muted)], shape=shape, coat=coat)
    left = f"{count:>5} tok {speed:>3} t/s"
    figures = f"{left}{first:>{max(10, _FIGURES - len(left))}}"
    inner = lane(cells, seat, width=shape.lane_width, palette=palette)
    gap = max(0, shape.text_width - look.cells(inner) - cell_len(figures))
    inner.append(Segment(f"{' ' * gap}{figures}"[-shape.text_width :], palette.muted))
    return framed(inner, shape=shape, coat=coat)


def page(
    seat: SeatState,
    hints: Sequence[tuple[str, str]],
    *,
    shape: Shape,
    palette: Palette,
    thinks: bool = False,
) -> list[Row]:
    """Return what a seat shows that isn't streaming: why it waits or failed, or its answer.

    ``thinks``: an ended seat's thinking stands before its answer. Rows are at most the text's
    width, without a ground. They aren't strips, since a strip's caches take a kilobyte.
    """
    rows: list[list[Row]] = []
    text = "" if seat.is_live else str(seat.text).strip()
    failed = seat.status == "failed"
    if failed or seat.status == "retrying" or not text:
        rows += _said(seat, shape=shape, palette=palette)
        if hints:
            rows.append(_hint_rows(hints, width=shape.text_width, palette=palette))
    thinking = "" if seat.is_live else str(seat.thinking).strip()
    if thinking and thinks:
        style = palette.state("thinking") + look.ITALIC
        rows.append(_wrapped(thinking[-_LONGEST_PAGE:], style, shape.text_width))
    if text:
        rows.append(_answer(text, shape=shape, palette=palette, plain=failed))
    notes = [*seat.notes, *([REASONS[seat.reason]] if seat.reason in REASONS else [])]
    if thinking and not thinks:
        notes.append(THOUGHT.format(count=look.short(look.thought_and_said(seat)[0])))
    if notes and not seat.is_live:
        rows.append(_wrapped(" ".join(notes), palette.muted, shape.text_width))
    return _spaced(rows, blank=not shape.is_compact)


def _spaced(groups: Sequence[Sequence[Row]], *, blank: bool) -> list[Row]:
    rows: list[Row] = []
    for group in groups:
        if rows and group and blank:
            rows.append(())
        rows.extend(group)
    return rows


def _said(seat: SeatState, *, shape: Shape, palette: Palette) -> list[list[Row]]:
    """Return the paragraphs that tell a seat's state, the first one in its colour."""
    key = look.state_key(seat)
    endpoint = one_line(seat.model.partition("/")[0])
    first, second = seat.message, seat.hint
    if seat.status == "queued" and seat.behind:
        first = BEHIND.format(behind=one_line(seat.behind))
    elif seat.status in WAITS:
        first, second = WAITS[seat.status].format(endpoint=endpoint), ""
    elif seat.status == "retrying":
        second = LOST_NOTHING.format(attempt=seat.attempt)
    elif not first and not seat.is_live:
        first = NO_WORDS
    paragraphs = ((first, palette.state(key)), (second, palette.ink))
    return [_wrapped(text, style, shape.text_width) for text, style in paragraphs if text]


def _answer(text: str, *, shape: Shape, palette: Palette, plain: bool) -> list[Row]:
    """Return an ended seat's text: Markdown, or plain where it broke off or is very long."""
    if plain or len(text) > _LONGEST_PAGE:
        return _wrapped(text, palette.muted if plain else palette.ink, shape.text_width)
    # Markdown costs 50 ms to import, which the first paint shouldn't wait for.
    from moa_tui.ui.answer.markdown import render  # noqa: PLC0415 - see above

    rows = [
        tuple(strip)
        for strip in render(text, width=shape.text_width, palette=palette, tight=shape.is_compact)
    ]
    return [row for row in rows if not is_empty(row)] if shape.is_compact else rows


def is_empty(row: Row) -> bool:
    """Return whether a row says nothing, like an empty line of code."""
    return not any(segment.text.strip(f" {look.CODE_BAR}") for segment in row)


def _wrapped(text: str, style: Style, width: int) -> list[Row]:
    wrap = Wrap(width)
    wrap.append(text)
    return [(Segment(fitted(row, width), style),) for row in wrap.rows]


def _hint_rows(hints: Sequence[tuple[str, str]], *, width: int, palette: Palette) -> list[Row]:
    """Return key and label pairs, as many a row as fit."""
    rows: list[list[Segment]] = [[]]
    for key, label in hints:
        pair = [
            Segment(key, palette.bright + look.BOLD),
            Segment(f" {label}", palette.muted),
        ]
        if rows[-1] and look.cells(rows[-1]) + 2 + look.cells(pair) > width:
            rows.append([])
        if rows[-1]:
            rows[-1].append(Segment("  "))
        rows[-1].extend(look.clipped(pair, width))
    return [tuple(row) for row in rows]


def code_near(text: str, page: Sequence[Row], middle: int) -> str:
    """Return the code of a Markdown text that is drawn nearest to a row of its page, "" if none."""
    from moa_tui.ui.answer.blocks import Blocks  # noqa: PLC0415 - Markdown again
    from moa_tui.ui.answer.markdown import codes_of  # noqa: PLC0415 - as above
    from moa_tui.ui.answer.targets import code_of  # noqa: PLC0415 - as above

    blocks = Blocks()
    codes = [code for block in (*blocks.feed(text), blocks.open) for code in codes_of(block.source)]
    drawn: list[list[int]] = []
    for number, row in enumerate(page):
        if code_of(Strip(row)) is None:
            continue
        if not drawn or drawn[-1][-1] != number - 1:
            drawn.append([])
        drawn[-1].append(number)
    if len(drawn) != len(codes):
        return codes[0] if codes else ""
    near = min(
        range(len(codes)),
        key=lambda at: min(abs(row - middle) for row in drawn[at]),
        default=None,
    )
    return "" if near is None else codes[near]
