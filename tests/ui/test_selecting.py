"""Text is selected with the mouse where it stands, seen as selected, and copied as it reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Offset, Region
from textual.selection import SELECT_ALL, Selection
from textual.strip import Strip
from ui_fakes import draw, mixture, says, settle, stage

from moa_tui.engine.provider import Finish, Text
from moa_tui.providers.scripted import Wait
from moa_tui.ui import selecting
from moa_tui.ui.answer.answer_view import AnswerView
from moa_tui.ui.look import Palette
from moa_tui.ui.race.tiles import Tile

if TYPE_CHECKING:
    from collections.abc import Iterable

    from textual.pilot import Pilot
    from textual.widget import Widget
    from ui_fakes import Stage

    from moa_tui.engine.provider import ChatRequest
    from moa_tui.providers.scripted import Script, Step

CHOSEN = Style(bold=True)
SAID = "one 早 two\n\nthree\n\n```py\nx = 1\ny = 2\n```\n"


def says_at_once(request: ChatRequest) -> Iterable[Step]:
    """A model that says all in its first second and ends after the second one."""
    del request
    yield Wait(1.0)
    yield Text(SAID)
    yield Wait(1.0)
    yield Finish("stop")


def show() -> Stage:
    return stage(dict.fromkeys("ab", says_at_once) | {"m": says(SAID)}, mixture("ab"))


async def ask(show: Stage, pilot: Pilot[None], seconds: float) -> None:
    await pilot.press("q", "enter")
    await show.pass_(pilot, seconds)


async def drag(
    pilot: Pilot[None], start: tuple[Widget, int, int], end: tuple[Widget, int, int]
) -> None:
    """Press the button at a cell of a widget, go to another one's, let go."""
    (first, *here), (last, *there) = start, end
    await pilot.mouse_down(first, (here[0], here[1]))
    await pilot.hover(last, (there[0], there[1]))
    await pilot.mouse_up(last, (there[0], there[1]))
    await settle(pilot)


def chosen(widget: Widget) -> list[str]:
    """Return what of a widget's text is painted as selected, a row each."""
    ground = Palette.of(widget.app.theme_variables).selection.bgcolor
    top = int(isinstance(widget, Tile))  # its head has the same colours when it has the focus
    painted = widget.render_lines(Region(0, top, widget.size.width, widget.size.height - top))
    rows = [
        "".join(text for text, style, _ in strip if style and style.bgcolor == ground)
        for strip in painted
    ]
    return [row for row in rows if row]


def row_of(widget: Widget, text: str) -> int:
    return next(y for y in range(widget.size.height) if text in widget.render_line(y).text)


async def test_a_drag_over_the_answer_selects_and_ctrl_c_copies() -> None:
    app = show()
    async with app.app.run_test(size=(80, 24)) as pilot:
        await ask(app, pilot, 6.0)
        view = app.app.query_one(AnswerView)
        y = row_of(view, "one")
        await drag(pilot, (view, view.margin + 4, y), (view, view.margin + 2, y + 2))

        assert chosen(view) == ["早 two", "thr"]
        await pilot.press("ctrl+c")
        assert app.app.clipboard == "早 two\n\nthr"


async def test_an_answer_can_be_selected_from_the_moment_it_ends() -> None:
    app = show()
    async with app.app.run_test(size=(80, 24)) as pilot:
        await ask(app, pilot, 6.0)
        view = app.app.query_one(AnswerView)
        view.open_turn("And?")
        draw(pilot)
        await pilot.pause()
        view.close_turn("It ends here.")

        assert row_of(view, "It ends here.") == row_of(view, "And?") + 2


async def test_the_bar_beside_code_is_not_copied() -> None:
    app = show()
    async with app.app.run_test(size=(80, 24)) as pilot:
        await ask(app, pilot, 6.0)
        view = app.app.query_one(AnswerView)
        await drag(pilot, (view, 0, row_of(view, "x = 1")), (view, 70, row_of(view, "y = 2")))

        assert chosen(view) == ["x = 1", "y = 2"]
        assert app.app.screen.get_selected_text() == "x = 1\ny = 2"


async def test_a_drag_over_a_live_tile_selects_what_it_says() -> None:
    app = show()
    async with app.app.run_test(size=(80, 24)) as pilot:
        await ask(app, pilot, 1.5)
        tile = app.app.query(Tile).first()
        y = row_of(tile, "早")
        await drag(pilot, (tile, 4, y), (tile, 6, y))

        assert app.app.screen.get_selected_text() == "e 早"
        assert chosen(tile) == ["e 早"]


