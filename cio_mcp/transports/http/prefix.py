"""The prefix of the path that a proxy strips, so that addresses which are told to clients have it."""

import ipaddress
import logging
import re
from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

HEADER = "x-forwarded-prefix"

_PREFIX = re.compile(r"(/[\w.~-]+)*/?", re.ASCII)

_log = logging.getLogger(__name__)


class Prefix:
    """ASGI middleware that puts a prefix before the path, as what comes behind expects of one.

    It is `root`, or what a proxy says that has one of the `trusted` addresses.
    """

    def __init__(self, app: ASGIApp, root: str, trusted: Sequence[str]) -> None:
        self._app, self._root = app, root
        self._trusted = [ipaddress.ip_network(network, strict=False) for network in trusted]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with the prefix of the request."""
        if scope["type"] == "http" and (root := self._forwarded(scope) or self._root):
            mounted = {"root_path": root + scope.get("root_path", ""), "path": root + scope["path"]}
            scope = {**scope, **mounted}
        await self._app(scope, receive, send)

    def _forwarded(self, scope: Scope) -> str:
        given = Headers(scope=scope).getlist(HEADER) if self._trusted else []
        if not given or not self._trusts(scope.get("client")):
            return ""
        if len(given) > 1 or not _PREFIX.fullmatch(given[0]):
            _log.warning("a proxy sends an %s that is not a path; it is ignored", HEADER)
            return ""
        return given[0].rstrip("/")

    def _trusts(self, client: tuple[str, int] | None) -> bool:
        try:
            address = ipaddress.ip_address(client[0] if client else "")
        except ValueError:
            return False
        mapped = getattr(address, "ipv4_mapped", None) or address
        return any(mapped in network for network in self._trusted)
