"""A program that streams from the embedded model and waits to be killed; run as a script.

Its arguments: the models folder, and a FIFO that gets the child's process id as it starts. It
writes a line when the first text arrives.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from moa_tui.engine.clock import AsyncioClock
from moa_tui.engine.provider import ChatRequest, Endpoint, Message, Text
from moa_tui.providers.embedded import EmbeddedProvider
from moa_tui.providers.limits import Limiter
from moa_tui.providers.llama_server import CHILD


async def main() -> None:
    models, fifo = sys.argv[1:]
    clock = AsyncioClock()
    provider = EmbeddedProvider(
        Endpoint(name="embedded", kind="embedded"),
        clock=clock,
        limiter=Limiter(clock=clock),
        models_folder=Path(models),
        command=("/bin/sh", "-c", 'echo $$ > "$0"; exec "$@"', fifo, *CHILD),
    )
    request = ChatRequest("smollm2-135m-instruct", (Message("user", "Tell me a long story."),))
    async for delta in provider.stream(request):
        if isinstance(delta, Text):
            sys.stdout.write("text\n")
            sys.stdout.flush()
            break
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
