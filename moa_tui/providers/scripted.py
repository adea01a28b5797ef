"""Models that say what was written for them: the demo, and the one fake that tests use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from moa_tui.engine.provider import ChatRequest, Delta, Endpoint, Finish, ModelInfo
from moa_tui.errors import ProviderError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterable, Mapping

    from moa_tui.engine.clock import Clock


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing is said for so many seconds."""

    seconds: float


Step: TypeAlias = Wait | Delta | ProviderError
Script: TypeAlias = "Callable[[ChatRequest], Iterable[Step]]"
"""What a model does with a request, in order; a ProviderError among it is raised."""


class ScriptedProvider:
    """Plays scripts by model name; a model without one isn't found."""

    def __init__(self, endpoint: Endpoint, scripts: Mapping[str, Script], *, clock: Clock) -> None:
        self._endpoint = endpoint
        self._scripts = scripts
        self._clock = clock

    @property
    def endpoint(self) -> Endpoint:
        """The endpoint that it pretends to be."""
        return self._endpoint

    async def stream(self, request: ChatRequest, /) -> AsyncGenerator[Delta, None]:
        """Yield the script's deltas, waiting where it waits."""
        script = self._scripts.get(request.model)
        if script is None:
            raise ProviderError("not_found", f"{self._endpoint.name} has no model {request.model}.")
        for step in script(request):
            match step:
                case Wait(seconds):
                    await self._clock.sleep(seconds)
                case ProviderError():
                    raise step
                case _:
                    yield step

    async def models(self) -> tuple[ModelInfo, ...]:
        """List the models that have a script."""
        return tuple(ModelInfo(id=name) for name in self._scripts)

    async def aclose(self) -> None:
        """Nothing to give back."""


def spoken(pieces: Iterable[Delta], *, rate: float, first_s: float = 0.0) -> Iterable[Step]:
    """Yield the pieces at ``rate`` a second, the first after ``first_s`` seconds, then a finish."""
    yield Wait(first_s)
    for piece in pieces:
        yield piece
        yield Wait(1 / rate)
    yield Finish("stop")
