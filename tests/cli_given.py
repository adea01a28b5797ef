"""A setup for commands: scripted models, presets in memory, streams that are read afterwards."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from moa_tui.cli.setup import Setup, Streams
from moa_tui.engine.clock import AsyncioClock
from moa_tui.engine.mixture import Agent, Aggregator, Layer, Mixture
from moa_tui.engine.provider import Endpoint, ModelInfo
from moa_tui.errors import ConfigError
from moa_tui.made import filled
from moa_tui.providers.scripted import ScriptedProvider
from moa_tui.ui.ports import EndpointState, Ports, info_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping, Sequence

    from moa_tui.engine.provider import Kind, Provider
    from moa_tui.providers.scripted import Script
    from moa_tui.ui.ports import EndpointStatus, Origin


def mixture(*models: str, to: str = "", name: str = "team", repeat: int = 1) -> Mixture:
    """A mixture of one layer; without ``to`` it only races."""
    aggregator = Aggregator(agent=Agent(model=to)) if to else Aggregator(strategy="none")
    proposers = tuple(Agent(model=model) for model in models)
    return Mixture(
        layers=(Layer(proposers=proposers, repeat=repeat),), aggregator=aggregator, name=name
    )


@dataclass
class Shelf:
    """Presets in memory."""

    mixtures: Sequence[Mixture] = ()
    mistakes: Sequence[str] = ()
    makes: Sequence[Mixture] = ()

    def load(self, name: str, /) -> Mixture:
        found = {mixture.name: mixture for mixture in self.mixtures}
        if name not in found:
            raise ConfigError(f"no preset is called {name}")
        return found[name]

    def source(self, name: str, /) -> str:
        return f"# {self.load(name).name}\n"

    def all(self) -> tuple[tuple[Mixture, ...], tuple[str, ...]]:
        return tuple(self.mixtures), tuple(self.mistakes)

    def origin(self, name: str, /) -> Origin:
        self.load(name)
        return "yours"

    def names(self) -> tuple[str, ...]:
        return tuple(mixture.name for mixture in self.mixtures)

    def made(self, _states: Sequence[EndpointState], /) -> tuple[Mixture, ...]:
        return tuple(self.makes)

    def filled(self, mixture: Mixture, _states: Sequence[EndpointState], /) -> Mixture:
        return filled(mixture, (*self.makes, mixture)[0])

    def last_resort(self) -> Mixture:
        return mixture("embedded/shipped", name="embedded")

    def save(self, _mixture: Mixture, /, *, over: Mixture | None = None) -> str:
        raise AssertionError(f"nothing here saves over {over}")

    def delete(self, name: str, /) -> Callable[[], None]:
        raise AssertionError(f"nothing here deletes {name}")

    def rename(self, name: str, wanted: str, /) -> str:
        raise AssertionError(f"nothing here renames {name} to {wanted}")


@dataclass
class Embedded:
    """An embedded model that is there or not, and is never fetched."""

    is_present: bool = False
    model: str = "embedded/smollm2-135m-instruct"
    title: str = "a small model"

    async def fetch(self, _progress: Callable[[int, int], None], /) -> None:
        raise AssertionError("nothing here may download")


@dataclass
class Around:
    """Endpoints that are found as written here; ``answers`` are what asking one again gives."""

    found: Sequence[EndpointState] = ()
    answers: Mapping[str, EndpointState] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    steps: Sequence[tuple[int, int]] = ()
    failure: BaseException | None = None
    pulled: list[str] = field(default_factory=list)

    def states(self) -> tuple[EndpointState, ...]:
        return tuple(
            self.answers[state.endpoint.name] if state.endpoint.name in self.asked else state
            for state in self.found
        )

    async def detect(self) -> tuple[EndpointState, ...]:
        self.asked.append("detect")
        return tuple(self.found)

    async def ask(self, name: str, /) -> EndpointState:
        self.asked.append(name)
        return self.answers[name]

    async def add(self, text: str, /) -> EndpointState:
        raise AssertionError(f"nothing here adds {text}")

    def info(self, model: str, /) -> ModelInfo | None:
        return info_of(self.states(), model)

    async def look_up(self, model: str, /) -> ModelInfo | None:
        return self.info(model)

    def remove(self, name: str, /) -> Callable[[], None]:
        raise AssertionError(f"{name}: no command removes an endpoint")

    async def pull(self, model: str, /) -> AsyncGenerator[tuple[int, int], None]:
        self.pulled.append(model)
        for step in self.steps:
            yield step
        if self.failure is not None:
            raise self.failure


def place(
    name: str,
    *models: str,
    kind: Kind = "openai",
    status: EndpointStatus = "found",
    message: str = "",
    hint: str = "",
) -> EndpointState:
    """An endpoint and what is known of it; "embed" in a model's name says that it can't chat."""
    return EndpointState(
        endpoint=Endpoint(name=name, kind=kind, base_url=f"http://{name}.test"),
        status=status,
        models=tuple(ModelInfo(id=model, is_chat="embed" not in model) for model in models),
        message=message,
        hint=hint,
    )


@dataclass
class Screenless:
    """Streams without a terminal; what was written is read with ``out`` and ``err``."""

    typed: str = ""
    is_terminal: bool = False
    streams: Streams = field(init=False)

    def __post_init__(self) -> None:
        def stream(text: str = "") -> io.StringIO:
            return _Tty(text) if self.is_terminal else io.StringIO(text)

        self.streams = Streams(stdin=stream(self.typed), stdout=stream(), stderr=stream())

    @property
    def out(self) -> str:
        assert isinstance(self.streams.stdout, io.StringIO)
        return self.streams.stdout.getvalue()

    @property
    def err(self) -> list[str]:
        assert isinstance(self.streams.stderr, io.StringIO)
        return self.streams.stderr.getvalue().splitlines()


class _Tty(io.StringIO):
    def isatty(self) -> bool:
        return True


def setup(
    *mixtures: Mixture,
    scripts: Mapping[str, Script] | None = None,
    preferred: str = "",
    last_used: str = "",
    has_embedded: bool = False,
    places: Around | None = None,
    makes: Sequence[Mixture] = (),
    endpoints: Sequence[Endpoint] = (),
    mistakes: Sequence[str] = (),
) -> Setup:
    """A setup whose endpoint ``t`` is scripted and whose others are only known by name."""
    clock = AsyncioClock()
    known = {name: Endpoint(name=name, kind="openai") for name in ("groq", "ollama", "embedded")}
    known |= {"t": Endpoint(name="t", kind="scripted")}
    known |= {endpoint.name: endpoint for endpoint in endpoints}

    def providers(name: str) -> Provider:
        if name != "t":
            raise ConfigError(f"{name} needs a key")
        return ScriptedProvider(known["t"], scripts or {}, clock=clock)

    shelf = Shelf(mixtures, makes=makes)
    ports = Ports(
        providers=providers,
        clock=clock,
        embedded=Embedded(has_embedded),
        places=places,
        presets=shelf,
    )
    return Setup(
        ports=ports,
        presets=shelf,
        endpoints=known,
        preferred=preferred,
        last_used=last_used,
        mistakes=mistakes,
        notices=mistakes,
    )
