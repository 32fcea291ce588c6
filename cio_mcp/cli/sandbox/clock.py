"""`cio-mcp sandbox clock`: what time it is in a sandbox that is kept, and another time."""

import argparse
import re
import sys
from contextlib import closing
from datetime import datetime
from zoneinfo import ZoneInfo

from cio_mcp.app.build import open_sandbox
from cio_mcp.app.workspace import kept_sandbox
from cio_mcp.errors import SettingsError
from cio_mcp.sandbox.moments import LATEST
from cio_mcp.settings import Settings, load
from cio_mcp.toolkit.times import unix_seconds

SPAN = re.compile(r"\+(\d+)([smhdw])")
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}

# A step further than this is a slip: everything that is due until then is done.
FURTHEST = 10 * 366


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take a time."""
    parser.description = (
        "Show the time in the sandbox that is kept, or move its clock on: everything that is due until then "
        "happens, and is told. All processes that use the sandbox see it at their next request. The file is "
        "that of CIO_SANDBOX_PATH, else the one in the state folder."
    )
    parser.epilog = "examples:\n  cio-mcp sandbox clock +7d\n  cio-mcp sandbox clock 2027-01-31T09:00:00Z"
    parser.add_argument("time", nargs="?", help="+90s, +15m, +6h, +7d or +2w, or a time in ISO 8601")
    stands = parser.add_mutually_exclusive_group()
    stands.add_argument("--frozen", action="store_true", help="let the clock stand")
    stands.add_argument("--running", action="store_true", help="let a clock that stands go on")


def run(asked: argparse.Namespace) -> int:
    """Move the clock as asked, and print what it shows; returns 0."""
    settings = kept_sandbox(load())
    with closing(open_sandbox(settings)) as sandbox:
        clock, now = sandbox.clock, sandbox.clock()
        moment = _moment(asked.time, now, settings) if asked.time else None
        if asked.frozen:
            clock.freeze()
        if asked.running:
            clock.run()
        done = sandbox.workspace.advance(now if moment is None else moment)
        lines = [f"{_shown(clock(), settings)} ({clock.read()})"]
        lines += [f"{count:>6} {kind.replace('_', ' ')}" for kind, count in done.items()]
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


def _moment(text: str, now: float, settings: Settings) -> float:
    """Return the time that is asked for, in unix seconds; raises SettingsError for one that cannot be."""
    try:
        found = SPAN.fullmatch(text.strip())
        moment = now + int(found[1]) * SECONDS[found[2]] if found else unix_seconds(text, settings.timezone)
    except ValueError as error:
        message = f"time: {text} {error}, or a span such as +7d"
        raise SettingsError(message) from None
    if moment < now:
        message = f"time: {text} is over: it is {_shown(now, settings)}, and the clock goes on only"
        raise SettingsError(message)
    if moment > now + FURTHEST * 86_400:
        message = f"time: {text} is too far away: at most {FURTHEST} days at once"
        raise SettingsError(message)
    if moment >= LATEST:
        message = f"time: {text} is too late: a sandbox's time ends at {_shown(LATEST, settings)}"
        raise SettingsError(message)
    return moment


def _shown(moment: float, settings: Settings) -> str:
    return datetime.fromtimestamp(int(moment), ZoneInfo(settings.timezone)).isoformat().replace("+00:00", "Z")
