"""The composition root: folders, keys, connections, and the commands from argv to exit code."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
import virtual_time
from cli_given import Screenless

from moa_tui.__main__ import (
    Connections,
    Folders,
    Program,
    demo_scripts,
    find_key,
    folders,
    theme_folders,
)
from moa_tui.cli.arguments import parse
from moa_tui.cli.screen import start_of
from moa_tui.config import load
from moa_tui.engine.clock import AsyncioClock
from moa_tui.engine.provider import ChatRequest, Endpoint, Finish, Message, Text, Thinking
from moa_tui.errors import ConfigError
from moa_tui.shipped import demo_topics

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def run(folder: Path, *line: str, at: Screenless, environ: Mapping[str, str] | None = None) -> int:
    return Program(environ or {}, at.streams).run(["--config-dir", str(folder), *line])


def told(folder: Path, *line: str, typed: str = "") -> tuple[int, list[str]]:
    """Return the exit code and what stderr says, with the folder's path cut out."""
    at = Screenless(typed)
    code = run(folder, *line, at=at)
    assert at.out == ""
    return code, [text.replace(f"{folder}/", "") for text in at.err]


# Folders


def test_a_given_folder_holds_everything(tmp_path: Path) -> None:
    found = folders(str(tmp_path), {"MOA_TUI_CONFIG_DIR": "/elsewhere"})
    assert found == Folders(config=tmp_path, data=tmp_path / "data")
    assert found.models == tmp_path / "data" / "models"


def test_the_environment_can_give_the_folder(tmp_path: Path) -> None:
    assert folders(None, {"MOA_TUI_CONFIG_DIR": str(tmp_path)}).config == tmp_path


def test_without_one_the_systems_folders_are_taken() -> None:
    assert {folders(None, {}).config.name, folders(None, {}).data.name} == {"moa-tui"}


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "f").touch()
    with pytest.raises(ConfigError, match="is no folder"):
        folders(str(tmp_path / "f"), {})


def test_the_users_themes_come_last_and_ours_exist(tmp_path: Path) -> None:
    *ours, users = theme_folders(tmp_path)
    assert users == tmp_path / "themes"
    assert any((folder / "moa-dark.toml").is_file() for folder in ours)


# Keys


HOSTED = Endpoint(
    name="groq",
    kind="openai",
    base_url="https://api.example/v1",
    label="Groq",
    key_page="console.example/keys",
    api_key_env="GROQ_API_KEY",
)
COMMAND = (sys.executable, "-c", "print('from-command')")


def lab(**fields: object) -> Endpoint:
    about = {"base_url": "https://lab.example/v1"} | fields
    return Endpoint(name="lab", kind="openai", **about)  # type: ignore[arg-type] # real fields


def test_a_key_comes_from_the_variable_that_the_endpoint_names() -> None:
    key = find_key(HOSTED, {"GROQ_API_KEY": " k-123 \n"})
    assert key is not None
    assert (key.reveal(), str(key)) == ("k-123", "Secret(•••)")


def test_a_missing_key_names_the_variable_and_the_page() -> None:
    with pytest.raises(ConfigError) as caught:
        find_key(HOSTED, {"GROQ_API_KEY": " "})
    assert str(caught.value) == "Groq needs a key: set GROQ_API_KEY (keys: console.example/keys)"


@pytest.mark.parametrize(
    "endpoint",
    [
        lab(),
        lab(base_url="http://127.0.0.1:1/v1", api_key_env="LAB_KEY"),
        lab(base_url="http://10.0.0.7/v1", api_key_env="LAB_KEY"),
        Endpoint(name="embedded", kind="embedded"),
    ],
)
def test_no_key_is_needed_where_none_is_named_or_none_would_be_sent(endpoint: Endpoint) -> None:
    assert find_key(endpoint, {}) is None


