"""What a report of a failure says, in one place so that it can be said in another language."""

from __future__ import annotations

from typing import Final

from moa_tui.ui.words import plural

WHAT: Final = "What happened"
WHAT_TO_DO: Final = "What to do"
REPORT: Final = "Report"
NO_SECRETS: Final = "no keys, no prompt, no answers in it"
NO_HINT: Final = "Nothing is known that would help. The report says what was tried."
THE_RUN: Final = "the run"
COPIED: Final = "report copied"
NO_CAUSE: Final = "failed"
LEFT_OUT: Final = "[left out]"
NO_SEATS: Final = "none was called"

HAPPENED: Final = "happened"
CAUSE: Final = "cause"
HINT: Final = "hint"
MODEL: Final = "model"
ENDPOINT: Final = "endpoint"
LIMITS: Final = "limits"
OPTIONS: Final = "options"
ATTEMPT: Final = "attempt"
TIMES: Final = "times"
MESSAGE: Final = "message"
NOTE: Final = "note"
SEATS: Final = "seats"


def seat_name(layer: int, number: int, role: str, model: str) -> str:
    """Return who failed: "proposer 1.2, groq/llama-3.3-70b"."""
    return f"{role} {layer}.{number}, {model}"


def title(who: str, cause: str) -> str:
    """Return the head of the dialog, behind its glyph."""
    return f"{who}: {cause}"


def facts(attempts: int, lasted: str) -> str:
    """Return how often it was tried and how long the last attempt took: "attempt 3 · 4.2s"."""
    return f"attempt {attempts} · {lasted}" if attempts > 1 else lasted


def times(started: str, first: str, ended: str) -> str:
    """Return when a seat did what, since the run's start; "" for what never came."""
    told = [f"asked at {started}"]
    told.append(f"first token at {first}" if first else "no token")
    if ended:
        told.append(f"ended at {ended}")
    return ", ".join(told)


def limits(connect: float, first: float, idle: float, total: float) -> str:
    """Return how long an endpoint may take, in seconds."""
    return (
        f"{connect:g} s to connect, {first:g} s to the first token,"
        f" {idle:g} s between two, {total:g} s in all"
    )


def own_texts(stops: int, *, has_system: bool) -> list[str]:
    """Return that there are texts of the user's, without them."""
    told = [plural(stops, "stop text")] if stops else []
    return [*told, "a system text"] if has_system else told
