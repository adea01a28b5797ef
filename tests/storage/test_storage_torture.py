"""Whatever fails, once or for good, the program goes on and says how things stand."""

from __future__ import annotations

import errno
import os
import random
import sqlite3
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any

import pytest
from failing import connected
from storage.shelf import MIXTURE, TEST, HandClock, asked, cut_short, run_of, state_of, stored, told

from moa_tui.storage.disk import Disk
from moa_tui.storage.opening import open_store
from moa_tui.storage.records import StoreError
from moa_tui.storage.schema import MIGRATIONS, migrate

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from moa_tui.storage.store import Store

TOUCHES = {
    "prepare",
    "connect",
    "open",
    "identity",
    "alone",
    "claim",
    "is_alive",
    "release",
    "set_aside",
    "copy",
    "remove",
    "backup",
    "is_networked",
}


class FailingDisk(Disk):
    """A disk whose touches fail when ``when`` says so, by their number."""

    def __init__(self, folder: Path, when: Callable[[int], bool]) -> None:
        super().__init__(folder)
        self.when = when
        self.touched = 0

    def __getattribute__(self, name: str) -> Any:  # noqa: ANN401 - any of its methods
        if name in TOUCHES:
            self.touched += 1
            if self.when(self.touched):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return super().__getattribute__(name)


class FailingConnection(sqlite3.Connection):
    """A connection that fails at a statement, as if by the disk."""

    disk: FailingStatements

    def execute(self, *given: Any) -> sqlite3.Cursor:  # noqa: ANN401 - as sqlite3 has it
        self.disk.count += 1
        if self.disk.when(self.disk.count):
            raise sqlite3.OperationalError("disk I/O error")
        return super().execute(*given)


class FailingStatements(Disk):
    """A disk whose databases fail at certain statements."""

    def __init__(self, folder: Path, when: Callable[[int], bool]) -> None:
        super().__init__(folder)
        self.when = when
        self.count = 0

    def open(self, uri: str) -> sqlite3.Connection:
        made = connected(uri, FailingConnection)
        made.disk = self
        return made


class SmallDisk(Disk):
    """A disk that is full when the database has so many pages."""

    def __init__(self, folder: Path, pages: int) -> None:
        super().__init__(folder)
        self.pages = pages

    def open(self, uri: str) -> sqlite3.Connection:
        db = super().open(uri)
        db.execute(f"PRAGMA max_page_count = {self.pages}")
        return db


class ReadOnlyDisk(Disk):
    """A folder in which nothing can be made or written, for whoever runs the tests."""

    def prepare(self) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


async def a_day(store: Store) -> tuple[str, bool]:
    """Use everything once; return the session and whether the store said it is saved."""
    session = store.begin_session()
    turn = store.begin_turn(session, asked("Why is it so?"))
    recorder = store.begin_run(turn, MIXTURE)
    for event in run_of("the answer"):
        recorder.record(event)
    is_saved = await recorder.saved()
    store.rename(session, "name")
    store.keep_test(recorder.id, TEST)
    store.keep_draft(session, "draft", queue=[asked("next")])
    is_saved = is_saved and await store.settled()
    for question in (
        store.sessions(),
        store.search("answer"),
        store.load(session),
        store.run(recorder.id),
        store.test(recorder.id),
        store.tests(),
        store.unfinished(),
    ):
        try:
            await question
        except StoreError as error:
            assert str(error)  # noqa: PT017 - it may be raised, and then it has words
    return session, is_saved


async def a_day_on(disk: Disk) -> tuple[str, bool]:
    async with stored(disk) as store:
        session, is_saved = await a_day(store)
        if not is_saved:
            trouble = store.trouble
            assert trouble is None or trouble.words
        return session, is_saved


async def check_kept(folder: Path, session: str, *, is_saved: bool) -> None:
    """What was said to be saved is there, whatever happened after."""
    async with stored(folder) as store:
        if is_saved:
            loaded = await store.load(session)
            assert (loaded.title, loaded.draft) == ("name", "draft")
            assert loaded.turns[0].answer == "the answer"
            assert await store.test(loaded.turns[0].runs[0].id) == TEST
        assert await a_day(store)


