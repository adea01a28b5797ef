from __future__ import annotations

import asyncio
import json
import socket
from typing import TYPE_CHECKING

import httpx
import pytest
import virtual_time
from calls import FOREVER, KEY, Body, endpoint

from moa_tui.engine.clock import AsyncioClock
from moa_tui.engine.provider import Endpoint, ModelInfo
from moa_tui.errors import ProviderError
from moa_tui.providers.bounds import MOST_MODELS
from moa_tui.providers.detect import models_of, recognise
from moa_tui.providers.faults import NobodyListens
from moa_tui.providers.listing import read_models
from moa_tui.providers.scripted import ScriptedProvider

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from contextlib import AbstractAsyncContextManager

Page = object
"""JSON, bytes as they are, a status, an exception, or seconds to wait (a float)."""


class Net(httpx.AsyncBaseTransport):
    """Answers by URL; where nothing is given, nothing listens."""

    def __init__(self, pages: Mapping[str, Page]) -> None:
        self.pages = pages
        self.asked: list[str] = []
        self.keys: set[str] = set()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(str(request.url))
        self.keys.add(request.headers.get("authorization", ""))
        page = self.pages.get(str(request.url))
        if page is None:
            raise httpx.ConnectError("refused") from ConnectionRefusedError()
        if isinstance(page, Exception):
            raise page
        if isinstance(page, float):
            await asyncio.sleep(page)
        if isinstance(page, int):
            return httpx.Response(page, stream=Body([b"{}"]))
        content = page if isinstance(page, bytes) else json.dumps(page).encode()
        return httpx.Response(200, stream=Body([content]))


def recognised(net: Net, *urls: str, variable: str = "") -> tuple[str, str]:
    """Return the kind and the URL of what is recognised."""

    async def run() -> Endpoint:
        return await recognise(
            urls,
            KEY if variable else None,
            variable=variable,
            clock=AsyncioClock(),
            limit_s=15,
            transport=net,
        )

    found = virtual_time.run(run())
    return found.kind, found.base_url


def failure(net: Net, *urls: str, variable: str = "") -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        recognised(net, *urls, variable=variable)
    return caught.value


LISTING = {"data": [{"id": "m"}]}
VERSION = {"version": "0.13.0"}


class Listing(ScriptedProvider):
    """A provider whose list of models is what a test wants."""

    def __init__(self, address: Endpoint, models: Callable[[], Awaitable[object]]) -> None:
        super().__init__(address, {}, clock=AsyncioClock())
        self._listing = models

    async def models(self) -> tuple[ModelInfo, ...]:
        return read_models(await self._listing())


def told(answer: object, **fields: object) -> Sequence[str] | ProviderError:
    """Return what is found of a provider that answers so, within 0.3 s."""

    async def listing() -> object:
        if isinstance(answer, float):
            await asyncio.sleep(answer)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def run() -> Sequence[str]:
        provider = Listing(endpoint(**fields), listing)
        found = await models_of(provider, clock=AsyncioClock(), limit_s=0.3)
        return [model.id for model in found]

    try:
        return virtual_time.run(run())
    except ProviderError as error:
        return error


# Models


@pytest.mark.parametrize(
    "answer",
    [
        {"object": "list", "data": [{"id": "a"}, {"id": "b"}]},
        {"models": [{"name": "a"}, {"model": "b"}]},
        {"data": None, "models": ["a", "b"]},
        [{"id": "a"}, "b", {"id": 7}, None, {}],
    ],
)
def test_a_listing_of_any_known_shape_is_read(answer: object) -> None:
    assert told(answer) == ["a", "b"]


def test_a_listing_of_another_shape_is_a_strangers() -> None:
    error = told({"items": []})
    assert isinstance(error, ProviderError)
    assert (error.kind, error.message) == (
        "protocol",
        "something that isn't a model server listens on 9: the list of models has an unknown shape",
    )


def test_ten_thousand_models_are_listed() -> None:
    names = [f"model-{number}" for number in range(10_000)]
    assert told(names) == names


def test_a_name_that_no_screen_can_show_is_left_out() -> None:
    assert told(["good", "two\nlines", "\x1b[2J", "x" * 300, " padded ", "名字"]) == [
        "good",
        "名字",
    ]


def test_what_does_not_answer_in_time_says_so_after_exactly_that() -> None:
    async def run() -> tuple[str, float]:
        clock = AsyncioClock()
        never = asyncio.get_running_loop().create_future()
        provider = Listing(endpoint(label="LM Studio"), lambda: never)
        with pytest.raises(ProviderError) as caught:
            await models_of(provider, clock=clock, limit_s=0.3)
        return caught.value.message, clock.now()

    message, now = virtual_time.run(run())
    assert message == "LM Studio did not answer within 0.3 s"
    assert now == pytest.approx(0.3)


