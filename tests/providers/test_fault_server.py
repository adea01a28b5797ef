"""Every fault that a model server may have, played over sockets in both dialects, in virtual time.

``python -m pytest tests/providers/test_fault_server.py`` prints what was seen of each as a table.
"""

from __future__ import annotations

import asyncio
import tracemalloc
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
import virtual_time
from calls import KEY, Told, endpoint, hear
from fault_scenarios import (
    BIDI,
    BURST,
    HOSTILE,
    MARKUP,
    NOT_IN,
    PARAGRAPH,
    SCENARIOS,
    SEPARATED,
    WHOLE,
    WIDE,
)
from fault_server import Call, FaultServer, serving

from moa_tui.engine.clock import AsyncioClock
from moa_tui.engine.provider import ChatRequest, Finish, Message, Note, Retrying, Text
from moa_tui.providers.answer import MAX_ANSWER
from moa_tui.providers.limits import Limiter
from moa_tui.providers.ollama import OllamaProvider
from moa_tui.providers.openai import OpenAIProvider
from moa_tui.text import clean

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from moa_tui.engine.provider import Kind

PROVIDERS: Mapping[Kind, type[OpenAIProvider | OllamaProvider]] = {
    "openai": OpenAIProvider,
    "ollama": OllamaProvider,
}
FIRST_TOKEN_S, IDLE_S = 30.0, 60.0
MOST_MEMORY = 24 << 20
"""Bytes that a call may need at its peak, the server's own included."""

STOPPED_AT_S = 2.5
_LATER_S = 1000.0


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What came of a call: its finish reason or kind of failure, its text, and what was sent when.

    ``at`` are the times of the requests, ``tries`` those that were told as failed, ``hung_up``
    whether the client closed the last connection before the server had ended its answer.
    """

    ends: str
    text: str = ""
    at: tuple[float, ...] = (0.0,)
    tries: int = 0
    hung_up: bool = False

    def __str__(self) -> str:
        parts = [self.ends]
        if len(self.at) > 1:
            parts.append(f"{len(self.at)} requests in {self.at[-1]:g} s")
        parts += [f"{len(self.text):,} characters"] if self.text else []
        return ", ".join([*parts, *(["hung up"] if self.hung_up else [])])


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What must be seen, and words that the failure or a note must have."""

    seen: Seen
    words: str = ""


def sees(
    ends: str,
    text: str = "",
    words: str = "",
    *,
    at: tuple[float, ...] = (0.0,),
    tries: int | None = None,
    hung_up: bool = False,
) -> Expected:
    told = len(at) - 1 if tries is None else tries
    return Expected(
        seen=Seen(ends=ends, text=text, at=at, tries=told, hung_up=hung_up), words=words
    )


def answers(text: str = WHOLE, *, at: tuple[float, ...] = (0.0,)) -> Expected:
    return sees("stop", text, at=at)


