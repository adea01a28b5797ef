"""``moa-tui models``: every model that can be named, at all endpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moa_tui.cli.survey import as_data, survey, words_of
from moa_tui.cli.table import table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from moa_tui.cli.arguments import Arguments
    from moa_tui.cli.setup import Setup, Streams
    from moa_tui.engine.provider import ModelInfo
    from moa_tui.ui.ports import EndpointState

_LISTED, _NONE = 0, 1
_KILO = 1000
_UNITS = ("B", "kB", "MB", "GB", "TB")


async def models(arguments: Arguments, setup: Setup, *, streams: Streams) -> int:
    """Ask every endpoint and list what it has; return 0 if there is a model at all, else 1.

    What couldn't be used of the settings is told: an endpoint may be missing for that.
    """
    for notice in setup.notices:
        streams.tell(notice)
    states = await survey(setup.places)
    if arguments.as_json:
        streams.write_json({"endpoints": [as_data(state) for state in states]})
    else:
        _show(states, streams)
    return _LISTED if any(state.models for state in states) else _NONE


def _show(states: Sequence[EndpointState], streams: Streams) -> None:
    rows = [
        (f"{state.endpoint.name}/{model.id}", _context(model), _size(model), _note(model))
        for state in states
        for model in sorted(state.models, key=lambda model: model.id)
    ]
    others = [(state.endpoint.name, words_of(state)) for state in states if not state.models]
    parts = [
        table(rows, heads=("MODEL", "CONTEXT", "SIZE", "")) if rows else "",
        table(others),
    ]
    streams.write("\n".join(filter(None, parts)))


def _context(model: ModelInfo) -> str:
    return "" if model.context is None else str(model.context)


def _size(model: ModelInfo) -> str:
    """Return bytes for people, in powers of 1000 as vendors count: "2.0 GB"."""
    if model.size is None:
        return ""
    value, unit = float(model.size), 0
    while round(value) >= _KILO and unit < len(_UNITS) - 1:
        value, unit = value / _KILO, unit + 1
    digits = 1 if value < 10 and unit else 0  # noqa: PLR2004 - two digits are enough for anybody
    return f"{value:.{digits}f} {_UNITS[unit]}"


def _note(model: ModelInfo) -> str:
    return "" if model.is_chat else "can't chat"
