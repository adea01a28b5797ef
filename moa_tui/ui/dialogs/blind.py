"""The blind test: texts side by side without names; the one that is picked reveals them all."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from textual import on, work
from textual.binding import Binding
from textual.containers import Container, Vertical
from textual.message import Message
from textual.strip import Strip

from moa_tui.ui import look
from moa_tui.ui.answer import gutter, turn_rows
from moa_tui.ui.answer.column import Column
from moa_tui.ui.answer.column_view import ColumnView
from moa_tui.ui.answer.growing import pieces_of
from moa_tui.ui.dialogs import blind_rows
from moa_tui.ui.dialogs import blind_words as words
from moa_tui.ui.dialogs.dialog import Dialog, PageDialog
from moa_tui.ui.look import Palette
from moa_tui.ui.rows import Rows

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from textual import events
    from textual.app import ComposeResult
    from textual.binding import BindingType

    from moa_tui.engine.blind import Candidate, Standings
    from moa_tui.engine.mixture import Seat
    from moa_tui.ui.dialogs.blind_rows import Revealed

    Judge = Callable[[int | None], Awaitable[Revealed]]
    """Takes which text was picked, from 1, or None; returns who wrote which."""

_LEAST_COLUMN: Final = 38


class Caption(Rows):
    """The head of a text; a click opens it."""

    DEFAULT_CSS: ClassVar[str] = "Caption { height: 1; }"

    class Pressed(Message):
        """The text of this number, from 0, is to be read."""

        def __init__(self, place: int) -> None:
            super().__init__()
            self.place = place

    def __init__(self, place: int) -> None:
        super().__init__()
        self._place = place
        self._revealed: Revealed | None = None
        self._is_focused = False
        self._is_folding = False

    def show(self, revealed: Revealed | None, *, is_focused: bool, is_folding: bool) -> None:
        """Tell whose it is, where that may be known; ``is_folding``: only one text is open."""
        self._revealed, self._is_focused, self._is_folding = revealed, is_focused, is_folding
        self.redraw()

    def draw(self, width: int, palette: Palette) -> Sequence[Strip]:
        """Return the row."""
        glyph = ""
        if self._is_folding:
            glyph = f"{look.OPEN if self._is_focused else look.FOLDED} "
        head = blind_rows.head(
            self._place,
            self._revealed,
            width=width,
            palette=palette,
            is_focused=self._is_focused,
            glyph=glyph,
        )
        return [head]

    def on_click(self) -> None:
        """Ask for the text."""
        self.post_message(self.Pressed(self._place))


class Page(ColumnView):
    """A text as Markdown, from its beginning."""

    DEFAULT_CSS: ClassVar[str] = """
    Page {
        height: 1fr; overflow-x: hidden; overflow-y: scroll; scrollbar-size-vertical: 1;
        background: $focus-surface; scrollbar-background: $focus-surface;
        scrollbar-background-hover: $focus-surface; scrollbar-background-active: $focus-surface;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("k,up", "scroll_up", id="blind.up", tooltip="One row up", show=False),
        Binding("j,down", "scroll_down", id="blind.down", tooltip="One row down", show=False),
        Binding("pageup", "page_up", id="blind.page-up", tooltip="A page up", show=False),
        Binding("pagedown", "page_down", id="blind.page-down", tooltip="A page down", show=False),
    ]

    def __init__(self, text: str) -> None:
        column = Column()
        super().__init__(column)
        first, *others = pieces_of(text, 0, turn_rows.markdown)
        first.gap = False
        for piece in (first, *others):
            column.append(piece)
        self._reading.leave()

    def render_line(self, y: int) -> Strip:
        """Return a row of the window."""
        palette = Palette.of(self.app.theme_variables)
        strip = self._column.row(self._top + y)
        width = self.size.width
        if strip is None:
            return Strip.blank(width, palette.focus_surface)
        left = [gutter.right_aligned((), self.margin)[-1]]
        return gutter.joined(left, strip, width=width, ground=palette.focus_surface)


