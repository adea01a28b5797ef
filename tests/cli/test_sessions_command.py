"""The command about conversations on disk, over a real store."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import re
import sqlite3
import stat
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from cli_given import Screenless
from storage.shelf import HandClock, asked, run_of, stored, told

from moa_tui.__main__ import Program
from moa_tui.cli.arguments import Arguments, parse
from moa_tui.cli.sessions import Order, sessions
from moa_tui.errors import ConfigError
from moa_tui.files import rewrite
from moa_tui.storage import export
from moa_tui.storage.disk import Disk

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

GOING = "out of sight now; gone from the disk when the screen starts a day or more later"
GONE = "gone from the disk, what was deleted before too; copies of older databases stay"
UNSAVED = "nothing was changed: it couldn't be saved"


def kept(folder: Path, *questions: str) -> list[str]:
    """Keep a session a question, a minute apart, and return their ids."""

    async def keeping() -> list[str]:
        clock, ids = HandClock(), []
        async with stored(folder, clock=clock) as store:
            for question in questions:
                clock.at += 60
                ids.append(store.begin_session())
                turn = store.begin_turn(ids[-1], asked(question))
                await told(store, turn, run_of(f"the answer to {question}", "a plover", "a heron"))
        return ids

    return asyncio.run(keeping())


def run(folder: Path, *line: str, at: Screenless | None = None) -> tuple[int, str, list[str]]:
    """Return the exit code, stdout, and stderr without our name and the folder's."""
    at = at or Screenless()
    code = Program({}, at.streams).run(["--config-dir", str(folder), "sessions", *line])
    said = [text.replace(f"{folder}/", "").removeprefix("moa-tui: ") for text in at.err]
    return code, at.out, said


def ids_in(folder: Path) -> list[str]:
    code, out, _ = run(folder, "list", "--json")
    assert code == 0
    return [row["id"] for row in json.loads(out)["sessions"]]


def exported(folder: Path, session: str) -> Any:  # noqa: ANN401 - a document
    return json.loads(run(folder, "export", session, "--json")[1])


def written(path: Path, document: object) -> str:
    path.write_text(json.dumps(document), "utf-8")
    return str(path)


# The command line


@pytest.mark.parametrize(
    ("line", "arguments"),
    [
        ("sessions", Arguments(command="sessions", action="list")),
        (
            "sessions --json show k3",
            Arguments(command="sessions", action="show", text="k3", as_json=True),
        ),
        (
            "sessions export k3 --output f",
            Arguments(command="sessions", action="export", text="k3", output="f"),
        ),
        (
            "sessions delete --all --yes",
            Arguments(command="sessions", action="delete", is_all=True, is_sure=True),
        ),
    ],
)
def test_a_line_is_understood(line: str, arguments: Arguments) -> None:
    assert parse(line.split()) == arguments


def test_several_words_to_search_are_wanted_in_quotes() -> None:
    with pytest.raises(ConfigError, match=r'in quotes: moa-tui sessions search "…"'):
        parse(["sessions", "search", "two", "words"])


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("list k3", "list takes no id; did you mean show?"),
        ("show", "which session? moa-tui sessions show ID"),
        ("export", "which session? moa-tui sessions export ID"),
        ("delete", "which session? moa-tui sessions delete ID, or --all"),
        ("search", "which words? moa-tui sessions search TEXT"),
        ("import", "which file? moa-tui sessions import FILE"),
        ("show k3 --output f", "--output means nothing to moa-tui sessions show"),
        ("list --all", "--all means nothing to moa-tui sessions list"),
        ("show k3 --yes", "--yes means nothing to moa-tui sessions show"),
        ("delete k3 --all", "delete takes an id or --all, not both"),
        ("delete --all", "without a terminal it needs --yes too"),
        ("import nowhere.json", "nowhere.json can't be read: No such file or directory"),
        ("import ~nobody-of-that-name/x", "there is no such user"),
        ("shout", "argument action: invalid choice: 'shout'"),
        ("list --preset x", "options about the mixture mean nothing to moa-tui sessions"),
    ],
)
def test_a_mistake_is_told_before_anything_is_opened(line: str, words: str, tmp_path: Path) -> None:
    code, out, said = run(tmp_path, *line.split())
    assert (code, out, len(said)) == (2, "", 1)
    assert words in said[0]
    assert list(tmp_path.iterdir()) == []


