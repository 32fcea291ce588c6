"""Events from a file by `cio-mcp load`, beside `track_event` for each over stdio and the official SDK's loop.

    python -m benchmarks.bulk [--rows 1000000] [--single 2000]

All of them send to one sink on loopback that answers at once, each in a process of its own, after the other.
Prints rows a second, and rows a second of processor time, which tells more where the machine is busy; the
ratios of both (targets: 50 and 8 times), and the memory of the load at each tenth. The SDK's loop is left out
where the package customerio is not installed. 10,000 rows also go in one call of `track_events` over stdio.
"""

import argparse
import asyncio
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from benchmarks.throughput import served

CALLS_AT_ONCE = 16

SDK = """
import sys
from customerio import CustomerIO
cio = CustomerIO("site", "key", use_connection_pooling=True)
cio.base_url = f"http://127.0.0.1:{sys.argv[1]}/api/v1"
for number in range(int(sys.argv[2])):
    data = {"order_id": f"o{number}", "total": number % 100}
    cio.track(customer_id=f"c{number % 5000}", name="order", data=data)
"""

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer every request on a connection."""
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(
                int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0] or 0)
            )
            writer.write(ANSWER)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


@asynccontextmanager
async def sink() -> AsyncIterator[int]:
    """Serve on a free port in this process; yields it."""
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield int(server.sockets[0].getsockname()[1])


def environ(port: int, folder: str) -> dict[str, str]:
    """Return the settings of what sends to the sink."""
    return os.environ | {
        "CIO_SITE_ID": "site",
        "CIO_TRACK_API_KEY": "key",
        "CIO_TRACK_URL": f"http://127.0.0.1:{port}",
        "CIO_TRACK_RATE": "1000",
        "XDG_STATE_HOME": folder,
    }


def resident(process: int) -> float:
    """Return the memory that a process holds, in MB."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


@dataclass
class Rate:
    """Rows a second, and rows a second of the processor time of the processes that sent them."""

    wall: float
    cpu: float

    def __str__(self) -> str:
        return f"{self.wall:9,.0f} rows a second, {self.cpu:9,.0f} a second of CPU"


class Timing:
    """Measures from now on what processes take that end before `rate` is asked for."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), self._spent()

    @staticmethod
    def _spent() -> float:
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime

    def rate(self, rows: int, seconds: float | None = None) -> Rate:
        """Return the rate of so many rows; of wall time `seconds` count, if they were measured."""
        took = time.perf_counter() - self._wall
        return Rate(rows / (seconds or took), rows / (self._spent() - self._cpu))


async def loaded(port: int, folder: str, rows: int) -> tuple[Rate, list[float]]:
    """Load a file; returns its rate, and MB at each tenth of the time that it took."""
    path = Path(folder) / "events.csv"
    with path.open("w") as file:
        file.write("customer_id,name,timestamp,order_id,total,sku\n")
        for number in range(rows):
            day = number % 28 + 1
            who, total = f"c{number % 5000}", f"{number % 100}.5"
            file.write(f"{who},order,2026-03-{day:02}T09:30:00Z,o{number},{total},s{number % 300}\n")
    command = [sys.executable, "-m", "cio_mcp", "load", str(path), "--as", "events", "--yes"]
    timing = Timing()
    process = await asyncio.create_subprocess_exec(
        *command, "--unique", "order_id", env=environ(port, folder), stderr=subprocess.DEVNULL
    )
    memory = []
    while process.returncode is None:
        memory.append(resident(process.pid))
        try:
            await asyncio.wait_for(process.wait(), 0.5)
        except TimeoutError:
            continue
    assert process.returncode == 0, process.returncode
    return timing.rate(rows), memory[:: max(1, len(memory) // 10)]


async def called(port: int, folder: str, count: int) -> Rate:
    """Call `track_event` for each row over stdio; the processor time is with the server's start."""
    timing = Timing()
    async with served("-m", "cio_mcp", **environ(port, folder)) as client:
        numbers = iter(range(count))

        async def work() -> None:
            for number in numbers:
                data = {"order_id": f"o{number}", "total": number % 100}
                arguments = {"customer_id": f"c{number % 5000}", "name": "order", "data": data}
                assert not (await client.call_tool("track_event", arguments)).is_error

        begun = time.perf_counter()
        await asyncio.gather(*(work() for _ in range(CALLS_AT_ONCE)))
        took = time.perf_counter() - begun
    return timing.rate(count, took)


async def many(port: int, folder: str) -> tuple[float, int]:
    """Call `track_events` once with 10,000 rows over stdio; returns seconds, and bytes of the answer."""
    async with served("-m", "cio_mcp", **environ(port, folder)) as client:
        rows = [
            {"customer_id": f"c{n}", "name": "order", "order_id": n, "total": n % 100} for n in range(10_000)
        ]
        begun = time.perf_counter()
        result = await client.call_tool("track_events", {"rows": rows, "unique": ["order_id"]})
        took = time.perf_counter() - begun
        assert not result.is_error, result.content
        return took, len(json.dumps([content.model_dump() for content in result.content]))


async def looped(port: int, count: int) -> Rate | None:
    """Run the SDK's loop; returns its rate, None where it is not installed."""
    if find_spec("customerio") is None:
        return None
    timing = Timing()
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", SDK, str(port), str(count))
    assert await process.wait() == 0
    return timing.rate(count)


def compared(rate: Rate, other: Rate) -> str:
    """Return how many times as fast the load is, by either time."""
    return f"{rate.wall / other.wall:.1f} and {rate.cpu / other.cpu:.1f} times"


async def main(rows: int, single: int) -> None:
    """Measure, and print a table."""
    with tempfile.TemporaryDirectory() as folder:
        async with sink() as port:
            calls = await called(port, folder, single)
            took, size = await many(port, folder)
            sdk = await looped(port, single)
            rate, memory = await loaded(port, folder, rows)
    print(f"cio-mcp load             {rate} ({rows:,} rows, start included)")
    print(f"track_event over stdio   {calls}: {compared(rate, calls)}")
    if sdk:
        print(f"official SDK's loop      {sdk}: {compared(rate, sdk)}")
    print(f"memory at each tenth     {', '.join(f'{each:.0f}' for each in memory)} MB")
    print(f"10,000 rows in one call  {took:8.2f} s, {size} bytes to read")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--single", type=int, default=2000)
    asked = parser.parse_args()
    asyncio.run(main(asked.rows, asked.single))
