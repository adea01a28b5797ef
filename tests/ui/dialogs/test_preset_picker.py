"""The preset picker: mixtures by name, what of them is there, deleted and pulled on request."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from dialog_fakes import (
    LIBRARY,
    MADE,
    MINE,
    NARROW,
    NARROWEST,
    OLLAMA,
    STATES,
    TRIO,
    WIDE,
    FakeShelf,
    model,
    opened,
    preset,
)

from moa_tui.ui.dialogs.choices import Choices
from moa_tui.ui.dialogs.liveness import Known
from moa_tui.ui.dialogs.preset_rows import Entry, Library, PresetListing
from moa_tui.ui.dialogs.presets import PresetPicker

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dialog_fakes import Opened

    from moa_tui.engine.mixture import Mixture

LLAMA, MISTRAL = "ollama/llama3:instruct", "ollama/mistral:instruct"


def picker(
    library: Library = LIBRARY,
    *,
    now: str = "mine",
    shelf: FakeShelf | None = None,
    pull: Callable[[tuple[str, ...]], object] | None = None,
) -> Callable[[], PresetPicker]:
    return lambda: PresetPicker(shelf or FakeShelf(library), STATES, now=now, pull=pull)


def shown(now: Opened[Mixture]) -> PresetPicker:
    assert isinstance(now.dialog, PresetPicker)
    return now.dialog


def squeezed(rows: Sequence[str]) -> list[str]:
    return [" ".join(row.replace("─", "").split()) for row in rows]


async def test_presets_stand_in_sections_with_what_of_them_is_there() -> None:
    async with opened(picker()) as now:
        assert squeezed(now.card[:10]) == [
            "Presets 3 presets",
            "› type to find a preset",
            "Made of what is here",
            "found here the chat models that Ollama has 3 calls ✓ all here",
            "Yours",
            "› mine in use · for work 3 calls · unknown",
            "Shipped",
            "local-trio phi3, llama3 and mistral on Ollama;… 4 calls ✗ 2 of 3 missing",
            "Can't be read",
            '✗ presets/broken.toml line 3 column 7: unknown key "layer"; did you mean "l…',
        ]


async def test_the_preset_under_the_cursor_is_drawn_and_what_mends_it_told() -> None:
    async with opened(picker(), size=WIDE, keys=("down",)) as now:
        assert now.chosen.startswith("local-trio")
        begin = next(number for number, row in enumerate(now.card) if "= 4 calls" in row)
        assert squeezed(now.card[begin:])[:13] == [
            "local-trio 3 + 1 = 4 calls",
            "phi3, llama3 and mistral on Ollama; llama3 merges",
            "",
            "╭▸ 1 phi3:instruct ╮",
            "your prompt ┼▸ 2 llama3:instruct ┼▸ ★ llama3:instruct ▸ one answer",
            "╰▸ 3 mistral:instruct ╯",
            "",
            "✗ ollama/llama3:instruct not pulled",
            "ollama pull llama3:instruct",
            "✗ ollama/mistral:instruct not pulled",
            "ollama pull mistral:instruct",
            "✓ ollama/phi3:instruct here",
            "",
        ]


@pytest.mark.parametrize("size", [WIDE, NARROW, NARROWEST])
async def test_the_card_stays_inside_the_screen(size: tuple[int, int]) -> None:
    many = Library((*LIBRARY.entries, *(Entry(preset(f"p{n}", "x/y"), "yours") for n in range(60))))
    async with opened(picker(many), size=size, keys=("end",)) as now:
        region = now.dialog.query_one("#card").region
        assert now.stage.app.screen.region.contains_region(region)
        assert now.card[-1].startswith(" enter choose")
        assert now.chosen.startswith("local-trio")
        assert sum("calls" in row for row in now.card) > 1


async def test_typing_finds_names_before_descriptions_and_enter_ends_with_the_mixture() -> None:
    async with opened(picker(), keys="ollama") as now:
        assert squeezed(now.card[2:4])[0].startswith("› found here")
        await now.press("down", "enter")
        assert now.results == [TRIO]
    async with opened(picker(), keys=(*"mine", "enter")) as now:
        assert now.results == [MINE]


async def test_the_preset_in_use_keeps_the_columns_of_the_others() -> None:
    async with opened(picker()) as now:
        made, mine = now.row(having="found here  "), now.row(having="in use")
        assert mine.index(" calls") == made.index(" calls")
        assert mine.index("in use") == made.index(MADE.description)


async def test_nothing_found_is_said_and_enter_does_nothing() -> None:
    async with opened(picker(), keys=(*"zzz", "enter")) as now:
        assert 'nothing here has the letters of "zzz"' in now.text
        assert now.results == []
        assert now.card[-1].startswith(" ↑↓ move  esc close")


async def test_esc_ends_with_nothing_and_a_second_click_chooses() -> None:
    async with opened(picker(), keys=("escape",)) as now:
        assert now.results == [None]
    async with opened(picker()) as now:
        await now.pilot.click(Choices, offset=(5, 1))
        await now.pilot.click(Choices, offset=(5, 1))
        await now.settle()
        assert now.results == [MADE]


async def test_a_broken_preset_is_told_in_full_and_cannot_be_chosen() -> None:
    async with opened(picker(), keys=("end", "enter")) as now:
        assert now.results == []
        assert squeezed([" ".join(now.card)])[0].count('did you mean "layers"?') == 1


async def test_ctrl_d_deletes_and_ctrl_z_brings_back_what_was_deleted_last() -> None:
    shelf = FakeShelf()
    async with opened(picker(shelf=shelf)) as now:
        assert "^z" not in now.card[-1]
        await now.press("ctrl+d")
        assert [entry.mixture for entry in shelf.deleted] == [MINE]
        assert squeezed(now.card[:1]) == ["Presets deleted; ^z brings it back"]
        assert "Yours" not in now.text
        assert now.chosen.startswith("local-trio")
        assert "^d" not in now.card[-1]
        await now.press("ctrl+d", "f2")
        assert len(shelf.deleted) == 1
        await now.press("ctrl+z")
        assert now.chosen.startswith("mine")
        assert squeezed(now.card[:1]) == ["Presets 3 presets"]
        assert "^z" not in now.card[-1]


async def test_f2_renames_a_preset_of_ones_own_and_the_cursor_stays_on_it() -> None:
    shelf = FakeShelf()
    async with opened(picker(shelf=shelf), keys=("f2",)) as now:
        await now.press(*"ours", "enter")
        assert squeezed([now.chosen]) == ["ours in use · for work 3 calls · unknown"]
        await now.press("enter")
        assert now.results == [replace(MINE, name="ours")]


async def test_a_preset_that_no_longer_fits_what_was_typed_stays_under_the_cursor() -> None:
    async with opened(picker(shelf=FakeShelf()), keys=(*"mine", "f2")) as now:
        await now.press(*"ours", "enter")
        assert squeezed([now.chosen]) == ["ours in use · for work 3 calls · unknown"]
        assert shown(now).query_text == ""
        assert squeezed(now.card[:1]) == ["Presets 3 presets"]
        await now.press("f2", *"our-own", "enter")
        assert now.chosen.startswith("our-own")


async def test_a_preset_that_still_fits_what_was_typed_leaves_it_there() -> None:
    async with opened(picker(shelf=FakeShelf()), keys=(*"mi", "f2")) as now:
        await now.press(*"mimi", "enter")
        assert now.chosen.startswith("mimi")
        assert shown(now).query_text == "mi"


async def test_why_a_preset_cannot_be_renamed_is_said_where_the_name_is_written() -> None:
    async with opened(picker(shelf=FakeShelf(failure="[b]taken[/b]")), keys=("f2",)) as now:
        await now.press(*"groq", "enter")
        assert "[b]taken[/b]" in now.stage.text
        await now.press("escape")
        assert now.chosen.startswith("mine")


@pytest.mark.parametrize("key", ["ctrl+d", "ctrl+z"])
async def test_what_cannot_be_changed_is_told_and_stays(key: str) -> None:
    shelf = FakeShelf(deleted=[Entry(MINE, "yours")], failure="mine is [b]read only[/b]")
    async with opened(picker(shelf=shelf), keys=(key,)) as now:
        (told,) = now.stage.app._notifications  # noqa: SLF001 - toasts aren't drawn in tests
        assert told.message == "mine is [b]read only[/b]"
        assert not told.markup
        assert now.chosen.startswith("mine")


async def test_missing_ollama_models_are_pulled_with_progress() -> None:
    asked: list[tuple[str, ...]] = []
    async with opened(picker(pull=asked.append), size=WIDE) as now:
        assert "^l" not in now.card[-1]
        await now.press("down")
        assert "^l pull what is missing" in now.card[-1]

        await now.press("ctrl+l", "ctrl+l")
        assert asked == [(LLAMA, MISTRAL)]
        assert "^l" not in now.card[-1]
        shown(now).show_pull(LLAMA, 1_175_000_000, 4_700_000_000)
        await now.settle()
        assert squeezed([now.row(having=LLAMA), now.row(having=MISTRAL)]) == [
            "○ ollama/llama3:instruct pulling, 25 % of 4.7 GB",
            "○ ollama/mistral:instruct pulling",
        ]

        shown(now).end_pull(LLAMA)
        await now.settle()
        assert squeezed([now.row(having=LLAMA)]) == ["✓ ollama/llama3:instruct pulled"]

        shown(now).show([replace(OLLAMA, models=(*OLLAMA.models, model("llama3:instruct")))])
        await now.settle()
        assert squeezed([now.row(having=LLAMA)]) == ["✓ ollama/llama3:instruct here"]
        assert squeezed([now.row(having=MISTRAL)]) == ["○ ollama/mistral:instruct pulling"]
        assert now.chosen.endswith("✗ 1 of 3 missing")


async def test_a_pull_that_failed_says_why_and_can_be_tried_again() -> None:
    asked: list[tuple[str, ...]] = []
    async with opened(picker(pull=asked.append), size=WIDE, keys=("down", "ctrl+l")) as now:
        shown(now).end_pull(MISTRAL, "the disk is [b]full[/b]\x1b")
        await now.settle()
        assert "not pulled: the disk is [b]full[/b]␛" in now.text
        await now.press("ctrl+l")
        assert asked == [(LLAMA, MISTRAL), (MISTRAL,)]


async def test_pulls_that_began_earlier_are_told_from_the_first_frame() -> None:
    def make() -> PresetPicker:
        dialog = picker(now="local-trio", pull=lambda models: models)()
        dialog.show_pull(LLAMA, 0, 0)
        dialog.show(STATES)
        return dialog

    async with opened(make, size=WIDE) as now:
        assert squeezed([now.row(having=LLAMA)]) == ["○ ollama/llama3:instruct pulling"]


async def test_hostile_names_stay_text_in_their_rows() -> None:
    names = ("[red]x[/red]", "\x1b]0;t\x07", "名前" * 60, "a\u202eb")
    library = Library(
        tuple(Entry(preset(name, f"ollama/{name}", description=name), "yours") for name in names),
        ("[b]broken[/b]\x1b[2J" + "y" * 2000,),
    )
    for size in (WIDE, NARROW, NARROWEST):
        async with opened(picker(library), size=size) as now:
            for _ in range(5):
                assert "\x1b" not in now.text
                assert "\u202e" not in now.text
                await now.press("down")
            assert "[b]broken[/b]" in now.text
            await now.press("home", "enter")
            assert now.results == [library.entries[0].mixture]


def test_what_a_library_without_presets_says() -> None:
    (row,) = PresetListing.of(Library(), Known.of(())).rows
    assert row.head == "there are no presets"


def test_several_words_are_searched_in_models_too() -> None:
    listing = PresetListing.of(LIBRARY, Known.of(STATES), query="mistral phi3")
    assert [row.name for row in listing.rows] == ["local-trio"]
