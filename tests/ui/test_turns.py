"""The conversation as a tree: versions of an answer, other questions in the same place."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import pytest

from moa_tui.engine.mixture import Seat
from moa_tui.engine.prompt import Conversation, Exchange
from moa_tui.engine.state import Log, RunState, SeatState
from moa_tui.ui.composer.prompt import Prompt
from moa_tui.ui.turns import Place, StandIn, Turn, Turns, Version


def prompt(text: str) -> Prompt:
    return Prompt(text, text)


def ended(answer: str, *, status: str = "done") -> RunState:
    seat = SeatState(
        seat=Seat(1, 1), role="proposer", model="t/a", text=Log().appended(f"{answer} proposed")
    )
    seats = MappingProxyType({seat.seat: seat})
    return RunState(status=status, answer=answer, seats=seats)  # type: ignore[arg-type] # a status


def said(turns: Turns, *pairs: tuple[str, str]) -> None:
    for question, answer in pairs:
        turns.begin(prompt(question))
        turns.end(ended(answer))


def shown(turns: Turns) -> list[tuple[str, str]]:
    return [(turn.prompt.text, turn.answer) for turn in turns]


def nothing(*, status: str = "stopped") -> RunState:
    seat = SeatState(seat=Seat(1, 1), role="proposer", model="t/a", status="stopped")
    return RunState(status=status, seats=MappingProxyType({seat.seat: seat}))  # type: ignore[arg-type] # a status


def test_a_run_that_was_stopped_with_nothing_said_is_no_version_beside_others() -> None:
    turns = Turns()
    said(turns, ("one", "1"))
    turns.begin_version()
    assert not turns.end(ended("uno"))
    turns.flip(0, -1)
    turns.begin_version()
    assert turns.place(0) == Place(3, 3)
    assert turns.end(nothing())
    assert (turns[0].answer, turns.place(0)) == ("1", Place(1, 2))

    turns.flip(0, 1)
    assert (turns[0].answer, turns.place(0)) == ("uno", Place(2, 2))
    turns.begin(prompt("two"))
    assert turns.conversation().turns == (Exchange("one", "uno"),)


def test_a_turns_only_runs_stay_in_sight_though_nothing_was_said() -> None:
    turns = Turns()
    turns.begin(prompt("one"))
    assert not turns.end(nothing())
    turns.begin_version()
    assert not turns.end(nothing())
    assert turns.place(0) == Place(1, 1)
    turns.branch(0, prompt("other"))
    turns.end(ended("2"))
    assert turns.place(0) == Place(2, 2)
    assert turns.flip(0, -1)
    assert (turns[0].prompt.text, turns.place(0)) == ("one", Place(1, 2))


def test_a_run_that_failed_or_said_something_is_a_version() -> None:
    turns = Turns()
    said(turns, ("one", "1"))
    for run in (nothing(status="failed"), ended("", status="stopped")):
        turns.begin_version()
        assert not turns.end(run)
    assert turns.place(0) == Place(3, 3)


def given(*, said_after: str = "") -> RunState:
    """A re-merge that was stopped: its proposals exist already, its aggregator says this."""
    proposal = SeatState(
        seat=Seat(1, 1), role="proposer", model="t/a", text=Log().appended("proposed"), given=True
    )
    merger = SeatState(seat=Seat(2, 1), role="aggregator", model="t/m")
    if said_after:
        merger = replace(merger, text=Log().appended(said_after))
    seats = MappingProxyType({one.seat: one for one in (proposal, merger)})
    return RunState(status="stopped", seats=seats)


def test_what_a_run_was_given_is_nothing_that_it_said() -> None:
    turns = Turns()
    said(turns, ("one", "1"))
    turns.begin_version()
    assert turns.end(given())
    assert (turns[0].answer, turns.place(0)) == ("1", Place(1, 1))
    turns.begin_version()
    assert not turns.end(given(said_after="half"))
    assert turns.place(0) == Place(2, 2)


def test_the_newest_answer_is_sent_where_the_version_shown_has_none() -> None:
    turns = Turns()
    said(turns, ("one", "1"))
    turns.begin_version()
    turns.end(ended("uno"))
    turns.begin_version()
    turns.end(ended("", status="stopped"))
    assert turns.stand_in(0) == StandIn(2, -1)
    assert turns.conversation("two").turns == (Exchange("one", "uno"),)

    turns.flip(0, -1)
    assert turns.stand_in(0) is None
    turns.flip(0, -1)
    assert turns.conversation("two").turns == (Exchange("one", "1"),)


def test_a_version_behind_the_shown_one_is_sent_where_only_that_has_an_answer() -> None:
    turns = Turns()
    turns.begin(prompt("one"))
    turns.end(ended("", status="failed"))
    turns.begin_version()
    turns.end(ended("1"))
    turns.flip(0, -1)
    assert turns.stand_in(0) == StandIn(2, 1)
    assert turns.show_sent(0)
    assert (turns[0].answer, turns.place(0)) == ("1", Place(2, 2))
    assert not turns.show_sent(0)


def test_after_a_restart_an_empty_version_gives_way_to_the_newest_other() -> None:
    versions = [
        Version(run=ended("1"), answer="1"),
        Version(run=ended("uno"), answer="uno"),
        Version(run=nothing(), is_empty=True),
    ]
    turn = Turn(prompt=prompt("one"), versions=versions, shown=2)
    assert turn.leave_empty()
    assert turn.answer == "uno"


def test_each_question_is_sent_with_the_answers_shown_before_it() -> None:
    turns = Turns()
    said(turns, ("one", "1"), ("two", "2"))
    turns.begin(prompt("three"))

    assert turns.conversation() == Conversation(
        "three", (Exchange("one", "1"), Exchange("two", "2"))
    )
    assert turns.title == "three (3)"
    assert turns.title_of_last == "three"


def test_running_again_makes_another_version_and_the_shown_one_is_the_history() -> None:
    turns = Turns()
    said(turns, ("one", "1"))
    turns.begin_version()
    turns.end(ended("uno"))
    assert turns.place(0) == Place(2, 2)

    assert not turns.flip(0, -1)
    turns.begin(prompt("two"))
    assert turns.conversation().turns == (Exchange("one", "1"),)


def test_a_question_asked_otherwise_branches_and_nothing_is_lost() -> None:
    turns = Turns()
    said(turns, ("one", "1"), ("two", "2"), ("three", "3"))
    turns.branch(1, prompt("zwei"))
    turns.end(ended("II"))
    assert shown(turns) == [("one", "1"), ("zwei", "II")]
    assert turns.place(1) == Place(2, 2)

    assert turns.flip(1, -1)
    assert shown(turns) == [("one", "1"), ("two", "2"), ("three", "3")]
    assert turns.flip(1, 1)
    assert shown(turns) == [("one", "1"), ("zwei", "II")]


def test_flipping_goes_through_the_versions_of_every_question_in_a_place() -> None:
    turns = Turns()
    said(turns, ("one", "1"))
    turns.begin_version()
    turns.end(ended("uno"))
    turns.branch(0, prompt("ein"))
    turns.end(ended("I"))

    seen = [shown(turns)[0]]
    for _ in range(4):
        turns.flip(0, -1)
        seen.append(shown(turns)[0])
    assert seen == [("ein", "I"), ("one", "uno"), ("one", "1"), ("one", "1"), ("one", "1")]
    assert turns.place(0) == Place(1, 3)


def test_a_run_without_an_answer_holds_the_queue() -> None:
    turns = Turns()
    turns.begin(prompt("one"))
    turns.wait(prompt("two"))
    turns.end(ended("half", status="stopped"))

    assert turns[0].answer == ""
    assert "stopped" in turns.held
    assert turns.recall() == prompt("two")
    assert turns.recall() is None


def test_a_proposal_can_be_the_answer() -> None:
    turns = Turns()
    said(turns, ("one", "1"), ("two", "2"))
    assert turns.take(0, Seat(1, 1)).model == "t/a"
    assert shown(turns)[0] == ("one", "1 proposed")
    with pytest.raises(KeyError):
        turns.take(0, Seat(9, 9))
