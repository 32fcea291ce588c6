"""Where worlds live: one thread serves all that a test run needs."""

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import closing, contextmanager
from functools import cached_property
from threading import Thread
from types import TracebackType
from typing import Any, Self, TypeVar

from cio_mcp.sandbox import Sandbox
from cio_mcp.testing.world import World

T = TypeVar("T")


class Worlds:
    """Makes sandboxes and serves them, until the end of a `with`."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="customerio-sandbox", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        if "_planted" in self.__dict__:
            self._planted.close()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @contextmanager
    def fresh(self) -> Iterator[World]:
        """Yield a new world with its story, and close it."""
        with closing(Sandbox(copy_of=self._planted)) as sandbox:
            world = World(sandbox, self.run)
            try:
                yield world
            finally:
                world.close()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Return what a coroutine returns in the thread that serves: a sandbox lives in that thread only."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    @cached_property
    def _planted(self) -> Sandbox:
        """The story, planted once: a copy takes a twentieth of the time."""
        planted = Sandbox()
        # In a test only what it began itself happens when the clock goes on.
        planted.workspace.change("DELETE FROM timers")
        return planted
