"""Settings: what holds and why, changed with one key; themes are seen before they are kept."""

from __future__ import annotations

import threading
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from dialog_fakes import NARROW, NARROWEST, WIDE, Opened, opened
from textual.theme import BUILTIN_THEMES, Theme

from moa_tui.errors import ConfigError
from moa_tui.ui import appearance
from moa_tui.ui.dialogs.settings import SettingsDialog
from moa_tui.ui.dialogs.settings_rows import ThemeListing, in_order
from moa_tui.ui.dialogs.themes import ThemePicker
from moa_tui.ui.settings import Keeping, KeptSettings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from textual.app import App

    from moa_tui.ui.ports import SettingKey, SettingValue


@dataclass
class Desk:
    """The settings of a program under test: what is used, what is written."""

    origins: dict[str, str] = field(default_factory=dict)
    option: str = ""
    failure: str = ""
    is_utf8: bool = True
    used: list[tuple[str, SettingValue]] = field(default_factory=list)
    written: list[tuple[str, SettingValue]] = field(default_factory=list)
    app: App[None] | None = None
    disk: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.disk.set()

    def dialog(self) -> SettingsDialog:
        values: dict[str, SettingValue] = {"theme": "moa-dark", "glyphs": "unicode", "budget": 0.0}
        values |= {"motion": "full", "notify": True, "title": True, "sidebar": False}
        kept = KeptSettings(
            values, self.origins, remember=self.remember, theme=self.option, is_utf8=self.is_utf8
        )
        return SettingsDialog(Keeping(kept, self.use))

    def remember(self, _table: str, key: str, value: SettingValue, /) -> None:
        self.disk.wait(10)
        if self.failure:
            raise ConfigError(self.failure)
        self.written.append((key, value))

    def use(self, key: SettingKey, value: SettingValue) -> None:
        self.used.append((key, value))
        if self.app is not None:
            appearance.take_up(self.app, key, value)


@asynccontextmanager
async def settings(
    desk: Desk, *keys: str, size: tuple[int, int] = NARROW
) -> AsyncIterator[Opened[None]]:
    async with opened(desk.dialog, size=size) as now:
        desk.app = now.stage.app
        await press(now, *keys)
        yield now


async def press(now: Opened[None], *keys: str) -> None:
    """Press keys and let what they changed be saved."""
    await now.press(*keys)
    await now.stage.app.workers.wait_for_complete()
    await now.settle()


def values(now: Opened[None]) -> list[str]:
    """Return the rows of the list without their pointer, single spaced."""
    return [" ".join(row.removeprefix("›").split()) for row in now.card[2:8]]


async def test_each_row_says_what_holds_and_where_it_comes_from() -> None:
    origins = {"notify": "state.toml", "title": "config.toml", "motion": "TEXTUAL_ANIMATIONS"}
    async with settings(Desk(origins, is_utf8=False)) as now:
        assert values(now) == [
            "Theme ◂ moa-dark ▸ default",
            "Notifications ◂ on ▸ set here",
            "Window title on config.toml",
            "Glyphs ◂ ASCII ▸ the locale isn't UTF-8",
            "Motion full environment: TEXTUAL_ANIMATIONS",
            "Sidebar ◂ off ▸ default",
        ]


async def test_sixty_columns_say_it_in_fewer_words() -> None:
    origins = {"notify": "state.toml", "title": "config.toml", "motion": "TEXTUAL_ANIMATIONS"}
    async with settings(Desk(origins, is_utf8=False), size=NARROWEST) as now:
        assert [row.split()[-1] for row in values(now)] == [
            *("default", "here", "config.toml", "locale", "environment", "default"),
        ]


@pytest.mark.parametrize("key", ["right", "left", "space", "enter", "l", "h"])
async def test_a_key_changes_a_value_which_holds_at_once_and_is_saved(key: str) -> None:
    desk = Desk()
    async with settings(desk, "down", key) as now:
        assert values(now)[1] == "Notifications ◂ off ▸ set here"
        assert desk.used == desk.written == [("notify", False)]
        await press(now, key)
        assert desk.written == [("notify", False), ("notify", True)]


async def test_glyphs_change_on_the_screen_below_too() -> None:
    async with settings(Desk(), "down", "down", "down", "right") as now:
        assert values(now)[3].startswith("> Glyphs < ASCII > set here")
        assert {letter for letter in now.text if not letter.isascii()} <= set("用写一个贪吃蛇游戏")


