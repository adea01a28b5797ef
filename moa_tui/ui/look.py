"""How facts look: glyphs and words of states, figures of fixed width, lanes, chips, colours.

Everything here is data in, text or segments out; nothing knows a widget.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.color import Color, ColorParseError
from textual.strip import Strip

from moa_tui.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from moa_tui.engine.state import SeatState
    from moa_tui.errors import FailureKind

StateKey: TypeAlias = Literal[
    "queued",
    "waiting",
    "thinking",
    "streaming",
    "done",
    "failed",
    "retrying",
    "late",
    "stopped",
]
"""The nine looks of a seat; also the ends of the theme's ``state-*`` variables."""

GLYPHS: Final[Mapping[StateKey, str]] = {
    "queued": "·",
    "waiting": "○",
    "thinking": "◊",
    "streaming": "●",
    "done": "✓",
    "failed": "✗",
    "retrying": "!",
    "late": "»",
    "stopped": "■",
}
STAR: Final = "★"
FOLDED: Final = "▸"
OPEN: Final = "▾"
ARROW: Final = "→"
DOT: Final = "·"
DASH: Final = "–"
PROMPT: Final = "›"
ELLIPSIS: Final = "…"
BAR: Final = "▌"
BAR_FOCUSED: Final = "█"
CURSOR: Final = "▌"
CODE_BAR: Final = "│"
LANE_ANSWER: Final = "━"
LANE_THINKING: Final = "┅"
LANE_REST: Final = "─"
LANE_HEAD: Final = "╸"
RACE_ANSWER: Final = "▆"
RACE_THINKING: Final = "▂"
RACE_TRACK: Final = "▁"
DOWN: Final = "↓"

SEAT_COLOURS: Final = 12
LEAST_SCALE: Final = 256
_MOST_PLAIN: Final = 9_999
_DIGITS: Final = 4
_SHOW_WAIT_FROM_S: Final = 2.0
_SHORTEST_WINDOW_S: Final = 0.25
_MINUTES_FROM_S: Final = 100
_HOURS_FROM_MIN: Final = 100
_NO_SECONDS_FROM_MIN: Final = 10
_NO_TENTHS_FROM_S: Final = 10
_TTFT_MINUTES_FROM_S: Final = 999.5

_CAUSES: Final[Mapping[FailureKind, tuple[str, str]]] = {
    "connect": ("no connection", "no link"),
    "timeout": ("timed out", "timeout"),
    "rate_limit": ("429", "429"),
    "quota": ("quota used up", "quota"),
    "auth": ("no access", "key"),
    "not_found": ("not found", "404"),
    "context": ("prompt too long", "too long"),
    "invalid": ("request refused", "refused"),
    "server": ("server error", "server"),
    "cut": ("cut off", "cut off"),
    "truncated": ("answer too long", "too long"),
    "protocol": ("unreadable reply", "protocol"),
    "midstream": ("error in the stream", "broke"),
    "empty": ("empty answer", "empty"),
    "stopped": ("stopped", "stopped"),
}
"""Why, in a few words and in fewer."""

_BADGES: Final[Mapping[str, tuple[str, str]]] = {
    "length": ("cut at its limit", "cut"),
    "content_filter": ("ended by a filter", "filtered"),
    "refusal": ("refused", "refused"),
}
"""How an answer ended that isn't what it might have been, in a few words and in fewer."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A seat's state as people see it: ``key`` picks the colour, ``glyph`` is one cell wide."""

    key: StateKey
    glyph: str
    word: str

    @property
    def text(self) -> str:
        """Glyph and word."""
        return f"{self.glyph} {self.word}"


def state_key(seat: SeatState) -> StateKey:
    """Return which of the nine looks a seat has; one that outlives its layer is late."""
    if seat.is_live and seat.is_late:
        return "late"
    match seat.status:
        case "connecting" | "loading" | "reading" | "waiting":
            return "waiting"
        case other:
            return other


def mark(seat: SeatState, t: float, *, narrow: bool = False) -> Mark:
    """Return glyph and word of a seat's state at ``t``; ``narrow`` uses the fewest letters."""
    key = state_key(seat)
    badge = _BADGES.get(seat.reason or "")
    if key == "done" and badge:
        place = f"{ordinal(seat.place)}, " if seat.place is not None else ""
        # Normal is quiet, exceptions speak: not in the colour of what went well.
        return Mark("retrying", GLYPHS[key], f"{place}{badge[narrow]}")
    return Mark(key, GLYPHS[key], _word(seat, key, t, narrow=narrow))


