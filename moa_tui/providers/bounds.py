"""What is believed of a server's numbers and lists: JSON has no bounds of its own."""

from __future__ import annotations

MOST_MODELS = 20_000
"""Models taken of one listing; the rest is left out."""

_LARGEST = 2**53
_ABSURD = 1e15


def count(value: object) -> int | None:
    """Return a whole number from 0 to 2**53, which JSON carries exactly; None for all else."""
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return value if 0 <= value <= _LARGEST else None


def amount(value: object) -> int:
    """Return a number of tokens or nanoseconds, 0 for what can't be one."""
    return int(value) if isinstance(value, int | float) and 0 <= value < _ABSURD else 0
