"""Turns that one comes back to: gone to, rewritten, unfolded, copied, pressed on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from answer_app import CardApp, done, paragraphs, seat, shown
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.segment import Segment
from textual import on

from moa_tui.engine.state import Log
from moa_tui.ui.answer.answer_view import AnswerView
from moa_tui.ui.answer.markdown import render
from moa_tui.ui.answer.transcript import Transcript
from moa_tui.ui.look import Palette

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.pilot import Pilot

    from moa_tui.engine.state import SeatState


PALETTE = Palette.of({})


class TurnsApp(CardApp):
    """A card that notes what it was told."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[int | str] = []

    @on(AnswerView.TurnPicked)
    def _note_turn(self, event: AnswerView.TurnPicked) -> None:
        self.told.append(event.number)

    @on(AnswerView.LinkPressed)
    def _note_link(self, event: AnswerView.LinkPressed) -> None:
        self.told.append(event.url)


def say(app: CardApp, *answers: str) -> None:
    """Close a turn for each answer."""
    for number, answer in enumerate(answers):
        app.card.open_turn(f"question {number}")
        app.card.close_turn(answer)


async def press(app: CardApp, pilot: Pilot[None], *keys: str) -> None:
    await pilot.press(*keys)
    await shown(app, pilot)


def marked(app: CardApp) -> list[str]:
    return [row for row in app.rows if row.startswith("▌")]


# Going from turn to turn.


async def test_keys_go_from_question_to_question_and_mark_it() -> None:
    app = TurnsApp()
    async with app.run_test(size=(60, 12)) as pilot:
        say(app, *(paragraphs(12) for _ in range(4)))
        await shown(app, pilot)
        view = app.card.view
        seen: list[tuple[int | None, str]] = []
        for key in ("{", "{", "{", "{", "{", "}", "}", "}"):
            await press(app, pilot, key)
            seen.append((view.turn_in_sight, "".join(marked(app))))
    asked = [f"▌You   question {number}" for number in range(4)]
    numbers = [3, 2, 1, 0, 0, 1, 2, 3]
    assert seen == [(number, asked[number]) for number in numbers]


async def test_from_the_middle_of_an_answer_one_goes_to_its_question_first() -> None:
    app = TurnsApp()
    async with app.run_test(size=(60, 12)) as pilot:
        say(app, *(paragraphs(30) for _ in range(3)))
        await shown(app, pilot)
        view = app.card.view
        view.go_to_turn(1)
        await press(app, pilot, "pagedown", "pagedown")
        assert (view.turn_in_sight, marked(app)) == (1, [])
        await press(app, pilot, "{")
        assert (view.turn_in_sight, marked(app)) == (1, ["▌You   question 1"])
        await press(app, pilot, "}")
        assert (view.turn_in_sight, marked(app)) == (2, ["▌You   question 2"])
        await press(app, pilot, "}")
        assert view.is_following
        assert " line 29" in app.rows


async def test_turns_that_fit_all_together_are_told_apart_by_the_mark() -> None:
    app = TurnsApp()
    async with app.run_test(size=(60, 24)) as pilot:
        say(app, "a", "b", "c")
        await shown(app, pilot)
        await press(app, pilot, "{", "enter", "{", "enter", "}", "enter")
        assert marked(app) == ["▌You   question 1"]
        await press(app, pilot, "home", "enter", "end", "enter")
    assert app.told == [1, 0, 1, 0, 2]


async def test_without_a_turn_no_key_of_turns_works() -> None:
    app = TurnsApp()
    async with app.run_test(size=(60, 12)) as pilot:
        view = app.card.view
        await press(app, pilot, "{", "}", "enter", "end", "home")
        assert (view.turn_in_sight, app.told) == (None, [])
        assert [view.check_action(name, ()) for name in ("pick_turn", "next_turn")] == [False] * 2
        assert (view.answer_text(), view.code_blocks(), view.links()) == ("", [], [])
        assert view.code_in_sight is None
        assert not view.toggle_thinking()
        view.go_to_turn(3)


