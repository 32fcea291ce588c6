"""The file of the audit log: a chain of lines, which processes share.

Changed, removed, reordered and cut-off lines can be detected. Somebody who can write both the file and its
head can defeat that; against them, keep a copy of the newest hash elsewhere. If the file is moved away, a new
file continues the same chain.
"""

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import Context
from pathlib import Path
from typing import Any

from cio_mcp.files import make_private
from cio_mcp.safety.audit.disk import Disk, sync
from cio_mcp.safety.audit.form import Head, append, digest, dump, newest, read_head, write_head
from cio_mcp.safety.audit.lock import PATIENCE, lock_of, locked

# Seconds until a line for which nobody waits is brought to the disk.
SOON = 0.1


class Chain:
    """The chain at `path`. Raises OSError if it cannot be written.

    A line that was appended outlasts the process at once, and a power cut once it is on the disk; `written`
    is called each time when lines are.
    """

    def __init__(
        self,
        path: Path,
        *,
        patience: float = PATIENCE,
        to_disk: Callable[[int], None] = sync,
        written: Callable[[], None] = lambda: None,
    ) -> None:
        self._path, self._written = path, written
        self._disk = Disk(to_disk, self._reached)
        # The head and the file's size after what this process wrote last: while the file is like that, nobody
        # else has written.
        self._head: Head | None = None
        self._size: int | None = None
        self._due: asyncio.TimerHandle | None = None
        self._settling: asyncio.Task[None] | None = None
        self._most_patience = self._patience = patience
        make_private(path)
        self._lock = lock_of(path)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the lock. After a wait in vain, the next attempts do not wait until one succeeds."""
        patience, self._patience = self._patience, 0
        with locked(self._lock, patience):
            self._patience = self._most_patience
            yield

    def append(self, line: dict[str, Any]) -> None:
        """Append a line; it comes to the disk soon, or at once where no event loop runs."""
        with self.locked():
            file = self._disk.open(self._path)
            before, lost = self._end(file)
            self._size = None
            gap = {"lost": lost} if lost else {}
            text = dump({"number": before.number + 1, **line, **gap, "previous": before.hash})
            size = append(file, text)
            self._disk.wrote(before.number + 1)
            self._head = Head(before.number + 1, digest(text), before.on_disk, os.fstat(file).st_ino)
            write_head(self._path, self._head)
            self._size = size
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self.flush()
        else:
            # Of no call's context: it is for all that is written until then.
            self._due = self._due or loop.call_later(SOON, self._begin_to_settle, context=Context())

    def begin(self) -> asyncio.Future[None]:
        """Begin to bring to the disk what was appended until now.

        Returns what ends once it is there, and raises OSError if it does not come there.
        """
        return self._disk.begin()

    def flush(self) -> None:
        """Bring all that was appended to the disk now."""
        if self._due:
            self._due.cancel()
            self._due = None
        self._disk.flush(self._path)
        self._settle()

    def _begin_to_settle(self) -> None:
        async def settle() -> None:
            with suppress(OSError):  # a head that says less than is true is no fault
                await self.begin()
                self._settle()

        self._due = None
        self._settling = asyncio.get_running_loop().create_task(settle())

    def _settle(self) -> None:
        """Say in the head what is on the disk, unless somebody else has written since."""
        if self._head and self._size:
            with self.locked():
                found = read_head(self._path)
                if found and found.hash == self._head.hash and found != self._head:
                    write_head(self._path, self._head)

    def _reached(self, number: int) -> None:
        if self._head:
            self._head = self._head._replace(on_disk=max(self._head.on_disk, min(number, self._head.number)))
        self._written()

    def _end(self, file: int) -> tuple[Head, int]:
        """Return what to continue from, and how many lines before it were lost.

        A line that is newer than the head counts: its writer crashed before it could update the head. If
        lines are missing that were on the disk, somebody cut them off, and the gap remains.
        """
        found = os.fstat(file)
        if self._head and (self._head.file, self._size) == (found.st_ino, found.st_size):
            return self._head, 0
        number, hash_ = newest(file, found.st_size)
        known = read_head(self._path)
        if known is None or number >= known.number:
            return Head(number, hash_, known.on_disk if known else 0), 0
        moved = known.file and known.file != found.st_ino
        if number >= known.on_disk and not moved:
            return Head(number, hash_, known.on_disk), known.number - number
        return known, 0
