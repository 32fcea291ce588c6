"""Who may call over HTTP, and how a client learns where to get a token.

A bearer token is one of the file, or a JWT of the OAuth issuer; whoever comes in is left on the request with
their grant. Tools that a JWT's scopes do not permit are not listed for its caller, and refused. Only a JWT
that has none of the scopes is answered 403: a client asks for more then, and never calls what is not listed.
"""

from typing import Self

from mcp.server.auth.middleware.auth_context import AuthContextMiddleware
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from mcp.server.auth.routes import cors_middleware
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from cio_mcp.app.application import App
from cio_mcp.auth.oauth import Jwts, Keys, ProtectedResource
from cio_mcp.auth.oauth.resource import WELL_KNOWN
from cio_mcp.auth.tokens import Tokens
from cio_mcp.errors import Unauthorized
from cio_mcp.safety.audit.strangers import Strangers
from cio_mcp.safety.grant import Grant
from cio_mcp.settings import Settings
from cio_mcp.transports.http.routes import wrapped
from cio_mcp.transports.http.transports import TRANSPORTS


class TokenUser(AuthenticatedUser):
    """Whoever brought a token. The SDK ties sessions to the token's names; `grant` is what they may do."""

    def __init__(self, grant: Grant, *, client: str, subject: str | None = None, issuer: str = "") -> None:
        claims = {"iss": issuer} if issuer else None
        super().__init__(AccessToken(token="", client_id=client, scopes=[], subject=subject, claims=claims))
        self.grant = grant


class Authenticator:
    """Lets in who brings a token of the file, or a JWT."""

    def __init__(self, tokens: Tokens | None, jwts: Jwts | None, strangers: Strangers) -> None:
        self._tokens = tokens
        self._jwts = jwts
        self.strangers = strangers

    async def __aenter__(self) -> Self:
        if self._jwts:
            # Whoever starts the server learns at once, from the log, that an issuer cannot be reached.
            self._jwts.keys.fetch()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._jwts:
            await self._jwts.keys.aclose()

    def trouble(self) -> str:
        """Return why the issuer's keys could not be fetched, and try again; empty if they could."""
        if self._jwts is None or not self._jwts.keys.trouble:
            return ""
        self._jwts.keys.fetch()
        return self._jwts.keys.trouble

    def guard(self, route: BaseRoute) -> BaseRoute:
        """Return a route that only callers with a token come through."""
        return wrapped(route, lambda app: _Authentication(self, app))

    async def authenticate(self, authorization: str) -> TokenUser:
        """Return who sent a request with this Authorization header; raises Unauthorized."""
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not (token := token.strip()):
            raise Unauthorized("a bearer token is needed, in the header Authorization", error="")
        if self._tokens and (grant := self._tokens.find(token)):
            return TokenUser(grant, client=grant.name)
        if self._jwts is None:
            raise Unauthorized("the token is unknown, revoked or expired")
        found = await self._jwts.read(token)
        return TokenUser(
            found.grant, client=found.client, subject=found.subject, issuer=self._jwts.resource.issuer
        )

    def refusal(self, why: Unauthorized, path: str) -> Response:
        """Return the answer to a request to `path` that does not come in (RFC 6750, RFC 9728)."""
        told = {"error": why.error, "error_description": str(why)}
        if why.status == 503:
            return JSONResponse(told, 503, {"retry-after": "10"})
        challenge = dict(told) if why.error else {}
        if self._jwts:
            challenge |= {"scope": " ".join(self._jwts.resource.scopes)} if why.status == 403 else {}
            challenge |= {"resource_metadata": self._jwts.resource.metadata_url(path)}
        words = ", ".join(f'{name}="{value}"' for name, value in challenge.items())
        told["error"] = why.error or "invalid_token"
        return JSONResponse(told, why.status, {"www-authenticate": f"Bearer {words}".strip()})

    def metadata(self) -> list[BaseRoute]:
        """Return the routes that say which issuer has tokens for this server; none if no issuer has."""
        if self._jwts is None:
            return []
        return [_about(self._jwts.resource, path) for path in self._jwts.resource.places]


def authenticator_of(settings: Settings, app: App) -> Authenticator | None:
    """Return the authenticator that the settings ask for, None if anybody on this machine may call."""
    if settings.oauth_issuer is None:
        return Authenticator(app.tokens, None, app.strangers) if app.tokens else None
    resource = ProtectedResource(
        settings.oauth_issuer,
        settings.oauth_audience,
        settings.oauth_scope_prefix,
        settings.permissions,
        [transport.paths[0] for transport in TRANSPORTS.values()],
    )
    jwts = Jwts(resource, Keys(settings.oauth_issuer, settings.oauth_jwks_url))
    return Authenticator(app.tokens, jwts, app.strangers)


class _Authentication:
    """Lets through who is known. The SDK binds what it seals to whom the context names."""

    def __init__(self, authenticator: Authenticator, app: ASGIApp) -> None:
        self._authenticator = authenticator
        self._app = AuthContextMiddleware(app)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            scope["user"] = await self._authenticator.authenticate(
                Headers(scope=scope).get("authorization", "")
            )
        except Unauthorized as why:
            self._authenticator.strangers.add(str(why))
            await self._authenticator.refusal(why, scope["path"])(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _about(resource: ProtectedResource, path: str) -> Route:
    async def answer(_: Request) -> Response:
        return JSONResponse(resource.metadata(path))

    methods = ["GET", "OPTIONS"]
    return Route(WELL_KNOWN + path, endpoint=cors_middleware(answer, methods), methods=methods)
