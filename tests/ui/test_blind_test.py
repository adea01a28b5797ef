"""The answer and its proposals are judged without names; then all is told, and kept."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from store_fake import FakeStore
from ui_fakes import TRIO, Stage, ask, mixture, says, settle, stage

from moa_tui.engine.mixture import Agent, Aggregator, Seat
from moa_tui.ui.dialogs.blind import BlindTest, Wins
from moa_tui.ui.dialogs.blind_words import NO_TEXTS

if TYPE_CHECKING:
    from textual.pilot import Pilot

    from moa_tui.engine.mixture import StrategyName

WIDE, NARROW = (160, 48), (80, 24)
NAMES = ("alpha one", "beta two and more", "gamma three and more still")
ANSWER = "The merged answer."


async def press(show: Stage, pilot: Pilot[None], *keys: str) -> None:
    for key in keys:
        await pilot.press(key)
        await settle(pilot)
        groups = ("judging", "judge", "stored", "opening")
        if busy := [one for one in show.app.workers if one.group in groups]:
            await show.app.workers.wait_for_complete(busy)
        await settle(pilot)


async def judge(show: Stage, pilot: Pilot[None], text: str = "why") -> None:
    """Ask, and open the blind test of the answer."""
    await ask(pilot, text)
    await show.pass_(pilot, 30.0)
    await press(show, pilot, "tab", "b")


def places(show: Stage) -> dict[str, int]:
    """Return which text stands where, by its beginning, in columns beside each other."""
    row = next(line for line in show.text.split("\n") if "alpha one" in line)
    starts = {text.split()[0]: row.index(text.split()[0]) for text in (*NAMES, ANSWER)}
    return {text: place for place, text in enumerate(sorted(starts, key=lambda one: starts[one]))}


async def test_the_texts_stand_side_by_side_without_names() -> None:
    show = stage(TRIO)
    async with show.app.run_test(size=WIDE) as pilot:
        await judge(show, pilot)
        assert isinstance(show.app.screen, BlindTest)
        assert all(text in show.text for text in (*NAMES, ANSWER))
        heads = show.row(2).split()
        assert [word for word in heads if word in "ABCD"] == ["A", "B", "C", "D"]
        below = "\n".join(show.text.split("\n")[1:])
        assert "★" not in below
        assert "merged by" not in below
        assert not any(name in below.split() for name in ("a", "b", "c", "m"))


async def test_a_pick_reveals_who_wrote_which_and_what_all_tests_add_up_to() -> None:
    show = stage(TRIO)
    async with show.app.run_test(size=WIDE) as pilot:
        await judge(show, pilot)
        of_answer = places(show)["The"]
        await press(show, pilot, *["right"] * of_answer, "enter")
        assert "★ merged by m" in show.row(2)
        assert show.row(2).count("✓ your pick") == 1
        assert f"You picked {'ABCD'[of_answer]}: ★ merged by m." in show.text
        assert (
            "So far ★, the mixture's answer, won 1 of 1 test, 100 %; by chance 25 %." in show.text
        )
        assert "It counts until you leave" in show.text
        await press(show, pilot, "enter")
        assert not isinstance(show.app.screen, BlindTest)


async def test_a_test_is_made_once_and_shown_again() -> None:
    show = stage(TRIO)
    async with show.app.run_test(size=WIDE) as pilot:
        await judge(show, pilot)
        letter = "ABCD"[places(show)["beta"]]
        await press(show, pilot, letter.lower(), "enter", "escape", "b")
        assert f"You picked {letter}: 2 b." in show.text
        before = show.row(2)
        await press(show, pilot, "n", "right", "enter", "b")
        assert show.row(2) == before


async def test_none_may_be_better() -> None:
    show = stage(TRIO)
    async with show.app.run_test(size=WIDE) as pilot:
        await judge(show, pilot)
        await press(show, pilot, "n")
        assert "None of them was better." in show.text
        await press(show, pilot, "B")
        assert isinstance(show.app.screen, Wins)
        assert "Not counted: 1 in which none was better." in show.text


async def test_leaving_it_picks_nothing() -> None:
    show = stage(TRIO)
    async with show.app.run_test(size=WIDE) as pilot:
        await judge(show, pilot)
        await press(show, pilot, "escape", "B")
        assert "Nothing was judged so far." in show.text
        await press(show, pilot, "escape", "b")
        assert "Read them, then choose." in show.text


async def test_it_is_kept_with_the_run_and_read_again() -> None:
    kept = FakeStore()
    show = stage(TRIO, mixture(), store=lambda: kept)
    async with show.app.run_test(size=WIDE) as pilot:
        await judge(show, pilot)
        letter = "ABCD"[places(show)["gamma"]]
        await press(show, pilot, letter.lower(), "enter")
        assert "It counts until" not in show.text
    (run,) = kept.runs.values()
    assert [(one.seat, one.model) for one in run.test if one.is_picked] == [(Seat(1, 3), "t/c")]
    (session,) = kept.all

    again = stage(TRIO, store=lambda: kept, session=session)
    async with again.app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        await press(again, pilot, "tab", "b")
        assert f"You picked {letter}: 3 c." in again.text
        await press(again, pilot, "B")
        assert [line.split()[-6:] for line in again.text.split("\n") if "t/c" in line] == [
            ["1", "1", "100", "%", "25", "%"]
        ]


async def test_the_same_text_stands_once_and_wins_for_all_who_said_it() -> None:
    show = stage({**TRIO, "a": says("42"), "b": says("42"), "m": says("42")})
    async with show.app.run_test(size=WIDE) as pilot:
        await judge(show, pilot)
        letter = "A" if show.text.index("42") < show.text.index("gamma") else "B"
        await press(show, pilot, letter.lower(), "enter")
        assert f"You picked {letter}: 1 a = 2 b = ★ merged by m." in show.text


async def test_there_is_nothing_to_judge_in_texts_that_are_all_the_same() -> None:
    show = stage(dict.fromkeys("abcm", says("42")))
    async with show.app.run_test(size=WIDE) as pilot:
        await judge(show, pilot)
        assert not isinstance(show.app.screen, BlindTest)
        said = [note.message for note in show.app._notifications]  # noqa: SLF001 - what stands there
        assert said == [NO_TEXTS]


async def test_there_is_nothing_to_judge_before_the_end() -> None:
    show = stage(TRIO)
    async with show.app.run_test(size=WIDE) as pilot:
        await press(show, pilot, "tab", "b")
        await ask(pilot, "why")
        await show.pass_(pilot, 2.0)
        await press(show, pilot, "b")
        assert not isinstance(show.app.screen, BlindTest)


async def test_where_there_is_no_room_one_text_is_open_at_a_time() -> None:
    show = stage(TRIO)
    async with show.app.run_test(size=NARROW) as pilot:
        await judge(show, pilot)
        heads = [line for line in show.text.split("\n") if line[2:4] in ("▾ ", "▸ ")]
        assert [line[2:5] for line in heads] == ["▾ A", "▸ B", "▸ C", "▸ D"]
        open_now = [text for text in (*NAMES, ANSWER) if text in show.text]
        assert len(open_now) == 1
        await press(show, pilot, "tab")
        assert [text for text in (*NAMES, ANSWER) if text in show.text] != open_now
        await press(show, pilot, "4", "enter")
        assert "You picked D" in show.text


async def test_a_text_can_have_all_the_room() -> None:
    show = stage(TRIO)
    async with show.app.run_test(size=WIDE) as pilot:
        await judge(show, pilot)
        await press(show, pilot, "z")
        assert len([text for text in (*NAMES, ANSWER) if text in show.text]) == 1
        await press(show, pilot, "z")
        assert all(text in show.text for text in (*NAMES, ANSWER))


async def test_a_race_without_an_answer_is_judged_too() -> None:
    race = replace(mixture(), aggregator=Aggregator(strategy="none"))
    show = stage(TRIO, race)
    async with show.app.run_test(size=WIDE) as pilot:
        await judge(show, pilot)
        assert all(text in show.text for text in NAMES)
        await press(show, pilot, "enter")
        assert "You picked A" in show.text
        assert "So far" not in show.text


async def test_the_proposal_that_was_liked_best_becomes_the_answer() -> None:
    show = stage(TRIO)
    async with show.app.run_test(size=WIDE) as pilot:
        await judge(show, pilot)
        of_answer, letter = places(show)["The"], "abcd"[places(show)["beta"]]
        await press(show, pilot, letter, "t")
        assert "Read them, then choose." in show.text
        await press(show, pilot, "enter", "abcd"[of_answer], "t")
        assert "You picked" in show.text
        await press(show, pilot, letter, "t")
        assert "This is proposal 2 as it was written, by t/b." in show.text
        assert "[ version 2 of 2 ]" in show.text


@pytest.mark.parametrize(("strategy", "said"), [("pick", "★ picked by m"), ("vote", "★ voted")])
async def test_an_answer_that_was_chosen_is_told_as_such(strategy: StrategyName, said: str) -> None:
    agent = None if strategy == "vote" else Agent(model="t/m")
    mix = replace(mixture(), aggregator=Aggregator(agent=agent, strategy=strategy))
    show = stage({**TRIO, "m": says("B"), "a": says("42"), "c": says("42")}, mix)
    async with show.app.run_test(size=WIDE) as pilot:
        await judge(show, pilot)
        await press(show, pilot, "enter")
        assert said in show.text
        assert "merged by" not in show.text
