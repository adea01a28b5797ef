from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from moa_tui.engine.mixture import Agent, Aggregator, Layer, Mixture
from moa_tui.errors import ConfigError
from moa_tui.presets import Presets, load
from moa_tui.shipped import PRESETS

if TYPE_CHECKING:
    from pathlib import Path

    from moa_tui.engine.mixture import StrategyName

SMALL = '[[layers]]\nproposers = ["a/b"]\n[aggregator]\nmodel = "a/b"\n'

POET = (  # TOML wants an inline table on one line
    'temperature = 0.9, max_tokens = 512, samples = 2, system = "Rhyme.", label = "poet", '
    'enabled = false, top_p = 0.5, seed = -1, stop = ["END"], think = false, effort = "low", '
    "num_ctx = 4096"
)


def preset(folder: Path, text: str, name: str = "mine") -> Path:
    path = folder / f"{name}.toml"
    path.write_text(text, "utf-8")
    return path


def mistake(folder: Path, text: str) -> str:
    """Return what loading the preset says, without the path at its start."""
    path = preset(folder, text)
    with pytest.raises(ConfigError) as caught:
        load(path)
    message = str(caught.value)
    assert message.startswith(f"{path}")
    return message.removeprefix(f"{path}").removeprefix(": ")


def test_every_key_of_the_format_arrives(tmp_path: Path) -> None:
    path = preset(
        tmp_path,
        """
        description = "phi3, llama3 and mistral"
        system = "Be brief."
        history = "off"
        temperature = 0.3
        max_tokens = 100
        min_proposals = 2
        quorum = 3
        deadline_s = 90
        context = "fail"

        [[layers]]
        repeat = 2
        proposers = [
          "ollama/phi3:instruct",
          "ollama/mistral",
          { model = "groq/openai/gpt-oss-20b", POET },
        ]
        [[layers]]
        proposers = ["ollama/llama3:instruct", "ollama/mistral"]

        [aggregator]
        model = "ollama/llama3:instruct"
        temperature = "unset"
        strategy = "synthesize"
        fallback = ["groq/a", { model = "groq/b", max_tokens = 5 }]
        instruction = "Merge: {references}"
        placement = "user"
        """.replace("POET", POET),
    )
    poet = Agent(
        model="groq/openai/gpt-oss-20b",
        temperature=0.9,
        max_tokens=512,
        samples=2,
        system="Rhyme.",
        label="poet",
        enabled=False,
        top_p=0.5,
        seed=-1,
        stop=("END",),
        think=False,
        effort="low",
        num_ctx=4096,
    )
    mistral = Agent(model="ollama/mistral")
    assert load(path) == Mixture(
        name="mine",
        description="phi3, llama3 and mistral",
        system="Be brief.",
        history="off",
        temperature=0.3,
        max_tokens=100,
        min_proposals=2,
        quorum=3,
        deadline_s=90.0,
        layers=(
            Layer(proposers=(Agent(model="ollama/phi3:instruct"), mistral, poet), repeat=2),
            Layer(proposers=(Agent(model="ollama/llama3:instruct"), mistral)),
        ),
        aggregator=Aggregator(
            agent=Agent(model="ollama/llama3:instruct", temperature="unset"),
            fallback=(Agent(model="groq/a"), Agent(model="groq/b", max_tokens=5)),
            instruction="Merge: {references}",
            placement="user",
        ),
    )


