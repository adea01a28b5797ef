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
    *("stop_fetch", "stop_seat", "stop", "send", "queue", "use_example", "seat_stop", "seat_retry"),
    *("new_line", "merge_now_m", "merge_now", "again", "next", "next_tiles", "next_answer"),
    *("seat_1", "compose", "presets", "models", "endpoints", "sidebar"),
)
"""Binding ids by what one most likely looks for; others follow."""

_LAST = ("quit",)
"""Those that stand there always, behind the others."""

_ARROWS = {"up": "↑", "down": "↓", "left": "←", "right": "→", "escape": "esc"}


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
        row = keys_row(others, width - look.cells(last), palette)
        return [look.row([*row, *last], [], width=width, ground=palette.background)]

    def _on_bindings(self, screen: Screen[object]) -> None:
        del screen
        self.redraw()


def shown_bindings(screen: Screen[object]) -> list[Binding]:
    """Return the bindings that work now, one a thing to do, the likeliest first."""
    order = {name: place for place, name in enumerate(_FIRST)}

    def place_of(binding: Binding) -> int:
        name = binding.id or ""
        # In the sidebar one looks for what can be done with its row.
        return -1 if name.startswith("sidebar.") else order.get(name, len(order))

    live = [active.binding for active in screen.active_bindings.values() if active.enabled]
    found: dict[str, Binding] = {}
    for binding in sorted(live, key=place_of):
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
    key = binding.key_display or binding.key
    if key.startswith("ctrl+"):
        return f"^{key.removeprefix('ctrl+')}"
    return _ARROWS.get(key, key)
