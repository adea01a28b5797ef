"""TOML files read key by key, so that every mistake is named where it stands."""

from __future__ import annotations

import math
import re
import stat
import tomllib
from typing import TYPE_CHECKING, Any, TypeVar

from moa_tui.errors import ConfigError, nearest
from moa_tui.text import one_line, redact

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_T = TypeVar("_T")

LARGEST = 2**31 - 1
"""The largest number that a file may hold, unless a key says otherwise."""

_TOML_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


def present(**values: object) -> dict[str, Any]:
    """Return the values that are there: None stands for a key that nobody wrote."""
    return {key: value for key, value in values.items() if value is not None}


def read_toml(path: Path) -> dict[str, Any]:
    """Return what a TOML file says.

    Raises:
        FileNotFoundError: there is no such file.
        ConfigError: it can't be read; the message names the file and, where known, line and column.
    """
    return parse_toml(read_bytes(path), path)


def read_bytes(path: Path) -> bytes:
    """Return what a regular file, or the link to one, holds.

    Raises:
        FileNotFoundError: there is no such file.
        ConfigError: it can't be read; the message names it.
    """
    try:
        mode = path.stat().st_mode
        # Opening a pipe would wait for somebody who writes; a folder's error has words.
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            raise ConfigError(f"{path} can't be read: it is no regular file")
        return path.read_bytes()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise ConfigError(f"{path} can't be read: {error.strerror}") from error


def parse_toml(content: bytes, path: Path) -> dict[str, Any]:
    """Return what the content of a TOML file says.

    Raises:
        ConfigError: it is no TOML; the message names the file, line and column.
    """
    try:
        source = content.removeprefix(b"\xef\xbb\xbf").decode()
    except UnicodeDecodeError as error:
        before = error.object[: error.start]
        line = before.count(b"\n") + 1
        column = error.start - (before.rfind(b"\n") + 1) + 1
        raise ConfigError(f"{path}, line {line}, column {column}: this isn't UTF-8") from error
    try:
        return tomllib.loads(source)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}, {_placed(str(error), source)}") from error
    except ValueError as error:
        # Python reads no whole number of more than 4300 digits, and TOML has no word for that.
        raise ConfigError(f"{path}: a number in it has too many digits") from error
    except RecursionError as error:
        raise ConfigError(f"{path}: its tables are nested too deeply") from error


def _placed(complaint: str, source: str) -> str:
    """Put the place first: "line 3, column 5: Invalid value"."""
    found = _TOML_PLACE.search(complaint)
    if found is None:
        return one_line(complaint)
    line, column = found.groups()
    if line is None:
        last = source.rpartition("\n")[2]
        line, column = source.count("\n") + 1, len(last) + 1
    return f"line {line}, column {column}: {one_line(complaint[: found.start()])}"


class Table:
    """A TOML table whose keys are asked for one by one; what is wrong is added to ``problems``.

    A key that is missing or wrong is None. Values are never shown in a problem: they may be keys.
    """

    def __init__(
        self, values: Mapping[str, Any], path: Path, problems: list[str], *, prefix: str = ""
    ) -> None:
        self._values = values
        self._path = path
        self._problems = problems
        self._prefix = prefix
        self._asked: set[str] = set()

    def complain(self, key: str, problem: str) -> None:
        """Add a problem of one key, or of the whole table with key ""."""
        name = f"{self._prefix}.{key}".strip(".")
        self._problems.append(f"{self._path}: {redact(one_line(name, 80))} {problem}")

    def close(self) -> None:
        """Report the keys that nobody asked for, with the nearest that is known."""
        for key in self._values:
            if key not in self._asked:
                self.complain(key, f"is no known key{nearest(key, self._asked)}")

    def text(self, key: str) -> str | None:
        """Return a string."""
        return self._take(key, str, "a text in quotes")

    def flag(self, key: str) -> bool | None:
        """Return true or false."""
        return self._take(key, bool, "true or false")

    def whole(self, key: str, *, at_least: int, at_most: int = LARGEST) -> int | None:
        """Return a whole number within the bounds."""
        value = self._take(key, int, f"a whole number, at least {at_least}")
        if value is not None and value < at_least:
            self.complain(key, f"must be at least {at_least}")
            return None
        if value is not None and value > at_most:
            self.complain(key, f"must be at most {at_most}")
            return None
        return value

    def number(self, key: str, *, above: float | None) -> float | None:
        """Return a finite number, above the bound or with None at least 0."""
        bound = "at least 0" if above is None else f"above {above}"
        value = self._take(key, (int, float), f"a number {bound}")
        if value is None:
            return None
        if isinstance(value, int) and value > LARGEST:
            self.complain(key, f"must be at most {LARGEST}")
            return None
        is_fine = value >= 0 if above is None else value > above
        if not is_fine or not math.isfinite(value):
            self.complain(key, f"must be a number {bound}")
            return None
        return float(value)

    def choice(self, key: str, words: tuple[_T, ...]) -> _T | None:
        """Return one of the words."""
        value = self.text(key)
        if value is None or value in words:
            return next((word for word in words if word == value), None)
        known = [str(word) for word in words]
        self.complain(key, f"must be one of {', '.join(known)}{nearest(value, known)}")
        return None

    def texts(self, key: str) -> tuple[str, ...] | None:
        """Return a list of strings."""
        values = self._take(key, list, "a list of texts")
        if values is None:
            return None
        if not all(isinstance(value, str) for value in values):
            self.complain(key, "must be a list of texts")
            return None
        return tuple(values)

    def items(self, key: str) -> list[Any]:
        """Return a list of anything; a missing one is empty."""
        return self._take(key, list, "a list") or []

    def value(self, key: str) -> object:
        """Return whatever stands there."""
        self._asked.add(key)
        return self._values.get(key)

    def table(self, key: str) -> Table:
        """Return a table below; a missing one is empty."""
        values = self._take(key, dict, "a table")
        return self._below(values or {}, key)

    def tables(self, key: str) -> list[Table]:
        """Return the tables of a ``[[list]]``, numbered from 1 in problems."""
        return [self.element(key, number, value) for number, value in enumerate(self.items(key), 1)]

    def element(self, key: str, number: int, value: object) -> Table:
        """Return a list's table, ``number`` counting from 1."""
        name = f"{key}[{number}]"
        if isinstance(value, dict):
            return self._below(value, name)
        self.complain(name, "must be a table")
        return self._below({}, name)

    def texts_by_name(self) -> dict[str, str]:
        """Return all keys with their strings."""
        texts = {key: self.text(key) for key in self._values}
        return {key: text for key, text in texts.items() if text is not None}

    def tables_by_name(self) -> Iterator[tuple[str, Table]]:
        """Yield all keys with their tables."""
        for key in self._values:
            yield key, self.table(key)

    def _below(self, values: Mapping[str, Any], key: str) -> Table:
        prefix = f"{self._prefix}.{key}".strip(".")
        return Table(values, self._path, self._problems, prefix=prefix)

    def _take(self, key: str, kind: type[_T] | tuple[type[_T], ...], wanted: str) -> _T | None:
        self._asked.add(key)
        value = self._values.get(key)
        if value is None:
            return None
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            self.complain(key, f"must be {wanted}")
            return None
        return value
