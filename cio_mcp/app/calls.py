"""Observation of tool calls: a log record, a trace attribute and a metric for each."""

import logging
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry.trace import get_current_span

from cio_mcp.client import now
from cio_mcp.client.counts import Histogram
from cio_mcp.errors import CustomerIOError, InvalidArgument, NotAllowed
from cio_mcp.logs import running
from cio_mcp.safety import ToolCall

# The metric's label for tools that do not exist: clients can invent any number of names.
NO_TOOL = "no_such_tool"

# Outcomes of their own for whoever monitors a server; the rest of `not_sent` is overload or no connection.
CAUSES: tuple[tuple[type[CustomerIOError], str], ...] = (
    (InvalidArgument, "invalid"),
    (NotAllowed, "not_allowed"),
)

_log = logging.getLogger(__name__)


class Calls:
    """The number of calls by tool and outcome, and their duration by tool.

    The outcome is the one in the answer (`done` if it has none), `invalid` for wrong arguments, `not_allowed`
    for a bound, `asked` if a person is asked first, `cancelled`, or `fault` for an internal error.
    """

    def __init__(self) -> None:
        self.outcomes = Counter[tuple[str, str]]()
        self.seconds = defaultdict[str, Histogram](Histogram)

    @contextmanager
    def watch(self, call: ToolCall) -> Iterator[None]:
        """Observe one call; the code inside sets the call's outcome."""
        tool, span, token = call.name, get_current_span(), running.set(call)
        span.set_attribute("cio_mcp.request", call.request)
        try:
            yield
        finally:
            took = now() - call.begun
            self.outcomes[tool, call.outcome] += 1
            self.seconds[tool].add(took)
            span.set_attribute("cio_mcp.outcome", call.outcome)
            if _log.isEnabledFor(logging.INFO):
                end = {"outcome": call.outcome, "status": call.status, "seconds": round(took, 3)}
                _log.info("%s: %s in %.3f s", tool, call.outcome, took, extra=end)
            running.reset(token)


def outcome_of(error: CustomerIOError) -> str:
    """Return the outcome under which a call that raised `error` is counted."""
    return next((word for kind, word in CAUSES if isinstance(error, kind)), error.outcome)