async def test_what_a_file_fixes_is_refused_in_words() -> None:
    desk = Desk({"notify": "config.toml"})
    async with settings(desk, "down", "right") as now:
        assert now.row(having="change it there").strip() == (
            "! config.toml fixes notifications: change it there."
        )
        assert values(now)[1] == "Notifications on config.toml"
        assert desk.used == desk.written == []


async def test_what_cannot_be_saved_holds_and_says_so() -> None:
    desk = Desk(failure="state.toml can't be written: disk full")
    async with settings(desk, "down", "right", size=WIDE) as now:
        assert "! It holds until you leave, it wasn't saved: state.toml can't" in now.text
        assert values(now)[1] == "Notifications ◂ off ▸ default"
        assert desk.used == [("notify", False)]


async def test_a_change_that_fails_after_the_dialog_is_closed_is_told_too() -> None:
    desk = Desk(failure="disk full")
    desk.disk.clear()
    async with settings(desk) as now:
        await now.press("down", "right", "escape")
        assert now.results == [None]
        desk.disk.set()
        await press(now)
        told = [note.message for note in now.stage.app._notifications]  # noqa: SLF001 - there is no other door
        assert told == ["It holds until you leave, it wasn't saved: disk full"]


# A budget, which is any number.


def budget(now: Opened[None]) -> str:
    """Return the row of the budget, single spaced."""
    return " ".join(now.row(having="Budget").removeprefix("›").split())


async def test_a_budget_is_typed_and_kept_by_enter() -> None:
    desk = Desk()
    async with settings(desk, "end", *"0.257", "backspace") as now:
        assert budget(now) == "Budget ◂ $0.25▏ ▸ being typed"
        assert "Enter keeps it, esc brings back none." in now.text
        assert desk.written == []
        await press(now, "enter")
        assert budget(now) == "Budget ◂ $0.25 ▸ set here"
        assert desk.used == desk.written == [("budget", 0.25)]
        await press(now, "right")
        assert desk.written[-1] == ("budget", 0.5)


@pytest.mark.parametrize("key", ["up", "home"])
async def test_going_on_to_another_row_keeps_the_budget(key: str) -> None:
    desk = Desk()
    async with settings(desk, "end", "3", key):
        assert desk.written == [("budget", 3.0)]


async def test_esc_brings_back_the_budget_and_then_closes() -> None:
    desk = Desk()
    async with settings(desk, "end", "3", "escape") as now:
        assert budget(now) == "Budget ◂ none ▸ default"
        await press(now, "escape")
        assert (now.results, desk.written) == ([None], [])


async def test_what_is_no_number_is_not_typed() -> None:
    async with settings(Desk(), "end", *"1.5.x-e2") as now:
        assert budget(now) == "Budget ◂ $1.52▏ ▸ being typed"
    async with settings(Desk(), "end", ".", "enter") as now:
        assert budget(now) == "Budget ◂ none ▸ set here"


async def test_a_budget_that_a_file_fixes_is_not_typed() -> None:
    desk = Desk({"budget": "config.toml"})
    async with settings(desk, "end", "3", "enter") as now:
        assert "config.toml fixes budget: change it there." in now.text
        assert (budget(now), desk.written) == ("Budget none config.toml", [])


# Themes in their row.


async def test_a_theme_is_seen_at_once_and_kept_by_enter() -> None:
    desk = Desk()
    async with settings(desk, "right") as now:
        assert now.stage.app.theme == "moa-light"
        assert values(now)[0] == "Theme ◂ moa-light ▸ tried out"
        assert now.row(having="brings back").strip() == (
            "You see it; enter keeps it, esc brings back moa-dark."
        )
        assert desk.written == []
        await press(now, "enter")
        assert desk.written == [("theme", "moa-light")]
        assert values(now)[0] == "Theme ◂ moa-light ▸ set here"


async def test_esc_brings_back_the_theme_and_then_closes() -> None:
    desk = Desk()
    async with settings(desk, "right", "right") as now:
        assert now.stage.app.theme == "moa-contrast"
        await press(now, "escape")
        assert now.stage.app.theme == "moa-dark"
        assert now.results == []
        await press(now, "escape")
        assert now.results == [None]
        assert desk.written == []


async def test_going_round_to_the_same_theme_leaves_nothing_to_keep() -> None:
    async with settings(Desk(), "right", "left") as now:
        assert values(now)[0] == "Theme ◂ moa-dark ▸ default"


