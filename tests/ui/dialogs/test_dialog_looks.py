"""Dialogs in every theme: readable without colour, the screen below darkened, repainted anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from dialog_fakes import NARROW, STATES, FakeShelf, opened
from textual.color import Color

from moa_tui.ui import look
from moa_tui.ui.dialogs.presets import PresetPicker

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dialog_fakes import Opened
    from rich.style import Style

    from moa_tui.engine.mixture import Mixture

THEMES = ("moa-dark", "moa-light", "moa-contrast", "moa-ansi", "nord")


def presets() -> PresetPicker:
    return PresetPicker(FakeShelf(), STATES, now="mine")


def painted(now: Opened[Mixture]) -> Iterator[tuple[str, Style | None]]:
    """Yield what stands in the card, with its style."""
    region = now.dialog.query_one("#card").region
    strips = now.stage.app.screen._compositor.render_strips()  # noqa: SLF001 - what is really painted
    for strip in strips[region.y : region.bottom]:
        for segment in strip.crop(region.x, region.right):
            yield segment.text, segment.style


@pytest.mark.parametrize("theme", THEMES)
async def test_the_cursor_is_seen_without_colour(theme: str) -> None:
    async with opened(presets, theme=theme) as now:
        assert now.chosen.startswith("mine")
        assert now.card[-1].startswith(" enter choose")


async def test_no_colour_is_painted_where_none_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with opened(presets) as now:
        for text, style in painted(now):
            for colour in (style.color, style.bgcolor) if style is not None else ():
                if colour is not None and colour.triplet is not None:
                    assert len(set(colour.triplet)) == 1, text


async def test_the_keys_of_the_screen_below_are_gone_while_a_dialog_is_open() -> None:
    async with opened(presets, size=(160, 48)) as now:
        assert now.text.split("\n")[-1] == ""
        await now.press("escape")
        assert "enter send" in now.text.split("\n")[-1]


@pytest.mark.parametrize("width", [60, 80, 89])
async def test_where_there_is_no_room_for_a_margin_the_card_takes_the_whole_width(
    width: int,
) -> None:
    async with opened(presets, size=(width, 24)) as now:
        region = now.dialog.query_one("#card").region
        assert (region.x, region.width) == (0, width)


async def test_a_wide_screen_shows_beside_the_card() -> None:
    async with opened(presets, size=(90, 24)) as now:
        region = now.dialog.query_one("#card").region
        assert (region.x, region.width) == (1, 88)


@pytest.mark.parametrize(("theme", "alpha"), [("moa-dark", 0.4), ("moa-ansi", 0.0)])
async def test_the_screen_below_is_darkened_unless_the_terminal_picks_colours(
    theme: str, alpha: float
) -> None:
    async with opened(presets, theme=theme) as now:
        assert now.dialog.styles.background == Color(0, 0, 0, alpha)


async def test_another_theme_repaints_an_open_dialog() -> None:
    async with opened(presets, size=NARROW) as now:
        for theme in THEMES[1:]:
            now.stage.app.theme = theme
            await now.settle()
            palette = look.Palette.of(now.stage.app.theme_variables)
            grounds = {style.bgcolor for _, style in painted(now) if style is not None}
            assert palette.focus_surface.bgcolor in grounds
            assert palette.focus_head.bgcolor in grounds
            # The bar and what the scroll bar leaves free may add one.
            assert len(grounds) <= 5
