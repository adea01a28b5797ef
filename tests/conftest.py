"""What tests of several rooms share; the only conftest, since two would have one name for mypy."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from typing import TYPE_CHECKING

import fault_table
import platformdirs
import pytest

if TYPE_CHECKING:
    from pathlib import Path

EMBEDDED_MODEL = "embedded/smollm2-135m-instruct"


@pytest.fixture(scope="session")
def embedded_folder() -> Path:
    """Return a ``--config-dir`` that has the embedded model, fetched by the program itself.

    It is in the user's cache folder, so that only a machine's first test run downloads.
    """
    if importlib.util.find_spec("xllamacpp") is None:
        pytest.skip("the embedded extra isn't installed, or has no build for this platform")
    folder = platformdirs.user_cache_path("moa-tui-test")
    command = [sys.executable, "-m", "moa_tui", "--config-dir", str(folder), "pull", EMBEDDED_MODEL]
    done = subprocess.run(  # noqa: S603 - our own program
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture
def home_with_model(embedded_folder: Path, tmp_path: Path) -> Path:
    """Return an otherwise empty ``--config-dir`` with the embedded model in it."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "data").symlink_to(embedded_folder / "data", target_is_directory=True)
    return home


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what was seen of each fault that was played: all of them, or with -q the wrong ones."""
    reports = [
        report
        for outcome in ("passed", "failed")
        for report in terminalreporter.stats.get(outcome, [])
        if isinstance(report, pytest.TestReport)
    ]
    table = fault_table.rows(reports, only_wrong=terminalreporter.verbosity < 0)
    if table:
        terminalreporter.section("faults and what the client did")
        for row in table:
            terminalreporter.line(row)
