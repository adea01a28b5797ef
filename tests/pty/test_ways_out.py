"""Every way out of the program but SIGKILL, idle and mid-run, gives the terminal back."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from local_server import LocalServer, Script
from program import AGGREGATOR, COMPOSER, command, configure
from terminal import CLEAN, Terminal, terminal_environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGINT)
ENDLESS = Script(pieces=tuple(f"word{number} " for number in range(4000)))
SHORT = Script(pieces=("the ", "answer"), rate=0)

BROKEN = """
from moa_tui.engine.feed import Feed
from moa_tui.engine.events import SeatPhase
from moa_tui.ui.dialogs.help import HelpDialog

def broken(*given, **named):
    planted = "a local value"
    raise RuntimeError("broken on purpose")

IS_RUN_BROKEN = {is_run}
emit = Feed.emit

def emit_until_it_waits(self, event, **fields):
    return broken() if IS_RUN_BROKEN and event is SeatPhase else emit(self, event, **fields)

Feed.emit = emit_until_it_waits
HelpDialog.compose = broken
from moa_tui.__main__ import main
main()
"""
"""The real program with a bug: its help can't be drawn, and perhaps no run gets far."""


def start(folder: Path, *, env: Mapping[str, str] | None = None, rows: int = 36) -> Terminal:
    program = command(folder, "--preset", "bench")
    return Terminal(program, columns=120, rows=rows, env={"HOME": str(folder), **(env or {})})


def broken(folder: Path, *, is_run: bool = False) -> Terminal:
    program = [sys.executable, "-c", BROKEN.format(is_run=is_run)]
    program += command(folder, "--preset", "bench")[3:]
    return Terminal(program, columns=120, rows=36, env={"HOME": str(folder)})


@contextmanager
def streaming(folder: Path, script: Script = ENDLESS) -> Iterator[LocalServer]:
    with LocalServer({"one": script, "two": script, AGGREGATOR: script}) as server:
        configure(folder, server.base_url, ["one", "two"])
        yield server


def ask(terminal: Terminal) -> None:
    terminal.wait_for(COMPOSER)
    terminal.send("Why?")
    terminal.press("enter")


def wait_until_closed(server: LocalServer) -> None:
    server.wait_for(lambda lines: sum(line["event"] == "closed" for line in lines) == 2)


def quit_mid_run(terminal: Terminal) -> None:
    terminal.press("ctrl+q")
    terminal.wait_for("A run is live")
    terminal.press("enter")


# Mid-run; what happens to an idle program is in test_in_a_terminal


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_a_signal_mid_run_closes_every_stream_and_gives_the_terminal_back(
    tmp_path: Path, number: signal.Signals
) -> None:
    with streaming(tmp_path) as server, start(tmp_path) as terminal:
        ask(terminal)
        terminal.wait_for("word9 ")
        terminal.signal(number)
        assert (terminal.wait(), terminal.leftovers()) == (128 + number, CLEAN)
        assert "Traceback" not in terminal.text
        wait_until_closed(server)


@pytest.mark.parametrize("is_running", [False, True], ids=["idle", "mid-run"])
def test_a_crash_gives_the_terminal_back_and_prints_its_trace(
    tmp_path: Path, *, is_running: bool
) -> None:
    with streaming(tmp_path), broken(tmp_path) as terminal:
        terminal.wait_for(COMPOSER)
        if is_running:
            ask(terminal)
            terminal.wait_for("word9 ")
        terminal.press("f1")
        assert (terminal.wait(), terminal.leftovers()) == (1, CLEAN)
        assert "RuntimeError: broken on purpose" in terminal.text
        assert "a local value" not in terminal.text


def test_a_bug_in_a_run_is_said_every_seat_has_ended_and_the_program_goes_on(
    tmp_path: Path,
) -> None:
    with streaming(tmp_path), broken(tmp_path, is_run=True) as terminal:
        ask(terminal)
        screen = terminal.wait_for("moa-tui itself went wrong, that is a bug: RuntimeError: broken")
        assert screen.count("■ stopped") == 2
        terminal.press("ctrl+q")
        assert (terminal.wait(), terminal.leftovers()) == (0, CLEAN)


# The window


@pytest.mark.parametrize(
    ("is_running", "is_ignored"),
    [(True, False), (False, True)],
    ids=["hung up mid-run", "idle under nohup"],
)
def test_a_closed_window_ends_the_program_and_its_streams(
    tmp_path: Path, *, is_running: bool, is_ignored: bool
) -> None:
    program = command(tmp_path, "--preset", "bench")
    if is_ignored:
        program = ["/bin/sh", "-c", 'trap "" HUP; exec "$@"', "sh", *program]
    with streaming(tmp_path) as server, Terminal(program, env={"HOME": str(tmp_path)}) as terminal:
        terminal.wait_for(COMPOSER)
        if is_running:
            ask(terminal)
            terminal.wait_for("streaming")
        terminal.close_window()
        # Its code may be Python's own: what is left for stderr can't be written.
        assert terminal.wait() != -signal.SIGKILL
        if is_running:
            wait_until_closed(server)


