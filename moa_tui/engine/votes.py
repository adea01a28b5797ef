"""Which short answers say the same, so that they can be counted as votes; how a choice went."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Final, TypeVar

from moa_tui.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from moa_tui.engine.state import RunState

_Voter = TypeVar("_Voter")

_LONGEST: Final = 2000
_WIDTHS: Final = ("<wide>", "<narrow>")
# Not inside a word or a power: snake_case_name, 2**3**2.
_EMPHASIS: Final = re.compile(
    r"(?<![0-9A-Za-z])(\*\*|__|\*|_|`)(?=\S)(.+?)(?<=\S)\1(?![0-9A-Za-z])"
)
_BOXED: Final = re.compile(r"\\boxed\s*\{((?:[^{}]|\{[^{}]*\})*)\}")
_CONCLUSION: Final = re.compile(
    r"(?:the |my )?(?:final )?answer(?:\s+is\b|\s*:)\s*:?\s*(?P<en>\S.*)"
    r"|(?:最终)?答案(?:是|为|\s*:)\s*:?\s*(?P<zh>\S.*)"
)
_THOUSANDS: Final = re.compile(r"(?<![\d,.])\d{1,3}(?:,\d{3})+(?![\d,])")
_ENDS: Final = ".,;:!?。、…"
_QUOTES: Final = "\"'“”‘’«»「」『』《》"
_PAIRS: Final = ("()", "[]", "【】", "$$")


def ballot(text: str) -> str:
    r"""Return what a short answer says, without how it is written.

    Case, width, spaces, Markdown's emphasis and headings, outer quotes and brackets, closing
    punctuation and the commas of 1,000 make no difference. Of a longer text the last ``\boxed{}``
    counts, else what a last line like "Answer: X" says. Of one that is too long to be a short
    answer only its end is looked at for these.
    """
    said = _plain(text[-_LONGEST:])
    boxed = _BOXED.findall(said)
    if boxed:
        said = boxed[-1]
    else:
        last = said.rstrip().rpartition("\n")[2].strip()
        if found := _CONCLUSION.fullmatch(last):
            said = found["en"] or found["zh"]
        elif len(text) > _LONGEST:
            return " ".join(text.split())
    bare = _bare(" ".join(said.split()))
    return _THOUSANDS.sub(lambda number: number[0].replace(",", ""), bare) or text.strip()


def groups(said: Iterable[tuple[_Voter, str]]) -> tuple[tuple[_Voter, ...], ...]:
    """Return who says the same, the largest group first, of equal ones that of the first voter."""
    found: dict[str, list[_Voter]] = {}
    for voter, text in said:
        found.setdefault(ballot(text), []).append(voter)
    return tuple(map(tuple, sorted(found.values(), key=len, reverse=True)))


def tally(votes: Sequence[Sequence[object]]) -> str:
    """Return how a vote went, in words, as "3 of 5 agree"; `groups` made the ``votes``."""
    total, most = sum(map(len, votes)), len(votes[0])
    if total == 1:
        return "the only proposal"
    if most == total:
        return "both agree" if total == 2 else f"all {total} agree"  # noqa: PLR2004 - both are two
    if most == 1:
        all_of_them = "both" if total == 2 else f"all {total}"  # noqa: PLR2004 - as above
        return f"{all_of_them} differ, the first one is taken"
    is_tie = len(votes[1]) == most
    return f"{most} of {total} agree" + (", a tie, the first one is taken" if is_tie else "")


def how_chosen(count: int, *, votes: Sequence[Sequence[object]] = (), judge: str = "") -> str:
    """Return in words how one of so many proposals was chosen: by `tally`, or by a judge's name."""
    if votes:
        return tally(votes)
    if judge:
        return f"picked from {count} by {judge}"
    return "the only proposal" if count == 1 else f"all {count} are the same"


def why_chosen(run: RunState) -> str:
    """Return the same of a run that ended with one of its proposals."""
    judge = "" if run.aggregator is None else run.aggregator.model.rpartition("/")[2]
    return how_chosen(len(run.references), votes=run.votes, judge=one_line(judge))


def _plain(text: str) -> str:
    """Return a text in one case and width, without Markdown's marks."""
    same = "".join(
        unicodedata.normalize("NFKC", character)
        if unicodedata.decomposition(character).startswith(_WIDTHS)
        else character
        for character in unicodedata.normalize("NFC", text)
    ).casefold()
    lines = (re.sub(r"^\s*#{1,6}\s+", "", line) for line in same.splitlines())
    plain, before = "\n".join(lines), ""
    while plain != before:  # emphasis stands within emphasis
        plain, before = _EMPHASIS.sub(r"\2", plain), plain
    return plain


def _bare(text: str) -> str:
    """Return a text without what stands around it."""
    before = ""
    while text != before:
        before = text
        text = text.strip().rstrip(_ENDS).strip(_QUOTES).strip()
        for opening, closing in _PAIRS:
            within = text[1:-1]
            is_around = text[:1] == opening and text[-1:] == closing
            if is_around and not (opening in within or closing in within):
                text = within
    return text
