from __future__ import annotations

import asyncio
import os
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from moa_tui.engine.clock import AsyncioClock
from moa_tui.engine.provider import (
    ChatRequest,
    Delta,
    Endpoint,
    Finish,
    Message,
    ModelInfo,
    Phase,
    Text,
)
from moa_tui.errors import ConfigError, ProviderError
from moa_tui.providers.embedded import EmbeddedProvider, connect
from moa_tui.providers.limits import Limiter

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

ENDPOINT = Endpoint(name="embedded", kind="embedded")
DOUBLE = Path(__file__).with_name("child_double.py")


class Folder:
    """A models folder and what its children were started for."""

    def __init__(self, root: Path) -> None:
        self.models = root / "models"
        self.models.mkdir()
        self._starts = root / "starts"

    def add(self, *names: str) -> None:
        for name in names:
            (self.models / name).touch()

    @property
    def starts(self) -> list[str]:
        return self._starts.read_text("utf-8").split() if self._starts.exists() else []

    @asynccontextmanager
    async def provider(
        self, trouble: str = "", first_token_s: float | None = None
    ) -> AsyncGenerator[EmbeddedProvider, None]:
        clock = AsyncioClock()
        provider = EmbeddedProvider(
            Endpoint(name="embedded", kind="embedded", first_token_s=first_token_s),
            clock=clock,
            limiter=Limiter(clock=clock),
            models_folder=self.models,
            command=(sys.executable, str(DOUBLE), str(self._starts), trouble),
        )
        try:
            yield provider
        finally:
            await provider.aclose()


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    folder = Folder(tmp_path)
    folder.add("tiny.gguf")
    return folder


async def ask(provider: EmbeddedProvider, wish: str = "pid", model: str = "tiny") -> list[Delta]:
    request = ChatRequest(model, (Message("user", wish),))
    return [delta async for delta in provider.stream(request)]


async def pid_of(provider: EmbeddedProvider, model: str = "tiny") -> int:
    return int("".join(d.text for d in await ask(provider, model=model) if isinstance(d, Text)))


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def unconnected(models: Path | None, extra: str = "json") -> str:
    clock = AsyncioClock()
    with pytest.raises(ConfigError) as caught:
        connect(
            ENDPOINT,
            None,
            clock=clock,
            limiter=Limiter(clock=clock),
            models_folder=models,
            extra=extra,
        )
    return str(caught.value)


def test_without_the_extra_it_says_what_to_install(folder: Folder) -> None:
    assert unconnected(folder.models, extra="no_such_module") == (
        "The embedded model needs an extra that isn't installed: pip install 'moa-tui[embedded]'"
    )


def test_without_a_model_it_says_how_to_fetch_one(tmp_path: Path) -> None:
    words = (
        "The embedded model isn't here yet."
        " Fetch it with: moa-tui pull embedded/smollm2-135m-instruct"
    )
    assert unconnected(tmp_path / "missing") == words
    assert unconnected(tmp_path) == words
    assert unconnected(None) == words


async def test_every_model_file_is_listed_and_none_is_started(folder: Folder) -> None:
    folder.add("Qwen3-4B.gguf", "mmproj-qwen3.gguf", "notes.txt")
    async with folder.provider() as provider:
        assert await provider.models() == (
            ModelInfo(id="qwen3-4b", context=8192),
            ModelInfo(id="mmproj-qwen3", context=8192, is_chat=False),
            ModelInfo(id="tiny", context=8192),
        )
    assert folder.starts == []


async def test_the_first_use_starts_the_child_and_the_second_finds_it(folder: Folder) -> None:
    async with folder.provider() as provider:
        first = await ask(provider)
        second = await ask(provider)
    pid = next(delta for delta in first if isinstance(delta, Text))
    answer = [Phase("connecting"), Phase("waiting"), pid, Finish("stop")]
    assert first == [Phase("loading"), *answer]
    assert second == answer
    assert folder.starts == ["tiny"]


async def test_three_seats_at_the_same_moment_share_one_child(folder: Folder) -> None:
    async with folder.provider() as provider:
        answers = await asyncio.gather(*(ask(provider, "together") for _ in range(3)))
    assert [answer[-1] for answer in answers] == [Finish("stop")] * 3
    assert folder.starts == ["tiny"]


async def test_a_model_is_found_whatever_the_case_of_its_file(folder: Folder) -> None:
    folder.add("Qwen3-4B.gguf")
    async with folder.provider() as provider:
        await ask(provider, model="qwen3-4B")
    assert folder.starts == ["qwen3-4b"]


async def test_an_unknown_model_is_refused_with_what_there_is(folder: Folder) -> None:
    async with folder.provider() as provider:
        with pytest.raises(ProviderError) as caught:
            await ask(provider, model="huge")
    error = caught.value
    assert (error.kind, error.message) == ("not_found", "No embedded model is called huge.")
    assert error.hint == "There is: tiny."


@pytest.mark.parametrize("wish", ["die", "die first"])
async def test_a_dead_child_is_told_and_the_next_use_starts_it_anew(
    folder: Folder, wish: str
) -> None:
    async with folder.provider() as provider:
        with pytest.raises(ProviderError) as caught:
            await ask(provider, wish)
        after = await ask(provider)
    assert caught.value.kind == "cut"
    assert caught.value.message == "The process that runs tiny ended (exit code 9)."
    assert after[0] == Phase("loading")
    assert after[-1] == Finish("stop")
    assert folder.starts == ["tiny", "tiny"]


async def test_a_child_that_cannot_start_tells_its_first_error_without_its_key(
    folder: Folder,
) -> None:
    async with folder.provider("stillborn") as provider:
        with pytest.raises(ProviderError) as caught:
            await ask(provider)
    assert caught.value.kind == "server"
    assert caught.value.message == "llama.cpp can't run tiny: no room, •••"


async def test_a_child_that_never_gets_ready_is_given_up(folder: Folder) -> None:
    async with folder.provider("endless", first_token_s=0.5) as provider:
        with pytest.raises(ProviderError) as caught:
            await ask(provider)
    assert caught.value.kind == "timeout"


async def test_stopping_the_seat_that_starts_the_child_leaves_it_to_the_next(
    folder: Folder,
) -> None:
    async with folder.provider() as provider:
        first, second = (asyncio.create_task(ask(provider)) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        assert (await second)[-1] == Finish("stop")
        with pytest.raises(asyncio.CancelledError):
            await first


async def test_the_longest_idle_child_ends_before_a_third_model_starts(folder: Folder) -> None:
    folder.add("b.gguf", "c.gguf")
    async with folder.provider() as provider:
        tiny = await pid_of(provider)
        b = await pid_of(provider, "b")
        assert await pid_of(provider) == tiny
        c = await pid_of(provider, "c")
        assert [is_alive(pid) for pid in (tiny, b, c)] == [True, False, True]
    assert [is_alive(pid) for pid in (tiny, b, c)] == [False] * 3


async def test_the_key_is_not_on_the_command_line(folder: Folder) -> None:
    async with folder.provider() as provider:
        pid = await pid_of(provider)
        listing = await asyncio.create_subprocess_exec(
            *("ps", "-ww", "-o", "args=", "-p", str(pid)), stdout=asyncio.subprocess.PIPE
        )
        shown, _ = await listing.communicate()
    assert shown.decode().split() == [
        sys.executable,
        str(DOUBLE),
        str(folder.models.parent / "starts"),
    ]
