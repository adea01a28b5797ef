"""Files that a prompt names with @: where it does, and what is sent of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from moa_tui.text import one_line

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

MARK: Final = "@"

BEFORE: Final = r"(?<![A-Za-z0-9_.+%/@=-])"
"""What must not stand before the mark: there it belongs to an address of mail, or a path."""

_NAMED: Final = re.compile(rf'{BEFORE}@(?:"([^"\n]+)"|([^\s"@][^\s]*))')
_PATH_LIKE: Final = re.compile(r"[./]")
_BEHIND: Final = ".,;:!?)]}>'\"`*_，。；：！？、）】》」』”’"
_PLAIN: Final = re.compile(r"[!-~]+")
_TICKS: Final = re.compile("`+")
_LEAST_FENCE: Final = 3


@dataclass(frozen=True, slots=True)
class Reference:
    """A name behind an @: as it stands there, and what else it may be if no file is called that.

    ``is_meant``: it must be a file, or the prompt isn't sent. Other names may be of people.
    """

    names: tuple[str, ...]
    is_meant: bool = False

    @property
    def name(self) -> str:
        """The name to tell people: without the punctuation of the sentence."""
        return one_line(self.names[min(1, len(self.names) - 1)])


def references(
    text: str, *, completed: Collection[str] = (), pasted: Collection[str] = ()
) -> tuple[Reference, ...]:
    """Return what a text names, each once; ``completed`` are files, ``pasted`` may be anything."""
    found: dict[str, Reference] = {}
    for match in _NAMED.finditer(text):
        quoted, plain = match[1], match[2]
        names = (quoted,) if quoted else _names(plain)
        if not names:
            continue
        is_file = quoted or _PATH_LIKE.search(names[-1]) or not set(names).isdisjoint(completed)
        is_meant = bool(is_file) and names[0] not in pasted
        found.setdefault(names[0], Reference(names, is_meant))
    return tuple(found.values())


def _names(written: str) -> tuple[str, ...]:
    """Return what may be meant, the sentence around it less and less a part of the name."""
    bare = written.rstrip(_BEHIND)
    ascii_ = _PLAIN.match(bare)
    # In Chinese no blank stands behind a name.
    plain = ascii_[0].rstrip(_BEHIND) if ascii_ else ""
    names = [written, bare, *([plain] if plain != bare else [])]
    return tuple(dict.fromkeys(name for name in names if name.rstrip(_BEHIND)))


def written(path: str, *, is_folder: bool = False) -> str:
    """Return how a prompt names a path; a folder's quote stays open, for what is in it."""
    if not re.search(r"\s", path):
        return MARK + path
    return f'{MARK}"{path}' if is_folder else f'{MARK}"{path}"'


def attached(text: str, files: Mapping[str, str]) -> str:
    """Return a prompt with files below it, by name, each within a fence that it can't end."""
    return "\n\n".join([text, *(_block(name, content) for name, content in files.items())])


def _block(name: str, content: str) -> str:
    longest = max(map(len, _TICKS.findall(content)), default=0)
    fence = "`" * max(_LEAST_FENCE, longest + 1)
    end = "" if not content or content.endswith("\n") else "\n"
    return f"{one_line(name)}:\n{fence}\n{content}{end}{fence}"
