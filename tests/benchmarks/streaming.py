"""Six streams of 100 tokens a second: CPU, frames, latency, and the echo of a key meanwhile."""

from __future__ import annotations

import random
import re
import signal
import sys
import tempfile
import time
from bisect import bisect
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.figures import Row, cpu_seconds, percentile, resident_mb
from local_server import LocalServer, Script
from program import AGGREGATOR, COMPOSER, command, configure
from terminal import FRAME_END, Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

STREAMS = 6
RATE = 100
QUIET_S = 10.0
"""How long CPU and latency are measured, with no key pressed."""
KEY_EVERY_S = (0.05, 0.11)

# Letters that stand in no text of the server, each typed once, so that its bytes on the screen can
# only be the echo; few enough for one row.
LETTERS = "абвгдежзиклмнопрстуфхцчшщыэюяαβγδεζηθλμξπρσφχψωБГДЖЗИЛПФЦЧШЩЫЭЮЯΓΔΘΛΞΠΣΦΨΩ"
STREAM_S = QUIET_S + 1 + len(LETTERS) * sum(KEY_EVERY_S) / 2 + 12
MARK = re.compile(rb"m\d+n\d+e")


@dataclass(frozen=True)
class Figures:
    """What one program did: CPU seconds per 10k tokens, frames a second, times in ms."""

    cpu: float
    fps: float
    latencies: Sequence[float]
    echoes: Sequence[float]
    grown_mb: float


def measure() -> list[Row]:
    """Return the rows, the program's figures beside those of six Markdown tiles."""
    ours, tiles = _of_program(), _of_markdown_tiles()
    against = "Markdown tiles"
    return [
        Row(
            what="CPU per 10k tokens, 6 x 100 tok/s",
            figure=ours.cpu,
            unit="s",
            baseline=tiles.cpu,
            against=against,
            must=5.0,
            reach=2.0,
            must_ratio=0.25,
            reach_ratio=0.12,
        ),
        Row(
            what="frames meanwhile", figure=ours.fps, unit="/s", baseline=tiles.fps, against=against
        ),
        *_times("key echo meanwhile", ours.echoes, tiles.echoes, must=(None, 40), reach=(None, 10)),
        *_times(
            "arrival to terminal", ours.latencies, tiles.latencies, must=(25, 60), reach=(10, 20)
        ),
        Row(
            what="memory growth, 6,000 tokens",
            figure=ours.grown_mb,
            unit="MB",
            baseline=tiles.grown_mb,
            against=against,
        ),
    ]


def _times(
    what: str,
    ours: Sequence[float],
    theirs: Sequence[float],
    *,
    must: tuple[float | None, float],
    reach: tuple[float | None, float],
) -> list[Row]:
    return [
        Row(
            what=f"{what}, p{percent} of {len(ours)}",
            figure=percentile(ours, percent),
            unit="ms",
            baseline=percentile(theirs, percent),
            against="Markdown tiles",
            must=must[number],
            reach=reach[number],
        )
        for number, percent in enumerate((50, 99))
    ]


@contextmanager
def _server() -> Iterator[tuple[LocalServer, list[str]]]:
    names = [f"model-{number}" for number in range(1, STREAMS + 1)]
    scripts = {
        name: Script(first_s=0.5, rate=RATE, tokens=int(RATE * STREAM_S), seed=seed, marks=True)
        for seed, name in enumerate(names, 1)
    }
    scripts[AGGREGATOR] = Script(first_s=1)
    with LocalServer(scripts) as server:
        yield server, names


def _of_program() -> Figures:
    with tempfile.TemporaryDirectory() as name, _server() as (server, models):
        folder = Path(name)
        configure(folder, server.base_url, models)
        return _race(command(folder, "--preset", "bench"), server, folder)


def _of_markdown_tiles() -> Figures:
    with tempfile.TemporaryDirectory() as name, _server() as (server, models):
        app = str(Path(__file__).with_name("markdown_tiles.py"))
        return _race([sys.executable, app, server.base_url, *models], server, Path(name))


def _race(program: list[str], server: LocalServer, home: Path) -> Figures:
    with Terminal(program, columns=160, rows=48, env={"HOME": str(home)}) as terminal:
        terminal.wait_for_output(COMPOSER.encode())
        terminal.send("Why is the sky blue?")
        terminal.press("enter")
        server.wait_for(lambda lines: sum(line["event"] == "request" for line in lines) == STREAMS)
        time.sleep(1.5)  # all of them stream by now
        memory = resident_mb(terminal.pid)
        began, cpu, first = time.monotonic(), cpu_seconds(terminal.pid), len(terminal.chunks)
        time.sleep(QUIET_S)
        took, cpu = time.monotonic() - began, cpu_seconds(terminal.pid) - cpu
        grown = resident_mb(terminal.pid) - memory
        quiet = b"".join(chunk.data for chunk in terminal.chunks[first:])
        echoes = [_echo(terminal, letter) for letter in LETTERS]
        server.wait_for(
            lambda lines: sum(line["event"] == "done" for line in lines) >= STREAMS, timeout=120
        )
        terminal.signal(signal.SIGKILL)
        terminal.wait()
    sent = {mark: t for line in server.of("done") for mark, t in line["marks"].items()}
    return Figures(
        cpu=cpu * 10_000 / (took * RATE * STREAMS),
        fps=quiet.count(FRAME_END) / took,
        latencies=_latencies(terminal, sent, (began, began + took)),
        echoes=echoes,
        grown_mb=grown,
    )


def _echo(terminal: Terminal, letter: str) -> float:
    """Type a letter and wait until it is on screen; return milliseconds."""
    time.sleep(random.uniform(*KEY_EVERY_S))  # noqa: S311 - so that keys fall anywhere in a frame
    since, pressed = len(terminal.chunks), time.monotonic()
    terminal.send(letter)
    echoed = terminal.wait_for_output(letter.encode(), since=since)
    return 1000 * (echoed.t - pressed)


def _latencies(
    terminal: Terminal, sent: dict[str, float], window: tuple[float, float]
) -> list[float]:
    """Return milliseconds from send to first showing, for the marks that were shown."""
    ends = list(accumulate(len(chunk.data) for chunk in terminal.chunks))
    shown: dict[str, float] = {}
    for match in MARK.finditer(terminal.raw):
        chunk = terminal.chunks[bisect(ends, match.end() - 1)]
        shown.setdefault(match[0].decode(), chunk.t)
    start, end = window
    return [
        1000 * (shown[mark] - t) for mark, t in sent.items() if mark in shown and start <= t <= end
    ]
