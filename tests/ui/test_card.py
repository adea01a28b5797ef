from __future__ import annotations

from dataclasses import replace

import pytest
from racing_seats import done, failed, retrying, streaming, thinking, waiting
from rich.cells import cell_len

from moa_tui.engine.state import Log, SeatState
from moa_tui.ui.look import Palette
from moa_tui.ui.race import card
from moa_tui.ui.race.card import Coat, Shape

PALETTE = Palette.of({})
QUIET = Coat.of(PALETTE, is_focused=False)
FOCUSED = Coat.of(PALETTE, is_focused=True)
TIGHT, ROOMY = Shape(39, 6), Shape(39, 14)


def head(seat: SeatState, *, shape: Shape = TIGHT, coat: Coat = QUIET) -> str:
    return card.head(seat, 6.0, shape=shape, palette=PALETTE, coat=coat).text


def foot(seat: SeatState, rate: float | None, *, shape: Shape = TIGHT) -> str:
    return card.foot(seat, rate, (3, 2), shape=shape, palette=PALETTE, coat=QUIET).text


def page(seat: SeatState, *hints: tuple[str, str], shape: Shape = TIGHT) -> list[str]:
    found = card.page(seat, hints, shape=shape, palette=PALETTE)
    return ["".join(segment.text for segment in row).rstrip() for row in found]


def test_a_head_ends_in_state_and_time() -> None:
    assert [head(streaming("x")), head(done("x")), head(streaming("x"), shape=ROOMY)] == [
        "▌ 1  qwen3:4b        ● streaming  0:06 ",
        "▌ 1  qwen3:4b         ✓ 2nd done  4.0s ",
        "▌ 1  qwen3:4b       ● streaming   0:06 ",
    ]


def test_a_head_that_is_short_of_room_uses_fewer_letters() -> None:
    seat = replace(retrying("limit"), model="together/mixtral-8x22b")
    assert head(seat) == "▌ 1  mixtral-8x22b    ! 429 · 4s  0:06 "
    assert head(seat, shape=Shape(60, 6)).endswith("! 429, retry in 4s  0:06 ")


def test_focus_is_a_thicker_bar() -> None:
    assert [head(waiting(), coat=coat)[0] for coat in (QUIET, FOCUSED)] == ["▌", "█"]


@pytest.mark.parametrize(
    ("seat", "rate", "text"),
    [
        (streaming("x"), 41.0, "▌ ┅┅┅━╸──   212 tok  41 t/s  ttft 0.4s "),
        (streaming("x", pieces=9_999), 362.0, "▌ ┅┅┅━╸──  9999 tok 362 t/s  ttft 0.4s "),
        (streaming("x", pieces=12_300), 1_234.0, "▌ ┅┅┅━╸── 12.3k tok 1.2k t/s ttft 0.4s "),
        (waiting(), None, "▌ ┅┅┅━╸──     0 tok   – t/s  ttft    – "),
    ],
)
def test_figures_of_a_tight_foot_leave_lanes_equally_long(
    seat: SeatState, rate: float | None, text: str
) -> None:
    assert foot(seat, rate) == text


def test_a_roomy_foot_has_no_lane() -> None:
    assert foot(thinking("x"), 38.0, shape=ROOMY) == "▌ 148 tok thought    38 t/s  ttft 0.6s "


@pytest.mark.parametrize("width", [5, 12, 20, 39, 60])
def test_every_row_is_as_wide_as_the_card(width: int) -> None:
    seat = replace(streaming("x"), model="ollama/a-very-long-name-of-a-model")
    for shape in (Shape(width, 6), Shape(width, 14)):
        rows = [head(seat, shape=shape), foot(seat, 41.0, shape=shape)]
        assert [cell_len(row) for row in rows] == [width, width]


@pytest.mark.parametrize(
    ("seat", "rows"),
    [
        (replace(waiting(), status="queued"), ["Waits for its turn."]),
        (
            replace(waiting(), status="queued", behind="2 calls at ollama"),
            ["Queued behind 2 calls at ollama."],
        ),
        (waiting(), ["Connecting to ollama."]),
        (replace(waiting(), status="loading"), ["ollama is loading the model."]),
        (replace(waiting(), status="reading"), ["Reading the prompt."]),
        (replace(waiting(), status="waiting"), ["Waiting for the first token."]),
        (
            retrying("Groq is rate limiting this key."),
            [
                "Groq is rate limiting this key.",
                "Try 1 failed before its first token,",
                "so nothing is lost.",
            ],
        ),
        (
            failed("auth", "Groq refused the key.", "Check GROQ_API_KEY."),
            ["Groq refused the key.", "Check GROQ_API_KEY."],
        ),
    ],
)
def test_a_seat_without_text_says_why(seat: SeatState, rows: list[str]) -> None:
    assert page(seat) == rows


def test_a_failed_seat_keeps_its_text_below_the_reason() -> None:
    seat = replace(failed("cut", "The stream broke off."), text=Log().appended("Half a"))
    assert page(seat, shape=ROOMY) == ["The stream broke off.", "", "Half a"]


def test_hints_are_keys_and_what_they_do() -> None:
    seat = failed("auth", "Groq refused the key.")
    hints = (("r", "retry"), ("o", "swap the model"), ("x", "dismiss it"))
    assert page(seat, *hints) == [
        "Groq refused the key.",
        "r retry  o swap the model",
        "x dismiss it",
    ]


def test_an_answer_is_markdown_and_says_how_it_ended() -> None:
    seat = replace(done("# Title\n\n**bold** text"), reason="length")
    assert page(seat) == ["Title", "bold text", "Cut at its limit."]
    assert page(seat, shape=ROOMY) == ["Title", "", "bold text", "", "Cut at its limit."]


def test_markup_of_a_model_is_only_text() -> None:
    seat = failed("server", "[@click=app.quit]now[/] [bold")
    assert page(seat) == ["[@click=app.quit]now[/] [bold"]


def test_a_compact_answer_has_no_empty_rows_of_code() -> None:
    seat = done("```python\nimport heapq\n\nheapq\n```")
    assert not [row for row in page(seat) if not row.strip(" │")]
