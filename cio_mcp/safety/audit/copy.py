"""A copy of the audit log that leaves the host: what cannot be sent now is sent later.

The log itself is the buffer. Beside it is how far it has been copied, so nothing is lost while the receiver
is away, and no call waits for it. After a crash the last lines may be sent twice; they are numbered.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from cio_mcp.client.collector import NotTaken
from cio_mcp.files import replace
from cio_mcp.safety.audit.form import TORN, digest
from cio_mcp.safety.audit.lock import companion

if TYPE_CHECKING:
    from filelock import FileLock

# At most so many bytes are sent at once.
BATCH = 256 * 1024

# Seconds until the next attempt: after one that failed, twice as many each time, up to the second.
PAUSE, LONGEST_PAUSE = 1.0, 60.0

# Seconds in which the last lines may still leave when the server stops.
LAST = 2.0

_log = logging.getLogger(__name__)


class Copier:
    """Sends the lines of the log at `path` that have not been sent, in order, in the background.

    `send` raises NotTaken. Of several processes that share a log one sends at a time. `trouble` tells an
    operator why it lags behind, empty while it does not.
    """

    def __init__(self, path: Path, send: Callable[[bytes], Awaitable[None]]) -> None:
        self._path, self._send = path, send
        self._running: asyncio.Task[None] | None = None
        self._lock: FileLock | None = None
        self._closed = False
        self.trouble = ""

    def wake(self) -> None:
        """Begin to send, unless that is going on; does nothing once closed, or where no event loop runs."""
        if not self._closed and (self._running is None or self._running.done()):
            with suppress(RuntimeError):
                loop = asyncio.get_running_loop()
                self._running = loop.create_task(self._run())

    async def aclose(self) -> None:
        """Let the last lines leave, and stop; what is left is sent by the next process that opens the log."""
        self.wake()
        self._closed = True
        if self._running:
            await asyncio.wait([self._running], timeout=LAST)
            self._running.cancel()
            await asyncio.wait([self._running])

    async def _run(self) -> None:
        try:
            await self._catch_up()
        finally:
            if self._lock:
                self._lock.release()

    async def _catch_up(self) -> None:
        pause = PAUSE
        while self._has_more():
            try:
                if self._takes_turn():
                    await self._send_next()
                    self.trouble, pause = "", PAUSE
                    continue
            except (NotTaken, OSError) as error:
                why = error.strerror if isinstance(error, OSError) else error
                if not self.trouble:
                    _log.warning("the copy of the audit log lags behind: %s", why)
                self.trouble = f"the copy of the audit log lags behind: {why}"
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    def _takes_turn(self) -> bool:
        from filelock import FileLock, Timeout  # noqa: PLC0415 - only where a log is kept

        self._lock = self._lock or FileLock(companion(self._path, "copied.lock"), mode=0o600)
        if not self._lock.is_locked:
            try:
                self._lock.acquire(0)
            except Timeout:
                return False
        return True

    def _has_more(self) -> bool:
        path, at = self._next()
        with suppress(OSError):
            return path is not None and path.stat().st_size > at
        return False

    async def _send_next(self) -> None:
        path, at = self._next()
        if path is None:
            return
        with path.open("rb") as log:
            log.seek(at)
            found = log.read(BATCH)
            if b"\n" not in found:
                found += log.readline()
        whole = found[: found.rfind(b"\n") + 1]
        if not at:
            self._note(path, 0, "")  # to be found again, if it is moved away before anybody takes it
        if whole:
            await self._send(whole)
        # An end that is not whole is on its way, or was torn: whoever writes next ends it.
        lines = [line for line in whole.splitlines(keepends=True) if not line.endswith(TORN)]
        self._note(path, at + len(whole), digest(lines[-1]) if lines else self._copied()[2])
        if not whole:
            await asyncio.sleep(PAUSE)

    def _next(self) -> tuple[Path | None, int]:
        """Return the file to go on with, and where: what was moved away comes first, each part to its end."""
        file, at, newest = self._copied()
        try:
            if _is(self._path, file, at):
                return self._path, at
            parts = [path for path in self._path.parent.iterdir() if path.is_file()]
            for path in parts:
                if _is(path, file, at) and path.stat().st_size > at:
                    return path, at
            for path in parts:
                if newest and _previous(path) == newest:
                    return path, 0
        except OSError:
            return None, 0
        return self._path, 0

    def _note(self, path: Path, at: int, newest: str) -> None:
        """Keep how far the log has been copied, and the hash of the last line, which the next one has too."""
        done = {"file": path.stat().st_ino, "at": at, "newest": newest}
        replace(companion(self._path, "copied"), json.dumps(done).encode() + b"\n", durable=False)

    def _copied(self) -> tuple[int, int, str]:
        try:
            found = json.loads(companion(self._path, "copied").read_text(encoding="utf-8"))
            return int(found["file"]), int(found["at"]), str(found.get("newest", ""))
        except (OSError, ValueError, KeyError, TypeError):
            return 0, 0, ""


def _is(path: Path, file: int, at: int) -> bool:
    """Return whether a path leads to a file that has been copied up to `at`: a new one may get its number."""
    found = path.stat()
    return found.st_ino == file and found.st_size >= at


def _previous(path: Path) -> str | None:
    """Return the hash that the first line of a log has for the line before; None for any other file."""
    with suppress(OSError, ValueError, KeyError, TypeError), path.open("rb") as log:
        while (line := log.readline(BATCH)).endswith(TORN):
            pass
        return str(json.loads(line)["previous"])
    return None
