"""Markdown as rows: exact, the same however it arrives, and whole whatever it says."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.style import Style
from textual.color import Color

from moa_tui.ui.blocks import LONGEST_BLOCK, Block, Blocks
from moa_tui.ui.look import Palette
from moa_tui.ui.markdown import LEAST_WIDTH, render, render_block, split_stable
from moa_tui.ui.themes import contrast

if TYPE_CHECKING:
    from collections.abc import Mapping

    from textual.strip import Strip

THEMES = Path(__file__).parents[2] / "themes"


def variables(theme: str) -> Mapping[str, str]:
    read: dict[str, Any] = tomllib.loads((THEMES / f"moa-{theme}.toml").read_text("utf-8"))
    colours = {key: value for key, value in read.items() if isinstance(value, str)}
    return {**colours, **read["variables"]}


PALETTE = Palette.of(variables("dark"))

ANSWER = '''\
## Use heapq.merge
`heapq.merge` takes **any number** of sorted iterables and yields their items in order, *lazily*.

```python
def merged(streams):
    """Rows of all streams in time order, one at a time."""

    yield from heapq.merge(*streams)
```
### What it costs

- **Time** O(n log k): every item passes a heap of k heads once.
- **Memory** O(k)
  1. nested
  2. nested too, and long enough to be wrapped

10. ten

    its second paragraph

> quoted
> twice

---
| Name | Cost |
|:-----|-----:|
| merge | O(k) |
| sorted | O(n) |

用 Python 写一个贪吃蛇游戏，它在终端里就能运行。
'''


def rows(source: str, width: int = 40, *, tight: bool = False) -> list[str]:
    strips = render(source, width=width, palette=PALETTE, tight=tight)
    return [strip.text.rstrip() for strip in strips]


def looks(source: str, width: int = 60) -> list[tuple[str, Style | None]]:
    strips = render(source, width=width, palette=PALETTE)
    return [(text, style) for strip in strips for text, style, _ in strip]


def look_of(strips: list[Strip], word: str) -> Style:
    found = [style for strip in strips for text, style, _ in strip if text.strip() == word]
    assert found, word
    assert found[0] is not None
    return found[0]


def test_an_answer_at_sixty_cells() -> None:
    assert rows(ANSWER, 60) == [
        "Use heapq.merge",
        "",
        "heapq.merge takes any number of sorted iterables and yields",
        "their items in order, lazily.",
        "",
        "│ def merged(streams):",
        '│     """Rows of all streams in time order, one at a time."…',
        "│",
        "│     yield from heapq.merge(*streams)",
        "",
        "What it costs",
        "",
        "• Time O(n log k): every item passes a heap of k heads once.",
        "• Memory O(k)",
        "  1. nested",
        "  2. nested too, and long enough to be wrapped",
        "",
        "10. ten",
        "",
        "    its second paragraph",
        "",
        "│ quoted",
        "│ twice",
        "",
        "────────────────────────────────────────────────────────────",
        "",
        "Name   │ Cost",
        "───────┼─────",
        "merge  │ O(k)",
        "sorted │ O(n)",
        "",
        "用 Python 写一个贪吃蛇游戏，它在终端里就能运行。",
    ]


def test_the_same_answer_in_a_narrow_tile() -> None:
    assert rows(ANSWER, 26, tight=True) == [
        "Use heapq.merge",
        "heapq.merge takes any",
        "number of sorted iterables",
        "and yields their items in",
        "order, lazily.",
        "│ def merged(streams):",
        '│     """Rows of all stre…',
        "│",
        "│     yield from heapq.me…",
        "What it costs",
        "• Time O(n log k): every",
        "  item passes a heap of k",
        "  heads once.",
        "• Memory O(k)",
        "  1. nested",
        "  2. nested too, and long",
        "     enough to be wrapped",
        "10. ten",
        "    its second paragraph",
        "│ quoted",
        "│ twice",
        "──────────────────────────",
        "Name   │ Cost",
        "───────┼─────",
        "merge  │ O(k)",
        "sorted │ O(n)",
        "用 Python 写一个贪吃蛇游",
        "戏，它在终端里就能运行。",
    ]


