"""What a run takes beyond its slowest calls, and the time from one layer to the next."""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.figures import Row
from local_server import LocalServer, Script
from program import AGGREGATOR, command, configure
from terminal import terminal_environment

if TYPE_CHECKING:
    from local_server import Record

    from moa_tui.engine.provider import ChatRequest, Provider

RUNS = 7
LAYERS = 2
PLAIN = Path(__file__).with_name("plain_run.py")


class Timing(NamedTuple):
    """Milliseconds: of a run over its critical path, and from a layer to all calls of the next."""

    overhead: float
    between: float


def measure() -> list[Row]:
    """Return medians over runs of new processes, so connections and imports are cold in each."""
    six = [_of_program(6) for _ in range(RUNS)]
    plain_six = [_of_plain(6) for _ in range(RUNS)]
    five = [_of_program(5) for _ in range(RUNS)]
    plain_five = [_of_plain(5) for _ in range(RUNS)]
    return [
        Row(
            what="run over its critical path, 6 x 2, ask --json",
            figure=statistics.median(timing.overhead for timing in six),
            unit="ms",
            baseline=statistics.median(timing.overhead for timing in plain_six),
            against="plain asyncio",
            must=20,
            reach=9,
        ),
        Row(
            what="from layer to layer, 5 x 2, ask --json",
            figure=statistics.median(timing.between for timing in five),
            unit="ms",
            baseline=statistics.median(timing.between for timing in plain_five),
            against="plain asyncio",
        ),
        Row(what="engine alone, 6 x 2, instant models", figure=_of_engine(6), unit="ms"),
    ]


def _server(models: list[str]) -> LocalServer:
    scripts = {
        name: Script(first_s=0.2, tokens=20 + 2 * seed, seed=seed)
        for seed, name in enumerate(models, 1)
    }
    return LocalServer({**scripts, AGGREGATOR: Script(first_s=0.2, tokens=20)})


def _of_program(proposers: int) -> Timing:
    models = [f"model-{number}" for number in range(proposers)]
    with tempfile.TemporaryDirectory() as name, _server(models) as server:
        folder = Path(name)
        configure(folder, server.base_url, models, layers=LAYERS)
        ask = command(folder, "ask", "--json", "--preset", "bench", "Why is the sky blue?")
        lines = _output(ask).splitlines()
        seconds = float(json.loads(lines[-1])["seconds"])
        return _timing(seconds, server.records, proposers)


def _of_plain(proposers: int) -> Timing:
    models = [f"model-{number}" for number in range(proposers)]
    with _server(models) as server:
        port = str(server.records[0]["port"])
        seconds = float(_output([sys.executable, str(PLAIN), port, str(LAYERS), *models]))
        return _timing(seconds, server.records, proposers)


def _output(program: list[str]) -> str:
    return subprocess.run(  # noqa: S603 - our own programs
        program,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        env=terminal_environment(),
        text=True,
        check=True,
    ).stdout


def _timing(seconds: float, records: list[Record], proposers: int) -> Timing:
    """Compare a run with what the server saw: each layer lasts as long as its slowest call."""
    asked = [line["t"] for line in records if line["event"] == "request"]
    done = [line["t"] for line in records if line["event"] == "done"]
    layers = [slice(proposers * layer, proposers * (layer + 1)) for layer in range(LAYERS)]
    spans = [_slowest(records, part) for part in (*layers, slice(proposers * LAYERS, None))]
    between = max(asked[layers[1]]) - max(done[layers[0]])
    return Timing(1000 * (seconds - sum(spans)), 1000 * between)


def _slowest(records: list[Record], part: slice) -> float:
    asked = {
        line["model"]: line["t"] for line in [r for r in records if r["event"] == "request"][part]
    }
    done = [line for line in records if line["event"] == "done"][part]
    return max(float(line["t"] - asked[line["model"]]) for line in done)


def _of_engine(proposers: int) -> float:
    """Return milliseconds of a run whose models answer at once: nothing but the engine's work."""
    from moa_tui.engine.clock import AsyncioClock  # noqa: PLC0415 - only this row needs the package
    from moa_tui.engine.mixture import Agent, Aggregator, Layer, Mixture  # noqa: PLC0415 - likewise
    from moa_tui.engine.prompt import Conversation  # noqa: PLC0415 - likewise
    from moa_tui.engine.provider import Endpoint, Finish, Text  # noqa: PLC0415 - likewise
    from moa_tui.engine.run import open_run  # noqa: PLC0415 - likewise
    from moa_tui.providers.scripted import ScriptedProvider  # noqa: PLC0415 - likewise

    agents = tuple(Agent(model=f"bench/model-{number}") for number in range(proposers))
    mixture = Mixture(
        layers=(Layer(proposers=agents, repeat=LAYERS),),
        aggregator=Aggregator(agent=Agent(model="bench/merger")),
    )

    def say(_: ChatRequest) -> list[Text | Finish]:
        return [*[Text("a word ")] * 30, Finish("stop")]

    names = [agent.model_name for agent in mixture.agents]
    clock = AsyncioClock()
    provider: Provider = ScriptedProvider(
        Endpoint(name="bench", kind="scripted"), dict.fromkeys(names, say), clock=clock
    )

    async def run() -> float:
        start = clock.now()
        question = Conversation(prompt="Why is the sky blue?")
        async with open_run(mixture, question, lambda _: provider, clock=clock) as events:
            async for _ in events:
                pass
        return 1000 * (clock.now() - start)

    return statistics.median(asyncio.run(run()) for _ in range(RUNS))
