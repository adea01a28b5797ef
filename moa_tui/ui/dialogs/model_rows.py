"""The models of all endpoints as rows of a list; no widgets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from rich.segment import Segment

from moa_tui import errors
from moa_tui.engine.cost import NOTHING, price_of
from moa_tui.text import one_line
from moa_tui.ui import look
from moa_tui.ui.dialogs import fuzzy, texts
from moa_tui.ui.dialogs.choices import marked
from moa_tui.ui.dialogs.liveness import told
from moa_tui.ui.rows import wrapped

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from moa_tui.engine.provider import Endpoint, ModelInfo
    from moa_tui.ui.dialogs.choices import Grid
    from moa_tui.ui.ports import EndpointState

Does: TypeAlias = Literal["choose", "ask", "ask_again", "type", ""]
"""What enter does: take the model, ask the endpoint for its models, take what was typed."""

_CONTEXT, _SIZE, _PRICE = 7, 8, 12
_SIZED_FROM: Final = 72
_PRICED_FROM: Final = 50
_GLYPHS: Final[dict[str, look.StateKey]] = {
    "unasked": "queued",
    "asking": "waiting",
    "found": "queued",
    "absent": "queued",
    "no_key": "queued",
    "failed": "failed",
}


@dataclass(frozen=True, slots=True)
class Offer:
    """A model that an endpoint lists."""

    model: str
    info: ModelInfo
    endpoint: Endpoint


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the list: a model, an endpoint without any yet, or words; ``model`` if typed."""

    does: Does
    offer: Offer | None = None
    state: EndpointState | None = None
    model: str = ""
    words: str = ""

    @property
    def key(self) -> str:
        """What a row is found again by when the rows are others."""
        if self.offer is not None:
            return self.offer.model
        return self.model or ("" if self.state is None else f"{self.state.endpoint.name}/")


class Catalogue:
    """What all endpoints list, laid out once for being searched at every key press."""

    def __init__(self, states: Iterable[EndpointState]) -> None:
        self.states = tuple(states)
        self.offers = tuple(
            Offer(f"{state.endpoint.name}/{info.id}", info, state.endpoint)
            for state in self.states
            if state.status == "found"
            for info in state.models
            if info.is_chat
        )
        self.names = tuple(fuzzy.folded(offer.model) for offer in self.offers)
        has_models = {offer.endpoint.name for offer in self.offers}
        others = [state for state in self.states if state.endpoint.name not in has_models]
        self.others = tuple(sorted(others, key=lambda state: not _does(state)))
        self.other_names = tuple(
            fuzzy.folded(f"{state.endpoint.name} {state.endpoint.label}") for state in self.others
        )

    def offer(self, model: str) -> Offer | None:
        """Return what lists a model by its exact name."""
        return next((offer for offer in self.offers if offer.model == model), None)


class ModelListing:
    """Models as rows, the best match first; then endpoints that were meant and could list more."""

    def __init__(self, catalogue: Catalogue, query: str = "", *, now: str = "") -> None:
        self._query = query.strip()
        self._now = now
        self._offers = catalogue.offers
        self._found = fuzzy.rank(self._query, catalogue.names)
        self._rest = _rest(catalogue, self._query, is_empty=not self._found)

    def __len__(self) -> int:
        return len(self._found) + len(self._rest)

    @property
    def found(self) -> int:
        """How many models the query found."""
        return len(self._found)

    def at(self, number: int | None) -> Row | None:
        """Return a row; None where there is none."""
        if number is None or not 0 <= number < len(self):
            return None
        if number < len(self._found):
            return Row("choose", self._offers[self._found[number]])
        return self._rest[number - len(self._found)]

    def where(self, key: str) -> int:
        """Return the row of a model or an endpoint ("name/"): its first model once it has some."""
        if not key:
            return 0
        begins = -1
        for number in range(len(self)):
            row = self.at(number)
            if row is not None and row.key == key:
                return number
            if row is not None and begins < 0 and key.endswith("/") and row.key.startswith(key):
                begins = number
        return max(0, begins)

    def may_stop(self, number: int, /) -> bool:
        """Whether enter does something there, or there is more to read than fits a row."""
        row = self.at(number)
        return row is not None and (bool(row.does) or row.state is not None)

    def row(
        self, number: int, width: int, palette: look.Palette, /
    ) -> tuple[Sequence[Segment], Sequence[Segment]]:
        """Return the model's name, then context, size and price as far as there is room."""
        row = self.at(number)
        if row is None:
            return (), ()
        if row.offer is None:
            return _other(row, palette), ()
        name = one_line(row.offer.model)
        letters = fuzzy.positions(self._query, fuzzy.folded(name))
        left = marked(name, letters, palette.ink, palette.primary + look.BOLD)
        if row.offer.model == self._now:
            left.append(Segment(f"  {texts.NOW}", palette.bright + look.BOLD))
        return left, [Segment(_fields(*_facts(row.offer), width), palette.muted)]


