"""What one call costs: beside a bare SDK tool that makes the same httpx call, and with all safety on.

Then how many sends a second there are at Customer.io's limits, and what reading their templates takes of the
App API's limit, from the first send on.

    python -m benchmarks.calls [--calls 400] [--rounds 7]

All servers answer an MCP client in the same process, and ask the same sandbox in it, so what is measured is
our own time. Rounds alternate, and the ratio is the median over pairs of rounds.
"""

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from mcp import Client
from mcp.server import MCPServer

from cio_mcp.app.build import build
from cio_mcp.sandbox import Sandbox
from cio_mcp.server.server import Server
from cio_mcp.settings import load

TARGET, SAFE_TARGET = 1.25, 2.4
FAST = {"CIO_TRACK_RATE": "100000", "CIO_APP_RATE": "100000", "CIO_SEND_RATE": "100000"}
READ = ("get_customer", {"customer_id": "u_1001"})
SEND = (
    "send_transactional_email",
    {
        "customer_id": "u_1001",
        "to": "ada@example.com",
        "transactional_message_id": 1,
        "message_data": {"order_id": "A-7"},
    },
)

# The same to a customer by address: the allow list then looks nobody up.
BY_ADDRESS = (SEND[0], SEND[1] | {"customer_id": "ada@example.com", "id_type": "email"})

# Sends a second that Customer.io takes, how many seconds of them are measured, and the templates they use.
RATE, SECONDS, TEMPLATES = 100, 5, (1, "order_confirmation", 2, "password_reset")

Call = Callable[[], Awaitable[Any]]


def everything_on(folder: str) -> dict[str, str]:
    """Return the settings of a server with all of its safety on."""
    return {
        "CIO_ALLOWED_RECIPIENTS": "example.com",
        "CIO_MAX_RECIPIENTS": "5",
        "CIO_MAX_SENDS_PER_HOUR": "1000000",
        "CIO_MAX_SENDS_PER_DAY": "1000000",
        "CIO_STOP_FILE": f"{folder}/stop",
        "CIO_AUDIT_LOG": f"{folder}/audit.jsonl",
        "CIO_PII": "mask",
    }


@asynccontextmanager
async def ours(sandbox: Sandbox, tool: tuple[str, dict[str, Any]], **settings: str) -> AsyncIterator[Call]:
    """Provide a call of our server."""
    keys = sandbox.credentials
    environ = {
        "CIO_SITE_ID": keys.site_id,
        "CIO_TRACK_API_KEY": keys.track_api_key,
        "CIO_APP_API_KEY": keys.app_api_key,
    }
    app = build(load(environ | FAST | settings), wire=httpx.ASGITransport(app=sandbox.app))
    async with Client(Server(app)) as client:
        yield lambda: client.call_tool(*tool)
    await app.aclose()


@asynccontextmanager
async def bare(sandbox: Sandbox) -> AsyncIterator[Call]:
    """Provide a call of a bare SDK server that makes the same request as `get_customer`."""
    server = MCPServer("bare", log_level="WARNING")
    transport = httpx.ASGITransport(app=sandbox.app)
    headers = {"Authorization": f"Bearer {sandbox.credentials.app_api_key}"}
    async with httpx.AsyncClient(
        transport=transport, base_url="https://sandbox.invalid", headers=headers
    ) as http:

        @server.tool()
        async def get_customer(customer_id: str) -> dict[str, Any]:
            """Read one customer."""
            answer = await http.get(f"/v1/customers/{customer_id}/attributes", params={"id_type": "id"})
            found: dict[str, Any] = answer.json()
            return found

        async with Client(server) as client:
            yield lambda: client.call_tool(*READ)


async def seconds(call: Call, calls: int) -> float:
    """Return the time of one call, the mean of many, one after the other."""
    begun = time.perf_counter()
    for _ in range(calls):
        result = await call()
        assert not result.is_error, result
    return (time.perf_counter() - begun) / calls


