"""The mixture beside the run: what answers, how, and who merges; edited in place."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar

from textual.message import Message

from moa_tui.errors import ConfigError
from moa_tui.text import clean
from moa_tui.ui.rows import Rows
from moa_tui.ui.sidebar import editing, recipe
from moa_tui.ui.sidebar import editing_words as says
from moa_tui.ui.sidebar.editing import Place
from moa_tui.ui.sidebar.recipe import Spot
from moa_tui.ui.sidebar.sidebar_keys import KEYS, works
from moa_tui.ui.sidebar.sidebar_rows import Page, laid_out

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from textual import events
    from textual.binding import BindingType
    from textual.strip import Strip

    from moa_tui.engine.mixture import Mixture
    from moa_tui.ui.look import Palette
    from moa_tui.ui.ports import EndpointState
    from moa_tui.ui.sidebar.recipe import Section

_WHEEL = 3
"""Rows a notch."""

_TWICE = 2
_CUES = 2
"""The rows that say how many others are out of sight."""


class Sidebar(Rows):
    """A mixture as a column of rows, 33 cells wide with its rule; it scrolls where rows are short.

    ``saved`` is the mixture as it was loaded or saved last: what differs is called edited.
    ``hints`` are the keys that stand in the heads of sections. Without ``is_editable`` it can only
    be read and never takes the focus.
    """

    DEFAULT_CSS: ClassVar[str] = """
    Sidebar {
        width: 33; height: 1fr; background: $background;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = list(KEYS)

    @dataclass
    class Edited(Message):
        """The mixture is another one now."""

        mixture: Mixture

    @dataclass
    class WantsModel(Message):
        """A model is to be chosen for a place, see `Sidebar.put_model`.

        ``model`` is the one that is there, "" where one more is to be added.
        """

        place: Place
        model: str = ""

    @dataclass
    class WantsText(Message):
        """The value of a row is to be typed, see `Sidebar.put_text`.

        ``title`` says what it is and whose, ``text`` is what there is to edit, "" for nothing;
        ``is_long`` says that the text may take several lines, ``note`` what it must have.
        """

        spot: Spot
        title: str
        text: str = ""
        is_long: bool = False
        note: str = ""

    @dataclass
    class WantsEndpoint(Message):
        """Endpoints are to be shown, or one added; ``name`` is the one under the cursor."""

        name: str = ""

    class WantsPresets(Message):
        """A preset is to be chosen."""

    class WantsSave(Message):
        """The mixture is to be saved."""

    def __init__(
        self,
        mixture: Mixture,
        *,
        saved: Mixture | None = None,
        states: Sequence[EndpointState] = (),
        hints: Mapping[Section, str] = MappingProxyType({}),
        is_editable: bool = False,
    ) -> None:
        super().__init__()
        self.can_focus = is_editable
        self._mixture = mixture
        self._saved = mixture if saved is None else saved
        self._states = tuple(states)
        self._hints = hints
        self._opened: Place | None = None
        self._page = Page()
        self._build()

    # What it shows.

    @property
    def mixture(self) -> Mixture:
        """The mixture as it stands now."""
        return self._mixture

    @property
    def saved(self) -> Mixture:
        """The mixture as it was loaded or saved last."""
        return self._saved

    @property
    def is_edited(self) -> bool:
        """Whether it differs from the one that was loaded or saved last."""
        return self._mixture != self._saved

    @property
    def spot(self) -> Spot:
        """The row under the cursor."""
        return self._page.at

    def load(self, mixture: Mixture, *, saved: Mixture | None = None) -> None:
        """Show this mixture from now on, as it is in its preset unless ``saved`` differs."""
        if mixture != self._mixture:
            self._opened = None
        self._mixture = mixture
        self._saved = mixture if saved is None else saved
        self._build()

    def show(self, states: Sequence[EndpointState]) -> None:
        """Show what is known of the endpoints."""
        if tuple(states) != self._states:
            self._states = tuple(states)
            self._build()

    def draw(self, width: int, palette: Palette) -> Sequence[Strip]:
        """Return the rows that fit."""
        height = self.size.height or len(self._page.rows)
        return self._page.draw(width, height, palette, has_focus=self.has_focus)

    def _build(self) -> None:
        """Work out the rows anew."""
        used = {agent.endpoint for agent in self._mixture.agents}
        found = recipe.endpoints(self._states, used)
        blocks = recipe.blocks(self._mixture, opened=self._opened, is_edited=self.is_edited)
        blocks += [found] if found else []
        self._page.fill(laid_out(blocks, hints=self._hints, is_editable=self.can_focus))
        self._tell()

    def _tell(self) -> None:
        self.redraw()
        if self.is_attached:
            self.refresh_bindings()

    def on_resize(self) -> None:
        """Draw the rule down to the end."""
        self.redraw()

    def on_focus(self) -> None:
        """Show the cursor."""
        self._page.go_to(self.spot)
        self.redraw()

    def on_blur(self) -> None:
        """Hide it."""
        self.redraw()

    # Edits.

    def put_model(self, place: Place, model: str) -> bool:
        """Put "endpoint/model" where `WantsModel` asked for it.

        Return whether it can stand there; why it can't is told.
        """
        if not self._edit(lambda mixture: editing.put_model(mixture, place, model)):
            return False
        self._page.go_to(Spot("agent", place))
        self._tell()
        return True

    def put_text(self, spot: Spot, text: str) -> bool:
        """Put a text where `WantsText` asked for it; an empty one takes the row's own back.

        Return whether it can stand there; why it can't is told.
        """
        return self._edit(lambda mixture: recipe.rewritten(mixture, spot, text))

    def _edit(self, edit: Callable[[Mixture], Mixture]) -> bool:
        """Make an edit and tell it; one that can't be is said in its words."""
        try:
            mixture = edit(self._mixture)
        except ConfigError as error:
            self.notify(clean(str(error)), severity="warning", markup=False)
            return False
        if mixture != self._mixture:
            self._mixture = mixture
            self._build()
            self.post_message(self.Edited(mixture))
        return True

    # Keys.

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Return whether a key does something on the row under the cursor."""
        does = works(
            action, parameters, line=self._page.line, mixture=self._mixture, opened=self._opened
        )
        return super().check_action(action, parameters) if does is None else does

    def action_go(self, step: int) -> None:
        """Go to the next row, or back to the other end."""
        self._page.go(step)
        self._tell()

    def action_edge(self, end: int) -> None:
        """Go to the first or last row."""
        self._page.go_to_end(end)
        self._tell()

    def action_page(self, step: int) -> None:
        """Go as many rows further as are in sight, the last one at most."""
        self._page.go_far(step * max(1, self.size.height - _CUES))
        self._tell()

    def action_turn(self, by: int) -> None:
        """Turn the value under the cursor."""
        self._edit(lambda mixture: recipe.turned(mixture, self.spot, by))

    def action_refuse_turn(self, by: int) -> None:
        """Say why the value under the cursor can't be turned any further."""
        self.action_turn(by)

    def action_unfold(self) -> None:
        """Show an agent's options."""
        self._opened = self.spot.place
        self._build()
        self._page.reveal(self.spot.place, self.size.height)

    def action_fold(self) -> None:
        """Hide them."""
        self._opened = None
        self._build()

    def action_model(self) -> None:
        """Ask for a model for the agent under the cursor."""
        self._ask_model(self.spot.place)

    def action_add_here(self) -> None:
        """Do what the row says: add one."""
        self.action_add()

    def action_add(self) -> None:
        """Ask for the model of one more agent, or for one more endpoint."""
        if self.spot.kind in ("endpoint", "add_endpoint"):
            self.post_message(self.WantsEndpoint())
        else:
            self._ask_model(editing.next_place(self._mixture, self.spot.place.group))

    def _ask_model(self, place: Place) -> None:
        is_more = place == editing.next_place(self._mixture, place.group)
        model = "" if is_more else editing.agent_at(self._mixture, place).model
        self.post_message(self.WantsModel(place, model))

    def action_write(self) -> None:
        """Ask for the value of the row."""
        spot, line = self.spot, self._page.line
        title = says.whose(line.title, recipe.owner(self._mixture, spot))
        text = recipe.written(self._mixture, spot)
        note = says.NEEDS_REFERENCES if spot.kind == "instruction" else ""
        self.post_message(self.WantsText(spot, title, text, recipe.is_long(spot), note))

    def action_presets(self) -> None:
        """Ask for another preset."""
        self.post_message(self.WantsPresets())

    def action_endpoint(self) -> None:
        """Ask for the endpoints."""
        self.post_message(self.WantsEndpoint(self.spot.name))

    def action_save(self) -> None:
        """Ask for the mixture to be saved."""
        self.post_message(self.WantsSave())

    def action_remove(self) -> None:
        """Remove the agent under the cursor."""
        place = self.spot.place
        if self._edit(lambda mixture: editing.remove(mixture, place)):
            self.action_fold()

    def action_refuse_remove(self) -> None:
        """Say why the agent under the cursor can't be removed."""
        self.action_remove()

    def action_reset(self) -> None:
        """Take the row's own value back."""
        self._edit(lambda mixture: recipe.reset(mixture, self.spot))

    def action_switch(self) -> None:
        """Switch the proposer under the cursor off, or on again."""
        self._edit(lambda mixture: editing.switch(mixture, self.spot.place))

    def action_refuse_switch(self) -> None:
        """Say why the proposer under the cursor can't be switched off."""
        self.action_switch()

    def action_sample(self, by: int) -> None:
        """Ask the proposer under the cursor more or less often."""
        self._edit(lambda mixture: editing.turn_samples(mixture, self.spot.place, by=by))

    def action_refuse_sample(self) -> None:
        """Say why the proposer under the cursor can't be asked less often."""
        self.action_sample(-1)

    def action_shift(self, by: int) -> None:
        """Move the agent under the cursor among its neighbours."""
        place = self.spot.place
        if self._edit(lambda mixture: editing.move(mixture, place, by=by)):
            self._page.go_to(Spot("agent", Place(place.group, place.number + by)))
            self.action_fold()

    # Mouse.

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Go to the row that is pressed, before the focus that comes with it moves anything."""
        if self.can_focus:
            self._page.click(event.y, self.size.height)
            self._tell()

    def on_click(self, event: events.Click) -> None:
        """Turn the value whose arrow was clicked; a second click does what enter does.

        A click on the row that counts those out of sight shows them.
        """
        height = self.size.height
        if way := self._page.cue_at(event.y, height):
            self._scroll(way * (height - _CUES), event)
            return
        row = self._page.click(event.y, height)
        if not self.can_focus or row.line is None:
            return
        if by := row.turns_at(event.x, self.size.width):
            self.action_turn(by)
        elif row.line.spot.kind in ("add", "add_endpoint"):
            self.action_add()
        elif event.chain == _TWICE:
            self._enter()

    def _enter(self) -> None:
        match self.spot.kind:
            case "agent":
                self.action_model()
            case "name":
                self.action_presets()
            case "endpoint":
                self.action_endpoint()
            case _ if recipe.is_written(self.spot):
                self.action_write()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Show what is below."""
        self._scroll(_WHEEL, event)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Show what is above."""
        self._scroll(-_WHEEL, event)

    def _scroll(self, by: int, event: events.MouseEvent) -> None:
        if self._page.scroll(by, self.size.height):
            event.stop()
            self.redraw()
