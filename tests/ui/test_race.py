from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from racing_seats import done, failed, grown, retrying, streaming, thinking, waiting
from rich.cells import cell_len
from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.events import MouseScrollDown
from textual.filter import Monochrome
from textual.geometry import Region
from textual.theme import Theme

from moa_tui.engine.mixture import Seat
from moa_tui.engine.state import Log, SeatState
from moa_tui.ui import look
from moa_tui.ui.frames import FrameClock
from moa_tui.ui.look import Palette
from moa_tui.ui.race import lanes
from moa_tui.ui.race.race import RaceView

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from textual.pilot import Pilot
    from textual.strip import Strip

    from moa_tui.ui.race.lanes import Course

PALETTE = Palette.of({})
T = 6.0


def named(seat: SeatState, model: str, label: str = "") -> SeatState:
    return replace(seat, model=model, label=label)


FIVE = [
    named(streaming("The heap goes on until it is empty.", 1), "ollama/llama3.2:3b"),
    done("It holds one item. And more.", 2),
    named(thinking("so the key must be the same", 3), "ollama/gemma3:4b"),
    named(done("Ties keep their order.", 4, tokens=326, place=1), "groq/gpt-oss-20b"),
    named(retrying("Too many requests.", 5), "together/mixtral-8x22b"),
]
EVERY_STATE = [
    *FIVE,
    failed("auth", "Groq refused the key.", "Set GROQ_API_KEY.", number=6),
    named(waiting(7), "ollama/日本語モデル:7b", "翻訳"),
    streaming("用 Python 写一个贪吃蛇游戏。" * 20, 8, pieces=12_345),
    replace(done("late.", 9), status="late", is_late=True, place=None),
    replace(streaming("half", 10), status="stopped", ended_t=3.0),
    replace(waiting(11), status="queued", behind="qwen3:4b"),
    replace(done("cut", 12), reason="length"),
]


def course(
    seats: Sequence[SeatState], size: tuple[int, int], *, selected: int = 0, first: int = 0
) -> Course:
    names = [look.name_of(seat) for seat in seats]
    return lanes.laid_out(names, size, selected=selected, first=first)


def drawn(
    seats: Sequence[SeatState], size: tuple[int, int], *, selected: int | None = None
) -> list[Strip]:
    """Return all rows that say something, as the view puts them one below the other."""
    ground = course(seats, size, selected=selected or 0)
    scale = look.lane_scale(max(seat.tokens for seat in seats))
    rows = [lanes.heads_row(scale, course=ground, palette=PALETTE)] if ground.has_heads else []
    for index in ground.indexes:
        seat, is_selected = seats[index], index == selected
        rate = look.mean_rate(seat, T)
        first = lanes.upper(seat, T, rate=rate, scale=scale, course=ground, is_selected=is_selected)
        rows.append(lanes.upper_row(first, course=ground, palette=PALETTE))
        if ground.pitch > 1:
            second = lanes.lower(seat, T, course=ground, palette=PALETTE, is_selected=is_selected)
            rows.append(lanes.lower_row(second, course=ground, palette=PALETTE))
    if ground.cue_row is not None:
        rows.append(lanes.cue(ground, PALETTE))
    return rows


def texts(
    seats: Sequence[SeatState], size: tuple[int, int], *, selected: int | None = None
) -> list[str]:
    return [row.text.rstrip() for row in drawn(seats, size, selected=selected)]


def told(seat: SeatState, width: int = 100) -> str:
    """Return what stands behind the state in a lane's second row."""
    ground = course([seat], (width, 10))
    found = lanes.lower(seat, T, course=ground, palette=PALETTE)
    return "".join(segment.text for segment in found.told)


# Drawing.


