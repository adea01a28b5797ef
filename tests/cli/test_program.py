"""The composition root: folders, keys, connections, and the commands from argv to exit code."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from cli_given import Screenless
from closed_ports import configured
from local_server import LocalServer, Script
from program import AGGREGATOR, configure

from moa_tui.__main__ import Folders, Program, folders, theme_folders
from moa_tui.cli.arguments import parse
from moa_tui.cli.screen import start_of
from moa_tui.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from moa_tui.ui.ports import Start


KEY = "gsk_plantedPlantedPlanted0123456789"


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
    assert found == Folders(config=tmp_path, data=tmp_path / "data", log=tmp_path / "log")
    assert found.models == tmp_path / "data" / "models"


def test_the_environment_can_give_the_folder(tmp_path: Path) -> None:
    assert folders(None, {"MOA_TUI_CONFIG_DIR": str(tmp_path)}).config == tmp_path


def test_without_one_the_systems_folders_are_taken() -> None:
    found = folders(None, {})
    assert {found.config.name, found.data.name} == {"moa-tui"}
    assert "moa-tui" in found.log.parts


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "f").touch()
    with pytest.raises(ConfigError, match="is no folder"):
        folders(str(tmp_path / "f"), {})


def test_the_users_themes_come_last_and_ours_exist(tmp_path: Path) -> None:
    *ours, users = theme_folders(tmp_path)
    assert users == tmp_path / "themes"
    assert any((folder / "moa-dark.toml").is_file() for folder in ours)


# From argv to exit code


PRESET = """\
description = "mine"
[[layers]]
proposers = ["demo/ada"]
[aggregator]
strategy = "none"
"""


def with_presets(folder: Path) -> None:
    """Write a preset, one in the place of a shipped one, and a broken one."""
    presets = folder / "presets"
    presets.mkdir()
    (presets / "own.toml").write_text(PRESET, "utf-8")
    (presets / "groq.toml").write_text(PRESET, "utf-8")
    (presets / "bad.toml").write_text("layers = [\nzzz\n", "utf-8")


BROKEN = "presets/bad.toml, line 2, column 1: Invalid value"


def test_presets_are_listed_with_whose_they_are_and_broken_ones_named(tmp_path: Path) -> None:
    at = Screenless()
    with_presets(tmp_path)
    assert run(tmp_path, "presets", at=at) == 0
    rows = [re.split("  +", line) for line in at.out.splitlines()]
    assert rows[0] == [
        "demo",
        "shipped",
        "A race of written texts: no model, no network; for learning the keys",
    ]
    assert {row[0]: row[1] for row in rows if row[2] == "mine"} == {
        "own": "yours",
        "groq": "yours for shipped",
    }
    assert rows == sorted(rows)
    assert at.err == [f"moa-tui: {tmp_path}/{BROKEN}"]


def test_presets_are_listed_as_json(tmp_path: Path) -> None:
    at = Screenless()
    with_presets(tmp_path)
    assert run(tmp_path, "presets", "--json", at=at) == 0
    told = json.loads(at.out)
    assert told["mistakes"] == [f"{tmp_path}/{BROKEN}"]
    assert [preset for preset in told["presets"] if preset["name"] == "own"] == [
        {
            "name": "own",
            "origin": "yours",
            "description": "mine",
            "mixture": {
                "description": "mine",
                "layers": [{"proposers": ["demo/ada"]}],
                "aggregator": {"strategy": "none", "fallback": []},
            },
        }
    ]


def test_a_preset_is_shown_as_its_file_has_it(tmp_path: Path) -> None:
    at = Screenless()
    assert run(tmp_path, "presets", "show", "demo", at=at) == 0
    assert at.out.splitlines()[-2:] == ["[aggregator]", 'model = "demo/quill"']


def test_a_broken_preset_is_shown_too_but_not_as_json(tmp_path: Path) -> None:
    with_presets(tmp_path)
    at = Screenless()
    assert run(tmp_path, "presets", "show", "bad", at=at) == 0
    assert at.out == "layers = [\nzzz\n"
    assert told(tmp_path, "presets", "show", "bad", "--json") == (2, [f"moa-tui: {BROKEN}"])


def test_a_preset_is_shown_as_json(tmp_path: Path) -> None:
    at = Screenless()
    assert run(tmp_path, "presets", "show", "demo", "--json", at=at) == 0
    shown = json.loads(at.out)
    assert (shown["name"], shown["origin"]) == ("demo", "shipped")
    assert shown["mixture"]["aggregator"]["model"] == "demo/quill"


# At the endpoints


QUICK = Script(rate=0, tokens=20)


def test_models_of_real_servers_are_listed(tmp_path: Path) -> None:
    at = Screenless()
    with LocalServer({"b": QUICK, "a": QUICK}) as server:
        configured(tmp_path, lmstudio=server.base_url)
        assert run(tmp_path, "models", at=at) == 0
    lines = [line.strip() for line in at.out.splitlines()]
    assert lines[:4] == ["MODEL       CONTEXT  SIZE", "lmstudio/a", "lmstudio/b", ""]
    assert lines[4].startswith("ollama      nothing listens at 127.0.0.1:")
    assert lines[4].endswith("; start it with `ollama serve`")
    assert "groq        no key: set GROQ_API_KEY; keys are made at console.groq.com/keys" in lines


def test_a_vendor_is_asked_with_its_key_and_the_key_isnt_shown(tmp_path: Path) -> None:
    at = Screenless()
    with LocalServer({"a": QUICK}) as server:
        configured(tmp_path, groq=server.base_url)
        environ = {"GROQ_API_KEY": KEY}
        assert run(tmp_path, "models", "--json", at=at, environ=environ) == 0
    groq = next(one for one in json.loads(at.out)["endpoints"] if one["endpoint"] == "groq")
    assert [model["model"] for model in groq["models"]] == ["groq/a"]
    assert KEY not in at.out


def test_the_doctor_calls_each_model_of_a_preset(tmp_path: Path) -> None:
    at = Screenless()
    dead = Script(status=500, error="on fire")
    with LocalServer({"a": QUICK, "b": dead, AGGREGATOR: QUICK}) as server:
        configure(tmp_path, server.base_url, ["a", "b", "c"])
        assert run(tmp_path, "doctor", "--preset", "bench", "--json", at=at) == 1
        asked = {record["model"]: record["body"] for record in server.of("request")}
    told = json.loads(at.out)
    assert {call["model"]: call["kind"] for call in told["calls"]} == {
        "bench/a": "",
        "bench/b": "server",
        "bench/c": "not_found",
        "bench/merger": "",
    }
    assert {body["max_tokens"] for body in asked.values()} == {1}


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ("[preferences]\ntheme = \n", "config.toml, line 2, column 9: Invalid value"),
        ("[preferences]\nthem = 1\n", "config.toml: preferences.them is no known key; did"),
        (
            '[endpoints.groq]\napi_key_env = "gsk_abcdefgh12345678"\n',
            "config.toml: endpoints.groq.api_key_env must be the NAME of an environment variable",
        ),
    ],
)
def test_the_doctor_tells_what_is_wrong_in_the_config_and_others_go_on(
    tmp_path: Path, config: str, message: str
) -> None:
    at, listing = Screenless(), Screenless()
    (tmp_path / "config.toml").write_text(config, "utf-8")
    assert run(tmp_path, "doctor", "--preset", "demo", at=at) == 1
    assert [line for line in at.err if line.startswith(f"moa-tui: {tmp_path}/{message}")]
    assert "gsk_" not in at.out + "".join(at.err)
    assert run(tmp_path, "presets", at=listing) == 0


def test_the_doctor_names_broken_presets(tmp_path: Path) -> None:
    at = Screenless()
    with_presets(tmp_path)
    assert run(tmp_path, "doctor", "--preset", "demo", at=at) == 0
    assert f"moa-tui: {tmp_path}/{BROKEN}" in at.err


def test_ask_makes_a_mixture_of_what_it_finds(tmp_path: Path) -> None:
    at = Screenless()
    with LocalServer({"llama-3b": QUICK, "qwen-8b": QUICK}) as server:
        configured(tmp_path, lmstudio=server.base_url)
        assert run(tmp_path, "ask", "why", at=at) == 0
        assert {record["model"] for record in server.of("request")} == {"llama-3b", "qwen-8b"}
    assert at.out
    assert at.err[0].startswith("moa-tui: nobody chose a mixture; asking what is there: lmstudio/")


def test_ask_takes_the_preset_used_last_and_looks_for_nothing(tmp_path: Path) -> None:
    (tmp_path / "state.toml").write_text('[preferences]\nlast_preset = "together"\n', "utf-8")
    code, err = told(tmp_path, "ask", "why")
    assert (code, err[0], err[1].partition(" (")[0]) == (
        2,
        "moa-tui: preset together, used last",
        "moa-tui: Together needs a key: set TOGETHER_API_KEY",
    )


def test_ask_finds_nothing_and_names_what_to_fetch(tmp_path: Path) -> None:
    configured(tmp_path)
    code, err = told(tmp_path, "ask", "why")
    assert (code, len(err)) == (2, 2)
    assert "moa-tui pull embedded/smollm2-135m-instruct" in err[0]


# Mistakes


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


def test_all_mistakes_of_the_config_are_told_a_line_each(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("[preferences]\nthem = 1\npreste = 1\n", "utf-8")
    code, err = told(tmp_path, "ask", "--preset", "demo", "why")
    assert code == 2
    assert [line.partition("; ")[0] for line in err] == [
        "moa-tui: config.toml: preferences.them is no known key",
        "moa-tui: config.toml: preferences.preste is no known key",
    ]


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_models_tells_what_is_wrong_in_the_settings_beside_the_list(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    at = Screenless()
    with LocalServer({"llama-3b": QUICK}) as server:
        configured(tmp_path, lmstudio=server.base_url)
        with (tmp_path / "config.toml").open("a", encoding="utf-8") as config:
            config.write("\n[preferences]\nthem = 1\n")
        (tmp_path / "state.toml").write_text("[preferences]\ntheme = \n", "utf-8")
        assert run(tmp_path, "models", *options, at=at) == 0
    assert "lmstudio/llama-3b" in at.out
    assert sorted(line.replace(f"{tmp_path}/", "").partition("; ")[0] for line in at.err) == [
        "moa-tui: config.toml: preferences.them is no known key",
        "moa-tui: state.toml, line 2, column 9: Invalid value",
    ]


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


def start(folder: Path, *line: str) -> Start:
    arguments = parse(["--config-dir", str(folder), *line])
    return start_of(arguments, Program({}, Screenless().streams).prepared(arguments)[0])


def started(folder: Path, *line: str) -> tuple[str, bool, bool, list[str]]:
    """Return the mixture's name, whether detection may replace it, is it the demo, notices."""
    found = start(folder, *line)
    notices = [notice.replace(f"{folder}/", "") for notice in found.notices]
    return found.mixture.name, found.of_found is not None, found.is_demo, notices


