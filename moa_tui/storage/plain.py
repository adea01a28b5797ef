"""Events and mixtures as plain data and back; the shape of an event is that of ``--json``."""

from __future__ import annotations

import re
from dataclasses import MISSING, fields, replace
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar, get_args

from moa_tui.engine import events as engine_events
from moa_tui.engine.events import (
    Event,
    RunFailed,
    SeatFailed,
    SeatNote,
    SeatRetrying,
    TextDelta,
    ThinkingDelta,
    event_name,
    to_json,
)
from moa_tui.engine.mixture import Agent, Aggregator, Layer, Mixture, Seat
from moa_tui.engine.provider import Usage
from moa_tui.errors import ConfigError
from moa_tui.storage import words
from moa_tui.storage.records import StoreError
from moa_tui.text import clean, redact

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_T = TypeVar("_T", Agent, Aggregator, Layer, Mixture, Usage)

_DELTAS: dict[str, type[TextDelta | ThinkingDelta]] = {"T": TextDelta, "H": ThinkingDelta}
_TYPES = {
    "text": str,
    "whole": int,
    "number": (int, float),
    "flag": bool,
}
_KINDS = {
    "str": "text",
    "int": "whole",
    "float": "number",
    "bool": "flag",
}
_MOST = 2**53


def storable(text: str) -> str:
    """Return a text as a file can hold it: half a character can't be written."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return clean(text)
    return text


def without_keys(event: Event) -> Event:
    """Return the event as it may be stored: nothing in its messages looks like a key."""
    match event:
        case TextDelta() | ThinkingDelta():
            text = storable(event.text)
            return event if text is event.text else replace(event, text=text)
        case SeatFailed() | RunFailed():
            return replace(event, message=redact(event.message), hint=redact(event.hint))
        case SeatNote() | SeatRetrying():
            return replace(event, message=redact(event.message))
        case _:
            return event


def plain(event: Event) -> dict[str, Any]:
    """Return an event as ``--json`` writes it, but with its times to the microsecond."""
    exact = {
        field.name: round(value, 6)
        for field in fields(event)
        if isinstance(value := getattr(event, field.name), float)
    }
    return {**to_json(event), **exact}


def compact(event: Event) -> list[Any] | dict[str, Any]:
    """Return an event for a checkpoint: short for the deltas, which are nearly all of them."""
    match event:
        case TextDelta() | ThinkingDelta():
            kind = "T" if isinstance(event, TextDelta) else "H"
            return [
                kind,
                *event.seat,
                event.attempt,
                event.n,
                round(event.t, 6),
                event.text,
                event.pieces,
            ]
        case _:
            return with_mixture(plain(event), event)


def with_mixture(table: dict[str, Any], event: Event) -> dict[str, Any]:
    """Return the plain event with the name of its mixture, which a preset has in its file name."""
    if isinstance(event, engine_events.RunStarted):
        return {**table, "mixture": mixture_table(event.mixture)}
    return table


def from_compact(data: list[Any] | dict[str, Any]) -> Event:
    """Return the event of a checkpoint.

    Raises:
        StoreError: it isn't one.
    """
    if isinstance(data, dict):
        return event_of(data)
    kind, layer, number, attempt, n, t, text, pieces = data
    return _DELTAS[kind](
        seat=Seat(layer, number), attempt=attempt, n=n, t=t, text=text, pieces=pieces
    )


def mixture_table(mixture: Mixture) -> dict[str, Any]:
    """Return a mixture as plain data, its name too."""
    table = mixture.as_preset()
    return {"name": mixture.name, **table} if mixture.name else table


def mixture_of(table: object, place: str = "mixture") -> Mixture:
    """Return the mixture of such a table; what it says that nobody here knows is left out.

    Raises:
        StoreError: it is no mixture.
    """
    if not isinstance(table, dict):
        raise wrong(place, "must be an object")
    layers = tuple(
        _built(Layer, layer, proposers=_agents(layer.get("proposers")))
        for layer in _objects(table.get("layers"), f"{place}.layers")
    )
    merging = table.get("aggregator")
    if not isinstance(merging, dict):
        raise wrong(f"{place}.aggregator", "must be an object")
    agent = _built(Agent, merging) if "model" in merging else None
    fallback = _agents(merging.get("fallback", []))
    try:
        aggregator = _built(Aggregator, merging, agent=agent, fallback=fallback)
        return _built(Mixture, table, layers=layers, aggregator=aggregator)
    except ConfigError as error:
        raise wrong(place, f"is none: {error}") from error


def event_of(table: Mapping[str, Any], place: str = "event") -> Event:
    """Return the event of plain data.

    Raises:
        StoreError: it is none; the message names the field.
    """
    name = table.get("event")
    kind = _event_types().get(name) if isinstance(name, str) else None
    if kind is None:
        raise wrong(place, f"is no event that is known here: {str(name)[:40]!r}")
    values = {}
    for field in fields(kind):
        if field.name not in table:
            if field.default is MISSING:
                raise wrong(f"{place}.{field.name}", "is missing")
            continue
        spot = f"{place}.{field.name}"
        values[field.name] = _value(table[field.name], str(field.type), spot)
    event: Event = kind(**values)
    return event


def usage_of(table: object, place: str = "usage") -> Usage:
    """Return what a call used, from plain data.

    Raises:
        StoreError: it is something else.
    """
    if not isinstance(table, dict):
        raise wrong(place, "must be an object")
    values = {
        field.name: _value(table[field.name], str(field.type), f"{place}.{field.name}")
        for field in fields(Usage)
        if field.name in table
    }
    return Usage(**values)


def seat_of(value: object, place: str = "seat") -> Seat:
    """Return a seat, which is [layer, number] in plain data.

    Raises:
        StoreError: it is something else.
    """
    match value:
        case [int(layer), int(number)] if 0 < layer < _MOST and 0 < number < _MOST:
            return Seat(layer, number)
        case _:
            raise wrong(place, "must be a seat, [layer, number] from 1")


def wrong(place: str, problem: str) -> StoreError:
    """Return the error that says what is wrong where."""
    return StoreError(words.WRONG.format(place=place, problem=problem))


@cache
def _event_types() -> dict[str, Any]:
    leaves: list[Any] = [
        kind for member in get_args(engine_events.Event) for kind in (get_args(member) or (member,))
    ]
    return {_name_of(kind): kind for kind in leaves}


def _name_of(kind: type[Event]) -> str:
    return event_name(kind.__new__(kind))


def _value(value: object, kind: str, place: str) -> Any:  # noqa: ANN401 - a field's value
    """Return a field's value as its annotation has it, or say what is wrong with it."""
    if value is None and kind.endswith("| None"):
        return None
    match kind.removesuffix(" | None"):
        case "Seat":
            return seat_of(value, place)
        case "tuple[Seat, ...]":
            return tuple(seat_of(seat, place) for seat in _list(value, place))
        case "tuple[tuple[Seat, ...], ...]":
            return tuple(_value(seats, "tuple[Seat, ...]", place) for seats in _list(value, place))
        case "tuple[str, ...]":
            return tuple(_scalar(text, "text", place) for text in _list(value, place))
        case "float | Literal['unset']":
            return value if value == "unset" else _scalar(value, "number", place)
        case "Mixture":
            return mixture_of(value, place)
        case "Usage":
            return usage_of(value, place)
        case "str" | "int" | "float" | "bool" as known:
            return _scalar(value, _KINDS[known], place)
        case _:
            # The closed sets of words: a kind of failure, a phase, a role.
            return _word(value, place)


