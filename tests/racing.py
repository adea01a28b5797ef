"""Runs a scripted mixture in virtual time and writes down what happened, a line an event."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

import virtual_time

from moa_tui.engine.clock import AsyncioClock
from moa_tui.engine.events import (
    Event,
    LayerFinished,
    LayerStarted,
    MergeForced,
    RunFailed,
    RunFinished,
    RunStarted,
    SeatFailed,
    SeatFinished,
    SeatNote,
    SeatPhase,
    SeatRetrying,
    SeatStarted,
    SeatSwapped,
    TextDelta,
    TextRelabelled,
    ThinkingDelta,
)
from moa_tui.engine.mixture import Agent, Aggregator, Layer, Mixture, Seat
from moa_tui.engine.prompt import Conversation
from moa_tui.engine.provider import ChatRequest, Delta, Endpoint, Finish, ModelInfo, Text
from moa_tui.engine.run import Run, open_run
from moa_tui.errors import CommandError, ConfigError
from moa_tui.providers.scripted import Script, ScriptedProvider, Step, Wait

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterable, Mapping

    from moa_tui.engine.run import Given

SCRIPTED = Endpoint(name="t", kind="scripted")
Reaction: TypeAlias = "Callable[[Run], object]"


def says(*words: str, first_s: float = 1.0, gap_s: float = 1.0) -> Script:
    """A model that says one word every ``gap_s`` seconds, the first after ``first_s``."""
    return does(Wait(first_s), *_spaced(words, gap_s), Finish("stop"))


def does(*steps: Step) -> Script:
    return lambda _request: steps


def one_after_another(*scripts: Script) -> Script:
    """A model that does something else at each attempt."""
    attempts = iter(scripts)

    def script(request: ChatRequest) -> Iterable[Step]:
        return next(attempts)(request)

    return script


def _spaced(words: Iterable[str], gap_s: float) -> Iterable[Step]:
    for number, word in enumerate(words):
        if number:
            yield Wait(gap_s)
        yield Text(word)


@dataclass
class Recorder:
    """A scripted provider that remembers its requests and which of its streams were closed."""

    inner: ScriptedProvider
    requests: list[ChatRequest] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)

    @property
    def endpoint(self) -> Endpoint:
        return self.inner.endpoint

    async def stream(self, request: ChatRequest, /) -> AsyncGenerator[Delta, None]:
        self.requests.append(request)
        try:
            async for delta in self.inner.stream(request):
                yield delta
        finally:
            self.closed.append(request.model)

    async def models(self) -> tuple[()]:
        return ()

    async def aclose(self) -> None:
        pass


@dataclass
class FakeCatalogue:
    """Knows models by "endpoint/model", ``listed`` ones once it was asked."""

    known: dict[str, ModelInfo] = field(default_factory=dict)
    listed: dict[str, ModelInfo] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def info(self, model: str, /) -> ModelInfo | None:
        return self.known.get(model)

    async def look_up(self, model: str, /) -> ModelInfo | None:
        self.asked.append(model)
        self.known |= self.listed
        return self.info(model)


@dataclass
class Race:
    """What came of a run: its lines, events, the requests that were sent, refused commands."""

    lines: list[str]
    events: list[Event]
    requests: list[ChatRequest]
    closed: list[str]
    refused: list[str]

    @property
    def untimed(self) -> list[str]:
        return [line.split(" ", 1)[1] for line in self.lines]


def mixture(*layers: str, to: str = "m", **settings: object) -> Mixture:
    """``mixture("ab", "cd", to="m")``: two layers of two proposers, one letter a model."""
    aggregator = Aggregator(agent=Agent(model=f"t/{to}")) if to else Aggregator(strategy="none")
    return Mixture(
        layers=tuple(
            Layer(proposers=tuple(Agent(model=f"t/{name}") for name in names)) for names in layers
        ),
        aggregator=aggregator,
        **settings,  # type: ignore[arg-type] # the test names real fields
    )


def race(
    mix: Mixture,
    scripts: Mapping[str, Script],
    *,
    conversation: Conversation | None = None,
    models: FakeCatalogue | None = None,
    endpoint: Endpoint = SCRIPTED,
    given: Given | None = None,
    on: Mapping[str, Reaction] | None = None,
    leave_at: str = "",
) -> Race:
    """Run a mixture; ``on`` maps a line (without its time) to a command given right after it."""
    return virtual_time.run(
        _race(
            mix,
            scripts,
            conversation=conversation or Conversation("Why?"),
            models=models,
            endpoint=endpoint,
            given=given,
            on=dict(on or {}),
            leave_at=leave_at,
        )
    )


async def _race(
    mix: Mixture,
    scripts: Mapping[str, Script],
    *,
    conversation: Conversation,
    models: FakeCatalogue | None,
    endpoint: Endpoint,
    given: Given | None,
    on: dict[str, Reaction],
    leave_at: str,
) -> Race:
    clock = AsyncioClock()
    provider = Recorder(ScriptedProvider(endpoint, scripts, clock=clock))
    result = Race([], [], provider.requests, provider.closed, [])

    def providers(name: str) -> Recorder:
        if name != "t":
            raise ConfigError(f"no endpoint is called {name!r}")
        return provider

    async with open_run(
        mix, conversation, providers, clock=clock, models=models, given=given
    ) as run:
        async for event in run:
            line = told(event)
            result.events.append(event)
            result.lines.append(f"{event.t:g} {line}")
            if line in on:
                try:
                    on.pop(line)(run)
                except (CommandError, ConfigError) as refusal:
                    result.refused.append(str(refusal))
            if line == leave_at:
                break
    assert not on, f"never reached: {list(on)}"
    return result


def name(seat: Seat) -> str:
    return f"{seat.layer}.{seat.number}"


def told(event: Event) -> str:
    """An event in a few words; attempts are written from the second on."""
    match event:
        case RunStarted():
            return "run started"
        case LayerStarted():
            return f"layer {event.layer} started"
        case LayerFinished():
            return f"layer {event.layer} finished"
        case MergeForced():
            return "merge forced" + (", partial" if event.partial else "")
        case RunFinished():
            references = " ".join(name(seat) for seat in event.references)
            return f"run finished {event.answer!r} of {references}"
        case RunFailed():
            return f"run failed {event.kind}: {event.message}"
        case _:
            who = name(event.seat) + (f"#{event.attempt}" if event.attempt > 1 else "")
            return f"{who} {_told_of_seat(event)}"


def _told_of_seat(event: Event) -> str:
    match event:
        case SeatStarted():
            return ("given " if event.given else "started ") + event.model
        case SeatPhase():
            return event.phase
        case SeatRetrying():
            return f"retries in {event.wait_s:g}: {event.kind}"
        case SeatSwapped():
            return f"swapped to {event.model}"
        case ThinkingDelta():
            return f"thinks {event.text!r}"
        case TextDelta():
            return f"says {event.text!r}"
        case TextRelabelled():
            return "relabelled"
        case SeatNote():
            return f"note {event.message}"
        case SeatFinished():
            return f"finished {event.text!r} {event.reason}"
        case SeatFailed():
            return f"failed {event.kind} {event.text!r}"
        case _:
            raise TypeError(f"not a seat's event: {event}")
