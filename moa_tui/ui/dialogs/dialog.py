"""The card that every dialog is: head with facts, body, foot with the keys that work."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from rich.segment import Segment
from textual.binding import Binding
from textual.color import Color
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen

from moa_tui.text import one_line
from moa_tui.ui import look
from moa_tui.ui.compositor import SteadyCompositor
from moa_tui.ui.footer import keys_row, shown_bindings
from moa_tui.ui.keymap import binding_chain, keymap_of
from moa_tui.ui.keys import Names
from moa_tui.ui.rows import Rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events
    from textual.app import ComposeResult
    from textual.binding import BindingsMap, BindingType
    from textual.dom import DOMNode
    from textual.screen import Screen
    from textual.strip import Strip

ResultT = TypeVar("ResultT")

_DARKENED = Color(0, 0, 0, 0.4)
_UNTOUCHED = Color(0, 0, 0, 0)


class Head(Rows):
    """What the dialog is for, and facts at the right."""

    DEFAULT_CSS: ClassVar[str] = "Head { height: 1; }"

    def __init__(self, title: str, facts: str = "") -> None:
        super().__init__()
        self._told = (title, facts)

    def show(self, title: str, facts: str) -> None:
        """Say this from now on."""
        if (title, facts) != self._told:
            self._told = (title, facts)
            self.redraw()

    def draw(self, width: int, palette: look.Palette) -> Sequence[Strip]:
        """Return the row."""
        title, facts = map(one_line, self._told)
        left = [Segment(f" {title}", palette.focus_ink + look.BOLD)]
        right = [Segment(f"{facts} ", palette.focus_ink)] if facts else []
        return [look.row(left, right, width=width, ground=palette.focus_head)]


class Foot(Rows):
    """The keys that work in the dialog now, cut at whole keys where room ends."""

    DEFAULT_CSS: ClassVar[str] = "Foot { height: 1; }"

    def on_mount(self) -> None:
        """Follow the dialog's bindings."""
        self.screen.bindings_updated_signal.subscribe(self, self._on_bindings)

    def draw(self, width: int, palette: look.Palette) -> Sequence[Strip]:
        """Return the row."""
        bindings = sorted(shown_bindings(self.screen), key=_place)
        row = keys_row(bindings, width, palette)
        return [look.row(row, [], width=width, ground=palette.focus_surface)]

    def _on_bindings(self, screen: Screen[object]) -> None:
        del screen
        self.redraw()


def _place(binding: Binding) -> int:
    """Return 0 for what one came for, 2 for the ways out."""
    return {"enter": 0, "escape": 2, "ctrl+q": 3}.get(binding.key, 1)


class Dialog(ModalScreen["ResultT | None"], Generic[ResultT]):
    """A card in the middle of the darkened screen; None is the result when nothing was chosen.

    A subclass says what stands in the card in `body`, and ends with ``dismiss(result)``. The card
    is as high as its body wants; one that wants all there is sets ``#card { height: 1fr }``.
    """

    DEFAULT_CSS: ClassVar[str] = """
    Dialog { align: center middle; }
    Dialog #card {
        width: 1fr; max-width: 88; height: auto; max-height: 100%; margin: 1;
        background: $focus-surface; border-left: thick $focus;
    }
    Dialog.-tight #card { max-width: 100%; margin: 1 0; }
    """
    # Where the card and its margins have no room, a margin would show bits of what is below.
    HORIZONTAL_BREAKPOINTS = [(0, "-tight"), (90, "-wide")]  # noqa: RUF012 - Textual says no ClassVar
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "close", id="dialog.close", tooltip="Close, nothing chosen"),
    ]

    def __init__(self, title: str, facts: str = "") -> None:
        super().__init__()
        self._compositor = SteadyCompositor()
        self._head = Head(title, facts)

    @property
    def _binding_chain(self) -> list[tuple[DOMNode, BindingsMap]]:
        return binding_chain(self)

    def key_of(self, command: str, default: str) -> str:
        """Return a command's key that works while one is writing; see `Names.of`."""
        return Names(lambda: keymap_of(self.app)).of(command, default, is_writing=True)

    def compose(self) -> ComposeResult:
        """Head, body, foot."""
        with Vertical(id="card"):
            yield self._head
            yield from self.body()
            yield Foot()

    def body(self) -> ComposeResult:
        """Return what stands between head and foot."""
        raise NotImplementedError

    def tell(self, title: str, facts: str = "") -> None:
        """Say this in the head from now on."""
        self._head.show(title, facts)

    def on_mount(self) -> None:
        """Darken what is below, and go on doing so in another theme."""
        self.app.theme_changed_signal.subscribe(self, self._darken)
        self._darken()

    def _darken(self, _theme: object = None) -> None:
        # In the styles of the dialog itself: the program's style sheet gives every screen an
        # opaque ground, and no default can outrank it. A terminal's own colours can't be mixed.
        self.styles.background = _UNTOUCHED if self.app.current_theme.ansi else _DARKENED

    def on_click(self, event: events.Click) -> None:
        """Close when the darkened screen is clicked."""
        if event.widget is self:
            self.action_close()

    def action_close(self) -> None:
        """Close, with nothing chosen."""
        self.dismiss(None)


class PageDialog(Dialog[ResultT]):
    """A dialog around one page, which scrolls where it is too long.

    A subclass binds keys to ``scroll(rows)``; they work while there is more than is seen.
    """

    AUTO_FOCUS = "VerticalScroll"
    DEFAULT_CSS: ClassVar[str] = """
    PageDialog VerticalScroll {
        scrollbar-size-vertical: 1;
        scrollbar-background: $focus-surface;
        scrollbar-background-hover: $focus-surface;
        scrollbar-background-active: $focus-surface;
    }
    """

    def __init__(self, title: str, facts: str, page: Rows) -> None:
        super().__init__(title, facts)
        self._scroll = VerticalScroll(page)

    def body(self) -> ComposeResult:
        """The page."""
        yield self._scroll

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Return whether there is more than is seen."""
        if action == "scroll":
            return self._scroll.max_scroll_y > 0
        return super().check_action(action, parameters)

    def action_scroll(self, rows: int) -> None:
        """Scroll so many rows."""
        self._scroll.scroll_relative(y=rows, animate=False)
