"""A foreign program on the same limit: how many of its calls are refused, and how soon we are back.

    python -m benchmarks.neighbour [--seconds 30] [--rate 40]

Ours wants all it can get; the other sends as Poisson does, knows nothing of us and does not adapt. It stops
ten seconds before the end.
"""

import argparse
import asyncio
import random
import sys

import httpx

from benchmarks.strict import LIMIT, SPAWN, saturate, strict_server, told


async def foreign(port: int, rate: float, seconds: float) -> tuple[int, int]:
    """Send as a Poisson process; returns how many calls were made and how many refused."""
    loop = asyncio.get_running_loop()
    ends = loop.time() + seconds
    calls: list[asyncio.Task[int]] = []
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http:

        async def call() -> int:
            return (await http.post("/", json={})).status_code

        while loop.time() < ends:
            calls.append(asyncio.create_task(call()))
            await asyncio.sleep(random.expovariate(rate))
        statuses = await asyncio.gather(*calls)
    return len(statuses), statuses.count(429)


def main() -> int:
    """Measure and print; returns 1 if what is promised does not hold."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=40)
    parser.add_argument("--rate", type=float, default=40)
    asked = parser.parse_args()
    with strict_server() as (port, log):
        ours = SPAWN.Process(target=saturate, args=(port, None, asked.seconds, 150))
        ours.start()
        made, refused = asyncio.run(foreign(port, asked.rate, asked.seconds - 10))
        ours.join()
    loss = refused / made
    what = f"a foreign {asked.rate:g} per second: its calls refused"
    holds = told(what, f"{loss:.1%} of {made}", "at most 5 %", holds=loss <= 0.05)
    counts = [log.admitted(second, second + 1) for second in range(int(asked.seconds) - 1)]
    sys.stdout.write(f"    admitted in each second, both: {' '.join(map(str, counts))}\n")
    back = max(counts[-8:])
    holds &= told(
        "ours alone again", f"{back}/s", f"{LIMIT * 0.9:.0f}/s within seconds", holds=back >= LIMIT * 0.9
    )
    return int(not holds)


if __name__ == "__main__":
    sys.exit(main())
