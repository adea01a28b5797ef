"""A failure as a report that can be shown to others: what, where, when, but nothing private."""

from __future__ import annotations

import platform
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from moa_tui import __version__
from moa_tui.text import clean, one_line, redact
from moa_tui.ui import look
from moa_tui.ui import report_words as words
from moa_tui.ui.words import way_out

if TYPE_CHECKING:
    from collections.abc import Iterator

    from moa_tui.engine.mixture import Mixture
    from moa_tui.engine.provider import Endpoint
    from moa_tui.engine.state import RunState, SeatState

LABEL: Final = 10
"""Characters for what a line is about."""

_LONGEST: Final = 2000
_LOOKED_AT: Final = 20_000
_PRIVATE_FROM: Final = 20
"""How many characters in a row may not be the same as in a private text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A failure in words, which are clean and have no keys in them.

    ``lines`` are the report itself, as (what, what about it), below ``program``, which it ran in.
    """

    title: str
    facts: str
    message: str
    hint: str
    program: str
    lines: tuple[tuple[str, str], ...]

    @property
    def text(self) -> str:
        """What is copied."""
        rows = [f"{label:<{LABEL}}{text}" for label, text in self.lines]
        return "\n".join([self.program, *rows] if self.program else rows)


def report(
    state: RunState,
    seat: SeatState | None = None,
    *,
    endpoint: Endpoint | None = None,
    prompt: str = "",
    program: str = "",
) -> Report:
    """Return the report of a seat that failed, or of the run.

    ``endpoint`` is the seat's. ``prompt`` is only looked for, since a server may repeat it in what
    it says. ``program`` is the first line: `program_line`.
    """
    failed = state if seat is None else seat
    private = _private(state, prompt)
    what_to_do = way_out(state) if seat is None else seat.hint
    message, hint = (_safe(text, private) for text in (failed.message, what_to_do))
    cause = words.NO_CAUSE if failed.kind is None else look.cause(failed.kind)
    who = words.THE_RUN if seat is None else look.name_of(seat)
    lasted = look.lasted(state.t if seat is None else seat.seconds(state.t))
    lines = [
        (words.HAPPENED, f"{_who(seat)}: {failed.status}"),
        (words.CAUSE, cause if failed.kind is None else f"{failed.kind}, {cause}"),
        (words.MESSAGE, message),
        (words.HINT, hint),
        *_about_seat(state, seat, private),
        *_about_endpoint(endpoint),
        *_about_seats(state, seat, private),
    ]
    return Report(
        title=redact(one_line(words.title(who, cause))),
        facts=words.facts(1 if seat is None else seat.attempt, lasted),
        message=message or cause,
        hint=hint or words.NO_HINT,
        program=redact(one_line(program)),
        lines=tuple((label, redact(one_line(text, _LONGEST))) for label, text in lines if text),
    )


def program_line() -> str:
    """Return what runs here: "moa-tui 0.1.0, Python 3.11.2, Textual 8.2.8, Linux 6.1 x86_64"."""
    system = f"{platform.system()} {platform.release()} {platform.machine()}"
    python = f"Python {platform.python_version()}"
    return f"moa-tui {__version__}, {python}, Textual {version('textual')}, {system}"


def _who(seat: SeatState | None) -> str:
    if seat is None:
        return words.THE_RUN
    place = seat.seat
    return words.seat_name(place.layer, place.number, seat.role, one_line(seat.model))


def _about_seat(state: RunState, seat: SeatState | None, private: str) -> Iterator[tuple[str, str]]:
    if seat is None:
        return
    yield words.MODEL, one_line(seat.model)
    yield words.OPTIONS, _options(state.mixture, seat)
    yield words.ATTEMPT, str(seat.attempt)
    first, ended = ("" if at is None else look.lasted(at) for at in (seat.first_t, seat.ended_t))
    yield words.TIMES, words.times(look.lasted(seat.started_t), first, ended)
    for note in filter(None, (seat.step, *seat.notes)):
        yield words.NOTE, _safe(note, private)


def _about_endpoint(endpoint: Endpoint | None) -> Iterator[tuple[str, str]]:
    if endpoint is None:
        return
    # A URL's path and query may hold an account, its first part a password.
    host = urlsplit(endpoint.base_url).hostname or ""
    facts = (endpoint.name, endpoint.kind, host)
    yield words.ENDPOINT, ", ".join(one_line(fact) for fact in facts if fact)
    yield (
        words.LIMITS,
        words.limits(
            endpoint.connect_s, endpoint.first_token_limit_s, endpoint.idle_s, endpoint.total_s
        ),
    )


def _about_seats(
    state: RunState, told: SeatState | None, private: str
) -> Iterator[tuple[str, str]]:
    seats = [seat for _, seat in sorted(state.seats.items())]
    if not seats:
        yield words.SEATS, words.NO_SEATS
    for number, seat in enumerate(seats):
        is_told = told is not None and told.seat == seat.seat
        why = f": {_safe(seat.message, private)}" if seat.message and not is_told else ""
        how = f"{seat.status}, {look.lasted(seat.seconds(state.t))}{why}"
        yield (words.SEATS if number == 0 else "", f"{_who(seat)}: {how}")


def _options(mixture: Mixture | None, seat: SeatState) -> str:
    """Return how the seat's model is asked; texts of the user's are only counted."""
    if mixture is None:
        return ""
    agents = mixture.seating().get(seat.seat, ())
    agent = next((agent for agent in agents if agent.model == seat.model), None)
    if agent is None:
        return ""
    options = asdict(mixture.options_for(agent))
    stops = options.pop("stop")
    told = [
        f"{name} {one_line(str(value))}" for name, value in options.items() if value is not None
    ]
    has_system = bool(agent.system or mixture.system)
    return ", ".join([*told, *words.own_texts(len(stops), has_system=has_system)])


def _private(state: RunState, prompt: str) -> str:
    """Return what no report may have in it, a line each."""
    texts = [prompt, state.answer]
    for seat in state.seats.values():
        texts += [str(seat.text), str(seat.thinking)]
    mixture = state.mixture
    if mixture is not None:
        texts += [mixture.system, mixture.aggregator.instruction]
        texts += [agent.system or "" for agent in mixture.agents]
    return "\n".join(" ".join(clean(text[:_LOOKED_AT]).split()) for text in texts)


def _safe(text: str, private: str) -> str:
    """Return on one line what a server said, without keys and without what it repeats."""
    return _without(one_line(redact(text), _LONGEST), private)


def _without(line: str, private: str) -> str:
    """Return a line without the runs of characters that stand in the private text too."""
    kept, at = [], 0
    while at < len(line):
        end = at + _PRIVATE_FROM
        if end > len(line) or line[at:end] not in private:
            kept.append(line[at])
            at += 1
            continue
        while end < len(line) and line[at : end + 1] in private:
            end += 1
        kept.append(words.LEFT_OUT)
        at = end
    return "".join(kept)
