"""What the sidebar says, beside what `words` says for the whole screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from moa_tui.ui import words

if TYPE_CHECKING:
    from moa_tui.ui.sidebar.editing import Place

MIXTURE: Final = "Mixture"
PROPOSERS: Final = "Proposers"
AGGREGATOR: Final = "Aggregator"
ENDPOINTS: Final = "Endpoints"

UNNAMED: Final = "unnamed"
EDITED: Final = "edited"
UNSET: Final = "unset"
NONE: Final = "none"
ON: Final = "on"
OFF: Final = "off"
OWN: Final = "own"
BUILT_IN: Final = "built in"

LAYERS: Final = "Layers"
TEMPERATURE: Final = "Temperature"
MAX_TOKENS: Final = "Max tokens"
HISTORY: Final = "History"
CONTEXT: Final = "Context"
SYSTEM: Final = "System"
REPEAT: Final = "repeat"
STRATEGY: Final = "strategy"
INSTRUCTION: Final = "instruction"
FALLBACK: Final = "else"
SAMPLES: Final = "samples"
TOP_P: Final = "top_p"
SEED: Final = "seed"
THINK: Final = "think"
EFFORT: Final = "effort"
NUM_CTX: Final = "num_ctx"
LABEL: Final = "label"
ADD_SEAT: Final = "+ add a seat"
ADD_ENDPOINT: Final = "+ add an endpoint"
CHOOSE_ONE: Final = "choose a model"
SAVE_AS: Final = "Save the mixture as a preset"
THE_MIXTURE: Final = "the mixture"
THE_AGGREGATOR: Final = "the aggregator"
NEEDS_REFERENCES: Final = "{references} is where the proposals go; it must be there"
NAME_IT: Final = "a name, like team"

KEY_SET: Final = "key set"
NO_KEY: Final = "no key"
ASKING: Final = "asking"
ABSENT: Final = "not running"
NOT_FETCHED: Final = "not fetched"
UNKNOWN: Final = "unknown"
NO_MODELS: Final = "no models yet"


def models(count: int) -> str:
    """Return "1 model", "6 models"; none is said in words."""
    return words.plural(count, "model") if count else NO_MODELS


def more(count: int) -> str:
    """Return how many rows are out of sight."""
    return f"{count} more"


def who(place: Place, *, is_more: bool) -> str:
    """Return whom a model is chosen for: "A model for seat 2", "One more proposer"."""
    if place.is_proposer:
        layers = f" of group {place.group}" if place.group > 1 else ""
        return (
            f"One more proposer{layers}, for the next run"
            if is_more
            else f"A model for proposer {place.number}"
        )
    if place.number == 1:
        return "A model for the aggregator"
    return "One more fallback of the aggregator" if is_more else "A model for the fallback"


def whose(title: str, owner: str) -> str:
    """Return what is written and for whom: "system of llama3.2:3b"."""
    return f"{title.lower()} of {owner}"


def name_taken(name: str) -> str:
    """Return that one of the user's presets has this name already."""
    return f"you have a preset {name} already: choose another name, or delete that one first"


def stands_in(name: str) -> str:
    """Return that a preset that comes along has this name."""
    return f"a preset {name} comes along: yours will stand in its place; enter again to do so"


def unchanged(name: str) -> str:
    """Return that there is nothing to save."""
    return f"{name} is as it was saved"


def saved(name: str) -> str:
    """Return that a mixture was saved."""
    return f"saved as {name}"
