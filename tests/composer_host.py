"""A program that is a composer, its queue and nothing else, with fakes for what it needs."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from textual import on
from textual.app import App
from textual.containers import Vertical
from textual.widgets import Input
from ui_fakes import SHIPPED_THEMES

from moa_tui.errors import ConfigError
from moa_tui.ui import themes
from moa_tui.ui.commands import Command
from moa_tui.ui.composer.completion import Completions
from moa_tui.ui.composer.composer import Composer, Draft, Prompt, Queue

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from textual.app import ComposeResult
    from textual.dom import DOMNode
    from textual.pilot import Pilot

    from moa_tui.ui.ports import Editor


def command(id_: str, does: str = "", *keys: str, works: bool = True) -> Command:
    """Return a command of nobody's."""
    return Command(
        id=id_,
        label=id_,
        does=does or f"Does {id_}",
        keys=keys,
        node=cast("DOMNode", None),
        action=id_,
        works=works,
    )


@dataclass
class FakeFiles:
    """Folders and texts by name; reading and listing wait while ``is_held``."""

    folders: Mapping[str, Sequence[str]] = field(default_factory=dict)
    texts: dict[str, str | ConfigError] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    is_held: bool = False
    released: asyncio.Event = field(default_factory=asyncio.Event)

    async def names(self, folder: str, /) -> Sequence[str]:
        self.asked.append(folder)
        if self.is_held:
            await self.released.wait()
        return self.folders.get(folder, ())

    async def read(self, name: str, /) -> str | None:
        self.asked.append(name)
        if self.is_held:
            await self.released.wait()
        found = self.texts.get(name)
        if isinstance(found, ConfigError):
            raise found
        return found


@dataclass
class FakeEditor:
    """Writes ``result``, or fails with ``failure``."""

    result: str = ""
    failure: str = ""
    got: list[str] = field(default_factory=list)

    async def edit(self, text: str, away: Callable[[], AbstractContextManager[object]], /) -> str:
        self.got.append(text)
        with away():
            if self.failure:
                raise ConfigError(self.failure)
            return self.result


class Host(App[None]):
    """Shows a composer and keeps what it sends."""

    AUTO_FOCUS = "Draft"
    CSS = """
    Vertical { height: 1fr; }
    """

    def __init__(
        self,
        *,
        commands: Sequence[Command] | None = None,
        files: FakeFiles | None = None,
        editor: Editor | None = None,
    ) -> None:
        self.shelf = themes.load([SHIPPED_THEMES])
        super().__init__()
        self.composer = Composer(patience_s=0)
        self.given = (commands, files, editor)
        self.sent: list[Prompt] = []
        self.told: list[tuple[str, str]] = []
        self.grown: list[int] = []
        self.recalled: list[int | None] = []

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return themes.derived(self.current_theme, self.shelf.themes)

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Input()
        yield Queue()
        yield self.composer

    def on_mount(self) -> None:
        commands, files, editor = self.given
        self.composer.equip(
            commands=None if commands is None else lambda: commands, files=files, editor=editor
        )

    @property
    def draft(self) -> Draft:
        return self.query_one(Draft)

    @property
    def card(self) -> Completions:
        return self.query_one(Completions)

    @property
    def offered(self) -> list[str]:
        """The rows of the card as they are painted, without its bar; none when it is closed."""
        if not self.query(Completions) or not self.card.display:
            return []
        region = self.card.region
        rows = self.screen._compositor.render_strips()[region.y : region.bottom]  # noqa: SLF001 - what is really painted
        return [row.text[: region.width].strip(" ▌█") for row in rows]

    @property
    def head(self) -> str:
        """The composer's head as it is painted."""
        row = self.composer.region.y
        return self.screen._compositor.render_strips()[row].text  # noqa: SLF001 - what is really painted

    @on(Composer.Submitted)
    def keep(self, event: Composer.Submitted) -> None:
        self.sent.append(event.prompt)

    @on(Composer.Commanded)
    def keep_command(self, event: Composer.Commanded) -> None:
        self.told.append((event.name, event.argument))

    @on(Draft.Recalled)
    def keep_recalled(self, event: Draft.Recalled) -> None:
        self.recalled.append(event.index)

    @on(Composer.Grown)
    def measure(self) -> None:
        self.grown.append(self.composer.rows)


async def type_(pilot: Pilot[None], text: str) -> None:
    """Type a text, character by character."""
    names = {" ": "space", "/": "slash", "@": "at", ".": "full_stop", '"': "quotation_mark"}
    await pilot.press(*(names.get(char, char) for char in text))
    await pilot.pause()
