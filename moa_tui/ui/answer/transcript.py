"""The turns of a conversation as one column of text, and what each of them says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moa_tui.ui.answer import markdown, targets
from moa_tui.ui.answer.blocks import Blocks
from moa_tui.ui.answer.column import Column
from moa_tui.ui.answer.turn import Turn

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from moa_tui.engine.state import SeatState
    from moa_tui.ui.answer.blocks import Block


class Transcript:
    """Turns, numbered from 0 in the order opened; at most one of them is open and grows."""

    def __init__(self) -> None:
        self.column = Column()
        self.open: int | None = None
        """The number of the turn that is open."""
        self.last_closed: int | None = None
        """The number of the turn that was closed last."""
        self._turns: list[Turn] = []

    def __len__(self) -> int:
        return len(self._turns)

    def begin(self, question: str) -> None:
        """Open a turn at the end."""
        self.open = len(self._turns)
        self._turns.append(Turn(self.column, question, number=self.open))

    def reopen(self, number: int) -> None:
        """Take an earlier turn's answer away and let it grow again."""
        self._turns[number].restart()
        self.open = number

    def update(self, seat: SeatState, t: float) -> bool:
        """Give the open turn its seat's state; return whether anything changed."""
        return self.open is not None and self._turns[self.open].update(seat, t)

    def close(self, answer: str | None, *, lacks: str = "", failure: str, hint: str) -> None:
        """End the open turn, if there is one."""
        if self.open is None:
            return
        self._turns[self.open].close(answer, lacks=lacks, failure=failure, hint=hint)
        self.last_closed, self.open = self.open, None

    def rewrite(self, number: int, answer: str, *, note: str = "") -> None:
        """Put another answer in the place of a turn's answer or failure; it is closed then."""
        self._turns[number].rewrite(answer, note=note)
        self.open = None if self.open == number else self.open
        self.last_closed = number

    def cut(self, number: int) -> None:
        """Forget this turn and all behind it."""
        if number < len(self._turns):
            self.column.truncate(self.column.first_of(number))
            del self._turns[number:]
        self.open = self.last_closed = None

    def toggle_thinking(self, number: int) -> bool:
        """Fold or unfold a turn's thinking; return whether there is any."""
        return self._turns[number].toggle_thinking()

    def clear(self) -> None:
        """Forget all turns."""
        self.open = self.last_closed = None
        self._turns.clear()
        self.column.truncate(0)

    # What stands where.

    def question_rows(self, number: int) -> range:
        """Return the rows of a turn's question, as far as they are known."""
        piece = self.column.first_of(number)
        start = self.column.start(piece) + self.column.piece(piece).gap
        return range(start, self.column.start(piece + 1))

    def thinking_row(self, number: int) -> int | None:
        """Return the row that a turn's unfolded thinking starts in, None while it is folded."""
        if not self._turns[number].is_unfolded:
            return None
        return self.column.start(self.column.first_of(number) + 1) + 1

    def is_thinking_line(self, row: int) -> bool:
        """Return whether a row is the line that stands for a turn's thinking."""
        number = self.column.piece_at(row)
        return self._turns[self.column.turn_at(row)].is_thinking_line(number)

    def code_near(self, rows: range, middle: int) -> str | None:
        """Return the code that has a row among these nearest to one of them, None without any."""
        for row in sorted(rows, key=lambda row: abs(row - middle)):
            strip = self.column.row(row)
            code = None if strip is None else targets.code_of(strip)
            if code is not None:
                return self._code_at(self.column.piece_at(row), code)
        return None

    def _code_at(self, number: int, code: int) -> str | None:
        """Return a code of a piece whole: long code goes on in the pieces below.

        None: what is drawn as code isn't any, since it begins in a line too long to be drawn whole.
        """
        first = number
        while self.column.piece(first).goes_on:
            first -= 1
        end = number + 1
        while end < len(self.column) and self.column.piece(end).goes_on:
            end += 1
        pieces = [self.column.piece(at) for at in range(first, end)]
        codes = _joined((piece.source, piece.goes_on) for piece in pieces)
        return codes[code] if code < len(codes) else None

    # What a turn says.

    def answer(self, number: int | None) -> str:
        """Return a turn's answer in Markdown, "" without one."""
        return "" if number is None else self._turns[number].answer

    def code_blocks(self, number: int | None) -> Sequence[str]:
        """Return the code of a turn's answer, in order."""
        return _joined((block.source, block.goes_on) for block in _blocks_of(self.answer(number)))

    def links(self, number: int | None) -> Sequence[str]:
        """Return where the links of a turn's answer lead, in order, each once."""
        blocks = _blocks_of(self.answer(number))
        found = (url for block in blocks for url in markdown.links_of(block.source))
        return list(dict.fromkeys(found))


def _blocks_of(text: str) -> Sequence[Block]:
    blocks = Blocks()
    return (*blocks.feed(text), blocks.open)


def _joined(blocks: Iterable[tuple[str, bool]]) -> list[str]:
    """Return the code of blocks, each with whether it goes on with the code before."""
    codes: list[str] = []
    for source, goes_on in blocks:
        found = markdown.codes_of(source)
        if goes_on and codes and found:
            codes[-1] += found.pop(0)
        codes += found
    return codes
