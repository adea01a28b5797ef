"""Mixtures as files: one preset a TOML file, the user's own before the shipped ones."""

from __future__ import annotations

import os
import unicodedata
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from moa_tui.errors import ConfigError, nearest
from moa_tui.files import remove, rename, rewrite
from moa_tui.preset_file import LONGEST_NAME, as_toml, read_preset
from moa_tui.tables import read_bytes
from moa_tui.text import clean, one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from moa_tui.engine.mixture import Mixture
    from moa_tui.ui.ports import EndpointState, Origin


_LAST_RESORT = "embedded"


@dataclass(frozen=True, slots=True)
class Presets:
    """The presets of several folders; in a later folder a name wins over the same one before.

    The last folder is the user's. Files are read anew each time: people edit them meanwhile.
    """

    folders: tuple[Path, ...]

    def names(self) -> tuple[str, ...]:
        """Return the names of all presets, sorted; whether they can be read isn't looked at."""
        return tuple(sorted(self._paths()))

    def load(self, name: str) -> Mixture:
        """Return the preset's mixture.

        Raises:
            ConfigError: no preset has this name, or its file has a mistake.
        """
        return load(self.path(name))

    def path(self, name: str) -> Path:
        """Return the preset's file.

        Raises:
            ConfigError: no preset has this name, or its folder can't be read.
        """
        paths = self._paths()
        if name in paths:
            return paths[name]
        for trouble in self._troubles():
            raise ConfigError(trouble)
        raise ConfigError(
            f'no preset is called "{one_line(name, 60)}"'
            + (nearest(name, paths) or "; moa-tui presets lists them")
        )

    def source(self, name: str) -> str:
        """Return the preset's file as text that is safe to show.

        Raises:
            ConfigError: no preset has this name, or its file can't be read.
        """
        return clean(_content(self.path(name)).decode("utf-8-sig", "replace"))

    def all(self) -> tuple[tuple[Mixture, ...], tuple[str, ...]]:
        """Return every preset that can be read, by name, and the others' mistakes in words."""
        mixtures, mistakes = [], self._troubles()
        for _, path in sorted(self._paths().items()):
            try:
                mixtures.append(load(path))
            except ConfigError as error:
                mistakes.append(str(error))
        return tuple(mixtures), tuple(mistakes)

    def made(self, states: Iterable[EndpointState]) -> tuple[Mixture, ...]:
        """Return the mixtures that what was found makes, the best first; see `moa_tui.made`."""
        # Its rules are needed once something was found, well after the first paint.
        from moa_tui.made import made  # noqa: PLC0415 - see above

        mixtures, _ = self.all()
        return made(states, {mixture.name: mixture for mixture in mixtures})

    def filled(self, mixture: Mixture, states: Iterable[EndpointState]) -> Mixture:
        """Return the mixture with the models that it leaves open; see `moa_tui.made`."""
        if not mixture.is_open:
            return mixture
        from moa_tui.made import filled  # noqa: PLC0415 - as in `made`

        best = next(iter(self.made(states)), None)
        return filled(mixture, best or self.last_resort())

    def last_resort(self) -> Mixture:
        """Return the shipped mixture of the embedded model, whatever the user's own says."""
        return load(_paths_in(self.folders[0])[_LAST_RESORT])

    def origin(self, name: str) -> Origin:
        """Return whose preset this is.

        Raises:
            ConfigError: no preset has this name.
        """
        own = _paths_in(self.folders[-1])
        if self.path(name) != own.get(name):
            return "shipped"
        is_twice = any(name in _paths_in(folder) for folder in self.folders[:-1])
        return "yours for shipped" if is_twice else "yours"

    def save(self, mixture: Mixture, *, over: Mixture | None = None) -> str:
        """Write the mixture to the user's folder, whole or not at all; return the preset's name.

        The name is the mixture's, with - for spaces. ``over`` is what its file said when it was
        read: if it says something else by now, nothing is written. None replaces whatever is there
        and can be read.

        Raises:
            ConfigError: the name can't be a file's, the mixture is none that a preset can hold, or
                the file has changed, has a mistake, or can't be written.
        """
        name = self._name_to_save(mixture.name)
        path = _paths_in(self.folders[-1]).get(name, self.folders[-1] / f"{name}.toml")
        # What can't be read again, a key for example, isn't written either.
        text = as_toml(read_preset(as_toml(mixture).encode(errors="replace"), path))

        def checked(before: bytes | None) -> str:
            if before is not None:
                _refuse_if_changed(before, path, over=over)
            return text

        rewrite(path, checked)
        return name

    def delete(self, name: str) -> Callable[[], None]:
        """Remove the user's preset of this name, and return what brings it back.

        A shipped one that it replaced is there meanwhile.

        Raises:
            ConfigError: there is none, it is shipped, or it can't be removed. From what is
                returned: there is another one of this name by now, or it can't be written.
        """
        path = self._own(name)
        content = _content(path)
        remove(path)

        def whole(now: bytes | None) -> bytes:
            if now is not None:
                raise ConfigError(f"there is another preset {name} by now")
            return content

        return partial(rewrite, path, whole)

    def rename(self, name: str, wanted: str) -> str:
        """Give the user's preset another name, and return that with - for spaces.

        Raises:
            ConfigError: there is none, it is shipped, the name is taken or can't be a file's, or
                the file can't be renamed.
        """
        path = self._own(name)
        if (fitting := _fitting(wanted)) != name:
            rename(path, path.with_name(f"{fitting}.toml"))
        return fitting

    def _own(self, name: str) -> Path:
        path = self.path(name)
        if path.parent != self.folders[-1]:
            raise ConfigError(f"{name} comes with the program and stays; only your own can change")
        return path

    def _paths(self) -> dict[str, Path]:
        return {name: path for folder in self.folders for name, path in _paths_in(folder).items()}

    def _troubles(self) -> list[str]:
        """Return which folders can't be listed, and why; one that isn't there is just empty."""
        return [trouble for folder in self.folders if (trouble := _trouble_with(folder))]

    def _name_to_save(self, name: str) -> str:
        # A file of the user's own making may have any name.
        return name if name in _paths_in(self.folders[-1]) else _fitting(name)


