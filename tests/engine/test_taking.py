"""Runs whose answer is one of the proposals, word for word: picked by a judge, or voted for."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from racing import FakeCatalogue, Race, does, mixture, one_after_another, race, says

from moa_tui.engine.events import RunFinished, RunStarted
from moa_tui.engine.mixture import Agent, Mixture, Seat
from moa_tui.engine.prompt import Conversation, Exchange
from moa_tui.engine.provider import Finish, ModelInfo, Text, Thinking
from moa_tui.errors import ProviderError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from moa_tui.engine.mixture import StrategyName
    from moa_tui.engine.provider import ChatRequest
    from moa_tui.providers.scripted import Step

TRIO = {"a": says("Air"), "b": says("Blue", first_s=2), "c": says("Cyan", first_s=3)}
DEAD = ProviderError("connect", "Nothing listens there.", "Start it.")
SEED = 0
"""Shows Blue, Cyan, Air, in this order."""
JUDGE = Agent(model="t/m", seed=SEED)


def taking(strategy: StrategyName, *layers: str, **merging: Any) -> Mixture:  # noqa: ANN401 - the aggregator's fields
    mix = mixture(*layers)
    return replace(mix, aggregator=replace(mix.aggregator, strategy=strategy, **merging))


def picking(*layers: str, **merging: Any) -> Mixture:  # noqa: ANN401 - as above
    return taking("pick", *layers, **{"agent": JUDGE, **merging})


def end(result: Race) -> RunFinished:
    event = result.events[-1]
    assert isinstance(event, RunFinished)
    return event


def seed_of(result: Race) -> int | None:
    event = result.events[0]
    assert isinstance(event, RunStarted)
    return event.seed


def likes(word: str) -> dict[str, Any]:
    """A judge that names the letter under which this word stands."""

    def judge(request: ChatRequest) -> Iterable[Step]:
        before = request.messages[-1].content.partition(f"\n{word}")[0]
        return (Text(before[-1]), Finish("stop"))

    return {"m": judge}


# Pick.


def test_the_judge_names_a_proposal_which_is_the_answer_word_for_word() -> None:
    texts = TRIO | {"b": does(Text("  **Blue**, since…\n"), Finish("stop"))}
    result = race(picking("abc"), texts | likes("**Blue**"))
    assert end(result).answer == "**Blue**, since…"
    assert end(result).chosen == Seat(1, 2)
    assert end(result).references == (Seat(1, 1), Seat(1, 2), Seat(1, 3))
    assert len(result.requests) == 4


def test_the_judge_sees_no_names_and_the_order_of_the_logged_seed() -> None:
    result = race(picking("abc"), TRIO | {"m": says("A")})
    paper = result.requests[-1].messages[-1].content
    assert "t/" not in paper
    assert sorted(("Air", "Blue", "Cyan"), key=paper.index) == ["Blue", "Cyan", "Air"]
    assert seed_of(result) == SEED
    assert end(result).answer == "Blue"


def test_a_seed_is_drawn_and_logged_where_the_judge_has_none() -> None:
    mix = picking("abc", agent=Agent(model="t/m"))
    seeds = {seed_of(race(mix, TRIO | {"m": says("A")})) for _ in range(4)}
    assert None not in seeds
    assert len(seeds) > 1


@pytest.mark.parametrize("strategy", ["synthesize", "vote", "refine", "none"])
def test_no_seed_is_logged_where_nothing_is_shuffled(strategy: StrategyName) -> None:
    assert seed_of(race(taking(strategy, "ab"), TRIO | {"m": says("x")})) is None


def test_a_judge_that_always_says_the_same_letter_favours_nobody() -> None:
    chosen = Counter(
        end(
            race(picking("abc", agent=Agent(model="t/m", seed=seed)), TRIO | {"m": says("A")})
        ).chosen
        for seed in range(60)
    )
    assert len(chosen) == 3
    assert min(chosen.values()) > 10


def test_a_choice_may_have_few_tokens() -> None:
    result = race(picking("abc"), TRIO | {"m": says("A")})
    assert result.requests[-1].options.max_tokens == 64


@pytest.mark.parametrize("own", [{"think": True}, {"effort": "high"}])
def test_a_judge_that_thinks_has_room_for_it(own: dict[str, Any]) -> None:
    result = race(picking("abc", agent=replace(JUDGE, **own)), TRIO | {"m": says("A")})
    assert result.requests[-1].options.max_tokens == 2048


def test_a_choice_is_asked_once_more_with_all_the_room() -> None:
    again = TRIO | {"m": one_after_another(says("They are all fine."), says("A"))}
    result = race(picking("abc"), again)
    first, second = result.requests[-2:]
    assert (first.options.max_tokens, second.options.max_tokens) == (64, 2048)
    assert second.messages[-1].content.startswith(first.messages[-1].content)
    assert "2.1#2 note its reply named no proposal, asked once more" in result.untimed
    assert end(result).answer == "Blue"


def test_a_judge_that_only_thought_is_asked_once_more() -> None:
    thinks = does(Thinking("Let me see"), Finish("length"))
    result = race(picking("abc"), TRIO | {"m": one_after_another(thinks, says("A"))})
    assert end(result).answer == "Blue"


def test_then_a_fallback_is_asked_twice_too_and_then_the_run_fails_with_what_was_said() -> None:
    mix = picking("abc", fallback=(Agent(model="t/f"),))
    result = race(mix, TRIO | {"m": says("Well,"), "f": says("All\nare fine.")})
    assert [request.model for request in result.requests[3:]] == ["m", "m", "f", "f"]
    assert result.untimed[-1] == (
        "run failed protocol: The aggregator t/f named no proposal as the best, it said: "
        "All are fine."
    )


def test_a_fallback_chooses_where_the_judge_is_dead_or_names_none() -> None:
    mix = picking("abc", fallback=(Agent(model="t/f"),))
    for judge in (does(DEAD), says("Well,")):
        assert end(race(mix, TRIO | {"m": judge, "f": says("A")})).answer == "Blue"


def test_a_dead_judge_is_not_asked_once_more() -> None:
    result = race(picking("abc"), TRIO | {"m": does(DEAD)})
    assert [request.model for request in result.requests] == list("abcm")
    assert result.untimed[-1] == (
        "run failed connect: The aggregator t/m failed: Nothing listens there."
    )


def test_a_swapped_judge_is_the_one_that_is_asked_once_more() -> None:
    swap = {"2.1 started t/m": lambda run: run.swap(Seat(2, 1), Agent(model="t/f"))}
    result = race(
        picking("abc"),
        TRIO | {"m": says("A"), "f": one_after_another(says("Well,"), says("A"))},
        on=swap,
    )
    assert [request.model for request in result.requests[-2:]] == ["f", "f"]


def test_a_single_proposal_is_the_answer_without_a_call() -> None:
    result = race(picking("ab"), TRIO | {"b": does(DEAD)})
    assert [request.model for request in result.requests] == ["a", "b"]
    assert (end(result).answer, end(result).chosen) == ("Air", Seat(1, 1))


def test_equal_proposals_are_shown_once_and_the_lowest_seat_is_chosen() -> None:
    result = race(picking("abc"), TRIO | {"c": says("Air ")} | likes("Air"))
    assert result.requests[-1].messages[-1].content.count("\nAir\n") == 1
    assert end(result).chosen == Seat(1, 1)
    same = race(picking("abc"), dict.fromkeys("abc", says("Air")))
    assert len(same.requests) == 3
    assert end(same).chosen == Seat(1, 1)


def test_thinking_is_neither_shown_to_the_judge_nor_in_the_answer() -> None:
    thinks = does(Thinking("Hm, hm."), Text("Blue"), Finish("stop"))
    result = race(picking("abc"), TRIO | {"b": thinks} | likes("Blue"))
    assert "Hm" not in result.requests[-1].messages[-1].content
    assert end(result).answer == "Blue"


def test_the_judge_sees_the_conversation_and_its_own_system_prompt() -> None:
    mix = picking("abc", agent=replace(JUDGE, system="Shorter is better."))
    talk = Conversation("And red?", (Exchange("Why blue?", "The air."),))
    result = race(mix, TRIO | {"m": says("A")}, conversation=talk)
    said = [(one.role, one.content.partition("\n")[0]) for one in result.requests[-1].messages]
    assert said == [
        ("system", "Shorter is better."),
        ("user", "Why blue?"),
        ("assistant", "The air."),
        ("user", "And red?"),
    ]


def test_an_own_instruction_is_about_merging_and_is_not_the_judges() -> None:
    mix = picking("ab", "ab", instruction="Merge these: {references}")
    result = race(mix, TRIO | {"m": says("A")})
    assert result.requests[2].messages[0].content.startswith("Merge these: 1. Air")
    assert "Merge these" not in "".join(one.content for one in result.requests[-1].messages)


@pytest.mark.parametrize("rule", ["trim", "refine"])
def test_the_judge_gets_long_proposals_cut_and_the_answer_is_whole(rule: str) -> None:
    long = " ".join(f"word{number}" for number in range(3000))
    texts = TRIO | {"a": does(Text(f"Air {long}"), Finish("stop"))} | likes("Air")
    known = FakeCatalogue(known={"t/m": ModelInfo(id="m", context=2000)})
    result = race(replace(picking("abc"), context=rule), texts, models=known)  # type: ignore[arg-type] # the test names real ones
    assert "left out" in result.requests[-1].messages[-1].content
    assert end(result).answer == f"Air {long}"


def test_merging_now_picks_of_what_is_ready_and_partial_texts_if_wanted() -> None:
    slow = TRIO | {"c": says("Cyan", "and more", first_s=1, gap_s=9)}
    now = {"1.2 finished 'Blue' stop": lambda run: run.merge_now()}
    result = race(picking("abc"), slow | likes("Blue"), on=now)
    assert end(result).references == (Seat(1, 1), Seat(1, 2))
    now = {"1.2 finished 'Blue' stop": lambda run: run.merge_now(partial=True)}
    result = race(picking("abc"), slow | likes("Cyan"), on=now)
    assert (end(result).answer, end(result).chosen) == ("Cyan", Seat(1, 3))


def test_stopping_the_judge_fails_the_run_as_stopped() -> None:
    stop = {"2.1 started t/m": lambda run: run.stop(Seat(2, 1))}
    result = race(picking("abc"), TRIO | {"m": says("A")}, on=stop)
    assert result.untimed[-1] == "run failed stopped: The aggregator was stopped."


# Vote.


def test_the_answer_that_most_give_wins_without_a_call_word_for_word() -> None:
    said = {"a": says("Lyon"), "b": says("**Paris**."), "c": says("paris")}
    result = race(taking("vote", "abc", agent=None), said)
    assert [request.model for request in result.requests] == list("abc")
    assert (end(result).answer, end(result).chosen) == ("**Paris**.", Seat(1, 2))
    assert end(result).votes == ((Seat(1, 2), Seat(1, 3)), (Seat(1, 1),))


def test_a_tie_goes_to_the_lowest_seat() -> None:
    said = {"a": says("Lyon", first_s=9), "b": says("Paris"), "c": says("Nice")}
    result = race(taking("vote", "abc"), said)
    assert (end(result).answer, len(end(result).votes)) == ("Lyon", 3)


def test_a_failed_proposer_has_no_vote() -> None:
    said = {"a": does(DEAD), "b": says("Paris"), "c": says("Paris")}
    assert end(race(taking("vote", "abc"), said)).votes == ((Seat(1, 2), Seat(1, 3)),)


def test_merging_now_counts_what_is_ready() -> None:
    said = {"a": says("Lyon"), "b": says("Paris", first_s=2), "c": says("Paris", first_s=9)}
    now = {"1.2 finished 'Paris' stop": lambda run: run.merge_now()}
    assert end(race(taking("vote", "abc"), said, on=now)).votes == ((Seat(1, 1),), (Seat(1, 2),))


def test_an_added_seat_votes_too() -> None:
    said = {"a": says("Lyon"), "b": says("Paris"), "d": says("Paris")}
    add = {"1.1 started t/a": lambda run: run.add(Agent(model="t/d"))}
    assert end(race(taking("vote", "ab"), said, on=add)).answer == "Paris"
