"""``moa-tui`` and ``moa-tui demo``: the full screen."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from moa_tui.cli.arguments import Wishes
from moa_tui.cli.choice import choose, needs_detection, without_lost_preset
from moa_tui.errors import ConfigError
from moa_tui.ui.ports import Start

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from moa_tui.cli.arguments import Arguments
    from moa_tui.cli.setup import Setup, Streams
    from moa_tui.engine.mixture import Mixture
    from moa_tui.ui.ports import EndpointState, Ports

DEMO_PRESET = "demo"


def start_of(arguments: Arguments, setup: Setup) -> Start:
    """Return what the screen starts with; a preferred preset that is broken is only a notice.

    Raises:
        ConfigError: a preset, endpoint or model that is named doesn't exist, or can't be mixed so.
    """
    wishes = arguments.wishes
    if arguments.command == "demo":
        mixture = setup.presets.load(DEMO_PRESET)
        return Start(mixture=mixture, notices=setup.notices, is_demo=True)
    if not (wishes.preset or setup.preferred):
        setup = without_lost_preset(setup)
    try:
        mixture = choose(wishes, setup)
    except ConfigError as error:
        if not setup.preferred or wishes != Wishes():
            raise
        setup = replace(setup, preferred="", notices=(*setup.notices, str(error)))
        setup = without_lost_preset(setup)
        mixture = choose(wishes, setup)

    is_replay = arguments.command == "replay"

    def of_found(states: Sequence[EndpointState]) -> Mixture:
        return choose(wishes, setup, states=states)

    return Start(
        mixture=mixture,
        saved=_saved(wishes, setup),
        of_found=of_found if needs_detection(wishes, setup) else None,
        is_named=wishes != Wishes(),
        notices=setup.notices,
        session=arguments.text or "" if is_replay else arguments.session,
        is_replay=is_replay,
    )


def _saved(wishes: Wishes, setup: Setup) -> Mixture | None:
    """Return the chosen preset where the command line changes it, as it is without that."""
    if wishes == Wishes(preset=wishes.preset):
        return None
    is_preset = wishes.preset or setup.preferred or (setup.last_used and not wishes.proposers)
    return choose(Wishes(preset=wishes.preset), setup) if is_preset else None


def refuse_without_terminal(streams: Streams) -> bool:
    """Say in two lines why there is no screen, if there can't be; return whether that is so."""
    if streams.are_terminal:
        return False
    streams.tell("the screen needs a terminal on stdin, stdout and stderr.")
    streams.tell('without one, ask like this: moa-tui ask "…"')
    return True


async def show(start: Start, ports: Ports, *, on_crash: Callable[[str], None] | None = None) -> int:
    """Run the screen until it is left; return the exit code. ``on_crash`` hears a traceback."""
    from moa_tui.ui.app import MoaApp  # noqa: PLC0415 - only the screen needs Textual

    app = MoaApp(ports=ports, start=start)
    with app.guarded():
        await app.run_async()
    if app.crash and on_crash is not None:
        on_crash(app.crash)
    return app.return_code or 0
