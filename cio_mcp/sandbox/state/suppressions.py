"""Addresses to which the mail service delivers nothing, by kind: each with the reason and since when."""

from typing import Any

from cio_mcp.sandbox.state import pseudonyms
from cio_mcp.sandbox.state.workspace import Workspace

# What an answer calls each kind. Documented: bounces and spam. Assumed (suppressed addresses): the rest.
CATEGORIES = {
    "bounces": "bounces",
    "spam_reports": "spam",
    "blocks": "blocks",
    "invalid_emails": "invalid",
}

THING = "suppression"


def add(workspace: Workspace, kind: str, email: str, reason: str = "", status: str = "") -> None:
    """Suppress an address; it keeps the first reason of a kind."""
    if not any(known["kind"] == kind for known in _of(workspace, email)):
        told = {"email": email.lower(), "reason": reason, "status": status}
        number = workspace.next_number(THING)
        workspace.configure(THING, {"id": number, "kind": kind, "created": workspace.now(), **told})


def lift(workspace: Workspace, kind: str, email: str) -> None:
    """Let the mail service deliver to an address again.

    Assumed (suppressed addresses): one that is not suppressed is no fault.
    """
    for known in _of(workspace, email):
        if known["kind"] == kind:
            workspace.remove(THING, known["id"])


def listed(workspace: Workspace, kind: str) -> list[dict[str, Any]]:
    """Return what is suppressed of a kind, by address, as the API tells it."""
    found = [_told(known) for known in _known(workspace) if known["kind"] == kind]
    return sorted(found, key=lambda known: str(known["email"]))


def search(workspace: Workspace, email: str) -> tuple[str, list[dict[str, Any]]]:
    """Return under which category an address is suppressed, empty for none, and how."""
    found = _of(workspace, email)
    return CATEGORIES[found[0]["kind"]] if found else "", [_told(known) for known in found]


def in_the_way(workspace: Workspace, message: dict[str, Any]) -> dict[str, Any]:
    """Return what becomes of an email to a suppressed address, nothing for any other.

    Assumed (dropped messages): it is dropped.
    """
    _, found = search(workspace, message["recipient"]) if message["type"] == "email" else ("", [])
    return {"fate": {"dropped": 1}, "reason": found[0]["reason"]} if found else {}


def _of(workspace: Workspace, email: str) -> list[dict[str, Any]]:
    """Return how an address is suppressed, also one of somebody who was forgotten."""
    names = {email.lower(), pseudonyms.of(workspace, email)}
    return [known for known in _known(workspace) if known["email"] in names]


def _known(workspace: Workspace) -> list[dict[str, Any]]:
    return workspace.things(THING)


def _told(known: dict[str, Any]) -> dict[str, Any]:
    return {name: known[name] for name in ("email", "reason", "status", "created")}
