"""What the terminal hears beside the screen: titles, not too often, and ends that nobody saw."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

import pytest
from racing_seats import done, failed, streaming

from moa_tui.engine.mixture import Seat
from moa_tui.engine.state import LayerState, RunState
from moa_tui.ui.notices import Notices, end_of, keeping_title, note, title_of, writer
from moa_tui.ui.ports import TERMINAL_VARIABLES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from textual.app import App

    from moa_tui.engine.state import SeatState

XTERM = {"TERM": "xterm-256color"}
ITERM = {"TERM": "xterm-256color", "TERM_PROGRAM": "iTerm.app"}
PROMPT = "Why is the sky blue?"


def run(*seats: SeatState) -> RunState:
    return RunState(
        status="running",
        layers=(LayerState(layer=1, started_t=0.0),),
        seats=MappingProxyType({seat.seat: seat for seat in seats}),
    )


RACING = run(done("a", 1), streaming("b", 2), failed("server", "broke", number=3))
READY = run(done("a", 1), done("b", 2), failed("server", "broke", number=3))
ANSWERED = replace(READY, status="done")
FAILED = replace(READY, status="failed", kind="rate_limit")
STOPPED = replace(READY, status="stopped", kind="stopped")


@dataclass
class Window:
    """A terminal's window: what was written to it, and what waits for its time."""

    written: list[str] = field(default_factory=list)
    waiting: list[Callable[[], None]] = field(default_factory=list)

    def notices(
        self, terminal: Mapping[str, str], *, notify: bool = True, title: bool = True
    ) -> Notices:
        return Notices(
            terminal,
            write=self.written.append,
            later=lambda seconds, call: self.waiting.append(call) if seconds == 0.5 else None,
            notify=notify,
            title=title,
        )

    def pass_half_a_second(self) -> None:
        calls, self.waiting = self.waiting, []
        for call in calls:
            call()


# Titles.


@pytest.mark.parametrize(
    ("state", "title"),
    [
        (None, "moa"),
        (RunState(), "moa"),
        (RunState(status="running"), f"moa · starting · {PROMPT}"),
        (RACING, f"moa · 1/3 ready · {PROMPT}"),
        (
            run(done("a"), replace(streaming("m"), seat=Seat(2, 1), role="aggregator")),
            f"moa · merging · {PROMPT}",
        ),
        (ANSWERED, f"moa ✓ {PROMPT}"),
        (FAILED, f"moa ✗ {PROMPT}"),
        (STOPPED, f"moa ■ {PROMPT}"),
    ],
)
def test_the_title_says_how_far_the_run_is(state: RunState | None, title: str) -> None:
    assert title_of(state, PROMPT) == title


def test_a_prompt_in_a_title_is_one_short_line_without_control_characters() -> None:
    title = title_of(ANSWERED, "a\n\x1b]2;owned\a\x9c" + "世" * 60)
    assert title == "moa ✓ a ␛]2;owned␇�" + "世" * 23 + "…"
    window = Window()
    window.notices(XTERM).follow(ANSWERED, "a\n\x1b]0;owned\a")
    assert window.written == ["\x1b]2;moa ✓ a ␛]0;owned␇\a"]


def test_a_title_is_written_when_it_changes_and_no_more_than_twice_a_second() -> None:
    window = Window()
    notices = window.notices(XTERM)
    notices.follow(RACING, PROMPT)
    notices.follow(RACING, PROMPT)
    notices.follow(READY, PROMPT)
    notices.follow(ANSWERED, PROMPT)
    assert window.written == [f"\x1b]2;moa · 1/3 ready · {PROMPT}\a"]
    window.pass_half_a_second()
    assert window.written[1:] == [f"\x1b]2;moa ✓ {PROMPT}\a"]
    window.pass_half_a_second()
    assert (len(window.written), window.waiting) == (2, [])
    notices.follow(RACING, PROMPT)
    assert len(window.written) == 3


def test_a_title_that_is_the_old_one_again_in_time_isnt_written() -> None:
    window = Window()
    notices = window.notices(XTERM)
    notices.follow(RACING, PROMPT)
    notices.follow(READY, PROMPT)
    notices.follow(RACING, PROMPT)
    window.pass_half_a_second()
    assert len(window.written) == 1


def test_after_a_suspension_the_title_is_written_again() -> None:
    window = Window()
    notices = window.notices(XTERM)
    notices.again()
    assert window.written == []
    notices.follow(ANSWERED, PROMPT)
    notices.again()
    assert window.written == [f"\x1b]2;moa ✓ {PROMPT}\a"] * 2


@pytest.mark.parametrize("terminal", [{}, {"TERM": "linux"}, {"TERM": "dumb"}])
def test_a_terminal_without_titles_gets_none(terminal: dict[str, str]) -> None:
    window = Window()
    window.notices(terminal).follow(RACING, PROMPT)
    assert window.written == []


