"""Looking whether a server is there, which one it is, and what models it has: in words if not."""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from moa_tui.engine.provider import Endpoint, ModelInfo
from moa_tui.errors import FailureKind, ProviderError
from moa_tui.providers.anthropic import AnthropicHttp, is_listing
from moa_tui.providers.faults import NobodyListens, where
from moa_tui.providers.http import HttpClient
from moa_tui.providers.listing import read_models
from moa_tui.text import one_line

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable, Sequence

    import httpx

    from moa_tui.engine.clock import Clock
    from moa_tui.engine.provider import Provider
    from moa_tui.text import Secret

_T = TypeVar("_T")

_SLICES = 3
_LONGEST_ID = 200
_STRANGE: frozenset[FailureKind] = frozenset(("protocol", "not_found", "invalid", "cut"))
"""How something fails that isn't a model server at all."""

_PATHS_OF_CALLS = (
    "/chat/completions",
    "/completions",
    "/messages",
    "/models",
    "/api/chat",
    "/api/tags",
    "/api",
)
_ANTHROPIC = re.compile(r"anthropic|claude|/messages/?$", re.IGNORECASE)
"""What in a URL says that its server may speak that dialect."""


async def models_of(provider: Provider, *, clock: Clock, limit_s: float) -> tuple[ModelInfo, ...]:
    """Return the models of an endpoint, those that can be named on a screen.

    Raises:
        ProviderError: it can't be asked, or not within ``limit_s`` seconds; `NobodyListens` where
            no server runs. On this machine a stranger on the port is called one.
    """
    endpoint = provider.endpoint
    try:
        found = await _within(limit_s, provider.models(), clock=clock)
    except TimeoutError:
        raise _silent(endpoint, limit_s) from None
    except ProviderError as error:
        raise _stranger(endpoint, error) from error
    return tuple(model for model in found if one_line(model.id, _LONGEST_ID) == model.id)


async def recognise(
    urls: Sequence[str],
    secret: Secret | None = None,
    *,
    variable: str = "",
    clock: Clock,
    limit_s: float,
    transport: httpx.AsyncBaseTransport | None = None,
) -> Endpoint:
    """Return kind and base URL of the first of these URLs where a model server answers.

    All are asked at once; Ollama is told by its own API, also behind its ``/v1``, Anthropic's
    dialect by the shape of its listing, where the URL gives a reason to look. ``variable`` is the
    name of the one that holds the secret.

    Raises:
        ProviderError: none answers as a model server does: what the likeliest one said.
    """
    asked = [replace(guess, api_key_env=variable) for url in urls for guess in _guesses(url)]

    async def ask(guess: Endpoint) -> Endpoint | ProviderError:
        client = AnthropicHttp if guess.kind == "anthropic" else HttpClient
        http = client(guess, secret, clock=clock, transport=transport)
        try:
            await _within(limit_s, _check(guess, http), clock=clock)
        except TimeoutError:
            return _silent(guess, limit_s)
        except ProviderError as error:
            return _elsewhere(guess) if error.kind == "not_found" else error
        finally:
            await http.aclose()
        return guess

    asking = [asyncio.ensure_future(ask(guess)) for guess in asked]
    failures = []
    try:
        for answer in asking:
            found = await answer
            if isinstance(found, Endpoint):
                return found
            failures.append(found)
    finally:
        await _ended(*asking)
    raise _most_telling(failures)


def _guesses(url: str) -> Iterable[Endpoint]:
    """Yield what may be at a URL, the most special first."""
    parts = urlsplit(url)
    root, path = f"{parts.scheme}://{parts.netloc}", parts.path.rstrip("/")
    for call in _PATHS_OF_CALLS:
        path = path.removesuffix(call)
    label = parts.netloc
    prefix = path.removesuffix("/v1")
    yield Endpoint(name="ollama", kind="ollama", base_url=root + prefix, label=label)
    if _ANTHROPIC.search(parts.netloc + parts.path):
        for tried in dict.fromkeys((f"{prefix}/v1", path)):
            yield Endpoint(name=label, kind="anthropic", base_url=root + tried, label=label)
    for tried in (path,) if path else ("/v1", ""):
        yield Endpoint(name=label, kind="openai", base_url=root + tried, label=label)


async def _check(guess: Endpoint, http: HttpClient) -> None:
    if guess.kind == "openai":
        read_models(await http.get_json("models"))
        return
    if guess.kind == "anthropic":
        if not is_listing(await http.get_json("models")):
            raise _elsewhere(guess)
        return
    told = await http.get_json("api/version")
    if not (isinstance(told, dict) and isinstance(told.get("version"), str)):
        raise _elsewhere(guess)


def _elsewhere(guess: Endpoint) -> ProviderError:
    message = f"what answers at {where(guess)} is no model server"
    return ProviderError("not_found", message, "check base_url")


def _most_telling(failures: Sequence[ProviderError]) -> ProviderError:
    """Return the failure to show: a server that refuses tells more than a port without one."""
    for is_telling in (
        lambda error: error.kind in ("auth", "quota", "rate_limit", "server"),
        lambda error: not isinstance(error, NobodyListens) and error.kind != "not_found",
        lambda error: not isinstance(error, NobodyListens),
    ):
        for failure in failures:
            if is_telling(failure):
                return failure
    return failures[-1]


async def _within(limit_s: float, work: Awaitable[_T], *, clock: Clock) -> _T:
    """Return what the work returns within a time in which the loop may stand still for once.

    The screen's first paint holds the loop up for longer than a probe takes: cut into slices, the
    time that it costs counts as one of them, and doesn't make a server look dead.

    Raises:
        TimeoutError: it took longer.
    """
    task = asyncio.ensure_future(work)
    try:
        for _ in range(_SLICES):
            with suppress(TimeoutError):
                async with clock.timeout(limit_s / _SLICES):
                    return await asyncio.shield(task)
        raise TimeoutError
    finally:
        await _ended(task)


async def _ended(*tasks: asyncio.Future[Any]) -> None:
    for task in tasks:
        task.cancel()
    # What a task still fails with has no reader any more: gathered, it isn't logged either.
    await asyncio.gather(*tasks, return_exceptions=True)


def _silent(endpoint: Endpoint, limit_s: float) -> ProviderError:
    return ProviderError("timeout", f"{_name(endpoint)} did not answer within {limit_s:g} s")


def _stranger(endpoint: Endpoint, error: ProviderError) -> ProviderError:
    """Return the error as it reads where a program of another sort may have the usual port."""
    if not endpoint.is_local or error.kind not in _STRANGE:
        return error
    said = error.message.removeprefix(_name(endpoint))
    how = f": it says{said}" if said.startswith(": ") else f"; it{said}"
    if said == error.message:
        how = f": {said}"
    place = urlsplit(endpoint.base_url).port or where(endpoint)
    message = f"something that isn't a model server listens on {place}{how}"
    hint = f"if {_name(endpoint)} listens elsewhere, add its host:port"
    return ProviderError(error.kind, message, hint)


def _name(endpoint: Endpoint) -> str:
    return endpoint.label or endpoint.name
