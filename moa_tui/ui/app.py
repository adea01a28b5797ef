"""The full-screen program: themes, the first screen, and every way out of it."""

from __future__ import annotations

import difflib
import gc
import os
import signal
import threading
import traceback
from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment, Segments
from textual.app import App
from textual.binding import Binding

from moa_tui.text import clean, redact
from moa_tui.ui import themes, words
from moa_tui.ui.conversation import ConversationScreen

if TYPE_CHECKING:
    from textual.binding import BindingType
    from textual.screen import Screen

    from moa_tui.ui.ports import Ports, Start

_LAST_RESORT_S = 3.0
_FALLBACK_THEME = "textual-dark"


class MoaApp(App[None]):
    """Shows conversations; leave it with ``sys.exit(app.return_code or 0)``.

    The return code is 1 after a crash and 128 + n after signal n.
    """

    TITLE = "moa"
    CSS_PATH = "moa.tcss"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "ctrl+q", "quit", "quit", id="quit", tooltip="Leave", priority=True, key_display="^q"
        ),
    ]

    def __init__(self, ports: Ports, start: Start) -> None:
        # Start-up only makes objects: 138 collections in it cost 50 ms and find nothing.
        gc.disable()
        # Textual asks for the variables of a theme while it is being built.
        self._ports = ports
        self._start = start
        self._shelf = themes.load(ports.theme_folders, stem=ports.theme)
        if ports.theme not in self._shelf.themes:
            self._shelf = themes.load(ports.theme_folders)
        super().__init__()
        for theme in self._shelf.themes.values():
            self.register_theme(theme)
        self._unknown_theme = "" if ports.theme in self.available_themes else ports.theme
        self.theme = _FALLBACK_THEME if self._unknown_theme else ports.theme

    def get_default_screen(self) -> Screen[None]:
        """Return the conversation."""
        return ConversationScreen(self._ports, self._start)

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Return our variables for a theme that doesn't define them all."""
        return themes.derived(self.current_theme, self._shelf.themes)

    def on_load(self) -> None:
        """Take the signals that would leave the terminal in its modes, before it is in them."""
        if self.is_headless:
            return
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGINT):
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._on_signal)

    def on_mount(self) -> None:
        """Do what can wait until the first frame is out."""
        self.call_after_refresh(self._settle)

    def _settle(self) -> None:
        """Collect garbage again, but not among what stays; load the other themes."""
        if not self.is_headless:
            gc.freeze()
        gc.enable()
        self._shelf = themes.load(self._ports.theme_folders)
        for theme in self._shelf.themes.values():
            self.register_theme(theme)
        for notice in self._shelf.notices:
            self.notify(clean(notice), severity="warning", markup=False)
        if self._unknown_theme:
            near = difflib.get_close_matches(self._unknown_theme, self.available_themes, n=1)
            known = words.unknown_theme(self._unknown_theme, near[0] if near else "")
            self.notify(clean(known), severity="warning", markup=False)

    def _on_signal(self, number: int, frame: object) -> None:
        """Leave in order, and at any price soon: a terminal that is gone may block every write.

        A handler of Python's own and not the loop's, since a blocked loop never runs the latter.
        """
        del frame
        code = 128 + number
        last_resort = threading.Timer(_LAST_RESORT_S, os._exit, (code,))
        last_resort.daemon = True
        last_resort.start()
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self.exit, None, code)

    def _fatal_error(self) -> None:
        """Say what broke without the local variables, which may hold keys."""
        lines = clean(redact(traceback.format_exc()))
        self._exit_renderables.append(Segments([Segment(f"{lines}\n{words.BUG}.\n")]))
        self._close_messages_no_wait()
