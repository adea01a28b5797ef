"""The keys of the conversation, and which of them do something at this moment.

An id is a command's name in ``[keys]``, in the palette and after a slash. Bindings that share one
are faces of one command: the first that works has the key.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from textual.binding import Binding

from moa_tui.ui import words
from moa_tui.ui.footer import key_name
from moa_tui.ui.keymap import typed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from textual.binding import BindingType

    from moa_tui.engine.mixture import Seat
    from moa_tui.engine.state import RunState, SeatState
    from moa_tui.ui.room import Phase
    from moa_tui.ui.view import View

_FIRST_WITHOUT_KEY: Final = 10
_ESCAPE: Final = "Close what is open; else stop the run, or the seat in focus"
_ON: Final = "Go on: composer, tiles, answer, sidebar"
_SEAT: Final = "Go to the seat of that number; its tile opens if it is folded"
_PAUSE: Final = "Let a replay pause, or go on"
_PIN: Final = "Keep the tiles open beside the answer, or fold them"
_RACE: Final = "Show the race as lanes, or as tiles"
_BACK: Final = "Go back the same way"

Place: TypeAlias = Literal["composer", "examples", "tile", "lanes", "answer", "elsewhere"]
"""Where the focus is."""


def refusing(*bindings: Binding) -> tuple[BindingType, ...]:
    """Return bindings and behind them, on the same keys, what says why none of them works.

    Their widget is a `Refusing`. The key of the command "stop" has something to close elsewhere.
    """
    found: dict[str, dict[str, None]] = {}
    for binding in bindings:
        if binding.id and binding.id not in ("stop", "interrupt"):
            found.setdefault(binding.id, {})[binding.key] = None
    faces = (
        Binding(",".join(pressed), f"refuse('{command}')", id=command, show=False)
        for command, pressed in found.items()
    )
    return (*bindings, *faces)


STEERING: Final[tuple[BindingType, ...]] = refusing(
    Binding(
        "ctrl+c",
        "interrupt",
        "stop",
        id="interrupt",
        tooltip="Copy the selection; else stop the run; else clear the composer; twice: quit",
        priority=True,
        show=False,
    ),
    Binding("ctrl+n", "new_session", "new", id="new_session", tooltip="Begin a conversation"),
    Binding("ctrl+r", "sessions", "sessions", id="sessions", tooltip="Find a conversation"),
    Binding(
        "ctrl+pageup",
        "other_session(-1)",
        id="session_newer",
        tooltip="Open the next newer conversation",
        show=False,
    ),
    Binding(
        "ctrl+pagedown",
        "other_session(1)",
        id="session_older",
        tooltip="Open the next older conversation",
        show=False,
    ),
    Binding(
        "E",
        "export",
        "export",
        id="export",
        tooltip="Write this conversation to a file in this folder",
        show=False,
    ),
    Binding(
        "f7",
        "private",
        "private",
        id="private",
        tooltip="Begin a conversation that isn't written down",
        show=False,
    ),
    Binding("escape", "stop_seat", "stop seat", id="stop", tooltip=_ESCAPE),
    Binding("escape", "spare", "stop", id="stop", tooltip=_ESCAPE),
    Binding("escape", "stop", "stop", id="stop", tooltip=_ESCAPE),
    Binding("m,f3", "merge_now", "merge now", id="merge_now", tooltip="Merge what is ready"),
    Binding("m,f3", "refuse_merge", id="merge_now", show=False),
    Binding(
        "M",
        "merge_partial",
        "merge with unfinished",
        id="merge_partial",
        tooltip="Merge now, unfinished texts too",
        show=False,
    ),
    Binding("M", "refuse_merge", id="merge_partial", show=False),
    Binding("x", "stop_seat", "stop seat", id="stop_seat", tooltip="Stop the seat in focus"),
    Binding("r", "retry_seat", "retry", id="retry_seat", tooltip="Start the seat over"),
    Binding("o", "swap_seat", "swap model", id="swap_seat", tooltip="Give the seat another model"),
    Binding(
        "plus",
        "add_seat",
        "add seat",
        id="add_seat",
        key_display="+",
        tooltip="Add a seat to the layer that runs",
    ),
    Binding(
        "a",
        "take",
        "take as answer",
        id="take",
        tooltip="Make the proposal in focus the answer",
    ),
    Binding("d", "details", "details", id="details", tooltip="Tell what failed, to be copied"),
)
"""What one can tell a run."""

TURNS: Final[tuple[BindingType, ...]] = refusing(
    Binding("escape", "stop_editing", "leave it", id="stop", tooltip=_ESCAPE),
    Binding("f5", "again", "again", id="again", tooltip="Run the last prompt anew"),
    Binding(
        "g",
        "merge_again",
        "merge again",
        id="merge_again",
        tooltip="Merge the last proposals anew, by the present aggregator",
    ),
    Binding(
        "c",
        "complete",
        "call the rest",
        id="complete",
        tooltip="Call only the seats that have no proposal, then merge",
    ),
    Binding(
        "left_square_bracket",
        "version(-1)",
        "versions",
        id="version_before",
        key_display="[ ]",
        tooltip="Show the version before, or the one after",
    ),
    Binding(
        "right_square_bracket",
        "version(1)",
        "versions",
        id="version_after",
        key_display="[ ]",
        tooltip="Show the version after",
    ),
    Binding(
        "e",
        "edit_prompt",
        "edit prompt",
        id="edit_prompt",
        tooltip="Write a question anew and send it: the conversation branches there",
    ),
)
"""What one can do with the questions and answers so far."""

REPLAY: Final[tuple[BindingType, ...]] = refusing(
    Binding("escape", "end_replay", "end replay", id="stop", tooltip=_ESCAPE),
    Binding("R", "replay", "replay", id="replay", tooltip="Replay the race as it was"),
    Binding("space", "pause", "pause", id="replay_pause", tooltip=_PAUSE),
    Binding("space", "resume", "go on", id="replay_pause", tooltip=_PAUSE),
    Binding("full_stop", "step", "step", id="replay_step", tooltip="One step of a paused replay"),
    Binding("R", "faster", "faster", id="replay", tooltip="Replay the race as it was"),
)
"""How a stored race is watched once more."""

JUDGING: Final[tuple[BindingType, ...]] = refusing(
    Binding(
        "b",
        "blind_test",
        "blind test",
        id="blind_test",
        tooltip="Judge the answer and its best proposals without their names",
    ),
    Binding(
        "B",
        "wins",
        "wins",
        id="wins",
        tooltip="Show who won blind tests, by preset and by model",
        show=False,
    ),
)
"""How one judges what was said."""

ANYWHERE: Final[tuple[BindingType, ...]] = (
    Binding("y", "copy", "copy", id="copy", tooltip="Copy the proposal in focus, or the answer"),
    Binding("Y", "copy_code", "copy code", id="copy_code", tooltip="Copy the code in sight"),
    Binding("ctrl+g", "jump", "jump", id="jump", tooltip="Go to a part of the screen by letter"),
    Binding("question_mark,f1", "help", "help", id="help", tooltip="Show keys and words"),
    Binding("f4", "edit", "editor", id="edit", tooltip="Write the prompt in $EDITOR", show=False),
    Binding("f6", "themes", "themes", id="theme", tooltip="Choose a theme", show=False),
    Binding("f2", "settings", "settings", id="settings", tooltip="Change settings and theme"),
    Binding("ctrl+p", "palette", "commands", id="palette", tooltip="Find a command by name"),
    Binding(
        "ctrl+z", "suspend", id="suspend", tooltip="Suspend the program: fg goes on", show=False
    ),
)
"""What one can do with the program itself."""

CHOOSING: Final[tuple[BindingType, ...]] = refusing(
    Binding("ctrl+t", "presets", "presets", id="presets", tooltip="Choose a preset"),
    Binding("ctrl+o", "models", "models", id="models", tooltip="Choose a model"),
    Binding("f8", "endpoints", "endpoints", id="endpoints", tooltip="See or add endpoints"),
    Binding("f9", "sidebar", "sidebar", id="sidebar", tooltip="Show or hide the sidebar"),
    Binding("escape", "close_sidebar", "close", id="stop", tooltip=_ESCAPE),
    Binding("tab", "leave_sidebar", "composer", id="next", tooltip=_ON, show=False),
    Binding("i", "leave_sidebar", "composer", id="compose", tooltip="Go to the composer"),
    Binding("shift+tab", "leave_sidebar_back", "back", id="previous", tooltip=_BACK, show=False),
)
"""How one decides what is mixed."""

MOVES: Final[tuple[BindingType, ...]] = (
    Binding("tab", "next('examples')", "examples", id="next", tooltip=_ON),
    Binding("tab", "next('tiles')", "tiles", id="next", tooltip=_ON),
    Binding("tab", "next('answer')", "answer", id="next", tooltip=_ON),
    Binding("tab", "next('')", "next", id="next", tooltip=_ON, show=False),
    Binding("shift+tab", "previous", "back", id="previous", tooltip=_BACK, show=False),
    *(
        Binding(
            str(number),
            f"seat({number})",
            "seat",
            id=f"seat_{number}",
            key_display="1-9",
            tooltip=_SEAT,
            show=number == 1,
        )
        for number in range(1, 10)
    ),
    Binding("i", "compose", "composer", id="compose", tooltip="Go to the composer"),
)
"""Where one can go."""

VIEWS: Final[tuple[BindingType, ...]] = (
    Binding("escape", "close_view", "back", id="stop", tooltip=_ESCAPE),
    Binding("w", "lanes", "race view", id="race_view", tooltip=_RACE),
    Binding("w", "tiles", "tiles", id="race_view", tooltip=_RACE),
    Binding("p", "pin", "pin", id="pin", tooltip=_PIN),
    Binding("p", "unpin", "unpin", id="pin", tooltip=_PIN),
    Binding("z,f10", "zoom", "zoom", id="zoom", tooltip="Give all the room to what is in focus"),
    Binding(
        "left,h",
        "layer(-1)",
        "layers",
        id="layer_before",
        key_display="← →",
        tooltip="Show the layer before, or the one after",
    ),
    Binding("right,l", "layer(1)", id="layer_after", tooltip="Show the layer after", show=False),
    Binding("t", "thinking", "thinking", id="thinking", tooltip="Fold or unfold the thinking"),
    Binding(
        "v",
        "sources",
        "sources",
        id="sources",
        tooltip="Show or hide which proposals a sentence is from",
        show=False,
    ),
)
"""How the stage shows a run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Now:
    """What decides which commands work.

    ``state`` is the run that is looked at, ``seat`` that of the tile or lane in focus, which may
    have ended at this moment: ``has_just_ended``. ``is_live``: that run takes commands;
    ``is_running``: some run does; ``is_replayed``: it is only looked at once more.
    ``is_passing``: the seat is of the run before, another one being begun in its place.
    ``can_choose``: models can be chosen.
    """

    state: RunState | None
    seat: SeatState | None = None
    has_just_ended: bool = False
    is_live: bool = False
    is_running: bool = False
    is_replayed: bool = False
    is_passing: bool = False
    is_fetching: bool = False
    can_choose: bool = False


