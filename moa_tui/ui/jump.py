"""The jump overlay: a letter stands at each thing one can go to, pressing it goes there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding
from textual.color import Color
from textual.geometry import Offset, Size
from textual.screen import ModalScreen
from textual.strip import Strip

from moa_tui.ui import look
from moa_tui.ui.dialogs import help_texts
from moa_tui.ui.keymap import binding_chain
from moa_tui.ui.rows import Rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from textual import events
    from textual.app import ComposeResult
    from textual.binding import BindingsMap, BindingType
    from textual.dom import DOMNode
    from textual.geometry import Region

_DARKENED: Final = Color(0, 0, 0, 0.3)
_UNTOUCHED: Final = Color(0, 0, 0, 0)
_CHIP_CELLS: Final = 3


@dataclass(frozen=True, slots=True)
class JumpTarget:
    """A place to go to: the key that goes there, its name, and where it is on the screen.

    One whose region is empty isn't on the screen, and can't be jumped to.
    """

    key: str
    id: str
    region: Region


class Chip(Rows):
    """A target's letter."""

    DEFAULT_CSS: ClassVar[str] = f"""
    Chip {{ position: absolute; width: {_CHIP_CELLS}; height: 1; }}
    """

    def __init__(self, target: JumpTarget) -> None:
        super().__init__()
        self._target = target

    def draw(self, width: int, palette: look.Palette) -> Sequence[Strip]:
        """Return the row."""
        # Reversed rather than mixed: a terminal's own ground has no colour to write in. Brackets,
        # because the head of the card in focus may have the same ground.
        ink = palette.background + palette.focus + Style(bold=True, reverse=True)
        return [Strip([Segment(f"[{self._target.key}]", ink)]).adjust_cell_length(width, ink)]


class Hint(Rows):
    """What the letters are for."""

    DEFAULT_CSS: ClassVar[str] = "Hint { dock: bottom; height: 1; }"

    def draw(self, width: int, palette: look.Palette) -> Sequence[Strip]:
        """Return the row."""
        bold = palette.bright + look.BOLD
        row = [
            Segment(f" {help_texts.A_LETTER} ", bold),
            Segment(f"{help_texts.JUMPS} ", palette.muted),
            Segment(" esc ", bold),
            Segment(help_texts.CLOSE, palette.muted),
        ]
        return [look.row(row, [], width=width, ground=palette.background)]


class JumpOverlay(ModalScreen["str | None"]):
    """Draws each target's letter over the screen; the result is the id of the one that was meant.

    The result is None after esc, a click beside all targets, or a change of the terminal's size:
    the targets stand elsewhere then.
    """

    AUTO_FOCUS = ""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,ctrl+g", "close", "close", id="jump.close", tooltip="Stay where you are"),
    ]

    def __init__(self, targets: Iterable[JumpTarget]) -> None:
        super().__init__()
        self._targets = {target.key: target for target in targets if target.region}
        self._measured: Size | None = None

    @property
    def _binding_chain(self) -> list[tuple[DOMNode, BindingsMap]]:
        return binding_chain(self)

    def compose(self) -> ComposeResult:
        """Return a chip a target."""
        yield Hint()
        for target in self._targets.values():
            yield Chip(target)

    def on_mount(self) -> None:
        """Darken what is below, and go on doing so in another theme."""
        self.app.theme_changed_signal.subscribe(self, self._darken)
        self._darken()

    def _darken(self, _theme: object = None) -> None:
        # In its own styles: the program's style sheet gives every screen an opaque ground, and no
        # default can outrank it. A terminal's own colours can't be mixed.
        self.styles.background = _UNTOUCHED if self.app.current_theme.ansi else _DARKENED

    def on_resize(self, event: events.Resize) -> None:
        """Put the chips where their targets are; close when these aren't there any more."""
        if self._measured not in (None, event.size):
            # A second change may come before it is gone.
            if self.is_current:
                self.action_close()
            return
        self._measured = event.size
        places = places_of([target.region for target in self._targets.values()], event.size)
        for chip, place in zip(self.query(Chip), places, strict=True):
            chip.styles.offset = place

    def on_key(self, event: events.Key) -> None:
        """Jump to the target whose key it is."""
        letter = event.character or event.key
        target = self._targets.get(letter) or self._targets.get(letter.lower())
        if target is not None:
            event.stop()
            self.dismiss(target.id)

    def on_click(self, event: events.Click) -> None:
        """Jump to what was clicked; the smallest target there, or its chip."""
        there = event.screen_offset
        chips = zip(self.query(Chip), self._targets.values(), strict=True)
        for chip, target in chips:
            if chip.region.contains_point(there):
                self.dismiss(target.id)
                return
        hit = [one for one in self._targets.values() if one.region.contains_point(there)]
        nearest = min(hit, key=lambda one: one.region.area, default=None)
        self.dismiss(None if nearest is None else nearest.id)

    def action_close(self) -> None:
        """Close; nothing was meant."""
        self.dismiss(None)


def places_of(regions: Sequence[Region], size: Size) -> list[Offset]:
    """Return where chips stand: at their regions' upper left corners, none over another."""
    taken: set[tuple[int, int]] = set()
    places = []
    for region in regions:
        y = max(0, min(region.y, size.height - 1))
        last = max(0, size.width - _CHIP_CELLS)
        x = max(0, min(region.x, last))
        while any((cell, y) in taken for cell in range(x, x + _CHIP_CELLS)) and x < last:
            x += 1
        taken.update((cell, y) for cell in range(x, x + _CHIP_CELLS))
        places.append(Offset(x, y))
    return places
