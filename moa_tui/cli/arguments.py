"""The command line's grammar: what was typed, as data."""

from __future__ import annotations

import argparse
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, NoReturn, TypeAlias, get_args

from moa_tui import __version__
from moa_tui.engine.mixture import HistoryRule, StrategyName
from moa_tui.errors import ConfigError, nearest
from moa_tui.text import one_line

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

CommandName: TypeAlias = Literal[
    "screen", "demo", "replay", "ask", "pull", "presets", "models", "sessions", "doctor"
]
Temperature: TypeAlias = "float | Literal['unset']"

_NO_COMMAND = re.compile(r"argument COMMAND: invalid choice: '(.*?)'", re.DOTALL)
_NOT_AS_IT_IS = re.compile(r"[\"$`\\!]")
_LARGEST, _MOST_DIGITS = 2**31 - 1, 100
_EMBEDDED = "embedded/smollm2-135m-instruct"
LAST_SESSION = "last"
SESSION_ACTIONS = ("list", "show", "search", "export", "import", "delete")
_SCREEN: Literal["screen"] = "screen"
_EPILOG = """\
Without a command: the full screen. Options stand before or after the command.
A model is written endpoint/model, like ollama/llama3.2 or groq/openai/gpt-oss-120b.
Exit codes: 0 answered, or all is well; 1 the run failed, there is no model, or something is broken;
2 a mistake in options or files; 130 interrupted.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What the command line says about the mixture; None leaves the preset's value."""

    preset: str | None = None
    proposers: tuple[str, ...] = ()
    aggregator: str | None = None
    layers: int | None = None
    strategy: StrategyName | None = None
    temperature: Temperature | None = None
    max_tokens: int | None = None
    history: HistoryRule | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Arguments:
    """A command with its options; ``text`` is its prompt or name, ``action`` its second word.

    ``session`` is the id of one to go on with, "last" for the newest, "" for none. ``is_all`` and
    ``is_sure`` are what deleting is told: every one, and without asking.
    """

    command: CommandName
    wishes: Wishes = field(default_factory=Wishes)
    config_dir: str | None = None
    theme: str | None = None
    session: str = ""
    action: str = ""
    text: str | None = None
    as_json: bool = False
    is_quiet: bool = False
    is_debug: bool = False
    output: str | None = None
    is_all: bool = False
    is_sure: bool = False


def parse(argv: Sequence[str]) -> Arguments:
    """Return what was typed.

    Raises:
        ConfigError: an option or command is unknown or has a wrong value.
        SystemExit: --help or --version was printed.
    """
    parser = _parser(argv)
    found, unknown = parser.parse_known_args(list(argv))
    values = vars(found)
    command: CommandName = values.get("command") or _SCREEN
    if unknown and command == "ask" and not unknown[0].startswith("-"):
        raise ConfigError(_unquoted((values["text"], *unknown)))
    if unknown and values.get("action") == "search" and not unknown[0].startswith("-"):
        raise ConfigError('put the words in quotes: moa-tui sessions search "…"')
    if unknown:
        raise ConfigError(_unknown(unknown[0], _option_names(parser, command)))
    wishes = _wishes(values)
    if command not in (_SCREEN, "ask"):
        _refuse_wishes(command, wishes)
    return Arguments(
        command=command,
        wishes=wishes,
        config_dir=values.get("config_dir"),
        theme=values.get("theme"),
        session=values.get("session") or "",
        action=values.get("action") or "",
        text=values.get("text"),
        as_json=values.get("as_json", False),
        is_quiet=values.get("is_quiet", False),
        is_debug=values.get("is_debug", False),
        output=values.get("output"),
        is_all=values.get("is_all", False),
        is_sure=values.get("is_sure", False),
    )


def _wishes(values: dict[str, Any]) -> Wishes:
    # What stands before the command and what stands behind it are collected apart.
    proposers = (*values.get("proposers_before", ()), *values.get("proposers", ()))
    names = ("preset", "aggregator", "layers", "strategy", "temperature", "max_tokens", "history")
    return Wishes(proposers=proposers, **{name: values.get(name) for name in names})


def _refuse_wishes(command: CommandName, wishes: Wishes) -> None:
    if command == "doctor":
        if replace(wishes, preset=None) != Wishes():
            raise ConfigError("of the options about the mixture moa-tui doctor takes only --preset")
    elif wishes != Wishes():
        raise ConfigError(f"options about the mixture mean nothing to moa-tui {command}")


class _Parser(argparse.ArgumentParser):
    """A parser whose complaints are ours: one line, and no usage text before it."""

    def error(self, message: str) -> NoReturn:
        command = _NO_COMMAND.match(message)
        if command is None:
            raise ConfigError(f"{one_line(message)}; see moa-tui --help")
        word = one_line(command[1], 60)
        raise ConfigError(
            f'no command is called "{word}"{nearest(word, {*get_args(CommandName)} - {_SCREEN})}\n'
            'a prompt goes like this: moa-tui ask "…"'
        )