@pytest.mark.parametrize("strategy", ["vote", "none"])
def test_a_race_and_a_vote_need_no_aggregator(tmp_path: Path, strategy: StrategyName) -> None:
    path = preset(tmp_path, SMALL.replace('model = "a/b"', f'strategy = "{strategy}"'))
    assert load(path).aggregator == Aggregator(strategy=strategy)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            '[aggregator]\nmodel = "a/b"\n',
            "the mixture has no layers: add [[layers]] with proposers",
        ),
        (SMALL.replace('["a/b"]', "[]"), "layer 1 has no enabled proposers"),
        (
            SMALL.replace("[aggregator]\n", "").replace('model = "a/b"\n', ""),
            "the strategy 'synthesize' needs an aggregator model",
        ),
        (SMALL.replace('["a/b"]', '["b"]'), "model 'b': write it as endpoint/model, like"),
        (SMALL.replace('["a/b"]', "[3]"), "layers[1].proposers[1] must be a table"),
        (SMALL.replace('["a/b"]', "[{}]"), "layers[1].proposers[1] needs a model, like ollama/"),
        (SMALL.replace('["a/b"]', '"a/b"'), "layers[1].proposers must be a list"),
        (f"temprature = 1\n{SMALL}", 'temprature is no known key; did you mean "temperature"?'),
        (f"zzz = 1\n{SMALL}", "zzz is no known key"),
        (f"zzz = 1\nyyy = 1\n{SMALL}", "zzz is no known key (and 1 more)"),
        (SMALL + "modle = 1\n", 'aggregator.modle is no known key; did you mean "model"?'),
        (
            SMALL.replace('["a/b"]', '["a/b", { model = "a/c", sample = 2 }]'),
            'layers[1].proposers[2].sample is no known key; did you mean "samples"?',
        ),
        (f"temperature = 3\n{SMALL}", "temperature of the mixture must be from 0 to 2"),
        (f'temperature = "hot"\n{SMALL}', "temperature must be a number at least 0"),
        (
            SMALL.replace('["a/b"]', '[{ model = "a/b", samples = 1000000000 }]'),
            "samples of 'a/b': a layer has at most 64 seats",
        ),
        (
            SMALL.replace("proposers", "repeat = 1000000000\nproposers"),
            "repeat: a mixture has at most 32 proposer layers",
        ),
        (f"min_proposals = 3\n{SMALL}", "min_proposals is 3, but layer 1 has only 1 seat"),
        (f"max_tokens = {10**400}\n{SMALL}", "max_tokens must be at most 2147483647"),
        (f"temperature = {10**400}\n{SMALL}", "temperature must be at most 2147483647"),
        (f"deadline_s = -{10**400}\n{SMALL}", "deadline_s must be a number above 0"),
        (f"{SMALL}seed = {2**63}\n", "aggregator.seed must be at most 9223372036854775807"),
        (f"max_tokens = {'9' * 5000}\n{SMALL}", "a number in it has too many digits"),
        (f"quorum = 1\nmin_proposals = 2\n{SMALL}", "quorum = 1 is below min_proposals = 2"),
        (f'history = "all"\n{SMALL}', "history must be one of answers, off"),
        (f'context = "cut"\n{SMALL}', "context must be one of fail, trim, refine"),
        (
            SMALL.replace('model = "a/b"', 'strategy = "pick"'),
            "the strategy 'pick' needs an aggregator model",
        ),
        (
            SMALL + 'strategy = "synthesise"\n',
            "aggregator.strategy must be one of synthesize, pick, vote, refine, none; did you",
        ),
        (SMALL + 'instruction = "Merge"\n', "aggregator.instruction must contain {references}"),
        ("[[layers]\n", ", line 1, column 9: Expected ']]' at the end of an array declaration"),
    ],
)
def test_a_mistake_is_told_with_file_and_key(tmp_path: Path, text: str, message: str) -> None:
    assert mistake(tmp_path, text).startswith(message)


@pytest.mark.parametrize(
    "text",
    [
        SMALL.replace('["a/b"]', '["https://evil.example/v1/b"]'),
        f'description = "see http://evil.example"\n{SMALL}',
        f'"https://evil.example" = 1\n{SMALL}',
        SMALL.replace('["a/b"]', '[{ model = "a/b", stop = ["www.evil.example"] }]'),
    ],
)
def test_a_url_is_refused_wherever_it_stands(tmp_path: Path, text: str) -> None:
    message = mistake(tmp_path, text)
    assert "is or has a URL: a preset names endpoints, config.toml says where" in message


