"""Where prompts are written: a multi-line card that no run ever blocks, and what it sends."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Final

from rich.segment import Segment
from textual import on, work
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import TextArea

from moa_tui.errors import ConfigError
from moa_tui.text import one_line
from moa_tui.ui import look, words
from moa_tui.ui.composer import composer_words as own_words
from moa_tui.ui.composer.draft import Draft
from moa_tui.ui.composer.prompt import CHIP_ABOVE, Prompt
from moa_tui.ui.composer.queue import Queue
from moa_tui.ui.rows import Rows
from moa_tui.ui.told import Notice

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from textual.app import ComposeResult
    from textual.strip import Strip

    from moa_tui.ui.commands import Command
    from moa_tui.ui.composer.attaching import Reference
    from moa_tui.ui.composer.completion import Completions
    from moa_tui.ui.ports import Editor, Files

__all__ = ["CHIP_ABOVE", "Composer", "Draft", "Prompt", "Queue"]

_PATIENCE_S: Final = 0.3


class _Head(Rows):
    DEFAULT_CSS: ClassVar[str] = "_Head { height: 1; background: $head; }"

    def __init__(self) -> None:
        super().__init__()
        self.notice = Notice()
        self.refusal = ""
        self.reading = ""

    def draw(self, width: int, palette: look.Palette) -> Sequence[Strip]:
        notice = self.notice
        dot = Segment(f" {look.DOT} ", palette.muted)
        calls = [
            Segment("next ", palette.muted),
            Segment(f"{notice.sum} = " if notice.sum else "", palette.head_ink),
            Segment(notice.calls, palette.head_ink + look.BOLD),
        ]
        cost = [dot, Segment(notice.cost, palette.head_ink)] if notice.cost else []
        right = [*calls, *cost, Segment(" ")]
        warning = palette.state("retrying") if notice.is_over else palette.muted
        room = [Segment(notice.room, warning), dot] if notice.room else []
        left = [Segment(f" {words.ASK}", palette.head_ink), dot]
        style = palette.state("retrying") if notice.is_warning else palette.muted
        sign = "! " if notice.is_warning else ""
        says = Segment(f"{sign}{notice.does}", style)
        if self.refusal:
            says = Segment(self.refusal, palette.state("retrying"))
        elif self.reading:
            glyph = look.GLYPHS["waiting"]
            says = Segment(f"{glyph} {own_words.reading(self.reading)}", palette.state("waiting"))
        elif look.cells([*left, says, *right]) + 2 > width and notice.does_short:
            says = Segment(f"{sign}{notice.does_short}", style)
        if look.cells([*left, says, *room, *right]) + 2 <= width:
            right = [*room, *right]
        for fewer in ([*calls, Segment(" ")], []):
            if look.cells([*left, says, *right]) + 2 > width:
                right = fewer
        return [look.row([*left, says], right, width=width, ground=palette.head)]


class _Mark(Rows):
    DEFAULT_CSS: ClassVar[str] = "_Mark { width: 3; height: 1; background: $surface; }"

    def draw(self, width: int, palette: look.Palette) -> Sequence[Strip]:
        mark = Segment(f" {look.PROMPT}", palette.muted)
        return [look.row([mark], [], width=width, ground=palette.surface)]


class Composer(Vertical):
    """The card: a head that says what enter does, the draft, and above it what is offered."""

    DEFAULT_CSS: ClassVar[str] = """
    Composer { height: 4; background: $surface; border-left: outer $edge; }
    Composer:focus-within { border-left: thick $focus; }
    Composer Horizontal { height: 1fr; }
    """

    @dataclass
    class Submitted(Message):
        """A prompt was sent, files and all; an empty one when only enter was pressed."""

        prompt: Prompt

    @dataclass
    class Commanded(Message):
        """A command was written: its name as it stands behind the slash, and what follows it."""

        name: str
        argument: str

    class Written(Message):
        """Something else stands in the draft."""

    class Grown(Message):
        """The draft takes more or fewer rows than before."""

    def __init__(self, *, patience_s: float = _PATIENCE_S) -> None:
        """Make a composer; files that take longer than ``patience_s`` to read are named."""
        super().__init__()
        self._draft = Draft()
        self._head = _Head()
        self._completions: Completions | None = None
        self._rows = 1
        self._patience_s = patience_s
        self.is_steady = False
        """Whether the cursor never blinks."""
        self._files: Files | None = None
        self._editor: Editor | None = None
        self._is_editing = False
        self._leaving: list[Draft.Sent] = []
        self._excused = ""

    def compose(self) -> ComposeResult:
        """Head row, prompt sign, draft."""
        yield self._head
        with Horizontal():
            yield _Mark()
            yield self._draft

    def equip(
        self,
        *,
        commands: Callable[[], Sequence[Command]] | None = None,
        files: Files | None = None,
        editor: Editor | None = None,
    ) -> None:
        """Give what commands, @files and the editor need; what is None isn't offered.

        ``commands`` returns those that exist now; it is asked at every key of a command.
        """
        self._files, self._editor = files, editor
        self._draft.equip(
            # What the draft's own keys do needs no slash, which would be in their way.
            None if commands is None else lambda: _without(self._draft, commands()),
            has_files=files is not None,
            has_editor=editor is not None,
        )

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
        self._draft.cursor_blink = not (is_busy or self.is_steady)
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

    @on(Draft.Refused)
    def _refuse(self, event: Draft.Refused) -> None:
        event.stop()
        self.refuse(event.why)

    @on(TextArea.Changed)
    def _measure(self, event: TextArea.Changed) -> None:
        event.stop()
        if self._head.refusal and self._draft.text:
            self.refuse("")
        self.post_message(self.Written())
        if self._draft.rows != self._rows:
            self._rows = self._draft.rows
            self.post_message(self.Grown())

    @on(Draft.Entered)
    def _command(self, event: Draft.Entered) -> None:
        event.stop()
        self.post_message(self.Commanded(event.name, event.argument))

    # What is offered.

    @on(Draft.Offered)
    def _offer(self, event: Draft.Offered) -> None:
        event.stop()
        was_open = self._completions is not None and self._completions.rows > 0
        is_open = bool(self._draft.offered)
        if is_open or was_open:
            self._show()
        if is_open != was_open:
            self.refresh_bindings()

    def _show(self) -> None:
        if self._completions is None:
            from moa_tui.ui.composer.completion import Completions  # noqa: PLC0415 - not for the first paint

            self._completions = Completions()
            self.mount(self._completions)
        draft, width = self._draft, self.outer_size.width
        self._completions.show(draft.offered, draft.selected, width=width)

    @on(Draft.FolderWanted)
    def _look(self, event: Draft.FolderWanted) -> None:
        event.stop()
        if self._files is not None:
            self._list(self._files, event.folder)

    @work(group="folder", exclusive=True)
    async def _list(self, files: Files, folder: str) -> None:
        self._draft.listed(folder, await files.names(folder))

    # By its name, since the class isn't there yet.
    def on_completions_picked(self, event: Completions.Picked) -> None:
        """Take what was clicked."""
        event.stop()
        self._draft.accept(event.number)

    @on(TextArea.SelectionChanged)
    def _settle(self, event: TextArea.SelectionChanged) -> None:
        event.stop()
        self._draft.settle()

    def on_resize(self) -> None:
        """Offer at the new width."""
        if self._draft.offered:
            self._show()

    # What is sent: in the order of enter, however long a file takes.

    @on(Draft.Sent)
    def _send(self, event: Draft.Sent) -> None:
        event.stop()
        if self._leaving:
            self._leaving.append(event)
        elif event.references and self._files is not None:
            self._leaving.append(event)
            self._read_all(self._files)
        else:
            self.post_message(self.Submitted(event.prompt))

    @work(group="read")
    async def _read_all(self, files: Files) -> None:
        """Send what waits for its files; what can't be sent goes back to the draft."""
        while self._leaving:
            sent = self._leaving[0]
            try:
                prompt = await self._with_files(sent, files)
            except ConfigError as error:
                self._draft.put_back(sent)
                # Behind the message that the text has changed, which ends what is said.
                self._draft.post_message(Draft.Refused(str(error)))
            else:
                self._excused = ""
                self.post_message(self.Submitted(prompt))
            self._leaving.pop(0)

    async def _with_files(self, sent: Draft.Sent, files: Files) -> Prompt:
        """Return the prompt with the files that it names.

        Raises:
            ConfigError: one can't be attached.
        """
        found: dict[str, str] = {}
        for reference in sent.references:
            later = asyncio.get_running_loop().call_later
            say = later(self._patience_s, self._say, reference.name)
            try:
                file = await _first(reference, files)
            finally:
                say.cancel()
                self._say("")
            if file is not None:
                found.setdefault(*file)
            elif reference.is_meant and sent.written != self._excused:
                self._excused = sent.written
                raise ConfigError(own_words.not_found(reference.name))
        if not found:
            return sent.prompt
        from moa_tui.ui.composer import attaching  # noqa: PLC0415 - not for the first paint

        text = sent.prompt.text
        return replace(sent.prompt, text=attaching.attached(text, found), typed=text)

    def _say(self, reading: str) -> None:
        if reading != self._head.reading:
            self._head.reading = reading
            self._head.redraw()

    # Another place to write in.

    @on(Draft.EditorWanted)
    def _want_editor(self, event: Draft.EditorWanted) -> None:
        event.stop()
        self.edit()

    def edit(self) -> None:
        """Let the draft be written in the user's editor, if there is a port for one."""
        if self._editor is not None and not self._is_editing:
            self._is_editing = True
            self._edit(self._editor)

    @work(group="edit")
    async def _edit(self, editor: Editor) -> None:
        try:
            self._draft.write(await editor.edit(self._draft.whole, self._away))
        except ConfigError as error:
            # Behind the key that asked for it, which ends what is said.
            self._draft.post_message(Draft.Refused(one_line(str(error))))
        finally:
            self._is_editing = False

    @contextmanager
    def _away(self) -> Iterator[None]:
        """Leave the terminal to another program; runs go on, but nothing is painted."""
        app = self.app
        if app.is_headless:
            yield
            return
        # Nobody takes what is painted now, and Textual waits for who does.
        with app.batch_update(), app.suspend():
            yield
        app.refresh(layout=True)


def _without(draft: Draft, commands: Sequence[Command]) -> Sequence[Command]:
    return [one for one in commands if one.node is not draft or one.id == "edit"]


async def _first(reference: Reference, files: Files) -> tuple[str, str] | None:
    """Return name and content of the first file that a reference may mean."""
    for name in reference.names:
        content = await files.read(name)
        if content is not None:
            return name, content
    return None
