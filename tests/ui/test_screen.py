"""The screen from the first key to the merged answer, with models that say what a test wants."""

from __future__ import annotations

from dataclasses import replace

import pytest
from textual import events
from ui_fakes import TRIO, ask, focused_seat, mixture, says, settle, stage

from moa_tui.engine.mixture import Agent, Aggregator, Layer, Mixture, Seat
from moa_tui.engine.provider import Message
from moa_tui.errors import ProviderError
from moa_tui.ui.answer.answer_view import AnswerView
from moa_tui.ui.composer.composer import Draft
from moa_tui.ui.welcome import Welcome


async def test_the_composer_has_the_focus_at_the_start() -> None:
    show = stage(TRIO)
    async with show.app.run_test(size=(160, 48)):
        assert isinstance(show.app.focused, Draft)
        assert "next 3 + 1 = 4 calls · free" in show.text


@pytest.mark.parametrize("size", [(160, 48), (100, 30), (80, 24), (60, 20)])
async def test_a_prompt_races_and_ends_in_the_merged_answer(size: tuple[int, int]) -> None:
    show = stage(TRIO)
    async with show.app.run_test(size=size) as pilot:
        await ask(pilot, "why")
        await show.pass_(pilot, 2.0)
        racing = show.text
        await show.pass_(pilot, 10.0)
        merged = show.text

    assert "beta two" in racing
    assert "gamma three" in racing or "3  ● c" in racing
    assert "1st" in racing
    assert "The merged answer." in merged
    assert "3/3" in merged
    assert "✓ done" in merged


async def test_all_six_tiles_stream_side_by_side_at_80x24() -> None:
    names = "abcdef"
    show = stage({name: says(f"I am {name}", "!", "!") for name in names}, mixture(names))
    async with show.app.run_test(size=(80, 24)) as pilot:
        await ask(pilot, "why")
        await show.pass_(pilot, 1.0)

        assert [f"I am {name}" in show.text for name in names] == [True] * 6
        assert "0 of 6 ready" in show.text


async def test_the_next_prompt_is_sent_with_the_answer_as_history() -> None:
    show = stage(TRIO)
    async with show.app.run_test(size=(80, 24)) as pilot:
        await ask(pilot, "why")
        await show.pass_(pilot, 20.0)
        await ask(pilot, "how")
        await show.pass_(pilot, 20.0)

    assert show.requests[-2].messages == (
        Message("user", "why"),
        Message("assistant", "The **merged** answer."),
        Message("user", "how"),
    )


async def test_esc_stops_the_run_and_keeps_what_was_said() -> None:
    show = stage(TRIO)
    async with show.app.run_test(size=(160, 48)) as pilot:
        await ask(pilot, "why")
        await show.pass_(pilot, 1.0)
        await pilot.press("escape")
        await settle(pilot)

        assert show.text.count("■ stopped") == 4
        assert "■ Stopped. f5 runs it again." in show.text
        assert "alpha" in show.text
        assert [request.model for request in show.requests] == ["a", "b", "c"]


async def test_esc_on_a_tile_stops_that_seat_only() -> None:
    show = stage(TRIO)
    async with show.app.run_test(size=(160, 48)) as pilot:
        await ask(pilot, "why")
        await show.pass_(pilot, 1.0)
        await pilot.press("tab", "tab")
        assert focused_seat(show) == Seat(1, 2)
        await pilot.press("escape")
        await settle(pilot)
        await show.pass_(pilot, 20.0)

        assert "The merged answer." in show.text
        assert "two" not in show.requests[-1].messages[0].content
        assert "alpha one" in show.requests[-1].messages[0].content


async def test_x_stops_and_r_starts_the_focused_seat_over() -> None:
    show = stage(TRIO)
    async with show.app.run_test(size=(160, 48)) as pilot:
        await ask(pilot, "why")
        await show.pass_(pilot, 1.0)
        await pilot.press("tab", "3", "x")
        await settle(pilot)
        assert focused_seat(show) == Seat(1, 3)
        assert "■ stopped" in show.text
        await pilot.press("r")
        await show.pass_(pilot, 20.0)

        assert [request.model for request in show.requests] == ["a", "b", "c", "c", "m"]
        assert "gamma three and more still" in show.requests[-1].messages[0].content


