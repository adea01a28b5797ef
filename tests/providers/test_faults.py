from __future__ import annotations

import asyncio
import gzip
import json
import socket
import ssl

import httpx
import pytest
import virtual_time
from calls import FOREVER, HELLO, KEY, REQUEST, Answering, Server, Step, call, hear, provider, text

from moa_tui.engine.provider import Finish, Note, Phase, Price, Relabel, Text, Usage
from moa_tui.errors import FailureKind, ProviderError
from moa_tui.providers.listing import read_models
from moa_tui.text import Secret

CONNECTING, WAITING = Phase("connecting"), Phase("waiting")


def from_cause(fault: Exception, cause: Exception) -> Exception:
    fault.__cause__ = cause
    return fault


def error_body(message: str, **more: object) -> tuple[bytes]:
    return (json.dumps({"error": {"message": message, **more}}).encode(),)


def test_an_answer_is_told_from_its_first_phase_to_its_finish() -> None:
    told = call(Server(Answering()))

    assert told.deltas == [CONNECTING, WAITING, Text("Hello"), Finish("stop")]
    assert told.error is None


def test_pieces_of_one_read_are_one_delta() -> None:
    body = text("a") + text("b") + text("c") + HELLO

    told = call(Server(Answering(body=[body])))

    assert told.deltas[2:] == [Text("abcHello", 4), Finish("stop")]


def test_text_is_clean_across_pieces() -> None:
    half = b'data: {"choices":[{"delta":{"content":"\\ud83e"}}]}\n\n'

    told = call(Server(Answering(body=[text("a\x1b[31m\u202e") + half, HELLO])))

    assert told.deltas[2:] == [Text("a␛[31m\ufffd\ufffdHello", 3), Finish("stop")]


def test_a_relabel_keeps_its_place() -> None:
    told = call(Server(Answering(body=[text("hm\nso\n"), 1.0, text("</think>\n\n4"), HELLO])))

    assert told.deltas[2:] == [Text("hm\nso"), Relabel(), Text("4Hello", 2), Finish("stop")]


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        (
            from_cause(httpx.ConnectError("x"), ConnectionRefusedError()),
            "connect",
            "nothing listens at 127.0.0.1:9 | start the server, or check base_url",
        ),
        (
            from_cause(httpx.ConnectError("x"), socket.gaierror()),
            "connect",
            "no such host: 127.0.0.1 | check the name in base_url, and the network",
        ),
        (
            from_cause(httpx.ConnectError("x"), ssl.SSLCertVerificationError()),
            "connect",
            (
                "the certificate of 127.0.0.1 is not trusted | check the date of this machine, "
                "SSL_CERT_FILE, and who answers there"
            ),
        ),
        (
            from_cause(httpx.ConnectError("x"), ssl.SSLError()),
            "connect",
            "no TLS with 127.0.0.1:9 | check whether base_url should begin with http://",
        ),
        (
            httpx.ProxyError("403 Forbidden"),
            "connect",
            (
                "the proxy failed: 403 Forbidden | "
                "check HTTPS_PROXY, HTTP_PROXY and ALL_PROXY, or add the host to NO_PROXY"
            ),
        ),
        (
            httpx.UnsupportedProtocol("no http://"),
            "invalid",
            "base_url of acme: no http:// | check base_url",
        ),
    ],
)
def test_what_can_not_be_reached_fails_at_once_with_what_to_do(
    fault: Exception, kind: FailureKind, words: str
) -> None:
    server = Server(Answering(fault=fault))

    told = call(server)

    assert (told.kind, told.words, told.seconds, len(server.requests)) == (kind, words, 0.0, 1)


def test_a_known_vendor_that_can_not_be_looked_up_points_at_the_network() -> None:
    fault = from_cause(httpx.ConnectError("x"), socket.gaierror())

    told = call(Server(Answering(fault=fault)), key_page="acme.example/keys")

    assert (told.kind, told.words) == (
        "connect",
        "127.0.0.1 can't be looked up | check the network",
    )


