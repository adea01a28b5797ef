"""What the program remembers by itself: state.toml, written by it alone.

The user's config.toml says the same things, wins, and is never written: see `config`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moa_tui.config import endpoint_problem
from moa_tui.errors import ConfigError
from moa_tui.files import rewrite
from moa_tui.tables import parse_toml
from moa_tui.text import looks_like_key

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from moa_tui.engine.provider import Endpoint


class StateFile:
    """The state.toml of a config folder; what it has that nobody here knows is kept.

    It may be used from any thread, and by several instances of the program at once.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / "state.toml"

    def remember(self, table: str, key: str, value: str | float, /) -> None:
        """Write one value, like ("preferences", "theme", "moa-light").

        Raises:
            ConfigError: the file can't be written, has a mistake, or the value looks like a key.
        """
        self._change(lambda state: self._table(state, table).update({key: value}), value)

    def remember_endpoint(self, endpoint: Endpoint) -> None:
        """Write what finds an endpoint again: its kind, its URL, the name of its key's variable.

        Other keys of its table stay; headers, limits and prices are for config.toml.

        Raises:
            ConfigError: as `remember`, or the name or the URL can't be an endpoint's.
        """
        problem = endpoint_problem(endpoint)
        if problem:
            raise ConfigError(problem)
        fields = {"kind": endpoint.kind, "base_url": endpoint.base_url}
        if endpoint.api_key_env:
            fields["api_key_env"] = endpoint.api_key_env

        def add(state: dict[str, Any]) -> None:
            endpoints = self._table(state, "endpoints")
            self._table(endpoints, endpoint.name).update(fields)

        self._change(add, *fields.values())

    def forget_endpoint(self, name: str) -> Callable[[], None]:
        """Take an endpoint's table out; return what writes it again as it was.

        Raises:
            ConfigError: the file can't be written, or has a mistake; later too.
        """
        taken: dict[str, Any] = {}

        def take(state: dict[str, Any]) -> None:
            endpoints = self._table(state, "endpoints")
            taken.update(endpoints.pop(name, {}))
            if not endpoints:
                del state["endpoints"]

        def put(state: dict[str, Any]) -> None:
            self._table(state, "endpoints").setdefault(name, taken)

        self._change(take)
        return lambda: self._change(put)

    def _table(self, state: dict[str, Any], name: str) -> dict[str, Any]:
        table = state.setdefault(name, {})
        if isinstance(table, dict):
            return table
        raise ConfigError(f"{self._path}: {name} must be a table")

    def _change(self, edit: Callable[[dict[str, Any]], None], *values: object) -> None:
        if any(isinstance(value, str) and looks_like_key(value) for value in values):
            raise ConfigError(f"a value that looks like a key is never written to {self._path}")

        def changed(before: bytes | None) -> str:
            import tomli_w  # noqa: PLC0415 - most starts write nothing

            state = parse_toml(before or b"", self._path)
            edit(state)
            return tomli_w.dumps(state)

        rewrite(self._path, changed)
