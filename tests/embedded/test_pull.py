from __future__ import annotations

import asyncio
from io import StringIO
from typing import TYPE_CHECKING

import pytest

from moa_tui.cli.pull import pull
from moa_tui.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

NAME = "embedded/smollm2-135m-instruct"
MB = 1_000_000
TRY = f'{NAME} is here. Try: moa-tui ask --preset embedded "Why is the sky blue?"\n'


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


class ModelDouble:
    title = "SmolLM2 (98 MB, Apache-2.0)"

    def __init__(self, error: BaseException | None = None, *, is_present: bool = False) -> None:
        self.is_present = is_present
        self._error = error

    async def fetch(self, progress: Callable[[int, int], None], /) -> None:
        for megabytes in (0, 3, 50, 51, 92):
            progress(megabytes * MB, 100 * MB)
        if self._error is not None:
            raise self._error
        progress(100 * MB, 100 * MB)


async def test_a_pipe_gets_a_line_every_ten_percent() -> None:
    stderr = StringIO()
    assert await pull(NAME, embedded=ModelDouble(), stderr=stderr) == 0
    assert stderr.getvalue() == (
        "Fetching SmolLM2 (98 MB, Apache-2.0).\n"
        "50 % of 100 MB\n90 % of 100 MB\n100 % of 100 MB\n" + TRY
    )


async def test_a_terminal_gets_a_bar_on_one_line() -> None:
    stderr = Terminal()
    assert await pull(NAME, embedded=ModelDouble(), stderr=stderr) == 0
    assert stderr.getvalue().split("\r") == [
        "Fetching SmolLM2 (98 MB, Apache-2.0).\n",
        f"[{'.' * 30}]   0 %   0 of 100 MB",
        f"[{'.' * 30}]   3 %   3 of 100 MB",
        f"[{'#' * 15}{'.' * 15}]  50 %  50 of 100 MB",
        f"[{'#' * 15}{'.' * 15}]  51 %  51 of 100 MB",
        f"[{'#' * 27}{'.' * 3}]  92 %  92 of 100 MB",
        f"[{'#' * 30}] 100 %  100 of 100 MB\n" + TRY,
    ]


async def test_a_model_that_is_here_is_not_fetched_again() -> None:
    stderr = StringIO()
    assert await pull(NAME, embedded=ModelDouble(is_present=True), stderr=stderr) == 0
    assert stderr.getvalue() == f"{NAME} is here already.\n"


async def test_a_failure_is_told_below_the_bar_and_exits_1() -> None:
    stderr = Terminal()
    error = ConfigError("The disk is full.")
    assert await pull(NAME, embedded=ModelDouble(error), stderr=stderr) == 1
    assert stderr.getvalue().endswith(" 92 of 100 MB\nThe disk is full.\n")


async def test_ctrl_c_is_told_and_passed_on() -> None:
    stderr = Terminal()
    with pytest.raises(asyncio.CancelledError):
        await pull(NAME, embedded=ModelDouble(asyncio.CancelledError()), stderr=stderr)
    words = "Stopped. Nothing of the download was kept.\n"
    assert stderr.getvalue().endswith(f" 92 of 100 MB\n{words}")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("embedded/gpt-5", f"There is no embedded/gpt-5 to pull; there is: {NAME}\n"),
        ("", f"There is no  to pull; there is: {NAME}\n"),
        (
            "ollama/llama3:instruct",
            "Models of Ollama aren't pulled from here yet: ollama pull llama3:instruct\n",
        ),
    ],
)
async def test_an_unknown_model_exits_2_and_names_what_there_is(name: str, words: str) -> None:
    stderr = StringIO()
    assert await pull(name, embedded=ModelDouble(), stderr=stderr) == 2
    assert stderr.getvalue() == words
