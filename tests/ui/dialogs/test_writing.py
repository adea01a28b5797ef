"""Dialogs to write in: what is accepted, what is refused, and that nothing is lost by a slip."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from dialog_fakes import NARROW, NARROWEST, WIDE, opened
from textual import events

from moa_tui.ui.dialogs.writing import LineDialog, TextDialog

if TYPE_CHECKING:
    from collections.abc import Callable

    from moa_tui.ui.dialogs.dialog import Dialog


def no_slash(text: str) -> str:
    return "a name has no / [b]and no[/b] \x1b" if "/" in text else ""


def line(value: str = "local-trio") -> Callable[[], Dialog[str]]:
    return lambda: LineDialog("Save as", value, check=no_slash)


def text(value: str = "Be brief.") -> Callable[[], Dialog[str]]:
    return lambda: TextDialog("System prompt", value, check=no_slash, placeholder="none")


async def test_a_line_begins_as_it_is_and_enter_takes_it() -> None:
    async with opened(line(), keys=("end", "minus", "2")) as now:
        assert now.card[0] == " Save as"
        assert " › local-trio-2" in now.card
        assert now.card[-1].startswith(" enter accept  esc close")
        await now.press("enter")
        assert now.results == ["local-trio-2"]


async def test_typing_replaces_a_line_and_so_does_pasting() -> None:
    async with opened(line("2.0"), keys=("5", "enter")) as now:
        assert now.results == ["5"]
    async with opened(line("2.0")) as now:
        now.stage.app.post_message(events.Paste("1.5"))
        await now.settle()
        await now.press("enter")
        assert now.results == ["1.5"]


async def test_a_line_that_nobody_typed_over_is_kept() -> None:
    async with opened(line(), keys=("enter",)) as now:
        assert now.results == ["local-trio"]


async def test_what_a_text_must_have_is_said_before_anything_is_wrong() -> None:
    def noted() -> Dialog[str]:
        return TextDialog("instruction", "", check=no_slash, note="it must have {references}")

    async with opened(noted) as now:
        assert now.row(having="references") == " it must have {references}"
        await now.press("slash", "ctrl+s")
        assert "references" not in now.text
        assert now.row(having="a name has no /")
        await now.press("backspace")
        assert now.row(having="references") == " it must have {references}"


async def test_a_line_is_taken_without_the_blanks_around_it() -> None:
    async with opened(line("  a b "), keys=("end", "space", "enter")) as now:
        assert now.results == ["a b"]


@pytest.mark.parametrize("size", [WIDE, NARROW, NARROWEST])
async def test_what_is_wrong_with_a_line_is_said_until_it_changes(size: tuple[int, int]) -> None:
    async with opened(line(), size=size, keys=("end", "slash", "enter")) as now:
        assert now.results == []
        assert " ! a name has no / [b]and no[/b] ␛" in now.card
        assert now.stage.app.screen.region.contains_region(now.dialog.query_one("#card").region)
        await now.press("backspace")
        assert "a name has no" not in now.text
        await now.press("enter")
        assert now.results == ["local-trio"]


async def test_esc_leaves_a_line_as_it_was() -> None:
    async with opened(line(), keys=("x", "escape")) as now:
        assert now.results == [None]


async def test_keys_that_edit_a_line_edit_it() -> None:
    async with opened(line("abc"), keys=("home", "ctrl+d", "end", "x", "ctrl+a", "y")) as now:
        await now.press("enter")
        assert now.results == ["ybcx"]


async def test_a_text_takes_lines_and_ctrl_s_accepts_it() -> None:
    async with opened(text(), keys=("enter", "x")) as now:
        assert now.card[-1].startswith(" enter new line  ^s accept  esc close")
        assert now.results == []
        await now.press("ctrl+s")
        assert now.results == ["Be brief.\nx"]


async def test_a_text_that_is_wrong_is_not_accepted() -> None:
    async with opened(text(), keys=("slash", "ctrl+s")) as now:
        assert now.results == []
        assert now.row(having="a name has no /") == " ! a name has no / [b]and no[/b] ␛"
        await now.press("backspace", "ctrl+s")
        assert now.results == ["Be brief."]


async def test_an_emptied_text_is_a_result_of_its_own() -> None:
    async with opened(text("x"), keys=("backspace",)) as now:
        assert "none" in now.text
        await now.press("ctrl+s")
        assert now.results == [""]


async def test_esc_closes_an_unchanged_text_at_once() -> None:
    async with opened(text(), keys=("up", "escape")) as now:
        assert now.results == [None]


async def test_esc_asks_once_more_before_it_loses_a_changed_text() -> None:
    async with opened(text(), keys=("x", "escape")) as now:
        assert now.results == []
        assert "esc again loses what you wrote; ctrl+s takes it" in now.text
        await now.press("y")
        assert "esc again" not in now.text
        await now.press("escape", "escape")
        assert now.results == [None]


@pytest.mark.parametrize("make", [line, text])
async def test_what_is_pasted_and_what_was_there_is_made_safe(
    make: Callable[[str], Callable[[], Dialog[str]]],
) -> None:
    async with opened(make("a\x1b[31m\u202e")) as now:
        await now.press("end")
        now.stage.app.post_message(events.Paste("\x07b"))
        await now.settle()
        await now.press("ctrl+s" if make is text else "enter")
        assert now.results == ["a␛[31m\ufffd␇b"]


async def test_a_pasted_text_keeps_its_lines() -> None:
    async with opened(text("")) as now:
        now.stage.app.post_message(events.Paste("one\r\ntwo\n"))
        await now.settle()
        await now.press("ctrl+s")
        assert now.results == ["one\ntwo"]


@pytest.mark.parametrize("size", [WIDE, NARROW, NARROWEST])
async def test_a_long_text_keeps_the_card_inside_the_screen(size: tuple[int, int]) -> None:
    async with opened(text("很长的一行 " * 900), size=size, keys=("slash", "ctrl+s")) as now:
        region = now.dialog.query_one("#card").region
        assert now.stage.app.screen.region.contains_region(region)
        assert now.row(having="a name has no /")
        assert now.card[-1].startswith(" enter new line")


async def test_letters_are_erased_in_the_order_in_which_keys_were_pressed() -> None:
    for make in (line(""), text("")):
        async with opened(make) as now:
            await now.burst(*"abc", "backspace", "d")
            assert "abd" in [row.strip(" ›") for row in now.card]
