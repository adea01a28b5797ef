from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from moa_tui.engine.mixture import Agent, Aggregator, Layer, Mixture
from moa_tui.errors import ConfigError
from moa_tui.presets import Presets
from moa_tui.shipped import PRESETS
from moa_tui.text import clean, looks_like_key, one_line

SMALL = '[[layers]]\nproposers = ["a/b"]\n[aggregator]\nmodel = "a/b"\n'


def race(*models: str, name: str = "mine") -> Mixture:
    layer = Layer(proposers=tuple(Agent(model=model) for model in models or ("a/b",)))
    return Mixture(name=name, layers=(layer,), aggregator=Aggregator(strategy="none"))


def is_safe(text: str) -> bool:
    return clean(text) == text and not looks_like_key(text) and "http" not in text


# What a mixture's fields may hold once it came from a preset or from the screen.
PROSE = some.text(max_size=80).map(clean).filter(is_safe)
LINE = PROSE.map(one_line).filter(is_safe)
MODEL = some.builds(
    "{}/{}".format,
    some.from_regex(r"[a-z][a-z0-9-]{0,8}", fullmatch=True),
    some.text(max_size=12).map(lambda text: clean(text) or "x"),
).filter(is_safe)
TEMPERATURE = some.one_of(some.floats(0, 2), some.just("unset"))
COUNT = some.integers(1, 10**6)
AGENT = some.builds(
    Agent,
    model=MODEL,
    temperature=some.none() | TEMPERATURE,
    max_tokens=some.none() | COUNT,
    system=some.none() | PROSE,
    label=LINE,
    top_p=some.none() | some.floats(0.001, 1),
    seed=some.none() | some.integers(-(2**63), 2**63 - 1),
    stop=some.lists(PROSE, max_size=3).map(tuple),
    think=some.none() | some.booleans(),
    effort=some.none() | LINE,
    num_ctx=some.none() | COUNT,
)
PROPOSER = some.builds(replace, AGENT, samples=some.integers(1, 4), enabled=some.booleans())
LAYER = some.builds(
    Layer,
    proposers=some.builds(
        lambda first, others: (first, *others), AGENT, some.lists(PROPOSER, max_size=3)
    ),
    repeat=some.integers(1, 3),
)
AGGREGATOR = some.builds(
    Aggregator,
    agent=AGENT,
    strategy=some.sampled_from(["synthesize", "pick", "vote", "refine", "none"]),
    fallback=some.lists(AGENT, max_size=2).map(tuple),
    instruction=some.just("") | PROSE.map(lambda text: f"{text}\n{{references}}"),
    placement=some.sampled_from(["system", "user"]),
)
MIXTURE = some.builds(
    Mixture,
    name=some.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,20}", fullmatch=True) | some.just("写作"),
    layers=some.lists(LAYER, min_size=1, max_size=3).map(tuple),
    aggregator=AGGREGATOR,
    description=LINE,
    system=PROSE,
    history=some.sampled_from(["answers", "off"]),
    temperature=TEMPERATURE,
    max_tokens=COUNT,
    # One seat is what every layer has.
    min_proposals=some.just(1),
    quorum=some.none() | some.integers(3, 9),
    deadline_s=some.none() | some.floats(0.1, 1e6),
)


@settings(max_examples=50, deadline=None)
@given(mixture=MIXTURE)
def test_what_is_saved_is_what_is_loaded(mixture: Mixture) -> None:
    with tempfile.TemporaryDirectory() as folder:
        presets = Presets((Path(folder),))
        assert presets.load(presets.save(mixture)) == mixture


@pytest.mark.parametrize("mixture", Presets((PRESETS,)).all()[0], ids=lambda mixture: mixture.name)
def test_every_shipped_preset_can_be_saved_as_ones_own(mixture: Mixture, tmp_path: Path) -> None:
    presets = Presets((PRESETS, tmp_path))
    presets.save(mixture)
    assert presets.load(mixture.name) == mixture
    assert presets.origin(mixture.name) == "yours for shipped"