def _fitting(name: str) -> str:
    """Return a name as a new preset's file has it, - for spaces."""
    fitting = "-".join(unicodedata.normalize("NFC", name).split())
    if not fitting:
        raise ConfigError("the preset needs a name")
    shown = one_line(fitting, LONGEST_NAME)
    if len(fitting) > LONGEST_NAME:
        raise ConfigError(f'"{shown}" is too long for a name: at most {LONGEST_NAME} letters')
    wrong = next((char for char in fitting if not (char.isalnum() or char in "-_")), "")
    if wrong or not fitting[0].isalnum():
        raise ConfigError(
            f'"{shown}" is no name for a preset: use letters, digits, - and _, and a letter '
            "or digit first"
        )
    return fitting


def _paths_in(folder: Path) -> dict[str, Path]:
    """Return a folder's presets by name, none if it can't be listed: `_trouble_with` says why."""
    try:
        paths = sorted(folder.glob("*.toml"))
    except OSError:
        return {}
    return {
        one_line(path.stem, LONGEST_NAME): path for path in paths if not path.name.startswith(".")
    }


def _trouble_with(folder: Path) -> str:
    try:
        os.scandir(folder).close()
    except FileNotFoundError:
        return ""
    except OSError as error:
        return f"{folder} can't be read: {error.strerror}"
    return ""


def _refuse_if_changed(content: bytes, path: Path, *, over: Mixture | None) -> None:
    try:
        stands = read_preset(content, path)
    except ConfigError as error:
        raise ConfigError(f"{error}; mend it first, or save under another name") from error
    if over is not None and replace(over, name=stands.name) != stands:
        raise ConfigError(
            f"{path} has changed since it was read: choose it again, or save under another name"
        )


def load(path: Path) -> Mixture:
    """Return the mixture that a preset file describes, named after the file.

    Raises:
        ConfigError: the file can't be read, has an unknown key, a wrong value, a key or a URL.
    """
    return read_preset(_content(path), path)


def _content(path: Path) -> bytes:
    try:
        return read_bytes(path)
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: there is no such file") from error
