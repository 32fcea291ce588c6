"""What it takes to open a sandbox with its story and read from it, in one commit or two, alternating."""

import statistics
import subprocess
import sys
from pathlib import Path

# Prints the milliseconds of CPU of the first opening in a process, and the medians of further ones in memory
# and in files. It is run in a folder of any commit, and so asks for what all of them have.
OPENINGS = """
import statistics, tempfile, time
from pathlib import Path
from cio_mcp.sandbox import Sandbox

def opened(path):
    begun = time.process_time()
    sandbox = Sandbox(path, clock=lambda: 1_780_000_000)
    sandbox.workspace.rows("SELECT count(*) FROM people")
    taken = time.process_time() - begun
    sandbox.close()
    return taken * 1000

with tempfile.TemporaryDirectory() as folder:
    first = opened(":memory:")
    memory = statistics.median(opened(":memory:") for _ in range(5))
    file = statistics.median(opened(Path(folder) / str(number)) for number in range(5))
    print(first, memory, file)
"""


class Openings:
    """Measures this commit, and that of a folder if one is given."""

    def __init__(self, old: Path | None) -> None:
        commits = {"": Path(__file__).parents[1]} | ({f" of {old}": old} if old else {})
        self._found: dict[tuple[str, Path], list[list[float]]] = {one: [] for one in commits.items()}

    def run(self) -> None:
        """Measure each once, in a new process."""
        for (_, folder), found in self._found.items():
            told = subprocess.run(
                [sys.executable, "-c", OPENINGS], cwd=folder, check=True, capture_output=True
            )
            found.append([float(number) for number in told.stdout.split()])

    def __str__(self) -> str:
        lines = []
        for (commit, _), found in self._found.items():
            first, memory, file = (statistics.median(times) for times in zip(*found, strict=True))
            told = f"{first:.0f} first, {memory:.0f} further in memory, {file:.0f} in a file"
            lines.append(f"openings with the story{commit}, ms of CPU: {told}")
        return "\n".join(lines)