async def test_a_lone_turn_and_one_out_of_focus_are_not_marked() -> None:
    app = TurnsApp()
    async with app.run_test(size=(60, 12)) as pilot:
        say(app, "a")
        await shown(app, pilot)
        assert marked(app) == []
        say(app, "b")
        await shown(app, pilot)
        assert marked(app) == ["▌You   question 0"]
        app.screen.set_focus(None)
        await shown(app, pilot)
        assert marked(app) == []


async def test_a_new_turn_takes_the_mark_and_the_end() -> None:
    app = TurnsApp()
    async with app.run_test(size=(60, 20)) as pilot:
        say(app, "a", "b")
        await shown(app, pilot)
        await press(app, pilot, "{")
        app.card.open_turn("another")
        await shown(app, pilot)
        assert marked(app) == ["▌You   another"]


# Other answers.


async def test_an_answer_is_rewritten_with_a_note_and_the_others_stay() -> None:
    app = TurnsApp()
    async with app.run_test(size=(60, 24)) as pilot:
        app.card.open_turn("one")
        app.card.stream(replace(done("Cut"), reason="length"), t=8.0)
        app.card.close_turn("Cut")
        app.card.open_turn("two")
        app.card.close_turn(failure="It broke.", hint="Mend it.")
        say(app, "Third.")
        app.card.rewrite_turn(0, "**Other.**")
        app.card.rewrite_turn(1, "Taken.\n\n- a", note="taken from proposal 2, llama3.2")
        await shown(app, pilot)
        rows = app.rows
    assert rows[2:18] == [
        " You   one",
        "",
        " Other.",
        "",
        " You   two",
        "",
        " Taken.",
        "",
        " • a",
        "",
        " taken from proposal 2, llama3.2",
        "",
        "▌You   question 0",
        "",
        " Third.",
        "",
    ]
    view = app.card.view
    assert [view.answer_text(number) for number in range(3)] == [
        "**Other.**",
        "Taken.\n\n- a",
        "Third.",
    ]


@pytest.mark.parametrize("other", ["short", paragraphs(60)])
async def test_what_is_read_keeps_its_place_while_a_turn_above_is_rewritten(other: str) -> None:
    app = TurnsApp()
    async with app.run_test(size=(60, 12)) as pilot:
        say(app, paragraphs(20), paragraphs(20, first=100), paragraphs(20, first=200))
        await shown(app, pilot)
        app.card.view.go_to_turn(1)
        await press(app, pilot, "pagedown", "j")
        before = app.rows
        app.card.rewrite_turn(0, other)
        await shown(app, pilot)
        assert app.rows == before
        app.card.rewrite_turn(2, other)
        await shown(app, pilot)
        assert app.rows[1:-1] == before[1:-1]
        assert app.card.view.turn_in_sight == 1


async def test_rewriting_the_turn_that_is_read_stays_in_it() -> None:
    app = TurnsApp()
    async with app.run_test(size=(60, 12)) as pilot:
        say(app, paragraphs(40), paragraphs(40))
        await shown(app, pilot)
        app.card.view.go_to_turn(0)
        await press(app, pilot, "pagedown", "pagedown")
        app.card.rewrite_turn(0, "Only this.")
        await shown(app, pilot)
        assert app.card.view.turn_in_sight == 0
        assert " Only this." in app.rows


async def test_rewriting_draws_only_what_is_in_sight() -> None:
    app = TurnsApp()
    async with app.run_test(size=(60, 24)) as pilot:
        say(app, *[paragraphs(30)] * 50)
        await shown(app, pilot)
        column = app.card.view._column  # noqa: SLF001 - what is drawn is seen nowhere else
        for number in range(40):
            app.card.rewrite_turn(number, paragraphs(30, first=500))
        await shown(app, pilot)
        drawn = [at for at in range(len(column)) if column.piece(at).rows is not None]
        assert len(column) == 50 * 31
        assert min(drawn) > 49 * 31