@pytest.mark.parametrize(
    "text",
    [
        f'system = "use sk-abcdefghijklmnop1234"\n{SMALL}',
        SMALL.replace('["a/b"]', '["a/gsk_abcdefghijklmnop1234"]'),
        f"gsk_abcdefghijklmnop1234 = 1\n{SMALL}",
    ],
)
def test_a_key_is_refused_and_never_shown(tmp_path: Path, text: str) -> None:
    message = mistake(tmp_path, text)
    assert "looks like a key: keys stay in the environment, never in a preset" in message
    assert "abcdefghijklmnop" not in message


def test_prose_about_keys_is_no_key(tmp_path: Path) -> None:
    path = preset(tmp_path, f'system = "Explain key-value-databases."\n{SMALL}')
    assert load(path).system == "Explain key-value-databases."


def test_hostile_names_and_texts_are_made_safe(tmp_path: Path) -> None:
    path = preset(
        tmp_path,
        'description = "a\\u001b]0;x\\u0007\\nb"\nsystem = "\\u202edcba"\n' + SMALL,
        name="x\x1b[2J",
    )
    mixture = load(path)
    assert (mixture.name, mixture.description, mixture.system) == (
        "x␛[2J",
        "a␛]0;x␇ b",
        "\N{REPLACEMENT CHARACTER}dcba",
    )


def test_a_preset_that_names_an_unknown_endpoint_loads(tmp_path: Path) -> None:
    assert load(preset(tmp_path, SMALL)).aggregator.agent == Agent(model="a/b")


def test_the_users_preset_wins_over_a_shipped_one_of_the_same_name(tmp_path: Path) -> None:
    ours, theirs = tmp_path / "shipped", tmp_path / "presets"
    ours.mkdir()
    theirs.mkdir()
    preset(ours, SMALL, "both")
    preset(ours, SMALL, "only-shipped")
    preset(theirs, f'description = "mine"\n{SMALL}', "both")
    presets = Presets((ours, theirs))
    assert presets.names() == ("both", "only-shipped")
    assert presets.load("both").description == "mine"


def test_a_broken_preset_leaves_the_others_on_the_list(tmp_path: Path) -> None:
    preset(tmp_path, SMALL, "good")
    broken = preset(tmp_path, "zzz = 1\n", "bad")
    mixtures, mistakes = Presets((tmp_path, tmp_path / "nowhere")).all()
    assert [mixture.name for mixture in mixtures] == ["good"]
    assert mistakes == (f"{broken}: zzz is no known key",)


def test_an_unknown_preset_is_refused_with_the_nearest_one(tmp_path: Path) -> None:
    presets = Presets((PRESETS, tmp_path))
    with pytest.raises(ConfigError, match=r'no preset is called "demp"; did you mean "demo"\?'):
        presets.load("demp")
    with pytest.raises(ConfigError, match=r"no preset is called .*; moa-tui presets lists them"):
        presets.load("../../etc/passwd")


def test_a_presets_source_is_shown_as_it_stands_but_safe(tmp_path: Path) -> None:
    preset(tmp_path, f"# note \x1b[2J\n{SMALL}")
    assert Presets((tmp_path,)).source("mine") == f"# note ␛[2J\n{SMALL}"


def test_keys_nested_too_deeply_are_a_mistake(tmp_path: Path) -> None:
    assert "is nested too deeply" in mistake(tmp_path, f"{'a.' * 3000}a = 1\n{SMALL}")


def test_what_is_no_regular_file_is_never_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.toml")
    presets = Presets((tmp_path,))
    for read in (presets.load, presets.source):
        with pytest.raises(ConfigError, match=r"pipe\.toml can't be read: it is no regular file"):
            read("pipe")


def test_a_link_to_a_preset_is_one(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "mine.toml").symlink_to(preset(tmp_path / "elsewhere", SMALL))
    assert Presets((tmp_path,)).load("mine").name == "mine"


def test_the_last_resort_is_the_shipped_one(tmp_path: Path) -> None:
    preset(tmp_path, "zzz = 1\n", "embedded")
    presets = Presets((PRESETS, tmp_path))
    assert presets.last_resort() == load(PRESETS / "embedded.toml")
