"""Calls in Anthropic's dialect: its events, its refusals, and a vendor that speaks it."""

from __future__ import annotations

import json
from typing import Any

from calls import KEY, Answering, Server, Step, Told, call

from moa_tui.engine.provider import ChatRequest, Finish, Message, Options, Text, Usage

OLD_CLAUDE = "claude-sonnet-4-5-20250929"
VENDOR: dict[str, Any] = {
    "name": "anthropic",
    "kind": "anthropic",
    "label": "Anthropic",
    "base_url": "https://a.example/v1",
    "key_page": "a.example/keys",
    "api_key_env": "ANTHROPIC_API_KEY",
}


def event(kind: str, **fields: object) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()


def text(said: str) -> bytes:
    return event("content_block_delta", index=0, delta={"type": "text_delta", "text": said})


def end(reason: str = "end_turn") -> bytes:
    counts = {"output_tokens": 7}
    return event("message_delta", delta={"stop_reason": reason}, usage=counts) + event(
        "message_stop"
    )


START = event("message_start", message={"usage": {"input_tokens": 5, "output_tokens": 1}})
HELLO = START + text("Hello") + end()
TOLD = [Text("Hello"), Usage(prompt=5, completion=7), Finish("stop")]


def answering(*steps: Step) -> Answering:
    return Answering(body=steps or (HELLO,))


def refusing(status: int, message: str, kind: str = "invalid_request_error") -> Answering:
    error = {"type": "error", "error": {"type": kind, "message": message}}
    return Answering(status, [json.dumps(error).encode()])


def asked(server: Server, request: ChatRequest | None = None) -> Told:
    return call(server, request or asking(), secret=KEY, **VENDOR)


def asking(model: str = OLD_CLAUDE, *messages: Message, **options: Any) -> ChatRequest:  # noqa: ANN401 - Options' fields by name
    return ChatRequest(model, messages or (Message("user", "hi"),), Options(**options))
