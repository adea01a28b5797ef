from __future__ import annotations

import tomllib
import unicodedata
from dataclasses import replace
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style

from moa_tui.engine.mixture import Seat
from moa_tui.engine.provider import Usage
from moa_tui.engine.state import Log, SeatState
from moa_tui.ui import look
from moa_tui.ui.look import Palette, RateMeter

THEMES = Path(__file__).parents[2] / "themes"
SEAT = SeatState(seat=Seat(1, 2), role="proposer", model="ollama/qwen3:4b", started_t=1.0)
LIVE = replace(SEAT, status="streaming", first_t=1.5, pieces=10, text=Log().appended("x"))
CUT = replace(LIVE, status="done", ended_t=3.0, reason="length")


def palette(name: str) -> Palette:
    theme = tomllib.loads((THEMES / f"{name}.toml").read_text(encoding="utf-8"))
    plain = {key: value for key, value in theme.items() if isinstance(value, str)}
    return Palette.of({**plain, **theme["variables"]})


@pytest.mark.parametrize(
    "glyph",
    sorted(
        {
            *look.GLYPHS.values(),
            *(
                value
                for name, value in vars(look).items()
                if name.isupper() and isinstance(value, str)
            ),
        }
    ),
)
def test_every_glyph_is_one_cell_and_no_emoji(glyph: str) -> None:
    assert (len(glyph), cell_len(glyph)) == (1, 1)
    assert unicodedata.east_asian_width(glyph) != "W"
    assert glyph not in "▶⏸✔⚠↻"


@pytest.mark.parametrize(
    ("seat", "wide", "narrow"),
    [
        (replace(SEAT, status="queued"), "· queued", "· queued"),
        (replace(SEAT, status="connecting"), "○ connecting", "○ connecting"),
        (replace(SEAT, status="loading"), "○ loading", "○ loading"),
        (replace(SEAT, status="reading"), "○ reading", "○ reading"),
        (replace(SEAT, status="waiting"), "○ waiting 3s", "○ waiting 3s"),
        (replace(SEAT, status="waiting", started_t=3.5), "○ waiting", "○ waiting"),
        (replace(LIVE, status="thinking"), "◊ thinking", "◊ thinking"),
        (LIVE, "● streaming", "● streaming"),
        (replace(LIVE, is_late=True), "» late", "» late"),
        (replace(LIVE, status="late", ended_t=3.0), "» late", "» late"),
        (replace(LIVE, status="done", ended_t=3.0, place=2), "✓ 2nd done", "✓ 2nd"),
        (replace(LIVE, status="done", ended_t=3.0), "✓ done", "✓ done"),
        (replace(CUT, place=3), "✓ 3rd, cut at its limit", "✓ 3rd, cut"),
        (CUT, "✓ cut at its limit", "✓ cut"),
        (replace(CUT, reason="content_filter"), "✓ ended by a filter", "✓ filtered"),
        (replace(CUT, reason="refusal", place=1), "✓ 1st, refused", "✓ 1st, refused"),
        (
            replace(SEAT, status="retrying", kind="rate_limit", retry_at_t=7.6),
            "! 429, retry in 4s",
            "! 429 · 4s",
        ),
        (
            replace(SEAT, status="retrying", kind="timeout", retry_at_t=3.9),
            "! timed out, retrying",
            "! timeout · now",
        ),
        (
            replace(SEAT, status="failed", kind="auth", ended_t=2.0),
            "✗ failed: no access",
            "✗ failed: key",
        ),
        (replace(SEAT, status="stopped", kind="stopped", ended_t=2.0), "■ stopped", "■ stopped"),
    ],
)
def test_a_state_is_a_glyph_and_a_word(seat: SeatState, wide: str, narrow: str) -> None:
    words = [look.mark(seat, 4.0, narrow=narrow).text for narrow in (False, True)]
    assert words == [wide, narrow]


