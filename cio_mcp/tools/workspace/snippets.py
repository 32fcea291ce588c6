"""Snippets: pieces of text that messages share, such as a footer."""

from typing import Any

from pydantic import Field

from cio_mcp.client import AppApi
from cio_mcp.toolkit.answers import Item
from cio_mcp.toolkit.times import iso


class Snippet(Item):
    """One snippet; messages show it by {{snippets.name}}."""

    length: int = Field(description="Characters of its text.")
    updated: str | None = None
    value: str | None = Field(None, description="Its text, where it alone is asked for.")


async def set_text(app: AppApi, name: str, value: str) -> str | None:
    """Give a snippet its text; returns what it had before, of which Customer.io keeps nothing."""
    before = (await app.get("/v1/snippets")).get("snippets") or []
    await app.put("/v1/snippets", {"name": name, "value": value})
    return next((item.get("value") for item in before if item.get("name") == name), None)


def told_snippet(item: dict[str, Any], *, whole: bool = False) -> Snippet:
    """Return a snippet as it is listed, or whole."""
    value = str(item.get("value") or "")
    return Snippet(
        name=str(item.get("name") or ""),
        length=len(value),
        updated=iso(item.get("updated_at")),
        value=value if whole else None,
    )