def test_type_says_what_markup_said() -> None:
    looked = looks("# Head\n\na **b** *c* `d` ~~e~~ [f](http://g)")
    ink = PALETTE.ink
    assert [(text, style) for text, style in looked if text.strip()] == [
        ("Head", PALETTE.bright + Style(bold=True)),
        ("a ", ink),
        ("b", ink + Style(bold=True)),
        ("c", ink + Style(italic=True)),
        ("d", ink + PALETTE.code_ink),
        ("e", ink + Style(strike=True)),
        ("f", ink + PALETTE.link),
        (" (http://g)", ink + PALETTE.muted),
    ]


@pytest.mark.parametrize(
    "source",
    [
        "[red]not red[/] [@click=app.quit]no button[/]",
        "<b>no</b> <script>alert(1)</script>",
        "[text][ref] and [1]",
        "[1]: http://example.com",
        "[x](javascript:alert(1))",
    ],
)
def test_what_looks_like_markup_is_shown_as_it_is_written(source: str) -> None:
    assert rows(source, 60) == [source]


def test_no_strip_carries_a_link_or_an_action() -> None:
    strips = render("[a](http://b) <http://c> ![d](http://e)", width=60, palette=PALETTE)
    assert [strip.text for strip in strips] == ["a (http://b) http://c d (http://e)"]
    styles = [style for strip in strips for _, style, _ in strip if style is not None]
    assert [(style.link, style.meta) for style in styles] == [(None, {})] * len(styles)


def test_entities_bring_no_control_character_back() -> None:
    assert rows("a &lt;b&gt; &#x202e;c&#173;d&ZeroWidthSpace;e &#27;") == ["a <b> \ufffdcde \ufffd"]


def test_lines_end_where_the_model_ended_them() -> None:
    assert rows("Time: 1\nSpace: 2  \n汉字\n汉字") == ["Time: 1", "Space: 2", "汉字", "汉字"]


def test_lists_keep_their_numbers_and_their_air() -> None:
    assert rows("3. three\n4. four\n\n5. five\n7) seven\n* * *\n- a\n\n- b\n- c") == [
        "3. three",
        "4. four",
        "",
        "5. five",
        "7) seven",
        "",
        "─" * 40,
        "",
        "• a",
        "",
        "• b",
        "• c",
    ]


def test_wide_characters_break_anywhere_but_before_what_closes() -> None:
    assert rows("汉字汉字，汉字。", 8) == ["汉字汉", "字，汉", "字。"]
    assert rows("（一）（二）（三）", 8) == ["（一）", "（二）", "（三）"]


def test_a_grapheme_is_never_torn() -> None:
    family, thumb, marked = "👨‍👩‍👧", "👍🏽", "e\u0301"
    assert rows(family * 6, 8) == [family * 4, family * 2]
    assert rows(thumb * 6, 8) == [thumb * 4, thumb * 2]
    assert rows(marked * 10, 8) == [marked * 8, marked * 2]


def test_a_long_word_is_cut_at_the_edge() -> None:
    assert rows("see http://example.com/a/long/path", 16) == [
        "see http://examp",
        "le.com/a/long/pa",
        "th",
    ]


def test_table_columns_share_the_width() -> None:
    source = "| k | text | n |\n|---|:--:|--:|\n| a | one two three four | 12 |\n| b | x | 3 |"
    assert rows(source, 22) == [
        "k │     text      │  n",
        "──┼───────────────┼───",
        "a │ one two three │ 12",
        "  │     four      │",
        "──┼───────────────┼───",
        "b │       x       │  3",
    ]


def test_a_table_too_wide_for_columns_becomes_a_list_of_records() -> None:
    head = "|" + "|".join(f"name {at}" for at in range(6)) + "|"
    line = "|" + "|".join(f"value {at}" for at in range(6)) + "|"
    assert rows(f"{head}\n{'|---' * 6}|\n{line}\n{line}", 20) == [
        *(f"name {at}: value {at}" for at in range(6)),
        "─" * 20,
        *(f"name {at}: value {at}" for at in range(6)),
    ]


