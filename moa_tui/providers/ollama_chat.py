"""One streamed ``/api/chat``: the request, the JSON lines of its answer, Ollama's words."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from moa_tui.engine.provider import Note, Usage
from moa_tui.errors import TRY_ANOTHER, FailureKind, ProviderError
from moa_tui.providers.answer import Answer
from moa_tui.providers.bounds import amount
from moa_tui.providers.faults import error_in_stream, is_error
from moa_tui.providers.ndjson import NdjsonReader
from moa_tui.providers.ollama_models import KEEP_ALIVE_S

if TYPE_CHECKING:
    from collections.abc import Mapping

    from moa_tui.engine.provider import ChatRequest

_FEW_TOKENS = 512
_FAR_UNDER = 0.45
"""Of our estimate: some texts, as of much white space, have half the tokens that it says."""
_NANOSECONDS = 1e9
_WORTH_TELLING_S = 1.0

_TOO_LONG = re.compile(
    r"(?:longer|larger|exceeds?) (?:than )?the context|context length", re.IGNORECASE
)
_NO_MEMORY = re.compile(
    r"more system memory|out.of.memory|cudaMalloc|unable to allocate|resource limitations"
    r"|not enough (?:\w+ )?memory",
    re.IGNORECASE,
)


def write_request(
    request: ChatRequest, *, num_ctx: int | None, can_think: bool
) -> dict[str, object]:
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
        "num_ctx": num_ctx,
    }
    body: dict[str, object] = {
        "model": request.model,
        "messages": [{"role": each.role, "content": each.content} for each in request.messages],
        "stream": True,
        "options": {name: value for name, value in tuning.items() if value is not None},
        "keep_alive": f"{KEEP_ALIVE_S / 60:.0f}m",
        "truncate": False,
        "shift": False,
    }
    think = options.effort if options.effort is not None else options.think
    return {**body, "think": think} if think is not None and can_think else body


def write_load(model: str, *, num_ctx: int | None) -> dict[str, object]:
    """Return the JSON body of a chat without a message, which only loads its model."""
    return {
        "model": model,
        "messages": [],
        "stream": False,
        "options": {} if num_ctx is None else {"num_ctx": num_ctx},
        "keep_alive": f"{KEEP_ALIVE_S / 60:.0f}m",
    }


class ChatDecoder:
    """Reads one streamed chat: a JSON object a line, the last of them ``done``.

    ``prompt`` is about how many tokens were sent, 0 if nobody counted.
    """

    def __init__(self, prompt: int = 0) -> None:
        self.answer = Answer()
        self._prompt = prompt
        self._lines = NdjsonReader()

    def feed(self, data: bytes, /) -> None:
        """Read on; a call after the answer's end changes nothing."""
        if not self.answer.ended:
            self._read(data)

    def close(self) -> None:
        """Hear that the body has ended: the last line may lack its newline."""
        if not self.answer.ended:
            self._line(self._lines.close(), is_last=True)
        self.answer.flush()

    def _read(self, data: bytes) -> None:
        for line in self._lines.feed(data):
            self._line(line)
            if self.answer.ended:
                return
        if self._lines.overflowed:
            self._fail("truncated", "the server sent more than 1 MiB as one line")

    def _line(self, line: str, *, is_last: bool = False) -> None:
        try:
            frame = json.loads(line)
        except (ValueError, RecursionError):
            if line.startswith("<"):
                self._fail("protocol", "a web page came instead of an answer", "check base_url")
            elif not is_last or line.endswith("}"):
                self._fail("protocol", "the server sent a line that is not JSON")
            return
        message = frame.get("message") if isinstance(frame, dict) else None
        if not isinstance(frame, dict) or not isinstance(message or {}, dict):
            self._fail("protocol", "the server sent a line of an unknown shape")
            return
        if is_error(frame):
            error = error_in_stream(frame)
            self.answer.fail(meant(error, error.message))
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
        self.answer.usage = self._usage(frame)
        reason = frame.get("done_reason")
        if not reason:
            # The server leaves the reason out when the model's process went away.
            self._fail("truncated", "Ollama's model runner stopped before the end", "try again")
        elif reason in ("load", "unload"):
            self._fail("empty", f"no answer: Ollama only did a model {reason}")
        else:
            self.answer.finish("length" if reason == "length" else "stop")
            self.answer.note = self._remark(frame)
            self.answer.end()

    def _usage(self, frame: Mapping[str, object]) -> Usage:
        # Older servers leave the prompt's count out when all of it was in the cache.
        read = amount(frame.get("prompt_eval_count"))
        return Usage(
            prompt=read or self._prompt,
            completion=amount(frame.get("eval_count")),
            estimated=not read and self._prompt > 0,
        )

    def _remark(self, frame: Mapping[str, object]) -> Note | None:
        read = amount(frame.get("prompt_eval_count"))
        if self._prompt >= _FEW_TOKENS and 0 < read < self._prompt * _FAR_UNDER:
            seen = f"Ollama read {read} of about {self._prompt} tokens of the prompt"
            return Note("prompt_cut", f"{seen}: it may have left out the rest")
        seconds = amount(frame.get("load_duration")) / _NANOSECONDS
        if seconds >= _WORTH_TELLING_S:
            return Note("loaded", f"the model was ready after {seconds:.1f} s")
        return None

    def _fail(self, kind: FailureKind, message: str, hint: str = TRY_ANOTHER) -> None:
        self.answer.fail(ProviderError(kind, message, hint))


def meant(error: ProviderError, said: str) -> ProviderError:
    """Return what an error is by Ollama's own words for it, which its status doesn't tell."""
    if _NO_MEMORY.search(said):
        hint = "choose a smaller model, a smaller num_ctx, or free memory with `ollama stop NAME`"
        return ProviderError("server", error.message, hint)
    if _TOO_LONG.search(said):
        hint = "shorten the prompt, use fewer proposers, or a model with a larger context"
        return ProviderError("context", error.message, hint)
    return error
