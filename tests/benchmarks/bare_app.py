"""Baseline of the first paint: the least that Textual can show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import App
from textual.widgets import Static

if TYPE_CHECKING:
    from textual.app import ComposeResult


class BareApp(App[None]):
    """One word."""

    def compose(self) -> ComposeResult:
        """Yield the word that the benchmark waits for."""
        yield Static("painted")


if __name__ == "__main__":
    BareApp().run()
