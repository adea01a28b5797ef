"""Adapters to the servers that run models; the HTTP library lives here and nowhere else."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

from moa_tui.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from moa_tui.engine.clock import Clock
    from moa_tui.engine.provider import Endpoint, Kind, Provider
    from moa_tui.providers.limits import Limiter
    from moa_tui.text import Secret

DIALECTS: Mapping[Kind, str] = {
    "openai": "moa_tui.providers.openai",
    "anthropic": "moa_tui.providers.anthropic",
    "ollama": "moa_tui.providers.ollama",
    "embedded": "moa_tui.providers.embedded",
}
"""Which module speaks a kind of endpoint; each has a `connect` of this module's signature."""


class _Dialect(Protocol):
    def connect(
        self,
        endpoint: Endpoint,
        secret: Secret | None,
        *,
        clock: Clock,
        limiter: Limiter,
        models_folder: Path | None,
    ) -> Provider: ...


def connect(
    endpoint: Endpoint,
    secret: Secret | None,
    *,
    clock: Clock,
    limiter: Limiter,
    models_folder: Path | None = None,
) -> Provider:
    """Return the provider that speaks to an endpoint; nothing is called yet.

    ``secret`` is the key, None or empty for none. ``limiter`` is shared by everything that uses
    the same endpoint and key. ``models_folder`` is where the embedded models lie.

    Raises:
        ConfigError: nothing here speaks the endpoint's kind.
    """
    module = DIALECTS.get(endpoint.kind)
    if module is None:
        raise ConfigError(
            f"endpoint {endpoint.name}: kind {endpoint.kind!r} can't be spoken to yet"
        )
    dialect = cast("_Dialect", import_module(module))
    return dialect.connect(
        endpoint, secret, clock=clock, limiter=limiter, models_folder=models_folder
    )
