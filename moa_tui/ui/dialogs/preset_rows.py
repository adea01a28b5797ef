"""Presets as rows of a list, and what there is to tell about one; no widgets."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from rich.cells import cell_len
from rich.segment import Segment

from moa_tui.text import clean, one_line
from moa_tui.ui import diagram, look, words
from moa_tui.ui.dialogs import fuzzy, texts
from moa_tui.ui.dialogs.choices import marked
from moa_tui.ui.dialogs.liveness import check, nearest, verdict
from moa_tui.ui.rows import section, wrapped

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from moa_tui.engine.mixture import Mixture
    from moa_tui.ui.dialogs.choices import Grid
    from moa_tui.ui.dialogs.liveness import Checked, Known, Liveness, Mark

Source: TypeAlias = Literal["made", "yours", "yours for shipped", "shipped"]
"""Where a preset comes from; made ones have no file, the third stands in for a shipped one."""

_LOOKS: Final[Mapping[Mark, look.StateKey]] = {
    "live": "done",
    "unknown": "queued",
    "missing": "failed",
    "coming": "waiting",
}
_WORST_FIRST: Final[tuple[Mark, ...]] = ("missing", "coming", "unknown", "live")
_DESCRIBED_FROM: Final = 70
_LONGEST_NAME: Final = 24
_LONGEST_BROKEN: Final = 600


@dataclass(frozen=True, slots=True)
class Entry:
    """A preset to choose."""

    mixture: Mixture
    source: Source

    @property
    def is_yours(self) -> bool:
        """Whether it has a file of the user's own."""
        return self.source in ("yours", "yours for shipped")


@dataclass(frozen=True, slots=True)
class Library:
    """Every preset in the order to show, and in words those that can't be read."""

    entries: tuple[Entry, ...] = ()
    broken: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row of the list: a section's head, a preset, or a sentence about a broken one."""

    head: str = ""
    entry: Entry | None = None
    broken: str = ""
    checked: tuple[Checked, ...] = ()
    is_now: bool = False

    @property
    def name(self) -> str:
        """The preset's name, "" for other rows."""
        return "" if self.entry is None else one_line(self.entry.mixture.name)


