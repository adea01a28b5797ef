"""Markdown as strips: pure, the same for a tile and for the answer, never raising.

HTML, references and markup are shown as they are written: nothing that a model says is hidden or
run. A link shows its text and, where that doesn't name it, the host that it leads to; only whoever
draws the text decides whether it can be followed.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from rich.cells import chop_cells
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from moa_tui.text import clean
from moa_tui.ui.answer import links, targets
from moa_tui.ui.answer.blocks import Blocks, split_stable
from moa_tui.ui.answer.code import code_lines
from moa_tui.ui.answer.prose import width_of, wrap
from moa_tui.ui.look import BOLD, CODE_BAR, ITALIC

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from markdown_it import MarkdownIt
    from markdown_it.token import Token
    from markdown_it.tree import SyntaxTreeNode

    from moa_tui.ui.answer.prose import Line
    from moa_tui.ui.look import Palette

__all__ = ["LEAST_WIDTH", "codes_of", "links_of", "render", "render_block", "split_stable"]

LEAST_WIDTH: Final = 8
"""Cells; a narrower width is drawn at this one."""

_LONGEST_LINE: Final = 4_000
_DEEPEST: Final = 20
_LEAST_ROOM: Final = 8
_LEAST_COLUMN: Final = 6
_BULLET: Final = "•"
_STRIKE: Final = Style(strike=True)
_COLUMN_RULE: Final = " │ "
_CODES: Final = ("fence", "code_block")
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


def links_of(source: str) -> list[str]:
    """Return where the links of a block lead, in order; those that are drawn as links."""
    tokens = _parser().parse(_bounded(source))
    if _is_too_deep(tokens):
        return []
    inline = (child for token in tokens for child in token.children or ())
    return [url for url in _addresses(inline) if url]


def codes_of(source: str) -> list[str]:
    """Return the code blocks that stand in a block, in order, each ended by a newline or the end.

    They are numbered as `targets.is_code` numbers drawn rows.
    """
    tokens = _outline().parse(_with_newlines(source))
    if _is_too_deep(tokens):
        return []
    return [clean(token.content) for token in tokens if token.type in _CODES]


def _addresses(tokens: Iterable[Token]) -> Iterator[str]:
    depth = 0
    for token in tokens:
        match token.type:
            case "link_open":
                depth += 1
                yield links.web_address(str(token.attrs.get("href", "")))
            case "link_close":
                depth -= 1
            case "image" if not depth:
                yield links.web_address(str(token.attrs.get("src", "")))
            case "text" if not depth:
                yield from (url for _, _, url in links.bare(clean(token.content)))
            case _:
                pass


def _is_too_deep(tokens: Sequence[Token]) -> bool:
    """Return whether nesting came to where the parser drops text."""
    return any(token.level >= _DEEPEST - 2 for token in tokens)


def _with_newlines(source: str) -> str:
    return source.replace("\r\n", "\n").replace("\r", "\n")


def _bounded(source: str) -> str:
    """Return the text with endless lines cut, so that no parser or lexer meets one."""
    # The parser ends lines here too, and its line numbers are looked up in this text.
    source = _with_newlines(source)
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


@lru_cache(maxsize=1)
def _outline() -> MarkdownIt:
    """Return a parser of blocks alone: what stands in a line it leaves as it is."""
    from markdown_it import MarkdownIt  # noqa: PLC0415 - as above

    parser = MarkdownIt("commonmark", {"html": False, "maxNesting": _DEEPEST})
    parser.enable("table")
    return parser.disable(["html_block", "reference", "inline"])


class _Page:
    """One block of source on its way to lines."""

    def __init__(self, source: str, palette: Palette, *, tight: bool, is_draft: bool) -> None:
        self._source = source.split("\n")
        self._palette = palette
        self._tight = tight
        self._is_draft = is_draft
        self._codes = 0

    def lines(self, width: int) -> list[Line]:
        from markdown_it.tree import SyntaxTreeNode  # noqa: PLC0415 - as the parser

        source = "\n".join(self._source)
        tokens = _parser().parse(source)
        # Plain text drops nothing.
        if _is_too_deep(tokens):
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
        number, self._codes = self._codes, self._codes + 1
        lines = code_lines(
            code, node.info, width=width, palette=self._palette, is_draft=self._is_draft
        )
        return [[_pointing(bar, targets.is_code(number)), *line] for bar, *line in lines]

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


def _inline(
    nodes: Iterable[SyntaxTreeNode], ink: Style, palette: Palette, *, is_linked: bool = False
) -> Line:
    """Return what stands in a line; the parser's entities may bring back what was cleaned.

    ``is_linked``: it is a link's text, in which nothing else leads anywhere.
    """

    def inner(node: SyntaxTreeNode, ink: Style) -> Line:
        return _inline(node.children, ink, palette, is_linked=is_linked)

    spans: Line = []
    for node in nodes:
        match node.type:
            case "inline":
                spans += inner(node, ink)
            case "strong":
                spans += inner(node, ink + BOLD)
            case "em":
                spans += inner(node, ink + ITALIC)
            case "s":
                spans += inner(node, ink + _STRIKE)
            case "code_inline":
                spans.append(Segment(clean(node.content), ink + palette.code_ink))
            case "link":
                url = str(node.attrs.get("href", ""))
                look = _link_look(url, ink, palette)
                shown = _inline(node.children, look, palette, is_linked=True)
                spans += _linked(shown, url, look, ink + palette.muted)
            case "image":
                url = str(node.attrs.get("src", ""))
                look = ink if is_linked else _link_look(url, ink, palette)
                shown = [Segment(clean(node.content), look)]
                spans += _linked(shown, url, look, ink + palette.muted)
            case "softbreak" | "hardbreak":
                # Models end a line on purpose, and CJK text wants no space there.
                spans.append(Segment("\n", ink))
            case "text" if not is_linked:
                spans += _text(clean(node.content), ink, palette)
            case _:
                spans.append(Segment(clean(node.content), ink))
    return spans


def _text(text: str, ink: Style, palette: Palette) -> Line:
    """Return plain text; the web addresses in it are links."""
    spans: Line = []
    done = 0
    for start, end, url in links.bare(text):
        look = _link_look(url, ink, palette)
        spans.append(Segment(text[done:start], ink))
        spans += _linked([Segment(text[start:end], look)], url, look, ink + palette.muted)
        done = end
    return [*spans, Segment(text[done:], ink)] if spans else [Segment(text, ink)]


def _link_look(url: str, ink: Style, palette: Palette) -> Style:
    """Return the look of a link's text: another address than a web page's can't be followed."""
    address = links.web_address(url)
    return ink + palette.link + targets.leads_to(address) if address else ink


def _linked(shown: Line, url: str, look: Style, aside: Style) -> Line:
    """Return a link's text and, where it says something else, who is behind it."""
    address = links.web_address(url)
    text = "".join(span.text for span in shown)
    if not address:
        where = clean(url).replace("\n", " ")
        is_told = where.removeprefix("mailto:").rstrip("/") == text.rstrip("/")
        where = "" if is_told else where
    else:
        where = links.told(text, address)
    if not where:
        return shown
    return [*shown, Segment(f" ({where})", aside)] if text else [Segment(where, look)]


def _pointing(span: Segment, style: Style) -> Segment:
    return Segment(span.text, span.style + style if span.style else style)


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
