"""The settings: what holds, where it comes from; what is changed holds at once and is saved."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar, Final

from textual import on
from textual.binding import Binding

from moa_tui.ui import settings_words as says
from moa_tui.ui.dialogs import settings_rows
from moa_tui.ui.dialogs.choices import Choices
from moa_tui.ui.dialogs.dialog import Dialog
from moa_tui.ui.dialogs.picker import Told
from moa_tui.ui.dialogs.settings_rows import KEYS, SettingListing
from moa_tui.ui.dialogs.themes import ThemePicker

if TYPE_CHECKING:
    from textual import events
    from textual.app import ComposeResult
    from textual.binding import BindingType

    from moa_tui.ui import look
    from moa_tui.ui.dialogs.choices import Grid
    from moa_tui.ui.ports import SettingKey, SettingValue
    from moa_tui.ui.settings import Keeping

_ROWS_ABOUT: Final = 4
_NUMBER: Final = re.compile(r"\d{1,9}(?:\.\d{0,6})?|\.\d{0,6}", re.ASCII)
"""What may stand there while a budget is typed."""


class SettingsDialog(Dialog[None]):
    """Shows the settings of ``keeping`` and changes them.

    A theme is only tried out, and a budget only typed, until enter or another row keeps it; esc
    brings back what was.
    """

    DEFAULT_CSS: ClassVar[str] = """
    SettingsDialog Choices { height: auto; max-height: 1fr; margin-top: 1; }
    SettingsDialog Told, SettingsDialog Foot { margin-top: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "keep", "keep it", id="setting.keep", tooltip="Keep what is on show"),
        Binding("enter", "list", "all themes", id="setting.list", tooltip="Open the themes"),
        Binding(
            "enter,space", "turn(1)", "change", id="setting.change", tooltip="Change it", show=False
        ),
        Binding(
            "left,h",
            "turn(-1)",
            "change",
            key_display="←→",
            id="setting.less",
            tooltip="The value before",
        ),
        Binding("right,l", "turn(1)", id="setting.more", tooltip="The next value", show=False),
        Binding("up,k", "move(-1)", "move", key_display="↑↓", id="setting.up", tooltip="A row up"),
        Binding("down,j", "move(1)", id="setting.down", tooltip="A row down", show=False),
        Binding("home", "move(-99)", id="setting.first", tooltip="First row", show=False),
        Binding("end", "move(99)", id="setting.last", tooltip="Last row", show=False),
        Binding(
            "escape", "restore", "back to before", id="setting.restore", tooltip="Keep the old one"
        ),
        Binding("escape", "close", "close", id="dialog.close", tooltip="Close the settings"),
    ]

    def __init__(self, keeping: Keeping) -> None:
        super().__init__(says.SETTINGS, says.SAVED_IN)
        self._keeping = keeping
        self._shown = {key: setting.value for key, setting in keeping.values().items()}
        self._choices = Choices()
        self._told = Told(self._about)
        self._before = ""
        self._typed = ""
        self._why: dict[SettingKey, str] = {}

    def body(self) -> ComposeResult:
        """The rows, and what the one under the cursor is about."""
        yield self._choices
        yield self._told

    def on_mount(self) -> None:
        """Fill the list."""
        self._told.fit(_ROWS_ABOUT)
        self._choices.styles.height = len(KEYS)
        self._choices.show(self._listing)

    @property
    def _listing(self) -> SettingListing:
        # The one on show, whatever a file calls it.
        shown = self._shown | {"theme": self.app.theme}
        return SettingListing(
            settings=self._keeping.values(),
            shown=shown,
            tried=self._before,
            typed=self._typed,
        )

    @property
    def _key(self) -> SettingKey:
        return KEYS[self._choices.at or 0]

    def _about(self, width: int, rows: int, palette: look.Palette) -> Grid:
        del rows
        at, why = self._choices.at or 0, self._why.get(self._key, "")
        return settings_rows.about(at, self._listing, why=why, width=width, palette=palette)

    def _redraw(self) -> None:
        if self.is_attached:
            self._choices.replace(self._listing)
            self._told.redraw()
            self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Return whether a key does something on the row under the cursor."""
        match action:
            case "keep" | "restore":
                return bool(self._before or self._typed)
            case "list":
                return self._key == "theme" and not self._before
            case _:
                return super().check_action(action, parameters)

    # Moving.

    def action_move(self, step: int) -> None:
        """Move the cursor so many rows."""
        self._choices.move(step)

    @on(Choices.Moved)
    def _move(self, event: Choices.Moved) -> None:
        event.stop()
        at = "budget" if self._typed else "theme"
        if (self._before or self._typed) and self._key != at:
            self.action_keep()
        self._redraw()

    @on(Choices.Picked)
    def _pick(self, event: Choices.Picked) -> None:
        """Do on a second click what enter does."""
        event.stop()
        if self._key != "theme":
            self.action_turn(1)
        elif self._before:
            self.action_keep()
        else:
            self.action_list()

    # Typing.

    def on_key(self, event: events.Key) -> None:
        """Take the digits of a budget."""
        if self._key != "budget":
            return
        typed = self._typed
        if event.key == "backspace" and typed:
            typed = typed[:-1]
        elif event.is_printable and event.character and _NUMBER.fullmatch(typed + event.character):
            typed += event.character
        else:
            return
        event.stop()
        self._why["budget"] = self._keeping.refusal("budget")
        self._typed = "" if self._why["budget"] else typed
        self._redraw()

    # Changing.

    def action_turn(self, by: int) -> None:
        """Show the theme that comes next; change another setting."""
        key = self._key
        self._typed = ""
        themes = settings_rows.in_order(self.app.available_themes)
        value = settings_rows.turned(key, self._listing.shown[key], by, themes=themes)
        if key == "theme":
            self._try_on(str(value))
        else:
            self._keep(key, value)

    def _try_on(self, theme: str) -> None:
        before = self._before or self.app.theme
        self._before = "" if theme == before else before
        self._why.pop("theme", None)
        self.app.theme = theme
        self._redraw()

    def action_keep(self) -> None:
        """Keep the theme that is on show, or the budget that was typed."""
        typed, self._typed = self._typed, ""
        if typed:
            self._keep("budget", float(typed.removesuffix(".") or 0))
            return
        self._before = ""
        self._keep("theme", self.app.theme)

    def action_restore(self) -> None:
        """Bring back the theme that is kept, or the budget."""
        if self._typed:
            self._typed = ""
            self._redraw()
        else:
            self._try_on(self._before)

    def action_list(self) -> None:
        """Open the list of all themes."""

        def ended(name: str | None) -> None:
            if name is not None:
                self._keep("theme", name)
            self._redraw()

        self.app.push_screen(ThemePicker(), ended)

    def action_close(self) -> None:
        """Close; a theme that isn't kept goes."""
        if self._before:
            self.action_restore()
        self.dismiss(None)

    def _keep(self, key: SettingKey, value: SettingValue) -> None:
        self._why[key] = self._keeping.refusal(key)
        if not self._why[key]:
            self._shown[key] = value
            self._keeping.use(key, value)
            # The program's worker, not the dialog's: closing it must not lose what was changed.
            self.app.run_worker(self._saved(key, value), group="settings")
        self._redraw()

    async def _saved(self, key: SettingKey, value: SettingValue) -> None:
        self._why[key] = await self._keeping.save(key, value)
        self._redraw()
        if self._why[key] and not self.is_attached:
            self.app.notify(self._why[key], severity="warning", markup=False)