def test_a_lane_is_a_bar_with_figures_and_a_row_of_words() -> None:
    assert texts(FIVE, (120, 20), selected=0) == [
        f"  ▆ answer  ▂ thinking    {lanes.ticks(512, 64)}    tok   t/s   ttft    time",
        "█  1  llama3.2:3b         " + "▆" * 26 + "▁" * 38 + "    212    38   0.4s    0:06",
        "█     ● streaming         The heap goes on until it is empty.",
        "   2  qwen3:4b            " + "▆" * 38 + "▁" * 26 + "    301    84   0.4s    4.0s",
        "      ✓ 2nd done          It holds one item.",
        "   3  gemma3:4b           " + "▂" * 18 + "▁" * 46 + "    148    27   0.6s    0:06",
        "      ◊ thinking          so the key must be the same",
        "   4  gpt-oss-20b         " + "▆" * 41 + "▁" * 23 + "    326    91   0.4s    4.0s",
        "      ✓ 1st done          Ties keep their order.",
        "   5  mixtral-8x22b       " + "▁" * 64 + "      0     –      –    0:06",
        "      ! 429, retry in 4s  Too many requests. Try 1 lost nothing.",
    ]


def test_a_bar_shows_reasoning_before_answer() -> None:
    seat = replace(streaming("x", pieces=128), thinking_pieces=64)
    assert "▂" * 16 + "▆" * 32 + "▁" * 16 in texts([seat], (120, 20))[1]


def test_at_80_columns_nothing_is_missing() -> None:
    assert texts(FIVE, (80, 18))[:3] == [
        "  ▆ answer  ▂ thinking    0       128     256    384  512   tok  t/s ttft  time",
        "   1  llama3.2:3b         ▆▆▆▆▆▆▆▆▆▆▆▆▆▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁   212   38 0.4s  0:06",
        "      ● streaming         The heap goes on until it is empty.",
    ]


def test_the_first_token_s_time_and_then_tokens_give_way_to_the_bar() -> None:
    assert [
        [head for head, _ in course(FIVE, (width, 18)).columns] for width in (80, 60, 54, 48, 42)
    ] == [
        ["tok", "t/s", "ttft", "time"],
        ["tok", "t/s", "time"],
        ["t/s", "time"],
        ["t/s"],
        [],
    ]


@pytest.mark.parametrize(
    ("height", "pitch", "count"),
    [(40, 3, 5), (15, 3, 5), (14, 2, 5), (11, 2, 5), (10, 1, 5), (6, 1, 5), (5, 1, 3), (3, 1, 2)],
)
def test_short_of_rows_blank_ones_go_first_then_words_then_lanes(
    height: int, pitch: int, count: int
) -> None:
    found = course(FIVE, (80, height))
    assert (found.pitch, found.count) == (pitch, count)


def test_a_lane_of_one_row_has_its_state_beside_its_name() -> None:
    assert texts(FIVE, (80, 7), selected=3) == [
        "  ▆ answer  ▂ thinking             0     128  256  384      tok  t/s ttft  time",
        "   1  llama3.2:3b   ● streaming    ▆▆▆▆▆▆▆▆▆▁▁▁▁▁▁▁▁▁▁▁▁▁   212   38 0.4s  0:06",
        "   2  qwen3:4b      ✓ 2nd          ▆▆▆▆▆▆▆▆▆▆▆▆▆▁▁▁▁▁▁▁▁▁   301   84 0.4s  4.0s",
        "   3  gemma3:4b     ◊ thinking     ▂▂▂▂▂▂▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁   148   27 0.6s  0:06",
        "█  4  gpt-oss-20b   ✓ 1st          ▆▆▆▆▆▆▆▆▆▆▆▆▆▆▁▁▁▁▁▁▁▁   326   91 0.4s  4.0s",
        "   5  mixtral-8x22b ! 429 · 4s     ▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁     0    –    –  0:06",
    ]


@pytest.mark.parametrize(
    ("selected", "first", "said"),
    [
        (0, 0, "9 more below"),
        (2, 0, "9 more below"),
        (3, 0, "1 more above · 8 more below"),
        (3, 2, "2 more above · 7 more below"),
        (11, 0, "9 more above"),
    ],
)
def test_lanes_out_of_sight_are_counted_and_the_selected_one_is_in_sight(
    selected: int, first: int, said: str
) -> None:
    found = course(EVERY_STATE, (80, 5), selected=selected, first=first)
    assert selected in found.indexes
    assert lanes.cue(found, PALETTE).text.strip() == said


