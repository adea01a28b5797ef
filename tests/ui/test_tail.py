from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.segment import Segment
from textual.strip import Strip

from moa_tui.engine.mixture import Seat
from moa_tui.engine.state import Log, SeatState
from moa_tui.ui.race.tail import Sight, StripCache, Tail, Wrap, fitted

FAMILY = "👩\u200d👩\u200d👧"
CLUSTERS = st.sampled_from(
    [
        *"ab  .,-\n\n\t",
        "词",
        "語",
        "，",
        "「",
        "。",
        "é",
        "e\u0301",
        "🙂",
        FAMILY,
        "☁\ufe0f",
        "ไ",
        "ん",
    ]
)
SEAT = SeatState(seat=Seat(1, 1), role="proposer", model="ollama/phi3", status="streaming")


def wrapped(*pieces: str, width: int, is_compact: bool = False) -> list[str]:
    wrap = Wrap(width, is_compact=is_compact)
    for piece in pieces:
        wrap.append(piece)
    return [fitted(row, wrap.width).rstrip() for row in wrap.rows]


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("", [""]),
        ("short", ["short"]),
        ("one two three", ["one two", "three"]),
        ("exactly8 more", ["exactly8", "more"]),
        ("exactly8 \nmore", ["exactly8", "more"]),
        ("exactly8\n", ["exactly8", ""]),
        ("one\n\ntwo", ["one", "", "two"]),
        ("incomprehensible word", ["incompre", "hensible", "word"]),
        ("    indented_code", ["    inde", "nted_cod", "e"]),
        ("a      b", ["a      b"]),
        ("a        b", ["a", "b"]),
        ("\tx = 1", ["    x =", "1"]),
        ("用 Python 写", ["用", "Python", "写"]),
        ("贪吃蛇游戏", ["贪吃蛇游", "戏"]),
        ("贪吃蛇游。戏", ["贪吃蛇", "游。戏"]),
        ("贪吃蛇「游戏」", ["贪吃蛇", "「游戏」"]),
        (f"abcdefg{FAMILY}", ["abcdefg", FAMILY]),
        (f"abcdef{FAMILY}", [f"abcdef{FAMILY}"]),
        ("abcdefge\u0301x", ["abcdefge\u0301", "x"]),
    ],
)
def test_rows_of_eight_cells(text: str, rows: list[str]) -> None:
    assert wrapped(text, width=8) == rows


def test_compact_rows_leave_blank_ones_out() -> None:
    text = "\n\none\n  \n\n    two\n\n"
    assert wrapped(text, width=10, is_compact=True) == ["one", "    two"]
    assert wrapped(*text, width=10, is_compact=True) == ["one", "    two"]


def test_a_character_wider_than_the_row_still_gets_one() -> None:
    assert wrapped("贪吃", width=1) == ["", ""]
    assert len(Wrap(1).rows) == 1


@pytest.mark.parametrize("cuts", [[], [1], [2], [1, 2]])
def test_an_indent_wider_than_the_row_leaves_nothing_before_the_word(cuts: list[int]) -> None:
    text = "\ta词"
    pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert [row.strip(" ") for row in wrapped(*pieces, width=2)] == ["", "a", "词"]
    assert all(cell_len(row) <= 3 for row in wrapped(*pieces, width=2))


@settings(deadline=None, max_examples=300)
@given(
    st.lists(CLUSTERS, max_size=60).map("".join),
    st.integers(2, 12),
    st.data(),
    st.booleans(),
)
def test_where_the_text_is_cut_into_pieces_does_not_matter(
    text: str,
    width: int,
    data: st.DataObject,
    is_compact: bool,  # noqa: FBT001 - hypothesis draws arguments in order
) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=8)))
    pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    whole = wrapped(text, width=width, is_compact=is_compact)
    assert wrapped(*pieces, width=width, is_compact=is_compact) == whole


@settings(deadline=None, max_examples=300)
@given(st.lists(CLUSTERS, max_size=60).map("".join), st.integers(2, 12))
def test_no_row_is_too_wide_and_no_letter_is_lost(text: str, width: int) -> None:
    rows = wrapped(text, width=width)
    assert max(cell_len(row) for row in rows) <= width
    assert "".join("".join(rows).split()) == "".join(text.split())


@pytest.mark.parametrize(
    "text",
    ["x" * 1_000_000, "词" * 350_000, " " * 1_000_000, "\u200d" * 99_999],
    ids=["letters", "wide", "spaces", "joiners"],
)
def test_a_megabyte_in_one_line_is_wrapped_by_width(text: str) -> None:
    rows = wrapped(text, width=40)
    assert max(map(cell_len, rows)) <= 40


