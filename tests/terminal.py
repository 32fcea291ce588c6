"""`cio-mcp` at a pseudo-terminal of its own, with somebody who answers."""

import os
import pty
import re
import select
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from cio_mcp.cli import main
from tests.processes import FORKS

# Seconds that a screen may take to show what is waited for.
PATIENCE = 30


class Screen:
    """A command that runs at a terminal; `seen` is all that it showed. The end of a `with` kills it."""

    def __init__(self, *arguments: str, **environ: str) -> None:
        self._terminal, slave = pty.openpty()
        where = (os.ttyname(slave), arguments, os.environ | environ | {"COLUMNS": "100"}, Path.cwd())
        self._process = FORKS.Process(target=_run, args=where, daemon=True)
        self._process.start()
        self._slave = slave
        self.seen = ""
        self._read = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._process.kill()
        self._process.join()
        self._process.close()
        os.close(self._terminal)
        os.close(self._slave)

    def until(self, words: str) -> Self:
        """Wait until a text shows behind what was waited for before."""
        end = time.monotonic() + PATIENCE
        while (at := self.seen.find(words, self._read)) < 0:
            assert self._more(end), f"{words!r} does not show:\n{self.seen}"
        self._read = at + len(words)
        return self

    def answer(self, question: str, text: str) -> Self:
        """Type an answer, once the question shows."""
        self.until(question)
        os.write(self._terminal, f"{text}\n".encode())
        return self

    def leave(self, question: str, key: bytes) -> int:
        """Press a key, once the question shows, until the command ends; returns its exit status.

        An interrupt that comes after the question and before it is read for an answer ends no waiting.
        """
        self.until(question)
        end = time.monotonic() + PATIENCE
        while self._process.exitcode is None and time.monotonic() < end:
            os.write(self._terminal, key)
            self._process.join(1)
        return self.status()

    def status(self) -> int:
        """Return the exit status, once there is one."""
        end = time.monotonic() + PATIENCE
        while self._process.exitcode is None:
            self._more(end)
            assert time.monotonic() < end, f"it does not end:\n{self.seen}"
        while self._more(0):
            pass
        return self._process.exitcode

    def _more(self, end: float) -> bool:
        """Read what has been shown since; says whether there was time."""
        ready, _, _ = select.select([self._terminal], [], [], 0.05)
        if ready:
            text = os.read(self._terminal, 65_536).decode()
            self.seen += re.sub(r"\r+\n", "\n", text)
            return True
        return time.monotonic() < end and self._process.exitcode is None


def _run(terminal: str, arguments: Sequence[str], environ: dict[str, str], folder: Path) -> None:
    import sys  # noqa: PLC0415 - its streams are replaced

    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's jobs in the background ignore it
    os.setsid()
    for number in (0, 1, 2):
        opened = os.open(terminal, os.O_RDWR)  # the first is the terminal of the session from now on
        if opened != number:
            os.dup2(opened, number)
            os.close(opened)
    sys.stdin, sys.stdout, sys.stderr = (
        os.fdopen(number, "rww"[number], 1, closefd=False) for number in range(3)
    )
    os.environ.clear()
    os.environ.update(environ)
    os.chdir(folder)
    sys.exit(main(arguments))
