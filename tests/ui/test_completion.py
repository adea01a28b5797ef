"""What is offered while one types, and what keys and clicks do with it."""

from __future__ import annotations

import pytest
from composer_host import FakeEditor, FakeFiles, Host, command, type_
from textual import events
from ui_fakes import says, settle, stage

from moa_tui.ui.composer.completion import Asked, Completer, asked_in, command_items, file_items
from moa_tui.ui.composer.composer import Prompt

COMMANDS = (
    command("stop", "Stop the run", "esc"),
    command("stop_seat", "Stop the focused seat"),
    command("merge_now", "Merge what is ready", "f3", works=False),
    command("presets", "Choose a preset", "^t"),
)
FILES = {
    "": ("a b.txt", "main.py", "Makefile", "my notes/", "notes.md", "src/", ".git/", ".env"),
    "src/": ("main.py", "make.py", "other.py"),
    "my notes/": ("one.txt",),
    "~/": ("todo.txt",),
}


def at_end(text: str) -> Asked | None:
    """Return what is asked with the cursor behind a text."""
    lines = text.split("\n")
    return asked_in(lines, len(lines) - 1, len(lines[-1]))


@pytest.mark.parametrize(
    ("text", "kind", "query"),
    [
        ("/", "command", ""),
        ("/mer", "command", "mer"),
        ("/retry-s", "command", "retry-s"),
        ("@", "file", ""),
        ("see @src/ma", "file", "src/ma"),
        ("see (@src/ma", "file", "src/ma"),
        ("看@no", "file", "no"),
        ('see @"my no', "file", "my no"),
        ("a\nb @x", "file", "x"),
        ("/say @x", "file", "x"),
    ],
)
def test_the_word_before_the_cursor_is_completed(text: str, kind: str, query: str) -> None:
    asked = at_end(text)

    assert asked is not None
    assert (asked.kind, asked.query) == (kind, query)


@pytest.mark.parametrize(
    "text",
    [
        *("", "mer", " /mer", "/mer ", "/mer x", "//", "//mer", "/etc/ho", "/3"),
        *("a\n/mer", "/mer\na", "me@x", "a @x ", 'a @"x" ', "http://x/@y"),
    ],
)
def test_nothing_else_is(text: str) -> None:
    assert at_end(text) is None


def names(text: str) -> list[str]:
    """Return the commands that are offered behind a text."""
    asked = at_end(text)
    assert asked is not None
    return [item.name for item in command_items(asked, COMMANDS)]


def test_commands_that_begin_so_come_before_those_with_these_letters() -> None:
    assert names("/s") == ["stop", "stop-seat", "presets"]
    assert names("/se") == ["stop-seat", "presets"]
    assert names("/stop-seat") == ["stop-seat"]
    assert names("/STOP_S") == ["stop-seat"]
    assert names("/x") == []


def test_commands_that_do_nothing_now_come_last() -> None:
    assert names("/") == ["stop", "stop-seat", "presets", "merge-now"]


def paths(query: str) -> list[str]:
    """Return the files that are offered for what stands behind an @."""
    asked = at_end(f"@{query}")
    assert asked is not None
    return [item.name for item in file_items(asked, FILES[asked.folder])]


def test_files_that_begin_so_come_first_whatever_their_case() -> None:
    assert paths("m") == ["main.py", "Makefile", "my notes/", "notes.md"]
    assert paths("ma") == ["main.py", "Makefile"]
    assert paths("py") == ["main.py"]
    assert paths("src/m") == ["src/main.py", "src/make.py"]


def test_hidden_files_are_offered_only_when_a_dot_is_typed() -> None:
    assert not any(path.startswith(".") for path in paths(""))
    assert paths(".") == [".git/", ".env"]


def test_what_stands_there_already_is_no_offer() -> None:
    assert paths("notes.md") == []
    assert paths("src/") == ["src/main.py", "src/make.py", "src/other.py"]


def test_ten_thousand_files_give_a_bounded_offer() -> None:
    asked = at_end("@f")
    assert asked is not None

    assert len(file_items(asked, [f"f{number}" for number in range(10_000)])) == 200


def test_names_that_come_too_late_are_dropped() -> None:
    completer = Completer(has_files=True)
    first, second = completer.look(at_end("@src/")), completer.look(at_end("@"))
    completer.listed("src/", FILES["src/"])

    assert (first, second, completer.items) == ("src/", "", ())


