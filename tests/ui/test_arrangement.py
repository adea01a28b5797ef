from __future__ import annotations

from itertools import combinations

import pytest
from textual.geometry import Region, Size

from moa_tui.ui.race.arrangement import LEAST_HEIGHT, LEAST_WIDTH, Arrangement, arrange


def test_five_seats_are_dealt_as_three_and_two_without_a_hole() -> None:
    assert arrange(5, Size(125, 30)).tiles == (
        Region(0, 0, 41, 14),
        Region(42, 0, 41, 14),
        Region(84, 0, 41, 14),
        Region(0, 15, 62, 15),
        Region(63, 15, 62, 15),
    )


def test_seven_seats_are_dealt_as_three_two_and_two() -> None:
    tops = [region.y for region in arrange(7, Size(119, 23)).tiles]
    assert [tops.count(top) for top in sorted(set(tops))] == [3, 2, 2]


def test_six_seats_of_an_80x24_screen_have_four_rows_of_text_each() -> None:
    tiles = arrange(6, Size(80, 18)).tiles
    assert [(tile.width, tile.height) for tile in tiles] == [(39, 6), (40, 6)] * 3


def test_rows_stand_apart_while_each_keeps_seven_rows() -> None:
    roomy, short = arrange(3, Size(80, 15)).tiles, arrange(3, Size(80, 14)).tiles
    assert [tile.y for tile in roomy] == [0, 0, 8]
    assert [tile.y for tile in short] == [0, 0, 7]


def test_twelve_seats_of_an_80x24_screen_get_a_strip_and_the_tiles_that_fit() -> None:
    arrangement = arrange(12, Size(80, 18))
    assert (arrangement.strip, arrangement.entries, len(arrangement.tiles)) == (3, 4, 6)
    assert arrangement.tiles[0] == Region(0, 3, 39, 5)


def test_nothing_stands_in_no_room() -> None:
    assert [arrange(0, Size(80, 18)), arrange(3, Size(0, 0))] == [Arrangement(())] * 2


@pytest.mark.parametrize("count", range(1, 13))
@pytest.mark.parametrize("size", [(60, 9), (80, 18), (100, 22), (126, 30), (200, 60), (20, 5)])
def test_tiles_never_overlap_leave_or_get_too_small(count: int, size: tuple[int, int]) -> None:
    room = Size(*size)
    arrangement = arrange(count, room)
    below = Region(0, arrangement.strip, room.width, room.height - arrangement.strip)
    assert all(below.contains_region(tile) for tile in arrangement.tiles)
    assert not any(one.overlaps(two) for one, two in combinations(arrangement.tiles, 2))
    if not arrangement.strip:
        assert len(arrangement.tiles) == count
        assert all(tile.height >= LEAST_HEIGHT for tile in arrangement.tiles)
        assert all(tile.width >= min(LEAST_WIDTH, room.width) for tile in arrangement.tiles)