def test_a_refused_ollama_says_how_to_start_it() -> None:
    fault = from_cause(httpx.ConnectError("x"), ConnectionRefusedError())

    told = call(Server(Answering(fault=fault)), name="ollama", base_url="http://localhost:11434")

    assert told.words == "nothing listens at localhost:11434 | start it with `ollama serve`"


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, error_body("bad"), "invalid"),
        (400, error_body("maximum context length is 8"), "context"),
        (400, error_body("The model `x` does not exist", code="model_not_found"), "not_found"),
        (401, error_body("no"), "auth"),
        (402, error_body("no"), "quota"),
        (403, error_body("flagged"), "auth"),
        (404, error_body("model 'x' not found"), "not_found"),
        (413, error_body("too large"), "invalid"),
        (422, (b'{"detail":[{"loc":["body"],"msg":"field required"}]}',), "invalid"),
        (429, error_body("no", code="insufficient_quota"), "quota"),
        (429, error_body("Rate limit reached on tokens per day (TPD)"), "quota"),
        (501, error_body("no"), "server"),
        (502, error_body("no", code="upstream_auth_error"), "auth"),
        (505, error_body("no"), "server"),
        (302, (), "protocol"),
        (204, (), "truncated"),
        (200, (), "truncated"),
        (200, (b"<html>",), "protocol"),
        (200, (b"oops",), "truncated"),
    ],
)
def test_what_will_not_pass_is_asked_once(
    status: int, body: tuple[bytes, ...], kind: FailureKind
) -> None:
    server = Server(Answering(status=status, body=body))

    told = call(server)

    assert (told.kind, len(server.requests), told.seconds) == (kind, 1, 0.0)


def test_a_gateway_whose_own_key_is_refused_is_not_said_to_have_refused_the_users() -> None:
    message = "the gateway could not authenticate with the upstream provider"
    server = Server(Answering(status=502, body=error_body(message, code="upstream_auth_error")))

    told = call(server, secret=KEY, api_key_env="ACME_API_KEY")

    hint = "check the key that the gateway has for the model's provider"
    assert told.words == f"acme: bad gateway (502): {message} | {hint}"


def test_an_overflow_says_how_many_of_how_many_tokens() -> None:
    body = error_body("too long", type="exceed_context_size_error", n_prompt_tokens=9, n_ctx=8)

    told = call(Server(Answering(status=400, body=body)))

    assert told.error is not None
    assert told.error.message == "acme: 9 of 8 tokens of context: too long"


@pytest.mark.parametrize(
    ("said", "window"),
    [
        ("maximum context length is 8192 tokens. However, you requested 9000 tokens", 8192),
        ("prompt is too long: 210,000 tokens > 200,000 maximum", 200_000),
        ("too many tokens: 40000, for a model with 32768 maximum context length", 32_768),
        ("too many tokens: `inputs` + `max_new_tokens` must be <= 8193", 8193),
        ("reduce the length of the messages", 0),
        (f"maximum context length is {'9' * 12} tokens", 0),
    ],
)
def test_an_overflow_tells_how_much_the_model_takes(said: str, window: int) -> None:
    told = call(Server(Answering(status=400, body=error_body(said))))
    assert told.error is not None
    assert (told.error.kind, told.error.window) == ("context", window)


def test_an_overflow_of_llama_cpp_tells_how_much_the_model_takes() -> None:
    body = error_body("x", type="exceed_context_size_error", n_prompt_tokens=900, n_ctx=800)
    told = call(Server(Answering(status=400, body=body)))
    assert told.error is not None
    assert told.error.window == 800


def test_a_page_is_never_shown() -> None:
    page = b"<html><title>Oh</title>" + b"x" * 100_000

    told = call(Server(Answering(status=404, body=[page])))

    assert told.words == (
        "acme: not found (404) | choose one of `moa-tui models`, or check base_url"
    )


def test_a_refusal_in_plain_text_is_cut_short() -> None:
    told = call(Server(Answering(status=400, body=[b"no " * 100_000])))

    assert told.error is not None
    assert told.error.message == "acme: status 400: " + ("no " * 27)[:80].strip()


def test_a_key_is_sent_in_its_header_and_told_nowhere() -> None:
    body = error_body(f"bad key {KEY.reveal()} \x1b[31m")
    server = Server(Answering(status=401, body=body))

    told = call(server, secret=KEY, api_key_env="ACME_KEY")

    assert server.requests[0].headers["authorization"] == f"Bearer {KEY.reveal()}"
    assert told.words == (
        "acme: the key was not accepted (401): bad key ••• ␛[31m | check $ACME_KEY"
    )


@pytest.mark.parametrize(
    ("variable", "page", "hint"),
    [
        ("", "", "set api_key_env for the endpoint acme"),
        ("ACME_KEY", "", "set $ACME_KEY to it"),
        (
            "ACME_KEY",
            "https://acme.example/keys",
            "set $ACME_KEY to it; keys are made at https://acme.example/keys",
        ),
    ],
)
def test_who_wants_a_key_and_got_none_is_not_said_to_have_refused_it(
    variable: str, page: str, hint: str
) -> None:
    server = Server(Answering(status=401, body=error_body("no key")))

    told = call(server, api_key_env=variable, key_page=page)

    assert told.words == f"acme: it wants a key, and none was sent (401): no key | {hint}"


