"""The terminal of the tests sees what is shown, what is left behind, and how a program ends."""

from __future__ import annotations

import signal
import sys

import pytest
from terminal import CLEAN, Leftovers, Terminal


def python(program: str) -> Terminal:
    return Terminal([sys.executable, "-c", program], columns=40, rows=5)


def test_it_shows_the_screen_and_takes_keys() -> None:
    with python("print('name?'); print('hello', input())") as terminal:
        terminal.wait_for("name?")
        terminal.send("世界\n")
        assert terminal.wait_for("hello").splitlines()[:3] == ["name?", "世界", "hello 世界"]
        assert (terminal.wait(), terminal.leftovers()) == (0, CLEAN)


def test_it_finds_a_character_that_was_cut_in_two() -> None:
    halves = r"""
import os, tty
tty.setraw(0)
os.write(1, b"\xe4\xb8")
os.read(0, 1)
os.write(1, b"\x96")
"""
    with python(halves) as terminal:
        terminal.wait_for_output(b"\xe4\xb8")
        terminal.send("x")
        terminal.wait_for_output("世".encode())
        terminal.wait_for("世")
        terminal.wait()


def test_it_names_what_a_program_left_behind() -> None:
    rude = r"""
import sys, tty
tty.setraw(0)
sys.stdout.write("\x1b[?1049h\x1b[?1000;1006h\x1b[?2004h\x1b[?25l\x1b[>1u")
"""
    with python(rude) as terminal:
        assert terminal.wait() == 0
        assert terminal.leftovers() == Leftovers(
            modes=("alternate screen", "bracketed paste", "mouse"),
            cursor_hidden=True,
            keyboard_protocol=True,
            line_settings_changed=True,
        )


def test_modes_that_were_taken_back_are_clean() -> None:
    polite = r"print('\x1b[?1049h\x1b[?25l\x1b[>1u', '\x1b[<u\x1b[?25h\x1b[?1049l')"
    with python(polite) as terminal:
        assert (terminal.wait(), terminal.leftovers()) == (0, CLEAN)


def test_a_signal_that_ended_the_program_is_its_exit_code() -> None:
    with python("print('up'); input()") as terminal:
        terminal.wait_for("up")
        terminal.signal(signal.SIGTERM)
        assert terminal.wait() == -signal.SIGTERM


def test_the_program_has_it_as_its_controlling_terminal_of_the_right_size() -> None:
    program = "import os; print(os.get_terminal_size(os.open('/dev/tty', os.O_RDWR)))"
    with python(program) as terminal:
        terminal.wait_for("columns=40, lines=5")
        terminal.wait()


def test_waiting_in_vain_shows_the_screen() -> None:
    with python("print('only this'); input()") as terminal:
        terminal.wait_for("only this")
        with pytest.raises(TimeoutError, match="only this"):
            terminal.wait_for("something else", timeout=0.1)
