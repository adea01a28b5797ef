"""What may stand in ``[keys]``: names of keys and commands, and what would get in whose way."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest
from textual.binding import Binding, BindingsMap
from ui_fakes import says, settle, stage

from moa_tui.errors import ConfigError
from moa_tui.ui.app import MoaApp
from moa_tui.ui.conversation import AROUND_STAGE
from moa_tui.ui.key_choice import Place, checked, key_named, places
from moa_tui.ui.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from textual.dom import DOMNode


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("f3", "f3"),
        ("F5", "f5"),
        ("m", "m"),
        ("M", "M"),
        ("shift+m", "M"),
        ("ö", "ö"),
        ("ctrl+t", "ctrl+t"),
        ("Ctrl+T", "ctrl+t"),
        ("ctrl-t", "ctrl+t"),
        ("^t", "ctrl+t"),
        ("^T", "ctrl+t"),
        ("^", "circumflex_accent"),
        ("esc", "escape"),
        (" Return ", "enter"),
        ("?", "question_mark"),
        ("+", "plus"),
        ("-", "minus"),
        ("ctrl++", "ctrl+plus"),
        ("ctrl+-", "ctrl+minus"),
        ("question_mark", "question_mark"),
        ("page down", "pagedown"),
        ("PgUp", "pageup"),
        ("del", "delete"),
        ("space", "space"),
        ("shift+tab", "shift+tab"),
        ("shift+ctrl+left", "ctrl+shift+left"),
        ("option+x", "alt+x"),
    ],
)
def test_a_key_is_known_by_its_name_and_by_what_people_write(written: str, key: str) -> None:
    assert key_named(written) == key


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("f99", 'there is no key "f99"; did you mean "f9"?'),
        ("entre", 'there is no key "entre"; did you mean "enter"?'),
        ("shift+1", 'there is no key "shift+1"'),
        ("shift+?", 'there is no key "shift+?"; did you mean "question_mark"?'),
        ("hyper", 'there is no key "hyper"'),
        ("\x1b[31m", 'there is no key "␛[31m"'),
        ("ctrl+m", "terminals send the same for ctrl+m and enter"),
        ("^i", "terminals send the same for ^i and tab"),
        ("ctrl+h", "terminals send the same for ctrl+h and backspace"),
        ("ctrl+[", "terminals send the same for ctrl+[ and esc"),
        ("alt+1", "many terminals keep alt+1 for themselves"),
    ],
)
def test_a_key_that_cant_be_is_told(written: str, why: str) -> None:
    with pytest.raises(ConfigError) as refused:
        key_named(written)
    assert str(refused.value).startswith(why)


COMPOSER = BindingsMap(
    [Binding("enter", "send", id="send"), Binding("ctrl+k", "delete_to_end"), Binding("up", "up")]
)
TILE = BindingsMap([Binding("j", "down", id="tile.down")])
DIALOG = BindingsMap(
    [Binding("enter", "choose", id="pick"), Binding("escape", "close", id="close")]
)
SCREEN = BindingsMap(
    [
        Binding("f3,m", "merge", id="merge"),
        Binding("f3,m", "refuse", id="merge"),
        Binding("escape", "stop", id="stop"),
        Binding("escape", "back", id="back"),
        Binding("x", "stop_seat", id="stop_seat"),
        Binding("ctrl+c", "interrupt", id="interrupt", priority=True),
    ]
)
PLACES = (
    Place((COMPOSER, SCREEN), is_text=True),
    Place((TILE, SCREEN)),
    Place((COMPOSER, DIALOG), is_text=True),
)


def told(wanted: Mapping[str, str]) -> tuple[dict[str, str], tuple[str, ...]]:
    found = checked(wanted, PLACES)
    return dict(found.keymap), found.notices


def test_keys_that_make_sense_are_taken_as_textual_writes_them() -> None:
    assert told({"merge": " F4, ^g,^G", "stop": "esc"}) == (
        {"merge": "f4,ctrl+g", "stop": "escape"},
        (),
    )


def test_an_unknown_command_is_told_with_the_nearest_and_the_rest_holds() -> None:
    assert told({"merg": "f4", "stop": "f6"}) == (
        {"stop": "f6"},
        ('[keys]: "merg" is no command; did you mean "merge"?',),
    )


@pytest.mark.parametrize("written", ["", ",,"])
def test_a_command_without_a_key_keeps_its_own(written: str) -> None:
    assert told({"merge": written}) == ({}, ("[keys]: merge keeps its keys: it names no key",))


def test_one_wrong_key_leaves_the_whole_entry_out() -> None:
    assert told({"merge": "f4,ctrl+m"}) == (
        {},
        ("[keys]: merge keeps its keys: terminals send the same for ctrl+m and enter",),
    )


def test_a_comma_is_a_key_too() -> None:
    assert told({"stop_seat": ","}) == ({"stop_seat": "comma"}, ())


@pytest.mark.parametrize(
    ("wanted", "other"),
    [({"merge": "x"}, "stop_seat"), ({"stop_seat": "j"}, "tile.down"), ({"stop": "f3"}, "merge")],
)
def test_a_key_of_another_command_isnt_taken(wanted: dict[str, str], other: str) -> None:
    (name, key), *_ = wanted.items()
    assert told(wanted) == ({}, (f"[keys]: {name} keeps its keys: {key} is that of {other}",))


def test_commands_that_are_never_active_at_once_may_share_a_key() -> None:
    assert told({"stop": "f6", "back": "f6"}) == ({"stop": "f6", "back": "f6"}, ())


def test_commands_that_are_in_different_places_may_share_a_key() -> None:
    assert told({"close": "x", "pick": "f3"})[0] == {"pick": "f3"}
    assert told({"pick": "f3"}) == ({"pick": "f3"}, ())


def test_two_commands_can_change_places() -> None:
    swapped = {"merge": "x,f6", "stop_seat": "f3"}
    assert told(swapped)[0] == swapped


def test_of_two_that_want_the_same_key_the_later_gives_way() -> None:
    assert told({"merge": "f6", "stop": "f6"}) == (
        {"merge": "f6"},
        ("[keys]: stop keeps its keys: f6 is that of merge",),
    )


def test_who_wanted_a_key_that_isnt_given_up_after_all_gives_way_too() -> None:
    assert told({"stop_seat": "f3", "merge": "alt+1"}) == (
        {},
        (
            "[keys]: merge keeps its keys: many terminals keep alt+1 for themselves",
            "[keys]: stop_seat keeps its keys: f3 is that of merge",
        ),
    )


@pytest.mark.parametrize("key", ["g", "question_mark", "ctrl+k"])
def test_a_key_that_is_text_in_the_composer_works_outside_it_which_is_told(key: str) -> None:
    assert told({"merge": key}) == (
        {"merge": key},
        (f"[keys]: merge works outside the composer only: in it {key} writes or edits text",),
    )


def test_nothing_is_told_of_letters_where_another_key_works_too_or_none_did_before() -> None:
    assert told({"merge": "f3,g", "interrupt": "ctrl+k"})[1] == ()
    composer = BindingsMap([Binding("enter", "send", id="send")])
    screen = BindingsMap([Binding("x", "stop_seat", id="stop_seat")])
    alone = (Place((composer, screen), is_text=True), Place((screen,)))
    assert checked({"stop_seat": "g"}, alone).notices == ()


@pytest.mark.parametrize(("name", "key"), [("send", "g"), ("close", "g"), ("close", "ctrl+k")])
def test_a_key_that_is_text_wherever_the_command_works_isnt_taken(name: str, key: str) -> None:
    assert told({name: key}) == (
        {},
        (f"[keys]: {name} keeps its keys: wherever it works, {key} writes or edits text",),
    )


def test_a_fields_own_command_may_have_a_key_that_edits() -> None:
    assert told({"send": "ctrl+k"}) == ({"send": "ctrl+k"}, ())


def test_our_own_keys_are_all_known_and_make_sense() -> None:
    found = places()
    usual: dict[str, list[str]] = {}
    for place in found:
        for key, binding in (pair for bindings in place.bindings for pair in bindings):
            if binding.id:
                usual.setdefault(binding.id, []).append(key)
    known = {"send", "stop", "merge_now", "presets", "sidebar.add", "tile.scroll_down"}
    assert known <= usual.keys()
    assert {"answer.end", "quit", "dialog.close", "picker.down", "error.copy"} <= usual.keys()
    for name, keys in usual.items():
        assert key_named(keys[0]) == keys[0], name
    assert checked({}, found).notices == ()


@pytest.mark.parametrize(
    ("name", "key", "other"),
    [
        ("again", "x", "stop_seat"),
        ("blind_test", "x", "stop_seat"),
        ("merge_again", "a", "take"),
        ("replay", "y", "copy"),
    ],
)
def test_a_key_that_another_part_of_the_screen_has_isnt_taken(
    name: str, key: str, other: str
) -> None:
    found = checked({name: key}, places())
    told = f"[keys]: {name} keeps its keys: {key} is that of {other}"
    assert (dict(found.keymap), found.notices) == ({}, (told,))


def test_every_two_parts_that_are_around_the_focus_are_known_to_have_keys_at_once() -> None:
    inmost = Stage._merged_bindings  # noqa: SLF001 - what the class binds
    on_stage = [place for place in places() if place.bindings[0] is inmost]
    for one, other in itertools.permutations(_PARTS, 2):
        # The refusal of an inner part would have the key before the command of an outer one.
        (name, _), (holder, key) = _command_alone(one), _command_alone(other)
        told = f"[keys]: {name} keeps its keys: {key} is that of {holder}"
        assert checked({name: key}, on_stage).notices == (told,)


_PARTS: tuple[type[DOMNode], ...] = (Stage, *AROUND_STAGE, MoaApp)


def _command_alone(part: type[DOMNode]) -> tuple[str, str]:
    """Return a command that only this part of the screen has, and a key of it."""
    ids = {other: _ids(other) for other in _PARTS}
    elsewhere = set[str]().union(*(keys for other, keys in ids.items() if other is not part))
    return next((name, key) for name, key in ids[part].items() if name not in elsewhere)


def _ids(part: type[DOMNode]) -> dict[str, str]:
    bindings = part._merged_bindings or BindingsMap()  # noqa: SLF001 - what the class binds
    return {binding.id: key for key, binding in bindings if binding.id}


async def test_the_parts_that_the_check_knows_are_those_that_the_focus_is_in() -> None:
    show = stage({"a": says("hi")})
    async with show.app.run_test(size=(160, 48)) as pilot:
        await settle(pilot)
        focused = show.app.screen.focused
        assert focused is not None
        bound = [node for node in focused.ancestors if _ids(type(node))]
        assert [type(node) for node in bound[:-1]] == [Stage, *AROUND_STAGE]
        assert isinstance(bound[-1], MoaApp)


async def test_what_is_wrong_with_the_keys_is_said_once_the_screen_stands() -> None:
    show = stage({"a": says("hi")}, keymap={"quitt": "f12", "presets": "^k", "models": "f12"})
    async with show.app.run_test(size=(160, 48)) as pilot:
        await settle(pilot)
        said = [notice.message for notice in show.app._notifications]  # noqa: SLF001 - what stands there
        assert said == [
            '[keys]: "quitt" is no command; did you mean "quit"?',
            "[keys]: presets works outside the composer only: in it ctrl+k writes or edits text",
        ]
