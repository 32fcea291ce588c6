"""Sandboxes with their story, which is planted once for all tests and copied, in a 20th of the time."""

import atexit
from collections.abc import Callable
from functools import cache
from typing import Any

from cio_mcp.sandbox import Sandbox
from cio_mcp.sandbox.seed import plant

# What the clocks of the tests read at their beginning.
START = 1_780_000_000.0


def a_sandbox(clock: Callable[[], float], **options: Any) -> Sandbox:
    """Return a sandbox with the people whom its story names: few enough for a test to list and count them.

    Times in the story are counted back from the planting, so at any other time it is planted anew.
    """
    if clock() == START:
        return Sandbox(clock=clock, copy_of=_named(), **options)
    planted = Sandbox(clock=clock, seed=False, **options)
    plant(planted.workspace, others=0)
    return planted


def the_story(clock: Callable[[], float]) -> Sandbox:
    """Return a sandbox with its whole story, as a new one that is opened at START has it."""
    return Sandbox(clock=clock, copy_of=_whole())


@cache
def _named() -> Sandbox:
    planted = Sandbox(clock=lambda: START, seed=False)
    plant(planted.workspace, others=0)
    atexit.register(planted.close)
    return planted


@cache
def _whole() -> Sandbox:
    planted = Sandbox(clock=lambda: START)
    atexit.register(planted.close)
    return planted
