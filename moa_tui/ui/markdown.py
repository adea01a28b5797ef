"""Markdown as strips: pure, the same for a tile and for the answer, never raising.

HTML, references and markup are shown as they are written: nothing that a model says is hidden,
run or linked.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from rich.cells import chop_cells
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from moa_tui.text import clean
from moa_tui.ui.blocks import Blocks, split_stable
from moa_tui.ui.code import code_lines
from moa_tui.ui.look import BOLD, CODE_BAR, ITALIC
from moa_tui.ui.prose import width_of, wrap

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from markdown_it import MarkdownIt
    from markdown_it.tree import SyntaxTreeNode

    from moa_tui.ui.look import Palette
    from moa_tui.ui.prose import Line

__all__ = ["LEAST_WIDTH", "render", "render_block", "split_stable"]

LEAST_WIDTH: Final = 8
"""Cells; a narrower width is drawn at this one."""

_LONGEST_LINE: Final = 4_000
_DEEPEST: Final = 20
_LEAST_ROOM: Final = 8
_LEAST_COLUMN: Final = 6
_BULLET: Final = "•"
_STRIKE: Final = Style(strike=True)
_COLUMN_RULE: Final = " │ "
_ROOMY: Final = frozenset(("heading", "fence", "code_block", "table", "hr"))


def render(source: str, *, width: int, palette: Palette, tight: bool = False) -> list[Strip]:
    """Return a Markdown text as strips of at most ``width`` cells, not padded, without a ground.

    Put them on a ground with ``Strip.apply_style``. ``tight`` leaves out the blank rows between
    blocks.
    """
    blocks = Blocks()
    strips: list[Strip] = []
    for block in (*blocks.feed(source), blocks.open):
        rows = render_block(block.source, width=width, palette=palette, tight=tight)
        if strips and rows and block.gap and not tight:
            strips.append(Strip.blank(0))
        strips.extend(rows)
    return strips


def render_block(
    source: str, *, width: int, palette: Palette, tight: bool = False, is_draft: bool = False
) -> list[Strip]:
    """Return one of the blocks that `Blocks` cuts; like `render`, without cutting it.

    A draft is a block that still grows: cheaper to draw often, its code highlighted in parts.
    """
    if not source.strip():
        return []
    width = max(LEAST_WIDTH, width)
    page = _Page(_bounded(source), palette, tight=tight, is_draft=is_draft)
    return [
        # A grapheme that markup tears in two may be measured one cell too short.
        Strip(line).simplify().crop(0, width)
        for line in page.lines(width)
    ]


def _bounded(source: str) -> str:
    """Return the text with endless lines cut, so that no parser or lexer meets one."""
    # The parser ends lines here too, and its line numbers are looked up in this text.
    source = source.replace("\r\n", "\n").replace("\r", "\n")
    if len(source) <= _LONGEST_LINE:
        return source
    return "\n".join(
        line if len(line) <= _LONGEST_LINE // 2 else "\n".join(chop_cells(line, _LONGEST_LINE))
        for line in source.split("\n")
    )


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt  # noqa: PLC0415 - loaded with the first answer

    parser = MarkdownIt("commonmark", {"html": False, "maxNesting": _DEEPEST})
    parser.enable(["table", "strikethrough"])
    # A definition would vanish from the page, and change blocks that are drawn already.
    return parser.disable(["html_block", "html_inline", "reference"])


class _Page:
    """One block of source on its way to lines."""

    def __init__(self, source: str, palette: Palette, *, tight: bool, is_draft: bool) -> None:
        self._source = source.split("\n")
        self._palette = palette
        self._tight = tight
        self._is_draft = is_draft

    def lines(self, width: int) -> list[Line]:
        from markdown_it.tree import SyntaxTreeNode  # noqa: PLC0415 - as the parser

        source = "\n".join(self._source)
        tokens = _parser().parse(source)
        # At its deepest level the parser drops text; plain text drops nothing.
        if any(token.level >= _DEEPEST - 2 for token in tokens):
            return wrap([Segment(clean(source), self._palette.ink)], width)
        return self._blocks(SyntaxTreeNode(tokens).children, width, self._palette.ink)

    def _blocks(self, nodes: Sequence[SyntaxTreeNode], width: int, ink: Style) -> list[Line]:
        lines: list[Line] = []
        before: SyntaxTreeNode | None = None
        for node in nodes:
            block = self._block(node, width, ink)
            if lines and block and before is not None and self._is_gap(before, node):
                lines.append([])
            lines.extend(block)
            before = node
        return lines

    def _is_gap(self, before: SyntaxTreeNode, node: SyntaxTreeNode) -> bool:
        """Return whether a blank row parts two blocks: around big ones, else as it was written."""
        if self._tight:
            return False
        if before.type in _ROOMY or node.type in _ROOMY:
            return True
        return node.map is not None and not self._source[node.map[0] - 1].strip(" >\t")

    def _block(self, node: SyntaxTreeNode, width: int, ink: Style) -> list[Line]:
        palette = self._palette
        match node.type:
            case "heading":
                return self._text(node, width, palette.bright + BOLD)
            case "paragraph":
                return self._text(node, width, ink)
            case "bullet_list" | "ordered_list":
                return self._list(node, width, ink)
            case "blockquote":
                bar = Segment(f"{CODE_BAR} ", palette.edge)
                quoted = self._blocks(node.children, max(1, width - 2), palette.muted)
                return [[bar, *line] for line in quoted]
            case "fence" | "code_block":
                return self._code(node, width)
            case "hr":
                return [[Segment("─" * width, palette.edge)]]
            case "table":
                return _table(self._cells(node, ink), node, width=width, palette=palette)
            case _:
                return wrap([Segment(clean(node.content), ink)], width)

    def _code(self, node: SyntaxTreeNode, width: int) -> list[Line]:
        code = clean(node.content)
        return code_lines(
            code, node.info, width=width, palette=self._palette, is_draft=self._is_draft
        )

    def _text(self, node: SyntaxTreeNode, width: int, ink: Style) -> list[Line]:
        return wrap(_inline(node.children, ink, self._palette), width)

    def _list(self, node: SyntaxTreeNode, width: int, ink: Style) -> list[Line]:
        lines: list[Line] = []
        for number, item in enumerate(node.children):
            if number and self._is_gap(node.children[number - 1], item):
                lines.append([])
            # The number as it was written: a list that is cut into blocks can't be counted.
            marker = f"{_BULLET} " if node.type == "bullet_list" else f"{item.info}{item.markup} "
            lines.extend(self._item(item, marker, width, ink=ink))
        return lines

    def _item(self, item: SyntaxTreeNode, marker: str, width: int, *, ink: Style) -> list[Line]:
        head = Segment(marker, ink)
        room = width - len(marker)
        if room < _LEAST_ROOM:
            return [[head], *self._blocks(item.children, width, ink)]
        first, *others = self._blocks(item.children, room, ink) or [[]]
        indent = Segment(" " * len(marker))
        return [[head, *first], *([indent, *line] if line else [] for line in others)]

    def _cells(self, table: SyntaxTreeNode, ink: Style) -> list[list[Line]]:
        """Return the rows of a table, the head first, each cell as unwrapped spans."""
        return [
            [
                _inline(cell.children, ink + BOLD if cell.type == "th" else ink, self._palette)
                for cell in row.children
            ]
            for part in table.children
            for row in part.children
        ]


def _inline(nodes: Iterable[SyntaxTreeNode], ink: Style, palette: Palette) -> Line:
    """Return what stands in a line; the parser's entities may bring back what was cleaned."""
    spans: Line = []
    for node in nodes:
        match node.type:
            case "inline":
                spans += _inline(node.children, ink, palette)
            case "strong":
                spans += _inline(node.children, ink + BOLD, palette)
            case "em":
                spans += _inline(node.children, ink + ITALIC, palette)
            case "s":
                spans += _inline(node.children, ink + _STRIKE, palette)
            case "code_inline":
                spans.append(Segment(clean(node.content), ink + palette.code_ink))
            case "link":
                shown = _inline(node.children, ink + palette.link, palette)
                spans += _linked(shown, str(node.attrs.get("href", "")), ink, palette)
            case "image":
                shown = [Segment(clean(node.content), ink + palette.link)]
                spans += _linked(shown, str(node.attrs.get("src", "")), ink, palette)
            case "softbreak" | "hardbreak":
                # Models end a line on purpose, and CJK text wants no space there.
                spans.append(Segment("\n", ink))
            case _:
                spans.append(Segment(clean(node.content), ink))
    return spans


