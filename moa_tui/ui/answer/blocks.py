"""Where a growing Markdown text may be cut: blocks that no later text can change.

The cuts depend on the text alone, never on how it arrived, so that a streamed answer looks like
one that is rendered at once. Every block is rendered by itself and is bounded in size: that keeps
an update of a long answer as cheap as one of a short answer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

LONGEST_BLOCK: Final = 8_192
"""Characters after which a block goes on as another one."""

LONGEST_LINE: Final = 4_096
"""Characters after which a line without an end counts as one."""

# Highlighting is the dearest thing on the screen, about 10 ms for 1,000 characters.
_CODE_SOFT: Final = 2_048
_CODE_HARD: Final = LONGEST_BLOCK
# In these a line at the left margin may well be deep inside something that began before.
_NEVER_PAUSES: Final = frozenset(("html", "xml", "svg", "vue", "svelte", "php", "markdown", "md"))
_MOST_INDENT: Final = 3

_FENCE: Final = re.compile(r"(`{3,})[^`]*$|(~{3,})")
_HEADING: Final = re.compile(r"#{1,6}(?:[ \t]|$)")
_ITEM: Final = re.compile(r"(?:[-+*]|\d{1,9}[.)])(?P<room>[ \t]+|$)")
_TABLE_RULE: Final = re.compile(r"\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?$")
_LONGEST_HEAD: Final = LONGEST_BLOCK // 4
_RULE: Final = re.compile(r"(?:(?:-[ \t]*){3,}|(?:\*[ \t]*){3,}|(?:_[ \t]*){3,})$")


@dataclass(frozen=True, slots=True)
class Block:
    """Markdown that stands for itself; ``gap``: a blank row parts it from the block before.

    ``goes_on``: it is the next part of the code that ends the block before.
    """

    source: str
    gap: bool = True
    goes_on: bool = False


class Blocks:
    """Cuts a text into blocks as it arrives, in time proportional to what is new.

    A block is one top-level block of Markdown, but for these: every item of a top-level list is
    its own, and long code or a long table is several, each with what it opens with. ``offset`` is
    how many characters of the text stand in closed blocks.
    """

    def __init__(self) -> None:
        self.offset = 0
        self._taken = 0
        self._lines: list[str] = []
        self._size = 0
        self._has_content = False
        self._gap = True
        self._goes_on = False
        self._partial: list[str] = []
        self._partial_size = 0
        self._after_blank = False
        self._fence = ""
        self._opener = ""
        self._may_pause = True
        self._is_over = False
        self._item_indent = 0

    @property
    def open(self) -> Block:
        """The last block, which more text may still change; it may be empty."""
        return Block("".join((*self._lines, *self._partial)), self._gap, self._goes_on)

    def feed(self, text: str) -> list[Block]:
        """Take the next piece of the text and return the blocks that are closed by it."""
        closed: list[Block] = []
        *whole, rest = text.split("\n")
        for line in whole:
            self._keep(line, closed)
            self._take("".join(self._partial) + "\n", closed)
            self._partial.clear()
            self._partial_size = 0
        self._keep(rest, closed)
        return closed

    def _keep(self, piece: str, closed: list[Block]) -> None:
        """Hold the begun line; every full length of an endless one is taken as a line."""
        if not piece:
            return
        self._partial.append(piece)
        self._partial_size += len(piece)
        if self._partial_size <= LONGEST_LINE:
            return
        line = "".join(self._partial)
        cut = (len(line) - 1) // LONGEST_LINE * LONGEST_LINE
        for start in range(0, cut, LONGEST_LINE):
            self._take(line[start : start + LONGEST_LINE], closed)
        self._partial = [line[cut:]]
        self._partial_size = len(line) - cut

    def _take(self, line: str, closed: list[Block]) -> None:
        text = line.strip()
        if self._fence:
            self._take_code(line, text, closed)
        elif text:
            self._take_text(line, text, closed)
        else:
            self._after_blank = True
        self._lines.append(line)
        self._size += len(line)
        self._taken += len(line)
        self._has_content = self._has_content or bool(text)

    def _take_code(self, line: str, text: str, closed: list[Block]) -> None:
        is_end = set(text) == {self._fence[0]} and len(text) >= len(self._fence)
        if is_end and _indent_of(line) <= _MOST_INDENT:
            self._fence = ""
            self._is_over = True
            return
        is_pause = self._may_pause and not line[0].isspace() and not self._lines[-1].strip()
        if self._size < (_CODE_SOFT if is_pause else _CODE_HARD):
            return
        # The blank lines before a cut belong to what follows: a block's last ones aren't drawn.
        blanks: list[str] = []
        while not self._lines[-1].strip():
            blanks.append(self._lines.pop())
        self._close(closed, gap=False, kept=sum(map(len, blanks)))
        self._goes_on = True
        self._lines = [self._opener, *blanks]
        self._size = sum(map(len, self._lines))
        self._has_content = True

    def _take_text(self, line: str, text: str, closed: list[Block]) -> None:
        indent = _indent_of(line)
        gap = self._gap_before(text, indent)
        if gap is not None and self._has_content:
            head = self._table_head() if text[0] == "|" and not self._after_blank else []
            self._close(closed, gap=gap)
            self._lines = head
            self._size = sum(map(len, head))
        self._is_over = self._after_blank = False
        if indent > _MOST_INDENT or (self._item_indent and indent >= self._item_indent):
            return
        self._is_over = bool(_HEADING.match(text) or _RULE.match(text))
        fence = _FENCE.match(text)
        if fence:
            self._fence = fence[1] or fence[2]
            self._opener = line
            self._may_pause = text.strip("`~{. ").lower() not in _NEVER_PAUSES
            return
        item = _item(text)
        if item:
            room = item["room"].expandtabs(4)
            marker = item.start("room") + (len(room) if 1 <= len(room) <= 4 else 1)  # noqa: PLR2004 - CommonMark 5.2
            self._item_indent = indent + marker

    def _table_head(self) -> list[str]:
        """Return the first lines of a table, with which its next part begins too; [] for others."""
        first, *others = self._lines[:2]
        is_table = "|" in first and others and _TABLE_RULE.match(others[0].strip())
        return [first, *others] if is_table and len(first) <= _LONGEST_HEAD else []

    def _gap_before(self, text: str, indent: int) -> bool | None:
        """Return whether a new block that begins here wants a gap; None when none begins."""
        if self._is_over:
            return True
        if self._size >= LONGEST_BLOCK:
            return self._after_blank
        if indent > _MOST_INDENT or (self._item_indent and indent >= self._item_indent):
            return None
        # Under a paragraph a line of dashes makes it a heading.
        is_rule = _RULE.match(text) and (self._item_indent or text[0] != "-")
        if is_rule or _HEADING.match(text) or _FENCE.match(text):
            return True
        if self._item_indent and _item(text):
            return self._after_blank
        return True if self._after_blank else None

    def _close(self, closed: list[Block], *, gap: bool, kept: int = 0) -> None:
        closed.append(Block("".join(self._lines), self._gap, self._goes_on))
        self.offset = self._taken - kept
        self._lines = []
        self._size = 0
        self._has_content = False
        self._goes_on = False
        self._gap = gap
        self._item_indent = 0


def split_stable(source: str) -> int:
    """Return the offset up to which the blocks of a text are closed, whatever follows."""
    blocks = Blocks()
    blocks.feed(source)
    return blocks.offset


def _item(text: str) -> re.Match[str] | None:
    return None if _RULE.match(text) else _ITEM.match(text)


def _indent_of(line: str) -> int:
    return len(line[: len(line) - len(line.lstrip(" \t"))].expandtabs(4))
