"""The mouse in a real terminal: what is dragged over is seen as selected, and copied."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from local_server import LocalServer, Script
from program import AGGREGATOR, COMPOSER, command, configure
from terminal import Terminal

if TYPE_CHECKING:
    from pathlib import Path

ANSWER = "The merged answer at last."


def drag(terminal: Terminal, row: int, first: int, last: int) -> None:
    """Press the left button at a cell, go right to another one, let go; cells from 0."""
    terminal.send(f"\x1b[<0;{first + 1};{row + 1}M")
    terminal.send("".join(f"\x1b[<32;{cell + 1};{row + 1}M" for cell in range(first, last + 1)))
    terminal.send(f"\x1b[<0;{last + 1};{row + 1}m")


def test_a_drag_over_the_answer_is_copied_to_the_terminals_clipboard(tmp_path: Path) -> None:
    models = ["one", "two"]
    scripts = {name: Script(tokens=5, seed=seed) for seed, name in enumerate(models)}
    with LocalServer({**scripts, AGGREGATOR: Script(pieces=(ANSWER,))}) as server:
        configure(tmp_path, server.base_url, models)
        environment = {"HOME": str(tmp_path)}
        with Terminal(command(tmp_path, "--preset", "bench"), env=environment) as terminal:
            terminal.wait_for(COMPOSER)
            terminal.send("Why?")
            terminal.press("enter")
            # Only a run that is over moves no rows any more.
            screen = terminal.wait_for(lambda shown: ANSWER in shown and "f5 again" in shown)
            row = next(y for y, line in enumerate(screen.splitlines()) if ANSWER in line)
            first = screen.splitlines()[row].index("merged")
            chunks = len(terminal.chunks)
            drag(terminal, row, first, first + len("merged answer") - 1)
            terminal.press("ctrl+c")

            copied = base64.b64encode(b"merged answer")
            terminal.wait_for_output(b"\x1b]52;c;" + copied, since=chunks)
            # The dark theme's ground of what is chosen.
            terminal.wait_for_output(b"48;2;67;83;106mmerged answer", since=chunks)
