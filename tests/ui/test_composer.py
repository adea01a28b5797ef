"""The composer takes whatever is typed or pasted and hands it over whole."""

from __future__ import annotations

import pytest
from composer_host import FakeEditor, FakeFiles, Host, command, type_
from textual import events
from textual.widgets import Input
from ui_fakes import settle

from moa_tui.errors import ConfigError
from moa_tui.ui.composer.composer import Composer, Prompt, Queue
from moa_tui.ui.told import Notice


async def test_enter_sends_and_ctrl_j_breaks_the_line() -> None:
    app = Host()
    async with app.run_test() as pilot:
        await pilot.press("h", "i", "ctrl+j", "y", "o", "u", "enter")

        assert app.sent == [Prompt("hi\nyou", "hi\nyou")]
        assert app.draft.text == ""


async def test_an_empty_prompt_is_handed_over_empty() -> None:
    app = Host()
    async with app.run_test() as pilot:
        await pilot.press("space", "enter")

        assert app.sent == [Prompt("", "")]


def type_at_once(app: Host, *keys: str) -> None:
    """Give the program keys that wait already when it handles the first one."""
    for key in keys:
        app.post_message(events.Key(key, key if len(key) == 1 else None))


async def test_what_is_typed_right_behind_enter_belongs_to_the_next_prompt() -> None:
    app = Host()
    async with app.run_test() as pilot:
        type_at_once(app, *"beta", "enter", *"gamma", "enter", *"delta", "enter", *"ep")
        await pilot.pause()

        assert [prompt.text for prompt in app.sent] == ["beta", "gamma", "delta"]
        assert app.draft.text == "ep"


async def test_keys_that_wait_together_work_in_their_order() -> None:
    app = Host()
    async with app.run_test() as pilot:
        type_at_once(app, "a", "b", "backspace", "c", "ctrl+j", "d", "home", "e")
        await pilot.pause()

        assert app.draft.text == "ac\ned"


async def test_the_composer_tells_when_its_text_takes_more_rows() -> None:
    app = Host()
    async with app.run_test() as pilot:
        await pilot.press("a", "ctrl+j", "ctrl+j", "enter")
        await pilot.pause()

        assert app.grown == [2, 3, 1]


async def test_pasted_text_is_cleaned() -> None:
    app = Host()
    async with app.run_test() as pilot:
        app.draft.post_message(events.Paste("a\x1b[31mred\r\nb\u202e"))
        await pilot.pause()

        assert app.draft.text == "a\u241b[31mred\nb\ufffd"


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
async def test_pasted_lines_stay_lines_whatever_ends_them(end: str) -> None:
    app = Host()
    async with app.run_test() as pilot:
        app.draft.post_message(events.Paste(end.join(["def f():", "", "    pass"])))
        await pilot.pause()

        assert app.draft.text == "def f():\n\n    pass"


async def test_a_paste_over_32_kb_becomes_a_chip_and_is_sent_in_full() -> None:
    app = Host()
    pasted = "x" * 1_000_000
    async with app.run_test() as pilot:
        await pilot.press("s", "e", "e", "space")
        app.draft.post_message(events.Paste(pasted))
        await pilot.pause()
        shown = app.draft.text
        await pilot.press("enter")

        assert shown == "see [pasted 1.0 MB]"
        assert app.sent == [Prompt(f"see {pasted}", shown)]


async def test_two_long_pastes_have_a_chip_each() -> None:
    app = Host()
    async with app.run_test() as pilot:
        for letter in "ab":
            app.draft.post_message(events.Paste(letter * 40_000))
            await pilot.pause()
        shown = app.draft.text
        await pilot.press("enter")

        assert shown == "[pasted 40 kB][pasted 40 kB, 2]"
        assert app.sent == [Prompt("a" * 40_000 + "b" * 40_000, shown)]


async def test_up_and_down_walk_through_what_was_sent() -> None:
    app = Host()
    async with app.run_test() as pilot:
        for key in "ab":
            await pilot.press(key, "enter")
        seen = []
        for key in ("up", "up", "up", "down", "down"):
            await pilot.press(key)
            seen.append(app.draft.text)

        assert seen == ["b", "a", "a", "b", ""]


async def test_up_leaves_a_text_of_ones_own_alone() -> None:
    app = Host()
    async with app.run_test() as pilot:
        await pilot.press("a", "enter", "x", "up")

        assert app.draft.text == "x"


