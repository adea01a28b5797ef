from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from cli_given import Shelf, mixture, place, setup

from moa_tui.cli.arguments import Wishes
from moa_tui.cli.choice import (
    EMBEDDED_MODEL,
    choose,
    needs_detection,
    needs_fetch,
    without_lost_preset,
)
from moa_tui.engine.mixture import Agent, Aggregator, Layer, Mixture
from moa_tui.engine.provider import Endpoint, Price
from moa_tui.errors import ConfigError

if TYPE_CHECKING:
    from moa_tui.cli.setup import Setup

TEAM = mixture("ollama/a", "groq/b", to="ollama/m", repeat=2)
EMBEDDED = mixture(EMBEDDED_MODEL, to=EMBEDDED_MODEL, name="embedded")


def changed(wishes: Wishes, base: Mixture = TEAM) -> Mixture:
    return choose(replace(wishes, preset=base.name), setup(base))


def refused(wishes: Wishes, base: Mixture = TEAM) -> str:
    with pytest.raises(ConfigError) as caught:
        changed(wishes, base)
    return str(caught.value)


@pytest.mark.parametrize(
    ("wished", "preferred", "last_used", "makes", "chosen"),
    [
        ("team", "other", "other", True, "team"),
        (None, "other", "team", True, "other"),
        (None, "", "other", True, "other"),
        (None, "", "", True, "made"),
        (None, "", "", False, "embedded"),
    ],
)
def test_the_order_of_choice(
    wished: str | None, preferred: str, last_used: str, *, makes: bool, chosen: str
) -> None:
    given = setup(
        *(TEAM, EMBEDDED, replace(TEAM, name="other")),
        preferred=preferred,
        last_used=last_used,
        makes=[replace(TEAM, name="made"), replace(TEAM, name="second")] if makes else [],
    )
    assert choose(Wishes(preset=wished), given, states=[place("ollama", "a")]).name == chosen


def test_what_was_found_is_changed_as_the_command_line_says() -> None:
    given = setup(EMBEDDED, makes=[TEAM])
    assert choose(Wishes(layers=3), given).proposer_layers == 3


def test_proposers_of_the_command_line_dont_depend_on_what_was_used_last() -> None:
    given = setup(EMBEDDED, TEAM, last_used="team", makes=[TEAM])
    found = choose(Wishes(proposers=("t/a",), aggregator="t/m"), given)
    assert found == mixture("t/a", to="t/m", name="command line")


def test_a_last_used_preset_that_is_gone_is_a_notice() -> None:
    left = without_lost_preset(setup(EMBEDDED, last_used="gone"))
    assert (left.last_used, left.notices) == ("", ("no preset is called gone",))


def test_a_last_used_preset_that_is_there_stays() -> None:
    given = setup(TEAM, last_used="team")
    assert without_lost_preset(given) is given


@pytest.mark.parametrize(
    ("wishes", "given", "needed"),
    [
        (Wishes(), setup(), True),
        (Wishes(layers=2), setup(), True),
        (Wishes(preset="team"), setup(), False),
        (Wishes(), setup(preferred="team"), False),
        (Wishes(), setup(last_used="team"), False),
        (Wishes(proposers=("t/a",), aggregator="t/m"), setup(), False),
        (Wishes(proposers=("t/a",), aggregator="m"), setup(), True),
        (Wishes(preset="team", proposers=("a",)), setup(), True),
    ],
)
def test_servers_are_looked_at_only_where_it_matters(
    wishes: Wishes, given: Setup, *, needed: bool
) -> None:
    assert needs_detection(wishes, given) is needed


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("qwen3:8b", "ollama/qwen3:8b"),
        ("llama3.2", "ollama/llama3.2"),
        ("smollm2-135m-instruct", "lmstudio/smollm2-135m-instruct"),
    ],
)
def test_a_bare_name_is_looked_up_in_what_servers_list_before_the_files(
    name: str, model: str
) -> None:
    states = [
        place("ollama", "llama3.2:latest", "qwen3:8b", kind="ollama"),
        place("lmstudio", "smollm2-135m-instruct"),
    ]
    wishes = Wishes(proposers=(name,), strategy="none")
    found = choose(wishes, setup(EMBEDDED, TEAM), states=states)
    assert [agent.model for agent in found.agents] == [model]