# Listing and finding


def test_sessions_are_listed_the_newest_first(tmp_path: Path) -> None:
    old, new = kept(tmp_path, "Why do birds sing?", "What is a heron?")
    code, out, said = run(tmp_path)
    assert (code, said) == (0, [])
    rows = [re.split("  +", line) for line in out.splitlines()]
    assert rows[0] == ["ID", "WHEN", "TURNS", "TITLE"]
    assert [(row[0], *row[2:]) for row in rows[1:]] == [
        (new, "1", "What is a heron?"),
        (old, "1", "Why do birds sing?"),
    ]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d", row[1]) for row in rows[1:])


def test_the_list_is_one_json_document(tmp_path: Path) -> None:
    (session,) = kept(tmp_path, "为什么?")
    code, out, said = run(tmp_path, "list", "--json")
    assert (code, said) == (0, [])
    assert json.loads(out) == {
        "sessions": [
            {
                "id": session,
                "title": "为什么?",
                "turns": 1,
                "touched_at": HandClock().at + 60,
            }
        ]
    }


def test_that_there_is_nothing_yet_is_said(tmp_path: Path) -> None:
    assert run(tmp_path) == (0, "", ["there are no sessions yet"])


def test_a_search_says_in_which_session_where_and_what_stands_there(tmp_path: Path) -> None:
    first, _ = kept(tmp_path, "Why do birds sing?", "What is rain?")
    code, out, said = run(tmp_path, "search", "birds sing")
    assert (code, said) == (0, [])
    rows = [re.split("  +", line) for line in out.splitlines()]
    assert rows[0] == ["ID", "WHEN", "WHERE", "TEXT"]
    assert [(row[0], *row[2:]) for row in rows[1:]] == [(first, "prompt", "Why do birds sing?")]


def test_whose_proposal_was_found_is_said(tmp_path: Path) -> None:
    (session,) = kept(tmp_path, "Which bird?")
    assert "  proposal 1.2  a heron" in run(tmp_path, "search", "heron")[1]
    (hit,) = json.loads(run(tmp_path, "search", "heron", "--json")[1])["hits"]
    assert (hit["session"], hit["where"], hit["seat"]) == (session, "proposal", [1, 2])


@pytest.mark.parametrize("words", ["zebra", "?!"])
def test_a_search_that_finds_nothing_exits_1(words: str, tmp_path: Path) -> None:
    kept(tmp_path, "Why do birds sing?")
    assert run(tmp_path, "search", words) == (1, "", [f'nothing has "{words}"'])


# Reading


def test_a_conversation_is_shown_as_a_page(tmp_path: Path) -> None:
    (session,) = kept(tmp_path, "Why do birds sing?")
    code, out, said = run(tmp_path, "show", session)
    assert (code, said) == (0, [])
    assert out.startswith("# Why do birds sing?\n")
    assert "\nthe answer to Why do birds sing?\n" in out
    assert run(tmp_path, "export", session)[1] == out


def test_the_beginning_of_an_id_is_enough(tmp_path: Path) -> None:
    (session,) = kept(tmp_path, "Why?")
    assert run(tmp_path, "show", session[:3].upper())[0] == 0


def test_the_beginning_of_two_ids_is_refused_and_a_whole_id_is_not(tmp_path: Path) -> None:
    (session,) = kept(tmp_path, "Why?")
    document = exported(tmp_path, session)
    for name in ("zebra", "zebra2"):
        document["session"]["id"] = name
        run(tmp_path, "import", written(tmp_path / "file", document))
    code, out, said = run(tmp_path, "show", "zeb")
    assert (code, out, len(said)) == (2, "", 1)
    assert re.fullmatch('"zeb" may be 2 sessions: zebra2?, zebra2?', said[0])
    assert run(tmp_path, "show", "zebra")[0] == 0


@pytest.mark.parametrize("action", ["show", "export", "delete"])
def test_an_unknown_id_exits_1(action: str, tmp_path: Path) -> None:
    kept(tmp_path, "Why?")
    assert run(tmp_path, action, "\x1bnone") == (
        1,
        "",
        ['there is no session "␛none"; moa-tui sessions lists them'],
    )


