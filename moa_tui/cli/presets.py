"""``moa-tui presets``: the mixtures that have a name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moa_tui.cli.table import table
from moa_tui.errors import ConfigError

if TYPE_CHECKING:
    from moa_tui.cli.arguments import Arguments
    from moa_tui.cli.setup import Streams
    from moa_tui.engine.mixture import Mixture
    from moa_tui.ui.ports import Presets


def presets(arguments: Arguments, shelf: Presets, *, streams: Streams) -> int:
    """List the presets, or print one as its file has it; return the exit code.

    Raises:
        ConfigError: the name is missing, too many, or no preset's.
    """
    if arguments.action == "show":
        _show(arguments, shelf, streams=streams)
        return 0
    if arguments.text is not None:
        raise ConfigError("moa-tui presets list takes no name; did you mean show?")
    mixtures, mistakes = shelf.all()
    if arguments.as_json:
        document = {
            "presets": [_as_data(mixture, shelf) for mixture in mixtures],
            "mistakes": list(mistakes),
        }
        streams.write_json(document)
    else:
        rows = [
            (mixture.name, shelf.origin(mixture.name), mixture.description) for mixture in mixtures
        ]
        streams.write(table(rows))
    for mistake in mistakes:
        streams.tell(mistake)
    return 0


def _show(arguments: Arguments, shelf: Presets, *, streams: Streams) -> None:
    name = arguments.text
    if name is None:
        raise ConfigError("which preset? moa-tui presets show NAME; moa-tui presets lists them")
    if arguments.as_json:
        streams.write_json(_as_data(shelf.load(name), shelf))
    else:
        streams.write(shelf.source(name).rstrip("\n") + "\n")


def _as_data(mixture: Mixture, shelf: Presets) -> dict[str, Any]:
    """Return a preset as plain data: whose it is, and its file's content."""
    return {
        "name": mixture.name,
        "origin": shelf.origin(mixture.name),
        "description": mixture.description,
        "mixture": mixture.as_preset(),
    }
