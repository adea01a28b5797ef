from __future__ import annotations

import asyncio
import json

import httpx
import pytest
import virtual_time
from calls import FOREVER, HELLO, REQUEST, Answering, Server, Told, call, hear, provider, text

from moa_tui.engine.clock import AsyncioClock
from moa_tui.engine.provider import ChatRequest, Delta, Finish, Message, Options, Phase, Text
from moa_tui.engine.provider import Retrying as Try
from moa_tui.providers.limits import Limiter
from moa_tui.providers.retry import retry_after

DONE = [Text("Hello"), Finish("stop")]
NOW = "Sun, 22 Nov 2026 12:00:00 GMT"


def failing(status: int, message: str = "no", **headers: str) -> Answering:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    body = json.dumps({"error": {"message": message}}).encode()
    return Answering(status=status, body=[body], headers=named)


def tries(told: Told) -> list[tuple[str, float]]:
    return [(each.kind, each.wait_s) for each in told.deltas if isinstance(each, Try)]


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (408, "timeout"),
        (409, "server"),
        (425, "server"),
        (429, "rate_limit"),
        (500, "server"),
        (502, "server"),
        (503, "server"),
        (504, "server"),
        (529, "server"),
    ],
)
def test_what_may_pass_is_tried_again_where_all_can_see(status: int, kind: str) -> None:
    told = call(Server(failing(status), failing(status), Answering()))

    assert tries(told) == [(kind, 1.0), (kind, 2.0)]
    assert (told.deltas[-2:], told.seconds) == (DONE, 3.0)


def test_six_retries_are_the_last() -> None:
    server = Server(failing(500))

    told = call(server)

    assert server.times == [0.0, 1.0, 3.0, 7.0, 15.0, 31.0, 63.0]
    assert (told.kind, told.words) == (
        "server",
        "acme: the server failed (500): no | try again later, or use another endpoint",
    )


def test_waits_are_spread_by_up_to_a_quarter() -> None:
    server = Server(failing(500), Answering())

    told = virtual_time.run(hear_with_chance(server))

    assert tries(told) == [("server", 1.25)]


async def hear_with_chance(server: Server) -> Told:
    return await hear(provider(server, chance=lambda: 1.0))


@pytest.mark.parametrize(
    "fault",
    [httpx.ReadError("reset"), httpx.RemoteProtocolError("Server disconnected without …")],
)
def test_a_reset_before_the_first_token_is_tried_again(fault: Exception) -> None:
    told = call(Server(Answering(fault=fault), Answering()))

    assert tries(told) == [("cut", 1.0)]
    assert told.deltas[-2:] == DONE


def test_an_error_frame_that_may_pass_is_tried_again_if_nothing_was_shown() -> None:
    busy = b'data: {"error":{"message":"overloaded","code":529}}\n\n'

    told = call(Server(Answering(body=[busy]), Answering()))

    assert tries(told) == [("midstream", 1.0)]


def test_an_error_frame_that_will_not_pass_is_told() -> None:
    bad = b'data: {"error":{"message":"bad","code":400}}\n\n'

    told = call(Server(Answering(body=[bad]), Answering()))

    assert (tries(told), told.kind) == ([], "midstream")


UNEXPECTED = "Unexpected endpoint or method. (POST /chat/completions). Returning 200 anyway"


@pytest.mark.parametrize(
    "error",
    [
        UNEXPECTED,
        {"message": UNEXPECTED},
        {"message": "no", "type": "invalid_request_error"},
        {"message": "no", "code": "model_not_found"},
        "model 'x' not found",
        "Model is not loaded",
        "No models loaded. Please load one in the developer page",
        "Unsupported parameter: seed",
    ],
)
def test_a_body_that_finds_fault_with_the_request_is_told_at_once(error: object) -> None:
    whole = json.dumps({"error": error}).encode()
    server = Server(Answering(body=[whole]), Answering())

    told = call(server)

    assert (tries(told), told.kind, len(server.requests)) == ([], "midstream", 1)
    assert told.words.endswith(" | choose another model or endpoint, or check base_url")


