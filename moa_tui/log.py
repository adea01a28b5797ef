"""The debug log: what happened, in a file that holds no key. Nothing is written unless asked for.

Rooms that aren't asked for a log know nothing of it: requests are told by `Log.watched`, which
stands around a provider.
"""

from __future__ import annotations

import logging
import os
import platform
import sys
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, Self, TextIO, runtime_checkable

from moa_tui import __version__
from moa_tui.engine.provider import Finish, Provider, Retrying, Text, Thinking
from moa_tui.errors import MoaError, ProviderError
from moa_tui.keys import secrets_in
from moa_tui.text import Secret, clean, one_line, redact, secret_headers

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping
    from pathlib import Path
    from types import TracebackType

    from moa_tui.engine.clock import Clock
    from moa_tui.engine.provider import ChatRequest, Delta, Endpoint, ModelInfo

_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_TALKATIVE = ("httpx", "httpcore")
"""They log every URL at INFO."""

_log = logging.getLogger("moa_tui")


class Log:
    """The log of one start of the program; a ``with`` block ends it and tells how it ended.

    ``environ`` is searched for what must never be written: every variable that may hold a key.
    """

    def __init__(self, path: Path, environ: Mapping[str, str], *, clock: Clock) -> None:
        self._clock = clock
        self._environ = environ
        self._text = _Redacted(_FORMAT)
        self._handler = _Writer(_opened(path))
        self._handler.setFormatter(self._text)
        self._levels = {name: logging.getLogger(name).level for name in ("", *_TALKATIVE)}
        for secret in secrets_in(environ):
            self.heard(secret)

    def __enter__(self) -> Self:
        logging.getLogger().addHandler(self._handler)
        logging.getLogger().setLevel(logging.INFO)
        for name in _TALKATIVE:
            logging.getLogger(name).setLevel(logging.WARNING)
        python = platform.python_version()
        _log.info("moa-tui %s, Python %s, %s", __version__, python, platform.platform())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if isinstance(error, MoaError):
            _log.error("ended by a mistake: %s", error)
        elif isinstance(error, Exception) and not isinstance(error, BrokenPipeError):
            _log.critical("crashed", exc_info=error)
        else:
            _log.info("ended%s", f" by {kind.__name__}" if kind else "")
        for name, level in self._levels.items():
            logging.getLogger(name).setLevel(level)
        logging.getLogger().removeHandler(self._handler)
        self._handler.close()

    @property
    def trouble(self) -> str:
        """Why the file isn't whole, "" if it is."""
        return self._handler.trouble

    def heard(self, key: Secret) -> None:
        """Never write this key."""
        self._text.hide(key)

    def told(self, message: str) -> None:
        """Write a line."""
        _log.info("%s", message)

    def crashed(self, trace: str) -> None:
        """Write the traceback of a crash that the screen has caught."""
        _log.critical("crashed\n%s", trace)

    def settled(
        self, files: Iterable[Path], endpoints: Iterable[Endpoint], notices: Iterable[str]
    ) -> None:
        """Tell where the settings come from, variables by name, and what is wrong with them."""
        for file in files:
            _log.info("settings: %s%s", file, "" if file.exists() else " (not there)")
        for endpoint in endpoints:
            for value in secret_headers(endpoint.headers).values():
                self.heard(value)
            key = self._environ.get(endpoint.api_key_env, "").strip()
            if key:
                self.heard(Secret(key))
                _log.info("settings: %s is set, for %s", endpoint.api_key_env, endpoint.name)
        for notice in notices:
            _log.warning("settings: %s", notice)

    def watched(self, provider: Provider) -> Provider:
        """Return the same provider, whose requests are told."""
        if isinstance(provider, _Fetching):
            return _WatchedFetching(provider, self._clock)
        return _Watched(provider, self._clock)


# What may be written


class _Redacted(logging.Formatter):
    """Masks keys in the finished text, tracebacks and foreign loggers' lines included.

    A `logging.Filter` would see a record before its traceback and its arguments are text.
    """

    def __init__(self, form: str) -> None:
        super().__init__(form)
        self._secrets: dict[str, Secret] = {}

    def hide(self, key: Secret) -> None:
        """Mask this key from now on, the longest first: one may be the start of another."""
        longest = sorted((*self._secrets, key.reveal()), key=len, reverse=True)
        self._secrets = {value: Secret(value) for value in longest}

    def format(self, record: logging.LogRecord) -> str:
        """Return the record's text without keys and control characters."""
        return clean(redact(super().format(record), self._secrets.values()))


