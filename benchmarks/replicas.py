"""Four replicas behind a load balancer, with 40 MCP clients at once: what the others notice of any trouble.

    python -m benchmarks.replicas [--rate 40]

Real server processes (`cio-mcp serve`, stateless Streamable HTTP) share a real Redis in front of the strict
server. In one run a greedy caller comes and goes, Redis is killed and comes back empty, and a replica is
killed for good; its clients go on at the others, and repeat the call they were at with the same event id.
"""

import argparse
import asyncio
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from itertools import count, pairwise
from pathlib import Path
from statistics import mean

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from ulid import ULID

from benchmarks.strict import Log, has_redis, redis_server, strict_server, told
from cio_mcp.auth.tokens import add
from cio_mcp.safety.grant import Grant

REPLICAS, CLIENTS, REDIS_PORT = 4, 40, 6397

# What 40 clients and four servers can saturate together on two cores that others use as well.
RATE = 40

# The greedy caller has so many calls waiting at every replica.
GREED = 25

# What happens when, in seconds after all clients are connected.
STEADY, GREEDY, CALM, REDIS_DIES, REDIS_BACK, REPLICA_DIES, END = 5, 15, 25, 27, 32, 42, 54

# So many seconds after a fault the full rate is expected again.
SETTLED = 4


@dataclass
class Caller:
    """An agent: makes one call after the other, at another replica when the one that it used is gone.

    A greedy one makes `abreast` calls at a time.
    """

    name: str
    token: str
    addresses: list[str]
    abreast: int = 1
    done: list[str] = field(default_factory=list)
    repeated: set[str] = field(default_factory=set)
    waits: list[tuple[float, float]] = field(default_factory=list)  # when each began, how long it took
    moves: int = 0

    async def work(self, until: float) -> None:
        """Call until it is time to stop; a call that was begun is finished."""
        numbers, again = count(), list[tuple[str, str]]()

        async def work(client: Client) -> None:
            while time.monotonic() < until:
                call = again.pop() if again else (f"{self.name}_{next(numbers)}", str(ULID()))
                try:
                    await self._call(client, *call)
                except Exception:
                    again.append(call)
                    self.repeated.add(call[0])
                    raise

        while time.monotonic() < until:
            try:
                async with connected(self.addresses[0], self.token) as client, asyncio.TaskGroup() as group:
                    for _ in range(self.abreast):
                        group.create_task(work(client))
            except* Exception:
                self.moves += 1
                self.addresses.append(self.addresses.pop(0))

    async def _call(self, client: Client, customer: str, event_id: str) -> None:
        began = time.monotonic()
        event = {"customer_id": customer, "name": "benchmark", "event_id": event_id}
        async with asyncio.timeout(40):
            result = await client.call_tool("track_event", event)
        if result.is_error:
            raise RuntimeError(str(result.content))
        self.done.append(customer)
        self.waits.append((began, time.monotonic() - began))


@asynccontextmanager
async def connected(address: str, token: str) -> AsyncIterator[Client]:
    """Connect as an agent does that has a token."""
    headers = {"authorization": f"Bearer {token}"}
    async with httpx2.AsyncClient(headers=headers, timeout=40, trust_env=False) as http:
        transport = streamable_http_client(f"{address}/mcp", http_client=http)
        async with Client(transport, mode="2026-07-28") as client:
            yield client


