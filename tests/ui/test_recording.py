"""What is read of a stored conversation once it is wanted, and to which version it belongs."""

from __future__ import annotations

import asyncio

from store_fake import DUO, TWO, FakeStore, run_of
from ui_fakes import HandClock

from moa_tui.storage.records import Asked
from moa_tui.ui.recording import Recording, opened_from


def told(store: FakeStore, turn: int, answer: str) -> int:
    run = store.begin_run(turn, DUO)
    for event in run_of(answer):
        run.record(event)
    return run.id


async def test_what_was_read_belongs_to_the_version_that_was_shown_when_it_was_wanted() -> None:
    store = FakeStore()
    session = store.begin_session()
    turn = store.begin_turn(session, Asked("why", "why"))
    for answer in ("first", "second"):
        told(store, turn, answer)
    opened = await opened_from(lambda: store, session)
    turns, recording = opened.turns, Recording(lambda: store, opened, clock=HandClock())

    store.gate.clear()
    reading = asyncio.create_task(recording.fill(0))
    await asyncio.sleep(0)
    turns.flip(0, -1)
    store.gate.set()
    await reading
    assert [one.is_whole for one in turns[0].versions] == [False, True]
    await recording.fill(0)
    assert [one.answer for one in turns[0].versions] == ["first", "second"]


async def test_a_run_and_what_was_taken_from_it_are_one_run_after_a_restart_too() -> None:
    store = FakeStore()
    session = store.begin_session()
    turn = store.begin_turn(session, Asked("why", "why"))
    store.take(turn, told(store, turn, "merged"), TWO, "two says")
    opened = await opened_from(lambda: store, session)
    turns, recording = opened.turns, Recording(lambda: store, opened, clock=HandClock())

    await recording.fill(0)
    assert [one.answer for one in turns[0].versions] == ["merged", "two says"]
    (ran,) = turns.runs()
    assert ran is turns[0].version.run
