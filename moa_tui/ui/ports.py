"""What the screen and the commands need of the rest of the program, as protocols.

The composition root builds a `Ports`; tests build one of fakes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from moa_tui.engine.clock import Clock
    from moa_tui.engine.mixture import Mixture
    from moa_tui.engine.provider import Endpoint, Providers


class EmbeddedModel(Protocol):
    """The model that needs nothing but a download."""

    @property
    def is_present(self) -> bool:
        """Whether its file is in the models folder, whole."""
        ...

    @property
    def title(self) -> str:
        """Name, size and licence in words: "SmolLM2 (98 MB, Apache-2.0)"."""
        ...

    async def fetch(self, progress: Callable[[int, int], None], /) -> None:
        """Download, check and unpack it; ``progress`` hears (bytes done, bytes in all).

        Raises:
            ConfigError: the extra is missing or the download failed; nothing half is left.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """What the program was started with: the mixture, why it, and what to tell first.

    ``needs_fetch``: enter fetches the embedded model before the first run. ``notices`` are plain
    sentences about files that are broken and were left out. ``is_demo`` labels the screen.
    """

    mixture: Mixture
    needs_fetch: bool = False
    notices: Sequence[str] = ()
    is_demo: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """The services behind the screen; ``theme`` is a name, ``theme_folders`` the last one wins.

    ``endpoints`` are those known by name, so that prices can be told before anybody is called.
    """

    providers: Providers
    clock: Clock
    embedded: EmbeddedModel
    theme: str = "moa-dark"
    theme_folders: Sequence[Path] = ()
    endpoints: Mapping[str, Endpoint] = field(default_factory=lambda: MappingProxyType({}))
