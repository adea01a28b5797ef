"""The dialogs in which a mixture is chosen: what opens them, and what comes of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from choosing_fakes import NARROW, WIDE, program, shelf
from dialog_fakes import GROQ, NO_KEY, OLLAMA, TRIO, UNASKED, model, preset
from textual.widgets import Input
from ui_fakes import mixture

from moa_tui.errors import ConfigError, ProviderError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from choosing_fakes import Program

    from moa_tui.engine.mixture import Mixture
    from moa_tui.ui.ports import EndpointState

MINE = preset("mine", "t/e", "t/f", merger="t/m")
PHI, LLAMA3, MISTRAL = (f"ollama/{name}:instruct" for name in ("phi3", "llama3", "mistral"))


def of_found(states: Sequence[EndpointState]) -> Mixture:
    found = any(state.status == "found" for state in states)
    return mixture("bcd") if found else mixture("a")


async def go_to(now: Program, kind: str) -> None:
    """Put the sidebar's cursor on the next row of a kind."""
    now.sidebar.focus()
    await now.settle()
    for _ in range(40):
        if now.sidebar.spot.kind == kind:
            return
        await now.press("down")
    pytest.fail(f"no row is about {kind}")


async def type_over(now: Program, text: str) -> None:
    """Put a text into the field of the dialog that is open, and press enter."""
    now.stage.app.screen.query_one(Input).value = text
    await now.settle()
    await now.press("enter")


# Presets.


@pytest.mark.parametrize("size", [WIDE, NARROW])
async def test_a_preset_is_chosen_from_the_composer(tmp_path: Path, size: tuple[int, int]) -> None:
    async with program(shelf(tmp_path, own=[MINE]), size=size) as now:
        await now.press("ctrl+t")
        opened = now.dialogs
        await now.write("mine")
        await now.write("why")
        await now.finish_run()

        assert opened == ["PresetPicker"]
        assert now.dialogs == []
        assert not now.sidebar.is_edited
        assert [request.model for request in now.stage.requests] == ["e", "f", "m"]


async def test_escape_keeps_the_mixture_and_gives_the_focus_back(tmp_path: Path) -> None:
    async with program(shelf(tmp_path, own=[MINE])) as now:
        await now.press("ctrl+t", "escape")

        assert now.dialogs == []
        assert now.models == ["t/a", "t/b", "t/m"]
        assert now.focus == "Draft"


@pytest.mark.parametrize("key", ["ctrl+t", "ctrl+o", "f8", "f9"])
async def test_keys_of_what_is_below_a_dialog_do_nothing(tmp_path: Path, key: str) -> None:
    async with program(shelf(tmp_path)) as now:
        await now.press("ctrl+t", key, key)

        assert now.dialogs == ["PresetPicker"]
        assert now.sidebar.display


async def test_a_dialog_wanted_twice_at_once_is_opened_once(tmp_path: Path) -> None:
    async with program(shelf(tmp_path)) as now:
        await go_to(now, "agent")
        now.sidebar.action_model()
        now.sidebar.action_presets()
        await now.settle()

        assert now.dialogs == ["ModelPicker"]


async def test_a_dialog_opens_again_right_after_the_last_one_closed(tmp_path: Path) -> None:
    async with program(shelf(tmp_path, own=[MINE])) as now:
        await now.press("ctrl+t", "escape", "ctrl+t", "escape", "ctrl+t")
        assert now.dialogs == ["PresetPicker"]
        await now.write("mine")

        assert now.models == ["t/e", "t/f", "t/m"]


async def test_all_presets_are_listed_once_and_broken_ones_told(tmp_path: Path) -> None:
    named_alike = preset("mine", "t/a", "t/b")
    presets = shelf(tmp_path, shipped=[TRIO, named_alike], own=[MINE])
    (tmp_path / "own" / "broken.toml").write_text("lyers = 2", encoding="utf-8")
    async with program(presets, known=[OLLAMA]) as now:
        await now.press("ctrl+t")
        text = now.text

    assert text.count("mine  ") == 1
    assert "local-trio" in text
    assert "found on Ollama" in text
    assert "Can't be read" in text


async def test_a_preset_is_deleted_and_the_shipped_one_is_back(tmp_path: Path) -> None:
    presets = shelf(tmp_path, shipped=[preset("mine", "t/a", "t/b")], own=[MINE])
    async with program(presets, MINE) as now:
        await now.press("ctrl+t", "ctrl+d")

        assert presets.origin("mine") == "shipped"
        assert now.models == ["t/e", "t/f", "t/m"]


