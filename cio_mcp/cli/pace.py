"""`cio-mcp pace`: the limits that this host's processes share, live."""

import argparse
import sqlite3
import sys
import time

from cio_mcp.client.pacing.shared import Shown, look
from cio_mcp.errors import SettingsError
from cio_mcp.workspace import pace_file

# Seconds between two looks.
REFRESH = 0.5


def run(asked: argparse.Namespace) -> int:
    """Print the buckets, again and again on a terminal; returns 0."""
    live = sys.stdout.isatty() and not asked.once
    while True:
        text = table(_look())
        sys.stdout.write(f"\x1b[2J\x1b[H{text}\nCtrl-C ends this.\n" if live else text)
        sys.stdout.flush()
        if not live:
            return 0
        time.sleep(REFRESH)


def _look() -> list[Shown]:
    try:
        return look(pace_file(), time.monotonic())
    except sqlite3.Error as error:
        raise SettingsError(
            f"{pace_file()}: cannot be read: {error}; cio-mcp doctor says what to do"
        ) from None


def table(buckets: list[Shown]) -> str:
    """Return the buckets as text, one a line."""
    if not buckets:
        return f"No process has sent anything yet ({pace_file()}).\n"
    lines = [f"{'limit':<34} {'used':>11} {'waiting':>8} {'held back':>10} {'processes':>10}"]
    for bucket in buckets:
        used = f"{bucket.used} of {bucket.limit}"
        held = f"{bucket.shut:.0f} s" if bucket.shut else "-"
        lines.append(
            f"{bucket.name[:34]:<34} {used:>11} {bucket.waiting:>8} {held:>10} {bucket.processes:>10}"
        )
    return "\n".join(lines) + "\n"
