"""Sandboxes with their story, which is planted once for all tests and copied, in a 20th of the time."""

import atexit
from collections.abc import Callable
from functools import cache
from typing import Any

from cio_mcp.sandbox import Sandbox

# What the clocks of the tests read at their beginning.
START = 1_780_000_000.0


def a_sandbox(clock: Callable[[], float], **options: Any) -> Sandbox:
    """Return a sandbox with its story, as a new one has it.

    Times in the story are counted back from the planting, so at any other time it is planted anew.
    """
    return Sandbox(clock=clock, copy_of=_planted() if clock() == START else None, **options)


@cache
def _planted() -> Sandbox:
    planted = Sandbox(clock=lambda: START)
    atexit.register(planted.close)
    return planted
