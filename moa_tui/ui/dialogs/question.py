"""A question with two answers, like whether to quit while a run is live."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from rich.cells import cell_len
from rich.segment import Segment
from textual import on
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.message import Message

from moa_tui.text import clean, one_line
from moa_tui.ui import look
from moa_tui.ui.dialogs import help_texts
from moa_tui.ui.dialogs.dialog import Dialog
from moa_tui.ui.rows import Rows, wrapped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events
    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.strip import Strip

_HEAD_AND_FOOT: Final = 2
_AIR: Final = 2
_LONGEST_DETAIL: Final = 8_192
_LONGEST_ANSWER: Final = 24


class Asked(Rows):
    """The question's text, and below it one more line in full."""

    DEFAULT_CSS: ClassVar[str] = "Asked { height: auto; }"

    def __init__(self, text: str, detail: str) -> None:
        super().__init__()
        self._text = clean(text).expandtabs().strip()
        self._detail = one_line(detail, _LONGEST_DETAIL)

    def draw(self, width: int, palette: look.Palette) -> Sequence[Strip]:
        """Return the rows, with air around them."""
        air, ground = Segment(" "), palette.focus_surface
        inner = max(1, width - 2)
        grid = [
            row
            for line in self._text.split("\n")
            for row in wrapped([Segment(line, palette.ink)], inner)
        ]
        if self._detail:
            grid += [[], *wrapped([Segment(self._detail, palette.bright + look.BOLD)], inner)]
        return [
            look.row([air, *row], [air], width=width, ground=ground, gap=0)
            for row in ([], *grid, [])
        ]


class Answers(Rows):
    """The two answers with their keys; a click on one gives it."""

    DEFAULT_CSS: ClassVar[str] = "Answers { height: 1; }"

    class Given(Message):
        """An answer was clicked."""

        def __init__(self, *, is_yes: bool) -> None:
            super().__init__()
            self.is_yes = is_yes

    def __init__(self, yes: str, no: str) -> None:
        super().__init__()
        self._answers = (
            ("enter", one_line(yes, _LONGEST_ANSWER)),
            ("esc", one_line(no, _LONGEST_ANSWER)),
        )

    def draw(self, width: int, palette: look.Palette) -> Sequence[Strip]:
        """Return the row."""
        row: list[Segment] = []
        for key, answer in self._answers:
            row += [
                Segment(f" {key} ", palette.bright + look.BOLD),
                Segment(f"{answer} ", palette.muted),
            ]
        return [look.row(row, [], width=width, ground=palette.focus_surface)]

    def on_click(self, event: events.Click) -> None:
        """Give the answer that was clicked."""
        event.stop()
        end = 0
        for is_yes, (key, answer) in zip((True, False), self._answers, strict=True):
            end += cell_len(f" {key} {answer} ")
            if event.x < end:
                self.post_message(self.Given(is_yes=is_yes))
                return


class Scrolled(VerticalScroll, can_focus=False, inherit_bindings=False):
    """Scrolls a question that is longer than the screen; its keys come from the dialog."""

    DEFAULT_CSS: ClassVar[str] = """
    Scrolled {
        height: auto; scrollbar-size-vertical: 1; background: $focus-surface;
        scrollbar-background: $focus-surface; scrollbar-background-hover: $focus-surface;
        scrollbar-background-active: $focus-surface;
    }
    """


class Question(Dialog[bool]):
    """Asks; the result is True for yes, and False for no, esc, or a click beside the card.

    ``yes`` and ``no`` are the answers in a word or two. ``detail`` is shown in full below the text,
    whatever stands in it, like the address that a link really leads to.
    """

    AUTO_FOCUS = ""
    DEFAULT_CSS: ClassVar[str] = "Question #card { max-width: 72; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,y", "say_yes", "yes", id="question.yes", tooltip="Yes, do it"),
        Binding("escape,n", "close", "no", id="question.no", tooltip="No, leave it as it is"),
        Binding("down,j", "scroll(1)", id="question.down", tooltip="One row down", show=False),
        Binding("up,k", "scroll(-1)", id="question.up", tooltip="One row up", show=False),
    ]

    def __init__(
        self,
        title: str,
        text: str,
        *,
        yes: str,
        no: str = help_texts.KEEP_GOING,
        detail: str = "",
    ) -> None:
        super().__init__(one_line(title, 200))
        self._scrolled = Scrolled(Asked(text, detail))
        self._answers = Answers(yes, no)

    def compose(self) -> ComposeResult:
        """Head, question, answers."""
        with Vertical(id="card"):
            yield self._head
            yield from self.body()
            yield self._answers

    def body(self) -> ComposeResult:
        """Return what is asked."""
        yield self._scrolled

    def on_resize(self) -> None:
        """Leave room for the answers, however long the question is."""
        room = self.size.height - _HEAD_AND_FOOT - _AIR
        self._scrolled.styles.max_height = max(1, room)

    @on(Answers.Given)
    def _take(self, event: Answers.Given) -> None:
        event.stop()
        self.dismiss(event.is_yes)

    def action_say_yes(self) -> None:
        """End with yes."""
        self.dismiss(result=True)

    def action_close(self) -> None:
        """End with no."""
        self.dismiss(result=False)

    def action_scroll(self, step: int) -> None:
        """Scroll so many rows."""
        self._scrolled.scroll_relative(y=step, animate=False)
