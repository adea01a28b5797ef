"""What the rows of a benchmark are made of, and how they are printed."""

from __future__ import annotations

import os
import statistics
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


@dataclass(frozen=True, kw_only=True)
class Row:
    """One figure, what it was compared with in the same run, and PERFORMANCE's two columns.

    ``must`` and ``reach`` bound the figure itself, the ``ratio`` ones figure over baseline.
    """

    what: str
    figure: float
    unit: str
    baseline: float | None = None
    against: str = ""
    must: float | None = None
    reach: float | None = None
    must_ratio: float | None = None
    reach_ratio: float | None = None

    @property
    def ratio(self) -> float | None:
        """Figure over baseline."""
        return self.figure / self.baseline if self.baseline else None

    @property
    def verdict(self) -> str:
        """ "reached", "holds" or "MISSED"; empty where nothing is demanded."""
        if self.must is None and self.must_ratio is None:
            return ""
        if not self._within(self.must, self.must_ratio):
            return "MISSED"
        has_reach = self.reach is not None or self.reach_ratio is not None
        return "reached" if has_reach and self._within(self.reach, self.reach_ratio) else "holds"

    def _within(self, bound: float | None, ratio_bound: float | None) -> bool:
        if bound is not None and self.figure > bound:
            return False
        return ratio_bound is None or (self.ratio is not None and self.ratio <= ratio_bound)


def print_table(rows: Iterable[Row]) -> None:
    """Print the rows under a head, columns aligned."""
    table = [("what", "figure", "baseline", "ratio", "must", "reach for", "")]
    for row in rows:
        baseline = "" if row.baseline is None else f"{row.baseline:.4g} {row.against}"
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
        table.append(
            (
                row.what,
                f"{row.figure:.4g} {row.unit}",
                baseline,
                ratio,
                _bounds(row.must, row.must_ratio),
                _bounds(row.reach, row.reach_ratio),
                row.verdict,
            )
        )
    widths = [max(len(line[column]) for line in table) for column in range(len(table[0]))]
    for line in table:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        print("  ".join(cells).rstrip())  # noqa: T201 - printing is what it is for


def _bounds(figure: float | None, ratio: float | None) -> str:
    parts = [f"{figure:g}"] if figure is not None else []
    parts += [f"x{ratio:g}"] if ratio is not None else []
    return ", ".join(parts)


def percentile(values: Sequence[float], percent: int) -> float:
    """Return the percentile; of fewer than a hundred values p99 is nearly the largest."""
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def cpu_seconds(pid: int) -> float:
    """Return user and system time of a process so far, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mb(pid: int) -> float:
    """Return a process's resident memory in megabytes (10^6 bytes)."""
    pages = int(Path(f"/proc/{pid}/statm").read_text("utf-8").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