class LateClock(AsyncioClock):
    """The first limit is over before anybody could use it: the loop stood still."""

    is_late = True

    def timeout(self, seconds: float | None, /) -> AbstractAsyncContextManager[object]:
        seconds, self.is_late = 0 if self.is_late else seconds, False
        return super().timeout(seconds)


def test_a_loop_that_stands_still_for_once_does_not_make_a_server_look_dead() -> None:
    async def run() -> tuple[ModelInfo, ...]:
        async def soon() -> object:
            await asyncio.sleep(0.15)
            return ["m"]

        return await models_of(Listing(endpoint(), soon), clock=LateClock(), limit_s=0.3)

    assert virtual_time.run(run()) == (ModelInfo(id="m"),)


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("acme answered with a web page (HTML)", "; it answered with a web page (HTML)"),
        ("acme: not found (404)", ": it says: not found (404)"),
        ("no JSON", ": no JSON"),
    ],
)
def test_a_stranger_on_a_port_of_this_machine_is_called_one(said: str, shown: str) -> None:
    start = "something that isn't a model server listens on"
    fault = ProviderError("not_found", said, "look")
    error = told(fault)
    assert isinstance(error, ProviderError)
    assert (error.message, error.hint) == (
        f"{start} 9{shown}",
        "if acme listens elsewhere, add its host:port",
    )
    without_port = told(fault, base_url="http://localhost/v1")
    assert str(without_port) == f"{start} localhost{shown}"
    assert str(told(fault, base_url="https://a.example/v1")) == said


def test_a_refusal_is_not_a_strangers_and_nobody_stays_nobody() -> None:
    refused = ProviderError("auth", "acme: the key was not accepted (401)")
    assert str(told(refused)) == "acme: the key was not accepted (401)"
    assert isinstance(told(NobodyListens("connect", "nothing listens")), NobodyListens)


# What is at a URL


@pytest.mark.parametrize(
    "typed",
    ["http://gpu:1", "http://gpu:1/", "http://gpu:1/v1", "http://gpu:1/v1/chat/completions"],
)
def test_an_ollama_is_told_by_its_own_api_also_behind_v1(typed: str) -> None:
    net = Net({"http://gpu:1/api/version": VERSION, "http://gpu:1/v1/models": LISTING})
    assert recognised(net, typed) == ("ollama", "http://gpu:1")


@pytest.mark.parametrize(
    ("typed", "path"),
    [
        ("http://gpu:1", "/v1"),
        ("http://gpu:1", ""),
        ("http://gpu:1/openai/v1", "/openai/v1"),
        ("http://gpu:1/openai/v1/models", "/openai/v1"),
        ("http://gpu:1/v1/chat/completions/", "/v1"),
    ],
)
def test_any_other_is_told_by_its_listing(typed: str, path: str) -> None:
    net = Net({f"http://gpu:1{path}/models": LISTING, "http://gpu:1/api/version": 404})
    assert recognised(net, typed) == ("openai", f"http://gpu:1{path}")


def test_a_version_of_something_else_is_no_ollama() -> None:
    pages = {"http://gpu:1/api/version": {"version": 3}, "http://gpu:1/v1/models": LISTING}
    assert recognised(Net(pages), "http://gpu:1") == ("openai", "http://gpu:1/v1")


PAGED = {"data": [{"type": "model", "id": "m"}], "has_more": False}


@pytest.mark.parametrize(
    ("typed", "base"),
    [
        ("http://gpu:1/v1/messages", "http://gpu:1/v1"),
        ("http://gpu:1/anthropic", "http://gpu:1/anthropic/v1"),
        ("http://gpu:1/anthropic/v1/models", "http://gpu:1/anthropic/v1"),
        ("http://claude-proxy:1", "http://claude-proxy:1/v1"),
    ],
)
def test_anthropic_s_dialect_is_told_by_its_listing(typed: str, base: str) -> None:
    assert recognised(Net({f"{base}/models": PAGED}), typed) == ("anthropic", base)


@pytest.mark.parametrize("typed", ["http://gpu:1/v1/messages", "http://gpu:1/v1", "http://gpu:1"])
def test_a_server_that_has_both_dialects_is_of_openai_s(typed: str) -> None:
    net = Net({"http://gpu:1/v1/models": LISTING})
    assert recognised(net, typed) == ("openai", "http://gpu:1/v1")


