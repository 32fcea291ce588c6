"""Snippets, by name."""

from typing import Any

from cio_mcp.sandbox.http import ApiRequest, Routes, app_error
from cio_mcp.sandbox.state import snippets

routes = Routes()


def _public(snippet: dict[str, Any]) -> dict[str, Any]:
    return {name: snippet[name] for name in ("name", "value", "updated_at")}


@routes("GET", "/v1/snippets")
def every(asked: ApiRequest) -> dict[str, Any]:
    """Answer all snippets; the endpoint has no pages. Documented."""
    return {"snippets": [_public(found) for found in asked.workspace.things("snippet")]}


@routes("PUT", "/v1/snippets")
def put(asked: ApiRequest) -> dict[str, Any]:
    """Make a snippet or change it; blanks around its name and text are dropped. Documented."""
    body = asked.json()
    name, value = str(body.get("name") or "").strip(), str(body.get("value") or "").strip()
    for field, text, most in (("name", name, 150), ("value", value, 16_000)):
        if not text:
            raise app_error(f"{field} cannot be blank", 422, f"/{field}")
        if len(text) > most:
            raise app_error(f"{field} cannot exceed {most} characters", 422, f"/{field}")
    if "snippets." in value or "snippets[" in value:
        fault = "Snippets cannot contain Liquid code referencing other snippets."
        raise app_error(fault, 422, "/value")
    return {"snippet": _public(snippets.put(asked.workspace, name, value))}


@routes("DELETE", "/v1/snippets/{snippet_name}")
def delete(asked: ApiRequest) -> None:
    """Remove a snippet that no message uses. Documented."""
    found = snippets.named(asked.workspace, asked.ids["snippet_name"])
    if found is None:
        raise app_error("not found", 404)
    if snippets.in_use(asked.workspace, found["name"]):
        raise app_error("unable to delete snippet in use", 400)
    asked.workspace.remove("snippet", found["id"])
