"""The aggregator's card: a head that tells its state, and the session's answers under it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from rich.segment import Segment
from textual.containers import Vertical
from textual.widget import Widget

from moa_tui.ui import words
from moa_tui.ui.answer.answer_view import AnswerView
from moa_tui.ui.answer.attributed import AgreementLine
from moa_tui.ui.answer.column_view import ANSWER_FPS
from moa_tui.ui.frames import FrameClock
from moa_tui.ui.look import (
    BOLD,
    DASH,
    GLYPHS,
    STAR,
    Mark,
    Palette,
    RateMeter,
    elapsed,
    mark,
    name_of,
    rate,
    row,
    seat_name,
    tokens,
    ttft,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.style import Style
    from textual.app import ComposeResult
    from textual.strip import Strip

    from moa_tui.engine.state import SeatState
    from moa_tui.ui.turns import Place

_NARROW: Final = 100
_RATE_EVERY_S: Final = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """What the aggregator waits for: a layer, which of its seats are ready, the key that merges.

    ``ready`` are the numbers of the seats that are done, ``seats`` how many there are; ``key`` is
    empty while there is nothing to merge.
    """

    layer: int
    ready: Sequence[int] = ()
    seats: int = 0
    key: str = ""


class AnswerHead(Widget):
    """One row: the aggregator, its state, and what it waits for or what it took.

    What is worth knowing about its call, as that its references were cut, stands there too.
    """

    DEFAULT_CSS = """
    AnswerHead { height: 1; background: $aggregator-head; }
    """
    ALLOW_SELECT = False

    def __init__(self, frames: FrameClock | None = None) -> None:
        super().__init__()
        self._frames = frames or FrameClock(self, ANSWER_FPS)
        self._model = ""
        self._state: Mark | None = None
        self._waiting: Waiting | None = None
        self._figures: tuple[str, ...] = ()
        self._time = ""
        self._detail = self._note = ""
        self._is_proposal = False
        self._meter = RateMeter()
        self._rate: float | None = None
        self._rated_t = 0.0
        self._version: Place | None = None

    def show_version(self, version: Place) -> None:
        """Tell which version of the answer this is, where there are several."""
        self._version = version if version.of > 1 else None
        self._frames.request(self)

    def show_idle(self, model: str) -> None:
        """Show whose answer will stand here and nothing else."""
        self._model = seat_name(model)
        self._state = self._waiting = None
        self._figures, self._time, self._detail, self._note = (), "", "", ""
        self._meter = RateMeter()
        self._rate, self._rated_t = None, 0.0
        self._frames.request(self)

    def show_waiting(self, model: str, waiting: Waiting) -> None:
        """Show what the aggregator waits for."""
        self.show_idle(model)
        self._waiting = waiting
        self._state = Mark("waiting", GLYPHS["waiting"], f"waits for layer {waiting.layer}")

    def show_seat(self, seat: SeatState, *, t: float, detail: str = "") -> None:
        """Show a seat at ``t``; ``detail`` says how the answer was made."""
        self._model = name_of(seat)
        self._waiting = None
        self._detail = detail
        # What a proposal's own call had to be told of is told at its tile.
        self._is_proposal = seat.role == "proposer"
        noted = "" if self._is_proposal else "".join(seat.notes[-1:])
        self._note = seat.step if seat.is_live and seat.step else noted
        # Nobody races the aggregator, so it has no place.
        self._state = mark(replace(seat, place=None), t)
        written = seat.tokens_of_steps
        if not seat.is_live or not 0 <= t - self._rated_t < _RATE_EVERY_S:
            self._rate, self._rated_t = self._meter.rate(seat, t), t
        self._figures = (
            f"{tokens(written)} tok" if written else f"{DASH} tok",
            f"{rate(self._rate)} t/s",
            f"ttft {ttft(seat.ttft_s)}",
        )
        if seat.steps_from_t is not None:
            seat = replace(seat, started_t=seat.steps_from_t)
        self._time = elapsed(seat, t)
        self._frames.request(self)

    def show_failure(self) -> None:
        """Show that there is no answer, unless the seat's own end says more."""
        self._waiting = None
        if self._state is None or self._state.key not in ("failed", "stopped"):
            self._state = Mark("failed", GLYPHS["failed"], "failed")
        self._frames.request(self)

    def flush(self) -> None:
        """Repaint the row."""
        self.refresh()

    def on_unmount(self) -> None:
        """Leave the clock."""
        self._frames.forget(self)

    def render_line(self, y: int) -> Strip:
        """Return the row."""
        del y
        palette = Palette.of(self.app.theme_variables)
        card = self.parent
        is_focused = isinstance(card, Widget) and card.has_focus_within
        ground = palette.aggregator_head + palette.ink
        if is_focused:
            ground = palette.focus_head + palette.focus_ink
        width = self.size.width
        is_narrow = width < _NARROW
        gap = Segment("  " if is_narrow else "   ")

        def ink(style: Style) -> Style | None:
            return None if is_focused else style

        name = BOLD if is_focused else palette.aggregator + BOLD
        left = [Segment(f" {STAR} {self._model}", name)]
        if self._state is not None:
            left += [gap, Segment(self._state.text, ink(palette.state(self._state.key)))]
        if self._note:
            left += [gap, Segment(self._note, ink(palette.ink))]
        elif self._detail and (self._is_proposal or not is_narrow):
            left += [gap, Segment(self._detail, ink(palette.muted))]
        if self._waiting is not None:
            right = _ready(self._waiting, palette, is_narrow=is_narrow, is_focused=is_focused)
        else:
            right = self._figures_row(ink(palette.muted), gap, is_narrow=is_narrow)
        right += self._version_of(ink(palette.muted), is_narrow=is_narrow)
        return row(left, right, width=width, ground=ground)

    def _figures_row(self, muted: Style | None, gap: Segment, *, is_narrow: bool) -> list[Segment]:
        # The time to the first token is the first to go where room is short.
        figures = self._figures[:2] if is_narrow else self._figures
        spans = [span for figure in figures for span in (Segment(figure, muted), gap)]
        return [*spans, Segment(f"{self._time} ", BOLD)] if self._time else []

    def _version_of(self, muted: Style | None, *, is_narrow: bool) -> list[Segment]:
        if self._version is None:
            return []
        told = words.version(self._version.at, self._version.of, is_short=is_narrow)
        return [Segment("  [", BOLD), Segment(f" {told} ", muted), Segment("] ", BOLD)]


