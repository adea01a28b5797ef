"""Each call to store, file, HTTP and clock in a whole run fails once: all ends in a named state.

By default every seventh call, in one way; ``MOA_TORTURE_ALL=1`` makes it every one in five ways.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import threading
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from calls import HELLO, text
from cli_given import Screenless
from failing import FailingClock, FailingDisk, FailingTransport, Faults, failing_files
from local_server import LocalServer, Script
from program import AGGREGATOR, configure
from ui_fakes import TRIO, settle, stage
from ui_fakes import ask as ask_on_screen

from moa_tui import config
from moa_tui.__main__ import Program
from moa_tui.engine.prompt import Conversation
from moa_tui.engine.provider import Endpoint
from moa_tui.engine.run import open_run
from moa_tui.engine.state import ENDED, RunState, apply
from moa_tui.errors import MoaError
from moa_tui.memory import StateFile
from moa_tui.presets import Presets
from moa_tui.providers.limits import Limiter
from moa_tui.providers.openai import OpenAIProvider
from moa_tui.storage.records import Asked
from moa_tui.storage.store import Store

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterator
    from pathlib import Path

    from moa_tui.engine.events import Event
    from moa_tui.engine.mixture import Mixture
    from moa_tui.engine.provider import Provider, Providers

IS_WHOLE = "MOA_TORTURE_ALL" in os.environ
STEP, WAYS, ON_SCREEN = (1, 5, 60) if IS_WHOLE else (7, 1, 2)
"""Every so many-th call, in so many ways; how many of them on screen."""
PATIENCE_S = 60.0
ANSWER = "a b Hello"
NAMED = ("done", "failed", "stopped")


@dataclass
class Outcome:
    """What came of a whole run of the program."""

    state: RunState = field(default_factory=RunState)
    session: str = ""
    is_saved: bool = False
    banner: str = ""
    refusals: list[str] = field(default_factory=list)


@pytest.fixture
def strays(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Collect what would be printed as a traceback: errors of threads that nobody caught."""
    found: list[str] = []
    monkeypatch.setattr(threading, "excepthook", lambda given: found.append(repr(given)))
    yield found
    assert found == []


def providers(faults: Faults, clock: FailingClock) -> Providers:
    endpoint = Endpoint(name="bench", kind="openai", base_url="http://127.0.0.1:9/v1")
    made: list[Provider] = []

    def of(name: str, /) -> Provider:
        assert name == "bench"
        if not made:
            transport = FailingTransport(faults, (text("a "), text("b "), HELLO))
            limiter = Limiter(clock=clock)
            made.append(
                OpenAIProvider(endpoint, None, clock=clock, limiter=limiter, transport=transport)
            )
        return made[0]

    return of


async def use(folder: Path, faults: Faults) -> Outcome:
    """Use the program once as the screen does: settings, preset, run, store, what it remembers."""
    told = Outcome()
    loop = asyncio.get_running_loop()
    strays: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _, context: strays.append(context))
    clock = FailingClock(faults)
    _, notices = config.load(folder, {})
    told.refusals += notices
    try:
        mixture = Presets((folder / "presets",)).load("bench")
    except MoaError as error:
        told.refusals.append(str(error))
        return told
    store = Store(FailingDisk(folder, faults), every_s=0.001)
    try:
        await run_once(store, mixture, providers(faults, clock), clock, told)
        try:
            StateFile(folder).remember("preferences", "last_preset", "bench")
        except MoaError as error:
            told.refusals.append(str(error))
    finally:
        await store.aclose()
    assert strays == []
    return told


async def run_once(
    store: Store, mixture: Mixture, called: Providers, clock: FailingClock, told: Outcome
) -> None:
    told.session = store.begin_session()
    recorder = store.begin_run(store.begin_turn(told.session, Asked("Why?", "Why?")), mixture)
    async with open_run(mixture, Conversation("Why?"), called, clock=clock) as run:
        async for event in run:
            take(event, told)
            recorder.record(event)
            await asyncio.sleep(0)
    await called("bench").aclose()
    told.is_saved = await kept(recorder.saved(), store, told)
    store.rename(told.session, "name")
    store.keep_draft(told.session, "draft", queue=[Asked("next", "next")])
    told.is_saved = await kept(store.settled(), store, told) and told.is_saved
    for question in (store.sessions(), store.search("Hello"), store.load(told.session)):
        try:
            await question
        except MoaError as error:
            told.refusals.append(str(error))


