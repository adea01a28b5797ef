"""What one does in the sidebar with keys and mouse, and what it asks for."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest
from sidebar_app import SidebarApp
from textual import events

from moa_tui.engine.mixture import Agent, Aggregator, Layer, Mixture
from moa_tui.engine.prompt import INSTRUCTION
from moa_tui.engine.provider import Endpoint
from moa_tui.ui.ports import EndpointState
from moa_tui.ui.sidebar.editing import AGGREGATOR, Place
from moa_tui.ui.sidebar.recipe import Spot
from moa_tui.ui.sidebar.sidebar import Sidebar

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from textual.pilot import Pilot

    from moa_tui.ui.sidebar.recipe import Kind


A, B, C, M = (Agent(model=f"t/{name}") for name in "abcm")
TRIO = Mixture(name="Trio", layers=(Layer(proposers=(A, B, C)),), aggregator=Aggregator(agent=M))
BIG = Mixture(
    name="Big",
    layers=(
        Layer(proposers=tuple(Agent(model=f"t/model-{number}") for number in range(1, 13))),
        Layer(proposers=(A, B), repeat=2),
        Layer(proposers=(C,)),
    ),
    aggregator=Aggregator(agent=M),
)
STATES = tuple(
    EndpointState(endpoint=Endpoint(name=name, kind="openai"), status="failed", message="401")
    for name in ("t", *(f"vendor-{number}" for number in range(1, 14)))
)


@dataclass
class Desk:
    """A sidebar in use."""

    app: SidebarApp
    pilot: Pilot[None]

    @property
    def sidebar(self) -> Sidebar:
        return self.app.sidebar

    @property
    def here(self) -> str:
        """The row under the cursor, as it is painted."""
        rows = [row for row in self.app.column if row.startswith("█")]
        assert len(rows) == 1
        return " ".join(rows[0].split()[1:])

    @property
    def proposers(self) -> str:
        """The first group's proposers: "a b"."""
        return " ".join(agent.name for agent in self.sidebar.mixture.layers[0].proposers)

    async def go(self, spot: Spot) -> None:
        """Go down to a row."""
        self.sidebar.action_edge(-1)
        steps = 0
        while self.sidebar.spot != spot:
            self.sidebar.action_go(1)
            steps += 1
            assert steps < 100
        await self.pilot.pause()

    async def click(self, text: str, x: int = 5, times: int = 1) -> None:
        """Click on the first row that has a text."""
        y = next(y for y, row in enumerate(self.app.column) if text in row)
        await self.pilot.click(Sidebar, offset=(x, y), times=times)
        await self.pilot.pause()


@asynccontextmanager
async def desk(
    mixture: Mixture = TRIO,
    *,
    height: int = 48,
    states: Sequence[EndpointState] = (),
    is_editable: bool = True,
    has_focus: bool = True,
) -> AsyncGenerator[Desk]:
    """Show a sidebar of so many rows."""
    app = SidebarApp(mixture, states=states, is_editable=is_editable)
    async with app.run_test(size=(160, height + 1)) as pilot:
        if has_focus:
            app.sidebar.focus()
        else:
            app.query_one("#elsewhere").focus()
        await pilot.pause()
        yield Desk(app, pilot)


# Moving.


async def test_arrows_and_letters_go_from_row_to_row_and_round() -> None:
    async with desk() as it:
        met = []
        for key in ("down", "j", "up", "k", "k", "j"):
            await it.pilot.press(key)
            met.append(it.here)
        assert met == [
            *("Layers 1 ▸", "Temperature ◂ 0.7 ▸", "Layers 1 ▸", "Trio"),
            *("instruction built in", "Trio"),
        ]


async def test_ends_and_pages_are_a_key_away() -> None:
    async with desk(BIG, height=12) as it:
        met = []
        for key in ("end", "home", "pagedown", "pagedown", "pageup", "pageup", "pageup"):
            await it.pilot.press(key)
            met.append(it.here)
        assert met == [
            *("instruction built in", "Big", "3 model-3 t", "+ add a seat", "3 model-3 t"),
            *("Big", "Big"),
        ]


async def test_without_the_focus_there_is_no_cursor() -> None:
    async with desk() as it:
        it.app.query_one("#elsewhere").focus()
        await it.pilot.pause()
        assert not [row for row in it.app.column if row.startswith("█")]


# Turning and writing.


