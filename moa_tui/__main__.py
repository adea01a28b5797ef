"""The composition root: it reads the environment and the folders, wires, and owns lifetimes."""

from __future__ import annotations

import io
import os
import sys
import threading
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, assert_never

from moa_tui.cli.arguments import parse
from moa_tui.cli.setup import Setup, Streams, UnwritableError
from moa_tui.errors import ConfigError, MoaError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping, Sequence

    from moa_tui.cli.arguments import Arguments
    from moa_tui.connections import Connections
    from moa_tui.log import Log
    from moa_tui.presets import Presets
    from moa_tui.storage.store import Store

_FAILED, _USAGE, _INTERRUPTED = 1, 2, 130


@dataclass(frozen=True, slots=True, kw_only=True)
class Folders:
    """Where the program's files are."""

    config: Path
    data: Path
    log: Path

    @property
    def models(self) -> Path:
        """The embedded models."""
        return self.data / "models"


def folders(config_dir: str | None, environ: Mapping[str, str]) -> Folders:
    """Return the program's folders: all under the one that is given, else the system's.

    Raises:
        ConfigError: the given one is a file.
    """
    given = config_dir or environ.get("MOA_TUI_CONFIG_DIR")
    if given:
        base = Path(given).expanduser()
        if base.exists() and not base.is_dir():
            raise ConfigError(f"{base} is no folder")
        return Folders(config=base, data=base / "data", log=base / "log")
    import platformdirs  # noqa: PLC0415 - not needed when a folder is given

    return Folders(
        config=platformdirs.user_config_path("moa-tui", appauthor=False),
        data=platformdirs.user_data_path("moa-tui", appauthor=False),
        log=platformdirs.user_log_path("moa-tui", appauthor=False),
    )


def speaks_utf8(environ: Mapping[str, str]) -> bool:
    """Return whether the terminal's locale is UTF-8, as tmux tells; without any it is."""
    named = (environ.get(name) for name in ("LC_ALL", "LC_CTYPE", "LANG"))
    locale = next(filter(None, named), "UTF-8").upper()
    return "UTF-8" in locale or "UTF8" in locale


def terminal_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables by which a terminal says what it is, and no others: some are keys."""
    from moa_tui.ui.ports import TERMINAL_VARIABLES  # noqa: PLC0415 - lazy

    return {name: environ[name] for name in TERMINAL_VARIABLES if environ.get(name)}


def theme_folders(config: Path) -> tuple[Path, ...]:
    """Return where themes are: the wheel's, a checkout's, the user's; the last one wins."""
    package = Path(__file__).parent
    return (package / "themes", package.parent / "themes", config / "themes")


# The commands


