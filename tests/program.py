"""The real program for tests and benchmarks: its command, and a config over a local server."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

COMPOSER = "Ask"
"""What stands on the composer; with it on screen the program takes a prompt."""

AGGREGATOR = "merger"


def command(folder: Path, *arguments: str) -> list[str]:
    """Return the program's command line over a config folder."""
    return [sys.executable, "-m", "moa_tui", "--config-dir", str(folder), *arguments]


def configure(folder: Path, base_url: str, proposers: Sequence[str], *, layers: int = 1) -> None:
    """Write a config with the server as endpoint ``bench``, and a preset ``bench`` over it."""
    presets = folder / "presets"
    presets.mkdir(parents=True)
    (folder / "config.toml").write_text(
        f'[endpoints.bench]\nkind = "openai"\nbase_url = "{base_url}"\n', "utf-8"
    )
    models = ", ".join(f'"bench/{name}"' for name in proposers)
    (presets / "bench.toml").write_text(
        f'description = "a local server"\n\n[[layers]]\nrepeat = {layers}\n'
        f'proposers = [{models}]\n\n[aggregator]\nmodel = "bench/{AGGREGATOR}"\n',
        "utf-8",
    )