class Pane(Vertical):
    """A text below its head."""

    DEFAULT_CSS: ClassVar[str] = """
    Pane { height: 1fr; width: 1fr; }
    Pane.-folded { height: 1; }
    Pane.-folded Page { display: none; }
    """

    def __init__(self, place: int, text: str) -> None:
        super().__init__()
        self.title = Caption(place)
        self.page = Page(text)

    def compose(self) -> ComposeResult:
        """Head and text."""
        yield self.title
        yield self.page


class Outcome(Rows):
    """What to do, or how it ended."""

    DEFAULT_CSS: ClassVar[str] = "Outcome { height: auto; max-height: 6; }"

    def __init__(self) -> None:
        super().__init__()
        self._revealed: Revealed | None = None

    def show(self, revealed: Revealed | None) -> None:
        """Tell this from now on."""
        self._revealed = revealed
        self.redraw(layout=True)

    def draw(self, width: int, palette: Palette) -> Sequence[Strip]:
        """Return the rows."""
        rows = blind_rows.verdict(self._revealed, max(1, width - 2), palette)
        return _padded(rows, width, palette)


def _padded(rows: Sequence[blind_rows.Row], width: int, palette: Palette) -> list[Strip]:
    """Return rows with air before them, and a blank one above."""
    air = gutter.right_aligned((), 1)[-1]
    ground = palette.focus_surface
    return [look.row([air, *row], [], width=width, ground=ground) for row in ([], *rows)]


