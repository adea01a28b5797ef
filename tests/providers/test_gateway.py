"""The real program against a gateway that we didn't write, in front of a server of ours.

What the gateway makes of a call and of its answer is its own: how it cuts and escapes the text,
names the fields, words a failure and ends a broken stream.
"""

from __future__ import annotations

import json
import signal
import subprocess
from contextlib import ExitStack, aclosing, asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from calls import KEY as WRONG_KEY
from gateway import KEY, gateway
from local_server import LocalServer, Script
from program import AGGREGATOR, command, configure
from terminal import terminal_environment

from moa_tui.engine.clock import AsyncioClock
from moa_tui.engine.provider import ChatRequest, Endpoint, Message, Options, Retrying, Text
from moa_tui.errors import ProviderError
from moa_tui.providers import connect
from moa_tui.providers.detect import models_of, recognise
from moa_tui.providers.limits import Limiter
from moa_tui.text import Secret

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
    from pathlib import Path

    from moa_tui.engine.provider import Provider
    from moa_tui.errors import FailureKind

KEY_NAME = "GATEWAY_KEY"
ENDLESS = Script(rate=50, tokens=1_000_000)
TEXTS = {
    "markup": ("<b>", "a & b", "</b> ", '\\u003c "', "\\"),
    "chinese": ("天空", "是蓝", "色的", "。\n\n", "👩\u200d🚀"),
    "frames": ("\n", "data: [DONE]\n\n", "event: error\n", '{"error": {}}', "\n\n"),
    AGGREGATOR: ("# All\n\n", "```py\n", "x = {}\n", "```", "\n"),
}
FAILING = {
    "key": Script(status=401, error="bad key"),
    "context": Script(status=400, error="maximum context length is 8"),
    "model": Script(status=404, error="model 'm' not found"),
    "rate": Script(status=429, error="slow down"),
    "server": Script(status=500, error="boom"),
}


@contextmanager
def standing_before(
    scripts: Mapping[str, Script], folder: Path, **more: str
) -> Iterator[tuple[LocalServer, str]]:
    """Yield a server with these scripts, and the base URL of a gateway in front of it."""
    with ExitStack() as stack:
        server = stack.enter_context(LocalServer(scripts))
        environ = {"OPENAI_API_KEY": "sk-of-the-gateway", "OPENAI_BASE_URL": server.base_url}
        environ |= more
        yield server, stack.enter_context(gateway(folder, {"openai": list(scripts)}, environ))