def test_ordinals() -> None:
    numbers = (1, 2, 3, 4, 11, 12, 13, 21, 112)
    expected = ["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "112th"]
    assert [look.ordinal(number) for number in numbers] == expected


def test_running_time_fits_five_cells() -> None:
    shown = [look.clock(seconds) for seconds in (0, 6.9, 74, 3599, 5999, 6000, 360000)]
    assert shown == ["0:00", "0:06", "1:14", "59:59", "99:59", "1h40", "100h00"]


def test_ended_time_fits_five_cells() -> None:
    shown = [look.lasted(seconds) for seconds in (0.94, 4, 99.94, 99.96, 125, 599, 3600)]
    assert shown == ["0.9s", "4.0s", "99.9s", "1m40s", "2m05s", "9m59s", "60m"]


def test_token_counts_fit_five_cells() -> None:
    counts = (0, 212, 9999, 10_000, 99_949, 99_950, 123_456, 999_499, 999_500, 1_234_567)
    shown = [look.tokens(count) for count in counts]
    expected = ["0", "212", "9999", "10.0k", "99.9k", "100k", "123k", "999k", "1.0M", "1.2M"]
    assert shown == expected


def test_short_counts_begin_at_a_thousand() -> None:
    shown = [look.short(count) for count in (999, 1000, 9_840, 13_100, 2_000_000_000)]
    assert shown == ["999", "1.0k", "9.8k", "13.1k", "2.0G"]


def test_what_is_unknown_is_a_dash() -> None:
    assert [look.rate(None), look.ttft(None)] == ["–", "–"]


def test_time_to_first_token_fits_four_cells() -> None:
    shown = [look.ttft(seconds) for seconds in (0.04, 0.4, 9.94, 9.96, 61.2, 1800)]
    assert shown == ["0.0s", "0.4s", "9.9s", "10s", "61s", "30m"]


def test_a_live_seat_counts_the_servers_pieces() -> None:
    seat = replace(LIVE, thinking_pieces=4)
    assert look.thought_and_said(seat) == (4, 10)


def test_an_ended_seat_counts_the_servers_tokens() -> None:
    seat = replace(LIVE, thinking_pieces=10, usage=Usage(completion=100))
    told = replace(seat, usage=Usage(completion=100, reasoning=30))
    assert [look.thought_and_said(seat), look.thought_and_said(told)] == [(50, 50), (30, 70)]


def test_the_rate_is_the_mean_of_the_last_second() -> None:
    meter = RateMeter()
    rates = [
        meter.rate(replace(LIVE, pieces=pieces), t)
        for t, pieces in ((1.5, 1), (2.0, 21), (2.5, 41), (3.5, 141), (4.5, 141))
    ]
    assert rates == [None, 40.0, 40.0, 100.0, 0.0]


def test_what_was_thought_unseen_before_the_first_token_has_no_rate() -> None:
    usage = Usage(completion=900, reasoning=800)
    seat = replace(LIVE, status="done", ended_t=3.5, usage=usage)
    assert RateMeter().rate(seat, 9.0) == pytest.approx(100 / 2.0)


def test_what_came_all_at_once_has_no_rate() -> None:
    seat = replace(LIVE, status="done", ended_t=LIVE.first_t, pieces=301)
    assert RateMeter().rate(seat, 9.0) is None


def test_the_rate_of_an_ended_seat_is_its_tokens_over_the_time_since_the_first() -> None:
    seat = replace(LIVE, status="done", ended_t=5.0, pieces=301)
    assert RateMeter().rate(seat, 9.0) == pytest.approx(301 / 3.5)


def test_a_lane_scale_is_the_least_doubling_that_holds_the_leader() -> None:
    leaders = (0, 256, 257, 512, 1025)
    assert [look.lane_scale(leader) for leader in leaders] == [256, 256, 512, 512, 2048]


def test_any_token_at_all_shows_in_a_lane() -> None:
    shares = [(0, 0), (0, 1), (1, 0), (1, 1), (128, 128), (0, 512)]
    shown = [look.lane_cells(20, *share, scale=512) for share in shares]
    assert shown == [(0, 0), (0, 1), (1, 0), (0, 1), (5, 5), (0, 20)]


def test_a_live_lane_has_a_head_and_an_ended_one_has_none() -> None:
    seat, track = Style(color="red"), Style(color="blue")

    def text(*, live: bool) -> str:
        return "".join(
            part.text for part in look.lane(10, (2, 3), live=live, seat=seat, track=track)
        )

    assert [text(live=True), text(live=False)] == ["┅┅━━╸─────", "┅┅━━━─────"]


@pytest.mark.parametrize("name", ["moa-dark", "moa-light", "moa-contrast", "moa-ansi"])
def test_letters_have_no_ground_and_grounds_no_letters(name: str) -> None:
    theme = palette(name)
    inks = [theme.ink, theme.muted, theme.edge, *theme.seats, *theme.states.values()]
    grounds = [theme.surface, theme.head, theme.focus_head]
    assert all(ink.color is not None and ink.bgcolor is None for ink in inks)
    assert all(ground.bgcolor is not None and ground.color is None for ground in grounds)


def test_the_terminals_own_colours_stay_its_own() -> None:
    theme = palette("moa-ansi")
    cyan, default = Style(color="color(6)"), Style(bgcolor="default")
    assert (theme.seat(1), theme.surface) == (cyan, default)
    assert theme.muted == Style(color="default", dim=True)


def test_seat_colours_start_again_after_twelve() -> None:
    theme = palette("moa-dark")
    assert (theme.seat(13), theme.seat(12)) == (theme.seat(1), theme.seats[11])


def test_a_chip_is_three_cells_at_any_number() -> None:
    theme = palette("moa-dark")
    assert [theme.chip(number).text for number in (1, 12)] == [" 1 ", "12 "]


def test_a_theme_without_our_variables_reads_as_plain_text() -> None:
    theme = Palette.of({"foreground": "#eeeeee", "background": "#111111", "muted": "auto 60%"})
    assert theme.muted == theme.ink == Style(color="#eeeeee")


def test_the_same_variables_give_the_same_palette() -> None:
    assert palette("moa-dark") is palette("moa-dark")


def test_a_row_cuts_its_left_part_first() -> None:
    left = [Segment("a long name that goes on")]
    right = [Segment("0:06")]
    rows = [look.row(left, right, width=width, ground=Style()).text for width in (30, 16, 3)]
    assert rows == ["a long name that goes on  0:06", "a long na…  0:06", "0:…"]


def test_clipping_counts_cells_not_characters() -> None:
    assert [look.clip("贪吃蛇游戏", width) for width in (10, 9, 6, 1, 0)] == [
        "贪吃蛇游戏",
        "贪吃蛇游…",
        "贪吃…",
        "…",
        "",
    ]
