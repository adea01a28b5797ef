"""No control of a terminal comes through any slot of the screen, whatever a text holds.

``MOA_TUI_OUTPUTS=1000000`` makes the count a full one.
"""

from __future__ import annotations

import os
import random
import re
from typing import TYPE_CHECKING

import pytest
from dialog_fakes import opened
from racing import does
from textual.events import Paste
from ui.hostile import SLOTS, fuzzed, streamed
from ui_fakes import SHIPPED_THEMES, says, settle, stage

from moa_tui.engine.mixture import Agent, Aggregator, Layer, Mixture
from moa_tui.errors import ProviderError
from moa_tui.text import clean
from moa_tui.ui.dialogs.writing import LineDialog, TextDialog

if TYPE_CHECKING:
    from pathlib import Path

    from rich.segment import Segment
    from textual.pilot import Pilot
    from ui.hostile import Slot
    from ui_fakes import Stage

OUTPUTS = int(os.environ.get("MOA_TUI_OUTPUTS", "4000"))

# C0 (a row holds no newline either), DEL, C1, line separators, bidirectional controls, surrogates.
CONTROLS = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def is_bad(segment: Segment) -> bool:
    """Whether it holds a control, a link of the terminal, or an action that markup asked for."""
    style = segment.style
    is_obeyed = style is not None and (style.link is not None or "@click" in style.meta)
    return bool(is_obeyed or segment.control or CONTROLS.search(segment.text))


def came_through(slot: Slot, text: str) -> list[str]:
    """Return what a slot draws that holds a control, or a style that text has no right to."""
    return [repr(segment.text) for row in slot(text) for segment in row if is_bad(segment)]


@pytest.mark.parametrize("name", SLOTS)
def test_nothing_but_text_comes_through(name: str) -> None:
    chance = random.Random(name)  # noqa: S311 - texts, not secrets
    for _ in range(OUTPUTS // len(SLOTS)):
        text = fuzzed(chance)
        assert came_through(SLOTS[name], text) == [], repr(text)


# Widgets of Textual's own, and how all of it stands on a screen

HOSTILE = (
    "a\x1b]52;c;cGxhbnRlZA==\x07b\x9b31mc\x00d\x7fe\tf\rg\u202eh\u2066i\x85j\u2028k",
    "[@click=app.quit]l[/] [/b] [bold \x1b[2J\x1b]8;;file:///x\x1b\\m\x1b]8;;\x1b\\",
)


def on_screen(show: Stage) -> list[str]:
    """Return the segments of the screen, as the terminal gets them, that hold a control."""
    strips = show.app.screen._compositor.render_strips()  # noqa: SLF001 - what is really painted
    return [repr(segment.text) for strip in strips for segment in strip if is_bad(segment)]


@pytest.mark.parametrize("text", HOSTILE)
async def test_a_whole_screen_of_it_is_only_text(text: str, tmp_path: Path) -> None:
    says_it = says(streamed(text), streamed(text), thinks=[streamed(text)])
    fails = does(ProviderError("auth", clean(text), clean(text)))
    agents = tuple(Agent(model=f"t/{name}", label=text) for name in "abc")
    mixture = Mixture(
        name=text,
        description=text,
        layers=(Layer(proposers=agents),),
        aggregator=Aggregator(agent=Agent(model="t/m", label=text)),
    )
    scripts = {"a": says_it, "b": fails, "c": says_it, "m": says_it}
    (tmp_path / "x.toml").write_text(f"nonsense = {text!r}", "utf-8")
    show = stage(scripts, mixture, notices=[text], theme_folders=(SHIPPED_THEMES, tmp_path))
    async with show.app.run_test(size=(160, 48)) as pilot:
        await settle(pilot)
        assert on_screen(show) == []
        show.app.notify(clean(text), markup=False)
        await paste(pilot, text)
        assert on_screen(show) == []
        await pilot.press("enter")
        await show.pass_(pilot, 1.5)
        assert on_screen(show) == []
        await show.pass_(pilot, 30.0)
        assert "␛" in show.text
        for key in (
            "f1",
            "escape",
            "ctrl+t",
            "escape",
            "ctrl+o",
            "escape",
            "tab",
            "enter",
            "escape",
        ):
            await pilot.press(key)
            await settle(pilot)
            assert on_screen(show) == [], key


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("kind", [LineDialog, TextDialog])
async def test_what_is_pasted_into_a_field_is_only_text(
    text: str, kind: type[LineDialog | TextDialog]
) -> None:
    async with opened(lambda: kind(text, text)) as now:
        assert on_screen(now.stage) == []
        await paste(now.pilot, text)
        assert on_screen(now.stage) == []


async def paste(pilot: Pilot[None], text: str) -> None:
    pilot.app.post_message(Paste(text))
    await settle(pilot)
