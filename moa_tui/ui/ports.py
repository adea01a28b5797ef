"""What the screen and the commands need of the rest of the program, as protocols.

The composition root builds a `Ports`; tests build one of fakes.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from random import Random, SystemRandom
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal, Protocol, TypeAlias

from moa_tui.engine.provider import canonical
from moa_tui.text import redact

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from moa_tui.engine.clock import Clock
    from moa_tui.engine.mixture import Mixture
    from moa_tui.engine.provider import Endpoint, ModelInfo, Providers
    from moa_tui.ui.store import Store


class EmbeddedModel(Protocol):
    """The model that needs nothing but a download."""

    @property
    def is_present(self) -> bool:
        """Whether its file is in the models folder, whole."""
        ...

    @property
    def model(self) -> str:
        """How a mixture names it: "endpoint/model"."""
        ...

    @property
    def title(self) -> str:
        """Name, size and licence in words: "SmolLM2 (98 MB, Apache-2.0)"."""
        ...

    async def fetch(self, progress: Callable[[int, int], None], /) -> None:
        """Download, check and unpack it; ``progress`` hears (bytes done, bytes in all).

        Raises:
            ConfigError: the extra is missing or the download failed; nothing half is left.
        """
        ...


EndpointStatus: TypeAlias = Literal["unasked", "asking", "found", "absent", "failed", "no_key"]
"""``unasked``: a hosted one that has its key and wasn't contacted; ``absent``: nothing listens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointState:
    """What is known of an endpoint; ``message`` and ``hint`` are words for a failed one."""

    endpoint: Endpoint
    status: EndpointStatus = "unasked"
    models: tuple[ModelInfo, ...] = ()
    message: str = ""
    hint: str = ""


def info_of(states: Iterable[EndpointState], model: str) -> ModelInfo | None:
    """Return what the endpoints' listings say of "endpoint/model"; None: nothing."""
    name, _, own = model.partition("/")
    state = next((state for state in states if state.endpoint.name == name), None)
    if state is None:
        return None
    kind = state.endpoint.kind
    wanted = canonical(own, kind)
    return next((each for each in state.models if canonical(each.id, kind) == wanted), None)


Origin: TypeAlias = Literal["yours", "shipped", "yours for shipped"]
"""Whose file a preset is; the last is the user's own in the place of a shipped one."""


class Endpoints(Protocol):
    """The places where models are, and what was found out about them."""

    def states(self) -> tuple[EndpointState, ...]:
        """Return what is known now, in the order to show."""
        ...

    async def detect(self) -> tuple[EndpointState, ...]:
        """Probe the user's own in parallel, 300 ms on this machine; nothing hosted is contacted."""
        ...

    async def ask(self, name: str, /) -> EndpointState:
        """Probe one and list its models, hosted or not; a failure is in the state, in words."""
        ...

    def info(self, model: str, /) -> ModelInfo | None:
        """Return what the last listing says of "endpoint/model"; None: nothing."""
        ...

    async def look_up(self, model: str, /) -> ModelInfo | None:
        """Return the same, after one listing of the endpoint unless there was one; never fails."""
        ...

    async def add(self, text: str, /) -> EndpointState:
        """Add the endpoint that a URL, a host or the NAME of a key variable means.

        It is probed on the spot and, when it answers, remembered.

        Raises:
            ConfigError: the text means none, or what it means doesn't answer: in words.
        """
        ...

    def remove(self, name: str, /) -> Callable[[], None]:
        """Forget an endpoint that was added; return what brings it back.

        Raises:
            ConfigError: nobody added it, or it can't be forgotten: in words; later, it can't be
                brought back.
        """
        ...

    def pull(self, model: str, /) -> AsyncGenerator[tuple[int, int], None]:
        """Fetch "endpoint/model" where its server can; yields (bytes done, bytes in all).

        Raises:
            ConfigError: that endpoint can't fetch models.
            ProviderError: it failed.
        """
        ...


