"""What of a conversation is looked at, and how: pure data, changed by replacing it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

if TYPE_CHECKING:
    from moa_tui.engine.state import LayerState, RunState

Zoom: TypeAlias = Literal["", "race", "answer"]
"""What has the whole stage: nothing, the proposers, the answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Where one looks; the plain one follows the newest run's newest layer.

    ``turn`` is the number of an earlier turn, from 0, ``layer`` that of a layer, from 1; None: the
    newest. ``is_pinned`` keeps tiles open beside the answer, ``is_unfolded`` does so until it is
    closed or something else is asked. ``is_lanes``: the race view stands in the place of tiles.
    """

    turn: int | None = None
    layer: int | None = None
    is_unfolded: bool = False
    is_pinned: bool = False
    is_lanes: bool = False
    zoom: Zoom = ""

    @property
    def keeps_tiles(self) -> bool:
        """Whether tiles stand open although there is an answer."""
        return self.is_pinned or self.is_unfolded or self.turn is not None

    @property
    def can_close(self) -> bool:
        """Whether anything is open that `closed` would close."""
        return self.zoom != "" or self.is_elsewhere or self.is_unfolded

    @property
    def is_elsewhere(self) -> bool:
        """Whether it isn't the newest layer of the newest run that is looked at."""
        return self.turn is not None or self.layer is not None

    def closed(self) -> View:
        """Return the view with what was opened last closed: the zoom, then what was unfolded."""
        if self.zoom:
            return replace(self, zoom="")
        return replace(self, turn=None, layer=None, is_unfolded=False)

    def of_a_new_run(self) -> View:
        """Return the view with which a new run begins: only habits stay."""
        return replace(self, turn=None, layer=None, is_unfolded=False, zoom="")

    def layer_in(self, run: RunState) -> int:
        """Return the number of the layer that is looked at in a run."""
        if self.layer is not None and any(layer.layer == self.layer for layer in run.layers):
            return self.layer
        return run.layers[-1].layer if run.layers else 1

    def stepped(self, run: RunState, step: int) -> View:
        """Return the view of the layer so many before or behind, at most the first or last."""
        numbers = [layer.layer for layer in run.layers]
        if not numbers:
            return self
        at = numbers.index(self.layer_in(run)) + step
        number = numbers[min(max(0, at), len(numbers) - 1)]
        is_newest = number == numbers[-1] and self.turn is None
        return replace(self, layer=None if is_newest else number, is_unfolded=True)


PLAIN: Final = View()


def layer_of(run: RunState, number: int) -> LayerState | None:
    """Return a layer by its number."""
    return next((layer for layer in run.layers if layer.layer == number), None)
