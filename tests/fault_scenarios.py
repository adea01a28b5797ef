"""What a failing model server does, scenario by scenario, in both dialects.

A scenario is a function from a dialect to its replies, one for each request, the last one again and
again. Where a dialect knows no such fault, `NOT_IN` says why.
"""

from __future__ import annotations

import gzip
import itertools
import json
import zlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

from calls import KEY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

Step: TypeAlias = bytes | float
"""Bytes to send, or seconds to wait."""

End: TypeAlias = Literal["whole", "close", "cut", "reset", "hang"]
Framing: TypeAlias = Literal["chunked", "length", "short", "close", "http10", "raw"]

WHOLE = "Hello there, all of you."
WIDE = "Grüße, 世界! \N{WAVING HAND SIGN}\N{EMOJI MODIFIER FITZPATRICK TYPE-4} done"
SEPARATED = "a\u2028b\u0085c\x0bd\x0ce\x1cf"
HOSTILE = "red \x1b[31m \x1b]52;c;aGk=\x07 \x9b2J end"
MARKUP = "[@click=app.quit]x[/b] [link=file:///etc/passwd]y[/]"
BIDI = "\N{FAMILY}\u200d\N{WOMAN} \u202eabc\u2066 \u0645\u0631\u062d\u0628\u0627 z" + "\u0301" * 6
PARAGRAPH = "It says the same thing again and again. " * 25
BURST = 5_000
_GZIP = 31  # zlib's own number for gzip


@dataclass(frozen=True, kw_only=True)
class Reply:
    """One answer to one request: what is sent in which framing, and how the connection ends.

    ``end``: *whole* leaves the connection open for the next request, *close* ends the body in order
    and closes, *cut* closes wherever it is, *reset* breaks off, *hang* sends nothing more until the
    client goes away. With the framing *raw* the body is everything, status line included.
    ``is_for_reused`` means only for a connection that was used before: others get the first reply.
    """

    body: Iterable[Step] = ()
    status: int = 200
    headers: Sequence[tuple[str, str]] = ()
    framing: Framing = "chunked"
    end: End = "whole"
    is_for_reused: bool = False


class Dialect(Protocol):
    """The frames of a protocol."""

    name: str
    blank: bytes
    """What keeps a connection alive and says nothing."""

    def say(self, text: str) -> bytes: ...
    def think(self, text: str) -> bytes: ...
    def frame(self, data: object) -> bytes: ...
    def stop(self, reason: str | None = "stop") -> bytes: ...
    def done(self) -> bytes: ...
    def error(self, message: str, **more: object) -> bytes: ...
    def json_answer(self, text: str) -> bytes: ...


@dataclass(frozen=True)
class OpenAi:
    """Events of ``/chat/completions``."""

    name = "openai"
    blank = b": OPENROUTER PROCESSING\n\n"

    def say(self, text: str) -> bytes:
        return self._choice({"content": text})

    def think(self, text: str) -> bytes:
        return self._choice({"reasoning_content": text})

    def frame(self, data: object) -> bytes:
        return f"data: {json.dumps(data, ensure_ascii=False)}\n\n".encode("utf-8", "surrogatepass")

    def stop(self, reason: str | None = "stop") -> bytes:
        usage = {"prompt_tokens": 5, "completion_tokens": 2}
        return self._choice({}, reason) + self.frame({"choices": [], "usage": usage})

    def done(self) -> bytes:
        return b"data: [DONE]\n\n"

    def error(self, message: str, **more: object) -> bytes:
        return json.dumps({"error": {"message": message, **more}}).encode()

    def json_answer(self, text: str) -> bytes:
        message = {"role": "assistant", "content": text}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        return json.dumps({"choices": [choice]}, indent=1).encode()

    def _choice(self, delta: object, reason: str | None = None) -> bytes:
        return self.frame({"choices": [{"index": 0, "delta": delta, "finish_reason": reason}]})


