"""A real terminal for the real program: a pty that is always read, its screen, its keys."""

from __future__ import annotations

import codecs
import contextlib
import fcntl
import os
import re
import select
import signal
import struct
import termios
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Self

import pyte

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import TracebackType

PATIENCE_S = 30.0
"""How long a screen may take to show what is awaited; generous, since machines are shared."""

KEYS = {
    "enter": "\r",
    "esc": "\x1b",
    "tab": "\t",
    "shift+tab": "\x1b[Z",
    "backspace": "\x7f",
    "up": "\x1b[A",
    "down": "\x1b[B",
    "f1": "\x1bOP",
    "f3": "\x1bOR",
    "f9": "\x1b[20~",
    "f10": "\x1b[21~",
    **{f"ctrl+{letter}": chr(ord(letter) - 96) for letter in "abcdefghijklmnopqrstuvwxyz"},
}

# pyte prints the tail of what it doesn't know: kitty's keyboard stack, device control strings.
_UNKNOWN_TO_PYTE = re.compile("\x1b\\[<[0-9;]*u|\x1bP[^\x1b]*\x1b\\\\")
_INCOMPLETE = re.compile("\x1b(?:\\[[<>?0-9;$]*|P[^\x1b]*\x1b?)?\\Z")
_MODE = re.compile(rb"\x1b\[\?([0-9;]+)([hl])")
_KITTY_KEYBOARD = re.compile(rb"\x1b\[(?:>[0-9]*|<[0-9]*)u")
_SGR_OR_OTHER = re.compile(rb"\x1b(?:\[[<>?0-9;$]*[@-~]|[^\[])")

# What any recent terminal answers; the program then brackets each frame.
_ASKS_FOR_SYNC = b"\x1b[?2026$p"
_HAS_SYNC = b"\x1b[?2026;2$y"
FRAME_END = b"\x1b[?2026l"

MODES = {
    9: "mouse",
    1000: "mouse",
    1002: "mouse",
    1003: "mouse",
    1004: "focus events",
    1006: "mouse",
    1015: "mouse",
    1016: "mouse",
    1049: "alternate screen",
    2004: "bracketed paste",
    2026: "synchronised output",
    2048: "resize events",
}
_CURSOR = 25


class Chunk(NamedTuple):
    """Bytes as they came out of the program, and when (`time.monotonic`)."""

    t: float
    data: bytes


@dataclass(frozen=True)
class Leftovers:
    """What a program that ended left behind; all empty is a clean terminal."""

    modes: tuple[str, ...]
    cursor_hidden: bool
    keyboard_protocol: bool
    line_settings_changed: bool


CLEAN = Leftovers(
    modes=(), cursor_hidden=False, keyboard_protocol=False, line_settings_changed=False
)


def plain_text(data: bytes) -> str:
    """Return raw output without its escape sequences."""
    return _SGR_OR_OTHER.sub(b"", data).decode("utf-8", "replace")


