"""One process at Customer.io's real Track limit over stdio: its calls a second, beside a bare SDK server.

    python -m benchmarks.throughput [--seconds 5] [--rounds 7] [--abreast 16]

Both servers answer the same MCP client in turns, with so many calls at once, and make the same httpx call to
the same upstream, which refuses what exceeds the limit. The ratio is the median over pairs of rounds.
"""

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

from benchmarks.strict import strict_server, told

RATE = 1000
TARGET = 0.9

BARE = """
import os
from typing import Any
import httpx
from mcp.server import MCPServer

server = MCPServer("bare", log_level="WARNING")
http = httpx.AsyncClient(base_url=os.environ["CIO_TRACK_URL"], headers={"Authorization": "Basic eDp4"})

@server.tool()
async def track_event(customer_id: str, name: str) -> dict[str, Any]:
    "Track an event."
    answer = await http.post(f"/api/v1/customers/{customer_id}/events", json={"name": name})
    answer.raise_for_status()
    return {"status": "accepted"}

server.run()
"""


@asynccontextmanager
async def served(*command: str, **environ: str) -> AsyncIterator[Client]:
    """Provide a client of a server that is started as a process."""
    parameters = StdioServerParameters(
        command=sys.executable, args=list(command), env=dict(os.environ) | environ
    )
    async with Client(stdio_client(parameters)) as client:
        yield client


async def calls_a_second(client: Client, seconds: float, abreast: int) -> float:
    """Return how many calls a second are answered, with so many of them at once."""
    begun = time.perf_counter()
    answered = 0

    async def work() -> None:
        nonlocal answered
        while time.perf_counter() < begun + seconds:
            result = await client.call_tool("track_event", {"customer_id": "u_1", "name": "measured"})
            assert not result.is_error, result
            answered += 1

    await asyncio.gather(*(work() for _ in range(abreast)))
    return answered / (time.perf_counter() - begun)


async def measure(port: int, folder: str, asked: argparse.Namespace) -> tuple[list[float], list[float]]:
    """Return the calls a second of the bare server and of ours, a figure per round."""
    environ = {
        "CIO_SITE_ID": "x",
        "CIO_TRACK_API_KEY": "x",
        "CIO_TRACK_URL": f"http://127.0.0.1:{port}",
        "CIO_TRACK_RATE": str(RATE),
        "XDG_STATE_HOME": folder,
    }
    bare, ours = list[float](), list[float]()
    async with AsyncExitStack() as stack:
        clients = [
            await stack.enter_async_context(served(*command, **environ))
            for command in (("-c", BARE), ("-m", "cio_mcp"))
        ]
        for turn in range(asked.rounds + 1):
            for client, found in zip(clients, (bare, ours), strict=True):
                figure = await calls_a_second(client, asked.seconds if turn else 1.0, asked.abreast)
                if turn:  # the first round warms up
                    found.append(figure)
    return bare, ours


def main() -> int:
    """Measure and print; returns 1 if what is promised does not hold."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--abreast", type=int, default=16)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, strict_server("local", RATE) as (port, log):
        bare, ours = asyncio.run(measure(port, str(Path(folder)), asked))
    told("a bare SDK server", f"{statistics.median(bare):.0f}/s", "", holds=True)
    ratio = statistics.median(our / their for their, our in zip(bare, ours, strict=True))
    figure = f"{statistics.median(ours):.0f}/s, {ratio:.2f} of it"
    holds = told(
        "cio-mcp at the real Track limit", figure, f"at least {TARGET:g} of bare", holds=ratio >= TARGET
    )
    return int(not (told("refused", str(log.refused), "none", holds=not log.refused) and holds))


if __name__ == "__main__":
    sys.exit(main())