@dataclass(frozen=True)
class Ollama:
    """Lines of ``/api/chat``."""

    name = "ollama"
    blank = b"\n"

    def say(self, text: str) -> bytes:
        return self.frame({"message": {"role": "assistant", "content": text}, "done": False})

    def think(self, text: str) -> bytes:
        message = {"role": "assistant", "content": "", "thinking": text}
        return self.frame({"message": message, "done": False})

    def frame(self, data: object) -> bytes:
        return f"{json.dumps(data, ensure_ascii=False)}\n".encode("utf-8", "surrogatepass")

    def stop(self, reason: str | None = "stop") -> bytes:
        counts = {"prompt_eval_count": 5, "eval_count": 2}
        why = {} if reason is None else {"done_reason": reason}
        return self.frame({"message": {"content": ""}, "done": True, **why, **counts})

    def done(self) -> bytes:
        return b""

    def error(self, message: str, **_more: object) -> bytes:
        return json.dumps({"error": message}).encode()

    def json_answer(self, text: str) -> bytes:
        message = {"role": "assistant", "content": text}
        return json.dumps({"message": message, "done": True, "done_reason": "stop"}).encode()


DIALECTS: Mapping[str, Dialect] = {"openai": OpenAi(), "ollama": Ollama()}

Scenario: TypeAlias = "Callable[[Dialect], Sequence[Reply]]"


def answering(d: Dialect, *texts: str, reason: str | None = "stop") -> Reply:
    """A whole answer in these pieces."""
    said = [d.say(text) for text in texts or ("Hello there,", " all", " of you.")]
    return Reply(body=[*said, d.stop(reason) + d.done()])


def bytes_of(reply: Reply) -> bytes:
    return b"".join(step for step in reply.body if isinstance(step, bytes))


def spaced(pieces: Iterable[bytes], gap_s: float = 0.1) -> list[Step]:
    """Put a pause between pieces, so that each arrives alone."""
    return [step for piece in pieces for step in (gap_s, piece)][1:]


def refusing(
    status: int, body: bytes, *headers: tuple[str, str], of: str = "application/json"
) -> Reply:
    """A status with a body."""
    named = (("Content-Type", of), *headers)
    return Reply(status=status, body=[body], headers=named, framing="length")


def always(reply: Callable[[Dialect], Reply]) -> Scenario:
    return lambda d: [reply(d)]


def saying(*texts: str, framing: Framing = "chunked", end: End) -> Scenario:
    """Say texts, each arriving alone, and then end as told, without a finish."""
    return lambda d: [
        Reply(body=[*spaced(map(d.say, texts)), 0.1], framing=framing, end=end),
    ]


def then_ok(*first: Callable[[Dialect], Reply]) -> Scenario:
    """Fail so often in these ways, then answer."""
    return lambda d: [*(one(d) for one in first), answering(d)]


def nothing(end: End) -> Callable[[Dialect], Reply]:
    """End the connection in place of an answer."""
    return lambda _d: Reply(framing="raw", end=end)


def limited(
    *headers: tuple[str, str], message: str = "Rate limit reached"
) -> Callable[[Dialect], Reply]:
    return lambda d: refusing(429, d.error(message), *headers)


def failing(status: int, message: str, **more: object) -> Callable[[Dialect], Reply]:
    return lambda d: refusing(status, d.error(message, **more))


def frames(*steps: Callable[[Dialect], bytes]) -> Scenario:
    """Send frames, each arriving alone, and end the body in order."""
    return lambda d: [Reply(body=spaced(step(d) for step in steps))]


def said(text: str) -> Callable[[Dialect], bytes]:
    return lambda d: d.say(text)


def thought(text: str) -> Callable[[Dialect], bytes]:
    return lambda d: d.think(text)


def framed(data: object) -> Callable[[Dialect], bytes]:
    return lambda d: d.frame(data)


def plain(data: bytes) -> Callable[[Dialect], bytes]:
    return lambda _d: data


def ended(reason: str | None = "stop") -> Callable[[Dialect], bytes]:
    return lambda d: d.stop(reason) + d.done()


def error_frame(message: str) -> Callable[[Dialect], bytes]:
    """An error as a frame of the stream."""
    return lambda d: d.frame(json.loads(d.error(message)))


def reframed(change: Callable[[bytes], bytes], text: str = WHOLE) -> Scenario:
    """A whole answer with its bytes changed."""
    return lambda d: [Reply(body=[change(bytes_of(answering(d, text)))])]


def cut_into(size: int, text: str = WIDE) -> Scenario:
    """A whole answer, so many bytes at a time."""

    def scenario(d: Dialect) -> Sequence[Reply]:
        data = bytes_of(answering(d, *text))
        return [Reply(body=[data[at : at + size] for at in range(0, len(data), size)])]

    return scenario


