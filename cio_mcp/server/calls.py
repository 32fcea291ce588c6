"""Every call of a tool, from its request to its end: named in the log and the trace, counted for metrics."""

import logging
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry.trace import get_current_span

from cio_mcp.client import now
from cio_mcp.client.counts import Histogram
from cio_mcp.errors import CustomerIOError, InvalidArgument, NotAllowed
from cio_mcp.logs import Running, running
from cio_mcp.safety import Caller

# What calls of tools that do not exist are counted under: a client may make up any name.
NO_TOOL = "no_such_tool"

# To whoever watches a server, these are not what else is `not_sent`: overload, or no connection.
CAUSES: tuple[tuple[type[CustomerIOError], str], ...] = (
    (InvalidArgument, "invalid"),
    (NotAllowed, "not_allowed"),
)

_log = logging.getLogger(__name__)


class Calls:
    """The calls of one server: how often those of each tool ended how, and how long they took.

    An outcome is the one in the answer (`done` where it has none), but `invalid` for wrong arguments and
    `not_allowed` for a bound; `asked` if a person is asked first, `cancelled`, or `fault` for one of ours.
    """

    def __init__(self) -> None:
        self.outcomes = Counter[tuple[str, str]]()
        self.seconds = defaultdict[str, Histogram](Histogram)

    @contextmanager
    def run(self, tool: str, caller: Caller) -> Iterator[Running]:
        """Watch one call of `tool`; what is inside says how it ended."""
        call = Running(caller.request, tool, caller.name)
        span, begun, token = get_current_span(), now(), running.set(call)
        span.set_attribute("cio_mcp.request", call.request)
        try:
            yield call
        finally:
            took = now() - begun
            self.outcomes[tool, call.outcome] += 1
            self.seconds[tool].add(took)
            span.set_attribute("cio_mcp.outcome", call.outcome)
            if _log.isEnabledFor(logging.INFO):
                end = {"outcome": call.outcome, "status": call.status, "seconds": round(took, 3)}
                _log.info("%s: %s in %.3f s", tool, call.outcome, took, extra=end)
            running.reset(token)


def outcome_of(error: CustomerIOError) -> str:
    """Return how a call that raised `error` is counted."""
    return next((word for kind, word in CAUSES if isinstance(error, kind)), error.outcome)
