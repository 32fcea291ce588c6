"""`cio-mcp pace`: the limits that this host's processes share, or all replicas, live."""

import argparse
import asyncio
import sqlite3
import sys
import time
from collections.abc import Callable

from pydantic import SecretStr

from cio_mcp.app.workspace import pace_file
from cio_mcp.client.pacing import SharedBucket
from cio_mcp.client.pacing.bucket_file import look
from cio_mcp.errors import SettingsError
from cio_mcp.settings import load

# Seconds between two looks.
REFRESH = 0.5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take how often to print it."""
    parser.description = (
        "Show how much of each of Customer.io's limits is used by the processes that share them: yours on "
        "this host, or all replicas if CIO_SHARED_PACE names a Redis. On a terminal it goes on until Ctrl-C."
    )
    parser.add_argument("--once", action="store_true", help="print it once")


def run(asked: argparse.Namespace) -> int:
    """Print the buckets, again and again on a terminal; returns 0."""
    live = sys.stdout.isatty() and not asked.once
    place, look_again = _through(load().shared_pace)
    while True:
        buckets = look_again()
        text = table(buckets) if buckets else f"No process has sent anything yet ({place}).\n"
        sys.stdout.write(f"\x1b[2J\x1b[H{text}\nCtrl-C ends this.\n" if live else text)
        sys.stdout.flush()
        if not live:
            return 0
        time.sleep(REFRESH)


def _through(sharing: str | SecretStr) -> tuple[str, Callable[[], list[SharedBucket]]]:
    """Return what the limits are shared through, Redis or this host's file, and how to look into it."""
    if not isinstance(sharing, SecretStr):
        return str(pace_file()), _look_into_file
    from cio_mcp.client.pacing.redis_buckets import RedisBuckets  # noqa: PLC0415 - needs the extra
    from cio_mcp.databases.redis import RedisAway  # noqa: PLC0415

    buckets = RedisBuckets(sharing)
    server = buckets.server

    async def look_into_it() -> list[SharedBucket]:
        try:
            return await buckets.look()
        except RedisAway as away:
            message = f"CIO_SHARED_PACE: Redis at {server.place} cannot be used ({away})"
            raise SettingsError(message) from None
        finally:
            await server.aclose()

    return server.place, lambda: asyncio.run(look_into_it())


def _look_into_file() -> list[SharedBucket]:
    try:
        return look(pace_file(), time.monotonic())
    except sqlite3.Error as error:
        raise SettingsError(
            f"{pace_file()}: cannot be read: {error}; cio-mcp doctor says what to do"
        ) from None


def table(buckets: list[SharedBucket]) -> str:
    """Return the buckets as text, one a line."""
    lines = [f"{'limit':<34} {'used':>11} {'waiting':>8} {'held back':>10} {'processes':>10}"]
    for bucket in buckets:
        used = f"{bucket.used} of {bucket.limit}"
        held = f"{bucket.shut:.0f} s" if bucket.shut else "-"
        lines.append(
            f"{bucket.name[:34]:<34} {used:>11} {bucket.waiting:>8} {held:>10} {bucket.processes:>10}"
        )
    return "\n".join(lines) + "\n"
