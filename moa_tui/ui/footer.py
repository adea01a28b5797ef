"""The last row: the keys that do something now, with the present focus, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment

from moa_tui.ui import look
from moa_tui.ui.rows import Rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from textual.binding import Binding
    from textual.screen import Screen
    from textual.strip import Strip

_FIRST = (
    *("accept", "dismiss", "replay_pause", "replay_step", "stop", "send", "use_example"),
    *("answer.tiles", "race.open", "merge_now", "retry_seat", "take", "swap_seat", "complete"),
    *("details", "new_line", "again", "next", "compose", "seat_1", "zoom", "pin", "copy"),
    *("race_view", "layer_before", "version_before", "merge_again", "blind_test", "edit_prompt"),
    *("thinking", "palette", "presets", "models", "sidebar", "jump", "copy_code", "replay"),
    *("endpoints", "new_session", "sessions", "settings", "add_seat"),
)
"""Binding ids by what one most likely looks for; others follow."""
_PLACES = {command: place for place, command in enumerate(_FIRST)}

_LAST = ("help", "quit")
"""Those that stand there always, behind the others."""

_NAMES = {
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
    "escape": "esc",
    "question_mark": "?",
    "plus": "+",
    "minus": "-",
    "equals_sign": "=",
    "slash": "/",
    "full_stop": ".",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "left_curly_bracket": "{",
    "right_curly_bracket": "}",
    "pageup": "pgup",
    "pagedown": "pgdn",
    "delete": "del",
}


class Footer(Rows):
    """One row of keys, made from the live bindings, cut at whole keys where room ends.

    It is empty while a dialog is open above its screen: then none of them works.
    """

    DEFAULT_CSS: ClassVar[str] = """
    Footer { height: 1; dock: bottom; background: $background; }
    """

    def on_mount(self) -> None:
        """Follow the screen's bindings, which are told anew when a dialog opens and closes too."""
        self.screen.bindings_updated_signal.subscribe(self, self._on_bindings)

    def draw(self, width: int, palette: look.Palette) -> Sequence[Strip]:
        """Return the row."""
        bindings = shown_bindings(self.screen) if self.screen.is_active else []
        # However little room there is, nobody should have to look for the way out.
        last = keys_row([one for one in bindings if one.id in _LAST], width, palette)
        others = [one for one in bindings if one.id not in _LAST]
        row = keys_row(others, width - look.cells(last) - 1, palette)
        return [look.row([*row, *last], [], width=width, ground=palette.background)]

    def _on_bindings(self, screen: Screen[object]) -> None:
        del screen
        self.redraw()


def place_of(command: str) -> int:
    """Return where a command stands among others by how likely it is looked for."""
    # In the sidebar one looks for what can be done with its row.
    if command.startswith("sidebar."):
        return -1
    return _PLACES.get(command, len(_FIRST))


def shown_bindings(screen: Screen[object]) -> list[Binding]:
    """Return the bindings that work now, one a thing to do, the likeliest first."""
    live = [active.binding for active in screen.active_bindings.values() if active.enabled]
    found: dict[str, Binding] = {}
    for binding in sorted(live, key=lambda binding: place_of(binding.id or "")):
        if binding.show and binding.description:
            found.setdefault(binding.description, binding)
    return list(found.values())


def keys_row(bindings: Iterable[Binding], width: int, palette: look.Palette) -> list[Segment]:
    """Return keys and what they do, as many as fit ``width`` cells whole."""
    row: list[Segment] = []
    used = 1
    for binding in bindings:
        key = display(binding)
        length = len(key) + len(binding.description) + 3
        if used + length - 2 > width:
            break
        used += length
        row += [
            Segment(f" {key} ", palette.bright + look.BOLD),
            Segment(f"{binding.description} ", palette.muted),
        ]
    return row


def display(binding: Binding) -> str:
    """Return a key as the footer writes it: ^j, f3, esc, 1-9."""
    return key_name(binding.key_display or binding.key)


def key_name(key: str) -> str:
    """Return a key of Textual's as people write it: ^j, esc, ?, ↑."""
    if key.startswith("ctrl+"):
        return f"^{key.removeprefix('ctrl+')}"
    return _NAMES.get(key, key)
