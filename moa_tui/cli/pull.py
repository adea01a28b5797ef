"""``moa-tui pull``: fetch a model, the embedded one or one of an Ollama."""

from __future__ import annotations

import asyncio
import shlex
from contextlib import aclosing
from typing import TYPE_CHECKING, TextIO

from moa_tui.cli.choice import EMBEDDED_MODEL, EMBEDDED_PRESET
from moa_tui.errors import ConfigError, ProviderError
from moa_tui.text import one_line

if TYPE_CHECKING:
    from moa_tui.ui.ports import EmbeddedModel, Endpoints

_DONE, _FAILED, _USAGE = 0, 1, 2
_BAR_CELLS = 30
_MEGABYTE = 1_000_000
_EVERY_PERCENT = 10
_QUESTION = '"Why is the sky blue?"'


async def pull(name: str, *, embedded: EmbeddedModel, places: Endpoints, stderr: TextIO) -> int:
    """Fetch "endpoint/model" and tell its progress on ``stderr``; return the exit code.

    0: it is here; 1: the download failed; 2: no such model or endpoint to pull from.
    """
    endpoint, _, model = name.partition("/")
    if not model or (endpoint == "embedded" and name.lower() != EMBEDDED_MODEL):
        what = f"there is {EMBEDDED_MODEL}, and what Ollama has: ollama/MODEL"
        _complain(f"there is no {one_line(name)} to pull; {what}", stderr)
        return _USAGE
    if endpoint == "embedded":
        return await _pull_embedded(embedded, places, stderr=stderr)
    shown = one_line(name)
    trial = f"moa-tui ask --proposer {shlex.quote(shown)} --strategy none {_QUESTION}"
    stderr.write(f"Fetching {shown}.\n")
    try:
        await _fetch(name, places, stderr=stderr)
    except ConfigError as error:
        _complain(str(error), stderr)
        return _USAGE
    except ProviderError as error:
        _complain(f"{error.message}{'; ' if error.hint else ''}{error.hint}", stderr)
        return _FAILED
    except asyncio.CancelledError:
        stderr.write("Stopped. What is there is kept: pulled again, it goes on from there.\n")
        raise
    stderr.write(f"{shown} is here. Try: {trial}\n")
    return _DONE


async def _pull_embedded(embedded: EmbeddedModel, places: Endpoints, *, stderr: TextIO) -> int:
    if embedded.is_present:
        stderr.write(f"{EMBEDDED_MODEL} is here already.\n")
        return _DONE
    stderr.write(f"Fetching {embedded.title}.\n")
    try:
        await _fetch(EMBEDDED_MODEL, places, stderr=stderr)
    except ConfigError as error:
        _complain(str(error), stderr)
        return _FAILED
    except asyncio.CancelledError:
        stderr.write("Stopped. Nothing of the download was kept.\n")
        raise
    trial = f"moa-tui ask --preset {EMBEDDED_PRESET} {_QUESTION}"
    stderr.write(f"{EMBEDDED_MODEL} is here. Try: {trial}\n")
    return _DONE


def _complain(why: str, stderr: TextIO) -> None:
    stderr.write(f"moa-tui: {why}\n")


async def _fetch(name: str, places: Endpoints, *, stderr: TextIO) -> None:
    progress = Bar(stderr) if stderr.isatty() else Lines(stderr)
    try:
        async with aclosing(places.pull(name)) as steps:
            async for done, total in steps:
                progress.show(done, total)
    finally:
        progress.end()


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
        megabytes = f"{_megabytes(done)} of {_megabytes(total)} MB"
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
        self._stream.write(f"{percent} % of {_megabytes(total)} MB\n")
        self._stream.flush()

    def end(self) -> None:
        """Nothing is left open."""


def _megabytes(count: int) -> int:
    """Return bytes in megabytes, rounded as the screen rounds them."""
    return round(count / _MEGABYTE)
