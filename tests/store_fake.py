"""A store in memory, for tests of what the screen does with sessions."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from itertools import count
from typing import TYPE_CHECKING

from moa_tui.engine.blind import Entry, Judged
from moa_tui.engine.events import (
    RunFailed,
    RunFinished,
    RunStarted,
    SeatFinished,
    SeatStarted,
    TextDelta,
)
from moa_tui.engine.mixture import Agent, Aggregator, Layer, Mixture, Seat
from moa_tui.engine.provider import Usage
from moa_tui.engine.state import RunState, state_after
from moa_tui.storage.records import (
    Asked,
    Hit,
    RunRow,
    Session,
    SessionRow,
    StoreError,
    Trouble,
    TurnRow,
    Unfinished,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterator, Sequence

    from moa_tui.engine.events import Event, SeatRole
    from moa_tui.storage.records import RunEnd, Where
    from moa_tui.ui import store

DUO = Mixture(
    layers=(Layer(proposers=(Agent(model="t/a"), Agent(model="t/b"))),),
    aggregator=Aggregator(agent=Agent(model="t/m")),
    name="duo",
)
ONE, TWO, MERGER = Seat(1, 1), Seat(1, 2), Seat(2, 1)


def run_of(answer: str, *proposals: str, ends: int = 3) -> list[Event]:
    """Return a run of `DUO`; with ``ends`` below 3 only the first seats end, and the run doesn't.

    A seat says its text in one piece.
    """
    texts = dict(zip((ONE, TWO), proposals or ("one says", "two says"), strict=True))
    if ends >= len(texts):
        texts[MERGER] = answer
    events: list[Event] = [RunStarted(n=1, t=0.0, mixture=DUO)]
    for number, (seat, text) in enumerate(texts.items()):
        n, t = len(events), float(number)
        role: SeatRole = "aggregator" if seat == MERGER else "proposer"
        model = f"t/{'abm'[number]}"
        events += [
            SeatStarted(n=n + 1, t=t, seat=seat, attempt=1, role=role, model=model),
            TextDelta(n=n + 2, t=t + 0.5, seat=seat, attempt=1, text=text),
        ]
        if number < ends:
            events.append(_ended(n + 3, t + 1.0, seat=seat, text=text))
    return [*events, _done(len(events) + 1, answer)] if ends > len((ONE, TWO)) else events


def _ended(n: int, t: float, *, seat: Seat, text: str) -> SeatFinished:
    return SeatFinished(
        n=n,
        t=t,
        seat=seat,
        attempt=1,
        text=text,
        thinking="",
        reason="stop",
        usage=Usage(completion=2),
        ttft_s=0.5,
        seconds=1.0,
    )


def _done(n: int, answer: str) -> RunFinished:
    return RunFinished(
        n=n,
        t=3.0,
        answer=answer,
        strategy="synthesize",
        chosen=None,
        references=(ONE, TWO),
        usage=Usage(completion=3),
        seconds=3.0,
    )


@dataclass
class FakeRun:
    """A run and what takes its events; ``taken`` is what was made its answer."""

    id: int
    turn: int
    mixture: Mixture
    started_at: float
    on_done: Callable[[FakeRun], None]
    given_from: int | None = None
    events: list[Event] = field(default_factory=list)
    is_closed: bool = False
    taken: str | None = None
    taken_from: Seat | None = None
    """Whose proposal it only is, where it called nobody."""
    test: tuple[Entry, ...] = ()

    def record(self, event: Event, /) -> None:
        if self.is_closed:
            return
        self.events.append(event)
        if isinstance(event, RunFinished | RunFailed):
            self.is_closed = True
            self.on_done(self)

    def close(self) -> None:
        self.is_closed = True

    async def saved(self) -> bool:
        return self.is_closed

    @property
    def state(self) -> RunState:
        return state_after(self.events)

    @property
    def status(self) -> RunEnd:
        if self.taken_from is not None:
            return "taken"
        status = self.state.status
        if status in ("done", "failed", "stopped"):
            return status
        return "interrupted" if self.is_closed else "live"

    @property
    def answer(self) -> str:
        return self.state.answer if self.taken is None else self.taken

    def row(self) -> RunRow:
        state = self.state
        is_over = self.status in ("done", "failed", "stopped")
        return RunRow(
            id=self.id,
            status=self.status,
            mixture_name=self.mixture.name,
            started_at=self.started_at,
            seconds=state.t if is_over else None,
            usage=state.usage if is_over else None,
            message=state.message,
            reason=state.reason,
            given_from=self.given_from,
            taken_from=self.taken_from,
            is_empty=self.status in ("stopped", "interrupted")
            and not any(str(seat.text) for seat in state.seats.values() if not seat.given),
        )


@dataclass
class FakeSession:
    """A session with its turns; ``is_live``: another instance has a run in it."""

    id: str
    created_at: float
    touched_at: float
    name: str = ""
    turns: list[TurnRow] = field(default_factory=list)
    head: int | None = None
    draft: str = ""
    queue: tuple[Asked, ...] = ()
    is_deleted: bool = False
    is_live: bool = False

    @property
    def says(self) -> bool:
        return bool(self.turns or self.draft or self.queue or self.name)

    @property
    def title(self) -> str:
        return self.name or (self.turns[0].prompt.shown if self.turns else "untitled")


class FakeStore:
    """Keeps everything in memory and answers at once.

    ``why`` lets all that is read fail with these words. While ``gate`` is cleared, reading waits.
    ``asked`` notes what was read, ``changed`` what was changed, as (method, first argument).
    Searching is by the letters, in any case, a hit a text.
    """

    def __init__(self, *, clock: Callable[[], float] = lambda: 1_800_000_000.0) -> None:
        self._clock = clock
        self._numbers = count(1)
        self.all: dict[str, FakeSession] = {}
        self.runs: dict[int, FakeRun] = {}
        self.left: tuple[Unfinished, ...] = ()
        self.deleted: list[str] = []
        self.trouble: Trouble | None = None
        self.why = ""
        self.gate = asyncio.Event()
        self.gate.set()
        self.asked: list[tuple[str, object]] = []
        self.changed: list[tuple[str, object]] = []

    async def troubles(self) -> AsyncGenerator[Trouble | None, None]:
        if self.trouble is not None:
            yield self.trouble

    # What changes.

    def begin_session(self) -> str:
        return f"s{next(self._numbers)}"

    def begin_turn(self, session: str, prompt: store.Asked, /, *, parent: int | None = None) -> int:
        self.changed.append(("begin_turn", session))
        row = TurnRow(
            id=next(self._numbers),
            parent=parent,
            prompt=_kept(prompt),
            asked_at=self._clock(),
            runs=(),
            shown_run=None,
            answer="",
        )
        one = self._touched(session)
        one.turns.append(row)
        one.head = row.id
        return row.id

    def begin_run(
        self, turn: int, mixture: Mixture, /, *, given_from: int | None = None
    ) -> FakeRun:
        self.changed.append(("begin_run", turn))
        run = FakeRun(
            next(self._numbers),
            turn,
            mixture,
            self._clock(),
            self._show_done,
            given_from=given_from,
        )
        self.runs[run.id] = run
        session, at = self._turn(turn)
        self._touched(session.id)
        if session.turns[at].shown_run is None:
            session.turns[at] = replace(session.turns[at], shown_run=run.id)
        return run

    def show(self, turn: int, run: int, /) -> None:
        self.changed.append(("show", turn))
        session, at = self._turn(turn)
        session.turns[at] = replace(session.turns[at], shown_run=run)

    def go_to(self, session: str, turn: int | None, /) -> None:
        self.changed.append(("go_to", session))
        self.all[session].head = turn

    def take(self, turn: int, run: int, seat: Seat, text: str, /) -> None:
        self.changed.append(("take", turn))
        taken = replace(
            self.runs[run],
            id=next(self._numbers),
            given_from=run,
            taken=text,
            taken_from=seat,
        )
        self.runs[taken.id] = taken
        session, at = self._turn(turn)
        session.turns[at] = replace(session.turns[at], shown_run=taken.id)

    def keep_test(self, run: int, entries: Sequence[Entry], /) -> None:
        self.changed.append(("keep_test", run))
        self.runs[run].test = tuple(entries)

    def rename(self, session: str, title: str, /) -> None:
        self.changed.append(("rename", session))
        self.all[session].name = title

    def delete(self, session: str, /) -> None:
        self.changed.append(("delete", session))
        self.deleted.append(session)
        self.all[session].is_deleted = True

    def undelete(self, session: str, /) -> None:
        self.changed.append(("undelete", session))
        self.deleted.remove(session)
        self.all[session].is_deleted = False

    def keep_draft(self, session: str, draft: str, /, *, queue: Sequence[store.Asked] = ()) -> None:
        self.changed.append(("keep_draft", session))
        one = self._touched(session) if draft or queue else self.all.get(session)
        if one is not None:
            one.draft, one.queue = draft, tuple(map(_kept, queue))

    async def settled(self) -> bool:
        return True

    async def unfinished(self) -> tuple[Unfinished, ...]:
        found, self.left = self.left, ()
        return found

    # What is read.

    async def sessions(
        self, limit: int = 50, *, before: store.SessionRow | None = None
    ) -> list[SessionRow]:
        await self._reading("sessions", limit)
        found = [
            SessionRow(
                id=one.id,
                title=one.title,
                turns=len(one.turns),
                touched_at=one.touched_at,
                is_live=one.is_live,
            )
            for one in self._newest()
        ]
        if before is not None:
            edge = (before.touched_at, before.id)
            found = [row for row in found if (row.touched_at, row.id) < edge]
        return found[:limit]

    async def search(self, text: str, /, *, limit: int = 50) -> list[Hit]:
        await self._reading("search", text)
        found = [hit for one in self._newest() for hit in self._hits(one, text.lower())]
        return sorted(found, key=lambda hit: hit.where != "title")[:limit]

    async def load(self, session: str, /) -> Session:
        await self._reading("load", session)
        one = self.all.get(session)
        if one is None or one.is_deleted:
            raise StoreError(f"There is no session {session!r}.")
        return Session(
            id=one.id,
            title=one.title,
            is_named=bool(one.name),
            created_at=one.created_at,
            touched_at=one.touched_at,
            turns=tuple(map(self._whole, one.turns)),
            head=one.head,
            draft=one.draft,
            queue=one.queue,
        )

    async def mixture(self, run: int, /) -> Mixture:
        await self._reading("mixture", run)
        return self.runs[run].mixture

    async def run(self, run: int, /) -> list[Event]:
        return await self.replay(run)

    async def test(self, run: int, /) -> tuple[Entry, ...]:
        await self._reading("test", run)
        return self.runs[run].test if run in self.runs else ()

    async def tests(self) -> list[Judged]:
        await self._reading("tests", None)
        return [Judged(one.mixture.name, one.test) for one in self.runs.values() if one.test]

    async def replay(self, run: int, /) -> list[Event]:
        await self._reading("run", run)
        if run not in self.runs:
            raise StoreError(f"There is no run {run}.")
        return list(self.runs[run].events)

    async def markdown(self, session: str, /) -> str:
        found = await self.load(session)
        parts = [f"## {turn.prompt.shown}\n\n{turn.answer}" for turn in found.path()]
        return "\n\n".join([f"# {found.title}", *parts]) + "\n"

    # How it is kept.

    async def _reading(self, method: str, about: object) -> None:
        self.asked.append((method, about))
        await self.gate.wait()
        if self.why:
            raise StoreError(self.why)

    def _touched(self, session: str) -> FakeSession:
        at = self._clock()
        one = self.all.setdefault(session, FakeSession(session, created_at=at, touched_at=at))
        one.touched_at = max(one.touched_at, at)
        return one

    def _newest(self) -> list[FakeSession]:
        there = (one for one in self.all.values() if one.says and not one.is_deleted)
        return sorted(there, key=lambda one: (one.touched_at, one.id), reverse=True)

    def _turn(self, turn: int) -> tuple[FakeSession, int]:
        return next(
            (one, at)
            for one in self.all.values()
            for at, row in enumerate(one.turns)
            if row.id == turn
        )

    def _show_done(self, run: FakeRun) -> None:
        if run.status == "done":
            session, at = self._turn(run.turn)
            session.turns[at] = replace(session.turns[at], shown_run=run.id)

    def _whole(self, turn: TurnRow) -> TurnRow:
        runs = [run for run in self.runs.values() if run.turn == turn.id]
        answer = next((run.answer for run in runs if run.id == turn.shown_run), "")
        return replace(turn, runs=tuple(run.row() for run in runs), answer=answer)

    def _hits(self, one: FakeSession, query: str) -> Iterator[Hit]:
        if one.name:
            yield from _found(one, query, one.name, "title", at=one.touched_at)
        for turn in reversed(one.turns):
            for run in self.runs.values():
                if run.turn == turn.id:
                    yield from _found_in_run(one, query, run)
            at = turn.asked_at
            yield from _found(one, query, turn.prompt.text, "prompt", at=at, turn=turn.id)


def _kept(prompt: store.Asked) -> Asked:
    return Asked(prompt.text, prompt.shown, prompt.typed)


def _found_in_run(one: FakeSession, query: str, run: FakeRun) -> Iterator[Hit]:
    at, turn = run.started_at, run.turn
    yield from _found(one, query, run.answer, "answer", at=at, turn=turn, run=run.id)
    for seat, state in run.state.seats.items():
        if state.role == "proposer":
            said = str(state.text)
            yield from _found(one, query, said, "proposal", at=at, turn=turn, run=run.id, seat=seat)


def _found(
    one: FakeSession,
    query: str,
    text: str,
    where: Where,
    *,
    at: float,
    turn: int | None = None,
    run: int | None = None,
    seat: Seat | None = None,
) -> Iterator[Hit]:
    line = " ".join(text.split())
    begin = line.lower().find(query)
    if begin < 0:
        return
    first = max(0, begin - 40)
    head = "…" if first else ""
    start = begin - first + len(head)
    yield Hit(
        session=one.id,
        title=one.title,
        where=where,
        at=at,
        text=head + line[first : begin + len(query) + 120],
        start=start,
        end=start + len(query),
        turn=turn,
        run=run,
        seat=seat,
    )
