"""The verdicts of the fault server's tests as one table, from their reports.

Each test records ``fault``: the scenario, the dialect and what was seen. Reports carry that from
xdist's workers too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pytest

KINDS = ("openai", "ollama")
_COLUMN = 46


def rows(reports: Iterable[pytest.TestReport], *, only_wrong: bool = False) -> list[str]:
    """Return a line for each scenario, ✓ or ✗ before what was seen of it in each dialect."""
    seen: dict[str, dict[str, tuple[bool, str]]] = {}
    for report in reports:
        if found := dict(report.user_properties).get("fault"):
            name, kind, what = found if isinstance(found, list | tuple) else ("", "", "")
            seen.setdefault(name, {})[kind] = (report.passed, what)
    wide = max(map(len, seen), default=0)
    lines = [
        _line(name, [_cell(cells.get(kind)) for kind in KINDS], wide)
        for name, cells in seen.items()
        if not (only_wrong and all(is_right for is_right, _ in cells.values()))
    ]
    return [_line("scenario", list(KINDS), wide), *lines] if lines else []


def _cell(verdict: tuple[bool, str] | None) -> str:
    if verdict is None:
        return "- not in this dialect"
    is_right, what = verdict
    return f"{'✓' if is_right else '✗'} {what}"


def _line(name: str, cells: list[str], wide: int) -> str:
    first, second = cells
    return f"{name:{wide}} | {first:{_COLUMN}} | {second}".rstrip()
