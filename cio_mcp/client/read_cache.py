"""What calls of a workspace read again and again, kept for a while: no call but the first waits for it."""

import asyncio
import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Any

from cio_mcp.client.call import now
from cio_mcp.errors import CustomerIOError

# Seconds after which a thing is read again, what could not be read a little sooner; seconds that a call waits
# for what was never read; and how many things are kept.
AGE, AGE_OF_FAILURE, PATIENCE, MOST = 600.0, 60.0, 2.0, 300

Read = Callable[[], Awaitable[Any]]


class NotYet(CustomerIOError):
    """A thing has been asked for and has not come in yet."""

    outcome = "not_sent"


@dataclass
class _Thing:
    """What is kept: a value, or why there is none; when it was read, and the reading that is under way."""

    value: Any = None
    failure: CustomerIOError | None = None
    read_at: float | None = None
    began: float = 0.0
    reading: "asyncio.Task[None] | None" = None


# Where the texts of messages are, which are what is kept.
_TEXTS = re.compile(r"/v1/(campaigns|broadcasts|newsletters|transactional|design_studio|snippets)(/.*)?")


@cache
def changes_texts(method: str, route: str) -> bool:
    """Say whether a request can change what a message says; one is published while its state is asked for."""
    acts = method != "GET" and not route.endswith("/triggers")
    return bool(_TEXTS.fullmatch(route)) and (acts or route.endswith("/publish_status"))


class ReadCache:
    """Things by key."""

    def __init__(self) -> None:
        self._things: OrderedDict[object, _Thing] = OrderedDict()
        self._readings: set[asyncio.Task[None]] = set()

    def at_hand(self, key: object) -> Any:
        """Return a thing as it was read last, None if it never was."""
        return self._things[key].value if key in self._things else None

    def forget(self) -> None:
        """Have every thing read again before it counts: what is being read now may be from before a change.

        A thing cannot be told by what was changed: it may be kept by another name, or be linked to that.
        """
        for key, thing in self._things.items():
            self._things[key] = _Thing(thing.value)

    async def read(self, key: object, read: Read) -> Any:
        """Return a thing that is read now, and keep it; raises CustomerIOError."""
        thing = self._thing(key)
        thing.value = await read()
        thing.failure, thing.read_at = None, now()
        return thing.value

    async def get(self, key: object, read: Read) -> Any:
        """Return a thing as it is at hand, and have it renewed beside when it is old.

        Only while it was never read, or not since `forget`, a call waits for it, for `PATIENCE` seconds from
        when it was asked for first. Raises CustomerIOError if it cannot be read, or NotYet.
        """
        thing = self._thing(key)
        age = AGE_OF_FAILURE if thing.failure else AGE
        if thing.reading is None and (thing.read_at is None or now() - thing.read_at >= age):
            thing.began = now()
            thing.reading = asyncio.create_task(self._renew(thing, read))
            self._readings.add(thing.reading)
            thing.reading.add_done_callback(self._readings.discard)
        if thing.reading and thing.read_at is None and (left := thing.began + PATIENCE - now()) > 0:
            await asyncio.wait({thing.reading}, timeout=left)
        if thing.failure:
            raise thing.failure.with_traceback(None)
        if thing.read_at is None:
            raise NotYet("it has not arrived yet")
        return thing.value

    def _thing(self, key: object) -> _Thing:
        thing = self._things.setdefault(key, _Thing())
        self._things.move_to_end(key)
        while len(self._things) > MOST:
            self._things.popitem(last=False)
        return thing

    @staticmethod
    async def _renew(thing: _Thing, read: Read) -> None:
        try:
            thing.value, thing.failure = await read(), None
        except CustomerIOError as error:
            if thing.read_at is None or thing.failure:  # a value from before `forget` does not count
                thing.failure = error
        finally:
            thing.read_at, thing.reading = now(), None

    async def aclose(self) -> None:
        """Stop what is being read."""
        for task in self._readings:
            task.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.gather(*self._readings, return_exceptions=True)