def test_titles_can_be_switched_off_and_on() -> None:
    window = Window()
    notices = window.notices(XTERM, title=False)
    notices.follow(RACING, PROMPT)
    assert window.written == []
    notices.title = True
    notices.follow(RACING, PROMPT)
    assert len(window.written) == 1
    notices.title = False
    notices.follow(ANSWERED, PROMPT)
    window.pass_half_a_second()
    assert len(window.written) == 1


# Ends.


def test_an_end_is_told_in_words() -> None:
    assert end_of(ANSWERED, PROMPT) == f"moa: answer ready · {PROMPT}"
    assert end_of(FAILED, PROMPT) == f"moa: run failed: 429 · {PROMPT}"
    assert end_of(replace(FAILED, kind=None), PROMPT) == f"moa: run failed · {PROMPT}"
    assert end_of(STOPPED, PROMPT) == ""
    assert end_of(RACING, PROMPT) == ""


def test_an_end_that_nobody_saw_rings_and_is_shown() -> None:
    window = Window()
    window.notices(ITERM).ended(ANSWERED, PROMPT, is_seen=False)
    assert window.written == [f"\a\x1b]9;moa: answer ready · {PROMPT}\a"]


def test_an_end_that_was_seen_or_isnt_to_be_told_is_silent() -> None:
    window = Window()
    window.notices(ITERM).ended(ANSWERED, PROMPT, is_seen=True)
    window.notices(ITERM, notify=False).ended(ANSWERED, PROMPT, is_seen=False)
    window.notices(ITERM).ended(STOPPED, PROMPT, is_seen=False)
    notices = window.notices(ITERM)
    notices.notify = False
    notices.ended(ANSWERED, PROMPT, is_seen=False)
    assert window.written == []


@pytest.mark.parametrize(
    "terminal",
    [
        ITERM,
        {"TERM": "xterm-256color", "TERM_PROGRAM": "WezTerm"},
        {"TERM": "xterm-256color", "TERM_PROGRAM": "ghostty"},
        {"TERM": "xterm-ghostty"},
        {"TERM": "xterm-kitty"},
        {"TERM": "foot-extra"},
        {"TERM": "xterm-256color", "LC_TERMINAL": "iTerm2"},
    ],
)
def test_terminals_that_show_notes_get_one(terminal: dict[str, str]) -> None:
    assert note("moa: hi", terminal) == "\a\x1b]9;moa: hi\a"


@pytest.mark.parametrize(
    "terminal",
    [
        {},
        XTERM,
        {"TERM": "xterm-256color", "TERM_PROGRAM": "Apple_Terminal"},
        {"TERM": "xterm-256color", "TERM_PROGRAM": "vscode"},
        {"TERM": "tmux-256color", "TERM_PROGRAM": "tmux", "TMUX": "a socket"},
        {"TERM": "screen", "STY": "1.pts", "LC_TERMINAL": "iTerm2"},
    ],
)
def test_any_other_terminal_rings_alone(terminal: dict[str, str]) -> None:
    assert note("moa: hi", terminal) == "\a"


def test_tmux_hands_a_note_on_to_a_terminal_that_is_known() -> None:
    terminal = {"TERM": "tmux-256color", "TMUX": "a socket", "LC_TERMINAL": "iTerm2"}
    assert note("moa: hi", terminal) == "\a\x1bPtmux;\x1b\x1b]9;moa: hi\a\x1b\\"


def test_a_note_has_no_control_characters_of_its_text() -> None:
    assert note("a\a\x1b[2J\nb", ITERM) == "\a\x1b]9;a␇␛[2J b\a"


# Wiring.


def test_no_variable_is_asked_for_that_isnt_passed_in() -> None:
    asked: set[str] = set()

    class Asked(dict[str, str]):
        def get(self, name: str, default: str = "") -> str:  # type: ignore[override]
            asked.add(name)
            return default

        def __contains__(self, name: object) -> bool:
            asked.add(str(name))
            return False

    terminal = Asked()
    note("moa", terminal)
    Window().notices(terminal).follow(RACING, PROMPT)
    assert asked == set(TERMINAL_VARIABLES)


async def test_a_program_without_a_terminal_writes_nothing(app: App[None]) -> None:
    writer(app)("\a")
    async with app.run_test():
        writer(app)("\a")


def test_a_driver_without_titles_stays_as_it_is() -> None:
    from textual.drivers.linux_driver import LinuxDriver  # noqa: PLC0415 - not on every system

    assert keeping_title(LinuxDriver, {"TERM": "linux"}) is LinuxDriver
    assert issubclass(keeping_title(LinuxDriver, XTERM), LinuxDriver)


@pytest.fixture
def app() -> App[None]:
    from textual.app import App  # noqa: PLC0415 - only this test needs one

    return App()