async def test_an_earlier_turn_is_answered_anew_in_its_place() -> None:
    app = TurnsApp()
    async with app.run_test(size=(60, 24)) as pilot:
        say(app, "First.", "Second.")
        app.card.reopen_turn(0)
        app.card.stream(seat(thinking="Hm.", status="thinking"), t=2.0)
        await shown(app, pilot)
        assert app.rows[2:9] == [
            " You   question 0",
            "",
            " Hm.",
            "",
            "▌You   question 1",
            "",
            " Second.",
        ]
        app.card.stream(seat("Other\n\nwords", "Hm."), t=3.0)
        app.card.close_turn()
        await shown(app, pilot)
        assert app.rows[4:11] == [
            " ◊ thought for 2 s, 0 tokens",
            "",
            " Other",
            "",
            " words",
            "",
            "▌You   question 1",
        ]
        assert app.card.view.answer_text(0) == "Other\n\nwords"


async def test_what_is_read_keeps_its_place_while_a_turn_above_grows() -> None:
    app = TurnsApp()
    async with app.run_test(size=(60, 12)) as pilot:
        say(app, "First.", paragraphs(20), paragraphs(20))
        await shown(app, pilot)
        app.card.view.go_to_turn(1)
        await press(app, pilot, "pagedown")
        before = app.rows
        app.card.reopen_turn(0)
        log = Log()
        for number in range(30):
            log = log.appended(f"new {number}\n\n")
            app.card.stream(replace(seat(), text=log), t=2.0)
            await shown(app, pilot)
        assert app.rows[1:] == before[1:]


# Thinking.


def thought(app: CardApp) -> SeatState:
    app.card.open_turn("Why?")
    thinking = seat(thinking="Let me see.\n\nWell.", status="thinking")
    state = replace(thinking, thinking_pieces=840)
    app.card.stream(state, t=5.0)
    return state


LINE = " ◊ thought for 12 s, 840 tokens"


async def test_thinking_is_unfolded_and_folded_again() -> None:
    app = TurnsApp()
    async with app.run_test(size=(60, 16)) as pilot:
        thought(app)
        app.card.stream(replace(seat("So.", "Let me see.\n\nWell."), thinking_pieces=840), t=13.5)
        app.card.close_turn("So.")
        await shown(app, pilot)
        folded = app.rows
        assert app.card.view.toggle_thinking()
        await shown(app, pilot)
        unfolded = app.rows
        assert app.card.view.toggle_thinking()
        await shown(app, pilot)
        again = app.rows
    assert folded[2:8] == [" You   Why?", "", LINE, "", " So.", ""]
    assert unfolded[4:11] == [LINE, "", " Let me see.", "", " Well.", "", " So."]
    assert again == folded


async def test_live_thinking_can_be_folded_and_goes_on_behind_its_line() -> None:
    app = TurnsApp()
    async with app.run_test(size=(60, 16)) as pilot:
        state = thought(app)
        app.card.view.toggle_thinking()
        await shown(app, pilot)
        assert app.rows[2:7] == [" You   Why?", "", " ◊ thinking", "", ""]
        state = replace(state, thinking=state.thinking.appended(" And on."))
        app.card.stream(state, t=6.0)
        app.card.view.toggle_thinking()
        await shown(app, pilot)
        assert app.rows[4:8] == [" Let me see.", "", " Well. And on.", ""]
        state = replace(state, thinking=state.thinking.appended("\n\nEnd."))
        app.card.stream(state, t=7.0)
        await shown(app, pilot)
        assert app.rows[4:9] == [" Let me see.", "", " Well. And on.", "", " End."]


