"""The wire cases: bytes as servers send them, and what they must come to."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from moa_tui.engine.provider import Delta, Relabel, Text, Thinking
from moa_tui.providers import anthropic_chat, completion, ollama_chat

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from moa_tui.providers.answer import Decoder

CASES = Path(__file__).parent / "wire"
DECODERS: dict[str, Callable[[], Decoder]] = {
    "anthropic-sse": anthropic_chat.MessageDecoder,
    "openai-sse": completion.ChatDecoder,
    "ollama-ndjson": ollama_chat.ChatDecoder,
}


@dataclass(frozen=True, slots=True)
class Case:
    name: str
    protocol: str
    chunks: tuple[bytes, ...]
    expect: dict[str, Any]

    @property
    def body(self) -> bytes:
        return b"".join(self.chunks)


def cases() -> list[Case]:
    texts = [file.read_text("utf-8") for file in sorted(CASES.glob("*.jsonl"))]
    # Only LF ends a line: a U+2028 inside one is text.
    rows = [json.loads(line) for text in texts for line in text.split("\n") if line]
    return [
        Case(
            row["name"],
            row["protocol"],
            tuple(base64.b64decode(chunk) for chunk in row["chunks"]),
            row["expect"],
        )
        for row in rows
    ]


def decoded(decoder: Decoder, chunks: Sequence[bytes]) -> dict[str, Any]:
    """Return what a decoder makes of a body that ends in an orderly way after these chunks."""
    deltas: list[Delta] = []
    for chunk in chunks:
        decoder.feed(chunk)
        deltas += decoder.answer.take()
    decoder.close()
    answer = decoder.answer
    text, thinking = joined([*deltas, *answer.take()])
    error = answer.error.kind if answer.error else None
    if error is None and answer.reason is None and not answer.done:
        error = "truncated"
    usage = answer.usage
    return {
        "text": text,
        "reasoning": thinking,
        "finish_reason": answer.reason,
        "error": error,
        "usage": {"prompt": usage.prompt, "completion": usage.completion} if usage else None,
    }


def joined(deltas: Sequence[Delta]) -> tuple[str, str]:
    text = thinking = ""
    for delta in deltas:
        if isinstance(delta, Text):
            text += delta.text
        elif isinstance(delta, Thinking):
            thinking += delta.text
        elif isinstance(delta, Relabel):
            text, thinking = "", thinking + text
    return text, thinking


def cuts(body: bytes) -> Iterator[list[bytes]]:
    """Yield the body cut once at each place, and byte by byte."""
    yield from ([body[:place], body[place:]] for place in range(len(body) + 1))
    yield [bytes([byte]) for byte in body]
