"""A run's whole event list, in each way that it can go."""

from __future__ import annotations

import asyncio

import pytest
import virtual_time
from racing import Reaction, Recorder, does, mixture, one_after_another, race, says

from moa_tui.engine.clock import AsyncioClock
from moa_tui.engine.mixture import Agent, Aggregator, Layer, Mixture, Seat
from moa_tui.engine.prompt import Conversation
from moa_tui.engine.provider import (
    Endpoint,
    Finish,
    Note,
    Phase,
    Relabel,
    Retrying,
    Text,
    Thinking,
    Usage,
)
from moa_tui.engine.run import Run, open_run
from moa_tui.engine.seat import Proposal
from moa_tui.errors import ConfigError, ProviderError
from moa_tui.providers.scripted import ScriptedProvider, Wait

DEAD = ProviderError("connect", "Nothing listens there.", "Start it.")
PAIR = {"a": says("Air"), "b": says("Blue", first_s=2), "m": says("Merged")}


def test_all_seats_of_a_layer_run_at_once_and_the_aggregator_merges() -> None:
    assert race(mixture("ab"), PAIR).lines == [
        "0 run started",
        "0 layer 1 started",
        "0 1.1 started t/a",
        "0 1.2 started t/b",
        "1 1.1 says 'Air'",
        "1 1.1 finished 'Air' stop",
        "2 1.2 says 'Blue'",
        "2 1.2 finished 'Blue' stop",
        "2 layer 1 finished",
        "2 2.1 started t/m",
        "3 2.1 says 'Merged'",
        "3 2.1 finished 'Merged' stop",
        "3 run finished 'Merged' of 1.1 1.2",
    ]


def test_events_are_numbered_from_one_without_a_gap() -> None:
    events = race(mixture("ab", "ab"), PAIR).events
    assert [event.n for event in events] == list(range(1, len(events) + 1))


def test_the_papers_three_layers_of_six_are_thirteen_calls() -> None:
    mix = mixture("abcdef", "abcdef")
    result = race(mix, {model: says(model) for model in "abcdefm"})
    assert mix.calls == len(result.requests) == 13


def test_repeat_and_samples_are_written_out() -> None:
    layer = Layer(proposers=(Agent(model="t/a", samples=2), Agent(model="t/b")), repeat=2)
    mix = Mixture(layers=(layer,), aggregator=Aggregator(agent=Agent(model="t/m")))
    result = race(mix, PAIR)
    assert [request.model for request in result.requests] == list("aabaabm")


def test_disabled_proposers_have_no_seat() -> None:
    layer = Layer(proposers=(Agent(model="t/a", enabled=False), Agent(model="t/b")))
    mix = Mixture(layers=(layer,), aggregator=Aggregator(agent=Agent(model="t/m")))
    assert race(mix, PAIR).untimed[2] == "1.1 started t/b"


def test_none_calls_nobody_after_the_race() -> None:
    assert race(mixture("ab", to=""), PAIR).lines[-2:] == [
        "2 layer 1 finished",
        "2 run finished '' of 1.1 1.2",
    ]


def test_a_dead_seat_is_left_out_and_the_layer_goes_on() -> None:
    result = race(mixture("ab"), PAIR | {"a": does(Wait(1), DEAD)})
    assert result.lines[4:] == [
        "1 1.1 failed connect ''",
        "2 1.2 says 'Blue'",
        "2 1.2 finished 'Blue' stop",
        "2 layer 1 finished",
        "2 2.1 started t/m",
        "3 2.1 says 'Merged'",
        "3 2.1 finished 'Merged' stop",
        "3 run finished 'Merged' of 1.2",
    ]


def test_when_all_are_dead_the_run_fails_with_the_first_cause() -> None:
    result = race(mixture("ab"), {"a": does(DEAD), "b": does(DEAD)})
    assert result.lines[4:] == [
        "0 1.1 failed connect ''",
        "0 1.2 failed connect ''",
        "0 layer 1 finished",
        f"0 run failed connect: 0 of 2 proposers of layer 1 answered, 1 needed: {DEAD.message}",
    ]


def test_fewer_than_min_proposals_fail_the_run() -> None:
    result = race(mixture("ab", min_proposals=2), PAIR | {"a": does(DEAD)})
    assert result.lines[-1] == (
        "2 run failed connect: 1 of 2 proposers of layer 1 answered, 2 needed: "
        "Nothing listens there."
    )