async def test_going_on_to_another_row_keeps_the_theme() -> None:
    desk = Desk()
    async with settings(desk, "right", "down") as now:
        assert now.chosen.startswith("Notifications")
        assert desk.written == [("theme", "moa-light")]


async def test_a_theme_that_config_toml_fixes_may_be_worn_until_one_leaves() -> None:
    desk = Desk({"theme": "config.toml"})
    async with settings(desk, "right", "enter", size=WIDE) as now:
        assert now.stage.app.theme == "moa-light"
        assert now.row(having="holds until").strip() == (
            "! It holds until you leave: config.toml brings back moa-dark at the next start."
        )
        assert desk.written == []


async def test_a_theme_of_the_command_line_says_that_it_is_one() -> None:
    desk = Desk(option="moa-dark")
    async with settings(desk, size=WIDE) as now:
        assert values(now)[0] == "Theme ◂ moa-dark ▸ command line: --theme"
        assert "For this start --theme says so" in now.text
        await press(now, "right", "enter")
        assert desk.written == [("theme", "moa-light")]


async def test_enter_opens_the_list_and_what_it_ends_with_is_kept() -> None:
    desk = Desk()
    async with settings(desk, "enter", *"nord", "enter") as now:
        assert now.stage.app.theme == "nord"
        assert desk.written == [("theme", "nord")]
        assert values(now)[0] == "Theme ◂ nord ▸ set here"


# The list of themes.


def make_picker() -> ThemePicker:
    return ThemePicker()


@asynccontextmanager
async def themes(
    *keys: str, size: tuple[int, int] = NARROW, make: Callable[[], ThemePicker] = make_picker
) -> AsyncIterator[Opened[str]]:
    async with opened(make, size=size, keys=keys) as now:
        yield now


async def test_the_list_begins_at_the_theme_in_use() -> None:
    async with themes() as now:
        assert now.chosen.split() == ["moa-dark", "in", "use", "dark"]
        assert now.stage.app.theme == "moa-dark"


async def test_moving_shows_the_theme_and_esc_brings_the_old_one_back() -> None:
    async with themes("down") as now:
        assert now.stage.app.theme == "moa-light"
        await now.press("down")
        assert now.stage.app.theme == "moa-contrast"
        await now.press("escape")
        assert (now.stage.app.theme, now.results) == ("moa-dark", [None])


async def test_typing_shows_the_best_theme_and_enter_keeps_it() -> None:
    async with themes(*"grv") as now:
        assert now.stage.app.theme == "gruvbox"
        await now.press("enter")
        assert (now.stage.app.theme, now.results) == ("gruvbox", ["gruvbox"])


async def test_keys_that_come_all_at_once_end_with_what_the_cursor_is_on() -> None:
    async with themes() as now:
        await now.pilot.press("down", "down", "enter")
        await now.settle()
        assert (now.stage.app.theme, now.results) == ("moa-contrast", ["moa-contrast"])


async def test_a_query_that_finds_nothing_shows_the_old_theme_and_has_nothing_to_keep() -> None:
    async with themes(*"moa-light", "z") as now:
        assert now.stage.app.theme == "moa-dark"
        assert "there is no such theme" in now.text
        await now.press("enter")
        assert now.results == []


async def test_themes_stand_below_whose_they_are() -> None:
    mine = Theme(name="mine", primary="#123456", dark=False)
    listing = ThemeListing.of(
        {"nord": BUILTIN_THEMES["nord"], "mine": mine, "moa-dark": Theme("moa-dark", "#ffffff")},
        query="",
        now="mine",
    )
    rows = [row if isinstance(row, str) else row.name for row in listing.rows]
    assert rows == ["Ours", "moa-dark", "Yours", "mine", "Textual's", "nord"]
    assert [number for number in range(6) if not listing.may_stop(number)] == [0, 2, 4]
    assert listing.where("mine") == 3


def test_ours_come_first_then_the_users_then_textuals() -> None:
    names = ("nord", "zebra", "moa-ansi", "Apple", "moa-dark", "dracula")
    assert in_order(names) == ["moa-dark", "moa-ansi", "Apple", "zebra", "dracula", "nord"]


@pytest.mark.parametrize("size", [WIDE, (100, 30), NARROW, NARROWEST])
async def test_the_dialogs_fit_every_screen(size: tuple[int, int]) -> None:
    async with settings(Desk(), size=size) as now:
        assert len(values(now)) == 6
        assert "esc close" in now.card[-1]
    async with themes(size=size) as picker:
        assert "esc back to before" in picker.card[-1]
