"""Who waits, and what waiting costs: cancelled waiters, a greedy caller, and a turn that is free.

    python -m benchmarks.waiting [--runs 3]

Beside aiolimiter and pyrate-limiter in the same run, where these are installed (dependency group `bench`).
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from importlib import import_module
from pathlib import Path

from benchmarks.strict import LIMIT, client_of, event, has_redis, redis_server, slots_at, strict_server, told
from cio_mcp.client.call import Call
from cio_mcp.client.pacing import Bucket, Pace

REDIS_PORT = 6397


async def cancelled(port: int) -> None:
    """Let half of 1,000 waiters give up at 1.5 s, and wait for the rest."""
    client = client_of(port, None, deadline=60)
    calls = [asyncio.create_task(event(client)) for _ in range(1000)]
    await asyncio.sleep(1.5)
    for number, call in enumerate(calls):
        if number % 2:
            call.cancel()
    await asyncio.gather(*calls, return_exceptions=True)
    await client.aclose(1)


def time_of_the_rest() -> float:
    """Return the time from the first arrival to the last, over the ideal one."""
    with strict_server() as (port, log):
        asyncio.run(cancelled(port))
    took = log.entries[-1][0] - log.entries[0][0]
    return took / ((len(log.entries) - 10) / LIMIT)  # ten leave at once, the others evenly


def time_of_the_ten() -> float:
    """Return the time of ten calls beside a greedy caller, over their fair one."""
    with strict_server() as (port, _):
        return asyncio.run(greedy(port))


async def greedy(port: int) -> float:
    """Let one caller have 1,000 calls waiting and another ten; return the ten's time over their fair one."""
    client = client_of(port, None, deadline=60)
    many = [asyncio.create_task(event(client, "greedy")) for _ in range(1000)]
    await asyncio.sleep(0.5)
    begun = time.monotonic()
    await asyncio.gather(*(event(client, "modest") for _ in range(10)))
    took = time.monotonic() - begun
    for call in many:
        call.cancel()
    await asyncio.gather(*many, return_exceptions=True)
    await client.aclose(1)
    return took / (20 / LIMIT)  # every other turn is theirs


async def cost(enter: Callable[[], Awaitable[None]], calls: int = 2000) -> tuple[float, float]:
    """Return wall and CPU time of one uncontended turn, in microseconds."""
    for _ in range(50):
        await enter()
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(calls):
        await enter()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return wall / calls * 1e6, cpu / calls * 1e6


async def cost_of_ours(where: str | None) -> tuple[float, float]:
    """Return what a turn costs that nobody else wants, in a bucket that is never full."""
    pace = Pace(slots_at(where))
    # As many slots as a limit has, and so short a window that one is always free.
    bucket = Bucket("cost", LIMIT, 0.001, "benchmark")

    async def enter() -> None:
        turn = await pace.enter(bucket, Call(asyncio.get_running_loop().time() + 60))
        await turn.answered()

    found = await cost(enter)
    await pace.aclose()
    return found


async def costs_of_others() -> dict[str, tuple[float, float]]:
    """Return the same for libraries that pace within a process, as far as they are installed."""
    found: dict[str, tuple[float, float]] = {}
    try:
        limiter = import_module("aiolimiter").AsyncLimiter(1_000_000, 1)
        found["aiolimiter"] = await cost(limiter.acquire)
    except ImportError:
        sys.stdout.write("  aiolimiter is not installed\n")
    try:
        library = import_module("pyrate_limiter")
        pyrate = library.Limiter(library.Rate(1_000_000, 1000))
        found["pyrate-limiter"] = await cost(lambda: pyrate.try_acquire_async("cost"))
    except ImportError:
        sys.stdout.write("  pyrate-limiter is not installed\n")
    return found


def measure_costs() -> bool:
    """Print the cost of a free turn in each store; returns whether the promise holds."""
    with tempfile.TemporaryDirectory() as folder:
        stores: dict[str, str | None] = {"in process": None, "shared file": str(Path(folder) / "pace.db")}
        costs = {name: asyncio.run(cost_of_ours(where)) for name, where in stores.items()}
    if has_redis():
        with redis_server(REDIS_PORT) as start:
            start()
            costs["Redis"] = asyncio.run(cost_of_ours(f"redis://127.0.0.1:{REDIS_PORT}/0"))
    holds = True
    for name, (wall, cpu) in (costs | asyncio.run(costs_of_others())).items():
        promised = name == "shared file"
        good = not promised or cpu < 200
        target = "under 200 us of CPU" if promised else ""
        holds &= told(f"a free turn, {name}", f"{wall:.0f} us {cpu:.0f} CPU", target, holds=good)
    return holds


def main() -> int:
    """Measure and print; returns 1 if anything promised does not hold."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=3)
    asked = parser.parse_args()
    hold = []
    for what, run, most in (
        ("half of 1,000 waiters cancelled, time of the rest", time_of_the_rest, 1.02),
        ("ten calls beside a caller with 1,000, their time", time_of_the_ten, 2.0),
    ):
        ratio = statistics.median(run() for _ in range(asked.runs))
        target = f"at most {most:g} times the {'ideal' if run is time_of_the_rest else 'fair'} one"
        hold.append(told(what, f"{ratio:.3f} times", target, holds=ratio <= most))
    hold.append(measure_costs())
    return int(not all(hold))


if __name__ == "__main__":
    sys.exit(main())
