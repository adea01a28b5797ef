"""Models that run in a process of our own: llama.cpp's server from the ``xllamacpp`` wheel.

Every ``*.gguf`` file in the models folder is a model, called by its file's stem in lower case. Its
server starts on first use and is then one more OpenAI-compatible endpoint on loopback.
"""

from __future__ import annotations

import asyncio
import os
import secrets
from contextlib import aclosing
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import TYPE_CHECKING

from moa_tui.engine.provider import ModelInfo, Phase, can_chat
from moa_tui.errors import ConfigError, ProviderError
from moa_tui.providers.llama_server import CHILD, LlamaServer, Order, start
from moa_tui.providers.openai import OpenAIProvider
from moa_tui.text import Secret, one_line

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence
    from pathlib import Path

    from moa_tui.engine.clock import Clock
    from moa_tui.engine.provider import ChatRequest, Delta, Endpoint, Provider
    from moa_tui.providers.limits import Limiter

INSTALL_COMMAND = "pip install 'moa-tui[embedded]'"
PULL_COMMAND = "moa-tui pull embedded/smollm2-135m-instruct"

SLOTS = 4
"""Answers that one child writes at the same time; more wait in llama.cpp's queue."""

_MOST_CHILDREN = 2
_SMALL_MODEL_BYTES = 500_000_000
_MOST_THREADS = 8
_FEW_CORES = 4


def connect(
    endpoint: Endpoint,
    _secret: Secret | None = None,
    *,
    clock: Clock,
    limiter: Limiter,
    models_folder: Path | None,
    extra: str = "xllamacpp",
) -> EmbeddedProvider:
    """Return the provider of the models in a folder; no child starts before its first use.

    Raises:
        ConfigError: the module ``extra`` isn't installed, or the folder has no model.
    """
    if find_spec(extra) is None:
        raise ConfigError(
            f"The embedded model needs an extra that isn't installed: {INSTALL_COMMAND}"
        )
    if models_folder is None or not model_files(models_folder):
        raise ConfigError(f"The embedded model isn't here yet. Fetch it with: {PULL_COMMAND}")
    return EmbeddedProvider(endpoint, clock=clock, limiter=limiter, models_folder=models_folder)


def model_files(folder: Path) -> dict[str, Path]:
    """Return the folder's models by name, in order; one that can't be listed has none."""
    try:
        files = sorted(folder.glob("*.gguf"))
    except OSError:
        return {}
    return {file.stem.lower(): file for file in files if file.is_file()}


@dataclass(slots=True)
class _Child:
    """A server, the provider that speaks to it, and how many streams come from it."""

    server: LlamaServer
    upstream: Provider
    streams: int = 0

    async def aclose(self) -> None:
        await self.upstream.aclose()
        await self.server.aclose()


class EmbeddedProvider:
    """Streams from local model files, each served by a child process of its own.

    At most two children stay; the one longest idle ends before another starts. ``command`` starts
    a child: ours, unless a test has another.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        clock: Clock,
        limiter: Limiter,
        models_folder: Path,
        command: Sequence[str] = CHILD,
    ) -> None:
        self._endpoint = endpoint
        self._clock = clock
        self._limiter = limiter
        self._folder = models_folder
        self._command = tuple(command)
        self._children: dict[str, _Child] = {}
        self._starting = asyncio.Lock()

    @property
    def endpoint(self) -> Endpoint:
        """The endpoint as it was configured; the children's addresses are nobody's business."""
        return self._endpoint

    async def stream(self, request: ChatRequest, /) -> AsyncGenerator[Delta, None]:
        """Yield the answer's deltas; before them a phase "loading" while the child starts.

        Raises:
            ProviderError: no such model, its child doesn't start, or ends while it answers.
        """
        file = self._file(request.model)
        if not self._is_up(file):
            yield Phase("loading")
        async with self._starting:
            child = await self._child(file)
            # Counted before the lock is given back, or another model's start could end it.
            child.streams += 1
        try:
            async with aclosing(child.upstream.stream(request)) as deltas:
                async for delta in deltas:
                    yield delta
        except ProviderError as error:
            death = await child.server.death() if error.kind in _BROKEN else None
            raise (death or error) from None
        finally:
            child.streams -= 1

    async def models(self) -> tuple[ModelInfo, ...]:
        """List the files of the models folder; no child is needed for that."""
        return tuple(
            ModelInfo(id=name, context=_window(file), is_chat=can_chat(name))
            for name, file in model_files(self._folder).items()
        )

    async def aclose(self) -> None:
        """End the children."""
        children = list(self._children.values())
        self._children.clear()
        await asyncio.gather(*(child.aclose() for child in children))

    def _file(self, model: str) -> Path:
        files = model_files(self._folder)
        file = files.get(model.lower())
        if file is not None:
            return file
        hint = f"There is: {', '.join(files)}." if files else f"Fetch one with: {PULL_COMMAND}"
        raise ProviderError("not_found", f"No embedded model is called {one_line(model)}.", hint)

    def _is_up(self, file: Path) -> bool:
        child = self._children.get(file.name)
        return child is not None and child.server.is_running

    async def _child(self, file: Path) -> _Child:
        """Return the file's child, the most recently used from now on; the lock is held."""
        child = self._children.pop(file.name, None)
        if child is not None and not child.server.is_running:
            await child.aclose()
            child = None
        if child is None:
            await self._make_room()
            child = await self._start(file)
        self._children[file.name] = child
        return child

    async def _make_room(self) -> None:
        """End surplus children that nobody listens to, the longest unused first."""
        idle = [name for name, child in self._children.items() if not child.streams]
        surplus = len(self._children) - _MOST_CHILDREN + 1
        for name in idle[: max(0, surplus)]:
            await self._children.pop(name).aclose()

    async def _start(self, file: Path) -> _Child:
        order = Order(
            path=str(file),
            alias=file.stem.lower(),
            key=Secret(secrets.token_urlsafe(32)),
            slots=SLOTS,
            window=_window(file),
            threads=_threads(),
            is_small=_is_small(file),
        )
        server = await start(
            order,
            clock=self._clock,
            limit_s=self._endpoint.first_token_limit_s,
            command=self._command,
        )
        address = replace(self._endpoint, kind="openai", base_url=server.base_url)
        upstream = OpenAIProvider(address, order.key, clock=self._clock, limiter=self._limiter)
        return _Child(server, upstream)


_BROKEN = frozenset(("connect", "timeout", "cut", "truncated", "server", "protocol"))
"""Failures behind which a dead child may be."""


def _is_small(file: Path) -> bool:
    return file.stat().st_size < _SMALL_MODEL_BYTES


def _window(file: Path) -> int:
    """Return the tokens that fit one slot: memory for all slots is taken at the start.

    SmolLM2's 4 x 8192 cost 0.9 GB in all; an 8B model takes 128 KB a token, 2 GB for 4 x 4096.
    """
    return 8192 if _is_small(file) else 4096


def _threads() -> int:
    """Return how many cores to compute on; half of many are hyper-threads, which don't help."""
    cores = os.cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    return cores if cores <= _FEW_CORES else min(cores // 2, _MOST_THREADS)
