"""Server-sent events: bytes in, events out, however the bytes are cut.

Framing is the WHATWG standard's (html.spec.whatwg.org, "Server-sent events"): lines end in LF, CRLF
or CR and in nothing else, so that a U+2028 inside an answer stays text.
"""

from __future__ import annotations

from dataclasses import dataclass

MAX_EVENT_BYTES = 1 << 20
"""More than this in one event or line means that the stream can't be read on."""

_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class ServerSentEvent:
    """One event: its name ("" when none was given) and its data lines joined by newlines."""

    name: str
    data: str


class SseReader:
    """Cuts one response body into events.

    ``overflowed`` turns true when a line or an event passes ``MAX_EVENT_BYTES``; events before it
    are still returned, everything after it is ignored.
    """

    def __init__(self) -> None:
        self.overflowed = False
        self._line = bytearray()
        self._at_start = True
        self._after_cr = False
        self._name = ""
        self._data: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> list[ServerSentEvent]:
        """Return the events that these bytes complete."""
        if not data or self.overflowed:
            return []
        if self._after_cr and data.startswith(b"\n"):
            data = data[1:]
        self._after_cr = data.endswith(b"\r")
        if b"\r" in data:
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        events: list[ServerSentEvent] = []
        first, *others = data.split(b"\n")
        self._line += first
        for part in others:
            if not self._end_line(events):
                return events
            self._line += part
        self.overflowed = len(self._line) > MAX_EVENT_BYTES
        return events

    def close(self) -> ServerSentEvent | None:
        """Return the event that the body's end left without its blank line, if there is one.

        The standard drops it; servers that forget the last blank line are common, so the caller
        uses it when it makes sense.
        """
        events: list[ServerSentEvent] = []
        if self.overflowed:
            return None
        self._end_line(events)
        self._dispatch(events)
        return events[0] if events else None

    def _end_line(self, events: list[ServerSentEvent]) -> bool:
        """Take in a whole line; return whether reading goes on."""
        line = bytes(self._line)
        self._line.clear()
        if self._at_start:
            self._at_start = False
            line = line.removeprefix(_BOM)
        if len(line) > MAX_EVENT_BYTES:
            self.overflowed = True
        elif not line:
            self._dispatch(events)
        else:
            self._field(line)
        return not self.overflowed

    def _field(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._add(value)
        elif name == b"event":
            self._name = value.decode("utf-8", "replace")
        elif name == b"error":
            # llama.cpp before 2025-09 sent "error: {...}" lines (ggml-org/llama.cpp#16109).
            self._name = "error"
            self._add(value)

    def _add(self, value: bytes) -> None:
        self._size += len(value) + 1
        self.overflowed = self._size > MAX_EVENT_BYTES
        self._data.append(value)

    def _dispatch(self, events: list[ServerSentEvent]) -> None:
        if self._data:
            data = b"\n".join(self._data).decode("utf-8", "replace")
            events.append(ServerSentEvent(self._name, data))
        self._name = ""
        self._data = []
        self._size = 0