@dataclass(frozen=True, slots=True)
class Program:
    """One start of the program; ``run`` is the command line as a function.

    ``log`` is None unless one is wanted: then nothing is logged. ``masks`` hide the keys of the
    command that runs.
    """

    environ: Mapping[str, str]
    streams: Streams
    log: Log | None = None
    masks: list[Callable[[str], str]] = field(default_factory=list)

    def run(self, argv: Sequence[str]) -> int:
        """Do what the arguments say and return the exit code; mistakes are told in words."""
        try:
            return self._logged(parse(argv))
        except MoaError as error:
            for line in str(error).splitlines():
                self.streams.tell(line)
            return _USAGE
        except KeyboardInterrupt:
            return _INTERRUPTED
        except BrokenPipeError:
            self.streams.drop_output()
            return 0
        except UnwritableError as error:
            self.streams.drop_output()
            self.streams.tell(str(error))
            return _FAILED

    def _logged(self, arguments: Arguments) -> int:
        """Carry out the command, inside a log if one is wanted and can be written."""
        if not arguments.is_debug and self.environ.get("DEBUG", "") in ("", "0"):
            return self.carry_out(arguments)
        from moa_tui.engine.clock import AsyncioClock  # noqa: PLC0415 - brings asyncio
        from moa_tui.log import Log  # noqa: PLC0415 - most starts write none

        path = folders(arguments.config_dir, self.environ).log / "moa-tui.log"
        try:
            log = Log(path, self.environ, clock=AsyncioClock())
        except OSError as error:
            self.streams.tell(f"nothing is logged, {path} can't be written: {error.strerror}")
            return self.carry_out(arguments)
        if arguments.is_debug and not arguments.is_quiet:
            self.streams.tell(f"logging to {path}")
        try:
            with log:
                log.told(f"command {arguments.command}, {arguments.wishes}")
                return replace(self, log=log).carry_out(arguments)
        finally:
            if log.trouble:
                self.streams.tell(f"{path} is not whole: {log.trouble}")

    def tell_bug(self) -> None:
        """Write the traceback of what is being handled; a message in it may hold a key."""
        import traceback  # noqa: PLC0415 - only a bug needs it

        from moa_tui.text import clean, redact  # noqa: PLC0415 - as above

        told = redact(traceback.format_exc())
        for mask in self.masks:
            told = mask(told)
        self.streams.stderr.write(clean(told))

    def carry_out(self, arguments: Arguments) -> int:
        """Do what the arguments say and return the exit code.

        Raises:
            MoaError: it can't be done; the message says why.
        """
        if arguments.as_json:
            self.streams.speak_utf8()
        match arguments.command:
            case "screen" | "demo" | "replay":
                return self._screen(arguments)
            case "ask":
                return self._ask(arguments)
            case "presets":
                return self._presets(arguments)
            case "models":
                return self._models(arguments)
            case "sessions":
                return self._sessions(arguments)
            case "doctor":
                return self._doctor(arguments)
            case "pull":
                return self._pull(arguments)
            case _:
                assert_never(arguments.command)

    def _screen(self, arguments: Arguments) -> int:
        from moa_tui.cli.screen import refuse_without_terminal, show, start_of  # noqa: PLC0415 - lazy

        if refuse_without_terminal(self.streams):
            return _USAGE
        # Textual paints on a clock of its own, and a token that waits for it at the usual 60 Hz
        # comes 14 ms later. It reads this when it is imported.
        os.environ.setdefault("TEXTUAL_FPS", "120")
        # The milliseconds after which an esc is the key and no sequence's beginning; 100 would be
        # all the time that there is to say that sixty streams are stopped.
        os.environ.setdefault("ESCDELAY", "25")
        setup, connections = self.prepared(arguments)
        start = start_of(arguments, setup)
        on_crash = self.log.crashed if self.log else None
        shelf = _Shelf(folders(arguments.config_dir, self.environ).config)

        async def shown() -> int:
            ports = setup.ports if start.is_demo else replace(setup.ports, store=shelf.opened)
            try:
                return await show(start, ports, on_crash=on_crash)
            finally:
                await shelf.aclose()

        return _run(shown, connections)

    def _ask(self, arguments: Arguments) -> int:
        from moa_tui.cli.ask import answer, question  # noqa: PLC0415 - brings the engine

        streams = self.streams
        setup, connections = self.prepared(arguments)
        asked = question(arguments, setup, streams=streams)
        return _run(lambda: answer(asked, arguments, streams=streams), connections)

    def _models(self, arguments: Arguments) -> int:
        from moa_tui.cli.models import models  # noqa: PLC0415 - lazy

        setup, connections = self.prepared(arguments)
        return _run(lambda: models(arguments, setup, streams=self.streams), connections)

    def _doctor(self, arguments: Arguments) -> int:
        from moa_tui.cli.doctor import doctor  # noqa: PLC0415 - brings the engine

        setup, connections = self.prepared(arguments)
        return _run(lambda: doctor(arguments, setup, streams=self.streams), connections)

    def _pull(self, arguments: Arguments) -> int:
        from moa_tui.cli.pull import pull  # noqa: PLC0415 - lazy

        setup, connections = self.prepared(arguments)
        work = pull(
            arguments.text or "",
            embedded=setup.ports.embedded,
            places=setup.places,
            stderr=self.streams.stderr,
        )
        return _run(lambda: _cancelled_by_signals(work), connections)

    def _presets(self, arguments: Arguments) -> int:
        from moa_tui.cli.presets import presets  # noqa: PLC0415 - lazy

        shelf = _presets_in(folders(arguments.config_dir, self.environ))
        return presets(arguments, shelf, streams=self.streams)

    def _sessions(self, arguments: Arguments) -> int:
        from moa_tui.cli.sessions import order, sessions  # noqa: PLC0415 - lazy

        streams = self.streams
        wanted = order(arguments, streams=streams)
        if wanted is None:
            return _FAILED
        from moa_tui.files import rewrite  # noqa: PLC0415 - lazy
        from moa_tui.storage import export  # noqa: PLC0415 - brings the engine and SQLite
        from moa_tui.storage.store import Store  # noqa: PLC0415 - likewise

        folder = folders(arguments.config_dir, self.environ).config

        async def work() -> int:
            store = Store.open(folder)
            try:
                return await sessions(wanted, store, export, rewrite=rewrite, streams=streams)
            finally:
                await store.aclose()

        return _run(work)

    def prepared(self, arguments: Arguments) -> tuple[Setup, Connections]:
        """Return what a command gets, and the connections that somebody must close.

        Raises:
            ConfigError: the config folder can't be one.
        """
        from moa_tui import config  # noqa: PLC0415 - not needed to list presets
        from moa_tui.attachments import LocalFiles  # noqa: PLC0415 - brings asyncio
        from moa_tui.connections import Connections  # noqa: PLC0415 - brings asyncio
        from moa_tui.editor import TerminalEditor  # noqa: PLC0415 - brings asyncio
        from moa_tui.engine.clock import AsyncioClock  # noqa: PLC0415 - brings asyncio
        from moa_tui.memory import StateFile  # noqa: PLC0415 - lazy
        from moa_tui.papers import FolderPapers  # noqa: PLC0415 - as above
        from moa_tui.places import Places  # noqa: PLC0415 - lazy
        from moa_tui.providers.smollm2 import SmolLM2  # noqa: PLC0415 - lazy
        from moa_tui.ui.ports import Ports  # noqa: PLC0415 - lazy
        from moa_tui.ui.settings import KeptSettings  # noqa: PLC0415 - lazy

        where = folders(arguments.config_dir, self.environ)
        settings, notices = config.load(where.config, self.environ)
        if self.log is not None:
            files = [where.config / "config.toml", where.config / "state.toml"]
            self.log.settled(files, settings.endpoints.values(), notices)
        clock, memory = AsyncioClock(), StateFile(where.config)
        shelf = _presets_in(where)
        connections = Connections(
            settings, self.environ, clock=clock, models_folder=where.models, watch=self.log
        )
        self.masks.append(connections.masked)
        embedded = SmolLM2(where.models, clock=clock)
        kept = KeptSettings(
            asdict(settings.preferences),
            settings.origins,
            remember=memory.remember,
            theme=arguments.theme or "",
            is_utf8=speaks_utf8(self.environ),
        )
        ports = Ports(
            providers=connections,
            clock=clock,
            embedded=embedded,
            theme=str(kept.values()["theme"].value),
            theme_folders=theme_folders(where.config),
            endpoints=connections.endpoints,
            places=Places(
                connections,
                clock=clock,
                embedded=embedded,
                remember=memory.remember_endpoint,
                forget=memory.forget_endpoint,
                added=settings.added,
            ),
            presets=shelf,
            memory=memory,
            settings=kept,
            files=LocalFiles(Path()),
            papers=FolderPapers(Path()),
            editor=TerminalEditor(self.environ),
            keymap=settings.keys,
            masked=connections.masked,
            terminal=terminal_variables(self.environ),
        )
        setup = Setup(
            ports=ports,
            presets=shelf,
            endpoints=settings.endpoints,
            preferred=settings.preferences.preset,
            last_used=settings.preferences.last_preset,
            mistakes=settings.mistakes,
            notices=notices,
        )
        return setup, connections


