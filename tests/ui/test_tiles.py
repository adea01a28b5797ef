from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from racing_seats import done, failed, grown, retrying, streaming, thinking, waiting
from textual.app import App, ComposeResult
from textual.geometry import Region
from textual.theme import Theme

from moa_tui.engine.mixture import Seat
from moa_tui.engine.state import Log, SeatState
from moa_tui.ui.frames import FrameClock
from moa_tui.ui.race.tiles import Tile, TileGrid

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from textual.pilot import Pilot

LINES = "\n".join(f"line {number}" for number in range(1, 31))


class Race(App[None]):
    """A grid alone; frames are flushed by hand."""

    CSS = "TileGrid { height: 100%; }"
    ENABLE_COMMAND_PALETTE = False

    def __init__(self) -> None:
        super().__init__()
        self.frames = FrameClock(None, later=lambda _seconds, _callback: None)
        self.grid = TileGrid(self.frames)
        self.selected: list[Seat] = []

    def compose(self) -> ComposeResult:
        yield self.grid

    def on_tile_selected(self, message: Tile.Selected) -> None:
        self.selected.append(message.seat)


class Watched(Tile):
    """Notes what it asks to be repainted."""

    asked: list[Region]

    def refresh(self, *regions: Region, **options: Any) -> Watched:  # noqa: ANN401 - Textual's
        self.asked = [*getattr(self, "asked", []), *regions]
        super().refresh(*regions, **options)
        return self


@asynccontextmanager
async def racing(
    *seats: SeatState, size: tuple[int, int] = (39, 6), t: float = 6.0
) -> AsyncIterator[tuple[Race, Pilot[None]]]:
    app = Race()
    async with app.run_test(size=size) as pilot:
        await show(app, pilot, seats, t=t)
        yield app, pilot


async def show(
    app: Race, pilot: Pilot[None], seats: Sequence[SeatState], *, t: float = 6.0
) -> None:
    app.grid.show(seats, t=t)
    await pilot.pause()
    app.frames.flush()
    await pilot.pause()


def rows(tile: Tile) -> list[str]:
    return [tile.render_line(y).text.rstrip() for y in range(tile.size.height)]


def ink_of(tile: Tile) -> str:
    """Return the colour of the first row's text."""
    _bar, _air, text, *_ = tile.render_line(1)
    return text.style.color.name if text.style and text.style.color else ""


def only(app: Race) -> Tile:
    return app.query_one(Tile)


async def test_a_streaming_tile_shows_the_end_of_its_text() -> None:
    async with racing(streaming(LINES)) as (app, _):
        assert rows(only(app)) == [
            "▌ 1  qwen3:4b        ● streaming  0:06",
            "▌ line 27",
            "▌ line 28",
            "▌ line 29",
            "▌ line 30▌",
            "▌ ━━━━━╸─   212 tok  38 t/s  ttft 0.4s",
        ]


async def test_a_roomy_tile_has_a_row_for_its_lane() -> None:
    async with racing(thinking("so far"), size=(39, 12)) as (app, _):
        assert rows(only(app)) == [
            "▌ 1  qwen3:4b        ◊ thinking   0:06",
            "▌┅┅┅┅┅┅┅┅┅┅┅┅┅┅┅┅┅┅┅┅┅┅────────────────",
            "▌ so far",
            *["▌"] * 8,
            "▌ 148 tok thought    27 t/s  ttft 0.6s",
        ]


async def test_thinking_is_italic_and_text_is_not() -> None:
    seat = replace(streaming("said"), thinking=Log().appended("thought"))
    async with racing(seat) as (app, _):
        tile = only(app)
        shown = [(part.text, part.style and part.style.italic) for part in tile.render_line(1)]
        said = [(part.text, part.style and part.style.italic) for part in tile.render_line(2)]
        assert ("thought", True) in shown
        assert ("said", None) in said


async def test_an_ended_tile_says_so_and_then_shows_its_answer_from_the_start_as_markdown() -> None:
    seat = streaming("# Title\n\n" + LINES.replace("\n", "\n\n"))
    async with racing(seat) as (app, pilot):
        ended = replace(done(""), text=seat.text)
        await show(app, pilot, [ended])
        assert rows(only(app))[:2] == ["▌ 1  qwen3:4b         ✓ 2nd done  4.0s", "▌ line 27"]
        app.frames.flush()
        assert rows(only(app))[:3] == [
            "▌ 1  qwen3:4b         ✓ 2nd done  4.0s",
            "▌ Title",
            "▌ line 1",
        ]


