"""Sending lines of a log to a collector: over HTTP, or as syslog over TCP."""

import asyncio
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

import httpx

from cio_mcp.client.network import Network, failure_of

# Seconds that a collector may take.
PATIENCE = 10.0

# Facility 13 (log audit), severity 6 (informational); RFC 5424 lets time and host be left to the receiver.
HEAD = b"<110>1 - - cio-mcp - audit - "


class NotTaken(Exception):
    """The collector did not take the lines; the text holds no secret."""


def collector_at(address: str, token: str = "") -> Callable[[bytes], Awaitable[None]]:
    """Return what sends whole lines to an address, syslog://host:port or https://…; it raises NotTaken."""
    parts = urlsplit(address)
    if parts.scheme == "syslog":
        return lambda lines: _to_syslog(parts.hostname or "", parts.port or 601, lines)
    return lambda lines: _to_http(address, token, lines)


async def _to_http(url: str, token: str, lines: bytes) -> None:
    headers = {"content-type": "application/x-ndjson"}
    headers |= {"authorization": f"Bearer {token}"} if token else {}
    async with httpx.AsyncClient(transport=Network(), trust_env=False, timeout=PATIENCE) as http:
        try:
            answer = await http.post(url, content=lines, headers=headers)
        except httpx.RequestError as error:
            raise NotTaken(str(failure_of(error, httpx.URL(url)))) from None
    if not answer.is_success:
        raise NotTaken(f"the collector answers {answer.status_code}")


async def _to_syslog(host: str, port: int, lines: bytes) -> None:
    framed = b"".join(b"%d %s" % (len(line), line) for line in map(HEAD.__add__, lines.splitlines()))
    try:
        async with asyncio.timeout(PATIENCE):
            _, writer = await asyncio.open_connection(host, port)
            writer.write(framed)
            await writer.drain()
            writer.close()
            await writer.wait_closed()
    except (OSError, TimeoutError) as error:
        raise NotTaken(f"the syslog receiver does not take it ({type(error).__name__})") from None
