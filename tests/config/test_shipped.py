from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

import pytest
from terminal import Terminal

from moa_tui.config import KNOWN_ENDPOINTS
from moa_tui.engine.mixture import BEST
from moa_tui.presets import Presets
from moa_tui.shipped import PRESETS
from moa_tui.shipped.demo import demo_topics, pieces, topic_for
from moa_tui.ui.words import EXAMPLES

if TYPE_CHECKING:
    from pathlib import Path

    from moa_tui.engine.mixture import Mixture

MIXTURES, MISTAKES = Presets((PRESETS,)).all()


def test_every_shipped_preset_can_be_read() -> None:
    assert MISTAKES == ()
    assert {mixture.name: mixture.calls for mixture in MIXTURES} == {
        "demo": 4,
        "embedded": 4,
        "groq": 4,
        "groq-2024": 5,
        "local-coder": 4,
        "local-trio": 4,
        "paper-lite": 7,
        "paper-moa": 13,
        "sceptic": 4,
        "together": 5,
        "translate": 4,
        "write": 4,
    }


@pytest.mark.parametrize("mixture", MIXTURES, ids=lambda mixture: mixture.name)
def test_a_shipped_preset_names_known_endpoints_and_says_what_it_is(mixture: Mixture) -> None:
    known = {BEST, *(endpoint.name for endpoint in KNOWN_ENDPOINTS)}
    assert {agent.endpoint for agent in mixture.agents} <= known
    assert 20 <= len(mixture.description) <= 90


def test_the_demo_has_a_text_of_every_model_for_every_topic() -> None:
    demo = next(mixture for mixture in MIXTURES if mixture.name == "demo")
    models = sorted(agent.model_name for agent in demo.agents)
    assert [sorted(topic.voices) for topic in demo_topics()] == [models] * 4


def test_one_model_of_each_topic_reasons_and_all_speak_at_a_speed_worth_watching() -> None:
    for topic in demo_topics():
        assert sum(bool(voice.thinking) for voice in topic.voices.values()) == 1
        assert all(38 <= voice.rate <= 90 for voice in topic.voices.values())
        assert all(0 < voice.first_s < 1 for voice in topic.voices.values())


def test_the_screens_example_prompts_have_texts_of_their_own() -> None:
    topics = demo_topics()
    assert [topic_for(topics, prompt).prompt for prompt in EXAMPLES] == list(EXAMPLES)


def test_a_topic_is_found_however_its_prompt_is_written() -> None:
    topics = demo_topics()
    found = topic_for(topics, "  implement a snake\ngame using PYTHON. ")
    assert found.prompt == "Implement a Snake game using Python."


def test_any_other_prompt_gets_texts_that_say_what_they_are() -> None:
    topic = topic_for(demo_topics(), "Why is the sky blue?")
    assert topic.prompt == ""
    assert all("demo" in voice.text.casefold()[:60] for voice in topic.voices.values())


def test_pieces_are_about_tokens_and_add_up_to_the_text() -> None:
    for topic in demo_topics():
        for voice in topic.voices.values():
            cut = list(pieces(voice.text))
            assert "".join(cut) == voice.text
            assert max(len(piece.strip()) for piece in cut) <= 5


@pytest.mark.parametrize(("number", "score"), [(1, "Score"), (2, "分数")])
def test_the_merged_snake_runs_until_it_meets_the_wall(
    tmp_path: Path, number: int, score: str
) -> None:
    text = demo_topics()[number].voices["quill"].text
    code = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    assert code is not None
    game = tmp_path / "snake.py"
    game.write_text(code[1], "utf-8")
    with Terminal([sys.executable, str(game)], columns=24, rows=8) as terminal:
        terminal.wait_for(lambda screen: score in screen and "@" in screen and "*" in screen)
        assert terminal.wait() == 0
        assert "Traceback" not in terminal.text
