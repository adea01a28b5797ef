"""The places where models are: looked at, asked, added; a `moa_tui.ui.ports.Endpoints`."""

from __future__ import annotations

import asyncio
import re
from contextlib import AsyncExitStack, aclosing
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING, Protocol, runtime_checkable
from urllib.parse import urlsplit

from moa_tui.addresses import is_meant, name_for, place_of, urls_of
from moa_tui.config import KNOWN_ENDPOINTS, url_problem
from moa_tui.engine.provider import Endpoint, ModelInfo
from moa_tui.errors import ConfigError, ProviderError, nearest
from moa_tui.keys import find_key
from moa_tui.text import is_variable_name, looks_like_key, may_be_key, one_line, redact
from moa_tui.ui.ports import EndpointState, EndpointStatus, info_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable

    from moa_tui.connections import Connections
    from moa_tui.engine.clock import Clock
    from moa_tui.ui.ports import EmbeddedModel

    Progress = Callable[[int, int], None]

LOOK_S = 0.3
"""How long a look at a server on this machine may take."""

_LOOK_FAR_S = 2.0
_ASK_S = 15.0
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_WHAT_TO_TYPE = "type a URL, a host, or the NAME of a key's variable, like GROQ_API_KEY"
_NO_KEY_NEEDED = "no key needed"
_NO_MODELS = "it has no models yet"
_KNOWN = frozenset(endpoint.name for endpoint in KNOWN_ENDPOINTS)
_USUAL = 2
_HTTP = 80


@runtime_checkable
class _Fetching(Protocol):
    """A provider whose server can fetch models."""

    def pull(self, model: str, /) -> AsyncGenerator[tuple[int, int], None]:
        """Fetch a model; yields (bytes done, bytes in all)."""
        ...


