"""What tests of the screen are built from: a clock of their own, models, ports."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from textual import events

from moa_tui.engine.mixture import Agent, Aggregator, Layer, Mixture
from moa_tui.engine.provider import ChatRequest, Endpoint, Finish, Price, Text, Thinking
from moa_tui.errors import ConfigError
from moa_tui.providers.scripted import ScriptedProvider, Wait
from moa_tui.ui import app
from moa_tui.ui.answer.answer_view import AnswerView
from moa_tui.ui.app import MoaApp
from moa_tui.ui.ports import Ports, Start
from moa_tui.ui.race.tile import Tile
from moa_tui.ui.stage import Stage as MainStage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from contextlib import AbstractAsyncContextManager

    from textual.pilot import Pilot

    from moa_tui.engine.mixture import Seat
    from moa_tui.providers.scripted import Script, Step
    from moa_tui.ui.ports import (
        Editor,
        Endpoints,
        Files,
        Memory,
        OfFound,
        Papers,
        Presets,
        Settings,
    )
    from moa_tui.ui.store import Store

SHIPPED_THEMES = Path(__file__).parents[1] / "themes"


class HandClock:
    """Time that passes only when a test says so."""

    def __init__(self) -> None:
        self._now = 0.0
        self._order = itertools.count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def now(self) -> float:
        return self._now

    async def sleep(self, seconds: float, /) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        woken = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._now + seconds, next(self._order), woken))
        await woken

    def timeout(self, seconds: float | None, /) -> AbstractAsyncContextManager[object]:
        del seconds
        return nullcontext()

    async def pass_(self, seconds: float) -> None:
        """Let so much time pass, waking whoever waits for it, in order."""
        end = self._now + seconds
        while self._sleepers and self._sleepers[0][0] <= end:
            self._now, _, woken = heapq.heappop(self._sleepers)
            if not woken.done():
                woken.set_result(None)
            for _ in range(20):
                await asyncio.sleep(0)
        self._now = end


@dataclass
class FakeEmbedded:
    """An embedded model whose download is steered by hand."""

    is_present: bool = False
    model: str = "embedded/tiny"
    title: str = "SmolLM2 (98 MB, Apache-2.0)"
    failure: str = ""
    steps: asyncio.Queue[tuple[int, int] | None] = field(default_factory=asyncio.Queue)

    async def fetch(self, progress: Callable[[int, int], None], /) -> None:
        while (step := await self.steps.get()) is not None:
            progress(*step)
        if self.failure:
            raise ConfigError(self.failure)
        self.is_present = True


@dataclass
class Stage:
    """A program under test: its app, its clock, what its models were asked."""

    app: MoaApp
    clock: HandClock
    embedded: FakeEmbedded
    requests: list[ChatRequest]

    async def pass_(self, pilot: Pilot[None], seconds: float) -> None:
        """Let time pass for the models, then let the screen catch up."""
        await settle(pilot)
        await self.clock.pass_(seconds)
        await settle(pilot)

    async def watch(self, pilot: Pilot[None], quarters: int) -> None:
        """Let quarters of a second pass with a frame in each, so that rates come out the same."""
        for _ in range(quarters):
            await self.clock.pass_(0.25)
            await pilot.pause()
            draw(pilot)
        await settle(pilot)

    @property
    def text(self) -> str:
        """What stands on the screen, a row a line."""
        width, height = self.app.size
        strips = self.app.screen._compositor.render_strips()  # noqa: SLF001 - what is really painted
        del width
        return "\n".join(strip.text.rstrip() for strip in strips[:height])

    def row(self, number: int) -> str:
        """Return one row of the screen, the last one being -1."""
        return self.text.split("\n")[number]


async def burst(pilot: Pilot[None], *keys: str) -> None:
    """Press keys all at once, as a terminal hands over what was typed while it was slow."""
    for key in keys:
        pilot.app.post_message(events.Key(key, key if len(key) == 1 else None))
    await settle(pilot)


async def settle(pilot: Pilot[None]) -> None:
    """Let messages and layouts that are under way come to their end, and draw what is due."""
    for _ in range(3):
        await pilot.pause()
        draw(pilot)
    # It counts in a thread of its own, where no clock of ours is.
    counting = [one for one in pilot.app.workers if one.group == "attribution"]
    if counting:
        await pilot.app.workers.wait_for_complete(counting)
    await pilot.pause()
    draw(pilot)


def draw(pilot: Pilot[None]) -> None:
    """Draw what waits for a frame, without waiting for it."""
    for main in pilot.app.screen.query(MainStage):
        main.frames.flush()
    for view in pilot.app.screen.query(AnswerView):
        view._frames.flush()  # noqa: SLF001 - its clock is its own


def mixture(names: Iterable[str] = "abc", *, layers: int = 1, merger: str = "m") -> Mixture:
    """A mixture of scripted models, one layer repeated."""
    proposers = tuple(Agent(model=f"t/{name}") for name in names)
    return Mixture(
        name="Trio",
        layers=(Layer(proposers=proposers, repeat=layers),),
        aggregator=Aggregator(agent=Agent(model=f"t/{merger}")),
    )


def says(*words: str, gap_s: float = 1.0, thinks: Iterable[str] = ()) -> Script:
    """A model that says a word every ``gap_s`` seconds, thoughts first, and is done with it."""

    def script(request: ChatRequest) -> Iterable[Step]:
        del request
        for thought in thinks:
            yield Wait(gap_s)
            yield Thinking(thought)
        for word in words:
            yield Wait(gap_s)
            yield Text(word)
        yield Finish("stop")

    return script


class PatientApp(MoaApp):
    """The program whose toasts stay: a test on a busy machine takes longer than people to read."""

    CSS_PATH = str(Path(app.__file__).with_name("moa.tcss"))
    NOTIFICATION_TIMEOUT = 3600


def stage(
    scripts: Mapping[str, Script],
    mix: Mixture | None = None,
    *,
    endpoint: str = "t",
    prices: Mapping[str, Price] | None = None,
    store: Callable[[], Store] | None = None,
    session: str = "",
    is_replay: bool = False,
    papers: Papers | None = None,
    theme: str = "moa-dark",
    theme_folders: Sequence[Path] = (SHIPPED_THEMES,),
    known: bool = True,
    needs_fetch: bool = False,
    is_demo: bool = False,
    notices: Iterable[str] = (),
    places: Endpoints | None = None,
    presets: Presets | None = None,
    memory: Memory | None = None,
    settings: Settings | None = None,
    files: Files | None = None,
    editor: Editor | None = None,
    keymap: Mapping[str, str] | None = None,
    of_found: OfFound | None = None,
    is_named: bool = False,
) -> Stage:
    """Return a program with scripted models; ``known``: its endpoint has a name at the start.

    With ``prices`` it is a vendor's that says what its models cost.
    """
    clock, embedded = HandClock(), FakeEmbedded()
    requests: list[ChatRequest] = []
    known_as = Endpoint(name=endpoint, kind="scripted")
    if prices is not None:
        known_as = Endpoint(name=endpoint, kind="openai", base_url="https://t.test", prices=prices)

    def noted(script: Script) -> Script:
        def noting(request: ChatRequest) -> Iterable[Step]:
            requests.append(request)
            return script(request)

        return noting

    provider = ScriptedProvider(
        known_as, {name: noted(script) for name, script in scripts.items()}, clock=clock
    )

    def providers(name: str, /) -> ScriptedProvider:
        if name != endpoint:
            raise ConfigError(f"unknown endpoint {name!r}")
        return provider

    ports = Ports(
        providers=providers,
        clock=clock,
        embedded=embedded,
        theme=theme,
        theme_folders=theme_folders,
        endpoints={endpoint: known_as} if known else {},
        places=places,
        presets=presets,
        memory=memory,
        settings=settings,
        files=files,
        editor=editor,
        keymap=keymap or {},
        store=store,
        papers=papers,
        chance=Random(1),  # noqa: S311 - no secret
    )
    mix = mix or mixture()
    if needs_fetch:
        embedded.model = mix.agents[0].model
    start = Start(
        mixture=mix,
        of_found=of_found,
        is_named=is_named,
        notices=tuple(notices),
        is_demo=is_demo,
        session=session,
        is_replay=is_replay,
    )
    return Stage(PatientApp(ports, start), clock, embedded, requests)


TRIO: dict[str, Script] = {
    "a": says("alpha ", "one"),
    "b": says("beta ", "two ", "and ", "more"),
    "c": says("gamma ", "three ", "and ", "more ", "still"),
    "m": says("The ", "**merged** ", "answer."),
}


async def ask(pilot: Pilot[None], text: str) -> None:
    """Type a prompt and send it."""
    await pilot.press(*("space" if char == " " else char for char in text), "enter")
    await settle(pilot)


def focused_seat(show: Stage) -> Seat | None:
    """Return whose tile has the focus."""
    focused = show.app.focused
    return focused.seat if isinstance(focused, Tile) else None


def numbered(word: str) -> Script:
    """A model that says how often it was asked, and the last question."""
    times = 0

    def script(request: ChatRequest) -> Iterable[Step]:
        nonlocal times
        times += 1
        yield Wait(1.0)
        yield Text(f"{word} {times} to {request.messages[-1].content}")
        yield Finish("stop")

    return script
