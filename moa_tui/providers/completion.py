"""Reads one chat completion: events or plain JSON in, an `Answer` out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moa_tui.engine.provider import FinishReason, Usage
from moa_tui.errors import TRY_ANOTHER, ProviderError
from moa_tui.providers.bounds import amount
from moa_tui.providers.events import EventDecoder, WrongShape
from moa_tui.providers.faults import error_in_stream, is_error

if TYPE_CHECKING:
    from collections.abc import Mapping

    from moa_tui.providers.answer import Answer

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


class ChatDecoder(EventDecoder):
    """Reads one streamed chat completion."""

    def read(self, frame: object, _name: str, /) -> None:
        """Add one chunk to the answer.

        Raises:
            WrongShape: it isn't one.
        """
        read_chunk(frame, self.answer)


def read_chunk(chunk: object, answer: Answer) -> None:
    """Add one chunk of a chat completion to an answer.

    Raises:
        WrongShape: it isn't one.
    """
    if not isinstance(chunk, dict):
        raise WrongShape
    problem = error_in_stream(chunk) if is_error(chunk) else None
    answer.usage = _usage_of(chunk) or answer.usage
    choices = chunk.get("choices") or []
    if not isinstance(choices, list):
        raise WrongShape
    for choice in choices:
        if not isinstance(choice, dict):
            raise WrongShape
        if choice.get("index") in (0, None):
            _read_choice(choice, answer)
            _read_reason(choice, answer, problem)
    if problem is not None:
        answer.fail(problem)


def _read_choice(choice: Mapping[str, object], answer: Answer) -> None:
    delta = choice.get("delta") or choice.get("message") or {}
    if not isinstance(delta, dict):
        raise WrongShape
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
        raise WrongShape
    for part in content:
        if isinstance(part, str):
            answer.say(part)
        elif not isinstance(part, dict):
            raise WrongShape
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
    prompt = amount(usage.get("prompt_tokens"))
    completion = amount(usage.get("completion_tokens"))
    details = usage.get("completion_tokens_details")
    reasoning = amount(details.get("reasoning_tokens")) if isinstance(details, dict) else 0
    if reasoning and amount(usage.get("total_tokens")) == prompt + completion + reasoning:
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
    prompt = amount(timings.get("prompt_n")) + amount(timings.get("cache_n"))
    return Usage(prompt=prompt, completion=amount(timings.get("predicted_n")))
