"""The user's own editor, for a text that grew too long for the composer."""

from __future__ import annotations

import asyncio
import os
import shlex
import shutil
import signal
import tempfile
import threading
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from moa_tui.errors import ConfigError
from moa_tui.text import clean, one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

_VARIABLES: Final = ("VISUAL", "EDITOR")
_USUAL: Final = ("vi", "nano")


class TerminalEditor:
    """Runs $VISUAL, else $EDITOR, else vi or nano, in the terminal of the program."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    async def edit(self, text: str, away: Callable[[], AbstractContextManager[object]], /) -> str:
        """Return the text as the user left it; the terminal is the editor's within ``away()``.

        Raises:
            ConfigError: there is no editor, or it failed; the message says so.
        """
        command = self._command()
        path = _written(text)
        try:
            with away():
                # Said when the screen is back: until then nobody would see it.
                failure = await _run([*command, str(path)])
            if failure:
                name = one_line(Path(command[0]).name)
                raise ConfigError(f"{name} {failure}; the prompt is as it was")
            return _read(path, text)
        finally:
            path.unlink(missing_ok=True)

    def _command(self) -> Sequence[str]:
        """Return the editor's command line."""
        search = self._environ.get("PATH", os.defpath)
        for variable in _VARIABLES:
            if value := self._environ.get(variable, "").strip():
                return _checked(variable, value, search)
        for name in _USUAL:
            if shutil.which(name, path=search):
                return (name,)
        raise ConfigError("no editor: $EDITOR isn't set, and there is neither vi nor nano")


def _checked(variable: str, value: str, search: str) -> Sequence[str]:
    try:
        command = shlex.split(value)
    except ValueError as error:
        raise ConfigError(f"${variable} can't be read: {error}") from error
    if not command:
        raise ConfigError(f"${variable} names no editor")
    if shutil.which(command[0], path=search) is None:
        raise ConfigError(f"no editor: ${variable} is {one_line(command[0])}, which isn't there")
    return command


def _written(text: str) -> Path:
    """Return a new file, the user's alone, that holds the text."""
    try:
        descriptor, name = tempfile.mkstemp(prefix="moa-prompt-", suffix=".md")
        with os.fdopen(descriptor, "wb") as file:
            file.write(text.encode("utf-8", "replace"))
    except OSError as error:
        raise ConfigError(f"no file for the editor: {error.strerror}") from error
    return Path(name)


def _read(path: Path, before: str) -> str:
    try:
        text = clean(path.read_bytes().decode("utf-8", "replace"))
    except OSError as error:
        raise ConfigError(f"what was written can't be read: {error.strerror}") from error
    # Editors end the last line, too.
    return text if before.endswith("\n") else text.removesuffix("\n")


async def _run(command: Sequence[str]) -> str:
    """Run a command in this terminal and return how it failed, "" if it didn't."""
    with _unmoved():
        try:
            process = await asyncio.create_subprocess_exec(*command)
        except OSError as error:
            return f"can't be started: {error.strerror}"
        try:
            code = await process.wait()
        except asyncio.CancelledError:
            with suppress(ProcessLookupError):
                process.terminate()
            await process.wait()
            raise
    return f"ended with {code}" if code else ""


@contextmanager
def _unmoved() -> Iterator[None]:
    """Let ctrl+c be the editor's: a terminal tells every program in it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    # A program that is started inherits what is ignored, but no function.
    numbers = (signal.SIGINT, signal.SIGQUIT)
    before = {number: signal.signal(number, lambda *_: None) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