def works(action: str, now: Now) -> bool | None:
    """Return whether a command does something now; None for an action of somebody else's."""
    rule = _WORKS.get(action)
    return None if rule is None else rule(now)


def leads(
    action: str, parameters: tuple[object, ...], *, place: Place, phase: Phase, seats: int
) -> bool | None:
    """Return whether a move leads anywhere now; ``seats``: those of the layer that is looked at."""
    has_tiles = phase in ("race", "failed", "both")
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
            return parameters == ("tiles" if seats and has_tiles else "answer",)
        case _:
            return None


def shows(
    action: str,
    parameters: tuple[object, ...],
    *,
    place: Place,
    phase: Phase,
    view: View,
    run: RunState | None,
) -> bool | None:
    """Return whether the stage can be shown otherwise in this way; ``run`` is looked at."""
    match action:
        case "close_view":
            return view.can_close
        case "zoom" | "sources":
            return phase != "empty"
        case "lanes" | "tiles":
            is_lanes = view.is_lanes and phase != "answer"
            return phase != "empty" and is_lanes == (action == "tiles")
        case "pin":
            return phase in ("answer", "both", "race") and not view.is_pinned
        case "unpin":
            return view.is_pinned
        case "layer":
            return place in ("tile", "lanes", "answer") and _leads_to_layer(
                parameters, view=view, run=run
            )
        case "thinking":
            return place in ("tile", "answer")
        case _:
            return None


