"""Seats in every state, for tests that look at them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from moa_tui.engine.mixture import Seat
from moa_tui.engine.provider import Usage
from moa_tui.engine.state import Log, SeatState

if TYPE_CHECKING:
    from moa_tui.errors import FailureKind


def waiting(number: int = 1, model: str = "ollama/qwen3:4b") -> SeatState:
    return SeatState(seat=Seat(1, number), role="proposer", model=model, status="connecting")


def streaming(text: str, number: int = 1, *, pieces: int = 212) -> SeatState:
    return replace(
        waiting(number), status="streaming", text=Log().appended(text), pieces=pieces, first_t=0.4
    )


def grown(seat: SeatState, text: str, *, pieces: int = 1) -> SeatState:
    return replace(seat, text=seat.text.appended(text), pieces=seat.pieces + pieces)


def thinking(text: str, number: int = 1, *, pieces: int = 148) -> SeatState:
    log = Log().appended(text)
    return replace(
        waiting(number), status="thinking", thinking=log, thinking_pieces=pieces, first_t=0.6
    )


def done(text: str, number: int = 1, *, tokens: int = 301, place: int = 2) -> SeatState:
    return replace(
        streaming(text, number),
        status="done",
        reason="stop",
        usage=Usage(completion=tokens),
        ended_t=4.0,
        place=place,
    )


def retrying(message: str, number: int = 1) -> SeatState:
    return replace(
        waiting(number), status="retrying", kind="rate_limit", message=message, retry_at_t=10.0
    )


def failed(kind: FailureKind, message: str, hint: str = "", number: int = 1) -> SeatState:
    return replace(
        waiting(number), status="failed", kind=kind, message=message, hint=hint, ended_t=2.0
    )
