"""Preferences know where they come from, and say in words why one can't be changed."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from moa_tui.errors import ConfigError
from moa_tui.ui.ports import Setting
from moa_tui.ui.settings import Keeping, KeptSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

ON, OFF = True, False
VALUES: Mapping[str, str | bool | float] = {
    "theme": "moa-dark",
    "notify": True,
    "title": True,
    "glyphs": "unicode",
    "motion": "full",
    "sidebar": True,
    "budget": 0.0,
    "preset": "not of this dialog",
}


@dataclass
class Notebook:
    """Remembers what is written, or refuses."""

    failure: str = ""
    written: list[tuple[str, str, str | float]] = field(default_factory=list)

    def remember(self, table: str, key: str, value: str | float, /) -> None:
        if self.failure:
            raise ConfigError(self.failure)
        self.written.append((table, key, value))


def kept(
    notebook: Notebook | None = None, *, option: str = "", is_utf8: bool = True, **origins: str
) -> KeptSettings:
    remember = (notebook or Notebook()).remember
    return KeptSettings(VALUES, origins, remember=remember, theme=option, is_utf8=is_utf8)


def test_a_value_comes_from_a_default_our_file_or_above() -> None:
    values = kept(notify="state.toml", title="config.toml", motion="TEXTUAL_ANIMATIONS").values()

    assert list(values) == ["theme", "notify", "title", "glyphs", "motion", "sidebar", "budget"]
    assert values["sidebar"] == Setting(ON)
    assert values["notify"] == Setting(ON, "state.toml")
    assert values["title"] == Setting(ON, "config.toml", "config.toml")
    assert values["motion"].fixed_by == "TEXTUAL_ANIMATIONS"


def test_the_command_lines_theme_holds_without_fixing_anything() -> None:
    assert kept(option="nord").values()["theme"] == Setting("nord", "--theme")
    fixed = kept(option="nord", theme="config.toml").values()["theme"]
    assert fixed == Setting("nord", "--theme", "config.toml")


def test_a_locale_without_utf8_means_ascii_unless_somebody_said_otherwise() -> None:
    assert kept(is_utf8=False).values()["glyphs"] == Setting("ascii", "locale")
    said = kept(is_utf8=False, glyphs="state.toml").values()["glyphs"]
    assert said == Setting("unicode", "state.toml")


def test_a_change_is_written_and_holds() -> None:
    notebook = Notebook()
    settings = kept(notebook, is_utf8=False)

    settings.change("glyphs", "unicode")

    assert notebook.written == [("preferences", "glyphs", "unicode")]
    assert settings.values()["glyphs"] == Setting("unicode", "state.toml")


def test_what_a_file_above_fixes_is_not_written() -> None:
    notebook = Notebook()
    settings = kept(notebook, notify="config.toml")

    with pytest.raises(ConfigError, match=r"^config.toml fixes notifications: change it there.$"):
        settings.change("notify", OFF)

    assert notebook.written == []
    assert settings.values()["notify"].value is True


def test_what_cannot_be_written_stays_as_it_was_saved() -> None:
    settings = kept(Notebook("state.toml can't be written: disk full"))

    with pytest.raises(ConfigError, match="disk full"):
        settings.change("notify", OFF)

    assert settings.values()["notify"] == Setting(ON)


# Keeping.


def keeping(settings: KeptSettings) -> tuple[Keeping, list[tuple[str, object]]]:
    used: list[tuple[str, object]] = []
    return Keeping(settings, lambda key, value: used.append((key, value))), used


async def test_a_value_is_used_and_saved() -> None:
    notebook = Notebook()
    keeper, used = keeping(kept(notebook))

    keeper.use("motion", "reduced")
    assert await keeper.save("motion", "reduced") == ""

    assert used == [("motion", "reduced")]
    assert notebook.written == [("preferences", "motion", "reduced")]


async def test_a_fixed_value_is_neither_used_nor_saved() -> None:
    notebook = Notebook()
    keeper, used = keeping(kept(notebook, motion="TEXTUAL_ANIMATIONS"))

    keeper.use("motion", "reduced")
    why = await keeper.save("motion", "reduced")

    assert why == "TEXTUAL_ANIMATIONS fixes motion: change it there."
    assert (used, notebook.written) == ([], [])


async def test_a_fixed_theme_may_be_worn_until_one_leaves() -> None:
    notebook = Notebook()
    keeper, used = keeping(kept(notebook, theme="config.toml"))

    keeper.use("theme", "nord")
    why = await keeper.save("theme", "nord")

    assert why == ("It holds until you leave: config.toml brings back moa-dark at the next start.")
    assert (used, notebook.written) == ([("theme", "nord")], [])
    assert await keeper.save("theme", "moa-dark") == ""


async def test_a_value_that_cannot_be_saved_holds_until_one_leaves() -> None:
    keeper, used = keeping(kept(Notebook("disk full")))

    keeper.use("notify", OFF)
    why = await keeper.save("notify", OFF)

    assert used == [("notify", OFF)]
    assert why == "It holds until you leave, it wasn't saved: disk full"


async def test_the_last_of_several_changes_is_the_one_that_stays() -> None:
    notebook = Notebook()
    keeper, _ = keeping(kept(notebook))

    async with asyncio.TaskGroup() as group:
        for value in (False, True, False):
            group.create_task(keeper.save("title", value))

    assert [value for *_, value in notebook.written] == [False, True, False]
