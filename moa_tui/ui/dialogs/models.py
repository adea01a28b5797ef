"""The model picker: every endpoint's models in one list, and endpoints asked when wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from textual.binding import Binding

from moa_tui.ui import look
from moa_tui.ui.dialogs import fuzzy, model_rows, texts
from moa_tui.ui.dialogs.asking import AskingPicker
from moa_tui.ui.dialogs.model_rows import Catalogue, ModelListing
from moa_tui.ui.rows import Rows

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.strip import Strip

    from moa_tui.ui.dialogs.choices import Choices, Grid, Listing
    from moa_tui.ui.dialogs.model_rows import Row
    from moa_tui.ui.ports import EndpointState

_ROWS_ABOUT = 4


class Columns(Rows):
    """The heads of the figures in a list, above them whether it has a scroll bar or not."""

    DEFAULT_CSS: ClassVar[str] = "Columns { height: 1; }"

    def __init__(self, choices: Choices) -> None:
        super().__init__()
        self._choices = choices

    def on_mount(self) -> None:
        """Follow the list's scroll bar."""
        self.watch(self._choices, "show_vertical_scrollbar", self._move, init=False)

    def _move(self) -> None:
        self.redraw()

    def draw(self, width: int, palette: look.Palette) -> Sequence[Strip]:
        """Return the row."""
        bar = 1 if self._choices.show_vertical_scrollbar else 0
        heads = model_rows.columns(width - bar - 3) + " " * (bar + 1)
        right = [Segment(heads, palette.muted)]
        return [look.row([], right, width=width, ground=palette.focus_surface)]


class ModelPicker(AskingPicker[str]):
    """Shows what all endpoints list; enter ends with "endpoint/model", esc with None.

    ``title`` says what the model is for, ``now`` is the one that is there.
    """

    ON_ENTER: ClassVar[tuple[str, ...]] = ("choose", "ask", "ask_again", "use_typed")
    ROWS_ABOVE: ClassVar[int] = 1
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "choose", id="model.choose", tooltip="Use this model"),
        Binding(
            "enter", "ask", "list its models", id="model.ask", tooltip="Ask the endpoint for a list"
        ),
        Binding(
            "enter", "ask_again", "ask again", id="model.ask_again", tooltip="Ask the endpoint anew"
        ),
        Binding(
            "enter", "use_typed", "use as typed", id="model.typed", tooltip="Use what was typed"
        ),
    ]

    def __init__(
        self,
        title: str,
        states: Sequence[EndpointState],
        *,
        ask: Callable[[str], Awaitable[EndpointState]],
        now: str = "",
        query: str = "",
    ) -> None:
        super().__init__(title, texts.TYPE_MODEL, states, ask=ask, query=query)
        self._title = title
        self._catalogue = Catalogue(states)
        self._now = now
        self._listing = ModelListing(self._catalogue)

    def heads(self) -> ComposeResult:
        """Return the heads of the columns."""
        yield Columns(self._choices)

    def learned(self) -> None:
        """Show what the endpoints list now; the cursor stays on its row, or goes to its models."""
        row = self._row
        self._catalogue = Catalogue(self.states)
        listing = ModelListing(self._catalogue, self.query_text, now=self._now)
        self.relist(at=0 if row is None else listing.where(row.key))

    def listing(self, query: str) -> Listing:
        """Return the rows that the query finds."""
        self._listing = ModelListing(self._catalogue, query, now=self._now)
        self.tell(
            self._title, texts.found(self._listing.found, len(self._catalogue.offers), "model")
        )
        return self._listing

    def start(self, listing: Listing) -> int:
        """Return the row of the model that is there, while nothing is typed."""
        del listing
        return 0 if self.query_text.strip() else self._listing.where(self._now)

    def rows_about(self, height: int) -> int:
        """Return the rows of a long name and its figures."""
        del height
        return _ROWS_ABOUT

    def about(self, width: int, rows: int, palette: look.Palette) -> Grid:
        """Return the row under the cursor in full."""
        del rows
        row = self._row
        return [] if row is None else [[], *model_rows.about(row, width=width, palette=palette)]

    @property
    def _row(self) -> Row | None:
        return self._listing.at(self.at)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Return whether a key does something on the row under the cursor."""
        does = "" if self._row is None else self._row.does
        match action:
            case "choose" | "ask" | "ask_again":
                return does == action
            case "use_typed":
                return does == "type"
            case _:
                return super().check_action(action, parameters)

    def action_choose(self) -> None:
        """End with the model under the cursor."""
        if self._row is not None and self._row.offer is not None:
            self.dismiss(self._row.offer.model)

    def action_ask(self) -> None:
        """Have the endpoint under the cursor listed."""
        if self._row is None or self._row.state is None:
            return
        name = self._row.state.endpoint.name
        if not fuzzy.rank(self.query_text, [fuzzy.folded(name)]):
            # Its models will have its name and not its label, which may be what was typed.
            self._filter.value = f"{name}/"
        self.ask(name)

    def action_ask_again(self) -> None:
        """Have an endpoint listed that was asked before."""
        self.action_ask()

    def action_use_typed(self) -> None:
        """End with what was typed."""
        if self._row is not None:
            self.dismiss(self._row.model)
