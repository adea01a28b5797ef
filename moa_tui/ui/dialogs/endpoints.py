"""The endpoints: what is known of each, asked anew when wanted, and one more added in one field."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.binding import Binding

from moa_tui.errors import ConfigError
from moa_tui.text import clean, may_be_key, one_line
from moa_tui.ui.dialogs import endpoint_rows, texts
from moa_tui.ui.dialogs.asking import AskingPicker
from moa_tui.ui.dialogs.endpoint_rows import Adding, EndpointListing

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from textual.binding import BindingType
    from textual.worker import Worker

    from moa_tui.ui import look
    from moa_tui.ui.dialogs.choices import Grid, Listing
    from moa_tui.ui.ports import EndpointState

_MOST_ROWS_ABOUT = 8


class EndpointsDialog(AskingPicker[None]):
    """Shows every endpoint; enter asks the one under the cursor, or adds what was typed.

    ``add`` probes and remembers what a text means, as `ports.Endpoints.add` does; its ConfigError
    is told. Typing something else, or closing, cancels it. ``remove`` forgets one that was added
    and returns what brings it back; its ConfigError is told too. ``at`` names the endpoint to begin
    at.
    """

    ON_ENTER: ClassVar[tuple[str, ...]] = ("ask", "add", "add_again")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "add", "add it", id="endpoint.add", tooltip="Probe it and add it"),
        Binding(
            "enter", "add_again", "try again", id="endpoint.add_again", tooltip="Probe it once more"
        ),
        Binding("enter", "ask", "ask anew", id="endpoint.ask", tooltip="Ask for its models"),
        Binding(
            "ctrl+d",
            "remove",
            "remove",
            id="endpoint.remove",
            tooltip="Forget an endpoint that you added",
        ),
        Binding(
            "ctrl+z",
            "restore",
            "undo",
            id="endpoint.restore",
            tooltip="Bring back the endpoint that was removed last",
        ),
    ]

    def __init__(
        self,
        states: Sequence[EndpointState],
        *,
        ask: Callable[[str], Awaitable[EndpointState]],
        add: Callable[[str], Awaitable[EndpointState]],
        remove: Callable[[str], Callable[[], object]],
        at: str = "",
    ) -> None:
        super().__init__(texts.ENDPOINTS, texts.TYPE_ENDPOINT, states, ask=ask)
        self._add = add
        self._begin = at
        # Room for the offer, so that the card doesn't grow with the first letter.
        self._most = max(self._most, len(states) + 1)
        self._listing = EndpointListing(self.states)
        self._adding = Adding("")
        self._probing: Worker[None] | None = None
        self._new = ""
        self._remove = remove
        self._removed: list[tuple[EndpointState, Callable[[], object]]] = []
        self._said = ""

    def listing(self, query: str) -> Listing:
        """Return the endpoints, after the offer to add what was typed."""
        states = self.states
        found = sum(state.status == "found" for state in states)
        self.tell(texts.ENDPOINTS, self._said or texts.answering(found, len(states)))
        adding = self._adding if query.strip() else None
        self._listing = EndpointListing(states, adding)
        return self._listing

    def start(self, listing: Listing) -> int:
        """Return the row of the endpoint that was meant, while nothing is typed."""
        del listing
        return 0 if self._listing.adding is not None else self._listing.where(self._begin)

    def learned(self) -> None:
        """Show what is known now; the cursor stays on its row."""
        state = self._state
        listing = EndpointListing(self.states, self._listing.adding)
        self.relist(at=0 if state is None else listing.where(state.endpoint.name))

    def rows_about(self, height: int) -> int:
        """Return a third of the card."""
        return max(1, min(_MOST_ROWS_ABOUT, height // 3))

    def about(self, width: int, rows: int, palette: look.Palette) -> Grid:
        """Return what is known of the endpoint under the cursor, or came of what was typed."""
        del rows
        state = self._state
        is_new = state is not None and state.endpoint.name == self._new
        return endpoint_rows.about(
            self.at, self._listing, width=width, palette=palette, is_new=is_new
        )

    @property
    def _state(self) -> EndpointState | None:
        return self._listing.state(self.at)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Return whether a key does something on the row under the cursor."""
        match action:
            case "add" | "add_again":
                is_offer = self._listing.adding is not None and self._state is None
                is_again = bool(self._adding.failure) == (action == "add_again")
                return is_offer and is_again and not self._adding.is_asked
            case "ask":
                return self._state is not None and self._state.status != "asking"
            case "remove":
                return self._state is not None and self._state.status != "asking"
            case "restore":
                return bool(self._removed)
            case _:
                return super().check_action(action, parameters)

    def typed(self) -> None:
        """Forget what was asked about another text, and hide one that looks like a key."""
        if self._probing is not None:
            self._probing.cancel()
        self._adding = Adding(self.query_text.strip())
        self._said = ""
        self._filter.password = any(map(may_be_key, self.query_text.split()))

    def action_ask(self) -> None:
        """Ask the endpoint under the cursor anew."""
        if self._state is not None:
            self.ask(self._state.endpoint.name)

    def action_remove(self) -> None:
        """Forget the endpoint under the cursor at once: ctrl+z brings it back."""
        state, at = self._state, self.at
        if state is None:
            return
        try:
            self._removed.append((state, self._remove(state.endpoint.name)))
        except ConfigError as error:
            self._warn(error)
            return
        self._said = texts.removed(self.key_of("endpoint.restore", "ctrl+z"))
        self.forget(state.endpoint.name)
        self.relist(at=None if at is None else min(at, len(self._listing) - 1))

    def action_restore(self) -> None:
        """Bring back the endpoint that was removed last."""
        state, restore = self._removed[-1]
        try:
            restore()
        except ConfigError as error:
            self._warn(error)
            return
        self._removed.pop()
        self._said = ""
        self.learn(state)
        self.relist(at=self._listing.where(state.endpoint.name))

    def _warn(self, error: ConfigError) -> None:
        self.notify(clean(str(error)), severity="warning", markup=False)

    def action_add(self) -> None:
        """Probe what was typed, and add it if it answers."""
        self._show_adding(replace(self._adding, is_asked=True, failure=""))
        self._probing = self._probe(self._adding.text)

    def action_add_again(self) -> None:
        """Probe once more what wasn't added."""
        self.action_add()

    @work(group="add")
    async def _probe(self, text: str) -> None:
        try:
            state = await self._add(text)
        except ConfigError as error:
            self._show_adding(Adding(text, failure=one_line(clean(str(error)), 600)))
            return
        self._new = self._begin = state.endpoint.name
        self.learn(state)
        self._filter.value = ""

    def _show_adding(self, adding: Adding) -> None:
        self._adding = adding
        self.relist(at=self.at)
