"""The journal of a load: what has left, and how it ended, so that an interrupted load goes on where it was.

A line `begins` is on the disk before a part's first request leaves. A line `ends` has its outcome: it is
written at once, and is on the disk before the next part leaves. A part without its end is sent again, with
the same ids.
"""

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cio_mcp.app.workspace import state_folder
from cio_mcp.errors import SettingsError


@contextmanager
def only_here(path: Path | None) -> Iterator[None]:
    """Keep this user's other processes from a load with the same journal.

    Raises SettingsError if one is under way.
    """
    if path is None:
        yield
        return
    from filelock import FileLock, Timeout  # noqa: PLC0415 - only where there is a journal

    # Not beside the journal: a lock's file stays, since to remove it would let two processes have it.
    name = hashlib.sha256(str(path.resolve()).encode(errors="surrogateescape")).hexdigest()[:16]
    lock = FileLock(state_folder() / f"load-{name}.lock", mode=0o600, fallback_to_soft=False)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        raise SettingsError(f"{path}: another cio-mcp load of it is running: wait until it ends") from None
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}") from None
    try:
        yield
    finally:
        lock.release()


@dataclass
class Progress:
    """How far a load is: rows that are settled, and how they ended."""

    rows: int = 0
    accepted: int = 0
    repeated: int = 0
    refused: int = 0
    rejects: int = 0  # bytes of the file of rejected rows


@dataclass
class Journal:
    """A journal at `path`; `facts` are what the load was begun with, and `done` says that it has ended."""

    path: Path | None
    facts: dict[str, Any] = field(default_factory=dict)
    progress: Progress = field(default_factory=Progress)
    done: bool = False

    @classmethod
    def read(cls, path: Path | None) -> "Journal":
        """Return the journal that is there, or an empty one; a torn last line is as if it were not there."""
        journal = cls(path)
        try:
            lines = path.read_bytes().splitlines(keepends=True) if path else []
        except FileNotFoundError:
            lines = []
        except OSError as error:
            raise SettingsError(f"{path}: {error.strerror}") from None
        torn = lines.pop() if lines and not lines[-1].endswith(b"\n") else b""
        number = 0
        try:
            for number, line in enumerate(lines, 1):  # noqa: B007 - the refusal names it
                journal._take(json.loads(line))
            number += 1
            journal._check_torn(torn)
        except (ValueError, TypeError, KeyError):
            raise SettingsError(
                f"{path}: line {number} does not belong to a journal of this program"
            ) from None
        if path and torn:
            with path.open("r+b") as file:
                file.truncate(sum(map(len, lines)))
        return journal

    def _check_torn(self, line: bytes) -> None:
        """Raise ValueError for a line without an end that does not begin as one of a journal.

        Where the power fails a file can end in zeros, in place of what was not on the disk yet.
        """
        line = line.rstrip(b"\0")
        known = ("begins", "ends", "done") if self.facts else ("load",)
        if not any(f'{{"{word}"'.encode().startswith(line[: len(word) + 3]) for word in known):
            raise ValueError

    def _take(self, line: dict[str, Any]) -> None:
        match line:
            case {"load": {"file": _} as facts}:
                self.facts = facts
            case _ if not self.facts:
                raise ValueError
            case {"ends": progress}:
                self.progress = Progress(**progress)
            case {"done": bool()}:
                self.done = True
            case {"begins": _}:
                pass
            case _:
                raise ValueError

    def start(self, facts: dict[str, Any]) -> None:
        """Begin a load; raises OSError, as the others do."""
        self.facts = facts
        self._write({"load": facts}, "wb")

    def begins(self, rows: list[int]) -> None:
        """Note the numbers of the first and last row of a part that is about to leave."""
        self._write({"begins": rows})

    def ends(self, progress: Progress) -> None:
        """Note how far the load is once a part is settled."""
        self._write({"ends": progress.__dict__}, synced=False)
        self.progress = progress

    def finish(self) -> None:
        """Note that the load has ended."""
        self._write({"done": True})
        self.done = True

    def _write(self, line: dict[str, Any], mode: str = "ab", *, synced: bool = True) -> None:
        if self.path is None:
            return
        descriptor = os.open(
            self.path, os.O_WRONLY | os.O_CREAT | (os.O_TRUNC if mode == "wb" else os.O_APPEND), 0o600
        )
        with open(descriptor, mode) as file:  # noqa: PTH123 - it is open already
            file.write(json.dumps(line).encode() + b"\n")
            file.flush()
            if synced:
                os.fsync(descriptor)
