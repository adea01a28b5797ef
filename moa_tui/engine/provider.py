"""The port between the engine and whatever speaks to a model: requests go in, deltas come out."""

from __future__ import annotations

import ipaddress
import math
import re
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal, Protocol, TypeAlias, runtime_checkable
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

    from moa_tui.errors import FailureKind

Role: TypeAlias = Literal["system", "user", "assistant"]
Kind: TypeAlias = Literal["openai", "ollama", "anthropic", "embedded", "scripted"]
PhaseName: TypeAlias = Literal["queued", "connecting", "loading", "reading", "waiting"]
FinishReason: TypeAlias = Literal["stop", "length", "content_filter", "refusal"]

_NO_CHAT = re.compile(
    r"embed|rerank|bert|minilm|whisper|transcri|moderat|diffusion|dall-e|gpt-image|reward"
    r"|babbage|davinci|mmproj|(?<![a-z0-9])(?:bge|gte|e5|jina|tts|clip|flux|vae)(?![a-z0-9])",
    re.IGNORECASE,
)
_LATEST = ":latest"
_OLLAMA_CLOUD = ".ollama.com"
_CHARACTERS_PER_TOKEN = 4.0
_WIDE_CHARACTERS_PER_TOKEN = 1.5
_NEAR = (".local", ".lan", ".internal", ".home.arpa")
"""What names in a network of one's own end with."""

TOKENS_PER_MESSAGE: Final = 8
"""What a chat template puts around a message."""


def estimate_tokens(text: str) -> int:
    """Return about how many tokens a text is: 4 characters each, 1.5 of Chinese and its kin."""
    # UTF-8 has two bytes more for each of those, so that nothing is counted one by one.
    wide = (len(text.encode("utf-8", "replace")) - len(text)) / 2
    return math.ceil((len(text) - wide) / _CHARACTERS_PER_TOKEN + wide / _WIDE_CHARACTERS_PER_TOKEN)


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a chat."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a model is asked; None means that the field isn't sent."""

    temperature: float | None = 0.7
    max_tokens: int = 2048
    top_p: float | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()
    think: bool | None = None
    effort: str | None = None
    num_ctx: int | None = None


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One call: the model's own name (without its endpoint), the messages, the options.

    ``context`` is the most tokens, prompt and answer, that any call of this model in the run may
    need by estimate: a server that sizes a model's window when it loads it can size it once.
    """

    model: str
    messages: tuple[Message, ...]
    options: Options = field(default_factory=Options)
    context: int = 0

    @property
    def prompt_tokens(self) -> int:
        """About how many tokens its messages are."""
        return sum(
            estimate_tokens(message.content) + TOKENS_PER_MESSAGE for message in self.messages
        )


@dataclass(frozen=True, slots=True)
class Phase:
    """What a call is doing before its first token; ``behind`` says what a queued one waits for."""

    name: PhaseName
    behind: str = ""


@dataclass(frozen=True, slots=True)
class Retrying:
    """The try failed in a way that may pass; the next one starts in ``wait_s`` seconds."""

    kind: FailureKind
    message: str
    wait_s: float


@dataclass(frozen=True, slots=True)
class Thinking:
    """A piece of reasoning; ``pieces`` counts the server's own chunks in it."""

    text: str
    pieces: int = 1


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of the answer; ``pieces`` counts the server's own chunks in it (about its tokens)."""

    text: str
    pieces: int = 1


@dataclass(frozen=True, slots=True)
class Relabel:
    """All text so far was reasoning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens of a call as the server counts them, ``cost`` in dollars (None: unknown)."""

    prompt: int = 0
    completion: int = 0
    reasoning: int = 0
    estimated: bool = False
    cost: float | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """Something worth telling that ends nothing."""

    kind: str
    message: str


@dataclass(frozen=True, slots=True)
class Finish:
    """The answer is complete; the last delta but for a usage or a note."""

    reason: FinishReason


Delta: TypeAlias = Phase | Retrying | Thinking | Text | Relabel | Usage | Note | Finish


