"""Settings and endpoints: config.toml, state.toml, the environment, and what is known anyway.

Later ones win: the defaults here, state.toml (the program's own), config.toml (the user's, never
written by us), the environment. Folders and environment are passed in.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar, get_args
from urllib.parse import urlsplit

from moa_tui.engine.provider import Endpoint, Kind, Price
from moa_tui.errors import ConfigError, nearest
from moa_tui.tables import Table, present, read_toml
from moa_tui.text import header_problem, is_variable_name, looks_like_key, one_line, redact

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

KNOWN_ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        name="ollama",
        kind="ollama",
        base_url="http://127.0.0.1:11434",
        label="Ollama",
        api_key_env="OLLAMA_API_KEY",
    ),
    Endpoint(
        name="lmstudio",
        kind="openai",
        base_url="http://127.0.0.1:1234/v1",
        label="LM Studio",
        api_key_env="LM_API_TOKEN",
    ),
    Endpoint(
        name="llamacpp",
        kind="openai",
        base_url="http://127.0.0.1:8080/v1",
        label="llama.cpp",
        api_key_env="LLAMA_API_KEY",
    ),
    Endpoint(
        name="vllm",
        kind="openai",
        base_url="http://127.0.0.1:8000/v1",
        label="vLLM",
        api_key_env="VLLM_API_KEY",
    ),
    Endpoint(
        name="together",
        kind="openai",
        base_url="https://api.together.xyz/v1",
        label="Together",
        key_page="api.together.ai/settings/api-keys",
        api_key_env="TOGETHER_API_KEY",
        lists_prices=True,
    ),
    Endpoint(
        name="groq",
        kind="openai",
        base_url="https://api.groq.com/openai/v1",
        label="Groq",
        key_page="console.groq.com/keys",
        api_key_env="GROQ_API_KEY",
    ),
    Endpoint(
        name="openai",
        kind="openai",
        base_url="https://api.openai.com/v1",
        label="OpenAI",
        key_page="platform.openai.com/api-keys",
        api_key_env="OPENAI_API_KEY",
    ),
    Endpoint(
        name="openrouter",
        kind="openai",
        base_url="https://openrouter.ai/api/v1",
        label="OpenRouter",
        key_page="openrouter.ai/settings/keys",
        api_key_env="OPENROUTER_API_KEY",
        lists_prices=True,
    ),
    Endpoint(
        name="anthropic",
        kind="anthropic",
        base_url="https://api.anthropic.com/v1",
        label="Anthropic",
        key_page="console.anthropic.com/settings/keys",
        api_key_env="ANTHROPIC_API_KEY",
    ),
    Endpoint(
        name="mistral",
        kind="openai",
        base_url="https://api.mistral.ai/v1",
        label="Mistral",
        key_page="console.mistral.ai/api-keys",
        api_key_env="MISTRAL_API_KEY",
    ),
    Endpoint(
        name="deepseek",
        kind="openai",
        base_url="https://api.deepseek.com",
        label="DeepSeek",
        key_page="platform.deepseek.com/api_keys",
        api_key_env="DEEPSEEK_API_KEY",
    ),
    Endpoint(
        name="gemini",
        kind="openai",
        base_url="https://generativelanguage.googleapis.com/v1beta/openai",
        label="Gemini",
        key_page="aistudio.google.com/apikey",
        api_key_env="GEMINI_API_KEY",
    ),
    Endpoint(
        name="xai",
        kind="openai",
        base_url="https://api.x.ai/v1",
        label="xAI",
        key_page="console.x.ai",
        api_key_env="XAI_API_KEY",
    ),
    # As many as its server has slots: a fifth seat says that it is queued.
    Endpoint(name="embedded", kind="embedded", label="Embedded", max_concurrency=4),
    Endpoint(name="demo", kind="scripted", label="Demo"),
)
"""Endpoints that need no entry in config.toml; an entry there changes only what it names."""

_BASE_URL_VARIABLES = {
    "openai": "OPENAI_BASE_URL",
    "together": "TOGETHER_BASE_URL",
    "anthropic": "ANTHROPIC_BASE_URL",
}
_OLLAMA_PORT = 11434
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_URL_GAPS = re.compile(r"[\s\x00-\x20\x7f\\]")
_HEADER_VALUE = re.compile(r"[\x20-\x7e\t]*")
_NAME_RULE = "is no name for an endpoint: use letters, digits, - _ and ."
_VARIABLE_RULE = (
    "must be the NAME of an environment variable, like GROQ_API_KEY, not the key itself"
)
_ANIMATIONS = "TEXTUAL_ANIMATIONS"
_SECONDS = ("connect_s", "first_token_s", "idle_s", "total_s")


Glyphs: TypeAlias = Literal["unicode", "ascii"]
Motion: TypeAlias = Literal["full", "reduced"]
_WordT = TypeVar("_WordT", bound=str)


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    """What the user likes: a preset ("" is none), a theme, a word when a run ends unseen.

    ``last_preset`` is the one used last, "" if none; only state.toml has it. ``title``: the
    terminal's window is called after the conversation. ``sidebar``: it stands open where there is
    room for it. ``budget``: dollars that a conversation may cost before one is asked, 0 for none.
    """

    preset: str = ""
    last_preset: str = ""
    theme: str = "moa-dark"
    notify: bool = True
    title: bool = True
    glyphs: Glyphs = "unicode"
    motion: Motion = "full"
    sidebar: bool = True
    budget: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything the files and the environment say.

    ``broken`` names the endpoints whose table has a mistake, with that mistake: they must not be
    called, since what their author meant (another host, say) isn't known. ``added`` are those
    that state.toml alone knows. ``mistakes`` are those of config.toml, in words. ``origins`` says
    where each preference comes from that isn't a default: "state.toml", "config.toml", or the
    environment's variable by its name.
    """

    preferences: Preferences = field(default_factory=Preferences)
    origins: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    keys: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    endpoints: Mapping[str, Endpoint] = field(default_factory=lambda: MappingProxyType({}))
    broken: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    added: frozenset[str] = frozenset()
    mistakes: tuple[str, ...] = ()

    def endpoint(self, name: str) -> Endpoint:
        """Return the endpoint of this name.

        Raises:
            ConfigError: there is none, or its table has a mistake.
        """
        if name in self.broken:
            raise ConfigError(self.broken[name])
        if name in self.endpoints:
            return self.endpoints[name]
        shown = one_line(name, 60)
        raise ConfigError(
            f'no endpoint is called "{shown}"'
            + (
                nearest(name, self.endpoints)
                or f"; a new one is a table [endpoints.{shown}] in config.toml"
            )
        )