@pytest.mark.parametrize(
    "error",
    [
        "The model is overloaded",
        "server busy, model not loaded: try again",
        "Rate limit reached",
        "Internal error: no such model state",
        "upstream answered status 503: not found",
        {"message": "no", "type": "server_error"},
        {"message": "invalid response", "code": 502},
        "GPU on fire",
    ],
)
def test_a_body_that_speaks_of_what_may_pass_is_tried_again(error: object) -> None:
    whole = json.dumps({"error": error}).encode()

    told = call(Server(Answering(body=[whole]), Answering()))

    assert tries(told) == [("midstream", 1.0)]
    assert told.deltas[-2:] == DONE


def test_nothing_is_tried_again_after_the_first_token() -> None:
    server = Server(Answering(body=[text("a"), b'data: {"error":{"code":529}}\n\n']))

    told = call(server)

    assert (tries(told), told.kind, len(server.requests)) == ([], "midstream", 1)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after-ms": "1500"}, 1.5),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"retry-after-ms": "soon", "retry-after": "9"}, 9.0),
        ({"retry-after": "Sun, 22 Nov 2026 12:00:05 GMT", "date": NOW}, 5.0),
        ({"retry-after": "Sun, 22 Nov 2026 11:00:05 GMT", "date": NOW}, None),
        ({"retry-after": "0"}, None),
        ({"retry-after": "-3"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "6m0s"}, None),
        ({}, None),
    ],
)
def test_what_a_server_asks_to_wait(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers) == seconds


def test_a_servers_own_wait_wins() -> None:
    told = call(Server(failing(429, retry_after="7"), Answering()))

    assert tries(told) == [("rate_limit", 7.0)]


def test_a_wait_of_more_than_two_minutes_is_told_instead() -> None:
    told = call(Server(failing(429, retry_after="3600")))

    assert (tries(told), told.kind) == ([], "rate_limit")
    assert "the server asks to wait 3600 s" in told.words


@pytest.mark.parametrize(("said", "count"), [("true", 2), ("false", 1)])
def test_a_server_may_say_whether_to_try_again(said: str, count: int) -> None:
    status = 400 if said == "true" else 500
    server = Server(failing(status, x_should_retry=said), Answering())

    call(server)

    assert len(server.requests) == count


def test_a_loading_model_is_a_phase_and_not_an_attempt() -> None:
    server = Server(*[failing(503, "Loading model")] * 10, Answering())

    told = call(server)

    assert tries(told) == []
    assert told.deltas.count(Phase("loading")) == 10
    assert told.deltas[-2:] == DONE


def test_a_model_that_never_loads_fails_in_the_end() -> None:
    told = call(Server(failing(503, "Loading model")), first_token_s=20.0)

    assert (told.kind, told.seconds) == ("server", 20.0)


def test_a_retry_that_would_come_after_the_last_minute_is_not_waited_for() -> None:
    told = call(Server(failing(500)), total_s=10.0)

    assert (told.kind, told.seconds) == ("server", 7.0)


def six_seats(server: Server, **fields: int) -> list[Told]:
    async def run() -> list[Told]:
        limiter = Limiter(fields.get("max_concurrency"), clock=AsyncioClock())
        one = provider(server, limiter=limiter)
        return await asyncio.gather(*(hear(one) for _ in range(6)))

    return virtual_time.run(run())


def test_a_rate_limit_holds_back_everyone_with_the_same_key() -> None:
    limited = [failing(429, retry_after=str(seconds)) for seconds in (3, 9, 1, 2, 5, 4)]
    server = Server(*limited, Answering())

    told = six_seats(server)

    assert server.times == [0.0] * 6 + [9.0] * 6
    assert [one.deltas[-2:] for one in told] == [DONE] * 6


