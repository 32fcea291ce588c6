"""`cio-mcp serve` for as long as a check runs."""

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def serving(**environ: str) -> Iterator[str]:
    """Serve on a free port of loopback, with `environ` besides; yields the address without a path."""
    process = subprocess.Popen(
        ["cio-mcp", "serve", "--port", "0"], env=os.environ | environ, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout
        said = process.stdout.readline()
        address = re.search(r"http://[\d.]+:\d+", said)
        assert address, said
        yield address[0]
    finally:
        process.terminate()
        assert process.wait(timeout=10) == 0
