"""What is exported from the screen: pages in the folder that the program was started in."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Final

from moa_tui.files import rewrite
from moa_tui.text import one_line

if TYPE_CHECKING:
    from pathlib import Path

_MOST: Final = 60
_NO_LETTERS: Final = re.compile(r"[^\w]+")


class FolderPapers:
    """Writes to a folder, never over a file that is there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def write(self, title: str, text: str, /) -> str:
        """Write a page to a new file, readable by the user alone, and return its path.

        Raises:
            ConfigError: it can't be written; the message says why.
        """
        return await asyncio.to_thread(self._write, title, text)

    def _write(self, title: str, text: str) -> str:
        stem = _NO_LETTERS.sub("-", one_line(title, _MOST)).strip("-") or "conversation"
        path, number = self._folder / f"{stem}.md", 1
        while path.exists():
            number += 1
            path = self._folder / f"{stem}-{number}.md"
        rewrite(path, lambda _before: text)
        return str(path)