@contextmanager
def replicas(upstream: int, rate: int, tokens: Path) -> Iterator[list[tuple[subprocess.Popen[str], str]]]:
    """Serve all replicas; yields each process and its address."""
    environ = {
        "CIO_SITE_ID": "x",
        "CIO_TRACK_API_KEY": "y",
        "CIO_TRACK_URL": f"http://127.0.0.1:{upstream}",
        "CIO_TRACK_RATE": str(rate),
        "CIO_SHARED_PACE": f"redis://127.0.0.1:{REDIS_PORT}/0",
        "CIO_STATELESS": "true",
        "CIO_TOKENS_FILE": str(tokens),
    }
    command = [sys.executable, "-m", "cio_mcp", "serve", "--transport", "http", "--port", "0"]
    with ExitStack() as running:
        started = []
        for _ in range(REPLICAS):
            process = subprocess.Popen(
                command,
                env=os.environ | environ,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
            running.callback(process.wait)
            running.callback(process.kill)
            started.append(process)
        yield [(process, _address(process)) for process in started]


def _address(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    found = re.search(r"http://[\d.]+:\d+", process.stdout.readline())
    assert found, "a replica did not start"
    return found[0]


@dataclass
class Run:
    """What was measured; moments are of `time.monotonic`, and `began` is the first."""

    began: float
    callers: list[Caller]
    greedy: list[Caller]
    log: Log


def run(rate: int) -> Run:
    """Let everything happen, once."""
    with (
        tempfile.TemporaryDirectory() as folder,
        strict_server("local", rate) as (upstream, log),
        redis_server(REDIS_PORT) as start,
    ):
        redis, tokens = start(), Path(folder) / "tokens.json"
        names = [f"agent{number}" for number in range(CLIENTS)]
        given = {name: add(tokens, Grant(name=name)) for name in [*names, "greedy"]}
        with replicas(upstream, rate, tokens) as served:
            addresses = [address for _, address in served]

            def homes(number: int) -> list[str]:
                first = number % REPLICAS
                return addresses[first:] + addresses[:first]

            callers = [Caller(name, given[name], homes(n)) for n, name in enumerate(names)]
            greedy = [
                Caller(f"greedy{number}", given["greedy"], homes(number), GREED) for number in range(REPLICAS)
            ]

            async def happen() -> float:
                began = time.monotonic()
                working = [asyncio.create_task(caller.work(began + END)) for caller in callers]

                async def at(seconds: float) -> None:
                    await asyncio.sleep(began + seconds - time.monotonic())

                await at(GREEDY)
                working += [asyncio.create_task(caller.work(began + CALM)) for caller in greedy]
                await at(REDIS_DIES)
                redis.kill()
                await at(REDIS_BACK)
                await asyncio.to_thread(start)
                await at(REPLICA_DIES)
                served[0][0].kill()
                await asyncio.gather(*working)
                return began

            began = asyncio.run(happen())
    return Run(began, callers, greedy, log)


def report(found: Run) -> bool:
    """Print what was found beside what is promised; returns whether all of it holds."""
    log, everybody = found.log, found.callers + found.greedy
    lag = found.began - log.entries[0][0]  # the log counts from its first arrival

    def share(since: float, until: float) -> float:
        return log.share(since + lag, until + lag)

    done = {f"/api/v1/customers/{name}/events" for caller in everybody for name in caller.done}
    repeated = {f"/api/v1/customers/{name}/events" for caller in everybody for name in caller.repeated}
    arrived = Counter(log.paths)
    lost = len(done - arrived.keys())
    doubled = sum(times > 1 for path, times in arrived.items() if path not in repeated)
    hold = [
        told("beyond the limit, in the whole run", f"{log.refused} refused", "none", holds=not log.refused),
        told(
            "calls lost, calls doubled", f"{lost}, {doubled} of {len(done)}", "none", holds=not lost + doubled
        ),
    ]
    for what, since, until in (
        ("the limit's use: 40 clients", STEADY, GREEDY),
        ("  with a greedy caller", GREEDY + 1, CALM),
        ("  after Redis came back empty", REDIS_BACK + SETTLED, REPLICA_DIES),
        ("  after a replica was killed", REPLICA_DIES + SETTLED, END - 1),
    ):
        used = share(since, until)
        hold.append(told(what, f"{used:.1%}", "at least 97 %", holds=used >= 0.97))
    alone = min(_per_second(log, lag, second) for second in range(REDIS_DIES + 2, REDIS_BACK - 1))
    hold.append(told("without Redis, in the slowest second", f"{alone} calls", "at least 1", holds=alone > 0))
    back = min(_per_second(log, lag, second) for second in range(REDIS_BACK, REPLICA_DIES))
    hold.append(
        told("when Redis is back, in the slowest second", f"{back} calls", "at least 1", holds=back > 0)
    )
    hold.append(_fair(found))
    moved = [caller for caller in found.callers if caller.moves]
    gap = max((_gap(caller) for caller in moved), default=0.0)
    figure = f"{len(moved)} after {gap:.1f} s"
    on = len(moved) == CLIENTS / REPLICAS and gap < 10
    hold.append(told("clients of the killed replica that went on", figure, "10 within 10 s", holds=on))
    counts = " ".join(str(_per_second(log, lag, second)) for second in range(END))
    sys.stdout.write(f"    admitted in each second: {counts}\n")
    if log.refused:
        first = log.entries[0][0] + lag
        when = ", ".join(f"{at - first:.1f} s" for at, admitted in log.entries if not admitted)
        sys.stdout.write(f"    refused at {when}\n")
    return all(hold)


def _per_second(log: Log, lag: float, second: int) -> int:
    return log.admitted(second + lag, second + lag + 1)


def _fair(found: Run) -> bool:
    """Compare how long the others' calls take while one is greedy: it takes turns like any other."""

    def on_average(since: float, until: float) -> float:
        # Not the median: turns come in bursts, and a call waits for this one or for the next.
        span = found.began + since, found.began + until
        return mean(took for caller in found.callers for at, took in caller.waits if span[0] <= at < span[1])

    before, meanwhile = on_average(STEADY, GREEDY - 1), on_average(GREEDY + 1, CALM - 1)
    fair = 1 + REPLICAS / CLIENTS  # a turn in each round of each replica
    figure = f"{before * 1e3:.0f} to {meanwhile * 1e3:.0f} ms"
    target = f"its share is {fair - 1:.0%}, and 5 % for noise"
    return told(
        f"others' calls, while one has {GREED * REPLICAS} waiting",
        figure,
        target,
        holds=meanwhile <= before * (fair + 0.05),
    )


def _gap(caller: Caller) -> float:
    ends = [at + took for at, took in caller.waits]
    return max(later - earlier for earlier, later in pairwise(ends))


def main() -> int:
    """Measure and print; returns 1 if anything promised does not hold."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rate", type=int, default=RATE, help="requests per second that are allowed")
    asked = parser.parse_args()
    if not has_redis():
        return 0
    sys.stdout.write(
        f"{REPLICAS} replicas, {CLIENTS} MCP clients, a strict limit of {asked.rate} in any second\n"
    )
    return int(not report(run(asked.rate)))


if __name__ == "__main__":
    sys.exit(main())
