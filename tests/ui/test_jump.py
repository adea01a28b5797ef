"""The jump overlay: letters where one can go to, over a screen that goes on."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from textual.geometry import Offset, Region, Size
from ui_fakes import Stage, mixture, says, settle, stage

from moa_tui.ui.jump import JumpOverlay, JumpTarget, places_of
from moa_tui.ui.stage import Stage as MainStage

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from textual.pilot import Pilot

THEMES = ("moa-dark", "moa-light", "moa-contrast", "moa-ansi")
TARGETS = (
    JumpTarget("1", "seat-1", Region(0, 4, 40, 10)),
    JumpTarget("2", "seat-2", Region(40, 4, 40, 10)),
    JumpTarget("a", "answer", Region(0, 14, 80, 6)),
    JumpTarget("c", "composer", Region(0, 20, 80, 3)),
    JumpTarget("s", "sidebar", Region(0, 0, 0, 0)),
)


@dataclass
class Jumping:
    """An overlay over a program whose models write a word a second."""

    stage: Stage
    pilot: Pilot[None]
    results: list[str | None]

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await settle(self.pilot)


@asynccontextmanager
async def jumping(
    targets: Iterable[JumpTarget] = TARGETS, *, theme: str = "moa-dark", keys: Iterable[str] = ()
) -> AsyncIterator[Jumping]:
    words = [f"word{number} " for number in range(9)]
    program = stage({name: says(*words) for name in "abm"}, mixture("ab"), theme=theme)
    async with program.app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press(*"hi", "enter")
        await program.pass_(pilot, 1)
        now = Jumping(program, pilot, [])
        program.app.push_screen(JumpOverlay(targets), now.results.append)
        await settle(pilot)
        await now.press(*keys)
        yield now


@pytest.mark.parametrize("theme", THEMES)
async def test_each_target_has_its_letter_at_its_corner(theme: str) -> None:
    async with jumping(theme=theme) as now:
        for target in TARGETS[:-1]:
            row = now.stage.row(target.region.y)
            assert row[target.region.x :].startswith(f"[{target.key}]")
        assert "[s]" not in now.stage.text
        assert "esc close" in now.stage.row(-1)


@pytest.mark.parametrize("theme", THEMES)
async def test_a_letter_stands_out_from_its_chip(theme: str) -> None:
    async with jumping(theme=theme) as now:
        strips = now.stage.app.screen._compositor.render_strips()  # noqa: SLF001 - what is really painted
        (style,) = [segment.style for segment in strips[4].crop(0, 3) if "[1]" in segment.text]
        assert style is not None
        assert style.reverse
        assert style.bold
        assert style.color != style.bgcolor


@pytest.mark.parametrize(("key", "result"), [("2", "seat-2"), ("a", "answer"), ("A", "answer")])
async def test_its_key_jumps_to_a_target(key: str, result: str) -> None:
    async with jumping(keys=(key,)) as now:
        assert now.results == [result]


@pytest.mark.parametrize("key", ["escape", "ctrl+g"])
async def test_it_closes_and_nothing_was_meant(key: str) -> None:
    async with jumping(keys=(key,)) as now:
        assert now.results == [None]


async def test_other_keys_do_nothing_not_even_below() -> None:
    async with jumping(keys=("x", "s", "9", "enter", "f9", "tab", "up")) as now:
        assert now.results == []
        assert isinstance(now.stage.app.screen, JumpOverlay)


@pytest.mark.parametrize(
    ("x", "y", "result"), [(1, 4, "seat-1"), (60, 9, "seat-2"), (20, 16, "answer"), (5, 1, None)]
)
async def test_a_click_jumps_to_what_is_there(x: int, y: int, result: str | None) -> None:
    async with jumping() as now:
        await now.pilot.click(offset=(x, y))
        await settle(now.pilot)
        assert now.results == [result]


async def test_the_streams_below_go_on_and_are_seen() -> None:
    async with jumping() as now:
        below = now.stage.app.screen_stack[0]
        assert "word4" not in now.stage.text
        await now.stage.clock.pass_(5)
        await settle(now.pilot)
        below.query_one(MainStage).frames.flush()
        await settle(now.pilot)
        assert "word4" in now.stage.text
        assert "[1]" in now.stage.text


async def test_another_size_of_the_terminal_closes_it() -> None:
    async with jumping() as now:
        await now.pilot.resize_terminal(100, 30)
        await settle(now.pilot)
        assert now.results == [None]


def test_no_chip_hides_another_or_leaves_the_screen() -> None:
    regions = [Region(0, 0, 9, 9), Region(0, 0, 5, 5), Region(1, 0, 2, 2), Region(79, 30, 5, 1)]
    places = places_of(regions, Size(80, 24))
    assert places == [Offset(0, 0), Offset(3, 0), Offset(6, 0), Offset(77, 23)]
