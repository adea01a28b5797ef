"""The model picker: every endpoint's models, found by typing, endpoints asked when wanted."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from dialog_fakes import (
    ABSENT,
    FAILED,
    GROQ,
    NARROW,
    NARROWEST,
    OLLAMA,
    STATES,
    UNASKED,
    WIDE,
    model,
    opened,
)
from textual import events

from moa_tui.ui.dialogs.choices import Choices
from moa_tui.ui.dialogs.model_rows import Catalogue, ModelListing, about
from moa_tui.ui.dialogs.models import ModelPicker
from moa_tui.ui.look import Palette

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.segment import Segment

    from moa_tui.ui.dialogs.choices import Listing
    from moa_tui.ui.ports import EndpointState

PALETTE = Palette.of({})


class Answers:
    """Endpoints that answer when told to."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answers: asyncio.Queue[EndpointState] = asyncio.Queue()
        self.was_cancelled = False

    async def ask(self, name: str) -> EndpointState:
        self.asked.append(name)
        try:
            return await self.answers.get()
        except asyncio.CancelledError:
            self.was_cancelled = True
            raise


def picker(
    states: Sequence[EndpointState] = STATES,
    *,
    answers: Answers | None = None,
    now: str = "",
    query: str = "",
) -> Callable[[], ModelPicker]:
    ask = (answers or Answers()).ask
    return lambda: ModelPicker("Seat 2", states, ask=ask, now=now, query=query)


def listed(listing: ModelListing, width: int = 76) -> list[str]:
    """Return the rows as text, left and right with a bar between."""
    rows = []
    for number in range(len(listing)):
        left, right = listing.row(number, width, PALETTE)
        texts = ("".join(segment.text for segment in part).strip() for part in (left, right))
        rows.append(" | ".join(" ".join(text.split()) for text in texts if text))
    return rows


def test_rows_are_models_with_figures_then_endpoints_with_words() -> None:
    assert listed(ModelListing(Catalogue(STATES))) == [
        "ollama/llama3.2:3b | 131k 2.0 GB free",
        "ollama/qwen3:8b | 41.0k 5.2 GB free",
        "ollama/phi3:instruct | 4.1k 2.2 GB free",
        "groq/openai/gpt-oss-20b | 131k – 0.10, 0.50",
        "groq/openai/gpt-oss-120b | 131k – –",
        "· lmstudio: nothing listens at 127.0.0.1:1234; start LM Studio's server; enter asks again",
        "· openrouter: enter lists its models",
        "✗ openai: OpenAI: the key was refused (401); check OPENAI_API_KEY; enter asks again",
        "· together: set TOGETHER_API_KEY; keys are made at api.together.ai/settings/api-keys",
    ]


def test_a_narrow_row_gives_up_the_size_then_the_price() -> None:
    listing = ModelListing(Catalogue([OLLAMA]))
    assert listed(listing, 60)[0] == "ollama/llama3.2:3b | 131k free"
    assert listed(listing, 40)[0] == "ollama/llama3.2:3b | 131k"


def test_what_no_list_has_can_be_taken_as_typed_where_its_endpoint_is_known() -> None:
    catalogue = Catalogue(STATES)
    assert listed(ModelListing(catalogue, "openai/gpt-9"))[:2] == [
        'nothing here has the letters of "openai/gpt-9"',
        "use openai/gpt-9 as typed",
    ]
    assert 'no endpoint is called "grok"; did you mean "groq"?' in listed(
        ModelListing(catalogue, "grok/x")
    )
    assert not any("as typed" in row for row in listed(ModelListing(catalogue, "ollama/qwen3:8b")))


def test_a_query_finds_endpoints_by_name_and_label_behind_the_models() -> None:
    unasked = replace(GROQ, status="unasked", models=())
    named = [replace(OLLAMA, models=(model("groq-like"),)), unasked, *STATES[3:]]
    assert listed(ModelListing(Catalogue(named), "groq")) == [
        "ollama/groq-like | – – free",
        "· groq: enter lists its models",
    ]
    assert listed(ModelListing(Catalogue(STATES), "lm studio"))[0].startswith("· lmstudio")
    for unknown in ("zzz", "/zzz"):
        assert listed(ModelListing(Catalogue(STATES), unknown)) == [
            f'nothing here has the letters of "{unknown}"'
        ]


async def test_an_endpoint_that_the_query_finds_is_under_the_cursor_and_asked() -> None:
    answers = Answers()
    states = [replace(GROQ, status="unasked", models=()), FAILED, UNASKED]
    async with opened(picker(states, answers=answers), keys="openr") as now:
        assert now.chosen == "· openrouter: enter lists its models"
        assert "nothing here" not in now.text
        assert "groq" not in now.text
        await now.press("enter")
        assert answers.asked == ["openrouter"]
        answers.answers.put_nowait(replace(UNASKED, status="found", models=(model("auto"),)))
        await now.settle()
        assert now.chosen.startswith("openrouter/auto")


