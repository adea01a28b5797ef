"""Text files that a prompt names, and the names in a folder, read beside the loop."""

from __future__ import annotations

import asyncio
import os
import re
import stat
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from moa_tui.errors import ConfigError
from moa_tui.text import clean, one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

LARGEST: Final = 1_000_000
"""Bytes of a file that may still be attached."""

_MOST_NAMES: Final = 10_000
_BINARY: Final = "is no text, so it can't be attached"
_UNWRITABLE: Final = re.compile(r'["\s]')

ResultT = TypeVar("ResultT")


class LocalFiles:
    """The files of this machine; names count from ``base``, and ~ is the user's home."""

    def __init__(self, base: Path) -> None:
        self._base = base

    async def names(self, folder: str, /) -> Sequence[str]:
        """Return what is in a folder ("" or one that ends with a slash), folders with a slash.

        Nothing where it can't be read; names that can't be written in a prompt are left out.
        """
        return await _apart(lambda: _names(self._path(folder)))

    async def read(self, name: str, /) -> str | None:
        """Return a text file's content, safe to show; None where nothing has this name.

        Raises:
            ConfigError: it can't be attached; the message says why.
        """
        return await _apart(lambda: _content(self._path(name), name))

    def _path(self, name: str) -> Path:
        with suppress(RuntimeError):  # there is no home for that
            return self._base / Path(name).expanduser()
        return self._base / name


def _names(folder: Path) -> tuple[str, ...]:
    try:
        with os.scandir(folder) as entries:
            found = [name for entry in entries if (name := _name(entry))][:_MOST_NAMES]
    except (OSError, ValueError):
        return ()
    return tuple(sorted(found, key=lambda name: (name.casefold(), name)))


def _name(entry: os.DirEntry[str]) -> str:
    """Return how a prompt can name an entry of a folder, "" where it can't."""
    name = entry.name
    if _UNWRITABLE.search(name.replace(" ", "")) or clean(name) != name:
        return ""
    with suppress(OSError):
        return f"{name}/" if entry.is_dir() else name
    return name


def _content(path: Path, name: str) -> str | None:
    said = one_line(name)
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise ConfigError(f"{said} is a folder; name a file in it")
        # Opening a pipe would wait for somebody who writes.
        if not stat.S_ISREG(mode):
            raise ConfigError(f"{said} is no regular file")
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
    except OSError as error:
        raise ConfigError(f"{said} can't be read: {error.strerror}") from error
    if len(content) > LARGEST:
        raise ConfigError(f"{said} is larger than 1 MB")
    if b"\0" in content:
        raise ConfigError(f"{said} {_BINARY}")
    try:
        return clean(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise ConfigError(f"{said} {_BINARY}: it is not UTF-8") from error


async def _apart(work: Callable[[], ResultT]) -> ResultT:
    """Do what may take long on a thread that nobody waits for when the program ends.

    A file system that is gone holds whoever reads from it for minutes.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[ResultT] = loop.create_future()

    def tell(settle: Callable[[], None]) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody listens any more
            loop.call_soon_threadsafe(lambda: None if done.done() else settle())

    def run() -> None:
        try:
            result = work()
        except Exception as error:  # noqa: BLE001 - whoever awaits it gets it
            failure = error
            tell(lambda: done.set_exception(failure))
        else:
            tell(lambda: done.set_result(result))

    threading.Thread(target=run, daemon=True, name="moa-files").start()
    return await done