async def test_a_drag_from_tile_to_tile_takes_the_end_of_one_and_the_start_of_the_other() -> None:
    app = show()
    async with app.app.run_test(size=(80, 24)) as pilot:
        await ask(app, pilot, 1.5)
        left, right = app.app.query(Tile)
        y = row_of(left, "three")
        await drag(pilot, (left, 2, y), (right, 4, y))

        assert app.app.screen.get_selected_text() == (
            "three\n\n```py\nx = 1\ny = 2\n```\n\none 早 two\n\nth"
        )


@pytest.mark.parametrize("other", [says("late", gap_s=9.0), says_at_once], ids=["done", "folded"])
async def test_a_text_that_is_laid_out_anew_or_gone_is_selected_no_longer(other: Script) -> None:
    app = stage({"a": says_at_once, "b": other, "m": says(SAID)}, mixture("ab"))
    async with app.app.run_test(size=(80, 24)) as pilot:
        await ask(app, pilot, 1.5)
        tile = app.app.query(Tile).first()
        y = row_of(tile, "早")
        await drag(pilot, (tile, 2, y), (tile, 6, y))
        before = app.app.screen.get_selected_text()
        await app.pass_(pilot, 0.6)

        assert (before, app.app.screen.get_selected_text()) == ("one 早", None)


async def test_in_a_tile_that_is_done_it_stays_selected_when_the_focus_goes() -> None:
    app = stage({"a": says_at_once, "b": says("late", gap_s=9.0), "m": says(SAID)}, mixture("ab"))
    async with app.app.run_test(size=(80, 24)) as pilot:
        await ask(app, pilot, 2.5)
        tile = app.app.query(Tile).first()
        y = row_of(tile, "早")
        await drag(pilot, (tile, 2, y), (tile, 6, y))
        await pilot.press("i")
        await settle(pilot)

        assert chosen(tile) == ["one 早"]


async def test_what_is_selected_stays_so_while_more_text_comes() -> None:
    words = [f"word {number}\n\n" for number in range(40)]
    app = stage(dict.fromkeys("ab", says_at_once) | {"m": says(*words)}, mixture("ab"))
    async with app.app.run_test(size=(80, 24)) as pilot:
        await ask(app, pilot, 6.0)
        view = app.app.query_one(AnswerView)
        await drag(pilot, (view, 1, row_of(view, "word 1")), (view, 70, row_of(view, "word 2")))
        before = app.app.screen.get_selected_text()
        await app.pass_(pilot, 30.0)
        view.scroll_to(y=0, animate=False)
        draw(pilot)
        await settle(pilot)

        assert before == app.app.screen.get_selected_text() == "word 1\n\nword 2"
        assert chosen(view) == ["word 1", "word 2"]


async def test_a_double_click_takes_the_whole_text_and_none_of_the_chrome() -> None:
    app = show()
    async with app.app.run_test(size=(80, 24)) as pilot:
        await ask(app, pilot, 6.0)
        for times in (2, 3):
            await pilot.click(AnswerView, (3, 2), times=times)

            assert app.app.screen.get_selected_text() == (
                "You   q\n\none 早 two\n\nthree\n\nx = 1\ny = 2"
            )


async def test_without_a_selection_nothing_is_added_to_what_is_painted() -> None:
    app = show()
    async with app.app.run_test(size=(80, 24)) as pilot:
        await ask(app, pilot, 6.0)
        strips = app.app.screen._compositor.render_strips()  # noqa: SLF001 - what is really painted

    assert not [
        style for strip in strips for _, style, _ in strip if style and "offset" in style.meta
    ]


@pytest.mark.parametrize(
    ("selection", "painted"),
    [
        (SELECT_ALL, "abc"),
        (Selection(Offset(1, 7), None), "bc"),
        (Selection(None, Offset(1, 7)), "a"),
        (Selection(Offset(5, 7), Offset(9, 8)), ""),
        (Selection(Offset(0, 8), None), ""),
    ],
)
def test_only_text_is_painted_as_selected(selection: Selection, painted: str) -> None:
    strip = Strip([Segment("> "), Segment("abc  ")])
    shown = selecting.painted(strip, selecting.place(7, 2, "abc"), selection, CHOSEN)

    assert "".join(text for text, style, _ in shown if style == CHOSEN) == painted
    assert (shown.text, shown.cell_length) == (strip.text, strip.cell_length)


async def test_a_text_that_changes_while_the_screen_is_left_selects_nothing() -> None:
    left = AnswerView(None)
    selecting.forget(left)

    assert not left.is_attached
