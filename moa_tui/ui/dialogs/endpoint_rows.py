"""Endpoints as rows of a list, and what there is to tell about one; no widgets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rich.cells import cell_len
from rich.segment import Segment

from moa_tui.text import one_line, redact
from moa_tui.ui import look, words
from moa_tui.ui.dialogs import texts
from moa_tui.ui.dialogs.liveness import told
from moa_tui.ui.rows import section, wrapped

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from moa_tui.engine.provider import Endpoint
    from moa_tui.ui.dialogs.choices import Grid
    from moa_tui.ui.ports import EndpointState, EndpointStatus

_LOOKS: Final[Mapping[EndpointStatus, look.StateKey]] = {
    "unasked": "queued",
    "asking": "waiting",
    "found": "done",
    "absent": "queued",
    "no_key": "queued",
    "failed": "failed",
}
_LONGEST_NAME: Final = 20
_LONGEST_FAILURE: Final = 1_000
_ADDRESS_FROM: Final = 64
_FIELD: Final = 9


@dataclass(frozen=True, slots=True)
class Adding:
    """What was typed to be added; ``failure`` says in words what came of the last try."""

    text: str
    is_asked: bool = False
    failure: str = ""

    @property
    def shown(self) -> str:
        """The text as it may be shown: somebody may have pasted a key."""
        return redact(one_line(self.text, 120))


@dataclass(frozen=True, slots=True)
class EndpointListing:
    """The offer to add what was typed, then every endpoint."""

    states: tuple[EndpointState, ...]
    adding: Adding | None = None

    def __len__(self) -> int:
        return len(self.states) + (self.adding is not None)

    def state(self, number: int | None) -> EndpointState | None:
        """Return the endpoint of a row, if it is one's."""
        if number is None:
            return None
        number -= self.adding is not None
        return self.states[number] if 0 <= number < len(self.states) else None

    def where(self, name: str) -> int:
        """Return the row of an endpoint, else the first."""
        names = [state.endpoint.name for state in self.states]
        return names.index(name) + (self.adding is not None) if name in names else 0

    def may_stop(self, number: int, /) -> bool:
        """Return that the cursor can stand on every row."""
        del number
        return True

    def row(
        self, number: int, width: int, palette: look.Palette, /
    ) -> tuple[Sequence[Segment], Sequence[Segment]]:
        """Return glyph, name and address, then what is known in a few words."""
        state = self.state(number)
        if state is None:
            return ([], []) if self.adding is None else _offer(self.adding, palette)
        longest = max(cell_len(_name(other.endpoint)) for other in self.states)
        room = min(longest, _LONGEST_NAME)
        name = look.clip(_name(state.endpoint), room)
        key = _look(state)
        left = [
            Segment(f"{look.GLYPHS[key]} ", palette.state(key)),
            Segment(name, palette.ink + look.BOLD),
        ]
        if width >= _ADDRESS_FROM:
            air = " " * (room - cell_len(name) + 2)
            left.append(Segment(f"{air}{_address(state.endpoint)}", palette.muted))
        word = look.clip(word_of(state), width // 2)
        return left, [Segment(word, palette.state(key) if key == "failed" else palette.muted)]


def word_of(state: EndpointState) -> str:
    """Return what is known of an endpoint in a few words."""
    match state.status:
        case "unasked":
            return texts.NOT_ASKED
        case "asking":
            return texts.ASKING
        case "absent" if state.endpoint.kind == "embedded":
            return texts.NOT_FETCHED
        case "absent":
            return texts.NOT_RUNNING
        case "no_key":
            return texts.NO_KEY
        case "failed":
            return one_line(state.message) or texts.FAILED
        case "found" if not state.models:
            return texts.NO_MODELS_YET
        case "found":
            count = texts.models(len(state.models))
            return f"{count}, {one_line(state.message)}" if state.message else count


def about(
    number: int | None,
    listing: EndpointListing,
    *,
    width: int,
    palette: look.Palette,
    is_new: bool = False,
) -> Grid:
    """Return what there is to tell about a row; ``is_new``: it was added a moment ago."""
    state = listing.state(number)
    if state is None:
        return [] if listing.adding is None else _about_offer(listing.adding, width, palette)
    endpoint = state.endpoint
    hint = texts.ADDED if is_new else ""
    title = section(
        one_line(endpoint.label or endpoint.name, 40), hint, width=width, palette=palette
    )
    fields = (
        (texts.STATE, _told(state)),
        (texts.ADDRESS, _address(endpoint)),
        (texts.KEY, "" if state.status == "no_key" else texts.key(endpoint)),
        (texts.MODELS, ", ".join(one_line(model.id, 80) for model in state.models[:50])),
    )
    grid = [list(title)]
    for field, value in fields:
        grid += _field(field, value, width, palette)
    return grid


def _look(state: EndpointState) -> look.StateKey:
    has_none = state.status == "found" and not state.models
    return "retrying" if has_none else _LOOKS[state.status]


def _told(state: EndpointState) -> str:
    """Return in full what is known of an endpoint."""
    if state.status != "found":
        return told(state) or word_of(state)
    can_pull = state.endpoint.kind == "ollama" and not state.models
    return words.PULL_ONE if can_pull else word_of(state)


def _field(name: str, value: str, width: int, palette: look.Palette) -> Grid:
    if not value:
        return []
    first, *more = wrapped([Segment(value, palette.ink)], max(1, width - _FIELD))
    head = Segment(f"{name:<{_FIELD}}", palette.muted)
    return [[head, *first], *([Segment(" " * _FIELD), *row] for row in more)]


def _offer(adding: Adding, palette: look.Palette) -> tuple[list[Segment], list[Segment]]:
    if adding.is_asked:
        key: look.StateKey = "waiting"
        word = texts.ASKING
    elif adding.failure:
        key, word = "failed", texts.NOT_ADDED
    else:
        key, word = "queued", ""
    left = [
        Segment(f"{look.GLYPHS[key]} ", palette.state(key)),
        Segment(texts.add(adding.shown), palette.bright),
    ]
    return left, [Segment(word, palette.state(key))] if word else []


def _about_offer(adding: Adding, width: int, palette: look.Palette) -> Grid:
    if adding.is_asked:
        return wrapped([Segment(texts.ASKING_IT, palette.ink)], width)
    if adding.failure:
        return wrapped([Segment(one_line(adding.failure, _LONGEST_FAILURE), palette.bright)], width)
    return wrapped([Segment(texts.HOW_TO_ADD, palette.muted)], width)


def _name(endpoint: Endpoint) -> str:
    return one_line(endpoint.name, 60)


def _address(endpoint: Endpoint) -> str:
    return one_line(endpoint.base_url) or texts.IN_THIS_PROGRAM
