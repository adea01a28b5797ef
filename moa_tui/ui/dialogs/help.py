"""Help: the keys of the live map, what a Mixture-of-Agents is, what words and signs mean."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby, takewhile, zip_longest
from typing import TYPE_CHECKING, ClassVar, Final

from rich.cells import cell_len
from rich.segment import Segment
from textual import on
from textual.binding import Binding
from textual.containers import Horizontal, VerticalScroll
from textual.message import Message
from textual.widgets import Input

from moa_tui.text import one_line
from moa_tui.ui import look
from moa_tui.ui.dialogs import help_texts, texts
from moa_tui.ui.dialogs.dialog import Dialog
from moa_tui.ui.dialogs.fields import Filter, Mark
from moa_tui.ui.rows import Rows, section, wrapped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from rich.style import Style
    from textual import events
    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.strip import Strip

    from moa_tui.ui.commands import Command
    from moa_tui.ui.dialogs.choices import Grid
    from moa_tui.ui.look import Palette

_KEY_CELLS: Final = 14
_ID_CELLS: Final = 20
_IDS_FROM: Final = 68
_GAP: Final = 2
_TWO: Final = 2


@dataclass(frozen=True, slots=True)
class HelpSection:
    """Commands that belong together, like those "On a tile"."""

    title: str
    commands: tuple[Command, ...]


@dataclass(frozen=True, slots=True)
class _Entry:
    """A row of the keys: ``ids`` has several where one key display stands for all of them."""

    keys: str
    does: str
    ids: str


def key_rows(sections: Sequence[HelpSection], query: str, width: int, palette: Palette) -> Grid:
    """Return the keys with all words of the query, below the heads of their sections."""
    found = [(one.title, _entries(_matching(one.commands, query))) for one in sections]
    entries = [entry for _, some in found for entry in some]
    if not entries:
        told = texts.nothing_found(one_line(query, 40)) if query.strip() else help_texts.NO_KEYS
        return wrapped([Segment(told, palette.muted)], width)
    keys = min(_KEY_CELLS, max(cell_len(entry.keys) for entry in entries))
    ids = min(_ID_CELLS, max(cell_len(entry.ids) for entry in entries))
    ids = ids if width >= _IDS_FROM else 0
    columns = (keys, width - keys - _GAP - (ids + _GAP if ids else 0), ids)
    grid: Grid = []
    for title, some in found:
        if not some:
            continue
        grid += _headed(title, width, palette, first=not grid)
        for entry in some:
            parts = (
                (entry.keys, palette.bright + look.BOLD),
                (entry.does, palette.ink),
                (entry.ids, palette.muted),
            )
            grid += _columns(parts, columns)
    return grid


def count(sections: Sequence[HelpSection], query: str) -> int:
    """Return how many rows of keys the query finds."""
    return sum(len(_entries(_matching(one.commands, query))) for one in sections)


def _matching(commands: Iterable[Command], query: str) -> list[Command]:
    words = query.lower().split()
    return [
        command
        for command in commands
        if all(
            word in " ".join((command.label, command.id, command.does, *command.keys)).lower()
            for word in words
        )
    ]


def _entries(commands: Iterable[Command]) -> list[_Entry]:
    """Return rows; neighbours that are called alike and have one key display share one."""
    alike = groupby(commands, lambda command: (command.keys, command.label))
    return [_entry(list(some)) for _, some in alike]


def _entry(commands: Sequence[Command]) -> _Entry:
    keys = ", ".join(one_line(key) for key in commands[0].keys)
    first, last = commands[0], commands[-1]
    if first is last:
        return _Entry(keys, first.does, first.id)
    if len(commands) == _TWO:
        second = last.does[:1].lower() + last.does[1:]
        return _Entry(keys, f"{first.does}, {second}", f"{first.id}, {last.id}")
    return _Entry(keys, _beginning(commands) or first.does, f"{first.id} {look.ELLIPSIS} {last.id}")


def _beginning(commands: Iterable[Command]) -> str:
    """Return the words with which all begin that they do."""
    alike = takewhile(
        lambda words: len(set(words)) == 1,
        zip(*(command.does.split() for command in commands), strict=False),
    )
    return " ".join(words[0] for words in alike)


def about_rows(width: int, palette: Palette) -> Grid:
    """Return what a Mixture-of-Agents is, in paragraphs."""
    grid: Grid = []
    for title, text in help_texts.MIXTURE:
        grid += _headed(title, width, palette, first=not grid)
        grid += _paragraphs(text, width, palette)
    return grid


def sign_rows(width: int, palette: Palette) -> Grid:
    """Return the words of the screen, then its signs with their names."""
    named = [*help_texts.WORDS, *help_texts.MARKS, *help_texts.STATES.values()]
    names = max(cell_len(name) for name, _ in named) + _GAP
    columns = (names, width - names - _GAP)
    bold = palette.bright + look.BOLD
    grid: Grid = []
    for title, meanings in (
        (help_texts.WORDS_HEAD, help_texts.WORDS),
        (help_texts.MARKS_HEAD, help_texts.MARKS),
    ):
        grid += _headed(title, width, palette, first=not grid)
        for name, told in meanings:
            grid += _columns(((name, bold), (told, palette.ink)), columns)
    grid += _headed(help_texts.STATES_HEAD, width, palette)
    for key, (name, told) in help_texts.STATES.items():
        sign = Segment(f"{look.GLYPHS[key]} ", palette.state(key))
        grid += _signed(sign, (name, bold), (told, palette.ink), columns)
    for title, signs in (
        (help_texts.LANES_HEAD, help_texts.LANES),
        (help_texts.OTHERS_HEAD, help_texts.OTHERS),
    ):
        grid += _headed(title, width, palette)
        for glyph, name, told in signs:
            ink = palette.aggregator if glyph == look.STAR else palette.bright
            grid += _signed(Segment(f"{glyph} ", ink), (name, bold), (told, palette.ink), columns)
    grid += _headed(help_texts.TERMINALS_HEAD, width, palette)
    return grid + _paragraphs(help_texts.TERMINALS, width, palette)


def _headed(title: str, width: int, palette: Palette, *, first: bool = False) -> Grid:
    """Return the head of a section, below a blank row unless it is the first."""
    head = list(section(one_line(title, width), "", width=width, palette=palette))
    return [head] if first else [[], head]


def _paragraphs(text: str, width: int, palette: Palette) -> Grid:
    rows = (wrapped([Segment(line, palette.ink)], width) for line in text.split("\n"))
    return [row for some in rows for row in some]


def _columns(parts: Sequence[tuple[str, Style]], widths: Sequence[int]) -> Grid:
    """Return texts side by side, each wrapped in its column; a column of no width is left out."""
    columns = [
        (wrapped([Segment(text, style)], width), width)
        for (text, style), width in zip(parts, widths, strict=True)
        if width > 0
    ]
    grid: Grid = []
    for cells in zip_longest(*(rows for rows, _ in columns), fillvalue=()):
        row: list[Segment] = []
        begin = 0
        for segments, (_, width) in zip(cells, columns, strict=True):
            row += [Segment(" " * (begin - look.cells(row))), *segments] if segments else []
            begin += width + _GAP
        grid.append(row)
    return grid


def _signed(
    sign: Segment, name: tuple[str, Style], told: tuple[str, Style], widths: tuple[int, int]
) -> Grid:
    """Return a sign before its name, and beside them what is told."""
    names, room = widths
    air = Segment(" " * look.cells([sign]))
    rows = _columns((name, told), (names - look.cells([sign]), room))
    return [[air if number else sign, *row] for number, row in enumerate(rows)]


class Tabs(Rows):
    """The names of pages side by side, the one on show standing out."""

    DEFAULT_CSS: ClassVar[str] = "Tabs { height: 1; }"

    class Turned(Message):
        """A page was clicked."""

        def __init__(self, number: int) -> None:
            super().__init__()
            self.number = number

    def __init__(self, titles: Sequence[str]) -> None:
        super().__init__()
        self._titles = tuple(titles)
        self._at = 0

    def show(self, number: int) -> None:
        """Let this one stand out."""
        if number != self._at:
            self._at = number
            self.redraw()

    def draw(self, width: int, palette: Palette) -> Sequence[Strip]:
        """Return the row."""
        row = []
        for number, text in enumerate(self._texts()):
            is_here = number == self._at
            row.append(Segment(text, palette.selection + look.BOLD if is_here else palette.ink))
        return [look.row(row, [], width=width, ground=palette.focus_surface)]

    def _texts(self) -> Iterator[str]:
        for number, title in enumerate(self._titles):
            pointer = look.PROMPT if number == self._at else " "
            yield f" {pointer} {title} "

    def on_click(self, event: events.Click) -> None:
        """Ask for the page that was clicked."""
        event.stop()
        end = 0
        for number, text in enumerate(self._texts()):
            end += cell_len(text)
            if event.x < end:
                self.post_message(self.Turned(number))
                return


class Page(Rows):
    """Rows that one reads, as many as there are."""

    DEFAULT_CSS: ClassVar[str] = "Page { height: auto; }"

    def __init__(self, draw: Callable[[int, Palette], Grid]) -> None:
        super().__init__()
        self._draw = draw

    def show(self, draw: Callable[[int, Palette], Grid]) -> None:
        """Show other rows from now on."""
        self._draw = draw
        self.redraw(layout=True)

    def draw(self, width: int, palette: Palette) -> Sequence[Strip]:
        """Return the rows, with air at both sides."""
        air, ground = Segment(" "), palette.focus_surface
        return [
            look.row([air, *row], [air], width=width, ground=ground, gap=0)
            for row in self._draw(max(1, width - 2), palette)
        ]


class Reading(VerticalScroll, can_focus=False, inherit_bindings=False):
    """Scrolls what one reads; its keys come from the dialog."""

    DEFAULT_CSS: ClassVar[str] = """
    Reading {
        height: 1fr; scrollbar-size-vertical: 1; background: $focus-surface;
        scrollbar-background: $focus-surface; scrollbar-background-hover: $focus-surface;
        scrollbar-background-active: $focus-surface;
    }
    """


class HelpDialog(Dialog[None]):
    """Shows the sections' keys, and on two more pages what everything is about."""

    AUTO_FOCUS = ""
    DEFAULT_CSS: ClassVar[str] = """
    HelpDialog #card { height: 1fr; max-height: 42; }
    HelpDialog Horizontal { height: 1; display: none; }
    HelpDialog.-finding Horizontal { display: block; }
    HelpDialog Reading { margin-top: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab,right,l", "turn(1)", "next page", id="help.next", tooltip="The next page"),
        Binding(
            "shift+tab,left,h", "turn(-1)", id="help.back", tooltip="The page before", show=False
        ),
        Binding(
            "down,j",
            "scroll(1)",
            "scroll",
            key_display="↑↓",
            id="help.down",
            tooltip="One row down",
        ),
        Binding("up,k", "scroll(-1)", id="help.up", tooltip="One row up", show=False),
        Binding(
            "pagedown,space,ctrl+f",
            "page(1)",
            id="help.page-down",
            tooltip="A page down",
            show=False,
        ),
        Binding("pageup,ctrl+b", "page(-1)", id="help.page-up", tooltip="A page up", show=False),
        Binding("home,g", "edge(-1)", id="help.first", tooltip="To the first row", show=False),
        Binding("end,G", "edge(1)", id="help.last", tooltip="To the last row", show=False),
        Binding(
            "slash", "find", "find", key_display="/", id="help.find", tooltip="Find among the keys"
        ),
        Binding("escape", "leave_find", "all keys", id="help.all", tooltip="Show all keys again"),
        Binding("escape", "close", "close", id="dialog.close", tooltip="Close, nothing chosen"),
        Binding(
            "f1,question_mark,q", "close", id="help.close", tooltip="Close the help", show=False
        ),
    ]

    def __init__(self, sections: Sequence[HelpSection]) -> None:
        super().__init__(help_texts.HELP)
        self._sections = tuple(sections)
        self._pages = (
            (help_texts.KEYS, self._keys),
            (help_texts.ABOUT, about_rows),
            (help_texts.SIGNS, sign_rows),
        )
        self._at = 0
        self._tabs = Tabs([title for title, _ in self._pages])
        self._filter = Filter(help_texts.TYPE_KEY)
        self._page = Page(self._keys)
        self._reading = Reading(self._page)

    def body(self) -> ComposeResult:
        """Names of pages, the field while one looks for a key, the page."""
        yield self._tabs
        with Horizontal():
            yield Mark()
            yield self._filter
        yield self._reading

    def _keys(self, width: int, palette: Palette) -> Grid:
        return key_rows(self._sections, self._filter.value, width, palette)

    @property
    def _is_finding(self) -> bool:
        return self.has_class("-finding")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Return whether a key does something now."""
        match action:
            case "leave_find":
                return self._is_finding
            case "find":
                return not self._is_finding
            case _:
                return super().check_action(action, parameters)

    @on(Tabs.Turned)
    def _turn_to(self, event: Tabs.Turned) -> None:
        event.stop()
        self._show(event.number)

    @on(Input.Changed)
    def _type(self, event: Input.Changed) -> None:
        event.stop()
        self._show_keys()

    def _show_keys(self) -> None:
        """Show the keys that the field finds."""
        everything = count(self._sections, "")
        found = count(self._sections, self._filter.value)
        self.tell(
            help_texts.HELP, texts.found(found, everything, "key") if self._is_finding else ""
        )
        self._page.redraw(layout=True)
        self._reading.scroll_home(animate=False)

    def _show(self, number: int) -> None:
        if number == self._at:
            return
        self.action_leave_find()
        self._at = number
        self._tabs.show(number)
        self._page.show(self._pages[number][1])
        self._reading.scroll_home(animate=False)

    def action_turn(self, step: int) -> None:
        """Show the page so many further on; after the last comes the first."""
        self._show((self._at + step) % len(self._pages))

    def action_scroll(self, step: int) -> None:
        """Scroll so many rows."""
        self._reading.scroll_relative(y=step, animate=False)

    def action_page(self, step: int) -> None:
        """Scroll so many pages; a row stays in sight."""
        self.action_scroll(step * max(1, self._reading.size.height - 1))

    def action_edge(self, end: int) -> None:
        """Scroll to the first row (-1) or the last (1)."""
        if end < 0:
            self._reading.scroll_home(animate=False)
        else:
            self._reading.scroll_end(animate=False)

    def action_find(self) -> None:
        """Open the field above the keys."""
        self._show(0)
        self._set_finding(is_finding=True)
        self._filter.focus()

    def action_leave_find(self) -> None:
        """Close the field, and show all keys."""
        if self._is_finding:
            self._set_finding(is_finding=False)
            self._filter.value = ""
            self.set_focus(None)

    def _set_finding(self, *, is_finding: bool) -> None:
        self.set_class(is_finding, "-finding")
        self._show_keys()
        self.refresh_bindings()