async def test_a_long_paste_comes_back_in_full_from_history() -> None:
    app = Host()
    pasted = "x" * 40_000
    async with app.run_test() as pilot:
        app.draft.post_message(events.Paste(pasted))
        await pilot.pause()
        await pilot.press("enter", "up", "enter")

        assert [prompt.text for prompt in app.sent] == [pasted, pasted]


@pytest.mark.parametrize(("typed", "is_running"), [("", False), ("x", True)])
async def test_ctrl_d_quits_only_with_nothing_written(typed: str, *, is_running: bool) -> None:
    app = Host()
    async with app.run_test() as pilot:
        if typed:
            await pilot.press(typed)
        await pilot.press("ctrl+d")

        assert app.is_running is is_running


async def test_a_prompt_put_back_is_sent_in_full() -> None:
    app = Host()
    async with app.run_test() as pilot:
        app.draft.put(Prompt("long " * 9, "[pasted 45 kB]"))
        await pilot.press("enter")

        assert app.sent == [Prompt(("long " * 9).strip(), "[pasted 45 kB]")]


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        (("n", "o"), "no"),
        (("backspace",), ""),
        (("ctrl+u",), ""),
        (("right", "!"), "why\nnot!"),
        (("left", "!"), "!why\nnot"),
        (("end", "!"), "why\nnot!"),
    ],
)
async def test_what_is_typed_replaces_a_prompt_that_came_back_and_arrows_edit_it(
    keys: tuple[str, ...], text: str
) -> None:
    app = Host()
    async with app.run_test() as pilot:
        app.draft.offer_again(Prompt("why\nnot", "why\nnot"))
        await pilot.press(*keys)

        assert app.draft.text == text


async def test_a_prompt_that_came_back_is_sent_again_by_enter() -> None:
    app = Host()
    async with app.run_test() as pilot:
        app.draft.offer_again(Prompt("long " * 9, "[pasted 45 kB]"))
        await pilot.press("enter")

        assert app.sent == [Prompt(("long " * 9).strip(), "[pasted 45 kB]")]


async def test_a_prompt_that_came_back_is_marked_only_once_somebody_marks_it() -> None:
    app = Host()
    async with app.run_test() as pilot:
        app.draft.offer_again(Prompt("why", "why"))
        before = app.draft.marked_text
        await pilot.press("end", "shift+left")

        assert (before, app.draft.marked_text) == ("", "y")


LONG = "word " * 48


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        (("ctrl+u",), f"first\n{LONG[100:]}"),
        (("ctrl+u", "ctrl+u"), f"first{LONG[100:]}"),
        (("ctrl+k",), f"first\n{LONG[:100]}"),
        (("ctrl+k", "ctrl+k"), f"first\n{LONG[:100]}last"),
        (("shift+left", "ctrl+u"), f"first\n{LONG[:99]}{LONG[100:]}"),
    ],
)
async def test_keys_that_delete_to_a_lines_edge_mind_no_row(
    keys: tuple[str, ...], text: str
) -> None:
    app = Host()
    async with app.run_test(size=(80, 24)) as pilot:
        written = f"first\n{LONG}\nlast"
        app.draft.put(Prompt(written, written))
        app.draft.move_cursor((1, 100))
        await pilot.press(*keys)

        assert app.draft.rows > 1
        assert app.draft.text == text + ("" if text.endswith("last") else "\nlast")


@pytest.mark.parametrize("key", ["x", "enter", "left", "backspace", "f5"])
async def test_a_refusal_goes_with_the_next_key(key: str) -> None:
    app = Host()
    async with app.run_test(size=(80, 24)) as pilot:
        app.query_one(Composer).refuse("write a question first")
        await pilot.pause()
        shown = app.head
        await pilot.press(key)
        await pilot.pause()

        assert ("write a question" in shown, "write a question" in app.head) == (True, False)


async def test_a_refusal_goes_when_a_run_begins_or_ends() -> None:
    app = Host()
    async with app.run_test(size=(80, 24)) as pilot:
        composer, told = app.query_one(Composer), []
        for is_busy in (False, True, True, False):
            composer.refuse("write a question first")
            composer.tell(Notice(), is_busy=is_busy)
            await pilot.pause()
            told.append("write a question" in app.head)

        assert told == [True, False, True, False]


async def test_only_the_refusal_whose_time_is_over_is_withdrawn() -> None:
    app = Host()
    async with app.run_test(size=(80, 24)) as pilot:
        composer, told = app.query_one(Composer), []
        for said in ("press again", "write a question"):
            composer.refuse(said)
            composer.withdraw("press again")
            await pilot.pause()
            told.append(said in app.head)

        assert told == [False, True]


