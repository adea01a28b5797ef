"""Themes are files; one that lacks our variables still reads well."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.color import Color
from textual.theme import BUILTIN_THEMES, Theme
from ui_fakes import mixture, settle, stage

from moa_tui.ui import themes

SHIPPED = Path(__file__).parents[2] / "themes"


def write(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text, encoding="utf-8")


def test_the_shipped_themes_load_and_define_every_variable_of_ours() -> None:
    shelf = themes.load([SHIPPED])

    assert sorted(shelf.themes) == ["moa-ansi", "moa-contrast", "moa-dark", "moa-light"]
    assert shelf.notices == ()
    for theme in shelf.themes.values():
        assert set(themes.VARIABLES) <= theme.variables.keys()


def test_one_theme_can_be_loaded_alone() -> None:
    assert list(themes.load([SHIPPED], stem="moa-light").themes) == ["moa-light"]


def test_of_two_themes_with_one_name_the_later_folder_wins(tmp_path: Path) -> None:
    write(tmp_path, "mine.toml", 'name = "moa-dark"\nprimary = "#123456"\n')

    assert themes.load([SHIPPED, tmp_path]).themes["moa-dark"].primary == "#123456"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("primary = #123456", "(at line 1, column 11)"),
        ('primary = "#12zz56"', "primary = '#12zz56' is no colour"),
        ('primary = "#123456"\nprimry = "x"', "unknown key 'primry'"),
        ('primary = "#123456"\ndark = "yes"', "dark = 'yes' is of the wrong kind"),
        ('primary = "#123456"\n[variables]\nedge = 3', "[variables] wants texts"),
        ('primary = "#123456"\n[variables]\nedge = "nope"', "edge = 'nope' is no colour"),
    ],
)
def test_a_broken_theme_is_left_out_and_named(tmp_path: Path, text: str, said: str) -> None:
    write(tmp_path, "broken.toml", text)

    shelf = themes.load([SHIPPED, tmp_path])

    assert len(shelf.themes) == 4
    assert len(shelf.notices) == 1
    assert shelf.notices[0].startswith("theme broken.toml was left out: ")
    assert said in shelf.notices[0]


def test_a_theme_without_a_primary_colour_is_left_out(tmp_path: Path) -> None:
    write(tmp_path, "empty.toml", "dark = true")

    assert themes.load([tmp_path]).notices == (
        "theme empty.toml was left out: a theme needs at least primary",
    )


def test_a_theme_of_ours_needs_nothing_derived() -> None:
    ours = themes.load([SHIPPED]).themes

    assert themes.derived(ours["moa-light"], ours) == {}


@pytest.mark.parametrize("theme", BUILTIN_THEMES.values(), ids=list(BUILTIN_THEMES))
@pytest.mark.parametrize("with_ours", [True, False])
def test_a_foreign_theme_gets_every_variable(theme: Theme, *, with_ours: bool) -> None:
    ours = themes.load([SHIPPED]).themes if with_ours else {}

    assert set(themes.VARIABLES) <= themes.derived(theme, ours).keys()


@pytest.mark.parametrize("theme", BUILTIN_THEMES.values(), ids=list(BUILTIN_THEMES))
def test_the_hues_of_a_foreign_theme_can_be_read_on_all_its_grounds(theme: Theme) -> None:
    generated = {**theme.to_color_system().generate(), **theme.variables}
    grounds = [Color.parse(generated[key]) for key in ("background", "surface", "panel")]

    hues = themes.readable_hues(theme, generated)

    assert bool(hues) != theme.ansi
    under_cursor = hues.pop("input-cursor-foreground", generated["background"])
    if hues:
        cursor = Color.parse(generated["input-cursor-background"])
        assert themes.contrast(Color.parse(under_cursor), cursor) >= 4.5
    for key, hue in hues.items():
        for ground in grounds:
            assert themes.contrast(Color.parse(hue), ground) >= 4.5, key


def test_the_hues_of_a_theme_of_ours_stay_as_they_are() -> None:
    theme = themes.load([SHIPPED]).themes["moa-light"]

    assert themes.readable_hues(theme, theme.to_color_system().generate()) == {}


def test_a_readable_hue_is_not_touched() -> None:
    theme = Theme("mine", primary="#ffffff", background="#000000", panel="#111111", dark=True)
    generated = theme.to_color_system().generate()

    assert themes.readable_hues(theme, generated)["primary"] == "#FFFFFF"


async def test_a_theme_of_the_user_that_knows_nothing_of_us_paints_the_screen(
    tmp_path: Path,
) -> None:
    write(tmp_path, "mine.toml", 'primary = "#884400"\nbackground = "#fff8f0"\ndark = false\n')
    write(tmp_path, "broken.toml", "primary = \n")
    program = stage({}, mixture("a"), theme="mine", theme_folders=(SHIPPED, tmp_path))
    async with program.app.run_test(size=(100, 30), notifications=True) as pilot:
        await settle(pilot)
        assert program.app.theme == "mine"
        assert program.app.theme_variables["seat-1"]
        assert "theme broken.toml was left out" in program.text


@pytest.mark.parametrize("name", ["nord", "gruvbox", "solarized-light", "textual-light"])
def test_derived_text_is_readable_on_the_foreign_ground(name: str) -> None:
    theme = BUILTIN_THEMES[name]
    derived = themes.derived(theme, themes.load([SHIPPED]).themes)
    generated = theme.to_color_system().generate()
    grounds = [Color.parse(generated[key]) for key in ("background", "surface", "panel")]

    for key in ("ink", "muted", "aggregator", "state-failed", "seat-1", "seat-6"):
        for ground in grounds:
            assert themes.contrast(Color.parse(derived[key]), ground) >= 4.4, key


@pytest.mark.parametrize(("name", "need"), [("dark", 4.5), ("light", 4.5), ("contrast", 7.0)])
def test_the_shipped_themes_keep_their_contrast(name: str, need: float) -> None:
    theme = themes.load([SHIPPED]).themes[f"moa-{name}"]
    colors = {
        key: Color.parse(theme.variables[key]) for key in themes.VARIABLES if "-style" not in key
    }
    surface, page = Color.parse(theme.surface or ""), Color.parse(theme.background or "")

    states = [key for key in colors if key.startswith("state-")]
    for key in ("ink", "bright", "muted", *states):
        assert themes.contrast(colors[key], surface) >= need, key
        assert themes.contrast(colors[key], page) >= need, key
        assert themes.contrast(colors[key], colors["head"]) >= need, key
    for number in range(1, 13):
        assert themes.contrast(colors["seat-ink"], colors[f"seat-{number}"]) >= need, number
    assert themes.contrast(colors["focus-ink"], colors["focus-head"]) >= need
    assert themes.contrast(colors["aggregator"], colors["aggregator-head"]) >= need