def endless(piece: Callable[[Dialect], bytes], *before: Callable[[Dialect], bytes]) -> Scenario:
    return lambda d: [
        Reply(body=itertools.chain((step(d) for step in before), itertools.repeat(piece(d))))
    ]


def half_a_chunk(d: Dialect) -> Sequence[Reply]:
    """Announce more bytes of a chunk than are sent."""
    said = d.say("Hel")
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunk = b"%x\r\n%s" % (len(said) + 100, said)
    return [Reply(body=[head + chunk, 0.1], framing="raw", end="cut")]


def dribbling(d: Dialect) -> Sequence[Reply]:
    rest = spaced((bytes([byte]) for byte in d.say("never whole" * 50)), 10.0)
    return [Reply(body=[d.say("Hel"), 1.0, *rest], end="hang")]


def dribbling_head(_d: Dialect) -> Sequence[Reply]:
    head = b"HTTP/1.1 200 OK\r\n" + b"x-slow: yes\r\n" * 100
    return [Reply(body=spaced((bytes([byte]) for byte in head), 10.0), framing="raw")]


def split_characters(d: Dialect) -> Sequence[Reply]:
    """Cut inside each character of more than one byte."""
    data, cuts = bytes_of(answering(d, WIDE)), [0]
    cuts += [at for at, byte in enumerate(data) if 0x80 <= byte < 0xC0]
    return [Reply(body=spaced(data[a:b] for a, b in itertools.pairwise([*cuts, len(data)])))]


def odd_chunks(d: Dialect) -> Sequence[Reply]:
    """Chunks that end anywhere, with extensions and a trailer."""
    data = bytes_of(answering(d, WIDE))
    chunks = [data[at : at + 13] for at in range(0, len(data), 13)]
    wire = b"".join(b"%X;odd=yes\r\n%s\r\n" % (len(each), each) for each in chunks)
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    return [Reply(body=[head + wire + b"0\r\nx-trailer: yes\r\n\r\n"], framing="raw")]


def zipped(d: Dialect) -> Sequence[Reply]:
    data = gzip.compress(bytes_of(answering(d)), mtime=0)
    return [Reply(body=[data[:20], data[20:]], headers=[("Content-Encoding", "gzip")])]


def bomb(d: Dialect) -> Sequence[Reply]:
    line = (b": " * 30_000 if d.name == "openai" else b" " * 60_000) + b"\n"
    folder = zlib.compressobj(wbits=_GZIP)
    data = [folder.compress(line) for _ in range(1200)]
    return [Reply(body=[b"".join(data)], headers=[("Content-Encoding", "gzip")])]


def burst(d: Dialect) -> Sequence[Reply]:
    words = b"".join(d.say(f"{number} ") for number in range(BURST))
    return [Reply(body=[words + d.stop() + d.done()])]


def many_headers(d: Dialect) -> Sequence[Reply]:
    headers = [(f"x-ratelimit-{number}", "6m0s" * 10) for number in range(200)]
    return [replace(answering(d), headers=headers)]


def huge_header(d: Dialect) -> Sequence[Reply]:
    return [replace(answering(d), headers=[("x-huge", "x" * (1 << 20))])]


def redirecting(status: int, scheme: str = "http") -> Callable[[Dialect], Reply]:
    location = ("Location", f"{scheme}://{ELSEWHERE}/v1/chat/completions")
    return lambda _d: refusing(status, b"", location)


def stale(d: Dialect) -> Sequence[Reply]:
    ok = answering(d)
    return [ok, Reply(framing="raw", end="reset", is_for_reused=True), ok]


def finish_then_error(d: Dialect) -> Sequence[Reply]:
    """Finish, and an error behind it."""
    error = json.loads(d.error("too late"))
    return [Reply(body=spaced([d.say(WHOLE), d.stop(), d.frame(error), d.done()]))]


ELSEWHERE = "elsewhere"
"""Where redirects point to, until the server says where that is."""

DATE = ("Date", "Sun, 22 Nov 2026 10:00:00 GMT")
BAD_WAITS = ("soon", "-5", "nan", "inf")
PAGE = b"<!DOCTYPE html><html><title>Bad</title>" + b"<p>page</p>" * 1000
OVERFLOW = {"code": "context_length_exceeded", "type": "invalid_request_error"}
COUNTED = {"code": 400, "type": "exceed_context_size_error", "n_prompt_tokens": 9000, "n_ctx": 4096}
TOO_LONG = "the input length exceeds the context length, reduce the length of the messages"
BUSY = "server busy, please try again.  maximum pending requests exceeded"
TOOL = {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}


