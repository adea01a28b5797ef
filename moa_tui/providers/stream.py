"""One call from its request to its last delta: phases, time limits, cleaning, the end."""

from __future__ import annotations

import asyncio
import math
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from moa_tui.engine.provider import Delta, Note, Phase, Text, Thinking
from moa_tui.errors import ProviderError
from moa_tui.providers.faults import complaint_in
from moa_tui.providers.http import HTTP_FAULTS, MAX_ERROR_BODY, STALE, pieces, read_capped
from moa_tui.providers.retry import retry_after, with_retries
from moa_tui.text import Cleaner

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping

    import httpx

    from moa_tui.providers.answer import Decoder
    from moa_tui.providers.http import HttpClient
    from moa_tui.providers.limits import Limiter

USAGE_WAIT_S = 2.0
"""How long usage is waited for after a finish reason."""

_LINGER_S = 0.05
_BYTES_A_TURN = 32 << 10
_LEAST_OF_A_PIECE = 1 << 10


class Wait(Protocol):
    """What a sent request waits for until its first token, where a dialect can tell."""

    def phase(self) -> Phase:
        """Return what it waits for now."""
        ...

    def begin(self) -> None:
        """Hear that the first token is here."""
        ...

    def end(self) -> None:
        """Hear that the request is over, however it went; said more than once."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A chat call in a dialect.

    ``body`` writes the request, anew for every try; ``learn`` takes in the words of a refused
    request (400, 422) and says whether ``body`` will be a different one now. ``wait`` hears that
    the request was sent, with what to call when its phase may have changed.
    """

    path: str
    model: str
    body: Callable[[], Mapping[str, object]]
    decoder: Callable[[], Decoder]
    learn: Callable[[str], bool]
    wait: Callable[[Callable[[], None]], Wait] | None = None


async def converse(
    http: HttpClient, call: Call, *, limiter: Limiter, chance: Callable[[], float]
) -> AsyncGenerator[Delta, None]:
    """Yield a call's deltas: its turn in the queue, its tries, its answer.

    Raises:
        ProviderError: the call failed.
    """
    clock, endpoint = http.clock, http.endpoint
    if behind := limiter.behind():
        yield Phase("queued", behind=behind)
    async with limiter.place(call.model):
        deadline = clock.now() + endpoint.total_s
        deltas = with_retries(
            lambda: _attempt(http, call, deadline),
            clock=clock,
            limiter=limiter,
            chance=chance,
            loading_s=endpoint.first_token_limit_s,
            deadline=deadline,
        )
        async with aclosing(deltas):
            async for delta in deltas:
                yield delta


async def _attempt(http: HttpClient, call: Call, deadline: float) -> AsyncGenerator[Delta, None]:
    """Yield what one request brings; its exchange runs in a task that ends with this generator."""
    exchange = _Exchange(http, call)
    task = asyncio.create_task(exchange.run())
    try:
        yield Phase("connecting")
        clean = _Cleaning(http)
        while not exchange.is_over:
            await exchange.news(deadline)
            if phase := exchange.new_phase():
                yield phase
            for delta in clean.cleaned(exchange.decoder.answer.take()):
                yield delta
        for delta in exchange.end(clean):
            yield delta
        exchange.check(task)
        for delta in clean.cleaned(exchange.decoder.answer.conclude()):
            yield delta
        with suppress(TimeoutError):
            async with http.clock.timeout(_LINGER_S):
                await asyncio.wait([task])
    except ProviderError as error:
        raise http.told(error) from None
    finally:
        exchange.leave()
        task.cancel()
        await asyncio.wait([task])


