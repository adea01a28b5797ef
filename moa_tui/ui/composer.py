"""Where prompts are written: a multi-line card that no run ever blocks, and what waits above it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from textual import on
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import TextArea

from moa_tui.text import clean, one_line
from moa_tui.ui import look, words
from moa_tui.ui.rows import Rows
from moa_tui.ui.told import Notice

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events
    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.strip import Strip

CHIP_ABOVE = 32 * 1024
"""Characters of a paste that still go into the text itself."""

_QUEUED_SHOWN = 3
_HISTORY = 200


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt in full, and as it is shown where a long paste is a chip."""

    text: str
    shown: str


class Draft(TextArea):
    """The text being written."""

    DEFAULT_CSS: ClassVar[str] = """
    Draft, Draft:focus {
        border: none; padding: 0 1 0 0; width: 1fr; height: 1fr;
        background: $surface; color: $ink; scrollbar-size-vertical: 1;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "send", "send", id="send", tooltip="Send the prompt"),
        Binding("enter", "queue", "queue", id="queue", tooltip="Send the prompt after this run"),
        Binding(
            "ctrl+j,shift+enter", "new_line", "new line", id="new_line", tooltip="Begin a new line"
        ),
        Binding(
            "ctrl+d",
            "delete_or_quit",
            "quit",
            id="delete_or_quit",
            tooltip="Delete to the right; on an empty composer quit",
            show=False,
        ),
    ]

    class Pressed(Message):
        """A key was pressed."""

    @dataclass
    class Sent(Message):
        """Enter was pressed; what was written stands here and no longer in the draft."""

        prompt: Prompt

    class Recalled(Message):
        """Up was pressed with nothing written: the last prompt that waits is to be edited."""

    def __init__(self) -> None:
        super().__init__(
            soft_wrap=True,
            show_line_numbers=False,
            highlight_cursor_line=False,
            tab_behavior="focus",
        )
        self._pasted: dict[str, str] = {}
        self._sent: list[str] = []
        self._at: int | None = None
        self.is_queueing = False
        """Whether enter only queues the prompt, since a run is live."""
        self.has_queue = False
        """Whether prompts wait that up can bring back."""

    @property
    def prompt(self) -> Prompt:
        """The prompt as it would be sent now."""
        text = shown = self.text.strip()
        for chip, pasted in self._pasted.items():
            text = text.replace(chip, pasted, 1)
        return Prompt(text.strip(), shown)

    @property
    def rows(self) -> int:
        """How many rows the text takes at the present width."""
        return self.wrapped_document.height

    def put(self, prompt: Prompt) -> None:
        """Show a prompt again, its long pastes in full when it is sent."""
        self.load_text(prompt.shown)
        if prompt.shown != prompt.text:
            self._pasted = {prompt.shown: prompt.text, **self._pasted}
        self.move_cursor(self.document.end)

    def take(self) -> Prompt:
        """Return the prompt, remember it, and begin an empty one."""
        prompt = self.prompt
        if prompt.shown:
            self._sent = [*(old for old in self._sent if old != prompt.shown), prompt.shown]
            del self._sent[:-_HISTORY]
        self.empty()
        return prompt

    def empty(self) -> None:
        """Begin an empty prompt; a long paste leaves memory unless history shows its chip."""
        self.load_text("")
        self._at = None
        self._pasted = {
            chip: pasted
            for chip, pasted in self._pasted.items()
            if any(chip in sent for sent in self._sent)
        }

    async def _on_key(self, event: events.Key) -> None:
        self.post_message(self.Pressed())
        # Textual runs bindings once a key has bubbled up to the app. What was typed behind it is
        # in the text by then: enter would send that too.
        for binding in self._bindings.key_to_bindings.get(event.key, ()):
            if await self.app.run_action(binding.action, self):
                event.prevent_default()
                event.stop()
                return

    async def _on_paste(self, event: events.Paste) -> None:
        event.prevent_default()
        event.stop()
        # Terminals end a pasted line with what the enter key sends.
        text = clean(event.text.replace("\r\n", "\n").replace("\r", "\n"))
        if len(text) > CHIP_ABOVE:
            text = self._chip(text)
        if result := self._replace_via_keyboard(text, *self.selection):
            self.move_cursor(result.end_location)

    def _chip(self, text: str) -> str:
        size = words.megabytes(len(text.encode("utf-8")))
        chip, number = f"[pasted {size}]", 1
        while chip in self._pasted:
            number += 1
            chip = f"[pasted {size}, {number}]"
        self._pasted[chip] = text
        return chip

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Return whether enter sends or queues."""
        if action in ("send", "queue"):
            return self.is_queueing == (action == "queue")
        return super().check_action(action, parameters)

    def action_queue(self) -> None:
        """Ask the composer to queue the prompt."""
        self.action_send()

    def action_send(self) -> None:
        """Hand the prompt to the composer and begin an empty one."""
        self.post_message(self.Sent(self.take()))

    def action_new_line(self) -> None:
        """Break the line."""
        self._replace_via_keyboard("\n", *self.selection)

    async def action_delete_or_quit(self) -> None:
        """Delete to the right; with nothing written leave."""
        if self.text:
            self.action_delete_right()
        else:
            await self.run_action("app.quit")

    def action_cursor_up(self, select: bool = False) -> None:  # noqa: FBT001, FBT002 - Textual's signature
        """Move up; on the first row, with nothing of one's own written, show an older prompt."""
        if not self.text and self.has_queue:
            self.post_message(self.Recalled())
        elif select or not self.cursor_at_first_line or not self._recall(-1):
            super().action_cursor_up(select)

    def action_cursor_down(self, select: bool = False) -> None:  # noqa: FBT001, FBT002 - Textual's signature
        """Move down; on the last row of an older prompt show the next newer one."""
        if select or not self.cursor_at_last_line or not self._recall(1):
            super().action_cursor_down(select)

    def _recall(self, step: int) -> bool:
        """Show the prompt so many steps away; False when the text is the user's own."""
        at = len(self._sent) if self._at is None else self._at
        shown = self._sent[at] if at < len(self._sent) else ""
        if self.text != shown or not 0 <= at + step <= len(self._sent):
            return False
        self._at = at + step
        self.load_text(self._sent[self._at] if self._at < len(self._sent) else "")
        self.move_cursor(self.document.end)
        return True