async def test_values_are_turned_both_ways() -> None:
    async with desk() as it:
        await it.go(Spot("temperature"))
        await it.pilot.press("right", "l", "left")
        assert it.here == "Temperature ◂ 0.8 ▸"
        assert [message.mixture.temperature for message in edits(it)] == [0.8, 0.9, 0.8]
        assert it.sidebar.is_edited
        assert it.app.column[2] == "   Trio · edited"


async def test_turning_back_is_not_edited_any_more() -> None:
    async with desk() as it:
        await it.go(Spot("layers"))
        await it.pilot.press("right", "left")
        assert not it.sidebar.is_edited


async def test_an_end_is_told_in_words_and_no_key_leads_there() -> None:
    async with desk() as it:
        await it.go(Spot("layers"))
        assert it.app.footer.startswith("→ more, s save")
        await it.pilot.press("left")
        assert it.app.told == ["a mixture needs at least one layer"]
        assert edits(it) == []


async def test_the_layers_of_groups_are_turned_one_by_one() -> None:
    async with desk(BIG) as it:
        await it.go(Spot("layers"))
        await it.pilot.press("right")
        assert it.app.told == ["this mixture has 3 groups of layers; turn a group's own repeat"]
        await it.go(Spot("repeat", Place(2, 0)))
        await it.pilot.press("right")
        assert it.sidebar.mixture.proposer_layers == 5


@pytest.mark.parametrize(
    ("kind", "title", "now", "typed", "row"),
    [
        ("temperature", "temperature of the mixture", "0.7", "0.65", "Temperature ◂ 0.65 ▸"),
        ("max_tokens", "max tokens of the mixture", "2048", "300", "Max tokens ◂ 300 ▸"),
        ("system", "system of the mixture", "", "Be\nbrief.", "System Be brief."),
        (
            *("instruction", "instruction of the aggregator", INSTRUCTION),
            *("So: {references}", "instruction own"),
        ),
    ],
)
async def test_a_text_is_asked_for_and_put(
    kind: Kind, title: str, now: str, typed: str, row: str
) -> None:
    spot = Spot(kind)
    async with desk() as it:
        await it.go(spot)
        await it.pilot.press("enter")
        is_long = kind in ("system", "instruction")
        needs = "{references} is where the proposals go; it must be there"
        note = needs if kind == "instruction" else ""
        assert it.app.asked == [Sidebar.WantsText(spot, title, now, is_long, note)]

        assert it.sidebar.put_text(spot, typed)
        await it.pilot.pause()
        assert it.here == row


async def test_a_text_that_cant_stand_there_is_refused_in_words() -> None:
    async with desk() as it:
        assert not it.sidebar.put_text(Spot("instruction"), "Merge.")
        await it.pilot.pause()
        assert it.app.told == ["aggregator.instruction must contain {references}"]
        assert it.sidebar.mixture == TRIO


async def test_an_own_text_is_taken_back() -> None:
    async with desk(replace(TRIO, system="Be brief.")) as it:
        await it.go(Spot("system"))
        await it.pilot.press("d")
        assert it.here == "System none"


# Who takes part.


async def test_a_model_is_asked_for_and_put() -> None:
    async with desk() as it:
        await it.go(Spot("agent", Place(1, 2)))
        await it.pilot.press("enter")
        assert it.app.asked == [Sidebar.WantsModel(Place(1, 2), "t/b")]

        it.sidebar.put_model(Place(1, 2), "groq/openai/gpt-oss-20b")
        await it.pilot.pause()
        assert it.here == "2 gpt-oss-20b groq"


@pytest.mark.parametrize(
    ("row", "key", "place"),
    [
        (Spot("agent", Place(1, 1)), "plus", Place(1, 4)),
        (Spot("add", Place(1, 4)), "enter", Place(1, 4)),
        (Spot("add", Place(1, 4)), "plus", Place(1, 4)),
        (Spot("agent", AGGREGATOR), "plus", Place(0, 2)),
        (Spot("strategy"), "plus", Place(0, 2)),
    ],
)
async def test_one_more_is_asked_for_and_added_at_the_end(
    row: Spot, key: str, place: Place
) -> None:
    async with desk() as it:
        await it.go(row)
        await it.pilot.press(key)
        assert it.app.asked == [Sidebar.WantsModel(place)]

        it.sidebar.put_model(place, "t/new")
        await it.pilot.pause()
        assert it.here == ("4 new t" if place.is_proposer else "else new t")


