"""Themes: TOML files read, and our variables derived for themes that lack them."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from textual.color import Color, ColorParseError
from textual.theme import Theme

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

VARIABLES = (
    *("ink", "bright", "muted", "muted-text-style", "code-ink"),
    *("edge", "track", "head", "head-ink", "code-background"),
    *("focus", "focus-head", "focus-ink", "focus-surface"),
    *("aggregator", "aggregator-ink", "aggregator-head", "aggregator-surface"),
    *("state-queued", "state-waiting", "state-thinking", "state-streaming", "state-done"),
    *("state-failed", "state-retrying", "state-late", "state-stopped"),
    "seat-ink",
    *(f"seat-{number}" for number in range(1, 13)),
)
"""What our widgets ask of a theme beyond Textual's own variables."""

_HUES = ("foreground", "primary", "secondary", "accent", "warning", "error", "success")
"""Textual's own variables in which letters are written: code, links, found letters."""

_SEATS = 12
_NEED = 4.5
_DARK_BELOW = 0.18
_STEPS = 20
_WHITE, _BLACK = Color(255, 255, 255), Color(0, 0, 0)
_FIELDS = {field.name: field.type for field in fields(Theme)}


@dataclass(frozen=True, slots=True)
class Shelf:
    """The themes that could be read, by name, and a sentence for each file that could not."""

    themes: Mapping[str, Theme]
    notices: tuple[str, ...] = ()


def load(folders: Sequence[Path], *, stem: str = "*") -> Shelf:
    """Read the ``*.toml`` of the folders; of two themes with one name the later wins.

    ``stem`` narrows it to the files of that name, since the first paint needs one theme only.
    """
    themes: dict[str, Theme] = {}
    notices: list[str] = []
    for folder in folders:
        try:
            paths = sorted(folder.glob(f"{stem}.toml"))
        except OSError as error:
            notices.append(f"themes in {folder} were left out: {error.strerror}")
            continue
        for path in paths:
            try:
                theme = read(path)
            except (OSError, ValueError) as error:
                notices.append(f"theme {path.name} was left out: {error}")
                continue
            themes[theme.name] = theme
    return Shelf(themes, tuple(notices))


def read(path: Path) -> Theme:
    """Read one theme: Textual's Theme fields and a table ``[variables]``.

    Raises:
        OSError: the file can't be read.
        ValueError: it isn't TOML (with line and column), or a field or colour in it is wrong.
    """
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    table.setdefault("name", path.stem)
    for key, value in table.items():
        _check_field(key, value)
    if "primary" not in table:
        raise ValueError("a theme needs at least primary")
    theme = Theme(**table)
    if theme.ansi:
        # Textual's own style sheet names these two and nothing defines them.
        theme.variables.setdefault("ansi-background", "ansi_black")
        theme.variables.setdefault("ansi-foreground", "ansi_white")
    # Textual parses colours when a theme is first used, and a wrong one would end the program.
    for key, value in {**table, **theme.variables}.items():
        if isinstance(value, str) and key != "name" and not key.endswith("-style"):
            _check_color(key, value)
    return theme


def derived(theme: Theme, ours: Mapping[str, Theme]) -> dict[str, str]:
    """Return `VARIABLES` for a theme, those that it lacks derived from its own colours.

    ``ours`` are the shipped themes by name: seats and states come from the one of the same
    brightness, each moved towards white or black in steps of 5 % until its contrast is 4.5:1 on
    the theme's background, surface and panel.
    """
    if theme.variables.keys() >= set(VARIABLES):
        return {}
    if theme.ansi:
        model = ours.get("moa-ansi")
        return dict(model.variables) if model else _plain("ansi_default")
    generated = theme.to_color_system().generate()
    page, card, panel = (Color.parse(generated[key]) for key in ("background", "surface", "panel"))
    ink = Color.parse(generated["foreground"])
    if page.a < 1 or ink.a < 1:
        return _plain("ansi_default")
    model = ours.get("moa-dark" if _luminance(page) < _DARK_BELOW else "moa-light")
    hues = _hues(generated) if model is None else model.variables
    grounds = (page, card, panel)
    far = _WHITE if _luminance(page) < _DARK_BELOW else _BLACK
    ink_hex = readable(ink, *grounds).hex
    bright = readable(ink.blend(far, 0.5), *grounds).hex
    return {
        "ink": ink_hex,
        "bright": bright,
        "muted": readable(ink.blend(page, 0.45), *grounds).hex,
        "muted-text-style": "none",
        "code-ink": readable(Color.parse(hues["code-ink"]), *grounds).hex,
        "edge": page.blend(ink, 0.2).hex,
        "track": page.blend(ink, 0.25).hex,
        "head": panel.hex,
        "head-ink": ink_hex,
        "code-background": page.hex,
        "focus": bright,
        "focus-head": ink_hex,
        "focus-ink": page.hex,
        "focus-surface": card.hex,
        "aggregator": readable(Color.parse(generated["accent"]), *grounds).hex,
        "aggregator-ink": page.hex,
        "aggregator-head": panel.hex,
        "aggregator-surface": card.hex,
        "seat-ink": page.hex,
        **{
            key: readable(Color.parse(hues[key]), *grounds).hex
            for key in VARIABLES
            if key.startswith(("state-", "seat-")) and key != "seat-ink"
        },
    }


