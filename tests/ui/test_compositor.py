"""Every widget hears of its size, whoever asked for it in between."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from textual.app import App
from textual.containers import VerticalScroll
from textual.screen import Screen
from textual.widgets import Static

from moa_tui.ui.compositor import SteadyCompositor

if TYPE_CHECKING:
    from textual.app import ComposeResult


class Late(Static):
    """It is hidden at first, and counts how often it hears of its size."""

    heard = 0

    def on_mount(self) -> None:
        self.display = False

    def on_resize(self) -> None:
        self.heard += 1


class Page(Screen[None]):
    def __init__(self, *, is_steady: bool) -> None:
        super().__init__()
        if is_steady:
            self._compositor = SteadyCompositor()

    def compose(self) -> ComposeResult:
        with VerticalScroll():
            yield Static("a\n" * 200)
        yield Late("late")


@pytest.mark.parametrize("is_steady", [False, True])
async def test_who_is_shown_after_a_scroll_hears_of_its_size(*, is_steady: bool) -> None:
    async with App[None]().run_test(size=(40, 10)) as pilot:
        page = Page(is_steady=is_steady)
        await pilot.app.push_screen(page)
        await pilot.pause()
        page.query_one(VerticalScroll).scroll_to(y=20, animate=False, immediate=True)
        page._refresh_layout(scroll=True)  # noqa: SLF001 - as a scroll does that nothing else follows
        late = page.query_one(Late)
        late.display = True
        assert late.size.height == 1
        await pilot.pause()
        # Textual's own tells nothing; when it does, our compositor has nothing left to do.
        assert late.heard == (1 if is_steady else 0)
