"""Who is calling, and what is left for them of what the server does."""

from collections.abc import Collection, Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError

from cio_mcp.auth.tokens import Tokens
from cio_mcp.safety.grant import Grant
from cio_mcp.safety.permissions import ALL, UnknownWord, switched_off
from cio_mcp.settings import first_fault
from cio_mcp.settings.scopes import RequestSettings
from cio_mcp.toolkit.core import CORE
from cio_mcp.toolkit.registry import Tool

# Headers by which a request narrows what its caller may do, by the names of what they narrow.
HEADERS = {name: f"x-cio-{name.replace('_', '-')}" for name in (*RequestSettings.model_fields, "workspaces")}
NAMES = {header: name for name, header in HEADERS.items()}


class BadHeader(Exception):
    """A header that narrows makes no sense; the text names it and what is wrong."""


@dataclass(frozen=True)
class Principal:
    """A caller: the name of their token, if there are tokens, and the grants that narrow what they may do."""

    name: str = ""
    grants: tuple[Grant, ...] = ()

    def off(self, tools: Iterable[Tool]) -> Mapping[str, str]:
        """Return the tools that are off for this caller, and why; a grant that makes no sense leaves none."""
        tools = list(tools)
        off: dict[str, str] = {}
        for grant in self.grants:
            try:
                off |= switched_off(tools, CORE, grant, ALL)
            except UnknownWord as error:
                off |= {tool.name: f"the grant of {grant.name} is wrong: {error}" for tool in tools}
        return off

    def may_use(self, workspace: str) -> bool:
        """Say whether this caller may use a workspace."""
        return all(grant.may_use(workspace) for grant in self.grants)


# Who sends requests without an address: whoever started the process and speaks on its stdin.
OWNER = Principal()

# Whom the request that is being answered is from.
current: ContextVar[Principal] = ContextVar("principal", default=OWNER)


def recognise(request: Any, tokens: Tokens | None) -> Principal:
    """Return who an HTTP request is from; one that came in by no token may do nothing.

    Where tokens are asked for, the authenticator has left a user on the request, whose `grant` is their
    token's. Raises BadHeader.
    """
    narrowing = narrowing_of(request.headers.items())
    grants = (narrowing,) if narrowing else ()
    user = request.scope.get("user")
    if tokens is None and user is None:
        return Principal(grants=grants)
    grant = getattr(user, "grant", None) or Grant(name="nobody", permissions=())
    return Principal(grant.name, (grant, *grants))


def narrowing_of(headers: Iterable[tuple[str, str]]) -> Grant | None:
    """Return what a request's headers leave, None if they narrow nothing; an empty header leaves nothing.

    Raises BadHeader for a header that is repeated, or misspelt: to pass it over would narrow nothing.
    """
    given: dict[str, str | tuple[str, ...]] = {}
    for header, text in headers:
        if name := NAMES.get(header):
            if name in given:
                raise BadHeader(f"{header}: is given twice; write its words in one, with commas between them")
            given[name] = text if text.strip() else ()
        elif header.replace("_", "-").startswith("x-cio-") and (
            near := get_close_matches(header, NAMES, n=1, cutoff=0.8)
        ):
            raise BadHeader(f"{header}: there is no such header; did you mean {near[0]}?")
    try:
        return Grant.model_validate({"name": "header", **given}) if given else None
    except ValidationError as error:
        (name, *_), message = first_fault(error)
        raise BadHeader(f"{HEADERS[name]}: {message}") from None


def check_narrowing(narrowing: Grant, tools: Iterable[Tool], workspaces: Collection[str]) -> None:
    """Raise BadHeader for a word that names nothing; `workspaces` are what the caller's token leaves."""
    try:
        switched_off(tools, CORE, narrowing, ALL)
    except UnknownWord as error:
        raise BadHeader(f"{HEADERS[error.setting]}: {error.fault}") from None
    for name in narrowing.workspaces:
        if name not in workspaces:
            known = ", ".join(filter(None, workspaces))
            hint = f"there are {known}" if known else "this server's only one has no name"
            raise BadHeader(f"{HEADERS['workspaces']}: there is no {name} for this caller; {hint}")
