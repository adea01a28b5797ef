"""The composition root: it reads the environment and the folders, wires, and owns lifetimes."""

from __future__ import annotations

import io
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, assert_never

from moa_tui.cli.arguments import parse
from moa_tui.cli.setup import Setup, Streams
from moa_tui.errors import ConfigError, MoaError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping, Sequence

    from moa_tui.cli.arguments import Arguments
    from moa_tui.connections import Connections
    from moa_tui.presets import Presets

_USAGE, _INTERRUPTED = 2, 130


@dataclass(frozen=True, slots=True, kw_only=True)
class Folders:
    """Where the program's files are."""

    config: Path
    data: Path

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
        return Folders(config=base, data=base / "data")
    import platformdirs  # noqa: PLC0415 - not needed when a folder is given

    return Folders(
        config=platformdirs.user_config_path("moa-tui", appauthor=False),
        data=platformdirs.user_data_path("moa-tui", appauthor=False),
    )


def theme_folders(config: Path) -> tuple[Path, ...]:
    """Return where themes are: the wheel's, a checkout's, the user's; the last one wins."""
    package = Path(__file__).parent
    return (package / "themes", package.parent / "themes", config / "themes")


# The commands


@dataclass(frozen=True, slots=True)
class Program:
    """One start of the program; ``run`` is the command line as a function."""

    environ: Mapping[str, str]
    streams: Streams

    def run(self, argv: Sequence[str]) -> int:
        """Do what the arguments say and return the exit code; mistakes are told in words."""
        try:
            return self._carry_out(parse(argv))
        except MoaError as error:
            for line in str(error).splitlines():
                self.streams.tell(line)
            return _USAGE
        except KeyboardInterrupt:
            return _INTERRUPTED
        except BrokenPipeError:
            self.streams.drop_output()
            return 0

    def _carry_out(self, arguments: Arguments) -> int:
        match arguments.command:
            case "screen" | "demo":
                return self._screen(arguments)
            case "ask":
                return self._ask(arguments)
            case "pull":
                return self._pull(arguments)
            case "presets":
                return self._presets(arguments)
            case _:
                assert_never(arguments.command)

    def _screen(self, arguments: Arguments) -> int:
        from moa_tui.cli.screen import refuse_without_terminal, show, start_of  # noqa: PLC0415 - lazy

        if refuse_without_terminal(self.streams):
            return _USAGE
        setup, connections = self.prepared(arguments)
        start = start_of(arguments, setup)
        return _run(lambda: show(start, setup.ports), connections)

    def _ask(self, arguments: Arguments) -> int:
        from moa_tui.cli.ask import answer, question  # noqa: PLC0415 - brings the engine

        streams = self.streams
        setup, connections = self.prepared(arguments)
        asked = question(arguments, setup, streams=streams)
        if arguments.as_json and isinstance(streams.stdout, io.TextIOWrapper):
            streams.stdout.reconfigure(encoding="utf-8")
        return _run(lambda: answer(asked, arguments, setup.ports, streams=streams), connections)

    def _pull(self, arguments: Arguments) -> int:
        from moa_tui.cli.pull import pull  # noqa: PLC0415 - lazy
        from moa_tui.engine.clock import AsyncioClock  # noqa: PLC0415 - lazy
        from moa_tui.providers.smollm2 import SmolLM2  # noqa: PLC0415 - lazy

        models = folders(arguments.config_dir, self.environ).models
        work = pull(
            arguments.text or "",
            embedded=SmolLM2(models, clock=AsyncioClock()),
            stderr=self.streams.stderr,
        )
        return _run(lambda: _cancelled_by_signals(work))

    def _presets(self, arguments: Arguments) -> int:
        from moa_tui.cli.presets import presets  # noqa: PLC0415 - lazy

        shelf = _presets_in(folders(arguments.config_dir, self.environ))
        return presets(arguments, shelf, streams=self.streams)

    def prepared(self, arguments: Arguments) -> tuple[Setup, Connections]:
        """Return what a command gets, and the connections that somebody must close.

        Raises:
            ConfigError: the config folder can't be one.
        """
        from moa_tui import config  # noqa: PLC0415 - not needed to list presets
        from moa_tui.connections import Connections  # noqa: PLC0415 - brings asyncio
        from moa_tui.engine.clock import AsyncioClock  # noqa: PLC0415 - brings asyncio
        from moa_tui.memory import StateFile  # noqa: PLC0415 - lazy
        from moa_tui.places import Places  # noqa: PLC0415 - lazy
        from moa_tui.providers.smollm2 import SmolLM2  # noqa: PLC0415 - lazy
        from moa_tui.ui.ports import Ports  # noqa: PLC0415 - lazy

        where = folders(arguments.config_dir, self.environ)
        settings, notices = config.load(where.config, self.environ)
        clock, memory = AsyncioClock(), StateFile(where.config)
        connections = Connections(settings, self.environ, clock=clock, models_folder=where.models)
        embedded = SmolLM2(where.models, clock=clock)
        ports = Ports(
            providers=connections,
            clock=clock,
            embedded=embedded,
            theme=arguments.theme or settings.preferences.theme,
            theme_folders=theme_folders(where.config),
            endpoints=connections.endpoints,
            places=Places(
                connections, clock=clock, embedded=embedded, remember=memory.remember_endpoint
            ),
            memory=memory,
        )
        setup = Setup(
            ports=ports,
            presets=_presets_in(where),
            endpoints=settings.endpoints,
            preferred=settings.preferences.preset,
            mistakes=settings.mistakes,
            notices=notices,
        )
        return setup, connections


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
    sys.exit(Program(os.environ, _standard_streams()).run(sys.argv[1:]))


if __name__ == "__main__":
    main()
