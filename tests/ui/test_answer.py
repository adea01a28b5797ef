"""The answer's card: what it says in each state, how it grows, and what it leaves undrawn."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

import pytest
from answer_app import THEMES, CardApp, done, paragraphs, seat, shown
from textual.strip import Strip
from ui_fakes import mixture

from moa_tui.engine.mixture import Agent, Seat
from moa_tui.engine.provider import Usage
from moa_tui.engine.state import Log, RunState
from moa_tui.ui import words
from moa_tui.ui.answer.answer import Waiting
from moa_tui.ui.answer.column import Column, Piece
from moa_tui.ui.answer.markdown import render
from moa_tui.ui.look import Palette

if TYPE_CHECKING:
    from moa_tui.engine.events import SeatEnd

ANSWER = (
    "## Head\n\nSome *text* that ends.\n\n```py\nx = 1\n```\n\n"
    "- a\n- b\n\n| k | v |\n|---|---|\n| 1 | 2 |\n"
)


@pytest.mark.parametrize(
    ("reason", "head", "below"),
    [
        ("length", "✓ cut at its limit", "! The answer is cut at its limit."),
        ("content_filter", "✓ ended by a filter", "! The service's filter ended the answer."),
        ("refusal", "✓ refused", "! The model refused."),
        ("stop", "✓ done", ""),
    ],
)
async def test_an_answer_that_isnt_whole_says_so_in_its_head_and_below_it(
    reason: SeatEnd, head: str, below: str
) -> None:
    app = CardApp()
    async with app.run_test(size=(60, 12)) as pilot:
        app.card.open_turn("Why?")
        app.card.stream(replace(done("Because"), reason=reason), t=8.0)
        app.card.close_turn("Because", lacks=words.lacking(RunState(reason=reason)))
        await shown(app, pilot)
        rows = app.rows
    assert rows[0].startswith(f" ★ qwen3:8b  {head}  ")
    assert rows[2:7] == [" You   Why?", "", " Because", "", f" {below}".rstrip()]


@pytest.mark.parametrize(
    ("own", "usage", "said"),
    [
        (None, None, "limit of 2,048 tokens: raise Max tokens in the sidebar."),
        (None, Usage(completion=2047), "limit of 2,048 tokens: raise Max tokens in the sidebar."),
        (
            300,
            Usage(completion=300),
            "limit of 300 tokens, its own: raise max tokens below ★ in the sidebar, → shows it.",
        ),
        (None, Usage(completion=187), "after 187 tokens: its model has no more room."),
    ],
)
def test_what_to_do_about_a_cut_answer_is_said_where_its_limit_is(
    own: int | None, usage: Usage | None, said: str
) -> None:
    mix = mixture()
    agent = Agent(model="t/m", max_tokens=own)
    mix = replace(mix, aggregator=replace(mix.aggregator, agent=agent))
    merger = replace(done("Because"), seat=Seat(2, 1), model="t/m", usage=usage)
    run = RunState(mixture=mix, reason="length", seats=MappingProxyType({merger.seat: merger}))
    assert words.lacking(run).removeprefix("The answer is cut ").removeprefix("at its ") == said


async def test_a_merge_in_steps_is_told_step_by_step_and_at_its_end_as_a_whole() -> None:
    app = CardApp()
    async with app.run_test(size=(100, 6)) as pilot:
        app.card.show_waiting("ollama/qwen3:8b", Waiting(layer=2, ready=(2, 4), seats=5, key="m"))
        app.card.open_turn("Why is the sky blue?")
        await shown(app, pilot)
        rows = app.rows
    assert rows == [
        " ★ qwen3:8b  ○ waits for layer 2" + " " * 41 + "2 of 5 ready  m merge now",
        "",
        " You   Why is the sky blue?",
        "",
        "",
        "",
    ]


async def test_in_a_wide_card_the_ready_seats_are_chips() -> None:
    app = CardApp()
    async with app.run_test(size=(120, 6)) as pilot:
        app.card.show_waiting("ollama/qwen3:8b", Waiting(layer=2, ready=(2, 4), seats=5, key="m"))
        await shown(app, pilot)
        assert app.rows[0].endswith(" 2   4  ready   m merge these 2 now")
        app.card.show_waiting("ollama/qwen3:8b", Waiting(layer=2, ready=(), seats=5, key="m"))
        await shown(app, pilot)
        assert app.rows[0] == " ★ qwen3:8b   ○ waits for layer 2"


async def test_finished_it_shows_figures_and_the_whole_answer() -> None:
    app = CardApp()
    async with app.run_test(size=(60, 24)) as pilot:
        app.card.open_turn("Why?")
        app.card.stream(done(ANSWER), t=8.0)
        app.card.close_turn(ANSWER)
        await shown(app, pilot)
        rows = app.rows
    assert rows[:18] == [
        " ★ qwen3:8b  ✓ done" + " " * 18 + "418 tok  67 t/s  6.7s",
        "",
        " You   Why?",
        "",
        " Head",
        "",
        " Some text that ends.",
        "",
        " │ x = 1",
        "",
        " • a",
        " • b",
        "",
        " k │ v",
        " ──┼──",
        " 1 │ 2",
        "",
        "",
    ]


@pytest.mark.parametrize("step", [1, 2, 3, 7, 50])
async def test_a_streamed_answer_ends_as_one_shown_at_once(step: int) -> None:
    app = CardApp()
    async with app.run_test(size=(60, 24)) as pilot:
        app.card.open_turn("Why?")
        log = Log()
        for start in range(0, len(ANSWER), step):
            log = log.appended(ANSWER[start : start + step])
            app.card.view.stream(replace(seat(), text=log), t=2.0)
            app.card.view.flush()
        app.card.close_turn(ANSWER)
        await shown(app, pilot)
        rows = app.rows[4:]
    palette = Palette.of({})
    expected = [
        f" {strip.text.rstrip()}".rstrip() for strip in render(ANSWER, width=57, palette=palette)
    ]
    assert rows[: len(expected)] == expected


async def test_thinking_is_folded_when_the_answer_begins() -> None:
    app = CardApp()
    async with app.run_test(size=(60, 12)) as pilot:
        app.card.open_turn("Why?")
        thinking = replace(
            seat(thinking="Let me see.\n\nWell.", status="thinking"), thinking_pieces=840
        )
        app.card.stream(thinking, t=5.0)
        await shown(app, pilot)
        before = app.rows
        app.card.stream(replace(thinking, text=Log().appended("So."), status="streaming"), t=13.5)
        await shown(app, pilot)
        after = app.rows
    assert before[2:7] == [" You   Why?", "", " Let me see.", "", " Well."]
    assert after[2:8] == [" You   Why?", "", " ◊ thought for 12 s, 840 tokens", "", " So.", ""]


async def test_another_attempt_begins_anew() -> None:
    app = CardApp()
    async with app.run_test(size=(60, 10)) as pilot:
        app.card.open_turn("Why?")
        app.card.stream(seat("half an ans"), t=2.0)
        await shown(app, pilot)
        app.card.stream(replace(seat("Whole."), attempt=2), t=3.0)
        await shown(app, pilot)
        rows = app.rows
    assert rows[2:6] == [" You   Why?", "", " Whole.", ""]


async def test_the_run_s_answer_wins_over_what_was_streamed() -> None:
    app = CardApp()
    async with app.run_test(size=(60, 10)) as pilot:
        app.card.open_turn("Why?")
        app.card.stream(seat("not this"), t=2.0)
        app.card.close_turn("But this.")
        await shown(app, pilot)
        rows = app.rows
    assert rows[2:6] == [" You   Why?", "", " But this.", ""]


async def test_a_failure_is_told_in_words_below_what_there_is() -> None:
    app = CardApp()
    async with app.run_test(size=(60, 12)) as pilot:
        app.card.show_idle("ollama/qwen3:8b")
        app.card.open_turn("Why?")
        app.card.stream(seat("A beginning"), t=2.0)
        app.card.close_turn(failure="ollama refused the connection.", hint="Start it: ollama serve")
        await shown(app, pilot)
        rows = app.rows
    assert rows[0].startswith(" ★ qwen3:8b  ✗ failed")
    assert rows[2:9] == [
        " You   Why?",
        "",
        " A beginning",
        "",
        " ✗ ollama refused the connection.",
        " Start it: ollama serve",
        "",
    ]


async def test_markup_in_question_answer_and_failure_is_only_text() -> None:
    app = CardApp()
    async with app.run_test(size=(60, 12)) as pilot:
        app.card.open_turn("[red]Why?[/b]")
        app.card.stream(seat("[@click=app.quit]x[/]"), t=2.0)
        app.card.close_turn(failure="[/] broke", hint="[bold]")
        await shown(app, pilot)
        rows = app.rows
    assert rows[2:9] == [
        " You   [red]Why?[/b]",
        "",
        " [@click=app.quit]x[/]",
        "",
        " ✗ [/] broke",
        " [bold]",
        "",
    ]


async def test_a_question_without_end_shows_its_beginning() -> None:
    app = CardApp()
    async with app.run_test(size=(80, 48)) as pilot:
        app.card.open_turn("x" * 1_000_000)
        await shown(app, pilot)
        text = "".join(app.rows)
    assert text.count("x") == 2_000
    assert "… and 998k characters more" in text


async def test_collapsed_it_is_its_head() -> None:
    app = CardApp()
    async with app.run_test(size=(60, 6)) as pilot:
        app.card.show_idle("ollama/qwen3:8b")
        app.card.open_turn("Why?")
        app.card.add_class("-collapsed")
        await shown(app, pilot)
        assert app.rows == [" ★ qwen3:8b", "", "", "", "", ""]
        app.card.stream(seat("Because."), t=2.0)
        app.card.remove_class("-collapsed")
        await shown(app, pilot)
        assert app.rows[2:5] == [" You   Why?", "", " Because."]


async def test_clear_forgets_all_turns() -> None:
    app = CardApp()
    async with app.run_test(size=(60, 6)) as pilot:
        app.card.open_turn("Why?")
        app.card.close_turn("Because.")
        app.card.clear()
        await shown(app, pilot)
        assert app.rows[1:] == [""] * 5


async def test_the_state_of_the_last_turn_is_not_written_to_the_next() -> None:
    app = CardApp()
    async with app.run_test(size=(60, 12)) as pilot:
        app.card.open_turn("One?")
        last = done("First.")
        app.card.stream(last, t=8.0)
        app.card.close_turn("First.")
        app.card.open_turn("Two?")
        app.card.stream(last, t=9.0)
        await shown(app, pilot)
        rows = app.rows
    assert rows[2:9] == [" You   One?", "", " First.", "", "▌You   Two?", "", ""]


# Scrolling.


async def test_the_end_is_followed_until_somebody_scrolls_up() -> None:
    app = CardApp()
    async with app.run_test(size=(60, 12)) as pilot:
        card = app.card
        card.open_turn("Why?")
        log = Log().appended(paragraphs(20))
        card.view.stream(replace(seat(), text=log), t=2.0)
        await shown(app, pilot)
        assert " line 19" in app.rows
        card.view.focus()
        await pilot.press("k", "k", "up")
        await shown(app, pilot)
        kept = app.rows[1:-1]
        log = log.appended(paragraphs(6, first=20))
        card.view.stream(replace(seat(), text=log), t=3.0)
        await shown(app, pilot)
        assert app.rows[1:-1] == kept
        assert (card.view.new_lines, app.rows[-1].strip()) == (12, "↓ 12 new lines · End")
        await pilot.press("tab")
        await pilot.press("end")
        await shown(app, pilot)
        assert " line 25" in app.rows
        assert card.view.new_lines == 0


async def test_keys_go_by_rows_pages_and_to_the_ends() -> None:
    app = CardApp()
    async with app.run_test(size=(60, 12)) as pilot:
        app.card.open_turn("Why?")
        app.card.close_turn(paragraphs(40))
        await shown(app, pilot)
        view = app.card.view
        view.focus()
        end = view.max_scroll_y
        tops = []
        for key in ("k", "up", "pageup", "j", "down", "pagedown", "pagedown", "home", "end"):
            await pilot.press(key)
            await pilot.pause()
            tops.append(view.scroll_offset.y - end)
        await pilot.press("home")
        await shown(app, pilot)
        first = app.rows[2]
    assert tops == [-1, -2, -12, -11, -10, 0, 0, -end, 0]
    assert first == " You   Why?"


async def test_a_narrower_window_keeps_what_stood_at_its_top() -> None:
    app = CardApp()
    async with app.run_test(size=(60, 12)) as pilot:
        app.card.open_turn("Why?")
        app.card.close_turn("".join(f"{number} {'word ' * 14}\n\n" for number in range(40)))
        await shown(app, pilot)
        app.card.view.focus()
        await pilot.press("pageup", "pageup", "pageup")
        await shown(app, pilot)
        numbers = [row.split()[0] for row in app.rows[1:] if row and row.split()[0].isdigit()]
        await pilot.resize_terminal(40, 12)
        await shown(app, pilot)
        narrow = [row.split()[0] for row in app.rows[1:] if row and row.split()[0].isdigit()]
    assert narrow[0] in numbers[:2]


async def test_another_theme_repaints_what_is_drawn() -> None:
    app = CardApp()
    async with app.run_test(size=(60, 8)) as pilot:
        app.card.open_turn("Why?")
        app.card.close_turn("**Because.**")
        await shown(app, pilot)
        app.theme = "moa-light"
        await shown(app, pilot)
        strips = app.screen._compositor.render_strips()  # noqa: SLF001 - what a terminal gets
        style = next(style for text, style, _ in strips[4] if text == "Because.")
    assert style is not None
    assert style.color is not None
    assert style.color.name == THEMES["moa-light"].variables["ink"]


# What isn't looked at isn't drawn.


class Counted:
    """Draws a piece as its lines and remembers which it drew."""

    def __init__(self) -> None:
        self.drawn: list[str] = []

    def __call__(self, source: str, _width: int, _palette: Palette) -> list[Strip]:
        words = source.split()
        self.drawn.append(words[0])
        return [Strip.blank(1) for _ in words]


def column(count: int, words: int, draw: Counted) -> Column:
    made = Column()
    made.restyle(40, Palette.of({}))
    for number in range(count):
        made.append(Piece(" ".join([str(number)] * words), draw))
    return made


def test_five_hundred_pieces_draw_only_what_a_window_shows() -> None:
    draw = Counted()
    made = column(500, 9, draw)
    made.settle_end(40)
    assert draw.drawn == ["499", "498", "497", "496"]
    made.settle_end(40)
    assert len(draw.drawn) == 4


def test_what_is_in_sight_stays_when_a_guess_above_was_wrong() -> None:
    draw = Counted()
    made = column(100, 9, draw)
    made.settle_end(20)
    last_row_of_95 = made.start(96) - 1
    top = made.settle(last_row_of_95, 20)
    assert draw.drawn == ["99", "98", "95", "96", "97"]
    assert top == made.start(96) - 1


async def test_opening_five_hundred_turns_draws_one_screen() -> None:
    app = CardApp()
    async with app.run_test(size=(100, 30)) as pilot:
        for number in range(500):
            app.card.open_turn(f"question {number}")
            app.card.close_turn(ANSWER)
        await shown(app, pilot)
        view = app.card.view
        pieces = view._column._pieces  # noqa: SLF001 - what is drawn is seen nowhere else
        drawn = [number for number, piece in enumerate(pieces) if piece.rows is not None]
        assert len(pieces) == 500 * 7
        assert drawn == list(range(len(pieces) - len(drawn), len(pieces)))
        assert len(drawn) < 20
        view.focus()
        await pilot.press("home")
        await shown(app, pilot)
        assert app.rows[2] == "▌You   question 0"
        assert sum(piece.rows is not None for piece in pieces) < 40


async def test_growing_lays_nothing_out() -> None:
    app = CardApp()
    async with app.run_test(size=(100, 30)) as pilot:
        app.card.open_turn("Why?")
        await shown(app, pilot)
        layouts: list[object] = []
        app.screen.screen_layout_refresh_signal.subscribe(app.card, layouts.append)
        log = Log()
        for number in range(60):
            log = log.appended(f"line {number}\n\n")
            app.card.stream(replace(seat(), text=log), t=2.0)
            app.card.view.flush()
        await shown(app, pilot)
        assert layouts == []
        assert " line 59" in app.rows