def test_nothing_on_stdout_can_steer_a_terminal(tmp_path: Path) -> None:
    (session,) = kept(tmp_path, "a \x1b]52;c;x\x07 b \u202e c \x9b")
    for line in (["list"], ["search", "answer"], ["show", session], ["export", session, "--json"]):
        for options in ([], ["--json"]):
            out = run(tmp_path, *line, *options)[1]
            assert out
            assert re.findall("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", out) == []


# Moving


def test_an_export_is_a_file_for_the_user_alone(tmp_path: Path) -> None:
    (session,) = kept(tmp_path, "Why?")
    path = tmp_path / "page.md"
    code, out, said = run(tmp_path, "export", session, "--output", str(path))
    assert (code, out, said) == (0, "", [f"{session} is in page.md"])
    assert path.read_text("utf-8") == run(tmp_path, "show", session)[1]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_an_export_never_takes_the_place_of_a_file(tmp_path: Path) -> None:
    (session,) = kept(tmp_path, "Why?")
    path = tmp_path / "page.md"
    path.write_text("mine", "utf-8")
    assert run(tmp_path, "export", session, "--output", str(path)) == (
        2,
        "",
        ["page.md is there already; nothing was written"],
    )
    assert path.read_text("utf-8") == "mine"


def test_a_dash_is_stdout_and_stdin(tmp_path: Path) -> None:
    (session,) = kept(tmp_path / "one", "Why?")
    text = run(tmp_path / "one", "export", session, "--json", "--output", "-")[1]
    code, out, _ = run(tmp_path / "two", "import", "-", at=Screenless(text))
    assert (code, out) == (0, f"{session}\n")


def test_what_was_exported_comes_back_whole(tmp_path: Path) -> None:
    (session,) = kept(tmp_path / "one", "Why?")
    path = str(tmp_path / "file.json")
    run(tmp_path / "one", "export", session, "--json", "--output", path)
    code, out, said = run(tmp_path / "two", "import", path)
    assert (code, out, said) == (
        0,
        f"{session}\n",
        [f"open it with moa-tui --session {session}"],
    )
    assert exported(tmp_path / "two", session) == exported(tmp_path / "one", session)


def test_a_second_import_is_another_session_and_its_id_is_told(tmp_path: Path) -> None:
    (session,) = kept(tmp_path, "Why?")
    path = written(tmp_path / "file.json", exported(tmp_path, session))
    code, out, _ = run(tmp_path, "import", path, "--json")
    assert code == 0
    assert sorted(ids_in(tmp_path)) == sorted([session, json.loads(out)["id"]])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "it isn't JSON"),
        (b"\xff", "it isn't UTF-8"),
        (b"{}", '"format" must be "moa-tui session"'),
        (b'{"format": "moa-tui session", "version": 9}', "by a newer moa-tui"),
    ],
)
def test_what_is_no_session_is_not_imported(content: bytes, words: str, tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    path.write_bytes(content)
    code, out, said = run(tmp_path / "folder", "import", str(path))
    assert (code, out, len(said)) == (2, "", 1)
    assert words in said[0]
    assert ids_in(tmp_path / "folder") == []


def test_a_file_that_contradicts_itself_is_refused_in_words(tmp_path: Path) -> None:
    (session,) = kept(tmp_path, "Why?")
    document = exported(tmp_path, session)
    document["turns"] *= 2
    code, out, said = run(tmp_path, "import", written(tmp_path / "file.json", document))
    assert (code, out, len(said)) == (2, "", 1)
    assert "file.json" in said[0]
    assert ids_in(tmp_path) == [session]


# Deleting


def test_one_is_deleted_and_named(tmp_path: Path) -> None:
    old, new = kept(tmp_path, "Why do birds sing?", "What is rain?")
    assert run(tmp_path, "delete", old) == (0, f"deleted  {old}  Why do birds sing?\n", [GOING])
    assert ids_in(tmp_path) == [new]
    assert run(tmp_path, "search", "birds")[0] == 1


def test_what_was_deleted_is_told_as_json_too(tmp_path: Path) -> None:
    (session,) = kept(tmp_path, "Why?")
    _, out, _ = run(tmp_path, "delete", session, "--json")
    assert json.loads(out) == {"deleted": [{"id": session, "title": "Why?"}]}


def test_all_are_deleted_without_asking_where_it_is_said(tmp_path: Path) -> None:
    ids = kept(tmp_path, "Why is grass green?", "How?")
    code, out, said = run(tmp_path, "delete", "--all", "--yes")
    assert (code, said) == (0, [GONE])
    assert sorted(line.split()[1] for line in out.splitlines()) == sorted(ids)
    assert ids_in(tmp_path) == []
    assert run(tmp_path, "delete", "--all", "--yes") == (0, "", ["there is nothing to delete"])
    left = b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.is_file())
    assert b"grass" not in left


