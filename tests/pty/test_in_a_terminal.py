"""The whole program in a real terminal: it starts, races, stops, and gives the terminal back."""

from __future__ import annotations

import signal
import subprocess
from typing import TYPE_CHECKING

import pytest
from local_server import LocalServer, Script
from program import AGGREGATOR, COMPOSER, command, configure
from terminal import CLEAN, Terminal

if TYPE_CHECKING:
    from pathlib import Path

QUESTION = "Why is the sky blue?"


def start(folder: Path, *arguments: str, columns: int = 160, rows: int = 48) -> Terminal:
    environment = {"HOME": str(folder)}
    return Terminal(command(folder, *arguments), columns=columns, rows=rows, env=environment)


def quit_cleanly(terminal: Terminal) -> None:
    terminal.press("ctrl+q")
    assert (terminal.wait(), terminal.leftovers()) == (0, CLEAN)


@pytest.mark.parametrize(("columns", "rows"), [(160, 48), (80, 24)])
def test_the_first_paint_has_a_composer_that_takes_keys(
    tmp_path: Path, columns: int, rows: int
) -> None:
    with start(tmp_path, columns=columns, rows=rows) as terminal:
        terminal.wait_for(COMPOSER)
        terminal.send("typed at once")
        terminal.wait_for("typed at once")
        terminal.press(*["backspace"] * len("typed at once"))
        quit_cleanly(terminal)


def test_keys_typed_before_the_first_paint_are_kept(tmp_path: Path) -> None:
    with start(tmp_path, "demo") as terminal:
        terminal.send("早 early words")
        # Without the mark it could be the echo of a terminal that nobody has put in its modes yet.
        terminal.wait_for("› 早 early words")
        terminal.signal(signal.SIGTERM)
        terminal.wait()


def test_the_demo_races_to_a_merged_answer(tmp_path: Path) -> None:
    with start(tmp_path, "demo") as terminal:
        terminal.wait_for(lambda screen: screen.count("● streaming") == 3)
        terminal.wait_for(lambda screen: "3/3" in screen and "✓ done" in screen, timeout=90)
        quit_cleanly(terminal)


def test_at_80x24_three_stream_one_is_stopped_and_the_rest_is_merged_early(tmp_path: Path) -> None:
    with start(tmp_path, "demo", columns=80, rows=24) as terminal:
        terminal.wait_for(lambda screen: screen.count("● streaming") == 3)
        terminal.press("tab")
        terminal.wait_for("i composer")
        terminal.press("x")
        terminal.wait_for(lambda screen: "■ stopped" in screen and "● streaming" in screen)
        terminal.wait_for("✓ 1st")
        terminal.press("m")
        terminal.wait_for(lambda screen: "merging" in screen and "3/3" not in screen)
        terminal.press("esc")
        terminal.wait_for("■ stopped ·")
        quit_cleanly(terminal)


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGINT], ids=lambda s: s.name
)
def test_a_signal_ends_it_and_gives_the_terminal_back(
    tmp_path: Path, number: signal.Signals
) -> None:
    with start(tmp_path) as terminal:
        terminal.wait_for(COMPOSER)
        terminal.signal(number)
        terminal.wait()
        assert terminal.leftovers() == CLEAN
        assert "Traceback" not in terminal.text


def test_a_window_too_small_says_what_it_needs_and_recovers(tmp_path: Path) -> None:
    with start(tmp_path, columns=20, rows=5) as terminal:
        terminal.wait_for("60x20")
        terminal.resize(80, 24)
        terminal.wait_for(COMPOSER)
        quit_cleanly(terminal)


def test_a_storm_of_resizes_ends_with_the_composer_on_screen(tmp_path: Path) -> None:
    with start(tmp_path, "demo") as terminal:
        terminal.wait_for(COMPOSER)
        for columns in range(20, 160, 7):
            terminal.resize(columns, columns // 3)
        terminal.resize(100, 30)
        terminal.wait_for(COMPOSER)
        terminal.signal(signal.SIGTERM)
        terminal.wait()
        assert terminal.leftovers() == CLEAN


def test_esc_stops_the_run_and_the_server_sees_every_stream_close(tmp_path: Path) -> None:
    models = ["one", "two", "three"]
    scripts = {name: Script(tokens=100_000, seed=seed) for seed, name in enumerate(models)}
    with LocalServer(scripts) as server:
        configure(tmp_path, server.base_url, models)
        with start(tmp_path, "--preset", "bench") as terminal:
            terminal.wait_for(COMPOSER)
            terminal.send(QUESTION)
            terminal.press("enter")
            terminal.wait_for(lambda screen: screen.count("streaming") >= 3)
            terminal.press("esc")
            terminal.wait_for("stopped")
            server.wait_for(lambda lines: sum(line["event"] == "closed" for line in lines) == 3)
            quit_cleanly(terminal)
        assert sorted(line["model"] for line in server.of("closed")) == sorted(models)


def test_esc_stops_sixty_streams_and_the_server_sees_every_one_close(tmp_path: Path) -> None:
    models = [f"model-{number}" for number in range(60)]
    script = Script(tokens=100_000, rate=10)
    with LocalServer(dict.fromkeys(models, script)) as server:
        configure(tmp_path, server.base_url, models)
        with start(tmp_path, "--preset", "bench") as terminal:
            terminal.wait_for(COMPOSER)
            terminal.send(QUESTION)
            terminal.press("enter")
            server.wait_for(lambda lines: sum(line["event"] == "request" for line in lines) == 60)
            terminal.wait_for_output(b"streaming")
            terminal.press("esc")
            terminal.wait_for_output("■ stopped".encode())
            server.wait_for(lambda lines: sum(line["event"] == "closed" for line in lines) == 60)
            quit_cleanly(terminal)
        assert sorted(line["model"] for line in server.of("closed")) == sorted(models)


def test_a_run_over_a_server_ends_with_the_aggregators_answer(tmp_path: Path) -> None:
    models = ["one", "two", "three"]
    scripts = {name: Script(tokens=40, seed=seed) for seed, name in enumerate(models)}
    merged = Script(pieces=("The **merged", "** answer", " at last."))
    with LocalServer({**scripts, AGGREGATOR: merged}) as server:
        configure(tmp_path, server.base_url, models, layers=2)
        with start(tmp_path, "--preset", "bench") as terminal:
            terminal.wait_for(COMPOSER)
            terminal.send(QUESTION)
            terminal.press("enter")
            terminal.wait_for("The merged answer at last.")
            quit_cleanly(terminal)
        asked = [line["model"] for line in server.of("request")]
        assert [sorted(asked[:3]), sorted(asked[3:6]), asked[6:]] == [
            sorted(models),
            sorted(models),
            [AGGREGATOR],
        ]


@pytest.mark.embedded
def test_the_embedded_model_races_and_merges_on_screen(home_with_model: Path) -> None:
    with start(home_with_model, "--preset", "embedded") as terminal:
        terminal.wait_for(COMPOSER)
        terminal.send("Name two colours.")
        terminal.press("enter")
        terminal.wait_for(lambda screen: screen.count("streaming") >= 3, timeout=60)
        terminal.wait_for(lambda screen: "3/3" in screen and "✓ done" in screen, timeout=180)
        quit_cleanly(terminal)


def test_without_a_terminal_it_says_so_and_exits_2(tmp_path: Path) -> None:
    done = subprocess.run(  # noqa: S603 - our own program
        command(tmp_path), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, "\x1b" in done.stderr) == (2, "", False)
    assert "terminal" in done.stderr
    assert len(done.stderr.splitlines()) <= 2
