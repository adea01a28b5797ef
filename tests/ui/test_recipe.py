"""A mixture as rows: what each says, and what turning, writing and taking back its value does."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from moa_tui.engine.mixture import Agent, Aggregator, Layer, Mixture
from moa_tui.engine.prompt import INSTRUCTION
from moa_tui.engine.provider import Endpoint, ModelInfo
from moa_tui.errors import ConfigError
from moa_tui.ui.ports import EndpointState
from moa_tui.ui.sidebar import recipe
from moa_tui.ui.sidebar.editing import AGGREGATOR, Place
from moa_tui.ui.sidebar.recipe import Spot

if TYPE_CHECKING:
    from moa_tui.ui.ports import EndpointStatus
    from moa_tui.ui.sidebar.recipe import Block, Line

A, B, M = (Agent(model=f"t/{name}") for name in "abm")
DUO = Mixture(
    name="duo", layers=(Layer(proposers=(A, B)),), aggregator=Aggregator(agent=M, fallback=(A,))
)
OWN = Agent(
    model="t/own",
    temperature=0.2,
    max_tokens=100,
    top_p=0.5,
    seed=7,
    think=False,
    effort="low",
    num_ctx=4096,
    label="poet",
    system="Write\nverse, and only verse.",
    samples=3,
)


def lines(block: Block) -> list[str]:
    """Return a section's rows as text, arrows where they can be turned."""
    return [shown(line) for line in block.lines]


def shown(line: Line) -> str:
    value = f"{'<' if line.less else ''}{line.value}{'>' if line.more else ''}"
    parts = [str(line.number or ""), line.title, line.note, value]
    return " ".join(part for part in parts if part)


def options(mixture: Mixture, place: Place) -> list[tuple[str, bool]]:
    """Return the rows that unfold, and whether each is loud."""
    return [
        (shown(line), line.tone == "plain")
        for block in recipe.blocks(mixture, opened=place)
        for line in block.lines
        if line.spot.kind == "option"
    ]


def test_a_mixture_is_three_sections() -> None:
    blocks = recipe.blocks(DUO, is_edited=True)

    assert [(block.section, block.layers) for block in blocks] == [
        ("mixture", ""),
        ("proposers", ""),
        ("aggregator", ""),
    ]
    assert [lines(block) for block in blocks] == [
        [
            "duo edited",
            "Layers 1>",
            "Temperature <0.7>",
            "Max tokens <2048>",
            "History <answers>",
            "Context <fail>",
            "System none",
        ],
        ["1 a t", "2 b t", "+ add a seat"],
        ["m t", "a t", "strategy <synthesize>", "instruction built in"],
    ]


def test_seats_are_counted_over_samples_and_not_over_what_is_off() -> None:
    proposers = (replace(A, samples=3), replace(B, enabled=False, samples=2), M)
    blocks = recipe.blocks(replace(DUO, layers=(Layer(proposers=proposers),)))
    assert lines(blocks[1])[:3] == ["1 a ×3 t", "b off t", "4 m t"]


def test_layers_that_differ_have_a_section_and_a_count_each() -> None:
    layers = (Layer(proposers=(A,)), Layer(proposers=(B,), repeat=2), Layer(proposers=(M,)))
    blocks = recipe.blocks(replace(DUO, layers=layers))

    assert lines(blocks[0])[1] == "Layers 4"
    assert [block.layers for block in blocks[1:4]] == ["layer 1", "layers 2-3", "layer 4"]
    assert lines(blocks[2]) == ["repeat <2>", "1 b t", "+ add a seat"]


def test_just_racing_has_an_aggregator_to_choose_or_a_quiet_one() -> None:
    voting = replace(DUO, aggregator=Aggregator(strategy="vote"))
    assert lines(recipe.blocks(voting)[-1])[:2] == ["choose a model", "strategy <vote>"]
    nobody = replace(DUO, aggregator=Aggregator(strategy="none"))
    assert lines(recipe.blocks(nobody)[-1])[:2] == [
        "choose a model",
        "strategy <none, just a race>",
    ]
    resting = replace(DUO, aggregator=replace(DUO.aggregator, strategy="none"))
    assert [line.tone for line in recipe.blocks(resting)[-1].lines[:2]] == ["quiet", "quiet"]


