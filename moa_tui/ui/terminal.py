"""A terminal that stalls, or is taken away for a while, stops no run and is painted after it."""

from __future__ import annotations

import os
import selectors
from codecs import getincrementaldecoder
from functools import partial
from typing import TYPE_CHECKING, Final

from textual import constants
from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver

if TYPE_CHECKING:
    from textual.driver import Driver

_MOST_WAITING: Final = 24
"""Writes that may wait for the terminal: eight frames of three."""

_LOOK_EVERY_S: Final = 0.1
_MOST_TYPED: Final = 4_096


class SteadyDriver(LinuxDriver):
    """Textual's driver, but that neither the loop nor a key waits for the terminal.

    It also paints a whole frame whenever the terminal may show something else: after it stalled,
    and after the program was stopped.
    """

    _owes_frame = False

    def start_application_mode(self) -> None:
        """Take the terminal."""
        super().start_application_mode()  # type: ignore[no-untyped-call] # Textual's own
        if self._writer_thread is not None:
            # With Textual's bound of 30 a terminal that reads nothing blocks the loop, and with it
            # every stream; what is written without bound is little, since frames are left out.
            self._writer_thread._queue.maxsize = 0  # noqa: SLF001 - it has no other way

    def run_input_thread(self) -> None:
        """Hand on keys as they come.

        As Textual's, which looks ten times a second whether an esc is the key or the beginning of
        a sequence: here it is the key as soon as ``ESCDELAY`` has passed.
        """
        parser = XTermParser(self._debug)
        decode = getincrementaldecoder("utf-8")("replace").decode
        with selectors.DefaultSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                is_escape = parser._timeout_time is not None  # noqa: SLF001 - nothing else says it
                ready = selector.select(constants.ESCAPE_DELAY if is_escape else _LOOK_EVERY_S)
                data = os.read(self.fileno, _MOST_TYPED) if ready else b""
                if ready and not data:
                    # The terminal is gone, which `WaysOut` hears of.
                    return
                typed = decode(data)
                for message in (*(parser.feed(typed) if typed else ()), *parser.tick()):
                    self.process_message(message)

    def leaves_out_frame(self) -> bool:
        """Return whether the terminal takes no frame now; one is painted as soon as it does."""
        if not self._is_behind:
            return False
        if not self._owes_frame:
            self._owes_frame = True
            self._loop.call_later(_LOOK_EVERY_S, self._catch_up)
        return True

    @property
    def _is_behind(self) -> bool:
        thread = self._writer_thread
        return thread is not None and thread._queue.qsize() >= _MOST_WAITING  # noqa: SLF001 - as above

    def _catch_up(self) -> None:
        if self._is_behind:
            self._loop.call_later(_LOOK_EVERY_S, self._catch_up)
            return
        self._owes_frame = False
        self._paint()

    def _paint(self) -> None:
        """Paint all, unless another program has the terminal."""
        if self._auto_restart:
            self._app.call_later(partial(self._app.refresh, layout=True))

    # The program is stopped by the signals' senders. Python may call a handler between any two
    # steps, in the middle of a write too, whose lock Textual's own handlers would wait for: ours
    # have the loop do the work.

    def _sigtstp_application(self, *given: object) -> None:
        self._loop.call_soon_threadsafe(super()._sigtstp_application, *given)

    def _sigcont_application(self, *given: object) -> None:
        self._loop.call_soon_threadsafe(self._go_on, *given)

    def _go_on(self, *given: object) -> None:
        # SIGSTOP came without a warning: the terminal is still ours, and taking it once more would
        # remember our modes as those to give back.
        if self._must_signal_resume:
            super()._sigcont_application(*given)
        self._paint()


def steady(driver: type[Driver]) -> type[Driver]:
    """Return the driver that does so in the place of Textual's, or another one as it is."""
    return SteadyDriver if driver is LinuxDriver else driver
