"""Rows are dealt out by rule at every size."""

from __future__ import annotations

import itertools

import pytest

from moa_tui.ui.room import Content, Room, plan


def test_a_wide_race_keeps_everything() -> None:
    assert plan(160, 48, Content(phase="race", seats=5, layers=2)) == Room(
        has_sidebar=True,
        head_gap=1,
        flow=2,
        tiles_gap=1,
        tiles=30,
        tile_gaps=1,
        gap=1,
        answer=6,
        composer=4,
    )


def test_six_tiles_at_80x24_get_eighteen_rows() -> None:
    assert plan(80, 24, Content(phase="race", seats=6, layers=2)) == Room(
        has_sidebar=False, flow=1, tiles=18, answer=1, composer=2
    )


def test_three_tiles_at_80x24_keep_their_gaps() -> None:
    assert plan(80, 24, Content(phase="race", seats=3, layers=2)) == Room(
        has_sidebar=False,
        flow=1,
        tiles_gap=1,
        tiles=15,
        tile_gaps=1,
        gap=1,
        answer=1,
        composer=2,
    )


def test_the_answer_takes_the_room_when_the_tiles_fold() -> None:
    assert plan(80, 24, Content(phase="answer", seats=3, layers=2)) == Room(
        has_sidebar=False, flow=1, tiles=3, gap=1, answer=14, composer=2
    )


def test_a_failed_run_has_rows_for_its_words() -> None:
    room = plan(80, 24, Content(phase="failed", seats=6, layers=1))

    assert room is not None
    assert room.answer == 5


def test_the_composer_grows_with_its_text_up_to_a_quarter_of_the_screen() -> None:
    heights = [
        room.composer
        for draft in (1, 2, 3, 4, 40)
        if (room := plan(80, 24, Content(phase="race", seats=6, draft=draft)))
    ]

    assert heights == [2, 3, 4, 5, 7]


@pytest.mark.parametrize(("width", "height"), [(59, 24), (80, 19), (20, 5)])
def test_below_60x20_there_is_no_plan(width: int, height: int) -> None:
    assert plan(width, height, Content(phase="empty")) is None


def test_proposals_that_stand_open_share_the_room_with_the_answer() -> None:
    assert plan(160, 48, Content(phase="both", seats=3, layers=2)) == Room(
        has_sidebar=True,
        head_gap=1,
        flow=2,
        tiles_gap=1,
        tiles=12,
        gap=1,
        answer=24,
        composer=4,
    )
    assert plan(80, 24, Content(phase="both", seats=6, layers=2)) == Room(
        has_sidebar=False, flow=1, tiles=9, answer=10, composer=2
    )


def test_a_zoom_gives_all_to_one_part() -> None:
    race = plan(80, 24, Content(phase="race", zoom="race", seats=6))
    answer = plan(80, 24, Content(phase="answer", zoom="answer", seats=6))

    assert race == Room(has_sidebar=False, flow=1, tiles=18, answer=1, composer=2)
    assert answer == Room(has_sidebar=False, flow=1, answer=19, composer=2)


def test_every_row_is_given_to_somebody() -> None:
    sizes = itertools.product((60, 80, 100, 120, 200), (20, 24, 30, 48, 90))
    contents = [
        Content(phase=phase, zoom=zoom, seats=seats, layers=layers, draft=draft)
        for phase in ("empty", "race", "failed", "answer", "both")
        for zoom in ("", "race", "answer")
        for seats in (1, 3, 6, 12, 24)
        for layers in (1, 3)
        for draft in (1, 9)
    ]
    for (width, height), content in itertools.product(sizes, contents):
        room = plan(width, height, content)
        assert room is not None
        assert room.left(height) == 0, (width, height, content, room)
        if content.phase != "empty":
            assert room.tiles >= (content.zoom != "answer")
            assert room.answer >= 1
