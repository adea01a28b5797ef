"""The preset picker: mixtures by name, what each looks like, and what of it is there."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Protocol

from textual.binding import Binding

from moa_tui.engine.mixture import Mixture
from moa_tui.errors import ConfigError
from moa_tui.text import clean, one_line
from moa_tui.ui.dialogs import preset_rows, texts
from moa_tui.ui.dialogs.liveness import Known, Liveness
from moa_tui.ui.dialogs.picker import Picker
from moa_tui.ui.dialogs.preset_rows import PresetListing
from moa_tui.ui.dialogs.writing import LineDialog

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from textual.binding import BindingType

    from moa_tui.engine.provider import Endpoint
    from moa_tui.ui import look
    from moa_tui.ui.dialogs.choices import Grid, Listing
    from moa_tui.ui.dialogs.preset_rows import Entry, Library
    from moa_tui.ui.ports import EndpointState


class Shelf(Protocol):
    """The presets; what changes one may raise ConfigError, which is told."""

    @property
    def can_undelete(self) -> bool:
        """Whether a preset was deleted that isn't back."""
        ...

    def library(self) -> Library:
        """Return all there are now."""
        ...

    def delete(self, name: str, /) -> None:
        """Remove a preset of the user's; a shipped one of the same name is there then."""
        ...

    def undelete(self) -> str:
        """Bring back the preset that was deleted last, and return its name."""
        ...

    def rename(self, name: str, wanted: str, /) -> str:
        """Give a preset of the user's another name, and return it as it is written."""
        ...


