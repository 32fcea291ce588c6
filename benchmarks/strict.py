"""A strict server and saturated clients, for all benchmarks of the pace.

The server is a process of its own: it admits so many requests in any one second, by the time of their
arrival, and refuses all others with 429. Jitter delays a request before it arrives. The clients send
through the product's own client over real sockets.
"""

import asyncio
import multiprocessing
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path

from pydantic import SecretStr

from cio_mcp.client import CustomerIO, RequestKind, TrackApi
from cio_mcp.client.access import Access
from cio_mcp.client.network import Network
from cio_mcp.client.pacing import Limits, MemorySlots, Slots
from cio_mcp.client.pacing.file_slots import FileSlots
from cio_mcp.errors import CustomerIOError

SPAWN = multiprocessing.get_context("spawn")

LIMIT, WINDOW = 100, 1.0

JITTER: dict[str, Callable[[], float]] = {
    "local": lambda: 0.0,
    "internet": lambda: random.lognormvariate(-6.2, 0.6),  # about 2 ms
    "wifi": lambda: random.expovariate(125) + (0.1 if random.random() < 0.01 else 0.0),
}


def serve(pipe: Connection, jitter: str, limit: int) -> None:
    """Run the strict server until the pipe says stop; then tell of each request when it came and its fate."""
    asyncio.run(_serve(pipe, JITTER[jitter], limit))


async def _serve(pipe: Connection, delay: Callable[[], float], limit: int) -> None:
    window: deque[float] = deque()
    log: list[tuple[float, bool, str]] = []

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
                admitted = len(window) < limit
                if admitted:
                    window.append(now)
                log.append((now, admitted, head.split(b" ", 2)[1].decode()))
                status = b"200 OK" if admitted else b"429 Too Many Requests"
                writer.write(b"HTTP/1.1 " + status + b"\r\ncontent-length: 2\r\n\r\n{}")
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    pipe.send(server.sockets[0].getsockname()[1])
    await asyncio.to_thread(pipe.recv)
    pipe.send(log)


def slots_at(where: str | None) -> Slots:
    """Return slots in this process, in a file, or in the Redis at an address."""
    if where is None:
        return MemorySlots()
    if where.startswith("redis://"):
        from cio_mcp.client.pacing.redis_slots import RedisSlots  # noqa: PLC0415 - an extra

        return RedisSlots(SecretStr(where))
    return FileSlots(Path(where))


def client_of(port: int, where: str | None, *, rate: float = LIMIT, deadline: float = 60) -> CustomerIO:
    """Return the product's client for the strict server, paced at `rate` with slots at `where`."""
    access = Access("track", f"http://127.0.0.1:{port}", "Basic eDp4", region=None, workspace="benchmark")
    return CustomerIO(
        Network(),
        [access],
        limits=Limits(track=rate),
        deadline=deadline,
        user_agent="benchmark",
        slots=slots_at(where),
    )


async def event(client: CustomerIO, caller: str = "") -> None:
    """Send one event."""
    await client.api(TrackApi, client.begin(caller)).post("/api/v1/events", {}, kind=RequestKind.REPEATABLE)


def saturate(port: int, where: str | None, seconds: float, workers: int, rate: float = LIMIT) -> None:
    """Send events as fast as the pace lets them, for so many seconds."""
    asyncio.run(_saturate(port, where, seconds, workers, rate))


async def _saturate(port: int, where: str | None, seconds: float, workers: int, rate: float) -> None:
    client = client_of(port, where, rate=rate)
    ends = time.monotonic() + seconds

    async def work() -> None:
        while time.monotonic() < ends:
            try:
                await event(client)
            except CustomerIOError as error:
                sys.stderr.write(f"{error}\n")

    tasks = [asyncio.create_task(work()) for _ in range(workers)]
    await asyncio.wait(tasks, timeout=seconds)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await client.aclose(1)


@dataclass
class Log:
    """When requests arrived at the strict server (seconds), which were admitted, and the paths of those."""

    limit: int = LIMIT
    entries: list[tuple[float, bool]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)

    @property
    def refused(self) -> int:
        """How many were refused."""
        return sum(not admitted for _, admitted in self.entries)

    def admitted(self, since: float, until: float) -> int:
        """Return how many were admitted between two moments after the first arrival."""
        first = self.entries[0][0]
        return sum(admitted and first + since <= at < first + until for at, admitted in self.entries)

    def share(self, since: float, until: float) -> float:
        """Return the used share of the limit between two moments, over whole windows."""
        first = self.entries[0][0]
        steady = [at for at, admitted in self.entries if admitted and first + since <= at < first + until]
        windows = (len(steady) - 1) // self.limit
        return windows * WINDOW / (steady[windows * self.limit] - steady[0]) if windows > 0 else 0.0


@contextmanager
def strict_server(jitter: str = "local", limit: int = LIMIT) -> Iterator[tuple[int, Log]]:
    """Run the server; its log is filled in when the block ends."""
    ours, theirs = SPAWN.Pipe()
    server = SPAWN.Process(target=serve, args=(theirs, jitter, limit))
    server.start()
    log = Log(limit)
    try:
        yield ours.recv(), log
    finally:
        ours.send("stop")
        for at, admitted, path in ours.recv():
            log.entries.append((at, admitted))
            log.paths += [path] * admitted
        server.join()


@contextmanager
def redis_server(port: int) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    """Provide what starts a Redis on a port of loopback, keeping nothing; every one of them is ended."""
    started: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        command = [
            "redis-server",
            "--port",
            str(port),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--appendonly",
            "no",
        ]
        started.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=tempfile.gettempdir()))
        time.sleep(0.3)
        return started[-1]

    try:
        yield start
    finally:
        for process in started:
            process.kill()
            process.wait()


def has_redis() -> bool:
    """Say whether replicas can be measured here; tell why not."""
    try:
        import redis  # noqa: F401, PLC0415 - an extra
    except ImportError:
        sys.stdout.write("  redis-py is not installed: replicas are not measured\n")
        return False
    if shutil.which("redis-server") is None:
        sys.stdout.write("  there is no redis-server: replicas are not measured\n")
        return False
    return True


def told(what: str, figure: str, target: str, *, holds: bool) -> bool:
    """Print a figure beside its target; returns whether it holds."""
    sys.stdout.write(f"  {what:<52} {figure:>16}  {'ok' if holds else 'MISSED':<6}  {target}\n")
    sys.stdout.flush()
    return holds