def test_code_in_an_unknown_language_is_plain() -> None:
    strips = render("```klingon\nqapla 'x'\n```", width=40, palette=PALETTE)
    assert [[(text, style) for text, style, _ in strip] for strip in strips] == [
        [("│ ", PALETTE.edge), ("qapla 'x'", PALETTE.ink)]
    ]


def test_known_code_is_coloured_token_by_token() -> None:
    strips = render("```py\nimport x  # why\nreturn 'y'\n```", width=40, palette=PALETTE)
    assert look_of(strips, "# why") == PALETTE.muted
    colours = {look_of(strips, word).color for word in ("import", "x", "return", "'y'")}
    assert len(colours) == 4
    assert PALETTE.aggregator.color not in colours


def test_code_keeps_blank_lines_inside_and_loses_those_at_its_end() -> None:
    assert rows("```\n\na\n\n\tb\n\n\n```") == ["│", "│ a", "│", "│     b"]


def test_an_unfinished_fence_is_code() -> None:
    assert rows("text\n```py\nx = 1") == ["text", "", "│ x = 1"]


def test_a_draft_of_code_looks_like_the_finished_one() -> None:
    source = "```py\n" + "x = 'a'  # b\n" * 100
    draft = render_block(source, width=40, palette=PALETTE, is_draft=True)
    assert draft == render_block(source, width=40, palette=PALETTE)


def test_nesting_without_end_becomes_plain_text() -> None:
    source = ">" * 50 + " deep"
    assert "".join(rows(source)).replace(" ", "") == source.replace(" ", "")
    listed = rows("\n".join(f"{'  ' * depth}- {depth}" for depth in range(40)), 60)
    assert [number for row in listed for number in re.findall(r"\d+", row)] == [
        str(depth) for depth in range(40)
    ]


def test_a_line_of_a_million_characters_keeps_every_one() -> None:
    strips = render("x" * 1_000_000, width=95, palette=PALETTE)
    assert sum(len(strip.text) for strip in strips) == 1_000_000
    assert max(strip.cell_length for strip in strips) == 95


# Where blocks may be cut.


def test_blocks_are_closed_by_what_follows_them() -> None:
    blocks = Blocks()
    closed = blocks.feed(ANSWER)
    assert [block.source.split("\n")[0][:20] for block in closed] == [
        "## Use heapq.merge",
        "`heapq.merge` takes ",
        "```python",
        "### What it costs",
        "- **Time** O(n log k",
        "- **Memory** O(k)",
        "10. ten",
        "> quoted",
        "---",
        "| Name | Cost |",
    ]
    assert blocks.open == Block("用 Python 写一个贪吃蛇游戏，它在终端里就能运行。\n")


@pytest.mark.parametrize(
    ("source", "stable"),
    [
        ("", 0),
        ("text", 0),
        ("text\n\n", 0),
        ("text\n\nmore", 0),
        ("text\n\nmore\n", 6),
        ("```\na\n\nb\n", 0),
        ("```\na\n\n# b\n```\ntext\n", 15),
        ("~~~\n```\n\nx\n", 0),
        ("- a\n\n  b\n", 0),
        ("- a\n\nb\n", 5),
        ("- a\n  ```\n\n  x\n", 0),
        ("- a\n```\n\nx\n", 4),
        ("|a|\n|-|\n|b|\n", 0),
        ("|a|\n|-|\n|b|\n\ntext\n", 13),
        ("a\n\n    code\n\n    code\n", 0),
        ("a\n# b\n", 2),
        ("# b\na\n", 4),
        ("a\n---\nb\n", 6),
        ("- a\n---\n", 4),
    ],
)
def test_the_stable_part_ends_before_the_last_block_that_may_grow(source: str, stable: int) -> None:
    assert split_stable(source) == stable


def test_no_block_grows_without_end() -> None:
    endless = [
        "word " * 40_000,
        "| a | b |\n" * 20_000,
        "```py\n" + "f(x)\n" * 30_000,
        "- a\n  b\n" * 9,
    ]
    blocks = [Blocks() for _ in endless]
    sizes = [
        max(len(block.source) for block in (*cutter.feed(text), cutter.open))
        for cutter, text in zip(blocks, endless, strict=True)
    ]
    assert max(sizes) < LONGEST_BLOCK * 2


