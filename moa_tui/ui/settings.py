"""The preferences as they hold: their values, where these come from, and how they change."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, get_args

from moa_tui.errors import ConfigError
from moa_tui.text import clean
from moa_tui.ui import settings_words as says
from moa_tui.ui.ports import Setting, SettingKey

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from moa_tui.ui.ports import Settings, SettingValue


class KeptSettings:
    """Preferences that state.toml keeps; it may be changed from any thread.

    ``values`` are the preferences by key. ``origins`` name the file or variable of each that has
    one; from where state.toml doesn't reach, they can't be changed. ``theme`` is the one that the
    command line asks for, "" if none; ``is_utf8`` whether the terminal's locale is.
    """

    def __init__(
        self,
        values: Mapping[str, SettingValue],
        origins: Mapping[str, str],
        *,
        remember: Callable[[str, str, SettingValue], None],
        theme: str = "",
        is_utf8: bool = True,
    ) -> None:
        self._remember = remember
        keys: tuple[SettingKey, ...] = get_args(SettingKey)
        self._values = {key: _setting(values[key], origins.get(key, "default")) for key in keys}
        if not is_utf8 and "glyphs" not in origins:
            self._values["glyphs"] = Setting("ascii", "locale")
        if theme:
            self._values["theme"] = Setting(theme, "--theme", self._values["theme"].fixed_by)

    def values(self) -> Mapping[SettingKey, Setting]:
        """Return every preference."""
        return self._values

    def change(self, key: SettingKey, value: SettingValue, /) -> None:
        """Write a value to state.toml; it holds from then on.

        Raises:
            ConfigError: something stands above the file, or it can't be written: in words.
        """
        if by := self._values[key].fixed_by:
            raise ConfigError(says.fixed(says.NAMES[key], by))
        self._remember("preferences", key, value)
        self._values = self._values | {key: Setting(value, "state.toml")}


def _setting(value: SettingValue, origin: str) -> Setting:
    is_ours = origin in ("default", "state.toml")
    return Setting(value, origin, "" if is_ours else origin)


class Keeping:
    """Lets settings take effect at once and saves them, one after another, off the loop.

    ``use`` makes a value hold in the program that runs.
    """

    def __init__(
        self, settings: Settings, use: Callable[[SettingKey, SettingValue], object]
    ) -> None:
        self._settings = settings
        self._use = use
        self._line = asyncio.Lock()

    def values(self) -> Mapping[SettingKey, Setting]:
        """Return every preference as it was saved last."""
        return self._settings.values()

    def refusal(self, key: SettingKey) -> str:
        """Return in words why a value can't be changed, "" if it can; a theme always can."""
        by = self.values()[key].fixed_by
        return says.fixed(says.NAMES[key], by) if by and key != "theme" else ""

    def use(self, key: SettingKey, value: SettingValue) -> None:
        """Let a value hold from now on, unless that is refused."""
        if not self.refusal(key):
            self._use(key, value)

    async def save(self, key: SettingKey, value: SettingValue) -> str:
        """Save a value; return in words why it wasn't saved, "" if it is."""
        if why := self.refusal(key):
            return why
        before = self.values()[key]
        if before.fixed_by:
            same = value == before.value
            return "" if same else says.back_again(before.fixed_by, str(before.value))
        try:
            async with self._line:
                await asyncio.to_thread(self._settings.change, key, value)
        except ConfigError as error:
            return says.not_saved(clean(str(error)))
        return ""
