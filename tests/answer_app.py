"""A screen that is the answer's card, and seats to stream into it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from textual.app import App

from moa_tui.engine.mixture import Seat
from moa_tui.engine.provider import Usage
from moa_tui.engine.state import Log, SeatState
from moa_tui.ui.answer.answer import AnswerCard
from moa_tui.ui.themes import load

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.pilot import Pilot

THEMES = load([Path(__file__).parents[1] / "themes"]).themes


class CardApp(App[None]):
    """A screen that is one card."""

    CSS = "Screen { background: $background; }"

    def __init__(self, theme: str = "moa-dark") -> None:
        super().__init__()
        for known in THEMES.values():
            self.register_theme(known)
        self.theme = theme
        self.card = AnswerCard()

    def compose(self) -> ComposeResult:
        yield self.card

    @property
    def rows(self) -> list[str]:
        """The text of the screen, without the bar and what is blank at the right."""
        strips = self.screen._compositor.render_strips()  # noqa: SLF001 - what a terminal gets
        return [strip.text[1:].rstrip().rstrip("▁▂▃▄▅▆▇█").rstrip() for strip in strips]


async def shown(app: CardApp, pilot: Pilot[None]) -> None:
    """Let what is asked for reach the screen, without waiting for a frame."""
    await pilot.pause()
    app.card.head.flush()
    app.card.view.flush()
    await pilot.pause()


def seat(
    text: str = "", thinking: str = "", *, status: str = "streaming", tokens: int = 0
) -> SeatState:
    state = SeatState(
        seat=Seat(3, 1), role="aggregator", model="ollama/qwen3:8b", started_t=1.0, first_t=1.5
    )
    return replace(
        state,
        status=status,  # type: ignore[arg-type] # a test's own word
        text=Log().appended(text) if text else Log(),
        thinking=Log().appended(thinking) if thinking else Log(),
        pieces=tokens,
    )


def done(text: str) -> SeatState:
    return replace(seat(text, status="done"), ended_t=7.7, usage=Usage(completion=418), place=1)


def paragraphs(count: int, first: int = 0) -> str:
    return "".join(f"line {number}\n\n" for number in range(first, first + count))