def test_a_saved_preset_reads_like_one_that_a_person_wrote(tmp_path: Path) -> None:
    poet = Agent(model="ollama/mistral", temperature=0.9, samples=2, system="Rhyme.\nAlways.")
    small = Agent(model="ollama/phi3:instruct")
    mixture = Mixture(
        name="poets",
        description="Two poets",
        system="Be brief.\nBe kind.",
        layers=(
            Layer(proposers=(small, poet), repeat=2),
            Layer(proposers=(Agent(model="a/b", stop=("END", '"')),)),
        ),
        aggregator=Aggregator(
            # A proposer that was made the aggregator keeps what means nothing there.
            agent=Agent(model="ollama/llama3", samples=3),
            fallback=(small,),
            instruction="Merge:\n{references}",
        ),
    )
    Presets((tmp_path,)).save(mixture)
    assert (tmp_path / "poets.toml").read_text("utf-8") == (
        'description = "Two poets"\n'
        'system = """\nBe brief.\nBe kind."""\n'
        "\n"
        "[[layers]]\n"
        "repeat = 2\n"
        "proposers = [\n"
        '  "ollama/phi3:instruct",\n'
        '  { model = "ollama/mistral", temperature = 0.9, system = "Rhyme.\\nAlways.",'
        " samples = 2 },\n"
        "]\n"
        "\n"
        "[[layers]]\n"
        'proposers = [{ model = "a/b", stop = ["END", "\\""] }]\n'
        "\n"
        "[aggregator]\n"
        'model = "ollama/llama3"\n'
        'instruction = """\nMerge:\n{references}"""\n'
        'strategy = "synthesize"\n'
        'fallback = ["ollama/phi3:instruct"]\n'
    )


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("mine", "mine"),
        ("  My  mixture 2 ", "My-mixture-2"),
        ("a_b-c", "a_b-c"),
        ("写作 三", "写作-三"),
        ("e\N{COMBINING ACUTE ACCENT}te", "\N{LATIN SMALL LETTER E WITH ACUTE}te"),
    ],
)
def test_a_name_becomes_a_file_with_dashes_for_spaces(tmp_path: Path, name: str, file: str) -> None:
    presets = Presets((tmp_path,))
    assert presets.save(race(name=name)) == file
    assert [path.name for path in tmp_path.iterdir()] == [f"{file}.toml"]
    assert presets.load(file).name == file


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "the preset needs a name"),
        ("  ", "the preset needs a name"),
        ("../x", '"../x" is no name for a preset: use letters, digits, - and _, and a letter or'),
        ("/etc/passwd", '"/etc/passwd" is no name for a preset'),
        (".hidden", '".hidden" is no name for a preset'),
        ("-x", '"-x" is no name for a preset'),
        ("a.b", '"a.b" is no name for a preset'),
        ("a\0b", '"a␀b" is no name for a preset'),
        ("x" * 61, f'"{"x" * 59}…" is too long for a name: at most 60 letters'),
    ],
)
def test_what_can_not_be_a_name_is_refused_in_words(
    tmp_path: Path, name: str, message: str
) -> None:
    folder = tmp_path / "presets"
    with pytest.raises(ConfigError) as caught:
        Presets((folder,)).save(race(name=name))
    assert str(caught.value).startswith(message)
    assert not folder.exists()


def test_a_file_of_the_users_own_naming_keeps_its_name(tmp_path: Path) -> None:
    (tmp_path / "Mine (2).toml").write_text(SMALL, "utf-8")
    presets = Presets((tmp_path,))
    assert presets.save(race(name="Mine (2)")) == "Mine (2)"
    assert presets.load("Mine (2)") == race(name="Mine (2)")


