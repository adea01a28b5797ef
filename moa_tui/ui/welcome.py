"""The empty pane: what will happen and with which models, what to try, what was found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from textual.binding import Binding
from textual.message import Message
from textual.reactive import reactive

from moa_tui.text import one_line
from moa_tui.ui import diagram, look, words
from moa_tui.ui.rows import Rows, section, wrapped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events
    from textual.binding import BindingType
    from textual.strip import Strip

    from moa_tui.ui.told import Greeting

_MARGIN, _INDENT = 3, 3
_LANE = 30
_BETWEEN = 2
_LONGEST_NOTICE = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetching:
    """How far a download is, in bytes; ``failure`` says in words why it isn't going on."""

    done: int = 0
    total: int = 0
    failure: str = ""


class Welcome(Rows, can_focus=True):
    """Diagram, a sentence in words and calls, examples to choose from, notices."""

    DEFAULT_CSS: ClassVar[str] = """
    Welcome { height: 1fr; background: $background; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "use_example", "ask this", id="use_example", tooltip="Send this example"),
        Binding("up,k", "move(-1)", "choose", id="example_up", tooltip="The example above"),
        Binding(
            "down,j", "move(1)", "choose", id="example_down", tooltip="The one below", show=False
        ),
    ]

    at = reactive(0)
    """The number of the example under the cursor, from 0."""

    class Chosen(Message):
        """An example is to be sent."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self, greeting: Greeting) -> None:
        super().__init__()
        self._greeting = greeting
        self._fetching: Fetching | None = None
        self._example_rows: dict[int, int] = {}

    def show(self, greeting: Greeting) -> None:
        """Tell this from now on."""
        if greeting != self._greeting:
            self._greeting = greeting
            self.redraw()

    def show_fetching(self, fetching: Fetching | None) -> None:
        """Show how a download goes; None when there is none."""
        if fetching != self._fetching:
            self._fetching = fetching
            self.redraw()

    def draw(self, width: int, palette: look.Palette) -> Sequence[Strip]:
        """Return the rows; a short pane loses blank rows first, then drawing, then sentence."""
        height = self.size.height
        blocks = self._blocks(max(10, width - 2 * _MARGIN), palette)
        rows = [row for block in blocks for row in [[], *block]]
        for left_out in range(3):
            if len(rows) > height:
                rows = [row for block in blocks[left_out:] for row in block]
        self._example_rows = {
            number: example
            for number, row in enumerate(rows)
            for example, text in enumerate(words.EXAMPLES)
            if any(segment.text == text for segment in row)
        }
        air = Segment(" " * _MARGIN)
        return [look.row([air, *row], [], width=width, ground=palette.background) for row in rows]

    def _blocks(self, room: int, palette: look.Palette) -> list[list[list[Segment]]]:
        greeting = self._greeting
        air = Segment(" " * _INDENT)
        text = room - 2 * _INDENT
        drawing = diagram.draw(greeting.mixture, text, palette)
        sentence = wrapped(_sentence(greeting, palette), text)
        blocks = [
            [[air, *row] for row in drawing] + [[]],
            [[air, *row] for row in sentence],
        ]
        if greeting.is_demo:
            note = [Segment(words.DEMO, palette.state("retrying"))]
            blocks.append([[air, *row] for row in wrapped(note, text)])
        if greeting.fetch_title or self._fetching is not None:
            blocks.append([[air, *row] for row in self._fetch(text, palette)])
        examples = section(words.TRY_ONE, words.TRY_ONE_KEYS, width=room, palette=palette)
        blocks.append([list(examples), *self._examples(room, palette)])
        if told := [*_problems(greeting, text, palette), *_found(greeting, text, palette)]:
            key = words.FOUND_KEY if greeting.found else ""
            title = section(words.FOUND, key, width=room, palette=palette)
            blocks.append([list(title), *([air, *row] for row in told)])
        return blocks

    def _examples(self, room: int, palette: look.Palette) -> list[list[Segment]]:
        rows = []
        for number, text in enumerate(words.EXAMPLES):
            is_here = self.has_focus and number == self.at
            style = palette.focus_head + palette.focus_ink if is_here else palette.ink
            bar = Segment(look.BAR_FOCUSED if is_here else " ", palette.focus)
            mark = Segment(f"{look.PROMPT} ", style if is_here else palette.muted)
            used = _INDENT + 3
            rest = " " * max(0, room - used - look.cells([Segment(text)])) if is_here else ""
            air = Segment(" " * _INDENT)
            rows.append([air, bar, mark, Segment(text, style), Segment(rest, style)])
        return rows

    def _fetch(self, room: int, palette: look.Palette) -> list[list[Segment]]:
        fetching = self._fetching
        title = self._greeting.fetch_title
        if fetching is None:
            offer = Segment(f"{words.capital(words.will_fetch(title))}. ", palette.bright)
            return wrapped([offer, Segment(words.SILLY, palette.muted)], room)
        if fetching.failure:
            return wrapped([Segment(f"✗ {fetching.failure}", palette.state("failed"))], room)
        share = fetching.done / fetching.total if fetching.total else 0.0
        lane = look.lane(
            _LANE,
            (0, round(_LANE * share)),
            live=True,
            seat=palette.aggregator,
            track=palette.track,
        )
        of = f"{words.megabytes(fetching.done)} of {words.megabytes(fetching.total)}"
        figures = f"{of}  {share:.0%}" if fetching.total else words.megabytes(fetching.done)
        return [
            *wrapped([Segment(words.fetches(title), palette.bright)], room),
            [*lane, Segment(f"  {figures}", palette.ink)],
        ]

    def on_resize(self) -> None:
        """Use the new height."""
        self.redraw()

    def on_focus(self) -> None:
        """Show which example enter would send."""
        self.redraw()

    def on_blur(self) -> None:
        """Hide it."""
        self.redraw()

    def watch_at(self) -> None:
        """Move the cursor."""
        self.redraw()

    def on_click(self, event: events.Click) -> None:
        """Send the example that was clicked."""
        if (example := self._example_rows.get(event.y)) is not None:
            self.at = example
            self.action_use_example()

    def action_use_example(self) -> None:
        """Send the example under the cursor."""
        self.post_message(self.Chosen(words.EXAMPLES[self.at]))

    def action_move(self, step: int) -> None:
        """Go to the next example, or back to the other end."""
        self.at = (self.at + step) % len(words.EXAMPLES)


