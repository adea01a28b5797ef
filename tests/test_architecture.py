"""The house rules: who imports whom, how big things get, which names and hosts may appear."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "moa_tui"
MODULES = sorted(PACKAGE.rglob("*.py"))

LONGEST_CLASS = 400
LONGEST_FUNCTION = 80
FORBIDDEN_NAMES = {"utils", "core", "common", "helpers", "manager", "service"}

EVERYONE = ("moa_tui.errors", "moa_tui.text")


@dataclass(frozen=True)
class Room:
    """What a room may import beyond the standard library, itself, errors and text."""

    may: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    lazily: tuple[str, ...] = ()


ROOMS = {
    "moa_tui.engine": Room(),
    "moa_tui.providers": Room(
        # httpcore (connections) and anyio are the lower floors of the HTTP library.
        may=("httpx", "httpcore", "anyio", "moa_tui.engine.provider", "moa_tui.engine.clock"),
        lazily=("xllamacpp",),  # an optional extra, loaded where it is used
    ),
    "moa_tui.storage": Room(may=("moa_tui.engine",), never=("moa_tui.engine.run",)),
    "moa_tui.config": Room(
        may=(
            "tomli_w",
            "moa_tui.engine.mixture",
            "moa_tui.engine.provider",
            "moa_tui.engine.clock",
            "moa_tui.presets",
            "moa_tui.tables",
        )
    ),
    "moa_tui.presets": Room(
        may=(
            "tomli_w",
            "moa_tui.engine.mixture",
            "moa_tui.engine.provider",
            "moa_tui.engine.clock",
            "moa_tui.config",
            "moa_tui.files",
            "moa_tui.made",
            "moa_tui.preset_file",
            "moa_tui.tables",
            "moa_tui.ui.ports",  # what a finding is; for types alone
        )
    ),
    "moa_tui.made": Room(
        may=("moa_tui.engine.mixture", "moa_tui.engine.provider", "moa_tui.ui.ports")
    ),
    "moa_tui.preset_file": Room(may=("tomli_w", "moa_tui.engine.mixture", "moa_tui.tables")),
    "moa_tui.memory": Room(
        may=(
            "tomli_w",
            "moa_tui.engine.provider",
            "moa_tui.config",
            "moa_tui.files",
            "moa_tui.tables",
        )
    ),
    # Where the endpoints of the settings meet those who speak to them; for __main__ alone.
    "moa_tui.connections": Room(
        may=(
            "moa_tui.engine.provider",
            "moa_tui.engine.clock",
            "moa_tui.config",
            "moa_tui.keys",
            "moa_tui.providers",
            "moa_tui.shipped",
        )
    ),
    "moa_tui.places": Room(
        may=(
            "moa_tui.engine.provider",
            "moa_tui.engine.clock",
            "moa_tui.addresses",
            "moa_tui.config",
            "moa_tui.connections",
            "moa_tui.keys",
            "moa_tui.providers",
            "moa_tui.ui.ports",
        )
    ),
    "moa_tui.log": Room(may=("moa_tui.engine.provider", "moa_tui.engine.clock", "moa_tui.keys")),
    "moa_tui.keys": Room(may=("moa_tui.engine.provider", "moa_tui.engine.clock")),
    "moa_tui.addresses": Room(may=("moa_tui.engine.provider",)),
    "moa_tui.ui": Room(
        may=(
            "textual",
            "rich.segment",
            "rich.style",
            "rich.cells",  # what a segment's width is counted in
            "rich.color",  # what a style is made of
            "markdown_it",
            "pygments",
            "moa_tui.engine",
        )
    ),
    "moa_tui.cli": Room(may=("moa_tui.engine", "moa_tui.ui.ports"), lazily=("moa_tui.ui.app",)),
    # The bottom of the house: the standard library and each other's nothing.
    "moa_tui.errors": Room(never=EVERYONE),
    "moa_tui.text": Room(never=EVERYONE),
    "moa_tui.tables": Room(),
    "moa_tui.files": Room(),
    "moa_tui.attachments": Room(),
    "moa_tui.editor": Room(),
    "moa_tui.papers": Room(may=("moa_tui.files",)),
    "moa_tui.shipped": Room(),
}
COMPOSITION_ROOT = "moa_tui.__main__"


@dataclass(frozen=True)
class Import:
    """One name that a module imports, dotted, and whether it happens inside a function."""

    name: str
    line: int
    is_lazy: bool


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(path: Path) -> Iterator[Import]:
    tree = ast.parse(path.read_text("utf-8"))
    package = path.relative_to(ROOT).parent.parts
    lazy = {
        node
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, node.lineno, node in lazy)
        if isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            module = ".".join(part for part in (base, node.module) if part)
            for alias in node.names:
                yield Import(f"{module}.{alias.name}", node.lineno, node in lazy)


def within(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def room_of(module: str) -> tuple[str, Room]:
    return next((name, room) for name, room in ROOMS.items() if within(module, (name,)))


def allowed(imported: Import, home: str, room: Room) -> bool:
    name = imported.name
    if within(name, room.never) or within(name, (COMPOSITION_ROOT,)):
        return False
    if name.partition(".")[0] in sys.stdlib_module_names or name == "moa_tui.__version__":
        return True
    if within(name, (*EVERYONE, home, *room.may)):
        return True
    return imported.is_lazy and within(name, room.lazily)


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_a_room_imports_only_what_its_row_of_the_table_allows(path: Path) -> None:
    module = module_name(path)
    if module in ("moa_tui", COMPOSITION_ROOT):
        return
    home, room = room_of(module)
    offences = [
        f"{path.relative_to(ROOT)}:{imported.line} imports {imported.name}"
        for imported in imports_of(path)
        if not allowed(imported, home, room)
    ]
    assert offences == []


def test_the_package_itself_imports_nothing_of_its_own() -> None:
    names = [imported.name for imported in imports_of(PACKAGE / "__init__.py")]
    assert [name for name in names if name.partition(".")[0] not in sys.stdlib_module_names] == []


def test_the_engine_loads_neither_screen_nor_network() -> None:
    engine = [
        module_name(path) for path in MODULES if within(module_name(path), ("moa_tui.engine",))
    ]
    program = (
        "import importlib, sys\n"
        f"for name in {engine!r}: importlib.import_module(name)\n"
        "print(sorted({'textual', 'rich', 'httpx'} & set(sys.modules)))"
    )
    done = subprocess.run(  # noqa: S603 - our own interpreter on our own text
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout == "[]\n"


def test_the_screen_never_reads_the_environment() -> None:
    offences = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in MODULES
        if within(module_name(path), ("moa_tui.ui",))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if (isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv"))
        or (isinstance(node, ast.alias) and node.name in ("environ", "getenv"))
    ]
    assert offences == []


def uncounted_lines(node: ast.AST) -> int:
    """Count the lines below a node that are docstrings or key bindings."""
    lines = 0
    for child in ast.walk(node):
        match child:
            case ast.Expr(value=ast.Constant(value=str())):
                lines += span(child)
            case ast.Assign(targets=[ast.Name(id="BINDINGS")]):
                lines += span(child)
            case ast.AnnAssign(target=ast.Name(id="BINDINGS")):
                lines += span(child)
    return lines


def span(node: ast.stmt) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_no_class_or_function_grows_too_long(path: Path) -> None:
    offences = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ClassDef):
            limit = LONGEST_CLASS
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            limit = LONGEST_FUNCTION
        else:
            continue
        lines = span(node) - uncounted_lines(node)
        if lines > limit:
            offences.append(f"{path.relative_to(ROOT)}:{node.lineno} {node.name}: {lines} lines")
    assert offences == []


def source_files() -> list[Path]:
    """Return every text file that is ours to write, whether git knows it yet or not."""
    suffixes = {".py", ".toml", ".tcss", ".md", ""}
    folders = (PACKAGE, ROOT / "tests", ROOT / "themes", ROOT / ".ci")
    inside = [path for folder in folders for path in folder.rglob("*")]
    return sorted(
        path
        for path in [*ROOT.glob("*"), *inside]
        if path.is_file() and path.suffix in suffixes and "__pycache__" not in path.parts
    )


def test_no_file_has_a_name_that_says_nothing() -> None:
    assert [path for path in source_files() if path.stem in FORBIDDEN_NAMES] == []


# The pattern is written so that it doesn't find itself.
REGISTRY = re.compile(r"(?i)py[p]i\.org|pytho[n]hosted|anacond[a]\.org|hugging[f]ace\.co\b")


@pytest.mark.parametrize("path", source_files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_registry_host_is_written_anywhere(path: Path) -> None:
    assert REGISTRY.findall(path.read_text("utf-8")) == []


HOST = re.compile(r"(?i)\b(?:[a-z0-9-]+\.)+(?:com|org|net|io|ai|dev|co|cn|xyz)\b")
KNOWN_ENDPOINTS = PACKAGE / "config.py"
HOME_PAGES = {"ollama.com"}  # where people get what a text advises


def strings_of(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the string constants of a module that aren't docstrings, with their lines."""
    tree = ast.parse(path.read_text("utf-8"))
    docstrings = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=str(text)) if node not in docstrings:
                yield node.lineno, text


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_only_the_table_of_known_endpoints_names_hosts(path: Path) -> None:
    if path == KNOWN_ENDPOINTS:
        return
    offences = [
        f"{path.relative_to(ROOT)}:{line} {host}"
        for line, text in strings_of(path)
        for host in HOST.findall(text)
        if host not in HOME_PAGES
    ]
    assert offences == []
