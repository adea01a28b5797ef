"""The marks beside an answer: what they say and which row they stand in."""

from __future__ import annotations

import pytest
from rich.segment import Segment

from moa_tui.engine.attribution import Agreement, Attribution, Pair, Sentence, sources
from moa_tui.ui.answer.blocks import Blocks
from moa_tui.ui.answer.margin import WIDEST_MARK, Margin, agreement_words, mark, share_words
from moa_tui.ui.answer.markdown import render_block
from moa_tui.ui.look import BOLD, ITALIC, Palette

PALETTE = Palette.of({})


def said(segments: list[Segment]) -> str:
    return "".join(segment.text for segment in segments)


def beside(answer: str, proposals: dict[int, str], *, width: int = 40) -> list[tuple[str, str]]:
    """Return each drawn row of an answer with its mark."""
    margin = Margin(answer, sources(answer, proposals), PALETTE)
    blocks = Blocks()
    found = []
    for block in (*blocks.feed(answer), blocks.open):
        rows = [strip.text for strip in render_block(block.source, width=width, palette=PALETTE)]
        marks = margin.margin_for(block.source, rows)
        assert len(marks) == len(rows)
        found += [(said(list(each)), row.rstrip()) for each, row in zip(marks, rows, strict=True)]
    return found


@pytest.mark.parametrize(
    ("seats", "proposals", "expected"),
    [
        ((), 5, "new"),
        ((3,), 5, "only 3"),
        ((1,), 1, "1"),
        ((1, 2), 2, "1 2"),
        ((1, 2, 4), 5, "1 2 4"),
        ((1, 2, 3), 3, "all 3"),
        ((1, 2, 4, 6), 6, "4 of 6"),
        ((10, 11, 12), 12, "3 of 12"),
        (tuple(range(1, 11)), 12, "10/12"),
        (tuple(range(1, 13)), 12, "all 12"),
        ((12,), 12, "only 12"),
    ],
)
def test_a_mark_says_whose_words_a_sentence_has(
    seats: tuple[int, ...], proposals: int, expected: str
) -> None:
    segments = mark(Sentence(0, 1, seats, is_lone=len(seats) == 1), proposals, PALETTE)
    assert said(segments) == expected
    assert len(expected) <= WIDEST_MARK


def test_numbers_have_their_seats_colours_and_new_is_in_italics() -> None:
    assert mark(Sentence(0, 1, (3,), is_lone=True), 5, PALETTE) == [
        Segment("only ", PALETTE.muted),
        Segment("3", PALETTE.seat(3) + BOLD),
    ]
    assert mark(Sentence(0, 1, (3,)), 5, PALETTE) == [Segment("3", PALETTE.seat(3) + BOLD)]
    assert mark(Sentence(0, 1), 5, PALETTE) == [Segment("new", PALETTE.muted + ITALIC)]


def test_marks_stand_where_sentences_begin() -> None:
    answer = """## Use `heapq.merge`

`heapq.merge` takes **sorted** iterables lazily. It keeps one *pending* item in a heap. Done.

```text
heapq.merge takes sorted
```
- **Time** is logarithmic for every item.
- Sockets &amp; pipes block.
"""
    proposals = {
        1: "heapq.merge takes sorted iterables lazily.",
        2: "One pending item is kept in a heap. heapq.merge takes sorted iterables lazily.",
        3: "Time is logarithmic for every item. heapq.merge takes iterables lazily.",
    }
    assert beside(answer, proposals) == [
        ("", "Use heapq.merge"),
        ("all 3", "heapq.merge takes sorted iterables"),
        ("only 2", "lazily. It keeps one pending item in a"),
        ("", "heap. Done."),
        ("", "│ heapq.merge takes sorted"),
        ("only 3", "• Time is logarithmic for every item."),
        ("new", "• Sockets & pipes block."),
    ]


def test_of_two_that_begin_in_one_row_the_first_one_is_marked() -> None:
    proposals = {1: "Alpha beta gamma.", 2: "Delta epsilon zeta."}
    assert beside("Alpha beta gamma. Delta epsilon zeta.", proposals) == [
        ("only 1", "Alpha beta gamma. Delta epsilon zeta.")
    ]


def test_chinese_is_marked_where_it_begins() -> None:
    answer = "天空是蓝色的，因为空气散射短波长的光。云由许多小水滴组成。"
    proposals = {1: "云由许多小水滴组成。", 2: "空气散射短波长的光，天空是蓝色的。"}
    assert beside(answer, proposals, width=20) == [
        ("only 2", "天空是蓝色的，因为空"),
        ("only 1", "气散射短波长的光。云"),
        ("", "由许多小水滴组成。"),
    ]


def test_rows_of_a_table_are_marked_however_their_cells_are_wrapped() -> None:
    answer = (
        "| Sort | Cost |\n|---|---|\n| Bubble sort of arrays | quadratic time, always so |\n"
        "| Radix sort of integers | linear time in digits |\n"
    )
    found = beside(answer, {1: "Radix sort of integers: linear time in digits."}, width=28)
    assert [(mark, row[:5]) for mark, row in found if mark] == [("new", "Bubbl"), ("1", "Radix")]


@pytest.mark.parametrize(
    "rows",
    [
        ["Streams end. Go (https://go.dev/x) has", "merging."],
        ["Streams end. Go (go.dev) has merging."],
        ["Streams", "end.", "Go has merging."],
    ],
)
def test_a_sentence_is_found_however_its_links_are_drawn(rows: list[str]) -> None:
    answer = "Yes. [Go](https://go.dev/x) has merging."
    margin = Margin(answer, sources(answer, {1: "", 2: "Go has merging."}), PALETTE)
    marks = margin.margin_for(answer, ["Yes.", *rows])
    row = next(number for number, text in enumerate(rows, 1) if "Go" in text)
    assert [said(list(each)) for each in marks] == [
        "only 2" if number == row else "" for number in range(len(rows) + 1)
    ]


def test_sentences_of_the_same_words_are_each_marked() -> None:
    found = beside("Alpha beta gamma.\n\nAlpha beta gamma.", {1: "Alpha beta gamma."})
    assert [mark for mark, row in found if row] == ["1", "1"]


def test_without_proposals_or_sentences_there_are_no_marks() -> None:
    assert beside("Alpha beta gamma.", {}) == [("", "Alpha beta gamma.")]
    assert Margin("", Attribution(), PALETTE).margin_for("Alpha beta.", ["other"]) == [()]


def test_shares_are_figures_of_one_width() -> None:
    shares = (0.314, 0.0, 1.0, None)
    assert [said(share_words(share, PALETTE)) for share in shares] == [
        " 31 % of ★",
        "  0 % of ★",
        "100 % of ★",
        "  – % of ★",
    ]


@pytest.mark.parametrize(
    ("agreement", "expected"),
    [
        (Agreement(), ""),
        (Agreement((Pair((2, 4), 5, 8),)), "2 and 4 say the same in 5 of 8 sentences"),
        (
            Agreement((Pair((2, 4), 5, 8),), alone=(3,)),
            "2 and 4 say the same in 5 of 8 sentences; 3 agrees with none",
        ),
        (
            Agreement((Pair((2, 4), 1, 8),), alone=(1, 3, 5)),
            "2 and 4 say the same in 1 of 8 sentences; 1, 3 and 5 agree with none",
        ),
        (Agreement((Pair((1, 2), 0, 4),), alone=(1, 2)), "no two say the same"),
    ],
)
def test_agreement_is_told_in_words(agreement: Agreement, expected: str) -> None:
    assert said(agreement_words(agreement, PALETTE)) == expected
