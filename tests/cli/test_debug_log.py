"""The debug log: what it tells, that it holds no key, and that without it nothing is written."""

from __future__ import annotations

import asyncio
import base64
import logging
import re
import sys
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
import virtual_time
from cli_given import Screenless
from local_server import LocalServer, Script
from program import AGGREGATOR, configure

from moa_tui.__main__ import Program
from moa_tui.config import Settings
from moa_tui.connections import Connections
from moa_tui.engine.clock import AsyncioClock
from moa_tui.engine.provider import (
    ChatRequest,
    Endpoint,
    Finish,
    Message,
    Phase,
    Retrying,
    Text,
    Warming,
)
from moa_tui.errors import ProviderError
from moa_tui.log import Log
from moa_tui.providers.scripted import ScriptedProvider, Wait
from moa_tui.text import Secret

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator, Mapping
    from pathlib import Path

    from moa_tui.engine.provider import Delta, ModelInfo
    from moa_tui.providers.scripted import Step

QUICK = Script(rate=0, tokens=20)
KEY = "pl@nted/key+of=a?lab"
PRINTED = "printed-by-a-command"


@pytest.fixture(autouse=True)
def same_loggers_afterwards() -> Iterator[None]:
    """The log leaves the process's loggers as they were, whatever happened."""

    def state() -> list[object]:
        loggers = [logging.getLogger(name) for name in ("", "httpx", "httpcore")]
        return [(logger.level, list(logger.handlers), logger.filters) for logger in loggers]

    before = state()
    yield
    assert state() == before


def run(
    folder: Path, *line: str, environ: Mapping[str, str] | None = None
) -> tuple[int, Screenless]:
    at = Screenless()
    code = Program(environ or {}, at.streams).run(["--config-dir", str(folder), *line])
    return code, at


def written(folder: Path) -> str:
    return (folder / "log" / "moa-tui.log").read_text("utf-8")


def plain(text: str) -> list[str]:
    """Return the lines without time, and without what differs from machine to machine."""
    stamp = re.compile(r"^\S+ \S+ (INFO|WARNING|ERROR) moa_tui: ")
    seconds = re.compile(r"after \d+\.\d{3} s$")
    return [seconds.sub("after … s", stamp.sub("", line)) for line in text.splitlines()]


# When there is one


@pytest.mark.parametrize(
    ("line", "environ"),
    [
        ("presets", {}),
        ("presets", {"DEBUG": ""}),
        ("presets", {"DEBUG": "0"}),
        ("ask --preset demo", {}),
    ],
)
def test_without_being_asked_for_nothing_is_written(
    tmp_path: Path, line: str, environ: dict[str, str]
) -> None:
    run(tmp_path, *line.split(), environ=environ)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("line", "environ"),
    [
        ("presets --debug", {}),
        ("--debug presets", {}),
        ("presets", {"DEBUG": "1"}),
        ("presets", {"DEBUG": "true"}),
    ],
)
def test_the_option_and_the_variable_ask_for_it(
    tmp_path: Path, line: str, environ: dict[str, str]
) -> None:
    assert run(tmp_path, *line.split(), environ=environ)[0] == 0
    first, second, *_, last = plain(written(tmp_path))
    assert first.startswith("moa-tui 0.1.0, Python 3.")
    assert sys.platform in first.lower()
    assert second.startswith("command presets, Wishes(preset=None")
    assert last == "ended"


def test_who_types_the_option_is_told_where_it_is(tmp_path: Path) -> None:
    told = [f"moa-tui: logging to {tmp_path}/log/moa-tui.log"]
    assert run(tmp_path, "presets", "--debug")[1].err == told
    assert run(tmp_path, "presets", environ={"DEBUG": "1"})[1].err == []


def test_only_its_owner_may_read_it_and_each_start_adds_to_it(tmp_path: Path) -> None:
    run(tmp_path, "presets", "--debug")
    path = tmp_path / "log" / "moa-tui.log"
    path.chmod(0o644)
    run(tmp_path, "presets", "--debug")
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert plain(written(tmp_path)).count("ended") == 2


def test_a_log_that_cant_be_written_is_said_and_the_command_goes_on(tmp_path: Path) -> None:
    (tmp_path / "log").touch()
    code, at = run(tmp_path, "presets", "--debug")
    assert (code, len(at.err), bool(at.out)) == (0, 1, True)
    assert at.err[0].startswith("moa-tui: nothing is logged, ")


