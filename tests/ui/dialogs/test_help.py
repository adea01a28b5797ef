"""Help: keys by section, what it is about, words and signs; read, turned over, searched."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from dialog_fakes import NARROW, NARROWEST, WIDE, opened
from rich.cells import cell_len
from textual.dom import DOMNode

from moa_tui.ui import look
from moa_tui.ui.commands import Command
from moa_tui.ui.dialogs import help_texts
from moa_tui.ui.dialogs.help import HelpDialog, HelpSection, Reading, Tabs

if TYPE_CHECKING:
    from collections.abc import Callable

    from dialog_fakes import Opened


def command(name: str, label: str, does: str, *keys: str) -> Command:
    return Command(
        id=name, label=label, does=does, keys=keys, node=DOMNode(), action=name, works=False
    )


SECTIONS = (
    HelpSection(
        "Anywhere",
        (
            command("merge_now", "merge now", "Merge what is ready", "f3"),
            command("interrupt", "stop", "Copy; else stop the run", "^c"),
        ),
    ),
    HelpSection(
        "On a tile",
        (
            *(
                command(f"seat_{number}", "seat", f"Go to seat {number}", "1-9")
                for number in range(1, 10)
            ),
            command("sidebar.lower", "move", "Lower", "J K"),
            command("sidebar.higher", "move", "Higher", "J K"),
            command("new_line", "new line", "Begin a new line", "^j", "shift+enter"),
        ),
    ),
    HelpSection("Elsewhere", ()),
)
LONG = (
    HelpSection(
        "Many", tuple(command(f"do_{n}", f"do {n}", f"Do {n}", f"f{n}") for n in range(60))
    ),
)


def dialog(sections: tuple[HelpSection, ...] = SECTIONS) -> Callable[[], HelpDialog]:
    return lambda: HelpDialog(sections)


def squeezed(now: Opened[None]) -> list[str]:
    return [" ".join(row.replace("─", "").split()) for row in now.card]


async def test_keys_stand_below_their_sections_with_what_they_do_and_their_ids() -> None:
    async with opened(dialog(), size=NARROW) as now:
        assert squeezed(now)[:12] == [
            "Help",
            "› Keys Mixture-of-Agents Words and signs",
            "",
            "Anywhere",
            "f3 Merge what is ready merge_now",
            "^c Copy; else stop the run interrupt",
            "",
            "On a tile",
            "1-9 Go to seat seat_1 … seat_9",
            "J K Lower, higher sidebar.lower,",
            "sidebar.higher",
            "^j, Begin a new line new_line",
        ]


async def test_a_narrow_screen_leaves_the_ids_out() -> None:
    async with opened(dialog(), size=NARROWEST) as now:
        assert "merge_now" not in now.text
        assert squeezed(now)[4] == "f3 Merge what is ready"


@pytest.mark.parametrize(("key", "title"), [("tab", "What it is"), ("l", "What it is")])
async def test_pages_are_turned_and_come_round(key: str, title: str) -> None:
    async with opened(dialog(), keys=(key,)) as now:
        assert squeezed(now)[3] == title
        await now.press("right")
        assert squeezed(now)[3] == help_texts.WORDS_HEAD
        await now.press(key)
        assert squeezed(now)[3] == "Anywhere"
        await now.press("shift+tab")
        assert squeezed(now)[3] == help_texts.WORDS_HEAD


async def test_a_click_on_a_name_turns_to_its_page() -> None:
    async with opened(dialog()) as now:
        await now.pilot.click(Tabs, offset=(15, 0))
        await now.settle()
        assert squeezed(now)[1:4] == ["Keys › Mixture-of-Agents Words and signs", "", "What it is"]


async def test_the_paper_is_told_with_its_figures_and_sources() -> None:
    async with opened(dialog(), size=WIDE, keys=("tab",)) as now:
        told = " ".join(squeezed(now))
        for fact in ("65.1 %", "57.5 %", "59.3 %", "2406.04692", "2502.00674", "aggregator"):
            assert fact in told


async def test_every_state_has_its_sign_its_word_and_its_meaning() -> None:
    async with opened(dialog(), size=(160, 60), keys=("tab", "tab")) as now:
        above = squeezed(now)
        await now.press("end")
        told = "\n".join([*above, *squeezed(now)])
        for key, (name, means) in help_texts.STATES.items():
            assert f"{look.GLYPHS[key]} {name} {means}" in told
        for name, means in help_texts.MARKS:
            assert f"{name} {means}" in told
        assert "ASCII in the settings" in told
    assert help_texts.STATES.keys() == look.GLYPHS.keys()


@pytest.mark.parametrize("size", [WIDE, (100, 30), NARROW, NARROWEST])
async def test_nothing_is_cut_at_any_size(size: tuple[int, int]) -> None:
    async with opened(dialog(), size=size) as now:
        for _ in range(3):
            assert not [row for row in now.card[3:-1] if row.endswith(look.ELLIPSIS)]
            assert max(map(cell_len, now.card)) <= size[0]
            await now.press("tab")


async def test_one_scrolls_by_rows_pages_and_to_the_ends() -> None:
    async with opened(dialog(LONG)) as now:
        top, rows = now.dialog.query_one(Reading), now.dialog.query_one(Reading).size.height
        for keys, y in (
            (("j", "down", "j"), 3),
            (("k", "up"), 1),
            (("pagedown", "space"), 1 + 2 * (rows - 1)),
            (("pageup",), rows),
            (("G",), 61 - rows),
            (("home",), 0),
            (("end",), 61 - rows),
            (("g",), 0),
        ):
            await now.press(*keys)
            assert top.scroll_offset.y == y


async def test_the_mouse_wheel_scrolls() -> None:
    async with opened(dialog(LONG)) as now:
        await now.pilot._post_mouse_events(  # noqa: SLF001 - the pilot has no wheel
            [_wheel()], widget=Reading, offset=(5, 5)
        )
        await now.settle()
        assert now.dialog.query_one(Reading).scroll_offset.y > 0


def _wheel() -> type:
    from textual.events import MouseScrollDown  # noqa: PLC0415 - only this test turns a wheel

    return MouseScrollDown


async def test_a_key_is_found_by_what_it_does_and_esc_shows_all_again() -> None:
    async with opened(dialog(), keys=("slash", *"ready merge")) as now:
        assert "1 of 5 keys" in now.card[0]
        assert squeezed(now)[2:6] == [
            "› ready merge",
            "",
            "Anywhere",
            "f3 Merge what is ready merge_now",
        ]
        assert not any("On a tile" in row for row in now.card)
        assert "all keys" in now.card[-1]
        await now.press("escape")
        assert now.results == []
        assert squeezed(now)[0] == "Help"
        assert any("On a tile" in row for row in now.card)
        await now.press("escape")
        assert now.results == [None]


async def test_letters_that_no_key_has_are_told() -> None:
    async with opened(dialog(), keys=("slash", *"[b]x")) as now:
        assert 'nothing here has the letters of "[b]x"' in now.text


async def test_looking_for_a_key_goes_back_to_the_keys_and_a_turn_ends_it() -> None:
    async with opened(dialog(), keys=("tab", "slash", "j")) as now:
        assert squeezed(now)[1].startswith("› Keys")
        assert squeezed(now)[2] == "› j"
        await now.press("tab")
        assert squeezed(now)[3] == "What it is"
        await now.press("shift+tab")
        assert "1 of" not in now.card[0]
        assert "Anywhere" in squeezed(now)


@pytest.mark.parametrize("key", ["escape", "f1", "question_mark", "q"])
async def test_it_closes_with_the_key_that_opened_it_too(key: str) -> None:
    async with opened(dialog(), keys=(key,)) as now:
        assert now.results == [None]


async def test_without_any_keys_it_says_so() -> None:
    async with opened(dialog(())) as now:
        assert help_texts.NO_KEYS in now.text
