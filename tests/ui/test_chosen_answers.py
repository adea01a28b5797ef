"""Answers that are a proposal word for word: how the screen tells whose, and why."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import racing
from ui_fakes import TRIO, ask, mixture, says, settle, stage

from moa_tui.engine.mixture import Agent, Aggregator, Mixture, Seat
from moa_tui.engine.provider import Finish, Text, Thinking
from moa_tui.engine.state import state_after
from moa_tui.ui import words
from moa_tui.ui.live import merged_again

if TYPE_CHECKING:
    from ui_fakes import Stage

    from moa_tui.engine.mixture import StrategyName

WIDE = (160, 48)
JUDGE = Agent(model="scripted/m", seed=0)
"""Sees the second proposal of three first, then the third."""
PICKED = {**TRIO, "m": says("A")}
VOTED = {"a": says("Lyon"), "b": says("**Paris**."), "c": says("paris")}


def taking(strategy: StrategyName, **merging: object) -> Mixture:
    mix = mixture()
    agent = replace(JUDGE, model=mix.aggregator.agent.model) if mix.aggregator.agent else None
    return replace(mix, aggregator=Aggregator(**{"agent": agent, "strategy": strategy, **merging}))  # type: ignore[arg-type] # real fields


def voting() -> Stage:
    return stage(VOTED, taking("vote", agent=None))


@pytest.mark.parametrize("size", [WIDE, (100, 30), (80, 24), (60, 20)])
async def test_a_picked_answer_says_whose_it_is_and_who_picked_it(size: tuple[int, int]) -> None:
    show = stage(PICKED, taking("pick"))
    async with show.app.run_test(size=size) as pilot:
        await ask(pilot, "why")
        await show.pass_(pilot, 30.0)
        assert "beta two" in show.text
        assert "★ b" in show.text
        assert "proposal 2" in show.text
        assert "✓ done" in show.text
        if size[0] >= 80:
            assert "This is proposal 2 as it was written, by" in show.text
            assert "picked from 3 by m" in show.text


async def test_while_the_judge_chooses_its_letter_is_no_answer_and_its_thinking_is_shown() -> None:
    judge = says("A", " is best", gap_s=5.0, thinks=("Weighing them.",))
    show = stage({**TRIO, "m": judge}, taking("pick"))
    async with show.app.run_test(size=WIDE) as pilot:
        await ask(pilot, "why")
        await show.pass_(pilot, 10.0)
        assert "★ m" in show.text
        assert words.CHOOSES in show.text
        assert "picking" in show.text.splitlines()[0]
        assert "Weighing them." in show.text
        await show.pass_(pilot, 30.0)
        assert "Weighing them." not in show.text
        assert "beta two" in show.text


async def test_a_judge_that_names_none_fails_the_run_with_what_can_be_done() -> None:
    show = stage({**TRIO, "m": says("All fine.")}, taking("pick"))
    async with show.app.run_test(size=WIDE) as pilot:
        await ask(pilot, "why")
        await show.pass_(pilot, 30.0)
        assert "named no proposal as the best, it said: All fine." in show.text
        assert "Take a proposal as the answer" in show.text
        assert "★ m   ✗ failed" in show.text
        for key in ("tab", "1", "a"):
            await pilot.press(key)
            await settle(pilot)
        assert "This is proposal 1 as it was written" in show.text


@pytest.mark.parametrize(
    "mix",
    [mixture(), taking("vote", agent=None), replace(taking("pick"), layers=mixture("a").layers)],
    ids=["synthesize", "vote", "pick of one"],
)
async def test_a_layers_line_says_that_it_is_folded_however_the_answer_came(mix: Mixture) -> None:
    show = stage(VOTED | {"m": says("B")}, mix)
    async with show.app.run_test(size=WIDE) as pilot:
        await ask(pilot, "why")
        await show.pass_(pilot, 30.0)
        assert "▸ ✓ Layer 1" in show.text
        assert "a full lane is" in show.text

        await pilot.press("tab", "p")
        await settle(pilot)
        assert "▾ pinned  ✓ Layer 1" in show.text
        await pilot.press("p")
        await settle(pilot)
        assert "▸ ✓ Layer 1" in show.text


async def test_a_vote_tells_how_many_agree_and_calls_nobody_else() -> None:
    show = voting()
    async with show.app.run_test(size=WIDE) as pilot:
        assert "next 3 calls" in show.text
        await ask(pilot, "why")
        await show.pass_(pilot, 0.5)
        assert "★ a vote" in show.text
        await show.pass_(pilot, 30.0)
        assert "proposal 2, 2 of 3 agree" in show.text
        assert "This is proposal 2 as it was written, by" in show.text
    assert [request.model for request in show.requests] == ["a", "b", "c"]


async def test_the_empty_pane_says_that_one_of_them_is_picked_or_that_most_win() -> None:
    show = stage(PICKED, taking("pick"))
    async with show.app.run_test(size=WIDE):
        assert "★ m picks  ─▸  one of them" in show.text
        flat = " ".join(show.text.replace("▕", "").split())
        assert "m then reads all three and picks the best, which is the answer word" in flat
        assert "next 3 + 1 = 4 calls" in show.text
    show = voting()
    async with show.app.run_test(size=WIDE):
        assert "★ a vote  ─▸  one of them" in show.text
        assert "wins, word for word" in show.text


def test_proposals_are_merged_again_by_another_strategy_and_nobody_is_called() -> None:
    mix = racing.mixture("abc")
    said = {name: racing.says(text) for name, text in zip("abc", ("x", "y", "Y"), strict=True)}
    run = state_after(racing.race(mix, said | {"m": racing.says("z")}).events)
    again = merged_again(run, Aggregator(strategy="vote"))
    assert again is not None
    voted = racing.race(again[0], {}, given=again[1])
    assert voted.requests == []
    state = state_after(voted.events)
    assert (state.answer, words.how_made(state)) == ("y", "proposal 2, 2 of 3 agree")
    assert state.speaker is state.seats[Seat(1, 2)]


async def test_another_version_is_picked_anew() -> None:
    show = stage(PICKED, taking("pick"))
    async with show.app.run_test(size=WIDE) as pilot:
        await ask(pilot, "why")
        await show.pass_(pilot, 30.0)
        for key in ("tab", "g"):
            await pilot.press(key)
            await settle(pilot)
        await show.pass_(pilot, 30.0)
        assert "version 2 of 2" in show.text
        assert "proposal 2, picked from 3 by m" in show.text
        await pilot.press("left_square_bracket")
        await settle(pilot)
        assert "version 1 of 2" in show.text
        assert "proposal 2, picked from 3 by m" in show.text
    assert [request.model for request in show.requests] == ["a", "b", "c", "m", "m"]


async def test_a_word_for_word_answer_says_of_no_sentence_that_it_is_new() -> None:
    said = (
        "Sunlight holds all colours of the rainbow at once.",
        "Molecules of the air scatter short waves most.\n\nOne more sentence that nobody shares.",
        "Violet is absorbed by the ozone high above.",
    )
    scripts = dict(zip("abc", map(says, said), strict=True))
    show = stage({**scripts, "m": says("A")}, taking("pick"))
    async with show.app.run_test(size=WIDE) as pilot:
        await ask(pilot, "why")
        await show.pass_(pilot, 30.0)
        await settle(pilot)
        assert "only 2" in show.text
        marks = [row[33:45] for row in show.text.splitlines()]
        assert not any("new" in mark for mark in marks)


async def test_the_thinking_and_the_limit_of_the_chosen_proposal_are_told() -> None:
    def cut(_request: object) -> tuple[Thinking | Text | Finish, ...]:
        return (Thinking("Hm, why?"), Text("beta, and th"), Finish("length"))

    show = stage({**PICKED, "b": cut}, taking("pick"))
    async with show.app.run_test(size=WIDE) as pilot:
        await ask(pilot, "why")
        await show.pass_(pilot, 30.0)
        assert "beta, and th" in show.text
        assert "The answer is cut at its limit of 2,048 tokens" in show.text
        assert "thought" in show.text


@pytest.mark.parametrize(
    ("strategy", "said"), [("vote", "Counting 1 proposal"), ("pick", "Picking from 1 proposal")]
)
async def test_merge_now_says_that_it_counts_or_picks(strategy: StrategyName, said: str) -> None:
    slow = {"b": says("Nice", gap_s=50.0), "c": says("x", gap_s=50.0)}
    show = stage(VOTED | slow, taking(strategy))
    async with show.app.run_test(size=WIDE, notifications=True) as pilot:
        await ask(pilot, "why")
        await show.pass_(pilot, 2.0)
        await pilot.press("f3")
        await settle(pilot)
        assert said in show.text
        await show.pass_(pilot, 5.0)
        assert "the only proposal" in show.text
