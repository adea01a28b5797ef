from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from moa_tui.config import KNOWN_ENDPOINTS
from moa_tui.engine.mixture import BEST, Agent, Aggregator, Layer, Mixture
from moa_tui.engine.provider import Endpoint, ModelInfo
from moa_tui.made import filled, made
from moa_tui.presets import Presets
from moa_tui.shipped import PRESETS
from moa_tui.ui.ports import EndpointState, EndpointStatus

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

ENDPOINTS = {endpoint.name: endpoint for endpoint in KNOWN_ENDPOINTS}
SHIPPED = {mixture.name: mixture for mixture in Presets((PRESETS,)).all()[0]}

Said = tuple[str, str, list[str], str]
"""Name, description, the seats of the one layer, and who merges."""


def state(
    name: str, models: Sequence[ModelInfo | str] = (), status: EndpointStatus = "found"
) -> EndpointState:
    """Return what was found; models of an Ollama have a size, as it says one of all it has."""
    endpoint = ENDPOINTS.get(name) or Endpoint(
        name=name, kind="openai", base_url="http://127.0.0.1:9", label=name
    )
    size = 1 if endpoint.kind == "ollama" else None
    infos = (
        ModelInfo(id=model, size=size and size + number) if isinstance(model, str) else model
        for number, model in enumerate(models)
    )
    return EndpointState(endpoint=endpoint, status=status, models=tuple(infos))


def said(mixture: Mixture) -> Said:
    (layer,) = mixture.layers
    assert mixture.aggregator.agent
    seats = [agent.model for agent in layer.seats]
    return mixture.name, mixture.description, seats, mixture.aggregator.agent.model


def of(*states: EndpointState) -> list[Said]:
    return [said(mixture) for mixture in made(states, SHIPPED)]


def seats(*models: ModelInfo | str, at: str = "ollama") -> tuple[list[str], str]:
    """Return who proposes and who merges of a place's models, without the place's name."""
    _, _, proposers, merger = of(state(at, models))[0]
    return [model.removeprefix(f"{at}/") for model in proposers], merger.removeprefix(f"{at}/")


def names(*states: EndpointState) -> list[str]:
    return [mixture.name for mixture in made(states, SHIPPED)]


# How many models there are


def test_nothing_found_makes_nothing() -> None:
    states = [state(name, status="absent") for name in ENDPOINTS]
    assert of(*states) == []
    assert of(state("ollama")) == []


def test_one_model_says_it_three_times_and_merges() -> None:
    assert of(state("ollama", ["llama3.2:3b"])) == [
        (
            "found on Ollama",
            "three samples of llama3.2:3b, merged by it too",
            ["ollama/llama3.2:3b"] * 3,
            "ollama/llama3.2:3b",
        )
    ]


def test_two_models_share_three_seats_and_the_larger_merges() -> None:
    assert of(state("ollama", ["llama3.1:8b", "llama3.2:3b"])) == [
        (
            "found on Ollama",
            "two samples of llama3.2:3b and one of llama3.1:8b; llama3.1:8b merges",
            ["ollama/llama3.2:3b", "ollama/llama3.2:3b", "ollama/llama3.1:8b"],
            "ollama/llama3.1:8b",
        ),
        (
            "strongest on Ollama",
            "three samples of llama3.1:8b, merged by it too",
            ["ollama/llama3.1:8b"] * 3,
            "ollama/llama3.1:8b",
        ),
    ]


def test_of_many_models_three_small_ones_propose_and_a_large_one_merges() -> None:
    found = [
        "qwen3:14b",
        "llama3.2:3b",
        "nomic-embed-text",
        "gemma3:4b",
        "qwen3:4b",
        "llama3.3:70b",
    ]
    assert of(state("ollama", found)) == [
        (
            "found on Ollama",
            "llama3.2:3b, gemma3:4b and qwen3:4b; qwen3:14b merges",
            ["ollama/llama3.2:3b", "ollama/gemma3:4b", "ollama/qwen3:4b"],
            "ollama/qwen3:14b",
        ),
        (
            "strongest on Ollama",
            "three samples of qwen3:14b, merged by it too",
            ["ollama/qwen3:14b"] * 3,
            "ollama/qwen3:14b",
        ),
    ]


def test_of_ten_thousand_models_the_same_few_are_taken() -> None:
    crowd = [f"other{number}-{30 + number % 40}b" for number in range(10_000)]
    few = ["llama3.2:3b", "qwen3:8b", "gemma3:4b"]
    assert seats(*crowd[:5000], *few, *crowd[5000:], at="lmstudio") == (
        ["llama3.2:3b", "gemma3:4b", "qwen3:8b"],
        "qwen3:8b",
    )


