"""What was asked and answered so far, and what waits to be asked."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from moa_tui.text import clean, one_line
from moa_tui.ui import words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from moa_tui.engine.mixture import Seat
    from moa_tui.engine.prompt import Conversation
    from moa_tui.engine.state import RunState, SeatState
    from moa_tui.ui.composer import Prompt

_TITLE = 120


def refused(state: RunState, why: str) -> RunState:
    """Return the state of a run that could make no call, or no further one."""
    return replace(state, status="failed", kind="invalid", message=clean(why), hint="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One question, the run that went for it, and the answer that is shown.

    ``taken`` is the seat whose proposal is the answer. ``is_superseded``: it was asked anew below,
    so that no model hears of it again.
    """

    prompt: Prompt
    run: RunState | None = None
    answer: str = ""
    taken: Seat | None = None
    is_superseded: bool = False


class Turns:
    """The conversation: questions with their runs and shown answers, and a queue of prompts."""

    def __init__(self) -> None:
        self._turns: list[Turn] = []
        self._queue: list[Prompt] = []
        self._title = ""
        self.held = ""
        """Why the queue isn't sent by itself; "" when it is."""

    def __len__(self) -> int:
        return len(self._turns)

    def __getitem__(self, number: int) -> Turn:
        return self._turns[number]

    @property
    def title(self) -> str:
        """The first prompt on one line, or that there is none yet."""
        return self._title or words.NEW_SESSION

    @property
    def title_of_last(self) -> str:
        """The prompt that runs or ran last on one line, "" if there is none."""
        return one_line(self._turns[-1].prompt.shown, _TITLE) if self._turns else ""

    @property
    def last(self) -> Prompt | None:
        """The prompt that runs or ran last."""
        return self._turns[-1].prompt if self._turns else None

    @property
    def queue(self) -> Sequence[Prompt]:
        """The prompts that wait, first come first."""
        return tuple(self._queue)

    def wait(self, prompt: Prompt) -> None:
        """Put a prompt at the queue's end."""
        self._queue.append(prompt)

    def next(self) -> Prompt | None:
        """Take the first prompt of the queue."""
        return self._queue.pop(0) if self._queue else None

    def recall(self, number: int | None = None) -> Prompt | None:
        """Take a prompt of the queue back, the last one by default, to be edited."""
        at = len(self._queue) - 1 if number is None else number
        return self._queue.pop(at) if 0 <= at < len(self._queue) else None

    def begin(self, prompt: Prompt) -> Conversation:
        """Open a turn and return what the models are sent."""
        # With the engine, which the first paint shouldn't wait for.
        from moa_tui.engine.prompt import Conversation, Exchange  # noqa: PLC0415 - see above

        heard = [turn for turn in self._turns if not turn.is_superseded]
        exchanges = tuple(Exchange(turn.prompt.text, turn.answer) for turn in heard)
        self._title = self._title or one_line(prompt.shown, _TITLE)
        self._turns.append(Turn(prompt=prompt))
        self.held = ""
        return Conversation(prompt.text, exchanges)

    def end(self, run: RunState) -> None:
        """Close the turn with its run; without an answer what is queued waits for the user."""
        is_done = run.status == "done"
        self._turns[-1] = replace(self._turns[-1], run=run, answer=run.answer if is_done else "")
        if not is_done:
            self.held = words.held(run.status) if self._queue else ""

    def take(self, number: int, seat: Seat) -> SeatState:
        """Make a seat's proposal the answer of a turn, and return that seat.

        Raises:
            KeyError: no such seat ran in that turn.
        """
        turn = self._turns[number]
        if turn.run is None:
            raise KeyError(seat)
        taken = turn.run.seats[seat]
        self._turns[number] = replace(turn, answer=str(taken.text).strip(), taken=seat)
        return taken

    def again(self) -> Prompt | None:
        """Take the last turn out of the history and return its prompt, to be run anew."""
        if not self._turns:
            return None
        self._turns[-1] = replace(self._turns[-1], is_superseded=True)
        return self._turns[-1].prompt