class Places:
    """What is known of every endpoint, and how more is found out.

    ``remember`` writes down an endpoint that was added, as those named in ``added`` were earlier;
    ``forget`` takes one out again and returns what puts it back. ``embedded`` is the model that
    ``pull`` can fetch without any server.
    """

    def __init__(
        self,
        connections: Connections,
        *,
        clock: Clock,
        embedded: EmbeddedModel,
        remember: Callable[[Endpoint], None],
        forget: Callable[[str], Callable[[], None]],
        added: Iterable[str] = (),
    ) -> None:
        self._connections = connections
        self._clock = clock
        self._embedded = embedded
        self._remember = remember
        self._drop = forget
        self._added = set(added)
        self._states: dict[str, EndpointState] = {}
        self._asking: dict[str, asyncio.Task[EndpointState]] = {}

    def states(self) -> tuple[EndpointState, ...]:
        """Return what is known now: the user's own servers first, then the vendors."""
        endpoints = [
            endpoint
            for endpoint in self._connections.endpoints.values()
            if endpoint.kind != "scripted"
        ]
        endpoints.sort(key=lambda endpoint: not endpoint.is_own)
        return tuple(
            self._since_fetched(endpoint)
            or self._states.get(endpoint.name)
            or self._unasked(endpoint)
            for endpoint in endpoints
        )

    async def detect(self) -> tuple[EndpointState, ...]:
        """Look at the user's own servers in parallel; nothing is sent to a vendor's."""
        own = [state.endpoint for state in self.states() if state.endpoint.is_own]
        for endpoint in own:
            self._states[endpoint.name] = EndpointState(endpoint=endpoint, status="asking")
        # The HTTP library takes 100 ms to import, in which the screen should go on.
        await asyncio.to_thread(import_module, "moa_tui.providers.detect")
        await asyncio.gather(
            *(
                self._look(endpoint, LOOK_S if endpoint.is_local else _LOOK_FAR_S)
                for endpoint in own
            )
        )
        self._tell_doubles(own)
        return self.states()

    async def ask(self, name: str, /) -> EndpointState:
        """Ask one endpoint for its models; a failure is in the state, in words."""
        try:
            endpoint = self._connections.endpoint(name)
        except ConfigError as error:
            unknown = Endpoint(name=name, kind="openai", label=name)
            return EndpointState(endpoint=unknown, status="failed", message=str(error))
        return await self._look(endpoint, _ASK_S)

    async def add(self, text: str, /) -> EndpointState:
        """Add the endpoint that a URL, a host or the NAME of a key variable means.

        A URL may be followed by the name of its key's variable. What answers is remembered.

        Raises:
            ConfigError: the text means none, or what it means doesn't answer: in words.
        """
        if looks_like_key(text) or any(map(may_be_key, text.split())):
            raise ConfigError(
                "that looks like a key: put it into a variable of the environment and type its NAME"
            )
        address, _, variable = text.strip().partition(" ")
        variable = variable.strip()
        known = self._known(address, variable)
        if known is not None:
            return _answering(await self.ask(known.name))
        endpoint = await self._recognised(address, variable)
        known = self._at(endpoint.base_url, variable)
        if known is not None:
            return _answering(await self.ask(known.name))
        async with AsyncExitStack() as undoing:
            undoing.push_async_callback(self._forget, endpoint.name)
            self._connections.add(endpoint)
            state = _answering(await self.ask(endpoint.name))
            self._remember(endpoint)
            undoing.pop_all()
        self._added.add(endpoint.name)
        return state

    def remove(self, name: str, /) -> Callable[[], None]:
        """Forget an endpoint that was added; return what brings it back.

        Raises:
            ConfigError: it is known anyway, stands in config.toml, or can't be forgotten; later, it
                can't be brought back.
        """
        endpoint = self._connections.endpoint(name)
        if name not in self._added:
            raise ConfigError(_known_anyway(name) if name in _KNOWN else _in_config(name))
        put_back, state = self._drop(name), self._states.pop(name, None)
        self._connections.drop(name)
        self._added.discard(name)

        def restore() -> None:
            put_back()
            self._connections.add(endpoint)
            self._added.add(name)
            if state is not None:
                self._states[name] = state

        return restore

    async def pull(self, model: str, /) -> AsyncGenerator[tuple[int, int], None]:
        """Fetch "endpoint/model" where its server can; yields (bytes done, bytes in all).

        Raises:
            ConfigError: that endpoint can't fetch models, or the embedded one's download failed.
            ProviderError: it failed.
        """
        endpoint, _, name = model.partition("/")
        if endpoint == "embedded":
            steps = self._embedded_steps(model)
        else:
            provider = self._connections(endpoint)
            if not name or not isinstance(provider, _Fetching):
                label = provider.endpoint.label or endpoint
                raise ConfigError(f"{label} can't be told to fetch models: only Ollama can")
            steps = provider.pull(name)
        async with aclosing(steps):
            async for step in steps:
                yield step

    # Models

    def info(self, model: str, /) -> ModelInfo | None:
        """Return what the last listing says of "endpoint/model"; None: nothing."""
        # Of one endpoint only, since every call asks for it.
        state = self._states.get(model.partition("/")[0])
        return None if state is None else info_of((state,), model)

    async def look_up(self, model: str, /) -> ModelInfo | None:
        """Return the same, after one listing of the endpoint unless there was one; never fails."""
        name = model.partition("/")[0]
        state = self._states.get(name)
        if (state is None or state.status == "asking") and name not in self._asking:
            self._asking[name] = asyncio.create_task(self.ask(name))
            self._asking[name].add_done_callback(lambda _: self._asking.pop(name, None))
        if name in self._asking:
            # Several seats wait for it: one that is stopped must not end it for the others.
            await asyncio.shield(self._asking[name])
        return self.info(model)

    # What was found out

    def _since_fetched(self, endpoint: Endpoint) -> EndpointState | None:
        """Return the embedded endpoint as it is since its model was fetched, if it was absent."""
        state = self._states.get(endpoint.name)
        is_missing = endpoint.kind == "embedded" and state is not None and state.status == "absent"
        if not is_missing or not self._embedded.is_present:
            return None
        try:
            self._connections(endpoint.name)
        except ConfigError:
            return None  # the file is here, and still nothing that runs it: as the state says
        fetched = ModelInfo(id=self._embedded.model.partition("/")[2])
        return EndpointState(
            endpoint=endpoint, status="found", models=(fetched,), message=_NO_KEY_NEEDED
        )

    def _unasked(self, endpoint: Endpoint) -> EndpointState:
        try:
            self._connections.endpoint(endpoint.name)
            find_key(endpoint, self._connections.environ)
        except ConfigError as error:
            if not self._lacks_key(endpoint):
                return EndpointState(endpoint=endpoint, status="failed", message=str(error))
            page = f"keys are made at {endpoint.key_page}" if endpoint.key_page else ""
            message = f"set {endpoint.api_key_env}"
            return EndpointState(endpoint=endpoint, status="no_key", message=message, hint=page)
        return EndpointState(endpoint=endpoint)

    def _lacks_key(self, endpoint: Endpoint) -> bool:
        value = self._connections.environ.get(endpoint.api_key_env, "")
        return bool(endpoint.api_key_env and not endpoint.api_key_cmd and not value.strip())

    async def _look(self, endpoint: Endpoint, limit_s: float) -> EndpointState:
        state = await self._seen(endpoint, limit_s)
        self._states[endpoint.name] = state
        return state

    async def _seen(self, endpoint: Endpoint, limit_s: float) -> EndpointState:
        from moa_tui.providers.detect import models_of  # noqa: PLC0415 - brings the HTTP library
        from moa_tui.providers.faults import NobodyListens  # noqa: PLC0415 - likewise

        try:
            provider = self._connections(endpoint.name)
            models = await models_of(provider, clock=self._clock, limit_s=limit_s)
        except ConfigError as error:
            unasked = self._unasked(endpoint)
            if unasked.status != "unasked":
                return unasked
            status: EndpointStatus = "absent" if endpoint.kind == "embedded" else "failed"
            return EndpointState(endpoint=endpoint, status=status, message=str(error))
        except NobodyListens as error:
            return _failed(endpoint, error, status="absent")
        except ProviderError as error:
            if error.kind == "auth" and not self._has_key(endpoint) and endpoint.api_key_env:
                message = f"set {endpoint.api_key_env}"
                return EndpointState(endpoint=endpoint, status="no_key", message=message)
            return _failed(endpoint, error)
        message = "" if self._has_key(endpoint) else _NO_KEY_NEEDED
        if not models:
            message = _NO_MODELS
        return EndpointState(endpoint=endpoint, status="found", models=models, message=message)

    def _has_key(self, endpoint: Endpoint) -> bool:
        return bool(endpoint.api_key_cmd or find_key(endpoint, self._connections.environ))

    def _tell_doubles(self, own: Iterable[Endpoint]) -> None:
        """Let a usual place give way where Ollama, or an endpoint of the user's, is found too."""
        first: dict[str, str] = {}
        for endpoint in sorted(own, key=_precedence):
            if self._states[endpoint.name].status != "found" or not endpoint.base_url:
                continue
            name = first.setdefault(place_of(endpoint.base_url), endpoint.name)
            if name != endpoint.name and _precedence(endpoint) == _USUAL:
                message = f"it is the same server as {name}"
                self._states[endpoint.name] = EndpointState(
                    endpoint=endpoint, status="absent", message=message
                )

    # Adding

    def _known(self, address: str, variable: str) -> Endpoint | None:
        """Return the endpoint that is meant by its name, its key's variable, or its URL."""
        if not address:
            raise ConfigError(_WHAT_TO_TYPE)
        endpoints = self._connections.endpoints
        variables = {
            endpoint.api_key_env: endpoint for endpoint in endpoints.values() if not endpoint.is_own
        }
        if address in variables or address in endpoints:
            return variables.get(address) or endpoints[address]
        if address.isupper() and _VARIABLE.fullmatch(address):
            hint = nearest(address, filter(None, variables))
            raise ConfigError(
                f"{address} is no known vendor's variable; for another server type its URL, "
                f"a space and {address}{hint}"
            )
        self._urls(address)
        return self._at(address if "://" in address else f"//{address}", variable)

    def _at(self, address: str, variable: str) -> Endpoint | None:
        """Return the endpoint at an address, unless its key is another variable's."""
        return next(
            (
                endpoint
                for endpoint in self._connections.endpoints.values()
                if is_meant(endpoint, address) and variable in ("", endpoint.api_key_env)
            ),
            None,
        )

    def _urls(self, address: str) -> tuple[str, ...]:
        urls = urls_of(address, self._usual_ports())
        problem = next(filter(None, map(url_problem, urls)), "")
        if problem:
            raise ConfigError(f'"{redact(one_line(address, 60))}" {problem}; {_WHAT_TO_TYPE}')
        return urls

    async def _recognised(self, address: str, variable: str) -> Endpoint:
        """Return what answers at an address, under a name of its own."""
        if variable and not is_variable_name(variable):
            raise ConfigError(f"after the URL stands a key variable's NAME; {_WHAT_TO_TYPE}")
        urls = self._urls(address)
        if variable and len({urlsplit(url).port for url in urls}) > 1:
            raise ConfigError("type the port too, host:port: a key goes to one server only")
        if variable and not self._connections.environ.get(variable, "").strip():
            # What isn't written like a constant may be a password.
            shown = variable if variable.isupper() else "the variable after the URL"
            raise ConfigError(f"{shown} is not set in the environment")
        await asyncio.to_thread(import_module, "moa_tui.providers.detect")
        from moa_tui.providers.detect import recognise  # noqa: PLC0415 - brings the HTTP library
        from moa_tui.providers.faults import NobodyListens  # noqa: PLC0415 - likewise

        asked = Endpoint(name=address, kind="openai", base_url=urls[0], api_key_env=variable)
        secret = find_key(asked, self._connections.environ)
        try:
            found = await recognise(
                urls, secret, variable=variable, clock=self._clock, limit_s=_ASK_S
            )
        except NobodyListens as error:
            raise ConfigError(_nobody(urls) or _sentence(error)) from error
        except ProviderError as error:
            raise ConfigError(_wish(error, variable) or _sentence(error)) from error
        name = name_for(found, self._connections.endpoints)
        return replace(found, name=name, label=name, api_key_env=variable)

    async def _forget(self, name: str) -> None:
        self._states.pop(name, None)
        await self._connections.remove(name)

    def _usual_ports(self) -> tuple[int, ...]:
        ports = (
            urlsplit(endpoint.base_url).port
            for endpoint in self._connections.endpoints.values()
            if endpoint.is_local
        )
        return tuple(dict.fromkeys(port for port in ports if port))

    # Fetching

    def _embedded_steps(self, model: str) -> AsyncGenerator[tuple[int, int], None]:
        ours = self._embedded.model
        if model.lower() != ours:
            raise ConfigError(f"There is no {one_line(model, 60)} to pull; there is: {ours}")
        return _steps(self._embedded.fetch)