async def test_f3_merges_what_is_ready() -> None:
    show = stage(TRIO)
    async with show.app.run_test(size=(160, 48)) as pilot:
        await ask(pilot, "why")
        await show.pass_(pilot, 2.0)
        assert "f3 merge this one now" in show.text
        await pilot.press("f3")
        await show.pass_(pilot, 5.0)

        assert "The merged answer." in show.text
        assert show.requests[-1].messages[0].content.endswith("1. alpha one")


async def test_m_merges_outside_the_composer_and_types_in_it() -> None:
    show = stage(TRIO)
    async with show.app.run_test(size=(160, 48)) as pilot:
        await ask(pilot, "why")
        await show.pass_(pilot, 2.0)
        await pilot.press("m")
        assert show.app.query_one(Draft).text == "m"
        await pilot.press("tab")
        await settle(pilot)
        assert "m merge this one now" in show.text
        await pilot.press("m")
        await show.pass_(pilot, 5.0)

        assert "The merged answer." in show.text


async def test_a_merge_with_nothing_ready_is_refused_in_words() -> None:
    show = stage(TRIO)
    async with show.app.run_test(size=(160, 48), notifications=True) as pilot:
        await ask(pilot, "why")
        await show.pass_(pilot, 1.0)
        assert "merge" not in show.row(-1)
        await pilot.press("f3")
        await settle(pilot)

        assert "No proposal is done yet" in show.text


async def test_prompts_queue_behind_a_run_and_are_sent_when_it_ends_well() -> None:
    show = stage(TRIO)
    async with show.app.run_test(size=(160, 48)) as pilot:
        await ask(pilot, "why")
        await ask(pilot, "and how")
        assert "queued: and how" in show.text
        await show.pass_(pilot, 10.0)
        await show.pass_(pilot, 10.0)

        assert "queued" not in show.text
        asked = [message.content for message in show.requests[-2].messages]
        assert asked == ["why", "The **merged** answer.", "and how"]


async def test_a_stopped_run_holds_the_queue_and_says_so() -> None:
    show = stage(TRIO)
    async with show.app.run_test(size=(160, 48)) as pilot:
        await ask(pilot, "why")
        await ask(pilot, "how")
        await pilot.press("escape")
        await settle(pilot)
        assert "held, since the run was stopped" in show.text
        assert [request.model for request in show.requests] == ["a", "b", "c"]

        await pilot.press("enter")
        await settle(pilot)
        assert [request.model for request in show.requests] == ["a", "b", "c"] * 2
        assert show.requests[-1].messages == (Message("user", "how"),)


async def test_up_brings_the_last_queued_prompt_back_to_be_edited() -> None:
    show = stage(TRIO)
    async with show.app.run_test(size=(160, 48)) as pilot:
        for prompt in ("why", "how", "when"):
            await ask(pilot, prompt)
        await pilot.press("up")
        await settle(pilot)
        assert show.app.query_one(Draft).text == "when"
        assert "queued: how" in show.text
        assert "queued: when" not in show.text
        await pilot.press("x", "enter")
        await settle(pilot)

        assert "queued: whenx" in show.text


async def test_an_empty_prompt_is_refused_in_words() -> None:
    show = stage(TRIO)
    async with show.app.run_test(size=(80, 24)) as pilot:
        await pilot.press("enter")
        await settle(pilot)

        assert "nothing to send yet" in show.text
        assert show.requests == []


async def test_a_failed_run_says_why_and_keeps_the_prompt() -> None:
    show = stage(dict.fromkeys("abcm", _refuses))
    async with show.app.run_test(size=(80, 24)) as pilot:
        await ask(pilot, "why")
        await show.pass_(pilot, 1.0)

        assert "✗ failed" in show.text
        assert "Nothing listens there." in show.text
        assert show.app.query_one(Draft).text == "why"

        await pilot.press(*"how")
        assert show.app.query_one(Draft).text == "how"


