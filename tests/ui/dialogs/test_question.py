"""A question: answered by keys and clicks, read in full whatever stands in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from dialog_fakes import NARROW, NARROWEST, WIDE, opened

from moa_tui.ui.dialogs.question import Answers, Question

if TYPE_CHECKING:
    from collections.abc import Callable

TEXT = "Two models are still writing. Quitting stops them and loses what is on its way."
URL = "https://somewhere.test/" + "a-long-path/" * 20 + "[b]end[/b]"


def question(text: str = TEXT, detail: str = "") -> Callable[[], Question]:
    return lambda: Question("Quit?", text, yes="quit", detail=detail)


async def test_it_says_what_it_asks_and_what_the_keys_answer() -> None:
    async with opened(question(), size=NARROW) as now:
        assert now.card[0] == " Quit?"
        assert " ".join(" ".join(now.card[1:-1]).split()) == TEXT
        assert now.card[-1] == " enter quit  esc keep going"
        assert len(now.card) == 6


@pytest.mark.parametrize(
    ("key", "answer"), [("enter", True), ("y", True), ("escape", False), ("n", False)]
)
async def test_keys_answer(key: str, answer: bool) -> None:  # noqa: FBT001 - a parameter of the test
    async with opened(question(), keys=(key,)) as now:
        assert now.results == [answer]


async def test_another_key_answers_nothing() -> None:
    async with opened(question(), keys=("x", "space", "tab")) as now:
        assert now.results == []


@pytest.mark.parametrize(("x", "results"), [(3, [True]), (16, [False]), (50, [])])
async def test_clicks_on_an_answer_give_it(x: int, results: list[bool]) -> None:
    async with opened(question()) as now:
        await now.pilot.click(Answers, offset=(x, 0))
        await now.settle()
        assert now.results == results


async def test_a_click_beside_the_card_is_no() -> None:
    async with opened(question(), size=WIDE) as now:
        await now.pilot.click(offset=(1, 1))
        await now.settle()
        assert now.results == [False]


@pytest.mark.parametrize("size", [WIDE, NARROW, NARROWEST])
async def test_an_address_is_shown_in_full_and_never_as_markup(size: tuple[int, int]) -> None:
    async with opened(question("Open it?", URL), size=size) as now:
        assert "".join("".join(now.card[3:-1]).split()) == URL


async def test_controls_in_it_are_made_visible() -> None:
    async with opened(question("first\x1b[31m\nsecond", "a\u202eb\nc")) as now:
        assert now.card[2:6] == [" first␛[31m", " second", "", " a�b c"]


async def test_a_question_longer_than_the_screen_scrolls_above_its_answers() -> None:
    text = "\n".join(f"row {number}" for number in range(40))
    async with opened(question(text), size=NARROWEST) as now:
        assert now.card[0] == " Quit?"
        assert now.card[-1].startswith(" enter quit")
        assert "row 39" not in now.text
        await now.press(*["j"] * 30)
        assert "row 39" in now.text
        await now.press("enter")
        assert now.results == [True]
