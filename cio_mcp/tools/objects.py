"""The toolset `objects`: companies, courses and whatever else customers belong to."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, TypeAdapter, ValidationError, ValidationInfo

from cio_mcp.client import AppApi, IdType, RequestKind, TrackApi
from cio_mcp.client.identifiers import in_operation
from cio_mcp.client.people import entity
from cio_mcp.errors import InvalidArgument
from cio_mcp.toolkit.answers.pages import cut_page, joined
from cio_mcp.toolkit.answers.reading import Fields, beside, needed
from cio_mcp.toolkit.answers.shapes import Accepted, Page, Quoted, Shape
from cio_mcp.toolkit.arguments import lists
from cio_mcp.toolkit.arguments.types import AnonymousId, Cursor, CustomerId, ExceptPhone, ItemKey, Limit
from cio_mcp.toolkit.arguments.values import Values, tell_times, within_limits
from cio_mcp.toolkit.people.consequences import Consequence, affects
from cio_mcp.toolkit.people.filters import ObjectFilter
from cio_mcp.toolkit.registry import Toolbox
from cio_mcp.tools.people.relationships import read_object_types
from cio_mcp.tools.people.search import FoundCustomer, identifiers_of

tools = Toolbox(__name__)

# The API takes no empty filter. An attribute is there or it is not.
NAMED = {"object_attribute": {"field": "name", "operator": "exists"}}
EVERY: dict[str, Any] = {"or": [NAMED, {"not": NAMED}]}

TypeId = Annotated[ItemKey, Field(description="search_objects lists the types.")]
ThingId = Annotated[ItemKey, Field(description="Such as acme.")]
KindOfId = Literal["object_id", "cio_object_id"]

CONDITION = (
    'Such as {"object_attribute": {"field": "plan", "operator": "eq" or "exists", "value": "pro"}}; also '
    '{"and" or "or": [...]}, {"not": {...}}.'
)


class _Names:
    """How an entry of people names somebody."""

    customer = TypeAdapter[str](CustomerId)
    visitor = TypeAdapter[str](AnonymousId)
    kind = TypeAdapter[IdType](ExceptPhone)


def _people(entries: list[dict[str, Any]], asked: ValidationInfo) -> list[dict[str, Any]]:
    """Return relationships in the form of Track v2."""
    found = []
    for number, entry in enumerate(entries, 1):
        attributes = entry.get("attributes", {})
        try:
            who = _named(entry, asked)
        except ValidationError as error:
            message = f"entry {number}: {error.errors()[0]['msg'].removeprefix('Value error, ')}"
            raise ValueError(message) from None
        except InvalidArgument as wrong:
            message = f"entry {number}: {wrong.faults[0]}"
            raise ValueError(message) from None
        if who is None or not isinstance(attributes, dict):
            message = f"entry {number}: must have customer_id (and id_type), or anonymous_id; and attributes"
            raise ValueError(message)
        tell_times(attributes, asked)
        found.append({"identifiers": who} | ({"relationship_attributes": attributes} if attributes else {}))
    if len({"anonymous_id" in each["identifiers"] for each in found}) > 1:
        message = "customers and visitors need separate calls"
        raise ValueError(message)
    return found


def _named(entry: dict[str, Any], asked: ValidationInfo) -> dict[str, str] | None:
    match {name: value for name, value in entry.items() if name != "attributes"}:
        case {"customer_id": who, **rest} if rest.keys() <= {"id_type"}:
            kind = _Names.kind.validate_python(rest.get("id_type", "id"), context=asked.context)
            return in_operation(_Names.customer.validate_python(who, context=asked.context), kind)
        case {"anonymous_id": who, **rest} if not rest:
            return {"anonymous_id": _Names.visitor.validate_python(who, context=asked.context)}
    return None


People = Annotated[
    lists.Objects,
    AfterValidator(_people),
    Field(
        description='Such as [{"customer_id": "u_1", "attributes": {"role": "admin"}}]; '
        'visitors as {"anonymous_id": "v_1"}.'
    ),
]


@tools.writes
@affects(Consequence.RELATIONSHIPS)
async def set_object(
    track: TrackApi,
    object_type_id: TypeId,
    object_id: ThingId,
    id_type: KindOfId = "object_id",
    attributes: Annotated[
        Annotated[Values, AfterValidator(within_limits)] | None, Field(description="null removes one.")
    ] = None,
    people: People | None = None,
    action: Annotated[Literal["add", "remove"], Field(description="Relate people or remove them.")] = "add",
) -> Accepted:
    """Create or update an object, such as a company, and relate people to it or remove them.

    Unknown people are created. For several objects of one customer use set_relationships.
    """
    await entity(track, object_operation(object_type_id, object_id, id_type, attributes, people, action))
    return Accepted()


def object_operation(
    object_type_id: str,
    object_id: str,
    id_type: KindOfId,
    attributes: dict[str, Any] | None,
    people: list[dict[str, Any]] | None,
    action: Literal["add", "remove"],
) -> dict[str, Any]:
    """Return the operation of Track v2 that a call stands for; raises InvalidArgument."""
    if action == "remove":
        if attributes or not people or "anonymous_id" in people[0]["identifiers"]:
            raise InvalidArgument("action: remove takes customers in people, and no attributes")
        done = "delete_relationships"
    else:
        done = "identify_anonymous" if people and "anonymous_id" in people[0]["identifiers"] else "identify"
    named = {"object_type_id": object_type_id, "object_id": object_id}
    operation = {
        "type": "object",
        "action": done,
        "identifiers": named if id_type == "object_id" else {"cio_object_id": object_id},
        "attributes": attributes,
        "cio_relationships": people,
    }
    return {name: value for name, value in operation.items() if value}


class Thing(Quoted):
    """An object as stored in Customer.io now."""

    object_type_id: str | None = None
    object_id: str | None = None
    cio_object_id: str | None = Field(None, description="Customer.io's own id, which never changes.")
    attributes: dict[str, Any] = Field(description="All values are strings.")


@tools.reads
async def get_object(
    app: AppApi, object_type_id: TypeId, object_id: ThingId, id_type: KindOfId = "object_id"
) -> Thing:
    """Read the attributes of one object, such as a company. list_object_members lists its people."""
    path = "/v1/objects/{object_type_id}/{object_id}/attributes"
    ids = {"object_type_id": object_type_id, "object_id": object_id}
    found = Fields(await app.get(path, {"id_type": id_type}, **ids)).inside("object", "attributes")
    named = found.fields("identifiers")
    return Thing(
        object_type_id=found.text("object_type_id"),
        object_id=named.text("object_id"),
        cio_object_id=named.text("cio_object_id"),
        attributes=needed(found.mapping("attributes"), "attributes"),
    )


class ThingFound(Shape):
    """An object that was found."""

    object_id: str | None = None
    cio_object_id: str | None = None


class ThingsFound(Page):
    """Objects that were found, by identifier, and all types that there are."""

    objects: list[ThingFound] | None = None
    object_types: dict[str, str] | None = Field(None, description="Their names by id.")


@tools.reads
async def search_objects(
    app: AppApi,
    object_type_id: Annotated[ItemKey | None, Field(description="Leave out to list only the types.")] = None,
    filter: Annotated[ObjectFilter | None, Field(description=CONDITION)] = None,  # noqa: A002 - the API's word
    limit: Limit = 50,
    cursor: Cursor | None = None,
) -> ThingsFound:
    """Find objects of a type, such as companies, by their attributes; and list the types of objects."""
    if object_type_id is None and (filter or cursor):
        raise InvalidArgument("object_type_id: is required")
    condition = _typed(filter or EVERY, object_type_id or "")
    if object_type_id is None:
        return ThingsFound(object_types=await read_object_types(app))
    types, refused = await beside("object_types", read_object_types(app))
    body = {"object_type_id": object_type_id, "filter": condition}
    answer = Fields(
        await app.post("/v1/objects", body, query={"limit": limit, "start": cursor}, kind=RequestKind.READ)
    )
    found = [
        ThingFound(object_id=item.text("object_id"), cio_object_id=item.text("cio_object_id"))
        for item in answer.listed("identifiers")
    ]
    kept, next_cursor, left_out = cut_page(found, answer.following())
    return ThingsFound(
        objects=kept, object_types=types, next_cursor=next_cursor, left_out=joined(left_out, refused)
    )


def _typed(condition: dict[str, Any], type_id: str) -> dict[str, Any]:
    """Return a filter each of whose conditions names the type, as the API wants."""
    ((kind, part),) = condition.items()
    if isinstance(part, list):
        return {kind: [_typed(each, type_id) for each in part]}
    return {kind: _own(part, type_id) if kind == "object_attribute" else _typed(part, type_id)}


def _own(condition: dict[str, Any], type_id: str) -> dict[str, Any]:
    """Return a condition on an attribute, whose value the API wants as text."""
    value = condition.get("value")
    as_text = {"value": str(value).lower()} if isinstance(value, bool) else {}
    return condition | as_text | {"type_id": type_id}


class RelatedCustomers(Quoted, Page):
    """The people who are related to an object."""

    customers: list[FoundCustomer]


@tools.reads
async def list_object_members(
    app: AppApi,
    object_type_id: TypeId,
    object_id: ThingId,
    id_type: KindOfId = "object_id",
    limit: Limit = 50,
    cursor: Cursor | None = None,
) -> RelatedCustomers:
    """List the customers who are related to an object, such as a company's people."""
    path = "/v1/objects/{object_type_id}/{object_id}/relationships"
    query = {"id_type": id_type, "limit": limit, "start": cursor}
    answer = Fields(await app.get(path, query, object_type_id=object_type_id, object_id=object_id))
    found = [
        FoundCustomer(**identifiers_of(item.fields("identifiers")))
        for item in answer.listed("cio_relationships")
    ]
    kept, next_cursor, left_out = cut_page(found, answer.following())
    return RelatedCustomers(customers=kept, next_cursor=next_cursor, left_out=left_out)
