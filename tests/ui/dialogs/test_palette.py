"""The command palette: what works now, found by name or by what it does, chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from dialog_fakes import NARROW, NARROWEST, WIDE, opened
from textual.dom import DOMNode

from moa_tui.ui.commands import Command
from moa_tui.ui.dialogs import help_texts
from moa_tui.ui.dialogs.choices import Choices
from moa_tui.ui.dialogs.palette import CommandPalette

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def command(name: str, label: str, does: str, *keys: str, works: bool = True) -> Command:
    return Command(
        id=name, label=label, does=does, keys=keys, node=DOMNode(), action=name, works=works
    )


MERGE = command("merge_now", "merge now", "Merge what is ready", "f3")
MERGE_TOO = command("merge_now_m", "merge now", "Merge what is ready", "m")
AGAIN = command("again", "again", "Run the last prompt anew", "f5", works=False)
PRESETS = command("presets", "presets", "Choose a preset", "^t")
SIDEBAR = command("sidebar", "sidebar", "Show or hide the sidebar", "f9")
NAMELESS = command("seat_back", "", "Go back to where one was, whatever that may have been", "^b")
COMMANDS = (MERGE, AGAIN, PRESETS, MERGE_TOO, SIDEBAR, NAMELESS)


def palette(commands: Sequence[Command] = COMMANDS) -> Callable[[], CommandPalette]:
    return lambda: CommandPalette(commands)


def squeezed(rows: Sequence[str]) -> list[str]:
    return [" ".join(row.split()) for row in rows]


async def test_what_works_now_stands_there_once_with_its_keys_at_the_right() -> None:
    async with opened(palette(), size=NARROW) as now:
        assert squeezed(now.card[:6]) == [
            "Commands 4 commands",
            "› type to find a command",
            "› merge-now Merge what is ready f3, m",
            "presets Choose a preset ^t",
            "sidebar Show or hide the sidebar f9",
            "seat-back Go back to where one was, whatever that may have been ^b",
        ]
        assert len({len(row) for row in now.card[2:6]}) == 1
        assert now.card[-1].startswith(" enter do it")


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("mrgn", ["merge-now"]),
        ("preset", ["presets"]),
        ("merge_now", ["merge-now"]),
        ("hide", ["sidebar"]),
        ("go whatever", ["seat-back"]),
        ("s", ["sidebar", "seat-back", "presets", "merge-now"]),
    ],
)
async def test_a_command_is_found_by_name_id_or_what_it_does(
    typed: str, found: Sequence[str]
) -> None:
    async with opened(palette(), keys=typed) as now:
        rows = [row for row in now.card[2:-3] if row.strip()]
        assert len(rows) == len(found)
        assert all(row[2:].startswith(name) for row, name in zip(rows, found, strict=True))


async def test_a_command_is_called_as_behind_the_slash_and_found_by_the_footers_word() -> None:
    new = command("new_session", "begin", "Another conversation", "^n")
    async with opened(palette([new, PRESETS]), keys="begin") as now:
        assert squeezed(now.card[2:3]) == ["› new-session Another conversation ^n"]


async def test_enter_ends_with_the_command_itself() -> None:
    async with opened(palette(), keys=("down", "enter")) as now:
        assert now.results == [PRESETS]


async def test_a_second_click_chooses() -> None:
    async with opened(palette()) as now:
        for _ in range(2):
            await now.pilot.click(Choices, offset=(5, 2))
            await now.settle()
        assert now.results == [SIDEBAR]


async def test_esc_chooses_nothing() -> None:
    async with opened(palette(), keys=("escape",)) as now:
        assert now.results == [None]


@pytest.mark.parametrize("size", [WIDE, NARROWEST])
async def test_what_the_cursor_stands_on_is_told_in_full(size: tuple[int, int]) -> None:
    async with opened(palette(), size=size, keys=("end",)) as now:
        told = " ".join(squeezed(now.card[-5:]))
        assert "seat_back in [keys]" in told
        assert NAMELESS.does in " ".join(squeezed(now.card)[2:])


async def test_letters_that_nothing_has_are_told_and_enter_does_nothing() -> None:
    async with opened(palette(), keys=(*"[b]zz", "enter")) as now:
        assert 'nothing here has the letters of "[b]zz"' in now.text
        assert now.results == []
        assert "enter" not in now.card[-1]


async def test_when_nothing_works_it_says_so() -> None:
    async with opened(palette([AGAIN])) as now:
        assert help_texts.NO_COMMANDS in now.text
