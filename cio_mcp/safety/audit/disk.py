"""Brings written lines to the disk, for all who wait for that at once."""

import asyncio
import logging
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

# On Windows line ends would else be changed.
BINARY = getattr(os, "O_BINARY", 0)

_log = logging.getLogger(__name__)


class Disk:
    """Files that are open as long as they have lines which are not on the disk.

    `to_disk` brings an open file there; `reached` is told the number of the newest line that is.
    """

    def __init__(self, to_disk: Callable[[int], None], reached: Callable[[int], None]) -> None:
        self._to_disk, self._reached = to_disk, reached
        self._files: list[int] = []
        self._newest = 0
        self._written = self._safe = 0  # how many times something was written, and how many are on the disk
        self._waiting: list[asyncio.Future[None]] = []
        self._visits: asyncio.Task[None] | None = None

    def open(self, path: Path) -> int:
        """Return an open file to write to, which is created if it was moved away."""
        if self._files:
            with suppress(FileNotFoundError):
                if os.path.samestat(path.stat(), os.fstat(self._files[-1])):
                    return self._files[-1]
        if self._safe == self._written:  # nothing could be written to these: whoever removed them needs room
            files, self._files = self._files, []
            _close(files)
        self._files.append(os.open(path, os.O_RDWR | os.O_CREAT | BINARY, 0o600))
        return self._files[-1]

    def wrote(self, number: int) -> None:
        """Note that the line with this number was written to the file that was opened last."""
        self._written += 1
        self._newest = number

    def begin(self) -> asyncio.Future[None]:
        """Begin to bring to the disk what was written until now.

        Returns what ends once it is there, and raises OSError if it does not come there.
        """
        loop = asyncio.get_running_loop()
        coming = loop.create_future()
        coming.add_done_callback(_noticed)
        if self._safe == self._written:
            coming.set_result(None)
        else:
            self._waiting.append(coming)
            self._visits = self._visits or loop.create_task(self._visit())
        return coming

    def flush(self, path: Path) -> None:
        """Bring everything to the disk at once, without an event loop; `path` is that of the newest file."""
        if self._safe < self._written:
            self.open(path)  # a visit may have taken it, and cannot be waited for here
            files, self._files = self._files, []
            _bring(files, self._to_disk)
            self._arrived(self._written, self._newest)

    async def _visit(self) -> None:
        """Visit the disk as long as anybody waits, in a thread: calls go on meanwhile."""
        while waiting := self._waiting:
            files, self._files, self._waiting = self._files, [], []
            written, newest = self._written, self._newest
            error = None
            try:
                await asyncio.get_running_loop().run_in_executor(None, _bring, files, self._to_disk)
                self._arrived(written, newest)
            except Exception as failed:
                error = failed if isinstance(failed, OSError) else OSError(0, str(failed))
                self._safe = max(self._safe, written)  # the next visit would not see it: who waits is told
                _log.error("lines of the audit log are perhaps not on the disk: %s", error.strerror)
            for coming in waiting:
                if not coming.done():
                    coming.set_exception(error) if error else coming.set_result(None)
        self._visits = None

    def _arrived(self, written: int, newest: int) -> None:
        self._safe = max(self._safe, written)
        self._reached(newest)


def _noticed(coming: asyncio.Future[None]) -> None:
    """Take what was raised: who began may wait for it no more."""
    if not coming.cancelled():
        coming.exception()


def sync(file: int) -> None:
    """Make the system bring an open file to the disk, with what is needed to read it."""
    getattr(os, "fdatasync", os.fsync)(file)


def _bring(files: list[int], to_disk: Callable[[int], None]) -> None:
    try:
        for file in files:
            to_disk(file)
    finally:
        _close(files)


def _close(files: list[int]) -> None:
    for file in files:
        os.close(file)
