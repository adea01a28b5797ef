"""What a server's refusal means: the kind of failure, words for it, and what to do.

All texts for people about servers stand here.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from moa_tui.errors import TRY_AGAIN, FailureKind, ProviderError
from moa_tui.text import secret_headers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from moa_tui.engine.provider import Endpoint
    from moa_tui.text import Secret

_CONTEXT = re.compile(
    r"context_length_exceeded|exceed_context_size_error|maximum context length"
    r"|exceeds? (?:the )?(?:available )?context|context size has been exceeded|too many tokens"
    r"|prompt is too long|ContextWindowExceeded|input length exceeds|reduce the length",
    re.IGNORECASE,
)
_WINDOW = re.compile(
    r'"n_ctx": ?([0-9]{2,9})\b|maximum context length (?:is|of) ([0-9,]{2,12})\b'
    r"|([0-9,]{2,12}) (?:maximum|token limit)|must be <= ?([0-9,]{2,12})\b"
    r"|exceed context limit: [0-9]+ \+ [0-9]+ > ([0-9]{2,9})\b"
    r"|context size \(([0-9]{2,9}) tokens\)",
    re.IGNORECASE,
)
_QUOTA = re.compile(
    r"insufficient_quota|exceeded your current quota|billing|credit|tokens per day|\bTPD\b",
    re.IGNORECASE,
)
_NO_CREDIT = re.compile(
    r"credit balance is too low|reached your specified (?:API |workspace )?(?:API )?usage limits",
    re.IGNORECASE,
)
_OVERFLOW = re.compile(
    r"\b([0-9]{1,9})(?: \+ ([0-9]{1,9}))?(?: tokens)? > ([0-9]{1,9})\b(?: maximum|, decrease)"
)
"""How Anthropic counts what doesn't fit: "9 tokens > 8 maximum", "7 + 2 > 8, decrease …"."""

_UPSTREAM_AUTH = re.compile(
    r"upstream_auth_error|not authenticate with the upstream", re.IGNORECASE
)
_LOADING = re.compile(r"loading model|model is loading|currently loading", re.IGNORECASE)
_NO_MODEL = re.compile(
    r"model_not_found|model .{0,200}(?:not found|does not exist|not exist)", re.IGNORECASE
)
_UNFIT = re.compile(
    r"(?:unexpected|unknown|unsupported|unrecogni[sz]ed|invalid|no such) ?_?"
    r"(?:end ?point|path|route|url|method|model|param|argument|field|value|request|role|api|key)"
    r"|invalid_|not (?:be )?(?:found|supported|allowed|loaded|permitted)|no models? (?:is )?loaded"
    r"|(?:does not|doesn't|not) exist|_not_found|method not"
    r"|(?:authentication|permission|billing|not_found)_error|request_too_large",
    re.IGNORECASE,
)
_PASSING = re.compile(
    r"overload|capacity|busy|rate.?limit|too many requests|try again|retry|temporar|unavailable"
    r"|time[d-]?.?out|internal|server_error|upstream|exhausted"
    r"|(?:status|code|error|http)[ :=]{1,3}5[0-9]{2}\b",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"[0-9]{3}")
_NEVER_RETRIED_5XX = (501, 505)
_RETRIED_4XX: Mapping[int, FailureKind] = {
    408: "timeout",
    409: "server",
    425: "server",
    429: "rate_limit",
}
_FINAL_4XX: Mapping[int, FailureKind] = {
    401: "auth",
    402: "quota",
    403: "auth",
    404: "not_found",
    405: "not_found",
    410: "not_found",
}
_STATUS_WORDS: Mapping[int, str] = {
    401: "the key was not accepted (401)",
    402: "payment is due (402)",
    403: "not allowed (403)",
    404: "not found (404)",
    408: "the server gave up waiting (408)",
    413: "the request is too large (413)",
    429: "rate limit (429)",
    500: "the server failed (500)",
    502: "bad gateway (502)",
    503: "the server is not available (503)",
    504: "gateway timeout (504)",
    529: "the server is overloaded (529)",
}
_KEY_WANTED = "it wants a key, and none was sent (401)"
_START_WITH: Mapping[str, str] = {
    "ollama": "start it with `ollama serve`",
    "lmstudio": "start the server in LM Studio's Developer tab, or with `lms server start`",
    "llamacpp": "start it with `llama-server -m MODEL.gguf`",
    "vllm": "start it with `vllm serve MODEL`",
}
_PLAIN_CHARS = 80
_DEEPEST = 5
_MOST_TOKENS = 10**9


class ModelLoading(ProviderError):  # noqa: N818 - a phase, told as one
    """The server is there and reads the model from disk: a phase, not a failure."""


class NobodyListens(ProviderError):  # noqa: N818 - what was found out, told as words
    """No server is running there."""