def _parser(argv: Sequence[str]) -> _Parser:
    """Return the parser for a line; a command that isn't in it gets no options: that takes 1 ms."""
    parser = _Parser(
        prog="moa-tui",
        description="Several models answer at once, and one more merges their answers.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"moa-tui {__version__}")
    _add_options(parser, proposers="proposers_before")
    commands = parser.add_subparsers(
        dest="command", metavar="COMMAND", parser_class=_Parser, required=False
    )

    def command(name: str, summary: str, *, told: Collection[str] | None = ()) -> _Parser:
        added: _Parser = commands.add_parser(
            name, help=summary, description=summary, allow_abbrev=False
        )
        if name in argv:
            _add_options(added, proposers="proposers", told=told)
        return added

    replay = command("replay", "the screen with a stored conversation, its last race once more")
    replay.add_argument("text", metavar="ID", help="see moa-tui sessions")
    command("demo", "the screen with a race of written texts: no model, no network")
    ask = command("ask", "one run without the screen: the answer goes to stdout", told=None)
    ask.add_argument("text", metavar="PROMPT", nargs="?", help="- or nothing: read from stdin")
    ask.add_argument("--json", dest="as_json", action="store_true", help="one event a line")
    ask.add_argument("--quiet", dest="is_quiet", action="store_true", help="no progress lines")
    models = command("models", "list the models of every endpoint")
    presets = command("presets", "list the presets, or show one")
    presets.add_argument("action", nargs="?", choices=("list", "show"), default="list")
    presets.add_argument("text", metavar="NAME", nargs="?")
    doctor = command(
        "doctor", "what works, what doesn't, and what to do about it", told=("--preset",)
    )
    sessions = command("sessions", "list conversations; show, search, export, import, delete them")
    _add_sessions(sessions)
    for added in (models, presets, doctor, sessions):
        added.add_argument("--json", dest="as_json", action="store_true", help="one JSON document")
    pull = command("pull", f"fetch a model, like ollama/llama3.2 or {_EMBEDDED}")
    pull.add_argument("text", metavar="MODEL")
    return parser


def _add_sessions(parser: argparse.ArgumentParser) -> None:
    """Add what is done with conversations on disk."""
    parser.add_argument("action", nargs="?", choices=SESSION_ACTIONS, default="list")
    parser.add_argument(
        "text",
        metavar="ID|TEXT|FILE",
        nargs="?",
        help="a session (its id's beginning is enough), what to search, or the file to import",
    )
    parser.add_argument("--output", metavar="FILE", help="export: write FILE, which is not there")
    parser.add_argument("--all", dest="is_all", action="store_true", help="delete: every session")
    parser.add_argument("--yes", dest="is_sure", action="store_true", help="delete: don't ask")


def _add_options(
    parser: argparse.ArgumentParser, *, proposers: str, told: Collection[str] | None = None
) -> None:
    """Add what stands before or after a command; ``told`` are the mixture's in its help."""

    # A default here would hide what stands before the command.
    def add(*names: str, **about: Any) -> None:  # noqa: ANN401 - argparse's own keywords
        if group.title == "mixture" and told is not None and names[0] not in told:
            about["help"] = argparse.SUPPRESS
        group.add_argument(*names, default=argparse.SUPPRESS, **about)

    group = parser.add_argument_group("mixture")
    add("--preset", metavar="NAME", help="a mixture by name: see moa-tui presets")
    add(
        "--proposer",
        dest=proposers,
        action="append",
        metavar="MODEL",
        help="repeatable; replaces the preset's layers by one",
    )
    add("--aggregator", metavar="MODEL", help="the model that merges")
    add("--layers", type=_count, metavar="N", help="how often the proposer layer runs")
    add("--strategy", choices=get_args(StrategyName), help="how to merge; none: just a race")
    add("--temperature", type=_temperature, metavar="T", help="for every agent, or unset")
    add("--max-tokens", type=_count, metavar="N", help="for every agent")
    add("--history", choices=get_args(HistoryRule), help="what agents see of earlier turns")
    group = parser.add_argument_group("everywhere")
    add("--theme", metavar="NAME", help="the screen's colours")
    add("--session", metavar="ID", help="go on with a conversation: see ctrl+r")
    add(
        "--continue",
        dest="session",
        action="store_const",
        const=LAST_SESSION,
        help="go on with the last one",
    )
    add("--config-dir", metavar="DIR", help="keep settings, models and log under DIR")
    add("--debug", dest="is_debug", action="store_true", help="write a log, without any key")


def _count(text: str) -> int:
    # Python reads no number of more than 4300 digits, so the length is looked at first.
    if text.isdecimal() and (len(text) > _MOST_DIGITS or int(text) > _LARGEST):
        raise argparse.ArgumentTypeError(f"must be at most {_LARGEST}")
    if text.isdecimal() and int(text) >= 1:
        return int(text)
    raise argparse.ArgumentTypeError("must be a whole number, at least 1")


def _temperature(text: str) -> Temperature:
    if text == "unset":
        return "unset"
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if 0 <= value <= 2:  # noqa: PLR2004 - the vendors' range
        return value
    raise argparse.ArgumentTypeError('must be a number from 0 to 2, or "unset"')


def _option_names(parser: argparse.ArgumentParser, command: str) -> set[str]:
    """Return the options that a command takes."""
    names: set[str] = set()
    for action in parser._actions:  # noqa: SLF001 - argparse has no public list of its options
        names.update(action.option_strings)
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001 - likewise
            below = action.choices.get(command)
            names |= _option_names(below, command) if below else set()
    return names


def _unknown(word: str, options: Iterable[str]) -> str:
    is_option = word.startswith("-")
    hint = nearest(word.partition("=")[0], options) if is_option else ""
    shown = one_line(word, 60)
    return f'"{shown}" is no option or argument here{hint or "; see moa-tui --help"}'


def _unquoted(words: Iterable[str]) -> str:
    prompt = one_line(" ".join(word for word in words if not word.startswith("-")), 60)
    # What a shell reads between double quotes isn't shown between them.
    shown = "…" if _NOT_AS_IT_IS.search(prompt) else prompt
    return f'put the prompt in quotes: moa-tui ask "{shown}"'
