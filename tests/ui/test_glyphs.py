"""The ASCII set: one cell for one cell, on every row, there and back while a race is live."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import constants
from textual.color import Color
from ui_fakes import mixture, says, settle, stage

from moa_tui.ui import appearance, glyphs, look
from moa_tui.ui.composer.composer import Draft
from moa_tui.ui.settings import KeptSettings

if TYPE_CHECKING:
    from textual.pilot import Pilot
    from ui_fakes import Stage

    from moa_tui.ui.ports import SettingValue

BLACK = Color(0, 0, 0)
SCRIPTS = {
    "a": says(*("one two " for _ in range(40)), gap_s=0.25),
    "b": says("## Done\n\n- a\n- b\n\n```python\nx = 1\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n"),
    "m": says("Merged, with 3 × 4 ≥ 12."),
}


def in_ascii(*texts: str) -> str:
    segments = [Segment(text, Style(bold=True)) for text in texts]
    shown = glyphs.AsciiGlyphs().apply(segments, BLACK)
    assert [segment.style for segment in shown] == [segment.style for segment in segments]
    return "".join(segment.text for segment in shown)


def test_every_glyph_of_ours_has_one_ascii_cell() -> None:
    ours = {
        *look.GLYPHS.values(),
        *(value for key, value in vars(look).items() if key.isupper() and isinstance(value, str)),
    }
    assert {glyph for glyph in ours if not glyphs.to_ascii(glyph).isascii()} == set()
    for glyph, letter in glyphs.ASCII.items():
        assert (len(letter), cell_len(glyph), letter.isascii()) == (1, 1, True), glyph


@pytest.mark.parametrize(
    ("shown", "told"),
    [
        ("· queued ○ waiting ◊ thinking ● streaming", ". queued o waiting ~ thinking @ streaming"),
        (
            "✓ 1st done ! retry » late ■ stopped ✗ failed",
            "v 1st done ! retry > late # stopped x failed",
        ),
        ("★ ▸ ▾ ◂ 2 ▸", "* + - < 2 +"),
        ("┅┅━━╸───", "--==>..."),
        ("▂▂▆▆▁▁", "::##.."),
        ("› … – × ≥ ≈ ▏▕ │", "> ~ - x > ~ || |"),
        ("╭──┬──╮", "+..+..+"),
    ],
)
def test_the_glyphs_of_the_design_become_those_of_its_ascii_column(shown: str, told: str) -> None:
    assert in_ascii("", shown) == told


def test_the_same_sign_is_a_bar_at_the_start_of_a_row_and_a_cursor_elsewhere() -> None:
    assert in_ascii("▌", " text", "▌") == "| text_"
    assert in_ascii("█", " text", "▌") == "# text_"


@pytest.mark.parametrize("text", ["贪吃蛇", "naïve résumé", "✓\ufe0f", "🙂", "“quoted”"])
def test_what_is_no_glyph_of_ours_is_left_alone(text: str) -> None:
    assert in_ascii("", text) == text


def foreign(show: Stage) -> set[str]:
    """Return what stands on the screen and isn't ASCII."""
    return {letter for letter in show.text if not letter.isascii()}


async def ask(show: Stage, pilot: Pilot[None], quarters: int) -> None:
    show.app.query_one(Draft).insert("Why?")
    await pilot.press("enter")
    await settle(pilot)
    await show.watch(pilot, quarters)


@pytest.mark.parametrize("size", [(160, 48), (80, 24)])
async def test_a_live_race_turns_to_ascii_and_back_at_once(size: tuple[int, int]) -> None:
    show = stage(SCRIPTS, mixture("ab"))
    async with show.app.run_test(size=size) as pilot:
        await settle(pilot)
        await ask(show, pilot, 8)
        before = show.text

        appearance.take_up(show.app, "glyphs", "ascii")
        await settle(pilot)
        assert foreign(show) == set()
        assert [len(row) for row in show.text.split("\n")] == [
            len(row) for row in before.split("\n")
        ]

        await show.watch(pilot, 2)
        assert foreign(show) == set()

        await show.watch(pilot, 60)
        assert "Merged" in show.text
        assert foreign(show) == set()

        appearance.take_up(show.app, "glyphs", "unicode")
        await settle(pilot)
        assert {"✓", "★", "×"} <= foreign(show)


async def test_switching_back_paints_the_same_screen() -> None:
    show = stage(SCRIPTS, mixture("ab"))
    async with show.app.run_test(size=(160, 48)) as pilot:
        await settle(pilot)
        await ask(show, pilot, 8)
        before = show.text
        for value in ("ascii", "unicode"):
            appearance.take_up(show.app, "glyphs", value)
            await settle(pilot)
        # Figures that were due a moment later come with the new paint.
        assert re.sub(r"\d", "0", show.text) == re.sub(r"\d", "0", before)


async def test_an_empty_screen_is_ascii_but_for_the_words_of_a_person() -> None:
    show = stage(SCRIPTS, mixture("ab"))
    async with show.app.run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        appearance.take_up(show.app, "glyphs", "ascii")
        await settle(pilot)
        assert foreign(show) <= set("用写一个贪吃蛇游戏")


async def test_a_program_may_begin_in_ascii_with_less_motion() -> None:
    values: dict[str, SettingValue] = {"theme": "moa-dark", "glyphs": "ascii"}
    values |= {"motion": "reduced", "notify": True, "title": True, "sidebar": True, "budget": 0.0}
    kept = KeptSettings(values, {}, remember=lambda *_: None)
    show = stage(SCRIPTS, mixture("ab"), settings=kept)
    async with show.app.run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        assert foreign(show) <= set("用写一个贪吃蛇游戏")
        levels = [show.app.animation_level]
        appearance.take_up(show.app, "motion", "full")
        assert [*levels, show.app.animation_level] == ["none", constants.TEXTUAL_ANIMATIONS]
