"""What there is at every endpoint, in words and as data: for the commands that look at them all."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from moa_tui.engine.provider import canonical

if TYPE_CHECKING:
    from moa_tui.ui.ports import Endpoints, EndpointState

_NEAREST = 3
_LIKE_ENOUGH = 0.5


async def survey(places: Endpoints) -> tuple[EndpointState, ...]:
    """Ask every endpoint for its models, all at once; those that lack a key aren't contacted.

    A server of the user's that is slow to answer gets more time than at the start of the screen.
    """
    looked = await places.detect()
    unsure = [state.endpoint.name for state in looked if state.status in ("unasked", "failed")]
    await asyncio.gather(*(places.ask(name) for name in unsure))
    return places.states()


def words_of(state: EndpointState) -> str:
    """Return in one line what is known of an endpoint, and what to do where it can't be used."""
    match state.status:
        case "found" if state.models:
            count = len(state.models)
            return joined(f"{count} model{'' if count == 1 else 's'}", state.message)
        case "found" if state.endpoint.kind == "ollama":
            return joined(state.message, f"fetch one: moa-tui pull {state.endpoint.name}/llama3.2")
        case "no_key":
            return joined(f"no key: {state.message}", state.hint)
        case "unasked" | "asking":
            return "not asked"
        case _:
            return joined(state.message, state.hint)


def joined(*parts: str) -> str:
    """Return parts of a sentence as one, without those that are empty."""
    return "; ".join(part.rstrip(".") for part in parts if part)


def as_data(state: EndpointState) -> dict[str, Any]:
    """Return an endpoint and its models as plain data, for ``--json``."""
    return {
        "endpoint": state.endpoint.name,
        "kind": state.endpoint.kind,
        "base_url": state.endpoint.base_url,
        "status": state.status,
        "message": state.message,
        "hint": state.hint,
        "models": [
            {
                "model": f"{state.endpoint.name}/{model.id}",
                "context": model.context,
                "size": model.size,
                "is_chat": model.is_chat,
            }
            for model in state.models
        ],
    }


def has_model(state: EndpointState, name: str) -> bool:
    """Return whether an endpoint lists a model; Ollama's tag "latest" needn't be written."""
    kind = state.endpoint.kind
    wanted = canonical(name, kind)
    return any(canonical(model.id, kind) == wanted for model in state.models)


def nearest_models(state: EndpointState, name: str) -> tuple[str, ...]:
    """Return up to three chat models of an endpoint, as endpoint/model, whose names are alike."""
    import difflib  # noqa: PLC0415 - only mistakes need it

    chat = {_short(model.id): model.id for model in state.models if model.is_chat}
    close = difflib.get_close_matches(_short(name), chat, n=_NEAREST, cutoff=_LIKE_ENOUGH)
    return tuple(f"{state.endpoint.name}/{chat[short]}" for short in close)


def _short(name: str) -> str:
    return name.rpartition("/")[2].casefold()
