"""What tests of choosing a mixture are built from: endpoints steered by hand, presets, memory."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ui_fakes import Stage, mixture, says, settle, stage

from moa_tui.errors import ConfigError, MoaError
from moa_tui.presets import Presets
from moa_tui.ui.composer.composer import Draft
from moa_tui.ui.mixing import Mixing
from moa_tui.ui.ports import info_of
from moa_tui.ui.sidebar.sidebar import Sidebar

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Sequence
    from pathlib import Path

    from textual.pilot import Pilot

    from moa_tui.engine.mixture import Mixture
    from moa_tui.engine.provider import ModelInfo
    from moa_tui.ui.ports import EndpointState, OfFound

WIDE, NARROW = (160, 48), (80, 24)
SCRIPTS = {name: says(f"I am {name}.") for name in "abcdefm"}


@dataclass
class FakePlaces:
    """Endpoints of which ``known`` is known.

    Detection ends when ``found`` is put; asking gives the state in ``answers``; a pull takes its
    steps from ``steps``, where None ends it well and an error badly.
    """

    known: list[EndpointState] = field(default_factory=list)
    answers: dict[str, EndpointState] = field(default_factory=dict)
    found: asyncio.Queue[Sequence[EndpointState]] = field(default_factory=asyncio.Queue)
    steps: asyncio.Queue[tuple[int, int] | MoaError | None] = field(default_factory=asyncio.Queue)
    looks: int = 0
    asked: list[str] = field(default_factory=list)
    pulled: list[str] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)
    """What was cancelled before its end: "detection", or the model of a pull."""

    def states(self) -> tuple[EndpointState, ...]:
        return tuple(self.known)

    def _learn(self, state: EndpointState) -> EndpointState:
        others = [one for one in self.known if one.endpoint.name != state.endpoint.name]
        self.known = [*others, state]
        return state

    async def detect(self) -> tuple[EndpointState, ...]:
        self.looks += 1
        try:
            for state in await self.found.get():
                self._learn(state)
        except asyncio.CancelledError:
            self.stopped.append("detection")
            raise
        return self.states()

    async def ask(self, name: str, /) -> EndpointState:
        self.asked.append(name)
        return self._learn(self.answers[name])

    def info(self, model: str, /) -> ModelInfo | None:
        return info_of(self.states(), model)

    async def look_up(self, model: str, /) -> ModelInfo | None:
        return self.info(model)

    async def add(self, text: str, /) -> EndpointState:
        if text not in self.answers:
            raise ConfigError(f"{text} doesn't answer")
        return self._learn(self.answers[text])

    def remove(self, name: str, /) -> Callable[[], None]:
        (gone,) = (one for one in self.known if one.endpoint.name == name)
        self.known.remove(gone)
        return lambda: self.known.append(gone)

    async def pull(self, model: str, /) -> AsyncGenerator[tuple[int, int], None]:
        self.pulled.append(model)
        try:
            while (step := await self.steps.get()) is not None:
                if isinstance(step, MoaError):
                    raise step
                yield step
        except (asyncio.CancelledError, GeneratorExit):
            self.stopped.append(model)
            raise


@dataclass
class FakeMemory:
    """Keeps what is remembered, or says in ``failure`` why it can't."""

    failure: str = ""
    tries: int = 0
    kept: list[tuple[str, str, str | float]] = field(default_factory=list)

    def remember(self, table: str, key: str, value: str | float, /) -> None:
        self.tries += 1
        if self.failure:
            raise ConfigError(self.failure)
        self.kept.append((table, key, value))


def shelf(folder: Path, *, shipped: Iterable[Mixture] = (), own: Iterable[Mixture] = ()) -> Presets:
    """Return presets in folders of a test's own."""
    ours, users = folder / "shipped", folder / "own"
    for where, mixtures in ((ours, shipped), (users, own)):
        where.mkdir()
        for one in mixtures:
            Presets((where,)).save(one)
    return Presets((ours, users))


@dataclass
class Program:
    """A running program whose mixture can be chosen."""

    stage: Stage
    pilot: Pilot[None]
    places: FakePlaces
    presets: Presets
    memory: FakeMemory

    async def press(self, *keys: str) -> None:
        """Press keys, then let the screen catch up."""
        await self.pilot.press(*keys)
        await settle(self.pilot)

    async def write(self, text: str, *, then: str = "enter") -> None:
        """Type a text and press one more key."""
        await self.press(*("space" if char == " " else char for char in text), then)

    async def settle(self) -> None:
        """Let the screen catch up."""
        await settle(self.pilot)

    async def find(self, *states: EndpointState) -> None:
        """Let detection end."""
        self.places.found.put_nowait(states)
        await self.settle()

    async def finish_run(self) -> None:
        """Let the models say all that they say."""
        await self.stage.pass_(self.pilot, 20.0)

    @property
    def text(self) -> str:
        """What stands on the screen."""
        return self.stage.text

    @property
    def mixing(self) -> Mixing:
        """The widget with sidebar and stage."""
        return self.stage.app.screen_stack[0].query_one(Mixing)

    @property
    def sidebar(self) -> Sidebar:
        """The sidebar."""
        return self.mixing.query_one(Sidebar)

    @property
    def models(self) -> list[str]:
        """The models of the mixture that runs next."""
        return [agent.model for agent in self.mixing.mixture.agents]

    @property
    def dialogs(self) -> list[str]:
        """The kinds of the dialogs that are open, the lowest first."""
        return [type(screen).__name__ for screen in self.stage.app.screen_stack[1:]]

    @property
    def focus(self) -> str:
        """The kind of the widget in focus on the conversation's screen."""
        return type(self.stage.app.screen_stack[0].focused).__name__

    @property
    def told(self) -> list[str]:
        """What was notified; a text that would be read as markup says so."""
        notes = list(self.stage.app._notifications)  # noqa: SLF001 - there is no other way
        return [f"markup: {note.message}" if note.markup else note.message for note in notes]

    def draft(self) -> Draft:
        """The composer's text field."""
        return self.mixing.query_one(Draft)


@asynccontextmanager
async def program(
    presets: Presets,
    mix: Mixture | None = None,
    *,
    known: Iterable[EndpointState] = (),
    memory: FakeMemory | None = None,
    of_found: OfFound | None = None,
    looks_for_ever: bool = False,
    needs_fetch: bool = False,
    size: tuple[int, int] = WIDE,
) -> AsyncIterator[Program]:
    """Start a program; unless it ``looks_for_ever``, detection has ended and found nothing new."""
    places, memory = FakePlaces(list(known)), memory or FakeMemory()
    show = stage(
        SCRIPTS,
        mix or mixture("ab"),
        places=places,
        presets=presets,
        memory=memory,
        of_found=of_found,
        needs_fetch=needs_fetch,
    )
    async with show.app.run_test(size=size) as pilot:
        now = Program(show, pilot, places, presets, memory)
        if not looks_for_ever:
            places.found.put_nowait(())
        await now.settle()
        yield now
