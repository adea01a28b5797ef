"""Texts that would do something to a terminal, and every slot of the screen that shows such text.

A slot takes a text as its source gives it, after the one cleaning that stands at that source: a
stream and a server's words are cleaned by the provider, a stored session when it is read; names and
descriptions from files, titles, paths and what people type come as they are.
"""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

from dialog_fakes import OLLAMA, preset
from racing_seats import done, failed, retrying, streaming, thinking, waiting
from rich.segment import Segment

from moa_tui.engine.blind import Candidate, Entry, Judged, standings
from moa_tui.engine.mixture import Seat
from moa_tui.engine.provider import Endpoint, ModelInfo
from moa_tui.engine.state import LayerState, RunState, SeatState
from moa_tui.storage.records import Hit, SessionRow
from moa_tui.text import Cleaner, clean
from moa_tui.ui import diagram, notices, told, words
from moa_tui.ui.answer import markdown, turn_rows
from moa_tui.ui.composer.completion import Asked, Completions, file_items
from moa_tui.ui.composer.prompt import Prompt
from moa_tui.ui.composer.queue import Queue
from moa_tui.ui.desk import Banner
from moa_tui.ui.dialogs import (
    blind_rows,
    blind_words,
    endpoint_rows,
    error,
    model_rows,
    preset_rows,
    question,
    session_rows,
)
from moa_tui.ui.dialogs.dialog import Head
from moa_tui.ui.dialogs.liveness import Known
from moa_tui.ui.dialogs.writing import Complaint
from moa_tui.ui.header import Header
from moa_tui.ui.look import Palette
from moa_tui.ui.ports import EndpointState
from moa_tui.ui.race import card, flow, lanes, table
from moa_tui.ui.race.tail import Tail
from moa_tui.ui.report import report
from moa_tui.ui.told import Facts
from moa_tui.ui.turns import Turns
from moa_tui.ui.welcome import Welcome

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterable, Mapping

    from moa_tui.ui.dialogs.choices import Listing

    Drawn: TypeAlias = Iterable[Iterable[Segment]]
    Slot: TypeAlias = Callable[[str], Drawn]

PALETTE = Palette.of({})
WIDTH = 100
SHAPE = card.Shape(60, 14)
COAT = card.Coat.of(PALETTE, is_focused=False)

# What a fuzzed text is made of

PIECES = (
    *("\x1b]52;c;cGxhbnRlZA==\x07", "\x1b]8;;file:///x\x1b\\a\x1b]8;;\x1b\\", "\x1b[2J", "\x1b"),
    *("\x9b31m", "\x9d0;x\x9c", "\x1bPq\x1b\\", "\x00", "\x07", "\x08", "\x0b", "\x0c", "\x0e"),
    *("\r", "\n", "\t", "\x7f", "\x85", "\u2028", "\u2029", "\x1c", "\x1d", "\x1e", "\x1f"),
    *("\u202e", "\u2066", "\u200e", "\u061c", "\u200b", "\ufeff", "\xad", "\U000e0041"),
    *("\ud83e", "\udd99", "\ud800", "e" + "\u0301" * 9, "👩‍👩‍👧", "日本", "\u200d", "\ufe0f"),
    *(
        "[@click=app.quit]x[/]",
        "[/b]",
        "[bold",
        "{}",
        "%s",
        "{0!r}",
        "\\",
        "\\[",
        "&#27;",
        "&#x9b;",
    ),
    *(
        "# ",
        "```\n",
        "```py\n",
        "**",
        "`",
        "- ",
        "> ",
        "| a | b |\n|-|-|\n",
        "<b>",
        "<!--",
        "&nbsp;",
    ),
    *(
        "[a](http://b/\x1b)",
        "![i](x\x9b)",
        "<http://c\x07>",
        "[r]: http://d\x1b\n",
        "a",
        "word ",
        "  ",
    ),
)