async def test_a_model_that_is_none_is_refused_in_words() -> None:
    async with desk() as it:
        assert not it.sidebar.put_model(Place(1, 4), "llama3")
        await it.pilot.pause()
        assert it.app.told == ["model 'llama3': write it as endpoint/model, like ollama/llama3.2"]


async def test_proposers_move_and_the_cursor_goes_along() -> None:
    async with desk() as it:
        await it.go(Spot("agent", Place(1, 1)))
        await it.pilot.press("J", "shift+down")
        assert (it.proposers, it.here) == ("b c a", "3 a t")
        assert "shift" not in it.app.footer
        await it.pilot.press("K")
        assert (it.proposers, it.here) == ("b a c", "2 a t")


async def test_proposers_are_removed_down_to_the_last_which_is_told() -> None:
    async with desk() as it:
        await it.go(Spot("agent", Place(1, 2)))
        await it.pilot.press("d", "delete")
        assert (it.proposers, it.here) == ("a", "+ add a seat")
        await it.pilot.press("up", "d")
        assert it.proposers == "a"
        assert it.app.told == ["a layer needs a proposer: add another one first"]


async def test_what_cant_go_is_not_offered_and_its_keys_say_why() -> None:
    alone = replace(TRIO, layers=(Layer(proposers=(A, replace(B, enabled=False))),))
    async with desk(alone) as it:
        await it.go(Spot("agent", AGGREGATOR))
        await it.pilot.press("d")
        await it.go(Spot("agent", Place(1, 1)))
        assert "remove" not in it.app.footer
        assert "on/off" not in it.app.footer
        await it.pilot.press("d", "space")
        assert it.app.told == [
            "somebody must merge: choose another model, or the strategy vote or none",
            "a layer needs a proposer: add another one first",
            "a layer needs a proposer: switch another one on first",
        ]
        await it.go(Spot("agent", Place(1, 2)))
        assert "space on/off, d remove" in it.app.footer


async def test_a_proposer_is_asked_more_often_and_again_less() -> None:
    async with desk() as it:
        await it.go(Spot("agent", Place(1, 1)))
        await it.pilot.press("equals_sign", "equals_sign", "minus")
        assert it.here == "1 a ×2 t"
        assert "= more samples, - fewer samples" in it.app.footer
        assert "   3 b                        t" in it.app.column
        await it.pilot.press("minus", "minus")
        assert it.here == "1 a t"
        assert it.app.told == ["one sample is the least; switch it off or remove it"]


async def test_a_proposer_is_switched_off_and_on() -> None:
    async with desk() as it:
        await it.go(Spot("agent", Place(1, 2)))
        await it.pilot.press("space")
        assert it.here == "· b off t"
        await it.pilot.press("space")
        assert it.here == "2 b t"


async def test_an_aggregator_is_chosen_where_there_is_none() -> None:
    async with desk(replace(TRIO, aggregator=Aggregator(strategy="none"))) as it:
        await it.go(Spot("strategy"))
        await it.pilot.press("right")
        assert it.here == "strategy ◂ vote ▸"
        await it.go(Spot("add", AGGREGATOR))
        await it.pilot.press("enter")
        assert it.app.asked[-1] == Sidebar.WantsModel(AGGREGATOR)
        it.sidebar.put_model(AGGREGATOR, "t/m")
        await it.pilot.pause()
        assert it.here == "★ m t"


# Options.


async def test_options_unfold_are_turned_taken_back_and_fold() -> None:
    place = Place(1, 2)
    async with desk() as it:
        await it.go(Spot("agent", place))
        await it.pilot.press("right")
        assert [" ".join(row.split()) for row in it.app.column[13:23]] == [
            *("samples 1 ▸", "temperature ◂ 0.7 ▸", "max tokens ◂ 2048 ▸", "top_p ◂ unset"),
            *("seed unset ▸", "think ◂ unset ▸", "effort ◂ unset ▸", "num_ctx unset ▸"),
            *("label none", "system none"),
        ]
        await it.go(Spot("option", place, "temperature"))
        await it.pilot.press("left")
        assert it.sidebar.mixture.layers[0].proposers[1] == replace(B, temperature=0.6)
        await it.pilot.press("d")
        assert it.sidebar.mixture == TRIO

        await it.go(Spot("option", place, "label"))
        await it.pilot.press("enter")
        assert it.app.asked[-1] == Sidebar.WantsText(Spot("option", place, "label"), "label of b")
        it.sidebar.put_text(Spot("option", place, "label"), "poet")
        await it.go(Spot("agent", place))
        await it.pilot.press("left")
        assert it.here == "2 poet t"
        assert it.app.column[13] == "   3 c                        t"


