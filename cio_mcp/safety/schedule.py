"""When what a request sends goes out, read from the finished request."""

import re

from cio_mcp.client.call import Outgoing
from cio_mcp.safety.recipients import path_of

# Routes that take a time, and the field that holds it; 0 cancels what was scheduled.
_TIMES = (
    (re.compile(r"/v1/send/\w+"), "send_at"),
    (re.compile(r"/v1/newsletters/[^/]+/schedule"), "scheduled_at"),
)


def due_at(request: Outgoing | None) -> float | None:
    """Return the unix time at which a request's messages go out, 0 for one that cancels; None for now."""
    if request is None or not request.body:
        return None
    path = path_of(request.url)
    field = next((field for route, field in _TIMES if route.fullmatch(path)), None)
    at = request.body.get(field) if field else None
    return float(at) if isinstance(at, (int, float)) else None
