"""This server as an issuer and its clients know it: addresses, scopes, metadata (RFC 9728)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from cio_mcp.safety.permissions import PERMITS
from cio_mcp.settings.values import is_safe

WELL_KNOWN = "/.well-known/oauth-protected-resource"


@dataclass(frozen=True)
class ProtectedResource:
    """A server that takes tokens of `issuer`.

    `names` are what tokens may call it (`aud`): its address first, then other addresses, and whatever else.
    `prefix` stands before the words of `permissions` in scopes; those are what the server has to give. At
    `paths` clients begin, and so look for metadata.
    """

    issuer: str
    names: Sequence[str]
    prefix: str = "cio:"
    permissions: Sequence[str] = tuple(PERMITS)
    paths: Sequence[str] = ()

    @property
    def scopes(self) -> list[str]:
        """The scopes that permit anything here."""
        return [self.prefix + name for name in PERMITS if name in self.permissions]

    @property
    def places(self) -> list[str]:
        """The paths under which metadata is looked for, behind the well-known one."""
        own = (urlsplit(name).path.rstrip("/") for name in self.names if is_safe(name))
        return list(dict.fromkeys(("", *self.paths, *own)))

    def at(self, path: str) -> str:
        """Return the name that tokens for requests to `path` hold."""
        own = (name for name in self.names if path and is_safe(name) and urlsplit(name).path.endswith(path))
        return next(own, self.names[0])

    def metadata(self, path: str) -> Mapping[str, object]:
        """Return what a client must know to get a token for requests to `path`."""
        return {
            "resource": self.at(path),
            "resource_name": "Customer.io",
            "authorization_servers": [self.issuer],
            "scopes_supported": self.scopes,
            "bearer_methods_supported": ["header"],
        }

    def metadata_url(self, path: str) -> str:
        """Return where that is: between the host and the path of the name."""
        parts = urlsplit(self.at(path))
        return f"{parts.scheme}://{parts.netloc}{WELL_KNOWN}{parts.path.rstrip('/')}"
