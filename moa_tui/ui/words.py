"""What the screen says in sentences, in one place so that it can be said in another language."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from moa_tui.engine.cost import amount, dollars
from moa_tui.text import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from moa_tui.engine.cost import Cost
    from moa_tui.engine.mixture import Mixture
    from moa_tui.engine.state import RunState

NEW_SESSION: Final = "New session"
EXAMPLES: Final = (
    "How can I dive deeper into machine learning?",
    "Implement a Snake game using Python.",
    "用 Python 写一个贪吃蛇游戏",
)

ASK: Final = "Ask"
SENDS: Final = "enter sends, ctrl+j new line"
QUEUES: Final = "enter queues it behind this run"
QUEUES_SHORT: Final = "enter queues"
SENDS_QUEUED: Final = "enter sends; alone it sends the first one queued"
EMPTY_REFUSED: Final = "nothing to send yet, write a question first"
WRITTEN_FIRST: Final = "send or clear what is written first"
PRESS_AGAIN: Final = "press ctrl+c again to quit"

JUST_RACE: Final = "none, just a race"
VOTE: Final = "a vote"
ONE_ANSWER: Final = "one answer"
ONE_OF_THEM: Final = "one of them"
PICKS: Final = "picks"
MERGING: Final = "merging"
PICKING: Final = "picking"
CHOOSES: Final = "chooses a proposal"
THE_MOST_WIN: Final = (
    "The answer that most of them give wins, word for word: that is for short answers."
)

TRY_ONE: Final = "Try one"
TRY_ONE_KEYS: Final = "tab, then enter"
FOUND: Final = "Found here"
FOUND_KEY: Final = "f8"
NOT_CONTACTED: Final = "not contacted yet; ctrl+o lists its models"
NO_MODELS: Final = "no models"
PULL_ONE: Final = "no models yet: ollama pull llama3.2, or another"
BEING_PULLED: Final = "being pulled, not here yet"
PULL_THEM: Final = "ctrl+t, then ctrl+l pulls"

FOCUS_THEN: Final = "focus; then"
RETRY: Final = "retry"
STOP: Final = "stop"
SWAP: Final = "swap"
DETAILS: Final = "details"
PINNED: Final = "pinned"
AGREEMENT: Final = "Agreement so far"
TAKEN_SHORT: Final = "taken"
TAKEN: Final = "taken as it was written"
NOTHING_SAID: Final = "Stopped before anybody had said a word: the answer before is back."
NO_MERGER: Final = "no aggregator"
MERGE_OTHERWISE: Final = (
    "Take a proposal as the answer, or merge again with another aggregator or strategy."
)

NOTHING_ASKED: Final = "Nothing was asked yet."
RUN_IS_OVER: Final = "The run is over: run it again instead."
RUN_IS_LIVE: Final = "A run is live: this is for afterwards."
IS_FETCHING: Final = "A model is being fetched: this is for afterwards."
NO_SEAT: Final = "Go to a seat first, by its number."
LAYER_CLOSED: Final = "That seat's layer is closed."
SEAT_ENDED: Final = "That seat has ended already."
NOT_BEGUN: Final = "The next run is only beginning: wait for its own proposals."
NOT_FINISHED: Final = "That seat isn't finished yet."
SAID_NOTHING: Final = "That seat said nothing that could be the answer."
NO_LAYER_RUNS: Final = "No layer of proposers runs any more, so none takes another seat."
ONLY_THESE_MODELS: Final = "There are no other models here than those that run."
NOTHING_UNFINISHED: Final = "No unfinished seat has said anything yet: merge without them."
NOTHING_FAILED: Final = "Nothing failed here."
NOT_MERGED: Final = "This mixture has no aggregator, so nothing is merged."
NOTHING_FINISHED: Final = "No proposal was finished: run all of it again instead."
NOTHING_MISSING: Final = "Nothing is missing: that run came to its end."
NOTHING_TO_JUDGE: Final = "There are no two texts to judge between."
NO_OTHER_VERSION: Final = "There is no version further on."
NOTHING_KEPT: Final = "No conversation is written down here, so there is only this one."
NO_NEWER_SESSION: Final = "This is the newest conversation."
NO_OLDER_SESSION: Final = "There is no older conversation."
NOTHING_TO_EXPORT: Final = "Nothing is written down yet that could be exported."
NO_RACE_KEPT: Final = "This race isn't written down, so it can't be replayed."
NO_CHOICE: Final = "Nothing can be chosen in the demo; moa-tui alone has presets and models."

HELP_WRITING: Final = "While you write"
HELP_ANYWHERE: Final = "Anywhere"
HELP_OUTSIDE: Final = "Outside the composer"
HELP_EXAMPLES: Final = "On the examples"
HELP_TILE: Final = "In a tile"
HELP_LANES: Final = "In the race view"
HELP_ANSWER: Final = "In the answer"
HELP_SIDEBAR: Final = "In the sidebar"
QUIT: Final = "Quit?"
QUIT_LIVE: Final = "A run is live. Quitting stops it; what it has said so far is lost."
QUIT_KEPT: Final = "A run is live. Quitting stops it; what it has said so far is kept."
QUIT_YES: Final = "quit"
QUIT_NO: Final = "keep going"
OPEN_LINK: Final = "Open this link?"
OPEN_LINK_TEXT: Final = "A model wrote it. It leads here, and is opened in your browser:"
OPEN_YES: Final = "open"
OPEN_NO: Final = "leave it"

DEMO_LABEL: Final = "demo"
DEMO_LABEL_LONG: Final = "demo, texts written beforehand"
DEMO: Final = "Demo: these texts were written by us beforehand; no model is asked."
SILLY: Final = (
    "It is a very small model and says silly things. For better answers start Ollama"
    " (ollama.com) with two or three models and start moa-tui again."
)
PRIVATE: Final = "not written down"
SAVED: Final = "saved"
UNSAVED: Final = "not saved"
LEAVE: Final = "Leave this conversation?"
LEAVE_LIVE: Final = "A run is live. Leaving stops it; what it has said so far is kept."
LEAVE_PRIVATE: Final = "It isn't written down: nothing brings it back."
LEAVE_YES: Final = "leave it"
SPEND: Final = "Pass the budget?"
OVER_BUDGET: Final = "held, since it may pass the budget; enter on an empty line asks"
SPEND_YES: Final = "send it"
SPEND_NO: Final = "keep it"
LIVE_ELSEWHERE: Final = "This runs in another window; it stands here as far as it had come."
INTERRUPTED: Final = "The program ended while this ran."
REOPENED: Final = "ended with the program"
FETCH_STOPPED: Final = "Stopped. Nothing half is left; enter starts the download again."
ANSWER_ENDS: Final = {
    "length": "The answer is cut at its limit.",
    "content_filter": "The service's filter ended the answer.",
    "refusal": "The model refused.",
}
BUG: Final = "moa-tui itself went wrong, that is a bug"

_NEAR_LIMIT: Final = 8
"""Tokens by which servers may count an answer at its limit too low."""

_NUMBERS: Final = (
    *("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve"),
)


def just_ended(stop: str) -> str:
    """Return why a key that stops a seat didn't stop the run; ``stop`` is that key."""
    return f"That seat has just ended by itself; {stop} again stops the run."