def _list(value: object, place: str) -> list[Any]:
    if isinstance(value, list):
        return value
    raise wrong(place, "must be a list")


def _scalar(value: object, kind: str, place: str) -> object:
    is_flag = isinstance(value, bool)
    if not isinstance(value, _TYPES[kind]) or is_flag != (kind == "flag"):  # type: ignore[arg-type] # a type or a tuple of them
        raise wrong(place, f"must be a {kind}")
    if isinstance(value, int | float) and not abs(value) < _MOST:
        raise wrong(place, "is out of bounds")
    return float(value) if kind == "number" and isinstance(value, int) else value


def _word(value: object, place: str) -> str:
    if isinstance(value, str) and re.fullmatch(r"[a-z_]{1,30}", value):
        return value
    raise wrong(place, "must be one of the known words")


def _agents(value: object) -> tuple[Agent, ...]:
    if not isinstance(value, list):
        raise wrong("proposers", "must be a list")
    return tuple(
        _built(Agent, {"model": item} if isinstance(item, str) else item) for item in value
    )


def _objects(value: object, place: str) -> Iterable[dict[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise wrong(place, "must be a list of objects")
    return value


def _built(kind: type[_T], table: object, **made: Any) -> _T:  # noqa: ANN401 - fields of the kind
    """Return a piece of a mixture from the fields of a table that it has itself."""
    if not isinstance(table, dict):
        raise wrong(kind.__name__.lower(), "must be an object")
    values: dict[str, Any] = {
        field.name: _value(table[field.name], str(field.type), field.name)
        for field in fields(kind)
        if field.name in table and field.name not in made
    }
    try:
        return kind(**values, **made)
    except (ConfigError, TypeError, ValueError, AttributeError) as error:
        raise wrong(kind.__name__.lower(), f"is none: {error}") from error
