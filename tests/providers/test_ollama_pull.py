from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest
import virtual_time
from calls import FOREVER, Answering, Server
from ollama_double import line, provider

from moa_tui.errors import ProviderError

MANIFEST = line({"status": "pulling manifest"})
DONE = line({"status": "success"})


def part(digest: str, total: int, completed: int | None = None) -> bytes:
    told = {"status": f"pulling {digest}", "digest": f"sha256:{digest}", "total": total}
    return line(told if completed is None else {**told, "completed": completed})


def pull(server: Server) -> list[tuple[int, int]]:
    async def run() -> list[tuple[int, int]]:
        one = provider(server)
        async with aclosing(one.pull("phi3")) as progress:
            told = [each async for each in progress]
        await one.aclose()
        return told

    return virtual_time.run(run())


def failure(*answers: Answering) -> str:
    with pytest.raises(ProviderError) as caught:
        pull(Server(*answers))
    return f"{caught.value.kind}: {caught.value.message} | {caught.value.hint}"


def test_a_pull_tells_how_far_all_its_parts_are() -> None:
    server = Server(
        Answering(
            body=[
                MANIFEST,
                part("a", 100),
                part("a", 100, 60),
                part("a", 100, 60),
                part("b", 50) + part("a", 100, 100),
                part("b", 50, 50),
                line({"status": "verifying sha256 digest"}),
                DONE,
            ]
        )
    )

    assert pull(server) == [(0, 100), (60, 100), (100, 150), (150, 150)]
    assert server.sent == [{"model": "phi3", "stream": True}]
    assert str(server.requests[0].url) == "http://127.0.0.1:11434/api/pull"


def test_where_the_lines_are_cut_changes_nothing() -> None:
    body = part("a", 100, 40) + part("a", 100, 100) + DONE.rstrip()
    bytewise = [bytes([byte]) for byte in body]

    assert pull(Server(Answering(body=bytewise))) == [(40, 100), (100, 100)]


def test_a_model_that_is_there_already_has_nothing_to_tell() -> None:
    assert pull(Server(Answering(body=[MANIFEST, DONE]))) == []


def test_absurd_figures_stay_within_their_total() -> None:
    odd = [
        part("a", 100, 500),
        part("b", -7, 3),
        line({"digest": 5, "total": 9, "completed": 9}),
        line({"digest": "c", "total": "9"}),
        line({"digest": "x" * 1000, "total": 9}),
        part("d", 10**400, 3),
        part("e", 9, 10**400),
        line({"digest": "f", "total": True, "completed": True}),
        line({"digest": ["g"], "total": {}, "completed": []}),
    ]

    assert pull(Server(Answering(body=[*odd, DONE]))) == [(100, 100)]


@pytest.mark.parametrize("status", [200, 500])
def test_a_name_that_the_library_does_not_have(status: int) -> None:
    answer = Answering(status, [line({"error": "pull model manifest: file does not exist"})])

    told = failure(answer)

    assert told.startswith("not_found: Ollama's library has no phi3: ")
    assert told.endswith("| look its name up at ollama.com/library")


def test_an_ollama_without_network_says_so() -> None:
    said = "pull model manifest: Get: dial tcp: lookup registry.example: no such host"

    assert failure(Answering(body=[MANIFEST, line({"error": said})])) == (
        f"midstream: {said} | Ollama can't reach its library: check the network of its machine"
    )


def test_a_full_disk_says_where_to_make_room() -> None:
    said = "write /models/blobs/sha256-1: no space left on device"

    assert "make room on the disk" in failure(
        Answering(body=[part("a", 100, 60), line({"error": said})])
    )


def test_a_pull_that_stops_before_its_end_failed() -> None:
    assert failure(Answering(body=[part("a", 100, 60)])) == (
        "truncated: the download of phi3 stopped before its end | try again: it goes on from there"
    )


def test_a_pull_that_falls_silent_is_given_up() -> None:
    assert failure(Answering(body=[part("a", 100, 60), FOREVER])) == (
        "timeout: ollama said nothing of its download for 300 s | try again: it goes on from there"
    )


def test_a_server_that_never_answers_a_pull_is_given_up() -> None:
    assert failure(Answering(before=FOREVER)).startswith("timeout: ollama said nothing")


@pytest.mark.parametrize("body", [b"<html>\n", b"[]\n", b"x" * (2 << 20)])
def test_what_is_no_download_is_named(body: bytes) -> None:
    assert failure(Answering(body=[body])).startswith("protocol: ")


def test_another_server_is_told_by_its_404() -> None:
    assert failure(Answering(404, [b"404 page not found"])).endswith(
        "| check base_url: this path is not Ollama's"
    )


def test_closing_a_pull_stops_the_download() -> None:
    server = Server(Answering(body=[part("a", 100, 60), FOREVER, DONE]))

    async def run() -> tuple[int, int]:
        one = provider(server)
        async with aclosing(one.pull("phi3")) as progress:
            first = await anext(progress)
        await one.aclose()
        return first

    assert virtual_time.run(run()) == (60, 100)
    assert server.bodies[0].is_closed


def test_a_pull_that_is_cancelled_stops_the_download() -> None:
    server = Server(Answering(body=[part("a", 100, 60), FOREVER, DONE]))

    async def listen() -> None:
        async with aclosing(provider(server).pull("phi3")) as progress:
            async for _ in progress:
                pass

    async def run() -> None:
        task = asyncio.create_task(listen())
        await asyncio.sleep(5.0)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()

    virtual_time.run(run())

    assert server.bodies[0].is_closed