async def test_scrolling_up_stops_following_and_counts_what_comes() -> None:
    seat = streaming(LINES)
    async with racing(seat) as (app, pilot):
        only(app).focus()
        await pilot.press("k", "up")
        await show(app, pilot, [seat := grown(seat, "\nline 31\nline 32")])
        assert rows(only(app))[1:5] == [
            "█ line 25",
            "█ line 26",
            "█ line 27",
            "█ line 28               ↓ 2 new lines",
        ]
        await pilot.press("end")
        assert rows(only(app))[4] == "█ line 32▌"
        await show(app, pilot, [grown(seat, "\nline 33")])
        assert rows(only(app))[4] == "█ line 33▌"


async def test_keys_and_wheel_move_through_the_text() -> None:
    async with racing(streaming(LINES)) as (app, pilot):
        tile = only(app)
        tile.focus()
        tops = []
        for key in ("pageup", "home", "j", "down", "pagedown", "end"):
            await pilot.press(key)
            tops.append(rows(tile)[1])
        assert tops == [f"█ line {number}" for number in (24, 1, 2, 3, 6, 27)]


async def test_a_click_focuses_and_says_which_seat() -> None:
    async with racing(streaming("one", 1), streaming("two", 2), size=(80, 6)) as (app, pilot):
        await pilot.click(offset=(60, 2))
        await pilot.pause()
        assert app.selected == [Seat(1, 2)]
        assert [rows(app.grid.tile(Seat(1, n)))[0][0] for n in (1, 2)] == ["▌", "█"]


async def test_a_word_repaints_one_row_and_a_new_row_the_text() -> None:
    class Bench(Race):
        def compose(self) -> ComposeResult:
            self.tile = Watched(self.frames)
            yield self.tile

    app = Bench()
    app.frames = FrameClock(None, later=lambda _seconds, _callback: None)
    async with app.run_test(size=(39, 8)) as pilot:
        seat = streaming("one\ntwo")
        asked = []
        for text in ("", " more", "", "\nthree", "\n4\n5\n6"):
            seat = grown(seat, text, pieces=0) if text else seat
            app.tile.show(seat, t=6.0, scale=256)
            app.frames.flush()
            await pilot.pause()
            asked.append(app.tile.asked)
            app.tile.asked = []
        assert asked[1:] == [
            [Region(0, 2, 39, 5)],
            [],
            [Region(0, 2, 39, 5)],
            [Region(0, 3, 39, 4)],
        ]


async def test_figures_change_at_most_four_times_a_second() -> None:
    seat = streaming("x")
    async with racing(seat) as (app, pilot):
        counts = []
        for t in (6.05, 6.2, 6.26, 6.3):
            seat = grown(seat, "y")
            await show(app, pilot, [seat], t=t)
            counts.append(rows(only(app))[-1][10:17].split()[0])
        assert counts == ["212", "212", "215", "215"]


async def test_a_state_is_told_at_once() -> None:
    seat = streaming("x")
    async with racing(seat) as (app, pilot):
        await show(app, pilot, [replace(seat, is_late=True, status="late")], t=6.01)
        assert "» late" in rows(only(app))[0]


@pytest.mark.parametrize(
    ("width", "head"),
    [
        (39, "▌ 1  qwen3:4b         ✓ 2nd, cut  4.0s"),
        (60, "▌ 1  qwen3:4b                 ✓ 2nd, cut at its limit  4.0s"),
    ],
)
async def test_a_proposal_that_was_cut_says_so_in_its_head(width: int, head: str) -> None:
    async with racing(replace(done("text"), reason="length"), size=(width, 6)) as (app, _):
        assert rows(only(app))[:3] == [head, "▌ text", "▌ Cut at its limit."]


async def test_a_failed_tile_says_why_and_which_keys_work() -> None:
    async with racing(failed("auth", "Groq refused the key."), size=(60, 6)) as (app, pilot):
        app.grid.show(
            [failed("auth", "Groq refused the key.")], t=6, hints={Seat(1, 1): [("r", "retry")]}
        )
        app.frames.flush()
        await pilot.pause()
        assert rows(only(app))[:3] == [
            "▌ 1  qwen3:4b                     ✗ failed: no access  2.0s",
            "▌ Groq refused the key.",
            "▌ r retry",
        ]


async def test_a_retry_that_works_shows_the_new_text() -> None:
    async with racing(retrying("Too many requests.")) as (app, pilot):
        before = rows(only(app))[1]
        await show(app, pilot, [replace(streaming("Hello"), attempt=2)])
        assert [before, rows(only(app))[1]] == ["▌ Too many requests.", "▌ Hello▌"]


async def test_a_new_size_wraps_again_and_keeps_the_end() -> None:
    async with racing(streaming("one two three four five six " * 20), size=(60, 6)) as (app, pilot):
        await pilot.resize_terminal(39, 10)
        await pilot.pause()
        app.frames.flush()
        await pilot.pause()
        shown = rows(only(app))
        assert (len(shown), max(map(len, shown)) <= 39) == (10, True)
        assert shown[8].endswith("six▌")


