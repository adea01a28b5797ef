"""Start to first paint with the composer in it, over a bare Textual app, and memory then."""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.figures import Row, resident_mb
from program import COMPOSER, command, configure
from terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Sequence

RUNS = 9
BARE = [sys.executable, str(Path(__file__).with_name("bare_app.py"))]


def measure() -> list[Row]:
    """Return milliseconds and megabytes, medians of runs in turn after one that warms the cache."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # Nothing listens there: a first paint must not wait for any server.
        configure(folder, "http://127.0.0.1:9/v1", ["one", "two", "three"])
        ours = command(folder, "--preset", "bench")
        runs = [
            (_paint(BARE, "painted", folder), _paint(ours, COMPOSER, folder))
            for _ in range(RUNS + 1)
        ][1:]
    bare_ms, bare_mb = _medians([bare for bare, _ in runs])
    our_ms, our_mb = _medians([our for _, our in runs])
    return [
        Row(
            what="first paint, composer in it",
            figure=our_ms,
            unit="ms",
            baseline=bare_ms,
            against="bare app",
            must_ratio=1.25,
            reach_ratio=1.13,
        ),
        Row(
            what="memory then",
            figure=our_mb,
            unit="MB",
            baseline=bare_mb,
            against="bare app",
            must=60,
            reach=45,
        ),
    ]


def _paint(program: list[str], wanted: str, home: Path) -> tuple[float, float]:
    with Terminal(program, columns=160, rows=48, env={"HOME": str(home)}) as terminal:
        painted = terminal.wait_for_output(wanted.encode())
        memory = resident_mb(terminal.pid)
        terminal.press("ctrl+q")
        terminal.wait()
    return 1000 * (painted.t - terminal.started), memory


def _medians(pairs: Sequence[tuple[float, float]]) -> tuple[float, float]:
    first, second = zip(*pairs, strict=True)
    return statistics.median(first), statistics.median(second)