def _choice(delta: object, reason: str | None = None, **more: object) -> dict[str, object]:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": reason, **more}]}


def _other_choice(text: str) -> dict[str, object]:
    return {"choices": [{"index": 1, "delta": {"content": text}, "finish_reason": None}]}


def _calling_a_tool(d: Dialect) -> bytes:
    if d.name == "ollama":
        return d.frame({"message": {"content": "", "tool_calls": [TOOL]}, "done": False})
    return d.frame(_choice({"tool_calls": [{"index": 0, **TOOL}]}))


def _escaped(text: str) -> Callable[[Dialect], bytes]:
    """Say a text whose characters are JSON escapes, halves of one too."""
    return lambda d: d.say("@").replace(b"@", text.encode())


def _spread(data: bytes) -> bytes:
    """Write each event's JSON over several data lines."""
    return data.replace(b', "', b',\ndata: "')


CUT: Mapping[str, Scenario] = {
    "drop-after-3": saying("a", "b", "c", end="reset"),
    "truncated-chunked": half_a_chunk,
    "content-length-short": lambda d: [Reply(body=[d.say("Hel")], framing="short", end="cut")],
    "early-close-no-finish": saying("Hel", framing="close", end="cut"),
    "orderly-end-no-finish": saying("Hel", end="close"),
}
NO_RESPONSE: Mapping[str, Scenario] = {
    "close-no-response": then_ok(nothing("cut")),
    "reset-no-response": then_ok(nothing("reset")),
    "close-no-response-ever": always(nothing("cut")),
    "stale-keepalive": stale,
}
HANGING: Mapping[str, Scenario] = {
    "hang-before-headers": always(nothing("hang")),
    "hang-midstream": saying("Hel", end="hang"),
    "hang-pings": lambda d: [
        Reply(body=itertools.chain([d.say("Hel")], itertools.cycle([5.0, d.blank])))
    ],
    "slow-loris": dribbling,
    "slow-loris-head": dribbling_head,
}
LATE_ENDS: Mapping[str, Scenario] = {
    "hang-after-finish": lambda d: [Reply(body=[d.say(WHOLE), 1.0, d.stop()], end="hang")],
    "hang-after-done": lambda d: [replace(answering(d), end="hang")],
    "no-done": lambda d: [Reply(body=[d.say(WHOLE), 1.0, d.stop()])],
    "done-no-finish": lambda d: [Reply(body=[d.say(WHOLE), 1.0, d.done() or d.stop(None)])],
    "unterminated-last": reframed(bytes.rstrip),
    "error-after-finish": finish_then_error,
}
LIMITED: Mapping[str, Scenario] = {
    "429-then-ok": then_ok(limited(("Retry-After", "2"))),
    "429-ms": then_ok(limited(("Retry-After-Ms", "1500"), ("Retry-After", "60"))),
    "429-date": then_ok(limited(DATE, ("Retry-After", "Sun, 22 Nov 2026 10:00:03 GMT"))),
    "429-long": then_ok(limited(("Retry-After", "3600"))),
    "429-bad-header": then_ok(*(limited(("Retry-After", value)) for value in BAD_WAITS)),
    "429-quota": then_ok(limited(message="You exceeded your current quota, insufficient_quota")),
    "429-ever": always(limited(("Retry-After", "2"))),
}
SERVER_FAILS: Mapping[str, Scenario] = {
    "500-x3": then_ok(*[failing(500, "oh")] * 3),
    "500-ever": always(failing(500, "oh")),
    "503-loading-x3": then_ok(
        *[failing(503, "Loading model", code=503, type="unavailable_error")] * 3
    ),
    "503-loading-ever": always(failing(503, "Loading model")),
    "503-busy": then_ok(failing(503, BUSY)),
    "529-x2": then_ok(*[failing(529, "Overloaded")] * 2),
    "500-should-not-retry": then_ok(
        lambda d: refusing(500, d.error("oh"), ("x-should-retry", "false"))
    ),
}
REFUSED: Mapping[str, Scenario] = {
    "401": always(failing(401, "who are you")),
    "401-echo-key": always(failing(401, f"Incorrect API key provided: {KEY.reveal()}.")),
    "402": always(failing(402, "Insufficient credits")),
    "403-moderation": always(failing(403, "Your input was flagged")),
    "404-model": always(failing(404, "model '404-model' not found", code="model_not_found")),
    "context-length": always(failing(400, TOO_LONG, **OVERFLOW)),
    "context-length-llamacpp": always(failing(400, "the request exceeds", **COUNTED)),
    "413": always(failing(413, "Request too large")),
    "422-detail": always(
        lambda _d: refusing(422, b'{"detail":[{"loc":["body"],"msg":"field required"}]}')
    ),
}
NO_ANSWER_AT_ALL: Mapping[str, Scenario] = {
    "html-502": always(lambda _d: refusing(502, PAGE, of="text/html")),
    "html-200": always(lambda _d: refusing(200, PAGE, of="text/html")),
    "invalid-json-200": always(lambda _d: refusing(200, b'{"choices": oops}')),
    "204": always(lambda _d: Reply(status=204, framing="close")),
    "empty": always(lambda _d: refusing(200, b"")),
    "not-http": always(lambda _d: Reply(body=[b"SSH-2.0-OpenSSH\r\n\r\n"], framing="raw")),
}
BLANK: Mapping[str, Scenario] = {
    "empty-done": lambda d: [Reply(body=[d.done() or d.stop()])],
    "empty-answer": frames(said(""), ended()),
    "whitespace": frames(said(" \n"), said("\t"), ended()),
    "usage-only": frames(lambda d: d.stop().partition(b"\n\n")[2], lambda d: d.done()),
    "reasoning-only": frames(thought("hm"), ended()),
    "think-unclosed": frames(said("<think>hm"), said(" so"), ended()),
    "tool-calls": frames(_calling_a_tool, ended("tool_calls")),
    "refusal": frames(framed(_choice({"refusal": "I can't."})), ended()),
    "all-length": frames(thought("hm"), ended("length")),
}
MIDSTREAM: Mapping[str, Scenario] = {
    "midstream-error": frames(said("Hel"), error_frame("GPU on fire")),
    "midstream-error-string": frames(said("Hel"), framed({"error": "GPU on fire"})),
    "midstream-error-event": frames(
        said("Hel"), plain(b'event: error\ndata: {"message": "GPU on fire"}\n\n')
    ),
    "midstream-error-prefix": frames(
        said("Hel"), plain(b'error: {"message": "GPU on fire", "code": 500}\n\n'), ended()
    ),
    "midstream-error-choice": frames(
        said("Hel"), framed(_choice({}, "error", error={"message": "GPU on fire"}))
    ),
    "first-chunk-error": lambda d: [
        Reply(body=[error_frame("upstream is overloaded")(d)]),
        answering(d),
    ],
    "malformed-json": frames(
        said("Hel"), lambda d: d.say("@").replace(b'"@"', b"oops"), said("lo"), ended()
    ),
    "wrong-shape": frames(said("Hel"), framed({"choices": 5, "message": 5}), said("lo"), ended()),
}
FRAMED: Mapping[str, Scenario] = {
    "split-utf8": split_characters,
    "one-byte": cut_into(1),
    "odd-chunks": odd_chunks,
    "crlf": reframed(lambda data: data.replace(b"\n", b"\r\n")),
    "cr": reframed(lambda data: data.replace(b"\n", b"\r")),
    "bom": reframed(lambda data: b"\xef\xbb\xbf" + data),
    "no-space": reframed(lambda data: data.replace(b"data: ", b"data:")),
    "multiline-data": reframed(_spread),
    "comments": lambda d: [Reply(body=[*spaced([d.blank] * 17, 1.0), *answering(d).body])],
    "choice-index": frames(
        framed(_other_choice("no")), said(WHOLE), framed(_other_choice("no")), ended()
    ),
    "line-separators": reframed(bytes, SEPARATED),
    "http10": lambda d: [replace(answering(d), framing="http10", end="cut")],
    "close-delimited": lambda d: [replace(answering(d), framing="close", end="cut")],
    "gzip": zipped,
    "nonstream-json": always(lambda d: refusing(200, d.json_answer(WHOLE))),
    "wrong-content-type": lambda d: [
        replace(answering(d), headers=[("Content-Type", "text/html; charset=latin-1")])
    ],
    "header-flood": many_headers,
    "split-surrogate": frames(_escaped("\\ud83d"), _escaped("\\ude00 ok"), ended()),
    "lone-surrogate": frames(_escaped("a \\ude00 b \\ud83d"), said(" c"), ended()),
    "invalid-utf8": reframed(lambda data: data.replace(b"there", b"th\xff\xfere")),
}
BOUNDED: Mapping[str, Scenario] = {
    "huge-line": frames(said("Hel"), said("x" * (2 << 20)), ended()),
    "burst": burst,
    "endless": endless(said(PARAGRAPH)),
    "endless-thinking": endless(thought(PARAGRAPH)),
    "endless-line": endless(plain(b"x" * 65_536), said("Hel"), plain(b'data: {"a": "')),
    "gzip-bomb": bomb,
    "header-huge": huge_header,
    "repeat": endless(said("again and again, " * 30)),
    "endless-error": always(
        lambda _d: Reply(status=500, body=itertools.repeat(b"oh " + b"x" * 9996))
    ),
}
HOSTILE_TEXT: Mapping[str, Scenario] = {
    "ansi-escape": lambda d: [answering(d, HOSTILE)],
    "ansi-escape-in-error": always(failing(400, HOSTILE)),
    "rich-markup": lambda d: [answering(d, MARKUP)],
    "rtl-zwj": lambda d: [answering(d, BIDI)],
}
REDIRECTS: Mapping[str, Scenario] = {
    **{f"redirect-{status}": always(redirecting(status)) for status in (301, 302, 303, 307, 308)},
    "redirect-https": always(redirecting(307, "https")),
}
FINISHES: Mapping[str, Scenario] = {
    f"finish-{reason}": frames(said(WHOLE), ended(reason))
    for reason in (
        *("length", "model_length", "content_filter", "eos", "error"),
        *("insufficient_system_resource", "abort", "load", "unload"),
    )
}
GROUPS = (
    *(CUT, NO_RESPONSE, HANGING, LATE_ENDS, LIMITED, SERVER_FAILS, REFUSED, NO_ANSWER_AT_ALL),
    *(BLANK, MIDSTREAM, FRAMED, BOUNDED, HOSTILE_TEXT, REDIRECTS, FINISHES),
)
SCENARIOS: Mapping[str, Scenario] = {name: one for group in GROUPS for name, one in group.items()}

