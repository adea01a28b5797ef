"""The empty pane says in words and in a drawing what enter will do."""

from __future__ import annotations

import pytest
from ui_fakes import mixture

from moa_tui.engine.mixture import Agent, Aggregator, Layer, Mixture
from moa_tui.ui import diagram, words
from moa_tui.ui.look import Palette

PALETTE = Palette.of({})


def drawn(mix: Mixture, width: int) -> list[str]:
    return [
        "".join(part.text for part in row).rstrip() for row in diagram.draw(mix, width, PALETTE)
    ]


def test_three_proposers_and_an_aggregator_are_drawn() -> None:
    assert drawn(mixture(), 80) == [
        "                ╭─▸ 1 a ─╮",
        "your prompt  ───┼─▸ 2 b ─┼──▸  ★ m  ─▸  one answer",
        "                ╰─▸ 3 c ─╯",
    ]


def test_two_layers_stand_side_by_side() -> None:
    assert drawn(mixture("ab", layers=2), 80) == [
        "your prompt  ───┬─▸ 1 a ─┬─┬─▸ 1 a ─┬──▸  ★ m  ─▸  one answer",
        "                ╰─▸ 2 b ─╯ ╰─▸ 2 b ─╯",
    ]


def test_one_proposer_is_a_straight_line() -> None:
    assert drawn(mixture("a"), 80) == ["your prompt  ─────▸ 1 a ────▸  ★ m  ─▸  one answer"]


@pytest.mark.parametrize("width", [30, 45, 60, 80, 120])
@pytest.mark.parametrize("names", ["a", "abc", "abcdefghijkl"])
def test_it_fits_every_width(width: int, names: str) -> None:
    for layers in (1, 2, 5):
        assert max(map(len, drawn(mixture(names, layers=layers), width))) <= width


def test_the_sum_of_calls_is_told() -> None:
    assert words.calls(mixture()) == ("3 + 1", "4 calls")
    assert words.calls(mixture("ab", layers=3)) == ("2 × 3 + 1", "7 calls")
    lone = Layer(proposers=(Agent(model="t/a"),))
    assert words.calls(Mixture(layers=(lone,), aggregator=Aggregator(strategy="none"))) == (
        "",
        "1 call",
    )


def test_what_happens_is_told_in_words() -> None:
    assert words.who_answers(mixture()) == ("Three models answer at the same time; you watch them.")
    assert words.who_merges(mixture()) == "then reads all three and writes one answer."
    samples = Layer(proposers=(Agent(model="t/smol", samples=3),))
    mix = Mixture(layers=(samples,), aggregator=Aggregator(agent=Agent(model="t/smol")))
    assert words.who_answers(mix) == (
        "Three samples of smol answer at the same time; you watch them."
    )
    assert words.who_answers(mixture("a")) == "One model answers; you watch it."


@pytest.mark.parametrize(
    ("count", "said"),
    [(12_000, "12 kB"), (1_040_000, "1.0 MB"), (98_362_432, "98 MB")],
)
def test_bytes_are_told_as_people_read_them(count: int, said: str) -> None:
    assert words.megabytes(count) == said


def test_long_names_are_cut_before_the_drawing_is_given_up() -> None:
    long = Agent(model="embedded/smollm2-135m-instruct", samples=3)
    mix = Mixture(layers=(Layer(proposers=(long,)),), aggregator=Aggregator(agent=long))

    assert drawn(mix, 68) == [
        "                ╭─▸ 1 smollm2-135m-i… ─╮",
        "your prompt  ───┼─▸ 2 smollm2-135m-i… ─┼──▸  ★ smollm2-135m-i…",
        "                ╰─▸ 3 smollm2-135m-i… ─╯",
    ]
