"""One answer as a dialect's decoder puts it together: text, reasoning, and how it ended."""

from __future__ import annotations

from typing import Protocol

from moa_tui.engine.provider import (
    Delta,
    Finish,
    FinishReason,
    Note,
    Relabel,
    Text,
    Thinking,
    Usage,
)
from moa_tui.errors import TRY_AGAIN, TRY_ANOTHER, ProviderError
from moa_tui.text import SurrogateJoiner, clean

MAX_ANSWER = 1 << 20
"""Characters of text and reasoning together after which an answer is stopped as `truncated`."""

_ASK_ANOTHER = "ask in other words, or take another model"
_OPEN, _CLOSE = "<think>", "</think>"
_MOST_SPACE_HELD = len(_CLOSE)
_MOST_LEADING_SPACE = 64


class Decoder(Protocol):
    """Reads the body of one answer in a dialect; never raises on what a server may send."""

    @property
    def answer(self) -> Answer:
        """What the body said so far."""
        ...

    def feed(self, data: bytes, /) -> None:
        """Read on; a call after the answer's end changes nothing."""
        ...

    def close(self) -> None:
        """Hear that the body has ended: orderly, unless the caller knows better."""
        ...


class Answer:
    """Collects what a decoder reads and says at the end what it comes to.

    ``ended`` means that nothing more is wanted of the body; ``done`` that the server said so in
    its dialect (``[DONE]``). The first ``reason`` stays, the last ``usage`` counts.
    """

    def __init__(self) -> None:
        self.ended = False
        self.done = False
        self.reason: FinishReason | None = None
        self.usage: Usage | None = None
        self.error: ProviderError | None = None
        self.note: Note | None = None
        self.refusal = ""
        self.called_tool = False
        self._deltas: list[Delta] = []
        self._splitter = ThinkSplitter()
        self._said_join, self._thought_join = SurrogateJoiner(), SurrogateJoiner()
        self._left = MAX_ANSWER
        self._pieces = 0
        self._is_blank = True
        self._has_thinking = False

    @property
    def has_news(self) -> bool:
        """Whether `take` would return something."""
        return bool(self._deltas)

    def say(self, text: str) -> None:
        """Add a piece of content, in which a model without a parser may think in tags."""
        if text and not self.ended:
            self._pieces += 1
            self._emit(self._splitter.feed(self._said_join.feed(text)))

    def think(self, text: str) -> None:
        """Add a piece of reasoning that the server keeps apart."""
        if text and not self.ended:
            self._pieces += 1
            self._emit([Thinking(self._thought_join.feed(text))])

    def finish(self, reason: FinishReason) -> None:
        """Note why the model stopped; the first reason stays."""
        self.reason = self.reason or reason

    def fail(self, error: ProviderError) -> None:
        """End the answer with an error, which after a finish reason is only worth a note."""
        if self.ended:
            return
        self.ended = True
        if self.reason is None:
            self.error = error
        else:
            self.note = Note("error_after_finish", error.message)

    def end(self) -> None:
        """Hear the dialect's own end mark."""
        self.ended = self.done = True

    def take(self) -> list[Delta]:
        """Return what came since the last call."""
        deltas, self._deltas = self._deltas, []
        return deltas

    def flush(self) -> None:
        """Let go of what was held back for the rest of a tag or a character."""
        was_ended, self.ended = self.ended, False
        self._emit([Thinking(self._thought_join.close())])
        self._emit(self._splitter.feed(self._said_join.close()))
        self._emit(self._splitter.close())
        self.ended = self.ended or was_ended

    def conclude(self) -> list[Delta]:
        """Return the last deltas: usage, finish, note.

        Raises:
            ProviderError: this is no answer: it failed, was cut short or is blank.
        """
        if self.error is not None:
            raise self.error
        if self.reason is None and not self.done:
            raise ProviderError("truncated", self._why_short(), TRY_AGAIN)
        if self._is_blank:
            raise ProviderError("empty", *self._why_blank())
        last = (self.usage, Finish(self.reason or "stop"), self.note)
        return [delta for delta in last if delta is not None]

    def _emit(self, deltas: list[Thinking | Text | Relabel]) -> None:
        for delta in deltas:
            if isinstance(delta, Relabel):
                self._deltas.append(delta)
                self._is_blank = True
            elif delta.text and self._left:
                self._append(type(delta), delta.text)

    def _append(self, kind: type[Thinking | Text], text: str) -> None:
        too_long = len(text) > self._left
        text = text[: self._left]
        self._left -= len(text)
        self._deltas.append(kind(text, self._pieces))
        self._pieces = 0
        if kind is Thinking:
            self._has_thinking = True
        elif self._is_blank:
            self._is_blank = not clean(text).strip()
        if too_long:
            self._left = 0
            self.reason = None
            message = "the answer passed 1 MiB and was stopped"
            self.fail(ProviderError("truncated", message, "lower max_tokens"))

    def _why_short(self) -> str:
        if self._is_blank and not self._has_thinking:
            return "the answer stopped before its first word"
        return "the answer stopped before its end"

    def _why_blank(self) -> tuple[str, str]:
        if self.refusal.strip():
            return f"no answer: the model refused: {self.refusal.strip()}", _ASK_ANOTHER
        if self.reason == "refusal":
            return "no answer: the model refused", _ASK_ANOTHER
        if self.called_tool:
            return "no answer: the model called a tool instead", "ask it to answer in words"
        if self.reason == "content_filter":
            return "no answer: a content filter stopped it", _ASK_ANOTHER
        if self.reason == "length" and self._has_thinking:
            return "no answer: all tokens went into thinking", "raise max_tokens"
        if self.reason == "length":
            return "no answer: the token limit came first", "raise max_tokens"
        if self._has_thinking:
            return "no answer: the model only thought", "try again, or turn thinking off"
        return "no answer: the model said nothing", TRY_ANOTHER