_ONE_REASON = "its finish reasons are stop, length, load and unload"
_NO_EVENTS = "NDJSON has lines, no events"
NOT_IN: Mapping[tuple[str, str], str] = {
    ("hang-after-done", "ollama"): "its finish is its end mark: hang-after-finish",
    ("no-done", "ollama"): "its finish is its end mark",
    ("503-loading-x3", "ollama"): "Ollama loads before its headers: hang-before-headers",
    ("503-loading-ever", "ollama"): "Ollama loads before its headers: hang-before-headers",
    ("context-length-llamacpp", "ollama"): "Ollama counts no tokens in its error",
    ("empty-done", "ollama"): "its end mark is its finish: empty-answer",
    ("usage-only", "ollama"): "its counts stand on its finish: empty-answer",
    ("refusal", "ollama"): "it has no field for a refusal",
    ("midstream-error-string", "ollama"): "all its errors are strings: midstream-error",
    ("midstream-error-event", "ollama"): _NO_EVENTS,
    ("midstream-error-prefix", "ollama"): _NO_EVENTS,
    ("midstream-error-choice", "ollama"): "it has no choices",
    ("error-after-finish", "ollama"): "its finish is its end mark: nothing is read behind it",
    ("cr", "ollama"): "only LF ends a line of NDJSON",
    ("no-space", "ollama"): _NO_EVENTS,
    ("multiline-data", "ollama"): _NO_EVENTS,
    ("choice-index", "ollama"): "it has no choices",
    **{
        (f"finish-{reason}", "ollama"): _ONE_REASON
        for reason in (
            *("model_length", "content_filter", "eos", "error"),
            *("insufficient_system_resource", "abort"),
        )
    },
    ("finish-load", "openai"): "only Ollama loads on request",
    ("finish-unload", "openai"): "only Ollama unloads on request",
}
"""What can't happen in a dialect, and why."""


def play(model: str, dialect: Dialect, elsewhere: str) -> Sequence[Reply]:
    """Return the replies of the scenario of this name; a whole answer for any other model."""
    replies = SCENARIOS.get(model, always(answering))(dialect)
    return [
        replace(
            reply,
            headers=[(name, value.replace(ELSEWHERE, elsewhere)) for name, value in reply.headers],
        )
        for reply in replies
    ]
