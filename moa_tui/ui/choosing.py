"""The dialogs in which a mixture is chosen, and what comes of them."""

from __future__ import annotations

import asyncio
import unicodedata
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from moa_tui.errors import ConfigError, MoaError
from moa_tui.text import clean, one_line
from moa_tui.ui.dialogs import texts
from moa_tui.ui.dialogs.endpoints import EndpointsDialog
from moa_tui.ui.dialogs.models import ModelPicker
from moa_tui.ui.dialogs.presets import PresetPicker
from moa_tui.ui.dialogs.writing import LineDialog, TextDialog
from moa_tui.ui.preset_shelf import PresetShelf
from moa_tui.ui.sidebar import editing, recipe
from moa_tui.ui.sidebar import editing_words as says

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from textual.widget import Widget

    from moa_tui.engine.mixture import Mixture
    from moa_tui.ui.dialogs.dialog import Dialog, ResultT
    from moa_tui.ui.ports import EndpointState, Ports
    from moa_tui.ui.sidebar.editing import Place
    from moa_tui.ui.sidebar.sidebar import Sidebar


class Choosing:
    """Opens one dialog at a time over the screen of ``host``; what is edited goes to the sidebar.

    ``load`` hears which mixture was chosen as it stands in its preset, ``learn`` that more is known
    of the endpoints or that a dialog ended, ``renamed`` of a preset's old and new name.
    """

    def __init__(
        self,
        host: Widget,
        ports: Ports,
        *,
        sidebar: Sidebar,
        load: Callable[[Mixture], None],
        learn: Callable[[], None],
        renamed: Callable[[str, str], None],
    ) -> None:
        self._host = host
        self._load = load
        self._learn = learn
        if ports.places is None or ports.presets is None:
            raise TypeError("nothing can be chosen here")
        self._places = ports.places
        self._presets = ports.presets
        self._shelf = PresetShelf(ports.presets, ports.places, renamed=renamed)
        self._endpoints = ports.endpoints
        self._sidebar = sidebar
        self._open: Dialog[Any] | None = None
        self._pulls: dict[str, tuple[int, int]] = {}
        self._line = asyncio.Lock()

    @property
    def is_open(self) -> bool:
        """Whether a dialog is open."""
        return self._open is not None

    @property
    def pulled_now(self) -> Collection[str]:
        """The models that are being fetched."""
        return self._pulls.keys()

    def show(self, states: Sequence[EndpointState]) -> None:
        """Show what is known of the endpoints in the dialog that is open."""
        if isinstance(self._open, PresetPicker | ModelPicker | EndpointsDialog):
            self._open.show(states)

    def _push(
        self, dialog: Dialog[ResultT], chosen: Callable[[ResultT], object] | None = None
    ) -> None:
        """Open a dialog, unless another one came first; ``chosen`` hears what it ends with."""
        if not self._host.screen.is_active:
            return

        def ended(result: ResultT | None) -> None:
            # The next one may be open before we hear of this one's end.
            if self._open is dialog:
                self._open = None
            if result is not None and chosen is not None:
                chosen(result)
            self._learn()

        self._open = dialog
        self._host.app.push_screen(dialog, ended)

    async def _ask(self, name: str) -> EndpointState:
        state = await self._places.ask(name)
        self._learn()
        return state

    async def _add(self, text: str) -> EndpointState:
        state = await self._places.add(text)
        self._learn()
        return state

    # Presets.

    def choose_preset(self) -> None:
        """Open the preset picker."""
        picker = PresetPicker(
            self._shelf,
            self._places.states(),
            now=self._sidebar.mixture.name,
            endpoints=self._endpoints,
            pull=self._pull,
        )
        for model, (done, total) in self._pulls.items():
            picker.show_pull(model, done, total)
        self._push(picker, self._load)

    # Pulls, which go on when the picker is closed.

    def _pull(self, models: Sequence[str]) -> None:
        # The picker, which is told of every pull, never asks for one twice.
        self._pulls |= dict.fromkeys(models, (0, 0))
        self._learn()
        self._host.run_worker(self._pulled(models), group="pull")

    async def _pulled(self, models: Sequence[str]) -> None:
        for model in models:
            # One after the other: they share the same line.
            async with self._line:
                why = await self._fetched(model)
            if not why:
                await self._ask(model.partition("/")[0])
            del self._pulls[model]
            self._learn()
            self._tell_pulled(model, why)

    async def _fetched(self, model: str) -> str:
        """Fetch a model, and return in words why it couldn't be, "" if it is here."""
        try:
            async with aclosing(self._places.pull(model)) as steps:
                async for done, total in steps:
                    self._pulls[model] = (done, total)
                    if isinstance(self._open, PresetPicker):
                        self._open.show_pull(model, done, total)
        except MoaError as error:
            return clean(str(error))
        return ""

    def _tell_pulled(self, model: str, why: str) -> None:
        if isinstance(self._open, PresetPicker):
            self._open.end_pull(model, why)
        elif why:
            said = f"{one_line(model)} {texts.pull_failed(why)}"
            self._host.notify(said, severity="warning", markup=False)
        else:
            self._host.notify(f"{one_line(model)} {texts.PULLED}", markup=False)

    # Saving.

    def save(self) -> None:
        """Save the mixture over the preset of the user's that it came from, else ask for a name."""
        mixture, before, why = self._sidebar.mixture, self._sidebar.saved, ""
        if self._is_yours(mixture.name) and not self._leaves_open(mixture.name):
            if mixture == before:
                self._host.notify(says.unchanged(mixture.name), markup=False)
                return
            why = self._saved(mixture, over=before)
            if not why:
                return

        warned: set[str] = set()

        def named(text: str) -> str:
            for name in (text, _file_name(text)):
                if self._is_yours(name):
                    return says.name_taken(name)
                if name in self._presets.names() and name not in warned:
                    warned.add(name)
                    return says.stands_in(name)
            # What described another mixture would be wrong of this one.
            described = mixture if mixture == before else replace(mixture, description="")
            return self._saved(replace(described, name=text))

        is_taken = mixture.name in self._presets.names()
        name = f"my-{mixture.name}" if is_taken else _file_name(mixture.name)
        dialog = LineDialog(says.SAVE_AS, name, check=named, placeholder=says.NAME_IT)
        dialog.complain(why)
        self._push(dialog)

    def _is_yours(self, name: str) -> bool:
        return name in self._presets.names() and self._presets.origin(name) != "shipped"

    def _leaves_open(self, name: str) -> bool:
        """Whether a preset's file leaves models open, which the mixture on screen doesn't."""
        try:
            return self._presets.load(name).is_open
        except ConfigError:
            return False  # saving says what is wrong with the file

    def _saved(self, mixture: Mixture, *, over: Mixture | None = None) -> str:
        """Save, and return in words why it couldn't be, "" if it is."""
        try:
            name = self._presets.save(mixture, over=over)
        except ConfigError as error:
            return clean(str(error))
        self._load(replace(mixture, name=name))
        self._host.notify(says.saved(name), markup=False)
        return ""

    # Models and texts.

    def choose_model_here(self) -> None:
        """Open the model picker for the agent under the sidebar's cursor, or for one more."""
        mixture, spot = self._sidebar.mixture, self._sidebar.spot
        if self._sidebar.has_focus and spot.kind in ("agent", "option"):
            self.choose_model(spot.place, editing.agent_at(mixture, spot.place).model)
        else:
            self.choose_model(editing.next_place(mixture, 1), "")

    def choose_model(self, place: Place, model: str) -> None:
        """Open the model picker for a place; ``model`` is the one that is there."""
        title = says.who(place, is_more=not model)
        self.ask_for_model(title, model, lambda name: self._sidebar.put_model(place, name))

    def ask_for_model(self, title: str, model: str, chosen: Callable[[str], object]) -> None:
        """Open the model picker; ``chosen`` hears "endpoint/model"."""
        picker = ModelPicker(title, self._places.states(), ask=self._ask, now=model)
        self._push(picker, chosen)

    def write(self, wanted: Sidebar.WantsText) -> None:
        """Open a dialog for the text of a row."""

        def complaint(text: str) -> str:
            try:
                recipe.rewritten(self._sidebar.mixture, wanted.spot, text)
            except ConfigError as error:
                return clean(str(error))
            return ""

        kind = TextDialog if wanted.is_long else LineDialog
        dialog = kind(wanted.title, wanted.text, check=complaint, note=wanted.note)
        self._push(dialog, lambda text: self._sidebar.put_text(wanted.spot, text))

    # Endpoints.

    def show_endpoints(self, name: str = "") -> None:
        """Open the endpoints, with this one under the cursor."""
        dialog = EndpointsDialog(
            self._places.states(),
            ask=self._ask,
            add=self._add,
            remove=self._places.remove,
            at=name,
        )
        self._push(dialog)


def _file_name(name: str) -> str:
    """Return the name under which `Presets.save` writes a new preset."""
    return "-".join(unicodedata.normalize("NFC", name).split())
