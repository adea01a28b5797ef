"""The dialogs in which a mixture is chosen, and what comes of them."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING

from moa_tui.errors import ConfigError, MoaError
from moa_tui.text import clean
from moa_tui.ui import editing, recipe
from moa_tui.ui import editing_words as says
from moa_tui.ui.dialogs import texts
from moa_tui.ui.dialogs.endpoints import EndpointsDialog
from moa_tui.ui.dialogs.models import ModelPicker
from moa_tui.ui.dialogs.preset_rows import Entry, Library
from moa_tui.ui.dialogs.presets import PresetPicker
from moa_tui.ui.dialogs.writing import LineDialog, TextDialog

if TYPE_CHECKING:
    from collections.abc import Sequence

    from moa_tui.engine.mixture import Mixture
    from moa_tui.ui.editing import Place
    from moa_tui.ui.mixing import Mixing
    from moa_tui.ui.ports import EndpointState, Ports
    from moa_tui.ui.sidebar import Sidebar


class Choosing:
    """Opens one dialog at a time over ``host``; what is chosen goes to the sidebar or the host."""

    def __init__(self, host: Mixing, ports: Ports, *, sidebar: Sidebar) -> None:
        self._host = host
        if ports.places is None or ports.presets is None:
            raise TypeError("nothing can be chosen here")
        self._places = ports.places
        self._presets = ports.presets
        self._endpoints = ports.endpoints
        self._sidebar = sidebar
        self._open: PresetPicker | ModelPicker | EndpointsDialog | None = None

    def show(self, states: Sequence[EndpointState]) -> None:
        """Show what is known of the endpoints in the dialog that is open."""
        if self._open is not None:
            self._open.show(states)

    async def _ask(self, name: str) -> EndpointState:
        state = await self._places.ask(name)
        self._host.learn()
        return state

    async def _add(self, text: str) -> EndpointState:
        state = await self._places.add(text)
        self._host.learn()
        return state

    # Presets.

    def choose_preset(self) -> None:
        """Open the preset picker."""

        def chosen(mixture: Mixture | None) -> None:
            self._open = None
            if mixture is not None:
                self._host.load(mixture)

        self._open = PresetPicker(
            self._library(),
            self._places.states(),
            now=self._sidebar.mixture.name,
            endpoints=self._endpoints,
            delete=self._without,
            pull=self._pull,
        )
        self._host.app.push_screen(self._open, chosen)

    def _library(self) -> Library:
        written, broken = self._presets.all()
        names = {mixture.name for mixture in written}
        made = self._presets.made(self._places.states())
        entries = [Entry(mixture, "made") for mixture in made if mixture.name not in names]
        entries += [Entry(mixture, self._presets.origin(mixture.name)) for mixture in written]
        return Library(tuple(entries), broken)

    def _without(self, name: str) -> Library:
        self._presets.delete(name)
        return self._library()

    def _pull(self, models: tuple[str, ...]) -> None:
        self._host.run_worker(self._pulled(models), group="pull")

    async def _pulled(self, models: tuple[str, ...]) -> None:
        """Fetch models one after the other: they share the same line."""
        for model in models:
            why = ""
            try:
                async with aclosing(self._places.pull(model)) as steps:
                    async for done, total in steps:
                        if isinstance(self._open, PresetPicker):
                            self._open.show_pull(model, done, total)
            except MoaError as error:
                why = clean(str(error))
            self._tell_pulled(model, why)
        for endpoint in {model.partition("/")[0] for model in models}:
            await self._ask(endpoint)

    def _tell_pulled(self, model: str, why: str) -> None:
        if isinstance(self._open, PresetPicker):
            self._open.end_pull(model, why)
        elif why:
            self._host.notify(texts.pull_failed(why), severity="warning", markup=False)
        else:
            self._host.notify(f"{model} {texts.PULLED}", markup=False)

    def save(self) -> None:
        """Save the mixture over the preset of the user's that it came from, else ask for a name."""
        mixture, before = self._sidebar.mixture, self._sidebar.saved
        if mixture.name in self._presets.names() and self._is_yours(mixture.name):
            if why := self._saved(mixture, over=before):
                self._host.notify(why, severity="warning", markup=False)
            return

        def named(text: str) -> str:
            if text in self._presets.names() and self._is_yours(text):
                return says.name_taken(text)
            return self._saved(replace(mixture, name=text))

        is_shipped = mixture.name in self._presets.names()
        name = f"my-{mixture.name}" if is_shipped else "-".join(mixture.name.split())
        dialog = LineDialog(says.SAVE_AS, name, check=named, placeholder=says.NAME_IT)
        self._host.app.push_screen(dialog)

    def _is_yours(self, name: str) -> bool:
        return self._presets.origin(name) != "shipped"

    def _saved(self, mixture: Mixture, *, over: Mixture | None = None) -> str:
        """Save, and return in words why it couldn't be, "" if it is."""
        try:
            name = self._presets.save(mixture, over=over)
        except ConfigError as error:
            return clean(str(error))
        self._host.load(replace(mixture, name=name))
        self._host.notify(says.saved(name), markup=False)
        return ""

    # Models and texts.

    def choose_model_here(self) -> None:
        """Open the model picker for the agent under the sidebar's cursor, or for one more."""
        mixture, spot = self._sidebar.mixture, self._sidebar.spot
        if self._sidebar.has_focus and spot.kind == "agent":
            self.choose_model(spot.place, editing.agent_at(mixture, spot.place).model)
        else:
            self.choose_model(editing.next_place(mixture, 1), "")

    def choose_model(self, place: Place, model: str) -> None:
        """Open the model picker for a place; ``model`` is the one that is there."""

        def chosen(name: str | None) -> None:
            self._open = None
            if name is not None:
                self._sidebar.put_model(place, name)

        self._open = ModelPicker(
            says.who(place, is_more=not model), self._places.states(), ask=self._ask, now=model
        )
        self._host.app.push_screen(self._open, chosen)

    def write(self, wanted: Sidebar.WantsText) -> None:
        """Open a dialog for the text of a row."""

        def complaint(text: str) -> str:
            try:
                recipe.rewritten(self._sidebar.mixture, wanted.spot, text)
            except ConfigError as error:
                return clean(str(error))
            return ""

        def written(text: str | None) -> None:
            if text is not None:
                self._sidebar.put_text(wanted.spot, text)

        kind = TextDialog if wanted.is_long else LineDialog
        self._host.app.push_screen(kind(wanted.title, wanted.text, check=complaint), written)

    # Endpoints.

    def show_endpoints(self, name: str = "") -> None:
        """Open the endpoints, with this one under the cursor."""

        def closed(_: None) -> None:
            self._open = None

        self._open = EndpointsDialog(self._places.states(), ask=self._ask, add=self._add, at=name)
        self._host.app.push_screen(self._open, closed)
