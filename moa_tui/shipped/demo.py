"""The texts that the demo's models say."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_TEXTS = Path(__file__).parent / "texts" / "demo.toml"
# About a token: a short word with its space, a part of a long one, one CJK character.
_PIECE = re.compile(r"\s*(?:[\u2e80-\uffdc]|[^\s\u2e80-\uffdc]{1,5})|\s+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """What a demo model says, ``rate`` tokens a second, the first one after ``first_s`` seconds."""

    text: str
    thinking: str = ""
    rate: float
    first_s: float


@dataclass(frozen=True, slots=True)
class Topic:
    """The voices, by model name, that answer one prompt; "" stands for any other prompt."""

    prompt: str
    voices: Mapping[str, Voice]


def demo_topics() -> tuple[Topic, ...]:
    """Return what the demo can talk about, the topic for any prompt last."""
    found = []
    for table in tomllib.loads(_TEXTS.read_text("utf-8"))["topic"]:
        prompt = table.pop("match", "")
        voices = {
            name: Voice(
                text=voice["text"].strip(),
                thinking=voice.get("thinking", "").strip(),
                rate=voice["rate"],
                first_s=voice["first_s"],
            )
            for name, voice in table.items()
        }
        found.append(Topic(prompt, voices))
    return tuple(sorted(found, key=lambda topic: not topic.prompt))


def topic_for(topics: Sequence[Topic], prompt: str) -> Topic:
    """Return the topic of a prompt, upper and lower case and spaces alike."""
    asked = _plain(prompt)
    return next((topic for topic in topics if _plain(topic.prompt) == asked), topics[-1])


def pieces(text: str) -> Iterator[str]:
    """Cut a text into pieces of about a token; joined they are the text."""
    yield from _PIECE.findall(text)


def _plain(prompt: str) -> str:
    return " ".join(prompt.split()).casefold()
