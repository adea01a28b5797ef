"""Baseline of a run: the same calls in the same order on bare asyncio streams, nothing else.

    python plain_run.py PORT LAYERS PROPOSER...

Prints the seconds of each of its runs, a line each, first the cold one.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

AGGREGATOR = "merger"


async def call(port: int, model: str) -> None:
    """Ask and read until the answer's end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    body = json.dumps({"model": model, "stream": True, "messages": []}).encode()
    writer.write(b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n")
    writer.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
    while line := await reader.readline():
        if line == b"data: [DONE]\n":
            break
    writer.close()


async def run(port: int, layers: int, proposers: list[str]) -> float:
    """Return how long all layers and the aggregator took."""
    start = time.monotonic()
    for _ in range(layers):
        await asyncio.gather(*(call(port, model) for model in proposers))
    await call(port, AGGREGATOR)
    return time.monotonic() - start


if __name__ == "__main__":
    print(asyncio.run(run(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])))  # noqa: T201 - its result
