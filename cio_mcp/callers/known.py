"""Who is calling, and what is left for them of what the server does."""

from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from cio_mcp.callers.tokens import Tokens
from cio_mcp.errors import SettingsError
from cio_mcp.safety.grant import Grant
from cio_mcp.safety.permissions import ALL, switched_off
from cio_mcp.toolkit.registry import Tool

# Headers by which a client narrows what it may do, with the words of the settings of these names.
HEADERS = {name: f"x-cio-{name}" for name in ("permissions", "toolsets", "tools", "workspaces")}


@dataclass(frozen=True)
class Known:
    """A caller: the name of their token, if there are tokens, and the grants that narrow what they may do."""

    name: str = ""
    grants: tuple[Grant, ...] = ()

    def off(self, tools: Iterable[Tool]) -> Mapping[str, str]:
        """Return the tools that are off for this caller, and why; a grant that makes no sense leaves none."""
        tools = list(tools)
        off: dict[str, str] = {}
        for grant in self.grants:
            try:
                off |= switched_off(
                    tools,
                    (),
                    permissions=grant.permissions,
                    toolsets=grant.toolsets or (ALL,),
                    patterns=grant.tools,
                )
            except SettingsError as error:
                off |= {tool.name: f"what {grant.name} may do is not clear: {error}" for tool in tools}
        return off

    def may_use(self, workspace: str) -> bool:
        """Say whether this caller may use a workspace; one that stands alone has no name, and is for all."""
        return not workspace or all(
            not grant.workspaces or workspace in grant.workspaces for grant in self.grants
        )


# Who sends requests without an address: whoever started the process and speaks on its stdin.
OWNER = Known()

# Whom the request that is being answered is from.
current: ContextVar[Known] = ContextVar("caller", default=OWNER)


def recognise(request: Any, tokens: Tokens | None) -> Known:
    """Return who an HTTP request is from, None for stdio's; one that came in by no token may do nothing.

    Where tokens are asked for, the door has left a user on the request, whose `grant` is their token's.
    """
    if request is None:
        return OWNER
    headers: Mapping[str, str] = request.headers
    narrowed = {name: _words(headers[header]) for name, header in HEADERS.items() if header in headers}
    grants = (_narrowing(narrowed),) if narrowed else ()
    user = request.scope.get("user")
    if tokens is None and user is None:
        return Known(grants=grants)
    grant = getattr(user, "grant", None) or Grant(name="nobody", permissions=())
    return Known(grant.name, (grant, *grants))


def _narrowing(words: dict[str, tuple[str, ...]]) -> Grant:
    try:
        return Grant(name="header", **words)
    except ValidationError:
        return Grant(name="header", permissions=())


def _words(text: str) -> tuple[str, ...]:
    return tuple(filter(None, map(str.strip, text.split(","))))
