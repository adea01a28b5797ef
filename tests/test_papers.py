"""Exported pages get a file of their own."""

from __future__ import annotations

import asyncio
import stat
from pathlib import Path

import pytest

from moa_tui.errors import ConfigError
from moa_tui.papers import FolderPapers


def test_a_page_is_named_after_its_title_and_stands_beside_others(tmp_path: Path) -> None:
    papers = FolderPapers(tmp_path)
    pages = {"one": "Why is the sky/../blue?", "two": "Why is the sky/../blue?"}
    pages |= {"three": "用 Python 写", "four": "..."}
    paths = [asyncio.run(papers.write(title, text)) for text, title in pages.items()]

    names = {path.name for path in tmp_path.iterdir()}
    assert names == {
        "Why-is-the-sky-blue-2.md",
        "Why-is-the-sky-blue.md",
        "conversation.md",
        "用-Python-写.md",
    }
    assert [Path(path).read_text("utf-8") for path in paths] == list(pages)
    mode = (tmp_path / "conversation.md").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600


async def test_where_nothing_can_be_written_that_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="can't be written"):
        await FolderPapers(tmp_path / "file").write("title", "text")