def readable_hues(theme: Theme, variables: Mapping[str, str]) -> dict[str, str]:
    """Return the hues of a theme that knows nothing of us, moved until they can be read as text.

    ``variables`` are those that Textual makes of it. What a theme of ours says stays as it is.
    """
    if theme.ansi or theme.variables.keys() >= set(VARIABLES):
        return {}
    grounds = [Color.parse(variables[key]) for key in ("background", "surface", "panel")]
    hues = {key: Color.parse(variables[key]) for key in _HUES}
    if any(color.a < 1 for color in (*grounds, *hues.values())):
        return {}
    cursor = Color.parse(variables["input-cursor-background"])
    under_cursor = Color.parse(variables["input-cursor-foreground"])
    return {
        **{key: readable(hue, *grounds).hex for key, hue in hues.items()},
        "input-cursor-foreground": readable(under_cursor, cursor).hex,
    }


def readable(color: Color, *grounds: Color, need: float = _NEED) -> Color:
    """Return the colour, moved towards white or black until it is readable on every ground.

    ``need`` is a contrast ratio as WCAG 2 defines it.
    """
    end = _WHITE if all(_luminance(ground) < _DARK_BELOW for ground in grounds) else _BLACK
    for step in range(_STEPS + 1):
        moved = color.blend(end, step / _STEPS)
        if all(contrast(moved, ground) >= need for ground in grounds):
            return moved
    return end


def contrast(one: Color, other: Color) -> float:
    """Return the contrast ratio of two colours, 1 to 21 (WCAG 2, relative luminance)."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _luminance(color: Color) -> float:
    def linear(value: int) -> float:
        share = value / 255
        return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4  # noqa: PLR2004 - sRGB's own constants

    return 0.2126 * linear(color.r) + 0.7152 * linear(color.g) + 0.0722 * linear(color.b)


def _hues(generated: Mapping[str, str]) -> dict[str, str]:
    """Return seats and states from a theme's own hues, for when no theme of ours could be read."""
    wheel = [generated[key] for key in ("primary", "success", "accent", "secondary", "warning")]
    states = dict.fromkeys(VARIABLES, generated["foreground"])
    return states | {
        "state-thinking": generated["secondary"],
        "state-done": generated["success"],
        "state-failed": generated["error"],
        "state-retrying": generated["warning"],
        **{f"seat-{n + 1}": wheel[n % len(wheel)] for n in range(_SEATS)},
    }


def _plain(color: str) -> dict[str, str]:
    return {**dict.fromkeys(VARIABLES, color), "muted-text-style": "none"}


def _check_field(key: str, value: object) -> None:
    if key not in _FIELDS:
        raise ValueError(f"unknown key {key!r}")
    if key == "variables":
        if not isinstance(value, dict) or not all(isinstance(v, str) for v in value.values()):
            raise ValueError("[variables] wants texts")
        return
    wanted: type | tuple[type, ...] = str
    if key in ("dark", "ansi"):
        wanted = bool
    elif key in ("luminosity_spread", "text_alpha"):
        wanted = (int, float)
    if not isinstance(value, wanted):
        raise ValueError(f"{key} = {value!r} is of the wrong kind")  # noqa: TRY004 - one error for a wrong file


def _check_color(key: str, value: str) -> None:
    try:
        Color.parse(value)
    except ColorParseError as error:
        raise ValueError(f"{key} = {value!r} is no colour") from error
