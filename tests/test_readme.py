"""The README says what is true: its commands, options, files and links exist."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from moa_tui.config import KNOWN_ENDPOINTS

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")

CODE = re.findall(r"^```sh\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
COMMANDS = sorted(
    {
        command.strip()
        for text in [*CODE, *re.findall(r"`([^`\n]+)`", README)]
        for line in text.splitlines()
        for command in re.split(r"&&|\|", line)
        if re.match(r"(?:\.venv/bin/)?moa-tui\b", command.strip())
    }
)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_and_option_exists(command: str) -> None:
    words = shlex.split(command)[1:]
    name = words[:1] if words and re.fullmatch("[a-z]+", words[0]) else []
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "moa_tui", *name, "--help"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    options = {word.partition("=")[0] for word in words if word.startswith("--")}
    assert {option for option in options if option not in done.stdout} == set()


def test_every_preset_in_a_command_is_shipped_or_shown() -> None:
    named = set(re.findall(r"--preset ([a-z0-9-]+)", README))
    shown = set(re.findall(r"# presets/([a-z0-9-]+)\.toml", README))
    assert (
        named - shown - {path.stem for path in (ROOT / "moa_tui" / "shipped").glob("*.toml")}
        == set()
    )


def test_the_endpoints_it_calls_known_are() -> None:
    sentence = re.search(r"These endpoints are known.*?\.\n", README, re.DOTALL)
    assert sentence
    named = set(re.findall(r"`([a-z]+)`", sentence[0]))
    assert named - {endpoint.name for endpoint in KNOWN_ENDPOINTS} == set()


def test_every_relative_link_leads_somewhere() -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", README)
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_it_names_no_folder_of_somebodys_machine() -> None:
    assert re.findall(r"(?<![\w.~-])/(?:home|root|work|tmp|Users)/\S*", README) == []


def test_the_start_command_is_the_same_in_both_languages() -> None:
    assert len([block for block in CODE if block.rstrip().endswith("/moa-tui")]) == 2
    assert len({block for block in CODE if block.rstrip().endswith("/moa-tui")}) == 1
