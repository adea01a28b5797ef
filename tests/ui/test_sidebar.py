"""The sidebar tells the mixture as it will run."""

from __future__ import annotations

from moa_tui.engine.mixture import Agent, Aggregator, Layer, Mixture
from moa_tui.ui.look import Palette
from moa_tui.ui.sidebar import Sidebar


def rows(mixture: Mixture) -> list[str]:
    strips = Sidebar(mixture).draw(33, Palette.of({}))
    assert {strip.cell_length for strip in strips} == {33}
    return [" ".join(strip.text.rstrip("▕ ").replace("─", "").split()) for strip in strips]


def test_it_tells_settings_seats_and_the_aggregator() -> None:
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
        "1 llama3.2:3b ollama",
        "2 llama3.2:3b ollama",
        "3 quick groq",
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


def test_a_long_name_is_cut_and_the_endpoint_stays_readable() -> None:
    agent = Agent(model="together/deepseek-ai/DeepSeek-V4-Pro-0813-extended-context")
    mixture = Mixture(layers=(Layer(proposers=(agent,)),), aggregator=Aggregator(agent=agent))

    assert rows(mixture)[9] == "1 DeepSeek-V4-Pro-… togeth…"