async def test_text_of_wide_characters_stays_in_its_tile() -> None:
    text = "请用 Python 写一个贪吃蛇游戏 👩\u200d👩\u200d👧 e\u0301\t" * 9
    async with racing(streaming(text)) as (app, _):
        tile = only(app)
        assert {tile.render_line(y).cell_length for y in range(6)} == {39}


@pytest.mark.parametrize("count", range(1, 13))
async def test_every_seat_that_fits_has_a_tile(count: int) -> None:
    seats = [streaming(f"text {number}", number) for number in range(1, count + 1)]
    async with racing(*seats, size=(80, 18)) as (app, _):
        shown = [tile.seat for tile in app.query(Tile) if tile.display]
        most = min(count, 6)
        assert shown == [Seat(1, number) for number in range(1, most + 1)]
        assert all(tile.size.height >= 5 for tile in app.query(Tile) if tile.display)


async def test_too_many_seats_get_a_strip_and_the_focused_one_comes_first() -> None:
    seats = [streaming(f"text {number}", number) for number in range(1, 13)]
    async with racing(*seats, size=(80, 18)) as (app, pilot):
        app.grid.focus_seat(Seat(1, 9))
        await pilot.pause()
        app.frames.flush()
        await pilot.pause()
        tile = app.grid.tile(Seat(1, 9))
        assert (tile.has_focus, tile.region) == (True, Region(0, 3, 39, 5))
        assert app.grid.render_line(2).text.startswith(" 9  ● qwen3:4b  212 ")


async def test_an_entry_of_the_strip_can_be_clicked() -> None:
    seats = [streaming(f"text {number}", number) for number in range(1, 13)]
    async with racing(*seats, size=(80, 18)) as (app, pilot):
        await pilot.click(TileGrid, offset=(25, 2))
        await pilot.pause()
        assert app.selected == [Seat(1, 10)]


async def test_a_growing_layer_gets_more_tiles_and_keeps_the_old_ones() -> None:
    async with racing(streaming("one", 1), size=(80, 18)) as (app, pilot):
        first = app.grid.tile(Seat(1, 1))
        await show(app, pilot, [streaming("one", 1), streaming("two", 2)])
        assert app.grid.tile(Seat(1, 1)) is first
        await show(app, pilot, [streaming("two", 2)])
        await show(app, pilot, [streaming("two", 2)], t=7.0)
        assert [rows(tile)[2] for tile in app.query(Tile)] == ["▌ two▌"]


async def test_folded_seats_are_rows_of_a_table() -> None:
    seats = [done("x", 1, place=1), failed("auth", "No key.", number=2)]
    async with racing(*seats, size=(80, 18)) as (app, pilot):
        app.grid.folded = True
        await pilot.pause()
        app.frames.flush()
        await pilot.pause()
        assert [tile.display for tile in app.query(Tile)] == [False, False]
        assert [app.grid.render_line(y).text[:26] for y in (0, 1)] == [
            " 1  qwen3:4b       ✓ 1st ━",
            " 2  qwen3:4b       ✗ faile",
        ]
        app.grid.folded = False
        await pilot.pause()
        app.frames.flush()
        await pilot.pause()
        assert rows(app.grid.tile(Seat(1, 1)))[2] == "▌ x"


async def test_all_lanes_of_a_layer_have_one_scale() -> None:
    seats = [streaming("x", 1, pieces=100), streaming("x", 2, pieces=600)]
    async with racing(*seats, size=(80, 18)) as (app, _):
        assert app.grid.scale == 1024


async def test_another_theme_paints_tiles_anew() -> None:
    async with racing(streaming("x"), done("y", 2), size=(80, 6)) as (app, pilot):
        colours = []
        for ink in ("#101010", "#f0f0f0"):
            app.register_theme(Theme(name=ink, primary="#ff0000", variables={"ink": ink}))
            app.theme = ink
            await pilot.pause()
            app.frames.flush()
            await pilot.pause()
            colours.append([ink_of(app.grid.tile(Seat(1, number))) for number in (1, 2)])
        assert colours == [["#101010"] * 2, ["#f0f0f0"] * 2]


async def test_a_hostile_name_stays_on_its_row() -> None:
    seat = replace(streaming("x"), model="evil/a\nb\x1b]52;c;x\x07")
    async with racing(seat) as (app, _):
        assert rows(only(app))[0].startswith("▌ 1  a b␛]52;c;x␇ ")


async def test_a_seat_that_waits_shows_what_for() -> None:
    async with racing(waiting()) as (app, _):
        assert rows(only(app)) == [
            "▌ 1  qwen3:4b       ○ connecting  0:06",
            "▌ Connecting to ollama.",
            *["▌"] * 3,
            "▌ ───────     0 tok   – t/s  ttft    –",
        ]
