"""The rows of the blind test and of its wins: whose a text is, how it ended, how all ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rich.cells import cell_len
from rich.segment import Segment

from moa_tui.text import one_line
from moa_tui.ui import look
from moa_tui.ui.dialogs import blind_words as words
from moa_tui.ui.rows import joined, section, wrapped

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from rich.style import Style
    from textual.strip import Strip

    from moa_tui.engine.blind import Candidate, Entry, Score, Standings
    from moa_tui.engine.mixture import Seat

    Row = list[Segment]

_FIGURES: Final = (5, 5, 8, 11)
_LONGEST_NAME: Final = 60


@dataclass(frozen=True, slots=True)
class Revealed:
    """How a test ended: who stood in it, what they are called, and what all tests add up to.

    ``is_kept``: it is written down.
    """

    shown: tuple[Candidate, ...]
    names: Mapping[Seat, str]
    standings: Standings
    is_kept: bool

    @property
    def winner(self) -> Candidate | None:
        """The text that was picked, None where none was better."""
        return next((one for one in self.shown if one.entries[0].is_picked), None)


def whose(
    entries: Iterable[Entry],
    names: Mapping[Seat, str],
    palette: look.Palette,
    *,
    star: Style = look.BOLD,
) -> list[Segment]:
    """Return who wrote a text: the chip and name of every seat, the aggregator's ``star``."""
    told: list[Row] = []
    for entry in entries:
        name = one_line(names.get(entry.seat, entry.model), _LONGEST_NAME)
        if entry.role == "aggregator":
            told.append([Segment(name, star + look.BOLD)])
        else:
            told.append([palette.chip(entry.seat.number), Segment(f" {name}", look.BOLD)])
    return joined(told, Segment(words.ALSO))


def head(
    place: int,
    revealed: Revealed | None,
    *,
    width: int,
    palette: look.Palette,
    is_focused: bool,
    glyph: str = "",
) -> Strip:
    """Return the head of a text: its letter, and once it is known whose it is."""
    ground = palette.focus_head if is_focused else palette.head
    ink = palette.focus_ink if is_focused else palette.head_ink
    left = [Segment(f" {glyph}{words.LETTERS[place]}  ", ink + look.BOLD)]
    right: Row = []
    if revealed is not None:
        candidate = revealed.shown[place]
        star = ink
        if candidate.is_answer and not is_focused:
            ground, star = palette.aggregator_head, palette.aggregator
        left += [
            Segment(text, ink + (style or look.BOLD))
            for text, style, _ in whose(candidate.entries, revealed.names, palette, star=star)
        ]
        if candidate is revealed.winner:
            tick = f"{look.GLYPHS['done']} {words.PICKED} "
            right = [Segment(tick, ink + look.BOLD)]
    return look.row(left, right, width=width, ground=ground)


def verdict(revealed: Revealed | None, width: int, palette: look.Palette) -> list[Row]:
    """Return what stands below the texts."""
    if revealed is None:
        return wrapped([Segment(words.READ_FIRST, palette.muted)], width)
    winner = revealed.winner
    told = [Segment(words.NONE_PICKED, palette.bright + look.BOLD)]
    if winner is not None:
        letter = words.LETTERS[revealed.shown.index(winner)]
        names = _plain(whose(winner.entries, revealed.names, palette))
        told = [Segment(words.picked(letter, names), palette.bright + look.BOLD)]
    so_far = words.so_far(revealed.standings)
    kept = "" if revealed.is_kept else words.NOT_KEPT
    rest = [Segment(text, palette.muted) for text in (so_far, kept) if text]
    return [row for part in ([*told], *([one] for one in rest)) for row in wrapped(part, width)]


def _plain(segments: Iterable[Segment]) -> str:
    return " ".join("".join(segment.text for segment in segments).split())


def wins(known: Standings, key: str, width: int, palette: look.Palette) -> Iterator[Row]:
    """Yield the rows of what tests add up to; ``key`` is that of the blind test."""
    if not known.tests:
        yield from wrapped([Segment(words.NO_TESTS.format(key=key), palette.ink)], width)
        return
    if known.answers.tests:
        yield list(section(words.ANSWERS, _heads(), width=width, palette=palette))
        if len(known.presets) > 1:
            yield _score(words.ALL_PRESETS, known.answers, width, palette, is_strong=True)
        for score in known.presets:
            yield _score(score.name or words.NAMELESS, score, width, palette)
        yield []
    if known.models:
        yield list(section(words.PROPOSALS, _heads(), width=width, palette=palette))
        for score in known.models:
            yield _score(words.model(score.name), score, width, palette)
        yield []
    if known.undecided:
        undecided = words.UNDECIDED.format(count=known.undecided)
        yield from wrapped([Segment(undecided, palette.muted)], width)
    yield from wrapped([Segment(words.ABOUT, palette.muted)], width)


def _heads() -> str:
    return "".join(
        f"{name:>{cells}}" for name, cells in zip(words.COLUMNS, _FIGURES, strict=True)
    ).strip()


def _score(
    name: str, score: Score, width: int, palette: look.Palette, *, is_strong: bool = False
) -> Row:
    won, of, share, by_chance = _FIGURES
    figures = [
        Segment(f"{score.wins:>{won}}", palette.bright + look.BOLD),
        Segment(f"{score.tests:>{of}}", palette.ink),
        Segment(f"{words.share(score.wins, score.tests):>{share}}", palette.ink),
        Segment(f"{words.share(score.chance, score.tests):>{by_chance}}", palette.muted),
    ]
    room = max(0, width - look.cells(figures))
    said = look.clip(f" {one_line(name, _LONGEST_NAME * 2)}", room)
    ink = palette.ink + look.BOLD if is_strong else palette.ink
    return [Segment(said, ink), Segment(" " * (room - cell_len(said))), *figures]