def test_a_folder_is_listed_once_while_one_types_and_anew_later() -> None:
    completer = Completer(has_files=True)
    texts = ("@", "@m", "@ma", "@src/", "@src/m", "done ", "@")
    wanted = [completer.look(at_end(text)) for text in texts]

    assert wanted == ["", None, None, "src/", None, None, ""]


# In the composer.


def host() -> Host:
    return Host(commands=COMMANDS, files=FakeFiles(FILES, {"main.py": "pass\n"}))


async def test_a_slash_opens_a_card_above_the_composer() -> None:
    app = host()
    async with app.run_test(size=(80, 24)) as pilot:
        above = app.composer.region.y
        await type_(pilot, "/")
        offered = app.offered

        assert [row.split("  ")[0] for row in offered] == [
            "› /stop",
            "/stop-seat",
            "/presets",
            "/merge-now",
        ]
        assert [row.rsplit("  ", 1)[1] for row in offered[2:]] == ["^t", "not now"]
        assert "Stop the run" in offered[0]
        assert app.card.region.bottom == app.composer.region.y == above
        assert app.card.region.x == app.composer.region.x


async def test_tab_completes_a_command_and_leaves_room_for_its_argument() -> None:
    app = host()
    async with app.run_test() as pilot:
        await type_(pilot, "/stop-")
        await pilot.press("tab")
        completed = app.draft.text
        await type_(pilot, "2")
        await pilot.press("enter")

        assert (completed, app.told, app.draft.text) == (
            "/stop-seat ",
            [("stop-seat", "2")],
            "",
        )
        assert app.sent == []


@pytest.mark.parametrize(
    ("keys", "name"),
    [
        (("s", "t", "o", "p"), "stop"),
        (("p",), "presets"),
        (("down",), "stop-seat"),
        (("up",), "merge-now"),
        (("down", "down", "up"), "stop-seat"),
    ],
)
async def test_enter_does_the_command_that_is_selected(keys: tuple[str, ...], name: str) -> None:
    app = host()
    async with app.run_test() as pilot:
        await pilot.press("slash", *keys, "enter")
        await pilot.pause()

        assert (app.told, app.draft.text, app.offered) == ([(name, "")], "", [])


async def test_enter_that_waits_behind_a_command_does_it() -> None:
    app = host()
    async with app.run_test() as pilot:
        for key in (*"/presets", "enter", "x"):
            app.post_message(events.Key(key, key if len(key) == 1 else None))
        await pilot.pause()

        assert (app.told, app.draft.text) == ([("presets", "")], "x")


async def test_escape_closes_it_for_this_word() -> None:
    app = host()
    async with app.run_test() as pilot:
        await type_(pilot, "/st")
        await pilot.press("escape")
        closed = app.offered
        await type_(pilot, "o")
        still = app.offered
        await pilot.press(*["backspace"] * 4)
        await type_(pilot, "/st")

        assert (closed, still, len(app.offered)) == ([], [], 3)


async def test_it_closes_when_the_cursor_or_the_focus_goes_elsewhere() -> None:
    app = host()
    async with app.run_test() as pilot:
        seen = []
        for leave in ("home", "shift+left"):
            await type_(pilot, "/st")
            await pilot.press(leave)
            await pilot.pause()
            seen.append(app.offered)
            app.draft.empty()
        await type_(pilot, "/st")
        app.screen.set_focus(None)
        await pilot.pause()

        assert [*seen, app.offered] == [[], [], []]


async def test_up_and_down_walk_through_history_over_what_could_be_completed() -> None:
    app = host()
    async with app.run_test() as pilot:
        for text in ("see @n", "/stop"):
            await type_(pilot, text)
            await pilot.press("escape", "enter")
        seen = []
        for key in ("up", "up", "down"):
            await pilot.press(key)
            seen.append(app.draft.text)

        assert (seen, app.offered) == (["/stop", "see @n", "/stop"], [])


async def test_pasted_text_offers_nothing() -> None:
    app = host()
    async with app.run_test() as pilot:
        app.draft.post_message(events.Paste("/st"))
        await pilot.pause()

        assert app.offered == []


async def test_folders_are_completed_on_and_on() -> None:
    app = host()
    async with app.run_test() as pilot:
        await type_(pilot, "see @s")
        first = app.offered
        await pilot.press("tab")
        await pilot.pause()
        second, text = app.offered, app.draft.text
        await type_(pilot, "ma")
        await pilot.press("down", "enter")
        await type_(pilot, "now")

        assert first == ["› src/", "my notes/", "notes.md"]
        assert (text, second) == ("see @src/", ["› main.py", "make.py", "other.py"])
        assert app.draft.text == "see @src/make.py now"
        assert app.sent == []


