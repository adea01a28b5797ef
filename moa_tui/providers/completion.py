"""Reads one chat completion: events or plain JSON in, an `Answer` out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from moa_tui.engine.provider import FinishReason, Usage
from moa_tui.errors import TRY_ANOTHER, FailureKind, ProviderError
from moa_tui.providers.answer import Answer
from moa_tui.providers.faults import error_in_stream, is_error
from moa_tui.providers.sse import MAX_EVENT_BYTES, ServerSentEvent, SseReader

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_DONE = "[DONE]"
_BOM = b"\xef\xbb\xbf"
_BLANK = b" \t\r\n"
_TOO_LONG = "the server sent more than 1 MiB as one event"
_LONGEST_REFUSAL = 1024
_ABSURD = 1e15

_REASONS: Mapping[str, FinishReason] = {
    "length": "length",
    "max_tokens": "length",
    "model_length": "length",
    "content_filter": "content_filter",
    "refusal": "refusal",
}
_FAILED_REASONS: Mapping[str, str] = {
    "error": "the server stopped with an error",
    "abort": "the server aborted the answer",
    "insufficient_system_resource": "the server ran out of resources",
}
_TOOL_REASONS = ("tool_calls", "function_call", "tool_use")


class _WrongShape(Exception):  # noqa: N818 - never leaves this file
    """A frame that is JSON but no chunk of a chat completion."""


class ChatDecoder:
    """Reads one streamed chat completion, whatever its Content-Type claims it is."""

    def __init__(self) -> None:
        self.answer = Answer()
        self._head = b""
        self._read: Callable[[bytes], None] = self._sniff
        self._sse = SseReader()
        self._body = bytearray()

    def feed(self, data: bytes, /) -> None:
        """Read on; a call after the answer's end changes nothing."""
        if not self.answer.ended:
            self._read(data)

    def close(self) -> None:
        """Hear that the body has ended: the last frame may lack its blank line."""
        if not self.answer.ended:
            self._last_frame()
        self.answer.flush()

    def _last_frame(self) -> None:
        if self._body:
            self._whole(self._body.decode("utf-8", "replace"))
            return
        event = self._sse.close()
        if self._sse.overflowed:
            self._fail("truncated", _TOO_LONG)
        elif event is not None:
            self._event(event, is_last=True)

    def _sniff(self, data: bytes) -> None:
        self._head += data
        if _BOM.startswith(self._head[:3]) and len(self._head) < len(_BOM):
            return
        bom = _BOM if self._head.startswith(_BOM) else b""
        start = self._head.removeprefix(bom).lstrip(_BLANK)
        self._head = bom
        if not start:
            return
        if start.startswith(b"<"):
            self._fail("protocol", "a web page came instead of an answer", "check base_url")
        elif start.startswith((b"{", b"[")):
            self._read = self._json
            self._json(start)
        else:
            self._read = self._events
            self._events(bom + start)

    def _json(self, data: bytes) -> None:
        self._body += data
        if len(self._body) > MAX_EVENT_BYTES:
            self._fail("truncated", _TOO_LONG)

    def _events(self, data: bytes) -> None:
        for event in self._sse.feed(data):
            self._event(event)
            if self.answer.ended:
                return
        if self._sse.overflowed:
            self._fail("truncated", _TOO_LONG)

    def _whole(self, text: str) -> None:
        """Read a body that is JSON although a stream was asked for."""
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            if text.rstrip().endswith(("}", "]")):
                self._fail("protocol", "the server's answer is not JSON")
            return
        self._frame(found, "")

    def _event(self, event: ServerSentEvent, *, is_last: bool = False) -> None:
        text = event.data.strip()
        if not text or event.name == "ping":
            return
        if text == _DONE:
            self.answer.end()
            return
        frames = _frames_in(text)
        if frames is None and event.name == "error":
            self.answer.fail(error_in_stream(text))
        elif frames is None and not is_last:
            self._fail("protocol", "the server sent a frame that is not JSON")
        for frame in frames or ():
            if self.answer.ended:
                return
            self._frame(frame, event.name)

    def _frame(self, frame: object, name: str) -> None:
        if frame == _DONE:
            self.answer.end()
            return
        try:
            for chunk in frame if isinstance(frame, list) and frame else [frame]:
                read_chunk(chunk, self.answer)
        except _WrongShape:
            self._fail("protocol", "the server sent a frame of an unknown shape")
            return
        if name == "error":
            self.answer.fail(error_in_stream(frame))

    def _fail(self, kind: FailureKind, message: str, hint: str = TRY_ANOTHER) -> None:
        self.answer.fail(ProviderError(kind, message, hint))