@dataclass(frozen=True, slots=True)
class Price:
    """Dollars per million tokens."""

    input: float
    output: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where models are: URL, key and kind; limits in seconds.

    ``first_token_s`` None means 300 s for a loopback host (models load slowly) and 60 s for others.
    ``label`` is the service's name in words for people, ``key_page`` the page that hands out keys.
    ``lists_prices``: its list of models tells what they cost, ``prices`` is what the user says.
    """

    name: str
    kind: Kind
    base_url: str = ""
    label: str = ""
    key_page: str = ""
    api_key_env: str = ""
    api_key_cmd: tuple[str, ...] = ()
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    max_concurrency: int | None = None
    connect_s: float = 10.0
    first_token_s: float | None = None
    idle_s: float = 60.0
    total_s: float = 600.0
    prices: Mapping[str, Price] = field(default_factory=lambda: MappingProxyType({}))
    lists_prices: bool = False

    @property
    def is_local(self) -> bool:
        """Whether its models run on this machine: then calls need no proxy."""
        if self.kind in ("embedded", "scripted"):
            return True
        if self._host == "localhost" or self._host.endswith(".localhost"):
            return True
        address = _address(self._host)
        return address is not None and address.is_loopback

    @property
    def is_free(self) -> bool:
        """Whether its calls cost nothing: they run on this machine, and nobody set a price."""
        return self.is_local and not any(one.input or one.output for one in self.prices.values())

    @property
    def is_own(self) -> bool:
        """Whether it is a server of the user's: on this machine, in its network, or an Ollama.

        It may be looked at without being asked for; a vendor's may not.
        """
        if self.is_local:
            return True
        address = _address(self._host)
        if address is not None and not address.is_global:
            return True
        if self.kind == "ollama":
            return not f".{self._host}".endswith(_OLLAMA_CLOUD)
        return address is None and ("." not in self._host or self._host.endswith(_NEAR))

    @property
    def _host(self) -> str:
        # The root's dot at the end changes nothing about who is meant.
        return (urlsplit(self.base_url).hostname or "").removesuffix(".")

    @property
    def first_token_limit_s(self) -> float:
        """Seconds that a call may wait for its first token."""
        if self.first_token_s is not None:
            return self.first_token_s
        return 300.0 if self.is_local else 60.0


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelInfo:
    """A model on offer, as far as the server says.

    ``context`` is its window in tokens, ``price`` what calls cost, ``size`` its bytes on disk;
    ``is_chat`` is False for what can't answer, like embedding models: by its name where the server
    doesn't say, see `can_chat`.
    """

    id: str
    context: int | None = None
    price: Price | None = None
    size: int | None = None
    is_chat: bool = True


def canonical(model: str, kind: Kind) -> str:
    """Return one spelling of a model's name: Ollama adds ":latest" to one without a tag."""
    return model.removesuffix(_LATEST) if kind == "ollama" else model


def can_chat(model: str) -> bool:
    """Return whether a model may answer at all, by its name: for servers that don't say.

    Embedding, reranking, speech, moderation and picture models don't; of a path only the last part
    counts, since llama.cpp calls a model by its file.
    """
    return _NO_CHAT.search(model.rpartition("/")[2]) is None


class Provider(Protocol):
    """Speaks to one endpoint in its dialect."""

    @property
    def endpoint(self) -> Endpoint:
        """The endpoint it speaks to."""
        ...

    def stream(self, request: ChatRequest, /) -> AsyncGenerator[Delta, None]:
        """Yield what the model says as it says it; closing the generator closes the connection.

        Raises:
            ProviderError: the call failed; the only exception but CancelledError.
        """
        ...

    async def models(self) -> tuple[ModelInfo, ...]:
        """List the models on offer.

        Raises:
            ProviderError: the endpoint can't be asked.
        """
        ...

    async def aclose(self) -> None:
        """Give back connections and children."""
        ...


@runtime_checkable
class Warming(Protocol):
    """A provider whose server loads a model before it answers, and can do so beforehand."""

    async def warm(self, request: ChatRequest, /) -> None:
        """Have a request's model loaded where there is room beside those that are; never fails."""
        ...


class Providers(Protocol):
    """Finds the provider of an endpoint, once per endpoint."""

    def __call__(self, endpoint: str, /) -> Provider:
        """Return the provider that speaks to the endpoint of this name.

        Raises:
            ConfigError: no such endpoint, its key is missing, or its kind's extra is.
        """
        ...


class Catalogue(Protocol):
    """What endpoints say of their models, each called "endpoint/model" here."""

    def info(self, model: str, /) -> ModelInfo | None:
        """Return what is known of a model without asking anybody; None: nothing."""
        ...

    async def look_up(self, model: str, /) -> ModelInfo | None:
        """Return the same, after asking the endpoint unless that was tried; it never fails."""
        ...
