"""The user's own keys in the place of ours.

Textual has a keymap too, but applying it takes other commands off the key that is moved to. So only
its store is used, `App.set_keymap`, and our screens apply it: what they bind stands in
``_binding_chain``, which they override with `binding_chain`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from textual.binding import BindingsMap
from textual.keys import REPLACED_KEYS, key_to_character

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from textual.app import App
    from textual.binding import Binding
    from textual.dom import DOMNode
    from textual.screen import Screen
    from textual.widget import Widget


def remapped(bindings: BindingsMap, keymap: Mapping[str, str]) -> BindingsMap:
    """Return bindings of which those with an id in the keymap have its keys, before others' there.

    A keymap names by id a command's keys as Textual writes them, with commas between.
    """
    if not keymap:
        return bindings.copy()
    found: dict[str, tuple[list[Binding], list[Binding]]] = {}
    for key, many in bindings.key_to_bindings.items():
        for binding in many:
            chosen = keymap.get(binding.id or "")
            if chosen is None:
                found.setdefault(key, ([], []))[1].append(binding)
                continue
            for other in chosen.split(","):
                moved, _ = found.setdefault(other, ([], []))
                face = replace(binding, key=other, key_display=_written(other))
                # Of a command with two keys, one on each, there would be two.
                if face not in moved:
                    moved.append(face)
    return BindingsMap.from_keys({key: [*moved, *kept] for key, (moved, kept) in found.items()})


def chain(screen: Screen[Any]) -> list[tuple[DOMNode, BindingsMap]]:
    """Return what the focus is in, nearest first, each with its bindings where the user wants them.

    What a text field takes as text is among them; `binding_chain` leaves it out.
    """
    focused = screen.focused
    nodes: Iterable[DOMNode] = (screen, screen.app)
    if focused is not None and not focused.loading:
        nodes = focused.ancestors_with_self
    keymap = keymap_of(screen.app)
    return [(node, remapped(node._bindings, keymap)) for node in nodes]  # noqa: SLF001 - Textual's only place


def binding_chain(screen: Screen[Any]) -> list[tuple[DOMNode, BindingsMap]]:
    """Return what stands for ``Screen._binding_chain``, with the user's keys in it."""
    found = chain(screen)
    inside: list[DOMNode] = []
    for node, bindings in found:
        for key in list(bindings.key_to_bindings):
            character = typed(key)
            if any(other.check_consume_key(key, character) for other in inside):
                del bindings.key_to_bindings[key]
        inside.append(node)
    return found


def own_bindings(widget: Widget, key: str) -> list[Binding]:
    """Return a widget's own bindings of a key, where the user wants them."""
    bindings = remapped(widget._bindings, keymap_of(widget.app))  # noqa: SLF001 - as above
    return bindings.key_to_bindings.get(key, [])


async def done_at_once(widget: Widget, key: str) -> bool:
    """Do what a key does in a widget that text is written in; return whether it did anything.

    Textual runs bindings once a key has bubbled up to the app. What was typed behind it is in the
    text by then: backspace would take that, and enter would send it.
    """
    for binding in own_bindings(widget, key):
        if await widget.app.run_action(binding.action, widget):
            return True
    return False


def typed(key: str) -> str | None:
    """Return the character that a key types, if it types one."""
    # Textual doesn't find that of the keys that it gives other names than Unicode has: plus, minus.
    return key_to_character(REPLACED_KEYS.get(key, key))


def keymap_of(app: App[Any]) -> Mapping[str, str]:
    """Return the keys that the user chose, by the command's id."""
    return app._keymap  # noqa: SLF001 - what `App.set_keymap` keeps can't be asked for


def _written(key: str) -> str | None:
    """Return how a key is written where its name isn't: ? for question_mark."""
    modifiers, plus, base = key.rpartition("+")
    character = typed(base) if len(base) > 1 else None
    if character is None or not character.isprintable() or character.isspace():
        return None
    return f"{modifiers}{plus}{character}"