# Which can chat


def test_only_embedding_models_make_nothing() -> None:
    silent = ModelInfo(id="something", is_chat=False, size=1)
    assert of(state("ollama", ["nomic-embed-text", "bge-m3", silent])) == []


@pytest.mark.parametrize(
    "name",
    [
        "text-embedding-nomic-embed-text-v1.5",
        "mxbai-embed-large",
        "all-minilm:22m",
        "BAAI/bge-reranker-v2-m3",
        "intfloat/e5-mistral-7b-instruct",
        "whisper-large-v3",
        "tts-1",
        "llama-guard3:8b",
        "granite3-guardian:2b",
        "deepseek-ocr:3b",
        "omni-moderation-latest",
        "stable-diffusion-xl",
        "dall-e-3",
        "black-forest-labs/FLUX-1",
        "Qwen3-4B-Base",
        "mistral:7b-text-q4_0",
        "skywork-reward-8b",
    ],
)
def test_what_answers_no_question_takes_no_seat(name: str) -> None:
    assert seats(name, "llama3.1:8b", at="vllm") == (["llama3.1:8b"] * 3, "llama3.1:8b")


@pytest.mark.parametrize("name", ["database-7b", "gpt-4o", "codellama:7b", "llava:7b", "phi3:mini"])
def test_a_chat_model_with_a_name_of_any_sort_takes_one(name: str) -> None:
    assert seats(name, at="vllm") == ([name] * 3, name)


def test_what_an_ollama_runs_elsewhere_takes_no_seat() -> None:
    cloud = ModelInfo(id="gpt-oss:120b-cloud")
    assert seats(cloud, "llama3.2:3b") == (["llama3.2:3b"] * 3, "llama3.2:3b")
    assert of(state("ollama", [cloud])) == []


def test_one_download_under_two_names_counts_once() -> None:
    twins = [ModelInfo(id=f"llama3.2:{tag}", size=2_019_393_189) for tag in ("latest", "3b")]
    assert seats(*twins) == (["llama3.2:latest"] * 3, "llama3.2:latest")


def test_a_model_listed_twice_counts_once() -> None:
    assert seats("phi4", "phi4", at="vllm") == (["phi4"] * 3, "phi4")


# Which are small, which fit


def test_models_below_a_billion_propose_only_where_seats_are_left() -> None:
    assert seats("qwen3:0.6b", "smollm2:360m", "llama3.2:3b", "gemma3:4b") == (
        ["llama3.2:3b", "gemma3:4b", "qwen3:0.6b"],
        "gemma3:4b",
    )
    assert seats("qwen3:0.6b", "llama3.2:1b", "gemma3:1b", "phi4-mini:3.8b") == (
        ["llama3.2:1b", "gemma3:1b", "phi4-mini:3.8b"],
        "phi4-mini:3.8b",
    )


def test_of_two_models_the_tiny_one_has_the_single_seat() -> None:
    assert seats("smollm2:135m", "llama3.1:8b") == (
        ["llama3.1:8b", "llama3.1:8b", "smollm2:135m"],
        "llama3.1:8b",
    )


def test_a_model_that_takes_minutes_is_left_out() -> None:
    assert seats("llama3.3:70b", "qwen3:4b") == (["qwen3:4b"] * 3, "qwen3:4b")
    assert seats("mixtral:8x7b", "qwen3:4b") == (["qwen3:4b"] * 3, "qwen3:4b")


def test_unless_all_do() -> None:
    assert seats("llama3.3:70b", "qwen3:32b") == (
        ["qwen3:32b", "qwen3:32b", "llama3.3:70b"],
        "llama3.3:70b",
    )


def test_a_third_family_is_better_than_a_second_model_of_one() -> None:
    assert seats("llama3.2:1b", "llama3.2:3b", "Meta-Llama-3.1-8B", "qwen3:4b", "gemma3:12b") == (
        ["llama3.2:1b", "qwen3:4b", "gemma3:12b"],
        "gemma3:12b",
    )
    assert seats("llama3.2:1b", "llama3.2:3b", "meta-llama-3.1-8b", at="lmstudio") == (
        ["llama3.2:1b", "llama3.2:3b", "meta-llama-3.1-8b"],
        "meta-llama-3.1-8b",
    )


def test_bytes_say_the_size_where_the_name_does_not() -> None:
    gigabytes = {"phi3:instruct": 2.2, "llama3:instruct": 4.7, "mistral:instruct": 4.1, "big": 40}
    models = [ModelInfo(id=name, size=int(size * 1e9)) for name, size in gigabytes.items()]
    assert seats(*models) == (
        ["phi3:instruct", "mistral:instruct", "llama3:instruct"],
        "llama3:instruct",
    )