def test_options_tell_what_holds_and_quietly_what_isnt_the_agents_own() -> None:
    assert options(DUO, Place(1, 2)) == [
        ("samples 1>", False),
        ("temperature <0.7>", False),
        ("max tokens <2048>", False),
        ("top_p <unset", False),
        ("seed unset>", False),
        ("think <unset>", False),
        ("effort <unset>", False),
        ("num_ctx unset>", False),
        ("label none", False),
        ("system none", False),
    ]
    assert options(replace(DUO, layers=(Layer(proposers=(OWN,)),)), Place(1, 1)) == [
        ("samples <3>", True),
        ("temperature <0.2>", True),
        ("max tokens <100>", True),
        ("top_p <0.5>", True),
        ("seed <7>", True),
        ("think <off>", True),
        ("effort <low>", True),
        ("num_ctx <4096>", True),
        ("label poet", True),
        ("system Write verse,…", True),
    ]


def test_an_aggregator_is_asked_once() -> None:
    assert options(DUO, AGGREGATOR)[0] == ("temperature <0.7>", False)


@pytest.mark.parametrize(
    ("spot", "value"),
    [
        (Spot("layers"), "2"),
        (Spot("temperature"), "0.8"),
        (Spot("max_tokens"), "3072"),
        (Spot("history"), "off"),
        (Spot("context"), "trim"),
        (Spot("repeat", Place(1, 0)), "2"),
        (Spot("strategy"), "pick"),
        (Spot("option", Place(1, 1), "seed"), "1"),
    ],
)
def test_a_value_is_turned_and_turned_back(spot: Spot, value: str) -> None:
    turned = recipe.turned(DUO, spot, 1)

    rows = [line for block in recipe.blocks(turned, opened=Place(1, 1)) for line in block.lines]
    told = {line.spot: line.value for line in rows}
    # A lone group's repeat is told as the mixture's layers.
    assert told.get(spot, told[Spot("layers")]) == value
    if spot.kind != "option":
        assert recipe.turned(turned, spot, -1) == DUO


def test_where_a_value_ends_no_arrow_shows_and_turning_is_refused() -> None:
    spot = Spot("layers")
    assert (recipe.turns(DUO, spot, -1), recipe.is_end(DUO, spot, -1)) == (False, True)
    assert (recipe.turns(DUO, spot, 1), recipe.is_end(DUO, spot, 1)) == (True, False)
    with pytest.raises(ConfigError, match="at least one layer"):
        recipe.turned(DUO, spot, -1)
    assert not recipe.is_end(DUO, Spot("agent", Place(1, 1)), 1)


WRITTEN = [
    (Spot("temperature"), "0.65", "0.7"),
    (Spot("max_tokens"), "300", "2048"),
    (Spot("system"), "Be brief.", ""),
    (Spot("instruction"), "Merge: {references}", INSTRUCTION),
    (Spot("option", Place(1, 1), "samples"), "4", "1"),
    (Spot("option", Place(1, 1), "temperature"), "unset", ""),
    (Spot("option", Place(1, 1), "label"), "poet", ""),
    (Spot("option", AGGREGATOR, "system"), "Be fair.", ""),
    (Spot("option", Place(0, 2), "seed"), "42", ""),
]


@pytest.mark.parametrize(("spot", "text", "before"), WRITTEN)
def test_a_row_is_written_as_it_was_typed(spot: Spot, text: str, before: str) -> None:
    assert recipe.is_written(spot)
    assert recipe.written(DUO, spot) == before
    assert recipe.written(recipe.rewritten(DUO, spot, text), spot) == text


