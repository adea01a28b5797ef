"""How ``ask`` tells a run: JSON lines, or the answer on stdout and progress on stderr."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, TextIO

from moa_tui.cli.setup import UnwritableError
from moa_tui.engine.cost import Cost, total
from moa_tui.engine.events import (
    LayerStarted,
    RunFailed,
    RunFinished,
    SeatFailed,
    SeatFinished,
    SeatNote,
    SeatPhase,
    SeatRetrying,
    SeatStarted,
    TextDelta,
    TextRelabelled,
    to_json,
)
from moa_tui.engine.mixture import Seat
from moa_tui.engine.votes import how_chosen
from moa_tui.text import escaped

if TYPE_CHECKING:
    from moa_tui.engine.events import Event
    from moa_tui.engine.mixture import Mixture
    from moa_tui.engine.provider import Usage

_TOLD_PHASES = {"queued": "waits", "loading": "loads its model"}
_ENDS = (".", "!", "?", "…", "。", "！", "？")
_NOT_MERGED = "Ask with --strategy none for the proposals themselves, or with another --aggregator."


class Output:
    """Stdout, which may block: ``is_busy`` while it takes a text."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.is_busy = False

    def write(self, text: str) -> None:
        """Write a text and let it out at once.

        Raises:
            BrokenPipeError: nobody reads it any more.
            UnwritableError: it can't be written for another reason.
        """
        self.is_busy = True
        try:
            self._stream.write(text)
            self._stream.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise UnwritableError(f"the answer can't be written: {error.strerror}") from error
        finally:
            self.is_busy = False


class Lines:
    """The events as JSON, one object a line."""

    def __init__(self, output: Output, stderr: TextIO) -> None:
        self._output = output
        self._stderr = stderr
        self._merges = False

    def show(self, event: Event) -> None:
        """Write one event."""
        self._merges = self._merges or _begins_merge(event)
        self._output.write(escaped(json.dumps(to_json(event), ensure_ascii=False)) + "\n")

    def failed(self, event: RunFailed) -> None:
        """Say on stderr too why there is no answer."""
        _tell_failure(event, self._stderr, is_merge=self._merges)


