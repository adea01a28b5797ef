"""What the screen says in sentences, in one place so that it can be said in another language."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from moa_tui.engine.mixture import Mixture

NEW_SESSION: Final = "New session"
EXAMPLES: Final = (
    "How can I dive deeper into machine learning?",
    "Implement a Snake game using Python.",
    "用 Python 写一个贪吃蛇游戏",
)

ASK: Final = "Ask"
SENDS: Final = "enter sends, ctrl+j new line"
QUEUES: Final = "enter queues it behind this run"
QUEUES_SHORT: Final = "enter queues"
SENDS_QUEUED: Final = "enter sends the first one queued"
FETCHING: Final = "fetching the model, esc stops"
EMPTY_REFUSED: Final = "nothing to send yet, write a question first"
PRESS_AGAIN: Final = "press ctrl+c again to quit"

JUST_RACE: Final = "none, just a race"

DEMO: Final = "Demo: these texts were written by us beforehand; no model is asked."
SILLY: Final = (
    "It is a very small model and says silly things. For better answers start Ollama"
    " (ollama.com) with two or three models and start moa-tui again."
)
FETCH_STOPPED: Final = "Stopped. Nothing half is left; enter starts the download again."
BUG: Final = "moa-tui itself went wrong, that is a bug"

_NUMBERS: Final = (
    *("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve"),
)


def number(count: int) -> str:
    """Return a small number as a word."""
    return _NUMBERS[count] if count < len(_NUMBERS) else str(count)


def plural(count: int, word: str) -> str:
    """Return "1 layer", "2 layers"."""
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def seats_of_layers(mixture: Mixture) -> list[int]:
    """Return how many seats each proposer layer has."""
    return [len(layer.seats) for layer in mixture.layers for _ in range(layer.repeat)]


def shape(mixture: Mixture) -> str:
    """Return "3 proposers × 1 layer", or "5 + 3 proposers" where layers differ."""
    seats = seats_of_layers(mixture)
    if len(set(seats)) > 1:
        return f"{' + '.join(map(str, seats))} proposers"
    return f"{plural(seats[0], 'proposer')} × {plural(len(seats), 'layer')}"


def calls(mixture: Mixture) -> tuple[str, str]:
    """Return the sum and what it comes to: ("3 × 2 + 1", "7 calls"); no sum for a lone call."""
    seats = seats_of_layers(mixture)
    if len(set(seats)) > 1:
        terms = [str(count) for count in seats]
    else:
        terms = [str(seats[0]) if len(seats) == 1 else f"{seats[0]} × {len(seats)}"]
    if mixture.aggregator.strategy != "none":
        terms.append("1")
    total = plural(mixture.calls, "call")
    return (" + ".join(terms) if len(terms) > 1 or "×" in terms[0] else "", total)


def will_fetch(title: str) -> str:
    """Return what enter does when no model is there yet."""
    return f"enter fetches {title}, then answers"


def held(why: str) -> str:
    """Return why queued prompts wait."""
    return f"held, since the run {why}; enter on an empty line sends the first"


def too_small(width: int, height: int) -> str:
    """Return what to do about a terminal that is too small; sizes in cells."""
    return f"moa-tui needs 60x20, this is {width}x{height}"


def megabytes(count: int) -> str:
    """Return bytes as people read them: 12 kB, 1.0 MB, 98 MB."""
    if count >= 9_950_000:  # noqa: PLR2004 - from here 10 MB is shorter and exact enough
        return f"{count / 1e6:.0f} MB"
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{count / 1e3:.0f} kB"  # noqa: PLR2004 - a million