@pytest.mark.parametrize("is_for_good", [False, True])
async def test_every_touch_of_the_disk_may_fail(tmp_path: Path, *, is_for_good: bool) -> None:
    probe = FailingDisk(tmp_path / "probe", lambda _: False)
    await a_day_on(probe)
    for number in range(1, probe.touched + 1):
        folder = tmp_path / str(number)

        def when(touch: int, number: int = number) -> bool:
            return touch >= number if is_for_good else touch == number

        session, is_saved = await a_day_on(FailingDisk(folder, when))
        await check_kept(folder, session, is_saved=is_saved)


async def test_every_statement_may_fail_once(tmp_path: Path) -> None:
    probe = FailingStatements(tmp_path / "probe", lambda _: False)
    await a_day_on(probe)
    step = 1 if "MOA_TORTURE_ALL" in os.environ else 7
    for number in range(1, probe.count + 1, step):
        folder = tmp_path / str(number)
        disk = FailingStatements(folder, lambda count, number=number: count == number)  # type: ignore[misc] # bound
        session, is_saved = await a_day_on(disk)
        await check_kept(folder, session, is_saved=is_saved)


async def test_a_full_disk_is_told_rows_stay_readable_and_all_is_saved_later(
    tmp_path: Path,
) -> None:
    disk = SmallDisk(tmp_path, pages=80)
    async with stored(disk) as store:
        first = store.begin_session()
        kept = await told(store, store.begin_turn(first, asked("small")), run_of("small"))
        second = store.begin_session()
        recorder = store.begin_run(store.begin_turn(second, asked("big")), MIXTURE)
        for event in run_of("answer " * 60_000):
            recorder.record(event)
        assert not await recorder.saved()
        assert store.trouble is not None
        assert (store.trouble.kind, store.trouble.is_saving) == ("not_saving", False)
        assert "disk is full" in store.trouble.words
        assert state_of(await store.run(kept)).answer == "small"
    disk = SmallDisk(tmp_path, pages=1_000_000)
    async with stored(disk) as store:
        assert first in {row.id for row in await store.sessions()}


async def test_what_waits_is_saved_when_there_is_room_again(tmp_path: Path) -> None:
    is_full = True
    disk = FailingDisk(tmp_path, lambda _: False)
    async with stored(disk) as store:
        disk.when = lambda _: is_full
        session = store.begin_session()
        recorder = store.begin_run(store.begin_turn(session, asked("Why?")), MIXTURE)
        for event in run_of("kept"):
            recorder.record(event)
        assert not await recorder.saved()
        is_full = False
        while store.trouble is not None:
            store.rename(session, "x")
            await store.settled()
        assert await recorder.saved()
        assert (await store.load(session)).turns[0].answer == "kept"


async def test_a_read_only_folder_is_read_and_written_in_memory(tmp_path: Path) -> None:
    async with stored(tmp_path) as store:
        session, _ = await a_day(store)
        other, _ = await a_day(store)
    before = (tmp_path / "sessions.db").read_bytes()
    async with stored(ReadOnlyDisk(tmp_path)) as store:
        assert store.trouble is not None
        assert (store.trouble.kind, store.trouble.is_saving) == ("read_only", False)
        loaded = await store.load(session)
        assert loaded.turns[0].answer == "the answer"
        turn = store.begin_turn(session, asked("And then?"), parent=loaded.head)
        recorder = store.begin_run(turn, MIXTURE)
        for event in run_of("in memory"):
            recorder.record(event)
        assert not await recorder.saved()
        assert [one.answer for one in (await store.load(session)).path()] == [
            "the answer",
            "in memory",
        ]
        assert state_of(await store.run(recorder.id)).answer == "in memory"
        store.keep_test(recorder.id, TEST[1:])
        (old_run,) = loaded.turns[0].runs
        assert (await store.test(old_run.id), await store.test(recorder.id)) == (TEST, TEST[1:])
        kept = [judged.entries for judged in await store.tests()]
        assert sorted(kept, key=len) == [TEST[1:], TEST, TEST]
        assert {row.id: row.turns for row in await store.sessions()} == {session: 2, other: 1}
        assert [hit.session for hit in await store.search("memory")] == [session]
        store.delete(session)
        assert [row.id for row in await store.sessions()] == [other]
        assert {hit.session for hit in await store.search("answer")} == {other}
    assert (tmp_path / "sessions.db").read_bytes() == before