async def test_names_with_blanks_are_quoted() -> None:
    app = host()
    async with app.run_test() as pilot:
        await type_(pilot, "@a")
        await pilot.press("tab")
        first = app.draft.text
        await type_(pilot, "@my")
        await pilot.press("tab")
        await pilot.pause()
        await pilot.press("tab")

        assert (first, app.draft.text) == ('@"a b.txt" ', '@"a b.txt" @"my notes/one.txt" ')


async def test_the_rest_of_a_word_gives_way_to_what_it_becomes() -> None:
    app = host()
    async with app.run_test() as pilot:
        await type_(pilot, "@notes.md x")
        await pilot.press(*["left"] * 6)
        await type_(pilot, "e")
        await pilot.press("backspace", "tab")

        assert app.draft.text == "@notes.md x"


async def test_tab_while_a_folder_is_listed_completes_as_soon_as_it_is() -> None:
    app = host()
    files = app.given[1]
    assert files is not None
    files.is_held = True
    async with app.run_test() as pilot:
        await type_(pilot, "@src/mak")
        await pilot.press("tab")
        before, focused = app.draft.text, app.focused
        files.is_held = False
        files.released.set()
        await pilot.pause()

        assert (before, app.draft.text) == ("@src/mak", "@src/make.py ")
        assert focused is app.draft


async def test_a_long_offer_scrolls_and_tells_what_is_below() -> None:
    app = Host(files=FakeFiles({"": [f"f{number:02}" for number in range(20)]}))
    async with app.run_test(size=(60, 20)) as pilot:
        await type_(pilot, "@")
        first = app.offered
        await pilot.press("up")
        last = app.offered

        assert (len(first), first[0], first[-1].split()) == (
            8,
            "› f00",
            ["f07", "↓", "12", "more"],
        )
        assert (len(last), last[0], last[-1]) == (8, "f12", "› f19")


async def test_a_click_takes_a_row() -> None:
    app = host()
    async with app.run_test() as pilot:
        await type_(pilot, "@")
        await pilot.click(app.card, offset=(4, 4))
        await pilot.pause()
        text = app.draft.text
        app.draft.empty()
        await type_(pilot, "/")
        await pilot.click(app.card, offset=(4, 2))
        await pilot.pause()

        assert (text, app.told) == ("@notes.md ", [("presets", "")])


async def test_nothing_is_offered_without_commands_and_files() -> None:
    app = Host()
    async with app.run_test() as pilot:
        await type_(pilot, "/stop")
        await pilot.press("enter")
        await type_(pilot, "@n")

        assert (app.sent, app.offered) == ([Prompt("/stop", "/stop")], [])


# On the screen.


async def test_escape_closes_the_card_before_it_stops_the_run() -> None:
    show = stage({name: says(*"abcdefgh") for name in "abcm"}, files=FakeFiles(FILES))
    async with show.app.run_test(size=(100, 30)) as pilot:
        await type_(pilot, "why")
        await pilot.press("enter")
        await show.pass_(pilot, 2.0)
        await type_(pilot, "/he")
        offered = "› /help" in show.text
        await pilot.press("escape")
        await settle(pilot)
        closed, streams = "› /help" not in show.text, "● streaming" in show.text
        await pilot.press("escape")
        await show.pass_(pilot, 1.0)

        assert (offered, closed, streams) == (True, True, True)
        assert "● streaming" not in show.text


async def test_what_is_completed_edited_and_sent_reaches_the_models() -> None:
    files = FakeFiles(FILES, {"notes.md": "buy milk\n"})
    editor = FakeEditor("sum up @notes.md, please")
    show = stage({name: says("a") for name in "abcm"}, files=files, editor=editor)
    async with show.app.run_test(size=(100, 30)) as pilot:
        await type_(pilot, "@no")
        await pilot.press("tab")
        await settle(pilot)
        await pilot.press("f4")
        await settle(pilot)
        await pilot.press("enter")
        await settle(pilot)
        await show.pass_(pilot, 1.0)

        assert editor.got == ["@notes.md "]
        assert show.requests[0].messages[-1].content == (
            "sum up @notes.md, please\n\nnotes.md:\n```\nbuy milk\n```"
        )
        assert "sum up @notes.md, please" in show.text
