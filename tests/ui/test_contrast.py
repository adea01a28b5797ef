"""Every letter that is painted can be read: measured on the screen, not in the theme's file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from textual.color import Color
from textual.filter import Monochrome, NoColor
from ui_fakes import mixture, says, settle, stage

from moa_tui.engine.provider import Finish, Phase, Retrying, Text, Thinking
from moa_tui.errors import ProviderError
from moa_tui.providers.scripted import Wait
from moa_tui.ui import appearance, themes
from moa_tui.ui.composer.composer import Draft
from moa_tui.ui.dialogs.settings import SettingsDialog
from moa_tui.ui.dialogs.themes import ThemePicker
from moa_tui.ui.settings import Keeping, KeptSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.segment import Segment
    from textual.app import App
    from textual.geometry import Region
    from textual.pilot import Pilot
    from ui_fakes import Stage

    from moa_tui.providers.scripted import Script, Step
    from moa_tui.ui.ports import SettingValue

NEEDS = {
    **dict.fromkeys(("moa-dark", "moa-light"), 4.5),
    "moa-contrast": 7.0,
    **dict.fromkeys(("nord", "textual-light", "gruvbox"), 4.5),
}
DECORATION = frozenset(" ▌█▕▏│─━┅╸╭╮╰╯┬┴├┤┼▁▂▃▄▅▆▇")
"""Lines, lanes and bars: what they say, a word or a figure beside them says too."""

CODE = (
    "## Merge\n\nThe *library* does it, see [the docs](https://x.test):\n\n```python\n"
    "import heapq  # lazily\n\n\nclass Merger(object):\n    size: int = 3\n\n"
    '    @property\n    def rows(self) -> str:\n        return f"{self.size:>4} of {None}"\n```\n\n'
    "> Quoted, with `code`.\n\n1. one\n2. two\n\n| a | b |\n|---|---|\n| 1 | **2** |\n\n---\n"
)
PLAIN = "Keep one item of every stream in a heap, and push the next one of the same stream."


def fails(_request: object) -> Iterator[Step]:
    yield Phase("connecting")
    raise ProviderError("auth", "The key was refused (401).", "check TOGETHER_API_KEY")


def retries(_request: object) -> Iterator[Step]:
    yield Retrying("rate_limit", "Together is rate limiting this key (429).", 40.0)
    yield Wait(60)
    yield Finish("stop")


def thinks(_request: object) -> Iterator[Step]:
    for word in PLAIN.split():
        yield Wait(0.2)
        yield Thinking(f"{word} ")
    yield Wait(60)
    yield Text("Short.")
    yield Finish("stop")


def waits(_request: object) -> Iterator[Step]:
    yield Phase("waiting")
    yield Wait(90)
    yield Finish("stop")


def streams(text: str, gap_s: float) -> Script:
    return says(*(f"{word} " for word in text.split(" ")), gap_s=gap_s)


RACE: dict[str, Script] = {
    "one": streams(PLAIN, 0.5),
    "done": streams(CODE, 0.01),
    "thinks": thinks,
    "fails": fails,
    "retries": retries,
    "waits": waits,
    "merger": streams(CODE, 0.01),
}
ENDED: dict[str, Script] = RACE | {
    name: streams(PLAIN, 0.02) for name in ("one", "thinks", "retries", "waits")
}
NAMES = [name for name in RACE if name != "merger"]


@dataclass(frozen=True)
class Piece:
    """Letters as they are painted."""

    letters: str
    ink: Color
    ground: Color
    row: str

    @property
    def contrast(self) -> float:
        return themes.contrast(self.ink, self.ground)


def painted(app: App[None], region: Region | None = None) -> Iterator[Piece]:
    """Yield what isn't decoration, on the screen or in a part of it."""
    strips = app.screen._compositor.render_strips()  # noqa: SLF001 - what is really painted
    if region is not None:
        strips = [strip.crop(region.x, region.right) for strip in strips[region.y : region.bottom]]
    for strip in strips:
        for segment in strip:
            letters = "".join(letter for letter in segment.text if letter not in DECORATION)
            if letters:
                yield Piece(letters, *colours(segment), strip.text.strip())


def colours(segment: Segment) -> tuple[Color, Color]:
    style = segment.style
    assert style is not None, segment
    assert style.color is not None, segment
    assert style.bgcolor is not None, segment
    ink, ground = Color.from_rich_color(style.color), Color.from_rich_color(style.bgcolor)
    if style.dim:
        ink = ground.blend(ink, 0.5)
    return (ground, ink) if style.reverse else (ink, ground)


def unreadable(app: App[None], need: float, region: Region | None = None) -> dict[str, str]:
    """Return the rows with letters that are too faint, each with the figures of its faintest."""
    found: dict[str, str] = {}
    for piece in sorted(painted(app, region), key=lambda piece: piece.contrast):
        if piece.contrast < need:
            told = f"{piece.letters} {piece.ink.hex} on {piece.ground.hex}: {piece.contrast:.2f}"
            found.setdefault(piece.row, told)
    return found


