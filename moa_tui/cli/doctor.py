"""``moa-tui doctor``: what works, what doesn't, and what to do about it."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from moa_tui.cli.choice import PULL
from moa_tui.cli.survey import as_data, has_model, joined, nearest_models, survey, words_of
from moa_tui.cli.table import table
from moa_tui.engine.provider import ChatRequest, Finish, Message, Retrying, Text, Thinking
from moa_tui.errors import ConfigError, ProviderError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from moa_tui.cli.arguments import Arguments
    from moa_tui.cli.setup import Setup, Streams
    from moa_tui.engine.mixture import Mixture, Seat
    from moa_tui.engine.provider import Delta
    from moa_tui.ui.ports import EndpointState, Ports

_WELL, _BROKEN = 0, 1
_PROMPT = "Say yes."


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What became of one call: ``kind`` is "" where the model answered, after ``seconds``.

    ``seats`` are all that would make this very call.
    """

    seats: tuple[Seat, ...]
    model: str
    kind: str = ""
    message: str = ""
    hint: str = ""
    seconds: float | None = None
    nearest: tuple[str, ...] = ()


async def doctor(arguments: Arguments, setup: Setup, *, streams: Streams) -> int:
    """Ask every endpoint, and with a preset every seat of it for one token; tell what came.

    Returns 0 if all is well. Returns 1 if something needed is broken: a seat of the preset;
    without one, an endpoint that is there but fails, or that no endpoint has a model. A mistake in
    the settings counts as well; a preset's file that is broken is only told.

    Raises:
        ConfigError: no preset has this name, or its file has a mistake.
    """
    name = arguments.wishes.preset
    mixture = setup.presets.load(name) if name else None
    _, broken_presets = setup.presets.all()
    if mixture and not arguments.as_json:
        streams.tell(f"asking the models of {mixture.name} for one token each")
    states = await survey(setup.places)
    trials = await _tried(mixture, setup.ports, states) if mixture else None
    is_well = not setup.mistakes and _is_well(states, trials)
    if arguments.as_json:
        document = {
            "ok": is_well,
            "mistakes": list(setup.mistakes),
            "notices": [notice for notice in setup.notices if notice not in setup.mistakes],
            "presets_broken": list(broken_presets),
            "endpoints": [as_data(state) for state in states],
            "preset": name,
            "calls": [{"ok": not trial.kind, **asdict(trial)} for trial in trials or ()],
        }
        streams.write_json(document)
    else:
        streams.write(_endpoints_table(states))
        if mixture and trials:
            streams.write(f"\npreset {mixture.name}, one token of each:\n")
            streams.write(_trials_table(trials))
        for notice in (*setup.notices, *broken_presets):
            streams.tell(notice)
        if not _can_chat(states):
            streams.tell(f"no model is there: start a server, set a key, or fetch one: {PULL}")
    return _WELL if is_well else _BROKEN


def _is_well(states: Sequence[EndpointState], trials: Sequence[Trial] | None) -> bool:
    if trials is not None:
        return not any(trial.kind for trial in trials)
    fails = any(state.status == "failed" for state in states)
    return not fails and _can_chat(states)


def _can_chat(states: Sequence[EndpointState]) -> bool:
    return any(model.is_chat for state in states for model in state.models)


# One token of each


async def _tried(
    mixture: Mixture, ports: Ports, states: Sequence[EndpointState]
) -> tuple[Trial, ...]:
    """Make every call of the seats once, fallbacks too, with its own options, all at one time."""
    known = {state.endpoint.name: state for state in states}
    calls: dict[tuple[str, ChatRequest], list[Seat]] = {}
    for seat, agents in mixture.seating().items():
        for agent in agents:
            options = replace(mixture.options_for(agent), max_tokens=1)
            request = ChatRequest(agent.model_name, (Message("user", _PROMPT),), options)
            calls.setdefault((agent.endpoint, request), []).append(seat)
    trials = (
        _trial(endpoint, request, ports, seats=tuple(seats), known=known)
        for (endpoint, request), seats in calls.items()
    )
    return tuple(await asyncio.gather(*trials))


async def _trial(
    endpoint: str,
    request: ChatRequest,
    ports: Ports,
    *,
    seats: tuple[Seat, ...],
    known: Mapping[str, EndpointState],
) -> Trial:
    trial = Trial(seats=seats, model=f"{endpoint}/{request.model}")
    started = ports.clock.now()
    try:
        async with aclosing(ports.providers(endpoint).stream(request)) as deltas:
            await _first_sign(deltas)
    except ConfigError as error:
        return replace(trial, kind="config", message=str(error))
    except ProviderError as error:
        # One token may be too few for a word: then it came and says nothing.
        if error.kind != "empty":
            return _failed(trial, error, request.model, known.get(endpoint))
    return replace(trial, seconds=round(ports.clock.now() - started, 3))


async def _first_sign(deltas: AsyncIterator[Delta]) -> None:
    """Wait until a model says anything at all.

    Raises:
        ProviderError: the call failed, or would have to be repeated.
    """
    async for delta in deltas:
        if isinstance(delta, Text | Thinking | Finish):
            return
        if isinstance(delta, Retrying):
            raise ProviderError(delta.kind, delta.message, "it may pass: try again later")


def _failed(trial: Trial, error: ProviderError, name: str, state: EndpointState | None) -> Trial:
    trial = replace(trial, kind=error.kind, message=error.message, hint=error.hint)
    if state is None or (error.kind != "not_found" and has_model(state, name)):
        return trial
    return replace(trial, nearest=nearest_models(state, name))


# In words


def _endpoints_table(states: Sequence[EndpointState]) -> str:
    marks = {"found": "ok", "failed": "FAILS"}
    return table(
        (marks.get(state.status, "-"), state.endpoint.name, words_of(state)) for state in states
    )


def _trials_table(trials: Sequence[Trial]) -> str:
    return table(
        (
            "FAILS" if trial.kind else "ok",
            " ".join(f"{seat.layer}.{seat.number}" for seat in trial.seats),
            trial.model,
            _outcome(trial),
        )
        for trial in trials
    )


def _outcome(trial: Trial) -> str:
    if not trial.kind:
        return f"answers after {trial.seconds or 0:.1f} s"
    near = f"nearest: {', '.join(trial.nearest)}" if trial.nearest else ""
    return joined(trial.message, trial.hint, near)
