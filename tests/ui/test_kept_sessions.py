"""Conversations are written down, opened again, left and begun anew; with the real store."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from choosing_fakes import FakePlaces, shelf
from storage.test_storage_torture import FailingDisk
from textual.events import Paste
from ui_fakes import TRIO, ask, mixture, numbered, settle, stage

from moa_tui.engine.events import LayerStarted, RunStarted, SeatStarted, TextDelta
from moa_tui.engine.mixture import Seat
from moa_tui.engine.provider import Finish, Message, Price, Text
from moa_tui.errors import ProviderError
from moa_tui.papers import FolderPapers
from moa_tui.providers.scripted import Wait
from moa_tui.storage.disk import Disk
from moa_tui.storage.records import Asked
from moa_tui.storage.store import Store
from moa_tui.ui.answer.answer_view import AnswerView
from moa_tui.ui.composer.composer import Composer, Draft
from moa_tui.ui.dialogs.resume import ResumeDialog
from moa_tui.ui.mixing import Mixing
from moa_tui.ui.sidebar.editing import Place
from moa_tui.ui.sidebar.sidebar import Sidebar
from moa_tui.ui.words import (
    NO_NEWER_SESSION,
    NO_OLDER_SESSION,
    NOTHING_SAID,
    left_unfinished,
    shown_again,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping
    from pathlib import Path

    from textual.pilot import Pilot
    from ui_fakes import Stage

    from moa_tui.engine.mixture import Mixture
    from moa_tui.engine.provider import ChatRequest
    from moa_tui.presets import Presets
    from moa_tui.providers.scripted import Script, Step

WIDE = (160, 48)


class Program:
    """A running program and its store."""

    def __init__(self, show: Stage, pilot: Pilot[None], store: Store) -> None:
        self.show, self.pilot, self.store = show, pilot, store

    async def finish(self, text: str) -> None:
        await ask(self.pilot, text)
        # Nothing is sent before the question is on disk.
        await self.rest()
        await self.show.pass_(self.pilot, 30.0)
        await self.rest()

    async def press(self, *keys: str) -> None:
        for key in keys:
            await self.pilot.press(key)
            await settle(self.pilot)
        await self.rest()

    async def rest(self) -> None:
        """Let what is on its way to and from the disk arrive."""
        await self.store.settled()
        workers = [
            one
            for one in self.show.app.workers
            if one.group in ("save", "stored", "opening", "look back", "export", "other session")
            and not one.is_finished
        ]
        if workers:
            await self.show.app.workers.wait_for_complete(workers)
        await settle(self.pilot)

    @property
    def mixture(self) -> Mixture:
        """The mixture that the next prompt runs."""
        return self.show.app.screen.query_one(Mixing).mixture

    @property
    def told(self) -> list[str]:
        """What was notified."""
        return [note.message for note in self.show.app._notifications]  # noqa: SLF001 - no other way

    async def open(self, session: str) -> None:
        self.show.app._conversation.want(session)  # noqa: SLF001 - what the browser ends with
        await settle(self.pilot)
        await self.rest()


@asynccontextmanager
async def program(
    folder: Path,
    mix: Mixture | None = None,
    *,
    session: str = "",
    is_replay: bool = False,
    is_named: bool = False,
    presets: Presets | None = None,
    disk: Disk | None = None,
    merger: Script | None = None,
    prices: Mapping[str, Price] | None = None,
) -> AsyncIterator[Program]:
    store = Store(disk or Disk(folder))
    places = FakePlaces()
    places.found.put_nowait(())
    show = stage(
        {**TRIO, "m": merger or numbered("merged"), "n": numbered("judged")},
        mix,
        prices=prices,
        store=lambda: store,
        session=session,
        is_replay=is_replay,
        is_named=is_named,
        presets=presets,
        places=None if presets is None else places,
        papers=FolderPapers(folder / "papers"),
    )
    try:
        async with show.app.run_test(size=WIDE) as pilot:
            now = Program(show, pilot, store)
            await now.rest()
            yield now
    finally:
        await store.aclose()


async def test_a_conversation_is_saved_and_goes_on_at_the_next_start(tmp_path: Path) -> None:
    async with program(tmp_path) as now:
        await now.finish("first")
        assert "saved" in now.show.row(0)
        await now.finish("second")

    async with program(tmp_path, session="last") as now:
        assert "merged 1 to first" in now.show.text
        assert "merged 2 to second" in now.show.text
        assert "✓ 1st" in now.show.text

        await now.finish("third")
        asked = now.show.requests[0].messages
        assert Message("assistant", "merged 2 to second") in asked


async def test_that_an_answer_was_cut_is_told_when_it_is_opened_again(tmp_path: Path) -> None:
    def cut(_request: ChatRequest) -> Iterable[Step]:
        return [Text("Because"), Finish("length")]

    told = "The answer is cut at its limit"
    async with program(tmp_path, merger=cut) as now:
        await now.finish("first")
        await now.finish("second")
        assert now.show.text.count(told) == 2

    async with program(tmp_path, session="last") as now:
        assert now.show.text.count(told) == 2
        await now.press("tab", "2", "a")
        assert now.show.text.count(told) == 1


async def test_what_stopped_and_failed_runs_cost_is_not_forgotten(tmp_path: Path) -> None:
    def ends(request: ChatRequest) -> Iterable[Step]:
        yield Text("Because", pieces=1000)
        if request.messages[-1].content == "failed":
            yield ProviderError("cut", "The connection was cut.")
        if request.messages[-1].content == "stopped":
            yield Wait(99.0)
        yield Finish("stop")

    free = Price(0.0, 0.0)
    prices = {**dict.fromkeys("abcn", free), "m": Price(0.0, 100.0)}
    async with program(tmp_path, merger=ends, prices=prices) as now:
        await now.finish("failed")
        await now.finish("stopped")
        await now.press("escape")
        await now.finish("whole")
        assert "about $0.1000 · about $0.3000 in all" in now.show.row(0)

    async with program(tmp_path, session="last", merger=ends, prices=prices) as now:
        assert "about $0.1000 · about $0.3000 in all" in now.show.row(0)


async def test_the_tokens_of_a_merge_in_steps_are_all_there_when_it_is_opened_again(
    tmp_path: Path,
) -> None:
    mix = mixture("abcab")
    mix = replace(mix, aggregator=replace(mix.aggregator, strategy="refine"))
    async with program(tmp_path, mix=mix) as now:
        await now.finish("first")
        header, head = now.show.row(0), _answer_head(now.show)
        assert " 19 tok " in header
        assert "refine, 5 references, 2 steps" in head
        assert "2 tok" in head

    async with program(tmp_path, session="last", mix=mix) as now:
        assert " 19 tok " in now.show.row(0)
        assert _answer_head(now.show) == head


def _answer_head(show: Stage) -> str:
    return next(row for row in show.text.split("\n") if "★ m " in row and " t/s" in row)


async def test_a_new_conversation_leaves_the_other_as_it_is(tmp_path: Path) -> None:
    async with program(tmp_path) as now:
        await now.finish("first")
        await now.press("ctrl+n")
        assert "New session" in now.show.text
        assert "merged 1 to first" not in now.show.text
        await now.finish("other")

        rows = await now.store.sessions()
        assert [row.title for row in rows] == ["other", "first"]
        await now.open(rows[1].id)
        assert "merged 1 to first" in now.show.text


async def test_versions_and_branches_come_back(tmp_path: Path) -> None:
    async with program(tmp_path) as now:
        await now.finish("first")
        await now.press("f5")
        await now.show.pass_(now.pilot, 30.0)
        await now.rest()
        now.show.app.screen.query_one(AnswerView).focus()
        await now.press("e")
        now.show.app.screen.query_one(Draft).load_text("otherwise")
        await now.press("enter")
        await now.show.pass_(now.pilot, 30.0)
        await now.rest()
        assert "[ version 3 of 3 ]" in now.show.text

    async with program(tmp_path, session="last") as now:
        assert "merged 3 to otherwise" in now.show.text
        now.show.app.screen.query_one(AnswerView).focus()
        await now.press("left_square_bracket")
        assert "merged 2 to first" in now.show.text
        await now.press("left_square_bracket")
        assert "merged 1 to first" in now.show.text
        assert "[ version 1 of 3 ]" in now.show.text


async def test_a_taken_proposal_is_still_the_answer_and_the_merged_one_still_there(
    tmp_path: Path,
) -> None:
    async with program(tmp_path) as now:
        await now.finish("first")
        await now.press("tab", "2", "a")
        assert "✓ taken" in now.show.text

    async with program(tmp_path, session="last") as now:
        assert "beta two and more" in now.show.text
        assert "This is proposal 2" in now.show.text
        now.show.app.screen.query_one(AnswerView).focus()
        await now.press("left_square_bracket")
        assert "merged 1 to first" in now.show.text


async def test_each_proposal_that_was_taken_is_a_version_after_a_restart_too(
    tmp_path: Path,
) -> None:
    async with program(tmp_path) as now:
        await now.finish("first")
        await now.press("tab", "2", "a", "1", "a", "2", "a")
        assert "[ version 2 of 3 ]" in now.show.text

    async with program(tmp_path, session="last") as now:
        assert "[ version 2 of 3 ]" in now.show.text
        assert "beta two and more" in now.show.text
        now.show.app.screen.query_one(AnswerView).focus()
        await now.press("right_square_bracket")
        assert "This is proposal 1" in now.show.text
        await now.press("left_square_bracket", "left_square_bracket")
        assert "[ version 1 of 3 ]" in now.show.text
        assert "merged 1 to first" in now.show.text


async def test_a_version_that_is_flipped_to_after_a_restart_is_the_one_that_is_sent(
    tmp_path: Path,
) -> None:
    async with program(tmp_path) as now:
        await now.finish("first")
        await now.press("f5")
        await now.show.pass_(now.pilot, 30.0)
        await now.rest()

    async with program(tmp_path, session="last") as now:
        now.show.app.screen.query_one(AnswerView).focus()
        await now.press("left_square_bracket", "i")
        await now.finish("second")
        asked = now.show.requests[0].messages
        assert Message("assistant", "merged 1 to first") in asked


async def test_what_was_stopped_with_nothing_said_gives_way_to_the_answer_before(
    tmp_path: Path,
) -> None:
    async with program(tmp_path) as now:
        await now.finish("first")
        await now.press("f5", "escape")
        assert "merged 1 to first" in now.show.text
        assert "version" not in now.show.text
        assert now.told == [NOTHING_SAID]

        await now.press("f5")
        await now.show.pass_(now.pilot, 1.0)
        await now.press("escape")
        assert "■ Stopped." in now.show.text
        assert "[ version 2 of 2 ]" in now.show.text

    async with program(tmp_path, session="last") as now:
        assert "[ version 2 of 2 ]" in now.show.text
        now.show.app.screen.query_one(AnswerView).focus()
        await now.press("left_square_bracket", "i", "f5", "escape")
        assert "merged 1 to first" in now.show.text

    async with program(tmp_path, session="last") as now:
        assert "merged 1 to first" in now.show.text
        assert "[ version 1 of 2 ]" in now.show.text


async def test_a_stopped_version_gives_way_to_an_answer_after_a_restart_too(
    tmp_path: Path,
) -> None:
    async with program(tmp_path) as now:
        await now.finish("first")
        await now.press("f5")
        await now.show.pass_(now.pilot, 2.0)
        await now.press("escape")

    async with program(tmp_path, session="last") as now:
        assert "sent with version 1; [ shows it." in now.show.text
        await now.finish("second")
        asked = now.show.requests[0].messages
        assert Message("assistant", "merged 1 to first") in asked
        assert "merged 1 to first" in now.show.text
        assert now.told == [shown_again(1, 1)]

    async with program(tmp_path, session="last") as now:
        assert "merged 1 to first" in now.show.text
        assert "Later prompts" not in now.show.text


async def test_a_merge_that_was_cut_off_before_it_said_a_word_is_no_version_after_a_restart(
    tmp_path: Path,
) -> None:
    async with program(tmp_path) as now:
        await now.finish("first")
        await now.press("tab", "g")

    async with program(tmp_path, session="last") as now:
        assert "merged 1 to first" in now.show.text
        assert "version" not in now.show.text


async def test_a_branch_that_is_flipped_to_after_a_restart_has_the_answer_of_its_edge(
    tmp_path: Path,
) -> None:
    async with program(tmp_path) as now:
        await now.finish("first")
        await now.press("f5")
        await now.show.pass_(now.pilot, 30.0)
        await now.press("tab", "left_square_bracket", "i")
        await now.finish("next")
        now.show.app.screen.query_one(AnswerView).focus()
        await now.press("home", "e")
        now.show.app.screen.query_one(Draft).load_text("otherwise")
        await now.press("enter")
        await now.show.pass_(now.pilot, 30.0)
        await now.rest()
        assert "merged 4 to otherwise" in now.show.text

    async with program(tmp_path, session="last") as now:
        now.show.app.screen.query_one(AnswerView).focus()
        await now.press("left_square_bracket")
        assert "merged 2 to first" in now.show.text
        assert "merged 3 to next" in now.show.text
        await now.press("i")
        await now.finish("last")
        assert Message("assistant", "merged 2 to first") in now.show.requests[0].messages


async def test_an_earlier_turns_proposals_are_read_when_they_are_wanted(tmp_path: Path) -> None:
    async with program(tmp_path) as now:
        await now.finish("first")
        await now.finish("second")

    async with program(tmp_path, session="last") as now:
        now.show.app.screen.query_one(AnswerView).focus()
        await now.press("home", "enter")
        assert "Turn 1" in now.show.text
        assert "alpha one" in now.show.text


async def test_a_draft_and_the_queue_come_back(tmp_path: Path) -> None:
    async with program(tmp_path) as now:
        await ask(now.pilot, "first")
        await now.show.pass_(now.pilot, 1.0)
        await ask(now.pilot, "second")
        await now.pilot.press(*"half")
        await now.rest()

    async with program(tmp_path, session="last") as now:
        assert now.show.app.screen.query_one(Draft).text == "half"
        assert "queued: second" in now.show.text
        assert "The program ended while this ran" in now.show.text or "Stopped" in now.show.text


async def test_what_is_missing_of_an_interrupted_run_is_called_and_merged(tmp_path: Path) -> None:
    async with program(tmp_path) as now:
        await ask(now.pilot, "first")
        await now.show.pass_(now.pilot, 2.0)

    async with program(tmp_path, session="last") as now:
        now.show.app.screen.query_one(AnswerView).focus()
        await now.press("c")
        await now.show.pass_(now.pilot, 30.0)
        await now.rest()
        assert [request.model for request in now.show.requests] == ["b", "c", "m"]
        assert "merged 1 to first" in now.show.text


async def test_a_conversation_is_called_by_the_name_that_it_was_given(tmp_path: Path) -> None:
    async with program(tmp_path) as now:
        await now.finish("first")
        await now.press("ctrl+r", "f2", "ctrl+u", *"Sky", "enter", "escape")
        assert now.show.row(0).startswith(" moa │ Sky ")
        await now.finish("second")
        assert now.show.row(0).startswith(" moa │ Sky (2) ")

    async with program(tmp_path, session="last") as now:
        assert now.show.row(0).startswith(" moa │ Sky (2) ")
        await now.press("ctrl+r", "f2", "ctrl+u", "enter", "escape")
        assert now.show.row(0).startswith(" moa │ second (2) ")


async def test_up_brings_back_the_prompts_of_a_conversation_that_was_opened(tmp_path: Path) -> None:
    async with program(tmp_path) as now:
        await now.finish("first")
        await now.finish("second")

    async with program(tmp_path, session="last") as now:
        draft = now.show.app.screen.query_one(Draft)
        await now.press("up")
        assert draft.text == "second"
        await now.press("up")
        assert draft.text == "first"
        await now.press("down", "enter")
        await now.show.pass_(now.pilot, 30.0)
        await now.rest()
        assert "merged 1 to second" in now.show.text


async def test_a_private_conversation_is_not_written_down(tmp_path: Path) -> None:
    async with program(tmp_path) as now:
        await now.press("f7")
        assert "not written down" in now.show.row(0)
        await now.finish("secret")
        assert "merged 1 to secret" in now.show.text
        assert await now.store.sessions() == []


async def test_what_keeps_a_conversation_from_being_saved_stands_above_it(tmp_path: Path) -> None:
    (tmp_path / "sessions.db").mkdir()
    async with program(tmp_path) as now:
        assert "! " in now.show.row(1)
        await now.finish("first")
        assert "merged 1 to first" in now.show.text
        assert " not saved " in now.show.row(0)


async def test_what_could_not_be_saved_is_called_saved_once_it_is(tmp_path: Path) -> None:
    disk = FailingDisk(tmp_path, lambda _: False)
    async with program(tmp_path, disk=disk) as now:
        disk.when = lambda _: True
        await now.finish("first")
        assert " not saved " in now.show.row(0)
        assert "! Not saving" in now.show.row(1)

        disk.when = lambda _: False
        while now.store.trouble is not None:
            now.store.rename(now.show.app._conversation._recording.session, "x")  # noqa: SLF001 - any change
            await now.store.settled()
        await now.rest()
        assert " · saved " in now.show.row(0)
        assert "Not saving" not in now.show.text


async def test_a_race_is_replayed_as_it_was_and_nobody_is_called(tmp_path: Path) -> None:
    async with program(tmp_path) as now:
        await now.finish("first")

    async with program(tmp_path, session="last") as now:
        now.show.app.screen.query_one(AnswerView).focus()
        await now.press("R")
        await now.show.pass_(now.pilot, 2.0)
        assert "replay 1×" in now.show.row(0)
        assert "alpha one" in now.show.text
        assert "gamma three" in now.show.text
        assert "merged 1" not in now.show.text

        await now.press("space")
        await now.show.pass_(now.pilot, 10.0)
        assert "merged 1" not in now.show.text

        await now.press("space", "R", "R")
        assert "replay 8×" in now.show.row(0)
        await now.show.pass_(now.pilot, 1.0)
        assert "merged 1 to first" in now.show.text
        assert "✓ done" in now.show.row(0)
        assert now.show.requests == []


async def test_a_replay_ends_with_esc_and_with_the_next_prompt(tmp_path: Path) -> None:
    async with program(tmp_path) as now:
        await now.finish("first")
        now.show.app.screen.query_one(AnswerView).focus()
        await now.press("R")
        await now.show.pass_(now.pilot, 1.0)
        await now.press("escape")
        assert "merged 1 to first" in now.show.text

        await now.press("R")
        await now.show.pass_(now.pilot, 1.0)
        await now.press("i")
        await now.finish("second")
        assert "merged 1 to first" in now.show.text
        assert "merged 2 to second" in now.show.text


async def test_a_stored_race_can_be_what_the_program_begins_with(tmp_path: Path) -> None:
    async with program(tmp_path) as now:
        await now.finish("first")

    async with program(tmp_path, session="last", is_replay=True) as now:
        await now.show.pass_(now.pilot, 1.0)
        assert "replay 1×" in now.show.row(0)
        assert "merged 1 to first" not in now.show.text


async def test_a_conversation_with_a_taken_proposal_before_its_end_is_opened(
    tmp_path: Path,
) -> None:
    async with program(tmp_path) as now:
        await now.finish("first")
        await now.press("tab", "2", "a", "i")
        await now.finish("second")
        (row,) = await now.store.sessions()
    async with program(tmp_path, session=row.id) as now:
        assert "You   second" in now.show.text
        assert now.show.app.return_code is None


async def test_a_conversation_is_exported_to_a_file(tmp_path: Path) -> None:
    async with program(tmp_path) as now:
        await now.finish("first")
        await now.press("tab", "E")

    (page,) = (tmp_path / "papers").iterdir()
    text = page.read_text("utf-8")
    assert "merged 1 to first" in text
    assert "<details>" in text


async def test_the_browser_opens_what_is_found(tmp_path: Path) -> None:
    async with program(tmp_path) as now:
        await now.finish("about whales")
        await now.press("ctrl+n")
        await now.finish("about cats")
        await now.press("ctrl+r")
        assert "about whales" in now.show.text
        await now.pilot.press(*"whales")
        await now.rest()
        await now.press("enter")
        assert "merged 1 to about whales" in now.show.text
        assert "about cats" not in now.show.text


async def test_what_was_deleted_comes_back_when_the_browser_is_opened_again(
    tmp_path: Path,
) -> None:
    async with program(tmp_path) as now:
        await now.finish("about whales")
        await now.press("ctrl+n")
        await now.finish("about cats")
        await now.press("ctrl+r", "down", "ctrl+d")
        assert "deleted; ^z brings it back" in now.show.text
        await now.press("escape", "ctrl+n", "ctrl+r")
        assert "about whales" not in now.show.text
        await now.press("ctrl+z")
        assert "it is back" in now.show.text
        assert "about whales" in now.show.text
        assert {row.title for row in await now.store.sessions()} == {"about whales", "about cats"}


# The mixture of a conversation.

DUO = replace(mixture("ab"), name="duo", temperature=0.5, quorum=2)
SOLO = replace(mixture("c"), name="solo")


async def test_a_conversation_brings_the_mixture_of_its_last_answer(tmp_path: Path) -> None:
    async with program(tmp_path, DUO) as now:
        await now.finish("first")

    async with program(tmp_path, SOLO, session="last") as now:
        assert now.mixture == DUO
        assert now.told == [
            "duo (2 proposers × 1 layer) comes with it, the mixture of its last answer."
        ]
        await now.press("f5")
        await now.show.pass_(now.pilot, 30.0)
        await now.rest()
        assert [request.model for request in now.show.requests] == ["a", "b", "m"]

        await now.press("ctrl+n")
        assert now.mixture == DUO


async def test_what_was_merged_again_brings_the_recipe_and_its_aggregator(tmp_path: Path) -> None:
    other = replace(DUO.aggregator, agent=mixture(merger="n").aggregator.agent)
    presets = shelf(tmp_path, own=[replace(DUO, aggregator=other)])
    async with program(tmp_path, DUO, presets=presets) as now:
        await now.finish("first")
        now.show.app.screen.query_one(Sidebar).put_model(Place(0, 1), "t/n")
        await now.press("tab", "g")
        await now.show.pass_(now.pilot, 30.0)
        await now.rest()
        assert "judged 1 to first" in now.show.text

    async with program(tmp_path, SOLO, session="last", presets=presets) as now:
        assert now.mixture == replace(DUO, aggregator=other)
        assert "edited" not in now.show.text
        now.show.app.screen.query_one(AnswerView).focus()
        await now.press("g")
        await now.show.pass_(now.pilot, 30.0)
        await now.rest()
        assert [request.model for request in now.show.requests] == ["n"]


async def test_a_mixture_that_the_command_line_names_stays(tmp_path: Path) -> None:
    async with program(tmp_path, DUO) as now:
        await now.finish("first")

    async with program(tmp_path, SOLO, session="last", is_named=True) as now:
        assert now.mixture == SOLO
        (told,) = now.told
        assert told == (
            "solo (1 proposer × 1 layer) stays, as the command line says;"
            " this conversation's was duo (2 proposers × 1 layer)."
        )


async def test_edits_that_stand_nowhere_stay_and_those_of_a_run_give_way(tmp_path: Path) -> None:
    presets = shelf(tmp_path, own=[DUO, SOLO])
    async with program(tmp_path, DUO, presets=presets) as now:
        await now.finish("first")
        (first,) = await now.store.sessions()

    async with program(tmp_path, SOLO, presets=presets) as now:
        now.show.app.screen.query_one(Sidebar).put_model(Place(0, 1), "t/n")
        await now.rest()
        edited = now.mixture
        await now.press("ctrl+n")
        await now.open(first.id)
        assert now.mixture == edited
        (told,) = now.told
        assert told == (
            "solo (1 proposer × 1 layer) stays, for it has unsaved edits;"
            " this conversation's was duo (2 proposers × 1 layer)."
        )

        await now.press("ctrl+n")
        await now.finish("second")
        await now.open(first.id)
        assert now.mixture == DUO


async def test_edits_that_only_a_private_conversation_ran_stay(tmp_path: Path) -> None:
    presets = shelf(tmp_path, own=[DUO, SOLO])
    async with program(tmp_path, DUO, presets=presets) as now:
        await now.finish("first")
        (first,) = await now.store.sessions()

    async with program(tmp_path, SOLO, presets=presets) as now:
        await now.press("f7")
        now.show.app.screen.query_one(Sidebar).put_model(Place(0, 1), "t/n")
        await now.rest()
        edited = now.mixture
        await now.finish("secret")
        await now.open(first.id)
        await now.press("y")
        assert now.mixture == edited
        assert "for it has unsaved edits" in now.told[-1]


async def test_a_conversation_with_no_answer_leaves_the_mixture_to_what_is_found(
    tmp_path: Path,
) -> None:
    async with program(tmp_path, DUO) as now:
        await now.pilot.press(*"half")
        await now.rest()
        (row,) = await now.store.sessions()

    async with program(tmp_path, SOLO) as now:
        await now.open(row.id)
        assert now.mixture == SOLO
        assert now.told == []


async def cut_short(folder: Path) -> None:
    """Leave a run in the store as a program does that is killed while one streams."""
    lost = Store.open(folder)
    session = lost.begin_session()
    turn = lost.begin_turn(session, Asked("unfinished business", "unfinished business"))
    recorder = lost.begin_run(turn, mixture())
    seat = Seat(1, 1)
    recorder.record(RunStarted(n=1, t=0.0, mixture=mixture()))
    recorder.record(LayerStarted(n=2, t=0.0, layer=1))
    recorder.record(SeatStarted(n=3, t=0.0, seat=seat, attempt=1, role="proposer", model="t/a"))
    recorder.record(TextDelta(n=4, t=1.0, seat=seat, attempt=1, text="half an answer"))
    await lost.settled()
    lost._recorders.clear()  # noqa: SLF001 - as if the process were gone before it could end them
    await lost.aclose()


async def test_what_was_running_when_all_ended_is_offered(tmp_path: Path) -> None:
    await cut_short(tmp_path)
    async with program(tmp_path) as now:
        await settle(now.pilot)
        assert "unfinished business" in now.show.text
        await now.press("enter")
        await now.rest()
        now.show.app.screen.query_one(AnswerView).focus()
        await now.press("1")
        assert "half an answer" in now.show.text


@pytest.mark.parametrize("is_pasted", [False, True])
async def test_the_offer_to_resume_makes_way_for_what_is_typed(
    tmp_path: Path, *, is_pasted: bool
) -> None:
    await cut_short(tmp_path)
    async with program(tmp_path) as now:
        await settle(now.pilot)
        assert isinstance(now.show.app.screen, ResumeDialog)
        if is_pasted:
            now.show.app.post_message(Paste("just ask"))
            await now.rest()
        else:
            await now.press(*"just ask")
        assert now.show.app.screen.query_one(Composer).draft.text == "just ask"
        assert [note.message for note in now.show.app._notifications] == [  # noqa: SLF001 - no other way
            left_unfinished("unfinished business")
        ]
        await now.press("enter")
        await now.show.pass_(now.pilot, 30.0)
        await now.rest()
        assert "merged 1 to just ask" in now.show.text


async def test_conversations_are_gone_through_from_the_newest_to_the_oldest(
    tmp_path: Path,
) -> None:
    async with program(tmp_path) as now:
        await now.finish("one")
        await now.press("ctrl+n")
        await now.finish("two")
        await now.press("ctrl+n")
        for key, shown in (
            ("ctrl+pageup", "New session"),
            ("ctrl+pagedown", "two"),
            ("ctrl+pagedown", "one"),
            ("ctrl+pagedown", "one"),
            ("ctrl+pageup", "two"),
        ):
            await now.press(key)
            assert now.show.row(0).split("│")[1].split("  ")[0].strip() == shown, key
        said = [note.message for note in now.show.app._notifications]  # noqa: SLF001 - what stands there
        assert NO_NEWER_SESSION in said
        assert NO_OLDER_SESSION in said