def test_a_bare_name_that_two_servers_list_is_refused() -> None:
    states = [place("lmstudio", "x"), place("vllm", "x")]
    with pytest.raises(ConfigError, match="2 endpoints have x: write lmstudio/x or vllm/x"):
        choose(Wishes(proposers=("x",), strategy="none"), setup(), states=states)


def test_without_wishes_a_preset_stays_as_it_is() -> None:
    assert changed(Wishes()) == TEAM


def test_proposers_replace_the_layers_by_one() -> None:
    found = changed(Wishes(proposers=("groq/x", "ollama/y"), layers=3))
    assert found.layers == (
        Layer(proposers=(Agent(model="groq/x"), Agent(model="ollama/y")), repeat=3),
    )
    assert found.aggregator == TEAM.aggregator


def test_proposers_alone_run_once() -> None:
    assert changed(Wishes(proposers=("groq/x",))).proposer_layers == 1


def test_layers_repeat_the_presets_only_layer() -> None:
    assert changed(Wishes(layers=5)).layers == (replace(TEAM.layers[0], repeat=5),)


def test_layers_are_refused_where_the_layers_differ() -> None:
    two = replace(TEAM, layers=(*TEAM.layers, *TEAM.layers))
    assert refused(Wishes(layers=2), two) == (
        "--layers can't be used with team: it has 2 different layers"
    )


def test_values_of_the_command_line_hold_for_every_agent() -> None:
    picky = Agent(model="t/a", temperature=0.9, max_tokens=7)
    base = replace(
        TEAM,
        layers=(Layer(proposers=(picky,)),),
        aggregator=replace(TEAM.aggregator, agent=picky, fallback=(picky,)),
    )
    found = changed(Wishes(temperature=0.0, max_tokens=5, history="off"), base)
    assert [found.options_for(agent).temperature for agent in found.agents] == [0.0]
    assert [found.options_for(agent).max_tokens for agent in found.agents] == [5]
    assert found.history == "off"


def test_an_aggregator_keeps_the_presets_instruction() -> None:
    base = replace(TEAM, aggregator=replace(TEAM.aggregator, instruction="{references}"))
    found = changed(Wishes(aggregator="groq/x"), base).aggregator
    assert found == replace(base.aggregator, agent=Agent(model="groq/x"))


def test_naming_an_aggregator_for_a_race_asks_for_a_merge() -> None:
    found = changed(Wishes(aggregator="groq/x"), mixture("t/a", name="race"))
    assert found.aggregator.strategy == "synthesize"


def test_a_merge_can_be_made_a_race() -> None:
    assert changed(Wishes(strategy="none")).calls == 4


def test_a_merge_without_an_aggregator_is_refused() -> None:
    assert refused(Wishes(strategy="synthesize"), mixture("t/a", name="race")) == (
        "the strategy 'synthesize' needs an aggregator model"
    )


def test_proposers_and_an_aggregator_need_no_preset() -> None:
    found = choose(Wishes(proposers=("t/a",), aggregator="t/m"), setup(EMBEDDED))
    assert found == mixture("t/a", to="t/m", name="command line")


def test_proposers_that_vote_need_nobody_who_merges() -> None:
    found = choose(Wishes(proposers=("t/a", "t/b"), strategy="vote"), setup(EMBEDDED))
    assert (found.aggregator.strategy, found.aggregator.agent, found.calls) == ("vote", None, 2)