async def test_models_of_an_endpoint_that_was_found_by_its_label_are_shown() -> None:
    answers = Answers()
    far = replace(UNASKED, endpoint=replace(UNASKED.endpoint, name="lab", label="Big Iron"))
    async with opened(picker([far], answers=answers), keys=(*"iron", "enter")) as now:
        answers.answers.put_nowait(replace(far, status="found", models=(model("auto"),)))
        await now.settle()
        assert now.chosen.startswith("lab/auto")


async def test_where_nothing_listens_enter_asks_again() -> None:
    answers = Answers()
    async with opened(picker([ABSENT], answers=answers)) as now:
        assert now.card[-1].startswith(" enter ask again")
        await now.press("enter")
        assert answers.asked == ["lmstudio"]


def test_no_endpoints_at_all_is_said() -> None:
    assert listed(ModelListing(Catalogue(()))) == ["no models"]


def test_the_row_is_told_in_full() -> None:
    row = ModelListing(Catalogue(STATES)).at(3)
    assert row is not None
    grid = about(row, width=60, palette=PALETTE)
    assert ["".join(segment.text for segment in line) for line in grid] == [
        "groq/openai/gpt-oss-20b",
        "Groq · context 131k · $/M in, out 0.10, 0.50",
    ]


async def test_typing_filters_and_enter_ends_with_the_model() -> None:
    async with opened(picker(), keys="oss120") as now:
        assert now.chosen.startswith("groq/openai/gpt-oss-120b")
        assert now.card[0].endswith("1 of 5 models")
        await now.press("enter")
        assert now.results == ["groq/openai/gpt-oss-120b"]


async def test_the_cursor_begins_at_the_model_in_use_and_keys_move_it() -> None:
    async with opened(picker(now="ollama/qwen3:8b")) as now:
        chosen = [now.chosen]
        for key in ("down", "up", "ctrl+p", "ctrl+n", "end", "home", "pagedown", "pageup"):
            await now.press(key)
            chosen.append(now.chosen)
        assert [row.split()[0].rpartition("/")[2] for row in chosen[:5]] == [
            *("qwen3:8b", "phi3:instruct", "qwen3:8b", "llama3.2:3b", "qwen3:8b")
        ]
        assert [row.split()[:2] for row in chosen[5:]] == [
            ["·", "together:"],
            ["ollama/llama3.2:3b", "131k"],
            ["·", "together:"],
            ["ollama/llama3.2:3b", "131k"],
        ]


async def test_esc_and_a_click_beside_the_card_choose_nothing() -> None:
    async with opened(picker(), keys=("escape",)) as now:
        assert now.results == [None]
    async with opened(picker(), size=WIDE) as now:
        await now.pilot.click(offset=(2, 2))
        await now.settle()
        assert now.results == [None]


async def test_a_second_click_on_a_row_chooses_it() -> None:
    async with opened(picker()) as now:
        await now.pilot.click(Choices, offset=(5, 2))
        await now.settle()
        assert now.results == []
        assert now.chosen.startswith("ollama/phi3:instruct")
        await now.pilot.click(Choices, offset=(5, 2))
        await now.settle()
        assert now.results == ["ollama/phi3:instruct"]


async def test_enter_on_an_endpoint_asks_it_and_the_cursor_goes_to_its_models() -> None:
    answers = Answers()
    async with opened(picker(answers=answers), keys=("end", "up", "up")) as now:
        assert "enter list its models" in now.card[-1]
        await now.press("enter")
        assert now.chosen == "○ openrouter: listing its models"
        assert "enter" not in now.card[-1]
        await now.press("enter")
        assert answers.asked == ["openrouter"]

        answers.answers.put_nowait(replace(UNASKED, status="found", models=(model("auto"),)))
        await now.settle()
        assert now.chosen.startswith("openrouter/auto")
        await now.press("enter")
        assert now.results == ["openrouter/auto"]


async def test_a_failure_is_told_where_the_endpoint_stands() -> None:
    answers = Answers()
    async with opened(picker([UNASKED], answers=answers), keys=("enter",)) as now:
        answers.answers.put_nowait(replace(UNASKED, status="failed", message="it timed out"))
        await now.settle()
        assert now.chosen == "✗ openrouter: it timed out; enter asks again"


async def test_closing_cancels_what_is_asked() -> None:
    answers = Answers()
    async with opened(picker([UNASKED], answers=answers), keys=("enter", "escape")) as now:
        assert now.results == [None]
        assert answers.was_cancelled


async def test_states_that_come_meanwhile_keep_the_cursor_on_its_row() -> None:
    async with opened(picker([GROQ]), keys=("down",)) as now:
        dialog = now.dialog
        assert isinstance(dialog, ModelPicker)
        dialog.show([OLLAMA, GROQ])
        await now.settle()
        assert now.chosen.startswith("groq/openai/gpt-oss-120b")
        assert now.card[0].endswith("5 models")


