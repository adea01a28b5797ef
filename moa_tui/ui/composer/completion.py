"""What a `/command` or an `@file` may become while it is typed, and the card that offers it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, ClassVar, Final, Literal

from rich.cells import cell_len
from rich.segment import Segment
from textual.message import Message

from moa_tui.text import one_line
from moa_tui.ui import look
from moa_tui.ui.composer import attaching, slash
from moa_tui.ui.composer import composer_words as words
from moa_tui.ui.dialogs import fuzzy
from moa_tui.ui.rows import Rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from textual import events
    from textual.strip import Strip

    from moa_tui.ui.commands import Command

MOST_ROWS: Final = 8
_MOST_ITEMS: Final = 200
_WIDEST: Final = 88
_NAMES: Final = 0.4
_HIDDEN: Final = "."

_FILE_BEGUN: Final = re.compile(rf'{attaching.BEFORE}@(?:"([^"]*)|([^\s"@]*))\Z')
_REST_OF_WORD: Final = re.compile(r"\S*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A word that may be completed: where it stands in its line, and what is typed of it."""

    kind: Literal["command", "file"]
    row: int
    start: int
    end: int
    query: str

    @property
    def folder(self) -> str:
        """Where a file is looked for: "" or what ends with a slash."""
        return self.query[: self.query.rfind("/") + 1]

    @property
    def name(self) -> str:
        """What a file's name is like."""
        return self.query[len(self.folder) :]

    @property
    def place(self) -> tuple[str, int, int]:
        """Which word it is, whatever more is typed of it."""
        return self.kind, self.row, self.start


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """Something that a word may become: as it is shown, and ``text``, which takes its place.

    ``name`` is the command's, or the file's path. ``does`` and ``keys`` are a command's; one that
    doesn't work now says so.
    """

    shown: str
    text: str
    name: str
    does: str = ""
    keys: str = ""
    works: bool = True


def asked_in(lines: Sequence[str], row: int, column: int) -> Asked | None:
    """Return the word before the cursor if it may be completed."""
    line = lines[row]
    before = line[:column]
    if len(lines) == 1 and slash.is_begun(before):
        end = _end_of_word(line, column)
        if slash.is_begun(line[:end]):
            return Asked(kind="command", row=row, start=0, end=end, query=before[1:])
    found = _FILE_BEGUN.search(before)
    if found is None:
        return None
    is_quoted = found[1] is not None
    return Asked(
        kind="file",
        row=row,
        start=found.start(),
        end=column if is_quoted else _end_of_word(line, column),
        query=found[1] if is_quoted else found[2],
    )


def _end_of_word(line: str, column: int) -> int:
    rest = _REST_OF_WORD.match(line, column)
    return column if rest is None else rest.end()


def command_items(asked: Asked, commands: Iterable[Command]) -> tuple[Item, ...]:
    """Return the commands that begin so, then those that have these letters; idle ones last."""
    known = {slash.name_of(command): command for command in commands}
    query = asked.query.lower().replace("_", "-")
    found = list(_found(query, list(known)))
    order = {name: at for at, name in enumerate(found)}
    found.sort(
        key=lambda name: (
            name != query,
            not name.startswith(query),
            not known[name].works,
            order[name],
        )
    )
    return tuple(_command_item(name, known[name]) for name in found)


def _command_item(name: str, command: Command) -> Item:
    return Item(
        shown=slash.MARK + name,
        text=f"{slash.MARK}{name} ",
        name=name,
        does=one_line(command.does),
        keys=" ".join(command.keys),
        works=command.works,
    )


def file_items(asked: Asked, names: Iterable[str]) -> tuple[Item, ...]:
    """Return what a folder holds that begins so, then what has these letters.

    Nothing when the one name there is stands there already.
    """
    is_hidden_meant = asked.name.startswith(_HIDDEN)
    seen = [name for name in names if name.startswith(_HIDDEN) == is_hidden_meant]
    found = list(islice(_found(asked.name, seen), _MOST_ITEMS))
    if found == [asked.name]:
        return ()
    return tuple(_file_item(asked.folder, name) for name in found)


def _file_item(folder: str, name: str) -> Item:
    path, is_folder = folder + name, name.endswith("/")
    end = "" if is_folder else " "
    return Item(
        shown=one_line(name),
        text=attaching.written(path, is_folder=is_folder) + end,
        name=path,
    )


def _found(query: str, names: Sequence[str]) -> Iterable[str]:
    """Return the names that begin with the query, then those that have its letters in order."""
    if not query:
        return names
    folded = [fuzzy.folded(name) for name in names]
    low = query.lower()
    begin = [at for at, name in enumerate(folded) if name.startswith(low)]
    others = dict.fromkeys(fuzzy.rank(query, folded))
    return (names[at] for at in dict.fromkeys([*begin, *others]))