def _word(seat: SeatState, key: StateKey, t: float, *, narrow: bool) -> str:
    match key:
        case "waiting" if seat.status == "waiting":
            waited = seat.seconds(t)
            return "waiting" if waited < _SHOW_WAIT_FROM_S else f"waiting {int(waited)}s"
        case "waiting":
            return seat.status
        case "done" if seat.place is not None:
            return ordinal(seat.place) if narrow else f"{ordinal(seat.place)} done"
        case "retrying":
            return _retry_word(seat, t, narrow=narrow)
        case "failed" if seat.kind is not None:
            return f"failed: {cause(seat.kind, narrow=narrow)}"
        case _:
            return key


def _retry_word(seat: SeatState, t: float, *, narrow: bool) -> str:
    why = cause(seat.kind, narrow=narrow) if seat.kind is not None else "failed"
    left = 0 if seat.retry_at_t is None else math.ceil(seat.retry_at_t - t)
    if left <= 0:
        return f"{why} {DOT} now" if narrow else f"{why}, retrying"
    return f"{why} {DOT} {left}s" if narrow else f"{why}, retry in {left}s"


def cause(kind: FailureKind, *, narrow: bool = False) -> str:
    """Return why something failed in a few words, like "429" or "timed out"."""
    return _CAUSES[kind][1 if narrow else 0]


def ordinal(number: int) -> str:
    """Return 1st, 2nd, 3rd, 4th, 11th, 21st …."""
    last_two = number % 100
    if last_two in (11, 12, 13):
        return f"{number}th"
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th') }"


def seat_name(model: str) -> str:
    """Return what people call "endpoint/model": the last part of the model's own name."""
    return one_line(model.rpartition("/")[2] or model)


def name_of(seat: SeatState) -> str:
    """Return what people call who sits there: the label that the mixture gives, then the model."""
    name = seat_name(seat.model)
    return f"{one_line(seat.label)} {DOT} {name}" if seat.label else name


# Figures. Every one fits the field of its kind: time 5 cells, tokens 5, rate 4, ttft 4.


def clock(seconds: float) -> str:
    """Return running time: 0:06, 12:40, 2h05; at most 5 cells."""
    whole = max(0, int(seconds))
    minutes, rest = divmod(whole, 60)
    return (
        f"{minutes}:{rest:02}"
        if minutes < _HOURS_FROM_MIN
        else f"{minutes // 60}h{minutes % 60:02}"
    )


def lasted(seconds: float) -> str:
    """Return how long something that ended took: 4.0s, 2m05s, 12m; at most 5 cells."""
    if round(seconds, 1) < _MINUTES_FROM_S:
        return f"{max(0.0, seconds):.1f}s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}m{rest:02}s" if minutes < _NO_SECONDS_FROM_MIN else f"{minutes}m"


def elapsed(seat: SeatState, t: float) -> str:
    """Return a seat's time: `clock` while it is live, `lasted` when it has ended."""
    return clock(seat.seconds(t)) if seat.is_live else lasted(seat.seconds(t))


def tokens(count: int) -> str:
    """Return a count of tokens: 212, 9999, 12.3k, 123k, 1.2M; at most 5 cells."""
    return str(count) if count <= _MOST_PLAIN else short(count)


