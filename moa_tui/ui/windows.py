"""What the next run needs of its models' windows, as far as anybody knows these."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from moa_tui.ui.ports import info_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from moa_tui.engine.mixture import Mixture
    from moa_tui.ui.ports import EndpointState
    from moa_tui.ui.turns import Turns

_WORTH_TELLING: Final = 0.75


@dataclass(frozen=True, slots=True, kw_only=True)
class Tight:
    """A seat whose model may run out of room: tokens that it may need, and that it takes."""

    name: str
    need: int
    window: int
    merges: bool = False

    @property
    def is_over(self) -> bool:
        """Whether it may need more than there is."""
        return self.need > self.window


class Windows:
    """Finds the tightest seat of the mixture that runs next; it looks again when something changed.

    References are counted as long as their proposers may make them: what really came is counted
    again before it is sent, see `moa_tui.engine.context`.
    """

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self.states: Sequence[EndpointState] = ()
        """What is known of the endpoints; to be told, since asking for it takes a while."""
        self._seen: object = None
        self._tight: Tight | None = None

    def tightest(self, mixture: Mixture) -> Tight | None:
        """Return the seat that needs most of its model's window, from three quarters of it on."""
        seen = (mixture, self.states, self._turns.revision)
        if self.states and seen != self._seen:
            self._seen = seen
            found = list(self._seats(mixture))
            self._tight = max(found, key=lambda one: one.need / one.window, default=None)
        return self._tight

    def _seats(self, mixture: Mixture) -> Iterator[Tight]:
        # The engine, which the first paint shouldn't wait for: nothing is known of models then.
        from moa_tui.engine.context import window_of  # noqa: PLC0415 - see above
        from moa_tui.engine.prompt import needs  # noqa: PLC0415 - see above

        for seat, (need, *_) in needs(mixture, self._turns.conversation("")):
            agent = need.agent
            window = window_of(agent, info_of(self.states, agent.model))
            if window and need.prompt + need.answer > window * _WORTH_TELLING:
                yield Tight(
                    name=agent.name,
                    need=need.prompt + need.answer,
                    window=window,
                    merges=seat.layer > mixture.proposer_layers,
                )
