"""What the session browser says, in one place so that it can be said in another language."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from moa_tui.ui import look, words

if TYPE_CHECKING:
    from moa_tui.engine.state import SeatStatus
    from moa_tui.ui.store import Where

SESSIONS: Final = "Sessions"
TYPE_SESSION: Final = "type to search prompts, answers and proposals"
READING: Final = "reading"
NO_SESSIONS: Final = "no sessions yet: the first question begins one"
NOT_RECORDED: Final = "sessions aren't recorded here"
UNREAD: Final = "the sessions can't be read"
HERE: Final = "open here"
LIVE: Final = "live"
BACK: Final = "it is back"
OPEN_STAYS: Final = "it is open here: not deleted"
LIVE_STAYS: Final = "a run is live in it: not deleted"
RENAME: Final = "Name of the session"
FIRST_PROMPT: Final = "its first prompt"
RENAME_NOTE: Final = "with nothing written, it is called by its first prompt again"
LAST_QUESTION: Final = "last question"
QUESTION: Final = "question"
DRAFT: Final = "a draft waits"
LIVE_ELSEWHERE: Final = "a run is live in another window"
WHEN_CELLS: Final = 11

UNFINISHED: Final = "Left unfinished"
OPENS_IT: Final = "open it"
LEAVES_IT: Final = "leave it"
ENDED_EARLY: Final = "The program ended while this ran. What was said until then is kept."
NOTHING_SAID: Final = "nothing yet"
CUT_SHORT: Final = "not ended"

_PLACES: Final[dict[Where, str]] = {
    "title": "name",
    "prompt": "prompt",
    "answer": "answer",
    "proposal": "proposal",
}
PLACE_CELLS: Final = 8
_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS: Final = (
    *("Jan", "Feb", "Mar", "Apr", "May", "Jun"),
    *("Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
)
_WEEK: Final = timedelta(days=7)


def when(at: float, now: float) -> str:
    """Return a time as short as it is clear today: "12:40", "Mon 12:40", "26 Nov", "26 Nov 2024".

    Both in seconds since the epoch, read in this machine's time zone.
    """
    try:
        then, today = datetime.fromtimestamp(at), datetime.fromtimestamp(now)  # noqa: DTZ006 - as the wall clock here says
    except (ValueError, OverflowError, OSError):
        return look.DASH
    clock = f"{then:%H:%M}"
    if then.date() == today.date():
        return clock
    if timedelta() < today.date() - then.date() < _WEEK:
        return f"{_DAYS[then.weekday()]} {clock}"
    date = f"{then.day} {_MONTHS[then.month - 1]}"
    return date if then.year == today.year else f"{date} {then.year}"


def turns(count: int) -> str:
    """Return "1 turn", "6 turns"."""
    return words.plural(count, "turn")


def turns_column(count: int) -> str:
    """Return the same with the figures of all rows under each other."""
    return f"{count:>4} turn{' ' if count == 1 else 's'}"


def place(where: Where) -> str:
    """Return what a search was found in, in a word."""
    return _PLACES[where]


def sessions(count: int, *, is_more: bool) -> str:
    """Return how many sessions there are, as far as they were read: "100+ sessions"."""
    return f"{count}+ sessions" if is_more else words.plural(count, "session")


def places(count: int, *, is_more: bool) -> str:
    """Return in how many places a search was found: "100+ places"."""
    return f"{count}+ places" if is_more else words.plural(count, "place")


def nothing_has(query: str) -> str:
    """Return that no session has all these words."""
    return f'nothing says "{query}"'


def proposal(layer: int, number: int) -> str:
    """Return whose words were found."""
    return f"proposal {number}" if layer == 1 else f"proposal {number} of layer {layer}"


def seat(layer: int, number: int) -> str:
    """Return a seat that nothing else is known of."""
    return f"layer {layer}, seat {number}"


def begun(told: str) -> str:
    """Return when a session began."""
    return f"begun {told}"


def touched(told: str) -> str:
    """Return when a session was last used."""
    return f"last used {told}"


def asked(told: str) -> str:
    """Return when a question was asked."""
    return f"asked {told}"


def runs(count: int) -> str:
    """Return how many runs were left: "1 run"."""
    return words.plural(count, "run")


def not_ended(count: int) -> str:
    """Return how many seats were still at it: "2 seats had not ended"."""
    return f"{words.plural(count, 'seat')} had not ended" if count else "every seat had ended"


def state(status: SeatStatus) -> str:
    """Return how a seat stands, in a word."""
    return status


def was_there(tokens: int) -> str:
    """Return how much a seat had said when the program ended."""
    return f"{look.tokens(tokens)} tok" if tokens else NOTHING_SAID
