"""Writes whole turns into a folder, and tells on stdout how many milliseconds each took."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path

# It is run as a program, so it finds the package by itself.
sys.path[:0] = [str(Path(__file__).parent.parent), str(Path(__file__).parents[2])]

from storage.shelf import MIXTURE, asked, run_of  # noqa: E402 - see above

from moa_tui.storage.store import Store  # noqa: E402 - see above


async def main() -> None:
    store = Store.open(Path(sys.argv[1]))
    await store.opened()
    session, waits = store.begin_session(), []
    for number in range(int(sys.argv[2])):
        start = time.perf_counter()
        recorder = store.begin_run(store.begin_turn(session, asked(f"question {number}")), MIXTURE)
        for event in run_of(f"answer {number}"):
            recorder.record(event)
        assert await recorder.saved()
        waits.append(1000 * (time.perf_counter() - start))
    await store.aclose()
    print(json.dumps(waits))  # noqa: T201 - its parent reads it


asyncio.run(main())