class _Head(Rows):
    DEFAULT_CSS: ClassVar[str] = "_Head { height: 1; background: $head; }"

    def __init__(self) -> None:
        super().__init__()
        self.notice = Notice()
        self.refusal = ""

    def draw(self, width: int, palette: look.Palette) -> Sequence[Strip]:
        notice = self.notice
        dot = Segment(f" {look.DOT} ", palette.muted)
        right = [
            Segment("next ", palette.muted),
            Segment(f"{notice.sum} = " if notice.sum else "", palette.head_ink),
            Segment(notice.calls, palette.head_ink + look.BOLD),
            *([dot, Segment(notice.cost, palette.head_ink)] if notice.cost else []),
            Segment(" "),
        ]
        left = [Segment(f" {words.ASK}", palette.head_ink), dot]
        style = palette.state("retrying") if notice.is_warning else palette.muted
        sign = "! " if notice.is_warning else ""
        says = Segment(f"{sign}{notice.does}", style)
        if self.refusal:
            says = Segment(self.refusal, palette.state("retrying"))
        elif look.cells([*left, says, *right]) + 2 > width and notice.does_short:
            says = Segment(f"{sign}{notice.does_short}", style)
        if look.cells([*left, says, *right]) + 2 > width:
            right = []
        return [look.row([*left, says], right, width=width, ground=palette.head)]


class _Mark(Rows):
    DEFAULT_CSS: ClassVar[str] = "_Mark { width: 3; height: 1; background: $surface; }"

    def draw(self, width: int, palette: look.Palette) -> Sequence[Strip]:
        mark = Segment(f" {look.PROMPT}", palette.muted)
        return [look.row([mark], [], width=width, ground=palette.surface)]


