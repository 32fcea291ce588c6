"""Relationships of customers to objects, such as the company they work for."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from cio_mcp.client import AppApi, IdType, TrackApi
from cio_mcp.toolkit.answers import Accepted, Anything, Page, Quoted, Shape, cut
from cio_mcp.toolkit.params import Cursor, CustomerId, Limit, from_json
from cio_mcp.toolkit.registry import Toolbox

tools = Toolbox(__name__)


class Relationship(Shape):
    """A customer's relationship to one object."""

    object_type_id: str
    object_id: str | None = None
    cio_object_id: str | None = None
    attributes: dict[str, Anything] = Field({}, description="Of the relationship.")


class Relationships(Quoted, Page):
    """A customer's relationships. Pages may repeat some."""

    relationships: list[Relationship]
    object_types: dict[str, str] = Field(description="Names of the workspace's kinds of objects, by id.")


@tools.reads
async def get_relationships(
    app: AppApi,
    customer_id: CustomerId,
    id_type: IdType = "id",
    limit: Limit = 50,
    cursor: Cursor | None = None,
) -> Relationships:
    """List the objects, such as a company, that a customer is related to, and the object types."""
    answer = await app.get(
        "/v1/customers/{customer_id}/relationships",
        {"id_type": id_type, "limit": limit, "start": cursor},
        customer_id=app.person(customer_id, id_type),
    )
    types = await app.get("/v1/object_types")
    found = [_relationship(item) for item in answer.get("cio_relationships") or []]
    kept, next_cursor, left_out = cut(found, answer.get("next"))
    return Relationships(
        relationships=kept,
        object_types={str(kind["id"]): str(kind.get("name") or "") for kind in types.get("types") or []},
        next_cursor=next_cursor,
        left_out=left_out,
    )


def _relationship(item: dict[str, Any]) -> Relationship:
    named = item.get("identifiers") or {}
    return Relationship(
        object_type_id=str(item.get("object_type_id") or ""),
        object_id=named.get("object_id") or None,
        cio_object_id=named.get("cio_object_id") or None,
        attributes=item.get("attributes") or {},
    )


def _objects(objects: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return relationships as Track has them; ids of types are texts there."""
    if not objects:
        message = "name at least one"
        raise ValueError(message)
    found = []
    for number, entry in enumerate(objects):
        attributes = entry.get("attributes", {})
        given = {name: value for name, value in entry.items() if name != "attributes"}
        if given.keys() not in ({"object_type_id", "object_id"}, {"cio_object_id"}):
            message = f"entry {number}: must be {{object_type_id, object_id}} or {{cio_object_id}}"
            raise ValueError(message)
        if not isinstance(attributes, dict):
            message = f"entry {number}: attributes must be an object"
            raise ValueError(message)  # noqa: TRY004 - pydantic reports ValueErrors
        identifiers = {name: str(value) for name, value in given.items()}
        found.append(
            {"identifiers": identifiers} | ({"relationship_attributes": attributes} if attributes else {})
        )
    return found


Objects = Annotated[
    list[dict[str, Any]],
    from_json(list),
    AfterValidator(_objects),
    Field(description="List of {object_type_id, object_id, attributes?}."),
]


@tools.writes
async def set_relationships(
    track: TrackApi,
    customer_id: CustomerId,
    objects: Objects,
    id_type: IdType = "id",
    action: Literal["add", "remove"] = "add",
) -> Accepted:
    """Relate a known customer to objects, new ones too, or end that."""
    # Nobody is created for a relationship.
    body = {
        "_update": True,
        "cio_relationships": {
            "action": "add_relationships" if action == "add" else "delete_relationships",
            "relationships": objects,
        },
    }
    await track.put("/api/v1/customers/{customer_id}", body, customer_id=track.person(customer_id, id_type))
    return Accepted()