def test_a_key_goes_in_anthropic_s_header_only_where_the_url_says_so() -> None:
    asked = {}

    class Heard(Net):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            asked[str(request.url), request.headers.get("x-api-key")] = True
            return await super().handle_async_request(request)

    pages = {"https://a.example/v1/models": LISTING}
    recognised(Heard(pages), "https://a.example", variable="LAB_KEY")
    assert {key for _, key in asked} == {None}
    recognised(Heard(pages), "https://a.example/v1/messages", variable="LAB_KEY")
    assert ("https://a.example/v1/models", KEY.reveal()) in asked


def test_of_several_urls_the_first_that_answers_counts() -> None:
    net = Net({"http://b/v1/models": LISTING, "http://c/v1/models": LISTING})
    assert recognised(net, "http://a", "http://b", "http://c") == ("openai", "http://b/v1")


def test_nobody_waits_for_the_others_once_it_is_known() -> None:
    async def run() -> tuple[str, float]:
        net = Net({"http://a/api/version": VERSION, "http://b/v1/models": FOREVER})
        clock = AsyncioClock()
        found = await recognise(("http://a", "http://b"), clock=clock, limit_s=15, transport=net)
        return found.base_url, clock.now()

    assert virtual_time.run(run()) == ("http://a", 0.0)


def test_the_key_goes_along_but_not_in_the_clear() -> None:
    far, near = Net({"https://a.example/v1/models": LISTING}), Net({"http://gpu:1/v1/models": 401})
    recognised(far, "https://a.example", variable="LAB_KEY")
    assert far.keys == {f"Bearer {KEY.reveal()}"}
    error = failure(near, "http://gpu:1", variable="LAB_KEY")
    assert near.keys == {""}
    assert error.hint == "the key was not sent: it goes over https only; set base_url to https"


# What is told when nothing is


def test_nothing_listens() -> None:
    error = failure(Net({}), "http://127.0.0.1:9")
    assert isinstance(error, NobodyListens)
    assert error.message == "nothing listens at 127.0.0.1:9"


def test_a_refusal_tells_more_than_a_missing_page() -> None:
    pages = dict.fromkeys(("api/version", "models"), 404) | {"v1/models": 401}
    net = Net({f"http://127.0.0.1:9/{path}": page for path, page in pages.items()})
    error = failure(net, "http://127.0.0.1:9", variable="LAB_KEY")
    assert (error.kind, error.hint) == ("auth", "check $LAB_KEY")


def test_a_server_that_answers_tells_more_than_a_port_where_none_does() -> None:
    net = Net({"http://b/v1/models": b"<html>", "http://b/api/version": b"<html>"})
    assert failure(net, "http://a", "http://b").message == "b answered with a web page (HTML)"


def test_a_server_without_any_of_the_pages() -> None:
    pages = {f"http://gpu:1/{path}": 404 for path in ("api/version", "v1/models", "models")}
    error = failure(Net(pages), "http://gpu:1")
    assert (error.kind, error.message) == (
        "not_found",
        "what answers at gpu:1 is no model server",
    )


def test_a_host_that_nobody_knows() -> None:
    unknown = httpx.ConnectError("x")
    unknown.__cause__ = socket.gaierror()
    pages = {f"http://nope/{path}": unknown for path in ("api/version", "v1/models", "models")}
    assert failure(Net(pages), "http://nope").message == "no such host: nope"


def test_a_server_that_says_nothing() -> None:
    pages = {f"http://gpu/{path}": FOREVER for path in ("api/version", "v1/models", "models")}
    error = failure(Net(pages), "http://gpu")
    assert (error.kind, error.message) == ("timeout", "gpu did not answer within 15 s")


@pytest.mark.parametrize(
    ("name", "is_chat"),
    [
        ("text-embedding-nomic-embed-text-v1.5", False),
        ("BAAI/bge-reranker-v2-m3", False),
        ("whisper-large-v3", False),
        ("tts-1", False),
        ("gpt-image-1-mini", False),
        ("gpt-4o", True),
        ("gpt-4o-audio-preview", True),
        ("/models/embeddings/qwen3-4b.gguf", True),
    ],
)
def test_a_listing_without_a_word_on_it_tells_by_the_name_what_can_chat(
    name: str,
    is_chat: bool,  # noqa: FBT001 - a column of the table
) -> None:
    assert [model.is_chat for model in read_models({"data": [{"id": name}]})] == [is_chat]


@pytest.mark.parametrize("odd", [10**400, 0, -1, True, 1.5, "7", [7], {}])
def test_a_context_that_makes_no_sense_is_unknown(odd: object) -> None:
    (model,) = read_models({"data": [{"id": "a", "context_length": odd}]})
    assert model.context is None


def test_a_listing_is_read_to_its_bound() -> None:
    assert len(read_models([f"m{number}" for number in range(MOST_MODELS + 1)])) == MOST_MODELS
