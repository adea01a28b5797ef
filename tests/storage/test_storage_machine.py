"""Whatever is done in whatever order, the store says what a plain model of it says.

MOA_MACHINE_EXAMPLES=500 makes it the long run.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    rule,
)
from storage.shelf import MIXTURE, ONE, HandClock, asked, run_of, state_of

from moa_tui.storage.disk import Disk
from moa_tui.storage.export import from_json, to_json
from moa_tui.storage.store import Store

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from moa_tui.engine.events import Event
    from moa_tui.storage.recorder import RunRecorder
    from moa_tui.storage.records import Session

T = TypeVar("T")

EXAMPLES = int(os.environ.get("MOA_MACHINE_EXAMPLES", "12"))
texts = st.sampled_from(["apple pie", "Äpfel", "贪吃蛇游戏", "x", "two\nlines", "😎 ok"])


@dataclass
class ModelRun:
    status: str = "live"
    events: list[Event] = field(default_factory=list)
    answer: str = ""
    taken: str | None = None


@dataclass
class ModelTurn:
    text: str
    parent: int | None
    runs: list[int] = field(default_factory=list)
    shown: int | None = None


@dataclass
class ModelSession:
    turns: list[int] = field(default_factory=list)
    head: int | None = None
    name: str = ""
    draft: str = ""
    is_deleted: bool = False


class StoreMachine(RuleBasedStateMachine):
    sessions = Bundle("sessions")
    turns = Bundle("turns")
    ended = Bundle("ended")
    live = Bundle("live")

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="moa-machine-"))
        self.runner = asyncio.Runner()
        self.clock = HandClock()
        self.known: dict[str, ModelSession] = {}
        self.asked: dict[int, ModelTurn] = {}
        self.runs: dict[int, ModelRun] = {}
        self.takes: dict[int, int] = {}
        self.recorders: dict[int, RunRecorder] = {}
        self.store = self.opened()

    def opened(self) -> Store:
        async def make() -> Store:
            return Store(Disk(self.folder), clock=self.clock, every_s=0.001)

        return self.wait(make())

    def wait(self, coroutine: Coroutine[object, object, T]) -> T:
        return self.runner.run(coroutine)

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.wait(self.store.aclose())
            self.runner.close()
            shutil.rmtree(self.folder)

    @rule(target=sessions)
    def session(self) -> str:
        return self.store.begin_session()

    def of(self, session: str) -> ModelSession:
        return self.known.setdefault(session, ModelSession())

    def add_turn(self, session: str, text: str, parent: int | None) -> int:
        self.clock.at += 1
        turn = self.store.begin_turn(session, asked(text), parent=parent)
        self.of(session).turns.append(turn)
        self.of(session).head = turn
        self.asked[turn] = ModelTurn(text, parent)
        return turn

    @rule(target=turns, session=sessions, text=texts)
    def first_turn(self, session: str, text: str) -> int:
        return self.add_turn(session, text, None)

    @rule(target=turns, turn=turns, text=texts)
    def next_turn(self, turn: int, text: str) -> int:
        return self.add_turn(self.session_of(turn), text, turn)

    def session_of(self, turn: int) -> str:
        return next(key for key, one in self.known.items() if turn in one.turns)

    @rule(target=live, turn=turns, text=texts, count=st.integers(0, 12))
    def begin_run(self, turn: int, text: str, count: int) -> int:
        recorder = self.store.begin_run(turn, MIXTURE)
        events = run_of(text)
        for event in events[:count]:
            recorder.record(event)
        self.runs[recorder.id] = ModelRun(events=events[:count], answer=text)
        self.recorders[recorder.id] = recorder
        of_turn = self.asked[turn]
        of_turn.runs.append(recorder.id)
        of_turn.shown = of_turn.shown or recorder.id
        return recorder.id

    @rule(target=ended, run=consumes(live))
    def end_run(self, run: int) -> int:
        # One that a restart interrupted has ended already.
        model = self.runs[run]
        if model.status == "live":
            events = run_of(model.answer)
            for event in events[len(model.events) :]:
                self.recorders[run].record(event)
            assert self.wait(self.recorders[run].saved())
            model.events, model.status = events, "done"
            turn = next(one for one in self.asked.values() if run in one.runs)
            turn.shown = run
        return run

    @rule(run=ended, text=texts)
    def take(self, run: int, text: str) -> None:
        turn = next(key for key, one in self.asked.items() if run in one.runs)
        session = self.session_of(turn)
        if self.known[session].is_deleted:
            return
        self.store.take(turn, run, ONE, text)
        if run not in self.takes:
            (row,) = (one for one in self.wait(self.store.load(session)).turns if one.id == turn)
            (self.takes[run],) = (
                one.id for one in row.runs if (one.given_from, one.taken_from) == (run, ONE)
            )
            self.runs[self.takes[run]] = ModelRun("taken", taken=text)
            self.asked[turn].runs.append(self.takes[run])
        self.asked[turn].shown = self.takes[run]

    @rule(run=ended)
    def show(self, run: int) -> None:
        turn = next(key for key, one in self.asked.items() if run in one.runs)
        self.store.show(turn, run)
        self.asked[turn].shown = run

    @rule(turn=turns)
    def go_to(self, turn: int) -> None:
        session = self.session_of(turn)
        self.store.go_to(session, turn)
        self.known[session].head = turn

    @rule(turn=turns, text=texts)
    def rename(self, turn: int, text: str) -> None:
        session = self.session_of(turn)
        self.store.rename(session, text)
        self.known[session].name = " ".join(text.split())

    @rule(session=sessions, text=texts)
    def draft(self, session: str, text: str) -> None:
        self.store.keep_draft(session, text)
        self.of(session).draft = text

    @rule(turn=turns, is_deleted=st.booleans())
    def delete(self, turn: int, *, is_deleted: bool) -> None:
        session = self.session_of(turn)
        (self.store.delete if is_deleted else self.store.undelete)(session)
        self.known[session].is_deleted = is_deleted

    @rule()
    def restart(self) -> None:
        self.wait(self.store.aclose())
        for run in self.runs.values():
            if run.status == "live":
                run.status, run.answer = "interrupted", ""
        # Ids tell the order by the clock, and no start comes in the moment of the end before it.
        self.clock.at += 1
        self.store = self.opened()
        assert self.wait(self.store.unfinished()) == ()

    @rule(turn=turns)
    def export_and_import(self, turn: int) -> None:
        session = self.session_of(turn)
        model = self.known[session]
        if model.is_deleted or any(
            self.runs[run].status == "live" for one in model.turns for run in self.asked[one].runs
        ):
            return
        text = to_json(self.wait(self.store.whole(session)))
        assert to_json(from_json(text)) == text
        copy = self.wait(self.store.add(from_json(text)))
        assert copy != session
        again = to_json(self.wait(self.store.whole(copy)))
        assert again == text.replace(f'"{session}"', f'"{copy}"')
        self.store.delete(copy)

    @invariant()
    def the_store_says_what_the_model_says(self) -> None:
        if not hasattr(self, "store"):
            return
        rows = self.wait(self.store.sessions(1000))
        seen = {key for key, one in self.known.items() if not one.is_deleted}
        assert {row.id for row in rows} == seen
        for row in rows:
            self.check(row.id, self.wait(self.store.load(row.id)))
        assert self.store.trouble is None

    def check(self, session: str, loaded: Session) -> None:
        model = self.known[session]
        assert [turn.id for turn in loaded.turns] == model.turns
        assert (loaded.head, loaded.draft) == (model.head, model.draft)
        if model.name:
            assert loaded.title == model.name
        for turn in loaded.turns:
            of_turn = self.asked[turn.id]
            assert (turn.prompt.text, turn.parent) == (of_turn.text, of_turn.parent)
            assert [run.id for run in turn.runs] == of_turn.runs
            assert turn.shown_run == of_turn.shown
            for run in turn.runs:
                assert run.status == self.runs[run.id].status
            if of_turn.shown is not None:
                shown = self.runs[of_turn.shown]
                answer = shown.answer if shown.status == "done" else ""
                assert turn.answer == (answer if shown.taken is None else shown.taken)

    @rule(run=ended)
    def replay(self, run: int) -> None:
        turn = next(key for key, one in self.asked.items() if run in one.runs)
        if self.known[self.session_of(turn)].is_deleted:
            return
        model = self.runs[run]
        replayed = self.wait(self.store.replay(run))
        assert replayed[: len(model.events)] == (model.events or replayed[:0])
        merged = state_of(self.wait(self.store.run(run)))
        assert merged.seats == state_of(replayed).seats

    @rule(turn=turns)
    def search(self, turn: int) -> None:
        session = self.session_of(turn)
        hits = self.wait(self.store.search(self.asked[turn].text, limit=1000))
        found = turn in {hit.turn for hit in hits}
        assert found == (not self.known[session].is_deleted)


TestStoreMachine = StoreMachine.TestCase
TestStoreMachine.settings = settings(max_examples=EXAMPLES, stateful_step_count=25, deadline=None)