class ThinkSplitter:
    """Takes ``<think>…</think>`` at the start of content apart from the answer.

    Tags may be split anywhere; white space beside them is dropped. A ``</think>`` that stands alone
    on a line without an opening tag means that all before it was reasoning (templates that open the
    tag themselves). Tags later in an answer are text.
    """

    def __init__(self) -> None:
        self._state = "start"
        self._held = ""
        self._trim = False
        self._may_relabel = True
        self._line_start = True
        self._has_said = False

    def feed(self, text: str) -> list[Thinking | Text | Relabel]:
        """Return what is sure by now; at most a tag and the space before it waits."""
        if self._trim:
            text = text.lstrip()
            self._trim = not text
        if self._state == "text" and not self._may_relabel:
            return [Text(text)]
        out: list[Thinking | Text | Relabel] = []
        self._held += text
        if self._state == "start":
            self._start()
        if self._state == "thinking":
            self._thinking(out)
        elif self._state == "text":
            self._text(out)
        return out

    def close(self) -> list[Thinking | Text | Relabel]:
        """Return what waited in vain; an unclosed tag means that all was reasoning."""
        held, self._held = self._held, ""
        if self._state == "thinking":
            return [Thinking(held)]
        lines = held.rpartition("\n")
        is_line = bool(lines[1]) or self._line_start
        if self._may_relabel and self._state == "text" and is_line and lines[2] == _CLOSE:
            return [*self._relabel(), Thinking(held[: -len(_CLOSE)].rstrip())]
        return [Text(held)]

    def _start(self) -> None:
        rest = self._held.lstrip()
        leading = len(self._held) - len(rest)
        if leading <= _MOST_LEADING_SPACE and rest.startswith(_OPEN):
            self._state = "thinking"
            self._held = rest[len(_OPEN) :].lstrip()
            self._trim = not self._held
        elif leading > _MOST_LEADING_SPACE or not _OPEN.startswith(rest):
            self._state = "text"

    def _thinking(self, out: list[Thinking | Text | Relabel]) -> None:
        end = self._held.find(_CLOSE)
        if end < 0:
            sure = _sure_length(self._held)
            out.append(Thinking(self._held[:sure]))
            self._held = self._held[sure:]
            return
        out.append(Thinking(_without_space(self._held[:end])))
        self._answer_after(end + len(_CLOSE), out)

    def _text(self, out: list[Thinking | Text | Relabel]) -> None:
        probe = ("\n" if self._line_start else "x") + self._held
        end = probe.find(f"\n{_CLOSE}\n")
        if end < 0:
            sure = _sure_length(self._held)
            self._say(self._held[:sure], out)
            self._held = self._held[sure:]
            return
        out.extend(self._relabel())
        out.append(Thinking(_without_space(self._held[:end])))
        self._answer_after(end + len(_CLOSE), out)

    def _answer_after(self, start: int, out: list[Thinking | Text | Relabel]) -> None:
        answer, self._held = self._held[start:].lstrip(), ""
        self._state, self._may_relabel, self._trim = "text", False, not answer
        out.append(Text(answer))

    def _say(self, text: str, out: list[Thinking | Text | Relabel]) -> None:
        if text:
            out.append(Text(text))
            self._has_said = True
            self._line_start = text.endswith("\n")

    def _relabel(self) -> list[Relabel]:
        return [Relabel()] if self._has_said else []


def _sure_length(text: str) -> int:
    """How much of a text can't be the space before a closing tag, or a part of the tag."""
    tag = text.rfind("<", -len(_CLOSE))
    end = tag if tag >= 0 and _CLOSE.startswith(text[tag:]) else len(text)
    return len(_without_space(text[:end]))


def _without_space(text: str) -> str:
    """Drop the white space at the end, as much of it as a stream holds back."""
    return text[: max(len(text.rstrip()), len(text) - _MOST_SPACE_HELD)]
