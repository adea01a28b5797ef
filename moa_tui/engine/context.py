"""Whether a request fits its model's window, and what is left out of the references where not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from moa_tui.engine.provider import estimate_tokens
from moa_tui.errors import ProviderError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from moa_tui.engine.mixture import Agent, ContextRule
    from moa_tui.engine.provider import ChatRequest, ModelInfo

LEAST_ANSWER: Final = 256
"""Tokens that an answer must have room for, unless fewer are asked for."""

_LEAST_REFERENCE = 48
_ANSWERS_SHARE = 4
_HEADS_SHARE = 2 / 3
_MARK = "\n[… about {tokens} tokens left out …]\n"
_MARK_TOKENS = 12


def window_of(agent: Agent, known: ModelInfo | None) -> int | None:
    """Return the tokens that an agent's model takes: as it is set, else as known; None: unknown."""
    if agent.num_ctx is not None or known is None:
        return agent.num_ctx
    return known.context


def fitted(
    ask: Callable[[Sequence[str]], ChatRequest],
    references: Sequence[str],
    *,
    window: int | None,
    rule: ContextRule,
) -> tuple[ChatRequest, str]:
    """Return the request that fits a window of so many tokens, and in words what was done for it.

    ``ask`` makes the request with these references. Where only the answer's full length has no
    room, it is asked to be shorter. References are cut by `trimmed` unless the rule is ``fail``.

    Raises:
        ProviderError: it doesn't fit (``context``), by our estimate of its tokens.
    """
    request = ask(references)
    if window is None:
        return request, ""
    wanted, prompt = request.options.max_tokens, request.prompt_tokens
    left = window - prompt
    if left >= wanted:
        return request, ""
    if left >= min(wanted, LEAST_ANSWER):
        words = f"its answer may have {left:,} tokens: the other {prompt:,} of {window:,} are read"
        return _shortened(request, left), words
    if rule != "fail" and references:
        answer = min(wanted, max(LEAST_ANSWER, window // _ANSWERS_SHARE))
        room = window - answer - ask([""] * len(references)).prompt_tokens
        if room >= _LEAST_REFERENCE * len(references):
            texts, words = trimmed(references, room)
            return _shortened(ask(texts), answer), words
    hints = ["shorten the prompt", "use a model with a larger context"]
    if references:
        hints.append("use fewer proposers")
        hints += ['let their answers be cut: context = "trim"'] if rule == "fail" else []
    raise ProviderError(
        "context",
        f"the prompt is about {prompt:,} tokens, the model takes {window:,} with its answer",
        f"{', '.join(hints[:-1])}, or {hints[-1]}",
    )


def _shortened(request: ChatRequest, tokens: int) -> ChatRequest:
    return replace(request, options=replace(request.options, max_tokens=tokens))


def trimmed(references: Sequence[str], room: int) -> tuple[list[str], str]:
    """Return the references cut evenly to so many tokens together, and which were, in words.

    Short ones keep all they have, and leave the rest of their share to the others. Of a cut one the
    first two thirds and the end of its share are kept, and what is missing is marked.
    """
    sizes = [estimate_tokens(text) for text in references]
    share = _share(sizes, room)
    cut = [number for number, size in enumerate(sizes, 1) if size > share]
    texts = [
        _cut(text, size, share) if size > share else text
        for text, size in zip(references, sizes, strict=True)
    ]
    if not cut:
        return texts, ""
    which = "all" if len(cut) == len(sizes) else ", ".join(map(str, cut))
    return texts, f"cut to {share:,} tokens: {which} of {len(sizes)} answers"


def _share(sizes: Sequence[int], room: int) -> int:
    """Return the most tokens that each may have, for all together to have at most ``room``."""
    left, many = room, len(sizes)
    for size in sorted(sizes):
        if size * many > left:
            return left // many
        left -= size
        many -= 1
    return max(sizes, default=0)


def _cut(text: str, size: int, share: int) -> str:
    kept = len(text) * max(0, share - _MARK_TOKENS) // size
    head = int(kept * _HEADS_SHARE)
    tail = kept - head
    mark = _MARK.format(tokens=f"{size - share:,}")
    return f"{text[:head].rstrip()}{mark}{text[len(text) - tail :].lstrip()}"
