"""The command palette: what one can do at this moment, found by a few letters."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Final

from rich.cells import cell_len
from rich.segment import Segment
from textual.binding import Binding

from moa_tui.text import one_line
from moa_tui.ui import look
from moa_tui.ui.commands import Command
from moa_tui.ui.composer.slash import name_of
from moa_tui.ui.dialogs import fuzzy, help_texts, texts
from moa_tui.ui.dialogs.choices import marked
from moa_tui.ui.dialogs.picker import Picker
from moa_tui.ui.rows import wrapped

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from textual.binding import BindingType

    from moa_tui.ui.dialogs.choices import Grid, Listing

_MOST_NAME: Final = 20
_MOST_KEYS: Final = 16
_ROWS_ABOUT: Final = 2
_GAP: Final = 2


@dataclass(frozen=True, slots=True)
class CommandListing:
    """Commands as rows: those first whose name the query finds, then those by what they do."""

    found: tuple[Command, ...]
    query: str = ""
    name_cells: int = 0

    @classmethod
    def of(cls, commands: Sequence[Command], query: str = "") -> CommandListing:
        """Return the commands that the query finds, the best first."""
        query = query.strip()
        names = [
            fuzzy.folded(f"{name_of(command)} {command.label} {command.id}") for command in commands
        ]
        by_name = fuzzy.rank(query, names)
        named = set(by_name)
        by_doing = [
            command
            for number, command in enumerate(commands)
            if number not in named and _has(command.does, query)
        ]
        found = [*(commands[number] for number in by_name), *by_doing]
        longest = max((cell_len(name_of(command)) for command in commands), default=0)
        return cls(tuple(found), query, min(longest, _MOST_NAME))

    def __len__(self) -> int:
        return max(1, len(self.found))

    def at(self, number: int | None) -> Command | None:
        """Return the command of a row; None where there is none."""
        if number is None or not 0 <= number < len(self.found):
            return None
        return self.found[number]

    def may_stop(self, number: int, /) -> bool:
        """Whether there is a command in the row."""
        return self.at(number) is not None

    def row(
        self, number: int, width: int, palette: look.Palette, /
    ) -> tuple[Sequence[Segment], Sequence[Segment]]:
        """Return name and what it does, and the keys at the right."""
        del width
        command = self.at(number)
        if command is None:
            told = texts.nothing_found(self.query) if self.query else help_texts.NO_COMMANDS
            return [Segment(told, palette.muted)], ()
        name = look.clip(name_of(command), self.name_cells)
        room = " " * (self.name_cells - cell_len(name) + _GAP)
        hit = palette.primary + look.BOLD
        left = [
            *marked(name, self._letters(name), palette.ink + look.BOLD, hit),
            Segment(room),
            *marked(command.does, self._words(command.does), palette.muted, hit),
        ]
        return left, [Segment(_keys(command), palette.bright + look.BOLD)]

    def _letters(self, name: str) -> frozenset[int]:
        """Return the letters that the query found, none where it found only some."""
        name = fuzzy.folded(name)
        return fuzzy.positions(self.query, name) if fuzzy.rank(self.query, [name]) else frozenset()

    def _words(self, does: str) -> frozenset[int]:
        """Return the letters of the query's words, none where one of them is missing."""
        is_found = _has(does, self.query)
        return fuzzy.positions(self.query, fuzzy.folded(does)) if is_found else frozenset()


class CommandPalette(Picker[Command]):
    """Shows the commands that work now; enter ends with the chosen one, esc with None.

    Whoever opened it runs the command once it has closed:
    ``app.run_action(command.action, command.node)``.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "do it", id="palette.choose", tooltip="Do this"),
    ]

    def __init__(self, commands: Iterable[Command], *, query: str = "") -> None:
        super().__init__(help_texts.COMMANDS, help_texts.TYPE_COMMAND, query=query)
        self._commands = _once(command for command in commands if command.works)
        self._listing = CommandListing(())

    def listing(self, query: str) -> Listing:
        """Return the commands that the query finds."""
        self._listing = CommandListing.of(self._commands, query)
        facts = texts.found(len(self._listing.found), len(self._commands), "command")
        self.tell(help_texts.COMMANDS, facts)
        return self._listing

    def rows_about(self, height: int) -> int:
        """Return two rows."""
        del height
        return _ROWS_ABOUT

    def about(self, width: int, rows: int, palette: look.Palette) -> Grid:
        """Return in full what the command under the cursor does, and its name in ``[keys]``."""
        del rows
        command = self._listing.at(self.at)
        if command is None:
            return []
        told = wrapped([Segment(command.does, palette.ink)], width)
        name = [Segment(help_texts.in_keys(command.id), palette.muted)]
        return [*told, look.clipped(name, width)]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Return whether a key does something on the row under the cursor."""
        if action == "choose":
            return self._listing.at(self.at) is not None
        return super().check_action(action, parameters)

    def action_choose(self) -> None:
        """End with the command under the cursor."""
        command = self._listing.at(self.at)
        if command is not None:
            self.dismiss(command)


def _once(commands: Iterable[Command]) -> tuple[Command, ...]:
    """Return commands without those that are called alike and do the same, all keys kept."""
    found: dict[tuple[str, str], Command] = {}
    for command in commands:
        key = (command.label or command.id, command.does)
        known = found.get(key)
        keys = () if known is None else known.keys
        every = tuple(dict.fromkeys((*keys, *command.keys)))
        found[key] = replace(known or command, keys=every)
    return tuple(found.values())


def _has(does: str, query: str) -> bool:
    """Return whether a sentence has all words of a query: scattered letters are in any."""
    return all(word in fuzzy.folded(does) for word in query.lower().split())


def _keys(command: Command) -> str:
    """Return a command's keys as far as there is room for whole ones."""
    shown = ""
    for key in command.keys:
        longer = f"{shown}, {one_line(key)}" if shown else one_line(key)
        if shown and cell_len(longer) > _MOST_KEYS:
            break
        shown = longer
    return shown
