"""A run's events as rows: a text and a timing record for each attempt, facts for all else.

A timing record says for every delta its number, time, length and pieces, so that the text can be
cut again where it was cut when it arrived.
"""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass, field, replace
from itertools import accumulate
from typing import TYPE_CHECKING, Any, TypeAlias

from moa_tui.engine.cost import total
from moa_tui.engine.events import (
    Event,
    RunFailed,
    RunFinished,
    RunStarted,
    SeatFailed,
    SeatFinished,
    SeatRetrying,
    SeatStarted,
    SeatSwapped,
    TextDelta,
    TextRelabelled,
    ThinkingDelta,
)
from moa_tui.engine.mixture import Agent, Seat
from moa_tui.engine.state import state_after
from moa_tui.storage import words
from moa_tui.storage.plain import event_of, plain, with_mixture

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from moa_tui.engine.mixture import Mixture
    from moa_tui.engine.provider import Options, Usage
    from moa_tui.storage.records import AttemptEnd, RunEnd

Key: TypeAlias = tuple[Seat, int]
"""A seat and the number of its attempt."""

_TEXT, _THINKING, _RELABEL = 0, 1, 2
_MICRO = 1_000_000


@dataclass(slots=True)
class Attempt:
    """One try of a seat; ``options`` is None where the mixture doesn't say how it was asked."""

    seat: Seat
    attempt: int
    role: str = "proposer"
    model: str = ""
    label: str = ""
    options: Options | None = None
    status: AttemptEnd = "live"
    text: str = ""
    thinking: str = ""
    usage: Usage | None = None
    reason: str = ""
    kind: str = ""
    message: str = ""
    hint: str = ""
    started_t: float = 0.0
    ttft_s: float | None = None
    seconds: float | None = None
    timing: bytes = b""


@dataclass(slots=True, kw_only=True)
class Folded:
    """A whole run as it is stored; ``facts`` are its other events as plain data, in order."""

    status: RunEnd = "live"
    seconds: float | None = None
    answer: str = ""
    kind: str = ""
    message: str = ""
    usage: Usage | None = None
    attempts: dict[Key, Attempt] = field(default_factory=dict)
    facts: list[dict[str, Any]] = field(default_factory=list)


@dataclass(slots=True)
class _Words:
    """The deltas of one attempt: when they came, and the texts that they are now part of."""

    entries: list[tuple[int, int, int, int, int]] = field(default_factory=list)
    text: list[str] = field(default_factory=list)
    thinking: list[str] = field(default_factory=list)

    def add(self, event: TextDelta | ThinkingDelta | TextRelabelled) -> None:
        t = round(event.t * _MICRO)
        if isinstance(event, TextRelabelled):
            self.entries.append((_RELABEL, event.n, t, 0, 0))
            self.thinking += self.text
            self.text = []
            return
        is_text = isinstance(event, TextDelta)
        kind = _TEXT if is_text else _THINKING
        self.entries.append((kind, event.n, t, len(event.text), event.pieces))
        (self.text if is_text else self.thinking).append(event.text)

    def timing(self) -> bytes:
        if not self.entries:
            return b""
        kinds, numbers, times, lengths, pieces = map(list, zip(*self.entries, strict=True))
        columns = [kinds, _steps(numbers), _steps(times), lengths, pieces]
        return zlib.compress(json.dumps(columns, separators=(",", ":")).encode())


def fold(events: Sequence[Event], mixture: Mixture) -> Folded:
    """Return the rows of a run's events; one that has no end is closed as interrupted."""
    folding = _Folding(mixture.expanded())
    is_over = bool(events) and isinstance(events[-1], RunFinished | RunFailed)
    for event in events if is_over else [*events, *_closing(events, mixture)]:
        folding.add(event)
    return folding.done(is_interrupted=not is_over)


def unfinished_seats(events: Iterable[Event]) -> tuple[Seat, ...]:
    """Return the seats that have not ended when these events have happened."""
    return tuple(sorted(seat.seat for seat in state_after(events).seats.values() if seat.is_live))


