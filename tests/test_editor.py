"""The user's editor: which one, what it is given, and how it fails."""

from __future__ import annotations

import asyncio
import os
import shlex
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from moa_tui.editor import TerminalEditor
from moa_tui.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Terminal:
    """Knows when it is somebody else's."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    @contextmanager
    def away(self) -> Iterator[None]:
        self.seen.append("away")
        yield
        self.seen.append("back")


def python(program: str) -> str:
    """Return a command line that runs a program with the file's name behind it."""
    return shlex.join([sys.executable, "-c", program])


UPPER = python(
    "import pathlib, sys; p = pathlib.Path(sys.argv[1]);p.write_text(p.read_text().upper() + '\\n')"
)


@pytest.mark.parametrize(
    ("text", "result"), [("why\nnot", "WHY\nNOT"), ("ends\n", "ENDS\n\n"), ("", ""), ("é", "É")]
)
async def test_the_text_comes_back_as_the_editor_leaves_it(text: str, result: str) -> None:
    terminal = Terminal()

    assert await TerminalEditor({"EDITOR": UPPER}).edit(text, terminal.away) == result
    assert terminal.seen == ["away", "back"]


async def test_visual_comes_before_editor() -> None:
    editor = TerminalEditor({"VISUAL": UPPER, "EDITOR": python("raise SystemExit(1)")})

    assert await editor.edit("a", Terminal().away) == "A"


async def test_what_the_editor_leaves_is_cleaned() -> None:
    program = "import sys; open(sys.argv[1], 'wb').write(b'\\x1b[31m\\xff')"

    assert await TerminalEditor({"EDITOR": python(program)}).edit("", Terminal().away) == (
        "\u241b[31m\ufffd"
    )


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"PATH": "/nowhere"}, "no editor: $EDITOR isn't set, and there is neither vi nor nano"),
        (
            {"VISUAL": "lost-editor -w", "PATH": "/nowhere"},
            "no editor: $VISUAL is lost-editor, which isn't there",
        ),
        ({"EDITOR": 'vi "'}, "$EDITOR can't be read: No closing quotation"),
    ],
)
async def test_without_an_editor_the_terminal_is_kept(environ: dict[str, str], said: str) -> None:
    terminal = Terminal()

    with pytest.raises(ConfigError) as refused:
        await TerminalEditor(environ).edit("a", terminal.away)
    assert (str(refused.value), terminal.seen) == (said, [])


async def test_an_editor_that_fails_says_so_once_the_terminal_is_back() -> None:
    terminal = Terminal()
    editor = TerminalEditor({"EDITOR": python("raise SystemExit(3)")})

    with pytest.raises(ConfigError, match="ended with 3; the prompt is as it was"):
        await editor.edit("a", terminal.away)
    assert terminal.seen == ["away", "back"]


async def test_a_file_that_the_editor_removes_is_said() -> None:
    editor = TerminalEditor({"EDITOR": "rm"})

    with pytest.raises(ConfigError, match="what was written can't be read"):
        await editor.edit("a", Terminal().away)


async def test_nothing_is_left_behind_and_nobody_else_may_read_it(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    program = (
        "import os, sys; name = sys.argv[1];"
        f"open({str(seen)!r}, 'w').write(f'{{name}} {{os.stat(name).st_mode & 0o777:o}}')"
    )
    await TerminalEditor({"EDITOR": python(program)}).edit("a", Terminal().away)
    name, mode = seen.read_text("utf-8").split()

    assert (mode, os.path.exists(name)) == ("600", False)  # noqa: ASYNC240, PTH110 - it takes no time
    assert name.endswith(".md")


async def test_an_editor_ends_with_the_program(tmp_path: Path) -> None:
    started = tmp_path / "started"
    program = f"import time; open({str(started)!r}, 'w').close(); time.sleep(60)"
    editing = asyncio.ensure_future(
        TerminalEditor({"EDITOR": python(program)}).edit("a", Terminal().away)
    )
    while not started.exists():  # noqa: ASYNC110 - another process has no events
        await asyncio.sleep(0.01)
    editing.cancel()

    with pytest.raises(asyncio.CancelledError):
        await editing
