"""Keys that the user chose: what moves, what stays, and that text fields keep their letters."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from dialog_fakes import opened
from textual.app import App
from textual.binding import Binding, BindingsMap
from textual.screen import Screen
from textual.widgets import Input

from moa_tui.ui.commands import commands
from moa_tui.ui.dialogs.writing import LineDialog
from moa_tui.ui.footer import shown_bindings
from moa_tui.ui.keymap import binding_chain, chain, own_bindings, remapped

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.dom import DOMNode


def bound(bindings: BindingsMap) -> dict[str, list[str]]:
    """Return the actions of each key."""
    return {
        key: [binding.action for binding in many] for key, many in bindings.key_to_bindings.items()
    }


BINDINGS = BindingsMap(
    [
        Binding("f3,m", "merge", id="merge"),
        Binding("f3,m", "refuse", id="merge"),
        Binding("escape", "stop", id="stop"),
        Binding("escape", "back"),
        Binding("x", "stop", id="stop"),
        Binding("1", "seat(1)", id="seat_1", key_display="1-9"),
    ]
)


def test_all_faces_of_a_command_move_once_to_each_of_its_keys() -> None:
    moved = remapped(BINDINGS, {"merge": "f4,g"})
    assert bound(moved) == {
        "f4": ["merge", "refuse"],
        "g": ["merge", "refuse"],
        "escape": ["stop", "back"],
        "x": ["stop"],
        "1": ["seat(1)"],
    }


def test_what_stands_on_the_key_stays_behind_what_moves_there() -> None:
    moved = remapped(BINDINGS, {"merge": "escape"})
    assert bound(moved)["escape"] == ["merge", "refuse", "stop", "back"]


def test_a_command_that_moves_away_leaves_the_others_of_its_key() -> None:
    moved = remapped(BINDINGS, {"stop": "f4"})
    assert bound(moved) == {
        "f3": ["merge", "refuse"],
        "m": ["merge", "refuse"],
        "f4": ["stop"],
        "escape": ["back"],
        "1": ["seat(1)"],
    }


def test_two_commands_can_change_places() -> None:
    moved = remapped(BINDINGS, {"merge": "escape", "stop": "f3"})
    assert bound(moved)["f3"] == ["stop"]
    assert bound(moved)["escape"] == ["merge", "refuse", "back"]


def test_a_key_that_moved_is_written_as_what_it_is_now() -> None:
    moved = remapped(BINDINGS, {"seat_1": "exclamation_mark,f6,ctrl+plus"})
    written = {key: many[0].key_display for key, many in moved.key_to_bindings.items()}
    assert written["exclamation_mark"] == "!"
    assert written["ctrl+plus"] == "ctrl++"
    assert written["f6"] is None


def test_what_is_remapped_is_a_copy() -> None:
    before = bound(BINDINGS)
    for keymap in ({}, {"merge": "f4"}):
        remapped(BINDINGS, keymap).key_to_bindings.clear()
    assert bound(BINDINGS) == before


class Remapping(Screen[None]):
    """A screen as ours are, with a text field."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f3", "app.note('merge')", "merge", id="merge", tooltip="Merge"),
        Binding("x,plus", "app.note('stop')", "stop", id="stop", tooltip="Stop"),
    ]

    def compose(self) -> ComposeResult:
        yield Input()

    @property
    def _binding_chain(self) -> list[tuple[DOMNode, BindingsMap]]:
        return binding_chain(self)


@dataclass(eq=False)
class Program(App[None]):
    """A program that writes down what is done."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+q", "note('quit')", "quit", id="quit", tooltip="Leave", priority=True),
    ]
    done: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def get_default_screen(self) -> Screen[None]:
        return Remapping()

    def action_note(self, what: str) -> None:
        self.done.append(what)


async def test_a_key_does_what_was_put_on_it_and_no_longer_what_was_taken_away() -> None:
    app = Program()
    async with app.run_test() as pilot:
        app.set_keymap({"merge": "f4", "quit": "f12"})
        await pilot.press("f3", "f4", "ctrl+q", "f12")
        assert app.done == ["merge", "quit"]
        assert [one.key for one in shown_bindings(app.screen)] == ["f4", "f12"]


async def test_a_letter_is_text_in_a_field_and_a_command_elsewhere() -> None:
    app = Program()
    async with app.run_test() as pilot:
        app.set_keymap({"merge": "g", "quit": "question_mark"})
        await pilot.press("g", "question_mark")
        assert app.done == []
        assert app.screen.query_one(Input).value == "g?"
        app.screen.set_focus(None)
        await pilot.press("g", "question_mark")
        assert app.done == ["merge", "quit"]


async def test_without_a_keymap_and_a_field_the_chain_is_textuals_own() -> None:
    app = Program()
    async with app.run_test():
        app.screen.set_focus(None)
        of_textual = Screen._binding_chain.fget(app.screen)  # type: ignore[attr-defined]  # noqa: SLF001 - what it stands for
        ours = binding_chain(app.screen)
        assert [(node, bound(bindings)) for node, bindings in ours] == [
            (node, bound(bindings)) for node, bindings in of_textual
        ]


async def test_the_chain_of_the_commands_has_what_a_field_keeps_for_itself() -> None:
    app = Program()
    async with app.run_test():
        app.set_keymap({"merge": "g"})
        found = {command.id: command.keys for command in commands(chain(app.screen))}
        assert found == {"merge": ("g",), "stop": ("x", "+"), "quit": ("^q",)}
        left = {key for _, bindings in binding_chain(app.screen) for key, _ in bindings}
        assert not {"x", "plus", "g"} & left


async def test_a_widget_that_runs_its_own_keys_gets_them_remapped() -> None:
    app = Program()
    async with app.run_test():
        app.set_keymap({"merge": "f4"})
        screen = app.screen
        assert [one.action for one in own_bindings(screen, "f4")] == ["app.note('merge')"]
        assert own_bindings(screen, "f3") == []


async def test_a_dialog_takes_the_keys_that_the_user_chose() -> None:
    async with opened(lambda: LineDialog("Save as", "mine")) as now:
        now.stage.app.set_keymap({"line.accept": "f6", "dialog.close": "f7"})
        await now.settle()
        assert {"f6 accept", "f7 close"} <= set(now.card[-1].strip().split("  "))
        await now.press("enter", "escape", "f6")
        assert now.results == ["mine"]
