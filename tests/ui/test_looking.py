"""Looking around in a race and after it: pin, unfold, layers, earlier turns, lanes, zoom."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from ui_fakes import TRIO, ask, focused_seat, mixture, says, settle, stage

from moa_tui.engine.mixture import Aggregator, Seat
from moa_tui.engine.provider import Finish, Text, Thinking
from moa_tui.providers.scripted import Wait
from moa_tui.ui.answer.answer import AnswerCard
from moa_tui.ui.answer.answer_view import AnswerView
from moa_tui.ui.composer.composer import Draft
from moa_tui.ui.race.race import RaceView
from moa_tui.ui.race.tile import Tile
from moa_tui.ui.sidebar.sidebar import Sidebar

if TYPE_CHECKING:
    from collections.abc import Iterable

    from textual.pilot import Pilot
    from ui_fakes import Stage

    from moa_tui.providers.scripted import Step

SIZES = [(160, 48), (100, 30), (80, 24), (60, 20)]


async def finish(show: Stage, pilot: Pilot[None], text: str = "why") -> None:
    """Ask, and let the run come to its end."""
    await ask(pilot, text)
    await show.pass_(pilot, 30.0)


async def press(pilot: Pilot[None], *keys: str) -> None:
    await pilot.press(*keys)
    await settle(pilot)


def tiles(show: Stage) -> list[int]:
    """The numbers of the seats whose tiles stand open."""
    shown = [tile for tile in show.app.screen.query(Tile) if tile.display and tile.region]
    return [tile.seat.number for tile in shown if tile.seat is not None]


@pytest.mark.parametrize("size", SIZES)
async def test_pinned_tiles_stay_open_beside_the_answer(size: tuple[int, int]) -> None:
    show = stage(TRIO)
    async with show.app.run_test(size=size) as pilot:
        await ask(pilot, "why")
        await press(pilot, "tab", "p")
        await show.pass_(pilot, 30.0)

        assert 1 in tiles(show)
        assert "The merged answer." in show.text

        await press(pilot, "p")
        assert tiles(show) == []
        assert "The merged answer." in show.text


@pytest.mark.parametrize("size", SIZES)
async def test_a_digit_unfolds_the_proposals_and_esc_folds_them(size: tuple[int, int]) -> None:
    show = stage(TRIO)
    async with show.app.run_test(size=size) as pilot:
        await finish(show, pilot)
        assert tiles(show) == []

        await press(pilot, "tab", "2")
        assert focused_seat(show) == Seat(1, 2)
        assert "beta two and more" in show.text

        await press(pilot, "escape")
        assert tiles(show) == []
        assert isinstance(show.app.focused, AnswerView)


async def test_a_click_on_a_folded_row_opens_its_tile() -> None:
    show = stage(TRIO)
    async with show.app.run_test(size=(120, 30)) as pilot:
        await finish(show, pilot)
        row = next(n for n, line in enumerate(show.text.split("\n")) if " 3  c" in line)
        await pilot.click(offset=(60, row))
        await settle(pilot)

        assert focused_seat(show) == Seat(1, 3)


async def test_left_and_right_lead_through_the_layers() -> None:
    show = stage(TRIO, mixture(layers=3))
    async with show.app.run_test(size=(100, 30)) as pilot:
        await finish(show, pilot)
        await press(pilot, "tab", "3")
        assert focused_seat(show) == Seat(3, 3)
        assert "▾ ✓ Layer 3" in show.text

        await press(pilot, "left", "left")
        assert focused_seat(show) == Seat(1, 3)
        assert "▾ ✓ Layer 1" in show.text

        await press(pilot, "left", "right")
        assert focused_seat(show) == Seat(2, 3)


async def test_a_click_on_a_layers_line_opens_it_and_again_folds_it() -> None:
    show = stage(TRIO, mixture(layers=2))
    async with show.app.run_test(size=(160, 48)) as pilot:
        await finish(show, pilot)
        row = next(n for n, line in enumerate(show.text.split("\n")) if "Layer 1" in line)
        await pilot.click(offset=(60, row))
        await settle(pilot)
        opened = (tiles(show), "▾ ✓ Layer 1" in show.text)
        await pilot.click(offset=(60, row))
        await settle(pilot)

        assert opened == ([1, 2, 3], True)
        assert tiles(show) == []


async def test_while_a_layer_runs_the_one_before_can_be_looked_at() -> None:
    show = stage(TRIO, mixture(layers=2))
    async with show.app.run_test(size=(100, 30)) as pilot:
        await ask(pilot, "why")
        await show.pass_(pilot, 6.0)
        await press(pilot, "tab", "left")
        assert focused_seat(show) == Seat(1, 1)
        assert "alpha one" in show.text

        await press(pilot, "escape")
        await show.pass_(pilot, 1.0)
        assert show.app.screen.query_one(Draft).is_queueing
        assert "▾ ● Layer 2" in show.text


@pytest.mark.parametrize("size", SIZES)
async def test_an_earlier_turn_shows_its_tiles_again(size: tuple[int, int]) -> None:
    show = stage(TRIO)
    async with show.app.run_test(size=size) as pilot:
        await finish(show, pilot, "first")
        await finish(show, pilot, "second")
        show.app.screen.query_one(AnswerView).focus()
        await press(pilot, "home", "enter")

        assert "Turn 1" in show.text
        assert 1 in tiles(show)
        assert focused_seat(show) == Seat(1, 1)

        await press(pilot, "escape")
        assert "Turn 1" not in show.text
        assert tiles(show) == []


async def test_a_new_prompt_leaves_the_earlier_turn() -> None:
    show = stage(TRIO)
    async with show.app.run_test(size=(100, 30)) as pilot:
        await finish(show, pilot, "first")
        await finish(show, pilot, "second")
        show.app.screen.query_one(AnswerView).focus()
        await press(pilot, "home", "enter", "i")
        await ask(pilot, "third")
        await show.pass_(pilot, 1.0)

        assert "Turn 1" not in show.text
        assert "● Layer 1" in show.text


@pytest.mark.parametrize("size", SIZES)
async def test_w_turns_tiles_into_lanes_and_back(size: tuple[int, int]) -> None:
    show = stage(TRIO)
    async with show.app.run_test(size=size) as pilot:
        await ask(pilot, "why")
        await show.pass_(pilot, 1.0)
        await press(pilot, "tab", "tab", "w")
        lanes = show.app.screen.query_one(RaceView)
        assert show.app.focused is lanes
        assert lanes.selected == Seat(1, 2)
        assert tiles(show) == []
        assert "beta" in show.text

        await press(pilot, "3")
        assert lanes.selected == Seat(1, 3)

        await press(pilot, "w")
        assert focused_seat(show) == Seat(1, 3)
        assert 3 in tiles(show)


async def test_a_lane_takes_the_commands_of_a_seat() -> None:
    show = stage(TRIO)
    async with show.app.run_test(size=(100, 30)) as pilot:
        await ask(pilot, "why")
        await show.pass_(pilot, 1.0)
        await press(pilot, "tab", "w", "2", "x")
        assert "■ stopped" in show.text

        await show.pass_(pilot, 30.0)
        assert "The merged answer." in show.text


async def test_enter_on_a_lane_shows_the_seats_text() -> None:
    show = stage(TRIO)
    async with show.app.run_test(size=(100, 30)) as pilot:
        await ask(pilot, "why")
        await show.pass_(pilot, 1.0)
        await press(pilot, "tab", "w", "2", "enter")

        assert focused_seat(show) == Seat(1, 2)


@pytest.mark.parametrize("size", SIZES)
async def test_zoom_gives_a_tile_all_the_room_and_esc_gives_it_back(size: tuple[int, int]) -> None:
    show = stage(TRIO)
    async with show.app.run_test(size=size) as pilot:
        await ask(pilot, "why")
        await show.pass_(pilot, 1.0)
        await press(pilot, "tab", "2", "z")
        assert tiles(show) == [2]
        zoomed = next(tile for tile in show.app.screen.query(Tile) if tile.display)
        assert zoomed.size.width >= size[0] - 2
        assert zoomed.size.height >= size[1] - 7

        await press(pilot, "3")
        assert tiles(show) == [3]

        await press(pilot, "escape")
        assert len(tiles(show)) > 1 or size == (60, 20)
        assert "■ stopped" not in show.text


async def test_zoom_from_the_composer_gives_the_answer_all_the_room() -> None:
    show = stage(TRIO)
    async with show.app.run_test(size=(160, 48)) as pilot:
        await finish(show, pilot)
        before = show.app.screen.query_one(AnswerView).size
        await press(pilot, "f10")
        after = show.app.screen.query_one(AnswerView).size
        await press(pilot, "escape")

        assert after.height > before.height
        assert after.width > before.width
        assert show.app.screen.query_one(AnswerView).size == before


async def test_t_unfolds_the_thinking_of_a_finished_tile() -> None:
    def thoughtful(_request: object) -> Iterable[Step]:
        yield Wait(1.0)
        yield Thinking("hidden reasons")
        yield Text("alpha")
        yield Finish("stop")

    show = stage({**TRIO, "a": thoughtful})
    async with show.app.run_test(size=(160, 48)) as pilot:
        await finish(show, pilot)
        await press(pilot, "tab", "1")
        assert "hidden reasons" not in show.text

        await press(pilot, "t")
        assert "hidden reasons" in show.text

        await press(pilot, "t")
        assert "hidden reasons" not in show.text


async def test_thinking_can_be_folded_while_it_streams() -> None:
    show = stage({**TRIO, "a": says("alpha", thinks=["deep ", "deeper ", "deepest "])})
    async with show.app.run_test(size=(160, 48)) as pilot:
        await ask(pilot, "why")
        await show.pass_(pilot, 2.0)
        assert "deep deeper" in show.text

        await press(pilot, "tab", "1", "t")
        await show.pass_(pilot, 1.0)
        assert "deepest" not in show.text
        assert "its thinking is folded" in show.text


async def test_one_tile_at_every_size_and_twelve_stay_usable() -> None:
    names = "abcdefghijkl"
    for size in SIZES:
        many = stage(
            {**{name: says(f"I am {name}", "!") for name in names}, "z": says("Merged.")},
            mixture(names, merger="z"),
        )
        async with many.app.run_test(size=size) as pilot:
            await ask(pilot, "why")
            await many.pass_(pilot, 1.0)
            await press(pilot, "tab", "9")
            assert focused_seat(many) == Seat(1, 9)
            assert "I am i" in many.text
            await many.pass_(pilot, 10.0)
            assert "Merged." in many.text


async def test_proposals_that_are_ready_are_compared_before_the_merge() -> None:
    same = says("Sunlight is scattered by the molecules of the air, blue light most of all.")
    show = stage({**TRIO, "a": same, "b": same})
    async with show.app.run_test(size=(160, 48)) as pilot:
        await ask(pilot, "why")
        await show.pass_(pilot, 1.0)
        assert "Agreement so far  1 and 2 say the same in 1 of 1 sentences" in show.text

        await show.pass_(pilot, 30.0)
        assert "Agreement so far" not in show.text


async def test_an_answer_says_where_its_sentences_are_from_until_that_is_hidden() -> None:
    blue = "Sunlight is scattered by the molecules of the air, blue light most of all."
    red = "At sunset the long way through the atmosphere removes the blue part of the light."
    show = stage(
        {**TRIO, "a": says(blue), "b": says(red), "m": says(f"{blue}\n\n", red)},
        mixture("abc"),
    )
    async with show.app.run_test(size=(160, 48)) as pilot:
        await finish(show, pilot)
        assert f"only 1 {blue}" in show.text
        assert f"only 2 {red}" in show.text
        assert "% of ★" in show.text

        await press(pilot, "tab", "v")
        assert "only 1" not in show.text
        assert "% of ★" not in show.text


def silent(_request: object) -> Iterable[Step]:
    yield Wait(1.0)
    yield Text("a beginning ")
    yield Wait(1000.0)
    yield Text("and an end")
    yield Finish("stop")


def answers_height(show: Stage) -> int:
    return show.app.screen.query_one(AnswerCard).size.height


@pytest.mark.parametrize(("size", "least"), [((80, 24), 10), ((160, 48), 24)])
async def test_after_a_stop_the_answers_have_half_of_the_room_while_they_are_read(
    size: tuple[int, int], least: int
) -> None:
    show = stage({**TRIO, "a": silent})
    async with show.app.run_test(size=size) as pilot:
        await ask(pilot, "why")
        await show.pass_(pilot, 3.0)
        assert "a beginning" in show.text
        before = answers_height(show)
        await press(pilot, "escape")
        stopped = answers_height(show)
        assert "a beginning" in show.text
        assert stopped < least

        await press(pilot, "shift+tab")
        assert show.app.focused is show.app.screen.query_one(AnswerView)
        assert answers_height(show) >= least
        await press(pilot, "1")
        assert focused_seat(show) == Seat(1, 1)
        assert answers_height(show) == stopped

        await press(pilot, "f5")
        await show.pass_(pilot, 3.0)
        assert answers_height(show) == before


async def test_after_a_mere_race_earlier_answers_are_a_key_away_however_small_the_screen() -> None:
    show = stage(TRIO)
    async with show.app.run_test(size=(80, 24)) as pilot:
        await ask(pilot, "why")
        await show.pass_(pilot, 30.0)
        sidebar = show.app.screen.query_one(Sidebar)
        sidebar.load(replace(mixture(), aggregator=Aggregator(strategy="none")))
        await ask(pilot, "and")
        await show.pass_(pilot, 30.0)
        assert "gamma three and more still" in show.text
        assert "The merged answer." not in show.text

        await press(pilot, "f10")
        assert "The merged answer." in show.text
        await press(pilot, "escape")
        assert "gamma three and more still" in show.text
