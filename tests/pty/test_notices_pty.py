"""The window's title in a real terminal: ours while the program has the screen, then its own."""

from __future__ import annotations

import re
import signal
import sys
from typing import TYPE_CHECKING

import pytest
from program import COMPOSER, command
from terminal import CLEAN, Terminal

if TYPE_CHECKING:
    from pathlib import Path

PUSH, POP = b"\x1b[22;0t", b"\x1b[23;0t"
OURS, DONE = b"\x1b]2;moa\a", "\x1b]2;moa ✓ Why?\a".encode()
_SPOKEN = re.compile(rb"\x1b\[2[23];0t|\x1b\][^\a\x1b]*(?:\a|\x1b\\)|\a")

PROGRAM = r"""
from textual.app import App
from textual.binding import Binding
from moa_tui.engine.state import RunState
from moa_tui.ui.notices import Notices, keeping_title, writer

KITTY = {"TERM": "xterm-kitty"}
DONE = RunState(status="done")

class Program(App):
    BINDINGS = [
        Binding("f1", "end"),
        Binding("f3", "suspend"),
        Binding("f9", "leave"),
        Binding("x", "break"),
    ]

    def get_driver_class(self):
        return keeping_title(super().get_driver_class(), KITTY)

    def on_mount(self):
        self.notices = Notices(KITTY, write=writer(self), later=self.set_timer)
        self.notices.follow(None, "")
        self.app_resume_signal.subscribe(self, lambda _: self.notices.again())

    def watch_app_focus(self, has_focus):
        # A key would give it the focus back.
        if not has_focus:
            self.action_end()

    def action_end(self):
        self.notices.follow(DONE, "Why?")
        self.notices.ended(DONE, "Why?", is_seen=self.app_focus)

    def action_suspend(self):
        with self.suspend():
            print("in an editor")

    def action_leave(self):
        self.exit()

    def action_break(self):
        raise RuntimeError("broken")

Program().run()
"""


def start(folder: Path) -> Terminal:
    return Terminal([sys.executable, "-c", PROGRAM], env={"HOME": str(folder)})


def of_the_window(terminal: Terminal) -> list[bytes]:
    """Return what was written about the title, and what rang."""
    spoken = _SPOKEN.findall(terminal.raw)
    return [one for one in spoken if one[:2] != b"\x1b]" or one[2:4] in (b"2;", b"9;")]


def test_the_title_is_ours_from_start_to_end_and_an_end_that_is_seen_is_silent(
    tmp_path: Path,
) -> None:
    with start(tmp_path) as terminal:
        terminal.wait_for_output(OURS)
        terminal.press("f1")
        terminal.wait_for_output(DONE)
        terminal.press("f9")
        assert (terminal.wait(), terminal.leftovers()) == (0, CLEAN)
        assert of_the_window(terminal) == [PUSH, OURS, DONE, POP]


def test_an_end_in_a_window_without_the_focus_rings_and_is_shown(tmp_path: Path) -> None:
    with start(tmp_path) as terminal:
        terminal.wait_for_output(OURS)
        terminal.send("\x1b[O")
        terminal.wait_for_output(DONE)
        terminal.press("f9")
        terminal.wait()
        rung = [b"\a", "\x1b]9;moa: answer ready · Why?\a".encode()]
        written = of_the_window(terminal)
        assert written[written.index(b"\a") :][:2] == rung


def test_while_an_editor_has_the_screen_the_title_is_the_windows_own(tmp_path: Path) -> None:
    with start(tmp_path) as terminal:
        terminal.wait_for_output(OURS)
        terminal.press("f3")
        # What is typed into the editor isn't ours.
        terminal.wait_for(lambda _: terminal.raw.count(OURS) == 2)
        terminal.press("f9")
        terminal.wait()
        assert of_the_window(terminal) == [PUSH, OURS, POP, PUSH, OURS, POP]


def test_a_program_that_breaks_gives_the_title_back(tmp_path: Path) -> None:
    with start(tmp_path) as terminal:
        terminal.wait_for_output(OURS)
        terminal.press("x")
        terminal.wait()
        assert of_the_window(terminal)[-1] == POP


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda s: s.name)
def test_the_whole_program_gives_the_title_back_when_it_is_ended(
    tmp_path: Path, number: signal.Signals
) -> None:
    with Terminal(command(tmp_path), env={"HOME": str(tmp_path)}) as terminal:
        terminal.wait_for(COMPOSER)
        terminal.signal(number)
        terminal.wait()
        written = of_the_window(terminal)
        assert (written[0], written[-1]) == (PUSH, POP)


def test_a_terminal_without_titles_hears_nothing_of_them(tmp_path: Path) -> None:
    env = {"HOME": str(tmp_path), "TERM": "linux"}
    with Terminal(command(tmp_path), env=env) as terminal:
        terminal.wait_for(COMPOSER)
        terminal.press("ctrl+q")
        terminal.wait()
        assert of_the_window(terminal) == []