@pytest.mark.parametrize("blank", ["", " \n"])
def test_an_empty_answer_is_a_failure_not_a_reference(blank: str) -> None:
    result = race(mixture("ab"), PAIR | {"a": does(Text(blank), Finish("stop"))})
    assert "0 1.1 failed empty " + repr(blank) in result.lines
    assert result.untimed[-1] == "run finished 'Merged' of 1.2"


def test_an_answer_without_a_finish_is_truncated() -> None:
    result = race(mixture("ab"), PAIR | {"a": does(Text("Ai"))})
    assert "0 1.1 failed truncated 'Ai'" in result.lines


def test_a_refusal_is_kept_but_is_no_reference() -> None:
    result = race(mixture("ab"), PAIR | {"a": does(Text("I can't."), Finish("refusal"))})
    assert '0 1.1 finished "I can\'t." refusal' in result.lines
    assert result.untimed[-1] == "run finished 'Merged' of 1.2"


def test_a_dead_aggregator_fails_the_run_with_its_cause() -> None:
    result = race(mixture("a"), PAIR | {"m": does(Text("Mer"), DEAD)})
    assert result.lines[-3:] == [
        "1 2.1 says 'Mer'",
        "1 2.1 failed connect 'Mer'",
        "1 run failed connect: The aggregator t/m failed: Nothing listens there.",
    ]


def test_a_dead_aggregator_hands_over_to_its_fallbacks_in_order() -> None:
    aggregator = Aggregator(
        agent=Agent(model="t/m"), fallback=(Agent(model="t/x"), Agent(model="t/y"))
    )
    mix = Mixture(layers=(Layer(proposers=(Agent(model="t/a"),)),), aggregator=aggregator)
    scripts = PAIR | {"m": does(DEAD), "x": does(DEAD), "y": says("Yes")}
    assert race(mix, scripts).lines[5:] == [
        "1 layer 1 finished",
        "1 2.1 started t/m",
        "1 2.1 failed connect ''",
        "1 2.1#2 swapped to t/x",
        "1 2.1#2 started t/x",
        "1 2.1#2 failed connect ''",
        "1 2.1#3 swapped to t/y",
        "1 2.1#3 started t/y",
        "2 2.1#3 says 'Yes'",
        "2 2.1#3 finished 'Yes' stop",
        "2 run finished 'Yes' of 1.1",
    ]


def test_everything_a_provider_may_say_becomes_an_event() -> None:
    script = does(
        Phase("queued", "seat 2"),
        Phase("connecting"),
        Retrying("server", "503", 2),
        Wait(2),
        Phase("waiting"),
        Text("so "),
        Relabel(),
        Thinking("hm"),
        Text("Air"),
        Note("cut", "shortened"),
        Usage(prompt=5, completion=4),
        Finish("length"),
    )
    assert race(mixture("a", to=""), {"a": script}).lines[2:-2] == [
        "0 1.1 started t/a",
        "0 1.1 queued",
        "0 1.1 connecting",
        "0 1.1 retries in 2: server",
        "2 1.1#2 waiting",
        "2 1.1#2 says 'so '",
        "2 1.1#2 relabelled",
        "2 1.1#2 thinks 'hm'",
        "2 1.1#2 says 'Air'",
        "2 1.1#2 note shortened",
        "2 1.1#2 finished 'Air' length",
    ]


def test_a_quorum_closes_the_layer_and_the_rest_goes_on_as_late_until_the_end() -> None:
    scripts = PAIR | {"c": says("Cy", "an", first_s=2, gap_s=9), "m": says("Merged", first_s=3)}
    assert race(mixture("abc", quorum=1), scripts).lines[5:] == [
        "1 1.1 says 'Air'",
        "1 1.1 finished 'Air' stop",
        "1 layer 1 finished",
        "1 2.1 started t/m",
        "2 1.2 says 'Blue'",
        "2 1.3 says 'Cy'",
        "2 1.2 finished 'Blue' late",
        "4 2.1 says 'Merged'",
        "4 2.1 finished 'Merged' stop",
        "4 1.3 failed stopped 'Cy'",
        "4 run finished 'Merged' of 1.1",
    ]


def test_at_closing_queued_seats_are_stopped() -> None:
    scripts = PAIR | {"b": does(Phase("queued", "seat 1"), Wait(60))}
    assert race(mixture("ab", quorum=1), scripts).lines[5:9] == [
        "1 1.1 says 'Air'",
        "1 1.1 finished 'Air' stop",
        "1 layer 1 finished",
        "1 2.1 started t/m",
    ]
    assert "1 1.2 failed stopped ''" in race(mixture("ab", quorum=1), scripts).lines