async def _steps(
    fetch: Callable[[Progress], Awaitable[None]],
) -> AsyncGenerator[tuple[int, int], None]:
    """Yield what a fetch tells of its progress; leaving early ends it."""
    steps: asyncio.Queue[tuple[int, int] | None] = asyncio.Queue()
    fetching = asyncio.ensure_future(fetch(lambda done, total: steps.put_nowait((done, total))))
    fetching.add_done_callback(lambda _: steps.put_nowait(None))
    try:
        while (step := await steps.get()) is not None:
            yield step
        await fetching
    finally:
        fetching.cancel()
        await asyncio.wait((fetching,))


def _known_anyway(name: str) -> str:
    return f"{name} is known anyway, nobody added it: it can't be removed"


def _in_config(name: str) -> str:
    return f"{name} is in config.toml, which only you write: remove [endpoints.{name}] there"


def _precedence(endpoint: Endpoint) -> int:
    """Return who stands for a server that is found twice: Ollama's own API, else the user's name.

    Other known endpoints are only places where a server usually is.
    """
    if endpoint.name == "ollama":
        return 0
    return _USUAL if endpoint.name in _KNOWN else 1


def _failed(
    endpoint: Endpoint, error: ProviderError, *, status: EndpointStatus = "failed"
) -> EndpointState:
    return EndpointState(endpoint=endpoint, status=status, message=error.message, hint=error.hint)


