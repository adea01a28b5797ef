"""What 10,000 sessions on disk cost: opening them, the list, one session, and a search as typed."""

from __future__ import annotations

import asyncio
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.figures import Row, percentile

from moa_tui.engine.events import (
    RunFinished,
    RunStarted,
    SeatFinished,
    SeatStarted,
    TextDelta,
)
from moa_tui.engine.mixture import Agent, Aggregator, Layer, Mixture, Seat
from moa_tui.engine.provider import Usage
from moa_tui.storage.disk import Disk
from moa_tui.storage.fold import fold
from moa_tui.storage.opening import open_store
from moa_tui.storage.records import Asked
from moa_tui.storage.store import Store
from moa_tui.storage.writing import NewRun, add_run, add_turn, put_folded

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Awaitable, Callable

    from moa_tui.engine.events import Event

SESSIONS = int(os.environ.get("MOA_BENCH_SESSIONS", "10000"))
LONG_TURNS = 500
ROUNDS = 30
_CHINESE = "请用实现一个贪吃蛇游戏怎样可以更快地学习机器模型的语言为什么天空是蓝色今天天气很好"
_QUERIES = (
    *("s", "sn", "sna", "snake", "the", "t", "model", "snake game", "w17", "word1 word2"),
    *("贪", "贪吃", "贪吃蛇", "天空", "学习机器", "Python", "python 贪吃蛇", "nothing at all"),
)
_MIXTURE = Mixture(
    layers=(Layer(proposers=tuple(Agent(model=f"bench/{name}") for name in "abc")),),
    aggregator=Aggregator(agent=Agent(model="bench/m")),
    name="bench",
)


def measure() -> list[Row]:
    """Fill a folder, then measure in this process, and the start in fresh ones."""
    with tempfile.TemporaryDirectory() as name:
        folder, empty = Path(name) / "full", Path(name) / "empty"
        filled_s = time.perf_counter()
        _fill(folder)
        filled_s = time.perf_counter() - filled_s
        size = sum(path.stat().st_size for path in folder.iterdir()) / 1e6
        rows = asyncio.run(_measured(folder))
        full, bare = _started(folder), _started(empty)
        return [
            Row(what=f"{SESSIONS} sessions: the files", figure=size, unit="MB"),
            Row(what="filling them", figure=filled_s, unit="s"),
            Row(
                what="open and list, new process",
                figure=full,
                unit="ms",
                baseline=bare,
                against="empty",
                must=50,
            ),
            *rows,
        ]


async def _measured(folder: Path) -> list[Row]:
    store = Store.open(folder)
    await store.opened()
    try:
        first = await store.sessions(50)
        listing = await _times(lambda: store.sessions(50))
        deep = await _times(lambda: store.sessions(50, before=first[-1]))
        typical = await _times(lambda: store.load(first[3].id))
        long = await _times(lambda: store.load("long"))
        by_query = {
            query: await _times(lambda query=query: store.search(query))  # type: ignore[misc] # bound
            for query in _QUERIES
        }
        pause = await _recording(store)
    finally:
        await store.aclose()
    searches = [one for times in by_query.values() for one in times]
    slowest = max(by_query, key=lambda query: statistics.median(by_query[query]))
    p95 = percentile(searches, 95)
    return [
        Row(what="list, p95", figure=percentile(listing, 95), unit="ms", must=50),
        Row(what="next page, p95", figure=percentile(deep, 95), unit="ms", must=50),
        Row(what="open a session, p95", figure=percentile(typical, 95), unit="ms", must=50),
        Row(what=f"open {LONG_TURNS} turns, p95", figure=percentile(long, 95), unit="ms", must=50),
        Row(what="search as you type, p95", figure=p95, unit="ms", must=50),
        Row(
            what=f"slowest query {slowest!r}, median",
            figure=statistics.median(by_query[slowest]),
            unit="ms",
            must=50,
        ),
        Row(what="record() of an event, p95", figure=pause, unit="µs", must=20),
    ]


async def _times(call: Callable[[], Awaitable[object]]) -> list[float]:
    await call()
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        await call()
        times.append(1000 * (time.perf_counter() - start))
    return times


async def _recording(store: Store) -> float:
    """Return microseconds that the loop spends on an event of a live run, at p95."""
    turn = store.begin_turn(store.begin_session(), Asked("Why?", "Why?"))
    recorder = store.begin_run(turn, _MIXTURE)
    spent = []
    for event in _events(random.Random(1), 6000):  # noqa: S311 - no secret
        start = time.perf_counter()
        recorder.record(event)
        spent.append(1e6 * (time.perf_counter() - start))
    await recorder.saved()
    return percentile(spent, 95)


