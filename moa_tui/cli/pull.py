"""``moa-tui pull``: fetch a model that runs without a server."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TextIO

from moa_tui.cli.choice import EMBEDDED_MODEL, EMBEDDED_PRESET
from moa_tui.errors import ConfigError
from moa_tui.text import one_line

if TYPE_CHECKING:
    from moa_tui.ui.ports import EmbeddedModel

_DONE, _FAILED, _USAGE = 0, 1, 2
_BAR_CELLS = 30
_MEGABYTE = 1_000_000
_EVERY_PERCENT = 10


async def pull(name: str, *, embedded: EmbeddedModel, stderr: TextIO) -> int:
    """Fetch a model and tell its progress on ``stderr``; return the exit code.

    0: it is here; 1: the download failed; 2: no such model to pull.
    """
    if name.lower() != EMBEDDED_MODEL:
        stderr.write(f"{_unknown(name)}\n")
        return _USAGE
    if embedded.is_present:
        stderr.write(f"{EMBEDDED_MODEL} is here already.\n")
        return _DONE
    progress = Bar(stderr) if stderr.isatty() else Lines(stderr)
    stderr.write(f"Fetching {embedded.title}.\n")
    try:
        await embedded.fetch(progress.show)
    except ConfigError as error:
        progress.end()
        stderr.write(f"{error}\n")
        return _FAILED
    except asyncio.CancelledError:
        progress.end()
        stderr.write("Stopped. Nothing of the download was kept.\n")
        raise
    progress.end()
    trial = f'moa-tui ask --preset {EMBEDDED_PRESET} "Why is the sky blue?"'
    stderr.write(f"{EMBEDDED_MODEL} is here. Try: {trial}\n")
    return _DONE


def _unknown(name: str) -> str:
    endpoint, _, model = name.partition("/")
    if endpoint == "ollama" and model:
        command = f"ollama pull {one_line(model)}"
        return f"Models of Ollama aren't pulled from here yet: {command}"
    return f"There is no {one_line(name)} to pull; there is: {EMBEDDED_MODEL}"


class Bar:
    """A progress bar on one line of a terminal, redrawn when its percentage changes."""

    def __init__(self, terminal: TextIO) -> None:
        self._terminal = terminal
        self._shown = -1

    def show(self, done: int, total: int) -> None:
        """Draw ``done`` of ``total`` bytes."""
        percent = 100 * done // total
        if percent == self._shown:
            return
        self._shown = percent
        full = _BAR_CELLS * done // total
        bar = "#" * full + "." * (_BAR_CELLS - full)
        megabytes = f"{done // _MEGABYTE} of {total // _MEGABYTE} MB"
        self._terminal.write(f"\r[{bar}] {percent:3} %  {megabytes:>12}")
        self._terminal.flush()

    def end(self) -> None:
        """Leave the bar's line, if there is one."""
        if self._shown >= 0:
            self._terminal.write("\n")


class Lines:
    """Progress for a file or a pipe: a line every ten percent."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._shown = 0

    def show(self, done: int, total: int) -> None:
        """Write the next line, if ten more percent are there."""
        percent = 100 * done // total // _EVERY_PERCENT * _EVERY_PERCENT
        if percent <= self._shown:
            return
        self._shown = percent
        self._stream.write(f"{percent} % of {total // _MEGABYTE} MB\n")
        self._stream.flush()

    def end(self) -> None:
        """Nothing is left open."""