class PresetPicker(Picker[Mixture]):
    """Shows the presets of ``shelf``; enter ends with the chosen mixture, esc with None.

    ``now`` is the name of the preset in use, ``endpoints`` those that may be called though no state
    tells of them.

    ``pull`` hears the models ("ollama/name") that are to be fetched for a preset. Whoever fetches
    them tells `show_pull` and `end_pull`, goes on when the dialog closes, and brings the states
    that hold then by `show`.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "choose", id="preset.choose", tooltip="Use this preset"),
        Binding("f2", "rename", "rename", id="preset.rename", tooltip="Rename this preset"),
        Binding(
            "ctrl+d", "delete", "delete", id="preset.delete", tooltip="Delete this preset of yours"
        ),
        Binding(
            "ctrl+z",
            "undelete",
            "undo",
            id="preset.undelete",
            tooltip="Bring back the preset that was deleted last",
        ),
        Binding(
            "ctrl+l",
            "pull",
            "pull what is missing",
            id="preset.pull",
            tooltip="Have Ollama fetch it",
        ),
        Binding("escape", "close", "close", id="dialog.close", tooltip="Close, nothing chosen"),
    ]

    def __init__(
        self,
        shelf: Shelf,
        states: Sequence[EndpointState] = (),
        *,
        now: str = "",
        endpoints: Mapping[str, Endpoint] | None = None,
        pull: Callable[[tuple[str, ...]], object] | None = None,
        query: str = "",
    ) -> None:
        super().__init__(texts.PRESETS, texts.TYPE_PRESET, query=query)
        self._shelf = shelf
        self._library = shelf.library()
        self._endpoints = endpoints or {}
        self._known = Known.of(states, self._endpoints)
        self._now = now
        self._pull = pull
        self._pulls: dict[str, Liveness] = {}
        self._listing = PresetListing(())
        self._said = ""

    def show(self, states: Sequence[EndpointState]) -> None:
        """Show what is known of the endpoints now; the cursor stays on its preset."""
        self._known = Known.of(states, self._endpoints)
        # What was pulled is in a listing by now.
        self._pulls = {name: live for name, live in self._pulls.items() if live.mark != "live"}
        if self.is_mounted:
            self.relist(at=self.at)

    def show_pull(self, model: str, done: int, total: int) -> None:
        """Tell how far a pull is, in bytes; a total of 0 is unknown yet."""
        self._tell_pull(model, Liveness("coming", texts.pulling(done, total)))

    def end_pull(self, model: str, why: str = "") -> None:
        """Tell that a pull is over; ``why`` it failed, in words."""
        failed = Liveness(
            "missing", texts.NOT_PULLED, texts.pull_failed(one_line(why, 300)), can_pull=True
        )
        self._tell_pull(model, failed if why else Liveness("live", texts.PULLED))

    def _tell_pull(self, model: str, live: Liveness) -> None:
        self._pulls[model] = live
        if self.is_mounted:
            self.retell()
            self.refresh_bindings()

    def listing(self, query: str) -> Listing:
        """Return the presets that the query finds."""
        self._listing = found = self._found(query)
        count = sum(row.entry is not None for row in found.rows)
        facts = self._said or texts.found(count, len(self._library.entries), "preset")
        self.tell(texts.PRESETS, facts)
        return found

    def typed(self) -> None:
        """Say again how many there are."""
        self._said = ""

    def start(self, listing: Listing) -> int:
        """Return the row of the preset in use, while nothing is typed."""
        del listing
        return 0 if self._listing.query else self._listing.where(self._now)

    def rows_about(self, height: int) -> int:
        """Return somewhat less than half of the card."""
        return max(1, min(18, (height - 3) * 9 // 20))

    def about(self, width: int, rows: int, palette: look.Palette) -> Grid:
        """Return what the preset under the cursor looks like and what of it is there."""
        if self.at is None or self.at >= len(self._listing):
            return []
        row = self._listing.rows[self.at]
        return preset_rows.about(
            row, self._known, self._pulls, width=width, rows=rows, palette=palette
        )

    @property
    def _entry(self) -> Entry | None:
        return self._listing.entry(self.at)

    @property
    def _missing(self) -> tuple[str, ...]:
        """The models that the preset under the cursor needs and Ollama could fetch."""
        if self.at is None or self.at >= len(self._listing):
            return ()
        return tuple(
            one.model
            for one in self._listing.rows[self.at].checked
            if not one.is_spare and self._pulls.get(one.model, one.liveness).can_pull
        )

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Return whether a key does something on the row under the cursor."""
        match action:
            case "choose":
                return self._entry is not None
            case "delete" | "rename":
                return self._entry is not None and self._entry.is_yours
            case "undelete":
                return self._shelf.can_undelete
            case "pull":
                return self._pull is not None and bool(self._missing)
            case _:
                return super().check_action(action, parameters)

    def action_choose(self) -> None:
        """End with the mixture under the cursor."""
        if self._entry is not None:
            self.dismiss(self._entry.mixture)

    def action_rename(self) -> None:
        """Ask for another name."""
        entry = self._entry
        if entry is None:
            return
        name = entry.mixture.name

        def refused(wanted: str) -> str:
            try:
                renamed = self._shelf.rename(name, wanted)
            except ConfigError as error:
                return str(error)
            self._now = renamed if self._now == name else self._now
            self._reread(renamed)
            return ""

        self.app.push_screen(LineDialog(texts.RENAME, name, check=refused))

    def action_delete(self) -> None:
        """Delete the preset at once: ctrl+z brings it back."""
        entry = self._entry
        if entry is None:
            return
        try:
            self._shelf.delete(entry.mixture.name)
        except ConfigError as error:
            self._warn(error)
            return
        self._said = texts.deleted(self.key_of("preset.undelete", "ctrl+z"))
        self._library = self._shelf.library()
        self.relist(at=self.at)

    def action_undelete(self) -> None:
        """Bring back the preset that was deleted last."""
        try:
            name = self._shelf.undelete()
        except ConfigError as error:
            self._warn(error)
        else:
            self._reread(name)

    def _reread(self, name: str) -> None:
        """Show what is there now, the cursor on this preset, whatever was typed to find it."""
        self._said = ""
        self._library = self._shelf.library()
        if all(row.name != name for row in self._found(self.query_text).rows):
            self.empty()
        self.relist(at=self._found(self.query_text).where(name))

    def _found(self, query: str) -> PresetListing:
        return PresetListing.of(self._library, self._known, query=query, now=self._now)

    def _warn(self, error: ConfigError) -> None:
        self.notify(clean(str(error)), severity="warning", markup=False)

    def action_pull(self) -> None:
        """Have what Ollama can fetch for this preset fetched."""
        missing = self._missing
        if self._pull is None or not missing:
            return
        for model in missing:
            self.show_pull(model, 0, 0)
        self._pull(missing)
