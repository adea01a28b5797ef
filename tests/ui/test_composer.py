"""The composer takes whatever is typed or pasted and hands it over whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from textual import events, on
from textual.app import App
from ui_fakes import SHIPPED_THEMES

from moa_tui.ui import themes
from moa_tui.ui.composer import Composer, Draft, Prompt, Queue
from moa_tui.ui.told import Notice

if TYPE_CHECKING:
    from textual.app import ComposeResult


class Host(App[None]):
    """Shows a composer and keeps what it sends."""

    AUTO_FOCUS = "Draft"

    def __init__(self) -> None:
        self.shelf = themes.load([SHIPPED_THEMES])
        super().__init__()
        self.sent: list[Prompt] = []
        self.grown: list[int] = []

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return themes.derived(self.current_theme, self.shelf.themes)

    def compose(self) -> ComposeResult:
        yield Queue()
        yield Composer()

    @property
    def draft(self) -> Draft:
        return self.query_one(Draft)

    @on(Composer.Submitted)
    def keep(self, event: Composer.Submitted) -> None:
        self.sent.append(event.prompt)

    @on(Composer.Grown)
    def measure(self) -> None:
        self.grown.append(self.query_one(Composer).rows)


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


def head(app: Host) -> str:
    """Return the composer's head as it is painted."""
    row = app.query_one(Composer).region.y
    return app.screen._compositor.render_strips()[row].text  # noqa: SLF001 - what is really painted


@pytest.mark.parametrize("key", ["x", "enter", "left", "backspace", "f5"])
async def test_a_refusal_goes_with_the_next_key(key: str) -> None:
    app = Host()
    async with app.run_test(size=(80, 24)) as pilot:
        app.query_one(Composer).refuse("write a question first")
        await pilot.pause()
        shown = head(app)
        await pilot.press(key)
        await pilot.pause()

        assert ("write a question" in shown, "write a question" in head(app)) == (True, False)


async def test_a_refusal_goes_when_a_run_begins_or_ends() -> None:
    app = Host()
    async with app.run_test(size=(80, 24)) as pilot:
        composer, told = app.query_one(Composer), []
        for is_busy in (False, True, True, False):
            composer.refuse("write a question first")
            composer.tell(Notice(), is_busy=is_busy)
            await pilot.pause()
            told.append("write a question" in head(app))

        assert told == [True, False, True, False]


async def test_only_the_refusal_whose_time_is_over_is_withdrawn() -> None:
    app = Host()
    async with app.run_test(size=(80, 24)) as pilot:
        composer, told = app.query_one(Composer), []
        for said in ("press again", "write a question"):
            composer.refuse(said)
            composer.withdraw("press again")
            await pilot.pause()
            told.append(said in head(app))

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
