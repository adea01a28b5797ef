"""The text being written: what its keys do, its long pastes, and what was sent before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

from textual.binding import Binding
from textual.message import Message
from textual.widgets import TextArea

from moa_tui.text import clean
from moa_tui.ui.composer import composer_words as own_words
from moa_tui.ui.composer import slash
from moa_tui.ui.composer.prompt import CHIP_ABOVE, History, Pastes, Prompt
from moa_tui.ui.keymap import done_at_once

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual import events
    from textual.binding import BindingType
    from textual.document._document import EditResult
    from textual.document._edit import Edit

    from moa_tui.ui.commands import Command
    from moa_tui.ui.composer.attaching import Reference
    from moa_tui.ui.composer.completion import Asked, Completer, Item

_SEND: Final = "Send the prompt; while a run is live it waits for its turn"


class Draft(TextArea):
    """The text being written."""

    DEFAULT_CSS: ClassVar[str] = """
    Draft, Draft:focus {
        border: none; padding: 0 1 0 0; width: 1fr; height: 1fr;
        background: $surface; color: $ink; scrollbar-size-vertical: 1;
        &>.text-area--placeholder { color: $muted; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "accept", "accept", id="accept", tooltip="Take what is offered"),
        Binding("enter", "accept_and_go", "accept", id="accept_enter", show=False),
        Binding("escape", "dismiss", "close", id="dismiss", tooltip="Close what is offered"),
        Binding("enter", "send", "send", id="send", tooltip=_SEND),
        Binding("enter", "queue", "queue", id="send", tooltip=_SEND),
        Binding(
            "ctrl+j,shift+enter", "new_line", "new line", id="new_line", tooltip="Begin a new line"
        ),
        Binding("f4", "edit", "editor", id="edit", tooltip="Write the prompt in $EDITOR"),
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
        """Enter was pressed; what was written stands here and no longer in the draft.

        ``written`` is the text as it stood there, ``references`` are the files that it may name.
        """

        prompt: Prompt
        written: str
        references: tuple[Reference, ...] = ()

    @dataclass
    class Entered(Message):
        """A command was written; it stands no longer in the draft."""

        name: str
        argument: str

    @dataclass
    class Refused(Message):
        """What is written can't be sent: ``why``. It still stands there."""

        why: str

    @dataclass
    class Recalled(Message):
        """A prompt that waits is to be edited: the one with this number, from 0; None: the last.

        The draft has nothing written when up asks for it, but may have when a click does.
        """

        index: int | None = None

    class EditorWanted(Message):
        """The text is to be written elsewhere."""

    class Offered(Message):
        """What is `offered` for the word that is being typed, or what is `selected`, changed."""

    @dataclass
    class FolderWanted(Message):
        """The names in a folder are needed: tell them to `Draft.listed`."""

        folder: str

    def __init__(self) -> None:
        super().__init__(
            soft_wrap=True,
            show_line_numbers=False,
            highlight_cursor_line=False,
            tab_behavior="focus",
        )
        # Textual's own selecting keys are ours for other things.
        for key in ("f6", "f7"):
            self._bindings.key_to_bindings.pop(key, None)
        self._commands: Callable[[], Sequence[Command]] | None = None
        self._has_files = False
        self._completer: Completer | None = None
        self._pastes = Pastes()
        self._history = History()
        self._completed: set[str] = set()
        self._only_text: set[str] = set()
        self._accepts_next = False
        self._is_offered = False
        self._is_back = False
        self._has_queue = False
        self.is_queueing = False
        """Whether enter only queues the prompt, since a run is live."""
        self._has_editor = False

    def equip(
        self,
        commands: Callable[[], Sequence[Command]] | None,
        *,
        has_files: bool,
        has_editor: bool,
    ) -> None:
        """Know what exists: commands, who lists folders and reads files, who has an editor.

        Without ``commands`` a slash is only text.
        """
        self._commands, self._has_files, self._has_editor = commands, has_files, has_editor
        self._completer = None
        self.hint()

    @property
    def has_queue(self) -> bool:
        """Whether prompts wait that up can bring back."""
        return self._has_queue

    @has_queue.setter
    def has_queue(self, has_queue: bool) -> None:
        if has_queue != self._has_queue:
            self._has_queue = has_queue
            self.hint()

    @property
    def prompt(self) -> Prompt:
        """The prompt as it would be sent now, but for files."""
        shown = self.text.strip()
        if self._commands is not None:
            shown = slash.sent(shown)
        return Prompt(self._pastes.whole(shown).strip(), shown)

    @property
    def whole(self) -> str:
        """The text with its long pastes in full."""
        return self._pastes.whole(self.text)

    @property
    def rows(self) -> int:
        """How many rows the text takes at the present width."""
        return self.wrapped_document.height

    def put(self, prompt: Prompt) -> None:
        """Show a prompt again, its long pastes in full when it is sent."""
        self._show(self._written(prompt))

    def offer_again(self, prompt: Prompt) -> None:
        """Show a prompt that comes back by itself: what is typed replaces it, arrows edit it."""
        self.put(prompt)
        self.select_all()
        self._is_back = True

    @property
    def marked_text(self) -> str:
        """What the user has selected; a prompt that came back selected isn't meant."""
        return "" if self._is_back and self.selected_text == self.text else self.selected_text

    def remember(self, prompts: Sequence[Prompt]) -> None:
        """Let up bring back prompts that were sent earlier, the last one last."""
        for prompt in prompts:
            self._history.add(self._written(prompt))

    def _written(self, prompt: Prompt) -> str:
        """Return a prompt as it is written, what its chips stand for being known from now on."""
        shown = prompt.shown
        if self._pastes.whole(shown) != (prompt.typed or prompt.text):
            self._pastes.stand_for(shown, prompt.text)
        return shown if self._commands is None else slash.written(shown)

    def put_back(self, sent: Draft.Sent) -> None:
        """Show what couldn't be sent again, in front of what is written by now."""
        for reference in sent.references:
            (self._completed if reference.is_meant else self._only_text).update(reference.names)
        self._show(f"{sent.written}\n{self.text}" if self.text else sent.written)

    def write(self, whole: str) -> None:
        """Replace the text, of which the present one can be undone."""
        if whole != self.whole:
            start, end = self.document.start, self.document.end
            self._replace_via_keyboard(self._pastes.folded(whole), start, end)
            self.move_cursor(self.document.end)
            self._dismiss()

    def take(self) -> Prompt:
        """Return the prompt, remember it, and begin an empty one."""
        prompt, written = self.prompt, self.text.strip()
        if written:
            self._history.add(written)
        self.empty()
        return prompt

    def empty(self) -> None:
        """Begin an empty prompt; a long paste leaves memory unless history shows its chip."""
        self._show("")
        self._history.leave()
        self._completed.clear()
        self._only_text.clear()
        self._pastes.keep(self._history.texts)

    def _show(self, text: str) -> None:
        self.load_text(text)
        self.move_cursor(self.document.end)
        self._dismiss()

    def hint(self) -> None:
        """Say in an empty draft what can be written there, or how one gets back to it."""
        if not self.is_mounted:
            return  # the focus comes next
        if not self.has_focus:
            hints = [own_words.AWAY]
        else:
            hints = [own_words.HINT_QUEUED] if self._has_queue else []
            if self._commands is not None:
                hints.append(own_words.HINT_COMMANDS)
            if self._has_files:
                hints.append(own_words.HINT_FILES)
        self.placeholder = "   ".join(hints)

    def watch_has_focus(self, has_focus: bool) -> None:  # noqa: FBT001 - Textual's signature
        """Say what can be written; without the focus how one gets back, and offer nothing."""
        super().watch_has_focus(has_focus)
        # Another window has the focus: when the terminal has it again, so has the draft.
        if self.app.app_focus:
            self.hint()
            if not has_focus:
                self._dismiss()

    # Keys.

    async def _on_key(self, event: events.Key) -> None:
        self.post_message(self.Pressed())
        self._accepts_next = self._is_back = False
        self.settle()
        if await done_at_once(self, event.key):
            event.prevent_default()
            event.stop()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Return whether a key does something now: what is offered comes first."""
        offers = bool(self.offered)
        match action:
            case "send" | "queue":
                return not offers and self.is_queueing == (action == "queue")
            case "accept":
                return offers or self._is_listing
            case "accept_and_go" | "dismiss":
                return offers
            case "edit":
                return self._has_editor
            case _:
                return super().check_action(action, parameters)

    def action_queue(self) -> None:
        """Ask the composer to queue the prompt."""
        self.action_send()

    def action_send(self) -> None:
        """Hand the prompt to the composer and begin an empty one; a command is done."""
        from moa_tui.ui.composer import attaching  # noqa: PLC0415 - the first paint needs none of it

        commands = self._commands
        command = None if commands is None else slash.entered(self.text.strip())
        if commands is not None and command is not None:
            name, argument = command
            now = commands()
            if name not in map(slash.name_of, now):
                self.post_message(self.Refused(slash.refusal(name, now)))
                return
            self.take()
            self.post_message(self.Entered(name, argument))
            return
        references = attaching.references(
            self._pastes.without(self.text.strip()),
            completed=self._completed,
            pasted=self._only_text,
        )
        written = self.text.strip()
        self.post_message(self.Sent(self.take(), written, references))

    def action_new_line(self) -> None:
        """Break the line."""
        self._replace_via_keyboard("\n", *self.selection)

    def action_edit(self) -> None:
        """Ask for another place to write in."""
        self.post_message(self.EditorWanted())

    async def action_delete_or_quit(self) -> None:
        """Delete to the right; with nothing written leave."""
        if self.text:
            self.action_delete_right()
        else:
            await self.run_action("app.quit")

    def action_delete_to_start_of_line(self) -> None:
        """Delete what is selected, else to where the line was begun, in whatever row, as shells do.

        At its start the line is joined to the one before.
        """
        row, column = self.cursor_location
        if not self.selection.is_empty:
            self._delete_via_keyboard(*self.selection)
        elif column:
            self._delete_via_keyboard((row, 0), (row, column))
        else:
            super().action_delete_to_start_of_line()

    async def action_delete_to_end_of_line_or_delete_line(self) -> None:
        """Delete to where the line ends, in whatever row; at its end, as Textual does."""
        row, column = self.cursor_location
        end = len(self.document[row])
        if self.selection.is_empty and column < end:
            self._delete_via_keyboard((row, column), (row, end))
        else:
            await super().action_delete_to_end_of_line_or_delete_line()

    def action_cursor_up(self, select: bool = False) -> None:  # noqa: FBT001, FBT002 - Textual's signature
        """Move up; on the first row, with nothing of one's own written, show an older prompt."""
        if self.offered and not select:
            self._select(-1)
        elif not self.text and self.has_queue:
            self.post_message(self.Recalled())
        elif select or not self.cursor_at_first_line or not self._recall(-1):
            super().action_cursor_up(select)

    def action_cursor_down(self, select: bool = False) -> None:  # noqa: FBT001, FBT002 - Textual's signature
        """Move down; on the last row of an older prompt show the next newer one."""
        if self.offered and not select:
            self._select(1)
        elif select or not self.cursor_at_last_line or not self._recall(1):
            super().action_cursor_down(select)

    def _recall(self, step: int) -> bool:
        """Show the prompt so many steps away; False when the text is the user's own."""
        text = self._history.go(step, self.text)
        if text is None:
            return False
        self._show(text)
        return True

    # Pastes.

    async def _on_paste(self, event: events.Paste) -> None:
        from moa_tui.ui.composer import attaching  # noqa: PLC0415 - the first paint needs none of it

        event.prevent_default()
        event.stop()
        # Terminals end a pasted line with what the enter key sends.
        text = clean(event.text.replace("\r\n", "\n").replace("\r", "\n"))
        if len(text) > CHIP_ABOVE:
            text = self._pastes.chip(text)
        # Code is full of @names that aren't files.
        self._only_text.update(one.names[0] for one in attaching.references(text))
        if result := self._replace_via_keyboard(text, *self.selection):
            self.move_cursor(result.end_location)
        self._dismiss()

    # Completion.

    @property
    def offered(self) -> tuple[Item, ...]:
        """What the word that is being typed may become."""
        return () if self._completer is None else self._completer.items

    @property
    def selected(self) -> int:
        """The number of what is selected of it."""
        return 0 if self._completer is None else self._completer.selected

    @property
    def _is_listing(self) -> bool:
        return self._completer is not None and self._completer.is_waiting

    def _completing(self) -> Completer:
        if self._completer is None:
            from moa_tui.ui.composer.completion import Completer  # noqa: PLC0415 - not for the first paint

            self._completer = Completer(self._commands, has_files=self._has_files)
        return self._completer

    def edit(self, edit: Edit) -> EditResult:
        """Edit the text, and offer what its word may become."""
        result = super().edit(edit)
        asked = self._asked()
        if asked is None and self._completer is None:
            return result
        completer = self._completing()
        folder = completer.look(asked)
        if folder is not None:
            self.post_message(self.FolderWanted(folder))
        # Until a folder is listed the card shows what it shows, or it would flicker.
        if completer.is_open or (self._is_offered and not completer.is_waiting):
            self._offer()
        return result

    def listed(self, folder: str, names: Sequence[str]) -> None:
        """Offer what a folder holds."""
        self._completing().listed(folder, names)
        self._offer()
        if self._accepts_next:
            self._accepts_next = False
            self.action_accept()

    def settle(self) -> None:
        """Offer nothing more if the cursor has left the word."""
        completer = self._completer
        if completer is None or completer.asked is None:
            return
        if not completer.settle(self._asked()):
            self._offer()

    def accept(self, number: int) -> None:
        """Take an item by its number, as enter would."""
        self._completing().select(number)
        self.action_accept_and_go()

    def action_accept(self) -> None:
        """Let the word become what is selected; while a folder is listed, as soon as it is."""
        completer = self._completing()
        item, asked = completer.chosen, completer.asked
        if item is None or asked is None:
            self._accepts_next = completer.is_waiting
            return
        text = item.text
        if self.document[asked.row][asked.end : asked.end + 1] == " ":
            text = text.rstrip(" ")
        if asked.kind == "file":
            self._completed.add(item.name)
        end = (asked.row, asked.end)
        if result := self._replace_via_keyboard(text, (asked.row, asked.start), end):
            self.move_cursor(result.end_location)

    def action_accept_and_go(self) -> None:
        """Take what is selected; a command is done at once."""
        asked = self._completing().asked
        self.action_accept()
        if asked is not None and asked.kind == "command":
            self._dismiss()
            self.action_send()

    def action_dismiss(self) -> None:
        """Offer nothing for this word."""
        self._dismiss()

    def _asked(self) -> Asked | None:
        row, column = self.cursor_location
        before = self.document[row][:column]
        if not self.selection.is_empty or not ("@" in before or before.startswith(slash.MARK)):
            return None
        from moa_tui.ui.composer.completion import asked_in  # noqa: PLC0415 - not for the first paint

        return asked_in(self.document.lines, row, column)

    def _dismiss(self) -> None:
        if self._completer is not None:
            self._completer.dismiss(self._asked())
            self._offer()

    def _select(self, step: int) -> None:
        self._completing().move(step)
        self._offer()

    def _offer(self) -> None:
        self._is_offered = bool(self.offered)
        self.post_message(self.Offered())
