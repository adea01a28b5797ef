"""``moa-tui ask``: one run without the screen."""

from __future__ import annotations

import asyncio
import signal
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from moa_tui.cli.choice import (
    PULL,
    choose,
    is_chosen,
    needs_detection,
    needs_fetch,
    used_last,
    without_lost_preset,
)
from moa_tui.cli.report import Lines, Output, Progress
from moa_tui.cli.setup import UnwritableError
from moa_tui.engine.calls import Calls
from moa_tui.engine.cost import amount, dollars
from moa_tui.engine.events import RunFailed, RunFinished
from moa_tui.engine.prompt import Conversation
from moa_tui.engine.run import open_run
from moa_tui.errors import CommandError, ConfigError
from moa_tui.text import clean, one_line
from moa_tui.ui.ports import budget_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from moa_tui.cli.arguments import Arguments
    from moa_tui.cli.setup import Setup, Streams
    from moa_tui.engine.mixture import Mixture
    from moa_tui.engine.run import Run

ANSWERED, FAILED, INTERRUPTED = 0, 1, 130
"""The exit codes of a run."""

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_LAST_WRITE_S = 1.0

LONGEST_PROMPT = 16 * 1024 * 1024
"""Characters read from stdin: no model reads more, and a pipe may never end."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, and whom; ``mixture`` is None where that depends on what is found."""

    prompt: str
    mixture: Mixture | None
    setup: Setup


def question(arguments: Arguments, setup: Setup, *, streams: Streams) -> Question:
    """Return the question that the command line, and stdin if it says so, ask.

    Raises:
        ConfigError: the prompt is empty or endless, or the mixture or a file can't be used.
    """
    if setup.mistakes:
        # A run with half the settings might send the prompt to another host than meant.
        raise ConfigError("\n".join(setup.mistakes))
    if not (arguments.wishes.preset or setup.preferred):
        setup = without_lost_preset(setup)
    mixture = None
    if setup.ports.places is None or not needs_detection(arguments.wishes, setup):
        mixture = _fetched(choose(arguments.wishes, setup), setup)
    asked = Question(_prompt(arguments.text, streams), mixture, setup)
    for notice in () if arguments.is_quiet else setup.notices:
        streams.tell(notice)
    remembered = used_last(arguments.wishes, setup)
    if remembered and not (arguments.is_quiet or arguments.as_json):
        streams.tell(f"preset {one_line(remembered, 60)}, used last")
    return asked


def _fetched(mixture: Mixture, setup: Setup, *, found: str = "") -> Mixture:
    """Return a mixture that needs no download.

    Raises:
        ConfigError: it needs one, and how it is started; ``found`` says what was looked for.
    """
    if not needs_fetch(mixture, setup):
        return mixture
    raise ConfigError(
        f"{found}the embedded model isn't here yet. Fetch it: {PULL}\n"
        "or choose another mixture with --preset: moa-tui presets lists them"
    )


async def _found(arguments: Arguments, setup: Setup, *, streams: Streams) -> Mixture:
    """Look at the user's own servers and return the mixture that they make.

    Raises:
        ConfigError: they make none, and there is no embedded model; or as `choose`.
    """
    states = await setup.ports.places.detect() if setup.ports.places else ()
    mixture = choose(arguments.wishes, setup, states=states)
    if is_chosen(arguments.wishes, setup):
        return _fetched(mixture, setup)
    mixture = _fetched(mixture, setup, found="no model server answers on this machine, and ")
    if not (arguments.is_quiet or arguments.as_json):
        models = ", ".join(dict.fromkeys(agent.model for agent in mixture.agents))
        streams.tell(f"nobody chose a mixture; asking what is there: {models}")
    return mixture


def _prompt(text: str | None, streams: Streams) -> str:
    if text is None and streams.stdin.isatty():
        raise ConfigError('what is the prompt? moa-tui ask "…", or - to type it until ctrl+d')
    if text in (None, "-"):
        text = streams.stdin.read(LONGEST_PROMPT + 1)
    if len(text or "") > LONGEST_PROMPT:
        raise ConfigError("the prompt is longer than 16 million characters")
    prompt = clean(text or "").strip("\n")
    if not prompt.strip():
        raise ConfigError('the prompt is empty: moa-tui ask "…"')
    return prompt