class Terminal:
    """A program in a pty of ``columns`` by ``rows``, drained by a thread from its first byte."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        columns: int = 80,
        rows: int = 24,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self.chunks: list[Chunk] = []
        self._arrived = threading.Condition()
        self._shown = 0
        self._pending = ""
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.Stream(self._screen)
        self._master, self._slave = os.openpty()
        self._set_size(columns, rows)
        self._before = termios.tcgetattr(self._slave)
        self._is_read = threading.Event()
        self._is_read.set()
        self._is_closed = False
        self._woken, self._waker = os.pipe()
        self.started = time.monotonic()
        self.pid = self._spawn(command, env)
        self._code: int | None = None
        self._stopped = False
        self._reader = threading.Thread(target=self._drain, daemon=True)
        self._reader.start()
        threading.Thread(target=self._reap, daemon=True).start()

    def _spawn(self, command: Sequence[str], env: Mapping[str, str] | None) -> int:
        # The session's leader opens the terminal itself, which makes it the controlling one;
        # spawning instead of forking is safe beside the threads of the tests.
        name = os.ttyname(self._slave)
        actions = [
            (os.POSIX_SPAWN_OPEN, 0, name, os.O_RDWR, 0),
            (os.POSIX_SPAWN_DUP2, 0, 1),
            (os.POSIX_SPAWN_DUP2, 0, 2),
        ]
        environment = terminal_environment() if env is None else {**terminal_environment(), **env}
        return os.posix_spawn(
            command[0], list(command), environment, file_actions=actions, setsid=True
        )

    # What it shows

    @property
    def raw(self) -> bytes:
        """Every byte so far."""
        with self._arrived:
            return b"".join(chunk.data for chunk in self.chunks)

    @property
    def text(self) -> str:
        """The screen's rows as they stand, right-stripped."""
        with self._arrived:
            self._show()
            return "\n".join(line.rstrip() for line in self._screen.display)

    def wait_for(self, wanted: str | Callable[[str], bool], *, timeout: float = PATIENCE_S) -> str:
        """Return the screen as soon as it shows the text, or satisfies the condition.

        Raises:
            TimeoutError: it still doesn't; the message holds the screen.
        """
        condition = wanted if callable(wanted) else lambda screen: wanted in screen
        end = time.monotonic() + timeout
        with self._arrived:
            while not condition(self.text):
                left = end - time.monotonic()
                if left <= 0 or not self._arrived.wait(left):
                    raise TimeoutError(f"no {wanted!r} on screen:\n{self.text}")
        return self.text

    def wait_for_output(
        self, wanted: bytes, *, since: int = 0, timeout: float = PATIENCE_S
    ) -> Chunk:
        """Return the first chunk behind the first ``since`` chunks that holds these bytes.

        Cheaper than `wait_for`: no screen is kept, which matters where time is measured.

        Raises:
            TimeoutError: there is none.
        """
        end = time.monotonic() + timeout
        before = b""
        with self._arrived:
            while True:
                for chunk in self.chunks[since:]:
                    # A character may be cut in two between chunks.
                    if wanted in before + chunk.data:
                        return chunk
                    before = chunk.data[-len(wanted) :]
                since = len(self.chunks)
                left = end - time.monotonic()
                if left <= 0 or not self._arrived.wait(left):
                    raise TimeoutError(f"{wanted!r} never came:\n{self.text}")

    def wait_for_chunks(self, count: int, *, timeout: float = PATIENCE_S) -> None:
        """Wait until ``count`` more chunks have come.

        Raises:
            TimeoutError: they haven't.
        """
        with self._arrived:
            wanted = len(self.chunks) + count
            if not self._arrived.wait_for(lambda: len(self.chunks) >= wanted, timeout):
                raise TimeoutError(f"{count} more chunks never came:\n{self.text}")

    def _show(self) -> None:
        for chunk in self.chunks[self._shown :]:
            text = self._pending + self._decoder.decode(chunk.data)
            incomplete = _INCOMPLETE.search(text)
            cut = incomplete.start() if incomplete else len(text)
            text, self._pending = text[:cut], text[cut:]
            self._stream.feed(_UNKNOWN_TO_PYTE.sub("", text))
        self._shown = len(self.chunks)

    def erase(self) -> None:
        """Forget what is on the screen, as who looks at another program for a while."""
        with self._arrived:
            self._show()
            self._screen.reset()

    # What it is told

    def send(self, text: str) -> None:
        """Type a text as it stands."""
        data = text.encode()
        while data:
            data = data[os.write(self._master, data) :]

    def press(self, *keys: str) -> None:
        """Press keys by name (`KEYS`) or by the character."""
        for key in keys:
            self.send(KEYS.get(key, key))

    def resize(self, columns: int, rows: int) -> None:
        """Change the size, as a window does."""
        with self._arrived:
            self._show()
            self._screen.resize(rows, columns)
        self._set_size(columns, rows)

    def _set_size(self, columns: int, rows: int) -> None:
        size = struct.pack("HHHH", rows, columns, 0, 0)
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, size)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the program."""
        os.kill(self.pid, number)

    def stall(self) -> None:
        """Read nothing more of what it writes, until `go_on`."""
        self._is_read.clear()
        os.write(self._waker, b"x")

    def wait_until_full(self) -> None:
        """Wait until a stalled terminal takes nothing more of what the program writes.

        Raises:
            TimeoutError: it never fills.
        """
        end = time.monotonic() + PATIENCE_S
        while select.select([], [self._slave], [], 0)[1]:
            if time.monotonic() > end:
                raise TimeoutError("the terminal never filled")
            select.select([], [], [], 0.01)

    def go_on(self) -> None:
        """Read again."""
        self._is_read.set()

    def close_window(self) -> None:
        """Take the terminal away, as a window that is closed does."""
        self._is_closed = True
        os.write(self._waker, b"x")
        self._reader.join(PATIENCE_S)
        os.close(self._master)

    # How it ends

    def wait(self, timeout: float = PATIENCE_S) -> int:
        """Return the exit code (minus the signal's number, if one ended it).

        Raises:
            TimeoutError: it still runs.
        """
        with self._arrived:
            if not self._arrived.wait_for(lambda: self._code is not None, timeout):
                raise TimeoutError(f"still running:\n{self.text}")
        self._finish()
        assert self._code is not None
        return self._code

    def leftovers(self) -> Leftovers:
        """Return what the program left in the terminal, or has changed in it by now."""
        after = self._after if self._code is not None else termios.tcgetattr(self._slave)
        final: dict[int, bool] = {}
        for match in _MODE.finditer(self.raw):
            for mode in match[1].split(b";"):
                final[int(mode)] = match[2] == b"h"
        keyboard = sum(
            1 if b">" in match[0] else -1 for match in _KITTY_KEYBOARD.finditer(self.raw)
        )
        return Leftovers(
            modes=tuple(sorted({name for mode, name in MODES.items() if final.get(mode, False)})),
            cursor_hidden=not final.get(_CURSOR, True),
            keyboard_protocol=keyboard > 0,
            line_settings_changed=after != self._before,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._code is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            self._is_read.set()
            self.wait()
        if not self._is_closed:
            os.close(self._master)
        os.close(self._woken)
        os.close(self._waker)

    def _finish(self) -> None:
        if self._stopped:
            return
        self._stopped = True
        if self._is_closed:
            os.close(self._slave)
            return
        self._after = termios.tcgetattr(self._slave)
        # Only with the last writer gone does the reader see the end of what was written.
        os.close(self._slave)
        self._reader.join(PATIENCE_S)

    def _reap(self) -> None:
        _, status = os.waitpid(self.pid, 0)
        with self._arrived:
            self._code = os.waitstatus_to_exitcode(status)
            self._arrived.notify_all()

    def _drain(self) -> None:
        while not self._is_closed:
            ready, _, _ = select.select([self._master, self._woken], [], [])
            if self._woken in ready:
                os.read(self._woken, 1)
                self._is_read.wait()
                continue
            try:
                data = os.read(self._master, 65536)
            except OSError:  # how Linux says that the last writer is gone
                data = b""
            if _ASKS_FOR_SYNC in data:
                os.write(self._master, _HAS_SYNC)
            with self._arrived:
                if data:
                    self.chunks.append(Chunk(time.monotonic(), data))
                self._arrived.notify_all()
            if not data:
                return


def terminal_environment() -> dict[str, str]:
    """Return a plain environment: nothing of the user's but the search path."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "LANG": "C.UTF-8",
    }