def short(count: int) -> str:
    """Return a count in at most 5 cells, with k from a thousand on: 850, 9.8k, 1.2M."""
    for unit, letter in ((1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k")):
        # From 999.5 on the smaller unit would round up to four digits.
        if count >= unit * 0.9995:
            exact = f"{count / unit:.1f}"
            return f"{exact if len(exact) <= _DIGITS else round(count / unit)}{letter}"
    return str(count)


def rate(per_second: float | None) -> str:
    """Return tokens per second as a bare figure: 41, 1.2k, or – while unknown."""
    return DASH if per_second is None else short(round(per_second))


def ttft(seconds: float | None) -> str:
    """Return time to first token: 0.4s, 12s, 2m, or – while unknown; at most 4 cells."""
    if seconds is None:
        return DASH
    if round(seconds, 1) < _NO_TENTHS_FROM_S:
        return f"{max(0.0, seconds):.1f}s"
    if seconds < _TTFT_MINUTES_FROM_S:
        return f"{seconds:.0f}s"
    return f"{seconds / 60:.0f}m"


def thought_and_said(seat: SeatState) -> tuple[int, int]:
    """Return a seat's tokens as (reasoning, answer); their sum is ``seat.tokens``."""
    total = seat.tokens
    pieces = seat.pieces + seat.thinking_pieces
    if seat.usage is None or not seat.usage.completion:
        return seat.thinking_pieces, seat.pieces
    if seat.usage.reasoning:
        thought = min(seat.usage.reasoning, total)
    else:
        thought = round(total * seat.thinking_pieces / pieces) if pieces else 0
    return thought, total - thought


def mean_rate(seat: SeatState, t: float) -> float | None:
    """Return the tokens per second since a seat's first token; None while nothing can be said.

    What came all at once has no rate: its server sent it when it was written already. Nor counts
    what was thought unseen, before the first token.
    """
    if seat.first_t is None or not seat.tokens:
        return None
    unseen = seat.usage.reasoning if seat.usage and not seat.thinking_pieces else 0
    passed = (t if seat.ended_t is None else seat.ended_t) - seat.first_t
    return (seat.tokens - unseen) / passed if passed >= _SHORTEST_WINDOW_S else None


class RateMeter:
    """Tokens per second of one seat: the mean of the last second; `mean_rate` when ended."""

    def __init__(self) -> None:
        self._samples: list[tuple[float, int]] = []
        self._attempt = 0

    def rate(self, seat: SeatState, t: float) -> float | None:
        """Note the seat at ``t`` and return its rate; None while nothing can be said."""
        if not seat.is_live or seat.first_t is None or not seat.tokens:
            return mean_rate(seat, t)
        if seat.attempt != self._attempt:
            self._samples.clear()
            self._attempt = seat.attempt
        samples = self._samples
        samples.append((t, seat.tokens))
        # The newest sample that is a second old stays: the window reaches back to it.
        while samples[1:] and samples[1][0] <= t - 1:
            samples.pop(0)
        since, count = samples[0]
        if t - since >= _SHORTEST_WINDOW_S:
            return (seat.tokens - count) / (t - since)
        return mean_rate(seat, t)


# Lanes.


def lane_scale(leader: int) -> int:
    """Return the least of 256, 512, 1024 … tokens that holds the leader."""
    scale = LEAST_SCALE
    while scale < leader:
        scale *= 2
    return scale


def lane_cells(width: int, thought: int, said: int, *, scale: int) -> tuple[int, int]:
    """Return how many cells of a lane are reasoning and answer; any token at all shows one."""
    if width <= 0:
        return 0, 0
    reached = min(width, max(round(width * (thought + said) / scale), 1 if thought + said else 0))
    thinking = min(reached, max(round(width * thought / scale), 1 if thought else 0))
    if said and thinking == reached:
        thinking -= 1
    return thinking, reached - thinking


def lane(
    width: int, cells: tuple[int, int], *, live: bool, seat: Style, track: Style
) -> list[Segment]:
    """Return a lane of ``width`` cells: reasoning, answer (with a head while live), the rest."""
    thinking, answer = cells
    said = LANE_ANSWER * answer
    if live and answer:
        said = said[:-1] + LANE_HEAD
    rest = max(0, width - thinking - answer)
    parts = [Segment(LANE_THINKING * thinking + said, seat), Segment(LANE_REST * rest, track)]
    return [part for part in parts if part.text]


# Colours.


@dataclass(frozen=True, slots=True, kw_only=True)
class Palette:
    """The theme as rich styles, resolved once; letters have no background, grounds no foreground.

    Put one on the other with ``+``: ``palette.head + palette.head_ink``. Build it with `of` from
    ``app.theme_variables``; the same variables give the same object.
    """

    background: Style
    surface: Style
    head: Style
    focus_head: Style
    focus_surface: Style
    aggregator_head: Style
    aggregator_surface: Style
    code_background: Style
    ink: Style
    bright: Style
    muted: Style
    head_ink: Style
    code_ink: Style
    edge: Style
    track: Style
    focus: Style
    focus_ink: Style
    aggregator: Style
    link: Style
    primary: Style
    secondary: Style
    accent: Style
    warning: Style
    error: Style
    success: Style
    seats: tuple[Style, ...]
    chips: tuple[Style, ...]
    states: Mapping[StateKey, Style]

    @classmethod
    def of(cls, variables: Mapping[str, str]) -> Palette:
        """Return the palette of a theme's variables; one that is missing reads as plain text."""
        return _palette(tuple(variables.get(name, "") for name in _VARIABLES))

    @property
    def selection(self) -> Style:
        """Text that the mouse selected: light against dark, like focus."""
        return self.focus_head + self.focus_ink

    def seat(self, number: int) -> Style:
        """Return a seat's colour; after 12 they start again."""
        return self.seats[(number - 1) % SEAT_COLOURS]

    def chip(self, number: int) -> Segment:
        """Return a seat's number on its colour, 3 cells wide."""
        return Segment(f"{number:^3}", self.chips[(number - 1) % SEAT_COLOURS])

    def state(self, key: StateKey) -> Style:
        """Return a state's colour."""
        return self.states[key]


_GROUNDS: Final = (
    "background",
    "surface",
    "head",
    "focus-head",
    "focus-surface",
    "aggregator-head",
    "aggregator-surface",
    "code-background",
)
_INKS: Final = (
    "ink",
    "bright",
    "muted",
    "head-ink",
    "code-ink",
    "edge",
    "track",
    "focus",
    "focus-ink",
    "aggregator",
    "primary",
    "secondary",
    "accent",
    "warning",
    "error",
    "success",
)
_VARIABLES: Final = (
    *("foreground", "muted-text-style", "seat-ink", "link-color"),
    *_GROUNDS,
    *_INKS,
    *(f"seat-{number}" for number in range(1, SEAT_COLOURS + 1)),
    *(f"state-{key}" for key in GLYPHS),
)


@lru_cache(maxsize=4)
def _palette(values: tuple[str, ...]) -> Palette:
    read = dict(zip(_VARIABLES, values, strict=True))
    plain = _colour(read["foreground"], Color(217, 223, 232))
    page = _colour(read["background"], Color(13, 16, 20))

    def ink(name: str) -> Style:
        return Style(color=_colour(read[name], plain).rich_color)

    def ground(name: str) -> Style:
        return Style(bgcolor=_colour(read[name], page).rich_color)

    seats = tuple(ink(f"seat-{number}") for number in range(1, SEAT_COLOURS + 1))
    digit = Style(color=_colour(read["seat-ink"], page).rich_color, bold=True)
    styles = {name.replace("-", "_"): ground(name) for name in _GROUNDS}
    styles |= {name.replace("-", "_"): ink(name) for name in _INKS}
    styles["muted"] += Style(dim=True) if "dim" in read["muted-text-style"] else Style.null()
    return Palette(
        **styles,
        link=ink("link-color") + Style(underline=True),
        seats=seats,
        chips=tuple(digit + Style(bgcolor=seat.color) for seat in seats),
        states={key: ink(f"state-{key}") for key in GLYPHS},
    )


def _colour(value: str, missing: Color) -> Color:
    """Return a variable's colour; "auto 87%" and the like can't be drawn without a widget."""
    try:
        colour = Color.parse(value)
    except ColorParseError:
        return missing
    # Textual makes an ansi theme's surface transparent: the page shows through.
    return colour if colour.a else missing


BOLD: Final = Style(bold=True)
ITALIC: Final = Style(italic=True)


# Rows.


def cells(segments: Iterable[Segment]) -> int:
    """Return how many cells segments take."""
    return sum(cell_len(segment.text) for segment in segments)


def clip(text: str, width: int) -> str:
    """Return the text in at most ``width`` cells, with … where something was cut off."""
    if cell_len(text) <= width:
        return text
    return set_cell_size(text, max(0, width - 1)).rstrip() + ELLIPSIS if width > 0 else ""


def clipped(segments: Sequence[Segment], width: int) -> list[Segment]:
    """Return segments in at most ``width`` cells, with … where something was cut off."""
    kept: list[Segment] = []
    for segment in segments:
        length = cell_len(segment.text)
        if length <= width:
            kept.append(segment)
            width -= length
            continue
        kept.append(Segment(clip(segment.text, width), segment.style))
        break
    return kept


def row(
    left: Sequence[Segment],
    right: Sequence[Segment],
    *,
    width: int,
    ground: Style,
    gap: int = 2,
) -> Strip:
    """Return a row of ``width`` cells on ``ground``: left, room, right; the left is cut first."""
    ends = clipped(right, width)
    starts = list(left)
    room = width - cells(ends)
    if cells(starts) > max(0, room - gap if ends else room):
        starts = clipped(starts, max(0, room - gap if ends else room))
    between = Segment(" " * max(0, room - cells(starts)))
    return Strip([*starts, between, *ends], width).apply_style(ground)
