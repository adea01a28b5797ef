"""What the store tells a person."""

from __future__ import annotations

from typing import Final

INTERRUPTED: Final = "Interrupted: the program ended while this ran."
UNTITLED: Final = "untitled"
RECOVERED: Final = "Recovered turns"
LOST_PROMPT: Final = "(this prompt could not be recovered)"

READ_ONLY: Final = (
    "{path} can't be written: {why}. What is there can be read; what you do now isn't saved."
)
UNUSABLE: Final = "{path} can't be used: {why}. What you do now isn't saved."
NEWER: Final = (
    "{path} was written by a newer moa-tui (format {version}, this one knows {known}). "
    "What is there can be read as far as possible; what you do now isn't saved."
)
SALVAGED: Final = (
    "{path} was damaged: {kept} of about {total} rows came back. The damaged file is kept: {aside}"
)
NOT_SAVING: Final = "Not saving: {why}. It is tried again until it works; nothing stops."
NOT_NOW: Final = "That can't be saved at present."
FULL: Final = "the disk is full"
BUSY: Final = "another program holds {path}"
SKIPPED: Final = "One change could not be saved: {why}."
UNREADABLE: Final = "{path} can't be read: {why}."
NO_SESSION: Final = "There is no session {session!r}."
NO_RUN: Final = "There is no run {run}."

NO_JSON: Final = "This is no moa-tui session: it isn't JSON ({why})."
NO_ARCHIVE: Final = 'This is no moa-tui session: "format" must be "{format}".'
NEWER_ARCHIVE: Final = (
    "This session was exported by a newer moa-tui (version {version}, this one knows {known})."
)
WRONG: Final = "This session can't be imported: {place} {problem}."

NO_ANSWER: Final = "no answer"
TAKEN_FROM: Final = " · the answer is the proposal {layer}.{number}"
JUDGED: Final = " · blind test of {texts}: {picked}"
JUDGED_ANSWER: Final = "the answer was picked"
JUDGED_PROPOSAL: Final = "the proposal {layer}.{number} was picked"
JUDGED_ALIKE: Final = "none was better"
LAYER: Final = "Layer {layer}, proposal {number}"
TOKENS: Final = "{count} tokens"
RUN_ENDS: Final = {
    "live": "running",
    "done": "done",
    "failed": "failed",
    "stopped": "stopped",
    "interrupted": "interrupted",
    "taken": "taken",
}
