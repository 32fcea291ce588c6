"""One harmless request, to see whether a key opens its API."""

from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from cio_mcp.client.access import Access
from cio_mcp.client.network import Failure, failure_of


@dataclass(frozen=True)
class ProbeResult:
    """What a probe found: an HTTP status with body and the server's time, or a failure on the way."""

    status: int | None = None
    body: Any = None
    date: datetime | None = None
    failure: Failure | None = None


async def probe(wire: httpx.AsyncBaseTransport, access: Access, path: str) -> ProbeResult:
    """GET `path` once, without retries and pace; never raises for what a network can do."""
    request = httpx.Request(
        "GET",
        access.base_url.rstrip("/") + path,
        headers=access.headers,
        extensions={"timeout": httpx.Timeout(10.0, connect=5.0).as_dict()},
    )
    try:
        response = await wire.handle_async_request(request)
        await response.aread()
    except httpx.TransportError as error:
        return ProbeResult(failure=failure_of(error, request.url))
    try:
        body = response.json()
    except ValueError:
        body = None
    return ProbeResult(response.status_code, body, _date(response))


def _date(response: httpx.Response) -> datetime | None:
    try:
        return parsedate_to_datetime(response.headers.get("date", ""))
    except ValueError:
        return None
