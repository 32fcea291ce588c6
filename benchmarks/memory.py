"""Whether memory stays flat: clients that come and go by the thousand, and two hours' worth of calls.

    python -m benchmarks.memory [--connects 2000] [--calls 72000]

A real `cio-mcp serve` with tokens, caps, an audit log and masking on, in front of a sandbox in a process of
its own. Every client lists the tools and reads a customer, and every tenth vanishes with a call under way.
36,000 calls are an hour at the App API's limit. The first half of everything warms up. What is judged is what
the process has in use (see `in_use`); what is resident is printed. Needs Linux and glibc.
"""

import argparse
import asyncio
import contextlib
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import httpx2
import uvicorn
from mcp import Client
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client

from benchmarks.strict import SPAWN, told
from cio_mcp.auth.tokens import add
from cio_mcp.cli.ports import listen
from cio_mcp.safety.grant import Grant
from cio_mcp.sandbox import Sandbox

# How a client comes in: the transport, and the era of MCP that it speaks.
WAYS = (("sse", "legacy"), ("http", "legacy"), ("http", "2026-07-28"))
CALLERS, AT_ONCE, SAMPLES = 20, 4, 40

# What counts as flat, in bytes: for each client that came and went, and for each call.
PER_CLIENT, PER_CALL = 512, 32

ADA = {"customer_id": "u_1001"}
CALLS: tuple[tuple[str, dict[str, Any]], ...] = (
    *[("get_customer", ADA)] * 6,
    ("list_campaigns", {}),
    ("track_event", {**ADA, "name": "measured"}),
    ("send_transactional_email", {**ADA, "to": "ada@example.com", "transactional_message_id": 1}),
    ("delete_customer", {"customer_id": "nobody"}),  # answers a preview with a code
    ("get_customer", {"custmer_id": "u_1001"}),
    ("get_customer", {"customer_id": "nobody"}),
)


def upstream(pipe: Connection) -> None:
    """Serve a sandbox without limits on a port; what it remembers of writes is not ours to measure."""
    sandbox = Sandbox()
    listener = listen("127.0.0.1", 0)
    keys = sandbox.credentials
    pipe.send((listener.getsockname()[1], keys.site_id, keys.track_api_key, keys.app_api_key))
    uvicorn.Server(uvicorn.Config(sandbox.app, log_level="error", lifespan="off")).run([listener])


