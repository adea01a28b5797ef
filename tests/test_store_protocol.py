"""The store on disk and the one of the tests are what the screen needs; mypy checks it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from store_fake import FakeStore

from moa_tui.storage.store import Store as StoreOnDisk

if TYPE_CHECKING:
    from pathlib import Path

    from moa_tui.ui.composer.prompt import Prompt
    from moa_tui.ui.store import Asked, Store


def prompts(prompt: Prompt) -> Asked:
    return prompt


async def test_the_store_on_disk_is_what_the_screen_needs(tmp_path: Path) -> None:
    on_disk = StoreOnDisk.open(tmp_path)
    try:
        needed: Store = on_disk
        assert list(await needed.sessions()) == []
    finally:
        await on_disk.aclose()


async def test_the_store_of_the_tests_is_what_the_screen_needs() -> None:
    needed: Store = FakeStore()
    assert list(await needed.sessions()) == []