def test_a_single_row_is_the_selected_lane() -> None:
    found = course(EVERY_STATE, (80, 1), selected=7)
    assert (list(found.indexes), found.has_heads, found.cue_row) == ([7], False, None)


def test_a_row_of_the_screen_belongs_to_a_lane_with_its_blank_one() -> None:
    found = course(FIVE, (80, 20))
    assert [found.index_at(row) for row in (0, 1, 3, 4, 15, 16)] == [None, 0, 0, 1, 4, None]
    cut = course(FIVE, (80, 5))
    assert [cut.index_at(row) for row in range(5)] == [None, 0, 1, 2, None]


@pytest.mark.parametrize("count", range(1, 13))
@pytest.mark.parametrize("size", [(160, 48), (100, 28), (80, 18), (60, 14), (60, 5), (30, 6)])
def test_every_row_is_as_wide_as_the_view(size: tuple[int, int], count: int) -> None:
    rows = drawn(EVERY_STATE[:count], size, selected=0)
    assert {(row.cell_length, cell_len(row.text)) for row in rows} == {(size[0], size[0])}
    assert len(rows) <= size[1]


def test_states_are_glyphs_and_words() -> None:
    rows = texts(EVERY_STATE, (160, 48))[2::2]
    field = course(EVERY_STATE, (160, 48)).names
    assert [row[6 : 6 + field].rstrip() for row in rows] == [
        "● streaming",
        "✓ 2nd done",
        "◊ thinking",
        "✓ 1st done",
        "! 429, retry in 4s",
        "✗ failed: no access",
        "○ connecting",
        "● streaming",
        "» late",
        "■ stopped",
        "· queued",
        "✓ 2nd, cut",
    ]


@pytest.mark.parametrize(
    ("seat", "text"),
    [
        (failed("auth", "Groq refused the key.", "Set it."), "Groq refused the key. Set it."),
        (failed("server", "It broke"), "It broke"),
        (retrying("limit"), "limit · Try 1 lost nothing."),
        (waiting(), "Connecting to ollama."),
        (replace(waiting(), status="queued", behind="llama"), "Queued behind llama."),
        (replace(waiting(), status="stopped", ended_t=1.0), "It ended without a word."),
        (replace(streaming("half of"), status="stopped", ended_t=3.0), "half of"),
        (replace(done("In time? No."), status="late"), "In time?"),
        (failed("server", "a\x1b[31mb\nc"), "a␛[31mb c"),
    ],
)
def test_a_lane_says_its_last_words_or_why_there_are_none(seat: SeatState, text: str) -> None:
    assert told(seat) == text


def test_thinking_is_italic_and_said_text_is_not() -> None:
    ground = course(FIVE, (100, 20))
    styles = [
        lanes.lower(seat, T, course=ground, palette=PALETTE).told[0].style for seat in FIVE[:3]
    ]
    assert [style and style.italic for style in styles] == [None, None, True]


@pytest.mark.parametrize(
    ("pieces", "width", "line"),
    [
        (["one ", "two ", "three"], 20, "one two three"),
        (["one ", "two ", "three"], 10, "…two three"),
        (["one ", "two ", "three"], 9, "…three"),
        (["one\n\n", "  two\t", "three"], 20, "one two three"),
        (["incomprehensibilities"], 8, "…ilities"),
        (["写一个贪吃蛇游戏"], 8, "…蛇游戏"),
        (["a " * 400, *["\n"] * 200], 8, "…a a a a"),
        (["x"] * 9_000, 5, "…xxxx"),
        (["word"], 0, ""),
        ([], 10, ""),
    ],
)
def test_last_words_fit_a_row(pieces: list[str], width: int, line: str) -> None:
    log = Log()
    for piece in pieces:
        log = log.appended(piece)
    assert lanes.last_words(log, width) == line


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("It holds one item. And more.", "It holds one item."),
        (
            "# T\n\nIt is **very** `small`, see [there](http://x.y). No.",
            "It is very small, see there.",
        ),
        ("Sure!\n\nThen.", "Sure!"),
        ("Use e.g. a heap.\nMore", "Use e.g. a heap."),
        ("Version 3.2 came\nout. Then", "Version 3.2 came out."),
        ("1. First. x\n2. Second.", "First."),
        ("- one\n- two", "one"),
        ("用堆。每次取最小的。", "用堆。"),
        ("```python\nx = 1. \n```\n\nThat is it.", "That is it."),
        ("```python\nx = 1\n```", "x = 1"),
        ("## Only a title", "Only a title"),
        ("", ""),
    ],
)
def test_the_first_sentence_of_an_answer_is_plain(text: str, sentence: str) -> None:
    assert lanes.first_sentence(text) == sentence