def old_run(stop: str) -> str:
    """Return that an earlier run is looked at, and the key that leads back."""
    return f"This run is over; {stop} shows the one that is live."


def is_replayed(stop: str) -> str:
    """Return that a replay keeps all else from running, and the key that ends it."""
    return f"This is a replay; {stop} ends it."


def only_looked_at(stop: str) -> str:
    """Return that nothing can be told to a replay, and the key that ends it."""
    return f"A replay is only looked at: its seats take no commands. {stop} ends it."


def not_taken_from_replay(stop: str) -> str:
    """Return that no proposal of a replay can be taken before a key ends it."""
    return f"A replay is only looked at: {stop} ends it, then this can be taken."


def only_unfinished(how: str) -> str:
    """Return that nothing but unfinished texts could be merged, and what does that."""
    return f"No proposal is done yet; {how} merges the unfinished texts."


def fetching(stop: str) -> str:
    """Return that a model is being fetched, and the key that stops it, if there is one."""
    return f"fetching the model, {stop} stops" if stop else "fetching the model"


def merges(state: RunState, *, partial: bool) -> str:
    """Return what is merged when somebody didn't wait for the layer to end.

    ``partial``: what unfinished seats have said too.
    """
    layer = state.layers[-1].layer if state.layers else 1
    seats = state.layer_seats(layer)
    done = sum(seat.status == "done" for seat in seats)
    begun = sum(seat.is_live and seat.text.length > 0 for seat in seats) if partial else 0
    merged = [plural(done, "proposal")] * bool(done)
    merged += [plural(begun, "unfinished text")] * bool(begun)
    strategy = "" if state.mixture is None else state.mixture.aggregator.strategy
    does = {"pick": "Picking from", "vote": "Counting"}.get(strategy, "Merging")
    if merged:
        return f"{does} {' and '.join(merged)} of layer {layer}."
    return f"{does} what is there: layer {max(1, layer - 1)} had the last whole proposals."


