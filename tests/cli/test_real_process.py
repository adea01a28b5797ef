"""The program as its own process: signals, pipes, locales, and what it loads."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from typing import IO, TYPE_CHECKING

import pytest
from local_server import LocalServer, Script
from program import AGGREGATOR, command, configure

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

ENDLESS = Script(rate=50, tokens=1_000_000)
QUICK = Script(rate=0, tokens=20)


def run(
    folder: Path, *line: str, typed: str | None = None, environ: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the program to its end; without ``typed`` stdin is empty."""
    return subprocess.run(  # noqa: S603 - our own program
        command(folder, *line),
        input=typed or "",
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=60,
        env={**plain_environment(), **(environ or {})},
    )


def start(folder: Path, *line: str, stdout: int | IO[bytes]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - our own program
        command(folder, *line),
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
        env=plain_environment(),
    )


def plain_environment() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8"}


def test_the_version_loads_neither_network_nor_screen(tmp_path: Path) -> None:
    assert loaded_by(tmp_path, ["--version"]) == set()


def test_listing_presets_loads_neither_network_nor_screen(tmp_path: Path) -> None:
    assert loaded_by(tmp_path, ["--config-dir", str(tmp_path), "presets"]) == set()


def test_preparing_the_screen_loads_no_network(tmp_path: Path) -> None:
    program = (
        "from moa_tui.__main__ import Program, _standard_streams as s\n"
        "from moa_tui.cli.arguments import parse\n"
        "from moa_tui.cli.screen import start_of\n"
        f"a = parse(['--config-dir', {str(tmp_path)!r}])\n"
        "start_of(a, Program({}, s()).prepared(a)[0])"
    )
    assert loaded_after(tmp_path, program) == set()


def loaded_by(folder: Path, argv: list[str]) -> set[str]:
    program = (
        "from moa_tui.__main__ import Program, _standard_streams as s\n"
        f"try: Program({{}}, s()).run({argv!r})\n"
        "except SystemExit: pass"
    )
    return loaded_after(folder, program)


def loaded_after(folder: Path, program: str) -> set[str]:
    """Return which of the heavy packages a program has loaded at its end."""
    heavy = {"httpx", "textual", "rich", "platformdirs", "moa_tui.log"}
    done = subprocess.run(  # noqa: S603 - our own interpreter on our own text
        [sys.executable, "-c", f"{program}\nimport sys; print('\\n' + ' '.join(sys.modules))"],
        capture_output=True,
        text=True,
        check=True,
        cwd=folder,
    )
    return heavy & set(done.stdout.splitlines()[-1].split())


def test_json_lines_of_a_real_run_tell_it_from_start_to_answer(tmp_path: Path) -> None:
    with LocalServer({"a": QUICK, "b": QUICK, AGGREGATOR: QUICK}) as server:
        configure(tmp_path, server.base_url, ["a", "b"], layers=2)
        done = run(tmp_path, "ask", "--preset", "bench", "--json", "why")
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert (done.returncode, done.stderr) == (0, "")
    assert [event["n"] for event in events] == list(range(1, len(events) + 1))
    assert [event["layer"] for event in events if event["event"] == "layer_started"] == [1, 2]
    assert sum(event["event"] == "seat_finished" for event in events) == 5
    assert events[-1]["event"] == "run_finished"
    assert events[-1]["answer"]


def test_a_prompt_of_a_megabyte_arrives_whole(tmp_path: Path) -> None:
    with LocalServer({"a": QUICK, AGGREGATOR: QUICK}) as server:
        configure(tmp_path, server.base_url, ["a"])
        done = run(tmp_path, "ask", "--preset", "bench", "--quiet", typed="字" * 350_000)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.strip()


