"""``moa-tui sessions``: the conversations on disk, to be read, found, moved and deleted."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Generic, Protocol, TypeAlias, TypeVar

from moa_tui.cli.table import table
from moa_tui.errors import ConfigError, MoaError
from moa_tui.text import clean, one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from moa_tui.cli.arguments import Arguments
    from moa_tui.cli.setup import Streams
    from moa_tui.engine.mixture import Seat

A = TypeVar("A")
"""A session with everything in it; here it is only carried from one hand to the other."""

Rewrite: TypeAlias = "Callable[[Path, Callable[[bytes | None], str]], None]"
"""Writes a file whole or not at all, as `files.rewrite` does."""

_DONE, _FAILED = 0, 1
_ALL: Final = 1_000_000
_MOST_HITS: Final = 100
_MOST_IDS: Final = 6
_LONGEST_LINE: Final = 600
_STDIO: Final = "-"
_YES: Final = "yes"
_MISSING: Final = {
    "show": "which session? moa-tui sessions show ID; moa-tui sessions lists them",
    "export": "which session? moa-tui sessions export ID; moa-tui sessions lists them",
    "delete": "which session? moa-tui sessions delete ID, or --all; moa-tui sessions lists them",
    "search": "which words? moa-tui sessions search TEXT",
    "import": "which file? moa-tui sessions import FILE",
}
_ASKING: Final = f'every session will be deleted; type "{_YES}" to go on: '
_ERASED: Final = "gone from the disk, what was deleted before too; copies of older databases stay"
_HIDDEN: Final = "out of sight now; gone from the disk when the screen starts a day or more later"
_UNSURE: Final = "that couldn't be saved: look whether they are there with moa-tui sessions"
_UNSAVED: Final = "nothing was changed: it couldn't be saved"


class Row(Protocol):
    """A session in a list."""

    @property
    def id(self) -> str:
        """Its id."""
        ...

    @property
    def title(self) -> str:
        """Its name, or its first prompt."""
        ...

    @property
    def turns(self) -> int:
        """How many questions it has."""
        ...

    @property
    def touched_at(self) -> float:
        """When something was last asked in it, in seconds since the epoch."""
        ...


class Hit(Protocol):
    """A place where a search was found."""

    @property
    def session(self) -> str:
        """The session's id."""
        ...

    @property
    def title(self) -> str:
        """The session's title."""
        ...

    @property
    def where(self) -> str:
        """What it was found in."""
        ...

    @property
    def at(self) -> float:
        """When that was said, in seconds since the epoch."""
        ...

    @property
    def text(self) -> str:
        """What stands around the match."""
        ...

    @property
    def seat(self) -> Seat | None:
        """Whose proposal it is."""
        ...


class Trouble(Protocol):
    """What keeps a store from its work."""

    @property
    def words(self) -> str:
        """The same as a sentence."""
        ...

    @property
    def is_saving(self) -> bool:
        """Whether it saves all the same."""
        ...


class Shelf(Protocol[A]):
    """The sessions on disk, as `storage.store.Store` has them; all may raise MoaError."""

    @property
    def trouble(self) -> Trouble | None:
        """What keeps it from its work now."""
        ...

    async def opened(self) -> Trouble | None:
        """Wait until it is open, and return what is wrong with it."""
        ...

    async def sessions(self, limit: int, /) -> Sequence[Row]:
        """Return the sessions, the newest first."""
        ...

    async def search(self, text: str, /, *, limit: int) -> Sequence[Hit]:
        """Return where all the words of a text stand."""
        ...

    async def whole(self, session: str, /) -> A:
        """Return a session with everything in it."""
        ...

    async def add(self, archive: A, /) -> str:
        """Add a session and return its id."""
        ...

    def delete(self, session: str, /) -> None:
        """Take a session out of sight."""
        ...

    async def erase_deleted(self) -> None:
        """Remove for good what was deleted."""
        ...

    async def settled(self) -> bool:
        """Wait until all changes are safely on disk; False: they can't be."""
        ...


class Papers(Protocol[A]):
    """A session as a text, and back, as `storage.export` has it."""

    def to_markdown(self, archive: A, /) -> str:
        """Return the conversation as a page."""
        ...

    def to_json(self, archive: A, /) -> str:
        """Return everything as one document."""
        ...

    def from_json(self, text: str, /) -> A:
        """Return the session of such a document; raises MoaError."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be done, with all that a person was asked for and all that was read."""

    action: str
    text: str = ""
    as_json: bool = False
    output: Path | None = None
    is_all: bool = False
    content: str = ""