def test_a_full_disk_is_said_at_the_end(tmp_path: Path) -> None:
    (tmp_path / "log").mkdir()
    log = Log(tmp_path / "log" / "x", {}, clock=AsyncioClock())
    log._handler.stream.close()  # noqa: SLF001 - as a disk that takes nothing more
    with log:
        log.told("hello")
    assert log.trouble


# What it tells


def test_settings_requests_and_their_outcomes_are_told(tmp_path: Path) -> None:
    dead = Script(status=400, error="no such thing")
    with LocalServer({"a": QUICK, "b": dead, AGGREGATOR: QUICK}) as server:
        configure(tmp_path, server.base_url, ["a", "b"])
        environ = {"GROQ_API_KEY": "k-123456"}
        code, _ = run(tmp_path, "ask", "--preset", "bench", "why", "--debug", environ=environ)
    lines = plain(written(tmp_path))
    assert code == 0
    assert lines[2:5] == [
        f"settings: {tmp_path}/config.toml",
        f"settings: {tmp_path}/state.toml (not there)",
        "settings: GROQ_API_KEY is set, for groq",
    ]
    assert sorted(lines[5:-2]) == [
        "bench/a: answered (stop) after … s",
        "bench/b: failed, invalid: bench: status 400: no such thing after … s",
    ]
    assert lines[-2:] == ["bench/merger: answered (stop) after … s", "ended"]


def test_prompts_and_answers_are_not_told(tmp_path: Path) -> None:
    said = Script(rate=0, pieces=("an-answer-of-a-model",))
    with LocalServer({"a": said, AGGREGATOR: said}) as server:
        configure(tmp_path, server.base_url, ["a"])
        run(tmp_path, "ask", "--preset", "bench", "a-private-question", "--debug")
    assert "private" not in written(tmp_path)
    assert "an-answer" not in written(tmp_path)


def test_a_look_at_an_endpoint_is_told(tmp_path: Path) -> None:
    with LocalServer({"a": QUICK}) as server:
        configure(tmp_path, server.base_url, ["a"])
        run(tmp_path, "models", "--debug")
    assert "bench, list of models: 1 models after … s" in plain(written(tmp_path))


def test_a_mistake_that_ends_the_program_is_told(tmp_path: Path) -> None:
    assert run(tmp_path, "ask", "--preset", "x", "why", "--debug")[0] == 2
    assert plain(written(tmp_path))[-1] == (
        'ended by a mistake: no preset is called "x"; moa-tui presets lists them'
    )


