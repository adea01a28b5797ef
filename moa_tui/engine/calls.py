"""What the agents of a mixture are sent in a run, and what is known of their models."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from moa_tui.engine import cost
from moa_tui.engine.context import window_of
from moa_tui.engine.forecast import Forecast
from moa_tui.engine.prompt import context_need, request

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from moa_tui.engine.ballot import Ballot
    from moa_tui.engine.cost import Cost
    from moa_tui.engine.mixture import Agent, Mixture, Seat
    from moa_tui.engine.prompt import Conversation
    from moa_tui.engine.provider import Catalogue, ChatRequest, ModelInfo, Price, Providers

_SURELY_FITS = 4096
"""Tokens that every model takes by now: for fewer no endpoint is asked."""


class Calls:
    """One mixture, one conversation, and who can be called; ``models`` None tells of none."""

    def __init__(
        self,
        mixture: Mixture,
        conversation: Conversation,
        providers: Providers,
        models: Catalogue | None = None,
    ) -> None:
        self.mixture = mixture.expanded()
        self.provider = providers
        self._conversation = conversation
        self._models = models
        # The same for every seat of a model: a server that sized it anew would load it anew.
        self._context_of = cache(lambda model: context_need(self.mixture, conversation, model))

    def request(
        self, agent: Agent, references: Sequence[str], *, ballot: Ballot | None = None
    ) -> ChatRequest:
        """Return what an agent is sent with these references, to use or to choose from."""
        return request(
            self.mixture,
            self._conversation,
            agent,
            references,
            context=self._context_of(agent.model),
            ballot=ballot,
        )

    def fits(self, agent: Agent, references: Sequence[str]) -> bool:
        """Return whether an agent has room for these references, as far as anybody knows."""
        window = window_of(agent, self._known(agent))
        return window is None or self._need(agent, references) <= window

    async def window(self, agent: Agent, references: Sequence[str]) -> int | None:
        """Return the tokens that an agent's model takes; None: nobody says, or all surely fit."""
        if agent.num_ctx is not None or self._models is None:
            return agent.num_ctx
        known = self._known(agent)
        if known is None and self._need(agent, references) > _SURELY_FITS:
            known = await self._models.look_up(agent.model)
        return window_of(agent, known)

    def price(self, agent: Agent) -> Price | None:
        """Return what calls of an agent cost, as far as anybody knows."""
        endpoint = self.provider(agent.endpoint).endpoint
        return cost.price_of(endpoint, agent.model_name, self._known(agent))

    def can_learn_price(self, agent: Agent) -> bool:
        """Return whether nobody knows what an agent costs, and its endpoint has a list of that."""
        return self.provider(agent.endpoint).endpoint.lists_prices and self.price(agent) is None

    async def learn_price(self, agent: Agent) -> None:
        """Have the endpoint list its prices."""
        if self._models is not None:
            await self._models.look_up(agent.model)

    def most(self, given: Collection[Seat] = ()) -> Cost:
        """Return the most that a run may cost, see `Forecast`; ``given`` seats aren't called."""
        return Forecast(self.mixture, self._conversation).most(self.price, given=given)

    def _known(self, agent: Agent) -> ModelInfo | None:
        return None if self._models is None else self._models.info(agent.model)

    def _need(self, agent: Agent, references: Sequence[str]) -> int:
        asked = self.request(agent, references)
        return asked.prompt_tokens + asked.options.max_tokens
