"""Addresses to which the mail service delivers nothing: searched, listed by kind, added, lifted."""

from typing import Any

from cio_mcp.sandbox.http import ApiRequest, Routes, app_error, whole
from cio_mcp.sandbox.state import suppressions

routes = Routes()


@routes("GET", "/v1/esp/search_suppression/{email_address}")
def search(asked: ApiRequest) -> dict[str, Any]:
    """Answer how an address is suppressed, of whatever kind (documented).

    Assumed (suppressed addresses): the category is empty for none.
    """
    category, found = suppressions.search(asked.workspace, asked.ids["email_address"])
    return {"category": category, "suppressions": found}


@routes("GET", "/v1/esp/suppression/{suppression_type}")
def every(asked: ApiRequest) -> dict[str, Any]:
    """Answer the addresses of a kind. Live: null for none, and past the end.

    Assumed (suppressed addresses): there is one sending domain, and every other is unknown.
    """
    kind = _kind(asked)
    domain, email = asked.query.get("domain"), asked.query.get("email")
    offset = whole(asked.query.get("offset", "0"))
    if offset is None:
        raise app_error("offset must be a number", 400)
    found = [
        known
        for known in suppressions.listed(asked.workspace, kind)
        if domain in {None, "example.com"} and email in {None, known["email"]}
    ]
    page = found[offset:][: asked.limit(100)]
    return {"category": suppressions.CATEGORIES[kind], "suppressions": page or None}


@routes("POST", "/v1/esp/suppression/{suppression_type}/{email_address}")
def add(asked: ApiRequest) -> dict[str, Any]:
    """Suppress an address (documented)."""
    suppressions.add(asked.workspace, _kind(asked), asked.ids["email_address"], "added by API")
    return {}


@routes("DELETE", "/v1/esp/suppression/{suppression_type}/{email_address}")
def lift(asked: ApiRequest) -> None:
    """Let an address be delivered to again (documented)."""
    suppressions.lift(asked.workspace, _kind(asked), asked.ids["email_address"])


def _kind(asked: ApiRequest) -> str:
    kind = asked.ids["suppression_type"]
    if kind not in suppressions.CATEGORIES:
        raise app_error(f"unknown suppression type {kind}", 400)
    return kind