async def test_one_agents_options_are_open_at_a_time() -> None:
    async with desk() as it:
        await it.go(Spot("agent", Place(1, 1)))
        await it.pilot.press("l")
        await it.go(Spot("agent", Place(1, 3)))
        await it.pilot.press("l")
        kinds = [row.split()[0] for row in it.app.column if row.strip()]
        assert kinds.count("samples") == 1


async def test_another_mixture_folds_the_options() -> None:
    async with desk() as it:
        await it.go(Spot("agent", Place(1, 1)))
        await it.pilot.press("l")
        it.sidebar.load(replace(TRIO, name="Other"))
        await it.pilot.pause()
        assert it.app.column[2] == "   Other"
        assert not [row for row in it.app.column if "samples" in row]
        assert not it.sidebar.is_edited


async def test_what_was_saved_is_not_edited_any_more_and_stays_open() -> None:
    async with desk() as it:
        await it.go(Spot("agent", Place(1, 1)))
        await it.pilot.press("space", "l")
        it.sidebar.load(it.sidebar.mixture)
        await it.pilot.pause()
        assert not it.sidebar.is_edited
        assert [row for row in it.app.column if "samples" in row]


# What it asks for.


async def test_presets_a_save_and_endpoints_are_asked_for() -> None:
    async with desk(states=STATES[:2]) as it:
        await it.pilot.press("enter", "s")
        await it.go(Spot("endpoint", name="vendor-1"))
        await it.pilot.press("enter", "plus")
        await it.go(Spot("add_endpoint"))
        await it.pilot.press("enter")

        presets, save, *others = it.app.asked
        assert isinstance(presets, Sidebar.WantsPresets)
        assert isinstance(save, Sidebar.WantsSave)
        assert others == [
            Sidebar.WantsEndpoint("vendor-1"),
            Sidebar.WantsEndpoint(),
            Sidebar.WantsEndpoint(),
        ]


async def test_the_footer_names_what_keys_do_on_the_row() -> None:
    async with desk(states=STATES[:2]) as it:
        said = []
        for spot in (
            Spot("name"),
            Spot("history"),
            Spot("context"),
            Spot("temperature"),
            Spot("agent", Place(1, 1)),
            Spot("agent", AGGREGATOR),
            Spot("add_endpoint"),
        ):
            await it.go(spot)
            said.append(it.app.footer)
        assert said == [
            "enter presets, s save, ↑ ↓ row",
            "← less, → more, s save, ↑ ↓ row",
            "← less, → more, s save, ↑ ↓ row",
            "enter write, ← less, → more, s save, ↑ ↓ row",
            (
                "enter model, → options, space on/off, d remove, + add, = more samples,"
                " J K move, s save, ↑ ↓ row"
            ),
            "enter model, → options, + add, s save, ↑ ↓ row",
            "enter add, s save, ↑ ↓ row",
        ]


# Mouse.


async def test_arrows_are_clicked() -> None:
    async with desk() as it:
        await it.click("Temperature", x=30)
        assert it.here == "Temperature ◂ 0.8 ▸"
        await it.click("Temperature", x=24)
        await it.click("Temperature", x=25)
        assert it.here == "Temperature ◂ 0.6 ▸"
        await it.click("Temperature", x=27)
        assert it.here == "Temperature ◂ 0.6 ▸"


async def test_a_click_on_a_missing_arrow_does_nothing() -> None:
    async with desk() as it:
        await it.click("Layers", x=26)
        assert it.here == "Layers 1 ▸"
        assert (edits(it), it.app.told) == ([], [])


async def test_a_click_goes_to_a_row_and_two_do_what_enter_does() -> None:
    async with desk(states=STATES[:1], has_focus=False) as it:
        await it.click("2 b")
        assert (it.here, it.app.asked) == ("2 b t", [])
        await it.click("2 b", times=2)
        await it.click("+ add a seat")
        await it.click("System", times=2)
        await it.click("Trio", times=2)
        await it.click("✗ t", times=2)
        await it.click("+ add an endpoint")

        assert it.app.asked[:3] == [
            Sidebar.WantsModel(Place(1, 2), "t/b"),
            Sidebar.WantsModel(Place(1, 4)),
            Sidebar.WantsText(Spot("system"), "system of the mixture", is_long=True),
        ]
        assert isinstance(it.app.asked[3], Sidebar.WantsPresets)
        assert it.app.asked[4:] == [Sidebar.WantsEndpoint("t"), Sidebar.WantsEndpoint()]


