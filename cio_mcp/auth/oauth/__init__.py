"""The resource server's side of OAuth 2.1: whom an issuer's JWTs let in, and to do what."""

from cio_mcp.auth.oauth.jwts import Bearer, Jwts
from cio_mcp.auth.oauth.keys import Keys
from cio_mcp.auth.oauth.resource import ProtectedResource

__all__ = ["Bearer", "Jwts", "Keys", "ProtectedResource"]