def _leads_to_layer(parameters: tuple[object, ...], *, view: View, run: RunState | None) -> bool:
    if run is None or len(run.layers) < 2:  # noqa: PLR2004 - one layer leads nowhere
        return False
    step = parameters[0]
    here = view.layer_in(run)
    edge = run.layers[0 if step == -1 else -1].layer
    return here != edge


def can_merge(state: RunState, *, partial: bool = False) -> bool:
    """Return whether merging now has anything to merge: a proposal of this layer or an earlier.

    ``partial``: unfinished texts count, and there is at least one.
    """
    if state.mixture is None or state.mixture.aggregator.makes == "nothing":
        return False
    if state.aggregator is not None or not state.layers:
        return False
    live = state.layer_seats(state.layers[-1].layer)
    if partial:
        return any(seat.is_live and seat.text for seat in live)
    return len(state.layers) > 1 or any(seat.status == "done" for seat in live)


def _merges(now: Now, *, partial: bool = False) -> bool:
    return now.state is not None and can_merge(now.state, partial=partial)


def _may_retry(now: Now) -> bool:
    return now.state is not None and now.seat is not None and _is_open(now.state, now.seat)


def _takes_seats(now: Now) -> bool:
    return now.state is not None and any(layer.ended_t is None for layer in now.state.layers)


