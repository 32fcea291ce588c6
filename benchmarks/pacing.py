"""How much of a limit is used, and how often it is exceeded: one process, processes of a host, replicas.

    python -m benchmarks.pacing [--seconds 12] [--runs 3] [--processes 1 4 8] [--replicas 4]
                                [--jitter local internet wifi]

Shares of the limit are taken after the first two windows, as the median of the runs.
"""

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

from benchmarks.strict import JITTER, LIMIT, SPAWN, has_redis, redis_server, saturate, strict_server, told

# The least share of the limit by number of processes, where it is promised.
PROMISED = {1: {"local": 0.99, "internet": 0.985}, 4: {"local": 0.97}, 8: {"local": 0.94}}

REDIS_PORT = 6399


def measure(processes: int, jitter: str, seconds: float, redis: str | None) -> tuple[int, float]:
    """Run once; returns how many requests were refused, and the share of the limit that was used."""
    with tempfile.TemporaryDirectory() as folder, strict_server(jitter) as (port, log):
        where = redis or (str(Path(folder) / "pace.db") if processes > 1 else None)
        workers = max(150 // processes, 30)
        clients = [
            SPAWN.Process(target=saturate, args=(port, where, seconds, workers)) for _ in range(processes)
        ]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
    begins = 2 + (1.5 if processes > 1 else 0)  # processes do not start at the same moment
    return log.refused, log.share(begins, seconds - 1)


def report(processes: int, jitter: str, asked: argparse.Namespace, redis: str | None = None) -> bool:
    """Measure, print a line, and say whether what is promised holds."""
    runs = [measure(processes, jitter, asked.seconds, redis) for _ in range(asked.runs)]
    refused, share = sum(run[0] for run in runs), statistics.median(run[1] for run in runs)
    least = 0.97 if redis and jitter == "local" else PROMISED.get(processes, {}).get(jitter, 0.0)
    who = f"{processes} {'replicas with Redis' if redis else 'processes' if processes > 1 else 'process'}"
    target = f"0 refused, at least {least:.1%}" if least else "0 refused"
    figure = f"{refused} refused {share:.1%}"
    return told(f"{who}, {jitter} jitter", figure, target, holds=not refused and share >= least)


def main() -> int:
    """Measure every combination and print a table; returns 1 if anything promised does not hold."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=12)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--processes", type=int, nargs="*", default=[1, 4, 8])
    parser.add_argument("--replicas", type=int, default=4)
    parser.add_argument("--jitter", nargs="+", choices=JITTER, default=list(JITTER))
    asked = parser.parse_args()
    sys.stdout.write(
        f"saturated clients on a strict limit of {LIMIT} in any second, {asked.runs} runs each\n"
    )
    hold = [report(count, jitter, asked) for count in asked.processes for jitter in asked.jitter]
    if asked.replicas and has_redis():
        with redis_server(REDIS_PORT) as start:
            start()
            address = f"redis://127.0.0.1:{REDIS_PORT}/0"
            hold += [report(asked.replicas, jitter, asked, address) for jitter in asked.jitter]
    return int(not all(hold))


if __name__ == "__main__":
    sys.exit(main())
