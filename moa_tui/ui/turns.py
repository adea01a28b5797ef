"""What was asked and answered so far, and what waits to be asked."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from moa_tui.text import clean, one_line
from moa_tui.ui import words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from moa_tui.engine.prompt import Conversation, Exchange
    from moa_tui.engine.state import RunState
    from moa_tui.ui.composer import Prompt

_TITLE = 120


def refused(state: RunState, why: str) -> RunState:
    """Return the state of a run that could make no call, or no further one."""
    return replace(state, status="failed", kind="invalid", message=clean(why), hint="")


class Turns:
    """The conversation: exchanges with their shown answers, and a queue of prompts."""

    def __init__(self) -> None:
        self._exchanges: list[Exchange] = []
        self._queue: list[Prompt] = []
        self._title = ""
        self.last: Prompt | None = None
        """The prompt that runs or ran last."""
        self.held = ""
        """Why the queue isn't sent by itself; "" when it is."""

    @property
    def title(self) -> str:
        """The first prompt on one line, or that there is none yet."""
        return self._title or words.NEW_SESSION

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

    def recall(self) -> Prompt | None:
        """Take the last prompt of the queue back, to be edited."""
        return self._queue.pop() if self._queue else None

    def begin(self, prompt: Prompt) -> Conversation:
        """Open a turn and return what the models are sent."""
        # With the engine, which the first paint shouldn't wait for.
        from moa_tui.engine.prompt import Conversation, Exchange  # noqa: PLC0415 - see above

        conversation = Conversation(prompt.text, tuple(self._exchanges))
        self._title = self._title or one_line(prompt.shown, _TITLE)
        self._exchanges.append(Exchange(prompt.text))
        self.last = prompt
        self.held = ""
        return conversation

    def answered(self, answer: str) -> None:
        """Close the turn with the answer that is shown."""
        self._exchanges[-1] = replace(self._exchanges[-1], answer=answer)

    def fail(self, why: str) -> None:
        """Close the turn without an answer; what is queued waits for the user."""
        self.held = words.held(why) if self._queue else ""

    def again(self) -> Prompt | None:
        """Take the last turn back and return its prompt, to be run anew."""
        if self.last is not None and self._exchanges:
            self._exchanges.pop()
        return self.last
