"""Pictures of the screen, for the eye of whoever reviews a change; the README shows some."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from textual.filter import Monochrome
from textual.widgets import Input
from ui_fakes import mixture, says, settle, stage

from moa_tui.connections import demo_scripts
from moa_tui.engine.provider import Finish, Retrying, Text, Thinking
from moa_tui.presets import Presets
from moa_tui.providers.scripted import Wait
from moa_tui.shipped import PRESETS
from moa_tui.ui.composer.composer import Draft

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence
    from typing import Protocol

    from textual.app import App
    from textual.pilot import Pilot
    from ui_fakes import Stage

    from moa_tui.providers.scripted import Script, Step

    class Compare(Protocol):
        def __call__(
            self,
            app: App[None],
            *,
            terminal_size: tuple[int, int],
            run_before: Callable[[Pilot[None]], Awaitable[None]],
        ) -> bool: ...


PROMPT = "How do I merge k sorted streams in Python, lazily, and what does it cost?"
HEAP = (
    "Keep one pending item of every stream in a heap. Push the first item of every stream with"
    " its index; pop the smallest, yield it, and push the next item of **the same** stream. When"
    " a stream is empty, simply push nothing: the heap shrinks by one and the loop goes on until"
    " it is empty. Memory stays at k items however long the streams are."
)
LIBRARY = (
    "## Use heapq.merge\n\nThe standard library already does it, lazily:\n\n"
    "```python\nfrom heapq import merge\n\nfor row in merge(*streams):\n    handle(row)\n```\n\n"
    "Time is O(n log k), memory O(k)."
)
DOUBT = (
    "They want it lazily, so no list may be built. heapq.merge should be checked with a key and"
    " with reverse=True. Careful: the inputs must be sorted by the same key, else the output is"
    " silently wrong. That is the trap to name. "
)
MERGED = (
    "## Use heapq.merge\n\n`heapq.merge` takes any number of sorted iterables and yields their"
    " items in order, reading each stream only when it must.\n\n"
    "```python\nimport heapq\n\n\ndef merged(streams):\n    yield from heapq.merge(*streams)\n```\n"
    "\n"
    "- **Time** O(n log k): every item passes a heap of k heads once.\n"
    "- **Memory** O(k), however long the streams are.\n"
    "- All streams must be sorted by **the same key**; it does not check.\n"
)


def spoken(text: str, *, words: int = 4, gap_s: float = 0.1) -> Script:
    parts = text.split(" ")
    pieces = [" ".join(parts[n : n + words]) + " " for n in range(0, len(parts), words)]
    return says(*pieces, gap_s=gap_s)


def hesitant(_request: object) -> Iterable[Step]:
    yield Retrying("rate_limit", "Together is rate limiting this key (429).", 4.0)
    yield Wait(60)
    yield Text("Late.")
    yield Finish("stop")


def thoughtful(_request: object) -> Iterable[Step]:
    for word in DOUBT.split(" "):
        yield Wait(0.1)
        yield Thinking(f"{word} ")
    yield Wait(3)
    yield Text("Short: heapq.merge.")
    yield Finish("stop")


SCRIPTS = {
    "llama3.2:3b": spoken(HEAP, gap_s=0.3),
    "qwen3:4b": spoken(LIBRARY),
    "gemma3:4b": thoughtful,
    "gpt-oss-20b": spoken(LIBRARY, gap_s=0.05),
    "mixtral-8x22b": hesitant,
    "phi4-mini": spoken(HEAP, gap_s=0.2),
    "qwen3:8b": spoken(MERGED),
}
NAMES = [name for name in SCRIPTS if name != "qwen3:8b"]


def show_of(seats: int, *, theme: str = "moa-dark", layers: int = 1) -> Stage:
    mix = mixture(NAMES[:seats], merger="qwen3:8b", layers=layers)
    return stage(SCRIPTS, mix, theme=theme)


def demo() -> Stage:
    """The demo as `moa-tui demo` starts it."""
    mix = Presets((PRESETS,)).load("demo")
    return stage(demo_scripts(), mix, is_demo=True, endpoint="demo")


def after(show: Stage, quarters: int, *keys: str) -> Callable[[Pilot[None]], Awaitable[None]]:
    """Ask, let so many quarters of a second pass, press keys; the cursor stands still."""

    async def run(pilot: Pilot[None]) -> None:
        await settle(pilot)
        draft = show.app.query_one(Draft)
        draft.insert(PROMPT)
        await pilot.press("enter")
        await settle(pilot)
        await still(show, pilot, quarters, *keys)

    return run


def later(show: Stage, quarters: int, *keys: str) -> Callable[[Pilot[None]], Awaitable[None]]:
    """Let so many quarters of a second pass in what runs by itself, or in none."""

    async def run(pilot: Pilot[None]) -> None:
        await settle(pilot)
        await still(show, pilot, quarters, *keys)

    return run


async def still(show: Stage, pilot: Pilot[None], quarters: int, *keys: str) -> None:
    await show.watch(pilot, quarters)
    for key in keys:
        await pilot.press(key)
        await settle(pilot)
    for draft in show.app.screen_stack[0].query(Draft):
        draft.cursor_blink = False
    for field in show.app.screen.query(Input):
        field.cursor_blink = False
    await settle(pilot)


# What the README shows: the demo.


def test_the_demo_mid_race(snap_compare: Compare) -> None:
    show = demo()
    assert snap_compare(show.app, terminal_size=(140, 40), run_before=later(show, 14, "tab"))


def test_the_demo_finished(snap_compare: Compare) -> None:
    show = demo()
    assert snap_compare(show.app, terminal_size=(140, 40), run_before=later(show, 80))


def test_the_demo_mid_race_narrow(snap_compare: Compare) -> None:
    show = demo()
    assert snap_compare(show.app, terminal_size=(80, 24), run_before=later(show, 14))


def test_the_demo_finished_narrow(snap_compare: Compare) -> None:
    show = demo()
    assert snap_compare(show.app, terminal_size=(80, 24), run_before=later(show, 80))


# Every size.


def test_a_wide_race_of_five_with_one_retrying(snap_compare: Compare) -> None:
    show = show_of(5, layers=2)
    assert snap_compare(show.app, terminal_size=(160, 48), run_before=after(show, 13, "tab"))


def test_proposals_open_beside_the_answer(snap_compare: Compare) -> None:
    show = show_of(4)
    run = after(show, 60, "tab", "2")
    assert snap_compare(show.app, terminal_size=(100, 30), run_before=run)


def test_a_narrow_race_of_six(snap_compare: Compare) -> None:
    show = show_of(6)
    assert snap_compare(show.app, terminal_size=(80, 24), run_before=after(show, 13))


def test_a_finished_run_at_the_least_size(snap_compare: Compare) -> None:
    show = show_of(4)
    assert snap_compare(show.app, terminal_size=(60, 20), run_before=after(show, 60))


def test_lanes(snap_compare: Compare) -> None:
    show = show_of(5)
    run = after(show, 13, "tab", "w")
    assert snap_compare(show.app, terminal_size=(120, 30), run_before=run)


def test_an_empty_screen(snap_compare: Compare) -> None:
    show = show_of(3)
    assert snap_compare(show.app, terminal_size=(100, 30), run_before=later(show, 0))


# Every look.


@pytest.mark.parametrize("theme", ["moa-light", "moa-contrast", "moa-ansi"])
def test_a_race_in_other_colours(snap_compare: Compare, theme: str) -> None:
    show = show_of(6, theme=theme)
    run = after(show, 13, "tab", "2")
    assert snap_compare(show.app, terminal_size=(120, 36), run_before=run)


def test_a_race_without_colours(snap_compare: Compare) -> None:
    show = show_of(6)
    show.app._filters.append(Monochrome())  # noqa: SLF001 - what NO_COLOR does at the start
    run = after(show, 13, "tab", "2")
    assert snap_compare(show.app, terminal_size=(120, 36), run_before=run)


# Every dialog of the whole screen.


@pytest.mark.parametrize(
    ("name", "keys"),
    [("help", ["f1"]), ("commands", ["ctrl+p"]), ("letters", ["ctrl+g"]), ("slash", ["/", "c"])],
)
def test_what_lies_over_a_finished_run(
    snap_compare: Compare, name: str, keys: Sequence[str]
) -> None:
    show = show_of(3)
    run = after(show, 60, *keys)

    async def opened(pilot: Pilot[None]) -> None:
        await run(pilot)
        # It is imported when it is first wanted, and mounts after that.
        while name != "slash" and not (is_above(show) and show.app.screen.is_mounted):
            await pilot.pause()
        await settle(pilot)

    assert snap_compare(show.app, terminal_size=(100, 30), run_before=opened)


@pytest.mark.parametrize(("width", "height"), [(160, 40), (80, 24)])
def test_a_blind_test_that_was_made(snap_compare: Compare, width: int, height: int) -> None:
    show = demo()
    run = later(show, 80, "tab", "b")

    async def judged(pilot: Pilot[None]) -> None:
        await run(pilot)
        while not (is_above(show) and show.app.screen.is_mounted):
            await pilot.pause()
        await pilot.press("right", "enter")
        while "your pick" not in show.text:
            await settle(pilot)
        await settle(pilot)

    assert snap_compare(show.app, terminal_size=(width, height), run_before=judged)


def is_above(show: Stage) -> bool:
    return len(show.app.screen_stack) > 1
