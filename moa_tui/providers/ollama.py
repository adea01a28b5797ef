"""Ollama's own dialect, ``/api/chat``: its ``/v1`` swallows errors and can't set the context."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING

from moa_tui.engine.provider import ModelInfo, Usage
from moa_tui.errors import FailureKind, ProviderError
from moa_tui.providers.answer import Answer
from moa_tui.providers.faults import error_in_stream, is_error
from moa_tui.providers.http import HttpClient
from moa_tui.providers.ndjson import NdjsonReader
from moa_tui.providers.stream import Call, converse

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping
    from pathlib import Path

    import httpx

    from moa_tui.engine.clock import Clock
    from moa_tui.engine.provider import ChatRequest, Delta, Endpoint
    from moa_tui.providers.limits import Limiter
    from moa_tui.text import Secret

_KEEP_ALIVE = "10m"
_ABSURD = 1e15


def connect(
    endpoint: Endpoint,
    secret: Secret | None,
    *,
    clock: Clock,
    limiter: Limiter,
    models_folder: Path | None = None,  # noqa: ARG001 - one signature for every dialect
) -> OllamaProvider:
    """Return the provider of an endpoint of kind ``ollama``."""
    return OllamaProvider(endpoint, secret, clock=clock, limiter=limiter)


class OllamaProvider:
    """Speaks to one Ollama; see `OpenAIProvider` for the arguments."""

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
        self._http = HttpClient(endpoint, secret, clock=clock, transport=transport)
        self._limiter = limiter
        self._chance = chance

    @property
    def endpoint(self) -> Endpoint:
        """The endpoint it speaks to."""
        return self._endpoint

    def stream(self, request: ChatRequest, /) -> AsyncGenerator[Delta, None]:
        """Yield what the model says as it says it; closing the generator closes the connection.

        Raises:
            ProviderError: the call failed.
        """
        call = Call(
            path="api/chat",
            model=request.model,
            body=lambda: write_request(request),
            decoder=ChatDecoder,
            learn=lambda _message: False,
        )
        return converse(self._http, call, limiter=self._limiter, chance=self._chance)

    async def models(self) -> tuple[ModelInfo, ...]:
        """List the models that are pulled.

        Raises:
            ProviderError: the endpoint can't be asked, or answers with something else.
        """
        return read_models(await self._http.get_json("api/tags"))

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()


def write_request(request: ChatRequest) -> dict[str, object]:
    """Return the JSON body of a streamed chat.

    ``truncate`` and ``shift`` are off: what doesn't fit is to be an error, not silently left out.
    """
    options = request.options
    tuning: dict[str, object] = {
        "num_predict": options.max_tokens,
        "temperature": options.temperature,
        "top_p": options.top_p,
        "seed": options.seed,
        "stop": list(options.stop) or None,
        "num_ctx": options.num_ctx,
    }
    body: dict[str, object] = {
        "model": request.model,
        "messages": [{"role": each.role, "content": each.content} for each in request.messages],
        "stream": True,
        "options": {name: value for name, value in tuning.items() if value is not None},
        "keep_alive": _KEEP_ALIVE,
        "truncate": False,
        "shift": False,
    }
    think = options.effort if options.effort is not None else options.think
    return body if think is None else {**body, "think": think}


def read_models(listing: object) -> tuple[ModelInfo, ...]:
    """Return the models that ``/api/tags`` lists.

    Raises:
        ProviderError: this isn't its answer.
    """
    rows = listing.get("models") if isinstance(listing, dict) else None
    if not isinstance(rows, list):
        hint = "check base_url: an Ollama answers /api/tags there"
        raise ProviderError("protocol", "the list of models has an unknown shape", hint)
    names = (row.get("name") or row.get("model") for row in rows if isinstance(row, dict))
    return tuple(ModelInfo(id=name) for name in names if isinstance(name, str))


class ChatDecoder:
    """Reads one streamed chat: a JSON object a line, the last of them ``done``."""

    def __init__(self) -> None:
        self.answer = Answer()
        self._lines = NdjsonReader()

    def feed(self, data: bytes, /) -> None:
        """Read on; a call after the answer's end changes nothing."""
        if not self.answer.ended:
            self._read(data)

    def close(self) -> None:
        """Hear that the body has ended: the last line may lack its newline."""
        if not self.answer.ended:
            self._line(self._lines.close(), is_last=True)
            self._check_length()
        self.answer.flush()

    def _read(self, data: bytes) -> None:
        for line in self._lines.feed(data):
            self._line(line)
            if self.answer.ended:
                return
        self._check_length()

    def _check_length(self) -> None:
        if self._lines.overflowed:
            self._fail("truncated", "the server sent more than 1 MiB as one line")

    def _line(self, line: str, *, is_last: bool = False) -> None:
        try:
            frame = json.loads(line)
        except (ValueError, RecursionError):
            if line.startswith("<"):
                self._fail("protocol", "a web page came instead of an answer", "check base_url")
            elif not is_last:
                self._fail("protocol", "the server sent a line that is not JSON")
            return
        message = frame.get("message") if isinstance(frame, dict) else None
        if not isinstance(frame, dict) or not isinstance(message or {}, dict):
            self._fail("protocol", "the server sent a line of an unknown shape")
            return
        if is_error(frame):
            self.answer.fail(error_in_stream(frame))
            return
        self._message(message or {})
        if frame.get("done") is True:
            self._done(frame)

    def _message(self, message: Mapping[str, object]) -> None:
        for name, add in (("thinking", self.answer.think), ("content", self.answer.say)):
            text = message.get(name)
            if isinstance(text, str):
                add(text)
            elif text is not None:
                self._fail("protocol", "the server sent a line of an unknown shape")
        if message.get("tool_calls"):
            self.answer.called_tool = True

    def _done(self, frame: Mapping[str, object]) -> None:
        self.answer.usage = Usage(
            prompt=_count(frame.get("prompt_eval_count")),
            completion=_count(frame.get("eval_count")),
        )
        reason = frame.get("done_reason")
        if not reason:
            # ollama's server leaves the reason out when the model's process went away.
            self._fail("truncated", "Ollama's model runner stopped before the end", "try again")
        elif reason in ("load", "unload"):
            self._fail("empty", f"no answer: Ollama only did a model {reason}")
        else:
            self.answer.finish("length" if reason == "length" else "stop")
            self.answer.end()

    def _fail(self, kind: FailureKind, message: str, hint: str = "") -> None:
        self.answer.fail(ProviderError(kind, message, hint))


def _count(value: object) -> int:
    return int(value) if isinstance(value, int | float) and 0 <= value < _ABSURD else 0