def order(arguments: Arguments, *, streams: Streams) -> Order | None:
    """Return what the arguments say, the file to import read; None: the person said no.

    It waits for people and pipes, so it is called before there is a loop: ctrl+c ends it.

    Raises:
        ConfigError: something is missing, means nothing here, or can't be read.
    """
    action, text = arguments.action, (arguments.text or "").strip()
    output = arguments.output
    _refuse(arguments, text)
    if arguments.is_all and not arguments.is_sure and not _is_sure(streams):
        streams.tell("nothing was deleted")
        return None
    return Order(
        action=action,
        text=text,
        as_json=arguments.as_json,
        output=_path(output) if output and output != _STDIO else None,
        is_all=arguments.is_all,
        content=_content(text, streams) if action == "import" else "",
    )


def _refuse(arguments: Arguments, text: str) -> None:
    """Refuse what means nothing to an action."""
    action = arguments.action
    if action == "list" and arguments.text is not None:
        raise ConfigError("moa-tui sessions list takes no id; did you mean show?")
    if arguments.output is not None and action != "export":
        raise ConfigError(f"--output means nothing to moa-tui sessions {action}; it is for export")
    if (arguments.is_all or arguments.is_sure) and action != "delete":
        option = "--all" if arguments.is_all else "--yes"
        raise ConfigError(f"{option} means nothing to moa-tui sessions {action}; it is for delete")
    if arguments.is_all and arguments.text is not None:
        raise ConfigError("moa-tui sessions delete takes an id or --all, not both")
    if not text and action in _MISSING and not arguments.is_all:
        raise ConfigError(_MISSING[action])


def _is_sure(streams: Streams) -> bool:
    if not (streams.stdin.isatty() and streams.stderr.isatty()):
        raise ConfigError("--all deletes every session: without a terminal it needs --yes too")
    streams.stderr.write(f"moa-tui: {_ASKING}")
    streams.stderr.flush()
    return streams.stdin.readline().strip().lower() == _YES


def _content(name: str, streams: Streams) -> str:
    shown = one_line(name)
    try:
        if name == _STDIO:
            return streams.stdin.read()
        return _path(name).read_text("utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{shown} is no moa-tui session: it isn't UTF-8") from error
    except OSError as error:
        raise ConfigError(f"{shown} can't be read: {error.strerror}") from error


def _path(name: str) -> Path:
    try:
        return Path(name).expanduser()
    except RuntimeError as error:
        raise ConfigError(f"{one_line(name)} can't be found: there is no such user") from error


async def sessions(
    wanted: Order, shelf: Shelf[A], papers: Papers[A], *, rewrite: Rewrite, streams: Streams
) -> int:
    """Carry it out and return the exit code: 1 where nothing is found, or the store can't.

    Raises:
        ConfigError: an id is the beginning of several, or a file can't be written or imported.
    """
    clerk = _Clerk(wanted, shelf, papers, rewrite, streams)
    clerk.tell_trouble(await shelf.opened())
    try:
        return await clerk.work()
    except ConfigError as error:
        raise ConfigError(one_line(str(error), _LONGEST_LINE)) from error
    except MoaError as error:
        clerk.tell(str(error))
        return _FAILED
    finally:
        clerk.tell_trouble(shelf.trouble)