def columns(width: int) -> str:
    """Return the heads of the figures at the right of a row of ``width`` cells."""
    return _fields(texts.CONTEXT, texts.SIZE, texts.PRICE, width)


def about(row: Row, *, width: int, palette: look.Palette) -> Grid:
    """Return in full what a row tells, its name and what is known of it."""
    if row.offer is None:
        return wrapped(_other(row, palette), width)
    context, size, price = _facts(row.offer)
    dot = Segment(f" {look.DOT} ", palette.muted)
    endpoint = row.offer.endpoint
    line = [Segment(one_line(endpoint.label or endpoint.name), palette.ink)]
    for fact, value in ((texts.CONTEXT, context), (texts.SIZE, size), (texts.PRICE, price)):
        if value != look.DASH:
            shown = value if value == texts.FREE else f"{fact} {value}"
            line += [dot, Segment(shown, palette.muted)]
    name = Segment(one_line(row.offer.model), palette.bright + look.BOLD)
    return [*wrapped([name], width), *wrapped(line, width)]


def _facts(offer: Offer) -> tuple[str, str, str]:
    info, endpoint = offer.info, offer.endpoint
    context = look.DASH if info.context is None else look.short(info.context)
    size = look.DASH if info.size is None else texts.size(info.size)
    price = price_of(endpoint, info.id, info)
    if price == NOTHING:
        return context, size, texts.FREE
    return context, size, look.DASH if price is None else f"{price.input:.2f}, {price.output:.2f}"


def _fields(context: str, size: str, price: str, width: int) -> str:
    fields = f"{context:>{_CONTEXT}}"
    if width >= _SIZED_FROM:
        fields += f" {size:>{_SIZE}}"
    if width >= _PRICED_FROM:
        fields += f" {price:>{_PRICE}}"
    return fields


def _rest(catalogue: Catalogue, query: str, *, is_empty: bool) -> list[Row]:
    """Return what follows the models: what was typed, then the endpoints that it finds.

    Without a query these are all, those that can be asked first.
    """
    name, _, own = query.partition("/")
    meant = [
        catalogue.others[number] for number in fuzzy.rank(name or query, catalogue.other_names)
    ]
    rows = []
    if query and is_empty and (own or not meant):
        rows.append(Row("", words=texts.nothing_found(one_line(query, 60))))
    rows += _typed(catalogue, query)
    rows += [Row(_does(state), state=state) for state in meant]
    if not rows and is_empty:
        rows.append(Row("", words=texts.NO_MODELS))
    return rows


def _typed(catalogue: Catalogue, query: str) -> list[Row]:
    """Return the offer to take "endpoint/model" as it was typed, or why that is no model."""
    name, _, own = query.partition("/")
    if not name or not own or " " in query or catalogue.offer(query) is not None:
        return []
    endpoints = {state.endpoint.name for state in catalogue.states}
    if name in endpoints:
        return [Row("type", model=query)]
    if any(query in offer.model for offer in catalogue.offers):
        return []
    hint = errors.nearest(name, endpoints)
    return [Row("", words=texts.endpoint_unknown(one_line(name, 60), hint))]


def _does(state: EndpointState) -> Does:
    match state.status:
        case "unasked":
            return "ask"
        case "failed" | "absent" | "found":
            return "ask_again"
        case _:
            return ""


def _other(row: Row, palette: look.Palette) -> list[Segment]:
    if row.model:
        return [Segment(texts.use_typed(one_line(row.model)), palette.bright)]
    if row.state is None:
        return [Segment(row.words, palette.muted)]
    state = row.state
    key = _GLYPHS[state.status]
    return [
        Segment(f"{look.GLYPHS[key]} ", palette.state(key)),
        Segment(f"{one_line(state.endpoint.name)}: ", palette.ink),
        Segment(_said(state), palette.muted),
    ]


def _said(state: EndpointState) -> str:
    why = told(state)
    match state.status:
        case "unasked":
            return texts.LISTS
        case "asking":
            return texts.LISTING
        case "no_key":
            return why or texts.set_key(state.endpoint)
        case "found":
            return f"{why or texts.NO_MODELS}; {texts.ASKS_AGAIN}"
        case "absent":
            return f"{why or texts.NOT_RUNNING}; {texts.ASKS_AGAIN}"
        case "failed":
            return f"{why or texts.FAILED}; {texts.ASKS_AGAIN}"