def test_names_are_read_as_files_and_repositories_write_them() -> None:
    files = [
        "hf.co/someone/Llama-3.2-3B-Instruct-GGUF:Q4_K_M",
        "qwen/Qwen3-30B-A3B",
        "google/gemma-3n-E4B-it",
        "/models/Phi-4-mini-4k-instruct.Q8_0.gguf",
        "qwen2.5-1.5b-instruct-1m",
    ]
    assert seats(*files, at="lmstudio") == ([files[4], files[0], files[2]], files[3])


@pytest.mark.parametrize(
    "name", ["名字", "a b", "…", "7", "0b", "9" * 190 + "b", "x/", "/x", "a/b/c", "%s{0}[bold]"]
)
def test_odd_names_do_no_harm(name: str) -> None:
    (mixture,) = made([state("vllm", [name, " ", ""])], SHIPPED)
    assert [agent.model for agent in mixture.agents] == [f"vllm/{name}"]
    assert len(mixture.description) < 100


# Which place


def test_each_server_makes_one_and_ollama_s_is_first() -> None:
    places = [
        state("ollama", ["llama3.2:3b", "qwen3:4b"]),
        state("lmstudio", ["gemma-3-4b"]),
        state("llamacpp", ["phi-4.gguf"]),
    ]
    assert names(*places) == [
        "found on Ollama",
        "strongest on Ollama",
        "found on LM Studio",
        "found on llama-cpp",
    ]


def test_no_mixture_takes_models_of_two_places() -> None:
    states = [
        state("ollama", ["llama3.2:3b"]),
        state("lmstudio", ["gemma-3-4b"]),
        state("groq", status="unasked"),
        state("mistral", ["ministral-3b"]),
        state("embedded", ["smollm2-135m-instruct"]),
    ]
    mixtures = made(states, SHIPPED)
    assert [{agent.endpoint for agent in mixture.agents} for mixture in mixtures] == [
        {"ollama"},
        {"lmstudio"},
        {"groq"},
        {"mistral"},
        {"embedded"},
    ]


def test_local_beats_hosted_and_hosted_the_embedded_model() -> None:
    states = [
        state("groq", status="unasked"),
        state("embedded", ["smollm2-135m-instruct"]),
        state("vllm", ["llama3.1:8b"]),
    ]
    assert names(*states) == ["found on vLLM", "groq", "embedded"]


@pytest.mark.parametrize("name", ["groq", "together"])
def test_a_key_picks_its_vendor_s_preset(name: str) -> None:
    first, second = made([state(name, status="unasked")], SHIPPED)
    assert first == SHIPPED[name]
    assert {agent.model for agent in second.agents} == {said(first)[3]}


@pytest.mark.parametrize("status", ["no_key", "failed", "absent", "asking"])
def test_a_vendor_that_can_not_be_used_makes_nothing(status: EndpointStatus) -> None:
    assert of(state("groq", status=status), state("embedded", status=status)) == []


def test_a_vendor_without_a_preset_is_not_guessed_at() -> None:
    assert of(state("openai", status="unasked"), state("anthropic", status="unasked")) == []


def test_a_vendor_s_known_models_make_a_mixture() -> None:
    assert of(state("mistral", ["mistral-embed", "ministral-8b", "codestral"]))[0] == (
        "found on Mistral",
        "two samples of codestral and one of ministral-8b; ministral-8b merges",
        ["mistral/codestral", "mistral/codestral", "mistral/ministral-8b"],
        "mistral/ministral-8b",
    )


def test_anthropic_s_newest_models_make_a_mixture_once_they_are_listed() -> None:
    listed = ["claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-5-5", "claude-opus-5"]
    name, _, proposers, merger = of(state("anthropic", listed))[0]
    assert (name, merger) == ("found on Anthropic", "anthropic/claude-opus-5-5")
    assert proposers == [f"anthropic/{model}" for model in listed[:3]]


def test_a_preset_whose_models_are_gone_is_not_taken() -> None:
    live = [agent.model_name for agent in SHIPPED["groq"].agents]
    assert names(state("groq", live))[0] == "groq"
    assert names(state("groq", ["llama-9-8b", *live[1:]]))[0] == "found on Groq"


def test_the_embedded_model_has_its_preset_and_files_of_the_user_a_mixture() -> None:
    assert names(state("embedded", ["smollm2-135m-instruct", "mine-3b"])) == ["embedded"]
    assert names(state("embedded", ["mine-3b"])) == ["found on Embedded"]
    assert names(state("embedded", status="unasked")) == []


