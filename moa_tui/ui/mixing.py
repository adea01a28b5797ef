"""Sidebar and stage side by side; which mixture runs next is settled here."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.message import Message

from moa_tui.errors import ConfigError
from moa_tui.text import clean
from moa_tui.ui import keys, words
from moa_tui.ui.refusing import Refusing
from moa_tui.ui.room import SIDEBAR_FROM
from moa_tui.ui.sidebar.sidebar import Sidebar

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from textual.app import ComposeResult
    from textual.binding import BindingType

    from moa_tui.engine.mixture import Agent, Mixture
    from moa_tui.ui.choosing import Choosing
    from moa_tui.ui.ports import EndpointState, Memory, OfFound, Ports, Start
    from moa_tui.ui.sidebar.recipe import Section
    from moa_tui.ui.stage import Stage

_HINTS: Mapping[Section, str] = {"mixture": "^t", "proposers": "^o", "endpoints": "f8"}


def going_on(ports: Ports, start: Start, brought: Mixture | None) -> tuple[Start, str]:
    """Return what a conversation starts with that is ``brought`` a mixture, and what is said of it.

    ``start`` is how things stand: what the command line named stays, and so do edits that would be
    lost. None is brought by a conversation without a run.
    """
    if brought is None or brought == start.mixture:
        return start, ""
    if start.is_named or start.is_unkept:
        return start, words.mixture_stays(start.mixture, brought, is_named=start.is_named)
    saved = _as_saved(ports, brought)
    start = replace(start, mixture=brought, saved=saved, of_found=None, is_named=False)
    return start, words.mixture_comes(brought)


def _as_saved(ports: Ports, mixture: Mixture) -> Mixture:
    """Return a mixture as the preset of its name has it by now; itself where there is none."""
    presets = ports.presets
    if presets is None or mixture.name not in presets.names():
        return mixture
    try:
        saved = presets.load(mixture.name)
        states = () if ports.places is None else ports.places.states()
        return presets.filled(saved, states)
    except ConfigError:
        # What is wrong with the file is said where presets are looked through.
        return mixture


class Mixing(Refusing):
    """Looks for models at the start, opens the dialogs that choose among them, keeps the result.

    In the demo, and where nothing can be chosen, the sidebar is only to be read.
    """

    DEFAULT_CSS: ClassVar[str] = """
    Mixing { layout: horizontal; layers: beside over; }
    Mixing Sidebar.-over { layer: over; }
    """
    BINDINGS: ClassVar[list[BindingType]] = list(keys.CHOOSING)

    class Changed(Message):
        """The mixture, or what is known of the endpoints, is another one now."""

    def __init__(self, ports: Ports, start: Start, stage: Stage) -> None:
        super().__init__(id="body")
        self._ports = ports
        self._stage = stage
        self._start = start
        self._of_found = start.of_found
        self._kept = None if start.is_unkept else start.mixture
        self.can_choose = self.can_choose_with(ports, start)
        """Whether presets, models and endpoints can be chosen."""
        self._is_looking = self.can_choose
        self._memory = ports.memory if self.can_choose else None
        self._remembered: str | None = None
        self.is_crowded = False
        """Whether something else has all the room, so that the sidebar gives way."""
        self.wants_sidebar = True
        """Whether the sidebar stands beside the stage where there is room."""
        self._wants_over = False
        self._sidebar = Sidebar(
            start.mixture,
            saved=start.saved,
            hints=_HINTS if self.can_choose else MappingProxyType({}),
            is_editable=self.can_choose,
        )
        self._chooser: Choosing | None = None
        self._broken: tuple[str, ...] = ()

    def compose(self) -> ComposeResult:
        """Sidebar, stage."""
        yield self._sidebar
        yield self._stage

    def on_mount(self) -> None:
        """Look for models once the first paint is out."""
        if self.can_choose:
            self.call_after_refresh(self._detect)

    # What holds now.

    @staticmethod
    def can_choose_with(ports: Ports, start: Start) -> bool:
        """Return whether anything can be chosen with these services."""
        return not (start.is_demo or ports.places is None or ports.presets is None)

    @property
    def mixture(self) -> Mixture:
        """The mixture that the next prompt runs."""
        return self._sidebar.mixture

    @property
    def start(self) -> Start:
        """What another conversation would start with, that the mixture goes on."""
        mixture, saved = self.mixture, self._sidebar.saved
        return replace(
            self._start,
            mixture=mixture,
            saved=saved,
            of_found=self._of_found,
            is_named=self._start.is_named and mixture == self._start.mixture,
            is_unkept=mixture not in (saved, self._kept),
        )

    @property
    def states(self) -> Sequence[EndpointState]:
        """What is known of the endpoints; nothing before somebody has looked."""
        if self._ports.places is None or self._is_looking or not self.can_choose:
            return ()
        return self._ports.places.states()

    @property
    def pulled_now(self) -> Collection[str]:
        """The models that are being fetched."""
        return () if self._chooser is None else self._chooser.pulled_now

    @property
    def broken(self) -> Sequence[str]:
        """The mistakes of presets that can't be read, in words; known once somebody looked."""
        return self._broken

    @property
    def is_undecided(self) -> bool:
        """Whether what is being looked for, or chosen in a dialog, will decide on the mixture."""
        return self._of_found is not None and (self._is_looking or self._is_choosing)

    @property
    def is_preset(self) -> bool:
        """Whether the mixture is that of a preset, unedited."""
        return bool(self._preset_name) and not self._sidebar.is_edited

    @property
    def _preset_name(self) -> str:
        """The name of the preset that the mixture came from; "" if it is none's."""
        name, presets = self.mixture.name, self._ports.presets
        return name if presets is not None and name in presets.names() else ""

    def use(self, *, is_recorded: bool) -> None:
        """Hear that the mixture is run: it stays, and the next start begins with its preset.

        ``is_recorded``: the run is written down, and its mixture with it.
        """
        self._of_found = None
        if is_recorded:
            self._kept = self.mixture
        if self._memory is None:
            return
        name = self._preset_name
        if name != self._remembered:
            self._remembered = name
            self._remember(self._memory, name)

    @work(group="remember")
    async def _remember(self, memory: Memory, name: str) -> None:
        try:
            await asyncio.to_thread(memory.remember, "preferences", "last_preset", name)
        except ConfigError as error:
            # Told once: it would fail in the same way at every change.
            if self._memory is not None:
                self._memory = None
                self.notify(clean(str(error)), severity="warning", markup=False)

    # Looking.

    @work(group="detect")
    async def _detect(self) -> None:
        if self._ports.presets is not None:
            _, self._broken = await asyncio.to_thread(self._ports.presets.all)
        if self._ports.places is not None:
            await self._ports.places.detect()
        self._is_looking = False
        self.learn()

    def learn(self) -> None:
        """Take in what is known of the endpoints by now, unless it is still being looked for.

        The mixture stays while a dialog is open: what is chosen there is meant for what was seen.
        """
        if self._is_looking:
            return
        states = self.states
        self._sidebar.show(states)
        if self._chooser is not None:
            self._chooser.show(states)
        # An edit may have been made of which we haven't heard yet.
        if self._of_found is not None and not self._is_choosing and not self._sidebar.is_edited:
            self._take_found(self._of_found, states)
        self.post_message(self.Changed())

    def _take_found(self, of_found: OfFound, states: Sequence[EndpointState]) -> None:
        try:
            self._sidebar.load(of_found(states))
        except ConfigError as error:
            self._of_found = None
            self.notify(clean(str(error)), severity="warning", markup=False)

    # Choosing.

    @property
    def _is_choosing(self) -> bool:
        return self._chooser is not None and self._chooser.is_open

    @property
    def _choosing(self) -> Choosing:
        if self._chooser is None:
            # The dialogs cost as much to import as the rest of the screen.
            from moa_tui.ui.choosing import Choosing  # noqa: PLC0415 - see above

            self._chooser = Choosing(
                self,
                self._ports,
                sidebar=self._sidebar,
                load=self.load,
                learn=self.learn,
                renamed=self._rename,
            )
        return self._chooser

    def choose_model(
        self, title: str, chosen: Callable[[Agent], object], *, agent: Agent | None = None
    ) -> None:
        """Open the model picker for a seat of a run; ``agent`` sits there now.

        ``chosen`` hears who shall sit there: the same with another model, or one without options.
        """

        def seated(model: str) -> None:
            from moa_tui.engine.mixture import Agent  # noqa: PLC0415 - loaded long ago, by the run

            chosen(Agent(model=model) if agent is None else replace(agent, model=model))

        self._choosing.ask_for_model(title, "" if agent is None else agent.model, seated)

    def load(self, mixture: Mixture) -> None:
        """Take this mixture, as it stands in its preset."""
        self._of_found = None
        self._sidebar.load(mixture)
        self.post_message(self.Changed())

    def _rename(self, before: str, name: str) -> None:
        """Call the mixture as its preset is called by now."""
        if self.mixture.name == before:
            saved = replace(self._sidebar.saved, name=name)
            self._sidebar.load(replace(self.mixture, name=name), saved=saved)
            if self._memory is not None:
                self._remember(self._memory, name)
            self.post_message(self.Changed())

    @on(Sidebar.Edited)
    def _edit(self) -> None:
        self._of_found = None
        self.post_message(self.Changed())

    @on(Sidebar.WantsModel)
    def _choose_model(self, event: Sidebar.WantsModel) -> None:
        self._choosing.choose_model(event.place, event.model)

    @on(Sidebar.WantsText)
    def _write(self, event: Sidebar.WantsText) -> None:
        self._choosing.write(event)

    @on(Sidebar.WantsEndpoint)
    def _show_endpoint(self, event: Sidebar.WantsEndpoint) -> None:
        self._choosing.show_endpoints(event.name)

    @on(Sidebar.WantsPresets)
    def _show_presets(self) -> None:
        self._choosing.choose_preset()

    @on(Sidebar.WantsSave)
    def _save(self) -> None:
        self._choosing.save()

    # Keys.

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Return whether a key does something now."""
        match action:
            case "presets" | "models" | "endpoints":
                return self.can_choose
            case "close_sidebar":
                return self._is_over and self._sidebar.display
            case "leave_sidebar" | "leave_sidebar_back":
                return self._sidebar.has_focus
            case _:
                return super().check_action(action, parameters)

    def why_not(self, command: str) -> str:
        """Return why a command does nothing now."""
        return "" if self.is_ever(command) else words.NO_CHOICE

    def is_ever(self, command: str) -> bool:
        """Return whether a command can do something here at some time."""
        return self.can_choose or command not in ("presets", "models", "endpoints")

    def action_presets(self) -> None:
        """Choose a preset."""
        self._choosing.choose_preset()

    def action_models(self) -> None:
        """Choose a model for the agent under the sidebar's cursor, or for one more proposer."""
        self._choosing.choose_model_here()

    def action_endpoints(self) -> None:
        """See the endpoints, add one."""
        self._choosing.show_endpoints()

    def action_sidebar(self) -> None:
        """Show the sidebar and go there, or hide it."""
        if self._is_over:
            self._wants_over = not self._wants_over
        else:
            self.wants_sidebar = not self.wants_sidebar
        self.fit()
        if self._sidebar.display and self._sidebar.can_focus:
            self.screen.set_focus(self._sidebar)
        self.post_message(self.Changed())

    def action_close_sidebar(self) -> None:
        """Hide the sidebar that lies over the stage."""
        self.action_sidebar()

    def action_leave_sidebar(self) -> None:
        """Go on to the composer; a sidebar that lies over it goes."""
        self.screen.set_focus(self._stage.composer.draft)
        if self._wants_over:
            self._wants_over = False
            self.post_message(self.Changed())

    def action_leave_sidebar_back(self) -> None:
        """Go back into the stage."""
        self._stage.action_previous()

    @property
    def sidebar(self) -> Sidebar | None:
        """The sidebar, where it can be gone to."""
        return self._sidebar if self._sidebar.focusable else None

    # Room.

    @property
    def _is_over(self) -> bool:
        """Whether there is no room beside the stage."""
        return self.app.size.width < SIDEBAR_FROM

    @property
    def has_sidebar_beside(self) -> bool:
        """Whether the sidebar takes room from the stage."""
        return not self._is_over and self.wants_sidebar and not self.is_crowded

    def fit(self) -> None:
        """Show the sidebar where it belongs at this width; over the stage only when asked for."""
        self._wants_over = self._wants_over and self._is_over
        shown = self.has_sidebar_beside or self._wants_over
        if self._sidebar.has_focus and not shown:
            self.action_leave_sidebar()
        self._sidebar.set_class(self._is_over, "-over")
        self._sidebar.display = shown
