"""The model that comes next is loaded while others answer, where that holds nobody up."""

from __future__ import annotations

import virtual_time
from calls import Answering, Server
from ollama_double import Model, Ollama, asking, provider

from moa_tui.engine.clock import AsyncioClock
from moa_tui.engine.events import Event, SeatStarted
from moa_tui.engine.mixture import Agent, Aggregator, Layer, Mixture
from moa_tui.engine.prompt import Conversation
from moa_tui.engine.run import open_run

MODELS = {f"{name}:latest": Model() for name in ("phi3", "llama3", "qwen3", "gemma3")}


def mixture(*layers: str, to: str) -> Mixture:
    """Layers of models by their names, as "phi3 llama3"."""
    return Mixture(
        layers=tuple(
            Layer(proposers=tuple(Agent(model=f"ollama/{name}") for name in names.split()))
            for names in layers
        ),
        aggregator=Aggregator(agent=Agent(model=f"ollama/{to}")),
    )


def run(server: Ollama, mix: Mixture) -> list[Event]:
    async def main() -> list[Event]:
        one, clock = provider(server), AsyncioClock()
        async with open_run(mix, Conversation("Why?"), lambda _: one, clock=clock) as running:
            events = [event async for event in running]
        await one.aclose()
        return events

    return virtual_time.run(main())


def loads_only(server: Ollama) -> list[str]:
    """Return the models that were loaded without being asked anything."""
    return [sent["model"] for sent in server.sent() if not sent["messages"]]


def test_the_aggregator_loads_while_the_last_proposer_answers() -> None:
    server = Ollama(MODELS)
    events = run(server, mixture("phi3 llama3", to="qwen3"))
    assert loads_only(server) == ["qwen3"]
    # Loaded for the merge it would be a second time; the two proposers take 28 s.
    assert [name for name, _ in server.loads] == ["phi3:latest", "llama3:latest", "qwen3:latest"]
    assert events[-1].t < 28 + 4 + 2 + 6 + 1


def test_the_window_is_the_one_of_the_call_that_follows() -> None:
    server = Ollama(MODELS)
    run(server, mixture("phi3", to="qwen3"))
    windows = {sent["options"]["num_ctx"] for sent in server.sent() if sent["model"] == "qwen3"}
    assert len(windows) == 1


def test_nothing_is_loaded_beforehand_while_somebody_waits() -> None:
    server = Ollama(MODELS)
    run(server, mixture("phi3 phi3", to="qwen3"))
    paths = [(path, sent.get("messages")) for path, sent in server.requests if path == "/api/chat"]
    # The second sample has its first token when the first one is done.
    assert [bool(messages) for _, messages in paths] == [True, True, False, True]


def test_nothing_is_loaded_where_three_models_are() -> None:
    server = Ollama(MODELS)
    run(server, mixture("phi3 llama3 gemma3", to="qwen3"))
    assert loads_only(server) == []


def test_a_model_that_is_loaded_is_not_loaded_again() -> None:
    server = Ollama(MODELS)
    run(server, mixture("phi3 llama3", "phi3 llama3", to="phi3"))
    assert loads_only(server) == []
    assert len(server.loads) == 2


def test_what_runs_elsewhere_is_not_loaded() -> None:
    models = MODELS | {"qwen3:latest": Model(remote_host="https://far.test")}
    server = Ollama(models)
    run(server, mixture("phi3", to="qwen3"))
    assert loads_only(server) == []


def test_a_load_that_fails_is_left_to_the_call_to_tell() -> None:
    refusing = Ollama(MODELS, given={"/api/chat": Server(Answering(status=500))})

    async def main() -> None:
        one = provider(refusing)
        await one.warm(asking("qwen3"))
        await one.aclose()

    virtual_time.run(main())
    assert loads_only(refusing) == ["qwen3"]


def test_of_a_larger_next_layer_as_many_are_loaded_as_there_is_room_for() -> None:
    server = Ollama(MODELS)
    events = run(server, mixture("phi3", "llama3 qwen3 gemma3", to="phi3"))
    assert loads_only(server) == ["llama3", "qwen3"]
    assert events[-1].t < 84


def test_a_proposer_that_fails_before_its_first_token_keeps_nothing_waiting() -> None:
    server = Ollama(MODELS)
    run(server, mixture("phi3 nowhere", to="qwen3"))
    assert loads_only(server) == ["qwen3"]


def test_calls_of_one_model_are_sent_together() -> None:
    server = Ollama(MODELS, room=1)
    events = run(server, mixture("phi3 llama3 phi3", to="phi3"))
    began = [event.seat.number for event in events if isinstance(event, SeatStarted)]
    assert began == [1, 3, 2, 1]
    assert [name for name, _ in server.loads] == ["phi3:latest", "llama3:latest", "phi3:latest"]
