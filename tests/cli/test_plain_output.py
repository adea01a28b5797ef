"""What the commands print is text: no control of a terminal comes from a file, a server, a name."""

from __future__ import annotations

import asyncio
import json
import re
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from cli_given import Screenless
from local_server import LocalServer, Script
from program import AGGREGATOR, configure

from moa_tui.__main__ import Program
from moa_tui.storage.records import Asked
from moa_tui.storage.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOSTILE = "x\x1b]0;planted\x07y\x9b31mz\x7f\x08\u202e\u2066\r\x85\x1b[2J"
AS_TOML = json.dumps(HOSTILE)
CONTROLS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)

LINES = (
    "presets",
    "presets show hostile",
    "presets --json",
    "models",
    "models --json",
    "doctor",
    "doctor --json",
    "sessions",
    "sessions search planted",
    "sessions --json",
    "ask --preset hostile why",
    "ask --preset hostile --json why",
    "ask --preset broken why",
    "ask --proposer {hostile} why",
    "ask --preset {hostile} why",
    "ask --proposer bench/{hostile} --strategy none why",
    "sessions export {hostile}",
    "pull {hostile}",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return a config folder in which everything that may have a name has a hostile one."""
    folder = tmp_path_factory.mktemp("hostile")
    said = Script(rate=0, pieces=(HOSTILE, "end"))
    refused = Script(status=400, error=HOSTILE)
    with LocalServer({"a": said, "b": refused, HOSTILE: said, AGGREGATOR: said}) as server:
        configure(folder, server.base_url, ["a", "b"])
        fill(folder, server.base_url)
        yield folder


def fill(folder: Path, url: str) -> None:
    with (folder / "config.toml").open("a", encoding="utf-8") as config:
        config.write(f"label = {AS_TOML}\n[endpoints.{AS_TOML}]\nbase_url = {json.dumps(url)}\n")
        config.write(f"{AS_TOML} = 1\n")
    presets = folder / "presets"
    agent = f'{{ model = "bench/a", label = {AS_TOML} }}'
    (presets / "hostile.toml").write_text(
        f'description = {AS_TOML}\n[[layers]]\nproposers = [{agent}, "bench/b"]\n'
        f'[aggregator]\nmodel = "bench/{AGGREGATOR}"\n',
        "utf-8",
    )
    (presets / "broken.toml").write_text(f"{AS_TOML} = 1\n", "utf-8")
    (presets / f"{HOSTILE}.toml").write_text(f"{AS_TOML} = 1\n", "utf-8")
    asyncio.run(remember(folder))


async def remember(folder: Path) -> None:
    store = Store.open(folder)
    session = store.begin_session()
    store.begin_turn(session, Asked(HOSTILE, HOSTILE))
    store.rename(session, HOSTILE)
    assert await store.settled()
    await store.aclose()


@pytest.mark.parametrize("line", LINES)
def test_no_control_is_printed(folder: Path, line: str) -> None:
    at = Screenless()
    argv = [word.replace("{hostile}", HOSTILE) for word in line.split()]
    with suppress(SystemExit):
        Program({}, at.streams).run(["--config-dir", str(folder), *argv])
    said = f"{at.out}\n{chr(10).join(at.err)}"
    assert CONTROLS.findall(said) == [], said
    assert said.strip()
