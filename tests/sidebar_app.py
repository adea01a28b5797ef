"""A screen of nothing but a sidebar and the footer, for tests of what its keys and clicks do."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import App
from textual.containers import Horizontal
from textual.widgets import Button
from ui_fakes import SHIPPED_THEMES

from moa_tui.ui import themes
from moa_tui.ui.footer import Footer, display, shown_bindings
from moa_tui.ui.sidebar.sidebar import Sidebar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult
    from textual.message import Message

    from moa_tui.engine.mixture import Mixture
    from moa_tui.ui.ports import EndpointState

WIDTH = 33


class SidebarApp(App[None]):
    """Hosts a sidebar and keeps what it asks for, in ``asked``, and says, in ``told``."""

    CSS: ClassVar[str] = "Horizontal { height: 1fr; } Screen { layers: base over; }"
    ENABLE_COMMAND_PALETTE = False

    def __init__(
        self,
        mixture: Mixture,
        *,
        states: Sequence[EndpointState] = (),
        is_editable: bool = True,
        theme: str = "moa-dark",
    ) -> None:
        # Textual asks for the variables of a theme while it is being built.
        self._shelf = themes.load([SHIPPED_THEMES])
        super().__init__()
        for known in self._shelf.themes.values():
            self.register_theme(known)
        self.theme = theme
        self.sidebar = Sidebar(
            mixture,
            states=states,
            hints={"mixture": "^t", "endpoints": "f8"},
            is_editable=is_editable,
        )
        self.asked: list[Message] = []

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Return our variables."""
        return themes.derived(self.current_theme, self._shelf.themes)

    def compose(self) -> ComposeResult:
        """Sidebar, something else that takes the focus, footer."""
        with Horizontal():
            yield self.sidebar
            yield Button("elsewhere", id="elsewhere")
        yield Footer()

    @on(Sidebar.Edited)
    @on(Sidebar.WantsModel)
    @on(Sidebar.WantsText)
    @on(Sidebar.WantsEndpoint)
    @on(Sidebar.WantsPresets)
    @on(Sidebar.WantsSave)
    def keep(self, message: Message) -> None:
        """Note what is asked for."""
        self.asked.append(message)

    @property
    def told(self) -> list[str]:
        """What was said in notices."""
        return [notice.message for notice in self._notifications]

    @property
    def column(self) -> list[str]:
        """The sidebar's rows as they are painted, its rule left out."""
        strips = self.screen._compositor.render_strips()  # noqa: SLF001 - what is really painted
        return [
            strip.crop(0, WIDTH - 1).text.rstrip() for strip in strips[: self.sidebar.size.height]
        ]

    @property
    def footer(self) -> str:
        """The keys that the footer has to tell: "enter model, d remove"."""
        shown = shown_bindings(self.screen)
        return ", ".join(f"{display(binding)} {binding.description}" for binding in shown)
