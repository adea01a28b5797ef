"""The mixture beside the run: what answers, with which settings, and who merges."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from textual.strip import Strip

from moa_tui.ui import look, words
from moa_tui.ui.rows import Rows, section

if TYPE_CHECKING:
    from collections.abc import Sequence

    from moa_tui.engine.mixture import Agent, Mixture

_INDENT = " " * 2


class Sidebar(Rows):
    """A read-only account of the mixture, 33 columns wide with its rule."""

    DEFAULT_CSS: ClassVar[str] = """
    Sidebar {
        width: 33; height: 1fr; background: $background;
    }
    """

    def __init__(self, mixture: Mixture) -> None:
        super().__init__()
        self._mixture = mixture

    def draw(self, width: int, palette: look.Palette) -> Sequence[Strip]:
        """Return all rows with the rule at their right; a short screen shows the first ones."""
        inner = width - 3
        ground = palette.background
        air, rule = Segment(" ", ground), Segment("▕", ground + palette.edge)
        rows = [Strip([]), *self._account(inner, palette)]
        rows += [Strip([])] * max(0, self.size.height - len(rows))
        return [
            Strip([air, *row.adjust_cell_length(inner).apply_style(ground), air, rule], width)
            for row in rows
        ]

    def on_resize(self) -> None:
        """Draw the rule down to the end."""
        self.redraw()

    def _account(self, width: int, palette: look.Palette) -> list[Strip]:
        mixture = self._mixture
        return [
            section("Mixture", "", width=width, palette=palette),
            _line([Segment(mixture.name or "unnamed", palette.bright)], [], width, palette),
            *(
                _setting(name, value, width, palette)
                for name, value in (
                    ("Layers", str(mixture.proposer_layers)),
                    ("Temperature", str(mixture.temperature)),
                    ("Max tokens", str(mixture.max_tokens)),
                    ("History", mixture.history),
                )
            ),
            *_proposers(mixture, width, palette),
            *_aggregator(mixture, width, palette),
        ]


def _proposers(mixture: Mixture, width: int, palette: look.Palette) -> list[Strip]:
    rows: list[Strip] = []
    layer = 0
    for group in mixture.layers:
        first, layer = layer + 1, layer + group.repeat
        which = f"layer {first}" if group.repeat == 1 else f"layers {first}-{layer}"
        hint = which if len(mixture.layers) > 1 else ""
        rows += [_blank(palette), section("Proposers", hint, width=width, palette=palette)]
        for number, agent in enumerate(group.seats, 1):
            digit = Segment(f"{number} ", palette.seat(number) + look.BOLD)
            rows.append(_agent(digit, agent, width, palette))
    return rows


def _aggregator(mixture: Mixture, width: int, palette: look.Palette) -> list[Strip]:
    aggregator = mixture.aggregator
    rows = [_blank(palette), section("Aggregator", "", width=width, palette=palette)]
    if aggregator.agent is not None and aggregator.strategy != "none":
        star = Segment(f"{look.STAR} ", palette.aggregator)
        rows.append(_agent(star, aggregator.agent, width, palette))
    other = Segment("else ", palette.muted)
    rows += [_agent(other, agent, width, palette) for agent in aggregator.fallback]
    strategy = aggregator.strategy if aggregator.strategy != "none" else words.JUST_RACE
    return [*rows, _setting("strategy", strategy, width, palette)]


def _agent(mark: Segment, agent: Agent, width: int, palette: look.Palette) -> Strip:
    name = Segment(agent.name, palette.ink)
    endpoint = Segment(agent.endpoint, palette.muted)
    room = width - len(_INDENT) - cell_len(mark.text) - cell_len(agent.endpoint) - 2
    if cell_len(agent.name) > room:
        endpoint = Segment(look.clip(agent.endpoint, max(4, width // 4)), palette.muted)
    return _line([mark, name], [endpoint], width, palette)


def _setting(name: str, value: str, width: int, palette: look.Palette) -> Strip:
    return _line([Segment(name, palette.muted)], [Segment(value, palette.ink)], width, palette)


def _line(left: list[Segment], right: list[Segment], width: int, palette: look.Palette) -> Strip:
    return look.row([Segment(_INDENT), *left], right, width=width, ground=palette.background)


def _blank(palette: look.Palette) -> Strip:
    return Strip([Segment("", palette.background)])
