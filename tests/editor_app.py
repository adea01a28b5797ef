"""A program of a composer whose screen goes on changing while the editor has the terminal."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from composer_host import Host
from textual.widgets import Static

from moa_tui.editor import TerminalEditor

if TYPE_CHECKING:
    from textual.app import ComposeResult


class EditorApp(Host):
    """Counts a hundred times a second, as a run would write."""

    def __init__(self) -> None:
        super().__init__(editor=TerminalEditor(os.environ))
        self.count = 0

    def compose(self) -> ComposeResult:
        yield Static(id="count")
        yield from super().compose()

    def on_ready(self) -> None:
        self.set_interval(0.01, self.tick)

    def tick(self) -> None:
        self.count += 1
        self.query_one("#count", Static).update(f"count {self.count} " + "#" * (self.count % 50))


if __name__ == "__main__":
    app = EditorApp()
    app.run()
    sys.exit(app.return_code or 0)
