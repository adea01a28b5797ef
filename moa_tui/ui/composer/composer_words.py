"""What the composer says, beside what `words` says for the whole screen."""

from __future__ import annotations

from typing import Final

AWAY: Final = "Type here, i to come back to it"
NOT_NOW: Final = "not now"
HINT_COMMANDS: Final = "/ commands"
HINT_FILES: Final = "@ files"
HINT_QUEUED: Final = "up edits the last one queued"
QUEUED: Final = "queued:"


def no_command(name: str, near: str) -> str:
    """Return that a command doesn't exist, and which one may be meant, else how to send it."""
    if near:
        return f"no command /{name}; /{near} is meant?"
    return f"no command /{name}; //{name} sends it as text"


def not_found(name: str) -> str:
    """Return that no file has this name, and what to do if none is meant."""
    return f"no file {name}; enter again sends it as text"


def reading(name: str) -> str:
    """Return that a file takes its time."""
    return f"reading {name}"


def more(count: int) -> str:
    """Return how many rows are further down."""
    return f"{count} more"
