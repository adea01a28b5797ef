"""Ways out of the program that nobody presses a key for: signals, and a window that is gone."""

from __future__ import annotations

import os
import select
import signal
import threading
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from collections.abc import Callable

SIGNALS: Final = (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGINT)
_LAST_RESORT_S: Final = 3.0
_LOOK_EVERY_S: Final = 1.0


class WaysOut:
    """Calls ``leave(code)``, from any thread, when the program has to end: 128 + the signal.

    Leaving in order may be impossible, since a terminal that is gone or stalled blocks every
    write, so ``force(code)`` follows 3 seconds later if the process is still there.
    """

    def __init__(
        self, leave: Callable[[int], None], *, force: Callable[[int], None] = os._exit
    ) -> None:
        self._leave = leave
        self._force = force
        self._is_over = threading.Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Watch no more: the program has left."""
        self._is_over.set()

    def take_signals(self) -> None:
        """Take the signals that would leave the terminal in its modes, but for ignored ones.

        With handlers of Python's own and not the loop's, since a blocked loop never runs those.
        """
        for number in SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._on_signal)

    def watch(self, terminal: int, *, every_s: float = _LOOK_EVERY_S) -> threading.Thread:
        """Leave as after SIGHUP when the window behind a file descriptor is gone.

        It may be that nobody tells: under nohup SIGHUP is ignored.
        """
        thread = threading.Thread(
            target=self._watch, args=(terminal, every_s), daemon=True, name="moa-terminal"
        )
        thread.start()
        return thread

    def _watch(self, terminal: int, every_s: float) -> None:
        poll = select.poll()
        poll.register(terminal, 0)
        while not any(event & select.POLLHUP for _, event in poll.poll(0)):
            if self._is_over.wait(every_s):
                return
        self._go(128 + signal.SIGHUP)

    def _on_signal(self, number: int, frame: object) -> None:
        del frame
        self._go(128 + number)

    def _go(self, code: int) -> None:
        last_resort = threading.Timer(_LAST_RESORT_S, self._force, (code,))
        last_resort.daemon = True
        last_resort.start()
        self._leave(code)
