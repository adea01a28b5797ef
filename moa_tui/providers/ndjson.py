"""JSON lines: bytes in, lines out, however the bytes are cut."""

from __future__ import annotations

MAX_LINE_BYTES = 1 << 20
"""A longer line means that the stream can't be read on."""

_BOM = b"\xef\xbb\xbf"


class NdjsonReader:
    """Cuts one response body into its lines that aren't blank.

    ``overflowed`` turns true when a line passes ``MAX_LINE_BYTES``; lines before it are still
    returned, everything after it is ignored. Only LF ends a line (a CR before it is white space to
    JSON): U+2028 and its like are text.
    """

    def __init__(self) -> None:
        self.overflowed = False
        self._line = bytearray()
        self._at_start = True

    def feed(self, data: bytes) -> list[str]:
        """Return the lines that these bytes complete."""
        lines: list[str] = []
        if self.overflowed:
            return lines
        first, *others = data.split(b"\n")
        self._line += first
        for part in others:
            if not self._end_line(lines):
                return lines
            self._line += part
        self.overflowed = len(self._line) > MAX_LINE_BYTES
        return lines

    def close(self) -> str:
        """Return what the body's end left without a newline, "" for nothing."""
        lines: list[str] = []
        if not self.overflowed:
            self._end_line(lines)
        return lines[0] if lines else ""

    def _end_line(self, lines: list[str]) -> bool:
        """Take in a whole line; return whether reading goes on."""
        line = bytes(self._line)
        self._line.clear()
        if self._at_start:
            self._at_start = False
            line = line.removeprefix(_BOM)
        if len(line) > MAX_LINE_BYTES:
            self.overflowed = True
        elif line := line.strip(b" \t\r"):
            lines.append(line.decode("utf-8", "replace"))
        return not self.overflowed
