"""Settings and themes as rows of lists, and what there is to tell about one; no widgets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from rich.segment import Segment
from textual.theme import BUILTIN_THEMES

from moa_tui.text import one_line
from moa_tui.ui import look
from moa_tui.ui import settings_words as says
from moa_tui.ui.dialogs.choices import marked
from moa_tui.ui.dialogs.fuzzy import folded, positions, rank
from moa_tui.ui.rows import wrapped

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from textual.theme import Theme

    from moa_tui.ui.dialogs.choices import Grid
    from moa_tui.ui.ports import Setting, SettingKey, SettingValue

_NAME: Final = 15
_WIDE_FROM: Final = 68
_LESS: Final = "◂"
_LONGEST_THEME: Final = 40
_CURSOR: Final = "▏"
_BUDGETS: Final = (0.0, 0.1, 0.5, 1.0, 5.0, 20.0)
_TURNS: Final[Mapping[SettingKey, tuple[SettingValue, ...]]] = {
    "notify": (True, False),
    "title": (True, False),
    "glyphs": ("unicode", "ascii"),
    "motion": ("full", "reduced"),
    "sidebar": (True, False),
    "budget": _BUDGETS,
}
KEYS: Final[tuple[SettingKey, ...]] = ("theme", *_TURNS)
"""The settings in the order of their rows."""


def turned(key: SettingKey, value: SettingValue, by: int, *, themes: Sequence[str]) -> SettingValue:
    """Return the value that comes ``by`` later; after the last one the first comes again."""
    values: Sequence[SettingValue] = _TURNS.get(key, themes)
    if key == "budget":
        # What was typed may lie between them.
        values = sorted({*_BUDGETS, float(value)})
    at = values.index(value) if value in values else -1 if by > 0 else 0
    return values[(at + by) % len(values)]


# Settings.


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingListing:
    """The settings, each with what holds now.

    ``tried`` is the theme that esc brings back while another is on show, ``typed`` what stands of
    a budget that is being typed.
    """

    settings: Mapping[SettingKey, Setting]
    shown: Mapping[SettingKey, SettingValue]
    tried: str = ""
    typed: str = ""

    def __len__(self) -> int:
        return len(KEYS)

    def may_stop(self, number: int, /) -> bool:
        """Return that the cursor can stand on every row."""
        del number
        return True

    def row(
        self, number: int, width: int, palette: look.Palette, /
    ) -> tuple[Sequence[Segment], Sequence[Segment]]:
        """Return name and value, then where the value comes from."""
        key = KEYS[number]
        setting = self.settings[key]
        value = _told(key, self.shown[key])
        is_typed = key == "budget" and bool(self.typed)
        if is_typed:
            value = f"${self.typed}{_CURSOR}"
        can_turn = not setting.fixed_by or key == "theme"
        left = [
            Segment(f"{says.NAMES[key]:<{_NAME}}", palette.ink + look.BOLD),
            Segment(f"{_LESS} " if can_turn else "  ", palette.muted),
            Segment(value, palette.bright),
            Segment(f" {look.FOLDED}" if can_turn else "", palette.muted),
        ]
        is_tried = key == "theme" and bool(self.tried)
        origin = _origin(setting, is_wide=width >= _WIDE_FROM)
        if is_tried or is_typed:
            origin = says.TRYING if is_tried else says.TYPING
        return left, [Segment(origin, palette.muted)]


def _told(key: SettingKey, value: SettingValue) -> str:
    if key == "budget":
        return says.dollars(float(value))
    return says.VALUES.get(value) or one_line(str(value), _LONGEST_THEME)


def _origin(setting: Setting, *, is_wide: bool) -> str:
    """Return where a value comes from, in a few words or in fewer."""
    match setting.origin:
        case "default":
            return says.DEFAULT
        case "locale":
            return says.LOCALE if is_wide else says.LOCALE_SHORT
        case "state.toml":
            return says.SET_HERE
        case "config.toml":
            return setting.origin
        case option if option.startswith("-"):
            return says.from_option(option) if is_wide else says.OPTION_SHORT
        case variable:
            return says.from_variable(variable) if is_wide else says.VARIABLE_SHORT


def about(
    number: int, listing: SettingListing, *, why: str, width: int, palette: look.Palette
) -> Grid:
    """Return what a setting is about, after ``why`` its value can't be changed or saved."""
    key = KEYS[number]
    setting = listing.settings[key]
    grid: Grid = []
    if why:
        warning = Segment(f"{look.GLYPHS['retrying']} {why}", palette.state("retrying"))
        grid += wrapped([warning], width)
    elif key == "theme" and listing.tried:
        told = says.TRIED.format(before=one_line(listing.tried, _LONGEST_THEME))
        grid += wrapped([Segment(told, palette.bright)], width)
    elif key == "budget" and listing.typed:
        told = says.TYPED.format(before=_told(key, listing.shown[key]))
        grid += wrapped([Segment(told, palette.bright)], width)
    elif setting.origin == "--theme":
        grid += wrapped([Segment(says.THEME_OPTION, palette.bright)], width)
    return grid + wrapped([Segment(says.DESCRIPTIONS[key], palette.ink)], width)