class _Exchange:
    """One request and its response, read by a task, handed over through the decoder's answer.

    Reading apart from handing over lets all pieces of one read become one delta, and keeps every
    time limit in one place: `news`.
    """

    def __init__(self, http: HttpClient, call: Call) -> None:
        self.decoder = call.decoder()
        self.is_sent = False
        self.is_over = False
        self._http = http
        self._call = call
        self._is_pooled = True
        self._has_token = False
        self._failure: ProviderError | None = None
        self._wait: Wait | None = None
        self._phase: Phase | None = None
        self._news = asyncio.Event()
        self._since = http.clock.now()
        self._is_finished = False

    # What the connection tells

    def connection_opened(self) -> None:
        """A new connection is being made: a failure isn't a stale one's."""
        self._is_pooled = False

    def request_sent(self) -> None:
        """Headers are awaited from now on."""
        self.is_sent = True
        self._since = self._http.clock.now()
        if self._wait is None and self._call.wait is not None:
            self._wait = self._call.wait(self._news.set)
        self._news.set()

    # The reading task

    async def run(self) -> None:
        """Read the answer to its end, or to a failure, which is kept."""
        try:
            while not await self._asked():
                pass
        except ProviderError as error:
            self._failure = error
        except HTTP_FAULTS as fault:
            self._failure = self._http.translate(fault)
        finally:
            self.is_over = True
            self._news.set()

    async def _asked(self) -> bool:
        """Ask once; return False when it is to be asked again without a word."""
        http, has_head = self._http, False
        try:
            async with http.open(
                "POST", self._call.path, body=self._call.body(), progress=self
            ) as response:
                has_head = True
                if not response.is_success:
                    return await self._refused(response)
                if not self.is_sent:
                    self.request_sent()
                await self._read(response)
                return True
        except STALE:
            if has_head or not self.is_sent or not self._is_pooled:
                raise
            # The server closed an idle connection while it was being reused: the next one is new.
            self._is_pooled = False
            return False

    async def _refused(self, response: httpx.Response) -> bool:
        body = await read_capped(response, MAX_ERROR_BODY)
        error = self._http.refusal(response, body)
        if error.kind == "invalid" and self._call.learn(complaint_in(body)):
            return False
        error.hint = error.hint.replace("MODEL", self._call.model)
        error.retry_after_s = retry_after(response.headers)
        raise error

    async def _read(self, response: httpx.Response) -> None:
        answer = self.decoder.answer
        weight = 0
        async for piece in pieces(response):
            self.decoder.feed(piece)
            self._tell()
            # What follows the answer's end is the body's, which gives back the connection.
            self.is_over = answer.ended
            weight += max(_LEAST_OF_A_PIECE, len(piece))
            if weight >= _BYTES_A_TURN:
                weight = 0
                # What is there already is read without waiting: the screen gets its turn between.
                await asyncio.sleep(0)

    def _tell(self) -> None:
        answer = self.decoder.answer
        if self._wait is not None:
            self._tell_wait(self._wait)
        if answer.has_news:
            self._has_token = True
        elif answer.reason is None and not answer.ended:
            return
        if self._is_finished and not answer.ended:
            return
        self._is_finished = answer.reason is not None
        self._since = self._http.clock.now()
        self._news.set()

    def _tell_wait(self, wait: Wait) -> None:
        answer = self.decoder.answer
        if answer.has_news and not self._has_token:
            wait.begin()
        if answer.ended or answer.reason is not None:
            wait.end()

    # The generator's side

    async def news(self, deadline: float) -> None:
        """Wait until something happened; a time limit that passes ends the exchange."""
        clock = self._http.clock
        until = min(self._since + self._limit_s(), deadline)
        try:
            async with clock.timeout(max(0.0, until - clock.now())):
                await self._news.wait()
        except TimeoutError:
            self.is_over = True
            if not self._is_finished:
                self._failure = self._timed_out(is_total=clock.now() >= deadline)
        self._news.clear()

    def new_phase(self) -> Phase | None:
        """Return what is waited for now, None if that was told or nothing is waited for."""
        if not self.is_sent or (self._has_token and self._phase is not None):
            return None
        phase = self._wait.phase() if self._wait is not None else Phase("waiting")
        if phase == self._phase:
            return None
        if self._is_queued:
            self._since = self._http.clock.now()
        self._phase = phase
        return phase

    def leave(self) -> None:
        """Tell the dialect that nothing more is waited for."""
        if self._wait is not None:
            self._wait.end()

    def end(self, clean: _Cleaning) -> list[Delta]:
        """Return the text that was still held back."""
        self.decoder.close()
        return clean.cleaned(self.decoder.answer.take(), is_last=True)

    def check(self, task: asyncio.Task[None]) -> None:
        """Raise what ended the exchange, unless the answer is complete without it.

        Raises:
            ProviderError: the connection or a time limit.
        """
        if task.done():
            task.result()
        answer = self.decoder.answer
        has_words = answer.error is not None and answer.error.kind != "truncated"
        is_whole = answer.reason is not None or answer.done
        if self._failure is not None and not is_whole and not has_words:
            raise self._failure

    def _limit_s(self) -> float:
        endpoint = self._http.endpoint
        if self._is_finished:
            return USAGE_WAIT_S
        if self._has_token:
            return endpoint.idle_s
        if self._is_queued:
            return math.inf
        return endpoint.first_token_limit_s if self.is_sent else endpoint.connect_s

    @property
    def _is_queued(self) -> bool:
        """Whether the server works on what came before: its time for the first token isn't ours."""
        return self._phase is not None and self._phase.name == "queued"

    def _timed_out(self, *, is_total: bool) -> ProviderError:
        name, endpoint = self._http.name, self._http.endpoint
        if is_total:
            return ProviderError(
                "timeout", f"{name}: not done after {endpoint.total_s:.0f} s", "raise total_s"
            )
        limit = f"{self._limit_s():.0f} s"
        if not self.is_sent:
            message = f"{name}: no connection within {limit}"
            return ProviderError("timeout", message, "check base_url, and the network", retry=True)
        if not self._has_token:
            message = f"{name}: no token within {limit}"
            return ProviderError("timeout", message, "raise first_token_s", retry=True)
        return ProviderError("timeout", f"{name}: nothing new for {limit}", "raise idle_s")


class _Cleaning:
    """Makes one answer's deltas safe, neighbours of a kind merged into one."""

    def __init__(self, http: HttpClient) -> None:
        self._http = http
        self._cleaners: dict[type[Text | Thinking], Cleaner] = {
            Text: Cleaner(),
            Thinking: Cleaner(),
        }

    def cleaned(self, deltas: list[Delta], *, is_last: bool = False) -> list[Delta]:
        """Return the deltas as they may be shown; with ``is_last`` nothing is held back."""
        out: list[Delta] = []
        for delta in _merged(deltas):
            if isinstance(delta, Text | Thinking):
                text = self._cleaners[type(delta)].feed(delta.text)
                out += [type(delta)(text, delta.pieces)] if text else []
            elif isinstance(delta, Note):
                out.append(Note(delta.kind, self._http.words(delta.message)))
            else:
                out.append(delta)
        if is_last:
            for kind, cleaner in self._cleaners.items():
                rest = cleaner.close()
                out += [kind(rest, 0)] if rest else []
        return out


def _merged(deltas: list[Delta]) -> list[Delta]:
    if len(deltas) < 2:  # noqa: PLR2004 - nothing to merge
        return deltas
    out: list[Delta] = []
    run: list[Text | Thinking] = []
    for delta in [*deltas, None]:
        if run and type(delta) is not type(run[0]):
            text, count = "".join(each.text for each in run), sum(each.pieces for each in run)
            out.append(type(run[0])(text, count))
            run = []
        if isinstance(delta, Text | Thinking):
            run.append(delta)
        elif delta is not None:
            out.append(delta)
    return out
