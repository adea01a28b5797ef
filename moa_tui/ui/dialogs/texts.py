"""What the dialogs say, in one place so that it can be said in another language."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from moa_tui.ui import words

if TYPE_CHECKING:
    from moa_tui.engine.provider import Endpoint

PRESETS: Final = "Presets"
TYPE_PRESET: Final = "type to find a preset"
TYPE_MODEL: Final = "type to find a model"
SECTIONS: Final = (
    ("Made of what is here", ("made",)),
    ("Yours", ("yours", "yours for shipped")),
    ("Shipped", ("shipped",)),
)
"""Heads, and the sources of the presets below them."""

VERDICTS: Final = {"live": "all here", "unknown": "unknown"}
VERDICT_CELLS: Final = 14
WRITTEN_IS_LOST: Final = "esc again loses what you wrote; ctrl+s takes it"
PULLED: Final = "pulled"
RENAME: Final = "Rename the preset"
BROKEN: Final = "Can't be read"
NO_PRESETS: Final = "there are no presets"
NOW: Final = "in use"

HERE: Final = "here"
LISTED: Final = "listed"
WRITTEN: Final = "written beforehand"
UNKNOWN: Final = "unknown until sent"
ASKING: Final = "being asked"
NOT_PULLED: Final = "not pulled"
NOT_FETCHED: Final = "not fetched"
NOT_LISTED: Final = "not listed"
CANT_CHAT: Final = "can't chat"
NO_KEY: Final = "no key"
NO_ENDPOINT: Final = "no such endpoint"
NOT_RUNNING: Final = "nothing listens"
FAILED: Final = "doesn't answer"

ENDPOINTS: Final = "Endpoints"
TYPE_ENDPOINT: Final = "add a URL, a host, or the NAME of a key variable"
HOW_TO_ADD: Final = (
    "A URL, a host with or without its port, or the NAME of the variable that holds a vendor's"
    " key, like GROQ_API_KEY. After a URL may stand a space and the NAME of its key's variable."
)
NOT_ASKED: Final = "not asked yet"
ASKING_IT: Final = "It is being asked for its models; esc gives up."
NOT_ADDED: Final = "not added"
ADDED: Final = "added"
IN_THIS_PROGRAM: Final = "in this program"
STATE: Final = "state"
ADDRESS: Final = "address"
KEY: Final = "key"
MODELS: Final = "models"

FREE: Final = "free"
CONTEXT: Final = "context"
SIZE: Final = "size"
PRICE: Final = "$/M in, out"
AS_TYPED: Final = "as typed"
LISTS: Final = "enter lists its models"
LISTING: Final = "listing its models"
NO_MODELS: Final = "no models"
NO_MODELS_YET: Final = "no models yet"
ASKS_AGAIN: Final = "enter asks again"


def deleted(key: str) -> str:
    """Return that something is gone, and the key that brings it back, if there is one."""
    return f"deleted; {key} brings it back" if key else "deleted"


def removed(key: str) -> str:
    """Return that an endpoint is known no longer, and the key that brings it back."""
    return f"removed; {key} brings it back" if key else "removed"


def pull(model: str) -> str:
    """Return the command that fetches an Ollama model; ``model`` without its endpoint."""
    return f"ollama pull {model}"


def pulling(done: int, total: int) -> str:
    """Return how far a download is, in bytes: "34 % of 4.7 GB"; a total of 0 is unknown yet."""
    return f"pulling, {100 * done // total} % of {size(total)}" if total > 0 else "pulling"


def pull_failed(why: str) -> str:
    """Return why a model couldn't be pulled."""
    return f"not pulled: {why}"


def fetch(model: str) -> str:
    """Return the command that fetches a model of ours; ``model`` is "embedded/name"."""
    return f"moa-tui pull {model}"


def set_key(endpoint: Endpoint) -> str:
    """Return what to set, and where one gets it."""
    variable = endpoint.api_key_env or f"api_key_env of {endpoint.name}"
    page = f"; keys: {endpoint.key_page}" if endpoint.key_page else ""
    return f"set {variable}{page}"


def start(endpoint: Endpoint) -> str:
    """Return what to start."""
    return f"start {endpoint.label or endpoint.name}"


def nearest(names: str) -> str:
    """Return which listed models are most like one that isn't."""
    return f"nearest: {names}"


def endpoint_unknown(name: str, hint: str) -> str:
    """Return that no endpoint has this name; ``hint`` begins with a semicolon or is empty."""
    return f'no endpoint is called "{name}"{hint}'


def missing(count: int, of: int) -> str:
    """Return how many models of a preset can't be called: "2 of 4 missing"."""
    return f"{count} of {of} missing"


def found(count: int, of: int, word: str) -> str:
    """Return how many of a list a query found: "12 of 340 models"."""
    total = words.plural(of, word)
    return total if count == of else f"{count} of {total}"


def calls(total: str, count: str) -> str:
    """Return a sum and what it comes to: "3 + 1 = 4 calls"."""
    return f"{total} = {count}" if total else count


def nothing_found(query: str) -> str:
    """Return that no row has these letters."""
    return f'nothing here has the letters of "{query}"'


def use_typed(model: str) -> str:
    """Return the offer to take a model that no list has."""
    return f"use {model} as typed"


def more_rows(count: int) -> str:
    """Return that rows are left out."""
    return f"and {words.plural(count, 'row')} more"


def size(count: int) -> str:
    """Return bytes on disk as vendors count them: 98 MB, 4.7 GB, 404 GB."""
    if count < 10**9:
        return words.megabytes(count)
    return f"{count / 1e9:.1f} GB" if count < 100 * 10**9 else f"{count / 1e9:.0f} GB"


def models(count: int) -> str:
    """Return "1 model", "6 models"."""
    return words.plural(count, "model")


def answering(count: int, of: int) -> str:
    """Return how many endpoints answered: "2 of 14 answer"."""
    return f"{count} of {of} answer"


def add(text: str) -> str:
    """Return the offer to add an endpoint."""
    return f"add {text}"


def key(endpoint: Endpoint) -> str:
    """Return where an endpoint's key comes from, and where one gets it; "" where it needs none."""
    if endpoint.api_key_cmd:
        return "from a command in config.toml"
    if not endpoint.api_key_env or endpoint.is_own:
        return ""
    page = f"; keys: {endpoint.key_page}" if endpoint.key_page else ""
    return f"from {endpoint.api_key_env}{page}"
