"""llama.cpp's real server, which we didn't write: found by looking, listed, asked."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from closed_ports import configured
from conftest import EMBEDDED_MODEL
from gateway import KEY as GATEWAY_KEY
from gateway import gateway
from terminal import terminal_environment

from moa_tui.providers import llama_child

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.embedded

KEY = "only-for-this-test"


@contextmanager
def llama_server(model: Path) -> Iterator[str]:
    """Serve a model with llama.cpp; yields the URL. It ends with the block."""
    order = {
        "path": str(model),
        "alias": "tiny",
        "key": KEY,
        "slots": 3,
        "window": 2048,
        "threads": 2,
        "is_small": True,
    }
    command = [sys.executable, llama_child.__file__]
    with subprocess.Popen(  # noqa: S603 - our own program
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(json.dumps(order).encode() + b"\n")
        child.stdin.flush()
        yield f"http://127.0.0.1:{json.loads(child.stdout.readline())['port']}/v1"
        child.stdin.close()


@pytest.fixture(scope="module")
def url(embedded_folder: Path) -> Iterator[str]:
    model = embedded_folder / "data" / "models" / f"{EMBEDDED_MODEL.partition('/')[2]}.gguf"
    with llama_server(model) as served_at:
        yield served_at


def moa(folder: Path, *words: str, key: str = KEY) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "moa_tui", "--config-dir", str(folder), *words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env={**terminal_environment(), "LLAMA_API_KEY": key},
        text=True,
        check=False,
    )


def events_of(asked: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    assert asked.returncode == 0, asked.stderr
    return [json.loads(line) for line in asked.stdout.splitlines()]


def test_a_llama_cpp_server_is_found_listed_and_merges(url: str, tmp_path: Path) -> None:
    configured(tmp_path, llamacpp=url)
    listed = moa(tmp_path, "models", "--json")
    asked = moa(tmp_path, "ask", "--json", "--max-tokens", "24", "Why is the sky blue?")

    endpoints: list[dict[str, Any]] = json.loads(listed.stdout)["endpoints"]
    (found,) = [one for one in endpoints if one["status"] == "found"]
    assert [one["model"] for one in found["models"]] == ["llamacpp/tiny"]
    events = events_of(asked)
    assert {one["model"] for one in events if one["event"] == "seat_started"} == {"llamacpp/tiny"}
    assert sum(one["event"] == "seat_finished" for one in events) == 4
    assert events[-1]["event"] == "run_finished"
    assert events[-1]["answer"].strip()
    assert len(events[-1]["references"]) == 3


@pytest.mark.parametrize("strategy", ["pick", "vote"])
def test_a_chosen_answer_is_a_proposal_word_for_word(
    url: str, tmp_path: Path, strategy: str
) -> None:
    configured(tmp_path, llamacpp=url)
    how = ("--json", "--strategy", strategy, "--max-tokens", "24")
    asked = moa(tmp_path, "ask", *how, "Name one colour of the sky.")

    events = [json.loads(line) for line in asked.stdout.splitlines()]
    last = events[-1]
    texts = {
        tuple(one["seat"]): one["text"].strip()
        for one in events
        if one["event"] == "seat_finished" and one["seat"][0] == 1
    }
    assert len(texts) == 3
    if strategy == "pick" and asked.returncode == 1:
        # So small a judge may name none, however often it is asked.
        assert (last["event"], last["kind"]) == ("run_failed", "protocol"), last
        return
    assert last["event"] == "run_finished", asked.stderr
    assert last["answer"] == texts[tuple(last["chosen"])]
    assert sum(map(len, last["votes"])) == (3 if strategy == "vote" else 0)


def test_it_answers_in_anthropic_s_dialect_too(url: str, tmp_path: Path) -> None:
    configured(tmp_path)
    with (tmp_path / "config.toml").open("a", encoding="utf-8") as config:
        config.write(
            f'[endpoints.lab]\nkind = "anthropic"\nbase_url = "{url}"\n'
            'api_key_env = "LLAMA_API_KEY"\n'
        )
    team = ("--proposer", "lab/tiny", "--proposer", "lab/tiny", "--aggregator", "lab/tiny")
    checked = moa(tmp_path, "doctor", "--json")
    asked = moa(tmp_path, "ask", "--json", "--max-tokens", "24", *team, "Why is the sky blue?")

    (found,) = [one for one in json.loads(checked.stdout)["endpoints"] if one["status"] == "found"]
    assert (found["endpoint"], found["kind"]) == ("lab", "anthropic")
    assert [one["model"] for one in found["models"]] == ["lab/tiny"]
    events = events_of(asked)
    finished = [one for one in events if one["event"] == "seat_finished"]
    assert len(finished) == 3
    assert all(0 < one["usage"]["completion"] <= 24 for one in finished), finished
    assert all(one["usage"]["prompt"] > 0 for one in finished), finished
    assert (events[-1]["event"], len(events[-1]["references"])) == ("run_finished", 2)
    assert events[-1]["answer"].strip()


def test_a_gateway_that_translates_for_it_leads_a_run_to_its_end(url: str, tmp_path: Path) -> None:
    targets = {"openai": ["completions"], "anthropic": ["messages"]}
    environ = {
        **dict.fromkeys(("OPENAI_API_KEY", "ANTHROPIC_API_KEY"), KEY),
        **dict.fromkeys(("OPENAI_BASE_URL", "ANTHROPIC_BASE_URL"), url),
    }
    with gateway(tmp_path, targets, environ) as gateway_url:
        configured(tmp_path, llamacpp=gateway_url)
        names = [f"llamacpp/{name}" for name in ("messages", "completions", "messages")]
        seats = [f"--proposer={name}" for name in names] + [f"--aggregator={names[0]}"]
        limited = ("--json", "--max-tokens", "8")
        asked = moa(tmp_path, "ask", *seats, *limited, "Why is the sky blue?", key=GATEWAY_KEY)
        words = "Why is the sky blue? " * 1000
        refused = moa(tmp_path, "ask", *seats, *limited, words, key=GATEWAY_KEY)

    events = [json.loads(line) for line in asked.stdout.splitlines()]
    assert (asked.returncode, events[-1]["event"]) == (0, "run_finished"), asked.stderr
    ends = [one for one in events if one["event"] == "seat_finished"]
    assert [one["usage"]["completion"] for one in ends] == [8] * 4
    assert all(one["text"].strip() and one["usage"]["prompt"] > 8 for one in ends)
    last = json.loads(refused.stdout.splitlines()[-1])
    assert (refused.returncode, last["kind"]) == (1, "context")
    assert "exceeds the available context size (2048 tokens)" in last["message"]
