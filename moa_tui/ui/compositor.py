"""Textual's map of a screen, but that every widget hears of the size that it gets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual._compositor import Compositor

if TYPE_CHECKING:
    from textual._compositor import CompositorMap, ReflowResult
    from textual.geometry import Size
    from textual.widget import Widget


class SteadyCompositor(Compositor):
    """Compares a layout with the last one whose sizes were told.

    Textual's own compares it with whatever map it made last. After a scroll it makes one as soon as
    somebody asks for a widget's size; what has come to the screen by then is taken for known, and
    never gets a Resize.
    """

    def __init__(self) -> None:
        super().__init__()
        self._told: CompositorMap | None = None

    @property
    def full_map(self) -> CompositorMap:
        """Where all widgets are."""
        if self._full_map_invalidated and self._told is None:
            self._told = self._full_map
        return super().full_map

    def clear(self) -> None:
        """Forget all widgets."""
        self._told = None
        super().clear()

    def reflow(self, parent: Widget, size: Size) -> ReflowResult:
        """Lay out anew; return what is hidden, shown and resized since sizes were told."""
        if self._told is not None:
            self._full_map, self._told = self._told, None
        return super().reflow(parent, size)