@pytest.mark.parametrize(
    ("scale", "width", "line"),
    [
        (512, 64, "0               128             256             384          512"),
        (16_384, 40, "0         4096      8192      12.3k     "),
        (512, 16, "0       256  512"),
        (512, 8, "0   256 "),
        (65_536, 8, "0       "),
        (512, 0, ""),
    ],
)
def test_ticks_stand_apart(scale: int, width: int, line: str) -> None:
    assert lanes.ticks(scale, width) == line


# The widget.


class Watched(RaceView):
    """Notes what it asks to be repainted."""

    asked: list[Region]

    def refresh(self, *regions: Region, **options: Any) -> Watched:  # noqa: ANN401 - Textual's
        self.asked = [*getattr(self, "asked", []), *regions]
        super().refresh(*regions, **options)
        return self


class Track(App[None]):
    """A race view alone; frames are flushed by hand."""

    ENABLE_COMMAND_PALETTE = False
    AUTO_FOCUS = None

    def __init__(self) -> None:
        super().__init__()
        self.frames = FrameClock(None, later=lambda _seconds, _callback: None)
        self.race = Watched(self.frames)
        self.picked: list[Seat] = []
        self.turned_to: list[Seat] = []

    def compose(self) -> ComposeResult:
        yield self.race

    def on_race_view_picked(self, message: RaceView.Picked) -> None:
        self.picked.append(message.seat)

    def on_race_view_selected(self, message: RaceView.Selected) -> None:
        self.turned_to.append(message.seat)


@asynccontextmanager
async def racing(
    seats: Sequence[SeatState], size: tuple[int, int] = (80, 18)
) -> AsyncIterator[tuple[Track, Pilot[None]]]:
    app = Track()
    async with app.run_test(size=size) as pilot:
        await show(app, pilot, seats)
        app.race.asked = []
        yield app, pilot


async def show(app: Track, pilot: Pilot[None], seats: Sequence[SeatState], *, t: float = T) -> None:
    app.race.show(seats, t=t)
    app.frames.flush()
    await pilot.pause()


def rows(app: Track) -> list[str]:
    return [app.race.render_line(y).text.rstrip() for y in range(app.race.size.height)]


def marked(app: Track) -> list[int]:
    return [y for y, row in enumerate(rows(app)) if row.startswith("█")]


async def test_the_view_shows_what_is_drawn() -> None:
    async with racing(FIVE) as (app, _):
        shown = [row for row in rows(app) if row]
        assert shown == texts(FIVE, (80, 18))
        assert rows(app)[3::3] == [""] * 5


async def test_a_seat_without_focus_is_not_marked() -> None:
    async with racing(FIVE) as (app, pilot):
        assert (app.race.selected, marked(app)) == (Seat(1, 1), [])
        app.race.focus()
        await pilot.pause()
        assert (marked(app), app.turned_to) == ([1, 2], [Seat(1, 1)])
        app.screen.set_focus(None)
        await pilot.pause()
        assert marked(app) == []


async def test_keys_move_the_selection_and_stop_at_the_ends() -> None:
    async with racing(FIVE) as (app, pilot):
        app.race.focus()
        found = []
        for key in ("up", "down", "j", "k", "end", "down", "home"):
            await pilot.press(key)
            found.append(app.race.selected)
        assert found == [Seat(1, number) for number in (1, 2, 3, 2, 5, 5, 1)]
        assert app.turned_to[1:] == found


