from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from moa_tui.ui.frames import LONGEST_FRAME_S, FrameClock

if TYPE_CHECKING:
    from collections.abc import Callable


class Bench:
    """A clock, a CPU meter and a timer that a test turns by hand."""

    def __init__(self) -> None:
        self.t = 0.0
        self.worked = 0.0
        self.timers: list[tuple[float, Callable[[], None]]] = []
        self.frames = FrameClock(
            None, fps=25, now=lambda: self.t, cpu=lambda: self.worked, later=self._later
        )

    def _later(self, seconds: float, callback: Callable[[], None]) -> None:
        self.timers.append((seconds, callback))

    def fire(self) -> float:
        seconds, callback = self.timers.pop()
        assert not self.timers
        self.t += seconds
        callback()
        return seconds


class Recorder:
    def __init__(
        self, name: str, flushed: list[str], work: Callable[[], None] | None = None
    ) -> None:
        self.name = name
        self.flushed = flushed
        self.work = work

    def flush(self) -> None:
        self.flushed.append(self.name)
        if self.work:
            self.work()


def test_all_that_is_dirty_is_flushed_together_and_once() -> None:
    bench, flushed = Bench(), list[str]()
    one, two = Recorder("one", flushed), Recorder("two", flushed)
    for widget in (one, two, one, one):
        bench.frames.request(widget)
    bench.fire()
    assert flushed == ["one", "two"]


def test_the_first_request_after_a_rest_is_flushed_at_once() -> None:
    bench = Bench()
    widget = Recorder("one", [])
    bench.frames.request(widget)
    first = bench.fire()
    bench.t += 10
    bench.frames.request(widget)
    assert [first, bench.fire()] == [0.0, 0.0]


def test_frames_are_a_frame_apart_while_something_is_dirty() -> None:
    bench = Bench()
    widget = Recorder("one", [])
    waits = []
    for _ in range(3):
        bench.frames.request(widget)
        waits.append(bench.fire())
    assert waits == pytest.approx([0.0, 0.04, 0.04])


def test_no_timer_runs_when_nothing_is_dirty() -> None:
    bench = Bench()
    bench.frames.request(Recorder("one", []))
    bench.fire()
    assert bench.timers == []


def test_a_request_during_a_flush_waits_for_the_next_frame() -> None:
    bench, flushed = Bench(), list[str]()
    late = Recorder("late", flushed)
    early = Recorder("early", flushed, work=lambda: bench.frames.request(late))
    bench.frames.request(early)
    bench.fire()
    assert flushed == ["early"]
    bench.fire()
    assert flushed == ["early", "late"]


def test_heavy_frames_grow_longer_and_shrink_again() -> None:
    bench = Bench()
    spent = [0.02]

    def work() -> None:
        bench.worked += spent[0]

    widget = Recorder("one", [], work)
    lengths = []
    for seconds in (0.02, 5.0, 0.001):
        spent[0] = seconds
        bench.frames.request(widget)
        bench.fire()
        lengths.append(bench.frames.frame_s)
    assert lengths == pytest.approx([0.08, LONGEST_FRAME_S, 0.04])


def test_a_forgotten_widget_is_not_flushed() -> None:
    bench, flushed = Bench(), list[str]()
    one, two = Recorder("one", flushed), Recorder("two", flushed)
    bench.frames.request(one)
    bench.frames.request(two)
    bench.frames.forget(one)
    bench.fire()
    assert flushed == ["two"]


def test_a_slower_pace_holds_until_it_is_taken_back() -> None:
    bench, flushed = Bench(), list[str]()
    widget = Recorder("one", flushed)
    waits, figures = [], []
    for fps in (None, 4, None):
        bench.frames.pace(fps)
        figures.append(bench.frames.figures_s)
        bench.frames.request(widget)
        waits.append(bench.fire())
    assert waits == pytest.approx([0.0, 0.25, 0.04])
    assert figures == [0.25, 1.0, 0.25]
