"""A config in which nothing is found but what a test sets up."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def configured(folder: Path, **base_urls: str) -> None:
    """Write a config in which the user's own servers are these; the others' ports are closed."""
    with socket.create_server(("127.0.0.1", 0)) as unused:
        closed = f"http://127.0.0.1:{unused.getsockname()[1]}"
    usual = dict.fromkeys(("ollama", "lmstudio", "llamacpp", "vllm"), closed)
    tables = [
        f'[endpoints.{name}]\nbase_url = "{url}"\n' for name, url in {**usual, **base_urls}.items()
    ]
    (folder / "config.toml").write_text("\n".join(tables), "utf-8")
