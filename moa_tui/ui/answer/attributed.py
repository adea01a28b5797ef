"""What proposals have in common, and where an answer is from, worked out off the loop."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment

from moa_tui.ui import look, words
from moa_tui.ui.answer.margin import Margin, agreement_words
from moa_tui.ui.look import Palette
from moa_tui.ui.rows import Rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from textual.strip import Strip

    from moa_tui.engine.attribution import Agreement, Attribution
    from moa_tui.engine.state import RunState
    from moa_tui.ui.answer.answer_view import AnswerView
    from moa_tui.ui.race.tiles import TileGrid


class AgreementLine(Rows):
    """How far the proposals that are ready agree; no row while there is nothing to say."""

    DEFAULT_CSS: ClassVar[str] = """
    AgreementLine { height: 1; display: none; background: $aggregator-surface; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._known: Agreement | None = None

    def show(self, known: Agreement | None) -> None:
        """Tell this from now on; None: nothing."""
        self._known = known
        self.display = known is not None and bool(known.pairs)
        self.redraw()

    def draw(self, width: int, palette: Palette) -> Sequence[Strip]:
        """Return the row."""
        if self._known is None:
            return []
        title = Segment(f" {words.AGREEMENT}  ", palette.muted)
        told = [title, *agreement_words(self._known, palette)]
        return [look.row(told, [], width=width, ground=palette.aggregator_surface)]


class Attributed:
    """Puts marks beside the newest answer and shares beside its proposals, unless hidden.

    The margin is kept free before anything is known, so that no text moves when it is.
    """

    def __init__(self, view: AnswerView, tiles: TileGrid, line: AgreementLine) -> None:
        self._view = view
        self._tiles = tiles
        self._line = line
        self._ready: tuple[int, ...] = ()
        self._turn: int | None = None
        self._answer = ""
        self._found: Attribution | None = None
        self._margin: tuple[Palette, Margin] | None = None
        self.is_hidden = False
        """Whether nothing of it is shown."""

    def begin(self) -> None:
        """Forget what is known: another turn begins."""
        self._know("", None, turn=None)
        self.compared(())

    def compared(self, ready: tuple[int, ...]) -> bool:
        """Return whether these seats' proposals were compared already, or can't be."""
        is_known = ready == self._ready
        if len(ready) < 2:  # noqa: PLR2004 - one agrees with nobody
            self._line.show(None)
        self._ready = ready
        return is_known or len(ready) < 2  # noqa: PLR2004 - as above

    async def compare(self, proposals: Mapping[int, str]) -> None:
        """Tell how far proposals agree, by seat number, unless others are ready by then."""
        from moa_tui.engine.attribution import agreement  # noqa: PLC0415 - only answers need it

        found = await asyncio.to_thread(agreement, proposals)
        if tuple(proposals) == self._ready:
            self._line.show(found)

    async def work_out(self, turn: int, run: RunState) -> None:
        """Find out where an answer is from, and show it if that turn is still the newest."""
        proposals = {seat.number: str(run.seats[seat].text) for seat in run.references}
        if not run.answer or not proposals:
            return
        from moa_tui.engine.attribution import sources  # noqa: PLC0415 - only answers need it

        self._know("", None, turn=turn)
        found = await asyncio.to_thread(sources, run.answer, proposals)
        if self._turn == turn:
            self._know(run.answer, found, turn=turn)

    def forget(self, turn: int) -> None:
        """Show nothing of a turn whose answer is another one now."""
        if self._turn == turn:
            self._know("", None, turn=None)

    def toggle(self) -> None:
        """Hide or show it."""
        self.is_hidden = not self.is_hidden
        self._show()

    def _know(self, answer: str, found: Attribution | None, *, turn: int | None) -> None:
        self._turn, self._answer, self._found, self._margin = turn, answer, found, None
        self._show()

    def _show(self) -> None:
        if self.is_hidden:
            self._tiles.shares = {}
            self._view.mark_margin(None)
            return
        self._tiles.shares = self._shares()
        self._view.mark_margin(self._beside, number=self._turn)

    def _shares(self) -> Mapping[int, float]:
        is_known = self._found is not None and self._found.sentences
        return self._found.shares if self._found is not None and is_known else {}

    def _beside(self, source: str, rows: list[str]) -> Sequence[Sequence[Segment]]:
        if self._found is None:
            return [()] * len(rows)
        palette = Palette.of(self._view.app.theme_variables)
        if self._margin is None or self._margin[0] is not palette:
            self._margin = palette, Margin(self._answer, self._found, palette)
        return self._margin[1].margin_for(source, rows)