def _ready(
    waiting: Waiting, palette: Palette, *, is_narrow: bool, is_focused: bool
) -> list[Segment]:
    """Return which seats are ready, as chips or as a count, and the key that merges them."""
    count = len(waiting.ready)
    muted = None if is_focused else palette.muted
    if is_narrow and waiting.seats:
        spans = [Segment(f"{count} of {waiting.seats} ready ")]
    elif count:
        spans = [span for number in waiting.ready for span in (palette.chip(number), Segment(" "))]
        spans.append(Segment("ready "))
    else:
        return []
    if not waiting.key or not count:
        return spans
    which = "this one" if count == 1 else f"these {count}"
    does = "merge now" if is_narrow else f"merge {which} now"
    bright = BOLD if is_focused else palette.bright + BOLD
    gap = Segment(" " if is_narrow else "  ")
    return [*spans, gap, Segment(waiting.key, bright), Segment(f" {does} ", muted)]


class AnswerCard(Vertical):
    """Head and answers as one card; with the class ``-collapsed`` it is only the head."""

    DEFAULT_CSS = """
    AnswerCard {
        height: 1fr;
        border-left: outer $aggregator;
        background: $aggregator-surface;
    }
    AnswerCard:focus-within { border-left: thick $focus; }
    AnswerCard.-collapsed { height: 1; }
    AnswerCard.-collapsed AnswerView, AnswerCard.-collapsed AgreementLine { display: none; }
    """

    def __init__(
        self,
        frames: FrameClock | None = None,
        *,
        name: str | None = None,
        id: str | None = None,  # noqa: A002 - Textual's own name
        classes: str | None = None,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self.head = AnswerHead(frames)
        # Parsing is slower than painting: the text has a slower clock of its own.
        self.view = AnswerView()
        self.agreement = AgreementLine()

    def compose(self) -> ComposeResult:
        """Put the head over the answers, and below them what the ready proposals agree on."""
        yield self.head
        yield self.view
        yield self.agreement

    def show_idle(self, model: str) -> None:
        """Name the aggregator of the next run."""
        self.head.show_idle(model)

    def show_waiting(self, model: str, waiting: Waiting) -> None:
        """Name the aggregator and what it waits for."""
        self.head.show_waiting(model, waiting)

    def open_turn(self, question: str) -> None:
        """Begin a turn with its question, at the end and in sight."""
        self.view.open_turn(question)

    def stream(self, seat: SeatState, *, t: float, detail: str = "") -> None:
        """Show the aggregator's seat at ``t``: state and figures, thinking, answer."""
        self.head.show_seat(seat, t=t, detail=detail)
        self.view.stream(seat, t=t)

    def close_turn(
        self, answer: str | None = None, *, lacks: str = "", failure: str = "", hint: str = ""
    ) -> None:
        """End the turn: with the run's answer, or with a failure's words and what to do.

        ``answer`` None keeps what was streamed; ``lacks`` says why it isn't all it might be. The
        head keeps the seat's own end, if one was streamed; without a seat a failure stands there
        too.
        """
        if failure:
            self.head.show_failure()
        self.view.close_turn(answer, lacks=lacks, failure=failure, hint=hint)

    def rewrite_turn(self, number: int, answer: str, *, note: str = "") -> None:
        """Put another answer in the place of a turn's answer or failure, and a remark below it."""
        self.view.rewrite_turn(number, answer, note=note)

    def reopen_turn(self, number: int) -> None:
        """Take an earlier turn's answer away and let what is streamed grow in its place."""
        self.view.reopen_turn(number)

    def clear(self) -> None:
        """Forget all turns."""
        self.view.clear()

    def on_descendant_focus(self) -> None:
        """Show the focus in the head."""
        self.head.refresh()
        self.view.refresh()

    def on_descendant_blur(self) -> None:
        """Take the focus out of the head."""
        self.head.refresh()
        self.view.refresh()
