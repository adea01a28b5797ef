from __future__ import annotations

from typing import get_args

import pytest

from moa_tui.cli.arguments import Arguments, CommandName, Wishes, parse
from moa_tui.errors import ConfigError


@pytest.mark.parametrize(
    ("line", "arguments"),
    [
        ("", Arguments(command="screen")),
        ("--theme moa-light", Arguments(command="screen", theme="moa-light")),
        ("demo --config-dir d", Arguments(command="demo", config_dir="d")),
        ("--config-dir d demo", Arguments(command="demo", config_dir="d")),
        ("ask", Arguments(command="ask")),
        ("ask -", Arguments(command="ask", text="-")),
        ("ask why --json", Arguments(command="ask", text="why", as_json=True)),
        ("ask --quiet -- -why", Arguments(command="ask", text="-why", is_quiet=True)),
        ("presets", Arguments(command="presets", action="list")),
        ("presets show groq", Arguments(command="presets", action="show", text="groq")),
        ("presets --json", Arguments(command="presets", action="list", as_json=True)),
        ("pull embedded/x", Arguments(command="pull", text="embedded/x")),
        ("models --json", Arguments(command="models", as_json=True)),
        ("doctor --json", Arguments(command="doctor", as_json=True)),
        ("doctor --preset p", Arguments(command="doctor", wishes=Wishes(preset="p"))),
        ("--preset p doctor", Arguments(command="doctor", wishes=Wishes(preset="p"))),
        ("--debug", Arguments(command="screen", is_debug=True)),
        ("--debug models", Arguments(command="models", is_debug=True)),
        ("models --debug", Arguments(command="models", is_debug=True)),
    ],
)
def test_a_command_line_is_understood(line: str, arguments: Arguments) -> None:
    assert parse(line.split()) == arguments


ALL_WISHES = (
    "--preset p --proposer a/b --proposer c/d --aggregator e/f --layers 2 --strategy none"
    " --temperature 0.2 --max-tokens 9 --history off"
)


@pytest.mark.parametrize("line", [f"{ALL_WISHES} ask", f"ask {ALL_WISHES}", f"ask - {ALL_WISHES}"])
def test_mixture_options_stand_before_or_after_the_command(line: str) -> None:
    assert parse(line.split()).wishes == Wishes(
        preset="p",
        proposers=("a/b", "c/d"),
        aggregator="e/f",
        layers=2,
        strategy="none",
        temperature=0.2,
        max_tokens=9,
        history="off",
    )


def test_proposers_before_and_after_the_command_add_up() -> None:
    found = parse(["--proposer", "a/b", "ask", "--proposer", "c/d", "hi"])
    assert found.wishes.proposers == ("a/b", "c/d")


def test_what_stands_later_wins() -> None:
    assert parse(["--preset", "a", "ask", "--preset", "b", "hi"]).wishes.preset == "b"


def test_a_temperature_can_be_left_out() -> None:
    assert parse(["--temperature", "unset"]).wishes.temperature == "unset"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("ask --presett x", '"--presett" is no option or argument here; did you mean "--preset"?'),
        ("ask --xyz", '"--xyz" is no option or argument here; see moa-tui --help'),
        ("ask hello there", 'put the prompt in quotes: moa-tui ask "hello there"'),
        ("ask why does --json it rain", 'put the prompt in quotes: moa-tui ask "why does it rain"'),
        ("ask what costs $5", 'put the prompt in quotes: moa-tui ask "…"'),
        ("models them", '"them" is no option or argument here; see moa-tui --help'),
        ("ask a --presett", '"--presett" is no option or argument here; did you mean "--preset"?'),
        (
            "ak",
            (
                'no command is called "ak"; did you mean "ask"?\n'
                'a prompt goes like this: moa-tui ask "…"'
            ),
        ),
        ("--layers 0", "argument --layers: must be a whole number, at least 1; see moa-tui --help"),
        ("--layers 2147483648", "argument --layers: must be at most 2147483647; see"),
        (f"--layers {'9' * 5000}", "argument --layers: must be at most 2147483647; see"),
        ("--max-tokens x", "argument --max-tokens: must be a whole number, at least 1; see"),
        ("--temperature 2.5", 'argument --temperature: must be a number from 0 to 2, or "unset"'),
        ("--temperature nan", 'argument --temperature: must be a number from 0 to 2, or "unset"'),
        ("--strategy mix", "argument --strategy: invalid choice: 'mix'"),
        ("--preset", "argument --preset: expected one argument; see moa-tui --help"),
        ("pull", "the following arguments are required: MODEL; see moa-tui --help"),
        ("demo --layers 2", "options about the mixture mean nothing to moa-tui demo"),
        ("presets --preset x", "options about the mixture mean nothing to moa-tui presets"),
        ("models --preset x", "options about the mixture mean nothing to moa-tui models"),
        (
            "doctor --preset x --layers 2",
            "of the options about the mixture moa-tui doctor takes only --preset",
        ),
        ("model", 'no command is called "model"; did you mean "models"?\n'),
        ("docter", 'no command is called "docter"; did you mean "doctor"?\n'),
        ("screen", 'no command is called "screen"\n'),
        ("preset", 'no command is called "preset"; did you mean "presets"?\n'),
    ],
)
def test_a_mistake_is_told_in_words(line: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(line.split())
    assert str(caught.value).startswith(message)


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(["--help"])
    said = capsys.readouterr().out
    assert [name for name in get_args(CommandName) if f"\n    {name}" not in said] == ["screen"]


@pytest.mark.parametrize(
    ("command", "told"),
    [("doctor", ["--preset"]), ("models", []), ("ask", ["--preset", "--layers"])],
)
def test_a_commands_help_names_the_options_that_it_takes(
    capsys: pytest.CaptureFixture[str], command: str, told: list[str]
) -> None:
    with pytest.raises(SystemExit):
        parse([command, "--help"])
    said = capsys.readouterr().out
    assert [option for option in ("--preset", "--layers") if option in said] == told


def test_conversations_are_gone_on_with_and_replayed() -> None:
    assert parse(["--session", "abcd"]).session == "abcd"
    assert parse(["--continue"]).session == "last"
    replay = parse(["replay", "abcd"])
    assert (replay.command, replay.text) == ("replay", "abcd")