def test_a_dead_server_is_said_at_once(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    configure(tmp_path, f"http://127.0.0.1:{port}/v1", ["a", "b"])
    began = time.monotonic()
    done = run(tmp_path, "ask", "--preset", "bench", "--quiet", "why")
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (1, "", 1)
    assert f"127.0.0.1:{port}" in done.stderr
    # The first retry of a fault that may pass would wait a second, and six of them a minute.
    assert time.monotonic() - began < 30


def test_a_missing_key_is_refused_in_words(tmp_path: Path) -> None:
    done = run(tmp_path, "ask", "--preset", "groq", "why")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "moa-tui: Groq needs a key: set GROQ_API_KEY (keys: console.groq.com/keys)\n"
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_a_signal_closes_every_stream_and_exits_130(tmp_path: Path, number: signal.Signals) -> None:
    with LocalServer({"a": ENDLESS, "b": ENDLESS, AGGREGATOR: QUICK}) as server:
        configure(tmp_path, server.base_url, ["a", "b"])
        program = start(tmp_path, "ask", "--preset", "bench", "why", stdout=subprocess.PIPE)
        server.wait_for(lambda records: sum(r["event"] == "request" for r in records) == 2)
        program.send_signal(number)
        out, err = program.communicate(timeout=30)
        server.wait_for(lambda records: sum(r["event"] == "closed" for r in records) == 2)
    assert (program.returncode, out) == (130, b"")
    assert b"Traceback" not in err


def test_a_signal_ends_a_run_whose_output_nobody_reads(tmp_path: Path) -> None:
    flood = Script(rate=0, tokens=1_000_000)
    with LocalServer({"a": flood, AGGREGATOR: QUICK}) as server:
        configure(tmp_path, server.base_url, ["a"])
        reading, writing = os.pipe()
        with os.fdopen(reading, "rb"), os.fdopen(writing, "wb") as pipe:
            program = start(tmp_path, "ask", "--preset", "bench", "--json", "why", stdout=pipe)
            server.wait_for(lambda records: any(r["event"] == "request" for r in records))
            wait_until_full(writing)
            program.send_signal(signal.SIGTERM)
            _, err = program.communicate(timeout=30)
        server.wait_for(lambda records: any(r["event"] == "closed" for r in records))
    assert program.returncode == 130
    assert b"Traceback" not in err


def wait_until_full(pipe: int) -> None:
    """Wait until a pipe takes nothing more: its writer is blocked."""
    import select  # noqa: PLC0415 - for this one question

    for _ in range(3000):
        if not select.select([], [pipe], [], 0)[1]:
            return
        select.select([], [], [], 0.01)
    raise TimeoutError("the pipe never filled")


def test_a_reader_that_goes_away_ends_it_quietly(tmp_path: Path) -> None:
    with LocalServer({"a": ENDLESS, AGGREGATOR: QUICK}) as server:
        configure(tmp_path, server.base_url, ["a"])
        reading, writing = os.pipe()
        with os.fdopen(writing, "wb") as pipe:
            program = start(tmp_path, "ask", "--preset", "bench", "--json", "why", stdout=pipe)
        with os.fdopen(reading, "rb") as lines:
            assert any(b"text_delta" in line for line in lines)
        _, err = program.communicate(timeout=30)
        server.wait_for(lambda records: any(r["event"] == "closed" for r in records))
    assert (program.returncode, err) == (0, b"")


def test_a_full_disk_is_said_in_words(tmp_path: Path) -> None:
    with open("/dev/full", "wb") as full:  # noqa: PTH123 - a device, not a path of ours
        program = start(tmp_path, "ask", "--preset", "demo", "--json", "why", stdout=full)
        _, err = program.communicate(timeout=30)
    assert (program.returncode, err) == (
        1,
        b"moa-tui: the answer can't be written: No space left on device\n",
    )


@pytest.mark.parametrize("line", ["presets", "presets show demo", "presets --json"])
def test_a_full_disk_and_a_reader_that_goes_are_no_crash(tmp_path: Path, line: str) -> None:
    with open("/dev/full", "wb") as full:  # noqa: PTH123 - a device, not a path of ours
        program = start(tmp_path, *line.split(), stdout=full)
        _, err = program.communicate(timeout=30)
    assert (program.returncode, err) == (
        1,
        b"moa-tui: stdout can't be written: No space left on device\n",
    )
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as pipe:
        program = start(tmp_path, *line.split(), stdout=pipe)
        _, err = program.communicate(timeout=30)
    assert (program.returncode, err) == (0, b"")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
async def test_a_signal_stops_a_pull_and_its_download(
    tmp_path: Path, number: signal.Signals
) -> None:
    is_pulling, is_closed = asyncio.Event(), asyncio.Event()

    async def pull_for_ever(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"POST /api/pull ")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\n\r\n")
        line = {"status": "pulling x", "digest": "x", "total": 10_000_000, "completed": 5_000_000}
        writer.write(json.dumps(line).encode() + b"\n")
        await writer.drain()
        is_pulling.set()
        while await reader.read(1000):
            pass
        writer.close()
        is_closed.set()

    server = await asyncio.start_server(pull_for_ever, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        (tmp_path / "config.toml").write_text(
            f'[endpoints.ollama]\nbase_url = "http://127.0.0.1:{port}"\n', "utf-8"
        )
        program = await asyncio.create_subprocess_exec(
            *command(tmp_path, "pull", "ollama/llama3.2"),
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=plain_environment(),
        )
        assert program.stderr
        async with asyncio.timeout(30):
            await is_pulling.wait()
            said = [await program.stderr.readline() for _ in range(2)]
            program.send_signal(number)
            said.append(await program.stderr.read())
            await is_closed.wait()
            assert await program.wait() == 130
    assert b"".join(said).decode().splitlines() == [
        "Fetching ollama/llama3.2.",
        "50 % of 10 MB",
        "Stopped. What is there is kept: pulled again, it goes on from there.",
    ]


@pytest.mark.parametrize("line", ["models --json", "doctor --json", "presets --json"])
def test_json_is_utf8_in_any_locale(tmp_path: Path, line: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
    tables = [f'[endpoints.{name}]\nbase_url = "{url}"\n' for name in ("ollama", "lmstudio")]
    (tmp_path / "config.toml").write_text("\n".join(tables), "utf-8")
    (tmp_path / "presets").mkdir()
    (tmp_path / "presets" / "bad.toml").write_text('"你好" = 1\n', "utf-8")
    with LocalServer({"你好": QUICK}) as server:
        (tmp_path / "state.toml").write_text(
            f'[endpoints.own]\nbase_url = "{server.base_url}"\n', "utf-8"
        )
        environ = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
        done = run(tmp_path, *line.split(), environ=environ)
    assert "你好" in done.stdout
    assert json.loads(done.stdout)


@pytest.mark.parametrize("locale", ["C", "POSIX", "en_US.ISO-8859-1"])
def test_any_locale_will_do(tmp_path: Path, locale: str) -> None:
    said = Script(rate=0, pieces=("für 你好 ★",))
    environ = {"LC_ALL": locale, "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    with LocalServer({"a": said, AGGREGATOR: said}) as server:
        configure(tmp_path, server.base_url, ["a"])
        plain = run(tmp_path, "ask", "--preset", "bench", typed="你好", environ=environ)
        lines = run(tmp_path, "ask", "--preset", "bench", "--json", "why", environ=environ)
    assert (plain.returncode, lines.returncode) == (0, 0)
    assert json.loads(lines.stdout.splitlines()[-1])["answer"] == "für 你好 ★"


def test_closed_standard_streams_are_no_crash(tmp_path: Path) -> None:
    line = " ".join(command(tmp_path, "ask", "--preset", "demo"))
    done = subprocess.run(  # noqa: S602 - only a shell closes streams; our own text
        f"{line} <&- >&-", shell=True, stderr=subprocess.PIPE, check=False, timeout=30
    )
    assert (done.returncode, done.stderr.splitlines()) == (
        2,
        ['moa-tui: the prompt is empty: moa-tui ask "…"'.encode()],
    )
