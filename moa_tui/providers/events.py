"""Reads a body of server-sent events, or the JSON that came instead; a dialect reads its frames."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from moa_tui.errors import TRY_ANOTHER, FailureKind, ProviderError
from moa_tui.providers.answer import Answer
from moa_tui.providers.faults import error_in_stream
from moa_tui.providers.sse import MAX_EVENT_BYTES, ServerSentEvent, SseReader

if TYPE_CHECKING:
    from collections.abc import Callable

_DONE = "[DONE]"
_BOM = b"\xef\xbb\xbf"
_BLANK = b" \t\r\n"
_TOO_LONG = "the server sent more than 1 MiB as one event"


class WrongShape(Exception):  # noqa: N818 - never leaves a decoder
    """A frame that is JSON but none of its dialect."""


class EventDecoder:
    """Reads one streamed answer, whatever its Content-Type claims it is.

    A dialect's decoder says in `read` what one of its frames adds to the answer.
    """

    def __init__(self) -> None:
        self.answer = Answer()
        self._head = b""
        self._read: Callable[[bytes], None] = self._sniff
        self._sse = SseReader()
        self._body = bytearray()

    def read(self, frame: object, name: str, /) -> None:
        """Add a frame to the answer; ``name`` is its event's, "" where none was given.

        Raises:
            WrongShape: it is none of the dialect.
        """
        raise NotImplementedError

    def feed(self, data: bytes, /) -> None:
        """Read on; a call after the answer's end changes nothing."""
        if not self.answer.ended:
            self._read(data)

    def close(self) -> None:
        """Hear that the body has ended: the last frame may lack its blank line."""
        if not self.answer.ended:
            self._last_frame()
        self.answer.flush()

    def _last_frame(self) -> None:
        if self._body:
            self._whole(self._body.decode("utf-8", "replace"))
            return
        event = self._sse.close()
        if self._sse.overflowed:
            self._fail("truncated", _TOO_LONG)
        elif event is not None:
            self._event(event, is_last=True)

    def _sniff(self, data: bytes) -> None:
        self._head += data
        if _BOM.startswith(self._head[:3]) and len(self._head) < len(_BOM):
            return
        bom = _BOM if self._head.startswith(_BOM) else b""
        start = self._head.removeprefix(bom).lstrip(_BLANK)
        self._head = bom
        if not start:
            return
        if start.startswith(b"<"):
            self._fail("protocol", "a web page came instead of an answer", "check base_url")
        elif start.startswith((b"{", b"[")):
            self._read = self._json
            self._json(start)
        else:
            self._read = self._events
            self._events(bom + start)

    def _json(self, data: bytes) -> None:
        self._body += data
        if len(self._body) > MAX_EVENT_BYTES:
            self._fail("truncated", _TOO_LONG)

    def _events(self, data: bytes) -> None:
        for event in self._sse.feed(data):
            self._event(event)
            if self.answer.ended:
                return
        if self._sse.overflowed:
            self._fail("truncated", _TOO_LONG)

    def _whole(self, text: str) -> None:
        """Read a body that is JSON although a stream was asked for."""
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            if text.rstrip().endswith(("}", "]")):
                self._fail("protocol", "the server's answer is not JSON")
            return
        self._frame(found, "")

    def _event(self, event: ServerSentEvent, *, is_last: bool = False) -> None:
        text = event.data.strip()
        if not text or event.name == "ping":
            return
        if text == _DONE:
            self.answer.end()
            return
        frames = _frames_in(text)
        if frames is None and event.name == "error":
            self.answer.fail(error_in_stream(text))
        elif frames is None and not is_last:
            self._fail("protocol", "the server sent a frame that is not JSON")
        for frame in frames or ():
            if self.answer.ended:
                return
            self._frame(frame, event.name)

    def _frame(self, frame: object, name: str) -> None:
        if frame == _DONE:
            self.answer.end()
            return
        try:
            for part in frame if isinstance(frame, list) and frame else [frame]:
                self.read(part, name)
        except WrongShape:
            self._fail("protocol", "the server sent a frame of an unknown shape")
            return
        if name == "error":
            self.answer.fail(error_in_stream(frame))

    def _fail(self, kind: FailureKind, message: str, hint: str = TRY_ANOTHER) -> None:
        self.answer.fail(ProviderError(kind, message, hint))


def _frames_in(text: str) -> list[object] | None:
    """Return the JSON values of an event: one, or one a line where a gateway forgot blank lines."""
    try:
        return [json.loads(text)]
    except (ValueError, RecursionError):
        lines = [line.strip() for line in text.split("\n")]
    if len(lines) == 1:
        return None
    try:
        return [_DONE if line == _DONE else json.loads(line) for line in lines if line]
    except (ValueError, RecursionError):
        return None