@pytest.mark.parametrize(
    ("typed", "code", "left"), [("yes\n", 0, 0), ("y\n", 1, 2), ("\n", 1, 2), ("", 1, 2)]
)
def test_on_a_terminal_deleting_all_asks(typed: str, code: int, left: int, tmp_path: Path) -> None:
    kept(tmp_path, "Why?", "How?")
    at = Screenless(typed, is_terminal=True)
    found, _, said = run(tmp_path, "delete", "--all", at=at)
    assert found == code
    assert said[0].startswith('every session will be deleted; type "yes" to go on: ')
    assert len(ids_in(tmp_path)) == left


# Trouble


def made_newer(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "sessions.db")) as db:
        db.execute("PRAGMA user_version = 999")


def test_what_a_newer_program_wrote_is_read_and_never_changed(tmp_path: Path) -> None:
    (session,) = kept(tmp_path, "Why?")
    path = written(tmp_path / "file.json", exported(tmp_path, session))
    made_newer(tmp_path)
    code, out, (trouble,) = run(tmp_path, "show", session)
    assert (code, out[:6]) == (0, "# Why?")
    assert "was written by a newer moa-tui" in trouble
    for line in (["delete", session], ["delete", "--all", "--yes"], ["import", path]):
        assert run(tmp_path, *line) == (1, "", [trouble, UNSAVED])
    assert ids_in(tmp_path) == [session]


class FullDisk(Disk):
    """A disk that is full from some moment on."""

    is_full = False

    @contextmanager
    def alone(self) -> Iterator[None]:
        if self.is_full:
            raise OSError(errno.ENOSPC, "No space left on device")
        with super().alone():
            yield


async def test_what_cannot_be_saved_is_not_called_deleted(tmp_path: Path) -> None:
    at, disk = Screenless(), FullDisk(tmp_path)
    async with stored(disk) as store:
        session = store.begin_session()
        store.begin_turn(session, asked("Why?"))
        await store.settled()
        disk.is_full = True
        wanted = Order(action="delete", text=session)
        code = await sessions(wanted, store, export, rewrite=rewrite, streams=at.streams)
    assert (code, at.out) == (1, "")
    assert "Not saving: No space left on device" in at.err[0]
    assert "that couldn't be saved" in at.err[1]


def test_sessions_that_cannot_be_opened_are_not_called_none(tmp_path: Path) -> None:
    (tmp_path / "sessions.db").mkdir()
    code, out, said = run(tmp_path)
    assert (code, out, len(said)) == (1, "", 1)
    assert "sessions.db can't be" in said[0]


def test_a_damaged_file_is_mended_and_that_is_told(tmp_path: Path) -> None:
    (tmp_path / "sessions.db").write_bytes(b"no database at all" * 500)
    code, out, said = run(tmp_path)
    assert (code, out) == (0, "")
    assert "was damaged" in said[0]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_in_a_folder_that_cannot_be_written_sessions_are_read(tmp_path: Path) -> None:
    (session,) = kept(tmp_path, "Why?")
    modes: Sequence[tuple[Path, int]] = [
        *((path, 0o400) for path in tmp_path.iterdir()),
        (tmp_path, 0o500),
    ]
    for path, mode in modes:
        path.chmod(mode)
    try:
        code, out, said = run(tmp_path, "list")
        deleted = run(tmp_path, "delete", session)
    finally:
        tmp_path.chmod(0o700)
    assert (code, session in out, len(said)) == (0, True, 1)
    assert "can't be written" in said[0]
    assert deleted == (1, "", [*said, UNSAVED])