def _answering(state: EndpointState) -> EndpointState:
    """Return the state of an endpoint that answers.

    Raises:
        ConfigError: it doesn't, and why.
    """
    if state.status == "found":
        return state
    name = state.endpoint.label or state.endpoint.name
    message = state.message if name in state.message else f"{name}: {state.message}"
    if state.status == "no_key":
        message = f"{name} needs a key: {state.message}"
    raise ConfigError(f"{message}; {state.hint}" if state.hint else message)


def _sentence(error: ProviderError) -> str:
    """Return what went wrong in the words of somebody who typed a URL and wrote no file."""
    hint = error.hint.replace("base_url", "the URL")
    return f"{error.message}; {hint}" if hint else error.message


def _wish(error: ProviderError, variable: str) -> str:
    """Return what to type for a server that wants a key and got none."""
    if error.kind != "auth" or variable:
        return ""
    return "it wants a key: type the URL, a space, and the NAME of the variable that holds the key"


def _nobody(urls: tuple[str, ...]) -> str:
    if len(urls) == 1:
        return ""
    parts = [urlsplit(url) for url in urls]
    ports = dict.fromkeys(part.port or _HTTP for part in parts)
    shown = ", ".join(map(str, ports))
    return f"nothing listens at {parts[0].hostname} ({shown}); type host:port of the server"
