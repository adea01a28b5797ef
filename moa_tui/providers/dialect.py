"""What the dialects of hosted endpoints share: one endpoint, asked over HTTP."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from moa_tui.providers.habits import Habits
from moa_tui.providers.http import HttpClient
from moa_tui.providers.stream import Call, converse

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping

    import httpx

    from moa_tui.engine.clock import Clock
    from moa_tui.engine.provider import ChatRequest, Delta, Endpoint
    from moa_tui.providers.events import EventDecoder
    from moa_tui.providers.limits import Limiter
    from moa_tui.text import Secret

HabitsT = TypeVar("HabitsT", bound=Habits)


class HttpProvider(Generic[HabitsT]):
    """Speaks to one endpoint; a dialect writes the calls and lists the models.

    ``transport`` and ``chance`` (numbers in [0, 1) for the jitter of retries) are for tests.
    """

    client: ClassVar[type[HttpClient]] = HttpClient
    path: ClassVar[str]
    """Where a chat is asked, below the endpoint's base URL."""
    decoder: ClassVar[type[EventDecoder]]

    def __init__(
        self,
        endpoint: Endpoint,
        secret: Secret | None,
        *,
        clock: Clock,
        limiter: Limiter,
        transport: httpx.AsyncBaseTransport | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._endpoint = endpoint
        self._http = self.client(endpoint, secret, clock=clock, transport=transport)
        self._limiter = limiter
        self._chance = chance
        self._habits: dict[str, HabitsT] = {}

    @property
    def endpoint(self) -> Endpoint:
        """The endpoint it speaks to."""
        return self._endpoint

    def first_habits(self, model: str, /) -> HabitsT:
        """Return what is known of a model by its name."""
        raise NotImplementedError

    def body_of(self, request: ChatRequest, habits: HabitsT, /) -> Mapping[str, object]:
        """Return the JSON body of a streamed chat with a model of these habits.

        Raises:
            ProviderError: the dialect can't say that.
        """
        raise NotImplementedError

    def stream(self, request: ChatRequest, /) -> AsyncGenerator[Delta, None]:
        """Yield what the model says as it says it; closing the generator closes the connection.

        Raises:
            ProviderError: the call failed.
        """
        model = request.model
        habits = self._habits.setdefault(model, self.first_habits(model))
        call = Call(
            path=self.path,
            model=model,
            body=lambda: self.body_of(request, habits),
            decoder=self.decoder,
            learn=habits.learn,
        )
        return converse(self._http, call, limiter=self._limiter, chance=self._chance)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()