# Themes.

Whose: TypeAlias = Literal["ours", "yours", "textual"]

_HEADS: Final[Mapping[Whose, str]] = {
    "ours": says.OURS,
    "yours": says.YOURS,
    "textual": says.TEXTUALS,
}
_OURS: Final = ("moa-dark", "moa-light", "moa-contrast", "moa-ansi")


def whose(name: str) -> Whose:
    """Return whose theme has this name."""
    if name in _OURS:
        return "ours"
    return "textual" if name in BUILTIN_THEMES else "yours"


def in_order(names: Collection[str]) -> list[str]:
    """Return themes as lists show them: ours, the user's, Textual's."""
    order = {name: place for place, name in enumerate(_OURS)}
    sections = list(_HEADS)
    return sorted(
        names, key=lambda name: (sections.index(whose(name)), order.get(name, 0), name.lower())
    )


@dataclass(frozen=True, slots=True)
class ThemeListing:
    """Themes below the heads of their sections; a row without a theme is a head."""

    rows: tuple[Theme | str, ...]
    query: str = ""
    now: str = ""

    @classmethod
    def of(cls, themes: Mapping[str, Theme], *, query: str, now: str) -> ThemeListing:
        """Return what the query finds: the best first, or without one all, by sections."""
        names = in_order(themes)
        if query.strip():
            found = rank(query, [folded(name) for name in names])
            return cls(tuple(themes[names[number]] for number in found), query, now)
        rows: list[Theme | str] = []
        for section, head in _HEADS.items():
            below = [themes[name] for name in names if whose(name) == section]
            rows += [head, *below] if below else []
        return cls(tuple(rows), query, now)

    def __len__(self) -> int:
        return len(self.rows)

    def name(self, number: int | None) -> str:
        """Return the theme of a row, "" if it has none."""
        if number is None or number >= len(self.rows):
            return ""
        row = self.rows[number]
        return "" if isinstance(row, str) else row.name

    def where(self, name: str) -> int:
        """Return the row of a theme, else the first."""
        names = [self.name(number) for number in range(len(self))]
        return names.index(name) if name in names else 0

    def may_stop(self, number: int, /) -> bool:
        """Return whether a row is a theme's."""
        return not isinstance(self.rows[number], str)

    def row(
        self, number: int, width: int, palette: look.Palette, /
    ) -> tuple[Sequence[Segment], Sequence[Segment]]:
        """Return a theme's name, then whether it is dark or light, and whether it is in use."""
        del width
        theme = self.rows[number]
        if isinstance(theme, str):
            return [Segment(theme, palette.muted)], []
        name = one_line(theme.name, _LONGEST_THEME)
        letters = positions(self.query, folded(name))
        bright = palette.bright + look.BOLD
        left = marked(name, letters, palette.ink, bright)
        if theme.name == self.now:
            left.append(Segment(f"  {says.NOW}", palette.muted))
        kind = says.TERMINALS if theme.ansi else says.DARK if theme.dark else says.LIGHT
        return left, [Segment(kind, palette.muted)]


_SAMPLE_STATES: Final[tuple[tuple[look.StateKey, str], ...]] = (
    ("waiting", "waiting"),
    ("thinking", "thinking"),
    ("streaming", "streaming"),
    ("done", "done"),
    ("retrying", "retry"),
    ("failed", "failed"),
)
_SAMPLE_SEATS: Final = 6


def sample(width: int, palette: look.Palette) -> Grid:
    """Return the seats' and states' colours of the theme on show."""
    seats: list[Segment] = []
    for number in range(1, _SAMPLE_SEATS + 1):
        seats += [palette.chip(number), Segment(" ")]
    star = Segment(f"{look.STAR} ", palette.aggregator + look.BOLD)
    states: list[Segment] = []
    for key, word in _SAMPLE_STATES:
        states.append(Segment(f"{look.GLYPHS[key]} {word}  ", palette.state(key)))
    rows = [[*seats, star], states]
    return [look.clipped(row, width) for row in rows]
