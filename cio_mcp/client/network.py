"""The wire to Customer.io: proxies from the environment, certificates as the system trusts them."""

import socket
import ssl
from collections.abc import Iterator

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


# Why there is no connection, by what led to the failure; the first that fits is told.
CAUSES: tuple[tuple[type[Exception], str], ...] = (
    (ssl.SSLCertVerificationError, "the certificate of {host} is not trusted here"),
    (ssl.SSLError, "{host} does not speak TLS there"),
    (socket.gaierror, "the name {host} cannot be resolved: no network, or no DNS"),
    (ConnectionRefusedError, "{host} refuses connections"),
    (httpx.ProxyError, "the proxy does not let through to {host}"),
    (httpx.PoolTimeout, "all connections to {host} are in use"),
    (httpx.TimeoutException, "{host} does not answer in time"),
)


def cause(error: httpx.RequestError, host: str) -> str:
    """Say why `host` was not reached, in words without addresses: those can hold what is secret."""
    chain = list(_chain(error))
    for kind, words in CAUSES:
        if any(isinstance(link, kind) for link in chain):
            return words.format(host=host)
    return f"{host} cannot be reached ({type(error).__name__})"


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an exception and what led to it; anyio keeps several attempts in one group."""
    while error is not None:
        yield error
        if isinstance(error, BaseExceptionGroup):
            for inner in error.exceptions:
                yield from _chain(inner)
        error = error.__cause__ or error.__context__
