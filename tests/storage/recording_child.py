"""Records runs into a folder until it is killed, and tells on stdout what it may rely on."""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
import time
from collections import deque
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent.parent), str(Path(__file__).parents[2])]

# It is run as a program, so it finds the package by itself.
from storage.shelf import MIXTURE, ONE, asked  # noqa: E402 - see above

from moa_tui.engine.events import RunFinished, RunStarted, SeatFinished, SeatStarted, TextDelta  # noqa: E402 - see above
from moa_tui.engine.provider import Usage  # noqa: E402 - see above
from moa_tui.storage.store import Store  # noqa: E402 - see above

SIZES = (40, 200, 0, 5)
"""Deltas of the runs, one every few milliseconds; the first run is long."""


def tell(**fields: object) -> None:
    print(json.dumps(fields), flush=True)  # noqa: T201 - its parent reads it


async def record_one(store: Store, number: int) -> None:
    session = store.begin_session()
    prompt, draft = f"prompt {number}", f"draft {number}"
    turn = store.begin_turn(session, asked(prompt))
    store.keep_draft(session, draft, queue=[asked("next")])
    recorder = store.begin_run(turn, MIXTURE)
    assert await store.settled()
    tell(event="began", run=recorder.id, session=session, prompt=prompt, draft=draft)
    recorder.record(RunStarted(n=1, t=0, mixture=MIXTURE.expanded()))
    recorder.record(SeatStarted(n=2, t=0, seat=ONE, attempt=1, role="proposer", model="t/a"))
    pieces = [f"{number}.{piece} " for piece in range(SIZES[number % len(SIZES)])]
    safe: deque[tuple[float, str]] = deque()
    said = ""
    for n, piece in enumerate(pieces, 3):
        said += piece
        recorder.record(TextDelta(n=n, t=n / 100, seat=ONE, attempt=1, text=piece))
        safe.append((time.monotonic() + 0.3, said))
        await asyncio.sleep(0.004)
        while safe and safe[0][0] < time.monotonic():
            tell(event="told", run=recorder.id, text=safe.popleft()[1])
    said = said or "nothing"
    n = len(pieces) + 3
    end = {"text": said, "thinking": "", "reason": "stop", "usage": Usage()}
    recorder.record(
        SeatFinished(n=n, t=n / 100, seat=ONE, attempt=1, ttft_s=0, seconds=1, **end)  # type: ignore[arg-type] # as named
    )
    recorder.record(
        RunFinished(
            n=n + 1,
            t=n / 100,
            answer=said,
            strategy="synthesize",
            chosen=None,
            references=(ONE,),
            usage=Usage(),
            seconds=1,
        )
    )
    assert await recorder.saved()
    tell(event="saved", run=recorder.id, answer=said)


async def main() -> None:
    store = Store.open(Path(sys.argv[1]))
    for number in itertools.count(1):
        await record_one(store, number)


asyncio.run(main())
