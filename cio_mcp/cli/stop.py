"""`cio-mcp stop` and `cio-mcp resume`: halt everything that acts, in all servers that share with this one."""

import argparse
import asyncio
import sys
import time

from cio_mcp.app.workspace import shared_store
from cio_mcp.errors import NotAllowed
from cio_mcp.settings import Settings, load


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take none."""
    parser.description = (
        "`cio-mcp stop` halts all writes, deletions and sends at once, in every server of yours on this "
        "host, or in all replicas if CIO_SHARED_PACE names a Redis; reads go on. `cio-mcp resume` allows all "
        "of it again. Run both with the servers' settings. Exit status: 0 done, 1 they could not be told."
    )


def run(asked: argparse.Namespace) -> int:
    """Stop, or let go on; returns 0, or 1 if others cannot be told, or have stopped too."""
    settings = load()
    stop = asked.command == "stop"
    try:
        place, stopped_by, scheduled = asyncio.run(_tell(settings, stop=stop))
    except NotAllowed as error:
        sys.stderr.write(f"cio-mcp: {error}\n")
        return 1
    if stop:
        sys.stdout.write(
            f"Stopped: no server that shares {place} writes, deletes or sends until cio-mcp resume.\n"
        )
        if scheduled:
            lines = "\n".join(scheduled)
            sys.stdout.write(
                f"Scheduled before, and still going out unless cancelled in Customer.io:\n{lines}\n"
            )
        return 0
    if stopped_by:
        sys.stderr.write(
            f"cio-mcp: your own stop is lifted, but others remain: {stopped_by}. Each is lifted by who made "
            f'it, and all of them by: redis-cli SET "{{cio-mcp:}}:stop" 0\n'
        )
        return 1
    sys.stdout.write(f"The servers that share {place} may write, delete and send again.\n")
    if settings.stop_file and settings.stop_file.exists():
        sys.stdout.write(
            f"{settings.stop_file} (CIO_STOP_FILE) is still there, and stops those that look for it.\n"
        )
    return 0


async def _tell(settings: Settings, *, stop: bool) -> tuple[str, str, list[str]]:
    store = shared_store(settings, time.time)
    try:
        return store.place, await store.stop(stop), await store.scheduled() if stop else []
    finally:
        await store.aclose()
