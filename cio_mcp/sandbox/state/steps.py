"""Long work in steps, a transaction each, between which others have their turn."""

from collections.abc import Generator
from contextlib import closing
from typing import Any

from cio_mcp.sandbox.state.database import Database

Steps = Generator[None, None, Any]


def finish(database: Database, steps: Steps) -> Any:
    """Do all steps; returns what they return."""
    while True:
        try:
            next(steps)
        except StopIteration as done:
            return done.value
        database.give_way()


async def finish_in_turns(database: Database, steps: Steps) -> Any:
    """Do all steps, and between them what else this process has to do; returns what they return."""
    with closing(steps):
        while True:
            try:
                next(steps)
            except StopIteration as done:
                return done.value
            await database.let_others()
