"""What a setting does to the program that runs, as far as it is Textual's to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from textual import constants

from moa_tui.ui import glyphs

if TYPE_CHECKING:
    from textual.app import App

    from moa_tui.ui.ports import SettingKey, SettingValue

REDUCED_FPS: Final = 4
"""How often what streams is painted where motion is reduced."""


def take_up(app: App[Any], key: SettingKey, value: SettingValue) -> None:
    """Let a theme, glyphs or motion hold from now on; the other settings are the screen's."""
    match key:
        case "theme" if value in app.available_themes:
            app.theme = str(value)
        case "glyphs":
            glyphs.use(app, is_ascii=value == "ascii")
        case "motion":
            is_still = value == "reduced"
            app.animation_level = "none" if is_still else constants.TEXTUAL_ANIMATIONS
        case _:
            pass


def frames_a_second(motion: SettingValue) -> int | None:
    """Return the pace of a `FrameClock`; None is its own."""
    return REDUCED_FPS if motion == "reduced" else None
