"""`cio-mcp sandbox clock`: what time it is in a sandbox, and another time."""

import argparse
import signal
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from cio_mcp.cli.sandbox.controls import add_place, control
from cio_mcp.errors import SettingsError
from cio_mcp.sandbox.moments import AHEAD, written
from cio_mcp.settings import load
from cio_mcp.toolkit.arguments.times import unix_seconds

# Seconds after which a move that goes on is told, and can be stopped.
BREATH = 1

# As a shell has it, for what Ctrl-C ended.
STOPPED = 130


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take a time."""
    parser.description = (
        "Show the time in a sandbox, or move its clock forward: everything that is due until then happens, "
        "and is reported. Everybody who uses the sandbox sees the new time at their next request, and until "
        "then its progress. Ctrl-C stops it on the way."
    )
    parser.epilog = "examples:\n  cio-mcp sandbox clock +7d\n  cio-mcp sandbox clock 2027-01-31T09:00:00Z"
    parser.add_argument("time", nargs="?", help="+90s, +15m, +6h, +7d or +2w, or a time in ISO 8601")
    stands = parser.add_mutually_exclusive_group()
    stands.add_argument("--frozen", action="store_true", help="stop the clock")
    stands.add_argument("--running", action="store_true", help="let a stopped clock run again")
    add_place(parser)


def run(asked: argparse.Namespace) -> int:
    """Move the clock as asked, and print what it shows; returns 0, or 130 if it was stopped on the way."""
    zone = ZoneInfo(load().timezone)
    change: dict[str, Any] = {"to": _moment(asked.time, zone)} if asked.time else {}
    if asked.frozen or asked.running:
        change["frozen"] = bool(asked.frozen)
    if not change:
        told, happened, stopped = control(asked, "GET", "clock"), Counter[str](), False
    else:
        told, happened, stopped = _move(asked, change, zone)
    lines = [f"{_shown(told['now'], zone)} ({told['shows']})"]
    lines += [f"{count:>6} {kind.replace('_', ' ')}" for kind, count in sorted(happened.items())]
    sys.stdout.write("\n".join(lines) + "\n")
    if stopped:
        sys.stderr.write(f"cio-mcp: stopped on the way; to continue: cio-mcp sandbox clock {told['to']}\n")
    return STOPPED if stopped else 0


def _move(
    asked: argparse.Namespace, change: dict[str, Any], zone: ZoneInfo
) -> tuple[dict[str, Any], Counter[str], bool]:
    """Move the clock on; returns what it shows then, what happened on the way, and whether it was stopped."""
    happened = Counter[str]()
    with _asked_to_stop() as stop:
        told = control(asked, "POST", "clock", change | {"seconds": BREATH})
        happened.update(told["happened"])
        while not told["reached"] and not stop:
            before = told["now"]
            sys.stderr.write(f"{_shown(before, zone)} on the way to {_shown(told['to'], zone)}\n")
            told = control(asked, "POST", "clock", {"to": told["to"], "seconds": BREATH})
            happened.update(told["happened"])
            if told["now"] < before:
                raise SettingsError(f"the clock was set back meanwhile; it is {_shown(told['now'], zone)}")
        return told, happened, not told["reached"]


@contextmanager
def _asked_to_stop() -> Iterator[list[int]]:
    """Yield a list that is no longer empty once Ctrl-C was pressed."""
    pressed: list[int] = []
    if threading.current_thread() is not threading.main_thread():  # others are told of no signal
        yield pressed
        return
    before = signal.signal(signal.SIGINT, lambda number, _: pressed.append(number))
    try:
        yield pressed
    finally:
        signal.signal(signal.SIGINT, before)


def _moment(text: str, zone: ZoneInfo) -> str:
    """Return the time that is asked for as a control takes it; raises SettingsError for one that is none."""
    if AHEAD.fullmatch(text.strip()):
        return text
    try:
        return written(int(unix_seconds(text, zone.key)))
    except (ValueError, OverflowError) as error:
        message = f"time: {text} {error}, or a span such as +7d"
        raise SettingsError(message) from None


def _shown(moment: str, zone: ZoneInfo) -> str:
    return datetime.fromisoformat(moment).astimezone(zone).isoformat().replace("+00:00", "Z")
