"""Snippets: texts that several messages share, such as a footer."""

from pydantic import Field

from cio_mcp.client import AppApi
from cio_mcp.toolkit.answers.reading import Fields
from cio_mcp.toolkit.answers.shapes import Item


class Snippet(Item):
    """A snippet, which messages include with {{snippets.NAME}}."""

    length: int | None = Field(None, description="Characters in its text.")
    updated: str | None = None
    value: str | None = Field(None, description="Its text; only if item names this snippet.")


async def set_text(app: AppApi, name: str, value: str) -> str | None:
    """Set a snippet's text and return the previous one, which Customer.io does not keep."""
    before = Fields(await app.get("/v1/snippets")).listed("snippets")
    await app.put("/v1/snippets", {"name": name, "value": value})
    return next((item.text("value") for item in before if item.text("name") == name), None)


def told_snippet(item: Fields, *, whole: bool = False) -> Snippet:
    """Return a snippet as it is listed, or with its text if `whole`."""
    value = item.raw.get("value")
    value = value if value == "" else item.text("value")
    return Snippet(
        name=item.text("name"),
        length=None if value is None else len(value),
        updated=item.time("updated_at"),
        value=value if whole else None,
    )