async def test_what_was_typed_can_be_taken() -> None:
    async with opened(picker([GROQ]), keys=(*"groq", "slash", *"new")) as now:
        assert now.chosen == "use groq/new as typed"
        assert now.card[-1].startswith(" enter use as typed")
        await now.press("enter")
        assert now.results == ["groq/new"]


class Noting:
    """A listing that notes which of its rows are drawn."""

    def __init__(self, listing: Listing, drawn: list[int]) -> None:
        self._listing, self._drawn = listing, drawn

    def __len__(self) -> int:
        return len(self._listing)

    def may_stop(self, number: int, /) -> bool:
        return self._listing.may_stop(number)

    def row(
        self, number: int, width: int, palette: Palette, /
    ) -> tuple[Sequence[Segment], Sequence[Segment]]:
        self._drawn.append(number)
        return self._listing.row(number, width, palette)


class NotingPicker(ModelPicker):
    """A picker that notes which of its rows are drawn."""

    def __init__(self, states: Sequence[EndpointState], drawn: list[int]) -> None:
        super().__init__("Seat 2", states, ask=Answers().ask)
        self._drawn_rows = drawn

    def listing(self, query: str) -> Listing:
        return Noting(super().listing(query), self._drawn_rows)


async def test_ten_thousand_models_draw_only_what_is_in_sight() -> None:
    many = replace(OLLAMA, models=tuple(model(f"model-{number}") for number in range(10_000)))
    drawn: list[int] = []
    async with opened(lambda: NotingPicker([many], drawn)) as now:
        rows = now.dialog.query_one(Choices).size.height
        assert set(drawn) == set(range(rows))

        drawn.clear()
        await now.press(*"9999")
        assert now.chosen.startswith("ollama/model-9999")
        assert now.card[0].endswith("1 of 10000 models")
        assert set(drawn) <= set(range(rows))

        drawn.clear()
        await now.press("ctrl+u", "end")
        assert now.chosen.startswith("ollama/model-9999")
        assert len(set(drawn)) <= 2 * rows + 2


HOSTILE = (
    "[red]bold[/red]",
    "\x1b[31mred\x1b]0;title\x07",
    "名前の長いモデル" * 20,
    "a\u202egnp.exe",
    "line\nbreak",
    "x" * 5000,
)


@pytest.mark.parametrize("size", [NARROW, NARROWEST])
async def test_hostile_names_stay_text_in_their_row(size: tuple[int, int]) -> None:
    states = [
        replace(OLLAMA, models=tuple(model(name) for name in HOSTILE)),
        replace(FAILED, message="[b]no[/b]\x1b[2J" + "很" * 300),
    ]
    async with opened(picker(states), size=size) as now:
        assert "[red]bold[/red]" in now.chosen
        assert "\x1b" not in now.text
        assert "\u202e" not in now.text
        for _ in range(len(HOSTILE)):
            await now.press("down")
            widths = {len(strip) for strip in now.text.split("\n")}
            assert max(widths) <= size[0]
        await now.press("home", "down", "enter")
        assert now.results == [f"ollama/{HOSTILE[1]}"]


@pytest.mark.parametrize("size", [WIDE, NARROW, NARROWEST])
async def test_the_card_stays_inside_the_screen(size: tuple[int, int]) -> None:
    async with opened(picker(), size=size) as now:
        card = now.dialog.query_one("#card").region
        assert now.stage.app.screen.region.contains_region(card)
        assert card.width <= 88
        assert now.card[-1].startswith(" enter choose")
        assert now.chosen


async def test_the_card_does_not_shrink_while_one_types() -> None:
    async with opened(picker(), size=WIDE) as now:
        before = now.dialog.query_one("#card").region
        await now.press(*"phi3")
        assert now.dialog.query_one("#card").region == before


async def test_pasted_text_is_one_clean_line() -> None:
    async with opened(picker()) as now:
        now.stage.app.post_message(events.Paste("gpt\n\x1b[31m"))
        await now.settle()
        dialog = now.dialog
        assert isinstance(dialog, ModelPicker)
        assert dialog.query_text == "gpt ␛[31m"


@pytest.mark.parametrize("count", [3, 300])
async def test_heads_stand_above_their_figures_with_and_without_a_scroll_bar(count: int) -> None:
    many = replace(OLLAMA, models=tuple(model(f"m{n}", 4096, 10**9) for n in range(count)))
    async with opened(picker([many])) as now:
        heads, row = now.card[2], now.card[3]
        assert row.index("4.1k") + 4 == heads.index("context") + 7
        assert row.index("1.0 GB") + 6 == heads.index("size") + 4
        assert row.index("free") + 4 == heads.index("out") + 3


async def test_keys_that_come_at_once_do_what_they_do_one_by_one() -> None:
    async with opened(picker()) as now:
        await now.burst(*"abc", "backspace", "backspace", "d", "home", "left", "e")
        assert now.card[1] == " › aed"

    async with opened(picker()) as now:
        await now.burst(*"phi3", "enter")
        assert now.results == ["ollama/phi3:instruct"]
