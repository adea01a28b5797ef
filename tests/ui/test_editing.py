"""Edits of a mixture: each gives one that can be run and saved, or a reason in words."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from moa_tui.engine.mixture import Agent, Aggregator, Layer, Mixture
from moa_tui.errors import ConfigError
from moa_tui.preset_file import as_toml, read_preset
from moa_tui.ui.sidebar import editing
from moa_tui.ui.sidebar.editing import AGGREGATOR, Place

if TYPE_CHECKING:
    from collections.abc import Callable

A, B, C, M, N = (Agent(model=f"t/{name}") for name in "abcmn")
TRIO = Mixture(
    name="trio",
    layers=(Layer(proposers=(A, B, C)),),
    aggregator=Aggregator(agent=M, fallback=(N,)),
)
UNEVEN = replace(TRIO, layers=(Layer(proposers=(A, B)), Layer(proposers=(C,), repeat=2)))
ALONE = Mixture(layers=(Layer(proposers=(A,)),), aggregator=Aggregator(strategy="none"))
FIRST, SECOND, THIRD = (Place(1, number) for number in (1, 2, 3))


def proposers(mixture: Mixture, group: int = 1) -> str:
    """Say who stands in a group: "a b×2 (c)", the last one switched off."""
    shown = []
    for agent in mixture.layers[group - 1].proposers:
        name = agent.model_name + (f"×{agent.samples}" if agent.samples > 1 else "")
        shown.append(name if agent.enabled else f"({name})")
    return " ".join(shown)


def mergers(mixture: Mixture) -> str:
    """Say who merges and who stands in: "m n"."""
    merging = mixture.aggregator
    return " ".join(agent.model_name for agent in (merging.agent, *merging.fallback) if agent)


def first(mixture: Mixture) -> Agent:
    return mixture.layers[0].proposers[0]


def reread(mixture: Mixture, folder: Path = Path("presets")) -> Mixture:
    """Return what a preset file of the mixture says."""
    return read_preset(as_toml(mixture).encode(), folder / f"{mixture.name or 'none'}.toml")


# What holds for all.


@pytest.mark.parametrize(
    ("now", "by", "then"),
    [
        (0.7, 1, 0.8),
        (0.7, -1, 0.6),
        (0.75, 1, 0.8),
        (0.75, -1, 0.7),
        (0.1, -1, 0.0),
        (0.0, -1, "unset"),
        ("unset", 1, 0.0),
        (1.95, 1, 2.0),
    ],
)
def test_temperature_is_turned_by_tenths_and_below_0_is_unset(
    now: editing.Temperature, by: int, then: editing.Temperature
) -> None:
    assert editing.turn_temperature(replace(TRIO, temperature=now), by).temperature == then


def test_temperature_meets_every_tenth_on_its_way() -> None:
    mixture, met = replace(TRIO, temperature="unset"), []
    for _ in range(21):
        mixture = editing.turn_temperature(mixture, 1)
        met.append(mixture.temperature)
    assert met == [tenth / 10 for tenth in range(21)]


@pytest.mark.parametrize(
    ("now", "by", "then"),
    [(2048, 1, 3072), (2048, -1, 1536), (2000, 1, 2048), (2000, -1, 1536), (1, 1, 64)],
)
def test_max_tokens_goes_from_step_to_step_even_from_between(now: int, by: int, then: int) -> None:
    assert editing.turn_max_tokens(replace(TRIO, max_tokens=now), by).max_tokens == then


def test_layers_are_those_of_the_only_group() -> None:
    assert editing.turn_layers(TRIO, 1).proposer_layers == 2
    assert editing.turn_layers(editing.turn_layers(TRIO, 1), -1) == TRIO


def test_groups_that_differ_are_repeated_one_by_one() -> None:
    turned = editing.turn_repeat(UNEVEN, 2, by=-1)
    assert [layer.repeat for layer in turned.layers] == [1, 1]


def test_history_context_and_strategy_go_round() -> None:
    rules_of_room = [editing.turn_context(TRIO, by).context for by in (1, 2, 3, -1)]
    assert rules_of_room == ["trim", "refine", "fail", "refine"]
    rules = [editing.turn_history(TRIO, by).history for by in (1, -1, 2)]
    assert rules == ["off", "off", "answers"]
    strategies = [editing.turn_strategy(TRIO, by).aggregator.strategy for by in (1, 2, 3, 4, 5)]
    assert strategies == ["pick", "vote", "refine", "none", "synthesize"]


def test_without_an_aggregator_only_strategies_that_call_none_go_round() -> None:
    turned = [editing.turn_strategy(ALONE, by).aggregator.strategy for by in (1, 2, -1)]
    assert turned == ["vote", "none", "vote"]


def test_an_aggregator_that_only_votes_may_go() -> None:
    lone = replace(TRIO, aggregator=replace(TRIO.aggregator, fallback=(), strategy="vote"))
    assert editing.remove(lone, AGGREGATOR).aggregator == Aggregator(strategy="vote")


def test_typed_values_may_lie_between_the_steps() -> None:
    assert editing.write_temperature(TRIO, " 0.65 ").temperature == 0.65
    assert editing.write_temperature(TRIO, "unset").temperature == "unset"
    assert editing.write_max_tokens(TRIO, "5000").max_tokens == 5000


def test_texts_are_made_safe() -> None:
    assert editing.set_system(TRIO, " Be \x1b[31mbrief.\n").system == "Be ␛[31mbrief."
    told = editing.set_instruction(TRIO, "Merge:\n{references}")
    assert told.aggregator.instruction == "Merge:\n{references}"
    assert editing.set_instruction(told, "") == TRIO


# Who takes part.


def test_a_model_behind_the_last_is_one_more() -> None:
    assert proposers(editing.put_model(TRIO, editing.next_place(TRIO, 1), "t/new")) == "a b c new"
    assert mergers(editing.put_model(TRIO, editing.next_place(TRIO, 0), "t/new")) == "m n new"
    assert mergers(editing.put_model(ALONE, AGGREGATOR, "t/new")) == "new"


def test_another_model_keeps_the_options_that_any_model_has() -> None:
    known = replace(
        A, temperature=0.9, label="poet", samples=2, think=True, effort="low", num_ctx=9
    )
    mixture = replace(TRIO, layers=(Layer(proposers=(known,)),))

    assert first(editing.put_model(mixture, FIRST, "u/x/y")) == Agent(
        model="u/x/y", temperature=0.9, label="poet", samples=2
    )
    assert editing.put_model(mixture, FIRST, "t/a") == mixture


def test_agents_are_removed() -> None:
    assert proposers(editing.remove(TRIO, SECOND)) == "a c"
    assert mergers(editing.remove(TRIO, Place(0, 2))) == "m"


def test_an_aggregator_that_nobody_needs_is_removed() -> None:
    racing = editing.turn_strategy(editing.remove(TRIO, Place(0, 2)), -1)
    assert mergers(editing.remove(racing, AGGREGATOR)) == ""


def test_agents_move_among_their_neighbours() -> None:
    assert proposers(editing.move(TRIO, FIRST, by=1)) == "b a c"
    assert proposers(editing.move(TRIO, THIRD, by=-2)) == "c a b"
    spares = editing.put_model(TRIO, editing.next_place(TRIO, 0), "t/x")
    assert mergers(editing.move(spares, Place(0, 3), by=-1)) == "m x n"


def test_a_proposer_has_samples_and_can_be_switched_off() -> None:
    assert proposers(editing.turn_samples(TRIO, SECOND, by=1)) == "a b×2 c"
    off = editing.switch(TRIO, SECOND)
    assert proposers(off) == "a (b) c"
    assert editing.switch(off, SECOND) == TRIO


# How one agent is asked.


@pytest.mark.parametrize(
    ("name", "by", "value"),
    [
        ("samples", 1, 2),
        ("temperature", 1, 0.8),
        ("max_tokens", -1, 1536),
        ("top_p", -1, 0.95),
        ("seed", 1, 1),
        ("think", 1, True),
        ("think", -1, False),
        ("effort", 1, "low"),
        ("num_ctx", 1, 2048),
    ],
)
def test_an_option_is_turned_from_what_holds_now(name: str, by: int, value: object) -> None:
    turned = editing.turn_option(TRIO, FIRST, name, by=by)

    assert getattr(first(turned), name) == value
    assert editing.has_option(first(turned), name)
    assert editing.reset_option(turned, FIRST, name) == TRIO


@pytest.mark.parametrize(
    ("name", "typed", "value"),
    [
        ("samples", "4", 4),
        ("temperature", "unset", "unset"),
        ("temperature", "0.05", 0.05),
        ("max_tokens", "300", 300),
        ("top_p", "0.33", 0.33),
        ("seed", "42", 42),
        ("effort", " xhigh ", "xhigh"),
        ("num_ctx", "10000", 10000),
        ("label", "the\npoet", "the poet"),
        ("system", "Write\nverse.", "Write\nverse."),
    ],
)
def test_an_option_is_typed(name: str, typed: str, value: object) -> None:
    assert getattr(first(editing.write_option(TRIO, FIRST, name, typed)), name) == value


def test_an_effort_of_the_users_own_is_turned_like_unset() -> None:
    own = editing.write_option(TRIO, FIRST, "effort", "xhigh")
    assert first(editing.turn_option(own, FIRST, "effort", by=1)).effort == "low"


def test_the_aggregator_has_options_too() -> None:
    cold = editing.turn_option(TRIO, AGGREGATOR, "temperature", by=-1)
    assert cold.aggregator.agent == replace(M, temperature=0.6)


# Refusals.

KEY = "sk-proj-0123456789abcdef"
FEWER: list[tuple[Callable[[], Mixture], str]] = [
    (partial(editing.turn_layers, TRIO, -1), "a mixture needs at least one layer"),
    (
        partial(editing.turn_layers, UNEVEN, 1),
        "this mixture has 2 groups of layers; turn a group's own repeat",
    ),
    (partial(editing.turn_repeat, UNEVEN, 1, by=-1), "a mixture needs at least one layer"),
    (partial(editing.turn_repeat, UNEVEN, 3, by=1), "no such group of layers"),
    (
        partial(editing.remove, replace(TRIO, layers=(Layer(proposers=(A,)),)), FIRST),
        "a layer needs a proposer: add another one first",
    ),
    (
        partial(editing.remove, editing.switch(editing.remove(TRIO, THIRD), SECOND), FIRST),
        "a layer needs a proposer: add another one first",
    ),
    (
        partial(editing.remove, TRIO, AGGREGATOR),
        "somebody must merge: choose another model, or the strategy vote or none",
    ),
    (
        partial(editing.remove, editing.turn_strategy(TRIO, -1), AGGREGATOR),
        "remove its fallbacks first, they stand in for it",
    ),
    (partial(editing.remove, TRIO, Place(1, 4)), "no agent stands there"),
    (
        partial(editing.switch, ALONE, FIRST),
        "a layer needs a proposer: switch another one on first",
    ),
    (
        partial(editing.turn_samples, TRIO, FIRST, by=-1),
        "one sample is the least; switch it off or remove it",
    ),
    (
        partial(editing.switch, TRIO, AGGREGATOR),
        "the aggregator is asked once, and is never off: choose the strategy",
    ),
    (partial(editing.move, TRIO, AGGREGATOR, by=1), "the aggregator stands before its fallbacks"),
    (partial(editing.move, TRIO, Place(0, 2), by=-1), "the aggregator stands before its fallbacks"),
    (partial(editing.move, TRIO, THIRD, by=1), "no agent stands there"),
    (partial(editing.move, TRIO, FIRST, by=-1), "no agent stands there"),
]
VALUES: list[tuple[Callable[[], Mixture], str]] = [
    (
        partial(editing.turn_temperature, replace(TRIO, temperature=2.0), 1),
        "temperature ends at 2",
    ),
    (
        partial(editing.turn_temperature, replace(TRIO, temperature="unset"), -1),
        "temperature is unset: the model's own is used",
    ),
    (
        partial(editing.turn_max_tokens, replace(TRIO, max_tokens=64), -1),
        "max_tokens is turned from 64 to 131072; enter takes any number",
    ),
    (
        partial(editing.turn_max_tokens, replace(TRIO, max_tokens=200_000), 1),
        "max_tokens is turned from 64 to 131072; enter takes any number",
    ),
    (partial(editing.write_temperature, TRIO, "warm"), "temperature is a number, like 0.7"),
    (
        partial(editing.write_temperature, TRIO, "nan"),
        "temperature of the mixture must be from 0 to 2",
    ),
    (partial(editing.write_max_tokens, TRIO, "2k"), "max_tokens is a whole number, like 2048"),
    (
        partial(editing.write_max_tokens, TRIO, "0"),
        "max_tokens of the mixture must be at least 1",
    ),
    (partial(editing.write_max_tokens, TRIO, "9" * 20), "max_tokens is too large"),
    (
        partial(editing.turn_option, TRIO, FIRST, "top_p", by=1),
        "top_p must be above 0 and at most 1",
    ),
    (
        partial(editing.write_option, TRIO, FIRST, "top_p", "0"),
        "top_p must be above 0 and at most 1",
    ),
    (partial(editing.turn_option, TRIO, FIRST, "seed", by=-1), "seed must be at least 0"),
    (
        partial(editing.turn_option, TRIO, FIRST, "num_ctx", by=-1),
        "num_ctx is turned from 2048 to 131072; enter takes any number",
    ),
    (partial(editing.write_option, TRIO, FIRST, "num_ctx", "0"), "num_ctx must be at least 1"),
    (partial(editing.write_option, TRIO, FIRST, "samples", "0"), "samples of 't/a' must be at"),
    (
        partial(editing.write_option, TRIO, AGGREGATOR, "samples", "2"),
        "the aggregator is asked once, and is never off: choose the strategy",
    ),
    (
        partial(editing.turn_option, TRIO, FIRST, "label", by=1),
        "a text isn't turned: enter writes it",
    ),
    (partial(editing.write_option, TRIO, FIRST, "think", "yes"), "nothing to write here"),
]
SHARED: list[tuple[Callable[[], Mixture], str]] = [
    (partial(editing.set_instruction, TRIO, "Merge."), "must contain {references}"),
    (partial(editing.put_model, TRIO, FIRST, "llama3"), "write it as endpoint/model"),
    (partial(editing.put_model, TRIO, Place(1, 5), "t/x"), "no agent stands there"),
    (partial(editing.set_system, TRIO, KEY), "that holds what looks like a key"),
    (partial(editing.set_instruction, TRIO, f"{{references}} {KEY}"), "that holds what looks like"),
    (partial(editing.write_option, TRIO, FIRST, "label", KEY), "that holds what looks like a key"),
    (partial(editing.write_option, TRIO, FIRST, "effort", KEY), "that holds what looks like a key"),
    (partial(editing.put_model, TRIO, FIRST, f"t/{KEY}"), "that holds what looks like a key"),
    (partial(editing.set_system, TRIO, "See https://x.test/"), "that has a URL"),
    (partial(editing.put_model, TRIO, FIRST, "http://127.0.0.1:1/v1"), "that has a URL"),
]


@pytest.mark.parametrize(("edit", "why"), [*FEWER, *VALUES, *SHARED])
def test_what_cant_be_is_refused_in_words(edit: Callable[[], Mixture], why: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        edit()
    assert why in str(refusal.value)


# What comes out.


def test_what_was_edited_can_be_saved_and_read_again() -> None:
    edits: list[Callable[[Mixture], Mixture]] = [
        lambda mixture: editing.turn_layers(mixture, 1),
        lambda mixture: editing.turn_temperature(mixture, -1),
        lambda mixture: editing.turn_max_tokens(mixture, 1),
        editing.turn_history,
        editing.turn_context,
        lambda mixture: editing.set_system(mixture, 'Say "yes"\nor \\ no.'),
        lambda mixture: editing.set_instruction(mixture, "Merge\n\n{references}\n'''\"\"\""),
        lambda mixture: editing.put_model(mixture, Place(1, 4), "groq/openai/gpt-oss-20b"),
        lambda mixture: editing.put_model(mixture, FIRST, 'ollama/weird"模型[/b]:3b'),
        lambda mixture: editing.turn_samples(mixture, FIRST, by=2),
        lambda mixture: editing.switch(mixture, SECOND),
        lambda mixture: editing.move(mixture, SECOND, by=1),
        lambda mixture: editing.write_option(mixture, FIRST, "temperature", "unset"),
        lambda mixture: editing.write_option(mixture, FIRST, "label", "诗人 \x1b]0;x\x07"),
        lambda mixture: editing.write_option(mixture, FIRST, "system", "One\ntwo"),
        lambda mixture: editing.turn_option(mixture, FIRST, "top_p", by=-3),
        lambda mixture: editing.turn_option(mixture, FIRST, "think", by=-1),
        lambda mixture: editing.turn_option(mixture, AGGREGATOR, "effort", by=2),
        lambda mixture: editing.turn_option(mixture, AGGREGATOR, "num_ctx", by=3),
        lambda mixture: editing.turn_option(mixture, Place(0, 2), "seed", by=7),
        lambda mixture: editing.turn_option(mixture, Place(0, 2), "max_tokens", by=1),
        lambda mixture: editing.turn_strategy(mixture, -1),
        lambda mixture: editing.remove(mixture, Place(0, 2)),
        lambda mixture: editing.remove(mixture, AGGREGATOR),
    ]
    mixture = TRIO
    for edit in edits:
        before, mixture = mixture, edit(mixture)
        assert mixture != before
        assert reread(mixture) == mixture


def test_an_edit_leaves_the_mixture_that_it_was_given_alone() -> None:
    before = as_toml(TRIO)
    editing.switch(editing.turn_layers(editing.move(TRIO, FIRST, by=1), 1), SECOND)
    assert as_toml(TRIO) == before
