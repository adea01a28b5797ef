"""A mixture is checked when it is built."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import pytest
from racing import mixture

from moa_tui.engine.merge import STRATEGIES
from moa_tui.engine.mixture import Agent, Aggregator, Layer, Mixture, Seat, StrategyName
from moa_tui.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: Agent(model="llama3"), "write it as endpoint/model"),
        (lambda: Agent(model="t/a", samples=0), "samples"),
        (lambda: Agent(model="t/a", temperature=3), "temperature"),
        (lambda: Agent(model="t/a", max_tokens=0), "max_tokens"),
        (mixture, "no layers"),
        (lambda: mixture(""), "layer 1 has no enabled proposers"),
        (lambda: mixture("a", min_proposals=0), "min_proposals"),
        (lambda: mixture("a", quorum=1, min_proposals=2), "quorum = 1 is below"),
        (lambda: mixture("ab", "a", min_proposals=2), "but layer 2 has only 1 seat$"),
        (
            lambda: mixture("ab", min_proposals=3),
            "is 3, but layer 1 has only 2 seats",
        ),
        (lambda: mixture("a", deadline_s=0), "deadline_s"),
        (Aggregator, "needs an aggregator model"),
        (
            lambda: Aggregator(agent=Agent(model="t/m"), instruction="Merge."),
            "must contain {references}",
        ),
        (lambda: Layer(proposers=(), repeat=0), "repeat"),
        (
            lambda: Agent(model="t/a", samples=10**9),
            "samples of 't/a': a layer has at most 64",
        ),
        (lambda: Agent(model="t/a", samples=65), "at most 64 seats"),
        (lambda: mixture("a" * 65), "layer 1 has 65 seats: a layer has at most 64"),
        (lambda: Layer(proposers=(), repeat=10**9), "repeat: a mixture has at most 32 proposer"),
        (lambda: mixture(*["a"] * 33), "at most 32 proposer layers"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(build: Callable[[], object], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        build()


def test_an_agent_knows_its_endpoint_and_names() -> None:
    agent = Agent(model="together/Qwen/Qwen1.5-72B-Chat")
    assert (agent.endpoint, agent.model_name, agent.name) == (
        "together",
        "Qwen/Qwen1.5-72B-Chat",
        "Qwen1.5-72B-Chat",
    )


def test_seating_names_who_sits_where() -> None:
    assert mixture("ab").seating() == {
        Seat(1, 1): (Agent(model="t/a"),),
        Seat(1, 2): (Agent(model="t/b"),),
        Seat(2, 1): (Agent(model="t/m"),),
    }


def test_a_mixture_reads_as_a_preset() -> None:
    mix = Mixture(
        layers=(Layer(proposers=(Agent(model="t/a", temperature=0.9), Agent(model="t/b"))),),
        aggregator=Aggregator(agent=Agent(model="t/m"), fallback=(Agent(model="t/a"),)),
        max_tokens=300,
    )
    assert mix.as_preset() == {
        "max_tokens": 300,
        "layers": [{"proposers": [{"model": "t/a", "temperature": 0.9}, "t/b"]}],
        "aggregator": {"model": "t/m", "strategy": "synthesize", "fallback": ["t/a"]},
    }


def test_the_largest_mixture_is_one() -> None:
    disabled = Agent(model="t/off", samples=64, enabled=False)
    layer = Layer(proposers=(Agent(model="t/a", samples=64), disabled), repeat=32)
    mix = Mixture(layers=(layer,), aggregator=Aggregator(strategy="none"), min_proposals=64)
    assert (layer.seat_count, mix.calls) == (len(layer.seats), 64 * 32)
    assert mix.expanded().expanded() == mix.expanded()


@pytest.mark.parametrize(
    ("strategy", "proposers", "calls"),
    [
        ("synthesize", 5, 1),
        ("pick", 5, 1),
        ("pick", 1, 0),
        ("vote", 5, 0),
        ("none", 5, 0),
        ("refine", 1, 1),
        ("refine", 3, 1),
        ("refine", 4, 2),
        ("refine", 5, 2),
        ("refine", 6, 3),
    ],
)
def test_how_often_the_aggregator_is_called(
    strategy: StrategyName, proposers: int, calls: int
) -> None:
    layer = Layer(proposers=(Agent(model="t/a", samples=proposers),))
    merger = Aggregator(agent=Agent(model="t/m"), strategy=strategy)
    mix = Mixture(layers=(layer,), aggregator=merger)
    assert (mix.merge_calls, mix.calls) == (calls, calls + proposers)


def test_every_strategy_that_has_a_name_is_there() -> None:
    assert tuple(STRATEGIES) == get_args(StrategyName)