def test_a_call_during_a_rate_limit_waits_for_its_end() -> None:
    async def run() -> Told:
        limiter = Limiter(clock=AsyncioClock())
        limiter.hold(4.0)
        return await hear(provider(Server(Answering()), limiter=limiter))

    told = virtual_time.run(run())

    assert told.deltas[0] == Phase("queued", behind="the rate limit, 4 s")
    assert told.times[1] == 4.0


def test_a_full_endpoint_queues_and_says_behind_what() -> None:
    server = Server(Answering(before=1.0))

    told = six_seats(server, max_concurrency=2)

    assert server.times == [0.0, 0.0, 1.0, 1.0, 2.0, 2.0]
    queued = Phase("queued", behind="m (max_concurrency = 2)")
    assert [one.deltas[0] == queued for one in told] == [False] * 2 + [True] * 4


def test_a_stopped_call_gives_its_place_back() -> None:
    async def run() -> Told:
        limiter = Limiter(1, clock=AsyncioClock())
        one = provider(Server(Answering(body=[FOREVER]), Answering()), limiter=limiter)
        stream = one.stream(REQUEST)
        await anext(stream)
        await stream.aclose()
        return await hear(one)

    assert virtual_time.run(run()).deltas[-2:] == DONE


REFUSED = {
    "temperature": "Unsupported value: 'temperature' does not support 0.7 with this model.",
    "max_tokens": "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.",
    "stream_options": "stream_options: extra fields not permitted",
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_a_400_names_is_left_out_and_remembered(name: str) -> None:
    server = Server(failing(400, REFUSED[name]), Answering())

    async def run() -> list[list[Delta]]:
        one = provider(server)
        return [(await hear(one)).deltas[-2:] for _ in range(2)]

    assert virtual_time.run(run()) == [DONE, DONE]
    assert [name in sent for sent in server.sent] == [True, False, False]


def test_a_refused_system_role_is_folded_into_the_users_text() -> None:
    server = Server(failing(400, "System role not supported"), Answering())
    request = ChatRequest("m", (Message("system", "Be kind."), Message("user", "hi")))

    told = virtual_time.run(hear_request(server, request))

    assert told.deltas[-2:] == DONE
    assert server.sent[1]["messages"] == [{"role": "user", "content": "Be kind.\n\nhi"}]


async def hear_request(server: Server, request: ChatRequest) -> Told:
    return await hear(provider(server), request)


def test_a_400_that_goes_on_is_not_asked_for_ever() -> None:
    server = Server(failing(400, REFUSED["temperature"]))

    told = call(server)

    assert (told.kind, len(server.requests)) == ("invalid", 2)


def test_a_request_holds_what_was_asked_for_and_nothing_else() -> None:
    server = Server(Answering(body=[HELLO]))
    options = Options(temperature=None, max_tokens=9, seed=3, stop=("END",), effort="low")

    virtual_time.run(hear_request(server, ChatRequest("m", REQUEST.messages, options)))

    assert server.sent == [
        {
            "model": "m",
            "messages": [{"role": "user", "content": "hi"}],
            "stream": True,
            "stream_options": {"include_usage": True},
            "max_tokens": 9,
            "seed": 3,
            "stop": ["END"],
            "reasoning_effort": "low",
        }
    ]


@pytest.mark.parametrize("model", ["o3-mini", "gpt-5", "openai/o4-mini"])
def test_reasoning_models_are_asked_their_way_from_the_start(model: str) -> None:
    server = Server(Answering())

    messages = (Message("system", "Rhyme."), *REQUEST.messages)
    virtual_time.run(hear_request(server, ChatRequest(model, messages)))

    assert "temperature" not in server.sent[0]
    assert "max_completion_tokens" in server.sent[0]
    assert server.sent[0]["messages"] == [
        {"role": "developer", "content": "Rhyme."},
        *({"role": each.role, "content": each.content} for each in REQUEST.messages),
    ]