def fuzzed(chance: random.Random) -> str:
    """Return a text of a few pieces; every sixth has any characters at all."""
    if chance.random() < 1 / 6:
        return "".join(
            chr(chance.randrange(chance.choice((256, 0x3000, 0x110000)))) for _ in range(8)
        )
    return "".join(chance.choices(PIECES, k=chance.randint(1, 8)))


def streamed(text: str) -> str:
    """Return a text as a provider gives it, cleaned in two pieces."""
    cleaner, cut = Cleaner(), len(text) // 2
    return cleaner.feed(text[:cut]) + cleaner.feed(text[cut:]) + cleaner.close()


# What the slots are drawn from


def named(text: str) -> SeatState:
    return replace(streaming("said"), model=f"ollama/{text}", label=text)


def run_of(*seats: SeatState) -> RunState:
    placed = {
        Seat(1, number): replace(seat, seat=Seat(1, number)) for number, seat in enumerate(seats, 1)
    }
    return RunState(
        status="running",
        layers=(LayerState(layer=1, started_t=0.0),),
        seats=MappingProxyType(placed),
    )


def place_of(text: str) -> EndpointState:
    endpoint = Endpoint(
        name=text, kind="openai", base_url=f"http://h/{text}", label=text, key_page=text
    )
    return EndpointState(
        endpoint=endpoint,
        status="found",
        message=text,
        hint=text,
        models=(ModelInfo(id=text), ModelInfo(id=f"m{text}")),
    )


def rows_of(listing: Listing) -> Drawn:
    for number in range(len(listing)):
        yield from listing.row(number, WIDTH, PALETTE)


def lane(seat: SeatState) -> Drawn:
    course = lanes.laid_out([seat.model], (WIDTH, 20), selected=0, first=0)
    up = lanes.upper(seat, 6.0, rate=1.0, scale=512, course=course)
    low = lanes.lower(seat, 6.0, course=course, palette=PALETTE)
    yield lanes.upper_row(up, course=course, palette=PALETTE)
    yield lanes.lower_row(low, course=course, palette=PALETTE)


def card_of(seat: SeatState) -> Drawn:
    yield card.head(seat, 6.0, shape=SHAPE, palette=PALETTE, coat=COAT)
    yield from card.page(seat, (), shape=SHAPE, palette=PALETTE, thinks=True)


def folded(seat: SeatState) -> Drawn:
    yield from table.fold([seat], 6.0, width=WIDTH, scale=512, palette=PALETTE)
    yield from table.strip([seat], 6.0, width=WIDTH, entries=2, shown=(), palette=PALETTE)


def layer(seat: SeatState) -> Drawn:
    run = run_of(seat, seat)
    yield flow.layer_line(run, run.layers[0], 6.0, width=WIDTH, palette=PALETTE)
    yield flow.one_line(run, 6.0, width=WIDTH, palette=PALETTE)


def rendered(source: str) -> Drawn:
    return markdown.render(source, width=WIDTH, palette=PALETTE)


def greeted(text: str) -> Drawn:
    greeting = told.Greeting(
        mixture=preset(text, f"ollama/{text}", description=text),
        fetch_title="a model",
        notices=(text,),
    )
    for block in Welcome(greeting)._blocks(WIDTH, PALETTE):  # noqa: SLF001 - all of them
        yield from block


def tail(text: str) -> Drawn:
    """A tile's words, which it wraps by itself."""
    shown = Tail()
    shown.rows_of(40, is_compact=False)
    shown.take(replace(streaming(text), thinking=thinking(text).thinking))
    for number in range(shown.total):
        yield [Segment(shown.row(number)[0])]


def asked(text: str) -> str:
    """Return a conversation's title, made of its first question."""
    turns = Turns()
    turns.begin(Prompt(text, text))
    return turns.title


def queued(text: str) -> Drawn:
    queue = Queue()
    queue.show((Prompt(text, text),), held="")
    return queue.draw(WIDTH, PALETTE)


