"""The composition root: folders, keys, connections, and the commands from argv to exit code."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from cli_given import Screenless

from moa_tui.__main__ import Folders, Program, folders, theme_folders
from moa_tui.cli.arguments import parse
from moa_tui.cli.screen import start_of
from moa_tui.errors import ConfigError

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
