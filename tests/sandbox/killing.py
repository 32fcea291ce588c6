"""Does something to a sandbox's file in processes that are killed on the way, and tells what is left.

    python -m tests.sandbox.killing restore FOLDER

A line of JSON tells what the file holds before and after it, as digests of its export. One for each kill
tells what the file holds then, what each of its points takes it back to, and what it holds after the same is
done again.
"""

import hashlib
import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from cio_mcp.sandbox import Sandbox
from cio_mcp.sandbox.state import copies
from tests.planted import START, a_sandbox
from tests.sandbox.test_migration import an_old_file

KILLS = 5

# Some come after the end: processes take longer than the first, which nobody kills.
SPREAD = 1.5
DAY = 86_400


def opened(path: Path) -> Sandbox:
    return Sandbox(path, clock=lambda: START)


def ask(path: Path, method: str, control: str, body: Any = None) -> Any:
    with closing(opened(path)) as sandbox:
        return sandbox.control(method, f"/_sandbox/{control}", body)


def advance(path: Path) -> None:
    with closing(opened(path)) as sandbox:
        sandbox.workspace.advance(START + 60 * DAY)


DONE: dict[str, Callable[[Path], Any]] = {
    "restore": lambda path: ask(path, "POST", "points/1"),
    "migrate": lambda path: opened(path).close(),
    "advance": advance,
}


def begin(what: str, path: Path) -> None:
    """Make a file to which something can be done."""
    if what == "migrate":
        an_old_file(path)
        return
    a_sandbox(lambda: START, path=path).close()
    ask(path, "POST", "points", {"name": "start"})
    with closing(opened(path)) as sandbox, sandbox.workspace.transaction():
        for number in range(30):
            write = {"identifier": f"p{number}", "body": {"email": f"p{number}@example.com", "plan": "trial"}}
            sandbox.workspace.accept("identify", write)
            sandbox.workspace.accept("event", {"identifier": f"p{number}", "body": {"name": "signed_up"}})


def held(path: Path) -> str:
    """Return a digest of all that a file holds."""
    text = copies.written(ask(path, "GET", "export"))
    with closing(opened(path)) as sandbox:
        assert sandbox.workspace.rows("PRAGMA integrity_check")[0][0] == "ok"
    return hashlib.sha256(text.encode()).hexdigest()


def of_points(path: Path) -> dict[str, str]:
    """Return a digest of what each point of a file takes it back to."""
    found = {}
    for point in ask(path, "GET", "points")["points"]:
        other = path.with_name("other.db")
        shutil.copy(path, other)
        ask(other, "POST", f"points/{point['number']}")
        found[point["name"]] = held(other)
    return found


def killed(do: Callable[[Path], Any], path: Path, after: float) -> bool:
    """Do something in a process that is killed after so many seconds; say whether it was."""
    sys.stdout.flush()
    process = os.fork()
    if not process:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)  # which ends it at once, as SIGKILL does
        signal.setitimer(signal.ITIMER_REAL, after)
        do(path)
        os._exit(0)
    return os.WIFSIGNALED(os.waitpid(process, 0)[1])


def tell(found: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(found) + "\n")


def main(what: str, folder: str) -> None:
    first, path = Path(folder) / "first.db", Path(folder) / "sandbox.db"
    begin(what, first)
    do, started = DONE[what], time.perf_counter()
    shutil.copy(first, path)
    do(path)
    taken, after = time.perf_counter() - started, held(path)
    shutil.copy(first, path.with_name("other.db"))
    tell({"before": held(path.with_name("other.db")), "after": after})
    for kill in range(KILLS):
        for left in Path(folder).glob("sandbox.db*"):
            left.unlink()
        shutil.copy(first, path)
        dead = killed(do, path, taken * SPREAD * (kill + 0.5) / KILLS)
        found = {"killed": dead, "held": held(path), "points": of_points(path)}
        do(path)
        tell(found | {"again": held(path)})


if __name__ == "__main__":
    main(*sys.argv[1:])