async def test_a_file_of_the_first_version_is_read_where_it_cannot_be_written(
    tmp_path: Path,
) -> None:
    disk = Disk(tmp_path)
    disk.prepare()
    with closing(disk.connect("rw")) as old:
        migrate(old, MIGRATIONS[:1], since=0)
        old.execute("INSERT INTO sessions(id, created_at, touched_at) VALUES ('s', 1, 1)")
        old.execute(
            "INSERT INTO turns(id, session, asked_at, text, shown, typed)"
            " VALUES (1, 's', 1, 'Why?', 'Why?', '')"
        )
    async with stored(ReadOnlyDisk(tmp_path)) as store:
        assert await store.tests() == []
        run = await told(store, 1, run_of("in memory"))
        store.keep_test(run, TEST)
        assert [judged.entries for judged in await store.tests()] == [TEST]


async def test_a_newer_file_is_read_and_never_written(tmp_path: Path) -> None:
    async with stored(tmp_path) as store:
        session, _ = await a_day(store)
    with closing(sqlite3.connect(tmp_path / "sessions.db")) as db:
        db.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 3}")
        db.commit()
    async with stored(tmp_path) as store:
        assert store.trouble is not None
        assert (store.trouble.kind, store.trouble.is_saving) == ("newer", False)
        assert "newer moa-tui" in store.trouble.words
        assert (await store.load(session)).turns[0].answer == "the answer"
        _, is_saved = await a_day(store)
        assert not is_saved
    with closing(sqlite3.connect(tmp_path / "sessions.db")) as db:
        assert db.execute("SELECT count(*) FROM sessions").fetchone() == (1,)


def test_an_older_file_is_brought_up_to_date_after_a_backup(tmp_path: Path) -> None:
    open_store(Disk(tmp_path), "now").close()
    steps = (*MIGRATIONS, ("ALTER TABLE sessions ADD COLUMN colour TEXT",))
    opened = open_store(Disk(tmp_path), "now", steps=steps)
    assert opened.trouble is None
    assert opened.db.execute("SELECT colour FROM sessions").fetchall() == []
    opened.close()
    backup = tmp_path / f"sessions.version-{len(MIGRATIONS)}.db"
    assert backup.stat().st_mode & 0o777 == 0o600
    with closing(sqlite3.connect(backup)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)


def test_an_update_that_fails_changes_nothing(tmp_path: Path) -> None:
    open_store(Disk(tmp_path), "now").close()
    steps = (*MIGRATIONS, ("ALTER TABLE sessions ADD COLUMN colour TEXT", "nonsense"))
    opened = open_store(Disk(tmp_path), "now", steps=(*MIGRATIONS, *steps[-1:]))
    assert opened.trouble is not None
    assert opened.trouble.kind == "unusable"
    opened.close()
    again = open_store(Disk(tmp_path), "now")
    assert again.trouble is None
    again.close()


def overwrite(path: Path, start: int, length: int) -> None:
    with path.open("r+b") as file:
        file.seek(start)
        file.write(b"\xa5" * length)


def truncate(path: Path, pages: int) -> None:
    os.truncate(path, path.stat().st_size - pages * 4096)


DAMAGES: dict[str, Callable[[Path], None]] = {
    "the header": lambda path: overwrite(path, 0, 100),
    "the magic word": lambda path: overwrite(path, 0, 16),
    "the first page": lambda path: overwrite(path, 0, 4096),
    "its end is gone": lambda path: truncate(path, 3),
}


