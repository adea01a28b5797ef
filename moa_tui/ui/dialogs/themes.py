"""The theme picker: the screen shows the theme under the cursor while one looks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from rich.segment import Segment
from textual.binding import Binding

from moa_tui.ui import settings_words as says
from moa_tui.ui.dialogs import settings_rows, texts
from moa_tui.ui.dialogs.picker import Picker
from moa_tui.ui.dialogs.settings_rows import ThemeListing

if TYPE_CHECKING:
    from textual.binding import BindingType

    from moa_tui.ui import look
    from moa_tui.ui.dialogs.choices import Grid, Listing

_ROWS_ABOUT: Final = 2
_SAMPLES_FROM: Final = 16


class ThemePicker(Picker[str]):
    """Shows all themes; enter ends with the name of the chosen one, which is on show by then.

    Esc brings back the theme that was there before.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "keep it", id="theme.choose", tooltip="Keep this theme"),
        Binding("escape", "close", "back to before", id="dialog.close", tooltip="Keep the old one"),
    ]

    def __init__(self) -> None:
        super().__init__(says.THEMES, says.TYPE_THEME)
        self._before = ""
        self._is_over = False
        self._listing = ThemeListing(())

    def on_mount(self) -> None:
        """Remember which theme esc brings back."""
        self._before = self.app.theme

    def listing(self, query: str) -> Listing:
        """Return the themes that the query finds."""
        themes = self.app.available_themes
        self._listing = ThemeListing.of(themes, query=query, now=self._before)
        count = sum(map(self._listing.may_stop, range(len(self._listing))))
        self.tell(says.THEMES, texts.found(count, len(themes), "theme"))
        return self._listing

    def start(self, listing: Listing) -> int:
        """Return the row of the theme on show, while nothing is typed."""
        del listing
        return 0 if self._listing.query.strip() else self._listing.where(self.app.theme)

    def rows_about(self, height: int) -> int:
        """Return two rows, or none where the list needs them."""
        return _ROWS_ABOUT if height >= _SAMPLES_FROM else 0

    def about(self, width: int, rows: int, palette: look.Palette) -> Grid:
        """Return what the theme's colours are for, or that nothing was found."""
        del rows
        if not self._listing:
            return [[Segment(says.NO_THEMES, palette.muted)]]
        return settings_rows.sample(width, palette)

    def moved(self) -> None:
        """Show the theme under the cursor once the keys that came meanwhile are heard."""
        self.call_after_refresh(self._try_on)

    def _try_on(self) -> None:
        if not self._is_over:
            self._put_on(self._listing.name(self.at) or self._before)

    def _put_on(self, name: str) -> None:
        if name != self.app.theme and name in self.app.available_themes:
            self.app.theme = name

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Return whether there is a theme to keep."""
        if action == "choose":
            return bool(self._listing.name(self.at))
        return super().check_action(action, parameters)

    def action_choose(self) -> None:
        """End with the theme under the cursor."""
        name = self._listing.name(self.at)
        if name:
            self._is_over = True
            self._put_on(name)
            self.dismiss(name)

    def action_close(self) -> None:
        """Bring back the theme that was there before."""
        self._is_over = True
        self._put_on(self._before)
        self.dismiss(None)
