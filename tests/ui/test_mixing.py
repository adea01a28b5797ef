"""Which mixture runs next: detection at the start, edits, presets, and where the sidebar stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from choosing_fakes import NARROW, SCRIPTS, WIDE, FakeMemory, FakePlaces, program, shelf
from dialog_fakes import OLLAMA, UNASKED, preset
from ui_fakes import mixture, settle, stage

from moa_tui.errors import ConfigError
from moa_tui.ui.mixing import Mixing
from moa_tui.ui.sidebar.editing import Place
from moa_tui.ui.sidebar.sidebar import Sidebar

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from moa_tui.engine.mixture import Mixture
    from moa_tui.ui.ports import EndpointState

EMBEDDED, FOUND = mixture("a"), mixture("bcd")
MINE = preset("mine", "t/e", "t/f", merger="t/m")


def of_found(states: Sequence[EndpointState]) -> Mixture:
    return FOUND if states else EMBEDDED


# What is looked for.


async def test_what_is_found_makes_the_mixture(tmp_path: Path) -> None:
    async with program(shelf(tmp_path), EMBEDDED, of_found=of_found, looks_for_ever=True) as now:
        before = now.text
        await now.find(OLLAMA)

        assert "1 proposer × 1 layer" in before
        assert "3 proposers × 1 layer" in now.stage.row(0)
        assert "Three models answer at the same time" in now.text
        assert "6 models" not in before
        assert "4 models" in now.text


async def test_a_model_that_was_fetched_is_known_at_once(tmp_path: Path) -> None:
    async with program(shelf(tmp_path), mixture("a")) as now:
        now.stage.embedded.model = "t/a"
        await now.write("why")
        before = now.text
        now.places.known = [OLLAMA]
        now.stage.embedded.steps.put_nowait(None)
        await now.settle()

        assert "4 models" not in before
        assert "4 models" in now.text


async def test_presets_that_cant_be_read_are_told_at_the_start(tmp_path: Path) -> None:
    presets = shelf(tmp_path)
    (tmp_path / "own" / "bad.toml").write_text("lyers = 2", "utf-8")
    async with program(presets) as now:
        assert "bad.toml" in "".join(now.text.split())
        assert "lyers" in now.text


async def test_a_mixture_that_was_chosen_stays_whatever_is_found(tmp_path: Path) -> None:
    async with program(shelf(tmp_path), EMBEDDED, looks_for_ever=True) as now:
        await now.find(OLLAMA)

        assert now.models == ["t/a", "t/m"]
        assert "4 models" in now.text


async def test_prompts_sent_before_wait_for_what_is_found(tmp_path: Path) -> None:
    async with program(shelf(tmp_path), EMBEDDED, of_found=of_found, looks_for_ever=True) as now:
        await now.write("why")
        await now.write("and how")
        waiting = now.text
        await now.find(OLLAMA)
        for _ in range(2):
            await now.finish_run()

        assert "queued: why" in waiting
        assert "queued: and how" in waiting
        assert [request.messages[-1].content for request in now.stage.requests[:3]] == ["why"] * 3
        assert [request.model for request in now.stage.requests] == [*"bcdm", *"bcdm"]
        assert "queued" not in now.text


async def test_a_prompt_that_waits_can_be_taken_back(tmp_path: Path) -> None:
    async with program(shelf(tmp_path), EMBEDDED, of_found=of_found, looks_for_ever=True) as now:
        await now.write("why", then="enter")
        await now.press("up")
        await now.find(OLLAMA)

        assert now.draft().text == "why"
        assert now.stage.requests == []


async def test_an_edit_made_while_looking_stays_and_lets_prompts_go(tmp_path: Path) -> None:
    async with program(shelf(tmp_path), EMBEDDED, of_found=of_found, looks_for_ever=True) as now:
        await now.write("why")
        now.sidebar.focus()
        await now.press("down", "right")
        await now.finish_run()
        await now.find(OLLAMA)

        assert now.mixing.mixture.layers[0].repeat == 2
        assert now.models == ["t/a", "t/m"]
        assert [request.model for request in now.stage.requests] == ["a", "a", "m"]


async def test_an_edit_that_nobody_has_heard_of_yet_stays(tmp_path: Path) -> None:
    async with program(shelf(tmp_path), EMBEDDED, known=[OLLAMA], of_found=of_found) as now:
        now.sidebar.put_model(Place(1, 1), "t/e")
        now.mixing.learn()

        assert now.models[0] == "t/e"


async def test_a_preset_chosen_while_looking_stays(tmp_path: Path) -> None:
    async with program(
        shelf(tmp_path, own=[MINE]), EMBEDDED, of_found=of_found, looks_for_ever=True
    ) as now:
        await now.press("ctrl+t")
        await now.write("mine")
        await now.find(OLLAMA)

        assert now.models == ["t/e", "t/f", "t/m"]


async def test_a_mixture_that_cant_be_made_of_what_is_found_is_told(tmp_path: Path) -> None:
    def cant(states: Sequence[EndpointState]) -> Mixture:
        del states
        raise ConfigError("[red]--layers[/] can't be used with groq")

    async with program(shelf(tmp_path), EMBEDDED, of_found=cant, looks_for_ever=True) as now:
        await now.write("why")
        await now.find(OLLAMA)
        await now.finish_run()

        assert now.told == ["[red]--layers[/] can't be used with groq"]
        assert [request.model for request in now.stage.requests] == ["a", "m"]


async def test_what_is_asked_stays_though_more_is_found_later(tmp_path: Path) -> None:
    async with program(shelf(tmp_path), EMBEDDED, of_found=of_found) as now:
        await now.write("why")
        now.places.answers["ollama"] = OLLAMA
        now.places.known = [UNASKED]
        await now.press("f8")
        now.places.answers["openrouter"] = OLLAMA
        await now.press("enter", "escape")

        assert now.places.asked == ["openrouter"]
        assert now.models == ["t/a", "t/m"]


async def test_leaving_ends_the_search(tmp_path: Path) -> None:
    async with program(shelf(tmp_path), looks_for_ever=True) as now:
        await now.press("ctrl+q")

    assert now.places.stopped == ["detection"]
    assert now.stage.app.return_code == 0


# While something else goes on.


async def test_the_header_tells_of_the_run_and_the_composer_of_the_next(tmp_path: Path) -> None:
    async with program(shelf(tmp_path, own=[MINE])) as now:
        await now.write("why")
        await now.press("ctrl+t")
        await now.write("mine")
        now.sidebar.focus()
        await now.press("down", "right", "right")
        running = now.text
        await now.finish_run()

        assert "2 proposers × 1 layer" in running.split("\n")[0]
        assert "2 × 3 + 1 = 7 calls" in running
        assert "2 proposers × 3 layers" in now.stage.row(0)
        assert "tok" in running.split("\n")[0]
        assert "tok" not in now.stage.row(0)
        assert "done" not in now.stage.row(0)


async def test_the_header_tells_what_the_run_costs_whatever_comes_next(tmp_path: Path) -> None:
    paid = preset("paid", "openrouter/x")
    async with program(shelf(tmp_path, own=[paid])) as now:
        await now.write("why")
        await now.press("ctrl+t")
        await now.write("paid")

        assert now.stage.row(0).endswith("free")
        assert "2 calls · free" not in now.text


async def test_a_preset_sends_nothing_of_a_queue_that_is_held(tmp_path: Path) -> None:
    async with program(shelf(tmp_path, own=[MINE])) as now:
        await now.write("why")
        await now.write("and how")
        await now.press("escape")
        asked_before = len(now.stage.requests)
        await now.press("ctrl+t")
        await now.write("mine")

        assert "queued: and how" in now.text
        assert "held, since the run was stopped" in now.text
        assert len(now.stage.requests) == asked_before


async def test_an_edit_sends_nothing_that_waits_for_a_download(tmp_path: Path) -> None:
    async with program(shelf(tmp_path), needs_fetch=True) as now:
        await now.write("one")
        await now.write("two")
        await now.write("three")
        now.sidebar.focus()
        await now.press("down", "right")

        rows = [row.strip() for row in now.text.split("\n") if "queued: " in row]
        assert [row.partition("queued: ")[2] for row in rows] == ["two", "three"]


async def test_an_edit_sends_nothing_that_a_failed_download_left(tmp_path: Path) -> None:
    async with program(shelf(tmp_path), needs_fetch=True) as now:
        await now.write("one")
        await now.write("draft", then="space")
        now.stage.embedded.failure = "the line is dead"
        now.stage.embedded.steps.put_nowait(None)
        await now.settle()
        now.sidebar.focus()
        await now.press("down", "right")

        assert now.draft().text == "draft "
        assert "queued: one" in now.text
        assert "Fetching" not in now.text


# What is remembered.


async def test_the_preset_of_a_run_is_remembered_once(tmp_path: Path) -> None:
    async with program(shelf(tmp_path, own=[MINE]), MINE) as now:
        for prompt in ("why", "and how"):
            await now.write(prompt)
            await now.finish_run()

        assert now.memory.kept == [("preferences", "last_preset", "mine")]


async def test_a_mixture_without_a_preset_is_remembered_as_none(tmp_path: Path) -> None:
    async with program(shelf(tmp_path)) as now:
        await now.write("why")

        assert now.memory.kept == [("preferences", "last_preset", "")]


async def test_what_cant_be_remembered_is_told_once(tmp_path: Path) -> None:
    memory = FakeMemory(failure="state.toml can't be [b]written[/b]")
    async with program(shelf(tmp_path, own=[MINE]), memory=memory) as now:
        await now.write("why")
        await now.finish_run()
        await now.press("ctrl+t")
        await now.write("mine")
        await now.write("and how")
        await now.finish_run()

        assert now.told == ["state.toml can't be [b]written[/b]"]
        assert memory.tries == 1
        assert "I am m." in now.text


# Where nothing can be chosen.


@pytest.mark.parametrize("is_demo", [True, False])
async def test_where_nothing_can_be_chosen_the_sidebar_is_only_read(is_demo: bool) -> None:  # noqa: FBT001 - a case
    places = FakePlaces([UNASKED])
    show = stage(SCRIPTS, places=places, is_demo=is_demo)
    async with show.app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        await pilot.press("ctrl+t", "ctrl+o", "f8")
        await settle(pilot)
        dialogs = len(show.app.screen_stack) - 1
        text, footer = show.text, show.row(-1)
        await pilot.press("f9")
        await settle(pilot)
        hidden = show.text
        mixing = show.app.screen.query_one(Mixing)

        assert dialogs == 0
        assert places.looks == 0
        assert mixing.states == ()
        assert not show.app.screen.query_one(Sidebar).can_focus
        assert "Proposers" in text
        assert "presets" not in footer
        assert "sidebar" in footer
        assert "Proposers" not in hidden


# Where the sidebar stands.


async def test_f9_hides_the_sidebar_and_gives_its_room_to_the_stage(tmp_path: Path) -> None:
    async with program(shelf(tmp_path)) as now:
        stage_width = now.mixing.query_one("Stage").size.width
        await now.press("f9")
        hidden, wider = now.sidebar.display, now.mixing.query_one("Stage").size.width
        focus = now.focus
        await now.press("f9")

        assert not hidden
        assert wider > stage_width + 30
        assert focus == "Draft"
        assert now.sidebar.display
        assert now.focus == "Sidebar"
        assert now.mixing.query_one("Stage").size.width == stage_width


async def test_f9_lays_the_sidebar_over_a_narrow_stage_and_escape_closes_it(tmp_path: Path) -> None:
    async with program(shelf(tmp_path), size=NARROW) as now:
        at_first = now.sidebar.display
        await now.press("f9")
        width, focus, text = now.mixing.query_one("Stage").size.width, now.focus, now.text
        await now.press("escape")

        assert not at_first
        assert "Proposers" in text
        assert focus == "Sidebar"
        assert width in (78, 80)
        assert not now.sidebar.display
        assert now.focus == "Draft"


@pytest.mark.parametrize("key", ["tab", "i", "escape", "f9"])
async def test_leaving_the_overlay_closes_it(tmp_path: Path, key: str) -> None:
    async with program(shelf(tmp_path), size=NARROW) as now:
        await now.press("f9")
        assert now.sidebar.display
        await now.press(key)

        assert now.focus == "Draft"
        assert not now.sidebar.display


async def test_escape_in_a_sidebar_beside_the_stage_stops_the_run(tmp_path: Path) -> None:
    async with program(shelf(tmp_path)) as now:
        await now.write("why")
        now.sidebar.focus()
        await now.press("escape")

        assert now.sidebar.display
        assert "stopped" in now.stage.row(0)


@pytest.mark.parametrize("toggles", [0, 2])
async def test_a_sidebar_that_finds_no_room_any_more_gives_the_focus_back(
    tmp_path: Path, toggles: int
) -> None:
    async with program(shelf(tmp_path)) as now:
        await now.press(*["f9"] * toggles)
        now.sidebar.focus()
        await now.settle()
        await now.pilot.resize_terminal(*NARROW)
        await now.settle()
        narrow, focus = now.sidebar.display, now.focus
        await now.pilot.resize_terminal(*WIDE)
        await now.settle()

        assert not narrow
        assert focus == "Draft"
        assert now.sidebar.display


async def test_an_overlay_is_not_back_after_a_while_on_a_wide_screen(tmp_path: Path) -> None:
    async with program(shelf(tmp_path), size=NARROW) as now:
        await now.press("f9")
        for size in (WIDE, NARROW):
            await now.pilot.resize_terminal(*size)
            await now.settle()

        assert not now.sidebar.display


async def test_f9_leaves_the_focus_on_a_tile_when_it_hides_the_sidebar(tmp_path: Path) -> None:
    async with program(shelf(tmp_path)) as now:
        await now.write("why")
        await now.press("tab")
        tile = now.focus
        await now.press("f9")

        assert (tile, now.focus) == ("Tile", "Tile")


async def test_tab_goes_round_and_shift_tab_back(tmp_path: Path) -> None:
    async with program(shelf(tmp_path)) as now:
        await now.write("why")
        there = []
        for _ in range(5):
            await now.press("tab")
            there.append(now.focus)
        back = []
        for _ in range(5):
            await now.press("shift+tab")
            back.append(now.focus)

        assert there == ["Tile", "Tile", there[2], "Sidebar", "Draft"]
        assert there[2] not in ("Tile", "Sidebar", "Draft")
        assert back == ["Sidebar", there[2], "Tile", "Tile", "Draft"]
