from __future__ import annotations

import asyncio
import json

import httpx
import pytest
import virtual_time
from calls import Answering, Server, endpoint, hear
from ollama_double import Model, Ollama, asking, call, line, phases, provider

from moa_tui.engine.clock import AsyncioClock
from moa_tui.engine.provider import (
    ChatRequest,
    Finish,
    Message,
    Note,
    Options,
    Phase,
    Retrying,
    Text,
    Thinking,
    Usage,
)
from moa_tui.errors import ConfigError
from moa_tui.providers import connect
from moa_tui.providers.limits import Limiter
from moa_tui.providers.ollama import root_of

DONE = line({"done": True, "done_reason": "stop", "prompt_eval_count": 5, "eval_count": 2})
BODY = (
    line({"message": {"content": "", "thinking": "hm"}, "done": False})
    + line({"message": {"content": "4"}, "done": False})
    + DONE
)
LONG = "word " * 2000


def given(*answers: Answering, model: Model | None = None) -> Ollama:
    """Return an Ollama whose chats are answered as told."""
    return Ollama({"phi3:latest": model or Model()}, given={"/api/chat": Server(*answers)})


def said(message: str) -> bytes:
    return json.dumps({"error": message}).encode()


def chats(server: Ollama) -> list[dict[str, object]]:
    return server.sent("/api/chat")


def test_an_answer_is_told_with_its_thinking_and_usage() -> None:
    told = call(given(Answering(body=[BODY])))

    assert told.deltas[-4:] == [
        Thinking("hm"),
        Text("4"),
        Usage(prompt=5, completion=2),
        Finish("stop"),
    ]


def test_a_request_says_that_nothing_may_be_cut_off_silently() -> None:
    server = given(Answering(body=[BODY]))

    call(server, asking(max_tokens=9, num_ctx=8192))

    assert chats(server) == [
        {
            "model": "phi3",
            "messages": [{"role": "user", "content": "hi"}],
            "stream": True,
            "options": {"num_predict": 9, "temperature": 0.7, "num_ctx": 8192},
            "keep_alive": "10m",
            "truncate": False,
            "shift": False,
        }
    ]


def test_every_option_that_is_set_is_sent() -> None:
    server = given(Answering(body=[BODY]))

    call(server, asking(temperature=None, top_p=0.9, seed=3, stop=("END",), num_ctx=1024))

    assert chats(server)[0]["options"] == {
        "num_predict": 2048,
        "top_p": 0.9,
        "seed": 3,
        "stop": ["END"],
        "num_ctx": 1024,
    }


def test_paths_are_asked_below_the_root_of_any_of_its_addresses() -> None:
    server = Ollama()

    call(server, base_url="http://127.0.0.1:11434/v1")

    assert {path for path, _ in server.requests} == {"/api/show", "/api/chat", "/api/ps"}


@pytest.mark.parametrize("path", ["", "/", "/v1", "/v1/", "/api", "/api/"])
def test_the_root_of_an_address(path: str) -> None:
    assert root_of(f"http://host/ollama{path}") == "http://host/ollama"


# Thinking


@pytest.mark.parametrize("options", [Options(think=True), Options(think=False)])
def test_only_a_model_that_can_think_is_told_whether_to(options: Options) -> None:
    thinker = given(Answering(body=[BODY]), model=Model(capabilities=("completion", "thinking")))
    other = given(Answering(body=[BODY]))

    for server in (thinker, other):
        call(server, ChatRequest("phi3", (Message("user", "hi"),), options))

    assert chats(thinker)[0]["think"] is options.think
    assert "think" not in chats(other)[0]


def test_an_effort_is_a_way_to_think() -> None:
    server = given(Answering(body=[BODY]), model=Model(capabilities=("thinking",)))

    call(server, asking(effort="low"))

    assert chats(server)[0]["think"] == "low"


def test_that_a_model_does_not_think_is_learnt_from_the_400_once() -> None:
    refused = Answering(400, [said('"phi3" does not support thinking')])
    server = given(refused, Answering(body=[BODY]), model=Model(capabilities=()))

    told = call(server, asking(think=True), asking(think=True))

    assert told.deltas[-1] == Finish("stop")
    assert ["think" in sent for sent in chats(server)] == [True, False, False]


def test_a_model_that_refuses_even_so_is_not_asked_for_ever() -> None:
    server = given(Answering(400, [said('"phi3" does not support thinking')]), model=Model())

    told = call(server, asking(think=True))

    assert (told.kind, len(chats(server))) == ("invalid", 1)


