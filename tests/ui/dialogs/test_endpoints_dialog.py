"""The endpoints: what is known of each in words, asked anew, and one added in one field."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from dialog_fakes import (
    BY_NAME,
    FAILED,
    NARROW,
    NARROWEST,
    NO_KEY,
    OLLAMA,
    STATES,
    UNASKED,
    WIDE,
    model,
    opened,
)
from textual import events

from moa_tui.engine.provider import Endpoint
from moa_tui.errors import ConfigError
from moa_tui.ui.dialogs.choices import Choices
from moa_tui.ui.dialogs.endpoint_rows import word_of
from moa_tui.ui.dialogs.endpoints import EndpointsDialog
from moa_tui.ui.ports import EndpointState

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ADDED = EndpointState(
    endpoint=Endpoint(name="lab", kind="openai", base_url="http://lab:8000/v1", label="lab"),
    status="found",
    models=(model("one"), model("two")),
    message="no key needed",
)


class Places:
    """Endpoints that answer when told to."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.added: list[str] = []
        self.cancelled: list[str] = []
        self.removed: list[str] = []
        self.failure = ""
        self.answers: asyncio.Queue[EndpointState | ConfigError] = asyncio.Queue()

    async def ask(self, name: str) -> EndpointState:
        self.asked.append(name)
        return await self._answer(name)

    async def add(self, text: str) -> EndpointState:
        self.added.append(text)
        return await self._answer(text)

    def remove(self, name: str) -> Callable[[], None]:
        if self.failure:
            raise ConfigError(self.failure)
        self.removed.append(name)

        def restore() -> None:
            self.removed.remove(name)

        return restore

    async def _answer(self, about: str) -> EndpointState:
        try:
            answer = await self.answers.get()
        except asyncio.CancelledError:
            self.cancelled.append(about)
            raise
        if isinstance(answer, ConfigError):
            raise answer
        return answer


def dialog(
    places: Places | None = None, *, states: Sequence[EndpointState] = STATES, at: str = ""
) -> Callable[[], EndpointsDialog]:
    behind = places or Places()
    return lambda: EndpointsDialog(
        states, ask=behind.ask, add=behind.add, remove=behind.remove, at=at
    )


def squeezed(row: str) -> str:
    return " ".join(row.split())


async def test_every_endpoint_tells_its_state_by_glyph_and_word() -> None:
    async with opened(dialog()) as now:
        assert [squeezed(row) for row in now.card[:8]] == [
            "Endpoints 2 of 6 answer",
            "› add a URL, a host, or the NAME of a key variable",
            "› ✓ ollama http://127.0.0.1:11434 4 models, no key needed",
            "· lmstudio http://127.0.0.1:1234/v1 nothing listens",
            "✓ groq https://groq.test/openai/v1 2 models",
            f"· openrouter {UNASKED.endpoint.base_url} not asked yet",
            f"· together {NO_KEY.endpoint.base_url} no key",
            f"✗ openai {FAILED.endpoint.base_url} OpenAI: the key was refused (401)",
        ]


async def test_the_row_under_the_cursor_is_told_in_full() -> None:
    async with opened(dialog(at="together")) as now:
        assert squeezed(" ".join(now.card[10:13])) == (
            f"state set TOGETHER_API_KEY; keys are made at {NO_KEY.endpoint.key_page}"
            f" address {NO_KEY.endpoint.base_url}"
        )
        await now.press("up")
        assert squeezed(now.row(having="key  ")) == (
            f"key from OPENROUTER_API_KEY; keys: {UNASKED.endpoint.key_page}"
        )
        await now.press("home")
        assert squeezed(now.row(having="models  ")) == (
            "models llama3.2:3b, qwen3:8b, phi3:instruct, nomic-embed-text:latest"
        )


def test_words_for_what_has_no_words_of_its_own() -> None:
    embedded = EndpointState(endpoint=BY_NAME["embedded"], status="absent")
    assert word_of(embedded) == "not fetched"
    assert word_of(replace(embedded, status="failed")) == "doesn't answer"
    assert word_of(replace(embedded, status="found")) == "no models yet"
    assert word_of(replace(embedded, status="asking")) == "being asked"