def _closing(events: Sequence[Event], mixture: Mixture) -> list[Event]:
    """Return the events that end a run whose own end never came."""
    n, t = (events[-1].n, events[-1].t) if events else (0, 0.0)
    end: list[Event] = []
    if not events:
        end.append(RunStarted(n=1, t=t, mixture=mixture.expanded()))
        n = 1
    state = state_after(events)
    # What the others had cost by then nobody knows here.
    usage = total(state.spent) if state.spent else None
    for seat in state.seats.values():
        if seat.is_live:
            n += 1
            end.append(
                SeatFailed(
                    n=n,
                    t=t,
                    seat=seat.seat,
                    attempt=seat.attempt,
                    kind="stopped",
                    message=words.INTERRUPTED,
                    text=str(seat.text),
                )
            )
    return [*end, RunFailed(n=n + 1, t=t, kind="stopped", message=words.INTERRUPTED, usage=usage)]


class _Folding:
    def __init__(self, mixture: Mixture) -> None:
        self._mixture = mixture
        self._run = Folded()
        self._words: dict[Key, _Words] = {}
        self._last: dict[Seat, Attempt] = {}

    def add(self, event: Event) -> None:
        match event:
            case TextDelta() | ThinkingDelta() | TextRelabelled():
                self._of(event.seat, event.attempt, event.t)
                self._words[event.seat, event.attempt].add(event)
                return
            case SeatStarted() | SeatSwapped() | SeatRetrying() | SeatFinished() | SeatFailed():
                self._add_of_seat(event)
            case RunFinished():
                self._run.status, self._run.answer = "done", event.answer
                self._run.usage, self._run.seconds = event.usage, event.seconds
            case RunFailed():
                self._run.status = "stopped" if event.kind == "stopped" else "failed"
                self._run.kind, self._run.message = event.kind, event.message
                self._run.usage, self._run.seconds = event.usage, event.t
        self._run.facts.append(self._fact(event))

    def done(self, *, is_interrupted: bool) -> Folded:
        for key, attempt in self._run.attempts.items():
            said = self._words[key]
            attempt.timing = said.timing()
            if attempt.timing:
                attempt.text, attempt.thinking = "".join(said.text), "".join(said.thinking)
            if is_interrupted and attempt.message == words.INTERRUPTED:
                attempt.status = "interrupted"
        if is_interrupted:
            self._run.status = "interrupted"
        return self._run

    def _add_of_seat(
        self, event: SeatStarted | SeatSwapped | SeatRetrying | SeatFinished | SeatFailed
    ) -> None:
        attempt = self._of(event.seat, event.attempt, event.t)
        match event:
            case SeatStarted():
                attempt.role, attempt.model, attempt.label = event.role, event.model, event.label
                attempt.options = self._options(event.seat, event.model)
                attempt.started_t = event.t
            case SeatSwapped():
                attempt.model = event.model
            case SeatRetrying():
                attempt.status, attempt.seconds = "retried", event.t - attempt.started_t
                attempt.kind, attempt.message = event.kind, event.message
            case SeatFinished():
                attempt.status = "late" if event.reason == "late" else "done"
                attempt.text, attempt.thinking = event.text, event.thinking
                attempt.reason, attempt.usage = event.reason, event.usage
                attempt.ttft_s, attempt.seconds = event.ttft_s, event.seconds
            case SeatFailed():
                attempt.status = "stopped" if event.kind == "stopped" else "failed"
                attempt.text, attempt.seconds = event.text, event.t - attempt.started_t
                attempt.kind, attempt.message, attempt.hint = event.kind, event.message, event.hint
                attempt.usage = event.usage

    def _of(self, seat: Seat, number: int, t: float) -> Attempt:
        """Return an attempt; one that a retry began has no start of its own."""
        known = self._run.attempts.get((seat, number))
        if known is not None:
            return known
        before = self._last.get(seat)
        fresh = Attempt(seat, number, started_t=t)
        if before is not None:
            fresh.role, fresh.model, fresh.label = before.role, before.model, before.label
            fresh.options = before.options
        self._run.attempts[seat, number] = self._last[seat] = fresh
        self._words[seat, number] = _Words()
        return fresh

    def _options(self, seat: Seat, model: str) -> Options | None:
        seated = self._mixture.seating().get(seat, ())
        agents: list[Agent] = [*seated, *self._mixture.agents]
        agent = next((one for one in agents if one.model == model), None)
        return None if agent is None else self._mixture.options_for(agent)

    def _fact(self, event: Event) -> dict[str, Any]:
        """Return the event as plain data, without what the rows say already."""
        fact = with_mixture(plain(event), event)
        match event:
            case RunStarted() if event.mixture == self._mixture:
                fact["mixture"] = None
            case RunFinished():
                fact["answer"] = None
            case SeatFinished():
                said = self._words[event.seat, event.attempt]
                is_streamed = bool(said.entries)
                if not is_streamed or "".join(said.text) == event.text:
                    fact["text"] = None
                if not is_streamed or "".join(said.thinking) == event.thinking:
                    fact["thinking"] = None
            case SeatFailed():
                said = self._words[event.seat, event.attempt]
                if not said.entries or "".join(said.text) == event.text:
                    fact["text"] = None
        return fact


