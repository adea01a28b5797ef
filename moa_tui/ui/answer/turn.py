"""One turn in the answers' column: the question, the thinking, the answer or why there is none."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from moa_tui.ui.answer import turn_rows
from moa_tui.ui.answer.column import Piece
from moa_tui.ui.answer.growing import Growing, pieces_of
from moa_tui.ui.look import thought_and_said

if TYPE_CHECKING:
    from moa_tui.engine.state import SeatState
    from moa_tui.ui.answer.column import Column


@dataclass(slots=True)
class _Known:
    """What a turn has heard of its seat's present attempt, and how much of it is on show.

    Thinking is live while nothing else was said; then a line stands for it.
    """

    seen_thinking: int = 0
    seen_text: int = 0
    text: list[str] = field(default_factory=list)
    thoughts: list[str] = field(default_factory=list)
    thought_for: str = ""
    thought_pieces: int = 0
    is_live: bool = True
    is_unfolded: bool = True
    has_line: bool = False


class Turn:
    """Writes one turn to a column, as its seat's states come in; what it says can be had again.

    Its pieces are the question, then those of the thinking, then all else.
    """

    __slots__ = ("_attempt", "_column", "_growing", "_known", "_number", "_thinking")

    def __init__(self, column: Column, question: str, *, number: int = 0) -> None:
        self._column = column
        self._number = number
        self._attempt = (0, 0)
        self._known = _Known()
        # Only while they grow: a session may have hundreds of turns that are closed.
        self._thinking: Growing | None = None
        self._growing: Growing | None = None
        asked = Piece(question, turn_rows.question, gap=len(column) > 0, turn=number)
        column.splice(column.first_of(number), column.first_of(number), [asked])

    @property
    def answer(self) -> str:
        """The answer in Markdown, as far as it is known."""
        if len(self._known.text) > 1:
            self._known.text = ["".join(self._known.text)]
        return self._known.text[0] if self._known.text else ""

    @property
    def is_unfolded(self) -> bool:
        """Whether the thinking is on show."""
        return self._known.is_unfolded

    def is_thinking_line(self, piece: int) -> bool:
        """Return whether a piece of the column is the line that stands for the thinking."""
        return self._known.has_line and piece == self._first + 1

    def update(self, seat: SeatState, t: float) -> bool:
        """Write what the seat has said since the last time; return whether anything changed."""
        attempt = (seat.seat.layer, seat.attempt)
        known = self._known
        is_shorter = (
            seat.text.length < known.seen_text or seat.thinking.length < known.seen_thinking
        )
        if attempt != self._attempt or is_shorter:
            self.restart()
            self._attempt, known = attempt, self._known
        thinking = seat.thinking.since(known.seen_thinking)
        text = seat.text.since(known.seen_text)
        known.seen_thinking, known.seen_text = seat.thinking.length, seat.text.length
        if thinking or (text and known.is_live):
            known.thought_for = _thought_for(seat, t)
        if thinking:
            self._think(thinking)
        if text and known.is_live:
            self._fold()
        if text:
            known.text.append(text)
            self._feed(text)
        return bool(thinking or text)

    def close(
        self, answer: str | None = None, *, lacks: str = "", failure: str = "", hint: str = ""
    ) -> None:
        """End the turn: with the answer where it isn't what was streamed, or with a failure.

        Below an answer that isn't all it might have been stands what it ``lacks``.
        """
        if answer is not None and answer != self.answer:
            self._write(answer)
        elif answer is not None:
            self._known.text = [answer]
        self._end_answer()
        self._known.is_live = False
        if lacks:
            self._append(Piece(lacks, turn_rows.reservation))
        if failure:
            self._append(Piece(failure, turn_rows.failure))
        if hint:
            self._append(Piece(hint, turn_rows.hint, gap=not failure))

    def rewrite(self, answer: str, *, note: str = "") -> None:
        """Put an answer in the place of what stands below the thinking, and a note under it."""
        self._write(answer)
        self._end_answer()
        if note:
            self._append(Piece(note, turn_rows.hint))

    def restart(self) -> None:
        """Forget all but the question, and which attempt it was."""
        self._cut(self._first + 1)
        self._known = _Known()
        self._thinking = self._growing = None

    def toggle_thinking(self) -> bool:
        """Fold the thinking to a line, or unfold it; return whether there is any."""
        if not self._known.thoughts:
            return False
        self._known.is_unfolded = not self._known.is_unfolded
        self._show_thinking()
        return True

    @property
    def _first(self) -> int:
        return self._column.first_of(self._number)

    @property
    def _end(self) -> int:
        return self._column.first_of(self._number + 1)

    def _feed(self, text: str) -> None:
        """Let the answer grow."""
        if self._growing is None:
            draw, draw_open = turn_rows.markdown, turn_rows.draft
            self._growing = Growing(
                self._column, self._number, draw, draw_open=draw_open, is_answer=True
            )
        self._growing.feed(text)

    def _end_answer(self) -> None:
        if self._growing is not None:
            self._growing.close()
        self._thinking = self._growing = None

    def _feed_thinking(self, thinking: str) -> None:
        """Let the thinking grow, while it is all there is."""
        if self._thinking is None:
            self._thinking = Growing(self._column, self._number, turn_rows.thinking)
        self._thinking.feed(thinking)
        self._known.thought_pieces = self._end - self._first - 1

    def _append(self, piece: Piece) -> None:
        piece.turn = self._number
        self._column.splice(self._end, self._end, [piece])

    def _cut(self, start: int) -> None:
        self._column.splice(start, self._end, ())

    def _write(self, answer: str) -> None:
        """Put an answer below the thinking, in the place of all that stands there."""
        if self._known.is_live:
            self._fold()
        self._cut(self._first + 1 + self._known.thought_pieces)
        self._growing = None
        self._known.text = [answer]
        self._feed(answer)

    # The thinking.

    def _think(self, thinking: str) -> None:
        known = self._known
        known.thoughts.append(thinking)
        if not known.is_live:
            self._show_thinking()
        elif known.is_unfolded:
            self._feed_thinking(thinking)

    def _fold(self) -> None:
        """Put one line in the place of the thinking, if there is any: the answer begins."""
        self._known.is_live = self._known.is_unfolded = False
        if self._known.thoughts:
            self._show_thinking()

    def _show_thinking(self) -> None:
        """Draw the thinking anew: itself while it is live, else a line for it, or both."""
        known = self._known
        thoughts = "".join(known.thoughts)
        known.thoughts = [thoughts]
        known.has_line = not known.is_live or not known.is_unfolded
        start = self._first + 1
        pieces: list[Piece] = []
        if known.has_line:
            line = turn_rows.THINKING if known.is_live else known.thought_for
            pieces.append(Piece(line, turn_rows.thought, turn=self._number))
        if known.has_line and known.is_unfolded:
            pieces += pieces_of(thoughts, self._number, turn_rows.thinking)
        self._column.splice(start, start + known.thought_pieces, pieces)
        known.thought_pieces = len(pieces)
        self._thinking = None
        if not known.has_line:
            self._feed_thinking(thoughts)


def _thought_for(seat: SeatState, t: float) -> str:
    seconds = 0.0 if seat.first_t is None else max(0.0, t - seat.first_t)
    count, _ = thought_and_said(seat)
    return turn_rows.thought_for(seconds, count)
