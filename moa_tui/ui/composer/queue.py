"""The prompts that wait above the composer."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from rich.segment import Segment

from moa_tui.text import one_line
from moa_tui.ui import look
from moa_tui.ui.composer import composer_words as words
from moa_tui.ui.composer.draft import Draft
from moa_tui.ui.rows import Rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events
    from textual.strip import Strip

    from moa_tui.ui.composer.prompt import Prompt

_SHOWN: Final = 3


class Queue(Rows):
    """The prompts that wait for the run, and why they do; a click brings one back."""

    DEFAULT_CSS: ClassVar[str] = "Queue { height: auto; background: $background; }"

    def __init__(self) -> None:
        super().__init__()
        self._prompts: tuple[Prompt, ...] = ()
        self._held = ""

    @property
    def count(self) -> int:
        """How many rows it takes."""
        return self._rows_of_prompts + bool(self._held and self._prompts)

    @property
    def _rows_of_prompts(self) -> int:
        return min(len(self._prompts), _SHOWN + 1)

    def show(self, prompts: Sequence[Prompt], *, held: str = "") -> None:
        """Show what waits; ``held`` says why it won't be sent by itself."""
        if (tuple(prompts), held) != (self._prompts, self._held):
            self._prompts, self._held = tuple(prompts), held
            self.redraw(layout=True)

    def draw(self, width: int, palette: look.Palette) -> Sequence[Strip]:
        """Return a row a prompt, the last one for those that don't fit."""
        shown = self._prompts[:_SHOWN]
        if len(self._prompts) == _SHOWN + 1:
            shown = self._prompts
        ground = palette.background
        mark = Segment(f" {words.QUEUED} ", palette.state("queued"))
        rows = [
            look.row(
                [mark, Segment(one_line(prompt.shown), palette.ink)], [], width=width, ground=ground
            )
            for prompt in shown
        ]
        if more := len(self._prompts) - len(shown):
            words_ = Segment(f" and {words.more(more)}", palette.muted)
            rows.append(look.row([words_], [], width=width, ground=ground))
        if self._held and self._prompts:
            why = Segment(f" {self._held}", palette.state("retrying"))
            rows.append(look.row([why], [], width=width, ground=ground))
        return rows

    def on_click(self, event: events.Click) -> None:
        """Ask for the prompt that was clicked; the row that counts the rest is the last one's."""
        event.stop()
        if event.y >= self._rows_of_prompts:
            return
        is_last = event.y == _SHOWN
        self.post_message(Draft.Recalled(None if is_last else event.y))
