"""An event loop whose clock jumps to the next timer when there is nothing else to do: no test sleeps."""

import asyncio
import selectors
from collections.abc import Callable
from typing import Any


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """Time stands still while anything can run, and then passes at once.

    A loop with nothing to run and nothing to wait for would hang for ever in reality; here it raises.
    """

    START = 1000.0

    def __init__(self) -> None:
        self._now = self.START
        super().__init__(_Jumping(self))

    def time(self) -> float:
        return self._now

    def run_in_executor(  # type: ignore[override]
        self, _: object, work: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        """Do at once what would go on in a thread, while which no time passes."""
        done = self.create_future()
        try:
            done.set_result(work(*args))
        except Exception as error:
            done.set_exception(error)
        return done

    def jump(self, seconds: float) -> None:
        self._now += seconds


class _Jumping(selectors.DefaultSelector):
    def __init__(self, loop: VirtualTimeLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if ready := super().select(0):
            return ready
        if timeout is None:
            message = "deadlock: nothing to run and no timer to wait for"
            raise RuntimeError(message)
        self._loop.jump(timeout)
        return []
