"""A conversation's cost is summed, and its budget is asked about before it is passed."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

import pytest
from ui_fakes import Stage, ask, mixture, says, settle, stage

from moa_tui.config import Preferences
from moa_tui.engine.cost import Cost
from moa_tui.engine.provider import Finish, Price, Text, Usage
from moa_tui.engine.state import RunState
from moa_tui.errors import ConfigError
from moa_tui.providers.scripted import ScriptedProvider, Wait
from moa_tui.ui.composer.composer import Draft, Prompt
from moa_tui.ui.settings import KeptSettings
from moa_tui.ui.spending import Spending, spent_in
from moa_tui.ui.turns import Turns

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator

    from textual.pilot import Pilot

    from moa_tui.engine.provider import ChatRequest
    from moa_tui.providers.scripted import Script, Step

PRICES = {name: Price(input=0.0, output=100.0) for name in "abm"}
"""A call that may have 2,048 tokens may cost $0.2048, a run of two proposers $0.6144."""

SIZE = (160, 48)


def bills(tokens: int) -> Script:
    """A model that says a word and counts so many tokens."""

    def script(_request: ChatRequest) -> Iterable[Step]:
        yield Wait(1.0)
        yield Text("so")
        yield Usage(prompt=10, completion=tokens)
        yield Finish("stop")

    return script


def budget_of(dollars: float) -> KeptSettings:
    return KeptSettings(asdict(Preferences(budget=dollars)), {}, remember=lambda *_written: None)


@asynccontextmanager
async def spending(
    budget: float, *, tokens: int = 1000
) -> AsyncIterator[tuple[Stage, Pilot[None]]]:
    scripts = {name: bills(tokens) for name in "abm"}
    show = stage(scripts, mixture("ab"), prices=PRICES, settings=budget_of(budget))
    async with show.app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        yield show, pilot


async def finish(show: Stage, pilot: Pilot[None]) -> None:
    await show.pass_(pilot, 10.0)
    await settle(pilot)


async def test_the_header_sums_the_run_and_the_conversation() -> None:
    async with spending(0.0) as (show, pilot):
        await ask(pilot, "one")
        await finish(show, pilot)
        assert "$0.3000" in show.row(0)
        assert "in all" not in show.row(0)
        await ask(pilot, "two")
        await finish(show, pilot)
        assert "$0.3000 · $0.6000 in all" in show.row(0)


async def test_a_run_that_is_stopped_costs_what_was_said_until_then_by_estimate() -> None:
    def talks(_request: ChatRequest) -> Iterable[Step]:
        yield Wait(1.0)
        yield Text("so it is", pieces=3)
        yield Wait(99.0)

    scripts = {"a": bills(1000), "b": talks, "m": talks}
    show = stage(scripts, mixture("ab"), prices=PRICES, settings=budget_of(0.0))
    async with show.app.run_test(size=SIZE) as pilot:
        await ask(pilot, "one")
        await show.pass_(pilot, 2.0)
        await pilot.press("escape")
        await finish(show, pilot)
        assert "about $0.1003" in show.row(0)
        await ask(pilot, "two")
        await settle(pilot)
        assert "about $0.1003 in all" in show.row(0)


async def test_where_prices_are_known_the_composer_says_what_a_run_may_cost_at_most() -> None:
    async with spending(0.0) as (show, pilot):
        assert "3 calls · up to $0.6144" in show.text
        assert "cost unknown" not in show.text
        await ask(pilot, "one")
        await finish(show, pilot)
        assert "up to $0.6144" in show.text


async def test_what_a_run_may_cost_follows_what_is_written() -> None:
    dear = {name: Price(input=1000.0, output=0.0) for name in "ab"}
    show = stage({}, mixture("a"), prices=dear | {"m": Price(input=0.0, output=0.0)})
    async with show.app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        # A chat is counted as 96 tokens, each of its messages as 16, and 3 letters as one.
        assert "up to $0.1280" in show.text
        await pilot.press(*"eight le")
        await settle(pilot)
        assert "up to $0.1310" in show.text
        await pilot.press("space", "@", "f")
        await settle(pilot)
        assert "up to $0.1330 + files" in show.text


@pytest.mark.parametrize(
    ("prices", "said"),
    [({}, "3 calls\n"), ({"a": Price(0.0, 100.0)}, "3 calls · up to $0.2048, 2 unknown\n")],
)
async def test_of_calls_without_a_price_the_composer_says_how_many(
    prices: dict[str, Price], said: str
) -> None:
    show = stage({}, mixture("ab"), prices=prices)
    async with show.app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        assert said in show.text
        assert "cost unknown" in show.row(0)


async def test_where_the_composer_is_narrow_the_calls_outlast_what_they_may_cost() -> None:
    show = stage({}, mixture("ab"), prices={"a": Price(0.0, 100.0)})
    async with show.app.run_test(size=(70, 24)) as pilot:
        await settle(pilot)
        assert "3 calls\n" in show.text
        assert "up to" not in show.text


def test_what_the_conversation_cost_is_summed_anew_only_when_a_run_has_ended() -> None:
    turns, summed = Turns(), 0
    show = stage({}, mixture("ab"))
    spending = Spending(show.app._ports, turns)  # noqa: SLF001 - as the program has them
    walk = turns.runs

    def counted() -> Iterator[RunState]:
        nonlocal summed
        summed += 1
        yield from walk()

    turns.runs = counted  # type: ignore[method-assign] # to see how often it is walked
    runs = [RunState(status="done", usage=Usage(cost=cost)) for cost in (0.25, 0.5)]
    for run in runs:
        turns.begin(Prompt("why", "why"))
        turns.end(run)
    assert [spending.earlier(run) for run in (*runs, None)] == [
        Cost(0.5),
        Cost(0.25),
        Cost(0.75),
    ]
    assert summed == 1
    turns.begin_version()
    turns.end(RunState(status="done", usage=Usage()))
    assert spending.earlier(runs[0]) == Cost(0.5, 1)
    assert summed == 2


async def test_a_run_that_may_pass_the_budget_is_asked_about_and_sent_on_yes() -> None:
    async with spending(0.5) as (show, pilot):
        await ask(pilot, "dear")
        assert "Pass the budget?" in show.text
        assert "may cost up to $0.6144" in show.text
        assert show.requests == []
        await pilot.press("enter")
        await finish(show, pilot)
        assert len(show.requests) == 3
        # Half a dollar more may be spent before the next question: $0.3 + $0.6144 are within $1.
        await ask(pilot, "again")
        await finish(show, pilot)
        assert len(show.requests) == 6
        await ask(pilot, "and again")
        assert "has cost $0.6000" in show.text


async def test_a_run_that_is_not_sent_gives_its_prompt_back() -> None:
    async with spending(0.5) as (show, pilot):
        await ask(pilot, "dear")
        await pilot.press("escape")
        await settle(pilot)
        assert show.requests == []
        assert show.app.screen.query_one(Draft).text == "dear"


async def test_a_prompt_that_waited_is_held_and_asks_nobody_who_is_writing() -> None:
    async with spending(0.7) as (show, pilot):
        await ask(pilot, "one")
        await ask(pilot, "two")
        await ask(pilot, "three")
        await pilot.press(*"wh")
        await finish(show, pilot)
        await pilot.press("y")
        await settle(pilot)
        assert show.app.screen.query_one(Draft).text == "why"
        assert len(show.requests) == 3
        assert "it may pass the budget" in show.text
        assert show.text.index("two") < show.text.index("three")
        await pilot.press(*("backspace" for _ in "why"), "enter")
        await settle(pilot)
        assert "Pass the budget?" in show.text
        await pilot.press("enter")
        await finish(show, pilot)
        assert [request.messages[-1].content for request in show.requests[3:6]] == ["two"] * 3


async def test_a_question_that_is_asked_otherwise_stays_that_when_it_is_not_sent() -> None:
    async with spending(0.7) as (show, pilot):
        await ask(pilot, "one")
        await finish(show, pilot)
        await pilot.press("tab", "e")
        await settle(pilot)
        await pilot.press("s", "enter")
        await settle(pilot)
        assert "Pass the budget?" in show.text
        await pilot.press("escape")
        await settle(pilot)
        assert show.app.screen.query_one(Draft).text == "ones"
        await pilot.press("enter")
        await settle(pilot)
        await pilot.press("enter")
        await finish(show, pilot)
        assert len(show.requests) == 6
        assert "You   ones" in show.text
        assert "You   one\n" not in show.text


async def test_what_waits_for_an_answer_stands_in_the_composer_meanwhile() -> None:
    async with spending(0.5) as (show, pilot):
        await ask(pilot, "dear")
        assert "Pass the budget?" in show.text
        assert show.app.screen_stack[0].query_one(Draft).text == "dear"


def test_an_endpoint_that_cannot_be_used_is_for_the_run_to_tell() -> None:
    show = stage({}, mixture("ab"), settings=budget_of(0.5))
    ports = replace(show.app._ports, providers=refusing)  # noqa: SLF001 - as the program has them
    assert Spending(ports, Turns()).question(mixture("ab"), "why") == ""


def refusing(name: str, /) -> ScriptedProvider:
    raise ConfigError(f"{name} needs a key")


@pytest.mark.parametrize("budget", [0.0, 0.7])
async def test_nothing_is_asked_without_a_budget_or_within_it(budget: float) -> None:
    async with spending(budget) as (show, pilot):
        await ask(pilot, "fine")
        await finish(show, pilot)
        assert len(show.requests) == 3


async def test_a_small_budget_is_said_as_it_was_written() -> None:
    async with spending(0.001) as (show, pilot):
        await ask(pilot, "dear")
        assert "is $0.001." in show.text


async def test_a_version_is_asked_about_too_and_costs_only_what_it_calls() -> None:
    async with spending(0.7) as (show, pilot):
        await ask(pilot, "fine")
        await finish(show, pilot)
        # Merging again calls the aggregator alone: $0.3 + $0.2048.
        await pilot.press("tab", "g")
        await finish(show, pilot)
        assert len(show.requests) == 4
        await pilot.press("f5")
        await settle(pilot)
        assert "Pass the budget?" in show.text
        await pilot.press("escape")
        await settle(pilot)
        assert len(show.requests) == 4


async def test_what_is_free_is_never_asked_about() -> None:
    show = stage({name: says("so") for name in "abm"}, mixture("ab"), settings=budget_of(0.01))
    async with show.app.run_test(size=SIZE) as pilot:
        await ask(pilot, "free")
        await finish(show, pilot)
        assert len(show.requests) == 3
        assert "free" in show.row(0)


@pytest.mark.parametrize(
    ("run", "spent", "said"),
    [
        (None, Cost(), "free"),
        (RunState(usage=Usage(cost=0.25)), Cost(0.25), "$0.2500"),
        (RunState(usage=Usage()), Cost(0.0, 1), "cost unknown"),
        (
            RunState(spent=(Usage(cost=0.25), Usage()), usage=Usage()),
            Cost(0.25, 1),
            "≥ $0.2500, 1 unknown",
        ),
    ],
)
def test_what_a_run_cost_is_read_from_its_calls_else_from_its_sum(
    run: RunState | None, spent: Cost, said: str
) -> None:
    assert spent_in(run) == spent
    assert str(spent) == said
