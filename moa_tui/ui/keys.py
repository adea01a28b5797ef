"""The keys of the conversation, and which of them do something at this moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from textual.binding import Binding

from moa_tui.ui import words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.binding import BindingType

    from moa_tui.engine.mixture import Seat
    from moa_tui.engine.state import RunState, SeatState
    from moa_tui.ui.room import Phase

_FIRST_WITHOUT_KEY: Final = 10

Place: TypeAlias = Literal["composer", "examples", "tile", "answer", "elsewhere"]
"""Where the focus is."""

COMMANDS: Final[tuple[BindingType, ...]] = (
    Binding("escape", "stop_seat", "stop seat", id="stop_seat", tooltip="Stop the focused seat"),
    Binding("escape", "stop", "stop", id="stop", tooltip="Stop the run"),
    Binding("escape", "stop_fetch", "stop", id="stop_fetch", tooltip="Stop the download"),
    Binding(
        "ctrl+c",
        "interrupt",
        "stop",
        id="interrupt",
        tooltip="Copy the selection; else stop the run; else clear the composer; twice: quit",
        priority=True,
        show=False,
    ),
    Binding("f3", "merge_now('f3')", "merge now", id="merge_now", tooltip="Merge what is ready"),
    Binding("m", "merge_now('m')", "merge now", id="merge_now_m", tooltip="Merge what is ready"),
    Binding("f3,m", "refuse_merge", id="merge_refused", show=False),
    Binding("x", "stop_seat", "stop seat", id="seat_stop", tooltip="Stop the focused seat"),
    Binding("r", "retry_seat", "retry", id="seat_retry", tooltip="Retry the seat"),
    Binding("f5", "again", "again", id="again", tooltip="Run the last prompt anew"),
)
"""What one can tell a run."""

CHOOSING: Final[tuple[BindingType, ...]] = (
    Binding("ctrl+t", "presets", "presets", id="presets", tooltip="Choose a preset"),
    Binding("ctrl+o", "models", "models", id="models", tooltip="Choose a model"),
    Binding("f8", "endpoints", "endpoints", id="endpoints", tooltip="See or add endpoints"),
    Binding("f9", "sidebar", "sidebar", id="sidebar", tooltip="Show or hide the sidebar"),
    Binding("escape", "close_sidebar", "close", id="sidebar_close", tooltip="Hide the sidebar"),
    Binding("tab,i", "leave_sidebar", "composer", id="sidebar_leave", tooltip="To the composer"),
    Binding(
        "shift+tab", "leave_sidebar_back", "back", id="sidebar_back", tooltip="Go back", show=False
    ),
)
"""How one decides what is mixed."""

MOVES: Final[tuple[BindingType, ...]] = (
    Binding("tab", "next('examples')", "examples", id="next", tooltip="Go to the examples"),
    Binding("tab", "next('tiles')", "tiles", id="next_tiles", tooltip="Go to the tiles"),
    Binding("tab", "next('answer')", "answer", id="next_answer", tooltip="Go to the answer"),
    Binding("tab", "next('')", "next", id="next_other", tooltip="Go on", show=False),
    Binding("shift+tab", "previous", "back", id="previous", tooltip="Go back", show=False),
    *(
        Binding(
            str(number),
            f"seat({number})",
            "seat",
            id=f"seat_{number}",
            key_display="1-9",
            tooltip=f"Go to seat {number}",
            show=number == 1,
        )
        for number in range(1, 10)
    ),
    Binding("i", "compose", "composer", id="compose", tooltip="Go back to the composer"),
)
"""Where one can go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Now:
    """What decides which commands work; ``seat`` is that of the tile in focus."""

    place: Place
    state: RunState | None
    seat: SeatState | None = None
    is_live: bool = False
    is_fetching: bool = False
    was_asked: bool = False


def works(action: str, parameters: tuple[object, ...], now: Now) -> bool | None:
    """Return whether a command does something now; None for an action of somebody else's."""
    stops_seat = now.is_live and now.seat is not None and now.seat.is_live
    match action:
        case "stop_seat":
            return stops_seat
        case "stop":
            return now.is_live and not stops_seat
        case "stop_fetch":
            return now.is_fetching
        case "merge_now":
            is_typed = parameters == ("m",) and now.place == "composer"
            return now.is_live and _merges(now) and not is_typed
        case "refuse_merge":
            return now.is_live and not _merges(now)
        case "retry_seat":
            return now.is_live and _may_retry(now)
        case "again":
            return now.was_asked and not now.is_live and not now.is_fetching
        case _:
            return None


def leads(
    action: str, parameters: tuple[object, ...], *, place: Place, phase: Phase, seats: int
) -> bool | None:
    """Return whether a move leads anywhere now; ``seats``: tiles on show."""
    match action:
        case "seat":
            return place != "composer" and parameters[0] in range(1, seats + 1)
        case "compose":
            return place != "composer"
        case "next" if place != "composer":
            return parameters == ("",)
        case "next" if phase == "empty":
            return parameters == ("examples",)
        case "next":
            return parameters == ("tiles" if seats else "answer",)
        case _:
            return None


def can_merge(state: RunState) -> bool:
    """Return whether merging now has anything to merge: a proposal of this layer or an earlier."""
    if state.mixture is None or state.mixture.aggregator.strategy == "none":
        return False
    if state.aggregator is not None or not state.layers:
        return False
    live = state.layer_seats(state.layers[-1].layer)
    return len(state.layers) > 1 or any(seat.status == "done" for seat in live)


def _merges(now: Now) -> bool:
    return now.state is not None and can_merge(now.state)


def _may_retry(now: Now) -> bool:
    return now.state is not None and now.seat is not None and _is_open(now.state, now.seat)


def merge_key(state: RunState, *, is_writing: bool) -> str:
    """Return the key that merges now, "" while there is nothing to merge."""
    if not can_merge(state):
        return ""
    return "f3" if is_writing else "m"


def hints(
    state: RunState, seats: Sequence[SeatState], *, is_writing: bool, focused: Seat | None
) -> dict[Seat, list[tuple[str, str]]]:
    """Return what one can do about each seat, as (key, what it does).

    Without the focus it begins with the key that gives it. While one is writing, digits and
    letters belong to the prompt, so nothing is said then.
    """
    told: dict[Seat, list[tuple[str, str]]] = {seat.seat: [] for seat in seats}
    if is_writing or state.status != "running":
        return told
    for seat in seats[: _FIRST_WITHOUT_KEY - 1]:
        keys = told[seat.seat]
        if _is_open(state, seat):
            keys.append(("r", words.RETRY))
        if seat.is_live:
            keys.append(("x", words.STOP))
        if keys and seat.seat != focused:
            keys.insert(0, (str(seat.seat.number), words.FOCUS_THEN))
    return told


def _is_open(state: RunState, seat: SeatState) -> bool:
    """Return whether the seat's layer still takes proposals."""
    return any(layer.layer == seat.seat.layer and layer.ended_t is None for layer in state.layers)
