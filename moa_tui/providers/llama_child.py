"""llama.cpp's own server as a child process: run as a script, never imported.

The parent writes one line of JSON (`Order` of `moa_tui.providers.embedded`) to standard input and
keeps that pipe open; the child answers with one line on standard output, ``{"port": 40123}``, and
lives until the pipe closes, which the kernel sees to even when the parent is killed. What llama.cpp
logs goes to standard error, together with the reason when it can't start.
"""

from __future__ import annotations

import fcntl
import json
import os
import select
import sys
from typing import Any
from urllib.parse import urlsplit

_IN, _OUT, _ERR = 0, 1, 2
_LOG_WARNINGS = 2


def main() -> int:
    """Serve until standard input ends; return 1 when the server can't start."""
    report = os.dup(_OUT)
    # llama.cpp logs to both streams; only our one line may reach the parent's pipe.
    os.dup2(_ERR, _OUT)
    order = json.loads(_line(_IN))
    _die_with_parent()
    try:
        server = _serve(order)
    except Exception as error:  # noqa: BLE001 - this is the process's edge: the parent reads it
        sys.stderr.write(f"{error}\n")
        return 1
    port = urlsplit(server.listening_address).port
    os.write(report, json.dumps({"port": port}).encode() + b"\n")
    os.close(report)
    while os.read(_IN, 1024):
        pass
    return 0


def _line(descriptor: int) -> bytes:
    """Read up to a newline without taking more than is there."""
    line = b""
    while not line.endswith(b"\n"):
        piece = os.read(descriptor, 65536)
        if not piece:
            sys.exit(0)
        line += piece
    return line


def _die_with_parent() -> None:
    """Let the kernel end this process when the pipe closes while a model loads.

    Loading holds the interpreter lock for as long as it takes, so no thread could watch the pipe.
    SIGIO's default action ends the process, and nothing but the pipe's end comes after the order.
    macOS ignores SIGIO: there the process ends once the model is loaded.
    """
    fcntl.fcntl(_IN, fcntl.F_SETOWN, os.getpid())
    flags = fcntl.fcntl(_IN, fcntl.F_GETFL)
    fcntl.fcntl(_IN, fcntl.F_SETFL, flags | os.O_ASYNC)
    # It may have closed before the signal was asked for.
    if select.select([_IN], [], [], 0)[0]:
        sys.exit(0)


def _serve(order: dict[str, Any]) -> Any:  # noqa: ANN401 - xllamacpp ships no types
    # By default llama.cpp's threads spin while they wait for each other: beside other busy programs
    # 2 cores wrote 2 tokens a second so, and 28 asleep. OpenMP reads it when it is loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    import xllamacpp  # noqa: PLC0415 - an optional extra of 100 MB, loaded where it is used

    params = xllamacpp.CommonParams()
    params.model.path = order["path"]
    params.model_alias = {order["alias"]}
    params.api_keys = [order["key"]]
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.verbosity = _LOG_WARNINGS
    params.ui = False
    params.endpoint_slots = False
    # Each slot has a window of its own: in a shared one (kv_unified) the request that overflows
    # it takes all others down with "Context size has been exceeded".
    params.n_parallel = order["slots"]
    params.n_ctx = order["slots"] * order["window"]
    params.fit_params = False
    # The default keeps up to 8 GB of old prompts in memory.
    params.cache_ram_mib = 0
    params.cache_idle_slots = False
    params.cpuparams.n_threads = order["threads"]
    params.cpuparams_batch.n_threads = order["threads"]
    if order["is_small"]:
        _guard_against_loops(params.sampling)
    return xllamacpp.Server(params)


def _guard_against_loops(sampling: Any) -> None:  # noqa: ANN401 - xllamacpp ships no types
    """Keep a very small model from saying its paragraphs again and again.

    Of four trial merges by SmolLM2 all ended by themselves and stayed with their references so.
    The repeat penalty alone, 1.15 over 64 tokens, let whole paragraphs loop; a stronger or longer
    one drove the model off its subject.
    """
    sampling.penalty_repeat = 1.1
    sampling.penalty_last_n = 128
    sampling.dry_multiplier = 0.8
    sampling.dry_allowed_length = 3
    sampling.dry_penalty_last_n = 300


if __name__ == "__main__":
    code = main()
    if code:
        # llama.cpp logs in a thread of its own: its way out lets that write why it can't start.
        sys.exit(code)
    # With a server running, the interpreter's own way out waits for that server's threads.
    os._exit(code)
