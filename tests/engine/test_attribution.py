"""Where a sentence's words stand too, in several languages, and who agrees with whom."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moa_tui.engine.attribution import Agreement, Pair, Sentence, agreement, sources
from moa_tui.engine.sentences import content_words, sentences

HEAP = {
    1: "heapq.merge yields the items of sorted streams lazily. Memory: one head of each.",
    2: "Use heapq.merge: it yields items of sorted streams lazily. Equal keys are stable.",
    3: "Load every file with pandas and sort the whole frame. Disks are slow at that.",
}


def cut(text: str) -> list[str]:
    return [text[span.start : span.end] for span in sentences(text)]


def seats(answer: str, proposals: dict[int, str]) -> list[tuple[int, ...]]:
    return [sentence.seats for sentence in sources(answer, proposals).sentences]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("One thing. Another one! Really?", ["One thing.", "Another one!", "Really?"]),
        ("Dr. Smith paid 3.5 dollars, e.g. for tea. He left.", 2),
        ("Das gilt z. B. am 3. Oktober bzw. danach. Dann nicht.", 2),
        (
            "一句话。另一句！第三句？“引文。”完",
            ["一句话。", "另一句！", "第三句？", "“引文。”", "完"],
        ),
        ("Call `a. B` first. `b` is next.", ["Call `a. B` first.", "`b` is next."]),
        ("# Head one\n\nText here.\n\nUnder it\n---\nMore text", ["Text here.", "More text"]),
        ("**A bold title**\n\nText.", ["Text."]),
        ("- one item\n- [ ] two items\n  go on\n1. **Three:** it is", 3),
        ("1. **Prepare it:**\n   - wash", ["wash"]),
        ("Before.\n```py\nx = 1. Not this\n```\nAfter.", ["Before.", "After."]),
        ("Text.\n\n    code by indent\n\nAfter.", ["Text.", "After."]),
        ("- item\n\n    its second paragraph", ["item", "its second paragraph"]),
        ("- item\n  ```\n  code\n  ```\n- two", ["item", "two"]),
        ("~~~\nnever closed. No", []),
        ("> Quoted one. Quoted\n> two.", ["Quoted one.", "Quoted\n> two."]),
        ("| a | b |\n|---|:-:|\n| x | y |\n| z | w |\n\nAfter.", ["x | y |", "z | w |", "After."]),
        ("Label: one  \nLabel: two", ["Label: one", "Label: two"]),
        ("A line\r\nof two. End.\r\n", 2),
        ("***", []),
    ],
)
def test_markdown_is_cut_into_sentences(text: str, expected: list[str] | int) -> None:
    found = cut(text)
    if isinstance(expected, int):
        assert len(found) == expected
        return
    assert [said.removeprefix("| ") for said in found] == expected


def test_content_words_are_compared_without_endings_and_function_words() -> None:
    assert content_words("The merging of streams") == content_words("merged stream")
    assert content_words("Die Ströme werden sortiert") == ("ström", "sortiert")
    assert content_words("贪吃蛇 in [Go](https://example.org/x)") == ("贪吃", "吃蛇", "go")


def test_a_sentence_overlaps_with_the_proposals_that_hold_its_words() -> None:
    answer = (
        "# Merge\n`heapq.merge` lazily yields items of *sorted* streams.\n\n"
        "- Memory holds one head of each.\n- Equal keys stay stable.\n"
        "- Sockets want asynchronous generators instead."
    )
    assert seats(answer, HEAP) == [(1, 2), (1,), (2,), ()]


def test_a_paraphrase_in_other_forms_and_order_is_found() -> None:
    proposals = {1: "At sunset the light passes through more air, which scatters the blue away."}
    assert seats("Blue is scattered away when sunset light is passing more air.", proposals) == [
        (1,)
    ]


def test_one_that_nobody_else_comes_near_is_lone() -> None:
    found = sources("Load every file with pandas and sort the frame.", HEAP)
    assert found.sentences == (Sentence(0, 47, (3,), is_lone=True),)
    assert found.shares == {1: 0.0, 2: 0.0, 3: 1.0}


@pytest.mark.parametrize(
    ("answer", "has", "lacks"),
    [
        (
            "Der Himmel ist blau, weil Luft kurzwelliges Licht stärker streut.",
            "Kurzwelliges Licht wird von Luft stärker gestreut, daher erscheint der Himmel blau.",
            "Abends legt die Sonne einen langen Weg durch den Dunst zurück.",
        ),
        (
            "天空是蓝色的，因为空气散射短波长的光。",
            "因为空气分子更容易散射短波长的光，所以天空是蓝色的。",
            "云由许多小水滴组成，看起来是白色。",
        ),
    ],
)
def test_other_languages_find_their_sources(answer: str, has: str, lacks: str) -> None:
    assert seats(answer, {4: has, 7: lacks}) == [(4,)]


def test_code_is_neither_a_sentence_nor_a_source() -> None:
    code = "```\nheapq merge lazily sorted streams\n```"
    assert sources(code, {1: code}).sentences == ()
    assert seats("heapq merge lazily sorted streams", {1: code}) == [()]


def test_rows_of_a_table_are_sentences() -> None:
    table = "| Sort | Cost |\n|---|---|\n| Bubble sort | quadratic time |\n| Radix sort | linear |"
    assert seats(table, {1: "Bubble sort takes quadratic time.", 2: "Nothing of it."}) == [(1,), ()]


def test_an_answer_without_sentences_has_no_shares() -> None:
    assert sources("", HEAP).shares == {1: 0.0, 2: 0.0, 3: 0.0}
    assert sources("Load every file.", {}).shares == {}


def test_identical_proposals_part_the_answer_among_them() -> None:
    text = "Sorted streams are merged lazily. Memory stays constant throughout."
    found = sources(text, {1: text, 2: text})
    assert [sentence.seats for sentence in found.sentences] == [(1, 2), (1, 2)]
    assert found.shares == {1: 0.5, 2: 0.5}


def test_agreement_names_the_closest_pair_and_who_is_alone() -> None:
    found = agreement({**HEAP, 9: ""})
    assert found.pairs[0] == Pair((1, 2), 1, 2)
    assert found.alone == (3,)
    assert agreement({1: HEAP[1]}) == agreement({}) == Agreement()


def test_of_a_pair_the_less_flattering_count_is_told() -> None:
    short = "Sorted streams are merged lazily."
    longer = f"{short} Pandas wants everything loaded. Sockets block forever sometimes."
    assert agreement({1: short, 2: longer}).pairs == (Pair((1, 2), 1, 3),)


def test_a_model_that_repeats_itself_without_end_costs_no_more_than_a_long_answer() -> None:
    text = "I am happy to help you. " * 3_000
    assert len(sources(text, {1: text}).sentences) == 500
    assert sources("a" + "." * 50_000, {1: "](" * 20_000}).shares == {1: 0.0}


PIECES = (
    *("heapq", "stream", "a", "空气散射", "。", ". ", "…", "!", "\n", "\n\n", "  \n", "\r\n"),
    *("- ", "# ", "```\n", "|", "|-|\n", "    ", "> ", "**", "`", "\u2028", "\ud800"),
)
MARKDOWN = st.lists(st.sampled_from(PIECES)).map("".join)


@settings(max_examples=150, deadline=None)
@given(MARKDOWN | st.text(), st.dictionaries(st.integers(1, 12), MARKDOWN, max_size=4))
def test_any_text_is_attributed_within_bounds(answer: str, proposals: dict[int, str]) -> None:
    found = sources(answer, proposals)
    ends = [0]
    for sentence in found.sentences:
        assert ends[-1] <= sentence.start < sentence.end <= len(answer)
        assert set(sentence.seats) <= set(proposals)
        assert list(sentence.seats) == sorted(sentence.seats)
        ends.append(sentence.end)
    assert set(found.shares) == set(proposals)
    assert all(0 <= share <= 1 for share in found.shares.values())
    assert sum(found.shares.values()) <= 1 + 1e-9
    assert found == sources(answer, dict(reversed(proposals.items())))
    assert all(0 <= pair.same <= pair.sentences for pair in agreement(proposals).pairs)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("So, 7 times 6 equals 48.", [(2,)]),
        ("So, 7 times 6 equals 42.", [(1,)]),
        ("So, 7 times 6 equals 56.", [()]),
        ("The tower was opened in 1,889 by Eiffel.", [(3,)]),
        ("The tower was opened in 1899 by Eiffel.", [()]),
    ],
)
def test_a_sentence_with_another_number_is_another_sentence(
    answer: str, expected: list[tuple[int, ...]]
) -> None:
    proposals = {
        1: "So, 7 times 6 equals 42.",
        2: "So, 7 times 6 equals 48.",
        3: "The tower was opened in 1889 by Eiffel.",
    }
    assert seats(answer, proposals) == expected


def test_points_and_commas_make_no_other_number() -> None:
    assert content_words("1,000 and 3.5") == content_words("1000 35")
