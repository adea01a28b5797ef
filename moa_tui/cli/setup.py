"""What the commands get from the composition root."""

from __future__ import annotations

import io
import os
from contextlib import suppress
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol, TextIO

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from moa_tui.engine.mixture import Mixture
    from moa_tui.engine.provider import Endpoint
    from moa_tui.ui.ports import Ports


class Presets(Protocol):
    """The presets on disk, the user's and the shipped ones."""

    def load(self, name: str, /) -> Mixture:
        """Return the preset's mixture.

        Raises:
            ConfigError: no preset has this name, or its file has a mistake.
        """
        ...

    def source(self, name: str, /) -> str:
        """Return the preset's file as text that is safe to show.

        Raises:
            ConfigError: no preset has this name, or its file can't be read.
        """
        ...

    def all(self) -> tuple[Sequence[Mixture], Sequence[str]]:
        """Return every preset that can be read, and the others' mistakes in words."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """The program as the files and the environment make it.

    ``preferred`` is the preset of ``[preferences]``, "" if none. ``mistakes`` are those of
    config.toml; ``notices`` all that couldn't be used, in words.
    """

    ports: Ports
    presets: Presets
    endpoints: Mapping[str, Endpoint] = field(default_factory=lambda: MappingProxyType({}))
    preferred: str = ""
    mistakes: Sequence[str] = ()
    notices: Sequence[str] = ()


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

    def tell(self, message: str) -> None:
        """Write a line for the person at the keyboard to stderr."""
        self.stderr.write(f"moa-tui: {message}\n")
        self.stderr.flush()
