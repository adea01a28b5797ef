"""Pictures of the screen, for the eye of whoever reviews a change; the README shows some."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ui_fakes import mixture, says, settle, stage

from moa_tui.engine.provider import Finish, Retrying, Text, Thinking
from moa_tui.providers.scripted import Wait
from moa_tui.ui.composer import Draft

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable
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


def show_of(seats: int) -> Stage:
    return stage(SCRIPTS, mixture(NAMES[:seats], merger="qwen3:8b"))


def after(show: Stage, quarters: int, *keys: str) -> Callable[[Pilot[None]], Awaitable[None]]:
    """Ask, let so many quarters of a second pass, press keys; the cursor stands still."""

    async def run(pilot: Pilot[None]) -> None:
        await settle(pilot)
        draft = show.app.query_one(Draft)
        draft.insert(PROMPT)
        await pilot.press("enter")
        await settle(pilot)
        await show.watch(pilot, quarters)
        await pilot.press(*keys)
        draft.cursor_blink = False
        await settle(pilot)

    return run


def test_a_wide_race(snap_compare: Compare) -> None:
    show = show_of(5)
    assert snap_compare(show.app, terminal_size=(160, 48), run_before=after(show, 13, "tab"))


def test_a_narrow_race_of_six(snap_compare: Compare) -> None:
    show = show_of(6)
    assert snap_compare(show.app, terminal_size=(80, 24), run_before=after(show, 13))


def test_a_finished_run(snap_compare: Compare) -> None:
    show = show_of(4)
    assert snap_compare(show.app, terminal_size=(160, 48), run_before=after(show, 60))


def test_an_empty_screen(snap_compare: Compare) -> None:
    show = show_of(3)

    async def stand_still(pilot: Pilot[None]) -> None:
        await settle(pilot)
        show.app.query_one(Draft).cursor_blink = False
        await settle(pilot)

    assert snap_compare(show.app, terminal_size=(100, 30), run_before=stand_still)