def completed(text: str) -> Drawn:
    items = file_items(Asked(kind="file", row=0, start=0, end=0, query=""), [text, f"x{text}"])
    card_ = Completions()
    card_._items = items  # noqa: SLF001 - to be shown it wants a parent
    return card_.draw(WIDTH, PALETTE)


def banner(text: str) -> Drawn:
    shown = Banner()
    shown.say(text)
    return shown.draw(WIDTH, PALETTE)


def presets_of(text: str) -> Drawn:
    entry = preset_rows.Entry(preset(text, f"ollama/{text}", description=text), "yours")
    known = Known.of((OLLAMA, place_of("x")))
    listing = preset_rows.PresetListing.of(preset_rows.Library((entry,), (text,)), known)
    yield from rows_of(listing)
    for row in listing.rows:
        yield from preset_rows.about(row, known, {}, width=WIDTH, rows=20, palette=PALETTE)


def models_of(text: str) -> Drawn:
    catalogue = model_rows.Catalogue((place_of(text),))
    listing = model_rows.ModelListing(catalogue, "")
    yield from rows_of(listing)
    for number in range(len(listing)):
        row = listing.at(number)
        if row is not None:
            yield from model_rows.about(row, width=WIDTH, palette=PALETTE)


def searched_models(text: str) -> Drawn:
    listing = model_rows.ModelListing(model_rows.Catalogue((OLLAMA,)), text)
    return rows_of(listing)


def endpoints_of(text: str) -> Drawn:
    adding = endpoint_rows.Adding(text, failure=text)
    listing = endpoint_rows.EndpointListing((place_of(text),), adding)
    yield from rows_of(listing)
    for number in range(len(listing)):
        yield from endpoint_rows.about(number, listing, width=WIDTH, palette=PALETTE)


def sessions_of(text: str) -> Drawn:
    row = SessionRow(id="a", title=text, turns=1, touched_at=0.0, is_live=False)
    listing = session_rows.SessionListing((row,), now=9.0)
    yield from rows_of(listing)
    place = listing.at(0)
    if place is not None:
        yield from session_rows.about(place, None, now=9.0, width=WIDTH, rows=9, palette=PALETTE)


def hits_of(text: str) -> Drawn:
    hit = Hit(session="a", title=text, where="prompt", at=0.0, text=text, start=1, end=2)
    listing = session_rows.HitListing([hit], 9.0)
    yield from rows_of(listing)
    for number in range(len(listing)):
        place = listing.at(number)
        if place is not None:
            yield from session_rows.about(
                place, None, now=9.0, width=WIDTH, rows=9, palette=PALETTE
            )


def header(text: str) -> Drawn:
    mixture = preset(text, f"ollama/{text}")
    facts = Facts(title=asked(text), mixture=mixture, run=None)
    return Header(facts).draw(WIDTH, PALETTE)


def reported(text: str) -> Drawn:
    seat = replace(failed("auth", text, text), notes=(text,), model=f"x/{text}", label=text)
    made = report(run_of(seat), seat, program=text)
    yield from error.Page(made).draw(WIDTH, PALETTE)
    yield from Head(made.title, made.facts).draw(WIDTH, PALETTE)


def judged(text: str) -> Drawn:
    """A blind test that is over, and the wins of all."""
    merger = Seat(2, 1)
    run = replace(run_of(replace(done("x"), model=f"x/{text}", label=text)), status="done")
    run = replace(run, answer="y", seats={**run.seats, merger: named(text)})
    entries = (
        Entry(1, Seat(1, 1), "proposer", f"x/{text}", is_picked=True),
        Entry(2, merger, "aggregator", f"x/{text}"),
    )
    shown = tuple(Candidate("x", (entry,)) for entry in entries)
    known = standings([Judged(text, entries)])
    names = {Seat(1, 1): text, merger: blind_words.answer_of(run)}
    over = blind_rows.Revealed(shown, names, known, is_kept=False)
    for place in range(len(shown)):
        yield blind_rows.head(place, over, width=WIDTH, palette=PALETTE, is_focused=False)
    yield from blind_rows.verdict(over, WIDTH, PALETTE)
    yield from blind_rows.wins(known, "b", WIDTH, PALETTE)


def complaint(text: str) -> Drawn:
    shown = Complaint()
    shown.show(text)
    return shown.draw(WIDTH, PALETTE)


def titled(text: str) -> Drawn:
    """The window's title and a notification, which are escape sequences around a text."""
    state = replace(run_of(done("x")), status="done", mixture=preset(text, "ollama/x"))
    yield [Segment(notices.title_of(state, text))]
    yield [Segment(notices.note(text, {"TERM": "xterm-kitty"})[5:-1])]


def words_of(text: str) -> Drawn:
    for said in (
        words.exported(text),
        words.left_unfinished(text),
        words.unknown_theme(text, text),
    ):
        yield [Segment(clean(said))]


SLOTS: Mapping[str, Slot] = {
    # What models say
    "a tile's words": lambda text: tail(streamed(text)),
    "the answer": lambda text: rendered(streamed(text)),
    "the answer, growing": lambda text: turn_rows.draft(streamed(text), WIDTH, PALETTE),
    "an ended card": lambda text: card_of(done(streamed(text))),
    "a broken card": lambda text: card_of(
        replace(failed("auth", "x"), text=done(streamed(text)).text)
    ),
    "a card's thinking": lambda text: card_of(
        replace(done("x"), thinking=thinking(streamed(text)).thinking)
    ),
    "the answer's thinking": lambda text: turn_rows.thinking(streamed(text), WIDTH, PALETTE),
    "a lane's words": lambda text: lane(streaming(streamed(text))),
    "a lane's thinking": lambda text: lane(thinking(streamed(text))),
    "a lane's first sentence": lambda text: lane(done(streamed(text))),
    # What servers say
    "a failed card": lambda text: card_of(failed("auth", clean(text), clean(text))),
    "a retrying card": lambda text: card_of(retrying(clean(text))),
    "a card's notes": lambda text: card_of(replace(done("x"), notes=(clean(text),))),
    "a failed lane": lambda text: lane(failed("auth", clean(text), clean(text))),
    "a folded race": lambda text: folded(failed("auth", clean(text))),
    "the answer's failure": lambda text: turn_rows.failure(clean(text), WIDTH, PALETTE),
    "the answer's hint": lambda text: turn_rows.hint(clean(text), WIDTH, PALETTE),
    "an error's report": reported,
    "what is found": endpoints_of,
    "models of endpoints": models_of,
    # Names
    "a card's name": lambda text: card_of(named(text)),
    "a waiting card's endpoint": lambda text: card_of(
        replace(waiting(), model=f"{text}/m", behind=text)
    ),
    "a queued card": lambda text: card_of(replace(waiting(), status="queued", behind=text)),
    "a lane's name": lambda text: lane(named(text)),
    "a folded name": lambda text: folded(named(text)),
    "a layer's names": lambda text: layer(named(text)),
    "a diagram": lambda text: diagram.draw(preset(text, f"ollama/{text}"), WIDTH, PALETTE),
    "presets": presets_of,
    "the greeting": greeted,
    "the header": header,
    "a blind test": judged,
    # What people type, paste and name
    "the question": lambda text: turn_rows.question(clean(text), WIDTH, PALETTE),
    "the queue": queued,
    "files": completed,
    "models searched": searched_models,
    "sessions": sessions_of,
    "places found": hits_of,
    "a question's text": lambda text: [
        *question.Asked(text, text).draw(WIDTH, PALETTE),
        *question.Answers(text, text).draw(WIDTH, PALETTE),
    ],
    "a dialog's head": lambda text: Head(text, text).draw(WIDTH, PALETTE),
    "a complaint": complaint,
    "the banner": banner,
    "the window's title": titled,
    "sentences with names": words_of,
}