async def test_enter_asks_the_endpoint_anew_and_the_cursor_stays() -> None:
    places = Places()
    async with opened(dialog(places, at="openrouter")) as now:
        assert now.card[-1].startswith(" enter ask anew")
        await now.press("enter", "enter")
        assert places.asked == ["openrouter"]
        assert squeezed(now.chosen).endswith("being asked")
        assert "ask anew" not in now.card[-1]

        places.answers.put_nowait(replace(UNASKED, status="found", models=(model("auto"),)))
        await now.settle()
        assert squeezed(now.chosen) == f"✓ openrouter {UNASKED.endpoint.base_url} 1 model"


async def test_several_can_be_asked_at_once_and_one_moves_meanwhile() -> None:
    places = Places()
    async with opened(dialog(places), keys=("enter", "down", "enter", "down")) as now:
        assert places.asked == ["ollama", "lmstudio"]
        assert now.chosen.startswith("✓ groq")
        assert sum("being asked" in row for row in now.card) == 2


async def test_what_is_typed_is_added_and_told() -> None:
    places = Places()
    async with opened(dialog(places), keys="lab:8000") as now:
        assert now.chosen == "· add lab:8000"
        assert now.card[-1].startswith(" enter add it")
        assert "the NAME of the variable" in now.text
        await now.press("enter")
        assert places.added == ["lab:8000"]
        assert squeezed(now.chosen) == "○ add lab:8000 being asked"
        assert "enter" not in now.card[-1]

        places.answers.put_nowait(ADDED)
        await now.settle()
        assert squeezed(now.chosen) == "✓ lab http://lab:8000/v1 2 models, no key needed"
        assert squeezed(now.row(having="lab ──")).endswith("added")
        assert now.card[1].startswith(" › add a URL")


async def test_ctrl_d_removes_an_endpoint_and_ctrl_z_brings_it_back() -> None:
    places = Places()
    async with opened(dialog(places, states=(*STATES, ADDED), at="lab")) as now:
        assert "^d remove" in now.card[-1]
        assert "^z" not in now.card[-1]
        await now.press("ctrl+d")
        assert places.removed == ["lab"]
        assert squeezed(now.card[0]) == "Endpoints removed; ^z brings it back"
        assert "lab" not in now.text
        assert now.chosen.startswith("✗ openai")

        await now.press("home", "ctrl+z")
        assert places.removed == []
        assert squeezed(now.chosen) == "✓ lab http://lab:8000/v1 2 models, no key needed"
        assert squeezed(now.card[0]) == "Endpoints 3 of 7 answer"


async def test_why_an_endpoint_cannot_be_removed_is_told_and_it_stays() -> None:
    places = Places()
    places.failure = "lab is in [b]config.toml[/b]"
    async with opened(dialog(places, states=(*STATES, ADDED), at="lab"), keys=("ctrl+d",)) as now:
        (told,) = now.stage.app._notifications  # noqa: SLF001 - toasts aren't drawn in tests
        assert told.message == places.failure
        assert not told.markup
        assert now.chosen.startswith("✓ lab")


async def test_an_endpoint_that_was_known_is_found_by_the_name_of_its_key() -> None:
    places = Places()
    async with opened(dialog(places), keys=(*"OPENROUTER_API_KEY", "enter")) as now:
        places.answers.put_nowait(replace(UNASKED, status="found", models=(model("auto"),)))
        await now.settle()
        assert now.chosen.startswith("✓ openrouter")
        assert len([row for row in now.card if "openrouter" in row and "✓" in row]) == 1


