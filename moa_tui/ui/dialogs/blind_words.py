"""What the blind test and its wins say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from moa_tui.text import one_line
from moa_tui.ui.look import STAR, seat_name

if TYPE_CHECKING:
    from moa_tui.engine.blind import Entry, Standings

LETTERS: Final = "ABCD"
TITLE: Final = "Blind test"
WHICH: Final = "which would you rather have got?"
OVER: Final = "this is who wrote them"
READ_FIRST: Final = "Read them, then choose. Who wrote which is told afterwards."
PICKED: Final = "your pick"
NONE_PICKED: Final = "None of them was better."
NOT_KEPT: Final = "Not kept: this conversation isn't written down."
NO_TEXTS: Final = "Nothing to compare: all the texts say exactly the same."
ALSO: Final = " = "

WINS: Final = "Wins"
FACTS: Final = "{tests} judged blind"
MERGED: Final = "Merged answers"
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


def merged_by(entry: Entry) -> str:
    """Return who merged: "★ merged by quill"."""
    merger = seat_name(entry.model)
    return f"{STAR} merged by {merger}" if merger else f"{STAR} the answer"


def verdict(picked: tuple[Entry, ...], names: str) -> str:
    """Return which text was picked and whose it is: "You picked B: ★ merged by quill."."""
    if not picked:
        return NONE_PICKED
    return f"You picked {LETTERS[picked[0].text - 1]}: {names}."


def so_far(known: Standings) -> str:
    """Return how merged answers fared: "So far you picked the merged answer in 4 of 7 …"."""
    score = known.answers
    if not score.tests:
        return ""
    tests = "1 test" if score.tests == 1 else f"{score.tests} tests"
    return (
        f"So far you picked the merged answer in {score.wins} of {tests},"
        f" {share(score.wins, score.tests)}; by chance {share(score.chance, score.tests)}."
    )


def share(wins: float, tests: int) -> str:
    """Return a part of the tests in percent."""
    return f"{100 * wins / tests:.0f} %"


def model(name: str) -> str:
    """Return "endpoint/model" on a line."""
    return one_line(name, 120)