async def test_ctrl_c_takes_away_a_prompt_that_came_back_at_once() -> None:
    show = stage(dict.fromkeys("abcm", _refuses))
    async with show.app.run_test(size=(80, 24)) as pilot:
        await ask(pilot, "why")
        await show.pass_(pilot, 1.0)
        await pilot.press("ctrl+c")
        assert show.app.query_one(Draft).text == ""


def _refuses(_request: object) -> list[ProviderError]:
    return [ProviderError("connect", "Nothing listens there.", "Start the server.")]


async def test_an_unknown_endpoint_is_told_before_any_call_and_the_prompt_is_kept() -> None:
    agent = Agent(model="nowhere/x")
    mix = Mixture(layers=(Layer(proposers=(agent,)),), aggregator=Aggregator(agent=agent))
    show = stage(TRIO, mix)
    async with show.app.run_test(size=(80, 24)) as pilot:
        await ask(pilot, "why")

        assert "unknown endpoint 'nowhere'" in show.text
        assert show.app.query_one(Draft).text == "why"


async def test_tab_goes_from_composer_to_tiles_to_answer_and_i_comes_back() -> None:
    show = stage(TRIO)
    async with show.app.run_test(size=(160, 48)) as pilot:
        await ask(pilot, "why")
        await show.pass_(pilot, 1.0)
        seats = []
        for _ in range(3):
            await pilot.press("tab")
            seats.append(focused_seat(show))
        assert seats == [Seat(1, 1), Seat(1, 2), Seat(1, 3)]
        await pilot.press("tab")
        assert show.app.focused is not None
        assert type(show.app.focused).__name__ == "AnswerView"
        await pilot.press("i")
        assert isinstance(show.app.focused, Draft)
        await pilot.press("shift+tab", "2")
        assert focused_seat(show) == Seat(1, 2)


async def test_the_focus_goes_to_the_answer_when_the_tiles_fold() -> None:
    show = stage(TRIO)
    async with show.app.run_test(size=(160, 48)) as pilot:
        await ask(pilot, "why")
        await pilot.press("tab")
        await show.pass_(pilot, 6.0)

        assert isinstance(show.app.focused, AnswerView)


async def test_f5_runs_the_last_prompt_anew_without_its_old_answer() -> None:
    show = stage(TRIO)
    async with show.app.run_test(size=(160, 48)) as pilot:
        await ask(pilot, "why")
        await show.pass_(pilot, 10.0)
        await pilot.press("f5")
        await show.pass_(pilot, 10.0)

        assert show.requests[-2].messages == (Message("user", "why"),)
        assert len(show.requests) == 8


@pytest.mark.parametrize("keys", [("ctrl+q",), ("ctrl+d",), ("ctrl+c", "ctrl+c")])
async def test_it_quits(keys: tuple[str, ...]) -> None:
    show = stage(TRIO)
    async with show.app.run_test() as pilot:
        await pilot.press(*keys)

        assert not show.app.is_running


@pytest.mark.parametrize("word", ["exit", "quit"])
async def test_the_words_exit_and_quit_alone_quit(word: str) -> None:
    show = stage(TRIO)
    async with show.app.run_test() as pilot:
        await ask(pilot, word)

        assert not show.app.is_running
        assert show.requests == []


async def test_quitting_mid_race_ends_every_stream() -> None:
    show = stage(TRIO)
    async with show.app.run_test() as pilot:
        await ask(pilot, "why")
        await show.pass_(pilot, 1.0)
        await pilot.press("ctrl+q", "ctrl+q")

    assert not show.app.is_running
    assert show.app.return_code == 0