def _can_take(now: Now) -> bool:
    seat = now.seat
    if seat is None or now.is_replayed or now.is_passing:
        return False
    return is_takeable(seat)


def is_takeable(seat: SeatState) -> bool:
    """Return whether a seat is over and has said something that could be the answer."""
    return not seat.is_live and bool(str(seat.text).strip())


def _has_details(now: Now) -> bool:
    seat = now.seat
    if seat is not None and (seat.notes or (seat.message and seat.status != "stopped")):
        return True
    return now.state is not None and now.state.status == "failed"


class Names:
    """How commands' keys are called; ``keymap`` returns those that the user has mapped, by id."""

    def __init__(self, keymap: Callable[[], Mapping[str, str]] = dict) -> None:
        self._keymap = keymap

    def of(self, command: str, default: str, *, is_writing: bool = False) -> str:
        """Return a command's key, "" if it has none that works while one is writing.

        ``default`` are its keys where the user has mapped none, as Textual writes them.
        """
        for key in self._keymap().get(command, default).split(","):
            if not (is_writing and _is_typed(key)):
                return key_name(key)
        return ""


def _is_typed(key: str) -> bool:
    character = typed(key)
    return character is not None and character.isprintable()


def merge_key(state: RunState, names: Names, *, is_writing: bool) -> str:
    """Return the key that merges now, "" while there is nothing to merge."""
    if not can_merge(state):
        return ""
    return names.of("merge_now", "m,f3", is_writing=is_writing)


def hints(
    state: RunState,
    seats: Sequence[SeatState],
    names: Names,
    *,
    is_writing: bool,
    focused: Seat | None,
    is_replayed: bool = False,
    can_swap: bool = False,
) -> dict[Seat, list[tuple[str, str]]]:
    """Return what one can do about each seat, as (key, what it does).

    Without the focus it begins with the key that gives it. While one is writing, digits and
    letters belong to the prompt, so nothing is said then. A replay's seats take no commands.
    """
    told: dict[Seat, list[tuple[str, str]]] = {seat.seat: [] for seat in seats}
    if is_writing:
        return told
    for seat in seats[: _FIRST_WITHOUT_KEY - 1]:
        keys = told[seat.seat]
        is_running = state.status == "running" and not is_replayed
        if is_running and _is_open(state, seat):
            keys.append((names.of("retry_seat", "r"), words.RETRY))
            if can_swap:
                keys.append((names.of("swap_seat", "o"), words.SWAP))
        if is_running and seat.is_live:
            keys.append((names.of("stop_seat", "x"), words.STOP))
        if seat.status == "failed":
            keys.append((names.of("details", "d"), words.DETAILS))
        if keys and seat.seat != focused:
            number = seat.seat.number
            keys.insert(0, (names.of(f"seat_{number}", str(number)), words.FOCUS_THEN))
    return told


def _is_open(state: RunState, seat: SeatState) -> bool:
    """Return whether the seat's layer still takes proposals."""
    return any(layer.layer == seat.seat.layer and layer.ended_t is None for layer in state.layers)


def _stops_seat(now: Now) -> bool:
    return now.is_live and now.seat is not None and now.seat.is_live


_WORKS: Final[Mapping[str, Callable[[Now], bool]]] = {
    "stop_seat": _stops_seat,
    "spare": lambda now: now.is_live and now.has_just_ended,
    "stop": lambda now: now.is_fetching or (now.is_running and not _stops_seat(now)),
    "merge_now": lambda now: now.is_live and _merges(now),
    "refuse_merge": lambda now: now.is_live and not _merges(now),
    "merge_partial": lambda now: now.is_live and _merges(now, partial=True),
    "retry_seat": lambda now: now.is_live and _may_retry(now),
    "swap_seat": lambda now: now.is_live and _may_retry(now) and now.can_choose,
    "add_seat": lambda now: now.is_live and now.can_choose and _takes_seats(now),
    "take": _can_take,
    "details": _has_details,
}
