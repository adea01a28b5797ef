"""Reads one message of Anthropic's dialect: named events or plain JSON in, an `Answer` out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moa_tui.engine.provider import FinishReason, Usage
from moa_tui.providers.bounds import amount
from moa_tui.providers.events import EventDecoder, WrongShape
from moa_tui.providers.faults import error_in_stream, is_error

if TYPE_CHECKING:
    from collections.abc import Mapping

_REASONS: Mapping[str, FinishReason] = {
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "pause_turn": "length",
    "refusal": "refusal",
}
_TOOL_USE = "tool_use"
_LONGEST_REFUSAL = 1024
_READ = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
_WRITTEN = "output_tokens"


class MessageDecoder(EventDecoder):
    """Reads one streamed message."""

    def __init__(self) -> None:
        super().__init__()
        self._counts: dict[str, int] = {}

    def read(self, frame: object, name: str, /) -> None:
        """Add one event to the answer; one of an unknown type adds nothing.

        Raises:
            WrongShape: it isn't one.
        """
        if not isinstance(frame, dict):
            raise WrongShape
        kind = frame.get("type") or name
        if kind == "error" or is_error(frame):
            self.answer.fail(error_in_stream(frame))
        elif kind == "message_start":
            self._count(_dict_in(frame, "message").get("usage"))
        elif kind == "content_block_start":
            self._block(_dict_in(frame, "content_block"))
        elif kind == "content_block_delta":
            self._delta(_dict_in(frame, "delta"))
        elif kind == "message_delta":
            self._count(frame.get("usage"))
            self._end(_dict_in(frame, "delta"))
        elif kind == "message_stop":
            self.answer.end()
        elif kind == "message":
            self._message(frame)

    def _message(self, message: Mapping[str, object]) -> None:
        """Read a message that came whole although a stream was asked for."""
        blocks = message.get("content")
        if not isinstance(blocks, list):
            raise WrongShape
        for block in blocks:
            if not isinstance(block, dict):
                raise WrongShape
            self._block(block)
        self._count(message.get("usage"))
        self._end(message)

    def _block(self, block: Mapping[str, object]) -> None:
        self.answer.think(_text_in(block, "thinking"))
        self.answer.say(_text_in(block, "text"))
        if str(block.get("type")).endswith(_TOOL_USE):
            self.answer.called_tool = True

    def _delta(self, delta: Mapping[str, object]) -> None:
        self.answer.think(_text_in(delta, "thinking"))
        self.answer.say(_text_in(delta, "text"))
        if delta.get("type") == "input_json_delta":
            self.answer.called_tool = True

    def _end(self, said: Mapping[str, object]) -> None:
        reason = said.get("stop_reason")
        details = said.get("stop_details")
        if isinstance(details, dict) and isinstance(why := details.get("explanation"), str):
            self.answer.refusal = why[:_LONGEST_REFUSAL]
        if isinstance(reason, str) and reason:
            self.answer.called_tool = self.answer.called_tool or reason == _TOOL_USE
            self.answer.finish(_REASONS.get(reason, "stop"))

    def _count(self, usage: object) -> None:
        """Take in counts, each of all tokens so far: the largest is the last."""
        if not isinstance(usage, dict):
            return
        for name in (*_READ, _WRITTEN):
            self._counts[name] = max(self._counts.get(name, 0), amount(usage.get(name)))
        self.answer.usage = Usage(
            prompt=sum(self._counts[name] for name in _READ),
            completion=self._counts[_WRITTEN],
        )


def _dict_in(frame: Mapping[str, object], name: str) -> Mapping[str, object]:
    found = frame.get(name)
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise WrongShape
    return found


def _text_in(part: Mapping[str, object], name: str) -> str:
    text = part.get(name)
    if text is None:
        return ""
    if not isinstance(text, str):
        raise WrongShape
    return text
