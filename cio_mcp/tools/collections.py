"""Collections: tables that messages look things up in."""

from typing import Annotated, Any

from pydantic import AfterValidator, Field

from cio_mcp.client import AppApi, RequestKind
from cio_mcp.toolkit.answers import Anything, Item
from cio_mcp.toolkit.params import from_json, iso, size_of

# App API, "Collections": bytes of a row, and of all.
ROW, ALL_ROWS = 10_000, 10_000_000

TRY_AGAIN = "Call again: rows are replaced if the collection is there by then."


class Collection(Item):
    """One collection; messages read it by {{name}}."""

    rows: int | None = None
    bytes: int | None = None
    keys: list[str] = Field([], description="What its rows have.")
    updated: str | None = None
    content: list[dict[str, Anything]] | None = Field(
        None, description="Its rows, where it alone is asked for."
    )


def _rows(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    for number, row in enumerate(rows):
        if (size := size_of(row)) > ROW:
            message = f"row {number}: at most {ROW} bytes are allowed, this is {size}"
            raise ValueError(message)
    if (size := size_of(rows)) > ALL_ROWS:
        message = f"at most {ALL_ROWS} bytes are allowed, these are {size}; give them by url"
        raise ValueError(message)
    return rows


Rows = Annotated[list[dict[str, Any]], from_json(list), AfterValidator(_rows)]


async def set_rows(app: AppApi, name: str, source: dict[str, Any]) -> tuple[Collection, Collection | None]:
    """Give the collection of this name its rows, by `data` or `url`; returns it, and as it was before."""
    there = (await app.get("/v1/collections")).get("collections") or []
    before = next((told_collection(item) for item in there if item.get("name") == name), None)
    body = {"name": name} | source
    if before is None:
        answer = await app.post(
            "/v1/collections", body, kind=RequestKind.ONCE, if_unknown=TRY_AGAIN, expect="collection"
        )
        return told_collection(answer["collection"]), None
    answer = await app.put("/v1/collections/{collection_id}", body, collection_id=before.id)
    return told_collection(answer.get("collection") or {"id": before.id, "name": name}), before


async def read_rows(app: AppApi, collection_id: int) -> list[dict[str, Any]]:
    """Return all rows of a collection. The spec's example is one row, its words say a list [?]."""
    found = await app.get_any("/v1/collections/{collection_id}/content", collection_id=collection_id)
    rows = found if isinstance(found, list) else [found] if found else []
    return [row if isinstance(row, dict) else {"value": row} for row in rows]


def told_collection(item: dict[str, Any]) -> Collection:
    """Return a collection as it is listed."""
    return Collection(
        id=int(item["id"]),
        name=str(item.get("name") or ""),
        rows=item.get("rows"),
        bytes=item.get("bytes"),
        keys=item.get("schema") or [],
        updated=iso(item.get("updated_at")),
    )
