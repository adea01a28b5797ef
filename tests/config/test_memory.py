from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from moa_tui import config
from moa_tui.engine.provider import Endpoint
from moa_tui.errors import ConfigError
from moa_tui.memory import StateFile

if TYPE_CHECKING:
    from pathlib import Path

KEY = "gsk_abcdefghijklmnop1234"


def written(folder: Path) -> str:
    return (folder / "state.toml").read_text("utf-8")


def test_what_is_remembered_is_read_at_the_next_start(tmp_path: Path) -> None:
    memory = StateFile(tmp_path / "config")
    memory.remember("preferences", "theme", "moa-light")
    memory.remember("preferences", "last_preset", "groq")
    memory.remember("preferences", "notify", False)  # noqa: FBT003 - a value like any other
    settings, notices = config.load(tmp_path / "config", {})
    assert notices == ()
    assert settings.preferences == config.Preferences(
        theme="moa-light", last_preset="groq", notify=False
    )


def test_what_a_newer_version_wrote_is_kept(tmp_path: Path) -> None:
    (tmp_path / "state.toml").write_text(
        'later = 1\n[preferences]\nzoom = "big"\n[layout]\nx = [1, 2]\n', "utf-8"
    )
    StateFile(tmp_path).remember("layout", "sidebar", 30)
    assert written(tmp_path) == (
        'later = 1\n\n[preferences]\nzoom = "big"\n\n[layout]\nx = [\n    1,\n    2,\n]\n'
        "sidebar = 30\n"
    )


def test_only_state_says_what_was_used_last(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('[preferences]\nlast_preset = "x"\n', "utf-8")
    settings, notices = config.load(tmp_path, {})
    assert settings.preferences.last_preset == ""
    assert notices == (
        f'{tmp_path}/config.toml: preferences.last_preset is no known key; did you mean "preset"?',
    )


def test_config_is_never_written(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('# mine\n[preferences]\ntheme = "a"\n', "utf-8")
    StateFile(tmp_path).remember("preferences", "theme", "b")
    assert path.read_text("utf-8") == '# mine\n[preferences]\ntheme = "a"\n'
    assert config.load(tmp_path, {})[0].preferences.theme == "a"


@pytest.mark.parametrize(
    ("endpoint", "text"),
    [
        (
            Endpoint(name="lab", kind="openai", base_url="https://lab.example/v1", label="Lab"),
            '[endpoints.lab]\nkind = "openai"\nbase_url = "https://lab.example/v1"\n',
        ),
        (
            Endpoint(
                name="lab-2",
                kind="ollama",
                base_url="http://lab.example:11434",
                api_key_env="LAB_KEY",
                headers={"X": "y"},
            ),
            (
                '[endpoints.lab-2]\nkind = "ollama"\nbase_url = "http://lab.example:11434"\n'
                'api_key_env = "LAB_KEY"\n'
            ),
        ),
    ],
)
def test_an_added_endpoint_is_written_as_config_would_have_it(
    tmp_path: Path, endpoint: Endpoint, text: str
) -> None:
    StateFile(tmp_path).remember_endpoint(endpoint)
    assert written(tmp_path) == text
    found = config.load(tmp_path, {})[0].endpoint(endpoint.name)
    assert (found.kind, found.base_url) == (endpoint.kind, endpoint.base_url)


def test_an_endpoint_that_is_added_again_changes_only_what_it_says(tmp_path: Path) -> None:
    (tmp_path / "state.toml").write_text(
        '[endpoints.lab]\nbase_url = "http://old:1"\nidle_s = 5\n[endpoints.other]\nx = 1\n',
        "utf-8",
    )
    StateFile(tmp_path).remember_endpoint(
        Endpoint(name="lab", kind="openai", base_url="http://new:2")
    )
    assert written(tmp_path) == (
        '[endpoints.lab]\nbase_url = "http://new:2"\nidle_s = 5\nkind = "openai"\n\n'
        "[endpoints.other]\nx = 1\n"
    )


def test_an_endpoint_that_is_forgotten_can_be_written_again_as_it_was(tmp_path: Path) -> None:
    before = '[endpoints.lab]\nbase_url = "http://lab:1"\nidle_s = 5\n'
    (tmp_path / "state.toml").write_text(f"later = 1\n\n{before}", "utf-8")
    put_back = StateFile(tmp_path).forget_endpoint("lab")
    assert written(tmp_path) == "later = 1\n"
    put_back()
    assert written(tmp_path) == f"later = 1\n\n{before}"


def test_only_what_state_alone_has_was_added(tmp_path: Path) -> None:
    table = '[endpoints.{}]\nbase_url = "http://x:1"\n'.format
    (tmp_path / "state.toml").write_text("".join(map(table, ("a", "b", "groq"))), "utf-8")
    (tmp_path / "config.toml").write_text("".join(map(table, ("b", "c"))), "utf-8")
    assert config.load(tmp_path, {})[0].added == {"a"}


@pytest.mark.parametrize(
    ("name", "url", "variable", "message"),
    [
        ("a/b", "http://x", "", '"a/b" is no name for an endpoint: use letters, digits'),
        ("lab", f"http://x/{KEY}", "", "the URL of lab must not contain a key or a password"),
        ("lab", "x", "", "the URL of lab must be a URL like http://localhost:8000/v1"),
        ("lab", "http://me:pw@x", "", "the URL of lab must not contain a key or a password"),
        ("lab", "http://x", KEY, "the key of lab must be the NAME of an environment variable"),
        ("lab", "http://x", "two words", "the key of lab must be the NAME of an environment"),
    ],
)
def test_an_endpoint_that_could_not_be_read_again_is_refused(
    tmp_path: Path, name: str, url: str, variable: str, message: str
) -> None:
    endpoint = Endpoint(name=name, kind="openai", base_url=url, api_key_env=variable)
    with pytest.raises(ConfigError) as caught:
        StateFile(tmp_path).remember_endpoint(endpoint)
    assert str(caught.value).startswith(message)
    assert KEY not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_value_that_looks_like_a_key_is_never_written(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        StateFile(tmp_path).remember("preferences", "preset", f"see {KEY}")
    assert KEY not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[preferences\n", ", line 1, column 13: Expected ']' at the end of a table declaration"),
        ("preferences = 1\n", ": preferences must be a table"),
    ],
)
def test_a_broken_state_is_named_and_left_as_it_is(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "state.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(ConfigError) as caught:
        StateFile(tmp_path).remember("preferences", "theme", "moa-light")
    assert str(caught.value) == f"{path}{message}"
    assert written(tmp_path) == text


def test_two_instances_remember_both(tmp_path: Path) -> None:
    one, two = StateFile(tmp_path), StateFile(tmp_path)
    one.remember("preferences", "theme", "a")
    two.remember("preferences", "last_preset", "b")
    one.remember("layout", "x", 1.5)
    assert written(tmp_path) == (
        '[preferences]\ntheme = "a"\nlast_preset = "b"\n\n[layout]\nx = 1.5\n'
    )
