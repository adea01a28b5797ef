"""Commands that are written in the composer: which text is one, and which is only text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from moa_tui.ui.composer import composer_words as words

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from moa_tui.ui.commands import Command

MARK: Final = "/"

_ENTERED: Final = re.compile(r"/([A-Za-z][A-Za-z0-9_-]*)(?:[ \t]+([^\n]*))?")
_BEGUN: Final = re.compile(r"/([A-Za-z][A-Za-z0-9_-]*)?")


def name_of(command: Command) -> str:
    """Return what a command is called behind the slash."""
    return command.id.replace("_", "-")


def entered(text: str) -> tuple[str, str] | None:
    """Return name and argument of the command that a text is, None where it is a prompt."""
    found = _ENTERED.fullmatch(text)
    if found is None:
        return None
    return found[1].lower().replace("_", "-"), (found[2] or "").strip()


def is_begun(word: str) -> bool:
    """Return whether a text's first word may become a command."""
    return _BEGUN.fullmatch(word) is not None


def sent(text: str) -> str:
    """Return what is sent of a text: two slashes at its beginning are one that is meant."""
    return text[1:] if text.startswith(MARK * 2) else text


def written(text: str) -> str:
    """Return how a prompt must be written so that just this text is sent."""
    is_taken = text.startswith(MARK * 2) or entered(text.strip()) is not None
    return MARK + text if is_taken else text


def refusal(name: str, commands: Iterable[Command]) -> str:
    """Return that there is no such command, and which one may be meant."""
    import difflib  # noqa: PLC0415 - only mistakes need it

    known: Sequence[str] = sorted(name_of(command) for command in commands)
    begun = [one for one in known if one.startswith(name)]
    near = begun or difflib.get_close_matches(name, known, n=1)
    return words.no_command(name, near[0] if near else "")
