"""A mixture as a small drawing: prompt, layers side by side, aggregator, answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.segment import Segment

from moa_tui.text import one_line
from moa_tui.ui import look, words
from moa_tui.ui.rows import wrapped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from moa_tui.engine.mixture import Agent, Mixture

_MOST_SEATS = 6
_WHOLE, _CLIPPED = 40, 15
_JOINTS = {
    # (line above, line below, line from outside): the corner on the left of a layer, on its right
    (False, False, True): "──",
    (False, True, False): "╭╮",
    (True, True, False): "├┤",
    (True, False, False): "╰╯",
    (False, True, True): "┬┬",
    (True, True, True): "┼┼",
    (True, False, True): "┴┴",
}

Grid = list[list[Segment]]


def draw(mixture: Mixture, width: int, palette: look.Palette) -> Grid:
    """Return the drawing in at most ``width`` cells, as one line of words where none fits."""
    layers = [layer.seats for layer in mixture.layers for _ in range(layer.repeat)]
    note = f" × {len(layers)} layers" if len(layers) > 1 else ""
    one = layers[:1]
    for shown, also, ends, longest in (
        (layers, "", True, _WHOLE),
        (one, note, True, _WHOLE),
        (one, note, False, _WHOLE),
        (one, note, True, _CLIPPED),
        (one, note, False, _CLIPPED),
    ):
        grid = _drawing(mixture, shown, palette, note=also, ends=ends, longest=longest)
        if max(look.cells(row) for row in grid) <= width:
            return grid
    return _in_words(mixture, width, palette)


def _drawing(
    mixture: Mixture,
    layers: Sequence[tuple[Agent, ...]],
    palette: look.Palette,
    *,
    note: str,
    ends: bool,
    longest: int,
) -> Grid:
    """Return the drawing; ``note`` follows the layers, ``ends``: with the answer at the end.

    ``longest`` is the most cells of a name.
    """
    height = min(_MOST_SEATS + 1, max(len(seats) for seats in layers))
    middle = (height - 1) // 2
    line = palette.muted
    grid: Grid = [[] for _ in range(height)]
    _put(grid, middle, [Segment("your prompt  ", palette.ink), Segment("───", line)])
    for seats in layers:
        _put_layer(grid, middle, _names(seats, palette, longest), palette)
    if note:
        _put(grid, middle, [Segment(note, palette.ink)])
    if merger := _merger(mixture, palette, longest):
        _put(grid, middle, [Segment("─▸  ", line), *merger])
        if ends:
            is_taken = mixture.aggregator.makes == "taken"
            answer = words.ONE_OF_THEM if is_taken else words.ONE_ANSWER
            _put(grid, middle, [Segment("  ─▸  ", line), Segment(answer, palette.ink)])
    return grid


def _merger(mixture: Mixture, palette: look.Palette, longest: int) -> list[Segment]:
    """Return who makes the answer, and that it only picks one; nothing where nobody does."""
    merging = mixture.aggregator
    if merging.makes == "nothing":
        return []
    called = merging.agent if merging.is_called else None
    name = words.VOTE if called is None else look.clip(one_line(called.name), longest)
    star = Segment(f"{look.STAR} {name}", palette.aggregator + look.BOLD)
    picks = called is not None and merging.makes == "taken"
    return [star, Segment(f" {words.PICKS}", palette.ink)] if picks else [star]


def _put(grid: Grid, row: int, segments: Sequence[Segment]) -> None:
    """Add segments to one row and as much air to the others."""
    air = Segment(" " * look.cells(segments))
    for number, line in enumerate(grid):
        line.extend(segments if number == row else [air])


def _put_layer(grid: Grid, middle: int, names: Grid, palette: look.Palette) -> None:
    count = len(names)
    first = middle - (count - 1) // 2
    longest = max(look.cells(name) for name in names)
    rule = palette.muted
    for number, row in enumerate(grid):
        at = number - first
        if not 0 <= at < count:
            row.append(Segment(" " * (longest + 8)))
            continue
        joint = _JOINTS[(at > 0, at < count - 1, number == middle)]
        name = names[at]
        dashes = "─" * (longest - look.cells(name) + 1)
        row += [Segment(f"{joint[0]}─▸ ", rule), *name, Segment(f" {dashes}{joint[1]}", rule)]
        row.append(Segment("─" if number == middle else " ", rule))


def _names(seats: Sequence[Agent], palette: look.Palette, longest: int) -> Grid:
    names = [
        [
            Segment(f"{number} ", palette.seat(number) + look.BOLD),
            Segment(look.clip(one_line(seat.name), longest), palette.ink),
        ]
        for number, seat in enumerate(seats, 1)
    ]
    if len(names) <= _MOST_SEATS + 1:
        return names
    return [*names[:_MOST_SEATS], [Segment(f"and {len(names) - _MOST_SEATS} more", palette.muted)]]


def _in_words(mixture: Mixture, width: int, palette: look.Palette) -> Grid:
    parts: list[Segment] = []
    for number, seat in enumerate(mixture.layers[0].seats, 1):
        parts.append(Segment(f"{number} ", palette.seat(number) + look.BOLD))
        parts.append(Segment(f"{one_line(seat.name)} ", palette.ink))
    if mixture.proposer_layers > 1:
        parts.append(Segment(f"× {words.plural(mixture.proposer_layers, 'layer')} ", palette.ink))
    if merger := _merger(mixture, palette, width):
        parts += [Segment(f"{look.ARROW} ", palette.muted), *merger]
    return wrapped(parts, width)