async def test_enter_asks_for_the_text_of_the_selected_seat() -> None:
    async with racing(FIVE) as (app, pilot):
        app.race.focus()
        app.race.select(Seat(1, 3))
        await pilot.press("enter")
        assert (app.picked, marked(app)) == ([Seat(1, 3)], [7, 8])


async def test_a_click_selects_and_a_second_one_asks_for_the_text() -> None:
    async with racing(FIVE) as (app, pilot):
        await pilot.click(offset=(40, 5))
        assert (app.race.selected, app.picked) == (Seat(1, 2), [])
        await pilot.click(offset=(40, 10), times=2)
        assert (app.race.selected, app.picked) == (Seat(1, 4), [Seat(1, 4)])
        await pilot.click(offset=(40, 0))
        await pilot.click(offset=(40, 17))
        assert app.race.selected == Seat(1, 4)


async def test_an_unknown_seat_cannot_be_selected() -> None:
    async with racing(FIVE) as (app, _):
        with pytest.raises(KeyError):
            app.race.select(Seat(2, 1))


async def test_moving_repaints_the_two_lanes_only() -> None:
    async with racing(FIVE) as (app, pilot):
        app.race.focus()
        await pilot.pause()
        app.race.asked = []
        await pilot.press("down")
        assert [region.y for region in app.race.asked] == [1, 2, 4, 5]


async def test_lanes_out_of_sight_come_with_the_selection() -> None:
    async with racing(EVERY_STATE, (80, 6)) as (app, pilot):
        app.race.focus()
        await pilot.press("end")
        assert [row[2:5].strip() for row in rows(app)[1:5]] == ["9", "10", "11", "12"]
        assert (marked(app), rows(app)[5].strip()) == ([4], "8 more above")
        await pilot.press("k", "k", "k", "k")
        assert rows(app)[5].strip() == "7 more above · 1 more below"
        assert marked(app) == [1]


async def test_the_wheel_moves_only_where_lanes_are_out_of_sight() -> None:
    for height, number in ((18, 1), (4, 2)):
        async with racing(FIVE, (80, height)) as (app, pilot):
            await pilot._post_mouse_events(  # noqa: SLF001 - the pilot has no wheel
                [MouseScrollDown], app.race, offset=(40, 1), button=0
            )
            await pilot.pause()
            assert app.race.selected == Seat(1, number)


async def test_a_token_that_lengthens_no_bar_repaints_nothing() -> None:
    async with racing(FIVE) as (app, pilot):
        await show(app, pilot, [grown(FIVE[0], " x"), *FIVE[1:]], t=6.1)
        assert app.race.asked == []


async def test_a_longer_bar_repaints_its_row_at_once_and_figures_wait() -> None:
    async with racing(FIVE) as (app, pilot):
        seats = [grown(FIVE[0], " more", pieces=30), *FIVE[1:]]
        await show(app, pilot, seats, t=6.1)
        assert app.race.asked == [Region(0, 1, 80, 1)]
        assert (rows(app)[1].count("▆"), rows(app)[1].split()[-4]) == (15, "212")
        app.race.asked = []
        await show(app, pilot, seats, t=6.25)
        assert [region.y for region in app.race.asked] == [1, 2, 7]
        assert rows(app)[1].split()[-4] == "242"
        assert rows(app)[2].endswith("empty. more")


async def test_a_second_later_only_live_lanes_are_repainted() -> None:
    async with racing(FIVE) as (app, pilot):
        await show(app, pilot, FIVE, t=7.0)
        assert [region.y for region in app.race.asked] == [1, 7, 13, 14]


async def test_speed_is_the_mean_of_the_last_second() -> None:
    seat = streaming("x", pieces=100)
    async with racing([seat]) as (app, pilot):
        for t in (6.5, 7.0):
            seat = grown(seat, "y", pieces=5)
            await show(app, pilot, [seat], t=t)
        assert rows(app)[1].split()[-3] == "10"


