"""The wire to Customer.io: proxies from the environment, certificates as the system trusts them."""

import ssl

import httpx
import truststore


class Network(httpx.AsyncBaseTransport):
    """Sends over the network, with at most 32 connections that all stay open between bursts.

    The httpx client inside does what a bare transport cannot: it honours HTTPS_PROXY and NO_PROXY. It is
    made with the first request, since loading certificates would be felt at every start.
    """

    def __init__(self) -> None:
        self._client: httpx.AsyncClient | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send `request` as it is, with the timeouts it carries; redirects are answers here."""
        if self._client is None:
            limits = httpx.Limits(max_connections=32, max_keepalive_connections=32, keepalive_expiry=30)
            trust = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            self._client = httpx.AsyncClient(limits=limits, verify=trust)
        return await self._client.send(request)

    async def aclose(self) -> None:
        """Close all connections."""
        if self._client is not None:
            await self._client.aclose()
