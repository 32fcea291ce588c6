"""The Customer.io client: two APIs as verbs, paced, retried where that is safe, never twice.

A request's way: `api` (verbs) -> `retry` -> `breaker` -> `pacing` -> `redirect` -> the wire.
"""

from cio_mcp.client.api import AppApi, Query, SendApi, TrackApi
from cio_mcp.client.call import Call, RequestKind, now
from cio_mcp.client.customerio import CustomerIO
from cio_mcp.client.identifiers import AnyIdType, IdType

__all__ = [
    "AnyIdType",
    "AppApi",
    "Call",
    "CustomerIO",
    "IdType",
    "Query",
    "RequestKind",
    "SendApi",
    "TrackApi",
    "now",
]