class Memory:
    """What the memory of a process is, in bytes; it runs under `benchmarks.in_use`."""

    def __init__(self, pid: int, told: Path) -> None:
        self._pid, self._told = pid, told

    async def in_use(self) -> int:
        """Return what it has in use."""
        self._told.unlink(missing_ok=True)
        os.kill(self._pid, signal.SIGUSR1)
        while not self._told.exists():  # noqa: ASYNC110 - another process writes it
            await asyncio.sleep(0.001)
        return int(self._told.read_text())

    def resident(self) -> int:
        """Return what the system has given it."""
        return int(Path(f"/proc/{self._pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def serving(folder: str) -> Iterator[tuple[Memory, str, list[str]]]:
    """Run the server under test; yields its memory, its address and its callers' tokens."""
    ours, theirs = SPAWN.Pipe()
    behind = SPAWN.Process(target=upstream, args=(theirs,))
    behind.start()
    port, site_id, track_key, app_key = ours.recv()
    path = Path(folder, "tokens.json")
    shares = [0.5, *[1.0] * (CALLERS - 1)]
    grants = [
        Grant(name=f"caller{n}", rate_share=share, max_sends_per_day=10**6) for n, share in enumerate(shares)
    ]
    tokens = [add(path, grant) for grant in grants]
    environ = {
        name: value for name, value in os.environ.items() if not name.startswith(("CIO_", "CUSTOMERIO_"))
    }
    environ |= {
        "XDG_STATE_HOME": folder,
        "CIO_TOKENS_FILE": str(path),
        "CIO_SITE_ID": site_id,
        "CIO_TRACK_API_KEY": track_key,
        "CIO_APP_API_KEY": app_key,
        **{f"CIO_{api}_URL": f"http://127.0.0.1:{port}" for api in ("TRACK", "APP")},
        **{f"CIO_{name}_RATE": "1000" for name in ("TRACK", "APP", "SEND")},
        "CIO_MAX_SENDS_PER_DAY": "1000000",
        "CIO_AUDIT_LOG": f"{folder}/audit.jsonl",
        "CIO_PII": "mask",
        "PYTHONMALLOC": "malloc",
    }
    told = Path(folder, "in_use")
    command = [sys.executable, "-m", "benchmarks.in_use", str(told), "serve", "--port", "0"]
    process = subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        address = re.search(r"http://[\d.]+:\d+", process.stdout.readline())
        assert address
        yield Memory(process.pid, told), address[0], tokens
    finally:
        process.terminate()
        process.wait()
        behind.kill()
        behind.join()


@asynccontextmanager
async def client(address: str, way: tuple[str, str], token: str) -> AsyncIterator[Client]:
    """Connect one client."""
    transport, era = way
    headers = {"Authorization": f"Bearer {token}"}
    async with AsyncExitStack() as stack:
        if transport == "sse":
            where: Any = sse_client(f"{address}/sse", headers=headers)
        else:
            http = await stack.enter_async_context(httpx2.AsyncClient(headers=headers, timeout=60))
            where = streamable_http_client(f"{address}/mcp", http_client=http)
        yield await stack.enter_async_context(Client(where, mode=era))


async def visit(address: str, way: tuple[str, str], token: str) -> None:
    """Come, list, call, go."""
    async with client(address, way, token) as mcp:
        await mcp.list_tools()
        assert not (await mcp.call_tool("get_customer", ADA)).is_error


async def vanish(address: str, way: tuple[str, str], token: str) -> None:
    """Come, and go in the middle of a call; the SDK's client has its troubles with that."""
    calls: list[asyncio.Task[Any]] = []
    with contextlib.suppress(Exception):
        async with client(address, way, token) as mcp:
            calls.append(asyncio.create_task(mcp.call_tool("get_customer", ADA)))
            await asyncio.sleep(0.001)
    await asyncio.gather(*calls, return_exceptions=True)


class Course:
    """How much memory a process takes, sampled as something is done over and over."""

    def __init__(self, memory: Memory, times: int) -> None:
        self._memory, self._times, self._done = memory, times, 0
        self._in_use: list[tuple[int, int]] = []
        self._resident: list[int] = []

    async def run(self, once: Callable[[int], Awaitable[None]]) -> None:
        """Do it that many times, a few at once."""
        numbers = iter(range(self._times))

        async def work() -> None:
            for number in numbers:
                await once(number)
                self._done += 1
                if self._done % (self._times // SAMPLES) == 0:
                    await self._sample()

        await self._sample()
        await asyncio.gather(*(work() for _ in range(AT_ONCE)))

    async def _sample(self) -> None:
        self._resident.append(self._memory.resident())
        self._in_use.append((self._done, await self._memory.in_use()))

    def tell(self, what: str, most: int) -> bool:
        """Print how memory went, and by how many bytes each time grew what is in use in the second half."""
        slope = statistics.linear_regression(*zip(*self._in_use[SAMPLES // 2 :], strict=True)).slope
        before, middle, after = (self._resident[at] / 1e6 for at in (0, SAMPLES // 2, -1))
        what = f"{self._times} {what}: {before:.1f}, {middle:.1f}, {after:.1f} MB"
        return told(what, f"{slope:+.1f} B each", f"at most {most} B in the second half", holds=slope <= most)


async def measure(connects: int, calls: int, memory: Memory, address: str, tokens: list[str]) -> bool:
    """Measure everything and print it; returns whether it was flat."""
    holds = True
    for way in WAYS:
        course = Course(memory, connects)

        async def once(number: int, way: tuple[str, str] = way) -> None:
            await (vanish if number % 10 == 9 else visit)(address, way, tokens[number % CALLERS])

        await course.run(once)
        holds &= course.tell(f"clients over {' '.join(way)}", PER_CLIENT)
    async with AsyncExitStack() as stack:
        sessions = [
            await stack.enter_async_context(client(address, WAYS[number % len(WAYS)], token))
            for number, token in enumerate(tokens)
        ]

        async def call(number: int) -> None:
            await sessions[number % CALLERS].call_tool(*CALLS[number // CALLERS % len(CALLS)])

        course, begun = Course(memory, calls), time.monotonic()
        await course.run(call)
        rate = calls / (time.monotonic() - begun)
        holds &= course.tell(f"calls, {rate:.0f} a second", PER_CALL)
    return holds


def main() -> int:
    """Measure and print; returns 1 if memory grows."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--connects", type=int, default=2000)
    parser.add_argument("--calls", type=int, default=72_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, serving(folder) as served:
        return int(not asyncio.run(measure(asked.connects, asked.calls, *served)))


if __name__ == "__main__":
    sys.exit(main())