class Progress:
    """The answer on stdout as it comes; on stderr a line for everything else that matters.

    Lines that come while the answer is being written wait for its end.
    """

    def __init__(
        self, output: Output, stderr: TextIO, *, mixture: Mixture, is_quiet: bool = False
    ) -> None:
        self._output = output
        self._stderr = stderr
        self._mixture = mixture
        self._is_quiet = is_quiet
        self._names = {
            Seat(number, place): f"{place} {agent.name}"
            for number, layer in enumerate(mixture.expanded().layers, 1)
            for place, agent in enumerate(layer.seats, 1)
        }
        # Of several merges only the last one is the answer, and nobody knows which that is. A
        # judge's words are none.
        self._picks = mixture.aggregator.makes == "taken"
        is_folded = mixture.merge_calls > 1 or mixture.context == "refine"
        self._waits_for_last = self._picks or is_folded
        self._proposals: dict[Seat, str] = {}
        self._spent: list[Usage] = []
        self._cut: set[Seat] = set()
        self._aggregator: Seat | None = None
        self._shown: list[str] = []
        self._held: list[str] = []

    def show(self, event: Event) -> None:
        """Tell one event."""
        match event:
            case LayerStarted():
                self._layer_started(event)
            case SeatStarted():
                self._seat_started(event)
            case TextDelta() if event.seat == self._aggregator and not self._waits_for_last:
                self._shown.append(event.text)
                self._output.write(event.text)
            case TextRelabelled() if event.seat == self._aggregator:
                self._withdraw("what stands above was its reasoning; the answer follows")
            case SeatPhase() if event.phase in _TOLD_PHASES:
                behind = f" behind {event.behind}" if event.behind else ""
                self._say(event.seat, _TOLD_PHASES[event.phase] + behind)
            case SeatRetrying():
                self._say(event.seat, _sentences(event.message, f"Again in {event.wait_s:.0f} s."))
            case SeatNote():
                self._say(event.seat, event.message)
            case SeatFinished():
                self._seat_finished(event)
            case SeatFailed():
                self._spent += [event.usage] if event.usage is not None else []
                why = f"failed: {_sentences(event.message, event.hint)}"
                self._say(event.seat, "stopped" if event.kind == "stopped" else why)
            case RunFinished():
                self._run_finished(event)
            case RunFailed() if self._spent:
                self._end_answer()
                self._line(f"ended after {event.t:.1f} s, {self._used()}")
            case _:
                pass

    def failed(self, event: RunFailed) -> None:
        """Say why there is no answer, even when quiet."""
        self._end_answer()
        _tell_failure(event, self._stderr, is_merge=self._aggregator is not None)

    def _layer_started(self, event: LayerStarted) -> None:
        layers = self._mixture.proposer_layers
        self._line(f"layer {event.layer} of {layers}" if layers > 1 else "proposers")

    def _seat_started(self, event: SeatStarted) -> None:
        if event.role == "proposer":
            return
        name = event.model.rpartition("/")[2]
        self._names[event.seat] = name
        if self._aggregator == event.seat and not self._waits_for_last:
            self._withdraw(f"another try, with {name}")
        self._aggregator = event.seat
        self._line(f"{name} picks one" if self._picks else f"merging with {name}")

    def _seat_finished(self, event: SeatFinished) -> None:
        self._proposals[event.seat] = event.text
        self._spent.append(event.usage)
        if event.reason == "length":
            self._cut.add(event.seat)
        if event.seat == self._aggregator:
            if event.reason == "length" and not self._picks:
                self._line("the answer is cut at its limit: raise --max-tokens")
            return
        about = "~" if event.usage.estimated else ""
        word = "late" if event.reason == "late" else "done"
        if event.reason == "length":
            word = "cut at its limit"
        self._say(
            event.seat,
            f"{word}, {event.seconds:.1f} s, {about}{event.usage.completion} tokens",
        )

    def _run_finished(self, event: RunFinished) -> None:
        if self._mixture.aggregator.makes == "nothing":
            self._write_proposals()
        elif event.answer.strip() != "".join(self._shown).strip():
            self._withdraw("")
            self._shown = [event.answer]
            self._output.write(event.answer)
        self._end_answer()
        if event.chosen is not None:
            self._tell_chosen(event, event.chosen)
        self._line(f"done in {event.seconds:.1f} s, {self._used()}")

    def _used(self) -> str:
        """Return what all calls have read and written, and what they cost."""
        usage = total(self._spent)
        about = "~" if usage.estimated else ""
        tokens = usage.prompt + usage.completion
        return f"{about}{tokens} tokens read and written, {Cost.of(self._spent)}"

    def _tell_chosen(self, event: RunFinished, chosen: Seat) -> None:
        """Say whose proposal the answer is, and how that came."""
        judge = self._names.get(self._aggregator, "") if self._aggregator else ""
        how = how_chosen(len(event.references), votes=event.votes, judge=judge)
        self._line(f"this is proposal {self._names.get(chosen, chosen.number)}: {how}")
        if chosen in self._cut:
            self._line("the answer is cut at its limit: raise --max-tokens")

    def _write_proposals(self) -> None:
        """Write what the last layer says: a mixture that only races has no other answer."""
        last = max((seat.layer for seat in self._proposals), default=0)
        texts = [
            f"## {self._names[seat]}\n\n{text.strip()}\n"
            for seat, text in sorted(self._proposals.items())
            if seat.layer == last
        ]
        self._output.write("\n".join(texts))

    def _withdraw(self, why: str) -> None:
        """Set apart what turned out not to be the answer: stdout can't be taken back."""
        if self._shown:
            self._output.write("\n\n")
            self._shown = []
            self._end_answer()
        if why:
            self._line(why)

    def _end_answer(self) -> None:
        if self._shown and not self._shown[-1].endswith("\n"):
            self._output.write("\n")
        self._shown = []
        held, self._held = self._held, []
        for line in held:
            self._line(line)

    def _say(self, seat: Seat, text: str) -> None:
        self._line(f"  {self._names.get(seat, '')}: {text}")

    def _line(self, text: str) -> None:
        if self._is_quiet:
            return
        if self._shown:
            self._held.append(text)
            return
        self._stderr.write(f"{text}\n")
        self._stderr.flush()


def _begins_merge(event: Event) -> bool:
    return isinstance(event, SeatStarted) and event.role == "aggregator"


def _tell_failure(event: RunFailed, stderr: TextIO, *, is_merge: bool) -> None:
    way_out = _NOT_MERGED if is_merge and event.kind != "stopped" else ""
    stderr.write(f"moa-tui: {_sentences(event.message, event.hint, way_out)}\n")
    stderr.flush()


def _sentences(first: str, *others: str) -> str:
    """Return texts as sentences, of which the last one ends as it does."""
    said = first
    for text in filter(None, others):
        stop = "" if said.endswith(_ENDS) else "."
        said = f"{said}{stop} {text[:1].upper()}{text[1:]}"
    return said
