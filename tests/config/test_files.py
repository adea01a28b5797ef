from __future__ import annotations

import os
import resource
import threading
from typing import TYPE_CHECKING

import pytest

from moa_tui.errors import ConfigError
from moa_tui.files import remove, rewrite

if TYPE_CHECKING:
    from pathlib import Path


def mode(path: Path) -> str:
    return oct(path.stat().st_mode & 0o777)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_new_file_and_its_folder_are_the_users_alone(tmp_path: Path) -> None:
    path = tmp_path / "config" / "a.toml"
    rewrite(path, repr)
    assert path.read_text("utf-8") == "None"
    assert (mode(path), mode(path.parent)) == ("0o600", "0o700")


def test_a_file_becomes_what_is_made_of_its_content_and_nothing_is_left_beside_it(
    tmp_path: Path,
) -> None:
    path = tmp_path / "a.toml"
    path.write_text("one", "utf-8")
    rewrite(path, lambda before: f"{(before or b'').decode()} two")
    assert path.read_text("utf-8") == "one two"
    assert names(tmp_path) == ["a.toml"]


def test_a_link_stays_one_and_what_it_leads_to_is_written(tmp_path: Path) -> None:
    (tmp_path / "dotfiles").mkdir()
    (tmp_path / "dotfiles" / "real.toml").write_text("one", "utf-8")
    path = tmp_path / "a.toml"
    path.symlink_to(tmp_path / "dotfiles" / "real.toml")
    rewrite(path, lambda _: "two")
    assert path.is_symlink()
    assert (tmp_path / "dotfiles" / "real.toml").read_text("utf-8") == "two"


def test_a_file_that_changes_meanwhile_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text("one", "utf-8")
    seen = []

    def change(before: bytes | None) -> str:
        seen.append(before)
        if len(seen) == 1:
            path.write_text("edited by hand", "utf-8")
        return f"{(before or b'').decode()} and ours"

    rewrite(path, change)
    assert seen == [b"one", b"edited by hand"]
    assert path.read_text("utf-8") == "edited by hand and ours"


def test_a_file_that_never_stands_still_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    seen = []

    def change(before: bytes | None) -> str:
        seen.append(before)
        path.write_text(f"edit {len(seen)}", "utf-8")
        return "ours"

    with pytest.raises(ConfigError, match="can't be written: another program keeps changing it"):
        rewrite(path, change)
    assert path.read_text("utf-8") == "edit 5"
    assert names(tmp_path) == ["a.toml"]


def test_writers_at_once_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"

    def add(letter: str) -> None:
        for _ in range(10):
            rewrite(path, lambda before: (before or b"").decode() + letter)

    writers = [threading.Thread(target=add, args=(letter,)) for letter in "abcd"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    text = path.read_text("utf-8")
    assert {letter: text.count(letter) for letter in "abcd"} == dict.fromkeys("abcd", 10)


def test_what_can_not_be_made_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text("one", "utf-8")

    def change(_: bytes | None) -> str:
        raise ConfigError("it has a mistake")

    with pytest.raises(ConfigError, match="it has a mistake"):
        rewrite(path, change)
    assert path.read_text("utf-8") == "one"
    assert names(tmp_path) == ["a.toml"]


def test_a_disk_that_takes_no_more_is_told_and_the_old_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text("one", "utf-8")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, before[1]))
    try:
        with pytest.raises(ConfigError, match="can't be written: File too large"):
            rewrite(path, lambda _: "much longer than ten bytes")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert path.read_text("utf-8") == "one"
    assert names(tmp_path) == ["a.toml"]


def test_a_folder_that_can_not_be_one_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    path = tmp_path / "file" / "a.toml"
    with pytest.raises(ConfigError) as caught:
        rewrite(path, lambda _: "x")
    assert str(caught.value) == f"{path} can't be written: Not a directory"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_told(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(ConfigError, match="can't be written: Permission denied"):
        rewrite(tmp_path / "a.toml", lambda _: "x")


def test_a_removed_file_is_gone_and_a_removed_link_leaves_its_end(tmp_path: Path) -> None:
    real, link = tmp_path / "real.toml", tmp_path / "link.toml"
    real.touch()
    link.symlink_to(real)
    remove(link)
    assert names(tmp_path) == ["real.toml"]
    remove(real)
    assert names(tmp_path) == []


def test_what_is_not_there_can_not_be_removed(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        remove(tmp_path / "a.toml")
    assert str(caught.value) == f"{tmp_path}/a.toml can't be removed: No such file or directory"


def test_a_pipe_is_neither_waited_for_nor_replaced(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    os.mkfifo(path)
    with pytest.raises(ConfigError, match="can't be written: it is no regular file"):
        rewrite(path, lambda _: "two")
    assert path.is_fifo()
