"""Thirty planted secrets are looked for wherever the program writes, in every common spelling."""

from __future__ import annotations

import base64
import json
import sys
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from cli_given import Screenless
from local_server import LocalServer, Script
from program import AGGREGATOR, COMPOSER, command, configure
from terminal import Terminal

from moa_tui.__main__ import Program

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ECHOES = 6
"""How many endpoints have a server that repeats the secrets in its refusals."""


def planted(place: str) -> str:
    """Return a secret of no vendor's shape, with letters that URLs escape."""
    return f"pl@nted/{place}+of=a?lab"


IN_VARIABLES = [planted(f"variable-{number}") for number in range(ECHOES)]
IN_HEADERS = [planted(f"header-{number}") for number in range(ECHOES)]
PRINTED = [planted(f"printed-{number}") for number in range(ECHOES)]
OF_VENDORS = [
    "sk-proj-planted0123456789abcdef",
    "gsk_planted0123456789abcdefghij",
    "hf_planted0123456789abcdefgh",
    "AIzaSyPlanted0123456789abcdefghij",
    "nvapi-planted0123456789abcdef",
    "csk-planted0123456789abcdefgh",
]
OTHERS = {
    "UNUSED_API_KEY": planted("unused"),
    "LAB_TOKEN": planted("token"),
    "SOME_PASSWORD": planted("password"),
    "MY_SECRET": planted("secret"),
    "http_proxy": "planted-of-a-proxy",
    "https_proxy": "planted-of-another-proxy",
}
SECRETS = [*IN_VARIABLES, *IN_HEADERS, *PRINTED, *OF_VENDORS, *OTHERS.values()]

ENVIRON = {
    **{f"PLANTED_{number}": value for number, value in enumerate(IN_VARIABLES)},
    **{name: value for name, value in OTHERS.items() if "proxy" not in name},
    "http_proxy": f"http://me:{OTHERS['http_proxy']}@127.0.0.1:9",
    "https_proxy": f"http://me:{OTHERS['https_proxy']}@127.0.0.1:9",
    "DEBUG": "1",
}


def spellings(secret: str) -> list[bytes]:
    raw = secret.encode()
    return [raw, quote(secret, safe="").encode(), base64.b64encode(raw).rstrip(b"=")]


def found(data: bytes) -> list[str]:
    """Return the secrets that stand in some bytes."""
    return [one for one in SECRETS if any(spelling in data for spelling in spellings(one))]


def echo(vendor: str, *sent: str) -> str:
    """Return a refusal that repeats what was sent, and a key of a vendor's that was not."""
    said = [spelling.decode() for secret in sent for spelling in spellings(secret)]
    return f"no: {vendor} {' '.join(said)} Bearer {sent[0]} {quote(vendor)}"


def fill(folder: Path, url: str) -> None:
    """Write endpoints that send a key of each source, and a preset that calls all of them."""
    models = []
    with (folder / "config.toml").open("a", encoding="utf-8") as config:
        for number in range(ECHOES):
            headers = f'{{ "x-api-key" = {json.dumps(IN_HEADERS[number])} }}'
            config.write(
                f"[endpoints.e{number}]\nbase_url = {json.dumps(url)}\n"
                f'api_key_env = "PLANTED_{number}"\nheaders = {headers}\n'
            )
            printing = [sys.executable, "-c", f"print({PRINTED[number]!r})"]
            config.write(
                f"[endpoints.p{number}]\nbase_url = {json.dumps(url)}\n"
                f"api_key_cmd = {json.dumps(printing)}\n"
            )
            models += [f"e{number}/sent-{number}", f"p{number}/printed-{number}"]
    (folder / "presets" / "planted.toml").write_text(
        f"[[layers]]\nproposers = {json.dumps(models)}\n"
        f'[aggregator]\nmodel = "bench/{AGGREGATOR}"\n',
        "utf-8",
    )


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return a config folder over a server whose refusals repeat the keys they got."""
    folder = tmp_path_factory.mktemp("planted")
    said = Script(rate=0, pieces=("An answer.",))
    scripts = {"a": said, AGGREGATOR: said}
    for number, (vendor, printed) in enumerate(zip(OF_VENDORS, PRINTED, strict=True)):
        sent = echo(vendor, IN_VARIABLES[number], IN_HEADERS[number])
        scripts[f"sent-{number}"] = Script(status=400, error=sent)
        scripts[f"printed-{number}"] = Script(status=400, error=echo(vendor, printed))
    with LocalServer(scripts) as server:
        configure(folder, server.base_url, ["a"])
        fill(folder, server.base_url)
        yield folder


def files(folder: Path) -> bytes:
    """Return all that the program wrote, but the user's own config.toml."""
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return b"\n".join(path.read_bytes() for path in paths if path.name != "config.toml")


