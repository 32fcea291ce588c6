"""Hostile load on a server: what others' calls and /healthz take meanwhile.

    python -m benchmarks.hostile [--streams 1500] [--half-sent 300] [--seconds 20]

One token opens streams, somebody without a token leaves requests half sent, and Customer.io answers one
caller with 400 kB of gzip that unpack to a gigabyte, over and over. Another token calls a tool meanwhile, and
asks for /healthz.
"""

import argparse
import asyncio
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import zlib
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from benchmarks.strict import SPAWN, told
from cio_mcp.auth.tokens import add
from cio_mcp.safety.grant import Grant

SECOND = 1.0


def bomb() -> bytes:
    """Return an answer whose body unpacks to a gigabyte."""
    packing = zlib.compressobj(9, wbits=31)
    parts = [packing.compress(b" " * 1_000_000) for _ in range(1000)]
    body = b"".join((*parts, packing.flush()))[:400_000]
    head = f"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode() + body


async def upstream(packed: bytes) -> tuple[asyncio.Server, int]:
    """Serve an App API: /v1/segments is hostile, anything else is a short answer."""
    short = b'HTTP/1.1 200 OK\r\ncontent-length: 16\r\n\r\n{"campaigns":[]}'

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(packed if b"/v1/segments" in head else short)
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    return server, server.sockets[0].getsockname()[1]


@contextmanager
def served(tokens: Path, port: int) -> Iterator[tuple[int, str]]:
    """Run `cio-mcp serve`; yields its process id and its address."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("CIO_")}
    environ |= {"CIO_TOKENS_FILE": str(tokens), "CIO_APP_API_KEY": "key", "CIO_SHARED_PACE": "off"}
    environ |= {"CIO_APP_URL": f"http://127.0.0.1:{port}", "CIO_APP_RATE": "1000"}
    command = [sys.executable, "-m", "cio_mcp", "serve", "--port", "0"]
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        found = re.search(r"http://[\d.]+:\d+", process.stdout.readline())
        assert found
        try:
            yield process.pid, found[0]
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()


def resident(pid: int) -> float:
    """Return a process's memory in MB."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


class Load:
    """What is done to a server at `url`; `seen` counts how it answers."""

    def __init__(self, url: str, token: str) -> None:
        host, port = url.removeprefix("http://").split(":")
        self._place, self._token = (host, int(port)), token
        self.seen = Counter[str]()

    async def stream(self) -> None:
        """Open a stream and leave it open."""
        try:
            reader, writer = await asyncio.open_connection(*self._place)
        except OSError:
            self.seen["no connection"] += 1
            return
        try:
            head = f"GET /sse HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {self._token}\r\n\r\n"
            writer.write(head.encode())
            self.seen[(await reader.readuntil(b"\r\n")).split()[1].decode()] += 1
            while await reader.read(65_536):
                pass
        except (asyncio.IncompleteReadError, OSError):
            self.seen["cut"] += 1
        finally:
            writer.close()

    async def half_sent(self) -> None:
        """Send half a request, and another half when that is cut."""
        while True:
            with suppress(OSError):
                reader, writer = await asyncio.open_connection(*self._place)
                writer.write(b"POST /mcp HTTP/1.1\r\nHost: localhost\r\n")
                await reader.read()
                writer.close()
            self.seen["half-sent requests cut"] += 1
            await asyncio.sleep(0.1)

    async def bombs(self, url: str) -> None:
        """Call what Customer.io answers with a bomb."""
        async with connected(url, self._token) as mcp:
            while True:
                result = await mcp.call_tool("list_segments", {})
                self.seen["bombs refused" if "too large" in str(result.content) else "bombs taken"] += 1


def connected(url: str, token: str) -> Client:
    """Return a client of the SDK that brings a token."""
    http = httpx2.AsyncClient(headers={"authorization": f"Bearer {token}"}, timeout=60)
    return Client(streamable_http_client(f"{url}/mcp", http_client=http))


async def measure(asked: argparse.Namespace) -> bool:
    """Put load on a server and measure beside it; returns whether what is promised holds."""
    with tempfile.TemporaryDirectory() as folder:
        tokens = Path(folder) / "tokens.json"
        hostile, other = (add(tokens, Grant(name=name)) for name in ("hostile", "other"))
        server, port = await upstream(bomb())
        async with server:
            with served(tokens, port) as (pid, url):
                load, before = Load(url, hostile), resident(pid)
                running = [asyncio.create_task(load.stream()) for _ in range(asked.streams)]
                running += [asyncio.create_task(load.half_sent()) for _ in range(asked.half_sent)]
                running += [asyncio.create_task(load.bombs(url))]
                # In a process of its own: what makes the load is slow itself.
                with ProcessPoolExecutor(1, SPAWN) as elsewhere:
                    others = (url, other, pid, asked.seconds)
                    calls, health, most = await asyncio.get_running_loop().run_in_executor(
                        elsewhere, measure_beside, *others
                    )
                for task in running:
                    task.cancel()
                await asyncio.gather(*running, return_exceptions=True)
    sys.stdout.write(
        "    " + ", ".join(f"{what}: {count}" for what, count in sorted(load.seen.items())) + "\n"
    )
    holds = worst("calls of another token", calls)
    holds &= worst("/healthz", health)
    growth = most - before
    return told("memory beyond the start", f"{growth:.0f} MB", "at most 64 MB", holds=growth <= 64) & holds


def measure_beside(url: str, token: str, pid: int, seconds: float) -> tuple[list[float], list[float], float]:
    """Do as `beside` does, in another process."""
    return asyncio.run(beside(url, token, pid, seconds))


async def beside(url: str, token: str, pid: int, seconds: float) -> tuple[list[float], list[float], float]:
    """Return how long each call of another token and each /healthz took, and the most memory seen."""
    calls, health, most = [], [], 0.0
    async with httpx.AsyncClient(trust_env=False, timeout=60) as plain, connected(url, token) as mcp:
        await mcp.call_tool("list_campaigns", {})  # with the first the client reads and checks all schemas
        ends = time.perf_counter() + seconds
        while time.perf_counter() < ends:
            begun = time.perf_counter()
            result = await mcp.call_tool("list_campaigns", {})
            calls.append(time.perf_counter() - begun)
            assert not result.is_error, result.content
            begun = time.perf_counter()
            assert (await plain.get(f"{url}/healthz", headers={"connection": "close"})).status_code == 200
            health.append(time.perf_counter() - begun)
            most = max(most, resident(pid))
    return calls, health, most


def worst(what: str, took: list[float]) -> bool:
    """Print the middle and the worst of what something took; returns whether that is within a second."""
    took.sort()
    figures = f"{took[len(took) // 2] * 1000:.0f} ms, worst {took[-1] * 1000:.0f} ms of {len(took)}"
    return told(what, figures, "within a second", holds=took[-1] < SECOND)


def main() -> int:
    """Measure and print; returns 1 if what is promised does not hold."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--streams", type=int, default=1500)
    parser.add_argument("--half-sent", type=int, default=300)
    parser.add_argument("--seconds", type=float, default=20)
    return int(not asyncio.run(measure(parser.parse_args())))


if __name__ == "__main__":
    sys.exit(main())
