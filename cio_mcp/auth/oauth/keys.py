"""An issuer's public keys: found through its metadata, kept, and fetched again when that can help."""

import asyncio
import logging
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
from jwt import PyJWK, PyJWTError

from cio_mcp.client.bodies import json_of, loaded
from cio_mcp.client.call import now
from cio_mcp.client.network import Network, failure_of
from cio_mcp.errors import Unauthorized
from cio_mcp.settings.values import is_safe

# What a JWT may be signed with, and the type of key that goes with it (RFC 7518, RFC 8037). Never a shared
# secret: a public key would do for one.
ALGORITHMS = {
    **{f"{scheme}{bits}": "RSA" for scheme in ("RS", "PS") for bits in (256, 384, 512)},
    **{f"ES{bits}": "EC" for bits in (256, 384, 512)},
    "EdDSA": "OKP",
}

# Keys are looked at again after so many seconds: one that the issuer withdrew must not hold for ever.
FRESH = 600.0

# Fetches are so many seconds apart, however many tokens name keys that nobody has.
PAUSE = 10.0

HEADERS = {"accept": "application/json", "accept-encoding": "gzip, deflate"}

# The issuer has so many seconds for all that a fetch takes.
PATIENCE = 5.0

_log = logging.getLogger(__name__)


class Keys:
    """The keys of `issuer`, at `url` or where its metadata says (RFC 8414, or OpenID Connect Discovery).

    Requests go to https or loopback, and follow no redirect. While the issuer cannot be reached the keys
    that are known go on working; `trouble` tells an operator why. `wire` takes the place of the network.
    """

    def __init__(
        self, issuer: str, url: str | None = None, *, wire: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._issuer, self._given, self._found = issuer, url, url
        self._client = httpx.AsyncClient(transport=wire or Network(), trust_env=False)
        self._keys: list[dict[str, Any]] | None = None
        self.trouble = ""
        self._fetched = self._next = float("-inf")
        self._fetching: asyncio.Task[None] | None = None

    async def find(self, name: str | None, algorithm: str) -> PyJWK:
        """Return the key of a name (`kid`) for an algorithm; without a name, the only one that fits.

        Raises Unauthorized: 401 if the issuer has no such key, 503 if that cannot be known now.
        """
        key = self._known(name, algorithm)
        if key is None or now() >= self._fetched + FRESH:
            fetching = self.fetch()
            # Nobody waits over and over for an issuer that is away, if they can be let in without it.
            if fetching and not (key and self.trouble):
                await asyncio.shield(fetching)
                key = self._known(name, algorithm)
        if key:
            return key
        if self.trouble:
            why = f"the keys of {self._issuer} cannot be fetched now; try again later"
            raise Unauthorized(why, status=503, error="temporarily_unavailable")
        raise Unauthorized("the token is signed with a key that the issuer does not have")

    def fetch(self) -> "asyncio.Task[None] | None":
        """Begin to fetch the keys, unless that was done moments ago; return the fetch that runs."""
        if self._fetching is None and now() >= self._next:
            self._fetching = asyncio.create_task(self._fetch())
        return self._fetching

    async def aclose(self) -> None:
        """Stop fetching and close all connections."""
        if self._fetching:
            self._fetching.cancel()
            await asyncio.wait([self._fetching])
        await self._client.aclose()

    def _known(self, name: str | None, algorithm: str) -> PyJWK | None:
        fitting = [
            key
            for key in self._keys or ()
            if key.get("kty") == ALGORITHMS[algorithm]
            and key.get("alg", algorithm) == algorithm
            and key.get("use", "sig") == "sig"
            and (name is None or key.get("kid") == name)
        ]
        try:
            return PyJWK(fitting[0], algorithm) if len(fitting) == 1 or (name and fitting) else None
        except PyJWTError:
            return None

    async def _fetch(self) -> None:
        first, trouble = self._keys is None, ""
        try:
            async with asyncio.timeout(PATIENCE):
                self._found = self._found or await self._discover()
                self._keys = await self._read(self._found)
            self._fetched = now()
        except (_Trouble, TimeoutError, httpx.InvalidURL) as error:
            # Where the keys are may be what has changed.
            self._found = self._given
            why = str(error) or "it does not answer in time"
            trouble = f"the keys of {self._issuer} cannot be fetched: {why}"
            if trouble != self.trouble:
                _log.warning("%s; tokens signed with known keys keep working", trouble)
        finally:
            # A key may change right after a start, so the first fetch does not hold back the next.
            self._next = now() if first and not trouble else now() + PAUSE
            self.trouble, self._fetching = trouble, None

    async def _discover(self) -> str:
        for url in _metadata(self._issuer):
            if (found := await self._get(url)) is None:
                continue
            if found.get("issuer") != self._issuer:
                raise _Trouble(f"{url} is the metadata of another issuer; CIO_OAUTH_ISSUER is not its name")
            where = found.get("jwks_uri")
            if not isinstance(where, str) or not is_safe(where):
                raise _Trouble(f"{url} names no https address for the keys")
            return where
        raise _Trouble("it has no metadata; set CIO_OAUTH_ISSUER to its exact name, or CIO_OAUTH_JWKS_URL")

    async def _read(self, url: str) -> list[dict[str, Any]]:
        found = await self._get(url)
        if found is None or not isinstance(found.get("keys"), list):
            raise _Trouble(f"{url} holds no keys")
        return [key for key in found["keys"] if isinstance(key, dict)]

    async def _get(self, url: str) -> dict[str, Any] | None:
        """Return the JSON object at `url`, None if there is nothing there; raises _Trouble."""
        try:
            asked = self._client.build_request("GET", url, headers=HEADERS, timeout=PATIENCE)
            answer = await loaded(await self._client.send(asked, stream=True))
        except httpx.RequestError as error:
            raise _Trouble(str(failure_of(error, httpx.URL(url)))) from None
        if answer.status_code in {400, 404, 405, 410}:
            return None
        if answer.status_code != 200:
            redirect = ", a redirect, which is not followed" if answer.is_redirect else ""
            raise _Trouble(f"{url} answers {answer.status_code}{redirect}")
        try:
            found = json_of(answer)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise _Trouble(f"{url} does not answer with a JSON object")
        return found


class _Trouble(Exception):
    """Why the keys could not be fetched, in words for an operator."""


def _metadata(issuer: str) -> Iterator[str]:
    """Yield where an issuer's metadata may be, in the order that MCP prescribes for clients."""
    parts = urlsplit(issuer)
    host, path = f"{parts.scheme}://{parts.netloc}", parts.path.rstrip("/")
    yield f"{host}/.well-known/oauth-authorization-server{path}"
    yield f"{host}/.well-known/openid-configuration{path}"
    if path:
        yield f"{host}{path}/.well-known/openid-configuration"
