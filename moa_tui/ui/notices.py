"""What the terminal hears beside the screen: its window's title, and that a run ended unseen.

Terminals differ in what they take. What they are, they say in variables of the environment, which
are passed in: `ports.TERMINAL_VARIABLES`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from moa_tui.text import one_line
from moa_tui.ui import look, words

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from textual.app import App
    from textual.driver import Driver

    from moa_tui.engine.state import RunState

_CELLS: Final = 60
_MOST_OFTEN_S: Final = 0.5

_BELL: Final = "\a"
_PUSH_TITLE: Final = "\x1b[22;0t"
_POP_TITLE: Final = "\x1b[23;0t"

_TAKES_NOTES: Final = ("iterm", "wezterm", "ghostty", "kitty", "foot", "warp")
"""How terminals are called that show OSC 9 as a notification."""

_OF_THE_TERMINAL: Final = (
    *("LC_TERMINAL", "ITERM_SESSION_ID", "WEZTERM_PANE", "GHOSTTY_RESOURCES_DIR"),
    "KITTY_WINDOW_ID",
)
"""Variables of the terminal itself, which stay what they are inside tmux."""

_WITHOUT_TITLE: Final = ("dumb", "linux", "cons25", "vt52", "vt100")


class Notices:
    """Tells the terminal how a run goes: `follow` it in the title, ring when it `ended` unseen.

    ``write`` gets escape sequences; `writer` makes one of a program. ``later`` calls something so
    many seconds from now, as ``set_timer`` does.
    """

    def __init__(
        self,
        terminal: Mapping[str, str],
        *,
        write: Callable[[str], None],
        later: Callable[[float, Callable[[], None]], object],
        notify: bool = True,
        title: bool = True,
    ) -> None:
        self._terminal = terminal
        self._write = write
        self._later = later
        self._wanted = self._written = ""
        self._is_waiting = False
        self.notify = notify
        """Whether the end of a run may be told."""
        self.title = title
        """Whether the window is called after the run."""

    def follow(self, state: RunState | None, prompt: str) -> None:
        """Call the window after the run; cheap, at most twice a second anything is written."""
        if not self.title or not has_titles(self._terminal):
            return
        self._wanted = title_of(state, prompt)
        if not self._is_waiting:
            self._put()

    def ended(self, state: RunState, prompt: str, *, is_seen: bool) -> None:
        """Tell that a run ended, unless the terminal has the focus or a person ended it."""
        text = "" if is_seen or not self.notify else end_of(state, prompt)
        if text:
            self._write(note(text, self._terminal))

    def again(self) -> None:
        """Write the title once more: the terminal had another one while we were suspended."""
        if self._written:
            self._write(_title(self._written))

    def _put(self) -> None:
        """Write the title that is wanted, and then none for half a second."""
        if self._wanted == self._written:
            return
        self._written = self._wanted
        self._write(_title(self._written))
        self._is_waiting = True
        self._later(_MOST_OFTEN_S, self._put_later)

    def _put_later(self) -> None:
        self._is_waiting = False
        self._put()


def title_of(state: RunState | None, prompt: str) -> str:
    """Return what the window is called: "moa · 2/3 ready · Why is …", "moa ✓ Why is …"."""
    if state is None or state.status == "idle":
        return words.PROGRAM
    asked = _short(prompt)
    if state.status == "running":
        seats = state.layer_seats(state.layers[-1].layer) if state.layers else ()
        done = sum(seat.status == "done" for seat in seats)
        return words.window_live(done, len(seats), asked, is_merging=state.aggregator is not None)
    return f"{words.PROGRAM} {look.GLYPHS[state.status]} {asked}"


def end_of(state: RunState, prompt: str) -> str:
    """Return how a run ended, in words for a notification; "" if a person ended it."""
    match state.status:
        case "done":
            return words.answer_ready(_short(prompt))
        case "failed":
            why = look.cause(state.kind) if state.kind is not None else ""
            return words.run_failed(why, _short(prompt))
        case _:
            return ""


def note(text: str, terminal: Mapping[str, str]) -> str:
    """Return what makes a terminal ring, and show a text where it can show one."""
    if not _takes_notes(terminal):
        return _BELL
    sequence = f"\x1b]9;{one_line(text)}\a"
    if "TMUX" in terminal:
        # tmux hands it on to the terminal, if it is allowed to; else nothing comes of it.
        escaped = sequence.replace("\x1b", "\x1b\x1b")
        sequence = f"\x1bPtmux;{escaped}\x1b\\"
    return f"{_BELL}{sequence}"


def _takes_notes(terminal: Mapping[str, str]) -> bool:
    if "STY" in terminal:
        return False
    if any(terminal.get(name) for name in _OF_THE_TERMINAL):
        return True
    name = f"{terminal.get('TERM_PROGRAM', '')} {terminal.get('TERM', '')}".lower()
    return "TMUX" not in terminal and any(known in name for known in _TAKES_NOTES)


def has_titles(terminal: Mapping[str, str]) -> bool:
    """Return whether the terminal is in a window that has a title, as far as it says."""
    return terminal.get("TERM", "dumb") not in _WITHOUT_TITLE


def _title(text: str) -> str:
    return f"\x1b]2;{one_line(text)}\a"


def _short(prompt: str) -> str:
    return look.clip(one_line(prompt, _CELLS), _CELLS)


def writer(app: App[Any]) -> Callable[[str], None]:
    """Return what writes escape sequences to a program's terminal, in the order of its frames."""

    def write(sequence: str) -> None:
        driver = app._driver  # noqa: SLF001 - what is printed lands in the middle of a frame
        if driver is not None and not driver.is_headless:
            driver.write(sequence)

    return write


def keeping_title(driver: type[Driver], terminal: Mapping[str, str]) -> type[Driver]:
    """Return a driver that gives the window its own title back whenever it gives up the screen."""
    if not has_titles(terminal):
        return driver

    def start(self: Driver) -> None:
        driver.start_application_mode(self)
        self.write(_PUSH_TITLE)

    def stop(self: Driver) -> None:
        self.write(_POP_TITLE)
        driver.stop_application_mode(self)

    methods = {"start_application_mode": start, "stop_application_mode": stop}
    return type(f"TitleKeeping{driver.__name__}", (driver,), methods)