def stopped(key: str, merge_key: str, rest_key: str) -> str:
    """Return that a run was stopped, and which keys go on; no ``merge_key``: nothing to merge."""
    merges = ""
    if merge_key:
        merges = f"; {rest_key} calls only what is missing, {merge_key} merges what was said"
    return f"■ Stopped. {key} runs it again{merges}."


def stands_in(at: int, key: str) -> str:
    """Return which version counts while one without an answer is shown; ``key`` shows it."""
    shows = f"; {key} shows it" if key else ""
    return f"Later prompts are sent with version {at}{shows}."


def shown_again(turn: int, at: int) -> str:
    """Return that a turn shows another version, since the one shown had no answer to send."""
    return f"Turn {turn} shows version {at} again, since that has an answer to send along."


def swaps(seat: int) -> str:
    """Return what a model is chosen for: to take a seat of the run."""
    return f"Another model for seat {seat}"


def adds_seat(layer: int) -> str:
    """Return what a model is chosen for: to join a layer of the run."""
    return f"A model for one more seat of layer {layer}"


def taken(seat: int, model: str, how: str = "") -> str:
    """Return that the answer is a proposal, and whose; ``how`` says how that came."""
    return f"This is proposal {seat} as it was written, by {model}{f'; {how}' if how else ''}."


def copied(length: int) -> str:
    """Return that so many characters are in the clipboard, as far as one can know."""
    return f"Copied, {length:,} characters."


def left_unfinished(title: str) -> str:
    """Return that a run was cut short when the program ended, and how it is found."""
    return f'"{one_line(title, 60)}" was running when the program ended; ctrl+r finds it'


def mixture_comes(mixture: Mixture) -> str:
    """Return that a conversation that was opened has brought its mixture."""
    return f"{_called(mixture)} comes with it, the mixture of its last answer."


def mixture_stays(now: Mixture, brought: Mixture, *, is_named: bool) -> str:
    """Return that the mixture stays though a conversation was opened that had another one."""
    stays = "stays, as the command line says" if is_named else "stays, for it has unsaved edits"
    return f"{_called(now)} {stays}; this conversation's was {_called(brought)}."


def _called(mixture: Mixture) -> str:
    return f"{one_line(mixture.name, 40) or 'A mixture'} ({shape(mixture)})"


def exported(path: str) -> str:
    """Return where a conversation was written to."""
    return f"exported to {one_line(path)}"


def does_nothing_now(name: str) -> str:
    """Return that a command has nothing to do at this moment."""
    return f"/{name} has nothing to do now"


def replay(speed: int, *, is_paused: bool) -> str:
    """Return that a race is replayed, and how fast."""
    return f"replay {speed}×, paused" if is_paused else f"replay {speed}×"


def edits(number: int, stop: str) -> str:
    """Return what sending does while the question of an earlier turn is written anew.

    ``stop`` is the key that leaves that question as it was, "" for none.
    """
    leaves = f"; {stop} leaves it" if stop else ""
    return f"enter asks this in the place of turn {number}, which is kept{leaves}"


def edits_short(stop: str) -> str:
    """Return the same where there is little room."""
    return f"enter branches, {stop} leaves it" if stop else "enter branches"


def version(at: int, of: int, *, is_short: bool) -> str:
    """Return which version of an answer is shown."""
    return f"{at} of {of}" if is_short else f"version {at} of {of}"


def turn(number: int) -> str:
    """Return how an earlier turn is called."""
    return f"Turn {number}"


def number(count: int) -> str:
    """Return a small number as a word."""
    return _NUMBERS[count] if count < len(_NUMBERS) else str(count)


def plural(count: int, word: str) -> str:
    """Return "1 layer", "2 layers"."""
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def seats_of_layers(mixture: Mixture) -> list[int]:
    """Return how many seats each proposer layer has."""
    return [len(layer.seats) for layer in mixture.layers for _ in range(layer.repeat)]


def shape(mixture: Mixture) -> str:
    """Return "3 proposers × 1 layer", or "5 + 3 proposers" where layers differ."""
    seats = seats_of_layers(mixture)
    if len(set(seats)) > 1:
        return f"{' + '.join(map(str, seats))} proposers"
    return f"{plural(seats[0], 'proposer')} × {plural(len(seats), 'layer')}"


