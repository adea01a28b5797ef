"""What calls cost: by configuration, by an endpoint's own list, or unknown."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

import pytest
from racing import FakeCatalogue, does, mixture, race, says

from moa_tui.engine.cost import Cost, amount
from moa_tui.engine.events import RunFailed, RunFinished, SeatFailed
from moa_tui.engine.mixture import Agent, Seat
from moa_tui.engine.provider import Endpoint, Finish, ModelInfo, Phase, Price, Text, Usage
from moa_tui.engine.state import state_after
from moa_tui.errors import ProviderError
from moa_tui.providers.scripted import Wait

if TYPE_CHECKING:
    from racing import Race, Reaction

    from moa_tui.errors import FailureKind
    from moa_tui.providers.scripted import Script, Step

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
        (Cost(0.0012, estimated=1), "about $0.0012"),
        (Cost(0.0012, 2, 1), "≥ about $0.0012, 2 unknown"),
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


PAID = Endpoint(name="t", kind="scripted", prices=dict.fromkeys("abm", Price(100.0, 1000.0)))
WHY = Usage(prompt=9, estimated=True, cost=0.0009)
"""What a model has read that was stopped before its first token: "Why?", by estimate."""

WHY_TWO_WORDS = Usage(prompt=9, completion=2, estimated=True, cost=0.0029)
STUCK = does(Phase("waiting"), Wait(1.0), Text("Air"), Wait(1.0), Text(" and"), Wait(99.0))


def ended_by(steps: tuple[Step, ...], on: dict[str, Reaction] | None = None) -> Usage | None:
    """Return what the only seat used whose attempt came to nothing."""
    result = race(mixture("a", to=""), {"a": does(*steps)}, endpoint=PAID, on=on)
    ends = [event for event in result.events if isinstance(event, SeatFailed)]
    return ends[0].usage


def test_a_seat_that_is_stopped_is_paid_for_by_estimate() -> None:
    stop: dict[str, Reaction] = {"1.1 says ' and'": lambda run: run.stop(Seat(1, 1))}
    steps = (Wait(1.0), Text("Air"), Text(" and"), Wait(99.0))
    assert ended_by(steps, stop) == WHY_TWO_WORDS


def test_a_seat_that_is_stopped_while_it_reads_has_read() -> None:
    stop: dict[str, Reaction] = {"1.1 waiting": lambda run: run.stop(Seat(1, 1))}
    assert ended_by((Phase("waiting"), Wait(99.0)), stop) == WHY


def test_a_call_that_broke_off_is_paid_for_as_the_server_counts_else_by_estimate() -> None:
    cut = ProviderError("cut", "The connection was cut.")
    assert ended_by((Text("Air"), Text(" and"), cut)) == WHY_TWO_WORDS
    counted = Usage(prompt=20, completion=30)
    assert ended_by((Text("Air"), counted, cut)) == Usage(prompt=20, completion=30, cost=0.032)


@pytest.mark.parametrize("kind", ["connect", "auth", "rate_limit", "context"])
def test_a_call_that_was_refused_costs_nothing(kind: FailureKind) -> None:
    assert ended_by((Phase("waiting"), ProviderError(kind, "No."))) is None


def test_what_waits_for_its_turn_costs_nothing() -> None:
    stop: dict[str, Reaction] = {"1.1 queued": lambda run: run.stop(Seat(1, 1))}
    assert ended_by((Phase("queued", "1"), Wait(99.0)), stop) is None


def spent_by(result: Race) -> tuple[Usage | None, tuple[Usage, ...]]:
    """Return what the run's end says that it used, and what its calls used one by one."""
    end = result.events[-1]
    assert isinstance(end, RunFinished | RunFailed)
    return end.usage, state_after(result.events).spent


def test_a_run_that_is_stopped_cost_what_its_calls_did() -> None:
    scripts: dict[str, Script] = {"a": STUCK, "b": STUCK}
    on: dict[str, Reaction] = {"1.2 says ' and'": lambda run: run.stop()}
    together, each = spent_by(race(mixture("ab", to=""), scripts, endpoint=PAID, on=on))
    assert each == (WHY_TWO_WORDS, WHY_TWO_WORDS)
    assert together == Usage(prompt=18, completion=4, estimated=True, cost=0.0058)


def test_a_run_whose_calls_were_all_refused_used_nothing() -> None:
    refused = does(ProviderError("connect", "Refused."))
    assert spent_by(race(mixture("a"), {"a": refused}, endpoint=PAID)) == (None, ())


def test_the_model_that_another_took_the_place_of_is_paid_for() -> None:
    scripts: dict[str, Script] = {"a": STUCK, "b": CALL}
    on: dict[str, Reaction] = {
        "1.1 says ' and'": lambda run: run.swap(Seat(1, 1), Agent(model="t/b"))
    }
    _, each = spent_by(race(mixture("a", to=""), scripts, endpoint=PAID, on=on))
    assert each == (WHY_TWO_WORDS, Usage(prompt=1_000_000, completion=500_000, cost=600.0))


def test_a_late_seat_that_the_runs_end_stopped_is_in_its_sum() -> None:
    scripts: dict[str, Script] = {"a": says("Air"), "b": STUCK, "m": says("Good.", first_s=3.0)}
    together, each = spent_by(race(mixture("ab", quorum=1), scripts, endpoint=PAID))
    assert WHY_TWO_WORDS in each
    assert together is not None
    assert together.completion == sum(usage.completion for usage in each) == 4
