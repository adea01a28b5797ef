"""What events add up to."""

from __future__ import annotations

from dataclasses import replace
from itertools import accumulate
from typing import TYPE_CHECKING

import pytest
from racing import does, mixture, one_after_another, race, says

from moa_tui.engine.mixture import Agent, Seat
from moa_tui.engine.provider import Finish, Phase, Relabel, Retrying, Text, Thinking, Usage
from moa_tui.engine.state import Log, RunState, apply
from moa_tui.errors import ProviderError
from moa_tui.providers.scripted import Wait

if TYPE_CHECKING:
    from racing import Race

    from moa_tui.engine.provider import FinishReason


def states(result: Race) -> dict[str, RunState]:
    """The state after each line."""
    after = list(accumulate(result.events, apply, initial=RunState()))[1:]
    return dict(zip(result.untimed, after, strict=True))


def test_a_seat_goes_through_its_phases() -> None:
    script = does(
        Phase("queued", "seat 2"),
        Phase("waiting"),
        Retrying("rate_limit", "429", 4),
        Wait(4),
        Phase("loading"),
        Thinking("hm"),
        Text("Air"),
        Finish("stop"),
    )
    after = states(race(mixture("a"), {"a": script, "m": says("M")}))
    seen = [state.seats[Seat(1, 1)] for state in after.values() if Seat(1, 1) in state.seats]
    statuses = list(dict.fromkeys((seat.status, seat.attempt) for seat in seen))
    assert statuses == [
        ("connecting", 1),
        ("queued", 1),
        ("waiting", 1),
        ("retrying", 1),
        ("loading", 2),
        ("thinking", 2),
        ("streaming", 2),
        ("done", 2),
    ]
    assert after["1.1 retries in 4: rate_limit"].seats[Seat(1, 1)].retry_at_t == 4
    assert after["1.1#2 loading"].seats[Seat(1, 1)].message == ""


def test_old_states_read_as_before() -> None:
    after = states(race(mixture("a"), {"a": says("One ", "two"), "m": says("M")}))
    assert str(after["1.1 says 'One '"].seats[Seat(1, 1)].text) == "One "
    assert str(after["1.1 says 'two'"].seats[Seat(1, 1)].text) == "One two"


def test_two_futures_of_one_state_do_not_mix() -> None:
    log = Log().appended("a")
    assert (str(log.appended("b")), str(log.appended("c")), str(log)) == ("ab", "ac", "a")


def test_a_log_gives_what_is_new() -> None:
    log = Log().appended("a").appended("b").appended("c")
    assert (log.since(1), log.since(3)) == ("bc", "")


def test_places_are_given_in_the_order_of_arrival() -> None:
    scripts = {"a": says("A", first_s=3), "b": says("B"), "c": says("C", first_s=2), "m": says("M")}
    final = states(race(mixture("abc"), scripts))["run finished 'M' of 1.1 1.2 1.3"]
    assert [seat.place for seat in final.layer_seats(1)] == [3, 1, 2]


def test_seats_that_go_on_after_their_layer_closed_are_late() -> None:
    scripts = {"a": says("A"), "b": says("B", first_s=2), "m": says("M", first_s=5)}
    after = states(race(mixture("ab", quorum=1), scripts))
    assert after["layer 1 finished"].seats[Seat(1, 2)].is_late
    assert after["1.2 finished 'B' late"].seats[Seat(1, 2)].status == "late"


def test_relabelled_text_becomes_thinking() -> None:
    script = does(Text("so"), Relabel(), Text("Air"), Finish("stop"))
    seat = states(race(mixture("a", to=""), {"a": script}))["1.1 finished 'Air' stop"].seats
    assert (str(seat[Seat(1, 1)].thinking), str(seat[Seat(1, 1)].text)) == ("so", "Air")


def test_a_new_attempt_starts_from_nothing() -> None:
    attempts = does(Text("half"), ProviderError("cut", "Cut.")), says("Whole")
    result = race(
        mixture("ab", to=""),
        {"a": one_after_another(*attempts), "b": says("B")},
        on={"1.1 failed cut 'half'": lambda run: run.retry(Seat(1, 1))},
    )
    after = states(result)
    assert str(after["1.1 failed cut 'half'"].seats[Seat(1, 1)].text) == "half"
    assert str(after["1.1#2 started t/a"].seats[Seat(1, 1)].text) == ""


def test_tokens_are_the_servers_count_once_it_is_known() -> None:
    script = does(Text("a"), Text("b"), Usage(prompt=3, completion=7), Finish("stop"))
    after = states(race(mixture("a", to=""), {"a": script}))
    assert after["1.1 says 'b'"].tokens == 2
    assert after["1.1 finished 'ab' stop"].tokens == 7


def test_the_tokens_of_a_run_are_those_of_all_attempts() -> None:
    attempts = does(Text("half"), Text("way"), ProviderError("cut", "Cut.")), says("Whole")
    result = race(
        mixture("ab", to=""),
        {"a": one_after_another(*attempts), "b": says("B")},
        on={"1.1 failed cut 'halfway'": lambda run: run.retry(Seat(1, 1))},
    )
    counted = [state.tokens for state in states(result).values()]
    assert counted == sorted(counted)
    assert counted[-1] == 2 + 1 + 1


def test_the_steps_of_a_merge_add_up() -> None:
    mix = mixture("abcde")
    mix = replace(mix, aggregator=replace(mix.aggregator, strategy="refine"))
    said = says("one", "two"), says("three")
    scripts = {name: says(name) for name in "abcde"} | {"m": one_after_another(*said)}
    result = race(mix, scripts)
    after = states(result)
    counted = [state.tokens for state in after.values()]
    assert counted == sorted(counted)
    assert counted[-1] == 5 + 2 + 1
    merger = list(after.values())[-1].aggregator
    assert merger is not None
    assert (merger.steps, merger.tokens, merger.tokens_of_steps) == (1, 1, 3)
    assert merger.steps_from_t == 1.0
    assert (merger.step, merger.notes) == ("answers 4 to 5 of 5, into what came before", ())


def test_a_fallback_is_no_further_step_of_a_merge() -> None:
    mix = mixture("a")
    mix = replace(mix, aggregator=replace(mix.aggregator, fallback=(Agent(model="t/n"),)))
    dead = does(Text("half"), ProviderError("cut", "Cut."))
    final = list(states(race(mix, {"a": says("A"), "m": dead, "n": says("N")})).values())[-1]
    merger = final.aggregator
    assert merger is not None
    assert (merger.steps, merger.tokens_of_steps, final.tokens) == (0, 1, 3)


@pytest.mark.parametrize("reason", ["stop", "length"])
def test_a_run_says_how_its_answer_ended(reason: FinishReason) -> None:
    scripts = {"a": says("A"), "m": does(Text("M"), Finish(reason))}
    final = list(states(race(mixture("a"), scripts)).values())[-1]
    assert final.reason == reason


def test_how_a_run_ended() -> None:
    dead = {"a": does(ProviderError("auth", "No.", "Set KEY."))}
    failed = list(states(race(mixture("a"), dead)).values())[-1]
    assert (failed.status, failed.kind, failed.hint) == ("failed", "auth", "Set KEY.")
    stop = {"1.1 started t/a": lambda run: run.stop()}
    stopped = list(states(race(mixture("a"), {"a": says("A")}, on=stop)).values())[-1]
    assert stopped.status == "stopped"