class _Shelf:
    """Opens the store of sessions when it is first wanted: the first paint needs none."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._store: Store | None = None
        self._door = threading.Lock()

    def opened(self) -> Store:
        """Return the store, from any thread; its first call takes 50 ms."""
        with self._door:
            if self._store is None:
                from moa_tui.storage.store import Store  # noqa: PLC0415 - see above

                self._store = Store.open(self._folder)
            return self._store

    async def aclose(self) -> None:
        """Write what is left and close it, if it was opened."""
        if self._store is not None:
            await self._store.aclose()


def _presets_in(where: Folders) -> Presets:
    from moa_tui.presets import Presets  # noqa: PLC0415 - lazy
    from moa_tui.shipped import PRESETS  # noqa: PLC0415 - lazy

    return Presets((PRESETS, where.config / "presets"))


def _run(
    work: Callable[[], Coroutine[None, None, int]], connections: Connections | None = None
) -> int:
    """Run a command's loop; whatever ends it, the connections are closed on the same loop."""
    import asyncio  # noqa: PLC0415 - --version and lists don't need it

    async def owned() -> int:
        try:
            return await work()
        finally:
            if connections is not None:
                await connections.aclose()

    try:
        return asyncio.run(owned())
    except asyncio.CancelledError:
        return _INTERRUPTED


async def _cancelled_by_signals(work: Coroutine[None, None, int]) -> int:
    """Let SIGTERM and SIGHUP end a command as ctrl+c does, so that it clears up."""
    import asyncio  # noqa: PLC0415 - as above
    import signal  # noqa: PLC0415 - as above

    task = asyncio.ensure_future(work)
    for number in (signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    return await task


def _standard_streams() -> Streams:
    """Return the standard streams; a closed one is empty, and no character can't be written."""
    # A closed stream is None; what is written to one goes nowhere.
    streams = Streams(
        stdin=sys.stdin or io.StringIO(),
        stdout=sys.stdout or io.StringIO(),
        stderr=sys.stderr or io.StringIO(),
    )
    for stream in (streams.stdin, streams.stdout, streams.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    return streams


def main() -> NoReturn:
    """Start the program: the console script."""
    program = Program(os.environ, _standard_streams())
    try:
        code = program.run(sys.argv[1:])
    except Exception:  # noqa: BLE001 - a bug: told as Python tells it, but for keys
        code = _FAILED
        program.tell_bug()
    sys.exit(code)


if __name__ == "__main__":
    main()