class _Writer(logging.StreamHandler[TextIO]):
    """Writes to the log's file; a full disk must disturb neither screen nor run."""

    trouble = ""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's own name
        """Note why a line is missing, for the program's end."""
        del record
        self.trouble = self.trouble or one_line(str(sys.exc_info()[1]))

    def close(self) -> None:
        """Close the file."""
        super().close()
        try:
            self.stream.close()
        except OSError as error:
            self.trouble = self.trouble or one_line(str(error))


def _opened(path: Path) -> TextIO:
    """Return the file to append to, which nobody else may read."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
    stream = os.fdopen(descriptor, "a", encoding="utf-8")
    os.fchmod(descriptor, 0o600)
    return stream


# Requests


@runtime_checkable
class _Fetching(Provider, Protocol):
    """A provider whose server can fetch models, and load them beforehand."""

    async def warm(self, request: ChatRequest, /) -> None:
        """Have a request's model loaded."""
        ...

    def pull(self, model: str, /) -> AsyncGenerator[tuple[int, int], None]:
        """Fetch a model; yields (bytes done, bytes in all)."""
        ...


class _Watched:
    """A provider that tells of each request: whom, how it ended, after how many seconds."""

    def __init__(self, provider: Provider, clock: Clock) -> None:
        self._provider = provider
        self._clock = clock

    @property
    def endpoint(self) -> Endpoint:
        """The endpoint it speaks to."""
        return self._provider.endpoint

    async def stream(self, request: ChatRequest, /) -> AsyncGenerator[Delta, None]:
        """Yield what the model says.

        Raises:
            ProviderError: the call failed.
        """
        name = f"{self.endpoint.name}/{request.model}"
        with _told(name, self._clock) as call:
            async with aclosing(self._provider.stream(request)) as deltas:
                async for delta in deltas:
                    if isinstance(delta, Text | Thinking):
                        call.outcome = "stopped while it spoke"
                    if isinstance(delta, Finish):
                        call.outcome = f"answered ({delta.reason})"
                    if isinstance(delta, Retrying):
                        why = one_line(delta.message)
                        _log.info("%s: %s, again in %.1f s", name, why, delta.wait_s)
                    yield delta

    async def models(self) -> tuple[ModelInfo, ...]:
        """List the models on offer.

        Raises:
            ProviderError: the endpoint can't be asked.
        """
        with _told(f"{self.endpoint.name}, list of models", self._clock) as call:
            found = await self._provider.models()
            call.outcome = f"{len(found)} models"
        return found

    async def aclose(self) -> None:
        """Close the connections."""
        await self._provider.aclose()


class _WatchedFetching(_Watched):
    def __init__(self, provider: _Fetching, clock: Clock) -> None:
        super().__init__(provider, clock)
        self._fetching = provider

    async def pull(self, model: str, /) -> AsyncGenerator[tuple[int, int], None]:
        """Fetch a model; yields (bytes done, bytes in all).

        Raises:
            ProviderError: it failed.
        """
        with _told(f"{self.endpoint.name}, pull of {model}", self._clock) as call:
            async with aclosing(self._fetching.pull(model)) as steps:
                async for step in steps:
                    yield step
            call.outcome = "done"

    async def warm(self, request: ChatRequest, /) -> None:
        """Have a request's model loaded; it never fails."""
        name = f"{self.endpoint.name}, loading of {request.model} beforehand"
        with _told(name, self._clock) as call:
            await self._fetching.warm(request)
            call.outcome = "over"


@dataclass(slots=True)
class _Call:
    """How a request ended; one that is left early has neither answered nor failed."""

    outcome: str = "stopped before anything came"


@contextmanager
def _told(what: str, clock: Clock) -> Iterator[_Call]:
    call, began = _Call(), clock.now()
    try:
        yield call
    except ProviderError as error:
        call.outcome = f"failed, {error.kind}: {one_line(error.message)}"
        raise
    finally:
        _log.info("%s: %s after %.3f s", one_line(what), call.outcome, clock.now() - began)
