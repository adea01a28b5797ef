"""What a server says never reaches the terminal as anything but text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from local_server import LocalServer, Script
from program import AGGREGATOR, COMPOSER, command, configure
from terminal import CLEAN, Terminal

if TYPE_CHECKING:
    from pathlib import Path

# Each would do something to a terminal or to Textual, and each is recognisable in the output.
PLANTED = (
    "\x1b]52;c;cGxhbnRlZA==\x07",  # writes the clipboard
    "\x1b]52;c;cGxhbnRlZA==\x1b\\",
    "\x1b]0;planted title\x07",
    "\x1b]8;;file:///planted\x1b\\link\x1b]8;;\x1b\\",
    "\x1b[41;5mplanted colours\x1b[0m",
    "\x1b[?1049l\x1b[13;37H",
    "\x1bP planted \x1b\\",
    "\x9b13;37H",
    "\x9d0;planted\x9c",
    "\x00\x08\x7f",
)
MARKUP = "[@click=app.quit]planted[/] [/b] [bold"
END = " the end."
HOSTILE = "start " + " ".join(PLANTED) + MARKUP + END

# Whatever stands between escape sequences must be text: no C0 but the driver's CR and LF, no C1.
ESCAPES = re.compile(r"\x1b(?:\[[<>?0-9;:$]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[()=>78])")
CONTROLS = re.compile("[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f]")


def assert_only_text_came_through(terminal: Terminal) -> None:
    output = terminal.raw.decode()
    assert [planted for planted in PLANTED if planted in output] == []
    assert CONTROLS.findall(ESCAPES.sub("", output)) == []


def start(folder: Path) -> Terminal:
    program = command(folder, "--preset", "bench")
    return Terminal(program, columns=160, rows=48, env={"HOME": str(folder)})


def ask(terminal: Terminal) -> None:
    terminal.wait_for(COMPOSER)
    terminal.send("Why?")
    terminal.press("enter")


def quit_cleanly(terminal: Terminal) -> None:
    terminal.press("ctrl+q")
    assert (terminal.wait(), terminal.leftovers()) == (0, CLEAN)


@pytest.mark.parametrize("cut", [1, 3, len(HOSTILE)])
def test_escape_sequences_in_an_answer_are_shown_not_obeyed(tmp_path: Path, cut: int) -> None:
    pieces = tuple(HOSTILE[at : at + cut] for at in range(0, len(HOSTILE), cut))
    script = Script(pieces=pieces, rate=0)
    with LocalServer({"one": script, "two": script, AGGREGATOR: script}) as server:
        configure(tmp_path, server.base_url, ["one", "two"])
        with start(tmp_path) as terminal:
            ask(terminal)
            terminal.wait_for("2/2")
            terminal.wait_for("the end.")
            quit_cleanly(terminal)
            assert_only_text_came_through(terminal)


def test_escape_sequences_in_an_error_are_shown_not_obeyed(tmp_path: Path) -> None:
    script = Script(status=400, error=HOSTILE)
    with LocalServer({"one": script, "two": script}) as server:
        configure(tmp_path, server.base_url, ["one", "two"])
        with start(tmp_path) as terminal:
            ask(terminal)
            terminal.wait_for("failed")
            quit_cleanly(terminal)
            assert_only_text_came_through(terminal)


def test_escape_sequences_in_a_models_name_are_shown_not_obeyed(tmp_path: Path) -> None:
    name = "evil \\u001b]0;planted title\\u0007 \\u009b13;37H [bold] name"
    with LocalServer({}) as server:
        configure(tmp_path, server.base_url, [name])
        with start(tmp_path) as terminal:
            terminal.wait_for("evil")
            ask(terminal)
            terminal.wait_for("failed")
            quit_cleanly(terminal)
            assert_only_text_came_through(terminal)