@pytest.mark.parametrize("damage", DAMAGES)
async def test_a_damaged_file_is_set_aside_and_salvaged(damage: str, tmp_path: Path) -> None:
    clock = HandClock()
    async with stored(tmp_path, clock=clock) as store:
        ids = [await one_session(store, number) for number in range(60)]
    DAMAGES[damage](tmp_path / "sessions.db")
    damaged = (tmp_path / "sessions.db").read_bytes()
    async with stored(tmp_path, clock=clock) as store:
        assert store.trouble is not None
        assert (store.trouble.kind, store.trouble.is_saving) == ("salvaged", True)
        rows = await store.sessions(100)
        assert len({row.id for row in rows} & set(ids)) >= 50
        assert len(await store.search("question", limit=100)) >= 50
        _, is_saved = await a_day(store)
        assert is_saved
    aside = set_aside(tmp_path)
    assert aside.read_bytes() == damaged
    assert aside.stat().st_mode & 0o777 == 0o600
    check(tmp_path)


async def test_any_damage_ends_in_a_store_that_saves(tmp_path: Path) -> None:
    clock = HandClock()
    async with stored(tmp_path, clock=clock) as store:
        ids = [await one_session(store, number) for number in range(30)]
    sound = (tmp_path / "sessions.db").read_bytes()
    chance = random.Random(11)  # noqa: S311 - no secret
    for number in range(int(os.environ.get("MOA_DAMAGE_ROUNDS", "12"))):
        folder = tmp_path / str(number)
        Disk(folder).prepare()
        (folder / "sessions.db").write_bytes(damaged_somewhere(sound, chance))
        async with stored(folder, clock=clock) as store:
            _, is_saved = await a_day(store)
            for session in ids:
                with suppress(StoreError):
                    await store.load(session)
            _, is_still_saved = await a_day(store)
            assert is_still_saved, store.trouble
            assert is_saved or kind_of(store) == "salvaged"


def damaged_somewhere(content: bytes, chance: random.Random) -> bytes:
    damaged = bytearray(content)
    for _ in range(chance.choice((1, 3, 20))):
        start, length = chance.randrange(len(damaged)), chance.choice((1, 40, 4096))
        damaged[start : start + length] = chance.randbytes(length)
    return bytes(damaged[: chance.choice((len(damaged), chance.randrange(len(damaged))))])


async def test_what_is_no_database_at_all_is_set_aside(tmp_path: Path) -> None:
    (tmp_path / "sessions.db").write_bytes(b"my diary, not a database\n" * 400)
    async with stored(tmp_path) as store:
        assert store.trouble is not None
        assert store.trouble.kind == "salvaged"
        _, is_saved = await a_day(store)
        assert is_saved
    aside = set_aside(tmp_path)
    assert aside.read_bytes().startswith(b"my diary")


async def test_damage_that_shows_only_while_it_is_read_is_mended_too(tmp_path: Path) -> None:
    clock = HandClock()
    async with stored(tmp_path, clock=clock) as store:
        ids = [await one_session(store, number) for number in range(60)]
    path = tmp_path / "sessions.db"
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (root,) = db.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'turns'").fetchone()
    overwrite(path, (root - 1) * 4096, 200)
    async with stored(tmp_path, clock=clock) as store:
        assert kind_of(store) == ""
        answers = [(await store.load(session)).turns[0].answer for session in ids]
        assert kind_of(store) == "salvaged"
        assert answers == [f"answer {number} " * 50 for number in range(60)]
        _, is_saved = await a_day(store)
        assert is_saved
    check(tmp_path)


async def test_an_instance_follows_a_file_that_another_one_mended(tmp_path: Path) -> None:
    async with stored(tmp_path) as one:
        await a_day(one)
        path = tmp_path / "sessions.db"
        path.rename(tmp_path / "old.db")
        for suffix in ("-wal", "-shm"):
            (tmp_path / f"sessions.db{suffix}").rename(tmp_path / f"old.db{suffix}")
        async with stored(tmp_path) as two:
            theirs, _ = await a_day(two)
            mine, is_saved = await a_day(one)
            assert is_saved
            assert {row.id for row in await one.sessions()} == {mine, theirs}
            assert {row.id for row in await two.sessions()} == {mine, theirs}
            # Leaving the old file has not taken the new one's log away.
            check(tmp_path)
            with closing(sqlite3.connect(path)) as db:
                assert db.execute("SELECT count(*) FROM sessions").fetchone() == (2,)