async def test_a_state_is_told_at_once() -> None:
    async with racing(FIVE) as (app, pilot):
        await show(app, pilot, [replace(FIVE[0], status="stopped", ended_t=6.0), *FIVE[1:]], t=6.01)
        assert rows(app)[2].startswith("      ■ stopped")


async def test_all_bars_are_halved_when_one_outgrows_the_scale() -> None:
    async with racing(FIVE) as (app, pilot):
        before = [row.count("▆") for row in rows(app)[1:15:3]]
        await show(app, pilot, [replace(FIVE[0], pieces=513), *FIVE[1:]], t=6.1)
        after = [row.count("▆") for row in rows(app)[1:15:3]]
        assert (before, after) == ([13, 18, 0, 20, 0], [16, 9, 0, 10, 0])
        assert "512" in rows(app)[0]


async def test_another_layer_keeps_the_number_of_the_selected_seat() -> None:
    async with racing(FIVE) as (app, pilot):
        app.race.select(Seat(1, 3))
        later = [replace(seat, seat=Seat(2, seat.seat.number)) for seat in FIVE]
        await show(app, pilot, later)
        assert app.race.selected == Seat(2, 3)
        await show(app, pilot, later[:2])
        assert app.race.selected == Seat(2, 1)
        assert rows(app)[7:] == [""] * 11


async def test_another_run_s_ended_seats_replace_those_on_show() -> None:
    async with racing([done("One.")]) as (app, pilot):
        await show(app, pilot, [done("Two.", tokens=99)])
        assert rows(app)[2].endswith("Two.")
        assert " 99 " in rows(app)[1]


async def test_without_seats_nothing_is_shown_or_selected() -> None:
    async with racing([]) as (app, pilot):
        app.race.focus()
        await pilot.press("down", "end", "enter")
        assert (rows(app), app.race.selected, app.picked) == ([""] * 18, None, [])
        await show(app, pilot, FIVE)
        assert rows(app)[1]
        await show(app, pilot, [])
        assert rows(app) == [""] * 18


async def test_a_new_size_is_drawn_anew() -> None:
    async with racing(FIVE) as (app, pilot):
        await pilot.resize_terminal(120, 10)
        await pilot.pause()
        assert rows(app)[:6] == texts(FIVE, (120, 10))


async def test_what_came_while_it_was_hidden_is_there_when_it_is_shown() -> None:
    async with racing(FIVE) as (app, pilot):
        app.race.display = False
        await pilot.pause()
        ended = replace(FIVE[0], status="stopped", ended_t=6.0)
        await show(app, pilot, [ended, *FIVE[1:]], t=6.1)
        app.race.display = True
        await pilot.pause()
        assert "■ stopped" in rows(app)[2]


async def test_another_theme_s_colours_are_taken_up() -> None:
    async with racing(FIVE) as (app, pilot):
        theme = Theme("red", primary="#123456", variables={"seat-1": "#ff0000"})
        app.register_theme(theme)
        app.theme = "red"
        await pilot.pause()
        app.frames.flush()
        await pilot.pause()
        bars = [part for part in app.race.render_line(1) if "▆" in part.text]
        assert [bar.style and bar.style.color and bar.style.color.name for bar in bars] == [
            "#ff0000"
        ]


async def test_without_colour_rows_have_none() -> None:
    app = Track()
    app._filters.append(Monochrome())  # noqa: SLF001 - what NO_COLOR does at start
    async with app.run_test(size=(80, 18)) as pilot:
        await show(app, pilot, FIVE)
        colours = {
            part.style.color.get_truecolor()
            for y in range(18)
            for part in app.race.render_line(y)
            if part.style and part.style.color
        }
        assert all(red == green == blue for red, green, blue in colours)


async def test_every_key_says_what_it_does() -> None:
    found = {one.id: one for one in RaceView.BINDINGS if isinstance(one, Binding)}
    assert list(found) == ["race.up", "race.down", "race.home", "race.end", "race.open"]
    assert all(binding.tooltip for binding in found.values())
    assert [name for name, binding in found.items() if binding.show] == ["race.open"]
