"""The real program, killed at random moments while another instance writes to the same store.

`MOA_PTY_KILL_ROUNDS=1000` makes it the long run.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sqlite3
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

from local_server import LocalServer, Script
from program import AGGREGATOR, COMPOSER, command, configure
from terminal import Terminal

from moa_tui.storage.store import Store

if TYPE_CHECKING:
    from pathlib import Path

ROUNDS = int(os.environ.get("MOA_PTY_KILL_ROUNDS", "20"))
WORDS = tuple(f"word{number} " for number in range(400))


def start(folder: Path) -> Terminal:
    program = command(folder, "--preset", "bench")
    return Terminal(program, columns=120, rows=36, env={"HOME": str(folder)})


def ask(terminal: Terminal, text: str) -> None:
    # The offer to resume makes way for what is typed.
    terminal.wait_for(COMPOSER)
    terminal.send(text)
    terminal.wait_for(text)
    terminal.press("enter")


async def asked(folder: Path) -> list[str]:
    """Return every question on disk, and assert that all of it can be read."""
    store = Store.open(folder)
    try:
        found = []
        for row in await store.sessions(10_000):
            session = await store.load(row.id)
            found += [turn.prompt.text for turn in session.turns]
            for turn in session.turns:
                for run in turn.runs:
                    await store.run(run.id)
        return found
    finally:
        await store.aclose()


def test_no_question_that_was_asked_is_lost_however_the_program_dies(tmp_path: Path) -> None:
    chance = random.Random(7)  # noqa: S311 - a moment, not a secret
    script = Script(pieces=WORDS)
    with LocalServer({"one": script, "two": script, AGGREGATOR: script}) as server:
        configure(tmp_path, server.base_url, ["one", "two"])
        questions = []
        for number in range(ROUNDS):
            with ExitStack() as both:
                terminals = [both.enter_context(start(tmp_path)) for _ in range(2)]
                for name, terminal in enumerate(terminals, 1):
                    questions.append(f"question {number}.{name}")
                    ask(terminal, questions[-1])
                # Its models answer: the question is on disk, as nothing is sent before. What is
                # painted isn't put on a screen, which takes longer than the program itself.
                for terminal in terminals:
                    terminal.wait_for_output(b"word0 ")
                # At another moment of the stream in each round.
                terminals[-1].wait_for_chunks(chance.randrange(5, 80))
                for terminal in terminals:
                    terminal.signal(signal.SIGKILL)
                for terminal in terminals:
                    terminal.wait()

    assert sorted(asyncio.run(asked(tmp_path))) == sorted(questions)
    with closing(sqlite3.connect(tmp_path / "sessions.db")) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_what_was_running_is_offered_with_its_text_after_a_kill(tmp_path: Path) -> None:
    script = Script(pieces=WORDS)
    with LocalServer({"one": script, "two": script, AGGREGATOR: script}) as server:
        configure(tmp_path, server.base_url, ["one", "two"])
        with start(tmp_path) as terminal:
            ask(terminal, "Why?")
            terminal.wait_for("word60 ")
            terminal.signal(signal.SIGKILL)
            terminal.wait()
        with start(tmp_path) as terminal:
            terminal.wait_for(lambda screen: "Why?" in screen and "esc" in screen)
            terminal.press("enter")
            terminal.wait_for("Stopped")
            terminal.press("tab", "1")
            terminal.wait_for("word1 ")
            terminal.press("ctrl+q")
            assert terminal.wait() == 0
