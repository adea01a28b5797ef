"""A run costs no more than was said before it, whatever its strategy needs."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from racing import FakeCatalogue, mixture, race

from moa_tui.engine.cost import Cost
from moa_tui.engine.forecast import Forecast, most_tokens
from moa_tui.engine.mixture import Agent
from moa_tui.engine.prompt import Conversation
from moa_tui.engine.provider import Endpoint, Finish, ModelInfo, Price, Text, Usage
from moa_tui.engine.state import state_after

if TYPE_CHECKING:
    from collections.abc import Iterable

    from moa_tui.engine.merge import StrategyName
    from moa_tui.engine.mixture import ContextRule, Mixture
    from moa_tui.engine.provider import ChatRequest
    from moa_tui.providers.scripted import Step

LONGEST = 100
PRICE = Price(input=1000.0, output=3000.0)
PRICED = Endpoint(name="t", kind="scripted", prices=dict.fromkeys("abcdefmn", PRICE))
TEMPLATES_OWN = 70
"""Tokens that the models' chat template says before every chat, as some do."""


def full(request: ChatRequest) -> Iterable[Step]:
    """A model that says all it may, and counts as small models do."""
    written = request.options.max_tokens
    text = " ".join(message.content for message in request.messages)
    read = len(re.findall(r"[a-z]{1,5}|\d|[^\sa-z\d]|\n", text, re.IGNORECASE))
    yield Text(f"{request.model}: " + "word " * written)
    yield Usage(prompt=TEMPLATES_OWN + 5 * len(request.messages) + read, completion=written)
    yield Finish("length")


def merging(strategy: StrategyName, *layers: str, context: ContextRule = "fail") -> Mixture:
    mix = mixture(*layers, max_tokens=LONGEST, context=context)
    return replace(mix, aggregator=replace(mix.aggregator, strategy=strategy))


def said_and_spent(mix: Mixture, models: FakeCatalogue | None = None) -> tuple[float, float, int]:
    """Return what a run may cost as it is said before, what it cost, and the merge's calls."""
    said = Forecast(mix, Conversation("why?")).most(lambda _: PRICE).dollars
    scripts = dict.fromkeys("abcdefmn", full)
    result = race(mix, scripts, endpoint=PRICED, models=models)
    spent = Cost.of(state_after(result.events).spent).dollars
    return said, spent, sum(asked.model in "mn" for asked in result.requests)


@pytest.mark.parametrize("layers", [("abc",), ("abc", "abc"), ("a",)])
def test_a_merge_costs_at_most_what_was_said(layers: tuple[str, ...]) -> None:
    said, spent, _ = said_and_spent(merging("synthesize", *layers))
    assert 0.6 * said < spent <= said


def test_a_merge_a_few_at_a_time_costs_at_most_what_was_said_in_the_smallest_window() -> None:
    two_fit = FakeCatalogue({"t/m": ModelInfo(id="m", context=550)})
    said, spent, merges = said_and_spent(merging("refine", "abcdef"), two_fit)
    assert merges == 5
    assert 0.6 * said < spent <= said


def test_a_merge_that_folds_what_does_not_fit_costs_at_most_what_was_said() -> None:
    two_fit = FakeCatalogue({"t/m": ModelInfo(id="m", context=550)})
    said, spent, merges = said_and_spent(merging("synthesize", "abcd", context="refine"), two_fit)
    assert merges == 3
    assert 0.6 * said < spent <= said


def test_judges_that_name_nobody_cost_at_most_what_was_said() -> None:
    mix = merging("pick", "abc")
    mix = replace(mix, aggregator=replace(mix.aggregator, fallback=(Agent(model="t/n"),)))
    said, spent, asked = said_and_spent(mix)
    assert asked == 4
    assert 0.6 * said < spent <= said


@pytest.mark.parametrize(
    ("text", "tokens"),
    [("", 0), ("why not", 3), ("2026", 4), ("a=[1];\n", 7), ("天空", 3), ("…", 2)],
)
def test_tokens_that_are_paid_for_are_counted_high(text: str, tokens: int) -> None:
    assert most_tokens(text) == tokens
