"""Anthropic's own dialect, ``/messages``."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import quote

from moa_tui.providers.anthropic_chat import MessageDecoder
from moa_tui.providers.anthropic_request import MessageHabits, write_request
from moa_tui.providers.bounds import MOST_MODELS
from moa_tui.providers.dialect import HttpProvider
from moa_tui.providers.http import HttpClient
from moa_tui.providers.listing import read_models

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from moa_tui.engine.clock import Clock
    from moa_tui.engine.provider import ChatRequest, Endpoint, ModelInfo
    from moa_tui.providers.limits import Limiter
    from moa_tui.text import Secret

VERSION = "2023-06-01"
_A_PAGE = 1000
_MOST_PAGES = 20


def connect(
    endpoint: Endpoint,
    secret: Secret | None,
    *,
    clock: Clock,
    limiter: Limiter,
    models_folder: Path | None = None,  # noqa: ARG001 - one signature for every dialect
) -> AnthropicProvider:
    """Return the provider of an endpoint of kind ``anthropic``."""
    return AnthropicProvider(endpoint, secret, clock=clock, limiter=limiter)


class AnthropicHttp(HttpClient):
    """The connections to one endpoint of this dialect, which wants its key in its own header."""

    key_header: ClassVar[tuple[str, str]] = ("x-api-key", "")
    dialect_headers: ClassVar[Mapping[str, str]] = MappingProxyType({"anthropic-version": VERSION})

    async def get_models(self) -> tuple[ModelInfo, ...]:
        """Return the models of all pages of the listing.

        Raises:
            ProviderError: a page can't be asked for, or is something else.
        """
        models: dict[str, ModelInfo] = {}
        path = f"models?limit={_A_PAGE}"
        for _ in range(_MOST_PAGES):
            listing = await self.get_json(path)
            page = {model.id: model for model in read_models(listing)}
            has_news = not page.keys() <= models.keys()
            models |= page
            last = _last_of(listing)
            if not last or not has_news or len(models) >= MOST_MODELS:
                break
            path = f"models?limit={_A_PAGE}&after_id={quote(last, safe='')}"
        return tuple(models.values())[:MOST_MODELS]


class AnthropicProvider(HttpProvider[MessageHabits]):
    """Speaks to one endpoint of Anthropic's dialect."""

    client = AnthropicHttp
    path = "messages"
    decoder = MessageDecoder
    _http: AnthropicHttp

    def first_habits(self, model: str, /) -> MessageHabits:
        """Return what is known of a model by its name."""
        return MessageHabits(model)

    def body_of(self, request: ChatRequest, habits: MessageHabits, /) -> dict[str, object]:
        """Return the body of a call."""
        return write_request(request, habits)

    async def models(self) -> tuple[ModelInfo, ...]:
        """List the models on offer.

        Raises:
            ProviderError: the endpoint can't be asked, or answers with something else.
        """
        return await self._http.get_models()


def is_listing(found: object) -> bool:
    """Return whether a listing of models is of this dialect: only it has pages."""
    return isinstance(found, dict) and isinstance(found.get("has_more"), bool)


def _last_of(listing: object) -> str:
    """Return the id that the next page begins after, "" where there is none."""
    if not isinstance(listing, dict) or listing.get("has_more") is not True:
        return ""
    last = listing.get("last_id")
    return last if isinstance(last, str) else ""
