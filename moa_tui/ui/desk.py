"""The parts of a conversation, and what lies over them: help, commands, settings, questions."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar, Final

from rich.segment import Segment
from textual import on, work
from textual.message import Message
from textual.widgets._toast import ToastRack

from moa_tui.errors import MoaError
from moa_tui.text import clean, one_line
from moa_tui.ui import keys, look, words
from moa_tui.ui.appearance import frames_a_second, take_up
from moa_tui.ui.commands import Command, commands
from moa_tui.ui.composer import slash
from moa_tui.ui.composer.composer import Composer
from moa_tui.ui.footer import Footer
from moa_tui.ui.keymap import chain, keymap_of, remapped
from moa_tui.ui.notices import Notices, writer
from moa_tui.ui.refusing import Refusing
from moa_tui.ui.rows import Ground, Rows

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.dom import DOMNode
    from textual.strip import Strip

    from moa_tui.engine.state import RunState, SeatState
    from moa_tui.ui.answer.answer_view import AnswerView
    from moa_tui.ui.dialogs.sessions import Chosen
    from moa_tui.ui.header import Header
    from moa_tui.ui.mixing import Mixing
    from moa_tui.ui.ports import Ports, SettingKey, SettingValue
    from moa_tui.ui.stage import Stage
    from moa_tui.ui.store import Store

_SELF_EVIDENT: Final = frozenset(
    (
        *("send", "new_line", "delete_or_quit", "interrupt", "compose"),
        *("accept", "dismiss", "next", "previous", "use_example", "example_up", "example_down"),
        "palette",
        *(f"seat_{number}" for number in range(1, 10)),
    )
)
"""Commands that nobody looks for by name."""

_TWICE_S: Final = 2.0
_LONGEST_BANNER: Final = 400
_LETTERS: Final = "asdfghjklqwertyuiopzxcvbnm"


class Banner(Rows):
    """What is wrong and stays so, in a row of its own; no row while all is well."""

    DEFAULT_CSS: ClassVar[str] = "Banner { height: 1; display: none; background: $background; }"

    def __init__(self) -> None:
        super().__init__()
        self._said = ""

    @property
    def rows(self) -> int:
        """How many rows it takes."""
        return 1 if self._said else 0

    def say(self, text: str) -> None:
        """Say this from now on, "" for nothing."""
        self._said = one_line(text, _LONGEST_BANNER)
        self.display = bool(text)
        self.redraw()

    def draw(self, width: int, palette: look.Palette) -> Sequence[Strip]:
        """Return the row."""
        said = Segment(f" {look.GLYPHS['retrying']} {self._said}", palette.state("retrying"))
        return [look.row([said], [], width=width, ground=palette.head)]


class Desk(Ground):
    """Header, sidebar and stage, footer; it opens what lies over them for a moment."""

    BINDINGS: ClassVar[list[BindingType]] = list(keys.ANYWHERE)

    class StoreChanged(Message):
        """What keeps conversations from being written down has come, changed or gone."""

    def __init__(
        self,
        header: Header,
        mixing: Mixing,
        stage: Stage,
        *,
        ports: Ports,
    ) -> None:
        super().__init__()
        self._header = header
        self._mixing = mixing
        self._stage = stage
        self._ports = ports
        self._is_asking = False
        self._pressed_at: float | None = None
        self._banner = Banner()
        self._notices = Notices(ports.terminal, write=self._write, later=self.set_timer)

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        yield self._header
        yield self._banner
        yield self._mixing
        yield Footer()

    def on_mount(self) -> None:
        """Let the settings hold."""
        if self._ports.settings is not None:
            for key, setting in self._ports.settings.values().items():
                self._take_up(key, setting.value)
        if self._ports.store is not None:
            self.call_after_refresh(self._watch, self._ports.store)
        self.app.app_resume_signal.subscribe(self, lambda _app: self._notices.again())

    @work(group="banner")
    async def _watch(self, store: Callable[[], Store]) -> None:
        """Say what keeps conversations from being written down, as long as it does."""
        kept = await asyncio.to_thread(store)
        async for trouble in kept.troubles():
            self._banner.say("" if trouble is None else trouble.words)
            self.post_message(self.StoreChanged())

    @property
    def rows_above(self) -> int:
        """How many rows stand between the header and the stage."""
        return self._banner.rows

    def keep_clear(self, rows: int) -> None:
        """Have what is said in passing stand above so many rows, from the bottom."""
        for rack in self.screen.query(ToastRack):
            rack.styles.margin = (0, 0, rows, 0)

    def _write(self, sequence: str) -> None:
        writer(self.app)(sequence)

    def follow(self, run: RunState | None, prompt: str) -> None:
        """Call the terminal's window after a run; cheap."""
        self._notices.follow(run, prompt)

    def ended(self, run: RunState, prompt: str) -> None:
        """Tell that a run ended to somebody who looks elsewhere."""
        self._notices.ended(run, prompt, is_seen=self.app.app_focus)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Return whether a key does something now."""
        match action:
            case "settings" | "themes":
                return self._ports.settings is not None
            case "edit":
                return self._ports.editor is not None
            case "copy":
                return self._stage.text_to_copy != ""
            case "copy_code":
                return self._stage.code_to_copy != ""
            case _:
                return super().check_action(action, parameters)

    # Commands.

    def commands(self) -> tuple[Command, ...]:
        """Return what can be found by name with the present focus, whether it works now or not."""
        return tuple(command for command in self._named() if _is_ever(command))

    def _named(self) -> Sequence[Command]:
        found = commands(chain(self.screen))
        return [one for one in found if one.id not in _SELF_EVIDENT and "." not in one.id]

    def action_palette(self) -> None:
        """Find a command by name, and do it."""
        from moa_tui.ui.dialogs.palette import CommandPalette  # noqa: PLC0415 - dialogs are lazy

        self.app.push_screen(CommandPalette(self.commands()), self._carry_out)

    def _carry_out(self, command: Command | None) -> None:
        if command is not None:
            self.run_worker(self.app.run_action(command.action, command.node))

    @on(Composer.Commanded)
    async def _obey(self, event: Composer.Commanded) -> None:
        """Do what was written behind a slash; a number is the seat that it is about."""
        event.stop()
        is_about_seat = event.argument.isdecimal()
        if is_about_seat:
            self._stage.action_seat(int(event.argument))
        if refusal := await self._done(event.name):
            self._stage.composer.refuse(refusal)
        if is_about_seat and self.screen.is_active:
            self._stage.action_compose()

    async def _done(self, name: str) -> str:
        """Do what has this name behind the slash; return in words why nothing was done."""
        found = {slash.name_of(command): command for command in self._named()}
        command = found.get(name)
        if command is None:
            return slash.refusal(name, found.values())
        if not command.works:
            return _why_not(command) or words.does_nothing_now(name)
        await self.app.run_action(command.action, command.node)
        return ""

    def action_help(self) -> None:
        """Show keys and words."""
        from moa_tui.ui.dialogs.help import HelpDialog, HelpSection  # noqa: PLC0415 - as above

        keymap = keymap_of(self.app)
        told: set[str] = set()
        sections = []
        for title, nodes in self._parts():
            maps = [(node, remapped(node._bindings, keymap)) for node in nodes]  # noqa: SLF001 - as above
            new = tuple(
                one for one in commands(maps) if one.id not in told and one.does and _is_ever(one)
            )
            told |= {command.id for command in new}
            if title == words.HELP_ANYWHERE:
                typed = tuple(one for one in new if _is_typed(one))
                sections.append(HelpSection(title, tuple(one for one in new if one not in typed)))
                sections.append(HelpSection(words.HELP_OUTSIDE, typed))
            else:
                sections.append(HelpSection(title, new))
        self.app.push_screen(HelpDialog([one for one in sections if one.commands]))

    def _parts(self) -> list[tuple[str, Sequence[DOMNode]]]:
        """Return the parts of the screen with what has their keys, in the order of the help."""
        parts = self._stage.parts()
        writing = parts.pop(words.HELP_WRITING)
        side = self._mixing.sidebar
        return [
            (words.HELP_WRITING, [writing]),
            (words.HELP_ANYWHERE, self._stage.ancestors_with_self),
            *((title, [node]) for title, node in parts.items()),
            *([(words.HELP_SIDEBAR, [side])] if side is not None else []),
        ]

    # Settings.

    def action_settings(self) -> None:
        """Change settings and theme."""
        from moa_tui.ui.dialogs.settings import SettingsDialog  # noqa: PLC0415 - as above
        from moa_tui.ui.settings import Keeping  # noqa: PLC0415 - as above

        if self._ports.settings is not None:
            self.app.push_screen(SettingsDialog(Keeping(self._ports.settings, self._use)))

    def action_themes(self) -> None:
        """Choose a theme; the one that is kept is saved."""
        from moa_tui.ui.dialogs.themes import ThemePicker  # noqa: PLC0415 - as above
        from moa_tui.ui.settings import Keeping  # noqa: PLC0415 - as above

        if self._ports.settings is None:
            return
        keeping = Keeping(self._ports.settings, self._use)

        async def save(name: str) -> None:
            if why := await keeping.save("theme", name):
                self.notify(why, severity="warning", markup=False)

        def kept(name: str | None) -> None:
            if name is not None:
                self.run_worker(save(name), group="settings")

        self.app.push_screen(ThemePicker(), kept)

    def _use(self, key: SettingKey, value: SettingValue) -> None:
        """Let a setting that was changed hold."""
        take_up(self.app, key, value)
        self._take_up(key, value)
        self._stage.post_message(self._stage.Rearranged())

    def _take_up(self, key: SettingKey, value: SettingValue) -> None:
        """Let a setting hold as far as it is about what stands here."""
        match key:
            case "notify":
                self._notices.notify = bool(value)
            case "title":
                self._notices.title = bool(value)
            case "sidebar":
                self._mixing.wants_sidebar = bool(value)
            case "motion":
                self._stage.pace(frames_a_second(value))
            case _:
                pass

    def action_edit(self) -> None:
        """Write the prompt in the user's editor."""
        self._stage.action_compose()
        self._stage.composer.edit()

    # The clipboard.

    def action_copy(self) -> None:
        """Copy the proposal in focus, or the answer in sight."""
        self._copy(self._stage.text_to_copy)

    def action_copy_code(self) -> None:
        """Copy the code in sight."""
        self._copy(self._stage.code_to_copy)

    def _copy(self, text: str) -> None:
        self.app.copy_to_clipboard(text)
        self.notify(words.copied(len(text)), markup=False)

    # Ways out.

    def quit_when_pressed_twice(self) -> None:
        """Leave when this comes for the second time in two seconds."""
        now, before = self._ports.clock.now(), self._pressed_at
        if before is not None and now - before < _TWICE_S:
            self.app.exit()
            return
        self._pressed_at = now
        self._stage.composer.refuse(words.PRESS_AGAIN)
        self._withdraw_later()

    @work(group="withdraw", exclusive=True)
    async def _withdraw_later(self) -> None:
        await self._ports.clock.sleep(_TWICE_S)
        self._stage.composer.withdraw(words.PRESS_AGAIN)

    # Questions.

    @property
    def is_asking(self) -> bool:
        """Whether it is being asked already whether to quit."""
        return self._is_asking

    def ask_to_leave(self, leave: Callable[[], object], *, is_lost: bool) -> None:
        """Ask before a run that is live is left, or what nothing brings back: ``is_lost``."""
        told = words.LEAVE_PRIVATE if is_lost else words.LEAVE_LIVE
        self._ask(words.LEAVE, told, yes=words.LEAVE_YES, then=leave)

    def ask_to_quit(self, quit_: Callable[[], object], *, is_kept: bool) -> None:
        """Ask before a run that is live is left; ``is_kept``: what it said is on disk."""
        told = words.QUIT_KEPT if is_kept else words.QUIT_LIVE
        self._ask(words.QUIT, told, yes=words.QUIT_YES, then=quit_, is_last=True)

    def ask_to_spend(self, told: str, allow: Callable[[], None], send: Callable[[], None]) -> None:
        """Ask before a conversation may pass its budget; on yes, allow it and send."""

        def then() -> None:
            allow()
            send()

        self._ask(words.SPEND, told, yes=words.SPEND_YES, no=words.SPEND_NO, then=then)

    def on_answer_view_link_pressed(self, event: AnswerView.LinkPressed) -> None:
        """Ask before a link that a model wrote is opened, and show where it leads."""
        event.stop()
        self._ask(
            words.OPEN_LINK,
            words.OPEN_LINK_TEXT,
            yes=words.OPEN_YES,
            no=words.OPEN_NO,
            detail=event.url,
            then=lambda: self.app.open_url(event.url),
        )

    def _ask(
        self,
        title: str,
        text: str,
        *,
        yes: str,
        then: Callable[[], object],
        no: str = words.QUIT_NO,
        detail: str = "",
        is_last: bool = False,
    ) -> None:
        from moa_tui.ui.dialogs.question import Question  # noqa: PLC0415 - as above

        def answered(is_yes: bool | None) -> None:  # noqa: FBT001 - what a dialog ends with
            self._is_asking = False
            if is_yes:
                then()

        self._is_asking = is_last
        question = Question(title, text, yes=yes, no=no, detail=detail)
        self.app.push_screen(question, answered)

    # Sessions.

    @property
    def has_store(self) -> bool:
        """Whether conversations are kept."""
        return self._ports.store is not None

    @property
    def has_papers(self) -> bool:
        """Whether a conversation can be exported."""
        return self._ports.store is not None and self._ports.papers is not None

    def choose_session(
        self,
        here: str,
        chosen: Callable[[Chosen], object],
        *,
        renamed: Callable[[str], object],
    ) -> None:
        """Open the sessions, ``here`` being open; ``chosen`` hears which one, and which turn.

        ``renamed`` hears the new name of the one that is open.
        """
        from moa_tui.ui.dialogs.sessions import SessionBrowser  # noqa: PLC0415 - as above

        if self._ports.store is not None:

            def ended(one: Chosen | None) -> None:
                if one is not None:
                    chosen(one)

            export = None if self._ports.papers is None else self.export
            browser = SessionBrowser(
                self._ports.store(),
                now=self._ports.date,
                here=here,
                renamed=renamed,
                export=export,
            )
            self.app.push_screen(browser, ended)

    @work(group="export")
    async def export(self, session: str) -> None:
        """Write a conversation to a file, and say where."""
        if self._ports.store is None or self._ports.papers is None:
            return
        try:
            page = await self._ports.store().markdown(session)
            title = next((line for line in page.splitlines() if line.strip("# ")), session)
            path = await self._ports.papers.write(title.strip("# "), page)
        except MoaError as error:
            self.notify(clean(str(error)), severity="warning", markup=False)
        else:
            self.notify(words.exported(path), markup=False)

    # Failures.

    def details(self, run: RunState, seat: SeatState | None, prompt: str) -> None:
        """Tell what failed, so that it can be copied; ``prompt`` is kept out of it."""
        from moa_tui.ui.dialogs.error import ErrorDialog  # noqa: PLC0415 - as above
        from moa_tui.ui.report import program_line, report  # noqa: PLC0415 - as above

        failed = seat or run.aggregator
        name = "" if failed is None else failed.model.partition("/")[0]
        told = report(
            run,
            seat,
            endpoint=self._ports.endpoints.get(name),
            prompt=prompt,
            program=program_line(),
        )
        self.app.push_screen(ErrorDialog(told))

    # Places.

    def action_suspend(self) -> None:
        """Give the terminal back for a while."""
        self.app.action_suspend_process()

    def action_jump(self) -> None:
        """Put a letter on each part of the screen, and go to the one that is typed."""
        from moa_tui.ui.jump import JumpOverlay, JumpTarget  # noqa: PLC0415 - as above

        side = self._mixing.sidebar
        places = [*self._stage.places(), *([("s", side)] if side is not None else [])]
        taken = {key for key, _ in places if key}
        free = iter(letter for letter in _LETTERS if letter not in taken)
        named = [(key or next(free), widget) for key, widget in places]
        by_key = dict(named)

        def go(key: str | None) -> None:
            if key is not None:
                by_key[key].focus()

        targets = [JumpTarget(key, key, widget.region) for key, widget in named]
        self.app.push_screen(JumpOverlay(targets), go)


def _is_ever(command: Command) -> bool:
    """Return whether a command can do something here at some time."""
    return not isinstance(command.node, Refusing) or command.node.is_ever(command.id)


def _why_not(command: Command) -> str:
    return command.node.why_not(command.id) if isinstance(command.node, Refusing) else ""


def _is_typed(command: Command) -> bool:
    """Return whether all of a command's keys are text while one is writing."""
    others = ("1-9", "space", "[ ]", "← →")
    return all(len(key) == 1 or key in others for key in command.keys)
