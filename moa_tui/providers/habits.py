"""What a model turned out to refuse: guessed by its name, then learned from its server's 400s."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Habits:
    """The fields that a model's requests go ``without``; each fact is learned once."""

    def __init__(self, without: Iterable[str] = ()) -> None:
        self.without = set(without)

    def learn(self, message: str) -> bool:
        """Take in the words of a refused request; return whether the next one will differ."""
        raise NotImplementedError

    def drop_named(self, message: str, fields: Iterable[str]) -> bool:
        """Go without the first of the fields that a refusal names; return whether there is one."""
        for field in fields:
            if re.search(rf"\b{field}\b", message) and field not in self.without:
                self.without.add(field)
                return True
        return False

    def kept(self, body: Mapping[str, object]) -> dict[str, object]:
        """Return a request's body without what is None or refused."""
        return {
            name: value
            for name, value in body.items()
            if value is not None and name not in self.without
        }