async def test_a_deleted_preset_comes_back_as_it_was_also_in_a_picker_opened_later(
    tmp_path: Path,
) -> None:
    presets = shelf(tmp_path, own=[MINE])
    before = presets.path("mine").read_bytes()
    async with program(presets, MINE) as now:
        await now.press("ctrl+t", "ctrl+d", "escape")
        assert presets.names() == ()
        await now.press("ctrl+t", "ctrl+z")
        assert presets.path("mine").read_bytes() == before


async def test_the_mixture_in_use_is_called_as_its_preset_is_renamed(tmp_path: Path) -> None:
    presets = shelf(tmp_path, own=[MINE])
    async with program(presets, MINE) as now:
        await now.press("ctrl+t", "f2")
        await now.write("team two")
        await now.press("escape")
        assert presets.names() == ("team-two",)
        assert now.mixing.mixture == replace(MINE, name="team-two")
        assert not now.sidebar.is_edited
        assert now.memory.kept[-1] == ("preferences", "last_preset", "team-two")


# Models.


async def test_a_model_is_added_from_the_composer(tmp_path: Path) -> None:
    async with program(shelf(tmp_path), known=[OLLAMA]) as now:
        await now.press("ctrl+o")
        opened = now.text
        await now.write("qwen3")

        assert "One more proposer" in opened
        assert now.models == ["t/a", "t/b", "ollama/qwen3:8b", "t/m"]
        assert now.sidebar.is_edited
        assert "4 calls" in now.text


async def test_the_model_under_the_cursor_is_replaced(tmp_path: Path) -> None:
    async with program(shelf(tmp_path), known=[OLLAMA]) as now:
        await go_to(now, "agent")
        await now.press("down", "enter")
        opened = now.text
        await now.write("qwen3")

        assert "A model for proposer 2" in opened
        assert now.models == ["t/a", "ollama/qwen3:8b", "t/m"]
        assert now.focus == "Sidebar"


async def test_ctrl_o_on_an_agents_option_is_about_the_agent(tmp_path: Path) -> None:
    async with program(shelf(tmp_path), known=[OLLAMA]) as now:
        await go_to(now, "agent")
        await now.press("right")
        await go_to(now, "option")
        await now.press("ctrl+o")

        assert "A model for proposer 1" in now.text


async def test_the_mixture_stays_while_a_model_for_it_is_chosen(tmp_path: Path) -> None:
    async with program(shelf(tmp_path), mixture("a"), known=[UNASKED], of_found=of_found) as now:
        now.places.answers["openrouter"] = replace(UNASKED, status="found", models=(model("giga"),))
        await now.press("ctrl+o", "enter")
        listed = now.text
        models = now.models
        await now.write("giga")

        assert now.places.asked == ["openrouter"]
        assert "giga" in listed
        assert models == ["t/a", "t/m"]
        assert now.models == ["t/a", "openrouter/giga", "t/m"]


async def test_what_was_found_while_choosing_is_taken_when_nothing_was_chosen(
    tmp_path: Path,
) -> None:
    async with program(
        shelf(tmp_path), mixture("a"), of_found=of_found, looks_for_ever=True
    ) as now:
        await now.write("why")
        await now.press("ctrl+o")
        await now.find(OLLAMA)
        shown, models = now.text, now.models
        await now.press("escape")
        await now.finish_run()

        assert "llama3.2:3b" in shown
        assert models == ["t/a", "t/m"]
        assert now.models == ["t/b", "t/c", "t/d", "t/m"]
        assert [request.model for request in now.stage.requests] == ["b", "c", "d", "m"]


async def test_a_dialog_opened_while_looking_keeps_its_endpoints(tmp_path: Path) -> None:
    async with program(shelf(tmp_path), known=[UNASKED, NO_KEY], looks_for_ever=True) as now:
        now.places.answers["openrouter"] = replace(UNASKED, status="found", models=(model("x"),))
        await now.press("f8", "enter")
        asked = now.text
        await now.find(OLLAMA)

        assert "openrouter" in asked
        assert "together" in asked
        assert "ollama" in now.text


# Texts.