async def ask(show: Stage, pilot: Pilot[None], quarters: int) -> None:
    await settle(pilot)
    show.app.query_one(Draft).insert("Why?")
    await pilot.press("enter")
    await settle(pilot)
    await show.watch(pilot, quarters)


def race(theme: str, scripts: dict[str, Script] = RACE) -> Stage:
    return stage(scripts, mixture(NAMES, merger="merger"), theme=theme)


@pytest.fixture(params=NEEDS)
def theme(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def test_all_that_stands_on_an_empty_screen_can_be_read(theme: str) -> None:
    show = stage(RACE, mixture(NAMES, merger="merger"), theme=theme, notices=("a file is broken",))
    async with show.app.run_test(size=(160, 48)) as pilot:
        await settle(pilot)
        assert len(list(painted(show.app))) > 40
        assert unreadable(show.app, NEEDS[theme]) == {}
        await pilot.press("tab")
        await settle(pilot)
        assert unreadable(show.app, NEEDS[theme]) == {}


async def test_a_race_of_six_can_be_read_with_the_focus_on_a_seat_too(theme: str) -> None:
    show = race(theme)
    async with show.app.run_test(size=(160, 48)) as pilot:
        await ask(show, pilot, 12)
        shown = show.text
        for word in ("thinking", "failed", "done", "streaming", "waiting", "429"):
            assert word in shown
        assert unreadable(show.app, NEEDS[theme]) == {}
        for key in ("tab", "tab", "w"):
            await pilot.press(key)
            await settle(pilot)
            assert unreadable(show.app, NEEDS[theme]) == {}


async def test_a_narrow_race_of_six_can_be_read(theme: str) -> None:
    show = race(theme)
    async with show.app.run_test(size=(80, 24)) as pilot:
        await ask(show, pilot, 12)
        assert unreadable(show.app, NEEDS[theme]) == {}


async def test_a_finished_run_can_be_read(theme: str) -> None:
    show = race(theme, ENDED)
    async with show.app.run_test(size=(160, 48)) as pilot:
        await ask(show, pilot, 30)
        assert "1st" in show.text
        assert "class Merger" in show.text
        assert unreadable(show.app, NEEDS[theme]) == {}


async def test_open_dialogs_can_be_read(theme: str) -> None:
    show = race(theme)
    async with show.app.run_test(size=(100, 30)) as pilot:
        await ask(show, pilot, 8)
        for dialog in (settings(show, theme), ThemePicker()):
            show.app.push_screen(dialog)
            await settle(pilot)
            # What is darkened below it isn't meant to be read.
            card = show.app.screen.query_one("#card").region
            assert len(list(painted(show.app, card))) > 20
            assert unreadable(show.app, NEEDS[theme], card) == {}


async def test_a_blind_test_can_be_read(theme: str) -> None:
    show = race(theme, ENDED)
    async with show.app.run_test(size=(160, 48)) as pilot:
        await ask(show, pilot, 30)
        for key, seen in (("tab", ""), ("b", "choose"), ("enter", "your pick"), ("B", "judged")):
            await pilot.press(key)
            while seen not in show.text:
                await settle(pilot)
            if seen:
                card = show.app.screen.query_one("#card").region
                assert len(list(painted(show.app, card))) > 20
                assert unreadable(show.app, NEEDS[theme], card) == {}


@pytest.mark.parametrize("theme", ["moa-dark", "moa-light", "moa-contrast", "moa-ansi"])
async def test_without_colour_states_seats_and_the_focus_are_told_apart(theme: str) -> None:
    show = race(theme)
    is_ansi = theme == "moa-ansi"
    # What Textual itself does when it finds NO_COLOR.
    show.app._filters.append(NoColor() if is_ansi else Monochrome())  # noqa: SLF001 - see above
    async with show.app.run_test(size=(160, 48)) as pilot:
        await ask(show, pilot, 12)
        await pilot.press("tab")
        await settle(pilot)
        for state in ("● streaming", "✓ 1st done", "◊ thinking", "✗ failed", "! 429", "○ waiting"):
            assert state in show.text
        for number, name in enumerate(NAMES, 1):
            assert f" {number}  {name}" in show.text
        assert show.text.count("█ 1 ") == 1
        assert "█ 2 " not in show.text
        if not is_ansi:
            assert unreadable(show.app, min(NEEDS[theme], 4.5)) == {}


def settings(show: Stage, theme: str) -> SettingsDialog:
    values: dict[str, SettingValue] = {"theme": theme, "glyphs": "unicode", "motion": "full"}
    values |= {"notify": True, "title": False, "sidebar": True, "budget": 0.5}
    kept = KeptSettings(values, {"title": "config.toml"}, remember=lambda *_: None)
    return SettingsDialog(
        Keeping(kept, lambda key, value: appearance.take_up(show.app, key, value))
    )
