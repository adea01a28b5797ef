"""What tiles say while an Ollama loads, queues and reads: `ollama_double` schedules like one."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import httpx
import pytest
import virtual_time
from calls import Answering, Server, Told, hear
from ollama_double import Model, Ollama, asking, call, phases, provider, race

from moa_tui.engine.clock import AsyncioClock
from moa_tui.engine.provider import Finish, Phase, Retrying, Text
from moa_tui.providers.ollama_traffic import Traffic, Visit

TRIO = {f"{name}:latest": Model() for name in "abc"}
SAMPLES = "(more at once: OLLAMA_NUM_PARALLEL)"
ROOM = "(more at once, if memory allows: OLLAMA_MAX_LOADED_MODELS)"


def test_three_models_load_one_after_the_other_and_answer_at_once() -> None:
    told = race(Ollama(TRIO), "a", "b", "c")

    assert [phases(one) for one in told] == [
        [(0.0, "connecting"), (0.0, "loading"), (10.0, "reading")],
        [
            (0.0, "connecting"),
            (0.0, "queued a, which loads first"),
            (10.0, "loading"),
            (20.0, "reading"),
        ],
        [
            (0.0, "connecting"),
            (0.0, "queued a, which loads first"),
            (10.0, "queued b, which loads first"),
            (20.0, "loading"),
            (30.0, "reading"),
        ],
    ]
    assert [one.seconds for one in told] == [18.0, 28.0, 38.0]


def test_a_server_that_lists_patiently_is_understood_as_well() -> None:
    told = race(Ollama(TRIO, lists_patiently=True), "a", "b", "c")

    assert [phases(one) for one in told] == [
        phases(one) for one in race(Ollama(TRIO), "a", "b", "c")
    ]


def test_nothing_is_held_back_from_a_server() -> None:
    server = Ollama({"a:latest": Model()})

    async def run() -> int:
        one = provider(server)
        calls = asyncio.gather(*(hear(one, asking("a")) for _ in range(8)))
        await asyncio.sleep(1.0)
        count = len(server.sent())
        await calls
        await one.aclose()
        return count

    assert virtual_time.run(run()) == 8


def test_models_that_are_loaded_read_at_once() -> None:
    told = race(Ollama(TRIO), "a", "b", "c", runs=2)

    assert [phases(one) for one in told] == [[(0.0, "connecting"), (0.0, "reading")]] * 3
    assert [one.seconds for one in told] == [8.0] * 3


def test_samples_queue_and_say_how_to_change_that() -> None:
    told = race(Ollama(TRIO), "a", "a", "a")

    assert [phases(one) for one in told] == [
        [(0.0, "connecting"), (0.0, "loading"), (10.0, "reading")],
        [
            (0.0, "connecting"),
            (0.0, f"queued another answer of a {SAMPLES}"),
            (18.0, "reading"),
        ],
        [
            (0.0, "connecting"),
            (0.0, f"queued 2 answers of a {SAMPLES}"),
            (18.0, f"queued another answer of a {SAMPLES}"),
            (26.0, "reading"),
        ],
    ]


def test_a_server_that_ran_two_samples_at_once_is_known_to() -> None:
    told = race(Ollama(TRIO, parallel=2), "a", "a", "a", runs=2)

    assert [phases(one) for one in told] == [
        [(0.0, "connecting"), (0.0, "reading")],
        [(0.0, "connecting"), (0.0, "reading")],
        [(0.0, "connecting"), (0.0, f"queued 2 answers of a {SAMPLES}"), (8.0, "reading")],
    ]


def test_samples_that_follow_each_other_do_not_look_parallel() -> None:
    told = race(Ollama(TRIO), "a", "a", runs=3)

    assert phases(told[1])[1] == (0.0, f"queued another answer of a {SAMPLES}")


def test_samples_that_run_at_once_wait_for_the_same_load() -> None:
    server = Ollama(TRIO, parallel=2)

    async def run() -> list[tuple[float, str]]:
        one = provider(server)
        await asyncio.gather(hear(one, asking("a")), hear(one, asking("a")))
        server.loaded.clear()
        _, second = await asyncio.gather(hear(one, asking("a")), hear(one, asking("a")))
        await one.aclose()
        return phases(second)

    assert virtual_time.run(run()) == [(0.0, "connecting"), (0.0, "loading"), (10.0, "reading")]


def test_a_family_that_never_runs_two_at_once_gets_no_useless_advice() -> None:
    server = Ollama({"a:latest": Model(family="qwen3next")})

    told = race(server, "a", "a")

    behind = "another answer of a, which Ollama runs one at a time"
    assert Phase("queued", behind=behind) in told[1].deltas


def test_where_memory_holds_one_model_the_next_run_says_what_each_waits_for() -> None:
    told = race(Ollama(TRIO, room=1), "a", "b", "c", runs=2)

    assert [phases(one)[1:] for one in told] == [
        [(0.0, "loading"), (10.0, "reading")],
        [
            (0.0, "queued a, which loads first"),
            (10.0, f"queued a {ROOM}"),
            (18.0, "loading"),
            (28.0, "reading"),
        ],
        [
            (0.0, "queued a, which loads first"),
            (10.0, "queued b, which loads first"),
            (28.0, f"queued b {ROOM}"),
            (36.0, "loading"),
            (46.0, "reading"),
        ],
    ]


def test_a_fourth_model_waits_for_three_busy_ones() -> None:
    models = {f"{name}:latest": Model(read_s=100.0) for name in "abcd"}

    told = race(Ollama(models), "a", "b", "c", "d")

    assert (30.0, f"queued a, b and c {ROOM}") in phases(told[3])


def test_a_model_with_another_window_loads_again() -> None:
    server = Ollama({"phi3:latest": Model()}, loaded={"phi3:latest": 2048})

    assert phases(call(server)) == [(0.0, "connecting"), (0.0, "loading"), (10.0, "reading")]
    assert server.loads == [("phi3:latest", 4096)]


def test_a_server_that_lists_no_loaded_models_only_has_calls_that_wait() -> None:
    server = Ollama(TRIO, given={"/api/ps": Server(Answering(404, [b"404 page not found"]))})

    told = race(server, "a", "b")

    assert [phases(one) for one in told] == [[(0.0, "connecting"), (0.0, "waiting")]] * 2
    assert [one.error for one in told] == [None, None]


def test_a_listing_of_another_shape_says_nothing() -> None:
    server = Ollama(given={"/api/ps": Server(Answering(body=[b"[1, 2]"]))})

    assert phases(call(server)) == [(0.0, "connecting"), (0.0, "waiting")]


def test_an_older_servers_listing_without_windows_is_believed() -> None:
    loaded = b'{"models": [{"name": "phi3:latest"}]}'
    server = Ollama(
        loaded={"phi3:latest": 4096}, given={"/api/ps": Server(Answering(body=[loaded]))}
    )

    assert phases(call(server))[-1] == (0.0, "reading")


def test_who_is_queued_has_the_time_for_its_first_token_still_before_it() -> None:
    server = Ollama({"a:latest": Model(load_s=40.0, piece_s=30.0)})

    async def run() -> list[Told]:
        one = provider(server, first_token_s=50.0)
        told = await asyncio.gather(*(hear(one, asking("a")) for _ in range(3)))
        await one.aclose()
        return told

    told = virtual_time.run(run())

    assert [one.deltas[-1] for one in told] == [Finish("stop")] * 3
    assert not any(isinstance(delta, Retrying) for one in told for delta in one.deltas)


def test_a_model_that_never_loads_is_given_up() -> None:
    told = call(Ollama({"phi3:latest": Model(load_s=1e6)}), first_token_s=50.0)

    assert Phase("loading") in told.deltas
    assert Retrying("timeout", "ollama: no token within 50 s", 1.0) in told.deltas
    assert told.kind == "timeout"


def test_a_stopped_call_stops_the_model_and_lets_the_next_one_on() -> None:
    server = Ollama(TRIO)

    async def run() -> tuple[bool, list[tuple[float, str]]]:
        one = provider(server)
        async with aclosing(one.stream(asking("a"))) as first:
            second = asyncio.create_task(hear(one, asking("a")))
            async for delta in first:
                if not isinstance(delta, Phase):
                    break
        was_closed = server.streams[0].is_closed
        told = await second
        await one.aclose()
        return was_closed, phases(told)

    was_closed, told = virtual_time.run(run())

    assert was_closed
    assert told == [
        (0.0, "connecting"),
        (0.0, f"queued another answer of a {SAMPLES}"),
        (12.0, "reading"),
    ]


def test_a_call_that_is_stopped_while_it_queues_leaves_the_queue() -> None:
    async def run() -> list[tuple[float, str]]:
        one = provider(Ollama(TRIO))
        first, second, third = (asyncio.create_task(hear(one, asking("a"))) for _ in range(3))
        await asyncio.sleep(5.0)
        second.cancel()
        told = await third
        await first
        await one.aclose()
        return phases(told)

    assert virtual_time.run(run())[1:] == [
        (0.0, f"queued 2 answers of a {SAMPLES}"),
        (5.0, f"queued another answer of a {SAMPLES}"),
        (18.0, "reading"),
    ]


def test_who_waits_goes_on_although_nobody_takes_the_last_answers_end() -> None:
    async def run() -> list[tuple[float, str]]:
        one = provider(Ollama(TRIO))
        async with aclosing(one.stream(asking("a"))) as first:
            second = asyncio.create_task(hear(one, asking("a")))
            async for delta in first:
                if delta == Text(" there"):
                    told = await second
        await one.aclose()
        return phases(told)

    assert virtual_time.run(run())[-1] == (18.0, "reading")


def test_closing_ends_the_look_that_is_under_way() -> None:
    class Silent(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            await request.extensions.get("trace", _nothing)(
                "http11.send_request_headers.complete", {}
            )
            await asyncio.sleep(1e6)
            raise httpx.ReadError("never")

    async def _nothing(_name: str, _info: object) -> None: ...

    async def run() -> int:
        one = provider(Silent())
        task = asyncio.create_task(hear(one))
        await asyncio.sleep(10.0)
        task.cancel()
        await asyncio.wait([task])
        await one.aclose()
        return len(asyncio.all_tasks())

    assert virtual_time.run(run()) == 1


def test_what_runs_elsewhere_is_not_looked_for_here() -> None:
    server = Ollama({"big:cloud": Model(remote_host="https://elsewhere.example")})

    told = call(server, asking("big:cloud"))

    assert phases(told) == [(0.0, "connecting"), (0.0, "waiting")]
    assert server.sent("/api/ps") == []
    assert "num_ctx" not in server.sent()[0]["options"]


def test_a_vendors_ollama_is_not_asked_what_it_has_loaded() -> None:
    server = Ollama()

    call(server, base_url="https://api.ollama.com")

    assert server.sent("/api/ps") == []


# The bookkeeping alone


class Bench:
    """A `Traffic` beside an Ollama that tells what is ``loaded``."""

    def __init__(self, **loaded: int) -> None:
        self.loaded: dict[str, int] = {f"{name}:latest": size for name, size in loaded.items()}
        self.answers = asyncio.Event()
        self.answers.set()
        self.traffic = Traffic(self.ask, clock=AsyncioClock())

    async def ask(self) -> dict[str, int]:
        await self.answers.wait()
        return dict(self.loaded)

    def enter(self, model: str, window: int = 4096) -> Visit:
        return self.traffic.enter(model, window, lambda: None)

    async def passes(self, seconds: float = 2.0) -> None:
        await asyncio.sleep(seconds)


def test_what_an_earlier_look_saw_is_not_believed() -> None:
    async def run() -> list[Phase]:
        bench = Bench(a=4096)
        visit = bench.enter("a")
        await bench.passes()
        visit.end()
        bench.loaded.clear()
        bench.answers.clear()
        later = bench.enter("a")
        phases = [later.phase()]
        bench.answers.set()
        await bench.passes()
        phases.append(later.phase())
        await bench.traffic.aclose()
        return phases

    assert virtual_time.run(run()) == [Phase("waiting"), Phase("loading")]


@pytest.mark.parametrize(
    ("loaded", "phase"),
    [(4096, "reading"), (4352, "reading"), (2048, "loading"), (8192, "loading")],
)
def test_a_model_is_loaded_when_its_window_is_the_one_wanted(loaded: int, phase: str) -> None:
    async def run() -> str:
        bench = Bench(a=loaded)
        visit = bench.enter("a")
        await bench.passes()
        told = visit.phase().name
        await bench.traffic.aclose()
        return told

    assert virtual_time.run(run()) == phase


def test_who_has_its_first_token_waits_for_nobody() -> None:
    async def run() -> Phase:
        bench = Bench(a=4096)
        bench.enter("a")
        second = bench.enter("a")
        second.begin()
        told = second.phase()
        await bench.traffic.aclose()
        return told

    assert virtual_time.run(run()) == Phase("waiting")


def test_a_first_token_shows_that_a_model_is_loaded() -> None:
    async def run() -> list[Phase]:
        bench = Bench()
        first, second = bench.enter("a"), bench.enter("a")
        await bench.passes(0.1)
        phases = [first.phase()]
        first.begin()
        first.end()
        phases.append(second.phase())
        await bench.traffic.aclose()
        return phases

    assert virtual_time.run(run()) == [Phase("loading"), Phase("reading")]


def test_who_begins_as_the_one_before_ends_did_not_run_beside_it() -> None:
    async def run() -> Phase:
        bench = Bench(a=4096)
        first, second = bench.enter("a"), bench.enter("a")
        first.begin()
        await bench.passes()
        second.begin()
        first.end()
        third = bench.enter("a")
        told = third.phase()
        await bench.traffic.aclose()
        return told

    assert virtual_time.run(run()) == Phase("queued", behind=f"another answer of a {SAMPLES}")


def test_a_model_that_loads_anew_does_not_look_like_one_that_made_room() -> None:
    async def run() -> Phase:
        bench = Bench(a=4096, b=4096)
        calls = [bench.enter("a", 8192), bench.enter("b"), bench.enter("c")]
        await bench.passes()
        del bench.loaded["a:latest"]
        await bench.passes()
        bench.loaded["a:latest"] = 8192
        await bench.passes()
        told = calls[2].phase()
        await bench.traffic.aclose()
        return told

    assert virtual_time.run(run()) == Phase("loading")
