"""A picker over endpoints that can be asked while it is open."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from typing import TYPE_CHECKING

from textual import work

from moa_tui.ui.dialogs.dialog import ResultT
from moa_tui.ui.dialogs.picker import Picker

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from moa_tui.ui.ports import EndpointState


class AskingPicker(Picker[ResultT]):
    """Knows the endpoints' states; ``ask`` probes one by name, as `ports.Endpoints.ask` does.

    Closing the dialog cancels what it asks. `show` brings states that somebody else found out.
    """

    def __init__(
        self,
        title: str,
        placeholder: str,
        states: Iterable[EndpointState],
        *,
        ask: Callable[[str], Awaitable[EndpointState]],
        query: str = "",
    ) -> None:
        super().__init__(title, placeholder, query=query)
        self._states = {state.endpoint.name: state for state in states}
        self._ask = ask
        self._asked: set[str] = set()

    @property
    def states(self) -> tuple[EndpointState, ...]:
        """What is known now; those being asked say so."""
        return tuple(
            replace(state, status="asking", message="", hint="") if name in self._asked else state
            for name, state in self._states.items()
        )

    def show(self, states: Iterable[EndpointState]) -> None:
        """Show these states from now on."""
        self._states = {state.endpoint.name: state for state in states}
        self._learn()

    def learn(self, state: EndpointState) -> None:
        """Show what is known of one endpoint from now on."""
        self._states[state.endpoint.name] = state
        self._learn()

    def forget(self, name: str) -> None:
        """Show an endpoint no longer."""
        self._states.pop(name, None)
        self._learn()

    def ask(self, name: str) -> None:
        """Ask an endpoint, if that isn't under way."""
        if name in self._asked:
            return
        self._asked.add(name)
        self._learn()
        self._wait_for(name)

    @work(group="ask")
    async def _wait_for(self, name: str) -> None:
        state = await self._ask(name)
        self._asked.discard(name)
        self.learn(state)

    def _learn(self) -> None:
        # What comes before the first row is drawn is drawn with it.
        if self.is_mounted:
            self.learned()

    @abstractmethod
    def learned(self) -> None:
        """Show `states`, which are others than before."""