def test_what_is_wrong_in_the_settings_is_told(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("zzz = 1\n", "utf-8")
    run(tmp_path, "ask", "--preset", "demo", "why", "--debug")
    assert f"settings: {tmp_path}/config.toml: zzz is no known key" in plain(written(tmp_path))


def test_a_crash_is_told_with_its_traceback_and_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    with pytest.raises(ZeroDivisionError), Log(path, {"A_KEY": KEY}, clock=AsyncioClock()):
        raise ZeroDivisionError(f"with {KEY} in it")
    text = path.read_text("utf-8")
    assert "CRITICAL moa_tui: crashed\nTraceback" in text
    assert text.splitlines()[-1] == "ZeroDivisionError: with ••• in it"


def test_a_crash_that_the_screen_caught_is_told(tmp_path: Path) -> None:
    with Log(tmp_path / "x.log", {}, clock=AsyncioClock()) as log:
        log.crashed("Traceback …\nKeyError: 'x'")
    assert "crashed\nTraceback …\nKeyError: 'x'\n" in (tmp_path / "x.log").read_text("utf-8")


def heard(folder: Path, *steps: Step, stop_early: bool = False) -> list[str]:
    """Return what is told of one request to a model that takes these steps."""

    async def ask() -> None:
        clock = AsyncioClock()
        with Log(folder / "x.log", {}, clock=clock) as log:
            endpoint = Endpoint(name="t", kind="scripted")
            scripted = ScriptedProvider(endpoint, {"a": lambda _: steps}, clock=clock)
            provider = log.watched(scripted)
            assert (provider.endpoint, hasattr(provider, "pull")) == (endpoint, False)
            stream = provider.stream(ChatRequest("a", (Message("user", "hi"),)))
            try:
                async for _ in stream:
                    if stop_early:
                        break
            except ProviderError:
                log.told("raised")
            await stream.aclose()
            await provider.aclose()

    virtual_time.run(ask())
    return plain((folder / "x.log").read_text("utf-8"))[1:-1]


def test_retries_are_told_with_cause_and_wait(tmp_path: Path) -> None:
    retry = Retrying("rate_limit", "T: rate\nlimit", 2.0)
    assert heard(tmp_path, Wait(1.5), retry, Text("x"), Finish("length")) == [
        "t/a: T: rate limit, again in 2.0 s",
        "t/a: answered (length) after … s",
    ]


def test_a_failure_is_told_and_passed_on(tmp_path: Path) -> None:
    assert heard(tmp_path, ProviderError("auth", "refused")) == [
        "t/a: failed, auth: refused after … s",
        "raised",
    ]


def test_a_stream_that_is_left_is_told_as_stopped(tmp_path: Path) -> None:
    assert heard(tmp_path, Phase("loading"), Text("y"), stop_early=True) == [
        "t/a: stopped before anything came after … s"
    ]


def test_a_stream_that_is_left_while_it_speaks_is_told_as_such(tmp_path: Path) -> None:
    assert heard(tmp_path, Text("x"), Text("y"), stop_early=True) == [
        "t/a: stopped while it spoke after … s"
    ]


class Fetcher:
    """A server that fetches models."""

    endpoint = Endpoint(name="o", kind="ollama")

    async def stream(self, request: ChatRequest, /) -> AsyncGenerator[Delta, None]:
        yield Text(request.model)

    async def models(self) -> tuple[ModelInfo, ...]:
        return ()

    async def pull(self, model: str, /) -> AsyncGenerator[tuple[int, int], None]:
        yield 1, 2
        if model == "bad":
            raise ProviderError("cut", "it broke off")
        yield 2, 2

    async def warm(self, request: ChatRequest, /) -> None:
        assert request.model == "next"

    async def aclose(self) -> None:
        pass


async def test_a_load_beforehand_is_told(tmp_path: Path) -> None:
    with Log(tmp_path / "x.log", {}, clock=AsyncioClock()) as log:
        provider = log.watched(Fetcher())
        assert isinstance(provider, Warming)
        await provider.warm(ChatRequest("next", ()))
    assert "o, loading of next beforehand: over after" in (tmp_path / "x.log").read_text("utf-8")


async def test_a_pull_is_told(tmp_path: Path) -> None:
    with Log(tmp_path / "x.log", {}, clock=AsyncioClock()) as log:
        provider = log.watched(Fetcher())
        assert isinstance(provider, Fetcher) or hasattr(provider, "pull")
        assert [step async for step in provider.pull("good")] == [(1, 2), (2, 2)]
        with pytest.raises(ProviderError):
            [step async for step in provider.pull("bad")]
    assert plain((tmp_path / "x.log").read_text("utf-8"))[1:-1] == [
        "o, pull of good: done after … s",
        "o, pull of bad: failed, cut: it broke off after … s",
    ]


# What it never holds


def spellings(key: str) -> list[str]:
    return [key, quote(key, safe=""), base64.b64encode(key.encode()).decode().rstrip("=")]


def test_no_key_is_written_in_any_spelling(tmp_path: Path) -> None:
    """A server echoes the keys that it was sent, as some do in their error messages."""
    shape = "Bearer gsk_plantedPlanted0123456789"
    echoes = {
        name: Script(status=400, error=" ".join([*spellings(key), shape]))
        for name, key in (("a", KEY), ("b", PRINTED))
    }
    with LocalServer(echoes) as server:
        configure(tmp_path, server.base_url, ["a", "b"])
        config = tmp_path / "config.toml"
        command = [sys.executable, "-c", f"print({PRINTED!r})"]
        config.write_text(
            config.read_text("utf-8")
            + 'api_key_env = "LAB_PHRASE"\n'
            + f'[endpoints.safe]\nbase_url = "{server.base_url}"\napi_key_cmd = {command}\n',
            "utf-8",
        )
        environ = {"LAB_PHRASE": KEY, "DEBUG": "1"}
        line = ("--proposer", "bench/a", "--proposer", "safe/b", "--strategy", "none")
        assert run(tmp_path, "ask", "why", *line, environ=environ)[0] == 1
    text = written(tmp_path)
    assert text.count("failed, invalid: ") == 2
    assert [one for one in (*spellings(KEY), *spellings(PRINTED)) if one in text] == []
    assert "gsk_" not in text


def test_the_logs_own_masking_knows_every_key_that_is_in_use(tmp_path: Path) -> None:
    command = (sys.executable, "-c", f"print({PRINTED!r})")
    dead = Endpoint(name="lab", kind="openai", base_url="http://127.0.0.1:1")
    endpoints = {
        "lab": replace(dead, api_key_env="LAB_PHRASE"),
        "safe": replace(dead, name="safe", api_key_cmd=command),
    }

    async def use(log: Log) -> None:
        connections = Connections(
            Settings(endpoints=endpoints),
            {"LAB_PHRASE": KEY},
            clock=AsyncioClock(),
            models_folder=tmp_path,
            watch=log,
        )
        for name in endpoints:
            with pytest.raises(ProviderError):
                await connections(name).models()
        await connections.aclose()

    path = tmp_path / "x.log"
    with Log(path, {}, clock=AsyncioClock()) as log:
        asyncio.run(use(log))
        log.told(" ".join([*spellings(KEY), *spellings(PRINTED)]))
    assert f"{' '.join(['•••'] * 6)}\n" in path.read_text("utf-8")


def test_keys_are_masked_in_what_other_libraries_log(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    with Log(path, {"LAB_TOKEN": KEY}, clock=AsyncioClock()) as log:
        log.heard(Secret("longer-than-"))
        log.heard(Secret("longer-than-it-was"))
        foreign = logging.getLogger("httpcore.connection")
        foreign.info("a URL with %s", KEY)
        foreign.warning("args %s and \x1b[2J %r", {"key": KEY}, "longer-than-it-was")
        try:
            raise ValueError(quote(KEY, safe=""))  # noqa: TRY301 - a traceback is wanted
        except ValueError:
            logging.getLogger("asyncio").exception("a task broke")
    text = path.read_text("utf-8")
    assert "a URL with" not in text
    assert "args {'key': '•••'} and ␛[2J '•••'\n" in text
    assert "ValueError: •••\n" in text


def test_a_short_or_unnamed_value_is_left_readable(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    environ = {"SOME_KEY": "abc", "KEYBOARD": "english", "OTHER": "plain"}
    with Log(path, environ, clock=AsyncioClock()) as log:
        log.told("abc english plain")
    assert "abc english plain" in path.read_text("utf-8")


@pytest.mark.parametrize(
    ("variable", "value", "secret"),
    [
        ("OPENAI_API_KEY_WORK", KEY, KEY),
        ("LAB_TOKEN2", KEY, KEY),
        ("https_proxy", "me:s3cretpw@h.example:1", "s3cretpw"),
    ],
)
def test_every_variable_that_may_hold_a_key_is_kept_out(
    tmp_path: Path, variable: str, value: str, secret: str
) -> None:
    with Log(tmp_path / "x.log", {variable: value}, clock=AsyncioClock()) as log:
        log.told(f"it says {value}.")
    text = (tmp_path / "x.log").read_text("utf-8")
    assert "it says •••" in text
    assert secret not in text


def test_a_variable_that_is_not_utf_8_keeps_nothing_from_being_logged(tmp_path: Path) -> None:
    with Log(tmp_path / "x.log", {"MY_PASSWORD": "\udcff\udcfeabcd"}, clock=AsyncioClock()) as log:
        log.told("all is told")
    assert "all is told" in (tmp_path / "x.log").read_text("utf-8")
    assert log.trouble == ""


def test_what_the_endpoints_headers_hold_is_kept_out(tmp_path: Path) -> None:
    endpoint = Endpoint(name="lab", kind="openai", headers={"api-key": KEY})
    with Log(tmp_path / "x.log", {}, clock=AsyncioClock()) as log:
        log.settled([], [endpoint], [])
        log.told(f"it says {KEY}.")
    assert KEY not in (tmp_path / "x.log").read_text("utf-8")
