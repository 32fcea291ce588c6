"""Addresses to which no mail is delivered, of which the sandbox has none."""

from typing import Any

from cio_mcp.sandbox.http import ApiRequest, Routes

routes = Routes()


@routes("GET", "/v1/esp/search_suppression/{email_address}")
def search(_: ApiRequest) -> dict[str, Any]:
    """Answer an empty search (documented). Live: such lists are null. Assumed (no suppressions): here too."""
    return {"category": "", "suppressions": None}
