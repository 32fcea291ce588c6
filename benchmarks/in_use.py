"""Runs a command of cio-mcp, and writes what it has in use into a file at every SIGUSR1.

    PYTHONMALLOC=malloc python -m benchmarks.in_use FILE serve --port 0

Bytes that malloc has handed out and not got back, after a collection. What is resident besides are chunks
that were freed: how many depends on where they lie. Needs glibc 2.33.
"""

import ctypes
import gc
import signal
import sys
from pathlib import Path
from typing import Any

from cio_mcp.cli import main

FIELDS = "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost"  # malloc.h: mallinfo2


class Info(ctypes.Structure):
    """What glibc tells of its memory."""

    _fields_ = tuple((name, ctypes.c_size_t) for name in FIELDS.split())


def run(path: Path, command: list[str]) -> int:
    """Run `command`; whoever reads the file finds the whole figure or none."""
    glibc = ctypes.CDLL("libc.so.6")
    glibc.mallinfo2.restype = Info

    def tell(*_: Any) -> None:
        gc.collect()
        found = glibc.mallinfo2()
        unfinished = path.with_suffix(".new")
        unfinished.write_text(str(found.uordblks + found.hblkhd))
        unfinished.rename(path)

    signal.signal(signal.SIGUSR1, tell)
    return main(command)


if __name__ == "__main__":
    sys.exit(run(Path(sys.argv[1]), sys.argv[2:]))