USUAL = (0.0, 1.0, 3.0, 7.0, 15.0, 31.0, 63.0)
AFTER_LIMITS = (0.0, 31.0, 63.0, 97.0, 135.0, 181.0, 243.0)
ALL = PARAGRAPH * (MAX_ANSWER // len(PARAGRAPH) + 1)
REPEATED = "again and again, " * (MAX_ANSWER // 17 + 1)
REDIRECTED = sees("protocol", words="redirects are not followed")
CUT_AT = "the answer passed 1 MiB and was stopped"

EXPECTED: Mapping[str, Expected] = {
    "drop-after-3": sees("cut", "abc", "acme closed the connection | try again"),
    "truncated-chunked": sees("cut", "Hel", "acme cut the connection | try again"),
    "content-length-short": sees("cut", "Hel", "acme cut the connection | try again"),
    "early-close-no-finish": sees("truncated", "Hel", "stopped before its end | try again"),
    "orderly-end-no-finish": sees("truncated", "Hel", "stopped before its end | try again"),
    "close-no-response": answers(at=(0.0, 1.0)),
    "reset-no-response": answers(at=(0.0, 1.0)),
    "close-no-response-ever": sees("cut", "", "acme closed the connection", at=USUAL),
    "stale-keepalive": sees("stop", WHOLE, at=(0.0, 0.0, 0.0), tries=0),
    "hang-before-headers": sees(
        "timeout", "", "no token within 30 s | raise first_token_s", at=AFTER_LIMITS, hung_up=True
    ),
    "hang-midstream": sees("timeout", "Hel", "nothing new for 60 s | raise idle_s", hung_up=True),
    "hang-pings": sees("timeout", "Hel", "nothing new for 60 s", hung_up=True),
    "slow-loris": sees("timeout", "Hel", "nothing new for 60 s", hung_up=True),
    "slow-loris-head": sees("timeout", "", "no token within 30 s", at=AFTER_LIMITS, hung_up=True),
    "hang-after-finish": sees("stop", WHOLE, hung_up=True),
    "hang-after-done": sees("stop", WHOLE, hung_up=True),
    "no-done": answers(),
    "done-no-finish": answers(),
    "done-no-finish/ollama": sees("truncated", WHOLE, "model runner stopped before the end"),
    "unterminated-last": answers(),
    "error-after-finish": sees("stop", WHOLE, "too late", hung_up=True),
    "429-then-ok": answers(at=(0.0, 2.0)),
    "429-ms": answers(at=(0.0, 1.5)),
    "429-date": answers(at=(0.0, 3.0)),
    "429-long": sees("rate_limit", words="the server asks to wait 3600 s"),
    "429-bad-header": answers(at=USUAL[:5]),
    "429-quota": sees(
        "quota", words="exceeded your current quota, insufficient_quota | add credit"
    ),
    "429-ever": sees(
        "rate_limit",
        "",
        "Rate limit reached | try again later",
        at=(0.0, 2.0, 4.0, 6.0, 8.0, 10.0, 12.0),
    ),
    "500-x3": answers(at=USUAL[:4]),
    "500-ever": sees("server", "", "the server failed (500): oh | try again later", at=USUAL),
    "503-loading-x3": sees("stop", WHOLE, at=(0.0, 1.0, 2.0, 3.0), tries=0),
    "503-loading-ever": sees(
        "server", "", "Loading model | raise first_token_s", at=tuple(range(31)), tries=0
    ),
    "503-busy": answers(at=(0.0, 1.0)),
    "529-x2": answers(at=USUAL[:3]),
    "500-should-not-retry": sees("server", words="the server failed (500): oh"),
    "401": sees(
        "auth", words="acme: the key was not accepted (401): who are you | check $ACME_KEY"
    ),
    "401-echo-key": sees("auth", words="Incorrect API key provided: •••. | check $ACME_KEY"),
    "402": sees("quota", words="payment is due (402): Insufficient credits | add credit"),
    "403-moderation": sees("auth", words="not allowed (403): Your input was flagged"),
    "404-model": sees("not_found", words="choose one of `moa-tui models`"),
    "404-model/ollama": sees(
        "not_found",
        words="pull it with `ollama pull 404-model`, or choose one of `moa-tui models`; "
        'did you mean "404-models"?',
    ),
    "context-length": sees(
        "context", words="the prompt does not fit the model's context: the input length exceeds"
    ),
    "context-length-llamacpp": sees(
        "context", words="9000 of 4096 tokens of context: the request exceeds | shorten the prompt"
    ),
    "413": sees("invalid", words="the request is too large (413)"),
    "422-detail": sees("invalid", words="status 422: field required"),
    "html-502": sees(
        "server", "", "acme: bad gateway (502) | try again later, or use another", at=USUAL
    ),
    "html-200": sees("protocol", words="a web page came instead of an answer | check base_url"),
    "invalid-json-200": sees("protocol", words="not JSON"),
    "204": sees("truncated", words="the answer stopped before its first word | try again"),
    "empty": sees("truncated", words="the answer stopped before its first word | try again"),
    "not-http": sees("protocol", words="acme does not speak HTTP | check base_url"),
    "empty-done": sees("empty", words="the model said nothing"),
    "empty-answer": sees("empty", words="the model said nothing"),
    "whitespace": sees("empty", " \n\t", "the model said nothing"),
    "usage-only": sees("empty", words="the model said nothing"),
    "reasoning-only": sees("empty", words="the model only thought"),
    "think-unclosed": sees("empty", words="the model only thought"),
    "tool-calls": sees("empty", words="called a tool instead"),
    "refusal": sees("empty", words="the model refused: I can't."),
    "all-length": sees("empty", words="all tokens went into thinking | raise max_tokens"),
    "midstream-error": sees("midstream", "Hel", "GPU on fire | try again"),
    "midstream-error-string": sees("midstream", "Hel", "GPU on fire"),
    "midstream-error-event": sees("midstream", "Hel", "GPU on fire"),
    "midstream-error-prefix": sees("midstream", "Hel", "GPU on fire", hung_up=True),
    "midstream-error-choice": sees("midstream", "Hel", "GPU on fire"),
    "first-chunk-error": answers(at=(0.0, 1.0)),
    "malformed-json": sees("protocol", "Hel", "that is not JSON", hung_up=True),
    "wrong-shape": sees("protocol", "Hel", "of an unknown shape", hung_up=True),
    **dict.fromkeys(("split-utf8", "one-byte", "odd-chunks"), answers(WIDE)),
    **dict.fromkeys(("crlf", "cr", "bom", "no-space", "multiline-data", "comments"), answers()),
    **dict.fromkeys(("choice-index", "http10", "close-delimited", "gzip"), answers()),
    **dict.fromkeys(("nonstream-json", "wrong-content-type", "header-flood"), answers()),
    "line-separators": answers(clean(SEPARATED)),
    "split-surrogate": answers("\N{GRINNING FACE} ok"),
    "lone-surrogate": answers("a \ufffd b \ufffd c"),
    "invalid-utf8": answers("Hello th\ufffd\ufffdre, all of you."),
    "huge-line": sees("truncated", "Hel", "more than 1 MiB as one", hung_up=True),
    "burst": answers("".join(f"{number} " for number in range(BURST))),
    "endless": sees("truncated", ALL[:MAX_ANSWER], CUT_AT, hung_up=True),
    "endless-thinking": sees("truncated", "", CUT_AT, hung_up=True),
    "endless-line": sees("truncated", "Hel", "more than 1 MiB as one", hung_up=True),
    "gzip-bomb": sees("truncated", words="the compressed answer is too large"),
    "header-huge": sees("protocol", words="acme sent headers without an end"),
    "repeat": sees("truncated", REPEATED[:MAX_ANSWER], CUT_AT, hung_up=True),
    "endless-error": sees("server", "", "the server failed (500): oh xxx", at=USUAL, hung_up=True),
    "ansi-escape": answers(clean(HOSTILE)),
    "ansi-escape-in-error": sees("invalid", words=clean(HOSTILE)),
    "rich-markup": answers(MARKUP),
    "rtl-zwj": answers(clean(BIDI)),
    **{name: REDIRECTED for name in SCENARIOS if name.startswith("redirect-")},
    "finish-length": sees("length", WHOLE),
    "finish-model_length": sees("length", WHOLE),
    "finish-content_filter": sees("content_filter", WHOLE),
    "finish-eos": answers(),
    "finish-error": sees("midstream", WHOLE, "the server stopped with an error"),
    "finish-insufficient_system_resource": sees("midstream", WHOLE, "ran out of resources"),
    "finish-abort": sees("midstream", WHOLE, "the server aborted the answer"),
    "finish-load": sees("empty", WHOLE, "Ollama only did a model load"),
    "finish-unload": sees("empty", WHOLE, "Ollama only did a model unload"),
}

ENDLESS = ("huge-line", "endless", "endless-line", "endless-error", "gzip-bomb", "header-huge")
CASES = [(name, kind) for name in SCENARIOS for kind in PROVIDERS if (name, kind) not in NOT_IN]


@dataclass(frozen=True)
class Played:
    """A scenario that was played: what the client told, and what the server saw."""

    told: Told
    calls: Sequence[Call]
    arrivals: int
    memory: int = field(default=0, kw_only=True)

    @property
    def seen(self) -> Seen:
        deltas, calls = self.told.deltas, self.calls
        reasons = [delta.reason for delta in deltas if isinstance(delta, Finish)]
        return Seen(
            ends=self.told.kind or "".join(reasons),
            text="".join(delta.text for delta in deltas if isinstance(delta, Text)),
            at=tuple(round(call.t - calls[0].t, 3) for call in calls),
            tries=sum(isinstance(delta, Retrying) for delta in deltas),
            hung_up=calls[-1].hung_up_t is not None,
        )

    @property
    def words(self) -> str:
        notes = [delta.message for delta in self.told.deltas if isinstance(delta, Note)]
        return " ".join([*notes, self.told.words])


def asking(name: str) -> ChatRequest:
    return ChatRequest(name, (Message("user", "hi"),))


def connected(server: FaultServer, kind: Kind) -> OpenAIProvider | OllamaProvider:
    address = endpoint(
        kind=kind,
        base_url=server.base_url,
        api_key_env="ACME_KEY",
        first_token_s=FIRST_TOKEN_S,
        idle_s=IDLE_S,
    )
    clock = AsyncioClock()
    limiter = Limiter(clock=clock)
    return PROVIDERS[kind](address, KEY, clock=clock, limiter=limiter, chance=lambda: 0.0)


async def play(name: str, kind: Kind) -> Played:
    async with serving(kind) as server:
        provider = connected(server, kind)
        asks = 2 if name == "stale-keepalive" else 1
        for _ in range(asks):
            told = await hear(provider, asking(name))
        # Before the provider closes what it has: a client that only forgets keeps these waiting.
        async with asyncio.timeout(_LATER_S):
            for call in server.calls:
                await call.is_over.wait()
        await provider.aclose()
    return Played(told, server.calls, server.arrivals)


def played(name: str, kind: Kind) -> Played:
    return virtual_time.run(play(name, kind))


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_a_fault_ends_as_it_must(
    name: str, kind: Kind, record_property: Callable[[str, object], None]
) -> None:
    record_property("fault", [name, kind, "no end"])
    case = played(name, kind)
    record_property("fault", [name, kind, str(case.seen)])

    expected = EXPECTED.get(f"{name}/{kind}") or EXPECTED[name]
    assert case.seen == expected.seen
    assert expected.words in case.words
    assert case.told.error is None or case.told.error.hint
    assert case.arrivals == 0
    assert_key_is_kept(case)


def assert_key_is_kept(case: Played) -> None:
    """The key is in one header of each request, and in nothing that was told."""
    key = KEY.reveal()
    for call in case.calls:
        assert call.head.count(f"\r\nAuthorization: Bearer {key}\r\n") == 1
        assert (call.head + call.body.decode()).count(key) == 1
    assert key not in case.words + repr(case.told.deltas)


@pytest.mark.parametrize(("name", "kind"), [case for case in CASES if case[0] in ENDLESS])
def test_memory_stays_bounded(name: str, kind: Kind) -> None:
    tracemalloc.start()
    try:
        played(name, kind)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < MOST_MEMORY


@pytest.mark.parametrize("kind", PROVIDERS)
def test_a_time_limit_closes_the_connection_when_it_passes(kind: Kind) -> None:
    hung_up = {name: [call.hung_up_t for call in played(name, kind).calls] for name in LIMITS}

    assert hung_up == LIMITS


LIMITS = {
    "hang-before-headers": [t + FIRST_TOKEN_S for t in AFTER_LIMITS],
    "slow-loris-head": [t + FIRST_TOKEN_S for t in AFTER_LIMITS],
    "hang-midstream": [IDLE_S],
    "hang-pings": [IDLE_S],
    "slow-loris": [IDLE_S],
}


@pytest.mark.parametrize("kind", PROVIDERS)
@pytest.mark.parametrize(
    "name", ["hang-before-headers", "hang-midstream", "hang-pings", "slow-loris", "slow-loris-head"]
)
def test_a_stopped_call_closes_its_connection_at_once(name: str, kind: Kind) -> None:
    (call,) = virtual_time.run(stopped(name, kind))

    assert call.hung_up_t == STOPPED_AT_S


@pytest.mark.parametrize("kind", PROVIDERS)
def test_a_call_that_is_stopped_between_two_tries_makes_no_more(kind: Kind) -> None:
    calls = virtual_time.run(stopped("500-ever", kind))

    assert [call.t for call in calls] == [0.0, 1.0]


async def stopped(name: str, kind: Kind) -> list[Call]:
    """Stop a call, and return what the server had seen a long time later."""
    async with serving(kind) as server:
        provider = connected(server, kind)
        call = asyncio.create_task(hear(provider, asking(name)))
        await asyncio.sleep(STOPPED_AT_S)
        call.cancel()
        await asyncio.wait([call])
        await asyncio.sleep(_LATER_S)
        await provider.aclose()
    return server.calls


def test_every_scenario_is_judged_in_both_dialects_or_says_why_not() -> None:
    judged = {name.partition("/")[0] for name in EXPECTED}

    assert judged == set(SCENARIOS)
    assert {name for name, _ in NOT_IN} <= judged
    assert all(NOT_IN.values())
