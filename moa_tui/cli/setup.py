"""What the commands get from the composition root."""

from __future__ import annotations

import io
import os
from contextlib import suppress
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, TextIO

from moa_tui.text import clean, escaped

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from moa_tui.engine.provider import Endpoint
    from moa_tui.ui.ports import Endpoints, Ports, Presets


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """The program as the files and the environment make it.

    ``preferred`` is the preset of ``[preferences]``, ``last_used`` the one that the program
    remembers, "" if none. ``mistakes`` are those of config.toml; ``notices`` all that couldn't be
    used, in words.
    """

    ports: Ports
    presets: Presets
    endpoints: Mapping[str, Endpoint] = field(default_factory=lambda: MappingProxyType({}))
    preferred: str = ""
    last_used: str = ""
    mistakes: Sequence[str] = ()
    notices: Sequence[str] = ()

    @property
    def places(self) -> Endpoints:
        """Where models are looked for.

        Raises:
            TypeError: this setup was made for commands that look nowhere.
        """
        if self.ports.places is None:
            raise TypeError("a setup without places")
        return self.ports.places


class UnwritableError(Exception):
    """Stdout takes nothing more, a full disk for example; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Streams:
    """The three standard streams."""

    stdin: TextIO
    stdout: TextIO
    stderr: TextIO

    @property
    def are_terminal(self) -> bool:
        """Whether all of them are a terminal: the screen reads one and draws on another."""
        return all(stream.isatty() for stream in (self.stdin, self.stdout, self.stderr))

    def drop_output(self) -> None:
        """Let what stdout still holds go nowhere: flushing it would fail, or block, at the end."""
        with suppress(io.UnsupportedOperation):
            descriptor = self.stdout.fileno()
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, descriptor)
            os.close(nowhere)

    def write(self, text: str) -> None:
        """Write a text to stdout and let it out at once.

        Raises:
            BrokenPipeError: nobody reads it any more.
            UnwritableError: it can't be written for another reason.
        """
        try:
            self.stdout.write(text)
            self.stdout.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise UnwritableError(f"stdout can't be written: {error.strerror}") from error

    def write_json(self, document: object) -> None:
        """Write plain data to stdout as one JSON document; raises as `write`."""
        import json  # noqa: PLC0415 - the screen needs none

        self.write(escaped(json.dumps(document, ensure_ascii=False, indent=2)) + "\n")

    def speak_utf8(self) -> None:
        """Write stdout in UTF-8 whatever the locale says, as readers of JSON expect."""
        if isinstance(self.stdout, io.TextIOWrapper):
            self.stdout.reconfigure(encoding="utf-8", errors="replace")

    def tell(self, message: str) -> None:
        """Write a line for the person at the keyboard to stderr."""
        self.stderr.write(f"moa-tui: {clean(message)}\n")
        self.stderr.flush()