@dataclass(slots=True)
class _Clerk(Generic[A]):
    """Carries out one order; what it tells is told once."""

    order: Order
    shelf: Shelf[A]
    papers: Papers[A]
    rewrite: Rewrite
    streams: Streams
    told: set[str] = field(default_factory=set)

    def tell(self, words: str) -> None:
        line = one_line(words, _LONGEST_LINE)
        if line not in self.told:
            self.told.add(line)
            self.streams.tell(line)

    def tell_trouble(self, trouble: Trouble | None) -> None:
        if trouble is not None:
            self.tell(trouble.words)

    async def work(self) -> int:
        match self.order.action:
            case "list":
                return await self._list()
            case "search":
                return await self._search()
            case "import":
                return await self._import()
            case "delete":
                return await self._delete()
            case _:
                return await self._export()

    async def _list(self) -> int:
        rows = await self.shelf.sessions(_ALL)
        if self.order.as_json:
            self.streams.write_json({"sessions": [_row_data(row) for row in rows]})
        elif rows:
            cells = [(row.id, _date(row.touched_at), str(row.turns), row.title) for row in rows]
            self.streams.write(table(cells, heads=("ID", "WHEN", "TURNS", "TITLE")))
        if rows:
            return _DONE
        if not self._is_saving:
            # There may be some that can't be read; that is told already.
            return _FAILED
        self.tell("there are no sessions yet")
        return _DONE

    async def _search(self) -> int:
        hits = await self.shelf.search(self.order.text, limit=_MOST_HITS)
        if self.order.as_json:
            self.streams.write_json({"hits": [_hit_data(hit) for hit in hits]})
        elif hits:
            cells = [(hit.session, _date(hit.at), _where(hit), hit.text) for hit in hits]
            self.streams.write(table(cells, heads=("ID", "WHEN", "WHERE", "TEXT")))
        if not hits:
            self.tell(f'nothing has "{one_line(self.order.text, 60)}"')
            return _FAILED
        if len(hits) == _MOST_HITS:
            self.tell(f"these are the first {_MOST_HITS}; more words find fewer")
        return _DONE

    async def _export(self) -> int:
        row = await self._found()
        archive = await self.shelf.whole(row.id)
        paper = self.papers.to_json if self.order.as_json else self.papers.to_markdown
        text = clean(paper(archive))
        path = self.order.output
        if path is None:
            self.streams.write(text)
            return _DONE
        self.rewrite(path, lambda before: _fresh(path, text, before=before))
        self.tell(f"{row.id} is in {path}")
        return _DONE

    async def _import(self) -> int:
        name = one_line(self.order.text)
        archive = self._archive(name)
        self._refuse_unsaved()
        try:
            session = await self.shelf.add(archive)
        except MoaError:
            raise
        except Exception as error:  # a file that contradicts itself, which only the store finds
            raise ConfigError(f"{name} can't be imported: {error}") from error
        if self.order.as_json:
            self.streams.write_json({"id": session})
        else:
            self.streams.write(f"{session}\n")
            self.tell(f"open it with moa-tui --session {session}")
        return _DONE

    def _archive(self, name: str) -> A:
        try:
            return self.papers.from_json(self.order.content)
        except MoaError as error:
            raise ConfigError(f"{name}: {error}") from error

    async def _delete(self) -> int:
        rows = await self.shelf.sessions(_ALL) if self.order.is_all else [await self._found()]
        self._refuse_unsaved()
        for row in rows:
            self.shelf.delete(row.id)
        if not await self.shelf.settled():
            # The store tries once more when it is closed, so nothing is claimed.
            self.tell_trouble(self.shelf.trouble)
            raise MoaError(_UNSURE)
        if self.order.is_all:
            await self.shelf.erase_deleted()
        left = {row.id for row in await self.shelf.sessions(_ALL)}
        gone = [row for row in rows if row.id not in left]
        if self.order.as_json:
            about = [{"id": row.id, "title": one_line(row.title)} for row in gone]
            self.streams.write_json({"deleted": about})
        elif gone:
            self.streams.write(table([("deleted", row.id, row.title) for row in gone]))
        said = _ERASED if self.order.is_all else _HIDDEN
        self.tell(said if rows else "there is nothing to delete")
        if len(gone) < len(rows):
            raise MoaError(f"{len(rows) - len(gone)} of {len(rows)} couldn't be deleted")
        return _DONE

    async def _found(self) -> Row:
        """Return the session that is meant; the beginning of its id is enough."""
        wanted = self.order.text.lower()
        rows = [row for row in await self.shelf.sessions(_ALL) if row.id.startswith(wanted)]
        rows = [row for row in rows if row.id == wanted] or rows
        shown = one_line(self.order.text, 60)
        if not rows:
            raise MoaError(f'there is no session "{shown}"; moa-tui sessions lists them')
        if len(rows) > 1:
            ids = ", ".join([row.id for row in rows[:_MOST_IDS]])
            more = ", …" if len(rows) > _MOST_IDS else ""
            raise ConfigError(f'"{shown}" may be {len(rows)} sessions: {ids}{more}')
        return rows[0]

    @property
    def _is_saving(self) -> bool:
        return self.shelf.trouble is None or self.shelf.trouble.is_saving

    def _refuse_unsaved(self) -> None:
        if not self._is_saving:
            self.tell_trouble(self.shelf.trouble)
            raise MoaError(_UNSAVED)


def _fresh(path: Path, text: str, *, before: bytes | None) -> str:
    if before is not None:
        raise ConfigError(f"{path} is there already; nothing was written")
    return text


def _row_data(row: Row) -> dict[str, Any]:
    return {
        "id": row.id,
        "title": one_line(row.title),
        "turns": row.turns,
        "touched_at": row.touched_at,
    }


def _hit_data(hit: Hit) -> dict[str, Any]:
    return {
        "session": hit.session,
        "title": one_line(hit.title),
        "where": hit.where,
        "seat": hit.seat,
        "at": hit.at,
        "text": one_line(hit.text, _LONGEST_LINE),
    }


def _where(hit: Hit) -> str:
    return f"{hit.where} {hit.seat.layer}.{hit.seat.number}" if hit.seat else hit.where


def _date(at: float) -> str:
    """Return a time as the clock on the wall has it."""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at))