def run(folder: Path, *line: str) -> bytes:
    at = Screenless()
    Program(ENVIRON, at.streams).run(["--config-dir", str(folder), *line])
    return "\n".join([at.out, *at.err]).encode()


def test_thirty_are_planted_and_would_be_found() -> None:
    assert len(SECRETS) == len(set(SECRETS)) == 30
    assert found(b" ".join(spelling for one in SECRETS for spelling in spellings(one))) == SECRETS


@pytest.mark.parametrize(
    "line",
    [
        ("ask", "--preset", "planted", "why"),
        ("ask", "--preset", "planted", "--json", "why"),
        ("models",),
        ("models", "--json"),
        ("doctor",),
        ("doctor", "--json"),
        ("presets", "show", "planted"),
    ],
    ids=" ".join,
)
def test_none_is_in_what_a_command_prints_nor_in_its_log(
    home: Path, monkeypatch: pytest.MonkeyPatch, line: tuple[str, ...]
) -> None:
    for name, value in ENVIRON.items():
        monkeypatch.setenv(name, value)
    assert found(run(home, *line)) == []
    assert found(files(home)) == []


def test_none_is_on_the_screen_in_the_database_or_in_an_export(home: Path) -> None:
    program = command(home, "--preset", "planted")
    env = {"HOME": str(home), **ENVIRON}
    with Terminal(program, columns=160, rows=48, env=env) as terminal:
        terminal.wait_for(COMPOSER)
        terminal.send("Why?")
        terminal.press("enter")
        terminal.wait_for("12 failed")
        terminal.press("tab")
        terminal.wait_for("d details")
        terminal.press("d")
        terminal.wait_for("y copy")
        terminal.press("y")
        terminal.wait_for_output(b"\x1b]52;c;")
        terminal.press("esc", "ctrl+q")
        terminal.wait()
        shown = terminal.raw
    assert found(shown) == []
    assert found(copied(shown)) == []
    assert found(files(home)) == []
    listed = json.loads(run(home, "sessions", "--json"))
    session = str(listed["sessions"][0]["id"])
    for form in ("markdown", "json"):
        target = home / f"exported.{form}"
        run(home, "sessions", "export", session, "--format", form, "--output", str(target))
    assert files(home).count(b"e0: status 400: no: ") > 1
    assert found(files(home)) == []


def copied(output: bytes) -> bytes:
    """Return what was copied to the terminal's clipboard."""
    parts = output.split(b"\x1b]52;c;")[1:]
    return b"\n".join(base64.b64decode(part.split(b"\a")[0]) for part in parts)


BROKEN = """
import os, sys
from moa_tui.providers.openai import OpenAIProvider
from moa_tui.ui.dialogs.help import HelpDialog

async def broken(self, request):
    secret = self._http._secret
    raise ValueError(f"header {secret.reveal() if secret else ''} {self.endpoint.headers}")
    yield

def help_broken(self):
    raise ValueError(" ".join(os.environ.values()))

OpenAIProvider.stream = broken
HelpDialog.compose = help_broken
from moa_tui.__main__ import main
main()
"""
"""The real program with bugs whose messages have keys in them."""


def test_none_is_on_the_crash_screen_or_in_its_log(home: Path) -> None:
    program = [sys.executable, "-c", BROKEN, *command(home, "--preset", "planted")[3:]]
    env = {"HOME": str(home), **ENVIRON}
    with Terminal(program, columns=160, rows=48, env=env) as terminal:
        terminal.wait_for(COMPOSER)
        terminal.send("Why?")
        terminal.press("enter")
        terminal.wait_for("that is a bug")
        terminal.press("f1")
        assert terminal.wait() == 1
        assert "ValueError" in terminal.text
        assert found(terminal.raw) == []
    assert found(files(home)) == []


def test_none_is_in_the_traceback_of_a_command(home: Path) -> None:
    program = [
        sys.executable,
        "-c",
        BROKEN,
        *command(home, "ask", "--preset", "planted", "why")[3:],
    ]
    with Terminal(program, env={"HOME": str(home), **ENVIRON}) as terminal:
        assert terminal.wait() == 1
        assert b"ValueError" in terminal.raw
        assert found(terminal.raw) == []


@pytest.mark.parametrize("line", ["ask why", "models", "doctor", "doctor --json"])
def test_a_password_in_an_address_is_refused_and_not_repeated(tmp_path: Path, line: str) -> None:
    (tmp_path / "config.toml").write_text(
        f'[endpoints.lab]\nbase_url = "http://me:{OF_VENDORS[0]}@127.0.0.1:9"\n'
        f'[endpoints.other]\nbase_url = "http://127.0.0.1:9/v1?key={OF_VENDORS[1]}"\n',
        "utf-8",
    )
    assert found(run(tmp_path, *line.split())) == []
    assert found(files(tmp_path)) == []
