"""Small files written whole or not at all, whatever happens meanwhile."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from moa_tui.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_TRIES = 5


def rewrite(path: Path, change: Callable[[bytes | None], str | bytes]) -> None:
    """Replace a file's content by what ``change`` makes of it (None: there is no file yet).

    A reader sees the old file or the new one, never half of one, after a loss of power too. A file
    that changes while it is worked on is read again. A link is followed, a missing folder is made
    for the user alone, and so is the file.

    Raises:
        ConfigError: it can't be written; the message names it. Nothing is changed then.
    """
    target = Path(os.path.realpath(path))
    try:
        with suppress(FileExistsError):
            target.parent.mkdir(mode=0o700, parents=True)
        with _alone_in(target.parent):
            for _ in range(_TRIES):
                before = _content(target)
                after = change(before)
                content = after.encode() if isinstance(after, str) else after
                if _replaced(target, before, content):
                    return
    except OSError as error:
        raise ConfigError(f"{path} can't be written: {error.strerror}") from error
    raise ConfigError(f"{path} can't be written: another program keeps changing it")


def remove(path: Path) -> None:
    """Remove a file, or the link to it, for good.

    Raises:
        ConfigError: it can't be removed; the message names it.
    """
    try:
        with _alone_in(path.parent) as folder:
            path.unlink()
            os.fsync(folder)
    except OSError as error:
        raise ConfigError(f"{path} can't be removed: {error.strerror}") from error


def rename(path: Path, wanted: Path) -> None:
    """Give a file, or the link to it, another name in its folder, unless that is taken.

    Raises:
        ConfigError: it is, or the file can't be renamed; the message names it.
    """
    try:
        with _alone_in(path.parent) as folder:
            # Where case makes no difference, the other name may be the same file.
            if os.path.lexists(wanted) and not wanted.samefile(path):
                raise ConfigError(f"{wanted} exists already")
            path.rename(wanted)
            os.fsync(folder)
    except OSError as error:
        raise ConfigError(f"{path} can't be renamed: {error.strerror}") from error


@contextmanager
def _alone_in(folder: Path) -> Iterator[int]:
    """Let the program's instances write in a folder one after the other; gives its descriptor."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        # Some network file systems have no locks; the comparison before replacing is left then.
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


def _content(path: Path) -> bytes | None:
    try:
        mode = path.stat().st_mode
        # Opening a pipe would wait for somebody who writes; a folder's error has words.
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            raise OSError(errno.EINVAL, "it is no regular file")
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _replaced(target: Path, before: bytes | None, after: bytes) -> bool:
    """Put the new content in the file's place, unless its old content is another by now."""
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:40]}.")
    fresh = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(after)
            file.flush()
            os.fsync(file.fileno())
        if _content(target) != before:
            return False
        fresh.replace(target)
    finally:
        fresh.unlink(missing_ok=True)
    _settle(target.parent)
    return True


def _settle(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
