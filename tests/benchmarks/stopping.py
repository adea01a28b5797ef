"""Sixty streams stopped by one key: when the screen says so, when the server sees each close."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.figures import Row, percentile
from local_server import LocalServer, Script
from program import AGGREGATOR, COMPOSER, command, configure
from terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Sequence

STREAMS = 60
RATE = 20
ROUNDS = 10
SAID = b"stopped"


@dataclass(frozen=True)
class Stop:
    """What followed one key, in milliseconds after it: the screen's word, each stream's end."""

    screen: float
    closes: Sequence[float]


def measure() -> list[Row]:
    """Return the rows: the screen and the server, the worst of all rounds and the median."""
    names = [f"model-{number}" for number in range(1, STREAMS + 1)]
    scripts = {
        name: Script(rate=RATE, tokens=1_000_000, seed=seed) for seed, name in enumerate(names)
    }
    scripts[AGGREGATOR] = Script()
    stops = [_stopped(names, scripts) for _ in range(ROUNDS)]
    screens = [stop.screen for stop in stops]
    closes = [close for stop in stops for close in stop.closes]
    return [
        *_rows("esc to stopped on screen", screens, must=100),
        *_rows("esc to a stream's close", closes, must=250),
    ]


def _rows(what: str, took: Sequence[float], *, must: float) -> list[Row]:
    worst = f"{what}, worst of {len(took)}"
    return [
        Row(what=f"{what}, p50", figure=percentile(took, 50), unit="ms"),
        Row(what=worst, figure=max(took), unit="ms", must=must),
    ]


def _stopped(names: Sequence[str], scripts: dict[str, Script]) -> Stop:
    """Race all of them in the program, stop them a second after the last began to stream."""
    with tempfile.TemporaryDirectory() as name, LocalServer(scripts) as server:
        folder = Path(name)
        configure(folder, server.base_url, names)
        program = command(folder, "--preset", "bench")
        with Terminal(program, columns=160, rows=48, env={"HOME": name}) as terminal:
            terminal.wait_for_output(COMPOSER.encode())
            terminal.send("Why is the sky blue?")
            terminal.press("enter")
            server.wait_for(
                lambda lines: sum(line["event"] == "request" for line in lines) == STREAMS
            )
            time.sleep(1.0)  # all of them stream by now
            since, pressed = len(terminal.chunks), time.monotonic()
            terminal.press("esc")
            said = terminal.wait_for_output(SAID, since=since)
            server.wait_for(
                lambda lines: sum(line["event"] == "closed" for line in lines) == STREAMS
            )
    closes = [1000 * (line["t"] - pressed) for line in server.of("closed")]
    return Stop(screen=1000 * (said.t - pressed), closes=closes)
