"""A mixture as the text of a preset file: reading it, and laying it out as a person would.

Presets are made to be shared: they name endpoints, and never hold a key or a URL.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, get_args

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
from moa_tui.errors import ConfigError
from moa_tui.tables import Table, parse_toml, present
from moa_tui.text import clean, has_url, looks_like_key, one_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

LONGEST_NAME = 60
"""Letters of a preset's name."""

_LEAST_SEED, _MOST_SEED = -(2**63), 2**63 - 1
_DEEPEST = 20
_WIDTH = 100


def read_preset(content: bytes, path: Path) -> Mixture:
    """Return the mixture that a preset file describes, named after the file.

    Raises:
        ConfigError: the file has an unknown key, a wrong value, a key or a URL.
    """
    values = parse_toml(content, path)
    problems: list[str] = []
    root = Table(values, path, problems)
    _refuse_keys_and_urls(root, values)
    try:
        mixture = _mixture(root, name=one_line(path.stem, LONGEST_NAME))
    except ConfigError as error:
        # What is built from half a file only complains about the half that is wrong.
        raise ConfigError(_first(problems) or f"{path}: {error}") from error
    if problems:
        raise ConfigError(_first(problems))
    return mixture


def _first(problems: Sequence[str]) -> str:
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return problems[0] + more if problems else ""


def _refuse_keys_and_urls(table: Table, value: object, key: str = "", *, depth: int = 0) -> None:
    if depth > _DEEPEST:
        table.complain(key, "is nested too deeply")
        return
    below = depth + 1
    match value:
        case str() if has_url(value):
            table.complain(key, "is or has a URL: a preset names endpoints, config.toml says where")
        case str() if looks_like_key(value):
            table.complain(key, "looks like a key: keys stay in the environment, never in a preset")
        case dict():
            for name, item in value.items():
                place = f"{key}.{name}".strip(".")
                _refuse_keys_and_urls(table, name, place, depth=depth)
                _refuse_keys_and_urls(table, item, place, depth=below)
        case list():
            for number, item in enumerate(value, 1):
                _refuse_keys_and_urls(table, item, f"{key}[{number}]", depth=below)


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
        context=root.choice("context", get_args(ContextRule)),
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
        strategy=table.choice("strategy", get_args(StrategyName)),
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
        seed=table.whole("seed", at_least=_LEAST_SEED, at_most=_MOST_SEED),
        stop=table.texts("stop"),
        think=table.flag("think"),
        effort=_line(table, "effort"),
        num_ctx=table.whole("num_ctx", at_least=1),
    )


def _temperature(table: Table) -> float | Literal["unset"] | None:
    if table.value("temperature") == "unset":
        return "unset"
    return table.number("temperature", above=None)


def _line(table: Table, key: str) -> str | None:
    text = table.text(key)
    return None if text is None else one_line(text)


def _prose(table: Table, key: str) -> str | None:
    text = table.text(key)
    return None if text is None else clean(text)


# Writing


def as_toml(mixture: Mixture) -> str:
    """Return the preset file that describes a mixture; what is default is left out."""
    preset = mixture.as_preset()
    layers, merging = preset.pop("layers"), preset.pop("aggregator")
    sections = [_lines(preset)] if preset else []
    sections += [f"[[layers]]\n{_lines(layer)}" for layer in layers]
    # Only proposers have samples or can be switched off: for who merges they mean nothing.
    left_out = {"samples", "enabled"} | (set() if merging["fallback"] else {"fallback"})
    kept = {key: value for key, value in merging.items() if key not in left_out}
    sections.append(f"[aggregator]\n{_lines(kept)}")
    return "\n".join(sections)


def _lines(table: Mapping[str, Any]) -> str:
    return "".join(f"{key} = {_block(key, value)}\n" for key, value in table.items())


def _block(key: str, value: object) -> str:
    """Return a value with a place of its own: a long text or list may take several lines."""
    if isinstance(value, str) and "\n" in value:
        return _scalar(value, is_multiline=True)
    flat = _flat(value)
    if not isinstance(value, list) or len(f"{key} = {flat}") <= _WIDTH:
        return flat
    return "[\n" + "".join(f"  {_flat(item)},\n" for item in value) + "]"


def _flat(value: object) -> str:
    match value:
        case list():
            return _listed(value)
        case dict():
            pairs = ", ".join(f"{key} = {_flat(item)}" for key, item in value.items())
            return f"{{ {pairs} }}"
        case _:
            return _scalar(value)


def _listed(values: Sequence[object]) -> str:
    return f"[{', '.join(map(_flat, values))}]"


def _scalar(value: object, *, is_multiline: bool = False) -> str:
    import tomli_w  # noqa: PLC0415 - only saving needs it

    line = tomli_w.dumps({"x": value}, multiline_strings=is_multiline)
    return line.removeprefix("x = ").removesuffix("\n")