async def test_the_queue_shows_three_and_counts_the_rest() -> None:
    app = Host()
    async with app.run_test() as pilot:
        queue = app.query_one(Queue)
        queue.show([Prompt(str(n), f"prompt {n}") for n in range(6)], held="held, since …")
        await pilot.pause()
        rows = [queue.render_line(y).text.strip() for y in range(queue.size.height)]

        assert rows == [
            "queued: prompt 0",
            "queued: prompt 1",
            "queued: prompt 2",
            "and 3 more",
            "held, since …",
        ]
        assert queue.count == 5


async def test_a_click_on_a_queued_prompt_asks_for_that_one() -> None:
    app = Host()
    async with app.run_test() as pilot:
        queue = app.query_one(Queue)
        queue.show([Prompt(str(n), f"prompt {n}") for n in range(6)], held="held, since …")
        await pilot.pause()
        for row in (1, 3, 4):
            await pilot.click(queue, offset=(2, row))
        app.draft.has_queue = True
        await pilot.press("up")

        assert app.recalled == [1, None, None]


# Commands.


async def test_a_command_is_handed_over_with_its_argument() -> None:
    app = Host(commands=[command("retry_seat")])
    async with app.run_test() as pilot:
        await type_(pilot, "/Retry_seat  2 now ")
        await pilot.press("enter")
        await pilot.press("up")

        assert (app.told, app.sent) == ([("retry-seat", "2 now")], [])
        assert app.draft.text == "/Retry_seat  2 now"


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("/merg", "no command /merg; /merge-now is meant?"),
        ("/mrege-now x", "no command /mrege-now; /merge-now is meant?"),
        ("/xyz", "no command /xyz; //xyz sends it as text"),
    ],
)
async def test_an_unknown_command_is_refused_with_the_nearest(typed: str, said: str) -> None:
    app = Host(commands=[command("merge_now"), command("stop")])
    async with app.run_test(size=(80, 24)) as pilot:
        await type_(pilot, typed)
        await pilot.press("escape", "enter")
        await pilot.pause()

        assert said in app.head
        assert (app.draft.text, app.told, app.sent) == (typed, [], [])


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("//stop", "/stop"),
        ("// a comment", "/ a comment"),
        ("/etc/hosts is empty", "/etc/hosts is empty"),
        ("/ 2", "/ 2"),
        ("/2", "/2"),
        ("/stop\nx", "/stop\nx"),
        ("a /stop", "a /stop"),
    ],
)
async def test_what_only_looks_like_a_command_is_a_prompt(typed: str, sent: str) -> None:
    app = Host(commands=[command("stop")])
    async with app.run_test() as pilot:
        app.draft.load_text(typed)
        await pilot.press("enter")

        assert (app.sent, app.told) == ([Prompt(sent, sent)], [])


@pytest.mark.parametrize("text", ["/stop", "//x", "/x/y"])
async def test_a_prompt_put_back_is_sent_as_it_was(text: str) -> None:
    app = Host(commands=[command("stop")])
    async with app.run_test() as pilot:
        app.draft.put(Prompt(text, text))
        await pilot.press("enter")

        assert app.sent == [Prompt(text, text)]


# Files.

NOTES = "notes.md:\n```\nbuy milk\n```"


def notes() -> FakeFiles:
    return FakeFiles(
        texts={
            "notes.md": "buy milk\n",
            "a b.txt": "no end",
            "fence.md": "````py\n````\n",
            "Makefile": "all:\n",
            "big.txt": ConfigError("big.txt is larger than 1 MB"),
        }
    )


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ("sum up @notes.md", f"sum up @notes.md\n\n{NOTES}"),
        ("(@notes.md), then", f"(@notes.md), then\n\n{NOTES}"),
        ("@notes.md and @notes.md", f"@notes.md and @notes.md\n\n{NOTES}"),
        ("总结@notes.md的内容", f"总结@notes.md的内容\n\n{NOTES}"),
        ('@"a b.txt"', '@"a b.txt"\n\na b.txt:\n```\nno end\n```'),
        ("@fence.md", "@fence.md\n\nfence.md:\n`````\n````py\n````\n`````"),
        (
            "@Makefile @notes.md",
            f"@Makefile @notes.md\n\nMakefile:\n```\nall:\n```\n\n{NOTES}",
        ),
    ],
)
async def test_files_are_sent_below_the_prompt_and_shown_by_name(typed: str, text: str) -> None:
    app = Host(files=notes())
    async with app.run_test() as pilot:
        app.draft.load_text(typed)
        await pilot.press("enter")
        await pilot.pause()

        assert app.sent == [Prompt(text, typed, typed)]


