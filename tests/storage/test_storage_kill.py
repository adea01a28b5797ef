"""kill -9 at any moment loses no acknowledged turn, and of a stream at most the last 250 ms.

MOA_KILL_ROUNDS=1000 makes it the long run.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from storage.shelf import HandClock, state_of, stored

if TYPE_CHECKING:
    from moa_tui.storage.store import Store

ROUNDS = int(os.environ.get("MOA_KILL_ROUNDS", "10"))
CHILD = Path(__file__).with_name("recording_child.py")


async def test_kill_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    chance = random.Random(5)  # noqa: S311 - no secret
    saved: dict[int, str] = {}
    for _ in range(ROUNDS):
        told = killed(tmp_path, after_s=chance.uniform(0, 0.9), instances=chance.randint(1, 2))
        saved.update({line["run"]: line["answer"] for line in told if line["event"] == "saved"})
        begun = {line["run"]: line for line in told if line["event"] == "began"}
        written = {line["run"]: line["text"] for line in told if line["event"] == "told"}
        check_file(tmp_path / "sessions.db")
        async with stored(tmp_path, clock=HandClock()) as store:
            found = {one.run: one for one in await store.unfinished()}
            assert found.keys() <= begun.keys() | found.keys()
            for run in begun.keys() - saved.keys():
                await check_unfinished(store, run, begun[run], written.get(run, ""), found)
            assert await store.unfinished() == ()
    async with stored(tmp_path) as store:
        for run, answer in saved.items():
            assert state_of(await store.run(run)).answer == answer


async def check_unfinished(
    store: Store, run: int, begun: dict[str, Any], written: str, found: dict[int, Any]
) -> None:
    """A run that was acknowledged as begun is there: interrupted, or done just before the kill."""
    state = state_of(await store.run(run))
    session = await store.load(begun["session"])
    assert (session.draft, session.turns[-1].prompt.text) == (begun["draft"], begun["prompt"])
    text = "".join(str(seat.text) for seat in state.seats.values())
    # The child tells what it recorded more than 250 ms before.
    assert text.startswith(written)
    if run in found:
        assert state.status == "stopped"
        assert found[run].prompt.text == begun["prompt"]


def killed(folder: Path, *, after_s: float, instances: int) -> list[dict[str, Any]]:
    """Let children record, kill them all some time after their first turn, return what they told.

    Seconds are the point here: a checkpoint may be under way at any of them.
    """
    command = [sys.executable, str(CHILD), str(folder)]
    children = [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own program
        for _ in range(instances)
    ]
    told: list[str] = []
    for child in children:
        assert child.stdout is not None
        told.append(child.stdout.readline())
    with suppress(subprocess.TimeoutExpired):
        children[0].wait(after_s)
    for child in children:
        child.send_signal(signal.SIGKILL)
    for child in children:
        assert child.stdout is not None
        told += child.stdout.readlines()
        child.stdout.close()
        child.wait()
    # The last line may have been cut by the kill.
    return [json.loads(line) for line in told if line.endswith("}\n")]


def check_file(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []
