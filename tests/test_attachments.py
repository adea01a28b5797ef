"""Files that a prompt names: what is read, what is refused in words, and what a folder holds."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from moa_tui.attachments import LARGEST, LocalFiles
from moa_tui.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("content", "read"),
    [
        (b"", ""),
        (b"a\r\n\tb\n", "a\n\tb\n"),
        ("早 é\n".encode(), "早 é\n"),
        (b"\xef\xbb\xbfmarked", "marked"),
        (b"\x1b[31mred", "\u241b[31mred"),
        (b"x" * LARGEST, "x" * LARGEST),
    ],
)
async def test_a_text_file_is_read_and_cleaned(tmp_path: Path, content: bytes, read: str) -> None:
    (tmp_path / "a b.txt").write_bytes(content)

    assert await LocalFiles(tmp_path).read("a b.txt") == read


@pytest.mark.parametrize("name", ["lost.md", "lost/a.md", "a.md/b", "a\0b", "~nobody-here/a"])
async def test_what_is_not_there_is_none(tmp_path: Path, name: str) -> None:
    (tmp_path / "a.md").touch()

    assert await LocalFiles(tmp_path).read(name) is None


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"PK\0\0", "it is no text, so it can't be attached"),
        (b"caf\xe9", "it is no text, so it can't be attached: it is not UTF-8"),
        (b"x" * (LARGEST + 1), "it is larger than 1 MB"),
    ],
)
async def test_what_is_no_text_is_refused_in_words(
    tmp_path: Path, content: bytes, said: str
) -> None:
    (tmp_path / "it").write_bytes(content)

    with pytest.raises(ConfigError) as refused:
        await LocalFiles(tmp_path).read("it")
    assert str(refused.value) == said


async def test_a_folder_and_a_pipe_are_refused(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    os.mkfifo(tmp_path / "pipe")
    files = LocalFiles(tmp_path)

    for name, said in (("src", "is a folder"), ("src/", "is a folder"), ("pipe", "no regular")):
        with pytest.raises(ConfigError, match=said):
            await files.read(name)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
async def test_a_file_that_may_not_be_read_says_so(tmp_path: Path) -> None:
    (tmp_path / "own").touch(mode=0)

    with pytest.raises(ConfigError, match="own can't be read: Permission denied"):
        await LocalFiles(tmp_path).read("own")


async def test_a_circle_of_links_says_so(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")

    with pytest.raises(ConfigError, match="loop can't be read"):
        await LocalFiles(tmp_path).read("loop")


async def test_a_folder_lists_its_names_folders_with_a_slash(tmp_path: Path) -> None:
    for name in ("b.py", "A.md", "with blank", ".hidden", 'quo"ted', "new\nline", "bell\a"):
        (tmp_path / name).touch()
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "main.py").touch()
    (tmp_path / "link").symlink_to(tmp_path / "src")
    (tmp_path / "broken").symlink_to(tmp_path / "nowhere")
    files = LocalFiles(tmp_path)

    assert await files.names("") == (
        *(".hidden", "A.md", "b.py", "broken", "link/", "src/", "with blank"),
    )
    assert await files.names("src/") == ("main.py",)
    assert await files.names(f"{tmp_path}/src/") == ("main.py",)


@pytest.mark.parametrize("folder", ["lost/", "a.md/", "a\0b/", "~nobody-here/"])
async def test_a_folder_that_cannot_be_listed_has_no_names(tmp_path: Path, folder: str) -> None:
    (tmp_path / "a.md").touch()

    assert await LocalFiles(tmp_path).names(folder) == ()