@pytest.mark.parametrize("typed", ["thank @someone", "me@notes.md", "@ notes", "@@x", "@...", "a@"])
async def test_what_names_no_file_is_only_text(typed: str) -> None:
    app = Host(files=notes())
    async with app.run_test() as pilot:
        app.draft.load_text(typed)
        await pilot.press("enter")
        await pilot.pause()

        assert app.sent == [Prompt(typed, typed)]


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("see @lost.md.", "no file lost.md; enter again sends it as text"),
        ("see @src/x", "no file src/x; enter again sends it as text"),
        ("see @big.txt", "big.txt is larger than 1 MB"),
    ],
)
async def test_a_file_that_cannot_be_attached_keeps_the_prompt(typed: str, said: str) -> None:
    app = Host(files=notes())
    async with app.run_test(size=(80, 24)) as pilot:
        app.draft.load_text(typed)
        await pilot.press("enter")
        await settle(pilot)

        assert said in app.head
        assert (app.draft.text, app.sent) == (typed, [])


async def test_a_second_enter_sends_a_name_that_is_no_file_as_text() -> None:
    app = Host(files=notes())
    async with app.run_test() as pilot:
        app.draft.load_text("@app.route @big.txt")
        await pilot.press("enter")
        await settle(pilot)
        await pilot.press("enter")
        await settle(pilot)
        refused = list(app.sent)
        app.draft.load_text("@app.route")
        for _ in range(2):
            await pilot.press("enter")
            await settle(pilot)

        assert (refused, app.sent) == ([], [Prompt("@app.route", "@app.route")])


async def test_a_file_that_was_completed_must_be_there() -> None:
    app = Host(files=FakeFiles({"": ["Lost"]}))
    async with app.run_test(size=(80, 24)) as pilot:
        await type_(pilot, "@Lo")
        await pilot.press("tab", "enter")
        await settle(pilot)

        assert "no file Lost" in app.head
        assert app.sent == []


async def test_names_in_pasted_code_need_be_no_files() -> None:
    app = Host(files=notes())
    async with app.run_test() as pilot:
        app.draft.post_message(events.Paste("@app.route\ndef f(): ..."))
        await pilot.pause()
        await pilot.press("enter")
        await settle(pilot)

        assert [prompt.text for prompt in app.sent] == ["@app.route\ndef f(): ..."]


async def test_prompts_keep_their_order_however_long_a_file_takes() -> None:
    files = notes()
    files.is_held = True
    app = Host(files=files)
    async with app.run_test(size=(80, 24)) as pilot:
        type_at_once(app, *"@notes.md", "enter", *"two", "enter", "x")
        await settle(pilot)
        before, head_before = list(app.sent), app.head
        files.released.set()
        await settle(pilot)

        assert (before, [prompt.shown for prompt in app.sent]) == ([], ["@notes.md", "two"])
        assert ("○ reading notes.md" in head_before, "reading" in app.head) == (True, False)
        assert app.draft.text == "x"


async def test_what_could_not_be_sent_comes_back_in_front_of_what_is_written_by_now() -> None:
    files = notes()
    files.is_held = True
    app = Host(files=files)
    async with app.run_test() as pilot:
        type_at_once(app, *"@lost.md", "enter", *"two", "enter", *"three")
        await settle(pilot)
        files.released.set()
        await settle(pilot)

        assert [prompt.shown for prompt in app.sent] == ["two"]
        assert app.draft.text == "@lost.md\nthree"


async def test_a_prompt_with_a_file_reads_it_anew_when_it_is_put_back_and_sent() -> None:
    files = notes()
    app = Host(files=files)
    async with app.run_test() as pilot:
        app.draft.load_text("@notes.md")
        await pilot.press("enter")
        await settle(pilot)
        files.texts["notes.md"] = "buy bread"
        app.draft.put(app.sent[0])
        await pilot.press("enter")
        await settle(pilot)

        assert [prompt.text.count("notes.md:") for prompt in app.sent] == [1, 1]
        assert "bread" in app.sent[1].text


