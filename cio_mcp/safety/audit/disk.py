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
        self._visit: asyncio.Task[None] | None = None

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

    async def synced(self) -> None:
        """Return once everything is on the disk that was written until now; raises OSError."""
        wanted = self._written
        while self._safe < wanted:
            self._visit = self._visit or asyncio.get_running_loop().create_task(self._go())
            await asyncio.shield(self._visit)

    def flush(self, path: Path) -> None:
        """Bring everything to the disk at once, without an event loop; `path` is that of the newest file."""
        if self._safe < self._written:
            self.open(path)  # a visit may have taken it, and cannot be waited for here
            files, self._files = self._files, []
            _bring(files, self._to_disk)
            self._arrived(self._written, self._newest)

    async def _go(self) -> None:
        """Make one visit, in a thread: calls that write nothing go on meanwhile."""
        files, self._files = self._files, []
        written, newest = self._written, self._newest
        try:
            await asyncio.get_running_loop().run_in_executor(None, _bring, files, self._to_disk)
        except OSError as error:
            self._safe = max(self._safe, written)  # whoever waits is told; the next visit would not see it
            _log.error("lines of the audit log are perhaps not on the disk: %s", error.strerror)
            raise
        finally:
            self._visit = None
        self._arrived(written, newest)

    def _arrived(self, written: int, newest: int) -> None:
        self._safe = max(self._safe, written)
        self._reached(newest)


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
