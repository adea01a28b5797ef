"""A proposer layer under way: its seats, what of them is usable, and when it closes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moa_tui.engine.merge import Reference
from moa_tui.engine.seat import Proposal
from moa_tui.errors import ProviderError

if TYPE_CHECKING:
    from moa_tui.engine.mixture import Mixture, Seat
    from moa_tui.engine.seat import SeatRun


class LayerRun:
    """The seats of one layer and the mixture's rules for closing it; times as the run counts."""

    def __init__(self, number: int, mixture: Mixture, *, started_t: float) -> None:
        self.number = number
        self.seats: dict[Seat, SeatRun] = {}
        self._mixture = mixture
        self._started_t = started_t

    @property
    def has_ended(self) -> bool:
        """Whether nothing more comes from any seat."""
        return not any(run.is_live for run in self.seats.values())

    def usable(self) -> tuple[Reference, ...]:
        """Return the done proposals that may be handed on, in the seats' order."""
        return tuple(
            Reference(seat, run.outcome.text)
            for seat, run in sorted(self.seats.items())
            if isinstance(run.outcome, Proposal) and run.outcome.is_usable
        )

    def partial(self) -> tuple[Reference, ...]:
        """Return what the unfinished seats have said so far, where that is anything."""
        return tuple(
            Reference(seat, run.partial_text)
            for seat, run in sorted(self.seats.items())
            if run.is_live and run.partial_text.strip()
        )

    def closes(self, t: float) -> bool:
        """Return whether all seats ended, the quorum is met, or the deadline has passed."""
        if self.has_ended:
            return True
        usable = len(self.usable())
        if self._mixture.quorum is not None and usable >= self._mixture.quorum:
            return True
        is_due = self._mixture.deadline_s is not None and self.time_left(t) is None
        return is_due and usable >= self._mixture.min_proposals

    def time_left(self, t: float) -> float | None:
        """Return the seconds to the deadline; None if there is none or it is past."""
        if self._mixture.deadline_s is None:
            return None
        left = self._started_t + self._mixture.deadline_s - t
        return left if left > 0 else None

    def close(self) -> None:
        """Stop the seats that nobody has sent yet; those that stream go on as late."""
        for seat_run in self.seats.values():
            seat_run.is_late = seat_run.is_live
            if seat_run.phase == "queued":
                seat_run.stop()

    def too_few(self) -> ProviderError | None:
        """Return why the run can't go on if fewer than ``min_proposals`` are usable."""
        usable = len(self.usable())
        if usable >= self._mixture.min_proposals:
            return None
        outcomes = [run.outcome for run in self.seats.values()]
        failures = [outcome for outcome in outcomes if isinstance(outcome, ProviderError)]
        first = next((failure for failure in failures if failure.kind != "stopped"), None)
        found = f"{usable} of {len(self.seats)} proposers of layer {self.number} answered"
        needed = self._mixture.min_proposals
        if first is not None:
            message = f"{found}, {needed} needed: {first.message}"
            return ProviderError(first.kind, message, first.hint)
        if len(failures) == len(outcomes):
            return ProviderError("stopped", f"The proposers of layer {self.number} were stopped.")
        return ProviderError("stopped", f"{found}, min_proposals is {needed}.")
