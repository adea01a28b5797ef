"""The dialog that tells a failure: all of it can be read, copied and closed."""

from __future__ import annotations

import pytest
from dialog_fakes import NARROW, NARROWEST, WIDE, opened

from moa_tui.ui.dialogs.error import ErrorDialog
from moa_tui.ui.report import Report

REPORT = Report(
    title="gpt-oss-20b: 429",
    facts="attempt 3 · 4.0s",
    message="Groq: the rate limit of [b]tokens[/b] is reached",
    hint="wait a minute, or use another model: ctrl+o",
    program="moa-tui 0.1.0, Python 3.11.7",
    lines=(
        ("happened", "proposer 1.1, groq/gpt-oss-20b: failed"),
        *(("seats" if n == 1 else "", f"proposer 1.{n}, groq/a: failed") for n in range(1, 13)),
    ),
)


def dialog() -> ErrorDialog:
    return ErrorDialog(REPORT)


async def test_it_says_what_happened_what_to_do_and_the_report() -> None:
    async with opened(dialog, size=WIDE) as now:
        card = [row.rstrip() for row in now.card]
        assert card[0].split() == ["✗", "gpt-oss-20b:", "429", "attempt", "3", "·", "4.0s"]
        assert card[1:7] == [
            " What happened",
            " Groq: the rate limit of [b]tokens[/b] is reached",
            "",
            " What to do",
            " wait a minute, or use another model: ctrl+o",
            "",
        ]
        assert card[7].startswith(" Report ──")
        assert card[8:11] == [
            " moa-tui 0.1.0, Python 3.11.7",
            " happened  proposer 1.1, groq/gpt-oss-20b: failed",
            " seats     proposer 1.1, groq/a: failed",
        ]
        assert card[-2] == "           proposer 1.12, groq/a: failed"
        assert card[-1] == " y copy  esc close"


async def test_y_copies_the_whole_report_and_esc_closes() -> None:
    async with opened(dialog, keys="y") as now:
        assert now.stage.app.clipboard == REPORT.text
        assert now.card[0].endswith("report copied")
        await now.press("escape")
        assert now.results == [None]


@pytest.mark.parametrize("size", [NARROW, NARROWEST])
async def test_where_it_doesnt_fit_it_scrolls(size: tuple[int, int]) -> None:
    async with opened(dialog, size=size) as now:
        card = now.dialog.query_one("#card").region
        assert now.stage.app.screen.region.contains_region(card)
        assert now.card[1] == " What happened"
        assert now.card[-1].startswith(" y copy  ↑↓ scroll  esc close")
        await now.press("j")
        assert now.card[1].startswith(" Groq: ")
        await now.press("k")
        assert now.card[1] == " What happened"
        await now.press(*["down"] * 20)
        assert "proposer 1.12, groq/a: failed" in now.card[-2]


async def test_the_dialog_grows_when_there_is_more_room() -> None:
    async with opened(dialog, size=NARROWEST) as now:
        await now.pilot.resize_terminal(*WIDE)
        await now.settle()
        assert now.card[1] == " What happened"
        assert "proposer 1.12, groq/a: failed" in now.card[-2]
