"""The sidebar tells the mixture as it will run, in 33 columns, whatever its names are."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from moa_tui.engine.mixture import Agent, Aggregator, Layer, Mixture
from moa_tui.engine.provider import Endpoint, ModelInfo
from moa_tui.ui.look import Palette
from moa_tui.ui.ports import EndpointState
from moa_tui.ui.sidebar.sidebar import Sidebar
from moa_tui.ui.sidebar.sidebar_rows import window

if TYPE_CHECKING:
    from collections.abc import Sequence

    from moa_tui.ui.ports import EndpointStatus

PALETTE = Palette.of({})


def drawn(
    mixture: Mixture, *, states: Sequence[EndpointState] = (), saved: Mixture | None = None
) -> list[str]:
    """Return all rows as a reader sees them, without air and rule."""
    strips = Sidebar(mixture, states=states, saved=saved).draw(33, PALETTE)
    assert {strip.cell_length for strip in strips} == {33}
    assert {strip.text[-1] for strip in strips} == {"▕"}
    return [strip.text[:-1].rstrip() for strip in strips]


def rows(mixture: Mixture, *, saved: Mixture | None = None) -> list[str]:
    """Return them with neither lines nor room between."""
    return [" ".join(row.replace("─", "").split()) for row in drawn(mixture, saved=saved)]


def of(*proposers: Agent) -> Mixture:
    return Mixture(
        name="Some",
        layers=(Layer(proposers=proposers),),
        aggregator=Aggregator(agent=Agent(model="t/m")),
    )


def endpoint(name: str, *, status: EndpointStatus, message: str = "") -> EndpointState:
    return EndpointState(
        endpoint=Endpoint(name=name, kind="openai"), status=status, message=message
    )


def test_it_tells_settings_proposers_and_the_aggregator() -> None:
    mixture = Mixture(
        name="Desk two",
        layers=(
            Layer(
                proposers=(
                    Agent(model="ollama/llama3.2:3b", samples=2),
                    Agent(model="groq/openai/gpt-oss-20b", label="quick"),
                    Agent(model="ollama/off", enabled=False),
                ),
                repeat=2,
            ),
        ),
        aggregator=Aggregator(
            agent=Agent(model="ollama/qwen3:8b"), fallback=(Agent(model="groq/x"),)
        ),
    )

    assert rows(mixture) == [
        "",
        "Mixture",
        "Desk two",
        "Layers 2",
        "Temperature 0.7",
        "Max tokens 2048",
        "History answers",
        "",
        "Proposers",
        "1 llama3.2:3b ×2 ollama",
        "3 quick groq",
        "· off off ollama",
        "",
        "Aggregator",
        "★ qwen3:8b ollama",
        "else x groq",
        "strategy synthesize",
    ]


def test_layers_that_differ_have_a_section_each() -> None:
    first, second = (Layer(proposers=(Agent(model=f"t/{name}"),)) for name in "ab")
    mixture = Mixture(layers=(first, second), aggregator=Aggregator(strategy="none"))

    assert rows(mixture)[8:] == [
        "Proposers layer 1",
        "1 a t",
        "",
        "Proposers layer 2",
        "1 b t",
        "",
        "Aggregator",
        "strategy none, just a race",
    ]


def test_a_prompt_of_ones_own_is_told_to_readers_too() -> None:
    mixture = replace(
        of(Agent(model="t/a")),
        system="Be brief and fair.",
        aggregator=Aggregator(agent=Agent(model="t/m"), instruction="Merge: {references}"),
    )
    told = rows(mixture)
    assert told[7] == "System Be brief and…"
    assert told[-1] == "instruction own"


def test_what_differs_from_what_was_saved_is_called_edited() -> None:
    mixture = of(Agent(model="t/a"))
    assert rows(mixture)[2] == "Some"
    assert rows(mixture, saved=replace(mixture, temperature=0.1))[2] == "Some · edited"


def test_a_long_name_is_cut_and_what_stands_beside_it_stays_readable() -> None:
    agent = Agent(model="together/deepseek-ai/DeepSeek-V4-Pro-0813-extended-context")
    mixture = replace(
        of(agent, replace(agent, samples=12), replace(agent, enabled=False)),
        name="a preset whose name takes more than a row",
    )

    edited = drawn(mixture, saved=of(agent))
    assert [edited[2], *edited[9:12]] == [
        "   a preset whose nam… · edited",
        "   1 DeepSeek-V4-Pro…  together",
        "   2 DeepSeek-V4… ×12  together",
        "   · DeepSeek-V4… off  together",
    ]


def test_a_long_endpoint_keeps_its_telling_end_and_its_count() -> None:
    states = [
        EndpointState(
            endpoint=Endpoint(name=name, kind="ollama", base_url="http://127.0.0.1:1"),
            status="found",
            models=(ModelInfo(id="m"),) * count,
        )
        for name, count in (("ollama-local-11501", 1), ("ollama-local-11502", 12), ("lab-1", 1))
    ]
    agent = Agent(model="ollama-local-11501/llama3.2:3b")
    mixture = replace(of(agent), aggregator=Aggregator(agent=agent))
    told = drawn(mixture, states=states)
    assert told[9] == "   1 llama3.2:3b  ollama…-11501"
    assert told[-3:] == [
        "   ✓ ollama-l…al-11501  1 model",
        "   ✓ ollama-…l-11502  12 models",
        "   ✓ lab-1        1 model  free",
    ]


def test_an_endpoint_without_models_is_told_as_on_the_start_page() -> None:
    empty = EndpointState(
        endpoint=Endpoint(name="t", kind="ollama", base_url="http://127.0.0.1:1"), status="found"
    )
    assert drawn(of(Agent(model="t/a")), states=[empty])[-1] == "   ! t            no models yet"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("[b]bold[b]", "   1 [b]bold[b]               t"),
        ("x\x1b[2J\x07y", "   1 x␛[2J␇y                  t"),
        ("two\nlines\tone", "   1 two lines one            t"),
        ("通义千问大模型一二三四五六七八九十", "   1 通义千问大模型一二三四…  t"),
        ("e\u0301\u202egnp.exe", "   1 e\u0301\N{REPLACEMENT CHARACTER}gnp.exe                t"),
    ],
)
def test_a_hostile_name_stays_in_its_row(name: str, shown: str) -> None:
    assert drawn(of(Agent(model=f"t/{name}")))[9] == shown


def test_hostile_endpoints_and_presets_stay_in_their_rows() -> None:
    name = "[red]开放\x1b]0;x\x07" * 3
    state = EndpointState(
        endpoint=Endpoint(name=name, kind="openai"), status="failed", message=name
    )
    mixture = replace(of(Agent(model=f"{name}/a")), name=name)

    told = "\n".join(drawn(mixture, states=[state]))
    assert "\x1b" not in told
    assert "[red]开放" in told


def test_endpoints_say_what_they_can_in_their_row() -> None:
    states = [
        EndpointState(
            endpoint=Endpoint(name="t", kind="openai", base_url="http://127.0.0.1:1"),
            status="found",
            models=(ModelInfo(id="m"),),
        ),
        endpoint("lab", status="failed", message="nothing listens on 10.0.0.7:8000"),
        endpoint("a-name-longer-than-the-row-is", status="failed", message="401"),
        endpoint("groq", status="asking"),
    ]
    assert drawn(of(Agent(model="t/a")), states=states)[-5:] == [
        " Endpoints ────────────────────",
        "   ✓ t            1 model  free",
        "   ✗ lab  nothing listens on 1…",
        "   ✗ a-name-lon…the-row-is  401",
        "   ○ groq                asking",
    ]


def test_without_endpoints_there_is_no_section_of_them() -> None:
    assert "Endpoints" not in rows(of(Agent(model="t/a")))


def test_the_row_under_the_cursor_is_never_out_of_sight_nor_under_a_cue() -> None:
    for height in range(4, 9):
        for count in range(1, 20):
            last = max(0, count - height)
            for top in range(-2, count + 3):
                for at in range(count):
                    new = window(count, height, top, at)
                    first_free = new + (new > 0)
                    end_free = new + height - (new < last)
                    assert 0 <= new <= last
                    assert first_free <= at < end_free


def test_a_window_moves_no_more_than_it_must() -> None:
    assert window(40, 10, 5, 9) == 5
    assert window(40, 10, 5, 14) == 6
    assert window(40, 10, 5, 5) == 4
    assert window(40, 10, 35, None) == 30
