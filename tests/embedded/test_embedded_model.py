"""The real model in its real child process."""

from __future__ import annotations

import asyncio
import os
import select
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from moa_tui.engine.clock import AsyncioClock
from moa_tui.engine.provider import (
    ChatRequest,
    Endpoint,
    Finish,
    Message,
    Options,
    Phase,
    Text,
    Usage,
)
from moa_tui.errors import ProviderError
from moa_tui.providers.embedded import connect
from moa_tui.providers.limits import Limiter

if TYPE_CHECKING:
    from moa_tui.engine.provider import Delta, Provider

PARENT = Path(__file__).with_name("parent_of_child.py")
MODEL = "smollm2-135m-instruct"
DEADLINE_S = 60

pytestmark = pytest.mark.embedded


def provider_of(models: Path) -> Provider:
    clock = AsyncioClock()
    return connect(
        Endpoint(name="embedded", kind="embedded"),
        None,
        clock=clock,
        limiter=Limiter(clock=clock),
        models_folder=models,
    )


def request(prompt: str, *, model: str = MODEL, max_tokens: int = 24) -> ChatRequest:
    options = Options(temperature=0.5, max_tokens=max_tokens)
    return ChatRequest(model, (Message("user", prompt),), options)


async def test_three_seats_stream_at_once(embedded_folder: Path) -> None:
    provider = provider_of(embedded_folder / "data" / "models")
    heard: list[int] = []

    async def seat(number: int) -> list[Delta]:
        deltas = []
        async for delta in provider.stream(request("Why is the sky blue?")):
            deltas.append(delta)
            if isinstance(delta, Text):
                heard.append(number)
        return deltas

    answers = await asyncio.gather(*(seat(number) for number in range(3)))
    await provider.aclose()
    assert [answer[0] for answer in answers] == [Phase("loading")] * 3
    # Most are cut at their limit; a sample may end by itself before.
    assert {answer[-1] for answer in answers} <= {Finish("length"), Finish("stop")}
    usages = [delta for answer in answers for delta in answer if isinstance(delta, Usage)]
    assert [0 < usage.completion <= 24 for usage in usages] == [True] * 3
    last_of_first_to_end = min(len(heard) - heard[::-1].index(number) for number in range(3))
    assert {0, 1, 2} == set(heard[:last_of_first_to_end]), "all wrote before one had ended"


async def test_a_prompt_too_long_for_the_window_fails_alone_and_says_so(
    embedded_folder: Path,
) -> None:
    provider = provider_of(embedded_folder / "data" / "models")

    async def short() -> Delta:
        return [delta async for delta in provider.stream(request("Hello"))][-1]

    async def long() -> str:
        with pytest.raises(ProviderError) as caught:
            [delta async for delta in provider.stream(request("sky " * 9000))]
        return caught.value.kind

    ends = await asyncio.gather(short(), long())
    await provider.aclose()
    assert isinstance(ends[0], Finish)
    assert ends[1] == "context"


@pytest.mark.usefixtures("embedded_folder")
async def test_a_file_that_is_no_model_is_told_in_llama_cpps_words(tmp_path: Path) -> None:
    (tmp_path / "broken.gguf").write_bytes(b"GGUF" + bytes(range(256)))
    provider = provider_of(tmp_path)
    with pytest.raises(ProviderError) as caught:
        [delta async for delta in provider.stream(request("Hello", model="broken"))]
    await provider.aclose()
    assert caught.value.kind == "server"
    # Which of its words come last is llama.cpp's business: it logs in a thread of its own.
    prefix, said = caught.value.message.split(": ", 1)
    assert prefix == "llama.cpp can't run broken"
    assert "GGUF" in said or "Failed to init" in said


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="needs Linux's pidfd")
@pytest.mark.parametrize("moment", ["while it loads", "while it streams"])
def test_the_child_ends_when_its_parent_is_killed(
    embedded_folder: Path, tmp_path: Path, moment: str
) -> None:
    fifo = tmp_path / "pid"
    os.mkfifo(fifo)
    with subprocess.Popen(  # noqa: S603 - our own script
        [sys.executable, str(PARENT), str(embedded_folder / "data" / "models"), str(fifo)],
        stdout=subprocess.PIPE,
    ) as parent:
        child = os.pidfd_open(int(fifo.read_text()))
        try:
            if moment == "while it streams":
                assert parent.stdout is not None
                assert parent.stdout.readline() == b"text\n"
            assert select.select([child], [], [], 0)[0] == []
            parent.kill()
            assert select.select([child], [], [], DEADLINE_S)[0] == [child], "it still runs"
        finally:
            os.close(child)
