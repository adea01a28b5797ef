"""``moa-tui presets``: the mixtures that have a name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moa_tui.errors import ConfigError

if TYPE_CHECKING:
    from moa_tui.cli.arguments import Arguments
    from moa_tui.cli.setup import Presets, Streams


def presets(arguments: Arguments, shelf: Presets, *, streams: Streams) -> int:
    """List the presets, or print one as its file has it; return the exit code.

    Raises:
        ConfigError: the name is missing, too many, or no preset's.
    """
    if arguments.action == "show":
        if arguments.text is None:
            raise ConfigError("which preset? moa-tui presets show NAME; moa-tui presets lists them")
        streams.stdout.write(shelf.source(arguments.text).rstrip("\n") + "\n")
        return 0
    if arguments.text is not None:
        raise ConfigError("moa-tui presets list takes no name; did you mean show?")
    mixtures, mistakes = shelf.all()
    width = max((len(mixture.name) for mixture in mixtures), default=0)
    for mixture in mixtures:
        streams.stdout.write(f"{mixture.name:{width}}  {mixture.description}".rstrip() + "\n")
    for mistake in mistakes:
        streams.tell(mistake)
    return 0
