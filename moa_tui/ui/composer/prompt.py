"""A prompt as it is written, shown and sent: its long pastes, and those that were sent before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from moa_tui.ui import words

if TYPE_CHECKING:
    from collections.abc import Sequence

CHIP_ABOVE: Final = 32 * 1024
"""Characters of a paste that still go into the text itself."""

_CHIP: Final = "[pasted "
_HISTORY: Final = 200


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt in full, and as it is shown where a long paste is a chip and a file its @name.

    ``typed`` is it without the files that stand below it, "" where there are none.
    """

    text: str
    shown: str
    typed: str = ""


class Pastes:
    """Long pastes, each of which a chip stands for."""

    def __init__(self) -> None:
        self._of: dict[str, str] = {}
        self._entire: dict[str, str] = {}

    def chip(self, pasted: str) -> str:
        """Return what stands for a paste from now on."""
        size = words.megabytes(len(pasted.encode("utf-8")))
        chip, number = f"{_CHIP}{size}]", 1
        while chip in self._of:
            number += 1
            chip = f"{_CHIP}{size}, {number}]"
        self._of[chip] = pasted
        return chip

    def stand_for(self, shown: str, text: str) -> None:
        """Let a whole text be a chip; without a paste in it only as long as it isn't edited."""
        if _CHIP in shown:
            self._of = {shown: text, **self._of}
        else:
            self._entire[shown] = text

    def whole(self, shown: str) -> str:
        """Return a text with what its chips stand for."""
        if shown in self._entire:
            return self._entire[shown]
        for chip, pasted in self._of.items():
            shown = shown.replace(chip, pasted, 1)
        return shown

    def without(self, shown: str) -> str:
        """Return a text without its chips."""
        if shown in self._entire:
            return ""
        for chip in self._of:
            shown = shown.replace(chip, " ", 1)
        return shown

    def folded(self, text: str) -> str:
        """Return a whole text with chips for the pastes that stand in it unchanged."""
        for chip, pasted in self._of.items():
            text = text.replace(pasted, chip, 1)
        return self.chip(text) if len(text) > CHIP_ABOVE else text

    def keep(self, texts: Sequence[str]) -> None:
        """Forget the pastes whose chips none of these texts shows."""
        self._of = {
            chip: pasted for chip, pasted in self._of.items() if any(chip in text for text in texts)
        }
        self._entire = {shown: text for shown, text in self._entire.items() if shown in texts}


class History:
    """The texts that were sent, the last one last, and which of them is shown."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._at: int | None = None

    def add(self, text: str) -> None:
        """Put a text at the end, once."""
        self.texts = [*(old for old in self.texts if old != text), text][-_HISTORY:]

    def leave(self) -> None:
        """Stand behind the last one."""
        self._at = None

    def go(self, step: int, shown: str) -> str | None:
        """Return the text so many steps away; None when there is none, or ``shown`` isn't ours."""
        at = len(self.texts) if self._at is None else self._at
        if shown != self._text(at) or not 0 <= at + step <= len(self.texts):
            return None
        self._at = at + step
        return self._text(self._at)

    def _text(self, at: int) -> str:
        return self.texts[at] if at < len(self.texts) else ""