def test_an_unknown_effort_is_told_and_not_dropped() -> None:
    refusal = 'invalid think value: "huge" (must be "high", "medium", "low", true, or false)'
    server = given(Answering(400, [said(refusal)]), model=Model(capabilities=("thinking",)))

    told = call(server, asking(effort="huge"))

    assert (told.kind, len(chats(server))) == ("invalid", 1)
    assert refusal in told.words


def test_a_server_that_shows_no_model_is_asked_all_the_same() -> None:
    server = given(Answering(body=[BODY]))
    server.given = {**server.given, "/api/show": Server(Answering(404, [b"no"]))}

    told = call(server, asking(think=True))

    assert told.deltas[-1] == Finish("stop")
    assert chats(server)[0]["think"] is True


def test_a_server_that_hangs_when_it_shows_a_model_is_not_waited_for_long() -> None:
    server = given(Answering(body=[BODY]))
    server.given = {**server.given, "/api/show": Server(Answering(before=1e6))}

    told = call(server)

    assert (told.deltas[0], told.times[0]) == (Phase("connecting"), 0.0)
    assert (told.deltas[-1], told.seconds) == (Finish("stop"), 5.0)


# Refusals


def test_a_model_that_is_not_there_says_how_to_pull_it_and_what_is_there() -> None:
    server = Ollama({"phi3:mini": Model(), "phi3:14b": Model(), "llama3:latest": Model()})

    assert call(server).words == (
        "ollama: not found (404): model 'phi3' not found | pull it with `ollama pull phi3`, "
        "or choose one of `moa-tui models`; there is phi3:mini, phi3:14b"
    )


def test_a_mistyped_model_is_told_the_nearest_name() -> None:
    server = Ollama({"llama3:latest": Model()})

    assert 'did you mean "llama3"?' in call(server, asking("lama3")).words


def test_a_missing_model_is_told_even_where_the_list_fails() -> None:
    server = Ollama(given={"/api/tags": Server(Answering(500, [b"no"]))})

    assert "`ollama pull lama3`" in call(server, asking("lama3")).words


def test_another_server_at_the_address_is_told_by_its_404() -> None:
    told = call(given(Answering(404, [b"404 page not found"])))

    assert (told.kind, told.words.rpartition("| ")[2]) == (
        "not_found",
        "check base_url: this path is not Ollama's",
    )


def test_a_busy_server_is_asked_again_after_a_while() -> None:
    busy = Answering(503, [said("server busy, please try again.  maximum pending requests")])

    told = call(given(busy, busy, Answering(body=[BODY])))

    waits = [each.wait_s for each in told.deltas if isinstance(each, Retrying)]
    assert (waits, told.deltas[-1]) == ([1.0, 2.0], Finish("stop"))


@pytest.mark.parametrize(
    "message",
    [
        "the prompt is longer than the context length currently available to the model; shorten",
        "the input length exceeds the context length",
        "input length (9000 tokens) exceeds the model's maximum context length (8192 tokens)",
    ],
)
@pytest.mark.parametrize("status", [400, 500])
def test_a_prompt_that_does_not_fit_is_an_error_and_not_tried_again(
    message: str, status: int
) -> None:
    server = given(Answering(status, [said(message)]))

    told = call(server)

    assert (told.kind, len(chats(server))) == ("context", 1)
    assert "shorten the prompt" in told.words


def test_a_model_that_does_not_fit_memory_says_what_helps_and_is_not_tried_again() -> None:
    message = "model requires more system memory (9.0 GiB) than is available (4.0 GiB)"
    server = given(Answering(500, [said(message)]))

    told = call(server)

    assert (told.kind, len(chats(server))) == ("server", 1)
    assert "choose a smaller model" in told.words


def test_a_model_that_cannot_chat_is_told_so() -> None:
    told = call(given(Answering(400, [said('"bge" does not support chat')])))

    assert told.words.endswith("| it is no chat model; choose another one")


def test_a_model_of_the_cloud_wants_a_sign_in() -> None:
    body = json.dumps({"error": "unauthorized", "signin_url": "https://ollama.example"}).encode()

    told = call(given(Answering(401, [body])))

    assert (told.kind, "`ollama signin`" in told.words) == ("auth", True)


def test_where_nobody_listens_it_says_what_to_start() -> None:
    fault = httpx.ConnectError("refused")
    fault.__cause__ = ConnectionRefusedError()

    told = call(Server(Answering(fault=fault)))

    assert told.words == "nothing listens at 127.0.0.1:11434 | start it with `ollama serve`"


# Answers that are none, or end badly


