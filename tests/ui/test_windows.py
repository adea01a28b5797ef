"""The composer's head tells of a model that may have no room for what it is to read and write."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from choosing_fakes import program, shelf
from ui_fakes import mixture

from moa_tui.engine.mixture import Agent
from moa_tui.engine.provider import Endpoint, ModelInfo
from moa_tui.ui.composer.prompt import Prompt
from moa_tui.ui.ports import EndpointState
from moa_tui.ui.turns import Turns
from moa_tui.ui.windows import Tight, Windows

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from moa_tui.engine.mixture import Mixture

PLACE = Endpoint(name="t", kind="scripted")


def state(**windows: int) -> EndpointState:
    models = tuple(ModelInfo(id=name, context=window) for name, window in windows.items())
    return EndpointState(endpoint=PLACE, status="found", models=models)


def tightest(windows: Windows, mix: Mixture, states: Sequence[EndpointState]) -> Tight | None:
    windows.states = states
    return windows.tightest(mix)


def test_the_seat_that_needs_most_of_its_window_is_told_from_three_quarters_on() -> None:
    windows, mix = Windows(Turns()), replace(mixture("ab"), max_tokens=1000)
    assert tightest(windows, mix, [state(a=2000, m=5000)]) is None
    tight = tightest(windows, mix, [state(a=1300, m=3300)])
    assert tight == Tight(name="m", need=3108, window=3300, merges=True)
    assert not tight.is_over
    over = tightest(windows, mix, [state(a=900, m=3300)])
    assert over is not None
    assert (over.name, over.is_over, over.merges) == ("a", True, False)


def test_what_was_said_so_far_counts_once_it_is_there() -> None:
    turns = Turns()
    windows, mix = Windows(turns), replace(mixture("ab"), max_tokens=1000)
    states = [state(m=6000)]
    assert tightest(windows, mix, states) is None
    turns.begin(Prompt("why " * 2000, "why"))
    turns.put(0, replace(turns[0].version, answer="because " * 2000))
    tight = tightest(windows, mix, states)
    assert tight is not None
    assert tight.is_over


def test_a_window_of_the_agents_own_counts() -> None:
    mix = replace(mixture("ab"), max_tokens=1000)
    small = replace(mix.aggregator, agent=Agent(model="t/m", num_ctx=2000))
    tight = tightest(Windows(Turns()), replace(mix, aggregator=small), [state(m=100_000)])
    assert tight is not None
    assert tight.window == 2000


@pytest.mark.parametrize(
    ("size", "said"), [((160, 48), "★ m may need 3.1k of 3.0k tokens · next"), ((80, 24), "next")]
)
async def test_the_composer_says_it_where_there_is_room(
    tmp_path: Path, size: tuple[int, int], said: str
) -> None:
    mix = replace(mixture("ab"), max_tokens=1000)
    async with program(shelf(tmp_path), mix, known=[state(m=3000)], size=size) as now:
        assert said in now.text
        assert ("may need" in now.text) == (size[0] > 100)