def test_a_deadline_closes_the_layer_once_enough_are_done() -> None:
    result = race(mixture("ab", deadline_s=1.5), PAIR)
    assert result.lines[6] == "1.5 layer 1 finished"
    assert result.untimed[-1] == "run finished 'Merged' of 1.1"


def test_a_deadline_that_passed_with_too_few_waits_for_enough() -> None:
    result = race(mixture("ab", deadline_s=0.5), PAIR)
    assert result.lines[6] == "1 layer 1 finished"


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (
            "run started",
            [
                "0 1.1 failed stopped ''",
                "0 1.2 failed stopped ''",
                "0 layer 1 finished",
                "0 run failed stopped: Stopped.",
            ],
        ),
        (
            "1.1 waiting",
            [
                "0 1.1 failed stopped ''",
                "0 1.2 failed stopped ''",
                "0 layer 1 finished",
                "0 run failed stopped: Stopped.",
            ],
        ),
        (
            "1.1 says 'Air'",
            [
                "1 1.2 failed stopped ''",
                "1 1.1 failed stopped 'Air'",
                "1 layer 1 finished",
                "1 run failed stopped: Stopped.",
            ],
        ),
        ("2.1 started t/m", ["2 2.1 failed stopped ''", "2 run failed stopped: Stopped."]),
        (
            "2.1 says 'Merged'",
            ["3 2.1 failed stopped 'Merged'", "3 run failed stopped: Stopped."],
        ),
    ],
)
def test_stop_in_each_phase_ends_every_seat_and_then_the_run(
    moment: str, expected: list[str]
) -> None:
    scripts = {
        "a": does(Phase("waiting"), Wait(1), Text("Air"), Wait(0.5), Finish("stop")),
        "b": says("Blue", first_s=2),
        "m": does(Wait(1), Text("Merged"), Wait(1), Finish("stop")),
    }
    result = race(mixture("ab"), scripts, on={moment: lambda run: run.stop()})
    after = result.untimed.index(moment) + 1
    ends = [line for line in result.lines[after:] if "failed" in line or "finished" in line]
    assert sorted(ends[:-1]) == sorted(expected[:-1])
    assert ends[-1] == expected[-1]
    assert len(result.closed) == len(result.requests)


def test_stopping_one_seat_leaves_the_others_alone() -> None:
    result = race(mixture("ab"), PAIR, on={"1.2 started t/b": lambda run: run.stop(Seat(1, 1))})
    assert result.lines[4:7] == [
        "0 1.1 failed stopped ''",
        "2 1.2 says 'Blue'",
        "2 1.2 finished 'Blue' stop",
    ]
    assert result.untimed[-1] == "run finished 'Merged' of 1.2"


def test_a_run_that_stopping_left_too_few_says_how_many_answered() -> None:
    stop = {"1.1 started t/a": lambda run: run.stop(Seat(1, 1))}
    result = race(mixture("ab", min_proposals=2), PAIR, on=stop)
    assert result.untimed[-1] == (
        "run failed stopped: 1 of 2 proposers of layer 1 answered, min_proposals is 2."
    )


def test_when_the_user_stops_every_proposer_the_run_is_stopped() -> None:
    stop = {"1.1 started t/a": lambda run: run.stop(Seat(1, 1))}
    result = race(mixture("a"), PAIR, on=stop)
    assert result.lines[-1] == "0 run failed stopped: The proposers of layer 1 were stopped."


def test_a_stopped_aggregator_asks_no_fallback() -> None:
    aggregator = Aggregator(agent=Agent(model="t/m"), fallback=(Agent(model="t/b"),))
    mix = Mixture(layers=(Layer(proposers=(Agent(model="t/a"),)),), aggregator=aggregator)
    result = race(mix, PAIR, on={"2.1 started t/m": lambda run: run.stop(Seat(2, 1))})
    assert result.lines[-2:] == [
        "1 2.1 failed stopped ''",
        "1 run failed stopped: The aggregator was stopped.",
    ]


def test_retrying_a_live_seat_ends_its_attempt_and_starts_the_next() -> None:
    result = race(mixture("ab"), PAIR, on={"1.1 says 'Air'": lambda run: run.retry(Seat(1, 2))})
    assert result.lines[5:10] == [
        "1 1.1 finished 'Air' stop",
        "1 1.2 failed stopped ''",
        "1 1.2#2 started t/b",
        "3 1.2#2 says 'Blue'",
        "3 1.2#2 finished 'Blue' stop",
    ]
    assert result.untimed[-1] == "run finished 'Merged' of 1.1 1.2"