class Queue(Rows):
    """The prompts that wait for the run, and why they do."""

    DEFAULT_CSS: ClassVar[str] = "Queue { height: auto; background: $background; }"

    def __init__(self) -> None:
        super().__init__()
        self._prompts: tuple[Prompt, ...] = ()
        self._held = ""

    @property
    def count(self) -> int:
        """How many rows it takes."""
        most = _QUEUED_SHOWN + 1
        return min(len(self._prompts), most) + bool(self._held and self._prompts)

    def show(self, prompts: Sequence[Prompt], *, held: str = "") -> None:
        """Show what waits; ``held`` says why it won't be sent by itself."""
        if (tuple(prompts), held) != (self._prompts, self._held):
            self._prompts, self._held = tuple(prompts), held
            self.redraw(layout=True)

    def draw(self, width: int, palette: look.Palette) -> Sequence[Strip]:
        """Return a row a prompt, the last one for those that don't fit."""
        shown = self._prompts[:_QUEUED_SHOWN]
        if len(self._prompts) == _QUEUED_SHOWN + 1:
            shown = self._prompts
        ground = palette.background
        mark = Segment(" queued: ", palette.state("queued"))
        rows = [
            look.row(
                [mark, Segment(one_line(prompt.shown), palette.ink)], [], width=width, ground=ground
            )
            for prompt in shown
        ]
        if more := len(self._prompts) - len(shown):
            words_ = Segment(f" and {more} more", palette.muted)
            rows.append(look.row([words_], [], width=width, ground=ground))
        if self._held and self._prompts:
            why = Segment(f" {self._held}", palette.state("retrying"))
            rows.append(look.row([why], [], width=width, ground=ground))
        return rows


class Composer(Vertical):
    """The card: a head that says what enter does, and the draft."""

    DEFAULT_CSS: ClassVar[str] = """
    Composer { height: 4; background: $surface; border-left: outer $edge; }
    Composer:focus-within { border-left: thick $focus; }
    Composer Horizontal { height: 1fr; }
    """

    @dataclass
    class Submitted(Message):
        """A prompt was sent; an empty one when only enter was pressed."""

        prompt: Prompt

    class Grown(Message):
        """The draft takes more or fewer rows than before."""

    def __init__(self) -> None:
        super().__init__()
        self._draft = Draft()
        self._head = _Head()
        self._rows = 1

    def compose(self) -> ComposeResult:
        """Head row, prompt sign, draft."""
        yield self._head
        with Horizontal():
            yield _Mark()
            yield self._draft

    @property
    def draft(self) -> Draft:
        """The text being written."""
        return self._draft

    @property
    def rows(self) -> int:
        """How many rows the draft takes."""
        return self._draft.rows

    def tell(self, notice: Notice, *, is_busy: bool) -> None:
        """Say what enter does; while a run is live the cursor stands still and prompts queue."""
        if is_busy != self._draft.is_queueing:
            self.refuse("")
        self._draft.cursor_blink = not is_busy
        self._draft.is_queueing = is_busy
        if notice != self._head.notice:
            self._head.notice = notice
            self._head.redraw()

    def refuse(self, why: str) -> None:
        """Say why nothing was sent, until a key is pressed, a text put here, or a run begins."""
        if why != self._head.refusal:
            self._head.refusal = why
            self._head.redraw()

    def withdraw(self, why: str) -> None:
        """Say it no longer, unless something else is said by now: its time is over."""
        if why == self._head.refusal:
            self.refuse("")

    @on(Draft.Pressed)
    def _listen(self, event: Draft.Pressed) -> None:
        event.stop()
        self.refuse("")

    @on(Draft.Sent)
    def _send(self, event: Draft.Sent) -> None:
        event.stop()
        self.post_message(self.Submitted(event.prompt))

    @on(TextArea.Changed)
    def _measure(self, event: TextArea.Changed) -> None:
        event.stop()
        if self._head.refusal and self._draft.text:
            self.refuse("")
        if self._draft.rows != self._rows:
            self._rows = self._draft.rows
            self.post_message(self.Grown())