async def test_ctrl_c_stops_a_run_then_clears_the_composer_then_asks() -> None:
    show = stage(TRIO)
    async with show.app.run_test(size=(160, 48)) as pilot:
        await ask(pilot, "why")
        await pilot.press("x", "ctrl+c")
        await settle(pilot)
        assert "■ stopped" in show.text
        assert show.app.query_one(Draft).text == "x"
        await pilot.press("ctrl+c")
        assert show.app.query_one(Draft).text == ""
        await pilot.press("ctrl+c")
        await settle(pilot)
        assert "press ctrl+c again to quit" in show.text
        await show.pass_(pilot, 2.0)
        assert "press ctrl+c again to quit" not in show.text
        assert show.app.is_running


async def test_ctrl_c_copies_what_is_selected_in_the_composer() -> None:
    show = stage(TRIO)
    async with show.app.run_test() as pilot:
        await pilot.press("a", "b", "shift+left", "ctrl+c")

        assert show.app.clipboard == "b"
        assert show.app.query_one(Draft).text == "ab"


async def test_a_screen_that_is_too_small_says_so_and_the_race_goes_on() -> None:
    show = stage(TRIO)
    async with show.app.run_test(size=(80, 24)) as pilot:
        await ask(pilot, "why")
        await pilot.resize_terminal(20, 5)
        await show.pass_(pilot, 10.0)
        assert " ".join(show.text.split()) == "moa-tui needs 60x20, this is 20x5"
        await pilot.resize_terminal(100, 30)
        await settle(pilot)

        assert "The merged answer." in show.text
        assert isinstance(show.app.focused, Draft)


async def test_the_sidebar_stands_open_from_120_columns() -> None:
    show = stage(TRIO)
    async with show.app.run_test(size=(120, 40)) as pilot:
        assert "Temperature" in show.text
        await pilot.resize_terminal(119, 40)
        await settle(pilot)
        assert "Temperature" not in show.text


async def test_an_example_is_chosen_with_the_keys() -> None:
    show = stage(TRIO)
    async with show.app.run_test(size=(80, 24)) as pilot:
        await pilot.press("tab", "down", "enter")
        await settle(pilot)

        assert show.requests[0].messages[-1].content == "Implement a Snake game using Python."
        assert isinstance(show.app.focused, Draft)


async def test_an_example_is_chosen_with_the_mouse() -> None:
    show = stage(TRIO)
    async with show.app.run_test(size=(80, 24)) as pilot:
        row = next(n for n, row in enumerate(show.text.split("\n")) if "machine learning" in row)
        await pilot.click(Welcome, offset=(12, row - 1))
        await settle(pilot)

        assert len(show.requests) == 3


async def test_the_demo_says_what_it_is_and_starts_by_itself() -> None:
    show = stage(TRIO, is_demo=True)
    async with show.app.run_test(size=(160, 48)) as pilot:
        await settle(pilot)

        assert "demo, texts written beforehand" in show.row(0)
        assert len(show.requests) == 3


async def test_a_pasted_megabyte_is_sent_whole_and_shown_as_a_chip() -> None:
    show = stage(TRIO)
    text = "line of text\n" * 80_000
    async with show.app.run_test(size=(80, 24)) as pilot:
        show.app.query_one(Draft).post_message(events.Paste(text))
        await settle(pilot)
        await pilot.press("enter")
        await settle(pilot)

        assert show.requests[0].messages[-1].content == text.strip()
        assert "[pasted 1.0 MB]" in show.row(0)


async def test_enter_fetches_the_model_with_progress_then_answers_the_prompt() -> None:
    show = stage(TRIO, needs_fetch=True)
    async with show.app.run_test(size=(80, 24)) as pilot:
        assert "enter fetches SmolLM2 (98 MB, Apache-2.0), then answers" in show.text
        await ask(pilot, "why")
        show.embedded.steps.put_nowait((49_000_000, 98_000_000))
        await settle(pilot)
        assert "49 MB of 98 MB  50%" in show.text
        assert show.requests == []

        show.embedded.steps.put_nowait(None)
        await settle(pilot)
        await show.pass_(pilot, 10.0)
        assert "The merged answer." in show.text


