"""The first row: the program, the conversation's title, and the run in figures."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment

from moa_tui.text import one_line
from moa_tui.ui import look, words
from moa_tui.ui.rows import Rows, joined

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.strip import Strip

    from moa_tui.engine.mixture import Mixture
    from moa_tui.engine.state import RunState
    from moa_tui.ui.told import Facts

_LEAST_TITLE = 24
_WIDE = 140
_DROPPED = ("name", "shape", "tokens", "saved", "cost", "elapsed")
"""What gives way on a narrow screen, first to last; that nothing is saved never does."""


class Header(Rows):
    """One row of facts; on a narrow screen the mixture's go first, the run's last."""

    DEFAULT_CSS: ClassVar[str] = """
    Header { height: 1; background: $background; }
    """

    def __init__(self, facts: Facts) -> None:
        super().__init__()
        self._facts = facts

    def show(self, facts: Facts) -> None:
        """Tell these facts from now on."""
        if facts != self._facts:
            self._facts = facts
            self.redraw()

    def draw(self, width: int, palette: look.Palette) -> Sequence[Strip]:
        """Return the row."""
        facts = self._facts
        bar = Segment(" │ ", palette.edge)
        label = [
            Segment(
                words.DEMO_LABEL_LONG if width >= _WIDE else words.DEMO_LABEL,
                palette.state("retrying") + look.BOLD,
            ),
            bar,
        ]
        left = [
            Segment(" moa", palette.bright + look.BOLD),
            bar,
            *(label if facts.is_demo else []),
            Segment(facts.title, palette.ink),
        ]
        fixed = look.cells(left[:-1])
        least = fixed + min(_LEAST_TITLE, look.cells(left[-1:]))
        right = _right(facts, palette, width - least - 2)
        return [
            look.row(
                left, [*right, Segment(" ")], width=width, ground=palette.background + palette.ink
            )
        ]


def _right(facts: Facts, palette: look.Palette, room: int) -> list[Segment]:
    """Return the right group in at most ``room`` cells; parts give way in `_DROPPED`'s order."""
    parts = _parts(facts, palette)
    between = Segment(f" {look.DOT} ", palette.muted)
    for name in ("", *_DROPPED):
        parts.pop(name, None)
        right = joined(parts.values(), between)
        if look.cells(right) + 1 <= room:
            return right
    return []


def _parts(facts: Facts, palette: look.Palette) -> dict[str, list[Segment]]:
    mixture, run = facts.mixture, facts.run
    parts = {
        "name": [Segment(one_line(mixture.name) or "mixture", palette.ink)],
        "shape": [Segment(words.shape(mixture), palette.ink), *_merger(mixture, palette)],
        "status": _taken(palette) if facts.is_taken else _status(run, palette),
    }
    if run is not None:
        parts["elapsed"] = [Segment(look.clock(facts.t), palette.bright + look.BOLD)]
        parts["tokens"] = [Segment(f"{look.short(run.tokens)} tok", palette.ink)]
    if facts.is_saved:
        parts["saved"] = [Segment(words.SAVED, palette.muted)]
    if facts.replay:
        parts["status"] = [
            Segment(
                words.replay(facts.replay, is_paused=facts.is_paused), palette.state("thinking")
            )
        ]
    if facts.is_saved is False:
        parts["unsaved"] = [Segment(words.UNSAVED, palette.state("retrying"))]
    if facts.is_private:
        parts["private"] = [Segment(words.PRIVATE, palette.ink + look.BOLD)]
    if facts.cost:
        parts["cost"] = [Segment(facts.cost, palette.ink)]
    return {name: part for name, part in parts.items() if part}


def _merger(mixture: Mixture, palette: look.Palette) -> list[Segment]:
    merging = mixture.aggregator
    if merging.makes == "nothing":
        return []
    agent = merging.agent if merging.is_called else None
    name = words.VOTE if agent is None else one_line(agent.name)
    picks = f" {words.PICKS}" if agent is not None and merging.makes == "taken" else ""
    return [
        Segment(f" {look.ARROW} ", palette.muted),
        Segment(look.STAR, palette.aggregator),
        Segment(f" {name}{picks}", palette.ink),
    ]


def _taken(palette: look.Palette) -> list[Segment]:
    return [Segment(f"{look.GLYPHS['done']} {words.TAKEN_SHORT}", palette.state("done"))]


def _status(run: RunState | None, palette: look.Palette) -> list[Segment]:
    if run is None:
        return []
    match run.status:
        case "idle":
            return []
        case "running" if run.aggregator is not None:
            picks = run.mixture is not None and run.mixture.aggregator.makes == "taken"
            return [Segment(words.PICKING if picks else words.MERGING, palette.ink)]
        case "running":
            of = run.mixture.proposer_layers if run.mixture is not None else 1
            return [Segment(f"layer {max(1, len(run.layers))}/{of}", palette.ink)]
        case "done" if run.speaker is not None:
            # Its end may be one that the reader should know of, a limit for example.
            mark = look.mark(replace(run.speaker, place=None), run.t, narrow=True)
            return [Segment(f"{mark.glyph} {mark.word}", palette.state(mark.key))]
        case ended:
            return [Segment(f"{look.GLYPHS[ended]} {ended}", palette.state(ended))]