class Presets(Protocol):
    """The mixtures that have a name: the user's, the shipped, and those made of what was found."""

    def names(self) -> tuple[str, ...]:
        """Return all names, sorted."""
        ...

    def load(self, name: str, /) -> Mixture:
        """Return a preset's mixture.

        Raises:
            ConfigError: no preset has this name, or its file has a mistake.
        """
        ...

    def source(self, name: str, /) -> str:
        """Return a preset's file as text that is safe to show.

        Raises:
            ConfigError: no preset has this name, or its file can't be read.
        """
        ...

    def all(self) -> tuple[tuple[Mixture, ...], tuple[str, ...]]:
        """Return every preset that can be read, and the others' mistakes in words."""
        ...

    def origin(self, name: str, /) -> Origin:
        """Return whose preset this is.

        Raises:
            ConfigError: no preset has this name.
        """
        ...

    def made(self, states: Sequence[EndpointState], /) -> tuple[Mixture, ...]:
        """Return the mixtures that what was found makes, the best first.

        They have no file, but for the preset of an endpoint's name: it is among them as it is.
        """
        ...

    def filled(self, mixture: Mixture, states: Sequence[EndpointState], /) -> Mixture:
        """Return a preset's mixture with models in the seats that it leaves open."""
        ...

    def last_resort(self) -> Mixture:
        """Return the shipped mixture of the embedded model, whatever the user's own says."""
        ...

    def save(self, mixture: Mixture, /, *, over: Mixture | None = None) -> str:
        """Write the mixture to the user's folder, whole or not at all; return the preset's name.

        The name is the mixture's, with - for spaces. ``over`` is what its file said when it was
        read: if it says something else by now, nothing is written. None replaces whatever is there.

        Raises:
            ConfigError: the name can't be a file's, the mixture is none that a preset can hold, or
                the file has changed, has a mistake, or can't be written.
        """
        ...

    def delete(self, name: str, /) -> Callable[[], None]:
        """Remove the user's preset of this name; return what brings it back.

        Raises:
            ConfigError: it is shipped, or can't be removed; later, it can't be brought back.
        """
        ...

    def rename(self, name: str, wanted: str, /) -> str:
        """Give the user's preset another name, and return that with - for spaces.

        Raises:
            ConfigError: the preset is shipped, the name is taken or can't be a file's, or the file
                can't be renamed.
        """
        ...


class Memory(Protocol):
    """What the program remembers by itself, in state.toml."""

    def remember(self, table: str, key: str, value: str | float, /) -> None:
        """Write one value, like ("preferences", "theme", "moa-light").

        Raises:
            ConfigError: the file can't be written.
        """
        ...


SettingKey: TypeAlias = Literal["theme", "notify", "title", "glyphs", "motion", "sidebar", "budget"]
"""The preferences that the settings dialog shows, as the files call them."""

SettingValue: TypeAlias = "str | bool | float"


@dataclass(frozen=True, slots=True)
class Setting:
    """The value of a preference and where it comes from.

    ``origin`` is "default", "locale", the file, the environment's variable or the option by name.
    ``fixed_by`` names the file or variable that stands above what the program can write; "" is
    none.
    """

    value: SettingValue
    origin: str = "default"
    fixed_by: str = ""


class Settings(Protocol):
    """The preferences as they hold now, and the way to change them."""

    def values(self) -> Mapping[SettingKey, Setting]:
        """Return every preference."""
        ...

    def change(self, key: SettingKey, value: SettingValue, /) -> None:
        """Write a value to state.toml, which takes its time: call it off the loop.

        Raises:
            ConfigError: something stands above the file, or it can't be written: in words.
        """
        ...


def budget_of(settings: Settings | None) -> float:
    """Return how many dollars a conversation may cost before one is asked, 0 for no bound."""
    return 0.0 if settings is None else float(settings.values()["budget"].value)