async def test_a_failure_is_told_in_words_until_something_else_is_typed() -> None:
    places = Places()
    why = "nothing listens at lab (8000, 8080); type host:port of [b]the server[/b]\x1b[31m"
    async with opened(dialog(places), keys=(*"lab", "enter")) as now:
        places.answers.put_nowait(ConfigError(why))
        await now.settle()
        assert squeezed(now.chosen) == "✗ add lab not added"
        assert "type host:port of [b]the server[/b]␛[31m" in squeezed(" ".join(now.card))
        assert now.card[-1].startswith(" enter try again")
        await now.press("enter")
        assert places.added == ["lab", "lab"]
        assert squeezed(now.chosen) == "○ add lab being asked"

        await now.press("1")
        assert now.chosen == "· add lab1"
        assert "host:port" not in now.text


async def test_the_dialog_goes_on_while_it_probes() -> None:
    places = Places()
    async with opened(dialog(places), keys=(*"lab", "enter", "down", "down")) as now:
        assert now.chosen.startswith("· lmstudio")
        await now.press("enter")
        assert places.asked == ["lmstudio"]
        assert squeezed(now.row(having="add lab")) == "○ add lab being asked"


@pytest.mark.parametrize("key", ["x", "escape"])
async def test_typing_on_or_closing_cancels_the_probe(key: str) -> None:
    places = Places()
    async with opened(dialog(places), keys=(*"lab", "enter", key)) as now:
        assert places.cancelled == ["lab"]
        assert now.results == ([None] if key == "escape" else [])


async def test_a_pasted_key_is_not_repeated() -> None:
    key = "sk-proj-abcdefghijklmnopqrstuvwxyz0123456789"
    async with opened(dialog(), keys=key) as now:
        assert "•••" in now.chosen
        assert not [row for row in now.card if key[-12:] in row]
        await now.press("ctrl+u", *"lab")
        assert now.card[1] == " › lab"


async def test_a_key_that_is_hidden_is_added_as_it_was_pasted() -> None:
    places = Places()
    key = "gsk_abcdefghijklmnopqrstuvwxyz0123456789"
    async with opened(dialog(places)) as now:
        now.stage.app.post_message(events.Paste(key))
        await now.settle()
        assert key[-12:] not in now.text
        await now.press("enter")
        assert places.added == [key]


async def test_states_that_come_meanwhile_are_shown_and_asking_goes_on() -> None:
    places = Places()
    async with opened(dialog(places), keys=("enter", "down")) as now:
        shown = now.dialog
        assert isinstance(shown, EndpointsDialog)
        shown.show([OLLAMA, replace(UNASKED, status="found", models=()), *STATES[1:3]])
        await now.settle()
        assert now.chosen.startswith("· lmstudio")
        assert squeezed(now.card[2]).endswith("being asked")
        assert squeezed(now.card[3]).startswith("! openrouter")
        assert squeezed(now.card[3]).endswith("no models yet")


async def test_an_ollama_without_models_says_how_it_gets_one() -> None:
    empty = replace(OLLAMA, models=(), message="it has no models yet")
    async with opened(dialog(states=[empty])) as now:
        assert squeezed(now.chosen) == "! ollama http://127.0.0.1:11434 no models yet"
        assert squeezed(now.row(having="state  ")) == (
            "state no models yet: ollama pull llama3.2, or another"
        )


async def test_a_click_moves_the_cursor_and_a_second_one_asks() -> None:
    places = Places()
    async with opened(dialog(places)) as now:
        await now.pilot.click(Choices, offset=(8, 3))
        await now.settle()
        assert places.asked == []
        await now.pilot.click(Choices, offset=(8, 3))
        await now.settle()
        assert places.asked == ["openrouter"]


@pytest.mark.parametrize("size", [WIDE, NARROW, NARROWEST])
async def test_the_card_stays_inside_the_screen(size: tuple[int, int]) -> None:
    states = [EndpointState(endpoint=endpoint) for endpoint in BY_NAME.values()] * 2
    named = [
        replace(state, endpoint=replace(state.endpoint, name=f"{state.endpoint.name}{number}"))
        for number, state in enumerate(states)
    ]
    async with opened(dialog(states=named), size=size, keys=("end", *"lab")) as now:
        card = now.dialog.query_one("#card").region
        assert now.stage.app.screen.region.contains_region(card)
        assert now.card[-1].startswith(" enter add it")
        assert now.chosen == "· add lab"
