"""A key that can't do its thing says why, and what can never be done is not offered."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from choosing_fakes import FakeMemory, FakePlaces, shelf
from dialog_fakes import model
from textual.geometry import Region
from textual.widgets._toast import Toast
from ui_fakes import TRIO, Stage, ask, focused_seat, mixture, says, settle, stage

from moa_tui.engine.mixture import Seat
from moa_tui.engine.provider import Endpoint, Finish, Text
from moa_tui.providers.scripted import Wait
from moa_tui.storage.store import Store
from moa_tui.ui import words
from moa_tui.ui.answer.answer_view import AnswerView
from moa_tui.ui.composer.composer import Composer
from moa_tui.ui.ports import EndpointState
from moa_tui.ui.race.tile import Tile
from moa_tui.ui.stage import Stage as MainStage

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from textual.pilot import Pilot

    from moa_tui.providers.scripted import Step

WIDE = (160, 48)


def silent(_request: object) -> Iterable[Step]:
    yield Wait(100.0)
    yield Text("at last")
    yield Finish("stop")


async def told(show: Stage, pilot: Pilot[None], key: str) -> list[str]:
    """Press a key and return what is said about it."""
    show.app.clear_notifications()
    await pilot.press(key)
    await settle(pilot)
    return [one.message for one in show.app._notifications]  # noqa: SLF001 - what toasts are made of


@pytest.mark.parametrize(
    ("key", "why"),
    [
        ("r", words.RUN_IS_OVER),
        ("m", words.RUN_IS_OVER),
        ("M", words.RUN_IS_OVER),
        ("plus", words.RUN_IS_OVER),
        ("o", words.RUN_IS_OVER),
        ("x", words.RUN_IS_OVER),
        ("c", words.NOTHING_FINISHED),
        ("g", words.NOTHING_FINISHED),
        ("a", words.SAID_NOTHING),
        ("d", words.NOTHING_FAILED),
        ("R", words.NO_RACE_KEPT),
        ("left_square_bracket", words.NO_OTHER_VERSION),
    ],
)
async def test_after_a_stop_with_nothing_finished_a_key_says_why_it_does_nothing(
    key: str, why: str
) -> None:
    show = stage({**TRIO, "a": silent, "b": silent, "c": silent})
    async with show.app.run_test(size=WIDE) as pilot:
        await ask(pilot, "why")
        await show.pass_(pilot, 1.0)
        await pilot.press("escape")
        await settle(pilot)
        await pilot.press("tab")
        assert focused_seat(show) == Seat(1, 1)

        assert await told(show, pilot, key) == [why]


@pytest.mark.parametrize("key", ["r", "m", "c", "g", "f5"])
async def test_before_anything_was_asked_a_key_says_so(key: str) -> None:
    show = stage(TRIO)
    async with show.app.run_test(size=WIDE) as pilot:
        await pilot.press("tab")
        assert await told(show, pilot, key) == [words.NOTHING_ASKED]


async def test_while_a_run_is_live_keys_say_what_they_are_for() -> None:
    show = stage({**TRIO, "a": silent})
    async with show.app.run_test(size=WIDE) as pilot:
        await ask(pilot, "why")
        await pilot.press("tab")
        assert await told(show, pilot, "g") == [words.RUN_IS_LIVE]
        assert await told(show, pilot, "a") == [words.NOT_FINISHED]
        assert await told(show, pilot, "M") == [
            "No proposal is done yet: there is nothing to merge."
        ]

        show.app.screen.query_one(AnswerView).focus()
        await settle(pilot)
        assert await told(show, pilot, "r") == [words.NO_SEAT]


async def test_a_merge_of_unfinished_texts_alone_says_that_it_is_one() -> None:
    show = stage({**TRIO, "a": silent, "b": silent})
    async with show.app.run_test(size=WIDE) as pilot:
        await ask(pilot, "why")
        await show.pass_(pilot, 2.0)
        await pilot.press("tab")
        assert await told(show, pilot, "M") == ["Merging 1 unfinished text of layer 1."]

    show = stage(TRIO)
    async with show.app.run_test(size=WIDE) as pilot:
        await ask(pilot, "why")
        await show.pass_(pilot, 2.0)
        await pilot.press("tab")
        assert await told(show, pilot, "M") == [
            "Merging 1 proposal and 2 unfinished texts of layer 1."
        ]


@pytest.mark.parametrize(
    ("keymap", "key", "how"),
    [
        ({}, "m", "M"),
        ({"merge_partial": "f12"}, "m", "f12"),
        ({"merge_partial": "f12,M"}, "f3", "f12"),
    ],
)
async def test_a_merge_of_nothing_finished_names_the_key_for_unfinished_texts(
    keymap: dict[str, str], key: str, how: str
) -> None:
    show = stage({**TRIO, "a": silent, "b": silent}, keymap=keymap)
    async with show.app.run_test(size=WIDE) as pilot:
        await ask(pilot, "why")
        await show.pass_(pilot, 2.0)
        await pilot.press("tab")
        assert await told(show, pilot, key) == [words.only_unfinished(how)]
        assert await told(show, pilot, how) == ["Merging 1 unfinished text of layer 1."]


async def test_while_one_writes_no_letter_is_named_for_unfinished_texts() -> None:
    show = stage({**TRIO, "a": silent, "b": silent})
    async with show.app.run_test(size=WIDE) as pilot:
        await ask(pilot, "why")
        await show.pass_(pilot, 2.0)
        assert await told(show, pilot, "f3") == [words.only_unfinished("/merge-partial")]
        show.app.clear_notifications()
        await ask(pilot, "/merge-partial")
        said = [one.message for one in show.app._notifications]  # noqa: SLF001 - what toasts are made of
        assert said == ["Merging 1 unfinished text of layer 1."]


async def test_what_is_written_behind_a_slash_is_refused_with_the_same_reason() -> None:
    show = stage({**TRIO, "a": silent})
    async with show.app.run_test(size=WIDE) as pilot:
        await ask(pilot, "why")
        await ask(pilot, "/merge-again")
        assert words.RUN_IS_LIVE in show.text


@pytest.mark.parametrize(
    ("key", "why"),
    [
        ("ctrl+t", words.NO_CHOICE),
        ("ctrl+o", words.NO_CHOICE),
        ("f8", words.NO_CHOICE),
        ("ctrl+r", words.NOTHING_KEPT),
        ("ctrl+n", words.NOTHING_KEPT),
        ("R", words.NO_RACE_KEPT),
        ("plus", words.ONLY_THESE_MODELS),
        ("o", words.ONLY_THESE_MODELS),
    ],
)
async def test_in_the_demo_a_key_without_a_use_says_why(key: str, why: str) -> None:
    show = stage({**TRIO, "a": silent}, is_demo=True)
    async with show.app.run_test(size=WIDE) as pilot:
        await show.pass_(pilot, 1.0)
        if key == "R":
            await pilot.press("escape")
        await pilot.press("tab")
        assert await told(show, pilot, key) == [why]


async def test_what_the_demo_cannot_do_is_neither_in_the_help_nor_in_the_palette() -> None:
    show = stage(TRIO, is_demo=True)
    async with show.app.run_test(size=WIDE) as pilot:
        await show.pass_(pilot, 30.0)
        await pilot.press("tab", "f1")
        await settle(pilot)
        seen = show.text
        for _ in range(4):
            await pilot.press("pagedown")
            await settle(pilot)
            seen += show.text
        await pilot.press("escape")

        offered = {command.id for command in show.app.screen._desk.commands()}  # type: ignore[attr-defined] # noqa: SLF001 - what palette and completion get
    missing = ("presets", "models", "endpoints", "sessions", "new_session", "private", "export")
    for command in (*missing, "replay", "replay_pause", "swap_seat", "add_seat"):
        assert command not in offered
        assert f" {command} " not in seen.replace("\n", " \n"), command
    assert {"merge_again", "again", "take"} <= offered


async def test_a_seat_meant_for_a_layer_that_has_ended_is_not_added_to_the_next(
    tmp_path: Path,
) -> None:
    known = EndpointState(
        endpoint=Endpoint(name="t", kind="scripted"), status="found", models=(model("d"),)
    )
    places = FakePlaces(known=[known], answers={"t": known})
    places.found.put_nowait(places.known)
    show = stage(
        {**TRIO, "d": says("delta")},
        mixture(layers=2),
        places=places,
        presets=shelf(tmp_path),
        memory=FakeMemory(),
    )
    async with show.app.run_test(size=WIDE) as pilot:
        await ask(pilot, "why")
        await show.pass_(pilot, 1.0)
        await pilot.press("tab", "plus")
        await settle(pilot)
        assert "A model for one more seat of layer 1" in show.text

        await show.pass_(pilot, 5.0)
        assert await told(show, pilot, "enter") == [
            "Layer 1 has ended meanwhile: no seat was added to it."
        ]
        assert "delta" not in show.text
        assert "d" not in {request.model for request in show.requests}


@pytest.mark.parametrize(("keymap", "stop"), [({}, "esc"), ({"stop": "f12"}, "f12")])
async def test_a_replay_is_only_looked_at(
    tmp_path: Path, keymap: dict[str, str], stop: str
) -> None:
    store = Store.open(tmp_path)
    show = stage(TRIO, store=lambda: store, keymap=keymap)
    async with show.app.run_test(size=WIDE) as pilot:
        await ask(pilot, "why")
        await show.pass_(pilot, 30.0)
        await pilot.press("tab", "2", "R")
        await settle(pilot)
        assert await told(show, pilot, "a") == [words.not_taken_from_replay(stop)]
        # It is read from disk.
        while "waits for layer 1" not in show.text:
            await settle(pilot)
        await show.pass_(pilot, 2.0)
        assert focused_seat(show) == Seat(1, 1)
        for offer in ("take as answer", "m merge", "stop seat", "x stop", "r retry"):
            assert offer not in show.text
        assert await told(show, pilot, "a") == [words.not_taken_from_replay(stop)]
        assert await told(show, pilot, "r") == [words.only_looked_at(stop)]
        assert await told(show, pilot, "g") == [words.is_replayed(stop)]
        assert f"{stop} end replay" in show.text

        await show.pass_(pilot, 30.0)
        assert "✓ done" in show.row(0)
        await pilot.press("1")
        await settle(pilot)
        assert "a take as answer" in show.row(-1)
    await store.aclose()


@pytest.mark.parametrize(("size", "seats"), [((160, 48), 5), ((80, 24), 3), ((80, 24), 6)])
async def test_what_is_said_in_passing_stands_above_the_composer_and_hides_no_head_of_a_tile(
    size: tuple[int, int], seats: int
) -> None:
    names = "abcdef"[:seats]
    show = stage(dict.fromkeys((*names, "m"), silent), mixture(names))
    async with show.app.run_test(size=size, notifications=True) as pilot:
        await ask(pilot, "why")
        await show.pass_(pilot, 1.0)
        await pilot.press("tab")
        await told(show, pilot, "g")
        await pilot.press("c", "d")
        await settle(pilot)
        said = [toast.region for toast in show.app.screen.query(Toast)]
        tiles = [tile.region for tile in show.app.screen.query(Tile)]
        composer = show.app.screen.query_one(Composer).region

    assert len(said) == 2
    assert [region.height for region in said] == [1, 1]
    assert said[-1].bottom == composer.y
    heads = [Region(tile.x, tile.y, tile.width, 1) for tile in tiles]
    assert len(heads) == seats
    assert not any(toast.overlaps(head) for toast in said for head in heads)


async def test_a_replay_ends_without_a_word_when_its_screen_is_left(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    show = stage(TRIO, store=lambda: store)
    async with show.app.run_test(size=WIDE) as pilot:
        await ask(pilot, "why")
        await show.pass_(pilot, 30.0)
        await pilot.press("tab", "R")
        while "waits for layer 1" not in show.text:
            await settle(pilot)
        await show.app.screen.query_one(MainStage).remove()
        await show.clock.pass_(30.0)
        await pilot.pause()
        assert show.app.is_running
    await store.aclose()
