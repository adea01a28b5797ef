"""What tests of several rooms share; the only conftest, since two would have one name for mypy."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from typing import TYPE_CHECKING

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
