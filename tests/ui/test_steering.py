"""Steering a run from the keyboard, and taking what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from choosing_fakes import FakeMemory, FakePlaces, shelf
from dialog_fakes import model
from ui_fakes import TRIO, ask, burst, focused_seat, mixture, says, settle, stage

from moa_tui.engine.mixture import Seat
from moa_tui.engine.provider import Endpoint, Message
from moa_tui.errors import ProviderError
from moa_tui.storage.store import Store
from moa_tui.ui.answer.answer_view import AnswerView
from moa_tui.ui.composer.composer import Draft
from moa_tui.ui.ports import EndpointState

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from textual.pilot import Pilot
    from ui_fakes import Stage

    from moa_tui.engine.provider import ChatRequest
    from moa_tui.providers.scripted import Step


async def press(pilot: Pilot[None], *keys: str) -> None:
    await pilot.press(*keys)
    await settle(pilot)


def broken(_request: object) -> Iterable[Step]:
    yield ProviderError("auth", "The key was refused.", "Set T_KEY.")


async def test_a_proposal_is_taken_as_the_answer_of_a_failed_run() -> None:
    show = stage({**TRIO, "m": broken})
    async with show.app.run_test(size=(100, 30)) as pilot:
        await ask(pilot, "why")
        await show.pass_(pilot, 30.0)
        assert "The key was refused." in show.text

        show.app.screen.query_one(AnswerView).focus()
        await press(pilot, "2", "a")
        assert "This is proposal 2 as it was written, by t/b." in show.text
        assert "beta two and more" in show.text

        show.requests.clear()
        await press(pilot, "i", "ctrl+u")
        await press(pilot, "ctrl+c")
        await ask(pilot, "and")
        await show.pass_(pilot, 1.0)
        assert Message("assistant", "beta two and more") in show.requests[0].messages


async def test_taking_a_proposal_mid_race_ends_the_run_with_it() -> None:
    show = stage(TRIO)
    async with show.app.run_test(size=(100, 30)) as pilot:
        await ask(pilot, "why")
        await show.pass_(pilot, 3.0)
        await press(pilot, "tab", "1", "a")
        await show.pass_(pilot, 1.0)

        assert "This is proposal 1 as it was written" in show.text
        assert "alpha one" in show.text


async def test_what_is_typed_behind_a_key_that_moves_the_focus_goes_where_that_is() -> None:
    show = stage(TRIO)
    async with show.app.run_test(size=(100, 30)) as pilot:
        await ask(pilot, "why")
        await show.pass_(pilot, 1.0)
        await press(pilot, "tab")
        await burst(pilot, "2", "x", "i", "x", "2")
        assert focused_seat(show) is None
        assert show.app.screen.query_one(Draft).text == "x2"
        assert "stopped" in show.text


async def test_a_live_proposal_cannot_be_taken() -> None:
    show = stage(TRIO)
    async with show.app.run_test(size=(100, 30)) as pilot:
        await ask(pilot, "why")
        await show.pass_(pilot, 1.0)
        await press(pilot, "tab", "3")

        assert "a take" not in show.row(-1)


async def test_unfinished_texts_are_merged_only_when_asked() -> None:
    show = stage(TRIO)
    async with show.app.run_test(size=(100, 30)) as pilot:
        await ask(pilot, "why")
        await show.pass_(pilot, 2.0)
        show.requests.clear()
        await press(pilot, "tab", "M")
        await show.pass_(pilot, 5.0)

        merging = str(show.requests[-1].messages[0].content)
        assert "alpha one" in merging
        assert "gamma three" in merging


@pytest.fixture
def places() -> FakePlaces:
    state = EndpointState(
        endpoint=Endpoint(name="t", kind="scripted"),
        status="found",
        models=(model("d"), model("e")),
    )
    return FakePlaces(known=[state], answers={"t": state})


def choosing(places: FakePlaces, folder: Path) -> Stage:
    scripts = {**TRIO, "d": says("delta ", "came"), "e": says("epsilon")}
    show = stage(scripts, places=places, presets=shelf(folder), memory=FakeMemory())
    places.found.put_nowait(places.known)
    return show


async def test_a_seat_is_given_another_model_while_the_others_stream_on(
    places: FakePlaces, tmp_path: Path
) -> None:
    show = choosing(places, tmp_path)
    async with show.app.run_test(size=(100, 30)) as pilot:
        await ask(pilot, "why")
        await show.pass_(pilot, 1.0)
        await press(pilot, "tab", "3", "o")
        assert "Another model for seat 3" in show.text

        await show.pass_(pilot, 1.0)
        await press(pilot, "d", "enter")
        await show.pass_(pilot, 1.0)
        assert focused_seat(show) == Seat(1, 3)
        assert "delta" in show.text
        assert "beta two and" in show.text

        await show.pass_(pilot, 20.0)
        assert "The merged answer." in show.text


async def test_a_seat_is_added_to_the_layer_that_runs(places: FakePlaces, tmp_path: Path) -> None:
    show = choosing(places, tmp_path)
    async with show.app.run_test(size=(100, 30)) as pilot:
        await ask(pilot, "why")
        await show.pass_(pilot, 1.0)
        await press(pilot, "tab", "plus", "d", "enter")
        await show.pass_(pilot, 1.0)
        assert "/4 " in show.text
        assert "delta" in show.text


async def test_the_demo_offers_no_swap_since_it_has_no_other_models() -> None:
    show = stage(TRIO, is_demo=True)
    async with show.app.run_test(size=(160, 48)) as pilot:
        await settle(pilot)
        await show.pass_(pilot, 1.0)
        await press(pilot, "tab")

        assert "swap" not in show.row(-1)


async def test_what_is_in_focus_is_copied() -> None:
    show = stage({**TRIO, "m": says("Do:\n\n```python\nprint(1)\n```\n")})
    async with show.app.run_test(size=(100, 30)) as pilot:
        await ask(pilot, "why")
        await show.pass_(pilot, 30.0)
        await press(pilot, "tab", "y")
        whole = show.app.clipboard
        await press(pilot, "Y")
        code = show.app.clipboard
        await press(pilot, "1", "y")

        assert whole == "Do:\n\n```python\nprint(1)\n```"
        assert code.strip() == "print(1)"
        assert show.app.clipboard == "alpha one"


@pytest.mark.parametrize(("answer", "quits"), [("enter", True), ("escape", False)])
async def test_quitting_asks_only_while_a_run_is_live(answer: str, *, quits: bool) -> None:
    show = stage(TRIO)
    async with show.app.run_test(size=(80, 24)) as pilot:
        await ask(pilot, "why")
        await show.pass_(pilot, 1.0)
        await press(pilot, "ctrl+q")
        assert "Quit?" in show.text

        await press(pilot, answer)
        assert (not show.app.is_running or show.app._exit) == quits  # noqa: SLF001 - no other sign


async def test_the_race_goes_on_under_an_open_dialog() -> None:
    show = stage(TRIO)
    async with show.app.run_test(size=(160, 48)) as pilot:
        await ask(pilot, "why")
        await press(pilot, "f1")
        await show.pass_(pilot, 30.0)
        await press(pilot, "escape")

        assert "The merged answer." in show.text


async def test_the_palette_does_what_is_chosen() -> None:
    show = stage(TRIO)
    async with show.app.run_test(size=(100, 30)) as pilot:
        await ask(pilot, "why")
        await show.pass_(pilot, 30.0)
        await press(pilot, "ctrl+p")
        assert "again" in show.text
        await press(pilot, *"race", "enter")
        await settle(pilot)

        assert "t/s" in show.text
        assert "answer" in show.text


async def test_letters_lead_to_every_part_of_the_screen() -> None:
    show = stage(TRIO)
    async with show.app.run_test(size=(100, 30)) as pilot:
        await ask(pilot, "why")
        await show.pass_(pilot, 1.0)
        await press(pilot, "ctrl+g", "3")

        assert focused_seat(show) == Seat(1, 3)


def asked(requests: list[ChatRequest]) -> list[str]:
    return [request.model for request in requests]


async def test_a_slash_command_steers_a_seat_by_its_number() -> None:
    show = stage(TRIO, mixture())
    async with show.app.run_test(size=(100, 30)) as pilot:
        await ask(pilot, "why")
        await show.pass_(pilot, 1.0)
        await ask(pilot, "/stop-seat 3")
        assert "■ stopped" in show.text


async def test_esc_meant_for_a_seat_that_has_just_ended_does_not_stop_the_run() -> None:
    show = stage(TRIO)
    async with show.app.run_test(size=(100, 30), notifications=True) as pilot:
        await ask(pilot, "why")
        await press(pilot, "tab", "1")
        await show.pass_(pilot, 2.0)
        await press(pilot, "escape")
        assert "has just ended by itself" in show.text
        assert "● streaming" in show.text

        await press(pilot, "escape")
        assert "● streaming" not in show.text


async def test_taking_a_proposal_can_be_taken_back() -> None:
    show = stage(TRIO)
    async with show.app.run_test(size=(100, 30)) as pilot:
        await ask(pilot, "why")
        await show.pass_(pilot, 30.0)
        await press(pilot, "tab", "2", "a")
        assert "The merged answer." not in show.text
        assert "✓ taken" in show.text

        await press(pilot, "left_square_bracket")
        assert "The merged answer." in show.text
        assert "✓ done" in show.text


async def test_the_help_knows_every_part_of_the_screen(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    show = stage(TRIO, store=lambda: store)
    async with show.app.run_test(size=(160, 48)) as pilot:
        await ask(pilot, "why")
        await show.pass_(pilot, 30.0)
        await press(pilot, "f1")
        seen = show.text
        for _ in range(4):
            await press(pilot, "pagedown")
            seen += show.text

    for command in ("interrupt", "again", "merge_now", "edit_prompt", "replay", "take", "copy"):
        assert f" {command}" in seen, command
    await store.aclose()
