"""The wire to Customer.io: proxies from the environment, certificates as the system trusts them."""

import re
import socket
import ssl
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import Enum
from importlib.util import find_spec
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx
import truststore

from cio_mcp.client.bodies import loaded
from cio_mcp.client.call import deadline_of

if find_spec("sniffio") is None:
    # httpcore tries to import it about six times in each request, which searches every folder of the path.
    sys.modules["sniffio"] = None  # type: ignore[assignment]

# At most so many connections, in pools of so many: a pool of httpx 0.28 looks at each of its connections, and
# from each at all others, whenever one is taken or given back.
CONNECTIONS, POOL = 32, 4


class Network(httpx.AsyncBaseTransport):
    """Sends over the network, with at most 32 connections that all stay open between bursts.

    HTTPS_PROXY, NO_PROXY and SSL_CERT_FILE are honoured. Certificates are loaded with the first request, as
    that would be felt at every start.
    """

    def __init__(self) -> None:
        self._trust: ssl.SSLContext | None = None
        self._through: dict[str, list[_Pool]] = {}  # by the proxy's address, empty for none
        self._to: dict[tuple[str, bytes], list[_Pool]] = {}  # by scheme, host and port

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send `request` as it is, with its own timeouts, and read the answer; a redirect is one."""
        origin = request.url.scheme, request.url.netloc
        if origin not in self._to:
            self._to[origin] = self._open(_proxy(request.url))
        pools = self._to[origin]
        pool = next((pool for pool in pools if pool.in_use < POOL), None) or min(pools, key=_Pool.load)
        return await pool.send(request)

    @asynccontextmanager
    async def streamed(self, request: httpx.Request) -> AsyncIterator[httpx.Response]:
        """Send `request` on a connection of its own, and leave the body to be read: it may be of any size."""
        self._trust = self._trust or _trust()
        async with _transport(self._trust, _proxy(request.url)) as transport:
            answer = await transport.handle_async_request(request)
            try:
                yield answer
            finally:
                await answer.aclose()

    def _open(self, proxy: str) -> "list[_Pool]":
        if proxy not in self._through:
            self._trust = self._trust or _trust()
            pools = range(CONNECTIONS // POOL)
            self._through[proxy] = [_Pool(_transport(self._trust, proxy), proxy) for _ in pools]
        return self._through[proxy]

    async def aclose(self) -> None:
        """Close all connections."""
        for pools in self._through.values():
            for pool in pools:
                await pool.transport.aclose()


class _Pool:
    def __init__(self, transport: httpx.AsyncHTTPTransport, proxy: str) -> None:
        self.transport = transport
        self.in_use = 0
        self._tls_to_proxy = proxy.startswith("https:")

    def load(self) -> int:
        return self.in_use

    async def send(self, request: httpx.Request) -> httpx.Response:
        self.in_use += 1
        behind = False

        async def follow(event: str, _: object) -> None:
            nonlocal behind
            behind = behind or event == "proxy.start_tls.started"

        if self._tls_to_proxy:
            request.extensions["trace"] = follow
        try:
            response = await self.transport.handle_async_request(request)
            return await loaded(response, deadline_of(request))
        except httpx.ConnectError as error:
            if self._tls_to_proxy and not behind:
                raise ProxyUnreached(str(error)) from error
            raise
        finally:
            self.in_use -= 1


class ProxyUnreached(httpx.ConnectError):
    """It is the connection to the proxy that failed, or TLS on it, and not what comes behind."""


class UnusableProxy(httpx.ProxyError):
    """The environment names a proxy that cannot be used; the text is ours, and holds nothing of it."""


def _trust() -> ssl.SSLContext:
    trust = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    paths = ssl.get_default_verify_paths()
    if sys.platform != "linux" and paths.cafile and paths.cafile != paths.openssl_cafile:
        # OpenSSL's SSL_CERT_FILE, which means nothing to the certificates of Windows and macOS.
        trust.load_verify_locations(paths.cafile)
    return trust


def _transport(trust: ssl.SSLContext, proxy: str) -> httpx.AsyncHTTPTransport:
    limits = httpx.Limits(max_connections=POOL, max_keepalive_connections=POOL, keepalive_expiry=30)
    variables = "HTTPS_PROXY, HTTP_PROXY or ALL_PROXY"
    try:
        # Without a context of its own a proxy is trusted as certifi says, and not as the system does.
        own = trust if proxy.startswith("https:") else None
        through = httpx.Proxy(proxy, ssl_context=own) if proxy else None
        return httpx.AsyncHTTPTransport(verify=trust, limits=limits, proxy=through)
    except ImportError as error:
        extra = "the extra: pip install 'cio-mcp[socks]'"
        raise UnusableProxy(f"{variables} names a SOCKS proxy, which needs {extra}") from error
    except (ValueError, httpx.InvalidURL) as error:
        raise UnusableProxy(
            f"{variables} is not the address of a proxy, such as http://proxy.example.com:3128"
        ) from error


class FailureCause(Enum):
    """Why there is no connection."""

    UNUSABLE_PROXY = "{error}"
    PROXY = "{next} refuses the connection{status}"
    CERTIFICATE = "the certificate of {secured} is not trusted on this machine"
    TLS = "{secured} does not accept TLS connections"
    NAME = "the name of {next} cannot be resolved: no network, or no DNS"
    REFUSED = "{next} refuses connections"
    IN_USE = "all connections to {host} are in use"
    TIMEOUT = "{next} does not answer in time"
    OTHER = "{next} cannot be reached ({kind})"


# The cause of a failure is the first of these that matches an exception in its chain.
CAUSES: tuple[tuple[type[Exception], FailureCause], ...] = (
    (UnusableProxy, FailureCause.UNUSABLE_PROXY),
    (httpx.ProxyError, FailureCause.PROXY),
    (ssl.SSLCertVerificationError, FailureCause.CERTIFICATE),
    (ssl.SSLError, FailureCause.TLS),
    (socket.gaierror, FailureCause.NAME),
    (ConnectionRefusedError, FailureCause.REFUSED),
    (httpx.PoolTimeout, FailureCause.IN_USE),
    (httpx.TimeoutException, FailureCause.TIMEOUT),
    (TimeoutError, FailureCause.TIMEOUT),
)


@dataclass(frozen=True)
class Failure:
    """A failure to reach an address: its cause, and that in words without credentials, paths and queries."""

    cause: FailureCause
    text: str

    def __str__(self) -> str:
        return self.text


def failure_of(error: httpx.RequestError, url: httpx.URL) -> Failure:
    """Return why `url` was not reached."""
    chain, proxy, host = list(_chain(error)), proxy_of(url), _place(url.scheme, url.host, url.port)
    fits = (cause for kind, cause in CAUSES if any(isinstance(link, kind) for link in chain))
    cause = next(fits, FailureCause.OTHER)
    # `next` is what comes next on the way: the host itself, or a proxy.
    then = f"the proxy {proxy} on the way to {host}" if proxy else host
    text = cause.value.format(
        host=host,
        next=then,
        secured=then if isinstance(error, ProxyUnreached) else host,
        error=error,
        status=_status(error),
        kind=type(error).__name__,
    )
    return Failure(cause, text)


def _status(error: httpx.RequestError) -> str:
    """Return the status that a proxy answered with; the rest of its line is its own words."""
    found = re.match(r"\d{3}\b", str(error))
    meaning = ": it requires a user name and password" if found and found[0] == "407" else ""
    return f" (status {found[0]}{meaning})" if found else ""


def proxy_of(url: httpx.URL) -> str:
    """Return host and port of the proxy that requests to `url` take, or nothing: never a password."""
    proxy = _proxy(url)
    try:
        parts = urlsplit(proxy)
        return _place(parts.scheme, parts.hostname or "without a name", parts.port) if proxy else ""
    except ValueError:  # its port is not a number
        return "with a wrong port"


PORTS = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}


def _place(scheme: str, host: str, port: int | None) -> str:
    port = port or PORTS.get(scheme)
    return (f"[{host}]" if ":" in host else host) + (f":{port}" if port else "")


def _proxy(url: httpx.URL) -> str:
    """Return the proxy that requests to `url` take, as the environment or the system says."""
    proxies = getproxies()
    proxy = proxies.get(url.scheme) or proxies.get("all") or ""
    if not proxy or proxy_bypass(url.host):
        return ""
    if proxy.startswith("socks:"):  # as desktops write it
        return proxy.replace("socks:", "socks5:", 1)
    return proxy if "://" in proxy else f"http://{proxy}"


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an exception and what led to it; anyio keeps several attempts in one group."""
    while error is not None:
        yield error
        if isinstance(error, BaseExceptionGroup):
            for inner in error.exceptions:
                yield from _chain(inner)
        error = error.__cause__ or error.__context__