@pytest.fixture(scope="module")
def before_failures(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with standing_before(FAILING, tmp_path_factory.mktemp("gateway")) as (_, url):
        yield url


@asynccontextmanager
async def connected(url: str) -> AsyncGenerator[Provider, None]:
    clock = AsyncioClock()
    address = Endpoint(name="acme", kind="openai", base_url=url, api_key_env=KEY_NAME)
    provider = connect(address, Secret(KEY), clock=clock, limiter=Limiter(clock=clock))
    try:
        yield provider
    finally:
        await provider.aclose()


async def outcome(
    provider: Provider, model: str, *, at_text: Callable[[], None] = lambda: None
) -> tuple[str, Retrying | ProviderError | None]:
    """Return the text of an answer and how its first try failed, without waiting for a second."""
    said = ""
    request = ChatRequest(model, (Message("user", "hi"),), Options())
    try:
        async with aclosing(provider.stream(request)) as deltas:
            async for delta in deltas:
                if isinstance(delta, Retrying):
                    return said, delta
                if isinstance(delta, Text):
                    said += delta.text
                    at_text()
    except ProviderError as error:
        return said, error
    return said, None


def configured(folder: Path, url: str, proposers: list[str]) -> None:
    configure(folder, url, proposers)
    with (folder / "config.toml").open("a", encoding="utf-8") as config:
        config.write(f'api_key_env = "{KEY_NAME}"\n')


def asking(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(  # noqa: S603 - our own program
        command(folder, "ask", "--preset", "bench", "--json", "why"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**terminal_environment(), KEY_NAME: KEY},
        encoding="utf-8",
    )


def of(events: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    return [event for event in events if event["event"] == name]


async def test_it_is_recognised_and_its_models_are_listed_with_their_windows(
    before_failures: str,
) -> None:
    clock = AsyncioClock()
    found = await recognise([before_failures], Secret(KEY), clock=clock, limit_s=30)
    async with connected(before_failures) as provider:
        models = {model.id: model for model in await models_of(provider, clock=clock, limit_s=30)}

    assert (found.kind, found.base_url) == ("openai", before_failures)
    assert models.keys() >= FAILING.keys()
    assert (models["gpt-4o"].context, models["gpt-4o"].is_chat) == (128_000, True)
    assert not any(models[name].is_chat for name in ("gpt-image-1", "text-embedding-3-small"))


@pytest.mark.parametrize(
    ("secret", "words"),
    [
        (None, "it wants a key, and none was sent (401)"),
        (WRONG_KEY, "the key was not accepted (401)"),
    ],
    ids=["none", "wrong"],
)
async def test_a_key_that_lacks_is_told_from_a_wrong_one(
    before_failures: str, secret: Secret | None, words: str
) -> None:
    clock = AsyncioClock()

    with pytest.raises(ProviderError) as error:
        await recognise([before_failures], secret, variable=KEY_NAME, clock=clock, limit_s=30)

    assert error.value.kind == "auth"
    assert words in error.value.message


def test_a_whole_mixture_arrives_to_the_byte_and_is_counted(tmp_path: Path) -> None:
    scripts = {name: Script(rate=0, pieces=pieces) for name, pieces in TEXTS.items()}
    proposers = [name for name in TEXTS if name != AGGREGATOR]
    with standing_before(scripts, tmp_path) as (server, url):
        configured(tmp_path, url, proposers)
        out, err = asking(tmp_path).communicate(timeout=60)
        asked = {record["model"]: record["body"] for record in server.of("request")}

    events = [json.loads(line) for line in out.splitlines()]
    assert (err, events[-1]["event"]) == ("", "run_finished")
    models = {tuple(one["seat"]): one["model"] for one in of(events, "seat_started")}
    ends = of(events, "seat_finished")
    texts = {models[tuple(one["seat"])].removeprefix("bench/"): one["text"] for one in ends}
    assert texts == {name: "".join(pieces) for name, pieces in TEXTS.items()}
    assert [(one["usage"]["prompt"], one["usage"]["completion"]) for one in ends] == [(10, 5)] * 4
    assert events[-1]["answer"] == texts[AGGREGATOR]
    assert (events[-1]["usage"]["prompt"], events[-1]["usage"]["completion"]) == (40, 20)
    assert asked["markup"]["messages"][-1] == {"role": "user", "content": "why"}
    given = asked[AGGREGATOR]["messages"][0]["content"]
    assert all(texts[name].strip() in given for name in proposers)


@pytest.mark.parametrize(
    ("model", "kind", "words"),
    [
        ("key", "auth", "bad gateway (502): the gateway could not authenticate with the upstream"),
        ("context", "context", "maximum context length is 8"),
        ("model", "not_found", "the provider that serves this model no longer offers it"),
        ("other", "not_found", "no configured provider serves the requested model"),
        ("rate", "rate_limit", "rate limit (429): rate limit exceeded"),
        ("server", "server", "bad gateway (502): the upstream provider returned no usable"),
    ],
)
async def test_what_fails_behind_it_is_told_by_its_kind_and_in_words(
    before_failures: str, model: str, kind: FailureKind, words: str
) -> None:
    async with connected(before_failures) as provider:
        said, failure = await outcome(provider, model)

    assert failure is not None
    assert (said, failure.kind) == ("", kind)
    assert words in failure.message
    assert isinstance(failure, Retrying) == (kind in ("rate_limit", "server"))


async def test_an_answer_whose_server_dies_keeps_its_text_and_says_so(tmp_path: Path) -> None:
    with standing_before({"m": ENDLESS}, tmp_path) as (server, url):
        async with connected(url) as provider:
            said, failure = await outcome(provider, "m", at_text=server.kill)

    assert said
    assert isinstance(failure, ProviderError)
    assert (failure.kind, failure.message) == ("midstream", "unexpected EOF")


def test_a_stopped_run_ends_every_stream_behind_it(tmp_path: Path) -> None:
    proposers = ["a", "b", "c"]
    with standing_before(dict.fromkeys([*proposers, AGGREGATOR], ENDLESS), tmp_path) as (
        server,
        url,
    ):
        configured(tmp_path, url, proposers)
        program = asking(tmp_path)
        server.wait_for(lambda records: sum(r["event"] == "request" for r in records) == 3)
        program.send_signal(signal.SIGTERM)
        out, err = program.communicate(timeout=60)
        server.wait_for(lambda records: sum(r["event"] == "closed" for r in records) == 3)

    assert program.returncode == 130
    last = json.loads(out.splitlines()[-1])
    assert (last["event"], last["kind"]) == ("run_failed", "stopped")
    assert "Traceback" not in err


async def test_a_rate_limit_of_its_own_is_waited_for_as_long_as_it_asks(tmp_path: Path) -> None:
    limit = {"RATE_LIMIT_RPS": "0.001", "RATE_LIMIT_BURST": "1"}
    with standing_before({"m": Script(pieces=("yes",))}, tmp_path, **limit) as (_, url):
        async with connected(url) as provider:
            first = await outcome(provider, "m")
            _, second = await outcome(provider, "m")

    assert first == ("yes", None)
    assert isinstance(second, Retrying)
    assert second.kind == "rate_limit"
    assert second.wait_s <= 1.0
