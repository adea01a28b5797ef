"""What can go wrong, drawn once.

::

    MoaError
    ├── ConfigError       a file, option or name that its author can mend; nothing was called
    ├── CommandError      a command that makes no sense at this moment of a run
    └── ProviderError     one attempt of a seat came to nothing: its kind, words and what to do
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable

FailureKind: TypeAlias = Literal[
    "connect",
    "timeout",
    "rate_limit",
    "quota",
    "auth",
    "not_found",
    "context",
    "invalid",
    "server",
    "cut",
    "truncated",
    "protocol",
    "midstream",
    "empty",
    "stopped",
]
"""Why a seat or a run failed; the words of the ``--json`` events."""


TRY_AGAIN = "try again"
"""The hint for what may pass by itself."""

TRY_ANOTHER = "try again, or take another model"
"""The hint for what may pass, or may be the model's way."""


class MoaError(Exception):
    """An error whose message is written for the person at the keyboard."""


class ConfigError(MoaError):
    """A preset, setting, option or name that can't be used; its message names where it stands."""


class CommandError(MoaError):
    """A command to a live run that can't be carried out now; its message says why."""


class ProviderError(MoaError):
    """One attempt of a seat failed.

    ``message`` and ``hint`` are clean, redacted text: what happened, and what to do about it.
    ``retry`` says whether the same request may succeed later, ``retry_after_s`` when the server
    wants it (seconds); both matter only before the first token. ``window`` is how many tokens the
    model takes, where a prompt that doesn't fit was answered with that; 0 is unknown.
    """

    def __init__(
        self,
        kind: FailureKind,
        message: str,
        hint: str = "",
        *,
        retry: bool = False,
        retry_after_s: float | None = None,
        window: int = 0,
    ) -> None:
        super().__init__(message)
        self.kind: FailureKind = kind
        self.message = message
        self.hint = hint
        self.retry = retry
        self.retry_after_s = retry_after_s
        self.window = window


def nearest(word: str, words: Iterable[str]) -> str:
    """Return '; did you mean "…"?' for the word that is most like a mistyped one, else ""."""
    import difflib  # noqa: PLC0415 - only mistakes need it

    close = difflib.get_close_matches(word, sorted(words), n=1)
    return f'; did you mean "{close[0]}"?' if close else ""