def test_a_key_goes_to_another_machine_over_https_only() -> None:
    server = Server(Answering(status=401, body=error_body("who are you")))

    told = call(server, secret=KEY, api_key_env="ACME_KEY", base_url="http://example.org/v1")

    assert "authorization" not in server.requests[0].headers
    assert told.words == (
        "acme: it wants a key, and none was sent (401): who are you | "
        "the key was not sent: it goes over https only; set base_url to https"
    )


def test_a_key_is_known_before_a_refusal_is_cut() -> None:
    secret = Secret("planted+and/of+no/vendor")
    body = b"x" * 70 + secret.reveal().encode()

    told = call(Server(Answering(status=400, body=[body])), secret=secret)

    assert told.error is not None
    assert told.error.message == "acme: status 400: " + "x" * 70 + "•••"


@pytest.mark.parametrize(
    "headers",
    [
        {"api-key": "short"},
        {"X-Lab": "0123456789abcdef0123456789abcdef"},
        {"Cookie": "id=1; of=me"},
    ],
)
def test_a_header_that_may_hold_a_key_is_told_nowhere_and_not_sent_in_the_clear(
    headers: dict[str, str],
) -> None:
    (name, value), *_ = headers.items()
    refusal = Answering(status=401, body=error_body(f"bad {value}"))
    near, far = Server(refusal), Server(refusal)

    heard = call(near, headers=headers)
    withheld = call(far, headers={**headers, "X-Team": "our lab"}, base_url="http://10.0.0.1/v1")

    assert near.requests[0].headers[name] == value
    assert name not in far.requests[0].headers
    assert far.requests[0].headers["X-Team"] == "our lab"
    assert value not in heard.words + withheld.words
    assert withheld.words.endswith(f" | not sent: {name}; what may be a key goes over https only")


@pytest.mark.parametrize("name", ["Ä", "a b", "a\nb", "Content-Length", "host"])
def test_a_header_that_can_not_be_sent_is_told(name: str) -> None:
    server = Server(Answering())

    told = call(server, headers={name: "3"})

    assert (told.kind, server.requests) == ("invalid", [])
    assert "acme: the header" in told.words


def test_what_has_no_bytes_to_send_is_told() -> None:
    fault = UnicodeEncodeError("ascii", "ä", 0, 1, "not in range")

    told = call(Server(Answering(fault=fault)))

    assert told.kind == "invalid"
    assert told.words.startswith("the request to acme can't be sent: ")


@pytest.mark.parametrize("number", ["1e999", "NaN", "-5", "1" + "0" * 200])
def test_a_number_of_tokens_that_can_not_be_is_not_told(number: str) -> None:
    body = (
        '{"error": {"type": "exceed_context_size_error", "message": "no", '
        f'"n_prompt_tokens": {number}, "n_ctx": 4}}}}'
    ).encode()

    told = call(Server(Answering(status=400, body=[body])))

    assert told.kind == "context"
    assert told.words.startswith("acme: the prompt does not fit the model's context: no")


def test_a_key_that_no_header_may_have_is_named() -> None:
    told = call(Server(Answering()), secret=Secret("a\nb"), api_key_env="ACME_KEY")

    assert (told.kind, told.words) == (
        "auth",
        "acme: the header Authorization has characters that no header may have | check ACME_KEY",
    )


def test_a_redirect_is_told_and_not_followed() -> None:
    server = Server(Answering(status=307, headers={"location": "https://evil.example/v1"}))

    told = call(server, secret=KEY)

    assert told.words == (
        "acme redirects to evil.example; redirects are not followed | "
        "set base_url to the address that answers itself"
    )
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "fault",
    [
        httpx.ReadError("reset"),
        httpx.RemoteProtocolError("peer closed connection without sending complete message body"),
    ],
)
def test_a_cut_keeps_the_text_and_is_not_tried_again(fault: Exception) -> None:
    server = Server(Answering(body=[text("Hel"), fault]))

    told = call(server)

    assert told.deltas[2:] == [Text("Hel")]
    assert (told.kind, len(server.requests)) == ("cut", 1)


def test_a_cut_after_the_finish_reason_is_success() -> None:
    body = HELLO.replace(b"data: [DONE]\n\n", b"")

    told = call(Server(Answering(body=[body, httpx.ReadError("reset")])))

    assert told.deltas[2:] == [Text("Hello"), Finish("stop")]


def test_an_orderly_end_without_a_finish_is_truncated() -> None:
    told = call(Server(Answering(body=[text("Hel")])))

    assert (told.deltas[2:], told.kind) == ([Text("Hel")], "truncated")


