"""The keys of the sidebar, and which of them do something on a row."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from textual.binding import Binding

from moa_tui.errors import ConfigError
from moa_tui.ui.sidebar import editing, recipe

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from textual.binding import BindingType

    from moa_tui.engine.mixture import Mixture
    from moa_tui.ui.sidebar.editing import Place
    from moa_tui.ui.sidebar.recipe import Kind, Line, Spot

_ON: Final[Mapping[str, tuple[Kind, ...]]] = {
    "model": ("agent",),
    "presets": ("name",),
    "endpoint": ("endpoint",),
    "add_here": ("add", "add_endpoint"),
    "add": (
        *("agent", "option", "add", "repeat", "strategy", "instruction"),
        *("endpoint", "add_endpoint"),
    ),
}
"""The rows of the actions that depend on nothing but what a row is about."""

KEYS: Final[tuple[BindingType, ...]] = (
    Binding("enter", "model", "model", id="sidebar.model", tooltip="Choose the agent's model"),
    Binding("enter", "write", "write", id="sidebar.write", tooltip="Type the value"),
    Binding("enter", "presets", "presets", id="sidebar.presets", tooltip="Choose a preset"),
    Binding("enter", "endpoint", "endpoints", id="sidebar.endpoint", tooltip="See the endpoints"),
    Binding("enter", "add_here", "add", id="sidebar.add_here", tooltip="Add one here"),
    Binding("left,h", "turn(-1)", "less", id="sidebar.less", tooltip="Turn the value down"),
    Binding("right,l", "turn(1)", "more", id="sidebar.more", tooltip="Turn the value up"),
    Binding("left,h", "refuse_turn(-1)", id="sidebar.least", show=False),
    Binding("right,l", "refuse_turn(1)", id="sidebar.most", show=False),
    Binding("right,l", "unfold", "options", id="sidebar.unfold", tooltip="Show its options"),
    Binding("left,h", "fold", "fold", id="sidebar.fold", tooltip="Hide its options"),
    Binding("space", "switch", "on/off", id="sidebar.switch", tooltip="Switch the seat off or on"),
    Binding("d,delete", "remove", "remove", id="sidebar.remove", tooltip="Remove the agent"),
    Binding("space", "refuse_switch", id="sidebar.last_on", show=False),
    Binding("d,delete", "refuse_remove", id="sidebar.last_one", show=False),
    Binding("d,delete", "reset", "reset", id="sidebar.reset", tooltip="Take its own value back"),
    Binding("plus", "add", "add", id="sidebar.add", key_display="+", tooltip="Add one more"),
    Binding(
        "equals_sign",
        "sample(1)",
        "more samples",
        id="sidebar.sample",
        key_display="=",
        tooltip="Ask it once more in the same layer",
    ),
    Binding(
        "minus",
        "sample(-1)",
        "fewer samples",
        id="sidebar.unsample",
        key_display="-",
        tooltip="Ask it once less",
    ),
    Binding("minus", "refuse_sample", id="sidebar.one_sample", show=False),
    Binding(
        "J,shift+down", "shift(1)", "move", id="sidebar.lower", key_display="J K", tooltip="Lower"
    ),
    Binding(
        "K,shift+up", "shift(-1)", "move", id="sidebar.higher", key_display="J K", tooltip="Higher"
    ),
    Binding("s", "save", "save", id="sidebar.save", tooltip="Save the mixture as a preset"),
    Binding("up,k", "go(-1)", "row", id="sidebar.up", key_display="↑ ↓", tooltip="The row above"),
    Binding(
        "down,j", "go(1)", "row", id="sidebar.down", key_display="↑ ↓", tooltip="The row below"
    ),
    Binding("home", "edge(-1)", id="sidebar.first", tooltip="The first row", show=False),
    Binding("end", "edge(1)", id="sidebar.last", tooltip="The last row", show=False),
    Binding("pageup", "page(-1)", id="sidebar.page_up", tooltip="A page up", show=False),
    Binding("pagedown", "page(1)", id="sidebar.page_down", tooltip="A page down", show=False),
)
"""What one can do with a row; the footer names them in this order."""


def works(
    action: str,
    parameters: tuple[object, ...],
    *,
    line: Line,
    mixture: Mixture,
    opened: Place | None,
) -> bool | None:
    """Return whether a key does something on a row; None for an action of somebody else's."""
    spot = line.spot
    if (kinds := _ON.get(action)) is not None:
        return spot.kind in kinds
    by = parameters[0] if parameters and isinstance(parameters[0], int) else 0
    is_agent = spot.kind == "agent"
    is_proposer = is_agent and spot.place.is_proposer
    match action:
        case "write":
            return recipe.is_written(spot)
        case "turn":
            return line.less if by < 0 else line.more
        case "refuse_turn":
            return recipe.is_end(mixture, spot, by)
        case "unfold" | "fold":
            return is_agent and (spot.place == opened) == (action == "fold")
        case "reset":
            return recipe.resets(mixture, spot)
        case "switch" | "refuse_switch":
            return is_proposer and _succeeds(editing.switch, mixture, spot) == (action == "switch")
        case "remove" | "refuse_remove":
            return is_agent and _succeeds(editing.remove, mixture, spot) == (action == "remove")
        case "sample":
            return is_proposer and (by > 0 or not _is_least(mixture, spot.place))
        case "refuse_sample":
            return is_proposer and _is_least(mixture, spot.place)
        case "shift":
            return is_agent and _succeeds(partial(editing.move, by=by), mixture, spot)
        case _:
            return None


def _is_least(mixture: Mixture, place: Place) -> bool:
    return editing.agent_at(mixture, place).samples == 1


def _succeeds(edit: Callable[[Mixture, Place], Mixture], mixture: Mixture, spot: Spot) -> bool:
    try:
        edit(mixture, spot.place)
    except ConfigError:
        return False
    return True