def words_in(body: bytes) -> str:
    """Return the message in an error body of any known shape, "" for a web page."""
    text = body.decode("utf-8", "replace").lstrip("\ufeff").strip()
    if text.startswith("<"):
        return ""
    try:
        return words_of(json.loads(text)) or text[:_PLAIN_CHARS]
    except (ValueError, RecursionError):
        return text[:_PLAIN_CHARS]


def words_of(error: object, depth: int = _DEEPEST) -> str:
    """Return the message in a decoded error of any known shape, "" if it has none."""
    if isinstance(error, str):
        return error
    if not depth:
        return ""
    if isinstance(error, list):
        return "; ".join(filter(None, (words_of(item, depth - 1) for item in error[:3])))
    if not isinstance(error, dict):
        return ""
    for key in ("error", "message", "detail", "msg", "error_msg", "code", "type"):
        found = words_of(error.get(key), depth - 1)
        if found:
            return found
    return ""


def complaint_in(body: bytes) -> str:
    """Return what a refused request's body complains about: its words and the parameter's name.

    Only these, since some servers send the whole request back in it.
    """
    try:
        error = json.loads(body)
    except (ValueError, RecursionError):
        return words_in(body)
    inner = error.get("error", error) if isinstance(error, dict) else error
    param = inner.get("param") if isinstance(inner, dict) else None
    return f"{words_of(error)} {param if isinstance(param, str) else ''}"


def is_error(frame: Mapping[str, object]) -> bool:
    """Return whether a decoded frame or body is an error report."""
    groq = frame.get("x_groq")
    return bool(
        frame.get("error")
        or frame.get("object") == "error"
        or (isinstance(groq, dict) and groq.get("error"))
        or (frame.get("detail") and "choices" not in frame)
    )


def error_in_stream(frame: object) -> ProviderError:
    """Return what an error frame inside an answer with status 200 says.

    A numeric code says whether it may pass, as the same HTTP status would. Without one the words
    do: those that find fault with the request itself, and don't speak of a passing trouble as
    well, will be the same next time; any others may not.
    """
    inner: object = frame
    if isinstance(inner, dict):
        groq = inner.get("x_groq")
        inner = inner.get("error") or (groq.get("error") if isinstance(groq, dict) else None)
    inner = inner or frame
    code = _code_of(inner) or _code_of(frame)
    message = words_of(inner) or "the server reported an error"
    said = f"{message} {_labels_of(inner)}"
    is_unfit = _UNFIT.search(said) is not None and not _PASSING.search(said)
    retry = _may_pass(code) if code else not is_unfit
    hint = TRY_AGAIN
    if not retry:
        hint = "choose another model or endpoint"
        hint += ", or check base_url" if is_unfit else ""
    return ProviderError("midstream", message, hint, retry=retry)


def of_status(
    endpoint: Endpoint,
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    *,
    had_key: bool = True,
) -> ProviderError:
    """Return what an answer with a status other than 2xx means.

    ``had_key``: there was a key to send, though `sends_no_key` may have kept it here. The words
    aren't clean yet, and a hint may say MODEL for the model that was asked for.
    """
    said = words_in(body)
    whole = f"{said} {body[:4096].decode('utf-8', 'replace')}"
    if 300 <= status < 400:  # noqa: PLR2004 - the redirects
        return _redirected(endpoint, headers.get("location", ""))
    if status == 503 and _LOADING.search(whole):  # noqa: PLR2004 - llama.cpp's "Loading model"
        return ModelLoading(
            "server", f"{_name(endpoint)}: {said}", "raise first_token_s", retry=True
        )
    kind, retry = _kind_of(status, whole)
    retry = {"true": True, "false": False}.get(headers.get("x-should-retry", ""), retry)
    what = _STATUS_WORDS.get(status, f"status {status}")
    if status == 401 and (not had_key or sends_no_key(endpoint)):  # noqa: PLR2004 - who are you
        what = _KEY_WANTED
    window = 0
    if kind == "context":
        what = _overflow_words(body, said) or "the prompt does not fit the model's context"
        window = _window_in(whole)
    message = f"{_name(endpoint)}: {what}" + (f": {said}" if said else "")
    hint = _hint(endpoint, kind, status, had_key=had_key)
    return ProviderError(kind, message, hint, retry=retry, window=window)


def refused(endpoint: Endpoint) -> NobodyListens:
    """Return the words for a port where nobody listens."""
    hint = _START_WITH.get(endpoint.name) or _START_WITH.get(endpoint.kind, "")
    return NobodyListens(
        "connect",
        f"nothing listens at {where(endpoint)}",
        hint or "start the server, or check base_url",
    )


def where(endpoint: Endpoint) -> str:
    """Return host:port of an endpoint, as people write it."""
    return urlsplit(endpoint.base_url).netloc.rpartition("@")[2] or endpoint.base_url


