"""What is asked at the start where the program ended while runs were live: which to open."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from rich.segment import Segment
from textual import on, work
from textual.binding import Binding

from moa_tui.engine.state import state_after
from moa_tui.errors import MoaError
from moa_tui.ui.dialogs import session_rows
from moa_tui.ui.dialogs import session_texts as says
from moa_tui.ui.dialogs.choices import Choices
from moa_tui.ui.dialogs.dialog import Dialog
from moa_tui.ui.dialogs.picker import Told
from moa_tui.ui.dialogs.session_rows import UnfinishedListing
from moa_tui.ui.rows import wrapped

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from textual.app import ComposeResult
    from textual.binding import BindingType

    from moa_tui.engine.events import Event
    from moa_tui.engine.state import RunState
    from moa_tui.ui import look
    from moa_tui.ui.dialogs.choices import Grid
    from moa_tui.ui.store import Unfinished

_ABOVE_SEATS: Final = 4
_HEAD_AND_FOOT: Final = 4
_MOST_LISTED: Final = 8


class ResumeDialog(Dialog[str]):
    """Shows runs that were cut short; enter ends with the session of the chosen one, esc with None.

    No letter is a key of it: the program opens it unasked, and gives what is typed to the composer.
    ``events`` returns what happened in a run, as `store.Store.run` does.
    """

    AUTO_FOCUS = ""
    DEFAULT_CSS: ClassVar[str] = """
    ResumeDialog Choices { margin-top: 1; }
    ResumeDialog Told { margin-top: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", says.OPENS_IT, id="resume.open", tooltip="Open its session"),
        Binding("up", "move(-1)", "move", key_display="↑↓", id="resume.up", tooltip="A row up"),
        Binding("down", "move(1)", id="resume.down", tooltip="A row down", show=False),
        Binding(
            "escape",
            "close",
            says.LEAVES_IT,
            id="resume.leave",
            tooltip="Leave all as it is; the sessions are kept",
        ),
    ]

    def __init__(
        self,
        unfinished: Sequence[Unfinished],
        *,
        events: Callable[[int], Awaitable[Sequence[Event]]],
    ) -> None:
        super().__init__(says.UNFINISHED, says.runs(len(unfinished)))
        self._listing = UnfinishedListing(unfinished)
        self._events = events
        self._states: dict[int, RunState] = {}
        self._choices = Choices()
        self._told = Told(self._about)

    def body(self) -> ComposeResult:
        """The runs, and how far the one under the cursor had come."""
        yield self._choices
        yield self._told

    def on_mount(self) -> None:
        """Fill the list."""
        self._choices.show(self._listing)

    def on_resize(self) -> None:
        """Deal the rows out anew."""
        self._fit()

    def _fit(self) -> None:
        """Give the list what it needs, and the rest as many rows as the largest run takes."""
        room = self.size.height - _HEAD_AND_FOOT - 2
        listed = min(len(self._listing), _MOST_LISTED, max(1, room - 2))
        self._choices.styles.height = listed
        seats = [len(state.seats) for state in self._states.values()]
        seats += [len(one.seats) for one in self._listing.rows]
        self._told.fit(max(0, min(_ABOVE_SEATS + max(seats, default=0), room - listed)))

    @property
    def _one(self) -> Unfinished | None:
        at = self._choices.at
        return None if at is None else self._listing.rows[at]

    def _about(self, width: int, rows: int, palette: look.Palette) -> Grid:
        del rows
        one = self._one
        if one is None:
            return []
        told = wrapped([Segment(says.ENDED_EARLY, palette.muted)], width)
        state = self._states.get(one.run)
        return [*told, *session_rows.about_unfinished(one, state, width=width, palette=palette)]

    @on(Choices.Moved)
    def _move(self, event: Choices.Moved) -> None:
        event.stop()
        self._told.redraw()
        one = self._one
        if one is not None and one.run not in self._states:
            self._learn(one.run)

    @work(exclusive=True, group="learn")
    async def _learn(self, run: int) -> None:
        try:
            self._states[run] = state_after(await self._events(run))
        except MoaError:
            # The row says which seats are missing; opening the session will say what is wrong.
            return
        self._fit()
        self._told.redraw()

    @on(Choices.Picked)
    def _pick(self, event: Choices.Picked) -> None:
        """Do on a second click what enter does."""
        event.stop()
        self.action_choose()

    def action_move(self, step: int) -> None:
        """Move the cursor so many rows."""
        self._choices.move(step)

    def action_choose(self) -> None:
        """End with the session under the cursor."""
        if self._one is not None:
            self.dismiss(self._one.session)
