"""Dialogs to write in: one line, like a name, or a text, like a system prompt."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar, Final

from rich.segment import Segment
from textual import on
from textual.binding import Binding
from textual.containers import Horizontal
from textual.widgets import Input, TextArea

from moa_tui.text import clean, one_line
from moa_tui.ui import look
from moa_tui.ui.dialogs import texts
from moa_tui.ui.dialogs.dialog import Dialog
from moa_tui.ui.dialogs.fields import Line, Mark, Paragraphs
from moa_tui.ui.rows import Rows, wrapped

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.strip import Strip


_LONGEST: Final = 1_000
"""Characters of a complaint."""


class Complaint(Rows):
    """Why what was written isn't accepted; ``note``, if any, while there is nothing to say."""

    DEFAULT_CSS: ClassVar[str] = "Complaint { height: auto; background: $focus-surface; }"

    def __init__(self, note: str = "") -> None:
        super().__init__()
        self._note = note
        self._why = ""

    def show(self, why: str) -> None:
        """Say this from now on."""
        if why != self._why:
            self._why = why
            self.redraw(layout=True)

    def draw(self, width: int, palette: look.Palette) -> Sequence[Strip]:
        """Return the rows."""
        if not (self._why or self._note):
            return []
        key: look.StateKey = "retrying"
        air = Segment(" ")
        sign = Segment(f" {look.GLYPHS[key]} " if self._why else " ", palette.state(key))
        told = Segment(
            one_line(self._why or self._note, _LONGEST),
            palette.bright if self._why else palette.muted,
        )
        rows = wrapped([told], max(1, width - 4))
        return [
            look.row(
                [Segment(" " * len(sign.text)), *row] if number else [sign, *row],
                [air],
                width=width,
                ground=palette.focus_surface,
                gap=0,
            )
            for number, row in enumerate(rows)
        ]


class Writing(Dialog[str]):
    """Ends with what was written, without blanks around it, or with None where nothing changes.

    ``check`` returns in words why a text can't be taken, "" if it can; ``note`` says beforehand
    what it must have.
    """

    def __init__(
        self, title: str, *, check: Callable[[str], str] | None = None, note: str = ""
    ) -> None:
        super().__init__(title)
        self._check = check
        self._complaint = Complaint(note)
        self._complained_about = ""

    @property
    @abstractmethod
    def written(self) -> str:
        """The text as it would be taken now."""

    def complain(self, why: str) -> None:
        """Say something above the foot, until something else is written."""
        self._complained_about = self.written
        self._complaint.show(why)

    def listen(self) -> None:
        """Take back what was said of another text."""
        if self.written != self._complained_about:
            self._complaint.show("")

    def action_accept(self) -> None:
        """End with the text, or say why it can't be taken."""
        why = "" if self._check is None else self._check(self.written)
        if why:
            self.complain(clean(why))
        else:
            self.dismiss(self.written)


class LineDialog(Writing):
    """One line to write: enter takes it, esc closes without a change.

    What was there begins selected, so that typing replaces it.
    """

    AUTO_FOCUS = "Line"
    DEFAULT_CSS: ClassVar[str] = """
    LineDialog Horizontal { height: 1; margin: 1 0; }
    LineDialog Complaint { margin-bottom: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "accept", "accept", id="line.accept", tooltip="Take the line"),
    ]

    def __init__(
        self,
        title: str,
        value: str = "",
        *,
        check: Callable[[str], str] | None = None,
        placeholder: str = "",
        note: str = "",
    ) -> None:
        super().__init__(title, check=check, note=note)
        self._line = Line(placeholder, value, is_selected=True)

    def body(self) -> ComposeResult:
        """The line, and what is wrong with it."""
        with Horizontal():
            yield Mark()
            yield self._line
        yield self._complaint

    @property
    def written(self) -> str:
        """The line as it would be taken now."""
        return clean(self._line.value).strip()

    @on(Input.Changed)
    def _type(self, event: Input.Changed) -> None:
        event.stop()
        self.listen()


class TextDialog(Writing):
    """A text to write: ctrl+s takes it; esc closes, asking once more where something changed."""

    AUTO_FOCUS = "Paragraphs"
    DEFAULT_CSS: ClassVar[str] = """
    TextDialog #card { height: 1fr; max-height: 26; }
    TextDialog Paragraphs { margin: 1 0; }
    TextDialog Complaint { margin-bottom: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "accept", "accept", id="text.accept", tooltip="Take the text"),
        Binding("enter", "new_line", "new line", id="text.new-line", tooltip="Begin a new line"),
    ]

    def __init__(
        self,
        title: str,
        value: str = "",
        *,
        check: Callable[[str], str] | None = None,
        placeholder: str = "",
        note: str = "",
    ) -> None:
        super().__init__(title, check=check, note=note)
        self._text = Paragraphs(placeholder, value)
        self._before = self._text.text
        self._is_warned = False

    def body(self) -> ComposeResult:
        """The text, and what is wrong with it."""
        yield self._text
        yield self._complaint

    @property
    def written(self) -> str:
        """The text as it would be taken now."""
        return clean(self._text.text).strip()

    @on(TextArea.Changed)
    def _type(self, event: TextArea.Changed) -> None:
        event.stop()
        self._is_warned = False
        self.listen()

    def action_new_line(self) -> None:
        """Stand in the foot: the field breaks the line before the key comes here."""

    def action_close(self) -> None:
        """Close without a change; what was written is lost only when that was said."""
        if self._text.text == self._before or self._is_warned:
            self.dismiss(None)
            return
        self._is_warned = True
        self.complain(texts.WRITTEN_IS_LOST)