async def measure(calls: int, rounds: int, folder: str) -> dict[str, list[float]]:
    """Return the times of each kind of call, a figure per round."""
    sandbox = Sandbox()  # without limits
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        kinds = {
            "bare SDK tool, the same read": await enter(bare(sandbox)),
            "get_customer": await enter(ours(sandbox, READ)),
            "send, defaults": await enter(ours(sandbox, SEND)),
            "send, all safety on": await enter(ours(sandbox, SEND, **everything_on(folder))),
            "  by address: no look-up": await enter(ours(sandbox, BY_ADDRESS, **everything_on(folder))),
        }
        times: dict[str, list[float]] = {kind: [] for kind in kinds}
        for turn in range(rounds + 1):
            for kind, call in kinds.items():
                took = await seconds(call, calls if turn else 20)
                if turn:  # the first round warms up
                    times[kind].append(took)
    sandbox.close()
    return times


class Counting(httpx.AsyncBaseTransport):
    """A way to a sandbox that tells what passes: when sends do, and how many other requests."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._inner = httpx.ASGITransport(app=sandbox.app)
        self.sent: list[float] = []
        self.reads = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Note it and pass it on."""
        if request.url.path.startswith("/v1/send"):
            self.sent.append(time.perf_counter())
        else:
            self.reads += 1
        return await self._inner.handle_async_request(request)


async def at_the_limit(*, allow_missing: bool, **settings: str) -> tuple[float, int]:
    """Return the sends a second at Customer.io's limits, and the other requests that they took."""
    sandbox = Sandbox()
    keys, wire = sandbox.credentials, Counting(sandbox)
    environ = {"CIO_APP_API_KEY": keys.app_api_key, "CIO_DEADLINE": "60"} | settings
    app = build(load(environ), wire=wire)
    tool, arguments = SEND
    data: dict[str, Any] = {"message_data": {"order_id": "A-7", "reset_link": "https://example.com"}}
    data["allow_missing"] = allow_missing

    async def one(number: int) -> None:
        template = TEMPLATES[number % len(TEMPLATES)]
        result = await client.call_tool(tool, arguments | data | {"transactional_message_id": template})
        assert not result.is_error, result

    async with Client(Server(app)) as client:
        await asyncio.gather(*(one(number) for number in range(RATE * (SECONDS + 1))))
    await app.aclose()
    sandbox.close()
    # A first hundred may leave at once, as fast as this process makes them: from its last one on it counts.
    return (len(wire.sent) - RATE) / (wire.sent[-1] - wire.sent[RATE - 1]), wire.reads


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--calls", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=7)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_STATE_HOME"] = str(Path(folder) / "state")
        times = asyncio.run(measure(asked.calls, asked.rounds, folder))
        unread, _ = asyncio.run(at_the_limit(allow_missing=True))
        log = f"{folder}/limit.jsonl"
        logged, _ = asyncio.run(at_the_limit(allow_missing=True, CIO_AUDIT_LOG=log))
        rate, reads = asyncio.run(at_the_limit(allow_missing=False))
    print(f"{'one call after the other':<32} {'min':>8} {'median':>8} {'max':>8}")
    for kind, found in times.items():
        low, middle, high = (pick(found) * 1000 for pick in (min, statistics.median, max))
        print(f"  {kind:<30} {low:>6.2f}ms {middle:>6.2f}ms {high:>6.2f}ms")
    first, read, plain, bounded, unasked = times.values()
    ratio = statistics.median(our / their for their, our in zip(first, read, strict=True))
    print(f"  {'get_customer beside bare':<30} {ratio:>7.2f}x  (target: at most {TARGET})")
    for what, found in (("all safety beside defaults", bounded), ("  without the look-up", unasked)):
        ratio = statistics.median(more / less for less, more in zip(plain, found, strict=True))
        extra = statistics.median(more - less for less, more in zip(plain, found, strict=True))
        print(f"  {what:<30} {ratio:>7.2f}x  (target: at most {SAFE_TARGET}; {extra * 1000:.2f}ms more)")
    print(f"  {'sends at the limit':<30} {rate:>6.1f}/s  (target: at least {0.97 * RATE:g})")
    print(f"  {'  without reading templates':<30} {unread:>6.1f}/s")
    print(f"  {'  and with the audit log':<30} {logged:>6.1f}/s")
    most = 2 * len(TEMPLATES)
    print(f"  {'reads that they took':<30} {reads:>7}  (target: at most {most}, two for each template)")


if __name__ == "__main__":
    main()
