"""Doubles of model servers as far as their listings: on loopback, in the test's own loop."""

from __future__ import annotations

import asyncio
import json
import socket
from collections import defaultdict
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping, Sequence

Pages = dict[str, object]
"""What a GET of a path answers: bytes as they are, a status, None never, else JSON."""


def ollama(*models: str) -> Pages:
    """Return the pages of an Ollama, its own API and the copy of OpenAI's."""
    listed = [
        {"name": name, "model": name, "size": 2_000_000_000 + number, "details": {"family": "x"}}
        for number, name in enumerate(models)
    ]
    return {
        "/api/version": {"version": "0.13.0"},
        "/api/tags": {"models": listed},
        **openai(*models),
    }


def openai(*models: str) -> Pages:
    """Return the pages of LM Studio or vLLM."""
    return {"/v1/models": {"object": "list", "data": [{"id": name} for name in models]}}


def llamacpp(model: str) -> Pages:
    """Return the pages of a llama.cpp server: its listing has both shapes."""
    meta = {"n_ctx": 8192, "n_ctx_train": 131_072}
    listing = {"models": [{"name": model, "size": ""}], "data": [{"id": model, "meta": meta}]}
    return {"/v1/models": listing, "/models": listing}


def anthropic(*models: str) -> Pages:
    """Return the pages of a server of Anthropic's dialect, its listing on two pages."""
    rows = [{"type": "model", "id": name, "max_input_tokens": 200_000} for name in models]
    first = {"data": rows[:1], "has_more": len(rows) > 1, "last_id": models[0]}
    rest = {"data": rows[1:], "has_more": False, "last_id": models[-1]}
    return {
        "/v1/models": first,
        "/v1/models?limit=1000": first,
        f"/v1/models?limit=1000&after_id={models[0]}": rest,
    }


@dataclass
class ModelServer:
    """A server that runs, and the heads of the requests that it got."""

    port: int
    heads: list[str] = field(default_factory=list)
    asked_for: dict[str, asyncio.Event] = field(default_factory=lambda: defaultdict(asyncio.Event))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def paths(self) -> Sequence[str]:
        return sorted(head.split(" ")[1] for head in self.heads)

    @property
    def keys(self) -> set[str]:
        """The values of the Authorization headers."""
        return self.values_of("authorization")

    def values_of(self, header: str) -> set[str]:
        """Return what the requests had in a header."""
        lines = (line.partition(": ") for head in self.heads for line in head.split("\r\n"))
        return {value for name, _, value in lines if name.lower() == header}


@asynccontextmanager
async def serving(pages: Mapping[str, object] | None) -> AsyncGenerator[ModelServer, None]:
    """Serve these pages and 404 for all others; None never answers anything."""

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                running.heads.append(head)
                path = head.split(" ")[1]
                running.asked_for[path].set()
                page = None if pages is None else pages.get(path, 404)
                if page is not None:
                    writer.write(_answer(page))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client has what it wanted
        finally:
            writer.close()

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    running = ModelServer(port=server.sockets[0].getsockname()[1])
    try:
        yield running
    finally:
        server.close()


def _answer(page: object) -> bytes:
    status = page if isinstance(page, int) else 200
    body = page if isinstance(page, bytes) else json.dumps(page).encode()
    head = f"HTTP/1.1 {status} Status\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def free_port() -> int:
    """Return a port of loopback where nothing listens now."""

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port