@pytest.mark.parametrize(
    "spot", [spot for spot, _, before in WRITTEN if before in ("", "1", INSTRUCTION)]
)
def test_an_own_value_is_taken_back_by_an_empty_text_or_by_asking(spot: Spot) -> None:
    text = next(text for known, text, _ in WRITTEN if known == spot)
    own = recipe.rewritten(DUO, spot, text)

    assert (recipe.resets(own, spot), recipe.resets(DUO, spot)) == (True, False)
    assert recipe.reset(own, spot) == recipe.rewritten(own, spot, " \n") == DUO


def test_the_programs_own_instruction_is_there_to_edit_and_unchanged_stays_its_own() -> None:
    spot = Spot("instruction")
    own = recipe.rewritten(DUO, spot, f"{recipe.written(DUO, spot)}\nBe brief.")
    assert own.aggregator.instruction == f"{INSTRUCTION}\nBe brief."
    assert recipe.rewritten(own, spot, INSTRUCTION) == DUO
    assert not recipe.resets(recipe.rewritten(DUO, spot, f" {INSTRUCTION}\n"), spot)


def test_only_prose_may_take_several_lines() -> None:
    assert [spot.name or spot.kind for spot, _, _ in WRITTEN if recipe.is_long(spot)] == [
        "system",
        "instruction",
        "system",
    ]
    assert not recipe.is_long(Spot("endpoint", name="system"))


def test_rows_without_a_value_refuse_all_of_it() -> None:
    name = Spot("name")
    assert (recipe.is_written(name), recipe.resets(DUO, name)) == (False, False)
    assert recipe.written(DUO, name) == ""
    with pytest.raises(ConfigError, match="nothing to turn here"):
        recipe.turned(DUO, name, 1)
    with pytest.raises(ConfigError, match="nothing to take back here"):
        recipe.reset(DUO, name)
    with pytest.raises(ConfigError, match="nothing to write here"):
        recipe.rewritten(DUO, name, "trio")


# Endpoints.


def state(
    name: str, status: EndpointStatus, *, local: bool = False, key: str = ""
) -> EndpointState:
    url = "http://127.0.0.1:1/v1" if local else "https://api.test/v1"
    return EndpointState(
        endpoint=Endpoint(name=name, kind="openai", base_url=url, api_key_env=key),
        status=status,
        models=(ModelInfo(id="m"),) * (6 if status == "found" else 0),
        message="401: the key\nis refused" if status == "failed" else "",
    )


def told(*states: EndpointState, used: tuple[str, ...] = ()) -> list[str]:
    block = recipe.endpoints(states, used)
    assert block is not None
    return [f"{line.state} {shown(line)}" for line in block.lines[:-1]]


def test_endpoints_say_what_is_known_of_them() -> None:
    assert told(
        state("ollama", "found", local=True),
        state("vendor", "found"),
        state("groq", "unasked", key="GROQ_API_KEY"),
        state("open", "unasked"),
        state("lab", "asking"),
        state("together", "failed"),
    ) == [
        "done ollama free 6 models",
        "done vendor 6 models",
        "queued groq key set",
        "queued open",
        "waiting lab asking",
        "failed together 401: the key is refused",
    ]


def test_an_endpoint_that_cant_answer_is_told_only_where_it_is_used() -> None:
    states = [
        state("vllm", "absent", local=True),
        state("lmstudio", "absent", local=True),
        state("openai", "no_key"),
        state("xai", "no_key"),
    ]
    assert told(*states) == []
    assert told(*states, used=("vllm", "xai")) == ["failed vllm not running", "retrying xai no key"]


def test_an_endpoint_that_nobody_knows_is_told() -> None:
    assert told(state("ollama", "found"), used=("lab", "ollama"))[1:] == ["failed lab unknown"]


def test_without_states_there_is_nothing_to_tell() -> None:
    assert recipe.endpoints((), {"ollama"}) is None
