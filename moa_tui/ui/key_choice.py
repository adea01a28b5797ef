"""The keys that the user chose, ``[keys]``: read, and checked against what the focus can be in.

It is needed only where keys are chosen, and then when the first paint is out.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
import string
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from textual.binding import BindingsMap
from textual.keys import Keys, _character_to_key
from textual.screen import ModalScreen, Screen
from textual.widget import Widget
from textual.widgets import Input, TextArea

import moa_tui.ui
from moa_tui.errors import ConfigError, nearest
from moa_tui.text import one_line
from moa_tui.ui import words
from moa_tui.ui.app import MoaApp
from moa_tui.ui.conversation import AROUND_STAGE, ConversationScreen
from moa_tui.ui.keymap import remapped, typed
from moa_tui.ui.sidebar.sidebar import Sidebar
from moa_tui.ui.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from textual.dom import DOMNode

# What one may write.

_MODIFIERS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("ctrl", "control", "ctl"), "ctrl"),
    **dict.fromkeys(("alt", "option", "opt", "meta"), "alt"),
    **dict.fromkeys(("super", "cmd", "command", "win"), "super"),
    "shift": "shift",
    "hyper": "hyper",
}
_OTHER_NAMES: Final[Mapping[str, str]] = {
    "esc": "escape",
    "return": "enter",
    "del": "delete",
    "ins": "insert",
    "pgup": "pageup",
    "page_up": "pageup",
    "pgdn": "pagedown",
    "page_down": "pagedown",
    "spacebar": "space",
    "dash": "minus",
    "hyphen": "minus",
    "equals": "equals_sign",
    "period": "full_stop",
}
_SAME: Final[Mapping[str, str]] = {
    "ctrl+m": "enter",
    "ctrl+i": "tab",
    "ctrl+h": "backspace",
    "ctrl+left_square_bracket": "esc",
}
"""Keys that a terminal doesn't tell from others."""

_PREFIXED: Final = re.compile(r"((?:[A-Za-z]+[+-])*)(.+)", re.DOTALL)
_SHORT_CTRL: Final = re.compile(r"\^(?=.)")


def key_named(text: str) -> str:
    """Return the key that a text names, as Textual writes it: ctrl+t for ^T, question_mark for ?.

    Raises:
        ConfigError: there is no such key, or it is one that terminals send for another.
    """
    name = _SHORT_CTRL.sub("ctrl+", text.strip())
    found = _PREFIXED.fullmatch(name)
    prefix, base = found.groups() if found else ("", name)
    prefixes = [part for part in re.split(r"[+-]", prefix.lower()) if part]
    if not all(part in _MODIFIERS for part in prefixes):
        prefixes, base = [], name
    modifiers = sorted({_MODIFIERS[part] for part in prefixes})
    if len(base) == 1 and base.isalpha() and modifiers == ["shift"]:
        modifiers, base = [], base.upper()
    key = "+".join((*modifiers, _base(base, is_bare=not modifiers)))
    # A terminal has no shift for what is another character with it.
    if not _is_known(key) or ("shift" in modifiers and len(base) == 1 and not base.isalpha()):
        raise ConfigError(words.no_such_key(one_line(text, 40), nearest(key, _names())))
    if key in _SAME:
        raise ConfigError(words.key_is_same(one_line(text, 40), _SAME[key]))
    if "alt" in modifiers and base.isdigit():
        raise ConfigError(words.key_is_kept(one_line(text, 40)))
    return key


def _base(text: str, *, is_bare: bool) -> str:
    if len(text) == 1:
        return _character_to_key(text if is_bare else text.lower())
    name = re.sub(r"[\s-]+", "_", text.lower())
    return _OTHER_NAMES.get(name, name)


def _is_known(key: str) -> bool:
    base = key.rpartition("+")[2]
    return base in _names() or (len(base) == 1 and base.isprintable() and base.isalnum())


def _names() -> set[str]:
    """Return the keys whose name is more than one character, without modifiers."""
    of_keyboard = {key.value for key in Keys if re.fullmatch(r"[a-z][a-z0-9]+", key.value)}
    return (of_keyboard - {"return"}) | {_character_to_key(mark) for mark in string.punctuation}