async def test_an_answer_grows_below_unfolded_thinking() -> None:
    app = TurnsApp()
    async with app.run_test(size=(60, 16)) as pilot:
        thought(app)
        both = replace(seat("So", "Let me see.\n\nWell."), thinking_pieces=840)
        app.card.stream(both, t=13.5)
        app.card.view.toggle_thinking()
        app.card.stream(replace(both, text=both.text.appended(" it is.\n\nYes")), t=14.0)
        await shown(app, pilot)
        assert app.rows[4:13] == [
            LINE,
            "",
            " Let me see.",
            "",
            " Well.",
            "",
            " So it is.",
            "",
            " Yes",
        ]


async def test_thinking_without_an_answer_stays_until_it_is_folded() -> None:
    app = TurnsApp()
    async with app.run_test(size=(60, 16)) as pilot:
        thought(app)
        app.card.close_turn(failure="It broke.")
        await shown(app, pilot)
        assert app.rows[4:9] == [" Let me see.", "", " Well.", "", " ✗ It broke."]
        app.card.view.toggle_thinking()
        await shown(app, pilot)
        assert app.rows[4:8] == [" ◊ thought for 4 s, 840 tokens", "", " ✗ It broke.", ""]


async def test_an_answer_from_elsewhere_keeps_the_thinking_folded() -> None:
    app = TurnsApp()
    async with app.run_test(size=(60, 16)) as pilot:
        thought(app)
        app.card.close_turn("Chosen.")
        await shown(app, pilot)
        assert app.rows[4:8] == [" ◊ thought for 4 s, 840 tokens", "", " Chosen.", ""]
        app.card.rewrite_turn(0, "Another.")
        app.card.view.toggle_thinking()
        await shown(app, pilot)
        assert app.rows[6:11] == [" Let me see.", "", " Well.", "", " Another."]


async def test_thinking_that_comes_after_words_of_the_answer_stands_above_it() -> None:
    app = TurnsApp()
    async with app.run_test(size=(60, 16)) as pilot:
        app.card.open_turn("Why?")
        state = seat("So")
        app.card.stream(state, t=2.0)
        await shown(app, pilot)
        state = replace(state, thinking=state.thinking.appended("Hm."), thinking_pieces=7)
        app.card.stream(state, t=3.5)
        await shown(app, pilot)
        assert app.rows[4:8] == [" ◊ thought for 2 s, 7 tokens", "", " So", ""]
        app.card.stream(replace(state, text=state.text.appended(" it is.")), t=4.0)
        app.card.view.toggle_thinking()
        await shown(app, pilot)
        assert app.rows[6:9] == [" Hm.", "", " So it is."]


async def test_thinking_unfolded_out_of_sight_comes_in_sight() -> None:
    app = TurnsApp()
    async with app.run_test(size=(60, 12)) as pilot:
        thought(app)
        answer = paragraphs(40)
        app.card.stream(seat(answer, "Let me see.\n\nWell."), t=6.0)
        app.card.close_turn(answer)
        await shown(app, pilot)
        app.card.view.toggle_thinking()
        await shown(app, pilot)
        assert " Let me see." in app.rows
        assert app.card.view.turn_in_sight == 0


# Copying.

CODE = "Do:\n\n```py\na = 1\n```\n\n- so\n  ```sh\n  ls\n  ```\n"


async def test_code_blocks_of_a_turn_are_given_whole() -> None:
    app = TurnsApp()
    long = "def f(x):\n    return x\n\n" * 300
    async with app.run_test(size=(60, 12)) as pilot:
        say(app, CODE, f"```py\n{long}```\n\nThen:\n\n```\nend\n", "no code", "`inline` only")
        await shown(app, pilot)
        view = app.card.view
        assert [list(view.code_blocks(number)) for number in range(4)] == [
            ["a = 1\n", "ls\n"],
            [long, "end\n"],
            [],
            [],
        ]
        assert view.answer_text(0) == CODE
        assert view.answer_text() == "`inline` only"


async def test_an_endless_line_of_code_is_one_code() -> None:
    app = TurnsApp()
    async with app.run_test(size=(60, 12)) as pilot:
        say(app, "```\n" + "y" * 50_000 + "\n```\n")
        await shown(app, pilot)
        assert app.card.view.code_blocks() == ["y" * 50_000 + "\n"]
        assert app.card.view.code_in_sight == "y" * 50_000 + "\n"


