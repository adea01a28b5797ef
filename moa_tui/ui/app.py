"""The full-screen program: themes, the first screen, and every way out of it."""

from __future__ import annotations

import asyncio
import difflib
import gc
import sys
import traceback
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events, on
from textual.app import App
from textual.binding import Binding
from textual.widgets import TextArea

from moa_tui.errors import MoaError
from moa_tui.text import clean
from moa_tui.ui import appearance, themes, words
from moa_tui.ui.conversation import ConversationScreen
from moa_tui.ui.mixing import going_on
from moa_tui.ui.notices import keeping_title
from moa_tui.ui.recording import opened_from
from moa_tui.ui.steering import Steering
from moa_tui.ui.terminal import SteadyDriver, steady
from moa_tui.ui.ways_out import WaysOut

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from textual.binding import BindingType
    from textual.driver import Driver
    from textual.notifications import Notify
    from textual.screen import Screen

    from moa_tui.ui.dialogs.resume import ResumeDialog
    from moa_tui.ui.ports import Ports, Start
    from moa_tui.ui.store import Store, Unfinished

_LAST = "last"
_FEW = 50
_FALLBACK_THEME = "textual-dark"


class MoaApp(App[None]):
    """Shows conversations; leave it with ``sys.exit(app.return_code or 0)``.

    The return code is 1 after a crash and 128 + n after signal n; ``crash`` is the traceback then.
    """

    TITLE = "moa"
    CSS_PATH = "moa.tcss"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "ctrl+q",
            "quit",
            "quit",
            id="quit",
            tooltip="Leave the program",
            priority=True,
            key_display="^q",
        ),
    ]

    def __init__(self, ports: Ports, start: Start) -> None:
        # Start-up only makes objects: 138 collections in it cost 50 ms and find nothing.
        gc.disable()
        # Textual asks for the variables of a theme while it is being built.
        self._ports = ports
        self._start = start
        self.crash = self._crash = ""
        self._typed_early: list[events.Key | events.Paste] | None = []
        self._has_typed = False
        self._offer: ResumeDialog | None = None
        self._shelf = themes.load(ports.theme_folders, stem=ports.theme)
        if ports.theme not in self._shelf.themes:
            self._shelf = themes.load(ports.theme_folders)
        super().__init__()
        for theme in self._shelf.themes.values():
            self.register_theme(theme)
        self._unknown_theme = "" if ports.theme in self.available_themes else ports.theme
        self.theme = _FALLBACK_THEME if self._unknown_theme else ports.theme
        settings = {} if ports.settings is None else ports.settings.values()
        for key in ("glyphs", "motion"):
            if key in settings:
                appearance.take_up(self, key, settings[key].value)

    def get_driver_class(self) -> type[Driver]:
        """Return Textual's, but that it waits for no terminal and gives a window its title back."""
        return keeping_title(steady(super().get_driver_class()), self._ports.terminal)

    def get_default_screen(self) -> Screen[None]:
        """Return the conversation."""
        self._conversation = ConversationScreen(self._ports, self._start)
        return self._conversation

    @on(Steering.Wanted)
    async def _open(self, event: Steering.Wanted) -> None:
        """Open another conversation in the place of this one."""
        try:
            opened = await opened_from(
                self._ports.store,
                event.session,
                is_private=event.is_private,
                is_replay=event.is_replay,
            )
        except MoaError as error:
            self.notify(clean(str(error)), severity="warning", markup=False)
            self._conversation.stay()
            return
        if event.session and self._start.session and self._conversation.draft:
            # Typed while it was being looked for, and meant for it.
            opened.draft = self._conversation.draft
        start, said = going_on(self._ports, event.start, opened.mixture)
        before, self._conversation = (
            self._conversation,
            ConversationScreen(self._ports, start, opened=opened),
        )
        if not before._result_callbacks:  # noqa: SLF001 - Textual wants one, and the first has none
            before._push_result_callback(self, None)  # noqa: SLF001 - as above
        await self.switch_screen(self._conversation)
        if said:
            self.notify(said, markup=False)

    async def action_quit(self) -> None:
        """Leave; a run that is live is asked about first."""
        self._conversation.leave()

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Return our variables for a theme that doesn't define them all."""
        return themes.derived(self.current_theme, self._shelf.themes)

    def get_css_variables(self) -> dict[str, str]:
        """Return a theme's variables, those hues of a foreign one made readable."""
        variables = super().get_css_variables()
        variables.update(themes.readable_hues(self.current_theme, variables))
        return variables

    def on_mount(self) -> None:
        """Do what can wait until the first frame is out."""
        self.call_after_refresh(self._settle)

    async def on_event(self, event: events.Event) -> None:
        """Keep what is typed before there is a composer, and let no offer take it."""
        if isinstance(event, events.Key | events.Paste) and not event.is_forwarded:
            if self._typed_early is not None:
                self._typed_early.append(event)
                return
            if isinstance(event, events.Paste) or event.is_printable:
                self._has_typed = True
                self._withdraw_offer()
            if isinstance(event, events.Key) and await self._is_done(event.key):
                return
        await super().on_event(event)

    async def _is_done(self, key: str) -> bool:
        """Do what a key means where nobody writes, before the next key is looked at.

        Textual lets a key bubble up first. What was typed behind an i would go to whatever had
        the focus until then, where letters are commands.
        """
        is_written_in = isinstance(self.focused, TextArea)
        if self.screen is not self._conversation or is_written_in or not self.app_focus:
            return False
        for is_first in (True, False):
            if await self._check_bindings(key, priority=is_first):
                return True
        return False

    def _withdraw_offer(self) -> None:
        """Close the offer to resume, if it is in front: what is typed is for the composer."""
        if self._offer is not None and self.screen is self._offer:
            self._offer.dismiss(None)

    def _on_notify(self, event: Notify) -> None:
        """Say something in passing, once while it stands there: six seats may say the same."""
        event.prevent_default()
        said = event.notification.message
        if all(shown.message != said for shown in self._notifications):
            super()._on_notify(event)

    def _settle(self) -> None:
        """Take what was typed, collect garbage, but not among what stays; load other themes."""
        early, self._typed_early = self._typed_early, None
        for event in early or ():
            self.post_message(event)
        if not self.is_headless:
            gc.freeze()
        gc.enable()
        self._shelf = themes.load(self._ports.theme_folders)
        for theme in self._shelf.themes.values():
            self.register_theme(theme)
        for notice in (*self._shelf.notices, *self._take_keys()):
            self.notify(clean(notice), severity="warning", markup=False)
        if self._ports.store is not None:
            self.run_worker(self._look_back(self._ports.store), group="look back")
        if self._unknown_theme:
            near = difflib.get_close_matches(self._unknown_theme, self.available_themes, n=1)
            known = words.unknown_theme(self._unknown_theme, near[0] if near else "")
            self.notify(clean(known), severity="warning", markup=False)

    async def _look_back(self, store: Callable[[], Store]) -> None:
        """Open the session that was asked for; else offer what was running when all ended."""
        try:
            await asyncio.to_thread(store)
            unfinished = await store().unfinished()
            session = self._start.session
            if session == _LAST:
                rows = await store().sessions(limit=_FEW)
                session = next((row.id for row in rows if row.turns), "")
        except MoaError as error:
            self.notify(clean(str(error)), severity="warning", markup=False)
            self._conversation.stay()
            return
        if not session:
            self._conversation.stay()
        if session:
            self._conversation.want(session, is_replay=self._start.is_replay)
        elif unfinished and (self._has_typed or self._conversation.draft):
            self._mention(unfinished)
        elif unfinished:
            self._offer_to_resume(store(), unfinished)

    def _offer_to_resume(self, store: Store, unfinished: Sequence[Unfinished]) -> None:
        from moa_tui.ui.dialogs.resume import ResumeDialog  # noqa: PLC0415 - after a crash

        def ended(found: str | None) -> None:
            self._offer = None
            if found is not None:
                one = next(one for one in unfinished if one.session == found)
                store.show(one.turn, one.run)
                self._conversation.want(found)
            elif self._has_typed:
                self._mention(unfinished)

        self._offer = ResumeDialog(unfinished, events=store.run)
        self.push_screen(self._offer, ended)

    def _mention(self, unfinished: Sequence[Unfinished]) -> None:
        """Say what was left unfinished in a corner, where it takes nothing of what is typed."""
        self.notify(words.left_unfinished(unfinished[0].title), markup=False)

    def _take_keys(self) -> tuple[str, ...]:
        """Put the keys that the user chose in the place of ours; return what is wrong with them."""
        if not self._ports.keymap:
            return ()
        from moa_tui.ui.key_choice import checked, places  # noqa: PLC0415 - brings every widget

        chosen = checked(self._ports.keymap, places())
        self.set_keymap(chosen.keymap)
        return chosen.notices

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """Watch every way out, from before the terminal is in its modes until it is given back."""
        with WaysOut(self._leave) as ways_out:
            ways_out.take_signals()
            if sys.__stdin__ is not None:
                ways_out.watch(sys.__stdin__.fileno())
            yield

    def _leave(self, code: int) -> None:
        """Leave in order, told by another thread or a signal."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self.exit, None, code)

    def _display(self, screen: Screen[Any], renderable: Any) -> None:  # noqa: ANN401 - any of Rich's
        """Paint a frame, unless the terminal takes none."""
        if not (isinstance(self._driver, SteadyDriver) and self._driver.leaves_out_frame()):
            super()._display(screen, renderable)

    def _fatal_error(self) -> None:
        """Say what broke without the local variables, which may hold keys."""
        self.crash = self._crash = clean(self._ports.masked(traceback.format_exc()))
        self._close_messages_no_wait()

    def _print_error_renderables(self) -> None:
        """Print it once the terminal is given back, its lines uncut."""
        super()._print_error_renderables()
        if self._crash:
            sys.stderr.write(f"{self._crash}\n{words.BUG}.\n")
            self._crash = ""
