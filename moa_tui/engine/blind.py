"""Judging without names: which texts stand in a blind test, and what many tests add up to."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from moa_tui.engine.mixture import Seat

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable, Mapping, Sequence

    from moa_tui.engine.events import SeatRole
    from moa_tui.engine.state import RunState, SeatState

MOST_TEXTS: Final = 4
"""Texts that one test compares: more than that nobody reads with care."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A seat's part in a test: which text was its own, counted from 1 in the order shown.

    Seats that said exactly the same share a text. ``role`` "aggregator" is the run's answer,
    whoever wrote it. Of a text that was picked every entry is.
    """

    text: int
    seat: Seat
    role: SeatRole
    model: str
    is_picked: bool = False


@dataclass(frozen=True, slots=True)
class Candidate:
    """A text to judge, and whose it is."""

    text: str
    entries: tuple[Entry, ...]

    @property
    def is_answer(self) -> bool:
        """Whether it is what the run answered."""
        return any(entry.role == "aggregator" for entry in self.entries)


@dataclass(frozen=True, slots=True)
class Judged:
    """A test that was made: of which preset's run ("" if it had no name), and who stood in it."""

    preset: str
    entries: tuple[Entry, ...]

    @property
    def picked(self) -> int | None:
        """Which text was picked, from 1; None: none of them was better."""
        return next((entry.text for entry in self.entries if entry.is_picked), None)

    @property
    def texts(self) -> int:
        """How many texts were compared."""
        return len({entry.text for entry in self.entries})


@dataclass(frozen=True, slots=True)
class Score:
    """How often somebody stood in a test with a winner, won it, and would have won by chance."""

    name: str
    tests: int
    wins: int
    chance: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Standings:
    """What tests add up to, the most wins first.

    ``presets`` are the answers of each preset, ``models`` the proposals of each model.
    ``undecided`` tests had no winner, and count nowhere else.
    """

    tests: int = 0
    undecided: int = 0
    presets: tuple[Score, ...] = ()
    models: tuple[Score, ...] = ()

    @property
    def answers(self) -> Score:
        """The answers of all presets together."""
        return Score(
            "",
            sum(score.tests for score in self.presets),
            sum(score.wins for score in self.presets),
            sum(score.chance for score in self.presets),
        )


def can_judge(run: RunState) -> bool:
    """Return whether a run that is over has two texts, which may be alike; cheap."""
    return run.status != "running" and len(_proposals(run)) + bool(_answer(run)) > 1


def candidates(
    run: RunState, shares: Mapping[int, float], chance: random.Random
) -> tuple[Candidate, ...]:
    """Return the run's answer and its best proposals in random order; fewer than two is no test.

    The best are those with the largest ``shares`` of the answer, by seat number. Without any they
    are drawn: nobody has judged them yet.
    """
    proposals = _proposals(run)
    chance.shuffle(proposals)
    # Sorting is stable: those that nothing tells apart stay as they were drawn.
    proposals.sort(key=lambda seat: -shares.get(seat.seat.number, 0.0))
    whose: dict[str, list[tuple[Seat, SeatRole, str]]] = defaultdict(list)
    if answer := _answer(run):
        merger = run.aggregator
        seat = Seat(1 + max(layer.layer for layer in run.layers), 1)
        whose[answer].append((seat, "aggregator", "" if merger is None else merger.model))
    for seat_state in proposals:
        text = str(seat_state.text).strip()
        if text and (text in whose or len(whose) < MOST_TEXTS):
            whose[text].append((seat_state.seat, "proposer", seat_state.model))
    texts = list(whose)
    chance.shuffle(texts)
    return tuple(
        Candidate(text, tuple(Entry(number, *seat) for seat in sorted(whose[text])))
        for number, text in enumerate(texts, 1)
    )


def _answer(run: RunState) -> str:
    return run.answer.strip() if run.status == "done" else ""


def _proposals(run: RunState) -> list[SeatState]:
    """Return the whole proposals that the answer was made of; without one, the last layer's."""
    of_answer = [run.seats[seat] for seat in run.references]
    layer = run.layers[-1].layer if run.layers else 0
    found = of_answer or run.layer_seats(layer)
    # Whether a text is more than blanks is looked at when it is wanted: keys ask often.
    return [seat for seat in found if seat.status == "done" and seat.text]


def standings(tests: Iterable[Judged]) -> Standings:
    """Return what tests add up to.

    A preset or model that stands in a test with several texts wins if one of them is picked, and
    would have done so by chance in as many of the texts as are its own.
    """
    every = list(tests)
    decided = [test for test in every if test.picked is not None]
    presets, models = _Table(), _Table()
    for test in decided:
        models.add(test, ((one.model, one) for one in test.entries if one.role == "proposer"))
        merged = (one for one in test.entries if one.role == "aggregator")
        presets.add(test, ((test.preset, one) for one in merged))
    return Standings(
        tests=len(every),
        undecided=len(every) - len(decided),
        presets=presets.scores(),
        models=models.scores(),
    )


class _Table:
    def __init__(self) -> None:
        self._tests: Counter[str] = Counter()
        self._wins: Counter[str] = Counter()
        self._chance: dict[str, float] = defaultdict(float)

    def add(self, test: Judged, named: Iterable[tuple[str, Entry]]) -> None:
        """Count a test for everybody who stands in it."""
        texts: dict[str, set[int]] = defaultdict(set)
        for name, entry in named:
            texts[name].add(entry.text)
        for name, own in texts.items():
            self._tests[name] += 1
            self._wins[name] += test.picked in own
            self._chance[name] += len(own) / test.texts

    def scores(self) -> tuple[Score, ...]:
        """Return everybody's score."""
        found = (
            Score(name, tests, self._wins[name], self._chance[name])
            for name, tests in self._tests.items()
        )
        return tuple(sorted(found, key=lambda score: (-score.wins, score.tests, score.name)))


def entries_of(shown: Sequence[Candidate], picked: int | None) -> tuple[Entry, ...]:
    """Return who stood in a test once a text was picked, from 1; None: none is better."""
    return tuple(
        replace(entry, is_picked=entry.text == picked)
        for candidate in shown
        for entry in candidate.entries
    )


def shown_again(run: RunState, entries: Iterable[Entry]) -> tuple[Candidate, ...]:
    """Return the texts of a test that was made, in the order shown; what is lost is left out."""
    whose: dict[int, list[Entry]] = defaultdict(list)
    texts: dict[int, str] = {}
    for entry in entries:
        seat = run.seats.get(entry.seat)
        if entry.role == "aggregator":
            texts[entry.text] = _answer(run)
        elif seat is not None:
            texts.setdefault(entry.text, str(seat.text).strip())
        whose[entry.text].append(entry)
    return tuple(Candidate(texts[text], tuple(whose[text])) for text in sorted(texts))
