"""The composition root: it reads the environment, turns key names into keys, owns lifetimes."""

from __future__ import annotations

import io
import os
import re
import sys
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, assert_never

from moa_tui.cli.arguments import parse
from moa_tui.cli.setup import Setup, Streams
from moa_tui.errors import ConfigError, MoaError
from moa_tui.text import Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping, Sequence

    from moa_tui.cli.arguments import Arguments
    from moa_tui.config import Settings
    from moa_tui.engine.clock import Clock
    from moa_tui.engine.provider import ChatRequest, Delta, Endpoint, Provider
    from moa_tui.presets import Presets
    from moa_tui.providers.limits import Limiter
    from moa_tui.providers.scripted import Script, Step

_KEY_COMMAND_S = 10.0
_KEY = re.compile(r"[!-~]+")
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


class Connections:
    """The providers, each made when it is first asked for, and all closed together.

    ``environ`` holds the keys; they leave it only as Secrets.
    """

    def __init__(
        self, settings: Settings, environ: Mapping[str, str], *, clock: Clock, models_folder: Path
    ) -> None:
        self._settings = settings
        self._environ = environ
        self._clock = clock
        self._models_folder = models_folder
        self._open: dict[str, Provider] = {}
        self._limiters: dict[tuple[str, str], Limiter] = {}

    def __call__(self, endpoint: str, /) -> Provider:
        """Return the provider of the endpoint of this name.

        Raises:
            ConfigError: no such endpoint, its key is missing, or its kind's extra is.
        """
        provider = self._open.get(endpoint)
        if provider is None:
            provider = self._connected(self._settings.endpoint(endpoint))
            self._open[endpoint] = provider
        return provider

    async def aclose(self) -> None:
        """Give back connections and children."""
        async with AsyncExitStack() as closing:
            while self._open:
                _, provider = self._open.popitem()
                closing.push_async_callback(provider.aclose)

    def _connected(self, endpoint: Endpoint) -> Provider:
        if endpoint.kind == "scripted":
            from moa_tui.providers.scripted import ScriptedProvider  # noqa: PLC0415 - lazy

            return ScriptedProvider(endpoint, demo_scripts(), clock=self._clock)
        from moa_tui.providers import connect  # noqa: PLC0415 - brings the HTTP library

        return connect(
            endpoint,
            find_key(endpoint, self._environ),
            clock=self._clock,
            limiter=self._limiter(endpoint),
            models_folder=self._models_folder,
        )

    def _limiter(self, endpoint: Endpoint) -> Limiter:
        from moa_tui.providers.limits import Limiter  # noqa: PLC0415 - lazy

        # Two names for the same place and key meet the same rate limit.
        place = (endpoint.base_url or endpoint.name, endpoint.api_key_env)
        if place not in self._limiters:
            self._limiters[place] = Limiter(endpoint.max_concurrency, clock=self._clock)
        return self._limiters[place]


def find_key(endpoint: Endpoint, environ: Mapping[str, str]) -> Secret | None:
    """Return the endpoint's key: its variable's, else its command's; None where none is needed.

    Raises:
        ConfigError: a hosted endpoint's key is missing, or the command gives none.
    """
    value = environ.get(endpoint.api_key_env, "").strip() if endpoint.api_key_env else ""
    if value:
        return _checked_key(value, endpoint.api_key_env)
    if endpoint.api_key_cmd:
        return _key_from_command(endpoint)
    # Servers on this machine seldom want a key, and over plain http none would be sent.
    if not endpoint.api_key_env or endpoint.is_local or endpoint.base_url.startswith("http:"):
        return None
    where = f" (keys: {endpoint.key_page})" if endpoint.key_page else ""
    raise ConfigError(
        f"{endpoint.label or endpoint.name} needs a key: set {endpoint.api_key_env}{where}"
    )


def _key_from_command(endpoint: Endpoint) -> Secret:
    import subprocess  # noqa: PLC0415 - few endpoints have a command

    named = f"endpoints.{endpoint.name}.api_key_cmd ({endpoint.api_key_cmd[0]})"
    try:
        done = subprocess.run(  # noqa: S603 - the user's own argv list, without a shell
            endpoint.api_key_cmd,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_KEY_COMMAND_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ConfigError(f"{named} took longer than {_KEY_COMMAND_S:.0f} s") from error
    except OSError as error:
        raise ConfigError(f"{named} can't be run: {error.strerror}") from error
    if done.returncode != 0:
        raise ConfigError(f"{named} failed with exit code {done.returncode}")
    return _checked_key(done.stdout.decode("utf-8", "replace").strip(), named)


def _checked_key(value: str, source: str) -> Secret:
    """Return the key, unless no request could carry it; it isn't shown, wrong or not."""
    if _KEY.fullmatch(value):
        return Secret(value)
    raise ConfigError(f"{source} must give the key on one line, without spaces, and nothing else")


def demo_scripts() -> Mapping[str, Script]:
    """Return what the demo's models say to a request, by model name."""
    from moa_tui.engine.provider import Text, Thinking  # noqa: PLC0415 - lazy
    from moa_tui.providers.scripted import spoken  # noqa: PLC0415 - lazy
    from moa_tui.shipped import demo_topics, pieces, topic_for  # noqa: PLC0415 - reads a file

    topics = demo_topics()

    def script_of(model: str) -> Script:
        def script(request: ChatRequest) -> Sequence[Step]:
            prompt = next((m.content for m in reversed(request.messages) if m.role == "user"), "")
            voice = topic_for(topics, prompt).voices[model]
            said: list[Delta] = [
                *(Thinking(piece) for piece in pieces(voice.thinking)),
                *(Text(piece) for piece in pieces(voice.text)),
            ]
            return list(spoken(said, rate=voice.rate, first_s=voice.first_s))

        return script

    return {model: script_of(model) for model in topics[-1].voices}


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
        from moa_tui.engine.clock import AsyncioClock  # noqa: PLC0415 - brings asyncio
        from moa_tui.providers.smollm2 import SmolLM2  # noqa: PLC0415 - lazy
        from moa_tui.ui.ports import Ports  # noqa: PLC0415 - lazy

        where = folders(arguments.config_dir, self.environ)
        settings, notices = config.load(where.config, self.environ)
        clock = AsyncioClock()
        connections = Connections(settings, self.environ, clock=clock, models_folder=where.models)
        ports = Ports(
            providers=connections,
            clock=clock,
            embedded=SmolLM2(where.models, clock=clock),
            theme=arguments.theme or settings.preferences.theme,
            theme_folders=theme_folders(where.config),
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