class Completer:
    """What is offered for the word that is being typed.

    ``commands`` returns those that exist now; ``has_files``: somebody can list folders. It
    knows one folder at a time, and none once the word is done: files come and go.
    """

    def __init__(
        self, commands: Callable[[], Sequence[Command]] | None = None, *, has_files: bool = False
    ) -> None:
        self._commands = commands
        self._has_files = has_files
        self.items: tuple[Item, ...] = ()
        self.selected = 0
        self._asked: Asked | None = None
        self._folder: str | None = None
        self._names: Sequence[str] | None = None
        self._dismissed: tuple[str, int, int] | None = None

    @property
    def asked(self) -> Asked | None:
        """The word that is being completed."""
        return self._asked

    @property
    def is_open(self) -> bool:
        """Whether anything is offered."""
        return bool(self.items)

    @property
    def is_waiting(self) -> bool:
        """Whether a folder is being listed."""
        return self._folder is not None and self._names is None

    @property
    def chosen(self) -> Item | None:
        """The item that is selected."""
        return self.items[self.selected] if self.items else None

    def look(self, asked: Asked | None) -> str | None:
        """Follow what is typed; return a folder whose names are needed: tell them to `listed`."""
        if asked is None or asked.place != self._dismissed:
            self._dismissed = None
        if asked is None or self._dismissed is not None or not self._serves(asked):
            self._forget()
            return None
        self._asked, self.selected = asked, 0
        if asked.kind == "command":
            self.items = command_items(asked, self._commands() if self._commands else ())
            return None
        if asked.folder == self._folder:
            self.items = file_items(asked, self._names or ())
            return None
        self._folder, self._names, self.items = asked.folder, None, ()
        return asked.folder

    def _serves(self, asked: Asked) -> bool:
        return self._has_files if asked.kind == "file" else self._commands is not None

    def listed(self, folder: str, names: Sequence[str]) -> None:
        """Take the names in a folder; they come too late when another one is meant by now."""
        if folder == self._folder and self._asked is not None:
            self._names = names
            self.items = file_items(self._asked, names)

    def move(self, step: int) -> None:
        """Select another item; behind the last comes the first."""
        if self.items:
            self.selected = (self.selected + step) % len(self.items)

    def select(self, number: int) -> None:
        """Select an item by its number."""
        if 0 <= number < len(self.items):
            self.selected = number

    def settle(self, asked: Asked | None) -> bool:
        """Return whether the cursor is still where it was; else offer nothing more."""
        if asked == self._asked:
            return True
        self._forget()
        return False

    def dismiss(self, asked: Asked | None) -> None:
        """Offer nothing for this word, whatever more is typed of it."""
        self._forget()
        self._dismissed = None if asked is None else asked.place

    def _forget(self) -> None:
        self.items, self.selected = (), 0
        self._asked = self._folder = self._names = None


class Completions(Rows):
    """The card above the composer: at most eight rows, of which one is selected.

    It lies over what is there, so that nothing jumps.
    """

    DEFAULT_CSS: ClassVar[str] = """
    Completions {
        overlay: screen; position: absolute; display: none; height: auto;
        background: $focus-surface;
    }
    """

    @dataclass
    class Picked(Message):
        """A row was clicked; ``number`` counts the items."""

        number: int

    def __init__(self) -> None:
        super().__init__()
        self._items: Sequence[Item] = ()
        self._selected = 0
        self._top = 0

    @property
    def rows(self) -> int:
        """How many rows it takes."""
        return min(MOST_ROWS, len(self._items))

    def show(self, items: Sequence[Item], selected: int, *, width: int) -> None:
        """Offer these, above whoever it is a child of, which is so many cells wide."""
        has_changed = len(items) != len(self._items)
        if items is not self._items:
            self._top = 0
        self._items, self._selected = items, selected
        self._top = max(selected - self.rows + 1, min(self._top, selected))
        self.display = bool(items)
        self.styles.width = min(width, _WIDEST)
        # Over the bar at its parent's left, with its own.
        self.styles.offset = (-1, -self.rows)
        self.redraw(layout=has_changed)

    def draw(self, width: int, palette: look.Palette) -> Sequence[Strip]:
        """Return the rows in sight."""
        shown = self._items[self._top : self._top + self.rows]
        longest = max((cell_len(item.shown) for item in shown), default=0)
        has_facts = any(item.does for item in shown)
        names = min(longest, int(width * _NAMES)) if has_facts else width
        below = len(self._items) - self._top - len(shown)
        last = self._top + len(shown) - 1
        return [
            self._row(number, names, below if number == last else 0, width, palette)
            for number in range(self._top, last + 1)
        ]

    def _row(self, number: int, names: int, below: int, width: int, palette: look.Palette) -> Strip:
        item, is_selected = self._items[number], number == self._selected
        ground = palette.focus_head if is_selected else palette.focus_surface
        quiet = palette.focus_ink if is_selected else palette.muted
        ink = palette.focus_ink + look.BOLD if is_selected else palette.ink
        name = look.clip(item.shown, names)
        right = item.keys if item.works else words.NOT_NOW
        if below:
            right = f"{right}  {look.DOWN} {words.more(below)}".strip()
        left = [
            Segment(look.BAR_FOCUSED if is_selected else look.BAR, palette.focus),
            Segment(f"{look.PROMPT} " if is_selected else "  ", ink),
            Segment(name, ink if item.works else quiet),
        ]
        if item.does:
            left.append(Segment(" " * (names - cell_len(name) + 2) + item.does, quiet))
        return look.row(left, [Segment(f"{right} ", quiet)], width=width, ground=ground)

    def on_click(self, event: events.Click) -> None:
        """Take the row that was clicked."""
        event.stop()
        self.post_message(self.Picked(self._top + event.y))
