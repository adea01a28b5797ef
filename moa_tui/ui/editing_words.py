"""What the sidebar says, beside what `words` says for the whole screen."""

from __future__ import annotations

from typing import Final

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

KEY_SET: Final = "key set"
NO_KEY: Final = "no key"
ASKING: Final = "asking"
ABSENT: Final = "not running"
UNKNOWN: Final = "unknown"
NO_MODELS: Final = "no models"


def models(count: int) -> str:
    """Return "1 model", "6 models"; none is said in words."""
    if not count:
        return NO_MODELS
    return f"{count} model" if count == 1 else f"{count} models"


def more(count: int) -> str:
    """Return how many rows are out of sight."""
    return f"{count} more"
