"""What happens to the others when a process is killed or stopped, and when Redis goes away and comes back.

python -m benchmarks.faults [--seconds 16]
"""

import argparse
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path

from benchmarks.strict import (
    LIMIT,
    SPAWN,
    Log,
    has_redis,
    redis_server,
    saturate,
    strict_server,
    told,
)

# The fault strikes so many seconds after the start, when all processes are at full speed.
STRIKES = 5.0
REDIS_PORT = 6398


def run(where: str, processes: int, seconds: float, fault: Callable[[list[BaseProcess]], None]) -> Log:
    """Saturate with several processes, let the fault strike, and return what arrived."""
    with strict_server("internet") as (port, log):
        clients: list[BaseProcess] = [
            SPAWN.Process(target=saturate, args=(port, where, seconds, 50)) for _ in range(processes)
        ]
        for client in clients:
            client.start()
        time.sleep(STRIKES)
        fault(clients)
        for client in clients:
            client.join()
    return log


def kill(clients: list[BaseProcess]) -> None:
    """Kill one process."""
    clients[0].kill()


def stop(clients: list[BaseProcess]) -> None:
    """Stop one process for three seconds."""
    pid = clients[0].pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    time.sleep(3)
    os.kill(pid, signal.SIGCONT)


def per_second(log: Log, seconds: float) -> list[int]:
    """Return how many requests were admitted in each second."""
    return [log.admitted(second, second + 1) for second in range(int(seconds) - 2)]


def on_one_host(seconds: float) -> list[bool]:
    """Kill and stop one of three processes that share a file."""
    hold = []
    for name, fault in (("killed", kill), ("stopped for 3 s", stop)):
        with tempfile.TemporaryDirectory() as folder:
            log = run(str(Path(folder) / "pace.db"), 3, seconds, fault)
        counts = per_second(log, seconds)
        after = min(counts[int(STRIKES) + 2 : int(seconds) - 3])
        holds = not log.refused and after >= 0.97 * LIMIT
        figure = f"{log.refused} refused {after}/s"
        hold.append(
            told(f"one of 3 processes {name}", figure, "0 refused, full rate within 2 s", holds=holds)
        )
        sys.stdout.write(f"    admitted in each second: {' '.join(map(str, counts))}\n")
    return hold


def with_redis(seconds: float) -> list[bool]:
    """Kill Redis under four replicas, and bring an empty one back five seconds later."""
    with redis_server(REDIS_PORT) as start:
        first = start()

        def away(_: list[BaseProcess]) -> None:
            first.kill()
            first.wait()
            time.sleep(5)
            start()

        log = run(f"redis://127.0.0.1:{REDIS_PORT}/0", 4, seconds, away)
    counts = per_second(log, seconds)
    back = int(STRIKES) + 5
    before, meanwhile = log.share(2, STRIKES - 0.5), counts[int(STRIKES) + 2 : back]
    after = log.share(back + 4, seconds - 1)
    holds = not log.refused and min(before, after) >= 0.97 and min(meanwhile) > 0
    figure = f"{log.refused} refused {before:.0%} {after:.0%}"
    told("Redis killed and back, 4 replicas", figure, "0 refused, 97 % before and after", holds=holds)
    sys.stdout.write(f"    admitted in each second: {' '.join(map(str, counts))}\n")
    return [holds]


def main() -> int:
    """Measure and print; returns 1 if anything promised does not hold."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=20)
    asked = parser.parse_args()
    hold = on_one_host(asked.seconds)
    if has_redis():
        hold += with_redis(asked.seconds)
    return int(not all(hold))


if __name__ == "__main__":
    sys.exit(main())
