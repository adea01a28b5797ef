"""The header tells what matters most on any width."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

import pytest
from ui_fakes import mixture

from moa_tui.engine.mixture import Seat
from moa_tui.engine.provider import Usage
from moa_tui.engine.state import LayerState, RunState, SeatState
from moa_tui.ui import told
from moa_tui.ui.header import Header
from moa_tui.ui.look import Palette

if TYPE_CHECKING:
    from moa_tui.engine.provider import FinishReason
    from moa_tui.ui.spending import Pricing

MIX = mixture(layers=2)


def running() -> RunState:
    seat = Seat(2, 1)
    state = SeatState(seat=seat, role="proposer", model="t/a", pieces=9_800)
    return RunState(
        status="running",
        mixture=MIX,
        layers=(LayerState(layer=1, started_t=0, ended_t=8), LayerState(layer=2, started_t=8)),
        seats=MappingProxyType({seat: state}),
    )


def header(
    width: int,
    run: RunState | None = None,
    title: str = "Why is the sky blue?",
    *,
    is_saved: bool | None = None,
) -> str:
    facts = told.Facts(
        title=title,
        mixture=MIX,
        run=run,
        t=14.2,
        cost="free",
        is_saved=is_saved,
    )
    (row,) = Header(facts).draw(width, Palette.of({}))
    assert row.cell_length == width
    return " ".join(row.text.split())


@pytest.mark.parametrize(
    ("width", "right"),
    [
        (160, "Trio · 3 proposers × 2 layers → ★ m · layer 2/2 · 0:14 · 9.8k tok · free"),
        (100, "3 proposers × 2 layers → ★ m · layer 2/2 · 0:14 · 9.8k tok · free"),
        (80, "layer 2/2 · 0:14 · 9.8k tok · free"),
        (60, "layer 2/2 · 0:14 · free"),
    ],
)
def test_the_mixture_gives_way_first_and_the_layer_last(width: int, right: str) -> None:
    assert header(width, running()) == f"moa │ Why is the sky blue? {right}"


@pytest.mark.parametrize("width", [160, 100, 80])
def test_that_a_run_is_saved_stands_there_at_every_usual_width(width: int) -> None:
    done = replace(running(), status="done")
    assert " · saved" in header(width, done, title="word " * 40, is_saved=True)


@pytest.mark.parametrize("width", [160, 80, 60])
def test_that_a_run_is_not_saved_never_gives_way(width: int) -> None:
    done = replace(running(), status="done")
    assert " not saved" in header(width, done, title="word " * 40, is_saved=False)


def test_before_the_first_prompt_there_is_no_time_and_no_token() -> None:
    assert header(100) == "moa │ Why is the sky blue? Trio · 3 proposers × 2 layers → ★ m · free"


def test_a_long_title_is_cut_and_the_figures_stay() -> None:
    text = header(80, running(), title="word " * 40)
    assert text.startswith("moa │ word word")
    assert "… layer 2/2 · 0:14 · 9.8k tok · free" in text


def spent(*costs: float | None) -> RunState:
    return RunState(status="running", spent=tuple(Usage(cost=cost) for cost in costs))


@pytest.mark.parametrize(
    ("run", "pricing", "said"),
    [
        (None, "free", "free"),
        (None, None, ""),
        (None, "known", ""),
        (None, "unknown", "cost unknown"),
        (RunState(status="running"), "unknown", "cost unknown"),
        (spent(0.0, 0.0), None, "free"),
        (spent(0.0012, 0.0013), "known", "$0.0025"),
        (spent(0.0012, None), "unknown", "≥ $0.0012, 1 unknown"),
        (spent(None), "free", "cost unknown"),
    ],
)
def test_cost_is_free_or_a_sum_or_said_to_be_unknown(
    run: RunState | None, pricing: Pricing | None, said: str
) -> None:
    assert told.cost(run, pricing=pricing) == said


@pytest.mark.parametrize(
    ("reason", "said"), [("stop", "✓ done"), ("length", "✓ cut"), ("refusal", "✓ refused")]
)
def test_an_answer_that_is_not_whole_is_not_plainly_done(reason: FinishReason, said: str) -> None:
    seat = Seat(3, 1)
    merged = SeatState(
        seat=seat, role="aggregator", model="t/m", status="done", reason=reason, place=1
    )
    done = replace(running(), status="done", seats=MappingProxyType({seat: merged}))
    assert f" {said} · 0:14 " in header(100, done)
