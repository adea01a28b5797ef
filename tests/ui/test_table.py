from __future__ import annotations

from dataclasses import replace

import pytest
from racing_seats import done, failed, streaming, thinking, waiting

from moa_tui.ui.look import Palette
from moa_tui.ui.race import table

PALETTE = Palette.of({})
SEATS = [
    done("text", 1, tokens=389),
    replace(done("text", 2, place=1), thinking_pieces=212),
    failed("auth", "Groq refused the key.", number=3),
]


def test_a_folded_race_is_a_row_a_seat() -> None:
    rows = table.fold(SEATS, 9.0, width=80, scale=512, palette=PALETTE)
    assert [row.text for row in rows] == [
        " 1  qwen3:4b       ✓ 2nd ━━━━━━━━━━━━━━━━━━━━━───────   4.0s   389 tok  108 t/s ",
        " 2  qwen3:4b       ✓ 1st ┅┅┅┅┅┅┅┅━━━━━━━━────────────   4.0s   301 tok   84 t/s ",
        " 3  qwen3:4b       ✗ failed: no access  Groq refused the key.              2.0s ",
    ]


def test_a_proposal_that_was_cut_says_so_in_its_row() -> None:
    cut = replace(done("text", 1), reason="length")
    rows = table.fold([cut, done("text", 2, place=1)], 9.0, width=80, scale=512, palette=PALETTE)
    assert [row.text[18:31] for row in rows] == [" ✓ 2nd, cut ━", " ✓ 1st      ━"]


@pytest.mark.parametrize("width", [20, 40, 60, 80, 100, 160])
def test_every_row_is_as_wide_as_the_table(width: int) -> None:
    rows = table.fold(SEATS, 9.0, width=width, scale=512, palette=PALETTE)
    assert [row.cell_length for row in rows] == [width] * 3


def test_rows_that_do_not_fit_are_counted() -> None:
    rows = table.fold(SEATS, 9.0, width=80, scale=512, palette=PALETTE)
    kept = table.cut(rows, 2, width=80, palette=PALETTE)
    assert [row.text.strip()[:12] for row in kept] == ["1  qwen3:4b ", "and 2 more"]


def test_a_strip_has_an_entry_a_seat() -> None:
    seats = [streaming("x", 1), thinking("x", 2), waiting(3)]
    rows = table.strip(seats, 1.0, width=40, entries=2, shown=(0,), palette=PALETTE)
    assert [row.text for row in rows] == [
        " 1  ● qwen3:4b  212  2  ◊ qwen3:4b  148 ",
        " 3  ○ qwen3:4b                          ",
    ]
