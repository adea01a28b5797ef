"""A gateway that we didn't write: Ferro Labs' ``ferrogw``, a program of the ``test`` extra.

It speaks OpenAI's chat completions and passes each call on to the server of the model's target, in
that target's dialect, so it stands in front of a server of ours or of llama.cpp.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sysconfig
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

import pytest
from model_servers import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

KEY = "sk-only-for-this-test"
"""What it wants from its own callers."""


@contextmanager
def gateway(
    folder: Path, targets: Mapping[str, Sequence[str]], environ: Mapping[str, str]
) -> Iterator[str]:
    """Run the gateway until the block ends; yields its base URL.

    ``targets`` are its names of providers, each with models, ``environ`` says where and with which
    key it reaches them. It reaches nothing else: the list of models that it would fetch is looked
    for at a closed port. It has no option for loopback only, so it always wants its key.
    """
    program = shutil.which("ferrogw", path=sysconfig.get_path("scripts"))
    if program is None:
        pytest.skip("the test extra has no gateway for this platform")
    config = folder / "gateway.json"
    rows = [{"virtual_key": name, "models": list(models)} for name, models in targets.items()]
    config.write_text(json.dumps({"strategy": {"mode": "fallback"}, "targets": rows}), "utf-8")
    port = free_port()
    own = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(folder),
        "PORT": str(port),
        "MASTER_KEY": KEY,
        "GATEWAY_CONFIG": str(config),
        "FERRO_MODEL_CATALOG_URL": "http://127.0.0.1:1",
        "RATE_LIMIT_RPS": "0",
    }
    with subprocess.Popen(  # noqa: S603 - the program that the test extra installs
        [program],
        env={**own, **environ},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as child:
        try:
            assert child.stdout is not None
            _wait_until_ready(child.stdout, port)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            child.kill()


def _wait_until_ready(told: IO[str], port: int) -> None:
    """Return once it takes connections, which is at once after it says that it has started."""
    lines = []
    for line in told:
        lines.append(line)
        if '"ferrogw started"' in line:
            break
    else:
        pytest.fail(f"the gateway did not start: {''.join(lines)}")
    for _ in range(10_000):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
    pytest.fail("the gateway takes no connections")
