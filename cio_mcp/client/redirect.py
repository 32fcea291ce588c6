"""Track answers an EU workspace on the US host with a redirect; it is followed without losing anything."""

import logging

import httpx

from cio_mcp.errors import Refused

_log = logging.getLogger(__name__)


class RedirectTransport(httpx.AsyncBaseTransport):
    """Follows one redirect with method, body and credentials, to Customer.io's own hosts only.

    httpx would turn a 301 or 302 POST into a GET and drop the credentials; the code that Customer.io
    uses is not documented, so all four that mean "elsewhere" are taken alike.
    """

    def __init__(self, wire: httpx.AsyncBaseTransport) -> None:
        self._wire = wire

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send `request`, and once more to where a redirect points; raises Refused for a foreign host."""
        response = await self._wire.handle_async_request(request)
        if response.status_code not in {301, 302, 307, 308}:
            return response
        await response.aclose()
        target = _target(request, response)
        if target is None or target.scheme != "https" or not target.host.endswith(".customer.io"):
            where = f"{target.scheme}://{target.host}" if target else "nowhere"
            raise Refused(
                f"{request.url.host} redirects to {where}, which is not an https address of Customer.io; "
                "the credentials were not sent there.",
                do="Check CIO_REGION, CIO_TRACK_URL and CIO_APP_URL.",
                status=response.status_code,
            )
        _log.warning("%s redirects to %s; set CIO_REGION to match", request.url.host, target.host)
        headers = [(name, value) for name, value in request.headers.raw if name.lower() != b"host"]
        again = httpx.Request(
            request.method, target, headers=headers, content=request.content, extensions=request.extensions
        )
        return await self._wire.handle_async_request(again)

    async def aclose(self) -> None:
        """Close the wire."""
        await self._wire.aclose()


def _target(request: httpx.Request, response: httpx.Response) -> httpx.URL | None:
    location = response.headers.get("location")
    try:
        return request.url.join(location) if location else None
    except (httpx.InvalidURL, ValueError):
        return None
