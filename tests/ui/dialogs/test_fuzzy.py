"""Names are found by a few of their letters, the likeliest first."""

from __future__ import annotations

import pytest

from moa_tui.ui.dialogs import fuzzy

NAMES = (
    "ollama/llama3.2:3b",
    "groq/openai/gpt-oss-20b",
    "groq/openai/gpt-oss-120b",
    "together/qwen",
    "openrouter/qwen/qwen3-8b",
    "ollama/my-qwen",
)


def found(query: str, names: tuple[str, ...] = NAMES) -> list[str]:
    return [names[number] for number in fuzzy.rank(query, [fuzzy.folded(name) for name in names])]


def test_without_a_query_all_keep_their_order() -> None:
    assert found("  ") == list(NAMES)


def test_a_whole_name_comes_before_a_beginning_and_that_before_scattered_letters() -> None:
    names = ("q-w-e-n", "a/xqwen", "a/qwen3", "a/qwen", "other")
    assert found("qwen", names) == ["a/qwen", "a/qwen3", "a/xqwen", "q-w-e-n"]


def test_closer_letters_come_first_and_equals_keep_their_order() -> None:
    assert found("gpt20") == ["groq/openai/gpt-oss-20b", "groq/openai/gpt-oss-120b"]
    assert found("ab", ("a---b", "a-b", "a=b")) == ["a-b", "a=b", "a---b"]


def test_every_word_must_be_there_in_any_order_and_case() -> None:
    assert found("QWEN together") == ["together/qwen"]
    assert found("oss ollama") == []


@pytest.mark.parametrize("query", [".*", "[a", "(", "\\", "a\nb", "^", "*+"])
def test_letters_that_mean_something_in_patterns_are_letters(query: str) -> None:
    assert found(query, ("plain", query)) == [query]


def test_the_letters_that_were_found_can_be_shown() -> None:
    assert fuzzy.positions("oss", "gpt-oss-oss") == {4, 5, 6}
    assert fuzzy.positions("gt", "gpt") == {0, 2}
    assert fuzzy.positions("", "gpt") == frozenset()


def test_a_letter_whose_lower_case_is_longer_keeps_the_places_of_the_others() -> None:
    name = fuzzy.folded("İx-Qwen")
    assert len(name) == len("İx-Qwen")
    assert fuzzy.positions("x", name) == {1}


def test_a_name_of_one_letter_many_times_is_searched_in_one_go() -> None:
    assert found("a" * 150 + "b", ("a" * 50_000, "b" * 50_000)) == []