def _linked(shown: Line, url: str, ink: Style, palette: Palette) -> Line:
    """Return a link's text and, where it says something else, where it leads."""
    url = clean(url).replace("\n", " ")
    text = "".join(span.text for span in shown)
    if not url or url.removeprefix("mailto:").rstrip("/") == text.rstrip("/"):
        return shown
    return [*shown, Segment(f" ({url})" if text else url, ink + palette.muted)]


def _table(
    rows: list[list[Line]], table: SyntaxTreeNode, *, width: int, palette: Palette
) -> list[Line]:
    head = rows[0]
    columns = len(head)
    aligned = [
        str(cell.attrs.get("style", ""))[11:] for cell in table.children[0].children[0].children
    ]
    room = width - len(_COLUMN_RULE) * (columns - 1)
    widths = _fitted(rows, columns, room)
    if widths is None:
        return _records(rows, width=width, palette=palette)
    rule = [Segment("─┼─".join("─" * size for size in widths), palette.edge)]
    wrapped = [[wrap(cell, size) for cell, size in zip(row, widths, strict=True)] for row in rows]
    is_ruled = any(len(cell) > 1 for row in wrapped[1:] for cell in row)
    lines: list[Line] = []
    for number, row in enumerate(wrapped):
        if number == 1 or (number and is_ruled):
            lines.append(rule)
        for level in range(max(len(cell) for cell in row)):
            cells = [
                _padded(cell[level] if level < len(cell) else [], size, alignment)
                for cell, size, alignment in zip(row, widths, aligned, strict=True)
            ]
            lines.append(_ruled(cells, Segment(_COLUMN_RULE, palette.edge)))
    return lines


