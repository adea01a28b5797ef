"""The session browser: the newest first, searched while one types, renamed, deleted, exported."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

from textual import work
from textual.binding import Binding
from textual.geometry import Size

from moa_tui.errors import MoaError
from moa_tui.text import clean, one_line
from moa_tui.ui.dialogs import session_rows, texts
from moa_tui.ui.dialogs import session_texts as says
from moa_tui.ui.dialogs.picker import Picker
from moa_tui.ui.dialogs.session_rows import HitListing, SessionListing, Words
from moa_tui.ui.dialogs.writing import Complaint, LineDialog

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.app import ComposeResult
    from textual.binding import BindingType

    from moa_tui.ui import look
    from moa_tui.ui.dialogs.choices import Grid
    from moa_tui.ui.dialogs.session_rows import Place, Places
    from moa_tui.ui.store import Hit, Session, SessionRow, Store

_PAGE: Final = 100
_LARGEST_PAGE: Final = 2_000
_NEAR: Final = 50
"""Rows below the one in sight that are read ahead."""

_MOST_HITS: Final = 100
_LONGEST_QUERY: Final = 60
_ROWS_ABOUT, _LEAST_ABOUT, _ROOMY_FROM = 5, 3, 20


@dataclass(frozen=True, slots=True)
class Chosen:
    """The session to open, and the turn that a search found in it."""

    session: str
    turn: int | None = None


class SessionBrowser(Picker[Chosen]):
    """Shows the sessions of ``store``; enter ends with the chosen one, esc with None.

    ``store`` is None where sessions aren't recorded, ``now`` gives the time in seconds since the
    epoch, ``here`` is the open session: it can't be deleted, and ``renamed`` hears its new name, ""
    for none. ``export`` hears the id of a session
    that is to be written to a file; the dialog stays.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "open", id="sessions.open", tooltip="Open this session"),
        Binding("f2", "rename", "rename", id="sessions.rename", tooltip="Give it a name"),
        Binding("ctrl+d", "delete", "delete", id="sessions.delete", tooltip="Delete this session"),
        Binding(
            "ctrl+z",
            "undelete",
            "undo",
            id="sessions.undelete",
            tooltip="Bring back the session that was deleted last",
        ),
        Binding(
            "ctrl+s",
            "export",
            "export",
            id="sessions.export",
            tooltip="Write this session to a Markdown file",
        ),
    ]

    def __init__(
        self,
        store: Store | None,
        *,
        now: Callable[[], float],
        here: str = "",
        renamed: Callable[[str], object] | None = None,
        export: Callable[[str], object] | None = None,
        query: str = "",
    ) -> None:
        super().__init__(says.SESSIONS, says.TYPE_SESSION, query=query)
        self._store = store
        self._now = now
        self._here = here
        self._renamed = renamed
        self._export = export
        self._complaint = Complaint()
        self._places: Places = Words(says.READING if store else says.NOT_RECORDED)
        self._shown_query: str | None = None
        self._wanted_query = query.strip()
        self._rows: Sequence[SessionRow] = ()
        self._hits: Sequence[Hit] = ()
        self._is_all = True
        self._is_reading_more = False
        self._session: Session | None = None
        self._opens_first = False
        self._said = self._said_of = ""

    def heads(self) -> ComposeResult:
        """Return what is wrong with the store, if anything is."""
        yield self._complaint

    def on_mount(self) -> None:
        """Read the first page, and more when the list is scrolled."""
        self.watch(self._choices, "scroll_y", self._page_on, init=False)
        self._ask()

    def rows_about(self, height: int) -> int:
        """Return the rows of a title, its facts and a question."""
        return _ROWS_ABOUT if height >= _ROOMY_FROM else _LEAST_ABOUT

    def about(self, width: int, rows: int, palette: look.Palette) -> Grid:
        """Return what there is to tell of the row under the cursor."""
        place = self._place
        if place is None:
            return []
        known = self._session
        session = known if known is not None and known.id == place.session else None
        return session_rows.about(
            place, session, now=self._now(), width=width, rows=rows, palette=palette
        )

    @property
    def _place(self) -> Place | None:
        return self._places.at(self.at)

    @property
    def _is_behind(self) -> bool:
        """Whether other rows than those of what was typed are on show."""
        return self._shown_query != self.query_text.strip()

    # Reading.

    def typed(self) -> None:
        """Look for what was typed, unless that is under way."""
        self._opens_first = False
        self._say("")
        if self.query_text.strip() != self._wanted_query:
            self._ask()

    def _ask(self, keep: str = "") -> None:
        """Read anew what the field finds; then the cursor stands on the session to ``keep``."""
        self._wanted_query = self.query_text.strip()
        if self._store is None:
            self._shown_query = self._wanted_query
        else:
            self._read(self._store, self._wanted_query, keep)

    @work(exclusive=True, group="read")
    async def _read(self, store: Store, query: str, keep: str) -> None:
        why = ""
        rows: Sequence[SessionRow] = ()
        hits: Sequence[Hit] = ()
        limit = _MOST_HITS if query else max(_PAGE, len(self._rows))
        try:
            if query:
                hits = await store.search(query, limit=limit)
            else:
                rows = await store.sessions(limit)
        except MoaError as error:
            why = clean(str(error))
        self._rows, self._hits = rows, hits
        self._is_all = len(rows) + len(hits) < limit
        self._shown_query = query
        self._list(why)
        self.relist(at=self._places.where(keep))
        if self._opens_first:
            self.action_choose()

    def _list(self, why: str = "") -> None:
        """Make rows of what was read; ``why`` it couldn't be."""
        trouble = None if self._store is None else self._store.trouble
        self._complaint.show(why or ("" if trouble is None else clean(trouble.words)))
        gone, query = self._deleted, self._shown_query or ""
        rows = [row for row in self._rows if row.id not in gone]
        hits = [hit for hit in self._hits if hit.session not in gone]
        if hits:
            self._places = HitListing(hits, self._now())
        elif rows:
            self._places = SessionListing(rows, self._now(), self._here)
        elif why:
            self._places = Words(says.UNREAD)
        elif query:
            self._places = Words(says.nothing_has(one_line(query, _LONGEST_QUERY)))
        else:
            self._places = Words(says.NO_SESSIONS)

    def listing(self, query: str) -> Places:
        """Return the rows that were read last: those of the query are on their way."""
        del query
        self._tell()
        return self._places

    def _tell(self) -> None:
        facts = self._said
        if not facts and isinstance(self._places, SessionListing):
            facts = says.sessions(len(self._places), is_more=not self._is_all)
        elif not facts and isinstance(self._places, HitListing):
            facts = says.places(self._places.count, is_more=not self._is_all)
        self.tell(says.SESSIONS, facts)

    def _page_on(self) -> None:
        """Read more sessions when the end of those that are known comes near."""
        if self._store is None or self._is_all or not self._rows or self._is_behind:
            return
        bottom = int(self._choices.scroll_offset.y) + self._choices.size.height
        if max(self.at or 0, bottom) >= len(self._places) - _NEAR:
            self._read_more(self._store, self._rows)

    @work(group="more")
    async def _read_more(self, store: Store, known: Sequence[SessionRow]) -> None:
        if self._is_reading_more:
            return
        self._is_reading_more = True
        limit = min(len(known), _LARGEST_PAGE)
        try:
            more = await store.sessions(limit, before=known[-1])
        except MoaError as error:
            self._complaint.show(clean(str(error)))
            return
        finally:
            self._is_reading_more = False
        if self._rows is not known or self._is_behind:
            return
        self._rows = [*known, *more]
        self._is_all = len(more) < limit
        self._grow()

    def _grow(self) -> None:
        """Show more rows below the others; neither the cursor nor what is in sight moves."""
        self._list()
        self._tell()
        self.restyle(self._places)
        width = self._choices.scrollable_content_region.width
        self._choices.virtual_size = Size(width, len(self._places))
        self._page_on()

    @work(exclusive=True, group="learn")
    async def _learn(self, store: Store, session: str) -> None:
        try:
            self._session = await store.load(session)
        except MoaError:
            # What is known of it stands in its row; opening it will say what is wrong.
            return
        self.retell()

    def moved(self) -> None:
        """Read what there is to tell of the row under the cursor, and the rows that come next."""
        place = self._place
        if self._said_of and (place is None or place.session != self._said_of):
            self._say("")
        self._page_on()
        if self._store is None or place is None:
            return
        if self._session is None or self._session.id != place.session:
            self._learn(self._store, place.session)

    # Doing.

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Return whether a key does something on the row under the cursor."""
        match action:
            case "choose":
                return self._place is not None or self._is_behind
            case "rename" | "delete":
                return self._place is not None
            case "undelete":
                return bool(self._deleted)
            case "export":
                return self._export is not None and self._place is not None
            case _:
                return super().check_action(action, parameters)

    def action_choose(self) -> None:
        """End with the session under the cursor; of a search that is under way, with its first."""
        place = self._place
        self._opens_first = self._is_behind
        if not self._is_behind and place is not None:
            self.dismiss(Chosen(place.session, place.turn))

    def action_rename(self) -> None:
        """Ask for another name."""
        place, store = self._place, self._store
        if place is None or store is None:
            return
        title = one_line(place.title)

        def named(name: str | None) -> None:
            if name is not None and name != title:
                store.rename(place.session, name)
                if self._renamed is not None and place.session == self._here:
                    self._renamed(one_line(name))
                self._session = None
                self._say("")
                self._ask(place.session)

        self.app.push_screen(
            LineDialog(says.RENAME, title, placeholder=says.FIRST_PROMPT, note=says.RENAME_NOTE),
            named,
        )

    def action_delete(self) -> None:
        """Delete the session at once: ctrl+z brings it back."""
        place, store = self._place, self._store
        if place is None or store is None:
            return
        refusal = self._refusal(place.session)
        if refusal:
            self._say(refusal, of=place.session)
            return
        at = self.at
        store.delete(place.session)
        self._say(texts.deleted(self.key_of("sessions.undelete", "ctrl+z")))
        self._list()
        self.relist(at=at)

    def _refusal(self, session: str) -> str:
        """Return why a session can't be deleted, "" if it can."""
        if session == self._here:
            return says.OPEN_STAYS
        is_live = any(row.is_live for row in self._rows if row.id == session)
        return says.LIVE_STAYS if is_live else ""

    @property
    def _deleted(self) -> Sequence[str]:
        """The sessions that can be brought back, those of browsers before this one too."""
        return () if self._store is None else self._store.deleted

    def action_undelete(self) -> None:
        """Bring back the session that was deleted last."""
        if self._store is not None and self._deleted:
            session = self._deleted[-1]
            self._store.undelete(session)
            self._say(says.BACK, of=session)
            self._ask(session)

    def action_export(self) -> None:
        """Have the session under the cursor written to a file."""
        if self._export is not None and self._place is not None:
            self._export(self._place.session)

    def _say(self, what: str, *, of: str = "") -> None:
        """Say something in the head; ``of`` a session, as long as the cursor stands on it."""
        self._said, self._said_of = what, of
        self._tell()
