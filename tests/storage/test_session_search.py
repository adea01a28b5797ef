"""What was said is found while it is typed, in any language."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from storage.shelf import ONE, HandClock, asked, run_of, stored, told

from moa_tui.storage.search import Query

if TYPE_CHECKING:
    from pathlib import Path

PROMPT = "请用Python实现一个贪吃蛇游戏"


@pytest.mark.parametrize(
    "typed",
    [
        "贪吃蛇",
        "贪吃",
        "游戏",
        "蛇",
        "戏",
        "Python",
        "pyth",
        "PYTHON",
        "用python",
        "实现 贪吃",
        "一个贪吃蛇游戏",
    ],
)
async def test_a_prompt_is_found_by(typed: str, tmp_path: Path) -> None:
    async with stored(tmp_path) as store:
        session = store.begin_session()
        store.begin_turn(session, asked(PROMPT))
        (hit,) = await store.search(typed)
        assert (hit.session, hit.where) == (session, "prompt")
        assert hit.text == PROMPT
        assert hit.text[hit.start : hit.end].lower() in typed.lower()


@pytest.mark.parametrize("typed", ["蛇贪", "贪蛇", "贪吃戏", "thon", "", "  ", '"', "* OR", "java"])
async def test_a_prompt_is_not_found_by(typed: str, tmp_path: Path) -> None:
    async with stored(tmp_path) as store:
        store.begin_turn(store.begin_session(), asked(PROMPT))
        assert await store.search(typed) == []


async def test_pairs_that_stand_apart_are_no_hit(tmp_path: Path) -> None:
    async with stored(tmp_path) as store:
        store.begin_turn(store.begin_session(), asked("贪吃的人，吃蛇的人"))
        assert await store.search("贪吃蛇") == []


async def test_answers_proposals_and_names_are_found_and_told_apart(tmp_path: Path) -> None:
    async with stored(tmp_path) as store:
        session = store.begin_session()
        turn = store.begin_turn(session, asked("Why is the sky blue?"))
        run = await told(store, turn, run_of("Rayleigh scattering", "Tyndall effect", "no idea"))
        (answer,) = await store.search("rayl")
        assert (answer.where, answer.run, answer.text) == ("answer", run, "Rayleigh scattering")
        (proposal,) = await store.search("tyndall")
        assert (proposal.where, proposal.seat, proposal.turn) == ("proposal", ONE, turn)
        (both,) = await store.search("sky rayleigh")
        assert both.run == run
        store.rename(session, "Physics")
        (name,) = await store.search("hysic")
        assert (name.where, name.text[name.start : name.end]) == ("title", "hysic")


async def test_a_taken_proposal_is_found_as_the_answer_until_it_is_deleted(tmp_path: Path) -> None:
    async with stored(tmp_path) as store:
        session = store.begin_session()
        turn = store.begin_turn(session, asked("?"))
        run = await told(store, turn, run_of("aa", "kangaroo", "wombat"))
        store.take(turn, run, ONE, "kangaroo")
        found = await store.search("kangaroo")
        assert [(hit.text, hit.where) for hit in found] == [("kangaroo", "answer")]
        store.delete(session)
        await store.erase_deleted()
        assert await store.search("kangaroo") == []


async def test_hits_are_newest_first_one_a_turn(tmp_path: Path) -> None:
    clock = HandClock()
    async with stored(tmp_path, clock=clock) as store:
        turns = []
        for number in range(5):
            clock.at += 60
            turns.append(store.begin_turn(store.begin_session(), asked(f"apple {number}")))
            await told(store, turns[-1], run_of("apple pie", "apple", "apples"))
        hits = await store.search("apple", limit=3)
        assert [hit.turn for hit in hits] == turns[:1:-1]


def test_an_excerpt_is_one_line_around_the_match() -> None:
    text, start, end = Query.of("needle").excerpt("hay\n" * 100 + "needle\n" + "straw " * 100)
    assert text[start:end] == "needle"
    assert text.startswith("…")
    assert len(text) < 200
    assert "\n" not in text


def test_a_match_at_a_words_beginning_is_marked_first() -> None:
    text, start, _ = Query.of("art").excerpt("start of art")
    assert text[start - 1 :] == " art"