async def test_the_code_nearest_to_the_middle_is_in_sight() -> None:
    app = TurnsApp()
    async with app.run_test(size=(60, 14)) as pilot:
        say(app, f"{paragraphs(5)}{CODE}{paragraphs(9)}")
        await shown(app, pilot)
        view, seen = app.card.view, []
        view.go_to_turn(0)
        for _ in range(30):
            seen.append(view.code_in_sight)
            await press(app, pilot, "j")
    assert list(dict.fromkeys(seen)) == [None, "a = 1\n", "ls\n"]
    assert seen[-1] is None


async def test_long_code_in_sight_is_whole_wherever_one_is_in_it() -> None:
    app = TurnsApp()
    long = "".join(f"def f{number}():\n    return {number}\n\n" for number in range(300))
    async with app.run_test(size=(60, 14)) as pilot:
        say(app, f"```py\n{long}```\n")
        await shown(app, pilot)
        view, seen = app.card.view, []
        for _ in range(20):
            seen.append(view.code_in_sight)
            view.scroll_to(y=view.scroll_offset.y - 60, animate=False)
        assert view.scroll_offset.y == 0
    assert set(seen) == {long}


async def test_an_answer_that_streams_is_copied_as_far_as_it_is() -> None:
    app = TurnsApp()
    async with app.run_test(size=(60, 14)) as pilot:
        app.card.open_turn("Why?")
        app.card.stream(seat("Because\n\n```py\nx"), t=2.0)
        view = app.card.view
        assert view.answer_text() == "Because\n\n```py\nx"
        assert view.code_blocks() == ["x"]
        await shown(app, pilot)
        assert view.code_in_sight == "x"


# Pressing.


async def test_a_link_pressed_says_where_it_leads() -> None:
    app = TurnsApp()
    async with app.run_test(size=(60, 12)) as pilot:
        say(app, "汉 [text](https://a.b/c) and http://d.e\n\n[x](mailto:y@z)")
        await shown(app, pilot)
        assert app.rows[4] == " 汉 text (a.b) and http://d.e"
        for x, y in ((4, 3), (8, 3), (13, 3), (19, 3), (28, 3), (1, 5), (40, 3), (3, 8)):
            await pilot.click(AnswerView, (x, y))
        await pilot.pause()
        assert app.told == ["https://a.b/c", "http://d.e", "http://d.e"]
        assert app.card.view.links() == ["https://a.b/c", "http://d.e"]


async def test_dragging_over_a_link_only_selects_it() -> None:
    app = TurnsApp()
    async with app.run_test(size=(60, 12)) as pilot:
        say(app, "http://d.e is it")
        await shown(app, pilot)
        await pilot.mouse_down(AnswerView, (1, 3))
        await pilot.hover(AnswerView, (5, 3))
        await pilot.mouse_up(AnswerView, (5, 3))
        await pilot.pause()
        assert app.told == []


async def test_a_questions_label_asks_for_its_tiles_and_its_line_unfolds_thinking() -> None:
    app = TurnsApp()
    async with app.run_test(size=(60, 20)) as pilot:
        thought(app)
        app.card.stream(seat("So.", "Let me see.\n\nWell."), t=13.5)
        app.card.close_turn("So.")
        say(app, "Again.")
        await shown(app, pilot)
        assert app.rows[8] == "▌You   question 0"
        await pilot.click(AnswerView, (2, 7))
        await pilot.click(AnswerView, (2, 1))
        await pilot.click(AnswerView, (12, 1))
        await pilot.click(AnswerView, (4, 3))
        await shown(app, pilot)
        assert app.told == [1, 0]
        assert app.rows[6] == " Let me see."


