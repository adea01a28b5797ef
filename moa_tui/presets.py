"""Mixtures as files: one preset a TOML file, the user's own before the shipped ones.

Presets are made to be shared: they name endpoints, and never hold a key or a URL.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeVar, get_args

from moa_tui.engine.mixture import (
    Agent,
    Aggregator,
    ContextRule,
    HistoryRule,
    Layer,
    Mixture,
    Placement,
    StrategyName,
)
from moa_tui.errors import ConfigError, nearest
from moa_tui.tables import Table, present, read_toml
from moa_tui.text import clean, looks_like_key, one_line

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_T = TypeVar("_T")

_URL = re.compile(r"(?i)\bhttps?://|\bwww\.")
_LATER_STRATEGIES = ("pick", "vote", "refine")
_LATER_CONTEXT_RULES = ("trim", "refine")
_ANY_SEED = -(2**63)


@dataclass(frozen=True, slots=True)
class Presets:
    """The presets of several folders; in a later folder a name wins over the same one before."""

    folders: tuple[Path, ...]

    def names(self) -> tuple[str, ...]:
        """Return the names of all presets, sorted; whether they can be read isn't looked at."""
        return tuple(sorted(self._paths()))

    def load(self, name: str) -> Mixture:
        """Return the preset's mixture.

        Raises:
            ConfigError: no preset has this name, or its file has a mistake.
        """
        return load(self.path(name))

    def path(self, name: str) -> Path:
        """Return the preset's file.

        Raises:
            ConfigError: no preset has this name.
        """
        paths = self._paths()
        if name in paths:
            return paths[name]
        raise ConfigError(
            f'no preset is called "{one_line(name, 60)}"'
            + (nearest(name, paths) or "; moa-tui presets lists them")
        )

    def source(self, name: str) -> str:
        """Return the preset's file as text that is safe to show.

        Raises:
            ConfigError: no preset has this name, or its file can't be read.
        """
        path = self.path(name)
        try:
            return clean(path.read_bytes().decode("utf-8-sig", "replace"))
        except OSError as error:
            raise ConfigError(f"{path} can't be read: {error.strerror}") from error

    def all(self) -> tuple[tuple[Mixture, ...], tuple[str, ...]]:
        """Return every preset that can be read, by name, and the others' mistakes in words."""
        mixtures, mistakes = [], []
        for _, path in sorted(self._paths().items()):
            try:
                mixtures.append(load(path))
            except ConfigError as error:
                mistakes.append(str(error))
        return tuple(mixtures), tuple(mistakes)

    def _paths(self) -> dict[str, Path]:
        return {
            path.stem: path
            for folder in self.folders
            for path in sorted(folder.glob("*.toml"))
            if not path.name.startswith(".")
        }


def load(path: Path) -> Mixture:
    """Return the mixture that a preset file describes, named after the file.

    Raises:
        ConfigError: the file can't be read, has an unknown key, a wrong value, a key or a URL.
    """
    try:
        values = read_toml(path)
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: there is no such file") from error
    problems: list[str] = []
    root = Table(values, path, problems)
    _refuse_keys_and_urls(root, values)
    try:
        mixture = _mixture(root, name=one_line(path.stem, 60))
    except ConfigError as error:
        # What is built from half a file only complains about the half that is wrong.
        raise ConfigError(_first(problems) or f"{path}: {error}") from error
    if problems:
        raise ConfigError(_first(problems))
    return mixture


def _first(problems: Sequence[str]) -> str:
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return problems[0] + more if problems else ""


def _refuse_keys_and_urls(table: Table, value: object, key: str = "") -> None:
    match value:
        case str() if _URL.search(value):
            table.complain(key, "is or has a URL: a preset names endpoints, config.toml says where")
        case str() if looks_like_key(value):
            table.complain(key, "looks like a key: keys stay in the environment, never in a preset")
        case dict():
            for name, item in value.items():
                _refuse_keys_and_urls(table, name, f"{key}.{name}".strip("."))
                _refuse_keys_and_urls(table, item, f"{key}.{name}".strip("."))
        case list():
            for number, item in enumerate(value, 1):
                _refuse_keys_and_urls(table, item, f"{key}[{number}]")


def _mixture(root: Table, *, name: str) -> Mixture:
    fields = present(
        description=_line(root, "description"),
        system=_prose(root, "system"),
        history=root.choice("history", get_args(HistoryRule)),
        temperature=_temperature(root),
        max_tokens=root.whole("max_tokens", at_least=1),
        min_proposals=root.whole("min_proposals", at_least=1),
        quorum=root.whole("quorum", at_least=1),
        deadline_s=root.number("deadline_s", above=0),
        context=_choice(root, "context", get_args(ContextRule), later=_LATER_CONTEXT_RULES),
    )
    layers, merging = root.tables("layers"), root.table("aggregator")
    root.close()
    return Mixture(
        layers=tuple(_layer(layer) for layer in layers),
        aggregator=_aggregator(merging),
        name=name,
        **fields,
    )


def _layer(table: Table) -> Layer:
    repeat = table.whole("repeat", at_least=1)
    proposers = _agents(table, "proposers")
    table.close()
    return Layer(proposers=proposers, repeat=repeat or 1)


def _aggregator(table: Table) -> Aggregator:
    fields = present(
        strategy=_choice(table, "strategy", get_args(StrategyName), later=_LATER_STRATEGIES),
        fallback=_agents(table, "fallback"),
        instruction=_prose(table, "instruction"),
        placement=table.choice("placement", get_args(Placement)),
    )
    model, options = table.text("model"), _options(table)
    table.close()
    agent = Agent(model=clean(model), **options) if model else None
    return Aggregator(agent=agent, **fields)


def _agents(table: Table, key: str) -> tuple[Agent, ...]:
    return tuple(
        Agent(model=clean(item))
        if isinstance(item, str)
        else _agent(table.element(key, number, item))
        for number, item in enumerate(table.items(key), 1)
    )


def _agent(table: Table) -> Agent:
    model = table.text("model")
    fields = present(
        samples=table.whole("samples", at_least=1), enabled=table.flag("enabled"), **_options(table)
    )
    table.close()
    if model is None:
        table.complain("", "needs a model, like ollama/llama3.2")
    return Agent(model=clean(model or ""), **fields)


def _options(table: Table) -> dict[str, Any]:
    return present(
        temperature=_temperature(table),
        max_tokens=table.whole("max_tokens", at_least=1),
        system=_prose(table, "system"),
        label=_line(table, "label"),
        top_p=table.number("top_p", above=0),
        seed=table.whole("seed", at_least=_ANY_SEED),
        stop=table.texts("stop"),
        think=table.flag("think"),
        effort=_line(table, "effort"),
        num_ctx=table.whole("num_ctx", at_least=1),
    )


def _temperature(table: Table) -> float | Literal["unset"] | None:
    if table.value("temperature") == "unset":
        return "unset"
    return table.number("temperature", above=None)


def _choice(table: Table, key: str, words: tuple[_T, ...], *, later: Sequence[str]) -> _T | None:
    value = table.value(key)
    if value not in later:
        return table.choice(key, words)
    known = ", ".join(f'"{word}"' for word in words)
    table.complain(key, f'"{value}" is not there yet; what works now: {known}')
    return None


def _line(table: Table, key: str) -> str | None:
    text = table.text(key)
    return None if text is None else one_line(text)


def _prose(table: Table, key: str) -> str | None:
    text = table.text(key)
    return None if text is None else clean(text)