@pytest.mark.parametrize(
    ("system", "message"),
    [
        ("see https://evil.example", "system is or has a URL: a preset names endpoints"),
        ("use gsk_abcdefghijklmnop1234", "system looks like a key: keys stay in the environment"),
    ],
)
def test_a_url_or_a_key_is_not_saved(tmp_path: Path, system: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Presets((tmp_path,)).save(replace(race(), system=system))
    assert list(tmp_path.iterdir()) == []


def test_hostile_texts_are_saved_safe(tmp_path: Path) -> None:
    presets = Presets((tmp_path,))
    presets.save(replace(race(), description="a\x1b[2J\nb", system="half \ud83d"))
    assert (
        (tmp_path / "mine.toml")
        .read_text("utf-8")
        .startswith('description = "a␛[2J b"\nsystem = "half ?"\n')
    )


def test_a_preset_that_was_edited_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    presets = Presets((tmp_path,))
    presets.save(race("a/b"))
    read = presets.load("mine")
    path = tmp_path / "mine.toml"
    path.write_text(SMALL, "utf-8")
    with pytest.raises(ConfigError) as caught:
        presets.save(race("c/d"), over=read)
    assert str(caught.value) == (
        f"{path} has changed since it was read: choose it again, or save under another name"
    )
    assert path.read_text("utf-8") == SMALL


def test_a_preset_that_was_not_edited_is_replaced(tmp_path: Path) -> None:
    presets = Presets((tmp_path,))
    presets.save(race("a/b"))
    presets.save(race("c/d"), over=presets.load("mine"))
    presets.save(race("e/f"))
    assert presets.load("mine") == race("e/f")


def test_saving_over_a_shipped_preset_makes_ones_own(tmp_path: Path) -> None:
    presets = Presets((PRESETS, tmp_path))
    shipped = presets.load("groq")
    presets.save(replace(shipped, temperature=0.1), over=shipped)
    assert presets.load("groq") == replace(shipped, temperature=0.1)


def test_a_broken_preset_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("zzz = 1\n", "utf-8")
    with pytest.raises(ConfigError) as caught:
        Presets((tmp_path,)).save(race())
    assert str(caught.value) == (
        f"{path}: zzz is no known key; mend it first, or save under another name"
    )
    assert path.read_text("utf-8") == "zzz = 1\n"


def test_a_preset_that_is_edited_by_hand_is_read_anew(tmp_path: Path) -> None:
    presets = Presets((tmp_path,))
    presets.save(race("c/d"))
    presets.load("mine")
    (tmp_path / "mine.toml").write_text(f'description = "new"\n{SMALL}', "utf-8")
    assert presets.load("mine").description == "new"


def test_a_preset_tells_whose_it_is(tmp_path: Path) -> None:
    ours, theirs = tmp_path / "shipped", tmp_path / "presets"
    for folder, name in ((ours, "both"), (ours, "shipped"), (theirs, "both"), (theirs, "mine")):
        folder.mkdir(exist_ok=True)
        (folder / f"{name}.toml").write_text(SMALL, "utf-8")
    presets = Presets((ours, theirs))
    assert {name: presets.origin(name) for name in presets.names()} == {
        "both": "yours for shipped",
        "mine": "yours",
        "shipped": "shipped",
    }


def test_only_ones_own_preset_can_be_deleted(tmp_path: Path) -> None:
    presets = Presets((PRESETS, tmp_path))
    presets.save(replace(race(), name="groq"))
    presets.delete("groq")
    assert presets.origin("groq") == "shipped"
    with pytest.raises(ConfigError, match="groq comes with the program and stays"):
        presets.delete("groq")
    with pytest.raises(ConfigError, match='no preset is called "groqq"; did you mean "groq"'):
        presets.delete("groqq")


def test_a_deleted_preset_comes_back_byte_by_byte_unless_its_name_is_taken(tmp_path: Path) -> None:
    presets = Presets((PRESETS, tmp_path))
    path = tmp_path / "mine.toml"
    content = b"# as I wrote it\r\n" + SMALL.encode()
    path.write_bytes(content)
    restore = presets.delete("mine")
    assert not path.exists()
    restore()
    assert path.read_bytes() == content
    with pytest.raises(ConfigError, match="there is another preset mine by now"):
        restore()
    assert path.read_bytes() == content


def test_only_ones_own_preset_is_renamed_and_never_over_another(tmp_path: Path) -> None:
    presets = Presets((PRESETS, tmp_path))
    for name in ("one", "two"):
        (tmp_path / f"{name}.toml").write_text(SMALL, "utf-8")
    assert presets.rename("one", " for  work ") == "for-work"
    assert presets.rename("for-work", "for-work") == "for-work"
    with pytest.raises(ConfigError, match=r"two\.toml exists already"):
        presets.rename("for-work", "two")
    with pytest.raises(ConfigError, match="is no name for a preset"):
        presets.rename("for-work", "../two")
    with pytest.raises(ConfigError, match="groq comes with the program and stays"):
        presets.rename("groq", "mine")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["for-work.toml", "two.toml"]


def test_hostile_file_names_are_listed_safe(tmp_path: Path) -> None:
    (tmp_path / "x\x1b[2J.toml").write_text(SMALL, "utf-8")
    presets = Presets((tmp_path,))
    assert presets.names() == ("x␛[2J",)
    assert presets.load("x␛[2J").name == "x␛[2J"