async def test_a_click_that_brings_the_focus_meets_the_row_that_was_in_sight() -> None:
    async with desk(BIG, height=20, has_focus=False) as it:
        await wheel(it, 3)
        await it.click("12 model-12")
        assert it.here == "12 model-12 t"


# Short columns.


async def test_what_is_out_of_sight_is_counted() -> None:
    async with desk(BIG, height=20, states=STATES) as it:
        assert it.app.column[-1] == "   ↓ 39 more"
        assert it.app.column[1] == " Mixture ─────────────────── ^t"
        await it.pilot.press("end")
        assert it.here == "+ add an endpoint"
        assert it.app.column[0] == "   ↑ 39 more"


async def test_every_row_is_in_sight_when_the_cursor_is_on_it() -> None:
    async with desk(BIG, height=20, states=STATES) as it:
        met = set()
        for _ in range(60):
            assert it.here
            met.add(it.sidebar.spot)
            it.sidebar.action_go(1)
            await it.pilot.pause()
        assert len(met) == 46


async def test_a_click_on_the_count_shows_what_it_counts() -> None:
    async with desk(BIG, height=20) as it:
        await it.click("↓ ")
        assert it.app.column[0].startswith("   ↑ ")
        assert it.sidebar.spot == Spot("name")
        await it.click("↑ ")
        assert it.app.column[1] == " Mixture ─────────────────── ^t"


async def test_options_that_unfold_come_into_sight_and_their_agent_stays() -> None:
    async with desk(BIG, height=20) as it:
        await it.go(Spot("agent", Place(1, 8)))
        await it.pilot.press("l")
        assert it.here == "8 model-8 t"
        assert [row for row in it.app.column if row.startswith("     system")]

    async with desk(BIG, height=9) as it:
        await it.go(Spot("agent", Place(1, 8)))
        await it.pilot.press("l")
        assert it.here == "8 model-8 t"


async def test_the_wheel_scrolls_even_what_can_only_be_read() -> None:
    async with desk(BIG, height=20, is_editable=False, has_focus=False) as it:
        await wheel(it, 20)
        assert it.app.column[-1] == "   strategy          synthesize"
        await wheel(it, -20)
        assert it.app.column[1] == " Mixture ─────────────────── ^t"


async def test_a_shorter_or_longer_column_follows_the_screen() -> None:
    async with desk(BIG, height=12) as it:
        await it.pilot.press("end")
        await it.pilot.resize_terminal(160, 49)
        await it.pilot.pause()
        assert not [row for row in it.app.column if "more" in row]
        assert it.here == "instruction built in"


# Only to read.


async def test_what_can_only_be_read_takes_neither_focus_nor_clicks() -> None:
    async with desk(states=STATES[:1], is_editable=False, has_focus=False) as it:
        assert not it.sidebar.focusable
        await it.click("Temperature", x=30)
        await it.click("2 b", times=2)
        await it.pilot.press("tab", "tab", "j", "right", "s")
        assert not it.sidebar.has_focus
        assert it.app.asked == []
        text = "\n".join(it.app.column)
        assert not [mark for mark in ("◂", "▸", "+ add", "System", "█") if mark in text]


async def test_endpoints_are_told_as_they_become_known() -> None:
    async with desk() as it:
        it.sidebar.show(STATES[:1])
        await it.pilot.pause()
        assert "   ✗ t                      401" in it.app.column


def edits(it: Desk) -> list[Sidebar.Edited]:
    return [message for message in it.app.asked if isinstance(message, Sidebar.Edited)]


async def wheel(it: Desk, notches: int) -> None:
    """Turn the wheel over the sidebar, down or up."""
    turn = it.pilot._post_mouse_events  # noqa: SLF001 - the pilot has no wheel of its own
    event = events.MouseScrollDown if notches > 0 else events.MouseScrollUp
    for _ in range(abs(notches)):
        await turn([event], Sidebar, offset=(5, 5))
    await it.pilot.pause()