def load(folder: Path, environ: Mapping[str, str]) -> tuple[Settings, tuple[str, ...]]:
    """Return the settings of a config folder, and what couldn't be used, in words.

    Nothing is raised for a broken file: what is wrong in it is told and the rest counts.
    """
    state = _read_settings(folder / "state.toml", is_ours=True)
    config = _read_settings(folder / "config.toml", is_ours=False)
    from_environment, unusable = _from_environment(environ)
    known = {endpoint.name: endpoint for endpoint in KNOWN_ENDPOINTS}
    changes: dict[str, dict[str, Any]] = {}
    for source in (state.endpoints, config.endpoints, from_environment):
        for name, fields in source.items():
            changes[name] = changes.get(name, {}) | fields
    endpoints = known | {name: _endpoint(name, known, fields) for name, fields in changes.items()}
    homeless = {
        name: f"{folder / 'config.toml'}: endpoints.{one_line(name, 60)} needs a base_url"
        for name, endpoint in endpoints.items()
        if not endpoint.base_url and endpoint.kind not in ("embedded", "scripted")
    }
    broken = homeless | state.broken | config.broken | unusable
    mistakes = (*config.problems, *(why for name, why in homeless.items() if broken[name] == why))
    forced = _preferences_from(environ)
    settings = Settings(
        preferences=Preferences(**state.preferences | config.preferences | forced),
        origins=MappingProxyType(
            dict.fromkeys(state.preferences, "state.toml")
            | dict.fromkeys(config.preferences, "config.toml")
            | dict.fromkeys(forced, _ANIMATIONS)
        ),
        keys=MappingProxyType(state.keys | config.keys),
        endpoints=MappingProxyType(endpoints),
        broken=MappingProxyType(broken),
        added=frozenset(state.endpoints.keys() - {*known, *config.endpoints, *config.broken}),
        mistakes=mistakes,
    )
    return settings, (*state.problems, *mistakes, *unusable.values())