def _kind_of(status: int, text: str) -> tuple[FailureKind, bool]:
    if status in (400, 413, 422, 500) and _CONTEXT.search(text):
        return "context", False
    if status == 429 and _QUOTA.search(text):  # noqa: PLR2004 - the rate limit's status
        return "quota", False
    if status == 400 and _NO_CREDIT.search(text):  # noqa: PLR2004 - Anthropic's way to say it
        return "quota", False
    if status == 400 and _NO_MODEL.search(text):  # noqa: PLR2004 - a bad request
        return "not_found", False
    if status in _RETRIED_4XX:
        return _RETRIED_4XX[status], True
    if status == 502 and _UPSTREAM_AUTH.search(text):  # noqa: PLR2004 - a bad gateway
        return "auth", False
    if status >= 500:  # noqa: PLR2004 - the server's own failures
        return "server", status not in _NEVER_RETRIED_5XX
    return _FINAL_4XX.get(status, "invalid"), False


def _hint(endpoint: Endpoint, kind: FailureKind, status: int, *, had_key: bool) -> str:
    if kind in ("auth", "invalid", "not_found"):
        withheld = ", ".join(withheld_headers(endpoint))
        if withheld:
            return f"not sent: {withheld}; what may be a key goes over https only"
    if kind == "auth":
        return _auth_hint(endpoint, status, had_key=had_key)
    if kind == "not_found" and endpoint.kind == "ollama":
        return "pull it with `ollama pull MODEL`, or choose one of `moa-tui models`"
    if kind == "not_found":
        return "choose one of `moa-tui models`, or check base_url"
    if kind == "context":
        return "shorten the prompt, use fewer proposers, or a model with a larger context"
    if kind == "quota":
        return f"add credit or wait: {endpoint.key_page}" if endpoint.key_page else "add credit"
    if kind in ("rate_limit", "server", "timeout"):
        return "try again later, or use another endpoint"
    if status == 413:  # noqa: PLR2004 - too large
        return "shorten the prompt"
    return "check the model's options, or take another model"


def _auth_hint(endpoint: Endpoint, status: int, *, had_key: bool) -> str:
    if status == 502:  # noqa: PLR2004 - the gateway took the key, its provider not the gateway's
        return "check the key that the gateway has for the model's provider"
    if status == 403:  # noqa: PLR2004 - the key was read, but not enough
        return "the key may not use this model, or the prompt was refused"
    if not endpoint.api_key_env:
        return f"set api_key_env for the endpoint {endpoint.name}"
    if sends_no_key(endpoint):
        return "the key was not sent: it goes over https only; set base_url to https"
    page = f"; keys are made at {endpoint.key_page}" if endpoint.key_page else ""
    if not had_key:
        return f"set ${endpoint.api_key_env} to it{page}"
    return f"check ${endpoint.api_key_env}{page}"


def sends_no_key(endpoint: Endpoint) -> bool:
    """Whether a key would travel in the clear, so that none is sent."""
    return urlsplit(endpoint.base_url).scheme != "https" and not endpoint.is_local


def withheld_headers(endpoint: Endpoint) -> dict[str, Secret]:
    """Return the user's headers that may hold a key, where a key would travel in the clear."""
    return secret_headers(endpoint.headers) if sends_no_key(endpoint) else {}


def _redirected(endpoint: Endpoint, location: str) -> ProviderError:
    host = urlsplit(location).netloc.rpartition("@")[2] or where(endpoint)
    return ProviderError(
        "protocol",
        f"{_name(endpoint)} redirects to {host}; redirects are not followed",
        "set base_url to the address that answers itself",
    )


def _overflow_words(body: bytes, said: str) -> str:
    if counted := _OVERFLOW.search(said):
        needed, window = int(counted[1]) + int(counted[2] or 0), int(counted[3])
    else:
        try:
            error = json.loads(body)["error"]
            needed, window = int(error["n_prompt_tokens"]), int(error["n_ctx"])
        except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
            return ""
    if not 0 <= window <= needed < _MOST_TOKENS:
        return ""
    return f"{needed} of {window} tokens of context"


def _window_in(text: str) -> int:
    """Return how many tokens a model takes by the words of its refusal, 0 where they don't say."""
    found = _WINDOW.search(text)
    digits = next(filter(None, found.groups()), "") if found else ""
    window = int(digits.replace(",", "") or 0)
    return window if window < _MOST_TOKENS else 0


def _code_of(error: object) -> int | None:
    if not isinstance(error, dict):
        return None
    for key in ("status_code", "code", "status"):
        value = error.get(key)
        if isinstance(value, int | str) and _NUMBER.fullmatch(str(value)):
            return int(value)
    return None


def _labels_of(error: object) -> str:
    """Return the words by which an error names its own sort."""
    if not isinstance(error, dict):
        return ""
    labels = (error.get(key) for key in ("type", "code", "status"))
    return " ".join(label for label in labels if isinstance(label, str))


def _may_pass(code: int) -> bool:
    return code in _RETRIED_4XX or (code >= 500 and code not in _NEVER_RETRIED_5XX)  # noqa: PLR2004


def _name(endpoint: Endpoint) -> str:
    return endpoint.label or endpoint.name
