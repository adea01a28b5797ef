"""What failed, in full: what happened, what to do about it, and a report to copy."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from rich.segment import Segment
from textual.binding import Binding

from moa_tui.ui import look
from moa_tui.ui import report_words as words
from moa_tui.ui.dialogs.dialog import PageDialog
from moa_tui.ui.report import LABEL
from moa_tui.ui.rows import Rows, section, wrapped

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from textual.binding import BindingType
    from textual.strip import Strip

    from moa_tui.ui.report import Report

_WIDEST: Final = 88
_BESIDE: Final = 2
"""Cells of the card beside its text: its edge and the scroll bar."""


class Page(Rows):
    """What happened, what to do, and the report, in rows as wide as there is room."""

    DEFAULT_CSS: ClassVar[str] = "Page { height: auto; }"

    def __init__(self, report: Report) -> None:
        super().__init__()
        self._report = report

    def draw(self, width: int, palette: look.Palette) -> Sequence[Strip]:
        """Return the rows."""
        report, inner = self._report, max(1, width - 2)
        rows: list[Iterable[Segment]] = [
            *self._told(words.WHAT, report.message, inner, palette=palette),
            *self._told(words.WHAT_TO_DO, report.hint, inner, palette=palette),
            section(words.REPORT, words.NO_SECRETS, width=inner, palette=palette),
            *wrapped([Segment(report.program, palette.muted)], inner),
            *self._lines(inner, palette),
        ]
        ground, air = palette.focus_surface, Segment(" ")
        return [look.row([air, *row], [], width=width, ground=ground) for row in rows]

    def _told(
        self, head: str, text: str, width: int, *, palette: look.Palette
    ) -> list[list[Segment]]:
        rows = wrapped([Segment(text, palette.ink)], width)
        return [[Segment(head, palette.bright + look.BOLD)], *rows, []]

    def _lines(self, width: int, palette: look.Palette) -> Iterator[list[Segment]]:
        for label, text in self._report.lines:
            head = Segment(f"{label:<{LABEL}}", palette.muted)
            for row in wrapped([Segment(text, palette.ink)], max(1, width - LABEL)):
                yield [head, *row]
                head = Segment(" " * LABEL)


class ErrorDialog(PageDialog[None]):
    """Shows the report of a failure; y copies it by OSC 52, so that it works over ssh."""

    DEFAULT_CSS: ClassVar[str] = """
    ErrorDialog VerticalScroll { height: 1fr; scrollbar-gutter: stable; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "copy", "copy", id="error.copy", tooltip="Copy the report"),
        Binding(
            "up,k", "scroll(-1)", "scroll", id="error.up", key_display="↑↓", tooltip="A row up"
        ),
        Binding("down,j", "scroll(1)", id="error.down", tooltip="A row down", show=False),
    ]

    def __init__(self, report: Report) -> None:
        self._report = report
        self._page = Page(report)
        super().__init__(f"{look.GLYPHS['failed']} {report.title}", report.facts, self._page)

    def on_mount(self) -> None:
        """Be as high as the page."""
        self._fit()

    def on_resize(self) -> None:
        """Be as high as the page is now."""
        self._fit()

    def _fit(self) -> None:
        width = min(_WIDEST, self.size.width) - _BESIDE
        rows = self._page.get_content_height(self.size, self.size, width)
        self.query_one("#card").styles.height = max(1, min(self.size.height - 2, rows + 2))

    def action_copy(self) -> None:
        """Copy the report."""
        self.app.copy_to_clipboard(self._report.text)
        self.tell(f"{look.GLYPHS['failed']} {self._report.title}", words.COPIED)