def _frames_in(text: str) -> list[object] | None:
    """Return the JSON values of an event: one, or one a line where a gateway forgot blank lines."""
    try:
        return [json.loads(text)]
    except (ValueError, RecursionError):
        lines = [line.strip() for line in text.split("\n")]
    if len(lines) == 1:
        return None
    try:
        return [_DONE if line == _DONE else json.loads(line) for line in lines if line]
    except (ValueError, RecursionError):
        return None


def read_chunk(chunk: object, answer: Answer) -> None:
    """Add one chunk of a chat completion to an answer.

    Raises:
        _WrongShape: it isn't one.
    """
    if not isinstance(chunk, dict):
        raise _WrongShape
    problem = error_in_stream(chunk) if is_error(chunk) else None
    answer.usage = _usage_of(chunk) or answer.usage
    choices = chunk.get("choices") or []
    if not isinstance(choices, list):
        raise _WrongShape
    for choice in choices:
        if not isinstance(choice, dict):
            raise _WrongShape
        if choice.get("index") in (0, None):
            _read_choice(choice, answer)
            _read_reason(choice, answer, problem)
    if problem is not None:
        answer.fail(problem)


def _read_choice(choice: Mapping[str, object], answer: Answer) -> None:
    delta = choice.get("delta") or choice.get("message") or {}
    if not isinstance(delta, dict):
        raise _WrongShape
    answer.think(_reasoning_in(delta))
    _read_content(delta.get("content"), answer)
    if isinstance(refusal := delta.get("refusal"), str):
        answer.refusal = (answer.refusal + refusal)[:_LONGEST_REFUSAL]
    if delta.get("tool_calls") or delta.get("function_call"):
        answer.called_tool = True


def _read_content(content: object, answer: Answer) -> None:
    if content is None:
        return
    if isinstance(content, str):
        answer.say(content)
        return
    if not isinstance(content, list):
        raise _WrongShape
    for part in content:
        if isinstance(part, str):
            answer.say(part)
        elif not isinstance(part, dict):
            raise _WrongShape
        elif part.get("type") == "thinking":
            answer.think(_texts_in(part.get("thinking")))
        else:
            answer.say(_texts_in(part.get("text")))


def _read_reason(
    choice: Mapping[str, object], answer: Answer, problem: ProviderError | None
) -> None:
    reason = choice.get("finish_reason")
    if not isinstance(reason, str) or not reason:
        return
    if reason in _FAILED_REASONS:
        if problem is None and choice.get("error"):
            problem = error_in_stream(choice)
        failed = ProviderError("midstream", _FAILED_REASONS[reason], TRY_ANOTHER, retry=True)
        answer.fail(problem or failed)
        return
    answer.called_tool = answer.called_tool or reason in _TOOL_REASONS
    answer.finish(_REASONS.get(reason, "stop"))


def _reasoning_in(delta: Mapping[str, object]) -> str:
    """Return the reasoning, which some servers send twice under different names: one of them."""
    for name in ("reasoning_content", "reasoning", "reasoning_details"):
        found = _texts_in(delta.get(name))
        if found:
            return found
    return ""


def _texts_in(value: object) -> str:
    if isinstance(value, str):
        return value
    if not isinstance(value, list):
        return ""
    parts = (part.get("text") if isinstance(part, dict) else part for part in value)
    return "".join(part for part in parts if isinstance(part, str))


def _usage_of(chunk: Mapping[str, object]) -> Usage | None:
    groq = chunk.get("x_groq")
    usage = chunk.get("usage") or (groq.get("usage") if isinstance(groq, dict) else None)
    if not isinstance(usage, dict):
        return _timings_of(chunk.get("timings"))
    prompt = _count(usage.get("prompt_tokens"))
    completion = _count(usage.get("completion_tokens"))
    details = usage.get("completion_tokens_details")
    reasoning = _count(details.get("reasoning_tokens")) if isinstance(details, dict) else 0
    if reasoning and _count(usage.get("total_tokens")) == prompt + completion + reasoning:
        # xAI counts reasoning beside the completion, everyone else inside it.
        completion += reasoning
    cost = usage.get("cost")
    return Usage(
        prompt=prompt,
        completion=completion,
        reasoning=reasoning,
        cost=float(cost) if isinstance(cost, int | float) and 0 <= cost < _ABSURD else None,
    )


def _timings_of(timings: object) -> Usage | None:
    """Return llama.cpp's own counts, which it sends where usage was not asked for."""
    if not isinstance(timings, dict):
        return None
    prompt = _count(timings.get("prompt_n")) + _count(timings.get("cache_n"))
    return Usage(prompt=prompt, completion=_count(timings.get("predicted_n")))


def _count(value: object) -> int:
    if isinstance(value, int | float) and 0 <= value < _ABSURD:
        return int(value)
    return 0