def test_an_error_frame_keeps_the_text_and_the_servers_words() -> None:
    body = [text("Hel"), b'data: {"error":{"message":"GPU on fire"}}\n\n']

    told = call(Server(Answering(body=body)))

    assert told.deltas[2:] == [Text("Hel")]
    assert (told.kind, told.words) == ("midstream", "GPU on fire | try again")


def test_an_error_after_the_finish_is_a_note() -> None:
    done = b"data: [DONE]\n\n"
    body = HELLO.replace(done, b'data: {"error":{"message":"late"}}\n\n' + done)

    told = call(Server(Answering(body=[body])))

    assert told.deltas[2:] == [Text("Hello"), Finish("stop"), Note("error_after_finish", "late")]


def test_what_hangs_before_its_headers_is_a_time_out_and_tried_again() -> None:
    server = Server(Answering(before=FOREVER), Answering())

    told = call(server)

    assert server.times == [0.0, 11.0]
    assert told.deltas[-2:] == [Text("Hello"), Finish("stop")]


def test_the_first_token_has_a_limit_of_its_own_that_pings_do_not_move() -> None:
    pings: list[Step] = [step for _ in range(200) for step in (b": ping\n\n", 5.0)]
    server = Server(Answering(body=pings), Answering())

    told = call(server, first_token_s=30.0)

    assert server.times == [0.0, 31.0]
    assert told.error is None


def test_silence_after_a_token_is_a_time_out_that_keeps_the_text() -> None:
    pings: list[Step] = [step for _ in range(200) for step in (b": ping\n\n", 5.0)]
    server = Server(Answering(body=[text("Hel"), *pings]))

    told = call(server, idle_s=60.0)

    assert told.deltas[2:] == [Text("Hel")]
    assert (told.kind, told.seconds, len(server.requests)) == ("timeout", 60.0, 1)


def test_all_attempts_together_have_a_limit() -> None:
    slow: list[Step] = [step for _ in range(100) for step in (text("x"), 10.0)]

    told = call(Server(Answering(body=slow)), total_s=95.0)

    assert (told.kind, told.seconds) == ("timeout", 95.0)
    assert told.words == "acme: not done after 95 s | raise total_s"


def test_after_a_finish_usage_is_waited_for_two_seconds() -> None:
    body = HELLO.replace(b"data: [DONE]\n\n", b"")

    told = call(Server(Answering(body=[body, FOREVER])))

    assert told.deltas[2:] == [Text("Hello"), Finish("stop")]
    assert told.seconds == pytest.approx(2.05)


def test_usage_comes_before_the_finish() -> None:
    usage = b'data: {"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":2}}\n\n'
    done = b"data: [DONE]\n\n"
    body: list[Step] = [HELLO.replace(done, b""), 1.0, usage, done]

    told = call(Server(Answering(body=body)))

    assert told.deltas[3:] == [Usage(prompt=5, completion=2), Finish("stop")]


def test_a_server_that_hangs_after_done_is_not_waited_for() -> None:
    told = call(Server(Answering(body=[HELLO, FOREVER])))

    assert (told.deltas[-1], told.times[-1]) == (Finish("stop"), 0.0)


@pytest.mark.parametrize(
    ("chunk", "words"),
    [
        ('{"choices":[{"delta":{},"finish_reason":"length"}]}', "the token limit came first"),
        (
            '{"choices":[{"delta":{"reasoning":"hm"},"finish_reason":"length"}]}',
            "all tokens went into thinking",
        ),
        (
            '{"choices":[{"delta":{"reasoning":"hm"},"finish_reason":"stop"}]}',
            "the model only thought",
        ),
        ('{"choices":[{"delta":{"content":" \\n"},"finish_reason":"stop"}]}', "said nothing"),
        ('{"choices":[{"delta":{"content":"\\u200b"},"finish_reason":"stop"}]}', "said nothing"),
        ('{"choices":[{"delta":{},"finish_reason":"tool_calls"}]}', "called a tool"),
        ('{"choices":[{"delta":{"refusal":"No."},"finish_reason":"stop"}]}', "refused: No."),
        ('{"choices":[{"delta":{},"finish_reason":"content_filter"}]}', "a content filter"),
    ],
)
def test_a_blank_answer_is_a_failure_that_says_why(chunk: str, words: str) -> None:
    body = f"data: {chunk}\n\ndata: [DONE]\n\n".encode()

    told = call(Server(Answering(body=[body])))

    assert told.kind == "empty"
    assert words in told.words


