"""The empty pane says in words and in a drawing what enter will do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from choosing_fakes import NARROW, WIDE, program, shelf
from dialog_fakes import ABSENT, FAILED, NO_KEY, OLLAMA, UNASKED, preset
from ui_fakes import mixture, says, settle, stage

from moa_tui.engine.mixture import Agent, Aggregator, Layer, Mixture
from moa_tui.ui import diagram, words
from moa_tui.ui.look import Palette

if TYPE_CHECKING:
    from pathlib import Path

PALETTE = Palette.of({})
KNOWN = (OLLAMA, UNASKED, FAILED, ABSENT)


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
    assert words.who_answers(mixture("aab")) == (
        "Two models give three answers at the same time; you watch them."
    )


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


async def test_what_was_found_stands_a_row_each(tmp_path: Path) -> None:
    async with program(shelf(tmp_path), known=KNOWN) as now:
        rows = [" ".join(row[33:].split()) for row in now.text.split("\n")]
        at = next(number for number, row in enumerate(rows) if row.startswith("Found here"))

        assert rows[at].endswith(" f8")
        assert rows[at + 1 : at + 5] == [
            "✓ ollama 127.0.0.1:11434 4 models · free",
            ("· openrouter OPENROUTER_API_KEY is set not contacted yet; ctrl+o lists its models"),
            "✗ openai api.openai.com OpenAI: the key was refused (401); check OPENAI_API_KEY",
            "· LM Studio nothing listens on 1234",
        ]


async def test_on_a_narrow_screen_an_address_gives_way_to_what_is_known(tmp_path: Path) -> None:
    async with program(shelf(tmp_path), known=KNOWN, size=NARROW) as now:
        (row,) = [row for row in now.text.split("\n") if "✗ openai" in row]

        assert "api.openai.com" not in row
        assert "the key was refused (401); check OPENAI_API_KEY" in row


@pytest.mark.parametrize("size", [WIDE, NARROW, (60, 20)])
async def test_what_is_wrong_is_told_in_full_on_every_screen(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    cloud = preset("cloud", *(f"together/vendor/{name * 20}" for name in "abcd"))
    async with program(shelf(tmp_path), cloud, known=(NO_KEY, *KNOWN), size=size) as now:
        pane = [row[33:] if size == WIDE else row for row in now.text.split("\n")]
        told = " ".join(" ".join(pane).split())

        assert "…: set TOGETHER_API_KEY; keys are made at" in told
        assert NO_KEY.hint.rpartition(" ")[2] in told
        assert words.EXAMPLES[0] in told


async def test_notices_are_told_as_they_are() -> None:
    show = stage({"a": says("hi")}, notices=["[b]broken.toml[/b] line 3: \x1b[2Junknown key"])
    async with show.app.run_test(size=WIDE) as pilot:
        await settle(pilot)

        assert "! [b]broken.toml[/b] line 3: ␛[2Junknown key" in show.text