def test_retrying_a_failed_seat_while_its_layer_is_open() -> None:
    scripts = PAIR | {"a": one_after_another(does(DEAD), says("Air"))}
    result = race(
        mixture("ab"), scripts, on={"1.1 failed connect ''": lambda run: run.retry(Seat(1, 1))}
    )
    assert result.lines[5:8] == [
        "0 1.1#2 started t/a",
        "1 1.1#2 says 'Air'",
        "1 1.1#2 finished 'Air' stop",
    ]


def test_swapping_a_seat_gives_it_to_another_model() -> None:
    swap = {"1.1 started t/a": lambda run: run.swap(Seat(1, 1), Agent(model="t/c"))}
    result = race(mixture("ab"), PAIR | {"c": says("Cyan", first_s=3)}, on=swap)
    assert result.lines[4:7] == [
        "0 1.1 failed stopped ''",
        "0 1.1#2 swapped to t/c",
        "0 1.1#2 started t/c",
    ]
    assert result.untimed[-1] == "run finished 'Merged' of 1.1 1.2"


def test_an_added_seat_joins_the_live_layer() -> None:
    add = {"1.1 says 'Air'": lambda run: run.add(Agent(model="t/c"))}
    result = race(mixture("ab"), PAIR | {"c": says("Cyan", first_s=3)}, on=add)
    assert "1 1.3 started t/c" in result.lines
    assert result.untimed[-1] == "run finished 'Merged' of 1.1 1.2 1.3"


def test_a_seat_meant_for_an_earlier_layer_joins_no_later_one() -> None:
    add = {"2.1 started t/b": lambda run: run.add(Agent(model="t/c"), layer=1)}
    result = race(mixture("a", "b"), PAIR, on=add)
    assert result.refused == ["Layer 1 has ended meanwhile: no seat was added to it."]
    assert not any("2.2" in line for line in result.lines)


def test_no_seat_joins_a_layer_that_was_cut_short_for_the_merge() -> None:
    def merge_and_add(run: Run) -> None:
        run.merge_now()
        run.add(Agent(model="t/c"))

    result = race(mixture("ab"), PAIR, on={"1.1 finished 'Air' stop": merge_and_add})
    assert result.refused == ["Seats can be added only while a layer of proposers runs."]


def test_merge_now_takes_what_is_done_and_skips_the_rest() -> None:
    scripts = PAIR | {"b": says("Bl", "ue", first_s=1, gap_s=9)}
    result = race(
        mixture("ab", "ab"),
        scripts,
        on={"1.1 finished 'Air' stop": lambda run: run.merge_now()},
    )
    assert result.lines[7:] == [
        "1 merge forced",
        "1 1.2 failed stopped 'Bl'",
        "1 layer 1 finished",
        "1 3.1 started t/m",
        "2 3.1 says 'Merged'",
        "2 3.1 finished 'Merged' stop",
        "2 run finished 'Merged' of 1.1",
    ]


def test_merge_now_takes_partial_texts_when_asked_to() -> None:
    scripts = PAIR | {"b": says("Bl", "ue", first_s=1, gap_s=9)}
    on = {"1.1 finished 'Air' stop": lambda run: run.merge_now(partial=True)}
    result = race(mixture("ab"), scripts, on=on)
    assert "1 merge forced, partial" in result.lines
    assert result.untimed[-1] == "run finished 'Merged' of 1.1 1.2"
    assert "2. Bl" in result.requests[-1].messages[0].content


def test_merge_now_without_a_done_proposal_takes_those_of_the_layer_before() -> None:
    on = {"2.1 started t/b": lambda run: run.merge_now()}
    result = race(mixture("a", "b"), PAIR, on=on)
    assert result.untimed[-1] == "run finished 'Merged' of 1.1"


def test_merge_now_is_refused_in_words_when_there_is_nothing_to_merge() -> None:
    result = race(mixture("ab"), PAIR, on={"1.2 started t/b": lambda run: run.merge_now()})
    assert result.refused == ["No proposal is done yet: there is nothing to merge."]
    assert result.untimed[-1] == "run finished 'Merged' of 1.1 1.2"


def test_merge_now_is_refused_while_the_aggregator_works() -> None:
    result = race(mixture("a"), PAIR, on={"2.1 started t/m": lambda run: run.merge_now()})
    assert result.refused == ["The merge has begun already."]