def test_with_nothing_else_the_screen_offers_to_fetch_the_embedded_model(tmp_path: Path) -> None:
    assert started(tmp_path) == ("embedded", True, False, [])


def test_the_demo_is_labelled_and_needs_nothing(tmp_path: Path) -> None:
    assert started(tmp_path, "demo") == ("demo", False, True, [])


def test_a_preferred_preset_is_taken(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('[preferences]\npreset = "groq"\n', "utf-8")
    assert started(tmp_path) == ("groq", False, False, [])


def test_the_preset_used_last_is_taken_unless_one_is_preferred(tmp_path: Path) -> None:
    (tmp_path / "state.toml").write_text('[preferences]\nlast_preset = "together"\n', "utf-8")
    assert started(tmp_path) == ("together", False, False, [])
    (tmp_path / "config.toml").write_text('[preferences]\npreset = "groq"\n', "utf-8")
    assert started(tmp_path) == ("groq", False, False, [])


def test_a_lost_last_preset_is_a_notice_also_behind_a_lost_preference(tmp_path: Path) -> None:
    (tmp_path / "state.toml").write_text('[preferences]\nlast_preset = "y"\n', "utf-8")
    lost = 'no preset is called "{}"; moa-tui presets lists them'
    assert started(tmp_path) == ("embedded", True, False, [lost.format("y")])
    (tmp_path / "config.toml").write_text('[preferences]\npreset = "x"\n', "utf-8")
    notices = [lost.format("x"), lost.format("y")]
    assert started(tmp_path) == ("embedded", True, False, notices)


def test_only_what_nobody_chose_may_be_replaced_by_what_is_found(tmp_path: Path) -> None:
    chosen = ("--proposer", "t/a", "--strategy", "none")
    assert start(tmp_path).of_found is not None
    assert start(tmp_path, "--preset", "groq").of_found is None
    (tmp_path / "config.toml").write_text(
        '[endpoints.t]\nbase_url = "http://127.0.0.1:1"\n', "utf-8"
    )
    assert start(tmp_path, *chosen).of_found is None


def test_only_the_command_line_names_a_mixture(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('[preferences]\npreset = "groq"\n', "utf-8")
    assert not start(tmp_path).is_named
    assert not start(tmp_path, "--continue").is_named
    assert start(tmp_path, "--preset", "groq").is_named
    assert start(tmp_path, "--layers", "2").is_named


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
