"""What starting costs beside a bare SDK server: until `initialize` is answered, a call at the shell, size.

    python -m benchmarks.startup [runs]

Both servers are started in turn in the same run, so the ratio holds when the machine's speed drifts. CPU is
what a process has used from its start to its end, and says more where others use the machine.
"""

import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution

BARE = """
from mcp.server import MCPServer
server = MCPServer("bare")
@server.tool()
def noop(x: int) -> int:
    "Do nothing."
    return x
server.run()
"""

INITIALIZE = json.dumps(
    {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {
            "protocolVersion": "2025-11-25",
            "capabilities": {},
            "clientInfo": {"name": "benchmark", "version": "1"},
        },
    }
)

TARGET_RATIO, TARGET_CALL, TARGET_PACKAGES = 1.25, 0.7, 45

CALL = ("-m", "cio_mcp", "call", "get_customer", "customer_id=u_1001")


@cache
def environment() -> dict[str, str]:
    """Return an environment in which nothing is set, and modules stay compiled as when installed."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "CIO_"))}
    return own | {"XDG_STATE_HOME": tempfile.mkdtemp()}


def cpu_of_children() -> float:
    """Return the seconds of CPU that ended children have used; none on Windows."""
    return os.times().children_user + os.times().children_system


def seconds_to_initialize(*command: str) -> tuple[float, float]:
    """Start a server, and end it after its answer; returns the seconds until that, and those of CPU."""
    began, used = time.perf_counter(), cpu_of_children()
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment()
    )
    assert process.stdin
    assert process.stdout
    process.stdin.write(INITIALIZE + "\n")
    process.stdin.flush()
    answer = json.loads(process.stdout.readline())
    took = time.perf_counter() - began
    assert "serverInfo" in answer["result"]
    process.stdin.close()
    process.wait(timeout=10)
    process.stdout.close()
    return took, cpu_of_children() - used


def seconds_to_call() -> tuple[float, float]:
    """Return the seconds that one call at the shell takes, on the embedded sandbox, and those of CPU."""
    began, used = time.perf_counter(), cpu_of_children()
    subprocess.run((sys.executable, *CALL), check=True, stdout=subprocess.DEVNULL, env=environment())
    return time.perf_counter() - began, cpu_of_children() - used


def installed(requirement: str, seen: dict[str, int]) -> dict[str, int]:
    """Return every package that installing `requirement` brings here, with its size in bytes."""
    name, extras = re.match(r"([\w.-]+)(?:\[([^]]*)\])?", requirement).groups()  # type: ignore[union-attr]
    try:
        found = distribution(name)
    except PackageNotFoundError:
        return seen  # for another system or Python
    key = re.sub(r"[-_.]+", "-", name).lower()
    new = key not in seen
    if new:
        seen[key] = sum(path.size or 0 for path in found.files or [])
    for needed in found.requires or []:
        extra = re.search(r"extra == ['\"]([^'\"]+)", needed)
        if (new and not extra) or (extra and extra[1] in (extras or "").split(",")):
            installed(needed, seen)
    return seen


def main() -> None:
    """Measure and print."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    commands = {"bare SDK server": ("-c", BARE), "cio-mcp": ("-m", "cio_mcp")}
    times: dict[str, list[float]] = {name: [] for name in (*commands, "cio-mcp call")}
    cpus: dict[str, list[float]] = {name: [] for name in times}
    for turn in range(runs + 1):
        took = {name: seconds_to_initialize(sys.executable, *those) for name, those in commands.items()}
        took["cio-mcp call"] = seconds_to_call()
        for name, (seconds, cpu) in took.items():
            if turn:  # the first round warms the file cache
                times[name].append(seconds)
                cpus[name].append(cpu)
    print(f"{'start to the answer of initialize':<34} {'min':>7} {'median':>7} {'max':>7}  ({runs} runs)")
    for name, measured in times.items():
        low, middle, high = min(measured), statistics.median(measured), max(measured)
        print(f"  {name:<32} {low:>6.3f}s {middle:>6.3f}s {high:>6.3f}s")
    for name, target in (("cio-mcp", TARGET_RATIO), ("cio-mcp call", TARGET_CALL)):
        for what, figures in (("", times), (", CPU", cpus)):
            bare = figures["bare SDK server"]
            if not all(bare):
                continue  # Windows counts no CPU of children
            ratio = statistics.median(our / their for their, our in zip(bare, figures[name], strict=True))
            label = f"{name} beside bare{what}"
            print(f"  {label:<32} {ratio:>7.2f}  (median of the pairs; target: at most {target})")
    for name in ("mcp", "cio-mcp"):
        packages = installed(name, {})
        size = sum(packages.values()) / 1e6
        print(f"{name + ', packages and size':<34} {len(packages):>7} {size:>6.1f} MB")
    print(f"  {'(target: at most)':<32} {TARGET_PACKAGES:>7}")


if __name__ == "__main__":
    main()
