"""Which short answers count as the same, and how a vote is told."""

from __future__ import annotations

import pytest

from moa_tui.engine.votes import ballot, groups, tally


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Paris", "paris."),
        ("Paris", "**Paris**"),
        ("Paris", " Paris!\n"),
        ("Paris", '"Paris"'),
        ("Paris", "# Paris"),
        ("Paris", "***Paris***."),
        ("It is **Paris**.", "it is Paris"),
        ("New York", "New\n  York"),
        ("1,000", "1000"),
        ("1,234,567.5", "1234567.5"),
        ("about 1,000 km", "About 1000 km."),
        ("42", "４２"),
        ("巴黎", "巴黎。"),
        ("巴黎", "「巴黎」"),
        ("答案是**巴黎**。", "答案：巴黎"),
        ("B", "(B)"),
        ("42", "$42$"),
        ("42", "So it is \\boxed{42}."),
        ("\\frac{1}{2}", "Thus $\\boxed{\\frac{1}{2}}$."),
        ("42", "First 40, then 2 more.\n\n**Answer:** 42"),
        ("42", "40 + 2\nThe final answer is 42."),
        ("café", "cafe\u0301"),
    ],
)
def test_how_an_answer_is_written_makes_no_difference(one: str, other: str) -> None:
    assert ballot(one) == ballot(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("5", "-5"),
        ("5", "5%"),
        ("0.5", "5"),
        (".5", "5"),
        ("C", "C#"),
        ("C", "C++"),
        ("x²", "x2"),
        ("2**3", "23"),
        ("2**3**2", "232"),
        ("snake_case_name", "snakecasename"),
        ("f(x)", "f(x"),
        ("(1)(2)", "1)(2"),
        ("1,5", "15"),
        ("12,34", "1234"),
        ("yes", "no"),
        ("", "x"),
        ("...", "!"),
        ("Answer: 42\nbut only on Mondays", "42"),
    ],
)
def test_what_an_answer_says_does(one: str, other: str) -> None:
    assert ballot(one) != ballot(other)


def test_of_long_texts_the_end_is_looked_at_else_they_count_as_they_are() -> None:
    long = "Some words. " * 400
    assert ballot(f"{long}\nAnswer: 42.") == ballot("42")
    assert ballot(f"{long}\n$\\boxed{{42}}$") == ballot("42")
    assert ballot(f"A {long}") != ballot(f"B {long}")
    assert ballot(f" {long}\n") == ballot(long)


def test_marks_without_end_are_read_in_no_time() -> None:
    many = "*a " * 200_000
    assert ballot(many) == many.strip()


def test_the_largest_group_wins_and_of_equal_ones_the_first() -> None:
    said = [(1, "b"), (2, "a"), (3, "A."), (4, "c"), (5, "C")]
    assert groups(said) == ((2, 3), (4, 5), (1,))
    assert groups([(1, "b"), (2, "a")]) == ((1,), (2,))


@pytest.mark.parametrize(
    ("votes", "told"),
    [
        (["1"], "the only proposal"),
        (["12"], "both agree"),
        (["123"], "all 3 agree"),
        (["134", "2", "5"], "3 of 5 agree"),
        (["13", "24"], "2 of 4 agree, a tie, the first one is taken"),
        (["1", "2"], "both differ, the first one is taken"),
        (["1", "2", "3"], "all 3 differ, the first one is taken"),
    ],
)
def test_a_vote_is_told_honestly(votes: list[str], told: str) -> None:
    assert tally(votes) == told
