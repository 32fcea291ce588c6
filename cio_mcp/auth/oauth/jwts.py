"""JWTs of an issuer: whether one holds here, whose it is, and what its scopes permit."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import jwt

from cio_mcp.auth.oauth.keys import ALGORITHMS, Keys
from cio_mcp.auth.oauth.resource import ProtectedResource
from cio_mcp.errors import Unauthorized
from cio_mcp.safety.grant import Grant
from cio_mcp.safety.permissions import PERMITS

# Seconds by which the issuer's clock and ours may differ.
LEEWAY = 30

# Types of JWT that are access tokens (RFC 9068), or do not say what they are; others have other uses.
TYPES = {"jwt", "at+jwt", "application/at+jwt"}

LONGEST_NAME = 255

# The last moment of the year 9999, in unix seconds.
LATEST = 253_402_300_799

# Why a JWT does not hold; the first that fits is told. None of it quotes the token.
REASONS: tuple[tuple[type[jwt.PyJWTError], str], ...] = (
    (jwt.ExpiredSignatureError, "the token has expired"),
    (jwt.ImmatureSignatureError, "the token is not valid yet"),
    (jwt.InvalidSignatureError, "the token's signature is wrong"),
    (jwt.InvalidAudienceError, "the token is for another audience than {audience}"),
    (jwt.InvalidIssuerError, "the token is from another issuer than {issuer}"),
    (jwt.MissingRequiredClaimError, "the token {error}"),
    (jwt.PyJWTError, "the token is not a readable JWT"),
)


class ScopeGrant(Grant):
    """A grant by scopes. Its name holds a colon, which no name in the file of tokens does."""

    name: str


@dataclass(frozen=True)
class Bearer:
    """Who brought a JWT: the user (`sub`), the client that acts for them, and what they may do."""

    grant: Grant
    client: str
    subject: str | None


class Jwts:
    """The JWTs that are for `resource`, checked with its issuer's `keys`."""

    def __init__(self, resource: ProtectedResource, keys: Keys) -> None:
        self.resource, self.keys = resource, keys
        # Some clients and issuers write an address that has no path with a slash, others without.
        self._audience = [*resource.names, *(f"{name}/" for name in resource.names)]

    async def read(self, token: str) -> Bearer:
        """Return who brought a token; raises Unauthorized."""
        try:
            unproven = jwt.decode_complete(token, options={"verify_signature": False})
            header = unproven["header"]
            if unproven["payload"].get("iss") != self.resource.issuer:
                raise jwt.InvalidIssuerError
            if (algorithm := str(header.get("alg"))) not in ALGORITHMS:
                raise Unauthorized(f"the token is not signed with one of {', '.join(ALGORITHMS)}")
            if str(header.get("typ", "JWT")).lower() not in TYPES:
                raise Unauthorized("the token's typ says that it is not an access token")
            key = await self.keys.find(header.get("kid"), algorithm)
            claims = jwt.decode(
                token,
                key,
                algorithms=list(ALGORITHMS),
                issuer=self.resource.issuer,
                audience=self._audience,
                leeway=LEEWAY,
                options={"require": ["iss", "aud", "exp"], "enforce_minimum_key_length": True},
            )
        except jwt.PyJWTError as error:
            reason = next(words for kind, words in REASONS if isinstance(error, kind))
            words = {
                "issuer": self.resource.issuer,
                "audience": self.resource.names[0],
                "error": _lacks(error),
            }
            raise Unauthorized(reason.format_map(words)) from None
        return self._bearer(claims)

    def _bearer(self, claims: dict[str, Any]) -> Bearer:
        client, subject = _text(claims.get("client_id") or claims.get("azp")), _text(claims.get("sub"))
        if not (client or subject):
            raise Unauthorized("the token names nobody: it has neither sub nor client_id")
        given = _scopes(claims)
        permissions = tuple(name for name in PERMITS if self.resource.prefix + name in given)
        if not permissions:
            needed = ", ".join(self.resource.scopes)
            raise Unauthorized(
                f"the token has none of the scopes {needed}", status=403, error="insufficient_scope"
            )
        # Somebody's client_id can be somebody else's sub (RFC 9068, 5).
        name = f"user:{subject}" if subject else f"client:{client}"
        # A date that no calendar has is as good as none.
        expires = datetime.fromtimestamp(min(claims["exp"] + LEEWAY, LATEST), UTC)
        grant = ScopeGrant(name=name, permissions=permissions, expires=expires)
        return Bearer(grant, client, subject or None)


def _text(claim: Any) -> str:
    """Return a name, or nothing for what would not be one in a log."""
    sound = isinstance(claim, str) and claim.isprintable() and len(claim) <= LONGEST_NAME
    return claim if sound else ""


def _scopes(claims: dict[str, Any]) -> set[str]:
    """Return the scopes of RFC 9068's `scope`, or of `scp`, which some issuers write, as a text or a list."""
    found = claims.get("scope", claims.get("scp", ""))
    return set(
        found.split() if isinstance(found, str) else filter(_text, found if isinstance(found, list) else ())
    )


def _lacks(error: jwt.PyJWTError) -> str:
    return f"has no {error.claim}" if isinstance(error, jwt.MissingRequiredClaimError) else ""
