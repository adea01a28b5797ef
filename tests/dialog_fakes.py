"""What tests of the dialogs are built from: endpoints in every state, presets, an open dialog."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Generic, TypeVar

from ui_fakes import Stage, burst, mixture, says, settle, stage

from moa_tui.config import KNOWN_ENDPOINTS
from moa_tui.engine.mixture import Agent, Aggregator, Layer, Mixture
from moa_tui.engine.provider import Endpoint, ModelInfo, Price
from moa_tui.errors import ConfigError
from moa_tui.ui.dialogs.preset_rows import Entry, Library
from moa_tui.ui.ports import EndpointState

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable

    from textual.pilot import Pilot

    from moa_tui.ui.dialogs.dialog import Dialog

ResultT = TypeVar("ResultT")

WIDE, NARROW, NARROWEST = (160, 48), (80, 24), (60, 20)
BY_NAME = {endpoint.name: endpoint for endpoint in KNOWN_ENDPOINTS}


def model(name: str, context: int | None = None, size: int | None = None) -> ModelInfo:
    return ModelInfo(id=name, context=context, size=size)


OLLAMA = EndpointState(
    endpoint=BY_NAME["ollama"],
    status="found",
    message="no key needed",
    models=(
        model("llama3.2:3b", 131_072, 2_019_393_189),
        model("qwen3:8b", 40_960, 5_225_388_164),
        model("phi3:instruct", 4096, 2_176_178_913),
        ModelInfo(id="nomic-embed-text:latest", size=274_302_450, is_chat=False),
    ),
)
GROQ = EndpointState(
    endpoint=Endpoint(
        name="groq",
        kind="openai",
        base_url="https://groq.test/openai/v1",
        label="Groq",
        key_page="groq.test/keys",
        api_key_env="GROQ_API_KEY",
        prices={"openai/gpt-oss-20b": Price(0.1, 0.5)},
    ),
    status="found",
    models=(model("openai/gpt-oss-20b", 131_072), model("openai/gpt-oss-120b", 131_072)),
)
UNASKED = EndpointState(endpoint=BY_NAME["openrouter"])
NO_KEY = EndpointState(
    endpoint=BY_NAME["together"],
    status="no_key",
    message="set TOGETHER_API_KEY",
    hint=f"keys are made at {BY_NAME['together'].key_page}",
)
ABSENT = EndpointState(
    endpoint=BY_NAME["lmstudio"],
    status="absent",
    message="nothing listens at 127.0.0.1:1234",
    hint="start LM Studio's server",
)
FAILED = EndpointState(
    endpoint=BY_NAME["openai"],
    status="failed",
    message="OpenAI: the key was refused (401)",
    hint="check OPENAI_API_KEY",
)
STATES = (OLLAMA, ABSENT, GROQ, UNASKED, NO_KEY, FAILED)


def preset(
    name: str, *models: str, merger: str = "", description: str = "", layers: int = 1
) -> Mixture:
    """Return a mixture; the last of its models merges unless another is named."""
    return Mixture(
        name=name,
        description=description,
        layers=(Layer(proposers=tuple(Agent(model=one) for one in models), repeat=layers),),
        aggregator=Aggregator(agent=Agent(model=merger or models[-1])),
    )


TRIO = preset(
    "local-trio",
    *("ollama/phi3:instruct", "ollama/llama3:instruct", "ollama/mistral:instruct"),
    merger="ollama/llama3:instruct",
    description="phi3, llama3 and mistral on Ollama; llama3 merges",
)
MADE = preset(
    "found here",
    *("ollama/llama3.2:3b", "ollama/qwen3:8b"),
    description="the chat models that Ollama has",
)
MINE = preset("mine", "groq/openai/gpt-oss-20b", "openrouter/auto", description="for work")
LIBRARY = Library(
    (Entry(MADE, "made"), Entry(MINE, "yours"), Entry(TRIO, "shipped")),
    ('presets/broken.toml line 3 column 7: unknown key "layer"; did you mean "layers"?',),
)


@dataclass
class FakeShelf:
    """A library in memory; ``failure`` is why nothing of it can be changed."""

    now: Library = LIBRARY
    failure: str = ""
    deleted: list[Entry] = field(default_factory=list)

    @property
    def can_undelete(self) -> bool:
        return bool(self.deleted)

    def library(self) -> Library:
        return self.now

    def delete(self, name: str, /) -> None:
        self.deleted.append(self._entry(name))
        self._put(*(entry for entry in self.now.entries if entry is not self.deleted[-1]))

    def undelete(self) -> str:
        self._check()
        entry = self.deleted.pop()
        self._put(entry, *self.now.entries)
        return entry.mixture.name

    def rename(self, name: str, wanted: str, /) -> str:
        before = self._entry(name)
        after = replace(before, mixture=replace(before.mixture, name=wanted))
        self._put(*(after if entry is before else entry for entry in self.now.entries))
        return wanted

    def _entry(self, name: str) -> Entry:
        self._check()
        return next(entry for entry in self.now.entries if entry.mixture.name == name)

    def _check(self) -> None:
        if self.failure:
            raise ConfigError(self.failure)

    def _put(self, *entries: Entry) -> None:
        self.now = replace(self.now, entries=entries)


@dataclass
class Opened(Generic[ResultT]):
    """A dialog on the screen of a program; ``results`` has what it ended with, once it has."""

    dialog: Dialog[ResultT]
    stage: Stage
    pilot: Pilot[None]
    results: list[ResultT | None] = field(default_factory=list)

    async def press(self, *keys: str) -> None:
        """Press keys, then let the screen catch up."""
        await self.pilot.press(*keys)
        await settle(self.pilot)

    async def burst(self, *keys: str) -> None:
        """Press keys all at once."""
        await burst(self.pilot, *keys)

    async def settle(self) -> None:
        """Let the screen catch up."""
        await settle(self.pilot)

    @property
    def text(self) -> str:
        """What stands on the screen."""
        return self.stage.text

    @property
    def card(self) -> list[str]:
        """The rows of the card, without its bar, without air at the right."""
        region = self.dialog.query_one("#card").region
        rows = self.text.split("\n")[region.y : region.bottom]
        return [row[region.x + 1 : region.right].rstrip() for row in rows]

    def row(self, *, having: str) -> str:
        """Return the one row of the card that has these letters."""
        (row,) = [row for row in self.card if having in row]
        return row

    @property
    def chosen(self) -> str:
        """The row of the list under the cursor, without its pointer."""
        (row,) = [row for row in self.card[2:] if row.startswith("› ")]
        return row[2:]


@asynccontextmanager
async def opened(
    make: Callable[[], Dialog[ResultT]],
    *,
    size: tuple[int, int] = NARROW,
    theme: str = "moa-dark",
    keys: Iterable[str] = (),
) -> AsyncIterator[Opened[ResultT]]:
    """Open a dialog over a program with three models, and press ``keys``.

    It is made there, since Textual's fields want a running program.
    """
    program = stage({"a": says("hi"), "b": says("hi"), "m": says("hi")}, mixture("ab"), theme=theme)
    async with program.app.run_test(size=size) as pilot:
        await settle(pilot)
        now = Opened(make(), program, pilot)
        program.app.push_screen(now.dialog, now.results.append)
        await settle(pilot)
        await now.press(*keys)
        yield now
