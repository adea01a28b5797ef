from __future__ import annotations

import asyncio
from io import StringIO
from typing import TYPE_CHECKING

import pytest
from cli_given import Around, Embedded

from moa_tui.cli.pull import pull
from moa_tui.errors import ConfigError, ProviderError
from moa_tui.ui.words import megabytes

if TYPE_CHECKING:
    from collections.abc import Sequence

EMBEDDED = "embedded/smollm2-135m-instruct"
OLLAMA = "ollama/llama3.2"
MB = 1_000_000
STEPS = tuple((megabytes * MB, 100 * MB) for megabytes in (0, 3, 50, 51, 92))
TRIES = {
    EMBEDDED: f'{EMBEDDED} is here. Try: moa-tui ask --preset embedded "Why is the sky blue?"\n',
    OLLAMA: f"{OLLAMA} is here. Try: moa-tui ask --proposer {OLLAMA} --strategy none "
    '"Why is the sky blue?"\n',
}
TITLES = {EMBEDDED: "a small model", OLLAMA: OLLAMA}
BOTH = pytest.mark.parametrize("name", [EMBEDDED, OLLAMA])


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


async def pulled(
    name: str,
    stderr: StringIO,
    *,
    steps: Sequence[tuple[int, int]] = (*STEPS, (100 * MB, 100 * MB)),
    failure: BaseException | None = None,
) -> int:
    places = Around(steps=steps, failure=failure)
    try:
        return await pull(name, embedded=Embedded(), places=places, stderr=stderr)
    finally:
        assert places.pulled == [name]


@BOTH
async def test_a_pipe_gets_a_line_every_ten_percent(name: str) -> None:
    stderr = StringIO()
    assert await pulled(name, stderr) == 0
    assert stderr.getvalue() == (
        f"Fetching {TITLES[name]}.\n50 % of 100 MB\n90 % of 100 MB\n100 % of 100 MB\n" + TRIES[name]
    )


@BOTH
async def test_a_terminal_gets_a_bar_on_one_line(name: str) -> None:
    stderr = Terminal()
    assert await pulled(name, stderr) == 0
    assert stderr.getvalue().split("\r") == [
        f"Fetching {TITLES[name]}.\n",
        f"[{'.' * 30}]   0 %   0 of 100 MB",
        f"[{'.' * 30}]   3 %   3 of 100 MB",
        f"[{'#' * 15}{'.' * 15}]  50 %  50 of 100 MB",
        f"[{'#' * 15}{'.' * 15}]  51 %  51 of 100 MB",
        f"[{'#' * 27}{'.' * 3}]  92 %  92 of 100 MB",
        f"[{'#' * 30}] 100 %  100 of 100 MB\n" + TRIES[name],
    ]


@pytest.mark.parametrize("stderr", [StringIO(), Terminal()])
async def test_megabytes_are_rounded_as_on_the_screen(stderr: StringIO) -> None:
    size = 92_871_040
    assert await pulled(EMBEDDED, stderr, steps=[(size, size)]) == 0
    assert f"of {megabytes(size)}\n" in stderr.getvalue()


async def test_a_download_that_turns_out_larger_goes_on_below() -> None:
    stderr = StringIO()
    assert await pulled(OLLAMA, stderr, steps=[(MB, MB), (MB, 10 * MB), (10 * MB, 10 * MB)]) == 0
    assert stderr.getvalue().splitlines()[1:-1] == ["100 % of 1 MB"]


async def test_the_embedded_model_that_is_here_is_not_fetched_again() -> None:
    stderr, places = StringIO(), Around()
    code = await pull(EMBEDDED, embedded=Embedded(is_present=True), places=places, stderr=stderr)
    assert (code, places.pulled) == (0, [])
    assert stderr.getvalue() == f"{EMBEDDED} is here already.\n"


@pytest.mark.parametrize(
    ("name", "failure", "words"),
    [
        (EMBEDDED, ConfigError("The disk is full."), "moa-tui: The disk is full.\n"),
        (
            OLLAMA,
            ProviderError("cut", "it broke off", "try again"),
            "moa-tui: it broke off; try again\n",
        ),
        (OLLAMA, ProviderError("server", "it broke off"), "moa-tui: it broke off\n"),
    ],
)
async def test_a_failure_is_told_below_the_bar_and_exits_1(
    name: str, failure: Exception, words: str
) -> None:
    stderr = Terminal()
    assert await pulled(name, stderr, steps=STEPS, failure=failure) == 1
    assert stderr.getvalue().endswith(f" 92 of 100 MB\n{words}")


async def test_an_endpoint_that_cant_fetch_exits_2() -> None:
    stderr = StringIO()
    failure = ConfigError("Groq can't be told to fetch models: only Ollama can")
    assert await pulled("groq/x", stderr, steps=(), failure=failure) == 2
    assert stderr.getvalue() == f"Fetching groq/x.\nmoa-tui: {failure}\n"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (EMBEDDED, "Stopped. Nothing of the download was kept.\n"),
        (OLLAMA, "Stopped. What is there is kept: pulled again, it goes on from there.\n"),
    ],
)
async def test_ctrl_c_is_told_and_passed_on(name: str, words: str) -> None:
    stderr = Terminal()
    with pytest.raises(asyncio.CancelledError):
        await pulled(name, stderr, steps=STEPS, failure=asyncio.CancelledError())
    assert stderr.getvalue().endswith(f" 92 of 100 MB\n{words}")


@pytest.mark.parametrize("name", ["embedded/gpt-5", "", "llama3", "ollama/"])
async def test_only_a_whole_name_of_something_to_pull_will_do(name: str) -> None:
    stderr, places = StringIO(), Around()
    choice = f"there is {EMBEDDED}, and what Ollama has: ollama/MODEL"
    assert await pull(name, embedded=Embedded(), places=places, stderr=stderr) == 2
    assert (places.pulled, stderr.getvalue()) == (
        [],
        f"moa-tui: there is no {name} to pull; {choice}\n",
    )


async def test_a_name_that_isnt_plain_text_is_shown_safely_and_quoted() -> None:
    stderr = StringIO()
    assert await pulled("ollama/x\x1b;y", stderr, steps=()) == 0
    assert stderr.getvalue().startswith("Fetching ollama/x\u241b;y.\n")
    assert "--proposer 'ollama/x\u241b;y' " in stderr.getvalue()
