"""What the blind test and its wins say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from moa_tui.text import one_line
from moa_tui.ui.look import STAR, seat_name

if TYPE_CHECKING:
    from moa_tui.engine.blind import Standings
    from moa_tui.engine.state import RunState

LETTERS: Final = "ABCD"
TITLE: Final = "Blind test"
WHICH: Final = "which would you rather have got?"
OVER: Final = "this is who wrote them"
READ_FIRST: Final = "Read them, then choose. Who wrote which is told afterwards."
PICKED: Final = "your pick"
NONE_PICKED: Final = "None of them was better."
NOT_KEPT: Final = "It counts until you leave: this conversation isn't written down."
NO_TEXTS: Final = "Nothing to compare: all the texts say exactly the same."
ALSO: Final = " = "

WINS: Final = "Wins"
FACTS: Final = "{tests} judged blind"
ANSWERS: Final = "★ Answers, by preset"
ALL_PRESETS: Final = "all of them"
NAMELESS: Final = "without a preset"
PROPOSALS: Final = "Proposals, by model"
COLUMNS: Final = ("won", "of", "share", "by chance")
NO_TESTS: Final = (
    "Nothing was judged so far. When an answer is there, {key} shows it and its best proposals"
    " without their names, in any order, and you choose."
)
UNDECIDED: Final = "Not counted: {count} in which none was better."
ABOUT: Final = (
    "Won is how often you picked it, of the tests that it stood in. By chance is the share that"
    " somebody gives it who picks without reading."
)


def answer_of(run: RunState) -> str:
    """Return whose the answer is: "★ merged by quill", "★ picked by quill", "★ voted"."""
    if run.votes:
        return f"{STAR} voted"
    merger = "" if run.aggregator is None else seat_name(run.aggregator.model)
    if run.chosen is not None:
        return f"{STAR} picked by {merger}" if merger else f"{STAR} the only proposal"
    return f"{STAR} merged by {merger}"


def picked(letter: str, names: str) -> str:
    """Return which text was picked and whose it is: "You picked B: ★ merged by quill."."""
    return f"You picked {letter}: {names}."


def so_far(known: Standings) -> str:
    """Return how answers fared: "So far ★, the mixture's answer, won 4 of 7 tests …"."""
    score = known.answers
    if not score.tests:
        return ""
    tests = "1 test" if score.tests == 1 else f"{score.tests} tests"
    return (
        f"So far {STAR}, the mixture's answer, won {score.wins} of {tests},"
        f" {share(score.wins, score.tests)}; by chance {share(score.chance, score.tests)}."
    )


def share(wins: float, tests: int) -> str:
    """Return a part of the tests in percent."""
    return f"{100 * wins / tests:.0f} %"


def model(name: str) -> str:
    """Return "endpoint/model" on a line."""
    return one_line(name, 120)