def _sentence(greeting: Greeting, palette: look.Palette) -> list[Segment]:
    """Return what will happen: who answers, who merges, how many calls, where, for how much."""
    mixture = greeting.mixture
    _, calls = words.calls(mixture)
    merging = mixture.aggregator
    parts = [Segment(f"{words.who_answers(mixture)} ", palette.ink)]
    if merging.agent is not None and merging.is_called:
        parts.append(Segment(one_line(merging.agent.name), palette.aggregator + look.BOLD))
        parts.append(Segment(f" {words.who_merges(mixture)} ", palette.ink))
    elif merging.makes == "taken":
        parts.append(Segment(f"{words.THE_MOST_WIN} ", palette.ink))
    parts += [
        Segment("That is ", palette.ink),
        Segment(calls, palette.bright + look.BOLD),
    ]
    if greeting.is_free:
        parts.append(Segment(", all on this machine, ", palette.ink))
        parts.append(Segment("free", palette.bright + look.BOLD))
    return [*parts, Segment(".", palette.ink)]


def _problems(greeting: Greeting, width: int, palette: look.Palette) -> list[list[Segment]]:
    """Return what is wrong, with what to do about it: the mixture's own problem first."""
    mark = Segment("! ", palette.state("retrying"))
    told = [*([greeting.problem.full] if greeting.problem else []), *greeting.notices]
    return [
        [Segment("  ") if number else mark, *row]
        for notice in told
        for number, row in enumerate(
            wrapped([Segment(one_line(notice, _LONGEST_NOTICE), palette.ink)], width - 2)
        )
    ]


def _found(greeting: Greeting, width: int, palette: look.Palette) -> list[list[Segment]]:
    """Return a row an endpoint; where rows are narrow its address gives way."""
    lined_up = max((cell_len(one.name) for one in greeting.found if one.where), default=0)
    rows = []
    for one in greeting.found:
        mark = Segment(f"{look.GLYPHS[one.state]} ", palette.state(one.state))
        air = " " * (lined_up - cell_len(one.name) + _BETWEEN)
        is_quiet = one.state == "queued"
        word = Segment(one.word, palette.muted if is_quiet else palette.ink)
        left = [mark, Segment(one.name, palette.muted if is_quiet else palette.ink)]
        where = [Segment(f"{air}{one.where}", palette.muted)] if one.where else []
        if look.cells([*left, *where, word]) + _BETWEEN <= width:
            left += where
        room = width - look.cells(left) - _BETWEEN
        word = Segment(look.clip(one.word, max(0, room)), word.style)
        rest = " " * (width - look.cells([*left, word]))
        rows.append([*left, Segment(rest), word])
    return rows