class Files(Protocol):
    """The text files that a prompt can name."""

    async def names(self, folder: str, /) -> Sequence[str]:
        """Return what is in a folder ("" or one that ends with a slash), folders with a slash.

        Nothing where it can't be read.
        """
        ...

    async def read(self, name: str, /) -> str | None:
        """Return a text file's content, safe to show; None where nothing has this name.

        Raises:
            ConfigError: it can't be attached; the message says why.
        """
        ...


class Papers(Protocol):
    """Where what is exported goes."""

    async def write(self, title: str, text: str, /) -> str:
        """Write a page to a new file, named after its title, and return where it is.

        Raises:
            ConfigError: it can't be written; the message says why.
        """
        ...


class Editor(Protocol):
    """The user's own editor."""

    async def edit(self, text: str, away: Callable[[], AbstractContextManager[object]], /) -> str:
        """Return the text as the user left it; the terminal is the editor's within ``away()``.

        Raises:
            ConfigError: there is no editor, or it failed; the message says so.
        """
        ...


OfFound: TypeAlias = "Callable[[Sequence[EndpointState]], Mixture]"
"""Makes a mixture of what was found; it may raise ConfigError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """What the program was started with: the mixture, why it, and what to tell first.

    ``saved`` is the mixture as its preset has it, where the command line changed that.
    ``of_found`` returns the mixture that what detection finds makes; it takes the place of the
    first one as long as nothing was asked or changed. None: somebody chose, now or earlier.
    ``is_named``: the command line says which mixture, so that a stored conversation brings none;
    nor does one where ``is_unkept``: its edits stand in no preset and no stored run yet.
    ``notices`` are plain sentences about files that are broken and were left out. ``is_demo``
    labels the screen. ``session`` is the id of a stored one to go on with, "last" for the newest.
    ``is_replay``: its last race is replayed at once.
    """

    mixture: Mixture
    saved: Mixture | None = None
    of_found: OfFound | None = None
    is_named: bool = False
    is_unkept: bool = False
    notices: Sequence[str] = ()
    is_demo: bool = False
    session: str = ""
    is_replay: bool = False


TERMINAL_VARIABLES: Final = (
    *("TERM", "TERM_PROGRAM", "TMUX", "STY", "LC_TERMINAL", "ITERM_SESSION_ID", "WEZTERM_PANE"),
    *("GHOSTTY_RESOURCES_DIR", "KITTY_WINDOW_ID"),
)
"""The variables of the environment by which a terminal says what it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """The services behind the screen; ``theme`` is a name, ``theme_folders`` the last one wins.

    ``endpoints`` are those known by name, so that prices can be told before anybody is called: a
    live view, to which `Endpoints.add` adds. ``places``, ``presets`` and ``memory`` are None where
    nothing can be looked for, chosen or remembered; so are ``settings`` where none can be changed,
    ``store`` where conversations aren't kept (it returns the one that its first call opens),
    ``files`` where none can be attached, ``editor`` where there is no terminal for one, and
    ``papers`` where nothing can be exported.
    ``keymap`` are the keys that the user chose, as ``[keys]`` has them: unchecked, by command.
    ``date`` returns seconds since the epoch, ``chance`` draws lots. ``terminal`` is what the
    environment says about the terminal, in `TERMINAL_VARIABLES`. ``masked`` hides every key in use
    in a text.
    """

    providers: Providers
    clock: Clock
    embedded: EmbeddedModel
    theme: str = "moa-dark"
    theme_folders: Sequence[Path] = ()
    endpoints: Mapping[str, Endpoint] = field(default_factory=lambda: MappingProxyType({}))
    places: Endpoints | None = None
    presets: Presets | None = None
    memory: Memory | None = None
    settings: Settings | None = None
    store: Callable[[], Store] | None = None
    date: Callable[[], float] = time.time
    chance: Random = field(default_factory=SystemRandom)
    files: Files | None = None
    editor: Editor | None = None
    papers: Papers | None = None
    keymap: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    terminal: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    masked: Callable[[str], str] = redact