async def test_the_count_of_new_lines_leads_to_the_end() -> None:
    app = TurnsApp()
    async with app.run_test(size=(60, 12)) as pilot:
        app.card.open_turn("Why?")
        log = Log().appended(paragraphs(20))
        app.card.stream(replace(seat(), text=log), t=2.0)
        await shown(app, pilot)
        await press(app, pilot, "pageup")
        app.card.stream(replace(seat(), text=log.appended(paragraphs(5))), t=3.0)
        await shown(app, pilot)
        await pilot.click(AnswerView, (57, 10))
        assert app.card.view.is_following


async def test_another_attempt_while_one_reads_above_its_end_breaks_nothing() -> None:
    app = TurnsApp()
    async with app.run_test(size=(60, 12)) as pilot:
        app.card.open_turn("Why?")
        app.card.stream(seat(paragraphs(40)), t=2.0)
        await shown(app, pilot)
        await press(app, pilot, "pageup")
        app.card.stream(replace(seat("Anew."), attempt=2), t=3.0)
        await shown(app, pilot)
        assert app.rows[2:5] == [" You   Why?", "", " Anew."]


# The margin.


class Margin:
    """Marks the first row of each block, and remembers for which it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int]] = []

    def __call__(self, source: str, rows: list[str]) -> Sequence[Sequence[Segment]]:
        self.asked.append((source.strip(), len(rows)))
        return [[Segment("only "), Segment("3")], *[[]] * (len(rows) - 1)]


@pytest.mark.parametrize(("width", "before"), [(120, 9), (60, 8)])
async def test_the_margin_stands_beside_the_turn_closed_last(width: int, before: int) -> None:
    app, margin = TurnsApp(), Margin()
    async with app.run_test(size=(width, 20)) as pilot:
        app.card.view.margin_for = margin
        say(app, "First.", "Second.\n\nAnd\nmore.")
        app.card.open_turn("open")
        app.card.stream(seat("Not yet."), t=2.0)
        await shown(app, pilot)
        left = " " * before
        assert app.rows[2:15] == [
            f"{left}You   question 0",
            "",
            f"{left}First.",
            "",
            f"{left}You   question 1",
            "",
            f"{'only 3':>{before - 1}} Second.",
            "",
            f"{'only 3':>{before - 1}} And",
            f"{left}more.",
            "",
            f"{left[:-1]}▌You   open",
            "",
        ]
        asked = list(margin.asked)
        await press(app, pilot, "up", "down")
        assert margin.asked == asked == [("Second.", 1), ("And\nmore.", 2)]
        app.card.view.margin_for = None
        await shown(app, pilot)
        assert app.rows[4] == " First."


async def test_the_margin_of_an_earlier_turn_is_asked_for_by_its_number() -> None:
    app, margin = TurnsApp(), Margin()
    async with app.run_test(size=(60, 20)) as pilot:
        say(app, "First.", "Second.")
        app.card.view.mark_margin(margin, number=0)
        await shown(app, pilot)
        assert margin.asked == [("First.", 1)]
        app.card.rewrite_turn(0, "Other.")
        await shown(app, pilot)
        assert margin.asked == [("First.", 1), ("Other.", 1)]


async def test_with_a_margin_links_are_pressed_where_they_stand() -> None:
    app = TurnsApp()
    async with app.run_test(size=(60, 20)) as pilot:
        app.card.view.margin_for = Margin()
        say(app, "http://a.b")
        await shown(app, pilot)
        await pilot.click(AnswerView, (7, 3))
        await pilot.click(AnswerView, (8, 3))
        await pilot.pause()
        assert app.told == ["http://a.b"]


# Whatever is done, each turn stands as if it had been written at once.

BITS = (
    *("word ", "\n", "\n\n", "```py\n", "x = 1\n", "```\n", "- a\n", "# h\n", "> q\n"),
    *("| a | b |\n|---|---|\n", "| x | y |\n", "http://a.b ", "y" * 500),
)
TEXTS = st.lists(st.sampled_from(BITS), max_size=12).map("".join)
NUMBERS = st.integers(0, 9)
STEPS = st.lists(
    st.tuples(st.just("say") | st.just("think"), NUMBERS, TEXTS)
    | st.tuples(st.sampled_from(("open", "close", "rewrite", "reopen")), NUMBERS, TEXTS)
    | st.tuples(st.just("toggle") | st.just("look"), NUMBERS, st.just("")),
    max_size=30,
)


def step(turns: Transcript, state: SeatState, what: str, number: int, text: str) -> SeatState:
    """Do one thing to the turns, if it can be done; return what the seat said by then."""
    is_open, is_known = turns.open is not None, number < len(turns)
    match what:
        case "say" if is_open:
            state = replace(state, text=state.text.appended(text))
            turns.update(state, 3.0)
        case "think" if is_open:
            state = replace(state, thinking=state.thinking.appended(text))
            turns.update(state, 3.0)
        case "open" if not is_open:
            turns.begin(text)
            return seat()
        case "reopen" if not is_open and is_known:
            turns.reopen(number)
            return seat()
        case "close":
            turns.close(text or None, failure="" if text else "broke", hint="")
        case "rewrite" if is_known and number != turns.open:
            turns.rewrite(number, text, note="a note")
        case "toggle" if is_known:
            turns.toggle_thinking(number)
        case "look":
            turns.column.settle(turns.column.height * number // 10, 20)
        case _:
            pass
    return state


@settings(deadline=None, max_examples=100)
@given(STEPS)
def test_turns_stand_as_if_written_at_once(
    steps: list[tuple[str, int, str]],
) -> None:
    turns, state = Transcript(), seat()
    column = turns.column
    column.restyle(60, PALETTE)
    for what, number, text in steps:
        state = step(turns, state, what, number, text)
    pieces = [column.piece(at) for at in range(len(column))]
    assert [piece.turn for piece in pieces] == sorted(piece.turn for piece in pieces)
    assert column.height == sum(piece.height for piece in pieces)
    for number in range(len(turns)):
        said = [piece for piece in pieces if piece.turn == number and piece.is_answer]
        rows: list[str] = []
        for piece in said:
            drawn = [strip.text for strip in piece.draw(piece.source, 60, PALETTE)]
            rows += [*([""] if piece.gap and rows and drawn else []), *drawn]
        answer = turns.answer(number)
        assert rows == [strip.text for strip in render(answer, width=60, palette=PALETTE)]


# What is made to break it.


@pytest.mark.parametrize(
    "text",
    [
        "x" * 1_000_000,
        "line\n" * 10_000,
        "| a | b |\n|---|---|\n" + "| x | y |\n" * 10_000,
        "```py\n" + "x = 1\n" * 10_000,
        "> " * 2_000 + "deep",
        "\x1b[31m[bold]x[/]\x9b" * 2_000,
    ],
)
async def test_what_is_huge_draws_only_a_window_of_it(text: str) -> None:
    app = TurnsApp()
    async with app.run_test(size=(100, 30)) as pilot:
        app.card.open_turn(text)
        app.card.stream(seat(text, text), t=2.0)
        app.card.close_turn(text, hint=text)
        await shown(app, pilot)
        column = app.card.view._column  # noqa: SLF001 - what is drawn is seen nowhere else
        drawn = sum(column.piece(at).rows is not None for at in range(len(column)))
        for key in ("home", "pagedown", "end", "{", "up"):
            await press(app, pilot, key)
            assert not any(char < " " or "\x7f" <= char < "\xa0" for char in "".join(app.rows))
    assert drawn <= 30


@pytest.mark.parametrize("fence", ["```js x", "~~~", "- ```", "`" * 5000])
async def test_code_that_only_a_cut_line_draws_is_no_code(fence: str) -> None:
    app = TurnsApp()
    async with app.run_test(size=(60, 12)) as pilot:
        say(app, "word " * 800 + fence)
        await shown(app, pilot)
        view = app.card.view
        for key in ("home", "pagedown", "end"):
            await press(app, pilot, key)
            assert view.code_in_sight in (None, "", *view.code_blocks())