class BlindTest(Dialog["Seat"]):
    """Texts to choose from; ``judge`` hears which one, once, and tells who wrote which.

    The result is the seat whose proposal is to be the answer, None to leave that as it is.
    ``revealed`` is given where that is known already: then there is nothing to choose. Where the
    texts have no room beside each other only the one that is read is open.
    """

    AUTO_FOCUS = ""
    DEFAULT_CSS: ClassVar[str] = """
    BlindTest #card { max-width: 100%; height: 1fr; margin: 1 0; }
    BlindTest #texts { height: 1fr; layout: horizontal; }
    BlindTest #texts.-folding { layout: vertical; }
    BlindTest Pane { margin: 0 1 0 0; }
    BlindTest Pane:last-child { margin: 0; }
    BlindTest #texts.-folding Pane { margin: 0; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "pick", "this one", id="blind.pick", tooltip="Pick the text in focus"),
        Binding("enter", "close", "close", id="dialog.close", tooltip="Close"),
        Binding("n", "pick_none", "none is better", id="blind.none", tooltip="No text is better"),
        Binding(
            "right,l,tab",
            "go(1)",
            "next text",
            id="blind.next",
            key_display="←→",
            tooltip="Read the next text",
        ),
        Binding(
            "left,h,shift+tab",
            "go(-1)",
            id="blind.before",
            tooltip="Read the text before",
            show=False,
        ),
        Binding(
            "z,f10", "zoom", "zoom", id="blind.zoom", tooltip="One text in all the room, or all"
        ),
        *(
            Binding(
                f"{letter},{number}",
                f"read({number - 1})",
                id=f"blind.{letter}",
                tooltip=f"Read text {letter.upper()}",
                show=False,
            )
            for number, letter in enumerate(words.LETTERS.lower(), 1)
        ),
        Binding(
            "t", "take", "take as answer", id="blind.take", tooltip="Make the proposal the answer"
        ),
        Binding("B", "wins", "wins", id="wins", tooltip="Wins in all blind tests"),
        Binding("escape", "leave", "leave it", id="dialog.close", tooltip="Close, nothing picked"),
        Binding("escape", "close", "close", id="dialog.close", tooltip="Close"),
    ]

    def __init__(
        self,
        shown: Sequence[Candidate],
        judge: Judge,
        *,
        key: str = "",
        revealed: Revealed | None = None,
    ) -> None:
        super().__init__(words.TITLE, words.WHICH)
        self._judge = judge
        self._key = key
        self._revealed = revealed
        self._is_judged = revealed is not None
        self._panes = [Pane(place, one.text) for place, one in enumerate(shown)]
        self._desk = Container(*self._panes, id="texts")
        self._outcome = Outcome()
        self._has_room = True
        self._is_zoomed = False
        self._at = 0
        if revealed is not None and revealed.winner is not None:
            self._at = revealed.shown.index(revealed.winner)

    def body(self) -> ComposeResult:
        """The texts, and what to do with them."""
        yield self._desk
        yield self._outcome

    def on_mount(self) -> None:
        """Show what is known."""
        self.action_read(self._at)

    def on_resize(self, event: events.Resize) -> None:
        """Lay the texts beside each other where there is room."""
        self._has_room = event.size.width >= len(self._panes) * (_LEAST_COLUMN + 1)
        self._show()

    @property
    def _is_folding(self) -> bool:
        return self._is_zoomed or not self._has_room

    def _show(self) -> None:
        self._desk.set_class(self._is_folding, "-folding")
        for place, text in enumerate(self._panes):
            is_read = place == self._at
            text.set_class(self._is_folding and not is_read, "-folded")
            text.title.show(self._revealed, is_focused=is_read, is_folding=self._is_folding)
        self._outcome.show(self._revealed)
        if self._revealed is not None:
            self.tell(words.TITLE, words.OVER)
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Return whether a key does something now."""
        match action:
            case "pick" | "pick_none" | "leave":
                return not self._is_judged
            case "wins":
                return self._revealed is not None
            case "zoom":
                return self._has_room
            case "take":
                return self._taken is not None
            case "read":
                return parameters[0] in range(len(self._panes))
            case _:
                return super().check_action(action, parameters)

    @on(Caption.Pressed)
    def _open(self, event: Caption.Pressed) -> None:
        event.stop()
        self.action_read(event.place)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Follow a click into a text."""
        for place, text in enumerate(self._panes):
            if event.widget is text.page and place != self._at:
                self.action_read(place)

    def action_go(self, step: int) -> None:
        """Read the next text, or the one before; after the last comes the first."""
        self.action_read((self._at + step) % len(self._panes))

    @property
    def _taken(self) -> Seat | None:
        """Whose proposal the text is that is read, once that is known; None: it is the answer."""
        if self._revealed is None or self._revealed.shown[self._at].is_answer:
            return None
        return self._revealed.shown[self._at].entries[0].seat

    def action_take(self) -> None:
        """Make the proposal that is read the answer."""
        self.dismiss(self._taken)

    def action_zoom(self) -> None:
        """Give the text that is read all the room, or let all be seen."""
        self._is_zoomed = not self._is_zoomed
        self._show()

    def action_read(self, place: int) -> None:
        """Read the text of this number, from 0."""
        self._at = place
        self._show()
        self._panes[place].page.focus()

    def action_leave(self) -> None:
        """Close, with nothing picked."""
        self.action_close()

    def action_pick(self) -> None:
        """Pick the text that is read."""
        self._end(self._at + 1)

    def action_pick_none(self) -> None:
        """Say that none is better."""
        self._end(None)

    @work(group="judge")
    async def _end(self, picked: int | None) -> None:
        self._is_judged = True
        self._revealed = await self._judge(picked)
        self._show()

    def action_wins(self) -> None:
        """Show what all tests add up to."""
        if self._revealed is not None:
            self.app.push_screen(Wins(self._revealed.standings, key=self._key))


class Scores(Rows):
    """The table of wins."""

    DEFAULT_CSS: ClassVar[str] = "Scores { height: auto; }"

    def __init__(self, known: Standings, key: str) -> None:
        super().__init__()
        self._known = known
        self._key = key

    def draw(self, width: int, palette: Palette) -> Sequence[Strip]:
        """Return the rows."""
        rows = [*blind_rows.wins(self._known, self._key, max(1, width - 2), palette)]
        return _padded([*rows, []], width, palette)


class Wins(PageDialog[None]):
    """How often merged answers and proposals were picked; ``key`` is that of the blind test."""

    DEFAULT_CSS: ClassVar[str] = "Wins VerticalScroll { height: auto; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "scroll(-1)", "scroll", id="wins.up", key_display="↑↓", tooltip="Up"),
        Binding("down,j", "scroll(1)", id="wins.down", tooltip="Down", show=False),
    ]

    def __init__(self, known: Standings, *, key: str) -> None:
        facts = words.FACTS.format(tests=known.tests) if known.tests else ""
        super().__init__(words.WINS, facts, Scores(known, key))

    def on_resize(self, event: events.Resize) -> None:
        """Leave room for head and foot."""
        self._scroll.styles.max_height = max(1, event.size.height - 4)
