"""What the rooms around the stage share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from moa_tui.ui.live import LiveRun
    from moa_tui.ui.mixing import Mixing
    from moa_tui.ui.recording import Recording
    from moa_tui.ui.stage import Stage
    from moa_tui.ui.turns import Turns


@dataclass(frozen=True, slots=True)
class Scene:
    """A conversation's turns and their record, the run that is live, and what shows them."""

    turns: Turns
    recording: Recording
    live: LiveRun
    stage: Stage
    mixing: Mixing