def test_merge_now_is_refused_without_an_aggregator() -> None:
    on = {"1.1 says 'Air'": lambda run: run.merge_now()}
    result = race(mixture("ab", to=""), PAIR, on=on)
    assert result.refused == ["This mixture has no aggregator: there is nothing to merge with."]


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (lambda run: run.retry(Seat(1, 1)), "That seat's layer is closed: run again instead."),
        (
            lambda run: run.add(Agent(model="t/a")),
            "Seats can be added only while a layer of proposers runs.",
        ),
        (lambda run: run.stop(Seat(1, 1)), "That seat has ended already."),
    ],
)
def test_commands_that_come_too_late_are_refused_in_words(command: Reaction, words: str) -> None:
    result = race(mixture("a"), PAIR, on={"2.1 started t/m": command})
    assert result.refused == [words]


def test_commands_after_the_end_are_refused() -> None:
    on = {"run finished 'Merged' of 1.1": lambda run: run.stop()}
    assert race(mixture("a"), PAIR, on=on).refused == ["The run has ended."]


def test_a_retried_aggregator_starts_over() -> None:
    result = race(mixture("a"), PAIR, on={"2.1 started t/m": lambda run: run.retry(Seat(2, 1))})
    assert result.lines[7:] == [
        "1 2.1 failed stopped ''",
        "1 2.1#2 started t/m",
        "2 2.1#2 says 'Merged'",
        "2 2.1#2 finished 'Merged' stop",
        "2 run finished 'Merged' of 1.1",
    ]


def test_given_seats_are_not_called() -> None:
    result = race(mixture("ab"), PAIR, given={Seat(1, 1): Proposal(text="Old air")})
    assert result.lines[2:6] == [
        "0 1.1 given t/a",
        "0 1.1 finished 'Old air' stop",
        "0 1.2 started t/b",
        "2 1.2 says 'Blue'",
    ]
    assert [request.model for request in result.requests] == ["b", "m"]


def test_seats_given_as_none_are_left_out() -> None:
    given = {Seat(1, 1): None, Seat(1, 2): Proposal(text="Old blue")}
    result = race(mixture("ab"), PAIR, given=given)
    assert [request.model for request in result.requests] == ["m"]
    assert result.untimed[-1] == "run finished 'Merged' of 1.2"


def test_a_given_answer_ends_the_run_without_a_call() -> None:
    given = {Seat(1, 1): Proposal(text="Old"), Seat(2, 1): Proposal(text="Taken")}
    result = race(mixture("a"), PAIR, given=given)
    assert result.requests == []
    assert result.untimed[-1] == "run finished 'Taken' of 1.1"


def test_an_unknown_endpoint_is_refused_before_any_call() -> None:
    mix = Mixture(
        layers=(Layer(proposers=(Agent(model="t/a"),)),),
        aggregator=Aggregator(agent=Agent(model="nowhere/m")),
    )
    with pytest.raises(ConfigError, match="no endpoint is called 'nowhere'"):
        race(mix, PAIR)


def test_leaving_the_block_early_closes_every_stream() -> None:
    result = race(mixture("ab"), PAIR, leave_at="1.1 says 'Air'")
    assert sorted(result.closed) == ["a", "b"]


def test_cancelling_the_consumer_closes_every_stream() -> None:
    async def main() -> list[str]:
        clock = AsyncioClock()
        endpoint = Endpoint(name="t", kind="scripted")
        provider = Recorder(ScriptedProvider(endpoint, PAIR, clock=clock))

        async def consume() -> None:
            async with open_run(
                mixture("ab"), Conversation("Why?"), lambda _name: provider, clock=clock
            ) as run:
                async for _event in run:
                    pass

        task = asyncio.create_task(consume())
        await clock.sleep(1.5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return provider.closed

    assert sorted(virtual_time.run(main())) == ["a", "b"]


def test_a_bug_in_a_provider_is_raised_to_whoever_runs() -> None:
    def broken(_request: object) -> list[object]:
        raise ZeroDivisionError

    with pytest.raises(ExceptionGroup) as caught:
        race(mixture("ab"), PAIR | {"a": broken})  # type: ignore[arg-type] # broken on purpose
    assert caught.group_contains(ZeroDivisionError)


def test_usage_is_summed_and_estimated_where_the_server_is_silent() -> None:
    counted = does(Text("Air"), Usage(prompt=10, completion=3), Finish("stop"))
    result = race(mixture("a", to=""), {"a": counted})
    assert result.events[-1].usage == Usage(prompt=10, completion=3, cost=0.0)  # type: ignore[union-attr] # the last event is run_finished
    silent = race(mixture("a", to=""), {"a": says("Air", "blue")})
    assert silent.events[-1].usage == Usage(prompt=9, completion=2, estimated=True, cost=0.0)  # type: ignore[union-attr] # likewise
