"""Keys that can't do their thing say why; and which commands can't be done here at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from moa_tui.ui import keys, words
from moa_tui.ui.keymap import keymap_of
from moa_tui.ui.rows import Ground

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from moa_tui.ui.keys import Now


class Refusing(Ground):
    """A column that knows of its commands why they can't be done; see `keys.refusing`."""

    def why_not(self, command: str) -> str:
        """Return why a command that does nothing now does nothing, "" if there is no more to say.

        ``command`` is its id.
        """
        del command
        return ""

    def is_ever(self, command: str) -> bool:
        """Return whether a command can do something here at some time, so that it is offered."""
        del command
        return True

    def key_of(self, command: str, default: str, *, is_writing: bool = False) -> str:
        """Return how a command's key is called here, see `keys.Names.of`."""
        return keys.Names(lambda: keymap_of(self.app)).of(command, default, is_writing=is_writing)

    @property
    def stop_key(self) -> str:
        """How the key is called that closes, leaves or stops."""
        return self.key_of("stop", "escape")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Return whether a key has a refusal to say."""
        if action == "refuse":
            return self.why_not(str(parameters[0])) != ""
        return super().check_action(action, parameters)

    def action_refuse(self, command: str) -> None:
        """Say why a command does nothing."""
        self.notify(self.why_not(command), severity="warning", markup=False)


def no_order(command: str, now: Now, *, stop: str) -> str:
    """Return why a run, or the seat in focus, can't be told something now; "" for no reason.

    ``stop`` is how the key of the command "stop" is called.
    """
    rule = _ORDERS.get(command)
    if rule is None:
        return ""
    if now.is_replayed:
        return words.only_looked_at(stop)
    if now.is_live:
        return rule(now)
    if now.state is None:
        return words.NOTHING_ASKED
    return words.old_run(stop) if now.is_running else words.RUN_IS_OVER


def _no_seat(now: Now) -> str:
    return words.NO_SEAT if now.seat is None else words.LAYER_CLOSED


def _no_swap(now: Now) -> str:
    return _no_seat(now) if now.can_choose else words.ONLY_THESE_MODELS


def _no_stop(now: Now) -> str:
    return words.NO_SEAT if now.seat is None else words.SEAT_ENDED


def _no_more_seats(now: Now) -> str:
    return words.NO_LAYER_RUNS if now.can_choose else words.ONLY_THESE_MODELS


def _no_partial(now: Now) -> str:
    return words.NOTHING_UNFINISHED if now.state and keys.can_merge(now.state) else ""


_ORDERS: Final[Mapping[str, Callable[[Now], str]]] = {
    "retry_seat": _no_seat,
    "swap_seat": _no_swap,
    "stop_seat": _no_stop,
    "add_seat": _no_more_seats,
    "merge_now": lambda _: "",
    "merge_partial": _no_partial,
}


def not_taken(now: Now, *, stop: str) -> str:
    """Return why the proposal in focus can't be taken as the answer; ``stop`` as above."""
    if now.is_replayed:
        return words.not_taken_from_replay(stop)
    if now.seat is None:
        return words.NO_SEAT if now.state is not None else words.NOTHING_ASKED
    if now.seat.is_live:
        return words.NOT_FINISHED
    return words.NOT_BEGUN if keys.is_takeable(now.seat) else words.SAID_NOTHING
