"""Markdown as rows: exact, the same however it arrives, and whole whatever it says."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.style import Style
from textual.color import Color

from moa_tui.ui.answer import targets
from moa_tui.ui.answer.blocks import LONGEST_BLOCK, Block, Blocks
from moa_tui.ui.answer.markdown import (
    LEAST_WIDTH,
    codes_of,
    links_of,
    render,
    render_block,
    split_stable,
)
from moa_tui.ui.look import Palette
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
        ("f", ink + PALETTE.link + targets.leads_to("http://g")),
        (" (g)", ink + PALETTE.muted),
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


def test_a_link_is_only_told_never_done() -> None:
    source = (
        "[a](http://b.c/d) <http://c> ![d](http://e) [@click=app.quit](http://f) [m](mailto:g@h)"
    )
    strips = render(source, width=90, palette=PALETTE)
    assert [strip.text for strip in strips] == [
        "a (b.c) http://c d (e) @click=app.quit (f) m (mailto:g@h)"
    ]
    styles = [style for strip in strips for _, style, _ in strip if style is not None]
    assert {style.link for style in styles} == {None}
    assert {key for style in styles for key in style.meta} == {"moa-url"}
    assert targets.urls_of(strips[0]) == ["http://b.c/d", "http://c", "http://e", "http://f"]


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("[the docs](https://docs.example.com/a)", "the docs (docs.example.com)"),
        ("[docs.example.com](https://docs.example.com/a)", "docs.example.com"),
        ("[see example.com](https://www.example.com)", "see example.com"),
        ("[https://example.com](https://example.com/)", "https://example.com"),
        ("[https://bank.example](https://evil.example)", "https://bank.example (evil.example)"),
        ("[bank.example](https://bank.example@evil.example)", "bank.example (evil.example)"),
        ("[bank.example.evil](https://bank.example)", "bank.example.evil (bank.example)"),
        ("[example.com or b.c](https://example.com)", "example.com or b.c (example.com)"),
        ("[](https://example.com/a)", "example.com"),
        ("[a](ftp://example.com/a)", "a (ftp://example.com/a)"),
        ("[a](/b) [c](#d)", "a (/b) c (#d)"),
        ("[a](http://[::1)", "a (http://:1%5B:)"),
        ("[![logo](http://a/b.png)](http://c)", "logo (a) (c)"),
    ],
)
def test_a_link_shows_who_is_behind_it(source: str, shown: str) -> None:
    assert rows(source, 60) == [shown]


@pytest.mark.parametrize(
    ("text", "urls"),
    [
        ("See https://a.b/c?d=e#f, or http://g.", ["https://a.b/c?d=e#f", "http://g"]),
        ("(https://a.b/c_(d)) and **https://a.b**!", ["https://a.b/c_(d)", "https://a.b"]),
        (
            "请看https://a.b/c。或者：http://localhost:8080/x，好",
            ["https://a.b/c", "http://localhost:8080/x"],
        ),
        ("ftp://a.b javascript://a.b xhttps://a.b https:// https://[1", []),
        ("`https://a.b`", []),
        (
            "<https://a.b> [x](https://c.d) https://e.f",
            ["https://a.b", "https://c.d", "https://e.f"],
        ),
        (
            "[https://a.b](https://c.d) ![y](https://e.f/g.png)",
            ["https://c.d", "https://e.f/g.png"],
        ),
        (
            "- https://a.b\n  > https://c.d\n\n|x|\n|-|\n|https://e.f|",
            ["https://a.b", "https://c.d", "https://e.f"],
        ),
        ("```\nhttps://a.b\n```", []),
        ("https://\u0430pple.com https://a\u202eb.c", ["https://a"]),
    ],
)
def test_links_are_found_as_they_are_drawn(text: str, urls: list[str]) -> None:
    blocks = Blocks()
    found = [url for block in (*blocks.feed(text), blocks.open) for url in links_of(block.source)]
    strips = render(text, width=95, palette=PALETTE)
    assert [url for strip in strips for url in targets.urls_of(strip)] == urls
    assert found == urls


def test_a_link_that_is_wrapped_leads_there_from_each_row() -> None:
    strips = render("see https://example.com/a/long/path", width=16, palette=PALETTE)
    assert [targets.urls_of(strip) for strip in strips] == [["https://example.com/a/long/path"]] * 3
    assert targets.url_at(strips[0], 3) == ""
    assert targets.url_at(strips[0], 4) == "https://example.com/a/long/path"


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
        [("│ ", PALETTE.edge + targets.is_code(0)), ("qapla 'x'", PALETTE.ink)]
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


def test_rows_of_code_know_which_code_they_are_of() -> None:
    source = "- a\n  ```py\n  x\n  ```\n  > ```\n  > y\n  > z\n  > ```\n"
    strips = render(source, width=40, palette=PALETTE)
    assert [(strip.text.rstrip(), targets.code_of(strip)) for strip in strips] == [
        ("• a", None),
        ("", None),
        ("  │ x", 0),
        ("", None),
        ("  │ │ y", 1),
        ("  │ │ z", 1),
    ]
    assert codes_of(source) == ["x\n", "y\nz\n"]


# Text that was made to break things, and text that does so by itself.


@pytest.mark.parametrize(
    "source",
    [
        "שלום עולם, זה משפט ארוך שנשבר לשורות",
        "مَرْحَبًا بِالعَالَم هذه جملة طويلة تنقسم إلى أسطر",
        "| שם | ערך |\n|---|--:|\n| אלף | 1 |\n| בית | 22 |",
        "- פריט **חשוב** `code`\n  1. تحت",
        "mixed עברית and العربية in one 行 👍🏽",
    ],
)
def test_text_from_right_to_left_keeps_the_layout(source: str) -> None:
    strips = render(source, width=20, palette=PALETTE)
    assert all(strip.cell_length == cell_len(strip.text) <= 20 for strip in strips)
    words = [word for word in re.findall(r"\w+", source) if not word.isascii()]
    joined = "".join(strip.text for strip in strips)
    assert [word for word in words if word not in joined] == []


def test_a_right_to_left_table_stays_one() -> None:
    strips = render("| שם | n |\n|---|--:|\n| אלף | 1 |", width=20, palette=PALETTE)
    assert [strip.text for strip in strips] == ["שם  │ n", "────┼──", "אלף │ 1"]


def test_a_table_of_two_hundred_columns_is_whole() -> None:
    head = "|" + "|".join(f"h{at}" for at in range(200)) + "|\n" + "|---" * 200 + "|\n"
    line = "|" + "|".join(f"c{at}" for at in range(200)) + "|\n"
    got = rows(head + line * 3, 60)
    assert got == [*(f"h{at}: c{at}" for at in range(200)), "─" * 60] * 2 + [
        f"h{at}: c{at}" for at in range(200)
    ]


def test_a_long_table_is_cut_into_tables() -> None:
    source = "| a | b |\n|---|---|\n" + "| x | y |\n" * 3_000 + "\nend\n"
    blocks = Blocks()
    closed = [*blocks.feed(source), blocks.open]
    assert len(closed) == 5
    assert max(len(block.source) for block in closed) < LONGEST_BLOCK * 1.1
    got = rows(source)
    assert [row for row in got if row not in ("x │ y", "a │ b", "──┼──")] == ["", "end"]
    assert got.count("x │ y") == 3_000


def test_a_cell_too_wide_is_wrapped() -> None:
    assert rows("| a | b |\n|---|---|\n| " + "x" * 20 + " | one two |", 20) == [
        "a          │ b",
        "───────────┼────────",
        "xxxxxxxxxx │ one two",
        "xxxxxxxxxx │",
    ]


@pytest.mark.parametrize(
    "source",
    [
        "[bold]x[/] [@click=app.quit]y[/] [/]",
        "\x1b[31mred\x1b]52;c;AAAA\x07 \x9b31m \x00\x7f",
        "`\x1b[2J` **\x1b[2J** [\x1b](http://a/\x1b) # \x1b",
        "```py\n\x1b[2J\x07\n```\n~~~\x1b\n\x9b\n~~~",
        "|\x1b|\x9b|\n|-|-|\n|\x07|\x08|",
        "&#27;[2J &#x9b; &#7; &#x202e;",
        "http://a.b/\x1b[2J https://a.b/\x9b",
    ],
)
def test_no_control_byte_reaches_the_terminal(source: str) -> None:
    strips = render(source, width=60, palette=PALETTE)
    painted = "".join(strip.text for strip in strips)
    assert [char for char in painted if unicodedata.category(char) in ("Cc", "Cf")] == []
    metas = [style.meta for strip in strips for _, style, _ in strip if style is not None]
    assert {key for meta in metas for key in meta} <= {"moa-url", "moa-code"}
    told = [url for block in [source] for url in links_of(block)] + codes_of(source)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", "".join(told))


@pytest.mark.parametrize(
    "source",
    [
        "x" * 1_000_000,
        "汉" * 300_000,
        "word " * 200_000,
        "line of text\n" * 10_000,
        "- item\n" * 10_000,
        "```py\n" + "x = f('a', 1)  # c\n" * 10_000,
        "```\n" + "y" * 1_000_000,
        "| a | b |\n|---|---|\n" + "| x | y |\n" * 10_000,
        "|" + "a|" * 200 + "\n" + "|-" * 200 + "|\n" + "|b" * 20_000,
        "[" * 50_000,
        "![a](" * 10_000,
        "> " * 50_000 + "\n" + "> deep\n" * 9_999,
        "\n".join(f"{'  ' * depth}- x" for depth in range(300)),
        "e" + "\u0301" * 50_000,
        "https://a.b/c " * 10_000,
    ],
)
def test_a_block_is_bounded_whatever_it_is_of(source: str) -> None:
    blocks = Blocks()
    cut = [*blocks.feed(source), blocks.open]
    assert max(len(block.source) for block in cut) < LONGEST_BLOCK * 2.5
    drawn = [render_block(block.source, width=95, palette=PALETTE) for block in cut[:2]]
    assert all(strip.cell_length <= 95 for strips in drawn for strip in strips)
    assert 0 < max(map(len, drawn)) < 3_000


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
        *(
            "](http://x)",
            "https://a.b/c ",
            "http://d",
            "<b>",
            "&#27;",
            "&#x202e;",
            "&lt;",
            "\\",
            "---",
            "* * *\n",
            "def f(x):\n",
        ),
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
@given(SOURCES)
def test_links_and_codes_are_those_that_are_drawn(source: str) -> None:
    blocks = Blocks()
    for block in (*blocks.feed(source), blocks.open):
        strips = render_block(block.source, width=95, palette=PALETTE)
        urls = dict.fromkeys(url for strip in strips for url in targets.urls_of(strip))
        codes = {targets.code_of(strip) for strip in strips} - {None}
        assert list(urls) == list(dict.fromkeys(links_of(block.source)))
        written = codes_of(block.source)
        assert codes <= set(range(len(written)))
        assert codes >= {at for at, code in enumerate(written) if code.strip("\n")}


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