@dataclass(frozen=True, slots=True)
class PresetListing:
    """Presets as rows."""

    rows: tuple[Row, ...]
    query: str = ""

    @classmethod
    def of(cls, library: Library, known: Known, *, query: str = "", now: str = "") -> PresetListing:
        """Return what a query finds, in names before descriptions; without one, by sections.

        ``now`` is the name of the preset in use.
        """
        rows = [
            Row(
                entry=entry,
                checked=check(entry.mixture, known),
                is_now=bool(now) and entry.mixture.name == now,
            )
            for entry in library.entries
        ]
        query = query.strip()
        shown = _found(rows, query) if query else [*_sections(rows), *_broken(library)]
        if not shown:
            shown = [Row(head=texts.nothing_found(query) if query else texts.NO_PRESETS)]
        return cls(tuple(shown), query)

    def __len__(self) -> int:
        return len(self.rows)

    def may_stop(self, number: int, /) -> bool:
        """Whether a row is more than a head."""
        return not self.rows[number].head

    def entry(self, number: int | None) -> Entry | None:
        """Return the preset of a row, if it is one's."""
        return None if number is None else self.rows[number].entry

    def where(self, name: str) -> int:
        """Return the row of the preset of this name, else the first."""
        numbers = (number for number, row in enumerate(self.rows) if row.name == name != "")
        return next(numbers, 0)

    def row(
        self, number: int, width: int, palette: look.Palette, /
    ) -> tuple[Sequence[Segment], Sequence[Segment]]:
        """Return name and description, then calls and what of it is there."""
        row = self.rows[number]
        if row.head:
            return list(section(row.head, "", width=width, palette=palette)), ()
        if row.entry is None:
            mark = Segment(f"{look.GLYPHS['failed']} ", palette.state("failed"))
            return [mark, Segment(row.broken, palette.ink)], ()
        longest = max(cell_len(other.name) for other in self.rows)
        room = min(longest, _LONGEST_NAME if width >= _DESCRIBED_FROM else width // 2)
        name = look.clip(row.name, room)
        letters = fuzzy.positions(self.query, fuzzy.folded(name))
        left = marked(name, letters, palette.ink + look.BOLD, palette.primary + look.BOLD)
        left.append(Segment(" " * (room - cell_len(name) + 2), palette.ink))
        described = one_line(row.entry.mixture.description) if width >= _DESCRIBED_FROM else ""
        if row.is_now:
            left.append(Segment(texts.NOW, palette.bright))
            described = f" {look.DOT} {described}" if described else ""
        left.append(Segment(described, palette.muted))
        return left, _figures(row, row.entry.mixture, palette)


def _found(rows: Sequence[Row], query: str) -> list[Row]:
    """Return the rows whose name the query finds, then those whose words it finds in order."""
    names = [fuzzy.folded(row.name) for row in rows]
    by_name = fuzzy.rank(query, names)
    wanted = fuzzy.folded(query).split()
    rest = [
        number for number, row in enumerate(rows) if number not in by_name and _tells(row, wanted)
    ]
    return [rows[number] for number in (*by_name, *rest)]


def _tells(row: Row, wanted: Iterable[str]) -> bool:
    if row.entry is None:
        return False
    models = " ".join(one.model for one in row.checked)
    told = fuzzy.folded(f"{row.entry.mixture.description} {models}")
    return all(word in told for word in wanted)


def _sections(rows: Sequence[Row]) -> list[Row]:
    shown: list[Row] = []
    for title, sources in texts.SECTIONS:
        ours = [row for row in rows if row.entry is not None and row.entry.source in sources]
        shown += [Row(head=title), *ours] if ours else []
    return shown


def _broken(library: Library) -> list[Row]:
    told = [Row(broken=one_line(clean(text), _LONGEST_BROKEN)) for text in library.broken]
    return [Row(head=texts.BROKEN), *told] if told else []


def _figures(row: Row, mixture: Mixture, palette: look.Palette) -> list[Segment]:
    mark = verdict(row.checked)
    key = _LOOKS[mark]
    needed = [one for one in row.checked if not one.is_spare]
    missing = sum(one.liveness.mark == "missing" for one in needed)
    word = texts.VERDICTS[mark] if mark != "missing" else texts.missing(missing, len(needed))
    calls = words.plural(mixture.calls, "call")
    return [
        Segment(f"{calls:>8}  ", palette.muted),
        Segment(f"{look.GLYPHS[key]} {word:<{texts.VERDICT_CELLS}}", palette.state(key)),
    ]


# What there is to tell about one.

_Groups: TypeAlias = list[tuple["Liveness", list[str]]]


def about(
    row: Row,
    known: Known,
    pulls: Mapping[str, Liveness],
    *,
    width: int,
    rows: int,
    palette: look.Palette,
) -> Grid:
    """Return what a preset looks like and what of it is there, in as many rows as fit ``rows``.

    ``pulls`` tells of models that are being fetched. When rows are short it gives up blank rows,
    then tells models of one state together, then the drawing.
    """
    if row.entry is None:
        return wrapped([Segment(row.broken, palette.ink)], width)
    mixture = row.entry.mixture
    total, count = words.calls(mixture)
    title = section(row.name, texts.calls(total, count), width=width, palette=palette)
    described = wrapped([Segment(one_line(mixture.description), palette.muted)], width)
    drawing = diagram.draw(mixture, width, palette)
    groups = _groups(row.checked, known, pulls)
    each = _each(groups, width, palette)
    together = _together(groups, width, palette)
    for parts, gap in (
        ((described, drawing, each), 1),
        ((described, drawing, each), 0),
        ((described, drawing, together), 0),
        ((drawing, together), 0),
        ((described, together), 0),
    ):
        grid = _stacked([list(title)], parts, gap)
        if len(grid) <= rows:
            return grid
    return _cut([list(title), *together], rows, palette)


def _stacked(title: Grid, parts: Iterable[Grid], gap: int) -> Grid:
    grid = list(title)
    for number, part in enumerate(part for part in parts if any(part)):
        grid += [[] for _ in range(gap if number else 0)]
        grid += part
    return grid


def _cut(grid: Grid, rows: int, palette: look.Palette) -> Grid:
    if len(grid) <= rows:
        return grid
    more = Segment(texts.more_rows(len(grid) - rows + 1), palette.muted)
    return [*grid[: max(0, rows - 1)], [more]]


def _each(groups: _Groups, width: int, palette: look.Palette) -> Grid:
    """Return a row a model, and once what mends those that one thing mends."""
    grid: Grid = []
    for live, models in groups:
        for model in models:
            word = [Segment(live.word, palette.muted)]
            named = look.clipped(
                [_glyph(live, palette), Segment(one_line(model), palette.ink)],
                width - look.cells(word) - 2,
            )
            air = Segment(" " * (width - look.cells(named) - look.cells(word)))
            grid.append([*named, air, *word])
        grid += _fix(live, width, palette)
    return grid


def _together(groups: _Groups, width: int, palette: look.Palette) -> Grid:
    """Return the models of one state in one row, and what mends them."""
    grid: Grid = []
    for live, models in groups:
        names = ", ".join(look.seat_name(model) for model in models)
        told = [
            _glyph(live, palette),
            Segment(f"{live.word}  ", palette.muted),
            Segment(names, palette.ink),
        ]
        grid.append(look.clipped(told, width))
        grid += _fix(live, width, palette)
    return grid


def _groups(checked: Iterable[Checked], known: Known, pulls: Mapping[str, Liveness]) -> _Groups:
    """Return models by what is known of them and what mends them, worst first."""
    groups: dict[Liveness, list[str]] = {}
    for one in checked:
        live = pulls.get(one.model) or _with_nearest(one, known)
        groups.setdefault(live, []).append(one.model)
    return sorted(groups.items(), key=lambda group: _WORST_FIRST.index(group[0].mark))


def _with_nearest(one: Checked, known: Known) -> Liveness:
    live = one.liveness
    if live.mark != "missing" or live.fix:
        return live
    near = ", ".join(one_line(name, 80) for name in nearest(one.model, known))
    return live if not near else replace(live, fix=texts.nearest(near))


def _glyph(live: Liveness, palette: look.Palette) -> Segment:
    key = _LOOKS[live.mark]
    return Segment(f"{look.GLYPHS[key]} ", palette.state(key))


def _fix(live: Liveness, width: int, palette: look.Palette) -> Grid:
    if not live.fix:
        return []
    rows = wrapped([Segment(one_line(live.fix), palette.bright)], width - 2)
    return [[Segment("  "), *row] for row in rows]