def test_a_preset_of_an_endpoint_s_name_that_calls_others_too_is_not_taken() -> None:
    presets = {"groq": SHIPPED["together"], "ollama": SHIPPED["local-trio"]}
    states = [state("ollama", ["phi4"]), state("groq", status="unasked")]
    assert [mixture.name for mixture in made(states, presets)] == ["found on Ollama"]


# Names


def test_a_name_that_is_taken_is_numbered() -> None:
    other = SHIPPED["demo"]
    presets = {"found on Ollama": other, "found on Ollama 2": other}
    mixtures = made([state("ollama", ["phi4"])], presets)
    assert [mixture.name for mixture in mixtures] == ["found on Ollama 3"]


def test_a_made_mixture_can_be_saved_as_it_is(tmp_path: Path) -> None:
    presets = Presets((PRESETS, tmp_path))
    states = [state("llamacpp", ["a/b-3b.gguf", "phi-4"]), state("gpu.lan-8000", ["qwen3:8b"])]
    mixtures = presets.made(states)
    saved = [presets.load(presets.save(mixture)) for mixture in mixtures]
    assert [mixture.name for mixture in saved] == [
        "found-on-llama-cpp",
        "strongest-on-llama-cpp",
        "found-on-gpu-lan-8000",
    ]
    assert [(each.layers, each.aggregator) for each in saved] == [
        (each.layers, each.aggregator) for each in mixtures
    ]


# Presets that leave their models open


def test_an_open_preset_gets_the_best_mixture_s_models_and_keeps_its_settings(
    tmp_path: Path,
) -> None:
    presets = Presets((PRESETS, tmp_path))
    found = [state("ollama", ["llama3.2:3b", "qwen3:4b", "gemma3:4b", "qwen3:8b"])]
    translate = presets.filled(presets.load("translate"), found)

    assert [(agent.model, agent.label) for agent in translate.layers[0].seats] == [
        ("ollama/llama3.2:3b", "faithful"),
        ("ollama/qwen3:4b", "fluent"),
        ("ollama/gemma3:4b", "careful"),
    ]
    assert translate.aggregator.agent is not None
    assert translate.aggregator.agent.model == "ollama/qwen3:8b"
    assert replace(translate, layers=SHIPPED["translate"].layers) == replace(
        SHIPPED["translate"],
        aggregator=translate.aggregator,
    )


@pytest.mark.parametrize("name", ["translate", "write", "sceptic"])
def test_with_nothing_found_the_embedded_model_takes_every_seat(tmp_path: Path, name: str) -> None:
    presets = Presets((PRESETS, tmp_path))
    mixture = presets.filled(presets.load(name), ())

    assert {agent.model for agent in mixture.agents} == {"embedded/smollm2-135m-instruct"}
    assert mixture.max_tokens == SHIPPED["embedded"].max_tokens
    assert len({agent.system for agent in mixture.layers[0].seats}) == 3


def test_more_open_seats_than_the_best_mixture_has_begin_at_its_first_again() -> None:
    proposers = tuple(Agent(model=f"{BEST}/{number}") for number in range(1, 6))
    open_mixture = Mixture(
        layers=(Layer(proposers=(*proposers, Agent(model="groq/x"))),),
        aggregator=Aggregator(agent=Agent(model=f"{BEST}/merger")),
    )
    best = made([state("ollama", ["a-3b", "b-3b"])], SHIPPED)[0]
    mixture = filled(open_mixture, best)

    assert open_mixture.is_open
    assert not mixture.is_open
    assert [agent.model for agent in mixture.layers[0].seats] == [
        *("ollama/a-3b", "ollama/a-3b", "ollama/b-3b", "ollama/a-3b", "ollama/a-3b", "groq/x")
    ]


def test_a_preset_that_names_its_models_is_left_alone(tmp_path: Path) -> None:
    presets = Presets((PRESETS, tmp_path))
    assert presets.filled(SHIPPED["groq"], [state("ollama", ["phi4"])]) is SHIPPED["groq"]


def test_an_open_seat_of_an_absurd_number_is_the_mergers() -> None:
    best = Mixture(
        layers=(Layer(proposers=(Agent(model="a/seat"),)),),
        aggregator=Aggregator(agent=Agent(model="a/merger")),
    )
    agent = Agent(model=f"{BEST}/{'9' * 5000}")
    mixture = filled(replace(best, layers=(Layer(proposers=(agent,)),)), best)
    assert mixture.layers[0].proposers[0].model == "a/merger"
