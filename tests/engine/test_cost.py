"""What calls cost: by configuration, by an endpoint's own list, or unknown."""

from __future__ import annotations

from types import MappingProxyType

import pytest
from racing import FakeCatalogue, does, mixture, race

from moa_tui.engine.cost import Cost, amount
from moa_tui.engine.provider import Endpoint, Finish, ModelInfo, Price, Text, Usage
from moa_tui.providers.scripted import Wait

HOSTED = Endpoint(name="t", kind="openai", base_url="https://t.test", lists_prices=True)
CALL = does(Wait(1.0), Text("Air"), Usage(prompt=1_000_000, completion=500_000), Finish("stop"))
LISTED = {"t/a": ModelInfo(id="a", price=Price(input=0.2, output=0.4))}
OWN = MappingProxyType({"a": Price(input=1.0, output=2.0)})


def cost(endpoint: Endpoint, models: FakeCatalogue | None = None) -> float | None:
    result = race(mixture("a", to=""), {"a": CALL}, endpoint=endpoint, models=models)
    return result.events[-1].usage.cost  # type: ignore[union-attr] # the last event is run_finished


@pytest.mark.parametrize(
    ("endpoint", "models", "dollars"),
    [
        (Endpoint(name="t", kind="scripted"), FakeCatalogue(LISTED), 0.0),
        (Endpoint(name="t", kind="openai", base_url="https://t.test"), None, None),
        (Endpoint(name="t", kind="openai", base_url="https://t.test", prices=OWN), None, 2.0),
        (Endpoint(name="t", kind="openai", base_url="http://127.0.0.1:1"), None, 0.0),
        (Endpoint(name="t", kind="openai", base_url="http://127.0.0.1:1", prices=OWN), None, 2.0),
        (HOSTED, FakeCatalogue(LISTED), 0.4),
        (HOSTED, FakeCatalogue({"t/a": ModelInfo(id="a")}), None),
        (Endpoint(name="t", kind="openai", prices=OWN), FakeCatalogue(LISTED), 2.0),
    ],
)
def test_what_a_call_costs(
    endpoint: Endpoint, models: FakeCatalogue | None, dollars: float | None
) -> None:
    assert cost(endpoint, models) == dollars


@pytest.mark.parametrize(
    ("sum_", "said"),
    [
        (Cost(), "free"),
        (Cost(0.0012), "$0.0012"),
        (Cost(12.5), "$12.5000"),
        (Cost(0.0000123), "$0.00001"),
        (Cost(0.0012, 2), "≥ $0.0012, 2 unknown"),
        (Cost(0.0, 2), "cost unknown"),
    ],
)
def test_a_cost_is_said_with_digits_enough_to_be_something(sum_: Cost, said: str) -> None:
    assert str(sum_) == said


@pytest.mark.parametrize(
    ("written", "said"), [(0.5, "$0.50"), (0.001, "$0.001"), (0.125, "$0.125"), (1200, "$1,200.00")]
)
def test_an_amount_is_said_as_it_was_written(written: float, said: str) -> None:
    assert amount(written) == said


def test_a_list_of_prices_is_asked_for_once_while_the_model_answers() -> None:
    models = FakeCatalogue(listed=dict(LISTED))
    assert cost(HOSTED, models) == 0.4
    assert models.asked == ["t/a"]


def test_an_endpoint_without_a_list_of_prices_is_not_asked() -> None:
    models = FakeCatalogue(listed=dict(LISTED))
    assert cost(Endpoint(name="t", kind="openai", base_url="https://t.test"), models) is None
    assert models.asked == []
