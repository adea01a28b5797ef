"""What is said about settings, in one place so that it can be said in another language."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from moa_tui.engine.cost import amount

if TYPE_CHECKING:
    from collections.abc import Mapping

    from moa_tui.ui.ports import SettingKey, SettingValue

SETTINGS: Final = "Settings"
SAVED_IN: Final = "saved as you change them"

NAMES: Final[Mapping[SettingKey, str]] = {
    "theme": "Theme",
    "notify": "Notifications",
    "title": "Window title",
    "glyphs": "Glyphs",
    "motion": "Motion",
    "sidebar": "Sidebar",
    "budget": "Budget",
}
DESCRIPTIONS: Final[Mapping[SettingKey, str]] = {
    "theme": (
        "The colours: ours, Textual's, and the files in your themes folder. The screen shows each"
        " one while you look for it."
    ),
    "notify": "A bell or a word of the terminal when a run ends while you are elsewhere.",
    "title": "The terminal's window or tab is called after what you asked.",
    "glyphs": (
        "ASCII is for fonts and terminals that lack our signs, or show them two cells wide."
        " What models write stays as it is, but for the same signs."
    ),
    "motion": (
        "Reduced: text comes four times a second, scrolling jumps and the cursor stands still."
    ),
    "sidebar": "It stands open at the left where the screen has 120 columns; f9 opens it always.",
    "budget": (
        "Dollars that a conversation may cost before you are asked; type a number, 0 is none."
        " Calls without a known price aren't counted."
    ),
}
VALUES: Final[Mapping[SettingValue, str]] = {
    True: "on",
    False: "off",
    "unicode": "Unicode",
    "ascii": "ASCII",
    "full": "full",
    "reduced": "reduced",
}

NO_BUDGET: Final = "none"

THEMES: Final = "Themes"
TYPE_THEME: Final = "type to find a theme"
OURS: Final = "Ours"
YOURS: Final = "Yours"
TEXTUALS: Final = "Textual's"
DARK: Final = "dark"
LIGHT: Final = "light"
TERMINALS: Final = "the terminal's colours"
NOW: Final = "in use"
TRYING: Final = "tried out"
TRIED: Final = "You see it; enter keeps it, esc brings back {before}."
NO_THEMES: Final = "there is no such theme"

DEFAULT: Final = "default"
LOCALE: Final = "the locale isn't UTF-8"
LOCALE_SHORT: Final = "locale"
SET_HERE: Final = "set here"
OPTION_SHORT: Final = "command line"
VARIABLE_SHORT: Final = "environment"
TYPING: Final = "being typed"
TYPED: Final = "Enter keeps it, esc brings back {before}."

THEME_OPTION: Final = "For this start --theme says so; what you keep holds from the next one on."


def dollars(budget: float) -> str:
    """Return a budget as people read it, 0 being none."""
    return amount(budget) if budget else NO_BUDGET


def from_option(option: str) -> str:
    """Return that an option of the command line says a value."""
    return f"{OPTION_SHORT}: {option}"


def from_variable(variable: str) -> str:
    """Return that a variable of the environment says a value."""
    return f"{VARIABLE_SHORT}: {variable}"


def fixed(name: str, by: str) -> str:
    """Return why a value can't be changed here and where it can."""
    return f"{by} fixes {name.lower()}: change it there."


def not_saved(why: str) -> str:
    """Return that a value holds now but wasn't written."""
    return f"It holds until you leave, it wasn't saved: {why}"


def back_again(by: str, theme: str) -> str:
    """Return that another theme holds for now only."""
    return f"It holds until you leave: {by} brings back {theme} at the next start."
