"""An OAuth issuer of the tests' own, on loopback or as an ASGI application."""

import base64
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import jwt
import uvicorn
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

AUDIENCE = "https://cio.example/mcp"

Private = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey

# The SDK's names for what tokens are signed with, by kind of key.
SIGNS: dict[type[Any], tuple[str, Any]] = {
    rsa.RSAPrivateKey: ("RS256", RSAAlgorithm),
    ec.EllipticCurvePrivateKey: ("ES256", ECAlgorithm),
    ed25519.Ed25519PrivateKey: ("EdDSA", OKPAlgorithm),
}


def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


FIRST = rsa_key()


def kind_of(key: Private) -> tuple[str, Any]:
    return next(found for kind, found in SIGNS.items() if isinstance(key, kind))


class Issuer:
    """Signs tokens with any of its `keys`, publishes those that are `published`, and counts requests."""

    def __init__(self, name: str = "https://issuer.example") -> None:
        self.name = name
        self.keys: dict[str, Private] = {"first": FIRST}
        self.published = ["first"]
        self.metadata_at = "/.well-known/oauth-authorization-server"
        self.metadata: dict[str, object] = {}
        self.answer: Callable[[], Response] | None = None  # in place of the keys
        self.asked: Counter[str] = Counter()
        self.granted: list[dict[str, str]] = []
        self.app = Starlette(
            routes=[
                Route("/token", self._token, methods=["POST"]),
                Route("/{path:path}", self._get),
            ]
        )

    def add(self, name: str, key: Private) -> None:
        self.keys[name] = key
        self.published.append(name)

    def jwk(self, name: str) -> dict[str, Any]:
        public = self.keys[name].public_key()
        found: dict[str, Any] = kind_of(self.keys[name])[1].to_jwk(public, as_dict=True)
        return found | {"kid": name, "use": "sig"}

    def token(self, key: str = "first", headers: dict[str, Any] | None = None, **claims: Any) -> str:
        """Sign a token that holds unless `claims` say otherwise; those that are None are left out."""
        now = int(time.time())
        given = {
            "iss": self.name,
            "aud": AUDIENCE,
            "iat": now,
            "exp": now + 300,
            "sub": "ada",
            "client_id": "desk",
            "scope": "cio:read cio:write cio:delete cio:send",
        } | claims
        kept = {name: value for name, value in given.items() if value is not None}
        head = {"kid": key, "typ": "at+jwt"} | (headers or {})
        told = {name: value for name, value in head.items() if value is not None}
        return jwt.encode(kept, self.keys[key], kind_of(self.keys[key])[0], told)

    async def _get(self, request: Request) -> Response:
        path = request.url.path
        self.asked[path] += 1
        if path == self.metadata_at:
            about = {"issuer": self.name, "jwks_uri": f"{self.name}/keys", **self._endpoints()}
            return JSONResponse(about | self.metadata)
        if path == "/moved":
            return RedirectResponse(f"{self.name}/keys")
        if not path.endswith("/keys"):
            return JSONResponse({"error": "not_found"}, 404)
        return self.answer() if self.answer else JSONResponse({"keys": [*map(self.jwk, self.published)]})

    def _endpoints(self) -> dict[str, object]:
        return {
            "authorization_endpoint": f"{self.name}/authorize",
            "token_endpoint": f"{self.name}/token",
            "response_types_supported": ["code"],
            "grant_types_supported": ["client_credentials"],
        }

    async def _token(self, request: Request) -> Response:
        """Grant a client's credentials a token for the resource that it names (RFC 8707)."""
        asked = {name: str(value) for name, value in (await request.form()).items()}
        self.granted.append(asked)
        credentials = base64.b64decode(request.headers["authorization"].removeprefix("Basic ")).decode()
        client = credentials.partition(":")[0]
        signed = self.token(aud=asked["resource"], scope=asked["scope"], sub=client, client_id=client)
        return JSONResponse({"access_token": signed, "token_type": "Bearer", "expires_in": 300})


@contextmanager
def issuing() -> Iterator[Issuer]:
    """Run an issuer on a free port of loopback."""
    issuer = Issuer()
    config = uvicorn.Config(issuer.app, port=0, log_level="error", ws="none", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    socket = config.bind_socket()
    issuer.name = f"http://127.0.0.1:{socket.getsockname()[1]}"
    thread = threading.Thread(target=server.run, args=([socket],))
    thread.start()
    try:
        yield issuer
    finally:
        server.should_exit = True
        thread.join()
        socket.close()
