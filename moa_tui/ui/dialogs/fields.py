"""The fields of dialogs: a line and a text, dressed like the card, safe to paste into."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Final

from rich.segment import Segment
from textual.binding import Binding
from textual.widgets import Input, TextArea

from moa_tui.text import clean, one_line
from moa_tui.ui import look
from moa_tui.ui.keymap import done_at_once
from moa_tui.ui.rows import Rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events
    from textual.binding import BindingType
    from textual.strip import Strip

_LONGEST_LINE: Final = 400


def _without(*keys: str) -> list[BindingType]:
    """Return what edits a line, without the keys that a dialog wants for itself."""
    bindings: list[BindingType] = []
    for binding in Input.BINDINGS:
        if not isinstance(binding, Binding):
            continue
        left = ",".join(key for key in binding.key.split(",") if key not in keys)
        if left:
            bindings.append(replace(binding, key=left))
    return bindings


class Line(Input, inherit_bindings=False):
    """One line to write; enter belongs to the dialog.

    ``is_selected``: what stands there is selected when the field gets the focus.
    """

    DEFAULT_CSS: ClassVar[str] = """
    Line, Line:focus {
        border: none; height: 1; width: 1fr; padding: 0 1 0 0;
        background: $focus-surface; background-tint: $focus-surface 0%; color: $bright;
        &>.input--placeholder { color: $muted; text-style: none; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = _without("enter")

    def __init__(self, placeholder: str, value: str = "", *, is_selected: bool = False) -> None:
        super().__init__(
            one_line(value, _LONGEST_LINE),
            placeholder,
            max_length=_LONGEST_LINE,
            select_on_focus=is_selected,
        )
        self.cursor_blink = False

    async def _on_key(self, event: events.Key) -> None:
        if await done_at_once(self, event.key):
            event.prevent_default()
            event.stop()

    def _on_paste(self, event: events.Paste) -> None:
        event.prevent_default()
        event.stop()
        self.replace(one_line(event.text, _LONGEST_LINE), *self.selection)


class Filter(Line, inherit_bindings=False):
    """The line above a list: home and end move in the list, ctrl+d deletes in it."""

    BINDINGS: ClassVar[list[BindingType]] = _without("enter", "home", "end", "ctrl+d")


class Paragraphs(TextArea):
    """A text of many lines; enter begins a new one."""

    DEFAULT_CSS: ClassVar[str] = """
    Paragraphs, Paragraphs:focus {
        border: none; height: 1fr; width: 1fr; padding: 0 1 0 1;
        background: $focus-surface; color: $bright; scrollbar-size-vertical: 1;
        &>.text-area--placeholder { color: $muted; }
    }
    """

    def __init__(self, placeholder: str, value: str = "") -> None:
        super().__init__(
            clean(value),
            soft_wrap=True,
            show_line_numbers=False,
            highlight_cursor_line=False,
            tab_behavior="focus",
            placeholder=placeholder,
        )
        self.cursor_blink = False
        self.move_cursor(self.document.end)

    async def _on_key(self, event: events.Key) -> None:
        if await done_at_once(self, event.key):
            event.prevent_default()
            event.stop()

    async def _on_paste(self, event: events.Paste) -> None:
        event.prevent_default()
        event.stop()
        if result := self._replace_via_keyboard(clean(event.text), *self.selection):
            self.move_cursor(result.end_location)


class Mark(Rows):
    """The sign before a line that one writes."""

    DEFAULT_CSS: ClassVar[str] = "Mark { width: 3; height: 1; }"

    def draw(self, width: int, palette: look.Palette) -> Sequence[Strip]:
        """Return the row."""
        mark = Segment(f" {look.PROMPT}", palette.bright)
        return [look.row([mark], [], width=width, ground=palette.focus_surface)]
