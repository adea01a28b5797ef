from __future__ import annotations

import json

import pytest
import virtual_time
from calls import Answering, Server, Told, endpoint, hear

from moa_tui.engine.clock import AsyncioClock
from moa_tui.engine.provider import (
    ChatRequest,
    Finish,
    Message,
    ModelInfo,
    Options,
    Phase,
    Text,
    Thinking,
    Usage,
)
from moa_tui.errors import ConfigError, ProviderError
from moa_tui.providers import connect
from moa_tui.providers.limits import Limiter
from moa_tui.providers.ollama import OllamaProvider

BODY = (
    b'{"message":{"content":"","thinking":"hm"},"done":false}\n'
    b'{"message":{"content":"4"},"done":false}\n'
    b'{"message":{"content":""},"done":true,"done_reason":"stop",'
    b'"prompt_eval_count":5,"eval_count":2}\n'
)


def provider(server: Server) -> OllamaProvider:
    clock = AsyncioClock()
    address = endpoint(name="ollama", kind="ollama", base_url="http://127.0.0.1:11434")
    return OllamaProvider(
        address,
        None,
        clock=clock,
        limiter=Limiter(clock=clock),
        transport=server,
        chance=lambda: 0.0,
    )


def call(server: Server, options: Options | None = None) -> Told:
    request = ChatRequest("phi3", (Message("user", "hi"),), options or Options())

    async def run() -> Told:
        return await hear(provider(server), request)

    return virtual_time.run(run())


def test_an_answer_is_told_with_its_thinking_and_usage() -> None:
    told = call(Server(Answering(body=[BODY])))

    assert told.deltas == [
        Phase("connecting"),
        Phase("waiting"),
        Thinking("hm"),
        Text("4"),
        Usage(prompt=5, completion=2),
        Finish("stop"),
    ]


def test_a_request_says_that_nothing_may_be_cut_off_silently() -> None:
    server = Server(Answering(body=[BODY]))

    call(server, Options(max_tokens=9, num_ctx=8192, think=False))

    assert str(server.requests[0].url) == "http://127.0.0.1:11434/api/chat"
    assert server.sent == [
        {
            "model": "phi3",
            "messages": [{"role": "user", "content": "hi"}],
            "stream": True,
            "options": {"num_predict": 9, "temperature": 0.7, "num_ctx": 8192},
            "keep_alive": "10m",
            "truncate": False,
            "shift": False,
            "think": False,
        }
    ]


def test_a_model_that_is_not_there_says_how_to_pull_it() -> None:
    body = json.dumps({"error": "model 'phi3' not found"}).encode()

    told = call(Server(Answering(status=404, body=[body])))

    assert told.words == (
        "ollama: not found (404): model 'phi3' not found | "
        "pull it with `ollama pull phi3`, or choose one of `moa-tui models`"
    )


def test_a_busy_server_is_asked_again() -> None:
    busy = json.dumps({"error": "server busy, please try again."}).encode()

    told = call(Server(Answering(status=503, body=[busy]), Answering(body=[BODY])))

    assert told.deltas[-1] == Finish("stop")


def test_the_pulled_models_are_listed() -> None:
    listing = {"models": [{"name": "phi3:instruct", "size": 1}, {"model": "llama3"}, {}]}

    async def run() -> tuple[ModelInfo, ...]:
        return await provider(Server(Answering(body=[json.dumps(listing).encode()]))).models()

    assert virtual_time.run(run()) == (ModelInfo(id="phi3:instruct"), ModelInfo(id="llama3"))


def test_another_servers_list_is_named() -> None:
    async def run() -> None:
        await provider(Server(Answering(body=[b'{"data": []}']))).models()

    with pytest.raises(ProviderError, match="unknown shape"):
        virtual_time.run(run())


def test_an_unspoken_kind_is_a_config_error() -> None:
    clock = AsyncioClock()

    with pytest.raises(ConfigError, match="anthropic"):
        connect(endpoint(kind="anthropic"), None, clock=clock, limiter=Limiter(clock=clock))
