"""When a failed call is tried again, and after how long; only before its first token."""

from __future__ import annotations

import math
from contextlib import aclosing
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from moa_tui.engine.provider import Delta, Phase, Relabel, Retrying, Text, Thinking
from moa_tui.errors import ProviderError
from moa_tui.providers.faults import ModelLoading

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping

    from moa_tui.engine.clock import Clock
    from moa_tui.providers.limits import Limiter

WAITS_S = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
LONGEST_WAIT_S = 120.0
"""A server that asks for more is not waited for: the user is told."""

_LOADING_POLL_S = 1.0
_JITTER = 0.25


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that a server asks to wait; None when it doesn't, or not sensibly.

    ``retry-after-ms`` beats ``Retry-After``, which is seconds or an HTTP date (RFC 9110, 10.2.3).
    """
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        seconds = _number(headers.get(name, "")) / unit
        if 0 < seconds < math.inf:
            return seconds
    return _seconds_until(headers.get("retry-after", ""), headers.get("date", ""))


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _seconds_until(date: str, server_now: str) -> float | None:
    try:
        then = parsedate_to_datetime(date)
        now = parsedate_to_datetime(server_now) if server_now else datetime.now(UTC)
        seconds = (then - now).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return None
    return seconds if seconds > 0 else None


async def with_retries(
    attempt: Callable[[], AsyncGenerator[Delta, None]],
    *,
    clock: Clock,
    limiter: Limiter,
    chance: Callable[[], float],
    loading_s: float,
    deadline: float,
) -> AsyncGenerator[Delta, None]:
    """Yield an attempt's deltas, after as many failed ones as it takes and the rules allow.

    ``chance`` gives numbers in [0, 1) for the jitter. A server that loads its model is asked again
    for up to ``loading_s`` seconds: that is a phase, not an attempt. ``deadline`` is when, on the
    clock, no further attempt starts.

    Raises:
        ProviderError: the last attempt's.
    """
    waits = list(WAITS_S)
    loading_until = clock.now() + loading_s
    while True:
        while held := limiter.held_s():
            yield Phase("queued", behind=f"the rate limit, {held:.0f} s")
            await clock.sleep(held)
        has_begun = False
        try:
            async with aclosing(attempt()) as deltas:
                async for delta in deltas:
                    has_begun = has_begun or isinstance(delta, Text | Thinking | Relabel)
                    yield delta
        except ModelLoading:
            if clock.now() + _LOADING_POLL_S > loading_until:
                raise
            yield Phase("loading")
            await clock.sleep(_LOADING_POLL_S)
        except ProviderError as error:
            if has_begun or not error.retry or not waits:
                raise
            wait = _wait(error, waits.pop(0), chance())
            if wait > LONGEST_WAIT_S or clock.now() + wait > deadline:
                raise _told(error, wait) from None
            if error.kind == "rate_limit":
                limiter.hold(wait)
                wait = limiter.held_s()
            yield Retrying(error.kind, error.message, wait)
            await clock.sleep(wait)
        else:
            return


def _wait(error: ProviderError, usual: float, chance: float) -> float:
    if error.retry_after_s is not None:
        return error.retry_after_s
    return usual * (1 + _JITTER * chance)


def _told(error: ProviderError, wait: float) -> ProviderError:
    if error.retry_after_s is None:
        return error
    hint = f"the server asks to wait {wait:.0f} s; try again then, or use another endpoint"
    return ProviderError(error.kind, error.message, hint, retry_after_s=error.retry_after_s)
