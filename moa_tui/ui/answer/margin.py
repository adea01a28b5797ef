"""What stands beside an answer: whose words each sentence has, and how much is from whom.

Pure: an attribution and a palette in, segments without a ground out.
"""

from __future__ import annotations

import html
import re
from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING, Final

from rich.segment import Segment

from moa_tui.engine.sentences import sentences
from moa_tui.ui import look
from moa_tui.ui.rows import joined

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from moa_tui.engine.attribution import Agreement, Attribution, Sentence
    from moa_tui.ui.look import Palette

WIDEST_MARK: Final = 7
"""Cells that no mark is wider than."""

NEW: Final = "new"
ALL: Final = "all {count}"
ONLY: Final = "only "
SOME: Final = "{count} of {all}"
SOME_SHORT: Final = "{count}/{all}"
SAY_THE_SAME: Final = " say the same in {same} of {sentences} sentences"
AND: Final = " and "
NO_TWO: Final = "no two say the same"
ALONE: Final = ("; ", " agrees with none", " agree with none")

_MOST_NUMBERS: Final = 3
_FEW: Final = 2
# How much of a sentence's beginning is looked for, in letters: less where a table parts it. What
# is drawn after a link's text isn't the sentence's.
_BEGINNINGS: Final = (48, 16, 8)
_LINK_TARGET: Final = re.compile(r"\]\([^()\n]{0,300}\)")


class Margin:
    """The marks beside an answer, found by what its rows say, however they are wrapped."""

    def __init__(self, answer: str, attribution: Attribution, palette: Palette) -> None:
        self._palette = palette
        self._proposals = len(attribution.shares)
        # By its words, since a block doesn't know its place in the answer; the same words have
        # the same sources.
        self._known: Mapping[str, Sentence] = {
            _letters(answer[sentence.start : sentence.end]): sentence
            for sentence in attribution.sentences
        }

    def margin_for(self, block_source: str, rows: Sequence[str]) -> list[Sequence[Segment]]:
        """Return for each drawn row of a block what to right-align in the margin beside it.

        It stands where a sentence begins; of two that begin in one row, the first one's.
        """
        marks: list[Sequence[Segment]] = [()] * len(rows)
        if not self._proposals or not self._known:
            return marks
        drawn = [_letters(row) for row in rows]
        shown = "".join(drawn)
        ends = list(accumulate(map(len, drawn)))
        at = 0
        for span in sentences(block_source):
            said = block_source[span.start : span.end]
            letters = _letters(said)
            lengths = (len(letters), *_BEGINNINGS, len(_letters(said.partition("](")[0])))
            start, length = _found(shown, letters, lengths, at=at)
            if start < 0:
                continue
            at = start + length
            row = bisect_right(ends, start)
            sentence = self._known.get(letters)
            if sentence is not None and not marks[row]:
                marks[row] = mark(sentence, self._proposals, self._palette)
        return marks


def _letters(text: str) -> str:
    """Return what is the same in Markdown and in the rows drawn from it: letters and digits."""
    unlinked = _LINK_TARGET.sub("]", html.unescape(text))
    return "".join(filter(str.isalnum, unlinked.casefold()))


def _found(shown: str, letters: str, lengths: Sequence[int], *, at: int) -> tuple[int, int]:
    """Return where a sentence begins and how long what was found of it is; -1 for nowhere."""
    for length in lengths:
        beginning = letters[:length]
        start = shown.find(beginning, at) if beginning else -1
        if start >= 0:
            return start, len(beginning)
    return -1, 0


def mark(sentence: Sentence, proposals: int, palette: Palette) -> list[Segment]:
    """Return whose words a sentence has, in at most `WIDEST_MARK` cells.

    ``proposals`` is how many there are to choose from.
    """
    seats = sentence.seats
    if not seats:
        return [Segment(NEW, palette.muted + look.ITALIC)]
    # With two, their numbers say it as shortly.
    if len(seats) == proposals > _FEW:
        return [Segment(ALL.format(count=proposals), palette.muted)]
    if sentence.is_lone and proposals > 1:
        return [Segment(ONLY, palette.muted), _number(seats[0], palette)]
    numbers = joined([[_number(seat, palette)] for seat in seats], Segment(" "))
    if len(seats) <= _MOST_NUMBERS and look.cells(numbers) <= WIDEST_MARK:
        return numbers
    for words in (SOME, SOME_SHORT):
        text = words.format(count=len(seats), all=proposals)
        if len(text) <= WIDEST_MARK:
            break
    return [Segment(text, palette.muted)]


def share_words(share: float | None, palette: Palette) -> list[Segment]:
    """Return a proposal's part of the answer, 0 to 1, like " 31 % of ★"; always 10 cells."""
    figure = look.DASH if share is None else str(round(share * 100))
    return [
        Segment(f"{figure:>3} %", palette.ink + look.BOLD),
        Segment(" of ", palette.muted),
        Segment(look.STAR, palette.aggregator),
    ]


def agreement_words(agreement: Agreement, palette: Palette) -> list[Segment]:
    """Return which two proposals agree most and who agrees with none; nothing for fewer than two.

    Like "2 and 4 say the same in 5 of 8 sentences; 3 agrees with none".
    """
    if not agreement.pairs:
        return []
    closest = agreement.pairs[0]
    if not closest.same:
        return [Segment(NO_TWO, palette.ink)]
    said = SAY_THE_SAME.format(same=closest.same, sentences=closest.sentences)
    words = [*_listed(closest.seats, palette), Segment(said, palette.ink)]
    if agreement.alone:
        before, one, more = ALONE
        after = one if len(agreement.alone) == 1 else more
        others = _listed(agreement.alone, palette)
        words += [Segment(before, palette.ink), *others, Segment(after, palette.ink)]
    return words


def _listed(seats: Sequence[int], palette: Palette) -> list[Segment]:
    """Return numbers as a list in words: 1, 2 and 4."""
    last = len(seats) - 1
    words: list[Segment] = []
    for place, seat in enumerate(seats):
        if place:
            words.append(Segment(AND if place == last else ", ", palette.ink))
        words.append(_number(seat, palette))
    return words


def _number(seat: int, palette: Palette) -> Segment:
    return Segment(str(seat), palette.seat(seat) + look.BOLD)