def test_a_command_gives_the_key_when_the_variable_does_not() -> None:
    endpoint = lab(api_key_env="LAB_KEY", api_key_cmd=COMMAND)
    from_command, from_variable = find_key(endpoint, {}), find_key(endpoint, {"LAB_KEY": "mine"})
    assert from_command is not None
    assert from_variable is not None
    assert (from_command.reveal(), from_variable.reveal()) == ("from-command", "mine")


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (("/no/such/program",), "can't be run: No such file or directory"),
        ((sys.executable, "-c", "raise SystemExit(3)"), "failed with exit code 3"),
        ((sys.executable, "-c", ""), "must give the key on one line"),
        ((sys.executable, "-c", "print('one\\ntwo')"), "must give the key on one line"),
    ],
)
def test_a_command_that_gives_no_key_is_a_mistake(command: tuple[str, ...], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        find_key(lab(api_key_cmd=command), {})
    assert message in str(caught.value)
    assert "two" not in str(caught.value)


def test_a_key_that_no_request_can_carry_is_refused_unseen() -> None:
    with pytest.raises(ConfigError) as caught:
        find_key(HOSTED, {"GROQ_API_KEY": "schlüssel geheim"})
    assert "geheim" not in str(caught.value)


# Connections


def test_each_endpoint_is_connected_once_and_closed_at_the_end(tmp_path: Path) -> None:
    settings, _ = load(tmp_path, {})

    async def connected() -> tuple[bool, bool]:
        connections = Connections(settings, {}, clock=AsyncioClock(), models_folder=tmp_path)
        first = connections("llamacpp")
        is_same = connections("llamacpp") is first
        await connections.aclose()
        again = connections("llamacpp")
        await connections.aclose()
        return is_same, again is first

    assert virtual_time.run(connected()) == (True, False)


def test_an_unknown_endpoint_is_refused(tmp_path: Path) -> None:
    settings, _ = load(tmp_path, {})
    connections = Connections(settings, {}, clock=AsyncioClock(), models_folder=tmp_path)
    with pytest.raises(ConfigError, match='no endpoint is called "olama"'):
        connections("olama")


# The demo


def test_a_demo_model_thinks_speaks_and_finishes() -> None:
    request = ChatRequest("clover", (Message("system", "x"), Message("user", "hello")))
    steps = list(demo_scripts()["clover"](request))
    voice = demo_topics()[-1].voices["clover"]
    assert "".join(step.text for step in steps if isinstance(step, Thinking)) == voice.thinking
    assert "".join(step.text for step in steps if isinstance(step, Text)) == voice.text
    assert steps[-1] == Finish("stop")


# From argv to exit code


def test_presets_are_listed_with_their_descriptions(tmp_path: Path) -> None:
    at = Screenless()
    (tmp_path / "presets").mkdir()
    (tmp_path / "presets" / "bad.toml").write_text("zzz = 1\n", "utf-8")
    assert run(tmp_path, "presets", at=at) == 0
    assert at.out.splitlines()[0] == (
        "demo         A race of written texts: no model, no network; for learning the keys"
    )
    assert [line.split()[0] for line in at.out.splitlines()][-1] == "together"
    assert at.err == [f"moa-tui: {tmp_path}/presets/bad.toml: zzz is no known key"]


def test_a_preset_is_shown_as_its_file_has_it(tmp_path: Path) -> None:
    at = Screenless()
    assert run(tmp_path, "presets", "show", "demo", at=at) == 0
    assert at.out.splitlines()[-2:] == ["[aggregator]", 'model = "demo/quill"']


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("presets show", "which preset? moa-tui presets show NAME; moa-tui presets lists them"),
        ("presets list demo", "moa-tui presets list takes no name; did you mean show?"),
        ("presets show demp", 'no preset is called "demp"; did you mean "demo"?'),
        ("ask --preset demp why", 'no preset is called "demp"; did you mean "demo"?'),
        ("ask --preset demo", 'the prompt is empty: moa-tui ask "…"'),
        ("ask --preset together why", "Together needs a key: set TOGETHER_API_KEY"),
        ("ask --preset demo --proposer olama/x why", "olama/x: no endpoint is called"),
        ("ask --preset demo --tempo 1 why", '"--tempo" is no option or argument here'),
    ],
)
def test_a_users_mistake_is_one_line_and_exit_code_2(
    tmp_path: Path, line: str, message: str
) -> None:
    code, err = told(tmp_path, *line.split())
    assert (code, len(err)) == (2, 1)
    assert err[0].startswith(f"moa-tui: {message}")


def test_a_broken_config_is_named_with_line_and_column(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("[preferences]\ntheme = \n", "utf-8")
    assert told(tmp_path, "ask", "--preset", "demo", "why") == (
        2,
        ["moa-tui: config.toml, line 2, column 9: Invalid value"],
    )


def test_a_preset_with_an_unknown_endpoint_is_refused_before_any_call(tmp_path: Path) -> None:
    (tmp_path / "presets").mkdir()
    (tmp_path / "presets" / "p.toml").write_text(
        '[[layers]]\nproposers = ["demo/ada", "nowhere/x"]\n[aggregator]\nstrategy = "none"\n',
        "utf-8",
    )
    code, err = told(tmp_path, "ask", "--preset", "p", "why")
    assert (code, err[0]) == (
        2,
        (
            'moa-tui: no endpoint is called "nowhere"; a new one is a table [endpoints.nowhere] in '
            "config.toml"
        ),
    )


def test_without_a_terminal_the_screen_says_so_and_names_ask(tmp_path: Path) -> None:
    assert told(tmp_path) == told(tmp_path, "demo")
    assert told(tmp_path) == (
        2,
        [
            "moa-tui: the screen needs a terminal on stdin, stdout and stderr.",
            'moa-tui: without one, ask like this: moa-tui ask "…"',
        ],
    )


# What the screen starts with


def started(folder: Path, *line: str) -> tuple[str, bool, bool, list[str]]:
    """Return the mixture's name, whether to fetch, whether it is the demo, and the notices."""
    arguments = parse(["--config-dir", str(folder), *line])
    given, _ = Program({}, Screenless().streams).prepared(arguments)
    start = start_of(arguments, given)
    notices = [notice.replace(f"{folder}/", "") for notice in start.notices]
    return start.mixture.name, start.needs_fetch, start.is_demo, notices


def test_with_nothing_else_the_screen_offers_to_fetch_the_embedded_model(tmp_path: Path) -> None:
    assert started(tmp_path) == ("embedded", True, False, [])


def test_the_demo_is_labelled_and_needs_nothing(tmp_path: Path) -> None:
    assert started(tmp_path, "demo") == ("demo", False, True, [])


def test_a_preferred_preset_is_taken(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('[preferences]\npreset = "groq"\n', "utf-8")
    assert started(tmp_path) == ("groq", False, False, [])


def test_broken_files_are_notices_and_never_stop_the_screen(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('[preferences]\npreset = "x"\nthem = 1\n', "utf-8")
    assert started(tmp_path) == (
        "embedded",
        True,
        False,
        [
            'config.toml: preferences.them is no known key; did you mean "theme"?',
            'no preset is called "x"; moa-tui presets lists them',
        ],
    )


def test_a_preset_of_the_command_line_that_is_broken_does_stop_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        started(tmp_path, "--preset", "x")