def calls(mixture: Mixture) -> tuple[str, str]:
    """Return the sum and what it comes to: ("3 × 2 + 1", "7 calls"); no sum for a lone call."""
    seats = seats_of_layers(mixture)
    if len(set(seats)) > 1:
        terms = [str(count) for count in seats]
    else:
        terms = [str(seats[0]) if len(seats) == 1 else f"{seats[0]} × {len(seats)}"]
    if mixture.merge_calls:
        terms.append(str(mixture.merge_calls))
    total = plural(mixture.calls, "call")
    return (" + ".join(terms) if len(terms) > 1 or "×" in terms[0] else "", total)


def will_fetch(title: str) -> str:
    """Return what enter does when no model is there yet."""
    return f"enter fetches {title}, then answers"


def held(why: str) -> str:
    """Return why queued prompts wait; ``why`` is how the run ended: failed, stopped."""
    ended = "was stopped" if why == "stopped" else why
    return f"held, since the run {ended}; enter on an empty line sends the first"


def too_small(width: int, height: int) -> str:
    """Return what to do about a terminal that is too small; sizes in cells."""
    return f"moa-tui needs 60x20, this is {width}x{height}"


def megabytes(count: int) -> str:
    """Return bytes as people read them: 12 kB, 1.0 MB, 98 MB."""
    if count >= 9_950_000:  # noqa: PLR2004 - from here 10 MB is shorter and exact enough
        return f"{count / 1e6:.0f} MB"
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{count / 1e3:.0f} kB"  # noqa: PLR2004 - a million


def who_answers(mixture: Mixture) -> str:
    """Return how the proposers work, as a sentence or two."""
    seats = seats_of_layers(mixture)
    first = mixture.layers[0].seats
    models, answers = len({agent.model for agent in first}), len(first)
    who = f"{number(answers)} models answer"
    if models == 1:
        who = f"{number(answers)} samples of {first[0].name} answer"
    elif models < answers:
        who = f"{number(models)} models give {number(answers)} answers"
    sentence = f"{capital(who)} at the same time; you watch them."
    if answers == 1:
        sentence = "One model answers; you watch it."
    if len(seats) > 1:
        sentence += (
            f" They do so in {number(len(seats))} layers, and each later layer reads"
            " all answers of the one before."
        )
    return sentence


def who_merges(mixture: Mixture) -> str:
    """Return what the aggregator does, to follow its name."""
    last = seats_of_layers(mixture)[-1]
    reads = {1: "the answer", 2: "both"}.get(last, f"all {number(last)}")
    if mixture.aggregator.makes == "taken":
        return f"then reads {reads} and picks the best, which is the answer word for word."
    return f"then reads {reads} and writes one answer."


def merger(mixture: Mixture) -> str:
    """Return who makes the answer, a model as "endpoint/model", or that nobody does."""
    merging = mixture.aggregator
    if merging.agent is not None and merging.is_called:
        return merging.agent.model
    return NO_MERGER if merging.makes == "nothing" else VOTE


def nobody_on(ports: str) -> str:
    """Return that no server runs on these ports: "1234, 8080"."""
    return f"nothing listens on {ports}"


def key_is_set(variable: str) -> str:
    """Return that the environment holds a key."""
    return f"{variable} is set"


def lacks(models: Sequence[str], word: str, fix: str) -> str:
    """Return what keeps models from being called and what to do: "a, b: not pulled; ctrl+t …"."""
    names = ", ".join(models[:3]) + (" …" if len(models) > 3 else "")  # noqa: PLR2004 - a row's worth
    return f"{names}: {word}; {fix}" if fix else f"{names}: {word}"


def capital(text: str) -> str:
    """Return the text with a capital at its beginning."""
    return text[:1].upper() + text[1:]


def fetches(title: str) -> str:
    """Return what is being fetched."""
    return f"Fetching {title}. Your prompt is kept and is answered right after."


def unknown_theme(name: str, near: str) -> str:
    """Return that a theme doesn't exist, and which one may be meant."""
    return f"There is no theme {name!r}; is {near!r} meant?" if near else f"No theme {name!r}."


def may_need(name: str, need: str, window: str) -> str:
    """Return that a model may need so many tokens of those that it takes."""
    return f"{name} may need {need} of {window} tokens"


def at_most(cost: Cost, *, names_files: bool) -> str:
    """Return what a run may cost; ``names_files``: files come to it that nobody has read yet."""
    unknown = f", {cost.unknown} unknown" if cost.unknown else ""
    return f"up to {dollars(cost.dollars)}{unknown}{' + files' if names_files else ''}"


def in_all(cost: str) -> str:
    """Return what the whole conversation has cost."""
    return f"{cost} in all"


def over_budget(spent: Cost, most: float, budget: float) -> str:
    """Return what is asked before a conversation may pass its budget, all in dollars."""
    before = f"This conversation has cost {spent.known}. " if spent.dollars else ""
    return (
        f"{before}What is to be sent may cost up to {dollars(most)}, and the budget of a "
        f"conversation is {amount(budget)}. Calls without a known price aren't counted."
    )