# What makes sense.


@dataclass(frozen=True, slots=True)
class Place:
    """Where the focus can be: the bindings that count there, nearest first.

    ``is_text``: the nearest are those of a field that takes letters as text.
    """

    bindings: tuple[BindingsMap, ...]
    is_text: bool = False

    def reaches(self, command: str, keys: Iterable[str]) -> bool:
        """Return whether one of the keys does the command here, as far as text fields let it."""
        found = [
            (number, binding)
            for number, bindings in enumerate(self.bindings)
            for _, binding in bindings
            if binding.id == command
        ]
        # A field runs its own bindings, and those with priority, before it edits.
        is_first = any(number == 0 or binding.priority for number, binding in found)
        return bool(found) and any(not self._keeps(key, edits=not is_first) for key in keys)

    def _keeps(self, key: str, *, edits: bool) -> bool:
        """Return whether a key never comes further than the text field, which it may edit."""
        if not self.is_text:
            return False
        character = typed(key)
        if character is not None and character.isprintable():
            return True
        unnamed = self.bindings[0].key_to_bindings.get(key, [])
        return edits and any(binding.id is None for binding in unnamed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """The keys that can be used, and in words what is left out or may surprise."""

    keymap: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    notices: tuple[str, ...] = ()


def checked(wanted: Mapping[str, str], places: Sequence[Place]) -> Checked:
    """Return the part of ``[keys]`` that makes sense where the focus can be.

    Two commands may not end up on one key where both may be active, unless they share a key
    already: then they are never active at once.
    """
    usual = _usual(places)
    keymap: dict[str, str] = {}
    notices: list[str] = []
    for name, text in wanted.items():
        try:
            keymap[name] = ",".join(_keys(name, text, places=places, known=usual))
        except ConfigError as error:
            notices.append(str(error))
    while (clash := _clash(keymap, places)) is not None:
        loser, other, key = clash
        notices.append(words.keys_clash(loser, key, other))
        del keymap[loser]
    notices += [
        words.keys_outside(name, keys)
        for name, keys in keymap.items()
        if _is_lost_to_text(name, keys, places=places, usual=usual[name])
    ]
    return Checked(keymap=MappingProxyType(keymap), notices=tuple(notices))


def _usual(places: Iterable[Place]) -> dict[str, tuple[str, ...]]:
    """Return the keys of every command as we have them."""
    usual: dict[str, dict[str, None]] = {}
    for place in places:
        for key, binding in (pair for one in place.bindings for pair in one):
            if binding.id:
                usual.setdefault(binding.id, {})[key] = None
    return {name: tuple(keys) for name, keys in usual.items()}


def _keys(
    name: str, text: str, *, places: Iterable[Place], known: Mapping[str, object]
) -> list[str]:
    """Return the keys that one line of ``[keys]`` gives a command."""
    if name not in known:
        raise ConfigError(words.no_such_command(one_line(name, 60), nearest(name, known)))
    parts = ["comma"] if text.strip() == "," else [part for part in text.split(",") if part.strip()]
    try:
        keys = list(dict.fromkeys(key_named(part) for part in parts))
    except ConfigError as error:
        raise ConfigError(words.keys_left(name, str(error))) from error
    if not keys:
        raise ConfigError(words.keys_left(name, words.NAMES_NO_KEY))
    if not any(place.reaches(name, keys) for place in places):
        raise ConfigError(words.keys_left(name, words.keys_are_text(",".join(keys))))
    return keys


def _clash(keymap: Mapping[str, str], places: Iterable[Place]) -> tuple[str, str, str] | None:
    """Return who must give way to whom on which key: of all clashes the command set last."""
    rank = {name: number for number, name in enumerate(keymap)}
    found = {
        max(pair, key=lambda name: rank.get(name, -1)): (pair, key)
        for place in places
        for pair, key in _meetings(place, keymap)
    }
    if not found:
        return None
    loser = max(found, key=lambda name: rank[name])
    pair, key = found[loser]
    return loser, next(name for name in pair if name != loser), key


def _meetings(place: Place, keymap: Mapping[str, str]) -> Iterator[tuple[tuple[str, str], str]]:
    """Yield the commands that meet on a key in a place though they share none by default."""
    before = _ids_by_key(place.bindings)
    shared = [set(ids) for ids in before.values()]
    after = _ids_by_key([remapped(bindings, keymap) for bindings in place.bindings])
    for key, ids in after.items():
        for one in ids:
            if one not in keymap:
                continue
            for other in ids:
                if other != one and not any({one, other} <= ids for ids in shared):
                    yield (one, other), key


def _ids_by_key(many: Iterable[BindingsMap]) -> dict[str, list[str]]:
    found: dict[str, dict[str, None]] = {}
    for key, binding in (pair for bindings in many for pair in bindings):
        if binding.id:
            found.setdefault(key, {})[binding.id] = None
    return {key: list(ids) for key, ids in found.items()}


def _is_lost_to_text(
    name: str, keys: str, *, places: Iterable[Place], usual: Iterable[str]
) -> bool:
    """Return whether a command that works while one writes no longer does."""
    return any(
        place.reaches(name, usual) and not place.reaches(name, keys.split(","))
        for place in places
        if place.is_text
    )


# Where the focus can be.


def places() -> tuple[Place, ...]:
    """Return where the focus can be, as the classes of all our widgets and dialogs say.

    It imports every one of them.
    """
    for module in pkgutil.walk_packages(moa_tui.ui.__path__, "moa_tui.ui."):
        importlib.import_module(module.name)
    ours = [found for found in _subclasses(Widget) if found.__module__.startswith("moa_tui.ui.")]
    screens = [found for found in ours if issubclass(found, Screen)]
    widgets = [found for found in ours if not issubclass(found, Screen)]
    return (*_on_the_screen(widgets), *_in_dialogs(screens, widgets))


def _on_the_screen(widgets: Iterable[type[Widget]]) -> Iterator[Place]:
    around = (*AROUND_STAGE, ConversationScreen, MoaApp)
    yield Place(_maps((Stage, *around)))
    for widget in widgets:
        is_container = issubclass(widget, (Stage, *AROUND_STAGE))
        if is_container or ".dialogs." in widget.__module__ or not _has_ids(widget):
            continue
        nodes = (widget, *around) if issubclass(widget, Sidebar) else (widget, Stage, *around)
        yield Place(_maps(nodes), is_text=_takes_text(widget))


def _in_dialogs(
    screens: Iterable[type[Widget]], widgets: Iterable[type[Widget]]
) -> Iterator[Place]:
    fields = {widget.__name__: widget for widget in widgets if _takes_text(widget)}
    # Of what is below a dialog, only keys with priority come through.
    through = BindingsMap()
    for key, binding in (pair for bindings in _maps((MoaApp,)) for pair in bindings):
        if binding.priority:
            through.key_to_bindings.setdefault(key, []).append(binding)
    for screen in screens:
        if not issubclass(screen, ModalScreen):
            continue
        focused = fields.get(screen.AUTO_FOCUS or "")
        nodes: tuple[type[DOMNode], ...] = (screen,) if focused is None else (focused, screen)
        yield Place((*_maps(nodes), through), is_text=focused is not None)
    for widget in widgets:
        if ".dialogs." in widget.__module__ and _has_ids(widget):
            yield Place(_maps((widget,)), is_text=_takes_text(widget))


def _takes_text(widget: type[Widget]) -> bool:
    return issubclass(widget, (Input, TextArea))


def _has_ids(widget: type[Widget]) -> bool:
    return any(binding.id for maps in _maps((widget,)) for _, binding in maps)


def _maps(nodes: Iterable[type[DOMNode]]) -> tuple[BindingsMap, ...]:
    """Return what the classes bind, their bases' included."""
    merged = (node._merged_bindings for node in nodes)  # noqa: SLF001 - as above
    return tuple(bindings for bindings in merged if bindings is not None)


def _subclasses(of: type[Widget]) -> Iterator[type[Widget]]:
    for found in of.__subclasses__():
        yield found
        yield from _subclasses(found)
