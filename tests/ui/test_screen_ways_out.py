"""The program ends in order when nobody presses a key, and says nothing secret when it breaks."""

from __future__ import annotations

import os
import pty
import threading

import pytest
from ui_fakes import says, settle, stage

from moa_tui.ui.ways_out import WaysOut


def test_a_window_that_is_gone_is_noticed_without_a_signal() -> None:
    window, terminal = pty.openpty()
    left: list[int] = []
    told = threading.Event()

    def leave(code: int) -> None:
        left.append(code)
        told.set()

    ways_out = WaysOut(leave, force=left.append)
    thread = ways_out.watch(terminal, every_s=0.01)
    assert left == []
    os.close(window)

    assert told.wait(10)
    thread.join()
    os.close(terminal)
    assert left == [129]


def test_a_program_that_has_left_watches_its_window_no_more() -> None:
    window, terminal = pty.openpty()
    with WaysOut(lambda _: None) as ways_out:
        thread = ways_out.watch(terminal, every_s=60.0)
    thread.join()
    os.close(window)
    os.close(terminal)


async def test_a_crash_prints_no_local_variables_and_no_keys(
    capsys: pytest.CaptureFixture[str],
) -> None:
    show = stage({"a": says("x")})

    def breaks() -> None:
        local = "a local value"
        raise RuntimeError(f"no luck with sk-abcdefgh1j2klmn0pqrstuv {len(local)}")

    async def run() -> None:
        async with show.app.run_test() as pilot:
            show.app.call_later(breaks)
            await settle(pilot)

    with pytest.raises(RuntimeError):
        await run()

    printed = capsys.readouterr().err
    assert "RuntimeError: no luck with •••" in printed
    assert "abcdefgh" not in printed
    assert show.app.return_code == 1
    assert show.app.crash in printed
    assert show.app.crash.startswith("Traceback")