def _started(folder: Path) -> float:
    program = (
        "import asyncio, sys, time; from pathlib import Path\n"
        "from moa_tui.storage.store import Store\n"
        "async def main():\n"
        "    start = time.perf_counter()\n"
        "    store = Store.open(Path(sys.argv[1])); await store.sessions(50)\n"
        "    print(1000 * (time.perf_counter() - start)); await store.aclose()\n"
        "asyncio.run(main())"
    )
    command = [sys.executable, "-c", program, str(folder)]

    def once() -> float:
        done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - our own program
        return float(done.stdout)

    return statistics.median(once() for _ in range(7))


def _fill(folder: Path) -> None:
    opened = open_store(Disk(folder), "now")
    db, chance = opened.db, random.Random(7)  # noqa: S311 - no secret
    db.execute("PRAGMA synchronous = OFF")
    number = 0
    for session in range(SESSIONS):
        if session % 500 == 0:
            db.execute("BEGIN IMMEDIATE")
        for _ in range(chance.choice((1, 2, 3))):
            number += 2
            _add(db, f"s{session}", number, chance=chance, words=60)
        if session % 500 == 499 or session == SESSIONS - 1:
            db.execute("COMMIT")
    db.execute("BEGIN IMMEDIATE")
    for _ in range(LONG_TURNS):
        number += 2
        _add(db, "long", number, chance=chance, words=250)
    db.execute("COMMIT")
    opened.close()


def _add(
    db: sqlite3.Connection, session: str, number: int, *, chance: random.Random, words: int
) -> None:
    prompt = _said(chance, 8)
    parent = None
    add_turn(
        db,
        number,
        session=session,
        parent=parent,
        prompt=Asked(prompt, prompt),
        at=float(number),
    )
    run = NewRun(
        id=number + 1,
        turn=number,
        mixture=_MIXTURE,
        given_from=None,
        owner="",
        at=float(number),
    )
    add_run(db, run)
    put_folded(db, run.id, fold(_events(chance, words), _MIXTURE))


def _events(chance: random.Random, words: int) -> list[Event]:
    events: list[Event] = [RunStarted(n=1, t=0.0, mixture=_MIXTURE.expanded())]
    answer = ""
    for seat in (Seat(1, 1), Seat(1, 2), Seat(1, 3), Seat(2, 1)):
        role = "aggregator" if seat.layer > 1 else "proposer"
        n = len(events)
        events.append(
            SeatStarted(n=n + 1, t=0.1, seat=seat, attempt=1, role=role, model="bench/a")  # type: ignore[arg-type] # a role
        )
        pieces = [_said(chance, 6) + " " for _ in range(words // 6)]
        events += [
            TextDelta(n=n + 2 + at, t=0.2 + at / 50, seat=seat, attempt=1, text=piece)
            for at, piece in enumerate(pieces)
        ]
        answer = "".join(pieces)
        events.append(
            SeatFinished(
                n=len(events) + 1,
                t=9.0,
                seat=seat,
                attempt=1,
                text=answer,
                thinking="",
                reason="stop",
                usage=Usage(prompt=10, completion=words),
                ttft_s=0.1,
                seconds=8.9,
            )
        )
    end = RunFinished(
        n=len(events) + 1,
        t=9.0,
        answer=answer,
        strategy="synthesize",
        chosen=None,
        references=(Seat(1, 1),),
        usage=Usage(),
        seconds=9.0,
    )
    return [*events, end]


def _said(chance: random.Random, count: int) -> str:
    """Return words as prose has them: few that are everywhere, many that are rare, two scripts."""
    return " ".join(_word(chance) for _ in range(count))


def _word(chance: random.Random) -> str:
    kind = chance.random()
    if kind < 0.3:
        return chance.choice(("the", "a", "of", "to", "and", "is", "that", "model"))
    if kind < 0.85:
        return f"w{int(chance.paretovariate(0.6)) % 20000}ord"
    if kind < 0.97:
        at = chance.randrange(len(_CHINESE) - 6)
        return _CHINESE[at : at + chance.choice((2, 3, 6))]
    return chance.choice(("snake", "game", "Python", "word1", "word2", "tree"))
