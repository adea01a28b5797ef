"""Where somebody is in a tall column: at its end, which is followed, or somewhere above."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from moa_tui.ui.answer.column import Column, Held


class Kept(NamedTuple):
    """What stood at the window's top, and what was the last row seen."""

    top: Held
    seen: Held


class Reading:
    """A place in a column that lasts while rows come below it or change above it."""

    def __init__(self, column: Column) -> None:
        self._column = column
        self.is_following = True
        """Whether the end stays in sight as text comes."""
        self.picked: int | None = None
        """The turn that somebody went to, until he scrolls on."""
        # As a piece and rows into it: what lies above may turn out longer than guessed.
        self._seen = (0, 0)

    @property
    def new_lines(self) -> int:
        """How many rows came below what was seen, since the end was left."""
        if self.is_following:
            return 0
        piece, rows = self._seen
        return max(0, self._column.height - self._column.start(piece) - rows)

    def follow(self) -> None:
        """Be at the end."""
        self.is_following, self.picked = True, None

    def leave(self) -> None:
        """Leave the end, all rows being seen."""
        if self.is_following:
            self._seen = self._place(self._column.height)
        self.is_following, self.picked = False, None

    def saw(self, end: int) -> None:
        """Note that the rows before ``end`` are seen."""
        self._seen = max(self._seen, self._place(end))

    def keep(self, top: int) -> Kept | None:
        """Return where one is, the window's top being this row; None where the end is followed."""
        piece, rows = self._seen
        held = self._column.hold(top)
        seen = self._column.hold(self._column.start(piece) + rows - 1)
        if self.is_following or held is None or seen is None:
            return None
        return Kept(held, seen)

    def find(self, kept: Kept) -> int:
        """Take the place up again that was kept, and return the row at the window's top."""
        self._seen = self._place(self._column.row_of(kept.seen) + 1)
        return self._column.row_of(kept.top)

    def _place(self, end: int) -> tuple[int, int]:
        """Return a row that something ends before as a piece and rows into it."""
        piece = self._column.piece_at(max(0, end - 1))
        return piece, end - self._column.start(piece)