def unfold(folded: Folded, mixture: Mixture, *, is_sliced: bool) -> list[Event]:
    """Return the run's events, in order.

    ``is_sliced``: with every delta as it came; else each attempt has one delta a kind, at the time
    of its first one, and what was relabelled is thinking from the start.

    Raises:
        StoreError: the rows are damaged.
    """
    events = [_event(fact, folded, mixture) for fact in folded.facts]
    for attempt in folded.attempts.values():
        events += _deltas(attempt, is_sliced=is_sliced)
    return sorted(events, key=lambda event: event.n)


def _event(fact: dict[str, Any], folded: Folded, mixture: Mixture) -> Event:
    match fact["event"]:
        case "run_started" if fact["mixture"] is None:
            seed = fact.get("seed") if isinstance(fact.get("seed"), int) else None
            return RunStarted(n=fact["n"], t=fact["t"], mixture=mixture.expanded(), seed=seed)
        case "run_finished":
            return event_of({**fact, "answer": folded.answer})
        case "seat_finished" | "seat_failed":
            seat, number = Seat(*fact["seat"]), fact["attempt"]
            # A damaged file may have lost the row.
            attempt = folded.attempts.get((seat, number)) or Attempt(seat, number)
            said = {"text": attempt.text, "thinking": attempt.thinking}
            kept = {key: value for key, value in fact.items() if value is not None}
            return event_of({**fact, **said, **kept})
        case _:
            return event_of(fact)


@dataclass(frozen=True, slots=True)
class _Piece:
    """A delta as it came; ``text`` is filled in from the whole text."""

    is_text: bool
    n: int
    t: float
    length: int
    pieces: int
    text: str = ""


def _deltas(attempt: Attempt, *, is_sliced: bool) -> list[Event]:
    if not attempt.timing:
        return []
    relabels: list[TextRelabelled] = []
    text: list[_Piece] = []
    thinking: list[_Piece] = []
    columns = json.loads(zlib.decompress(attempt.timing))
    kinds, numbers, times, lengths, pieces = columns
    rows = zip(kinds, accumulate(numbers), accumulate(times), lengths, pieces, strict=True)
    whose: dict[str, Any] = {"seat": attempt.seat, "attempt": attempt.attempt}
    for kind, n, t, length, count in rows:
        if kind == _RELABEL:
            relabels.append(TextRelabelled(n=n, t=t / _MICRO, **whose))
            thinking += text
            text = []
        else:
            piece = _Piece(kind == _TEXT, n, t / _MICRO, length, count)
            (text if kind == _TEXT else thinking).append(piece)
    if is_sliced:
        cut = [*_cut(text, attempt.text), *_cut(thinking, attempt.thinking)]
        return [*relabels, *(_delta(piece, whose) for piece in cut)]
    merged = [_merged(text, attempt.text, is_text=True)] if text else []
    merged += [_merged(thinking, attempt.thinking, is_text=False)] if thinking else []
    return [_delta(piece, whose) for piece in merged]


def _cut(pieces: Sequence[_Piece], whole: str) -> list[_Piece]:
    ends = accumulate(piece.length for piece in pieces)
    return [
        replace(piece, text=whole[end - piece.length : end])
        for piece, end in zip(pieces, ends, strict=True)
    ]


def _merged(pieces: Sequence[_Piece], whole: str, *, is_text: bool) -> _Piece:
    first = min(pieces, key=lambda piece: piece.n)
    count = sum(piece.pieces for piece in pieces)
    return _Piece(is_text, first.n, first.t, len(whole), count, whole)


def _delta(piece: _Piece, whose: dict[str, Any]) -> Event:
    kind = TextDelta if piece.is_text else ThinkingDelta
    return kind(n=piece.n, t=piece.t, text=piece.text, pieces=piece.pieces, **whose)


def _steps(values: Sequence[int]) -> list[int]:
    return [value - before for before, value in zip((0, *values), values, strict=False)]
