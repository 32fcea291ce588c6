"""Collections: tables whose rows messages can use."""

from typing import Annotated, Any

from pydantic import AfterValidator, Field

from cio_mcp.client import AppApi, RequestKind
from cio_mcp.limits import COLLECTION_BYTES
from cio_mcp.toolkit.answers.reading import Fields, made, needed, plain_value
from cio_mcp.toolkit.answers.shapes import Item
from cio_mcp.toolkit.arguments.lists import Objects
from cio_mcp.toolkit.arguments.sizes import excess

# App API, "Collections": bytes of one row.
ROW = 10_000

TRY_AGAIN = "It is safe to call again: if the collection exists by then, its rows are replaced."


class Collection(Item):
    """A collection of rows that messages can use."""

    rows: int | None = Field(None, description="Number of rows.")
    bytes: int | None = None
    keys: list[str] | None = Field(None, description="Keys of its rows.")
    updated: str | None = None
    content: list[dict[str, Any]] | None = Field(
        None, description="Its rows; only if item names this collection."
    )


def _rows(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    for number, row in enumerate(rows):
        if why := excess(row, ROW):
            message = f"row {number}: {why}"
            raise ValueError(message)
    if why := excess(rows, COLLECTION_BYTES):
        message = f"{why}; pass them as url instead"
        raise ValueError(message)
    return rows


Rows = Annotated[
    Objects,
    AfterValidator(_rows),
    Field(description='Rows of a collection, such as [{"sku": "A1"}].'),
]


async def set_rows(app: AppApi, name: str, source: dict[str, Any]) -> tuple[Collection, Collection | None]:
    """Set a collection's rows from `data` or `url`; return the collection now and before."""
    there = Fields(await app.get("/v1/collections")).listed("collections")
    before = next((told_collection(item) for item in there if item.text("name") == name), None)
    body = {"name": name} | source
    if before is None:
        answer = await app.post("/v1/collections", body, kind=RequestKind.ONCE, if_unknown=TRY_AGAIN)
        now = told_collection(Fields(answer).wrapped("collection"))
        made(now.id, "collection", TRY_AGAIN)
        return now, None
    number = needed(before.id, f"id of the collection {name}")
    answer = await app.put("/v1/collections/{collection_id}", body, collection_id=number)
    return told_collection(Fields(answer).wrapped("collection")), before


async def read_rows(app: AppApi, collection_id: int) -> list[dict[str, Any]]:
    """Return all rows of a collection. The spec's example is a single row, its text says a list."""
    found = await app.get("/v1/collections/{collection_id}/content", collection_id=collection_id)
    rows = found if isinstance(found, list) else [found] if found else []
    return [plain_value(row) if isinstance(row, dict) else {"value": plain_value(row)} for row in rows]


def told_collection(item: Fields) -> Collection:
    """Return a collection as it is listed."""
    return Collection(
        id=item.whole("id"),
        name=item.text("name"),
        rows=item.whole("rows"),
        bytes=item.whole("bytes"),
        keys=item.texts("schema"),
        updated=item.time("updated_at"),
    )
