from __future__ import annotations

import json
from dataclasses import replace

import virtual_time
from cli_given import Around, Screenless, place, setup

from moa_tui.cli.arguments import parse
from moa_tui.cli.models import models
from moa_tui.engine.provider import ModelInfo

OLLAMA = replace(
    place("ollama", kind="ollama"),
    models=(
        ModelInfo(id="qwen3:8b", context=40_960, size=5_200_000_000),
        ModelInfo(id="embed:latest", size=274_302_450, is_chat=False),
        ModelInfo(id="tiny", size=999),
    ),
)
HINT = "keys are made at groq.test/keys"
NO_KEY = place("groq", status="no_key", message="set GROQ_API_KEY", hint=HINT)
EMPTY = place("vllm", message="it has no models yet")
EMPTY_OLLAMA = replace(EMPTY, endpoint=OLLAMA.endpoint)


def listed(places: Around, *options: str) -> tuple[int, Screenless]:
    at, given = Screenless(), parse(["models", *options])
    return virtual_time.run(models(given, setup(places=places), streams=at.streams)), at


def test_every_model_is_a_row_and_what_has_none_says_why() -> None:
    code, at = listed(Around([OLLAMA, EMPTY, NO_KEY]))
    assert (code, at.err) == (0, [])
    assert at.out.splitlines() == [
        "MODEL                CONTEXT  SIZE",
        "ollama/embed:latest           274 MB  can't chat",
        "ollama/qwen3:8b      40960    5.2 GB",
        "ollama/tiny                   999 B",
        "",
        "vllm  it has no models yet",
        f"groq  no key: set GROQ_API_KEY; {HINT}",
    ]


def test_without_any_model_it_exits_1_and_says_what_to_do() -> None:
    code, at = listed(Around([EMPTY_OLLAMA]))
    assert (code, at.out) == (
        1,
        "ollama  it has no models yet; fetch one: moa-tui pull ollama/llama3.2\n",
    )


def test_vendors_with_a_key_and_slow_servers_are_asked_and_no_others() -> None:
    groq = place("groq", "x")
    lab = place("lab", "y")
    slow = replace(lab, status="failed", models=(), message="it did not answer within 0.3 s")
    unasked = replace(groq, status="unasked", models=())
    absent = place("lmstudio", status="absent", message="nothing listens")
    places = Around(
        [OLLAMA, slow, absent, unasked, replace(NO_KEY, endpoint=EMPTY.endpoint)],
        answers={"groq": groq, "lab": lab},
    )
    _, at = listed(places)
    assert places.asked == ["detect", "lab", "groq"]
    assert {"lab/y", "groq/x"} < {line.split(" ")[0] for line in at.out.splitlines()}


def test_json_is_one_document_with_everything_known() -> None:
    code, at = listed(Around([replace(OLLAMA, models=OLLAMA.models[:1]), NO_KEY]), "--json")
    assert (code, at.err) == (0, [])
    assert json.loads(at.out) == {
        "endpoints": [
            {
                "endpoint": "ollama",
                "kind": "ollama",
                "base_url": "http://ollama.test",
                "status": "found",
                "message": "",
                "hint": "",
                "models": [
                    {
                        "model": "ollama/qwen3:8b",
                        "context": 40_960,
                        "size": 5_200_000_000,
                        "is_chat": True,
                    }
                ],
            },
            {
                "endpoint": "groq",
                "kind": "openai",
                "base_url": "http://groq.test",
                "status": "no_key",
                "message": "set GROQ_API_KEY",
                "hint": HINT,
                "models": [],
            },
        ]
    }