def test_appending_touches_only_the_last_row() -> None:
    wrap = Wrap(10)
    wrap.append("one two three four five six seven eight")
    before = list(wrap.rows)
    first = wrap.append(" nine")
    assert (first, wrap.rows[:first]) == (len(before) - 1, before[:-1])


def test_the_end_is_followed_until_somebody_scrolls_up() -> None:
    sight = Sight(height=4)
    sight.grow(10)
    tops = [sight.top]
    sight.scroll(-2)
    sight.grow(15)
    tops.append(sight.top)
    assert (tops, sight.follows, sight.unseen) == ([6, 4], False, 5)
    sight.to_end()
    assert (sight.top, sight.follows, sight.unseen) == (11, True, 0)


def test_scrolling_down_to_the_end_follows_again() -> None:
    sight = Sight(height=4)
    sight.grow(10)
    sight.to_start()
    sight.scroll(6)
    sight.grow(11)
    assert (sight.top, sight.follows) == (7, True)


def test_a_text_that_fits_does_not_scroll() -> None:
    sight = Sight(height=4)
    sight.grow(3)
    assert (sight.scroll(-1), sight.follows, sight.top) == (False, True, 0)


def test_a_text_that_gets_shorter_is_still_in_sight() -> None:
    sight = Sight(height=4)
    sight.grow(20)
    sight.scroll(-2)
    sight.grow(6)
    assert (sight.top, sight.unseen) == (2, 0)


def test_other_widths_keep_the_place_in_the_text() -> None:
    sight = Sight(height=4)
    sight.grow(20)
    sight.scroll(-8)
    sight.rescale(40)
    assert (sight.top, sight.follows, sight.unseen) == (16, False, 0)


def test_the_strip_cache_is_bounded_and_drops_what_changed() -> None:
    cache = StripCache(most=3)
    rendered: list[int] = []

    def render(row: int) -> Strip:
        rendered.append(row)
        return Strip([Segment(str(row))])

    for row in (0, 1, 2, 0, 3, 1):
        cache.get(row, render)
    assert (rendered, len(cache)) == ([0, 1, 2, 3, 1], 3)
    cache.drop_from(1)
    assert [cache.get(row, render).text for row in (0, 1)] == ["0", "1"]
    assert rendered[5:] == [1]


def taken(tail: Tail) -> list[tuple[str, str]]:
    return [tail.row(number) for number in range(tail.total)]


def test_a_tail_takes_only_what_is_new() -> None:
    tail = Tail()
    tail.rows_of(20, is_compact=False)
    seat = replace(SEAT, thinking=Log().appended("let me see"))
    firsts = [tail.take(seat), tail.take(seat)]
    seat = replace(seat, text=Log().appended("It is\nfour."))
    firsts.append(tail.take(seat))
    firsts.append(tail.take(replace(seat, text=seat.text.appended(" Yes."))))
    assert firsts == [0, None, 2, 3]
    assert taken(tail) == [
        ("let me see", "thinking"),
        ("", "thinking"),
        ("It is", "text"),
        ("four. Yes.", "text"),
    ]


def test_a_relabelled_text_becomes_thinking() -> None:
    tail = Tail()
    tail.rows_of(20, is_compact=False)
    tail.take(replace(SEAT, text=Log().appended("hmm")))
    tail.take(replace(SEAT, thinking=Log().appended("hmm")))
    assert taken(tail) == [("hmm", "thinking")]


def test_another_attempt_starts_empty() -> None:
    tail = Tail()
    tail.rows_of(20, is_compact=False)
    tail.take(replace(SEAT, text=Log().appended("old")))
    tail.take(replace(SEAT, attempt=2, text=Log().appended("new")))
    assert taken(tail) == [("new", "text")]


def test_another_width_wraps_again_when_text_is_next_taken() -> None:
    tail = Tail()
    tail.rows_of(20, is_compact=False)
    seat = replace(SEAT, text=Log().appended("one two three"))
    tail.take(seat)
    tail.rows_of(8, is_compact=False)
    tail.take(seat)
    assert taken(tail) == [("one two", "text"), ("three", "text")]


class Careful(Wrap):
    """Looks at each letter, however wide all are."""

    def _cut_cjk(self, near: str) -> None:
        del near


@settings(deadline=None, max_examples=300)
@given(
    st.text(alphabet="用个贪吃蛇游戏，。「」（）あアｗ", min_size=1, max_size=60),
    st.integers(min_value=2, max_value=30),
)
def test_wide_letters_are_cut_as_if_each_were_looked_at(text: str, width: int) -> None:
    fast, slow = Wrap(width), Careful(width)
    fast.append(text)
    slow.append(text)

    assert fast.rows == slow.rows