def _endpoint(name: str, known: Mapping[str, Endpoint], fields: Mapping[str, Any]) -> Endpoint:
    start = known.get(name) or Endpoint(name=name, kind="openai", label=name)
    return replace(start, **fields)


# One file


@dataclass(slots=True)
class _File:
    """What one settings file says, unset keys left out."""

    preferences: dict[str, Any] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    endpoints: dict[str, dict[str, Any]] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def _read_settings(path: Path, *, is_ours: bool) -> _File:
    """Read config.toml, or state.toml if ``is_ours``: then unknown keys are a newer version's."""
    found = _File()
    try:
        root = Table(read_toml(path), path, found.problems)
    except FileNotFoundError:
        return found
    except ConfigError as error:
        found.problems.append(str(error))
        return found
    preferences = root.table("preferences")
    found.preferences = present(
        preset=preferences.text("preset"),
        last_preset=preferences.text("last_preset") if is_ours else None,
        theme=preferences.text("theme"),
        notify=preferences.flag("notify"),
        title=preferences.flag("title"),
        glyphs=_word(preferences, "glyphs", get_args(Glyphs), is_ours=is_ours),
        motion=_word(preferences, "motion", get_args(Motion), is_ours=is_ours),
        sidebar=preferences.flag("sidebar"),
        budget=preferences.number("budget", above=None),
    )
    keys = root.value("keys")
    if isinstance(keys, dict):
        found.keys = Table(_joined(keys), path, found.problems, prefix="keys").texts_by_name()
    else:
        root.table("keys")
    endpoints = root.table("endpoints")
    for name, table in endpoints.tables_by_name():
        before = len(found.problems)
        found.endpoints[name] = _endpoint_fields(table, is_ours=is_ours)
        if not is_ours:
            table.close()
        if not _NAME.fullmatch(name):
            table.complain("", _NAME_RULE)
        if len(found.problems) > before:
            found.broken[name] = found.problems[before]
            del found.endpoints[name]
    if not is_ours:
        preferences.close()
        root.close()
    return found


def _word(table: Table, key: str, words: tuple[_WordT, ...], *, is_ours: bool) -> _WordT | None:
    """Return one of the words; another one in our own file is a newer version's."""
    if not is_ours:
        return table.choice(key, words)
    value = table.text(key)
    return next((word for word in words if word == value), None)


def _joined(keys: Mapping[str, Any]) -> dict[str, Any]:
    """Return commands by their whole names: without quotes tile.scroll_up is in a table of tile."""
    flat: dict[str, Any] = {}
    for name, value in keys.items():
        inner = value if isinstance(value, dict) else {}
        flat |= {f"{name}.{last}": key for last, key in inner.items()} if inner else {name: value}
    return flat


def _endpoint_fields(table: Table, *, is_ours: bool) -> dict[str, Any]:
    command = table.texts("api_key_cmd")
    limit = table.whole("max_concurrency", at_least=1)
    seconds = {key: table.number(key, above=0) for key in _SECONDS}
    return present(
        kind=table.choice("kind", get_args(Kind)),
        base_url=_base_url(table),
        api_key_env=_key_variable(table),
        # A command is run: only the file that the user wrote may name one.
        api_key_cmd=None if is_ours else command,
        max_concurrency=limit,
        headers=_headers(table),
        prices=_prices(table),
        **seconds,
    )


def _base_url(table: Table) -> str | None:
    url = table.text("base_url")
    problem = url_problem(url) if url is not None else ""
    if problem:
        table.complain("base_url", problem)
    return url.rstrip("/") if url else None


def _key_variable(table: Table) -> str | None:
    """Return the NAME of the variable; a refused value is never shown, it may be a key."""
    name = table.text("api_key_env")
    if name and not is_variable_name(name):
        table.complain("api_key_env", _VARIABLE_RULE)
    return name


def _headers(table: Table) -> Mapping[str, str] | None:
    headers = table.table("headers")
    values = headers.texts_by_name()
    for name, value in values.items():
        if problem := header_problem(name):
            headers.complain(name, problem)
        elif looks_like_key(value):
            headers.complain(name, "looks like a key: name its variable in api_key_env instead")
        elif not _HEADER_VALUE.fullmatch(value):
            headers.complain(name, "must be plain ASCII on one line")
    return MappingProxyType(values) if values else None