async def test_a_line_is_written_for_a_row(tmp_path: Path) -> None:
    async with program(shelf(tmp_path)) as now:
        await go_to(now, "temperature")
        await now.press("enter")
        await type_over(now, "[b]warm")
        refused, dialogs = now.text, now.dialogs
        await type_over(now, "0.25")

        assert dialogs == ["LineDialog"]
        assert "[b]warm" in refused
        assert now.dialogs == []
        assert now.mixing.mixture.temperature == 0.25


async def test_a_text_is_written_for_a_row(tmp_path: Path) -> None:
    async with program(shelf(tmp_path)) as now:
        await go_to(now, "system")
        await now.press("enter")
        opened = now.dialogs
        await now.press("B", "e", "enter", "b", "r", "i", "e", "f", "ctrl+s")

        assert opened == ["TextDialog"]
        assert now.mixing.mixture.system == "Be\nbrief"


# Endpoints.


async def test_an_endpoint_that_is_added_is_known_at_once(tmp_path: Path) -> None:
    async with program(shelf(tmp_path), mixture("a"), of_found=of_found) as now:
        now.places.answers["localhost"] = OLLAMA
        await now.press("f8")
        await type_over(now, "localhost")
        inside = now.models
        await now.press("escape")

        assert inside == ["t/a", "t/m"]
        assert now.models == ["t/b", "t/c", "t/d", "t/m"]
        assert "4 models" in now.text


async def test_an_endpoint_that_cant_be_added_is_told_in_the_dialog(tmp_path: Path) -> None:
    async with program(shelf(tmp_path)) as now:
        await now.press("f8")
        await type_over(now, "[red]nowhere")

        assert "[red]nowhere doesn't answer" in now.text


async def test_the_endpoint_under_the_cursor_is_shown(tmp_path: Path) -> None:
    async with program(shelf(tmp_path), MINE, known=[OLLAMA, GROQ]) as now:
        await go_to(now, "endpoint")
        await now.press("down")
        await now.press("enter")

        (chosen,) = [row for row in now.text.split("\n") if "█› ✓" in row]
        assert now.dialogs == ["EndpointsDialog"]
        assert "groq" in chosen


# Saving.


async def edit(now: Program) -> None:
    """Turn the number of layers up."""
    await go_to(now, "layers")
    await now.press("right")


async def test_an_edited_preset_of_ones_own_is_saved_over(tmp_path: Path) -> None:
    presets = shelf(tmp_path, own=[MINE])
    async with program(presets, MINE) as now:
        await edit(now)
        await now.press("s")

        assert now.dialogs == []
        assert presets.load("mine").layers[0].repeat == 2
        assert not now.sidebar.is_edited
        assert now.told == ["saved as mine"]


async def test_a_preset_that_changed_on_disk_meanwhile_is_left_alone(tmp_path: Path) -> None:
    presets = shelf(tmp_path, own=[MINE])
    async with program(presets, MINE) as now:
        await edit(now)
        presets.save(replace(MINE, temperature=0.1))
        await now.press("s")

        # How it wraps depends on how long the folder's name is.
        card = now.text.replace("▕", " ").replace("█", " ")
        assert "has changed since it was read" in " ".join(card.split())
        assert presets.load("mine").temperature == 0.1
        assert now.sidebar.is_edited
        await type_over(now, "mine-2")
        assert presets.load("mine-2").layers[0].repeat == 2
        assert presets.load("mine").temperature == 0.1


async def test_a_preset_without_an_edit_is_not_written_again(tmp_path: Path) -> None:
    presets = shelf(tmp_path, own=[MINE])
    (tmp_path / "own" / "mine.toml").write_text(f"# mine\n{presets.source('mine')}", "utf-8")
    async with program(presets, MINE) as now:
        now.sidebar.focus()
        await now.press("s")

        assert now.told == ["mine is as it was saved"]
        assert presets.source("mine").startswith("# mine\n")


async def test_a_preset_that_leaves_models_open_stays_so(tmp_path: Path) -> None:
    roles = preset("roles", "best/1", "best/2", merger="best/merger")
    presets = shelf(tmp_path, shipped=[replace(MINE, name="embedded")], own=[roles])
    async with program(presets, presets.filled(roles, ())) as now:
        await edit(now)
        await now.press("s")
        await now.press("enter")

        assert presets.load("roles") == roles
        assert presets.load("my-roles").layers[0].repeat == 2
        assert {agent.endpoint for agent in presets.load("my-roles").agents} == {"t"}