def test_long_code_is_cut_between_statements_and_stays_code() -> None:
    source = "```py\n" + "def f(x):\n    return x\n\n" * 300 + "```\n"
    blocks = Blocks()
    closed = [*blocks.feed(source), blocks.open]
    assert len(closed) > 3
    assert [block.source[:5] for block in closed] == ["```py"] * len(closed)
    assert [block.gap for block in closed] == [True, *[False] * (len(closed) - 1)]
    assert rows(source) == ["│ def f(x):", "│     return x", "│"] * 299 + [
        "│ def f(x):",
        "│     return x",
    ]


PIECES = st.sampled_from(
    [
        *(
            "# ",
            "- ",
            "1. ",
            "12) ",
            "> ",
            "```",
            "~~~",
            "```py\n",
            "\n",
            "\n\n",
            "    ",
            "  ",
            "\t",
        ),
        *(
            "|",
            "| a | b |\n|---|---|\n",
            "a|b\n-|-\n",
            "*",
            "**",
            "_",
            "`",
            "~~",
            "[",
            "](",
            ")",
            "!",
        ),
        *("](http://x)", "<b>", "&#27;", "&#x202e;", "&lt;", "\\", "---", "* * *\n", "def f(x):\n"),
        *(
            "word ",
            "0123456789" * 9,
            "中文",
            "，",
            "“",
            "\u3000",
            "👨‍👩‍👧",
            "👍🏽",
            "e\u0301",
            "\u200d",
        ),
        *("\ufe0f", "1\ufe0f", "©", "\u0300" * 3, "\r", "\x00", "\x1b[0m", "\ud800", "\u2028"),
    ]
)
SOURCES = st.lists(PIECES | st.text(max_size=5), max_size=60).map("".join)


@settings(deadline=None, max_examples=150)
@given(SOURCES, st.sampled_from([1, 8, 20, 36, 95]))
def test_any_text_is_drawn_within_the_width(source: str, width: int) -> None:
    strips = render(source, width=width, palette=PALETTE)
    assert all(strip.cell_length <= max(LEAST_WIDTH, width) for strip in strips)
    assert not any("\n" in strip.text or "\x1b" in strip.text for strip in strips)


@settings(deadline=None, max_examples=150)
@given(SOURCES, st.data())
def test_blocks_do_not_depend_on_how_the_text_was_cut(source: str, data: st.DataObject) -> None:
    whole, cut = Blocks(), Blocks()
    expected = whole.feed(source)
    marks = sorted(data.draw(st.lists(st.integers(0, len(source)), max_size=20)))
    got = []
    for start, end in zip([0, *marks], [*marks, len(source)], strict=True):
        got += cut.feed(source[start:end])
    assert (got, cut.open, cut.offset) == (expected, whole.open, whole.offset)


CODE = '''
```python
import os
@cached
class A(Exception):
    """Doc."""
    def f(self, x: int = 3) -> None:  # why
        print(True and not "s", 4.5)
```
```diff
@@ -1 +1 @@
-a
+b
```
```html
<!DOCTYPE html><p class="x">y</p>
```
'''


@pytest.mark.parametrize(("theme", "need"), [("dark", 4.5), ("light", 4.5), ("contrast", 7.0)])
def test_every_letter_can_be_read(theme: str, need: float) -> None:
    read = variables(theme)
    grounds = [
        Color.parse(read[name]) for name in ("surface", "focus-surface", "aggregator-surface")
    ]
    strips = render(ANSWER + CODE + "[a](http://b)", width=60, palette=Palette.of(read))
    inks = {
        style.color.triplet.hex
        for strip in strips
        for text, style, _ in strip
        if style is not None
        and style.color is not None
        and style.color.triplet is not None
        and text.strip(" │─┼")
    }
    ratios = [contrast(Color.parse(ink), ground) for ink in inks for ground in grounds]
    assert len(inks) > 5
    assert min(ratios) >= need


def test_the_terminals_own_colours_stay_its_own() -> None:
    strips = render(ANSWER + CODE, width=60, palette=Palette.of(variables("ansi")))
    colours = [style.color for strip in strips for _, style, _ in strip if style and style.color]
    assert [colour for colour in colours if colour.triplet is not None] == []
