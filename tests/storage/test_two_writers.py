"""Two instances that write at once lose nothing, and neither waits long.

MOA_WRITER_TURNS=1000 makes it the long run.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from storage.shelf import stored

TURNS = int(os.environ.get("MOA_WRITER_TURNS", "40"))
CHILD = Path(__file__).with_name("writing_child.py")


async def test_two_instances_lose_no_turn(tmp_path: Path) -> None:
    waits = write_at_once(tmp_path, instances=2)
    async with stored(tmp_path) as store:
        rows = await store.sessions(10_000)
        loaded = [await store.load(row.id) for row in rows]
    answers = [turn.answer for session in loaded for turn in session.turns]
    assert len(answers) == 2 * TURNS
    assert all(answers)
    waits.sort()
    print(f"a write's wait at p99: {waits[len(waits) * 99 // 100]:.1f} ms")  # noqa: T201 - the long run's figure


def write_at_once(folder: Path, *, instances: int) -> list[float]:
    command = [sys.executable, str(CHILD), str(folder), str(TURNS)]
    children = [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own program
        for _ in range(instances)
    ]
    waits: list[float] = []
    for child in children:
        out, _ = child.communicate()
        assert child.returncode == 0
        waits += json.loads(out)
    return waits
