"""The parent's side of a llama.cpp child: started, watched, ended."""

from __future__ import annotations

import asyncio
import json
import re
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from moa_tui.errors import ProviderError
from moa_tui.text import Secret, one_line, redact

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import Sequence

    from moa_tui.engine.clock import Clock

# -P keeps this folder, whose file names shadow the standard library's, out of the child's imports.
CHILD = (sys.executable, "-P", str(Path(__file__).with_name("llama_child.py")))
"""The command that starts the child."""

_CLOSING_S = 2.0
_DYING_S = 1.0
_LOG_TAIL = 4096
_LOGGED_ERROR = re.compile(r"^[\d.]+ E (?:\w+ +)?(?:\w+: )?(.*)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a child is told to serve: ``window`` is tokens for each of its slots.

    ``is_small``: the model needs help against repeating itself; larger ones are worse with it.
    """

    path: str
    alias: str
    key: Secret
    slots: int
    window: int
    threads: int
    is_small: bool

    def line(self) -> bytes:
        """Return the line that goes down the child's pipe, the key readable in it."""
        return json.dumps({**asdict(self), "key": self.key.reveal()}).encode() + b"\n"


class LlamaServer:
    """One running child; it ends with this process, however this process ends."""

    def __init__(self, order: Order, process: Process, *, log: IO[bytes], clock: Clock) -> None:
        self.order = order
        self._process = process
        self._log = log
        self._clock = clock
        self._port = 0

    @property
    def base_url(self) -> str:
        """Where its OpenAI-compatible API is."""
        return f"http://127.0.0.1:{self._port}/v1"

    @property
    def is_running(self) -> bool:
        """Whether the process was alive when the loop last looked."""
        return self._process.returncode is None

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._process.pid

    async def get_ready(self, *, limit_s: float) -> None:
        """Give the order and wait until the model is loaded.

        Raises:
            ProviderError: the child ended instead, with llama.cpp's own words, or took too long.
        """
        pipe, answers = self._process.stdin, self._process.stdout
        assert pipe is not None  # noqa: S101 - for the type checker: both are opened as pipes
        assert answers is not None  # noqa: S101 - likewise
        pipe.write(self.order.line())
        try:
            async with self._clock.timeout(limit_s):
                answer = await answers.readline()
        except TimeoutError:
            message = f"{self.order.alias} didn't load within {limit_s:.0f} s."
            raise ProviderError("timeout", message, "Try a smaller model.") from None
        if not answer:
            raise await self._stillborn()
        self._port = int(json.loads(answer)["port"])

    async def death(self) -> ProviderError | None:
        """Return what to say if the process has ended, or ends within a moment; else None.

        A broken connection is often seen before the process's end is.
        """
        try:
            async with self._clock.timeout(_DYING_S):
                code = await self._process.wait()
        except TimeoutError:
            return None
        return ProviderError(
            "cut",
            f"The process that runs {self.order.alias} ended ({_cause(code)}).",
            "Retry the seat: it is started again. If memory is short, close something first.",
        )

    async def aclose(self) -> None:
        """End the child: close its pipe, wait a moment, then kill it."""
        pipe = self._process.stdin
        if pipe is not None:
            pipe.close()
        try:
            async with self._clock.timeout(_CLOSING_S):
                await self._process.wait()
        except TimeoutError:
            pass  # killed below
        finally:
            await self._kill()
            self._log.close()

    async def _kill(self) -> None:
        if self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    async def _stillborn(self) -> ProviderError:
        code = await self._process.wait()
        words = self._last_words() or _cause(code)
        return ProviderError("server", f"llama.cpp can't run {self.order.alias}: {words}")

    def _last_words(self) -> str:
        """Return the most telling line of the child's log: its first error, else its last line."""
        size = self._log.seek(0, 2)
        self._log.seek(max(0, size - _LOG_TAIL))
        lines = self._log.read().decode("utf-8", "replace").split("\n")
        told = [line for line in lines if line.strip()]
        errors = [match[1] for line in told if (match := _LOGGED_ERROR.search(line))]
        words = (errors or told or [""])[-1 if not errors else 0]
        return one_line(redact(words, [self.order.key]))


async def start(
    order: Order, *, clock: Clock, limit_s: float, command: Sequence[str] = CHILD
) -> LlamaServer:
    """Start a child and wait until its model is loaded, ``limit_s`` seconds at most.

    Raises:
        ProviderError: it can't start; nothing of it is left then, nor after cancelling.
    """
    # Appending: reading it here must not move the place where the child writes.
    log = tempfile.TemporaryFile("a+b")  # noqa: SIM115 - lives as long as the child
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
            # Out of the terminal's reach: no Ctrl-C for it, and no way to write there.
            start_new_session=True,
        )
    except BaseException as error:
        log.close()
        if not isinstance(error, OSError):
            raise
        raise ProviderError("server", f"llama.cpp can't be started: {error.strerror}") from None
    server = LlamaServer(order, process, log=log, clock=clock)
    try:
        await server.get_ready(limit_s=limit_s)
    except BaseException:
        await server.aclose()
        raise
    return server


def _cause(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"