async def _refuse_missing(mixture: Mixture, setup: Setup) -> None:
    """Refuse a model of the embedded endpoint that has no file, before others are called in vain.

    Raises:
        ConfigError: there is no such model.
    """
    kinds = {name: endpoint.kind for name, endpoint in setup.endpoints.items()}
    models = {agent.model for agent in mixture.agents if kinds.get(agent.endpoint) == "embedded"}
    for model in sorted(models) if setup.ports.places else ():
        state = await setup.places.ask(model.partition("/")[0])
        files = [f"{state.endpoint.name}/{info.id}" for info in state.models]
        if files and model.lower() not in files:
            shown = one_line(model, 60)
            raise ConfigError(f"there is no {shown}; there is: {one_line(', '.join(files), 200)}")


async def _refuse_dear(mixture: Mixture, conversation: Conversation, setup: Setup) -> None:
    """Refuse a run that may pass the settings' budget: there is nobody to ask.

    Raises:
        ConfigError: it may.
    """
    ports = setup.ports
    budget = budget_of(ports.settings)
    if not budget:
        return
    calls = Calls(mixture, conversation, ports.providers, ports.places)
    for agent in mixture.agents:
        if calls.can_learn_price(agent):
            await calls.learn_price(agent)
    most = calls.most().dollars
    if most > budget:
        raise ConfigError(
            f"it may cost up to {dollars(most)}, and the settings' budget is {amount(budget)}: ask "
            "for less with --max-tokens, or raise budget in [preferences]"
        )


async def answer(asked: Question, arguments: Arguments, *, streams: Streams) -> int:
    """Run the mixture once, tell it as the arguments want it told, and return the exit code.

    Raises:
        ConfigError: an endpoint is unknown or has no key, or nothing to ask was found; no model
            was called.
        BrokenPipeError: nobody reads the output any more; every stream is closed.
        CancelledError: a second signal came; likewise.
    """
    ports = asked.setup.ports
    mixture = asked.mixture or await _found(arguments, asked.setup, streams=streams)
    await _refuse_missing(mixture, asked.setup)
    conversation = Conversation(asked.prompt)
    await _refuse_dear(mixture, conversation, asked.setup)
    output = Output(streams.stdout)
    report: Lines | Progress = Lines(output, streams.stderr)
    if not arguments.as_json:
        quiet = arguments.is_quiet
        report = Progress(output, streams.stderr, mixture=mixture, is_quiet=quiet)
    try:
        async with open_run(
            mixture, conversation, ports.providers, clock=ports.clock, models=ports.places
        ) as run:
            return await _told(run, report, output)
    except _WriteInterruptedError:
        streams.drop_output()
        return INTERRUPTED
    except UnwritableError as error:
        streams.drop_output()
        streams.tell(str(error))
        return FAILED


async def _told(run: Run, report: Lines | Progress, output: Output) -> int:
    """Tell the run to its end, which a signal may bring about; return the exit code."""
    code = FAILED
    with _interruptible(run.stop, output) as interrupt:
        async for event in run:
            report.show(event)
            if isinstance(event, RunFinished):
                code = ANSWERED
            if isinstance(event, RunFailed) and not interrupt.came:
                report.failed(event)
    return INTERRUPTED if interrupt.came else code


class _WriteInterruptedError(Exception):
    """A signal came while the output took nothing."""


@dataclass(slots=True)
class _Interrupt:
    """Whether somebody wants the run to end."""

    came: bool = False


@contextmanager
def _interruptible(stop: Callable[[], None], output: Output) -> Iterator[_Interrupt]:
    """Let SIGINT, SIGTERM and SIGHUP stop the run, so that its end is told; twice is at once."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    interrupt = _Interrupt()

    def stop_run() -> None:
        with suppress(CommandError):  # it has just ended by itself
            stop()

    def give_up_blocked(*_: object) -> None:
        # Python goes on with a blocked write for ever unless a handler raises.
        if output.is_busy:
            raise _WriteInterruptedError

    def heard(*_: object) -> None:
        is_second, interrupt.came = interrupt.came, True
        # The end of the run is written too, perhaps to a pipe that nobody reads.
        signal.setitimer(signal.ITIMER_REAL, _LAST_WRITE_S, _LAST_WRITE_S)
        if is_second:
            give_up_blocked()
        loop.call_soon_threadsafe(task.cancel if task and is_second else stop_run)

    # Not the loop's own signal handlers: they run between two steps, never inside a blocked write.
    before = {number: signal.signal(number, heard) for number in _SIGNALS}
    before[signal.SIGALRM] = signal.signal(signal.SIGALRM, give_up_blocked)
    try:
        yield interrupt
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            signal.signal(number, handler)
