"""A setup for commands: scripted models, presets in memory, streams that are read afterwards."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from moa_tui.cli.setup import Setup, Streams
from moa_tui.engine.clock import AsyncioClock
from moa_tui.engine.mixture import Agent, Aggregator, Layer, Mixture
from moa_tui.engine.provider import Endpoint
from moa_tui.errors import ConfigError
from moa_tui.providers.scripted import ScriptedProvider
from moa_tui.ui.ports import Ports

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from moa_tui.engine.provider import Provider
    from moa_tui.providers.scripted import Script


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

    def load(self, name: str, /) -> Mixture:
        found = {mixture.name: mixture for mixture in self.mixtures}
        if name not in found:
            raise ConfigError(f"no preset is called {name}")
        return found[name]

    def source(self, name: str, /) -> str:
        return f"# {self.load(name).name}\n"

    def all(self) -> tuple[Sequence[Mixture], Sequence[str]]:
        return self.mixtures, self.mistakes


@dataclass
class Embedded:
    """An embedded model that is there or not, and is never fetched."""

    is_present: bool = False
    title: str = "a small model"

    async def fetch(self, _progress: Callable[[int, int], None], /) -> None:
        raise AssertionError("nothing here may download")


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
    has_embedded: bool = False,
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

    return Setup(
        ports=Ports(providers=providers, clock=clock, embedded=Embedded(has_embedded)),
        presets=Shelf(mixtures),
        endpoints=known,
        preferred=preferred,
        mistakes=mistakes,
        notices=mistakes,
    )