async def test_a_prompt_of_which_only_text_and_name_are_known_is_sent_as_it_was() -> None:
    app = Host(files=notes())
    known = Prompt(f"@notes.md\n\n{NOTES}", "@notes.md")
    async with app.run_test() as pilot:
        app.draft.put(known)
        await pilot.press("enter")
        await settle(pilot)

        assert app.sent == [known]


async def test_a_chip_and_a_file_go_together() -> None:
    app = Host(files=notes())
    pasted = "@notes.md " * 5_000
    async with app.run_test() as pilot:
        await type_(pilot, "x ")
        app.draft.post_message(events.Paste(pasted))
        await pilot.pause()
        await pilot.press("enter")
        await settle(pilot)
        app.draft.post_message(events.Paste(pasted))
        await pilot.pause()
        await type_(pilot, " @notes.md")
        await pilot.press("enter")
        await settle(pilot)

        assert [prompt.text.count("buy milk") for prompt in app.sent] == [0, 1]
        assert [prompt.shown for prompt in app.sent] == [
            "x [pasted 50 kB]",
            "[pasted 50 kB, 2] @notes.md",
        ]


# The editor.


async def test_f4_writes_the_whole_text_in_the_editor() -> None:
    editor = FakeEditor("better")
    app = Host(editor=editor)
    pasted = "y" * 40_000
    async with app.run_test() as pilot:
        await type_(pilot, "x ")
        app.draft.post_message(events.Paste(pasted))
        await pilot.pause()
        await pilot.press("f4")
        await settle(pilot)
        written = app.draft.text
        await pilot.press("ctrl+z")

        assert (editor.got, written) == ([f"x {pasted}"], "better")
        assert app.draft.text == "x [pasted 40 kB]"


async def test_a_long_paste_stays_a_chip_through_the_editor() -> None:
    pasted = "y" * 40_000
    app = Host(editor=FakeEditor(f"see {pasted}, please"))
    async with app.run_test() as pilot:
        app.draft.post_message(events.Paste(pasted))
        await pilot.pause()
        await pilot.press("f4")
        await settle(pilot)

        assert app.draft.text == "see [pasted 40 kB], please"


async def test_a_long_text_from_the_editor_becomes_a_chip() -> None:
    app = Host(editor=FakeEditor("z" * 40_000))
    async with app.run_test() as pilot:
        await pilot.press("f4")
        await settle(pilot)
        await pilot.press("enter")

        assert app.sent == [Prompt("z" * 40_000, "[pasted 40 kB]")]


async def test_an_editor_that_fails_says_so_and_changes_nothing() -> None:
    app = Host(editor=FakeEditor(failure="vi ended with 1; the prompt is as it was"))
    async with app.run_test(size=(80, 24)) as pilot:
        await type_(pilot, "why")
        await pilot.press("f4")
        await settle(pilot)

        assert "vi ended with 1" in app.head
        assert app.draft.text == "why"


# What an empty draft says.


async def test_an_empty_draft_says_what_one_can_write_or_how_to_come_back() -> None:
    app = Host(commands=[command("stop")], files=notes())
    async with app.run_test(size=(80, 24)) as pilot:

        def says() -> str:
            row = app.draft.region.y
            return app.screen._compositor.render_strips()[row].text.strip("▌█› ")  # noqa: SLF001 - what is really painted

        await pilot.pause()
        seen = [says()]
        app.query_one(Input).focus()
        await pilot.pause()
        seen.append(says())
        app.draft.focus()
        app.draft.has_queue = True
        await pilot.pause()
        seen.append(says())
        await pilot.press("x")
        await pilot.pause()

        assert [*seen, says()] == [
            "/ commands   @ files",
            "Type here, i to come back to it",
            "up edits the last one queued   / commands   @ files",
            "x",
        ]


async def test_keys_of_the_composer_can_be_others() -> None:
    app = Host()
    async with app.run_test() as pilot:
        app.set_keymap({"new_line": "f6", "send": "f7"})
        await pilot.press("a", "f6", "b", "f7")

        assert app.sent == [Prompt("a\nb", "a\nb")]


async def test_an_edited_prompt_reads_its_files_anew() -> None:
    app = Host(files=notes())
    async with app.run_test() as pilot:
        app.draft.put(Prompt("@notes.md\n\nnotes.md:\n```\nold\n```", "@notes.md"))
        await type_(pilot, " now")
        await pilot.press("escape", "enter")
        await settle(pilot)

        assert [prompt.text for prompt in app.sent] == [f"@notes.md now\n\n{NOTES}"]
