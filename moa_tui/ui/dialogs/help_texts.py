"""What help, palette, questions and the jump overlay say, to be said in another language too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from moa_tui.ui import look

if TYPE_CHECKING:
    from collections.abc import Mapping

    from moa_tui.ui.look import StateKey

HELP: Final = "Help"
KEYS: Final = "Keys"
ABOUT: Final = "Mixture-of-Agents"
SIGNS: Final = "Words and signs"
TYPE_KEY: Final = "type to find a key by what it does"
NO_KEYS: Final = "there are no keys here"

COMMANDS: Final = "Commands"
TYPE_COMMAND: Final = "type to find a command"
NO_COMMANDS: Final = "nothing can be done at this moment"

KEEP_GOING: Final = "keep going"

A_LETTER: Final = "a letter"
JUMPS: Final = "jumps to where it stands"
CLOSE: Final = "close"

MIXTURE: Final = (
    (
        "What it is",
        (
            "Several language models get the same question and each answers it: they are the"
            " proposers. Those of the next layer get the question together with all answers of the"
            " layer before. At the end one more model, the aggregator, reads the last layer's"
            " answers, weighs them and writes one.\n\n"
            "It rests on an observation that its authors call collaborativeness: most models write"
            " a better answer when they are shown the answers of others, even where those are"
            " weaker than what the model writes alone."
        ),
    ),
    (
        "What was measured",
        (
            "Six open models, in three layers of which the last is the aggregator, won 65.1 %"
            " (length-controlled) on AlpacaEval 2.0, against 57.5 % of GPT-4 Omni. The lite"
            " variant, two layers and a smaller aggregator, reached 59.3 %. Wang and others, 2024,"
            " arXiv 2406.04692.\n\n"
            "These are figures of 2024 and its models, on one test in which a model is the judge."
            " They promise nothing for your models and questions."
        ),
    ),
    (
        "How the answer comes about",
        (
            "By a merge strategy. synthesize: the aggregator writes one. pick: it names the best"
            " proposal, which is the answer word for word; it sees them without names, in a random"
            " order. vote: what most proposals say wins, nobody is called; for short answers."
            " refine: it merges a few at a time, for small contexts. none: nobody merges."
        ),
    ),
    (
        "What it costs",
        (
            "Every proposer of every layer is a call, and the aggregator one more: 3 × 2 + 1 = 7"
            " calls for two layers of three. The prompts grow too, since all answers go into them."
            " And the first word of the answer comes late: each layer waits for its slowest"
            " proposer, unless one merges before. That is why the race is on the screen."
        ),
    ),
    (
        "When one model is enough",
        (
            "Mixing isn't always better. Several samples of one strong model, merged into one"
            " answer, beat mixed models in many of the tests of Li and others, 2025 (Self-MoA,"
            " arXiv 2502.00674): a weak proposer can cost more quality than variety brings. Give an"
            " agent samples in the sidebar, and compare on your own questions."
        ),
    ),
)
"""Heads, and the text below them, a blank line between paragraphs."""

WORDS_HEAD: Final = "Words on this screen"
WORDS: Final = (
    ("mixture", "The whole recipe: layers of proposers, then the aggregator."),
    ("preset", "A mixture saved under a name."),
    ("layer", "The proposers that write at the same time."),
    ("proposer", "A model that answers; from layer 2 on with the answers of the layer before."),
    ("proposal", "What a proposer said. A failed or empty one isn't handed on."),
    ("aggregator", "The model that reads the last proposals and writes the answer."),
    ("strategy", "How the proposals become the answer: the page before tells of each."),
    ("seat", "A model's place in a layer, with a number and a colour of its own."),
    ("lane", "A bar that grows with a seat's tokens; one scale for all of a layer."),
    ("tok", "Tokens, the pieces that models read and write; roughly ¾ of an English word."),
    ("t/s", "Tokens a second: of the last second while it writes, then on the whole."),
    ("ttft", "Time to first token: how long one waited until it began to write."),
)
"""Words, and what they mean here."""

MARKS_HEAD: Final = "Beside an answer and its proposals"
MARKS: Final = (
    ("1 3", "The sentence shares its rarer words with proposals 1 and 3."),
    ("all 3", "It shares them with all three; 4 of 6: with four of six."),
    ("only 3", "Proposal 3 alone has it; no other comes near."),
    ("new", "No proposal has it, at least not in these words. Check it."),
    ("47 % of ★", "How much of the answer is from this proposal."),
    ("by words", "All of this compares words and figures, no meaning: do check."),
    ("references", "The proposals that the aggregator was given."),
    ("version", "An answer has several: run again, merged again, taken."),
    ("cut", "It reached max tokens and ends in the middle."),
)
"""Marks, and what they mean."""

STATES_HEAD: Final = "Signs of a seat's state"
STATES: Final[Mapping[StateKey, tuple[str, str]]] = {
    "queued": ("queued", "Waits for its turn at the endpoint."),
    "waiting": ("waiting", "Asked; it connects, loads the model or reads, and no token is here."),
    "thinking": ("thinking", "Writes its reasoning, in italics; that is never handed on."),
    "streaming": ("streaming", "Writes its proposal."),
    "done": ("done", "Finished; 1st, 2nd … is the order of finishing."),
    "retrying": ("retry", "Failed, is tried again; the cause and the seconds left stand there."),
    "late": ("late", "Its layer went on without it. It is kept, not merged."),
    "stopped": ("stopped", "Somebody stopped it."),
    "failed": ("failed", "No proposal, and why. The layer goes on with the others."),
}
"""What each state is called and what it means."""

LANES_HEAD: Final = "Signs of a lane"
LANES: Final = (
    (look.LANE_THINKING, "thinking", "Tokens of reasoning."),
    (look.LANE_ANSWER, "writing", "Tokens of the proposal."),
    (look.LANE_HEAD, "still live", "Its end, while more comes."),
    (look.LANE_REST, "room", "What the scale has left; it doubles for all when it is used up."),
    (look.RACE_THINKING, "thinking", "The same in the race view."),
    (look.RACE_ANSWER, "writing", "The same in the race view."),
)
OTHERS_HEAD: Final = "Other signs"
OTHERS: Final = (
    (look.STAR, "aggregator", "It and its answer; nothing else has its colour."),
    (look.FOLDED, "folded", "There is more in it."),
    (look.OPEN, "open", "What is in it stands below."),
    (look.PROMPT, "here", "The row that enter means, or the line one writes."),
    (look.DASH, "unknown", "Never the same as 0."),
    (look.ELLIPSIS, "cut", "There was no room for the rest."),
    (look.DOWN, "below", "New lines have come; the end key goes there."),
)
"""Signs, what they are called and what they mean."""

TERMINALS_HEAD: Final = "If signs look torn or overlap"
TERMINALS: Final = (
    "Some signs (○ ● ★ ◊ · ─ █) are of ambiguous width. Terminals draw them one cell wide unless"
    " they are set to draw ambiguous characters wide, as some are for Chinese and Japanese. Set"
    " that back to narrow, or choose ASCII in the settings (glyphs)."
)


def in_keys(name: str) -> str:
    """Return under which name a command's key can be changed."""
    return f"{name} in [keys]"