@pytest.mark.parametrize(
    "stops",
    [(signal.SIGTSTP, True), (signal.SIGSTOP, False), ("ctrl+z", True)],
    ids=["suspended", "stopped", "by its key"],
)
def test_who_is_suspended_gives_the_terminal_back_and_paints_when_it_goes_on(
    tmp_path: Path, stops: tuple[signal.Signals | str, bool]
) -> None:
    how, gives_back = stops
    with streaming(tmp_path) as server, start(tmp_path) as terminal:
        ask(terminal)
        terminal.wait_for("word9 ")
        if isinstance(how, str):
            # In the composer it is undo.
            terminal.press("tab")
            terminal.wait_for("i to come back to it")
            terminal.press(how)
        else:
            terminal.signal(how)
        wait_until_stopped(terminal.pid)
        if gives_back:
            terminal.wait_for_output(b"\x1b[?1049l")
        assert (terminal.leftovers() == CLEAN) is gives_back
        terminal.erase()
        terminal.signal(signal.SIGCONT)
        terminal.wait_for(lambda screen: COMPOSER in screen and "word" in screen)
        # On a tile esc stops that seat alone.
        terminal.press(*(["i"] if isinstance(how, str) else []))
        terminal.wait_for("enter queue")
        terminal.press("esc")
        terminal.wait_for("stopped")
        terminal.press("ctrl+q")
        assert (terminal.wait(), terminal.leftovers()) == (0, CLEAN)
        wait_until_closed(server)


def wait_until_stopped(pid: int) -> None:
    os.waitid(os.P_PID, pid, os.WSTOPPED | os.WNOWAIT)


# A terminal that nobody reads


def test_streams_go_on_while_the_terminal_stalls_and_it_is_painted_when_it_reads_again(
    tmp_path: Path,
) -> None:
    # More than the sockets between would hold: only who reads gets a server to its end.
    flood = Script(pieces=tuple(f"word{number} " * 20 for number in range(1500)), rate=1000)
    with streaming(tmp_path, flood) as server, start(tmp_path) as terminal:
        ask(terminal)
        terminal.wait_for("streaming")
        terminal.stall()
        server.wait_for(lambda lines: sum(line["event"] == "done" for line in lines) == 3)
        terminal.go_on()
        terminal.wait_for(lambda screen: "3/3" in screen or "✓ done" in screen)
        terminal.press("ctrl+q")
        assert (terminal.wait(), terminal.leftovers()) == (0, CLEAN)


def test_a_signal_ends_a_program_whose_terminal_stalls(tmp_path: Path) -> None:
    with streaming(tmp_path) as server, start(tmp_path) as terminal:
        ask(terminal)
        terminal.wait_for("word9 ")
        terminal.stall()
        terminal.wait_until_full()
        terminal.signal(signal.SIGTERM)
        wait_until_closed(server)
        terminal.go_on()
        assert terminal.wait() == 128 + signal.SIGTERM


# No terminal, or a poor one


@pytest.mark.parametrize("missing", [0, 1, 2], ids=["stdin", "stdout", "stderr"])
def test_a_stream_that_is_no_terminal_is_said_in_words(tmp_path: Path, missing: int) -> None:
    window, terminal = pty.openpty()
    nowhere = os.open(os.devnull, os.O_RDWR)
    streams = [nowhere if number == missing else terminal for number in range(3)]
    with subprocess.Popen(  # noqa: S603 - our own program
        command(tmp_path),
        stdin=streams[0],
        stdout=streams[1],
        stderr=subprocess.PIPE if missing == 2 else streams[2],
        env=terminal_environment(),
    ) as program:
        _, said = program.communicate(timeout=30)
    os.close(terminal)
    os.close(nowhere)
    said = said or os.read(window, 4096)
    os.close(window)
    assert (program.returncode, b"\x1b" in said) == (2, False)
    assert b"the screen needs a terminal" in said


@pytest.mark.parametrize(
    "env",
    [
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"TERM": "dumb", "COLORTERM": "", "NO_COLOR": "1"},
    ],
    ids=["locale C", "dumb and without colours"],
)
def test_a_poor_terminal_shows_a_run_and_is_given_back(
    tmp_path: Path, env: Mapping[str, str]
) -> None:
    with streaming(tmp_path, SHORT), start(tmp_path, env=env) as terminal:
        ask(terminal)
        terminal.wait_for(lambda screen: "the answer" in screen and "f5 again" in screen)
        terminal.press("ctrl+q")
        assert (terminal.wait(), terminal.leftovers()) == (0, CLEAN)
        assert "Traceback" not in terminal.text


def test_a_window_of_20_by_5_is_left_in_order(tmp_path: Path) -> None:
    with Terminal(command(tmp_path), columns=20, rows=5, env={"HOME": str(tmp_path)}) as terminal:
        terminal.wait_for("60x20")
        terminal.signal(signal.SIGTERM)
        assert (terminal.wait(), terminal.leftovers()) == (128 + signal.SIGTERM, CLEAN)