def test_an_unasked_gzip_is_unfolded() -> None:
    folded = gzip.compress(HELLO)
    body = [folded[:10], folded[10:]]

    told = call(Server(Answering(body=body, headers={"content-encoding": "gzip"})))

    assert told.deltas[2:] == [Text("Hello"), Finish("stop")]


def test_a_gzip_bomb_is_stopped() -> None:
    bomb = gzip.compress((b": " + b"x" * 65_000 + b"\n") * 1100)

    told = call(Server(Answering(body=[bomb], headers={"content-encoding": "gzip"})))

    assert told.kind == "truncated"


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip"])
def test_a_body_that_can_not_be_unfolded_is_a_protocol_failure(encoding: str) -> None:
    told = call(Server(Answering(headers={"content-encoding": encoding})))

    assert told.kind == "protocol"


@pytest.mark.parametrize("body", [b"data: " + b"x" * (2 << 20), b'{"x": "' + b"x" * (2 << 20)])
def test_an_endless_event_is_stopped(body: bytes) -> None:
    told = call(Server(Answering(body=[body])))

    assert told.kind == "truncated"


def test_an_answer_that_is_there_at_once_leaves_others_their_turns() -> None:
    async def turns() -> int:
        count, piece = 0, text("x" * 8000)
        call = asyncio.create_task(hear(provider(Server(Answering(body=[piece] * 80 + [HELLO])))))
        while not call.done():
            await asyncio.sleep(0)
            count += 1
        assert call.result().error is None
        return count

    assert virtual_time.run(turns()) > 20


def test_an_endless_answer_is_stopped_at_a_mebibyte() -> None:
    server = Server(Answering(body=[text("x" * 100_000)] * 20))

    told = call(server)

    assert sum(len(delta.text) for delta in told.deltas if isinstance(delta, Text)) == 1 << 20
    assert told.kind == "truncated"


async def test_closing_a_stream_closes_its_response() -> None:
    server = Server(Answering(body=[text("Hel"), FOREVER]))
    stream = provider(server).stream(REQUEST)
    heard = [await anext(stream) for _ in range(3)]

    await stream.aclose()

    assert heard[-1] == Text("Hel")
    assert server.bodies[0].is_closed


def test_a_list_of_models_has_many_shapes() -> None:
    async def listed(body: object) -> list[tuple[str, int | None]]:
        server = Server(Answering(body=[json.dumps(body).encode()]))
        return [(model.id, model.context) for model in await provider(server).models()]

    def names(body: object) -> list[tuple[str, int | None]]:
        return virtual_time.run(listed(body))

    assert names({"data": [{"id": "a", "context_length": 8}, {"id": "b"}]}) == [
        ("a", 8),
        ("b", None),
    ]
    assert names([{"id": "a", "context_window": 9}]) == [("a", 9)]
    assert names({"data": [{"id": "a", "max_model_len": 7}]}) == [("a", 7)]
    assert names({"data": [{"id": "a", "meta": {"n_ctx": 6}}]}) == [("a", 6)]
    assert names({"models": [{"name": "a"}], "data": None}) == [("a", None)]
    with pytest.raises(ProviderError, match="unknown shape"):
        names({"hello": "there"})


@pytest.mark.parametrize(
    ("pricing", "price"),
    [
        ({"prompt": "0.0000005", "completion": "0.0000015"}, Price(input=0.5, output=1.5)),
        ({"input": 0.2, "output": 0.6, "hourly": 0}, Price(input=0.2, output=0.6)),
        ({"prompt": "0", "completion": "0"}, Price(input=0.0, output=0.0)),
        ({"prompt": "-1", "completion": "-1"}, None),
        ({"prompt": "free", "completion": "1"}, None),
        ({"prompt": "0.1"}, None),
        ({"input": float("inf"), "output": 1}, None),
        ("cheap", None),
    ],
)
def test_a_list_of_models_may_tell_what_they_cost(pricing: object, price: Price | None) -> None:
    (model,) = read_models({"data": [{"id": "a", "pricing": pricing}]})
    assert model.price == price


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answering(status=401, body=error_body("no")), "auth"),
        (Answering(body=[b"<html>"]), "protocol"),
        (Answering(before=FOREVER), "timeout"),
        (Answering(fault=httpx.ReadError("x")), "cut"),
        (Answering(body=[b"[" * 100_000]), "protocol"),
    ],
)
def test_a_list_that_can_not_be_had_fails_in_words(answer: Answering, kind: FailureKind) -> None:
    async def listed() -> None:
        await provider(Server(answer)).models()

    with pytest.raises(ProviderError) as caught:
        virtual_time.run(listed())

    assert caught.value.kind == kind
