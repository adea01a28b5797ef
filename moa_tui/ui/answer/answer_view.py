"""The answers of a session under each other, drawn where they are looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widget import Widget

from moa_tui.ui import selecting
from moa_tui.ui.answer import targets
from moa_tui.ui.answer.answer_page import AnswerPage
from moa_tui.ui.answer.column_view import ColumnView
from moa_tui.ui.answer.transcript import Transcript
from moa_tui.ui.answer.turn_rows import YOU
from moa_tui.ui.look import BOLD, DOWN, Palette, row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.events import Click
    from textual.geometry import Region
    from textual.selection import Selection
    from textual.strip import Strip

    from moa_tui.engine.state import SeatState
    from moa_tui.ui.answer.gutter import MarginFor
    from moa_tui.ui.frames import FrameClock


class AnswerView(ColumnView):
    """The session's turns, drawn where they are looked at; the last one grows.

    The end is followed until somebody scrolls up. Turns are numbered from 0 in the order opened;
    the one in sight is the one at the window's top, the last one while the end is followed.
    """

    DEFAULT_CSS = """
    AnswerView {
        height: 1fr;
        overflow-x: hidden;
        overflow-y: scroll;
        scrollbar-size-vertical: 1;
        background: $aggregator-surface;
        scrollbar-background: $aggregator-surface;
        scrollbar-background-hover: $aggregator-surface;
        scrollbar-background-active: $aggregator-surface;
    }
    AnswerView:focus {
        background: $focus-surface;
        scrollbar-background: $focus-surface;
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("k,up", "scroll_up", "Up", show=False, id="answer.up", tooltip="One row up"),
        Binding(
            "j,down", "scroll_down", "Down", show=False, id="answer.down", tooltip="One row down"
        ),
        Binding(
            "pageup", "page_up", "Page up", show=False, id="answer.page-up", tooltip="A page up"
        ),
        Binding(
            "pagedown",
            "page_down",
            "Page down",
            show=False,
            id="answer.page-down",
            tooltip="A page down",
        ),
        Binding(
            "home",
            "scroll_home",
            "First turn",
            show=False,
            id="answer.home",
            tooltip="To the first turn",
        ),
        Binding(
            "end",
            "scroll_end",
            "Newest",
            show=False,
            id="answer.end",
            tooltip="To the newest line, and follow it",
        ),
        Binding(
            "left_curly_bracket",
            "previous_turn",
            "Earlier turn",
            key_display="{",
            show=False,
            id="answer.previous_turn",
            tooltip="To the question of the turn before",
        ),
        Binding(
            "right_curly_bracket",
            "next_turn",
            "Later turn",
            key_display="}",
            show=False,
            id="answer.next_turn",
            tooltip="To the question of the next turn",
        ),
        Binding(
            "enter",
            "pick_turn",
            "its tiles",
            id="answer.tiles",
            tooltip="Show that turn's proposals again",
        ),
    ]

    class TurnPicked(Message):
        """The proposals of a turn are to be seen again."""

        def __init__(self, number: int) -> None:
            super().__init__()
            self.number = number
            """The turn's number, from 0."""

    class LinkPressed(Message):
        """A link is to be followed; nobody has been asked yet whether it should."""

        def __init__(self, url: str) -> None:
            super().__init__()
            self.url = url
            """The address of a web page."""

    def __init__(
        self,
        frames: FrameClock | None = None,
        *,
        name: str | None = None,
        id: str | None = None,  # noqa: A002 - Textual's own name
        classes: str | None = None,
    ) -> None:
        transcript = Transcript()
        super().__init__(transcript.column, frames, name=name, id=id, classes=classes)
        # A model's link is never the terminal's or Textual's to follow.
        self.set_reactive(Widget.auto_links, False)  # noqa: FBT003 - Textual's own order
        self._transcript = transcript
        self._page = AnswerPage(self._transcript)
        self._marked: int | None = None
        self._shown: tuple[SeatState, float] | None = None
        self._written: SeatState | None = None
        self._is_painting = False
        self._selection: Selection | None = None

    def open_turn(self, question: str) -> None:
        """Begin a turn with its question, at the end and in sight."""
        self._catch_up()
        self._transcript.begin(question)
        self._reading.follow()
        self._repaint()

    @property
    def count(self) -> int:
        """How many turns there are."""
        return len(self._transcript)

    def cut(self, number: int) -> None:
        """Forget this turn and all behind it."""
        self._catch_up()
        selecting.forget(self)
        self._change(lambda: self._transcript.cut(number))

    def reopen_turn(self, number: int) -> None:
        """Take an earlier turn's answer away and let what is streamed grow in its place."""
        self._catch_up()
        self._change(lambda: self._transcript.reopen(number))

    def stream(self, seat: SeatState, *, t: float) -> None:
        """Show what the aggregator has thought and said by ``t``; costs a frame, not a call.

        Nothing happens while no turn is open, nor for a state that is written already.
        """
        if self._transcript.open is None or seat is self._written:
            return
        self._shown = (seat, t)
        self._frames.request(self)

    def close_turn(
        self, answer: str | None = None, *, lacks: str = "", failure: str = "", hint: str = ""
    ) -> None:
        """End the open turn, see `AnswerCard.close_turn`."""
        self._catch_up()
        self._change(
            lambda: self._transcript.close(answer, lacks=lacks, failure=failure, hint=hint)
        )

    def rewrite_turn(self, number: int, answer: str, *, note: str = "") -> None:
        """Put another answer in the place of a turn's answer or failure, and a remark below it.

        Raises IndexError for a turn that never was.
        """
        self._catch_up()
        selecting.forget(self)
        self._change(lambda: self._transcript.rewrite(number, answer, note=note))

    def clear(self) -> None:
        """Forget all turns."""
        self._shown = None
        selecting.forget(self)
        self._transcript.clear()
        self._reading.follow()
        self._repaint()

    def toggle_thinking(self) -> bool:
        """Unfold or fold the thinking of the turn in sight; return whether there is any."""
        number = self.turn_in_sight
        return number is not None and self._toggle_thinking(number)

    def _toggle_thinking(self, number: int) -> bool:
        self._catch_up()
        selecting.forget(self)
        was_toggled = self._change(lambda: self._transcript.toggle_thinking(number))
        self.flush()
        row = self._transcript.thinking_row(number)
        if was_toggled and row is not None and not 0 <= row - self._top < self.size.height:
            self._bring(row)
            self._reading.picked = number
        return was_toggled

    # What a turn says.

    def answer_text(self, number: int | None = None) -> str:
        """Return the Markdown of a turn's answer, or of the turn in sight; "" without one."""
        return self._transcript.answer(self._meant(number))

    def code_blocks(self, number: int | None = None) -> Sequence[str]:
        """Return the code of a turn's answer, or of the turn in sight, in order."""
        return self._transcript.code_blocks(self._meant(number))

    def links(self, number: int | None = None) -> Sequence[str]:
        """Return where links of a turn's answer lead, or of the turn in sight, each once."""
        return self._transcript.links(self._meant(number))

    def _meant(self, number: int | None) -> int | None:
        self._catch_up()
        return self.turn_in_sight if number is None else number

    @property
    def code_in_sight(self) -> str | None:
        """The code that is nearest to the window's middle, None without any in the window."""
        self.flush()
        top, rows = self._top, self.size.height
        return self._transcript.code_near(range(max(0, top), top + rows), top + rows // 2)

    # Where one is.

    @property
    def turn_in_sight(self) -> int | None:
        """The number of the turn at the window's top, None while there is no turn."""
        if not self._transcript:
            return None
        if self._reading.picked is not None:
            return self._reading.picked
        if self._reading.is_following:
            return len(self._transcript) - 1
        return self._column.turn_at(max(0, self._top))

    def go_to_turn(self, number: int) -> None:
        """Go to a turn's question, the last one's where there is none such."""
        if not self._transcript:
            return
        self.flush()
        last = len(self._transcript) - 1
        number = min(max(0, number), last)
        self._bring(self._column.start(self._column.first_of(number)))
        self._reading.picked = number
        if number == last and self.scroll_offset.y >= self.max_scroll_y:
            self._reading.follow()

    @property
    def margin(self) -> int:
        """Cells at the left of the text."""
        return self._page.margin(self.size.width)

    @property
    def margin_for(self) -> MarginFor | None:
        """What stands beside the rows of one closed turn: numbers that say where they come from.

        It is called with a block's source and its rows' texts, when it is painted, and returns
        for every row what is put at the right of the margin.
        """
        return self._page.margin_for

    @margin_for.setter
    def margin_for(self, margin_for: MarginFor | None) -> None:
        self.mark_margin(margin_for)

    def mark_margin(self, margin_for: MarginFor | None, *, number: int | None = None) -> None:
        """Set `margin_for` for a turn; without a number it is for the one that was closed last."""
        self._page.mark_margin(margin_for, number)
        self._restyle()

    def _is_marked_anew(self) -> bool:
        return self._marked != self.turn_in_sight

    def _catch_up(self) -> None:
        """Give the open turn the last state shown, so that nothing between frames is lost."""
        shown, self._shown = self._shown, None
        if shown is None or self._transcript.open is None:
            return
        self._written, t = seat, _ = shown
        if self._transcript.open == len(self._transcript) - 1:
            self._is_changed |= self._transcript.update(seat, t)
        else:
            self._is_changed |= self._in_place(lambda: self._transcript.update(seat, t))

    def render_lines(self, crop: Region) -> list[Strip]:
        """Return rows to paint."""
        self._is_painting = True
        self._marked = self.turn_in_sight
        # A lone turn is meant anyhow.
        is_meant = self.has_focus and len(self._transcript) > 1
        self._page.mean(self._marked if is_meant else None)
        strips = super().render_lines(crop)
        self._is_painting = False
        return strips

    def render_line(self, y: int) -> Strip:
        """Return a row of the window, on the card's ground.

        When it isn't for painting, the screen asks where the mouse is in the text.
        """
        if not self._is_painting:
            self.flush()  # where the text is, is known once it is drawn
        palette = Palette.of(self.app.theme_variables)
        ground = palette.focus_surface if self.has_focus else palette.aggregator_surface
        if y == self.size.height - 1 and self.new_lines:
            return row([], self._news(palette), width=self.size.width, ground=ground)
        number = self._top + y
        width = self.size.width
        strip = self._page.row(number, width=width, palette=palette, ground=ground)
        if not self._is_painting:
            return selecting.with_offsets(strip, self._page.place(number, width))
        if self._selection is None:
            return strip
        here = self._page.place(number, width)
        return selecting.painted(strip, here, self._selection, palette.selection)

    # Selected text.

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """Return what is selected of the turns, and what ends it."""
        return self._page.selected(selection), "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        """Paint what is selected now."""
        self._selection = selection
        self.refresh()

    @property
    def select_container(self) -> Widget:
        """What a third click selects all of: not more than this."""
        return self

    def _news(self, palette: Palette) -> list[Segment]:
        count = self.new_lines
        news = Segment(f"{DOWN} {count} new {'line' if count == 1 else 'lines'}", palette.muted)
        if not self.has_focus:
            return [news, Segment(" ")]
        return [news, Segment(" · ", palette.muted), Segment("End ", palette.bright + BOLD)]

    def action_scroll_home(self) -> None:
        """Go to the first turn."""
        self.go_to_turn(0)

    # Turns, and what is pressed.

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Return whether a key does something now: those of turns need one."""
        if action in ("pick_turn", "previous_turn", "next_turn"):
            return len(self._transcript) > 0
        return super().check_action(action, parameters)

    def action_previous_turn(self) -> None:
        """Go to the question of the turn in sight, from there to the one before."""
        number = self.turn_in_sight
        if number is not None:
            is_above = self._transcript.question_rows(number).start < self._top
            self.go_to_turn(number if is_above else number - 1)

    def action_next_turn(self) -> None:
        """Go to the next turn's question, or to the end."""
        number = self.turn_in_sight
        if number is None or number == len(self._transcript) - 1:
            self.action_scroll_end()
        else:
            self.go_to_turn(number + 1)

    def action_pick_turn(self) -> None:
        """Ask for the proposals of the turn in sight."""
        if (number := self.turn_in_sight) is not None:
            self.post_message(self.TurnPicked(number))

    def on_click(self, event: Click) -> None:
        """Do what a press on a link, a question, folded thinking or the count of new rows means."""
        number, x = self._top + event.y, event.x - self.margin
        strip = self._column.row(number)
        if event.chain > 1 or self._selection is not None:
            return
        if self.new_lines and event.y == self.size.height - 1:
            self.action_scroll_end()
        elif strip is None:
            return
        elif url := targets.url_at(strip, x):
            self.post_message(self.LinkPressed(url))
        elif self._transcript.is_thinking_line(number):
            self._toggle_thinking(self._column.turn_at(number))
        elif x < len(YOU):
            self._press_question(number)

    def _press_question(self, row: int) -> None:
        number = self._column.turn_at(row)
        if row == self._transcript.question_rows(number).start:
            self.post_message(self.TurnPicked(number))
