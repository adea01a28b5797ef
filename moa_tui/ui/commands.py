"""What one can do, read from the live key map: help, palette and slash commands are made of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from moa_tui.ui.footer import display, place_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from textual.binding import BindingsMap
    from textual.dom import DOMNode


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One thing to do: ``id`` is its name in ``[keys]`` and after a slash, with - for _ there.

    ``label`` is a word or two, ``does`` a sentence, ``keys`` stand as the footer writes them.
    ``works``: it does something at this moment. Do it with ``app.run_action(action, node)``.
    """

    id: str
    label: str
    does: str
    keys: tuple[str, ...]
    node: DOMNode
    action: str
    works: bool


def commands(chain: Iterable[tuple[DOMNode, BindingsMap]]) -> tuple[Command, ...]:
    """Return the commands of nodes and their bindings, each id once, the likeliest first.

    Of several bindings with one id, which are faces of one command, the one that works is taken.
    """
    found: dict[str, Command] = {}
    for node, bindings in chain:
        for binding in (one for many in bindings.key_to_bindings.values() for one in many):
            if not (binding.id and binding.tooltip):
                continue
            known = found.get(binding.id)
            keys = (display(binding),)
            if known is not None and known.works:
                found[binding.id] = replace(known, keys=_all(known.keys, keys))
                continue
            found[binding.id] = Command(
                id=binding.id,
                label=binding.description,
                does=binding.tooltip,
                keys=_all(() if known is None else known.keys, keys),
                node=node,
                action=binding.action,
                works=_works(node, binding.action),
            )
    return tuple(sorted(found.values(), key=lambda command: place_of(command.id)))


def _all(some: tuple[str, ...], more: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*some, *more)))


def _works(node: DOMNode, action: str) -> bool:
    return bool(node.app._check_action_state(action, node))  # noqa: SLF001 - there is no other way to ask