async def test_a_file_that_was_removed_is_made_anew(tmp_path: Path) -> None:
    async with stored(tmp_path) as store:
        session, _ = await a_day(store)
        Disk(tmp_path).remove(tmp_path / "sessions.db")
        store.begin_turn(session, asked("And then?"))
        assert await store.settled()
        (turn,) = (await store.load(session)).turns
        assert turn.prompt.text == "And then?"
        check(tmp_path)


async def test_a_folder_that_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("no folder")
    async with stored(tmp_path / "config") as store:
        assert store.trouble is not None
        assert not store.trouble.is_saving
        session, is_saved = await a_day(store)
        assert not is_saved
        assert (await store.load(session)).turns[0].answer == "the answer"


async def test_troubles_are_told_as_they_come_and_go(tmp_path: Path) -> None:
    disk = FailingDisk(tmp_path, lambda _: False)
    async with stored(disk) as store:
        heard = store.troubles()
        disk.when = lambda _: True
        session = store.begin_session()
        store.begin_turn(session, asked("Why?"))
        first = await anext(heard)
        assert first is not None
        assert first.kind == "not_saving"
        disk.when = lambda _: False
        store.rename(session, "x")
        assert await anext(heard) is None
        await heard.aclose()


class NetworkDisk(Disk):
    def is_networked(self) -> bool:
        return True


async def test_on_a_network_there_is_no_log_beside_the_file(tmp_path: Path) -> None:
    async with stored(NetworkDisk(tmp_path)) as store:
        session, is_saved = await a_day(store)
        assert is_saved
        assert not has_log(tmp_path)
    await check_kept(tmp_path, session, is_saved=True)


def has_log(folder: Path) -> bool:
    return (folder / "sessions.db-wal").exists()


class HastyDisk(Disk):
    patience_s = 0.01


async def test_a_file_that_another_program_holds_is_told_and_saved_later(tmp_path: Path) -> None:
    async with stored(HastyDisk(tmp_path)) as store:
        with Disk(tmp_path).alone():
            session = store.begin_session()
            store.begin_turn(session, asked("Why?"))
            assert not await store.settled()
            assert "another program holds" in words_of(store)
            assert await store.sessions() == []
        while store.trouble is not None:
            store.rename(session, "x")
            await store.settled()
        assert [row.id for row in await store.sessions()] == [session]


def set_aside(folder: Path) -> Path:
    (aside,) = folder.glob("sessions.damaged-*.db")
    return aside


def words_of(store: Store) -> str:
    return "" if store.trouble is None else store.trouble.words


def kind_of(store: Store) -> str:
    return "" if store.trouble is None else store.trouble.kind


async def one_session(store: Store, number: int) -> str:
    session = store.begin_session()
    turn = store.begin_turn(session, asked(f"question {number}"))
    await told(store, turn, run_of(f"answer {number} " * 50, "one " * 200, "two " * 200))
    return session


def check(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "sessions.db")) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []


@pytest.mark.parametrize("column", ["mixture", "facts"])
async def test_a_damaged_run_keeps_nobody_from_the_rest_of_its_conversation(
    tmp_path: Path, column: str
) -> None:
    async with stored(tmp_path) as store:
        session, _ = await a_day(store)
        first = (await store.load(session)).head
        turn = store.begin_turn(session, asked("And then?"), parent=first)
        damaged = await told(store, turn, run_of("lost"))
        recorder = store.begin_run(turn, MIXTURE)
        for event in cut_short():
            recorder.record(event)
        recorder.close()
        stopped = recorder.id
        await recorder.saved()
    with closing(sqlite3.connect(tmp_path / "sessions.db")) as db:
        broken = f"UPDATE runs SET {column} = '!' || substr({column}, 2) WHERE id IN (?, ?)"  # noqa: S608 - ours
        db.execute(broken, (damaged, stopped))
        db.commit()
    async with stored(tmp_path) as store:
        loaded = await store.load(session)
        assert [one.answer for one in loaded.path()] == ["the answer", "lost"]
        with pytest.raises(StoreError):
            await store.run(damaged)
