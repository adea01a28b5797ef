from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import pytest
from racing_seats import done, failed, retrying, streaming, thinking
from textual.app import App, ComposeResult

from moa_tui.engine.mixture import Seat
from moa_tui.engine.state import LayerState, RunState, SeatState
from moa_tui.ui.look import Palette
from moa_tui.ui.race.flow import FlowLines, layer_line, one_line

PALETTE = Palette.of({})


def run(*layers: tuple[SeatState, ...]) -> RunState:
    """Return a run whose layers took 8.1 s each, the last one being live."""
    seats = {
        Seat(layer, number): replace(
            seat,
            seat=Seat(layer, number),
            started_t=seat.started_t + 8.1 * (layer - 1),
            ended_t=None if seat.ended_t is None else seat.ended_t + 8.1 * (layer - 1),
        )
        for layer, members in enumerate(layers, 1)
        for number, seat in enumerate(members, 1)
    }
    count = len(layers)
    states = tuple(
        LayerState(
            layer=layer,
            started_t=8.1 * (layer - 1),
            ended_t=8.1 * layer if layer < count else None,
        )
        for layer in range(1, count + 1)
    )
    return RunState(status="running", layers=states, seats=MappingProxyType(seats))


def over(state: RunState) -> RunState:
    last = replace(state.layers[-1], ended_t=state.layers[-1].started_t + 12.4)
    return replace(state, layers=(*state.layers[:-1], last))


FIRST = (
    replace(done("x", 1), model="ollama/llama3.2:3b"),
    replace(done("x", 2), model="groq/openai/gpt-oss-20b"),
    replace(failed("auth", "No."), model="together/mixtral-8x22b"),
)
SECOND = (streaming("x"), thinking("x"), retrying("429"))


def line(state: RunState, layer: int, *, width: int = 100, t: float = 14.5) -> str:
    strip = layer_line(state, state.layers[layer - 1], t, width=width, palette=PALETTE)
    assert strip.cell_length == width
    return strip.text.rstrip()


def in_one(state: RunState, *, width: int = 80, t: float = 14.5) -> str:
    strip = one_line(state, t, width=width, palette=PALETTE)
    assert strip.cell_length == width
    return strip.text.rstrip()


def test_an_ended_layer_tells_every_seats_time() -> None:
    state = run(FIRST, SECOND)
    told = " ▸ ✓ Layer 1   1 llama3.2 4.0s   2 gpt-oss 4.0s   3 mixtral ✗ 2.0s"
    assert line(state, 1) == f"{told}{'2/3   8.1s':>{99 - len(told)}}"


def test_names_give_way_where_a_line_is_short() -> None:
    state = run(FIRST, SECOND)
    assert line(state, 1, width=60) == (
        " ▸ ✓ Layer 1   1 4.0s  2 4.0s  3 ✗ 2.0s          2/3   8.1s"
    )
    assert "2 done · 1 failed" in line(state, 1, width=50)


def test_a_layer_whose_tiles_stand_open_says_so() -> None:
    state = run(FIRST, SECOND)
    shown = layer_line(state, state.layers[0], 14.5, width=100, palette=PALETTE, is_open=True)
    assert shown.text.startswith(" ▾ ✓ Layer 1   1 llama3.2 4.0s")


def test_an_earlier_turn_is_named() -> None:
    state = run(FIRST)
    told = layer_line(state, state.layers[0], 14.5, width=100, palette=PALETTE, title="Turn 2")
    assert told.text.startswith(" ▸ Turn 2  ")
    joined = one_line(state, 14.5, width=80, palette=PALETTE, title="Turn 2")
    assert joined.text.startswith(" Turn 2  ")


def test_one_line_ends_with_the_layer_that_is_looked_at() -> None:
    state = over(run(FIRST, FIRST, FIRST))
    joined = one_line(state, 40.0, width=120, palette=PALETTE, shown=2)
    assert "Layer 3" not in joined.text
    assert joined.text.index("Layer 1") < joined.text.index("Layer 2")


def test_a_live_layer_counts_its_seats_states() -> None:
    told = " ▸ ● Layer 2   1 streaming · 1 thinking · 1 retrying"
    assert line(run(FIRST, SECOND), 2) == f"{told}{'0/3   0:06':>{99 - len(told)}}"


def test_the_last_layer_says_what_a_full_lane_is_once_it_is_over() -> None:
    state = over(run(FIRST, FIRST))
    told = " ▸ ✓ Layer 2   a full lane is 512 tokens"
    assert line(state, 2) == f"{told}{'2/3  12.4s':>{99 - len(told)}}"


def test_one_line_joins_the_layers_by_arrows() -> None:
    told = " ✓ Layer 1  2/3  8.1s  →  ● Layer 2  2 live · 1 retrying"
    assert in_one(run(FIRST, SECOND)) == f"{told}{'0/3  0:06':>{79 - len(told)}}"


def test_the_oldest_layers_give_way_where_the_line_is_short() -> None:
    told = in_one(run(FIRST, FIRST, FIRST, SECOND), t=31.0)
    assert told.startswith(" ✓ Layer 3  2/3  8.1s  →  ● Layer 4  2 live · 1 retrying")


def test_a_stopped_run_stops_its_layer() -> None:
    state = replace(run(SECOND), status="stopped", t=7.0)
    assert in_one(state).startswith(" ■ Layer 1")
    assert in_one(replace(state, status="failed")).startswith(" ✗ Layer 1")


class Screen(App[None]):
    ENABLE_COMMAND_PALETTE = False

    def __init__(self) -> None:
        super().__init__()
        self.flow = FlowLines()

    def compose(self) -> ComposeResult:
        yield self.flow


@pytest.mark.parametrize(
    ("height", "starts"),
    [(2, [" ▸ ✓ Layer 1", " ▸ ● Layer 2"]), (1, [" ✓ Layer 1  "])],
)
async def test_its_height_decides_between_a_line_a_layer_and_one(
    height: int, starts: list[str]
) -> None:
    app = Screen()
    async with app.run_test(size=(120, 30)) as pilot:
        app.flow.styles.height = height
        app.flow.show(run(FIRST, SECOND), t=14.5)
        await pilot.pause()
        assert [app.flow.render_line(y).text[:12] for y in range(app.flow.size.height)] == starts


async def test_it_is_as_high_as_the_layers_that_started() -> None:
    app = Screen()
    async with app.run_test(size=(120, 30)) as pilot:
        heights = []
        for state in (RunState(), run(FIRST), run(FIRST, FIRST, SECOND)):
            app.flow.show(state, t=20.0)
            await pilot.pause()
            heights.append(app.flow.size.height)
        assert heights == [1, 1, 3]
