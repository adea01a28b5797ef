"""The session browser: read page by page, searched while one types, no slip is final."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

import pytest
from dialog_fakes import NARROW, NARROWEST, WIDE, opened
from store_fake import DUO, ONE, TWO, FakeSession, FakeStore, run_of

from moa_tui.storage.records import Asked, Hit, Trouble, Unfinished
from moa_tui.ui import look
from moa_tui.ui.composer.prompt import Prompt
from moa_tui.ui.dialogs import session_texts as says
from moa_tui.ui.dialogs.choices import Choices
from moa_tui.ui.dialogs.resume import ResumeDialog
from moa_tui.ui.dialogs.session_rows import around
from moa_tui.ui.dialogs.sessions import Chosen, SessionBrowser

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from dialog_fakes import Opened

    from moa_tui.engine.events import Event


def at(*date: int) -> float:
    return datetime(*date).timestamp()  # type: ignore[arg-type] # noqa: DTZ001 - the wall clock of this machine


NOW = at(2026, 11, 26, 13, 0)


@dataclass
class Shelf:
    """A store with sessions whose times the test says, and what was exported."""

    clock: list[float] = field(default_factory=lambda: [NOW])
    exported: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.store = FakeStore(clock=lambda: self.clock[0])

    def session(self, when: float, *questions: str, events: Iterable[Event] = ()) -> str:
        """Add a session; every question has the same run."""
        self.clock[0] = when
        session, parent = self.store.begin_session(), None
        for question in questions:
            parent = self.store.begin_turn(session, Prompt(question, question), parent=parent)
            run = self.store.begin_run(parent, DUO)
            for event in events:
                run.record(event)
        self.clock[0] = NOW
        self.store.changed.clear()
        return session

    def browser(self, *, here: str = "", query: str = "") -> SessionBrowser:
        return SessionBrowser(
            self.store, now=lambda: NOW, here=here, export=self.exported.append, query=query
        )

    @asynccontextmanager
    async def open(
        self,
        *,
        here: str = "",
        size: tuple[int, int] = NARROW,
        keys: Iterable[str] = (),
        query: str = "",
    ) -> AsyncIterator[Opened[Chosen]]:
        make = lambda: self.browser(here=here, query=query)  # noqa: E731 - the dialog wants an app
        async with opened(make, size=size) as now:
            await now.settle()
            await now.press(*keys)
            await now.settle()
            yield now


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def three(shelf: Shelf) -> tuple[str, str, str]:
    """Return sessions about the sky, a snake and tea, the newest last."""
    sky = run_of("It scatters blue light.", "Rayleigh said so.", "Ask a physicist.")
    return (
        shelf.session(at(2026, 10, 3, 9, 0), "Why is the sky blue?", "And red?", events=sky),
        shelf.session(at(2026, 11, 23, 12, 40), "Implement a Snake game."),
        shelf.session(at(2026, 11, 26, 12, 40), "How long does tea draw?"),
    )


def squeezed(rows: Iterable[str]) -> list[str]:
    return [" ".join(row.replace("─", "").split()) for row in rows]


def bold(now: Opened[Chosen]) -> list[str]:
    """Return what is bold in the list."""
    choices = now.dialog.query_one(Choices)
    return [
        segment.text
        for y in range(choices.size.height)
        for segment in choices.render_line(y)
        if segment.style is not None and segment.style.bold
    ]


async def test_sessions_stand_newest_first_with_their_turns_and_when(
    shelf: Shelf, three: tuple[str, str, str]
) -> None:
    shelf.store.all[three[1]].is_live = True
    async with shelf.open(here=three[2]) as now:
        assert squeezed(now.card[:5]) == [
            "Sessions 3 sessions",
            "› type to search prompts, answers and proposals",
            "› How long does tea draw? open here 1 turn 12:40",
            "Implement a Snake game. ● live 1 turn Mon 12:40",
            "Why is the sky blue? 2 turns 3 Oct",
        ]
        await now.press("down", "down", "enter")
        assert now.results == [Chosen(three[0])]


async def test_facts_of_the_session_under_the_cursor_stand_below(
    shelf: Shelf, three: tuple[str, str, str]
) -> None:
    shelf.store.keep_draft(three[0], "and green?")
    async with shelf.open() as now:
        assert squeezed(now.card[-6:-4]) == [
            "Why is the sky blue?",
            "2 turns · last used 13:00 · begun 3 Oct · a draft waits",
        ]
        assert squeezed([now.row(having="last question")]) == ["last question And red?"]
        await now.press("end")
        assert "last question" not in now.text


async def test_what_a_row_is_about_is_read_once(shelf: Shelf, three: tuple[str, str, str]) -> None:
    async with shelf.open(keys=("down", "down")):
        loads = [about for method, about in shelf.store.asked if method == "load"]
        assert loads == [three[2], three[1], three[0]]


async def test_no_session_yet_and_no_store_are_said_in_words(shelf: Shelf) -> None:
    async with shelf.open() as now:
        assert now.card[2].strip() == "no sessions yet: the first question begins one"
        assert now.card[-1].strip() == "↑↓ move  esc close"
    async with opened(lambda: SessionBrowser(None, now=lambda: NOW), keys=("x", "enter")) as now:
        assert "sessions aren't recorded here" in now.text
        assert now.results == []
        await now.press("escape")
        assert now.results == [None]


async def test_why_nothing_can_be_read_is_told_in_full_and_mends_itself(
    shelf: Shelf, three: tuple[str, str, str]
) -> None:
    shelf.store.why = "/home/me/sessions.db can't be read: [b]it is locked[/b]\x1b by another one."
    async with shelf.open() as now:
        told = squeezed([" ".join(now.card)])[0]
        assert "! /home/me/sessions.db can't be read: [b]it is locked[/b]␛ by another one." in told
        assert "the sessions can't be read" in told
        shelf.store.why = ""
        await now.press("t", "e", "a", "enter")
        assert now.results == [Chosen(three[2], shelf.store.all[three[2]].head)]


async def test_a_trouble_of_the_store_stands_above_the_list(
    shelf: Shelf, three: tuple[str, str, str]
) -> None:
    del three
    shelf.store.trouble = Trouble(
        kind="not_saving", words="Not saving: the disk is full.", is_saving=False
    )
    async with shelf.open() as now:
        assert squeezed([now.card[2]]) == ["! Not saving: the disk is full."]
        assert now.chosen.startswith("How long")


async def test_typing_finds_prompts_answers_and_proposals_with_the_match_bold(
    shelf: Shelf, three: tuple[str, str, str]
) -> None:
    del three
    async with shelf.open(keys="scatters") as now:
        assert squeezed(now.card[:4]) == [
            "Sessions 2 places",
            "› scatters",
            "Why is the sky blue? 3 Oct",
            "› answer It scatters blue light.",
        ]
        assert bold(now) == ["Why is the sky blue? ", "scatters", "scatters"]
        assert squeezed([now.row(having="question")]) == ["question And red?"]
    async with shelf.open(keys="rayleigh") as now:
        assert squeezed([now.chosen]) == ["proposal Rayleigh said so."]
        assert "proposal 1 · 3 Oct" in now.text
    async with shelf.open(keys="snake") as now:
        assert squeezed([now.chosen]) == ["prompt Implement a Snake game."]
        assert "Snake" in bold(now)


async def test_a_hit_opens_its_turn(shelf: Shelf, three: tuple[str, str, str]) -> None:
    first, last = shelf.store.all[three[0]].turns
    async with shelf.open(keys=(*"light", "enter")) as now:
        assert now.results == [Chosen(three[0], last.id)]
    async with shelf.open(keys=(*"light", "down", "enter")) as now:
        assert now.results == [Chosen(three[0], first.id)]


async def test_what_is_found_nowhere_is_said(shelf: Shelf, three: tuple[str, str, str]) -> None:
    del three
    async with shelf.open(keys=(*"[b]zz", "enter")) as now:
        assert now.card[2].strip() == 'nothing says "[b]zz"'
        assert now.results == []
        await now.press("ctrl+u")
        assert now.chosen.startswith("How long")


async def test_typing_never_waits_and_only_the_last_search_is_shown(
    shelf: Shelf, three: tuple[str, str, str]
) -> None:
    del three
    async with shelf.open() as now:
        shelf.store.gate.clear()
        await now.press(*"sky")
        assert now.card[1] == " › sky"
        assert now.chosen.startswith("How long")
        await now.press("ctrl+u", *"tea")
        shelf.store.gate.set()
        await now.settle()
        assert squeezed([now.chosen]) == ["prompt How long does tea draw?"]
        assert "sky" not in now.text


async def test_enter_that_comes_before_what_was_found_opens_that_and_nothing_else(
    shelf: Shelf, three: tuple[str, str, str]
) -> None:
    async with shelf.open() as now:
        shelf.store.gate.clear()
        await now.press(*"snake", "enter")
        assert now.results == []
        shelf.store.gate.set()
        await now.settle()
        assert [result and result.session for result in now.results] == [three[1]]


async def test_typing_on_after_enter_takes_it_back(
    shelf: Shelf, three: tuple[str, str, str]
) -> None:
    del three
    async with shelf.open() as now:
        shelf.store.gate.clear()
        await now.press(*"te", "enter", "a")
        shelf.store.gate.set()
        await now.settle()
        assert now.results == []
        assert squeezed([now.chosen]) == ["prompt How long does tea draw?"]


async def test_ten_thousand_sessions_are_read_as_far_as_one_looks(shelf: Shelf) -> None:
    for number in range(10_000):
        name = f"n{number:05}"
        shelf.store.all[name] = FakeSession(name, NOW, NOW + number, name=f"session {number}")
    async with shelf.open() as now:
        assert squeezed(now.card[:1]) == ["Sessions 100+ sessions"]
        assert shelf.store.asked[0] == ("sessions", 100)
        await now.press(*["down"] * 60)
        assert now.chosen.startswith("session 9939")
        assert squeezed(now.card[:1]) == ["Sessions 200+ sessions"]
        for _ in range(9):
            await now.press("end")
        assert now.chosen.startswith("session 0 ")
        assert squeezed(now.card[:1]) == ["Sessions 10000 sessions"]


async def test_scrolling_reads_on_and_moves_neither_the_cursor_nor_what_is_in_sight(
    shelf: Shelf,
) -> None:
    for number in range(300):
        name = f"n{number:05}"
        shelf.store.all[name] = FakeSession(name, NOW, NOW + number, name=f"session {number}")
    async with shelf.open() as now:
        now.dialog.query_one(Choices).scroll_to(y=70, animate=False)
        await now.settle()
        assert squeezed(now.card[:1]) == ["Sessions 200+ sessions"]
        assert now.card[2].strip().startswith("session 229")
        await now.press("enter")
        assert now.results == [Chosen("n00299")]


async def test_ctrl_d_deletes_at_once_and_ctrl_z_brings_back(
    shelf: Shelf, three: tuple[str, str, str]
) -> None:
    async with shelf.open(keys=("down", "ctrl+d")) as now:
        assert squeezed(now.card[:1]) == ["Sessions deleted; ^z brings it back"]
        assert now.chosen.startswith("Why is the sky blue?")
        assert "^z undo" in now.card[-1]
        await now.press("ctrl+d")
        assert now.chosen.startswith("How long")
        await now.press("ctrl+z")
        assert squeezed(now.card[:1]) == ["Sessions it is back"]
        assert now.chosen.startswith("Why is the sky blue?")
        assert "Snake" not in now.text
        await now.press("ctrl+z")
        assert now.chosen.startswith("Implement a Snake game.")
        assert "^z" not in now.card[-1]
        await now.press("ctrl+z")
        assert shelf.store.changed == [
            ("delete", three[1]),
            ("delete", three[0]),
            ("undelete", three[0]),
            ("undelete", three[1]),
        ]


async def test_what_was_deleted_comes_back_in_a_browser_that_is_opened_later(
    shelf: Shelf, three: tuple[str, str, str]
) -> None:
    async with shelf.open(keys=("ctrl+d", "ctrl+d")):
        pass
    async with shelf.open() as now:
        assert "^z undo" in now.card[-1]
        assert "Snake" not in now.text
        await now.press("ctrl+z")
        assert squeezed(now.card[:1]) == ["Sessions it is back"]
        assert now.chosen.startswith("Implement a Snake game.")
        await now.press("ctrl+z")
        assert now.chosen.startswith("How long")
        assert "^z" not in now.card[-1]
    assert [one for one in shelf.store.changed if one[0] == "undelete"] == [
        ("undelete", three[1]),
        ("undelete", three[2]),
    ]


async def test_the_users_own_key_is_named(shelf: Shelf, three: tuple[str, str, str]) -> None:
    del three
    async with shelf.open() as now:
        now.stage.app.set_keymap({"sessions.undelete": "f7"})
        await now.press("ctrl+d")
        assert squeezed(now.card[:1]) == ["Sessions deleted; f7 brings it back"]


async def test_a_session_whose_hit_is_deleted_takes_its_other_hits_along(
    shelf: Shelf, three: tuple[str, str, str]
) -> None:
    del three
    async with shelf.open(keys=(*"light", "ctrl+d")) as now:
        assert 'nothing says "light"' in now.text
        await now.press("ctrl+z")
        assert squeezed([now.chosen]) == ["answer It scatters blue light."]


async def test_what_is_open_or_live_is_not_deleted(
    shelf: Shelf, three: tuple[str, str, str]
) -> None:
    shelf.store.all[three[1]].is_live = True
    async with shelf.open(here=three[2], keys=("ctrl+d",)) as now:
        assert squeezed(now.card[:1]) == ["Sessions it is open here: not deleted"]
        await now.press("down")
        assert squeezed(now.card[:1]) == ["Sessions 3 sessions"]
        await now.press("ctrl+d")
        assert squeezed(now.card[:1]) == ["Sessions a run is live in it: not deleted"]
        assert shelf.store.changed == []


async def test_f2_names_a_session_and_an_empty_name_is_its_first_prompt(
    shelf: Shelf, three: tuple[str, str, str]
) -> None:
    async with shelf.open(keys=("down", "f2", *"slither", "enter")) as now:
        assert now.chosen.startswith("slither ")
        assert shelf.store.changed == [("rename", three[1])]
        await now.press("f2", "backspace", "enter")
        assert now.chosen.startswith("Implement a Snake game.")
        await now.press("f2", "enter", "f2", "escape")
        assert len(shelf.store.changed) == 2
        assert now.results == []


async def test_ctrl_s_has_a_session_exported_and_the_dialog_stays(
    shelf: Shelf, three: tuple[str, str, str]
) -> None:
    async with shelf.open(keys=("down", "ctrl+s")) as now:
        assert shelf.exported == [three[1]]
        assert now.results == []
    async with opened(lambda: SessionBrowser(shelf.store, now=lambda: NOW)) as now:
        await now.settle()
        assert "^s" not in now.card[-1]


async def test_a_query_may_be_given_and_a_second_click_opens(
    shelf: Shelf, three: tuple[str, str, str]
) -> None:
    async with shelf.open(query="snake") as now:
        assert squeezed([now.chosen]) == ["prompt Implement a Snake game."]
        assert [ask for ask in shelf.store.asked if ask[0] != "load"] == [("search", "snake")]
        await now.pilot.click(Choices, offset=(5, 1))
        await now.settle()
        assert [result and result.session for result in now.results] == [three[1]]


@pytest.mark.parametrize("size", [WIDE, (100, 30), NARROW, NARROWEST])
@pytest.mark.parametrize("query", ["", "a"])
async def test_hostile_and_long_texts_stay_in_their_rows(
    shelf: Shelf, size: tuple[int, int], query: str
) -> None:
    for hostile in ("[red]a[/red]" * 30, "\x1b]0;a\x07", "名前a" * 90, "a\u202eb\n\ta" * 30):
        shelf.session(NOW, hostile, hostile[::-1], events=run_of(hostile))
    async with shelf.open(size=size, keys=tuple(query)) as now:
        region = now.dialog.query_one("#card").region
        assert now.stage.app.screen.region.contains_region(region)
        for _ in range(4):
            assert "\x1b" not in now.text
            assert "\u202e" not in now.text
            assert now.card[-1].startswith(" enter open")
            await now.press("down")


@pytest.mark.parametrize(
    ("then", "told"),
    [
        (at(2026, 11, 26, 0, 5), "00:05"),
        (at(2026, 11, 25, 23, 59), "Wed 23:59"),
        (at(2026, 11, 20, 12, 40), "Fri 12:40"),
        (at(2026, 11, 19, 12, 40), "19 Nov"),
        (at(2026, 1, 1, 12, 40), "1 Jan"),
        (at(2025, 12, 31, 12, 40), "31 Dec 2025"),
        (at(2026, 11, 27, 12, 40), "27 Nov"),
        (9e15, "–"),
        (float("nan"), "–"),
    ],
)
def test_times_are_as_short_as_they_are_clear(then: float, told: str) -> None:
    assert says.when(then, NOW) == told


@pytest.mark.parametrize("width", [12, 30, 60, 100, 300])
@pytest.mark.parametrize("before", ["", "…before it, far before ", "…前前前前前前前前前前前前 "])
def test_a_match_is_in_sight_at_every_width(width: int, before: str) -> None:
    text = f"{before}match and what comes after it, for long enough to be cut"
    hit = Hit(
        session="s",
        title="t",
        where="answer",
        at=NOW,
        text=text,
        start=len(before),
        end=len(before) + 5,
    )
    row = around(hit, width, look.Palette.of({}))
    assert [segment.text for segment in row if segment.style and segment.style.bold] == ["match"]
    assert "match" in "".join(segment.text for segment in look.clipped(row, width))


@pytest.fixture
def unfinished(shelf: Shelf) -> tuple[Unfinished, ...]:
    """Return two runs that were cut short, the first with one seat done and one streaming."""
    found: list[Unfinished] = []
    for question in ("Why is the sky blue?", "How long does tea draw?"):
        session = shelf.session(NOW, question, events=run_of("", "one says", "two", ends=1))
        (run,) = (run for run in shelf.store.runs.values() if run.turn == _head(shelf, session))
        found.append(
            Unfinished(
                session=session,
                title=question,
                turn=run.turn,
                run=run.id,
                prompt=Asked(question, question),
                seats=(TWO,) if not found else (ONE, TWO),
            )
        )
    return tuple(found)


def _head(shelf: Shelf, session: str) -> int | None:
    return shelf.store.all[session].head


@pytest.mark.parametrize("size", [WIDE, NARROW, NARROWEST])
async def test_what_was_cut_short_is_told_and_can_be_opened(
    shelf: Shelf, unfinished: tuple[Unfinished, ...], size: tuple[int, int]
) -> None:
    make = lambda: ResumeDialog(unfinished, events=shelf.store.run)  # noqa: E731 - as above
    async with opened(make, size=size) as now:
        await now.settle()
        assert squeezed(now.card[:1]) == ["Left unfinished 2 runs"]
        assert squeezed([now.chosen]) == ["Why is the sky blue? 1 seat had not ended"]
        assert now.row(having="✓").strip().endswith("done · 2 tok")
        assert now.row(having="■").strip().endswith("not ended · 1 tok")
        assert now.card[-1].strip() == "enter open it  ↑↓ move  esc leave it"
        await now.press("down", "enter")
        assert now.results == [unfinished[1].session]


async def test_what_was_cut_short_is_left_by_esc(
    shelf: Shelf, unfinished: tuple[Unfinished, ...]
) -> None:
    shelf.store.why = "it can't be read"
    async with opened(lambda: ResumeDialog(unfinished, events=shelf.store.run)) as now:
        await now.settle()
        assert squeezed([now.row(having="■")]) == ["■ layer 1, seat 2 not ended"]
        await now.press("escape")
        assert now.results == [None]
