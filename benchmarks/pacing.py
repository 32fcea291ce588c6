"""How much of a limit is used, and how often it is exceeded, by 1, 4 and 8 processes of one host.

    python benchmarks/pacing.py [--seconds 12] [--processes 1 4 8] [--jitter local internet wifi] [--runs 1]

The server is a process of its own: it admits at most 100 requests in any one second, by the time of their
arrival, and refuses all others with 429. Jitter delays a request before it arrives. The clients are
saturated: each process keeps more calls waiting than the limit admits, through the product's own client,
over real sockets.
"""

import argparse
import asyncio
import json
import multiprocessing
import random
import statistics
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

from cio_mcp.client import CustomerIO, Kind, TrackApi
from cio_mcp.client.access import Access
from cio_mcp.client.network import Network
from cio_mcp.client.pacing import Limits, MemorySlots
from cio_mcp.client.pacing.shared import FileSlots
from cio_mcp.errors import CustomerIOError

LIMIT, WINDOW = 100, 1.0

JITTER: dict[str, Callable[[], float]] = {
    "local": lambda: 0.0,
    "internet": lambda: random.lognormvariate(-6.2, 0.6),  # about 2 ms
    "wifi": lambda: random.expovariate(125) + (0.1 if random.random() < 0.01 else 0.0),
}


def serve(pipe: Connection, jitter: str) -> None:
    """Run the strict server until the pipe says stop; then tell when each request came, and if it got in."""
    asyncio.run(_serve(pipe, JITTER[jitter]))


async def _serve(pipe: Connection, delay: Callable[[], float]) -> None:
    window: deque[float] = deque()
    log: list[tuple[float, bool]] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0] or 0)
                await reader.readexactly(length)
                if (pause := delay()) > 0:
                    await asyncio.sleep(pause)
                now = time.monotonic()
                while window and window[0] <= now - WINDOW:
                    window.popleft()
                admitted = len(window) < LIMIT
                if admitted:
                    window.append(now)
                log.append((now, admitted))
                status = b"200 OK" if admitted else b"429 Too Many Requests"
                writer.write(b"HTTP/1.1 " + status + b"\r\ncontent-length: 2\r\n\r\n{}")
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    pipe.send(server.sockets[0].getsockname()[1])
    await asyncio.to_thread(pipe.recv)
    pipe.send(log)


def saturate(port: int, path: str | None, seconds: float, workers: int) -> None:
    """Send events as fast as the pace lets them, for so many seconds."""
    asyncio.run(_saturate(port, path, seconds, workers))


async def _saturate(port: int, path: str | None, seconds: float, workers: int) -> None:
    access = Access("track", f"http://127.0.0.1:{port}", "Basic eDp4", region=None, workspace="benchmark")
    client = CustomerIO(
        Network(),
        [access],
        limits=Limits(track=LIMIT),
        deadline=60,
        user_agent="benchmark",
        slots=FileSlots(Path(path)) if path else MemorySlots(),
    )
    ends = time.monotonic() + seconds

    async def work() -> None:
        while time.monotonic() < ends:
            try:
                await client.api(TrackApi, client.begin()).post("/api/v1/events", {}, kind=Kind.REPEATABLE)
            except CustomerIOError as error:
                sys.stderr.write(f"{error}\n")

    tasks = [asyncio.create_task(work()) for _ in range(workers)]
    await asyncio.wait(tasks, timeout=seconds)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await client.aclose(1)


def measure(processes: int, jitter: str, seconds: float) -> dict[str, float]:
    """Run once; returns the share of the limit in use after two windows, and what was refused."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    server = context.Process(target=serve, args=(theirs, jitter))
    server.start()
    port = ours.recv()
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "pace.db") if processes > 1 else None
        workers = max(150 // processes, 30)
        clients = [
            context.Process(target=saturate, args=(port, path, seconds, workers)) for _ in range(processes)
        ]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
    ours.send("stop")
    log: list[tuple[float, bool]] = ours.recv()
    server.join()
    first = log[0][0] + (1.5 if processes > 1 else 0)  # processes do not start at the same moment
    steady = [at for at, admitted in log if admitted and first + 2 * WINDOW <= at < first + seconds - 1]
    windows = (len(steady) - 1) // LIMIT  # whole ones: where in a window requests come does not count
    return {
        "requests": len(log),
        "refused": sum(not admitted for _, admitted in log),
        "share": windows * WINDOW / (steady[windows * LIMIT] - steady[0]),
    }


def main() -> None:
    """Measure every combination and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=12)
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 4, 8])
    parser.add_argument("--jitter", nargs="+", choices=JITTER, default=list(JITTER))
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    print(f"{'processes':>9} {'jitter':>9} {'requests':>9} {'refused':>8} {'share of the limit':>19}")
    for processes in asked.processes:
        for jitter in asked.jitter:
            runs = [measure(processes, jitter, asked.seconds) for _ in range(asked.runs)]
            requests, refused = (sum(int(run[name]) for run in runs) for name in ("requests", "refused"))
            share = statistics.median(run["share"] for run in runs)
            print(f"{processes:>9} {jitter:>9} {requests:>9} {refused:>8} {share:>18.1%}", flush=True)
            if asked.json:
                print(json.dumps(runs))


if __name__ == "__main__":
    main()