async def test_a_shipped_preset_is_saved_under_a_name_of_ones_own(tmp_path: Path) -> None:
    presets = shelf(tmp_path, shipped=[MINE])
    async with program(presets, MINE) as now:
        await edit(now)
        await now.press("s")
        opened = now.dialogs
        await now.press("enter")

        assert opened == ["LineDialog"]
        assert presets.origin("my-mine") == "yours"
        assert now.mixing.mixture.name == "my-mine"
        assert presets.load("mine").layers[0].repeat == 1


@pytest.mark.parametrize("name", ["work-team", "work team", " work  team "])
async def test_a_name_that_is_taken_is_refused_however_it_is_typed(
    tmp_path: Path, name: str
) -> None:
    team = preset("work-team", "t/e", "t/f")
    presets = shelf(tmp_path, own=[team])
    async with program(presets) as now:
        await go_to(now, "name")
        await now.press("s")
        await type_over(now, name)
        refused, dialogs = now.text, now.dialogs
        await type_over(now, "other team")

        assert "you have a preset work-team already" in refused or "work team already" in refused
        assert dialogs == ["LineDialog"]
        assert presets.load("work-team") == team
        assert presets.load("other-team").agents == now.mixing.mixture.agents
        assert now.mixing.mixture.name == "other-team"


async def test_a_file_whose_name_has_blanks_is_not_replaced_by_a_new_preset(tmp_path: Path) -> None:
    presets = shelf(tmp_path, own=[preset("two", "t/e", "t/f")])
    (tmp_path / "own" / "two.toml").rename(tmp_path / "own" / "two (2).toml")
    async with program(presets) as now:
        await go_to(now, "name")
        await now.press("s")
        await type_over(now, "two (2)")

        assert now.dialogs == ["LineDialog"]
        assert presets.load("two (2)").agents[0].model == "t/e"


async def test_a_shipped_name_makes_a_preset_in_its_place(tmp_path: Path) -> None:
    presets = shelf(tmp_path, shipped=[TRIO])
    async with program(presets) as now:
        await go_to(now, "name")
        await now.press("s")
        await type_over(now, "local-trio")
        warned, before = now.text, presets.origin("local-trio")
        await now.press("enter")

        assert "a preset local-trio comes along" in warned
        assert before == "shipped"
        assert presets.origin("local-trio") == "yours for shipped"


async def test_why_a_name_is_none_is_told_where_it_is_typed(tmp_path: Path) -> None:
    presets = shelf(tmp_path)
    async with program(presets) as now:
        await go_to(now, "name")
        await now.press("s")
        await type_over(now, "[b]a/b")

        assert '"[b]a/b" is no name for a preset' in now.text
        assert presets.names() == ()


async def test_what_cant_be_written_is_told_and_stays_edited(tmp_path: Path) -> None:
    presets = shelf(tmp_path, own=[MINE])
    async with program(presets, MINE) as now:
        await edit(now)
        (tmp_path / "own" / "mine.toml").write_text("lyers = 2", encoding="utf-8")
        await now.press("s")

        assert "mend it first" in now.text
        assert now.sidebar.is_edited


# Pulls.


async def test_a_pull_goes_on_behind_a_closed_picker_and_is_shown_when_it_is_open_again(
    tmp_path: Path,
) -> None:
    async with program(shelf(tmp_path, shipped=[TRIO]), TRIO, known=[OLLAMA]) as now:
        await now.press("ctrl+t", "ctrl+l")
        now.places.steps.put_nowait((250, 1000))
        await now.settle()
        progress = now.text
        await now.press("escape", "ctrl+t")
        reopened = now.text
        await now.press("ctrl+l")
        now.places.steps.put_nowait((500, 1000))
        await now.settle()

        assert "pulling, 25 %" in progress
        assert "pulling, 25 %" in reopened
        assert "pulling, 50 %" in now.text
        assert now.places.pulled == [LLAMA3]


async def test_models_are_pulled_one_after_the_other_and_looked_for_after_each(
    tmp_path: Path,
) -> None:
    async with program(shelf(tmp_path, shipped=[TRIO]), TRIO, known=[OLLAMA]) as now:
        with_llama = replace(OLLAMA, models=(*OLLAMA.models, model("llama3:instruct")))
        now.places.answers["ollama"] = with_llama
        await now.press("ctrl+t", "ctrl+l")
        alone = list(now.places.pulled)
        now.places.steps.put_nowait(None)
        await now.settle()
        await now.press("escape", "ctrl+t")
        one_is_here = now.text
        with_all = replace(with_llama, models=(*with_llama.models, model("mistral:instruct")))
        now.places.answers["ollama"] = with_all
        await now.press("escape")
        now.places.steps.put_nowait(None)
        await now.settle()

        assert alone == [LLAMA3]
        assert "1 of 3 missing" in one_is_here
        assert now.places.pulled == [LLAMA3, MISTRAL]
        assert now.places.asked == ["ollama", "ollama"]
        assert now.told == [f"{MISTRAL} pulled"]
        assert "not pulled" not in now.text