def _prices(table: Table) -> Mapping[str, Price] | None:
    prices = {}
    for model, price in table.table("prices").tables_by_name():
        known = {key: price.number(key, above=None) for key in ("input", "output")}
        price.close()
        if None in known.values():
            price.complain("", "needs both input and output, dollars per million tokens")
            continue
        prices[model] = Price(**{key: value or 0.0 for key, value in known.items()})
    return MappingProxyType(prices) if prices else None


def endpoint_problem(endpoint: Endpoint) -> str:
    """Return what keeps an endpoint from being written to a settings file, in words; "" is nothing.

    Name, URL and variable keep the same rules when they are read.
    """
    if not _NAME.fullmatch(endpoint.name):
        shown = redact(one_line(endpoint.name, 60))
        return f'"{shown}" {_NAME_RULE}'
    if endpoint.api_key_env and not is_variable_name(endpoint.api_key_env):
        return f"the key of {endpoint.name} {_VARIABLE_RULE}"
    if endpoint.kind in ("embedded", "scripted"):
        return ""
    problem = url_problem(endpoint.base_url)
    return f"the URL of {endpoint.name} {problem}" if problem else ""


# The environment


def _preferences_from(environ: Mapping[str, str]) -> dict[str, Any]:
    """Return what Textual's own variable asks for: it is set by who can't bear motion."""
    is_still = environ.get(_ANIMATIONS, "").strip().lower() == "none"
    return present(motion="reduced" if is_still else None)


def _from_environment(
    environ: Mapping[str, str],
) -> tuple[dict[str, dict[str, Any]], dict[str, str]]:
    """Return base URLs from the variables that vendors' own tools read, and unusable ones."""
    variables = {**_BASE_URL_VARIABLES, "ollama": "OLLAMA_HOST"}
    found: dict[str, dict[str, Any]] = {}
    unusable = {}
    for name, variable in variables.items():
        value = environ.get(variable, "").strip()
        if not value:
            continue
        url = ollama_url(value) if name == "ollama" else value.rstrip("/")
        if name == "anthropic":
            # Its own tools put the version after it.
            url = url.removesuffix("/v1") + "/v1"
        problem = url_problem(url)
        if problem:
            unusable[name] = f"the environment's {variable} {problem}"
            continue
        found[name] = {"base_url": url}
    return found, unusable


def ollama_url(host: str) -> str:
    """Return the URL that an OLLAMA_HOST means: a host, a port, both, or a URL.

    An address to listen on (0.0.0.0) is reached on loopback. Rules: Ollama's envconfig.
    """
    scheme, slashes, rest = host.partition("://")
    if not slashes:
        scheme, rest = "http", host
    place, slash, path = rest.rstrip("/").partition("/")
    name, port = _split_port(place)
    if not port:
        port = {"http": "80", "https": "443"}.get(scheme, "") if slashes else str(_OLLAMA_PORT)
    if name in ("", "0.0.0.0", "[::]", "::"):  # noqa: S104 - where to listen, not where to bind
        name = "127.0.0.1"
    if ":" in name and not name.startswith("["):
        name = f"[{name}]"
    return f"{scheme}://{name}:{port}{slash}{path}"


def _split_port(place: str) -> tuple[str, str]:
    name, colon, port = place.rpartition(":")
    if not colon or "]" in port or (":" in name and not name.endswith("]")):
        return place, ""
    return name, port


def url_problem(url: str) -> str:
    """Return what keeps a text from being an endpoint's URL, in words without it; "" is nothing."""
    try:
        parts = urlsplit(url)
        port_is_fine = parts.port is None or parts.port > 0
    except ValueError:
        return "must be a URL like http://localhost:8000/v1"
    if parts.scheme not in ("http", "https") or not parts.hostname or not port_is_fine:
        return "must be a URL like http://localhost:8000/v1"
    if _URL_GAPS.search(url):
        return "must be a URL without spaces"
    if parts.username or parts.password or looks_like_key(url):
        return "must not contain a key or a password: name its variable in api_key_env"
    return ""