@pytest.mark.parametrize(
    ("frames", "kind", "words"),
    [
        ([{"error": "boom"}], "midstream", "boom"),
        ([{"error": "CUDA out of memory"}], "server", "choose a smaller model"),
        ([{"done": True}], "truncated", "model runner stopped"),
        ([], "truncated", "stopped before its end"),
    ],
)
def test_an_answer_that_ends_badly_keeps_its_text(
    frames: list[dict[str, object]], kind: str, words: str
) -> None:
    body = line({"message": {"content": "Hel"}}) + b"".join(line(frame) for frame in frames)

    told = call(given(Answering(body=[body])))

    assert (told.kind, told.deltas[-1]) == (kind, Text("Hel"))
    assert words in told.words


def test_an_error_before_the_first_word_is_tried_again() -> None:
    told = call(given(Answering(body=[line({"error": "boom"})]), Answering(body=[BODY])))

    assert (told.error, told.deltas[-1]) == (None, Finish("stop"))


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        ({"done_reason": "stop"}, "no answer: the model said nothing"),
        ({"done_reason": "load"}, "no answer: Ollama only did a model load"),
        ({"done_reason": "unload"}, "no answer: Ollama only did a model unload"),
        ({"done_reason": "length"}, "no answer: the token limit came first | raise max_tokens"),
        (
            {"done_reason": "stop", "message": {"tool_calls": [{}]}},
            "no answer: the model called a tool instead",
        ),
        (
            {"done_reason": "length", "message": {"thinking": "hm"}},
            "no answer: all tokens went into thinking",
        ),
    ],
)
def test_an_empty_answer_says_why(frame: dict[str, object], words: str) -> None:
    told = call(given(Answering(body=[line({"done": True, **frame})])))

    assert told.kind == "empty"
    assert told.words.startswith(words)


def test_an_answer_at_its_token_limit_is_cut() -> None:
    body = line({"message": {"content": "Hel"}, "done": True, "done_reason": "length"})

    assert Finish("length") in call(given(Answering(body=[body]))).deltas


def test_a_load_of_seconds_is_told_afterwards() -> None:
    body = [line({"message": {"content": "Hi"}, "done": True, "done_reason": "stop",
                  "load_duration": 2_500_000_000})]  # fmt: skip

    told = call(given(Answering(body=body)))

    assert told.deltas[-1] == Note("loaded", "the model was ready after 2.5 s")


def test_a_prompt_of_which_little_was_read_is_worth_a_note() -> None:
    told = call(given(Answering(body=[BODY])), asking(text=LONG))

    seen = "Ollama read 5 of about 2508 tokens of the prompt"
    assert told.deltas[-1] == Note("prompt_cut", f"{seen}: it may have left out the rest")


def test_a_prompt_that_was_cached_is_counted_by_estimate() -> None:
    body = line({"message": {"content": "Hi"}, "done": True, "done_reason": "stop"})

    told = call(given(Answering(body=[body])), asking(text=LONG))

    assert told.deltas[-2:] == [Usage(prompt=2508, estimated=True), Finish("stop")]


def test_a_line_without_end_stops_the_call() -> None:
    told = call(given(Answering(body=[b"x" * (2 << 20)])))

    assert (told.kind, "1 MiB as one line" in told.words) == ("truncated", True)


# The window


def test_the_window_is_what_the_model_needs_in_the_whole_run() -> None:
    server = Ollama()

    told = call(server, asking(context=5000), asking(text=LONG, context=5000))

    assert [sent["options"]["num_ctx"] for sent in server.sent()] == [8192, 8192]
    assert server.loads == [("phi3:latest", 8192)]
    assert phases(told)[-1][1] == "reading"


def test_the_window_stays_for_as_long_as_the_model_does_after_its_last_call() -> None:
    server = Ollama({"phi3:latest": Model(piece_s=250.0)})

    async def run() -> None:
        one = provider(server, idle_s=1000.0)
        await hear(one, asking(context=5000))
        await asyncio.sleep(400.0)
        await hear(one, asking())
        await one.aclose()

    virtual_time.run(run())

    assert [sent["options"]["num_ctx"] for sent in server.sent()] == [8192, 8192]


def test_a_model_is_asked_what_it_is_once() -> None:
    server = Ollama()

    call(server, asking(), asking())

    assert server.sent("/api/show") == [{"model": "phi3"}]


def test_an_unspoken_kind_is_a_config_error() -> None:
    clock = AsyncioClock()

    with pytest.raises(ConfigError, match="scripted"):
        connect(endpoint(kind="scripted"), None, clock=clock, limiter=Limiter(clock=clock))


def test_an_ollama_is_connected_by_its_kind() -> None:
    async def run() -> str:
        clock = AsyncioClock()
        one = connect(endpoint(kind="ollama"), None, clock=clock, limiter=Limiter(clock=clock))
        await one.aclose()
        return type(one).__name__

    assert virtual_time.run(run()) == type(provider(Ollama())).__name__