async def test_a_second_presets_models_wait_for_those_of_the_first(tmp_path: Path) -> None:
    other = preset("other", MISTRAL, "ollama/gemma3:4b")
    presets = shelf(tmp_path, shipped=[preset("first", LLAMA3), other])
    async with program(presets, known=[OLLAMA]) as now:
        now.places.answers["ollama"] = OLLAMA
        for name in ("first", "other"):
            await now.press("ctrl+t")
            await now.write(name, then="ctrl+l")
            await now.press("escape")
        before = list(now.places.pulled)
        now.places.steps.put_nowait(None)
        await now.settle()

        assert before == [LLAMA3]
        assert now.places.pulled == [LLAMA3, MISTRAL]


async def test_a_pull_that_fails_is_told_in_the_picker(tmp_path: Path) -> None:
    async with program(shelf(tmp_path, shipped=[TRIO]), TRIO, known=[OLLAMA]) as now:
        await now.press("ctrl+t", "ctrl+l", "escape", "ctrl+t")
        now.places.steps.put_nowait(ProviderError("server", "[red]disk[/] full"))
        await now.settle()

        assert "not pulled: [red]disk[/] full" in now.text
        assert now.told == []


async def test_a_pull_that_fails_behind_a_closed_picker_is_notified(tmp_path: Path) -> None:
    async with program(shelf(tmp_path, shipped=[TRIO]), TRIO, known=[OLLAMA]) as now:
        await now.press("ctrl+t", "ctrl+l", "escape")
        for _ in range(2):
            now.places.steps.put_nowait(ConfigError("[red]disk[/] full"))
        await now.settle()

        assert now.told == [
            f"{LLAMA3} not pulled: [red]disk[/] full",
            f"{MISTRAL} not pulled: [red]disk[/] full",
        ]


async def test_leaving_ends_a_pull(tmp_path: Path) -> None:
    async with program(shelf(tmp_path, shipped=[TRIO]), TRIO, known=[OLLAMA]) as now:
        await now.press("ctrl+t", "ctrl+l", "escape", "ctrl+q")

    assert now.places.stopped == [LLAMA3]
    assert now.stage.app.return_code == 0


@pytest.mark.parametrize(
    ("size", "said"),
    [
        (WIDE, f"! {LLAMA3}, {MISTRAL}: not pulled; ctrl+t, then ctrl+l pulls"),
        (NARROW, "! 2 models: not pulled; ctrl+t, then ctrl+l pulls"),
    ],
)
async def test_what_is_missing_is_told_before_enter(
    tmp_path: Path, size: tuple[int, int], said: str
) -> None:
    presets = shelf(tmp_path, shipped=[TRIO])
    async with program(presets, TRIO, known=[OLLAMA], size=size) as now:
        (head,) = [row for row in now.text.split("\n") if "Ask ·" in row]
        assert said in head
        assert f"! {LLAMA3}, {MISTRAL}: not pulled;" in " ".join(now.text.split())


async def test_an_edited_mixtures_models_are_pulled_by_hand(tmp_path: Path) -> None:
    async with program(shelf(tmp_path, shipped=[TRIO]), TRIO, known=[OLLAMA]) as now:
        await edit(now)

        assert "not pulled; ollama pull llama3:instruct" in now.text
        assert "ctrl+l" not in now.text


async def test_a_problem_is_gone_with_another_mixture(tmp_path: Path) -> None:
    presets = shelf(tmp_path, own=[preset("cloud", "together/x"), MINE])
    cloud = presets.load("cloud")
    async with program(presets, cloud, known=[NO_KEY]) as now:
        before = now.text
        await now.press("ctrl+t")
        await now.write("mine")

        assert "! together/x: set TOGETHER_API_KEY; keys are made at api.together.ai" in before
        assert "TOGETHER_API_KEY" not in now.text
        assert "enter sends" in now.text
