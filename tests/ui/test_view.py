"""Where one looks, and what esc closes."""

from __future__ import annotations

from dataclasses import replace

from moa_tui.engine.state import LayerState, RunState
from moa_tui.ui.room import phase_of
from moa_tui.ui.view import PLAIN, View


def run_of(layers: int) -> RunState:
    started = tuple(LayerState(layer=n, started_t=float(n)) for n in range(1, layers + 1))
    return RunState(status="running", layers=started)


def test_the_newest_layer_is_looked_at_until_another_is_chosen() -> None:
    assert PLAIN.layer_in(run_of(3)) == 3
    assert View(layer=2).layer_in(run_of(3)) == 2
    assert View(layer=3).layer_in(run_of(2)) == 2
    assert PLAIN.layer_in(RunState()) == 1


def test_stepping_through_layers_ends_at_the_first_and_follows_again_at_the_last() -> None:
    run = run_of(3)
    back = PLAIN.stepped(run, -1)

    assert back == View(layer=2, is_unfolded=True)
    assert back.stepped(run, -1).stepped(run, -1) == View(layer=1, is_unfolded=True)
    assert back.stepped(run, 1) == View(layer=None, is_unfolded=True)
    assert PLAIN.stepped(RunState(), -1) == PLAIN


def test_an_earlier_turns_last_layer_stays_chosen() -> None:
    assert View(turn=0, layer=1).stepped(run_of(2), 1) == View(turn=0, layer=2, is_unfolded=True)


def test_what_was_opened_last_is_closed_first() -> None:
    view = View(turn=0, layer=1, is_unfolded=True, is_pinned=True, is_lanes=True, zoom="race")

    unzoomed = view.closed()
    assert unzoomed == replace(view, zoom="")
    assert unzoomed.closed() == View(is_pinned=True, is_lanes=True)
    assert not unzoomed.closed().can_close


def test_a_new_run_keeps_habits_and_nothing_else() -> None:
    view = View(turn=2, layer=1, is_unfolded=True, is_pinned=True, is_lanes=True, zoom="answer")

    assert view.of_a_new_run() == View(is_pinned=True, is_lanes=True)


def test_open_tiles_stand_beside_the_answer() -> None:
    done = RunState(status="done")

    assert phase_of(done) == "answer"
    assert phase_of(done, View(is_pinned=True)) == "both"
    assert phase_of(done, View(turn=0)) == "both"
    assert phase_of(run_of(1), View(is_pinned=True)) == "race"
    assert phase_of(None, View(is_pinned=True)) == "empty"
