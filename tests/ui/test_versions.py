"""Versions of an answer: run again, merged again, asked otherwise, flipped through."""

from __future__ import annotations

import asyncio
from itertools import count
from typing import TYPE_CHECKING

import pytest
from store_fake import FakeStore
from ui_fakes import TRIO, ask, burst, numbered, settle, stage

from moa_tui.engine.provider import Finish, Message, Text
from moa_tui.errors import ProviderError
from moa_tui.ui import words
from moa_tui.ui.answer.answer_view import AnswerView
from moa_tui.ui.composer.composer import Draft
from moa_tui.ui.race.tile import Tile

if TYPE_CHECKING:
    from collections.abc import Iterable

    from textual.pilot import Pilot
    from ui_fakes import Stage

    from moa_tui.engine.provider import ChatRequest
    from moa_tui.providers.scripted import Step

WIDE = (160, 48)


def show_of() -> Stage:
    return stage({**TRIO, "m": numbered("merged")})


async def finish(show: Stage, pilot: Pilot[None], text: str) -> None:
    await ask(pilot, text)
    await show.pass_(pilot, 30.0)


async def press(pilot: Pilot[None], *keys: str) -> None:
    for key in keys:
        await pilot.press(key)
        await settle(pilot)


async def test_running_again_makes_another_version_and_both_can_be_read() -> None:
    show = show_of()
    async with show.app.run_test(size=WIDE) as pilot:
        await finish(show, pilot, "why")
        await press(pilot, "f5")
        await show.pass_(pilot, 30.0)
        assert "merged 2 to why" in show.text
        assert "merged 1" not in show.text
        assert "[ version 2 of 2 ]" in show.text
        assert show.text.count("You") == 1

        await press(pilot, "tab", "left_square_bracket")
        assert "merged 1 to why" in show.text
        assert "[ version 1 of 2 ]" in show.text
        await press(pilot, "right_square_bracket")
        assert "merged 2 to why" in show.text


async def test_the_version_shown_is_the_one_in_the_history() -> None:
    show = show_of()
    async with show.app.run_test(size=WIDE) as pilot:
        await finish(show, pilot, "why")
        await press(pilot, "f5")
        await show.pass_(pilot, 30.0)
        await press(pilot, "tab", "left_square_bracket", "i")
        show.requests.clear()
        await finish(show, pilot, "and")

        assert Message("assistant", "merged 1 to why") in show.requests[0].messages
        assert "[ version" not in show.text


async def test_merging_again_calls_nobody_but_the_aggregator() -> None:
    show = show_of()
    async with show.app.run_test(size=WIDE) as pilot:
        await finish(show, pilot, "why")
        show.requests.clear()
        await press(pilot, "tab", "g")
        await show.pass_(pilot, 30.0)

        assert [request.model for request in show.requests] == ["m"]
        assert "alpha one" in str(show.requests[0].messages[0].content)
        assert "merged 2 to why" in show.text
        assert "1  a               ✓ 1st" in show.text
        assert "2.0s        2 tok" in show.text


async def test_a_question_asked_otherwise_branches_and_the_other_branch_comes_back() -> None:
    show = show_of()
    async with show.app.run_test(size=WIDE) as pilot:
        await finish(show, pilot, "first")
        await finish(show, pilot, "second")
        show.app.screen.query_one(AnswerView).focus()
        await press(pilot, "home", "e")
        draft = show.app.screen.query_one(Draft)
        assert draft.text == "first"
        assert "in the place of turn 1, which is kept" in show.text

        draft.load_text("other")
        await press(pilot, "enter")
        await show.pass_(pilot, 30.0)
        assert "merged 3 to other" in show.text
        assert "second" not in show.text
        assert "[ version 2 of 2 ]" in show.text

        await press(pilot, "tab", "left_square_bracket")
        assert "merged 1 to first" in show.text
        assert "merged 2 to second" in show.text


async def test_esc_leaves_a_question_as_it_was() -> None:
    show = show_of()
    async with show.app.run_test(size=WIDE) as pilot:
        await finish(show, pilot, "first")
        await press(pilot, "tab", "e", "escape")
        assert show.app.screen.query_one(Draft).text == ""
        await finish(show, pilot, "second")
        assert "merged 1 to first" in show.text
        assert "merged 2 to second" in show.text


async def test_a_failed_version_says_why_again_when_it_is_flipped_to() -> None:
    show = show_of()
    async with show.app.run_test(size=WIDE) as pilot:
        await ask(pilot, "why")
        await show.pass_(pilot, 1.0)
        await press(pilot, "escape", "f5")
        await show.pass_(pilot, 30.0)
        await press(pilot, "tab", "left_square_bracket")

        assert "■ Stopped. f5 runs it again." in show.text
        assert "[ version 1 of 2 ]" in show.text


async def test_a_branch_that_is_flipped_away_from_is_edited_no_longer() -> None:
    show = show_of()
    async with show.app.run_test(size=WIDE) as pilot:
        await finish(show, pilot, "first")
        await press(pilot, "f5")
        await show.pass_(pilot, 30.0)
        await press(pilot, "tab", "e", "tab")
        assert "version" not in show.row(-1)


