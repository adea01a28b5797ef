"""``/api/pull``: an Ollama fetches a model and tells how far it is, a JSON object a line."""

from __future__ import annotations

import json
import re
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from moa_tui.errors import ProviderError
from moa_tui.providers.bounds import count
from moa_tui.providers.faults import error_in_stream, is_error
from moa_tui.providers.http import MAX_ERROR_BODY, pieces, read_capped
from moa_tui.providers.ndjson import NdjsonReader

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from moa_tui.providers.http import HttpClient

SILENT_S = 300.0
"""The longest that a pull may say nothing: a large file is verified in silence."""

_UNKNOWN = re.compile(r"file does not exist|manifest unknown", re.IGNORECASE)
_OFFLINE = re.compile(r"no such host|dial tcp|lookup ", re.IGNORECASE)
_FULL = re.compile(r"no space left", re.IGNORECASE)
_MOST_PARTS = 1000
_LONGEST_DIGEST = 200
_GOES_ON = "try again: it goes on from there"


async def pull(http: HttpClient, model: str) -> AsyncGenerator[tuple[int, int], None]:
    """Yield (bytes done, bytes in all) of a download, and end when the model is there.

    The sum grows when Ollama comes to know of another part. Closing the generator stops the
    download; what is there of it is kept by Ollama, and the next pull goes on from it.

    Raises:
        ProviderError: it can't be asked, refuses, fails on its way, or falls silent.
    """
    download = Download(model)
    async with http.in_words():
        asked = http.open("POST", "api/pull", body={"model": model, "stream": True})
        async with AsyncExitStack() as stack:
            async with _patient(http):
                response = await stack.enter_async_context(asked)
            if not response.is_success:
                error = http.refusal(response, await read_capped(response, MAX_ERROR_BODY))
                raise advised(error, model)
            async for piece in _spoken(http, pieces(response)):
                if progress := download.feed(piece):
                    yield progress
            download.close()


async def _spoken(http: HttpClient, body: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    while True:
        async with _patient(http):
            piece = await anext(body, None)
        if piece is None:
            return
        yield piece


@asynccontextmanager
async def _patient(http: HttpClient) -> AsyncGenerator[None, None]:
    try:
        async with http.clock.timeout(SILENT_S):
            yield
    except TimeoutError:
        message = f"{http.name} said nothing of its download for {SILENT_S:.0f} s"
        raise ProviderError("timeout", message, _GOES_ON) from None


class Download:
    """Adds up what the lines of one pull say of its parts."""

    def __init__(self, model: str) -> None:
        self._model = model
        self._lines = NdjsonReader()
        self._parts: dict[str, tuple[int, int]] = {}
        self._told = (0, 0)
        self._is_done = False

    def feed(self, data: bytes) -> tuple[int, int] | None:
        """Return the progress after these bytes, None if it is the same as before.

        Raises:
            ProviderError: a line tells of a failure, or isn't one of a pull.
        """
        for line in self._lines.feed(data):
            self._line(line)
        if self._lines.overflowed:
            raise ProviderError("protocol", "the server sent more than 1 MiB as one line")
        done = sum(part[0] for part in self._parts.values())
        total = sum(part[1] for part in self._parts.values())
        if (done, total) == self._told:
            return None
        self._told = (done, total)
        return self._told

    def close(self) -> None:
        """Hear that the body has ended.

        Raises:
            ProviderError: that wasn't the download's end.
        """
        rest = self._lines.close()
        if rest:
            self._line(rest)
        if not self._is_done:
            message = f"the download of {self._model} stopped before its end"
            raise ProviderError("truncated", message, _GOES_ON)

    def _line(self, line: str) -> None:
        try:
            said = json.loads(line)
        except (ValueError, RecursionError):
            said = None
        if not isinstance(said, dict):
            raise ProviderError("protocol", "what came is no download's progress", "check base_url")
        if is_error(said):
            raise advised(error_in_stream(said), self._model)
        self._is_done = self._is_done or said.get("status") == "success"
        part, total = said.get("digest"), count(said.get("total"))
        done = count(said.get("completed", 0))
        if not isinstance(part, str) or done is None or total is None:
            return
        is_sane = len(part) <= _LONGEST_DIGEST and len(self._parts) < _MOST_PARTS
        if total > 0 and (part in self._parts or is_sane):
            self._parts[part] = (min(done, total), total)


def advised(error: ProviderError, model: str) -> ProviderError:
    """Return a pull's error with what to do about it."""
    if _UNKNOWN.search(error.message):
        message = f"Ollama's library has no {model}: {error.message}"
        return ProviderError("not_found", message, "look its name up at ollama.com/library")
    if _OFFLINE.search(error.message):
        hint = "Ollama can't reach its library: check the network of its machine"
        return ProviderError(error.kind, error.message, hint)
    if _FULL.search(error.message):
        hint = "make room on the disk where Ollama keeps its models (OLLAMA_MODELS)"
        return ProviderError(error.kind, error.message, hint)
    return error
