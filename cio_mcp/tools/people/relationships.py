"""Relationships of customers to objects, such as the company they work for."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, TypeAdapter, ValidationError, ValidationInfo

from cio_mcp.client import AnyIdType, AppApi, TrackApi, people
from cio_mcp.toolkit.answers.pages import cut_page, joined
from cio_mcp.toolkit.answers.reading import Fields, beside
from cio_mcp.toolkit.answers.shapes import Accepted, Page, Quoted, Shape
from cio_mcp.toolkit.arguments import lists
from cio_mcp.toolkit.arguments.types import Cursor, CustomerId, ItemKey, Limit
from cio_mcp.toolkit.arguments.values import tell_times
from cio_mcp.toolkit.people.consequences import Consequence, affects
from cio_mcp.toolkit.registry import Toolbox

tools = Toolbox(__name__)


class Relationship(Shape):
    """A customer's relationship to one object."""

    object_type_id: str | None = None
    object_id: str | None = None
    cio_object_id: str | None = None
    attributes: dict[str, Any] | None = Field(None, description="Attributes of the relationship itself.")


class Relationships(Quoted, Page):
    """A customer's relationships. Pages may repeat some."""

    relationships: list[Relationship]
    object_types: dict[str, str] | None = Field(
        None, description="The workspace's object types: their names by id."
    )


@tools.reads
async def get_relationships(
    app: AppApi,
    customer_id: CustomerId,
    id_type: AnyIdType = "id",
    limit: Limit = 50,
    cursor: Cursor | None = None,
) -> Relationships:
    """List the objects, such as companies, that a customer is related to, and all object types."""
    path = "/v1/customers/{customer_id}/relationships"
    query = {"id_type": id_type, "limit": limit, "start": cursor}
    answer = Fields(await app.get(path, query, customer_id=app.person(customer_id, id_type)))
    found = [_relationship(item) for item in answer.listed("cio_relationships")]
    object_types, refused = await beside("object_types", read_object_types(app))
    kept, next_cursor, left_out = cut_page(found, answer.following())
    return Relationships(
        relationships=kept,
        object_types=object_types,
        next_cursor=next_cursor,
        left_out=joined(left_out, refused),
    )


async def read_object_types(app: AppApi) -> dict[str, str]:
    """Return the names of the workspace's object types by id."""
    types = Fields(await app.get("/v1/object_types")).listed("types")
    return {number: name for kind in types if (number := kind.text("id")) and (name := kind.text("name"))}


def _relationship(item: Fields) -> Relationship:
    named = item.fields("identifiers")
    return Relationship(
        object_type_id=item.text("object_type_id"),
        object_id=named.text("object_id"),
        cio_object_id=named.text("cio_object_id"),
        attributes=item.mapping("attributes"),
    )


_KEY = TypeAdapter[str](ItemKey)


def _objects(objects: list[dict[str, Any]], asked: ValidationInfo) -> list[dict[str, Any]]:
    """Return relationships in the Track API's form, in which ids of types are strings."""
    if not objects:
        message = "give at least one"
        raise ValueError(message)
    found = []
    for number, entry in enumerate(objects):
        attributes = entry.get("attributes", {})
        given = {name: value for name, value in entry.items() if name != "attributes"}
        if given.keys() not in ({"object_type_id", "object_id"}, {"cio_object_id"}):
            message = f"entry {number}: must have object_type_id and object_id, or cio_object_id"
            raise ValueError(message)
        if not isinstance(attributes, dict):
            message = f"entry {number}: attributes must be an object"
            raise ValueError(message)  # noqa: TRY004 - pydantic reports ValueErrors
        tell_times(attributes, asked)
        try:
            identifiers = {name: _KEY.validate_python(value) for name, value in given.items()}
        except ValidationError:
            message = f"entry {number}: ids must be text or whole numbers"
            raise ValueError(message) from None
        found.append(
            {"identifiers": identifiers} | ({"relationship_attributes": attributes} if attributes else {})
        )
    return found


Objects = Annotated[
    lists.Objects,
    AfterValidator(_objects),
    Field(description='Such as [{"object_type_id": "1", "object_id": "acme", "attributes": {...}}].'),
]


@tools.writes
@affects(Consequence.RELATIONSHIPS)
async def set_relationships(
    track: TrackApi,
    customer_id: CustomerId,
    objects: Objects,
    id_type: AnyIdType = "id",
    action: Literal["add", "remove"] = "add",
) -> Accepted:
    """Relate an existing customer to objects such as companies, or remove such relationships.

    Unknown objects are created. get_relationships lists object types and relationships.
    """
    # An unknown customer must not be created just for a relationship.
    body = {
        "_update": True,
        "cio_relationships": {
            "action": "add_relationships" if action == "add" else "delete_relationships",
            "relationships": objects,
        },
    }
    await people.identify(track, customer_id, id_type, body)
    return Accepted()