async def test_esc_stops_the_download_and_the_prompt_is_kept() -> None:
    show = stage(TRIO, needs_fetch=True)
    async with show.app.run_test(size=(80, 24)) as pilot:
        await ask(pilot, "why")
        await pilot.press("escape")
        await settle(pilot)

        assert "Nothing half is left" in show.text
        assert show.app.query_one(Draft).text == "why"


async def test_a_failed_download_says_why_and_the_prompt_is_kept() -> None:
    show = stage(TRIO, needs_fetch=True)
    show.embedded.failure = "No network: the registry can't be reached."
    async with show.app.run_test(size=(80, 24)) as pilot:
        await ask(pilot, "why")
        show.embedded.steps.put_nowait(None)
        await settle(pilot)

        assert "✗ No network: the registry can't be reached." in show.text
        assert show.app.query_one(Draft).text == "why"


async def test_notices_stand_on_the_empty_screen() -> None:
    show = stage(TRIO, notices=["presets/mine.toml: line 3, column 4: not TOML"])
    async with show.app.run_test(size=(80, 24)):
        assert "! presets/mine.toml: line 3, column 4: not TOML" in show.text


async def test_an_unknown_theme_is_told_and_the_screen_still_comes() -> None:
    show = stage(TRIO, theme="moa-drak")
    async with show.app.run_test(size=(160, 48), notifications=True) as pilot:
        await settle(pilot)

        assert "There is no theme 'moa-drak'" in show.text


@pytest.mark.parametrize("theme", ["moa-light", "moa-contrast", "moa-ansi", "nord", "ansi-dark"])
async def test_a_race_runs_in_every_kind_of_theme(theme: str) -> None:
    show = stage(TRIO, theme=theme)
    async with show.app.run_test(size=(80, 24)) as pilot:
        await ask(pilot, "why")
        await show.pass_(pilot, 20.0)

        assert "The merged answer." in show.text


async def test_the_footer_names_only_keys_that_work() -> None:
    show = stage(TRIO)
    async with show.app.run_test(size=(160, 48)) as pilot:
        idle = " ".join(show.row(-1).split())
        await ask(pilot, "why")
        await show.pass_(pilot, 2.0)
        writing = " ".join(show.row(-1).split())
        await pilot.press("tab", "2")
        await settle(pilot)
        watching = " ".join(show.row(-1).split())

    assert idle == (
        "enter send ^j new line tab examples ^p commands f9 sidebar ^g jump f1 help ^q quit"
    )
    assert writing == (
        "esc stop enter queue f3 merge now ^j new line tab tiles f10 zoom ^p commands f9 sidebar"
        " ^g jump f1 help ^q quit"
    )
    assert watching == (
        "esc stop seat m merge now r retry i composer 1-9 seat z zoom p pin y copy w race view"
        " t thinking ^p commands f9 sidebar ^g jump ? help ^q quit"
    )


async def test_a_seat_is_called_by_its_label_wherever_it_stands() -> None:
    poet = replace(mixture("ab"), layers=(Layer(proposers=(Agent(model="t/a", label="poet"),)),))
    show = stage(TRIO, poet)
    async with show.app.run_test(size=(160, 48)) as pilot:
        await ask(pilot, "why")
        await show.pass_(pilot, 1.0)
        racing = show.text
        await show.pass_(pilot, 10.0)
        done = show.text

    assert "1  poet · a" in racing
    assert "1  poet · a" in done


async def test_what_six_seats_say_alike_is_said_once() -> None:
    show = stage(TRIO)
    async with show.app.run_test(size=(160, 48), notifications=True) as pilot:
        for _ in range(6):
            show.app.notify("temperature ends at 2", markup=False)
        show.app.notify("something else", markup=False)
        await settle(pilot)
        said = show.text

    assert said.count("temperature ends at 2") == 1
    assert said.count("something else") == 1
    assert said.index("temperature ends at 2") < said.index("Ask ·")
