"""The presets as the picker shows and changes them, with what was deleted kept at hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moa_tui.errors import ConfigError
from moa_tui.ui.dialogs.preset_rows import Entry, Library

if TYPE_CHECKING:
    from collections.abc import Callable

    from moa_tui.ui.ports import Endpoints, Presets


class PresetShelf:
    """Lists presets, those too that are made of what was found; deletes, brings back, renames.

    ``renamed`` hears of a preset's old and new name. Each change may raise ConfigError.
    """

    def __init__(
        self, presets: Presets, places: Endpoints, *, renamed: Callable[[str, str], object]
    ) -> None:
        self._presets = presets
        self._places = places
        self._renamed = renamed
        self._deleted: list[tuple[str, Callable[[], None]]] = []

    @property
    def can_undelete(self) -> bool:
        """Whether a preset was deleted that isn't back."""
        return bool(self._deleted)

    def library(self) -> Library:
        """Return all there are now."""
        written, broken = self._presets.all()
        names = {mixture.name for mixture in written}
        states = self._places.states()
        made = self._presets.made(states)
        entries = [Entry(mixture, "made") for mixture in made if mixture.name not in names]
        entries += [
            Entry(self._presets.filled(mixture, states), self._presets.origin(mixture.name))
            for mixture in written
        ]
        return Library(tuple(entries), broken)

    def delete(self, name: str) -> None:
        """Remove a preset of the user's."""
        self._deleted.append((name, self._presets.delete(name)))

    def undelete(self) -> str:
        """Bring back the preset that was deleted last, and return its name."""
        name, restore = self._deleted.pop()
        try:
            restore()
        except ConfigError:
            # It may be for good: another one has the name. The others' turn comes first.
            self._deleted.insert(0, (name, restore))
            raise
        return name

    def rename(self, name: str, wanted: str) -> str:
        """Give a preset of the user's another name, and return it as it is written."""
        found = self._presets.rename(name, wanted)
        self._renamed(name, found)
        return found
