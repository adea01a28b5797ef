"""A chat server of our own, in a process of its own: OpenAI's dialect, each model by its script.

``LocalServer({"a": Script(rate=100)})`` starts it, knows its address and collects its records: what
was asked, when, and how each stream ended. The texts are made up here.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import subprocess
import sys
import threading
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from types import TracebackType

Record = dict[str, Any]
"""``event`` (request | done | closed), ``model``, ``t`` (`time.monotonic`), and its own fields."""


@dataclass(frozen=True, kw_only=True)
class Script:
    """What a model does: waits ``first_s``, then says ``tokens`` pieces, ``rate`` a second.

    A rate of 0 is as fast as the client reads. ``pieces`` replaces the made-up text. ``marks`` puts
    a word that stands nowhere else into every tenth piece and records when it was sent. A
    ``status`` other than 200 answers with ``error`` as the message and nothing else.
    """

    first_s: float = 0.0
    rate: float = 100.0
    tokens: int = 100
    seed: int = 1
    pieces: tuple[str, ...] = ()
    marks: bool = False
    status: int = 200
    error: str = ""

    def text(self) -> Iterator[tuple[str, str]]:
        """Yield the pieces, each with its mark or an empty string."""
        if self.pieces:
            yield from ((piece, "") for piece in self.pieces)
            return
        source = markdown(random.Random(self.seed))  # noqa: S311 - a text, not a secret
        for number in range(self.tokens):
            piece = next(source)
            mark = f"m{self.seed}n{number}e" if self.marks and number % 10 == 0 else ""
            yield f" {mark}{piece}" if mark else piece, mark


VOCABULARY = (
    "light air blue scatters more than red because its waves are short and the sky has many small "
    "molecules that turn it every way so what reaches the eye from above is mostly blue while at "
    "dusk the path is long only warm colours stay model answer layer merge quick careful sample"
)
WORDS = VOCABULARY.split()


def markdown(source: random.Random) -> Iterator[str]:
    """Yield an endless Markdown text of paragraphs, lists, code and headings, word by word."""
    while True:
        kind = source.choice(("paragraph", "paragraph", "list", "code", "heading"))
        words = source.choices(WORDS, k=source.randint(30, 60))
        if kind == "heading":
            yield from ("\n\n##", *(f" {word}" for word in words[:4]))
        elif kind == "list":
            for start in range(0, len(words), 10):
                yield from (
                    "\n-",
                    f" **{words[start]}**",
                    *(f" {w}" for w in words[start + 1 :][:9]),
                )
        elif kind == "code":
            yield "\n\n```python\n"
            for word in words[:8]:
                yield from (f"{word} =", f" {len(word)}", "  # ok\n")
            yield "```"
        else:
            yield from ("\n\n", *(f"{word} " for word in words))


class _Connection:
    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        scripts: Mapping[str, Script],
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._scripts = scripts

    async def serve(self) -> None:
        try:
            while head := await self._reader.readuntil(b"\r\n\r\n"):
                await self._answer(head.decode("latin-1"))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client went away between two requests, as clients do
        finally:
            self._writer.close()

    async def _answer(self, head: str) -> None:
        length = next(
            (
                int(line.partition(":")[2])
                for line in head.splitlines()
                if line.lower().startswith("content-length:")
            ),
            0,
        )
        body = await self._reader.readexactly(length)
        if head.startswith("GET"):
            listing = {"object": "list", "data": [{"id": name} for name in self._scripts]}
            return await self._whole(200, listing)
        asked = json.loads(body)
        model = asked["model"]
        record("request", model, body=asked)
        script = self._scripts.get(model)
        if script is None:
            missing = {"error": {"message": f"model '{model}' not found"}}
            return await self._whole(404, missing)
        if script.status != 200:
            return await self._whole(script.status, {"error": {"message": script.error}})
        return await self._stream(model, script)

    async def _whole(self, status: int, answer: object) -> None:
        body = json.dumps(answer).encode()
        self._writer.write(
            f"HTTP/1.1 {status} Status\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        await self._writer.drain()

    async def _stream(self, model: str, script: Script) -> None:
        self._writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n"
        )
        start = time.monotonic() + script.first_s
        sent: dict[str, float] = {}
        count = 0
        # A client that streams says nothing more, so anything read now is its going away.
        gone = asyncio.create_task(self._goes_away())
        try:
            for number, (piece, mark) in enumerate(script.text()):
                due = start + (number / script.rate if script.rate else 0)
                await asyncio.wait((gone,), timeout=max(0, due - time.monotonic()))
                if gone.done():
                    return record("closed", model, sent=count)
                if mark:
                    sent[mark] = time.monotonic()
                await self._event({"choices": [{"index": 0, "delta": {"content": piece}}]})
                count += 1
            end = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
            usage = {"prompt_tokens": 10, "completion_tokens": count, "total_tokens": 10 + count}
            await self._event(end)
            await self._event({"choices": [], "usage": usage})
            record("done", model, sent=count, marks=sent)
            self._chunk(b"data: [DONE]\n\n")
            self._writer.write(b"0\r\n\r\n")
            await self._writer.drain()
        except ConnectionError:
            record("closed", model, sent=count)
        finally:
            gone.cancel()
            await asyncio.wait((gone,))
        return None

    async def _goes_away(self) -> None:
        with contextlib.suppress(ConnectionError):
            await self._reader.read(1)

    async def _event(self, data: object) -> None:
        self._chunk(b"data: " + json.dumps(data).encode() + b"\n\n")
        await self._writer.drain()

    def _chunk(self, data: bytes) -> None:
        self._writer.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")


def record(event: str, model: str, **fields: object) -> None:
    """Tell the parent what happened, a JSON object a line."""
    line = {"event": event, "model": model, "t": time.monotonic(), **fields}
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


async def serve(scripts: Mapping[str, Script]) -> None:
    """Serve on a free port of loopback until standard input closes."""
    connections: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(_Connection(reader, writer, scripts).serve())
        connections.add(task)
        task.add_done_callback(connections.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    record("listening", "", port=server.sockets[0].getsockname()[1])
    loop = asyncio.get_running_loop()
    closed = asyncio.Event()
    loop.add_reader(sys.stdin, closed.set)
    await closed.wait()
    server.close()
    for task in connections:
        task.cancel()
    await asyncio.gather(*connections, return_exceptions=True)


class LocalServer:
    """The server as its parent sees it: an address, and a growing list of records."""

    def __init__(self, scripts: Mapping[str, Script]) -> None:
        self.records: list[Record] = []
        self._changed = threading.Condition()
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter on this very file
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdin
        plain = {name: asdict(script) for name, script in scripts.items()}
        self._process.stdin.write(json.dumps(plain) + "\n")
        self._process.stdin.flush()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.wait_for(bool)
        self.base_url = f"http://127.0.0.1:{self.records[0]['port']}/v1"

    def of(self, event: str) -> list[Record]:
        """Return the records of one kind so far, in the order they happened."""
        with self._changed:
            return [line for line in self.records if line["event"] == event]

    def wait_for(self, condition: Callable[[list[Record]], bool], timeout: float = 30.0) -> None:
        """Return as soon as the records satisfy the condition.

        Raises:
            TimeoutError: they still don't after ``timeout`` seconds.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: condition(self.records), timeout):
                raise TimeoutError(f"the server saw only {self.records}")

    def kill(self) -> None:
        """End it at once: what it is saying breaks off."""
        self._process.kill()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.wait(10)
        self._reader.join(10)
        self._process.stdout.close()

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            with self._changed:
                self.records.append(json.loads(line))
                self._changed.notify_all()


def scripts_from(plain: Mapping[str, Mapping[str, Any]]) -> dict[str, Script]:
    """Build the scripts from what the parent wrote."""
    return {name: Script(**fields) for name, fields in plain.items()}


if __name__ == "__main__":
    asyncio.run(serve(scripts_from(json.loads(sys.stdin.readline()))))