async def kept(answer: Awaitable[bool], store: Store, told: Outcome) -> bool:
    """Return the answer; beside a no the banner stands, until a later write succeeds."""
    is_kept = await answer
    if not is_kept and store.trouble is not None:
        told.banner = store.trouble.words
    return is_kept


def take(event: Event, told: Outcome) -> None:
    told.state = apply(told.state, event)


async def check(folder: Path, told: Outcome) -> None:
    """A run that began has ended, each seat of it too; what was said to be saved is there."""
    assert all(told.refusals)
    if not told.session:
        assert told.refusals
        return
    state = told.state
    assert state.status in NAMED
    assert [seat for seat in state.seats.values() if seat.status not in ENDED] == []
    if state.status == "failed":
        assert state.message
    assert all(seat.message for seat in state.seats.values() if seat.status == "failed")
    assert told.is_saved or told.banner
    store = Store.open(folder)
    try:
        await store.opened()
        if told.is_saved:
            session = await store.load(told.session)
            assert (session.title, session.draft) == ("name", "draft")
            assert session.turns[0].answer == state.answer
    finally:
        await store.aclose()
    with closing(sqlite3.connect(folder / "sessions.db")) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def one_use(folder: Path, faults: Faults) -> Outcome:
    configure(folder, "http://127.0.0.1:9/v1", ["one", "two"])

    async def bounded() -> Outcome:
        async with asyncio.timeout(PATIENCE_S):
            return await use(folder, faults)

    with failing_files(faults, folder):
        return asyncio.run(bounded())


def test_whatever_call_fails_the_run_ends_in_words_and_the_store_opens_again(
    tmp_path: Path, strays: list[str]
) -> None:
    probe = Faults()
    told = one_use(tmp_path / "0", probe)
    assert (told.state.status, told.state.answer, told.is_saved) == ("done", ANSWER, True)
    assert {"open", "fsync", "execute", "request", "read", "timeout"} <= set(probe.calls)
    for way in range(WAYS):
        number, is_struck = 1, True
        while is_struck:
            folder = tmp_path / f"{number}-{way}"
            faults = Faults(number, kind=number // STEP + way)
            told = one_use(folder, faults)
            asyncio.run(check(folder, told))
            assert strays == []
            is_struck = bool(faults.struck)
            number += STEP


def ask(folder: Path, faults: Faults, url: str) -> tuple[int, Screenless]:
    configure(folder, url, ["one", "two"])
    at = Screenless()
    with failing_files(faults, folder):
        code = Program({}, at.streams).run(
            ["--config-dir", str(folder), "ask", "--preset", "bench", "why"]
        )
    return code, at


def test_whatever_call_fails_ask_tells_an_answer_or_why_there_is_none(tmp_path: Path) -> None:
    said = Script(pieces=("Hello",), rate=0)
    with LocalServer({"one": said, "two": said, AGGREGATOR: said}) as server:
        assert ask(tmp_path / "0", Faults(), server.base_url)[1].out == "Hello\n"
        number, is_struck = 1, True
        while is_struck:
            faults = Faults(number, kind=number)
            code, at = ask(tmp_path / str(number), faults, server.base_url)
            is_struck = bool(faults.struck)
            if code == 0:
                assert at.out == "Hello\n"
            else:
                assert at.out == ""
                assert at.err[-1].startswith("moa-tui: ")
            number += 1


async def seen(folder: Path, faults: Faults) -> tuple[str, Store]:
    """Return the screen once a question was asked on it and answered, and its closed store."""
    store = Store(FailingDisk(folder, faults), every_s=0.001)
    show = stage(TRIO, store=lambda: store)
    with failing_files(faults, folder):
        try:
            async with show.app.run_test(size=(160, 48)) as pilot:
                await settle(pilot)
                await ask_on_screen(pilot, "why")
                await show.pass_(pilot, 30.0)
                await store.settled()
                await show.pass_(pilot, 1.0)
                return show.text, store
        finally:
            await store.aclose()


async def test_on_screen_a_call_that_fails_is_said_and_the_answer_stands(tmp_path: Path) -> None:
    probe = Faults()
    screen, _ = await seen(tmp_path / "0", probe)
    assert "The merged answer." in screen
    count = len(probe.calls)
    for number in sorted({1 + place * count // ON_SCREEN for place in range(ON_SCREEN)}):
        screen, store = await seen(tmp_path / str(number), Faults(number, kind=number))
        assert "The merged answer." in screen
        if store.trouble is not None:
            assert store.trouble.words.split()[0] in screen
