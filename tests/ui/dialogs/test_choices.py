"""Only the rows in sight are drawn, however long the list is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.segment import Segment
from textual import on
from textual.app import App
from ui_fakes import SHIPPED_THEMES, settle

from moa_tui.ui import themes
from moa_tui.ui.dialogs.choices import Choices, marked
from moa_tui.ui.look import Palette

if TYPE_CHECKING:
    from textual.app import ComposeResult


class Numbers:
    """Rows that are numbers; a head stands before every tenth."""

    def __init__(self, count: int, *, heads: bool = False) -> None:
        self._count, self._heads = count, heads
        self.drawn: list[int] = []

    def __len__(self) -> int:
        return self._count

    def may_stop(self, number: int, /) -> bool:
        return not (self._heads and number % 10 == 0)

    def row(
        self, number: int, width: int, palette: Palette, /
    ) -> tuple[list[Segment], list[Segment]]:
        del width, palette
        self.drawn.append(number)
        return [Segment(str(number))], []


class Shelf(App[None]):
    """A list of twelve rows in sight, and what it said."""

    CSS = "Choices { height: 12; }"

    def __init__(self, numbers: Numbers) -> None:
        self.shelf = themes.load((SHIPPED_THEMES,))
        super().__init__()
        self.numbers = numbers
        self.choices = Choices()
        self.said: list[str] = []

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return themes.derived(self.current_theme, self.shelf.themes)

    def compose(self) -> ComposeResult:
        yield self.choices

    def on_mount(self) -> None:
        self.choices.show(self.numbers)

    @on(Choices.Moved)
    def moved(self) -> None:
        self.said.append(f"at {self.choices.at}")

    @on(Choices.Picked)
    def picked(self) -> None:
        self.said.append("picked")


async def test_of_a_hundred_thousand_rows_only_those_in_sight_are_drawn() -> None:
    app = Shelf(Numbers(100_000))
    async with app.run_test(size=(40, 12)) as pilot:
        await settle(pilot)
        assert set(app.numbers.drawn) == set(range(12))

        app.numbers.drawn.clear()
        app.choices.move(1)
        await settle(pilot)
        assert set(app.numbers.drawn) == {0, 1}

        app.numbers.drawn.clear()
        app.choices.move_to_end(1)
        await settle(pilot)
        assert app.choices.at == 99_999
        assert set(app.numbers.drawn) <= {1, *range(99_988, 100_000)}


async def test_the_cursor_passes_heads_and_shows_the_one_above_it() -> None:
    app = Shelf(Numbers(40, heads=True))
    async with app.run_test(size=(40, 12)) as pilot:
        await settle(pilot)
        assert app.choices.at == 1
        places = []
        for step in (8, 1, -1, 30, 99, -99):
            app.choices.move(step)
            places.append(app.choices.at)
        await settle(pilot)

        assert places == [9, 11, 9, 39, 39, 1]
        assert app.choices.scroll_offset.y == 0


async def test_a_list_of_heads_only_has_no_cursor_and_moves_nowhere() -> None:
    app = Shelf(Numbers(1, heads=True))
    async with app.run_test(size=(40, 12)) as pilot:
        app.choices.move(1)
        app.choices.move_to_end(-1)
        app.choices.move_to_end(1)
        await pilot.click(Choices, offset=(3, 0))
        assert app.choices.at is None
        assert app.said == ["at None"]


async def test_a_click_moves_the_cursor_and_a_second_one_picks() -> None:
    app = Shelf(Numbers(5))
    async with app.run_test(size=(40, 12)) as pilot:
        await settle(pilot)
        app.said.clear()
        for row in (3, 3, 9):
            await pilot.click(Choices, offset=(3, row))
        await settle(pilot)
        assert app.said == ["at 3", "picked"]


async def test_the_wheel_scrolls_and_the_next_key_brings_the_cursor_back() -> None:
    app = Shelf(Numbers(100))
    async with app.run_test(size=(40, 12)) as pilot:
        await settle(pilot)
        app.choices.scroll_to(y=50, animate=False, force=True)
        await settle(pilot)
        assert app.choices.at == 0
        app.choices.move(1)
        await settle(pilot)
        assert app.choices.scroll_offset.y <= 1


def test_found_letters_stand_out() -> None:
    palette = Palette.of({})
    pieces = marked("abcd", frozenset({1, 2}), palette.ink, palette.bright)
    assert [piece.text for piece in pieces] == ["a", "bc", "d"]
    assert [piece.text for piece in marked("ab", frozenset(), palette.ink, palette.bright)] == [
        "ab"
    ]
