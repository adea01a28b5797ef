"""Names for sessions, and numbers for turns and runs that sort by time."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

_LETTERS: Final = "0123456789abcdefghjkmnpqrstvwxyz"
"""What can't be misread: no i, l, o, u."""

_LENGTH: Final = 8
_EPOCH_S: Final = 1_577_836_800
"""2020-01-01, so that the numbers fit SQLite's 63 bits until 2089."""

_BITS: Final = 22


class Ids:
    """Makes ids that no other process makes too, without asking anybody; any thread may."""

    def __init__(self, clock: Callable[[], float], chance: random.Random) -> None:
        self._clock = clock
        self._chance = chance
        self._last = 0
        self._lock = Lock()

    def word(self) -> str:
        """Return a session's id."""
        return "".join(self._chance.choice(_LETTERS) for _ in range(_LENGTH))

    def number(self) -> int:
        """Return a number above all that came before: milliseconds, then chance."""
        milliseconds = max(0, int((self._clock() - _EPOCH_S) * 1000))
        fresh = (milliseconds << _BITS) | self._chance.getrandbits(_BITS)
        with self._lock:
            self._last = fresh if fresh > self._last else self._last + 1
            return self._last