def test_naming_an_aggregator_for_a_mixture_that_votes_asks_for_a_merge() -> None:
    voting = Aggregator(strategy="vote")
    base = replace(mixture("t/a", name="team"), aggregator=voting)
    given = setup(base)
    for strategy, made in ((None, "synthesize"), ("pick", "pick"), ("vote", "vote")):
        wishes = Wishes(preset="team", aggregator="t/m", strategy=strategy)  # type: ignore[arg-type] # real ones
        assert choose(wishes, given).aggregator.strategy == made


def test_proposers_without_a_preset_must_say_who_merges() -> None:
    with pytest.raises(ConfigError, match="say who merges"):
        choose(Wishes(proposers=("t/a",)), setup(EMBEDDED))


def test_a_bare_name_is_the_model_of_the_one_endpoint_that_has_it() -> None:
    priced = Endpoint(name="lab", kind="openai", prices={"org/only": Price(1, 1)})
    given = setup(TEAM, EMBEDDED, endpoints=[priced])
    wishes = Wishes(preset="team", proposers=("a", "smollm2-135m-instruct", "org/only"))
    models = [agent.model for agent in choose(wishes, given).layers[0].proposers]
    assert models == ["ollama/a", EMBEDDED_MODEL, "lab/org/only"]


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("a", "2 endpoints have a: write groq/a or ollama/a"),
        ("zork", "no endpoint is known to have zork: write it like ollama/zork"),
        ("olama/a", 'olama/a: no endpoint is called "olama"; did you mean "ollama"?'),
        ("ollama/", "model 'ollama/': write it as endpoint/model, like ollama/llama3.2"),
    ],
)
def test_a_name_that_means_no_model_is_refused(model: str, message: str) -> None:
    assert refused(Wishes(proposers=(model,)), mixture("ollama/a", "groq/a", to="t/m")) == message


@pytest.mark.parametrize(
    ("base", "has_it", "needed"),
    [(EMBEDDED, False, True), (EMBEDDED, True, False), (TEAM, False, False)],
)
def test_only_a_mixture_of_the_embedded_model_wants_its_file(
    base: Mixture, *, has_it: bool, needed: bool
) -> None:
    assert needs_fetch(base, setup(base, has_embedded=has_it)) is needed


def test_a_preset_that_leaves_models_open_takes_what_is_found() -> None:
    roles = mixture("best/1", "best/2", to="best/merger", name="roles")
    found = mixture("ollama/a", "ollama/b", to="ollama/c", name="found on Ollama")
    given = setup(roles, makes=[found])
    wishes = Wishes(preset="roles")

    assert needs_detection(wishes, given)
    assert [agent.model for agent in choose(wishes, given).agents] == [
        *("ollama/a", "ollama/b", "ollama/c")
    ]


def test_a_preset_that_names_its_models_needs_no_detection() -> None:
    given = setup(mixture("t/a", to="t/m", name="plain"))

    assert not needs_detection(Wishes(preset="plain"), given)
    assert not needs_detection(Wishes(preset="unknown"), given)


def test_more_layers_than_a_mixture_has_are_refused() -> None:
    assert refused(Wishes(layers=10**9)) == "repeat: a mixture has at most 32 proposer layers"


class BrokenShelf(Shelf):
    """Presets whose files all have a mistake."""

    def load(self, name: str, /) -> Mixture:
        raise ConfigError(f"{name}.toml is broken")


@pytest.mark.parametrize("last_used", ["", "embedded", "team"])
def test_a_broken_preset_that_nobody_asked_for_is_a_notice(last_used: str) -> None:
    given = replace(setup(last_used=last_used), presets=BrokenShelf((TEAM, EMBEDDED)))
    left = without_lost_preset(given)
    names = [name for name in (last_used, "embedded") if name]
    assert left.notices == tuple(f"{name}.toml is broken" for name in dict.fromkeys(names))
    assert choose(Wishes(), left) == left.presets.last_resort()


def test_a_broken_preset_that_somebody_asked_for_is_refused() -> None:
    given = replace(setup(), presets=BrokenShelf((EMBEDDED,)))
    with pytest.raises(ConfigError, match=r"embedded\.toml is broken"):
        choose(Wishes(preset="embedded"), given)