def way_out(run: RunState) -> str:
    """Return what can be done about a run that failed, "" if nobody knows."""
    return run.hint or ("" if run.aggregator is None else MERGE_OTHERWISE)


def how_made(state: RunState) -> str:
    """Return how the answer was made, once it is: "synthesize, 5 references", "3 of 5 agree"."""
    if state.status != "done" or state.mixture is None:
        return ""
    if state.chosen is not None:
        return f"proposal {state.chosen.number}, {_why_chosen(state)}"
    made = f"{state.mixture.aggregator.strategy}, {plural(len(state.references), 'reference')}"
    steps = 1 if state.aggregator is None else 1 + state.aggregator.steps
    return f"{made}, {plural(steps, 'step')}" if steps > 1 else made


def lacking(run: RunState) -> str:
    """Return why an answer isn't all it might be and what to do about it, "" for a whole one."""
    seat, mixture = run.speaker, run.mixture
    told = ANSWER_ENDS.get(run.reason or "", "")
    if run.reason != "length" or seat is None or mixture is None:
        return told
    agents = mixture.expanded().seating().get(seat.seat, ())
    agent = next((one for one in agents if one.model == seat.model), None)
    if agent is None:
        return told
    limit, usage = mixture.options_for(agent).max_tokens, seat.usage
    if usage is not None and not usage.estimated and usage.completion < limit - _NEAR_LIMIT:
        return f"The answer is cut after {usage.completion:,} tokens: its model has no more room."
    cut = f"The answer is cut at its limit of {limit:,} tokens"
    if agent.max_tokens is None:
        return f"{cut}: raise Max tokens in the sidebar."
    whose = "★" if seat.role == "aggregator" else f"proposer {seat.seat.number}"
    return f"{cut}, its own: raise max tokens below {whose} in the sidebar, → shows it."


def whose(state: RunState) -> str:
    """Return whose proposal the answer is word for word, and how that came; "" if it is none's."""
    chosen = None if state.chosen is None else state.seats.get(state.chosen)
    return "" if chosen is None else taken(chosen.seat.number, chosen.model, _why_chosen(state))


def _why_chosen(state: RunState) -> str:
    from moa_tui.engine.votes import why_chosen  # noqa: PLC0415 - loaded long ago, by the run

    return why_chosen(state)


NAMES_NO_KEY: Final = "it names no key"


def no_such_command(name: str, hint: str) -> str:
    """Return that ``[keys]`` names a command that isn't there; ``hint`` begins with a semicolon."""
    return f'[keys]: "{name}" is no command{hint}'


def keys_left(name: str, why: str) -> str:
    """Return why a command keeps the keys that it has."""
    return f"[keys]: {name} keeps its keys: {why}"


def no_such_key(name: str, hint: str) -> str:
    """Return that a key doesn't exist; ``hint`` begins with a semicolon or is empty."""
    return f'there is no key "{name}"{hint}'


def key_is_same(name: str, other: str) -> str:
    """Return that terminals don't tell two keys apart."""
    return f"terminals send the same for {name} and {other}"


def key_is_kept(name: str) -> str:
    """Return that a key seldom gets as far as a program."""
    return f"many terminals keep {name} for themselves"


def keys_are_text(keys: str) -> str:
    """Return that keys can't work, since a text field has them wherever they could."""
    return f"wherever it works, {keys} writes or edits text"


def keys_clash(name: str, key: str, other: str) -> str:
    """Return that a command can't have a key that another one has at the same time."""
    return keys_left(name, f"{key} is that of {other}")


def keys_outside(name: str, keys: str) -> str:
    """Return that a command's keys do nothing while one writes."""
    return f"[keys]: {name} works outside the composer only: in it {keys} writes or edits text"


PROGRAM: Final = "moa"


def window_live(done: int, seats: int, prompt: str, *, is_merging: bool) -> str:
    """Return a window's title while a run is live: "moa · 2/3 ready · Why is …"."""
    state = "merging" if is_merging else f"{done}/{seats} ready" if seats else "starting"
    return f"{PROGRAM} · {state} · {prompt}"


def answer_ready(prompt: str) -> str:
    """Return that a run ended with an answer."""
    return f"{PROGRAM}: answer ready · {prompt}"


def run_failed(why: str, prompt: str) -> str:
    """Return that a run ended without one; ``why`` is a few words or nothing."""
    return f"{PROGRAM}: run failed{f': {why}' if why else ''} · {prompt}"
