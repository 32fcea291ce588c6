"""`cio-mcp` as a process of its own that starts at once: a fork of one that has imported everything.

Importing the SDK takes a second, of which most tests learn nothing. That `python -m cio_mcp` starts is tried
in cli/test_main.py, and by the SDK's own client over stdio in transports/test_transports.py.
"""

import atexit
import multiprocessing
import os
import signal
import sys
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Self

from cio_mcp.cli import main
from tests.measuring import for_forks, measure

if sys.platform != "win32":  # where no test that starts a process is run
    FORKS = multiprocessing.get_context("forkserver")
    # This module too, or each fork would import it anew, and pytest with it, in 0.3 s.
    FORKS.set_forkserver_preload(["__main__", "tests.preloaded", "tests.processes"])


class Command:
    """A command of `cio-mcp` that runs, with its three streams as text; the end of a `with` kills it.

    What it has in common with `subprocess.Popen` has the same names.
    """

    def __init__(self, *arguments: str, **environ: str) -> None:
        stdin, to_stdin = FORKS.Pipe(duplex=False)
        from_stdout, stdout = FORKS.Pipe(duplex=False)
        from_stderr, stderr = FORKS.Pipe(duplex=False)
        where = (os.environ | environ, Path.cwd(), for_forks())
        self._process = FORKS.Process(
            target=_run, args=((stdin, stdout, stderr), arguments, *where), daemon=True
        )
        self._process.start()
        for pipe in (stdin, stdout, stderr):
            pipe.close()
        self.stdin = os.fdopen(_only(to_stdin), "w")
        self.stdout = os.fdopen(_only(from_stdout))
        self.stderr = os.fdopen(_only(from_stderr))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._process.kill()
        self._process.join()
        self._process.close()
        for stream in (self.stdin, self.stdout, self.stderr):
            stream.close()

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal."""
        assert self._process.pid
        os.kill(self._process.pid, number)

    def wait(self, timeout: float = 20) -> int:
        """Return the exit status, once there is one; negative if a signal ended it."""
        self._process.join(timeout)
        assert self._process.exitcode is not None, "it still runs"
        return self._process.exitcode


def _only(pipe: Connection) -> int:
    """Return a descriptor for what a pipe leads to, in its place."""
    with pipe:
        return os.dup(pipe.fileno())


def _run(
    streams: Sequence[Connection],
    arguments: Sequence[str],
    environ: dict[str, str],
    folder: Path,
    measured: str,
) -> None:
    for number, stream in enumerate(streams):
        os.dup2(stream.fileno(), number)
        stream.close()
    # Those of the process that it was forked from led elsewhere.
    sys.stdin, sys.stdout, sys.stderr = (
        os.fdopen(number, "rww"[number], 1, closefd=False) for number in range(3)
    )
    os.environ.clear()
    os.environ.update(environ)
    os.chdir(folder)
    measure(measured)
    try:
        sys.exit(main(arguments))
    finally:
        atexit._run_exitfuncs()  # as any program does, but multiprocessing does not
