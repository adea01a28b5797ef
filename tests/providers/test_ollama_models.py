from __future__ import annotations

from typing import Any

import pytest
import virtual_time
from ollama_double import Model, Ollama, provider

from moa_tui.engine.clock import AsyncioClock
from moa_tui.engine.provider import ModelInfo
from moa_tui.errors import ProviderError
from moa_tui.providers.bounds import MOST_MODELS
from moa_tui.providers.ollama_models import (
    Traits,
    Windows,
    named_alike,
    read_loaded,
    read_models,
    read_traits,
)

STRANGE: list[Any] = [None, [], {}, "models", {"data": []}, {"models": {}}, {"models": "phi3"}]


def test_the_pulled_models_are_listed() -> None:
    async def run() -> tuple[ModelInfo, ...]:
        one = provider(Ollama({"phi3:mini": Model(), "llama3:latest": Model()}))
        models = await one.models()
        await one.aclose()
        return models

    assert virtual_time.run(run()) == (
        ModelInfo(id="phi3:mini", size=5),
        ModelInfo(id="llama3:latest", size=5),
    )


def test_a_listing_tells_size_context_and_what_runs_elsewhere() -> None:
    rows = [
        {"name": "a", "size": 7, "details": {"context_length": 8192}},
        {"model": "b:cloud", "size": 300, "remote_host": "https://elsewhere.example"},
        {"name": "c", "size": "7", "details": None},
        {"name": ""},
        {"name": 5},
        "d",
    ]

    assert read_models({"models": rows}) == (
        ModelInfo(id="a", size=7, context=8192),
        ModelInfo(id="b:cloud"),
        ModelInfo(id="c"),
    )


@pytest.mark.parametrize(
    ("row", "is_chat"),
    [
        ({"name": "nomic-embed-text"}, False),
        ({"name": "all-minilm:22m"}, False),
        ({"name": "x", "details": {"family": "bert"}}, False),
        ({"name": "x", "details": {"families": ["nomic-bert"]}}, False),
        ({"name": "bge-m3"}, False),
        ({"name": "whisper:large"}, False),
        ({"name": "x", "capabilities": ["embedding"]}, False),
        ({"name": "embedder", "capabilities": ["completion"]}, True),
        ({"name": "llama3", "details": {"family": "llama", "families": None}}, True),
    ],
)
def test_a_model_that_cannot_chat_is_marked(row: dict[str, object], is_chat: bool) -> None:  # noqa: FBT001 - a column of the table
    assert [model.is_chat for model in read_models({"models": [row]})] == [is_chat]


@pytest.mark.parametrize("listing", STRANGE)
def test_another_servers_list_is_named(listing: object) -> None:
    for read in (read_models, read_loaded):
        with pytest.raises(ProviderError, match="unknown shape") as caught:
            read(listing)
        assert "check base_url" in caught.value.hint


def test_nothing_pulled_is_an_empty_list_however_it_is_written() -> None:
    assert read_models({"models": None}) == read_models({"models": []}) == ()


def test_loaded_models_are_known_by_their_full_names() -> None:
    rows = [
        {"name": "Phi3", "context_length": 4096},
        {"name": "hf.co/a/B:Q4"},
        {"context_length": 5},
        None,
    ]

    assert read_loaded({"models": rows}) == {"phi3:latest": 4096, "hf.co/a/b:q4": 0}


def test_what_a_model_is_shown_to_be() -> None:
    shown = {
        "details": {"family": "qwen3next"},
        "model_info": {"general.architecture": "q", "qwen3next.context_length": 262_144},
        "capabilities": ["completion", "thinking"],
    }

    assert read_traits(shown) == Traits(context=262_144, can_think=True, is_serial=True)
    assert read_traits({"capabilities": ["completion"]}) == Traits(can_think=False)
    assert read_traits({"remote_model": "x"}) == Traits(is_remote=True)


@pytest.mark.parametrize("shown", [*STRANGE, {"model_info": 5, "capabilities": {}, "details": []}])
def test_what_is_shown_in_another_shape_tells_nothing(shown: object) -> None:
    assert read_traits(shown) == Traits()


def test_names_that_differ_in_the_tag_only_are_alike() -> None:
    there = ["phi3:mini", "Phi3", "phi3.5", "llama3", "phi3:14b", "phi3:medium"]

    assert named_alike("phi3:latest", there) == ("phi3:mini", "Phi3", "phi3:14b")
    assert named_alike("mistral", there) == ()


def fitted(*needs: tuple[float, int], most: int | None = None) -> list[int]:
    """Return the windows that calls of one model get, each asked (and ended) at its time."""

    async def run() -> list[int]:
        clock = AsyncioClock()
        windows, sizes = Windows(clock=clock), []
        for at, need in needs:
            await clock.sleep(at - clock.now())
            sizes.append(windows.fit("phi3", need, most=most))
            windows.touch("phi3:latest")
        return sizes

    return virtual_time.run(run())


@pytest.mark.parametrize(
    ("need", "window"), [(0, 4096), (4096, 4096), (4097, 8192), (9000, 16_384), (10**12, 1 << 30)]
)
def test_a_window_is_the_next_power_of_two(need: int, window: int) -> None:
    assert fitted((0.0, need)) == [window]


def test_a_window_is_no_larger_than_what_the_model_knows() -> None:
    assert fitted((0.0, 9000), most=10_000) == [10_000]
    assert fitted((0.0, 100), most=2048) == [2048]


def test_a_window_does_not_shrink_while_the_model_stays_loaded() -> None:
    assert fitted((0.0, 9000), (500.0, 100), (1000.0, 100)) == [16_384] * 3


def test_a_model_that_was_dropped_meanwhile_is_sized_anew() -> None:
    assert fitted((0.0, 9000), (601.0, 100)) == [16_384, 4096]


def test_two_spellings_of_a_model_share_its_window() -> None:
    async def run() -> list[int]:
        windows = Windows(clock=AsyncioClock())
        return [
            windows.fit(name, need, most=None)
            for name, need in (("phi3", 9000), ("phi3:latest", 1))
        ]

    assert virtual_time.run(run()) == [16_384, 16_384]


@pytest.mark.parametrize("odd", [["mllama"], {"mllama": 1}, 5, True, None])
def test_a_family_of_another_kind_says_nothing(odd: object) -> None:
    assert read_traits({"details": {"family": odd}}) == Traits()


@pytest.mark.parametrize("odd", [10**400, 2**53 + 1, -1, True, 1.5, "7", [7]])
def test_numbers_that_make_no_sense_are_unknown(odd: object) -> None:
    row = {"name": "a", "size": odd, "context_length": odd, "details": {"context_length": odd}}
    assert read_models({"models": [row]}) == (ModelInfo(id="a"),)
    assert read_loaded({"models": [row]}) == {"a:latest": 0}
    assert read_traits({"model_info": {"x.context_length": odd}}).context is None


def test_a_listing_is_read_to_its_bound() -> None:
    rows = [{"name": f"m{number}"} for number in range(MOST_MODELS + 1)]
    assert len(read_models({"models": rows})) == MOST_MODELS