def _fitted(rows: list[list[Line]], columns: int, room: int) -> list[int] | None:
    """Return the columns' widths in cells, None where there is no room for so many."""
    wanted = [max(1, *(width_of(row[at]) for row in rows)) for at in range(columns)]
    if sum(wanted) <= room:
        return wanted
    # The narrow columns get what they want, the wide ones share what is left.
    widths = [0] * columns
    for rank, at in enumerate(sorted(range(columns), key=wanted.__getitem__)):
        widths[at] = min(wanted[at], room // (columns - rank))
        room -= widths[at]
    is_usable = all(
        size >= min(want, _LEAST_COLUMN) for want, size in zip(wanted, widths, strict=True)
    )
    return widths if is_usable else None


def _padded(line: Line, width: int, alignment: str) -> Line:
    room = width - width_of(line)
    left = {"right": room, "center": room // 2}.get(alignment, 0)
    return [Segment(" " * left), *line, Segment(" " * (room - left))]


def _ruled(cells: list[Line], rule: Segment) -> Line:
    line = list(cells[0])
    for cell in cells[1:]:
        line += [rule, *cell]
    return line


def _records(rows: list[list[Line]], *, width: int, palette: Palette) -> list[Line]:
    """Return a table that is too wide for columns as one "head: value" a line."""
    lines: list[Line] = []
    for row in rows[1:] or rows:
        if lines:
            lines.append([Segment("─" * width, palette.edge)])
        for name, cell in zip(rows[0], row, strict=True):
            lines += wrap([*name, Segment(": ", palette.muted), *cell], width)
    return lines
