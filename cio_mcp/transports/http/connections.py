"""Connections on which no request comes in are cut, so that they keep nobody else out."""

import asyncio
from contextlib import suppress
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

# Seconds in which a request's headers must come in, and how many connections may be waited for at once:
# beyond that those are cut that have had a moment, the oldest first.
HEADERS, MOST_WAITING, MOMENT = 10.0, 256, 1.0


class PatientProtocol(H11Protocol):
    """HTTP/1.1 as uvicorn speaks it, for connections that get so much time and no more."""

    _waiting: "dict[PatientProtocol, asyncio.TimerHandle]" = {}  # the oldest first

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Take what came in; wait on if that is no whole head of a request."""
        before: Any = self.cycle
        super().data_received(data)
        if self.cycle is not before:
            self._stop_waiting()
        elif self.cycle is None or self.cycle.response_complete:
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _wait(self) -> None:
        if self in self._waiting or self.transport.is_closing():
            return
        if len(self._waiting) >= MOST_WAITING:
            oldest = next(iter(self._waiting))
            # What has only just connected may have sent its request, and nobody has read it yet.
            if self._waiting[oldest].when() <= self.loop.time() + HEADERS - MOMENT:
                oldest._cut()
        self._waiting[self] = self.loop.call_later(HEADERS, self._cut)

    def _stop_waiting(self) -> None:
        if timer := self._waiting.pop(self, None):
            timer.cancel()

    def _cut(self) -> None:
        self._stop_waiting()
        self.transport.abort()


def allow_connections() -> None:
    """Let this process have as many open files as the system lets it have: each connection is one."""
    with suppress(ImportError, OSError, ValueError):
        import resource  # noqa: PLC0415 - Windows has none

        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
