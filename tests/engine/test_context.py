"""Whether prompts fit their models: said before they are sent, cut or merged a few at a time."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from racing import FakeCatalogue, does, mixture, one_after_another, race, says

from moa_tui.engine.context import fitted, trimmed
from moa_tui.engine.mixture import Agent, Seat
from moa_tui.engine.provider import (
    ChatRequest,
    Finish,
    Message,
    ModelInfo,
    Options,
    Text,
    estimate_tokens,
)
from moa_tui.errors import ProviderError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from racing import Race

    from moa_tui.engine.mixture import ContextRule

TALK = " ".join(f"word{number}" for number in range(400))
"""A proposal of 773 tokens, by our estimate."""


def ask(references: Sequence[str], *, prompt: str = "Why?", max_tokens: int = 500) -> ChatRequest:
    said = Message("user", "\n".join((prompt, *references)))
    return ChatRequest("m", (said,), Options(max_tokens=max_tokens))


def window_of(tokens: int) -> FakeCatalogue:
    return FakeCatalogue(known={"t/m": ModelInfo(id="m", context=tokens)})


def merged(
    rule: ContextRule, window: int, *, proposers: str = "abcde", max_tokens: int = 300
) -> Race:
    scripts = {name: says(f"{name} {TALK}") for name in proposers}
    mix = mixture(proposers, context=rule, max_tokens=max_tokens)
    return race(mix, scripts | {"m": says("Answer.")}, models=window_of(window))


def of_aggregator(result: Race) -> list[str]:
    return [line.removeprefix("2.1") for line in result.untimed if line.startswith("2.1")]


# One request.


@pytest.mark.parametrize("window", [None, 10_000])
def test_what_fits_is_sent_as_it_is(window: int | None) -> None:
    assert fitted(ask, ["x"], window=window, rule="fail") == (ask(["x"]), "")


def test_an_answer_without_room_for_its_full_length_is_asked_to_be_shorter() -> None:
    request, words = fitted(ask, [TALK], window=1200, rule="fail")
    assert request.prompt_tokens + request.options.max_tokens == 1200
    assert request.messages == ask([TALK]).messages
    assert words == "its answer may have 418 tokens: the other 782 of 1,200 are read"


def test_what_does_not_fit_fails_with_both_figures_and_what_to_do() -> None:
    with pytest.raises(ProviderError) as caught:
        fitted(ask, [TALK] * 2, window=1000, rule="fail")
    assert caught.value.kind == "context"
    assert caught.value.message == (
        "the prompt is about 1,554 tokens, the model takes 1,000 with its answer"
    )
    assert caught.value.hint == (
        "shorten the prompt, use a model with a larger context, use fewer proposers, or let their"
        ' answers be cut: context = "trim"'
    )


def test_a_prompt_that_alone_does_not_fit_fails_whatever_the_rule() -> None:
    with pytest.raises(ProviderError, match="about 2,325 tokens") as caught:
        fitted(lambda texts: ask(texts, prompt=TALK * 2), [TALK], window=1000, rule="trim")
    assert caught.value.hint.endswith("larger context, or use fewer proposers")


def test_where_nothing_is_merged_nobody_is_told_to_merge_less() -> None:
    with pytest.raises(ProviderError) as caught:
        fitted(lambda texts: ask(texts, prompt=TALK * 2), [], window=1000, rule="fail")
    assert caught.value.hint == "shorten the prompt, or use a model with a larger context"


def test_references_are_cut_evenly_and_the_request_fits() -> None:
    request, words = fitted(ask, ["short", TALK, TALK], window=1000, rule="trim")
    assert request.prompt_tokens + request.options.max_tokens <= 1000
    assert words.startswith("cut to ")
    assert words.endswith(" tokens: 2, 3 of 3 answers")
    said = request.messages[0].content
    assert "short" in said
    assert said.count("tokens left out …]") == 2
    assert said.count("word0 word1") == said.count("word398 word399") == 2


@given(st.lists(st.text(min_size=1, max_size=600), min_size=1, max_size=8), st.integers(0, 500))
def test_cut_references_have_no_more_than_their_room(texts: list[str], spare: int) -> None:
    room = 48 * len(texts) + spare
    cut, words = trimmed(texts, room)
    # Each cut text and each mark is rounded up.
    assert sum(map(estimate_tokens, cut)) <= room + 4 * len(texts)
    assert (cut == texts) == (words == "")


# In a run.


def test_a_merge_without_room_fails_before_it_is_sent() -> None:
    result = merged("fail", 2000)
    assert [request.model for request in result.requests] == [*"abcde"]
    assert result.untimed[-1].startswith("run failed context: The aggregator t/m failed: the pro")


def test_a_merge_with_cut_references_says_what_was_cut() -> None:
    result = merged("trim", 2000)
    assert of_aggregator(result)[:2] == [
        " started t/m",
        " note cut to 316 tokens: all of 5 answers",
    ]
    assert result.untimed[-1] == "run finished 'Answer.' of 1.1 1.2 1.3 1.4 1.5"


def test_a_merge_a_few_at_a_time_folds_each_step_into_the_answer_so_far() -> None:
    result = merged("refine", 2400)
    steps = [line for line in of_aggregator(result) if "note" in line]
    assert steps == [
        " note answers 1 to 2 of 5",
        "#2 note answers 3 to 4 of 5, into what came before",
        "#3 note answer 5 of 5, into what came before",
    ]
    first, *later = (request.messages[0].content for request in result.requests[5:])
    assert "1. a word0" in first
    assert "2. b word0" in first
    assert all("1. Answer." in said for said in later)
    assert "2. c word0" in later[0]
    assert result.untimed[-1] == "run finished 'Answer.' of 1.1 1.2 1.3 1.4 1.5"


def test_every_step_is_paid_for() -> None:
    result = merged("refine", 2400)
    usage = result.events[-1].usage  # type: ignore[union-attr] # the last event is run_finished
    assert usage is not None
    assert usage.completion == 5 * 1 + 3 * 1


def test_where_nobody_knows_the_window_the_server_says_it_and_the_merge_is_cut_to_it() -> None:
    refuses = does(ProviderError("context", "too long", window=2000))
    talk = {name: says(f"{name} {TALK}") for name in "abc"}
    scripts = talk | {"m": one_after_another(refuses, says("Cut."))}
    result = race(mixture("abc", context="trim", max_tokens=300), scripts)
    assert "tokens: all of 3 answers" in of_aggregator(result)[1]
    assert result.untimed[-1] == "run finished 'Cut.' of 1.1 1.2 1.3"


def test_an_overflow_that_stays_one_is_told_in_the_servers_words() -> None:
    refuses = does(ProviderError("context", "9000 of 2000 tokens", window=2000))
    result = race(mixture("a", context="trim", max_tokens=300), {"a": refuses})
    assert result.untimed[-1] == (
        "run failed context: 0 of 1 proposers of layer 1 answered, 1 needed: 9000 of 2000 tokens"
    )


def test_a_strategy_that_refines_takes_three_texts_at_once() -> None:
    mix = mixture("abcde")
    mix = replace(mix, aggregator=replace(mix.aggregator, strategy="refine"))
    scripts = {name: says(name) for name in "abcde"} | {"m": says("Good.")}
    result = race(mix, scripts)
    assert [line for line in of_aggregator(result) if "note" in line] == [
        " note answers 1 to 3 of 5",
        "#2 note answers 4 to 5 of 5, into what came before",
    ]


def test_proposers_of_a_later_layer_get_cut_references_where_the_merge_is_folded() -> None:
    known = {f"t/{name}": ModelInfo(id=name, context=2000) for name in "xm"}
    scripts = {name: says(f"{name} {TALK}") for name in "abc"} | {"x": says("X."), "m": says("M.")}
    mix = mixture("abc", "x", context="refine", max_tokens=300)
    result = race(mix, scripts, models=FakeCatalogue(known=known))
    assert "tokens: all of 3 answers" in "\n".join(result.untimed)
    assert result.untimed[-1] == "run finished 'M.' of 2.1"


def test_a_window_of_ones_own_counts_and_nobody_is_asked() -> None:
    mix = mixture("ab", max_tokens=300)
    small = replace(mix.aggregator, agent=Agent(model="t/m", num_ctx=1000))
    models = FakeCatalogue(listed={"t/m": ModelInfo(id="m", context=100_000)})
    scripts = {name: says(TALK) for name in "ab"} | {"m": says("M.")}
    result = race(replace(mix, aggregator=small), scripts, models=models)
    assert "the model takes 1,000" in result.untimed[-1]
    assert models.asked == []


def test_an_endpoint_is_asked_for_its_models_only_where_much_is_to_fit() -> None:
    models = FakeCatalogue(listed={"t/m": ModelInfo(id="m", context=2000)})
    scripts = {name: does(Text(TALK * 4), Finish("stop")) for name in "ab"} | {"m": says("M.")}
    result = race(mixture("ab", max_tokens=300), scripts, models=models)
    assert models.asked == ["t/m"]
    assert "the model takes 2,000" in result.untimed[-1]


def test_a_server_that_refuses_whatever_is_sent_is_asked_five_times_and_never_the_same() -> None:
    refuses = does(ProviderError("context", "too long", window=8000))
    talk = {name: says(f"{name} {TALK}") for name in "abc"}
    result = race(mixture("abc", context="trim", max_tokens=300), talk | {"m": refuses})
    asked = [request for request in result.requests if request.model == "m"]
    assert len(asked) == len(set(asked)) <= 5
    assert result.untimed[-1] == "run failed context: The aggregator t/m failed: too long"


def test_who_took_the_seat_over_merges_the_rest_too() -> None:
    mix = mixture("abcde")
    mix = replace(mix, aggregator=replace(mix.aggregator, strategy="refine"))
    scripts = {name: says(name) for name in "abcde"} | {"m": says("Slow."), "z": says("Good.")}
    swap = {"2.1 started t/m": lambda run: run.swap(Seat(2, 1), Agent(model="t/z"))}
    result = race(mix, scripts, on=swap)
    assert [request.model for request in result.requests[5:]] == ["z", "z"]
