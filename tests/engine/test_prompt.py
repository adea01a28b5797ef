"""What models are sent, and the traps of the public demos."""

from __future__ import annotations

from typing import Any

import pytest
from racing import does, mixture, race, says

from moa_tui.engine.mixture import Agent, Aggregator, Layer, Mixture
from moa_tui.engine.prompt import INSTRUCTION, Conversation, Exchange, numbered, with_references
from moa_tui.engine.provider import Finish, Message, Options, Text, Thinking, estimate_tokens
from moa_tui.errors import ProviderError

SCRIPTS = {name: says(f" {name.upper()} says so. \n") for name in "abcm"}
TALK = Conversation(
    "And violet?", (Exchange("Why blue?", "Rayleigh."), Exchange("Unanswered?"), Exchange("x", " "))
)


def woven(*texts: str) -> str:
    return INSTRUCTION.replace("{references}", numbered(texts))


def test_layer_one_gets_the_conversation_and_nothing_else() -> None:
    result = race(mixture("ab"), SCRIPTS, conversation=TALK)
    assert result.requests[0].messages == (
        Message("user", "Why blue?"),
        Message("assistant", "Rayleigh."),
        Message("user", "And violet?"),
    )


def test_history_off_sends_the_prompt_alone() -> None:
    result = race(mixture("a", history="off"), SCRIPTS, conversation=TALK)
    assert result.requests[0].messages == (Message("user", "And violet?"),)


def test_every_later_agent_gets_all_proposals_of_the_layer_before_in_the_seats_order() -> None:
    late_first = SCRIPTS | {"a": says(" A says so. \n", first_s=5)}
    result = race(mixture("ab", "ba"), late_first)
    expected = Message("system", woven("A says so.", "B says so."))
    for request in result.requests[2:4]:
        assert request.messages == (expected, Message("user", "Why?"))
    assert result.requests[4].messages[0] == Message("system", woven("B says so.", "A says so."))


def test_references_name_no_model() -> None:
    result = race(mixture("ab"), SCRIPTS)
    assert "t/" not in result.requests[-1].messages[0].content


def test_references_are_never_enumerated_character_by_character() -> None:
    content = race(mixture("ab", "ab"), SCRIPTS).requests[2].messages[0].content
    assert "1. A says so." in content
    assert "1. A\n" not in content


def test_a_failed_proposer_leaves_neither_none_nor_its_error() -> None:
    dead = ProviderError("server", "It exploded.")
    content = race(mixture("ab"), SCRIPTS | {"a": does(Text("half"), dead)}).requests[-1]
    assert content.messages[0] == Message("system", woven("B says so."))


def test_reasoning_never_becomes_a_reference() -> None:
    thinker = does(Thinking("secretly"), Text("A"), Finish("stop"))
    result = race(mixture("a"), SCRIPTS | {"a": thinker})
    assert result.requests[-1].messages[0] == Message("system", woven("A"))


def test_the_final_call_keeps_temperature_and_max_tokens() -> None:
    mix = mixture("a", temperature=0.3, max_tokens=99)
    options = [request.options for request in race(mix, SCRIPTS).requests]
    assert options == [
        Options(temperature=0.3, max_tokens=99),
        Options(temperature=0.3, max_tokens=99, think=False),
    ]


@pytest.mark.parametrize("asked", [{"think": True}, {"effort": "low"}, {}])
def test_the_aggregator_does_not_think_unless_asked_to(asked: dict[str, Any]) -> None:
    merging = Aggregator(agent=Agent(model="t/m", **asked))
    mix = Mixture(layers=(Layer(proposers=(Agent(model="t/a"),)),), aggregator=merging)
    options = race(mix, SCRIPTS).requests[-1].options
    assert options.think is (None if "effort" in asked else bool(asked))


@pytest.mark.parametrize(
    ("asked", "sent"), [(0.7, 0.7), (1e-4, 0.0), (0.0, 0.0), ("unset", None), (None, 1.5)]
)
def test_temperature_as_it_is_sent(asked: float | None, sent: float | None) -> None:
    mix = mixture("a", temperature=1.5)
    agent = Agent(model="t/a", temperature=asked)
    assert mix.options_for(agent).temperature == sent


def test_an_agents_own_system_prompt_replaces_the_mixtures() -> None:
    layer = Layer(proposers=(Agent(model="t/a", system="Be a poet."), Agent(model="t/b")))
    mix = Mixture(
        layers=(layer,), aggregator=Aggregator(agent=Agent(model="t/m")), system="Be brief."
    )
    requests = race(mix, SCRIPTS).requests
    assert requests[0].messages[0] == Message("system", "Be a poet.")
    assert requests[1].messages[0] == Message("system", "Be brief.")
    assert requests[2].messages[0] == Message(
        "system", "Be brief.\n\n" + woven("A says so.", "B says so.")
    )


def test_no_references_change_nothing() -> None:
    messages = (Message("user", "Why?"),)
    assert with_references(messages, ()) == messages


def test_references_can_stand_before_the_last_user_turn() -> None:
    messages = (Message("system", "s"), Message("user", "Why?"))
    assert with_references(messages, ("A",), placement="user") == (
        Message("system", "s"),
        Message("user", woven("A") + "\n\nWhy?"),
    )


def test_an_instruction_of_ones_own_is_filled_in_literally() -> None:
    texts = ("{references} {0} \\1", "B")
    (system, _user) = with_references(
        (Message("user", "Why?"),), texts, instruction="Here: {references} End {x}."
    )
    assert system.content == "Here: 1. {references} {0} \\1\n\n2. B End {x}."


def test_the_context_that_a_model_needs_is_that_of_its_largest_call() -> None:
    mix = mixture("aab", "b", to="a", max_tokens=100)
    requests = race(mix, SCRIPTS | {"a": says("A"), "b": says("B")}).requests
    needs = {request.model: request.context for request in requests}
    prompt, instruction = 1 + 8, estimate_tokens(INSTRUCTION)
    assert needs == {
        "a": prompt + instruction + 100 + 100,  # merges one reference
        "b": prompt + instruction + 300 + 100,  # reads three of layer 1
    }
    assert len({(request.model, request.context) for request in requests}) == 2


def test_tokens_are_estimated_by_script() -> None:
    assert estimate_tokens("word " * 80) == 100
    assert estimate_tokens("贪吃蛇" * 10) == 20