async def test_an_empty_enter_sends_nothing_in_the_place_of_an_edited_question() -> None:
    show = show_of()
    async with show.app.run_test(size=WIDE) as pilot:
        await ask(pilot, "first")
        await ask(pilot, "waits")
        await press(pilot, "escape", "tab", "e", "ctrl+u", "enter")
        assert "nothing to send yet" in show.text
        assert "queued: waits" in show.text


async def test_what_is_written_is_not_lost_to_a_question() -> None:
    show = show_of()
    async with show.app.run_test(size=WIDE) as pilot:
        await finish(show, pilot, "first")
        await pilot.press(*"half")
        await press(pilot, "tab", "e")
        assert show.app.screen.query_one(Draft).text == "half"
        assert "send or clear what is written first" in show.text


async def test_running_again_fetches_a_model_that_is_missing_by_now() -> None:
    show = show_of()
    async with show.app.run_test(size=WIDE) as pilot:
        await finish(show, pilot, "first")
        show.embedded.model = "t/a"
        await press(pilot, "f5")
        assert show.app.screen.query_one(Draft).is_queueing
        show.embedded.steps.put_nowait(None)
        await show.pass_(pilot, 30.0)
        assert "merged 2 to first" in show.text


async def test_the_keyboard_goes_on_when_what_had_the_focus_has_no_room() -> None:
    show = show_of()
    async with show.app.run_test(size=WIDE) as pilot:
        await ask(pilot, "first")
        await show.pass_(pilot, 1.0)
        show.app.screen.query_one(AnswerView).focus()
        await settle(pilot)
        await pilot.resize_terminal(80, 22)
        await settle(pilot)
        assert isinstance(show.app.focused, Tile)


class SlowDisk(FakeStore):
    """A store whose disk takes as long as a test wants."""

    def __init__(self) -> None:
        super().__init__()
        self.is_written = asyncio.Event()
        self.is_written.set()

    async def settled(self) -> bool:
        return await self.is_written.wait()


@pytest.mark.parametrize("key", ["f5", "g"])
async def test_a_proposal_of_the_run_before_cannot_be_taken_while_the_next_one_begins(
    key: str,
) -> None:
    disk = SlowDisk()
    show = stage({**TRIO, "m": numbered("merged")}, store=lambda: disk)
    async with show.app.run_test(size=WIDE) as pilot:
        await finish(show, pilot, "why")
        await press(pilot, "tab", "2")
        disk.is_written.clear()
        await burst(pilot, key, "a")
        await press(pilot, "a")
        told = [note.message for note in show.app._notifications]  # noqa: SLF001 - no other way
        assert told[-1] == words.NOT_BEGUN

        disk.is_written.set()
        await show.pass_(pilot, 30.0)
        assert "merged 2 to why" in show.text
        assert "[ version 2 of 2 ]" in show.text


async def test_a_proposal_that_is_taken_in_a_merge_that_was_begun_anew_ends_it() -> None:
    show = show_of()
    async with show.app.run_test(size=WIDE) as pilot:
        await finish(show, pilot, "why")
        await press(pilot, "tab", "2", "g", "2", "a")
        await show.pass_(pilot, 1.0)
        assert "This is proposal 2 as it was written" in show.text


async def test_a_version_without_an_answer_gives_way_to_one_when_the_next_prompt_is_sent() -> None:
    show = show_of()
    async with show.app.run_test(size=WIDE) as pilot:
        await finish(show, pilot, "why")
        await press(pilot, "f5")
        await show.pass_(pilot, 2.0)
        await press(pilot, "escape")
        assert "sent with version 1; [ shows it." in show.text
        show.requests.clear()
        await ask(pilot, "and")
        assert "merged 1 to why" in show.text
        assert "Stopped." not in show.text
        told = [note.message for note in show.app._notifications]  # noqa: SLF001 - no other way
        assert told == [words.shown_again(1, 1)]

        await show.pass_(pilot, 30.0)
        assert Message("assistant", "merged 1 to why") in show.requests[0].messages
        assert "merged 2 to and" in show.text


async def test_a_failed_version_says_which_answer_counts_and_which_key_shows_it() -> None:
    calls = count()

    def once(_request: ChatRequest) -> Iterable[Step]:
        if next(calls):
            return [ProviderError("invalid", "It broke (400).", "")]
        return [Text("fine"), Finish("stop")]

    show = stage({**TRIO, "m": once})
    async with show.app.run_test(size=WIDE) as pilot:
        await finish(show, pilot, "why")
        await press(pilot, "tab", "g")
        await show.pass_(pilot, 30.0)
        assert "sent with version 1; [ shows it." in show.text
        await press(pilot, "left_square_bracket")
        assert "fine" in show.text
        assert "Later prompts" not in show.text


async def test_a_merge_that_was_stopped_before_it_said_a_word_is_no_version() -> None:
    show = show_of()
    async with show.app.run_test(size=WIDE) as pilot:
        await finish(show, pilot, "why")
        await press(pilot, "tab", "g", "escape")
        assert "merged 1 to why" in show.text
        assert "version" not in show.text
