"""Which texts are judged without names, in which order, and what many tests add up to."""

from __future__ import annotations

import random
from collections import Counter
from types import MappingProxyType

from moa_tui.engine.blind import (
    Candidate,
    Entry,
    Judged,
    Score,
    Standings,
    can_judge,
    candidates,
    entries_of,
    standings,
)
from moa_tui.engine.mixture import Seat
from moa_tui.engine.state import LayerState, Log, RunState, SeatState

MERGER = Seat(2, 1)


def drawing(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - no secret


ANY = drawing(1)


def said(number: int, text: str, *, failed: bool = False, layer: int = 1) -> SeatState:
    return SeatState(
        seat=Seat(layer, number),
        role="proposer",
        model=f"t/{number}",
        status="failed" if failed else "done",
        text=Log().appended(text),
    )


def run(*seats: SeatState, answer: str = "", **changes: object) -> RunState:
    """Return a run of these proposals that is over, merged to an answer unless that is ""."""
    done = [seat for seat in seats if seat.status == "done"]
    merger = SeatState(
        seat=MERGER, role="aggregator", model="t/m", status="done", text=Log().appended(answer)
    )
    known = {seat.seat: seat for seat in (*seats, *([merger] if answer else []))}
    state = RunState(
        status="done",
        layers=(LayerState(layer=1, started_t=0.0, ended_t=1.0),),
        seats=MappingProxyType(known),
        answer=answer,
        references=tuple(seat.seat for seat in done) if answer else (),
    )
    return RunState(
        **{name: changes.get(name, getattr(state, name)) for name in RunState.__slots__}  # type: ignore[arg-type] # the same fields
    )


def texts(shown: tuple[Candidate, ...]) -> list[str]:
    return [one.text for one in shown]


def test_the_answer_and_its_proposals_stand_in_an_order_that_tells_nothing() -> None:
    state = run(said(1, "one"), said(2, "two"), answer="merged")
    orders = Counter(tuple(texts(candidates(state, {}, drawing(seed)))) for seed in range(600))
    assert len(orders) == 6
    assert min(orders.values()) > 60


def test_every_text_knows_whose_it_is() -> None:
    shown = candidates(run(said(1, "one"), said(2, " two\n"), answer="merged"), {}, ANY)
    assert [entry.text for one in shown for entry in one.entries] == [1, 2, 3]
    whose = {one.text: [entry[1:] for entry in map(_plain, one.entries)] for one in shown}
    assert whose == {
        "merged": [(MERGER, "aggregator", "t/m")],
        "one": [(Seat(1, 1), "proposer", "t/1")],
        "two": [(Seat(1, 2), "proposer", "t/2")],
    }
    assert [one.is_answer for one in shown] == [one.text == "merged" for one in shown]


def _plain(entry: Entry) -> tuple[int, Seat, str, str]:
    return entry.text, entry.seat, entry.role, entry.model


def test_the_best_proposals_are_those_that_the_answer_has_most_of() -> None:
    seats = [said(number, f"text {number}") for number in range(1, 7)]
    shares = {1: 0.1, 2: 0.3, 3: 0.0, 4: 0.2, 5: 0.05, 6: 0.0}
    shown = candidates(run(*seats, answer="merged"), shares, ANY)
    assert set(texts(shown)) == {"merged", "text 1", "text 2", "text 4"}


def test_proposals_that_nobody_judged_are_drawn() -> None:
    state = run(*(said(number, f"text {number}") for number in range(1, 7)))
    drawn = Counter(
        text for seed in range(300) for text in texts(candidates(state, {}, drawing(seed)))
    )
    assert len(drawn) == 6
    assert min(drawn.values()) > 150


def test_seats_that_said_the_same_share_a_text() -> None:
    shown = candidates(run(said(1, "42"), said(2, "42 "), said(3, "43"), answer="42"), {}, ANY)
    assert sorted(texts(shown)) == ["42", "43"]
    shared = next(one for one in shown if one.text == "42")
    assert [entry.seat for entry in shared.entries] == [Seat(1, 1), Seat(1, 2), MERGER]
    assert shared.is_answer


def test_only_whole_proposals_of_the_last_layer_stand() -> None:
    first = said(1, "of the first layer")
    seats = (first, said(1, "one", layer=2), said(2, "half", failed=True, layer=2))
    layers = (LayerState(layer=1, started_t=0.0), LayerState(layer=2, started_t=1.0))
    state = run(*seats, layers=layers)
    assert texts(candidates(state, {}, ANY)) == ["one"]
    assert not can_judge(state)


def test_a_run_can_be_judged_when_it_is_over_and_has_two_texts() -> None:
    seats = (said(1, "one"), said(2, "two"))
    assert can_judge(run(*seats))
    assert can_judge(run(seats[0], answer="merged"))
    assert can_judge(run(*seats, status="failed"))
    assert not can_judge(run(*seats, status="running"))
    assert not can_judge(run(seats[0]))
    assert not can_judge(RunState())


def test_the_text_of_a_failed_merge_does_not_stand_as_an_answer() -> None:
    state = run(said(1, "one"), said(2, "two"), answer="half an ans", status="failed")
    assert sorted(texts(candidates(state, {}, ANY))) == ["one", "two"]


def test_a_pick_is_of_everybody_whose_text_it_is() -> None:
    shown = candidates(run(said(1, "42"), said(2, "43"), answer="42"), {}, ANY)
    number = 1 + texts(shown).index("42")
    won = [entry for entry in entries_of(shown, number) if entry.is_picked]
    assert [entry.role for entry in won] == ["proposer", "aggregator"]
    assert not any(entry.is_picked for entry in entries_of(shown, None))


def judged(preset: str, won: int | None, *models: str) -> Judged:
    """Return a test of an answer, which is text 1, and of a proposal of each model."""
    entries = [
        Entry(1, MERGER, "aggregator", "t/m", is_picked=won == 1),
        *(
            Entry(number, Seat(1, number - 1), "proposer", model, is_picked=won == number)
            for number, model in enumerate(models, 2)
        ),
    ]
    return Judged(preset, tuple(entries))


def test_wins_add_up_by_preset_and_model_beside_what_chance_would_give() -> None:
    found = standings(
        [
            judged("trio", 1, "a", "b", "c"),
            judged("trio", 3, "a", "b", "c"),
            judged("duo", 1, "a"),
            judged("duo", None, "a"),
        ]
    )
    assert found == Standings(
        tests=4,
        undecided=1,
        presets=(Score("duo", 1, 1, 0.5), Score("trio", 2, 1, 0.5)),
        models=(
            Score("b", 2, 1, 0.5),
            Score("c", 2, 0, 0.5),
            Score("a", 3, 0, 1.0),
        ),
    )
    assert found.answers == Score("", 3, 2, 1.0)


def test_a_model_with_several_texts_stands_once_and_has_all_their_chances() -> None:
    found = standings([judged("self", 3, "a", "a", "b")])
    assert found.models == (Score("a", 1, 1, 0.5), Score("b", 1, 0, 0.25))


def test_no_tests_are_no_standings() -> None:
    assert standings([]) == Standings()
