"""Sessions are kept, found, changed and brought back; recording costs the screen nothing."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from storage.shelf import (
    MERGER,
    MIXTURE,
    ONE,
    TEST,
    TWO,
    HandClock,
    asked,
    cut_short,
    run_of,
    state_of,
    stored,
    told,
)

from moa_tui.engine.blind import Judged
from moa_tui.engine.events import RunFailed, SeatFailed
from moa_tui.engine.provider import Usage
from moa_tui.storage.disk import Disk
from moa_tui.storage.indexing import index_run, unindex_run
from moa_tui.storage.records import Asked, StoreError
from moa_tui.storage.schema import MIGRATIONS, migrate

if TYPE_CHECKING:
    from pathlib import Path

    from moa_tui.errors import FailureKind
    from moa_tui.storage.writer import Change


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def contents(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir())


async def test_a_new_folder_is_made_for_the_user_alone(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "config"
    async with stored(folder) as store:
        assert store.trouble is None
        assert await store.sessions() == []
        await told(store, store.begin_turn(store.begin_session(), asked("Why?")), run_of("So."))
        modes = {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}
    assert set(modes.values()) == {0o600}
    assert {"sessions.db", "sessions.db-wal", "sessions.db.lock"} <= set(modes)
    assert folder.stat().st_mode & 0o777 == 0o700


async def test_a_session_survives_the_program(tmp_path: Path) -> None:
    prompt = Asked("long text", "[pasted]", "typed")
    async with stored(tmp_path) as store:
        session = store.begin_session()
        turn = store.begin_turn(session, prompt)
        recorder = store.begin_run(turn, MIXTURE)
        for event in run_of("the answer"):
            recorder.record(event)
        assert await recorder.saved()
    async with stored(tmp_path) as store:
        loaded = await store.load(session)
        assert [one.prompt for one in loaded.path()] == [prompt]
        assert loaded.path()[0].answer == "the answer"
        assert loaded.head == turn
        (run,) = loaded.turns[0].runs
        assert (run.id, run.status, run.mixture_name) == (recorder.id, "done", "trio")
        assert await store.replay(run.id) == run_of("the answer")
        assert state_of(await store.run(run.id)) == state_of(run_of("the answer"))


async def test_a_session_without_turns_or_draft_is_not_stored(tmp_path: Path) -> None:
    async with stored(tmp_path) as store:
        session = store.begin_session()
        store.keep_draft(session, "")
        assert await store.sessions() == []
        with pytest.raises(StoreError, match="no session"):
            await store.load(session)


async def test_a_session_whose_only_draft_was_emptied_is_none(tmp_path: Path) -> None:
    async with stored(tmp_path) as store:
        session = store.begin_session()
        store.keep_draft(session, "half")
        assert [row.id for row in await store.sessions()] == [session]
        store.keep_draft(session, "")
        assert await store.sessions() == []
        store.keep_draft(session, "", queue=[asked("waits")])
        assert [row.id for row in await store.sessions()] == [session]


async def test_the_list_is_newest_first_and_goes_on_where_it_ended(tmp_path: Path) -> None:
    clock = HandClock()
    async with stored(tmp_path, clock=clock) as store:
        ids = []
        for number in range(5):
            clock.at += 1
            ids.append(store.begin_session())
            store.begin_turn(ids[-1], asked(f"question {number}\nmore"))
        clock.at += 1
        store.begin_turn(ids[0], asked("a second question"))
        rows = await store.sessions(3)
        assert [row.id for row in rows] == [ids[0], ids[4], ids[3]]
        assert (rows[0].title, rows[0].turns) == ("question 0 more", 2)
        assert [row.id for row in await store.sessions(3, before=rows[-1])] == [ids[2], ids[1]]


async def test_editing_an_earlier_prompt_makes_a_branch_and_loses_nothing(tmp_path: Path) -> None:
    async with stored(tmp_path) as store:
        session = store.begin_session()
        first = store.begin_turn(session, asked("first"))
        second = store.begin_turn(session, asked("second"), parent=first)
        sibling = store.begin_turn(session, asked("second, edited"), parent=first)
        loaded = await store.load(session)
        assert [turn.id for turn in loaded.path()] == [first, sibling]
        assert len(loaded.turns) == 3
        store.go_to(session, second)
        assert [turn.id for turn in (await store.load(session)).path()] == [first, second]


async def test_the_newest_answer_is_shown_until_another_run_is(tmp_path: Path) -> None:
    async with stored(tmp_path) as store:
        session = store.begin_session()
        turn = store.begin_turn(session, asked("Why?"))
        old = await told(store, turn, run_of("old"))
        again = store.begin_run(turn, MIXTURE, given_from=old)
        for event in run_of("new"):
            again.record(event)
        loaded = await store.load(session)
        assert loaded.turns[0].answer == "new"
        assert [run.given_from for run in loaded.turns[0].runs] == [None, old]
        store.show(turn, old)
        assert (await store.load(session)).turns[0].answer == "old"


async def test_a_failed_run_does_not_hide_an_answer(tmp_path: Path) -> None:
    failed = [*cut_short()[:2], RunFailed(n=3, t=1.0, kind="connect", message="Refused.")]
    async with stored(tmp_path) as store:
        session = store.begin_session()
        turn = store.begin_turn(session, asked("Why?"))
        await told(store, turn, run_of("good"))
        await told(store, turn, failed)
        row = (await store.load(session)).turns[0]
        assert (row.answer, row.runs[1].status, row.runs[1].message) == (
            "good",
            "failed",
            "Refused.",
        )


@pytest.mark.parametrize("kind", ["stopped", "cut"])
async def test_what_a_run_without_an_answer_used_is_kept(tmp_path: Path, kind: FailureKind) -> None:
    used = Usage(prompt=3, completion=2, estimated=True, cost=0.25)
    of_seat = SeatFailed(n=20, t=3.0, seat=TWO, attempt=1, kind=kind, message="Ended.", usage=used)
    end = RunFailed(n=21, t=3.0, kind=kind, message="Ended.", usage=used)
    async with stored(tmp_path) as store:
        session = store.begin_session()
        turn = store.begin_turn(session, asked("Why?"))
        await told(store, turn, [*cut_short(), of_seat, end])
    async with stored(tmp_path) as store:
        (run,) = (await store.load(session)).turns[0].runs
        assert run.usage == used
        assert state_of(await store.run(run.id)).spent[1:] == (used,)


async def test_of_an_interrupted_run_what_had_ended_is_kept(tmp_path: Path) -> None:
    async with stored(tmp_path) as store:
        session = store.begin_session()
        recorder = store.begin_run(store.begin_turn(session, asked("Why?")), MIXTURE)
        for event in cut_short():
            recorder.record(event)
    async with stored(tmp_path) as store:
        (run,) = (await store.load(session)).turns[0].runs
        assert run.usage == Usage(completion=2, reasoning=1, cost=0.5)


async def test_a_proposal_taken_as_the_answer_is_shown_and_can_be_put_back(tmp_path: Path) -> None:
    async with stored(tmp_path) as store:
        session = store.begin_session()
        turn = store.begin_turn(session, asked("Why?"))
        run = await told(store, turn, run_of("merged"))
        store.take(turn, run, ONE, "one says")
        row = (await store.load(session)).turns[0]
        assert (row.answer, row.runs[1].taken_from) == ("one says", ONE)
        assert await store.replay(row.runs[1].id) == run_of("merged")
        store.show(turn, run)
        assert (await store.load(session)).turns[0].answer == "merged"


async def test_a_blind_test_is_kept_with_its_run_and_goes_with_it(tmp_path: Path) -> None:
    clock = HandClock()
    async with stored(tmp_path, clock=clock) as store:
        session = store.begin_session()
        run = await told(store, store.begin_turn(session, asked("Why?")), run_of("merged"))
        assert await store.test(run) == ()
        store.keep_test(run, (replace(TEST[0], is_picked=True), *TEST[1:]))
        store.keep_test(run, TEST)
    async with stored(tmp_path, clock=clock) as store:
        assert await store.test(run) == TEST
        assert await store.tests() == [Judged("trio", TEST)]
        store.delete(session)
        assert await store.tests() == []
        await store.erase_deleted()
        store.undelete(session)
        assert (await store.test(run), await store.tests()) == ((), [])


async def test_a_file_of_the_first_version_is_brought_up_with_all_it_has(tmp_path: Path) -> None:
    disk = Disk(tmp_path)
    disk.prepare()
    with closing(disk.connect("rw")) as old:
        migrate(old, MIGRATIONS[:1], since=0)
        old.execute(
            "INSERT INTO sessions(id, created_at, touched_at, draft) VALUES ('s', 1, 1, 'Why')"
        )
    async with stored(disk) as store:
        assert store.trouble is None
        assert [row.id for row in await store.sessions()] == ["s"]
        assert await store.tests() == []


async def test_every_proposal_that_is_taken_is_a_run_and_none_is_one_twice(tmp_path: Path) -> None:
    async with stored(tmp_path) as store:
        session = store.begin_session()
        turn = store.begin_turn(session, asked("Why?"))
        run = await told(store, turn, run_of("merged"))
        for seat, text in ((TWO, "two says"), (ONE, "one says"), (TWO, "two says")):
            store.take(turn, run, seat, text)
        row = (await store.load(session)).turns[0]
        assert [one.taken_from for one in row.runs] == [None, TWO, ONE]
        assert [one.given_from for one in row.runs] == [None, run, run]
        assert [one.status for one in row.runs] == ["done", "taken", "taken"]
        assert (row.shown_run, row.answer) == (row.runs[1].id, "two says")


async def test_an_older_files_taken_proposal_gives_way_to_the_runs_own_answer_and_stays(
    tmp_path: Path,
) -> None:
    async with stored(tmp_path) as store:
        session = store.begin_session()
        turn = store.begin_turn(session, asked("Why?"))
        run = await told(store, turn, run_of("merged"))
        await store._writer.post(_in_its_place(run)).saved()  # noqa: SLF001 - as no caller can
        store.take(turn, run, ONE, "one says")
        row = (await store.load(session)).turns[0]
        assert (row.answer, [one.taken_from for one in row.runs]) == ("one says", [ONE])
        store.show(turn, run)
        row = (await store.load(session)).turns[0]
        assert (row.answer, [one.taken_from for one in row.runs]) == ("merged", [None, ONE])
        store.take(turn, run, ONE, "one says")
        row = (await store.load(session)).turns[0]
        assert (row.answer, row.shown_run) == ("one says", row.runs[1].id)
        assert row.runs[1].id in {hit.run for hit in await store.search("one says")}


def _in_its_place(run: int) -> Change[None]:
    def change(db: sqlite3.Connection) -> None:
        unindex_run(db, run)
        taken = "taken = 'one says', taken_layer = 1, taken_number = 1"
        db.execute(f"UPDATE runs SET {taken} WHERE id = ?", (run,))  # noqa: S608 - our own words
        index_run(db, run)

    return change


async def test_renaming_deleting_and_undoing(tmp_path: Path) -> None:
    async with stored(tmp_path) as store:
        session = store.begin_session()
        store.begin_turn(session, asked("first prompt"))
        store.rename(session, "my\nname")
        assert (await store.load(session)).title == "my name"
        store.rename(session, "")
        assert (await store.load(session)).title == "first prompt"
        store.delete(session)
        assert await store.sessions() == []
        assert await store.search("prompt") == []
        with pytest.raises(StoreError):
            await store.load(session)
        assert list(store.deleted) == [session]
        store.undelete(session)
        assert list(store.deleted) == []
        assert [row.id for row in await store.sessions()] == [session]


async def test_what_was_deleted_a_day_ago_is_gone_for_good(tmp_path: Path) -> None:
    clock = HandClock()
    async with stored(tmp_path, clock=clock) as store:
        kept, gone = store.begin_session(), store.begin_session()
        for session in (kept, gone):
            await told(store, store.begin_turn(session, asked("zebra")), run_of("crossing"))
        store.delete(gone)
        clock.at += 25 * 3600
        await store.unfinished()
        assert [hit.session for hit in await store.search("zebra crossing")] == [kept]
    with closing(sqlite3.connect(tmp_path / "sessions.db")) as db:
        assert db.execute("SELECT count(*) FROM turns").fetchone() == (1,)
        assert db.execute("SELECT count(*) FROM words WHERE words MATCH 'zebra'").fetchone() == (2,)
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []


async def test_draft_and_queue_are_kept_and_cleared(tmp_path: Path) -> None:
    queue = (Asked("whole", "[pasted]", "t"), asked("and then?"))
    async with stored(tmp_path) as store:
        session = store.begin_session()
        store.keep_draft(session, "half a \ud83d thought", queue=queue)
    async with stored(tmp_path) as store:
        loaded = await store.load(session)
        assert (loaded.draft, loaded.queue) == ("half a \ufffd thought", queue)
        store.keep_draft(session, "")
        loaded = await store.load(session)
        assert (loaded.draft, loaded.queue) == ("", ())


async def test_a_live_run_is_on_disk_before_it_ends(tmp_path: Path) -> None:
    async with stored(tmp_path) as store:
        session = store.begin_session()
        recorder = store.begin_run(store.begin_turn(session, asked("Why?")), MIXTURE)
        for event in cut_short():
            recorder.record(event)
        assert not await recorder.saved()
        while not await store.replay(recorder.id):
            pass
        assert await store.replay(recorder.id) == cut_short()
        assert state_of(await store.run(recorder.id)).seats == state_of(cut_short()).seats


async def test_closing_keeps_a_live_run_as_interrupted(tmp_path: Path) -> None:
    async with stored(tmp_path) as store:
        session = store.begin_session()
        recorder = store.begin_run(store.begin_turn(session, asked("Why?")), MIXTURE)
        for event in cut_short():
            recorder.record(event)
    assert "owner" not in "".join(names(tmp_path))
    async with stored(tmp_path) as store:
        assert await store.unfinished() == ()
        (run,) = (await store.load(session)).turns[0].runs
        assert run.status == "interrupted"
        state = state_of(await store.run(run.id))
        assert str(state.seats[TWO].text) == "half a prop"
        assert MERGER not in state.seats


async def test_keys_in_messages_are_not_stored(tmp_path: Path) -> None:
    key = "sk-" + "abc123" * 6
    events = cut_short()
    failed = SeatFailed(
        n=len(events) + 1,
        t=2.0,
        seat=TWO,
        attempt=1,
        kind="auth",
        message=f"bad key {key}",
        hint=f"set {key}",
    )
    end = RunFailed(n=len(events) + 2, t=2.0, kind="auth", message=f"bad key {key}")
    async with stored(tmp_path) as store:
        turn = store.begin_turn(store.begin_session(), asked("Why?"))
        run = await told(store, turn, [*events, failed, end])
        assert await store.replay(run) == [
            *events,
            replace(failed, message="bad key •••", hint="set •••"),
            replace(end, message="bad key •••"),
        ]
    assert key.encode() not in contents(tmp_path)


async def test_a_change_that_makes_no_sense_is_told_and_hurts_nobody(tmp_path: Path) -> None:
    async with stored(tmp_path) as store:
        session = store.begin_session()
        turn = store.begin_turn(session, asked("Why?"))
        store.show(turn, 12345)
        store.rename("nosuch", "x")
        assert await store.settled()
        assert store.trouble is not None
        assert (store.trouble.kind, store.trouble.is_saving) == ("skipped", True)
        assert [row.id for row in await store.sessions()] == [session]


async def test_who_comes_after_closing_is_answered(tmp_path: Path) -> None:
    async with stored(tmp_path) as store:
        session = store.begin_session()
    store.begin_turn(session, asked("Too late?"))
    assert not await store.settled()
    with pytest.raises(StoreError):
        await store.unfinished()


async def test_two_instances_see_each_other(tmp_path: Path) -> None:
    async with stored(tmp_path) as one, stored(tmp_path) as two:
        session = one.begin_session()
        recorder = one.begin_run(one.begin_turn(session, asked("Why?")), MIXTURE)
        assert await one.settled()
        assert [row.is_live for row in await two.sessions()] == [True]
        assert [row.is_live for row in await one.sessions()] == [False]
        assert await two.unfinished() == ()
        for event in run_of("done"):
            recorder.record(event)
        assert await recorder.saved()
        assert [row.is_live for row in await two.sessions()] == [False]
        assert (await two.load(session)).turns[0].answer == "done"
