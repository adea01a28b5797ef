"""Baseline of streaming: a Markdown widget a tile, fed as Textual's documentation does it."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import httpx
from textual.app import App
from textual.containers import Grid, VerticalScroll
from textual.widgets import Input, Markdown

if TYPE_CHECKING:
    from textual.app import ComposeResult


class MarkdownTiles(App[None]):
    """Six tiles and a prompt; enter streams every model into its tile."""

    DEFAULT_CSS = """
    Grid { grid-size: 3 2; height: 1fr; }
    """

    def __init__(self, base_url: str, models: list[str]) -> None:
        super().__init__()
        self._url = f"{base_url}/chat/completions"
        self._models = models

    def compose(self) -> ComposeResult:
        """Yield the tiles, then the prompt."""
        with Grid():
            for model in self._models:
                with VerticalScroll():
                    yield Markdown(id=model)
        yield Input(placeholder="Ask")

    def on_mount(self) -> None:
        """Follow every tail, and take keys at once."""
        for tile in self.query(VerticalScroll):
            tile.anchor()
        self.query_one(Input).focus()

    def on_input_submitted(self) -> None:
        """Start all streams."""
        self.query_one(Input).clear()
        for model in self._models:
            self.run_worker(self._stream(model))

    async def _stream(self, model: str) -> None:
        tile = Markdown.get_stream(self.query_one(f"#{model}", Markdown))
        request = {"model": model, "stream": True, "messages": []}
        async with (
            httpx.AsyncClient(timeout=60) as client,
            client.stream("POST", self._url, json=request) as response,
        ):
            async for line in response.aiter_lines():
                if not line.startswith("data: {"):
                    continue
                for choice in json.loads(line[6:])["choices"]:
                    await tile.write(choice["delta"].get("content", ""))
        await tile.stop()


if __name__ == "__main__":
    MarkdownTiles(sys.argv[1], sys.argv[2:]).run()
